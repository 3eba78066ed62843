"""Losses that are printed as a list: which place is which."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.lexicon.players import any_of
from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from gandoctor.model.signals import Signal
    from gandoctor.parsers.printed.counters import Series

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


# VITS prints a list without names; so-vits-svc has no duration loss, and prints loss_lf0 where
# there is a sixth.
_VITS: Final = ("loss_disc", "loss_gen", "loss_fm", "loss_mel", "loss_dur", "loss_kl")

_LIST_ITEM: Final = late_pattern(r"(losses|损失)\[(\d+)\]", re.IGNORECASE)

_SO_VITS: Final = ("loss_disc", "loss_gen", "loss_fm", "loss_mel", "loss_kl", "loss_lf0")


def halves_named(series: Series) -> Series:
    """``dr[0.6,0.9], df[0.7,0.8], g[1.2,0.1]``.

    Where a pair is D's on one half of the data, it is no pair of networks.

    A list names its loss first; what follows is an accuracy where it is a share throughout, else a
    further part.
    """
    tags = {tag for tag, _ in series}
    pairs = {
        t[:-3]
        for t in tags
        if t.endswith("[1]") and f"{t[:-3]}[0]" in tags and f"{t[:-3]}[2]" not in tags
    }
    half, other = _half_of_d(), _other_player()
    if not any(half.fullmatch(base) for base in pairs):
        return series
    pairs = {b for b in pairs - tags if half.fullmatch(b) or other.fullmatch(b)}
    named: Series = {}
    for (tag, split), track in series.items():
        base = tag[:-3]
        if base in pairs:
            first = series.get((f"{base}[0]", split), track)
            what = "acc" if _is_accuracy(first.values, track.values) else "further"
            tag = f"{base} {what}" if tag.endswith("[1]") else base  # noqa: PLW2901
        named[tag, split] = track
    return named


def _is_accuracy(loss: Floats, values: Floats) -> bool:
    """Whether what stands behind a loss is an accuracy.

    A share throughout, which does not rise with the loss.

    Where the loss stays below 1 as well, it has to fall as the loss rises: two losses may both be
    that small.
    """
    sound = (
        np.isfinite(values) & np.isfinite(loss)
        if len(loss) == len(values)
        else np.zeros(len(values), dtype=bool)
    )
    loss, values = loss[sound], values[sound] if sound.any() else values
    if not len(loss) or float(values.min()) < 0 or float(values.max()) > 1:
        return False
    moves = float(np.ptp(loss)) > 0 and float(np.ptp(values)) > 0
    together = float(np.corrcoef(loss, values)[0, 1]) if moves else 0.0
    return together < (0.2 if float(loss.max()) > 1 else -0.2)


def vits_places(tags: Iterable[str]) -> dict[str, list[int]]:
    """By the name of a list, the places in it that have a tag, ascending."""
    found: dict[str, list[int]] = {}
    for tag in tags:
        if m := _LIST_ITEM.fullmatch(tag):
            found.setdefault(m[1], []).append(int(m[2]))
    return {name: sorted(places) for name, places in found.items()}


def named_by_vits(signal: Signal, places_of: Mapping[str, Sequence[int]]) -> Signal:
    """``losses[0]/loss_disc``: the place in the list, and the name that VITS' code gives it."""
    found = _LIST_ITEM.fullmatch(signal.tag)
    if not found:
        return signal
    places = places_of[found[1]]
    # The nameless list ends with the step, which is a counter and no series, and the learning rate.
    nameless = len(places) != places[-1] + 1
    losses = places[:-1] if nameless else places
    order = _VITS if nameless and len(losses) == len(_VITS) else _SO_VITS
    at = int(found[2])
    if nameless and at == places[-1]:
        return replace(signal, tag=f"{signal.tag}/lr")
    return replace(signal, tag=f"{signal.tag}/{order[at]}") if at < len(order) else signal


@cache
def _half_of_d() -> re.Pattern[str]:
    """``d_loss_real``, ``critic fake``, ``dr``."""
    side = r"[ _]?(?:loss[ _])?(?:real|fake)(?:[ _]loss)?"
    return late_pattern(rf"[dc][rf]|(?:c|{any_of('D')}){side}", re.IGNORECASE)


@cache
def _other_player() -> re.Pattern[str]:
    return late_pattern(rf"(?:{any_of('G')}|gan)(?:[ _]loss)?", re.IGNORECASE)
