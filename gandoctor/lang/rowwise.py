"""Two series row by row: where they meet, what their answers come to, and by how much."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from gandoctor.lang.frame import (
    NOT,
    Codes,
    Floats,
    Ints,
    Marks,
    Missing,
    Test,
    Told,
)
from gandoctor.lang.functions import (
    interval_of,
)
from gandoctor.lang.middle import quantile

if TYPE_CHECKING:
    from numpy.typing import NDArray


def joined_codes(op: str, a: Codes, b: Codes) -> Codes:
    """Kleene's ``and`` or ``or`` of two answers, row by row; shape (n,) in and out."""
    if op == "and":
        return np.minimum(a, b)
    return np.asarray(NOT[np.minimum(NOT[a], NOT[b])], dtype=np.int8)


def negated(test: Test) -> Test:
    """Kleene's ``not``."""
    if isinstance(test, Told):
        return Told(
            None if test.truth is None else not test.truth,
            None if test.slack is None else -test.slack,
            test.reason,
        )
    if isinstance(test, Missing):
        return test
    return Marks(
        test.steps, NOT[test.codes], None if test.slack is None else -test.slack, test.reason
    )


def slack_of(op: str, a: Any, b: Any, scale: Floats | float) -> Floats | None:
    """By how much a comparison holds (negative: fails), relative to the threshold.

    None where that has no size.

    Parameters
    ----------
    op : str
        ``<``, ``<=``, ``>``, ``>=``; nothing has a distance from ``==``.
    a, b : ndarrays of float64, shape (n,), or float
    scale : ndarray, shape (n,), or float
        Size of the threshold; where it is 0, the spread of the distances stands in.

    Returns
    -------
    ndarray of float64, shape (n,), or None
    """
    if op in ("==", "!="):
        return None
    with np.errstate(all="ignore"):
        distance = np.asarray(b - a if op in ("<", "<=") else a - b, dtype=np.float64)
        if not (scale if isinstance(scale, float) else np.all(scale)):
            finite = distance[np.isfinite(distance)]
            spread = float(np.subtract(*quantile(finite, (0.75, 0.25)))) if finite.size > 3 else 0.0
            scale = np.where(np.asarray(scale) == 0, spread if spread > 0 else np.nan, scale)
        return np.asarray(distance / scale, dtype=np.float64)


def slack_of_one(op: str, a: float, b: float, scale: float) -> float | None:
    """As `slack_of` for two numbers; None where it has no size."""
    if op in ("==", "!=") or scale == 0:
        return None
    found = (b - a if op in ("<", "<=") else a - b) / scale
    return found if math.isfinite(found) else None


def tightest(op: str, a: Floats | None, mine: Any, b: Floats | None, theirs: Any) -> Floats | None:
    """Row by row the distance of the comparison that decides; one of the two, never a mixture.

    Parameters
    ----------
    op : str
        ``and`` or ``or``.
    a, b : ndarray of float64, shapes (n,) and (m,), or None
    mine, theirs : ndarrays of intp, shape (k,), or slice
        Rows of `a` and of `b` that meet.

    Returns
    -------
    ndarray of float64, shape (k,), or None
    """
    if a is None or b is None:
        only = _rows(a, mine)
        return _rows(b, theirs) if only is None else only
    return np.asarray((np.fmin if op == "and" else np.fmax)(a[mine], b[theirs]))


def _rows(values: Floats | None, which: Any) -> Floats | None:
    return None if values is None else np.asarray(values[which])


def meeting(a: Ints, b: Ints) -> tuple[Ints, NDArray[np.intp], NDArray[np.intp]] | None:
    """Common steps of two series.

    As-of join within one logging interval of the slower: its steps, each with the other's last
    value before or at it.

    Parameters
    ----------
    a, b : ndarrays of int64, shapes (n,) and (m,), non-decreasing

    Returns
    -------
    (steps, rows of a, rows of b) or None
        Each of shape (k,); None where the steps are the same already.
    """
    if a is b or (a.size == b.size and np.array_equal(a, b)):
        return None
    every_a, every_b = interval_of(a), interval_of(b)
    # Of two equally slow ones the later starter leads, so that its first row finds a partner.
    a_leads = (
        (every_a, -a.size, int(a[0])) >= (every_b, -b.size, int(b[0]))
        if a.size > 1 and b.size > 1
        else a.size <= b.size
    )
    slow, fast = (a, b) if a_leads else (b, a)
    every = max(every_a, every_b)
    row = np.searchsorted(fast, slow, side="right") - 1
    age = slow - fast[np.maximum(row, 0)]
    gaps = np.diff(slow, prepend=slow[0])
    reach = np.maximum(every, np.minimum(gaps, 4 * every))
    met = np.flatnonzero((row >= 0) & (age <= reach))
    mine, theirs = met, row[met]
    return (slow[met], mine, theirs) if a_leads else (slow[met], theirs, mine)
