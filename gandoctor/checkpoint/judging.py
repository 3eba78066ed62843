"""The discriminator of a checkpoint, run on real data and on what its own generator draws.

Where the file holds its graph, it runs as that says. Else nothing tells its activations, and its
norms saw both kinds of pictures: it is built in every usual way, and only what all of them agree on
is said. Both by ranks, whatever its output means. Batch norms that are built take the statistics
of real data and of samples apart, as they do in training.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.checkpoint import choices, layers
from gandoctor.checkpoint.layers import Op
from gandoctor.checkpoint.parts import Part, UnlikeError, channels_of, gap_between, taken_apart
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from gandoctor.checkpoint.contents import Network

    Floats = NDArray[np.float32]

_ACTS: Final = ("leakyrelu 0.2", "relu", "leakyrelu 0.01", "leakyrelu 0.1", "elu")
# Stride and padding of a convolution by the size of its kernel, the likeliest first.
_WAYS: Final = {
    1: ((1, 0),),
    3: ((1, 1), (2, 1), (1, 0)),
    4: ((2, 1), (1, 0)),
    5: ((2, 2), (1, 2), (2, 1), (1, 0)),
    7: ((1, 3), (2, 3)),
}
_MOST_BUILT: Final = 3  # ways to put strides together
_MOST_SEEN: Final = 5_000  # steps on the way to them
_LEAST: Final = 32  # examples of each kind
_MOST: Final = 128
_MOST_COST: Final = 4e10  # multiplications of all ways
_AGREE: Final = 0.1  # within which ways agree
_DEAD: Final = 1e-5  # spread of answers over their size, below which they are one


@dataclass(frozen=True, slots=True)
class Answers:
    """What a discriminator says of real examples and of drawn ones.

    Attributes
    ----------
    told_apart : float
        Chance that it puts a real example above a drawn one.
    dead : bool
        Whether it gives one answer to everything.
    ways : int
        In how many ways it was built; all of them agree.
    """

    told_apart: float
    dead: bool
    ways: int


@np.errstate(all="ignore")
def answers(network: Network, real: Floats, drawn: Floats, activation: str = "") -> Answers:
    """Ask a discriminator.

    Parameters
    ----------
    network : Network
    real, drawn : ndarray of float32, shapes (n, ...)
        In the units in which the generator draws.
    activation : str
        As `layers.ACTIVATIONS` names it, where a config says it.

    Raises
    ------
    UnlikeError
        It is not built as those that are run here, or the ways it may be built in disagree.
    """
    if min(len(real), len(drawn)) < _LEAST:
        raise UnlikeError("there are too few examples")
    if network.plan is not None:
        return _as_its_graph_says(network, real[:_MOST], drawn[:_MOST])
    parts = taken_apart(network)
    if any(p.kind == "embedding" for p in parts):
        raise UnlikeError("it takes classes, too")
    both = [_shaped(x[:_MOST], parts[0]) for x in (real, drawn)]
    names = (activation,) if activation in layers.ACTIVATIONS else _ACTS
    told: list[float] = []
    dead: list[bool] = []
    left = _MOST_COST
    for ops in _built(parts, tuple(both[0].shape[1:])):
        left -= _cost(ops, both[0][:1]) * (len(both[0]) + len(both[1])) * len(names)
        if left < 0 and told:
            break
        for name in names:
            way = [Op("act", {}, {"name": name}) if o.kind == "act" else o for o in ops]
            of_real, of_drawn = (_scores(way, x) for x in both)
            told.append(_above(of_real, of_drawn))
            dead.append(_is_dead(of_real, of_drawn))
    if not told:
        raise UnlikeError("its layers do not follow one another")
    if not all(map(math.isfinite, told)):
        raise UnlikeError("its answers are no numbers")
    if all(dead):
        return Answers(0.5, dead=True, ways=len(told))
    if any(dead) or max(told) - min(told) > _AGREE:
        raise UnlikeError("the ways it may have been built in disagree")
    return Answers(float(np.median(told)), dead=False, ways=len(told))


def _as_its_graph_says(network: Network, real: Floats, drawn: Floats) -> Answers:
    from gandoctor.checkpoint.graphs import feeding

    both = (feeding.scores(network, x) for x in (real, drawn))
    of_real, of_drawn = (s.reshape(len(s), -1).mean(axis=1, dtype=np.float64) for s in both)
    told = _above(of_real, of_drawn)
    if not math.isfinite(told):
        raise UnlikeError("its answers are no numbers")
    dead = _is_dead(of_real, of_drawn)
    return Answers(0.5 if dead else told, dead=dead, ways=1)


def _is_dead(of_real: NDArray[np.float64], of_drawn: NDArray[np.float64]) -> bool:
    them = np.concatenate([of_real, of_drawn])
    return bool(them.std() <= _DEAD * np.abs(them).max())


def _shaped(x: Floats, first: Part) -> Floats:
    """Examples as a first layer takes them."""
    if first.kind == "linear":
        return x.reshape(len(x), -1)
    if first.kind != "conv":
        raise UnlikeError("its first layer is a norm")
    if x.ndim == 4:
        return x
    square = choices.reshaped(x.shape[1:], first.arrays["weight"].shape[1])
    if square is None:
        raise UnlikeError("its input does not fit the samples")
    return x.reshape(len(x), *square)


def _scores(ops: Sequence[Op], x: Floats) -> NDArray[np.float64]:
    found = layers.run(ops, x, by_batch=True).reshape(len(x), -1)
    scores: NDArray[np.float64] = found.mean(axis=1, dtype=np.float64)
    return scores


def _above(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Chance that one of `a` is larger than one of `b`."""
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return math.nan
    more, same = a[:, None] > b[None, :], a[:, None] == b[None, :]
    return float(more.mean() + 0.5 * same.mean())


def _cost(ops: Sequence[Op], x: Floats) -> float:
    return float(sum(layers.cost(op, y.shape[1:]) for op, _, y in layers.trace(ops, x)))


def _built(parts: Sequence[Part], shape: tuple[int, ...]) -> list[list[Op]]:
    """The likeliest ways strides and padding fit; activations, without a name, in their place.

    One answer to a picture goes before many, and of the usual strides as many as can be.
    """
    stack: list[tuple[int, tuple[int, ...], list[Op], int]] = [(0, shape, [], 0)]
    found: list[tuple[tuple[bool, int], list[Op]]] = []
    for _ in range(_MOST_SEEN):
        if not stack:
            break
        at, here, ops, odd = stack.pop()
        if at == len(parts):
            if here[0] == 1:
                found.append(((math.prod(here) > 1, odd), ops))
            continue
        gap = gap_between(parts[at - 1], parts[at]) if at else 0
        act = [Op("act", {}, {"name": "none"})] if gap != 0 and parts[at].kind != "norm" else []
        for i, (made, there) in reversed(list(enumerate(_applied(parts[at], here)))):
            stack.append((at + 1, there, [*ops, *act, *made], odd + (i > 0)))
    best = min((rank for rank, _ in found), default=None)
    return [ops for rank, ops in found if rank == best][:_MOST_BUILT]


def _applied(part: Part, shape: tuple[int, ...]) -> Iterator[tuple[list[Op], tuple[int, ...]]]:
    """The ways a layer fits samples of a shape, and the shape of what comes out."""
    arrays = {k: v for k, v in part.arrays.items() if k in ("weight", "bias")}
    if part.kind == "norm":
        if channels_of(part) == shape[0]:
            yield [Op("norm", part.arrays, {"eps": 1e-5})], shape
        return
    weight = part.arrays["weight"]
    if part.kind == "linear":
        if math.prod(shape) == weight.shape[1]:
            yield [Op("flatten", {}, {}), Op("linear", arrays, {})], (len(weight),)
        elif len(shape) == 3 and shape[0] == weight.shape[1]:  # summed over all places
            yield [Op("sum", {}, {}), Op("linear", arrays, {})], (len(weight),)
        return
    if part.kind != "conv" or len(shape) != 3 or weight.shape[1] != shape[0]:
        return
    size = weight.shape[2]
    for stride, pad in _WAYS.get(size, ()):
        sides = [(n + 2 * pad - size) // stride + 1 for n in shape[1:]]
        if weight.shape[3] == size and min(sides) > 0:
            op = Op("conv", arrays, {"stride": stride, "pad": pad})
            yield [op], (len(weight), *sides)
