"""What a function is given (`Points`), what is known of it (`Function`), and how it is entered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gandoctor.lang.middle import median, quantile
from gandoctor.values import dataclass

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
_Entry = Callable[[Any], Any]


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

    __slots__ = ("_count", "_weights", "higher", "steps", "values")

    def __init__(self, steps: Ints, values: Floats, *, higher: bool = False) -> None:
        self.steps = steps
        self.values = values
        self.higher = higher
        self._weights: Floats | Literal[False] | None = False
        self._count = -1

    def __len__(self) -> int:
        return int(self.values.shape[0])

    @property
    def weights(self) -> Floats | None:
        """Steps that each row stands for, shape (n,); None where all stand for the same."""
        if self._weights is False:
            self._weights = None if evenly_spaced(self.steps) else cells(self.steps)
        return self._weights

    @property
    def count(self) -> int:
        """How many rows are not NaN."""
        if self._count < 0:
            self._count = self.values.size - int(np.count_nonzero(np.isnan(self.values)))
        return self._count

    def known(self) -> Points:
        """The rows that are not NaN."""
        if self.count == self.values.size:
            return self
        good = ~np.isnan(self.values)
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


class Registry(dict[str, Function]):
    """Functions by their names, in the order in which they are entered."""

    def enter(self, usage: str, how: Any, gives: Any, takes: str, unit: str, **more: Any) -> _Entry:
        """Enter a function; the first paragraph of its docstring is its doc."""
        name = usage.partition("(")[0]

        def entered(call: Any) -> Any:
            doc = " ".join((call.__doc__ or "").partition("Parameters\n")[0].split())
            kinds = tuple(k.strip() for k in takes.split(","))
            self[name] = Function(
                name, usage, doc, unit, kinds, gives, how, None if how == "ask" else call, **more
            )
            return call

        return entered

    def reducer(self, usage: str, unit: str = "as x", **more: Any) -> _Entry:
        """Enter a function of the part of a signal inside the window."""
        takes = more.pop("takes", "series")
        return self.enter(usage, "reduce", more.pop("gives", "number"), takes, unit, **more)

    def of_run(self, usage: str, unit: str = "as x", **more: Any) -> _Entry:
        """Enter a function of the whole signal, whatever the window."""
        return self.enter(usage, "whole", "number", "series", unit, **more)


def evenly_spaced(steps: Ints) -> bool:
    """Whether all rows stand for about the same number of steps.

    Parameters
    ----------
    steps : ndarray of int64, shape (n,), non-decreasing
    """
    if steps.size < 3 or steps[0] == steps[-1]:
        return True
    gaps = steps[1:] - steps[:-1]
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
    whole = steps[1:] - steps[:-1]
    if whole.min() == whole.max():
        return _equal_cells(steps, float(whole[0]), first, last)
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
    low = int(steps.searchsorted(first + reach)) if first is not None else 0
    high = int(steps.searchsorted(last - reach, side="right")) if last is not None else steps.size
    for part in (slice(0, low), slice(high, steps.size)):
        left, right = steps[part] - reach, steps[part] + reach
        left = np.maximum(left, first) if first is not None else left
        right = np.minimum(right, last) if last is not None else right
        width[part] = np.maximum(right - left, 0.0)
    return width


def interval_of(steps: Ints) -> float:
    """Logging interval: median gap between different steps; 0 where there is only one.

    Parameters
    ----------
    steps : ndarray of int64, shape (n,), non-decreasing
    """
    if steps.size < 2:
        return 0.0
    gaps = steps[1:] - steps[:-1]
    if gaps.min() == gaps.max():
        return float(gaps[0])
    gaps = gaps[gaps > 0]
    return float(median(gaps)) if gaps.size else 0.0


def quantile_of(values: Floats, share: float, weights: Floats | None = None) -> float:
    """Quantile of values without NaN, each counted as often as its weight.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
    share : float
        0 to 1.
    weights : ndarray of float64, shape (n,), optional
        At least 0.

    Returns
    -------
    float
        NaN where there is no value.
    """
    if values.size == 0:
        return float("nan")
    with np.errstate(invalid="ignore"):
        if weights is None:
            if share == 0.5:
                return float(median(values))
            found = float(quantile(values, share))
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
