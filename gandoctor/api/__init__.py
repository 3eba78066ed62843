"""From a path to a report: the pipeline, written once."""

from __future__ import annotations

from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gandoctor import parsers, rulebook, vocabulary
from gandoctor.api.books import customised, rule_folders
from gandoctor.api.code import CodeOfRun, code_of
from gandoctor.api.memory import as_path
from gandoctor.api.reporting import report_of
from gandoctor.api.understanding import understand
from gandoctor.api.wishes import Options, with_preferences
from gandoctor.errors import InputError
from gandoctor.files import writing
from gandoctor.model.rules import SEVERITIES
from gandoctor.parsers.runs.choosing import several
from gandoctor.processes import each
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gandoctor.model.report import Prescription, Report
    from gandoctor.model.signals import RawRun, Run

__all__ = [
    "Case",
    "Options",
    "analyze",
    "analyze_all",
    "analyze_with_roots",
    "cases",
    "check",
    "exit_code",
    "first_patch",
    "read",
    "rule_folders",
    "several",
    "understand",
    "with_preferences",
]


def analyze(
    path: Any,
    options: Options | None = None,
    *,
    loss: str | None = None,
    map: Mapping[str, str] | None = None,  # noqa: A002  as the option and the preference are called
) -> Report:
    """Analyse one run.

    Parameters
    ----------
    path : str, Path, mapping, data frame or History
        A log, or the folder of one run; or the log itself: names and their numbers, in a dict of
        lists, a pandas or polars data frame, or what Keras' ``fit`` gives back.
    options : Options, optional
    loss : str, optional
        The loss family, where it is known better (``hinge``, ``wgan-gp``, ...).
    map : mapping of str to str, optional
        What tags mean, ``{"d_loss": "Loss/critic"}``.

    Returns
    -------
    Report

    Raises
    ------
    GandoctorError
        Nothing could be read, or the folder holds several runs (see `analyze_all`).

    Examples
    --------
    >>> history = {"epoch": list(range(60)), "d_loss": [1.3] * 60, "g_loss": [float("nan")] * 60}
    >>> analyze(history).verdict
    'failing'
    """
    reports = analyze_all(path, options, loss=loss, map=map)
    if len(reports) > 1:
        fault = several([r.run.name for r in reports], str(path))
        raise InputError(fault.what, fault.where, f"{fault.hint}, or call analyze_all")
    return reports[0]


def analyze_all(
    path: Any,
    options: Options | None = None,
    *,
    loss: str | None = None,
    map: Mapping[str, str] | None = None,  # noqa: A002
) -> list[Report]:
    """Analyse every run below a path, in the order of their names; else as `analyze`.

    Raises
    ------
    GandoctorError
        Nothing could be read.
    """
    options = options or Options()
    if loss is not None:
        options = replace(options, loss=loss)
    if map is not None:
        options = replace(options, map={**options.map, **map})
    with as_path(path) as where:
        return [report for _, report in analyze_with_roots(where, options)]


def analyze_with_roots(
    path: str | Path, options: Options | None = None
) -> list[tuple[Path, Report]]:
    """As `analyze_all`, each report with the folder that its patches are relative to."""
    all_ = _Cases.below(path, options)
    reports = each(lambda k: all_.case(k).report(), len(all_.raws), all_.options.jobs)
    return [(raw.root, report) for raw, report in zip(all_.raws, reports, strict=True)]


@dataclass(frozen=True, slots=True)
class Case:
    """A run as it was understood, with all that it takes to judge it."""

    raw: RawRun
    run: Run
    shelf: rulebook.Shelf
    options: Options
    code: CodeOfRun | None = None

    def report(self, run: Run | None = None) -> Report:
        """The report of the run, or of what somebody made of it."""
        return report_of(self.raw, run or self.run, self.shelf, self.options, self.code)


def cases(path: str | Path, options: Options | None = None) -> Iterator[Case]:
    """Every run below a path, understood and not yet judged."""
    all_ = _Cases.below(path, options)
    return map(all_.case, range(len(all_.raws)))


@dataclass(frozen=True, slots=True)
class _Cases:
    """The runs below a path, read and not yet understood, with all that it takes to do that."""

    raws: Sequence[RawRun]
    words: vocabulary.Vocabulary
    shelf: rulebook.Shelf
    options: Options
    code: dict[object, CodeOfRun | None] = field(default_factory=dict)

    @classmethod
    def below(cls, path: str | Path, options: Options | None) -> _Cases:
        options = with_preferences(Path(path), options or Options())
        folders = rule_folders(options)
        words = vocabulary.load(folders)
        shelf = rulebook.Shelf(folders, lambda book: customised(book, options))
        return cls(_discover(Path(path), options), words, shelf, options)

    def case(self, k: int) -> Case:
        raw, several = self.raws[k], len(self.raws) > 1
        code = code_of(raw, self.options, self.code)
        run = understand(raw, self.words, self.options, several=several, code=code)
        return Case(raw, run, self.shelf, self.options, code)


def read(path: str | Path, options: Options | None = None) -> list[Run]:
    r"""Read and understand every run below a path, without judging it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     log = Path(folder) / "log.csv"
    ...     _ = log.write_text("step,Loss/critic,Loss/gen\n0,1.4,0.7\n1,1.3,0.8\n")
    ...     [(s.tag, s.role) for run in read(log) for s in run.signals if s.source == log.name]
    [('Loss/critic', 'd_loss'), ('Loss/gen', 'g_loss')]
    """
    options = with_preferences(Path(path), options or Options())
    words = vocabulary.load(rule_folders(options))
    raws = _discover(Path(path), options)
    several = len(raws) > 1
    known: dict[object, CodeOfRun | None] = {}
    runs = [
        understand(raw, words, options, several=several, code=code_of(raw, options, known))
        for raw in raws
    ]
    return [replace(run, notes=(*run.notes, *options.refused)) for run in runs]


def _discover(path: Path, options: Options) -> list[RawRun]:
    raws = parsers.discover(path, configs=options.configs)
    if options.outputs:
        writing.spare(options.outputs, (file for raw in raws for file in raw.files))
    return raws


def check(reports: Report | Sequence[Report], fail_on: str = "high") -> bool:
    """Whether all is well: no cause at or above a severity, held with at least medium confidence.

    Parameters
    ----------
    reports : Report or sequence of Report
    fail_on : str
        ``high``, ``medium``, ``low``, or ``never``.

    Examples
    --------
    >>> check(analyze({"d_loss": [1.3] * 60, "g_loss": [float("nan")] * 60}))
    False
    """
    those = reports if isinstance(reports, list | tuple) else [reports]
    return exit_code(those, fail_on) == 0  # type: ignore[arg-type]


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
