"""Every function a rule may call, each with what it does, its unit and how many points it needs.

Five ways to work, named in `Function.how`:

``point``   value by value, on series and numbers alike (``abs``, ``log``)
``series``  the whole signal -> a series of the same length, cut to the window afterwards
            (``smooth``, ``best``)
``reduce``  the part of the signal inside the window -> one number or truth (``median``, ``trend``)
``whole``   the whole signal, whatever the window -> one number (``early``, ``since_best``)
``ask``     about a name, not about its values (``logged``, ``fired``)

``pair`` is ``reduce`` for two series on common steps. An unforeseen condition is one more function
in a module here, no more.
"""

from __future__ import annotations

from typing import Final

from gandoctor.lang.functions import judged, levels, series, trends, whole
from gandoctor.lang.functions.judged import state_of
from gandoctor.lang.functions.levels import rounding_of
from gandoctor.lang.functions.registry import (
    Function,
    Points,
    UndecidedError,
    cells,
    interval_of,
    quantile_of,
)
from gandoctor.lang.functions.whole import best_step, regime_step

__all__ = [
    "FUNCTIONS",
    "Function",
    "Points",
    "UndecidedError",
    "best_step",
    "cells",
    "interval_of",
    "quantile_of",
    "regime_step",
    "rounding_of",
    "state_of",
]

FUNCTIONS: Final[dict[str, Function]] = {
    **series.FUNCTIONS,
    **levels.FUNCTIONS,
    **trends.FUNCTIONS,
    **whole.FUNCTIONS,
    **judged.FUNCTIONS,
}
