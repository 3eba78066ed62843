"""Python: what an expression refers to, and which option of a command line a call declares."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


def last_name(node: ast.AST | None) -> str:
    """The last name of ``a.b.c``, through calls and subscripts; empty where there is none."""
    while isinstance(node, ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def dotted(node: ast.AST | None) -> tuple[str, ...]:
    """``a.b["c"]`` -> ("a", "b", "c"); empty for anything else."""
    parts: list[str] = []
    while True:
        if isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            parts.append(str(node.slice.value))
            node = node.value
        elif isinstance(node, ast.Name):
            return (node.id, *reversed(parts))
        else:
            return ()


def options_of(node: ast.Call) -> Iterator[tuple[str, ast.expr | None]]:
    """Name and default of an option that a call declares.

    ``add_argument("--lr", default=...)``, click's ``option`` and absl's ``DEFINE_float``.
    """
    name = last_name(node.func)
    if not (name in ("add_argument", "option", "add_option") or name.startswith("DEFINE_")):
        return
    words = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    if not words:
        return
    given = {k.arg: k.value for k in node.keywords}
    if name.startswith("DEFINE_"):
        default = given.get("default") or (node.args[1] if len(node.args) > 1 else None)
        yield words[0], default
        return
    dest = given.get("dest")
    if isinstance(dest, ast.Constant):
        yield str(dest.value), given.get("default")
        return
    plain = next((w for w in words if not w.startswith("-")), "")  # click: `"--lr-d", "lr"`
    long = next((w for w in words if w.startswith("--")), "")
    asked = (plain if name == "option" else "") or long or words[0]
    yield asked.lstrip("-").replace("-", "_"), given.get("default")
