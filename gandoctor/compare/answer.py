"""Better, worse or no clear change: by the verdicts, by quality, by the symptoms."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from gandoctor.compare.sides import fired, listed, same_unit
from gandoctor.model.comparison import Answer, Measure, word_for
from gandoctor.model.roles import JUDGES
from gandoctor.reporters import wording as w

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gandoctor.model.report import Finding, Report

RANKS: Final = {"failing": 0, "warning": 1, "healthy": 2}


def answer_of(
    before: Report, after: Report, measures: Sequence[Measure]
) -> tuple[Answer, list[str]]:
    """Verdicts first, then quality.

    Symptoms only between equal verdicts without quality in both runs.
    """
    verdict, of_verdict = _by_verdict(before, after)
    quality, of_quality = _by_quality(measures)
    why = [of_verdict, *of_quality]
    if verdict and quality and verdict != quality:
        return "no clear change", [
            f"The verdict says {word_for(verdict)}, and quality says {word_for(quality)}.",
            *why,
        ]
    if verdict or quality is not None or before.verdict != after.verdict:
        leading = why if verdict or not quality else [*of_quality, of_verdict]
        return word_for(verdict or quality or 0), leading
    change, of_symptoms = _by_symptoms(before, after)
    return word_for(change), [*why, *of_symptoms]


def _by_verdict(before: Report, after: Report) -> tuple[int, str]:
    """What the verdicts say: 1, -1 or 0, and why.

    A change counts only if the other run could have shown the same.
    """
    if before.verdict == after.verdict:
        return 0, f"Both runs are {before.verdict}."
    said = f"The verdict went from {before.verdict} to {after.verdict}"
    if "inconclusive" in (before.verdict, after.verdict):
        which = "before" if before.verdict == "inconclusive" else "after"
        return 0, f"{said}: too little was logged in the run {which} to compare."
    sign = 1 if RANKS[after.verdict] > RANKS[before.verdict] else -1
    shown, other = (before, after) if sign > 0 else (after, before)
    which = "after" if sign > 0 else "before"
    onset = w.since(shown)
    if onset is not None and same_unit(before, after) and other.run.last_step < onset:
        end, start = (w.at(step, shown.run.step_unit) for step in (other.run.last_step, onset))
        return (
            0,
            (
                f"{said}, but the run {which} ends at {end}, and the trouble of the other began at "
                f"{start}."
            ),
        )
    rules = {f.rule for f in _leading(shown)}
    if rules and not rules & (set(other.clear) | set(fired(other))):
        return (
            0,
            (
                f"{said}, but what decided the one could not be checked in the run {which}: "
                f"{listed(sorted(rules))}."
            ),
        )
    gone = sign > 0 and rules and not rules & set(fired(after))
    return (
        sign,
        f"{said}{'; what decided it before was looked for again, and not found' if gone else ''}.",
    )


def _by_quality(measures: Sequence[Measure]) -> tuple[int | None, list[str]]:
    """What quality says: 1, -1, 0, or None where none was logged in both runs; and why."""
    for kind in JUDGES:
        asked = [m for m in measures if m.judges == kind and m.answer]
        if asked:
            answers = {m.answer for m in asked} - {"no clear change"}
            said = [f"{m.title[:1].upper()}{m.title[1:]}: {m.because}." for m in asked]
            if len(answers) > 1:
                return 0, [*said, "These judges of quality disagree."]
            return {"better": 1, "worse": -1}.get("".join(answers), 0), said
    return None, ["No measure of quality was logged in both runs."]


def _by_symptoms(before: Report, after: Report) -> tuple[int, list[str]]:
    """What came and went: only what the other run looked for as well counts."""
    gone = _missing(before, after)
    new = _missing(after, before)
    said = [f"Gone: {listed(gone)}."] if gone else []
    said += [f"New: {listed(new)}."] if new else []
    return bool(gone) - bool(new), said


def _missing(shown: Report, other: Report) -> list[str]:
    """Symptoms of one run that the other looked for, for long enough, and did not find."""
    there = {f.symptom for f in fired(other).values()}
    end = other.run.last_step if same_unit(shown, other) else math.inf
    found = {
        f.symptom
        for f in fired(shown).values()
        if f.rule in other.clear and (f.onset_step or 0) <= end
    }
    return sorted(found - there)


def _leading(report: Report) -> tuple[Finding, ...]:
    """The findings that the verdict rests on."""
    cases = w.cases(report)
    return cases[0].leading if cases else w.orphans(report)
