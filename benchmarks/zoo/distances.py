"""Distances between points, and how well a score tells two sets apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def distances(a: Array, b: Array) -> Array:
    """Euclidean, of shape (n, m)."""
    squared = np.square(a).sum(axis=1)[:, None] + np.square(b).sum(axis=1) - 2 * a @ b.T
    return np.sqrt(np.maximum(squared, 0.0))


def mean_distance(x: Array, at_most: int = 500) -> float:
    """Mean over pairs of the first points."""
    x = x[:at_most]
    return float(distances(x, x).sum() / (len(x) * (len(x) - 1)))


def auc(high: Array, low: Array) -> float:
    """Chance that one of the first is above one of the second; ties count half."""
    ranked = np.sort(low)
    below = np.searchsorted(ranked, high, "left") + np.searchsorted(ranked, high, "right")
    return float(below.mean() / 2 / len(low))


def answers(of_fake: Array, of_held_out: Array, of_train: Array) -> dict[str, float]:
    """How well D's scores tell real examples from samples, and how large they are."""
    return {
        "auc": auc(of_held_out, of_fake),
        "auc_train": auc(of_train, of_fake),
        "score_size": float(max(np.abs(of_fake).mean(), np.abs(of_held_out).mean())),
    }
