"""Steps of printed lines, from whatever counters a log prints."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gandoctor.lang.middle import distinct, median
from gandoctor.parsers.rows.axis import (
    Axis,
    counted_in_epochs,
    restarts_with,
    takes_turns,
    unroll,
    whole_numbers,
    within_epochs,
)
from gandoctor.parsers.rows.names import telling
from gandoctor.parsers.rows.steps import LARGEST

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from gandoctor.model.signals import StepUnit

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


class Track(NamedTuple):
    """Values that were printed, of one metric or one counter.

    Attributes
    ----------
    lines : ndarray of int64, shape (n,)
        Line of each, ascending.
    values : ndarray of float64, shape (n,)
    totals : ndarray of float64, shape (n,)
        The 938 of ``12/938``; NaN where none is printed.
    """

    lines: Ints
    values: Floats
    totals: Floats

    def since(self, line: int) -> Track:
        """From the last time it was printed before `line`.

        Bars of downloads and the like are left out.
        """
        first = max(0, int(np.searchsorted(self.lines, line, side="right")) - 1)
        return Track(self.lines[first:], self.values[first:], self.totals[first:])

    def held(self, lines: Ints) -> tuple[Floats, Floats]:
        """Value and total at each of `lines`: those printed last."""
        at = np.maximum(np.searchsorted(self.lines, lines, side="right") - 1, 0)
        return np.nan_to_num(self.values[at], nan=0.0, posinf=0.0, neginf=0.0), self.totals[at]

    def varies(self) -> bool:
        """Whether there is more than one value."""
        return len(self.values) > 1 and bool(np.any(self.values != self.values[0]))


Series = dict[tuple[str, str], Track]  # by tag and split


def lead_of(series: Series) -> Ints:
    """Lines of the most frequent tag that tells of training, of any tag where none does.

    The first among equals.
    """
    told = telling([t for t, _ in series])
    among = [v.lines for k, v in series.items() if k[0] in told] or [
        v.lines for v in series.values()
    ]
    most = max(map(len, among))
    return min((lines for lines in among if len(lines) == most), key=lambda lines: int(lines[0]))


class Counting:
    """Finds the step of each line that holds a metric.

    Parameters
    ----------
    series : Series
        The metrics.
    counters : mapping of str to Track
        By kind, see `gandoctor.parsers.printed.line.Counter`.
    marks : sequence of int
        Lines that announce a training.
    planned : mapping of str to float
        How many ``iterations`` and ``epochs`` the training was to take, as far as the log says so.

    Attributes
    ----------
    lines : ndarray of int64, shape (n,)
        Lines that hold a metric, ascending.
    turns : ndarray of int64, shape (lines of `lead`,), or None
        Known after `axis`: which of several runs each leading line is of, where they take turns in
        the log.
    """

    def __init__(
        self,
        series: Series,
        counters: Mapping[str, Track],
        marks: Sequence[int],
        planned: Mapping[str, float],
    ) -> None:
        self.planned = planned
        self.turns: Ints | None = None
        self.series = series
        self.lead = lead_of(series)
        self.marks = np.array(marks, dtype=np.int64)
        self.lines = distinct(np.concatenate([v.lines for v in series.values()]))
        told = telling([t for t, _ in series])
        first = min(int(v.lines[0]) for k, v in series.items() if k[0] in told or not told)
        self.counters = {kind: track.since(first) for kind, track in counters.items()}

    def axis(self) -> Axis:
        """Steps of `lines`, by the best counter there is."""
        epoch = self.counters.get("epoch")
        epoch = epoch if epoch is not None and epoch.varies() else None
        kimg, step = self._frequent("kimg"), self._frequent("step") or self._frequent("lead")
        inner = self._frequent("inner")
        if kimg:
            return self._directly(kimg, "kimg")
        if step and epoch and restarts_with(step.values, epoch.held(step.lines)[0]):
            step, inner = None, step
        if step:
            return self._directly(step, "iterations")
        if epoch and inner:
            return self._in_epochs(epoch, inner, "iterations")
        if epoch and (percent := self._frequent("percent")):
            hundred = np.full(len(percent.lines), 100.0)
            return self._in_epochs(epoch, percent._replace(totals=hundred), "unknown")
        if epoch:
            return self._by_epoch(epoch)
        if inner:
            return self._directly(inner, "iterations")
        rows = np.maximum(np.searchsorted(self.lead, self.lines, side="right") - 1, 0)
        return Axis(rows.astype(np.int64), np.ones(len(rows), dtype=bool))

    def _frequent(self, kind: str) -> Track | None:
        """A counter that changes and is printed at least half as often as the metrics."""
        track = self.counters.get(kind)
        return (
            track
            if track is not None and track.varies() and len(track.lines) * 2 >= len(self.lead)
            else None
        )

    def _directly(self, counter: Track, unit: StepUnit) -> Axis:
        values, totals = counter.held(self.lines)
        steps, factor = whole_numbers(values)
        if takes_turns(steps[np.searchsorted(self.lines, self.lead)]) is None:
            steps = _turns(steps, totals)
        return self._settled(steps, counter.lines, unit if factor == 1 else "unknown")

    def _in_epochs(self, epoch: Track, inner: Track, unit: StepUnit) -> Axis:
        epochs, _ = whole_numbers(epoch.held(self.lines)[0])
        values, totals = inner.held(self.lines)
        # From the line of a new epoch until the first count within it, nothing is counted.
        at = np.searchsorted(inner.lines, self.lines, side="right") - 1
        begins = epoch.lines[np.r_[True, np.diff(epoch.values) != 0]]
        began = begins[np.maximum(np.searchsorted(begins, self.lines, side="right") - 1, 0)]
        stale = (at < 0) | (inner.lines[np.maximum(at, 0)] < began)
        within = np.where(stale, 0, whole_numbers(values)[0])
        steps = within_epochs(epochs, within, np.where(totals > 0, totals, np.nan))
        return self._settled(steps, np.union1d(inner.lines, epoch.lines), unit)

    def _by_epoch(self, epoch: Track) -> Axis:
        epochs, factor = whole_numbers(epoch.held(self.lines)[0])
        axis = self._settled(epochs, epoch.lines, "epochs" if factor == 1 else "unknown")
        if not self._crowded(axis.steps):
            return axis
        steps, most = counted_in_epochs(axis.steps)
        note = f"up to {most} records an epoch and no step printed: steps count records"
        return Axis(steps, axis.kept, "unknown", (*axis.notes, note), axis.trainings)

    def _crowded(self, steps: Ints) -> bool:
        """Whether some metric has several values at most steps."""
        for track in self.series.values():
            here = steps[np.searchsorted(self.lines, track.lines)]
            if len(distinct(here)) * 1.5 < len(here):
                return True
        return False

    def _settled(self, raw: Ints, own: Ints, unit: StepUnit) -> Axis:
        """Steps of all lines from those of the leading ones.

        Restarts are found on the lines of the most frequent tag alone: a score that is printed
        late, for an earlier checkpoint, is no restart.

        Parameters
        ----------
        raw : ndarray of int64, shape (n,)
            The counter at each line.
        own : ndarray of int64
            Lines on which the counter itself is printed.
        """
        main = np.searchsorted(self.lines, self.lead)
        counted = raw[main]
        marks = np.searchsorted(self.lead, self.marks, side="left")
        axis = unroll(counted, marks=marks.tolist(), total=self.planned.get(unit, float("nan")))
        self.turns = axis.turns
        at = np.maximum(np.searchsorted(main, np.arange(len(self.lines)), side="right") - 1, 0)
        following = np.minimum(at + 1, len(main) - 1)
        is_own = np.isin(self.lines, own)
        # A line of the next training may stand before the first leading line of it.
        ahead = is_own & (raw < counted[at]) & (counted[following] < counted[at])
        at = np.where(ahead, following, at)
        steps = np.where(is_own, raw + (axis.steps - counted)[at], axis.steps[at])
        return Axis(steps.astype(np.int64), axis.kept[at], unit, axis.notes, axis.trainings)


def _turns(steps: Ints, totals: Floats) -> Ints:
    """A counter that runs to its total again and again (a progress bar an epoch), added up."""
    known = totals[totals > 0]
    if not len(known):
        return steps
    length = int(median(known))
    back = np.r_[False, np.diff(steps) < 0]
    begin = int(steps.min()) + 2 * int(median(np.abs(np.diff(steps)))) if len(steps) > 1 else 0
    if back.sum() < 2 or int(steps[back].max()) > begin:
        return steps
    turns: Ints = np.cumsum(back).astype(np.int64)
    if int(steps.max()) + length * int(turns[-1]) > LARGEST:  # a damaged total, or a damaged count
        return steps
    return steps + turns * length
