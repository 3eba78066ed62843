"""How much of a window passes a test that is decided at every step, and by how much."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.lang.frame import (
    FALSE,
    MISSING,
    NAN,
    TRUE,
    Codes,
    Floats,
    Ints,
    Span,
)
from gandoctor.lang.functions import (
    cells,
    interval_of,
    quantile_of,
)
from gandoctor.lang.onset import stretches
from gandoctor.lang.shown import SHOWN_ROWS
from gandoctor.lang.spans import in_steps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gandoctor.lang.machine import Evaluation
    from gandoctor.lang.window import Amount

MOST_INTERVALS: Final = 50


class Passing:
    """The rows of a test inside the window, and how many steps each kind of answer stands for."""

    __slots__ = ("codes", "false", "held", "missing", "total", "true", "unknown", "weights")

    def __init__(self, codes: Codes, weights: Floats) -> None:
        self.codes = codes
        self.weights = weights
        self.held = codes == TRUE
        self.total = float(weights.sum())
        there = np.bincount(codes, minlength=TRUE + 1)
        self.true, self.false, self.missing, self.unknown = (
            float(weights[codes == code].sum()) if there[code] else 0.0
            for code in (TRUE, FALSE, MISSING, NAN)
        )

    @property
    def share(self) -> float | None:
        """Share of the steps where the answer is known on which it is yes."""
        known = self.true + self.false
        return self.true / known if known > 0 else None

    def enough(self, for_: Amount, length: float) -> tuple[bool | None, tuple[int, int] | None]:
        """Whether enough of it holds, and the streak that settled it.

        Rows that are NaN do not count; where a whole signal is missing, both answers are tried.
        """
        if for_.kind == "ever":
            return self._ever(), None
        if for_.kind == "always":
            return self._always(), None
        if for_.kind == "share":
            return self._on_share(for_.amount), None
        streak = _streak(self.held, self.weights, length)
        if streak is not None:
            return True, streak
        longest = _streak(self.codes != FALSE, self.weights, length)
        return (False if longest is None else None), None

    def _ever(self) -> bool | None:
        if self.held.any():
            return True
        return None if self.missing or not self.false else False

    def _always(self) -> bool | None:
        if self.false:
            return False
        return None if self.missing or not self.true else True

    def _on_share(self, least_share: float) -> bool | None:
        counted = self.true + self.false + self.missing
        least = (least_share - 1e-9) * counted
        if not counted:
            return None
        if self.true >= least:
            return True
        return None if self.true + self.missing >= least else False


def row_length(for_: Amount, steps: Ints, span: Span, run: Evaluation) -> float | str:
    """Length of ``N steps in a row`` in the log's own unit, or why the log cannot tell.

    Parameters
    ----------
    steps : ndarray of int64, shape (n,)
        Those logged inside `span`.
    """
    length = in_steps(for_.amount, for_.unit, run.frame)
    if isinstance(length, str):
        return length
    every = interval_of(steps)
    if every > length:
        return f"logged every {every:,.4g} {run.unit}, which cannot tell {for_.text}"
    return f"the window is shorter than {for_.text}" if span.last - span.first < length else length


def steps_of_rows(steps: Ints, low: int, high: int, span: Span) -> Floats:
    """Steps of the window that each of its rows stands for; equal where the window has no width.

    Parameters
    ----------
    steps : ndarray of int64, shape (n,)
    low, high : int
        First row inside `span`, and one past the last.

    Returns
    -------
    ndarray of float64, shape (high - low,)
    """
    if span.last <= span.first:
        return np.ones(high - low)
    # One row on either side tells how far the outer rows reach.
    start, stop = max(0, low - 1), min(steps.size, high + 1)
    width = cells(steps[start:stop], span.first, span.last)[low - start : high - start]
    return width if width.sum() > 0 else np.ones(high - low)


def _streak(held: NDArray[np.bool_], weights: Floats, length: float) -> tuple[int, int] | None:
    """First stretch of rows that all hold and together stand for `length` steps.

    (first row, one past the last).
    """
    starts, ends = stretches(held)
    if not starts.size:
        return None
    total = np.concatenate(([0.0], np.cumsum(weights)))
    long = np.flatnonzero(total[ends] - total[starts] >= length - 1e-9 * max(1.0, length))
    return (int(starts[long[0]]), int(ends[long[0]])) if long.size else None


def intervals_of(steps: Ints, held: NDArray[np.bool_]) -> tuple[tuple[int, int], ...]:
    """Where the test held; the closest are joined where there would be more than can be drawn.

    Parameters
    ----------
    steps : ndarray of int64, shape (n,)
    held : ndarray of bool, shape (n,)

    Returns
    -------
    tuple of (first, last)
        Steps; at most `MOST_INTERVALS`.
    """
    starts, ends = stretches(held)
    if starts.size > MOST_INTERVALS:
        gaps = steps[starts[1:]] - steps[ends[:-1] - 1]
        keep = np.sort(np.argpartition(-gaps, MOST_INTERVALS - 1)[: MOST_INTERVALS - 1])
        starts, ends = (
            starts[np.concatenate(([0], keep + 1))],
            ends[np.concatenate((keep, [ends.size - 1]))],
        )
    return tuple((int(steps[a]), int(steps[b - 1])) for a, b in zip(starts, ends, strict=True))


def margin_of(
    slack: Floats, part: Passing, for_: Amount, streak: tuple[int, int] | None
) -> float | None:
    """Relative distance of the row that decides from its threshold.

    Parameters
    ----------
    slack : ndarray of float64, shape (n,)
        By how much each row of `part` passes, relative to the threshold; NaN where unknown.
    part : Passing
        Of n rows.
    for_ : Amount
    streak : (first row, one past the last), optional
        What settled it, where a streak was asked for.

    Returns
    -------
    float or None
        None where no row has a size.
    """
    good = (part.codes != NAN) & ~np.isnan(slack)
    if for_.kind == "row":
        if streak is None:
            return None
        inside = slack[streak[0] : streak[1]]
        inside = inside[~np.isnan(inside)]
        return float(inside.min()) if inside.size else None
    slack, weights = slack[good], part.weights[good]
    if not slack.size:
        return None
    if for_.kind == "ever":
        found = float(slack.max())
    elif for_.kind == "always":
        found = float(slack.min())
    else:
        stride = -(-slack.size // SHOWN_ROWS)
        with np.errstate(over="ignore"):
            found = quantile_of(slack[::stride], 1 - for_.amount, weights[::stride])
    return abs(found) if math.isfinite(found) else None
