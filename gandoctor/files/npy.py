"""The header of a ``.npy`` file: numpy parses it, as a literal."""

from __future__ import annotations

import io
from typing import Any, Final, NamedTuple

import numpy as np

MOST: Final = 1 << 16  # bytes that a header may take


class Header(NamedTuple):
    """What an array is, and where its values begin."""

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]
    start: int


def header(data: bytes) -> Header | None:
    """Read the first bytes of a file (`MOST` of them do); None where they are no header."""
    head = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(head)
        read = (
            np.lib.format.read_array_header_1_0
            if version == (1, 0)
            else np.lib.format.read_array_header_2_0
        )
        shape, fortran, dtype = read(head)
    except Exception:  # numpy raises what it likes on a header that was forged
        return None
    return Header(shape, fortran, dtype, head.tell())
