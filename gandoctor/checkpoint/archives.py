"""Zip archives as checkpoints are packed in: what lies in them and where, nothing unpacked.

A reader of its own, since a file that says two things (a name in the directory and another beside
the data, the same name twice, entries that overlap) is refused here, not interpreted.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Final

from gandoctor.checkpoint.windows import Held, Window
from gandoctor.errors import InputError
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_ENTRIES: Final = 100_000
MOST_DIRECTORY: Final = 32 << 20
MOST_UNPACKED: Final = 64 << 20
MOST_RATIO: Final = 200
_END: Final = struct.Struct("<4s4H2LH")
_END64: Final = struct.Struct("<4sQ2H2L4Q")
_ENTRY: Final = struct.Struct("<4s6H3L5H2L")
_LOCAL: Final = struct.Struct("<4s5H3L2H")
_WIDE: Final = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of an archive, as the directory has it."""

    name: str
    method: int
    crc: int
    packed: int
    size: int
    at: int


class Archive:
    """A zip archive.

    Parameters
    ----------
    window : Window

    Raises
    ------
    InputError
        Its directory is damaged, lies, or is too large.
    """

    def __init__(self, window: Window) -> None:
        self.window = window
        self.entries: dict[str, Entry] = {}
        last = -1
        for entry in sorted(self._directory(), key=lambda e: e.at):
            if entry.name in self.entries:
                self._refuse(f"holds {entry.name[:80]} twice")
            if entry.at < last:
                self._refuse("has entries that overlap")
            last = entry.at + _LOCAL.size + entry.packed
            self.entries[entry.name] = entry

    def _refuse(self, what: str) -> None:
        raise InputError(f"is a zip archive that {what}", self.window.name, "copy or save it again")

    def _directory(self) -> Iterator[Entry]:
        window = self.window
        tail = min(window.length, (1 << 16) + _END.size)
        data = window.some(window.length - tail, tail)
        at = data.rfind(b"PK\x05\x06")
        if at < 0 or at + _END.size > len(data):
            raise InputError("is cut off (its end is missing)", window.name, "copy it again")
        _, _, _, _, count, length, start, _ = _END.unpack_from(data, at)
        where = window.length - tail + at
        if start == _WIDE or count == 0xFFFF or length == _WIDE:
            count, length, start = self._wide(where, (count, length, start))
        if count > MOST_ENTRIES or length > MOST_DIRECTORY or start + length > where:
            self._refuse("has a directory that cannot be")
        found = window.read(start, length)
        at = 0
        for _ in range(count):
            if at + _ENTRY.size > len(found):
                self._refuse("has a directory that is cut off")
            fields = _ENTRY.unpack_from(found, at)
            magic, _, _, flags, method, _, _, crc, packed, size, n, m, k, *_, offset = fields
            if magic != b"PK\x01\x02":
                self._refuse("has a damaged directory")
            name = found[at + _ENTRY.size : at + _ENTRY.size + n].decode("utf-8", "replace")
            extra = found[at + _ENTRY.size + n : at + _ENTRY.size + n + m]
            size, packed, offset = _widened(extra, size, packed, offset)
            if flags & 1:
                self._refuse("is encrypted")
            if offset + packed > start:
                self._refuse("has entries beyond its end")
            at += _ENTRY.size + n + m + k
            yield Entry(name, method, crc, packed, size, offset)

    def _wide(self, end: int, plain: tuple[int, int, int]) -> tuple[int, int, int]:
        """Count, length and start of the directory of a large archive."""
        if end < 20:
            return plain
        magic, _, at, _ = struct.unpack("<4sLQL", self.window.read(end - 20, 20))
        if magic != b"PK\x06\x07" or at + _END64.size > end:
            return plain
        fields = _END64.unpack(self.window.read(at, _END64.size))
        if fields[0] != b"PK\x06\x06":
            self._refuse("has a damaged directory")
        return fields[7], fields[8], fields[9]

    def window_of(self, name: str) -> Window:
        """Where the bytes of an entry stand; unpacked where they are packed and small.

        Raises
        ------
        InputError
            It is not there, the archive contradicts itself, or it would unpack to more than is
            sane.
        """
        entry = self.entries.get(name)
        if entry is None:
            raise InputError(f"lacks {name[:80]}", self.window.name, "copy or save it again")
        head = _LOCAL.unpack(self.window.read(entry.at, _LOCAL.size))
        start = entry.at + _LOCAL.size + head[9] + head[10]
        here = self.window.read(entry.at + _LOCAL.size, head[9]).decode("utf-8", "replace")
        if head[0] != b"PK\x03\x04" or here != name or head[3] != entry.method:
            self._refuse("names an entry otherwise than its directory does")
        if start + entry.packed > self.window.length:
            self._refuse("has entries beyond its end")
        if entry.method == 0:
            if entry.packed != entry.size:
                self._refuse("has a damaged directory")
            return self.window.part(start, entry.size)
        if entry.method != 8:
            self._refuse("is packed in a way that is not read")
        return self._unpacked(entry, start)

    def _unpacked(self, entry: Entry, start: int) -> Window:
        if entry.size > MOST_UNPACKED or entry.size > MOST_RATIO * max(entry.packed, 1 << 10):
            self._refuse(f"unpacks to {entry.size:,} bytes, which no checkpoint does")
        machine = zlib.decompressobj(-15)
        try:
            data = machine.decompress(self.window.read(start, entry.packed), entry.size + 1)
        except zlib.error:
            data = b""
        if len(data) != entry.size or zlib.crc32(data) != entry.crc:
            self._refuse("is damaged (a check sum does not fit)")
        return Held(data, self.window.path, self.window.name, self.window.start + start)

    def text(self, name: str, most: int = 8 << 20) -> bytes:
        """All bytes of a small entry, proved by their check sum.

        Raises
        ------
        InputError
            As `window_of`; or it is damaged, or larger than `most`.
        """
        window = self.window_of(name)
        if window.length > most:
            self._refuse(f"has {window.length:,} bytes of {name[:80]}")
        data = window.read(0, window.length)
        if zlib.crc32(data) != self.entries[name].crc:
            self._refuse("is damaged (a check sum does not fit)")
        return data


def _widened(extra: bytes, size: int, packed: int, at: int) -> tuple[int, int, int]:
    """Sizes and place of an entry that did not fit into 32 bits."""
    where = 0
    while where + 4 <= len(extra):
        tag, length = struct.unpack_from("<HH", extra, where)
        if tag == 1:
            them = iter(
                struct.iter_unpack("<Q", extra[where + 4 : where + 4 + min(length, 24) // 8 * 8])
            )
            size = next(them, (size,))[0] if size == _WIDE else size
            packed = next(them, (packed,))[0] if packed == _WIDE else packed
            at = next(them, (at,))[0] if at == _WIDE else at
        where += 4 + length
    return size, packed, at
