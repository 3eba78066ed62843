"""Median and distinct values as numpy gives them, without the modules that numpy's own load."""

from __future__ import annotations

from typing import Any

import numpy as np


def median(values: Any, axis: int | None = None) -> Any:
    """Median of all values, or along the last axis; NaN where one of them is.

    Parameters
    ----------
    values : array_like of float64 or whole numbers
    axis : int, optional
        The last one, or none.
    """
    rows = np.asarray(values)
    if axis is None:
        rows = rows.ravel()
    whole = rows.dtype.kind in "iu"
    if (
        not rows.size
        or not (whole or rows.dtype == np.float64)
        or axis not in (None, -1, rows.ndim - 1)
    ):
        return np.median(values, axis=axis)
    count = rows.shape[-1]
    middle = count // 2
    part = np.partition(
        rows.astype(np.float64) if whole else rows, [*((middle - 1,) * (1 - count % 2)), middle, -1]
    )
    found = part[..., middle] + 0.0  # a sum of zeros, as numpy's mean is, has no sign
    if count % 2 == 0:
        with np.errstate(all="ignore"):
            found = (part[..., middle - 1] + found) / 2
    last = part[..., -1]  # where NaN is sorted to
    if rows.ndim > 1:
        return np.where(np.isnan(last), last, found)
    return last if np.isnan(last) else found


def distinct(values: Any) -> Any:
    """The distinct values in rising order, of a series without NaN.

    Parameters
    ----------
    values : array_like, shape (n,)

    Returns
    -------
    ndarray, shape (k,)
    """
    ordered = np.sort(np.asarray(values))
    return ordered[
        np.concatenate((np.ones(min(1, ordered.size), bool), ordered[1:] != ordered[:-1]))
    ]
