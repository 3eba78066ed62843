"""From a path to runs: find the logs, read them, join those of a run, add settings and pictures."""

from __future__ import annotations

import dataclasses
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.configs import read_config
from gandoctor.errors import GandoctorError, InputError, told_of
from gandoctor.files import backups, below, weights
from gandoctor.files.below import seen_from
from gandoctor.model.signals import Picture, RawRun, Setting, Signal, Source
from gandoctor.parsers import registry
from gandoctor.parsers.rows import outliers
from gandoctor.parsers.rows.names import telling
from gandoctor.parsers.runs import belonging, choosing, joining, pictures, settings
from gandoctor.parsers.runs.belonging import Log
from gandoctor.parsers.runs.groups import Group
from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gandoctor.model.signals import Reading, StepUnit

_Named = list[tuple[Picture, bool]]  # pictures found by name, as `pictures.find` gives them
# with the files that may be checkpoints, and those that may be what the training printed
_Files = tuple[_Named, list[Path], list[Path]]
MAX_LOGS: Final = 2_000
MAX_MISSES: Final = 50
_BEGUN: Final = (
    "the training has only begun, or logged nothing: wait, or give the log of another run"
)
_HOST: Final = late_pattern(
    r"tfevents\.\d+\.(?P<host>.+?)(?:\.\d+\.\d+)?(?:\.v2)?(?:\.profile-empty)?$"
)


def discover(path: Path, *, configs: Sequence[Path] = ()) -> list[RawRun]:
    """Find, read and join the runs behind a path.

    Parameters
    ----------
    path : Path
        A log, or a folder with the logs of one run or of many; ``PATH#NAME`` is one of these.
    configs : sequence of Path
        Config files to read instead of those found beside the logs.

    Returns
    -------
    list of RawRun
        At least one, by path. Every path in it is relative to its `root`, with POSIX separators.

    Raises
    ------
    InputError
        Missing or empty path, no log in it, nothing that can be read, no run of that name, or a
        config of `configs` that does not exist.
    """
    whole, name = choosing.parted(path)
    if name:
        return choosing.chosen(discover(whole, configs=configs), name, str(whole))
    try:
        full = path.resolve(strict=True)
    except (OSError, RuntimeError):
        what = "is a link that leads nowhere" if path.is_symlink() else "does not exist"
        raise InputError(what, str(path), "give a training log or the folder of a run") from None
    given = [_existing(c) for c in configs]
    if full.is_dir():
        return _in_folder(full, str(path), given)
    with told_of(str(full), str(path)):
        return _of_file(full, given)


def _existing(config: Path) -> Path:
    try:
        full = config.resolve(strict=True)
    except (OSError, RuntimeError):
        raise InputError(
            "does not exist", str(config), "--config takes a YAML, JSON, TOML or options file"
        ) from None
    if full.is_dir():
        raise InputError("is a folder", str(config), "--config takes a file")
    return full


def _of_file(file: Path, given: list[Path]) -> list[RawRun]:
    folder = file.parent
    groups: list[Group] = []
    readings = registry.read_log(file)
    for label, parser, reading in readings:
        log = Log(
            file, parser, _marked(reading, file), label=label, split=belonging.split_of(folder.name)
        )
        groups += joining.join(folder, [log])
    files = _around(file)
    runs = []
    for group in groups:
        named = pictures.find(seen_from(f, group.folder) for f in files)
        beside = named, weights.find(files), settings.prints(group.folder, files)
        notes: list[str] = []
        configs = given or _as_logged(settings.beside(group, files), group, notes)
        run = _raw_run(group, folder, configs, beside, notes)
        name = folder.name if "tfevents" in file.name else file.stem
        name = f"{name} ({group.logs[0].label})" if group.logs and group.logs[0].label else name
        base = _from(run.root, folder)
        runs.append(dataclasses.replace(run, name=_without_hosts(name, _hosts(group)), base=base))
    if not any(run.pictures for run in runs) and not any(
        _holds(reading) for _, _, reading in readings
    ):
        what, hint = _idle(readings[0][2]) if readings else ("holds no values", _BEGUN)
        raise InputError(what, file.name, hint)
    return runs


def _holds(reading: Reading) -> bool:
    """Whether anything was read, be it a note that what is in the file cannot be used."""
    return bool(
        reading.signals or reading.pictures or reading.settings or reading.facts or reading.notes
    )


def _idle(reading: Reading) -> tuple[str, str]:
    """What is said of a log of which nothing was read, and what would be right."""
    if reading.lost:
        return f"holds nothing that can be read ({reading.lost})", "copy it again, or use a backup"
    return "holds no values", _BEGUN


def _around(file: Path) -> list[Path]:
    """Files in a log's folder and, where it is the only such log there, below (the samples)."""
    tree = below.walk(file.parent, depth=1)
    here = [f for f in tree.files if f.parent == file.parent]
    kind = registry.hinted(file)
    like = (
        f for f in here if f != file and registry.is_candidate(f) and registry.hinted(f) == kind
    )
    alone = all(below.wrote(f) for f in like)
    return tree.files if alone else here


def _in_folder(root: Path, shown: str, given: list[Path]) -> list[RawRun]:
    tree = below.walk(root)
    if not tree.files and tree.denied:
        raise InputError(
            "cannot be opened (permission denied)", shown, "check the folder's permissions"
        )
    if not tree.files:
        raise InputError("is an empty folder", shown, "give a training log or the folder of a run")
    logs = _read_all(tree)
    if not any(log.reading for log in logs):
        raise _nothing(shown, tree, logs)
    groups = _group(root, logs)
    full = [g for g in groups if g.points]
    idle = [log for g in groups if not g.points for log in g.logs]
    if not full:
        full = [Group(root, idle)]
    elif len(full) == 1:
        full[0].logs += idle
    elif idle:
        names = joining.some(seen_from(log.path, root) for log in idle)
        tree.notes.append(f"{len(idle)} logs hold no points or could not be read: {names}")
    runs = []
    configs = settings.Configs(tree.files)
    named = {  # once for all runs of a folder
        folder: (
            pictures.find(seen_from(f, folder) for f in files),
            weights.find(files),
            settings.prints(folder, files),
        )
        for folder, files in _files_of(full, tree.files).items()
    }
    shown_any = any(found for found, *_ in named.values())
    if not any(_holds(log.reading) for log in logs if log.reading) and not shown_any:
        for log in logs:
            log.error = log.error or ("; ".join(_idle(log.reading)) if log.reading else "")
        raise _nothing(shown, tree, logs)
    for group in full:
        alone = len(full) == 1
        found = given or _as_logged(
            settings.of_run(group, root, configs, alone=alone), group, tree.notes
        )
        run = _raw_run(
            group, root if alone else group.folder, found, named[group.folder], tree.notes
        )
        name = _name(group, root, full)
        where = _without_hosts(seen_from(group.folder, root), _hosts(group)) if alone else name
        base = _from(run.root, root)
        runs.append(dataclasses.replace(run, name=name, where=where, base=base))
        tree.notes.clear()  # what is said of the folder is said once
    return runs


def _read_all(tree: below.Tree) -> list[Log]:
    """Every log of a folder, read; a file that cannot be read is kept with the reason."""
    logs: list[Log] = []
    misses: dict[tuple[Path, str], int] = {}
    passed = 0
    for file in tree.files:
        if not registry.is_candidate(file):
            continue
        kind = file.parent, file.suffix
        if misses.get(kind, 0) >= MAX_MISSES:  # a data set: one label file a picture, say
            passed += 1
            continue
        if len(logs) >= MAX_LOGS:
            tree.notes.append(f"only the first {MAX_LOGS:,} logs of the folder were read")
            break
        try:
            found = registry.read_found(file, below.head_of(file))
            logs += [
                Log(file, parser, _marked(reading, file), label=label)
                for label, parser, reading in found
            ]
            if found or not below.wrote(file):
                misses[kind] = -MAX_LOGS if found else misses.get(kind, 0) + 1
        except GandoctorError as e:
            logs.append(Log(file, registry.hinted(file), None, error=_sentence(e)))
    if passed:
        tree.notes.append(
            f"{passed:,} files were not looked at: they lie among many like them that are no logs"
        )
    return logs


def _marked(reading: Reading, file: Path) -> Reading:
    """Every series knows its file while they are joined.

    What it is called in the report is settled at the end.
    """
    return dataclasses.replace(
        reading, signals=tuple(dataclasses.replace(s, source=str(file)) for s in reading.signals)
    )


def _group(root: Path, logs: list[Log]) -> list[Group]:
    """The runs of a folder, by path."""
    by_folder = belonging.place(logs, root)
    groups = [g for folder, its in sorted(by_folder.items()) for g in joining.join(folder, its)]
    return joining.unite(groups)


def _nothing(shown: str, tree: below.Tree, logs: list[Log]) -> InputError:
    if logs:
        more = f" (and {len(logs) - 1} more)" if len(logs) > 1 else ""
        return InputError(
            f"holds no log that can be read: {logs[0].path.name} {logs[0].error}{more}", shown
        )
    n = len(tree.files)
    what = f"holds no training log ({n:,} file{'s' * (n != 1)} looked at)"
    return InputError(
        what,
        shown,
        "gandoctor reads TensorBoard, W&B, MLflow, CSV, JSONL, JSON, printed text and notebooks",
    )


def _sentence(error: GandoctorError) -> str:
    return f"{error.what}; {error.hint}" if error.hint else error.what


def _files_of(groups: list[Group], files: Iterable[Path]) -> dict[Path, list[Path]]:
    """By the folder of a run, the files below it that are not below another run's."""
    found: dict[Path, list[Path]] = {g.folder: [] for g in groups}
    for file in files:
        nearest = next((folder for folder in file.parents if folder in found), None)
        if nearest is not None:
            found[nearest].append(file)
    return found


def _name(group: Group, root: Path, groups: list[Group]) -> str:
    own = f": {group.stem}" if group.stem else ""
    if len(groups) == 1:
        return _without_hosts(root.name, _hosts(group))
    where = seen_from(group.folder, root)
    name = (root.name if where == "." else where) + own
    return _without_hosts(name, _hosts(group))


# ---------------------------------------------------------------- one run


def _raw_run(
    group: Group, home: Path, configs: list[Path], beside: _Files, notes: list[str]
) -> RawRun:
    """Put a run together; `home` is moved up where a config lies beside or above it."""
    root, outside = _root(home, configs)
    hosts = _hosts(group)
    said = list(
        dict.fromkeys(
            [*notes, *(n for log in group.logs if log.reading for n in log.reading.notes)]
        )
    )
    if outside:
        said.append(
            f"{joining.some(outside)}: outside the run's folder, so that a patch names the file "
            "without its folder"
        )
    named, saved, prints = beside
    stated, sources = _stated(group, configs, root, prints)
    logs = [
        Source(_without_hosts(seen_from(log.path, root), hosts), log.parser, log.points, _lost(log))
        for log in group.logs
        if not log.label or log is group.logs[0]
    ]
    signals = [
        dataclasses.replace(s, source=_without_hosts(seen_from(Path(s.source), root), hosts))
        for s in group.signals.values()
    ]
    shown, remarks = _pictures_of(group, root, named, signals)
    facts: dict[str, float] = {}
    for log in group.logs:
        facts.update(log.reading.facts if log.reading else {})
    unit, unit_note = _step_unit(group)
    told = telling([s.tag for s in signals])
    wild = outliers.said_of(s for s in signals if s.tag in told)
    all_notes = [*said, *group.notes, *remarks, *unit_note, *wild]
    ends = [
        log.reading.finished
        for log in group.logs
        if log.reading and log.reading.finished is not None
    ]
    return RawRun(
        name=_without_hosts(home.name, hosts),
        root=root,
        signals=tuple(signals),
        settings=tuple(stated),
        sources=(
            *logs,
            *(dataclasses.replace(s, path=_without_hosts(s.path, hosts)) for s in sources),
        ),
        pictures=tuple(shown),
        notes=tuple(_without_hosts(n, hosts) for n in dict.fromkeys(all_notes)),
        facts=facts,
        step_unit=unit,
        finished=any(ends) if ends else None,
        files=(*(log.path for log in group.logs), *configs, *(root / p.path for p in shown)),
        checkpoints=tuple(seen_from(f, root) for f in saved if f.is_relative_to(root)),
    )


def _as_logged(configs: list[Path], group: Group, notes: list[str]) -> list[Path]:
    """The configs; of one that was patched since the run was logged, what it was before."""
    logs = [log.path for log in group.logs]
    found = [(config, backups.as_logged(config, logs)) for config in configs]
    notes += [
        f"{config.name} was patched after this run was logged: the settings are those of "
        f"{old.name}, which is what it was before"
        for config, old in found
        if old is not None
    ]
    return [old or config for config, old in found]


def _lost(log: Log) -> str | None:
    return log.error or (log.reading.lost if log.reading else None)


def _root(home: Path, configs: list[Path]) -> tuple[Path, list[str]]:
    """The nearest folder that holds the run and its configs, for patches to be relative to.

    A folder as high as the user's home or the file system's root would put their name into the
    report: a config that far away is named without its folder.
    """
    root, outside = home, []
    private = Path.home().resolve()
    for config in configs:
        common = Path(os.path.commonpath([root, config.parent]))
        if common != root and (common.parent == common or private.is_relative_to(common)):
            outside.append(config.name)
        else:
            root = common
    return root, outside


def _stated(
    group: Group, configs: list[Path], root: Path, prints: list[Path]
) -> tuple[list[Setting], list[Source]]:
    """What configs say, then what logs carry; else what the run printed beside its log."""
    stated, sources = _settings_of(configs, root)
    logged = [s for log in group.logs if log.reading for s in log.reading.settings]
    if not stated and not logged:
        logged, also = settings.printed(group, prints)
        sources += also
    have = {(s.key, s.value) for s in stated}
    return stated + [s for s in logged if (s.key, s.value) not in have], sources


def _settings_of(configs: list[Path], root: Path) -> tuple[list[Setting], list[Source]]:
    stated: list[Setting] = []
    sources: list[Source] = []
    seen: set[tuple[str, str]] = set()
    for config in configs:
        name = seen_from(config, root)
        try:
            reading = read_config(config, name)
        except GandoctorError as e:
            sources.append(Source(name, "config", 0, _sentence(e)))
            continue
        fresh = [s for s in reading.settings if (s.key, repr(s.value)) not in seen]
        seen |= {(s.key, repr(s.value)) for s in fresh}
        stated += fresh
        sources.append(Source(name, "config", len(reading.settings), reading.lost))
    return stated, sources


def _step_unit(group: Group) -> tuple[StepUnit, list[str]]:
    """The unit of the log with most points; a note where another counts otherwise."""
    votes: dict[StepUnit, int] = {}
    for log in group.logs:
        if log.reading and log.reading.step_unit != "unknown":
            votes[log.reading.step_unit] = votes.get(log.reading.step_unit, 0) + log.points
    if not votes:
        return "unknown", []
    best = max(votes, key=lambda u: votes[u])
    others = sorted(u for u in votes if u != best)
    return best, [f"some files count {' and '.join(others)}, most count {best}"] if others else []


def _pictures_of(
    group: Group, root: Path, named: _Named, signals: list[Signal]
) -> tuple[list[Picture], list[str]]:
    """Pictures that the logs index, and those that lie in the run's folder."""
    shown: dict[tuple[str, int], Picture] = {}
    for log in group.logs:
        for p in log.reading.pictures if log.reading else ():
            path = log.path.parent / p.path if p.path else log.path
            found = dataclasses.replace(p, path=seen_from(path, root))
            shown[found.path, found.offset] = found
    notes: list[str] = []
    if named:
        factor, note = pictures.scale(named, _last_step(signals), _step_unit(group)[0])
        notes += note
        for p, _ in named:
            step = p.step if p.step < 0 else round(p.step * factor)
            name = seen_from(group.folder / p.path, root)
            shown.setdefault((name, 0), dataclasses.replace(p, path=name, step=step))
    return list(shown.values()), notes


def _last_step(signals: Iterable[Signal]) -> int:
    return max((int(np.max(s.steps)) for s in signals if len(s)), default=0)


def _from(folder: Path, start: Path) -> str:
    return Path(os.path.relpath(folder, start)).as_posix()


def _hosts(group: Group) -> list[str]:
    """Names of machines, as event files carry them in their own names."""
    found = (_HOST.search(log.path.name) for log in group.logs)
    return sorted({m["host"] for m in found if m}, key=len, reverse=True)


def _without_hosts(text: str, hosts: Iterable[str]) -> str:
    for host in hosts:
        text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(host)}(?![A-Za-z0-9])", "host", text)
    return text
