"""Where generated samples lie among the real data.

Covered or not, on the data or off it, and how far away.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

LEAST: Final = 32  # fewer samples than this say nothing about neighbourhoods
MOST: Final = 256
DIRECTIONS: Final = (
    32  # distances in thousands of pixels are all alike; the data's main directions are not
)
NEIGHBOURS: Final = 5
FINE: Final = 3


class Fidelity(NamedTuple):
    """Where the samples of one step lie among real data.

    Attributes
    ----------
    coverage : float
        Share of real examples that have a sample nearer than their own k-th real neighbour, k the
        larger of 5 and a sixteenth of the examples; 0..1.
    precision : float
        Share of samples within that distance of some real example; 0..1.
    fine_precision : float
        The same with k = 3, as the measure is usually taken: not only in the right place, but
        sharp; 0..1.
    shift : float
        Distance between the means, in standard deviations of the real data (root of the total
        variance).
    distance : float
        Energy distance between samples and data over the mean distance of two real examples: 0 for
        samples of the data's own distribution, up to chance; it sees what is right in kind but
        wrong in proportion.
    turnover : float
        Of the real examples that are covered now or were at the look before, the share that are not
        so at both: 0 where the samples stay on the same examples, 1 where they have moved to others
        (Jaccard distance). NaN at the first look, and where nothing was covered at either.
    """

    coverage: float = math.nan
    precision: float = math.nan
    fine_precision: float = math.nan
    shift: float = math.nan
    distance: float = math.nan
    turnover: float = math.nan


def against(values: NDArray[np.float64], real: NDArray[np.float64]) -> Fidelity:
    """Compare the samples of one step with real data.

    Parameters
    ----------
    values : ndarray, shape (n, d)
    real : ndarray, shape (m, d)

    Returns
    -------
    Fidelity
        All NaN where either side has fewer than 32 finite rows; samples that are not finite count
        as far away.

    References
    ----------
    Naeem et al. 2020, Reliable fidelity and diversity metrics for generative models,
    arXiv:2002.09797 (coverage). Kynkaanniemi et al. 2019, Improved precision and recall metric,
    arXiv:1904.06991 (precision). Szekely and Rizzo 2013, Energy statistics, J. Statistical Planning
    and Inference 143 (distance).
    """
    return Reference(real).against(values)


class Reference:
    """Real data, with what is the same whatever samples it is compared with.

    Parameters
    ----------
    real : ndarray, shape (m, d)
    """

    def __init__(self, real: NDArray[np.float64]) -> None:
        rows = _some(real[np.isfinite(real).all(axis=1)])
        self._enough = len(rows) >= LEAST
        if not self._enough:
            return
        self._centre = rows.mean(axis=0)
        self._spread = math.sqrt(float(rows.var(axis=0).sum()))
        self._enough = self._spread > 0
        if not self._enough:
            return
        self._rows = rows - self._centre
        self._typical = _mean_of_pairs(distances(self._rows, self._rows))
        self._directions = main_directions(self._rows)
        self._placed = self._rows @ self._directions
        among = distances(self._placed, self._placed)
        np.fill_diagonal(among, np.inf)
        wide = max(NEIGHBOURS, len(rows) // 16)
        ranked = np.partition(among, sorted({FINE - 1, wide - 1}), axis=1)
        self._near, self._nearest = ranked[:, wide - 1, None], ranked[:, FINE - 1, None]

    def against(self, values: NDArray[np.float64]) -> Fidelity:
        """Compare the samples of one step, shape (n, d), with the real data.

        See the function of this name.
        """
        return self._look(values)[0]

    def course(self, looks: Iterable[NDArray[np.float64]]) -> list[Fidelity]:
        """Compare the samples of one look after the other, each also with the look before."""
        found: list[Fidelity] = []
        before: NDArray[np.bool_] | None = None
        for values in looks:
            one, covered = self._look(values)
            if before is not None and covered is not None and (before | covered).any():
                same = (before & covered).sum() / (before | covered).sum()
                one = one._replace(turnover=1.0 - float(same))
            found.append(one)
            before = covered
        return found

    def _look(self, values: NDArray[np.float64]) -> tuple[Fidelity, NDArray[np.bool_] | None]:
        """The samples of one look against the real data, and which of these they cover."""
        values = _some(values)
        finite = np.isfinite(values).all(axis=1)
        if not self._enough or len(values) < LEAST:
            return Fidelity(), None
        if not finite.any():
            nowhere = np.zeros(len(self._rows), dtype=bool)
            return Fidelity(coverage=0.0, precision=0.0, fine_precision=0.0), nowhere
        rows = values[finite] - self._centre
        between = distances(self._placed, rows @ self._directions)
        near, nearest = between < self._near, between < self._nearest
        covered: NDArray[np.bool_] = np.asarray(near.any(axis=1))
        told = Fidelity(
            coverage=float(covered.mean()),
            precision=float(near.any(axis=0).sum() / len(values)),
            fine_precision=float(nearest.any(axis=0).sum() / len(values)),
            shift=float(np.linalg.norm(rows.mean(axis=0))) / self._spread,
            distance=self._energy(rows),
        )
        return told, covered

    def _energy(self, rows: NDArray[np.float64]) -> float:
        """Energy distance over the mean distance within the data.

        In all dimensions: the main directions are those of the very examples, which lie further out
        along them than any other sample of the same distribution.
        """
        if len(rows) < 2:
            return math.nan
        apart, within = (
            float(distances(rows, self._rows).mean()),
            _mean_of_pairs(distances(rows, rows)),
        )
        return (2 * apart - self._typical - within) / self._typical


def _mean_of_pairs(distances: NDArray[np.float64]) -> float:
    n = len(distances)
    return float((distances.sum() - np.trace(distances)) / (n * (n - 1)))


def _some(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    return rows if len(rows) <= MOST else rows[np.linspace(0, len(rows) - 1, MOST).astype(int)]


def main_directions(centred: NDArray[np.float64]) -> NDArray[np.float64]:
    """Main directions of the real data, (d, at most 32)."""
    if centred.shape[1] <= DIRECTIONS:
        return np.eye(centred.shape[1])
    # The small side's eigenvectors: a few hundred examples of thousands of pixels.
    values, vectors = np.linalg.eigh(centred @ centred.T)
    keep = np.argsort(values)[::-1][:DIRECTIONS]
    keep = keep[values[keep] > 1e-12 * max(values.max(), 1e-300)]
    found: NDArray[np.float64] = centred.T @ vectors[:, keep] / np.sqrt(values[keep])
    return found


def distances(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Between the rows of one and of another, shape (n, m)."""
    squared = (a * a).sum(axis=1)[:, None] + (b * b).sum(axis=1)[None, :] - 2 * a @ b.T
    found: NDArray[np.float64] = np.sqrt(np.maximum(squared, 0.0))
    return found
