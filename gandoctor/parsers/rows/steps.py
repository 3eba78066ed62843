"""Steps that fall, stand still or repeat: what was meant by them, and a remark on what was done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.lang.middle import median
from gandoctor.model.signals import Signal

if TYPE_CHECKING:
    from numpy.typing import NDArray

_COPIES: Final = 4  # series under one tag, at most
_MOST: Final = (
    0.9  # share of the steps that must hold equally many values for these to be series of their own
)
# A step beyond it is damage: floats no longer tell it from the next, and sums overflow.
LARGEST: Final = 2**53
_LAST: Final = int(np.iinfo(np.int64).max)


class Remarks:
    """What was done to odd steps: one line for all tags that it was done to."""

    def __init__(self) -> None:
        self._tags: dict[str, list[str]] = {}
        self._points: dict[str, int] = {}

    def add(self, what: str, tag: str, points: int = 0) -> None:
        """One tag more; `points` were left out."""
        self._tags.setdefault(what, []).append(tag)
        self._points[what] = self._points.get(what, 0) + points

    def lines(self) -> list[str]:
        """The remarks, in the order in which they first arose."""
        said = []
        for what, tags in self._tags.items():
            more = f" and {len(tags) - 3} more" if len(tags) > 3 else ""
            points = f" ({self._points[what]:,} points left out)" if self._points[what] else ""
            said.append(f"{', '.join(tags[:3])}{more}: {what}{points}")
        return said


def untangle(
    tag: str,
    steps: NDArray[np.int64],
    walls: NDArray[np.float64] | None,
    values: NDArray[np.float64],
    remarks: Remarks,
) -> list[Signal]:
    """One tag's points, in the order in which they were logged, as signals whose steps never fall.

    ==================================================
    ================================================== a step is beyond 2**53
          left out; where most are, rows are counted the step never moves
              rows are counted instead
    every step holds 2 to 4 values                      as many signals, ``tag [1]``, ``tag [2]``,
    ... the same, all equal                                 one of each is kept
    it starts again and again at the same number        it is counted on (a counter within the
    epoch) it goes back at every other point                   two series that take turns, or order
    lost: sorted it goes back to where it has been                   a restart: the later points win
    from there on
    ==================================================
    ==================================================
    """
    if steps.size and (int(steps.max()) > LARGEST or int(steps.min()) < -LARGEST):
        sound = (steps <= LARGEST) & (steps >= -LARGEST)
        if np.count_nonzero(sound) * 2 < steps.size:
            remarks.add("the steps are beyond 2**53, so the rows were counted", tag)
            return [Signal(tag, np.arange(steps.size, dtype=np.int64), values, wall_time=walls)]
        remarks.add("a step beyond 2**53 is damage", tag, int(np.count_nonzero(~sound)))
        steps, values, walls = steps[sound], values[sound], None if walls is None else walls[sound]
    count = steps.size
    moves = np.diff(steps)
    if count < 2 or bool((moves > 0).all()):
        return [Signal(tag, steps, values, wall_time=walls)]

    def some(keep: NDArray[np.generic] | slice, name: str = tag) -> Signal:
        return Signal(
            name, steps[keep], values[keep], wall_time=None if walls is None else walls[keep]
        )

    if not moves.any():
        if steps[0] and count <= _COPIES:
            return [some(slice(None))]
        remarks.add(f"the step is always {int(steps[0])}, so the rows were counted", tag)
        return [Signal(tag, np.arange(count, dtype=np.int64), values, wall_time=walls)]
    falls = np.flatnonzero(moves < 0) + 1
    if not falls.size:
        return _several_a_step(tag, steps, walls, values, remarks)
    starts = np.concatenate([[0], falls])
    lengths = np.diff(np.append(starts, count))
    firsts = steps[starts]
    if bool((firsts == firsts[0]).all()) and bool((lengths[:-1] > 1).all()):
        remarks.add("the step starts again and again at the same number, so it was counted on", tag)
        return [Signal(tag, _counted_on(steps, starts, lengths), values, wall_time=walls)]
    often = falls.size > count // 4
    if often:
        for times in range(2, _COPIES + 1):
            if all(bool((np.diff(steps[k::times]) >= 0).all()) for k in range(times)):
                remarks.add(f"{times} series take turns under one tag; they were taken apart", tag)
                return [some(slice(k, None, times), f"{tag} [{k + 1}]") for k in range(times)]
    # What a later stretch goes over again is superseded by it.
    later = np.append(np.minimum.accumulate(firsts[::-1])[::-1][1:], _LAST)
    keep = steps < np.repeat(later, lengths)
    dropped = count - int(np.count_nonzero(keep))
    if often or dropped > 4 * (count - int(falls[0])) + _COPIES:
        remarks.add("the steps are out of order; the points were sorted", tag)
        return [some(np.argsort(steps, kind="stable"))]
    remarks.add(
        "the step goes back where the training restarted; the later points win", tag, dropped
    )
    return [some(keep)]


def _several_a_step(
    tag: str,
    steps: NDArray[np.int64],
    walls: NDArray[np.float64] | None,
    values: NDArray[np.float64],
    remarks: Remarks,
) -> list[Signal]:
    """Steps that never fall but repeat.

    Series of their own where (nearly) every step repeats equally often.
    """
    whole = [Signal(tag, steps, values, wall_time=walls)]
    starts = np.concatenate([[0], np.flatnonzero(np.diff(steps)) + 1])
    lengths = np.diff(np.append(starts, steps.size))
    times = int(np.bincount(np.minimum(lengths, _COPIES + 1)).argmax())
    regular = lengths == times
    regular[-1] |= bool(lengths[-1] < times)  # still being written
    if not 2 <= times <= _COPIES or np.count_nonzero(regular) < _MOST * lengths.size:
        return whole
    parts = []
    for k in range(times):
        at = starts[regular & (lengths > k)] + k
        times_of = None if walls is None else walls[at]
        parts.append(Signal(f"{tag} [{k + 1}]", steps[at], values[at], wall_time=times_of))
    shortest = min(len(part) for part in parts)
    if all(
        np.array_equal(p.values[:shortest], parts[0].values[:shortest], equal_nan=True)
        for p in parts[1:]
    ):
        remarks.add(f"every point was logged {times} times; one of each was kept", tag)
        return [Signal(tag, parts[0].steps, parts[0].values, wall_time=parts[0].wall_time)]
    left_out = int(lengths[~regular].sum())
    remarks.add(f"{times} values a step, taken as series of their own", tag, left_out)
    return parts


def _counted_on(
    steps: NDArray[np.int64], starts: NDArray[np.int64], lengths: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Steps of a counter that starts again, continued.

    Each round follows the one before at the usual distance.
    """
    rises = np.diff(steps)
    usual = int(median(rises[rises > 0])) if bool((rises > 0).any()) else 1
    spans = steps[starts + lengths - 1] - steps[starts] + usual
    ahead: NDArray[np.int64] = np.repeat(np.concatenate([[0], np.cumsum(spans[:-1])]), lengths)
    return steps + ahead
