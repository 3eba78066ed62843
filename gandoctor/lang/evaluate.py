"""Expression + Frame -> Outcome.

Three-valued truth, the steps where it held, and how far it is from flipping.

What decides, in this order: the words under ``given``, the window (``over``), the test at every
step of the *whole* run, cut to the window, and the amount (``for``). What was not logged is
unknown, never false and never healthy.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gandoctor.errors import RuleError
from gandoctor.lang.frame import (
    Frame,
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
from gandoctor.lang.machine import COVER, Evaluation
from gandoctor.lang.onset import dated, onset_of
from gandoctor.lang.outcome import Outcome
from gandoctor.lang.passing import Passing, intervals_of, margin_of, row_length, steps_of_rows
from gandoctor.lang.shown import threshold_drawn, values_shown
from gandoctor.lang.spans import resolve
from gandoctor.lang.syntax import compile_value
from gandoctor.lang.tree import Expression, Node, Scope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gandoctor.lang.window import Amount, Window

__all__ = ["Frame", "Outcome", "Series", "decide", "judge", "number_of"]


# ---------------------------------------------------------------- the two questions


def judge(  # noqa: PLR0917 - a clause has four parts, a frame and a past
    where: Expression | None,
    given: Mapping[str, tuple[str, ...]],
    over: Window,
    for_: Amount,
    frame: Frame,
    onsets: Mapping[str, Outcome | int | None] | None = None,
    *,
    values: bool = True,
    dates: bool = True,
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
    values : bool
        Whether to work out what only readers need: the outcome's `values` and `intervals`, the
        `threshold` that is drawn, and the signal that it is about where several are.
    dates : bool
        Whether to work out since when it holds.

    Returns
    -------
    Outcome
    """
    said = _given(given, frame)
    if where is None or said.truth is False:
        return Outcome(said.truth, reason=said.reason, names=where.signals if where else ())
    outcome = _judged(where, over, for_, frame, onsets or {}, values=values, dates=dates)
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


def number_of(
    text: str,
    frame: Frame,
    scope: Scope | None = None,
    *,
    window: tuple[int, int] | None = None,
) -> float | None:
    """Value of an expression over a frame's numbers, for a sentence that quotes it.

    None where it has none.

    Parameters
    ----------
    text : str
        ``lr_d / lr_g``, ``late(g_loss)``.
    frame : Frame
    scope : Scope, optional
        Names it may use; those of the frame where it is not given.
    window : (first, last), optional
        Steps that series are looked at in; the whole run where it is not given.
    """
    names = scope or Scope(signals=frozenset(frame.series), numbers=frozenset(frame.numbers))
    try:
        tree = compile_value(text, names).tree
    except RuleError:
        return None
    first, last = window or frame.span
    found = Evaluation(frame, Span(float(first), float(last))).value(tree)
    return found if isinstance(found, float) and math.isfinite(found) else None


# ---------------------------------------------------------------- given

_SO: Final = Told(True)


def _given(given: Mapping[str, tuple[str, ...]], frame: Frame) -> Told:
    if not given:
        return _SO
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


# ---------------------------------------------------------------- a clause


def _judged(
    where: Expression,
    over: Window,
    for_: Amount,
    frame: Frame,
    onsets: Mapping[str, Outcome | int | None],
    *,
    values: bool,
    dates: bool,
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
        outcome = _over_steps(answer, where, for_, span, run, values=values, dates=dates)
    elif isinstance(answer, Missing):
        window = span.whole if span else None
        outcome = Outcome(
            None, reason=answer.reason, window=window, names=names, primary=_primary(names, frame)
        )
    else:
        outcome = _once(answer, where, span, run, values=values, dates=dates)
    if not values:
        return outcome
    threshold, primary = threshold_drawn(where.tree, run)
    return replace(
        outcome, names=names, threshold=threshold, primary=primary or _primary(names, frame)
    )


def _primary(names: Sequence[str], frame: Frame) -> str | None:
    return next((n for n in names if n in frame.series), None)


def _once(
    answer: Told,
    where: Expression,
    span: Span | None,
    run: Evaluation,
    *,
    values: bool,
    dates: bool,
) -> Outcome:
    window = span.whole if span is not None and where.tree.windowed else None
    truth = answer.truth
    onset = None
    if dates and truth:
        onset = dated(where.tree, run) if span is not None else None
        if onset is None and window is not None:
            onset = window[0]
    return Outcome(
        truth,
        intervals=(window,) if truth and window is not None else (),
        window=window,
        margin=abs(answer.slack) if truth is not None and answer.slack is not None else None,
        onset=onset,
        reason=answer.reason if truth is None else "",
        values=values_shown(where.tree, run, None) if values else {},
        names=where.signals,
        primary=_primary(where.signals, run.frame),
    )


def _over_steps(
    marks: Marks,
    where: Expression,
    for_: Amount,
    span: Span,
    run: Evaluation,
    *,
    values: bool,
    dates: bool,
) -> Outcome:
    """Judge a test that is decided at every step: how much of the window passes it."""
    low, high = span.rows(marks.steps)
    window = span.whole
    narrow = run.too_narrow(marks.steps, low, high)
    why_not = narrow or run.unfit(marks.steps, low, high, " and ".join(where.signals))
    names = where.signals
    primary = _primary(names, run.frame)
    if high <= low:
        return Outcome(None, window=window, reason=why_not, names=names, primary=primary)
    part = Passing(marks.codes[low:high], steps_of_rows(marks.steps, low, high, span))
    length = 0.0
    if for_.kind == "row":
        found = row_length(for_, marks.steps[low:high], span, run)
        if isinstance(found, str):
            why_not = why_not or found
            return Outcome(None, window=window, reason=why_not, names=names, primary=primary)
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
        margin = margin_of(marks.slack[low:high], part, for_, streak)
    return Outcome(
        truth,
        intervals=intervals_of(marks.steps[low:high], part.held) if values else (),
        window=window,
        share=part.share,
        margin=margin,
        onset=onset_of(marks, low, high, for_, streak, back=span.back) if dates and truth else None,
        reason=(why_not or marks.reason or "it is not known at enough steps")
        if truth is None
        else "",
        values=values_shown(where.tree, run, marks if truth else None) if values else {},
        names=names,
        primary=primary,
    )


# ---------------------------------------------------------------- what to show
