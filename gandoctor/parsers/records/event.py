"""One TensorBoard ``Event``, down to where its numbers, pictures and texts stand.

Sources: TensorFlow's ``event.proto``, ``summary.proto``, ``tensor.proto``, ``types.proto``;
TensorBoard's ``plugins/hparams/plugin_data.proto``; protobuf's ``struct.proto``.
"""

from __future__ import annotations

import struct
from dataclasses import field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gandoctor.files import protobuf as pb
from gandoctor.files.reading import MOST_TAG_BYTES
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gandoctor.configs.entries import Entries
    from gandoctor.model.signals import SettingValue

# tensor.proto, types.proto: DataType -> how tensor_content holds one element
_CONTENT: Final = {
    1: "<f4", 2: "<f8", 3: "<i4", 4: "<u1", 5: "<i2", 6: "<i1", 9: "<i8", 10: "<u1", 14: "bf16",
        17: "<u2",
    19: "<f2", 22: "<u4", 23: "<u8",
}  # fmt: skip
# TensorProto's field of typed values -> how it holds one element
_TYPED: Final = {
    5: "<f4",
    6: "<f8",
    7: "varint",
    10: "varint",
    11: "varint",
    13: "half",
    16: "uvarint",
    17: "uvarint",
}
_SIZES: Final = {"bf16": 2}
#: codes of a fixed length -> the numpy type they are gathered as
FIXED: Final = {code: "<u2" if code == "bf16" else code for code in _CONTENT.values()}


@dataclass(slots=True)
class Number:
    """Where one number stands in the payload, and how it is written.

    `start` < 0 is a number left out: zero.
    """

    code: str
    start: int
    stop: int


@dataclass(slots=True)
class Value:
    """One ``Summary.Value``: what sort of thing it is, and where its content stands."""

    tag: str = ""
    tag_stop: int = 0
    plugin: str = ""
    sort: str = ""
    number: Number | None = None
    spans: list[tuple[int, int]] = field(default_factory=list)
    content: tuple[int, int] = (0, 0)


@dataclass(slots=True)
class Event:
    """One ``Event``; places are -1 where a field is left out."""

    wall_at: int = -1
    step: int = 0
    step_at: int = -1
    step_stop: int = -1
    session: int = 0
    values: list[Value] = field(default_factory=list)


def decode(data: pb.Buffer, start: int, stop: int) -> Event:
    """Decode an ``Event`` down to where its numbers stand."""
    event = Event()
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


def _value(data: pb.Buffer, start: int, stop: int) -> Value:
    value = Value()
    tensor: tuple[int, int] | None = None
    for number, wire, at, end in pb.fields(data, start, stop):
        if number == 2 and wire == pb.FIXED32:
            value.number, value.sort = Number("<f4", at, end), "scalar"
        elif wire != pb.BYTES:
            continue
        elif number == 1:
            value.tag, value.tag_stop = pb.text(data, at, min(end, at + MOST_TAG_BYTES)), end
        elif number == 4:
            value.sort = "picture"
            value.spans = [
                (a, b) for n, w, a, b in pb.fields(data, at, end) if n == 4 and w == pb.BYTES
            ]
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
            # Width and height come first, as text.
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


def _metadata(data: pb.Buffer, start: int, stop: int, value: Value) -> None:
    """SummaryMetadata{1 plugin_data{1 plugin_name, 2 content}}."""
    for number, wire, at, end in pb.fields(data, start, stop):
        if number == 1 and wire == pb.BYTES:
            for inner, kind, a, b in pb.fields(data, at, end):
                if inner == 1 and kind == pb.BYTES:
                    value.plugin = pb.text(data, a, b)
                elif inner == 2 and kind == pb.BYTES:
                    value.content = a, b


def _tensor(data: pb.Buffer, start: int, stop: int) -> tuple[Number | None, list[tuple[int, int]]]:
    """The one number of a tensor of one element (else None), and where its strings stand."""
    dtype, count = 0, 1
    content: tuple[int, int] | None = None
    typed: list[Number] = []
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
            # Packed or not, one element fills the field: anything longer is caught below by its
            # size.
            typed.append(Number(_TYPED[number], at, end))
    if count != 1 or dtype not in _CONTENT:
        return None, strings
    code = _CONTENT[dtype]
    if content is not None and content[0] < content[1]:
        size = _SIZES.get(code) or int(code[2:])
        return (Number(code, *content) if content[1] - content[0] == size else None), strings
    if not typed:
        return Number("<f4", -1, -1), strings  # proto3 may leave out a zero
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


def floats(column: NDArray[Any], code: str) -> NDArray[np.float64]:
    """Numbers of one of the `FIXED` codes, of any shape, as floats."""
    if code == "bf16":
        return (column.astype(np.uint32) << np.uint32(16)).view(np.float32).astype(np.float64)
    return column.astype(np.float64)


def number_at(data: pb.Buffer, number: Number) -> float:
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


def hparams(data: pb.Buffer, start: int, stop: int) -> Entries:
    """HParamsPluginData{3 session_start_info{1 hparams map}} (``plugin_data.proto``)."""
    from gandoctor.configs.entries import Entries, FullError

    entries = Entries()
    try:
        for number, wire, at, end in pb.fields(data, start, stop):
            if number != 3 or wire != pb.BYTES:
                continue
            for inner, kind, a, b in pb.fields(data, at, end):
                if inner == 1 and kind == pb.BYTES:
                    key, value = "", None
                    for n, w, x, y in pb.fields(data, a, b):
                        if n == 1 and w == pb.BYTES:
                            key = pb.text(data, x, y)
                        elif n == 2 and w == pb.BYTES:
                            value = _struct_value(data, x, y)
                    if key:
                        entries.add((key,), value, 0)
    except (pb.WireError, FullError):
        pass  # what was found before stands
    return entries


def _struct_value(data: pb.Buffer, start: int, stop: int) -> SettingValue:
    """google.protobuf.Value: 2 number, 3 string, 4 bool; lists and structs are no hparams."""
    for number, wire, at, end in pb.fields(data, start, stop):
        if number == 2 and wire == pb.FIXED64:
            value = float(struct.unpack_from("<d", data, at)[0])
            return int(value) if value.is_integer() and abs(value) < 2**53 else value
        if number == 3 and wire == pb.BYTES:
            return pb.text(data, at, end)
        if number == 4 and wire == pb.VARINT:
            return bool(pb.varint(data, at, end)[0])
    return None
