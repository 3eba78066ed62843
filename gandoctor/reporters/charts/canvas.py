"""Where things lie on the paper, and the marks that are made there."""

from __future__ import annotations

from dataclasses import field
from html import escape
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.reporters import wording as w
from gandoctor.reporters.charts.curves import Figure, Level, Line, middles, thin
from gandoctor.reporters.charts.scales import Scale, nice, tick
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_MIDDLES: Final = 90
_DOTS: Final = 60  # fewer points than this are shown one by one
_HIDES: Final = 8  # a label over more points than this goes to the legend
SMOOTHED: Final = "thin: as logged; bold: the middle of neighbouring points"


@dataclass(slots=True)
class Panel:
    """A part of the paper with a value axis of its own, from `top` down."""

    lines: tuple[Line, ...]
    scale: Scale
    top: float
    height: float
    levels: list[Level] = field(default_factory=list)

    def y(self, values: Array) -> Array:
        """Where values lie; shape (n,) in and out, NaN stays."""
        return self.top + self.height * (1 - self.scale.place(values))

    @property
    def read_back(self) -> str:
        """What a script needs to turn a height into a value: kind, ends, knee, top, height."""
        s = self.scale
        return f"{s.kind} {s.low:.7g} {s.high:.7g} {s.knee:g} {self.top:g} {self.height:g}"


def escaped(text: str) -> str:
    """Untrusted text as it may stand in the markup."""
    return escape(w.visible(text))


@dataclass(frozen=True, slots=True)
class Canvas:
    """Where steps lie on the paper."""

    first: float
    last: float
    left: float
    right: float
    top: float
    bottom: float

    def x(self, steps: Array) -> Array:
        """Where steps lie, shape (n,) in and out; what is out of view is put just off the edge."""
        share = (steps - self.first) / (self.last - self.first)
        return self.left + (self.right - self.left) * np.clip(share, -0.02, 1.02)

    def at(self, step: float) -> float:
        """Where one step lies; on the edge where it is out of view."""
        share = min(1.0, max(0.0, (step - self.first) / (self.last - self.first)))
        return self.left + (self.right - self.left) * share

    def shades(self, figure: Figure, legend: list[tuple[str, str]]) -> list[str]:
        """The window that was looked at, and where the test held in it."""
        out = []
        if figure.window is not None:
            a, b = (self.at(step) for step in figure.window)
            out.append(_box("window", a, max(b, a + 1), self.top, self.bottom))
            legend.append(("kwindow", "looked at"))
        if figure.held:
            for a, b in self._merged(figure.held):
                out.append(_box("held", a, b, self.top, self.bottom))
                out.append(_box("heldbar", a, b, self.bottom - 3, self.bottom))
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
        self, panel: Panel, ticks: Sequence[tuple[float, str]], onset: int | None
    ) -> list[str]:
        """Lines and labels of the value axis, and what kind of axis it is."""
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

    def levels(self, panel: Panel, legend: list[tuple[str, str]]) -> list[str]:
        """Thresholds and chance; a label that would hide the curves goes to the legend."""
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
                    f'y="{base:.1f}">{escaped(level.label)}</text>'
                )
        return out

    def _free_place(self, panel: Panel, y: float, width: float) -> tuple[int, str, float, float]:
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
        self, panel: Panel, line: Line, x: tuple[float, float], y: tuple[float, float]
    ) -> int:
        """How many points of a curve lie in a box."""
        xs, ys = self.x(line.steps), panel.y(line.values)
        return int(np.count_nonzero((xs >= x[0]) & (xs <= x[1]) & (ys >= y[0]) & (ys <= y[1])))

    def curve(
        self,
        panel: Panel,
        line: Line,
        columns: int,
        notes: list[str],
        legend: list[tuple[str, str]],
    ) -> list[str]:
        """One curve; noisy ones with their middle over them, short ones with dots."""
        ok = np.isfinite(line.values)
        out = []
        steps, values = thin(line.steps.astype(np.int64), line.values, 2 * columns)
        noisy = False
        if np.count_nonzero(ok) >= 2 * _MIDDLES:
            x, y, spread = middles(self.x(line.steps[ok]), panel.y(line.values[ok]), _MIDDLES)
            noisy = spread > 0.04 * panel.height
        xs, ys = self.x(steps.astype(np.float64)), panel.y(values)
        raw = " raw" if noisy else ""
        if ok.any():
            out.append(
                f'<path class="line s{line.colour}{raw}" transform="scale(.1)" '
                f'data-y="{panel.read_back}" d="{_path(xs, ys)}"/>'
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
            for a, b in self._merged(_stretches(line.steps, ~ok)):
                out.append(_box("bad", a, b, panel.top, panel.top + 5))
        return out

    def steps(self, unit: str) -> list[str]:
        """The step axis."""
        out = [f'<path class="axis" d="M{self.left:g} {self.bottom:g}H{self.right:g}"/>']
        out.append('<g class="ticks">')
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
            f'</g><text class="tx" x="{middle:.1f}" y="{self.bottom + 30:g}">{w.axis(unit)}</text>'
        )
        return out

    def onset(self, figure: Figure) -> tuple[list[str], list[str]]:
        """The flag at the step since which the finding holds: its pole, and what stands on it."""
        if figure.onset is None or not self.first <= figure.onset <= self.last:
            return [], []
        x = self.at(figure.onset)
        side, dx = ("end", -4) if x > (self.left + self.right) / 2 else ("start", 4)
        label = f"onset {figure.onset:,}"
        place = f'x="{x + dx:.1f}" y="{self.top - 5:g}"'
        pole = f'<path class="onset" d="M{x:.1f} {self.top - 12:g}V{self.bottom:g}"/>'
        return [pole], [f'<text class="lonset {side}" {place}>{label}</text>']

    def plot(self, marks: Sequence[str]) -> list[str]:
        """What lies along the steps, as a picture in the picture.

        It is cut off at the axes; a script zooms by moving its view.
        """
        if not marks:
            return []
        width = self.right - self.left
        frame = f'x="{self.left:g}" width="{width:g}" height="{self.bottom:g}"'
        view = f'viewBox="{self.left:g} 0 {width:g} {self.bottom:g}" preserveAspectRatio="none"'
        return [f'<svg class="plot" {frame} {view}>', *marks, "</svg>"]


def _box(name: str, left: float, right: float, top: float, bottom: float) -> str:
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


def _stretches(steps: Array, mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.r_[False, mask, False]))
    return [(int(steps[a]), int(steps[b - 1])) for a, b in edges.reshape(-1, 2)]
