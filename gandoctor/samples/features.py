"""What pictures look like, in numbers that need no trained network: random convolutions.

Distances between pixels say little of pictures: one step to the side changes all of them. The mean
strengths of the responses to random filters, of two layers and in four quarters, keep what is drawn
and how fine, and hardly mind where exactly. Palette and brightness are taken off first, and are
compared apart: a G whose output has the wrong range draws the right things in the wrong colours.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

SIDE: Final = 32  # pictures are brought to this size
LEAST_SIDE: Final = 12  # of smaller ones there is nothing to see
_SEED: Final = 2718
_FIRST: Final = (24, 5)  # filters, and their side
_SECOND: Final = (32, 3)
_COARSE: Final = 8  # what a picture shows from afar, so many blocks along a side
_FLAT: Final = 0.02  # deviation of a picture of one colour
_RANKS: Final = 64  # quantiles by which colours are compared
# Less than this of colour (of 1) is grey.
_LEAST_COLOUR: Final = 0.02
_LUMA: Final = np.array([0.299, 0.587, 0.114], dtype=np.float32)


def thumbs(samples: NDArray[np.uint8]) -> Floats:
    """Pictures brought to one size, in 0..1.

    Parameters
    ----------
    samples : ndarray of uint8, shape (n, height, width, channels)

    Returns
    -------
    ndarray of float32, shape (n, 32, 32, 3)
    """
    values: Floats = samples[:, :, :, :3].astype(np.float32) / np.float32(255)
    small = _area(_area(values, 1), 2)
    return small if small.shape[3] == 3 else np.repeat(small[:, :, :, :1], 3, axis=3)


def _area(values: Floats, axis: int) -> Floats:
    """Means over equal stretches along an axis, which may begin between pixels."""
    size = values.shape[axis]
    moved = np.moveaxis(values, axis, 0)
    sums = np.concatenate([np.zeros_like(moved[:1]), np.cumsum(moved, axis=0, dtype=np.float32)])
    ends = np.linspace(0, size, SIDE + 1)
    whole = np.minimum(ends.astype(int), size - 1)
    part = (ends - whole).astype(np.float32).reshape(-1, *(1,) * (moved.ndim - 1))
    reached = sums[whole] + part * moved[whole]
    return np.moveaxis(np.diff(reached, axis=0) * np.float32(SIDE / size), 0, axis)


def structure(small: Floats) -> NDArray[np.float64]:
    """What pictures show, whatever their palette and brightness.

    Parameters
    ----------
    small : ndarray of float32, shape (n, 32, 32, 3)
        As `thumbs` gives them.

    Returns
    -------
    ndarray of float64, shape (n, 288)
    """
    even = small - small.mean(axis=(1, 2), keepdims=True)
    even /= np.maximum(even.std(axis=(1, 2, 3), keepdims=True), _FLAT)
    one, two = _filters()
    first = np.abs(_convolved(even, one, _FIRST[1]))
    second = np.abs(_convolved(np.sqrt(first), two, _SECOND[1]))
    block = SIDE // _COARSE
    coarse = (even @ _LUMA).reshape(len(even), _COARSE, block, _COARSE, block).mean(axis=(2, 4))
    parts = (_quarters(first), _quarters(second), coarse.reshape(len(even), -1))
    return np.concatenate(parts, axis=1).astype(np.float64)


@lru_cache(maxsize=1)
def _filters() -> tuple[Floats, Floats]:
    """Random filters of both layers, without a response to plain colour."""
    rng = np.random.default_rng(_SEED)
    made = []
    for channels, (count, side) in ((3, _FIRST), (_FIRST[0], _SECOND)):
        weights = rng.normal(size=(channels, side * side, count))
        weights -= weights.mean(axis=1, keepdims=True)
        flat = weights.reshape(-1, count)
        made.append((flat / np.linalg.norm(flat, axis=0)).astype(np.float32))
    return made[0], made[1]


def _convolved(values: Floats, filters: Floats, side: int) -> Floats:
    """Responses at every second place: (n, h, w, c) -> (n, h', w', filters)."""
    windows = np.lib.stride_tricks.sliding_window_view(values, (side, side), axis=(1, 2))
    windows = windows[:, ::2, ::2]
    n, high, wide = windows.shape[:3]
    return (windows.reshape(n * high * wide, -1) @ filters).reshape(n, high, wide, -1)


def _quarters(responses: Floats) -> Floats:
    """Mean responses in four quarters; roots, so that strong edges do not outweigh all."""
    n, high, wide, count = responses.shape
    cut = responses[:, : high // 2 * 2, : wide // 2 * 2]
    means = cut.reshape(n, 2, high // 2, 2, wide // 2, count).mean(axis=(2, 4))
    found: Floats = np.sqrt(means).reshape(n, -1)
    return found


# ---------------------------------------------------------------- palette and brightness


def brightness(small: Floats, real: Floats) -> float:
    """How much brighter samples are than real pictures, in deviations of the latter's pixels."""
    light, usual = small @ _LUMA, real @ _LUMA
    return float((light.mean() - usual.mean()) / max(float(usual.std()), _FLAT))


def palette(small: Floats, real: Floats) -> float:
    """How far the colours of samples are from those of real pictures, whatever their brightness.

    Distance between the distributions of either colour difference (Wasserstein-1), over their
    deviation in the real pictures: 0 for the same palette, 1 for one that is a deviation off.
    """
    ours, theirs = _colours(small), _colours(real)
    spread = max(float(theirs.std(axis=0).mean()), _LEAST_COLOUR)
    ranks = (np.arange(_RANKS) + 0.5) / _RANKS
    apart = np.abs(np.quantile(ours, ranks, axis=0) - np.quantile(theirs, ranks, axis=0))
    return float(apart.mean()) / spread


def _colours(small: Floats) -> Floats:
    """Red and blue less the brightness, of every second pixel: (pixels, 2)."""
    some = small[:, ::2, ::2].reshape(-1, 3)
    return some[:, ::2] - (some @ _LUMA)[:, None]
