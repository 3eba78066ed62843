"""The operators of torch's graphs, in numpy; the layers among them run in `checkpoint.layers`."""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gandoctor.checkpoint import layers
from gandoctor.checkpoint.graphs import convolving, shapes
from gandoctor.checkpoint.graphs.meter import MOST_LISTED, MOST_WHOLE, Meter, StoppedError
from gandoctor.checkpoint.layers import Op
from gandoctor.checkpoint.parts import UnlikeError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

# What numpy and Python raise where shapes or kinds do not fit.
FAULTS: Final = (
    *(ValueError, LookupError, TypeError, AttributeError, ArithmeticError, StopIteration),
)
FAULTS_OF_ROOM: Final = (RecursionError, MemoryError)
_RANDOM: Final = ("rand", "normal", "bernoulli", "poisson", "multinomial", "dropout")


def apply(meter: Meter, name: str, args: Sequence[Any], named: Mapping[str, Any]) -> Any:
    """One operator, by the name it has in torch.

    One that works in place (``relu_``) changes what goes in, and all that look at it.

    Raises
    ------
    UnlikeError
        It is none of those that are run here, does not fit, or takes too much.
    """
    meter.step()
    found = TABLE.get(name)
    changes = found is None and name.endswith("_") and not name.startswith("__")
    if changes:
        found = TABLE.get(name[:-1])
    if found is None:
        why = "draws random numbers" if name.startswith(_RANDOM) else "is not run here"
        raise StoppedError(f"its graph holds {name[:60]}, which {why}")
    if not changes:
        return guarded(meter, f"{name[:60]} in its graph", found, args, named)
    return guarded(meter, f"{name[:60]} in its graph", _in_place(found), args, named)


def guarded(
    meter: Meter,
    what: str,
    found: Callable[..., Any],
    args: Sequence[Any],
    named: Mapping[str, Any],
) -> Any:
    """A step of a graph; whatever does not fit is said in one sentence.

    Raises
    ------
    UnlikeError
        It does not fit what goes into it, or takes too much.
    """
    try:
        with np.errstate(all="ignore"):
            return settled(meter, found(meter, *args, **named))
    except UnlikeError:
        raise
    except FAULTS:
        raise UnlikeError(f"{what} does not fit what goes into it") from None
    except FAULTS_OF_ROOM:
        raise StoppedError(f"{what} takes too much") from None


def _in_place(found: Callable[..., Any]) -> Callable[..., Any]:
    def run(meter: Meter, x: Any, *args: Any, **named: Any) -> Any:
        made = found(meter, x, *args, **named)
        if x.shape != made.shape:
            raise ValueError
        x[...] = made
        return x

    return run


def settled(meter: Meter, made: Any) -> Any:
    """A result as it is kept: arrays of at most single precision, and counted."""
    if isinstance(made, np.generic):
        made = np.asarray(made)
    if isinstance(made, np.ndarray):
        if made.dtype in (np.float64, np.float16):
            made = made.astype(np.float32)
        elif made.dtype.kind not in "fib":
            raise StoppedError(f"its graph reckons in {made.dtype.name}")
        meter.keep(made)
        return made
    if isinstance(made, int) and abs(made) > MOST_WHOLE:
        raise OverflowError
    if isinstance(made, tuple | list):
        if len(made) > MOST_LISTED:
            raise OverflowError
        meter.step()
        return type(made)(settled(meter, one) for one in made)
    return made


# ---------------------------------------------------------------- numbers


def _binary(found: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def run(meter: Meter, a: Any, b: Any, *, alpha: Any = 1) -> Any:
        if isinstance(a, list | str) or isinstance(b, list | str):
            if found is operator.mul or not isinstance(a, type(b)):
                raise TypeError
            if found is not operator.add and not all(map(_is_plain, (*a, *b))):
                raise TypeError
            return found(a, b)
        meter.room(np.broadcast_shapes(np.shape(a), np.shape(b)))
        return found(a, b if alpha == 1 else b * alpha)

    return run


def _is_plain(value: object) -> bool:
    """Whether comparing a value costs next to nothing."""
    return value is None or isinstance(value, bool | int | float | str)


def _divided(meter: Meter, a: Any, b: Any, *, rounding_mode: str | None = None) -> Any:
    made = _binary(operator.truediv)(meter, a, b)
    if rounding_mode is None:
        return made
    cut = {"floor": np.floor, "trunc": np.trunc}[rounding_mode](made)
    both_whole = all(np.asarray(v).dtype.kind in "ib" for v in (a, b))
    return np.asarray(cut).astype(np.int64) if both_whole else cut


def _power(meter: Meter, a: Any, b: Any) -> Any:
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return _binary(np.power)(meter, a, b)
    return float(a) ** float(b) if not isinstance(a, int) else int(float(a) ** float(b))


def _unary(found: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda _, x: found(x)


def _clamped(_: Meter, x: Any, low: Any = None, high: Any = None) -> Any:
    x = x if low is None else np.maximum(x, low)
    return x if high is None else np.minimum(x, high)


def _chosen(meter: Meter, condition: Any, a: Any, b: Any) -> Any:
    meter.room(np.broadcast_shapes(np.shape(condition), np.shape(a), np.shape(b)))
    return np.where(condition, a, b)


# ---------------------------------------------------------------- activations


def _activation(name: str) -> Callable[..., Any]:
    def run(meter: Meter, x: Any) -> Any:
        made = layers.activated(name, x).astype(np.float32, copy=False)
        meter.last = (name, x, made)
        return made

    return run


def _leaky(_: Meter, x: Any, slope: float = 0.01) -> Any:
    return np.where(x > 0, x, np.float32(slope) * x)


def _elu(_: Meter, x: Any, alpha: float = 1.0, scale: float = 1.0, inner: float = 1.0) -> Any:
    below = np.float32(alpha) * np.expm1(np.minimum(x, 0) * np.float32(inner))
    return np.float32(scale) * np.where(x > 0, x, below)


def _gelu(meter: Meter, x: Any, *, approximate: str = "none") -> Any:
    if approximate == "tanh":
        inside = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
        return 0.5 * x * (1 + np.tanh(inside))
    meter.work(20 * x.size)
    return layers.activated("gelu", x)


def _softplus(_: Meter, x: Any, beta: float = 1.0, threshold: float = 20.0) -> Any:
    steep = x * np.float32(beta)
    return np.where(steep > threshold, x, np.logaddexp(steep, 0) / np.float32(beta))


def _prelu(_: Meter, x: Any, weight: Any) -> Any:
    slope = weight.reshape(1, -1, *(1,) * (x.ndim - 2)) if weight.size > 1 else weight.reshape(())
    return np.where(x > 0, x, slope * x)


def _softmax(_: Meter, x: Any, dim: int, dtype: Any = None) -> Any:
    raised = np.exp(x - x.max(axis=dim, keepdims=True))
    return raised / raised.sum(axis=dim, keepdims=True)


def _idle(_: Meter, x: Any, *_unused: Any, **_more: Any) -> Any:
    return x


def _dropped(_: Meter, x: Any, p: float = 0.5, train: bool = False) -> Any:
    if train and p > 0:
        raise StoppedError("its graph drops values at random: it was saved in training mode")
    return x


# ---------------------------------------------------------------- layers


def _product(meter: Meter, a: Any, b: Any) -> Any:
    wide = np.broadcast_shapes(a.shape[:-2], b.shape[:-2]) if min(a.ndim, b.ndim) > 1 else ()
    rows = a.shape[-2] if a.ndim > 1 else 1
    columns = b.shape[-1] if b.ndim > 1 else 1
    outer = wide or a.shape[:-2] or b.shape[:-2]
    meter.room((*outer, rows, columns))
    meter.work(math.prod((*outer, rows, columns)) * a.shape[-1])
    return np.matmul(a, b)


def _linear(meter: Meter, x: Any, weight: Any, bias: Any = None) -> Any:
    if weight.ndim != 2 or x.shape[-1] != weight.shape[1]:
        raise ValueError
    meter.room((*x.shape[:-1], len(weight)))
    meter.work(x.size * len(weight))
    arrays = {"weight": weight} if bias is None else {"weight": weight, "bias": bias}
    return layers.step(Op("linear", arrays, {}), x)


def _added_product(
    meter: Meter, added: Any, a: Any, b: Any, *, beta: float = 1, alpha: float = 1
) -> Any:
    return _binary(operator.add)(meter, beta * added, alpha * _product(meter, a, b))


def _batch_norm(
    meter: Meter,
    x: Any,
    weight: Any,
    bias: Any,
    mean: Any,
    var: Any,
    training: bool,
    momentum: Any,
    eps: float,
    *_: Any,
) -> Any:
    known = {"weight": weight, "bias": bias, "mean": mean, "var": var}
    arrays = {k: v for k, v in known.items() if v is not None}
    if any(v.shape != (x.shape[1],) for v in arrays.values()):
        raise ValueError
    if mean is not None and var is not None:
        meter.norm(x, mean, var)
    by_batch = bool(training) or meter.by_batch
    return layers.step(Op("norm", arrays, {"eps": eps}), x, by_batch=by_batch)


def _batch_norm_fixed(
    meter: Meter, x: Any, weight: Any, bias: Any, mean: Any, var: Any, momentum: Any, eps: float
) -> Any:
    made = _batch_norm(meter, x, weight, bias, mean, var, False, momentum, eps)
    return made, np.zeros(0, np.float32), np.zeros(0, np.float32)


def _instance_norm(
    meter: Meter,
    x: Any,
    weight: Any,
    bias: Any,
    mean: Any,
    var: Any,
    alone: bool,
    momentum: Any,
    eps: float,
    *_: Any,
) -> Any:
    if not alone:
        return _batch_norm(meter, x, weight, bias, mean, var, False, momentum, eps)
    arrays = {} if weight is None else {"weight": weight, "bias": bias}
    return layers.step(Op("instance", arrays, {"eps": eps}), x)


def _layer_norm(
    _: Meter,
    x: Any,
    over: Any,
    weight: Any = None,
    bias: Any = None,
    eps: float = 1e-5,
    *_more: Any,
) -> Any:
    axes = tuple(range(x.ndim - len(over), x.ndim))
    if x.shape[axes[0] :] != tuple(over):
        raise ValueError
    made = (x - x.mean(axis=axes, keepdims=True)) / np.sqrt(
        x.var(axis=axes, keepdims=True) + np.float32(eps)
    )
    made = made if weight is None else made * weight
    return made if bias is None else made + bias


def _group_norm(
    meter: Meter,
    x: Any,
    groups: int,
    weight: Any = None,
    bias: Any = None,
    eps: float = 1e-5,
    *_: Any,
) -> Any:
    alone = x.reshape(len(x), groups, -1)
    made = layers.step(Op("instance", {}, {"eps": eps}), alone).reshape(x.shape)
    shape = (1, -1, *(1,) * (x.ndim - 2))
    made = made if weight is None else made * weight.reshape(shape)
    return made if bias is None else _binary(operator.add)(meter, made, bias.reshape(shape))


def _looked_up(meter: Meter, table: Any, at: Any, *_: Any) -> Any:
    if at.dtype.kind not in "iu":
        raise TypeError
    if at.size and not 0 <= int(at.min()) <= int(at.max()) < len(table):
        raise IndexError
    meter.classes = meter.classes or len(table)
    meter.room((*at.shape, *table.shape[1:]))
    return table[at]


def _attended(
    meter: Meter,
    q: Any,
    k: Any,
    v: Any,
    mask: Any = None,
    drop: float = 0.0,
    is_causal: bool = False,
    *,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    if mask is not None or drop or is_causal or enable_gqa:
        raise StoppedError("its graph holds attention of a kind that is not run here")
    root = 1 / math.sqrt(q.shape[-1]) if scale is None else scale
    scores = _product(meter, q, np.swapaxes(k, -1, -2)) * np.float32(root)
    return _product(meter, _softmax(meter, scores, -1), v)


def _weight_normed(meter: Meter, v: Any, g: Any, dim: int = 0) -> Any:
    axes = tuple(i for i in range(v.ndim) if i != dim)
    norm = np.sqrt(np.square(v).sum(axis=axes, keepdims=True))
    return _binary(operator.mul)(meter, v, g / norm)


def _norm(
    _: Meter,
    x: Any,
    p: float = 2,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: Any = None,
) -> Any:
    if p != 2:
        raise StoppedError("its graph holds a norm of a kind that is not run here")
    axes = None if dim is None or dim == [] else dim
    return np.sqrt(np.square(x).sum(axis=shapes.axes(axes), keepdims=keepdim))


def _reduced(found: Callable[..., Any]) -> Callable[..., Any]:
    def run(
        _: Meter,
        x: Any,
        dim: Any = None,
        keepdim: bool = False,
        *,
        dtype: Any = None,
    ) -> Any:
        if x.dtype.kind != "f":
            raise TypeError
        axes = shapes.axes(None if dim == [] else dim)
        return found(x, axis=axes, keepdims=bool(keepdim), dtype=np.float32)

    return run


def _largest(found: Callable[..., Any]) -> Callable[..., Any]:
    def run(_: Meter, x: Any, dim: Any = None, keepdim: bool = False) -> Any:
        return found(x, axis=shapes.axes(dim), keepdims=bool(keepdim))

    return run


def _spread(
    _: Meter,
    x: Any,
    dim: Any = None,
    unbiased: Any = True,
    keepdim: Any = False,
    *,
    correction: Any = 1,
) -> Any:
    if isinstance(dim, bool):  # of the whole: ``var(x, unbiased)``
        dim, unbiased = None, dim
    less = correction if unbiased else 0
    return x.var(axis=shapes.axes(dim), ddof=int(less), keepdims=bool(keepdim))


TABLE: Final[dict[str, Callable[..., Any]]] = {
    **{n: _binary(getattr(operator, n)) for n in ("add", "sub", "mul")},
    "rsub": lambda m, a, b, alpha=1: _binary(operator.sub)(m, b, a, alpha=alpha),
    "multiply": _binary(operator.mul),
    "subtract": _binary(operator.sub),
    **dict.fromkeys(("div", "divide", "true_divide"), _divided),
    "floor_divide": lambda m, a, b: _divided(m, a, b, rounding_mode="floor"),
    "floordiv": lambda _, a, b: int(a) // int(b),
    "remainder": _binary(operator.mod),
    "pow": _power,
    "neg": _unary(operator.neg),
    **{n: _unary(getattr(np, n)) for n in ("sqrt", "exp", "log", "abs", "square", "sin", "cos")},
    "rsqrt": _unary(lambda x: 1 / np.sqrt(x)),
    "reciprocal": _unary(lambda x: 1 / x),
    "erf": _unary(lambda x: 2 * layers.normal_share(np.float32(math.sqrt(2)) * x) - 1),
    "floor": _unary(lambda x: math.floor(x) if isinstance(x, float) else np.floor(x)),
    "ceil": _unary(lambda x: math.ceil(x) if isinstance(x, float) else np.ceil(x)),
    "clamp": _clamped,
    "hardtanh": lambda m, x, low=-1.0, high=1.0: _clamped(m, x, low, high),
    "clamp_min": _clamped,
    "clamp_max": lambda m, x, high: _clamped(m, x, None, high),
    "maximum": _binary(np.maximum),
    "minimum": _binary(np.minimum),
    "where": _chosen,
    **{n: _binary(getattr(operator, n)) for n in ("eq", "ne", "lt", "gt", "le", "ge")},
    **{n: _activation(n) for n in ("relu", "relu6", "tanh", "sigmoid", "selu", "silu", "softsign")},
    "leaky_relu": _leaky,
    "elu": _elu,
    "gelu": _gelu,
    "softplus": _softplus,
    "prelu": _prelu,
    "mish": _unary(lambda x: x * np.tanh(np.logaddexp(x, 0))),
    "hardsigmoid": _unary(lambda x: np.clip(x / 6 + 0.5, 0, 1)),
    "hardswish": _unary(lambda x: x * np.clip(x / 6 + 0.5, 0, 1)),
    "log_sigmoid": _unary(lambda x: -np.logaddexp(-x, 0)),
    "softmax": _softmax,
    "_softmax": lambda m, x, dim, _half: _softmax(m, x, dim),
    **dict.fromkeys(
        ("contiguous", "detach", "alias", "lift_fresh", "_assert_tensor_metadata"), _idle
    ),
    "detach_": _idle,
    **dict.fromkeys(("_assert_scalar", "sym_constrain_range_for_size"), lambda *_, **_more: None),
    "clone": lambda _, x, **_more: np.array(x),
    "lift_fresh_copy": lambda _, x: np.array(x),
    **dict.fromkeys(
        ("dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout"), _dropped
    ),
    **dict.fromkeys(("matmul", "mm", "bmm", "mv", "dot", "vdot"), _product),
    "linear": _linear,
    "addmm": _added_product,
    "baddbmm": _added_product,
    "batch_norm": _batch_norm,
    "_native_batch_norm_legit_no_training": _batch_norm_fixed,
    "instance_norm": _instance_norm,
    "layer_norm": _layer_norm,
    "group_norm": _group_norm,
    "embedding": _looked_up,
    "scaled_dot_product_attention": _attended,
    "_weight_norm": _weight_normed,
    **dict.fromkeys(("norm", "linalg_vector_norm"), _norm),
    "mean": _reduced(np.mean),
    "sum": _reduced(np.sum),
    "amax": _largest(np.max),
    "amin": _largest(np.min),
    "var": _spread,
    "std": lambda m, *args, **more: np.sqrt(_spread(m, *args, **more)),
    **shapes.TABLE,
    **convolving.TABLE,
}
