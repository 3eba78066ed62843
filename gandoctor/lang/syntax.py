"""Text -> checked Expression: Python's expression grammar, our own walk, nothing executed.

The walk knows numbers, names, arithmetic, comparisons, ``and`` / ``or`` / ``not`` and calls of the
functions in `gandoctor.lang.functions`; everything else of Python is refused by name. Kinds are
settled here, so that a test that mixes up a series and a number is refused before a log is read.
"""

from __future__ import annotations

import ast
import functools
import re
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gandoctor.lang.checks import Checker
from gandoctor.lang.functions import FUNCTIONS, Function
from gandoctor.lang.tree import KIND_SAID, Expression, ExpressionError, Kind, Node, Scope, key_of
from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_LENGTH: Final = 500
THEN: Final = late_pattern(r"\bthen\b")


def compile_test(
    text: str, scope: Scope, functions: Mapping[str, Function] = FUNCTIONS
) -> Expression:
    """Read and check a test (``where:``, ``if:``).

    Parameters
    ----------
    text : str
        One line of Python's expression grammar; line breaks count as blanks.
    scope : Scope
        Names it may use.
    functions : Mapping, optional
        Functions it may call.

    Returns
    -------
    Expression
        Of kind ``mask`` or ``truth``.

    Raises
    ------
    ExpressionError
        Where it is no test.
    """
    return _compile(text, scope, functions, ("mask", "truth"))


def compile_value(
    text: str, scope: Scope, functions: Mapping[str, Function] = FUNCTIONS
) -> Expression:
    """Read and check a value.

    The ``x`` of ``after best(x)``, or a series made for a rule's own test.

    Returns
    -------
    Expression
        Of kind ``series`` or ``number``.

    Raises
    ------
    ExpressionError
        Where it is none.
    """
    return _compile(text, scope, functions, ("series", "number"))


def compile_when(
    text: str, clause_names: frozenset[str] | tuple[str, ...] | list[str]
) -> Expression:
    """Read and check the condition that joins clauses.

    ``and``, ``or``, ``not``, ``then``, parentheses.

    ``a then b`` holds where both do and `a` began before `b`; it binds tighter than ``not``,
    ``and`` and ``or``.

    Raises
    ------
    ExpressionError
        Where it is none.
    """
    if isinstance(text, str) and text in clause_names:
        node = Node("clause", "truth", name=text, text=text, key=text)
        return Expression(text, "truth", (text,), node)
    return _compile(
        text, Scope(clauses=frozenset(clause_names)), {}, ("truth",), joins_clauses=True
    )


def scaled(tree: Node, at: int, factor: float) -> Node:
    """The same tree with its `at`-th number (in the order of `Node.walk`) times `factor`."""
    seen = -1

    def rebuilt(node: Node) -> Node:
        nonlocal seen
        if node.op == "const":
            seen += 1
            if seen != at:
                return node
            value = node.value * factor
            return replace(node, value=value, key=repr(value))
        args = tuple(rebuilt(a) for a in node.args)
        return (
            node
            if args == node.args
            else replace(node, args=args, key=key_of(node.op, node.name, args))
        )

    return rebuilt(tree)


def _compile(
    text: object,
    scope: Scope,
    functions: Mapping[str, Function],
    wanted: tuple[Kind, ...],
    *,
    joins_clauses: bool = False,
) -> Expression:
    if functions is FUNCTIONS and isinstance(text, str) and not joins_clauses:
        return _compiled(text, scope, wanted)  # rules repeat themselves
    return _compile_anew(text, scope, functions, wanted, joins_clauses=joins_clauses)


@functools.lru_cache(maxsize=1024)
def _compiled(text: str, scope: Scope, wanted: tuple[Kind, ...]) -> Expression:
    return _compile_anew(text, scope, FUNCTIONS, wanted)


_NAMED: Final = frozenset({"signal", "number", "switch", "clause", "quote"})


def _compile_anew(
    text: object,
    scope: Scope,
    functions: Mapping[str, Function],
    wanted: tuple[Kind, ...],
    *,
    joins_clauses: bool = False,
) -> Expression:
    line, tree = _parsed(text, joins_clauses=joins_clauses)
    walk = Checker(line, scope, functions, joins_clauses=joins_clauses)
    node = (walk.switch(tree) if "truth" in wanted else None) or walk.node(tree, 0)
    if node.kind not in wanted:
        hint = (
            "compare it with something: `x < 0.1`" if "truth" in wanted else "a comparison is none"
        )
        what = "a test" if "truth" in wanted else "a series or a number"
        raise ExpressionError(
            f"this is {KIND_SAID[node.kind]}, not {what}", line, 0, len(line), hint
        )
    named = [n for n in node.walk() if n.op in _NAMED]
    signals = dict.fromkeys(n.name for n in named if n.op == "signal")
    names = dict.fromkeys(n.name for n in named)
    return Expression(line, node.kind, tuple(names), node, tuple(signals))


def _parsed(text: object, *, joins_clauses: bool) -> tuple[str, ast.expr]:
    if not isinstance(text, str):
        raise ExpressionError(f"a test is text, not {text!r:.40}", "", 0, 1, "quote it")
    line = " ".join(text.split())
    if not line:
        raise ExpressionError("the test is empty", "", 0, 1)
    if len(line) > MAX_LENGTH:
        raise ExpressionError(
            f"the test is longer than {MAX_LENGTH} characters",
            line[:60] + " ...",
            0,
            60,
            "split it",
        )
    odd = re.search(r"[^ -~]", line)
    if odd:
        raise ExpressionError(
            f"`{odd[0]!a}` is no plain character", _ascii(line), odd.start(), odd.end()
        )
    source = line
    if joins_clauses:
        if "@" in line:
            raise ExpressionError(
                "`@` means nothing here", line, line.index("@"), line.index("@") + 1
            )
        # `@` is the operator of Python's that nothing else here uses; columns stay as they are.
        source = THEN.sub("@   ", line)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return line, ast.parse(source, mode="eval").body
    except SyntaxError as e:
        at = max(0, (e.offset or 1) - 1)
        end = (e.end_offset or 0) - 1 if e.end_lineno == 1 else at + 1
        hint = "`=` compares with `==`" if re.search(r"[^=<>!]=[^=]", line) else ""
        raise ExpressionError("this does not read as an expression", line, at, end, hint) from None
    except (ValueError, MemoryError, RecursionError):
        raise ExpressionError(
            "this is nested too deep to be read", line, 0, len(line), "split it"
        ) from None


def _ascii(line: str) -> str:
    return "".join(c if " " <= c <= "~" else "?" for c in line)
