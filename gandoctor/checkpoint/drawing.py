"""Samples drawn from generators found in checkpoints."""

from __future__ import annotations

import base64
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gandoctor.checkpoint import layers, rebuilding, rebuilt
from gandoctor.checkpoint.parts import UnlikeError
from gandoctor.files.below import seen_from
from gandoctor.files.pngs import png
from gandoctor.model.checkpoints import Drawn

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from gandoctor.checkpoint.contents import Network
    from gandoctor.checkpoint.gathering import Saved
    from gandoctor.checkpoint.layers import Op
    from gandoctor.checkpoint.rebuilt import Hints, Rebuilt

MOST_SAMPLES: Final = 512
FEW_SAMPLES: Final = 64
MOST_WAYS: Final = 18
MOST_SECONDS: Final = 12.0  # after which no earlier checkpoint is begun
_MULTIPLICATIONS: Final = 1.5e10  # of all samples of one step
_MUCH: Final = 2e8  # and beyond, fewer are drawn to see how they move with the noise
_SHOWN: Final = (4, 8)  # rows and columns of the grid
_LARGEST: Final = 128  # pixels of one sample in the grid
_STEP: Final = 1e-3  # of the noise, by which sensitivity is measured


def draw(saved: Sequence[Saved], root: Path, hints: Hints) -> tuple[list[Drawn], list[str]]:
    """Samples of each step's generator, each way it may have been built on its own.

    Parameters
    ----------
    saved : sequence of Saved
    root : Path
        Folder that paths are relative to.
    hints : Hints

    Returns
    -------
    drawn : list of Drawn
    notes : list of str
        Why a generator was not run.
    """
    drawn: list[Drawn] = []
    notes: list[str] = []
    until = time.process_time() + MOST_SECONDS
    for one in reversed(saved):
        if time.process_time() > until:
            notes.append("the generators of earlier checkpoints were not run: it took too long")
            break
        for path, network in _generators(one):
            name = seen_from(path, root)
            try:
                ways = _ways(network, hints)[:MOST_WAYS]
                cores: dict[tuple[int, ...], _Core] = {}
                drawn += [_drawn(w, one.step, name, network, (len(ways), cores)) for w in ways]
            except UnlikeError as why:
                notes.append(f"the generator in {name} was not run: {why}")
            except (MemoryError, ValueError, IndexError, FloatingPointError) as fault:
                kind = type(fault).__name__
                notes.append(f"the generator in {name} was not run ({kind} while it was rebuilt)")
    return drawn, list(dict.fromkeys(notes))[:8]


def _ways(network: Network, hints: Hints) -> list[Rebuilt]:
    """As the graph says that the file holds; else as names, shapes and norms tell."""
    if network.plan is None:
        return rebuilding.rebuild(network, hints)
    from gandoctor.checkpoint.graphs import feeding

    return feeding.rebuild(network, hints)


def _generators(saved: Saved) -> list[tuple[Path, Network]]:
    """The generators of one step, of each network its moving average where there is one."""
    found: dict[str, tuple[Path, Network]] = {}
    for c in saved.files:
        for n in c.networks:
            if n.role == "g" and (n.network not in found or n.average):
                found[n.network] = (c.path, n)
    return list(found.values())[:4]


class _Core:
    """Samples of a generator before its last activation: ways that differ in that alone share them.

    Parameters
    ----------
    way : Rebuilt
    ways : int
        In how many ways the generator may have been built.
    """

    def __init__(self, way: Rebuilt, ways: int) -> None:
        each, largest = way.load()
        if each > rebuilt.MOST_EACH:
            raise UnlikeError(f"a sample takes {each:.1g} multiplications")
        budget = _MULTIPLICATIONS / ways
        count = int(min(MOST_SAMPLES, max(FEW_SAMPLES, budget // max(each, 1))))
        rng = np.random.default_rng(0)
        self.values = way.sample(way.latent.draw(count, rng), largest)
        few = FEW_SAMPLES if each < _MUCH else FEW_SAMPLES // 4
        rng = np.random.default_rng(2)
        z = way.latent.draw(few, rng)
        moved = z + _STEP * rng.normal(size=z.shape).astype(np.float32)
        self.still, self.moved = way.sample(z, largest), way.sample(moved, largest)


def _last_of(way: Rebuilt) -> tuple[Op, ...]:
    """The last activation, where there is one."""
    return way.ops[-1:] if way.ops and way.ops[-1].kind == "act" else ()


@np.errstate(all="ignore")
def _drawn(
    way: Rebuilt,
    step: int | None,
    path: str,
    network: Network,
    among: tuple[int, dict[tuple[int, ...], _Core]],
) -> Drawn:
    """Samples of one way `among` so many, which share what they have in common."""
    ways, cores = among
    last = _last_of(way)
    before = way.ops[: len(way.ops) - len(last)]
    key = (*map(id, before), id(way.latent))
    if key not in cores:
        cores[key] = _Core(replace(way, ops=before), ways)
    core = cores[key]
    values = layers.run(last, core.values)
    return Drawn(
        path=path,
        network=network.network,
        name=network.name[:200],
        step=step,
        values=values,
        proved=way.is_proved,
        ways=ways,
        how=rebuilt.said_of(way),
        sensitivity=_sensitivity(layers.run(last, core.still), layers.run(last, core.moved)),
        saturated=_saturated(last, core.values[:FEW_SAMPLES]),
        picture=_grid(values),
    )


def _sensitivity(still: NDArray[Any], moved: NDArray[Any]) -> float:
    """How far samples move with the noise: over their own spread, by the noise's deviation."""
    a, b = (x.reshape(len(x), -1) for x in (still, moved))
    spread = float(a.std(axis=0).mean())
    change = float(np.sqrt(np.square(b - a).mean(axis=1)).mean()) / _STEP
    return change / spread if spread > 0 else 0.0


def _saturated(last: tuple[Op, ...], x: NDArray[Any]) -> float:
    """Share of outputs whose last activation is deep in its flat part; NaN where it has none."""
    if not last or last[0].numbers["name"] not in ("tanh", "sigmoid"):
        return float("nan")
    edge = 3.0 if last[0].numbers["name"] == "tanh" else 6.0
    return float((np.abs(x) > edge).mean())


def _grid(values: NDArray[Any]) -> str:
    """A grid of samples as a PNG in base64; empty where they are no pictures."""
    if values.ndim != 4 or values.shape[1] not in (1, 3) or max(values.shape[2:]) > 4 * _LARGEST:
        return ""
    block = -(-max(values.shape[2:]) // _LARGEST)
    rows, columns = _SHOWN
    some = np.nan_to_num(values[: rows * columns, :, ::block, ::block])
    low = -1.0 if float(some.min()) < -0.05 else 0.0
    eight = (np.clip((some - low) / (1 - low), 0, 1) * 255).round().astype(np.uint8)
    if len(eight) < rows * columns:
        return ""
    n, channels, high, wide = eight.shape
    grid = np.full((channels, rows * (high + 1), columns * (wide + 1)), 255, np.uint8)
    for i in range(n):
        top, left = i // columns * (high + 1), i % columns * (wide + 1)
        grid[:, top : top + high, left : left + wide] = eight[i]
    return base64.b64encode(png(np.moveaxis(grid, 0, 2))).decode()
