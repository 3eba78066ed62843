"""What a run is accused of, each with a place: what every output for CI is made from."""

from __future__ import annotations

import hashlib
import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gandoctor.reporters import wording as w
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from gandoctor.model.report import Diagnosis, Finding, Report

_MOST_EVIDENCE: Final = 4


@dataclass(frozen=True, slots=True)
class Problem:
    """One cause, or one finding without a cause.

    Attributes
    ----------
    ident : str
        Of the cause or rule.
    title : str
    severity, confidence : str
    onset : str
        ``step 1,200``; empty where it is not dated.
    file : str
        The config that holds the setting to blame, else the log, as the user reaches it.
    tracked : str
        The same from the root of the repository, as those want it who show it beside the code.
    line : int
        In that file; 0 where no line is to blame.
    evidence : tuple of str
        The strongest pieces, one sentence each.
    change : str
        What to try, in one line; empty for nothing.
    rivals : tuple of str
        Less likely causes of the same findings: ``title [id]``.
    rival_ids : tuple of str
    fingerprint : str
        The same for the same run, cause and signals, whatever the numbers.
    """

    ident: str
    title: str
    severity: str
    confidence: str
    onset: str
    file: str
    tracked: str
    line: int
    evidence: tuple[str, ...]
    change: str
    rivals: tuple[str, ...]
    rival_ids: tuple[str, ...]
    fingerprint: str

    @property
    def place(self) -> str:
        """``runs/a/config.yaml:12``."""
        return f"{self.file}:{self.line}" if self.line else self.file

    @property
    def message(self) -> str:
        """Title, onset, evidence and change in one paragraph."""
        since = f" since {self.onset}" if self.onset else ""
        said = "; ".join(self.evidence)
        parts = (f"{self.title}{since} ({self.confidence} confidence)", said and f": {said}",
                 self.change and f". Try: {self.change}")  # fmt: skip
        return "".join(parts)


def name_of(report: Report) -> str:
    """The run as it is reached from the folder that was analysed."""
    path = report.run.path
    return w.plain(report.run.name if path in ("", ".") else path)


def placed(
    reports: Sequence[Report],
    path: str,
    folder: str | None = None,
    key: Callable[[str], str] = lambda _: "",
) -> list[Report]:
    """The same reports, each knowing where its run lies: for those of several paths together.

    Parameters
    ----------
    reports : sequence of Report
    path : str
        What the user named: the run, or all of them.
    folder : str, optional
        The folder of a log that was named; by default `path`.
    key : callable
        What a baseline knows a run by, of where it lies from `path`; by default by its name.
    """
    folder = path if folder is None else folder
    only = len(reports) == 1
    found = []
    for r in reports:
        where, base = r.run.path, r.run.base or r.run.path
        mine = where if only or where not in ("", ".") else r.run.name
        note = replace(
            r.run,
            path=_joined(path, mine),
            base=_joined(folder, base),
            key=key(mine),
        )
        found.append(replace(r, run=note))
    return found


def _joined(folder: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(folder, path))


def problems(report: Report) -> Iterator[Problem]:
    """The problems of one run, the likeliest cause first.

    Causes that would explain nothing but what a likelier one explains are its rivals.
    """
    left = list(w.cases(report))
    while left:
        first = left.pop(0)
        explained = _explains(first)
        rivals = [c for c in left if _explains(c) <= explained]
        left = [c for c in left if c not in rivals]
        yield _problem(report, first.diagnosis, first.leading, _change(first), rivals)
    for finding in w.orphans(report):
        yield _problem(report, finding, [finding], "", ())


def _explains(case: w.Case) -> set[str]:
    return {f.fingerprint for f in (*case.leading, *case.consequences)}


def _change(case: w.Case) -> str:
    if case.patch is None:
        return ""
    # No setting makes more data.
    settings = " ".join(case.patch.overrides) if case.patch.effort == "config" else ""
    return w.plain(settings or case.patch.title)


def _problem(
    report: Report,
    what: Diagnosis | Finding,
    leading: Sequence[Finding],
    change: str,
    rivals: Sequence[w.Case],
) -> Problem:
    ident = w.plain(getattr(what, "cause", "") or getattr(what, "rule", ""))
    settings = getattr(what, "settings", ())
    signals = sorted(getattr(what, "findings", ())) or [getattr(what, "fingerprint", "")]
    file, line = _spot(report, settings)
    onset = w.at(what.onset_step, report.run.step_unit) if what.onset_step is not None else ""
    seed = "\0".join([w.plain(report.run.key) or name_of(report), ident, *signals])
    return Problem(
        ident=ident,
        title=w.plain(what.title),
        severity=what.severity,
        confidence=what.confidence,
        onset=onset,
        file=file,
        tracked=_tracked(report, file),
        line=line,
        evidence=tuple(w.plain(e.text) for e in w.strongest(leading, _MOST_EVIDENCE)),
        change=change,
        rival_ids=tuple(c.diagnosis.cause for c in rivals),
        rivals=tuple(w.plain(f"{c.diagnosis.title} [{c.diagnosis.cause}]") for c in rivals),
        fingerprint=hashlib.sha256(seed.encode("utf-8", "replace")).hexdigest()[:32],
    )


def _spot(report: Report, settings: Sequence[str]) -> tuple[str, int]:
    """The line of the setting to blame. Logs are rarely in the repository, configs are."""
    path = name_of(report)
    folder = report.run.base or path
    for note in report.settings:
        if note.key in settings and note.file and note.line:
            return w.plain(_joined(folder, note.file)), note.line
    return path, 0


def _tracked(report: Report, file: str) -> str:
    if not report.run.key:
        return file
    tracked = _joined(w.plain(report.run.key), posixpath.relpath(file, name_of(report)))
    return file if tracked.startswith("..") else tracked
