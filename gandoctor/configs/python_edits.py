"""Edits of Python files: what the code does with a value beside giving it is looked at first.

The file is parsed, never run.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from gandoctor.configs import shadowing
from gandoctor.configs.formats.python import Scanned, scan, scanned
from gandoctor.configs.references import dotted, options_of
from gandoctor.configs.splice import (
    Spliced,
    SpliceError,
    Target,
    Value,
    Way,
    by_tail,
    number_text,
    splice_at,
    spots_of,
)
from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gandoctor.configs.entries import Path, Spot


def literal(old: str, new: Value) -> str:
    """`new` as Python, numbers in the notation of `old`, words in its quotes."""
    if new is None or isinstance(new, bool):
        return str(new)
    if isinstance(new, int | float):
        return number_text(old.strip("\"'"), new)
    shown = repr(new)
    return (
        f'"{new}"' if shown[1:-1] == new and '"' not in new and not old.startswith("'") else shown
    )


def splice(text: str, targets: Sequence[Target]) -> Spliced:
    """Put new values in place of the old ones.

    Raises
    ------
    SpliceError
        If a key is not there, if anything else would change, or if the code goes on to give the key
        another value.
    """
    known = scanned(text)
    tree = _tree(known)
    spots = spots_of(known.entries, "Python")

    def locate(among: Iterable[Spot], target: Target) -> Spot:
        # a key may be asked for as the code calls it: `opt.lr` for `lr`
        asked = tuple(target.key.split("."))
        path = next((p for p, n in known.names.items() if n == asked and p != asked), None)
        if path is None or asked in known.entries.found:
            return by_tail(among, target)
        return by_tail(among, Target(".".join(path), target.value, target.line))

    found = [(locate(spots, t), t.value) for t in targets if not t.beside]
    lines = {known.names[s.path]: s.line for s, _ in found}
    _Uses({known.names[s.path]: v for s, v in found}, lines).check(tree)
    shadowing.refuse(tree, lines)
    out = splice_at(text, targets, Way(scan, literal, "Python", locate=locate))
    if _shape(tree) != _shape(_tree(scanned(out.text))):
        raise SpliceError("the code would change its shape")
    return out


def _tree(known: Scanned) -> ast.Module:
    if known.tree is None:
        raise SpliceError(f"it is no valid Python ({known.entries.fault})")
    return known.tree


_CONSTANT: Final = late_pattern(r"(?:UnaryOp\(op=\w+\(\), operand=)?Constant\(value=.*?\)\)?")


def _shape(tree: ast.Module) -> str:
    """The code, node for node, without its constants."""
    return _CONSTANT.sub("", ast.dump(tree))


# Calls that only convert a number.
_CONVERT: Final = frozenset({"float", "int", "min", "max", "round", "abs", "str"})
_WORKED_OUT: Final = (
    ast.Call,
    ast.Name,
    ast.Attribute,
    ast.Subscript,
    ast.BinOp,
    ast.UnaryOp,
    ast.IfExp,
)


class _Uses:
    """What else a file does with the keys that are about to change.

    Anything it cannot follow is refused.

    Parameters
    ----------
    wanted : dict of path to value
    lines : dict of path to int
        Where the values stand that are to be edited.
    """

    def __init__(self, wanted: Mapping[Path, Value], lines: Mapping[Path, int]) -> None:
        self.wanted = wanted
        self.lines = lines
        self.given: dict[Path, int] = {}  # blocks of code that give each a value
        self.last: dict[
            Path, tuple[int, int]
        ] = {}  # first and last line of the statement that does so last

    def check(self, tree: ast.Module) -> None:
        """Raise where a change would be overruled, or would change something else.

        Raises
        ------
        SpliceError
        """
        self.block(tree.body, ())
        options: dict[str, int] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                self.call(node, options)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                self.function(node)
        for path in self.wanted:
            name = ".".join(path)
            first, last = self.last.get(path, (0, self.lines[path]))
            if self.given.get(path, 0) > 1 or not first <= self.lines[path] <= last:
                raise SpliceError(f"`{name}` is given a value in several places")
            if len(path) == 1 and options.get(path[0], 0) > 1:
                raise SpliceError(f"`{name}` is an option in several places")

    def block(self, body: Sequence[ast.stmt], path: Path) -> None:
        seen: set[Path] = set()
        for node in body:
            for target, value, again in _targets(node):
                place = (*path, *dotted(target)) if isinstance(target, ast.Name) else dotted(target)
                mine = next((p for p in self.wanted if place and place == p[: len(place)]), None)
                if mine is not None:
                    # In one straight line the last assignment counts.
                    self.given[mine] = self.given.get(mine, 0) + (2 if again else mine not in seen)
                    self.last[mine] = (node.lineno, node.end_lineno or node.lineno)
                    seen.add(mine)
                if value is not None:
                    self.value(place, value)
            if isinstance(node, ast.ClassDef):
                self.block(node.body, (*path, node.name))
            elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for inner in ("body", "orelse", "finalbody"):
                    self.block(getattr(node, inner, None) or [], path)
                for handler in getattr(node, "handlers", ()):
                    self.block(handler.body, path)

    def value(self, place: Path, node: ast.expr) -> None:
        """What is worked out from the value.

        A call or dict that is handed it takes it for what it is.
        """
        if isinstance(node, ast.Call) and not (
            isinstance(node.func, ast.Name) and node.func.id in _CONVERT
        ):
            return
        if isinstance(node, _WORKED_OUT):
            for path in self.read(node):
                if place != path:
                    raise SpliceError(
                        f"`{'.'.join(place) or 'something'}` is worked out from `{'.'.join(path)}`"
                    )

    def read(self, node: ast.expr) -> set[Path]:
        """The keys about to change that an expression reads."""
        refs = {r for n in ast.walk(node) if isinstance(n, ast.expr) for r in [dotted(n)] if r}
        return {p for p in self.wanted if any(_holds(p, r) for r in refs)}

    def call(self, node: ast.Call, options: dict[str, int]) -> None:
        if not isinstance(node.func, ast.Attribute):
            return
        given = {k.arg: k.value for k in node.keywords}
        if node.func.attr in ("set_defaults", "update"):
            for path in self.wanted:
                if path[-1] in given:
                    raise SpliceError(f"`{path[-1]}` is given another value by {node.func.attr}()")
        for name, default in options_of(node):
            if default is None:
                continue
            options[name] = options.get(name, 0) + 1
            if (name,) in self.wanted:
                _fits(name, self.wanted[(name,)], given)

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        names = {n for g in ast.walk(node) if isinstance(g, ast.Global) for n in g.names}
        for path in self.wanted:
            if len(path) == 1 and path[0] in names:
                raise SpliceError(f"`{path[0]}` is changed by {node.name}()")


def _holds(path: Path, part: Path) -> bool:
    """Whether a reference is to this key or to something that holds it.

    Inside a class names have no prefix.
    """
    return any(path[i : i + len(part)] == part for i in range(len(path) - len(part) + 1))


def _fits(name: str, value: Value, given: Mapping[str | None, ast.expr]) -> None:
    """An option takes only what its declaration lets through."""
    kind, choices = given.get("type"), given.get("choices")
    whole = isinstance(kind, ast.Name) and kind.id == "int"
    if whole and isinstance(value, float) and not value.is_integer():
        raise SpliceError(f"`{name}` takes whole numbers only")
    try:
        known = ast.literal_eval(choices) if choices is not None else None
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        known = None
    if isinstance(known, list | tuple | set | dict) and value not in known:
        raise SpliceError(
            f"`{name}` may not be {value}: its choices are {', '.join(map(str, known))}"
        )


def _targets(node: ast.stmt) -> Iterator[tuple[ast.expr, ast.expr | None, bool]]:
    """What a statement assigns: (target, value, whether it changes a value that is there)."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Tuple | ast.List):
                same = isinstance(node.value, ast.Tuple) and len(node.value.elts) == len(
                    target.elts
                )
                values = (
                    node.value.elts
                    if same and isinstance(node.value, ast.Tuple)
                    else [None] * len(target.elts)
                )
                yield from ((t, v, False) for t, v in zip(target.elts, values, strict=True))
            else:
                yield target, node.value, False
    elif isinstance(node, ast.AnnAssign):
        if node.value is not None:
            yield node.target, node.value, False
    elif isinstance(node, ast.AugAssign | ast.For):
        yield node.target, None, True
