"""Where the samples stand in a grid picture: found from the pictures, not asked for.

All pictures of one series share their layout, so they are looked at together: what is a line in
every one of them belongs to the grid and not to a sample.
"""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.samples import enlarged, figures, seams
from gandoctor.samples.seams import MAX_TILES_ALONG, MIN_TILE, Sure
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_PADS: Final = (1, 2, 3, 4, 5, 6, 8, 10, 16)
_TRIED: Final = 6  # pictures of a series, where several ways to cut them are tried
_BLOCKS: Final = 3  # along each side of a picture without tiles
_RIM: Final = 0.05  # of a panel, which may be a frame
_LEAST_BLOCK: Final = 8
_PANELS_DIFFER: Final = 2.0  # pixels, by rounding
_CLEAR: Final = 1.6  # seams that are so much rougher than what lies between leave no doubt


@dataclass(frozen=True, slots=True)
class Layout:
    """Tiles of equal size.

    Attributes
    ----------
    rows, columns : tuple of int
        First pixel of each row (column) of tiles.
    height, width : int
        Of a tile; of one that was drawn to scale, what it is brought to.
    told_by : str
        What told the tiles, in words.
    sure : str
        How sure that is.
    boxes : tuple of Box
        Where the tiles stand, where they were drawn to scale; empty where they stand at `rows` and
        `columns`.
    as_blocks : bool
        Whether each pixel was drawn as a block of equal ones, so that it can be had again.
    used : int
        So many tiles hold a sample, those behind them are blank; 0 for all.
    whole : bool
        Whether these are no tiles but parts of a picture, in which none were found.
    """

    rows: tuple[int, ...]
    columns: tuple[int, ...]
    height: int
    width: int
    told_by: str = ""
    sure: Sure = "sure"
    boxes: tuple[enlarged.Box, ...] = ()
    as_blocks: bool = False
    used: int = 0
    whole: bool = False

    @property
    def count(self) -> int:
        """Number of tiles."""
        return self.used or len(self.boxes) or len(self.rows) * len(self.columns)

    def fits(self, picture: NDArray[np.uint8]) -> bool:
        """Whether all tiles lie in a picture."""
        high, wide = picture.shape[:2]
        if self.boxes:
            # Ends are fractions of a pixel, which may be rounded beyond the rim.
            return all(b.bottom <= high + 1 and b.right <= wide + 1 for b in self.boxes)
        return bool(self.rows[-1] + self.height <= high and self.columns[-1] + self.width <= wide)


def find_layout(
    pictures: NDArray[np.uint8], *, padded_only: bool = False, shows: Sequence[str] = ()
) -> Layout | None:
    """Layout that all the pictures share.

    Parameters
    ----------
    pictures : ndarray of uint8, shape (n, height, width, channels)
    padded_only : bool
        Trust nothing but padding: for pictures that may well be single samples.
    shows : sequence of str
        What the panels of a figure show, as `Picture.shows` has it.

    Returns
    -------
    Layout or None
        None where no grid is found: a single sample, a plot.
    """
    if "real" in shows:
        return _by_figure(pictures, shows)
    found = _by_background(pictures)
    if found is None or found.height != found.width:
        padded = _by_padding(pictures)
        is_square = padded is not None and padded.height == padded.width
        found = padded if is_square or found is None else found
    exact = found is not None and found.height == found.width
    if not exact and not padded_only:
        found = _by_figure(pictures) or found or _side_by_side(pictures)
    if found is None or found.boxes:
        return found
    return _drawn_larger(pictures, dataclasses.replace(found, used=_used(pictures, found)))


def _drawn_larger(pictures: NDArray[np.uint8], layout: Layout) -> Layout:
    """A layout whose tiles were drawn larger than they were, so that they can be drawn back."""
    boxes = [
        enlarged.Box(y, x, y + layout.height, x + layout.width)
        for y in layout.rows
        for x in layout.columns
    ][: layout.count]
    own, height, width = enlarged.own_size(pictures, boxes)
    if not height or height != width:
        return layout
    return dataclasses.replace(layout, height=height, width=width, boxes=tuple(own), as_blocks=True)


def in_blocks(pictures: NDArray[np.uint8]) -> Layout | None:
    """Equal parts of pictures in which no tiles were found: enough to tell noise and flat colour.

    None for plots, and for pictures too small to be divided.
    """
    ground = figures.ground_of(pictures)
    if ground is None or ground.all():
        panel = enlarged.Box(0, 0, *pictures.shape[1:3])
    else:
        held = figures.large(pictures)
        if not held:
            return None
        panel = max(held, key=lambda box: box.area)
    (own,), own_height, own_width = enlarged.own_size(pictures, [panel])
    own = own.within(_RIM * min(own.height, own.width))
    high, wide = own.height / _BLOCKS, own.width / _BLOCKS
    boxes = tuple(
        enlarged.Box(y, x, y + high, x + wide)
        for y in (own.top + k * high for k in range(_BLOCKS))
        for x in (own.left + k * wide for k in range(_BLOCKS))
    )
    scale = own_height / panel.height if own_height and own_width else 1.0
    side = int(min(high, wide) * scale)
    if side < _LEAST_BLOCK:
        return None
    return Layout((), (), side, side, boxes=boxes, as_blocks=True, whole=True)


def _used(pictures: NDArray[np.uint8], layout: Layout) -> int:
    """Tiles up to the last one that is not blank in all pictures; 0 for all of them.

    Where the samples do not fill the last row, its rest is left in the padding's colour.
    """
    corner = pictures[:, 0, 0].astype(np.int16)
    blank = [
        bool(np.all(np.abs(tile.astype(np.int16) - corner[:, None, None]) <= 1))
        for tile in (
            pictures[:, y : y + layout.height, x : x + layout.width]
            for y in layout.rows[-1:]
            for x in layout.columns
        )
    ]
    filled = np.flatnonzero(~np.array(blank))
    if layout.boxes or len(layout.rows) < 2 or not filled.size or filled[-1] == len(blank) - 1:
        return 0
    return layout.count - (len(blank) - 1 - int(filled[-1]))


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
    if layout.boxes:
        return enlarged.drawn_back(picture, layout.boxes, layout.height, as_blocks=layout.as_blocks)
    return np.stack(
        [
            picture[y : y + layout.height, x : x + layout.width]
            for y in layout.rows
            for x in layout.columns
        ][: layout.count]
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
    starts = tuple(a for a, _ in rows), tuple(a for a, _ in columns)
    return Layout(*starts, height, width, "the ground between them")


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
                    _starts(pad, down, height),
                    _starts(pad, across, width),
                    height,
                    width,
                    "the padding between them",
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


def _side_by_side(pictures: NDArray[np.uint8]) -> Layout | None:
    """Square tiles without anything between them."""
    found = seams.square(pictures)
    if found is None:
        return None
    height, width = pictures.shape[1:3]
    starts = tuple(range(0, height, found.size)), tuple(range(0, width, found.size))
    return Layout(*starts, found.size, found.size, found.told_by, found.sure)


# ---------------------------------------------------------------- figures


def beside(pictures: NDArray[np.uint8], shows: Sequence[str], layout: Layout) -> Layout | None:
    """Where real samples stand, in figures that show them in a panel beside the generated ones.

    Parameters
    ----------
    pictures : ndarray of uint8, shape (n, height, width, channels)
    shows : sequence of str
        What the panels show; ``real`` is among them.
    layout : Layout
        Of the generated ones.
    """
    held = figures.large(pictures)
    if len(held) != len(shows) or "fake" not in shows or not layout.boxes:
        return None
    real, fake = (held[list(shows).index(what)] for what in ("real", "fake"))
    if max(abs(real.height - fake.height), abs(real.width - fake.width)) > _PANELS_DIFFER:
        return _in_panel(pictures, real)
    down, across = real.top - fake.top, real.left - fake.left
    boxes = (
        enlarged.Box(b.top + down, b.left + across, b.bottom + down, b.right + across)
        for b in layout.boxes
    )
    return dataclasses.replace(layout, boxes=tuple(boxes))


def _by_figure(pictures: NDArray[np.uint8], shows: Sequence[str] = ()) -> Layout | None:
    """Axes of a figure: each a sample, or one of them with a grid in it."""
    if "real" in shows:
        held = figures.large(pictures)
        if len(held) != len(shows) or "fake" not in shows:
            return None
        return _in_panel(pictures, held[list(shows).index("fake")])
    found = figures.panels(pictures)
    if len(found) >= 4:
        return _of_boxes(pictures, found, "the axes they are drawn in", "sure")
    return next((one for p in found if (one := _in_panel(pictures, p))), None)


def _in_panel(pictures: NDArray[np.uint8], panel: enlarged.Box) -> Layout | None:
    """A grid that fills a panel, as it was before it was drawn to scale, or as it is."""
    (own,), own_height, own_width = enlarged.own_size(pictures, [panel])
    if own_height:
        found = _in_blocks_of(pictures, own, (own_height, own_width))
        if found is not None:
            return found
    boxes, clear = figures.grid_in(pictures, panel)
    if boxes:
        return _of_boxes(
            pictures, boxes, "the seams between them", "sure" if clear >= _CLEAR else "likely"
        )
    boxes = figures.period_in(pictures, panel)
    return _of_boxes(pictures, boxes, "a pattern that repeats", "a guess") if boxes else None


def _in_blocks_of(
    pictures: NDArray[np.uint8], panel: enlarged.Box, own: tuple[int, int]
) -> Layout | None:
    """The layout of a panel at its own size, brought back to where its tiles are drawn.

    A frame may have counted as a further row and column.
    """
    high, wide = panel.height / own[0], panel.width / own[1]
    rows = np.clip(panel.top + (np.arange(own[0]) + 0.5) * high, 0, pictures.shape[1] - 1)
    columns = np.clip(panel.left + (np.arange(own[1]) + 0.5) * wide, 0, pictures.shape[2] - 1)
    whole = pictures[:, rows.astype(int)][:, :, columns.astype(int)]
    best: Layout | None = None
    few = whole[np.linspace(0, len(whole) - 1, min(_TRIED, len(whole))).astype(int)]
    frames = ((0, 0), (0, 1), (1, 1))  # blocks at either end
    top = left = 0
    for (first, last), (before, behind) in itertools.product(frames, frames):
        plain = few[:, first : own[0] - last, before : own[1] - behind]
        ways = (_by_background, _by_padding, _side_by_side)
        found = next((one for way in ways if (one := way(plain)) and one.height == one.width), None)
        if found is None:
            continue
        if best is None or found.count > best.count:
            best, top, left = found, first, before
    if best is None:
        return None
    boxes = [
        enlarged.Box(
            panel.top + (top + y) * high,
            panel.left + (left + x) * wide,
            panel.top + (top + y + best.height) * high,
            panel.left + (left + x + best.width) * wide,
        )
        for y in best.rows
        for x in best.columns
    ]
    used = _used(whole[:, top:, left:], best)
    return dataclasses.replace(best, boxes=tuple(boxes[: used or None]), as_blocks=True)


def _of_boxes(
    pictures: NDArray[np.uint8], boxes: Sequence[enlarged.Box], told_by: str, sure: Sure
) -> Layout:
    own, height, width = enlarged.own_size(pictures, boxes)
    is_own = height > 0 and height == width
    if is_own:
        boxes, side = own, height
    else:
        side = min(enlarged.SIDE, int(min(min(b.height, b.width) for b in boxes)))
    rows = sorted({round(b.top) for b in boxes})
    columns = sorted({round(b.left) for b in boxes})
    starts = tuple(rows), tuple(columns)
    return Layout(*starts, side, side, told_by, sure, tuple(boxes), as_blocks=is_own)
