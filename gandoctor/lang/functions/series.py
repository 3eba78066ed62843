"""Value by value, or a whole signal into another: what gives a series of the same length."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gandoctor.lang.functions.registry import Floats, Points, Registry
from gandoctor.lang.middle import median, quantile

FUNCTIONS: Final = Registry()


_EITHER = "series or number"
# Where a loss lies that is minus the logarithm of zero: PyTorch's bound and its half, minus the
# logarithms of the epsilons that frameworks add.
CUTS: Final = np.array(
    [13.81551, 15.42495, 15.94239, 16.1181, 18.42068, 23.02585, 27.63102, 50.0, 100.0]
)
_BETWEEN: Final = (CUTS[1:] + CUTS[:-1]) / 2


@FUNCTIONS.enter("abs(x)", "point", "same", _EITHER, "as x")
def _abs(x: Floats) -> Floats:
    """Distance from zero."""
    return np.abs(x)


@FUNCTIONS.enter("log(x)", "point", "same", _EITHER, "nats")
def _log(x: Floats) -> Floats:
    """Natural logarithm; unknown where x is not above zero."""
    return np.log(np.where(np.asarray(x) > 0, x, np.nan))


@FUNCTIONS.enter("sqrt(x)", "point", "same", _EITHER, "root of x")
def _sqrt(x: Floats) -> Floats:
    """Square root; unknown where x is negative."""
    return np.sqrt(np.where(np.asarray(x) >= 0, x, np.nan))


@FUNCTIONS.enter("maximum(x, y, ...)", "point", "same", _EITHER, "as x", many=2)
def _maximum(*x: Floats) -> Floats:
    """The largest of several, step by step."""
    return _folded(np.maximum, x)


@FUNCTIONS.enter("minimum(x, y, ...)", "point", "same", _EITHER, "as x", many=2)
def _minimum(*x: Floats) -> Floats:
    """The smallest of several, step by step."""
    return _folded(np.minimum, x)


def _folded(join: Callable[[Floats, Floats], Floats], x: tuple[Floats, ...]) -> Floats:
    out = x[0]
    for other in x[1:]:
        out = join(out, other)
    return out


@FUNCTIONS.enter("ratio(x, y)", "point", "same", f"{_EITHER}, {_EITHER}", "times")
def _ratio(x: Floats, y: Floats) -> Floats:
    """Quotient x / y; unknown where y is zero."""
    return np.asarray(x / np.where(np.asarray(y) == 0, np.nan, y))


@FUNCTIONS.enter("from_cut(x)", "point", "same", _EITHER, "share")
def _from_cut(x: Floats) -> Floats:
    """How far x is, relatively, from the nearest loss at which the logarithm of zero is cut.

    100 and 50 (PyTorch), and minus the logarithms of usual epsilons: 27.63, 23.03, 18.42, 16.12 ...
    """
    return np.asarray(np.abs(x / CUTS[np.searchsorted(_BETWEEN, x)] - 1))


@FUNCTIONS.enter("isnan(x)", "point", "test", _EITHER, "yes or no")
def _isnan(x: Floats) -> NDArray[np.bool_]:
    """Whether a value is NaN; the one test that NaN does not make unknown."""
    return np.isnan(x)


@FUNCTIONS.enter("isinf(x)", "point", "test", _EITHER, "yes or no")
def _isinf(x: Floats) -> NDArray[np.bool_]:
    """Whether a value is infinite, of either sign."""
    return np.isinf(x)


@FUNCTIONS.enter("isfinite(x)", "point", "test", _EITHER, "yes or no")
def _isfinite(x: Floats) -> NDArray[np.bool_]:
    """Whether a value is neither NaN nor infinite."""
    return np.isfinite(x)


@FUNCTIONS.enter("smooth(x[, n])", "series", "series", "series, count", "as x", optional=1, least=3)
def _smooth(x: Points, n: float | None = None) -> Floats:
    """Moving median over n rows around each row.

    Without n, over a twentieth of the signal's rows (3 at least).

    A median, so that one spike leaves no trace. Rows that are NaN stay NaN. Beyond 24 rows it is
    taken over medians of short blocks, which costs the same at any width.
    """
    known = ~np.isnan(x.values)
    values = x.values[known]
    width = int(n) if n is not None else max(3, values.size // 20)
    out = np.full(x.values.shape, np.nan)
    out[known] = _moving_median(values, width)
    return out


def _moving_median(values: Floats, width: int) -> Floats:
    n = values.size
    width = min(width | 1, n if n % 2 else n - 1)
    if width <= 1:
        return values.copy()
    block = width // 12
    if block >= 2:
        whole = n // block * block
        blocks = median(values[:whole].reshape(-1, block), axis=1)
        centres = np.arange(blocks.size) * block + (block - 1) / 2
        if whole < n:
            blocks = np.append(blocks, median(values[whole:]))
            centres = np.append(centres, (whole + n - 1) / 2)
        coarse = _moving_median(blocks, min(23, width // block))
        if np.isfinite(coarse).all():
            return np.asarray(np.interp(np.arange(n), centres, coarse), dtype=np.float64)
        return (
            np.repeat(coarse, block)[:n]
            if whole == n
            else np.append(np.repeat(coarse[:-1], block), np.full(n - whole, coarse[-1]))
        )
    half = width // 2
    rows = np.lib.stride_tricks.sliding_window_view(values, width)
    # The outermost rows share the outermost window: rows mirrored at the edge would count a wild
    # one twice.
    return np.pad(np.partition(rows, half, axis=1)[:, half], half, mode="edge")


@FUNCTIONS.enter("best(x)", "series", "series", "series", "as x")
def _best(x: Points) -> Floats:
    """The best value so far, from the start of the run.

    The lowest, unless the role says that higher is better.

    One lucky row counts: on a noisy signal write ``best(smooth(x))``. Infinities and NaN are no
    best.
    """
    finite = np.isfinite(x.values)
    sign = -1.0 if x.higher else 1.0
    out = np.minimum.accumulate(np.where(finite, sign * x.values, np.inf))
    return np.where(np.isfinite(out), sign * out, np.nan)


@FUNCTIONS.enter("delta(x)", "series", "series", "series", "as x", least=2)
def _delta(x: Points) -> Floats:
    """Difference from the row before; the first row is unknown."""
    with np.errstate(invalid="ignore"):
        return np.diff(x.values, prepend=np.nan)


@FUNCTIONS.enter("jump(x)", "series", "series", "series", "times", least=2)
def _jump(x: Points) -> Floats:
    """How many times larger a value is than its neighbour before, or smaller.

    2 is doubled or halved.

    For a signal that crosses zero, where a ratio means nothing: 1 plus the difference over the
    signal's IQR.
    """
    before = np.concatenate(([np.nan], x.values[:-1]))
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        if crosses_zero(x.values):
            return np.asarray(1 + np.abs(x.values - before) / spread_of(x.values))
        now, then = np.abs(x.values), np.abs(before)
        return np.asarray(np.maximum(now, then) / np.minimum(now, then))


@FUNCTIONS.enter("finite_ahead(x)", "series", "series", "series", "share of the rows", least=0)
def _finite_ahead(x: Points) -> Floats:
    """Share of the rows from this one to the end of the run that are finite.

    0 once a signal is lost for good.
    """
    finite = np.isfinite(x.values)
    left = np.arange(finite.size, 0, -1)
    return np.asarray(np.cumsum(finite[::-1])[::-1] / left, dtype=np.float64)


@FUNCTIONS.enter("swing(x[, n])", "series", "series", "series, count", "times", optional=1, least=3)
def _swing(x: Points, n: float | None = None) -> Floats:
    """Largest over smallest value in the n rows around each row (20 without n).

    2 is a swing by a factor of two.

    For a signal that crosses zero, where a ratio means nothing: range in those rows over twice the
    signal's IQR, which plain noise keeps between 1 and 2.
    """
    width = min(int(n) if n is not None else 20, x.values.size)
    # An infinite value would make every ratio around it infinite, and says nothing about swinging.
    values = np.where(np.isfinite(x.values), x.values, np.nan)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        if crosses_zero(values):
            out = (_moving_max(values, width) + _moving_max(-values, width)) / (
                2 * spread_of(values)
            )
        else:
            size = np.abs(values)
            out = _moving_max(size, width) / -_moving_max(-size, width)
    return np.where(np.isnan(x.values), np.nan, out)


def crosses_zero(values: Floats) -> bool:
    """Whether a signal lies on both sides of zero for more than a few rows (at least 5 %).

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        What is not finite is passed over.
    """
    known = values[np.isfinite(values)]
    return bool(known.size and np.minimum((known > 0).mean(), (known < 0).mean()) >= 0.05)


def spread_of(values: Floats) -> float:
    """The middle half's width of the finite values; NaN where it is none.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
    """
    known = values[np.isfinite(values)]
    low, high = quantile(known, (0.25, 0.75)) if known.size else (np.nan, np.nan)
    return float(high - low) if high > low else float("nan")


def _moving_max(values: Floats, width: int) -> Floats:
    """Maximum over `width` rows around each row, NaN passed over.

    O(n) (van Herk 1992, Gil and Werman 1993).
    """
    n = values.size
    before = (width - 1) // 2
    padded = np.concatenate((np.full(before, np.nan), values, np.full(width - 1 - before, np.nan)))
    blocks = -(-padded.size // width)
    grid = np.concatenate((padded, np.full(blocks * width - padded.size, np.nan))).reshape(
        blocks, width
    )
    from_left = np.fmax.accumulate(grid, axis=1).ravel()
    from_right = np.fmax.accumulate(grid[:, ::-1], axis=1)[:, ::-1].ravel()
    return np.fmax(from_right[:n], from_left[width - 1 : width - 1 + n])
