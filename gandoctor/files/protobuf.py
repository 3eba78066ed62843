"""Protobuf's wire format, as far as event files, W&B's records and checkpoints need it.

No schema, no message classes, no copies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

VARINT: Final = 0
FIXED64: Final = 1
BYTES: Final = 2
FIXED32: Final = 5

Buffer = bytes | bytearray | memoryview


class WireError(ValueError):
    """Bytes that are no protobuf message. Never leaves those who read them."""


def varint(data: Buffer, at: int, end: int) -> tuple[int, int]:
    """Unsigned integer at `at` and the place after it.

    Raises
    ------
    WireError
        Where it is longer than ten bytes or runs over `end`.
    """
    value = shift = 0
    while at < end and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at
        shift += 7
    raise WireError("varint")


def signed(value: int) -> int:
    """Two's complement reading of a 64-bit varint, as protobuf's int32 and int64 want it."""
    return value - (1 << 64) if value >> 63 else value


def zigzag(value: int) -> int:
    """The reading of a varint that protobuf's sint32 and sint64 want."""
    return (value >> 1) ^ -(value & 1)


def fields(data: Buffer, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Walk the fields of a message.

    Yields
    ------
    (number, wire type, start, stop)
        Where the field's content stands. For a varint that is the number itself, so that
        ``varint(data, start, stop)`` reads it.

    Raises
    ------
    WireError
        At the first byte that is no field; what was yielded before is sound.
    """
    while at < end:
        # Tags of fields 1 to 15 are one byte: nearly all of them here.
        key = data[at]
        at += 1
        if key >= 0x80:
            key, at = varint(data, at - 1, end)
        wire = key & 7
        if wire == BYTES:
            if at < end and data[at] < 0x80:
                start, stop = at + 1, at + 1 + data[at]
            else:
                size, start = varint(data, at, end)
                stop = start + size
        elif wire == VARINT:
            start = at
            _, stop = varint(data, at, end)
        elif wire == FIXED64:
            start, stop = at, at + 8
        elif wire == FIXED32:
            start, stop = at, at + 4
        else:
            raise WireError("wire type")
        if stop > end or key < 8:
            raise WireError("length")
        yield key >> 3, wire, start, stop
        at = stop


def text(data: Buffer, start: int, stop: int) -> str:
    """UTF-8 text between two places; wrong bytes become the replacement character."""
    return bytes(data[start:stop]).decode("utf-8", "replace")
