"""From a path to a report: the pipeline, written once."""

from __future__ import annotations

import difflib
import os
import sys
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import numpy as np

from gandoctor import __version__, diagnose, objective, parsers, preferences, rulebook, vocabulary
from gandoctor.errors import InputError, UsageError, unforeseen
from gandoctor.files import writing
from gandoctor.model.report import (
    BeliefNote,
    ObjectiveNote,
    Report,
    RunNote,
    SettingNote,
    SignalNote,
    SourceNote,
    Unmapped,
)
from gandoctor.model.rules import SEVERITIES
from gandoctor.model.signals import FAMILIES, Run
from gandoctor.model.thin import thin
from gandoctor.options import joined
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from gandoctor.model.report import Prescription, Series
    from gandoctor.model.rules import Rulebook, Severity
    from gandoctor.model.signals import RawRun, Setting, Signal

MOST_SERIES: Final = 40
MOST_SAID: Final = 12  # changes by one file of preferences that are told


@dataclass(frozen=True, slots=True)
class Options:
    """What the caller knows better than the log.

    Attributes
    ----------
    configs : sequence of Path
        Config files to use instead of those found beside the log.
    map : Mapping of str to str
        Role to tag.
    loss : str or None
        Loss family.
    rules : sequence of Path
        Folders with more rules.
    ignore : Mapping of str to str
        Rule id to the reason why it is not asked.
    select : sequence of str
        Ids of the only rules to ask; empty for all.
    severity : Mapping of str to str
        Rule id to the severity it is to have.
    repo : Path or None
        Source tree: where the config is found that a run was started from, the patch is made for
        it.
    use_preferences : bool
        Whether ``gandoctor.toml`` of the current folder's project and of the run is read.
    origins : Mapping of str to str
        Where an entry stands that the caller did not give, as `preferences.Preferences` says it.
    refused : tuple of str
        What the run's own ``gandoctor.toml`` asks for and does not get.
    outputs : sequence of Path
        What the caller is going to write: an error where a run was read from one of these.
    analysed : set of Path
        All that the caller is going to analyse, as `preferences.folders` gives it: what lies in it
        has no say in what is judged.
    of_run : frozenset of str
        Roles in `map` that are the word of the run's own ``gandoctor.toml``: what is wrong with
        them is no error.
    """

    configs: Sequence[Path] = ()
    map: Mapping[str, str] = field(default_factory=dict)
    loss: str | None = None
    rules: Sequence[Path] = ()
    ignore: Mapping[str, str] = field(default_factory=dict)
    select: Sequence[str] = ()
    severity: Mapping[str, str] = field(default_factory=dict)
    repo: Path | None = None
    use_preferences: bool = True
    origins: Mapping[str, str] = field(default_factory=dict)
    refused: tuple[str, ...] = ()
    outputs: Sequence[Path] = ()
    analysed: AbstractSet[Path] = frozenset()
    of_run: frozenset[str] = frozenset()

    def origin(self, entry: str, option: str) -> str:
        """Where an entry stands: the option, or ``file:key``."""
        return self.origins.get(entry, option)


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
    options = with_preferences(Path(path), options or Options())
    folders = rule_folders(options)
    words = vocabulary.load(folders)
    shelf = rulebook.Shelf(folders, lambda book: _customised(book, options))
    raws = _discover(Path(path), options)
    several = len(raws) > 1
    return [
        (raw.root, _report(raw, understand(raw, words, options, several=several), shelf, options))
        for raw in raws
    ]


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


def with_preferences(path: Path, options: Options) -> Options:
    """Fill what the caller left open from ``gandoctor.toml``."""
    if not options.use_preferences:
        return options
    said = preferences.load(Path.cwd(), path, options.analysed)
    given = {"loss"} if options.loss else set()
    for key in ("map", "ignore", "select", "severity"):
        given |= {f"{key}.{name}" for name in getattr(options, key)}
    held = joined(said, options)
    held["rules"] = tuple(Path(folder) for folder in held["rules"])
    return replace(
        options,
        **held,
        origins={entry: where for entry, where in said.origins.items() if entry not in given},
        refused=said.refused,
        of_run=said.of_run - set(options.map),
    )


def rule_folders(options: Options) -> list[Path]:
    """Our own rules first, then those that installed packages add, then the user's."""
    for folder in options.rules:
        origin = options.origin(f"rules.{folder}", "")
        where = f"{origin} ({folder.name})" if origin else str(folder)
        if not folder.is_dir():
            raise UsageError(
                "there is no such rules folder", where, "give a folder laid out like rules/"
            )
        if not (any(rulebook.files(folder)) or (folder / "vocabulary").is_dir()):
            raise UsageError(
                "holds no rules",
                where,
                "a rules folder is laid out as symptoms/x.yaml, risks/x.yaml",
            )
    return [rulebook.default_folder(), *_packaged_rules(), *options.rules]


def _packaged_rules() -> list[Path]:
    """The ``rules`` folders of packages that entry points of the group ``gandoctor.rules`` name."""
    # importlib.metadata parses every installed package; most installations have no such entry
    # point.
    if not any(_declares(Path(p), b"gandoctor.rules") for p in sys.path):
        return []
    from importlib.metadata import entry_points
    from importlib.util import find_spec

    folders: list[Path] = []
    for point in entry_points(group="gandoctor.rules"):
        spec = find_spec(point.value.partition(":")[0])
        homes = [Path(h) for h in spec.submodule_search_locations or ()] if spec else []
        folder = next((h / "rules" for h in homes if (h / "rules").is_dir()), None)
        if folder is None:
            raise UsageError(
                "names no package with a rules folder",
                f"entry point {point.name}",
                "name the package itself",
            )
        folders.append(folder)
    return folders


def _declares(folder: Path, group: bytes) -> bool:
    """Whether a package installed in a folder declares entry points of a group."""
    try:
        files = [
            Path(e.path, "entry_points.txt")
            for e in os.scandir(folder)
            if e.name.endswith((".dist-info", ".egg-info"))
        ]
        return any(group in f.read_bytes() for f in files if f.is_file())
    except OSError:
        return False


def _customised(book: Rulebook, options: Options) -> Rulebook:
    """The book with the rules that were selected, at the severities that were asked for."""
    known = {*book.by_id, *(m.id for m in book.measures)}
    for key, word, ids in (
        ("ignore", "ignore", options.ignore),
        ("select", "select", options.select),
        ("severity", "give a severity", options.severity),
    ):
        for i in ids:
            if i not in known:
                near = difflib.get_close_matches(i, known, 1)
                hint = (
                    f"did you mean {near[0]!r}?"
                    if near
                    else "'gandoctor rules list' names them all"
                )
                raise UsageError(
                    f"there is no rule {i!r} to {word}",
                    options.origin(f"{key}.{i}", f"--{key}"),
                    hint,
                )
    for i, severity in options.severity.items():
        if severity not in SEVERITIES:
            raise UsageError(
                f"unknown severity {severity!r}", f"severity.{i}", f"one of {', '.join(SEVERITIES)}"
            )
    if not (options.select or options.severity):
        return book
    rules = tuple(
        replace(r, severity=cast("Severity", options.severity.get(r.id, r.severity)))
        for r in book.rules
        if not options.select or r.id in options.select
    )
    return replace(
        book,
        rules=rules,
        by_id={r.id: r for r in rules},
        measures=tuple(m for m in book.measures if not options.select or m.id in options.select),
        weights=replace(
            book.weights,
            rules={i: w for i, w in book.weights.rules.items() if i not in options.severity},
        ),
    )


def understand(
    raw: RawRun, words: vocabulary.Vocabulary, options: Options, *, several: bool = False
) -> Run:
    """Give every signal its role and every setting its name, infer the game, derive what can be.

    Parameters
    ----------
    raw : RawRun
    words : Vocabulary
    options : Options
    several : bool
        Whether this is one of several runs; a ``--map`` tag that one of them lacks is then no
        error.
    """
    if options.loss is not None and options.loss not in FAMILIES:
        where = options.origin("loss", "--loss")
        raise UsageError(
            f"unknown loss family {options.loss!r}", where, f"one of {', '.join(FAMILIES)}"
        )
    settings = vocabulary.settle(raw.settings, vocabulary=words)
    wanted, idle = _heeded(raw, words, options)
    if several:
        tags = {s.tag for s in raw.signals}
        wanted = {
            role: tag for role, tag in wanted.items() if tag in tags or role not in words.roles
        }
    said = {
        role: options.origins[f"map.{role}"] for role in wanted if f"map.{role}" in options.origins
    }
    placed = vocabulary.place(
        raw.signals, vocabulary=words, settings=raw.settings, overrides=wanted, said=said
    )
    measured, facts, remarks = _measured(raw)
    facts = {**_said_of_the_data(settings), **raw.facts, **facts, **vocabulary.facts(settings)}
    logged = [s for s in placed if s.role]
    joining = objective.join(logged, settings)
    facts |= joining.facts
    known = (*joining.signals, *measured, *_relative_variance(logged, facts))
    unit = vocabulary.step_unit(raw.signals, raw.settings, raw.step_unit)
    said_by = options.origin("loss", "--loss")
    game = objective.infer(
        known, settings, family=options.loss, said=said_by, step_unit=unit, name=raw.name
    )
    derived = objective.derive(known, game, facts, words.roles)
    return Run(
        name=raw.name,
        signals=(*known, *derived),
        unmapped=(*(s for s in placed if not s.role), *joining.idle),
        settings=settings,
        raw_settings=raw.settings,
        objective=game,
        facts=facts,
        notes=(*raw.notes, *remarks, *idle, *filter(None, (joining.note,))),
        sources=raw.sources,
        step_unit=unit,
        roles=words.roles,
        finished=raw.finished,
    )


def _heeded(
    raw: RawRun, words: vocabulary.Vocabulary, options: Options
) -> tuple[dict[str, str], list[str]]:
    """The mapping without what the run's own word cannot mean, and what that was."""
    tags = {s.tag for s in raw.signals}
    wanted, idle = dict(options.map), []
    for role in sorted(options.of_run & wanted.keys()):
        if role in words.roles and wanted[role] in tags:
            continue
        why = (
            f"there is no signal {wanted[role]!r}"
            if role in words.roles
            else "there is no such role"
        )
        idle.append(f"{options.origin(f'map.{role}', 'map')} of the run was left out: {why}")
        del wanted[role]
    return wanted, idle


def _followed(run: Run, options: Options) -> dict[str, str]:
    """The mapping without what a note of the run says was left out."""
    return {
        role: tag
        for role, tag in options.map.items()
        if role not in options.of_run
        or not any(
            n.startswith(f"{options.origin(f'map.{role}', 'map')} of the run was left")
            for n in run.notes
        )
    }


def _measured(raw: RawRun) -> tuple[tuple[Signal, ...], dict[str, float], tuple[str, ...]]:
    """What the samples say; whatever is wrong with them, the rest of the report stands."""
    if not raw.pictures:
        return (), {}, ()
    from gandoctor import samples

    try:
        return *samples.measure(raw.pictures, raw.root), ()
    except Exception as e:
        fault = unforeseen(e, "their", "")
        return (), {}, (f"the samples were left out: {fault.what}",)


def _said_of_the_data(settings: Mapping[str, Setting]) -> dict[str, float]:
    """The range of the real data as the config gives it; what was measured goes before it."""
    named = (("real_min", "data_low"), ("real_max", "data_high"))
    values = {fact: settings[name].value for fact, name in named if name in settings}
    return {
        k: float(v)
        for k, v in values.items()
        if isinstance(v, int | float) and not isinstance(v, bool)
    }


def _relative_variance(signals: Sequence[Signal], facts: Mapping[str, float]) -> list[Signal]:
    """Logged sample variance divided by the real data's, where that is known.

    Rules speak of the ratio.
    """
    real = facts.get("real_variance", 0.0)
    if not real > 0:
        return []
    return [
        replace(
            s,
            tag=f"{s.tag} / real",
            values=s.values / real,
            source="",
            because=f"the real data's variance is {real:.3g}",
        )
        for s in signals
        if s.role == "sample_variance"
    ]


def _report(raw: RawRun, run: Run, shelf: rulebook.Shelf, options: Options) -> Report:
    seen = diagnose.examine(run, shelf, ignore=options.ignore)
    cures: tuple[Prescription, ...] = ()
    if seen.diagnoses:
        from gandoctor.prescribe import prescribe

        book = shelf.whole
        cures = prescribe(
            run,
            seen.diagnoses,
            book.remedies,
            raw.root,
            holds=seen.holds,
            measured=book.measured,
            repo=options.repo,
        )
        effort = {r.id: r.effort for r in book.remedies}
        cures = tuple(replace(p, effort=effort[p.remedy]) for p in cures)
    diagnoses = tuple(
        replace(d, prescriptions=tuple(p.remedy for p in cures if p.cause == d.cause))
        for d in seen.diagnoses
    )
    return Report(
        run=_run_note(run),
        verdict=seen.verdict,
        why_verdict=seen.why_verdict,
        p_failing=round(seen.belief.p, 4),
        belief=tuple(
            BeliefNote(p.evidence, p.group, round(p.nats, 3), p.text)
            for p in seen.belief.pieces
            if p.nats
        ),
        signals=tuple(_signal_note(s) for s in run.signals),
        unmapped=tuple(Unmapped(s.tag, len(s)) for s in run.unmapped),
        settings=tuple(
            SettingNote(name, str(s.value), s.key, s.file, s.line)
            for name, s in sorted(run.settings.items())
        ),
        findings=seen.findings,
        diagnoses=diagnoses,
        prescriptions=cures,
        risks=seen.risks,
        clear=seen.clear,
        not_checked=seen.not_checked,
        ignored=seen.ignored,
        log_next=seen.log_next,
        course=seen.course,
        series=_series(run, seen),
        rules_digest=shelf.judging.digest,
        version=__version__,
        preferences=(*_preferred(replace(options, map=_followed(run, options))), *options.refused),
    )


def _preferred(options: Options) -> Iterator[str]:
    """What the user's own word changed of what is judged, one sentence a file or option."""
    changes = [(f"ignore.{rule}", "--ignore", f"{rule} is not asked") for rule in options.ignore]
    changes += [
        (f"select.{rule}", "--select", f"{rule} is among the only rules asked")
        for rule in options.select
    ]
    changes += [
        (f"severity.{r}", "the caller", f"{r} counts as {word}")
        for r, word in options.severity.items()
    ]
    changes += [
        (f"rules.{folder}", "--rules", f"rules of {folder.name} are asked, too")
        for folder in options.rules
    ]
    changes += [(f"map.{role}", "--map", f"{role} is {tag}") for role, tag in options.map.items()]
    changes += [("loss", "--loss", f"the loss family is {options.loss}")] if options.loss else []
    by_file: dict[str, list[str]] = {}
    for entry, option, change in changes:
        by_file.setdefault(options.origin(entry, option).partition(":")[0], []).append(change)
    for where, made in by_file.items():
        more = f"; and {len(made) - MOST_SAID} more" if len(made) > MOST_SAID else ""
        yield f"{where}: {'; '.join(made[:MOST_SAID])}{more}"


def _run_note(run: Run) -> RunNote:
    game = run.objective
    return RunNote(
        name=run.name,
        sources=tuple(SourceNote(s.path, s.parser, s.points, s.lost) for s in run.sources),
        first_step=run.first_step,
        last_step=run.last_step,
        step_unit=run.step_unit,
        objective=ObjectiveNote(
            game.family,
            game.chance_d,
            game.chance_g,
            game.reduction,
            game.confidence,
            game.because,
            game.led_by,
        ),
        notes=run.notes,
    )


def _signal_note(s: Signal) -> SignalNote:
    finite = s.values[np.isfinite(s.values)]
    last = float(finite[-1]) if finite.size else None
    return SignalNote(s.tag, s.role or "", s.network, s.split, len(s), last, s.because, s.source)


def _series(run: Run, seen: diagnose.Examination) -> dict[str, Series]:
    wanted = {tag for f in seen.findings for e in f.evidence for tag in (e.signal, *e.signals)}
    shown = [s for s in run.signals if s.tag in wanted]
    always = (role.name for role in run.roles.values() if role.shown)
    shown += [s for role in always for s in run.by_role(role) if s.tag not in wanted]
    return {s.tag: thin(s) for s in shown[:MOST_SERIES] if len(s)}


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
