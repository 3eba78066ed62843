"""What the numbers of a network and of its optimiser tell, without running it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gandoctor.checkpoint.contents import trained
from gandoctor.checkpoint.tensors import Tensor
from gandoctor.errors import InputError
from gandoctor.patterns import late_pattern
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from gandoctor.checkpoint.contents import Network
    from gandoctor.checkpoint.optimisers import Optimiser

MOST_READ: Final = 384 << 20  # bytes of one network
_LEAST_CLIPPED: Final = 0.3  # share of a layer's weights at its largest: they were clipped
_LEAST_WEIGHTS: Final = 16
_POWER_STEPS: Final = 12
_TABLE: Final = late_pattern(r"emb|label|class", 2)
_MOST_CLASSES: Final = 2_000


@dataclass(frozen=True, slots=True)
class Weights:
    """Numbers of one network's weights.

    Attributes
    ----------
    parameters : int
    read : int
        Of them, that were looked at.
    broken : int
        NaN or infinite.
    broken_at : str
        The first tensor with such a number; empty where there is none.
    norm : float
        Of all finite weights together.
    top : float
        Largest singular value of any layer.
    clipped : float
        Share of weights at the largest one's absolute value, of the layer where it is least.
    clip_value : float
        That largest value, where it is the same in all layers and they are clipped; else NaN.
    silent : int
        Channels whose running variance is zero or not finite.
    """

    parameters: int
    read: int
    broken: int
    broken_at: str
    norm: float
    top: float
    clipped: float
    clip_value: float
    silent: int


@np.errstate(all="ignore")
def weigh(network: Network) -> Weights:
    """Look at a network's weights, as many of them as the budget allows."""
    read = broken = 0
    broken_at = ""
    square = top = 0.0
    shares: list[tuple[float, float]] = []
    for name, array in _arrays(network):
        finite = np.isfinite(array)
        bad = int(array.size - finite.sum())
        read += array.size
        if bad:
            broken += bad
            broken_at = broken_at or name
            continue
        square += float(np.square(array, dtype=np.float64).sum())
        if array.ndim >= 2 and array.size >= _LEAST_WEIGHTS:
            largest = float(np.abs(array).max())
            at_it = np.abs(np.abs(array) - largest) <= 1e-6 * largest
            shares.append((float(at_it.mean()) if largest > 0 else 1.0, largest))
            if not name.endswith(("_orig", "_bar", "original")):  # scaled as the layer is used
                top = max(top, _top(array.reshape(len(array), -1)))
    clipped, value = _clipping(shares)
    return Weights(
        network.parameters,
        read,
        broken,
        broken_at,
        math.sqrt(square),
        top,
        clipped,
        value,
        _silent(network),
    )


def _arrays(network: Network) -> Iterator[tuple[str, NDArray[Any]]]:
    left = MOST_READ
    seen = set()
    for name, tensor in trained(network):
        if tensor.identity() in seen or tensor.size * 8 > left:
            continue
        seen.add(tensor.identity())
        left -= tensor.size * 8
        try:
            yield name, tensor.read()
        except InputError:
            continue


def _top(matrix: NDArray[Any]) -> float:
    """Largest singular value, by a few steps of the power method."""
    small = matrix.astype(np.float64)
    v = np.random.default_rng(0).normal(size=(small.shape[1],))
    norm = 0.0
    for _ in range(_POWER_STEPS):
        u = small @ v
        v = small.T @ u
        norm = float(np.linalg.norm(v))
        if not norm > 0:
            return 0.0
        v = v / norm
    return math.sqrt(norm) if math.isfinite(norm) else math.inf


def _clipping(shares: list[tuple[float, float]]) -> tuple[float, float]:
    if not shares:
        return math.nan, math.nan
    least = min(s for s, _ in shares)
    values = [v for _, v in shares]
    same = max(values) - min(values) <= 1e-6 * max(values)
    return least, max(values) if same and max(s for s, _ in shares) > 0 and values[0] else math.nan


def _silent(network: Network) -> int:
    count = 0
    for name, tensor in network.tensors.items():
        if name.rpartition(".")[2] != "running_var" or not isinstance(tensor, Tensor):
            continue
        try:
            values = tensor.read()
        except InputError:
            continue
        usual = float(np.median(values)) if values.size else 0.0
        count += int((~(values > 1e-6 * usual) | ~np.isfinite(values)).sum())
    return count


# ---------------------------------------------------------------- two of them


def side_by_side(
    one: Mapping[str, Tensor], other: Mapping[str, Tensor], names: Iterable[str]
) -> Iterator[tuple[str, Any, Any]]:
    """Tensors of two networks by their names, as long as the bytes that may be read suffice.

    What cannot be read is passed over.
    """
    left = MOST_READ
    for name in names:
        left -= one[name].size * 16
        if left < 0:
            return
        try:
            yield name, one[name].read(), other[name].read()
        except InputError:
            continue


def gap(a: Network, b: Network) -> float:
    """Distance of two networks' weights over the first's norm; NaN where they differ in kind."""
    mine, other = dict(trained(a)), dict(trained(b))
    common = [n for n in mine if n in other and mine[n].shape == other[n].shape]
    if not common or len(common) * 2 < len(mine):
        return math.nan
    apart = norm = 0.0
    for _, x, y in side_by_side(mine, other, common):
        apart += float(np.square(x - y, dtype=np.float64).sum())
        norm += float(np.square(x, dtype=np.float64).sum())
    return math.sqrt(apart / norm) if norm > 0 else math.nan


@np.errstate(all="ignore")
def classes_alike(network: Network) -> float:
    """Least cosine between two rows of a table of classes; NaN where there is no such table."""
    found = math.nan
    for name, tensor in trained(network):
        stem, _, leaf = name.rpartition(".")
        shape = tensor.shape
        if leaf != "weight" or len(shape) != 2 or not _TABLE.search(stem):
            continue
        if f"{stem}.bias" in network.tensors or not 2 <= shape[0] <= _MOST_CLASSES:
            continue
        try:
            rows = tensor.read().astype(np.float64)
        except InputError:
            continue
        unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        least = float((unit @ unit.T).min())
        found = least if not least <= found else found
    return found


# ---------------------------------------------------------------- optimisers


@dataclass(frozen=True, slots=True)
class Course:
    """What an optimiser's state tells of the last steps.

    Attributes
    ----------
    steps : int or None
    untrained : tuple of str
        Parameters that never had a gradient.
    known : int
        Parameters with a state.
    first_to_last : float
        RMS gradient of the first layer over that of the last one; NaN where it is unknown.
    update : float
        Median over layers of the size of a step over the size of the weights.
    """

    steps: int | None
    untrained: tuple[str, ...]
    known: int
    first_to_last: float
    update: float


def joined(optimiser: Optimiser, networks: list[Network]) -> Network | None:
    """Whose parameters an optimiser moves: the network whose shapes follow in its order."""
    shapes = [
        state.shape
        for i in sorted(optimiser.states)
        if (state := _moment(optimiser.states[i])) is not None
    ]
    fit = [n for n in networks if shapes and [t.shape for _, t in trained(n)] == shapes]
    named = [n for n in fit if n.role == optimiser.role] if optimiser.role else fit
    plain = [n for n in named if not n.average]
    return next(iter(plain or named), None)


def _moment(state: dict[str, Any]) -> Tensor | None:
    for name in ("exp_avg_sq", "square_avg", "momentum_buffer", "exp_avg"):
        if isinstance(state.get(name), Tensor):
            found: Tensor = state[name]
            return found
    return None


@np.errstate(all="ignore")
def follow(optimiser: Optimiser, network: Network) -> Course:
    """What an optimiser knows of a network's last steps."""
    options = optimiser.options
    steps = optimiser.steps()
    beta2, lr = options.get("beta2", 0.999), options.get("lr", math.nan)
    correction = 1 - beta2 ** max(steps or 1, 1) if optimiser.kind == "Adam" else 1.0
    untrained: list[str] = []
    sizes: list[float] = []
    updates: list[float] = []
    order = [optimiser.states[i] for i in sorted(optimiser.states)]
    left = MOST_READ
    for state, (name, weight) in zip(order, trained(network), strict=False):
        square = state.get("exp_avg_sq", state.get("square_avg"))
        mean = state.get("exp_avg")
        left -= weight.size * 24
        if not isinstance(square, Tensor) or left < 0:
            continue
        try:
            v, w = square.read(), weight.read()
            m = mean.read() if isinstance(mean, Tensor) else None
        except InputError:
            continue
        if not v.any():
            untrained.append(name)
            continue
        if w.ndim >= 2:
            sizes.append(math.sqrt(float(np.mean(v, dtype=np.float64)) / correction))
            moved = 1.0
            if m is not None:
                moved = float(np.mean(np.abs(m) / (np.sqrt(v / correction) + 1e-8)))
            norm = math.sqrt(float(np.mean(np.square(w, dtype=np.float64))))
            updates.append(lr * moved / norm if norm > 0 else math.inf)
    first_to_last = sizes[0] / sizes[-1] if len(sizes) > 1 and sizes[-1] > 0 else math.nan
    update = float(np.median(updates)) if updates else math.nan
    return Course(steps, tuple(untrained), len(order), first_to_last, update)
