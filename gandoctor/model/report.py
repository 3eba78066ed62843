"""The report: one value from which every output is made, and which round-trips through JSON."""

from __future__ import annotations

import importlib
import math
import typing
from dataclasses import field
from pathlib import Path
from typing import Any, Final, Literal

from gandoctor.model.belief import in_per_cent
from gandoctor.model.checkpoints import CheckpointNote, DrawnNote
from gandoctor.model.notes import (
    BestNote,
    ObjectiveNote,
    RunNote,
    SettingNote,
    SignalNote,
    SourceNote,
    Unmapped,
)
from gandoctor.model.pictures import PictureNote
from gandoctor.model.plain import built, plain
from gandoctor.model.probing import ProbeNote, TrialsNote
from gandoctor.values import dataclass

__all__ = [
    "SCHEMA",
    "SCHEMA_MANY",
    "BeliefNote",
    "BestNote",
    "CheckpointNote",
    "Diagnosis",
    "DrawnNote",
    "Edit",
    "Evidence",
    "Finding",
    "NotChecked",
    "ObjectiveNote",
    "PictureNote",
    "Prescription",
    "ProbeNote",
    "Reason",
    "Report",
    "RiskNote",
    "RunNote",
    "Series",
    "SettingNote",
    "SignalNote",
    "SourceNote",
    "Stretch",
    "TrialsNote",
    "Truth",
    "Unmapped",
    "Verdict",
]

Truth = Literal["true", "false", "unknown"]
Verdict = Literal["failing", "warning", "healthy", "inconclusive"]

SCHEMA: Final = "gandoctor.report/1"
SCHEMA_MANY: Final = "gandoctor.reports/1"


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one clause of a rule found.

    Attributes
    ----------
    clause : str
        Name of the clause.
    truth : str
        ``true``, ``false`` or ``unknown``.
    text : str
        The finding in words, with its numbers.
    where : str
        The clause's test as written in the rule.
    intervals : tuple of (first, last)
        Steps within the window where the test held.
    window : (first, last) or None
        Steps that were looked at.
    share : float or None
        Share of the window's steps on which the test held.
    margin : float or None
        How far the deciding comparison is from flipping, relative to its threshold.
    signal : str
        Tag of the signal it is about; empty where it is about settings.
    threshold : float or None
        Level to draw, where the test compares that signal with a constant.
    reason : str
        Why it is unknown.
    signals : tuple of str
        Tags of all signals in the test.
    """

    clause: str
    truth: Truth
    text: str
    where: str = ""
    intervals: tuple[tuple[int, int], ...] = ()
    window: tuple[int, int] | None = None
    share: float | None = None
    margin: float | None = None
    signal: str = ""
    threshold: float | None = None
    reason: str = ""
    signals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """A symptom rule that fired.

    Attributes
    ----------
    explained_by : str or None
        The cause that explains (and so silences) this finding as a mere consequence; it is kept.
    fingerprint : str
        Rule and signal: stable between runs of the same training, for baselines.
    """

    rule: str
    symptom: str
    title: str
    severity: str
    confidence: str
    onset_step: int | None
    fingerprint: str
    why: str = ""
    network: str = ""
    status: str = "stable"
    explained_by: str | None = None
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Reason:
    """One term of a cause's score."""

    text: str
    weight: float


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A cause with the findings it explains.

    `settings` are the user's own keys, those to blame and no others.
    """

    cause: str
    title: str
    story: str
    symptoms: tuple[str, ...]
    severity: str
    confidence: str
    score: float
    reasons: tuple[Reason, ...]
    onset_step: int | None
    settings: tuple[str, ...]
    findings: tuple[str, ...] = ()
    prescriptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Edit:
    """One value in one file, old and new, both as they stand in the file.

    `line` is given of an edit of code, as its reader knows it (``12``, ``cell3:12``), and left out
    of the plain data elsewhere.
    """

    file: str
    key: str
    old: str
    new: str
    line: str = field(default="", metadata={"quiet": True})


@dataclass(frozen=True, slots=True)
class Prescription:
    """A remedy worked out for this run.

    Attributes
    ----------
    made_for : tuple of (file, sha256)
        The very texts that the diff was made for.
    effort : str
        What it takes: a change of the config, of the code, or of the data.
    base : str
        What the diff's files are relative to: the folder of the ``run``, or the source tree
        (``repo``) that was given.
    """

    remedy: str
    cause: str
    title: str
    risk: str
    why: str = ""
    expect: str = ""
    edits: tuple[Edit, ...] = ()
    diff: str | None = None
    overrides: tuple[str, ...] = ()
    snippet: str | None = None
    blocked_by: str | None = None
    trial: str | None = None
    made_for: tuple[tuple[str, str], ...] = ()
    base: Literal["run", "repo"] = "run"
    effort: Literal["config", "code", "data"] = "config"


@dataclass(frozen=True, slots=True)
class RiskNote:
    """A doubtful setting or a blind spot. Never a finding."""

    rule: str
    title: str
    text: str
    settings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BeliefNote:
    """What one piece of evidence adds to the belief that the run has failed, in nats."""

    evidence: str
    group: str
    nats: float
    text: str


@dataclass(frozen=True, slots=True)
class NotChecked:
    """A rule that could not be decided: why, and what to log.

    `missing` names the signals and facts it lacked; left out of the plain data where it lacked
    none.
    """

    rule: str
    title: str
    reason: str
    log_it: str
    missing: tuple[str, ...] = field(default=(), metadata={"quiet": True})


@dataclass(frozen=True, slots=True)
class Series:
    """A thinned series: at most 2,000 points; None stands for NaN and the infinities."""

    steps: tuple[int, ...]
    values: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a run in which nothing changed for good, and what it was like."""

    first_step: int
    last_step: int
    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """Everything gandoctor has to say about one run.

    Attributes
    ----------
    why_verdict : str
        One sentence that carries the verdict.
    p_failing : float or None
        How surely the run has failed, 0 to 1; None in reports of versions that did not say.
    belief : tuple of BeliefNote
        What made it so, from the base rate on, the weightiest first; nats sum to the log-odds of
        `p_failing`.
    log_next : tuple of NotChecked
        Of an inconclusive run: what to log so that the belief moves most; `rule` and `title` name
        signals here.
    course : tuple of Stretch
        How the run went, where it is not of one piece.
    preferences : tuple of str
        What preferences and options changed of what is judged, and what the run's own asked for in
        vain: one sentence a file or option.
    checkpoints : tuple of CheckpointNote
        What lay in the run's folder, by step.
    pictures : tuple of PictureNote
        Sample pictures of the run in small: the first, the best, that of the onset, the last.
    drawn : tuple of DrawnNote
        Samples that were drawn from the generators in them.
    probe : ProbeNote or None
        What a probe of the players measured, where there was one.
    trials : TrialsNote or None
        What short trainings said of the prescriptions, which stand in the order that follows.
    best : BestNote or None
        Where quality was best, by what is most trusted of what was logged.
    titles : dict of str to str
        Of the rules in `clear`, what each looks for.
    """

    run: RunNote
    verdict: Verdict
    why_verdict: str = ""
    p_failing: float | None = None
    belief: tuple[BeliefNote, ...] = ()
    signals: tuple[SignalNote, ...] = ()
    unmapped: tuple[Unmapped, ...] = ()
    settings: tuple[SettingNote, ...] = ()
    findings: tuple[Finding, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()
    prescriptions: tuple[Prescription, ...] = ()
    risks: tuple[RiskNote, ...] = ()
    clear: tuple[str, ...] = ()
    not_checked: tuple[NotChecked, ...] = ()
    ignored: tuple[NotChecked, ...] = ()
    series: dict[str, Series] = field(default_factory=dict)
    rules_digest: str = ""
    version: str = ""
    schema: str = SCHEMA
    preferences: tuple[str, ...] = ()
    log_next: tuple[NotChecked, ...] = ()
    course: tuple[Stretch, ...] = ()
    checkpoints: tuple[CheckpointNote, ...] = ()
    drawn: tuple[DrawnNote, ...] = ()
    pictures: tuple[PictureNote, ...] = ()
    probe: ProbeNote | None = None
    trials: TrialsNote | None = None
    best: BestNote | None = field(default=None, metadata={"quiet": True})
    titles: dict[str, str] = field(default_factory=dict, metadata={"quiet": True})

    def first_patch(self, cause: str = "") -> Prescription | None:
        """What to try first, of one cause or of all.

        The first with a diff, else the first that is not blocked.
        """
        usable = [p for p in self.prescriptions if not p.blocked_by and cause in ("", p.cause)]
        return next((p for p in usable if p.diff), usable[0] if usable else None)

    def patch(self) -> str:
        """The diff of what to try first; empty where there is none.

        Examples
        --------
        >>> Report(RunNote("healthy"), "healthy").patch()
        ''
        """
        first = self.first_patch()
        return (first.diff if first is not None else None) or ""

    def __repr__(self) -> str:
        sure = "" if self.p_failing is None else f", {in_per_cent(self.p_failing)}"
        return f"<Report {self.run.name}: {self.verdict}{sure}: {self.why_verdict}>"

    def _repr_html_(self) -> str:
        return str(_output("card").render(self))

    def compare(self, after: Report) -> Any:
        """Whether a change helped: a `gandoctor.model.comparison.Comparison` with a later run.

        Examples
        --------
        >>> before = Report(RunNote("before"), "failing", p_failing=0.9)
        >>> before.compare(Report(RunNote("after"), "healthy", p_failing=0.1)).answer
        'better'
        """
        return importlib.import_module("gandoctor.compare").compare(self, after)

    def to_html(self) -> str:
        """The whole report as one page."""
        return str(_output("html").render(self))

    def to_markdown(self) -> str:
        """The whole report as Markdown."""
        return str(_output("markdown").render(self))

    def to_json(self) -> str:
        """The report as JSON, as CI and other tools read it."""
        return str(_output("json").render(self))

    def save(self, path: str | Path) -> Path:
        """Write it into a file; the suffix says in which format (.html, .md, .json, .sarif, ...).

        Returns
        -------
        Path
            Of the file.

        Raises
        ------
        UsageError
            There is no such format, or the file cannot be written.
        """
        outputs = importlib.import_module("gandoctor.reporters")
        files = importlib.import_module("gandoctor.files.writing")
        text = outputs.render(outputs.choose(str(path)), [self])
        files.write_text(Path(path), text)
        return Path(path)

    def to_pandas(self, *, wide: bool = False) -> Any:
        """The series of the report, thinned as its pictures are.

        Parameters
        ----------
        wide : bool
            One row a step and one column a tag, instead of columns ``tag``, ``role``, ``network``,
            ``step``, ``value``.

        Returns
        -------
        pandas.DataFrame

        Examples
        --------
        >>> one = {"d": Series((0, 10), (1.4, None))}
        >>> Report(RunNote("run"), "inconclusive", series=one).to_pandas(wide=True)
        tag     d
        step
        0     1.4
        """
        import pandas as pd

        whose = {s.tag: (s.role, s.network) for s in self.signals}
        rows = [
            (tag, *whose.get(tag, ("", "")), step, math.nan if value is None else value)
            for tag, series in self.series.items()
            for step, value in zip(series.steps, series.values, strict=True)
        ]
        long = pd.DataFrame(rows, columns=["tag", "role", "network", "step", "value"])
        return long.pivot_table(index="step", columns="tag", values="value") if wide else long

    def to_dict(self) -> dict[str, Any]:
        """Plain data for ``json.dumps``; NaN and infinities become None."""
        data = typing.cast("dict[str, Any]", plain(self))
        for name in ("probe", "trials"):
            if data[name] is None:
                del data[name]
        return data

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Report:
        """The inverse of `to_dict`; unknown keys are passed over, missing ones take their defaults.

        Raises
        ------
        ValueError
            Something in it is not of its kind, or has to be there; the message says where.
        """
        return typing.cast("Report", built(cls, data, "report"))


def _output(name: str) -> Any:
    # By its name: the value knows no output, and whoever only reads reports loads none.
    return importlib.import_module(f"gandoctor.reporters.{name}")
