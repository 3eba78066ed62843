"""Where each run was at its best, and when the run after had caught up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.compare.measures import pairs
from gandoctor.compare.series import smooth, values_of
from gandoctor.compare.sides import same_unit
from gandoctor.model.comparison import Best
from gandoctor.model.roles import by_trust

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gandoctor.model.report import Report, SignalNote
    from gandoctor.model.roles import Judges, Role

_WITH_BEST: Final[tuple[Judges, ...]] = ("metric", "loss")  # samples are looked at too rarely
FAMILIES_WITHOUT_LEVEL: Final = frozenset({"wgan", "wgan-gp", "unknown", "other"})


def best_points(
    before: Report, after: Report, roles: Mapping[str, Role]
) -> tuple[Best | None, Best | None]:
    """Of each run; by the same judge where they have one in common."""
    for role in by_trust(roles.values(), *_WITH_BEST):
        for a, b in pairs(before, after, role):
            ours = _best(before, a, role.sign) if a is not None else None
            theirs = _best(after, b, role.sign) if b is not None else None
            if ours is not None and theirs is not None:
                return ours, theirs
    return _own_best(before, roles), _own_best(after, roles)


def _own_best(report: Report, roles: Mapping[str, Role]) -> Best | None:
    judges = by_trust(roles.values(), *_WITH_BEST)
    notes = [(s, role) for role in judges for s in report.signals if s.role == role.name]
    points = (_best(report, s, role.sign) for s, role in notes)
    found = next((b for b in points if b is not None), None)
    return found or _lowest_g_loss(report)


def _lowest_g_loss(report: Report) -> Best | None:
    """For want of a quality metric.

    Where G's loss was lowest, in a run that went wrong and whose losses have a level.

    In a healthy run G's loss is often lowest before D has learnt anything.
    """
    if (
        report.verdict not in ("failing", "warning")
        or report.run.objective.family in FAMILIES_WITHOUT_LEVEL
    ):
        return None
    notes = [s for s in report.signals if s.role == "g_loss" and s.split != "val"]
    return _best(report, max(notes, key=lambda s: s.points), -1, weak=True) if notes else None


def _best(report: Report, s: SignalNote, sign: int, *, weak: bool = False) -> Best | None:
    series = report.series.get(s.tag)
    if series is None:
        return None
    steps, values = np.array(series.steps, dtype=np.int64), values_of(report, s)
    finite = np.isfinite(values)
    if np.count_nonzero(finite) < 3:
        return None
    steps, values = steps[finite], smooth(values[finite])
    at = int(np.argmax(sign * values))
    first, last = report.run.first_step, report.run.last_step
    share = (last - int(steps[at])) / (last - first) if last > first else 0.0
    return Best(s.role, s.tag, int(steps[at]), float(values[at]), min(1.0, max(0.0, share)), weak)


def caught_up(
    before: Report,
    after: Report,
    best: tuple[Best | None, Best | None],
    roles: Mapping[str, Role],
) -> int | None:
    """Where the run after was first as good as the run before ever was."""
    ours, theirs = best
    if ours is None or theirs is None or ours.weak or theirs.weak or ours.role != theirs.role:
        return None
    series = after.series.get(theirs.tag)
    if series is None or not same_unit(before, after):
        return None
    note = next(s for s in after.signals if s.tag == theirs.tag)
    values = values_of(after, note)
    finite = np.isfinite(values)
    sign = roles[ours.role].sign
    there = np.flatnonzero(sign * smooth(values[finite]) >= sign * ours.value)
    return int(np.array(series.steps)[finite][there[0]]) if len(there) else None
