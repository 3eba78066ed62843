"""The six families of adversarial losses, each in the convention that is usual for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import torch
from torch.nn import functional as F  # noqa: N812

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor


@dataclass(frozen=True)
class Game:
    """One family.

    Attributes
    ----------
    real : callable (scores, label) -> Tensor
        D's term on real data.
    fake : callable (scores) -> Tensor
        D's term on samples.
    fool : callable (scores) -> Tensor
        G's loss.
    shown : callable (scores) -> Tensor
        What is usually logged as D(x): a probability where there is one, else the score.
    halves : bool
        Whether G's loss is halved too where D's terms are averaged (least squares).
    """

    real: Callable[[Tensor, float], Tensor]
    fake: Callable[[Tensor], Tensor]
    fool: Callable[[Tensor], Tensor]
    shown: Callable[[Tensor], Tensor]
    halves: bool = False


def _same(scores: Tensor) -> Tensor:
    return scores


def _cross_entropy(scores: Tensor, label: float) -> Tensor:
    return F.binary_cross_entropy_with_logits(scores, torch.full_like(scores, label))


_wasserstein = Game(
    real=lambda s, _: -s.mean(),
    fake=lambda s: s.mean(),
    fool=lambda s: -s.mean(),
    shown=_same,
)
GAMES: Final[dict[str, Game]] = {
    "nonsaturating": Game(
        real=_cross_entropy,
        fake=lambda s: _cross_entropy(s, 0.0),
        fool=lambda s: _cross_entropy(s, 1.0),
        shown=torch.sigmoid,
    ),
    "minimax": Game(
        real=_cross_entropy,
        fake=lambda s: _cross_entropy(s, 0.0),
        fool=lambda s: -_cross_entropy(s, 0.0),
        shown=torch.sigmoid,
    ),
    "lsgan": Game(
        real=lambda s, label: (s - label).square().mean(),
        fake=lambda s: s.square().mean(),
        fool=lambda s: (s - 1.0).square().mean(),
        shown=_same,
        halves=True,
    ),
    "hinge": Game(
        real=lambda s, _: F.relu(1.0 - s).mean(),
        fake=lambda s: F.relu(1.0 + s).mean(),
        fool=lambda s: -s.mean(),
        shown=_same,
    ),
    "wgan": _wasserstein,
    "wgan-gp": _wasserstein,
}


def gradient_penalty(critic: torch.nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    """Mean squared deviation of the critic's slope from 1 (arXiv:1704.00028)."""
    share = torch.rand(len(real), 1)
    between = (share * real + (1 - share) * fake).requires_grad_(True)
    (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    return (slope.norm(2, dim=1) - 1.0).square().mean()


def slope_at_real(critic: torch.nn.Module, real: Tensor) -> Tensor:
    """Mean squared slope of D at real data: R1 (arXiv:1801.04406)."""
    real = real.clone().requires_grad_(True)
    (slope,) = torch.autograd.grad(critic(real).sum(), real, create_graph=True)
    return slope.square().sum(dim=1).mean()
