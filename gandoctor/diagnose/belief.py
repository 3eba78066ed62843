"""From answers and sizes to a belief: how surely a run has failed, and what made it so.

Each piece of evidence gives nats, for the run's having failed or against it. Evidence that says one
thing in several ways stands in one group, where the strongest witness counts whole and each further
one half of the one before. Rules that do not hold are one such group, all of them. What could not
be asked, or is not about this game, adds nothing.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from gandoctor.diagnose.asking import applies, few_points
from gandoctor.diagnose.wording import percent
from gandoctor.lang.sizes import size_of
from gandoctor.model.belief import (
    CLEAR,
    DISCOUNT,
    DISCOUNT_CLEARED,
    HOLDS,
    ON_TRIAL,
    RISK,
    Belief,
    Parameter,
    Piece,
    RuleWeight,
    Sign,
    Weights,
    probability,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gandoctor.diagnose.asking import Answer
    from gandoctor.lang.evaluate import Frame, Outcome
    from gandoctor.lang.tree import Node
    from gandoctor.model.belief import Measure
    from gandoctor.model.rules import Rule
    from gandoctor.model.signals import Run

# A rule that holds by this much of its threshold or more counts whole; one that only just does
# counts `JUST` of it.
FULL_MARGIN: Final = 0.25
JUST: Final = 0.5
# A rule that misses its threshold by less than this is no evidence against, but a little of what it
# would be for.
NEAR_MISS: Final = 0.15
NEARLY: Final = 0.4
# Where a pixel, mel or feature loss leads G, D may win as it likes; a relativistic D, which only
# compares pairs, does so in healthy runs. What the two losses do counts half there.
LED: Final = 0.5
OF_THE_GAME: Final = frozenset({"dominance", "course"})
# A size of fewer rows than these is no size of a loss.
FEWEST: Final = 20
# What rests on a chance level that is a guess counts half as well.
GUESS: Final = 0.5
CHANCE: Final = frozenset({"chance_d", "chance_g"})
CLEARED: Final = "cleared"  # what rules that do not hold are discounted with, whatever their group
SETTINGS: Final = "settings"  # the group of doubtful settings
_GROUPS: Final[Mapping[str, str]] = {
    "discriminator-dominance": "dominance",
    "weak-discriminator": "dominance",
    "vanishing-generator-gradient": "gradients",
    "exploding-or-nan": "explosion",
    "generator-divergence": "course",
    "oscillation": "stability",
    "mode-collapse": "dominance",  # told from losses alone: D has won, or is blind
    "data-range-mismatch": "range",
    "discriminator-overfitting": "overfitting",
    "no-convergence": "progress",
}


def group_of(rule: Rule) -> str:
    """The group of a rule: its own word, else the samples' it looks at, else its symptom's."""
    if rule.group:
        return rule.group
    if rule.kind == "risk":
        return SETTINGS
    # What a rule is about stands first; good samples among its exceptions make it no rule about
    # samples.
    first = next((c.where.signals for c in rule.clauses if c.where is not None), ())
    if any(n.startswith("sample_") for n in first):
        return "samples"
    return _GROUPS[rule.symptom or ""]


# ---------------------------------------------------------------- what was seen


def signs_of(
    run: Run, measures: Iterable[Measure], answers: Sequence[Answer], frames: Mapping[str, Frame]
) -> list[Sign]:
    """What every rule that was really asked and every measure says, once over all networks."""
    by_rule: dict[str, list[Answer]] = {}
    for answer in answers:
        by_rule.setdefault(answer.rule.id, []).append(answer)
    led = bool(run.objective.led_by) or run.objective.family == "relativistic"
    signs: list[Sign | None] = []
    for of_one in by_rule.values():
        asked = [a for a in of_one if a.asked]
        if asked:
            told = next((a for a in asked if a.truth), asked[0])
            signs.append(of_rule(told.rule, told.truth, told.outcomes, led=led))
    about_it = (m for m in measures if applies(m.applies_to, run)[0] is not False)
    guessed = run.objective.confidence == "low"
    signs += [of_measure(m, frames.values(), guessed=guessed) for m in about_it]
    return [s for s in signs if s is not None]


def of_rule(
    rule: Rule, truth: bool | None, outcomes: Mapping[str, Outcome], *, led: bool = False
) -> Sign | None:
    """What the answer of a rule says; None where it was not really asked.

    In full, where it is to speak for health.

    Parameters
    ----------
    rule : Rule
    truth : bool or None
    outcomes : Mapping of str to Outcome
        Of its clauses; empty where the rule is not about this game.
    led : bool
        Whether another loss than D's leads G, or D compares pairs.
    """
    if truth is None or not outcomes:
        return None
    holds: Parameter = ("rule", rule.id, 0)
    clear: Parameter = ("rule", rule.id, 1)
    if rule.kind == "risk":
        return Sign(rule.id, SETTINGS, ((holds, 1.0),), rule.title) if truth else None
    if not truth and any(o.truth is None for o in outcomes.values()):
        # what decided it is that something else was wanting: of what was not logged it says nothing
        return None
    margin = _margin(rule.when.tree, outcomes)
    if truth:
        size = JUST + (1 - JUST) * min(1.0, (1.0 if margin is None else abs(margin)) / FULL_MARGIN)
        group = group_of(rule)
        size *= LED if led and group in OF_THE_GAME else 1.0
        return Sign(rule.id, group, ((holds, size),), rule.title, rule.symptom or "")
    near = 0.0 if margin is None else max(0.0, 1 - abs(margin) / NEAR_MISS)
    parts = ((clear, 1 - near), (holds, NEARLY * near)) if near else ((clear, 1.0),)
    return Sign(rule.id, group_of(rule), parts, f"not so: {rule.title}", rule.symptom or "")


def _margin(node: Node, outcomes: Mapping[str, Outcome]) -> float | None:
    """How far the whole is from flipping: positive where it holds; None where nothing tells."""
    if node.op == "clause":
        outcome = outcomes.get(node.name)
        if outcome is None or outcome.truth is None:
            return None
        size = 1.0 if outcome.margin is None else abs(outcome.margin)
        return size if outcome.truth else -size
    parts = [_margin(arg, outcomes) for arg in node.args]
    if node.op == "not":
        return None if parts[0] is None else -parts[0]
    known = [p for p in parts if p is not None]
    if not known:
        return None
    if node.op == "or":
        return max(known)
    # What `and` joins fails by the sum of what is missing: three conditions that are a little short
    # are not one.
    short = [p for p in known if p < 0]
    return sum(short) if short else min(known)


def of_measure(measure: Measure, frames: Iterable[Frame], *, guessed: bool = False) -> Sign | None:
    """What a size says, as the mean over the networks that have it.

    None where none has, or few points of it.

    `guessed`: where the game's chance levels lie is a guess; what rests on them counts less, and
    names nothing.
    """
    told = [f for f in frames if not few_points(measure.value.names, f, FEWEST)]
    values = [
        s.value
        for f in told
        for s in [size_of(measure.value, measure.over, f)]
        if s.value is not None
    ]
    if not values:
        return None
    parts: dict[Parameter, float] = {}
    size = GUESS if guessed and CHANCE & set(measure.value.names) else 1.0
    for value in values:
        for knot, share in measure.curve.shares(value):
            key: Parameter = ("measure", measure.id, knot)
            parts[key] = parts.get(key, 0.0) + share * size / len(values)
    worst = max(values, key=measure.curve.at)
    symptom = measure.low if measure.curve.low_side(worst) else measure.high
    symptom = symptom if size == 1.0 else ""  # a guess names nothing
    text = measure.says.replace("{value}", _shown(worst)).replace("{value:%}", percent(worst))
    return Sign(measure.id, measure.group, tuple(parts.items()), text, symptom)


def _shown(value: float) -> str:
    return f"{value:.3g}"


# ---------------------------------------------------------------- what it is worth


def parameter(
    key: Parameter, weights: Weights, rules: Mapping[str, Rule], measures: Mapping[str, Measure]
) -> float:
    """The nats of one parameter: fitted, or what its own file says."""
    kind, name, index = key
    if kind == "measure":
        fitted = weights.measures.get(name)
        return fitted[index] if fitted else measures[name].curve.nats[index]
    weight = weights.rules.get(name) or before_counting(rules[name])
    return weight.clear if index else weight.holds


def before_counting(rule: Rule) -> RuleWeight:
    """What a rule is worth before anybody has counted."""
    if rule.nats is not None:  # it is about something rare: that it is not so says nothing
        return RuleWeight(rule.nats, 0.0)
    if rule.kind == "risk":
        return RuleWeight(RISK, 0.0)
    return RuleWeight(ON_TRIAL if rule.status == "preview" else HOLDS[rule.severity], CLEAR)


def believe(
    signs: Sequence[Sign],
    weights: Weights,
    rules: Mapping[str, Rule],
    measures: Mapping[str, Measure],
) -> Belief:
    """Add up what was seen.

    Parameters
    ----------
    signs : sequence of Sign
    weights : Weights
    rules, measures : Mapping of str
        By id.

    Returns
    -------
    Belief
        Its pieces in the order of what they weigh, the base rate first.
    """
    worth = {
        sign: sum(share * parameter(key, weights, rules, measures) for key, share in sign.parts)
        for sign in signs
    }
    counted = discounts([(witness_of(s), worth[s]) for s in signs])
    pieces = [
        Piece(s.evidence, s.group, worth[s] * factor, s.text, s.symptom)
        for s, factor in zip(signs, counted, strict=True)
    ]
    pieces.sort(key=lambda p: (-abs(p.nats), p.evidence))
    base = Piece(
        "base-rate", "base", weights.base, "of the runs that were counted, so many had failed"
    )
    total = math.fsum(p.nats for p in (base, *pieces))
    groups = frozenset(s.group for s in signs if s.group != SETTINGS)
    return Belief(probability(total), (base, *pieces), groups)


def witness_of(sign: Sign) -> str:
    """With which others a sign is discounted: its group's, or all rules that do not hold.

    A fault shows in one group or two. That rules of all the others do not hold is no news then, and
    must not outvote it: together they say that nothing of the usual was found.
    """
    cleared = all(kind == "rule" and index == 1 for (kind, _, index), _ in sign.parts)
    return CLEARED if cleared else sign.group


def discounts(weighed: Sequence[tuple[str, float]]) -> list[float]:
    """How much of each piece counts.

    Within a group and a sign, the strongest whole, each further one by a factor less.

    Parameters
    ----------
    weighed : sequence of (group, nats)
        The group as `witness_of` gives it.
    """
    order = sorted(range(len(weighed)), key=lambda i: -abs(weighed[i][1]))
    seen: dict[tuple[str, bool], int] = {}
    factors = [1.0] * len(weighed)
    for i in order:
        group, nats = weighed[i]
        rank = seen.get((group, nats > 0), 0)
        seen[group, nats > 0] = rank + 1
        factors[i] = (DISCOUNT_CLEARED if group == CLEARED else DISCOUNT) ** rank
    return factors
