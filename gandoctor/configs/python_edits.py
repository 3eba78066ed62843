"""Python: constants, dict configs and option defaults by their ``ast`` offsets.

The file is parsed, never run.
"""

from __future__ import annotations

import ast
import re
import warnings
from typing import TYPE_CHECKING, Final

from gandoctor.configs import shadowing
from gandoctor.configs.shadowing import reference
from gandoctor.configs.splice import (
    MAX_LEAVES,
    Path,
    Spliced,
    SpliceError,
    Spot,
    Target,
    Value,
    by_tail,
    changed,
    number_text,
    prefer_last,
    splice_at,
    values_at,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_LINE: Final = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n|$)")


def _tree(text: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            # An invalid escape in a user's string is not our business.
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as e:
        raise SpliceError(f"it is no valid Python ({getattr(e, 'msg', e)})") from e


def spots(text: str) -> list[Spot]:
    """Every literal that a name, a dict key or an option is given, in file order.

    ``LR = 2e-4`` is ``LR``; ``cfg = dict(optim={"lr": 1})`` is ``cfg.optim.lr``; in
    ``class Config:`` it is ``Config.lr``; ``parser.add_argument("--lr_d", default=1)`` is ``lr_d``.
    """
    bom = int(text.startswith("\ufeff"))
    body = text[bom:]
    tree = _tree(body)
    raw = body.encode()
    starts = [m.start() for m in _LINE.finditer(raw)]

    def place(line: int, column: int) -> int:
        return bom + len(raw[: starts[line - 1] + column].decode())  # columns count UTF-8 bytes

    found: list[Spot] = []
    for path, node, value in _body(tree.body, ()):
        end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or 0
        found.append(
            Spot(
                path,
                place(node.lineno, node.col_offset),
                place(end_line, end_column),
                node.lineno,
                value,
            )
        )
        if len(found) > MAX_LEAVES:
            raise SpliceError(f"the file holds more than {MAX_LEAVES} values")
    return prefer_last(sorted(found, key=lambda s: s.start))


_Found = tuple[Path, ast.expr, object]


def _body(body: Sequence[ast.stmt], path: Path) -> Iterator[_Found]:
    for node in body:
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _assigned(target, node.value, path)
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            yield from _assigned(node.target, node.value, path)
        elif isinstance(node, ast.ClassDef):
            yield from _body(node.body, (*path, node.name))
        elif isinstance(node, ast.If | ast.With | ast.Try):
            yield from _body(node.body, path)
        elif isinstance(node, ast.FunctionDef):
            yield from _options(node)
        if isinstance(node, ast.Expr | ast.Assign):
            yield from _option(node.value)


def _options(function: ast.FunctionDef) -> Iterator[_Found]:
    """Options that a function such as ``parse_args`` declares, or that stand on it (click)."""
    for decorator in function.decorator_list:
        yield from _option(decorator)
    for node in ast.walk(function):
        if isinstance(node, ast.Expr):
            yield from _option(node.value)


def _option(node: ast.expr) -> Iterator[_Found]:
    """``add_argument("--lr", default=...)`` and absl's ``DEFINE_float("lr", default, help)``."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return
    names = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    given = {k.arg: k.value for k in node.keywords}
    if node.func.attr in ("add_argument", "option") and names and "default" in given:
        long = next((n for n in names if n.startswith("--")), names[0])
        dest = given.get("dest")
        name = dest.value if isinstance(dest, ast.Constant) else long.lstrip("-").replace("-", "_")
        yield from _literal((str(name),), given["default"])
    elif node.func.attr.startswith("DEFINE_") and names:
        value = given.get("default") or (node.args[1] if len(node.args) > 1 else None)
        if value is not None:
            yield from _literal((names[0],), value)


def _assigned(target: ast.expr, value: ast.expr, path: Path) -> Iterator[_Found]:
    if isinstance(target, ast.Name):
        yield from _literal((*path, target.id), value)
    elif isinstance(
        target, ast.Attribute | ast.Subscript
    ):  # _C.TRAIN.LR = 1e-4, config["d"]["lr"] = 1e-4
        place = reference(target)
        if place:
            yield from _literal((*path, *place), value)
    elif (
        isinstance(target, ast.Tuple)
        and isinstance(value, ast.Tuple)
        and len(target.elts) == len(value.elts)
    ):
        for t, v in zip(target.elts, value.elts, strict=True):
            yield from _assigned(t, v, path)


def _literal(path: Path, node: ast.expr) -> Iterator[_Found]:
    if len(path) > 100:
        raise SpliceError("the file is nested more than 100 levels deep")
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant):
                yield from _literal((*path, str(key.value)), value)
    elif isinstance(node, ast.Call):
        for word in node.keywords:
            if word.arg:
                yield from _literal((*path, word.arg), word.value)
    elif isinstance(node, ast.List | ast.Tuple):
        for i, item in enumerate(node.elts):
            yield from _literal((*path, str(i)), item)
    else:
        try:
            yield path, node, ast.literal_eval(node)
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
            return


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
    tree = _tree(text.removeprefix("\ufeff"))
    known = spots(text)
    found = [(by_tail(known, t), t.value) for t in targets if not t.beside]
    lines = {s.path: s.line for s, _ in found}
    _Uses({s.path: v for s, v in found}, lines).check(tree)
    shadowing.refuse(tree, lines)
    out = splice_at(text, targets, spots, _values, literal, locate=by_tail)
    if _shape(tree) != _shape(_tree(out.text.removeprefix("\ufeff"))):
        raise SpliceError("the code would change its shape")
    return out


_values: Final = values_at(spots)
_CONSTANT: Final = re.compile(r"(?:UnaryOp\(op=\w+\(\), operand=)?Constant\(value=.*?\)\)?")


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
                place = (
                    (*path, *reference(target))
                    if isinstance(target, ast.Name)
                    else reference(target)
                )
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
        refs = {r for n in ast.walk(node) if isinstance(n, ast.expr) for r in [reference(n)] if r}
        return {p for p in self.wanted if any(_holds(p, r) for r in refs)}

    def call(self, node: ast.Call, options: dict[str, int]) -> None:
        if not isinstance(node.func, ast.Attribute):
            return
        given = {k.arg: k.value for k in node.keywords}
        if node.func.attr in ("set_defaults", "update"):
            for path in self.wanted:
                if path[-1] in given:
                    raise SpliceError(f"`{path[-1]}` is given another value by {node.func.attr}()")
        for name, _, _ in _option(node):
            options[name[0]] = options.get(name[0], 0) + 1
            if name in self.wanted:
                _fits(name[0], self.wanted[name], given)

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


def changes(before: str, after: str) -> dict[str, object]:
    """Dotted key -> new value of everything that the usual reader finds changed.

    None where it is gone.

    Raises
    ------
    SpliceError
        If either text cannot be read.
    """
    return changed(_values(before), _values(after))
