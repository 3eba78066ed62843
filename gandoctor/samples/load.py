"""Sample files to arrays: bounded, never executed, never outside the run's folder."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gandoctor.samples import png, tiles

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from gandoctor.model.signals import Picture

MAX_BYTES: Final = 64_000_000
MAX_VALUES: Final = 4_000_000
MAX_SAMPLES: Final = 1_024
_SIDE: Final = 64  # larger tiles are shrunk: diversity shows at this size


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """The samples of one step.

    Attributes
    ----------
    values : ndarray of float64, shape (n, d)
        One sample a row. Pictures of 8 bits are in 0..1.
    image_like : bool
        Whether a sample is a picture (or something as long), so that it makes sense to call one of them constant.
    low, high : float
        Smallest and largest value before anything was shrunk.
    """

    values: NDArray[np.float64]
    image_like: bool
    low: float
    high: float


@lru_cache(maxsize=64)
def _inside(name: str, root: Path) -> Path | None:
    """The regular file of that name below `root`; None where links or dots lead elsewhere."""
    path = (root / name).resolve(strict=True)
    return path if path.is_relative_to(root.resolve()) and path.is_file() else None


def read_bytes(picture: Picture, root: Path) -> bytes | None:
    """The encoded picture; None where it cannot be had, is too large, or lies outside `root`."""
    try:
        path = _inside(picture.path, root)
        if path is None:
            return None
        size = picture.length or path.stat().st_size
        if size > MAX_BYTES:
            return None
        with path.open("rb") as file:
            file.seek(picture.offset)
            return file.read(size)
    except (OSError, RuntimeError, ValueError):
        return None


def array(picture: Picture, root: Path) -> Batch | NDArray[np.uint8] | None:
    """A ``.npy`` file: a batch of samples, or one picture (uint8, height x width x 3).

    The header alone is parsed first; object arrays, which would need a pickle, are refused. Of a large array evenly
    spread samples are taken.
    """
    try:
        path = _inside(picture.path, root)
        if path is None:
            return None
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, RuntimeError, ValueError, EOFError, TypeError, SyntaxError, MemoryError, OverflowError):
        return None
    if not isinstance(found, np.ndarray) or found.dtype.kind not in "fiub" or not 1 < found.ndim <= 5 or not found.size:
        return None
    if (
        found.dtype == np.uint8
        and found.ndim == 3
        and found.shape[2] in (3, 4)
        and found.shape[0] * found.shape[1] <= png.MAX_PIXELS
    ):
        return np.array(found[:, :, :3])
    length = math.prod(found.shape[1:])
    if length > MAX_VALUES:
        return None
    most = max(2, min(MAX_SAMPLES, MAX_VALUES // length))
    if len(found) > most:
        found = _rows(found, path, np.linspace(0, len(found) - 1, most).astype(np.int64))
        if found is None:
            return None
    values = np.array(found, dtype=np.float64).reshape(len(found), -1)
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (math.nan, math.nan)
    if found.ndim >= 4 or (found.ndim == 3 and length >= 256):
        values = _shrunk(np.array(found, dtype=np.float64))
    return Batch(values, length >= 16, low, high)


def _rows(found: NDArray[Any], path: Path, wanted: NDArray[np.int64]) -> NDArray[Any] | None:
    """Some rows of an array on disk, read one by one: a page fault for each would read far around it (2 GB: 4 s)."""
    if not isinstance(found, np.memmap) or not found.flags.c_contiguous:
        return np.array(found[wanted])
    length = math.prod(found.shape[1:])
    rows = np.empty((len(wanted), length), dtype=found.dtype)
    try:
        with path.open("rb", buffering=0) as file:
            for row, i in zip(rows, wanted.tolist(), strict=True):
                file.seek(found.offset + i * length * found.dtype.itemsize)
                row[:] = np.fromfile(file, dtype=found.dtype, count=length)
    except (OSError, ValueError):  # cut off under our eyes
        return None
    return rows.reshape(len(wanted), *found.shape[1:])


def batch(pictures: Sequence[NDArray[np.uint8]], layout: tiles.Layout | None) -> Batch:
    """Samples of one step, from its pictures: cut by the layout, or each picture a sample."""
    cuts = [tiles.cut(p, layout) if layout else p[None] for p in pictures]
    samples = np.concatenate(cuts)[:MAX_SAMPLES]
    values = _shrunk(samples).astype(np.float64) / 255.0  # shrunk first: floats take eight times the room
    return Batch(values, image_like=True, low=float(samples.min()) / 255.0, high=float(samples.max()) / 255.0)


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


def jpeg(data: bytes) -> NDArray[np.uint8] | None:
    """A JPEG picture, where Pillow happens to be installed; None otherwise."""
    try:
        import io

        from PIL import Image  # type: ignore[import-not-found,unused-ignore]

        with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
            if image.width * image.height > png.MAX_PIXELS:
                return None
            pixels: NDArray[np.uint8] = np.asarray(image.convert("RGB"), dtype=np.uint8)
    except Exception:  # Pillow raises what it likes on damaged files, and need not be there
        return None
    return pixels
