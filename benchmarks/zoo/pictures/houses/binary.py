"""Files that are not text: TensorBoard events with pictures, and offline W&B runs."""

from __future__ import annotations

import io
import json
import struct
import zlib
from typing import TYPE_CHECKING, Any, Final

from benchmarks.zoo.logbook import EPOCH, SECONDS_PER_STEP
from benchmarks.zoo.pictures.houses.story import padded

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

Rows = list[tuple[int, dict[str, float]]]
BLOCK: Final = 32_768


def events(rows: Rows, pictures: Mapping[int, NDArray[Any]], tag: str, out: Path) -> None:
    """Scalars and padded grids as TensorBoard keeps them."""
    from tensorboardX.proto.event_pb2 import Event  # noqa: PLC0415
    from tensorboardX.proto.summary_pb2 import Summary  # noqa: PLC0415
    from tensorboardX.record_writer import RecordWriter  # noqa: PLC0415

    path = out / f"events.out.tfevents.{EPOCH:.0f}.zoo.1.0"
    path.unlink(missing_ok=True)
    file: Any = RecordWriter(str(path))
    file.write(Event(wall_time=EPOCH, file_version="brain.Event:2").SerializeToString())
    shown = dict(pictures)
    for step, row in rows:
        values = [Summary.Value(tag=tag, simple_value=value) for tag, value in row.items()]
        for at in [at for at in shown if at <= step]:
            picture = padded(shown.pop(at))
            held = io.BytesIO()
            picture.save(held, "PNG")
            image = Summary.Image(
                height=picture.height,
                width=picture.width,
                colorspace=3 if picture.mode == "RGB" else 1,
                encoded_image_string=held.getvalue(),
            )
            values.append(Summary.Value(tag=tag, image=image))
        for value in values:
            event = Event(
                wall_time=EPOCH + SECONDS_PER_STEP * step, step=step, summary=Summary(value=[value])
            )
            file.write(event.SerializeToString())
    file.close()


def wandb(rows: Rows, settings: dict[str, Any], path: Path) -> None:
    """An offline run: the log format of LevelDB around protobuf records."""
    run = _field(1, b"zoo") + _field(3, b"gan") + _field(4, _config(settings))
    records = [_number(1, 1) + _field(17, run)]
    for number, (step, row) in enumerate(rows, start=2):
        items = b"".join(_field(1, _item(k, v)) for k, v in row.items())
        items += _field(1, _item("_step", step))
        history = items + _field(2, _number(1, step) if step else b"")
        records.append(_number(1, number) + _field(2, history))
    records.append(_field(18, b""))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_framed(records))


def _varint(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*out, number))


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _item(key: str, value: Any, number: int = 2) -> bytes:
    return _field(number, key.encode()) + _field(16, json.dumps(value).encode())


def _config(settings: dict[str, Any]) -> bytes:
    return b"".join(_field(1, _item(key, value, 1)) for key, value in settings.items())


def _framed(records: list[bytes]) -> bytes:
    out = bytearray(b":W&B\xe1\xbe\x00")
    for record in records:
        start, first = 0, True
        while True:
            left = BLOCK - len(out) % BLOCK
            if left < 7:
                out += bytes(left)
                continue
            size = min(len(record) - start, left - 7)
            last = start + size == len(record)
            kind = {(True, True): 1, (True, False): 2, (False, False): 3}.get((first, last), 4)
            data = record[start : start + size]
            out += struct.pack("<IHB", zlib.crc32(bytes([kind]) + data), size, kind) + data
            start, first = start + size, False
            if last:
                break
    return bytes(out)
