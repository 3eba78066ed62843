"""The time that a probe may take, kept even where somebody else's code runs."""

from __future__ import annotations

import signal
import threading
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import FrameType


class OutOfTime(BaseException):  # no fault: like KeyboardInterrupt, nobody's `except`
    """The budget is spent."""


class Clock:
    """Seconds since it was made, against a budget.

    As a context it raises `OutOfTime` once the budget is spent, wherever the code is (where the
    system has timers, in the main thread; elsewhere at the next `check`).

    Parameters
    ----------
    budget : float
        Seconds.
    """

    def __init__(self, budget: float) -> None:
        self.budget = budget
        self._begun = time.monotonic()
        self._old: object = None

    def spent(self) -> float:
        """Seconds so far."""
        return time.monotonic() - self._begun

    def left(self) -> float:
        """Seconds that are left, below zero where there are none."""
        return self.budget - self.spent()

    def check(self, needed: float = 0.0) -> None:
        """Raise `OutOfTime` where fewer than the needed seconds are left."""
        if self.left() <= needed:
            raise OutOfTime

    def __enter__(self) -> Self:
        self.check()
        if hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread():
            self._old = signal.signal(signal.SIGALRM, _ring)
            # Code that swallows everything is rung again.
            signal.setitimer(signal.ITIMER_REAL, max(self.left(), 0.001), 0.5)
        return self

    def __exit__(self, *_: object) -> None:
        if self._old is not None:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._old)  # type: ignore[arg-type]
            self._old = None


def _ring(number: int, frame: FrameType | None) -> None:
    raise OutOfTime
