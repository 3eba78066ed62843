"""Runs the ``x.test.yaml`` beside a cause.

A small run with its symptoms, and whether the cause is blamed first.

A case is described as those of rules are (`gandoctor.ruletest`), with the symptoms that were found
in ``symptoms``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gandoctor.diagnose.causes import rank
from gandoctor.model.report import Finding
from gandoctor.model.rules import SYMPTOMS
from gandoctor.page import Page
from gandoctor.ruletest.cases import described, found, page_of, test_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from gandoctor.errors import RuleError
    from gandoctor.model.rules import Cause
    from gandoctor.rulebook import Words

FIRST: Final = "first"
NOT_FIRST: Final = "not_first"
EXPECTED: Final = (FIRST, NOT_FIRST)


def judged(
    causes: Sequence[Cause], folders: Sequence[Path], words: Words, faults: list[RuleError]
) -> Iterator[tuple[str, str, str, str]]:
    """What came of each case of each cause that has a test.

    Parameters
    ----------
    causes : sequence of Cause
        All of the book: they compete.
    folders : sequence of Path
    words : Words
    faults : list of RuleError
        Tests that cannot be read are added to it.

    Yields
    ------
    tuple of str
        (cause, ``first`` or ``not_first``, name of the case, what came instead; empty where it
        passed).
    """
    for cause in causes:
        where = test_of(cause)
        path = found(where, folders)
        page = page_of(path, where, EXPECTED, faults) if path is not None else None
        if page is None:
            continue
        for expected, case in ((e, c) for e in EXPECTED for c in page.items(e)):
            findings = _findings(case)
            told = {k: v for k, v in case.data.items() if k != "symptoms"}
            trial = described(Page(told, case.where, faults), words)
            if trial is None or not findings:
                continue
            ranked, _ = rank(causes, findings, trial.run, trial.frame)
            first = ranked[0].cause if ranked else "none"
            passed = (first == cause.id) == (expected == FIRST)
            yield cause.id, expected, trial.name, "" if passed else f"first is {first}"


def _findings(case: Page) -> list[Finding]:
    """The findings of a case; none, and a fault, where it names no symptoms."""
    symptoms = case.names("symptoms", SYMPTOMS, "symptom")
    if not symptoms:
        case.fault("symptoms", "has no list `symptoms`", "symptoms: [no-convergence]")
    return [
        Finding(
            rule=s,
            symptom=s,
            title=s,
            severity="high",
            confidence="medium",
            onset_step=None,
            fingerprint=f"{s}:",
        )
        for s in symptoms
    ]
