"""Which logs belong to one run, and how their series are joined without counting anything twice.

Evidence decides, in this order: the folder (parts that one writer spreads over sub-folders are one run), what the
series share (the same values are one series; other values at the same steps are another run), then time (a later event
file of a folder is a resume).
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from gandoctor.model.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from gandoctor.model.signals import Reading

Relation = Literal["apart", "same", "follows", "conflict"]

# Formats that carry full precision and time come first: of two equal series theirs is kept.
_PREFERENCE: Final = ("tensorboard", "wandb", "csv", "jsonl")
_LAST: Final = ("text", "notebook")
_TRAIN: Final = frozenset({"train", "training"})
_VAL: Final = frozenset({"val", "valid", "validation", "test", "testing", "eval", "evaluation", "dev", "holdout"})
# Words of which the names of parts are made: `fake_data`, `loss_D`, `netG`. A folder named otherwise is a run.
_PARTS: Final = frozenset(
    {
        "d", "g", "disc", "dis", "discriminator", "critic", "gen", "generator", "net", "netd", "netg", "loss", "losses",
        "score", "scores", "real", "fake", "data", "adv", "adversarial", "gan", "err", "errd", "errg", "lossd", "lossg",
        "gradient", "gradients", "grad", "norm", "lr", "fid", "metric", "metrics", "acc", "accuracy", "total", "x", "z",
        "dx", "dgz", "images", "image",
    }
)  # fmt: skip
# Folders that merely hold a run's logs; the run is the folder above.
_HOLDERS: Final = frozenset(
    {
        "log", "logs", "tb", "tb_log", "tb_logs", "tblog", "tensorboard", "tensorboard_logs", "tflogs", "event",
        "events", "summary",
        "summaries", "csv", "csv_log", "csv_logs", "metric", "metrics", "stats", "statistics", "history",
        "loss", "losses", "files", "train_log", "train_logs", "training_logs",
    }
)  # fmt: skip
_WANDB_RUN: Final = re.compile(r"(offline-)?run-\d{8}_\d{6}-\w+")
_EVENT_NAME: Final = re.compile(r"tfevents\.(\d+)\.(.*?)(?:\.(\d+)\.\d+)?(?:\.v2)?$")
_ALIKE: Final = 0.95
_ENOUGH: Final = 8
MAX_COMPARED: Final = 40


@dataclass(slots=True)
class Log:
    """One file that was read (or could not be).

    Attributes
    ----------
    path : Path
        Absolute.
    parser : str
    reading : Reading or None
        None where nothing could be read.
    error : str
        Why nothing could be read.
    label : str
        Which of several trainings in one file.
    prefix, split : str
        What the folder says about the series: `fake_data`, ``val``.
    """

    path: Path
    parser: str
    reading: Reading | None
    error: str = ""
    label: str = ""
    prefix: str = ""
    split: str = ""

    @property
    def points(self) -> int:
        return sum(len(s) for s in self.reading.signals) if self.reading else 0


@dataclass(slots=True)
class Group:
    """The logs of one run, joined.

    Attributes
    ----------
    folder : Path
        Where the run lives.
    logs : list of Log
    signals : dict of (tag, network) to Signal
    notes : list of str
    stem : str
        What tells it from other runs in the same folder; empty where it is alone there.
    """

    folder: Path
    logs: list[Log] = field(default_factory=list)
    signals: dict[tuple[str, str], Signal] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    stem: str = ""

    @property
    def points(self) -> int:
        return sum(len(s) for s in self.signals.values())


# ---------------------------------------------------------------- where a log's run lives


def tokens(name: str) -> list[str]:
    """Lower-case words of a name: ``fake_data`` -> fake, data; ``lossD`` -> loss, d."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return [t for t in re.split(r"[^a-z]+", spaced.lower()) if t]


def split_of(name: str) -> str:
    """``train`` or ``val`` where a folder's name is just that, else empty."""
    lower = name.lower()
    return "train" if lower in _TRAIN else "val" if lower in _VAL else ""


def is_part(name: str) -> bool:
    """Whether a folder's (or file's) name is made of the words for parts of a GAN's log alone."""
    words = tokens(name)
    return bool(words) and not re.search(r"\d", name) and all(w in _PARTS or split_of(w) for w in words)


def settle(log: Log, root: Path) -> Path:
    """The folder of the run that a log belongs to, at or below `root`; sets the log's prefix and split."""
    folder = log.path.parent
    for above in (folder, *folder.parents):
        if above == root or not above.is_relative_to(root):
            break
        if _WANDB_RUN.fullmatch(above.name) or above.parent.name == "wandb":
            return above
    if not log.split:
        log.split = split_of(folder.name)
    while folder != root:
        if split_of(folder.name):
            log.split = split_of(folder.name)
        elif folder.name.lower() not in _HOLDERS:
            if log.parser != "tensorboard" or not is_part(folder.name):
                break
            log.prefix = f"{folder.name}/{log.prefix}"
        folder = folder.parent
    return folder


def fold_parts(groups: dict[Path, list[Log]]) -> None:
    """Move the event files that ``SummaryWriter.add_scalars`` put into sub-folders to the run they are parts of.

    It names the folder ``<run>/<main tag>_<sub tag>`` and the series in it ``<main tag>``, so that the identity of a
    series is in the folder alone. The same holds for any writers of one process that ran side by side.
    """
    for folder in sorted(groups, key=lambda f: -len(f.parts)):
        parent = groups.get(folder.parent)
        logs = groups[folder]
        if not parent or not all(_is_events(log) for log in logs):
            continue
        siblings = [log for log in parent if _is_events(log)]
        for log in logs:
            tag = _main_tag(log, folder.name)
            if tag:
                log.prefix = f"{folder.name[len(tag) + 1 :]}/"
                continue
            if not any(_side_by_side(log, other) for other in siblings):
                break
            log.prefix = f"{folder.name}/{log.prefix}"
        else:
            parent.extend(groups.pop(folder))


def _is_events(log: Log) -> bool:
    return log.parser == "tensorboard" and log.reading is not None


def _main_tag(log: Log, folder: str) -> str:
    tags = {s.tag for s in log.reading.signals} if log.reading else set()
    flat = {t.replace("/", "_") for t in tags}
    return next((t for t in flat if len(flat) == 1 and folder.startswith(t + "_") and len(folder) > len(t) + 1), "")


def _side_by_side(one: Log, two: Log) -> bool:
    """Written by one process, at the same time."""
    a, b = _EVENT_NAME.search(one.path.name), _EVENT_NAME.search(two.path.name)
    if not (a and b and a[2] == b[2] and a[3] and a[3] == b[3]):
        return False
    first, second = _span(one), _span(two)
    if first is None or second is None:
        return False
    overlap = min(first[1], second[1]) - max(first[0], second[0])
    return overlap > 0.5 * max(1e-9, min(first[1] - first[0], second[1] - second[0]))


def _span(log: Log) -> tuple[float, float] | None:
    times = [s.wall_time for s in log.reading.signals if s.wall_time is not None and len(s)] if log.reading else []
    finite = [t[np.isfinite(t)] for t in times]
    finite = [t for t in finite if t.size]
    return (min(float(t.min()) for t in finite), max(float(t.max()) for t in finite)) if finite else None


# ---------------------------------------------------------------- joining the logs of one folder


def order(logs: Iterable[Log]) -> list[Log]:
    """Event files by time, then the other formats, the preferred first; train before val; by name."""

    def key(log: Log) -> tuple[object, ...]:
        name = log.parser
        rank = (
            _PREFERENCE.index(name)
            if name in _PREFERENCE
            else len(_PREFERENCE) + (1 + _LAST.index(name) if name in _LAST else 0)
        )
        stamp = _EVENT_NAME.search(log.path.name)
        return (rank, log.split == "val", bool(log.prefix), int(stamp[1]) if stamp else 0, str(log.path), log.label)

    return sorted(logs, key=key)


def join(folder: Path, logs: list[Log]) -> list[Group]:
    """The runs among the logs of one folder: one, unless they contradict each other."""
    runs: list[Group] = []
    failed: list[Log] = []
    alone = _WANDB_RUN.fullmatch(folder.name) is not None
    for log in order(logs):
        if log.reading is None or not log.points:
            failed.append(log)
            continue
        signals = _named(log)
        own = log.label or log.parser == "notebook"
        home = None if own else _home(runs, log, signals, alone=alone)
        if home is None:
            home = Group(folder, stem=log.label or log.path.stem)
            runs.append(home)
            signals = _named(log)
        _add(home, log, signals)
    if not runs:
        return [Group(folder, failed)] if failed else []
    runs[0].logs.extend(failed)
    if len(runs) == 1:
        runs[0].stem = ""
    for run in runs:
        _drop_copies(run)
    return runs


def _named(log: Log) -> dict[tuple[str, str], Signal]:
    """A log's series under the names they go by in the run."""
    named: dict[tuple[str, str], Signal] = {}
    for s in log.reading.signals if log.reading else ():
        prefix = log.prefix
        tag = s.tag
        if prefix and _main_tag(log, f"{s.tag.replace('/', '_')}_{prefix[:-1]}"):
            tag = f"{s.tag}/{prefix[:-1]}"  # add_scalars("loss", {"D": ...}) -> loss/D
        elif prefix:
            tag = prefix + tag
        if log.split == "val" and s.split != "val" and not split_of(tag.split("/")[0]):
            tag = f"{log.path.parent.name if split_of(log.path.parent.name) else 'val'}/{tag}"
        named[tag, s.network] = dataclasses.replace(s, tag=tag, split=s.split or log.split)
    return named


def _home(runs: list[Group], log: Log, signals: dict[tuple[str, str], Signal], *, alone: bool) -> Group | None:
    """The run that a log continues, repeats or adds to; None where it contradicts them all."""
    order_of = {"same": 0, "follows": 1, "apart": 2}
    best: tuple[int, Group] | None = None
    for run in runs:
        relation = _relation(run, log, signals)
        if relation == "conflict":
            continue
        if best is None or order_of[relation] < best[0]:
            best = (order_of[relation], run)
    if best is not None:
        return best[1]
    if not runs:
        return None
    # Nothing fits. Series of another kind (a validation log, one file a loss) go beside the others under their name.
    stem = log.path.stem
    words = tokens(stem)
    if not log.prefix and not log.split and any(w in _VAL for w in words) and not any(w in _TRAIN for w in words):
        log.split = "val"
    elif not log.prefix and is_part(stem):
        log.prefix = f"{stem}/"
    elif alone or all(other.parser != log.parser for other in runs[-1].logs):
        # Another format of the same run, with other numbers (running means, say): the better format's are kept.
        run = runs[-1]
        shared = [key for key in signals if key in run.signals]
        for key in shared:
            del signals[key]
        run.notes.append(
            f"{log.path.name} and {run.logs[0].path.name} give different numbers for {len(shared)} series "
            f"({some(k[0] for k in shared)}); those of {run.logs[0].path.name} were used."
        )
        return run
    else:
        return None
    renamed = _named(log)
    signals.clear()
    signals.update(renamed)
    return runs[-1] if not any(key in runs[-1].signals for key in signals) else None


def some(names: Iterable[str], most: int = 3) -> str:
    listed = list(names)
    return ", ".join(listed[:most]) + (", ..." if len(listed) > most else "")


def _relation(run: Group, log: Log, signals: dict[tuple[str, str], Signal]) -> Relation:
    shared = [k for k in signals if k in run.signals and len(signals[k]) and len(run.signals[k])]
    if not shared:
        return "apart"
    agree = [_agreement(run.signals[k], signals[k]) for k in shared]
    known = [a for a in agree if a is not None]
    if known and float(np.mean(known)) >= _ALIKE:
        return "same"
    starts = _first(run.signals[k] for k in shared)
    resumes = _first(signals[k] for k in shared)
    if log.parser == "tensorboard":
        if resumes > starts or _is_stub(run, shared) or _concurrent(run, log):
            return "follows"
        return "conflict"
    ends = max(int(run.signals[k].steps.max()) for k in shared)
    return "follows" if resumes > ends else "conflict"


def _first(signals: Iterable[Signal]) -> int:
    return min(int(s.steps.min()) for s in signals)


def _is_stub(run: Group, shared: list[tuple[str, str]]) -> bool:
    """A start that was given up after a few points."""
    return max(len(run.signals[k]) for k in shared) < _ENOUGH


def _concurrent(run: Group, log: Log) -> bool:
    mine = _span(log)
    theirs = [s for other in run.logs if (s := _span(other))]
    if mine is None or not theirs:
        return False
    overlap = min(mine[1], max(t[1] for t in theirs)) - max(mine[0], min(t[0] for t in theirs))
    return overlap > 0.5 * max(1e-9, mine[1] - mine[0])


def _agreement(one: Signal, two: Signal) -> float | None:
    """Share of their common steps on which two series have the same value; None where they have no step in common."""
    common, i, j = np.intersect1d(one.steps, two.steps, return_indices=True)
    if not common.size:
        return None
    return float(np.mean(_equal(one.values[i], two.values[j])))


def _equal(one: NDArray[np.float64], two: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Equal up to float32 and up to the decimals that the coarser of the two was printed with."""
    grain = max(_grain(one), _grain(two))
    with np.errstate(invalid="ignore", over="ignore"):
        near = np.abs(one - two) <= 2e-5 * np.maximum(np.abs(one), np.abs(two)) + 0.51 * grain
    alike: NDArray[np.bool_] = near | (one == two) | (np.isnan(one) & np.isnan(two))
    return alike


def _grain(values: NDArray[np.float64]) -> float:
    """The last decimal that a series was rounded to, 0.001 say; 0 where it was not."""
    finite = values[np.isfinite(values)][:200]
    if not finite.size:
        return 0.0
    for k in range(2, 6):
        if np.all(np.abs(finite - np.round(finite, k)) <= 1e-9 * np.maximum(1.0, np.abs(finite))):
            return float(10.0**-k) if np.any(finite != np.round(finite)) else 0.0
    return 0.0


def _add(run: Group, log: Log, signals: dict[tuple[str, str], Signal]) -> None:
    """Take a log's series into a run."""
    shared = [k for k in signals if k in run.signals and len(signals[k]) and len(run.signals[k])]
    if shared and run.logs:
        relation = _relation(run, log, signals)
        name, first = log.path.name, run.logs[0].path.name
        if relation == "same":
            run.notes.append(f"{name} holds the same series as {first} ({some(k[0] for k in shared)}): counted once.")
        elif log.parser == "tensorboard" and _concurrent(run, log):
            run.notes.append(
                f"{name} was written at the same time as {first}, with the same names and other numbers (several "
                f"processes?): {len(shared)} of its series were left out."
            )
            signals = {k: s for k, s in signals.items() if k not in shared}
        elif relation == "follows":
            resume = _first(signals[k] for k in shared)
            run.notes.append(f"{name} resumes the run at step {resume:,}; from there on its values count.")
            for k in shared:
                before = run.signals[k]
                run.signals[k] = _take(before, before.steps < resume)
    for key, signal in signals.items():
        run.signals[key] = _union(run.signals[key], signal) if key in run.signals else signal
    run.logs.append(log)


def _take(signal: Signal, mask: NDArray[np.bool_]) -> Signal:
    wall = signal.wall_time[mask] if signal.wall_time is not None else None
    return dataclasses.replace(signal, steps=signal.steps[mask], values=signal.values[mask], wall_time=wall)


def _union(one: Signal, two: Signal) -> Signal:
    """Both series by step; where both have a step, the first one's value stays."""
    fresh = ~np.isin(two.steps, one.steps)
    if not fresh.any():
        return one
    if not len(one):
        return two
    two = _take(two, fresh)
    steps = np.concatenate([one.steps, two.steps])
    by = np.argsort(steps, kind="stable")
    wall = None
    if one.wall_time is not None and two.wall_time is not None:
        wall = np.concatenate([one.wall_time, two.wall_time])[by]
    return dataclasses.replace(
        one,
        steps=steps[by],
        values=np.concatenate([one.values, two.values])[by],
        wall_time=wall,
        source=one.source if len(one) >= len(two) else two.source,
    )


def _drop_copies(run: Group) -> None:
    """Leave out series of one file that another file of the run holds under another name."""
    by_source: dict[str, list[tuple[str, str]]] = {}
    for key, s in run.signals.items():
        by_source.setdefault(s.source, []).append(key)
    if len(by_source) < 2:
        return
    copies: dict[str, list[str]] = {}
    keys = list(run.signals)
    for n, later in enumerate(keys):
        for earlier in keys[:n]:
            one, two = run.signals.get(earlier), run.signals.get(later)
            if one is None or two is None or one.source == two.source or not _copied(one, two):
                continue
            kept, dropped = (earlier, later) if len(one) >= len(two) else (later, earlier)
            copies.setdefault(run.signals[dropped].source, []).append(f"{dropped[0]} = {kept[0]}")
            del run.signals[dropped]
            break
    for source, names in copies.items():
        run.notes.append(f"{source} repeats series of another file ({some(names)}): counted once.")


def _copied(one: Signal, two: Signal) -> bool:
    """The same varying values, step by step or (where the steps are counted otherwise) in the same order."""
    if min(len(one), len(two)) < _ENOUGH:
        return False
    common, i, j = np.intersect1d(one.steps, two.steps, return_indices=True)
    if common.size >= max(_ENOUGH, 0.9 * min(len(one), len(two))):
        a, b = one.values[i], two.values[j]
    elif len(one) == len(two):
        a, b = one.values, two.values
    else:
        return False
    finite = np.isfinite(a) & np.isfinite(b)
    if finite.sum() < _ENOUGH or np.ptp(a[finite]) <= 20 * max(_grain(a), _grain(b), 1e-9):
        return False
    return bool(np.mean(_equal(a, b)) >= 0.99)


# ---------------------------------------------------------------- joining folders


def unite(groups: list[Group]) -> list[Group]:
    """Join runs of different folders that are surely one.

    That is so where a folder's only W&B run lies in it beside other logs, and where logs of two formats hold the same
    varying series. Two folders of one format with equal series stay two runs: the seed was the same.
    """
    kept = list(groups)
    for inner in sorted(groups, key=lambda g: -len(g.folder.parts)):
        if len(kept) > MAX_COMPARED or inner not in kept:
            continue
        outer = next((g for g in kept if g is not inner and _is_one(g, inner, kept)), None)
        if outer is None:
            continue
        if len(inner.folder.parts) < len(outer.folder.parts) or not inner.folder.is_relative_to(outer.folder):
            outer.folder = _common(outer.folder, inner.folder)
        for log in order(inner.logs):
            if log.reading is None:
                outer.logs.append(log)
            else:
                _add(outer, log, _unclashing(outer, _named(log)))
        outer.notes += inner.notes
        _drop_copies(outer)
        kept.remove(inner)
    return kept


def _is_one(outer: Group, inner: Group, groups: list[Group]) -> bool:
    if not outer.points or not inner.points:
        return False
    if inner.folder.parent.name == "wandb" and inner.folder.parent.parent == outer.folder and not outer.stem:
        return sum(g.folder.parent == inner.folder.parent for g in groups) == 1
    if {log.parser for log in outer.logs} & {log.parser for log in inner.logs}:
        return False
    if "notebook" in {log.parser for log in (*outer.logs, *inner.logs)}:
        return False
    return any(_copied(a, b) for a in outer.signals.values() for b in inner.signals.values())


def _unclashing(run: Group, signals: dict[tuple[str, str], Signal]) -> dict[tuple[str, str], Signal]:
    """Leave out what the run already has with other values."""
    kept = {}
    for key, s in signals.items():
        mine = run.signals.get(key)
        agreement = _agreement(mine, s) if mine is not None else 1.0
        if agreement is None or agreement >= _ALIKE:
            kept[key] = s
    return kept


def _common(one: Path, two: Path) -> Path:
    return next(p for p in (one, *one.parents) if two.is_relative_to(p))
