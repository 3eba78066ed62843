"""Chunks of a LevelDB log, as W&B frames its records: 32 KiB blocks, each chunk with a checksum."""

from __future__ import annotations

import os
import struct
import zlib
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.files.reading import BLANK, MOST_DAMAGE, given_up, next_data, zeros_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import FileIO

    from numpy.typing import NDArray


_FILE_HEAD: Final = 7

_BLOCK: Final = 32_768

_CHUNK: Final = struct.Struct("<IHB")

_WHOLE, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4

# The checksum covers the chunk's kind, then its data.
_SEEDS: Final = [zlib.crc32(bytes([kind])) for kind in range(5)]

_AT_ONCE: Final = 32 * _BLOCK

_PATIENCE: Final = (
    16  # a sound chunk is looked for in so many times the bytes read, then the block is given up
)

_MAX_RECORD: Final = 64 << 20  # a longer one is damage or a table, and no metric


class Frames:
    """Chunk by chunk through the file; after damage on with the next sound chunk."""

    def __init__(self, file: FileIO) -> None:
        self.file = file
        self.good = 0
        self.patience = 0  # bytes that may still be tried for chunks in what is in hand
        self.lost_bytes = 0
        self.lost_places = 0
        self.torn = 0
        self.size = 0
        self.zeros = 0
        self.unseen = 0

    def records(self) -> Iterator[bytes]:
        """Whole records whose every chunk agrees with its checksum."""
        unpack, crc32, seeds = _CHUNK.unpack_from, zlib.crc32, _SEEDS
        self.size = os.fstat(self.file.fileno()).st_size
        self.file.seek(0)
        base = 0
        parts: list[bytes] = []
        # Bytes in `parts`; -1 outside a record, as a first chunk may be empty at a block's end.
        held = -1
        while data := self.file.read(_AT_ONCE):
            size = len(data)
            if size >= BLANK and data[:1] == b"\0" and data == bytes(size):
                end = max(
                    next_data(self.file.fileno(), base + size, self.size) // _AT_ONCE * _AT_ONCE,
                    base + size,
                )
                self.zeros += end - base
                if held >= 0:
                    self._lose(held)
                    parts, held = [], -1
                base = self.file.seek(end)
                continue
            if self.lost_bytes > MOST_DAMAGE:
                self.unseen = max(self.size - base, 0)
                break
            self.patience = _PATIENCE * size
            at = _FILE_HEAD if base == 0 else 0
            while at < size:
                left = _BLOCK - at % _BLOCK
                if left < _CHUNK.size:
                    at += left  # zeros up to the block's end
                    continue
                if at + _CHUNK.size > size:
                    self.torn += size - at
                    break
                crc, length, kind = unpack(data, at)
                start = at + _CHUNK.size
                stop = start + length
                if stop > size and length + _CHUNK.size <= left and _WHOLE <= kind <= _LAST:
                    self.torn += size - at
                    break
                body = data[start:stop]
                if (
                    not _WHOLE <= kind <= _LAST
                    or length + _CHUNK.size > left
                    or crc32(body, seeds[kind]) != crc
                ):
                    found = self._next_chunk(data, at, min(at + left, size))
                    self._lose(found - at + max(held, 0))
                    parts, held = [], -1
                    at = found
                    continue
                at = stop
                if kind == _WHOLE:
                    if held >= 0:
                        self._lose(held)
                        parts, held = [], -1
                    self.good += 1
                    yield body
                elif kind == _FIRST:
                    if held >= 0:
                        self._lose(held)
                    parts, held = [body], length
                elif held < 0:
                    self._lose(length + _CHUNK.size)  # its beginning went with the damage
                else:
                    held += length
                    if held <= _MAX_RECORD:
                        parts.append(body)
                    if kind == _LAST:
                        if held <= _MAX_RECORD:
                            self.good += 1
                            yield b"".join(parts)
                        else:
                            self._lose(held)
                        parts, held = [], -1
            base += size
            if size < _AT_ONCE:
                break  # whatever is written from now on is for the next time
        self.torn += max(held, 0)

    def _next_chunk(self, data: bytes, at: int, stop: int) -> int:
        """The next place after `at` where a sound chunk begins, in a block that ends at `stop`.

        `stop` if none does.
        """
        octets: NDArray[np.uint8] = np.frombuffer(data, dtype=np.uint8)
        places = np.arange(at + 1, stop - _CHUNK.size + 1)
        if not places.size or self.patience < 0:
            return stop
        kinds, lengths = (
            octets[places + 6],
            octets[places + 4] | octets[places + 5].astype(np.int64) << 8,
        )
        ends = places + _CHUNK.size + lengths
        likely = (kinds >= _WHOLE) & (kinds <= _LAST) & (ends <= stop)
        self.patience -= 4 * places.size
        for place, end in zip(places[likely].tolist(), ends[likely].tolist(), strict=True):
            crc, length, kind = _CHUNK.unpack_from(data, place)
            if zlib.crc32(data[place + _CHUNK.size : end], _SEEDS[kind]) == crc:
                return int(place)
            self.patience -= length + _BLOCK // 64
            if self.patience < 0:
                break
        return stop

    def _lose(self, count: int) -> None:
        self.lost_places += 1
        self.lost_bytes += count

    def lost(self) -> str | None:
        """What was damaged, blank or cut off, in words."""
        said = []
        if self.lost_places:
            said.append(f"{self.lost_bytes:,} damaged bytes in {self.lost_places:,} place(s)")
        if self.zeros:
            said.append(zeros_of(self.zeros))
        if self.unseen:
            said.append(given_up(self.unseen))
        if self.torn:
            said.append(f"last record incomplete ({self.torn:,} bytes), still being written?")
        return "; ".join(said) or None
