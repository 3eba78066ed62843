"""Sample files to arrays: bounded, never executed, never outside the run's folder."""

from __future__ import annotations

import binascii
import io
import math
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gandoctor.samples import evidence, features, fidelity, look, tiles
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from typing import BinaryIO

    from numpy.typing import NDArray

    from gandoctor.model.signals import Picture
    from gandoctor.samples.look import Look

MAX_VALUES: Final = 4_000_000
MAX_SAMPLES: Final = 1_024
MOST_READ: Final = 256 << 20  # bytes of an array whose rows do not lie together
_CHUNK: Final = 8 << 20
# What a picture carries beside itself: colour profile, thumbnail, the settings.
_ROOM_FOR_NOTES: Final = 1 << 20
_MOST_SCANS: Final = 64
_HEAD_WRITTEN: Final = 1 << 13
_JPEG_WRITTEN: Final = b"/9j/"
_SIDE: Final = 64  # larger tiles are shrunk: diversity shows at this size


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """The samples of one step.

    Attributes
    ----------
    values : ndarray of float64, shape (n, d)
        One sample a row. Pictures of 8 bits are in 0..1.
    image_like : bool
        Whether a sample is a picture (or something as long), so that it makes sense to call one of
        them constant.
    low, high : float
        Smallest and largest value before anything was shrunk.
    told : Evidence or None
        What pictures tell of themselves; None for arrays.
    small : ndarray of float32, shape (n, 32, 32, 3), or None
        The pictures brought to one size, where there are others to compare them with.
    """

    values: NDArray[np.float64]
    image_like: bool
    low: float
    high: float
    told: evidence.Evidence | None = None
    small: NDArray[np.float32] | None = None


@lru_cache(maxsize=64)
def _inside(name: str, root: Path) -> Path | None:
    """The regular file of that name below `root`; None where links or dots lead elsewhere."""
    path = (root / name).resolve(strict=True)
    return path if path.is_relative_to(root.resolve()) and path.is_file() else None


def look_at(picture: Picture, root: Path) -> Look | None:
    """What a file will cost, from its header; None where it is not read, or lies outside `root`."""
    try:
        path = _inside(picture.path, root)
        if path is None:
            return None
        with path.open("rb") as file:
            if path.suffix.lower() == ".npy":
                found = look.array(file, path.stat().st_size)
                return found if found and (found.pixels or found.length <= MAX_VALUES) else None
            file.seek(picture.offset)
            return look.picture(_head(file, picture) if picture.written else file)
    except (OSError, RuntimeError, ValueError):
        return None


def read_bytes(picture: Picture, root: Path, seen: Look) -> bytes | None:
    """The encoded picture; None where it cannot be had or is too large.

    No picture is longer packed than plain, so of a longer file no more than that is read.
    """
    try:
        path = _inside(picture.path, root)
        if path is None:
            return None
        size = picture.length or path.stat().st_size
        with path.open("rb") as file:
            file.seek(picture.offset)
            most = math.prod(seen.shape) + _ROOM_FOR_NOTES
            if picture.written:
                return _from_base64(file.read(min(size, most + most // 2)))
            return file.read(min(size, most))
    except (OSError, RuntimeError, ValueError):
        return None


def _head(file: BinaryIO, picture: Picture) -> io.BytesIO:
    """The beginning of a picture that is written in base64: as much as tells its size."""
    start = file.read(min(picture.length, _HEAD_WRITTEN))
    if start.startswith(_JPEG_WRITTEN):
        start += file.read(min(picture.length - len(start), look.JPEG_HEAD * 3 // 2))
    return io.BytesIO(_from_base64(start))


def _from_base64(text: bytes) -> bytes:
    """Bytes as they are written in a JSON text, with its line breaks, quotes and commas."""
    plain = text.replace(b"\\n", b"").translate(None, b'\\", \r\n')
    return binascii.a2b_base64(plain[: len(plain) // 4 * 4])


def array(
    picture: Picture, root: Path, seen: Look, most: int = MAX_SAMPLES
) -> Batch | NDArray[np.uint8] | None:
    """A ``.npy`` file: a batch of samples, or one picture (uint8, shape (height, width, 3)).

    Of a large array evenly spread samples are taken, `most` of them. The file is read, never
    mapped: a mapping of a file that somebody cuts off meanwhile ends the process without a word.
    """
    most = (
        seen.shape[0] if seen.pixels else max(2, min(most, MAX_SAMPLES, MAX_VALUES // seen.length))
    )
    try:
        path = _inside(picture.path, root)
        found = None if path is None else rows(path, seen, most)
    except (OSError, RuntimeError, ValueError):
        return None
    if found is None:
        return None
    if seen.pixels:
        return np.ascontiguousarray(found[:, :, :3]).astype(np.uint8)
    values = found.astype(np.float64)
    finite = np.isfinite(values)
    low, high = math.nan, math.nan
    if finite.any():
        low = float(values.min(where=finite, initial=math.inf))
        high = float(values.max(where=finite, initial=-math.inf))
    is_picture = found.ndim >= 4 or (found.ndim == 3 and seen.length >= 256)
    flat = _shrunk(values) if is_picture else values.reshape(len(values), -1)
    return Batch(flat, seen.length >= 16, low, high)


def rows(path: Path, seen: Look, most: int) -> NDArray[Any] | None:
    """Evenly spread rows of an array on disk, no more than `most`.

    None where it is cut off under our eyes.
    """
    count = seen.shape[0]
    wanted = np.linspace(0, count - 1, most).astype(np.int64) if count > most else np.arange(count)
    with path.open("rb", buffering=0) as file:
        if seen.fortran:
            return _columns(file, seen, wanted)
        rows = np.empty((len(wanted), seen.length), dtype=seen.dtype)
        file.seek(seen.start)
        if len(wanted) == count:
            return rows.reshape(seen.shape) if _filled(file, rows) else None
        for row, i in zip(rows, wanted.tolist(), strict=True):
            file.seek(seen.start + i * row.nbytes)
            if not _filled(file, row):
                return None
    return rows.reshape(len(wanted), *seen.shape[1:])


def _columns(file: BinaryIO, seen: Look, wanted: NDArray[np.int64]) -> NDArray[Any] | None:
    """As `rows` where the first index runs fastest.

    Every column is read for a few of its values.
    """
    if math.prod(seen.shape) * seen.dtype.itemsize > MOST_READ:
        return None
    rows = np.empty((seen.length, len(wanted)), dtype=seen.dtype)
    at_once = max(1, _CHUNK // (seen.shape[0] * seen.dtype.itemsize))
    file.seek(seen.start)
    for first in range(0, seen.length, at_once):
        part = np.empty((min(at_once, seen.length - first), seen.shape[0]), dtype=seen.dtype)
        if not _filled(file, part):
            return None
        rows[first : first + len(part)] = part[:, wanted]
    return rows.ravel().reshape((len(wanted), *seen.shape[1:]), order="F")


def _filled(file: BinaryIO, into: NDArray[Any]) -> bool:
    """Read until the array is full; False where the file ends before."""
    room = into.reshape(-1).view(np.uint8).data
    at = 0
    while at < len(room):
        got = file.readinto(room[at : at + _CHUNK])  # type: ignore[attr-defined]
        if not got:
            return False
        at += got
    return True


def batch(
    pictures: Sequence[NDArray[np.uint8]], layout: tiles.Layout | None, *, compared: bool = False
) -> Batch:
    """Samples of one step, from its pictures: cut by the layout, or each picture a sample.

    Parameters
    ----------
    pictures : sequence of ndarray of uint8, shapes (height, width, channels)
    layout : Layout, optional
    compared : bool
        Whether there are real pictures to compare them with.
    """
    cuts = [tiles.cut(p, layout) if layout else p[None] for p in pictures]
    samples = cuts[0][:MAX_SAMPLES] if len(cuts) == 1 else np.concatenate(cuts)[:MAX_SAMPLES]
    low, high = float(samples.min()) / 255.0, float(samples.max()) / 255.0
    told = evidence.of(samples, as_drawn=layout is None or not layout.boxes or layout.as_blocks)
    small = _small(samples) if compared else None
    values = _shrunk(samples)  # shrunk first: floats take eight times the room
    most = max(2, MAX_VALUES // values.shape[1])
    if len(values) > most:
        values = values[np.linspace(0, len(values) - 1, most).astype(np.int64)]
    return Batch(values.astype(np.float64) / 255.0, True, low, high, told, small)


def _small(samples: NDArray[np.uint8]) -> NDArray[np.float32] | None:
    """Pictures brought to one size, no more than are compared; None of what is too small."""
    if min(samples.shape[1:3]) < features.LEAST_SIDE:
        return None
    at = np.linspace(0, len(samples) - 1, min(fidelity.MOST, len(samples))).astype(int)
    return features.thumbs(samples[at])


def drawn(values: NDArray[np.float32], told_of: NDArray[np.uint8] | None) -> Batch:
    """Samples in memory, as those of a file are held.

    Parameters
    ----------
    values : ndarray, shape (n, d) or (n, channels, height, width)
    told_of : ndarray of uint8, shape (n, height, width, channels), or None
        The same as pictures, where they are some.
    """
    wide = values.astype(np.float64)
    finite = np.isfinite(wide)
    low = float(wide.min(where=finite, initial=math.inf)) if finite.any() else math.nan
    high = float(wide.max(where=finite, initial=-math.inf)) if finite.any() else math.nan
    flat = _shrunk(wide) if wide.ndim == 4 else wide.reshape(len(wide), -1)
    told = evidence.of(told_of, as_drawn=True) if told_of is not None else None
    return Batch(flat, flat.shape[1] >= 16, low, high, told)


def _shrunk(samples: NDArray[Any]) -> NDArray[Any]:
    """Means over square blocks of pictures larger than 64 pixels; flat: (n, ...) -> (n, d)."""
    if samples.ndim == 4 and samples.shape[1] in (1, 3, 4) and samples.shape[3] not in (1, 3, 4):
        samples = samples.transpose(0, 2, 3, 1)
    if samples.ndim in (3, 4):
        block = max(1, max(samples.shape[1:3]) // _SIDE)
        height, width = samples.shape[1] // block, samples.shape[2] // block
        if block > 1 and height and width:
            cropped = samples[:, : height * block, : width * block]
            shape = (len(samples), height, block, width, block, -1)
            samples = cropped.reshape(shape).mean(axis=(2, 4))
    return samples.reshape(len(samples), -1)


def jpeg(data: bytes, seen: Look) -> NDArray[np.uint8] | None:
    """A JPEG picture, where Pillow happens to be installed; None otherwise.

    Returns
    -------
    ndarray of uint8, shape (height, width, channels), or None
    """
    # Every scan of a progressive picture passes over all of it: a few KB of empty scans would cost
    # minutes.
    if data.count(b"\xff\xda") > _MOST_SCANS:
        return None
    try:
        from PIL import Image  # type: ignore[import-not-found,unused-ignore]

        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Pillow only warns of a bomb
            with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
                if (image.height, image.width) != seen.shape[:2]:
                    return None
                pixels: NDArray[np.uint8] = np.asarray(image.convert("RGB"), dtype=np.uint8)
    except MemoryError:
        raise
    except Exception:  # Pillow raises what it likes on damaged files, and need not be there
        return None
    return pixels
