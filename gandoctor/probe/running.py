"""A probe from the run to the report: read, measure for so long, judge."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gandoctor import api
from gandoctor.model.probing import ProbeNote
from gandoctor.probe import backend, judging, measuring, slopes
from gandoctor.probe.clock import Clock

if TYPE_CHECKING:
    from gandoctor.model.report import Report
    from gandoctor.probe.asked import Wishes
    from gandoctor.probe.measuring import Session, Told

RESERVE: Final = 0.04  # of the budget, for judging and writing


def run(
    path: str | Path, wishes: Wishes, options: api.Options | None = None, told: Told | None = None
) -> Report:
    """Probe the players of a run, and judge the run with what that tells.

    Parameters
    ----------
    path : str or Path
        A log, or the folder of one run.
    wishes : Wishes
    options : api.Options, optional
    told : callable, optional
        Called with the name of each part of the measuring, and the share that is done.

    Returns
    -------
    Report
        Of the log and the probe together; `Report.probe` has what was measured.

    Raises
    ------
    GandoctorError
        The log cannot be read, PyTorch is missing, or nothing can be built.
    """
    clock = Clock(wishes.budget * (1 - RESERVE))
    backend.torch()
    begun = clock.spent()
    found = list(api.cases(path, options))
    if len(found) > 1:
        raise api.several([case.run.name for case in found], str(path))
    case = found[0]
    before = case.report()
    # To judge again takes as long.
    clock.budget = min(clock.budget, wishes.budget - 1.2 * (clock.spent() - begun))
    session = measuring.Session(
        path=Path(path),
        run=case.run,
        wishes=wishes,
        clock=clock,
        told=told or (lambda what, share: None),
        suspected=frozenset(s for d in before.diagnoses for s in d.symptoms),
    )
    measuring.measure(session)
    session.told("", 1.0)
    after = before
    if session.looks:
        after = case.report(judging.with_looks(case.run, session.looks))
        after = judging.undated(after, before)
    return replace(after, probe=_note(session, before, after))


def _note(session: Session, before: Report, after: Report) -> ProbeNote:
    return ProbeNote(
        device=session.device,
        checkpoint=session.checkpoint,
        seconds=round(session.clock.spent(), 2),
        budget=session.wishes.budget,
        seed=session.wishes.seed,
        samples=session.samples,
        p_before=before.p_failing or 0.0,
        p_after=after.p_failing or 0.0,
        verdict_before=before.verdict,
        figures=tuple(replace(f, value=_rounded(f.value)) for f in session.figures),
        tested=tuple(judging.tested(before, after, session.figures)),
        layers=tuple(session.layers[: slopes.MOST_LAYERS]),
        notes=tuple(dict.fromkeys(session.notes)),
        complete=session.complete,
    )


def _rounded(value: float | None) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.6g}")
