"""ONNX files: weights by name, and the graph; numbers are left where they are.

The file is protobuf. Its messages are walked by their tags, and of weights where they lie is noted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gandoctor.checkpoint.flat import MOST_NAMES, Flat
from gandoctor.checkpoint.plans import ONNX, Plan
from gandoctor.checkpoint.tensors import Storage, Tensor, Unread, of_array, tensor
from gandoctor.checkpoint.windows import Window
from gandoctor.errors import InputError
from gandoctor.files import protobuf as pb

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST_GRAPH: Final = 8 << 20  # bytes of nodes, inputs and outputs
_MOST_SMALL: Final = 1 << 16  # bytes of a tensor that is not stored as it lies in memory
_HEAD: Final = 24  # bytes of a field's tag and length, and some
# Numbers of ONNX's ``TensorProto.DataType``.
_KINDS: Final = {
    1: "float32",
    2: "uint8",
    3: "int8",
    4: "uint16",
    5: "int16",
    6: "int32",
    7: "int64",
    9: "bool",
    10: "float16",
    11: "float64",
    12: "uint32",
    13: "uint64",
    16: "bfloat16",
}
# Fields of ``ModelProto``, ``GraphProto`` and ``TensorProto``.
_GRAPH, _INITIALIZER, _OPSETS = 7, 5, 8
NODE, INPUT, OUTPUT = 1, 11, 12
OPSET = 0  # in front of the version of the operators
_DIMS, _KIND, _FLOATS, _INTS, _LONGS, _NAME, _RAW, _DOUBLES = 1, 2, 4, 5, 7, 8, 9, 10
_EXTERNAL, _PLACE = 13, 14


def is_onnx(head: bytes, name: str) -> bool:
    """Whether a file begins as ONNX's do: with a version, and a field that may follow it."""
    if len(head) < 4 or head[0] != 0x08 or not 1 <= head[1] < 0x40:
        return False
    return name.lower().endswith(".onnx") or head[2] in (0x12, 0x3A, 0x42)


def read(window: Window) -> Flat:
    """An ONNX file.

    Raises
    ------
    InputError
        It is damaged.
    """
    try:
        return _read(window)
    except (pb.WireError, ValueError):
        raise InputError("is damaged (ONNX)", window.name, "export it again") from None


def _read(window: Window) -> Flat:
    found: dict[str, Tensor | Unread] = {}
    graph: list[bytes] = []
    size = 0
    graphs = []
    for number, wire, start, stop in _fields(window, 0, window.length):
        if (number, wire) == (_GRAPH, pb.BYTES):
            graphs.append((start, stop))
        elif (number, wire) == (_OPSETS, pb.BYTES) and stop - start < _MOST_SMALL:
            graph += _opset(window.read(start, stop - start))
    if len(graphs) != 1:
        raise ValueError
    for number, wire, start, stop in _fields(window, *graphs[0]):
        if number == _INITIALIZER and wire == pb.BYTES:
            name, held = _tensor(window, start, stop)
            found[name] = held
        elif number in (NODE, INPUT, OUTPUT) and wire == pb.BYTES:
            size += stop - start
            if size > MOST_GRAPH:
                raise InputError("holds a larger graph than is read", window.name)
            graph.append(bytes([number]) + window.read(start, stop - start))
        if len(found) + len(graph) > MOST_NAMES:
            raise InputError("holds a larger graph than is read", window.name)
    parts = {f"{i}": part for i, part in enumerate(graph)}
    return Flat(found, ONNX, plan=Plan(ONNX, lambda: parts, found))


def _opset(data: bytes) -> list[bytes]:
    """The version of ONNX's own operators."""
    domain, version = "", 0
    for number, wire, a, b in pb.fields(data, 0, len(data)):
        if number == 1 and wire == pb.BYTES:
            domain = pb.text(data, a, b)
        elif number == 2 and wire == pb.VARINT:
            version = pb.varint(data, a, b)[0]
    return [bytes([OPSET, min(version, 255)])] if domain in ("", "ai.onnx") else []


def _fields(window: Window, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """The fields of a message, as `protobuf.fields` has them, of what lies in a file."""
    while at < end:
        head = window.read(at, min(_HEAD, end - at))
        key, after = pb.varint(head, 0, len(head))
        wire = key & 7
        size = {pb.FIXED64: 8, pb.FIXED32: 4}.get(wire, 0)
        start = after
        if wire == pb.BYTES:
            size, start = pb.varint(head, after, len(head))
        elif wire == pb.VARINT:
            size = pb.varint(head, after, len(head))[1] - after
        elif not size:
            raise pb.WireError("wire type")
        if at + start + size > end or key < 8:
            raise pb.WireError("length")
        yield key >> 3, wire, at + start, at + start + size
        at += start + size


def _tensor(window: Window, start: int, stop: int) -> tuple[str, Tensor | Unread]:
    """A weight: its name, and where its numbers lie."""
    dims: list[int] = []
    name, kind, place = "", 0, 0
    spans: dict[int, tuple[int, int]] = {}
    external: dict[str, str] = {}
    for number, wire, a, b in _fields(window, start, stop):
        if number == _DIMS:
            dims += numbers(window.read(a, min(b - a, 400)), wire)
        elif number in (_KIND, _PLACE) and wire == pb.VARINT:
            value = pb.varint(window.read(a, b - a), 0, b - a)[0]
            kind, place = (value, place) if number == _KIND else (kind, value)
        elif number == _NAME and wire == pb.BYTES:
            name = window.read(a, min(b - a, 300)).decode("utf-8", "replace")
        elif number == _EXTERNAL and wire == pb.BYTES and b - a <= _MOST_SMALL:
            external |= _entry(window.read(a, b - a))
        elif wire == pb.BYTES:
            spans[number] = (a, b)
    dtype = _KINDS.get(kind, f"ONNX {kind}")
    if place:
        return name, _elsewhere(window, external, dtype, dims)
    if _RAW in spans or _FLOATS in spans or _DOUBLES in spans:
        a, b = spans.get(_RAW) or spans.get(_FLOATS) or spans[_DOUBLES]
        return name, tensor(Storage(window.part(a, b - a)), dtype, dims)
    a, b = spans.get(_LONGS) or spans.get(_INTS) or (start, start)
    if b - a > _MOST_SMALL or dtype not in ("int64", "int32"):
        return name, Unread("its numbers are packed in a way that is not read")
    values = np.array(numbers(window.read(a, b - a), pb.BYTES), np.int64)
    if values.size != np.prod(dims, dtype=np.int64):
        return name, Unread("its shape is none")
    return name, of_array(values.reshape(dims), window)


def _elsewhere(
    window: Window, said: dict[str, str], dtype: str, dims: list[int]
) -> Tensor | Unread:
    """A weight in a file beside the model, of a plain name."""
    name = said.get("location", "")
    path: Path = window.path.parent / name
    if not name or name != path.name or path.is_symlink() or not path.is_file():
        return Unread("the file with its numbers is not there")
    data = Window.of(path)
    offset, length = said.get("offset", "0"), said.get("length", str(data.length))
    if not all(n.isascii() and n.isdigit() and len(n) < 18 for n in (offset, length)):
        return Unread("its place in the file is none")
    if int(offset) + int(length) > data.length:
        return Unread("the file ends before its numbers")
    return tensor(Storage(data.part(int(offset), int(length))), dtype, dims)


def _entry(data: bytes) -> dict[str, str]:
    """A key and a value."""
    held = {n: pb.text(data, a, b) for n, w, a, b in pb.fields(data, 0, len(data)) if w == pb.BYTES}
    return {held.get(1, ""): held.get(2, "")}


def numbers(data: bytes, wire: int) -> list[int]:
    """Whole numbers, one or packed."""
    found: list[int] = []
    at = 0
    while at < len(data):
        value, at = pb.varint(data, at, len(data))
        found.append(pb.signed(value))
    if wire == pb.VARINT and len(found) != 1:
        raise pb.WireError("varint")
    return found


def held_tensor(data: bytes, window: Window) -> tuple[str, Any]:
    """A tensor that stands within a node."""
    from gandoctor.checkpoint.windows import Held

    return _tensor(Held(data, window.path, window.name), 0, len(data))
