"""A generator rebuilt from its state dict, with the running statistics of its norms as referee.

Noise is pushed through each way the network may have been built; at each batch norm the batch's
statistics are compared with those that the training left there. The right way agrees, a wrong one
does not. Without such a norm nothing is proved, and nothing is claimed.
"""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gandoctor.checkpoint import choices, layers
from gandoctor.checkpoint.layers import Op
from gandoctor.checkpoint.parts import Part, UnlikeError, taken_apart
from gandoctor.checkpoint.rebuilt import AGREES, Hints, Latent, Rebuilt
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from gandoctor.checkpoint.contents import Network

    Floats = NDArray[np.float32]

MOST_SECONDS: Final = 10.0
_CLOSE: Final = 0.05  # one that is believed without a look at others, once a first was found
_WELL: Final = 0.2  # distance from which on rare ways are tried, too
_TIE: Final = 1.15
_MOST_TRIED: Final = 400  # ways of one stage
_STAGE: Final = 2e7  # multiplications of one look at a stage
_CONFIRMED: Final = 2.4e9  # and of the last look at all
_KEPT: Final = 2e8  # of what is carried on from one stage to the next
_CHANNELS: Final = 12  # that are looked at to tell ways apart
_MOST_SAMPLES: Final = 2_048
_FEW_SAMPLES: Final = 32
_PICTURE: Final = 16  # values from which on a flat sample is taken for a picture
_BEAM: Final = 2
_MOST_CLASSES: Final = 1_000


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """A way that was followed so far.

    Attributes
    ----------
    x : ndarray
        The batch as it is now.
    ops : tuple of Op
    errors : tuple of float
    act : str
        The activation found so far.
    eps : float
        Of the last norm.
    pending : Part or None
        A norm that was reached and whose epsilon is still open.
    thin : bool
        Whether only some channels of what the next judge sees are worked out.
    """

    latent: Latent
    x: Floats
    ops: tuple[Op, ...] = ()
    errors: tuple[float, ...] = ()
    act: str = ""
    eps: float = choices.EPSILONS[0]
    pending: Part | None = None
    thin: bool = False


def rebuild(network: Network, hints: Hints | None = None) -> list[Rebuilt]:
    """The ways a generator may have been built: one where the referee decides, else several.

    Parameters
    ----------
    network : Network
    hints : Hints, optional

    Raises
    ------
    UnlikeError
        It is not built as those that are rebuilt here, or no way agrees.
    """
    parts = taken_apart(network)
    hints = hints or Hints()
    embedding = next((p for p in parts if p.kind == "embedding"), None)
    chain = [p for p in parts if p is not embedding]
    if any(p.kind == "embedding" for p in chain):
        raise UnlikeError("it has several embeddings")
    search = _Search(chain, hints)
    latents = _latents(chain[0], embedding, hints)
    if any(p.is_judge for p in chain):
        return search.judged(latents)
    return search.unjudged(latents[0])


def _latents(first: Part, embedding: Part | None, hints: Hints) -> list[Latent]:
    """What may go in, the likeliest first."""
    weight = first.arrays.get("weight")
    if weight is None or first.kind == "norm":
        raise UnlikeError("its first layer is a norm")
    if first.kind == "conv":
        if embedding is not None or weight.shape[2] < 2:
            raise UnlikeError("its input is no noise")
        wide = [n for n in (weight.shape[0], weight.shape[1]) if n > 4]
        shapes = [(n, 1, 1) for n in dict.fromkeys(wide[:1])]
        return [Latent(s, noise) for s in shapes for noise in choices.NOISES]
    size = weight.shape[1]
    if embedding is None and 0 < hints.latent_dim < size <= hints.latent_dim + _MOST_CLASSES:
        codes = np.eye(size - hints.latent_dim, dtype=np.float32)  # classes without an embedding
        ways = ("noise first", "label first")
        known = (hints.latent_dim,)
        return [Latent(known, noise, codes, way) for noise in choices.NOISES for way in ways]
    if embedding is None:
        return [Latent((size,), noise) for noise in choices.NOISES]
    table = embedding.arrays["weight"]
    rest = size - table.shape[1]
    if rest > 0:
        return [
            Latent((rest,), noise, table, joined)
            for noise in choices.NOISES
            for joined in ("label first", "noise first")
        ]
    if rest == 0:
        return [Latent((size,), noise, table, "product") for noise in choices.NOISES]
    raise UnlikeError("its embedding does not fit its input")


class _Search:
    """Tries the ways a chain of parts may be put together."""

    def __init__(self, chain: list[Part], hints: Hints) -> None:
        self.chain = chain
        self.hints = hints
        self.wide = True
        self.until = time.process_time() + MOST_SECONDS

    def judged(self, latents: Sequence[Latent]) -> list[Rebuilt]:
        """The way that agrees with the running statistics, by each output it may have."""
        rng = np.random.default_rng(0)
        states = [
            _State(latent, latent.draw(_MOST_SAMPLES, rng), act=self.hints.activation)
            for latent in latents
        ]
        at = 0
        for end in [i for i, p in enumerate(self.chain) if p.is_judge]:
            states = self._stage(states, at, end)
            at = end + 1
        best = states[0]
        tail = next(self._ways(best, at, len(self.chain)), None)
        if tail is None:
            raise UnlikeError("what follows its last norm does not fit")
        tail = _settled(tail, tail.eps)
        errors = self._confirmed(tail)
        return [Rebuilt((*tail.ops, *last), tail.latent, errors) for last in self._outputs(tail)]

    def unjudged(self, latent: Latent) -> list[Rebuilt]:
        """The ways that custom knows, where nothing can prove one of them."""
        rng = np.random.default_rng(0)
        names = [self.hints.activation] if self.hints.activation else choices.ALONE
        found = []
        for name in names:
            state = _State(latent, latent.draw(64, rng), act=name)
            way = next(self._ways(state, 0, len(self.chain)), None)
            if way is not None:
                way = _settled(way, way.eps)
                found += [
                    Rebuilt((*way.ops, *last), latent, by_batch=True) for last in self._outputs(way)
                ]
        if not found:
            raise UnlikeError("its layers do not follow one another")
        return found

    # ------------------------------------------------------------ one stage

    def _stage(self, states: list[_State], first: int, end: int) -> list[_State]:
        """The best ways to the next judge: the usual ones, and rare ones where none agrees well."""
        found: list[tuple[_State, _State]] = []
        for wide in (False, True):
            self.wide = wide
            found = self._tried(states, first, end)
            if any(way.errors[-1] <= _WELL for _, way in found):
                break
        if not found:
            raise UnlikeError("its layers do not follow one another")
        best = min(w.errors[-1] for _, w in found)
        if not best <= AGREES:
            raise UnlikeError(f"no way agrees with its running statistics (off by {best:.2g})")
        alike = [both for both in found if both[1].errors[-1] <= _TIE * best + 0.002]
        return [_in_full(*both) for both in alike[:_BEAM]]

    def _tried(self, states: list[_State], first: int, end: int) -> list[tuple[_State, _State]]:
        """Ways to the next judge, each with the state it began from."""
        found: list[tuple[_State, _State]] = []
        for state in states:
            if not first and any(w.errors[-1] <= _CLOSE for _, w in found):
                break  # of another noise nothing would agree
            close = bool(state.errors) and max(state.errors) < AGREES
            few = self._few(state, first, end)
            for tried, way in enumerate(self._ways(few, first, end + 1)):
                found.append((state, way))
                if (close and way.errors[-1] <= max(_CLOSE, 1.5 * max(state.errors))) or (
                    tried >= _MOST_TRIED or time.process_time() > self.until
                ):
                    break
        return found

    def _few(self, state: _State, first: int, end: int) -> _State:
        """The state with so many samples that a look at the stage costs little."""
        x = state.x
        places = math.prod(x.shape[2:]) * 4 if x.ndim == 4 else self._places(x, first, end)
        weights = sum(
            p.arrays["weight"].size * (places if p.kind == "conv" else 1)
            for p in self.chain[first:end]
            if p.kind != "norm"
        )
        last = self.chain[end - 1]
        channels = len(self.chain[end].arrays["mean"])
        thin = last.kind == "conv" or (
            last.kind == "linear" and len(last.arrays["weight"]) == channels
        )
        if thin:
            weights = weights * min(_CHANNELS, channels) // channels
        count = int(min(len(x), max(_FEW_SAMPLES, _STAGE // max(weights, 1))))
        return _replaced(state, x=x[:count], thin=thin)

    def _places(self, x: Floats, first: int, end: int) -> int:
        """Pixels that a convolution of a stage sees whose input is flat, enlarged once."""
        width = x.shape[1]
        for part in self.chain[first:end]:
            if part.kind == "linear":
                width = len(part.arrays["weight"])
            elif part.kind == "conv":
                a, b = part.arrays["weight"].shape[:2]
                return int(max(16, 4 * width // max(1, min(a, b))))
        return 16

    def _ways(self, state: _State, at: int, end: int) -> Iterator[_State]:
        """All ways from one part on to another, the likeliest first."""
        if at == end:
            yield state
            return
        part = self.chain[at]
        before = self.chain[at - 1] if at else None
        for opened in self._opened(state):
            for hidden in choices.between(before, part, opened.act, wide=self.wide):
                named = [o.numbers["name"] for o in hidden if o.kind == "act"]
                moved = _replaced(opened, act=named[0] if named else opened.act)
                last = at + 2 == end and opened.thin and self.chain[end - 1].is_judge
                for way in self._through(moved, hidden, part, thin=last):
                    yield from self._ways(way, at + 1, end)

    def _opened(self, state: _State) -> Iterator[_State]:
        """The state with its pending norm applied, by each epsilon that it may have."""
        if state.pending is None:
            yield state
            return
        few = None if self.wide else choices.USUAL_EPSILONS
        for eps in dict.fromkeys((state.eps, *choices.EPSILONS[:few])):
            yield _settled(state, eps)

    def _through(
        self, state: _State, hidden: tuple[Op, ...], part: Part, *, thin: bool
    ) -> Iterator[_State]:
        x, ops = state.x, state.ops
        if part.kind == "norm":
            if hidden:
                x, ops = layers.run(hidden, x), (*ops, *hidden)
            yield from self._normed(_replaced(state, x=x, ops=ops), part)
            return
        shape = tuple(x.shape[1:])
        scaled = any(o.kind == "up" for o in hidden)
        for applied in choices.shapes_of(part, shape, wide=self.wide):
            # A reshape comes before what enlarges.
            shaping = [o for o in applied if o.kind == "reshape"]
            rest = [o for o in applied if o.kind != "reshape"]
            if scaled and len(shape) == 1 and not shaping:
                continue
            way = (*shaping, *hidden, *rest)
            y = layers.run([*way[:-1], _thinned(way[-1])] if thin else way, x)
            if min(y.shape[1:], default=0) > 0 and y.size <= 1 << 28:
                yield _replaced(state, x=y, ops=(*ops, *way))

    def _normed(self, state: _State, part: Part) -> Iterator[_State]:
        x, ops = state.x, state.ops
        judge = part
        if state.thin and x.shape[1] < len(part.arrays["mean"]):
            judge = _some_of(part)
        fit = choices.fits(judge, tuple(x.shape[1:]))
        if fit is None:
            return
        if isinstance(fit, Op):
            x, ops = layers.step(fit, x), (*ops, fit)
        errors = state.errors
        if part.is_judge:
            errors = (*errors, distance(x, judge.arrays["mean"], judge.arrays["var"]))
        yield _replaced(state, x=x, ops=ops, errors=errors, pending=part)

    def _outputs(self, state: _State) -> list[tuple[Op, ...]]:
        """The last activation: the one that is known, else what may be, by custom first."""
        if self.hints.output:
            return [() if self.hints.output == "none" else (choices.act(self.hints.output),)]
        shape = state.x.shape[1:]
        squeezed: list[tuple[Op, ...]] = [(choices.act("tanh"),), (choices.act("sigmoid"),)]
        picture = len(shape) == 3 or shape[0] >= _PICTURE
        return [*squeezed, ()] if picture else [(), *squeezed]

    def _confirmed(self, found: _State) -> tuple[float, ...]:
        """The distances of a way measured once more, on fresh noise."""
        rng = np.random.default_rng(1)
        each = Rebuilt(found.ops, found.latent).cost()
        count = int(min(1024, max(_FEW_SAMPLES, _CONFIRMED // max(each, 1))))
        x = found.latent.draw(count, rng)
        errors = []
        for op in found.ops:
            if op.kind == "norm" and "mean" in op.arrays:
                errors.append(distance(x, op.arrays["mean"], op.arrays["var"]))
            x = layers.step(op, x, by_batch=True)
        return tuple(errors)


def _channels(count: int) -> NDArray[np.int64]:
    """Evenly spread channels: enough to tell ways apart."""
    return np.unique(np.linspace(0, count - 1, min(count, _CHANNELS)).astype(np.int64))


def _thinned(op: Op) -> Op:
    """A layer that works out some of its channels only."""
    axis = 1 if op.kind == "convt" else 0
    some = _channels(op.arrays["weight"].shape[axis])
    arrays = {"weight": op.arrays["weight"].take(some, axis=axis)}
    if "bias" in op.arrays:
        arrays["bias"] = op.arrays["bias"][some]
    return Op(op.kind, arrays, op.numbers)


def _some_of(part: Part) -> Part:
    """A norm of the channels that `_thinned` leaves."""
    some = _channels(len(part.arrays["mean"]))
    return Part(part.stem, part.kind, {k: v[some] for k, v in part.arrays.items()})


def _in_full(begun: _State, way: _State) -> _State:
    """A way's last stage once more, with all samples and all channels."""
    ops = way.ops[len(begun.ops) :]
    places = math.prod(way.x.shape[2:]) if way.x.ndim == 4 else 1
    weights = sum(o.arrays["weight"].size for o in ops if o.kind in ("linear", "conv", "convt"))
    count = int(max(_FEW_SAMPLES, _KEPT // max(weights * places, 1)))
    x = layers.run(ops, begun.x[:count], by_batch=True)
    return _replaced(way, x=x, thin=False)


def _replaced(state: _State, **changes: Any) -> _State:
    import dataclasses

    return dataclasses.replace(state, **changes)


def _settled(state: _State, eps: float) -> _State:
    """The state with its pending norm applied; in training that was by the batch."""
    part = state.pending
    if part is None:
        return state
    op = Op("norm", part.arrays, {"eps": eps})
    x = layers.step(op, state.x, by_batch=True)
    return _replaced(state, x=x, ops=(*state.ops, op), eps=eps, pending=None)


@np.errstate(all="ignore")
def distance(x: Floats, mean: Floats, var: Floats) -> float:
    """How far a batch's statistics are from a norm's running ones: 0 where they are the same."""
    found, spread = layers.statistics(x)
    alive = var > 1e-10 * float(np.median(var))
    if not alive.any():
        return math.inf
    moved = np.square(found - mean)[alive] / var[alive]
    ratio = np.abs(np.log(np.maximum(spread[alive], 1e-30) / var[alive]))
    total = math.sqrt(float(moved.mean())) + float(ratio.mean())
    return total if math.isfinite(total) else math.inf
