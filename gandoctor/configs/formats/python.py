"""Settings written as Python constants, by reading the syntax tree: nothing is imported or run.

Read are assignments of literals at the top level and in classes (``lr = 2e-4``,
``class Config: lr = 2e-4``), dicts and ``dict(...)`` calls as in mm-style configs, and the defaults
of ``parser.add_argument``, of click's options and of absl's ``DEFINE_float``.
"""

from __future__ import annotations

import ast
import warnings
from dataclasses import field
from typing import TYPE_CHECKING, Final

from gandoctor.configs.entries import (
    LIST,
    MAX_DEPTH,
    MAX_ITEMS,
    NOWHERE,
    Entries,
    FullError,
    Path,
    Span,
)
from gandoctor.configs.references import dotted, options_of
from gandoctor.patterns import late_pattern
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gandoctor.configs.splice import Spliced, Target

SUFFIXES: Final = (".py",)
CODE: Final = True  # only under a config's own name is such a file a config
_NO: Final = object()
_DEEPEST_CLASS: Final = 4
_BREAK: Final = late_pattern(r"\r\n|\r|\n")
# A longer file is not edited, so nobody asks where its values stand.
_MOST_PLACED: Final = 128 * 1024


def scan(text: str) -> Entries:
    """Values of a Python file.

    One that does not parse gives none, and the fault's line is named. ``LR = 2e-4`` is ``LR``;
    ``cfg = dict(optim={"lr": 1})`` is ``cfg.optim.lr``; in ``class Config:`` it is ``Config.lr``;
    ``parser.add_argument("--lr_d", default=1)`` is ``lr_d``; ``opt.train.lr = 1`` is ``train.lr``.
    """
    return scanned(text).entries


def splice(text: str, targets: Sequence[Target]) -> Spliced:
    """Put new values in place of the old ones.

    Raises
    ------
    SpliceError
        If a key is not there, if anything else would change, or if the code goes on to give the key
        another value.
    """
    from gandoctor.configs import python_edits

    return python_edits.splice(text, targets)


@dataclass(slots=True)
class Scanned:
    """A scan with what a splice needs beside it.

    Attributes
    ----------
    entries : Entries
    tree : Module or None
        None where the text is no Python.
    names : dict of path to path
        How the code calls what stands under a key: ``opt.train.lr`` for ``train.lr``.
    """

    entries: Entries = field(default_factory=Entries)
    tree: ast.Module | None = None
    names: dict[Path, Path] = field(default_factory=dict)


def scanned(text: str) -> Scanned:
    """As `scan`, with the syntax tree and the names in the code."""
    out = Scanned()
    bom = int(text.startswith("\ufeff"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an odd escape in a user's string is not our business
            out.tree = ast.parse(text[bom:])
        _Reading(out, _Places(text, bom)).body((), out.tree.body)
    except SyntaxError as e:
        out.entries.stop(f"line {e.lineno or 0}: not Python ({e.msg})")
    except (ValueError, MemoryError, RecursionError) as e:
        out.entries.stop(f"not Python ({e})"[:200])
    except FullError:
        out.entries.full()
    return out


class _Places:
    """From lines and UTF-8 columns, as Python counts them, to characters of the text."""

    def __init__(self, text: str, bom: int) -> None:
        self.text = text
        self.starts = [bom, *(m.end() for m in _BREAK.finditer(text))]
        self.plain = text[bom:].isascii()
        self.known = len(text) <= _MOST_PLACED

    def span(self, node: ast.expr) -> Span:
        if not self.known or node.end_lineno is None or node.end_col_offset is None:
            return NOWHERE
        return (
            self.at(node.lineno, node.col_offset),
            self.at(node.end_lineno, node.end_col_offset),
        )

    def at(self, line: int, column: int) -> int:
        start = self.starts[line - 1]
        if self.plain:
            return start + column
        # no character takes fewer bytes than one
        piece = self.text[start : start + column].encode("utf-8", "surrogatepass")
        return start + len(piece[:column].decode("utf-8", "surrogatepass"))


class _Reading:
    """One walk over the statements of a file."""

    def __init__(self, out: Scanned, places: _Places) -> None:
        self.entries = out.entries
        self.names = out.names
        self.places = places
        self.holders: set[Path] = set()  # what has keys below it

    def body(self, path: Path, body: Sequence[ast.stmt]) -> None:
        for node in body:
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    self.assign(path, target, node.value)
                self.options(node.value)
            elif isinstance(node, ast.AnnAssign) and node.value is not None:
                self.assign(path, node.target, node.value)
            elif isinstance(node, ast.ClassDef) and len(path) < _DEEPEST_CLASS:
                self.body((*path, node.name), node.body)
            elif isinstance(node, ast.If | ast.With | ast.Try):
                self.body(path, node.body)
            elif isinstance(node, ast.FunctionDef):
                self.function(node)
            elif isinstance(node, ast.Expr):
                self.options(node.value)

    def function(self, function: ast.FunctionDef) -> None:
        """Options that a function such as ``parse_args`` declares, or that stand on it (click)."""
        for decorator in function.decorator_list:
            self.options(decorator)
        for node in ast.walk(function):
            if isinstance(node, ast.Expr | ast.Assign):
                self.options(node.value)

    def options(self, node: ast.expr) -> None:
        for name, value in options_of(node) if isinstance(node, ast.Call) else ():
            if value is not None:
                self.value((name,), (name,), value)

    def assign(self, path: Path, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            if not target.id.startswith("__"):
                self.value((*path, target.id), (*path, target.id), value)
        elif isinstance(target, ast.Attribute | ast.Subscript):
            place = dotted(target)
            if not place or _numbered(target):
                return
            name = (*path, *place)
            # `opt.train.lr = 1e-4`: the object's own name is part of the key only where the object
            # itself is known
            whole = _outermost(target, ast.Subscript) or (*path, place[0]) in self.holders
            self.value(name if whole else (*path, *place[1:]), name, value)
        elif (
            isinstance(target, ast.Tuple)
            and isinstance(value, ast.Tuple)
            and len(target.elts) == len(value.elts)
        ):
            for inner, its in zip(target.elts, value.elts, strict=True):
                self.assign(path, inner, its)

    def value(self, path: Path, name: Path, node: ast.expr) -> None:
        """`path` is the key, `name` what the code calls it."""
        if len(path) > MAX_DEPTH:
            return
        if isinstance(node, ast.Dict):
            for key, inner in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant):
                    self.value((*path, str(key.value)), (*name, str(key.value)), inner)
            return
        if isinstance(node, ast.Call):
            for keyword in node.keywords if isinstance(node.func, ast.Name | ast.Attribute) else ():
                if keyword.arg is not None:
                    self.value((*path, keyword.arg), (*name, keyword.arg), keyword.value)
            return
        if isinstance(node, ast.List | ast.Tuple):
            items = [_literal(e) for e in node.elts[: MAX_ITEMS + 1]]
            if not any(v is _NO for v in items):
                self.add(path, name, items, node, LIST)
            for i, inner in enumerate(node.elts[:MAX_ITEMS]):
                self.value((*path, str(i)), (*name, str(i)), inner)
            return
        value = _literal(node)
        if value is not _NO:
            self.add(path, name, value, node)

    def add(self, path: Path, name: Path, value: object, node: ast.expr, stuck: str = "") -> None:
        self.entries.add(path, value, node.lineno, self.places.span(node), stuck)
        self.names[path] = name
        above = path[:-1]
        while above and above not in self.holders:
            self.holders.add(above)
            above = above[:-1]


def _outermost(target: ast.expr, kind: type[ast.expr]) -> bool:
    """Whether the first step from the name is of a kind: ``a["b"].c`` begins with a subscript."""
    step = target
    while isinstance(step, ast.Attribute | ast.Subscript) and not isinstance(step.value, ast.Name):
        step = step.value
    return isinstance(step, kind)


def _numbered(target: ast.expr) -> bool:
    """Whether it is, or lies in, an item that is named by no word: data, and no setting."""
    return any(
        isinstance(n, ast.Subscript)
        and not (isinstance(n.slice, ast.Constant) and isinstance(n.slice.value, str))
        for n in ast.walk(target)
    )


def _literal(node: ast.expr) -> object:
    """The value of a plain constant, signed or not.

    `_NO` for anything that would have to be worked out.
    """
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        inner = _literal(node.operand)
        if isinstance(inner, bool) or not isinstance(inner, int | float):
            return _NO
        return -inner if isinstance(node.op, ast.USub) else inner
    if isinstance(node, ast.Constant) and (
        node.value is None or isinstance(node.value, bool | int | float | str)
    ):
        return node.value
    return _NO
