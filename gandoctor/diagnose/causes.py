"""From findings to causes.

What speaks for and against each, the deepest first, consequences folded.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gandoctor.diagnose.asking import ask_clause, holds
from gandoctor.diagnose.findings import (
    CONFIDENCES,
    fill,
    finding_order,
    said,
    setting_shown,
    settings_of,
)
from gandoctor.diagnose.wording import lower
from gandoctor.model.report import Diagnosis, Reason
from gandoctor.model.rules import SEVERITIES
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gandoctor.lang.evaluate import Frame
    from gandoctor.model.report import Finding
    from gandoctor.model.rules import Cause
    from gandoctor.model.signals import Run

MOST_DIAGNOSES: Final = 5
# A cause this many nats behind the best one is no longer worth a reader's time.
NEAR: Final = 4.0
# Of two causes this close, the one declared deeper goes first.
TIE: Final = 0.5


@dataclass(frozen=True, slots=True)
class _Suspect:
    cause: Cause
    explained: tuple[Finding, ...]
    score: float
    reasons: tuple[Reason, ...]
    blamed: tuple[str, ...]
    guess: bool = False  # it blames settings, and nothing but the symptom speaks for it


def rank(
    causes: Sequence[Cause], findings: Sequence[Finding], run: Run, frame: Frame
) -> tuple[list[Diagnosis], list[Finding]]:
    """Causes by score, deepest first among equals.

    And the findings, each silenced by the cause that explains it.

    A setting that nobody has seen, or that nothing points at, is not blamed before a cause that
    names none.
    """
    candidates = [
        c for c in (_weigh(cause, findings, run, frame) for cause in causes) if c is not None
    ]
    candidates.sort(key=lambda c: (-c.score, c.cause.id))
    founded, guesses = [c for c in candidates if not c.guess], [c for c in candidates if c.guess]
    candidates = [*_deepest_first(founded), *_deepest_first(guesses)]
    chosen: list[_Suspect] = []
    covered: set[str] = set()
    best = max((c.score for c in candidates), default=0.0)
    for c in candidates:
        new = {f.fingerprint for f in c.explained} - covered
        if (new or c.score >= best - NEAR) and len(chosen) < MOST_DIAGNOSES:
            chosen.append(c)
            covered |= new
    explained_by: dict[str, str] = {}
    leads: set[str] = set()
    for c in chosen:
        mine = [f for f in c.explained if f.fingerprint not in explained_by]
        if mine:
            leads.add(max(mine, key=lambda f: _pull(c.cause, f)).fingerprint)
            explained_by |= {f.fingerprint: c.cause.id for f in mine}
    told = [
        replace(
            f, explained_by=explained_by.get(f.fingerprint) if f.fingerprint not in leads else None
        )
        for f in findings
    ]
    return [_diagnosis(c, run, first=i == 0) for i, c in enumerate(chosen)], told


def _pull(cause: Cause, finding: Finding) -> tuple[float, int]:
    return (cause.explains.get(finding.symptom, 0.0), -SEVERITIES.index(finding.severity))


def _weigh(cause: Cause, findings: Sequence[Finding], run: Run, frame: Frame) -> _Suspect | None:
    explained = tuple(f for f in findings if f.symptom in cause.explains)
    if not explained:
        return None
    reasons: list[Reason] = []
    score = cause.prior
    for symptom, weight in cause.explains.items():
        mine = [f for f in explained if f.symptom == symptom]
        if mine:
            strength = weight if any(f.confidence != "low" for f in mine) else weight / 2
            score += strength
            reasons.append(Reason(f"it explains {symptom}: {lower(mine[0].title)}", strength))
    extra = {name: setting_shown(run, name) for name in run.settings}
    told = len(reasons)
    named: set[str] = set()
    for terms, sign in ((cause.for_, 1.0), (cause.against, -1.0)):
        for term in terms:
            if holds(term.clause, frame):
                outcome = ask_clause(term.clause, frame, {})
                text = term.says or said(term.clause, outcome, frame)
                score += sign * term.weight
                named |= settings_of(term.clause) if sign > 0 else set()
                reasons.append(Reason(fill(text, outcome, frame, extra), sign * term.weight))
    pointed_at = any(r.weight > 0 for r in reasons[told:])
    if not (cause.common or pointed_at):
        return None
    # Where reasons point at some of a cause's settings, the others are not to blame.
    blamed = tuple(s for s in cause.settings if s in named) or cause.settings
    guess = bool(cause.settings) and not pointed_at
    return _Suspect(cause, explained, score, tuple(reasons), blamed, guess)


def _deepest_first(ranked: list[_Suspect]) -> list[_Suspect]:
    """Within a near tie a cause goes before those it is declared deeper than."""
    out = list(ranked)
    for i in range(len(out)):
        for j in range(i + 1, len(out)):
            if out[i].score - out[j].score > TIE:
                break
            if out[i].cause.id in out[j].cause.deeper_than:
                out.insert(i, out.pop(j))
                break
    return out


def _diagnosis(c: _Suspect, run: Run, *, first: bool) -> Diagnosis:
    ordered = sorted(c.explained, key=lambda f: (-c.cause.explains[f.symptom], finding_order(f)))
    severity = min((f.severity for f in ordered), key=SEVERITIES.index)
    worst = [f for f in ordered if f.severity == severity]
    confidence = max((f.confidence for f in worst), key=CONFIDENCES.index)
    if not first:
        # Another explanation of the same findings is held less firmly than the best one.
        confidence = CONFIDENCES[max(0, CONFIDENCES.index(confidence) - 1)]
    keys = dict.fromkeys(run.settings[s].key for s in c.blamed if s in run.settings)
    lead = [
        f.onset_step for f in worst if f.symptom == worst[0].symptom and f.onset_step is not None
    ]
    onsets = lead or [f.onset_step for f in ordered if f.onset_step is not None]
    return Diagnosis(
        cause=c.cause.id,
        title=c.cause.title,
        story=c.cause.story,
        symptoms=tuple(dict.fromkeys(f.symptom for f in ordered)),
        severity=severity,
        confidence=confidence,
        score=round(c.score, 3),
        reasons=tuple(sorted(c.reasons, key=lambda r: -r.weight)),
        onset_step=min(onsets, default=None),
        settings=tuple(keys),
        findings=tuple(f.fingerprint for f in ordered),
    )
