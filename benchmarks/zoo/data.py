"""Small data sets of which the modes are known.

2-D mixtures, and the 8x8 digits of scikit-learn.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

HELD_OUT: Final = 1000


@dataclass(frozen=True, eq=False)
class Dataset:
    """Real data in unit coordinates, about [-1, 1].

    Attributes
    ----------
    name : str
    train : ndarray of float64, shape (n, d)
    held_out : ndarray of float64, shape (m, d)
        Never seen in training; all measurements are against it.
    modes : int
        How many modes there are.
    centres : ndarray of float64, shape (modes, d), or None
        Of a mixture.
    width : float
        Standard deviation of one mode of a mixture.
    labels : ndarray of int64, shape (m,), or None
        Mode of each held-out point, where there are no centres.
    """

    name: str
    train: Array
    held_out: Array
    modes: int
    centres: Array | None = None
    width: float = 0.0
    labels: NDArray[np.int64] | None = None

    @property
    def dim(self) -> int:
        return int(self.train.shape[1])

    @cached_property
    def spread(self) -> float:
        """Root of the total variance: the unit in which distances are given."""
        return float(np.sqrt(self.held_out.var(axis=0).sum()))


def _ring(n: int, radius: float = 0.8, turn: float = 0.0) -> Array:
    angle = 2 * np.pi * (np.arange(n) + turn) / n
    return radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _grid(n: int) -> Array:
    line = np.linspace(-0.8, 0.8, n)
    return np.stack([a.ravel() for a in np.meshgrid(line, line)], axis=1)


def _spiral(n: int) -> Array:
    turn = np.sqrt(np.linspace(0.04, 1.0, n))  # about equal distances along the arm
    angle = 2 * np.pi * 1.4 * turn
    return 0.85 * turn[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _cross() -> Array:
    line = np.linspace(-0.75, 0.75, 5)
    both = np.concatenate([np.stack([line, line], axis=1), np.stack([line, -line], axis=1)])
    return np.unique(both.round(9), axis=0)


def _hexagons() -> Array:
    rows = [(0.0, 3), (0.6, 4), (-0.6, 4)]
    return np.array([((i - (n - 1) / 2) * 0.55, y) for y, n in rows for i in range(n)])


# name -> centres, standard deviation of a mode
MIXTURES: Final[dict[str, tuple[Callable[[], Array], float]]] = {
    "ring6": (lambda: _ring(6), 0.05),
    "grid9": (lambda: _grid(3), 0.07),
    "spiral8": (lambda: _spiral(8), 0.06),
    # the test split's
    "ring9": (lambda: _ring(9, turn=0.3), 0.06),
    "cross9": (_cross, 0.07),
    "hex11": (_hexagons, 0.07),
}
DIGITS: Final = ("digits", "digits-negative")


def load(name: str, samples: int, seed: int) -> Dataset:
    """Make a data set.

    Parameters
    ----------
    name : str
        One of `MIXTURES` or `DIGITS`.
    samples : int
        Size of the training set; the digits have at most 1,400.
    seed : int

    Raises
    ------
    ValueError
        No such data set.
    """
    rng = np.random.default_rng([seed, 20])
    if name in DIGITS:
        return _digits(name, samples, rng)
    if name not in MIXTURES:
        raise ValueError(f"data.name: {name} is none of {', '.join((*MIXTURES, *DIGITS))}")
    make, width = MIXTURES[name]
    centres = make()

    def draw(n: int) -> Array:
        return centres[rng.integers(len(centres), size=n)] + rng.normal(0.0, width, (n, 2))

    return Dataset(name, draw(samples), draw(HELD_OUT), len(centres), centres=centres, width=width)


def _digits(name: str, samples: int, rng: np.random.Generator) -> Dataset:
    pixels, labels = _scanned()
    # The same held-out part for every seed.
    order = np.random.default_rng(8).permutation(len(pixels))
    sign = -1.0 if name == "digits-negative" else 1.0
    pixels, labels = sign * (pixels[order] / 8.0 - 1.0), labels[order].astype(np.int64)
    train = pixels[:1400][rng.permutation(1400)[:samples]]
    return Dataset(name, train, pixels[1400:], 10, labels=labels[1400:])


def _scanned() -> tuple[Array, NDArray[np.int64]]:
    """The digits that scikit-learn ships, read without importing it: that takes longer."""
    found = importlib.util.find_spec("sklearn")
    if found is None or found.origin is None:
        raise ValueError("data.name: the digits are those of scikit-learn, which is not installed")
    table = np.loadtxt(Path(found.origin).parent / "datasets/data/digits.csv.gz", delimiter=",")
    return table[:, :-1], table[:, -1].astype(np.int64)
