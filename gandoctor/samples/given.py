"""Real data that the user names: a folder of pictures, or a file with an array of examples.

Whatever size they have, they are brought to that of the samples they are compared with.
"""

from __future__ import annotations

import gzip
import math
import zipfile
import zlib
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gandoctor.errors import InputError
from gandoctor.patterns import late_pattern
from gandoctor.samples import load, look, png

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from gandoctor.samples.load import Batch

MOST: Final = 512  # examples that are compared with
_LEAST: Final = 64
_PICTURES: Final = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp"})
_FORMATS: Final = ("PNG", "JPEG", "WEBP", "BMP")
_IDX: Final = late_pattern(r"images[.-]idx3-ubyte(\.gz)?$")  # as MNIST is handed out
_MOST_LISTED: Final = 100_000
_MOST_DECODED: Final = 60_000_000  # pixels of all pictures
_MOST_BYTES: Final = 1 << 30  # of an array that is packed
_LEAST_SIDE: Final = 8  # of the rows and columns of a picture
_HINT: Final = "give a folder of pictures, or an .npy or .npz file"


@lru_cache(maxsize=1)
def at(path: Path) -> Given:
    """Real data at a path, opened once for all runs that are compared with it."""
    return Given(path)


class Given:
    """Real data at a path.

    Parameters
    ----------
    path : Path

    Raises
    ------
    InputError
        There are no examples in it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.total = 0
        self._files: list[Path] = []
        self._rows: NDArray[Any] | None = None
        self._large: list[NDArray[np.uint8]] | None = None
        self._made: dict[tuple[tuple[int, ...], tuple[float, float]], Batch | None] = {}
        try:
            self._open()
        except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error) as fault:
            what = f"cannot be read ({type(fault).__name__})"
            raise InputError(what, f"--data {path}", _HINT) from None

    def __str__(self) -> str:
        used = len(self._rows) if self._rows is not None else len(self._large or self._files)
        return f"{min(used, MOST):,} of the {self.total:,} examples in {self.path.name}"

    @property
    def picture(self) -> tuple[int, int, int] | None:
        """Channels, rows and columns of its pictures, where all have the same; else None."""
        if self._rows is None:
            shapes = {p.shape for p in self._pictures()}
        else:
            shapes = {self._rows.shape[1:]} if self._rows.ndim == 4 else set()
        if len(shapes) != 1:
            return None
        height, width, channels = shapes.pop()
        return channels, height, width

    def _open(self) -> None:
        if not self.path.is_dir():
            self._open_file(self.path)
            return
        arrays = []
        for seen, file in enumerate(self.path.rglob("*")):
            if seen >= _MOST_LISTED:
                break
            if file.suffix.lower() in _PICTURES:
                self._files.append(file)
            elif file.suffix.lower() == ".npy" or _IDX.search(file.name):
                arrays.append(file)
        if self._files:
            self._files.sort()
            self.total = len(self._files)
        elif arrays:
            self._open_file(min(arrays, key=lambda f: ("train" not in f.name, f)))
        else:
            raise InputError("holds no pictures and no array", f"--data {self.path}", _HINT)

    def _open_file(self, file: Path) -> None:
        if file.suffix.lower() in _PICTURES:
            self._files, self.total = [file], 1
            return
        rows, self.total = _array(file)
        if rows.ndim < 2 or len(rows) < 2 or not rows[0].size:
            raise InputError("holds no examples", f"--data {file}", _HINT)
        self._rows = _as_pictures(rows)

    def like(self, shape: tuple[int, ...], span: tuple[float, float] = (0.0, 1.0)) -> Batch | None:
        """Examples as samples of that shape are; None where they cannot be.

        Parameters
        ----------
        shape : tuple of int
            Of one sample: (features,), (channels, height, width) or (height, width, channels).
        span : (float, float)
            What black and white are; examples that are no pictures are left as they are.
        """
        key = (shape, span)
        if key not in self._made:
            self._made[key] = self._like(shape, span)
        return self._made[key]

    def _like(self, shape: tuple[int, ...], span: tuple[float, float]) -> Batch | None:
        rows = self._rows
        if rows is not None and rows.ndim != 4:
            flat = rows.reshape(len(rows), -1).astype(np.float32)
            fits = flat.shape[1] == math.prod(shape)
            return load.drawn(flat.reshape(len(flat), *shape), None) if fits else None
        size = _size(shape)
        own = self.picture
        if size is None and own is not None and math.prod(own) == shape[0]:
            size = own
        if size is None:
            return None
        pictures = [_sized(p, size) for p in self._pictures()]
        if len(pictures) < 2:
            return None
        found = load.batch(pictures, None, compared=True)
        if span == (0.0, 1.0):
            return found
        values = span[0] + found.values * (span[1] - span[0])
        return replace(found, values=values, told=None)

    def _pictures(self) -> list[NDArray[np.uint8]]:
        """Examples as they are, each of shape (height, width, channels)."""
        if self._large is None:
            self._large = list(self._rows) if self._rows is not None else self._decoded()
        return self._large

    def _decoded(self) -> list[NDArray[np.uint8]]:
        order = np.random.default_rng(0).permutation(len(self._files))
        found: list[NDArray[np.uint8]] = []
        left = _MOST_DECODED
        for i in order[: 2 * MOST]:
            picture = _decoded(self._files[i])
            if picture is None:
                continue
            found.append(picture)
            left -= picture.size // picture.shape[2]
            if len(found) >= MOST or (left < 0 and len(found) >= _LEAST):
                break
        return found


def _decoded(file: Path) -> NDArray[np.uint8] | None:
    """One picture; None where it is damaged or too large."""
    from PIL import Image

    try:
        with Image.open(file, formats=_FORMATS) as picture:
            if not png.fits(picture.height, picture.width):
                return None
            grey = picture.mode in ("1", "L", "LA")
            pixels: NDArray[np.uint8] = np.asarray(picture.convert("L" if grey else "RGB"))
    except MemoryError:
        raise
    except Exception:  # Pillow raises what it likes on damaged files
        return None
    return pixels[:, :, None] if grey else pixels


def _array(file: Path) -> tuple[NDArray[Any], int]:
    """Evenly spread rows of the array in a file, and how many there are; nothing is unpickled."""
    if _IDX.search(file.name):
        return _some(_idx(file))
    if file.suffix.lower() == ".npz":
        with zipfile.ZipFile(file) as archive:
            names = [i for i in archive.infolist() if i.filename.endswith(".npy")]
            kept = [i for i in names if i.file_size <= _MOST_BYTES]
            if not kept:
                raise InputError("holds no array", f"--data {file}", _HINT)
            with archive.open(max(kept, key=lambda i: i.file_size)) as stream:
                return _some(np.lib.format.read_array(stream, allow_pickle=False))
    with file.open("rb") as stream:
        seen = look.array(stream, file.stat().st_size)
    found = None if seen is None else load.rows(file, replace(seen, kind="array"), MOST)
    if seen is None or found is None:
        raise InputError("holds no array of examples", f"--data {file}", _HINT)
    return found, seen.shape[0]


def _some(rows: NDArray[Any]) -> tuple[NDArray[Any], int]:
    count = len(rows)
    return rows[np.linspace(0, count - 1, min(count, MOST)).astype(np.int64)], count


def _idx(file: Path) -> NDArray[np.uint8]:
    """Pictures as MNIST is handed out."""
    opened = gzip.open if file.suffix == ".gz" else open
    with opened(file, "rb") as stream:
        head = np.frombuffer(stream.read(16), ">u4")
        count, high, wide = (int(n) for n in head[1:])
        if head[0] != 0x803 or count * high * wide > _MOST_BYTES:
            raise InputError("is no file of pictures", f"--data {file}", _HINT)
        data = stream.read(count * high * wide)
    return np.frombuffer(data, np.uint8).reshape(count, high, wide)


def _as_pictures(rows: NDArray[Any]) -> NDArray[Any]:
    """Rows as pictures, (n, height, width, channels) of bytes, where that is what they are."""
    if rows.ndim == 3 and min(rows.shape[1:]) >= _LEAST_SIDE:
        rows = rows[:, :, :, None]
    if rows.ndim != 4:
        return rows
    if rows.shape[1] in (1, 3) and rows.shape[3] not in (1, 3):
        rows = np.moveaxis(rows, 1, 3)
    if rows.shape[3] not in (1, 3):
        return rows.reshape(len(rows), -1)
    if rows.dtype == np.uint8:
        return rows
    low, high = float(np.nanmin(rows)), float(np.nanmax(rows))
    base = -1.0 if low < -0.05 else 0.0
    top = 255.0 if high > 2 else 1.0
    unit = np.clip((np.nan_to_num(rows.astype(np.float32)) - base) / (top - base), 0, 1)
    eight: NDArray[np.uint8] = (unit * 255).round().astype(np.uint8)
    return eight


def _size(shape: tuple[int, ...]) -> tuple[int, int, int] | None:
    """Channels, rows and columns of a sample; None where it is no picture."""
    if len(shape) != 3:
        return None
    if shape[0] in (1, 3):
        return shape[0], shape[1], shape[2]
    return (shape[2], shape[0], shape[1]) if shape[2] in (1, 3) else None


def _sized(picture: NDArray[np.uint8], size: tuple[int, int, int]) -> NDArray[np.uint8]:
    """A picture cut to the middle, brought to a size and to so many channels."""
    from PIL import Image

    channels, high, wide = size
    if picture.shape[:2] != (high, wide):
        scale = max(high / picture.shape[0], wide / picture.shape[1])
        rows, columns = (max(1, round(n / scale)) for n in (high, wide))
        top = max(0, (picture.shape[0] - rows) // 2)
        left = max(0, (picture.shape[1] - columns) // 2)
        cut = picture[top : top + rows, left : left + columns]
        image = Image.fromarray(cut[:, :, 0] if cut.shape[2] == 1 else cut)
        resized = np.asarray(image.resize((wide, high), Image.Resampling.BILINEAR))
        picture = resized.reshape(high, wide, -1)
    if picture.shape[2] == channels:
        return picture
    if channels == 3:
        return np.repeat(picture, 3, axis=2)
    luma = picture.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    return luma.round().astype(np.uint8)[:, :, None]
