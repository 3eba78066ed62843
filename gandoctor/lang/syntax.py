"""Text -> checked Expression: Python's expression grammar, our own walk, nothing executed.

The walk knows numbers, names, arithmetic, comparisons, ``and`` / ``or`` / ``not`` and calls of the
functions in `gandoctor.lang.functions`; everything else of Python is refused by name. Kinds are
settled here, so that a test that mixes up a series and a number is refused before a log is read.
"""

from __future__ import annotations

import ast
import functools
import math
import re
import warnings
from collections.abc import Mapping
from dataclasses import field, replace
from typing import TYPE_CHECKING, Final, Literal

from gandoctor.errors import RuleError, near
from gandoctor.lang.functions import FUNCTIONS, Function
from gandoctor.patterns import late_pattern
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

Kind = Literal["series", "mask", "number", "truth"]

MAX_LENGTH: Final = 500
MAX_DEPTH: Final = 16
MAX_NODES: Final = 120
MAX_POWER: Final = 8
THEN: Final = late_pattern(r"\bthen\b")

_ARITHMETIC: Final[dict[type[ast.operator], str]] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**",
}  # fmt: skip
_COMPARISONS: Final[dict[type[ast.cmpop], str]] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip
_REFUSED: Final[dict[type[ast.expr], str]] = {
    ast.Attribute: "a dot after a name", ast.Subscript: "an index in brackets",
        ast.Lambda: "a lambda",
    ast.IfExp: "an if / else", ast.ListComp: "a loop", ast.SetComp: "a loop",
        ast.DictComp: "a loop",
    ast.GeneratorExp: "a loop", ast.List: "a list", ast.Tuple: "a comma", ast.Set: "a set",
        ast.Dict: "a dict",
    ast.NamedExpr: "an assignment", ast.JoinedStr: "text", ast.Await: "await", ast.Yield: "yield",
    ast.YieldFrom: "yield", ast.Starred: "a star",
}  # fmt: skip
_SAID: Final[dict[str, str]] = {
    "series": "a series", "mask": "a test at every step", "number": "a number",
    "truth": "a test of the whole window",
}  # fmt: skip


# What an argument that is asked about, not evaluated, has to name; and the parts of a scope that
# have such names.
_ASKED: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "any name": ("signal, setting or fact", ("signals", "numbers", "words", "switches")),
    "setting": ("number among the settings", ("numbers",)),
    "flag": ("symptom or rule", ("flags",)),
}


@dataclass(frozen=True, slots=True)
class Scope:
    """The names a test may use.

    Attributes
    ----------
    signals : frozenset of str
        Names of series.
    numbers : frozenset of str
        Names of numbers: settings that are numbers, facts. A name that is both a signal and a
        number is the signal where a function asks for a series, and the number everywhere else.
    words : frozenset of str
        Settings that are words; they belong under ``given:``, here they only explain that.
    flags : frozenset of str
        What ``fired()`` may ask about.
    clauses : frozenset of str
        Clauses that ``when:`` may join.
    switches : frozenset of str
        Settings that are true or false: each is a test by itself, and the number 1 or 0 if it is
        among `numbers`.
    """

    signals: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    flags: frozenset[str] = frozenset()
    clauses: frozenset[str] = frozenset()
    switches: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Node:
    """One checked piece of an expression.

    Attributes
    ----------
    op : str
        ``const``, ``signal``, ``number``, ``switch``, ``clause``, ``quote`` (a name that is asked
        about, not evaluated), ``call``, ``neg``, ``+ - * / **``, ``< <= > >= == !=``, ``and``,
        ``or``, ``not``, ``then``.
    kind : str
        ``series``, ``mask``, ``number`` or ``truth``.
    args : tuple of Node
    value : float
        Of a ``const``.
    name : str
        Of a name or a function.
    text : str
        The piece of source it was read from.
    windowed : bool
        Whether its value depends on the window that is looked at.
    key : str
        The same for pieces that mean the same; results are remembered under it.
    """

    op: str
    kind: Kind
    args: tuple[Node, ...] = ()
    value: float = 0.0
    name: str = ""
    text: str = field(default="", compare=False)
    windowed: bool = False
    key: str = field(default="", compare=False)

    def walk(self) -> Iterator[Node]:
        """Yield this node, then all below it, from left to right."""
        left = [self]
        while left:
            node = left.pop()
            yield node
            left.extend(reversed(node.args))


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked test.

    Attributes
    ----------
    text : str
        As written, on one line.
    kind : str
        ``mask``: decided at every step; ``truth``: decided once for the whole window (or for the
        run).
    names : tuple of str
        Every signal, number and clause it uses, in the order of the text.
    tree : Node
    """

    text: str
    kind: Kind
    names: tuple[str, ...]
    tree: Node = field(repr=False)

    @property
    def signals(self) -> tuple[str, ...]:
        """The signals among `names`."""
        return tuple(dict.fromkeys(n.name for n in self.tree.walk() if n.op == "signal"))


class ExpressionError(RuleError):
    """A test that cannot be read; shows the line with a caret under the fault.

    Parameters
    ----------
    what, hint : str
        As in `gandoctor.errors.GandoctorError`.
    text : str
        The whole expression.
    start, end : int
        Columns of the fault.
    """

    def __init__(self, what: str, text: str, start: int, end: int, hint: str = "") -> None:
        super().__init__(what, hint=hint)
        self.text = text
        self.start = max(0, min(start, len(text)))
        self.end = max(self.start + 1, min(end, len(text)))

    def __str__(self) -> str:
        return (
            f"{super().__str__()}\n    {self.text}\n    "
            f"{' ' * self.start}{'^' * (self.end - self.start)}"
        )


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
            else replace(node, args=args, key=_key(node.op, node.name, args))
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


def _compile_anew(
    text: object,
    scope: Scope,
    functions: Mapping[str, Function],
    wanted: tuple[Kind, ...],
    *,
    joins_clauses: bool = False,
) -> Expression:
    line, tree = _parsed(text, joins_clauses=joins_clauses)
    walk = _Walk(line, scope, functions, joins_clauses=joins_clauses)
    node = (walk.switch(tree) if "truth" in wanted else None) or walk.node(tree, 0)
    if node.kind not in wanted:
        hint = (
            "compare it with something: `x < 0.1`" if "truth" in wanted else "a comparison is none"
        )
        what = "a test" if "truth" in wanted else "a series or a number"
        raise ExpressionError(f"this is {_SAID[node.kind]}, not {what}", line, 0, len(line), hint)
    named = ("signal", "number", "switch", "clause", "quote")
    names = tuple(dict.fromkeys(n.name for n in node.walk() if n.op in named))
    return Expression(line, node.kind, names, node)


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


def _key(op: str, name: str, args: tuple[Node, ...]) -> str:
    inner = ",".join(a.key for a in args)
    return f"{op if op != 'call' else ''}{name}({inner})"


def _varies(node: Node) -> bool:
    """Whether anything in it depends on the run."""
    return node.op in ("signal", "number", "call") or any(map(_varies, node.args))


class _Walk:
    """One walk over one expression."""

    def __init__(
        self,
        line: str,
        scope: Scope,
        functions: Mapping[str, Function],
        *,
        joins_clauses: bool = False,
    ) -> None:
        self.line = line
        self.scope = scope
        self.functions = functions
        self.joins_clauses = joins_clauses
        self.nodes = 0

    def fault(self, what: str, at: ast.expr, hint: str = "") -> ExpressionError:
        return ExpressionError(
            what, self.line, at.col_offset, at.end_col_offset or at.col_offset + 1, hint
        )

    def made(
        self, op: str, kind: Kind, at: ast.expr, args: tuple[Node, ...] = (), name: str = ""
    ) -> Node:
        text = self.line[at.col_offset : at.end_col_offset]
        windowed = any(a.windowed for a in args)
        if op == "call" and self.functions[name].how in ("reduce", "pair"):
            windowed = True
        return Node(op, kind, args, 0.0, name, text, windowed, _key(op, name, args))

    def node(self, at: ast.expr, depth: int, *, series: bool = False) -> Node:
        """Check one node; `series`: a name of both a signal and a number means the signal."""
        self.nodes += 1
        if depth > MAX_DEPTH or self.nodes > MAX_NODES:
            raise self.fault("the test is too long or nested too deep", at, "split it into clauses")
        if isinstance(at, ast.Name):
            return self.name(at, series=series)
        if isinstance(at, ast.BoolOp):
            return self.joined(at, depth)
        if isinstance(at, ast.UnaryOp):
            return self.unary(at, depth, series=series)
        if self.joins_clauses:
            if isinstance(at, ast.BinOp) and isinstance(at.op, ast.MatMult):
                args = (self.node(at.left, depth + 1), self.node(at.right, depth + 1))
                return self.made("then", "truth", at, args)
            raise self.fault(
                "`when` joins the clauses' names, no more",
                at,
                "put the test into a clause's `where`",
            )
        if isinstance(at, ast.Constant):
            return self.constant(at)
        if isinstance(at, ast.BinOp):
            return self.arithmetic(at, depth, series=series)
        if isinstance(at, ast.Compare):
            return self.comparison(at, depth)
        if isinstance(at, ast.Call):
            return self.call(at, depth, series=series)
        raise self.fault(f"{_REFUSED.get(type(at), 'this')} has no place in a test", at)

    def constant(self, at: ast.Constant) -> Node:
        if isinstance(at.value, bool) or not isinstance(at.value, int | float):
            hint = "settings that are words go under `given:`" if isinstance(at.value, str) else ""
            raise self.fault(f"{at.value!r:.40} is no number", at, hint)
        try:
            value = float(at.value)
        except OverflowError:
            value = math.inf
        if not math.isfinite(value):
            raise self.fault("this number is too large", at)
        text = self.line[at.col_offset : at.end_col_offset]
        return Node("const", "number", value=value, text=text, key=repr(value))

    def name(self, at: ast.Name, *, series: bool) -> Node:
        name, scope = at.id, self.scope
        if self.joins_clauses:
            if name in scope.clauses:
                return Node("clause", "truth", name=name, text=name, key=name)
            raise self.fault(f"no clause is called `{name}`", at, near(name, scope.clauses))
        if name in scope.signals and (series or name not in scope.numbers):
            return Node("signal", "series", name=name, text=name, key=name)
        if name in scope.numbers:
            return Node("number", "number", name=name, text=name, key=f"#{name}")
        if name in scope.words:
            raise self.fault(
                f"`{name}` is a word, not a number", at, f"write `given: {{{name}: ...}}`"
            )
        if name in scope.flags:
            raise self.fault(f"`{name}` is a symptom or a rule", at, f"write `fired({name})`")
        if name in self.functions:
            raise self.fault(f"`{name}` is a function", at, f"write `{self.functions[name].usage}`")
        known = scope.signals | scope.numbers | scope.switches
        raise self.fault(f"no signal, setting or fact is called `{name}`", at, near(name, known))

    def switch(self, at: ast.expr) -> Node | None:
        """A setting that is true or false, where a test is wanted.

        Elsewhere it counts as 1 or 0.
        """
        if not isinstance(at, ast.Name) or at.id not in self.scope.switches or self.joins_clauses:
            return None
        return Node("switch", "truth", name=at.id, text=at.id, key=f"?{at.id}")

    def unary(self, at: ast.UnaryOp, depth: int, *, series: bool) -> Node:
        if isinstance(at.op, ast.Not):
            arg = self.test(at.operand, depth + 1, "not")
            return self.made("not", arg.kind, at, (arg,))
        if self.joins_clauses or not isinstance(at.op, ast.USub | ast.UAdd):
            raise self.fault(
                "this has no place here", at, "write `not`" if isinstance(at.op, ast.Invert) else ""
            )
        arg = self.value(at.operand, depth + 1, series=series)
        return self.made("neg", arg.kind, at, (arg,)) if isinstance(at.op, ast.USub) else arg

    def arithmetic(self, at: ast.BinOp, depth: int, *, series: bool) -> Node:
        symbol = _ARITHMETIC.get(type(at.op))
        if symbol is None:
            hint = (
                "write `and` / `or`"
                if isinstance(at.op, ast.BitAnd | ast.BitOr)
                else "there are + - * / **"
            )
            raise self.fault("this operator means nothing here", at, hint)
        left, right = (self.value(side, depth + 1, series=series) for side in (at.left, at.right))
        if symbol == "**":
            power = right.args[0] if right.op == "neg" else right
            if power.op != "const" or power.value > MAX_POWER:
                raise self.fault(f"a power must be a plain number of at most {MAX_POWER}", at.right)
        kind: Kind = "series" if "series" in (left.kind, right.kind) else "number"
        return self.made(symbol, kind, at, (left, right))

    def comparison(self, at: ast.Compare, depth: int) -> Node:
        sides = [self.value(side, depth + 1) for side in (at.left, *at.comparators)]
        spots = [at.left, *at.comparators]
        pairs: list[Node] = []
        for i, op in enumerate(at.ops):
            symbol = _COMPARISONS.get(type(op))
            if symbol is None:
                raise self.fault("`in` and `is` mean nothing here", at, "there are < <= > >= == !=")
            left, right = sides[i], sides[i + 1]
            if not (_varies(left) or _varies(right)):
                raise self.fault("this compares two plain numbers", at)
            kind: Kind = "mask" if "series" in (left.kind, right.kind) else "truth"
            text = self.line[spots[i].col_offset : spots[i + 1].end_col_offset]
            windowed = left.windowed or right.windowed
            pairs.append(
                Node(
                    symbol,
                    kind,
                    (left, right),
                    text=text,
                    windowed=windowed,
                    key=_key(symbol, "", (left, right)),
                )
            )
        if len(pairs) == 1:
            return pairs[0]
        self.one_kind(pairs, spots[1:])
        return self.made("and", pairs[0].kind, at, tuple(pairs))

    def joined(self, at: ast.BoolOp, depth: int) -> Node:
        word = "and" if isinstance(at.op, ast.And) else "or"
        parts = [self.test(part, depth + 1, word) for part in at.values]
        self.one_kind(parts, at.values)
        return self.made(word, parts[0].kind, at, tuple(parts))

    def one_kind(self, parts: list[Node], spots: list[ast.expr]) -> None:
        """Refuse to join what is decided at every step with what is decided once."""
        other = next((i for i, p in enumerate(parts) if p.kind != parts[0].kind), None)
        if other is None:
            return
        each = next(p for p in parts if p.kind == "mask")
        once = next(p for p in parts if p.kind == "truth")
        signal = next((n for n in each.walk() if n.op == "signal"), None)
        reduced = f", or reduce: `median({signal.name})`" if signal is not None else ""
        raise self.fault(
            f"`{each.text}` is decided at every step, `{once.text}` once for the whole window",
            spots[other],
            f"make them two clauses{reduced}",
        )

    def call(self, at: ast.Call, depth: int, *, series: bool = False) -> Node:
        if not isinstance(at.func, ast.Name):
            raise self.fault("only functions can be called", at.func)
        name = at.func.id
        function = self.functions.get(name)
        if function is None:
            raise self.fault(f"no function is called `{name}`", at.func, near(name, self.functions))
        if at.keywords:
            raise self.fault("arguments have no names here", at, f"write `{function.usage}`")
        least = len(function.takes) - function.optional
        if function.many:
            least, most = function.many, MAX_NODES
        else:
            most = len(function.takes)
        if not least <= len(at.args) <= most:
            raise self.fault(f"`{name}` takes {least if least == most else f'{least} to {most}'} "
                             "arguments", at,
                             f"write `{function.usage}`")  # fmt: skip
        wants = function.takes + function.takes[-1:] * (len(at.args) - len(function.takes))
        args = tuple(
            self.argument(arg, want, function, depth + 1, series=series)
            for arg, want in zip(at.args, wants, strict=False)
        )
        kind: Kind
        if function.gives == "same":
            kind = "series" if any(a.kind == "series" for a in args) else "number"
        elif function.gives == "test":
            kind = "mask" if any(a.kind == "series" for a in args) else "truth"
        else:
            kind = function.gives
        return self.made("call", kind, at, args, name)

    def argument(
        self, at: ast.expr, want: str, function: Function, depth: int, *, series: bool
    ) -> Node:
        if want in _ASKED:
            called, groups = _ASKED[want]
            known = tuple(getattr(self.scope, group) for group in groups)
            if not isinstance(at, ast.Name):
                raise self.fault(
                    f"`{function.name}` asks about a name", at, f"write `{function.usage}`"
                )
            if want == "flag" and not any(known):
                raise self.fault(
                    "a rule cannot ask what others found", at, "causes and remedies can"
                )
            if not any(at.id in group for group in known):
                names = frozenset[str]().union(*known)
                raise self.fault(f"no {called} is called `{at.id}`", at, near(at.id, names))
            return Node("quote", "truth", name=at.id, text=at.id, key=f"'{at.id}")
        if want == "test":
            return self.test(at, depth, function.name)
        node = self.value(
            at, depth, series=want == "series" or (want == "series or number" and series)
        )
        if want == "series" and node.kind != "series":
            raise self.fault(
                f"`{function.name}` needs a series, and this is {_SAID[node.kind]}", at
            )
        if want == "number" and node.kind != "number":
            raise self.fault(
                f"`{function.name}` needs a number here, and this is {_SAID[node.kind]}", at
            )
        if want == "count":
            plain = node.value if node.op == "const" else -1.0
            if plain < 1 or plain != int(plain) or plain > 1e6:
                raise self.fault(
                    f"`{function.name}` needs a whole number here, from 1 to a million", at
                )
        return node

    def value(self, at: ast.expr, depth: int, *, series: bool = False) -> Node:
        node = self.node(at, depth, series=series)
        if node.kind not in ("series", "number"):
            raise self.fault(f"this is {_SAID[node.kind]}, where a value is needed", at)
        return node

    def test(self, at: ast.expr, depth: int, word: str) -> Node:
        node = self.switch(at) or self.node(at, depth)
        if node.kind not in ("mask", "truth"):
            raise self.fault(
                f"`{word}` joins tests, and this is {_SAID[node.kind]}",
                at,
                f"compare it: `{node.text} > 0`",
            )
        return node
