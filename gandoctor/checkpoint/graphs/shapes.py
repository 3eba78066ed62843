"""What graphs do with shapes, kinds and lists, in numpy: views where torch has views."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gandoctor.checkpoint.graphs.meter import MOST_LISTED, StoppedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from gandoctor.checkpoint.graphs.meter import Meter

# Torch's numbers of kinds of numbers.
KINDS: Final = {
    0: "uint8",
    1: "int8",
    2: "int16",
    3: "int32",
    4: "int64",
    6: "float32",
    7: "float32",
    11: "bool",
}


def axes(dim: Any) -> Any:
    """Axes as numpy wants them."""
    return tuple(dim) if isinstance(dim, list) else dim


def size_of(value: Any) -> int:
    """A size that may be a number in an array."""
    return int(value.item() if isinstance(value, np.ndarray) else value)


def _sizes(meter: Meter, x: Any, shape: Any, *more: Any) -> list[int]:
    """A shape that is asked for, its batch as large as the one that passes."""
    sizes = [size_of(n) for n in ((shape, *more) if not isinstance(shape, list | tuple) else shape)]
    if meter.batch and sizes and sizes[0] == meter.batch[0] and len(x) == meter.batch[1]:
        sizes[0] = meter.batch[1]
    return sizes


def _reshaped(meter: Meter, x: Any, shape: Any, *more: Any) -> Any:
    return x.reshape(_sizes(meter, x, shape, *more))


def _viewed(meter: Meter, x: Any, shape: Any, *_: Any) -> Any:
    if not isinstance(shape, list | tuple):
        raise StoppedError("its graph looks at numbers as others")
    return x.reshape(_sizes(meter, x, shape))


def _flattened(_: Meter, x: Any, first: int = 0, last: int = -1) -> Any:
    first, last = first % x.ndim, last % x.ndim
    return x.reshape(*x.shape[:first], -1, *x.shape[last + 1 :])


def _unflattened(_: Meter, x: Any, dim: int, sizes: Any) -> Any:
    dim %= x.ndim
    return x.reshape(*x.shape[:dim], *(size_of(n) for n in sizes), *x.shape[dim + 1 :])


def _expanded(meter: Meter, x: Any, shape: Any, *_: Any, **_more: Any) -> Any:
    sizes = [size_of(n) for n in shape]
    if meter.batch and sizes and sizes[0] == meter.batch[0] and len(sizes) > 1:
        sizes[0] = meter.batch[1]
    own = [1] * (len(sizes) - x.ndim) + list(x.shape)
    sizes = [n if s == -1 else s for s, n in zip(sizes, own, strict=True)]
    meter.room(sizes)
    return np.broadcast_to(x, sizes)


def _repeated(meter: Meter, x: Any, times: Any) -> Any:
    counts = [size_of(n) for n in times]
    own = [1] * (len(counts) - x.ndim) + list(x.shape)
    meter.room(a * b for a, b in zip(counts, own, strict=True))
    return np.tile(x, counts)


def _interleaved(meter: Meter, x: Any, times: Any, dim: Any = None, **_: Any) -> Any:
    count = size_of(times)
    meter.room((x.size, count))
    return x.repeat(count, axis=dim)


def _squeezed(_: Meter, x: Any, dim: Any = None) -> Any:
    if dim is None:
        return np.squeeze(x)
    them = [d % x.ndim for d in (dim if isinstance(dim, list) else [dim])]
    return np.squeeze(x, tuple(d for d in them if x.shape[d] == 1))


def _joined(meter: Meter, them: Any, dim: int = 0) -> Any:
    them = [x for x in them if x.shape != (0,)]
    meter.room((sum(x.size for x in them),))
    return np.concatenate(them, axis=dim)


def _stacked(meter: Meter, them: Any, dim: int = 0) -> Any:
    meter.room((sum(x.size for x in them),))
    return np.stack(them, axis=dim)


def _chunked(_: Meter, x: Any, count: int, dim: int = 0) -> Any:
    size = -(-x.shape[dim] // count)
    return _cut(x, [size] * -(-x.shape[dim] // size), dim)


def _split(_: Meter, x: Any, size: Any, dim: int = 0) -> Any:
    if isinstance(size, list | tuple):
        if sum(size) != x.shape[dim]:
            raise ValueError
        return _cut(x, size, dim)
    return _cut(x, [size] * -(-x.shape[dim] // size), dim)


def _cut(x: Any, sizes: Any, dim: int) -> list[Any]:
    if len(sizes) > MOST_LISTED or min(sizes, default=1) < 0:
        raise ValueError
    at, found = 0, []
    for size in sizes:
        found.append(x[(slice(None),) * (dim % x.ndim) + (slice(at, at + size),)])
        at += size
    return found


def _unbound(_: Meter, x: Any, dim: int = 0) -> Any:
    if x.shape[dim] > MOST_LISTED:
        raise ValueError
    return list(np.moveaxis(x, dim, 0))


def _selected(_: Meter, x: Any, dim: int, index: Any) -> Any:
    return x[(slice(None),) * (dim % x.ndim) + (size_of(index),)]


def _sliced(_: Meter, x: Any, *given: Any) -> Any:
    if isinstance(x, list | tuple):
        return list(x)[slice(*given)]
    usual: tuple[Any, ...] = (0, None, None, 1)
    dim, start, stop, step = (*given, *usual[len(given) :])
    if step < 1:
        raise ValueError
    return x[(slice(None),) * (dim % x.ndim) + (slice(start, stop, step),)]


def _narrowed(_: Meter, x: Any, dim: int, start: Any, length: Any) -> Any:
    start, length = size_of(start), size_of(length)
    if not 0 <= start <= start + length <= x.shape[dim]:
        raise ValueError
    return x[(slice(None),) * (dim % x.ndim) + (slice(start, start + length),)]


def _permuted(_: Meter, x: Any, order: Any, *more: Any) -> Any:
    return x.transpose(order if isinstance(order, list | tuple) else (order, *more))


def _to(_: Meter, x: Any, *given: Any, dtype: Any = None, **_more: Any) -> Any:
    for one in given:
        if type(one) is int and dtype is None:
            dtype = one
        elif isinstance(one, np.ndarray):
            return x.astype(one.dtype)
    if dtype is None:
        return x
    if dtype not in KINDS:
        raise StoppedError("its graph reckons in numbers of a kind that is not run here")
    if isinstance(x, int | float):
        return float(x) if KINDS[dtype] == "float32" else int(x)
    return x.astype(KINDS[dtype], copy=False)


def _filled(value: float | None) -> Callable[..., Any]:
    def run(meter: Meter, shape: Any, *given: Any, dtype: Any = None, **_: Any) -> Any:
        fill = given[0] if value is None else value
        kind = "int64" if type(fill) is int and value is None else "float32"
        meter.room(sizes := [size_of(n) for n in shape])
        return np.full(sizes, fill, KINDS[dtype] if dtype is not None else kind)

    return run


def _filled_alike(value: float) -> Callable[..., Any]:
    def run(_: Meter, x: Any, *, dtype: Any = None, **_more: Any) -> Any:
        return np.full(x.shape, value, x.dtype if dtype is None else KINDS[dtype])

    return run


def _counted(meter: Meter, *given: Any, dtype: Any = None, **_: Any) -> Any:
    bounds = [size_of(n) for n in given if isinstance(n, int | np.ndarray) and n is not None]
    meter.room((len(range(*bounds)),))
    return np.arange(*bounds, dtype=KINDS[dtype] if dtype is not None else np.int64)


def _size(_: Meter, x: Any, dim: Any = None) -> Any:
    return list(x.shape) if dim is None else x.shape[dim]


def _one_hot(meter: Meter, x: Any, classes: int = -1) -> Any:
    if classes < 1:
        raise StoppedError("its graph counts classes by what it sees")
    meter.classes = meter.classes or classes
    meter.room((*x.shape, classes))
    meter.room((classes, classes))
    return np.eye(classes, dtype=np.int64)[x]


def _scalar(_: Meter, value: Any, **_more: Any) -> Any:
    return np.asarray(value, np.float32 if isinstance(value, float) else None)


def _number(_: Meter, value: Any) -> Any:
    return value.item() if isinstance(value, np.ndarray) else value


TABLE: Final[dict[str, Callable[..., Any]]] = {
    "view": _viewed,
    "reshape": _reshaped,
    "_unsafe_view": _viewed,
    "view_as": lambda _, x, other: x.reshape(other.shape),
    "reshape_as": lambda _, x, other: x.reshape(other.shape),
    "flatten": _flattened,
    "unflatten": _unflattened,
    "expand": _expanded,
    "expand_as": lambda m, x, other: _expanded(m, x, list(other.shape)),
    "repeat": _repeated,
    "repeat_interleave": _interleaved,
    "squeeze": _squeezed,
    "unsqueeze": lambda _, x, dim: np.expand_dims(x, dim),
    "cat": _joined,
    "concat": _joined,
    "stack": _stacked,
    "chunk": _chunked,
    "split": _split,
    "split_with_sizes": _split,
    "unbind": _unbound,
    "select": _selected,
    "slice": _sliced,
    "narrow": _narrowed,
    "permute": _permuted,
    "transpose": lambda _, x, a, b: np.swapaxes(x, a, b),
    "t": lambda _, x: x.T,
    "mT": lambda _, x: np.swapaxes(x, -1, -2),
    "numpy_T": lambda _, x: x.T,
    "to": _to,
    "_to_copy": _to,
    "type_as": lambda _, x, other: x.astype(other.dtype),
    "float": lambda _, x: x.astype(np.float32, copy=False),
    "long": lambda _, x: x.astype(np.int64, copy=False),
    "zeros": _filled(0.0),
    "ones": _filled(1.0),
    "full": _filled(None),
    "zeros_like": _filled_alike(0.0),
    "ones_like": _filled_alike(1.0),
    "arange": _counted,
    "one_hot": _one_hot,
    "scalar_tensor": _scalar,
    "tensor": _scalar,
    "size": _size,
    "sym_size": _size,
    "dim": lambda _, x: x.ndim,
    "numel": lambda _, x: math.prod(x.shape),
    "item": _number,
}
