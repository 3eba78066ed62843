"""Every function a rule may call, each with what it does, its unit and how many points it needs.

Five ways to work, named in `Function.how`:

``point``   value by value, on series and numbers alike (``abs``, ``log``)
``series``  the whole signal -> a series of the same length, cut to the window afterwards
(``smooth``, ``best``) ``reduce``  the part of the signal inside the window -> one number or truth
(``median``, ``trend``) ``whole``   the whole signal, whatever the window -> one number (``early``,
``since_best``) ``ask``     about a name, not about its values (``logged``, ``fired``)

``pair`` is ``reduce`` for two series on common steps. An unforeseen condition is one more function
here, no more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from gandoctor.lang.middle import median
from gandoctor.lang.regimes import changes
from gandoctor.values import dataclass

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# Kendall's tau looks at all pairs: 300 blocks keep it under a millisecond at any length.
TREND_BLOCKS: Final = 300
# Share of the run that its "early" and "late" medians are taken over.
EARLY: Final = 0.1
# Share of the window that `change` compares at either end.
ENDS: Final = 0.2
# Autocorrelation below which a repetition is taken for chance.
CYCLE_FLOOR: Final = 0.3
# So many equal rows in a row are more than a value that is carried along.
SAME_ROWS: Final = 8
# Decimals wider than this share of a loss hide the noise of its batches.
COARSE: Final = 0.02
# From this many decimals on, rounding is finer than anything a rule asks of a loss.
MOST_DECIMALS: Final = 5


class UndecidedError(Exception):
    """Raised by a function that cannot tell.

    Its message is the reason, a sentence without a full stop.
    """


class Points:
    """The rows of one series that a function is given.

    Parameters
    ----------
    steps : ndarray of int64, shape (n,)
        Non-decreasing.
    values : ndarray of float64, shape (n,)
    higher : bool
        Whether the largest value is the best.
    """

    __slots__ = ("_weights", "higher", "steps", "values")

    def __init__(self, steps: Ints, values: Floats, *, higher: bool = False) -> None:
        self.steps = steps
        self.values = values
        self.higher = higher
        self._weights: Floats | Literal[False] | None = False

    def __len__(self) -> int:
        return int(self.values.shape[0])

    @property
    def weights(self) -> Floats | None:
        """Steps that each row stands for, shape (n,); None where all stand for the same."""
        if self._weights is False:
            self._weights = None if evenly_spaced(self.steps) else cells(self.steps)
        return self._weights

    def known(self) -> Points:
        """The rows that are not NaN."""
        good = ~np.isnan(self.values)
        if good.all():
            return self
        return Points(self.steps[good], self.values[good], higher=self.higher)


@dataclass(frozen=True, slots=True)
class Function:
    """A function of the language.

    Attributes
    ----------
    name, usage, doc, unit : str
        `usage` is the call with its arguments, optional ones in brackets; `unit` is that of the
        result.
    takes : tuple of str
        What each argument is: ``series``, ``number``, ``series or number``, ``count`` (a plain
        whole number), ``any name``, ``setting``, ``flag``.
    gives : str
        ``series``, ``number``, ``truth``; ``same``: a series if an argument is one, else a number;
        ``test``: likewise a mask or a truth.
    how : str
        ``point``, ``series``, ``reduce``, ``pair``, ``whole`` or ``ask``; see the module.
    call : callable or None
        The work; None for ``ask``.
    least : int
        Points (NaN not counted) that it needs.
    optional : int
        How many arguments at the end may be left out.
    many : int
        Least number of arguments where the last kind may repeat; else 0.
    level : bool
        Whether the result is a level of its series, in the series' own unit (``median``, not
        ``std``).
    """

    name: str
    usage: str
    doc: str
    unit: str
    takes: tuple[str, ...]
    gives: Literal["series", "mask", "number", "truth", "same", "test"]
    how: Literal["point", "series", "reduce", "pair", "whole", "ask"]
    call: Callable[..., Any] | None = None
    least: int = 1
    optional: int = 0
    many: int = 0
    level: bool = False


FUNCTIONS: Final[dict[str, Function]] = {}


def _function(
    usage: str, how: Any, gives: Any, takes: str, unit: str, **more: Any
) -> Callable[[Any], Any]:
    """Enter a function into the registry; the first paragraph of its docstring is its doc."""
    name = usage.partition("(")[0]

    def enter(call: Any) -> Any:
        doc = " ".join((call.__doc__ or "").partition("Parameters\n")[0].split())
        kinds = tuple(k.strip() for k in takes.split(","))
        FUNCTIONS[name] = Function(
            name, usage, doc, unit, kinds, gives, how, None if how == "ask" else call, **more
        )
        return call

    return enter


# ---------------------------------------------------------------- steps


def evenly_spaced(steps: Ints) -> bool:
    """Whether all rows stand for about the same number of steps."""
    if steps.size < 3 or steps[0] == steps[-1]:
        return True
    gaps = np.diff(steps)
    return bool(gaps.max() <= 1.5 * gaps.min())


def cells(steps: Ints, first: float | None = None, last: float | None = None) -> Floats:
    """Steps that each row stands for: those nearer to it than to any other row.

    Rows that share a step share its steps; an outer row reaches as far outwards as half its gap
    inwards.

    Parameters
    ----------
    steps : ndarray of int64, shape (n,)
        Non-decreasing.
    first, last : float, optional
        Nothing outside them counts.

    Returns
    -------
    ndarray of float64, shape (n,)
        All 1 where every row has the same step.
    """
    n = steps.size
    if n == 0 or steps[0] == steps[-1]:
        return np.ones(n)
    gaps = np.diff(steps)
    if gaps.min() == gaps.max():
        return _equal_cells(steps, float(gaps[0]), first, last)
    places = steps.astype(np.float64)
    gaps = np.diff(places)
    repeated = bool((gaps == 0).any())
    if repeated:
        places, back, counts = np.unique(places, return_inverse=True, return_counts=True)
        gaps = np.diff(places)
    middles = places[:-1] + gaps / 2
    left = np.concatenate(([places[0] - gaps[0] / 2], middles))
    right = np.concatenate((middles, [places[-1] + gaps[-1] / 2]))
    if first is not None:
        np.maximum(left, first, out=left)
    if last is not None:
        np.minimum(right, last, out=right)
    width = np.maximum(right - left, 0.0)
    return np.asarray((width / counts)[back]) if repeated else width


def _equal_cells(steps: Ints, gap: float, first: float | None, last: float | None) -> Floats:
    """As `cells` for one gap throughout, which most logs have."""
    width = np.full(steps.size, gap)
    reach = gap / 2
    low = int(np.searchsorted(steps, first + reach)) if first is not None else 0
    high = (
        int(np.searchsorted(steps, last - reach, side="right")) if last is not None else steps.size
    )
    for part in (slice(0, low), slice(high, steps.size)):
        left, right = steps[part] - reach, steps[part] + reach
        left = np.maximum(left, first) if first is not None else left
        right = np.minimum(right, last) if last is not None else right
        width[part] = np.maximum(right - left, 0.0)
    return width


def interval_of(steps: Ints) -> float:
    """Logging interval: median gap between different steps; 0 where there is only one."""
    if steps.size < 2:
        return 0.0
    gaps = np.diff(steps)
    if gaps.min() == gaps.max():
        return float(gaps[0])
    gaps = gaps[gaps > 0]
    return float(median(gaps)) if gaps.size else 0.0


def quantile_of(values: Floats, share: float, weights: Floats | None = None) -> float:
    """Quantile of values without NaN, each counted as often as its weight.

    NaN where there is none.
    """
    if values.size == 0:
        return float("nan")
    with np.errstate(invalid="ignore"):
        if weights is None:
            if share == 0.5:
                return float(median(values))
            found = float(np.quantile(values, share))
            return (
                found
                if not np.isnan(found)
                else float(np.quantile(values, share, method="nearest"))
            )
        order = np.argsort(values, kind="stable")
        ordered, reached = values[order], np.cumsum(weights[order])
        if not reached[-1] > 0:
            return quantile_of(values, share)
        # The value at which the share is reached; between two where it is reached exactly.
        least, slip = share * reached[-1], 1e-9 * reached[-1]
        at = min(int(np.searchsorted(reached, least - slip)), ordered.size - 1)
        then = min(int(np.searchsorted(reached, least + slip)), ordered.size - 1)
        if at == then or share in (0, 1):
            return float(ordered[at])
        middle = (ordered[at] + ordered[then]) / 2
        return float(middle if not np.isnan(middle) else ordered[at])


# ---------------------------------------------------------------- value by value

_EITHER = "series or number"


@_function("abs(x)", "point", "same", _EITHER, "as x")
def _abs(x: Floats) -> Floats:
    """Distance from zero."""
    return np.abs(x)


@_function("log(x)", "point", "same", _EITHER, "nats")
def _log(x: Floats) -> Floats:
    """Natural logarithm; unknown where x is not above zero."""
    return np.log(np.where(np.asarray(x) > 0, x, np.nan))


@_function("sqrt(x)", "point", "same", _EITHER, "root of x")
def _sqrt(x: Floats) -> Floats:
    """Square root; unknown where x is negative."""
    return np.sqrt(np.where(np.asarray(x) >= 0, x, np.nan))


@_function("maximum(x, y, ...)", "point", "same", _EITHER, "as x", many=2)
def _maximum(*x: Floats) -> Floats:
    """The largest of several, step by step."""
    return _folded(np.maximum, x)


@_function("minimum(x, y, ...)", "point", "same", _EITHER, "as x", many=2)
def _minimum(*x: Floats) -> Floats:
    """The smallest of several, step by step."""
    return _folded(np.minimum, x)


def _folded(join: Callable[[Floats, Floats], Floats], x: tuple[Floats, ...]) -> Floats:
    out = x[0]
    for other in x[1:]:
        out = join(out, other)
    return out


@_function("ratio(x, y)", "point", "same", f"{_EITHER}, {_EITHER}", "times")
def _ratio(x: Floats, y: Floats) -> Floats:
    """Quotient x / y; unknown where y is zero."""
    return np.asarray(x / np.where(np.asarray(y) == 0, np.nan, y))


@_function("isnan(x)", "point", "test", _EITHER, "yes or no")
def _isnan(x: Floats) -> NDArray[np.bool_]:
    """Whether a value is NaN; the one test that NaN does not make unknown."""
    return np.isnan(x)


@_function("isinf(x)", "point", "test", _EITHER, "yes or no")
def _isinf(x: Floats) -> NDArray[np.bool_]:
    """Whether a value is infinite, of either sign."""
    return np.isinf(x)


@_function("isfinite(x)", "point", "test", _EITHER, "yes or no")
def _isfinite(x: Floats) -> NDArray[np.bool_]:
    """Whether a value is neither NaN nor infinite."""
    return np.isfinite(x)


# ---------------------------------------------------------------- the whole signal -> a series


@_function("smooth(x[, n])", "series", "series", "series, count", "as x", optional=1, least=3)
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


@_function("best(x)", "series", "series", "series", "as x")
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


@_function("delta(x)", "series", "series", "series", "as x", least=2)
def _delta(x: Points) -> Floats:
    """Difference from the row before; the first row is unknown."""
    with np.errstate(invalid="ignore"):
        return np.diff(x.values, prepend=np.nan)


@_function("jump(x)", "series", "series", "series", "times", least=2)
def _jump(x: Points) -> Floats:
    """How many times larger a value is than its neighbour before, or smaller.

    2 is doubled or halved.

    For a signal that crosses zero, where a ratio means nothing: 1 plus the difference over the
    signal's IQR.
    """
    before = np.concatenate(([np.nan], x.values[:-1]))
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        if crosses_zero(x.values):
            return np.asarray(1 + np.abs(x.values - before) / _spread(x.values))
        now, then = np.abs(x.values), np.abs(before)
        return np.asarray(np.maximum(now, then) / np.minimum(now, then))


@_function("finite_ahead(x)", "series", "series", "series", "share of the rows")
def _finite_ahead(x: Points) -> Floats:
    """Share of the rows from this one to the end of the run that are finite.

    0 once a signal is lost for good.
    """
    finite = np.isfinite(x.values)
    left = np.arange(finite.size, 0, -1)
    return np.asarray(np.cumsum(finite[::-1])[::-1] / left, dtype=np.float64)


@_function("swing(x[, n])", "series", "series", "series, count", "times", optional=1, least=3)
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
            out = (_moving_max(values, width) + _moving_max(-values, width)) / (2 * _spread(values))
        else:
            size = np.abs(values)
            out = _moving_max(size, width) / -_moving_max(-size, width)
    return np.where(np.isnan(x.values), np.nan, out)


def crosses_zero(values: Floats) -> bool:
    """Whether a signal lies on both sides of zero for more than a few rows (at least 5 %)."""
    known = values[np.isfinite(values)]
    return bool(known.size and np.minimum((known > 0).mean(), (known < 0).mean()) >= 0.05)


def _spread(values: Floats) -> float:
    known = values[np.isfinite(values)]
    low, high = np.quantile(known, (0.25, 0.75)) if known.size else (np.nan, np.nan)
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


# ---------------------------------------------------------------- the window -> a number


def _reducer(usage: str, unit: str = "as x", **more: Any) -> Callable[[Any], Any]:
    takes = more.pop("takes", "series")
    return _function(usage, "reduce", more.pop("gives", "number"), takes, unit, **more)


@_reducer("mean(x)", level=True)
def _mean(x: Points) -> float:
    """Mean over the window's steps."""
    return float(np.average(x.values, weights=x.weights))


@_reducer("median(x)", level=True)
def _median(x: Points) -> float:
    """Median over the window's steps."""
    return quantile_of(x.values, 0.5, x.weights)


@_reducer("quantile(x, q)", takes="series, number", level=True)
def _quantile(x: Points, q: float) -> float:
    """The value below which a share q (0 to 1) of the window's steps lies."""
    if not 0 <= q <= 1:
        raise UndecidedError(f"a quantile lies between 0 and 1, not at {q:g}")
    return quantile_of(x.values, q, x.weights)


@_reducer("min(x)", level=True)
def _min(x: Points) -> float:
    """Lowest value in the window."""
    return float(x.values.min())


@_reducer("max(x)", level=True)
def _max(x: Points) -> float:
    """Highest value in the window."""
    return float(x.values.max())


@_reducer("first(x)", level=True)
def _first(x: Points) -> float:
    """First value in the window."""
    return float(x.values[0])


@_reducer("last(x)", level=True)
def _last(x: Points) -> float:
    """Last value in the window."""
    return float(x.values[-1])


@_reducer("std(x)", least=4)
def _std(x: Points) -> float:
    """Standard deviation over the window's steps."""
    middle = np.average(x.values, weights=x.weights)
    return float(np.sqrt(np.average((x.values - middle) ** 2, weights=x.weights)))


@_reducer("iqr(x)", least=4)
def _iqr(x: Points) -> float:
    """Distance between the quartiles over the window's steps."""
    return quantile_of(x.values, 0.75, x.weights) - quantile_of(x.values, 0.25, x.weights)


@_reducer("spread(x)", "times", least=4)
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


@_reducer("repeats(x)", "0 to 1", least=8)
def _repeats(x: Points) -> float:
    """Share of the window's rows that stand in a row of eight or more equal ones, bit for bit.

    A loss that is logged at every step and changes at every fifth, or one that is rounded, repeats
    itself less long.
    """
    changes = np.flatnonzero(x.values[1:] != x.values[:-1]) + 1
    if changes.size and _printed_width(x.values[np.isfinite(x.values)]) > COARSE * abs(
        float(np.median(x.values))
    ):
        raise UndecidedError("so few decimals were printed that they may hide what changed")
    lengths = np.diff(np.concatenate(([0], changes, [len(x)])))
    return float(lengths[lengths >= SAME_ROWS].sum() / len(x))


@_reducer("sway(x)", "times", least=24)
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


@_reducer("count(x)", "points")
def _count(x: Points) -> float:
    """Number of points in the window that are not NaN."""
    return float(len(x))


@_reducer("interval(x)", "steps", least=2)
def _interval(x: Points) -> float:
    """Logging interval in the window: the median gap between two points."""
    return interval_of(x.steps)


@_reducer("distinct(x)", "values")
def _distinct(x: Points) -> float:
    """Number of different values in the window."""
    ordered = np.sort(x.values)
    return float(1 + np.count_nonzero(ordered[1:] != ordered[:-1]))


@_reducer("constant(x)", "yes or no", gives="truth", least=5)
def _constant(x: Points) -> bool:
    """Whether all values in the window are the same, bit for bit."""
    bits = x.values.view(np.int64)
    return bool((bits == bits[0]).all())


@_reducer("trend(x)", "-1 to 1", least=12)
def _trend(x: Points) -> float:
    """Kendall's tau against the step: 1 rises all the way, -1 falls all the way, 0 neither.

    No matter by how much.

    Over at most 300 medians of equal stretches of steps. Ties count against a trend (tau-a, Kendall
    1938). Says nothing about size: join it with `change`.
    """
    _, values = _stretches(x, TREND_BLOCKS)
    later, earlier = values[None, :], values[:, None]
    pairs = np.triu((later > earlier).astype(np.int8) - (later < earlier).astype(np.int8), 1)
    n = values.size
    return float(pairs.sum(dtype=np.int64)) / (n * (n - 1) / 2) if n > 1 else 0.0


@_reducer("slope(x)", "units of x a step", least=12)
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


@_reducer("change(x)", "times", least=5)
def _change(x: Points) -> float:
    """Relative change from the window's first fifth to its last: medians.

    0.1 is 10 % more, -0.5 half of it.

    For a signal that crosses zero, where a ratio means nothing: the difference over the window's
    IQR.
    """
    before, after = _end_medians(x, ENDS)
    difference = after - before
    scale = _spread(x.values) if crosses_zero(x.values) else abs(before)
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
    edges = np.unique(np.concatenate(([0], edges, [n])))
    starts, ends = edges[:-1], edges[1:]
    lengths = ends - starts
    if (lengths == 1).all():
        return x.steps.astype(np.float64), x.values
    medians = np.empty(lengths.size)
    for length in np.unique(
        lengths
    ):  # there are few: one call for all of a length, not one for each
        alike = lengths == length
        medians[alike] = median(x.values[starts[alike, None] + np.arange(length)], axis=1)
    centres = (x.steps[starts] + x.steps[ends - 1]) / 2
    return centres, medians


@_reducer("cycle(x)", "0 to 1", least=32)
def _cycle(x: Points) -> float:
    """How regularly the signal repeats: the autocorrelation at its period, 0 where there is none.

    After the straight line is taken off, over at most 1,024 equal stretches; at least three
    repetitions have to fit.
    """
    return _repetition(x)[0]


@_reducer("period(x)", "steps", least=32)
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


@_function(
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


# ---------------------------------------------------------------- the whole run -> a number


def _of_run(usage: str, unit: str = "as x", **more: Any) -> Callable[[Any], Any]:
    return _function(usage, "whole", "number", "series", unit, **more)


@_of_run("early(x)", least=10)
def _early(x: Points, first: float, last: float) -> float:
    """The run's own early level.

    The median over its first tenth (3 points at least), whatever the window.
    """
    rows = max(3, int(np.searchsorted(x.steps, first + EARLY * (last - first), side="right")))
    return float(median(x.values[:rows]))


@_of_run("late(x)", least=10)
def _late(x: Points, first: float, last: float) -> float:
    """The run's own late level.

    The median over its last tenth (3 points at least), whatever the window.
    """
    rows = len(x) - int(np.searchsorted(x.steps, last - EARLY * (last - first), side="left"))
    return float(median(x.values[-max(3, rows) :]))


@_of_run("grain(x)", least=5)
def _grain(x: Points, first: float, last: float) -> float:
    """Width of the rounding in the log.

    0.1 where one decimal was printed, 0 where there are six or more, or none.

    Read off the values of the whole run. Where hardly any row differs from the one before, nothing
    was seen to be rounded, and the answer is 0.
    """
    return rounding_of(x.values)


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
    return 0.0 if np.count_nonzero(np.diff(values)) < 3 else _printed_width(values)


def _printed_width(values: Floats) -> float:
    """As `rounding_of`, however few of the values differ."""
    for decimals in range(MOST_DECIMALS + 1):
        scaled = values * 10.0**decimals
        # What was stored as float32 is off by some 1e-7 of its size.
        if bool((np.abs(scaled - np.round(scaled)) <= 1e-9 + 1e-7 * np.abs(scaled)).all()):
            return float(10.0**-decimals)
    return 0.0


@_of_run("argbest_step(x)", "steps")
def _argbest_step(x: Points, first: float, last: float) -> float:
    """The step at which the run's best value stands, the first one where several are equal."""
    return float(best_step(x))


@_of_run("since_best(x)", "share of the run")
def _since_best(x: Points, first: float, last: float) -> float:
    """Share of the run that was spent after the best value of x."""
    return max(0.0, last - best_step(x)) / (last - first) if last > first else 0.0


@_of_run("since_regime(x)", "share of the run", least=40)
def _since_regime(x: Points, first: float, last: float) -> float:
    """Share of the run that the last regime of x fills.

    From where its level or its width changed for good.

    1 where it is of one piece.
    """
    return (last - max(first, regime_step(x))) / (last - first) if last > first else 1.0


def regime_step(x: Points) -> float:
    """Step at which the last regime of a signal begins; minus infinity where it is of one piece."""
    finite = np.isfinite(x.values)
    found = changes(x.values[finite])
    return float(x.steps[finite][found[-1]]) if found else -np.inf


def best_step(x: Points) -> int:
    """Step of the best finite value, the first of equal ones.

    Raises
    ------
    UndecidedError
        Where no value is finite.
    """
    finite = np.isfinite(x.values)
    if not finite.any():
        raise UndecidedError("no value is finite, so none is the best")
    sign = -1.0 if x.higher else 1.0
    return int(x.steps[np.where(finite, sign * x.values, np.inf).argmin()])


# ---------------------------------------------------------------- about names


@_function("logged(name)", "ask", "truth", "any name", "yes or no")
def _logged() -> None:
    """Whether a signal was logged, or a setting or fact is known.

    The one function that answers about absence.
    """


@_function("is_text(name)", "ask", "truth", "setting", "yes or no")
def _is_text() -> None:
    """Whether a setting that should be a number was read as text (``5e-5`` in YAML)."""


@_function("fired(name)", "ask", "truth", "flag", "yes or no")
def _fired() -> None:
    """Whether a symptom was found, or a rule fired; write its dashes as underscores."""
