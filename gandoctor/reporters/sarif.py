"""The problems as SARIF 2.1.0, for code scanning: one result a cause, at the setting to blame.

OASIS, Static Analysis Results Interchange Format (SARIF) Version 2.1.0, 2020.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from gandoctor.reporters import wording as w
from gandoctor.reporters.problems import problems

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gandoctor.model.report import Report
    from gandoctor.reporters.problems import Problem

NAME = "sarif"
SUFFIX = ".sarif"

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS: Final = {"high": "error", "medium": "warning", "low": "note"}


def render(report: Report) -> str:
    """One run."""
    return render_many([report])


def render_many(reports: Sequence[Report]) -> str:
    """All runs as one SARIF run: a tool, its rules, and the results."""
    told: dict[str, str] = {}  # what each cause or rule means, in the reports' own words
    results = []
    for report in reports:
        told |= {f.rule: f.why for f in report.findings}
        told |= {d.cause: d.story for d in report.diagnoses}
        results += [(p, report) for p in problems(report)]
    ids = list(dict.fromkeys(p.ident for p, _ in results))
    titles = {p.ident: p.title for p, _ in results}
    rules = [_rule(i, titles[i], w.plain(told.get(i, ""))) for i in ids]
    version = next((r.version for r in reports if r.version), "0")
    driver = {"name": "gandoctor", "version": w.plain(version), "rules": rules}
    found = [_result(p, r, ids.index(p.ident)) for p, r in results]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": found}
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(ident: str, title: str, why: str) -> dict[str, Any]:
    rule: dict[str, Any] = {"id": ident, "shortDescription": {"text": title}}
    if why:
        rule["fullDescription"] = rule["help"] = {"text": why}
    return rule


def _result(problem: Problem, report: Report, index: int) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": quote(problem.tracked)}}
    if problem.line:
        place["region"] = {"startLine": problem.line}
    properties: dict[str, Any] = {"confidence": problem.confidence, "verdict": report.verdict}
    if problem.rivals:
        properties["rivals"] = list(problem.rivals)
    if report.p_failing is not None:
        properties["p_failing"] = report.p_failing
    return {
        "ruleId": problem.ident,
        "ruleIndex": index,
        "level": _LEVELS.get(problem.severity, "note"),
        "message": {"text": problem.message},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"gandoctor/v1": problem.fingerprint},
        "properties": properties,
    }
