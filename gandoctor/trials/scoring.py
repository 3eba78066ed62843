"""How a short training went: what its own log says, by the best judge that all arms have."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor import api
from gandoctor.errors import GandoctorError
from gandoctor.model.roles import by_trust
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from gandoctor.model.signals import Run

BELIEF: Final = "belief"
LATE: Final = 2 / 3  # of the steps: from there on a judge is asked


@dataclass(frozen=True, slots=True)
class Scored:
    """What a training's log says.

    Attributes
    ----------
    sizes : Mapping of str to float
        Judge (a role, or ``belief``) -> how bad, lower is better; those most trusted first.
    fault : str
        Why there is none.
    """

    sizes: Mapping[str, float]
    fault: str = ""


def scored(out: Path, options: api.Options) -> Scored:
    """Read and judge what a training left behind."""
    try:
        cases = list(api.cases(out, options))
        if not cases:
            return Scored({}, "no log was found")
        case = max(cases, key=lambda c: c.run.last_step)
        sizes = dict(_judged(case.run))
        p = case.report().p_failing
    except GandoctorError as e:
        return Scored({}, str(e))
    if p is not None:
        sizes[BELIEF] = p
    return Scored(sizes)


def _judged(run: Run) -> list[tuple[str, float]]:
    found = []
    for role in by_trust(run.roles.values(), "metric", "samples"):
        if not role.vouches:  # it tells one side alone
            continue
        signals = [s for s in run.by_role(role.name) if len(s) and not s.rank]
        if not signals:
            continue
        signal = max(signals, key=len)
        steps, values = signal.steps, signal.values
        late = values[steps >= steps[0] + LATE * (steps[-1] - steps[0])]
        size = float(np.median(late)) if np.isfinite(late).all() else math.inf
        found.append((role.name, -role.sign * size if math.isfinite(size) else math.inf))
    return found


def judge_of(all_scored: Sequence[Scored]) -> str:
    """The best judge that nearly all trainings have: a curve of quality, else the belief."""
    told = [s for s in all_scored if s.sizes]
    judges = dict.fromkeys(name for s in told for name in s.sizes if name != BELIEF)
    for name in judges:
        if sum(name in s.sizes for s in told) >= 0.8 * len(told):
            return name
    return BELIEF
