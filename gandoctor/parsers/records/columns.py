"""Records of one kind as columns: fields gathered, checksums verified, all by numpy.

Records of one tag differ in a dozen bytes: time, step, value. One of them, decoded, is the `Layout`
of its kind. The checksum of each record is worked out from the layout's and the bytes that may
differ; all other bytes are compared. Several kinds whose records take turns (a training loop's
tags) are dealt with in one go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from gandoctor.parsers.records import crc
from gandoctor.parsers.records import event as ev
from gandoctor.parsers.records import tfrecord as frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import DTypeLike, NDArray

_AT_ONCE: Final = 1 << 17  # bytes whose part in the checksums is looked up at once
_WALL_BYTES: Final = 6  # of eight that differ: the top two last for years


class Striped:
    """Rows at equal distances; a row may hold several records."""

    def __init__(self, data: bytes, start: int, stride: int, count: int) -> None:
        self.data, self.start, self.stride, self.count = data, start, stride, count

    def at(
        self, columns: NDArray[np.intp], dtype: DTypeLike, start: int, stop: int
    ) -> NDArray[Any]:
        """What stands at each of the k places of rows `start` to `stop`, (k, stop - start)."""
        table: NDArray[Any] = np.ndarray(
            (int(columns.max()) + 1, stop - start),
            dtype,
            self.data,
            self.start + start * self.stride,
            (1, self.stride),
        )
        return table[columns]

    def offsets(self) -> NDArray[np.int64]:
        """Where each row begins, shape (count,)."""
        return self.start + self.stride * np.arange(self.count, dtype=np.int64)


class Scattered:
    """Rows anywhere."""

    def __init__(self, data: bytes, places: NDArray[np.int64]) -> None:
        self.data, self.places, self.count = data, places, int(places.size)

    def at(
        self, columns: NDArray[np.intp], dtype: DTypeLike, start: int, stop: int
    ) -> NDArray[Any]:
        """As `Striped.at`."""
        size = len(self.data) - np.dtype(dtype).itemsize + 1
        everywhere: NDArray[Any] = np.ndarray((size,), dtype, self.data, 0, (1,))
        rows: NDArray[Any] = everywhere[columns[:, None] + self.places[start:stop]]
        return rows

    def offsets(self) -> NDArray[np.int64]:
        """As `Striped.offsets`."""
        return self.places


class Layout:
    """One record of numbers alone, and which of its bytes may differ in others of its kind.

    Attributes
    ----------
    event : Event
        The record decoded, its places relative to the record's first byte.
    columns : list of int
        Bytes that differ: step, time, numbers.
    step_size : int
        How many of them are the step's.
    foot : int
        Where the checksum of the payload stands.
    constant : int
        CRC-32C of the payload with zeros in `columns`.
    words : list of (place, mask, content)
        What may not differ: all other bytes of the payload, and which byte of the step is its last.
    """

    __slots__ = ("columns", "constant", "event", "foot", "step_size", "words")

    def __init__(self, record: bytes, event: ev.Event) -> None:
        self.event = event
        self.foot = len(record) - frame.FOOT
        steps = range(event.step_at, event.step_stop) if event.step_at >= 0 else range(0)
        self.step_size = len(steps)
        self.columns = [*steps, *range(event.wall_at, event.wall_at + _WALL_BYTES)]
        for value in event.values:
            if value.number is not None and value.number.start >= 0:
                self.columns += range(value.number.start, value.number.stop)
        fixed, bare = bytearray(b"\xff" * self.foot), bytearray(record[: self.foot])
        for k in self.columns:
            fixed[k] = bare[k] = 0
        self.constant = crc.crc32c(bare[frame.HEAD :])
        for k in steps:
            fixed[k], bare[k] = 0x80, record[k] & 0x80
        self.words: list[tuple[int, int, int]] = []
        at = frame.HEAD
        while at < self.foot:
            if fixed[at]:
                at = min(at, self.foot - 8)
                mask = int.from_bytes(fixed[at : at + 8], "little")
                self.words.append((at, mask, int.from_bytes(bare[at : at + 8], "little")))
                at += 7
            at += 1

    @property
    def form(self) -> tuple[object, ...]:
        """Layouts of one form can be dealt with together."""
        codes = tuple(
            v.number.code if v.number and v.number.start >= 0 else "" for v in self.event.values
        )
        return len(self.columns), self.step_size, codes


def layout_of(data: bytes, at: int, size: int) -> Layout | None:
    """Layout of the record at `at`.

    None where it is not numbers alone, or not written in a fixed form.

    Raises
    ------
    WireError
        Where the payload is no message.
    """
    record = data[at : at + frame.HEAD + size + frame.FOOT]
    event = ev.decode(record, frame.HEAD, frame.HEAD + size)
    if event.wall_at < 0 or event.session or not event.values:
        return None
    if all(
        v.sort == "scalar" and v.number is not None and v.number.code in ev.FIXED
        for v in event.values
    ):
        return Layout(record, event)
    return None


class Columns(NamedTuple):
    """Fields of n rows for each of s layouts.

    Attributes
    ----------
    good : ndarray of bool, shape (s, n)
        Whether the record is of the layout's kind and agrees with its checksum; the rest holds for
        these alone.
    steps : ndarray of int64, shape (s, n)
    walls : ndarray of float64, shape (s, n)
        Seconds since the epoch.
    values : list of ndarray of float64, shape (s, n)
        One for each value of an event.
    """

    good: NDArray[np.bool_]
    steps: NDArray[np.int64]
    walls: NDArray[np.float64]
    values: list[NDArray[np.float64]]


def gather(rows: Striped | Scattered, layouts: Sequence[Layout], shifts: Sequence[int]) -> Columns:
    """Gather and verify.

    Parameters
    ----------
    rows : Striped or Scattered
        n rows.
    layouts : sequence of Layout
        s layouts, all of one `Layout.form`.
    shifts : sequence of int
        Where in the row each layout's record begins.
    """
    kinds, count = len(layouts), rows.count
    both = list(zip(layouts, shifts, strict=True))

    def places(of: Sequence[int]) -> NDArray[np.intp]:
        return np.array(of, dtype=np.intp)

    columns = places([shift + k for one, shift in both for k in one.columns])
    distances = places([one.foot - 1 - k for one in layouts for k in one.columns])
    width = columns.size // kinds
    tables = crc.tables(distances).reshape(-1)
    bases = 256 * np.arange(columns.size, dtype=np.intp)[:, None]
    sums = np.empty((kinds, count), dtype=np.uint32)
    steps = np.zeros((kinds, count), dtype=np.int64)
    rows_at_once = max(64, _AT_ONCE // columns.size)
    for start in range(0, count, rows_at_once):
        stop = min(start + rows_at_once, count)
        octets = rows.at(columns, np.uint8, start, stop)
        parts = tables.take(octets + bases, mode="clip").reshape(kinds, width, -1)
        sums[:, start:stop] = np.bitwise_xor.reduce(parts, axis=1)
        octets = octets.reshape(kinds, width, -1)
        for k in range(layouts[0].step_size):
            steps[:, start:stop] |= (octets[:, k] & 0x7F).astype(np.int64) << (7 * k)
    sums ^= np.array([one.constant for one in layouts], dtype=np.uint32)[:, None]
    good: NDArray[np.bool_] = crc.masked_many(sums) == rows.at(
        places([s + one.foot for one, s in both]), "<u4", 0, count
    )
    # Layouts of one form may have more or fewer words: the last is compared again.
    most = max(len(one.words) for one in layouts)
    padded = [
        (shift + at, *rest)
        for one, shift in both
        for at, *rest in one.words + one.words[-1:] * (most - len(one.words))
    ]
    words = rows.at(places([at for at, _, _ in padded]), "<u8", 0, count)
    words &= np.array([mask for _, mask, _ in padded], dtype=np.uint64)[:, None]
    same = words == np.array([content for _, _, content in padded], dtype=np.uint64)[:, None]
    good &= same.reshape(kinds, most, count).all(axis=1)
    walls = rows.at(
        places([shift + one.event.wall_at for one, shift in both]), "<f8", 0, count
    ).astype(np.float64)
    values = []
    for k in range(len(layouts[0].event.values)):
        numbers = [one.event.values[k].number for one in layouts]
        code, start = (numbers[0].code, numbers[0].start) if numbers[0] else ("", -1)
        if start < 0:
            values.append(np.zeros((kinds, count), dtype=np.float64))
            continue
        at = places([shift + one.start for one, shift in zip(numbers, shifts, strict=True) if one])
        values.append(ev.floats(rows.at(at, ev.FIXED[code], 0, count), code))
    return Columns(good, steps, walls, values)
