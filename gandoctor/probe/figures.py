"""What the samples tell: on the data or off it, how varied, how much of the noise they use."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gandoctor.model.probing import ProbeFigure
from gandoctor.probe.backend import torch
from gandoctor.samples import fidelity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from gandoctor.probe.batches import Batches
    from gandoctor.probe.players import Players

    Rows = NDArray[np.float64]

LEAST: Final = fidelity.LEAST
STEP: Final = 0.1  # of the noise, in its own deviations, for the sensitivity
ENOUGH: Final = 1024
LOOKS: Final = 4
SIDE: Final = 32  # pictures are compared at that many pixels a side
CLUSTERS: Final = 12  # of the data, by k-means
PER_CLUSTER: Final = 8  # rows, at least
DUE: Final = 0.25  # of its share of the data: with less of the samples, a cluster is missed
DRAWS: Final = 3
TURNS: Final = 20


def generated(players: Players, batches: Batches) -> Any:
    """Samples of the fixed noise, shape (n, ...), on the CPU."""
    t = torch()
    with t.no_grad():
        parts = batches.over(
            players.count, lambda a, b: players.samples(a, b).cpu(), least=2 * LEAST
        )
    if batches.clock.left() <= 0:  # no time to look at more than tells enough
        parts = parts[: 1 + ENOUGH // max(len(parts[0]), 1)]
    return t.cat(parts)


def of_samples(made: Any, real: Any) -> Iterator[ProbeFigure]:
    """Everything about samples and data side by side; without data what samples say alone."""
    rows = flat(made)
    finite = np.isfinite(rows).all(axis=1)
    yield ProbeFigure("finite", float(finite.mean()), "share of samples that are finite")
    ok = rows[finite]
    if len(ok) >= LEAST:
        own = _mean_distance(ok)
        yield from _ranges(made, real)
        if real is None:
            scale = math.sqrt(float(ok.var(axis=0).sum())) or 1.0
            yield ProbeFigure("self_diversity", own / scale, "mean distance between samples, over "
                              "their own spread")  # fmt: skip
    if real is None or len(real) < LEAST:
        return
    data = flat(real)
    measured = fidelity.Reference(data).against(rows)
    for name, text in (
        ("distance", "energy distance to the real data, over the mean distance within it"),
        ("coverage", "share of real examples with a sample near them"),
        ("precision", "share of samples near a real example"),
        ("fine_precision", "share of samples close to a real example (k = 3)"),
        ("shift", "distance between the means, in deviations of the real data"),
    ):
        value = getattr(measured, name)
        if math.isfinite(value):
            yield ProbeFigure(name, value, text, f"sample_{name}")
    share = reached(ok, data)
    if math.isfinite(share):
        yield ProbeFigure("reached", share, "share of the data's clusters that get a quarter of "
                          "their due of the samples")  # fmt: skip
    if len(ok) >= LEAST:
        within = _mean_distance(data)
        variance = float(data.var(axis=0).sum())
        if within > 0 and variance > 0:
            yield ProbeFigure("diversity", own / within, "mean distance between samples, over that "
                              "between real examples", "sample_diversity")  # fmt: skip
            ratio = float(ok.var(axis=0).sum()) / variance
            yield ProbeFigure("variance", ratio, "variance of the samples, over that of the real "
                              "data", "sample_variance")  # fmt: skip


def reached(rows: Rows, data: Rows) -> float:
    """Share of the data's clusters that get their due of the samples, a quarter of it at least.

    Clusters of k-means in the data's main directions, in the mean over a few draws of where they
    start; NaN where there are too few rows.

    References
    ----------
    Richardson and Weiss 2018, On GANs and GMMs, arXiv:1805.12462 (shares by bin).
    """
    if min(len(rows), len(data)) < CLUSTERS * PER_CLUSTER:
        return math.nan
    centre = data.mean(axis=0)
    directions = fidelity.main_directions(data - centre)
    placed, made = (data - centre) @ directions, (rows - centre) @ directions
    found = []
    for seed in range(DRAWS):
        centres = _clusters(placed, seed)
        due, got = (_shares(x, centres) for x in (placed, made))
        found.append(float((got > DUE * due)[due > 0.2 / CLUSTERS].mean()))
    return float(np.mean(found))


def _clusters(placed: Rows, seed: int) -> Rows:
    rng = np.random.default_rng(seed)
    centres = placed[rng.choice(len(placed), CLUSTERS, replace=False)]
    for _ in range(TURNS):
        own = fidelity.distances(placed, centres).argmin(axis=1)
        filled = np.unique(own)
        centres[filled] = [placed[own == i].mean(axis=0) for i in filled]
    return centres


def _shares(placed: Rows, centres: Rows) -> Rows:
    own = fidelity.distances(placed, centres).argmin(axis=1)
    return np.bincount(own, minlength=len(centres)) / len(placed)


def looks(made: Any, real: Any) -> list[list[ProbeFigure]]:
    """What each quarter of the samples says beside a quarter of the data, of 64 rows at least."""
    size = max(len(made) // LOOKS, min(64, len(made)))
    parts = [made[i : i + size] for i in range(0, len(made) - size + 1, size)]
    rows = len(real) // len(parts) if len(real) // max(len(parts), 1) >= 64 else 0
    found = []
    for i, part in enumerate(parts):
        data = real[i * rows : (i + 1) * rows] if rows else real
        found.append(list(of_samples(part, data)))
    return found


def sensitivity(players: Players, batches: Batches, made: Any, real: Any) -> ProbeFigure | None:
    """How far samples move with a step of a tenth of the noise, over their typical distance.

    The noise is turned, so that it stays as long as it is. A G that heeds its noise gives about
    a tenth and more, one that does not, nothing.
    """
    t = torch()
    if not players.noise or not players.noise[0].is_floating_point():
        return None
    own = t.Generator().manual_seed(1)
    other = tuple(
        math.sqrt(1 - STEP**2) * z + STEP * z.std() * t.randn(z.shape, generator=own)
        if z.is_floating_point()
        else z
        for z in players.noise
    )
    count = min(len(made), 256)
    with t.no_grad():
        parts = batches.over(count, lambda a, b: players.samples(a, b, other).cpu(), least=LEAST)
    moved = flat(t.cat(parts))
    rows = flat(made[: len(moved)])
    finite = np.isfinite(moved).all(axis=1) & np.isfinite(rows).all(axis=1)
    against = flat(real) if real is not None and len(real) >= LEAST else rows[finite]
    typical = _mean_distance(against) if len(against) >= 2 else 0.0
    if not finite.any() or not typical > 0:
        return None
    far = float(np.linalg.norm(moved[finite] - rows[finite], axis=1).mean()) / typical
    said = "distances in the data" if against is not rows else "distances between samples"
    return ProbeFigure("sensitivity", far, f"how far samples move with a tenth of the noise, over "
                       f"{said}")  # fmt: skip


def _ranges(made: Any, real: Any) -> Iterator[ProbeFigure]:
    """Range of G's output against the data's, and the share of the data beyond G's reach."""
    values = made[torch().isfinite(made)]
    low, high = float(values.min()), float(values.max())
    yield ProbeFigure("low", low, "lowest value that G gives", "sample_min")
    yield ProbeFigure("high", high, "highest value that G gives", "sample_max")
    if real is None:
        return
    data = real.float()
    yield ProbeFigure("data_low", float(data.min()), "lowest value in the real data")
    yield ProbeFigure("data_high", float(data.max()), "highest value in the real data")
    margin = 0.02 * max(high - low, 1e-12)
    beyond = float(((data < low - margin) | (data > high + margin)).float().mean())
    yield ProbeFigure("beyond", beyond, "share of the data's values outside of what G gives")


def flat(values: Any) -> Rows:
    """Examples as rows of numbers; pictures at no more than 32 pixels a side."""
    t = torch()
    values = values.detach().cpu().float()
    if values.dim() == 4 and min(values.shape[2:]) > SIDE:
        values = t.nn.functional.adaptive_avg_pool2d(values, (SIDE, SIDE))
    rows: Rows = values.flatten(1).double().numpy()
    return rows


def _mean_distance(rows: Rows) -> float:
    rows = rows[:256]
    squares = (rows * rows).sum(axis=1)
    apart = np.maximum(squares[:, None] + squares[None, :] - 2 * rows @ rows.T, 0.0)
    np.fill_diagonal(apart, 0.0)
    return float(np.sqrt(apart).sum() / (len(rows) * (len(rows) - 1)))
