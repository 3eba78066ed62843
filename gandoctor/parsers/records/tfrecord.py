"""The frame of TensorFlow's record files.

Where the records stand, and where they go on after damage.

A record is u64 length, u32 masked CRC-32C of the length, payload, u32 masked CRC-32C of the
payload. Source: TensorFlow's ``core/lib/io/record_writer.cc``.

Training loops write the same few records over and over, so the lengths repeat. `walk` steps through
the records one by one until it sees a period, then checks in one go how far the period holds: a
million records cost some milliseconds.
"""

from __future__ import annotations

import struct
from dataclasses import field
from itertools import accumulate
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.parsers.records import crc
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from numpy.typing import NDArray

HEAD: Final = 12  # bytes before a payload
FOOT: Final = 4  # and after it

_HEADER: Final = struct.Struct("<QI")
_KNOWN_LIMIT: Final = 100_000
_FIRST_TRY: Final = 16  # records walked before a period is looked for
_LONGEST_PERIOD: Final = 2048
_LEAST_REPEATS: Final = 4
_ALIKE: Final = 8  # records that must agree with those a period earlier


@dataclass(slots=True)
class Stripes:
    """Records whose lengths repeat.

    Attributes
    ----------
    start : int
        Place of the first.
    stride : int
        Bytes of one period.
    count : int
        How many periods there are.
    sizes : list of int
        Payload lengths within a period.
    """

    start: int
    stride: int
    count: int
    sizes: list[int]

    def shifts(self) -> list[int]:
        """Where in the period each record begins."""
        return [0, *accumulate(size + HEAD + FOOT for size in self.sizes[:-1])]

    def places(self, shift: int) -> range:
        """Places of the records that begin at `shift` of each period."""
        return range(self.start + shift, self.start + shift + self.stride * self.count, self.stride)


@dataclass(slots=True)
class Walk:
    """What a walk found.

    Attributes
    ----------
    stripes : list of Stripes
    singles : dict of int to list of int
        Payload length -> places of the records that belong to no stripe.
    stop : int
        The first byte that was not walked.
    size : int
        Payload length of the record at `stop` where it runs over the end; -1 where too little is
        left for a header.
    broken : int
        Where to look for the next header, if no header stands at `stop`; -1 if there is no damage.
    """

    stripes: list[Stripes] = field(default_factory=list)
    singles: dict[int, list[int]] = field(default_factory=dict)
    stop: int = 0
    size: int = -1
    broken: int = -1


def length_at(data: bytes, at: int) -> int:
    """Length of the payload whose header stands at `at`.

    -1 where the checksum says that none does.
    """
    if at + HEAD > len(data):
        return -1
    size, stored = _HEADER.unpack_from(data, at)
    return size if crc.masked(crc.crc32c(data[at : at + 8])) == stored else -1


def is_sound(data: bytes, at: int, size: int) -> bool:
    """Whether the payload of the record at `at` agrees with its checksum."""
    stop = at + HEAD + size
    stored = int.from_bytes(data[stop : stop + FOOT], "little")
    return crc.masked(crc.crc32c(memoryview(data)[at + HEAD : stop])) == stored


def walk(data: bytes, at: int, known: dict[bytes, int], *, more: bool = False) -> Walk:
    """Step from record to record, from `at` to the end or the first place without a header.

    Parameters
    ----------
    data : bytes
        Part of a file.
    at : int
        Place of the first header.
    known : dict of bytes to int
        Headers whose checksum was found right, with their payload lengths; grows.
    more : bool
        Whether the file goes on. If so, the last of several records is left for the next walk: only
        what follows shows whether it is whole.
    """
    found = Walk()
    end = len(data)
    recent: list[int] = []  # payload lengths since the last stripe
    places: list[int] = []
    next_try, reach = _FIRST_TRY, 64
    while True:
        header = data[at : at + HEAD]
        size = known.get(header, -1)
        if size < 0:
            size = length_at(header, 0)
            if size < 0:
                if len(header) == HEAD:
                    found.broken = at
                break
            if len(known) < _KNOWN_LIMIT:
                known[header] = size
        after = at + HEAD + size + FOOT
        if after > end:
            found.size = size
            break
        recent.append(size)
        places.append(at)
        at = after
        if len(recent) < next_try:
            continue
        next_try *= 2
        period = _period(data, places, recent)
        if not period:
            continue
        sizes = recent[-period:]
        ahead = _repeats(data, at, sizes, reach)
        reach = max(64, 8 * ahead)
        if ahead < _LEAST_REPEATS:
            continue
        # What was walked one by one belongs to the stripes as well, as far back as the period
        # holds.
        behind = 1
        while recent[-(behind + 1) * period : -behind * period] == sizes:
            behind += 1
        start = places[-behind * period]
        del recent[-behind * period :], places[-behind * period :]
        _keep(found, places, recent)
        next_try = _FIRST_TRY
        stride = sum(sizes) + (HEAD + FOOT) * period
        found.stripes.append(Stripes(start, stride, behind + ahead, sizes))
        at += stride * ahead
    found.stop = at
    if found.broken >= 0:
        # Bytes missing in the record before would shift all that follows.
        if not places and found.stripes:
            _unravel(found.stripes[-1], places, recent)
        if places and not is_sound(data, places[-1], recent[-1]):
            recent.pop()
            found.stop = places.pop()
        found.broken = found.stop + 1
    elif more:
        if not places and found.stripes:
            _unravel(found.stripes[-1], places, recent)
        if len(places) > 1 or (places and found.stripes):
            found.stop, found.size = places.pop(), recent.pop()
    _keep(found, places, recent)
    return found


def _unravel(stripes: Stripes, places: list[int], sizes: list[int]) -> None:
    """Take the last period out of the stripes, record by record."""
    stripes.count -= 1
    start = stripes.start + stripes.stride * stripes.count
    places += [start + shift for shift in stripes.shifts()]
    sizes += stripes.sizes


def _keep(found: Walk, places: list[int], sizes: list[int]) -> None:
    """Move the single records over into the result."""
    for size, place in zip(sizes, places, strict=True):
        found.singles.setdefault(size, []).append(place)
    places.clear()
    sizes.clear()


def _period(data: bytes, places: list[int], sizes: list[int]) -> int:
    """Shortest period that the latest lengths and tags show; 0 where they show none."""
    count = len(sizes)
    tags: dict[int, bytes] = {}

    def tag(k: int) -> bytes:
        if k not in tags:
            tags[k] = _tag(data, places[k], sizes[k])
        return tags[k]

    for period in range(1, min(count // 2, _LONGEST_PERIOD) + 1):
        alike = min(max(period, _ALIKE), count - period)
        if sizes[-alike:] == sizes[-alike - period : -period] and all(
            tag(k) == tag(k - period) for k in range(count - 1, count - 1 - alike, -1)
        ):
            return period
    return 0


def _tag(data: bytes, at: int, size: int) -> bytes:
    """What tells the record at `at` from others of its length.

    In a TensorBoard event, the first tag.

    An event begins with time (9 bytes), step (a key and a varint, left out if 0), summary and value
    (a key and a length each) and the tag. A guess is enough here: whoever decodes the records looks
    closely.
    """
    start, stop = at + HEAD + 9, at + HEAD + size
    if data[start : start + 1] == b"\x10":
        start += 2
        while start < stop and data[start - 1] >= 0x80:
            start += 1
    for _ in range(2):
        start += 2
        while start < stop and data[start - 1] >= 0x80:
            start += 1
    if start + 1 < stop and data[start] == 0x0A:
        return data[start + 2 : min(start + 2 + data[start + 1], stop)]
    return b""


def _repeats(data: bytes, at: int, sizes: list[int], reach: int) -> int:
    """How often the records of `sizes` follow each other from `at` on, up to the end of `data`."""
    stride = sum(sizes) + (HEAD + FOOT) * len(sizes)
    most = (len(data) - at) // stride
    done = 0
    while done < most:
        count = min(most - done, reach)
        start = at + done * stride
        good: NDArray[np.bool_] = np.ones(count, dtype=np.bool_)
        for size in sizes:
            lengths: NDArray[np.uint64] = np.ndarray((count,), "<u8", data, start, (stride,))
            sums: NDArray[np.uint32] = np.ndarray((count,), "<u4", data, start + 8, (stride,))
            good &= lengths == size
            good &= sums == crc.masked(crc.crc32c(size.to_bytes(8, "little")))
            start += HEAD + size + FOOT
        if not good.all():
            return done + int(good.argmin())
        done += count
        reach *= 8
    return done


def next_header(data: bytes, at: int, largest: int) -> int:
    """First place from `at` on where a header with a true checksum stands; -1 where none does.

    Parameters
    ----------
    largest : int
        No payload can be longer than this.
    """
    octets = np.frombuffer(data, dtype=np.uint8)
    span = 4096
    while at + HEAD <= octets.size:
        part = octets[at : at + span + HEAD - 1]
        # Lengths stay under 4 GiB, so bytes 4 to 7 of a header are zero; its checksum is not.
        zero = part[4:-4] == 0
        empty = zero[:-3] & zero[1:-2] & zero[2:-1] & zero[3:]
        filled = (part[8:-3] | part[9:-2] | part[10:-1] | part[11:]) != 0
        maybe = np.flatnonzero(empty & filled)
        if maybe.size:
            sums = np.full(maybe.size, crc.crc32c(bytes(8)), dtype=np.uint32)
            size = np.zeros(maybe.size, dtype=np.int64)
            stored = np.zeros(maybe.size, dtype=np.uint32)
            for k in range(4):
                column = part[maybe + k]
                sums ^= crc.table(7 - k)[column]
                size |= column.astype(np.int64) << (8 * k)
                stored |= part[maybe + 8 + k].astype(np.uint32) << np.uint32(8 * k)
            true = maybe[(crc.masked_many(sums) == stored) & (size <= largest)]
            if true.size:
                return at + int(true[0])
        at += span
        span = min(2 * span, 1 << 20)
    return -1
