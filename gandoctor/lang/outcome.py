"""What one clause gave."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one clause gave.

    Attributes
    ----------
    truth : bool or None
        None is unknown; `reason` then says why.
    intervals : tuple of (first, last)
        Steps within the window where the test held.
    window : (first, last) or None
        Steps that were looked at; None where the test is about settings alone.
    share : float or None
        Share of the window's steps on which the test held, of those where it is known.
    margin : float or None
        How far the deciding comparison is from flipping, relative to its threshold; None where
        nothing is compared.
    onset : int or None
        Since when it holds. For a window at the end of the run it is followed back to before the
        window.
    reason : str
    values : Mapping of str to float
        What each sub-expression gave: numbers as they are, series by their median where the test
        held.
    names : tuple of str
        Signals in the test.
    threshold : float or None
        The number that a signal, plain or smoothed or its level, is compared with: a line to draw.
    primary : str or None
        The signal it is about.
    """

    truth: bool | None
    intervals: tuple[tuple[int, int], ...] = ()
    window: tuple[int, int] | None = None
    share: float | None = None
    margin: float | None = None
    onset: int | None = None
    reason: str = ""
    values: Mapping[str, float] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    threshold: float | None = None
    primary: str | None = None
