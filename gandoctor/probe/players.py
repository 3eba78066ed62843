"""The players as they are measured: on a device, on fixed noise and some real data."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from gandoctor.errors import UsageError
from gandoctor.probe.backend import torch
from gandoctor.probe.data import gathered
from gandoctor.probe.losses import score_of
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from gandoctor.probe.asked import Probe
    from gandoctor.probe.backend import Place
    from gandoctor.probe.batches import Batches
    from gandoctor.probe.losses import Game


@dataclass(slots=True, eq=False)
class Players:
    """G and D with all they need, rows on the CPU until they are used.

    Attributes
    ----------
    generator, discriminator : callable
        None where there is none.
    noise : tuple of tensor, shape (n, ...) each
        What G takes first; empty where it takes the condition alone.
    condition : tuple of tensor, shape (n, ...) each
        What both also take.
    real, held_out : tensor, shape (m, ...), or None
    game : Game
    place : Place
    probabilities : bool
        Whether D ends in a sigmoid: its scores are turned into logits.
    """

    generator: Any
    discriminator: Any
    noise: tuple[Any, ...]
    condition: tuple[Any, ...]
    real: Any
    held_out: Any
    game: Game
    place: Place
    probabilities: bool = False

    @property
    def reference(self) -> Any:
        """What samples are compared with: data that no player has seen, where there are any."""
        return self.real if self.held_out is None else self.held_out

    @property
    def count(self) -> int:
        """Samples that there is noise (or a condition) for."""
        return min(len(x) for x in (*self.noise, *self.condition))

    def samples(self, first: int, last: int, noise: tuple[Any, ...] | None = None) -> Any:
        """What G makes of some rows of the noise; on the device."""
        there = self.place.there
        given = [there(x[first:last]) for x in (*(noise or self.noise), *self.condition)]
        with self.place.precision():
            made = self.generator(*given)
        if isinstance(made, list | tuple):
            made = made[0]
        if not hasattr(made, "shape"):
            raise UsageError(
                f"G gives a {type(made).__name__}", "Probe(generator=)", "give tensors"
            )
        return made.float()

    def scores(self, rows: Any, first: int) -> Any:
        """D's scores of rows that are on the device, as logits where the game is logistic.

        `first` is the row that they begin with, of the condition.
        """
        of = [self.place.there(c[first : first + len(rows)]) for c in self.condition]
        with self.place.precision():
            answer = self.discriminator(rows, *of)
        found = score_of(answer)
        return torch().logit(found, eps=1e-6) if self.probabilities else found


def prepared(probe: Probe, game: Game, place: Place, count: int, seed: int) -> Players:
    """The players of an entry, moved to the device and put into evaluation mode.

    Raises
    ------
    UsageError
        There is no G, or nothing says what it takes.
    """
    if not callable(probe.generator):
        raise UsageError("there is no generator", "Probe(generator=)", "give the net")
    real = held_out = None
    if probe.real is not None:
        real = gathered(probe.real, count, seed, "real").float()
    if probe.held_out is not None:
        held_out = gathered(probe.held_out, count, seed, "held_out").float()
    condition = _condition(probe.condition, count, seed)
    noise = _noise(probe.latent, count, seed)
    if not noise and not condition:
        raise UsageError(
            "nothing says what G takes", "Probe(latent=)", "give the size of its noise"
        )
    if condition and real is not None:
        real = real[: len(condition[0])]
    nets = [_settled(net, place) for net in (probe.generator, probe.discriminator)]
    return Players(nets[0], nets[1], noise, condition, real, held_out, game, place)


def _settled(net: Any, place: Place) -> Any:
    if net is None:
        return None
    if hasattr(net, "to"):
        net = net.to(place.name)
    if hasattr(net, "eval"):
        net.eval()
    return net


def _condition(given: Any, count: int, seed: int) -> tuple[Any, ...]:
    if given is None:
        return ()
    parts = given if isinstance(given, tuple) else (given,)
    return tuple(gathered(part, count, seed, "condition") for part in parts)


def _noise(latent: Any, count: int, seed: int) -> tuple[Any, ...]:
    """Noise from a generator of its own on the CPU: the same on every device."""
    if latent is None:
        return ()
    t = torch()
    if callable(latent) and not hasattr(latent, "shape"):
        made = latent(count)
        parts = made if isinstance(made, tuple) else (made,)
        return tuple(t.as_tensor(p).detach().cpu() for p in parts)
    if hasattr(latent, "shape"):
        return (t.as_tensor(latent).detach().cpu()[:count],)
    shape = tuple(latent) if isinstance(latent, list | tuple) else (latent,)
    sizes = [int(n) for n in shape if isinstance(n, int | float) and not isinstance(n, bool)]
    if len(sizes) != len(shape) or not all(n > 0 for n in sizes) or math.prod(sizes) > 1 << 24:
        raise UsageError(f"{latent!r} is no shape", "Probe(latent=)", "100, or (100, 1, 1)")
    own = t.Generator().manual_seed(seed)
    return (t.randn(count, *sizes, generator=own),)


def gives_probabilities(players: Players, batches: Batches) -> bool:
    """Whether all of D's scores lie in 0..1: logits of many examples never do."""
    if not players.game.logistic or players.real is None:
        return False
    t = torch()

    def both(size: int) -> Any:
        last = min(size, 32, players.count, len(players.real))
        with t.no_grad():
            fake = players.scores(players.samples(0, last), 0)
            return t.cat([fake, players.scores(players.place.there(players.real[:last]), 0)])

    found = batches.fitting(both)
    return bool(((found >= 0) & (found <= 1)).all())
