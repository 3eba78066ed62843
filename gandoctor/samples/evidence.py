"""What samples tell of themselves, with no real picture to compare them with."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

_MOST: Final = 64  # samples that are looked at
_MOST_VALUES: Final = 1_500_000
_LEAST_SIDE: Final = 8  # pixels; nothing can be said of the texture of smaller ones
_FLAT: Final = 3.0  # of 255: a sample that deviates less is one flat colour
_NEAR_END: Final = 2  # of 255: so close to black or white a value is at the end of its range
_COLOURED: Final = 4.0  # of 255, between the channels of a pixel
PERIODS: Final = (2, 4)  # strides of transposed convolutions, one and two of them


class Evidence(NamedTuple):
    """Numbers of one step; NaN where a number cannot be had.

    Attributes
    ----------
    variety : float
        Share of the pixels' variance that lies between samples: 0 where all are the same picture,
        about 1 where they have nothing in common.
    noise : float
        Squared steps between neighbouring pixels, over those of white noise of the same variance,
        the median sample's: 1 for noise, below 0.4 for pictures of anything, 0 for flat colour.
    checkerboard : float
        Share of the fine texture that repeats every 2 or 4 pixels, in phase in all samples.
    saturated : float
        Share of values at either end of their range, of pictures in colour.
    constant_share : float
        Share of samples that are one flat colour.
    """

    variety: float
    noise: float
    checkerboard: float
    saturated: float
    constant_share: float


def of(samples: NDArray[np.uint8], *, as_drawn: bool) -> Evidence:
    """Look at the samples of one step.

    Parameters
    ----------
    samples : ndarray of uint8, shape (n, height, width, channels)
    as_drawn : bool
        Whether they have the pixels that G drew, and were not scaled since.
    """
    some = samples[np.linspace(0, len(samples) - 1, min(_MOST, len(samples))).astype(int)]
    some = _middles(some)
    rest = _variety(some), _saturated(some), _constant_share(some)
    if min(some.shape[1:3]) < _LEAST_SIDE:
        return Evidence(rest[0], math.nan, math.nan, *rest[1:])
    grey = some.mean(axis=3, dtype=np.float32)
    board = checkerboard(grey) if as_drawn else math.nan
    return Evidence(rest[0], _noise(grey), board, *rest[1:])


def _middles(samples: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Of large samples the middle: texture shows in a part as well as in the whole."""
    most = max(_LEAST_SIDE, math.isqrt(_MOST_VALUES // (len(samples) * samples.shape[3])))
    top, left = (max(0, (side - most) // 2) // 4 * 4 for side in samples.shape[1:3])
    return samples[:, top : top + most, left : left + most]


def _variety(samples: NDArray[np.uint8]) -> float:
    values = samples.astype(np.float32)
    between = float(values.var(axis=0).mean())
    whole = float(values.reshape(-1, values.shape[3]).var(axis=0).mean())
    return between / whole if whole > _FLAT**2 else 0.0


def _noise(grey: Floats) -> float:
    variance = grey.var(axis=(1, 2))
    textured = variance > _FLAT**2
    if not textured.any():
        return 0.0
    down = np.square(np.diff(grey, axis=1)).mean(axis=(1, 2))
    across = np.square(np.diff(grey, axis=2)).mean(axis=(1, 2))
    return float(np.median((down + across)[textured] / (4 * variance[textured])))


def checkerboard(grey: Floats) -> float:
    """Share of the fine texture that repeats every 2 or 4 pixels; NaN of plain pictures.

    Parameters
    ----------
    grey : ndarray of float32, shape (n, height, width), 0..255
    """
    if float(grey.std()) <= _FLAT:
        return math.nan
    found = 0.0
    for period in PERIODS:
        n, height, width = grey.shape
        rows, columns = height // period, width // period
        blocks = grey[:, : rows * period, : columns * period]
        blocks = blocks.reshape(n, rows, period, columns, period)
        fine = blocks - blocks.mean(axis=(2, 4), keepdims=True)
        energy = float(np.square(fine).mean())
        pattern = fine.mean(axis=(0, 1, 3))
        if energy > 1.0:
            found = max(found, float(np.square(pattern).mean()) / energy)
    return found


def _saturated(samples: NDArray[np.uint8]) -> float:
    if samples.shape[3] < 3 or float(np.ptp(samples, axis=3).mean()) < _COLOURED:
        return math.nan
    ends = (samples <= _NEAR_END) | (samples >= 255 - _NEAR_END)
    return float(ends.mean())


def _constant_share(samples: NDArray[np.uint8]) -> float:
    deviation = samples.astype(np.float32).std(axis=(1, 2)).max(axis=1)
    return float(np.mean(deviation <= _FLAT))
