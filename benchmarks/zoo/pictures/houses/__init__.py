"""What code bases would have left of a training: the same curves, written down in a dozen ways."""

from __future__ import annotations

import random
import shutil
from typing import TYPE_CHECKING, Any, Final

from benchmarks.zoo.pictures.houses import filed, printed
from benchmarks.zoo.pictures.houses.story import Story

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from benchmarks.zoo.pictures.records import Record

# House -> its writer, and the tasks it is for (all where empty).
HOUSES: Final[dict[str, tuple[Callable[[Story, Path], None], tuple[str, ...]]]] = {
    "dcgan": (printed.dcgan, ("generation", "conditional")),
    "pytorch-gan": (printed.pytorch_gan, ()),
    "cyclegan": (printed.cyclegan, ("translation", "super-resolution")),
    "speech": (printed.speech, ("translation", "super-resolution", "autoencoder")),
    "biggan": (printed.biggan, ("generation", "conditional")),
    "tensorboard-slashed": (filed.slashed, ()),
    "tensorboard-worded": (filed.worded, ()),
    "stylegan": (filed.stylegan, ("generation", "conditional")),
    "keras": (filed.keras, ()),
    "lightning": (filed.lightning, ()),
    "chainer": (filed.chainer, ()),
    "wandb": (filed.wandb, ()),
}
GRIDS: Final = ("png", "png", "event", "")  # by lot; in an event file where the house has one
ONLY_LOSSES: Final = 0.45
FID: Final = 1 / 3
LOSSES: Final = frozenset({"d_loss", "g_loss", "d_loss_real", "d_loss_fake", "g_adv", "pixel"})


def write(record: Record, out: Path, house: str = "") -> dict[str, Any]:
    """Write a run as one house would; the same record, the same files.

    Parameters
    ----------
    record : Record
    out : Path
        Folder of the run; made anew.
    house : str, optional
        By lot without it.

    Returns
    -------
    dict
        ``house``, ``told`` (what is logged beside losses), ``written`` (canonical setting -> key in
        the config; empty where there is none), ``used`` (the series that are told).
    """
    lot = random.Random(f"house {record.name}")
    task = record.settings["task"]
    fitting = [name for name, (_, tasks) in HOUSES.items() if not tasks or task in tasks]
    chosen = lot.choice(fitting)
    story = Story(
        record,
        lot,
        only_losses=lot.random() < ONLY_LOSSES,
        fid=lot.random() < FID,
        grids=lot.choice(GRIDS),
    )
    house = house or chosen
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    HOUSES[house][0](story, out)
    pictures = any(out.rglob("*.png")) or (story.grids and house.startswith("tensorboard"))
    beside = story.used - LOSSES
    told = {"losses only": not beside, "fid": story.fid_told, "samples": bool(pictures)}
    return {"house": house, "told": told, "written": story.written, "used": sorted(story.used)}
