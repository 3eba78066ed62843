"""Rules, causes and remedies as frozen values.

The YAML they come from is read by `gandoctor.rulebook`.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Final, Literal, Protocol, TypeAlias

from gandoctor.model.belief import Weights
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gandoctor.lang.tree import Expression
    from gandoctor.lang.window import Amount, Window
    from gandoctor.model.belief import Measure
    from gandoctor.model.measured import Share, Tallies

Severity = Literal["high", "medium", "low"]
SEVERITIES: Final[tuple[Severity, ...]] = ("high", "medium", "low")
SYMPTOMS: Final[tuple[str, ...]] = (
    "discriminator-dominance",
    "vanishing-generator-gradient",
    "exploding-or-nan",
    "mode-collapse",
    "oscillation",
    "weak-discriminator",
    "generator-divergence",
    "data-range-mismatch",
    "discriminator-overfitting",
    "no-convergence",
)


_FEWEST_CURES: Final = 2
BEST_STEP: Final = "best_step"


@dataclass(frozen=True, slots=True)
class Clause:
    """One named piece of evidence.

    Attributes
    ----------
    name : str
    where : Expression or None
        The test, over signals and numbers.
    given : Mapping of str to tuple of str
        Settings that are words, each with the words it may be.
    over : Window
        The part of the run that is looked at.
    for_ : Amount
        How much of it has to pass the test.
    says : str
        The finding in words, with ``{share}``, ``{first}``, ``{last}`` and ``{sub-expression}``
        places.
    shared : str
        The piece of shared evidence that it is; empty where it is the rule's own.
    """

    name: str
    where: Expression | None
    given: Mapping[str, tuple[str, ...]]
    over: Window
    for_: Amount
    says: str = ""
    shared: str = ""


@dataclass(frozen=True, slots=True)
class Reference:
    """A source, and what it says."""

    url: str
    says: str


@dataclass(frozen=True, slots=True)
class FalsePositive:
    """When a rule is wrong, and what to do then."""

    when: str
    do: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """A clause that several rules refer to by its name.

    Attributes follow the keys of the YAML file; `clause` is its ``where``, ``given``, ``over``,
    ``for`` and ``says``, as in a rule.
    """

    id: str
    title: str
    why: str
    clause: Clause
    references: tuple[Reference, ...] = ()
    file: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """Detects one symptom, or one risk. Attributes follow the keys of the YAML file.

    `stable_because` says why a rule is stable that measurements alone do not show to be; `measured`
    is how it did, None where nobody has counted; `group` is what it is counted with, where its
    symptom does not tell; `nats` what it is worth where it holds, where its severity does not tell.
    """

    id: str
    kind: Literal["symptom", "risk"]
    symptom: str | None
    title: str
    severity: Severity
    status: Literal["preview", "stable", "retired"]
    since: str
    applies_to: Mapping[str, tuple[str, ...]]
    why: str
    clauses: tuple[Clause, ...]
    when: Expression
    false_positives: tuple[FalsePositive, ...]
    references: tuple[Reference, ...]
    confidence: Literal["high", "medium", "low"] = "medium"
    settings: tuple[str, ...] = ()
    log_it: str = ""
    file: str = ""
    stable_because: str = ""
    measured: Tallies | None = None
    group: str = ""
    nats: float | None = None


@dataclass(frozen=True, slots=True)
class Term:
    """One reason for or against a cause.

    A clause over settings, facts, signals, symptoms and rules that fired.

    Attributes
    ----------
    clause : Clause
        ``if:`` of the YAML file is its `where`; ``given``, ``over`` and ``for`` as in a rule.
    weight : float
        Log-odds in nats; positive also where it counts against.
    says : str
        The reason in words, with ``{name}`` places filled from the run; empty: the condition's own
        text.
    """

    clause: Clause
    weight: float
    says: str = ""


@dataclass(frozen=True, slots=True)
class Cause:
    """What is to blame. Attributes follow the keys of the YAML file.

    `common` causes may be suspected from symptoms alone; every other needs a reason of its own (a
    ``for`` that holds). `measured` is how often it was right when it was named first.
    """

    id: str
    title: str
    story: str
    explains: Mapping[str, float]
    for_: tuple[Term, ...]
    against: tuple[Term, ...]
    settings: tuple[str, ...]
    deeper_than: tuple[str, ...] = ()
    prior: float = 0.0
    common: bool = False
    references: tuple[Reference, ...] = ()
    file: str = ""
    measured: Share | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One change of one setting, relative to the user's own value for `multiply` and `of`.

    Attributes
    ----------
    setting : str
        Canonical name.
    multiply : float or None
        New value = own value times this.
    of : str
        Take the value of this other setting (times `multiply`) instead of its own; `BEST_STEP`: the
        step at which the run's measured quality was best, for settings of the same unit.
    to : number, word, flag or None
        New value, absolute.
    low, high : float
        Sane bounds; outside them the change is blocked.
    need : bool
        Without this setting in the config the remedy is none: nothing is changed.
    if_named : bool
        The new word is written only where the config itself names it, in a comment or elsewhere:
        trainers differ in
        which words they know.
    """

    setting: str
    multiply: float | None = None
    of: str = ""
    to: float | str | bool | None = None
    low: float = float("-inf")
    high: float = float("inf")
    need: bool = False
    if_named: bool = False


@dataclass(frozen=True, slots=True)
class Remedy:
    """What may cure. Attributes follow the keys of the YAML file.

    `not_with` names remedies that this one must not be combined with; one of a pair naming the
    other is enough.
    """

    id: str
    title: str
    treats: Mapping[str, float]
    effort: Literal["config", "code", "data"]
    risk: Literal["safe", "trial", "advice"]
    only_if: tuple[Clause, ...]
    changes: tuple[Change, ...]
    expect: str
    why: str = ""
    snippet: str = ""
    references: tuple[Reference, ...] = ()
    file: str = ""
    not_with: tuple[str, ...] = ()


Measured: TypeAlias = "Mapping[str, Mapping[str, tuple[int, int]]]"
"""Remedy -> cause -> (cured, tried), in trainings that failed of it and were repeated with it."""


@dataclass(frozen=True, slots=True)
class Rulebook:
    """All that was read from ``rules/``, and a digest that names this very state of it.

    `evidence` is what rules share. `measured` counts cures on runs that rules and weights were
    tuned on, and ranks prescriptions; `unseen` counts them on others, and is only shown. `measures`
    are sizes with their curves, `weights` what all evidence is worth.
    """

    rules: tuple[Rule, ...] = ()
    causes: tuple[Cause, ...] = ()
    remedies: tuple[Remedy, ...] = ()
    digest: str = ""
    by_id: Mapping[str, Rule] = field(default_factory=dict)
    measured: Measured = field(default_factory=dict)
    unseen: Measured = field(default_factory=dict)
    measures: tuple[Measure, ...] = ()
    weights: Weights = field(default_factory=Weights)
    evidence: tuple[Evidence, ...] = ()

    def risk_of(self, remedy: Remedy) -> str:
        """``safe`` only where that was measured: it cured most of at least two failed trainings."""
        if remedy.risk != "safe":
            return remedy.risk
        counts = [n for of in (self.measured, self.unseen) for n in of.get(remedy.id, {}).values()]
        cured, tried = (sum(part) for part in zip(*counts, strict=True)) if counts else (0, 0)
        return "safe" if tried >= _FEWEST_CURES and cured * 2 > tried else "trial"


class Shelf(Protocol):
    """A rule book that is read as far as it is needed."""

    @property
    def judging(self) -> Rulebook:
        """Rules, measures and weights: all that it takes to call a run healthy."""

    @property
    def whole(self) -> Rulebook:
        """The same with causes, remedies and what was counted."""
