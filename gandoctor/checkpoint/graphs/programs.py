"""From a plan to a program that can be run: which reader a file's graph needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from gandoctor.checkpoint import plans
from gandoctor.checkpoint.parts import UnlikeError
from gandoctor.errors import GandoctorError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gandoctor.checkpoint.graphs.meter import Input, Meter
    from gandoctor.checkpoint.plans import Plan


class Program(Protocol):
    """A graph that can be run. Pictures are of shape (n, channels, height, width) at its borders.

    Attributes
    ----------
    inputs : tuple of Input
    """

    inputs: tuple[Input, ...]

    def run(self, given: Sequence[NDArray[Any]], meter: Meter) -> Any:
        """What it makes of a batch; UnlikeError where it is not run, in one sentence."""


def of(plan: Plan) -> Program:
    """The program of a plan.

    Raises
    ------
    UnlikeError
        It is damaged, or of a kind that is not run.
    """
    try:
        if plan.kind == plans.SCRIPT:
            from gandoctor.checkpoint.graphs.torchscript import Script

            return Script(plan)
        if plan.kind == plans.EXPORTED:
            from gandoctor.checkpoint.graphs.exported import Exported

            return Exported(plan)
        if plan.kind == plans.KERAS:
            from gandoctor.checkpoint.graphs.keras import Keras

            return Keras(plan)
    except GandoctorError as fault:
        raise UnlikeError(fault.what) from None
    raise UnlikeError("its graph is of a kind that is not read")
