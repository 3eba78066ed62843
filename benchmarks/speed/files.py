"""Large logs for the benchmark, made in seconds.

The messages are TensorBoard's own (its protobuf classes serialise one record of each kind); numpy
then writes time, step, value and checksum into as many copies as are wanted. The benchmark checks
that tbparse reads as many points.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.plugins.scalar.metadata import create_summary_metadata

from gandoctor.parsers.records import crc

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

# Of LevelDB's log: the kind of a piece of a record, by whether it is its first and its last one.
_PART = {(True, True): 1, (True, False): 2, (False, False): 3, (False, True): 4}
TAGS = (
    "Loss/D",
    "Loss/G",
    "D/real",
    "D/fake",
    "GradNorm/discriminator",
    "GradNorm/generator",
    "lr",
    "gp",
)
_WALL, _VALUE, _STEP = 1.7e9, 1234.5678, 1


def frame(payload: bytes) -> bytes:
    """One record."""
    head = struct.pack("<Q", len(payload))
    return b"".join(
        (
            head,
            struct.pack("<I", crc.masked(crc.crc32c(head))),
            payload,
            struct.pack("<I", crc.masked(crc.crc32c(payload))),
        )
    )


def first_record() -> bytes:
    return frame(Event(wall_time=_WALL, file_version="brain.Event:2").SerializeToString())


def scalar_event(tag: str, step: int, *, tensor: bool) -> bytes:
    """One scalar as ``SummaryWriter.add_scalar`` writes it, or TF2's ``tf.summary.scalar``."""
    event = Event(wall_time=_WALL, step=step)
    value = event.summary.value.add(tag=tag)
    if tensor:
        value.tensor.dtype = 1
        value.tensor.tensor_shape.SetInParent()
        value.tensor.tensor_content = struct.pack("<f", _VALUE)
        value.metadata.CopyFrom(create_summary_metadata("", ""))
        value.metadata.plugin_data.ClearField("content")
    else:
        value.simple_value = _VALUE
    return event.SerializeToString()


def scalars(
    steps: range, *, tensor: bool = False, tags: tuple[str, ...] = TAGS, seed: int = 0
) -> bytes:
    """Records of every tag at every step, step by step."""
    rng = np.random.default_rng(seed)
    out = []
    at = steps.start
    while at < steps.stop:
        width = len(_varint(at)) if at else 0
        upto = min(steps.stop, max(1, 1 << (7 * max(width, 0))) if width else 1)
        out.append(_block(np.arange(at, upto, dtype=np.int64), tags, width, tensor=tensor, rng=rng))
        at = upto
    return b"".join(out)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*out, number))


def _block(
    steps: NDArray[np.int64],
    tags: tuple[str, ...],
    width: int,
    *,
    tensor: bool,
    rng: np.random.Generator,
) -> bytes:
    """Steps whose varints have one width, so that all records of a tag have one shape."""
    sample = int(steps[0])
    columns = []
    for tag in tags:
        payload = scalar_event(tag, sample, tensor=tensor)
        record = np.frombuffer(frame(payload), dtype=np.uint8)
        rows = np.tile(record, (steps.size, 1))
        wall = _WALL + steps * 0.05 + rng.random(steps.size) * 0.01
        rows[:, 13:21] = wall.astype("<f8").view(np.uint8).reshape(-1, 8)
        for k in range(width):
            rows[:, 22 + k] = (steps >> (7 * k) & 0x7F) | (0x80 if k < width - 1 else 0)
        value_at = bytes(record).index(struct.pack("<f", _VALUE))
        values = np.cumsum(rng.normal(size=steps.size) * 0.01) + 0.7
        rows[:, value_at : value_at + 4] = values.astype("<f4").view(np.uint8).reshape(-1, 4)
        sums = np.full(steps.size, crc.crc32c(bytes(len(payload))), dtype=np.uint32)
        for k in range(len(payload)):
            sums ^= crc.table(len(payload) - 1 - k)[rows[:, 12 + k]]
        rows[:, -4:] = crc.masked_many(sums).astype("<u4").view(np.uint8).reshape(-1, 4)
        columns.append(rows)
    return np.concatenate(columns, axis=1).tobytes()


def png(side: int, rng: np.random.Generator) -> bytes:
    """A square RGB picture of noise."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    rows = rng.integers(0, 256, (side, side * 3), dtype=np.uint8)
    raw = b"".join(b"\0" + row.tobytes() for row in rows)
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", head), chunk(b"IDAT", zlib.compress(raw, 1)), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def picture_event(tag: str, step: int, side: int, encoded: bytes) -> bytes:
    event = Event(wall_time=_WALL, step=step)
    value = event.summary.value.add(tag=tag)
    value.image.height = value.image.width = side
    value.image.colorspace = 3
    value.image.encoded_image_string = encoded
    return event.SerializeToString()


def write(path: Path, *parts: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        for part in parts:
            file.write(part)
    return path


def one_file(folder: Path, points: int, *, tensor: bool = False, seed: int = 0) -> Path:
    """`points` scalars under eight tags in one file."""
    path = folder / "events.out.tfevents.1700000000.host.1.0"
    return write(
        path, first_record(), scalars(range(points // len(TAGS)), tensor=tensor, seed=seed)
    )


def many_files(folder: Path, files: int, points: int) -> list[Path]:
    """`files` runs of `points` scalars each."""
    return [one_file(folder / f"run_{k:03d}", points, seed=k) for k in range(files)]


def among_pictures(folder: Path, points: int, pictures: int, side: int) -> Path:
    """`points` scalars with `pictures` pictures spread among them."""
    rng = np.random.default_rng(0)
    every = points // len(TAGS) // pictures
    parts = [first_record()]
    for k in range(pictures):
        parts.append(scalars(range(k * every, (k + 1) * every), seed=k))
        parts.append(frame(picture_event("samples", k * every, side, png(side, rng))))
    return write(folder / "events.out.tfevents.1700000000.host.1.0", *parts)


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def wandb_row(step: int, values: dict[str, float], *, nested: bool = True) -> bytes:
    """A ``Record`` with one row of history as wandb 0.29 writes it.

    A map's order is not that of logging.
    """
    row = {**values, "_step": step, "_runtime": step * 0.05, "_timestamp": _WALL + step * 0.05}
    names = list(row)
    turn = step % len(names)
    key = 2 if nested else 1
    items = b"".join(
        _field(1, _field(key, name.encode()) + _field(16, repr(row[name]).encode()))
        for name in names[turn:] + names[:turn]
    )
    return b"\x08" + _varint(step + 1) + _field(2, items)


def wandb_frames(records: list[bytes]) -> bytes:
    """Records framed as in a ``.wandb`` file."""
    block = 32_768
    out = [b":W&B\xe1\xbe\x00"]
    at = 7
    for record in records:
        start, first = 0, True
        while True:
            left = block - at % block
            if left < 7:
                out.append(bytes(left))
                at += left
                left = block
            size = min(len(record) - start, left - 7)
            last = start + size == len(record)
            kind = _PART[first, last]
            data = record[start : start + size]
            out += [struct.pack("<IHB", zlib.crc32(bytes([kind]) + data), size, kind), data]
            at += 7 + size
            start += size
            first = False
            if last:
                break
    return b"".join(out)


def wandb_file(folder: Path, rows: int) -> Path:
    """`rows` rows of six metrics."""
    rng = np.random.default_rng(0)
    names = ("d_loss", "g_loss", "train/d_real", "train/d_fake", "grad_norm/d", "grad_norm/g")
    values = rng.normal(size=(rows, len(names))).tolist()
    records = [
        wandb_row(step, dict(zip(names, row, strict=True))) for step, row in enumerate(values)
    ]
    return write(folder / "run-benchmark.wandb", wandb_frames([*records, b"\x92\x01\x02\x08\x00"]))


_KINDS = ("healthy", "dominance", "lost", "oscillation", "healthy", "healthy")


def sweep(folder: Path, runs: int, rows: int = 250) -> Path:
    """A folder of runs as a sweep leaves them, every second one sick, each with its config."""
    for k in range(runs):
        home = folder / f"run_{k:04d}"
        columns = _course(_KINDS[k % len(_KINDS)], rows, np.random.default_rng(k))
        records = [first_record()]
        for i in range(rows):
            for tag, values in columns.items():
                event = Event(wall_time=_WALL + 10 * i, step=100 * i)
                event.summary.value.add(tag=tag).simple_value = values[i]
                records.append(frame(event.SerializeToString()))
        write(home / "events.out.tfevents.1700000000.host.1.0", *records)
        (home / "config.yaml").write_text(
            f"batch_size: {32 << k % 3}\nlr_g: 0.000{1 + k % 4}\nlr_d: 0.0002\n"
            f"beta1: {0.5 if k % 2 else 0.9}\nloss: bce\nseed: {k}\n"
        )
    return folder


def _course(kind: str, rows: int, rng: np.random.Generator) -> dict[str, NDArray[np.float64]]:
    """Eight columns of a training that went well, or as `kind` says."""
    t = np.arange(rows) / rows

    def about(level: float, width: float) -> NDArray[np.float64]:
        return level + rng.normal(size=rows) * width

    d, g, fid = about(1.38, 0.05) - 0.2 * t, about(0.72, 0.06) + 0.1 * t, about(20, 1)
    real, fake = about(0.55, 0.03), about(0.45, 0.03)
    slope_d, slope_g = about(1, 0.1), about(1, 0.1)
    fid += 200 * np.exp(-3 * t)
    if kind == "dominance":
        won = np.clip(4 * (t - 0.3), 0, 1)
        d, g, fid = d * (1 - won) + 0.01 * won, g + 7 * won, fid + 150 * won
        real, fake = real * (1 - won) + 0.99 * won, fake * (1 - won) + 0.01 * won
        slope_g *= 1 - 0.999 * won
    elif kind == "lost":
        d[rows * 7 // 10 :] = g[rows * 7 // 10 :] = np.nan
    elif kind == "oscillation":
        swing = np.sin(60 * t) * np.minimum(1, 2 * t)
        d, g, fid = d + swing, g - swing, fid + 60 * np.abs(swing)
    columns = (d, g, real, fake, slope_d, slope_g, np.full(rows, 2e-4), fid)
    return dict(zip((*TAGS[:7], "fid"), columns, strict=True))
