"""From a plan to a program that can be run: which reader a file's graph needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gandoctor.checkpoint import plans
from gandoctor.checkpoint.parts import UnlikeError
from gandoctor.errors import GandoctorError

if TYPE_CHECKING:
    from gandoctor.checkpoint.graphs.borders import Program
    from gandoctor.checkpoint.plans import Plan


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
        if plan.kind == plans.ONNX:
            from gandoctor.checkpoint.graphs.onnx import Onnx

            return Onnx(plan)
    except GandoctorError as fault:
        raise UnlikeError(fault.what) from None
    raise UnlikeError("its graph is of a kind that is not read")
