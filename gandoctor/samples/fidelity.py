"""Where generated samples lie among the real data: covered or not, on the data or off it, and shifted how far."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST: Final = 32  # fewer samples than this say nothing about neighbourhoods
MOST: Final = 256
DIRECTIONS: Final = 32  # distances in thousands of pixels are all alike; the data's main directions are not
NEIGHBOURS: Final = 5


def against(values: NDArray[np.float64], real: NDArray[np.float64]) -> tuple[float, float, float]:
    """Compare the samples of one step with real data.

    Parameters
    ----------
    values : ndarray, shape (n, d)
    real : ndarray, shape (m, d)

    Returns
    -------
    coverage : float
        Share of real examples that have a sample nearer than their own k-th real neighbour, k the larger of 5 and a
        sixteenth of the examples; 0..1.
    precision : float
        Share of samples within that distance of some real example; 0..1.
    shift : float
        Distance between the means, in standard deviations of the real data (root of the total variance).

    All NaN where either side has fewer than 32 finite rows; samples that are not finite count as far away.

    References
    ----------
    Naeem et al. 2020, Reliable fidelity and diversity metrics for generative models, arXiv:2002.09797 (coverage).
    Kynkaanniemi et al. 2019, Improved precision and recall metric, arXiv:1904.06991 (precision).
    """
    real = _some(real[np.isfinite(real).all(axis=1)])
    values = _some(values)
    finite = np.isfinite(values).all(axis=1)
    if len(real) < LEAST or len(values) < LEAST:
        return math.nan, math.nan, math.nan
    if not finite.any():
        return 0.0, 0.0, math.nan
    rows = values[finite]
    centre = real.mean(axis=0)
    spread = math.sqrt(float(real.var(axis=0).sum()))
    if not spread > 0:
        return math.nan, math.nan, math.nan
    shift = float(np.linalg.norm(rows.mean(axis=0) - centre)) / spread
    directions = _directions(real - centre)
    one, two = (real - centre) @ directions, (rows - centre) @ directions
    among = _distances(one, one)
    np.fill_diagonal(among, np.inf)
    k = max(NEIGHBOURS, len(one) // 16)
    radius = np.partition(among, k - 1, axis=1)[:, k - 1]
    near = _distances(one, two) < radius[:, None]
    return float(near.any(axis=1).mean()), float(near.any(axis=0).sum() / len(values)), shift


def _some(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return rows if len(rows) <= MOST else rows[np.linspace(0, len(rows) - 1, MOST).astype(int)]


def _directions(centred: NDArray[np.float64]) -> NDArray[np.float64]:
    """Main directions of the real data, (d, at most 32)."""
    if centred.shape[1] <= DIRECTIONS:
        return np.eye(centred.shape[1])
    # The small side's eigenvectors: a few hundred examples of thousands of pixels.
    values, vectors = np.linalg.eigh(centred @ centred.T)
    keep = np.argsort(values)[::-1][:DIRECTIONS]
    keep = keep[values[keep] > 1e-12 * max(values.max(), 1e-300)]
    found: NDArray[np.float64] = centred.T @ vectors[:, keep] / np.sqrt(values[keep])
    return found


def _distances(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    squared = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1)[None, :] - 2 * a @ b.T
    found: NDArray[np.float64] = np.sqrt(np.maximum(squared, 0.0))
    return found
