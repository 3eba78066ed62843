"""What one step of the axis is: an iteration, an epoch, a thousand images."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.lang.middle import distinct, median
from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gandoctor.model.signals import Setting, Signal, StepUnit

_EPOCHS: Final = late_pattern(
    r"(?i)(?:^|[._-])(?:n_?|num_?|max_?|nb_?|total_?|training_?|train_?)?epochs?(?:_?num|s)?$"
)
_ITERS: Final = late_pattern(
    r"(?i)(?:^|[._-])(?:n_?|num_?|max_?|total_?|train_?|training_?)*(?:steps?|iters?|iterations?|"
    r"niter)$"
)


def step_unit(
    signals: Sequence[Signal], settings: Sequence[Setting], said: StepUnit = "unknown"
) -> StepUnit:
    """Understand the step axis.

    Parameters
    ----------
    signals : sequence of Signal
    settings : sequence of Setting
        Raw settings of the run.
    said : str
        What the file itself says.

    Returns
    -------
    str
        ``iterations``, ``epochs``, ``kimg`` or ``unknown``. An axis without gaps that ends where
        the planned epochs end counts epochs; one that reaches the planned steps, or has gaps, or is
        longer than any run of epochs, counts iterations.
    """
    if said != "unknown":
        return said
    longest = max((s for s in signals if len(s)), key=len, default=None)
    if longest is None:
        return "unknown"
    last = int(longest.steps[-1])
    epochs, steps = _planned(settings, _EPOCHS), _planned(settings, _ITERS)
    gaps = np.diff(distinct(longest.steps))
    dense = bool(gaps.size) and int(median(gaps)) == 1
    if steps and last > 0.05 * steps and (not epochs or last > 1.5 * epochs):
        return "iterations"
    if epochs and dense and last <= epochs + 1:
        return "epochs"
    if last > 5000 or (gaps.size and not dense):
        return "iterations"
    return "unknown"


def _planned(settings: Sequence[Setting], key: re.Pattern[str]) -> float:
    for s in settings:
        if (
            key.search(s.key.rpartition(".")[2])
            and isinstance(s.value, int | float)
            and not isinstance(s.value, bool)
            and s.value > 1
        ):
            return float(s.value)
    return 0.0
