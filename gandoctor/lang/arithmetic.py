"""What the operators of the language do to numbers, and to columns of them."""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

OPERATORS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": np.power,
}  # fmt: skip
COMPARE: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq,
    "!=": operator.ne,
}  # fmt: skip


def calculated(op: str, left: float, right: float) -> float:
    """Two numbers put together; NaN where that has no value."""
    if op == "/" and right == 0:
        return math.nan
    if op == "**":
        with np.errstate(all="ignore"):
            return float(np.power(np.float64(left), np.float64(right)))
    return float(OPERATORS[op](left, right))
