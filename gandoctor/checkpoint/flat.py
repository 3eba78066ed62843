"""Formats that are a flat list of named tensors: safetensors, npz, TensorFlow's, exported programs.

None of them needs a pickle; of each is read what tells names, shapes and places, and no more.
"""

from __future__ import annotations

import json
import struct
from dataclasses import field
from typing import TYPE_CHECKING, Any, Final

from gandoctor.checkpoint.plans import EXPORTED, Plan
from gandoctor.checkpoint.tensors import Storage, Tensor, Unread, columns, tensor
from gandoctor.checkpoint.windows import Window
from gandoctor.errors import InputError
from gandoctor.files import npy
from gandoctor.files import protobuf as pb
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gandoctor.checkpoint.archives import Archive

MOST_HEADER: Final = 32 << 20
MOST_NAMES: Final = 100_000
MOST_GRAPH: Final = 4 << 20
_SAFE: Final = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U64": "uint64",
    "U32": "uint32",
    "U16": "uint16",
    "U8": "uint8",
    "BOOL": "bool",
}
# Numbers of TensorFlow's ``DataType``.
_TF: Final = {
    1: "float32",
    2: "float64",
    3: "int32",
    4: "uint8",
    5: "int16",
    6: "int8",
    8: "complex64",
    9: "int64",
    10: "bool",
    14: "bfloat16",
    17: "uint16",
    18: "complex128",
    19: "float16",
    22: "uint32",
    23: "uint64",
}
TF_MAGIC: Final = b"\x57\xfb\x80\x8b\x24\x75\x47\xdb"
# Numbers of torch.export's ``ScalarType``.
_PT2: Final = {
    1: "uint8",
    2: "int8",
    3: "int16",
    4: "int32",
    5: "int64",
    6: "float16",
    7: "float32",
    8: "float64",
    12: "bool",
    13: "bfloat16",
    28: "uint16",
}


@dataclass(frozen=True, slots=True, eq=False)
class Flat:
    """Named tensors of one file.

    Attributes
    ----------
    tensors : dict
        By name, in the order of the file.
    kind : str
        What sort of file it is, for people.
    texts : dict of str to str
        What else it says (a config), unparsed.
    plan : Plan or None
        How its network runs, where the file says it.
    """

    tensors: dict[str, Tensor | Unread]
    kind: str
    texts: dict[str, str] = field(default_factory=dict)
    plan: Plan | None = None


def _json(data: bytes, name: str) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise InputError(
            "is damaged (what should be JSON is none)", name, "save it again"
        ) from None


def is_safetensors(head: bytes, size: int) -> bool:
    """Whether a file begins with the length of a JSON header, and the header."""
    return len(head) > 9 and head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= size


def safetensors(window: Window) -> Flat:
    """A ``.safetensors`` file.

    Raises
    ------
    InputError
        Its header is damaged or lies.
    """
    length = int.from_bytes(window.read(0, 8), "little")
    if length > MOST_HEADER or 8 + length > window.length:
        raise InputError("has a header that cannot be", window.name, "copy or save it again")
    header = _json(window.read(8, length), window.name)
    if not isinstance(header, dict) or len(header) > MOST_NAMES:
        raise InputError("has a header that cannot be", window.name, "copy or save it again")
    found: dict[str, Tensor | Unread] = {}
    room = window.length - 8 - length
    for name, said in header.items():
        if name == "__metadata__":
            continue
        entry = said if isinstance(said, dict) else {}
        span, shape = entry.get("data_offsets"), entry.get("shape")
        if (
            not isinstance(span, list)
            or len(span) != 2
            or any(type(n) is not int for n in span)
            or not 0 <= span[0] <= span[1] <= room
            or not isinstance(shape, list)
        ):
            found[name] = Unread("its place in the file is none")
            continue
        storage = Storage(window.part(8 + length + span[0], span[1] - span[0]))
        dtype = str(entry.get("dtype"))[:20]
        found[name] = tensor(storage, _SAFE.get(dtype, dtype.lower()), shape)
    return Flat(found, "safetensors")


def npz(archive: Archive) -> Flat:
    """An archive of numpy arrays; nothing in it is unpickled.

    Raises
    ------
    InputError
        It is damaged.
    """
    found: dict[str, Tensor | Unread] = {}
    for name in archive.entries:
        if name.endswith(".npy"):
            try:
                found[name.removesuffix(".npy")] = _npy(archive.window_of(name))
            except InputError as fault:
                found[name.removesuffix(".npy")] = Unread(fault.what)
    return Flat(found, "npz")


def _npy(window: Window) -> Tensor | Unread:
    head = npy.header(window.some(0, npy.MOST))
    if head is None:
        return Unread("its header is damaged")
    shape, fortran, dtype, start = head
    if dtype.hasobject or dtype.kind not in "fiubc":
        return Unread("an array of a kind that is not read")
    if start > window.length:
        return Unread("its header is damaged")
    big = dtype.byteorder == ">"
    storage = Storage(window.part(start, window.length - start), big)
    return tensor(storage, dtype.name, shape, columns(shape) if fortran else None)


# ---------------------------------------------------------------- torch.export


def exported(archive: Archive, models: list[str]) -> Flat:
    """A ``.pt2`` file of ``torch.export.save``: weights by name, the graph as JSON text.

    Raises
    ------
    InputError
        It is damaged.
    """
    found: dict[str, Tensor | Unread] = {}
    for name in archive.entries:
        if not name.endswith(("_weights_config.json", "_constants_config.json")):
            continue
        config = _json(archive.text(name), archive.window.name)
        folder = f"{name.rpartition('/')[0]}/"
        entries = config.get("config") if isinstance(config, dict) else None
        for key, entry in (entries or {}).items() if isinstance(entries, dict) else ():
            found[str(key)] = _exported(archive, folder, entry)
    plan = Plan(EXPORTED, lambda: {n: archive.text(n, MOST_GRAPH) for n in models[:2]}, found)
    return Flat(found, EXPORTED, plan=plan)


def _exported(archive: Archive, folder: str, entry: object) -> Tensor | Unread:
    entry = entry if isinstance(entry, dict) else {}
    meta, path = entry.get("tensor_meta"), entry.get("path_name")
    if not isinstance(meta, dict) or not isinstance(path, str):
        return Unread("it is described by too few values")
    name = f"{folder}{path}"
    if entry.get("use_pickle") or name not in archive.entries:
        return Unread("its numbers are not in the file")
    try:
        window = archive.window_of(name)
    except InputError as fault:
        return Unread(fault.what)
    shape, strides = (_ints(meta.get(k)) for k in ("sizes", "strides"))
    offset = _ints([meta.get("storage_offset", 0)])
    if shape is None or strides is None or offset is None:
        return Unread("its shape is none")
    kind = meta.get("dtype")
    dtype = _PT2.get(kind, f"{kind}") if type(kind) is int else str(kind)[:20]
    return tensor(Storage(window, crc=archive.entries[name].crc), dtype, shape, strides, offset[0])


def _ints(values: object) -> list[object] | None:
    if not isinstance(values, list):
        return None
    return [v.get("as_int") if isinstance(v, dict) else v for v in values]


# ---------------------------------------------------------------- TensorFlow


def tensorflow(index: Path) -> Flat:
    """A TensorFlow checkpoint: its ``.index``, and the numbers in ``.data-...`` beside it.

    Raises
    ------
    InputError
        The index is damaged or packed.
    """
    window = Window.of(index)
    table = window.read(0, min(window.length, MOST_HEADER))
    try:
        entries = dict(_table(table))
    except (IndexError, struct.error, pb.WireError):
        raise InputError("is damaged, or packed", window.name, "copy it again") from None
    header = _fields(entries.pop(b"", b""))
    shards = int(next(iter(header.get(1, [1])), 1))
    stem = index.name.removesuffix(".index")
    found: dict[str, Tensor | Unread] = {}
    for key, value in list(entries.items())[:MOST_NAMES]:
        name = key.decode("utf-8", "replace")
        fields = _fields(value)
        shard, at, size, kind = (int(fields.get(n, [0])[0]) for n in (3, 4, 5, 1))
        path = index.parent / f"{stem}.data-{shard:05d}-of-{max(shards, 1):05d}"
        if not 0 <= shard < max(shards, 1) or path.is_symlink() or not path.is_file():
            found[name] = Unread("the file with its numbers is not there")
            continue
        if kind not in _TF:
            continue  # texts: the object graph
        data = Window.of(path)
        shape = _tf_shape(fields.get(2, [b""])[0])
        if at + size > data.length:
            found[name] = Unread("the file ends before its numbers")
            continue
        found[name] = tensor(Storage(data.part(at, size)), _TF[kind], shape)
    return Flat(found, "TensorFlow")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    return pb.varint(data, at, len(data))


def _fields(data: bytes) -> dict[int, list[Any]]:
    """The fields of a protobuf message, undecoded."""
    found: dict[int, list[Any]] = {}
    for number, wire, start, stop in pb.fields(data, 0, len(data)):
        whole = wire == pb.VARINT
        value = pb.varint(data, start, stop)[0] if whole else data[start:stop]
        found.setdefault(number, []).append(value)
    return found


def _tf_shape(data: object) -> list[object]:
    dims = _fields(data).get(2, []) if isinstance(data, bytes) else []
    return [int(_fields(d).get(1, [0])[0]) for d in dims if isinstance(d, bytes)]


def _table(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of a table of LevelDB's kind, as TensorFlow writes it."""
    footer = data[-48:]
    if footer[-8:] != TF_MAGIC:
        raise IndexError
    _, at = _varint(footer, 0)
    _, at = _varint(footer, at)
    start, at = _varint(footer, at)
    size, at = _varint(footer, at)
    for _, handle in _block(data, start, size):
        first, at = _varint(handle, 0)
        length, at = _varint(handle, at)
        yield from _block(data, first, length)


def _block(data: bytes, start: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    if data[start + size] != 0:  # packed
        raise IndexError
    block = data[start : start + size]
    restarts = struct.unpack_from("<I", block, len(block) - 4)[0]
    end, at, key = len(block) - 4 - 4 * restarts, 0, b""
    for _ in range(MOST_NAMES):
        if at >= end:
            return
        shared, at = _varint(block, at)
        fresh, at = _varint(block, at)
        length, at = _varint(block, at)
        key = key[:shared] + block[at : at + fresh]
        at += fresh
        yield key, block[at : at + length]
        at += length
