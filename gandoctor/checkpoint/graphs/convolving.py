"""Convolutions, pooling, enlarging and padding as torch's graphs have them, in numpy."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gandoctor.checkpoint import layers
from gandoctor.checkpoint.graphs.meter import StoppedError
from gandoctor.checkpoint.layers import Op

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from gandoctor.checkpoint.graphs.meter import Meter

    Floats = NDArray[np.float32]

_MOST_STEP: Final = 256  # stride, dilation, enlarging
_ODD_POOL: Final = "its graph holds pooling of a kind that is not run here"
_MOST_PADDED: Final = 4_096
_MOST_KERNEL: Final = 4_096  # places
_MOST_GROUPS: Final = 4_096


def whole(value: object, low: int, high: int) -> int:
    """A whole number within bounds.

    Raises
    ------
    ValueError
        It is none.
    """
    if isinstance(value, np.ndarray | np.integer) and np.size(value) == 1:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(value)
    return value


def pair(value: Any, usual: int, low: int, high: int, sides: int = 2) -> tuple[int, int]:
    """A setting along both sides; of rows alone `usual` stands for the height."""
    them = list(value) if isinstance(value, list | tuple) else [value] * sides
    if not them:
        return usual, usual
    if len(them) == 1:
        them = them * sides
    both = tuple(whole(v, low, high) for v in them)
    if sides == 1:
        return usual, both[0]
    if len(both) != 2:
        raise ValueError(value)
    return both[0], both[1]


def conv(
    meter: Meter,
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: Any = 1,
) -> Any:
    """A convolution over rows or pictures."""
    flat, sides = x.ndim == 3, 1 if x.ndim == 3 else 2
    x, weight = _as_pictures(x, weight, dilation)
    step = pair(stride, 1, 1, _MOST_STEP, sides)
    high, wide = weight.shape[2:]
    if padding == "same":
        ends = [((k - 1) // 2, k - 1 - (k - 1) // 2) for k in (high, wide)]
    else:
        pads = pair(0 if padding == "valid" else padding, 0, 0, _MOST_PADDED, sides)
        ends = [(p, p) for p in pads]
    x = padded(meter, x, ends)
    groups = whole(groups, 1, _MOST_GROUPS)
    if x.ndim != 4 or high * wide > _MOST_KERNEL or x.shape[1] != weight.shape[1] * groups:
        raise ValueError
    # Of rows the height is one pixel, which any stride leaves.
    common = step[1] if flat or step[0] == step[1] else 1
    made = [
        (n - k) // (step[1] if common > 1 else 1) + 1
        for n, k in zip(x.shape[2:], (high, wide), strict=True)
    ]
    if min(made) < 1 or len(weight) % groups:
        raise ValueError
    meter.room((len(x), len(weight), *made))
    meter.work(weight.size * math.prod(made) * len(x))
    found = _by_groups("conv", x, weight, groups, {"stride": common, "pad": 0})
    if common == 1:
        found = found[:, :, :: 1 if flat else step[0], :: step[1]]
    return _finished(found, bias, flat)


def conv_transposed(
    meter: Meter,
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: Any = 1,
    dilation: Any = 1,
) -> Any:
    """A transposed convolution over rows or pictures."""
    flat, sides = x.ndim == 3, 1 if x.ndim == 3 else 2
    x, weight = _as_pictures(x, weight, dilation)
    step = pair(stride, 1, 1, _MOST_STEP, sides)
    pads = pair(padding, 0, 0, _MOST_PADDED, sides)
    extra = pair(output_padding, 0, 0, _MOST_STEP, sides)
    groups = whole(groups, 1, _MOST_GROUPS)
    size = weight.shape[2:]
    full = tuple((n - 1) * s + k for n, s, k in zip(x.shape[2:], step, size, strict=True))
    if x.ndim != 4 or math.prod(size) > _MOST_KERNEL or len(weight) != x.shape[1]:
        raise ValueError
    if not flat and step[0] != step[1]:
        raise StoppedError("its graph holds a transposed convolution of unequal strides")
    if groups > 1 and len(weight) % groups:
        raise ValueError
    made = [n + e for n, e in zip(full, extra, strict=True)]
    meter.room((len(x), weight.shape[1] * groups, *made))
    meter.work(weight.size * math.prod(x.shape[2:]) * len(x))
    numbers = {"stride": step[1], "pad": 0, "extra": 0}
    if not flat and pads[0] == pads[1] and extra[0] == extra[1]:
        numbers |= {"pad": pads[0], "extra": extra[0]}
        pads, extra = (0, 0), (0, 0)
    found = _by_groups("convt", x, weight, groups, numbers)
    found = padded(meter, found, [(0, e) for e in extra])
    sizes = [n - 2 * p for n, p in zip(found.shape[2:], pads, strict=True)]
    if min(sizes) < 1:
        raise ValueError
    cut = tuple(slice(p, p + n) for p, n in zip(pads, sizes, strict=True))
    return _finished(found[:, :, cut[0], cut[1]], bias, flat)


def _as_pictures(x: Floats, weight: Floats, dilation: Any) -> tuple[Floats, Floats]:
    """Rows as pictures of one pixel's height; the kernel with what lies between its places."""
    flat = x.ndim == 3
    steps = pair(dilation, 1, 1, _MOST_STEP, 1 if flat else 2)
    if flat:
        x, weight = x[:, :, None], weight[:, :, None]
    if steps == (1, 1):
        return x, weight
    sizes = [(k - 1) * d + 1 for k, d in zip(weight.shape[2:], steps, strict=True)]
    if math.prod(sizes) > _MOST_KERNEL:
        raise ValueError
    wide = np.zeros((*weight.shape[:2], *sizes), np.float32)
    wide[:, :, :: steps[0], :: steps[1]] = weight
    return x, wide


def _by_groups(
    kind: str, x: Floats, weight: Floats, groups: int, numbers: dict[str, int]
) -> Floats:
    many, each = len(weight) // groups, x.shape[1] // groups
    made = [
        layers.step(
            Op(kind, {"weight": weight[g * many : (g + 1) * many]}, numbers),
            x[:, g * each : (g + 1) * each],
        )
        for g in range(groups)
    ]
    return made[0] if groups == 1 else np.concatenate(made, axis=1)


def _finished(found: Floats, bias: Floats | None, flat: bool) -> Floats:
    found = found[:, :, 0] if flat else found
    if bias is not None:
        found = found + bias.reshape(1, -1, *(1,) * (found.ndim - 2))
    return np.ascontiguousarray(found)


def _any_conv(
    meter: Meter,
    x: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    transposed: bool,
    output_padding: Any,
    groups: Any,
    *_: Any,
) -> Any:
    if transposed:
        return conv_transposed(
            meter, x, weight, bias, stride, padding, output_padding, groups, dilation
        )
    return conv(meter, x, weight, bias, stride, padding, dilation, groups)


# ---------------------------------------------------------------- padding


def padded(
    meter: Meter, x: Floats, ends: Sequence[tuple[int, int]], value: float = 0.0, mode: str = ""
) -> Floats:
    """The last axes made longer (or shorter, by less than nothing) at both ends."""
    if all(a == b == 0 for a, b in ends):
        return x
    before = x.ndim - len(ends)
    sizes = [n + a + b for n, (a, b) in zip(x.shape[before:], ends, strict=True)]
    if min(sizes) < 1 or max(abs(n) for both in ends for n in both) > _MOST_PADDED:
        raise ValueError
    meter.room((*x.shape[:before], *sizes))
    cut = tuple(
        slice(max(0, -a), n - max(0, -b)) for n, (a, b) in zip(x.shape[before:], ends, strict=True)
    )
    widths = [(0, 0)] * before + [(max(0, a), max(0, b)) for a, b in ends]
    x = x[(slice(None),) * before + cut]
    if mode:
        return np.pad(x, widths, mode=mode)  # type: ignore[call-overload,no-any-return]
    return np.pad(x, widths, constant_values=value)


def _ends(pad: Any) -> list[tuple[int, int]]:
    """Torch's list of ends, the last axis first."""
    them = [whole(n, -_MOST_PADDED, _MOST_PADDED) for n in pad]
    if len(them) % 2:
        raise ValueError
    return [(them[i], them[i + 1]) for i in range(len(them) - 2, -1, -2)]


def _pad(meter: Meter, x: Any, pad: Any, mode: str = "constant", value: float | None = None) -> Any:
    names = {"constant": "", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}
    return padded(meter, x, _ends(pad), 0.0 if value is None else value, names[mode])


def _padded_by(mode: str) -> Callable[..., Any]:
    return lambda meter, x, pad: padded(meter, x, _ends(pad), mode=mode)


# ---------------------------------------------------------------- sizes


def _sides(
    x: Any, size: Any, scales: Sequence[Any] | None
) -> tuple[tuple[int, ...], tuple[float, ...]]:
    """The sides as they shall be, and old pixels for each new one."""
    before = x.shape[2:]
    if scales is not None and any(s is None for s in scales):
        scales = None
    if size is None:
        if scales is None:
            raise ValueError
        size = [int(n * float(s)) for n, s in zip(before, scales, strict=True)]
    sides = tuple(whole(n, 1, 1 << 16) for n in size)
    if len(sides) != len(before):
        raise ValueError
    if scales is not None and all(s > 0 for s in scales):
        return sides, tuple(1 / float(s) for s in scales)
    return sides, tuple(n / m for n, m in zip(before, sides, strict=True))


def nearest(meter: Meter, x: Any, size: Any = None, *scales: Any) -> Any:
    """Pictures, or rows, brought to another size by repeating what is there."""
    sides, ratios = _sides(x, size, _listed(scales))
    meter.room((*x.shape[:2], *sides))
    for axis, (count, ratio) in enumerate(zip(sides, ratios, strict=True), 2):
        at = np.floor(np.arange(count, dtype=np.float32) * np.float32(ratio)).astype(np.int64)
        x = x.take(np.minimum(at, x.shape[axis] - 1), axis=axis)
    return x


def bilinear(meter: Meter, x: Any, size: Any, corners: bool, *scales: Any) -> Any:
    """Pictures brought to another size, bilinear."""
    sides, ratios = _sides(x, size, _listed(scales))
    meter.room((*x.shape[:2], *sides))
    meter.room((max(sides), max(x.shape[2:])))
    meter.work(x.size * sides[1] + x.size // x.shape[2] * sides[0] * sides[1])
    return layers.resized(x, sides, ratios, corners=bool(corners))


def _listed(scales: Sequence[Any]) -> Sequence[Any] | None:
    """Scales as one list or one by one; None where there are none."""
    if len(scales) == 1 and isinstance(scales[0], list | tuple):
        return scales[0]
    return scales if scales and all(s is not None for s in scales) else None


def _shuffled(meter: Meter, x: Any, factor: Any) -> Any:
    factor = whole(factor, 1, 64)
    meter.room(x.shape)
    return np.ascontiguousarray(layers.step(Op("shuffle", {}, {"factor": factor}), x))


def _unshuffled(_: Meter, x: Any, factor: Any) -> Any:
    factor = whole(factor, 1, 64)
    n, channels, high, wide = x.shape
    split = x.reshape(n, channels, high // factor, factor, wide // factor, factor)
    return split.transpose(0, 1, 3, 5, 2, 4).reshape(
        n, channels * factor**2, high // factor, wide // factor
    )


def windows(meter: Meter, x: Any, kernel: tuple[int, int], step: tuple[int, int]) -> Any:
    """What each place of a kernel sees, shape (n, channels, height, width, kernel)."""
    if min(a - b for a, b in zip(x.shape[2:], kernel, strict=True)) < 0:
        raise ValueError
    seen = np.lib.stride_tricks.sliding_window_view(x, kernel, axis=(2, 3))
    seen = seen[:, :, :: step[0], :: step[1]]
    meter.room(seen.shape[:4])
    meter.work(seen.size)
    return seen


def _pooled(meter: Meter, x: Any, kernel: Any, stride: Any, padding: Any, fill: float = 0.0) -> Any:
    """What each place of a pool sees; without a stride its own size is one."""
    size = pair(kernel, 1, 1, _MOST_STEP)
    pads = pair(padding, 0, 0, _MOST_STEP)
    x = padded(meter, x, [(p, p) for p in pads], fill)
    return windows(meter, x, size, pair(stride, 1, 1, _MOST_STEP) if stride else size)


def _average(
    meter: Meter,
    x: Any,
    kernel: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil: bool = False,
    counted: bool = True,
    divisor: Any = None,
) -> Any:
    within = not counted and pair(padding, 0, 0, _MOST_STEP) != (0, 0)
    if ceil or divisor is not None or within:
        raise StoppedError(_ODD_POOL)
    return _pooled(meter, x, kernel, stride, padding).mean(axis=(-2, -1), dtype=np.float32)


def _most(
    meter: Meter,
    x: Any,
    kernel: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil: bool = False,
) -> Any:
    if ceil or pair(dilation, 1, 1, _MOST_STEP) != (1, 1):
        raise StoppedError(_ODD_POOL)
    return _pooled(meter, x, kernel, stride, padding, -np.inf).max(axis=(-2, -1))


def _average_to(meter: Meter, x: Any, size: Any) -> Any:
    """Averaged to a size by which the old one can be divided."""
    sides = [n if s is None else s for n, s in zip(x.shape[2:], _two(size), strict=True)]
    high, wide = (whole(s, 1, 1 << 16) for s in sides)
    if x.shape[2] % high or x.shape[3] % wide:
        raise StoppedError(_ODD_POOL)
    kernel = (x.shape[2] // high, x.shape[3] // wide)
    return windows(meter, x, kernel, kernel).mean(axis=(-2, -1), dtype=np.float32)


def _two(size: Any) -> list[Any]:
    return list(size) if isinstance(size, list | tuple) else [size, size]


TABLE: Final[dict[str, Callable[..., Any]]] = {
    **dict.fromkeys(("conv1d", "conv2d", "_convolution_mode"), conv),
    **dict.fromkeys(("conv_transpose1d", "conv_transpose2d"), conv_transposed),
    "_convolution": _any_conv,
    "convolution": _any_conv,
    "pad": _pad,
    "constant_pad_nd": lambda m, x, pad, value=0: _pad(m, x, pad, "constant", value),
    **{n: _padded_by("reflect") for n in ("reflection_pad1d", "reflection_pad2d")},
    **{n: _padded_by("edge") for n in ("replication_pad1d", "replication_pad2d")},
    **dict.fromkeys(("upsample_nearest1d", "upsample_nearest2d"), nearest),
    "upsample_bilinear2d": bilinear,
    "pixel_shuffle": _shuffled,
    "pixel_unshuffle": _unshuffled,
    "avg_pool2d": _average,
    "max_pool2d": _most,
    "adaptive_avg_pool2d": _average_to,
    "_adaptive_avg_pool2d": _average_to,
}
