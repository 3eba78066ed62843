"""Runs the ``x.test.yaml`` beside whatever stands in ``rules/``, and moves thresholds.

A case describes a small run: its curves in the rules' own grammar (over ``t``, which goes from 0 to
1, and ``step``), its settings, the game that is played. It is asked the same way as a real run, by
`gandoctor.diagnose.ask` and `gandoctor.lang.sizes.size_of`. Shared evidence is asked as a rule of
one clause; cases of causes and remedies say what is blamed (`of_causes`) and what is written
(`of_remedies`). Each threshold of a rule and of shared evidence is moved, to see whether a case
notices.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from gandoctor import diagnose, rulebook
from gandoctor.diagnose.asking import applies
from gandoctor.errors import RuleError
from gandoctor.lang.sizes import size_of
from gandoctor.lang.syntax import compile_when
from gandoctor.model.belief import Measure
from gandoctor.model.rules import Evidence, Rule, Rulebook
from gandoctor.ruletest import of_causes, of_remedies
from gandoctor.ruletest.cases import (
    OF_EVIDENCE,
    OF_MEASURE,
    OF_RULE,
    Kind,
    Trial,
    orphans,
    trials,
)
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

_TRUTHS: Final[dict[str, bool | None]] = {
    "fires": True,
    "holds": True,
    "clear": False,
    "unknown": None,
}
# What is tested, by the kind of a case: one of it, and several.
_KINDS: Final[dict[str, tuple[str, str]]] = {
    "rule": ("rule", "rules"),
    "evidence": ("piece of evidence", "pieces of evidence"),
    "measure": ("measure", "measures"),
    "cause": ("cause", "causes"),
    "remedy": ("remedy", "remedies"),
}
# Fewer nats than this either way are little: they move the odds by a sixth at most.
LITTLE: Final = 0.15


# ---------------------------------------------------------------- results


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One case: what was asked of a rule, or of what else it tests, and what it said.

    Attributes
    ----------
    rule, verdict, name : str
        The id of what is tested, the list of its test that the case stands in, and its name.
    passed : bool
    message : str
        What came instead; empty where it passed.
    kind : str
        ``rule``, ``evidence``, ``measure``, ``cause`` or ``remedy``.
    """

    rule: str
    verdict: str
    name: str
    passed: bool
    message: str = ""
    kind: str = "rule"


@dataclass(frozen=True, slots=True)
class RuleTestResult:
    """All cases of all that is tested.

    Attributes
    ----------
    cases : tuple of CaseResult
    faults : tuple of str
        Rules, measures and shared evidence without a test, and tests that cannot be read; each is
        a failure.
    mutants : int
        Thresholds that were moved, twice each. What has a failing case is left out.
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
        """Whether every rule, measure and shared evidence has a test and every case passes.

        Unnoticed mutants do not fail it.
        """
        return not self.faults and not self.failures

    def format(self, *, verbose: bool = False) -> str:
        """The result as text; `verbose` names every mutant that no case noticed."""
        lines = [*self.faults]
        lines += [f"{c.rule}: {c.verdict}: {c.name}: {c.message}" for c in self.failures]
        lines += [f"unnoticed: {m}" for m in self.unnoticed] if verbose else []
        failed = len(self.failures)
        verdict = "all as expected" if not failed else f"{failed} not as expected"
        told = [*self._tested(), _many(len(self.cases), "case")]
        lines.append(f"{', '.join(told)}: {verdict}")
        if self.faults:
            lines.append(f"{_many(len(self.faults), 'fault')} in the tests")
        if self.mutants:
            share = self.noticed / self.mutants
            lines.append(
                f"{self.noticed} of {_many(self.mutants, 'moved threshold')} noticed ({share:.0%})"
            )
        return "\n".join(lines)

    def _tested(self) -> list[str]:
        """How many of each kind were tested, in words; rules in any case."""
        counts = {kind: len({c.rule for c in self.cases if c.kind == kind}) for kind in _KINDS}
        return [
            f"{count:,} {_KINDS[kind][count != 1]}"
            for kind, count in counts.items()
            if count or kind == "rule"
        ]


def _many(count: int, name: str) -> str:
    return f"{count:,} {name}{'s' * (count != 1)}"


def run(book: Rulebook, folders: Sequence[Path]) -> RuleTestResult:
    """Test a book: measures, shared evidence, causes, remedies, and rules that are not retired.

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

    def test(tested: Rule | Measure, kind: Kind, called: str) -> None:
        asked = trials(tested, kind, folders, words, faults)
        judged = [_judged(tested, trial, called) for trial in asked]
        results.extend(judged)
        if isinstance(tested, Rule) and judged and all(r.passed for r in judged):
            mutants.extend(noticed(tested, partial(_complains, asked)))

    for rule in (r for r in book.rules if r.status != "retired"):
        test(rule, OF_RULE, "rule")
    for evidence in book.evidence:
        test(_as_rule(evidence), OF_EVIDENCE, "evidence")
    for measure in book.measures:
        test(measure, OF_MEASURE, "measure")
    told = (
        ("cause", of_causes.judged(book.causes, folders, words, faults)),
        ("remedy", of_remedies.judged(book.remedies, folders, words, faults)),
    )
    results += [
        CaseResult(tested, expected, name, not instead, instead, called)
        for called, cases in told
        for tested, expected, name, instead in cases
    ]
    faults += orphans(book, folders)
    return RuleTestResult(
        cases=tuple(results),
        faults=tuple(str(f) for f in faults),
        mutants=len(mutants),
        unnoticed=tuple(text for text, caught in mutants if not caught),
    )


def _as_rule(evidence: Evidence) -> Rule:
    """A rule that fires where the evidence holds."""
    name = evidence.id.replace("-", "_")
    return Rule(
        id=evidence.id,
        kind="risk",
        symptom=None,
        title=evidence.title,
        severity="low",
        status="stable",
        since="",
        applies_to={},
        why=evidence.why,
        clauses=(replace(evidence.clause, name=name),),
        when=compile_when(name, [name]),
        false_positives=(),
        references=evidence.references,
        file=evidence.file,
    )


def _judged(tested: Rule | Measure, trial: Trial, called: str) -> CaseResult:
    if isinstance(tested, Measure):
        message = _other_size(tested, trial)
    else:
        message = _complaint(tested, trial)
    return CaseResult(tested.id, trial.verdict, trial.name, not message, message, called)


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
