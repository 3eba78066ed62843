"""Rows of a loss that stand alone: a hundred times what is around them, and back again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.lang.middle import median

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from gandoctor.model.signals import Signal

    Floats = NDArray[np.float64]

_TIMES: Final = 100.0
_AROUND: Final = 5  # rows on each side
_LEAST: Final = 3  # of them: at either end of a log a value may begin or end something
_LONGEST: Final = 2  # rows in succession; more are no outlier
_MOST: Final = 1_000  # rows that may be one; of more, none stands alone
_SAMPLE: Final = 4_096  # rows that tell the usual size


def said_of(signals: Iterable[Signal]) -> list[str]:
    """One sentence for the outliers of all series, none where there are none.

    Parameters
    ----------
    signals : iterable of Signal
        The losses.
    """
    found: dict[int, list[str]] = {}
    for signal in signals:
        for at in outliers(signal.values):
            value = f"{signal.tag} is {signal.values[at]:.4g}"
            found.setdefault(int(signal.steps[at]), []).append(value)
    if not found:
        return []
    first = min(found)
    many = f"{len(found):,} outliers, the first" if len(found) > 1 else "one outlier"
    more = f" and {len(found[first]) - 3} more" if len(found[first]) > 3 else ""
    there = ", ".join(found[first][:3]) + more
    return [f"{many} at step {first:,}: {there}, over {_TIMES:.0f} times all rows around it"]


def outliers(values: Floats) -> list[int]:
    """Rows that are `_TIMES` larger than all others near them, one or two in succession.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)

    Returns
    -------
    list of int
        Ascending.
    """
    sample = values[:: max(1, len(values) // _SAMPLE)]
    sample = np.abs(sample[np.isfinite(sample)])
    if len(sample) < 2 * _LEAST:
        return []
    bar = min(_TIMES * float(median(sample)), np.finfo(np.float64).max)
    if not bar:
        return []  # mostly zeros: what is not is an event, no measure of size is left
    large = np.flatnonzero((np.abs(values) > bar) & np.isfinite(values))
    if not len(large) or len(large) > _MOST:
        return []
    found: list[int] = []
    for group in np.split(large, np.flatnonzero(np.diff(large) > 1) + 1):
        first, last = int(group[0]), int(group[-1])
        before, after = values[max(0, first - _AROUND) : first], values[last + 1 :][:_AROUND]
        if len(group) > _LONGEST or min(len(before), len(after)) < _LEAST:
            continue
        # What is not finite is no row to compare with: it is told as such.
        around = float(np.abs(np.concatenate([before, after])).max())
        if around * _TIMES < float(np.abs(values[group]).min()):
            found += group.tolist()
    return found
