"""What lies between two checkpoints of one run: layers that stood still, weights that grew."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.checkpoint import measuring
from gandoctor.checkpoint.contents import trained
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gandoctor.checkpoint.contents import Network
    from gandoctor.checkpoint.gathering import Saved

_LEAST_GROWTH: Final = 2.0  # of a norm between two checkpoints, from which on it is said
_NAMES: Final = {"g": "G", "d": "D"}


@dataclass(frozen=True, slots=True)
class Change:
    """How the weights of one network changed.

    Attributes
    ----------
    still : tuple of str
        Weights that are bit for bit the same.
    known : int
        Weights that were compared.
    growth : float
        Norm of all of them over what it was before.
    """

    still: tuple[str, ...]
    known: int
    growth: float


@np.errstate(all="ignore")
def between(before: Network, after: Network) -> Change | None:
    """Compare two states of a network; None where they are not of one kind.

    Biases and tables of one number are passed over: many stand still for good reason.
    """
    old, new = dict(trained(before)), dict(trained(after))
    names = [n for n, t in new.items() if len(t.shape) > 1]
    if not names or any(n not in old or old[n].shape != new[n].shape for n in names):
        return None
    still = []
    squares = [0.0, 0.0]
    known = 0
    for name, x, y in measuring.side_by_side(old, new, names):
        known += 1
        if np.array_equal(x, y):
            still.append(name)
        for i, array in enumerate((x, y)):
            squares[i] += float(np.square(array, dtype=np.float64).sum())
    growth = math.sqrt(squares[1] / squares[0]) if squares[0] > 0 else math.nan
    return Change(tuple(still), known, growth)


def told(saved: Sequence[Saved]) -> tuple[dict[str, float], list[str]]:
    """What the last two steps tell, as facts that rules may use and in sentences.

    Two files of the same weights (the last one, and a copy of it) are one.
    """
    facts: dict[str, float] = {}
    said: list[str] = []
    pairs = list(_pairs(saved))
    if pairs and all(len(c.still) == c.known for *_, c in pairs):
        return {}, []
    for role, steps, change in pairs:
        name = _NAMES[role]
        if change.known > 1:
            facts[f"frozen_share_{role}"] = len(change.still) / change.known
        if math.isfinite(change.growth):
            facts[f"growth_{role}"] = change.growth
        if change.still:
            listed = ", ".join(n[:60] for n in change.still[:3])
            said.append(
                f"{steps} {len(change.still)} of {change.known} weights of {name} did not change "
                f"at all ({listed})"
            )
        if change.growth >= _LEAST_GROWTH:
            said.append(f"{steps} the norm of {name}'s weights grew {change.growth:.1f} times")
    return facts, said


def _pairs(saved: Sequence[Saved]) -> Iterator[tuple[str, str, Change]]:
    """The only G and the only D of the last two steps, compared."""
    steps = [s for s in saved if s.step is not None][-2:]
    if len(steps) < 2:
        return
    for role in ("g", "d"):
        nets = [s.networks(role) for s in steps]
        if all(len(them) == 1 for them in nets):
            change = between(nets[0][0], nets[1][0])
            if change is not None and change.known:
                yield role, f"from step {steps[0].step:,} to {steps[1].step:,}", change
