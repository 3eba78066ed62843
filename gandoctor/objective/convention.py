"""How a family's losses were put together.

Summed or meant, halved, smoothed, with their sign turned.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from gandoctor.lang.middle import median, quantile
from gandoctor.objective.families import BOUNDED, BY_NAME, CHANCE, CRITICS, LN2
from gandoctor.objective.game import middle, real_label, together, word

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gandoctor.model.signals import Family, Setting, Signal
    from gandoctor.objective.game import Game

Reduction = Literal["sum", "mean", "unknown"]
Told = tuple[Reduction, str]  # and the reason
# A least-squares loss comes whole, halved, and halved twice.
_FACTORS: Final = (0.25, 0.5, 1.0)


def convention(
    family: Family, game: Game, settings: Mapping[str, Setting]
) -> tuple[Reduction, float, float, str]:
    """(reduction, factor on D's chance level, factor on G's, the reason).

    What tells most is asked first: the parts of D's loss, the config, the first row, D's scores,
    and at last the two losses side by side.
    """
    if family not in BOUNDED:
        return "unknown", 1.0, 1.0, ""
    if family == "lsgan":
        return _lsgan_scale(game, settings)
    if family == "relativistic" and game.r2 is not None:
        return "mean", 0.5, 0.5, "each loss is one term of the differences of pairs, as in R3GAN"
    reduction, why = (
        _told_by_parts(game)
        or _told_by_config(settings)
        or _told_by_start(game, CHANCE[family][0])
        or _told_by_scores(family, game)
        or _told_by_losses(family, game)
        or ("unknown", "")
    )
    return reduction, 0.5 if reduction == "mean" else 1.0, 1.0, why


def _told_by_parts(game: Game) -> Told | None:
    """From the terms of D's loss for real and for generated data, where they are logged, too."""
    parts = together(game.d, game.d_real, game.d_fake)
    if parts is None:
        return None
    d, r, f = parts
    total = float(median(r + f))
    if total <= 0:
        return None
    ratio = float(median(d)) / total
    if abs(ratio - 1) < 0.1:
        return "sum", "D's loss is the sum of its parts"
    if abs(ratio - 0.5) < 0.05:
        return "mean", "D's loss is half the sum of its parts"
    return None


def _told_by_config(settings: Mapping[str, Setting]) -> Told | None:
    said = word(settings, "d_loss_reduction")
    if said == "sum":
        return "sum", "the config sums D's terms"
    if said == "mean":
        return "mean", "the config takes the mean of D's terms"
    return None


def _told_by_start(game: Game, chance: float) -> Told | None:
    """From the first row of a log that has an untrained D's: it answers by chance."""
    if game.d is None or len(game.d) < 20 or game.d.steps[0] > 1:
        return None
    d0 = float(game.d.values[0])
    if abs(d0 - chance) < 0.05 * chance:
        return "sum", f"D's loss starts at {d0:.3g}, chance of the sum"
    if abs(d0 - chance / 2) < 0.05 * chance:
        return "mean", f"D's loss starts at {d0:.3g}, chance of the mean"
    return None


def _told_by_scores(family: Family, game: Game) -> Told | None:
    """From what D answers, where that is a probability: the loss is its logarithm."""
    scores = together(game.d, game.real, game.fake)
    if scores is None or family not in ("nonsaturating", "minimax"):
        return None
    d, r, f = scores
    if not (r.min() >= 0 and r.max() <= 1 and f.min() >= 0 and f.max() <= 1):
        return None
    bound = -np.log(np.maximum(r, 1e-7)) - np.log(np.maximum(1 - f, 1e-7))
    ratio = float(median(d)) / max(float(median(bound)), 1e-9)
    if 0.85 < ratio < 1.6:
        return "sum", "D's loss matches the sum over its scores"
    if 0.4 < ratio < 0.75:
        return "mean", "D's loss matches half the sum over its scores"
    return None


def _told_by_losses(family: Family, game: Game) -> Told | None:
    """From the two losses: a summed D loss bounds G's from below."""
    pair = together(game.d, game.g)
    if pair is None or family != "nonsaturating" or game.mixed:
        return None
    d, g = pair
    d = np.maximum(d, 1e-12)
    too_low = g < 0.9 * -np.log1p(-np.exp(-d)) - 0.03
    if float(np.mean(too_low)) > 0.5:
        return "mean", "G's loss is too low beside a summed D loss, not beside a mean"
    if float(np.mean(d > 1.05)) > 0.3:
        return "sum", "D's loss stays where only a sum lies"
    if float(median(np.abs(d - LN2))) < 0.05 and float(median(np.abs(g - LN2))) < 0.12:
        return "mean", "both losses rest near ln 2"
    return None


def _lsgan_scale(
    game: Game, settings: Mapping[str, Setting]
) -> tuple[Reduction, float, float, str]:
    """Least squares come whole, halved, and halved twice.

    The factors are read off the curves, the least one counts.
    """
    if game.led_by and game.d is not None and middle(game.d) > 1.1:
        return (
            "unknown",
            math.nan,
            math.nan,
            "D's loss is above what one least-squares D holds: several are summed",
        )
    seen: dict[float, str] = {}
    label = real_label(settings)
    scores = together(game.d, game.real, game.fake)
    if scores is not None:
        d, r, f = scores
        squares = (label - r) ** 2 + f**2
        told = squares > 1e-3
        if int(told.sum()) >= 5:
            # The spread of the scores within a batch only adds to the loss: the factor is at most
            # the least ratio.
            least = float(quantile(d[told] / squares[told], 0.05))
            factor = max((k for k in _FACTORS if k <= 1.05 * least), default=_FACTORS[0])
            seen[factor] = f"D's loss is about {factor:g} times the squares of its scores"
    start, start_g = _start_factor(game.d, label**2), _start_factor(game.g)
    # Both have to look like a D that answers zero: 0.5 and 0.25 are also chance of whole squares.
    if not seen and start is not None and start_g in (0.5, 1.0) and game.d is not None:
        seen[start] = (
            f"D's loss starts at {float(game.d.values[0]):.3g}, as {start:g} times the squares of "
            "an untrained D"
        )
    pair = together(game.d, game.g)
    pure = pair is not None and not game.mixed
    if pair is not None and pure and label == 1:
        d, g = pair
        if float(quantile(np.sqrt(np.maximum(d, 0)) + np.sqrt(np.maximum(g, 0)), 0.2)) <= 0.97:
            seen.setdefault(
                0.5, "least squares, halved: the two losses are too low for whole squares"
            )
    factor_d = min(seen, default=1.0)
    factor_g = start_g if pure and start_g in (0.5, 1.0) else None
    if factor_g is None:
        low = pair is not None and pure and float(quantile(pair[1], 0.95)) < 0.75
        factor_g = 0.5 if factor_d < 1 and low else 1.0
    halved = factor_d < 1 or word(settings, "d_loss_reduction") == "mean"
    return ("mean" if halved else "sum"), factor_d, factor_g, seen.get(factor_d, "")


def _start_factor(signal: Signal | None, whole: float = 1.0) -> float | None:
    """Factor of a least-squares loss that starts as for answers of zero (`whole` at one)."""
    if signal is None or len(signal) < 20 or signal.steps[0] > 1:
        return None
    first = float(signal.values[0])
    return next((k for k in _FACTORS if abs(first / (k * whole) - 1) < 0.25), None)


def chance(
    family: Family, scale_d: float, scale_g: float, label: float
) -> tuple[float | None, float | None]:
    """Losses where the best D cannot tell real from generated data.

    It then answers half the real label.
    """
    known = BY_NAME.get(family)
    if known is None or known.chance is None or math.isnan(scale_d):
        return None, None
    d, g = known.smoothed(label) if label < 1 and known.smoothed is not None else known.chance
    return d * scale_d, g * scale_g


def floor_of(family: Family, smoothing: float) -> float:
    """Lowest reachable D loss, sum convention: the entropy of the smoothed real label."""
    known = BY_NAME.get(family)
    return 0.0 if known is None else known.floor(smoothing)


def sign_of(family: Family, game: Game) -> int:
    """-1 where a critic's loss was logged with its sign turned."""
    if family not in CRITICS or game.d is None:
        return 1
    both = together(game.d, game.real, game.fake)
    if both is not None:
        d, r, f = both
        kept, turned = median(np.abs(d - (f - r))), median(np.abs(d - (r - f)))
        # Real scored low (WassersteinGAN's main.py): D minimises D(x) - D(G(z)) and the sign of the
        # log is as usual.
        return -1 if turned < 0.5 * kept and float(median(r - f)) > 0 else 1
    finite = game.d.values[np.isfinite(game.d.values)]
    # A penalty may outweigh the estimate; where none is logged, a loss that is never negative is a
    # printed estimate.
    if (
        (family == "wgan" or game.gp is None)
        and finite.size >= 20
        and float(np.mean(finite > 0)) > 0.95
    ):
        return -1
    return 1
