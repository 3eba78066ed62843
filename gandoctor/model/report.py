"""The report: one value from which every output is made, and which round-trips through JSON."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from dataclasses import field
from typing import Any, Final, Literal

from gandoctor.values import dataclass

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
    """One value in one file, old and new, both as they stand in the file."""

    file: str
    key: str
    old: str
    new: str


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
class ProbeFigure:
    """One number that a probe measured.

    Attributes
    ----------
    name : str
    value : float
    text : str
        What it is, in words.
    role : str
        What it counts as for the rules; empty where it is no signal.
    """

    name: str
    value: float | None
    text: str
    role: str = ""


@dataclass(frozen=True, slots=True)
class ProbeLayer:
    """Gradient of one parameter: its norm, and that over the norm of the weights.

    `matrix` says whether it has more than one dimension.
    """

    player: str
    name: str
    gradient: float | None
    relative: float | None
    matrix: bool = False


@dataclass(frozen=True, slots=True)
class ProbeTested:
    """What the probe says of a diagnosis of the log."""

    cause: str
    title: str
    symptoms: tuple[str, ...]
    outcome: Literal["confirmed", "refuted", "untouched"]
    why: str


@dataclass(frozen=True, slots=True)
class ProbeNote:
    """A probe of a run's players: what it measured, and what became of what the log said.

    Attributes
    ----------
    device, checkpoint : str
        For people.
    seconds, budget : float
    seed, samples : int
    p_before, p_after : float
        Belief that the run has failed, by the log alone and with what the probe measured.
    verdict_before : str
    figures : tuple of ProbeFigure
    tested : tuple of ProbeTested
        The diagnoses of the log.
    layers : tuple of ProbeLayer
    notes : tuple of str
        What could not be measured and why, what was halved.
    complete : bool
        False where the time ran out, or somebody interrupted it.
    """

    device: str
    checkpoint: str
    seconds: float
    budget: float
    seed: int
    samples: int
    p_before: float
    p_after: float
    verdict_before: Verdict
    figures: tuple[ProbeFigure, ...] = ()
    tested: tuple[ProbeTested, ...] = ()
    layers: tuple[ProbeLayer, ...] = ()
    notes: tuple[str, ...] = ()
    complete: bool = True


@dataclass(frozen=True, slots=True)
class TrialArm:
    """One way to train, tried for short: as it was, under a prescription, under a random edit.

    Attributes
    ----------
    kind : str
        ``unchanged``, ``prescription`` or ``random``.
    title, change : str
        What it is; the edits as ``key: old -> new``.
    number : int
        Of the prescription in the report before the trials, from 1; 0 for the others.
    remedy, cause : str
        Of the prescription.
    rungs : tuple of tuple of float or None
        What the judge said at each rung, one a seed; None where nothing trained, or it broke.
    outcome : str
        ``refuted``, ``supported``, ``undecided``, ``control`` or ``not tried``.
    why : str
    """

    kind: Literal["unchanged", "prescription", "random"]
    title: str
    change: str
    number: int = 0
    remedy: str = ""
    cause: str = ""
    rungs: tuple[tuple[float | None, ...], ...] = ()
    outcome: Literal["refuted", "supported", "undecided", "control", "not tried"] = "not tried"
    why: str = ""


@dataclass(frozen=True, slots=True)
class TrialsNote:
    """Short trainings from scratch, and what they say of the prescriptions.

    Attributes
    ----------
    judge : str
        Role of the signal that decides, or ``belief``: lower is better of all.
    shares : tuple of float
        Of the run's steps, one a rung.
    arms : tuple of TrialArm
    trained : int
        How many trainings there were.
    seconds, budget : float
    notes : tuple of str
    complete : bool
        False where the time ran out, or somebody interrupted it.
    """

    judge: str
    shares: tuple[float, ...]
    arms: tuple[TrialArm, ...]
    trained: int
    seconds: float
    budget: float
    notes: tuple[str, ...] = ()
    complete: bool = True


@dataclass(frozen=True, slots=True)
class NotChecked:
    """A rule that could not be decided: why, and what to log."""

    rule: str
    title: str
    reason: str
    log_it: str


@dataclass(frozen=True, slots=True)
class SignalNote:
    """One signal as it was understood."""

    tag: str
    role: str
    network: str
    split: str
    points: int
    last: float | None
    because: str
    source: str


@dataclass(frozen=True, slots=True)
class Unmapped:
    """One signal that could not be placed."""

    tag: str
    points: int


@dataclass(frozen=True, slots=True)
class SettingNote:
    """One setting as it was understood."""

    name: str
    value: str
    key: str
    file: str
    line: int


@dataclass(frozen=True, slots=True)
class SourceNote:
    """One file that was read."""

    path: str
    parser: str
    points: int
    lost: str | None = None


@dataclass(frozen=True, slots=True)
class ObjectiveNote:
    """The game as it was understood."""

    family: str = "unknown"
    chance_d: float | None = None
    chance_g: float | None = None
    reduction: str = "unknown"
    confidence: str = "low"
    because: tuple[str, ...] = ()
    led_by: str = ""


@dataclass(frozen=True, slots=True)
class RunNote:
    """The run as it was read. No absolute path, host or user name."""

    name: str
    path: str = "."
    sources: tuple[SourceNote, ...] = ()
    first_step: int = 0
    last_step: int = 0
    step_unit: str = "unknown"
    objective: ObjectiveNote = field(default_factory=ObjectiveNote)
    notes: tuple[str, ...] = ()


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
    probe : ProbeNote or None
        What a probe of the players measured, where there was one.
    trials : TrialsNote or None
        What short trainings said of the prescriptions, which stand in the order that follows.
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
    probe: ProbeNote | None = None
    trials: TrialsNote | None = None

    def first_patch(self, cause: str = "") -> Prescription | None:
        """What to try first, of one cause or of all.

        The first with a diff, else the first that is not blocked.
        """
        usable = [p for p in self.prescriptions if not p.blocked_by and cause in ("", p.cause)]
        return next((p for p in usable if p.diff), usable[0] if usable else None)

    def to_dict(self) -> dict[str, Any]:
        """Plain data for ``json.dumps``; NaN and infinities become None."""
        data = typing.cast("dict[str, Any]", _plain(self))
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
        return typing.cast("Report", _built(cls, data, "report"))


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _built(kind: Any, data: Any, where: str) -> Any:
    """Build a value of the annotated type `kind` from plain data, which may be anybody's."""
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        if data is None and type(None) in args:
            return None
        return _built(next(k for k in args if k is not type(None)), data, where)
    if origin is typing.Literal:
        if data in args:
            return data
        raise ValueError(f"{where} is none of {', '.join(map(str, args))}")
    if dataclasses.is_dataclass(kind):
        _expect(data, dict, where)
        hints = typing.get_type_hints(kind)
        needed = [f.name for f in dataclasses.fields(kind) if _is_needed(f)]
        if missing := [name for name in needed if name not in data]:
            raise ValueError(f"{where}.{missing[0]} is missing")
        given = {name: data[name] for name in hints if name in data}
        return kind(**{k: _built(hints[k], v, f"{where}.{k}") for k, v in given.items()})  # type: ignore[operator]
    if origin is tuple:
        _expect(data, (list, tuple), where)
        each = [args[0]] * len(data) if len(args) == 2 and args[1] is Ellipsis else args
        if len(each) != len(data):
            raise ValueError(f"{where} does not hold {len(each)} values")
        return tuple(
            _built(k, v, f"{where}[{i}]") for i, (k, v) in enumerate(zip(each, data, strict=True))
        )
    if origin is dict:
        _expect(data, dict, where)
        return {k: _built(args[1], v, f"{where}.{k}") for k, v in data.items()}
    _expect(data, (int, float) if kind is float else kind, where)
    if isinstance(data, bool) and kind is not bool:
        raise ValueError(f"{where} is a truth value")
    if isinstance(data, int) and abs(data) >= 1 << 63:
        raise ValueError(f"{where} is out of range")
    return data


def _is_needed(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _expect(data: object, kind: type | tuple[type, ...], where: str) -> None:
    if not isinstance(data, kind):
        raise ValueError(f"{where} is {'nothing' if data is None else f'a {type(data).__name__}'}")
