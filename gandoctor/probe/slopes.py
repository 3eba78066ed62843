"""What one backward pass tells: the gradient of every layer, and whether G's loss still pulls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gandoctor.model.probing import ProbeFigure, ProbeLayer
from gandoctor.probe.backend import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gandoctor.probe.batches import Batches
    from gandoctor.probe.players import Players

MOST_LAYERS: Final = 60
TINY: Final = 1e-30


def of_gradients(players: Players, batches: Batches) -> tuple[list[ProbeFigure], list[ProbeLayer]]:
    """Gradient norms of both players by layer, and the slope of G's loss at its samples.

    One batch, as large as fits; players in evaluation mode.
    """
    count = min(players.count, len(players.real)) if players.real is not None else players.count
    of_g, slope, pull = batches.fitting(lambda n: _of_g(players, min(n, count)))
    figures = [
        ProbeFigure("slope", slope, "mean slope of G's loss over D's score of a sample: what is "
                    "left of its pull"),
        ProbeFigure("pull", pull, "gradient that reaches a sample, times the spread of samples"),
    ]  # fmt: skip
    layers = _layers("G", players.generator, of_g)
    figures += _summed("g", "G", layers, "grad_norm_g")
    if players.real is not None:
        of_d = batches.fitting(lambda n: _of_d(players, min(n, count)))
        own = _layers("D", players.discriminator, of_d)
        figures += _summed("d", "D", own, "grad_norm_d")
        layers += own
    return figures, layers


def _of_g(players: Players, count: int) -> tuple[list[Any], float, float]:
    t = torch()
    fake = players.samples(0, count)
    if not fake.requires_grad:
        fake.requires_grad_()
    scores = players.scores(fake, 0)
    loss = players.game.of_g(scores)
    weights = _weights(players.generator)
    at_score, at_sample, *found = t.autograd.grad(loss, [scores, fake, *weights], allow_unused=True)
    slope = float(at_score.abs().sum())
    pull = 0.0
    if at_sample is not None:
        spread = float(fake.detach().flatten(1).var(dim=0).sum().sqrt())
        pull = float(at_sample.flatten(1).norm(dim=1).mean()) * count * spread
    return [None if g is None else g.detach() for g in found], slope, pull


def _of_d(players: Players, count: int) -> list[Any]:
    t = torch()
    with t.no_grad():
        fake = players.samples(0, count)
    real = players.place.there(players.real[:count])
    loss = players.game.of_d(players.scores(real, 0), players.scores(fake, 0))
    weights = _weights(players.discriminator)
    found = t.autograd.grad(loss, weights, allow_unused=True)
    return [None if g is None else g.detach() for g in found]


def _weights(net: Any) -> list[Any]:
    if not hasattr(net, "parameters"):
        return []
    found = list(net.parameters())
    for weight in found:
        weight.requires_grad_(True)
    return found


def _layers(player: str, net: Any, gradients: Sequence[Any]) -> list[ProbeLayer]:
    if not gradients:
        return []
    layers = []
    for (name, weight), gradient in zip(net.named_parameters(), gradients, strict=True):
        size = float(weight.detach().float().norm())
        norm = 0.0 if gradient is None else float(gradient.float().norm())
        layers.append(ProbeLayer(player, name, norm, norm / max(size, TINY), weight.dim() > 1))
    return layers


def _summed(short: str, player: str, layers: Sequence[ProbeLayer], role: str) -> list[ProbeFigure]:
    if not layers:
        return []
    norms = np.array([layer.gradient or 0.0 for layer in layers])
    total = float(np.sqrt(np.square(norms).sum()))
    found = [ProbeFigure(f"grad_{short}", total, f"norm of {player}'s gradient", role)]
    matrices = [layer.gradient or 0.0 for layer in layers if layer.matrix]
    if len(matrices) > 1:
        found.append(
            ProbeFigure(
                f"first_to_last_{short}",
                matrices[0] / max(matrices[-1], TINY),
                f"gradient of {player}'s first layer over that of its last",
            )
        )
    return found
