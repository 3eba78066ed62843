"""Trials, told: every arm with its spread, and what became of it."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, Final

from gandoctor.reporters import wording as w

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gandoctor.model.probing import TrialArm, TrialsNote
    from gandoctor.model.report import Report

CAUTION: Final = (
    "short trainings refute better than they confirm: what is supported here was best over a part "
    "of the steps"
)


def headline(report: Report, trials: TrialsNote) -> str:
    """The best arm, or that there is none."""
    supported = next((a for a in trials.arms if a.outcome == "supported"), None)
    if supported is not None:
        return f"supported: {supported.title}"
    tried = [a for a in trials.arms if a.kind == "prescription" and a.rungs]
    if not tried:
        return "no prescription was tried"
    left = [a for a in tried if a.outcome != "refuted"]
    if not left:
        return f"{w.count(len(tried), 'prescription')} tried, none better than no change"
    return f"none is supported; undecided: {left[0].title}"


def made(trials: TrialsNote) -> str:
    """How much was trained, and by what it was judged."""
    shares = " and ".join(f"{s:.0%}" for s in trials.shares)
    ended = "" if trials.complete else ", cut short"
    judged = trials.judge.replace("_", " ")
    return (
        f"{w.count(trials.trained, 'training')} from scratch over {shares} of the steps, "
        f"{trials.seconds:.0f} s of {trials.budget:g} s{ended}; judged by {judged}, lower is better"
    )


def rows(trials: TrialsNote) -> Iterator[tuple[str, str, str, str]]:
    """What it is, what it changes, its medians and ranges by rung, and what became of it."""
    for arm in trials.arms:
        said = " then ".join(map(_spread, arm.rungs)) or "not tried"
        outcome = f"{arm.outcome}: {arm.why}" if arm.why else arm.outcome
        yield _named(arm), arm.change, said, outcome


def _named(arm: TrialArm) -> str:
    return f"{arm.number}. {arm.title}" if arm.number else arm.title


def _spread(sizes: tuple[float | None, ...]) -> str:
    known = [s for s in sizes if s is not None]
    broken = len(sizes) - len(known)
    lost = f" ({broken} of {len(sizes)} broke)" if broken else ""
    if not known:
        return "broke"
    spread = f"[{min(known):.2g}, {max(known):.2g}]" if len(known) > 1 else "(one training)"
    return f"{statistics.median(known):.2g} {spread}{lost}"
