"""Tensors of a file as arrays that a graph may use, and how long each value is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gandoctor.checkpoint.parts import UnlikeError
from gandoctor.checkpoint.tensors import Tensor
from gandoctor.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

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


def idle(takes: Sequence[Sequence[str]], kept: Collection[str]) -> dict[int, list[str]]:
    """The values that no node after one takes, by the node.

    Parameters
    ----------
    takes : sequence of sequence of str
        What each node takes, in the order in which they run.
    kept : collection of str
        What is needed to the end.
    """
    last = {name: at for at, names in enumerate(takes) for name in names if name not in kept}
    found: dict[int, list[str]] = {}
    for name, at in last.items():
        found.setdefault(at, []).append(name)
    return found
