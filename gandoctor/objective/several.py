"""Of how many discriminators a loss is the sum, where those of each are not logged.

Vocoders and codecs judge a sound by many small D's and log the sum of their losses. What a sum says
of D is known once it is known of how many.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.lang.middle import quantile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gandoctor.model.signals import Signal
    from gandoctor.objective.game import Game

# Multi-period, multi-scale and multi-resolution discriminators, as HiFi-GAN, MelGAN, UnivNet and
# BigVGAN have them.
_BY_NAME: Final[Mapping[str, int]] = {"mpd": 5, "msd": 3, "mrd": 3}
_MOST: Final = 24
# One least-squares D, and what G loses to it, seldom go beyond that.
_ONE_AT_MOST: Final = 1.2
_NEAR: Final = 0.12


def summed_by_many(game: Game, network: str) -> tuple[int, str]:
    """How many least-squares D's are summed, and why; 1 where it is one, or nobody can tell.

    Parameters
    ----------
    game : Game
        Of one network.
    network : str
        Its name.
    """
    if game.d is None or max(_high(game.d), _high(game.g)) <= _ONE_AT_MOST:
        return 1, ""
    name = network.lower()
    if name in _BY_NAME:
        count = _BY_NAME[name]
        return count, f"the losses of {network} are sums over {count} D's, as usual by that name"
    adversarial = None if game.g_is_whole else game.g
    return _by_first_row(game.d, adversarial)


def _by_first_row(d: Signal, g: Signal | None) -> tuple[int, str]:
    """Untrained D's answer zero: each adds one to the loss of D, and one to that of G."""
    if g is None or not len(g) or d.steps[0] > 1 or g.steps[0] > 1:
        return 1, ""
    d0, g0 = float(d.values[0]), float(g.values[0])
    if not (np.isfinite(d0) and np.isfinite(g0)):
        return 1, ""
    count = round(d0)
    fits = abs(d0 - count) < _NEAR * count and abs(g0 - count) < _NEAR * count
    if not (2 <= count <= _MOST and fits):
        return 1, ""
    return count, f"the first losses are {d0:.3g} and {g0:.3g}: one of each untrained D, {count}"


def _high(signal: Signal | None) -> float:
    """What a signal reaches now and then; 0 where nothing was logged."""
    finite = signal.values[np.isfinite(signal.values)] if signal is not None else np.zeros(0)
    return float(quantile(finite, 0.9)) if finite.size else 0.0
