"""One line a problem, as linters print it; indented, what it rests on and what else it may be.

A healthy run gives no line. One with too little logged does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gandoctor.reporters import wording as w
from gandoctor.reporters.problems import name_of, problems

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gandoctor.model.report import Report

NAME = "check"
SUFFIX = ""

_MOST: Final = 2


def render(report: Report) -> str:
    """The lines of one run: ``place: severity (confidence): title since step N [id] -> change``."""
    return "".join(line + "\n" for line in _lines(report))


def render_many(reports: Sequence[Report]) -> str:
    """The lines of all runs."""
    return "".join(map(render, reports))


def _lines(report: Report) -> Iterator[str]:
    path = name_of(report)
    for p in problems(report):
        since = f" since {p.onset}" if p.onset else ""
        change = f" -> {p.change}" if p.change else ""
        yield (
            f"{p.place}: {p.severity} ({p.confidence} confidence): {p.title}{since} "
            f"[{p.ident}]{change}"
        )
        yield from (f"    {text}" for text in p.evidence[:_MOST])
        yield from (f"    or: {text}" for text in p.rivals[:_MOST])
    if report.verdict == "inconclusive":
        yield f"{path}: inconclusive: {w.plain(w.why(report))}"
    if hint := w.to_map(report):
        yield f"    {w.plain(hint)}"
