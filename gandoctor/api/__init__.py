"""From a path to a report: the pipeline, written once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gandoctor import parsers, rulebook, vocabulary
from gandoctor.api.books import customised, rule_folders
from gandoctor.api.reporting import report_of
from gandoctor.api.understanding import understand
from gandoctor.api.wishes import Options, with_preferences
from gandoctor.errors import InputError
from gandoctor.files import writing
from gandoctor.model.rules import SEVERITIES
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gandoctor.model.report import Prescription, Report
    from gandoctor.model.signals import RawRun, Run

__all__ = [
    "Case",
    "Options",
    "analyze",
    "analyze_all",
    "analyze_with_roots",
    "cases",
    "exit_code",
    "first_patch",
    "read",
    "rule_folders",
    "understand",
    "with_preferences",
]


def analyze(path: str | Path, options: Options | None = None) -> Report:
    """Analyse one run.

    Parameters
    ----------
    path : str or Path
        A log, or the folder of one run.
    options : Options, optional

    Returns
    -------
    Report

    Raises
    ------
    GandoctorError
        Nothing could be read, or the folder holds several runs (see `analyze_all`).
    """
    reports = analyze_all(path, options)
    if len(reports) > 1:
        raise InputError(
            f"holds {len(reports)} runs", str(path), "give one of them, or call analyze_all"
        )
    return reports[0]


def analyze_all(path: str | Path, options: Options | None = None) -> list[Report]:
    """Analyse every run below a path, in the order of their names.

    Raises
    ------
    GandoctorError
        Nothing could be read.
    """
    return [report for _, report in analyze_with_roots(path, options)]


def analyze_with_roots(
    path: str | Path, options: Options | None = None
) -> list[tuple[Path, Report]]:
    """As `analyze_all`, each report with the folder that its patches are relative to."""
    return [(case.raw.root, case.report()) for case in cases(path, options)]


@dataclass(frozen=True, slots=True)
class Case:
    """A run as it was understood, with all that it takes to judge it."""

    raw: RawRun
    run: Run
    shelf: rulebook.Shelf
    options: Options

    def report(self, run: Run | None = None) -> Report:
        """The report of the run, or of what somebody made of it."""
        return report_of(self.raw, run or self.run, self.shelf, self.options)


def cases(path: str | Path, options: Options | None = None) -> Iterator[Case]:
    """Every run below a path, understood and not yet judged."""
    options = with_preferences(Path(path), options or Options())
    folders = rule_folders(options)
    words = vocabulary.load(folders)
    shelf = rulebook.Shelf(folders, lambda book: customised(book, options))
    raws = _discover(Path(path), options)
    several = len(raws) > 1
    for raw in raws:
        yield Case(raw, understand(raw, words, options, several=several), shelf, options)


def read(path: str | Path, options: Options | None = None) -> list[Run]:
    """Read and understand every run below a path, without judging it."""
    options = with_preferences(Path(path), options or Options())
    words = vocabulary.load(rule_folders(options))
    raws = _discover(Path(path), options)
    runs = [understand(raw, words, options, several=len(raws) > 1) for raw in raws]
    return [replace(run, notes=(*run.notes, *options.refused)) for run in runs]


def _discover(path: Path, options: Options) -> list[RawRun]:
    raws = parsers.discover(path, configs=options.configs)
    if options.outputs:
        writing.spare(options.outputs, (file for raw in raws for file in raw.files))
    return raws


def exit_code(reports: Sequence[Report], fail_on: str = "high") -> int:
    """1 where a diagnosis at or above `fail_on` is held with at least medium confidence, else 0."""
    if fail_on == "never":
        return 0
    counted = SEVERITIES[: SEVERITIES.index(fail_on) + 1]
    bad = any(d.severity in counted and d.confidence != "low" for r in reports for d in r.diagnoses)
    return int(bad)


def first_patch(report: Report) -> Prescription | None:
    """The prescription the user should try, where it has a diff."""
    first = report.first_patch()
    return first if first is not None and first.diff else None
