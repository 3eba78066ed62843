"""Terms that bring the values of pictures to a range."""

from __future__ import annotations

import ast


def one_of(node: ast.AST) -> ast.AST:
    """An item of ``[0.5 for _ in range(3)]`` and ``[0.5] * 3``."""
    if isinstance(node, ast.ListComp):
        return node.elt
    if isinstance(node, ast.BinOp) and isinstance(node.left, ast.List | ast.Tuple):
        return node.left.elts[0] if node.left.elts else node
    return node


def _number_of(node: ast.expr) -> float | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return float(node.value)
    if isinstance(node, ast.Call) and len(node.args) == 1:
        return _number_of(node.args[0])
    return None


def is_symmetric(node: ast.BinOp) -> bool:
    """``x / 127.5 - 1``, ``(x - 127.5) / 127.5``, ``x * 2 - 1``, ``(x - 0.5) / 0.5``."""
    left, right = node.left, _number_of(node.right)
    if not isinstance(left, ast.BinOp):
        return False
    inner = _number_of(left.right)
    if isinstance(node.op, ast.Sub) and right == 1:
        if isinstance(left.op, ast.Div):
            return inner in (127.5, 128.0)
        if isinstance(left.op, ast.Mult):
            scale = inner if inner is not None else _number_of(left.left)
            return scale == 2 and not isinstance(left.left, ast.Attribute)
    if isinstance(node.op, ast.Div) and isinstance(left.op, ast.Sub):
        return right == inner and right in (127.5, 128.0, 0.5)
    return False


def is_unit(node: ast.BinOp) -> bool:
    """``x / 255``."""
    return isinstance(node.op, ast.Div) and _number_of(node.right) in (255.0, 256.0)
