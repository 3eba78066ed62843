"""The whole run -> a number, for a signal of which one end is the better: how far it has come.

One state for all judges of quality, whatever their unit and whichever way is better: `state`
says whether what a judge measures still improves, holds, or has been lost.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from gandoctor.lang.functions.registry import Floats, Points, Registry, UndecidedError, interval_of
from gandoctor.lang.functions.series import crosses_zero, spread_of
from gandoctor.lang.functions.trends import FUNCTIONS as TRENDS
from gandoctor.lang.middle import median, quantile

IMPROVES: Final = 1.0
HOLDS: Final = 0.0
LOST: Final = -1.0
# Looks below which no state is told; a few more are compared by their medians alone.
FEWEST: Final = 6
_FEW: Final = 10
_FOR_A_TREND: Final = 12
# Rows of the running median, for fewer looks than that.
_WIDTHS: Final = ((1, _FEW), (3, 4 * _FEW), (5, np.inf))
# A judge that stopped so long (share of the run) before the end says nothing of the end.
_SILENT: Final = 0.2
# Still improving: so large a change of the second half, so steadily, and so near the best.
_CHANGE: Final = 0.015
_STEADY: Final = 0.2
_NEAR: Final = 0.5
# Lost: so much of what was gained, so far beyond the best, for so much of the run.
_OF_GAIN: Final = 0.3
_OF_LEVEL: Final = 0.1
_AGO: Final = 0.3
_NOISES: Final = 3.0  # steps from look to look

FUNCTIONS: Final = Registry()


class Course(NamedTuple):
    """Where a judge began, where it was best and where it is; lower is better.

    Attributes
    ----------
    early, best, late : float
        Medians over the first and last tenth (2 looks at least), and the lowest running median.
    best_step : float
        Step of the best level.
    size : float
        What a change is a share of: the early level, or the spread of a judge that crosses zero.
    """

    early: float
    best: float
    late: float
    best_step: float
    size: float


def course_of(x: Points) -> Course:
    """Levels of a judge of quality.

    Parameters
    ----------
    x : Points

    Raises
    ------
    UndecidedError
        Where fewer than six of its values are finite.
    """
    steps, values = _turned(x)
    count = len(values)
    first, last = float(steps[0]), float(steps[-1])
    least = 2 if count < _FEW else 3
    tenth = (last - first) / 10
    head = max(least, int(np.searchsorted(steps, first + tenth, side="right")))
    tail = max(least, count - int(np.searchsorted(steps, last - tenth, side="left")))
    calm = _running(values, next(w for w, most in _WIDTHS if count < most))
    at = int(calm.argmin())
    early = float(median(values[:head]))
    size = spread_of(values) if crosses_zero(values) else abs(early)
    return Course(early, float(calm[at]), float(median(values[-tail:])), float(steps[at]), size)


def state_of(x: Points, first: float, last: float) -> float:
    """1 where a judge of quality still improves, 0 where it holds, -1 where it has lost.

    Parameters
    ----------
    x : Points
    first, last : float
        The run's first and last step.

    Raises
    ------
    UndecidedError
        Where fewer than six values are finite, or the judge stopped long before the end.
    """
    steps, values = _turned(x)
    # What is looked at rarely has its last look before the end.
    if steps[-1] < last - max(_SILENT * (last - first), 1.5 * interval_of(steps)):
        raise UndecidedError("it was looked at last long before the end")
    course = course_of(x)
    half = int(np.searchsorted(steps, first + (last - first) / 2, side="left"))
    if _improves(Points(steps[half:], values[half:]), float(values.min())):
        return IMPROVES
    gained = max(course.early - course.best, _OF_LEVEL * course.size)
    away = course.late - course.best
    ago = (last - course.best_step) / (last - first) if last > first else 0.0
    noise = float(median(np.abs(np.diff(values))))
    level = _OF_LEVEL * _level(course, values)
    far = away > max(_OF_GAIN * gained, level, _NOISES * noise)
    # Nine of ten looks of the last third: no single bad one, and no noise that was lucky once.
    third = values[int(np.searchsorted(steps, last - (last - first) / 3, side="left")) :]
    stays = third.size > 1 and float(quantile(third, 0.1)) > course.best + away / 3
    return LOST if far and stays and ago > _AGO else HOLDS


def _level(course: Course, values: Floats) -> float:
    """What a loss is a share of: the best level, or the spread where it crosses zero."""
    return course.size if crosses_zero(values) else abs(course.best)


def _improves(half: Points, best: float) -> bool:
    """Whether the second half of a judge went on falling, and ends near its best."""
    values = half.values
    count = len(values)
    if count < 3:
        return False
    if values[-1] >= best + _NEAR * abs(best):
        return False
    if count < 5:
        before, after = float(median(values[:2])), float(median(values[-2:]))
        return after < before - 2 * _CHANGE * abs(before)
    try:
        change = _call("change", half)
    except UndecidedError:
        return False
    return change < -_CHANGE and (count < _FOR_A_TREND or _call("trend", half) < -_STEADY)


def _call(name: str, x: Points) -> float:
    call = TRENDS[name].call
    assert call is not None  # noqa: S101 - a reducer has one
    return float(call(x))


def _turned(x: Points) -> tuple[np.ndarray, Floats]:
    """Steps and values of the finite rows, lower is better."""
    finite = np.isfinite(x.values)
    if int(finite.sum()) < FEWEST:
        raise UndecidedError(f"fewer than {FEWEST} looks at it have a number")
    return x.steps[finite], (-x.values if x.higher else x.values)[finite]


def _running(values: Floats, width: int) -> Floats:
    """Running medians; at either end those of the rows that are there."""
    if width == 1:
        return values
    reach = width // 2
    padded = np.concatenate((values[:reach][::-1], values, values[-reach:][::-1]))
    windows = np.lib.stride_tricks.sliding_window_view(padded, width)
    return np.asarray(median(windows, axis=1), dtype=np.float64)


@FUNCTIONS.of_run("state(x)", "1, 0 or -1", least=FEWEST)
def _state(x: Points, first: float, last: float) -> float:
    """Where a judge of quality stands, whichever way is better: 1 improving, 0 holding, -1 lost.

    Improving: over the second half it changed for the better by more than 1.5 %, most of the way
    where there are looks enough to tell (rank trend 0.2), and it ends near its best. Lost: its best
    level lies more than 30 % of the run back, and 30 % of what had been gained by then, a tenth
    of that level, and three times what is usual from one look to the next, are gone for good.
    """
    return state_of(x, first, last)


@FUNCTIONS.of_run("gain(x)", "times", least=FEWEST)
def _gain(x: Points, first: float, last: float) -> float:
    """How much better the run's late level of x is than its early one, over the size of that.

    0.5 where FID was halved, 0 where nothing was gained, below 0 where it got worse.
    """
    course = course_of(x)
    if not course.size > 0:
        raise UndecidedError("its early level is zero, a gain has no scale")
    return (course.early - course.late) / course.size


@FUNCTIONS.of_run("lost(x)", "share", least=FEWEST)
def _lost(x: Points, first: float, last: float) -> float:
    """Share of what x had gained by its best level that is lost again at the end.

    A gain of less than a tenth of the early level counts as a tenth of it.
    """
    course = course_of(x)
    gained = max(course.early - course.best, _OF_LEVEL * course.size)
    if not gained > 0:
        raise UndecidedError("nothing was gained that could be lost")
    return max(0.0, (course.late - course.best) / gained)
