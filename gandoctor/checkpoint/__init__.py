"""Checkpoints: read without running anything of them; their networks looked at and run in numpy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gandoctor.checkpoint import changes, gathering, settings, telling
from gandoctor.checkpoint.gathering import gather
from gandoctor.checkpoint.rebuilt import hints_of
from gandoctor.files.below import seen_from
from gandoctor.model.checkpoints import Saved
from gandoctor.model.signals import Source

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from gandoctor.checkpoint.gathering import Gathered
    from gandoctor.model.checkpoints import Drawn


__all__ = ["answers", "draw", "examine", "gather"]

_MOST_STRANGERS: Final = 3


def examine(found: Gathered, root: Path) -> Saved:
    """Look into the checkpoints of a run.

    Parameters
    ----------
    found : Gathered
        What `gather` read of the files that may be checkpoints.
    root : Path
        Folder that paths are relative to.
    """
    told = [telling.Told(s, root) for s in gathering.looked_at(found.saved)]
    notes = tuple(n for t in told for n in t.notes)
    stated = settings.of(found.saved[-1], root) if found.saved else ()
    sources = [Source(n.path, "checkpoint", sum(x.parameters for x in n.networks)) for n in notes]
    for path, why in found.faults:
        sources.append(Source(seen_from(path, root), "checkpoint", 0, why))
    remarks = []
    if found.left_out:
        remarks.append(f"{found.left_out:,} of {found.given:,} checkpoints were not looked at")
    foreign = list(dict.fromkeys(f for n in notes for f in n.foreign))
    if foreign:
        shown = ", ".join(foreign[:5])
        remarks.append(
            f"loading a checkpoint with pickle would call {shown}: nothing of it was run here"
        )
    remarks += [
        f"{seen_from(one.path, root)} holds no weights, and loading it with pickle would call "
        f"{', '.join(one.foreign[:5])}: nothing of it was run here"
        for one in found.strangers[:_MOST_STRANGERS]
    ]
    compared, changed = changes.told(found.saved)
    remarks += [*changed, *(told[-1].remarks() if told else ())]
    facts = {**told[-1].facts, **compared} if told else {}
    return Saved(notes, facts, stated, tuple(sources), tuple(remarks))


def draw(found: Gathered, root: Path, known: Mapping[str, object]) -> tuple[list[Drawn], list[str]]:
    """Rebuild the generators in the checkpoints of a run, and draw samples from them.

    Parameters
    ----------
    found : Gathered
        What `gather` read of the files that may be checkpoints.
    root : Path
        Folder that paths are relative to.
    known : Mapping
        Settings by their canonical names.

    Returns
    -------
    drawn : list of Drawn
        Each way a generator may have been built on its own.
    notes : list of str
        Why a generator was not run.
    """
    from gandoctor.checkpoint import drawing

    return drawing.draw(gathering.looked_at(found.saved), root, hints_of(known))


def answers(
    found: Gathered,
    real: NDArray[np.float32] | None,
    drawn: Drawn,
    known: Mapping[str, object],
) -> tuple[dict[str, float], list[str]]:
    """What the only discriminator beside a generator says of real data and of its samples.

    Parameters
    ----------
    found : Gathered
        What `gather` read of the files that may be checkpoints.
    real : ndarray or None
        In the shape and in the units of the samples.
    drawn : Drawn
    known : Mapping
        Settings by their canonical names.

    Returns
    -------
    facts : dict
    notes : list of str
    """
    from gandoctor.checkpoint import judging, rebuilt
    from gandoctor.checkpoint.parts import UnlikeError

    networks = found.saved[-1].networks("d")
    if real is None or len(networks) != 1:
        return {}, []
    try:
        said = judging.answers(
            networks[0], real, drawn.values, rebuilt.known(known.get("activation_d"))
        )
    except UnlikeError as why:
        return {}, [f"D was not run: {why}"]
    facts = {"d_tells_apart": said.told_apart, "d_gives_one_answer": float(said.dead)}
    ways = f"; {said.ways} ways to build it agree" if said.ways > 1 else ""
    if said.dead:
        return facts, [f"D gives one answer to real data and to samples drawn from G{ways}"]
    share = f"{said.told_apart:.0%} of the time"
    return facts, [f"D puts a real example above a sample drawn from G {share}{ways}"]
