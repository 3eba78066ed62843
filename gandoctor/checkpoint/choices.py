"""What a state dict does not say, and what it may be: activations, strides, upsampling."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from gandoctor.checkpoint.layers import Op

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gandoctor.checkpoint.parts import Part

# The likeliest first; those beyond the first few are tried where none of the first agrees.
HIDDEN: Final = (
    *("relu", "leakyrelu 0.2", "leakyrelu 0.01", "tanh", "elu", "silu", "selu", "leakyrelu 0.1"),
    *("sigmoid", "softplus", "gelu"),
)
USUAL: Final = 5
# Those that are all tried where nothing can tell.
ALONE: Final = ("relu", "leakyrelu 0.2", "tanh", "elu", "sigmoid", "silu")
EPSILONS: Final = (1e-5, 0.8, 1e-3)
USUAL_EPSILONS: Final = 2
NOISES: Final = ("normal", "uniform", "uniform 0 to 1")
# Stride, padding and output padding of a transposed convolution by the size of its kernel.
_TRANSPOSED: Final = {
    1: ((1, 0, 0),),
    2: ((2, 0, 0),),
    3: ((1, 1, 0), (2, 1, 1), (2, 1, 0), (2, 0, 0), (1, 0, 0)),
    4: ((2, 1, 0), (1, 0, 0)),
    5: ((2, 2, 1), (1, 2, 0), (2, 1, 0), (1, 0, 0)),
    6: ((2, 2, 0), (1, 0, 0)),
    7: ((1, 0, 0), (2, 3, 1), (1, 3, 0)),
    8: ((2, 3, 0), (4, 2, 0)),
}
_CONVOLVED: Final = {
    1: ((1, 0),),
    3: ((1, 1), (1, 0)),
    4: ((2, 1), (1, 0)),
    5: ((1, 2), (1, 0)),
    7: ((1, 3), (1, 0)),
    9: ((1, 4),),
}


def act(name: str) -> Op:
    """An activation."""
    return Op("act", {}, {"name": name})


def up() -> Op:
    """Every pixel twice in both directions."""
    return Op("up", {}, {"factor": 2})


def between(
    before: Part | None, part: Part, usual: str, *, wide: bool = True
) -> Iterator[tuple[Op, ...]]:
    """What may stand before a part, the likeliest first.

    Parameters
    ----------
    before : Part or None
        The part before it.
    part : Part
    usual : str
        The activation that was found so far; empty where none was.
    wide : bool
        Whether rare activations are tried, too.
    """
    if before is None:
        yield ()
        return
    gap = _gap(before, part)
    names = list(
        dict.fromkeys([*([usual] if usual else ()), *(HIDDEN if wide else HIDDEN[:USUAL])])
    )
    acts = [(act(n),) for n in names]
    if gap == 0:
        yield ()
    elif part.kind == "norm":
        shaped = before.kind == "linear" and len(before.arrays["weight"]) != _channels(part)
        if gap is None or shaped:  # what changes the shape alone has no weights either
            yield ()
        yield from acts
    else:
        # A layer that changes the shape may stand in the gap, too.
        if part.kind == "conv" and before.kind == "linear":
            yield ()
        scales = part.kind == "conv" and part.arrays["weight"].shape[2] % 2 == 1
        grown = [(*a, up()) for a in acts] if scales else []
        if gap is None:
            yield from acts
            yield from grown
            yield ()
        elif gap == 1:
            yield from acts
        else:
            yield from grown
            yield from acts
        if scales:
            yield (up(),)


def _channels(norm: Part) -> int:
    return len(norm.arrays["weight"] if "weight" in norm.arrays else norm.arrays["mean"])


def _gap(before: Part, part: Part) -> int | None:
    """Modules without weights between two parts; None where the names do not tell."""
    (folder, first), (other, second) = before.place, part.place
    if first is None or second is None or folder != other:
        return None
    return max(0, second - first - 1)


def shapes_of(part: Part, shape: tuple[int, ...], *, wide: bool = True) -> Iterator[tuple[Op, ...]]:
    """The ways a part may be applied to samples of a shape, the likeliest first.

    Parameters
    ----------
    part : Part
    shape : tuple of int
        Of one sample: (features,) or (channels, height, width).
    wide : bool
        Whether rare strides and paddings are tried, too.
    """
    most = None if wide else 1 + (part.kind == "conv" and part.arrays["weight"].shape[2] == 3)
    weight = part.arrays["weight"]
    arrays = {k: v for k, v in part.arrays.items() if k in ("weight", "bias")}
    if part.kind == "linear":
        if math.prod(shape) == weight.shape[1]:
            flat = (Op("flatten", {}, {}),) if len(shape) > 1 else ()
            yield (*flat, Op("linear", arrays, {}))
        return
    size = weight.shape[2]
    if weight.shape[3] != size:
        return
    ways = [True, False] if part.named_transposed or size % 2 == 0 else [False, True]
    for transposed in ways:
        channels = weight.shape[0 if transposed else 1]
        shaped = _reshaped(shape, channels)
        if shaped is None:
            continue
        first = (Op("reshape", {}, {"shape": shaped}),) if shaped != shape else ()
        if transposed:
            if "bias" in arrays and len(arrays["bias"]) != weight.shape[1]:
                continue
            for stride, pad, extra in _of_transposed(size, shaped[1])[:most]:
                numbers = {"stride": stride, "pad": pad, "extra": extra}
                yield (*first, Op("convt", arrays, numbers))
        elif "bias" not in arrays or len(arrays["bias"]) == weight.shape[0]:
            for stride, pad in _CONVOLVED.get(size, ())[:most]:
                if shaped[1] + 2 * pad >= size:
                    yield (*first, Op("conv", arrays, {"stride": stride, "pad": pad}))


def _of_transposed(size: int, side: int) -> tuple[tuple[int, int, int], ...]:
    if side == 1 and size > 1:  # the noise as one pixel
        return ((1, 0, 0), *(_TRANSPOSED.get(size, ())[:1]))
    return _TRANSPOSED.get(size, ())


def _reshaped(shape: tuple[int, ...], channels: int) -> tuple[int, ...] | None:
    """Samples as pictures of so many channels; None where they cannot be."""
    if len(shape) == 3:
        return shape if shape[0] == channels else None
    side = math.isqrt(shape[0] // channels) if channels else 0
    return (channels, side, side) if side and channels * side * side == shape[0] else None


def fits(part: Part, shape: tuple[int, ...]) -> Op | bool | None:
    """Whether a norm can be applied to samples of a shape: True, a reshape before it, or None."""
    channels = _channels(part)
    if shape[0] == channels:
        return True
    shaped = _reshaped(shape, channels) if len(shape) == 1 else None
    return Op("reshape", {}, {"shape": shaped}) if shaped else None
