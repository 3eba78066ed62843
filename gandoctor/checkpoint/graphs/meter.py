"""What one pass through a graph may take, and what is seen on the way."""

from __future__ import annotations

import math
import time
import weakref
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gandoctor.checkpoint.parts import UnlikeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    Judge = Callable[[NDArray[Any], NDArray[Any], NDArray[Any]], float]

MOST_VALUES: Final = 1 << 25  # that are held at a time
MOST_STEPS: Final = 50_000
MOST_SECONDS: Final = 20.0
MOST_DIMENSIONS: Final = 12
MOST_WHOLE: Final = 1 << 62  # no count in a graph is larger
MOST_LISTED: Final = 4_096  # members of a list
_LOOKED: Final = 16  # steps from one look at the clock to the next
_TOO_LARGE: Final = "its samples are too large"


class StoppedError(UnlikeError):
    """A graph that is not run here, whatever goes in."""


class EnoughError(UnlikeError):
    """As many norms were seen as were asked for."""


class Meter:
    """Counts steps, values, multiplications and seconds of a pass, and ends it beyond a bound.

    Parameters
    ----------
    batch : tuple of int or None
        Size of the batch that the graph was fixed to, and of the one that passes instead: shapes
        that begin with the first are read as beginning with the second.
    by_batch : bool
        Whether batch norms take the batch's statistics whatever the graph says, as in training.
    most_cost : float
        Multiplications.
    judge : callable or None
        How far values are from the mean and variance of a batch norm; nothing is noted without.
    most_norms : int
        Batch norms after which the pass ends.

    Attributes
    ----------
    cost : float
        Multiplications so far.
    made : int
        Values that were made so far, of which most are gone again.
    errors : list of float
        Distances at the batch norms.
    last : tuple or None
        Name, input and output of the last activation.
    classes : int
        Rows of the first table in which whole numbers were looked up; 0 where none was.
    """

    def __init__(
        self,
        *,
        batch: tuple[int, int] | None = None,
        by_batch: bool = False,
        most_cost: float = math.inf,
        judge: Judge | None = None,
        most_norms: int = 1 << 20,
    ) -> None:
        self.batch = batch
        self.by_batch = by_batch
        self.most_cost = most_cost
        self._judge = judge
        self._most_norms = most_norms
        self.cost = 0.0
        self.made = 0
        self.errors: list[float] = []
        self.last: tuple[str, NDArray[Any], NDArray[Any]] | None = None
        self.classes = 0
        self._steps = 0
        self._held: dict[int, int] = {}  # sizes of the arrays that are still there, by their ids
        self._until = time.process_time() + MOST_SECONDS

    def step(self) -> None:
        """One more step.

        Raises
        ------
        UnlikeError
            There were too many, or they took too long.
        """
        self._steps += 1
        late = not self._steps % _LOOKED and time.process_time() > self._until
        if self._steps > MOST_STEPS or late:
            raise StoppedError("its graph takes too many steps")

    def room(self, shape: Iterable[int]) -> None:
        """See beforehand that values of a shape have room.

        Raises
        ------
        UnlikeError
            They have none.
        """
        sizes = tuple(shape)
        if min(sizes, default=0) < 0 or len(sizes) > MOST_DIMENSIONS:
            raise ValueError(sizes)
        if math.prod(sizes) > MOST_VALUES - sum(self._held.values()):
            raise StoppedError(_TOO_LARGE)

    def norm(self, x: NDArray[Any], mean: NDArray[Any], var: NDArray[Any]) -> None:
        """Note how far what goes into a batch norm is from its running statistics.

        Raises
        ------
        EnoughError
            It was the last that was asked for.
        """
        if self._judge is None:
            return
        self.errors.append(self._judge(x, mean, var))
        if len(self.errors) >= self._most_norms:
            raise EnoughError

    def keep(self, made: NDArray[Any]) -> None:
        """Count what was made.

        Raises
        ------
        UnlikeError
            It is too much.
        """
        self.made += made.size
        owner = made if made.base is None else made.base
        fresh = isinstance(owner, np.ndarray) and owner.flags.writeable  # weights are not
        if fresh and id(owner) not in self._held:
            self._held[id(owner)] = owner.size
            weakref.finalize(owner, self._held.pop, id(owner), None)
        if sum(self._held.values()) > MOST_VALUES or made.ndim > MOST_DIMENSIONS:
            raise StoppedError(_TOO_LARGE)

    def work(self, multiplications: float) -> None:
        """Count multiplications before they are done.

        Raises
        ------
        UnlikeError
            They are too many.
        """
        self.cost += multiplications
        if self.cost > self.most_cost:
            raise StoppedError(f"a sample takes more than {self.most_cost:.1g} multiplications")
