"""Counters to steps: what restarts, repeats, stands still or goes back."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.lang.middle import distinct, median
from gandoctor.parsers.rows.steps import LARGEST
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gandoctor.model.signals import StepUnit

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """Steps of the rows of a table.

    Attributes
    ----------
    steps : ndarray of int64, shape (rows,)
        Non-decreasing over the rows that are kept.
    kept : ndarray of bool, shape (rows,)
        False for rows that a resumed training wrote again.
    unit : str
        As in `Reading.step_unit`.
    notes : tuple of str
    trainings : int
        How many trainings stand one after the other.
    turns : ndarray of int64, shape (rows,), or None
        Which of several runs each row is of, where they take turns and are better read one by one.
    anew : tuple of int
        Rows at which a further training counts from where the first one did; none of them where
        some training begins elsewhere.
    """

    steps: Ints
    kept: Mask
    unit: StepUnit = "unknown"
    notes: tuple[str, ...] = ()
    trainings: int = 1
    turns: Ints | None = None
    anew: tuple[int, ...] = ()


_ROWS_COUNTED: Final = "the steps are damaged (beyond 2**53), so the rows were counted"


def unroll(steps: Ints, *, marks: Sequence[int] = (), total: float = float("nan")) -> Axis:
    """Put a counter that goes back onto one axis.

    A small way back is a resume from a checkpoint: what is written again wins. So is one from
    further back that goes on in the same interval and beyond the place it left. Any other way back
    (to the beginning, or one that would cost more than a tenth of the rows) is a further training:
    it is put behind the one before.

    Parameters
    ----------
    steps : ndarray of int64, shape (n,)
    marks : sequence of int
        Rows before which the log says that a training begins: there a counter that stands still has
        gone back, too.
    total : float
        Steps that the training was to take; NaN where that is not known.
    """
    n = len(steps)
    kept = np.ones(n, dtype=bool)
    if n == 0:
        return Axis(steps, kept)
    step_by = np.diff(steps)
    marked = np.zeros(n - 1, dtype=bool)
    marked[[m - 1 for m in marks if 0 < m < n]] = True
    back = np.flatnonzero((step_by < 0) | (marked & (step_by == 0))) + 1
    if not len(back):
        return Axis(steps, kept)
    resumes = _resumes(steps, back, _far_resumes(steps, back, marked, total))
    out = steps.astype(np.int64, copy=True)
    shift = 0
    begins: list[int] = []
    bounds = [*(int(b) for b in back), n]
    resumed: list[int | None] = []  # for each way back, the step from which it writes again
    out_last = int(steps[: bounds[0]].max())
    gap = _gap(steps)
    for first, stop in itertools.pairwise(bounds):
        piece = steps[first:stop]
        if first in resumes:
            resumed.append(int(piece[0]) + shift)
        else:
            resumed.append(None)
            begins.append(first)
            # The new training's first step follows one logging interval after the last one.
            shift = max(out_last + gap - int(piece[0]), out_last - int(piece[0]) + 1)
        if (
            int(piece.max()) + shift > LARGEST
        ):  # numbers that large are damage, and so is the order they stand in
            return Axis(
                np.arange(n, dtype=np.int64), np.ones(n, dtype=bool), notes=(_ROWS_COUNTED,)
            )
        out[first:stop] = piece + shift
        out_last = max(int(out[stop - 1]), out_last if first not in resumes else 0)
    least = np.iinfo(np.int64).max
    for first, stop, again in zip(
        reversed([0, *bounds[:-1]]), reversed(bounds), [*reversed(resumed), None], strict=True
    ):
        kept[first:stop] = out[first:stop] < least
        least = np.iinfo(np.int64).max if again is None else min(least, again)
    notes = []
    dropped = int(n - kept.sum())
    if dropped:
        notes.append(
            f"the training was resumed {len(resumes)} time{'s' * (len(resumes) > 1)}: "
            f"{dropped} rows that were written again are left out"
        )
    trainings = 1 + len(begins)
    if trainings > 1:
        notes.append(
            f"the file holds {trainings} trainings; their steps were put one after the other"
        )
    from_start = all(steps[b] <= steps[0] + gap for b in begins)
    anew = tuple(begins) if from_start else ()
    return Axis(out, kept, "unknown", tuple(notes), trainings, takes_turns(steps), anew)


def _resumes(steps: Ints, back: NDArray[np.intp], far: set[int]) -> set[int]:
    """Which of the ways back are resumes.

    `far`, and those that would overwrite at most half of the training before.

    None of the latter is one where together they would cost more than a tenth of the rows. The
    steps of a training are held in order, so that what a way back costs is looked up, however many
    there are.
    """
    found = set(far)
    held = np.empty(len(steps), dtype=np.int64)
    size = cost = begin = 0
    for b in back.tolist():
        piece = steps[begin:b]
        at = int(np.searchsorted(held[:size], piece[0], side="left"))
        held[at : size + len(piece)] = np.sort(
            np.concatenate([held[at:size], piece]), kind="stable"
        )
        size += len(piece)
        begin = b
        if b in far:
            continue
        here = size - int(np.searchsorted(held[:size], steps[b], side="left"))
        if here > 0.5 * size:
            size = 0
            continue
        found.add(b)
        cost += here
        if cost * 10 > len(steps):
            return far
    return found


_FEWEST: Final = (
    4  # rows before and behind a way back from far, and intervals between it and the beginning
)


def _far_resumes(steps: Ints, back: NDArray[np.intp], marked: Mask, total: float) -> set[int]:
    """Ways back to an older checkpoint.

    Above the first step, in the same interval, and on beyond the place they left.

    Where it is known how many steps the training was to take, a stretch that gets no further is
    one, too, if the count would be exceeded otherwise.
    """
    gap = _gap(steps)
    found: set[int] = set()
    if len(back) * 10 > len(steps):  # a counter within epochs, or runs that take turns
        return found
    bounds = [0, *back.tolist(), len(steps)]
    begin, last = int(steps[0]), int(steps[: bounds[1]].max())
    for before, b, stop in zip(bounds, bounds[1:], bounds[2:], strict=False):
        piece = steps[b:stop]
        start, end = int(piece[0]), int(piece.max())
        on_grid = start - begin >= _FEWEST * gap and (start - begin) % gap == 0 and start <= last
        lasts = min(b - before, stop - b) >= _FEWEST and _gap(piece) == gap == _gap(steps[before:b])
        exceeds = max(last, end) <= total < last + gap + end - start
        if on_grid and lasts and not marked[b - 1] and (end > last or exceeds):
            found.add(b)
            last = max(last, end)
        else:
            begin, last = start, end
    return found


_MOST_TURNS: Final = 4


def takes_turns(steps: Ints) -> Ints | None:
    """Which of several runs each row is of, where they wrote into one file side by side.

    None where they did not.

    Each run's counter rises on its own by the usual interval; together they go back again and
    again.
    """
    n = len(steps)
    if n < 3 * _FEWEST or int((np.diff(steps) < 0).sum()) * 5 < n:
        return None
    rises = np.concatenate([steps[lag:] - steps[:-lag] for lag in range(1, _MOST_TURNS + 1)])
    rises = rises[rises > 0]
    if not len(rises):
        return None
    values, counts = np.unique(rises, return_counts=True)
    reach = 3 * int(values[counts.argmax()])
    if float(np.abs(np.diff(steps)).mean()) <= reach and len(distinct(steps)) * 4 > 3 * n:
        return None  # one run, whose lines came out of order
    last: list[int] = []
    of = np.zeros(n, dtype=np.int64)
    for i, step in enumerate(steps.tolist()):
        near = [k for k, at in enumerate(last) if at < step <= at + reach]
        if near:
            of[i] = max(near, key=last.__getitem__)
            last[of[i]] = step
        elif len(last) == _MOST_TURNS:
            return None
        else:
            of[i] = len(last)
            last.append(step)
    rows = [np.flatnonzero(of == k) for k in range(len(last))]
    side_by_side = all(len(r) * 10 >= n and r[0] * 4 < n and r[-1] * 4 > 3 * n for r in rows)
    return of if len(rows) > 1 and side_by_side else None


def _gap(steps: Ints) -> int:
    forward = np.diff(steps)
    forward = forward[forward > 0]
    return max(1, int(median(forward))) if len(forward) else 1


def whole_numbers(values: Floats) -> tuple[Ints, int]:
    """Counter values as integers, and the factor (1 or 1000) that was needed to keep them apart."""
    safe = np.where(np.isfinite(values), values, 0.0).clip(-LARGEST, LARGEST)
    whole = np.rint(safe)
    if np.array_equal(whole, safe) or len(distinct(whole)) * 2 > len(distinct(safe)):
        return whole.astype(np.int64), 1
    return np.rint((safe * 1000).clip(-LARGEST, LARGEST)).astype(np.int64), 1000


def within_epochs(epochs: Ints, inner: Ints, totals: Floats | None = None) -> Ints:
    """Steps from an epoch counter and a counter that restarts with each epoch.

    Parameters
    ----------
    epochs, inner : ndarray of int64, shape (n,)
    totals : ndarray of float64, shape (n,), optional
        Length of the epoch where it is printed (the 938 of ``12/938``); NaN where it is not.

    Returns
    -------
    ndarray of int64, shape (n,)
    """
    if not len(epochs):
        return epochs
    known = np.array([]) if totals is None else totals[np.isfinite(totals) & (totals > 0)]
    if len(known):
        sizes, counts = np.unique(known, return_counts=True)
        # The training's loader is the longer one.
        length = int(sizes[counts * 5 >= counts.max()].max())
    else:
        length = int(inner.max()) + (_gap(inner) if inner.min() <= 0 else 0)
    length = max(1, length)
    place = inner.astype(np.float64)
    if totals is not None and len(known):
        # Another loader (validation) has its own length: what counts is how far it is through the
        # epoch.
        good = np.isfinite(totals) & (totals > 0)
        place = np.where(good, inner * (length / np.where(good, totals, 1.0)), place)
    first = int(epochs.min())
    # A damaged total must not turn the steps round.
    length = max(1, min(length, LARGEST // (int(epochs.max()) - first + 1)))
    return ((epochs - first) * length + np.rint(np.minimum(place, length)).astype(np.int64)).astype(
        np.int64
    )


def beyond(count: int) -> str:
    """What is said of steps that are too large to be any."""
    return f"{count:,} step{'s' * (count > 1)} beyond 2**53: damage, the step before was taken"


def restarts_with(steps: NDArray[np.int64] | Floats, epochs: Floats) -> bool:
    """Whether a step counter begins anew with each epoch."""
    back = np.diff(steps) < 0
    up = np.diff(epochs) > 0
    both = int((back & up).sum())
    return both > 0 and both * 2 >= int(up.sum()) and both * 2 >= int(back.sum())


def counted_in_epochs(epochs: Ints) -> tuple[Ints, int]:
    """Epoch numbers where each epoch holds several rows.

    Steps that keep the rows apart, and rows per epoch.
    """
    start = np.flatnonzero(np.r_[True, np.diff(epochs) != 0])
    sizes = np.diff(np.r_[start, len(epochs)])
    most = int(sizes.max(initial=1))
    if len(epochs) and int(np.abs(epochs).max()) > LARGEST // most:
        return np.arange(len(epochs), dtype=np.int64), most  # no epoch numbers, but damage
    rank = np.arange(len(epochs)) - np.repeat(start, sizes)
    return (epochs * most + rank).astype(np.int64), most
