"""How much evidence says about whether a run has failed, in nats, and what it adds up to."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import field
from typing import TYPE_CHECKING, Final, Literal

from gandoctor.model.measured import Share
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gandoctor.lang.tree import Expression
    from gandoctor.lang.window import Window
    from gandoctor.model.rules import Reference

Scale = Literal["linear", "log"]
# A second witness of the same thing counts half as much as the first, the third half as much as the
# second.
DISCOUNT: Final = 0.5
# Of rules that do not hold, each is somewhat of its own: they are about different faults.
DISCOUNT_CLEARED: Final = 0.7
# What a rule says before anybody has counted: by severity where it holds, and where it was asked
# and does not.
HOLDS: Final[Mapping[str, float]] = {"high": 1.5, "medium": 0.9, "low": 0.4}
ON_TRIAL: Final = 0.5  # a rule on trial says so much, whatever its severity
CLEAR: Final = -0.2
_NONE: Final = Share(0, 0)
RISK: Final = 0.1  # what a doubtful setting adds


@dataclass(frozen=True, slots=True)
class Curve:
    """Nats over a number, piecewise linear and level beyond its ends.

    Attributes
    ----------
    knots : tuple of float, shape (k,)
        Rising, k >= 2.
    nats : tuple of float, shape (k,)
        For "this run has failed" where positive, against it where negative.
    scale : str
        ``log``: between knots it is linear in ``sign(x) log(1 + |x|)``; ``linear``: in x.
    """

    knots: tuple[float, ...]
    nats: tuple[float, ...]
    scale: Scale = "linear"

    def shares(self, value: float) -> tuple[tuple[int, float], ...]:
        """Which knots a value lies between, and how much of each it is.

        ((index, share), ...), shares sum to 1.
        """
        at = [self._scaled(k) for k in self.knots]
        x = min(max(self._scaled(value), at[0]), at[-1])
        right = min(bisect_right(at, x), len(at) - 1)
        part = (x - at[right - 1]) / (at[right] - at[right - 1])
        return tuple((i, s) for i, s in ((right - 1, 1 - part), (right, part)) if s)

    def at(self, value: float) -> float:
        """Nats that a value is worth."""
        return sum(self.nats[i] * share for i, share in self.shares(value))

    def low_side(self, value: float) -> bool:
        """Whether a value lies below the one that speaks most for a healthy run."""
        return value < self.knots[self.nats.index(min(self.nats))]

    def _scaled(self, x: float) -> float:
        return math.copysign(math.log1p(abs(x)), x) if self.scale == "log" else x


@dataclass(frozen=True, slots=True)
class Measure:
    """A size in the rule language, and what it is worth.

    Attributes follow the keys of the YAML file.

    `low` and `high` are the symptoms that a value on either side of the best one speaks for; empty:
    none.
    """

    id: str
    group: str
    title: str
    value: Expression
    over: Window
    curve: Curve
    applies_to: Mapping[str, tuple[str, ...]]
    why: str
    says: str
    low: str = ""
    high: str = ""
    references: tuple[Reference, ...] = ()
    file: str = ""


@dataclass(frozen=True, slots=True)
class RuleWeight:
    """What the answer of a rule is worth.

    Where it holds, and where it was really asked and does not.

    `fired` and `asked` are the runs that it rests on: how many of them had failed.
    """

    holds: float
    clear: float
    fired: Share = _NONE
    asked: Share = _NONE


@dataclass(frozen=True, slots=True)
class Cuts:
    """Where the verdicts lie.

    `failing` and `warning` from these probabilities on, `healthy` below its own.

    `seen` takes the place of `failing` where samples were measured: what they show is told more
    surely.
    """

    failing: float = 0.8
    seen: float = 0.7
    warning: float = 0.6
    healthy: float = 0.4


@dataclass(frozen=True, slots=True)
class Weights:
    """Fitted numbers; what is not in them keeps what its own file says.

    Attributes
    ----------
    base : float
        Log-odds that a run has failed before anything is known of it.
    measures : Mapping of str to tuple of float
        Measure to the nats at its knots.
    rules : Mapping of str to RuleWeight
    cuts : Cuts
    cases : Mapping of str to Share
        Measure to the runs that had it: how many of them had failed.
    """

    base: float = 0.0
    measures: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    rules: Mapping[str, RuleWeight] = field(default_factory=dict)
    cuts: Cuts = Cuts()
    cases: Mapping[str, Share] = field(default_factory=dict)


Parameter = tuple[str, str, int]
"""What is fitted: (``measure``, id, knot) or (``rule``, id, 0 where it holds, 1 where clear)."""


@dataclass(frozen=True, slots=True)
class Sign:
    """What one piece of evidence said of a run, before it is weighed.

    Attributes
    ----------
    evidence, group : str
    parts : tuple of (Parameter, float)
        Its nats are the sum of share times parameter: linear, so that parameters can be fitted.
    text : str
    symptom : str
        What it speaks for where it speaks against the run; empty where it names nothing.
    """

    evidence: str
    group: str
    parts: tuple[tuple[Parameter, float], ...]
    text: str
    symptom: str = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """What one piece of evidence adds to the belief, in nats; positive: that the run has failed."""

    evidence: str
    group: str
    nats: float
    text: str
    symptom: str = ""


@dataclass(frozen=True, slots=True)
class Belief:
    """How surely a run has failed.

    Attributes
    ----------
    p : float
        Probability, 0 to 1.
    pieces : tuple of Piece
        From the base rate to the end; their nats sum to the log-odds of `p`.
    groups : frozenset of str
        Groups of which something was really asked.
    """

    p: float
    pieces: tuple[Piece, ...] = ()
    groups: frozenset[str] = frozenset()


def probability(nats: float) -> float:
    """Log-odds to a probability."""
    return 1 / (1 + math.exp(-nats)) if nats > -700 else 0.0


def in_per_cent(p: float) -> str:
    """``93 %``; what is not certain is never shown as 0 or 100."""
    if p < 0.01:
        return "under 1 %"
    return "over 99 %" if p > 0.99 else f"{100 * p:.0f} %"
