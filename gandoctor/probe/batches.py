"""Work on many examples, as many at once as there is room for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from gandoctor.errors import InputError
from gandoctor.probe.backend import is_out_of_memory
from gandoctor.probe.clock import OutOfTime

if TYPE_CHECKING:
    from collections.abc import Callable

    from gandoctor.probe.backend import Place
    from gandoctor.probe.clock import Clock

T = TypeVar("T")


class Batches:
    """Runs work in pieces; where memory runs out, the pieces are halved, and stay so.

    Parameters
    ----------
    size : int
        Examples at once, to begin with.
    place : Place
    clock : Clock

    Attributes
    ----------
    notes : list of str
        What was halved.
    """

    def __init__(self, size: int, place: Place, clock: Clock) -> None:
        self.size, self.place, self.clock = size, place, clock
        self.notes: list[str] = []

    def over(self, count: int, work: Callable[[int, int], T], *, least: int = 0) -> list[T]:
        """What `work` gives for the examples of each piece, ``first`` to ``last`` (not included).

        Parameters
        ----------
        count : int
        work : callable
        least : int
            Where time runs out after so many examples, what is there is given back; 0: all or
            nothing.

        Raises
        ------
        OutOfTime
        InputError
            One example alone is too large for the device.
        """
        done: list[T] = []
        at = 0
        try:
            while at < count:
                self.clock.check()
                stop = min(at + self.size, count)
                found, fits = self._tried(lambda a=at, b=stop: work(a, b))  # type: ignore[misc]
                if fits:
                    done.append(found)
                    at = stop
                else:
                    self.halve(stop - at)
        except OutOfTime:
            if not least or at < least:
                raise
            self.notes.append(f"time ran out after {at} of {count} examples")
        return done

    def _tried(self, work: Callable[[], T]) -> tuple[Any, bool]:
        try:
            return work(), True
        except Exception as e:
            if not is_out_of_memory(e):
                raise
        # Out of the `except`: what the error's frames held is free by now.
        return None, False

    def halve(self, tried: int) -> None:
        """Take half as many at once from now on.

        Raises
        ------
        InputError
            There is no half of one.
        """
        self.place.forget()
        if tried <= 1:
            raise InputError(
                "one example alone needs more memory than there is",
                self.place.name,
                "probe with --device cpu",
            )
        self.size = tried // 2
        self.notes.append(f"out of memory with {tried} examples at once: {self.size} from there on")

    def fitting(self, work: Callable[[int], T]) -> T:
        """What `work` gives for as many examples at once as fit."""
        while True:
            self.clock.check()
            size = self.size
            found, fits = self._tried(lambda n=size: work(n))  # type: ignore[misc]
            if fits:
                return found  # type: ignore[no-any-return]
            self.halve(size)
