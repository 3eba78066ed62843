"""Two paths in, one comparison out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from gandoctor import api, vocabulary
from gandoctor.compare import saved
from gandoctor.compare.judge import compare
from gandoctor.errors import InputError, UsageError
from gandoctor.files import writing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from gandoctor.api import Options
    from gandoctor.model.comparison import Comparison
    from gandoctor.model.report import Report
    from gandoctor.model.roles import Role


def run(
    before: Path,
    after: Path,
    options: Options,
    configs: tuple[Sequence[Path], Sequence[Path]] = ((), ()),
) -> tuple[Comparison, Report]:
    """Analyse two runs and compare them.

    Parameters
    ----------
    before, after : Path
        A log or run folder each, or a report of one that was saved as JSON.
    options : Options
    configs : tuple of (sequence of Path, sequence of Path)
        Config files of each; where there are none those of `options`, or those found beside the
        log.

    Returns
    -------
    Comparison, Report
        The report is that of the run after.

    Raises
    ------
    GandoctorError
        One of them could not be read, or holds several runs.
    """
    first, second = (
        _report(path, options, own) for path, own in zip((before, after), configs, strict=True)
    )
    return compare(first, second, _roles((before, after), options)), second


def _report(path: Path, options: Options, own: Sequence[Path]) -> Report:
    kept = saved.reports_of(path)
    if kept is None:
        reports = api.analyze_all(path, replace(options, configs=own) if own else options)
    elif own:
        raise UsageError(
            "is a saved report",
            str(path),
            "its config was read when it was made: give it no --config",
        )
    else:
        writing.spare(options.outputs, [path])
        reports = kept
    if len(reports) != 1:
        if kept is None:
            raise api.several([report.run.name for report in reports], str(path))
        raise InputError(f"holds {len(reports)} runs", str(path), "give one of them")
    return reports[0]


def _roles(paths: Sequence[Path], options: Options) -> Mapping[str, Role]:
    """What signals can mean, by our vocabulary and by that of the folders that were asked for."""
    read = [path for path in paths if not saved.is_saved(path)]
    told = api.with_preferences(read[-1], options) if read else options
    return vocabulary.load(api.rule_folders(told)).roles
