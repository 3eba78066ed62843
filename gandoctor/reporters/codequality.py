"""The problems as GitLab's Code Quality report, a subset of Code Climate's format.

https://docs.gitlab.com/ci/testing/code_quality/
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from gandoctor.reporters.problems import problems

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gandoctor.model.report import Report

NAME = "codequality"
SUFFIX = ""

_SEVERITIES: Final = {"high": "critical", "medium": "major", "low": "minor"}


def render(report: Report) -> str:
    """One run."""
    return render_many([report])


def render_many(reports: Sequence[Report]) -> str:
    """One entry a problem; an empty list where there is none."""
    entries = [
        {
            "description": p.message,
            "check_name": p.ident,
            "fingerprint": p.fingerprint,
            "severity": _SEVERITIES.get(p.severity, "info"),
            "location": {"path": p.tracked, "lines": {"begin": p.line or 1}},
        }
        for report in reports
        for p in problems(report)
    ]
    return json.dumps(entries, indent=2) + "\n"
