"""Curves as inline SVG, drawn by hand: no script, no font, no request.

Colours come from the page's style sheet.
"""

from __future__ import annotations

import math
from dataclasses import field
from html import escape
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from gandoctor.lang.middle import distinct, median, quantile
from gandoctor.reporters import wording as w
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from gandoctor.model.report import Series

    Array = NDArray[np.float64]

WIDTH: Final = 480
_HEIGHT: Final = 178  # plotting area of a single panel
_STACKED: Final = 104  # of each panel, where several are stacked
_GAP: Final = 20
_TOP: Final = 18
_RIGHT: Final = 12
_BELOW: Final = 34  # tick labels and the axis' name
COLUMNS: Final = 280  # a curve keeps its extremes in each of these
_MEDIANS: Final = 90
_DOTS: Final = 60  # fewer points than this are shown one by one
_HIDES: Final = 8  # a label over more points than this goes to the legend
_LARGEST: Final = 1e120  # a double can hold more, but not the ratio of two such
_SMALLEST: Final = 1e-120
MOST_LINES: Final = 4
SMOOTHED: Final = "thin: as logged; bold: median of neighbouring points"

Kind = Literal["linear", "log", "symlog"]


# --- scales
# --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Scale:
    """A value axis: `low` is drawn at 0 and `high` at 1.

    Attributes
    ----------
    kind : str
        ``linear``, ``log`` or ``symlog`` (logarithmic both ways from `knee`, linear below it).
    low, high : float
        Ends of the axis, as values.
    knee : float
        Where a symmetric logarithm turns linear.
    """

    kind: Kind
    low: float
    high: float
    knee: float = 1.0

    def place(self, values: Array) -> Array:
        """Where on the axis: 0 at `low`, 1 at `high`; what lies outside is put on the edge.

        NaN stays.
        """
        low, high = self._bent(np.array([self.low, self.high]))
        placed: Array = np.clip((self._bent(values) - low) / (high - low), 0.0, 1.0)
        return placed

    def _bent(self, values: Array) -> Array:
        if self.kind == "log":
            return np.asarray(np.log10(np.maximum(values, self.low)), dtype=np.float64)
        if self.kind == "symlog":
            return np.asarray(
                np.sign(values) * np.log10(1 + np.abs(values) / self.knee), dtype=np.float64
            )
        return values

    def ticks(self, about: int = 5) -> list[float]:
        """Round values on the axis, about as many as asked."""
        if self.kind == "linear":
            return nice(self.low, self.high, about)
        if self.kind == "log":
            return _log_ticks(self.low, self.high, about)
        powers = [
            sign * 10.0**k
            for k in range(120, math.ceil(math.log10(self.knee)) - 1, -1)
            for sign in (1, -1)
        ]
        return self._apart([v for v in (0.0, *powers) if self.low <= v <= self.high], 0.6 / about)

    def _apart(self, values: list[float], share: float) -> list[float]:
        """Those of the values, first come first served, at least this share of the axis apart."""
        taken: list[tuple[float, float]] = []
        for value, place in zip(values, self.place(np.array(values)).tolist(), strict=True):
            if all(abs(place - other) >= share for other, _ in taken):
                taken.append((place, value))
        return [value for _, value in sorted(taken)]


def choose(values: Array, levels: Iterable[float] = (), *, straight: bool = False) -> Scale:
    """Choose the axis for these values (NaN passed over) and the levels that should be in view.

    Logarithmic where the bulk spans more than a factor of 25 or a peak would flatten all the rest;
    symmetric logarithmic where such values have both signs; else, or where a `straight` one is
    asked for, linear.
    """
    finite = np.clip(values[np.isfinite(values)], -_LARGEST, _LARGEST)
    levels = [level for level in levels if _SMALLEST <= abs(level) <= _LARGEST or level == 0]
    if finite.size == 0:
        return Scale("linear", 0.0, 1.0)
    low, high = float(finite.min()), float(finite.max())
    if straight:
        return _linear(low, high, levels)
    size = np.abs(finite)
    size = np.maximum(size[size > 0], _SMALLEST)
    p5, middle, p95 = (
        (float(v) for v in quantile(size, (0.05, 0.5, 0.95))) if size.size else (1.0, 1.0, 1.0)
    )
    steep = high > 0 and (p95 >= 25 * p5 or high >= 40 * middle)
    if steep and low >= 0 and np.count_nonzero(finite == 0) <= 0.02 * finite.size:
        return _log(max(float(finite[finite > 0].min()), middle * 1e-8, _SMALLEST), high, levels)
    if max(high, -low) > 200 * middle:
        knee = 10.0 ** math.floor(math.log10(middle))
        return Scale("symlog", min(low, 0.0), max(high, 0.0), knee)
    return _linear(low, high, levels)


def _log(low: float, high: float, levels: Iterable[float]) -> Scale:
    for level in levels:
        if level > 0 and low / 30 < level < high * 30:
            low, high = min(low, level / 1.3), max(high, level * 1.3)
    pad = max((high / low) ** 0.04, 1.02)
    return Scale("log", low / pad, high * pad)


def _linear(low: float, high: float, levels: Iterable[float]) -> Scale:
    spread = high - low
    for level in levels:
        if low - 1.8 * spread <= level <= high + 1.8 * spread or spread == 0:
            low, high = min(low, level), max(high, level)
    spread = (high - low) or abs(high) or 1.0
    bottom = low - 0.06 * spread
    return Scale("linear", 0.0 if bottom < 0 <= low else bottom, high + 0.06 * spread)


def nice(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers (1, 2, 2.5 or 5 times a power of ten) between `low` and `high`."""
    rough = (high - low) / max(1, about)
    if not (math.isfinite(rough) and rough > 0):
        return [low]
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [
        0.0 if i == 0 else float(f"{i * step:.12g}")
        for i in range(first, min(last, first + 50) + 1)
    ]


def _log_ticks(low: float, high: float, about: int) -> list[float]:
    bottom, top = math.floor(math.log10(low)), math.ceil(math.log10(high))
    decades = [10.0**k for k in range(bottom, top + 1) if low <= 10.0**k <= high]
    if len(decades) >= 3:
        return _every(decades, about)
    fine = [
        m * 10.0**k for k in range(bottom, top + 1) for m in (1, 2, 5) if low <= m * 10.0**k <= high
    ]
    return fine if len(fine) >= 2 else nice(low, high, about)


def _every(values: list[float], most: int) -> list[float]:
    return values[:: max(1, math.ceil(len(values) / max(1, most)))]


def tick(value: float) -> str:
    """A tick's label: ``0.05``, ``1.5``, ``20k``, ``3M``, ``1e-5``."""
    size = abs(value)
    if size and (size < 1e-3 or size >= 1e9):
        mantissa, exponent = f"{value:.2e}".split("e")
        mantissa = mantissa.rstrip("0").rstrip(".")
        return f"{mantissa}e{int(exponent)}"
    for unit, name in ((1e6, "M"), (1e3, "k")):
        if size >= unit:
            return f"{value / unit:.4g}{name}"
    return f"{value:.4g}"


# --- thinning
# --------------------------------------------------------------------------------------------------


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
    column = _columns(steps.astype(np.float64), float(steps[0]), float(steps[-1]), parts)
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


def _columns(x: Array, low: float, high: float, parts: int) -> NDArray[np.int64]:
    return np.minimum(((x - low) * (parts / max(high - low, 1e-300))).astype(np.int64), parts - 1)


def _medians(x: Array, y: Array, parts: int) -> tuple[Array, Array, float]:
    """Median point of each part of the axis, and how far its points spread beyond its own trend."""
    column = _columns(x, float(x[0]), float(x[-1]), parts)
    order = np.lexsort((y, column))
    starts = np.flatnonzero(np.r_[True, np.diff(column[order]) != 0])
    ends = np.r_[starts[1:], len(order)]
    middle = order[(starts + ends - 1) // 2]
    spread = float(median(y[order[ends - 1]] - y[order[starts]] - np.abs(y[ends - 1] - y[starts])))
    centres = np.add.reduceat(x[order], starts) / (ends - starts)
    return centres, y[middle], spread


# --- figures
# --------------------------------------------------------------------------------------------------


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


@dataclass(slots=True)
class _Panel:
    lines: tuple[Line, ...]
    scale: Scale
    top: float
    height: float
    levels: list[Level] = field(default_factory=list)

    def y(self, values: Array) -> Array:
        return self.top + self.height * (1 - self.scale.place(values))


def line_of(name: str, series: Series, colour: int = 1) -> Line:
    """The curve of a report's series."""
    values = np.array(series.values, dtype=np.float64)  # None becomes NaN
    steps = np.array(series.steps, dtype=np.float64)
    values = np.where(np.abs(values) < _SMALLEST, 0.0, np.clip(values, -_LARGEST, _LARGEST))
    return Line(name, steps, values, colour)


def draw(figure: Figure, ident: str, columns: int = COLUMNS) -> Drawing | None:
    """Draw a figure; None where there is no curve with at least one point in view.

    Parameters
    ----------
    ident : str
        Unique on the page.
    columns : int
        Fineness of the curves.
    """
    lines = tuple(line for line in figure.lines[:MOST_LINES] if len(line.steps))
    if not lines:
        return None
    notes: list[str] = []
    if len(figure.lines) > len(lines):
        notes.append(f"{len(figure.lines) - len(lines)} more not drawn")
    x0, x1, zoomed = _view(figure, lines)
    if zoomed:
        notes.append(f"zoomed in on {w.span(int(x0), int(x1), figure.unit)}")
    lines = tuple(_cut(line, x0, x1) for line in lines)
    panels = _panels(lines, figure.levels, notes, together=figure.together)
    ticks = [[(v, tick(v)) for v in p.scale.ticks(5 if len(panels) == 1 else 3)] for p in panels]
    left = 14 + 7.4 * max((len(t) for row in ticks for _, t in row), default=1)
    bottom = panels[-1].top + panels[-1].height
    canvas = _Canvas(x0, x1, left, WIDTH - _RIGHT, _TOP, bottom)
    body: list[str] = []
    legend: list[tuple[str, str]] = []
    body += canvas.shades(figure, legend)
    for panel, row in zip(panels, ticks, strict=True):
        body += canvas.grid(panel, row, figure.onset)
    for panel in panels:
        for line in panel.lines:
            body += canvas.curve(panel, line, columns, notes, legend)
        body += canvas.levels(panel, legend)
    body += canvas.steps(figure.unit)
    body += canvas.onset(figure)
    head = (
        f'<svg class="chart" role="img" aria-labelledby="{ident}-t {ident}-d" '
        f'viewBox="0 0 {WIDTH} {bottom + _BELOW:g}">'
        f'<title id="{ident}-t">{_text(figure.title)}</title><desc '
        f'id="{ident}-d">{_text(figure.description)}</desc>'
    )
    lines_key = [(f"k{line.colour}", line.name) for line in lines]
    return Drawing(
        head + "".join(body) + "</svg>", (*lines_key, *legend), tuple(dict.fromkeys(notes))
    )


def _text(text: str) -> str:
    return escape(w.visible(text))


def _view(figure: Figure, lines: Sequence[Line]) -> tuple[float, float, bool]:
    """First and last step in view.

    A window that is a sliver of the run is zoomed in on, with points around it.
    """
    first = min(float(line.steps[0]) for line in lines)
    last = max(float(line.steps[-1]) for line in lines)
    if figure.zoom and figure.window is not None:
        a, b = figure.window
        span = max(float(b - a), 1.0)
        if 0 < b - a < 0.12 * (last - first):
            for around in (1.0, 2.0, 4.0):
                low, high = max(first, a - around * span), min(last, b + around * span)
                points = max(
                    int(np.count_nonzero((x.steps >= low) & (x.steps <= high))) for x in lines
                )
                if points >= 12 and high - low < 0.6 * (last - first):
                    return low, high, True
    return (first, last, False) if last > first else (first - 0.5, last + 0.5, False)


def _cut(line: Line, low: float, high: float) -> Line:
    """The part in view, and one point more on each side, so that the curve runs off the picture."""
    a = max(0, int(np.searchsorted(line.steps, low)) - 1)
    b = int(np.searchsorted(line.steps, high, side="right")) + 1
    return Line(line.name, line.steps[a:b], line.values[a:b], line.colour)


def _panels(
    lines: tuple[Line, ...], levels: Sequence[Level], notes: list[str], *, together: bool = False
) -> list[_Panel]:
    """One panel where all curves fit one scale or shall stand `together`, else one each."""
    wanted = [level.value for level in levels]
    every = np.concatenate([line.values for line in lines])
    common = choose(every, wanted)
    if len(lines) > 1 and not together and not all(_readable(line, common) for line in lines):
        common = choose(every, wanted, straight=True)
    if together or len(lines) == 1 or all(_readable(line, common) for line in lines):
        groups = [lines]
    else:
        groups = [(line,) for line in lines]
        notes.append("each curve on its own scale")
    height = _HEIGHT if len(groups) == 1 else _STACKED
    panels = []
    for i, group in enumerate(groups):
        own = [x for x in levels if len(groups) == 1 or x.line in {line.name for line in group}]
        scale = common if len(groups) == 1 else choose(group[0].values, [x.value for x in own])
        panels.append(_Panel(group, scale, _TOP + i * (height + _GAP), height, own))
    if any(np.any(line.values <= 0) for p in panels if p.scale.kind == "log" for line in p.lines):
        notes.append("zeros stand on the lower edge")
    return panels


def _readable(line: Line, scale: Scale) -> bool:
    """Whether the curve still has a shape on this scale, or has none anyway."""
    finite = line.values[np.isfinite(line.values)]
    if finite.size < 2 or float(np.ptp(finite)) <= 1e-3 * float(np.abs(finite).max()):
        return True
    low, high = quantile(scale.place(finite), (0.02, 0.98))
    return bool(high - low >= 0.13)


@dataclass(frozen=True, slots=True)
class _Canvas:
    """Where steps lie on the paper."""

    first: float
    last: float
    left: float
    right: float
    top: float
    bottom: float

    def x(self, steps: Array) -> Array:
        share = (steps - self.first) / (self.last - self.first)
        return self.left + (self.right - self.left) * np.clip(share, -0.02, 1.02)

    def at(self, step: float) -> float:
        share = min(1.0, max(0.0, (step - self.first) / (self.last - self.first)))
        return self.left + (self.right - self.left) * share

    def shades(self, figure: Figure, legend: list[tuple[str, str]]) -> list[str]:
        out = []
        if figure.window is not None:
            a, b = (self.at(step) for step in figure.window)
            out.append(_rect("window", a, max(b, a + 1), self.top, self.bottom))
            legend.append(("kwindow", "looked at"))
        if figure.held:
            for a, b in self._merged(figure.held):
                out.append(_rect("held", a, b, self.top, self.bottom))
                out.append(_rect("heldbar", a, b, self.bottom - 3, self.bottom))
            legend.append(("kheld", "test held"))
        return out

    def _merged(self, intervals: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
        """Intervals on the paper, at least 1.5 wide, those that would touch made one."""
        spans = np.array(
            [(a, b) for a, b in intervals if b >= self.first and a <= self.last], dtype=np.float64
        )
        if not len(spans):
            return []
        spans = spans[np.argsort(spans[:, 0], kind="stable")]
        share = np.clip((spans - self.first) / (self.last - self.first), 0.0, 1.0)
        left, right = (self.left + (self.right - self.left) * share).T
        reach = np.maximum.accumulate(np.maximum(right, left + 1.5))
        starts = np.flatnonzero(np.r_[True, left[1:] > reach[:-1] + 0.8])
        ends = np.r_[starts[1:], len(spans)] - 1
        return list(zip(left[starts].tolist(), reach[ends].tolist(), strict=True))

    def grid(
        self, panel: _Panel, ticks: Sequence[tuple[float, str]], onset: int | None
    ) -> list[str]:
        ys = panel.y(np.array([v for v, _ in ticks]))
        out = []
        for (_, label), y in zip(ticks, ys.tolist(), strict=True):
            out.append(f'<path class="grid" d="M{self.left:g} {y:.1f}H{self.right:g}"/>')
            out.append(f'<text class="ty" x="{self.left - 6:g}" y="{y + 3.6:.1f}">{label}</text>')
        if panel.scale.kind != "linear":
            said = "log scale"
            if panel.scale.kind == "symlog":
                said += ", both signs" if panel.scale.low < 0 else ", from zero"
            # Clear of the onset's flag.
            left = onset is not None and self.at(onset) > (self.left + self.right) / 2
            side, x = ("start", self.left) if left else ("end", self.right)
            out.append(f'<text class="{side}" x="{x:g}" y="{panel.top - 5:g}">{said}</text>')
        return out

    def levels(self, panel: _Panel, legend: list[tuple[str, str]]) -> list[str]:
        out = []
        for level in panel.levels:
            if not panel.scale.low <= level.value <= panel.scale.high:
                continue
            y = float(panel.y(np.array([level.value]))[0])
            out.append(f'<path class="{level.what}" d="M{self.left:g} {y:.1f}H{self.right:g}"/>')
            hidden, side, x, base = self._free_place(panel, y, 6.0 * len(level.label))
            if hidden > _HIDES:
                legend.append((f"k{level.what}", level.label))
            else:
                out.append(
                    f'<text class="l{level.what} {side}" x="{x:g}" '
                    f'y="{base:.1f}">{_text(level.label)}</text>'
                )
        return out

    def _free_place(self, panel: _Panel, y: float, width: float) -> tuple[int, str, float, float]:
        """Where beside a level its label hides least of the curves.

        (points hidden, anchor, x, baseline).
        """
        places = []
        for above in (True, False):
            top = y - 15 if above else y + 2
            if top < panel.top - 2 or top + 13 > panel.top + panel.height:
                continue
            for side, a in (("end", self.right - 4 - width), ("start", self.left + 4)):
                hidden = sum(
                    self._inside(panel, line, (a, a + width), (top, top + 13))
                    for line in panel.lines
                )
                places.append(
                    (hidden, side, self.right - 4 if side == "end" else self.left + 4, top + 11)
                )
        return min(places, key=lambda p: p[0], default=(0, "end", self.right - 4, y - 4))

    def _inside(
        self, panel: _Panel, line: Line, x: tuple[float, float], y: tuple[float, float]
    ) -> int:
        """How many points of a curve lie in a box."""
        xs, ys = self.x(line.steps), panel.y(line.values)
        return int(np.count_nonzero((xs >= x[0]) & (xs <= x[1]) & (ys >= y[0]) & (ys <= y[1])))

    def curve(
        self,
        panel: _Panel,
        line: Line,
        columns: int,
        notes: list[str],
        legend: list[tuple[str, str]],
    ) -> list[str]:
        ok = np.isfinite(line.values)
        out = []
        steps, values = thin(line.steps.astype(np.int64), line.values, 2 * columns)
        noisy = False
        if np.count_nonzero(ok) >= 2 * _MEDIANS:
            x, y, spread = _medians(self.x(line.steps[ok]), panel.y(line.values[ok]), _MEDIANS)
            noisy = spread > 0.04 * panel.height
        xs, ys = self.x(steps.astype(np.float64)), panel.y(values)
        raw = " raw" if noisy else ""
        if ok.any():
            out.append(
                f'<path class="line s{line.colour}{raw}" transform="scale(.1)" '
                f'd="{_path(xs, ys)}"/>'
            )
        if noisy:
            out.append(
                f'<path class="line s{line.colour}" transform="scale(.1)" d="{_path(x, y)}"/>'
            )
            notes.append(SMOOTHED)
        elif 0 < np.count_nonzero(np.isfinite(values)) <= _DOTS:
            dots = "".join(
                f"M{a:.1f} {b:.1f}h0"
                for a, b in zip(xs.tolist(), ys.tolist(), strict=True)
                if np.isfinite(b)
            )
            out.append(f'<path class="dots s{line.colour}" d="{dots}"/>')
        if not ok.all():
            if ("kbad", "not finite") not in legend:
                legend.append(("kbad", "not finite"))
            for a, b in self._merged(_runs(line.steps, ~ok)):
                out.append(_rect("bad", a, b, panel.top, panel.top + 5))
        return out

    def steps(self, unit: str) -> list[str]:
        out = [f'<path class="axis" d="M{self.left:g} {self.bottom:g}H{self.right:g}"/>']
        for value in nice(self.first, self.last, 4):
            if value != int(value):
                continue
            x = self.at(value)
            out.append(f'<path class="axis" d="M{x:.1f} {self.bottom:g}v4"/>')
            anchor = " end" if x > self.right - 12 else ""
            out.append(
                f'<text class="tx{anchor}" x="{x:.1f}" '
                f'y="{self.bottom + 16:g}">{tick(value)}</text>'
            )
        middle = (self.left + self.right) / 2
        out.append(
            f'<text class="tx" x="{middle:.1f}" y="{self.bottom + 30:g}">{w.axis(unit)}</text>'
        )
        return out

    def onset(self, figure: Figure) -> list[str]:
        if figure.onset is None or not self.first <= figure.onset <= self.last:
            return []
        x = self.at(figure.onset)
        side, dx = ("end", -4) if x > (self.left + self.right) / 2 else ("start", 4)
        return [
            f'<path class="onset" d="M{x:.1f} {self.top - 12:g}V{self.bottom:g}"/>',
            (
                f'<text class="lonset {side}" x="{x + dx:.1f}" y="{self.top - 5:g}">onset '
                f"{figure.onset:,}</text>"
            ),
        ]


def _rect(name: str, left: float, right: float, top: float, bottom: float) -> str:
    return (
        f'<rect class="{name}" x="{left:.1f}" y="{top:g}" width="{right - left:.1f}" '
        f'height="{bottom - top:g}"/>'
    )


def _path(x: Array, y: Array) -> str:
    """Line through the points, in tenths of a unit, each relative to the one before.

    Broken where one is missing.
    """
    ok = np.isfinite(y)
    xs, ys = np.rint(10 * x[ok]).astype(np.int64), np.rint(10 * y[ok]).astype(np.int64)
    starts = np.flatnonzero(np.diff(np.flatnonzero(ok), prepend=-2) != 1)
    out = []
    for a, b in zip(starts.tolist(), [*starts[1:].tolist(), len(xs)], strict=True):
        steps = np.stack((np.diff(xs[a:b]), np.diff(ys[a:b])), axis=1).ravel().tolist()
        # A line without length still shows as a dot: the caps are round.
        out.append(f"M{xs[a]} {ys[a]}l{' '.join(map(str, steps or (0, 0)))}")
    return "".join(out).replace(" -", "-")


def _runs(steps: Array, mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.r_[False, mask, False]))
    return [(int(steps[a]), int(steps[b - 1])) for a, b in edges.reshape(-1, 2)]


# --- for a terminal
# --------------------------------------------------------------------------------------------------

_BLOCKS: Final = "▁▂▃▄▅▆▇█"


def sparkline(series: Series, width: int) -> str:
    """The curve in one line of block characters; ``x`` where it is not finite.

    Same choice of scale as a figure.
    """
    line = line_of("", series)
    if not len(line.steps) or width < 2:
        return ""
    scale = choose(line.values)
    column = _columns(line.steps, float(line.steps[0]), float(line.steps[-1]), width)
    out = []
    last = " "
    for i in range(width):
        inside = line.values[column == i]
        finite = inside[np.isfinite(inside)]
        if finite.size:
            level = float(scale.place(np.array([median(finite)]))[0])
            last = _BLOCKS[min(7, int(level * 8))]
        elif inside.size:
            last = "x"
        out.append(last)
    return "".join(out)
