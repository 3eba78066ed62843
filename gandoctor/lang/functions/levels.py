"""The window -> a number: levels, how wide a signal scatters, how its rows lie."""

from __future__ import annotations

from typing import Final

import numpy as np

from gandoctor.lang.functions.registry import (
    Floats,
    Points,
    Registry,
    UndecidedError,
    interval_of,
    quantile_of,
)
from gandoctor.lang.middle import median

# So many equal rows in a row are more than a value that is carried along.
SAME_ROWS: Final = 8
# Decimals wider than this share of a loss hide the noise of its batches.
COARSE: Final = 0.02
# From this many decimals on, rounding is finer than anything a rule asks of a loss.
MOST_DECIMALS: Final = 5

FUNCTIONS: Final = Registry()


@FUNCTIONS.reducer("mean(x)", level=True)
def _mean(x: Points) -> float:
    """Mean over the window's steps."""
    return float(np.average(x.values, weights=x.weights))


@FUNCTIONS.reducer("median(x)", level=True)
def _median(x: Points) -> float:
    """Median over the window's steps."""
    return quantile_of(x.values, 0.5, x.weights)


@FUNCTIONS.reducer("quantile(x, q)", takes="series, number", level=True)
def _quantile(x: Points, q: float) -> float:
    """The value below which a share q (0 to 1) of the window's steps lies."""
    if not 0 <= q <= 1:
        raise UndecidedError(f"a quantile lies between 0 and 1, not at {q:g}")
    return quantile_of(x.values, q, x.weights)


@FUNCTIONS.reducer("min(x)", level=True)
def _min(x: Points) -> float:
    """Lowest value in the window."""
    return float(x.values.min())


@FUNCTIONS.reducer("max(x)", level=True)
def _max(x: Points) -> float:
    """Highest value in the window."""
    return float(x.values.max())


@FUNCTIONS.reducer("first(x)", level=True)
def _first(x: Points) -> float:
    """First value in the window."""
    return float(x.values[0])


@FUNCTIONS.reducer("last(x)", level=True)
def _last(x: Points) -> float:
    """Last value in the window."""
    return float(x.values[-1])


@FUNCTIONS.reducer("std(x)", least=4)
def _std(x: Points) -> float:
    """Standard deviation over the window's steps."""
    middle = np.average(x.values, weights=x.weights)
    return float(np.sqrt(np.average((x.values - middle) ** 2, weights=x.weights)))


@FUNCTIONS.reducer("iqr(x)", least=4)
def _iqr(x: Points) -> float:
    """Distance between the quartiles over the window's steps."""
    return quantile_of(x.values, 0.75, x.weights) - quantile_of(x.values, 0.25, x.weights)


@FUNCTIONS.reducer("spread(x)", "times", least=4)
def _spread_over_level(x: Points) -> float:
    """Distance between the quartiles over the size of the median, within the window.

    0.1 is a tenth of the level.
    """
    level = abs(_median(x))
    width = _iqr(x)
    if not level > 0:
        if width == 0:
            return 0.0
        raise UndecidedError("the median is zero, a relative spread has no scale")
    return float(width / level)


@FUNCTIONS.reducer("repeats(x)", "0 to 1", least=8)
def _repeats(x: Points) -> float:
    """Share of the window's rows that stand in a row of eight or more equal ones, bit for bit.

    A loss that is logged at every step and changes at every fifth, or one that is rounded, repeats
    itself less long.
    """
    changes = np.flatnonzero(x.values[1:] != x.values[:-1]) + 1
    if changes.size and printed_width(x.values[np.isfinite(x.values)]) > COARSE * abs(
        float(median(x.values))
    ):
        raise UndecidedError("so few decimals were printed that they may hide what changed")
    lengths = np.diff(np.concatenate(([0], changes, [len(x)])))
    return float(lengths[lengths >= SAME_ROWS].sum() / len(x))


@FUNCTIONS.reducer("sway(x)", "times", least=24)
def _sway(x: Points) -> float:
    """How many times the window's lowest values go into its highest.

    Its 95 % quantile over its 5 % quantile.

    Both are sizes, whatever the sign. Fewer than 24 rows have no such quantiles: they are the two
    most extreme rows.
    """
    size = np.abs(x.values)
    low, high = (quantile_of(size, share, x.weights) for share in (0.05, 0.95))
    if low == high:
        return 1.0
    return high / low if low > 0 else float("inf")


@FUNCTIONS.reducer("count(x)", "points")
def _count(x: Points) -> float:
    """Number of points in the window that are not NaN."""
    return float(len(x))


@FUNCTIONS.reducer("interval(x)", "steps", least=2)
def _interval(x: Points) -> float:
    """Logging interval in the window: the median gap between two points."""
    return interval_of(x.steps)


@FUNCTIONS.reducer("distinct(x)", "values")
def _distinct(x: Points) -> float:
    """Number of different values in the window."""
    ordered = np.sort(x.values)
    return float(1 + np.count_nonzero(ordered[1:] != ordered[:-1]))


@FUNCTIONS.reducer("constant(x)", "yes or no", gives="truth", least=5)
def _constant(x: Points) -> bool:
    """Whether all values in the window are the same, bit for bit."""
    bits = x.values.view(np.int64)
    return bool((bits == bits[0]).all())


@np.errstate(over="ignore", invalid="ignore")  # near the largest float nothing is rounded
def rounding_of(values: Floats) -> float:
    """Width of the decimals that were printed, 0 where they are too many to matter or unknown.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)

    Returns
    -------
    float
        A power of ten up to 1, or 0.
    """
    values = values[np.isfinite(values)]
    return 0.0 if np.count_nonzero(np.diff(values)) < 3 else printed_width(values)


def printed_width(values: Floats) -> float:
    """As `rounding_of`, however few of the values differ.

    Parameters
    ----------
    values : ndarray of float64, shape (n,), finite
    """
    for decimals in range(MOST_DECIMALS + 1):
        scaled = values * 10.0**decimals
        # What was stored as float32 is off by some 1e-7 of its size.
        if bool((np.abs(scaled - np.round(scaled)) <= 1e-9 + 1e-7 * np.abs(scaled)).all()):
            return float(10.0**-decimals)
    return 0.0
