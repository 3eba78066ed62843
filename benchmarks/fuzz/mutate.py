"""Ways in which a file goes wrong."""

from __future__ import annotations

import random
import struct
import zlib

from gandoctor.parsers.records import crc

_NUMBERS = (
    0,
    1,
    0x7F,
    0x80,
    0xFF,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x7FFF_FFFF,
    0x8000_0000,
    0xFFFF_FFFF,
    2**63 - 1,
    2**64 - 1,
)
_WORDS = (
    b"nan", b"inf", b"-", b"1e999", b"99999999999999999999", b",", b";", b"\n", b"\r", b"\t", b'"',
    b"'", b"[", b"{",
    b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\x1b[31m", b"loss", b"epoch", b"step: ", b"=", b":",
    b"%", b"/", b"\\", b"e",
    b".", b"\x0a", b"\x12", b"\x2a", b"\x42", b"\x82\x01",
)  # fmt: skip


def mutated(seeds: list[bytes], rng: random.Random, *, binary: str = "") -> bytes:
    """One file more: a seed with some mutations, sometimes noise.

    Parameters
    ----------
    binary : str
        ``event`` or ``wandb``: half of the files get their checksums put right again, so that the
        damage reaches what lies behind them.
    """
    if rng.random() < 0.03:
        return rng.randbytes(rng.choice([0, 1, 7, 12, 100, 5000]))
    data = bytearray(rng.choice(seeds))
    for _ in range(rng.choice([1, 1, 1, 2, 3, 8, 30])):
        _once(data, seeds, rng)
    if binary == "event" and rng.random() < 0.5:
        return _event_sums(bytes(data))
    if binary == "wandb" and rng.random() < 0.5:
        return _wandb_sums(bytes(data))
    return bytes(data)


def _once(data: bytearray, seeds: list[bytes], rng: random.Random) -> None:
    size = len(data)
    at = rng.randrange(size + 1)
    span = min(rng.choice([1, 2, 4, 8, 16, 100, 1000]), size - at)
    way = rng.randrange(10)
    if way == 0 and size:
        data[at % size] ^= 1 << rng.randrange(8)
    elif way == 1 and size:
        data[at % size] = rng.randrange(256)
    elif way == 2:
        del data[at : at + span]
    elif way == 3:
        data[at:at] = rng.randbytes(span)
    elif way == 4:
        del data[at:]
    elif way == 5:
        data[at : at + span] = bytes([rng.choice([0, 0xFF, 0x20, 0x0A, 0x80])]) * span
    elif way == 6:
        data[at:at] = data[at : at + span] * rng.choice([1, 2, 50])
    elif way == 7:
        other = rng.choice(seeds)
        start = rng.randrange(len(other) + 1)
        data[at : at + span] = other[start : start + rng.choice([4, 40, 400])]
    elif way == 8:
        width = rng.choice("BHIQ")
        number = rng.choice(_NUMBERS) & (2 ** (8 * struct.calcsize(width)) - 1)
        data[at : at + struct.calcsize(width)] = struct.pack("<" + width, number)
    else:
        data[at:at] = rng.choice(_WORDS) * rng.choice([1, 1, 3, 200])


def _event_sums(data: bytes) -> bytes:
    """Checksums put right along the chain of lengths, as far as it holds."""
    out = bytearray(data)
    at = 0
    while at + 16 <= len(out):
        (size,) = struct.unpack_from("<Q", out, at)
        if size > len(out) - at - 16:
            size = min(len(out) - at - 16, 200)
            struct.pack_into("<Q", out, at, size)
        struct.pack_into("<I", out, at + 8, crc.masked(crc.crc32c(bytes(out[at : at + 8]))))
        struct.pack_into(
            "<I", out, at + 12 + size, crc.masked(crc.crc32c(bytes(out[at + 12 : at + 12 + size])))
        )
        at += size + 16
    return bytes(out)


def _wandb_sums(data: bytes) -> bytes:
    """The same for the chunks of a ``.wandb`` file."""
    out = bytearray(data)
    at = 7
    while at + 7 <= len(out):
        left = 32_768 - at % 32_768
        if left < 7:
            at += left
            continue
        size = int.from_bytes(out[at + 4 : at + 6], "little")
        size = min(size, left - 7, len(out) - at - 7)
        kind = out[at + 6] if 1 <= out[at + 6] <= 4 else 1
        struct.pack_into(
            "<IHB", out, at, zlib.crc32(bytes([kind]) + out[at + 7 : at + 7 + size]), size, kind
        )
        at += 7 + size
    return bytes(out)
