"""Hold D's loss against what each family makes of its logged scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gandoctor.lang.middle import median, quantile
from gandoctor.objective.families import TABLE
from gandoctor.objective.game import together

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gandoctor.objective.evidence import Evidence
    from gandoctor.objective.game import Game


def ask_scores(seen: Evidence, game: Game) -> None:
    """What D's scores say, alone and beside its loss."""
    scores = together(game.real, game.fake)
    if scores is None:
        return
    real, fake = scores
    inside = (
        float(min(real.min(), fake.min())) >= -1e-6
        and float(max(real.max(), fake.max())) <= 1 + 1e-6
    )
    if inside:
        seen.add(
            "D's scores are probabilities",
            nonsaturating=1.0,
            minimax=1.0,
            hinge=-3.0,
            wgan=-3.0,
            wgan_gp=-3.0,
        )
    elif float(np.mean(np.abs(real) > 3)) > 0.2:
        seen.add("D's scores leave [0, 1] far behind", lsgan=-3.0)
    _ask_g(seen, game, probabilities=inside)
    both = together(game.d, game.real, game.fake)
    if both is None:
        return
    d, real, fake = both
    # Where D is nearly perfect, the logarithms of cross-entropy are as straight.
    undecided = 1 - real + fake > 0.1
    if inside and _same(d[undecided], (1 - real + fake)[undecided]):
        seen.add("D's loss is 1 - D(x) + D(G(z))", other=9.0)
        return
    with_gp = together(game.d, game.real, game.fake, game.gp)
    for turned, text in ((1, "D(G(z)) - D(x)"), (-1, "D(x) - D(G(z))")):
        if _same(d, turned * (fake - real)):
            seen.add(f"D's loss is {text}", wgan=7.0, wgan_gp=4.0)
            return
        if with_gp is not None and _same(
            with_gp[0], turned * (with_gp[2] - with_gp[1]) + with_gp[3]
        ):
            seen.add(f"D's loss is {text} plus the logged penalty", wgan_gp=7.0)
            return
    if float(np.mean((d > 0) & (real > fake))) > 0.9:
        # A penalty may outweigh the estimate, where one is known of.
        weight = -3.0 if game.gp is None else -1.0
        seen.add("D's loss is positive while D rates data above samples", wgan=-3.0, wgan_gp=weight)
    _ask_formulas(seen, d, real, fake, probabilities=inside)


def _ask_formulas(
    seen: Evidence,
    d: NDArray[np.float64],
    real: NDArray[np.float64],
    fake: NDArray[np.float64],
    *,
    probabilities: bool,
) -> None:
    """Hold D's loss against each family's formula of its mean scores.

    All of them are convex, so the loss of a batch is at least the formula of its mean scores, and
    equal to it where the scores of a batch agree (or, for hinge, lie within the margin).
    """
    for known in TABLE:
        formula = known.of_probabilities if probabilities else known.formula
        if formula is None:
            continue
        family, half, least = known.name, known.least, formula(real, fake)
        if not np.isfinite(least).all() or float(median(least)) <= 0:
            continue
        ratio = d / np.maximum(least, 1e-9)
        weights = (family, *known.same_as)
        if float(np.mean(ratio < 0.93 * half)) > 0.2:
            seen.add(
                f"D's loss is below what its scores allow for {family}",
                **dict.fromkeys(weights, -3.0),
            )
            continue
        middle = float(median(ratio))
        spread = float(quantile(ratio, 0.75) - quantile(ratio, 0.25))
        if any(abs(middle / k - 1) < 0.04 and spread < 0.05 * k for k in (half, 0.5, 1.0)):
            seen.add(f"D's loss is the {family} loss of its scores", **dict.fromkeys(weights, 3.5))
        elif any(0.98 < middle / k < 1.3 and spread < 0.2 * k for k in (0.5, 1.0)):
            seen.add(
                f"D's loss is close to the {family} loss of its scores",
                **dict.fromkeys(weights, 1.5),
            )


def _ask_g(seen: Evidence, game: Game, *, probabilities: bool) -> None:
    """Hold G's adversarial loss against each family's formula of D's mean score on generated data.

    The score may be that of D's step, before G's: the two agree but for what one step does.
    """
    pair = None if game.mixed else together(game.g, game.fake)
    if pair is None or pair[0].size < 10 or float(np.ptp(quantile(pair[1], (0.25, 0.75)))) < 1e-3:
        return
    g, fake = pair
    if not probabilities and _same(g, -fake):
        seen.add(
            "G's loss is -D(G(z))", wgan=3.0, wgan_gp=3.0, hinge=3.0, nonsaturating=-4.0, lsgan=-4.0
        )
        return
    for known in TABLE:
        formula = known.g_of_probabilities if probabilities else known.formula_g
        if formula is None:
            continue
        least = formula(fake)
        for factor in (1.0, 0.5) if known.name == "lsgan" else (1.0,):
            if _same(g, factor * least):
                seen.add(f"G's loss is the {known.name} loss of D(G(z))", **{known.name: 4.0})
        if (
            known.name != "minimax"
            and float(np.mean(g < 0.6 * known.least * 2 * least - 0.1)) > 0.5
        ):
            seen.add(
                f"G's loss is below what D(G(z)) allows for {known.name}", **{known.name: -2.0}
            )


def _same(logged: NDArray[np.float64], formula: NDArray[np.float64]) -> bool:
    """Whether a formula gives the logged loss, not merely a value near a flat line."""
    spread = min(float(np.std(logged)), float(np.std(formula)))
    if logged.size < 10 or spread < 1e-3 * (abs(float(median(logged))) + 1e-3):
        return False
    close = float(quantile(np.abs(logged - formula), 0.9)) < 0.05 * spread
    return close and float(np.corrcoef(logged, formula)[0, 1]) > 0.99
