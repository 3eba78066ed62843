"""Whether samples of two looks belong together one by one: noise that is kept, or drawn anew."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.lang.middle import median

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

FEWEST: Final = 6  # samples, among which each has to find its own
MOST: Final = 64
_PAIRS: Final = 12  # looks that are compared with the one before, the last ones
_KEPT: Final = 0.5
_ANEW: Final = 0.15  # beyond chance
_ALIKE: Final = 1e-3  # of their deviation: samples that differ by less cannot be told apart


def kept_share(looks: Sequence[NDArray[np.float64]]) -> float:
    """Share of samples of which the one at the same place of the look before is the nearest.

    Parameters
    ----------
    looks : sequence of ndarray of float64, shape (n, d)
        One sample a row, looks in their order.

    Returns
    -------
    float
        The median over the last dozen pairs of looks; NaN where none has six samples that can be
        told apart.
    """
    pairs = list(itertools.pairwise(looks))[-_PAIRS:]
    found = [one for a, b in pairs if (one := _of_pair(a, b)) is not None]
    return float(median(np.array(found))) if found else float("nan")


def is_kept(share: float, count: int) -> bool | None:
    """Whether the noise is the same at each look; None where it cannot be told.

    Parameters
    ----------
    share : float
        As `kept_share` gives it.
    count : int
        Samples of a look.
    """
    if share >= _KEPT:
        return True
    return False if share <= 1 / max(count, 1) + _ANEW else None


def _of_pair(before: NDArray[np.float64], now: NDArray[np.float64]) -> float | None:
    count = min(len(before), len(now), MOST)
    one, two = before[:count], now[:count]
    if count < FEWEST or not (np.isfinite(one).all() and np.isfinite(two).all()):
        return None
    middle = one.mean(axis=0)
    one, two = one - middle, two - middle
    square = (two * two).sum(axis=1)[:, None] + (one * one).sum(axis=1)[None, :] - 2 * two @ one.T
    apart = square[~np.eye(count, dtype=bool)]
    # Copies of one picture are as near to each other as to themselves.
    if float(one.var(axis=0).sum()) <= _ALIKE * float(median(apart)) or not apart.min() > 0:
        return None
    return float(np.mean(square.argmin(axis=1) == np.arange(count)))
