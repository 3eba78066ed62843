"""One line a finding, as linters print it. A healthy run gives no line.

One with too little logged does.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from gandoctor.reporters import wording as w

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gandoctor.model.report import Diagnosis, Finding, Report

NAME = "check"
SUFFIX = ""


def render(report: Report, *, path: str = "") -> str:
    """The lines of one run: ``place: severity (confidence): title since step N [id] -> change``.

    Parameters
    ----------
    path : str
        The run as the user named it; by default its name.
    """
    return "".join(line + "\n" for line in _lines(report, path or _name(report)))


def render_many(reports: Sequence[Report], *, path: str = "") -> str:
    """The lines of all runs below `path`."""
    lead = path.rstrip("/") + "/" if path not in ("", ".") else ""
    return "".join(render(report, path=lead + _name(report)) for report in reports)


def _lines(report: Report, path: str) -> Iterator[str]:
    path = w.plain(path)
    for case in w.cases(report):
        d = case.diagnosis
        yield _line(report, _place(report, d, path), d, d.cause) + _change(case)
    for finding in w.orphans(report):
        yield _line(report, path, finding, finding.rule)
    if report.verdict == "inconclusive":
        yield f"{path}: inconclusive: {w.plain(w.why(report))}"


def _line(report: Report, place: str, what: Diagnosis | Finding, ident: str) -> str:
    onset = (
        f" since {w.at(what.onset_step, report.run.step_unit)}"
        if what.onset_step is not None
        else ""
    )
    return (
        f"{place}: {what.severity} ({what.confidence} confidence): "
        f"{w.plain(what.title)}{onset} "
        f"[{w.plain(ident)}]"
    )


def _change(case: w.Case) -> str:
    patch = case.patch
    if patch is None:
        return ""
    # No setting makes more data.
    settings = " ".join(patch.overrides) if patch.effort == "config" else ""
    return " -> " + w.plain(settings or patch.title)


def _name(report: Report) -> str:
    path = report.run.path
    return w.plain(report.run.name if path in ("", ".") else path)


def _place(report: Report, diagnosis: Diagnosis, path: str) -> str:
    """``run/config.yaml:12`` where a setting is to blame.

    Logs are rarely in the repository, configs are.
    """
    run = PurePosixPath(path)
    folder = (
        run.parent if run.name in {PurePosixPath(s.path).name for s in report.run.sources} else run
    )
    for note in report.settings:
        if note.key in diagnosis.settings and note.file and note.line:
            return w.plain(f"{folder / note.file}:{note.line}")
    return path
