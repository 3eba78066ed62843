"""What a state dict does not say, and what it may be: activations, strides, upsampling."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from gandoctor.checkpoint.layers import Op
from gandoctor.checkpoint.parts import channels_of, gap_between

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
UPS: Final = ("nearest", "bilinear", "corners")
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


def up(mode: str = UPS[0], factor: int = 2) -> Op:
    """What makes pictures larger."""
    return Op("up", {}, {"factor": factor, "mode": mode})


def between(
    before: Part | None, part: Part, usual: str, scaled: str = "", *, wide: bool = True
) -> Iterator[tuple[Op, ...]]:
    """What may stand before a part, the likeliest first.

    Parameters
    ----------
    before : Part or None
        The part before it.
    part : Part
    usual : str
        The activation that was found so far; empty where none was.
    scaled : str
        The way of enlarging that was found so far.
    wide : bool
        Whether rare activations are tried, too.
    """
    if before is None or part.kind == "join":
        yield ()
        return
    gap = gap_between(before, part)
    names = list(
        dict.fromkeys([*([usual] if usual else ()), *(HIDDEN if wide else HIDDEN[:USUAL])])
    )
    acts = [(act(n),) for n in names]
    modes = dict.fromkeys([*([scaled] if scaled else ()), *UPS[: None if wide else 2]])
    ups = [up(m) for m in modes]
    if part.kind == "branch":
        yield from [(), *acts] if part.early else [*acts, ()]
    elif (before.kind == "branch" and part.kind == "norm") or gap == 0:
        yield ()
    elif part.kind == "norm" and before.kind not in ("linear", "conv"):
        yield ()
        yield from acts
    elif part.kind == "norm":
        made = before.arrays["weight"].shape[: 1 if before.kind == "linear" else 2]
        channels = channels_of(part)
        # What changes the shape alone has no weights either.
        if gap is None or channels not in made or 4 * channels in made:
            yield ()
        yield from acts
    else:
        # A layer that changes the shape may stand in the gap, too.
        late = before.kind == "branch" and not before.early
        scales = part.kind == "conv" and part.arrays["weight"].shape[2] % 2 == 1
        if late or (part.kind == "conv" and before.kind == "linear"):
            yield ()
            yield from ((u,) for u in ups if scales)
        for a in acts:
            grown = [(*a, u) for u in ups] if scales and gap != 1 else []
            yield from [a, *grown] if gap is None else [*grown, a]
        if gap is None:
            yield ()
        if scales and before.kind != "linear":
            yield from ((u,) for u in ups)


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
        shaped = reshaped(shape, channels)
        if shaped is None:
            continue
        first = _to(shape, shaped)
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


def reshaped(shape: tuple[int, ...], channels: int) -> tuple[int, ...] | None:
    """Samples as pictures of so many channels; None where they cannot be.

    Four times as many channels become pixels.
    """
    if len(shape) == 3:
        if shape[0] == channels:
            return shape
        return (channels, 2 * shape[1], 2 * shape[2]) if shape[0] == 4 * channels else None
    side = math.isqrt(shape[0] // channels) if channels else 0
    return (channels, side, side) if side and channels * side * side == shape[0] else None


def _to(shape: tuple[int, ...], shaped: tuple[int, ...]) -> tuple[Op, ...]:
    """What makes pictures of one shape into those of another, as `reshaped` has it."""
    if shape == shaped:
        return ()
    if len(shape) == 3:
        return (Op("shuffle", {}, {"factor": 2}),)
    return (Op("reshape", {}, {"shape": shaped}),)


def fits(channels: int, shape: tuple[int, ...]) -> tuple[Op, ...] | None:
    """What must stand before a norm, or a branch, of so many channels; None where none can be."""
    if shape[0] == channels:
        return ()
    shaped = reshaped(shape, channels)
    return None if shaped is None else _to(shape, shaped)
