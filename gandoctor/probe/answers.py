"""What D says of reals, of reals it has not seen, and of samples; and whether another D would."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gandoctor.model.probing import ProbeFigure
from gandoctor.probe.backend import torch
from gandoctor.probe.figures import LEAST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from gandoctor.probe.batches import Batches
    from gandoctor.probe.players import Players

STEPS: Final = 100  # that D is trained anew
RATES: Final = (1e-4, 2e-3)  # whatever the run's own was
USUAL_RATE: Final = 5e-4


def scored(players: Players, batches: Batches, rows: Any) -> NDArray[np.float64]:
    """D's scores of rows on the CPU."""
    t = torch()
    with t.no_grad():
        parts = batches.over(
            len(rows),
            lambda a, b: players.scores(players.place.there(rows[a:b]), a).cpu(),
            least=LEAST,
        )
    found: NDArray[np.float64] = t.cat(parts).double().numpy()
    return found


def of_scores(players: Players, batches: Batches, made: Any) -> Iterator[ProbeFigure]:
    """D's answers, how well they tell reals from samples, and both losses."""
    of_fake = scored(players, batches, made[: players.count])
    shown = _shown(players)
    role = {"real": "d_real_score", "fake": "d_fake_score"}
    what = "D's mean answer on"
    yield ProbeFigure("d_fake", float(shown(of_fake).mean()), f"{what} samples", role["fake"])
    if players.real is None:
        return
    of_real = scored(players, batches, players.real)
    yield ProbeFigure("d_real", float(shown(of_real).mean()), f"{what} real data", role["real"])
    told = auc(of_real, of_fake)
    yield ProbeFigure("told_apart", told, "chance that D puts a real example above a sample")
    yield ProbeFigure(
        "score_size",
        float(max(np.abs(of_real).mean(), np.abs(of_fake).mean())),
        "mean size of D's scores",
    )
    if players.held_out is not None and not players.condition:
        of_held = scored(players, batches, players.held_out)
        yield ProbeFigure(
            "d_held_out", float(shown(of_held).mean()), f"{what} real data it has not seen"
        )
        yield ProbeFigure(
            "told_apart_held_out",
            auc(of_held, of_fake),
            "the same with real examples that it has not seen",
        )
        yield ProbeFigure(
            "by_heart",
            auc(of_real, of_held),
            "chance that D puts an example it was trained with above one it was not",
        )
    t = torch()
    real, fake = t.from_numpy(of_real).float(), t.from_numpy(of_fake).float()
    with t.no_grad():
        yield ProbeFigure("d_loss", float(players.game.of_d(real, fake)), "D's loss", "d_loss")
        yield ProbeFigure("g_loss", float(players.game.of_g(fake)), "G's loss", "g_loss")


def _shown(players: Players) -> Any:
    """What people log of a score: a probability where the game is logistic."""
    if not players.game.logistic:
        return lambda s: s
    return lambda s: 1 / (1 + np.exp(-np.clip(s, -500, 500)))


def auc(high: NDArray[np.float64], low: NDArray[np.float64]) -> float:
    """Chance that one of the first is above one of the second; NaN where none is finite."""
    high, low = high[np.isfinite(high)], np.sort(low[np.isfinite(low)])
    if not len(high) or not len(low):
        return float("nan")
    below = np.searchsorted(low, high, "left") + np.searchsorted(low, high, "right")
    return float(below.mean() / 2 / len(low))


def restarted(
    players: Players, batches: Batches, made: Any, rate: float, own: float
) -> Iterator[ProbeFigure]:
    """A D of the same make from scratch, for 100 steps against G as it stands.

    Parameters
    ----------
    players : Players
    batches : Batches
    made : tensor
        Samples; those of the second half judge.
    rate : float
        Learning rate of Adam, held to what works for anyone; 0 where none is known.
    own : float
        How well D itself tells them apart.
    """
    t = torch()
    half = min(len(made), len(players.real)) // 2
    fresh = renewed(copy.deepcopy(players.discriminator))
    fresh.train()
    low, high = RATES
    optimizer = t.optim.Adam(
        fresh.parameters(), lr=min(max(rate or USUAL_RATE, low), high), betas=(0.5, 0.999)
    )
    stand_in = _with_d(players, fresh)
    order = t.Generator().manual_seed(2)
    there = players.place.there

    def step(size: int) -> None:
        rows = t.randint(half, (min(size, half),), generator=order)
        scores = [_of_rows(stand_in, there(x[:half][rows]), rows) for x in (players.real, made)]
        loss = players.game.of_d(*scores)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    for _ in range(STEPS):
        batches.fitting(step)
    fresh.eval()
    of_real = scored(stand_in, batches, players.real)[half:]
    of_fake = scored(stand_in, batches, made)[half:]
    found = auc(of_real, of_fake)
    yield ProbeFigure(
        "told_apart_anew", found, f"the same of a D from scratch, after {STEPS} steps against G"
    )
    yield ProbeFigure("gain_anew", found - own, "how much better that D tells them apart")


def _of_rows(players: Players, x: Any, rows: Any) -> Any:
    condition = tuple(players.place.there(c[rows]) for c in players.condition)
    from gandoctor.probe.losses import score_of

    found = score_of(players.discriminator(x, *condition))
    return torch().logit(found, eps=1e-6) if players.probabilities else found


def _with_d(players: Players, net: Any) -> Players:
    other = copy.copy(players)
    other.discriminator = net
    return other


def renewed(net: Any) -> Any:
    """A net with weights as at the start, whatever parametrises them."""
    t = torch()
    t.manual_seed(3)
    with t.no_grad():
        for module in net.modules():
            scales = hasattr(module, "running_mean") or type(module).__name__.endswith("Norm")
            for name, weight in module.named_parameters(recurse=False):
                weight.requires_grad_(True)
                if weight.dim() > 1:
                    t.nn.init.kaiming_uniform_(weight, a=5**0.5)
                else:
                    weight.fill_(1.0 if scales and name == "weight" else 0.0)
            if hasattr(module, "reset_running_stats"):
                module.reset_running_stats()
    return net
