"""Tensors of a file as arrays that a graph may use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gandoctor.checkpoint.parts import UnlikeError
from gandoctor.checkpoint.tensors import Tensor
from gandoctor.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray


def array_of(tensor: object) -> NDArray[Any]:
    """A tensor's numbers, of at most single precision; they cannot be written to.

    Raises
    ------
    UnlikeError
        It cannot be read.
    """
    if not isinstance(tensor, Tensor) or tensor.dtype.startswith("complex"):
        raise UnlikeError("one of its tensors cannot be read")
    try:
        found = tensor.read()
    except InputError as fault:
        raise UnlikeError(f"one of its tensors {fault.what}") from None
    if found.dtype.kind == "f":
        found = found.astype(np.float32, copy=False)
    found.flags.writeable = False
    return found
