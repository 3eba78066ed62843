"""Checkpoints made by hand, without torch: sound ones, broken ones, and ones meant to do harm."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

PROTO = b"\x80\x02"


def text(word: str) -> bytes:
    data = word.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def name(module: str, attribute: str) -> bytes:
    return b"c" + module.encode() + b"\n" + attribute.encode() + b"\n"


def number(value: int) -> bytes:
    size = (value.bit_length() + 8) // 8
    return b"\x8a" + bytes([size]) + value.to_bytes(size, "little", signed=True)


def numbers(*values: int) -> bytes:
    return b"(" + b"".join(number(v) for v in values) + b"t"


def storage(key: str = "0", count: int = 6, kind: str = "FloatStorage") -> bytes:
    return (
        b"("
        + text("storage")
        + name("torch", kind)
        + text(key)
        + text("cpu")
        + number(count)
        + b"tQ"
    )


def tensor(
    shape: tuple[int, ...] = (2, 3),
    strides: tuple[int, ...] = (3, 1),
    offset: int = 0,
    stored: bytes | None = None,
) -> bytes:
    made = name("torch._utils", "_rebuild_tensor_v2")
    args = (stored or storage()) + number(offset) + numbers(*shape) + numbers(*strides)
    return made + b"(" + args + b"\x89" + name("collections", "OrderedDict") + b")RtR"


def state_dict(**tensors: bytes) -> bytes:
    return b"}(" + b"".join(text(k.replace("__", ".")) + v for k, v in tensors.items()) + b"u"


GOOD = state_dict(main__0__weight=tensor(), main__0__bias=tensor((3,), (1,)))
NUMBERS = np.arange(6, dtype="<f4").tobytes()


def zipped(
    path: Path, pickle: bytes, *, data: dict[str, bytes] | None = None, method: int = 0
) -> None:
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("archive/data.pkl", pickle)
        for key, value in (data if data is not None else {"0": NUMBERS}).items():
            archive.writestr(f"archive/data/{key}", value)
        archive.writestr("archive/version", b"3\n")


def payload(marker: Path) -> bytes:
    """``open(marker, 'w')`` as an argument of REDUCE, whose result is dropped."""
    return name("builtins", "open") + b"(" + text(str(marker)) + text("w") + b"tR0"


def legacy(path: Path, pickle: bytes, tail: bytes, keys: bytes = b"](" + text("0") + b"e") -> None:
    magic = PROTO + number(0x1950A86A20F9469CFC6C) + b"."
    info = PROTO + b"}(" + text("little_endian") + b"\x88u."
    version = PROTO + number(1001) + b"."
    stored = PROTO + pickle + b"."
    path.write_bytes(magic + version + info + stored + PROTO + keys + b"." + tail)


def _old(pickle: bytes) -> bytes:
    """A legacy storage has a sixth field: no view."""
    return pickle.replace(b"tQ", b"NtQ")


def _flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    at = data.find(b"archive/data/0") + len("archive/data/0")
    data[at + 9] ^= 0xFF
    path.write_bytes(data)


def _twice(path: Path) -> None:
    zipped(path, PROTO + GOOD + b".")
    with zipfile.ZipFile(path, "a") as archive:
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            archive.writestr("archive/data.pkl", PROTO + b"N.")


def _otherwise_named(path: Path) -> None:
    zipped(path, PROTO + GOOD + b".")
    data = path.read_bytes()
    path.write_bytes(data.replace(b"archive/data.pkl", b"archive/evil.pkl", 1))


def _overlapping(path: Path) -> None:
    zipped(path, PROTO + GOOD + b".")
    data = bytearray(path.read_bytes())
    at = data.rfind(b"PK\x01\x02")
    data[at + 42 : at + 46] = b"\x05\0\0\0"
    path.write_bytes(data)


def _bomb(path: Path) -> None:
    zipped(path, b"\0" * (64 << 20), method=zipfile.ZIP_DEFLATED)


def _plain(data: bytes) -> Callable[[Path, Path], None]:
    return lambda path, _: path.write_bytes(data)


def _in_zip(pickle: bytes) -> Callable[[Path, Path], None]:
    return lambda path, _: zipped(path, PROTO + pickle + b".")


def _with(make: Callable[[Path], bytes]) -> Callable[[Path, Path], None]:
    return lambda path, marker: zipped(path, PROTO + make(marker) + b".")


def _opener(marker: Path) -> bytes:
    return b"(" + text(str(marker)) + text("w") + b"t"


def _safetensors(header: object, body: bytes = NUMBERS) -> bytes:
    data = json.dumps(header).encode()
    return struct.pack("<Q", len(data)) + data + body


# What is wanted of each: "read" (the rest of it is there, and nothing ran), or a word that the
# sentence says.
HOSTILE: dict[str, tuple[Callable[[Path, Path], None], str]] = {
    "a call before the weights": (_with(lambda m: payload(m) + GOOD), "read"),
    "a call by STACK_GLOBAL": (
        _with(lambda m: text("builtins") + text("open") + b"\x93" + _opener(m) + b"R0" + GOOD),
        "read",
    ),
    "names through the memo": (
        _with(
            lambda m: (
                text("open")
                + b"\x94"
                + b"0"
                + text("builtins")
                + b"h\0\x93"
                + _opener(m)
                + b"R0"
                + GOOD
            )
        ),
        "read",
    ),
    "INST": (
        _with(lambda m: b"(" + text(str(m)) + text("w") + b"ibuiltins\nopen\n0" + GOOD),
        "read",
    ),
    "OBJ": (
        _with(lambda m: b"(" + name("builtins", "open") + text(str(m)) + text("w") + b"o0" + GOOD),
        "read",
    ),
    "NEWOBJ_EX": (
        _with(lambda m: name("builtins", "open") + _opener(m) + b"}\x920" + GOOD),
        "read",
    ),
    "NEWOBJ": (_with(lambda m: name("builtins", "open") + _opener(m) + b"\x810" + GOOD), "read"),
    "EXT": (_with(lambda m: b"\x82\x01" + _opener(m) + b"R0" + GOOD), "read"),
    "BUILD with a state that is code": (
        _with(
            lambda m: (
                name("builtins", "exec")
                + b")\x81}("
                + text("__setstate__")
                + name("builtins", "exec")
                + b"ub("
                + text(f"open({str(m)!r}, 'w')")
                + b"tb0"
                + GOOD
            )
        ),
        "read",
    ),
    "a member of torch that loads": (
        _with(lambda m: name("torch.hub", "load") + _opener(m) + b"R0" + GOOD),
        "read",
    ),
    "pip": (_with(lambda m: name("pip", "main") + _opener(m) + b"R0" + GOOD), "read"),
    "broken behind the call": (_with(lambda m: payload(m) + b"\xff"), "damaged"),
    "a call in a plain pickle": (
        lambda path, m: path.write_bytes(PROTO + payload(m) + b"N."),
        "read",
    ),
    "text pickle": (
        lambda path, m: path.write_bytes(b"cbuiltins\nopen\n(V" + str(m).encode() + b"\nVw\ntR."),
        "read",
    ),
    "two pickles in a zip": (lambda path, _: _twice(path), "twice"),
    "another name beside the data": (lambda path, _: _otherwise_named(path), "otherwise"),
    "entries that overlap": (lambda path, _: _overlapping(path), "zip"),
    "a zip bomb": (lambda path, _: _bomb(path), "unpacks"),
    "a zip that ends early": (
        lambda path, _: (
            zipped(path, PROTO + GOOD + b"."),
            path.write_bytes(path.read_bytes()[:-40]),
        )[0],
        "cut off",
    ),
    "a zip of something else": (
        lambda path, _: zipfile.ZipFile(path, "w").writestr("readme.txt", b"hello"),
        "no checkpoint",
    ),
    "gzip": (_plain(b"\x1f\x8b\x08" + bytes(50)), "gzip"),
    "7z": (_plain(b"7z\xbc\xaf\x27\x1c" + bytes(50)), "7z"),
    "tar": (_plain(bytes(1) + b"a" * 256 + b"ustar" + bytes(300)), "tar"),
    "a web page": (_plain(b"<!DOCTYPE html><html><body>404"), "web page"),
    "nothing": (_plain(b""), "empty"),
    "zeros": (_plain(bytes(5000)), "zeros"),
    "a pointer": (
        _plain(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n"),
        "LFS",
    ),
    "cut off": (_plain(PROTO + GOOD[:-30]), "damaged"),
    "a storage outside": (
        _in_zip(state_dict(a__b=tensor(stored=storage("../../../etc/passwd")), a__c=tensor())),
        "read",
    ),
    "a storage at the root": (
        _in_zip(state_dict(a__b=tensor(stored=storage("/etc/passwd")), a__c=tensor())),
        "read",
    ),
    "an offset beyond": (_in_zip(state_dict(a__b=tensor(offset=1 << 40), a__c=tensor())), "read"),
    "sizes without end": (
        _in_zip(state_dict(a__b=tensor((1 << 33, 1 << 33)), a__c=tensor())),
        "read",
    ),
    "a negative size": (_in_zip(state_dict(a__b=tensor((-2, 3)), a__c=tensor())), "read"),
    "negative strides": (
        _in_zip(state_dict(a__b=tensor(strides=(-3, 1), offset=5), a__c=tensor())),
        "read",
    ),
    "strides of nothing": (
        _in_zip(state_dict(a__b=tensor((1 << 20, 1 << 20), (0, 0)), a__c=tensor())),
        "read",
    ),
    "sizes that are no numbers": (
        _in_zip(state_dict(a__b=tensor().replace(numbers(2, 3), text("two")), a__c=tensor())),
        "read",
    ),
    "a storage that says too much": (
        _in_zip(state_dict(a__b=tensor((1000,), (1,), stored=storage(count=1000)), a__c=tensor())),
        "read",
    ),
    "a memo bomb": (_plain(PROTO + b"]r\xff\xff\xff\x0f."), "read"),
    "a long string that is not there": (_plain(PROTO + b"\x8e" + b"\xff" * 7 + b"\0."), "damaged"),
    "a frame without end": (_plain(b"\x80\x04\x95" + b"\xff" * 8 + b"N."), "read"),
    "a number of megabytes": (
        _plain(PROTO + b"\x8b" + struct.pack("<I", 5 << 20) + b"\x7f" * (5 << 20) + b"."),
        "read",
    ),
    "digits without end": (_plain(PROTO + b"I" + b"9" * 500_000 + b"\n."), "read"),
    "lists in lists": (_plain(PROTO + b"]" * 200_000 + b"a" * 199_999 + b"."), "read"),
    "tuples in tuples": (_plain(PROTO + b")" + b"\x85" * 200_000 + b"."), "read"),
    "a billion laughs": (_in_zip(b")" + b"2\x86" * 60 + b"0" + GOOD), "read"),
    "a key that costs a hash": (_in_zip(b"}" + b")" + b"2\x86" * 60 + b"Ns0" + GOOD), "read"),
    "a list within itself": (_plain(PROTO + b"]q\0h\0a."), "read"),
    "opcodes without end": (_plain(PROTO + b"N0" * 3_000_000 + b"."), "steps"),
    "a mark that is missing": (_plain(PROTO + b"Nt."), "damaged"),
    "an empty stack": (_plain(PROTO + b"."), "damaged"),
    "old, with a count without end": (
        lambda path, _: legacy(path, _old(GOOD), struct.pack("<q", 1 << 60) + NUMBERS),
        "read",
    ),
    "old, with a negative count": (
        lambda path, _: legacy(path, _old(GOOD), struct.pack("<q", -1) + NUMBERS),
        "damaged",
    ),
    "old, cut off": (
        lambda path, _: legacy(path, _old(GOOD), struct.pack("<q", 6) + NUMBERS[:5]),
        "read",
    ),
    "old, with a call": (
        lambda path, m: legacy(path, payload(m) + _old(GOOD), struct.pack("<q", 6) + NUMBERS),
        "read",
    ),
    "a file in a file in a file": (lambda path, _: path.write_bytes(_nested(8)), "read"),
    "numpy objects": (
        _plain(
            PROTO
            + name("numpy.core.multiarray", "_reconstruct")
            + b"("
            + name("numpy", "ndarray")
            + numbers(0)
            + text("b")
            + b"tR(K\x01"
            + numbers(3)
            + name("numpy", "dtype")
            + b"("
            + text("O8")
            + b"\x89\x88tR\x89](NNNetb."
        ),
        "read",
    ),
    "safetensors with a header of exabytes": (
        _plain(struct.pack("<Q", 1 << 62) + b'{"a":1}'),
        "no checkpoint",
    ),
    "safetensors that lie": (
        _plain(_safetensors({"a.b": {"dtype": "F32", "shape": [9, 9], "data_offsets": [0, 24]}})),
        "read",
    ),
    "safetensors beyond the file": (
        _plain(_safetensors({"a.b": {"dtype": "F32", "shape": [6], "data_offsets": [0, 9999]}})),
        "read",
    ),
    "safetensors of brackets": (
        _plain(struct.pack("<Q", 200_001) + b"{" + b"[" * 200_000),
        "damaged",
    ),
    "HDF5, damaged": (_plain(b"\x89HDF\r\n\x1a\n" + bytes(200)), "HDF5"),
}


def _nested(depth: int) -> bytes:
    inner = PROTO + b"N."
    for _ in range(depth):
        made = name("torch.storage", "_load_from_bytes")
        loaded = made + b"(B" + struct.pack("<I", len(inner)) + inner + b"tR"
        inner = PROTO + state_dict(a__b=tensor(stored=loaded)) + b"."
    return inner


def npz(path: Path, **arrays: np.ndarray) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    path.write_bytes(buffer.getvalue())
