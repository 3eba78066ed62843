"""What holds between columns row by row.

A critic's loss is its estimate, a relativistic D's halves are equal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gandoctor.lang.middle import median, quantile
from gandoctor.lang.rows import weight_of
from gandoctor.objective.game import together

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gandoctor.model.signals import Signal
    from gandoctor.objective.evidence import Evidence
    from gandoctor.objective.game import Game


class Sum(NamedTuple):
    """``whole = part + weight * rest`` in every row."""

    part: Signal
    rest: Signal
    weight: float


def ask_estimate(seen: Evidence, game: Game) -> None:
    """A critic's loss is minus its estimate (plus a penalty).

    A distance measured beside another game is not.
    """
    split = split_of(game.d, game.others, game.gp)
    if split is not None:
        text = f"D's loss is {split.part.tag} plus {split.weight:.3g} times {split.rest.tag}"
        if float(np.mean(split.part.values < -0.01)) > 0.05:
            seen.add(f"{text}, and the former is negative", wgan_gp=7.0)
        else:
            seen.add(text, wgan_gp=0.5)
    if game.estimate is None:
        return
    if game.d is None and game.d_real is None:
        seen.add("a Wasserstein estimate is logged, and no loss of D", wgan=4.0, wgan_gp=2.0)
        return
    pair = together(game.d, game.estimate)
    if pair is None:
        return
    d, estimate = pair
    with_gp = together(game.d, game.estimate, game.gp)
    if _follows(d, estimate, None):
        seen.add(f"D's loss follows {game.estimate.tag}", wgan=6.0, wgan_gp=5.0)
    elif with_gp is not None and _follows(with_gp[0], with_gp[1], with_gp[2]):
        seen.add(f"D's loss follows {game.estimate.tag} and the penalty", wgan_gp=7.0)
    elif float(np.mean(d < -0.01)) > 0.02:
        seen.add(f"a Wasserstein estimate is logged: {game.estimate.tag}", wgan=1.0, wgan_gp=1.0)


def _follows(
    d: NDArray[np.float64], estimate: NDArray[np.float64], gp: NDArray[np.float64] | None
) -> bool:
    """Whether D's loss is the estimate, of either sign, as another batch would give it.

    Plus a share of the penalty.
    """
    if d.size < 10 or float(np.std(d)) < 1e-9 or float(np.std(estimate)) < 1e-9:
        return False
    columns = np.stack([estimate] if gp is None else [estimate, gp], axis=1)
    weights, *_ = np.linalg.lstsq(columns, d, rcond=None)
    if not 0.7 < abs(float(weights[0])) < 1.4 or (gp is not None and weights[1] < -0.1):
        return False
    return float(np.std(d - columns @ weights)) < 0.35 * float(np.std(d))


def ask_halves(seen: Evidence, game: Game) -> None:
    """Both halves of a relativistic D's loss are of the same differences, so equal row by row."""
    halves = together(game.d_real, game.d_fake)
    if halves is None or halves[0].size < 20 or min(float(h.min()) for h in halves) <= 0:
        return
    real, fake = (np.log(h) for h in halves)
    low, high = quantile(real, (0.05, 0.95))
    if high - low < 1 or float(median(np.abs(real - fake))) > 0.15 * (high - low):
        return
    scores = together(game.real, game.fake)
    # Cross-entropy's halves agree where D's scores lie about zero; where they drift and the halves
    # still agree, only their difference is judged.
    drifts = scores is not None and bool(
        np.mean(np.abs(scores[0] + scores[1]) > 0.5 * np.abs(scores[0] - scores[1])) > 0.5
    )
    if (
        float(np.corrcoef(real, fake)[0, 1]) < (0.8 if drifts else 0.95)
        or abs(float(median(real - fake))) > 0.3
    ):
        return
    seen.add("both halves of D's loss are equal row by row", relativistic=4.0 if drifts else 1.0)


def ask_pairs(seen: Evidence, game: Game) -> bool:
    """Under R1 and R2: whether what is logged as D's scores are differences of pairs, as in R3GAN.

    Those of D's step and of G's are then of opposite signs, and of about one size.
    """
    scores = None if game.r2 is None else together(game.real, game.fake)
    if scores is None:
        return False
    real, fake = scores
    size = float(median(np.abs(real)))
    paired = size > 0 and float(median(np.abs(real + fake))) < 0.4 * size
    told = "are the same differences" if paired else "are no differences"
    seen.add(f"both scores {told} of pairs", relativistic=4.0 if paired else -4.0)
    return paired


def split_of(whole: Signal | None, parts: tuple[Signal, ...], rest: Signal | None) -> Sum | None:
    """The other loss of D that is its whole without the penalty, with one weight in all rows.

    None where none is.
    """
    if whole is None or rest is None:
        return None
    for part in parts:
        rows = together(whole, part, rest)
        if rows is None:
            continue
        weight = weight_of(*rows)
        if weight is not None:
            return Sum(part, rest, weight)
    return None
