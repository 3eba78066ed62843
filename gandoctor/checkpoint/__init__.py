"""Checkpoints: read without running anything of them; their networks looked at and run in numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gandoctor.checkpoint import gathering, settings, telling
from gandoctor.model.signals import Source
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gandoctor.model.checkpoints import CheckpointNote
    from gandoctor.model.signals import Setting

__all__ = ["Examined", "examine"]


@dataclass(frozen=True, slots=True, eq=False)
class Examined:
    """What the checkpoints of a run tell.

    Attributes
    ----------
    notes : tuple of CheckpointNote
        By step.
    facts : dict of str to float
        Numbers of the last step that rules may use.
    settings : tuple of Setting
        What the training was called with, as the last checkpoint has it.
    sources : tuple of Source
        The files, and what was lost of them.
    remarks : tuple of str
    """

    notes: tuple[CheckpointNote, ...]
    facts: dict[str, float]
    settings: tuple[Setting, ...]
    sources: tuple[Source, ...]
    remarks: tuple[str, ...]


def examine(files: Sequence[Path], root: Path, *, last_step: int = 0) -> Examined:
    """Look into the checkpoints of a run.

    Parameters
    ----------
    files : sequence of Path
        Files that may be checkpoints.
    root : Path
        Folder that paths are relative to.
    last_step : int
        Of the log; 0 where there is none.
    """
    found = gathering.gather(files, last_step)
    told = [telling.Told(s, root) for s in gathering.looked_at(found.saved)]
    notes = tuple(n for t in told for n in t.notes)
    stated = settings.of(found.saved[-1], root) if found.saved else ()
    sources = [Source(n.path, "checkpoint", sum(x.parameters for x in n.networks)) for n in notes]
    for path, why in found.faults:
        name = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
        sources.append(Source(name, "checkpoint", 0, why))
    remarks = []
    if found.left_out:
        remarks.append(f"{found.left_out:,} of {len(files):,} checkpoints were not looked at")
    foreign = list(dict.fromkeys(f for n in notes for f in n.foreign))
    if foreign:
        shown = ", ".join(foreign[:5])
        remarks.append(
            f"loading a checkpoint with pickle would call {shown}: nothing of it was run here"
        )
    return Examined(notes, told[-1].facts if told else {}, stated, tuple(sources), tuple(remarks))
