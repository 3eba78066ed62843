"""Tiles in a drawn figure: axes on a plain ground, with titles, ticks and frames around them.

A figure is taken apart along its blank rows and columns. What is left are its panels (pictures fill
theirs, curves do not) and letters, which are small. Many panels of one size are the tiles; a single
panel is a grid that was drawn larger or smaller than it was: its tiles begin between pixels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.samples.enlarged import Box, pixels_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]

MIN_PANEL: Final = 8  # pixels along a side
_DIFFERS: Final = 8  # of 255: more than what a JPEG does to a plain ground
_FILLED: Final = 0.55  # of a panel that a picture fills; the curves and letters of a plot fill less
_ROW_FILLED: Final = 0.4  # of a row at its rim: ticks stick out of a panel
_SHARE: Final = 0.12  # of the figure that its panels take, at least
_LARGE: Final = 0.3  # of the largest panel: smaller ones are insets
_A_GRID: Final = 4  # panels of one size, from which on each is a sample
_ROUNDED: Final = 2.0  # pixels that a plot's rounding takes or gives
_WIDEST_RIM: Final = 0.05  # of a panel's side
_DEEP: Final = 12  # cuts one in another
_MOST_LEAVES: Final = 8_192
_MOST_ALONG: Final = 32  # tiles of a grid that was drawn to scale
_LEAST_SIDE: Final = 9.0  # pixels of such a tile
_ALIKE: Final = 0.6  # a profile that repeats is so like itself a tile further
_SQUARE: Final = 0.06  # sides of a tile that differ by less are equal
_SEAM: Final = 1.25  # a seam is so much rougher than what lies between
_SMOOTHED: Final = 4  # pixels over which fine texture averages out


def ground_of(pictures: NDArray[np.uint8]) -> Mask | None:
    """What is plain ground in all pictures, (height, width); None where they have no plain rim."""
    corner = pictures[:, :1, :1].astype(np.int16)
    blank = np.ones(pictures.shape[1:3], dtype=np.bool_)
    for picture, its in zip(pictures, corner, strict=True):
        for c in range(picture.shape[2]):
            near = np.abs(picture[:, :, c].astype(np.int16) - its[:, :, c]) <= _DIFFERS
            np.logical_and(blank, near, out=blank)
    rim = np.concatenate([blank[0], blank[-1], blank[:, 0], blank[:, -1]])
    return blank if rim.mean() > 0.98 else None


def panels(pictures: NDArray[np.uint8]) -> list[Box]:
    """Panels of one size that pictures fill, from left to right and top to bottom.

    Parameters
    ----------
    pictures : ndarray of uint8, shape (n, height, width, channels)
        Figures that were drawn by the same code.

    Returns
    -------
    list of Box
        Empty for a plot of curves, and where the pictures are no figures.
    """
    filled = _filled(pictures)
    best = max((_alike(b, filled) for b in filled), key=_area, default=[])
    size = pictures.shape[1] * pictures.shape[2]
    if _area(best) < _SHARE * size or (len(best) >= _A_GRID and not _on_a_lattice(best)):
        return []
    return _in_order(best)


def large(pictures: NDArray[np.uint8]) -> list[Box]:
    """Panels of whatever size that each take a good part of a figure, in the same order."""
    filled = _filled(pictures)
    most = max((b.area for b in filled), default=0.0)
    return _in_order([b for b in filled if b.area > _LARGE * most])


def _filled(pictures: NDArray[np.uint8]) -> list[Box]:
    blank = ground_of(pictures)
    if blank is None:
        return []
    inked = ~blank
    leaves = (_within_frame(pictures, _within_ticks(inked, leaf)) for leaf in _leaves(inked))
    return [
        b
        for b in leaves
        if min(b.height, b.width) >= MIN_PANEL and inked[pixels_of(b)].mean() >= _FILLED
    ]


def _on_a_lattice(boxes: Sequence[Box]) -> bool:
    """Whether boxes stand in rows and columns without a gap but at the end of the last row."""
    rows = _apart([b.top for b in boxes])
    columns = _apart([b.left for b in boxes])
    if rows is None or columns is None:
        return False
    last = max(b.top for b in boxes) - 2.0
    whole = sum(b.top < last for b in boxes)
    return whole == (rows - 1) * columns


def _apart(starts: Sequence[float]) -> int | None:
    """How many different starts there are; None where they are not at even distances."""
    found: list[float] = []
    for start in sorted(starts):
        if not found or start - found[-1] > _ROUNDED:
            found.append(start)
    distances = np.diff(found)
    return len(found) if not distances.size or np.ptp(distances) <= 2 * _ROUNDED else None


def _area(boxes: Sequence[Box]) -> float:
    return sum(b.area for b in boxes)


def _alike(one: Box, boxes: Sequence[Box]) -> list[Box]:
    """Boxes of the size of one; plots round, and a sample may end in the colour of the ground."""
    high, wide = max(_ROUNDED, 0.04 * one.height), max(_ROUNDED, 0.04 * one.width)
    return [
        b for b in boxes if abs(b.height - one.height) <= high and abs(b.width - one.width) <= wide
    ]


def _in_order(boxes: Sequence[Box]) -> list[Box]:
    half = min((b.height for b in boxes), default=1.0) / 2
    rows: list[list[Box]] = []
    for b in sorted(boxes, key=lambda b: b.top):
        if rows and b.top - rows[-1][0].top < half:
            rows[-1].append(b)
        else:
            rows.append([b])
    return [b for row in rows for b in sorted(row, key=lambda b: b.left)]


def _leaves(inked: Mask) -> Iterator[Box]:
    """What cannot be cut further along a blank row or column."""
    waiting = [(0, inked.shape[0], 0, inked.shape[1], 0)]
    count = 0
    while waiting and count < _MOST_LEAVES:
        top, bottom, left, right, depth = waiting.pop()
        part = inked[top:bottom, left:right]
        rows, columns = (runs_of(np.asarray(part.any(axis=axis))) for axis in (1, 0))
        if not rows or not columns:
            continue
        if (len(rows) == 1 and len(columns) == 1) or depth >= _DEEP:
            count += 1
            yield Box(
                top + rows[0][0], left + columns[0][0], top + rows[-1][1], left + columns[-1][1]
            )
            continue
        for a, b in rows:
            for c, d in columns:
                waiting.append((top + a, top + b, left + c, left + d, depth + 1))


def runs_of(held: Mask) -> list[tuple[int, int]]:
    """Runs of True, as (first, one past the last)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], held, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _within_ticks(inked: Mask, leaf: Box) -> Box:
    """A panel without the ticks that stick out of it."""
    part = inked[pixels_of(leaf)]
    rows = np.flatnonzero(part.mean(axis=1) >= _ROW_FILLED)
    columns = np.flatnonzero(part.mean(axis=0) >= _ROW_FILLED)
    if not rows.size or not columns.size:
        return leaf
    return Box(
        leaf.top + int(rows[0]),
        leaf.left + int(columns[0]),
        leaf.top + int(rows[-1]) + 1,
        leaf.left + int(columns[-1]) + 1,
    )


def _within_frame(pictures: NDArray[np.uint8], panel: Box) -> Box:
    """A panel without a frame of one pixel: wider ones are padding."""
    if min(panel.height, panel.width) < MIN_PANEL:
        return panel
    rims = _rims(pictures, panel)
    return panel.within(1.0) if rims and set(rims) == {1} else panel


def _rims(pictures: NDArray[np.uint8], panel: Box) -> list[int]:
    """How many rows and columns along each side have the corner's colour in all pictures."""
    rows, columns = pixels_of(panel)
    part = pictures[:, rows, columns]
    plain = np.abs(part.astype(np.int16) - part[:1, :1, :1]).max(axis=(0, 3)) <= _DIFFERS
    return [
        int(np.argmin(line))
        for along in (plain.all(axis=1), plain.all(axis=0))
        for line in (along, along[::-1])
        if not line.all()
    ]


# ---------------------------------------------------------------- a grid within one panel


def grid_in(pictures: NDArray[np.uint8], panel: Box) -> tuple[list[Box], float]:
    """Tiles of a grid that fills a panel and was drawn to scale, and how clear its seams are.

    Parameters
    ----------
    pictures : ndarray of uint8, shape (n, height, width, channels)
    panel : Box

    Returns
    -------
    tiles : list of Box
        Empty where no grid is found.
    clear : float
        How many times rougher its faintest seam is than what lies between the seams.
    """
    panel = _half_its_rim(pictures, panel)
    rows, columns = pixels_of(panel)
    part = pictures[:, rows, columns].mean(axis=3, dtype=np.float32)
    down, across = _seams(part, axis=1), _seams(part, axis=2)
    best: tuple[float, int, int] | None = None
    for n, clear_down in down.items():
        for m, clear_across in across.items():
            oblong = (panel.height / n) / (panel.width / m)
            if n * m < 4 or not 1 - _SQUARE < oblong < 1 + _SQUARE:
                continue
            found = (min(clear_down, clear_across), n, m)
            if best is None or n * m > best[1] * best[2]:
                best = found
    if best is None:
        return [], 0.0
    clear, n, m = best
    return _divided(panel, n, m), clear


def _half_its_rim(pictures: NDArray[np.uint8], panel: Box) -> Box:
    """A panel without half of its outer padding, so that each tile has the same share of it."""
    half = min(_rims(pictures, panel), default=0) / 2
    if not 0 < half < _WIDEST_RIM * min(panel.height, panel.width):
        return panel
    return Box(panel.top + half, panel.left + half, panel.bottom - half, panel.right - half)


def _divided(panel: Box, n: int, m: int) -> list[Box]:
    """A panel in `n` rows and `m` columns."""
    high, wide = panel.height / n, panel.width / m
    rows = [panel.top + i * high for i in range(n + 1)]
    columns = [panel.left + k * wide for k in range(m + 1)]
    return [
        Box(rows[i], columns[k], rows[i + 1], columns[k + 1]) for i in range(n) for k in range(m)
    ]


def period_in(pictures: NDArray[np.uint8], panel: Box) -> list[Box]:
    """Tiles of a grid without seams, from what repeats along both sides: objects on a plain ground.

    Empty where nothing repeats.
    """
    rows, columns = pixels_of(panel)
    part = pictures[:, rows, columns].mean(axis=3, dtype=np.float64)
    down, across = _repeats(part.mean(axis=(0, 2))), _repeats(part.mean(axis=(0, 1)))
    pairs = [
        (n, m)
        for n in down
        for m in across
        if abs((panel.height / n) / (panel.width / m) - 1) < _SQUARE
    ]
    return _divided(panel, *max(pairs)) if pairs else []


def _repeats(profile: Floats) -> list[int]:
    """Numbers of tiles, three or more, at whose distance a profile is like itself."""
    length = len(profile)
    at = np.arange(length)

    def alike(lag: float) -> float:
        here = at[at + lag <= length - 1]
        one, two = profile[here], np.interp(here + lag, at, profile)
        if len(one) < MIN_PANEL or not one.std() > 0.5 or not two.std() > 0.5:
            return 0.0
        return float(np.corrcoef(one, two)[0, 1])

    found = []
    for n in range(3, min(_MOST_ALONG, int(length / _LEAST_SIDE)) + 1):
        here = alike(length / n)
        if here >= _ALIKE and alike(0.5 * length / n) < here - 0.5:
            found.append(n)
    return found


def _seams(part: NDArray[np.float32], axis: int) -> dict[int, float]:
    """Numbers of tiles along an axis that the steps between neighbouring rows allow.

    A seam stands out on most of its length; an edge within a sample only where that sample is. Fine
    texture hides the seams of single pixels, but not those of means over a few.
    """
    found = {1: np.inf}
    for profile in (_roughness(part, axis, 1), _roughness(part, axis, _SMOOTHED)):
        for n, clear in _standing_out(profile, part.shape[axis]).items():
            found[n] = max(clear, found.get(n, 0.0))
    return found


def _roughness(part: NDArray[np.float32], axis: int, reach: int) -> Floats:
    """Step between the means of `reach` rows on either side of each place between two rows.

    Roots are taken so that a small step all along the row counts more than a large one on a part.
    """
    rows = np.moveaxis(part, axis, 1).astype(np.float64)
    if reach > 1:
        rows = np.cumsum(rows, axis=2)
        rows = (rows[:, :, reach:] - rows[:, :, :-reach])[:, :, ::reach] / reach
    sums = np.concatenate([np.zeros_like(rows[:, :1]), np.cumsum(rows, axis=1)], axis=1)
    means = (sums[:, reach:] - sums[:, :-reach]) / reach
    steps = np.abs(means[:, reach:] - means[:, :-reach])
    rough = np.sqrt(steps).mean(axis=(0, 2))
    return np.pad(rough, reach - 1)


def _standing_out(rough: Floats, length: int) -> dict[int, float]:
    """Numbers of tiles whose seams are rougher than what lies between, and how much."""
    near = np.maximum(rough, np.maximum(np.r_[rough[1:], 0.0], np.r_[0.0, rough[:-1]]))
    found = {}
    for n in range(2, min(_MOST_ALONG, int(length / _LEAST_SIDE)) + 1):
        seams = np.round(np.arange(1, n) * length / n).astype(int) - 1
        inner = np.ones(len(rough), dtype=np.bool_)
        for k in range(-4, 5):
            inner[np.clip(seams + k, 0, len(rough) - 1)] = False
        inner[:_SMOOTHED] = inner[-_SMOOTHED:] = False
        if inner.sum() < n:
            continue
        usual = float(np.quantile(rough[inner], 0.9))
        clear = float(np.quantile(near[seams], 0.1)) / max(usual, 0.05)
        if clear >= _SEAM:
            found[n] = clear
    return found
