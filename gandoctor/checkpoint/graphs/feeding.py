"""What goes into a generator's graph, and the graph as a generator that can be run.

The graph says what is done; what goes in it says in part (a shape, whole numbers for classes). What
is left open is tried: the shapes that its weights allow. A graph that was saved for one size of
batch alone is run with others where both give the same, and else as it is.
"""

from __future__ import annotations

import itertools
import math
import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gandoctor.checkpoint import choices, layers, rebuilding
from gandoctor.checkpoint.graphs import programs
from gandoctor.checkpoint.graphs.borders import Input
from gandoctor.checkpoint.graphs.meter import MOST_VALUES, EnoughError, Meter, StoppedError
from gandoctor.checkpoint.layers import Op
from gandoctor.checkpoint.parts import MOST_BYTES, UnlikeError
from gandoctor.checkpoint.rebuilt import MOST_EACH, MOST_HELD, Hints, Latent, Rebuilt
from gandoctor.checkpoint.tensors import Tensor
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from gandoctor.checkpoint.contents import Network
    from gandoctor.checkpoint.graphs.borders import Program

    Floats = NDArray[np.float32]

_MOST_TRIED: Final = 60
_MOST_NOISE: Final = 1 << 16
_MOST_CLASSES: Final = 1_000
_MOST_BATCH: Final = 1 << 10  # samples that a graph may be fixed to
_MOST_OF_BATCH: Final = 1 << 22  # values of all their noise
_MOST_COST: Final = 4e10  # multiplications of all that a discriminator is asked
_TRIED: Final = 3  # samples of a first look
_CONFIRMED: Final = 2.4e9  # multiplications of the look that norms are asked by
_MOST_CONFIRMED: Final = 384
_LEAST_CONFIRMED: Final = 16
_MUCH: Final = 2e8  # multiplications of a sample beyond which rare noise is left out
_SAME: Final = 1e-4
_LABEL: Final = re.compile(r"label|class|^ys?$|one_?hot", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Feed:
    """What goes in where.

    Attributes
    ----------
    noise : int
        Which input the noise is.
    shape : tuple of int
        Of the noise of one sample.
    label : int or None
        Which input the class is.
    label_shape : tuple of int
        Of the class of one sample; one number a class where `hot`.
    hot : bool
    classes : int
        0 where nothing tells yet.
    """

    noise: int
    shape: tuple[int, ...]
    label: int | None = None
    label_shape: tuple[int, ...] = ()
    hot: bool = False
    classes: int = 0

    def given(self, x: Floats) -> list[NDArray[Any]]:
        """Inputs of flat noise, behind which stands a class as one number each."""
        size = math.prod(self.shape)
        found: list[NDArray[Any]] = [x[:, :size].reshape(len(x), *self.shape).astype(np.float32)]
        if self.label is not None:
            at = x[:, size:].argmax(axis=1) if x.shape[1] > size else np.zeros(len(x), np.int64)
            hot = np.eye(max(self.classes, 1), dtype=np.float32)[at]
            found.insert(self.label, hot if self.hot else at.reshape(len(x), *self.label_shape))
        return found


def rebuild(network: Network, hints: Hints) -> list[Rebuilt]:
    """The generator that the file's graph is: one, or one by each noise where nothing tells it.

    Parameters
    ----------
    network : Network
        With a plan.
    hints : Hints

    Raises
    ------
    UnlikeError
        Something in the graph is not run here, or what goes in cannot be told.
    """
    run = _Run(_program(network), network, hints)
    size = math.prod(run.feed.shape)
    table = np.eye(run.feed.classes, dtype=np.float32) if run.feed.classes else None
    joined = "noise first" if run.feed.classes else ""
    latents = [Latent((size,), noise, table, joined) for noise in choices.NOISES]
    # The first norm tells the noise, all of them whether it is so.
    first = [run.errors(latent, most=1) for latent in latents]
    kind = network.plan.kind if network.plan else ""
    ways = [Rebuilt(run.ops, z, e, graph=kind) for z, e in zip(latents, first, strict=True)]
    best = min(ways, key=lambda way: max(way.errors, default=0.0))
    if best.is_proved:
        best = Rebuilt(run.ops, best.latent, run.errors(best.latent), graph=kind)
    return [best] if best.is_proved else ways[: 2 if run.cost > _MUCH else None]


def _program(network: Network) -> Program:
    if network.plan is None:
        raise UnlikeError("the file holds no graph")
    if 4 * sum(t.size for t in network.tensors.values() if isinstance(t, Tensor)) > MOST_BYTES:
        raise UnlikeError("it is too large")
    return programs.of(network.plan)


class _Run:
    """A graph with what goes into it.

    Attributes
    ----------
    feed : Feed
    ops : tuple of Op
        The graph as one layer, and its last activation.
    """

    def __init__(self, program: Program, network: Network, hints: Hints) -> None:
        self.program = program
        self.batch: int | None = None  # the only size that the graph takes
        self.lifted: int | None = None  # the size that its shapes speak of
        faults: list[UnlikeError] = []
        for feed in itertools.islice(_feeds(program.inputs, network, hints), _MOST_TRIED):
            try:
                self.feed, last = self._fitted(feed)
                break
            except StoppedError:
                raise
            except UnlikeError as fault:
                faults.append(fault)
        else:
            raise faults[0] if faults else UnlikeError("what goes into it cannot be told")
        meter = Meter()
        count = self.batch or _TRIED
        self._passed(self._noise(count), meter)
        self.cost, self.made = meter.cost / count, meter.made // count
        numbers = {"run": self.before_last, "cost": self.cost, "largest": max(1, self.made // 4)}
        graph = Op("graph", {}, numbers)
        self._last = last
        self.ops = (graph, choices.act(last)) if last else (graph,)

    def _noise(self, count: int, seed: int = 0) -> Floats:
        latent = Latent((math.prod(self.feed.shape),))
        return latent.draw(count, np.random.default_rng(seed))

    def _fitted(self, feed: Feed) -> tuple[Feed, str]:
        """The feed with what a first look tells, and the last activation."""
        self.feed = feed
        size = self.program.inputs[feed.noise].shape
        fixed = size[0] if size and size[0] > 0 else None
        count = fixed or _TRIED
        if count > _MOST_BATCH or count * math.prod(feed.shape) > _MOST_OF_BATCH:
            raise UnlikeError("its batches are too large")
        meter = Meter(most_cost=MOST_EACH * count)
        x = self._noise(count)
        self.batch = fixed
        made = self._passed(x, meter)
        if feed.label is not None and not feed.hot:
            if not 0 < meter.classes <= _MOST_CLASSES:
                raise UnlikeError("the classes that go into it cannot be told")
            self.feed = feed = replaced(feed, classes=meter.classes)
        if fixed:
            self._freed(x, made, fixed)
        if meter.last and _is(made, meter.last[2]):
            name, before, after = meter.last
            if np.array_equal(layers.activated(name, before), after, equal_nan=True):
                return feed, name
        return feed, ""

    def _freed(self, x: Floats, made: Floats, fixed: int) -> None:
        """See whether a graph that was saved for one size of batch takes others."""
        other = fixed + 1
        fresh = self._noise(fixed, 1)
        whole = np.concatenate([made, self._passed(fresh, Meter())[:1]])
        more = np.concatenate([x, fresh[:1]])
        for lifted in (None, fixed):
            self.batch, self.lifted = None, lifted
            try:
                found = self._passed(more, Meter(most_cost=MOST_EACH * other))
            except UnlikeError:
                continue
            if found.shape == whole.shape and np.allclose(found, whole, _SAME, _SAME, True):
                return
        self.batch, self.lifted = fixed, None

    def _passed(self, x: Floats, meter: Meter) -> Floats:
        """What the graph makes of flat noise, in one pass."""
        if self.lifted:
            meter.batch = (self.lifted, len(x))
        return output(self.program.run(self.feed.given(x), meter), len(x))

    def before_last(self, x: Floats) -> Floats:
        """Samples before the last activation, where there is one."""
        if self.batch is None:
            return self._cut(x)
        count = -len(x) % self.batch
        whole = np.concatenate([x, x[np.arange(count) % len(x)]])
        parts = [self._cut(whole[i : i + self.batch]) for i in range(0, len(whole), self.batch)]
        return np.concatenate(parts)[: len(x)]

    def _cut(self, x: Floats) -> Floats:
        meter = Meter()
        made = self._passed(x, meter)
        if self._last and meter.last:
            made = meter.last[1].reshape(made.shape)
        return shaped(made)

    def errors(self, latent: Latent, most: int = 0) -> tuple[float, ...]:
        """Distances at the batch norms, on fresh noise; nothing where they cannot be asked.

        Of the first `most` norms, where that is not 0; what follows them is not run.
        """
        room = min(MOST_VALUES // max(self.made, 1), MOST_HELD)
        count = int(min(_MOST_CONFIRMED, max(_LEAST_CONFIRMED, _CONFIRMED // max(self.cost, 1))))
        count = self.batch or min(max(count, 4 * _LEAST_CONFIRMED) if most else count, room)
        if count < _LEAST_CONFIRMED:
            return ()
        meter = Meter(by_batch=True, judge=rebuilding.distance, most_norms=most or 1 << 20)
        try:
            self._passed(latent.draw(count, np.random.default_rng(1)), meter)
        except EnoughError:
            pass
        except UnlikeError:
            return ()
        return tuple(meter.errors)


def _is(made: Floats, other: Floats) -> bool:
    """Whether both are the same numbers, perhaps in another shape."""
    whole = made.flags.c_contiguous and other.flags.c_contiguous and made.size == other.size
    return made is other or (whole and made.ctypes.data == other.ctypes.data)


def replaced(feed: Feed, *, classes: int) -> Feed:
    """The same with so many classes."""
    import dataclasses

    return dataclasses.replace(feed, classes=classes)


def output(made: Any, count: int) -> Floats:
    """What a graph gives, if it is one sample for each that went in.

    Raises
    ------
    UnlikeError
        It is something else.
    """
    if isinstance(made, list | tuple) and made:
        made = made[0]
    if not isinstance(made, np.ndarray) or made.dtype.kind != "f":
        raise UnlikeError("what comes out of it is no sample")
    if not 2 <= made.ndim <= 4 or len(made) != count or not made.size:
        raise UnlikeError("what comes out of it is not one sample for each that goes in")
    return made


def shaped(made: Floats) -> Floats:
    """Samples as pictures, or flat."""
    return made if made.ndim == 4 else made.reshape(len(made), -1)


# ---------------------------------------------------------------- what may go in


def _feeds(inputs: Sequence[Input], network: Network, hints: Hints) -> Iterator[Feed]:
    """What may go in, the likeliest first.

    Raises
    ------
    UnlikeError
        It is no noise, or more than noise and a class.
    """
    if not 1 <= len(inputs) <= 2:
        raise UnlikeError(f"{len(inputs)} inputs go into it")
    labels = _labels(inputs)
    for label in labels:
        at = 0 if label is None else 1 - label
        for shape in _noises(inputs[at], network, hints):
            if label is None:
                yield Feed(at, shape)
                continue
            given = inputs[label].shape
            if given is not None and inputs[label].whole is False:
                if len(given) != 2 or not 2 <= given[1] <= _MOST_CLASSES:
                    raise UnlikeError("its classes go in in a way that is not known")
                yield Feed(at, shape, label, hot=True, classes=given[1])
            elif given is None or math.prod(given[1:]) == 1:
                yield Feed(at, shape, label, given[1:] if given is not None else ())


def _labels(inputs: Sequence[Input]) -> list[int | None]:
    """Which input may be the class."""
    if len(inputs) == 1:
        return [None]
    whole = [i for i, one in enumerate(inputs) if one.whole]
    named = [i for i, one in enumerate(inputs) if _LABEL.search(one.name)]
    if len(whole) == 1:
        return [whole[0]]
    if whole:
        raise UnlikeError("whole numbers alone go into it")
    if len(named) == 1:
        return [named[0]]
    if all(one.whole is False for one in inputs):
        raise UnlikeError("two inputs go into it, and which is the noise cannot be told")
    return [1, 0]


def _noises(one: Input, network: Network, hints: Hints) -> Iterator[tuple[int, ...]]:
    """Shapes that the noise of one sample may have."""
    if one.whole:
        raise UnlikeError("whole numbers alone go into it")
    if one.shape is not None:
        shape = one.shape[1:]
        if not shape or min(shape) < 1 or not 2 <= math.prod(shape) <= _MOST_NOISE:
            raise UnlikeError("its input is no noise")
        if len(shape) == 3 and shape[1] * shape[2] > 1:
            raise UnlikeError("its input is a picture, not noise")
        yield shape
        return
    sizes = _sizes(network, hints)
    yield from itertools.chain.from_iterable(((n,), (n, 1, 1)) for n in sizes)


def _sizes(network: Network, hints: Hints) -> list[int]:
    """How many values the noise may have, by the weights: the likeliest first."""
    shapes = [t.shape for t in network.tensors.values() if isinstance(t, Tensor)]
    found = [hints.latent_dim]
    tables = dict.fromkeys(s[1] for s in shapes[:8] if len(s) == 2)
    for shape in shapes[:24]:
        if len(shape) == 2:
            found += [shape[1], *(shape[1] - n for n in tables)]
        elif len(shape) == 4:
            found += shape[:2]
    return [n for n in dict.fromkeys(found) if 2 <= n <= _MOST_NOISE]


# ---------------------------------------------------------------- discriminators


def scores(network: Network, x: Floats) -> Floats:
    """What a discriminator's graph says of examples, shape (n, ...).

    Parameters
    ----------
    network : Network
        With a plan.
    x : ndarray, shape (n, ...)

    Raises
    ------
    UnlikeError
        Something in the graph is not run here, or the examples do not fit.
    """
    program = _program(network)
    if len(program.inputs) != 1:
        raise UnlikeError("it takes classes, too")
    size = program.inputs[0].shape
    count = size[0] if size and size[0] > 0 else 16
    if count > _MOST_BATCH:
        raise UnlikeError("its batches are too large")
    most = _MOST_COST * count / max(count, len(x))
    ways = [x, x.reshape(len(x), -1)] if x.ndim > 2 else [x]
    if size is not None and len(size) == 4 and x.ndim == 2 and min(size[1:]) > 0:
        ways = [x.reshape(len(x), *size[1:])] if math.prod(size[1:]) == x.shape[1] else []
    fault = UnlikeError("its input does not fit the samples")
    for given in ways:
        if size is not None and len(size) != given.ndim:
            continue
        whole = np.concatenate([given, given[np.arange(-len(given) % count) % len(given)]])
        try:
            parts = [
                output(_two_axes(program.run([whole[i : i + count]], Meter(most_cost=most))), count)
                for i in range(0, len(whole), count)
            ]
        except UnlikeError as why:
            fault = why
            continue
        return np.concatenate(parts)[: len(x)]
    raise fault


def _two_axes(made: Any) -> Any:
    """Scores that are one number each, as a column."""
    return made[:, None] if isinstance(made, np.ndarray) and made.ndim == 1 else made
