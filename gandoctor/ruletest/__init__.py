"""Runs the ``x.test.yaml`` beside rules and measures, and moves thresholds to see what notices.

A case describes a small run: its curves in the rules' own grammar (over ``t``, which goes from 0 to
1, and ``step``), its settings, the game that is played. It is asked the same way as a real run, by
`gandoctor.diagnose.ask` and `gandoctor.lang.sizes.size_of`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from gandoctor import diagnose, rulebook
from gandoctor.diagnose.asking import applies
from gandoctor.errors import RuleError
from gandoctor.lang.sizes import size_of
from gandoctor.model.belief import Measure
from gandoctor.model.rules import Rule, Rulebook
from gandoctor.ruletest import of_causes
from gandoctor.ruletest.cases import Trial, describer, orphans, trials
from gandoctor.ruletest.curves import CURVES, made_series
from gandoctor.ruletest.moved import moved, noticed, thresholds
from gandoctor.values import dataclass

__all__ = [
    "CURVES",
    "CaseResult",
    "RuleTestResult",
    "made_series",
    "moved",
    "run",
    "thresholds",
    "trials",
]

_TRUTHS: Final[dict[str, bool | None]] = {"fires": True, "clear": False, "unknown": None}
# Fewer nats than this either way are little: they move the odds by a sixth at most.
LITTLE: Final = 0.15


# ---------------------------------------------------------------- results


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One case: what was asked of the rule, and what it said.

    Attributes
    ----------
    rule, verdict, name : str
        `rule` may be a measure. `verdict` is what the case expects: ``fires``, ``clear`` or
        ``unknown`` of a rule, ``against``, ``for``, ``little`` or ``unknown`` of a measure.
    passed : bool
    message : str
        What came instead; empty where it passed.
    """

    rule: str
    verdict: str
    name: str
    passed: bool
    message: str = ""
    measure: bool = False


@dataclass(frozen=True, slots=True)
class RuleTestResult:
    """All cases of all rules and measures.

    Attributes
    ----------
    cases : tuple of CaseResult
    faults : tuple of str
        Rules and measures without a test, and tests that cannot be read; each is a failure.
    mutants : int
        Thresholds that were moved, twice each. Rules with a failing case are left out.
    unnoticed : tuple of str
        Moved thresholds that no case noticed.
    """

    cases: tuple[CaseResult, ...] = ()
    faults: tuple[str, ...] = ()
    mutants: int = 0
    unnoticed: tuple[str, ...] = ()

    @property
    def noticed(self) -> int:
        """Moved thresholds that a case noticed."""
        return self.mutants - len(self.unnoticed)

    @property
    def failures(self) -> tuple[CaseResult, ...]:
        """Cases that did not pass."""
        return tuple(c for c in self.cases if not c.passed)

    @property
    def passed(self) -> bool:
        """Whether every rule and measure has a test and every case passes.

        Unnoticed mutants do not fail it.
        """
        return not self.faults and not self.failures

    def format(self, *, verbose: bool = False) -> str:
        """The result as text; `verbose` names every mutant that no case noticed."""
        lines = [*self.faults]
        lines += [f"{c.rule}: {c.verdict}: {c.name}: {c.message}" for c in self.failures]
        lines += [f"unnoticed: {m}" for m in self.unnoticed] if verbose else []
        rules = len({c.rule for c in self.cases if not c.measure})
        measures = len({c.rule for c in self.cases if c.measure})
        failed = len(self.failures)
        verdict = "all as expected" if not failed else f"{failed} not as expected"
        told = [_many(rules, "rule"), *([_many(measures, "measure")] if measures else [])]
        lines.append(f"{', '.join(told)}, {_many(len(self.cases), 'case')}: {verdict}")
        if self.faults:
            lines.append(f"{_many(len(self.faults), 'fault')} in the tests")
        if self.mutants:
            share = self.noticed / self.mutants
            lines.append(
                f"{self.noticed} of {_many(self.mutants, 'moved threshold')} noticed ({share:.0%})"
            )
        return "\n".join(lines)


def _many(count: int, name: str) -> str:
    return f"{count:,} {name}{'s' * (count != 1)}"


def run(book: Rulebook, folders: Sequence[Path]) -> RuleTestResult:
    """Test every measure of a book, and every rule that is not retired.

    Parameters
    ----------
    book : Rulebook
    folders : sequence of Path
        Those it was loaded from; the tests stand there beside the rules.

    Returns
    -------
    RuleTestResult
    """
    faults: list[RuleError] = []
    words = rulebook.vocabulary(folders)
    results: list[CaseResult] = []
    mutants: list[tuple[str, bool]] = []
    for rule in (r for r in book.rules if r.status != "retired"):
        asked = trials(rule, folders, words, faults)
        judged = [_judged(rule, trial) for trial in asked]
        results += judged
        if judged and all(r.passed for r in judged):
            mutants += noticed(rule, partial(_complains, asked))
    for measure in book.measures:
        results += [_judged(measure, trial) for trial in trials(measure, folders, words, faults)]
    results += [
        CaseResult(cause, expected, name, passed=not instead, message=instead)
        for cause, expected, name, instead in of_causes.judged(
            book.causes, folders, describer(words), faults
        )
    ]
    faults += orphans(book, folders)
    return RuleTestResult(
        cases=tuple(results),
        faults=tuple(str(f) for f in faults),
        mutants=len(mutants),
        unnoticed=tuple(text for text, caught in mutants if not caught),
    )


def _judged(tested: Rule | Measure, trial: Trial) -> CaseResult:
    measure = isinstance(tested, Measure)
    message = (
        _other_size(tested, trial) if isinstance(tested, Measure) else _complaint(tested, trial)
    )
    return CaseResult(tested.id, trial.verdict, trial.name, not message, message, measure)


def _other_size(measure: Measure, trial: Trial) -> str:
    """What the measure should not have said, by the curve of its own file.

    Empty where it is as expected.
    """
    fits, reason, _ = applies(measure.applies_to, trial.run)
    size = size_of(measure.value, measure.over, trial.frame) if fits else None
    if size is None or size.value is None:
        reason = reason or (size.reason if size else "the measure does not speak of this game")
        return "" if trial.verdict == "unknown" else f"it is unknown: {reason}"
    nats = measure.curve.at(size.value)
    sides = {
        side
        for side, so in (("little", abs(nats) <= LITTLE), ("against", nats > 0), ("for", nats < 0))
        if so
    }
    said = f"`{measure.value.text}` is {size.value:.4g}"
    if trial.verdict not in sides:
        return f"{said}, which is worth {nats:+.2f} nats"
    if trial.expected is not None and abs(size.value - trial.expected) > trial.tolerance:
        return f"{said}, not {trial.expected:g} (give or take {trial.tolerance:g})"
    return ""


def _complains(asked: Sequence[Trial], rule: Rule) -> bool:
    """Whether a rule, as it has been moved, no longer passes one of its cases."""
    return any(_complaint(rule, trial) for trial in asked)


def _complaint(rule: Rule, trial: Trial) -> str:
    """What the rule should not have said; empty where it is as expected."""
    answer = diagnose.ask(rule, trial.run, "", trial.frame)
    if answer.truth is not _TRUTHS[trial.verdict]:
        said = {True: "it fires", False: "it is clear", None: "it is unknown"}[answer.truth]
        return (
            f"{said}{': ' + answer.reason if answer.reason else ''} ({_clause_by_clause(answer)})"
        )
    if trial.expected is not None and (
        answer.onset is None or abs(answer.onset - trial.expected) > trial.tolerance
    ):
        return (
            f"since step {answer.onset}, not {trial.expected:g} (give or take {trial.tolerance:g})"
        )
    return ""


def _clause_by_clause(answer: diagnose.Answer) -> str:
    said = []
    for name, outcome in answer.outcomes.items():
        share = f" on {outcome.share:.0%}" if outcome.share is not None else ""
        values = ", ".join(f"{k} = {v:.4g}" for k, v in list(outcome.values.items())[:4])
        said.append(f"{name} {str(outcome.truth).lower()}{share}{': ' + values if values else ''}")
    return "; ".join(said) or "the rule does not apply to this game"
