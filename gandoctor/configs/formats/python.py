"""Settings written as Python constants, by reading the syntax tree: nothing is imported or run.

Read are assignments of literals at the top level and in classes (``lr = 2e-4``,
``class Config: lr = 2e-4``), dicts and ``dict(...)`` calls as in mm-style configs, and the defaults
of ``parser.add_argument``.
"""

from __future__ import annotations

import ast
import warnings
from typing import Final

from gandoctor.configs.entries import MAX_DEPTH, MAX_ITEMS, MAX_SETTINGS, Entries, FullError, Path

SUFFIXES: Final = (".py",)
_NO: Final = object()


def parse(text: str) -> Entries:
    """Settings of a Python file.

    One that does not parse gives none, and the fault's line is named.
    """
    entries = Entries()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
        _body(entries, (), tree.body)
    except SyntaxError as e:
        entries.lost.append(f"line {e.lineno or 0}: not Python ({e.msg})")
    except (ValueError, MemoryError, RecursionError) as e:
        entries.lost.append(f"not Python ({e})"[:200])
    except FullError:
        entries.lost.append(f"more than {MAX_SETTINGS:,} settings; the rest was not read")
    return entries


def _body(entries: Entries, path: Path, body: list[ast.stmt]) -> None:
    for statement in body:
        if isinstance(statement, ast.Assign):
            for target in statement.targets:
                _assign(entries, path, target, statement.value)
        elif isinstance(statement, ast.AnnAssign) and statement.value is not None:
            _assign(entries, path, statement.target, statement.value)
        elif isinstance(statement, ast.ClassDef) and len(path) < 4:
            _body(entries, (*path, statement.name), statement.body)
        elif isinstance(statement, ast.FunctionDef) and not path:
            _body(entries, path, [s for s in statement.body if isinstance(s, ast.Expr)])
        elif isinstance(statement, ast.If | ast.With) and not path:
            _body(entries, path, statement.body)
        elif isinstance(statement, ast.Expr):
            _argument(entries, statement.value)


def _assign(entries: Entries, path: Path, target: ast.expr, value: ast.expr) -> None:
    if isinstance(target, ast.Name):
        if not target.id.startswith("__"):
            _value(entries, (*path, target.id), value)
    elif isinstance(
        target, ast.Attribute
    ):  # `config.train.lr = 1e-4`: the object's own name is no part of the key
        names: list[str] = []
        node: ast.expr = target
        while isinstance(node, ast.Attribute):
            names.insert(0, node.attr)
            node = node.value
        if isinstance(node, ast.Name):
            _value(entries, (*path, *names), value)
    elif (
        isinstance(target, ast.Tuple)
        and isinstance(value, ast.Tuple)
        and len(target.elts) == len(value.elts)
    ):
        for inner, its in zip(target.elts, value.elts, strict=True):
            _assign(entries, path, inner, its)


def _value(entries: Entries, path: Path, node: ast.expr) -> None:
    if len(path) > MAX_DEPTH:
        return
    if isinstance(node, ast.Dict):
        for key, inner in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant):
                _value(entries, (*path, str(key.value)), inner)
        return
    if isinstance(node, ast.Call):
        for keyword in node.keywords if isinstance(node.func, ast.Name | ast.Attribute) else ():
            if keyword.arg is not None:
                _value(entries, (*path, keyword.arg), keyword.value)
        return
    if isinstance(node, ast.List | ast.Tuple):
        items = [_literal(e) for e in node.elts[: MAX_ITEMS + 1]]
        if not any(v is _NO for v in items):
            entries.add(path, items, node.lineno)
        for i, inner in enumerate(node.elts[:MAX_ITEMS]):
            _value(entries, (*path, str(i)), inner)
        return
    value = _literal(node)
    if value is not _NO:
        entries.add(path, value, node.lineno)


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


def _argument(entries: Entries, node: ast.expr) -> None:
    """``parser.add_argument("--lr", type=float, default=2e-4)``."""
    if not (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "add_argument"
    ):
        return
    names = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    name = next((n for n in names if n.startswith("--")), "")
    for keyword in node.keywords:
        if keyword.arg == "default" and name:
            _value(entries, (name.lstrip("-").replace("-", "_"),), keyword.value)
