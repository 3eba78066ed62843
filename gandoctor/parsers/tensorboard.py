"""TensorBoard event files: scalars as columns, checksums verified, pictures and texts indexed.

A file is a chain of records (length, checksum of the length, payload, checksum of the payload); a payload is a protobuf
``Event``. Sources: TensorFlow's ``record_writer.cc``, ``event.proto``, ``summary.proto`` and ``tensor.proto``.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.errors import InputError
from gandoctor.model.signals import Picture, Reading, Signal
from gandoctor.parsers import _crc
from gandoctor.parsers import _protobuf as pb

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

NAME: Final = "tensorboard"

_HEADER: Final = struct.Struct("<QI")
_HEAD: Final = 12  # bytes before a payload
_FOOT: Final = 4  # and after it

# tensor.proto, types.proto: DataType -> how tensor_content holds one element
_CONTENT: Final = {
    1: "<f4", 2: "<f8", 3: "<i4", 4: "<u1", 5: "<i2", 6: "<i1", 9: "<i8", 10: "<u1", 14: "bf16", 17: "<u2",
    19: "<f2", 22: "<u4", 23: "<u8",
}  # fmt: skip
# TensorProto's field of typed values -> how it holds one element
_TYPED: Final = {5: "<f4", 6: "<f8", 7: "varint", 10: "varint", 11: "varint", 13: "half", 16: "uvarint", 17: "uvarint"}
_SIZES: Final = {"bf16": 2}


@dataclass(slots=True)
class _Number:
    """Where one number stands in the payload, and how it is written; `start` < 0 is a number left out: zero."""

    code: str
    start: int
    stop: int


@dataclass(slots=True)
class _Value:
    """One ``Summary.Value``: what sort of thing it is, and where its content stands."""

    tag: str = ""
    plugin: str = ""
    sort: str = ""
    number: _Number | None = None
    spans: list[tuple[int, int]] = field(default_factory=list)
    content: tuple[int, int] = (0, 0)


@dataclass(slots=True)
class _Event:
    """One ``Event``; places are -1 where a field is left out."""

    wall_at: int = -1
    step: int = 0
    step_at: int = -1
    step_stop: int = -1
    session: int = 0
    values: list[_Value] = field(default_factory=list)


def sniff(path: Path, head: bytes) -> float:
    """How surely this is an event file: its first length agrees with its checksum, or its name says so."""
    if len(head) >= _HEAD and _length_at(head, 0) >= 0:
        return 1.0
    return 0.5 if "tfevents" in path.name and not _is_pointer(head) else 0.0


def read(path: Path) -> Reading:
    """Read one event file.

    Raises
    ------
    InputError
        Where the file cannot be opened, is a Git LFS pointer, or holds no event at all.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror or error})", path.name) from error
    if _is_pointer(data[:64]):
        raise InputError("a Git LFS pointer, not the log itself", path.name, "run `git lfs pull`")
    log = _Log()
    at = 0
    while at < len(data):
        size = _length_at(data, at)
        stop = at + _HEAD + size + _FOOT
        if size >= 0 and stop <= len(data):
            if _crc.masked(_crc.crc32c(data[at + _HEAD : stop - _FOOT])) == int.from_bytes(
                data[stop - _FOOT : stop], "little"
            ):
                log.records += 1
                log.take(data, at + _HEAD, stop - _FOOT, at)
                at = stop
                continue
            if stop == len(data) or _length_at(data, stop) >= 0:
                log.damaged(at, stop)
                at = stop
                continue
        found = _next_header(data, at + 1)
        if found < 0:
            log.tail(at, len(data), torn=size >= 0 or len(data) - at < _HEAD)
            break
        log.damaged(at, found)
        at = found
    if not log.records and data:
        raise InputError("holds no event that can be read", path.name, "is this a TensorBoard event file?")
    return log.reading()


def _is_pointer(head: bytes) -> bool:
    return head.startswith(b"version https://git-lfs")


def _length_at(data: pb.Buffer, at: int) -> int:
    """Length of the payload whose header stands at `at`; -1 where the checksum of the length says that none does."""
    if at + _HEAD > len(data):
        return -1
    size, crc = _HEADER.unpack_from(data, at)
    return size if _crc.masked(_crc.crc32c(bytes(data[at : at + 8]))) == crc else -1


def _next_header(data: pb.Buffer, at: int) -> int:
    """First place from `at` on where a header with a true checksum stands; -1 where none does."""
    while True:
        # Lengths stay under 4 GiB, so a header has four zero bytes in it.
        at = bytes(data).find(b"\0\0\0\0", at + 4) - 4
        if at < 0:
            return -1
        if _length_at(data, at) >= 0:
            return at
        at += 1


# --- decoding one event -----------------------------------------------------------------------------------------------


def _event(data: pb.Buffer, start: int, stop: int) -> _Event:
    """Decode an ``Event`` down to where its numbers stand."""
    event = _Event()
    for number, wire, at, end in pb.fields(data, start, stop):
        if number == 1 and wire == pb.FIXED64:
            event.wall_at = at
        elif number == 2 and wire == pb.VARINT:
            event.step = pb.signed(pb.varint(data, at, end)[0])
            event.step_at, event.step_stop = at, end
        elif number == 5 and wire == pb.BYTES:
            for inner, kind, a, b in pb.fields(data, at, end):
                if inner == 1 and kind == pb.BYTES:
                    event.values.append(_value(data, a, b))
        elif number == 7 and wire == pb.BYTES:
            for inner, kind, a, b in pb.fields(data, at, end):
                if inner == 1 and kind == pb.VARINT:
                    event.session = pb.varint(data, a, b)[0]
    return event


def _value(data: pb.Buffer, start: int, stop: int) -> _Value:
    value = _Value()
    tensor: tuple[int, int] | None = None
    for number, wire, at, end in pb.fields(data, start, stop):
        if number == 2 and wire == pb.FIXED32:
            value.number, value.sort = _Number("<f4", at, end), "scalar"
        elif wire != pb.BYTES:
            continue
        elif number == 1:
            value.tag = pb.text(data, at, end)
        elif number == 4:
            value.sort = "picture"
            value.spans = [(a, b) for n, w, a, b in pb.fields(data, at, end) if n == 4 and w == pb.BYTES]
        elif number == 5:
            value.sort = "histogram"
        elif number == 6:
            value.sort = "audio"
        elif number == 8:
            tensor = at, end
        elif number == 9:
            _metadata(data, at, end, value)
    if tensor is not None:
        value.sort = "tensor"
        value.number, strings = _tensor(data, *tensor)
        if value.plugin == "images":
            # [width, height, picture, picture, ...]
            value.sort, value.spans = "picture", strings[2:]
        elif value.plugin == "text" and strings:
            value.sort, value.spans = "text", strings
        elif value.plugin in ("", "scalars") and value.number is not None:
            value.sort = "scalar"
        elif value.plugin in ("histograms", "audio"):
            value.sort = value.plugin.rstrip("s")
    if value.plugin == "hparams":
        value.sort = "hparams"
    return value


def _metadata(data: pb.Buffer, start: int, stop: int, value: _Value) -> None:
    """SummaryMetadata{1 plugin_data{1 plugin_name, 2 content}}."""
    for number, wire, at, end in pb.fields(data, start, stop):
        if number == 1 and wire == pb.BYTES:
            for inner, kind, a, b in pb.fields(data, at, end):
                if inner == 1 and kind == pb.BYTES:
                    value.plugin = pb.text(data, a, b)
                elif inner == 2 and kind == pb.BYTES:
                    value.content = a, b


def _tensor(data: pb.Buffer, start: int, stop: int) -> tuple[_Number | None, list[tuple[int, int]]]:
    """The one number of a tensor of one element (None for any other), and where its strings stand."""
    dtype, count = 0, 1
    content: tuple[int, int] | None = None
    typed: list[_Number] = []
    strings: list[tuple[int, int]] = []
    for number, wire, at, end in pb.fields(data, start, stop):
        if number == 1 and wire == pb.VARINT:
            dtype = pb.varint(data, at, end)[0]
        elif number == 2 and wire == pb.BYTES:
            count = _elements(data, at, end)
        elif number == 4 and wire == pb.BYTES:
            content = at, end
        elif number == 8 and wire == pb.BYTES:
            strings.append((at, end))
        elif number in _TYPED and end > at:
            # Packed or not, one element fills the field: anything longer is caught below by its size.
            typed.append(_Number(_TYPED[number], at, end))
    if count != 1 or dtype not in _CONTENT:
        return None, strings
    code = _CONTENT[dtype]
    if content is not None and content[0] < content[1]:
        size = _SIZES.get(code) or int(code[2:])
        return (_Number(code, *content) if content[1] - content[0] == size else None), strings
    if not typed:
        return _Number("<f4", -1, -1), strings  # proto3 may leave out a zero
    one = typed[0]
    if len(typed) > 1:
        return None, strings
    if one.code == "half" and dtype == 14:
        one.code = "bf16v"
    if one.code[0] == "<":
        return (one if one.stop - one.start == int(one.code[2:]) else None), strings
    return (one if pb.varint(data, one.start, one.stop)[1] == one.stop else None), strings


def _elements(data: pb.Buffer, start: int, stop: int) -> int:
    """Number of elements of a TensorShapeProto{2 dim{1 size}}."""
    count = 1
    for number, wire, at, end in pb.fields(data, start, stop):
        if number == 2 and wire == pb.BYTES:
            size = 0
            for inner, kind, a, b in pb.fields(data, at, end):
                if inner == 1 and kind == pb.VARINT:
                    size = pb.signed(pb.varint(data, a, b)[0])
            count *= size
    return count


def _number(data: pb.Buffer, number: _Number) -> float:
    """The number itself."""
    if number.start < 0:
        return 0.0
    raw = bytes(data[number.start : number.stop])
    if number.code[0] == "<":
        return float(np.frombuffer(raw, dtype=number.code)[0])
    if number.code == "bf16":
        return float(np.frombuffer(b"\0\0" + raw, dtype="<f4")[0])
    bits = pb.varint(raw, 0, len(raw))[0]
    if number.code == "half":
        return float(np.array(bits & 0xFFFF, dtype=np.uint16).view(np.float16))
    if number.code == "bf16v":
        return float(np.array((bits & 0xFFFF) << 16, dtype=np.uint32).view(np.float32))
    return float(bits if number.code == "uvarint" else pb.signed(bits))


# --- collecting -------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Series:
    steps: list[int] = field(default_factory=list)
    walls: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)


class _Log:
    """What one file gave."""

    def __init__(self) -> None:
        self.records = 0
        self.series: dict[str, _Series] = {}
        self.pictures: list[Picture] = []
        self.notes: list[str] = []
        self.lost_bytes = 0
        self.lost_places = 0
        self.lost_first = -1
        self.torn = 0

    def damaged(self, start: int, stop: int) -> None:
        if self.lost_first < 0:
            self.lost_first = start
        self.lost_places += 1
        self.lost_bytes += stop - start

    def tail(self, start: int, stop: int, *, torn: bool) -> None:
        if torn:
            self.torn = stop - start
        else:
            self.damaged(start, stop)

    def take(self, data: pb.Buffer, start: int, stop: int, offset: int) -> None:
        try:
            event = _event(data, start, stop)
        except pb.WireError:
            self.damaged(offset, stop + _FOOT)
            return
        wall = struct.unpack_from("<d", data, event.wall_at)[0] if event.wall_at >= 0 else 0.0
        for value in event.values:
            if value.sort == "scalar" and value.number is not None:
                series = self.series.setdefault(value.tag, _Series())
                series.steps.append(event.step)
                series.walls.append(wall)
                series.values.append(_number(data, value.number))
            elif value.sort == "picture":
                self.pictures += [Picture(value.tag, event.step, "", a, b - a) for a, b in value.spans]

    def reading(self) -> Reading:
        signals = tuple(
            Signal(tag, np.array(s.steps, dtype=np.int64), np.array(s.values), wall_time=np.array(s.walls))
            for tag, s in self.series.items()
        )
        return Reading(signals, lost=self.lost(), notes=tuple(self.notes), pictures=tuple(self.pictures))

    def lost(self) -> str | None:
        said = []
        if self.lost_places:
            said.append(
                f"{self.lost_bytes:,} damaged bytes in {self.lost_places:,} place(s), the first at byte {self.lost_first:,}"
            )
        if self.torn:
            said.append(f"last record incomplete ({self.torn:,} bytes), still being written?")
        return "; ".join(said) or None


def _floats(values: list[float]) -> NDArray[np.float64]:
    return np.array(values, dtype=np.float64)
