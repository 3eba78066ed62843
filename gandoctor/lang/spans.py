"""Where a window lies in a run: from which step to which, or why that is not known."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

from gandoctor.lang.frame import Frame, Missing, Span, Told
from gandoctor.lang.functions import (
    FUNCTIONS,
    Points,
    UndecidedError,
    best_step,
    regime_step,
)
from gandoctor.lang.machine import Evaluation
from gandoctor.lang.outcome import Outcome
from gandoctor.lang.syntax import compile_value
from gandoctor.lang.tree import Node, Scope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gandoctor.lang.window import Window

# Whose change for good begins another regime of the run.
LOSSES: Final = ("d_loss", "g_loss")


def resolve(over: Window, frame: Frame, onsets: Mapping[str, Outcome | int | None]) -> Span | Told:
    """Where a window lies in a run.

    Parameters
    ----------
    over : Window
    frame : Frame
    onsets : Mapping
        What the clauses before gave, as for `evaluate.judge`.

    Returns
    -------
    Span or Told
        `Told` where there is no such part: false where the run cannot have one, None where it is
        not known, with the reason.
    """
    first, last = (float(s) for s in frame.span)
    if over.kind == "all":
        return Span(first, last, back=True)
    if over.kind == "after_clause":
        return _since_clause(over.of, onsets, last)
    if over.kind == "after_best":
        return _since_best(over.of, frame, last)
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


def _since_clause(
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


def _since_best(text: str, frame: Frame, last: float) -> Span | Told:
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
