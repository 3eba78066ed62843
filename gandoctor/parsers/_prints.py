"""The engine behind printed logs.

A line is its numbers and the texts between them. Lines with the same texts have the same meaning, so the meaning is
worked out once for each shape (`_plan`), and the numbers of all lines of a shape are converted together.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, cast

import numpy as np

from gandoctor.errors import InputError
from gandoctor.model.signals import Reading, Signal
from gandoctor.parsers._keys import SLOT
from gandoctor.parsers._options import settings_of
from gandoctor.parsers._plan import NUMBER, Plan, make_plan
from gandoctor.parsers._table import (
    Axis,
    counted_in_epochs,
    telling,
    tells_of_training,
    unroll,
    whole_numbers,
    within_epochs,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from gandoctor.model.signals import Setting, StepUnit

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

_ANSI: Final = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07]*\x07|\x1b[@-_]")
_BREAK: Final = re.compile(r"\r\n|\n|\r|\x0b|\x0c|\x85|\u2028|\u2029")
_TQDM_BAR: Final = re.compile(r"\|[\u2500-\u25ff#\d =>\-.]*\|(?=\s*\d)")
_KERAS_BAR: Final = re.compile(r"\[?[=\u2501]{2,}[=>.\u2501\u2500\u2578\u257a ]*\]?|\[>?\.{3,}\]")
_MARK: Final = re.compile(r"={4,}[^=]*[A-Za-z][^=]*={4,}\s*$")  # ==== Training Loss (Thu Sep  1 21:31:13 2022) ====
_WRITTEN_BREAK: Final = re.compile(r"\\[rnt](?=\s|\||\[|\w+\s+[-+\d.])")
_FULL_WIDTH: Final = str.maketrans("：，；（）［］【】｛｝＝％／｜　－＋．～", ":,;()[][]{}=%/| -+.~")
_WIDE: Final = re.compile("[\uff00-\uffef\u3000-\u303f]")
# VITS prints a list without names; so-vits-svc has no duration loss, and prints loss_lf0 where there is a sixth.
_VITS: Final = ("loss_disc", "loss_gen", "loss_fm", "loss_mel", "loss_dur", "loss_kl")
_SO_VITS: Final = ("loss_disc", "loss_gen", "loss_fm", "loss_mel", "loss_kl", "loss_lf0")


def read_text(text: str, name: str) -> Reading:
    """Read training prints from a text.

    Parameters
    ----------
    text : str
    name : str
        Stem of the file: the tag of a file that holds ``step: value`` lines of one metric.

    Raises
    ------
    InputError
        No training metrics are printed.
    """
    log = _Log()
    log.take(text)
    return log.reading(name)


@dataclass(slots=True)
class _Series:
    """Values of one tag, or of one counter, with the lines they stand on."""

    lines: list[Ints] = field(default_factory=list)
    values: list[Floats] = field(default_factory=list)
    totals: list[Floats] = field(default_factory=list)

    def add(self, lines: Ints, values: Floats, totals: Floats | None = None) -> None:
        self.lines.append(lines)
        self.values.append(values)
        self.totals.append(np.full(len(lines), np.nan) if totals is None else totals)

    def joined(self) -> tuple[Ints, Floats, Floats]:
        """Lines (ascending), values, totals."""
        lines = np.concatenate(self.lines)
        order = np.argsort(lines, kind="stable")
        return lines[order], np.concatenate(self.values)[order], np.concatenate(self.totals)[order]


@dataclass(slots=True)
class _Known:
    """A shape of line: its plan, how often it was seen, a quick pattern once it is frequent, and what followed it."""

    plan: Plan | None
    seen: int = 0
    pattern: re.Pattern[str] | None = None
    follower: _Known | None = None


class _Log:
    """One pass over the lines of a log."""

    def __init__(self) -> None:
        self.shapes: dict[tuple[str, ...], _Known | None] = {}
        self.useful = 0
        self.metrics: dict[tuple[str, str], _Series] = {}
        self.counters: dict[str, _Series] = {}
        self.count = 0
        self.overflow = 0
        self.header: list[tuple[int, str]] = []
        self.marks: list[int] = []
        self.redrawn: set[int] = set()
        self.vits = False
        self.percent = False

    def take(self, text: str) -> None:
        """Read all lines of a text."""
        if "\x1b" in text:
            text = _ANSI.sub("", text)
        if "\x08" in text:
            text = text.replace("\x08", "")
        if _WIDE.search(text):
            text = text.translate(_FULL_WIDTH)
        if "\\n" in text or "\\r" in text or "\\t" in text:
            text = _WRITTEN_BREAK.sub(lambda m: "\t" if m[0] == "\\t" else "\n", text)
        bars = "\r" in text.replace("\r\n", "\n") if "\r" in text else False
        at = self.count
        guess: _Known | None = None
        last = _Known(None)
        for line in _BREAK.split(text) if bars or "\x0b" in text or "\x0c" in text else text.split("\n"):
            at += 1
            if guess is not None and guess.pattern is not None and (found := guess.pattern.fullmatch(line)):
                # Logs repeat themselves: the shape that followed the last time usually follows again.
                self._keep(guess.plan, at, found.groups())
                last, guess = guess, guess.follower
                continue
            if len(line) > _LONGEST_LINE:
                self._keep_header(at, line)
                continue
            if "%|" in line:
                line = _TQDM_BAR.sub("| |", line)  # noqa: PLW2901
            if "==" in line or "\u2501" in line or "[>" in line or "..." in line:
                if line.startswith("====") and _MARK.match(line):
                    self.marks.append(at)
                line = _KERAS_BAR.sub(" ", line)  # noqa: PLW2901
            self._keep_header(at, line)
            parts = NUMBER.split(line)
            if len(parts) == 1:
                continue
            known = self._known(tuple(parts[::2]), parts[1::2])
            if known is None:
                continue
            self._keep(known.plan, at, parts[1::2])
            last.follower = known
            last, guess = known, known.follower
        self.count = at
        if bars:
            self._find_redrawn(text)
        for known in self.shapes.values():
            if known is not None and known.plan is not None and known.plan.lines:
                self._convert(known.plan)

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
                known.pattern = re.compile(_FAST.join(map(re.escape, shape)))
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
            self.counters.setdefault(c.kind, _Series()).add(lines, self._floats([r[c.slot] for r in rows]), totals)
        for m in plan.metrics:
            values = self._floats([r[m.slot] for r in rows]) * m.scale
            if SLOT in m.tag:
                for tag, pick in _variants(m.tag, rows).items():
                    self.metrics.setdefault((tag, m.split), _Series()).add(lines[pick], values[pick])
            else:
                self.metrics.setdefault((m.tag, m.split), _Series()).add(lines, values)

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
        series = {key: s.joined() for key, s in self.metrics.items()}
        series = self._credible(series, name)
        axis, place = self._axis(series)
        signals = []
        notes = list(axis.notes)
        for (tag, split), (lines, values, _) in series.items():
            rows = np.searchsorted(place, lines)
            steps = axis.steps[rows]
            kept = axis.kept[rows]
            if self.redrawn:
                kept = kept & ~self._drawn_over(lines, steps)
            if not kept.any():
                continue
            steps, values = steps[kept], values[kept]  # noqa: PLW2901
            if np.any(np.diff(steps) < 0):
                order = np.argsort(steps, kind="stable")
                steps, values = steps[order], values[order]  # noqa: PLW2901
            signals.append(Signal(tag, steps, values, split=split))
        if self.vits:
            signals = [_named_vits(s, [t for t, _ in series]) for s in signals]
            notes.append("the losses are printed as a list without names; they were named by VITS' order")
        if self.percent:
            notes.append("values printed in per cent are given as shares (51% is 0.51)")
        lost = []
        if self.overflow:
            lost.append(f"{self.overflow} lines of more than {len(self.shapes)} different shapes were not looked at")
        return Reading(
            signals=tuple(signals),
            settings=tuple(self._settings({t for t, _ in series}, int(place[0]))),
            lost="; ".join(lost) or None,
            step_unit=axis.unit,
            notes=tuple(notes),
        )

    def _credible(
        self, series: dict[tuple[str, str], tuple[Ints, Floats, Floats]], name: str
    ) -> dict[tuple[str, str], tuple[Ints, Floats, Floats]]:
        """What recurs; what is printed once is an option, or a final score."""
        if ("", "") in series:
            series[name, ""] = series.pop(("", ""))
        if not series:
            raise InputError(
                "no training metrics are printed in it", hint="print lines such as: step 100 d_loss: 0.69 g_loss: 0.7"
            )
        lead = _lead(series)
        told = telling([t for t, _ in series])
        # What is printed once is an option or a final score; what stops before the training belongs to its set-up.
        recurs = len(lead) > 1
        first = min(
            (int(v[0][0]) for k, v in series.items() if k[0] in told and len(v[0]) > recurs), default=int(lead[0])
        )
        series = {
            k: v
            for k, v in series.items()
            if int(v[0][-1]) >= first
            and (k[0] in told or (len(v[0]) > 1 if recurs else bool(np.isin(v[0], lead).any())))
        }
        tags = [t for t, _ in series]
        if not recurs and not self.vits and not self._is_record(series, lead):
            raise InputError("no training metrics are printed in it")
        if not tells_of_training(tags) and not self.vits:
            shown = ", ".join(tags[:5])
            raise InputError(f"numbers are printed in it, but no loss (found: {shown})", hint="is it a training log?")
        return series

    def _is_record(self, series: dict[tuple[str, str], tuple[Ints, Floats, Floats]], lead: Ints) -> bool:
        """Whether a single line is a record of a training: two losses, or one and a counter."""
        here = {t for (t, _), v in series.items() if tells_of_training([t]) and np.isin(lead, v[0]).any()}
        counted = any(np.isin(lead, c.joined()[0]).any() for k, c in self.counters.items() if k != "lead")
        return len(here) > 1 or (len(here) == 1 and counted)

    def _drawn_over(self, lines: Ints, steps: Ints) -> NDArray[np.bool_]:
        """Values that a progress bar showed again at the same step: the last one counts."""
        again = np.zeros(len(lines), dtype=bool)
        same = np.flatnonzero(np.diff(steps) == 0)
        again[same] = [int(lines[i]) in self.redrawn for i in same]
        return again

    def _settings(self, tags: set[str], first: int) -> Iterable[Setting]:
        """Options printed before the first record, which is on line `first`."""
        return [s for s in settings_of(line for at, line in self.header if at < first) if s.key not in tags]

    # ------------------------------------------------------------ steps

    def _axis(self, series: dict[tuple[str, str], tuple[Ints, Floats, Floats]]) -> tuple[Axis, Ints]:
        """Steps of all lines that hold metrics, and those lines."""
        place = np.unique(np.concatenate([v[0] for v in series.values()]))
        lead = _lead(series)
        most = len(lead)
        told = telling([t for t, _ in series])
        first = min(int(v[0][0]) for k, v in series.items() if k[0] in told or not told)
        counters = {k: _since(s.joined(), first) for k, s in self.counters.items()}
        enough = {
            k for k, (lines, values, _) in counters.items() if len(np.unique(values)) > 1 and len(lines) * 2 >= most
        }
        epoch = counters.get("epoch")
        if epoch is not None and len(np.unique(epoch[1])) < 2:
            epoch = None
        if "step" not in enough and "lead" in enough:
            counters["step"] = counters["lead"]
            enough.add("step")
        for kind, unit in (("kimg", "kimg"), ("step", "iterations")):
            if kind not in enough:
                continue
            lines, values, _ = counters[kind]
            if kind == "step" and epoch is not None and _restarts(values, self._held(epoch, lines)):
                counters["inner"] = counters["step"]
                enough.add("inner")
                continue
            steps, factor = whole_numbers(self._held(counters[kind], place))
            steps = _turns(steps, self._held((lines, counters[kind][2], counters[kind][2]), place))
            return self._settled(steps, place, lead, lines, unit if factor == 1 else "unknown"), place
        inner = next((k for k in ("inner", "percent") if k in enough), None)
        if epoch is not None:
            epochs, factor = whole_numbers(self._held(epoch, place))
            if inner:
                within, totals = self._within(counters[inner], epoch, place, percent=inner == "percent")
                steps = within_epochs(epochs, within, totals)
                own = np.union1d(counters[inner][0], epoch[0])
                return self._settled(steps, place, lead, own, "iterations" if inner == "inner" else "unknown"), place
            axis = self._settled(epochs, place, lead, epoch[0], "epochs" if factor == 1 else "unknown")
            if self._crowded(axis.steps, place, series):
                steps, rows = counted_in_epochs(axis.steps)
                note = f"up to {rows} records an epoch and no step printed: steps count records"
                return Axis(steps, axis.kept, "unknown", (*axis.notes, note), axis.trainings), place
            return axis, place
        if inner:
            lines, _, totals = counters[inner]
            steps = whole_numbers(self._held(counters[inner], place))[0]
            steps = _turns(steps, self._held((lines, totals, totals), place))
            return self._settled(steps, place, lead, lines, "iterations" if inner == "inner" else "unknown"), place
        return Axis(
            np.maximum(np.searchsorted(lead, place, side="right") - 1, 0), np.ones(len(place), dtype=bool)
        ), place

    def _settled(self, raw: Ints, place: Ints, lead: Ints, own: Ints, unit: str) -> Axis:
        """Steps of all lines from those of the leading ones.

        Restarts are found on the lines of the most frequent tag alone: a score that is printed late, for an earlier
        checkpoint, is no restart.

        Parameters
        ----------
        raw : ndarray of int64, shape (lines,)
            The counter at each line of `place`.
        lead : ndarray of int64
            Lines of the most frequent tag.
        own : ndarray of int64
            Lines on which the counter itself is printed.
        """
        main = np.searchsorted(place, lead)
        marks = np.searchsorted(lead, np.array(self.marks, dtype=np.int64), side="left")
        axis = unroll(raw[main], marks=[int(m) for m in marks])
        shift = axis.steps - raw[main]
        rows = np.arange(len(place))
        at = np.maximum(np.searchsorted(main, rows, side="right") - 1, 0)
        nxt = np.minimum(at + 1, len(main) - 1)
        is_own = np.isin(place, own)
        ahead = is_own & (raw < raw[main][at]) & (raw[main][nxt] < raw[main][at])  # the next training's first line
        at = np.where(ahead, nxt, at)
        steps = np.where(is_own, raw + shift[at], axis.steps[at])
        return Axis(steps.astype(np.int64), axis.kept[at], cast("StepUnit", unit), axis.notes, axis.trainings)

    def _held(self, counter: tuple[Ints, Floats, Floats], place: Ints) -> Floats:
        """Value of a counter at each line: the last one printed up to there."""
        lines, values, _ = counter
        at = np.searchsorted(lines, place, side="right") - 1
        return np.where(np.isfinite(values[np.maximum(at, 0)]), values[np.maximum(at, 0)], 0.0)

    def _within(
        self, inner: tuple[Ints, Floats, Floats], epoch: tuple[Ints, Floats, Floats], place: Ints, *, percent: bool
    ) -> tuple[Ints, Floats]:
        """Place within the epoch at each line, zero from the line of a new epoch until the first count."""
        values = self._held(inner, place)
        totals = self._held((inner[0], inner[2], inner[2]), place) if not percent else np.full(len(place), 100.0)
        lines = inner[0]
        at = np.searchsorted(lines, place, side="right") - 1
        since = lines[np.maximum(at, 0)]
        changed = np.r_[True, np.diff(epoch[1]) != 0]
        new = epoch[0][changed]
        began = new[np.maximum(np.searchsorted(new, place, side="right") - 1, 0)]
        stale = (since < began) | (at < 0)
        return np.where(stale, 0, whole_numbers(values)[0]), np.where(totals > 0, totals, np.nan)

    def _crowded(self, steps: Ints, place: Ints, series: dict[tuple[str, str], tuple[Ints, Floats, Floats]]) -> bool:
        for lines, _, _ in series.values():
            here = steps[np.searchsorted(place, lines)]
            if len(here) > 1 and len(np.unique(here)) * 1.5 < len(here):
                return True
        return False


def _since(counter: tuple[Ints, Floats, Floats], line: int) -> tuple[Ints, Floats, Floats]:
    """A counter from the last time it was printed before `line`: bars of downloads and the like are left out."""
    lines, values, totals = counter
    first = max(0, int(np.searchsorted(lines, line, side="right")) - 1)
    return lines[first:], values[first:], totals[first:]


def _lead(series: dict[tuple[str, str], tuple[Ints, Floats, Floats]]) -> Ints:
    """Lines of the most frequent tag that tells of training, of any tag where none does; the first among equals."""
    told = telling([t for t, _ in series])
    among = [v[0] for k, v in series.items() if k[0] in told] or [v[0] for v in series.values()]
    most = max(map(len, among))
    return min((lines for lines in among if len(lines) == most), key=lambda lines: int(lines[0]))


def _restarts(steps: Floats, epochs: Floats) -> bool:
    """Whether a step counter begins anew with each epoch."""
    back = np.diff(steps) < 0
    up = np.diff(epochs) > 0
    both = int((back & up).sum())
    return both > 0 and both * 2 >= int(up.sum()) and both * 2 >= int(back.sum())


def _turns(steps: Ints, totals: Floats) -> Ints:
    """A counter that runs to its total again and again (a progress bar for each epoch), added up."""
    known = totals[totals > 0]
    if not len(known):
        return steps
    length = int(np.median(known))
    back = np.r_[False, np.diff(steps) < 0]
    begin = int(steps.min()) + 2 * int(np.median(np.abs(np.diff(steps)))) if len(steps) > 1 else 0
    if back.sum() < 2 or int(steps[back].max()) > begin:
        return steps
    turns: Ints = np.cumsum(back).astype(np.int64)
    return steps + turns * length


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


def _named_vits(signal: Signal, tags: Sequence[str]) -> Signal:
    """``losses[0]/loss_disc``: the place in the list, and the name that VITS' code gives it."""
    found = re.fullmatch(r"(losses|损失)\[(\d+)\]", signal.tag, re.IGNORECASE)
    if not found:
        return signal
    places = sorted(int(m[1]) for t in tags if (m := re.fullmatch(re.escape(found[1]) + r"\[(\d+)\]", t)))
    # The nameless list ends with the step, which is a counter and no series, and the learning rate.
    nameless = len(places) != places[-1] + 1
    losses = places[:-1] if nameless else places
    order = _VITS if nameless and len(losses) == len(_VITS) else _SO_VITS
    at = int(found[2])
    label = "lr" if nameless and at == places[-1] else order[at] if at < len(order) else ""
    return Signal(f"{signal.tag}/{label}", signal.steps, signal.values, split=signal.split) if label else signal
