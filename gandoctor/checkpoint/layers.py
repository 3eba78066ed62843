"""The few layers that generators are made of, in numpy."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

ACTIVATIONS: Final[dict[str, Callable[[Any], Any]]] = {
    "relu": lambda x: np.maximum(x, 0),
    "leakyrelu 0.2": lambda x: np.where(x > 0, x, np.float32(0.2) * x),
    "leakyrelu 0.01": lambda x: np.where(x > 0, x, np.float32(0.01) * x),
    "leakyrelu 0.1": lambda x: np.where(x > 0, x, np.float32(0.1) * x),
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "selu": lambda x: (
        np.float32(1.0507009873554805)
        * np.where(x > 0, x, np.float32(1.6732632423543772) * np.expm1(np.minimum(x, 0)))
    ),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "gelu": lambda x: x * normal_share(x),
    "softplus": lambda x: np.logaddexp(x, 0),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "relu6": lambda x: np.clip(x, 0, 6),
    "none": lambda x: x,
}


_MOST_HELD: Final = 1 << 20  # values that go through a convolution at once
# Coefficients of the complementary error function, the highest power first.
_ERFC: Final = (
    *(0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807),
    *(-0.18628806, 0.09678418, 0.37409196, 1.00002368, -1.26551223),
)


def normal_share(x: Floats) -> Floats:
    """The normal distribution's share below x, as ``gelu`` has it.

    By Chebyshev's polynomials (Press et al., Numerical Recipes, erfcc): right to 1e-7 of its size.
    """
    z = np.abs(x, dtype=np.float64) / math.sqrt(2)
    t = 1 / (1 + z / 2)
    inside = np.zeros_like(t)
    for c in _ERFC:
        inside = inside * t + c
    tail = t * np.exp(inside - z * z) / 2
    found: Floats = np.where(x > 0, 1 - tail, tail).astype(np.float32)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Op:
    """One step of a forward pass.

    Attributes
    ----------
    kind : str
        ``linear``, ``conv``, ``convt``, ``norm``, ``act``, ``reshape``, ``flatten``, ``up``,
        ``shuffle``, ``sum`` (over all pixels), ``instance`` (a norm of each sample
        alone), ``graph`` (a whole one); ``branch`` keeps what is there for the next ``join``,
        which adds it.
    arrays : dict of str to ndarray
        ``weight``, ``bias``, ``mean``, ``var``.
    numbers : dict
        ``stride``, ``pad``, ``extra``, ``eps``, ``name``, ``shape``, ``factor``, ``mode``,
        ``skip``, the layers on the way around a block, and of a graph ``run``, the ``cost`` and
        the ``largest`` (see `Rebuilt.load`) of one sample.
    """

    kind: str
    arrays: dict[str, Floats]
    numbers: dict[str, Any]

    def said(self) -> str:
        """The layer in words."""
        n = self.numbers
        if self.kind in ("conv", "convt"):
            size = self.arrays["weight"].shape[2]
            name = "ConvTranspose" if self.kind == "convt" else "Conv"
            return f"{name} {size}x{size} stride {n['stride']} padding {n['pad']}"
        if self.kind == "act":
            return str(n["name"])
        if self.kind == "reshape":
            return f"reshape to {'x'.join(map(str, n['shape']))}"
        if self.kind == "up":
            return f"Upsample {n['factor']} ({n['mode']})"
        return {"linear": "Linear", "norm": "BatchNorm"}.get(self.kind, self.kind)


def run(
    ops: Sequence[Op], x: Floats, *, by_batch: bool = False, held: list[Floats] | None = None
) -> Floats:
    """Push a batch through; batch norms take their running statistics unless `by_batch`."""
    for _, _, y in trace(ops, x, by_batch=by_batch, held=held):
        x = y
    return x


def trace(
    ops: Sequence[Op], x: Floats, *, by_batch: bool = False, held: list[Floats] | None = None
) -> Iterator[tuple[Op, Floats, Floats]]:
    """Push a batch through: each layer, with what goes in and what comes out.

    Parameters
    ----------
    held : list of ndarray, optional
        What open branches keep; changed as branches open and join.
    """
    held = [] if held is None else held
    for op in ops:
        if op.kind == "branch":
            held.append(x)
            y = x
        elif op.kind == "join":
            y = x + run(op.numbers["skip"], held.pop(), by_batch=by_batch)
        else:
            y = step(op, x, by_batch=by_batch)
        yield op, x, y
        x = y


@np.errstate(all="ignore")
def step(op: Op, x: Floats, *, by_batch: bool = False) -> Floats:
    """One layer applied to a batch."""
    found: Floats
    if op.kind == "linear":
        found = x @ op.arrays["weight"].T
        return found + op.arrays["bias"] if "bias" in op.arrays else found
    if op.kind in ("conv", "convt"):
        return _in_parts(_conv if op.kind == "conv" else _conv_transposed, op, x)
    if op.kind == "norm":
        mean, var = statistics(x) if by_batch or "mean" not in op.arrays else _running(op)
        return normalised(op, x, mean, var)
    if op.kind == "instance":
        axes = tuple(range(2, x.ndim))
        mean, var = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)
        found = (x - mean) / np.sqrt(var + np.float32(op.numbers["eps"]))
        if "weight" in op.arrays:
            found = found * _shaped(op.arrays["weight"], x) + _shaped(op.arrays["bias"], x)
        return found
    if op.kind == "act":
        found = activated(op.numbers["name"], x)
        return found.astype(np.float32, copy=False)
    if op.kind == "reshape":
        return x.reshape(len(x), *op.numbers["shape"])
    if op.kind == "flatten":
        return x.reshape(len(x), -1)
    if op.kind == "sum":
        found = x.sum(axis=(2, 3))
        return found
    if op.kind == "up":
        return enlarged(x, op.numbers["factor"], op.numbers["mode"])
    if op.kind == "shuffle":
        n, _, high, wide = x.shape
        factor = op.numbers["factor"]
        split = x.reshape(n, -1, factor, factor, high, wide).transpose(0, 1, 4, 2, 5, 3)
        return split.reshape(n, -1, high * factor, wide * factor)
    if op.kind == "graph":
        found = op.numbers["run"](x)
        return found
    raise ValueError(op.kind)


def activated(name: str, x: Floats) -> Floats:
    """An activation by its name, of a leaky one with its slope: ``leakyrelu 0.3``."""
    found: Floats
    if name not in ACTIVATIONS and name.startswith("leakyrelu "):
        found = np.where(x > 0, x, np.float32(name.partition(" ")[2]) * x)
    else:
        found = ACTIVATIONS[name](x)
    return found


def enlarged(x: Floats, factor: int, mode: str) -> Floats:
    """Pictures enlarged: ``nearest``, ``bilinear``, or ``corners`` (bilinear, corners aligned)."""
    if mode == "nearest":
        return x.repeat(factor, axis=2).repeat(factor, axis=3)
    sides = tuple(n * factor for n in x.shape[2:])
    return resized(x, sides, (1 / factor, 1 / factor), corners=mode == "corners")


def resized(
    x: Floats, sides: Sequence[int], ratios: Sequence[float], *, corners: bool = False
) -> Floats:
    """Pictures brought to another size, bilinear.

    Parameters
    ----------
    x : ndarray, shape (n, channels, height, width)
    sides : (height, width)
        As they shall be.
    ratios : (float, float)
        Old pixels for each new one.
    corners : bool
        Whether corners are aligned, whatever the ratios.
    """
    high, wide = (
        _between(n, count, ratio, corners=corners)
        for n, count, ratio in zip(x.shape[2:], sides, ratios, strict=True)
    )
    found: Floats = high @ (x @ wide.T)
    return found


def _between(size: int, count: int, ratio: float, *, corners: bool) -> Floats:
    """Weights of a row's pixels in those of the row brought to `count`, shape (count, size)."""
    if corners:
        at = np.linspace(0, size - 1, count)
    else:
        at = np.clip((np.arange(count) + 0.5) * ratio - 0.5, 0, size - 1)
    below = np.minimum(at.astype(int), max(size - 2, 0))
    share = at - below
    weights = np.zeros((count, size), np.float32)
    weights[np.arange(count), below] = 1 - share
    weights[np.arange(count), np.minimum(below + 1, size - 1)] += share
    return weights


def statistics(x: Floats) -> tuple[Floats, Floats]:
    """Mean and variance of each channel over a batch."""
    axes = (0,) if x.ndim == 2 else (0, *range(2, x.ndim))
    return x.mean(axis=axes), x.var(axis=axes)


def _running(op: Op) -> tuple[Floats, Floats]:
    return op.arrays["mean"], op.arrays["var"]


def normalised(op: Op, x: Floats, mean: Floats, var: Floats) -> Floats:
    """A batch norm's output, by the statistics given."""
    scale = 1 / np.sqrt(var + np.float32(op.numbers["eps"]))
    if "weight" in op.arrays:
        scale = scale * op.arrays["weight"]
    shift = op.arrays.get("bias", np.float32(0)) - mean * scale
    found: Floats = (x * _shaped(scale, x)).astype(np.float32, copy=False)
    found += _shaped(shift, x).astype(np.float32, copy=False)
    return found


def _shaped(values: Floats, x: Floats) -> Floats:
    if values.size == math.prod(x.shape[1:]) and values.ndim > 1:
        return values.reshape(1, *x.shape[1:])
    return values.reshape(1, -1, *(1,) * (x.ndim - 2))


def _in_parts(convolve: Callable[[Op, Floats], Floats], op: Op, x: Floats) -> Floats:
    """A convolution of a few samples after the other: it takes several times their room."""
    at_once = max(1, _MOST_HELD // max(1, x[:1].size * op.numbers["stride"] ** 2))
    if len(x) <= at_once:
        return convolve(op, x)
    first = convolve(op, x[:at_once])
    found = np.empty((len(x), *first.shape[1:]), np.float32)
    found[:at_once] = first
    for i in range(at_once, len(x), at_once):
        found[i : i + at_once] = convolve(op, x[i : i + at_once])
    return found


def _conv(op: Op, x: Floats) -> Floats:
    weight, pad, stride = op.arrays["weight"], op.numbers["pad"], op.numbers["stride"]
    out, _, high, wide = weight.shape
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    height = (x.shape[2] - high) // stride + 1
    width = (x.shape[3] - wide) // stride + 1
    columns = x.transpose(1, 0, 2, 3)
    found = np.zeros((out, len(x) * height * width), dtype=np.float32)
    for i in range(high):
        for j in range(wide):
            part = columns[:, :, i : i + stride * height : stride, j : j + stride * width : stride]
            found += weight[:, :, i, j] @ part.reshape(len(part), -1)
    if "bias" in op.arrays:
        found += op.arrays["bias"][:, None]
    return found.reshape(out, len(x), height, width).transpose(1, 0, 2, 3)


def _conv_transposed(op: Op, x: Floats) -> Floats:
    weight, pad, stride = op.arrays["weight"], op.numbers["pad"], op.numbers["stride"]
    _, out, high, wide = weight.shape
    n, _, rows, columns = x.shape
    full = (
        (rows - 1) * stride + high + op.numbers["extra"],
        (columns - 1) * stride + wide + op.numbers["extra"],
    )
    found = np.zeros((out, n, *full), dtype=np.float32)
    flat = x.transpose(1, 0, 2, 3).reshape(x.shape[1], -1)
    for i in range(high):
        for j in range(wide):
            part = (weight[:, :, i, j].T @ flat).reshape(out, n, rows, columns)
            found[:, :, i : i + stride * rows : stride, j : j + stride * columns : stride] += part
    if "bias" in op.arrays:
        found += op.arrays["bias"][:, None, None, None]
    cut = found[:, :, pad : full[0] - pad, pad : full[1] - pad]
    return cut.transpose(1, 0, 2, 3)


def cost(op: Op, shape: Sequence[int]) -> int:
    """Multiplications of a layer for one sample of that shape."""
    if op.kind == "linear":
        return int(op.arrays["weight"].size)
    if op.kind in ("conv", "convt"):
        places = math.prod(shape[1:])
        return (
            int(op.arrays["weight"].size)
            * places
            // (op.numbers["stride"] ** 2 or 1)
            * (op.numbers["stride"] ** 2 if op.kind == "convt" else 1)
        )
    if op.kind == "graph":
        return int(op.numbers["cost"])
    if op.kind == "join":
        return sum(cost(o, shape) for o in op.numbers["skip"])
    return math.prod(shape)
