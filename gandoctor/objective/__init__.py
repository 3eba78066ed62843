"""Which game is played: the loss family and its convention, and what can be derived from them.

Evidence comes from the settings, from the tags, and from the curves; each piece adds to or takes
from the score of a family, and what counted is told.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from gandoctor.model.signals import Objective
from gandoctor.objective.convention import chance, convention, floor_of, sign_of
from gandoctor.objective.derived import derive
from gandoctor.objective.evidence import (
    Evidence,
    ask_curves,
    ask_names,
    ask_settings,
    ask_tags,
    choose,
)
from gandoctor.objective.families import CHANCE, PRIOR
from gandoctor.objective.game import (
    QUIET,
    game_of,
    led_by_weight,
    networks,
    real_label,
    rescaled,
    summed_of,
    terms_of,
    three_terms,
)
from gandoctor.objective.joining import Joining, join
from gandoctor.objective.plausibility import Doubts, doubt
from gandoctor.objective.quality import Judgement, judge
from gandoctor.objective.several import summed_by_many
from gandoctor.objective.unit import UNKNOWN_UNIT, unit_of_losses

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gandoctor.model.signals import Setting, Signal, StepUnit

__all__ = [
    "CHANCE",
    "PRIOR",
    "UNKNOWN_UNIT",
    "Doubts",
    "Joining",
    "Judgement",
    "derive",
    "doubt",
    "infer",
    "join",
    "judge",
]

_THREE_TERMS: Final = (
    "D's loss has three terms: real, generated, generated in the latent space (TimeGAN)"
)


@QUIET
def infer(
    signals: Sequence[Signal],
    settings: Mapping[str, Setting],
    *,
    family: str | None = None,
    said: str = "--loss",
    step_unit: StepUnit = "unknown",
    name: str = "",
) -> Objective:
    """Find the loss family and its convention.

    Parameters
    ----------
    signals : sequence of Signal
        With roles.
    settings : Mapping of str to Setting
        By canonical name.
    family : str, optional
        What the user says it is.
    said : str
        Where they say so.
    step_unit : str
        What the steps count: the first row of a log of epochs is no untrained D's.
    name : str
        Name of the run, which may hold that of a family.

    Returns
    -------
    Objective
        `family` is ``unknown`` where two families fit nearly as well; `candidates` then names them.
    """
    summed = summed_of(signals)
    # One discriminator shows the game better than a sum of several.
    own = sorted(networks(signals), key=lambda n: n in summed) or [""]
    terms = terms_of(signals, settings)
    game = game_of(signals, own[0], terms)
    seen = Evidence()
    ask_settings(seen, settings)
    ask_tags(seen, signals)
    ask_names(seen, (name, *{s.source: None for s in signals}))
    scale, how_scaled = unit_of_losses(game, seen, settings)
    if not math.isnan(scale):
        game = game if scale == 1 else rescaled(game, scale)
        ask_curves(seen, game, epochs=step_unit == "epochs")
    chosen, confidence, because, candidates = choose(seen, settings, family, said)
    if math.isnan(scale) and confidence != "high":
        chosen, because, candidates = "unknown", [], ()
    counts = _counts(signals, terms, summed) if chosen == "lsgan" else {}
    if own[0] in counts:
        # Not a sum over the batch, as a first row that large may be taken for.
        game, scale = rescaled(game_of(signals, own[0], terms), counts[own[0]][0]), 1.0
    reduction, scale_d, scale_g, how = convention(chosen, game, settings)
    if chosen in ("nonsaturating", "minimax") and reduction != "mean" and three_terms(signals):
        scale_d, how = 1.5, _THREE_TERMS
    label, sign = real_label(settings), sign_of(chosen, game)
    chance_d, chance_g = chance(chosen, scale_d, scale_g, label)
    floor = floor_of(chosen, 1.0 - label) * (0.0 if math.isnan(scale_d) else scale_d)
    if scale != 1:
        chance_d, chance_g = _times(chance_d, scale), _times(chance_g, scale)
        floor = _times(floor, scale) or floor
        # a scale that is read off one row is known to a tenth or so, and so is where chance lies
        confidence = "low"
    told = [
        how_scaled if scale != 1 else "",
        *dict.fromkeys(why for _, why in counts.values()),
        how,
        "D's loss is logged with its sign turned" if sign < 0 else "",
    ]
    return Objective(
        family=chosen,
        chance_d=chance_d,
        chance_g=None if game.mixed else chance_g,
        sign=sign,
        reduction=reduction,
        confidence=confidence,
        because=(*because, *(t for t in told if t)),
        floor_d=floor,
        led_by=game.led_by or led_by_weight(settings),
        terms=terms,
        candidates=candidates,
        summed={**summed, **{n: count for n, (count, _) in counts.items()}},
    )


def _counts(
    signals: Sequence[Signal], terms: Sequence[str], summed: Mapping[str, int]
) -> dict[str, tuple[int, str]]:
    """By network: of how many D's its loss is the sum, beyond what its parts tell, and why."""
    held = [n for n in networks(signals) if n not in summed]
    found = {n: summed_by_many(game_of(signals, n, terms), n) for n in held}
    counts = {n: (count, why) for n, (count, why) in found.items() if count > 1}
    for whole, parts in summed.items():
        inner = [found[n][0] for n in held if n]
        if sum(inner) > parts:
            counts[whole] = (sum(inner), "")
    return counts


def _times(anchor: float | None, scale: float) -> float | None:
    """An anchor of the losses in the unit that they were logged in; None where nobody knows it."""
    return None if anchor is None or math.isnan(scale) else anchor * scale
