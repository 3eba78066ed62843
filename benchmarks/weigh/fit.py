"""Weights by penalised logistic regression.

What each file says is the prior, few cases move it little.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize

from gandoctor.diagnose.belief import before_counting, discounts, group_of, witness_of
from gandoctor.model.belief import Parameter, RuleWeight, Weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from benchmarks.weigh.gather import Seen
    from gandoctor.model.rules import Rule, Rulebook

# How strongly a parameter is held to what its file says, and a knot's change to that of its
# neighbours: as many half-informative cases as it takes to move it half the way. Code bases that
# were left out were told best by weights that moved least.
HOLD = 10.0
SMOOTH = 10.0
# Before anything is seen, the belief is the share of failures: else it would be fitted to what most
# runs of the zoos bring along and few real ones do, a config above all.
HOLD_BASE = 30.0
# How much a run of a source counts: trainings of tiny networks are many and alike.
SOURCE_WEIGHT = {"zoo": 0.5, "pictures": 0.5, "real": 1.0}
# How many runs have failed of those that nobody chose: 47 of 103 public logs of 86 code bases whose
# outcome could be told. A zoo is broken on purpose, a corpus is what its collector sought:
# the failed and the healthy runs of each source count as if they were so many.
FAILED = 0.46
# Groups whose rules are worth what the zoo counted, from so many runs on; no rule is worth more
# than this.
COUNTED = frozenset({"samples", "explosion"})
FEWEST = 10
MOST = 3.5
ROUNDS = 6  # the discounts within a group depend on the weights, the weights on them


@dataclass
class Space:
    """The parameters that the evidence has, in order, and what is known of them beforehand."""

    keys: list[Parameter]
    prior: NDArray[np.float64]
    penalty: NDArray[np.float64]

    def weights(self, values: NDArray[np.float64], book: Rulebook) -> Weights:
        """Values as weights; the last value is the base."""
        of = dict(zip(self.keys, values.tolist(), strict=False))
        return Weights(
            base=float(values[-1]),
            measures={
                m.id: tuple(of["measure", m.id, i] for i in range(len(m.curve.knots)))
                for m in book.measures
            },
            rules={
                r.id: RuleWeight(of["rule", r.id, 0], of["rule", r.id, 1])
                for r in book.rules
                if r.status != "retired"
            },
            cuts=book.weights.cuts,
        )


def expected(rule: Rule) -> RuleWeight:
    """What a rule is worth beforehand.

    Rules that look at samples measure what the zoo measures, so its counts
    (``rules/measured.yaml``) count: the lower bound of their precision against the base rate. What
    the losses of tiny networks do does not hold for others.
    """
    weight = before_counting(rule)
    record = rule.measured.zoo if rule.measured else None
    if record is None or group_of(rule) not in COUNTED or record.fired < FEWEST:
        return weight
    lower = record.precision.lower
    return RuleWeight(
        max(weight.holds, min(MOST, float(np.log(lower / (1 - lower))))), weight.clear
    )


def space(book: Rulebook) -> Space:
    """All parameters of a rule book; it is read whole, with what was counted."""
    keys: list[Parameter] = []
    prior: list[float] = []
    smooth: list[tuple[int, int]] = []
    for m in book.measures:
        start = len(keys)
        keys += [("measure", m.id, i) for i in range(len(m.curve.knots))]
        prior += m.curve.nats
        smooth += [(i, i + 1) for i in range(start, len(keys) - 1)]
    for rule in (r for r in book.rules if r.status != "retired"):
        weight = expected(rule)
        keys += [("rule", rule.id, 0), ("rule", rule.id, 1)]
        prior += [weight.holds, weight.clear]
    n = len(keys) + 1
    penalty = HOLD * np.eye(n)
    penalty[-1, -1] = HOLD_BASE
    for i, j in smooth:
        penalty[np.ix_((i, j), (i, j))] += SMOOTH * np.array([[1, -1], [-1, 1]])
    return Space(keys, np.array([*prior, np.log(FAILED / (1 - FAILED))]), penalty)


def known(seen: Sequence[Seen], at: Space) -> list[Seen]:
    """What was seen, without signs of rules and measures that are gone or have other knots now."""
    keys = frozenset(at.keys)
    return [
        replace(one, signs=tuple(s for s in one.signs if all(key in keys for key, _ in s.parts)))
        for one in seen
    ]


def design(seen: Sequence[Seen], at: Space, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shares of every parameter in every run, discounted as `believe` does with these values."""
    column = {key: i for i, key in enumerate(at.keys)}
    rows = np.zeros((len(seen), len(at.keys) + 1))
    rows[:, -1] = 1.0
    for row, one in zip(rows, seen, strict=True):
        worth = [sum(share * values[column[key]] for key, share in s.parts) for s in one.signs]
        counted = discounts([(witness_of(s), w) for s, w in zip(one.signs, worth, strict=True)])
        for sign, factor in zip(one.signs, counted, strict=True):
            for key, share in sign.parts:
                row[column[key]] += factor * share
    return rows


def counting(seen: Sequence[Seen]) -> NDArray[np.float64]:
    """How much each run counts, shape (n,): by its source, `FAILED` of which have failed."""
    failed = np.array([s.run.failed for s in seen])
    source = np.array([s.run.source for s in seen])
    weight = np.array([SOURCE_WEIGHT[s] for s in source])
    for name in set(source.tolist()):
        share = failed[source == name].mean()
        if 0 < share < 1:
            weight[(source == name) & failed] *= FAILED / share
            weight[(source == name) & ~failed] *= (1 - FAILED) / (1 - share)
    return weight


def fit(seen: Sequence[Seen], at: Space) -> NDArray[np.float64]:
    """Parameters that explain the outcomes, held to what the files say."""
    failed = np.array([s.run.failed for s in seen], dtype=float)
    weight = counting(seen)
    values = at.prior
    bounds = [*map(_signed, at.keys, at.prior), (None, None)]
    for _ in range(ROUNDS):
        rows = design(seen, at, values)

        def loss(
            b: NDArray[np.float64], rows: NDArray[np.float64] = rows
        ) -> tuple[float, NDArray[np.float64]]:
            z, off = rows @ b, b - at.prior
            miss = weight * (1 / (1 + np.exp(-z)) - failed)
            cost = float(
                (weight * (np.logaddexp(0, z) - failed * z)).sum() + 0.5 * off @ at.penalty @ off
            )
            return cost, rows.T @ miss + at.penalty @ off

        values = minimize(loss, values, jac=True, method="L-BFGS-B", bounds=bounds).x
    return np.asarray(values)


def _signed(key: Parameter, prior: float) -> tuple[float | None, float | None]:
    """Bounds of a parameter: whatever few runs say, a clear rule is no news against the run."""
    kind, _, part = key
    return (None, max(0.0, prior)) if (kind, part) == ("rule", 1) else (None, None)


def beliefs(seen: Sequence[Seen], at: Space, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probability that each run has failed."""
    return np.asarray(1 / (1 + np.exp(-(design(seen, at, values) @ values))))


def left_out(seen: Sequence[Seen], at: Space, folds: int = 10) -> NDArray[np.float64]:
    """Probabilities by weights that were fitted without the run's own group (code base)."""
    groups = sorted({s.run.group for s in seen})
    fold = {group: i % folds for i, group in enumerate(groups)}
    out = np.zeros(len(seen))
    for k in range(folds):
        inside = [i for i, s in enumerate(seen) if fold[s.run.group] == k]
        values = fit([s for s in seen if fold[s.run.group] != k], at)
        out[inside] = beliefs([seen[i] for i in inside], at, values)
    return out


def auc(p: NDArray[np.float64], failed: NDArray[np.bool_]) -> float:
    """Chance that a failed run is believed more than a healthy one (0.5 is none)."""
    bad, good = p[failed], p[~failed]
    return float(
        ((bad[:, None] > good).sum() + 0.5 * (bad[:, None] == good).sum()) / (bad.size * good.size)
    )


def calibration_error(p: NDArray[np.float64], failed: NDArray[np.bool_], bins: int = 5) -> float:
    """Expected calibration error over equal bins, weighted by count."""
    at = np.minimum(bins - 1, (p * bins).astype(int))
    return float(
        sum(
            (at == k).mean() * abs(p[at == k].mean() - failed[at == k].mean())
            for k in set(at.tolist())
        )
    )
