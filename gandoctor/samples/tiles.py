"""Where the samples stand in a grid picture: found from the pictures, not asked for.

All pictures of one series share their layout, so they are looked at together: what is a line in
every one of them belongs to the grid and not to a sample.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.lang.middle import median
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MIN_TILE: Final = 6
MAX_TILES_ALONG: Final = 64
_PADS: Final = (1, 2, 3, 4, 5, 6, 8, 10, 16)
_STEP: Final = 1.3  # a seam between tiles is at least this much rougher than the rows next to it
_ALIKE: Final = 0.6


@dataclass(frozen=True, slots=True)
class Layout:
    """Tiles of equal size.

    Attributes
    ----------
    rows, columns : tuple of int
        First pixel of each row (column) of tiles.
    height, width : int
        Of a tile.
    """

    rows: tuple[int, ...]
    columns: tuple[int, ...]
    height: int
    width: int

    @property
    def count(self) -> int:
        """Number of tiles."""
        return len(self.rows) * len(self.columns)


def find_layout(pictures: NDArray[np.uint8], *, padded_only: bool = False) -> Layout | None:
    """Layout that all the pictures share.

    Parameters
    ----------
    pictures : ndarray of uint8, shape (n, height, width, channels)
    padded_only : bool
        Trust nothing but padding: for pictures that may well be single samples.

    Returns
    -------
    Layout or None
        None where no grid is found: a single sample, a plot.
    """
    found = _by_background(pictures) or _by_padding(pictures)
    return found if found or padded_only else _by_seams(pictures) or _by_period(pictures)


def cut(picture: NDArray[np.uint8], layout: Layout) -> NDArray[np.uint8]:
    """Tiles of a picture, row by row.

    Parameters
    ----------
    picture : ndarray of uint8, shape (height, width, channels)
    layout : Layout
        Fits into the picture.

    Returns
    -------
    ndarray of uint8, shape (tiles, height, width, channels)
    """
    return np.stack(
        [
            picture[y : y + layout.height, x : x + layout.width]
            for y in layout.rows
            for x in layout.columns
        ]
    )


# ---------------------------------------------------------------- tiles on a background (padding,
# subplots)


def _by_background(pictures: NDArray[np.uint8]) -> Layout | None:
    """Bands of the corner's colour between equal segments."""
    corner = pictures[:, :1, :1]
    blank: NDArray[np.bool_] = np.ones(pictures.shape[1:3], dtype=np.bool_)
    for picture, its in zip(
        pictures, corner, strict=True
    ):  # one by one: wider numbers take several times the room
        for c in range(picture.shape[2]):
            np.logical_and(
                blank, np.abs(picture[:, :, c].astype(np.int16) - its[:, :, c]) <= 1, out=blank
            )
    rows, columns = (
        _segments(np.asarray(blank.all(axis=1))),
        _segments(np.asarray(blank.all(axis=0))),
    )
    if not rows or not columns or len(rows) * len(columns) < 4:
        return None
    height, width = min(b - a for a, b in rows), min(b - a for a, b in columns)
    if not 0.5 <= height / width <= 2 or not (_even(rows) and _even(columns)):
        return None
    return Layout(tuple(a for a, _ in rows), tuple(a for a, _ in columns), height, width)


def _segments(blank: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Runs of False, as (first, one past the last)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[True], blank, [True]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _even(segments: list[tuple[int, int]]) -> bool:
    """Equal lengths and equal distances, a pixel more or less (plots round)."""
    lengths = [b - a for a, b in segments]
    starts = np.diff([a for a, _ in segments])
    return (
        min(lengths) >= MIN_TILE
        and max(lengths) - min(lengths) <= 1
        and (not starts.size or int(np.ptp(starts)) <= 1)
        and len(segments) <= MAX_TILES_ALONG
    )


# ---------------------------------------------------------------- lines of one colour at even
# distances


def _by_padding(pictures: NDArray[np.uint8]) -> Layout | None:
    """Padding lines as torchvision's ``make_grid`` draws them, also in the padding's own colour."""
    first = pictures[:1, :1, :1]
    line = np.all(pictures == first, axis=(0, 3))
    rows, columns = line.all(axis=1), line.all(axis=0)
    best: Layout | None = None
    for pad in _PADS:
        for down in _counts(rows, pad):
            for across in _counts(columns, pad):
                if down * across < 4:
                    continue
                height, width = _tile(rows, pad, down), _tile(columns, pad, across)
                found = Layout(
                    _starts(pad, down, height), _starts(pad, across, width), height, width
                )
                if best is None or _rank(found) > _rank(best):
                    best = found
    return best


def _rank(layout: Layout) -> tuple[bool, int]:
    return layout.height == layout.width, layout.count


def _tile(lines: NDArray[np.bool_], pad: int, count: int) -> int:
    return (len(lines) - pad) // count - pad


def _starts(pad: int, count: int, size: int) -> tuple[int, ...]:
    return tuple(pad + k * (size + pad) for k in range(count))


def _counts(lines: NDArray[np.bool_], pad: int) -> list[int]:
    """Numbers of tiles for which every padding line is drawn, and not all between is."""
    if lines.all():
        return []
    found = []
    for count in range(1, MAX_TILES_ALONG + 1):
        if (len(lines) - pad) % count or _tile(lines, pad, count) < MIN_TILE:
            continue
        period = (len(lines) - pad) // count
        drawn = np.add.outer(np.arange(count + 1) * period, np.arange(pad))
        if (
            lines[drawn].all()
            and not lines[: drawn[-1, 0]].reshape(count, period)[:, pad:].all(axis=1).any()
        ):
            found.append(count)
    return found


# ---------------------------------------------------------------- tiles side by side


def _by_seams(pictures: NDArray[np.uint8]) -> Layout | None:
    """Jumps at even distances: tiles without padding."""
    rough_down, rough_across = _roughness(pictures)
    height, width = pictures.shape[1:3]
    for size in _square_sizes(height, width):
        if _is_seam(rough_down, size) and _is_seam(rough_across, size):
            return _tiling(height, width, size)
    return None


def _by_period(pictures: NDArray[np.uint8]) -> Layout | None:
    """A pattern that repeats: centred objects on a plain ground, without padding or seams."""
    down, across = _roughness(pictures)
    height, width = pictures.shape[1:3]
    for size in _square_sizes(height, width):
        if (
            height // size >= 3
            and width // size >= 3
            and _repeats(down, size)
            and _repeats(across, size)
        ):
            return _tiling(height, width, size)
    return None


def _roughness(pictures: NDArray[np.uint8]) -> tuple[Floats, Floats]:
    """Mean step between neighbouring rows, and between neighbouring columns.

    Entry k is the step from k - 1 to k.
    """
    grey = pictures.mean(axis=3, dtype=np.float32)
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


def _tiling(height: int, width: int, size: int) -> Layout:
    return Layout(tuple(range(0, height, size)), tuple(range(0, width, size)), size, size)
