"""Samples that were drawn from a checkpoint's generator: the same signals as of logged ones."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gandoctor.samples import fidelity, gathering, load, variety

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from gandoctor.model.checkpoints import Drawn
    from gandoctor.model.signals import Signal
    from gandoctor.samples.load import Batch

# Signals that mean nothing where what is behind the last batch norm is not proved.
_OF_RANGE: Final = ("sample_min", "sample_max", "sample_saturated")
_BELOW: Final = -0.05  # a sample with such a value has black at -1


@np.errstate(all="ignore")
def signals_of(
    drawn: Sequence[Drawn], real: Batch | None, last_step: int
) -> tuple[list[Signal], list[Drawn], list[str]]:
    """Signals of drawn samples, one series a network.

    Of a generator that may have been built in several ways the one is taken whose samples lie
    nearest the real data: what is said against them then holds of every way. Without real data
    such a generator says nothing.

    Parameters
    ----------
    drawn : sequence of Drawn
    real : Batch or None
    last_step : int
        Step of samples whose own is unknown.

    Returns
    -------
    signals : list of Signal
    chosen : list of Drawn
        One for each step and network.
    notes : list of str
    """
    by_place: dict[tuple[str, int], list[Drawn]] = {}
    for d in drawn:
        step = last_step if d.step is None else d.step
        by_place.setdefault((d.network, step), []).append(d)
    batches: dict[str, dict[int, Batch]] = {}
    chosen: list[Drawn] = []
    notes: list[str] = []
    for (network, step), ways in sorted(by_place.items()):
        fitted = [(w, _batch(w, real)) for w in ways]
        best, batch = _nearest(fitted, real)
        chosen.append(best)
        fits = real is not None and batch.values.shape[1] == real.values.shape[1]
        if real is not None and not fits:
            notes.append(
                f"samples drawn from {best.path} have {batch.values.shape[1]:,} values, the real "
                f"data {real.values.shape[1]:,}: they were not compared"
            )
        if best.proved or (fits and math.isfinite(_distance(batch, real))):
            batches.setdefault(network, {})[step] = batch
    signals: list[Signal] = []
    for network, by_step in batches.items():
        signals += _of_one(network, by_step, real)
    return signals, chosen, notes


def as_given(one: Drawn, picture: tuple[int, int, int] | None) -> Drawn:
    """Samples as pictures, where flat ones have as many values as the pictures of the data."""
    if picture is None or one.values.ndim != 2 or one.values.shape[1] != math.prod(picture):
        return one
    return replace(one, values=one.values.reshape(len(one.values), *picture))


def as_drawn(real: Batch | None, one: Drawn) -> NDArray[np.float32] | None:
    """Real data in the shape and in the units of drawn samples; None where they do not fit."""
    shape = one.values.shape[1:]
    if real is None or real.values.shape[1] != math.prod(shape):
        return None
    values = real.values.astype(np.float32)
    if len(shape) == 3:
        channels, high, wide = shape
        values = np.moveaxis(values.reshape(-1, high, wide, channels), 3, 1)
        if real.told is not None and float(np.nanmin(one.values)) < _BELOW:
            values = values * 2 - 1
    return values


def _of_one(network: str, by_step: Mapping[int, Batch], real: Batch | None) -> list[Signal]:
    widths = {b.values.shape[1] for b in by_step.values()}
    if len(widths) > 1:
        return []
    fits = real is not None and real.values.shape[1] in widths
    found = gathering.Gathered(dict(by_step), real if fits else None, 0, None)
    made = variety.signals_of("checkpoints", network, found)
    kept = []
    for s in made:
        # Without the real data a variance is relative to the run's own most varied step.
        alone = not fits and s.role == "sample_variance"
        if s.role in _OF_RANGE or s.role == "sample_stale" or alone:
            continue
        tag = s.tag.replace("samples/", "drawn/", 1)
        because = s.because.replace("measured on", "drawn from the generator in", 1)
        kept.append(replace(s, tag=tag, because=because, rank=1))
    return kept


def _nearest(ways: Sequence[tuple[Drawn, Batch]], real: Batch | None) -> tuple[Drawn, Batch]:
    """The way whose samples lie nearest the real data; the likeliest where there is none."""
    if real is None or len(ways) == 1:
        return ways[0]
    return min(ways, key=lambda w: _or_far(_distance(w[1], real)))


def _or_far(distance: float) -> float:
    return distance if math.isfinite(distance) else math.inf


def _distance(batch: Batch, real: Batch | None) -> float:
    if real is None or batch.values.shape[1] != real.values.shape[1]:
        return math.nan
    return fidelity.against(batch.values, real.values).distance


def _batch(one: Drawn, real: Batch | None) -> Batch:
    """The samples of one way, in the units of the real data."""
    values: NDArray[Any] = one.values
    eight = None
    if values.ndim == 4:
        low = -1.0 if float(np.nanmin(values)) < _BELOW else 0.0
        unit = np.clip((np.nan_to_num(values) - low) / (1 - low), 0, 1)
        eight = np.moveaxis((unit * 255).round().astype(np.uint8), 1, 3)
        of_pictures = real is not None and real.told is not None
        if of_pictures:  # read from eight bits, they are in 0..1
            values = unit
    return load.drawn(values, eight)
