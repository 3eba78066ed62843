"""Tensors as a file describes them: what, how large and where; their numbers are read on demand."""

from __future__ import annotations

import math
import zlib
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gandoctor.errors import InputError
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gandoctor.checkpoint.windows import Window

MOST_DIMENSIONS: Final = 32
MOST_BYTES: Final = 1 << 28  # of one tensor that is read
# Width in bytes; names as torch has them.
WIDTHS: Final = {
    "float64": 8,
    "float32": 4,
    "float16": 2,
    "bfloat16": 2,
    "int64": 8,
    "int32": 4,
    "int16": 2,
    "int8": 1,
    "uint64": 8,
    "uint32": 4,
    "uint16": 2,
    "uint8": 1,
    "bool": 1,
    "complex64": 8,
    "complex128": 16,
}
UNREAD: Final = ("float8", "float4", "quint", "qint", "complex32", "bits")


@dataclass(frozen=True, slots=True, eq=False)
class Storage:
    """Numbers that lie one after the other; several tensors may look at them.

    Attributes
    ----------
    window : Window
        Where they lie.
    big : bool
        Whether the most significant byte comes first.
    crc : int or None
        Check sum of the whole, where the file has one.
    """

    window: Window
    big: bool = False
    crc: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Tensor:
    """A tensor that can be read.

    Attributes
    ----------
    dtype : str
        A key of `WIDTHS`.
    shape, strides : tuple of int
        In elements; both were checked against the storage.
    storage : Storage
    offset : int
        Of the first element, in elements.
    """

    dtype: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    storage: Storage
    offset: int = 0

    @property
    def size(self) -> int:
        """Elements."""
        return math.prod(self.shape)

    @property
    def is_float(self) -> bool:
        """Whether it holds real numbers with a point."""
        return "float" in self.dtype

    def identity(self) -> tuple[object, ...]:
        """The same for tensors that are one and the same part of a storage."""
        return (*self.storage.window.identity(), self.offset, self.shape, self.strides)

    def read(self) -> NDArray[Any]:
        """The numbers; ``bfloat16`` as float32.

        Raises
        ------
        InputError
            The file ends before, is damaged, or the tensor is larger than `MOST_BYTES`.
        """
        if not self.size:
            return np.empty(self.shape, _dtype(self))
        width = WIDTHS[self.dtype]
        last = sum((n - 1) * s for n, s in zip(self.shape, self.strides, strict=True))
        window = self.storage.window
        if (last + 1) * width > MOST_BYTES or self.size * width > MOST_BYTES:
            raise InputError("a tensor is larger than what is read", window.name)
        data = window.read(self.offset * width, (last + 1) * width)
        whole = not self.offset and len(data) == window.length
        if self.storage.crc is not None and whole and zlib.crc32(data) != self.storage.crc:
            raise InputError("is damaged (a check sum does not fit)", window.name, "copy it again")
        flat = np.frombuffer(data, _dtype(self))
        steps = tuple(s * width for s in self.strides)
        view = np.lib.stride_tricks.as_strided(flat, self.shape, steps, writeable=False)
        if self.dtype == "bfloat16":
            wide = view.astype(np.uint32) << np.uint32(16)
            return wide.view(np.float32)
        return np.array(view, dtype=view.dtype.newbyteorder("="), order="C")


def _dtype(tensor: Tensor) -> np.dtype[Any]:
    name = "uint16" if tensor.dtype == "bfloat16" else tensor.dtype
    found = np.dtype(name)
    return found.newbyteorder(">" if tensor.storage.big else "<")


@dataclass(frozen=True, slots=True, eq=False)
class Unread:
    """A tensor that is not read, and why."""

    why: str


def tensor(
    storage: Storage,
    dtype: str,
    shape: Sequence[object],
    strides: Sequence[object] | None = None,
    offset: object = 0,
) -> Tensor | Unread:
    """A tensor, if all of it lies within its storage.

    Parameters
    ----------
    storage : Storage
    dtype : str
    shape, strides : sequence
        As the file has them: anything; strides in elements, by default those of rows one after the
        other.
    offset : object
    """
    if dtype not in WIDTHS:
        return Unread(f"numbers of kind {dtype[:40]} are not read")
    if len(shape) > MOST_DIMENSIONS or not _sizes(shape) or not _sizes((offset,)):
        return Unread("its shape is none")
    sizes = tuple(int(n) for n in shape)  # type: ignore[call-overload]
    size = math.prod(sizes)
    if strides is None:
        strides = _rows(sizes)
    if len(strides) != len(sizes) or not _sizes(strides):
        return Unread("its strides are none")
    steps = tuple(int(s) for s in strides)  # type: ignore[call-overload]
    first = int(offset)  # type: ignore[call-overload]
    held = storage.window.length // WIDTHS[dtype]
    last = first + sum((n - 1) * s for n, s in zip(sizes, steps, strict=True))
    if size and last >= held:
        return Unread("it reaches beyond its storage")
    if size > held:
        return Unread("it shows the same few numbers many times over")
    return Tensor(dtype, sizes, steps, storage, first)


def _sizes(values: Sequence[object]) -> bool:
    return all(type(v) is int and 0 <= v < 1 << 48 for v in values)


def _rows(shape: tuple[int, ...]) -> tuple[int, ...]:
    strides: list[int] = []
    step = 1
    for n in reversed(shape):
        strides.append(step)
        step *= max(n, 1)
    return tuple(reversed(strides))


def columns(shape: Sequence[int]) -> tuple[int, ...]:
    """Strides of an array whose first index runs fastest."""
    return tuple(reversed(_rows(tuple(reversed(shape)))))


def of_array(array: NDArray[Any], window: Window) -> Tensor | Unread:
    """A tensor of numbers in memory."""
    from gandoctor.checkpoint.windows import Held

    name = array.dtype.name
    data = np.ascontiguousarray(array.astype(array.dtype.newbyteorder("<"))).tobytes()
    held = Held(data, window.path, window.name, window.start)
    return tensor(Storage(held), name, array.shape)
