"""TensorBoard event files: scalars as columns, checksums verified, pictures and texts indexed.

A file is a chain of records (see `_tfrecord`); a payload is a protobuf ``Event`` (see `_event`).
Most records of a training are a number under a tag: one of a kind is decoded field by field, all
others of its kind are gathered as columns (see `_columns`). The rest is taken one by one.

Every record that yields a number or a setting is verified. Pictures, histograms and graphs are
skipped by their length, which has a checksum of its own.
"""

from __future__ import annotations

import os
import re
import struct
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.errors import InputError
from gandoctor.files import protobuf as pb
from gandoctor.files.reading import (
    BLANK,
    MOST_DAMAGE,
    cut_short,
    given_up,
    is_pointer,
    next_data,
    nothing_in,
    zeros_of,
)
from gandoctor.model.signals import Picture, Reading, Setting
from gandoctor.parsers.records import event as ev
from gandoctor.parsers.records import tfrecord as frame
from gandoctor.parsers.records.columns import Columns, Layout, Scattered, Striped, gather, layout_of
from gandoctor.parsers.records.said import config_in
from gandoctor.parsers.records.series import Series
from gandoctor.parsers.rows.names import Roll
from gandoctor.parsers.rows.steps import Remarks, untangle
from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from io import FileIO
    from pathlib import Path

    from numpy.typing import NDArray

    from gandoctor.configs.entries import Entries
    from gandoctor.model.signals import Signal

NAME: Final = "tensorboard"

_WINDOW: Final = 4 << 20  # bytes read at once
_LARGEST: Final = 1 << 30  # a longer record is passed over unread
_SHORT: Final = 2048  # longer payloads are no lone numbers
_FEW: Final = 8  # rows that are not worth a layout
_MANY: Final = 512  # records from which taking a period's kinds together pays
_SOME: Final = 48  # nor are so many, of kinds that are not known
_POOR: Final = 32  # layouts in a row that found no more than a few rows: then row by row
_MAX_TEXT: Final = 1 << 16
_MAX_SETTINGS: Final = 5_000
_MAX_TEXTS: Final = 16
_MAX_SESSIONS: Final = 1000
_SESSION_START: Final = 1
_SKIPPED: Final = frozenset({"picture", "histogram", "audio", "tensor"})
_CONFIG: Final = late_pattern(
    r"(?:^|[^a-z])(?:config\w*|cfg|hparams?|hyper_?param\w*|args|arguments?|flags|settings?|"
    r"options?|opts?|params)(?![a-z])",
    re.IGNORECASE,
)


def sniff(path: Path, head: bytes) -> float:
    """How surely this is an event file.

    A header with a true checksum and an event behind it, or its name.
    """
    if is_pointer(head):
        return 0.0
    named = "tfevents" in path.name
    size = frame.length_at(head, 0)
    if size >= 0:
        # Other record files (of tf.train.Example) have the same frame, and a length-delimited first
        # field.
        return 0.0 if head[frame.HEAD : frame.HEAD + 1] == b"\x0a" and not named else 1.0
    if named:
        return 0.95
    return 0.6 if len(head) > frame.HEAD and frame.next_header(head, 0, 1 << 20) >= 0 else 0.0


def read(path: Path) -> Reading:
    """Read one event file.

    Each tag becomes a signal whose steps never fall; what was done to odd steps (see
    `_steps.untangle`) is said in `Reading.notes`. ``Picture.path`` is empty: the pictures are in
    this very file.

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
                raise InputError(
                    "a Git LFS pointer, not the log itself", path.name, "run `git lfs pull`"
                )
            _read_all(file, size, log)
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror or error})", path.name) from error
    if size and not log.events:
        if log.torn and not log.records:
            raise cut_short(size, path.name)
        if blank := nothing_in(log.zeros, size, path.name):
            raise blank
        what = (
            "holds records, but no TensorBoard events"
            if log.records
            else "holds no event that can be read"
        )
        raise InputError(what, path.name, "is this a TensorBoard event file?")
    return log.reading()


def _read_all(file: FileIO, size: int, log: _Log) -> None:
    """Window by window through the file, resuming after damage at the next sound header."""
    known: dict[bytes, int] = {}
    base = broken = sought = (
        0  # `broken`: where damage began; `sought`: how much of it was searched
    )
    searching = torn = False  # `torn`: what is searched may be just the unfinished last record
    window = _WINDOW
    while base < size:
        file.seek(base)
        wanted = min(window, size - base)
        data = _filled(file, wanted)
        if len(data) < wanted:
            size = base + len(data)  # cut off under our eyes
        window = _WINDOW
        if len(data) >= BLANK and data[:1] == b"\0" and data == bytes(len(data)):
            if not searching:
                searching, torn, broken = True, False, base
            end = max(next_data(file.fileno(), base + len(data), size), base + len(data))
            log.zeros += end - base
            base = end
            continue
        if searching:
            sought += len(data)
            if sought > MOST_DAMAGE:
                log.unseen = size - base
                size = base
                break
        at = 0
        while True:
            if searching:
                found = frame.next_header(data, at, size)
                if found < 0:
                    base += max(len(data) - frame.HEAD + 1, 1)
                    break
                log.damaged(broken, base + found)
                searching, at = False, found
            walk = frame.walk(data, at, known, more=base + len(data) < size)
            log.take(data, base, walk)
            at = walk.stop
            # Many tags share a window: it has to be wide for each of them to fill columns.
            window = max(
                [window, *(min(1000 * stripes.stride, 4 * _WINDOW) for stripes in walk.stripes)]
            )
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
                window = needed + _WINDOW
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


class _Log:
    """What one file gave."""

    def __init__(self) -> None:
        self.records = 0
        self.events = 0
        self.series: dict[str, Series] = {}
        self.touched: dict[str, Series] = {}
        self.pictures: list[Picture] = []
        self.texts: dict[str, str] = {}
        self.settings: list[Setting] = []
        self.passed: dict[str, int] = {}
        self.roll = Roll()
        self.sessions: list[tuple[int, int]] = []  # file offset and step of each session's start
        self.seen_sessions = 0
        self.spans: list[tuple[int, int]] = []  # damage
        self.torn = 0
        self.zeros = 0
        self.unseen = 0

    # --- records ---

    def take(self, data: bytes, base: int, walk: frame.Walk) -> None:
        """Take the records of one walk; `base` is where `data` begins in the file."""
        scattered = walk.singles
        for stripes in walk.stripes:
            if stripes.count >= _FEW and stripes.count * len(stripes.sizes) >= _MANY:
                self._take_stripes(data, base, stripes, scattered)
                continue
            # Short stretches (between pictures, say) are better taken together, all of the window.
            for size, shift in zip(stripes.sizes, stripes.shifts(), strict=True):
                scattered.setdefault(size, []).extend(stripes.places(shift))
        for size, found in scattered.items():
            left = np.sort(np.array(found, dtype=np.int64))
            poor = 0
            while left.size >= _SOME and size <= _SHORT and poor < _POOR:
                before = left.size
                left = self._take_kind(data, base, left, size)
                poor = poor + 1 if before - left.size < _FEW else 0
            for place in left.tolist():
                self._take_one(data, base, place, size)

    def _take_stripes(
        self, data: bytes, base: int, stripes: frame.Stripes, scattered: dict[int, list[int]]
    ) -> None:
        """Records whose lengths repeat.

        Each that is of a kind with the first at its place, all places at once.
        """
        forms: dict[tuple[object, ...], list[tuple[Layout, int, int]]] = {}
        for size, shift in zip(stripes.sizes, stripes.shifts(), strict=True):
            layout = None
            if size <= _SHORT:
                layout = _layout(data, stripes.start + shift, size)
            if layout is not None:
                forms.setdefault(layout.form, []).append((layout, shift, size))
            else:
                scattered.setdefault(size, []).extend(stripes.places(shift))
        rows = Striped(data, stripes.start, stripes.stride, stripes.count)
        for members in forms.values():
            layouts, shifts, sizes = zip(*members, strict=True)
            columns = gather(rows, layouts, shifts)
            sound = np.asarray(columns.good.all(axis=1))
            for k, (layout, shift, size) in enumerate(zip(layouts, shifts, sizes, strict=True)):
                where = rows.offsets() + shift
                self._keep(layout, columns, k, where + base, whole=bool(sound[k]))
                if not sound[k]:
                    scattered.setdefault(size, []).extend(where[~columns.good[k]].tolist())

    def _take_kind(
        self, data: bytes, base: int, places: NDArray[np.int64], size: int
    ) -> NDArray[np.int64]:
        """Of records of one length, those of the first one's kind.

        Returns the places of the others.
        """
        layout = _layout(data, int(places[0]), size)
        if layout is None:
            self._take_one(data, base, int(places[0]), size)
            return places[1:]
        # Tags that end alike first: cheaper than a checksum over all rows for every tag of this
        # length.
        tail = np.array([max(layout.event.values[0].tag_stop - 8, 0)], dtype=np.intp)
        ends = Scattered(data, places).at(tail, "<u8", 0, places.size)[0]
        alike = ends == ends[0]
        likely = places[alike]
        columns = gather(Scattered(data, likely), [layout], [0])
        good = columns.good[0]
        self._keep(layout, columns, 0, likely + base, whole=bool(good.all()))
        if not good[0]:
            self.damaged(base + int(places[0]), base + int(places[0]) + layout.foot + frame.FOOT)
            self.records += 1
        taken = np.zeros(places.size, dtype=np.bool_)
        taken[alike] = good
        taken[0] = True
        return places[~taken]

    def _keep(
        self, layout: Layout, columns: Columns, k: int, offsets: NDArray[np.int64], *, whole: bool
    ) -> None:
        """The columns of the k-th layout, without the rows that it does not fit."""
        steps, walls, good = columns.steps[k], columns.walls[k], columns.good[k]
        if not whole:
            offsets, steps, walls = offsets[good], steps[good], walls[good]
        if not steps.size:
            return
        self.records += steps.size
        self.events += steps.size
        for value, numbers in zip(layout.event.values, columns.values, strict=True):
            held = numbers[k] if whole else numbers[k][good]
            series = self._touch(value.tag, steps.size)
            if series is not None:
                series.pieces.append((offsets, steps, walls, held))

    def _take_one(self, data: bytes, base: int, at: int, size: int) -> None:
        """One record, field by field."""
        start, stop = at + frame.HEAD, at + frame.HEAD + size
        try:
            event = ev.decode(data, start, stop)
        except pb.WireError:
            event = None
        skipped = (
            event is not None and event.values and all(v.sort in _SKIPPED for v in event.values)
        )
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
                series = self._touch(value.tag, 1)
                if series is not None:
                    series.loose.append((base + at, event.step, wall, number))
            elif value.sort == "picture":
                self.pictures += [
                    Picture(value.tag, event.step, "", base + a, b - a) for a, b in value.spans
                ]
            elif value.sort == "hparams":
                self._settings(ev.hparams(data, *value.content))
            elif (
                value.sort == "text" and _CONFIG.search(value.tag) and len(self.texts) < _MAX_TEXTS
            ):
                parts = [pb.text(data, a, min(b, a + _MAX_TEXT)) for a, b in value.spans[:256]]
                self.texts[value.tag] = "\n".join(parts)[:_MAX_TEXT]
            elif value.sort:
                self.passed[value.sort] = self.passed.get(value.sort, 0) + 1

    def _touch(self, tag: str, values: int) -> Series | None:
        """The series under a tag; None where too many others are read."""
        series = self.touched.get(tag)
        if series is None:
            series = self.series.get(tag)
            if series is None:
                if not self.roll.takes(tag, values):
                    return None
                series = self.series[tag] = Series()
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
            for key, value in ((spot.key, spot.value) for spot in entries.found.values())
            if key not in known
        ][: max(0, _MAX_SETTINGS - len(known))]

    # --- damage ---

    def damaged(self, start: int, stop: int) -> None:
        self.spans.append((start, stop))
        if len(self.spans) > 100_000:
            self.spans = _without_overlaps(self.spans)

    def lost(self) -> str | None:
        said = []
        if self.spans:
            spans = _without_overlaps(self.spans)
            count = sum(stop - start for start, stop in spans)
            where = (
                f"at byte {spans[0][0]:,}"
                if len(spans) == 1
                else f"in {len(spans):,} places, from byte {spans[0][0]:,}"
            )
            said.append(f"{count:,} damaged bytes {where}: at least {len(spans):,} record(s)")
        if self.zeros:
            said.append(f"of these {zeros_of(self.zeros)}")
        if self.unseen:
            said.append(given_up(self.unseen))
        if self.torn:
            said.append(f"last record incomplete ({self.torn:,} bytes), still being written?")
        said += self.roll.lost()
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
            entries = config_in(text)
            if entries.found:
                self._settings(entries)
            else:
                notes.append(
                    f"the text {tag} looks like a configuration, but could not be read as one"
                )
        if self.passed:
            notes.append(
                "not read: "
                + ", ".join(f"{n:,} {sort}(s)" for sort, n in sorted(self.passed.items()))
            )
        return Reading(
            signals=tuple(signals),
            settings=tuple(self.settings),
            lost=self.lost(),
            notes=tuple(notes),
            pictures=tuple(self.pictures),
        )


def _layout(data: bytes, at: int, size: int) -> Layout | None:
    try:
        return layout_of(data, at, size)
    except pb.WireError:
        return None


def _without_overlaps(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Overlapping and touching spans as one."""
    out: list[tuple[int, int]] = []
    for start, stop in sorted(spans):
        if out and start <= out[-1][1]:
            out[-1] = out[-1][0], max(stop, out[-1][1])
        else:
            out.append((start, stop))
    return out


def _purges(sessions: list[tuple[int, int]]) -> NDArray[np.int64]:
    """For data seen after so many session starts.

    The step from which a later session replaces it.
    """
    steps = np.array([step for _, step in sessions] + [np.iinfo(np.int64).max], dtype=np.int64)
    least: NDArray[np.int64] = np.minimum.accumulate(steps[::-1])[::-1]
    return least
