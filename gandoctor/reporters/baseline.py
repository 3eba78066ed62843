"""Problems that are known: kept in a file, so that a check fails on new ones alone."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gandoctor.errors import InputError, of_system
from gandoctor.reporters import wording as w
from gandoctor.reporters.problems import name_of, problems
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from gandoctor.model.report import Report

SCHEMA: Final = "gandoctor.baseline/1"
_MOST_BYTES: Final = 16_000_000


@dataclass(frozen=True, slots=True)
class Known:
    """One problem of a baseline: in which run, and which cause or rule."""

    run: str
    ident: str
    fingerprint: str


def kept(reports: Iterable[Report]) -> str:
    """A baseline of all problems of these reports, as JSON, in an order of its own."""
    known = sorted((_run_of(r), p.ident, p.fingerprint) for r in reports for p in problems(r))
    rows = ",\n".join(
        "    " + json.dumps({"run": run, "id": ident, "fingerprint": mark})
        for run, ident, mark in known
    )
    body = f"[\n{rows}\n  ]" if rows else "[]"
    return f'{{\n  "schema": "{SCHEMA}",\n  "known": {body}\n}}\n'


def read(file: Path) -> list[Known]:
    """The problems of a baseline.

    Raises
    ------
    InputError
        It cannot be read, or is none.
    """
    hint = "write one with gandoctor check --write-baseline FILE"
    try:
        with file.open("rb") as opened:
            data = json.loads(opened.read(_MOST_BYTES))
        if data["schema"] != SCHEMA:
            raise ValueError("another schema")
        return [Known(str(k["run"]), str(k["id"]), str(k["fingerprint"])) for k in data["known"]]
    except OSError as e:
        raise of_system(e, str(file)) from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InputError("is no baseline", str(file), hint) from None


def without(report: Report, known: Iterable[Known]) -> tuple[Report, int]:
    """A report without its known problems, and how many these were.

    A cause goes with its rivals and with the findings that it explains; the verdict stays.
    """
    marks = {k.fingerprint for k in known}
    hidden = [p for p in problems(report) if p.fingerprint in marks]
    if not hidden:
        return report, 0
    gone = {ident for p in hidden for ident in (p.ident, *p.rival_ids)}
    causes = tuple(d for d in report.diagnoses if d.cause not in gone)
    told = {f for d in report.diagnoses if d.cause in gone for f in d.findings}
    findings = tuple(
        f for f in report.findings if not {f.rule, f.fingerprint, f.explained_by} & (gone | told)
    )
    return replace(report, diagnoses=causes, findings=findings), len(hidden)


def vanished(
    known: Iterable[Known], reports: Sequence[Report], read: Iterable[str] = ()
) -> list[Known]:
    """Known problems that are there no more: of these runs, or of runs that went.

    Parameters
    ----------
    known : iterable of Known
    reports : sequence of Report
    read : iterable of str
        The keys of the paths that were looked through: a run below one of them that was not found
        is gone.
    """
    runs = {_run_of(r) for r in reports}
    marks = {p.fingerprint for r in reports for p in problems(r)}
    below = tuple("" if key == "." else f"{key}/" for key in read)
    return [
        k
        for k in known
        if k.fingerprint not in marks and (k.run in runs or k.run.startswith(below))
    ]


def _run_of(report: Report) -> str:
    return w.plain(report.run.key) or name_of(report)
