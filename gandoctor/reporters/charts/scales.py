"""Axes of values: linear, logarithmic or logarithmic both ways, and round numbers on them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from gandoctor.lang.middle import quantile
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

LARGEST: Final = 1e120  # a double can hold more, but not the ratio of two such
SMALLEST: Final = 1e-120
Kind = Literal["linear", "log", "symlog"]


@dataclass(frozen=True, slots=True)
class Scale:
    """A value axis: `low` is drawn at 0 and `high` at 1.

    Attributes
    ----------
    kind : str
        ``linear``, ``log`` or ``symlog`` (logarithmic both ways from `knee`, linear below it).
    low, high : float
        Ends of the axis, as values.
    knee : float
        Where a symmetric logarithm turns linear.
    """

    kind: Kind
    low: float
    high: float
    knee: float = 1.0

    def place(self, values: Array) -> Array:
        """Where on the axis: 0 at `low`, 1 at `high`; shape (n,) in and out.

        What lies outside is put on the edge. NaN stays.
        """
        low, high = self._bent(np.array([self.low, self.high]))
        placed: Array = np.clip((self._bent(values) - low) / (high - low), 0.0, 1.0)
        return placed

    def _bent(self, values: Array) -> Array:
        if self.kind == "log":
            return np.asarray(np.log10(np.maximum(values, self.low)), dtype=np.float64)
        if self.kind == "symlog":
            return np.asarray(
                np.sign(values) * np.log10(1 + np.abs(values) / self.knee), dtype=np.float64
            )
        return values

    def ticks(self, about: int = 5) -> list[float]:
        """Round values on the axis, about as many as asked."""
        if self.kind == "linear":
            return nice(self.low, self.high, about)
        if self.kind == "log":
            return _log_ticks(self.low, self.high, about)
        powers = [
            sign * 10.0**k
            for k in range(120, math.ceil(math.log10(self.knee)) - 1, -1)
            for sign in (1, -1)
        ]
        return self._apart([v for v in (0.0, *powers) if self.low <= v <= self.high], 0.6 / about)

    def _apart(self, values: list[float], share: float) -> list[float]:
        """Those of the values, first come first served, at least this share of the axis apart."""
        taken: list[tuple[float, float]] = []
        for value, place in zip(values, self.place(np.array(values)).tolist(), strict=True):
            if all(abs(place - other) >= share for other, _ in taken):
                taken.append((place, value))
        return [value for _, value in sorted(taken)]


def choose(values: Array, levels: Iterable[float] = (), *, straight: bool = False) -> Scale:
    """Choose the axis for these values (NaN passed over) and the levels that should be in view.

    Logarithmic where the bulk spans more than a factor of 25 or a peak would flatten all the rest;
    symmetric logarithmic where such values have both signs; else, or where a `straight` one is
    asked for, linear.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
    levels : iterable of float
        Left out of view where they lie far from the values.
    straight : bool
    """
    finite = np.clip(values[np.isfinite(values)], -LARGEST, LARGEST)
    levels = [level for level in levels if SMALLEST <= abs(level) <= LARGEST or level == 0]
    if finite.size == 0:
        return Scale("linear", 0.0, 1.0)
    low, high = float(finite.min()), float(finite.max())
    if straight:
        return _linear(low, high, levels)
    size = np.abs(finite)
    size = np.maximum(size[size > 0], SMALLEST)
    p5, middle, p95 = (
        (float(v) for v in quantile(size, (0.05, 0.5, 0.95))) if size.size else (1.0, 1.0, 1.0)
    )
    steep = high > 0 and (p95 >= 25 * p5 or high >= 40 * middle)
    if steep and low >= 0 and np.count_nonzero(finite == 0) <= 0.02 * finite.size:
        return _log(max(float(finite[finite > 0].min()), middle * 1e-8, SMALLEST), high, levels)
    if max(high, -low) > 200 * middle:
        knee = 10.0 ** math.floor(math.log10(middle))
        return Scale("symlog", min(low, 0.0), max(high, 0.0), knee)
    return _linear(low, high, levels)


def _log(low: float, high: float, levels: Iterable[float]) -> Scale:
    for level in levels:
        if level > 0 and low / 30 < level < high * 30:
            low, high = min(low, level / 1.3), max(high, level * 1.3)
    pad = max((high / low) ** 0.04, 1.02)
    return Scale("log", low / pad, high * pad)


def _linear(low: float, high: float, levels: Iterable[float]) -> Scale:
    spread = high - low
    for level in levels:
        if low - 1.8 * spread <= level <= high + 1.8 * spread or spread == 0:
            low, high = min(low, level), max(high, level)
    spread = (high - low) or abs(high) or 1.0
    bottom = low - 0.06 * spread
    return Scale("linear", 0.0 if bottom < 0 <= low else bottom, high + 0.06 * spread)


def nice(low: float, high: float, about: int = 5) -> list[float]:
    """Round numbers (1, 2, 2.5 or 5 times a power of ten) between `low` and `high`."""
    rough = (high - low) / max(1, about)
    if not (math.isfinite(rough) and rough > 0):
        return [low]
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1, 2, 2.5, 5, 10) if m * power >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [
        0.0 if i == 0 else float(f"{i * step:.12g}")
        for i in range(first, min(last, first + 50) + 1)
    ]


def _log_ticks(low: float, high: float, about: int) -> list[float]:
    bottom, top = math.floor(math.log10(low)), math.ceil(math.log10(high))
    decades = [10.0**k for k in range(bottom, top + 1) if low <= 10.0**k <= high]
    if len(decades) >= 3:
        return _at_most(decades, about)
    fine = [
        m * 10.0**k for k in range(bottom, top + 1) for m in (1, 2, 5) if low <= m * 10.0**k <= high
    ]
    return fine if len(fine) >= 2 else nice(low, high, about)


def _at_most(values: list[float], most: int) -> list[float]:
    return values[:: max(1, math.ceil(len(values) / max(1, most)))]


def tick(value: float) -> str:
    """A tick's label: ``0.05``, ``1.5``, ``20k``, ``3M``, ``1e-5``."""
    size = abs(value)
    if size and (size < 1e-3 or size >= 1e9):
        mantissa, exponent = f"{value:.2e}".split("e")
        mantissa = mantissa.rstrip("0").rstrip(".")
        return f"{mantissa}e{int(exponent)}"
    for unit, name in ((1e6, "M"), (1e3, "k")):
        if size >= unit:
            return f"{value / unit:.4g}{name}"
    return f"{value:.4g}"
