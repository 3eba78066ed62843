"""Medians, quantiles and distinct values as numpy gives them, without loading `numpy.ma`."""

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
    part = rows.astype(np.float64)
    part.partition([*((middle - 1,) * (1 - count % 2)), middle, -1])
    found = part[..., middle] + 0.0  # a sum of zeros, as numpy's mean is, has no sign
    if count % 2 == 0:
        with np.errstate(all="ignore"):
            found = (part[..., middle - 1] + found) / 2
    last = part[..., -1]  # where NaN is sorted to
    if rows.ndim > 1:
        return np.where(np.isnan(last), last, found)
    return last if np.isnan(last) else found


def quantile(values: Any, shares: Any) -> Any:
    """Quantiles of all values, interpolated as numpy does by default; NaN where one of them is.

    Parameters
    ----------
    values : array_like of float64 or whole numbers
    shares : float or sequence of float
        Each from 0 to 1.

    Returns
    -------
    float64, or ndarray of float64 with the shape of `shares`
    """
    rows = np.asarray(values).ravel()
    if not rows.size or rows.dtype.kind not in "fiu" or rows.dtype.itemsize > 8:
        return np.quantile(values, shares)
    places = (rows.size - 1) * np.asarray(shares, dtype=np.float64)
    below = np.floor(places).astype(np.intp)
    above = np.minimum(below + 1, rows.size - 1)
    wanted = {0, rows.size - 1, *below.ravel().tolist(), *above.ravel().tolist()}
    part = rows.astype(np.float64)
    part.partition(sorted(wanted))
    low, high, share = part[below], part[above], places - below
    with np.errstate(invalid="ignore", over="ignore"):  # infinities, and what nearly is
        gap = high - low
        found = np.where(share >= 0.5, high - gap * (1 - share), low + gap * share)
    found = np.where(np.isnan(part[-1]), np.nan, found)
    return found if found.ndim else np.float64(found)


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
