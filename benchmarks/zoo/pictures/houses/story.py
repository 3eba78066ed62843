"""One training as a house sees it: series thinned or averaged, settings in its words."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from benchmarks.zoo.pictures.plan import given
from benchmarks.zoo.pictures.settings import DEFAULTS, HIDDEN

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from benchmarks.zoo.pictures.records import Record

EPOCH = 64  # iterations
FID = 120.0  # what a Frechet distance of one variance is written as: figures of the usual size
# Signals that are written under these names unless the house has its own.
LOSSES = ("d_loss", "g_loss")


@dataclass
class Story:
    """A record, and how by lot this run is told.

    Attributes
    ----------
    record : Record
    lot : Random
        The same for the same run.
    only_losses : bool
        Whether nothing but losses is logged.
    fid : bool
        Whether a FID-like series is.
    grids : str
        ``png``, ``event`` or empty.
    written : dict
        Canonical setting -> user's key, as far as the config has been written.
    used : set of str
        Series that were asked for.
    fid_told : bool
        Whether a FID-like series was written.
    """

    record: Record
    lot: random.Random
    only_losses: bool = False
    fid: bool = False
    grids: str = ""
    written: dict[str, str] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    fid_told: bool = False

    @property
    def c(self) -> dict[str, Any]:
        return self.record.settings

    @property
    def length(self) -> int:
        return int(self.c["iterations"])

    def has(self, name: str) -> bool:
        """Whether the training computed a series and this run tells it."""
        told = name in LOSSES or not self.only_losses or name == "pixel"
        return told and name in self.record.series

    def at(self, every: int, first: int = 0) -> list[int]:
        """Steps, counted from 0, that are logged."""
        return list(range(first, self.length, every))

    def values(self, name: str) -> NDArray[np.float64]:
        """A series of every step."""
        self.used.add(name)
        return np.asarray(self.record.series[name], dtype=np.float64)

    def means(self, name: str, every: int) -> NDArray[np.float64]:
        """Its means over stretches of so many steps; what is left over at the end has no mean."""
        whole = self.length // every * every
        return self.values(name)[:whole].reshape(-1, every).mean(axis=1)

    def frechet(self) -> list[tuple[int, float]]:
        """Step and FID, where this run has such a series."""
        self.fid_told = self.fid
        return [(s, FID * v) for s, v in self.record.frechet] if self.fid else []

    def settings(self, spelling: dict[str, str], usual: tuple[str, ...] = ()) -> dict[str, Any]:
        """User's key -> value: what the house always writes, the game's own, what is not as usual.

        A spelling ``lr`` for both players' rates stands once where both are the same.
        """
        found: dict[str, Any] = {}
        always = {*spelling, *usual, *given()["games"][self.record.about["game"]]}
        for key, value in self.c.items():
            if key in HIDDEN or not (key in always or value != DEFAULTS[key]):
                continue
            name = spelling.get(key, plainly(key))
            shared = name.partition("|")
            if shared[1]:
                other = self.c[twin(key)]
                name = shared[0] if value == other else shared[2]
            found[name] = value
            self.written[key] = name
        return found


def plainly(key: str) -> str:
    """A canonical key as a flat one."""
    return key.replace("generator.", "g_").replace("discriminator.", "d_").replace(".", "_")


def twin(key: str) -> str:
    """The other player's key."""
    if key.startswith("generator."):
        return key.replace("generator.", "discriminator.")
    return key.replace("discriminator.", "generator.")


def padded(tiles: NDArray[np.uint8], pad: int = 2) -> Image.Image:
    """Tiles as torchvision lays them out: black lines around each."""
    n, size = tiles.shape[0], tiles.shape[1]
    across = next(k for k in (5, 4, 2, 1) if n % k == 0)
    rows, step = n // across, size + pad
    grid = np.zeros((rows * step + pad, across * step + pad, *tiles.shape[3:]), np.uint8)
    for i, tile in enumerate(tiles):
        y, x = pad + i // across * step, pad + i % across * step
        grid[y : y + size, x : x + size] = tile
    return Image.fromarray(grid)


def draw(story: Story, folder: Path, name: str, pad: int = 2, *, offset: int = 0) -> None:
    """Write every grid of the run; `name` takes ``step``, ``epoch``, ``kimg`` and others."""
    if story.grids != "png":
        return
    folder.mkdir(parents=True, exist_ok=True)
    for step in story.record.grids:
        at = {
            "step": step - offset,
            "epoch": (step - 1) // EPOCH,
            "epoch_from_1": (step - 1) // EPOCH + 1,
            "kimg": step * story.c["batch_size"] // 1000,
        }
        padded(story.record.tiles(step), pad).save(folder / name.format(**at))
