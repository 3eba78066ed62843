"""Curves as inline SVG, drawn by hand: no script, no font, no request.

Colours come from the page's style sheet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.lang.middle import quantile
from gandoctor.reporters import wording as w
from gandoctor.reporters.charts.canvas import SMOOTHED, Canvas, Panel, escaped
from gandoctor.reporters.charts.curves import (
    COLUMNS,
    MOST_LINES,
    Drawing,
    Figure,
    Level,
    Line,
    line_of,
    thin,
)
from gandoctor.reporters.charts.scales import Scale, choose, nice, tick
from gandoctor.reporters.charts.spark import sparkline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = [
    "COLUMNS",
    "MOST_LINES",
    "SMOOTHED",
    "WIDTH",
    "Drawing",
    "Figure",
    "Level",
    "Line",
    "choose",
    "draw",
    "line_of",
    "nice",
    "sparkline",
    "thin",
    "tick",
]

WIDTH: Final = 480
_HEIGHT: Final = 178  # plotting area of a single panel
_STACKED: Final = 104  # of each panel, where several are stacked
_GAP: Final = 20
_TOP: Final = 18
_RIGHT: Final = 12
_BELOW: Final = 34  # tick labels and the axis' name


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
    canvas = Canvas(x0, x1, left, WIDTH - _RIGHT, _TOP, bottom)
    body: list[str] = []
    legend: list[tuple[str, str]] = []
    body += canvas.plot(canvas.shades(figure, legend))
    for panel, row in zip(panels, ticks, strict=True):
        body += canvas.grid(panel, row, figure.onset)
    curves: list[str] = []
    levels: list[str] = []
    for panel in panels:
        for line in panel.lines:
            curves += canvas.curve(panel, line, columns, notes, legend)
        levels += canvas.levels(panel, legend)
    flag, label = canvas.onset(figure)
    body += [*canvas.plot([*curves, *flag]), *levels, *canvas.steps(figure.unit), *label]
    head = (
        f'<svg class="chart" role="img" aria-labelledby="{ident}-t {ident}-d" '
        f'viewBox="0 0 {WIDTH} {bottom + _BELOW:g}" data-u="{w.step_word(figure.unit)}" '
        f'data-x="{x0:.9g} {x1:.9g} {left:g} {WIDTH - _RIGHT}">'
        f'<title id="{ident}-t">{escaped(figure.title)}</title><desc '
        f'id="{ident}-d">{escaped(figure.description)}</desc>'
    )
    lines_key = [(f"k{line.colour}", line.name) for line in lines]
    return Drawing(
        head + "".join(body) + "</svg>", (*lines_key, *legend), tuple(dict.fromkeys(notes))
    )


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
) -> list[Panel]:
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
        panels.append(Panel(group, scale, _TOP + i * (height + _GAP), height, own))
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
