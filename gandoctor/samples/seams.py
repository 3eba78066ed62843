"""Square tiles side by side, without anything between them: by seams, or by what repeats."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np

from gandoctor.lang.middle import median
from gandoctor.samples import evidence

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Sure = Literal["sure", "likely", "a guess"]

MIN_TILE: Final = 6
MAX_TILES_ALONG: Final = 64
_STEP: Final = 1.3  # a seam between tiles is at least this much rougher than the rows next to it
_ALIKE: Final = 0.6
_TELLING: Final = 3  # tiles along a side, from which on a pattern that repeats tells
_FEW: Final = 6  # pictures are enough to see a checkerboard
_BOARD: Final = 0.4  # of the fine texture, which then hides the seams


class Square(NamedTuple):
    """Side of the tiles, what told it, and how sure that is."""

    size: int
    told_by: str
    sure: Sure


def square(pictures: NDArray[np.uint8]) -> Square | None:
    """Square tiles that fill pictures; None where none are found.

    Parameters
    ----------
    pictures : ndarray of uint8, shape (n, height, width, channels)
    """
    rough = _roughness(pictures.mean(axis=3, dtype=np.float32))
    if size := _by_seams(*rough):
        return Square(size, "the seams between them", "likely")
    if size := _by_period(*rough):
        return Square(size, "a pattern that repeats", "a guess")
    if size := _beneath_a_board(pictures):
        return Square(size, "the seams beneath a checkerboard", "likely")
    return None


def _by_seams(down: Floats, across: Floats) -> int:
    """Jumps at even distances: tiles without padding; 0 for none."""
    sizes = _square_sizes(len(down), len(across))
    return next((s for s in sizes if _is_seam(down, s) and _is_seam(across, s)), 0)


def _by_period(down: Floats, across: Floats) -> int:
    """A pattern that repeats: centred objects on a plain ground, without padding or seams."""
    height, width = len(down), len(across)
    for size in _square_sizes(height, width):
        if _enough(height // size, width // size) and all(
            side // size < _TELLING or _repeats(rough, size)
            for side, rough in ((height, down), (width, across))
        ):
            return size
    return 0


def _beneath_a_board(pictures: NDArray[np.uint8]) -> int:
    """Seams that a checkerboard over all of the picture hides: those of means over its fields."""
    n, height, width = pictures.shape[:3]
    few = pictures[np.linspace(0, n - 1, min(n, _FEW)).astype(int)]
    grey = few.mean(axis=3, dtype=np.float32)
    if not evidence.checkerboard(grey) > _BOARD:
        return 0
    for period in evidence.PERIODS:
        if height % period or width % period:
            continue
        fields = grey.reshape(len(grey), height // period, period, width // period, period)
        if size := _by_seams(*_roughness(fields.mean(axis=(2, 4)))):
            return size * period
    return 0


def _enough(rows: int, columns: int) -> bool:
    """Whether what repeats along the longer side does so often enough to tell of the other."""
    most = max(rows, columns)
    return min(rows, columns) >= _TELLING or most > _TELLING


def _roughness(grey: NDArray[np.float32]) -> tuple[Floats, Floats]:
    """Mean step between neighbouring rows, and between neighbouring columns.

    Entry k is the step from k - 1 to k.
    """
    down = np.abs(np.diff(grey, axis=1)).mean(axis=(0, 2), dtype=np.float64)
    across = np.abs(np.diff(grey, axis=2)).mean(axis=(0, 1), dtype=np.float64)
    return np.concatenate([[0.0], down]), np.concatenate([[0.0], across])


def _square_sizes(height: int, width: int) -> list[int]:
    """Sides of square tiles that fill the picture, the smallest first; at least four tiles."""
    return [
        size
        for size in range(MIN_TILE, max(height, width) // 2 + 1)
        if not height % size
        and not width % size
        and 4 <= (height // size) * (width // size) <= MAX_TILES_ALONG**2
    ]


def _is_seam(rough: Floats, size: int) -> bool:
    """Whether every multiple of `size` stands out from the rows beside it and the picture at large.

    Next to the centre of a lone object the rows are rough as well, but so are their neighbours.
    """
    seams = np.arange(size, len(rough), size)
    if not seams.size:
        return True  # a single row of tiles
    beside = np.max([rough[seams + k] for k in (-2, -1, 1, 2)], axis=0)
    stands_out = rough[seams] > _STEP * np.maximum(beside, 0.05)
    usual = float(median(np.delete(rough[1:], seams - 1)))
    return bool(stands_out.all() and rough[seams].mean() > 1.5 * max(usual, 0.05))


def _repeats(rough: Floats, size: int) -> bool:
    """Whether the roughness is like itself one tile further, and unlike itself on the way there."""
    alike = _correlation(rough, size)
    return alike >= _ALIKE and min(_correlation(rough, lag) for lag in range(1, size)) < alike - 0.3


def _correlation(rough: Floats, lag: int) -> float:
    one, two = rough[1:-lag], rough[1 + lag :]
    if len(one) < MIN_TILE or not one.std() or not two.std():
        return 0.0
    return float(np.corrcoef(one, two)[0, 1])
