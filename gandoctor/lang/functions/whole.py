"""The whole run -> a number, whatever the window; and questions about names."""

from __future__ import annotations

from typing import Final

import numpy as np

from gandoctor.lang.functions.levels import rounding_of
from gandoctor.lang.functions.registry import Points, Registry, UndecidedError
from gandoctor.lang.middle import median
from gandoctor.lang.regimes import changes

# Share of the run that its "early" and "late" medians are taken over.
EARLY: Final = 0.1
FEWEST_BEFORE: Final = 5

FUNCTIONS: Final = Registry()


@FUNCTIONS.of_run("early(x)", least=10)
def _early(x: Points, first: float, last: float) -> float:
    """The run's own early level.

    The median over its first tenth (3 points at least), whatever the window.
    """
    rows = max(3, int(np.searchsorted(x.steps, first + EARLY * (last - first), side="right")))
    return float(median(x.values[:rows]))


@FUNCTIONS.of_run("late(x)", least=10)
def _late(x: Points, first: float, last: float) -> float:
    """The run's own late level.

    The median over its last tenth (3 points at least), whatever the window.
    """
    rows = len(x) - int(np.searchsorted(x.steps, last - EARLY * (last - first), side="left"))
    return float(median(x.values[-max(3, rows) :]))


@FUNCTIONS.of_run("before(x)")
def _before(x: Points, first: float, last: float) -> float:
    """The level of x when D joined, where the log begins before that.

    The median over the last fifth of the rows from before (5 points at least).
    """
    rows = int(np.searchsorted(x.steps, first, side="left"))
    if rows < FEWEST_BEFORE:
        raise UndecidedError("the log has too few rows from before D joined")
    return float(median(x.values[max(0, rows - max(FEWEST_BEFORE, rows // 5)) : rows]))


@FUNCTIONS.of_run("grain(x)", least=5)
def _grain(x: Points, first: float, last: float) -> float:
    """Width of the rounding in the log.

    0.1 where one decimal was printed, 0 where there are six or more, or none.

    Read off the values of the whole run. Where hardly any row differs from the one before, nothing
    was seen to be rounded, and the answer is 0.
    """
    return rounding_of(x.values)


@FUNCTIONS.of_run("argbest_step(x)", "steps")
def _argbest_step(x: Points, first: float, last: float) -> float:
    """The step at which the run's best value stands, the first one where several are equal."""
    return float(best_step(x))


@FUNCTIONS.of_run("since_best(x)", "share of the run")
def _since_best(x: Points, first: float, last: float) -> float:
    """Share of the run that was spent after the best value of x."""
    return max(0.0, last - best_step(x)) / (last - first) if last > first else 0.0


@FUNCTIONS.of_run("since_regime(x)", "share of the run", least=40)
def _since_regime(x: Points, first: float, last: float) -> float:
    """Share of the run that the last regime of x fills.

    From where its level or its width changed for good.

    1 where it is of one piece.
    """
    return (last - max(first, regime_step(x))) / (last - first) if last > first else 1.0


def regime_step(x: Points) -> float:
    """Step at which the last regime of a signal begins; minus infinity where it is of one piece."""
    finite = np.isfinite(x.values)
    found = changes(x.values[finite])
    return float(x.steps[finite][found[-1]]) if found else -np.inf


def best_step(x: Points) -> int:
    """Step of the best finite value, the first of equal ones.

    Raises
    ------
    UndecidedError
        Where no value is finite.
    """
    finite = np.isfinite(x.values)
    if not finite.any():
        raise UndecidedError("no value is finite, so none is the best")
    sign = -1.0 if x.higher else 1.0
    return int(x.steps[np.where(finite, sign * x.values, np.inf).argmin()])


@FUNCTIONS.enter("logged(name)", "ask", "truth", "any name", "yes or no")
def _logged() -> None:
    """Whether a signal was logged, or a setting or fact is known.

    The one function that answers about absence.
    """


@FUNCTIONS.enter("is_text(name)", "ask", "truth", "setting", "yes or no")
def _is_text() -> None:
    """Whether a setting that should be a number was read as text (``5e-5`` in YAML)."""


@FUNCTIONS.enter("fired(name)", "ask", "truth", "flag", "yes or no")
def _fired() -> None:
    """Whether a symptom was found, or a rule fired; write its dashes as underscores."""
