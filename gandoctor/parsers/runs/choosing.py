"""One run of a file or a folder that holds several: ``mlflow.db#baseline``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from gandoctor.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gandoctor.model.signals import RawRun

MARK: Final = "#"
_SHOWN: Final = 5


def parted(path: Path) -> tuple[Path, str]:
    """A path, and the run of it that is meant; empty where all are.

    A file whose own name has the mark is that file.
    """
    text = str(path)
    at = text.find(MARK)
    while at > 0 and not path.exists():
        if Path(text[:at]).exists():
            return Path(text[:at]), text[at + 1 :]
        at = text.find(MARK, at + 1)
    return path, ""


def chosen(runs: Sequence[RawRun], name: str, shown: str) -> list[RawRun]:
    """The run of that name, as a report shows it, in full or its own part alone.

    Raises
    ------
    InputError
        There is none, or there are several.
    """
    found = [run for run in runs if name in names_of(run.name)]
    if len(found) == 1:
        return found
    known = [names_of(run.name)[-1] for run in runs]
    more = f" and {len(known) - _SHOWN:,} more" if len(known) > _SHOWN else ""
    what = f"holds {len(found)} runs called {name}" if found else f"holds no run called {name}"
    raise InputError(what, shown, f"it has {', '.join(known[:_SHOWN])}{more}")


def names_of(name: str) -> list[str]:
    """A run's name in full, and the part that tells it from others of its file or folder."""
    found = [name]
    head, opened, label = name.rpartition(" (")
    if opened and head and label.endswith(")"):
        found.append(label[:-1])
    _, colon, stem = name.partition(": ")
    if colon and stem:
        found.append(stem)
    return found


def several(names: Sequence[str], shown: str) -> InputError:
    """What is said where one run is wanted, and a path holds several of these names."""
    one = names_of(names[0])[-1]
    given = f"{shown}{MARK}{one}"
    quoted = f"'{given}'" if " " in given else given
    return InputError(f"holds {len(names)} runs", shown, f"give one of them, as {quoted}")
