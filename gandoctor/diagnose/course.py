"""How a run went, stretch by stretch: where D's loss changed for good, and where it lay between."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.diagnose.wording import number_shown, percent
from gandoctor.lang.middle import median
from gandoctor.lang.regimes import changes
from gandoctor.model.report import Stretch

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gandoctor.lang.frame import Frame

# Where D's loss lies, over its chance level: it has won, leads, only guesses, or does worse than
# that.
WON: Final = 0.1
LEADS: Final = 0.9
GUESSES: Final = 1.1
# Rows of a stretch that are equal to the row before, from which on the loss stands still.
STILL: Final = 0.9
# Rows that are not finite, from which on a stretch is lost.
LOST: Final = 0.5


def course(frame: Frame) -> tuple[Stretch, ...]:
    """Stretches of a run between which D's loss changed for good.

    Parameters
    ----------
    frame : Frame

    Returns
    -------
    tuple of Stretch
        In order; empty where the run is of one piece, or D's loss was not logged.
    """
    series = frame.series.get("d_loss")
    if series is None or not series.steps.size:
        return ()
    steps, values = series.steps, series.values
    finite = np.isfinite(values)
    rows = np.flatnonzero(finite)
    starts = [int(rows[at]) for at in changes(values[finite])]
    gone = _gone(finite)
    if gone is not None:
        starts = [at for at in starts if at < gone] + [gone]
    if not starts:
        return ()
    chance = frame.numbers.get("chance_d")
    level = chance if isinstance(chance, float) and chance > 0 else None
    edges = (0, *starts, values.size)
    return tuple(
        Stretch(int(steps[a]), int(steps[b - 1]), _said(values[a:b], level))
        for a, b in pairwise(edges)
        if b > a
    )


def _gone(finite: NDArray[np.bool_]) -> int | None:
    """The row from which on no value is finite any more; None where the last one is."""
    if finite[-1] or not finite.any():
        return None
    return int(np.flatnonzero(finite)[-1]) + 1


def _said(values: NDArray[np.float64], chance: float | None) -> str:
    finite = values[np.isfinite(values)]
    if finite.size < LOST * values.size:
        return "D's loss is not a number"
    if finite.size > 1 and (finite[1:] == finite[:-1]).mean() >= STILL:
        return f"D's loss stands still at {number_shown(float(median(finite)))}"
    level = float(median(finite))
    if chance is None:
        return f"D's loss lies around {number_shown(level)}"
    share = level / chance
    if share < WON:
        return f"D has won: its loss lies at {_of_chance(share)}"
    if share < LEADS:
        return f"D leads: its loss lies at {_of_chance(share)}"
    if share <= GUESSES:
        return "D only guesses: its loss lies at chance"
    return f"D does worse than guessing: its loss is {share:.3g} times its chance level"


def _of_chance(share: float) -> str:
    return f"{percent(share)} of chance" if share >= 0.01 else "under 1 % of chance"
