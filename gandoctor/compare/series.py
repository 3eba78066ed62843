"""What the series of a report come to: their end, their best, how much they move."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.lang.middle import median

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gandoctor.model.report import Report, SignalNote

    Array = NDArray[np.float64]

SMOOTHED_FROM: Final = 100  # points; fewer are evaluations, each of which counts


def values_of(report: Report, s: SignalNote | None) -> Array:
    """The values of a signal, shape (n,): NaN where they were not finite; none without a series."""
    series = report.series.get(s.tag) if s is not None else None
    # None becomes NaN.
    return np.array(series.values if series is not None else (), dtype=np.float64)


def end_of(report: Report, s: SignalNote | None) -> float | None:
    """Median of the last tenth of the points; None where the very last is not finite."""
    values = values_of(report, s)
    if not len(values):
        return s.last if s is not None else None
    tail = values[-max(1, math.ceil(len(values) / 10)) :]
    return float(median(tail[np.isfinite(tail)])) if np.isfinite(tail[-1]) else None


def extreme(values: Array, sign: int) -> float | None:
    """The best of them, smoothed: the largest for sign 1, the smallest for -1."""
    finite = values[np.isfinite(values)]
    return float(sign * (sign * smooth(finite)).max()) if len(finite) else None


def smooth(values: Array) -> Array:
    """Running median over a fiftieth of the points where there are many.

    Few are evaluations, and stay.
    """
    if len(values) < SMOOTHED_FROM:
        return values
    half = max(1, len(values) // 100)
    padded = np.pad(values, half, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1)
    return np.asarray(median(windows, axis=1), dtype=np.float64)


def unrest(values: Array) -> float:
    """The usual step from one value to the next in the later half; 0 for fewer than three."""
    late = values[np.isfinite(values)][len(values) // 2 :]
    return float(median(np.abs(np.diff(late)))) if len(late) >= 3 else 0.0
