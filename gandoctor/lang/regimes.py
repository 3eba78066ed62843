"""Where a run changes for good: change points of a signal's level and of its width."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gandoctor.lang.middle import median

Floats = NDArray[np.float64]

# Medians of so many equal stretches stand for the signal, each of four rows at least: one wild row
# leaves no trace.
STRETCHES: Final = 300
ROWS: Final = 4
# A regime lasts this share of the run at least, and so many stretches.
SHORTEST: Final = 0.08
LEAST: Final = 5
# A change is one of level by this factor, or of width by that one ...
LEVEL: Final = float(np.log(3))
WIDTH: Final = float(np.log(6))
# ... that stands out of the scatter on either side, and comes at once: half of it within a few
# stretches.
STANDS_OUT: Final = 3.0
AT_ONCE: Final = 0.5
MOST: Final = 4


@np.errstate(invalid="ignore", over="ignore")  # differences of exploded losses
def changes(values: Floats) -> tuple[int, ...]:
    """Rows at which a signal enters another regime.

    Binary segmentation by rank (Pettitt 1979) of the logarithm of its level, and of its width, over
    stretches of rows.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        Finite.

    Returns
    -------
    tuple of int
        Rising, at most four; empty where the run is of one piece or has fewer than 40 rows.
    """
    count = min(STRETCHES, values.size // ROWS)
    if count < 2 * LEAST:
        return ()
    edges = np.linspace(0, values.size, count + 1).astype(np.int64)
    level, width = np.empty(count), np.empty(count)
    lengths = np.diff(edges)
    # There are two: all stretches of a length in one go.
    for length in set(lengths.tolist()):
        alike = lengths == length
        parts = values[edges[:-1][alike, None] + np.arange(length)]
        level[alike] = median(parts, axis=1)
        width[alike] = median(np.abs(parts - level[alike, None]), axis=1)
    size = float(median(np.abs(level))) or float(np.abs(level).max()) or 1.0
    least = max(LEAST, int(np.ceil(SHORTEST * count)))
    found: set[int] = set()
    for feature, change in ((_log(np.abs(level), size), LEVEL), (_log(width, size), WIDTH)):
        _cut(feature, 0, count, (change, least), found)
    kept: list[int] = []
    for at in sorted(found):  # one change of both is told once
        if not kept or at - kept[-1] >= least:
            kept.append(at)
    return tuple(int(edges[at]) for at in kept[-MOST:])


def _log(sizes: Floats, size: float) -> Floats:
    """Logarithms; what is a millionth of the signal's own size counts as nothing."""
    return np.asarray(np.log(np.maximum(sizes, 1e-6 * size)))


def _cut(feature: Floats, low: int, high: int, asked: tuple[float, int], found: set[int]) -> None:
    """Split a stretch where its two sides differ most, and each side again."""
    change, least = asked
    if high - low < 2 * least:
        return
    part = feature[low:high]
    ranks = np.argsort(np.argsort(part, kind="stable"), kind="stable") - (part.size - 1) / 2
    places = np.arange(1, part.size)
    weight = np.sqrt(places * (part.size - places))
    apart = np.abs(np.cumsum(ranks)[:-1]) / weight
    inner = slice(least - 1, part.size - least)
    at = int(apart[inner].argmax()) + least
    left, right = part[:at], part[at:]
    gap = abs(float(median(right)) - float(median(left)))
    scatter = max(_scatter(left), _scatter(right))
    near = abs(float(median(right[:LEAST])) - float(median(left[-LEAST:])))
    if gap < max(change, STANDS_OUT * scatter) or near < AT_ONCE * gap:
        return
    found.add(low + at)
    _cut(feature, low, low + at, asked, found)
    _cut(feature, low + at, high, asked, found)


def _scatter(part: Floats) -> float:
    return float(median(np.abs(part - float(median(part)))))
