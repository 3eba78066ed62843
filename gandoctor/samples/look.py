"""What a sample file will cost, from its header alone.

Nothing is decoded before all files have been looked at.
"""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from gandoctor.files import npy
from gandoctor.samples import png
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from typing import BinaryIO

HEAD: Final = 1 << 12
# Before the size of a JPEG may stand a thumbnail, a colour profile and notes of a camera, 64 KiB
# each.
JPEG_HEAD: Final = 1 << 19
_FRAMES: Final = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_MAX_DIMENSIONS: Final = 5
_OCTETS: Final = np.dtype(np.uint8)


@dataclass(frozen=True, slots=True)
class Look:
    """A sample file as its header describes it.

    Attributes
    ----------
    kind : "png", "jpeg", "picture" or "array"
        A ``.npy`` is a picture or an array.
    shape : tuple of int
        Height, width and bytes a pixel; of an array its own shape.
    dtype : numpy dtype
        Of the values in the file.
    start : int
        Where the values of an array begin.
    fortran : bool
        Whether an array's first index runs fastest.
    png : png.Shape or None
        Of a PNG.
    """

    kind: Literal["png", "jpeg", "picture", "array"]
    shape: tuple[int, ...]
    dtype: np.dtype[Any] = _OCTETS
    start: int = 0
    fortran: bool = False
    png: png.Shape | None = None

    @property
    def pixels(self) -> int:
        """Of a picture; 0 for an array."""
        return 0 if self.kind == "array" else self.shape[0] * self.shape[1]

    @property
    def length(self) -> int:
        """Values in one sample of an array."""
        return math.prod(self.shape[1:])


def picture(file: BinaryIO) -> Look | None:
    """A PNG or JPEG that begins where `file` stands.

    None for anything else, and for what is too large.
    """
    head = file.read(HEAD)
    if head.startswith(b"\xff\xd8"):
        size = _jpeg_size(head + file.read(JPEG_HEAD - HEAD))
        return Look("jpeg", (*size, 3)) if size and png.fits(*size) else None
    try:
        shape = png.shape_of(head)
    except png.PngError:
        return None
    return Look("png", (shape.height, shape.width, shape.channels), png=shape)


def _jpeg_size(head: bytes) -> tuple[int, int] | None:
    """Height and width of a JPEG; None where its frame is not found."""
    at = 2
    while at + 9 <= len(head):
        if head[at] != 0xFF:
            return None
        marker = head[at + 1]
        if marker == 0xFF:  # padding
            at += 1
        elif marker == 1 or 0xD0 <= marker <= 0xD8:
            at += 2
        elif marker in _FRAMES:
            height, width = struct.unpack_from(">HH", head, at + 5)
            return height, width
        else:
            at += 2 + max(2, int.from_bytes(head[at + 2 : at + 4], "big"))
    return None


def array(file: BinaryIO, size: int) -> Look | None:
    """A ``.npy`` of `size` bytes: None where it is none, is cut off, or would need a pickle.

    numpy parses the header, as a literal; the file is neither mapped nor unpacked.
    """
    head = npy.header(file.read(npy.MOST))
    if head is None:
        return None
    shape, fortran, dtype, start = head
    if (
        dtype.kind not in "fiub"
        or dtype.hasobject
        or not 1 < len(shape) <= _MAX_DIMENSIONS
        or min(shape) < 1
    ):
        return None
    if start + math.prod(shape) * dtype.itemsize > size:
        return None
    is_picture = dtype == np.uint8 and len(shape) == 3 and shape[2] in (3, 4)
    if is_picture and png.fits(shape[0], shape[1]):
        return Look("picture", shape, dtype, start, fortran)
    return Look("array", shape, dtype, start, fortran)
