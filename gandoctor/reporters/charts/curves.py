"""What a figure is made of, and curves thinned so that they look the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from gandoctor.lang.middle import distinct, median
from gandoctor.reporters.charts.scales import LARGEST, SMALLEST
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gandoctor.model.report import Series

    Array = NDArray[np.float64]

COLUMNS: Final = 280  # a curve keeps its extremes in each of these
MOST_LINES: Final = 4


def thin(
    steps: NDArray[np.int64], values: Array, most: int = 2000
) -> tuple[NDArray[np.int64], Array]:
    """Thin a series so that its plot stays the same.

    The extremes of each of `most` / 3 equal parts of the step axis.

    Parameters
    ----------
    steps : ndarray of int64, shape (n,), non-decreasing
    values : ndarray of float64, shape (n,)
        What is not finite stays visible: one such point is kept of each part that holds any.
    most : int
        Points to keep at most.

    Returns
    -------
    steps, values : ndarrays, shape (m,), m <= most
    """
    if len(steps) <= most:
        return steps, values
    finite = np.isfinite(values)
    parts = most // (2 if finite.all() else 3)
    column = columns_of(steps.astype(np.float64), float(steps[0]), float(steps[-1]), parts)
    order = np.lexsort((np.where(finite, values, np.inf), column))
    starts = np.flatnonzero(np.r_[True, np.diff(column[order]) != 0])
    counts = np.add.reduceat(finite[order].astype(np.int64), starts)
    ends = np.r_[starts[1:], len(order)]
    some = counts > 0
    bad = counts < ends - starts
    kept = distinct(np.concatenate(
        [order[starts[some]], order[(starts + counts - 1)[some]], order[(starts + counts)[bad]]]
    ))  # fmt: skip
    return steps[kept], values[kept]


def columns_of(x: Array, low: float, high: float, parts: int) -> NDArray[np.int64]:
    """Which of `parts` equal parts from `low` to `high` each lies in; shape (n,) in and out."""
    return np.minimum(((x - low) * (parts / max(high - low, 1e-300))).astype(np.int64), parts - 1)


def middles(x: Array, y: Array, parts: int) -> tuple[Array, Array, float]:
    """Middle of each part of the axis, and how far its points spread beyond its own trend.

    Half way between the quartiles: of a thinned curve only extremes are left, and their median
    is a low one here and a high one there.

    Parameters
    ----------
    x, y : ndarrays, shape (n,), finite
        `x` does not fall.
    parts : int

    Returns
    -------
    x, y : ndarrays, shape (m,), m <= parts
    spread : float
    """
    column = columns_of(x, float(x[0]), float(x[-1]), parts)
    order = np.lexsort((y, column))
    starts = np.flatnonzero(np.r_[True, np.diff(column[order]) != 0])
    ends = np.r_[starts[1:], len(order)]
    quarter = (ends - starts - 1) // 4
    middle = (y[order[starts + quarter]] + y[order[ends - 1 - quarter]]) / 2
    spread = float(median(y[order[ends - 1]] - y[order[starts]] - np.abs(y[ends - 1] - y[starts])))
    centres = np.add.reduceat(x[order], starts) / (ends - starts)
    return centres, middle, spread


@dataclass(frozen=True, slots=True)
class Line:
    """One curve.

    Attributes
    ----------
    name : str
        Untrusted text.
    steps, values : ndarrays, shape (n,)
        NaN where a value is not finite.
    colour : int
        1 to 4, a class of the style sheet.
    """

    name: str
    steps: Array
    values: Array
    colour: int = 1


@dataclass(frozen=True, slots=True)
class Level:
    """A horizontal line to compare with."""

    value: float
    label: str
    what: Literal["threshold", "chance"] = "threshold"
    line: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """What to draw.

    Attributes
    ----------
    title, description : str
        For those who cannot see it.
    unit : str
        Unit of the step axis.
    window : (first, last) or None
        Shaded.
    held : tuple of (first, last)
        Shaded stronger.
    onset : int or None
        Marked.
    zoom : bool
        Whether a window that is small against the run fills the picture.
    together : bool
        Whether all curves share one scale, whatever becomes of their shapes: one signal in two
        runs.
    """

    title: str
    description: str
    lines: tuple[Line, ...]
    unit: str = "unknown"
    levels: tuple[Level, ...] = ()
    window: tuple[int, int] | None = None
    held: tuple[tuple[int, int], ...] = ()
    onset: int | None = None
    zoom: bool = True
    together: bool = False


@dataclass(frozen=True, slots=True)
class Drawing:
    """An SVG element, and what its reader has to be told.

    Attributes
    ----------
    svg : str
        Markup; every text in it is escaped.
    legend : tuple of (class, text)
        Keys to the curves and shades; the text is not escaped.
    notes : tuple of str
        Choices that were made: a logarithmic axis, a zoom, what was left out. Not escaped.
    """

    svg: str
    legend: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def line_of(name: str, series: Series, colour: int = 1) -> Line:
    """The curve of a report's series: None becomes NaN, what no scale can hold its edge."""
    values = np.array(series.values, dtype=np.float64)
    steps = np.array(series.steps, dtype=np.float64)
    values = np.where(np.abs(values) < SMALLEST, 0.0, np.clip(values, -LARGEST, LARGEST))
    return Line(name, steps, values, colour)
