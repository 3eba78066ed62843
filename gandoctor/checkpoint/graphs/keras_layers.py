"""The layers of Keras, in numpy: pictures of shape (n, height, width, channels), as it has them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gandoctor.checkpoint.graphs import convolving, operators
from gandoctor.checkpoint.graphs.meter import StoppedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from gandoctor.checkpoint.graphs.meter import Meter

    Config = Mapping[str, Any]
    Weights = Mapping[str, NDArray[Any]]
    Layer = Callable[["Meter", Config, Weights, list[Any]], Any]

# The variables of each layer in the order in which a file has them, those that may be missing with
# the setting that says so.
VARIABLES: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    **dict.fromkeys(
        ("Dense", "Conv2D", "Conv2DTranspose", "Convolution2D", "Deconvolution2D"),
        (("kernel", ""), ("bias", "use_bias")),
    ),
    "BatchNormalization": (
        *(("gamma", "scale"), ("beta", "center")),
        *(("moving_mean", ""), ("moving_variance", "")),
    ),
    **dict.fromkeys(
        ("LayerNormalization", "GroupNormalization"), (("gamma", "scale"), ("beta", "center"))
    ),
    "Embedding": (("embeddings", ""),),
    "PReLU": (("alpha", ""),),
}
_ODD: Final = "is of a kind that is not run here"


def channels_first(x: NDArray[Any]) -> NDArray[Any]:
    """Pictures as torch has them; what is flat stays as it is."""
    return np.ascontiguousarray(np.moveaxis(x, -1, 1)) if x.ndim > 2 else x


def channels_last(x: NDArray[Any]) -> NDArray[Any]:
    """Pictures as Keras has them; what is flat stays as it is."""
    return np.ascontiguousarray(np.moveaxis(x, 1, -1)) if x.ndim > 2 else x


def activated(meter: Meter, said: object, x: Any) -> Any:
    """An activation as a config names it.

    Raises
    ------
    StoppedError
        It is not known.
    """
    if isinstance(said, dict):
        inner = said.get("config")
        if said.get("class_name") in TABLE and isinstance(inner, dict):
            return TABLE[said["class_name"]](meter, inner, {}, [x])
        said = inner if isinstance(inner, str) else said.get("class_name")
    if said in (None, "linear"):
        return x
    if said == "leaky_relu":
        return operators.apply(meter, said, [x, 0.2], {})
    if said == "softmax":
        return operators.apply(meter, said, [x, -1], {})
    name = {"swish": "silu", "exponential": "exp"}.get(str(said), str(said))
    if name not in _PLAIN:
        raise StoppedError(f"its activation {str(said)[:40]} is not run here")
    return operators.apply(meter, name, [x], {})


_PLAIN: Final = frozenset(
    {"relu", "relu6", "tanh", "sigmoid", "elu", "selu", "silu", "gelu", "softplus", "softsign"}
    | {"exp", "mish", "log_sigmoid"}
)


def _odd(config: Config, name: str, *usual: object) -> None:
    """Refuse a setting that is none of the usual ones."""
    value = config.get(name, usual[0])
    if isinstance(value, list) and value and all(v == value[0] for v in value):
        value = value[0]
    if value not in usual:
        raise StoppedError(f"{str(config.get('name'))[:40]} {_ODD} ({name} {str(value)[:40]})")


def _dense(meter: Meter, config: Config, weights: Weights, given: list[Any]) -> Any:
    args = [given[0], weights["kernel"].T, weights.get("bias")]
    return activated(meter, config.get("activation"), operators.apply(meter, "linear", args, {}))


def _same(count: int, size: int, step: int) -> tuple[int, int]:
    """What is put before and behind a row for TensorFlow's ``same``."""
    total = max((-(-count // step) - 1) * step + size - count, 0)
    return total // 2, total - total // 2


def _conv(meter: Meter, config: Config, weights: Weights, given: list[Any]) -> Any:
    _odd(config, "data_format", "channels_last", None)
    kernel = weights["kernel"].transpose(3, 2, 0, 1)
    step = convolving.pair(config.get("strides", 1), 1, 1, 256)
    wide = convolving.pair(config.get("dilation_rate", 1), 1, 1, 256)
    x = channels_first(given[0])
    if config.get("padding", "valid") == "same":
        sizes = [(k - 1) * d + 1 for k, d in zip(kernel.shape[2:], wide, strict=True)]
        x = convolving.padded(
            meter, x, [_same(*them) for them in zip(x.shape[2:], sizes, step, strict=True)]
        )
    else:
        _odd(config, "padding", "valid")
    args = [x, kernel, weights.get("bias"), step, 0, wide, config.get("groups", 1)]
    made = channels_last(operators.apply(meter, "conv2d", args, {}))
    return activated(meter, config.get("activation"), made)


def _conv_transposed(meter: Meter, config: Config, weights: Weights, given: list[Any]) -> Any:
    _odd(config, "data_format", "channels_last", None)
    _odd(config, "output_padding", None)
    _odd(config, "dilation_rate", 1)
    kernel = weights["kernel"].transpose(3, 2, 0, 1)
    step = convolving.pair(config.get("strides", 1), 1, 1, 256)
    x = channels_first(given[0])
    same = config.get("padding", "valid") == "same"
    if not same:
        _odd(config, "padding", "valid")
    made = operators.apply(meter, "conv_transpose2d", [x, kernel, None, step], {})
    ends = []
    for n, k, s in zip(x.shape[2:], kernel.shape[2:], step, strict=True):
        before = max(k - s, 0) // 2 if same else 0
        wanted = n * s if same else (n - 1) * s + max(k, s)
        ends.append((-before, wanted - ((n - 1) * s + k) + before))
    made = channels_last(convolving.padded(meter, made, ends))
    if "bias" in weights:
        made = operators.apply(meter, "add", [made, weights["bias"]], {})
    return activated(meter, config.get("activation"), made)


def _batch_norm(meter: Meter, config: Config, weights: Weights, given: list[Any]) -> Any:
    x = given[0]
    _odd(config, "axis", -1, x.ndim - 1)
    _odd(config, "renorm", False)
    names = ("gamma", "beta", "moving_mean", "moving_variance")
    args = [channels_first(x), *(weights.get(n) for n in names), False, 0.0]
    made = operators.apply(meter, "batch_norm", [*args, float(config.get("epsilon", 1e-3))], {})
    return channels_last(made)


def _layer_norm(meter: Meter, config: Config, weights: Weights, given: list[Any]) -> Any:
    x = given[0]
    _odd(config, "axis", -1, x.ndim - 1)
    _odd(config, "rms_scaling", False)
    args = [x, [x.shape[-1]], weights.get("gamma"), weights.get("beta")]
    return operators.apply(meter, "layer_norm", [*args, float(config.get("epsilon", 1e-3))], {})


def _group_norm(meter: Meter, config: Config, weights: Weights, given: list[Any]) -> Any:
    x = given[0]
    _odd(config, "axis", -1, x.ndim - 1)
    groups = config.get("groups", 32)
    groups = x.shape[-1] if groups == -1 else convolving.whole(groups, 1, x.shape[-1])
    args = [channels_first(x), groups, weights.get("gamma"), weights.get("beta")]
    eps = float(config.get("epsilon", 1e-3))
    return channels_last(operators.apply(meter, "group_norm", [*args, eps], {}))


def _leaky(meter: Meter, config: Config, _: Weights, given: list[Any]) -> Any:
    slope = config.get("negative_slope", config.get("alpha", 0.3))
    return operators.apply(meter, "leaky_relu", [given[0], float(slope)], {})


def _relu(meter: Meter, config: Config, _: Weights, given: list[Any]) -> Any:
    _odd(config, "threshold", 0, 0.0, None)
    slope = config.get("negative_slope") or 0.0
    made = operators.apply(meter, "leaky_relu", [given[0], float(slope)], {})
    most = config.get("max_value")
    return made if most is None else operators.apply(meter, "clamp_max", [made, float(most)], {})


def _elu(meter: Meter, config: Config, _: Weights, given: list[Any]) -> Any:
    return operators.apply(meter, "elu", [given[0], float(config.get("alpha", 1.0))], {})


def _prelu(meter: Meter, _config: Config, weights: Weights, given: list[Any]) -> Any:
    x, alpha = given[0], weights["alpha"]
    meter.room(np.broadcast_shapes(x.shape, (1, *alpha.shape)))
    return np.where(x > 0, x, alpha * x)


def _softmax(meter: Meter, config: Config, _: Weights, given: list[Any]) -> Any:
    return operators.apply(meter, "softmax", [given[0], int(config.get("axis", -1))], {})


def _activation(meter: Meter, config: Config, _: Weights, given: list[Any]) -> Any:
    return activated(meter, config.get("activation"), given[0])


def _embedding(meter: Meter, config: Config, weights: Weights, given: list[Any]) -> Any:
    _odd(config, "mask_zero", False, None)
    return operators.apply(
        meter, "embedding", [weights["embeddings"], given[0].astype(np.int64)], {}
    )


def _reshape(_: Meter, config: Config, _weights: Weights, given: list[Any]) -> Any:
    return given[0].reshape(len(given[0]), *config["target_shape"])


def _flat(_: Meter, config: Config, _weights: Weights, given: list[Any]) -> Any:
    _odd(config, "data_format", "channels_last", None)
    return given[0].reshape(len(given[0]), -1)


def _permuted(_: Meter, config: Config, _weights: Weights, given: list[Any]) -> Any:
    return given[0].transpose(0, *config["dims"])


def _enlarged(meter: Meter, config: Config, _: Weights, given: list[Any]) -> Any:
    _odd(config, "data_format", "channels_last", None)
    _odd(config, "interpolation", "nearest", "bilinear")
    x = channels_first(given[0])
    factors = convolving.pair(config.get("size", 2), 1, 1, 256)
    if config.get("interpolation", "nearest") == "nearest":
        made = operators.apply(meter, "upsample_nearest2d", [x, None, list(factors)], {})
    else:
        args = [x, None, False, list(factors)]
        made = operators.apply(meter, "upsample_bilinear2d", args, {})
    return channels_last(made)


def _ends(value: Any) -> list[tuple[int, int]]:
    """Rows before and behind, above and below, as ``padding`` and ``cropping`` have them."""
    both = [value, value] if isinstance(value, int) else value
    pairs = [(v, v) if isinstance(v, int) else v for v in both]
    found = [(convolving.whole(a, 0, 4_096), convolving.whole(b, 0, 4_096)) for a, b in pairs]
    if len(found) != 2:
        raise ValueError
    return found


def _padded(meter: Meter, config: Config, _: Weights, given: list[Any]) -> Any:
    _odd(config, "data_format", "channels_last", None)
    x = channels_first(given[0])
    return channels_last(convolving.padded(meter, x, _ends(config.get("padding", 1))))


def _cropped(meter: Meter, config: Config, _: Weights, given: list[Any]) -> Any:
    _odd(config, "data_format", "channels_last", None)
    ends = [(-a, -b) for a, b in _ends(config.get("cropping", 0))]
    return channels_last(convolving.padded(meter, channels_first(given[0]), ends))


def _pooled(name: str) -> Layer:
    def run(meter: Meter, config: Config, _: Weights, given: list[Any]) -> Any:
        _odd(config, "data_format", "channels_last", None)
        _odd(config, "padding", "valid")
        size = list(convolving.pair(config.get("pool_size", 2), 1, 1, 256))
        args = [channels_first(given[0]), size, config.get("strides") or size]
        return channels_last(operators.apply(meter, name, args, {}))

    return run


def _pooled_whole(name: str) -> Layer:
    def run(meter: Meter, config: Config, _: Weights, given: list[Any]) -> Any:
        _odd(config, "data_format", "channels_last", None)
        kept = bool(config.get("keepdims", False))
        axes = list(range(1, given[0].ndim - 1))
        return operators.apply(meter, name, [given[0], axes, kept], {})

    return run


def _joined(meter: Meter, config: Config, _: Weights, given: list[Any]) -> Any:
    return operators.apply(meter, "cat", [given, int(config.get("axis", -1))], {})


def _merged(name: str) -> Layer:
    def run(meter: Meter, _config: Config, _: Weights, given: list[Any]) -> Any:
        made = given[0]
        for one in given[1:]:
            made = operators.apply(meter, name, [made, one], {})
        return made

    return run


def _averaged(meter: Meter, config: Config, weights: Weights, given: list[Any]) -> Any:
    return _merged("add")(meter, config, weights, given) / np.float32(len(given))


def _rescaled(meter: Meter, config: Config, _: Weights, given: list[Any]) -> Any:
    scale, offset = float(config["scale"]), float(config.get("offset", 0.0))
    if not (math.isfinite(scale) and math.isfinite(offset)):
        raise ValueError
    return operators.apply(meter, "add", [given[0] * np.float32(scale), offset], {})


def _idle(_: Meter, _config: Config, _weights: Weights, given: list[Any]) -> Any:
    return given[0]


TABLE: Final[dict[str, Layer]] = {
    "Dense": _dense,
    **dict.fromkeys(("Conv2D", "Convolution2D"), _conv),
    **dict.fromkeys(("Conv2DTranspose", "Deconvolution2D"), _conv_transposed),
    "BatchNormalization": _batch_norm,
    "LayerNormalization": _layer_norm,
    "GroupNormalization": _group_norm,
    "LeakyReLU": _leaky,
    "ReLU": _relu,
    "ELU": _elu,
    "PReLU": _prelu,
    "Softmax": _softmax,
    "Activation": _activation,
    "Embedding": _embedding,
    "Reshape": _reshape,
    "Flatten": _flat,
    "Permute": _permuted,
    "UpSampling2D": _enlarged,
    "ZeroPadding2D": _padded,
    "Cropping2D": _cropped,
    "AveragePooling2D": _pooled("avg_pool2d"),
    "MaxPooling2D": _pooled("max_pool2d"),
    "GlobalAveragePooling2D": _pooled_whole("mean"),
    "GlobalMaxPooling2D": _pooled_whole("amax"),
    "Concatenate": _joined,
    "Add": _merged("add"),
    "Subtract": _merged("sub"),
    "Multiply": _merged("mul"),
    "Maximum": _merged("maximum"),
    "Minimum": _merged("minimum"),
    "Average": _averaged,
    "Rescaling": _rescaled,
    **dict.fromkeys(
        ("Dropout", "SpatialDropout2D", "GaussianNoise", "GaussianDropout", "AlphaDropout"), _idle
    ),
    **dict.fromkeys(("ActivityRegularization", "InputLayer"), _idle),
}
