"""Asking a rule: true, false or unknown, and since when.

A rule that is not about this game is not asked.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gandoctor.lang.evaluate import decide, judge
from gandoctor.lang.frame import any_of
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gandoctor.lang.evaluate import Frame, Outcome
    from gandoctor.model.rules import Clause, Rule, Rulebook
    from gandoctor.model.signals import Run

# Once a finding of this symptom stands, what the losses did afterwards means nothing.
ENDS_THE_GAME: Final = "exploding-or-nan"
# No run has converged at its first step: such a symptom begins where it was first seen.
TAKES_TIME: Final = ("no-convergence",)
# Fewer points than this of a loss and what a rule finds is held with less confidence.
FEW_POINTS: Final = 12


@dataclass(frozen=True, slots=True)
class Answer:
    """What one rule said about one network of a run.

    `truth` None is unknown, and `reason` says why; `outcomes` are empty where the rule is not about
    this game.
    """

    rule: Rule
    network: str
    truth: bool | None
    outcomes: Mapping[str, Outcome]
    onset: int | None
    reason: str = ""
    lowered: int = 0

    @property
    def asked(self) -> bool:
        """Whether the answer was really worked out."""
        return self.truth is not None and bool(self.outcomes)


def ask(rule: Rule, run: Run, network: str, frame: Frame) -> Answer:
    """Ask one rule about one network.

    Returns
    -------
    Answer
        `truth` None where it cannot be known; `reason` then says why.
    """
    fits, reason, lowered = applies(rule.applies_to, run)
    if fits is not True:
        return Answer(rule, network, fits, {}, None, reason)
    few = _few_points(rule, frame)
    if few and "family" in rule.applies_to and run.objective.confidence == "low":
        reason = (
            f"the loss family is a guess from fewer than {FEW_POINTS} points; say it with --loss"
        )
        return Answer(rule, network, None, {}, None, reason)
    lowered += few
    outcomes = _outcomes(rule, frame, values=False, dates=_is_about_order(rule))
    truth, onset = decide(rule.when, outcomes)
    if truth:  # somebody will read it
        outcomes = _outcomes(rule, frame)
        truth, onset = decide(rule.when, outcomes)
    why = (
        next((o.reason for o in outcomes.values() if o.truth is None and o.reason), "")
        if truth is None
        else ""
    )
    return Answer(rule, network, truth, outcomes, onset, why, lowered)


def _is_about_order(rule: Rule) -> bool:
    """Whether its truth depends on since when its clauses hold."""
    return "then" in rule.when.text or any(c.over.kind == "after_clause" for c in rule.clauses)


def _outcomes(
    rule: Rule, frame: Frame, *, values: bool = True, dates: bool = True
) -> dict[str, Outcome]:
    outcomes: dict[str, Outcome] = {}
    for clause in rule.clauses:
        outcome = ask_clause(clause, frame, outcomes, values=values, dates=dates)
        outcomes[clause.name] = (
            outcome if rule.symptom in TAKES_TIME else _from_the_start(outcome, frame)
        )
    return outcomes


def ask_clause(
    clause: Clause,
    frame: Frame,
    asked: Mapping[str, Outcome],
    *,
    values: bool = True,
    dates: bool = True,
) -> Outcome:
    """Judge one clause; `asked` are those before it, `values` and `dates` as `judge` has them."""
    return judge(
        clause.where,
        clause.given,
        clause.over,
        clause.for_,
        frame,
        asked,
        values=values,
        dates=dates,
    )


def holds(clause: Clause, frame: Frame) -> bool | None:
    """Whether a clause that stands by itself holds; None: not known."""
    return ask_clause(clause, frame, {}, values=False, dates=False).truth


def _from_the_start(outcome: Outcome, frame: Frame) -> Outcome:
    """What held at the very first look at a signal began before it.

    At the start of the run, for all that is known.
    """
    if outcome.onset is None:
        return outcome
    seen = [frame.series[n].steps for n in outcome.names if n in frame.series]
    first = max((int(steps[0]) for steps in seen if steps.size), default=None)
    if first is None or outcome.onset > first:
        return outcome
    return replace(outcome, onset=frame.span[0])


def _few_points(rule: Rule, frame: Frame) -> bool:
    """Whether a rule about the course of the losses has too few of them to be sure.

    A NaN needs no second look.
    """
    if rule.symptom == ENDS_THE_GAME:
        return False
    return few_points(
        {n for c in rule.clauses if c.where is not None for n in c.where.names}, frame
    )


def few_points(names: Iterable[str], frame: Frame, least: int = FEW_POINTS) -> bool:
    """Whether the series among some names, but for rare looks, have few points."""
    points = [
        len(frame.series[n].values) for n in names if n in frame.series and not frame.series[n].rare
    ]
    return bool(points) and max(points) < least


def applies(to: Mapping[str, Sequence[str]], run: Run) -> tuple[bool | None, str, int]:
    """Whether a rule or measure is about this game.

    (True | False | None, why not known, steps of confidence lost).
    """
    objective = run.objective
    lowered = 0
    for key, allowed in to.items():
        if key == "family":
            if objective.family != "unknown":
                if objective.family not in allowed:
                    return False, "", 0
                continue
            possible = objective.candidates
            if possible and all(f in allowed for f in possible):
                lowered = 1
                continue
            if possible and not any(f in allowed for f in possible):
                return False, "", 0
            guess = f" (it may be {', '.join(possible)})" if possible else ""
            return None, f"the loss family is not known{guess}; say it with --loss", 0
        if key == "led_by":
            if ("something" if objective.led_by else "nothing") not in allowed:
                return False, "", 0
        elif key == "unit":
            if run.step_unit not in allowed:
                return False, "", 0
        elif key == "reduction" and objective.reduction not in allowed:
            return False, "", 0
    return True, "", lowered


def truths_of(answers: Iterable[Answer]) -> dict[str, bool | None]:
    """By the ids of the rules that were asked, over all networks.

    True if any, false if none and all were known.
    """
    by_rule: dict[str, list[bool | None]] = {}
    for a in answers:
        by_rule.setdefault(a.rule.id, []).append(a.truth)
    return {rule: any_of(truths) for rule, truths in by_rule.items()}


def first_by_rule(answers: Iterable[Answer]) -> list[Answer]:
    """One answer a rule: the first that holds, else the first."""
    seen: dict[str, Answer] = {}
    for a in answers:
        if a.rule.id not in seen or (a.truth and not seen[a.rule.id].truth):
            seen[a.rule.id] = a
    return list(seen.values())


def flags_of(book: Rulebook, answers: Sequence[Answer]) -> dict[str, bool | None]:
    """Truth of every rule and every symptom, under names the language can spell."""
    asked = truths_of(answers)
    by_rule = {r.id: asked.get(r.id) for r in book.rules}
    flags = {_spelled(i): t for i, t in by_rule.items()}
    for symptom in {r.symptom for r in book.rules if r.symptom}:
        truths = [
            by_rule[r.id] for r in book.rules if r.symptom == symptom and r.status == "stable"
        ]
        flags[_spelled(symptom)] = any_of(truths)
    return flags


def _spelled(name: str) -> str:
    return name.replace("-", "_")
