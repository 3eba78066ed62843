"""Expression + Frame -> Outcome.

Three-valued truth, the steps where it held, and how far it is from flipping.

What decides, in this order: the words under ``given``, the window (``over``), the test at every
step of the *whole* run, cut to the window, and the amount (``for``). What was not logged is
unknown, never false and never healthy.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import field, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from gandoctor.errors import RuleError
from gandoctor.lang.frame import (
    FALSE,
    MISSING,
    NAN,
    TRUE,
    Codes,
    Floats,
    Frame,
    Ints,
    Marks,
    Missing,
    Series,
    Span,
    Told,
    all_of,
    any_of,
    folded,
    joined_reasons,
    word_of,
)
from gandoctor.lang.functions import (
    FUNCTIONS,
    Points,
    UndecidedError,
    best_step,
    cells,
    interval_of,
    quantile_of,
    regime_step,
)
from gandoctor.lang.machine import COVER, Evaluation
from gandoctor.lang.middle import median
from gandoctor.lang.onset import dated, onset_of, stretches
from gandoctor.lang.syntax import Expression, Node, Scope, compile_value
from gandoctor.lang.window import Amount, Window
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Frame", "Outcome", "Series", "decide", "judge", "number_of"]

MOST_INTERVALS: Final = 50
MOST_VALUES: Final = 24
# Margins and shown medians are for reading: 20,000 rows tell them to three digits.
SHOWN_ROWS: Final = 20_000
# Whose change for good begins another regime of the run.
LOSSES: Final = ("d_loss", "g_loss")


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
        How far the deciding comparison is from flipping, relative to its threshold; None where
        nothing is compared.
    onset : int or None
        Since when it holds. For a window at the end of the run it is followed back to before the
        window.
    reason : str
    values : Mapping of str to float
        What each sub-expression gave: numbers as they are, series by their median where the test
        held.
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
        Settings that are words, each with the words it may be (case, ``-`` and ``_`` do not
        matter).
    over : Window
        The part of the run to look at.
    for_ : Amount
        How much of it has to pass; counts steps, not rows. Idle where the test is decided once.
    frame : Frame
    onsets : Mapping, optional
        What the clauses before gave, for ``after CLAUSE``: their outcome, or their onset (None: did
        not hold).

    Returns
    -------
    Outcome
    """
    said = _given(given, frame)
    if where is None or said.truth is False:
        return Outcome(said.truth, reason=said.reason, names=where.signals if where else ())
    outcome = _judged(where, over, for_, frame, onsets or {})
    if said.truth is None and outcome.truth is not False:
        return replace(outcome, truth=None, reason=said.reason, onset=None)
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
        Since when the whole holds: the latest of what ``and`` joins, the earliest of what ``or``
        joins, the second of ``then``. None where it does not hold or nothing dates it.
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
        return any_of(truth for truth, _ in parts), min(onsets, default=None)
    both = all_of(truth for truth, _ in parts)
    if node.op == "and":
        return both, max(onsets, default=None)
    if not both:
        return both, None
    before, after = parts[0][1], parts[1][1]
    # Two clauses that begin on the same row came in an order that the log does not tell.
    if before is None or after is None or before == after:
        return None, None
    return before < after, after


def number_of(text: str, frame: Frame, scope: Scope | None = None) -> float | None:
    """Value of an expression over a frame's numbers, for a sentence that quotes it.

    None where it has none.

    Parameters
    ----------
    text : str
        ``lr_d / lr_g``, ``late(g_loss)``.
    frame : Frame
        Series are looked at as a whole.
    scope : Scope, optional
        Names it may use; those of the frame where it is not given.
    """
    names = scope or Scope(signals=frozenset(frame.series), numbers=frozenset(frame.numbers))
    try:
        tree = compile_value(text, names).tree
    except RuleError:
        return None
    first, last = frame.span
    found = Evaluation(frame, Span(float(first), float(last))).value(tree)
    return found if isinstance(found, float) and math.isfinite(found) else None


# ---------------------------------------------------------------- given


def _given(given: Mapping[str, tuple[str, ...]], frame: Frame) -> Told:
    truths: list[bool | None] = []
    reasons: list[str] = []
    for name, allowed in given.items():
        word = word_of(name, frame)
        if word is None:
            truths.append(None)
            reasons.append(frame.absent.get(name) or f"{name} is not known")
        else:
            truths.append(folded(word) in {folded(a) for a in allowed})
    truth = all_of(truths)
    return Told(truth, reason=joined_reasons(reasons) if truth is None else "")


# ---------------------------------------------------------------- where the window lies


def resolve(over: Window, frame: Frame, onsets: Mapping[str, Outcome | int | None]) -> Span | Told:
    first, last = (float(s) for s in frame.span)
    if over.kind == "all":
        return Span(first, last, back=True)
    if over.kind == "after_clause":
        return _after_clause(over.of, onsets, last)
    if over.kind == "after_best":
        return _after_best(over.of, frame, last)
    if over.kind == "last_regime":
        return Span(max(first, _regime_of(frame)), last)
    if over.kind == "first" and frame.resumed and over.unit != "%":
        return Told(
            None, reason="the log starts in mid-training, so the run's first steps are not in it"
        )
    size: float | str = (last - first) * over.amount / 100
    if over.unit != "%":
        size = in_steps(over.amount, over.unit, frame)
    if isinstance(size, str):
        return Told(None, reason=size)
    if over.kind == "last":
        return Span(max(first, last - size), last, back=True)
    if over.kind == "first":
        return Span(first, min(last, first + size))
    # A resumed run counts on from where it was, so its steps are absolute.
    start = size if frame.resumed and over.unit != "%" else first + size
    if start > last:
        return Told(
            None, reason=f"the run ends at step {last:,.0f}, before what `{over.text}` looks at"
        )
    return Span(max(first, start), last)


def in_steps(amount: float, unit: str, frame: Frame) -> float | str:
    """An amount of ``steps`` or ``epochs`` in the log's own unit, or why that is not known."""
    if unit == frame.step_unit or (
        unit == "steps" and frame.step_unit in ("iterations", "unknown")
    ):
        return amount
    if frame.step_unit == "kimg":
        return f"the log counts thousands of images, not {unit}"
    if frame.steps_per_epoch:
        return amount / frame.steps_per_epoch if unit == "steps" else amount * frame.steps_per_epoch
    return (
        "the log counts epochs, not steps"
        if unit == "steps"
        else "how many steps make an epoch is not known"
    )


def _after_clause(
    name: str, onsets: Mapping[str, Outcome | int | None], last: float
) -> Span | Told:
    before = onsets.get(name)
    if isinstance(before, Outcome):
        if before.truth is None:
            return Told(None, reason=before.reason or f"whether {name} holds is not known")
        onset = before.onset if before.truth else None
        if before.truth and onset is None:
            return Told(None, reason=f"since when {name} holds is not known")
    else:
        onset = before
    if onset is None:
        return Told(False, reason=f"{name} never held")
    return Span(float(onset), last)


def _after_best(text: str, frame: Frame, last: float) -> Span | Told:
    numbers = frozenset(frame.numbers) - frozenset(frame.series)
    tree = _best_of(text, numbers)
    found = Evaluation(frame, None).value(tree)
    if isinstance(found, Missing):
        return Told(None, reason=found.reason)
    if not isinstance(found, Points):
        return Told(None, reason=f"`{text}` is no series")
    try:
        best = best_step(found)
    except UndecidedError as e:
        return Told(None, reason=f"{text}: {e}")
    if best >= int(found.steps[-1]):
        return Told(False, reason=f"{text} was best at its very end")
    return Span(float(best), last, after=True)


def _regime_of(frame: Frame) -> float:
    """Step since which neither of the two losses has changed its level or width for good."""

    def begins() -> float:
        losses = (frame.series[n] for n in LOSSES if n in frame.series)
        return max((regime_step(Points(s.steps, s.values)) for s in losses), default=-math.inf)

    return float(frame.memo.get("last regime", begins))


def _best_of(text: str, numbers: frozenset[str]) -> Node:
    """The expression inside ``after best(...)``.

    It was checked at load, so any name that is no number is a signal.
    """
    names = frozenset(re.findall(r"[A-Za-z_][A-Za-z0-9_]*", text)) - frozenset(FUNCTIONS)
    return compile_value(text, Scope(signals=names - numbers, numbers=numbers)).tree


# ---------------------------------------------------------------- a clause


def _judged(
    where: Expression,
    over: Window,
    for_: Amount,
    frame: Frame,
    onsets: Mapping[str, Outcome | int | None],
) -> Outcome:
    names = where.signals
    span: Span | None = None
    blocked = ""
    if names or over.kind == "after_clause":
        found = resolve(over, frame, onsets)
        if isinstance(found, Span):
            span = found
        elif found.truth is False or where.kind == "mask":
            return Outcome(
                found.truth, reason=found.reason, names=names, primary=_primary(names, frame)
            )
        else:
            blocked = found.reason  # the part of the test that needs no window may still settle it
    run = Evaluation(frame, span, over.text, blocked=blocked)
    answer = run.test(where.tree)
    if isinstance(answer, Marks):
        assert span is not None  # noqa: S101 - a mask has a signal in it
        outcome = _over_steps(answer, where, for_, span, run)
    elif isinstance(answer, Missing):
        outcome = Outcome(None, reason=answer.reason, window=span.whole if span else None)
    else:
        outcome = _once(answer, where, span, run)
    threshold, primary = _drawn(where.tree, run)
    return replace(
        outcome, names=names, threshold=threshold, primary=primary or _primary(names, frame)
    )


def _primary(names: Sequence[str], frame: Frame) -> str | None:
    return next((n for n in names if n in frame.series), None)


def _once(answer: Told, where: Expression, span: Span | None, run: Evaluation) -> Outcome:
    windowed = where.tree.windowed
    window = span.whole if span is not None and windowed else None
    truth = answer.truth
    onset = dated(where.tree, run) if truth and span is not None else None
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


def _over_steps(
    marks: Marks, where: Expression, for_: Amount, span: Span, run: Evaluation
) -> Outcome:
    """Judge a test that is decided at every step: how much of the window passes it."""
    low, high = span.rows(marks.steps)
    window = span.whole
    narrow = run.too_narrow(marks.steps, low, high)
    why_not = narrow or run.unfit(marks.steps, low, high, " and ".join(where.signals))
    if high <= low:
        return Outcome(None, window=window, reason=why_not)
    part = _Part(marks.codes[low:high], _clipped_cells(marks.steps, low, high, span))
    length = 0.0
    if for_.kind == "row":
        found = _row_length(for_, marks.steps[low:high], span, run)
        if isinstance(found, str):
            return Outcome(None, window=window, reason=why_not or found)
        length = found
    truth, streak = part.enough(for_, length)
    # One row can settle "ever", "always" and a streak; a matter of most rows needs most rows of the
    # window.
    settled = truth is (for_.kind != "always") and for_.kind != "share"
    if narrow or (why_not and not settled):
        truth = None
    elif truth is not None and not settled and part.unknown > (1 - COVER) * part.total + 1e-9:
        truth = None
        why_not = (
            f"`{where.text}` is unknown (NaN) on {part.unknown / part.total:.0%} of the window"
        )
    margin = None
    if truth is not None and marks.slack is not None:
        margin = _margin(marks.slack[low:high], part, for_, streak)
    return Outcome(
        truth,
        intervals=_intervals(marks.steps[low:high], part.held),
        window=window,
        share=part.share,
        margin=margin,
        onset=onset_of(marks, low, high, for_, streak, back=span.back) if truth else None,
        reason=(why_not or marks.reason or "it is not known at enough steps")
        if truth is None
        else "",
        values=_values(where.tree, run, marks if truth else None),
    )


class _Part:
    """The rows of a test inside the window, and how many steps each kind of answer stands for."""

    __slots__ = ("codes", "false", "held", "missing", "total", "true", "unknown", "weights")

    def __init__(self, codes: Codes, weights: Floats) -> None:
        self.codes = codes
        self.weights = weights
        self.held = codes == TRUE
        self.total = float(weights.sum())
        self.true, self.false, self.missing, self.unknown = (
            float(weights[codes == code].sum()) for code in (TRUE, FALSE, MISSING, NAN)
        )

    @property
    def share(self) -> float | None:
        """Share of the steps where the answer is known on which it is yes."""
        known = self.true + self.false
        return self.true / known if known > 0 else None

    def enough(self, for_: Amount, length: float) -> tuple[bool | None, tuple[int, int] | None]:
        """Whether enough of it holds, and the streak that settled it.

        Rows that are NaN do not count; where a whole signal is missing, both answers are tried.
        """
        if for_.kind == "ever":
            return (
                True if self.held.any() else None if self.missing or not self.false else False,
                None,
            )
        if for_.kind == "always":
            return False if self.false else None if self.missing or not self.true else True, None
        if for_.kind == "share":
            counted = self.true + self.false + self.missing
            least = (for_.amount - 1e-9) * counted
            if not counted:
                return None, None
            return (
                True
                if self.true >= least
                else None
                if self.true + self.missing >= least
                else False,
                None,
            )
        streak = _streak(self.held, self.weights, length)
        if streak is not None:
            return True, streak
        return None if _streak(
            self.codes != FALSE, self.weights, length
        ) is not None else False, None


def _row_length(for_: Amount, steps: Ints, span: Span, run: Evaluation) -> float | str:
    """Length of ``N steps in a row`` in the log's own unit, or why the log cannot tell."""
    length = in_steps(for_.amount, for_.unit, run.frame)
    if isinstance(length, str):
        return length
    every = interval_of(steps)
    if every > length:
        return f"logged every {every:,.4g} {run.unit}, which cannot tell {for_.text}"
    return f"the window is shorter than {for_.text}" if span.last - span.first < length else length


def _clipped_cells(steps: Ints, low: int, high: int, span: Span) -> Floats:
    """Steps of the window that each of its rows stands for; equal where the window has no width."""
    if span.last <= span.first:
        return np.ones(high - low)
    # One row on either side tells how far the outer rows reach.
    start, stop = max(0, low - 1), min(steps.size, high + 1)
    width = cells(steps[start:stop], span.first, span.last)[low - start : high - start]
    return width if width.sum() > 0 else np.ones(high - low)


def _streak(held: NDArray[np.bool_], weights: Floats, length: float) -> tuple[int, int] | None:
    """First stretch of rows that all hold and together stand for `length` steps.

    (first row, one past the last).
    """
    starts, ends = stretches(held)
    if not starts.size:
        return None
    total = np.concatenate(([0.0], np.cumsum(weights)))
    long = np.flatnonzero(total[ends] - total[starts] >= length - 1e-9 * max(1.0, length))
    return (int(starts[long[0]]), int(ends[long[0]])) if long.size else None


def _intervals(steps: Ints, held: NDArray[np.bool_]) -> tuple[tuple[int, int], ...]:
    """Where the test held; the closest are joined where there would be more than can be drawn."""
    starts, ends = stretches(held)
    if starts.size > MOST_INTERVALS:
        gaps = steps[starts[1:]] - steps[ends[:-1] - 1]
        keep = np.sort(np.argpartition(-gaps, MOST_INTERVALS - 1)[: MOST_INTERVALS - 1])
        starts, ends = (
            starts[np.concatenate(([0], keep + 1))],
            ends[np.concatenate((keep, [ends.size - 1]))],
        )
    return tuple((int(steps[a]), int(steps[b - 1])) for a, b in zip(starts, ends, strict=True))


def _margin(
    slack: Floats, part: _Part, for_: Amount, streak: tuple[int, int] | None
) -> float | None:
    """Relative distance of the row that decides from its threshold."""
    good = (part.codes != NAN) & ~np.isnan(slack)
    if for_.kind == "row":
        if streak is None:
            return None
        inside = slack[streak[0] : streak[1]]
        inside = inside[~np.isnan(inside)]
        return float(inside.min()) if inside.size else None
    slack, weights = slack[good], part.weights[good]
    if not slack.size:
        return None
    if for_.kind == "ever":
        found = float(slack.max())
    elif for_.kind == "always":
        found = float(slack.min())
    else:
        stride = -(-slack.size // SHOWN_ROWS)
        with np.errstate(over="ignore"):
            found = quantile_of(slack[::stride], 1 - for_.amount, weights[::stride])
    return abs(found) if math.isfinite(found) else None


# ---------------------------------------------------------------- what to show


def _values(tree: Node, run: Evaluation, marks: Marks | None) -> dict[str, float]:
    """Value of each sub-expression.

    Numbers as they are, series by their median in the window, where the test held.
    """
    shown: dict[str, float] = {}
    for node in tree.walk():
        if node.kind not in ("series", "number") or node.op == "const" or node.text in shown:
            continue
        if len(shown) >= MOST_VALUES:
            break
        value = run.value(node)
        if isinstance(value, Points) and run.span is not None:
            middle = _shown_median(value, run.span, marks)
            if middle is not None:
                shown[node.text] = middle
        elif isinstance(value, float):
            shown[node.text] = value
    return shown


def _shown_median(series: Points, span: Span, marks: Marks | None) -> float | None:
    """Median in the window, of the rows where the test held; None where there is none."""
    low, high = span.rows(series.steps)
    rows = series.values[low:high]
    held = np.ones(rows.size, dtype=np.bool_)
    if marks is not None and marks.steps.size == series.steps.size:
        held = marks.codes[low:high] == TRUE
    stride = max(1, -(-rows.size // SHOWN_ROWS))
    if held[::stride].any():
        rows, held = rows[::stride], held[::stride]
    rows = rows[held]
    rows = rows[~np.isnan(rows)]
    return float(median(rows)) if rows.size else None


_DRAWN: Final = frozenset(
    name for name, f in FUNCTIONS.items() if f.level or name in ("smooth", "best")
)


def _drawn(tree: Node, run: Evaluation) -> tuple[float | None, str | None]:
    """The first number that a signal, plain or smoothed or its level, is compared with.

    And that signal.
    """
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
