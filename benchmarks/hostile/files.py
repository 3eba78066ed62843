"""The hostile files: each a folder of its own, beside a small healthy log."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from gandoctor.parsers.records import crc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Maker = tuple[str, "Callable[[Path], Any]"]
_LONG = ".".join(["a"] * 400_000)
_BYTES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def picture(
    width: int, height: int, kind: int, colour: int = 2, *, depth: int = 8, interlaced: int = 0
) -> bytes:
    """A PNG of zeros, each row under the filter `kind`: a few KB, however large."""
    squeeze = zlib.compressobj(1)
    row = bytes([kind]) + bytes(width * _BYTES[colour])
    body = b"".join(squeeze.compress(row) for _ in range(height)) + squeeze.flush()
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    palette = _chunk(b"PLTE", bytes(range(9))) if colour == 3 else b""
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", header)
        + palette
        + _chunk(b"IDAT", body)
        + _chunk(b"IEND", b"")
    )


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def makers() -> Iterator[Maker]:
    """Name of each case, and what writes it into a folder."""
    yield from _pictures()
    yield from _arrays()
    yield from _configs()
    yield from _notebooks()
    yield from _logs()


def _text(name: str, text: str) -> Callable[[Path], Any]:
    return lambda folder: (folder / name).write_text(text)


def _several(name: str, data: bytes, count: int) -> Callable[[Path], Any]:
    return lambda folder: [(folder / f"fake_{i}.{name}").write_bytes(data) for i in range(count)]


def _pictures() -> Iterator[Maker]:
    shapes = [
        (1, 1_000_000),
        (1_000_000, 1),
        (500, 30_000),
        (1, 16_000_000),
        (4_000, 3_900),
        (16_384, 976),
    ]
    for width, height in [*shapes, (976, 16_384), (1, 16_384)]:
        for kind in (2, 4):
            if height <= 1_000_000 or kind == 2:
                yield f"png {width} x {height}, filter {kind}", _pngs(2, width, height, kind)
    for colour in (0, 3, 4, 6):
        yield f"8 png of colour type {colour}", _pngs(8, 3_000, 2_900, 3, colour)
    yield "interlaced png", _pngs(4, 900, 900, 4, interlaced=1)
    yield "png of 16 bits", _pngs(4, 900, 900, 4, depth=16)
    yield "64 png", _pngs(64, 4_000, 3_900, 1)
    yield "64 png with 60 MB of holes", _sparse
    for progressive in (False, True):
        for count in (8, 64):
            yield f"{count} jpeg, progressive {progressive}", _jpegs(count, progressive=progressive)
    yield "jpeg of scans", _scans


def _pngs(count: int, *what: int, **more: int) -> Callable[[Path], Any]:
    def write(folder: Path) -> None:
        _several("png", picture(*what, **more), count)(folder)

    return write


def _sparse(folder: Path) -> None:
    for i in range(64):
        with (folder / f"fake_{i}.png").open("wb") as file:
            file.write(picture(200, 200, 4))
            file.truncate(60_000_000)


def _jpeg(*, progressive: bool) -> bytes:
    try:
        from PIL import Image  # noqa: PLC0415
    except ImportError:
        return b"\xff\xd8"
    held = io.BytesIO()
    Image.new("RGB", (4_000, 3_900), "red").save(held, "JPEG", progressive=progressive)
    return held.getvalue()


def _jpegs(count: int, *, progressive: bool) -> Callable[[Path], Any]:
    def write(folder: Path) -> None:
        _several("jpg", _jpeg(progressive=progressive), count)(folder)

    return write


def _scans(folder: Path) -> None:
    data = _jpeg(progressive=True)
    first = data.find(b"\xff\xda")
    second = data.find(b"\xff\xda", first + 2)
    (folder / "fake_1.jpg").write_bytes(data[:first] + 50 * data[first:second] + data[second:])


def _arrays() -> Iterator[Maker]:
    yield "64 npy pictures", _npy((4_000, 4_000, 3), "u1", 64)
    yield "64 npy batches", _npy((1_024, 3, 32, 32), "f4", 64)
    yield "64 npy of long samples", _npy((500, 2_000_000), "f8", 64)
    yield "npy of a terabyte", _npy((10**9, 250), "f4", 1, whole=False)
    yield "npy in Fortran's order", _npy((100_000, 1_000), "f4", 4, fortran=True)
    yield "npy that is a zip", _several("npy", b"PK\x03\x04" + bytes(100), 3)
    yield "npz bomb called npy", _zip
    yield "npy of deep brackets", lambda f: (f / "fake_1.npy").write_bytes(_npy_head("(" * 9_000))
    yield (
        "npy of negative shape",
        lambda f: (f / "fake_1.npy").write_bytes(
            _npy_head("{'descr': '<f4', 'fortran_order': False, 'shape': (-4, 3), }")
        ),
    )


def _npy_head(words: str) -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(words) + 1) + words.encode() + b"\n"


def _npy(
    shape: tuple[int, ...], kind: str, count: int, *, whole: bool = True, fortran: bool = False
) -> Callable[[Path], Any]:
    dtype = np.dtype(kind)
    head = _npy_head(f"{{'descr': {dtype.str!r}, 'fortran_order': {fortran}, 'shape': {shape}, }}")
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize if whole else 1 << 20

    def write(folder: Path) -> None:
        for i in range(count):
            with (folder / f"fake_{i}.npy").open("wb") as file:
                file.write(head)
                file.truncate(len(head) + size)  # a hole: it takes no room on disk

    return write


def _zip(folder: Path) -> None:
    with zipfile.ZipFile(folder / "fake_1.npy", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a.npy", bytes(200_000_000))


def _configs() -> Iterator[Maker]:
    yield "toml key of 400,000 parts", _text("config.toml", f"{_LONG} = 1")
    yield "toml table of 400,000 parts", _text("config.toml", f"[{_LONG}]\nlr = 1")
    yield "toml inline", _text("config.toml", "x = {" + _LONG + " = 1}")
    yield "toml quoted", _text("config.toml", ' . "a"' * 100_000 + " = 1")
    yield "toml braces", _text("config.toml", "x = [" + "{}," * 600_000 + "]")
    yield (
        "toml tables",
        _text("config.toml", "\n".join(f"[{'.'.join('abcdefghij')}.k{i}]" for i in range(60_000))),
    )
    yield "toml nested", _text("config.toml", "x = " + "[" * 500_000)
    yield "toml number", _text("config.toml", "lr = " + "9" * 1_000_000)
    yield "gandoctor.toml key", _text("gandoctor.toml", f"{_LONG} = 1")
    laughs = "a0: &a0 [x, x]\n" + "".join(
        f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 60)
    )
    yield "yaml laughs", _text("config.yaml", laughs)
    yield (
        "yaml merges",
        _text(
            "config.yaml",
            "a0: &a0 {x: 1}\n"
            + "".join(f"a{i}: &a{i} {{<<: [*a{i - 1}, *a{i - 1}]}}\n" for i in range(1, 60)),
        ),
    )
    yield "yaml nested", _text("config.yaml", "x: " + "[" * 200_000)
    yield "yaml indented", _text("config.yaml", "".join(" " * i + "a:\n" for i in range(900)))
    for number in (
        "9" * 400,
        "9" * 100_000,
        "0b" + "1" * 100_000,
        "0x" + "f" * 100_000,
        ":".join(["59"] * 9_000),
    ):
        yield (
            f"yaml number {number[:4]}, {len(number):,}",
            _text("config.yaml", f"lr: 0.1\nbatch_size: {number}\n"),
        )
    yield "json nested", _text("config.json", '{"a":' * 300_000)
    yield "json list", _text("config.json", '{"a": [' + "0," * 900_000 + "0]}")
    yield "json number", _text("config.json", '{"lr": 0.1, "batch_size": ' + "9" * 1_000_000 + "}")
    yield "python nested", _text("config.py", "x = " + "(" * 100_000)
    yield "python sum", _text("config.py", "x = " + "-" * 100_000 + "1")
    yield "ini number", _text("config.ini", "lr = 0.1\nbatch_size = " + "9" * 100_000)


def _notebooks() -> Iterator[Maker]:
    yield "notebook of odd cells", _text("train.ipynb", '{"worksheets":[{"cells":5}]}')
    yield "notebook nested", _text("train.ipynb", '{"cells":' + "[" * 500_000)
    cell = {"cell_type": "code", "source": "x = " + "(" * 5_000, "outputs": []}
    yield "notebook of odd sources", _text("train.ipynb", json.dumps({"cells": [cell] * 200}))


def _logs() -> Iterator[Maker]:
    yield "line of 50 MB", _text("train.log", "loss: 0.5 " * 5_000_000)
    yield "csv line of 50 MB", _text("more.csv", "a,b\n" + "1," * 25_000_000)
    yield "jsonl line of 20 MB", _text("more.jsonl", '{"a": "' + "x" * 20_000_000 + '"}\n')
    yield "events with huge pictures", _events((4_000, 3_900, 4), 40)
    yield "events with one long picture", _events((1, 1_000_000, 4), 4)
    yield "events with long strings", _events(b"x" * 5_000_000, 20)


def _field(number: int, body: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(body)) + body


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _events(what: bytes | tuple[int, int, int], count: int) -> Callable[[Path], Any]:
    """Summaries of one picture each (value 1: tag 1, image 4: encoded 4)."""

    def record(data: bytes) -> bytes:
        size = struct.pack("<Q", len(data))
        sums = (struct.pack("<I", crc.masked(crc.crc32c(part))) for part in (size, data))
        return size + next(sums) + data + next(sums)

    def event(step: int, image: bytes) -> bytes:
        value = _field(1, b"fake") + _field(4, b"\x08\x08\x10\x08" + _field(4, image))
        return (
            b"\x09" + struct.pack("<d", 1.0) + b"\x10" + _varint(step) + _field(5, _field(1, value))
        )

    def write(folder: Path) -> None:
        image = what if isinstance(what, bytes) else picture(*what)
        data = b"".join(record(event(step, image)) for step in range(1, count + 1))
        (folder / "events.out.tfevents.1.host").write_bytes(data)

    return write
