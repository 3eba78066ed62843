"""Weights & Biases' run file, ``run-*.wandb``, without the wandb package.

Metrics, config, and whether the run ended.

The file is framed as LevelDB's log is (32 KiB blocks, chunks with a checksum); a record is a
protobuf ``Record`` of ``wandb_internal.proto``. Old clients write a metric's value as JSON text,
new ones (0.31) as a typed value: both are read.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from array import array
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.errors import InputError
from gandoctor.files.reading import (
    BLANK,
    LONGEST_TAG,
    MOST_DAMAGE,
    MOST_TAG_BYTES,
    cut_short,
    given_up,
    is_pointer,
    next_data,
    nothing_in,
    zeros_of,
)
from gandoctor.model.signals import Picture, Reading, Setting
from gandoctor.parsers.records import protobuf as pb
from gandoctor.parsers.records.history import Items, items_of
from gandoctor.parsers.rows.steps import Remarks, untangle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import FileIO

    from numpy.typing import NDArray

    from gandoctor.model.signals import Signal, StepUnit

NAME: Final = "wandb"

_MAGIC: Final = b":W&B\xe1\xbe"
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

_HISTORY, _CONFIG, _METRIC, _RUN, _EXIT = 2, 5, 12, 17, 18
_HISTORY_KEY: Final = _HISTORY << 3 | pb.BYTES
_PASSED_BY: Final = frozenset({3, 4, 6, 7})  # summary, output, files, system metrics
_BATCH: Final = 1 << 20  # bytes of rows that are taken apart at once
_MAX_RECORD: Final = 64 << 20  # a longer one is damage or a table, and no metric
_MAX_JSON: Final = 1 << 20
_MAX_DEPTH: Final = 16
_MAX_MEDIA: Final = 20_000
_MAX_TILES: Final = 64
_PICTURES: Final = frozenset({"image-file", "images/separated"})


def sniff(path: Path, head: bytes) -> float:
    """How surely this is a W&B run file: by its first bytes, else by its name."""
    if head.startswith(_MAGIC):
        return 1.0
    return 0.5 if path.suffix == ".wandb" and not is_pointer(head) else 0.0


def read(path: Path) -> Reading:
    """Read one ``.wandb`` file.

    Steps are W&B's ``_step``, unless every metric was defined over one and the same other axis
    (``define_metric``). Keys of nested metrics and settings are joined by dots. ``finished`` is
    False without the record of a clean exit.

    Raises
    ------
    InputError
        Where the file cannot be opened, is a Git LFS pointer, or holds no record at all.
    """
    try:
        with path.open("rb", buffering=0) as file:
            head = file.read(64)
            if is_pointer(head):
                raise InputError(
                    "a Git LFS pointer, not the log itself", path.name, "run `git lfs pull`"
                )
            frames = _Frames(file)
            run = _Run()
            for record in frames.records():
                run.take(record)
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror or error})", path.name) from error
    if not frames.good and head:
        if blank := nothing_in(frames.zeros, frames.size, path.name):
            raise blank
        if not frames.lost_places:
            raise cut_short(frames.size, path.name)
        raise InputError("holds no record that can be read", path.name, "is this a W&B run file?")
    return run.reading(path.parent, frames)


# --- frames
# --------------------------------------------------------------------------------------------------


class _Frames:
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


# --- records
# --------------------------------------------------------------------------------------------------


_Points = tuple["NDArray[np.int64]", "NDArray[np.float64]"]


@dataclass(slots=True)
class _Column:
    """One metric: the rows that hold it, and its values there."""

    rows: array[int] = field(default_factory=lambda: array("q"))
    values: array[float] = field(default_factory=lambda: array("d"))

    def in_order(self) -> _Points:
        rows = np.frombuffer(self.rows, dtype=np.int64)
        values = np.frombuffer(self.values, dtype=np.float64)
        if bool((np.diff(rows) < 0).any()):
            order = np.argsort(rows, kind="stable")
            rows, values = rows[order], values[order]
        return rows, values


class _Run:
    """What the records gave."""

    def __init__(self) -> None:
        self.rows = 0
        self.bad_rows = 0
        self.columns: dict[str, _Column] = {}
        self.names: list[str] = []
        self.places: dict[int, int] = {}  # hash of the keys -> place in `names`
        self.held: list[bytes] = []  # rows for `flush`
        self.held_bytes = 0
        self.config: dict[str, object] = {}
        self.axes: dict[str, str] = {}
        self.media: list[tuple[str, int, str]] = []  # tag, row, file
        self.kinds: dict[str, str] = {}  # prefix of nested keys -> what W&B says lies there
        self.passed_over: dict[str, int] = {}
        self.exit_code: int | None = None
        self.complete = True

    def take(self, record: bytes) -> None:
        """Take one ``Record``; what is neither metric, config nor exit is passed over."""
        end = len(record)
        try:
            # {1 num} first, then the record's one content. Most are rows and summaries: told by a
            # byte.
            at = 0
            if end > 2 and record[0] == 0x08:
                at = 2
                while record[at - 1] >= 0x80:
                    at += 1
            kind = record[at] if at < end else 0
            if kind < 0x80 and kind >> 3 in _PASSED_BY:
                return
            if kind == _HISTORY_KEY:
                size, start = pb.varint(record, at + 1, end)
                if start + size == end:
                    self._history(record[start:])
                    return
            for number, wire, start, stop in pb.fields(record, 0, end):
                if wire != pb.BYTES:
                    continue
                if number == _HISTORY:
                    self._history(record[start:stop])
                elif number == _CONFIG:
                    self._configure(record, start, stop)
                elif number == _RUN:
                    for inner, kind, a, b in pb.fields(record, start, stop):
                        if inner == 4 and kind == pb.BYTES:
                            self._configure(record, a, b)
                elif number == _METRIC:
                    self._metric(record, start, stop)
                elif number == _EXIT:
                    self.exit_code = 0
                    for inner, kind, a, b in pb.fields(record, start, stop):
                        if inner == 1 and kind == pb.VARINT:
                            self.exit_code = pb.signed(pb.varint(record, a, b)[0])
                        elif inner == 3 and kind == pb.VARINT:
                            self.complete = record[a] == 0
        except (pb.WireError, IndexError):
            self.bad_rows += 1

    def _history(self, payload: bytes) -> None:
        """One row; held back, as many at once are quicker."""
        self.held.append(payload)
        self.held_bytes += len(payload)
        if self.held_bytes >= _BATCH:
            self.flush()

    def flush(self) -> None:
        """Sort the rows that were held back into columns."""
        if not self.held:
            return
        held, base = self.held, self.rows
        self.held, self.held_bytes = [], 0
        self.rows += len(held)
        items = items_of(held)
        which = self._names_of(items)
        wanted = np.array([_is_wanted(name) for name in self.names], dtype=np.bool_)[which]
        texts, which, rows = items.texts(wanted), which[wanted], items.rows[wanted] + base
        try:
            values = np.fromiter(map(float, texts), dtype=np.float64, count=len(texts))
        except ValueError:
            for place, text, row in zip(which.tolist(), texts, rows.tolist(), strict=True):
                self._text(self.names[place], text, row)
        else:
            order = np.lexsort((rows, which))
            which, rows, values = which[order], rows[order], values[order]
            starts = np.flatnonzero(np.diff(which, prepend=-1)).tolist()
            for start, stop in pairwise([*starts, which.size]):
                column = self._column(self.names[which[start]])
                column.rows.frombytes(rows[start:stop].tobytes())
                column.values.frombytes(values[start:stop].tobytes())
        for row in items.odd:
            self._odd_row(held[row], base + row)

    def _names_of(self, items: Items) -> NDArray[np.int64]:
        """For each item the place of its name in `names`, which grows."""
        known = np.array(sorted(self.places), dtype=np.uint64)
        place = np.minimum(np.searchsorted(known, items.hashes), max(known.size - 1, 0))
        fresh = (
            np.ones(items.hashes.size, dtype=np.bool_)
            if not known.size
            else known[place] != items.hashes
        )
        if fresh.any():
            firsts = np.unique(items.hashes[fresh], return_index=True)[1]
            for at in np.flatnonzero(fresh)[np.sort(firsts)].tolist():
                key = b"\x12" + items.data[items.key_starts[at] : items.key_stops[at]]
                self.places[int(items.hashes[at])] = len(self.names)
                self.names.append(".".join(_item(key, 0, len(key))[0]))
            return self._names_of(items)
        numbers = np.array([self.places[h] for h in known.tolist()], dtype=np.int64)
        return numbers[place]

    def _odd_row(self, data: bytes, row: int) -> None:
        """One row, field by field."""
        try:
            for number, wire, start, stop in pb.fields(data, 0, len(data)):
                if number == 1 and wire == pb.BYTES:
                    self._item(data, start, stop, row)
        except pb.WireError:
            self.bad_rows += 1

    def _text(self, name: str, text: bytes, row: int) -> None:
        """One value as JSON text, nearly always a number."""
        try:
            number = float(text)
        except ValueError:
            self._json(name, text, row)
        else:
            self._number(name, number, row)

    def _column(self, name: str) -> _Column:
        column = self.columns.get(name)
        if column is None:
            column = self.columns[name] = _Column()
        return column

    def _item(self, data: bytes, start: int, stop: int, row: int) -> None:
        """HistoryItem{1 key, 2 nested_key, 16 value_json; since 0.31: 3 none .. 8 json}."""
        keys, found = _item(data, start, stop)
        if not keys or found is None:
            return
        name = ".".join(keys)
        if isinstance(found, bytes):
            self._json(name, found, row)
        elif isinstance(found, str):
            self._word(name, found, row)
        else:
            self._number(name, found, row)

    def _number(self, name: str, value: float, row: int) -> None:
        column = self._column(name)
        column.rows.append(row)
        column.values.append(value)

    def _word(self, name: str, value: str, row: int) -> None:
        prefix, _, last = name.rpartition(".")
        if value in ("NaN", "Infinity", "-Infinity"):
            self._number(name, float(value), row)
        elif last == "_type" and len(self.kinds) < _MAX_MEDIA:
            self.kinds[prefix] = value
        elif last == "path" and len(self.media) < _MAX_MEDIA:
            self.media.append((prefix, row, value))
        else:
            self._pass_over(name)

    def _pass_over(self, name: str) -> None:
        if name in self.passed_over or len(self.passed_over) < 1000:
            self.passed_over[name] = self.passed_over.get(name, 0) + 1

    def _json(self, name: str, raw: bytes, row: int) -> None:
        value = _from_json(raw)
        if value is _UNREADABLE:
            self._pass_over(name)
        else:
            self._any(name, value, row, 0)

    def _any(self, name: str, value: object, row: int, depth: int) -> None:
        if isinstance(value, bool | int | float):
            try:
                self._number(name, float(value), row)
            except OverflowError:
                self._pass_over(name)
        elif isinstance(value, str):
            self._word(name, value, row)
        elif isinstance(value, dict) and depth < _MAX_DEPTH:
            for key, inner in value.items():
                self._any(f"{name}.{key[: LONGEST_TAG + 1]}", inner, row, depth + 1)
        elif isinstance(value, list) and name.endswith(".filenames"):
            for one in value[:_MAX_TILES]:
                if isinstance(one, str) and len(self.media) < _MAX_MEDIA:
                    self.media.append((name.rpartition(".")[0], row, one))
        elif value is not None:
            self._pass_over(name)

    def _configure(self, data: bytes, start: int, stop: int) -> None:
        """ConfigRecord{1 update, 2 remove}, both of items {1 key, 2 nested_key, 16 value_json}."""
        for number, wire, at, end in pb.fields(data, start, stop):
            if wire != pb.BYTES or number not in (1, 2):
                continue
            keys, found = _item(data, at, end)
            if not keys or keys[0] == "_wandb":
                continue
            if number == 2:
                self.config.pop(".".join(keys), None)
                continue
            value = _from_json(found) if isinstance(found, bytes) else found
            if value is not _UNREADABLE:
                self.config[".".join(keys)] = value

    def _metric(self, data: bytes, start: int, stop: int) -> None:
        """MetricRecord{1 name, 2 glob_name, 4 step_metric}.

        The axis that the user gave a metric.
        """
        name = axis = ""
        for number, wire, at, end in pb.fields(data, start, stop):
            if wire == pb.BYTES and number in (1, 2):
                name = pb.text(data, at, end)
            elif wire == pb.BYTES and number == 4:
                axis = pb.text(data, at, end)
        if name and axis and len(self.axes) < 10_000:
            self.axes[name.replace("\\.", ".")] = axis.replace("\\.", ".")

    # --- the result ---

    def reading(self, folder: Path, frames: _Frames) -> Reading:
        """Columns to signals, over the axis they share."""
        self.flush()
        columns = {name: column.in_order() for name, column in self.columns.items()}
        steps = self._along("_step", columns)
        walls = self._along("_timestamp", columns)
        metrics = {
            name: c for name, c in columns.items() if name[:1] != "_" and not self._is_medium(name)
        }
        row_steps = np.arange(self.rows, dtype=np.int64) if steps is None else _integers(steps)
        notes: list[str] = []
        unit: StepUnit = "unknown"
        axis = self._shared_axis(metrics, notes)
        if axis:
            along = self._along(axis, columns)
            if along is not None:
                row_steps = _integers(along)
                unit = "epochs" if "epoch" in axis.lower() else "unknown"
                notes.append(f"steps are the metric {axis}, over which the run defined its metrics")
        signals: list[Signal] = []
        remarks = Remarks()
        for name, (rows, values) in metrics.items():
            times = None if walls is None else walls[rows]
            signals += untangle(name, row_steps[rows], times, values, remarks)
        notes += remarks.lines()
        lost = frames.lost()
        if self.bad_rows:
            said = f"{self.bad_rows:,} record(s) that are no W&B record"
            lost = f"{lost}; {said}" if lost else said
        passed = sorted(name for name in self.passed_over if not self._is_medium(name))
        if passed:
            shown, more = ", ".join(passed[:5]), len(passed) - 5
            notes.append(
                f"not numbers, passed over: {shown}" + (f" and {more} more" if more > 0 else "")
            )
        if self.exit_code is None:
            notes.append("the run has no exit record: it was killed, or is still running")
        elif self.exit_code:
            notes.append(f"the run ended with exit code {self.exit_code}")
        return Reading(
            signals=tuple(signals),
            settings=_settings(self.config),
            lost=lost,
            step_unit=unit,
            notes=tuple(notes),
            pictures=self._pictures(folder, row_steps),
            finished=self.exit_code == 0 and self.complete,
        )

    def _is_medium(self, name: str) -> bool:
        """Whether a key is of a picture, histogram or table, whose width or count is no metric."""
        return bool(self.kinds) and (name in self.kinds or name.rpartition(".")[0] in self.kinds)

    def _along(self, name: str, columns: dict[str, _Points]) -> NDArray[np.float64] | None:
        """A metric's value in every row, the gaps filled from the row before.

        None where it has none.
        """
        column = columns.get(name)
        if column is None or not self.rows:
            return None
        rows, values = column
        last = np.searchsorted(rows, np.arange(self.rows), side="right") - 1
        return values[np.maximum(last, 0)]

    def _shared_axis(self, metrics: dict[str, _Points], notes: list[str]) -> str:
        """The one axis over which all metrics were defined, if it can serve as steps."""
        if not self.axes:
            return ""
        others = [name for name in metrics if name not in set(self.axes.values())]
        found = {self._axis_of(name) for name in others}
        if found in (set(), {""}, {"_step"}):
            return ""
        axis = next(iter(found))
        if len(found) == 1 and axis in metrics:
            rows, values = metrics[axis]
            covered = rows.size >= max((metrics[n][0].size for n in others), default=0)
            if (
                covered
                and bool(np.all(np.isfinite(values) & (values == np.floor(values))))
                and np.all(np.diff(values) > 0)
            ):
                return axis
        notes.append("metrics were defined over axes of their own; all are read over W&B's _step")
        return ""

    def _axis_of(self, name: str) -> str:
        if name in self.axes:
            return self.axes[name]
        globs = [g for g in self.axes if g.endswith("*") and name.startswith(g[:-1])]
        return self.axes[max(globs, key=len)] if globs else ""

    def _pictures(self, folder: Path, steps: NDArray[np.int64]) -> tuple[Picture, ...]:
        """Pictures that are there, by their path relative to the file's folder.

        None from outside of it.
        """
        found = []
        for tag, row, name in self.media:
            if self.kinds.get(tag) not in _PICTURES:
                continue
            relative = PurePosixPath("files") / PurePosixPath(name)
            if (
                ".." in relative.parts
                or relative.parts[:1] != ("files",)
                or "\\" in name
                or "\0" in name
            ):
                continue
            place = folder / relative
            try:
                inside = place.resolve().is_relative_to(folder.resolve()) and place.is_file()
            except (OSError, RuntimeError, ValueError):
                continue
            if inside:
                found.append(Picture(tag, int(steps[row]), relative.as_posix()))
        return tuple(found)


def _is_wanted(name: str) -> bool:
    """Whether a key is a metric, or one of W&B's own that is needed for the axes."""
    return not name.startswith("_") or name in ("_step", "_timestamp")


_UNREADABLE: Final = object()


def _from_json(raw: bytes) -> object:
    """JSON with bare NaN and infinities.

    `_UNREADABLE` where it is none, or too long to be a metric or a setting.
    """
    if len(raw) > _MAX_JSON:
        return _UNREADABLE
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return _UNREADABLE


def _item(data: bytes, start: int, stop: int) -> tuple[list[str], bytes | str | float | None]:
    """Keys and value of one item; bytes are JSON text."""
    keys: list[str] = []
    value: bytes | str | float | None = None
    for number, wire, at, end in pb.fields(data, start, stop):
        if wire == pb.BYTES:
            if number == 1 or (number == 2 and len(keys) < _MAX_DEPTH):
                keys.append(pb.text(data, at, min(end, at + MOST_TAG_BYTES)))
            elif number in (8, 16):
                value = data[at:end]
            elif number == 7:
                value = pb.text(data, at, end)
        elif wire == pb.VARINT and number in (4, 5):
            whole = pb.varint(data, at, end)[0]
            value = float(whole if number == 4 else pb.zigzag(whole))
        elif wire == pb.FIXED64 and number == 6:
            value = float(struct.unpack_from("<d", data, at)[0])
    return [key for key in keys if key], value


def _integers(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Steps from floats; what is no step becomes the largest before it, or 0."""
    sound = np.isfinite(values) & (np.abs(values) < 2**62)
    before = (
        np.maximum.accumulate(np.where(sound, np.arange(values.size), 0)) if values.size else sound
    )
    return np.where(sound, values, 0.0)[before].astype(np.int64)


def _settings(config: dict[str, object]) -> tuple[Setting, ...]:
    """Config as dotted keys; W&B's ``{"value": ..}`` wrapping undone."""
    from gandoctor.configs.entries import Entries, FullError, flatten

    entries = Entries()
    try:
        for key, value in config.items():
            flatten(entries, (key,), _unwrapped(value), 0)
    except FullError:
        pass
    return tuple(Setting("", value, ".".join(path)) for path, (value, _) in entries.found.items())


def _unwrapped(value: object) -> object:
    if isinstance(value, dict) and "value" in value and set(value) <= {"value", "desc"}:
        return value["value"]
    return value
