"""What is asked of the reports of both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gandoctor.model.report import Finding, Report


def fired(report: Report) -> dict[str, Finding]:
    """Findings by rule, but for those of rules on trial."""
    return {f.rule: f for f in report.findings if f.status != "preview"}


def same_unit(before: Report, after: Report) -> bool:
    """Whether the steps of both are of one unit."""
    return before.run.step_unit == after.run.step_unit


def listed(words: Sequence[str]) -> str:
    """``a, b and c``."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
