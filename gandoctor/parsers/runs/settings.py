"""Which files hold a run's settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gandoctor.configs import (
    ANY_CODE,
    SURE_NAME,
    config_rank,
    hyperparameters,
    looks_like_config,
)
from gandoctor.errors import GandoctorError
from gandoctor.files.below import head_of
from gandoctor.files.reading import text_of_head
from gandoctor.model.signals import Setting, Source
from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from gandoctor.parsers.runs.groups import Group

MAX_CONFIGS: Final = 6
MAX_DOUBTFUL: Final = 20  # more .json or .yaml files in one folder are data
MAX_PRINTS: Final = 4
MAX_LINES: Final = 400  # in which options stand one a line
LEAST_ALONE: Final = 4  # names of hyper-parameters among these
# What a training printed, beside what it logged: nohup.out, train.log, stdout.txt, slurm-7.out
_PRINT: Final = late_pattern(
    r"(?i).*\.(log|out)|(.*[_.-])?(log|train|stdout|nohup|console|slurm|output)([_.-].*)?\.txt"
)
_CONFIG_FOLDERS: Final = ("", ".hydra", "config", "configs", "conf", "options", "hparams", "files")


class Held:
    """What one folder holds of files whose names are those of configs.

    Attributes
    ----------
    files : list of Path
    sure : list of Path
        Those whose name alone tells.
    code : list of Path
        Python files under any name, which hold a program far more often than constants.
    doubtful : list of Path
        All but those.
    by_stem : dict of str to list of Path
        So that each of a folder's runs finds its own without a look at all others'.
    """

    def __init__(self, files: Iterable[Path]) -> None:
        self.files = list(files)
        self.sure = [f for f in self.files if _is_sure(f)]
        self.code = [f for f in self.files if config_rank(f) == ANY_CODE]
        self.doubtful = [f for f in self.files if config_rank(f) != ANY_CODE]
        self.by_stem: dict[str, list[Path]] = {}
        for file in self.files:
            self.by_stem.setdefault(file.stem, []).append(file)


class Configs:
    """The files of a tree whose names are those of configs: sorted once for all of its runs.

    Attributes
    ----------
    by_folder : dict of Path to Held
    sure : dict of str to list of Path
        By the name of their folder, those whose name alone tells.
    """

    def __init__(self, files: Iterable[Path]) -> None:
        by_folder: dict[Path, list[Path]] = {}
        for file in files:
            if _may_be_config(file):
                by_folder.setdefault(file.parent, []).append(file)
        self.by_folder = {folder: Held(found) for folder, found in by_folder.items()}
        self.sure: dict[str, list[Path]] = {}
        for folder, held in self.by_folder.items():
            self.sure.setdefault(folder.name, []).extend(held.sure)


def of_run(group: Group, root: Path, configs: Configs, *, alone: bool) -> list[Path]:
    """Configs of a run below `root`.

    In its folder, else in the nearest folder above, else under its name elsewhere.
    """
    by_folder = configs.by_folder
    below = [log.path.parent for log in group.logs if log.path.parent != group.folder]
    for folder in dict.fromkeys((group.folder, *below)):
        if found := _around(group, folder, by_folder, sure=False):
            return found
    folder = group.folder
    while folder != root:
        folder = folder.parent
        if found := _around(group, folder, by_folder, sure=not alone):
            return found
    # checkpoints/NAME/train_opt.txt beside logs/NAME/events...
    if namesakes := configs.sure.get(group.folder.name):
        return _best(namesakes)
    anywhere = [f for found in configs.sure.values() for f in found] if alone else []
    return anywhere if len(anywhere) == 1 else []


def beside(group: Group, files: Sequence[Path]) -> list[Path]:
    """Configs beside a log that was named alone, or in the folder above one called ``logs``."""
    folder = group.folder
    by_folder = {folder: Held(f for f in files if f.parent == folder and _may_be_config(f))}
    places = [folder]
    if folder.name.lower() in (
        "log",
        "logs",
        "tb",
        "tensorboard",
        "files",
    ) or folder.name.startswith("version_"):
        places.append(folder.parent)
    for place in places:
        for name in _CONFIG_FOLDERS:
            where = place / name if name else place
            if where not in by_folder and where.is_dir() and not where.is_symlink():
                by_folder[where] = Held(_listed(where))
        if found := _around(group, place, by_folder, sure=False, file_alone=True):
            return found
    return []


def prints(folder: Path, files: Iterable[Path]) -> list[Path]:
    """What in a folder may be what a training printed, by its name."""
    return sorted(f for f in files if f.parent == folder and _PRINT.fullmatch(f.name))


def printed(group: Group, files: Iterable[Path]) -> tuple[list[Setting], list[Source]]:
    """Options that a run printed into a file that holds no losses.

    As ``Namespace(...)``, or one a line; the first that any of these files hold, and none where
    several runs share the folder.
    """
    from gandoctor.configs.printed import parse_namespace, settings_of

    read = {log.path for log in group.logs if log.reading}
    for file in [f for f in files if f not in read and not group.stem][:MAX_PRINTS]:
        try:
            lines = text_of_head(head_of(file)).splitlines()
        except GandoctorError:
            continue
        dumps = ([Setting("", v, k) for k, v in parse_namespace(line)] for line in lines)
        found = next((d for d in dumps if _known(d) >= 2), [])
        # Other lines are of one name and one value, too: epoch: 3
        if not found and _known(alone := settings_of(lines[:MAX_LINES])) >= LEAST_ALONE:
            found = alone
        if found:
            return found, [Source(file.name, "config", len(found), None)]
    return [], []


def _known(found: Sequence[Setting]) -> int:
    return hyperparameters(s.key.rpartition(".")[2] for s in found)


def _listed(folder: Path) -> list[Path]:
    try:
        found = sorted(f for f in folder.iterdir() if config_rank(f) is not None)
        return [f for f in found if f.is_file() and not f.is_symlink() and _may_be_config(f)]
    except OSError:
        return []


def _around(
    group: Group,
    folder: Path,
    by_folder: Mapping[Path, Held],
    *,
    sure: bool,
    file_alone: bool = False,
) -> list[Path]:
    """Configs in a folder or in one of the sub-folders that are there for them."""
    for name in _CONFIG_FOLDERS:
        there = by_folder.get(folder / name if name else folder)
        if there is None or not there.files:
            continue
        stems = dict.fromkeys(log.path.stem for log in group.logs)
        named = [f for stem in stems for f in there.by_stem.get(stem, ())]
        if own := [f for f in named if looks_like_config(f)]:
            return _best(own)
        found = there.sure
        if not found and not sure and len(there.doubtful) <= MAX_DOUBTFUL:
            found = [f for f in there.doubtful if looks_like_config(f)]
            # A folder with the logs and configs of several runs: none of them is surely ours.
            if len(found) > 1 and (file_alone or group.stem):
                found = []
        if not found and not sure and len(there.code) <= MAX_DOUBTFUL:
            found = [f for f in there.code if looks_like_config(f)]
            found = found if len(found) == 1 else []  # several are a choice
        if found:
            return _best(found)
    return []


def _may_be_config(file: Path) -> bool:
    """By its name; where that is all that is asked, a look tells our own reports apart."""
    rank = config_rank(file)
    return rank is not None and (rank > SURE_NAME or looks_like_config(file))


def _is_sure(file: Path) -> bool:
    rank = config_rank(file)
    return rank is not None and rank <= SURE_NAME


def _best(files: list[Path]) -> list[Path]:
    return sorted(files, key=lambda f: (config_rank(f) or 0, len(f.parts), f.name))[:MAX_CONFIGS]
