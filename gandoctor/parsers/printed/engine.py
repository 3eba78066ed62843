"""The engine behind printed logs.

A line is its numbers and the texts between them. Lines with the same texts have the same meaning,
so the meaning is worked out once for each shape (`_plan`), and the numbers of all lines of a shape
are converted together.
"""

from __future__ import annotations

import re
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.configs.printed import settings_of
from gandoctor.errors import InputError
from gandoctor.model.signals import Reading, Signal
from gandoctor.parsers.printed.counters import Counting, Series, Track, lead_of
from gandoctor.parsers.printed.line import NUMBER, make_plan
from gandoctor.parsers.printed.lists import halves_named, named_by_vits, vits_places
from gandoctor.parsers.printed.names import SLOT
from gandoctor.parsers.printed.pieces import Pieces
from gandoctor.parsers.printed.places import PICTURE, Places
from gandoctor.parsers.printed.planned import planned_length
from gandoctor.parsers.rows.axis import beyond
from gandoctor.parsers.rows.names import telling, tells_of_training
from gandoctor.parsers.rows.steps import LARGEST
from gandoctor.patterns import late_pattern
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from gandoctor.model.signals import Setting
    from gandoctor.parsers.printed.plan import Plan

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

MARK: Final = "==== further output ===="  # stands between the outputs of a notebook's cells
_MOST_SHAPES: Final = 20_000  # shapes of lines that are looked at; a log has a few dozen
_MOST_PLANS: Final = 4_000  # shapes with something in them
_LONGEST_LINE: Final = 3_000  # characters; longer ones are dumps of options
_CHUNK: Final = 8_192  # lines of a shape that are kept as text before they are converted
_HEADER_LINES: Final = 4_000
_MOST_NUMBERS: Final = 200  # of one line
_OFTEN: Final = 16  # sightings after which a shape gets a pattern of its own
_FAST: Final = r"([-+]?(?:\d++(?:\.\d*+)?(?:[eE][-+]?\d++)?+|nan|inf))"
_VARIANTS: Final = 256  # names that numbers within a name may make

_ANSI: Final = late_pattern(
    r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b\n]{0,4096}+(?:\x07|\x1b\\)|\x1b[@-_]"
)
_BREAK: Final = late_pattern(r"\r\n|\n|\r|\x0b|\x0c|\x85|\u2028|\u2029")
_TQDM_BAR: Final = late_pattern(r"\|[\u2500-\u25ff#\d =>\-.]*\|(?=\s*\d)")
_KERAS_BAR: Final = late_pattern(r"\[?[=\u2501]{2,}[=>.\u2501\u2500\u2578\u257a ]*\]?|\[>?\.{3,}\]")
# ==== Training Loss (Thu Sep  1 21:31:13 2022) ====.
_MARK: Final = late_pattern(r"={4,}+([^=]++)={4,}+\s*$")
_WRITTEN_BREAK: Final = late_pattern(r"\\[rnt](?=\s|\||\[|\w+\s+[-+\d.])")
# | loss/d | 0.5 | of a table that is drawn upright, a name and its value a line
_UPRIGHT: Final = late_pattern(
    r"\s*+[|│┃]\s*+([^\W\d][^|│┃]{0,80}+)[|│┃]\s*+([-+\w.,]++)\s*+[|│┃]\s*"
)
_BARS: Final = frozenset("|│┃")
_FULL_WIDTH: Final = str.maketrans(
    "：，；（）［］【】｛｝＝％／｜　－＋．～", ":,;()[][]{}=%/| -+.~"
)
_WIDE: Final = late_pattern("[\uff00-\uffef\u3000-\u303f]")


def read_text(text: str, name: str, places: Places | None = None) -> Reading:
    """Read training prints from a text.

    Parameters
    ----------
    text : str
    name : str
        Stem of the file: the tag of a file that holds ``step: value`` lines of one metric.
    places : Places, optional
        Learns where the text says that pictures are, and with which records they go.

    Raises
    ------
    InputError
        No training metrics are printed.
    """
    log = _Log(places)
    log.take(text)
    return log.reading(name)


def read_runs(text: str, name: str) -> list[tuple[str, Reading]]:
    """As `read_text`, for each run of a log in which several take turns.

    The first of each pair tells them apart.

    Raises
    ------
    InputError
        No training metrics are printed.
    """
    log = _Log()
    log.take(text)
    return log.readings(name)


@dataclass(slots=True)
class _Known:
    """A shape of line: its plan, how often it was seen, a quick pattern, and what followed it."""

    plan: Plan | None
    seen: int = 0
    pattern: re.Pattern[str] | None = None
    follower: _Known | None = None

    def numbers_in(self, line: str) -> tuple[str, ...] | None:
        found = self.pattern.fullmatch(line) if self.pattern is not None else None
        return found.groups() if found else None


def _without_control(text: str) -> str:
    """A text without what steers a terminal; wide signs and written-out breaks as usual ones."""
    if "\x1b" in text:
        text = _ANSI.sub("", text)
    if "\x08" in text:
        text = text.replace("\x08", "")
    if _WIDE.search(text):
        text = text.translate(_FULL_WIDTH)
    if "\\n" in text or "\\r" in text or "\\t" in text:
        text = _WRITTEN_BREAK.sub(lambda m: "\t" if m[0] == "\\t" else "\n", text)
    return text


def _without_drawing(line: str) -> str:
    """A line without progress bars and the strokes of a table."""
    if "%|" in line:
        line = _TQDM_BAR.sub("| |", line)
    if "==" in line or "\u2501" in line or "[>" in line or "..." in line:
        line = _KERAS_BAR.sub(" ", line)
    if line[:1] in _BARS and (cells := _UPRIGHT.fullmatch(line)):
        line = f"{cells[1].strip()}: {cells[2]}"
    return line


class _Log:
    """One pass over the lines of a log."""

    def __init__(self, places: Places | None = None) -> None:
        self.shapes: dict[tuple[str, ...], _Known | None] = {}
        self.useful = 0
        self.metrics: dict[tuple[str, str], Pieces] = {}
        self.counters: dict[str, Pieces] = {}
        self.count = 0
        self.overflow = 0
        self.beyond = 0
        self.header: list[tuple[int, str]] = []
        self.marks: list[int] = []
        self.cells: list[int] = []  # lines at which the output of a notebook's cell begins
        self.places = places
        self.long: list[int] = []
        self.redrawn: set[int] = set()
        self.vits = False
        self.percent = False
        self.turns: tuple[Ints, Ints] | None = None

    def take(self, text: str) -> None:
        """Read all lines of a text."""
        text = _without_control(text)
        bars = "\r" in text.replace("\r\n", "\n") if "\r" in text else False
        odd_breaks = bars or "\x0b" in text or "\x0c" in text
        lines = _BREAK.split(text) if odd_breaks else text.split("\n")
        if self.places is not None and PICTURE in text:
            lines = self.places.taken_out(lines, self.count)
            text = text.replace(f"{PICTURE}\n", "").replace(PICTURE, "")
        self._take_lines(lines)
        if bars:
            self._find_redrawn(text)
        for known in self.shapes.values():
            if known is not None and known.plan is not None and known.plan.lines:
                self._convert(known.plan)

    def _take_lines(self, lines: Iterable[str]) -> None:
        at = self.count
        guess: _Known | None = None
        last = _Known(None)
        for line in lines:
            at += 1
            if guess is not None and (numbers := guess.numbers_in(line)):
                # Logs repeat themselves: the shape that followed the last time usually follows
                # again.
                self._keep(guess.plan, at, numbers)
                last, guess = guess, guess.follower
                continue
            if len(line) > _LONGEST_LINE:
                self._keep_header(at, line)
                self.long.append(at)
                continue
            if line.startswith("===="):
                self._keep_mark(at, line)
            plain = _without_drawing(line)
            self._keep_header(at, plain)
            if plain != line and guess is not None and (numbers := guess.numbers_in(plain)):
                self._keep(guess.plan, at, numbers)
                last, guess = guess, guess.follower
                continue
            parts = NUMBER.split(plain)
            if len(parts) == 1:
                continue
            known = self._known(tuple(parts[::2]), parts[1::2])
            if known is None:
                continue
            self._keep(known.plan, at, parts[1::2])
            last.follower = known
            last, guess = known, known.follower
        self.count = at

    def _keep_mark(self, at: int, line: str) -> None:
        """Keep a line that parts a log: ``==== validation ====``, or where a cell begins."""
        mark = _MARK.match(line)
        if mark and re.search("[A-Za-z]", mark[1]):
            self.marks.append(at)
            if line == MARK:
                self.cells.append(at)

    def _keep(self, plan: Plan | None, at: int, numbers: Sequence[str]) -> None:
        if plan is None:
            return
        plan.lines.append(at)
        plan.rows.append(numbers)
        if len(plan.lines) >= _CHUNK:
            self._convert(plan)

    def _keep_header(self, at: int, line: str) -> None:
        if len(self.header) < _HEADER_LINES:
            self.header.append((at, line))

    def _known(self, shape: tuple[str, ...], numbers: Sequence[str]) -> _Known | None:
        """What is known of a shape; None where nothing is to be taken from it."""
        try:
            known = self.shapes[shape]
        except KeyError:
            known = self._new(shape, numbers)
        if known is not None:
            known.seen += 1
            if known.seen == _OFTEN:
                known.pattern = late_pattern(_FAST.join(map(re.escape, shape)))
        return known

    def _new(self, shape: tuple[str, ...], numbers: Sequence[str]) -> _Known | None:
        if len(self.shapes) >= _MOST_SHAPES or self.useful >= _MOST_PLANS:
            self.overflow += 1
            return None
        plan = make_plan(shape, numbers) if len(shape) < _MOST_NUMBERS else None
        self.shapes[shape] = known = _Known(plan) if plan is not None else None
        if plan is not None:
            self.useful += 1
            self.vits |= plan.vits
            self.percent |= any(m.scale != 1.0 for m in plan.metrics)
        return known

    def _find_redrawn(self, text: str) -> None:
        """Lines that end with a carriage return: a progress bar draws over them."""
        ends = [m.group() == "\r" for m in _BREAK.finditer(text)]
        self.redrawn = {i + 1 for i, cr in enumerate(ends) if cr}

    def _convert(self, plan: Plan) -> None:
        """Numbers of the gathered lines of a shape to arrays."""
        lines = np.array(plan.lines, dtype=np.int64)
        rows = plan.rows
        plan.lines, plan.rows = [], []
        for c in plan.counters:
            totals = self._floats([r[c.total] for r in rows]) if c.total >= 0 else None
            self.counters.setdefault(c.kind, Pieces()).add(
                lines, self._floats([r[c.slot] for r in rows]), totals
            )
        for m in plan.metrics:
            values = self._floats([r[m.slot] for r in rows]) * m.scale
            if SLOT in m.tag:
                for tag, pick in _variants(m.tag, rows).items():
                    self.metrics.setdefault((tag, m.split), Pieces()).add(lines[pick], values[pick])
            else:
                self.metrics.setdefault((m.tag, m.split), Pieces()).add(lines, values)

    def _floats(self, cells: list[str]) -> Floats:
        try:
            return np.array(cells, dtype=np.float64)
        except ValueError:
            return np.array([float(c.replace(",", "").replace("\u2212", "-")) for c in cells])

    # ------------------------------------------------------------ reading

    def reading(self, name: str) -> Reading:
        """Signals and settings of what was taken.

        Raises
        ------
        InputError
            Nothing that a training would print.
        """
        series = halves_named(
            self._credible({key: p.joined() for key, p in self.metrics.items()}, name)
        )
        first = min(int(track.lines[0]) for track in series.values())
        found = tuple(self._settings({t for t, _ in series}, first))
        counting = Counting(series, self._counted(), self.marks, planned_length(found))
        axis = counting.axis()
        if self.places is not None:
            self.places.records = counting.lines[axis.kept], axis.steps[axis.kept]
            self.places.bounds = [0, *self.cells, self.count + 1]
        self.turns = (counting.lead, counting.turns) if counting.turns is not None else None
        signals = []
        for (tag, split), track in series.items():
            rows = np.searchsorted(counting.lines, track.lines)
            steps = axis.steps[rows]
            kept = axis.kept[rows] & ~self._drawn_over(track.lines, steps)
            if kept.any():
                signals.append(_in_order(Signal(tag, steps[kept], track.values[kept], split=split)))
        notes = list(axis.notes)
        if self.vits:
            places = vits_places([t for t, _ in series])
            signals = [named_by_vits(s, places) for s in signals]
            notes.append(
                "the losses are printed as a list without names; they were named by VITS' order"
            )
        if self.percent:
            notes.append("values printed in per cent are given as shares (51% is 0.51)")
        return Reading(
            signals=tuple(signals),
            settings=found,
            lost="; ".join(self._lost(first)) or None,
            step_unit=axis.unit,
            notes=tuple(notes),
        )

    def readings(self, name: str) -> list[tuple[str, Reading]]:
        """As `reading`, for each of the runs that take turns in the log.

        A short name and what was read.

        Raises
        ------
        InputError
            As `reading` does.
        """
        whole = self.reading(name)
        if self.turns is None:
            return [("", whole)]
        lead, of = self.turns
        count = int(of.max()) + 1
        found = []
        for k in range(count):
            part = copy(self)
            part.metrics = {
                key: one for key, p in self.metrics.items() if (one := p.of_run(lead, of == k))
            }
            part.counters = {
                key: one
                for key, p in self.counters.items()
                if (one := p.of_run(lead, of == k, counts=True))
            }
            reading = part.reading(name)
            note = (
                f"{count} runs take turns in the log; they were taken apart, and this is "
                "number "
                f"{k + 1}"
            )
            found.append((f"run {k + 1}", replace(reading, notes=(*reading.notes, note))))
        return found

    def _counted(self) -> dict[str, Track]:
        """The counters, without numbers too large to be any.

        A digit was doubled, or a line break lost.
        """
        found: dict[str, Track] = {}
        for kind, track in ((k, p.joined()) for k, p in self.counters.items()):
            sound = ~(np.abs(track.values) > LARGEST)
            self.beyond += int(np.count_nonzero(~sound))
            totals = np.where(np.abs(track.totals) > LARGEST, np.nan, track.totals)
            if self.cells:
                sound &= self._counts_here(track.lines)
            if sound.any():
                found[kind] = Track(track.lines[sound], track.values[sound], totals[sound])
        return found

    def _counts_here(self, lines: Ints) -> NDArray[np.bool_]:
        """Which lines are of cells that print a metric.

        What another cell counts is the size of something.
        """
        cells = np.array(self.cells, dtype=np.int64)
        of_metrics = [
            np.searchsorted(cells, piece.lines) for p in self.metrics.values() for piece in p.pieces
        ]
        return np.isin(np.searchsorted(cells, lines), np.concatenate(of_metrics))

    def _lost(self, first: int) -> Iterator[str]:
        """What was not looked at, of the lines from the first record on."""
        if self.overflow:
            yield (
                f"{self.overflow} lines of more than {len(self.shapes)} different shapes were "
                "not looked at"
            )
        if self.beyond:
            yield beyond(self.beyond)
        if long := sum(at > first for at in self.long):
            yield f"{long} lines of more than {_LONGEST_LINE} characters were not looked at"

    def _credible(self, series: Series, name: str) -> Series:
        """What recurs. What is printed once is an option or a final score.

        What stops early belongs to the set-up.
        """
        if ("", "") in series:
            series[name, ""] = series.pop(("", ""))
        if not series:
            raise InputError(
                "no training metrics are printed in it",
                hint="print lines such as: step 100 d_loss: 0.69 g_loss: 0.7",
            )
        lead = lead_of(series)
        told = telling([t for t, _ in series])
        recurs = len(lead) > 1
        begins = [
            int(v.lines[0]) for k, v in series.items() if k[0] in told and len(v.lines) > recurs
        ]
        first = min(begins, default=int(lead[0]))

        def keeps(tag: str, track: Track) -> bool:
            if int(track.lines[-1]) < first:
                return False
            return tag in told or (
                len(track.lines) > 1 if recurs else bool(np.isin(track.lines, lead).any())
            )

        series = {k: v for k, v in series.items() if keeps(k[0], v)}
        if not recurs and not self.vits and not self._is_record(series, lead):
            raise InputError("no training metrics are printed in it")
        tags = [t for t, _ in series]
        if not tells_of_training(tags) and not self.vits:
            shown = ", ".join(tags[:5])
            raise InputError(
                f"numbers are printed in it, but no loss (found: {shown})",
                hint="is it a training log?",
            )
        return series

    def _is_record(self, series: Series, lead: Ints) -> bool:
        """Whether a single line is a record of a training: two losses, or one and a counter."""
        here = {
            t
            for (t, _), v in series.items()
            if tells_of_training([t]) and np.isin(lead, v.lines).any()
        }
        counted = any(
            np.isin(lead, c.joined().lines).any() for k, c in self.counters.items() if k != "lead"
        )
        return len(here) > 1 or (len(here) == 1 and counted)

    def _drawn_over(self, lines: Ints, steps: Ints) -> NDArray[np.bool_]:
        """Values that a progress bar showed again at the same step: the last one counts."""
        again = np.zeros(len(lines), dtype=bool)
        if self.redrawn:
            same = np.flatnonzero(np.diff(steps) == 0)
            again[same] = [int(lines[i]) in self.redrawn for i in same]
        return again

    def _settings(self, tags: set[str], first: int) -> Iterable[Setting]:
        """Options printed before the first record, which is on line `first`."""
        return [
            s
            for s in settings_of(line for at, line in self.header if at < first)
            if s.key not in tags
        ]


def _in_order(signal: Signal) -> Signal:
    """By step: a score may be printed late, for an earlier checkpoint."""
    if not np.any(np.diff(signal.steps) < 0):
        return signal
    order = np.argsort(signal.steps, kind="stable")
    return replace(signal, steps=signal.steps[order], values=signal.values[order])


def _variants(tag: str, rows: Sequence[Sequence[str]]) -> dict[str, Ints]:
    """Tags with the numbers within their names filled in, and the rows of each."""
    pieces = tag.split(SLOT)
    slots = [int(p) for p in pieces[1::2]]
    found: dict[str, list[int]] = {}
    for i, row in enumerate(rows):
        numbers = iter(row[s] if s < len(row) else "" for s in slots)
        full = "".join(p if k % 2 == 0 else next(numbers) for k, p in enumerate(pieces))
        if full in found or len(found) < _VARIANTS:
            found.setdefault(full, []).append(i)
    return {t: np.array(at, dtype=np.int64) for t, at in found.items()}
