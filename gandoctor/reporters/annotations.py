"""The problems as GitHub's workflow commands: they stand beside the line in the pull request.

https://docs.github.com/actions/reference/workflow-commands-for-github-actions
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gandoctor.reporters.problems import problems

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gandoctor.model.report import Report

NAME = "annotations"
SUFFIX = ""

_COMMANDS: Final = {"high": "error", "medium": "warning"}


def render(report: Report) -> str:
    """One run."""
    return render_many([report])


def render_many(reports: Sequence[Report]) -> str:
    """One command a problem: ``::error file=..,line=..,title=..::message``."""
    lines = []
    for report in reports:
        for p in problems(report):
            properties = {"file": p.tracked, "line": p.line or 1, "title": f"gandoctor: {p.title}"}
            said = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
            lines.append(f"::{_COMMANDS.get(p.severity, 'notice')} {said}::{_data(p.message)}\n")
    return "".join(lines)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
