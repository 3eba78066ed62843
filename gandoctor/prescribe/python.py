"""Python: constants, dict configs and option defaults by their ``ast`` offsets; the file is parsed, never run."""

from __future__ import annotations

import ast
import re
import warnings
from typing import TYPE_CHECKING, Final

from gandoctor.prescribe.splice import (
    MAX_LEAVES,
    Path,
    Spliced,
    SpliceError,
    Spot,
    Target,
    Value,
    changed,
    find,
    line_of,
    number_text,
    prefer_last,
    prove,
    replaced,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_LINE: Final = re.compile(rb"[^\r\n]*(?:\r\n|\r|\n|$)")


def _tree(text: str) -> ast.Module:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an invalid escape in a user's string is not our business
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as e:
        raise SpliceError(f"it is no valid Python ({getattr(e, 'msg', e)})") from e


def spots(text: str) -> list[Spot]:
    """Every literal that a name, a dict key or an option is given, in file order.

    ``LR = 2e-4`` is ``LR``; ``cfg = dict(optim={"lr": 1})`` is ``cfg.optim.lr``; in ``class Config:`` it is
    ``Config.lr``; ``parser.add_argument("--lr_d", default=1)`` is ``lr_d``.
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
        found.append(Spot(path, place(node.lineno, node.col_offset), place(end_line, end_column), node.lineno, value))
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
    """Options that a function such as ``parse_args`` declares."""
    for node in ast.walk(function):
        if isinstance(node, ast.Expr):
            yield from _option(node.value)


def _option(node: ast.expr) -> Iterator[_Found]:
    """``add_argument("--lr", default=...)`` and absl's ``DEFINE_float("lr", default, help)``."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return
    names = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    given = {k.arg: k.value for k in node.keywords}
    if node.func.attr == "add_argument" and names and "default" in given:
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
    elif isinstance(target, ast.Attribute):  # config.lr = 1e-4, self.lr = 1e-4, _C.TRAIN.LR = 1e-4
        names: list[str] = []
        node: ast.expr = target
        while isinstance(node, ast.Attribute):
            names.append(node.attr)
            node = node.value
        if isinstance(node, ast.Name):
            yield from _literal((*path, node.id, *reversed(names)), value)
    elif isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
        if isinstance(target.value, ast.Name):
            yield from _literal((*path, target.value.id, str(target.slice.value)), value)
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts):
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
    return f'"{new}"' if shown[1:-1] == new and '"' not in new and not old.startswith("'") else shown


def splice(text: str, targets: Sequence[Target]) -> Spliced:
    """Put new values in place of the old ones.

    Raises
    ------
    SpliceError
        If a key is not there, or if anything else would change.
    """
    known = spots(text)
    pieces, edits, wanted = [], [], {}
    for target in targets:
        if target.beside:
            raise SpliceError(f"`{target.key}` is not in the file")
        spot = _found(known, target)
        old = text[spot.start : spot.end]
        if "\n" in old:
            raise SpliceError("the value spans several lines")
        new = literal(old, target.value)
        pieces.append((spot.start, spot.end, new))
        edits.append((target.key, old, new))
        wanted[spot.key] = target.value
    _nothing_follows(_tree(text.removeprefix("\ufeff")), {key.split(".")[0] for key in wanted if "." not in key})
    after = replaced(text, pieces)
    prove({s.path: s.value for s in known}, {s.path: s.value for s in spots(after)}, wanted)
    _same_elsewhere(text, after, [p[:2] for p in pieces])
    return Spliced(after, tuple(edits))


def _found(known: Sequence[Spot], target: Target) -> Spot:
    """By the whole key; by its tail where only one place has that tail (``lr_d`` for ``Config.lr_d``)."""
    tail = tuple(target.key.split("."))
    if not any(s.key == target.key and target.line in (0, s.line) for s in known):
        ends = [s for s in known if s.path[-len(tail) :] == tail and target.line in (0, s.line)]
        if len(ends) == 1:
            return ends[0]
    return find(known, target)


def _nothing_follows(tree: ast.Module, names: set[str]) -> None:
    """No other constant is worked out from one that changes: ``LR_G = LR_D * 2`` would change with it.

    Raises
    ------
    SpliceError
        If one is.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Name | ast.BinOp):
            used = {n.id for n in ast.walk(node.value) if isinstance(n, ast.Name)} & names
            if used:
                raise SpliceError(f"`{ast.unparse(node.targets[0])}` is worked out from `{used.pop()}`")


def _same_elsewhere(before: str, after: str, spans: Sequence[tuple[int, int]]) -> None:
    """The code around the new values is, node for node, what it was."""
    a, b = (ast.dump(_tree(t.removeprefix("\ufeff"))) for t in (before, after))
    constant = re.compile(r"(?:UnaryOp\(op=\w+\(\), operand=)?Constant\(value=.*?\)\)?")
    if constant.sub("", a) != constant.sub("", b):
        lines = ", ".join(str(line_of(before, s)) for s, _ in spans)
        raise SpliceError(f"the code in line {lines} would change its shape")


def changes(before: str, after: str) -> dict[str, object]:
    """Dotted key -> new value of everything that the usual reader finds changed; None where it is gone.

    Raises
    ------
    SpliceError
        If either text cannot be read.
    """
    return changed(*({s.path: s.value for s in spots(t)} for t in (before, after)))
