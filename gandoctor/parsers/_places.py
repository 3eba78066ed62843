"""Which run a log belongs to, by where it lies: a folder is a run, or a part of one, or merely holds a run's logs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from gandoctor.model.signals import Reading

TRAIN: Final = frozenset({"train", "training"})
VAL: Final = frozenset({"val", "valid", "validation", "test", "testing", "eval", "evaluation", "dev", "holdout"})
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
WANDB_RUN: Final = re.compile(r"(offline-)?run-\d{8}_\d{6}-\w+")
EVENT_NAME: Final = re.compile(r"tfevents\.(\d+)\.(.*?)(?:\.(\d+)\.\d+)?(?:\.v2)?$")


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


def tokens(name: str) -> list[str]:
    """Lower-case words of a name: ``fake_data`` -> fake, data; ``lossD`` -> loss, d."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return [t for t in re.split(r"[^a-z]+", spaced.lower()) if t]


def split_of(name: str) -> str:
    """``train`` or ``val`` where a folder's name is just that, else empty."""
    lower = name.lower()
    return "train" if lower in TRAIN else "val" if lower in VAL else ""


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
        if WANDB_RUN.fullmatch(above.name) or above.parent.name == "wandb":
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
            tag = main_tag(log, folder.name)
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


def main_tag(log: Log, folder: str) -> str:
    """The one tag of an event file that ``add_scalars`` named the folder after, its slashes underscores; or empty."""
    tags = {s.tag for s in log.reading.signals} if log.reading else set()
    flat = {t.replace("/", "_") for t in tags}
    return next((t for t in flat if len(flat) == 1 and folder.startswith(t + "_") and len(folder) > len(t) + 1), "")


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
    times = [s.wall_time for s in log.reading.signals if s.wall_time is not None and len(s)] if log.reading else []
    finite = [t[np.isfinite(t)] for t in times]
    finite = [t for t in finite if t.size]
    return (min(float(t.min()) for t in finite), max(float(t.max()) for t in finite)) if finite else None
