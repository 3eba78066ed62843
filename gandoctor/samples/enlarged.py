"""Pictures that were drawn larger than they were, and their own pixels.

Where each pixel was drawn as a block of equal ones, the edges of the blocks tell how many there
were, and where they begin to the fraction of a pixel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_LEAST: Final = 8  # blocks along a side
_RIM: Final = 0.05  # of a tile's side
_ENLARGED: Final = 1.08  # times that a picture is drawn larger, at least, for blocks to tell
_MOST_BLOCKS: Final = 0.6  # of the blocks' edges that are seen; of boxes with the same number
_IN_PLACE: Final = 0.96  # of the edges that are where blocks end
_SLACK: Final = 0.05  # pixels that an edge may be off beside its rounding
SIDE: Final = 32  # pixels that a tile is brought to, where its own number cannot be told


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of pixels; rows `top` to `bottom`, columns `left` to `right`, ends excluded."""

    top: float
    left: float
    bottom: float
    right: float

    @property
    def height(self) -> float:
        """Pixels from top to bottom."""
        return self.bottom - self.top

    @property
    def width(self) -> float:
        """Pixels from left to right."""
        return self.right - self.left

    @property
    def area(self) -> float:
        """Pixels within."""
        return self.height * self.width

    def within(self, rim: float) -> Box:
        """What a rim of so many pixels leaves."""
        return Box(self.top + rim, self.left + rim, self.bottom - rim, self.right - rim)


def pixels_of(b: Box) -> tuple[slice, slice]:
    """Rows and columns of a box, to cut it out of a picture."""
    return slice(int(b.top), int(b.bottom)), slice(int(b.left), int(b.right))


def own_size(pictures: NDArray[np.uint8], boxes: Sequence[Box]) -> tuple[list[Box], int, int]:
    """Boxes of one size to the fraction of a pixel, and what they were before they were enlarged.

    Parameters
    ----------
    pictures : ndarray of uint8, shape (n, height, width, channels)
    boxes : sequence of Box

    Returns
    -------
    boxes : list of Box
    height, width : int
        In pixels of their own, each drawn as a block of equal ones; 0 where they are not drawn so:
        they were smoothed, or never scaled.
    """
    down = [_blocks(_edges(pictures, box, 1)) for box in boxes]
    across = [_blocks(_edges(pictures, box, 2)) for box in boxes]
    height, width = _agreed(down), _agreed(across)
    if not height or not width:
        return list(boxes), 0, 0
    if abs(height - width) == 1:  # a block at the rim was cut off
        height = width = max(height, width)
    found = []
    for box, high, wide in zip(boxes, down, across, strict=True):
        top, bottom = _from_to(high, height, box.height)
        left, right = _from_to(wide, width, box.width)
        found.append(Box(box.top + top, box.left + left, box.top + bottom, box.left + right))
    return found, height, width


def _edges(pictures: NDArray[np.uint8], box: Box, axis: int) -> NDArray[np.int64]:
    """Where rows (columns) of a box differ from the one before, in any picture."""
    rows, columns = pixels_of(box)
    part = np.moveaxis(pictures[:, rows, columns], axis, 0)
    edges = np.flatnonzero((part[1:] != part[:-1]).any(axis=(1, 2, 3))) + 1
    # What is next to the rim may be the edge of a frame.
    return np.concatenate([edges[(edges > 1) & (edges < len(part) - 1)], [len(part)]])


def _blocks(edges: NDArray[np.int64]) -> tuple[float, float, int]:
    """First pixel, size and number of the blocks that end at such edges; the last is the length.

    All zero where they are no blocks of one size.
    """
    *_, length = edges.tolist()
    at = edges[:-1].astype(np.float64)
    gaps = np.diff(at)
    if len(gaps) < _LEAST:
        return 0.0, 0.0, 0
    counts = np.bincount(gaps.astype(int), minlength=int(gaps.max()) + 2)
    usual = int(counts.argmax())
    # Blocks of 1.3 pixels are drawn on one or two; a longer gap is an edge that does not show.
    most = usual + 1 if counts[usual + 1] > counts[usual - 1] else usual
    size = float(gaps[(gaps <= most) & (gaps >= most - 1)].mean())
    passed = np.where(gaps <= most, 1.0, np.maximum(np.rint(gaps / size), 2.0))
    start, size, fit = _line(at, np.concatenate([[0], np.cumsum(passed)]))
    if fit < _IN_PLACE:
        # Some edges do not show although their blocks are short: then by the number of blocks.
        likely = range(int(0.94 * length / size), int(min(1.06 * length / size, length)) + 1)
        lines = [_line(at, np.rint(at * own / length)) for own in likely if own > _LEAST]
        start, size, fit = max(lines, key=lambda line: line[2], default=(0.0, 0.0, 0.0))
    if not size >= _ENLARGED or len(at) < _MOST_BLOCKS * length / size or fit < _IN_PLACE:
        return 0.0, 0.0, 0
    start -= size * np.rint(start / size)
    return float(start), size, int(np.rint((length - start) / size))


def _line(at: Floats, k: Floats) -> tuple[float, float, float]:
    """Edges as blocks of one size: where the first begins, the size, the share that is in place."""
    size, start = (float(v) for v in np.polyfit(k, at, 1))
    return start, size, float(np.mean(np.abs(at - start - k * size) <= 0.5 + _SLACK))


def _agreed(found: Sequence[tuple[float, float, int]]) -> int:
    """The number of blocks that most boxes have."""
    counts = [own for _, _, own in found if own]
    best = max(set(counts), key=counts.count, default=0)
    return best if counts.count(best) >= _MOST_BLOCKS * len(found) else 0


def _from_to(blocks: tuple[float, float, int], own: int, length: float) -> tuple[float, float]:
    start, size, count = blocks
    if not count:
        return 0.0, length
    # Of blocks that lie beyond the rim, as few as may be.
    start -= size * max((0, 1), key=lambda k: -abs(start - k * size + own * size / 2 - length / 2))
    return start, start + own * size


def drawn_back(
    picture: NDArray[np.uint8], boxes: Sequence[Box], side: int, *, as_blocks: bool
) -> NDArray[np.uint8]:
    """Tiles of a picture at `side` x `side` pixels.

    Each pixel is the middle of its block, or else the mean of what it covers.
    """
    resized = _middles if as_blocks else _averaged
    return np.stack([resized(picture, b, side) for b in boxes])


def _middles(picture: NDArray[np.uint8], box: Box, side: int) -> NDArray[np.uint8]:
    at = (np.arange(side) + 0.5) / side
    rows = np.clip(box.top + at * box.height, 0, len(picture) - 1).astype(int)
    columns = np.clip(box.left + at * box.width, 0, picture.shape[1] - 1).astype(int)
    found: NDArray[np.uint8] = picture[rows[:, None], columns]
    return found


def _averaged(picture: NDArray[np.uint8], box: Box, side: int) -> NDArray[np.uint8]:
    # The rim is of the frame, or of the next tile.
    inset = max(1.0, _RIM * min(box.height, box.width))
    rows = np.linspace(box.top + inset, box.bottom - inset, side + 1)
    columns = np.linspace(box.left + inset, box.right - inset, side + 1)
    first = (int(rows[0]), int(columns[0]))
    part = picture[first[0] : int(np.ceil(rows[-1])), first[1] : int(np.ceil(columns[-1]))]
    halved = _means(part.astype(np.float64), rows - first[0])
    found = _means(halved.swapaxes(0, 1), columns - first[1]).swapaxes(0, 1)
    return np.clip(np.rint(found), 0, 255).astype(np.uint8)


def _means(values: Floats, edges: Floats) -> Floats:
    """Means along the first axis between edges that lie between pixels."""
    sums = np.concatenate([np.zeros((1, *values.shape[1:])), np.cumsum(values, axis=0)])
    edges = np.clip(edges, 0, len(values))
    whole = np.minimum(edges.astype(int), len(values) - 1)
    part = (edges - whole).reshape(-1, *(1,) * (values.ndim - 1))
    upto = sums[whole] + part * values[whole]
    lengths = np.diff(edges).reshape(-1, *(1,) * (values.ndim - 1))
    found: Floats = np.diff(upto, axis=0) / np.maximum(lengths, 1e-9)
    return found
