"""Where the value of an expression stands: names, attributes, options and arithmetic followed.

Nothing is run: what is not written out has no value.
"""

from __future__ import annotations

import ast
import math
from typing import TYPE_CHECKING, Final

from gandoctor.configs.python.holders import Holding
from gandoctor.configs.python.naming import FIELDS
from gandoctor.configs.python.ways import (
    DEEPEST,
    MOST_STEPS,
    NOTHING,
    End,
    EndlessError,
    Frame,
    Known,
    Way,
)
from gandoctor.configs.references import last_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gandoctor.configs.python.index import Scope

_LARGEST: Final = 1e30
# Calls that hand on a number as it is.
_SAME: Final = frozenset(
    {"float", "int", "abs", "tensor", "constant", "Variable", "float32", "float64", "Tensor"}
)
# Schedules, by the first of their values.
_SCHEDULES: Final = (
    "ExponentialDecay", "exponential_decay", "PolynomialDecay", "polynomial_decay", "CosineDecay",
    "InverseTimeDecay", "CosineDecayRestarts", "cosine_decay", "linear_schedule",
)  # fmt: skip
_FAULTS: Final = (EndlessError, RecursionError, OverflowError, ZeroDivisionError, ValueError)


class Reader(Holding):
    """Follows expressions of a code to their values; see `Followed` for what it is made of."""

    def known(self, node: ast.expr | None, frame: Frame | None = None) -> Known | None:
        """The value of an expression; None where it is not written out."""
        if node is None:
            return None
        try:
            return self._known(node, frame or self.frame(node), Way())
        except _FAULTS:
            return None

    def number(self, node: ast.expr | None, frame: Frame | None = None) -> float | None:
        """The number that an expression means."""
        found = self.known(node, frame)
        if found is None or isinstance(found.value, bool | str) or found.value is None:
            return None
        return float(found.value)

    def of_name(self, scope: Scope, name: str) -> Known | None:
        """The value of a name in a scope."""
        try:
            return self._known(ast.Name(name, ast.Load()), Frame(scope), Way())
        except _FAULTS:
            return None

    def of_option(self, key: str) -> Known | None:
        """The value of an option of the command line."""
        way = Way()
        try:
            found = self.option(key, way)
            if found is None or isinstance(found, Known):
                return found
            value = self._value(found[0], found[1], 1)
        except _FAULTS:
            return None
        if value is NOTHING:
            return None
        return Known(value, tuple(reversed(way.trail)), way.how, key=key)  # type: ignore[arg-type]

    def end(self, node: ast.expr, frame: Frame | None = None) -> tuple[ast.AST, Frame] | None:
        """What an expression is in the end: a call, a dict, a class, ..."""
        try:
            found = self.follow(node, frame or self.frame(node), Way())
        except (EndlessError, RecursionError):
            return None
        return None if isinstance(found, Known) else found

    def _known(self, node: ast.expr, frame: Frame, way: Way) -> Known | None:
        found = self.follow(node, frame, way)
        if found is None or isinstance(found, Known):
            return found
        end, where = found
        value = self._value(end, where, way.depth + 1)
        if value is NOTHING:
            return None
        return Known(value, tuple(reversed(way.trail)), way.how, key=way.key, guessed=way.guessed)  # type: ignore[arg-type]

    def _value(self, node: ast.AST, frame: Frame, depth: int) -> object:
        """The value of an end; `NOTHING` for what is none."""
        if isinstance(node, ast.Constant):
            value = node.value
            return (
                value if value is None or isinstance(value, bool | int | float | str) else NOTHING
            )
        if isinstance(node, ast.UnaryOp | ast.BinOp | ast.Compare):
            return self._worked_out(node, frame, depth)
        return NOTHING

    def part(self, node: ast.expr, frame: Frame, depth: int) -> object:
        """What a part of an expression is worth."""
        found = self._known(node, frame, Way(depth=depth + 1))
        return NOTHING if found is None else found.value

    def _worked_out(
        self, node: ast.UnaryOp | ast.BinOp | ast.Compare, frame: Frame, depth: int
    ) -> object:
        if isinstance(node, ast.Compare):
            return self._compared(node, frame, depth)
        if isinstance(node, ast.UnaryOp):
            value = self.part(node.operand, frame, depth)
            if isinstance(node.op, ast.Not) and value is not NOTHING:
                return not value
            if isinstance(value, bool) or not isinstance(value, int | float):
                return NOTHING
            return -value if isinstance(node.op, ast.USub) else value
        left, right = (self.part(side, frame, depth) for side in (node.left, node.right))
        for side in (left, right):
            if isinstance(side, bool) or not isinstance(side, int | float):
                return NOTHING
            if abs(side) > _LARGEST:
                return NOTHING
        return _computed(node.op, left, right)  # type: ignore[arg-type]

    def _compared(self, node: ast.Compare, frame: Frame, depth: int) -> object:
        if len(node.ops) != 1:
            return NOTHING
        left = self.part(node.left, frame, depth)
        side = node.comparators[0]
        op = node.ops[0]
        if left is NOTHING:
            return NOTHING
        if isinstance(op, ast.In | ast.NotIn) and isinstance(side, ast.Tuple | ast.List | ast.Set):
            items = [self.part(e, frame, depth) for e in side.elts]
            if any(i is NOTHING for i in items):
                return NOTHING
            return (left in items) is isinstance(op, ast.In)
        right = self.part(side, frame, depth)
        if right is NOTHING:
            return NOTHING
        if isinstance(op, ast.Eq | ast.Is):
            return left == right
        if isinstance(op, ast.NotEq | ast.IsNot):
            return left != right
        if isinstance(left, int | float) and isinstance(right, int | float):
            if isinstance(op, ast.Gt):
                return left > right
            if isinstance(op, ast.Lt):
                return left < right
        return NOTHING

    # ------------------------------------------------------------ following

    def follow(self, node: ast.expr, frame: Frame, way: Way) -> End:
        """Go from a use to where the value stands, noting the way."""
        self.steps += 1
        way.depth += 1
        if self.steps > MOST_STEPS or way.depth > DEEPEST:
            raise EndlessError
        if node in self.index.parents:
            way.trail.append((self.unit(node), node))
        if isinstance(node, ast.Name):
            return self.name(node, frame, way)
        if isinstance(node, ast.Attribute | ast.Subscript):
            return self._part_of(node, frame, way)
        if isinstance(node, ast.Call):
            return self._call(node, frame, way)
        if isinstance(node, ast.IfExp):
            test = self.part(node.test, frame, way.depth)
            if test is NOTHING:
                return None
            return self.follow(node.body if test else node.orelse, frame, way)
        if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
            for side in node.values:
                if self.part(side, frame, way.depth) not in (NOTHING, None, "", False):
                    return self.follow(side, frame, way)
            return None
        return node, frame

    # ------------------------------------------------------------ calls

    def _call(self, node: ast.Call, frame: Frame, way: Way) -> End:
        name = last_name(node.func)
        if name in _SAME and len(node.args) >= 1 and not isinstance(node.args[0], ast.Starred):
            if self.part(node.args[0], frame, way.depth) is not NOTHING:
                return self.follow(node.args[0], frame, way)
            return None
        if name in FIELDS:
            default = next((k.value for k in node.keywords if k.arg == "default"), None)
            if default is None and node.args:
                default = node.args[0]
            if default is None:  # `field(default_factory=OptimConfig)`
                maker = next((k.value for k in node.keywords if k.arg == "default_factory"), None)
                default = maker.body if isinstance(maker, ast.Lambda) else maker
            if default is not None:
                return self.follow(default, frame, way)
            return None
        if name in _SCHEDULES:
            first = next(
                (k.value for k in node.keywords if (k.arg or "").startswith(("init", "learning"))),
                node.args[0] if node.args else None,
            )
            return self.follow(first, frame, way) if first is not None else None
        if name in ("get", "pop", "setdefault") and isinstance(node.func, ast.Attribute):
            return self._got(node.func.value, node.args, frame, way)
        if name == "getattr" and len(node.args) >= 2:
            return self._got(node.args[0], node.args[1:], frame, way)
        if name == "getenv" and len(node.args) == 2:
            return self.follow(node.args[1], frame, way)
        made = self.returned(node, frame)
        if made is not None and way.depth < DEEPEST // 2:
            inner = Way(list(way.trail), way.how, way.key, way.guessed, way.depth)
            found = self.follow(made[0], made[1], inner)
            if isinstance(found, tuple) and isinstance(
                found[0], ast.Constant | ast.BinOp | ast.UnaryOp
            ):
                way.trail[:] = inner.trail
                way.how, way.key = inner.how, inner.key
                return found
        return node, frame

    def _got(self, holder: ast.expr, asked: Sequence[ast.expr], frame: Frame, way: Way) -> End:
        """``config.get("lr", 1e-4)``."""
        if not asked or not isinstance(asked[0], ast.Constant):
            return None
        key = str(asked[0].value)
        mark = len(way.trail)
        found = self.member(holder, key, frame, way)
        if found is not None or len(asked) < 2:
            return found
        del way.trail[mark:]
        return self.follow(asked[1], frame, way)


def _computed(op: ast.operator, left: float, right: float) -> object:
    made: float
    if isinstance(op, ast.Add):
        made = left + right
    elif isinstance(op, ast.Sub):
        made = left - right
    elif isinstance(op, ast.Mult):
        made = left * right
    elif isinstance(op, ast.Div):
        made = left / right
    elif isinstance(op, ast.FloorDiv):
        made = left // right
    elif isinstance(op, ast.Pow) and abs(right) <= 64 and abs(left) <= 1e6 and left > 0:
        made = left**right
    elif isinstance(op, ast.Mod) and right:
        made = left % right
    else:
        return NOTHING
    if not isinstance(made, int | float) or not math.isfinite(made):
        return NOTHING
    # 0.0002 * 0.1 as anyone would write it
    return made if isinstance(made, int) else float(f"{made:.10g}")
