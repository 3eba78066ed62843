"""Which run a log belongs to, by where it lies.

A folder is a run, or a part of one, or merely holds a run's logs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from gandoctor.lexicon.players import called, is_whole, tokens
from gandoctor.patterns import late_pattern
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from gandoctor.model.signals import Reading

TRAIN: Final = frozenset({"train", "training"})
VAL: Final = frozenset(
    {"val", "valid", "validation", "test", "testing", "eval", "evaluation", "dev", "holdout"}
)
# Words of which, beside those for D and G, the names of parts are made: `fake_data`, `loss_D`,
# `netG`. A folder named otherwise is a run.
_PARTS: Final = frozenset(
    {
        "net", "loss", "losses",
        "score", "scores", "real", "fake", "data", "adv", "adversarial", "gan", "err", "errd",
        "errg", "lossd", "lossg",
        "gradient", "gradients", "grad", "norm", "lr", "fid", "metric", "metrics", "acc",
        "accuracy", "total", "x", "z",
        "dx", "dgz", "images", "image",
    }
)  # fmt: skip
# Folders that merely hold a run's logs; the run is the folder above.
_HOLDERS: Final = frozenset(
    {
        "log", "logs", "tb", "tb_log", "tb_logs", "tblog", "tensorboard", "tensorboard_logs",
        "tflogs", "event",
        "events", "summary",
        "summaries", "csv", "csv_log", "csv_logs", "metric", "metrics", "stats", "statistics",
        "history",
        "loss", "losses", "files", "train_log", "train_logs", "training_logs",
    }
)  # fmt: skip
_OF_LOGS: Final = frozenset({"log", "logs", "summary", "summaries", "events", "tb"})
WANDB_RUN: Final = late_pattern(r"(offline-)?run-\d{8}_\d{6}-\w+")
EVENT_NAME: Final = late_pattern(r"tfevents\.(\d+)\.(.*?)(?:\.(\d+)\.\d+)?(?:\.v2)?$")


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
    sub : str
        Sub tag of ``add_scalars``.
    prefix, split : str
        What the folder says about the series: ``fake_data/``, ``val``.
    times : tuple of float, or "unknown"
        First and last wall time once `span` has found them, as each of many logs may be asked for
        them by all others.
    """

    path: Path
    parser: str
    reading: Reading | None
    error: str = ""
    label: str = ""
    sub: str = ""
    prefix: str = ""
    split: str = ""
    times: tuple[float, float] | Literal["unknown"] | None = None

    @property
    def points(self) -> int:
        """Points of all its signals together."""
        return sum(len(s) for s in self.reading.signals) if self.reading else 0


def split_of(name: str) -> str:
    """``train`` or ``val`` where a folder's name is just that, else empty."""
    lower = name.lower()
    if lower in TRAIN:
        return "train"
    return "val" if lower in VAL else ""


def is_part(name: str) -> bool:
    """Whether a folder's (or file's) name is made of the words for parts of a GAN's log alone."""
    words = tokens(name)
    own = [w for w in words if w not in _OF_LOGS]  # `D_logs` is D's part, `logs` is nobody's
    if not own or re.search(r"\d", name):
        return False
    return all(w in _PARTS or w in called("D", "G") or split_of(w) for w in own)


def place(logs: Iterable[Log], root: Path) -> dict[Path, list[Log]]:
    """Logs by the folder of their run, at or below `root`.

    Fills each log's `sub`, `prefix` and `split`.
    """
    logs = list(logs)
    event_folders = {log.path.parent for log in logs if _is_events(log)}
    by_folder: dict[Path, list[Log]] = {}
    for log in logs:
        start = _split_by_add_scalars(log, root, event_folders) or log.path.parent
        by_folder.setdefault(_settle(log, start, root), []).append(log)
    _fold_parts(by_folder)
    return by_folder


def _settle(log: Log, folder: Path, root: Path) -> Path:
    """Go up from a log's folder to that of its run."""
    for above in (folder, *folder.parents):
        if above == root or not above.is_relative_to(root):
            break
        if WANDB_RUN.fullmatch(above.name) or above.parent.name == "wandb":
            return above
    log.split = log.split or split_of(folder.name)
    is_part_of_events = _is_events(log) and not is_whole(
        s.tag for s in (log.reading.signals if log.reading else ())
    )
    while folder != root:
        if split_of(folder.name):
            log.split = split_of(folder.name)
        elif folder.name.lower() not in _HOLDERS:
            if not (is_part_of_events and is_part(folder.name)):
                break
            log.prefix = f"{folder.name}/{log.prefix}"
        folder = folder.parent
    return folder


def _split_by_add_scalars(log: Log, root: Path, event_folders: set[Path]) -> Path | None:
    """The run's folder, where ``add_scalars(main, {sub: ...})`` made one for a series.

    torch names it ``<run>/<main tag, slashes as underscores>_<sub tag>``, tensorboardX
    ``<run>/<main tag>/<sub tag>``; the series in it goes by the main tag, so that its identity is
    in the folder alone.
    """
    tags = {s.tag for s in log.reading.signals} if log.reading else set()
    if not _is_events(log) or len(tags) != 1:
        return None
    (tag,) = tags
    folder = log.path.parent
    for run in folder.parents:
        if run not in event_folders or not run.is_relative_to(root):
            continue
        below = folder.relative_to(run).as_posix()
        for start in (f"{tag}/", f"{tag.replace('/', '_')}_"):
            if below.startswith(start) and len(below) > len(start):
                log.sub = below[len(start) :]
                return run
    return None


def _fold_parts(by_folder: dict[Path, list[Log]]) -> None:
    """Move event files that a process wrote below its run's, at the same time, to that run."""
    for folder in sorted(by_folder, key=lambda f: -len(f.parts)):
        siblings = [log for log in by_folder.get(folder.parent, []) if _is_events(log)]
        logs = by_folder[folder]
        if all(
            _is_events(log) and any(_side_by_side(log, other) for other in siblings) for log in logs
        ):
            for log in logs:
                log.prefix = f"{folder.name}/{log.prefix}"
            by_folder[folder.parent] += by_folder.pop(folder)


def _is_events(log: Log) -> bool:
    return log.parser == "tensorboard" and log.reading is not None


def _side_by_side(one: Log, two: Log) -> bool:
    """Written by one process, at the same time."""
    a, b = EVENT_NAME.search(one.path.name), EVENT_NAME.search(two.path.name)
    if not (a and b and a[2] == b[2] and a[3] and a[3] == b[3]):
        return False
    first, second = span(one), span(two)
    if first is None or second is None:
        return False
    overlap = min(first[1], second[1]) - max(first[0], second[0])
    return overlap > 0.5 * max(1e-9, min(first[1] - first[0], second[1] - second[0]))


def span(log: Log) -> tuple[float, float] | None:
    """First and last wall time of a log, in seconds; None where it has none."""
    if log.times is None:
        log.times = _span(log) or "unknown"
    return None if log.times == "unknown" else log.times


def _span(log: Log) -> tuple[float, float] | None:
    times = (
        [s.wall_time for s in log.reading.signals if s.wall_time is not None and len(s)]
        if log.reading
        else []
    )
    finite = [t[np.isfinite(t)] for t in times]
    finite = [t for t in finite if t.size]
    return (
        (min(float(t.min()) for t in finite), max(float(t.max()) for t in finite))
        if finite
        else None
    )
