"""Signals that follow from the logged ones once the game is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gandoctor.lang.middle import median
from gandoctor.lexicon.reading import roles as common_roles
from gandoctor.objective.families import BOUNDED, CRITICS
from gandoctor.objective.game import QUIET, game_of, joined, made, networks, pick, together
from gandoctor.objective.identities import split_of
from gandoctor.objective.quality import quality_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from gandoctor.model.roles import Role
    from gandoctor.model.signals import Objective, Signal
    from gandoctor.objective.game import Game


@QUIET
def derive(
    signals: Sequence[Signal],
    objective: Objective,
    facts: Mapping[str, float],
    roles: Mapping[str, Role] | None = None,
) -> tuple[Signal, ...]:
    """Work out what follows from the logged signals once the game is known.

    Parameters
    ----------
    signals : sequence of Signal
        With roles.
    objective : Objective
    facts : Mapping of str to float
    roles : Mapping of str to Role, optional
        Those of the run's vocabulary; by default those that come with gandoctor.

    Returns
    -------
    tuple of Signal
        For each network ``d_advantage`` (bounded families, or probabilities),
        ``wasserstein_estimate``, ``g_adv``, ``grad_ratio``, ``d_loss`` where only its parts were
        logged; ``quality`` and ``progress`` for the run. What was logged is not derived again.
    """
    out: list[Signal | None] = []
    for network in networks(signals) or [""]:
        game = game_of(signals, network, objective.terms)
        out += [
            game.d if game.d is not None and not any(game.d is s for s in signals) else None,
            _advantage(game, objective, network),
            _wasserstein(signals, game, objective, network),
            _adversarial(game, network),
            _ratio(signals, network),
        ]
    out += quality_of(signals, roles or common_roles())
    return tuple(s for s in out if s is not None)


def _advantage(game: Game, objective: Objective, network: str) -> Signal | None:
    """Share of its chance-level loss that D has removed; for a D that answers perfectly this is 1.

    For cross-entropy and an optimal D it is the Jensen-Shannon divergence in units of its largest
    value, for hinge the total variation. Without a bounded loss: the gap between the probabilities
    D gives to real and to generated data.
    """
    d = game.d
    if d is not None and objective.family in BOUNDED and objective.chance_d:
        several = objective.summed.get(network, 1)
        chance, floor = objective.chance_d * several, objective.floor_d * several
        value = (chance - d.values) / (chance - floor)
        because = f"how far {d.tag} lies below its chance level of {chance:.3g}"
        return made("d_advantage", d, (d.steps, _unit(value)), because, network)
    if game.real is None or game.fake is None or objective.family in CRITICS:
        return None
    steps, (r, f) = joined(game.real, game.fake)
    finite = np.concatenate([r[np.isfinite(r)], f[np.isfinite(f)]])
    if not finite.size or finite.min() < -1e-6 or finite.max() > 1 + 1e-6:
        return None
    return made(
        "d_advantage",
        game.real,
        (steps, _unit(r - f)),
        f"{game.real.tag} minus {game.fake.tag}",
        network,
    )


def _unit(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cut to [0, 1]; NaN stays NaN."""
    return np.asarray(np.clip(values, 0.0, 1.0), dtype=np.float64)


def _wasserstein(
    signals: Sequence[Signal], game: Game, objective: Objective, network: str
) -> Signal | None:
    """The distance as D sees it: from its scores, else from its loss without the logged penalty."""
    if (
        objective.family not in CRITICS
        or pick(signals, "wasserstein_estimate", network) is not None
    ):
        return None
    role = "wasserstein_estimate"
    if game.real is not None and game.fake is not None:
        steps, (r, f) = joined(game.real, game.fake)
        gap = f - r if objective.sign == 1 and _low_real(game) else r - f
        because = f"{game.real.tag} against {game.fake.tag}"
        return made(role, game.real, (steps, gap), because, network) if steps.size else None
    if game.d is None:
        return None
    turned = ", sign turned" if objective.sign == 1 else ""
    split = split_of(game.d, game.others, game.gp)
    if split is not None:
        value = -objective.sign * split.part.values
        return made(
            role, split.part, (split.part.steps, value), f"{split.part.tag}{turned}", network
        )
    if game.gp is not None and objective.family == "wgan-gp":
        steps, (d, p) = joined(game.d, game.gp)
        if steps.size:
            value = -objective.sign * d + p
            return made(
                role, game.d, (steps, value), f"{game.d.tag} without {game.gp.tag}{turned}", network
            )
    return made(
        role,
        game.d,
        (game.d.steps, -objective.sign * game.d.values),
        f"{game.d.tag}{turned}",
        network,
    )


def _low_real(game: Game) -> bool:
    """Whether D is trained to score real data low."""
    both = together(game.d, game.real, game.fake)
    if both is None:
        return False
    d, r, f = both
    return bool(median(np.abs(d - (r - f))) < 0.5 * median(np.abs(d - (f - r))))


def _adversarial(game: Game, network: str) -> Signal | None:
    if game.g is None or game.mixed:
        return None
    because = (
        f"{game.g.tag} is all that is known to drive G"
        if game.g_is_whole
        else f"logged as {game.g.tag}"
    )
    return made("g_adv", game.g, (game.g.steps, game.g.values), because, network)


def _ratio(signals: Sequence[Signal], network: str) -> Signal | None:
    d, g = pick(signals, "grad_norm_d", network), pick(signals, "grad_norm_g", network)
    if d is None or g is None:
        return None
    steps, (a, b) = joined(d, g)
    return (
        made("grad_ratio", d, (steps, a / b), f"{d.tag} over {g.tag}", network)
        if steps.size
        else None
    )
