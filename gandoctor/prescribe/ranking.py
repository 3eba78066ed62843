"""Which prescriptions are given, in which order: by how likely they cure what is wrong."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, TypeAlias

from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gandoctor.model.report import Diagnosis, Prescription
    from gandoctor.model.rules import Measured, Remedy

MOST_PER_DIAGNOSIS: Final = 3
# A diagnosis is at least this many nats less likely than the one placed before it.
STEP_DOWN: Final = 0.5
# A remedy's `treats` weight counts as much as this many trainings.
PRIOR_TRIALS: Final = 4
_EFFORTS: Final = ("config", "code", "data")
_RISKS: Final = ("safe", "trial", "advice")
# (file, key) -> new value; canonical names and no file where the config does not have it
Touched: TypeAlias = dict[tuple[str, str], str]


def cure_rate(remedy: Remedy, cause: str, measured: Measured | None = None) -> float:
    """How often a remedy cures what a cause did.

    Its ``treats`` weight, as if that had been seen in `PRIOR_TRIALS` trainings, together with what
    was measured: the mean of the Beta distribution that follows.

    Parameters
    ----------
    remedy : Remedy
    cause : str
    measured : Mapping of str to Mapping of str to (int, int), optional
        By remedy and cause: cured, tried.

    Returns
    -------
    float
        Between 0 and 1; 0 for a cause that the remedy does not treat.
    """
    prior = remedy.treats.get(cause, 0.0)
    if not prior:
        return 0.0
    cured, tried = (measured or {}).get(remedy.id, {}).get(cause, (0, 0))
    return (cured + PRIOR_TRIALS * prior) / (tried + PRIOR_TRIALS)


def chances(diagnoses: Sequence[Diagnosis]) -> list[float]:
    """How likely each diagnosis is the right one.

    Scores are log-odds, and each place in the order counts too.

    A cause that stands first for being deeper may have the lower score.
    """
    levels: list[float] = []
    for d in diagnoses:
        levels.append(min(d.score, levels[-1] - STEP_DOWN) if levels else d.score)
    top = max(levels, default=0.0)
    weights = [math.exp(level - top) for level in levels]
    return [w / sum(weights) for w in weights]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A prescription that may be given.

    Attributes
    ----------
    remedy : Remedy
    made : Prescription
    expected : float
        How likely it cures the run.
    touched : dict of (str, str) to str
        The new value of each key of a file.
    moves : Mapping of str to int
        Which way each setting goes: 1 up, -1 down.
    """

    remedy: Remedy
    made: Prescription
    expected: float
    touched: Touched
    moves: Mapping[str, int]

    def contradicts(self, other: Candidate) -> bool:
        """Declared so, or one setting gets two values, or goes up here and down there."""
        return (
            other.remedy.id in self.remedy.not_with
            or self.remedy.id in other.remedy.not_with
            or any(other.touched.get(place, new) != new for place, new in self.touched.items())
            or any(other.moves.get(name, way) != way for name, way in self.moves.items())
        )

    def order(self) -> tuple[bool, float, int, int, str]:
        """By expected cure, cheapest and safest first on ties.

        Last what is blocked and has no snippet either.
        """
        r = self.remedy
        return (
            self.made.blocked_by is not None and self.made.snippet is None,
            -round(self.expected, 6),
            _EFFORTS.index(r.effort),
            _RISKS.index(r.risk),
            r.id,
        )


def chosen(ranked: Iterable[Candidate]) -> tuple[Prescription, ...]:
    """The best of them: at most three a cause, never two that contradict each other.

    What is blocked never stands first, unless all is.
    """
    taken: list[Candidate] = []
    count: dict[str, int] = {}
    for c in ranked:
        if any(c.contradicts(t) or _says_the_same(c, t) for t in taken):
            continue
        if count.get(c.made.cause, 0) >= MOST_PER_DIAGNOSIS:
            continue
        count[c.made.cause] = count.get(c.made.cause, 0) + 1
        taken.append(c)
    made = [c.made for c in taken]
    free = next((i for i, p in enumerate(made) if p.blocked_by is None), 0)
    return (*made[free : free + 1], *made[:free], *made[free + 1 :])


def _says_the_same(a: Candidate, b: Candidate) -> bool:
    if a.touched or b.touched:
        return a.touched == b.touched
    return a.made.snippet is not None and a.made.snippet == b.made.snippet
