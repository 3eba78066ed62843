"""Healthy or failed: by measurements alone, against what fault-free runs of the data set reach.

The symptoms of a failed run follow by the same conditions as in the tiny zoo.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import yaml

from benchmarks.zoo import measure
from benchmarks.zoo.networks import REACH
from benchmarks.zoo.pictures.measure import PictureMoment

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.zoo.pictures.data import Pictures
    from benchmarks.zoo.pictures.records import Record

BARS: Final = Path(__file__).parent / "bars.yaml"
LAST: Final = 4  # moments that a run's end is the median of
LATELY: Final = 5  # among them hardly any may be bad
# Whatever others reach: samples of fewer classes than these shares are not good, or they are bad.
COVERED_AT_LEAST: Final = (0.6, 0.25)
KEYS: Final = ("covered", "quality", "recall", "frechet", "error")


@dataclass(frozen=True)
class PictureBar(measure.Bar):
    """What counts as good and as bad on one data set in one kind of task.

    Attributes
    ----------
    recall : (float, float)
        Good at or above, bad at or below.
    error : (float, float)
        Distance to the target: good at or below, bad at or above; infinite where there is none.
    """

    recall: tuple[float, float] = (0.0, -1.0)
    error: tuple[float, float] = (math.inf, math.inf)

    def state(self, m: measure.Moment) -> int:
        """1 good, -1 bad, 0 between."""
        assert isinstance(m, PictureMoment)
        of_base = super().state(m)
        error = 0.0 if math.isnan(m.error) else m.error
        if of_base < 0 or m.recall <= self.recall[1] or error >= self.error[1]:
            return -1
        return int(of_base > 0 and m.recall >= self.recall[0] and error <= self.error[0])


def bar(reached: dict[str, float]) -> PictureBar:
    """The bar from what fault-free runs reach at their end, in the median; classes have a floor."""
    frechet = reached["frechet"]
    error = reached.get("error", math.nan)
    return PictureBar(
        covered=(
            max(0.65 * reached["covered"], COVERED_AT_LEAST[0]),
            max(0.4 * reached["covered"], COVERED_AT_LEAST[1]),
        ),
        quality=(0.5 * reached["quality"], 0.2 * reached["quality"]),
        frechet=(max(1.8 * frechet, frechet + 0.06), max(3.0 * frechet, frechet + 0.15)),
        recall=(0.4 * reached["recall"], 0.1 * reached["recall"]),
        error=(math.inf, math.inf) if math.isnan(error) else (1.6 * error, 2.5 * error),
    )


def reached(records: Iterable[Record]) -> dict[str, dict[str, dict[str, float]]]:
    """What fault-free runs reach, varied ones among them: data set -> task -> measure -> median."""
    ends: dict[tuple[str, str], list[measure.Moment]] = {}
    for record in records:
        if record.about["role"] in ("base", "variant") and record.moments:
            at = (record.settings["data.name"], record.settings["task"])
            ends.setdefault(at, []).append(measure.median(moments(record)[-LAST:]))
    found: dict[str, dict[str, dict[str, float]]] = {}
    for (data, task), last in sorted(ends.items()):
        values = {k: float(np.nanmedian([getattr(m, k) for m in last])) for k in KEYS[:4]}
        errors = [m.error for m in last if isinstance(m, PictureMoment)]  # a target, or none
        if not all(map(math.isnan, errors)):
            values["error"] = float(np.nanmedian(errors))
        found.setdefault(data, {})[task] = {k: float(f"{v:.4g}") for k, v in values.items()}
    return found


def moments(record: Record) -> list[PictureMoment]:
    """A record's measurements."""
    return [PictureMoment(**row) for row in record.moments]


def judge(record: Record, data: Pictures, bars: dict[str, Any] | None = None) -> measure.Truth:
    """The truth about a run.

    Parameters
    ----------
    record : Record
    data : Pictures
        Only to know which values G's output cannot take.
    bars : dict, optional
        As of `reached`; those of ``bars.yaml`` without it.
    """
    c = record.settings
    bars = bars or yaml.safe_load(BARS.read_text("utf-8"))
    losses = np.stack([record.series[k] for k in ("d_loss", "g_loss")])
    finite = np.isfinite(losses)
    broken = np.flatnonzero(~finite.all(axis=0))
    return measure.conclude(
        moments(record),
        bar(bars[c["data.name"]][c["task"]]),
        _out_of_reach(c, data),
        loss_size=float(np.abs(losses[finite]).max()) if finite.any() else math.inf,
        nan_step=int(broken[0]) + 1 if broken.size else None,
        last=LAST,
        lately=LATELY,
    )


def _out_of_reach(c: dict[str, Any], data: Pictures) -> float:
    """Share of held-out values over a tenth of their range outside what G's output can reach."""
    low, high = REACH.get(c["generator.output"], (-np.inf, np.inf))
    span = c["data.high"] - c["data.low"]
    x = c["data.low"] + data.held_out / 255 * span
    return float(((x < low - 0.1 * span) | (x > high + 0.1 * span)).mean())
