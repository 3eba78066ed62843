"""Whether two series are one: the same values, a copy, or another format's view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.lang.middle import median, quantile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gandoctor.model.signals import Signal


_ALIKE: Final = 0.95

_CLOSE: Final = 2e-5  # relative: values that were cut to float32 and rounded are still equal

_FINEST: Final = 5  # decimals
_COARSEST: Final = 0.01  # more coarsely nobody rounds

ENOUGH: Final = 8


def are_alike(pairs: Sequence[tuple[Signal, Signal]]) -> bool:
    """Whether two series each have the same values on nearly all steps that they have in common."""
    common = [
        (one.values[i], two.values[j])
        for one, two in pairs
        for i, j in [_common_steps(one, two)]
        if i.size
    ]
    if not common:
        return False
    # Most pairs of runs are told apart without a look at the decimals, which takes longer.
    if np.mean([_near(one, two, _COARSEST).mean() for one, two in common]) < _ALIKE:
        return False
    return bool(np.mean([_equal(one, two).mean() for one, two in common]) >= _ALIKE)


def _common_steps(one: Signal, two: Signal) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Positions of the steps that both series have."""
    if np.array_equal(one.steps, two.steps):
        everywhere = np.arange(len(one))
        return everywhere, everywhere
    _, i, j = np.intersect1d(one.steps, two.steps, return_indices=True)
    return i, j


def _equal(one: NDArray[np.float64], two: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Equal up to float32 and up to the decimals that the coarser of the two was printed with."""
    if np.array_equal(one, two):
        return np.ones(len(one), dtype=bool)
    return _near(one, two, max(_grain(one), _grain(two)))


def _near(one: NDArray[np.float64], two: NDArray[np.float64], grain: float) -> NDArray[np.bool_]:
    near = np.abs(one - two) <= _CLOSE * np.maximum(np.abs(one), np.abs(two)) + 0.51 * grain
    alike: NDArray[np.bool_] = near | (one == two) | (np.isnan(one) & np.isnan(two))
    return alike


def _grain(values: NDArray[np.float64]) -> float:
    """The last decimal that a series was rounded to, 0.001 say; 0 where it was not."""
    finite = values[np.isfinite(values)][:200]
    if not finite.size:
        return 0.0
    slip = 1e-9 * np.maximum(1.0, np.abs(finite))

    def fits(k: int) -> bool:
        return bool((np.abs(finite - np.round(finite, k)) <= slip).all())

    # The finest first, which most series do not even fit.
    if not fits(_FINEST) or np.array_equal(finite, np.round(finite)):
        return 0.0
    return float(10.0 ** -next(k for k in range(2, _FINEST + 1) if fits(k)))


def is_copy(one: Signal, two: Signal) -> bool:
    """The same varying values, step by step or (where steps are counted otherwise) in order."""
    if min(len(one), len(two)) < ENOUGH or not _may_be_copied(one, two):
        return False
    i, j = _common_steps(one, two)
    if i.size >= max(ENOUGH, 0.9 * min(len(one), len(two))):
        a, b = one.values[i], two.values[j]
    elif len(one) == len(two):
        a, b = one.values, two.values
    else:
        return False
    finite = np.isfinite(a) & np.isfinite(b)
    if finite.sum() < ENOUGH:
        return False
    # Norms that are clipped to one value agree as closely as copies do, and are none.
    forgiven = max(_grain(a), _grain(b), 1e-9, _CLOSE * float(median(np.abs(a[finite]))))
    if min(np.ptp(a[finite]), np.ptp(b[finite])) <= 20 * forgiven:
        return False
    return bool(np.mean(_equal(a, b)) >= 0.99)


def _may_be_copied(one: Signal, two: Signal) -> bool:
    """A glimpse at a few points: most pairs of series are told apart here."""
    short, long = (one, two) if len(one) <= len(two) else (two, one)
    some_of_them = np.linspace(0, len(short) - 1, 16).astype(np.int64)
    there = np.minimum(np.searchsorted(long.steps, short.steps[some_of_them]), len(long) - 1)
    if (long.steps[there] != short.steps[some_of_them]).mean() > 0.2:
        if len(one) != len(two):
            return False
        there = some_of_them
    return bool(np.mean(_equal(short.values[some_of_them], long.values[there])) > 0.6)


def of_one_level(one: Signal, two: Signal) -> bool:
    """Whether two series may show one quantity: ``D_real`` is a loss here and a score there."""
    a, b = (s.values[np.isfinite(s.values)] for s in (one, two))
    if not a.size or not b.size:
        return True
    apart = abs(float(median(a) - median(b)))
    spread = max(float(np.ptp(quantile(v, (0.1, 0.9)))) for v in (a, b))
    return apart <= 0.5 * spread + 0.1 * max(abs(float(median(a))), abs(float(median(b))))
