"""The operators of ONNX, in numpy; most of them are torch's by another name."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gandoctor.checkpoint.graphs import convolving, operators
from gandoctor.checkpoint.graphs.meter import StoppedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gandoctor.checkpoint.graphs.meter import Meter

    Attributes = Mapping[str, Any]
    Operator = Callable[["Meter", Attributes, list[Any]], Any]

_KINDS: Final = {
    1: "float32",
    2: "uint8",
    3: "int8",
    6: "int32",
    7: "int64",
    9: "bool",
    11: "float32",
}
_ODD: Final = "of a kind that is not run here"


def _listed(value: Any) -> list[int]:
    """Whole numbers of a small tensor."""
    found = np.asarray(value)
    if found.dtype.kind not in "ib" or found.size > 64:
        raise TypeError
    return [int(n) for n in found.reshape(-1)]


def _named(name: str, *usual: Any) -> Operator:
    """An operator of torch that takes what goes in, and some more that is always the same."""
    return lambda meter, _, given: operators.apply(meter, name, [*given, *usual], {})


def _at(given: list[Any], index: int) -> Any:
    return given[index] if len(given) > index else None


def _setting(said: Attributes, given: list[Any], name: str, index: int) -> list[int] | None:
    """A list that is an attribute in old graphs and goes in in new ones."""
    value = _at(given, index)
    value = said.get(name) if value is None else value
    return None if value is None else _listed(value)


# ---------------------------------------------------------------- layers


def _gemm(meter: Meter, said: Attributes, given: list[Any]) -> Any:
    a = given[0].T if said.get("transA") else given[0]
    weight = given[1] if said.get("transB") else given[1].T
    made = operators.apply(meter, "linear", [a, weight], {}) * np.float32(said.get("alpha", 1.0))
    if _at(given, 2) is None:
        return made
    return operators.apply(meter, "add", [made, given[2] * np.float32(said.get("beta", 1.0))], {})


def _ends(meter: Meter, said: Attributes, x: Any, fill: float = 0.0) -> Any:
    """What goes in with its padding."""
    pads = said.get("pads") or [0] * 2 * (x.ndim - 2)
    half = len(pads) // 2
    ends = list(zip(pads[:half], pads[half:], strict=True))
    return convolving.padded(meter, x, ends, fill)


def _auto(said: Attributes) -> str:
    way = said.get("auto_pad", "NOTSET")
    return "" if way in ("NOTSET", "VALID") else str(way)


def _same(said: Attributes, x: Any, weight: Any) -> dict[str, Any]:
    """The padding that leaves as many pixels as there are strides."""
    count = x.ndim - 2
    steps, wide = (said.get(n) or [1] * count for n in ("strides", "dilations"))
    sizes = [(k - 1) * d + 1 for k, d in zip(weight.shape[2:], wide, strict=True)]
    totals = [
        max((-(-n // s) - 1) * s + k - n, 0)
        for n, s, k in zip(x.shape[2:], steps, sizes, strict=True)
    ]
    less, more = [t // 2 for t in totals], [t - t // 2 for t in totals]
    upper = {"SAME_UPPER": True, "SAME_LOWER": False}[_auto(said)]
    return {"pads": [*less, *more] if upper else [*more, *less]}


def _conv(meter: Meter, said: Attributes, given: list[Any]) -> Any:
    x = _ends(meter, _same(said, given[0], given[1]) if _auto(said) else said, given[0])
    step, wide = said.get("strides") or 1, said.get("dilations") or 1
    args = [x, given[1], _at(given, 2), step, 0, wide, said.get("group", 1)]
    return operators.apply(meter, "conv1d" if x.ndim == 3 else "conv2d", args, {})


def _conv_transposed(meter: Meter, said: Attributes, given: list[Any]) -> Any:
    if said.get("output_shape") or _auto(said):
        raise StoppedError(f"its graph holds a transposed convolution {_ODD}")
    x = given[0]
    step, wide = said.get("strides") or 1, said.get("dilations") or 1
    extra, groups = said.get("output_padding") or 0, said.get("group", 1)
    name = "conv_transpose1d" if x.ndim == 3 else "conv_transpose2d"
    args = [x, given[1], None, step, 0, extra, groups, wide]
    made = operators.apply(meter, name, args, {})
    made = _ends(meter, {"pads": [-n for n in said.get("pads") or []]}, made)
    bias = _at(given, 2)
    if bias is None:
        return made
    return operators.apply(meter, "add", [made, bias.reshape(1, -1, *(1,) * (x.ndim - 2))], {})


def _batch_norm(meter: Meter, said: Attributes, given: list[Any]) -> Any:
    x, weight, bias, mean, var = given
    trained = bool(said.get("training_mode", 0))
    args = [x, weight, bias, mean, var, trained, 0.0, float(said.get("epsilon", 1e-5))]
    return operators.apply(meter, "batch_norm", args, {})


def _instance_norm(meter: Meter, said: Attributes, given: list[Any]) -> Any:
    args = [*given, None, None, True, 0.0, float(said.get("epsilon", 1e-5))]
    return operators.apply(meter, "instance_norm", args, {})


def _layer_norm(meter: Meter, said: Attributes, given: list[Any]) -> Any:
    over = list(given[0].shape[said.get("axis", -1) :])
    args = [given[0], over, given[1], _at(given, 2), float(said.get("epsilon", 1e-5))]
    return operators.apply(meter, "layer_norm", args, {})


def _pooled(name: str) -> Operator:
    def run(meter: Meter, said: Attributes, given: list[Any]) -> Any:
        most = name == "max_pool2d"
        padded = any(said.get("pads") or [])
        odd = (
            _auto(said) or said.get("ceil_mode") or any(n != 1 for n in said.get("dilations") or [])
        )
        if odd or given[0].ndim != 4 or (padded and not most and not said.get("count_include_pad")):
            raise StoppedError(f"its graph holds pooling {_ODD}")
        x = _ends(meter, said, given[0], -math.inf if most else 0.0)
        step = said.get("strides") or [1, 1]
        return operators.apply(meter, name, [x, said["kernel_shape"], step], {})

    return run


def _pooled_whole(name: str) -> Operator:
    def run(meter: Meter, _: Attributes, given: list[Any]) -> Any:
        axes = list(range(2, given[0].ndim))
        return operators.apply(meter, name, [given[0], axes, True], {})

    return run


# ---------------------------------------------------------------- numbers


def _divided(meter: Meter, _: Attributes, given: list[Any]) -> Any:
    whole = all(g.dtype.kind in "iu" for g in given)
    return operators.apply(meter, "div", given, {"rounding_mode": "trunc"} if whole else {})


def _prelu(meter: Meter, _: Attributes, given: list[Any]) -> Any:
    x, slope = given
    meter.room(np.broadcast_shapes(x.shape, slope.shape))
    return np.where(x > 0, x, slope * x)


def _leaky(meter: Meter, said: Attributes, given: list[Any]) -> Any:
    return operators.apply(meter, "leaky_relu", [given[0], float(said.get("alpha", 0.01))], {})


def _elu(meter: Meter, said: Attributes, given: list[Any]) -> Any:
    return operators.apply(meter, "elu", [given[0], float(said.get("alpha", 1.0))], {})


def _selu(meter: Meter, said: Attributes, given: list[Any]) -> Any:
    alpha, gamma = said.get("alpha", 1.67326319), said.get("gamma", 1.05070102)
    return operators.apply(meter, "elu", [given[0], float(alpha), float(gamma)], {})


def _hard_sigmoid(_: Meter, said: Attributes, given: list[Any]) -> Any:
    slope, offset = np.float32(said.get("alpha", 0.2)), np.float32(said.get("beta", 0.5))
    return np.clip(given[0] * slope + offset, 0, 1)


def _gelu(meter: Meter, said: Attributes, given: list[Any]) -> Any:
    way = {"approximate": said.get("approximate", "none")}
    return operators.apply(meter, "gelu", given[:1], way)


def _softmax(meter: Meter, said: Attributes, given: list[Any]) -> Any:
    axis = said.get("axis")
    last = given[0].ndim - 1
    if axis is None or (said["opset"] < 13 and axis not in (-1, last)):
        if said["opset"] < 13:  # over all axes from one on
            raise StoppedError(f"its graph holds a Softmax {_ODD}")
        axis = -1
    return operators.apply(meter, "softmax", [given[0], axis], {})


def _clipped(meter: Meter, said: Attributes, given: list[Any]) -> Any:
    low, high = _at(given, 1), _at(given, 2)
    low = said.get("min") if low is None else low
    high = said.get("max") if high is None else high
    return operators.apply(meter, "clamp", [given[0], low, high], {})


def _merged(name: str) -> Operator:
    def run(meter: Meter, _: Attributes, given: list[Any]) -> Any:
        made = given[0]
        for one in given[1:]:
            made = operators.apply(meter, name, [made, one], {})
        return made

    return run


def _reduced(name: str) -> Operator:
    def run(meter: Meter, said: Attributes, given: list[Any]) -> Any:
        axes = _setting(said, given, "axes", 1)
        if axes is None and said.get("noop_with_empty_axes"):
            return given[0]
        kept = bool(said.get("keepdims", 1))
        return operators.apply(meter, name, [given[0], axes, kept], {})

    return run


def _norm(meter: Meter, said: Attributes, given: list[Any]) -> Any:
    axes = _setting(said, given, "axes", 1)
    kept = bool(said.get("keepdims", 1))
    return operators.apply(meter, "linalg_vector_norm", [given[0], 2, axes, kept], {})


def _dropped(meter: Meter, said: Attributes, given: list[Any]) -> Any:
    trained = _at(given, 2)
    on = bool(said.get("is_test") == 0) if trained is None else bool(np.asarray(trained).item())
    return operators.apply(meter, "dropout", [given[0], 0.5, on], {})


# ---------------------------------------------------------------- shapes


def _reshaped(meter: Meter, said: Attributes, given: list[Any]) -> Any:
    x, sizes = given[0], _listed(given[1])
    if not said.get("allowzero"):
        sizes = [x.shape[i] if n == 0 else n for i, n in enumerate(sizes)]
    return operators.apply(meter, "reshape", [x, sizes], {})


def _flattened(_: Meter, said: Attributes, given: list[Any]) -> Any:
    shape = given[0].shape
    return given[0].reshape(math.prod(shape[: said.get("axis", 1)]), -1)


def _turned(_: Meter, said: Attributes, given: list[Any]) -> Any:
    return given[0].transpose(said.get("perm"))


def _joined(meter: Meter, said: Attributes, given: list[Any]) -> Any:
    return operators.apply(meter, "cat", [given, said["axis"]], {})


def _split(meter: Meter, said: Attributes, given: list[Any]) -> Any:
    axis = said.get("axis", 0)
    sizes = _setting(said, given, "split", 1)
    if sizes is None:
        size = -(-given[0].shape[axis] // convolving.whole(said["outputs"], 1, 256))
        return operators.apply(meter, "split", [given[0], size, axis], {})
    return operators.apply(meter, "split", [given[0], sizes, axis], {})


def _sliced(_: Meter, said: Attributes, given: list[Any]) -> Any:
    x = given[0]
    starts, stops = (_setting(said, given, n, i) or [] for n, i in (("starts", 1), ("ends", 2)))
    axes = _setting(said, given, "axes", 3) or list(range(len(starts)))
    steps = _setting(said, given, "steps", 4) or [1] * len(starts)
    for start, stop, axis, step in zip(starts, stops, axes, steps, strict=True):
        stop_at = None if step < 0 and stop < -x.shape[axis] else stop
        x = x[(slice(None),) * (axis % x.ndim) + (slice(start, stop_at, step),)]
    return x


def _squeezed(_: Meter, said: Attributes, given: list[Any]) -> Any:
    axes = _setting(said, given, "axes", 1)
    return np.squeeze(given[0], None if axes is None else tuple(axes))


def _unsqueezed(_: Meter, said: Attributes, given: list[Any]) -> Any:
    return np.expand_dims(given[0], tuple(_setting(said, given, "axes", 1) or ()))


def _gathered(meter: Meter, said: Attributes, given: list[Any]) -> Any:
    x, at = given
    axis = said.get("axis", 0)
    if axis == 0 and x.ndim == 2 and x.dtype.kind == "f":
        return operators.apply(meter, "embedding", [x, at], {})
    meter.room((*x.shape[:axis], *at.shape, *x.shape[axis + 1 :]))
    return x.take(at, axis=axis)


def _shape(_: Meter, said: Attributes, given: list[Any]) -> Any:
    return np.array(given[0].shape[said.get("start", 0) : said.get("end")], np.int64)


def _cast(_: Meter, said: Attributes, given: list[Any]) -> Any:
    if said["to"] not in _KINDS:
        raise StoppedError("its graph reckons in numbers of a kind that is not run here")
    return given[0].astype(_KINDS[said["to"]])


def _constant(_: Meter, said: Attributes, _given: list[Any]) -> Any:
    for name, kind in (("value", None), ("value_float", "f4"), ("value_floats", "f4")):
        if name in said:
            return np.asarray(said[name], kind)
    for name in ("value_int", "value_ints"):
        if name in said:
            return np.asarray(said[name], np.int64)
    raise StoppedError(f"its graph holds a Constant {_ODD}")


def _filled(meter: Meter, said: Attributes, given: list[Any]) -> Any:
    sizes = _listed(given[0])
    meter.room(sizes)
    value = said.get("value", np.zeros(1, np.float32))
    return np.full(sizes, value.reshape(-1)[0], value.dtype)


def _expanded(meter: Meter, _: Attributes, given: list[Any]) -> Any:
    sizes = np.broadcast_shapes(given[0].shape, _lifted(meter, _listed(given[1])))
    meter.room(sizes)
    return np.broadcast_to(given[0], sizes)


def _lifted(meter: Meter, sizes: list[int]) -> tuple[int, ...]:
    if meter.batch and len(sizes) > 1 and sizes[0] == meter.batch[0]:
        return (meter.batch[1], *sizes[1:])
    return tuple(sizes)


def _tiled(meter: Meter, _: Attributes, given: list[Any]) -> Any:
    return operators.apply(meter, "repeat", [given[0], _listed(given[1])], {})


def _range(meter: Meter, _: Attributes, given: list[Any]) -> Any:
    return operators.apply(meter, "arange", [n.reshape(()).astype(np.int64) for n in given], {})


def _padded(meter: Meter, said: Attributes, given: list[Any]) -> Any:
    pads = _setting(said, given, "pads", 1) or []
    modes = {"constant": "", "reflect": "reflect", "edge": "edge", "wrap": "wrap"}
    mode = modes[said.get("mode", "constant")]
    if _at(given, 3) is not None:
        raise StoppedError(f"its graph holds padding {_ODD}")
    half = len(pads) // 2
    fill = _at(given, 2)
    value = float(said.get("value", 0.0)) if fill is None else float(np.asarray(fill).item())
    ends = list(zip(pads[:half], pads[half:], strict=True))
    return convolving.padded(meter, given[0], ends, value, mode)


def _resized(meter: Meter, said: Attributes, given: list[Any]) -> Any:
    odd = StoppedError(f"its graph holds a {said['op']} {_ODD}")
    x, old = given[0], said["op"] == "Upsample"
    scales, sizes = (_at(given, 1), None) if old else (_at(given, 2), _at(given, 3))
    scales = said.get("scales") if old and scales is None else scales
    if x.ndim != 4 or said.get("axes"):
        raise odd
    if scales is not None and np.size(scales) == 4:
        ratios = [float(n) for n in scales]
        wanted = [int(n * s) for n, s in zip(x.shape, ratios, strict=True)]
    else:
        wanted = _listed(sizes)
        wanted[:1] = _lifted(meter, wanted)[:1]
        ratios = [m / n for n, m in zip(x.shape, wanted, strict=True)]
    if ratios[:2] != [1.0, 1.0]:
        raise odd
    way = said.get("coordinate_transformation_mode", "asymmetric" if old else "half_pixel")
    half = way in ("half_pixel", "pytorch_half_pixel")
    mode = said.get("mode", "nearest")
    if mode == "nearest":
        rounded = said.get("nearest_mode", "floor" if old else "round_prefer_floor")
        # Enlarged by a whole number, centres that are rounded repeat each pixel.
        repeated = half and rounded.startswith("round") and all(r.is_integer() for r in ratios)
        if not repeated and (way, rounded) != ("asymmetric", "floor"):
            raise odd
        return operators.apply(meter, "upsample_nearest2d", [x, wanted[2:], *ratios[2:]], {})
    if mode not in ("linear", "bilinear") or not (half or way == "align_corners"):
        raise odd
    args = [x, wanted[2:], not half, *ratios[2:]]
    return operators.apply(meter, "upsample_bilinear2d", args, {})


def _unfolded(meter: Meter, said: Attributes, given: list[Any]) -> Any:
    """Channels made into pixels."""
    factor = convolving.whole(said["blocksize"], 1, 64)
    if said.get("mode", "DCR") == "CRD":
        return operators.apply(meter, "pixel_shuffle", [given[0], factor], {})
    n, channels, high, wide = given[0].shape
    split = given[0].reshape(n, factor, factor, channels // factor**2, high, wide)
    return split.transpose(0, 3, 4, 1, 5, 2).reshape(n, -1, high * factor, wide * factor)


_SAME: Final = {
    "Relu": "relu",
    "Tanh": "tanh",
    "Sigmoid": "sigmoid",
    "Softsign": "softsign",
    "Softplus": "softplus",
    "Mish": "mish",
    "HardSwish": "hardswish",
    "Erf": "erf",
    "Add": "add",
    "Sub": "sub",
    "Mul": "mul",
    "Pow": "pow",
    "MatMul": "matmul",
    "Sqrt": "sqrt",
    "Exp": "exp",
    "Log": "log",
    "Neg": "neg",
    "Abs": "abs",
    "Sin": "sin",
    "Cos": "cos",
    "Floor": "floor",
    "Ceil": "ceil",
    "Reciprocal": "reciprocal",
    "Where": "where",
    "Equal": "eq",
    "Less": "lt",
    "Greater": "gt",
    "LessOrEqual": "le",
    "GreaterOrEqual": "ge",
}
TABLE: Final[dict[str, Operator]] = {
    **{name: _named(torch) for name, torch in _SAME.items()},
    "Swish": _named("silu"),
    "Mod": _named("remainder"),
    "Identity": lambda _, _said, given: given[0],
    "Not": lambda _, _said, given: np.logical_not(given[0]),
    "And": lambda _, _said, given: np.logical_and(*given),
    "Gemm": _gemm,
    "Conv": _conv,
    "ConvTranspose": _conv_transposed,
    "BatchNormalization": _batch_norm,
    "InstanceNormalization": _instance_norm,
    "LayerNormalization": _layer_norm,
    "AveragePool": _pooled("avg_pool2d"),
    "MaxPool": _pooled("max_pool2d"),
    "GlobalAveragePool": _pooled_whole("mean"),
    "GlobalMaxPool": _pooled_whole("amax"),
    "Div": _divided,
    "PRelu": _prelu,
    "LeakyRelu": _leaky,
    "Elu": _elu,
    "Selu": _selu,
    "HardSigmoid": _hard_sigmoid,
    "Gelu": _gelu,
    "Softmax": _softmax,
    "Clip": _clipped,
    "Max": _merged("maximum"),
    "Min": _merged("minimum"),
    "Sum": _merged("add"),
    "ReduceMean": _reduced("mean"),
    "ReduceSum": _reduced("sum"),
    "ReduceMax": _reduced("amax"),
    "ReduceMin": _reduced("amin"),
    "ReduceL2": _norm,
    "Dropout": _dropped,
    "Reshape": _reshaped,
    "Flatten": _flattened,
    "Transpose": _turned,
    "Concat": _joined,
    "Split": _split,
    "Slice": _sliced,
    "Squeeze": _squeezed,
    "Unsqueeze": _unsqueezed,
    "Gather": _gathered,
    "Shape": _shape,
    "Cast": _cast,
    "Constant": _constant,
    "ConstantOfShape": _filled,
    "Expand": _expanded,
    "Tile": _tiled,
    "Range": _range,
    "Pad": _padded,
    **dict.fromkeys(("Resize", "Upsample"), _resized),
    "DepthToSpace": _unfolded,
}
