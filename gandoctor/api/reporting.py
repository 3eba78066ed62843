"""From a run and what was found in it to a report."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor import __version__, diagnose, rulebook
from gandoctor.api.code import OWN
from gandoctor.api.understanding import followed
from gandoctor.api.wishes import Options, changes_told
from gandoctor.model.pictures import PictureNote
from gandoctor.model.report import (
    BeliefNote,
    BestNote,
    ObjectiveNote,
    Report,
    RunNote,
    SettingNote,
    SignalNote,
    SourceNote,
    Unmapped,
)
from gandoctor.model.roles import by_trust
from gandoctor.model.thin import thin

if TYPE_CHECKING:
    from pathlib import Path

    from gandoctor.api.code import CodeOfRun
    from gandoctor.model.report import Prescription, Series
    from gandoctor.model.signals import RawRun, Run, Signal

MOST_SERIES: Final = 40


def report_of(
    raw: RawRun,
    run: Run,
    shelf: rulebook.Shelf,
    options: Options,
    code: CodeOfRun | None = None,
) -> Report:
    """Judge a run, work out what to change, and note down what a report holds of it."""
    seen = diagnose.examine(run, shelf, ignore=options.ignore)
    cures = _cures(raw, run, seen, shelf, repo=options.repo, code=code) if seen.diagnoses else ()
    diagnoses = tuple(
        replace(d, prescriptions=tuple(p.remedy for p in cures if p.cause == d.cause))
        for d in seen.diagnoses
    )
    best = _best(run)
    return Report(
        run=_run_note(raw, run),
        verdict=seen.verdict,
        why_verdict=seen.why_verdict,
        p_failing=round(seen.belief.p, 4),
        belief=tuple(
            BeliefNote(p.evidence, p.group, round(p.nats, 3), p.text)
            for p in seen.belief.pieces
            if p.nats
        ),
        signals=tuple(_signal_note(s) for s in run.signals),
        unmapped=tuple(Unmapped(s.tag, len(s)) for s in run.unmapped),
        settings=tuple(
            SettingNote(name, str(s.value), s.key, s.file, s.line, s.how, s.confidence)
            for name, s in sorted(run.settings.items())
        ),
        findings=seen.findings,
        diagnoses=diagnoses,
        prescriptions=cures,
        risks=seen.risks,
        clear=seen.clear,
        not_checked=seen.not_checked,
        ignored=seen.ignored,
        log_next=seen.log_next,
        course=seen.course,
        series=_series(run, seen),
        rules_digest=shelf.judging.digest,
        version=__version__,
        preferences=(*changes_told(replace(options, map=followed(run, options))), *options.refused),
        checkpoints=run.checkpoints,
        drawn=run.drawn,
        pictures=_looks(raw, run, seen, best),
        best=best,
        titles={r.id: r.title for r in shelf.judging.rules if r.id in seen.clear},
    )


def _looks(
    raw: RawRun, run: Run, seen: diagnose.Examination, best: BestNote | None
) -> tuple[PictureNote, ...]:
    """The sample pictures to show: first, best, at the onset, last."""
    if not raw.pictures:
        return ()
    from gandoctor.samples import shown

    onset = next((d.onset_step for d in seen.diagnoses if d.onset_step is not None), None)
    moments = {
        "best": best.step if best else None,
        "onset": onset if seen.verdict != "healthy" else None,
    }
    return shown.looks(raw.pictures, raw.root, moments, run.signals)


def _best(run: Run) -> BestNote | None:
    """Where quality was best, by what is most trusted of what was logged."""
    for role in by_trust(run.roles.values(), "metric", "samples"):
        if not role.vouches:
            continue
        for s in run.by_role(role.name):
            finite = np.isfinite(s.values)
            if finite.sum() >= 2:
                at = np.argmax(np.where(finite, role.sign * s.values, -np.inf))
                return BestNote(s.tag, role.name, int(s.steps[at]), float(s.values[at]))
    return None


def _cures(
    raw: RawRun,
    run: Run,
    seen: diagnose.Examination,
    shelf: rulebook.Shelf,
    *,
    repo: Path | None,
    code: CodeOfRun | None,
) -> tuple[Prescription, ...]:
    """What the user should try, best first."""
    from gandoctor.prescribe import prescribe
    from gandoctor.prescribe.coded import InCode

    book = shelf.whole
    cures = prescribe(
        run,
        seen.diagnoses,
        book.remedies,
        raw.root,
        holds=seen.holds,
        measured=book.measured,
        repo=repo,
        code=InCode(code.editor, code.base, OWN) if code is not None else None,
    )
    remedies = {r.id: r for r in book.remedies}
    return tuple(
        replace(p, effort=r.effort, risk=book.risk_of(r))
        for p in cures
        for r in (remedies[p.remedy],)
    )


def _run_note(raw: RawRun, run: Run) -> RunNote:
    game = run.objective
    return RunNote(
        name=run.name,
        path=raw.where,
        base=raw.base if raw.base != raw.where else "",
        sources=tuple(SourceNote(s.path, s.parser, s.points, s.lost) for s in run.sources),
        first_step=run.first_step,
        last_step=run.last_step,
        step_unit=run.step_unit,
        objective=ObjectiveNote(
            game.family,
            game.chance_d,
            game.chance_g,
            game.reduction,
            game.confidence,
            game.because,
            game.led_by,
        ),
        notes=run.notes,
    )


def _signal_note(s: Signal) -> SignalNote:
    finite = s.values[np.isfinite(s.values)]
    last = float(finite[-1]) if finite.size else None
    return SignalNote(s.tag, s.role or "", s.network, s.split, len(s), last, s.because, s.source)


def _series(run: Run, seen: diagnose.Examination) -> dict[str, Series]:
    wanted = {tag for f in seen.findings for e in f.evidence for tag in (e.signal, *e.signals)}
    shown = [s for s in run.signals if s.tag in wanted]
    always = (role.name for role in run.roles.values() if role.shown)
    shown += [s for role in always for s in run.by_role(role) if s.tag not in wanted]
    return {s.tag: thin(s) for s in shown[:MOST_SERIES] if len(s)}
