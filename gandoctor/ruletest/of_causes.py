"""Runs the ``x.test.yaml`` beside a cause.

A small run with its symptoms, and whether the cause is blamed first.

A case is described as those of rules are (`gandoctor.ruletest`), with the symptoms that were found
in ``symptoms``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gandoctor import rulebook
from gandoctor.diagnose.causes import rank
from gandoctor.errors import RuleError, near
from gandoctor.model.report import Finding
from gandoctor.model.rules import SYMPTOMS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from gandoctor.lang.evaluate import Frame
    from gandoctor.model.rules import Cause
    from gandoctor.model.signals import Run

    Describe = Callable[[Mapping[str, Any], str], tuple[Run, Frame]]

FIRST: Final = "first"
NOT_FIRST: Final = "not_first"
EXPECTED: Final = (FIRST, NOT_FIRST)


def test_of(cause: Cause) -> str:
    """Where the test of a cause stands, in its folder."""
    return (cause.file.rsplit(".", 1)[0] if cause.file else cause.id) + rulebook.TEST_SUFFIX


def judged(
    causes: Sequence[Cause], folders: Sequence[Path], describe: Describe, faults: list[RuleError]
) -> Iterator[tuple[str, str, str, str]]:
    """What came of each case of each cause that has a test.

    Parameters
    ----------
    causes : sequence of Cause
        All of the book: they compete.
    folders : sequence of Path
    describe : callable
        (case without its symptoms, where) -> the run and what the language sees of it.
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
        path = next((p for f in folders for p in [f / where] if p.is_file()), None)
        if path is None:
            continue
        try:
            for expected, case, spot in _cases(path, where):
                told = dict(case)
                findings = _findings(told.pop("symptoms", None), spot)
                run, frame = describe(told, spot)
                ranked, _ = rank(causes, findings, run, frame)
                first = ranked[0].cause if ranked else "none"
                passed = (first == cause.id) == (expected == FIRST)
                yield cause.id, expected, run.name, "" if passed else f"first is {first}"
        except rulebook.RulebookError as e:
            faults += e.faults
        except RuleError as e:
            faults.append(e)


def _cases(path: Path, where: str) -> Iterator[tuple[str, dict[str, Any], str]]:
    data = rulebook.read_yaml(path, where)
    if not isinstance(data, dict):
        raise RuleError("is no mapping", where, "its keys are first and not_first")
    for key in data:
        if key not in EXPECTED:
            raise RuleError(f"the key `{key}` means nothing here", where, near(str(key), EXPECTED))
    for expected in EXPECTED:
        entries = data.get(expected) or []
        if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
            raise RuleError(
                f"`{expected}` is no list of cases",
                where,
                "- {name: ..., symptoms: [...], signals: {...}}",
            )
        for i, entry in enumerate(entries):
            yield expected, entry, f"{where}:{expected}[{i}]"


def _findings(symptoms: object, where: str) -> list[Finding]:
    if not isinstance(symptoms, list) or not symptoms:
        raise RuleError("has no list `symptoms`", where, "symptoms: [no-convergence]")
    for symptom in symptoms:
        if symptom not in SYMPTOMS:
            raise RuleError(
                f"no symptom is called `{symptom}`", where, near(str(symptom), SYMPTOMS)
            )
    return [
        Finding(
            rule=str(s),
            symptom=str(s),
            title=str(s),
            severity="high",
            confidence="medium",
            onset_step=None,
            fingerprint=f"{s}:",
        )
        for s in symptoms
    ]
