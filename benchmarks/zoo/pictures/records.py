"""What one training leaves, before anybody writes a log of it: one small file a run."""

from __future__ import annotations

import io
import json
import lzma
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

SUFFIX: Final = ".rec"
KEPT_BITS: Final = np.uint32(0xFFFFFF00)  # 15 bits of a mantissa: four digits and a half
SLIM_BITS: Final = np.uint32(0xFFFFF800)  # 12 bits: three digits and a half
SLIM_GRIDS: Final = 5
SLIM_QUALITY: Final = 70
SIDE: Final = 5  # tiles a row of a grid


@dataclass
class Record:
    """One training.

    Attributes
    ----------
    settings : dict
        Everything that was trained, ``code.bug`` among it.
    about : dict
        Name, half, role, fault, what is wrong, how long it took, ``error`` where it failed to run.
    series : dict of str to ndarray of float32, shape (iterations,)
        Every scalar of every step.
    frechet : list of (int, float)
        Frechet distance of half of the samples.
    moments : list of dict
        Measurements, see `measure.PictureMoment`.
    grids : dict of int to bytes
        Step -> sample grid, encoded small.
    weights : dict of str to ndarray
        Last state of both players.
    """

    settings: dict[str, Any]
    about: dict[str, Any] = field(default_factory=dict)
    series: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    frechet: list[tuple[int, float]] = field(default_factory=list)
    moments: list[dict[str, Any]] = field(default_factory=list)
    grids: dict[int, bytes] = field(default_factory=dict)
    weights: dict[str, NDArray[Any]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return str(self.about["name"])

    def draw(self, step: int, tiles: NDArray[np.uint8]) -> None:
        """Keep a grid of tiles of shape (n, channels, size, size)."""
        self.grids[step] = encoded(tiles)

    def tiles(self, step: int) -> NDArray[np.uint8]:
        """A kept grid as tiles of shape (n, size, size, 3): grey ones in three equal channels."""
        return decoded(self.grids[step])


def slim(record: Record, series: Iterable[str], *, pictures: bool) -> Record:
    """What a release keeps: the series that are told, and few grids, more coarsely."""
    kept: dict[int, bytes] = {}
    if pictures and record.grids:
        steps = sorted(record.grids)
        at = np.linspace(0, len(steps) - 1, min(SLIM_GRIDS, len(steps))).round().astype(int)
        for step in (steps[i] for i in at):
            kept[step] = encoded(record.tiles(step).transpose(0, 3, 1, 2), SLIM_QUALITY)
    values = {
        name: (np.asarray(record.series[name], "<f4").view("<u4") & SLIM_BITS).view("<f4")
        for name in record.series
        if name in set(series)
    }
    return Record(record.settings, dict(record.about), values, record.frechet, record.moments, kept)


def encoded(tiles: NDArray[np.uint8], quality: int = 88) -> bytes:
    """Tiles side by side without a gap, as WebP (JPEG where Pillow lacks it)."""
    n, channels, size, _ = tiles.shape
    rows = n // SIDE
    grid = tiles[: rows * SIDE].reshape(rows, SIDE, channels, size, size)
    grid = grid.transpose(0, 3, 1, 4, 2).reshape(rows * size, SIDE * size, channels)
    picture = Image.fromarray(grid[..., 0] if channels == 1 else grid)
    held = io.BytesIO()
    try:
        picture.save(held, "WEBP", quality=quality, method=4)
    except (KeyError, OSError):
        held = io.BytesIO()
        picture.save(held, "JPEG", quality=quality)
    return held.getvalue()


def decoded(data: bytes, size: int | None = None) -> NDArray[np.uint8]:
    """The tiles of `encoded`."""
    pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    size = size or pixels.shape[1] // SIDE
    rows = pixels.shape[0] // size
    grid = pixels.reshape(rows, size, SIDE, size, 3)
    return np.ascontiguousarray(grid.transpose(0, 2, 1, 3, 4).reshape(rows * SIDE, size, size, 3))


def save(record: Record, folder: Path) -> Path:
    """Write a record, its weights beside it; whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    if record.weights:
        halves = {k: _half(v) for k, v in record.weights.items()}
        with (folder / f"{record.name}.npz").open("wb") as file:
            np.savez_compressed(file, **halves)
    path = folder / f"{record.name}{SUFFIX}"
    half = path.with_suffix(".half")
    half.write_bytes(dumped(record))
    half.replace(path)
    return path


def dumped(record: Record) -> bytes:
    """A record as one file's content, without its weights; the same record, the same bytes."""
    meta = {
        "settings": record.settings,
        "about": record.about,
        "series": list(record.series),
        "frechet": record.frechet,
        "moments": _columns(record.moments),
        "grids": {str(step): len(data) for step, data in record.grids.items()},
    }
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as file:
        for name, content in (
            ("meta.json.xz", lzma.compress(json.dumps(meta).encode())),
            (
                "series.xz",
                _packed(np.stack(list(record.series.values()))) if record.series else b"",
            ),
            ("grids", b"".join(record.grids.values())),
        ):
            file.writestr(zipfile.ZipInfo(name), content)
    return held.getvalue()


def load(path: Path | io.BytesIO, weights: Path | None = None) -> Record:
    """Read a record; its weights, too, where their file is given and there."""
    with zipfile.ZipFile(path) as file:
        meta = json.loads(lzma.decompress(file.read("meta.json.xz")))
        table = _unpacked(file.read("series.xz"), len(meta["series"])) if meta["series"] else []
        pictures = file.read("grids")
    grids, at = {}, 0
    for step, size in meta["grids"].items():
        grids[int(step)] = pictures[at : at + size]
        at += size
    record = Record(
        meta["settings"],
        meta["about"],
        dict(zip(meta["series"], table, strict=True)),
        [(int(step), float(value)) for step, value in meta["frechet"]],
        _rows(meta["moments"]),
        grids,
    )
    if weights and weights.exists():
        with np.load(weights) as file:
            record.weights = {k: file[k] for k in file.files}
    return record


def _half(values: NDArray[Any]) -> NDArray[Any]:
    if values.dtype.kind != "f":
        return values
    return np.clip(values, -65000, 65000).astype(np.float16)


def _packed(table: NDArray[np.float32]) -> bytes:
    """Few digits, and bytes of the same worth side by side: they compress well."""
    bits = np.ascontiguousarray(table, dtype="<f4").view("<u4") & KEPT_BITS
    worth = bits.view(np.uint8).reshape(-1, 4).T[1:]
    return lzma.compress(worth.tobytes(), preset=1)


def _unpacked(data: bytes, count: int) -> NDArray[np.float32]:
    worth = np.frombuffer(lzma.decompress(data), np.uint8).reshape(3, -1)
    whole = np.concatenate([np.zeros_like(worth[:1]), worth]).T
    return np.ascontiguousarray(whole).view("<f4").reshape(count, -1)


def _columns(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {k: [row[k] for row in rows] for k in rows[0]} if rows else {}


def _rows(columns: dict[str, list[Any]]) -> list[dict[str, Any]]:
    if not columns:
        return []
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
