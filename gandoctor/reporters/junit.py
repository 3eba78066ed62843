"""The runs as test cases of a JUnit report: one that is failing failed.

The form that CI systems read (GitLab, Jenkins, Azure): ``testsuites``, ``testsuite``, ``testcase``
with ``failure``, ``skipped`` and ``system-out``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape, quoteattr

from gandoctor.patterns import late_pattern
from gandoctor.reporters import wording as w
from gandoctor.reporters.problems import name_of, problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gandoctor.model.report import Report

NAME = "junit"
SUFFIX = ".xml"

_NO_XML: Final = late_pattern(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", re.UNICODE)


def render(report: Report) -> str:
    """One run."""
    return render_many([report])


def render_many(reports: Sequence[Report]) -> str:
    """One test case a run: failing is a failure, inconclusive is skipped, a warning is told."""
    verdicts = [r.verdict for r in reports]
    counts = (
        f'tests="{len(reports)}" failures="{verdicts.count("failing")}" errors="0" '
        f'skipped="{verdicts.count("inconclusive")}"'
    )
    cases = "\n".join(line for r in reports for line in _case(r))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<testsuites name="gandoctor" {counts}>\n<testsuite name="gandoctor" {counts}>\n'
        f"{cases}\n</testsuite>\n</testsuites>\n"
    )


def _case(report: Report) -> Iterator[str]:
    lines: list[str] = []
    for p in problems(report):
        lines.append(f"{p.place}: {p.severity}: {p.message} [{p.ident}]")
        lines += [f"    or: {rival}" for rival in p.rivals]
    told = "\n".join(lines)
    yield f'<testcase classname="gandoctor" name={_attribute(name_of(report))} time="0">'
    if report.verdict == "failing":
        kind = w.plain(report.diagnoses[0].cause) if report.diagnoses else "failing"
        message = _attribute(w.plain(w.why(report)))
        yield f"<failure type={_attribute(kind)} message={message}>{_text(told)}</failure>"
    elif report.verdict == "inconclusive":
        yield f"<skipped message={_attribute(w.plain(w.why(report)))}/>"
    elif told:
        yield f"<system-out>{_text(told)}</system-out>"
    yield "</testcase>"


def _text(text: str) -> str:
    return escape(_NO_XML.sub("?", text))


def _attribute(text: str) -> str:
    return quoteattr(_NO_XML.sub("?", text))
