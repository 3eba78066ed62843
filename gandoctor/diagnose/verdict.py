"""The verdict: it follows from the belief, from what can be named, and from how much was asked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.diagnose.asking import ENDS_THE_GAME
from gandoctor.diagnose.wording import lower, plain, since, unit_word
from gandoctor.lang.middle import median
from gandoctor.lexicon.reading import roles_of
from gandoctor.model.belief import in_per_cent
from gandoctor.model.report import Evidence, Finding
from gandoctor.model.rules import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gandoctor.model.belief import Belief, Cuts
    from gandoctor.model.report import Diagnosis, Verdict
    from gandoctor.model.roles import About, Role
    from gandoctor.model.rules import Rulebook, Severity
    from gandoctor.model.signals import Run, Signal

# Below this many points of D's and of G's loss, "healthy" would be a guess.
ENOUGH_POINTS: Final = 20
# Below this advantage D only guesses: a run's losses lie there where G is perfect, and where D is
# blind.
D_GUESSES: Final = 0.015
# Samples that end before this share of the log say nothing of how the run ended.
SAMPLES_REACH: Final = 0.34
# A size that adds this many nats may name a symptom where no rule does.
NAMES: Final = 0.4
MOST_NAMED: Final = 2
COLLAPSE: Final = "mode-collapse"
_LOSSES: Final[tuple[About, ...]] = ("D's loss", "G's loss")


def word_for(
    belief: Belief, cuts: Cuts, findings: Sequence[Finding], *, lacking: str, by_rule: bool = True
) -> Verdict:
    """The word for a belief.

    Parameters
    ----------
    belief : Belief
    cuts : Cuts
    findings : sequence of Finding
        Of stable rules; where there are none, what else names a symptom.
    lacking : str
        Why too little was asked to call a run healthy; empty where enough was.
    by_rule : bool
        Whether rules found them, and not sizes alone.
    """
    if findings and belief.p >= _failing_from(belief, cuts, findings, by_rule=by_rule):
        return "failing"
    if findings and belief.p >= cuts.warning:
        return "warning"
    return "healthy" if belief.p < cuts.healthy and not lacking else "inconclusive"


def _failing_from(
    belief: Belief, cuts: Cuts, findings: Sequence[Finding], *, by_rule: bool
) -> float:
    """The belief from which on a run with findings is called failing."""
    if not by_rule:  # a size has no threshold of its own that anybody counted
        return cuts.failing
    # What was right in all of many counted cases needs less company to be believed.
    if any(f.confidence == "high" and f.severity == "high" for f in findings):
        return cuts.warning
    return cuts.seen if "samples" in belief.groups else cuts.failing


def named_by_sizes(belief: Belief, book: Rulebook) -> list[Finding]:
    """Findings from the sizes that speak most against the run, where no rule has one.

    The symptoms they stand for.

    A size has no threshold that anybody set: it accuses only together with all the rest, from the
    warning on.
    """
    if belief.p < book.weights.cuts.warning:
        return []
    measures = {m.id: m for m in book.measures}
    found: list[Finding] = []
    for piece in belief.pieces:
        measure = measures.get(piece.evidence)
        if measure is None or not piece.symptom or piece.nats < NAMES:
            continue
        if piece.symptom in {f.symptom for f in found}:
            continue
        evidence = Evidence(
            clause=measure.id, truth="true", text=piece.text, where=measure.value.text
        )
        found.append(
            Finding(
                rule=measure.id,
                symptom=piece.symptom,
                title=piece.text[:1].upper() + piece.text[1:],
                severity="high",
                confidence="medium",
                onset_step=None,
                fingerprint=f"{measure.id}:",
                why=measure.why,
                evidence=(evidence,),
            )
        )
    return found[:MOST_NAMED]


def toned(findings: Sequence[Finding], verdict: Verdict) -> list[Finding]:
    """Findings no louder than the verdict: what was outweighed is told in the belief alone."""
    if verdict == "failing":
        return list(findings)
    if verdict == "warning":
        return [_at_most(f, "medium") for f in findings]
    return [_at_most(f, "low") for f in findings] if verdict == "inconclusive" else []


def _at_most(finding: Finding, severity: Severity) -> Finding:
    worst = max(SEVERITIES.index(finding.severity), SEVERITIES.index(severity))
    return replace(finding, severity=SEVERITIES[worst])


def why(
    verdict: Verdict,
    *,
    belief: Belief,
    cuts: Cuts,
    run: Run,
    findings: Sequence[Finding],
    diagnoses: Sequence[Diagnosis],
    lacking: str,
) -> str:
    """One sentence that carries the verdict."""
    sure = in_per_cent(belief.p)
    if verdict == "failing" and diagnoses:
        first = diagnoses[0]
        what = _symptom_dated(first, run)
        return f"{what}: {lower(first.title)}; {sure} sure that the run has failed."
    if verdict in ("failing", "warning") and findings:
        f = findings[0]
        return (
            f"{f.title}{since(f.onset_step, run.step_unit)}; {sure} sure that the run has failed."
        )
    if verdict == "inconclusive" and belief.p >= cuts.healthy:
        more = f"; and {lacking}" if lacking else ""
        return f"What was logged speaks both ways, {sure} for a failed run{more}."
    if lacking:
        return f"Too little was logged to tell: {lacking}."
    return f"Enough was logged to know, and little speaks against the run: {sure} for a failed one."


def _symptom_dated(first: Diagnosis, run: Run) -> str:
    """The first symptom and since when; one that comes to NaN says from where on.

    A collapse is named beside it: it is what the samples show.
    """
    if first.symptoms[0] != ENDS_THE_GAME:
        said = f"{plain(first.symptoms[0])}{since(first.onset_step, run.step_unit)}"
        return f"{said}, with mode collapse" if COLLAPSE in first.symptoms[1:] else said
    unit = unit_word(run.step_unit)
    ends = [end for role, s in _logged(run) if role.is_of_game and (end := _gone(s)) is not None]
    if ends:
        return f"NaN from {unit} {min(ends):,}"
    return f"Exploding{since(first.onset_step, run.step_unit)}"


def _gone(signal: Signal) -> int | None:
    """The step from which on no value is finite; None where the last one is."""
    finite = np.flatnonzero(np.isfinite(signal.values))
    if not len(signal) or (finite.size and finite[-1] == len(signal) - 1):
        return None
    return int(signal.steps[finite[-1] + 1 if finite.size else 0])


def _logged(run: Run) -> list[tuple[Role, Signal]]:
    """The signals that have points, each with what its role says of it."""
    roles = roles_of(run)
    return [(roles[s.role], s) for s in run.signals if s.role and s.role in roles and len(s)]


def lacking(run: Run, belief: Belief) -> str:
    """Why too little was asked to call a run healthy; empty where enough was."""
    logged = _logged(run)
    for name in _LOSSES:
        points = max((len(s) for role, s in logged if role.about == name), default=0)
        if not points:
            return f"no series could be understood as {name}"
        if points < ENOUGH_POINTS:
            few = f"{points} point{'s' * (points > 1)}"
            return f"{name} has {few}, and fewer than {ENOUGH_POINTS} do not show a trend"
    if "explosion" not in belief.groups:
        return "whether the losses exploded could not be asked"
    judged = any(role.vouches for role, _ in logged)
    if not (judged or "dominance" in belief.groups):
        return "whether D has won could not be asked, and no measure of quality was logged"
    objective = run.objective
    if objective.family == "unknown" and not objective.candidates and not judged:
        return "nothing tells which loss family this is, and no measure of quality was logged"
    return _apart(run) or _blind(run)


def _blind(run: Run) -> str:
    """Why losses at chance alone are no proof of health.

    So they lie too where D is blind to one repeated sample.
    """
    beside = ("D's answers", "samples")
    if any(role.judges or role.about in beside for role, _ in _logged(run)):
        return ""
    for s in run.by_role("d_advantage"):
        late = s.values[s.steps >= (s.steps[0] + s.steps[-1]) / 2]
        late = late[np.isfinite(late)]
        if late.size and float(median(late)) < D_GUESSES:
            return (
                "D's loss lies where D only guesses, be it that G is perfect or that D is blind to "
                "a collapse, and "
                "nothing but losses was logged"
            )
    return ""


def _apart(run: Run) -> str:
    """Why the samples say nothing of the run's end, where their steps are not those of the log."""
    logged = _logged(run)
    looks = [s.steps for role, s in logged if role.about == "samples"]
    played = [s.steps for role, s in logged if role.is_of_game]
    if not looks or not played:
        return ""
    began, ended = min(int(s[0]) for s in looks), max(int(s[-1]) for s in looks)
    first, last = min(int(s[0]) for s in played), max(int(s[-1]) for s in played)
    if ended >= first + SAMPLES_REACH * (last - first) and began <= last:
        return ""
    unit = unit_word(run.step_unit)
    return (
        f"the samples are of {unit} {began:,} to {ended:,} and the losses of {unit} {first:,} to "
        f"{last:,}, "
        "so they do not match"
    )
