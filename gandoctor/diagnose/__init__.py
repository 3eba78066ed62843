"""Align, observe, judge: rules and sizes against a run, what they add up to, and the causes.

The order of thought is the clinician's: every rule is asked first (true, false or unknown) and
every size taken; all of it moves the belief that the run has failed; what fired gives symptoms,
symptoms and settings give causes, and a cause silences the findings it explains.
"""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING

from gandoctor.diagnose.asking import Answer, ask, first_by_rule, flags_of, holds, truths_of
from gandoctor.diagnose.belief import believe, signs_of
from gandoctor.diagnose.causes import rank
from gandoctor.diagnose.course import course
from gandoctor.diagnose.findings import CONFIDENCES, finding, finding_order, not_checked, risk_note
from gandoctor.diagnose.frame import frame_of, networks, pick
from gandoctor.diagnose.verdict import lacking, named_by_sizes, toned, why, word_for
from gandoctor.diagnose.wanting import log_next
from gandoctor.model.belief import Belief
from gandoctor.model.report import Diagnosis, Finding, NotChecked, RiskNote, Stretch, Verdict
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gandoctor.lang.evaluate import Frame
    from gandoctor.model.rules import Clause, Rulebook, Shelf
    from gandoctor.model.signals import Run

__all__ = [
    "Answer",
    "Examination",
    "ask",
    "examine",
    "frame_of",
    "networks",
    "pick",
    "risk_note",
    "signs_of",
]


@dataclass(frozen=True, slots=True)
class Examination:
    """All that was found out about a run; `gandoctor.api` turns it into a report.

    `frame` is what clauses of causes and remedies are asked of, `answers` what every rule said.
    """

    verdict: Verdict
    why_verdict: str
    belief: Belief = field(default_factory=lambda: Belief(0.5))
    findings: tuple[Finding, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()
    risks: tuple[RiskNote, ...] = ()
    clear: tuple[str, ...] = ()
    not_checked: tuple[NotChecked, ...] = ()
    ignored: tuple[NotChecked, ...] = ()
    log_next: tuple[NotChecked, ...] = ()
    course: tuple[Stretch, ...] = ()
    answers: tuple[Answer, ...] = field(default=(), compare=False)
    frame: Frame | None = field(default=None, compare=False)

    def holds(self, clause: Clause) -> bool | None:
        """Whether a clause holds in this run; None: not known."""
        return None if self.frame is None else holds(clause, self.frame)


def examine(run: Run, shelf: Shelf, *, ignore: Mapping[str, str] | None = None) -> Examination:
    """Ask every rule about a run, say how sure it is that the run failed, and rank the causes.

    Parameters
    ----------
    run : Run
    shelf : Shelf
        Causes are taken from it only where something was found.
    ignore : Mapping of str to str, optional
        Ids of rules and measures not to ask, each with the user's reason; they are listed in the
        report.

    Returns
    -------
    Examination
    """
    ignore = ignore or {}
    book = shelf.judging
    frames = {network: frame_of(run, network) for network in networks(run)}
    answers = [
        ask(rule, run, network, frame)
        for rule in book.rules
        if rule.status != "retired" and rule.id not in ignore
        for network, frame in frames.items()
    ]
    measures = {m.id: m for m in book.measures if m.id not in ignore}
    signs = signs_of(run, measures.values(), answers, frames)
    believed = believe(signs, book.weights, book.by_id, measures)
    told = _found(answers, run, frames)
    stable = [f for f in told if f.status != "preview"]
    trial = [f for f in told if f.status == "preview"]
    named = stable or named_by_sizes(believed, book) or trial
    short = lacking(run, believed)
    verdict = word_for(believed, book.weights.cuts, named, lacking=short, by_rule=bool(stable))
    findings = toned(named, verdict)
    fired = [a for a in answers if a.truth and a.rule.kind == "symptom"]
    frame = frames[fired[0].network if fired else next(iter(frames))]
    frame = frame.with_flags(flags_of(book, answers))
    truths = truths_of(answers)
    diagnoses: list[Diagnosis] = []
    if verdict in ("failing", "warning"):
        diagnoses, findings = rank(shelf.whole.causes, findings, run, frame)
    if verdict == "failing":
        diagnoses = _held(diagnoses)
    rest = [f for f in trial if f not in named] if verdict in ("failing", "warning") else []
    return Examination(
        verdict=verdict,
        why_verdict=why(
            verdict,
            belief=believed,
            cuts=book.weights.cuts,
            run=run,
            findings=findings,
            diagnoses=diagnoses,
            lacking=short,
        ),
        belief=believed,
        findings=(*findings, *rest),
        diagnoses=tuple(diagnoses),
        risks=tuple(
            risk_note(a, run, frames[a.network])
            for a in first_by_rule(answers)
            if a.truth and a.rule.kind == "risk"
        ),
        clear=tuple(r.id for r in book.rules if r.kind == "symptom" and truths.get(r.id) is False),
        not_checked=tuple(not_checked(book, answers, run)),
        ignored=tuple(_ignored(book, ignore)),
        log_next=log_next(run, book, measures.values(), answers)
        if verdict == "inconclusive"
        else (),
        course=course(frame),
        answers=tuple(answers),
        frame=frame,
    )


def _found(answers: Sequence[Answer], run: Run, frames: Mapping[str, Frame]) -> list[Finding]:
    """What fired, worst first; a signal that networks share is found once, not for each of them."""
    fired = [a for a in answers if a.truth and a.rule.kind == "symptom"]
    once: dict[str, Finding] = {}
    for f in sorted((finding(a, run, frames[a.network]) for a in fired), key=finding_order):
        once.setdefault(f.fingerprint, f)
    return list(once.values())


def _held(diagnoses: Sequence[Diagnosis]) -> list[Diagnosis]:
    """The belief is sure that the run has failed.

    So is the first of its causes that anything was wrong.
    """
    if not diagnoses:
        return []
    first, *others = diagnoses
    confidence = first.confidence if first.confidence != "low" else CONFIDENCES[1]
    return [replace(first, severity="high", confidence=confidence), *others]


def _ignored(book: Rulebook, ignore: Mapping[str, str]) -> list[NotChecked]:
    titles = {r.id: r.title for r in book.rules} | {m.id: m.title for m in book.measures}
    return [NotChecked(i, titles[i], reason, "") for i, reason in ignore.items() if i in titles]
