"""Whether trainings that stand one after the other in a log are runs of their own.

A counter that begins again where it began is not enough: many a script counts from zero when it
goes on from a checkpoint. What was learned shows in the losses. Those of a network that begins
anew repeat the course of the first beginning; those of one that was loaded stay where they were.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.lang.middle import median

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

_MOST: Final = 4  # trainings; more are phases, folds or a counter within epochs
_LEAST: Final = 10  # rows of each
_BEGINNING: Final = 8  # values of a loss that are compared
_CLEARLY: Final = 2.5  # times nearer to the one than to the other
_ABOVE_NOISE: Final = 3.0  # mean deviations from the median


def of_trainings(
    begins: Sequence[int], rows: int, losses: Iterable[tuple[Ints | None, Floats]]
) -> Ints | None:
    """Which training each row is of; None where they are not clearly runs of their own.

    Parameters
    ----------
    begins : sequence of int
        Rows at which the counter begins again where it first began, ascending.
    rows : int
        Rows of the log.
    losses : iterable of (ndarray of int64 or None, ndarray of float64), each of shape (n,)
        Rows of the values of a loss, ascending, and the values. None: there is one in every row.

    Returns
    -------
    ndarray of int64, shape (rows,), or None
    """
    bounds = [0, *begins, rows]
    if not begins or len(begins) >= _MOST or min(b - a for a, b in pairwise(bounds)) < _LEAST:
        return None
    for_all = np.zeros(len(begins), dtype=np.int64)  # losses that tell of a new beginning at each
    for at, values in losses:
        cuts = np.array(bounds) if at is None else np.searchsorted(at, bounds)
        first = values[: cuts[1]]
        for k, (start, stop) in enumerate(pairwise(cuts[1:].tolist())):
            vote = _vote(first, values[cuts[k] : start], values[start:stop])
            if vote < 0:
                return None
            for_all[k] += vote
    if not for_all.all():
        return None
    return np.repeat(np.arange(len(bounds) - 1), np.diff(bounds)).astype(np.int64)


def _vote(first: Floats, before: Floats, after: Floats) -> int:
    """What one loss says of a restart: 1 it begins anew, -1 it goes on, 0 nothing clear.

    Parameters
    ----------
    first, before, after : ndarray of float64
        Its values in the first training, in the one before the restart, and behind it.
    """
    first, before, after = (v[np.isfinite(v)] for v in (first, before, after))
    n = min(_BEGINNING, len(first), len(before), len(after))
    if n * 2 < _BEGINNING:
        return 0
    begin, end, again = first[:n], before[-n:], after[:n]
    from_begin = float(median(np.abs(again - begin)))
    from_end = float(median(np.abs(again - median(end))))
    noise = float(median(np.abs(end - median(end))))
    if max(from_begin, from_end) <= _ABOVE_NOISE * noise:
        return 0
    if from_end > _CLEARLY * from_begin:
        return 1
    return -1 if from_begin > _CLEARLY * from_end else 0
