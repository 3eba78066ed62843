"""Which setting separates failing from healthy runs, as the owner of a sweep asks."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Final

from gandoctor.model.measured import Share
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gandoctor.model.report import Report

_FEWEST: Final = 6  # runs of which it is asked
_FEWEST_A_SIDE: Final = 2


@dataclass(frozen=True, slots=True)
class Split:
    """One setting, where it is cut, and how many runs are failing on either side.

    Attributes
    ----------
    setting : str
    below, above : str
        What is on either side, in words: ``lr_d < 0.001``.
    failing_below, failing_above : Share
        Failing runs among those of that side.
    """

    setting: str
    below: str
    above: str
    failing_below: Share
    failing_above: Share

    @property
    def apart(self) -> float:
        """Difference of the two shares, by which splits are ordered."""
        return abs((self.failing_below.value or 0.0) - (self.failing_above.value or 0.0))

    @property
    def told(self) -> bool:
        """Whether the intervals of the two sides do not meet."""
        low, high = sorted(
            (self.failing_below, self.failing_above), key=lambda share: share.value or 0.0
        )
        return (low.interval or (0, 1))[1] < (high.interval or (0, 1))[0]


def splits(reports: Sequence[Report], most: int = 8) -> list[Split]:
    """The settings that differ between runs, best separating first.

    Runs that are neither failing nor healthy are left out; of fewer than six nothing is said.
    """
    judged = [r for r in reports if r.verdict in ("failing", "healthy")]
    failing = [r.verdict == "failing" for r in judged]
    if len(judged) < _FEWEST or all(failing) or not any(failing):
        return []
    values = [{s.name: s.value for s in r.settings} for r in judged]
    names = sorted({name for v in values for name in v})
    found = [best for n in names if (best := _best(n, [v.get(n) for v in values], failing))]
    return sorted(found, key=lambda s: (not s.told, -s.apart, s.setting))[:most]


def _best(name: str, values: Sequence[str | None], failing: Sequence[bool]) -> Split | None:
    known = [(v, f) for v, f in zip(values, failing, strict=True) if v is not None]
    if len(known) < _FEWEST:
        return None
    numbers = [number(v) for v, _ in known]
    rows = [f for _, f in known]
    if all(n is not None for n in numbers):
        found = _of_numbers(name, [n for n in numbers if n is not None], rows)
    else:
        found = _of_words(name, [v for v, _ in known], rows)
    return max(found, key=lambda s: s.apart, default=None)


def _of_numbers(name: str, values: Sequence[float], failing: Sequence[bool]) -> Iterator[Split]:
    for low, high in itertools.pairwise(sorted(set(values))):
        sides = [v >= high for v in values]
        yield from _split(name, f"{name} up to {low:g}", f"{name} from {high:g}", sides, failing)


def _of_words(name: str, values: Sequence[str], failing: Sequence[bool]) -> Iterator[Split]:
    for word in sorted(set(values)):
        sides = [v == word for v in values]
        yield from _split(name, f"{name} is another", f"{name} is {word}", sides, failing)


def _split(
    name: str, below: str, above: str, sides: Sequence[bool], failing: Sequence[bool]
) -> Iterator[Split]:
    upper = [f for side, f in zip(sides, failing, strict=True) if side]
    lower = [f for side, f in zip(sides, failing, strict=True) if not side]
    if min(len(upper), len(lower)) >= _FEWEST_A_SIDE:
        yield Split(
            name, below, above, Share(sum(lower), len(lower)), Share(sum(upper), len(upper))
        )


def number(text: str) -> float | None:
    """A setting's value as a number; None where it is a word, or not finite."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
