"""Sums that hold between columns in every row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gandoctor.lang.middle import median

if TYPE_CHECKING:
    from numpy.typing import NDArray


def weight_of(
    whole: NDArray[np.float64], part: NDArray[np.float64], rest: NDArray[np.float64]
) -> float | None:
    """Find the k > 0 of ``whole = part + k * rest`` that fits the rows as far as their digits tell.

    Parameters
    ----------
    whole, part, rest : ndarray of float64, shape (n,)
        Finite values at the same steps.

    Returns
    -------
    float or None
        None where no weight fits, where there are fewer than ten rows, and where the rest is too
        flat or too small beside the whole to tell anything.
    """
    size = float(np.max(np.abs(rest), initial=0.0))
    told = np.abs(rest) > 0.01 * size
    if whole.size < 10 or int(told.sum()) < 10 or float(np.std(rest)) < 1e-3 * size:
        return None
    k = float(median((whole - part)[told] / rest[told]))
    scale = np.abs(whole) + np.abs(part) + np.abs(k * rest)
    close = np.abs(whole - part - k * rest) <= 2e-3 * scale + 1e-5
    seen = float(median(np.abs(k * rest))) > 0.01 * float(median(scale))
    return k if seen and k > 0 and float(np.mean(close)) > 0.98 else None
