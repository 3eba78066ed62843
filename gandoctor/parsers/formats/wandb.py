"""Weights & Biases' run file, ``run-*.wandb``, without the wandb package.

Metrics, config, and whether the run ended.

The file is framed as LevelDB's log is (32 KiB blocks, chunks with a checksum); a record is a
protobuf ``Record`` of ``wandb_internal.proto``. Old clients write a metric's value as JSON text,
new ones (0.31) as a typed value: both are read.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.errors import InputError
from gandoctor.files import protobuf as pb
from gandoctor.files.reading import LONGEST_TAG, cut_short, is_pointer, nothing_in
from gandoctor.model.signals import Picture, Reading
from gandoctor.parsers.records.history import Items, items_of
from gandoctor.parsers.records.leveldb import Frames
from gandoctor.parsers.records.logged import (
    MAX_DEPTH,
    UNREADABLE,
    LoggedColumn,
    Points,
    from_json,
    item_of,
    settings_of,
    whole_steps,
)
from gandoctor.parsers.rows.names import Roll
from gandoctor.parsers.rows.steps import Remarks, untangle

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gandoctor.model.signals import Signal, StepUnit

NAME: Final = "wandb"

_MAGIC: Final = b":W&B\xe1\xbe"

_HISTORY, _CONFIG, _METRIC, _RUN, _EXIT = 2, 5, 12, 17, 18
_HISTORY_KEY: Final = _HISTORY << 3 | pb.BYTES
_PASSED_BY: Final = frozenset({3, 4, 6, 7})  # summary, output, files, system metrics
_BATCH: Final = 1 << 20  # bytes of rows that are taken apart at once
_MAX_MEDIA: Final = 20_000
_MAX_TILES: Final = 64
_AXES: Final = ("_step", "_timestamp")
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
            frames = Frames(file)
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


class _Run:
    """What the records gave."""

    def __init__(self) -> None:
        self.rows = 0
        self.bad_rows = 0
        self.columns: dict[str, LoggedColumn] = {}
        self.names: list[str] = []
        self.places: dict[int, int] = {}  # hash of the keys -> place in `names`
        self.held: list[bytes] = []  # rows for `flush`
        self.held_bytes = 0
        self.config: dict[str, object] = {}
        self.axes: dict[str, str] = {}
        self.media: list[tuple[str, int, str]] = []  # tag, row, file
        self.kinds: dict[str, str] = {}  # prefix of nested keys -> what W&B says lies there
        self.passed_over: dict[str, int] = {}
        self.roll = Roll()
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
                column = self._column(self.names[which[start]], stop - start)
                if column is None:
                    continue
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
                self.names.append(".".join(item_of(key, 0, len(key))[0]))
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

    def _column(self, name: str, values: int) -> LoggedColumn | None:
        """The column of a key; None where too many others are read."""
        column = self.columns.get(name)
        if column is None and (name in _AXES or self.roll.takes(name, values)):
            column = self.columns[name] = LoggedColumn()
        return column

    def _item(self, data: bytes, start: int, stop: int, row: int) -> None:
        """HistoryItem{1 key, 2 nested_key, 16 value_json; since 0.31: 3 none .. 8 json}."""
        keys, found = item_of(data, start, stop)
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
        column = self._column(name, 1)
        if column is not None:
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
        value = from_json(raw)
        if value is UNREADABLE:
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
        elif isinstance(value, dict) and depth < MAX_DEPTH:
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
            keys, found = item_of(data, at, end)
            if not keys or keys[0] == "_wandb":
                continue
            if number == 2:
                self.config.pop(".".join(keys), None)
                continue
            value = from_json(found) if isinstance(found, bytes) else found
            if value is not UNREADABLE:
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

    def reading(self, folder: Path, frames: Frames) -> Reading:
        """Columns to signals, over the axis they share."""
        self.flush()
        columns = {name: column.in_order() for name, column in self.columns.items()}
        steps = self._along("_step", columns)
        walls = self._along("_timestamp", columns)
        metrics = {
            name: c for name, c in columns.items() if name[:1] != "_" and not self._is_medium(name)
        }
        row_steps = np.arange(self.rows, dtype=np.int64) if steps is None else whole_steps(steps)
        notes: list[str] = []
        unit: StepUnit = "unknown"
        axis = self._shared_axis(metrics, notes)
        if axis:
            along = self._along(axis, columns)
            if along is not None:
                row_steps = whole_steps(along)
                unit = "epochs" if "epoch" in axis.lower() else "unknown"
                notes.append(f"steps are the metric {axis}, over which the run defined its metrics")
        signals: list[Signal] = []
        remarks = Remarks()
        for name, (rows, values) in metrics.items():
            times = None if walls is None else walls[rows]
            signals += untangle(name, row_steps[rows], times, values, remarks)
        notes += remarks.lines()
        lost = [found] if (found := frames.lost()) else []
        if self.bad_rows:
            lost.append(f"{self.bad_rows:,} record(s) that are no W&B record")
        lost += self.roll.lost()
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
            settings=settings_of(self.config),
            lost="; ".join(lost) or None,
            step_unit=unit,
            notes=tuple(notes),
            pictures=self._pictures(folder, row_steps),
            finished=self.exit_code == 0 and self.complete,
        )

    def _is_medium(self, name: str) -> bool:
        """Whether a key is of a picture, histogram or table, whose width or count is no metric."""
        return bool(self.kinds) and (name in self.kinds or name.rpartition(".")[0] in self.kinds)

    def _along(self, name: str, columns: dict[str, Points]) -> NDArray[np.float64] | None:
        """A metric's value in every row, the gaps filled from the row before.

        None where it has none.
        """
        column = columns.get(name)
        if column is None or not self.rows:
            return None
        rows, values = column
        last = np.searchsorted(rows, np.arange(self.rows), side="right") - 1
        return values[np.maximum(last, 0)]

    def _shared_axis(self, metrics: dict[str, Points], notes: list[str]) -> str:
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
    return not name.startswith("_") or name in _AXES
