"""Thinning of a series for reports: few points, and no peak lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gandoctor.lang.middle import distinct
from gandoctor.model.report import Series

if TYPE_CHECKING:
    from gandoctor.model.signals import Signal

MAX_POINTS = 2000


def thin(signal: Signal, most: int = MAX_POINTS) -> Series:
    """Min-max thinning: of each block of rows its lowest and highest value, in order.

    Parameters
    ----------
    signal : Signal
        Shape (n,).
    most : int
        Largest number of points to keep.

    Returns
    -------
    Series
        At most `most` points; NaN and infinities as None. The first non-finite value of a block is
        kept as well as its extremes, so that a break never disappears.
    """
    n = len(signal)
    values = signal.values
    if n <= most:
        keep = np.arange(n)
    else:
        blocks = max(1, most // 3 - 2)
        edges = np.linspace(0, n, blocks + 1).astype(np.int64)
        starts = edges[:-1]
        finite = np.isfinite(values)
        width = int(np.diff(edges).max())
        rows = starts[:, None] + np.arange(width)[None, :]
        inside = rows < edges[1:, None]
        rows = np.minimum(rows, n - 1)
        good = inside & finite[rows]
        low = np.where(good, values[rows], np.inf).argmin(axis=1) + starts
        high = np.where(good, values[rows], -np.inf).argmax(axis=1) + starts
        bad = inside & ~finite[rows]
        broken = (bad.argmax(axis=1) + starts)[bad.any(axis=1)]
        keep = distinct(np.concatenate(([0, n - 1], low, high, broken)))
    shown = values[keep]
    told: list[float] = shown.astype(np.float64).tolist()
    known: list[bool] = np.isfinite(shown).tolist()
    return Series(
        steps=tuple(signal.steps[keep].astype(np.int64).tolist()),
        values=tuple(told)
        if all(known)
        else tuple(v if k else None for v, k in zip(told, known, strict=True)),
    )
