"""Generators whose layers say themselves what they do: whole modules of torch, with their settings.

Nothing of a module runs: its classes are names, and of its settings numbers are read.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gandoctor.checkpoint import choices, layers
from gandoctor.checkpoint.layers import Op
from gandoctor.checkpoint.parts import UnlikeError, arrays_of
from gandoctor.checkpoint.tensors import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gandoctor.checkpoint.modules import Module

_PLAIN: Final = {
    "ReLU": "relu",
    "ReLU6": "relu6",
    "Tanh": "tanh",
    "Sigmoid": "sigmoid",
    "SELU": "selu",
    "SiLU": "silu",
    "GELU": "gelu",
    "Softplus": "softplus",
    "Softsign": "softsign",
}
_IDLE: Final = frozenset({"Dropout", "Dropout1d", "Dropout2d", "AlphaDropout", "Identity"})
_MOST_LAYERS: Final = 400
_MOST_VALUES: Final = 1 << 22  # of one sample in any layer
_MODES: Final = ("nearest", "bilinear")
_USUAL_EPSILON: Final = 1e-5


def layers_of(module: Module) -> tuple[list[Op], bool]:
    """The layers of a generator in the order they run.

    Returns
    -------
    ops : list of Op
    certain : bool
        Whether their order is: a class of the user's own that holds several parts runs them as it
        likes, mostly as they were registered.

    Raises
    ------
    UnlikeError
        It holds a layer that is not run here.
    """
    certain = [True]
    ops = list(_walked(module, certain))
    if not any(op.kind in ("linear", "conv", "convt") for op in ops):
        raise UnlikeError("it has no layers")
    return ops, certain[0]


def _walked(module: Module, certain: list[bool]) -> Iterator[Op]:
    stack = [module]
    for _ in range(_MOST_LAYERS):
        if not stack:
            return
        one = stack.pop()
        if one.is_known and one.name not in ("Sequential", "ModuleList"):
            yield from _layer(one)
            continue
        if one.tensors:
            raise UnlikeError(f"its class {one.name[:60]} has weights of its own")
        if len(one.children) != 1 and one.name != "Sequential":
            certain[0] = False
        stack.extend(reversed(one.children.values()))
    raise UnlikeError("it has too many layers")


def _layer(one: Module) -> Iterator[Op]:
    """One layer of torch's own."""
    name = one.name
    if name in _IDLE:
        return
    if name in _PLAIN:
        yield Op("act", {}, {"name": _PLAIN[name]})
        return
    make = _MADE.get(name)
    if make is None or one.children:
        raise UnlikeError(f"{name[:60]} is not run")
    yield make(one)


def _arrays(one: Module) -> dict[str, Any]:
    them = {k: t for k, t in one.tensors.items() if isinstance(t, Tensor)}
    if len(them) != len(one.tensors):
        raise UnlikeError(f"a {one.name[:60]} cannot be read")
    return arrays_of(one.name, them)


def _weighted(kind: str) -> Callable[[Module], Op]:
    def made(one: Module) -> Op:
        arrays = _arrays(one)
        if "weight" not in arrays:
            raise UnlikeError(f"a {one.name[:60]} has no weight")
        numbers: dict[str, Any] = {}
        if kind != "linear":
            odd = (_pair(one, "dilation", 1), one.settings.get("groups", 1))
            if odd != (1, 1) or one.settings.get("padding_mode", "zeros") != "zeros":
                raise UnlikeError(f"a {one.name[:60]} of that kind is not run")
            numbers = {"stride": _pair(one, "stride", 1), "pad": _pair(one, "padding", 0)}
        if kind == "convt":
            numbers["extra"] = _pair(one, "output_padding", 0)
        return Op(kind, arrays, numbers)

    return made


def _pair(one: Module, name: str, usual: int) -> int:
    """A setting that is the same along both sides."""
    value = one.settings.get(name, usual)
    both = value if isinstance(value, tuple) else (value,)
    if not both or any(type(v) is not int or v != both[0] or not 0 <= v <= 64 for v in both):
        raise UnlikeError(f"a {one.name[:60]} has a {name} that is not run")
    return int(both[0])


def _number(one: Module, name: str, usual: float) -> float:
    value = one.settings.get(name, usual)
    known = isinstance(value, int | float) and math.isfinite(value)
    return float(value) if known else usual


def _normed(one: Module) -> Op:
    kind = "instance" if one.name.startswith("Instance") else "norm"
    return Op(kind, _arrays(one), {"eps": _number(one, "eps", _USUAL_EPSILON)})


def _leaky(one: Module) -> Op:
    return Op("act", {}, {"name": f"leakyrelu {_number(one, 'negative_slope', 0.01):g}"})


def _elu(one: Module) -> Op:
    if _number(one, "alpha", 1.0) != 1.0:
        raise UnlikeError("an ELU of that kind is not run")
    return Op("act", {}, {"name": "elu"})


def _enlarged(one: Module) -> Op:
    factor = one.settings.get("scale_factor", 2)
    both = factor if isinstance(factor, tuple) else (factor,)
    mode = one.settings.get("mode", "nearest")
    if one.settings.get("size") is not None or len(set(both)) != 1 or mode not in _MODES:
        raise UnlikeError("an Upsample of that kind is not run")
    times = both[0]
    if not isinstance(times, int | float) or times != int(times) or not 1 <= times <= 8:
        raise UnlikeError("an Upsample of that kind is not run")
    corners = mode == "bilinear" and bool(one.settings.get("align_corners"))
    return Op("up", {}, {"factor": int(times), "mode": "corners" if corners else mode})


def _shuffled(one: Module) -> Op:
    return Op("shuffle", {}, {"factor": _pair(one, "upscale_factor", 2)})


def _unflattened(one: Module) -> Op:
    shape = one.settings.get("unflattened_size")
    sizes = shape if isinstance(shape, tuple) else ()
    if len(sizes) != 3 or any(type(n) is not int or n < 1 for n in sizes):
        raise UnlikeError("an Unflatten of that kind is not run")
    return Op("reshape", {}, {"shape": sizes})


def _flattened(_: Module) -> Op:
    return Op("flatten", {}, {})


_MADE: Final[dict[str, Callable[[Module], Op]]] = {
    "Linear": _weighted("linear"),
    "Conv2d": _weighted("conv"),
    "ConvTranspose2d": _weighted("convt"),
    "BatchNorm1d": _normed,
    "BatchNorm2d": _normed,
    "InstanceNorm2d": _normed,
    "LeakyReLU": _leaky,
    "ELU": _elu,
    "Upsample": _enlarged,
    "UpsamplingNearest2d": _enlarged,
    "UpsamplingBilinear2d": _enlarged,
    "PixelShuffle": _shuffled,
    "Unflatten": _unflattened,
    "Flatten": _flattened,
}


def shaped(ops: list[Op], size: int) -> list[Op]:
    """The layers with the reshapes that ``forward`` alone has: before what takes pictures.

    Parameters
    ----------
    ops : list of Op
    size : int
        Values of the noise.
    """
    found: list[Op] = []
    shape: tuple[int, ...] = (size, 1, 1) if ops[0].kind != "linear" else (size,)
    for op in ops:
        channels = _taken(op, shape)
        if channels and len(shape) == 1:
            square = choices.reshaped(shape, channels)
            if square is None:
                raise UnlikeError("its layers do not follow one another")
            found.append(Op("reshape", {}, {"shape": square}))
            shape = square
        elif op.kind == "linear" and len(shape) == 3:
            found.append(Op("flatten", {}, {}))
        if _made_of(op, shape) > _MOST_VALUES:
            raise UnlikeError("its samples are too large")
        found.append(op)
        try:
            shape = layers.step(op, np.zeros((2, *shape), np.float32), by_batch=True).shape[1:]
        except (ValueError, IndexError):
            raise UnlikeError("its layers do not follow one another") from None
    return found


def _made_of(op: Op, shape: tuple[int, ...]) -> int:
    """No fewer values than come out of a layer that enlarges; else those that go in."""
    if op.kind == "up":
        return math.prod(shape) * int(op.numbers["factor"]) ** 2
    if op.kind == "convt" and len(shape) == 3:
        _, channels, size, _ = op.arrays["weight"].shape
        stride, more = int(op.numbers["stride"]), size + int(op.numbers["extra"])
        return int(channels * math.prod(n * stride + more for n in shape[1:]))
    return math.prod(shape)


def _taken(op: Op, shape: tuple[int, ...]) -> int:
    """Channels of the pictures that a layer takes; 0 where it takes flat samples as well."""
    if op.kind in ("conv", "convt"):
        return int(op.arrays["weight"].shape[1 if op.kind == "conv" else 0])
    if op.kind in ("norm", "instance") and op.arrays:
        channels = len(next(iter(op.arrays.values())))
        return 0 if shape[0] == channels else channels
    return 0
