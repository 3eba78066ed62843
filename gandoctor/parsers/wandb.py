"""Weights & Biases' run file, ``run-*.wandb``, without the wandb package: metrics, config, and whether the run ended.

The file is framed as LevelDB's log is (32 KiB blocks, chunks with a checksum); a record is a protobuf ``Record`` of
``wandb_internal.proto``. Old clients write a metric's value as JSON text, new ones (0.31) as a typed value: both are
read.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from array import array
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.errors import InputError
from gandoctor.model.signals import Picture, Reading, Setting, Signal
from gandoctor.parsers import _protobuf as pb

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from numpy.typing import NDArray

    from gandoctor.model.signals import SettingValue, StepUnit

NAME: Final = "wandb"

_MAGIC: Final = b":W&B\xe1\xbe"
_FILE_HEAD: Final = 7
_BLOCK: Final = 32_768
_CHUNK: Final = struct.Struct("<IHB")
_WHOLE, _FIRST, _MIDDLE, _LAST = 1, 2, 3, 4
_SEEDS: Final = [zlib.crc32(bytes([kind])) for kind in range(5)]  # the checksum covers the chunk's kind, then its data
_AT_ONCE: Final = 32 * _BLOCK

_HISTORY, _CONFIG, _METRIC, _RUN, _EXIT = 2, 5, 12, 17, 18
_MAX_RECORD: Final = 64 << 20  # a longer one is damage or a table, and no metric
_MAX_JSON: Final = 1 << 20
_MAX_SETTINGS: Final = 10_000
_MAX_DEPTH: Final = 16


def sniff(path: Path, head: bytes) -> float:
    """How surely this is a W&B run file: by its first bytes, else by its name."""
    if head.startswith(_MAGIC):
        return 1.0
    return 0.5 if path.suffix == ".wandb" and not head.startswith(b"version https://git-lfs") else 0.0


def read(path: Path) -> Reading:
    """Read one ``.wandb`` file.

    Steps are W&B's ``_step``, unless every metric was defined over one and the same other axis (``define_metric``).
    Keys of nested metrics and settings are joined by dots. ``finished`` is False without the record of a clean exit.

    Raises
    ------
    InputError
        Where the file cannot be opened, is a Git LFS pointer, or holds no record at all.
    """
    try:
        with path.open("rb") as file:
            head = file.read(64)
            if head.startswith(b"version https://git-lfs"):
                raise InputError("a Git LFS pointer, not the log itself", path.name, "run `git lfs pull`")
            frames = _Frames(file)
            run = _Run()
            for record in frames.records():
                run.take(record)
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror or error})", path.name) from error
    if not frames.good and head:
        raise InputError("holds no record that can be read", path.name, "is this a W&B run file?")
    return run.reading(path.parent, frames)


# --- frames -----------------------------------------------------------------------------------------------------------


class _Frames:
    """Block by block through the file; after damage on with the next block."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.size = os.fstat(file.fileno()).st_size
        self.good = 0
        self.lost_bytes = 0
        self.lost_places = 0
        self.torn = 0

    def records(self) -> Iterator[bytes]:
        """Whole records whose every chunk agrees with its checksum."""
        unpack, crc32, seeds = _CHUNK.unpack_from, zlib.crc32, _SEEDS
        self.file.seek(0)
        base = 0
        parts: list[bytes] = []
        held = -1  # bytes in `parts`; -1 outside a record, as a first chunk may be empty at a block's end
        while data := self.file.read(_AT_ONCE):
            size = len(data)
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
                if not _WHOLE <= kind <= _LAST or length + _CHUNK.size > left or crc32(body, seeds[kind]) != crc:
                    end = min(at + left, size)
                    self._lose(end - at + max(held, 0))
                    parts, held = [], -1
                    at = end
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
        self.torn += max(held, 0)

    def _lose(self, count: int) -> None:
        self.lost_places += 1
        self.lost_bytes += count

    def lost(self) -> str | None:
        said = []
        if self.lost_places:
            said.append(f"{self.lost_bytes:,} damaged bytes in {self.lost_places:,} place(s)")
        if self.torn:
            said.append(f"last record incomplete ({self.torn:,} bytes), still being written?")
        return "; ".join(said) or None


# --- records ----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Column:
    """One metric: the rows that hold it, and its values there."""

    rows: array[int] = field(default_factory=lambda: array("q"))
    values: array[float] = field(default_factory=lambda: array("d"))


class _Run:
    """What the records gave."""

    def __init__(self) -> None:
        self.rows = 0
        self.bad_rows = 0
        self.columns: dict[bytes, _Column] = {}
        self.pushes: dict[bytes, tuple[Callable[[int], None], Callable[[float], None]]] = {}
        self.config: dict[str, object] = {}
        self.axes: dict[str, str] = {}
        self.media: list[tuple[str, int, str]] = []
        self.passed_over: dict[str, int] = {}
        self.exit_code: int | None = None

    def take(self, record: bytes) -> None:
        """Take one ``Record``; what is neither metric, config nor exit is passed over."""
        end = len(record)
        try:
            # {1 num} first, then the record's one content: two thirds are summaries, told by two bytes.
            at = 0
            if end > 2 and record[0] == 0x08:
                at = 2
                while record[at - 1] >= 0x80:
                    at += 1
            if at < end and record[at] < 0x80 and record[at] >> 3 in (3, 4, 6, 7):
                return
            for number, wire, start, stop in pb.fields(record, 0, end):
                if wire != pb.BYTES:
                    continue
                if number == _HISTORY:
                    self._history(record, start, stop)
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
        except (pb.WireError, IndexError):
            self.bad_rows += 1

    def _history(self, data: bytes, at: int, stop: int) -> None:
        """HistoryRecord{1 item, 2 step}; ``step`` is 0 in every row of old files, so the item ``_step`` it is."""
        row = self.rows
        self.rows += 1
        pushes = self.pushes
        while at < stop:
            if data[at] != 0x0A or data[at + 1] >= 0x80:
                at = self._odd_field(data, at, stop, row)
                continue
            first = at + 2
            at = first + data[at + 1]
            # The common form: one key of under 128 bytes, then its value as JSON text of under 128 bytes.
            middle = first + 2 + data[first + 1]
            if (
                data[first] in b"\x0a\x12"
                and middle + 3 <= at <= stop
                and data[middle] == 0x82
                and data[middle + 1] == 0x01
                and middle + 3 + data[middle + 2] == at
            ):
                name = data[first + 2 : middle]
                try:
                    number = float(data[middle + 3 : at])
                except ValueError:
                    self._json(pb.text(name, 0, len(name)), data[middle + 3 : at], row)
                    continue
                push = pushes.get(name)
                if push is None:
                    push = self._column(name)
                push[0](row)
                push[1](number)
            else:
                self._item(data, first, at, row)

    def _column(self, name: bytes) -> tuple[Callable[[int], None], Callable[[float], None]]:
        column = self.columns.setdefault(name, _Column())
        return self.pushes.setdefault(name, (column.rows.append, column.values.append))

    def _odd_field(self, data: bytes, at: int, stop: int, row: int) -> int:
        """A field of the row that is no short item; returns the place after it."""
        number, wire, start, end = next(pb.fields(data, at, stop))
        if number == 1 and wire == pb.BYTES:
            self._item(data, start, end, row)
        return end

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
        push = self._column(name.encode())
        push[0](row)
        push[1](value)

    def _word(self, name: str, value: str, row: int) -> None:
        if value in ("NaN", "Infinity", "-Infinity"):
            self._number(name, float(value), row)
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
        elif isinstance(value, dict) and "_type" in value:
            self._medium(name, value, row)
        elif isinstance(value, dict) and depth < _MAX_DEPTH:
            for key, inner in value.items():
                self._any(f"{name}.{key}", inner, row, depth + 1)
        elif value is not None:
            self._pass_over(name)

    def _medium(self, name: str, value: dict[str, object], row: int) -> None:
        """Pictures lie beside the file, under ``files/``; only their names are in the log."""
        if value["_type"] == "image-file":
            names: object = [value.get("path")]
        elif value["_type"] == "images/separated":
            names = value.get("filenames")
        else:
            self._pass_over(name)
            return
        if isinstance(names, list):
            self.media += [(name, row, one) for one in names[:64] if isinstance(one, str)]

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
        """MetricRecord{1 name, 2 glob_name, 4 step_metric}: the axis that the user gave a metric."""
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
        columns = {name.decode("utf-8", "replace"): column for name, column in self.columns.items()}
        steps = self._along("_step", columns)
        walls = self._along("_timestamp", columns)
        metrics = {name: c for name, c in columns.items() if not name.startswith("_")}
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
        signals = []
        for name, column in metrics.items():
            rows = np.frombuffer(column.rows, dtype=np.int64)
            values = np.frombuffer(column.values, dtype=np.float64)
            signals.append(Signal(name, row_steps[rows], values, wall_time=None if walls is None else walls[rows]))
        lost = frames.lost()
        if self.bad_rows:
            said = f"{self.bad_rows:,} record(s) that are no W&B record"
            lost = f"{lost}; {said}" if lost else said
        if self.passed_over:
            shown = ", ".join(sorted(self.passed_over)[:5])
            more = len(self.passed_over) - 5
            notes.append(f"not numbers, passed over: {shown}" + (f" and {more} more" if more > 0 else ""))
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
            finished=self.exit_code == 0,
        )

    def _along(self, name: str, columns: dict[str, _Column]) -> NDArray[np.float64] | None:
        """A metric's value in every row, the gaps filled from the row before; None where it has none."""
        column = columns.get(name)
        if column is None or not self.rows:
            return None
        rows = np.frombuffer(column.rows, dtype=np.int64)
        values = np.frombuffer(column.values, dtype=np.float64)
        last = np.searchsorted(rows, np.arange(self.rows), side="right") - 1
        return values[np.maximum(last, 0)]

    def _shared_axis(self, metrics: dict[str, _Column], notes: list[str]) -> str:
        """The one axis over which all metrics were defined, if there is one, and it can serve as steps."""
        if not self.axes:
            return ""
        others = [name for name in metrics if name not in set(self.axes.values())]
        found = {self._axis_of(name) for name in others}
        if found in (set(), {""}, {"_step"}):
            return ""
        axis = next(iter(found))
        if len(found) == 1 and axis in metrics:
            values = np.frombuffer(metrics[axis].values, dtype=np.float64)
            covered = len(metrics[axis].rows) >= max((len(metrics[n].rows) for n in others), default=0)
            if (
                covered
                and bool(np.all(np.isfinite(values) & (values == np.floor(values))))
                and np.all(np.diff(values) >= 0)
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
        """Pictures that are there, by their path relative to the file's folder; none from outside of it."""
        found = []
        for tag, row, name in self.media:
            relative = PurePosixPath("files") / PurePosixPath(name)
            if ".." in relative.parts or relative.parts[:1] != ("files",) or "\\" in name or "\0" in name:
                continue
            place = folder / relative
            try:
                inside = place.resolve().is_relative_to(folder.resolve()) and place.is_file()
            except (OSError, RuntimeError, ValueError):
                continue
            if inside:
                found.append(Picture(tag, int(steps[row]), relative.as_posix()))
        return tuple(found)


_UNREADABLE: Final = object()


def _from_json(raw: bytes) -> object:
    """JSON with bare NaN and infinities; `_UNREADABLE` where it is none, or too long to be a metric or a setting."""
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
                keys.append(pb.text(data, at, end))
            elif number in (8, 16):
                value = data[at:end]
            elif number == 7:
                value = pb.text(data, at, end)
        elif wire == pb.VARINT and number in (4, 5):
            value = float(pb.signed(pb.varint(data, at, end)[0]))
        elif wire == pb.FIXED64 and number == 6:
            value = float(struct.unpack_from("<d", data, at)[0])
    return [key for key in keys if key], value


def _integers(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Steps from floats; what is no step becomes the largest before it, or 0."""
    sound = np.isfinite(values) & (np.abs(values) < 2**62)
    return np.where(sound, values, 0.0).astype(np.int64)


def _settings(config: dict[str, object]) -> tuple[Setting, ...]:
    """Config as dotted keys; W&B's ``{"value": ..}`` wrapping undone."""
    found: list[Setting] = []

    def walk(key: str, value: object, depth: int) -> None:
        if len(found) >= _MAX_SETTINGS or depth > _MAX_DEPTH:
            return
        if isinstance(value, dict):
            if "value" in value and set(value) <= {"value", "desc"}:
                walk(key, value["value"], depth + 1)
                return
            for inner, one in value.items():
                walk(f"{key}.{inner}" if key else str(inner), one, depth + 1)
        elif isinstance(value, list):
            for index, one in enumerate(value):
                walk(f"{key}.{index}", one, depth + 1)
        else:
            found.append(Setting("", _scalar(value), key))

    for key, value in config.items():
        walk(key, value, 0)
    return tuple(found)


def _scalar(value: object) -> SettingValue:
    return value if isinstance(value, float | int | str | bool) or value is None else str(value)
