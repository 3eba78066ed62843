"""Python: what gives a name or a dict's entry another value without an assignment to it.

Imports that come after it, ``globals()``, and the methods of dicts.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from gandoctor.configs.references import dotted
from gandoctor.configs.splice import SpliceError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gandoctor.configs.entries import Path

_NAMESPACES: Final = frozenset({"globals", "vars", "locals"})
# Methods of a dict that give keys other values, and those that take keys away.
_GIVING: Final = frozenset({"update", "__setitem__", "__ior__"})
_TAKING: Final = frozenset({"pop", "clear", "popitem", "__delitem__"})


def last_name(node: ast.expr) -> str:
    """The last part of a reference; empty for what is none."""
    return (dotted(node) or ("",))[-1]


def handed(call: ast.Call) -> tuple[set[str], bool]:
    """The keys that a call such as ``update(...)`` hands over, and whether those are all.

    Parameters
    ----------
    call : ast.Call

    Returns
    -------
    set of str
    bool
        False where what is handed over is not written out.
    """
    keys: set[str] = {k.arg for k in call.keywords if k.arg is not None}
    whole = all(k.arg is not None for k in call.keywords)
    for given in call.args:
        if isinstance(given, ast.Dict):
            named, all_named = _keys(given)
        elif isinstance(given, ast.Call) and last_name(given.func) == "dict":
            named, all_named = handed(given)
        else:
            named, all_named = set(), False
        keys |= named
        whole = whole and all_named
    return keys, whole


def _keys(node: ast.Dict) -> tuple[set[str], bool]:
    words = [k.value for k in node.keys if isinstance(k, ast.Constant)]
    return {str(w) for w in words}, len(words) == len(node.keys)


def by_method(call: ast.Call) -> tuple[str, set[str], bool] | None:
    """What a dict's method does to its keys.

    Returns
    -------
    (str, set of str, bool) or None
        "given another value" or "taken away", the keys, and whether those are all that may be
        meant; None for any other call.
    """
    if not isinstance(call.func, ast.Attribute):
        return None
    name = call.func.attr
    if name == "update":
        return ("given another value", *handed(call))
    if name not in _GIVING | _TAKING:
        return None
    done = "given another value" if name in _GIVING else "taken away"
    if name in ("clear", "popitem", "__ior__"):
        return done, set(), False
    first = call.args[0] if call.args else None
    if isinstance(first, ast.Constant):
        return done, {str(first.value)}, True
    return done, set(), False


def refuse(tree: ast.Module, path: Path) -> None:
    """Refuse a key whose name the module binds anew, or whose entry a dict's method changes.

    Parameters
    ----------
    tree : ast.Module
    path : tuple of str
        What the code calls the value.

    Raises
    ------
    SpliceError
    """
    bound = _first_line(tree, path[0])
    if bound:  # else an option of that name, which no import touches
        _imports(tree.body, path, bound)
        _namespaces(tree, path)
    _entries(tree, path)


def _first_line(tree: ast.Module, name: str) -> int:
    """Where the module first binds a name by itself; 0 where it does not."""
    for node in _statements(tree.body):
        if isinstance(node, ast.ClassDef) and node.name == name:
            return node.lineno
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            parts = (p for t in targets for p in (t.elts if isinstance(t, ast.Tuple) else [t]))
            if any(dotted(p)[:1] == (name,) for p in parts):
                return node.lineno
    return 0


def _statements(body: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    """All statements of a block and of the blocks in it, but not those of functions and classes."""
    for node in body:
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        for inner in ("body", "orelse", "finalbody"):
            yield from _statements(getattr(node, inner, None) or [])
        for handler in getattr(node, "handlers", ()):
            yield from _statements(handler.body)


def _imports(body: Sequence[ast.stmt], path: Path, line: int) -> None:
    for node in _statements(body):
        if node.lineno > line and (name := imported(node, path[0])):
            _stop(path, f"may be another one after the import of `{name}`", node)


def imported(node: ast.stmt, name: str) -> str:
    """What an import names that binds `name`, or may; empty where nothing does."""
    if not isinstance(node, ast.Import | ast.ImportFrom):
        return ""
    for alias in node.names:
        if alias.name == "*" or (alias.asname or alias.name.partition(".")[0]) == name:
            return alias.name
    return ""


def _namespaces(tree: ast.Module, path: Path) -> None:
    """``globals()["lr_d"] = 1`` and what else changes the names of the module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
            if _is_namespace(node.value) and _may_be(node.slice, path[0]):
                _stop(path, "is, or may be, given another value", node)
        elif isinstance(node, ast.Call):
            _namespace_call(node, path)


def _namespace_call(call: ast.Call, path: Path) -> None:
    meant = by_method(call)
    if meant and isinstance(call.func, ast.Attribute) and _is_namespace(call.func.value):
        done, keys, whole = meant
        if path[0] in keys or not whole:
            _stop(path, f"is, or may be, {done}", call)
    is_set = last_name(call.func) == "setattr" and len(call.args) > 1
    if is_set and _is_module(call.args[0]) and _may_be(call.args[1], path[0]):
        _stop(path, "is, or may be, given another value by setattr()", call)


def _is_namespace(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Call)
        and not node.args
        and isinstance(node.func, ast.Name)
        and node.func.id in _NAMESPACES
    )


def _is_module(node: ast.expr) -> bool:
    """``sys.modules[__name__]``."""
    return isinstance(node, ast.Subscript) and last_name(node.value) == "modules"


def _may_be(key: ast.expr, name: str) -> bool:
    return key.value == name if isinstance(key, ast.Constant) else True


def _entries(tree: ast.Module, path: Path) -> None:
    """Entries of the dicts that hold the value, and the value's own."""
    links = {path[i]: path[i + 1] for i in range(len(path) - 1)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Delete):
            for target in node.targets:
                place = dotted(target)
                if place and place == path[: len(place)]:
                    _stop(path, "is taken away", node)
        elif isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
            if last_name(node.value) in links and not isinstance(node.slice, ast.Constant):
                _stop(path, "is, or may be, given another value", node)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            # where the result is kept, as of `lr = cfg.pop("lr")`, the value is what is asked for
            _by_method(node.value, path, links)


def _by_method(call: ast.Call, path: Path, links: dict[str, str]) -> None:
    meant = by_method(call)
    if meant is None or not isinstance(call.func, ast.Attribute):
        return
    place = dotted(call.func.value)
    if not place or place[-1] not in links:
        return
    done, keys, whole = meant
    if links[place[-1]] in keys or not whole:
        _stop(path, f"is, or may be, {done} by {call.func.attr}()", call)


def _stop(path: Path, said: str, node: ast.expr | ast.stmt) -> None:
    raise SpliceError(f"`{'.'.join(path)}` {said} in line {node.lineno}")
