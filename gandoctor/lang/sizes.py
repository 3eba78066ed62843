"""How large something is.

The number that an expression gives over a window, or why there is none.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from gandoctor.lang.frame import Frame, Missing, Span
from gandoctor.lang.machine import Evaluation
from gandoctor.lang.spans import resolve
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from gandoctor.lang.tree import Expression
    from gandoctor.lang.window import Window


@dataclass(frozen=True, slots=True)
class Size:
    """What one expression gave.

    Attributes
    ----------
    value : float or None
        Finite; None is unknown, and `reason` says why.
    reason : str
    window : (first, last) or None
        Steps that were looked at.
    """

    value: float | None
    reason: str = ""
    window: tuple[int, int] | None = None


def size_of(value: Expression, over: Window, frame: Frame) -> Size:
    """The number that an expression gives over a window of a frame.

    Parameters
    ----------
    value : Expression
        Of kind ``number``, from `compile_value`.
    over : Window
        Not ``after CLAUSE``.
    frame : Frame
    """
    span = resolve(over, frame, {})
    if not isinstance(span, Span):
        return Size(None, span.reason)
    found = Evaluation(frame, span, over.text).value(value.tree)
    if isinstance(found, Missing):
        return Size(None, found.reason, span.whole)
    if not isinstance(found, float) or not math.isfinite(found):
        return Size(None, f"`{value.text}` has no value", span.whole)
    return Size(found, "", span.whole)
