"""TensorBoard event files: scalars as columns, checksums verified, pictures and texts indexed.

A file is a chain of records (see `_tfrecord`); a payload is a protobuf ``Event`` (see `_event`). Most records of a
training are a number under a tag, and those of one tag differ in a dozen bytes: time, step, value. So one record of a
kind is decoded field by field, and becomes the template for all others of its kind, whose fields are gathered as
columns. Its checksum is worked out from the template's and the few bytes that may differ; the others are compared.

Every record that yields a number or a setting is verified. Pictures, histograms and graphs are skipped by their length,
which has a checksum of its own.
"""

from __future__ import annotations

import os
import re
import struct
from dataclasses import dataclass, field
from itertools import pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gandoctor.errors import InputError
from gandoctor.model.signals import Picture, Reading, Setting
from gandoctor.parsers import _crc
from gandoctor.parsers import _event as ev
from gandoctor.parsers import _protobuf as pb
from gandoctor.parsers import _tfrecord as frame
from gandoctor.parsers._files import is_pointer
from gandoctor.parsers._steps import Remarks, untangle

if TYPE_CHECKING:
    from io import FileIO
    from pathlib import Path

    from numpy.typing import NDArray

    from gandoctor.model.signals import Signal
    from gandoctor.parsers.configs._entries import Entries

NAME: Final = "tensorboard"

_WINDOW: Final = 4 << 20  # bytes read at once
_LARGEST: Final = 1 << 30  # a longer record is passed over unread
_SHORT: Final = 2048  # longer payloads are no lone numbers
_FEW: Final = 8  # rows that are not worth a template
_MANY: Final = 64  # rows of a stripe from which a view of it pays
_CHUNK: Final = 8192  # rows whose checksums are worked out at once
_POOR: Final = 32  # templates in a row that found no more than a few rows: then row by row
_MAX_TEXT: Final = 1 << 18
_MAX_SETTINGS: Final = 5_000
_MAX_TEXTS: Final = 64
_MAX_SESSIONS: Final = 1000
_SESSION_START: Final = 1
_WORD: Final = 2**64 - 1
_SKIPPED: Final = frozenset({"picture", "histogram", "audio", "tensor"})
_CONFIG: Final = re.compile(
    r"config|cfg|hparam|hyper_?param|args|argument|flags|settings|option|params\b", re.IGNORECASE
)
_FENCE: Final = re.compile(r"^\s*```\w*\s*$|</?(?:pre|code)>", re.MULTILINE)
_TABLE_ROW: Final = re.compile(r"\s*\|([^|\n]+)\|([^|\n]*)\|\s*")


def sniff(path: Path, head: bytes) -> float:
    """How surely this is an event file: a header with a true checksum and an event behind it, or its name."""
    if is_pointer(head):
        return 0.0
    named = "tfevents" in path.name
    size = frame.length_at(head, 0)
    if size >= 0:
        # Other record files (of tf.train.Example) have the same frame, and a length-delimited first field.
        return 0.0 if head[frame.HEAD : frame.HEAD + 1] == b"\x0a" and not named else 1.0
    if named:
        return 0.95
    return 0.6 if len(head) > frame.HEAD and frame.next_header(head, 0, 1 << 20) >= 0 else 0.0


def read(path: Path) -> Reading:
    """Read one event file.

    Each tag becomes a signal whose steps never fall; what was done to odd steps (see `_steps.untangle`) is said in
    `Reading.notes`. ``Picture.path`` is empty: the pictures are in this very file.

    Raises
    ------
    InputError
        Where the file cannot be opened, is a Git LFS pointer, or holds no event at all.
    """
    log = _Log()
    try:
        with path.open("rb", buffering=0) as file:
            size = os.fstat(file.fileno()).st_size
            if is_pointer(file.read(64)):
                raise InputError("a Git LFS pointer, not the log itself", path.name, "run `git lfs pull`")
            _read_all(file, size, log)
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror or error})", path.name) from error
    if size and not log.events and not log.torn:
        what = "holds records, but no TensorBoard events" if log.records else "holds no event that can be read"
        raise InputError(what, path.name, "is this a TensorBoard event file?")
    return log.reading()


def _read_all(file: FileIO, size: int, log: _Log) -> None:
    """Window by window through the file, resuming after damage at the next header with a true checksum."""
    known: dict[bytes, int] = {}
    base = broken = 0  # `broken`: where damage began
    searching = torn = False  # `torn`: what is searched may be just the unfinished last record
    window = _WINDOW
    while base < size:
        file.seek(base)
        wanted = min(window, size - base)
        data = _filled(file, wanted)
        if len(data) < wanted:
            size = base + len(data)  # cut off under our eyes
        window = _WINDOW
        at = 0
        while True:
            if searching:
                found = frame.next_header(data, at, size)
                if found < 0:
                    base += max(len(data) - frame.HEAD + 1, 1)
                    break
                log.damaged(broken, base + found)
                searching, at = False, found
            walk = frame.walk(data, at, known)
            log.take(data, base, walk)
            at = walk.stop
            if walk.broken >= 0:
                searching, torn, broken, at = True, False, base + at, walk.broken
                continue
            rest = size - base - at
            needed = frame.HEAD + walk.size + frame.FOOT
            if walk.size >= 0 and needed > rest:
                searching, torn, broken, at = True, True, base + at, at + 1
                continue
            if walk.size > _LARGEST:
                log.damaged(base + at, base + at + needed)
                at += needed
            elif walk.size >= 0 and at == 0:
                window = needed
            elif rest < frame.HEAD:
                log.torn = rest
                at += rest
            base += at
            break
        log.flush()
    if searching:
        if torn:
            log.torn = size - broken
        else:
            log.damaged(broken, size)


def _filled(file: FileIO, count: int) -> bytes:
    """As many bytes as were asked for, or all that there are."""
    data = file.read(count) or b""
    while len(data) < count and (more := file.read(count - len(data))):
        data += more
    return data


# --- rows of one kind -------------------------------------------------------------------------------------------------


class _Stripe:
    """Rows at equal distances: fields are views."""

    def __init__(self, data: bytes, stripe: frame.Stripe) -> None:
        self.data = data
        self.first, self.stride, self.count = stripe.start, stripe.stride, stripe.count
        self.width = frame.HEAD + stripe.size + frame.FOOT

    def __len__(self) -> int:
        return self.count

    def offsets(self) -> NDArray[np.int64]:
        return self.first + self.stride * np.arange(self.count, dtype=np.int64)

    def octets(self, columns: NDArray[np.intp], start: int, stop: int) -> NDArray[np.uint8]:
        table: NDArray[np.uint8] = np.ndarray(
            (self.width, stop - start), np.uint8, self.data, self.first + start * self.stride, (1, self.stride)
        )
        return table[columns]

    def column(self, at: int, dtype: str) -> NDArray[Any]:
        return np.ndarray((self.count,), dtype, self.data, self.first + at, (self.stride,))

    def where(self, mask: NDArray[np.bool_]) -> _Scattered:
        return _Scattered(self.data, self.offsets()[mask])


class _Scattered:
    """Rows anywhere: fields are gathered."""

    def __init__(self, data: bytes, offsets: NDArray[np.int64]) -> None:
        self.data = data
        self.places = offsets

    def __len__(self) -> int:
        return int(self.places.size)

    @property
    def first(self) -> int:
        return int(self.places[0])

    def offsets(self) -> NDArray[np.int64]:
        return self.places

    def octets(self, columns: NDArray[np.intp], start: int, stop: int) -> NDArray[np.uint8]:
        octets: NDArray[np.uint8] = np.frombuffer(self.data, dtype=np.uint8)
        gathered: NDArray[np.uint8] = octets[columns[:, None] + self.places[start:stop]]
        return gathered

    def column(self, at: int, dtype: str) -> NDArray[Any]:
        count = len(self.data) - np.dtype(dtype).itemsize + 1
        everywhere: NDArray[Any] = np.ndarray((count,), dtype, self.data, 0, (1,))
        return everywhere[self.places + at]

    def where(self, mask: NDArray[np.bool_]) -> _Scattered:
        return _Scattered(self.data, self.places[mask])


_Rows = _Stripe | _Scattered


class _Template:
    """One decoded record, and which of its bytes may differ in others of its kind.

    Places are relative to the record's first byte.
    """

    def __init__(self, record: bytes, event: ev.Event) -> None:
        self.event = event
        self.tag_stop = event.values[0].tag_stop
        wall = list(range(event.wall_at, event.wall_at + 6))  # the top two bytes last for years
        step = list(range(event.step_at, event.step_stop)) if event.step_at >= 0 else []
        numbers = [
            k for v in event.values if v.number and v.number.start >= 0 for k in range(v.number.start, v.number.stop)
        ]
        # The step's bytes first: they are decoded from the same octets.
        self.columns: NDArray[np.intp] = np.array(step + wall + numbers, dtype=np.intp)
        self.step_size = len(step)
        self.foot = len(record) - frame.FOOT
        self.tables = _crc.tables(self.foot - 1 - self.columns).reshape(-1)
        self.bases = 256 * np.arange(self.columns.size, dtype=np.intp)[:, None]
        octets = np.frombuffer(record, dtype=np.uint8)
        own = self.tables[octets[self.columns] + self.bases[:, 0]]
        self.constant = np.uint32(_crc.crc32c(record[frame.HEAD : self.foot])) ^ np.bitwise_xor.reduce(own)
        # What may not differ: all other bytes of the payload, and which byte of the step is its last.
        fixed = bytearray(b"\xff" * self.foot)
        for k in (*wall, *numbers):
            fixed[k] = 0
        for k in step:
            fixed[k] = 0x80
        self.words: list[tuple[int, int, int]] = []
        at = frame.HEAD
        while at < self.foot:
            if fixed[at]:
                at = min(at, self.foot - 8)
                mask = int.from_bytes(fixed[at : at + 8], "little")
                self.words.append((at, mask, int.from_bytes(record[at : at + 8], "little") & mask))
                at += 7
            at += 1

    def match(self, rows: _Rows) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
        """Which rows are of this kind and sound, and all rows' steps."""
        count = len(rows)
        sums = np.empty(count, dtype=np.uint32)
        steps = np.zeros(count, dtype=np.int64)
        for start in range(0, count, _CHUNK):
            stop = min(start + _CHUNK, count)
            octets = rows.octets(self.columns, start, stop)
            sums[start:stop] = np.bitwise_xor.reduce(self.tables.take(octets + self.bases, mode="clip"), axis=0)
            for k in range(self.step_size):
                steps[start:stop] |= (octets[k] & 0x7F).astype(np.int64) << (7 * k)
        sums ^= self.constant
        good = _crc.masked_many(sums) == rows.column(self.foot, "<u4")
        for at, mask, wanted in self.words:
            word = rows.column(at, "<u8")
            good &= (word if mask == _WORD else word & np.uint64(mask)) == np.uint64(wanted)
        return good, steps


def _template(data: bytes, at: int, size: int) -> _Template | None:
    """The record at `at` as a template; None where it is not numbers alone, or not written in a fixed form."""
    record = data[at : at + frame.HEAD + size + frame.FOOT]
    event = ev.decode(record, frame.HEAD, frame.HEAD + size)
    plain = event.wall_at >= 0 and not event.session and event.values
    if plain and all(v.sort == "scalar" and v.number is not None and v.number.code[0] == "<" for v in event.values):
        return _Template(record, event)
    return None


# --- collecting -------------------------------------------------------------------------------------------------------

_Piece = tuple["NDArray[np.int64]", "NDArray[np.int64]", "NDArray[np.float64]", "NDArray[np.float64]"]


@dataclass(slots=True)
class _Series:
    """One tag: columns in file order, a chunk a window; `pieces` and `loose` are of the window being read."""

    steps: list[NDArray[np.int64]] = field(default_factory=list)
    walls: list[NDArray[np.float64]] = field(default_factory=list)
    values: list[NDArray[np.float64]] = field(default_factory=list)
    pieces: list[_Piece] = field(default_factory=list)
    loose: list[tuple[int, int, float, float]] = field(default_factory=list)
    first: int = -1
    sessions: list[int] = field(default_factory=list)  # how many had started before each chunk

    def flush(self, cuts: NDArray[np.int64], seen: int) -> None:
        """The window's points in file order, as a chunk more; cut where a session starts."""
        if self.loose:
            places, numbers, times, floats = zip(*sorted(self.loose, key=itemgetter(0)), strict=True)
            self.pieces.append(
                (
                    np.array(places, dtype=np.int64),
                    np.array(numbers, dtype=np.int64),
                    np.array(times, dtype=np.float64),
                    np.array(floats, dtype=np.float64),
                )
            )
            self.loose = []
        pieces = sorted(self.pieces, key=lambda piece: int(piece[0][0]))
        self.pieces = []
        offsets, steps, walls, values = pieces[0] if len(pieces) == 1 else _concatenated(pieces)
        if any(a[0][-1] > b[0][0] for a, b in pairwise(pieces)):
            order = np.argsort(offsets, kind="stable")
            offsets, steps, walls, values = offsets[order], steps[order], walls[order], values[order]
        if self.first < 0:
            self.first = int(offsets[0])
        bounds = [0, *np.searchsorted(offsets, cuts).tolist(), offsets.size]
        for k, (start, stop) in enumerate(pairwise(bounds)):
            if start < stop:
                self.steps.append(steps[start:stop])
                self.walls.append(walls[start:stop])
                self.values.append(values[start:stop])
                self.sessions.append(seen + k)

    def columns(
        self, least: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], int]:
        """Steps, times and values of the whole file without what later sessions replaced, and how many those were."""
        # One column after the other, each freed as it is joined: the peak stays near the result's size.
        steps = np.concatenate(self.steps)
        keep = None
        if least.size > 1:
            keep = steps < np.repeat(least[self.sessions], [part.size for part in self.steps])
        self.steps.clear()
        walls = np.concatenate(self.walls)
        self.walls.clear()
        values = np.concatenate(self.values)
        self.values.clear()
        if keep is None or keep.all():
            return steps, walls, values, 0
        return steps[keep], walls[keep], values[keep], int(np.count_nonzero(~keep))


def _concatenated(pieces: list[_Piece]) -> _Piece:
    offsets, steps, walls, values = zip(*pieces, strict=True)
    return np.concatenate(offsets), np.concatenate(steps), np.concatenate(walls), np.concatenate(values)


class _Log:
    """What one file gave."""

    def __init__(self) -> None:
        self.records = 0
        self.events = 0
        self.series: dict[str, _Series] = {}
        self.touched: dict[str, _Series] = {}
        self.pictures: list[Picture] = []
        self.texts: dict[str, str] = {}
        self.settings: list[Setting] = []
        self.passed: dict[str, int] = {}
        self.sessions: list[tuple[int, int]] = []  # file offset and step of each session's start
        self.seen_sessions = 0
        self.spans: list[tuple[int, int]] = []  # damage
        self.torn = 0

    # --- records ---

    def take(self, data: bytes, base: int, walk: frame.Walk) -> None:
        """Take the records of one walk; `base` is where `data` begins in the file."""
        scattered: dict[int, list[int]] = walk.singles
        for stripe in walk.stripes:
            if stripe.count >= _MANY and stripe.size <= _SHORT:
                self._take_rows(data, base, _Stripe(data, stripe), stripe.size)
            elif stripe.count:
                places = range(stripe.start, stripe.last + 1, stripe.stride)
                scattered.setdefault(stripe.size, []).extend(places)
        for size, found in scattered.items():
            if len(found) < _FEW or size > _SHORT:
                for place in found:
                    self._take_one(data, base, place, size)
            else:
                self._take_rows(data, base, _Scattered(data, np.sort(np.array(found, dtype=np.int64))), size)

    def _take_rows(self, data: bytes, base: int, rows: _Rows, size: int) -> None:
        """Records of one length: kind after kind, each by its first record as the template."""
        poor = 0
        while len(rows) >= _FEW and poor < _POOR:
            try:
                template = _template(data, rows.first, size)
            except pb.WireError:
                template = None
            if template is None:
                self._take_one(data, base, rows.first, size)
                left = np.ones(len(rows), dtype=np.bool_)
                left[0] = False
                rows = rows.where(left)
                poor += 1
                continue
            likely = rows
            alike: NDArray[np.bool_] | None = None
            if isinstance(rows, _Scattered):
                # Tags that end alike first: cheaper than a checksum over all rows for every tag of this length.
                ends = rows.column(max(template.tag_stop - 8, 0), "<u8")
                alike = ends == ends[0]
                likely = rows if alike.all() else rows.where(alike)
            good, steps = template.match(likely)
            if not good[0]:
                self.damaged(base + rows.first, base + rows.first + template.foot + frame.FOOT)
            self._keep(template, likely, good, steps, base)
            if good.all() and likely is rows:
                return
            poor = poor + 1 if np.count_nonzero(good) < _FEW else 0
            left = ~good
            left[0] = False
            if likely is not rows and alike is not None:
                others = ~alike
                others[alike] = left
                left = others
            rows = rows.where(left)
        for place in rows.offsets().tolist():
            self._take_one(data, base, place, size)

    def _keep(
        self, template: _Template, rows: _Rows, good: NDArray[np.bool_], steps: NDArray[np.int64], base: int
    ) -> None:
        """The columns of the rows that fit the template."""
        whole = bool(good.all())
        if not whole and not good.any():
            return

        def sound(column: NDArray[Any]) -> NDArray[Any]:
            return column if whole else column[good]

        offsets = sound(rows.offsets()) + base
        walls = sound(rows.column(template.event.wall_at, "<f8")).astype(np.float64)
        kept = steps if whole else steps[good]
        self.records += kept.size
        self.events += kept.size
        for value in template.event.values:
            if value.number is None:
                continue
            if value.number.start < 0:
                values: NDArray[np.float64] = np.zeros(kept.size, dtype=np.float64)
            else:
                values = _as_floats(
                    sound(rows.column(value.number.start, _dtype(value.number.code))), value.number.code
                )
            self._touch(value.tag).pieces.append((offsets, kept, walls, values))

    def _take_one(self, data: bytes, base: int, at: int, size: int) -> None:
        """One record, field by field."""
        start, stop = at + frame.HEAD, at + frame.HEAD + size
        try:
            event = ev.decode(data, start, stop)
        except pb.WireError:
            event = None
        skipped = event is not None and event.values and all(v.sort in _SKIPPED for v in event.values)
        if event is None or not (skipped or frame.is_sound(data, at, size)):
            self.damaged(base + at, base + stop + frame.FOOT)
            self.records += 1
            return
        self.records += 1
        if event.wall_at >= 0 or event.values:
            self.events += 1
        if event.session == _SESSION_START and len(self.sessions) < _MAX_SESSIONS:
            self.sessions.append((base + at, event.step))
        wall = struct.unpack_from("<d", data, event.wall_at)[0] if event.wall_at >= 0 else 0.0
        for value in event.values:
            if value.sort == "scalar" and value.number is not None:
                number = ev.number_at(data, value.number)
                self._touch(value.tag).loose.append((base + at, event.step, wall, number))
            elif value.sort == "picture":
                self.pictures += [Picture(value.tag, event.step, "", base + a, b - a) for a, b in value.spans]
            elif value.sort == "hparams":
                self._settings(ev.hparams(data, *value.content))
            elif value.sort == "text" and _CONFIG.search(value.tag) and len(self.texts) < _MAX_TEXTS:
                parts = [pb.text(data, a, min(b, a + _MAX_TEXT)) for a, b in value.spans[:256]]
                self.texts[value.tag] = "\n".join(parts)[:_MAX_TEXT]
            elif value.sort:
                self.passed[value.sort] = self.passed.get(value.sort, 0) + 1

    def _touch(self, tag: str) -> _Series:
        series = self.touched.get(tag)
        if series is None:
            series = self.series.setdefault(tag, _Series())
            self.touched[tag] = series
        return series

    def flush(self) -> None:
        """Put what the window gave into file order."""
        cuts = np.array([place for place, _ in self.sessions[self.seen_sessions :]], dtype=np.int64)
        for series in self.touched.values():
            series.flush(cuts, self.seen_sessions)
        self.touched.clear()
        self.seen_sessions = len(self.sessions)

    def _settings(self, entries: Entries) -> None:
        known = {setting.key for setting in self.settings}
        self.settings += [
            Setting("", value, key)
            for key, value in ((".".join(path), value) for path, (value, _) in entries.found.items())
            if key not in known
        ][: max(0, _MAX_SETTINGS - len(known))]

    # --- damage ---

    def damaged(self, start: int, stop: int) -> None:
        self.spans.append((start, stop))
        if len(self.spans) > 100_000:
            self.spans = _joined(self.spans)

    def lost(self) -> str | None:
        said = []
        if self.spans:
            spans = _joined(self.spans)
            count = sum(stop - start for start, stop in spans)
            where = (
                f"at byte {spans[0][0]:,}"
                if len(spans) == 1
                else f"in {len(spans):,} places, from byte {spans[0][0]:,}"
            )
            said.append(f"{count:,} damaged bytes {where}: at least {len(spans):,} record(s)")
        if self.torn:
            said.append(f"last record incomplete ({self.torn:,} bytes), still being written?")
        return "; ".join(said) or None

    # --- the result ---

    def reading(self) -> Reading:
        notes: list[str] = []
        least = _purges(self.sessions)
        remarks = Remarks()
        signals: list[Signal] = []
        purged = 0
        for tag, series in sorted(self.series.items(), key=lambda item: item[1].first):
            steps, walls, values, dropped = series.columns(least)
            purged += dropped
            signals += untangle(tag, steps, walls, values, remarks)
        if purged:
            notes.append(f"{purged:,} points were superseded where the training restarted")
        notes += remarks.lines()
        for tag, text in self.texts.items():
            entries = _config_in(text)
            if entries.found:
                self._settings(entries)
            else:
                notes.append(f"the text {tag} looks like a configuration, but could not be read as one")
        if self.passed:
            notes.append("not read: " + ", ".join(f"{n:,} {sort}(s)" for sort, n in sorted(self.passed.items())))
        return Reading(
            signals=tuple(signals),
            settings=tuple(self.settings),
            lost=self.lost(),
            notes=tuple(notes),
            pictures=tuple(self.pictures),
        )


def _dtype(code: str) -> str:
    return "<u2" if code == "bf16" else code


def _as_floats(column: NDArray[Any], code: str) -> NDArray[np.float64]:
    if code == "bf16":
        return (column.astype(np.uint32) << np.uint32(16)).view(np.float32).astype(np.float64)
    return column.astype(np.float64)


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Overlapping and touching spans as one."""
    out: list[tuple[int, int]] = []
    for start, stop in sorted(spans):
        if out and start <= out[-1][1]:
            out[-1] = out[-1][0], max(stop, out[-1][1])
        else:
            out.append((start, stop))
    return out


def _purges(sessions: list[tuple[int, int]]) -> NDArray[np.int64]:
    """For data seen after so many session starts: the step from which a later session replaces it."""
    steps = np.array([step for _, step in sessions] + [np.iinfo(np.int64).max], dtype=np.int64)
    least: NDArray[np.int64] = np.minimum.accumulate(steps[::-1])[::-1]
    return least


def _config_in(text: str) -> Entries:
    """Settings of a text that people log: YAML, JSON, a Markdown table of two columns, ``Namespace(...)``."""
    from gandoctor.parsers.configs import _entries, json, options, yaml

    text = _FENCE.sub("", text).strip()
    table = [row for row in (_TABLE_ROW.fullmatch(line) for line in text.splitlines()) if row]
    if len(table) > 2 and set(table[1][1]) <= set("-: "):
        entries = _entries.Entries()
        for row in table[2 : _entries.MAX_SETTINGS]:
            _entries.flatten(entries, (row[1].strip(" `*"),), _entries.word(row[2].strip(" `*")), 0)
        return entries
    if text.startswith("{"):
        entries = json.parse(text)
        if entries.found and not entries.lost:
            return entries
        return yaml.parse(text)
    if "Namespace(" in text:
        return options.parse(text)
    entries = yaml.parse(text)
    if entries.lost or not all(path for path in entries.found):
        entries = options.parse(text)
    return entries
