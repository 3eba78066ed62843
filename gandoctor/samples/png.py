"""PNG pictures of equal size, decoded together with zlib and numpy.

Read are the kinds that sample grids come in: 8 bits a channel, grey, RGB, with or without alpha, or
a palette, not interlaced. Filters that depend on the pixel to the left (``Average``, ``Paeth``) are
undone along anti-diagonals, where all pixels are independent of each other, for all pictures of a
batch at once.

References
----------
W3C, Portable Network Graphics (PNG) Specification, https://www.w3.org/TR/png-3/
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
MAX_PIXELS: Final = 16_000_000
MAX_SIDE: Final = (
    16_384  # a filter is undone row by row or diagonal by diagonal: 1 x 16,000,000 takes minutes
)
# Bytes a pixel, by colour type: grey, RGB, palette, grey + alpha, RGB + alpha.
_CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_BATCH_BYTES: Final = 4_000_000
_SUB, _UP, _AVERAGE, _PAETH = 1, 2, 3, 4


class PngError(ValueError):
    """A picture that cannot be decoded: damaged, or of a kind that is not read."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Size and kind of a picture.

    Attributes
    ----------
    height, width : int
        In pixels.
    colour : int
        Colour type of the specification.
    """

    height: int
    width: int
    colour: int

    @property
    def channels(self) -> int:
        """Bytes a pixel in the file."""
        return _CHANNELS[self.colour]


def fits(height: int, width: int) -> bool:
    """Whether a picture of that size is decoded."""
    return 0 < height <= MAX_SIDE and 0 < width <= MAX_SIDE and height * width <= MAX_PIXELS


def shape_of(data: bytes) -> Shape:
    """Size and kind of a picture, from its first 33 bytes.

    Raises
    ------
    PngError
        No PNG, too large, or of a kind that is not read.
    """
    if len(data) < 33 or not data.startswith(SIGNATURE) or data[12:16] != b"IHDR":
        raise PngError("no PNG")
    width, height, depth, colour, _, _, interlaced = struct.unpack_from(">IIBBBBB", data, 16)
    if not fits(height, width):
        raise PngError(f"{width} x {height} pixels")
    if depth != 8 or colour not in _CHANNELS or interlaced:
        raise PngError(
            f"{depth} bits a channel, colour type {colour}{', interlaced' if interlaced else ''}"
        )
    return Shape(height, width, colour)


def is_of(data: bytes, shape: Shape | None) -> bool:
    """Whether a file still is what it was when it was looked at."""
    try:
        return shape_of(data) == shape
    except PngError:
        return False


def decode(pictures: Sequence[bytes]) -> list[NDArray[np.uint8] | None]:
    """Decode pictures of equal `shape_of`.

    Parameters
    ----------
    pictures : sequence of bytes
        Whole files.

    Returns
    -------
    list of ndarray of uint8, shape (height, width, channels), or None
        Channels are 1 or 3: alpha is dropped, a palette looked up. None where a picture is damaged.
    """
    if not pictures:
        return []
    shape = shape_of(pictures[0])
    raw: list[NDArray[np.uint8] | None] = []
    for data in pictures:
        try:
            raw.append(_scanlines(data, shape))
        except (PngError, zlib.error, struct.error):
            raw.append(None)
    good = [i for i, lines in enumerate(raw) if lines is not None]
    at_once = max(1, _BATCH_BYTES // (shape.height * shape.width * shape.channels))
    found: list[NDArray[np.uint8] | None] = [None] * len(pictures)
    for start in range(0, len(good), at_once):
        some = good[start : start + at_once]
        lines = np.stack([line for i in some if (line := raw[i]) is not None])
        for i, pixels in zip(some, _unfilter(lines, shape), strict=True):
            found[i] = _colours(pixels, shape, pictures[i])
    return found


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(SIGNATURE)
    while at + 12 <= len(data):
        (size,) = struct.unpack_from(">I", data, at)
        kind = data[at + 4 : at + 8]
        yield kind, data[at + 8 : at + 8 + size]
        if kind == b"IEND":
            return
        at += 12 + size


def _scanlines(data: bytes, shape: Shape) -> NDArray[np.uint8]:
    """Filtered rows, each behind its filter byte: (height, 1 + width * channels).

    Inflates no more than that.
    """
    if shape_of(data) != shape:
        raise PngError("another size")
    row = 1 + shape.width * shape.channels
    plain = bytearray()
    inflate = zlib.decompressobj()
    for kind, body in _chunks(data):
        room = shape.height * row - len(plain)
        if kind == b"IDAT" and room and not inflate.eof:
            plain += inflate.decompress(inflate.unconsumed_tail + body, room)
    if len(plain) < shape.height * row:
        raise PngError("the picture is cut off")
    return np.frombuffer(plain, dtype=np.uint8).reshape(shape.height, row)


def _unfilter(lines: NDArray[np.uint8], shape: Shape) -> NDArray[np.uint8]:
    """Undo the row filters of n pictures: (n, height, 1 + width * c) -> (n, height, width, c)."""
    n, h, w, c = lines.shape[0], shape.height, shape.width, shape.channels
    filters = lines[:, :, 0]
    pixels = lines[:, :, 1:].reshape(n, h, w, c).copy()
    sub = filters == _SUB
    pixels[sub] = np.add.accumulate(pixels[sub], axis=1, dtype=np.uint8)
    if not (filters > _SUB).any():
        return pixels
    if not (filters > _UP).any():
        for y in range(1, h):
            up = filters[:, y] == _UP
            pixels[up, y] += pixels[up, y - 1]
        return pixels
    return _along_diagonals(pixels, filters)


def _along_diagonals(pixels: NDArray[np.uint8], filters: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Undo `Up`, `Average` and `Paeth`; rows of the other filters are final already.

    The pixels of diagonal t, (y, t - y), stand w - 1 apart. Only the two diagonals before are kept
    beside the picture, with row 0 for the row above it, which is all zero.
    """
    n, h, w, c = pixels.shape
    cells = pixels.reshape(n, h * w, c).view(f"V{c}")[:, :, 0]  # a pixel is moved in one piece
    before, last_but_one = (np.zeros((n, h + 1, c), dtype=np.int16) for _ in range(2))
    masks = [np.ascontiguousarray((filters == f)[:, :, None]) for f in (_UP, _AVERAGE, _PAETH)]
    for t in range(h + w - 1):
        first, last = max(0, t - w + 1), min(h, t + 1)
        rows, above = slice(first + 1, last + 1), slice(first, last)
        left, up, corner = before[:, rows], before[:, above], last_but_one[:, above]
        is_up, is_average, is_paeth = (m[:, first:last] for m in masks)
        by_left, by_up = np.abs(up - corner), np.abs(left - corner)
        by_corner = np.abs(left + up - 2 * corner)
        paeth = np.where(
            (by_left <= by_up) & (by_left <= by_corner),
            left,
            np.where(by_up <= by_corner, up, corner),
        )
        predicted = np.where(
            is_paeth, paeth, np.where(is_average, (left + up) >> 1, np.where(is_up, up, 0))
        )
        start = first * w + t - first
        here = slice(start, start + (last - first - 1) * (w - 1) + 1, max(1, w - 1))
        raw = np.ascontiguousarray(cells[:, here]).view(np.uint8).reshape(n, last - first, c)
        raw += predicted.astype(np.uint8)
        cells[:, here] = raw.view(f"V{c}")[:, :, 0]
        # Row y of a diagonal is the left neighbour of row y of the next: what is no longer in the
        # picture is not read.
        last_but_one[:, rows] = raw
        before, last_but_one = last_but_one, before
    return pixels


def _colours(pixels: NDArray[np.uint8], shape: Shape, data: bytes) -> NDArray[np.uint8] | None:
    if shape.colour == 3:
        palette = next((body for kind, body in _chunks(data) if kind == b"PLTE"), b"")
        colours = np.zeros((256, 3), dtype=np.uint8)
        known = np.frombuffer(palette[: 3 * min(256, len(palette) // 3)], dtype=np.uint8).reshape(
            -1, 3
        )
        colours[: len(known)] = known
        return colours[pixels[:, :, 0]] if len(known) else None
    # The last channel of these two is how see-through a pixel is.
    return pixels[:, :, :-1] if shape.colour in (4, 6) else pixels
