"""A curve in one line of a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.lang.middle import median
from gandoctor.reporters.charts.curves import columns_of, line_of
from gandoctor.reporters.charts.scales import choose

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from gandoctor.model.report import Report, Series

    Array = NDArray[np.float64]

_BLOCKS: Final = "▁▂▃▄▅▆▇█"
LINE: Final = 32  # columns, where a curve stands in a line of its own
_LOSSES: Final = ("d_loss", "g_loss")


def sparkline(series: Series, width: int) -> str:
    """The curve in one line of block characters; ``x`` where it is not finite.

    Same choice of scale as a figure.
    """
    line = line_of("", series)
    if not len(line.steps) or width < 2:
        return ""
    scale = choose(line.values)
    column = columns_of(line.steps, float(line.steps[0]), float(line.steps[-1]), width)
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


def losses(report: Report, width: int = LINE) -> Iterator[tuple[str, str, str]]:
    """The losses of D and G that there are: role, tag, and the curve in one line."""
    for role in _LOSSES:
        note = next((s for s in report.signals if s.role == role and s.tag in report.series), None)
        if note and (line := sparkline(report.series[note.tag], width)):
            yield role, note.tag, line
