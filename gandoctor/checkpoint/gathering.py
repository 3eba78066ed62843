"""The checkpoints of a run: which are read, which step each is of, what belongs together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gandoctor.checkpoint import contents
from gandoctor.errors import GandoctorError
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gandoctor.checkpoint.contents import Checkpoint, Network

MOST_FILES: Final = 60
MOST_STEPS: Final = 5  # whose numbers are looked at


@dataclass(frozen=True, slots=True, eq=False)
class Saved:
    """What was saved at one step, in one file or in several.

    Attributes
    ----------
    step : int or None
        In the log's own unit; None where nothing tells.
    files : tuple of Checkpoint
    """

    step: int | None
    files: tuple[Checkpoint, ...]

    def networks(self, role: str, *, average: bool = False) -> list[Network]:
        """The networks of a role in all files of the step."""
        return [
            n for c in self.files for n in c.networks if n.role == role and n.average == average
        ]


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """The checkpoints of a run.

    Attributes
    ----------
    saved : tuple of Saved
        By step, the latest last.
    faults : tuple of (Path, str)
        Files that were no use, with one sentence each.
    strangers : tuple of Checkpoint
        Without weights, and a program all the same.
    given : int
        Files that there are; too many are not all looked at.
    left_out : int
        Those that were not.
    """

    saved: tuple[Saved, ...]
    faults: tuple[tuple[Path, str], ...]
    strangers: tuple[Checkpoint, ...]
    given: int
    left_out: int


def gather(files: Sequence[Path], last_step: int = 0) -> Gathered:
    """Read the checkpoints of a run, and put together what is of one step.

    Parameters
    ----------
    files : sequence of Path
    last_step : int
        Of the log; 0 where there is none.
    """
    chosen = _chosen(files)
    found: list[Checkpoint] = []
    faults: list[tuple[Path, str]] = []
    strangers: list[Checkpoint] = []
    for file in chosen:
        try:
            one = contents.read(file)
        except GandoctorError as fault:
            faults.append((file, f"{fault.what}; {fault.hint}" if fault.hint else fault.what))
            continue
        if one.networks or one.optimisers:
            found.append(one)
        elif one.foreign:
            strangers.append(one)
    by_step: dict[int | None, list[Checkpoint]] = {}
    for one in _scaled(found, last_step):
        by_step.setdefault(one.step, []).append(one)
    order = sorted(by_step, key=lambda s: (s is None, s or 0))
    saved = [Saved(s, tuple(by_step[s])) for s in order]
    left_out = len(files) - len(chosen)
    return Gathered(tuple(saved), tuple(faults), tuple(strangers), len(files), left_out)


def _chosen(files: Sequence[Path]) -> list[Path]:
    """Of too many files the first, the last and some between, by name and its numbers."""
    order = sorted(files, key=lambda f: (str(f.parent), _natural(f.name)))
    if len(order) <= MOST_FILES:
        return order
    step = (len(order) - 1) / (MOST_FILES - 1)
    return [order[round(i * step)] for i in range(MOST_FILES)]


def _natural(name: str) -> list[tuple[int, int, str]]:
    import re

    parts = re.split(r"(\d+)", name)
    return [(1, int(p[:18]), "") if p.isdigit() else (0, 0, p) for p in parts if p]


def _scaled(found: list[Checkpoint], last_step: int) -> list[Checkpoint]:
    """Steps in the log's unit: epochs and steps of another count are stretched to its end."""
    known = [c.step for c in found if c.step is not None]
    highest = max(known, default=0)
    by_epoch = all(c.step_unit == "epochs" for c in found if c.step is not None)
    if not (last_step > 0 and highest > 0):
        return found
    odd = (by_epoch and last_step > 1.5 * highest) or highest > 1.5 * last_step
    if not odd:
        return found
    return [
        c if c.step is None else replace(c, step=round(c.step * last_step / highest)) for c in found
    ]


def looked_at(saved: Sequence[Saved]) -> list[Saved]:
    """The steps whose numbers are looked at: the last, the first, and some between."""
    if len(saved) <= MOST_STEPS:
        return list(saved)
    step = (len(saved) - 1) / (MOST_STEPS - 1)
    return [saved[round(i * step)] for i in range(MOST_STEPS)]
