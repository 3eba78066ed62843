"""What every program has, whatever it was read from: what goes in, and how it is run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gandoctor.checkpoint.graphs.meter import Meter


@dataclass(frozen=True, slots=True)
class Input:
    """One of the things that go into a graph.

    Attributes
    ----------
    name : str
        Untrusted text.
    shape : tuple of int, or None
        With the batch in front; -1 where a size is free. None where nothing tells.
    whole : bool or None
        Whether it holds whole numbers, where something tells.
    """

    name: str
    shape: tuple[int, ...] | None = None
    whole: bool | None = None


class Program(Protocol):
    """A graph that can be run. Pictures are of shape (n, channels, height, width) at its borders.

    It is made of a plan; UnlikeError says in one sentence that it is damaged, or what in it is not
    run here.

    Attributes
    ----------
    inputs : tuple of Input
    """

    inputs: tuple[Input, ...]

    def run(self, given: Sequence[NDArray[Any]], meter: Meter) -> Any:
        """What it makes of a batch.

        Parameters
        ----------
        given : sequence of ndarray
            In the order of `inputs`.
        meter : Meter

        Raises
        ------
        UnlikeError
            Something in it is not run here, does not fit, or takes too much.
        """
