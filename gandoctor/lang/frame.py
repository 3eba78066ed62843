"""What a test looks at (`Frame`), and the values it passes through on the way to an outcome."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gandoctor.lang.functions import Points
from gandoctor.values import dataclass

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Codes = NDArray[np.int8]

# Kleene's values as codes: `and` is the minimum. A row that lacks a whole signal is kept apart from
# one that is NaN.
FALSE: Final = 0
MISSING: Final = 1
NAN: Final = 2
TRUE: Final = 3
NOT: Final = np.array([TRUE, MISSING, NAN, FALSE], dtype=np.int8)
MEMO_BYTES: Final = 128 * 2**20


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One signal as the language sees it.

    Attributes
    ----------
    steps : ndarray of int64, shape (n,)
        Put in order where they are not.
    values : ndarray of float64, shape (n,)
    higher_is_better : bool
        For ``best(x)`` and its kin.
    rare : bool
        Whether it is looked at now and then, so that a few points are enough.
    """

    steps: Ints
    values: Floats
    higher_is_better: bool = False
    rare: bool = False

    def __post_init__(self) -> None:
        steps = np.asarray(self.steps, dtype=np.int64)
        values = np.asarray(self.values, dtype=np.float64)
        if steps.ndim != 1 or steps.shape != values.shape:
            raise ValueError(
                f"steps {steps.shape} and values {values.shape} must be columns of one length"
            )
        if steps.size > 1 and bool((steps[1:] < steps[:-1]).any()):
            order = np.argsort(steps, kind="stable")
            steps, values = steps[order], values[order]
        object.__setattr__(self, "steps", steps)
        object.__setattr__(self, "values", values)


class Memo:
    """Results kept for the other clauses about the same run; those unused longest go first."""

    __slots__ = ("held", "kept")

    def __init__(self) -> None:
        self.kept: dict[object, Any] = {}
        self.held = 0

    def get(self, key: object, make: Callable[[], Any]) -> Any:
        """What is kept under a key; made first where nothing is."""
        if key in self.kept:
            self.kept[key] = self.kept.pop(key)
            return self.kept[key]
        made = make()
        self.kept[key] = made
        self.held += _bytes_of(made)
        while self.held > MEMO_BYTES and len(self.kept) > 1:
            oldest = next(iter(self.kept))
            self.held -= _bytes_of(self.kept.pop(oldest))
        return made


def _bytes_of(value: Any) -> int:
    return int(value.values.nbytes) if isinstance(value, Points) else 64


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Everything a test may look at in one run (or in one of its networks).

    Attributes
    ----------
    series : Mapping of str to Series
        By name; empty series count as not logged.
    numbers : Mapping of str to float, str or None
        Settings and facts. Text where a number is expected makes every test of it unknown, but for
        ``is_text``.
    words : Mapping of str to str
        Settings that are words, or ``true`` and ``false``.
    flags : Mapping of str to bool or None
        What ``fired()`` answers.
    first_step, last_step : int, optional
        Of the run; of its series where they are not given.
    resumed : bool
        The log starts in mid-training.
    step_unit : str
        ``iterations``, ``epochs``, ``kimg`` or ``unknown`` (taken for iterations).
    steps_per_epoch : float, optional
        Iterations in an epoch.
    absent : Mapping of str to str
        Why a name is not there, where more is known than that.
    """

    series: Mapping[str, Series]
    numbers: Mapping[str, float | str | None] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    flags: Mapping[str, bool | None] = field(default_factory=dict)
    first_step: int | None = None
    last_step: int | None = None
    resumed: bool = False
    step_unit: str = "iterations"
    steps_per_epoch: float | None = None
    absent: Mapping[str, str] = field(default_factory=dict)
    memo: Memo = field(default_factory=Memo, init=False, repr=False)

    def with_flags(self, flags: Mapping[str, bool | None]) -> Frame:
        """The same with other flags, and with all that was worked out: none of it asks them."""
        other = replace(self, flags=flags)
        object.__setattr__(other, "memo", self.memo)
        return other

    @property
    def span(self) -> tuple[int, int]:
        """First and last step of the run."""
        found: tuple[int, int] = self.memo.get("span", self._span)
        return found

    def _span(self) -> tuple[int, int]:
        filled = [s for s in self.series.values() if s.steps.size]
        first = (
            self.first_step
            if self.first_step is not None
            else min((int(s.steps[0]) for s in filled), default=0)
        )
        last = (
            self.last_step
            if self.last_step is not None
            else max((int(s.steps[-1]) for s in filled), default=0)
        )
        return first, max(first, last)


@dataclass(frozen=True, slots=True)
class Missing:
    """A value that is not known."""

    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """A test at every step: codes (n,), and how far each row is from flipping, relative.

    NaN where nothing tells.
    """

    steps: Ints
    codes: Codes
    slack: Floats | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """A test that is decided once."""

    truth: bool | None
    slack: float | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """A window in steps; `after` leaves its first step out, `back` allows an onset before it."""

    first: float
    last: float
    after: bool = False
    back: bool = False

    @property
    def whole(self) -> tuple[int, int]:
        """First and last step inside the window."""
        return math.ceil(self.first), math.floor(self.last)

    def rows(self, steps: Ints) -> tuple[int, int]:
        """Rows inside the window: (first, one past the last).

        Parameters
        ----------
        steps : ndarray of int64, shape (n,), non-decreasing
        """
        low = steps.searchsorted(self.first, side="right" if self.after else "left")
        return int(low), int(steps.searchsorted(self.last, side="right"))


Value = Points | float | Missing
Test = Marks | Told | Missing


def all_of(truths: Iterable[bool | None]) -> bool | None:
    """Kleene's ``and``."""
    seen = set(truths)
    if False in seen:
        return False
    return None if None in seen else True


def any_of(truths: Iterable[bool | None]) -> bool | None:
    """Kleene's ``or``."""
    seen = set(truths)
    if True in seen:
        return True
    return None if None in seen else False


def joined_reasons(reasons: Sequence[str]) -> str:
    """Several reasons as one, each once."""
    if len(reasons) == 1 and "; " not in reasons[0]:
        return reasons[0]
    pieces = (piece for reason in reasons for piece in reason.split("; "))
    return "; ".join(dict.fromkeys(piece for piece in pieces if piece))


def word_of(name: str, frame: Frame) -> str | None:
    """A setting as a word; None where it is not known."""
    if name in frame.words:
        return frame.words[name]
    number = frame.numbers.get(name)
    return f"{number:g}" if isinstance(number, int | float) else number


def folded(word: str) -> str:
    """The same for words that differ in case, dashes, underscores or blanks alone."""
    return "".join(c for c in word.casefold() if c not in "-_ ")
