"""What lies in checkpoints: the text of ``gandoctor checkpoint``."""

from __future__ import annotations

import dataclasses
import json
import os
import textwrap
from typing import TYPE_CHECKING, Final

from gandoctor import checkpoint
from gandoctor.errors import InputError, of_system
from gandoctor.files import below, weights
from gandoctor.reporters import wording as w

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gandoctor.model.checkpoints import CheckpointNote, Saved

_ROLES: Final = {"g": "G", "d": "D", "": "?"}
_MOST_SETTINGS: Final = 40


def show(path: Path, *, as_json: bool = False) -> str:
    """What one checkpoint holds, or all of a folder.

    Parameters
    ----------
    path : Path
        A file, or the folder of a run.
    as_json : bool

    Raises
    ------
    InputError
        There is no checkpoint, or the only one cannot be read.
    """
    if not path.exists():
        raise InputError("does not exist", str(path), "give a checkpoint, or the folder of a run")
    if path.is_dir():
        try:
            os.scandir(path).close()
        except OSError as e:
            raise of_system(e, str(path)) from None
        tree = below.walk(path.resolve())
        files, root = weights.find(tree.files), path.resolve()
        if not files:
            what = f"holds no checkpoint ({w.count(len(tree.files), 'file')} looked at)"
            raise InputError(what, str(path), "give the folder that the training saves to")
    else:
        files, root = [path.absolute()], path.absolute().parent
    found = checkpoint.examine(checkpoint.gather(files), root)
    lost = [s for s in found.sources if s.lost]
    if not found.notes and lost:
        raise InputError(str(lost[0].lost), lost[0].path)
    if not found.notes and not found.remarks:
        what = "holds neither the weights of a network nor an optimiser"
        raise InputError(what, str(path), "give a checkpoint, or the folder of a run")
    if as_json:
        return json.dumps(_plain(found), indent=1)
    return "\n".join(_lines(found))


def _plain(found: Saved) -> dict[str, object]:
    return {
        "checkpoints": [dataclasses.asdict(n) for n in found.notes],
        "facts": found.facts,
        "settings": [{"key": s.key, "value": s.value, "file": s.file} for s in found.settings],
        "lost": [{"path": s.path, "why": s.lost} for s in found.sources if s.lost],
        "remarks": list(found.remarks),
    }


def _lines(found: Saved) -> Iterator[str]:
    for note in found.notes:
        yield from _of_file(note)
        yield ""
    if found.settings:
        yield "settings"
        for s in found.settings[:_MOST_SETTINGS]:
            yield f"  {w.plain(s.key)} = {w.plain(str(s.value))}"
        if len(found.settings) > _MOST_SETTINGS:
            yield f"  and {len(found.settings) - _MOST_SETTINGS} more (--format json has them)"
        yield ""
    for source in found.sources:
        if source.lost:
            yield from _wrapped(f"{w.plain(source.path)}: {w.plain(source.lost)}", "")
    for remark in found.remarks:
        yield from _wrapped(w.plain(remark), "")


def _of_file(note: CheckpointNote) -> Iterator[str]:
    step = f", step {note.step:,}" if note.step is not None else ""
    yield f"{w.plain(note.path)} ({note.kind}{step})"
    for n in note.networks:
        average = ", moving average" if n.average else ""
        yield (
            f"  {_ROLES.get(n.role, '?')}  {w.plain(n.name)}: {n.parameters:,} parameters in "
            f"{w.count(n.tensors, 'tensor')}{average}"
        )
    for text in note.optimisers:
        yield from _wrapped(w.plain(text), "  ")
    for text in note.said:
        yield from _wrapped(w.plain(text), "  ")
    if note.foreign:
        listed = ", ".join(w.plain(f) for f in note.foreign)
        yield from _wrapped(f"would call if it were unpickled: {listed}", "  ")


def _wrapped(text: str, margin: str) -> list[str]:
    return textwrap.wrap(
        text, 100, initial_indent=margin, subsequent_indent=f"{margin}  ", break_on_hyphens=False
    )
