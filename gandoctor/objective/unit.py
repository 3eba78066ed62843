"""The unit of the losses: means over the batch, sums over it, or on a scale of their own."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.lang.middle import median, quantile
from gandoctor.objective.families import TABLE
from gandoctor.objective.game import number, together

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from gandoctor.model.signals import Family, Setting, Signal
    from gandoctor.objective.evidence import Evidence
    from gandoctor.objective.game import Game

# A first row this many times an untrained D's is no chance of the initial weights.
MANY: Final = 6.0
# A mean that was divided by the size of the batch once more; batches are seldom smaller than this.
FEW: Final = 1 / 16
UNKNOWN_UNIT: Final = (
    "both losses are lower than any family allows: they are on a scale of their own"
)


def unit_of_losses(
    game: Game, seen: Evidence, settings: Mapping[str, Setting]
) -> tuple[float, str]:
    """What the losses were multiplied by.

    (1 for means over the batch, NaN where nobody can tell; the reason).

    An untrained D answers about nothing, so the first row is a known point times the factor. Where
    it is no such point, losses below every family's bound still tell that they are on a scale of
    their own.
    """
    pair = together(game.d, game.g)
    if pair is None or game.d is None or game.g is None or game.mixed or pair[0].size < 20:
        return 1.0, ""
    d, g = pair
    if float(np.mean(d < -1e-9)) > 0.02:
        return 1.0, ""
    factors = (
        _factors_at_start(game.d, game.g, d)
        if game.d.steps[0] <= 1 and game.g.steps[0] <= 1
        else {}
    )
    if factors:
        # What the config says of the batch settles it; else what is known of the family does.
        batch = number(settings, "batch_size") or 0.0
        fits = [f for f, k in factors.items() if batch > 1 and 0.8 < max(k, 1 / k) / batch < 1.25]
        best = max(fits or factors, key=lambda f: seen.score[f])
        if factors[best] < 1 and not fits and _below_all_bounds(d, g):
            return math.nan, UNKNOWN_UNIT
        factor = factors[best]
        start = (
            f"the first losses are {float(game.d.values[0]):.3g} and {float(game.g.values[0]):.3g}"
        )
        told = "summed over the batch" if factor > 1 else "divided once more than a mean is"
        return factor, f"{start}, {factor:.3g} times those of an untrained D: the losses are {told}"
    if _below_all_bounds(d, g):
        return math.nan, UNKNOWN_UNIT
    return 1.0, ""


def _factors_at_start(d: Signal, g: Signal, rows: NDArray[np.float64]) -> dict[Family, float]:
    """Factor by family where the first row is an untrained D's times a factor; else empty."""
    d0, g0 = float(d.values[0]), float(g.values[0])
    if not (np.isfinite(d0) and np.isfinite(g0) and d0 > 0):
        return {}
    found: dict[Family, float] = {}
    for family in TABLE:
        for a, b in family.starts:
            factor = d0 / a
            # Not divided: a loss of 5e-324 leaves a factor of 0.
            if abs(g0 - b * factor) < (0.15 * abs(b) or 0.04) * factor:
                found.setdefault(family.name, factor)
    if not found or any(FEW < k < MANY for k in found.values()):
        return {}
    low, middle, high = (float(x) for x in quantile(rows, (0.05, 0.5, 0.95)))
    if middle > 1.5 * d0:
        return {}
    if max(found.values()) < 1 and not (
        middle > 0.1 * d0 and (high < 2 * low or _below_all_bounds(rows, g.values[: rows.size]))
    ):
        # A saturating game that D wins has small losses too, but they go on falling.
        return {}
    return found


def _below_all_bounds(d: NDArray[np.float64], g: NDArray[np.float64]) -> bool:
    """Whether cross-entropy, least squares and hinge are ruled out, each in its best convention."""
    if float(np.mean(g > 0)) < 0.9 or float(np.mean(d > 0)) < 0.9:
        return False
    keep = (d > 0) & (g > 0)
    d, g = d[keep], g[keep]
    broken = (
        (g < 0.8 * -np.log1p(-np.exp(-2 * d)) - 0.05)
        & (np.sqrt(4 * d) + np.sqrt(2 * g) < 0.9)
        & (2 * d + g < 0.85)
    )
    if float(np.mean(broken)) <= 0.8:
        return False
    # On a scale of its own a game was from its first rows on; losses that fall to nothing are
    # another matter.
    first = max(5, d.size // 10)
    fell = [float(median(x[-(x.size // 2) :])) < 0.1 * float(median(x[:first])) for x in (d, g)]
    return float(np.mean(broken[:first])) > 0.8 and not any(fell)
