"""Expression + Frame -> Outcome: three-valued truth, the steps where it held, and how far it is from flipping.

What decides, in this order: the words under ``given``, the window (``over``), the test at every step of the *whole*
run, cut to the window, and the amount (``for``). What was not logged is unknown, never false and never healthy.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from gandoctor.lang.functions import (
    FUNCTIONS,
    Function,
    Points,
    UndecidedError,
    best_step,
    cells,
    interval_of,
    quantile_of,
)
from gandoctor.lang.syntax import Expression, Node, Scope, compile_value
from gandoctor.lang.window import Amount, Window

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Codes = NDArray[np.int8]

# Kleene's values as codes: `and` is the minimum. A row that lacks a whole signal is kept apart from one that is NaN.
FALSE: Final = 0
MISSING: Final = 1
NAN: Final = 2
TRUE: Final = 3
_NOT: Final = np.array([TRUE, MISSING, NAN, FALSE], dtype=np.int8)

# Least part of a window that a signal must span to speak for it, and least part of its rows that must be numbers.
COVER: Final = 0.5
MEMO_BYTES: Final = 256 * 2**20
MOST_INTERVALS: Final = 50
MOST_VALUES: Final = 12
# Margins and shown medians are for reading: 20,000 rows tell them to three digits.
SHOWN_ROWS: Final = 20_000


# ---------------------------------------------------------------- what goes in


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One signal as the language sees it.

    Attributes
    ----------
    steps : ndarray of int64, shape (n,)
        Put in order where they are not.
    values : ndarray of float64, shape (n,)
    higher_is_better : bool
        For ``best(x)`` and its kin.
    """

    steps: Ints
    values: Floats
    higher_is_better: bool = False

    def __post_init__(self) -> None:
        steps = np.asarray(self.steps, dtype=np.int64)
        values = np.asarray(self.values, dtype=np.float64)
        if steps.ndim != 1 or steps.shape != values.shape:
            raise ValueError(f"steps {steps.shape} and values {values.shape} must be columns of one length")
        if steps.size > 1 and bool((steps[1:] < steps[:-1]).any()):
            order = np.argsort(steps, kind="stable")
            steps, values = steps[order], values[order]
        object.__setattr__(self, "steps", steps)
        object.__setattr__(self, "values", values)


class _Memo:
    """Results kept for the other clauses about the same run; the oldest go first when there are too many."""

    __slots__ = ("held", "kept")

    def __init__(self) -> None:
        self.kept: dict[object, Any] = {}
        self.held = 0

    def get(self, key: object, make: Callable[[], Any]) -> Any:
        if key in self.kept:
            return self.kept[key]
        made = make()
        self.kept[key] = made
        self.held += _size(made)
        while self.held > MEMO_BYTES and len(self.kept) > 1:
            oldest = next(iter(self.kept))
            self.held -= _size(self.kept.pop(oldest))
        return made


def _size(value: Any) -> int:
    return int(value.values.nbytes) if isinstance(value, Points) else 64


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Everything a test may look at in one run (or in one of its networks).

    Attributes
    ----------
    series : Mapping of str to Series
        By name; empty series count as not logged.
    numbers : Mapping of str to float, str or None
        Settings and facts. Text where a number is expected makes every test of it unknown, but for ``is_text``.
    words : Mapping of str to str
        Settings that are words, or ``true`` and ``false``.
    flags : Mapping of str to bool or None
        What ``fired()`` answers.
    first_step, last_step : int, optional
        Of the run; of its series where they are not given.
    resumed : bool
        The log starts in mid-training.
    step_unit : str
        ``iterations``, ``epochs``, ``kimg`` or ``unknown`` (taken for iterations).
    steps_per_epoch : float, optional
        Iterations in an epoch.
    absent : Mapping of str to str
        Why a name is not there, where more is known than that.
    """

    series: Mapping[str, Series]
    numbers: Mapping[str, float | str | None] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, bool | None] = field(default_factory=dict)
    first_step: int | None = None
    last_step: int | None = None
    resumed: bool = False
    step_unit: str = "iterations"
    steps_per_epoch: float | None = None
    absent: Mapping[str, str] = field(default_factory=dict)
    memo: _Memo = field(default_factory=_Memo, init=False, repr=False)

    @property
    def span(self) -> tuple[int, int]:
        """First and last step of the run."""
        filled = [s for s in self.series.values() if s.steps.size]
        first = self.first_step if self.first_step is not None else min((int(s.steps[0]) for s in filled), default=0)
        last = self.last_step if self.last_step is not None else max((int(s.steps[-1]) for s in filled), default=0)
        return first, max(first, last)


# ---------------------------------------------------------------- what comes out


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one clause gave.

    Attributes
    ----------
    truth : bool or None
        None is unknown; `reason` then says why.
    intervals : tuple of (first, last)
        Steps within the window where the test held.
    window : (first, last) or None
        Steps that were looked at; None where the test is about settings alone.
    share : float or None
        Share of the window's steps on which the test held, of those where it is known.
    margin : float or None
        How far the deciding comparison is from flipping, relative to its threshold; None where nothing is compared.
    onset : int or None
        Since when it holds. For a window at the end of the run it is followed back to before the window.
    reason : str
    values : Mapping of str to float
        What each sub-expression gave: numbers as they are, series by their median where the test held.
    names : tuple of str
        Signals in the test.
    threshold : float or None
        The number that a signal, plain or smoothed or its level, is compared with: a line to draw.
    primary : str or None
        The signal it is about.
    """

    truth: bool | None
    intervals: tuple[tuple[int, int], ...] = ()
    window: tuple[int, int] | None = None
    share: float | None = None
    margin: float | None = None
    onset: int | None = None
    reason: str = ""
    values: Mapping[str, float] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    threshold: float | None = None
    primary: str | None = None


# ---------------------------------------------------------------- values on the way


@dataclass(frozen=True, slots=True)
class _Missing:
    """A value that is not known."""

    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class _Marks:
    """A test at every step: codes (n,), and how far each row is from flipping, relative; NaN where nothing tells."""

    steps: Ints
    codes: Codes
    slack: Floats | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Told:
    """A test that is decided once."""

    truth: bool | None
    slack: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Span:
    """A window in steps; `after` leaves its first step out, `back` allows an onset before it."""

    first: float
    last: float
    after: bool = False
    back: bool = False

    @property
    def whole(self) -> tuple[int, int]:
        return math.ceil(self.first), math.floor(self.last)

    def rows(self, steps: Ints) -> tuple[int, int]:
        low = np.searchsorted(steps, self.first, side="right" if self.after else "left")
        return int(low), int(np.searchsorted(steps, self.last, side="right"))


_Value = Points | float | _Missing
_Test = _Marks | _Told | _Missing


# ---------------------------------------------------------------- the two questions


def judge(  # noqa: PLR0917 - a clause has four parts, a frame and a past
    where: Expression | None,
    given: Mapping[str, tuple[str, ...]],
    over: Window,
    for_: Amount,
    frame: Frame,
    onsets: Mapping[str, Outcome | int | None] | None = None,
) -> Outcome:
    """Judge one clause.

    Parameters
    ----------
    where : Expression or None
        The test; None where ``given`` says it all.
    given : Mapping of str to tuple of str
        Settings that are words, each with the words it may be (case, ``-`` and ``_`` do not matter).
    over : Window
        The part of the run to look at.
    for_ : Amount
        How much of it has to pass; counts steps, not rows. Idle where the test is decided once.
    frame : Frame
    onsets : Mapping, optional
        What the clauses before gave, for ``after CLAUSE``: their outcome, or their onset (None: did not hold).

    Returns
    -------
    Outcome
    """
    said = _given(given, frame)
    if where is None or said.truth is False:
        return Outcome(said.truth, reason=said.reason, names=where.signals if where else ())
    outcome = _judged(where, over, for_, frame, onsets or {})
    if said.truth is None and outcome.truth is not False:
        return _with(outcome, truth=None, reason=said.reason, onset=None)
    return outcome


def decide(when: Expression, outcomes: Mapping[str, Outcome]) -> tuple[bool | None, int | None]:
    """Join clauses by Kleene's logic.

    Parameters
    ----------
    when : Expression
        From `compile_when`.
    outcomes : Mapping of str to Outcome
        One for each clause; one that is not there is unknown.

    Returns
    -------
    truth : bool or None
    onset : int or None
        Since when the whole holds: the latest of what ``and`` joins, the earliest of what ``or`` joins, the second of
        ``then``. None where it does not hold or nothing dates it.
    """
    truth, onset = _decided(when.tree, outcomes)
    return truth, onset if truth else None


def _decided(node: Node, outcomes: Mapping[str, Outcome]) -> tuple[bool | None, int | None]:
    if node.op == "clause":
        outcome = outcomes.get(node.name)
        return (None, None) if outcome is None else (outcome.truth, outcome.onset)
    parts = [_decided(arg, outcomes) for arg in node.args]
    if node.op == "not":
        truth = parts[0][0]
        return (None if truth is None else not truth), None
    onsets = [onset for truth, onset in parts if truth and onset is not None]
    if node.op == "or":
        return _any(truth for truth, _ in parts), min(onsets, default=None)
    both = _all(truth for truth, _ in parts)
    if node.op == "and":
        return both, max(onsets, default=None)
    if not both:
        return both, None
    before, after = parts[0][1], parts[1][1]
    # Two clauses that begin on the same row came in an order that the log does not tell.
    if before is None or after is None or before == after:
        return None, None
    return before < after, after


def _all(truths: Any) -> bool | None:
    seen = list(truths)
    return False if False in seen else None if None in seen else True


def _any(truths: Any) -> bool | None:
    seen = list(truths)
    return True if True in seen else None if None in seen else False


def _with(outcome: Outcome, **changes: Any) -> Outcome:
    from dataclasses import replace

    return replace(outcome, **changes)


# ---------------------------------------------------------------- given


def _given(given: Mapping[str, tuple[str, ...]], frame: Frame) -> _Told:
    truths: list[bool | None] = []
    reasons: list[str] = []
    for name, allowed in given.items():
        word = _word(name, frame)
        if word is None:
            truths.append(None)
            reasons.append(frame.absent.get(name) or f"{name} is not known")
        else:
            truths.append(_folded(word) in {_folded(a) for a in allowed})
    truth = _all(truths)
    return _Told(truth, reason=_joined(reasons) if truth is None else "")


def _word(name: str, frame: Frame) -> str | None:
    if name in frame.words:
        return frame.words[name]
    number = frame.numbers.get(name)
    return None if number is None else number if isinstance(number, str) else f"{number:g}"


def _folded(word: str) -> str:
    return "".join(c for c in word.casefold() if c not in "-_ ")


def _joined(reasons: Sequence[str]) -> str:
    return "; ".join(dict.fromkeys(r for r in reasons if r))


# ---------------------------------------------------------------- where the window lies


def _resolve(over: Window, frame: Frame, onsets: Mapping[str, Outcome | int | None]) -> _Span | _Told:
    first, last = (float(s) for s in frame.span)
    if over.kind == "all":
        return _Span(first, last, back=True)
    if over.kind == "after_clause":
        return _after_clause(over.of, onsets, last)
    if over.kind == "after_best":
        return _after_best(over.of, frame, last)
    if over.unit == "%":
        size = (last - first) * over.amount / 100
    else:
        counted = _in_steps(over.amount, over.unit, frame)
        if isinstance(counted, str):
            return _Told(None, reason=counted)
        size = counted
    if over.kind == "last":
        return _Span(max(first, last - size), last, back=True)
    if over.kind == "first":
        if frame.resumed and over.unit != "%":
            return _Told(None, reason="the log starts in mid-training, so the run's first steps are not in it")
        return _Span(first, min(last, first + size))
    # A resumed run counts on from where it was, so its steps are absolute.
    start = size if frame.resumed and over.unit != "%" else first + size
    if start > last:
        return _Told(None, reason=f"the run ends at step {last:,.0f}, before what `{over.text}` looks at")
    return _Span(max(first, start), last)


def _in_steps(amount: float, unit: str, frame: Frame) -> float | str:
    """An amount of ``steps`` or ``epochs`` in the log's own unit, or why that is not known."""
    if unit == frame.step_unit or (unit == "steps" and frame.step_unit in ("iterations", "unknown")):
        return amount
    if frame.step_unit == "kimg":
        return f"the log counts thousands of images, not {unit}"
    if frame.steps_per_epoch:
        return amount / frame.steps_per_epoch if unit == "steps" else amount * frame.steps_per_epoch
    return "the log counts epochs, not steps" if unit == "steps" else "how many steps make an epoch is not known"


def _after_clause(name: str, onsets: Mapping[str, Outcome | int | None], last: float) -> _Span | _Told:
    before = onsets.get(name)
    if isinstance(before, Outcome):
        if before.truth is None:
            return _Told(None, reason=before.reason or f"whether {name} holds is not known")
        onset = before.onset if before.truth else None
        if before.truth and onset is None:
            return _Told(None, reason=f"since when {name} holds is not known")
    else:
        onset = before
    if onset is None:
        return _Told(False, reason=f"{name} never held")
    return _Span(float(onset), last)


def _after_best(text: str, frame: Frame, last: float) -> _Span | _Told:
    numbers = frozenset(frame.numbers) - frozenset(frame.series)
    tree = _best_of(text, numbers)
    found = _Evaluation(frame, None).value(tree)
    if isinstance(found, _Missing):
        return _Told(None, reason=found.reason)
    if not isinstance(found, Points):
        return _Told(None, reason=f"`{text}` is no series")
    try:
        best = best_step(found)
    except UndecidedError as e:
        return _Told(None, reason=f"{text}: {e}")
    if best >= int(found.steps[-1]):
        return _Told(False, reason=f"{text} was best at its very end")
    return _Span(float(best), last, after=True)


def _best_of(text: str, numbers: frozenset[str]) -> Node:
    """The expression inside ``after best(...)``; it was checked at load, so any name that is no number is a signal."""
    import re

    names = frozenset(re.findall(r"[A-Za-z_][A-Za-z0-9_]*", text)) - frozenset(FUNCTIONS)
    return compile_value(text, Scope(signals=names - numbers, numbers=numbers)).tree


# ---------------------------------------------------------------- a clause


def _judged(
    where: Expression, over: Window, for_: Amount, frame: Frame, onsets: Mapping[str, Outcome | int | None]
) -> Outcome:
    names = where.signals
    span: _Span | None = None
    if names or over.kind == "after_clause":
        found = _resolve(over, frame, onsets)
        if isinstance(found, _Told):
            return Outcome(found.truth, reason=found.reason, names=names, primary=_primary(names, frame))
        span = found
    run = _Evaluation(frame, span, over.text)
    answer = run.test(where.tree)
    if isinstance(answer, _Marks):
        assert span is not None  # noqa: S101 - a mask has a signal in it
        outcome = _over_steps(answer, where, for_, span, run)
    elif isinstance(answer, _Missing):
        outcome = Outcome(None, reason=answer.reason, window=span.whole if span else None)
    else:
        outcome = _once(answer, where, span, run)
    threshold, primary = _drawn(where.tree, run)
    return _with(outcome, names=names, threshold=threshold, primary=primary or _primary(names, frame))


def _primary(names: Sequence[str], frame: Frame) -> str | None:
    return next((n for n in names if n in frame.series), None)


def _once(answer: _Told, where: Expression, span: _Span | None, run: _Evaluation) -> Outcome:
    windowed = where.tree.windowed
    window = span.whole if span is not None and windowed else None
    truth = answer.truth
    onset = _dated(where.tree, run) if truth and span is not None else None
    if truth and onset is None and windowed and window is not None:
        onset = window[0]
    return Outcome(
        truth,
        intervals=(window,) if truth and window is not None else (),
        window=window,
        margin=abs(answer.slack) if truth is not None and answer.slack is not None else None,
        onset=onset,
        reason=answer.reason if truth is None else "",
        values=_values(where.tree, run, None),
    )


def _over_steps(marks: _Marks, where: Expression, for_: Amount, span: _Span, run: _Evaluation) -> Outcome:
    low, high = span.rows(marks.steps)
    window = span.whole
    why_not = run.unfit(marks.steps, low, high, where.text)
    steps, codes = marks.steps[low:high], marks.codes[low:high]
    known = codes != NAN
    held = codes == TRUE
    if not steps.size:
        return Outcome(None, window=window, reason=why_not)
    weights = _clipped_cells(marks.steps, low, high, span)
    total = float(weights.sum())
    true, false, missing = (float(weights[codes == c].sum()) for c in (TRUE, FALSE, MISSING))
    decided = true + false + missing
    length = 0.0
    if for_.kind == "row":
        counted = _in_steps(for_.amount, for_.unit, run.frame)
        if isinstance(counted, str):
            return Outcome(None, window=window, reason=counted)
        length = counted
        every = interval_of(steps) or interval_of(marks.steps)
        if every > length:
            why_not = why_not or f"logged every {every:,.4g} {run.unit}, which cannot tell {for_.text}"
        elif span.last - span.first < length:
            why_not = why_not or f"the window is shorter than {for_.text}"
    truth: bool | None
    streak: tuple[int, int] | None = None
    if for_.kind == "ever":
        truth = True if held.any() else None if missing > 0 or why_not else False
    elif for_.kind == "always":
        truth = False if (codes == FALSE).any() else None if missing > 0 or why_not else True
    elif for_.kind == "share":
        least = for_.amount - 1e-9
        enough, possible = true >= least * decided, true + missing >= least * decided
        truth = True if enough and decided else False if not possible else None
        truth = None if why_not else truth
    else:
        streak = _streak(held, weights, length)
        truth = True if streak else False if _streak(codes != FALSE, weights, length) is None else None
        truth = None if why_not and not streak else truth
    # A single row can settle "ever", "always" and a streak; what is a matter of most rows needs most rows.
    settled = truth is not None and ((for_.kind in ("ever", "row") and truth) or (for_.kind == "always" and not truth))
    if total - decided > (1 - COVER) * total + 1e-9 and not settled:
        truth = None
        why_not = why_not or f"`{where.text}` is unknown on {1 - decided / total:.0%} of the window (NaN)"
    margin = None
    if truth is not None and marks.slack is not None:
        margin = _margin(marks.slack[low:high], weights, known, for_, streak)
    return Outcome(
        truth,
        intervals=_intervals(steps, held),
        window=window,
        share=true / (true + false) if true + false > 0 else None,
        margin=margin,
        onset=_onset(marks, low, high, for_, streak, back=span.back) if truth else None,
        reason=(why_not or marks.reason or "not known at enough steps") if truth is None else "",
        values=_values(where.tree, run, marks if truth else None),
    )


def _clipped_cells(steps: Ints, low: int, high: int, span: _Span) -> Floats:
    """Steps of the window that each of its rows stands for; equal where the window has no width."""
    if span.last <= span.first:
        return np.ones(high - low)
    # One row on either side tells how far the outer rows reach.
    start, stop = max(0, low - 1), min(steps.size, high + 1)
    width = cells(steps[start:stop], span.first, span.last)[low - start : high - start]
    return width if width.sum() > 0 else np.ones(high - low)


def _streak(held: NDArray[np.bool_], weights: Floats, length: float) -> tuple[int, int] | None:
    """First stretch of rows that all hold and together stand for `length` steps: (first row, one past the last)."""
    starts, ends = _stretches(held)
    if not starts.size:
        return None
    total = np.concatenate(([0.0], np.cumsum(weights)))
    long = np.flatnonzero(total[ends] - total[starts] >= length - 1e-9 * max(1.0, length))
    return (int(starts[long[0]]), int(ends[long[0]])) if long.size else None


def _stretches(held: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], held, [False])).astype(np.int8)))
    return edges[::2], edges[1::2]


def _intervals(steps: Ints, held: NDArray[np.bool_]) -> tuple[tuple[int, int], ...]:
    """Where the test held; the closest are joined where there would be more than can be drawn."""
    starts, ends = _stretches(held)
    if starts.size > MOST_INTERVALS:
        gaps = steps[starts[1:]] - steps[ends[:-1] - 1]
        keep = np.sort(np.argpartition(-gaps, MOST_INTERVALS - 1)[: MOST_INTERVALS - 1])
        starts, ends = starts[np.concatenate(([0], keep + 1))], ends[np.concatenate((keep, [ends.size - 1]))]
    return tuple((int(steps[a]), int(steps[b - 1])) for a, b in zip(starts, ends, strict=True))


def _margin(
    slack: Floats, weights: Floats, known: NDArray[np.bool_], for_: Amount, streak: tuple[int, int] | None
) -> float | None:
    """Relative distance of the row that decides from its threshold."""
    good = known & ~np.isnan(slack)
    if for_.kind == "row":
        if streak is None:
            return None
        part = slack[streak[0] : streak[1]]
        part = part[~np.isnan(part)]
        return float(part.min()) if part.size else None
    slack, weights = slack[good], weights[good]
    if not slack.size:
        return None
    if for_.kind == "ever":
        found = float(slack.max())
    elif for_.kind == "always":
        found = float(slack.min())
    else:
        stride = -(-slack.size // SHOWN_ROWS)
        found = quantile_of(slack[::stride], 1 - for_.amount, weights[::stride])
    return abs(found) if math.isfinite(found) else None


# ---------------------------------------------------------------- since when


def _onset(
    marks: _Marks, low: int, high: int, for_: Amount, streak: tuple[int, int] | None, *, back: bool
) -> int | None:
    """Step since which the test holds as often as was asked."""
    if streak is not None and not back:
        return int(marks.steps[low + streak[0]])
    held = marks.codes == TRUE
    inside = np.flatnonzero(held[low:high])
    if not inside.size:
        return None
    if for_.kind == "ever" and low > 0 and back and int(inside[0]) > 0:
        return int(marks.steps[low + int(inside[0])])
    if for_.kind == "ever" or streak is not None:
        at = low + (streak[0] if streak is not None else int(inside[0]))
        if back:
            before = np.flatnonzero(~held[:at])
            at = int(before[-1]) + 1 if before.size else 0
        return int(marks.steps[at])
    share = for_.amount if for_.kind == "share" else 1.0
    return _since(marks, 0 if back else low, low + int(inside[-1]) + 1, share / 2)


def _since(marks: _Marks, start: int, stop: int, rate: float) -> int:
    """Start of the stretch that ends at `stop` and holds most above `rate`: the change point of the share."""
    steps, codes = marks.steps[start:stop], marks.codes[start:stop]
    gain = np.where(codes == TRUE, 1 - rate, np.where(codes == FALSE, -rate, 0.0)) * cells(steps)
    before = np.concatenate(([0.0], np.cumsum(gain)[:-1]))
    at = int(before.argmin())
    later = np.flatnonzero(codes[at:] == TRUE)
    return int(steps[at + int(later[0])] if later.size else steps[at])


def _dated(node: Node, run: _Evaluation) -> int | None:
    """Since when a test that is decided once holds; None where it does not say."""
    if node.op in ("and", "or"):
        wanted = [a for a in node.args if node.op == "and" or _truth(run.test(a))]
        dates = [d for d in (_dated(a, run) for a in wanted) if d is not None]
        return (max if node.op == "and" else min)(dates, default=None)
    span = run.span
    if span is None or not any(n.op == "signal" for n in node.walk()):
        return None
    if node.op == "call" and node.name == "constant":
        return _unchanged_since(run.value(node.args[0]), span)
    if node.op not in ("<", "<=", ">", ">="):
        return None
    rising = node.op in (">", ">=")
    shape = next((n for n in node.walk() if n.op == "call" and n.name in ("trend", "change", "slope")), None)
    if shape is not None:
        value = run.value(shape)
        turned = isinstance(value, float) and shape is node.args[0] and (value > 0) == rising
        return _turning_point(run.value(shape.args[0]), span, rising=rising) if turned else None
    since = node.args[0]
    if since.op == "call" and since.name == "since_best":
        found = _Evaluation(run.frame, None).value(since.args[0])
        return best_step(found) if rising and isinstance(found, Points) else None
    marks = run.dating().test(node)
    if not isinstance(marks, _Marks):
        return None
    low, high = span.rows(marks.steps)
    inside = np.flatnonzero(marks.codes[low:high] == TRUE)
    if not inside.size:
        return None
    return _since(marks, 0 if span.back else low, low + int(inside[-1]) + 1, 0.5)


def _truth(test: _Test) -> bool | None:
    return test.truth if isinstance(test, _Told) else None


def _turning_point(found: _Value, span: _Span, *, rising: bool) -> int | None:
    """Where a rise (or fall) that reaches into the window began: the valley (or peak) of the smoothed signal."""
    if not isinstance(found, Points) or len(found.known()) < 3:
        return None
    points = found.known()
    smoothed = FUNCTIONS["smooth"].call(points)  # type: ignore[misc]
    height = smoothed if rising else -smoothed
    low, high = span.rows(points.steps)
    if high - low < 1:
        return None
    at = low + int(height[low:high].argmin())
    if span.back:
        # Backwards from there as long as it keeps falling; a bump of a fifth of the rise ends it.
        past = height[: at + 1][::-1]
        lowest = np.minimum.accumulate(past)
        with np.errstate(invalid="ignore"):
            bump = np.flatnonzero(past - lowest > 0.2 * np.maximum(height[high - 1] - lowest, 0))
        past = past[: int(bump[0])] if bump.size else past
        at -= int(past.argmin()) if past.size else 0
    return int(points.steps[at])


def _unchanged_since(found: _Value, span: _Span) -> int | None:
    if not isinstance(found, Points):
        return None
    points = found.known()
    low, high = span.rows(points.steps)
    if high <= low:
        return None
    start = 0 if span.back else low
    other = np.flatnonzero(points.values[start:high] != points.values[high - 1])
    return int(points.steps[start + (int(other[-1]) + 1 if other.size else 0)])


# ---------------------------------------------------------------- what to show


def _values(tree: Node, run: _Evaluation, marks: _Marks | None) -> dict[str, float]:
    """Value of each sub-expression: numbers as they are, series by their median in the window, where the test held."""
    shown: dict[str, float] = {}
    for node in tree.walk():
        if node.kind not in ("series", "number") or node.op == "const" or node.text in shown:
            continue
        if len(shown) >= MOST_VALUES:
            break
        value = run.value(node)
        if isinstance(value, Points) and run.span is not None:
            low, high = run.span.rows(value.steps)
            rows = value.values[low:high]
            if marks is not None and marks.steps.size == value.steps.size:
                rows = rows[marks.codes[low:high] == TRUE]
            rows = rows[:: max(1, -(-rows.size // SHOWN_ROWS))]
            rows = rows[~np.isnan(rows)]
            if rows.size:
                shown[node.text] = float(np.median(rows))
        elif isinstance(value, float):
            shown[node.text] = value
    return shown


_DRAWN: Final = frozenset(name for name, f in FUNCTIONS.items() if f.level or name in ("smooth", "best"))


def _drawn(tree: Node, run: _Evaluation) -> tuple[float | None, str | None]:
    """The first number that a signal, plain or smoothed or its level, is compared with; and that signal."""
    for node in tree.walk():
        if node.op not in ("<", "<=", ">", ">="):
            continue
        for side, other in (node.args, node.args[::-1]):
            plain = side
            while plain.op == "call" and plain.name in _DRAWN:
                plain = plain.args[0]
            if plain.op == "signal" and plain.name in run.frame.series and other.kind == "number":
                value = run.value(other)
                if isinstance(value, float) and math.isfinite(value):
                    return value, plain.name
    return None, None


# ---------------------------------------------------------------- the machine


class _Evaluation:
    """One expression over one frame and one window."""

    def __init__(self, frame: Frame, span: _Span | None, window_text: str = "", *, dating: bool = False) -> None:
        self.frame = frame
        self.span = span
        self.window_text = window_text
        self.is_dating = dating
        self.seen: dict[tuple[str, str], Any] = {}
        self.unit = {"epochs": "epochs", "kimg": "thousand images"}.get(frame.step_unit, "steps")

    def dating(self) -> _Evaluation:
        """The same, with every level of a window (``median(x)``) replaced by the smoothed signal."""
        return _Evaluation(self.frame, self.span, self.window_text, dating=True)

    # ------------------------------------------------ values

    def value(self, node: Node) -> _Value:
        key = ("value", node.key)
        if key not in self.seen:
            self.seen[key] = self._value(node)
        found: _Value = self.seen[key]
        return found

    def _value(self, node: Node) -> _Value:
        if node.op == "const":
            return node.value
        if node.op == "signal":
            return self._signal(node.name)
        if node.op == "number":
            return self._number(node.name)
        if node.op == "call":
            return self._call(node)
        args = [self.value(a) for a in node.args]
        if node.op == "neg":
            found = args[0]
            if isinstance(found, Points):
                return Points(found.steps, -found.values, higher=not found.higher)
            return found if isinstance(found, _Missing) else -found
        return self._arithmetic(node, args[0], args[1])

    def _signal(self, name: str) -> _Value:
        series = self.frame.series.get(name)
        if series is None or not series.steps.size:
            return _Missing(self.frame.absent.get(name) or f"{name} was not logged")
        points: Points = self.frame.memo.get(
            ("signal", name), lambda: Points(series.steps, series.values, higher=series.higher_is_better)
        )
        return points

    def _number(self, name: str) -> _Value:
        frame = self.frame
        number = frame.numbers.get(name)
        if isinstance(number, str) or (number is None and name in frame.words):
            text = number if isinstance(number, str) else frame.words[name]
            return _Missing(f"{name} was read as text ({text!r:.40}), not as a number")
        if number is None:
            # A rate that only the log knows (lr_d as a curve) is what it mostly was.
            series = frame.series.get(name)
            if series is not None and series.steps.size:
                number = quantile_of(series.values[np.isfinite(series.values)], 0.5)
        if number is None or math.isnan(number):
            return _Missing(frame.absent.get(name) or f"{name} is not known")
        return float(number)

    def _arithmetic(self, node: Node, left: _Value, right: _Value) -> _Value:
        if isinstance(left, _Missing) or isinstance(right, _Missing):
            return _Missing(_joined([v.reason for v in (left, right) if isinstance(v, _Missing)]))
        with np.errstate(all="ignore"):
            if isinstance(left, float) and isinstance(right, float):
                found = float(_OPERATORS[node.op](np.float64(left), np.float64(right)))
                if math.isnan(found) or (node.op == "/" and right == 0):
                    return _Missing(f"`{node.text}` has no value")
                return found
            joined = self._aligned([left, right], node)
            if isinstance(joined, _Missing):
                return joined
            steps, (a, b) = joined
            values = np.asarray(_OPERATORS[node.op](a, b), dtype=np.float64)
        higher = left.higher if isinstance(left, Points) else isinstance(right, Points) and right.higher
        number = next((v for v in (left, right) if isinstance(v, float)), 1.0)
        turned = (node.op in ("-", "/") and not isinstance(left, Points)) ^ (node.op in ("*", "/") and number < 0)
        return Points(steps, values, higher=higher ^ turned)

    def _aligned(self, parts: Sequence[Points | float], node: Node) -> tuple[Ints, list[Any]] | _Missing:
        """Values on the common steps: those of the slowest series, the others as of then."""
        series = [p for p in parts if isinstance(p, Points)]
        steps = series[0].steps
        rows: list[NDArray[np.intp] | None] = [None]
        for other in series[1:]:
            met = _meeting(steps, other.steps)
            if met is None:
                rows.append(None)
                continue
            steps, mine, theirs = met
            if not steps.size:
                texts = " and ".join(f"`{a.text}`" for a in node.args if a.kind == "series")
                return _Missing(f"{texts} have no steps in common")
            rows = [mine if r is None else r[mine] for r in rows]
            rows.append(theirs)
        picked = iter([s.values if r is None else s.values[r] for s, r in zip(series, rows, strict=True)])
        return steps, [next(picked) if isinstance(p, Points) else p for p in parts]

    def _call(self, node: Node) -> _Value:
        function = FUNCTIONS.get(node.name) or _EXTRA[node.name]
        args = [self.value(a) for a in node.args]
        gone = [a.reason for a in args if isinstance(a, _Missing)]
        if gone:
            return _Missing(_joined(gone))
        known: list[Points | float] = [a for a in args if not isinstance(a, _Missing)]
        if function.how == "point":
            return self._pointwise(function, known, node)
        if self.is_dating and function.level and isinstance(known[0], Points):
            function, known = FUNCTIONS["smooth"], known[:1]
            return self._run(function, known, node)
        windowed = node.windowed or self.is_dating
        place = (self.span.first, self.span.last, self.span.after) if windowed and self.span is not None else None
        found: _Value = self.frame.memo.get((node.key, place, self.is_dating), lambda: self._run(function, known, node))
        return found

    def _pointwise(self, function: Function, args: list[Points | float], node: Node) -> _Value:
        assert function.call is not None  # noqa: S101 - only `ask` has none
        with np.errstate(all="ignore"):
            if not any(isinstance(a, Points) for a in args):
                found = float(function.call(*(np.float64(a) for a in args)))  # type: ignore[arg-type]
                return _Missing(f"`{node.text}` has no value") if math.isnan(found) else found
            joined = self._aligned(args, node)
            if isinstance(joined, _Missing):
                return joined
            steps, values = joined
            higher = next(a.higher for a in args if isinstance(a, Points))
            return Points(steps, np.asarray(function.call(*values), dtype=np.float64), higher=higher)

    def _run(self, function: Function, args: list[Points | float], node: Node) -> _Value:
        assert function.call is not None  # noqa: S101 - only `ask` has none
        text = node.args[0].text
        first, *rest = args
        assert isinstance(first, Points)  # noqa: S101 - kinds were checked when the rule was loaded
        try:
            if function.how == "series":
                short = self._short(first, function, text)
                return short or Points(first.steps, function.call(first, *rest), higher=first.higher)
            if function.how == "whole":
                if self.frame.resumed and function.name == "early":
                    return _Missing("the log starts in mid-training, so it does not hold the run's early part")
                short = self._short(first, function, text)
                found = short or function.call(first.known(), *(float(s) for s in self.frame.span))
            elif function.how == "pair":
                found = self._paired(function, args, node)
            else:
                part = self._cut(first, text)
                if isinstance(part, _Missing):
                    return part
                found = self._short(part, function, text) or function.call(part.known(), *rest)
        except UndecidedError as e:
            return _Missing(f"{text}: {e}")
        if isinstance(found, _Missing):
            return found
        if math.isnan(found):
            return _Missing(f"`{node.text}` has no value")
        return float(found)

    def _paired(self, function: Function, args: list[Points | float], node: Node) -> float | _Missing:
        assert function.call is not None  # noqa: S101 - only `ask` has none
        joined = self._aligned([a for a in args if isinstance(a, Points)], node)
        if isinstance(joined, _Missing):
            return joined
        steps, (a, b) = joined
        both = ~(np.isnan(a) | np.isnan(b))
        x = self._cut(Points(steps[both], a[both]), node.text)
        y = self._cut(Points(steps[both], b[both]), node.text)
        if isinstance(x, _Missing) or isinstance(y, _Missing):
            return x if isinstance(x, _Missing) else _Missing("")
        return self._short(x, function, node.text) or float(
            function.call(x, y, *(r for r in args if isinstance(r, float)))
        )

    def _cut(self, points: Points, text: str) -> Points | _Missing:
        """The rows inside the window, or why they cannot speak for it."""
        if self.span is None:
            return points
        low, high = self.span.rows(points.steps)
        why_not = self.unfit(points.steps, low, high, text)
        if why_not:
            return _Missing(why_not)
        part = Points(points.steps[low:high], points.values[low:high], higher=points.higher)
        unknown = float(np.isnan(part.values).mean())
        if unknown > 1 - COVER:
            return _Missing(f"{text} is NaN on {unknown:.0%} of the window")
        return part

    def _short(self, points: Points, function: Function, text: str) -> _Missing | None:
        n = int(np.count_nonzero(~np.isnan(points.values)))
        if n >= function.least:
            return None
        return _Missing(f"only {n} point{'s' * (n != 1)} of {text}, {function.name}() needs {function.least}")

    def unfit(self, steps: Ints, low: int, high: int, text: str) -> str:
        """Why the rows from `low` to `high` cannot speak for the window; empty where they can."""
        span = self.span
        if span is None or not steps.size:
            return "" if span is None else f"{text} has no points"
        width = span.last - span.first
        near = steps[max(0, low - 1) : high + 1]
        every = interval_of(near) or interval_of(steps)
        if 0 < width < every and self.window_text:
            return f"logged every {every:,.4g} {self.unit}, the window is {width:,.4g}"
        if high <= low:
            return f"{text} has no point between steps {span.first:,.0f} and {span.last:,.0f}"
        reach = every / 2
        covered = min(span.last, steps[high - 1] + reach) - max(span.first, steps[low] - reach)
        # Rows outside the window vouch for what lies between them and those inside.
        covered += max(0.0, steps[low] - reach - span.first) if low > 0 and not span.after else 0.0
        covered += max(0.0, span.last - steps[high - 1] - reach) if high < steps.size else 0.0
        if width > 0 and covered < COVER * width:
            return f"{text} was logged over only {max(0.0, covered / width):.0%} of the window"
        return ""

    # ------------------------------------------------ tests

    def test(self, node: Node) -> _Test:
        key = ("test", node.key)
        if key not in self.seen:
            self.seen[key] = self._test(node)
        found: _Test = self.seen[key]
        return found

    def _test(self, node: Node) -> _Test:
        if node.op == "switch":
            return self._switch(node.name)
        if node.op == "not":
            return _negated(self.test(node.args[0]))
        if node.op in ("and", "or"):
            return self._both(node, [self.test(a) for a in node.args])
        if node.op == "call":
            return self._asked(node)
        return self._compared(node)

    def _switch(self, name: str) -> _Told:
        word = _word(name, self.frame)
        if word is None or _folded(word) not in ("true", "false", "1", "0"):
            return _Told(None, reason=self.frame.absent.get(name) or f"{name} is not known")
        return _Told(_folded(word) in ("true", "1"))

    def _asked(self, node: Node) -> _Test:
        frame, name = self.frame, node.args[0].name
        if node.name == "logged":
            series = frame.series.get(name)
            known = series is not None and bool(series.steps.size)
            return _Told(known or frame.numbers.get(name) is not None or name in frame.words)
        if node.name == "is_text":
            if name not in frame.words and frame.numbers.get(name) is None:
                return _Told(None, reason=frame.absent.get(name) or f"{name} is not known")
            return _Told(isinstance(frame.numbers.get(name), str) or frame.numbers.get(name) is None)
        if node.name == "fired":
            truth = frame.flags.get(name)
            return _Told(truth, reason="" if truth is not None else f"whether {name} holds is not known")
        function = FUNCTIONS[node.name]
        if function.how == "reduce":
            found = self._call(node)
            if isinstance(found, _Missing):
                return _Told(None, reason=found.reason)
            return _Told(bool(found))
        assert function.call is not None  # noqa: S101 - only `ask` has none
        value = self.value(node.args[0])
        if isinstance(value, _Missing):
            return value if node.kind == "mask" else _Told(None, reason=value.reason)
        if isinstance(value, float):
            return _Told(bool(function.call(np.float64(value))))
        return _Marks(value.steps, np.where(function.call(value.values), TRUE, FALSE).astype(np.int8))

    def _compared(self, node: Node) -> _Test:
        left, right = (self.value(a) for a in node.args)
        if isinstance(left, _Missing) or isinstance(right, _Missing):
            reason = _joined([v.reason for v in (left, right) if isinstance(v, _Missing)])
            return _Missing(reason) if node.kind == "mask" else _Told(None, reason=reason)
        compare = _COMPARE[node.op]
        if isinstance(left, float) and isinstance(right, float):
            by = _slack(node.op, np.array([left]), np.array([right]), self._scale(node, left, right))
            return _Told(bool(compare(left, right)), None if by is None or np.isnan(by[0]) else float(by[0]))
        joined = self._aligned([left, right], node)
        if isinstance(joined, _Missing):
            return joined
        steps, (a, b) = joined
        with np.errstate(invalid="ignore"):
            codes = np.asarray(compare(a, b)).astype(np.int8) * np.int8(TRUE)
        unknown = np.isnan(a) | np.isnan(b)
        if unknown.any():
            codes[unknown] = NAN
        if self.is_dating:
            return _Marks(steps, codes)
        return _Marks(steps, codes, _slack(node.op, a, b, self._scale(node, left, right)))

    def _scale(self, node: Node, left: Points | float, right: Points | float) -> Floats | float:
        """What a distance from the threshold is measured in: the threshold's own size."""
        threshold = (
            left if isinstance(left, float) and (isinstance(right, Points) or node.args[0].op == "const") else right
        )
        if isinstance(threshold, float):
            return abs(threshold)
        joined = self._aligned([left, right], node)
        assert not isinstance(joined, _Missing)  # noqa: S101 - it was joined a moment ago
        return np.asarray(np.abs(joined[1][1]), dtype=np.float64)

    def _both(self, node: Node, parts: list[_Test]) -> _Test:
        told = [p for p in parts if isinstance(p, _Told)]
        if node.kind == "truth":
            truth = (_all if node.op == "and" else _any)(p.truth for p in told)
            slacks = [p.slack for p in told if p.slack is not None]
            tight = (min if node.op == "and" else max)(slacks) if slacks and truth is not None else None
            return _Told(truth, tight, _joined([p.reason for p in told if p.truth is None]) if truth is None else "")
        gone = _joined([p.reason for p in parts if isinstance(p, _Missing)])
        marks = [p for p in parts if isinstance(p, _Marks)]
        if not marks:
            return _Missing(gone)
        out = marks[0]
        for other in marks[1:]:
            met = _meeting(out.steps, other.steps)
            steps, mine, theirs = met if met is not None else (out.steps, slice(None), slice(None))
            if not steps.size:
                return _Missing(f"the signals of `{node.text}` have no steps in common")
            codes = _kleene(node.op, out.codes[mine], other.codes[theirs])
            slack = _tightest(node.op, out.slack, mine, other.slack, theirs)
            out = _Marks(steps, codes, slack, _joined([out.reason, other.reason]))
        if gone:
            codes = _kleene(node.op, out.codes, np.full(out.codes.shape, MISSING, dtype=np.int8))
            out = _Marks(out.steps, codes, out.slack, _joined([out.reason, gone]))
        return out


_EXTRA: dict[str, Function] = {}
_OPERATORS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "**": np.power,
}  # fmt: skip
_COMPARE: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "==": np.equal, "!=": np.not_equal,
}  # fmt: skip


def _kleene(op: str, a: Codes, b: Codes) -> Codes:
    if op == "and":
        return np.minimum(a, b)
    return np.asarray(_NOT[np.minimum(_NOT[a], _NOT[b])], dtype=np.int8)


def _negated(test: _Test) -> _Test:
    if isinstance(test, _Told):
        return _Told(
            None if test.truth is None else not test.truth, None if test.slack is None else -test.slack, test.reason
        )
    if isinstance(test, _Missing):
        return test
    return _Marks(test.steps, _NOT[test.codes], None if test.slack is None else -test.slack, test.reason)


def _slack(op: str, a: Any, b: Any, scale: Floats | float) -> Floats | None:
    """By how much a comparison holds (negative: fails), relative to the threshold; None where that has no size."""
    if op in ("==", "!="):
        return None
    with np.errstate(all="ignore"):
        distance = np.asarray(b - a if op in ("<", "<=") else a - b, dtype=np.float64)
        if not np.all(scale):
            finite = distance[np.isfinite(distance)]
            spread = float(np.subtract(*np.quantile(finite, (0.75, 0.25)))) if finite.size > 3 else 0.0
            scale = np.where(np.asarray(scale) == 0, spread if spread > 0 else np.nan, scale)
        return np.asarray(distance / scale, dtype=np.float64)


def _tightest(op: str, a: Floats | None, mine: Any, b: Floats | None, theirs: Any) -> Floats | None:
    """Row by row the distance of the comparison that decides; one of the two, never a mixture."""
    if a is None or b is None:
        return a[mine] if a is not None else b[theirs] if b is not None else None
    return np.asarray((np.fmin if op == "and" else np.fmax)(a[mine], b[theirs]))


def _meeting(a: Ints, b: Ints) -> tuple[Ints, NDArray[np.intp], NDArray[np.intp]] | None:
    """Common steps of two series: (steps, rows of a, rows of b); None where they are the same already.

    As-of join within one logging interval of the slower: its steps, each with the other's last value before or at it.
    """
    if a is b or (a.size == b.size and np.array_equal(a, b)):
        return None
    every_a, every_b = interval_of(a), interval_of(b)
    # Of two equally slow ones the later starter leads, so that its first row finds a partner.
    a_leads = (
        (every_a, -a.size, int(a[0])) >= (every_b, -b.size, int(b[0]))
        if a.size > 1 and b.size > 1
        else a.size <= b.size
    )
    slow, fast = (a, b) if a_leads else (b, a)
    every = max(every_a, every_b)
    row = np.searchsorted(fast, slow, side="right") - 1
    age = slow - fast[np.maximum(row, 0)]
    gaps = np.diff(slow, prepend=slow[0])
    reach = np.maximum(every, np.minimum(gaps, 4 * every))
    met = np.flatnonzero((row >= 0) & (age <= reach))
    mine, theirs = met, row[met]
    return (slow[met], mine, theirs) if a_leads else (slow[met], theirs, mine)
