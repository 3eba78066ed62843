"""The window -> a number: trends, cycles, and how two signals go together."""

from __future__ import annotations

import functools
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gandoctor.lang.functions.registry import Floats, Points, Registry, UndecidedError
from gandoctor.lang.functions.series import crosses_zero, spread_of
from gandoctor.lang.middle import distinct, median

# Kendall's tau looks at all pairs: 300 blocks keep it under a millisecond at any length.
TREND_BLOCKS: Final = 300
# Share of the window that `change` compares at either end.
ENDS: Final = 0.2
# Autocorrelation below which a repetition is taken for chance.
CYCLE_FLOOR: Final = 0.3

FUNCTIONS: Final = Registry()


@FUNCTIONS.reducer("trend(x)", "-1 to 1", least=12)
def _trend(x: Points) -> float:
    """Kendall's tau against the step: 1 rises all the way, -1 falls all the way, 0 neither.

    No matter by how much.

    Over at most 300 medians of equal stretches of steps. Ties count against a trend (tau-a, Kendall
    1938). Says nothing about size: join it with `change`.
    """
    _, values = _stretches(x, TREND_BLOCKS)
    later, earlier = values[None, :], values[:, None]
    n = values.size
    pairs = _pairs(n)
    rises = np.count_nonzero((later > earlier) & pairs)
    falls = np.count_nonzero((later < earlier) & pairs)
    return float(rises - falls) / (n * (n - 1) / 2) if n > 1 else 0.0


@functools.lru_cache(maxsize=4)
def _pairs(n: int) -> NDArray[np.bool_]:
    """Whether the second of two rows comes after the first; shape (n, n)."""
    return ~np.tri(n, dtype=np.bool_)


@FUNCTIONS.reducer("slope(x)", "units of x a step", least=12)
def _slope(x: Points) -> float:
    """Median slope (Theil 1950, Sen 1968) between at most 300 medians of equal stretches."""
    steps, values = _stretches(x, TREND_BLOCKS)
    i, j = np.triu_indices(values.size, 1)
    run = steps[j] - steps[i]
    with np.errstate(invalid="ignore"):
        rises = (values[j] - values[i])[run > 0] / run[run > 0]
    rises = rises[~np.isnan(rises)]
    if not rises.size:
        raise UndecidedError("all points have the same step")
    return float(median(rises))


@FUNCTIONS.reducer("change(x)", "times", least=5)
def _change(x: Points) -> float:
    """Relative change from the window's first fifth to its last: medians.

    0.1 is 10 % more, -0.5 half of it.

    For a signal that crosses zero, where a ratio means nothing: the difference over the window's
    IQR.
    """
    before, after = _end_medians(x, ENDS)
    difference = after - before
    scale = spread_of(x.values) if crosses_zero(x.values) else abs(before)
    if not scale > 0:
        if difference == 0:
            return 0.0
        raise UndecidedError("the first part of the window is zero, a relative change has no scale")
    return float(difference / scale)


def _end_medians(x: Points, share: float) -> tuple[float, float]:
    first, last = float(x.steps[0]), float(x.steps[-1])
    width = (last - first) * share
    # At least two rows at either end, so that one noisy row is not the whole answer.
    early = max(2, int(np.searchsorted(x.steps, first + width, side="right")))
    late = min(len(x) - 2, int(np.searchsorted(x.steps, last - width, side="left")))
    if first == last:
        early = late = len(x) // 2
    return float(median(x.values[:early])), float(median(x.values[late:]))


def _stretches(x: Points, most: int) -> tuple[Floats, Floats]:
    """Medians over at most `most` equal stretches of steps, empty ones left out.

    (mean steps, medians).
    """
    n = len(x)
    count = min(most, n)
    first, last = int(x.steps[0]), int(x.steps[-1])
    if first == last:
        return x.steps[:1].astype(np.float64), np.array([median(x.values)])
    edges = np.searchsorted(
        x.steps, first + (last - first) * np.arange(1, count) / count, side="left"
    )
    edges = distinct(np.concatenate(([0], edges, [n])))
    starts, ends = edges[:-1], edges[1:]
    lengths = ends - starts
    if (lengths == 1).all():
        return x.steps.astype(np.float64), x.values
    medians = np.empty(lengths.size)
    for length in distinct(
        lengths
    ):  # there are few: one call for all of a length, not one for each
        alike = lengths == length
        medians[alike] = median(x.values[starts[alike, None] + np.arange(length)], axis=1)
    centres = (x.steps[starts] + x.steps[ends - 1]) / 2
    return centres, medians


@FUNCTIONS.reducer("cycle(x)", "0 to 1", least=32)
def _cycle(x: Points) -> float:
    """How regularly the signal repeats: the autocorrelation at its period, 0 where there is none.

    After the straight line is taken off, over at most 1,024 equal stretches; at least three
    repetitions have to fit.
    """
    return _repetition(x)[0]


@FUNCTIONS.reducer("period(x)", "steps", least=32)
def _period(x: Points) -> float:
    """Length of the cycle that the signal repeats, in steps.

    0 where its autocorrelation stays below 0.3.
    """
    strength, period = _repetition(x)
    return period if strength >= CYCLE_FLOOR else 0.0


def _repetition(x: Points) -> tuple[float, float]:
    finite = np.isfinite(x.values)
    steps, values = x.steps[finite].astype(np.float64), x.values[finite]
    if values.size < 32 or steps[0] == steps[-1]:
        raise UndecidedError("too few finite points to see a repetition")
    count = min(1024, values.size)
    grid = np.linspace(steps[0], steps[-1], count)
    if values.size > count:
        steps, values = _stretches(Points(x.steps[finite], values), count)
    even = np.interp(grid, steps, values)
    place = np.linspace(-1, 1, count)
    even = even - even.mean() - place * (even @ place) / (place @ place)
    power = float(even @ even)
    size = float(np.abs(values).max())
    if not power > 1e-24 * max(
        1.0, size * size
    ):  # a power of Python's own would raise where this is infinite
        return 0.0, 0.0
    spectrum = np.fft.rfft(even, 2 * count)
    lags = count // 3
    correlation = np.fft.irfft(spectrum * spectrum.conj())[:lags] / power
    correlation *= count / (count - np.arange(lags))
    below = np.flatnonzero(correlation <= 0)
    if not below.size or not correlation[below[0] :].max() > 0:
        return 0.0, 0.0
    beyond = correlation[below[0] :]
    # Multiples of the period are nearly as high as itself, and noise may lift one above it: take
    # the first lobe.
    high = np.concatenate((beyond >= 0.85 * beyond.max(), [False]))
    start = int(high.argmax())
    at = int(below[0] + start + beyond[start : start + int((~high[start:]).argmax())].argmax())
    if at >= lags - 1 or correlation[at] <= 0:
        return 0.0, 0.0
    return float(min(1.0, correlation[at])), float(at * (grid[1] - grid[0]))


@FUNCTIONS.enter(
    "correlation(x, y[, lag])",
    "pair",
    "number",
    "series, series, count",
    "-1 to 1",
    least=12,
    optional=1,
)
def _correlation(x: Points, y: Points, lag: float | None = None) -> float:
    """Rank correlation (Spearman 1904) of two series in the window.

    With a lag, of x with y so many rows later.
    """
    shift = int(lag) if lag is not None else 0
    n = len(x) - shift
    if n < 12:
        raise UndecidedError(
            f"only {max(n, 0)} points overlap at a lag of {shift}, correlation() needs 12"
        )
    stride = -(-n // 50_000)
    ranks = [_ranks(v) for v in (x.values[:n][::stride], y.values[shift : shift + n][::stride])]
    a, b = (r - r.mean() for r in ranks)
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size > 0 else 0.0


def _ranks(values: Floats) -> Floats:
    _, back, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2)[back], dtype=np.float64)
