"""A generator rebuilt from its state dict, with the running statistics of its norms as referee.

Noise is pushed through each way the network may have been built; at each batch norm the batch's
statistics are compared with those that the training left there. The right way agrees, a wrong one
does not. Without such a norm nothing is proved, and nothing is claimed.
"""

from __future__ import annotations

import contextlib
import math
import time
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gandoctor.checkpoint import choices, latents, layers, stated, wiring
from gandoctor.checkpoint.layers import Op
from gandoctor.checkpoint.parts import Part, UnlikeError, channels_of, taken_apart
from gandoctor.checkpoint.rebuilt import AGREES, MOST_HELD, Hints, Latent, Rebuilt
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from gandoctor.checkpoint.contents import Network

    Floats = NDArray[np.float32]

MOST_SECONDS: Final = 10.0
_CLOSE: Final = 0.04  # one that is believed without a look at others, once a first was found
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
_LARGE: Final = 200_000  # values of a sample in one layer, from which on fewer are carried on
_BEAM: Final = 2
_RIVALS: Final = 6  # ways to the next norm that are run in full
_SURE: Final = 0.1  # distance beyond which other orders of the layers are tried, too


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
    held : tuple of ndarray
        The batch where each open branch began.
    """

    latent: Latent
    x: Floats
    ops: tuple[Op, ...] = ()
    errors: tuple[float, ...] = ()
    act: str = ""
    eps: float = choices.EPSILONS[0]
    pending: Part | None = None
    thin: bool = False
    held: tuple[Floats, ...] = ()


_Tried = tuple[_State | None, _State]


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
    hints = hints or Hints()
    with contextlib.suppress(UnlikeError):
        return _stated(network, hints)
    parts = taken_apart(network)
    embedding = next((p for p in parts if p.kind == "embedding"), None)
    chain = [p for p in parts if p is not embedding]
    if any(p.kind == "embedding" for p in chain):
        raise UnlikeError("it has several embeddings")
    judged = any(p.is_judge for p in chain)
    until = time.process_time() + MOST_SECONDS
    found: list[list[Rebuilt]] = []
    faults: list[UnlikeError] = []
    ways = wiring.wirings(chain)
    for tried, way in enumerate(ways):
        left = until - time.process_time()
        try:
            given = latents.of(way, embedding, hints)
            search = _Search(way, hints, until - left * (1 - 1 / (len(ways) - tried)))
            found.append(search.judged(given) if judged else search.unjudged(given[0]))
        except UnlikeError as fault:
            faults.append(fault)
            continue
        if not judged or max(found[-1][0].errors) <= _SURE:
            break
    if not found:
        raise faults[-1]
    return min(found, key=lambda them: max(them[0].errors, default=0.0))


def _stated(network: Network, hints: Hints) -> list[Rebuilt]:
    """The ways of a generator whose layers say what they do: the noise alone is open.

    Raises
    ------
    UnlikeError
        It holds none of them, they do not follow one another, or their order is neither certain
        nor proved.
    """
    if network.module is None:
        raise UnlikeError("it holds no layers")
    ops, certain = stated.layers_of(network.module)
    first = ops[0]
    if first.kind not in ("linear", "convt"):
        raise UnlikeError("its input is no noise")
    size = int(first.arrays["weight"].shape[1 if first.kind == "linear" else 0])
    if 0 < hints.latent_dim < size:
        raise UnlikeError("it takes classes, too")
    made = tuple(stated.shaped(ops, size))
    shape = (size,) if first.kind == "linear" else (size, 1, 1)
    ways = []
    for noise in choices.NOISES:
        latent = Latent(shape, noise)
        ways.append(Rebuilt(made, latent, _confirmed(made, latent), stated=True))
    best = min(ways, key=lambda way: max(way.errors, default=0.0))
    if best.is_proved:
        return [best]
    if best.errors or not certain:
        raise UnlikeError("the order of its layers is not proved")
    return ways


class _Search:
    """Tries the ways a chain of parts may be put together."""

    def __init__(self, chain: list[Part], hints: Hints, until: float) -> None:
        self.chain = chain
        self.hints = hints
        self.wide = True
        self.until = until

    def judged(self, given: Sequence[Latent]) -> list[Rebuilt]:
        """The way that agrees with the running statistics, by each output it may have."""
        rng = np.random.default_rng(0)
        states = [
            _State(latent, latent.draw(_MOST_SAMPLES, rng), act=self.hints.activation)
            for latent in given
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
        errors = _confirmed(tail.ops, tail.latent)
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
        seen: list[_State] = []
        for wide in (False, True):
            self.wide = wide
            found = sorted(self._tried(states, first, end), key=lambda one: one[1].errors[-1])
            # A look at a few samples does not tell them apart; at all that there are it does.
            few = [o for i, o in enumerate(found[:_RIVALS]) if i < _BEAM or not _saw_all(*o)]
            seen = [way if begun is None else _in_full(begun, way) for begun, way in few]
            if any(way.errors[-1] <= _WELL for way in seen):
                break
        if not seen:
            raise UnlikeError("its layers do not follow one another")
        best = min(seen, key=lambda way: way.errors[-1])
        least = best.errors[-1]
        # Over all pixels of a batch statistics are sharper than over its rows.
        if not least <= (AGREES / 2 if best.x.ndim == 4 else AGREES):
            raise UnlikeError(f"no way agrees with its running statistics (off by {least:.2g})")
        return [way for way in seen if way.errors[-1] <= _TIE * least + 0.002][:_BEAM]

    def _tried(self, states: list[_State], first: int, end: int) -> list[_Tried]:
        """Ways to the next judge, each with the state it began from; without it where it is sure.

        A way that looks right is run in full, and taken where it still does.
        """
        found: list[_Tried] = []
        for state in states:
            if not first and any(w.errors[-1] <= _CLOSE for _, w in found):
                break  # of another noise nothing would agree
            few = self._few(state, first, end)
            looks = _RIVALS if max(state.errors, default=0.0) < AGREES else 0
            for tried, way in enumerate(self._ways(few, first, end + 1)):
                found.append((state, _without_samples(way)))
                usual = _usual(way)
                enough = max(_CLOSE, usual) if _saw_all(state, way) else max(_WELL, usual)
                if looks and way.errors[-1] <= enough:
                    looks -= 1
                    full = _in_full(state, way)
                    if full.errors[-1] <= max(_CLOSE, usual):
                        return [(None, full)]
                if tried >= _MOST_TRIED or time.process_time() > self.until:
                    break
        return found

    def _few(self, state: _State, first: int, end: int) -> _State:
        """The state with so many samples that a look at the stage costs little."""
        x = state.x
        places = math.prod(x.shape[2:]) * 4 if x.ndim == 4 else self._places(x, first, end)
        weights = sum(
            p.arrays["weight"].size * (places if p.kind == "conv" else 1)
            for p in self.chain[first:end]
            if p.kind in ("linear", "conv")
        )
        last = self.chain[end - 1]
        channels = len(self.chain[end].arrays["mean"])
        made = last.arrays["weight"].shape[:2] if last.kind in ("linear", "conv") else ()
        alone = channels in made and 4 * channels not in made
        thin = alone and (last.kind == "conv" or made[0] == channels)
        if thin:
            weights = weights * min(_CHANNELS, channels) // channels
        count = int(min(len(x), max(_FEW_SAMPLES, _STAGE // max(weights, 1))))
        held = tuple(h[:count] for h in state.held)
        return _replaced(state, x=x[:count], thin=thin, held=held)

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
            for hidden in choices.between(
                before, part, opened.act, _scaled(opened), wide=self.wide
            ):
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
        if part.kind in ("norm", "branch"):
            if hidden:
                x, ops = layers.run(hidden, x), (*ops, *hidden)
            state = _replaced(state, x=x, ops=ops)
            yield from (self._normed if part.kind == "norm" else _branched)(state, part)
            return
        if part.kind == "join":
            yield from _joined(state, part)
            return
        shape = tuple(x.shape[1:])
        scaled = any(o.kind == "up" for o in hidden)
        for applied in choices.shapes_of(part, shape, wide=self.wide):
            # A reshape comes before what enlarges.
            shaping = [o for o in applied if o.kind in ("reshape", "shuffle")]
            rest = [o for o in applied if o not in shaping]
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
        fit = choices.fits(channels_of(judge), tuple(x.shape[1:]))
        if fit is None:
            return
        x, ops = layers.run(fit, x), (*ops, *fit)
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


def _confirmed(ops: tuple[Op, ...], latent: Latent) -> tuple[float, ...]:
    """The distances of a way measured once more, on fresh noise."""
    rng = np.random.default_rng(1)
    each, largest = Rebuilt(ops, latent).load()
    count = min(1024, max(_FEW_SAMPLES, _CONFIRMED // max(each, 1)))
    count = int(max(2, min(count, MOST_HELD // largest)))
    x = latent.draw(count, rng)
    return tuple(
        distance(seen, op.arrays["mean"], op.arrays["var"])
        for op, seen, _ in layers.trace(ops, x, by_batch=True)
        if op.kind == "norm" and "mean" in op.arrays
    )


def _without_samples(way: _State) -> _State:
    """A way as it is kept among many: its samples are worked out again where they are needed."""
    shape = (*way.x.shape[:1], 0, *way.x.shape[2:])
    return _replaced(way, x=np.empty(shape, np.float32), held=())


def _usual(way: _State) -> float:
    """How far earlier norms were off that see what the last one sees: rows, or pictures."""
    flat = True
    kinds = []
    for op in way.ops:
        if op.kind == "norm" and "mean" in op.arrays:
            kinds.append(flat)
        elif op.kind in ("linear", "flatten"):
            flat = True
        elif op.kind in ("conv", "convt", "reshape"):
            flat = False
    alike = [e for e, kind in zip(way.errors, kinds, strict=False) if kind == flat]
    return _TIE * max(alike, default=0.0)


def _saw_all(begun: _State | None, way: _State) -> bool:
    """Whether a way was looked at with all samples that there are."""
    return begun is not None and len(way.x) == len(begun.x)


def _scaled(state: _State) -> str:
    """The way of enlarging that was found so far."""
    return next((str(o.numbers["mode"]) for o in reversed(state.ops) if o.kind == "up"), "")


def _branched(state: _State, part: Part) -> Iterator[_State]:
    """The state where a residual block begins."""
    fit = choices.fits(part.channels, tuple(state.x.shape[1:]))
    if fit is not None:
        x = layers.run(fit, state.x)
        ops = (*state.ops, *fit, Op("branch", {}, {}))
        yield _replaced(state, x=x, ops=ops, held=(*state.held, x))


def _joined(state: _State, part: Part) -> Iterator[_State]:
    """The state where a residual block ends: what went around it is added."""
    x, around = state.x, state.held[-1]
    factor = x.shape[2] // around.shape[2]
    if factor < 1 or x.shape[2:] != tuple(factor * n for n in around.shape[2:]):
        return
    skip: list[Op] = []
    if part.arrays:
        # Before what enlarges: of single pixels the order makes no difference.
        skip.append(
            Op("conv", part.arrays, {"stride": 1, "pad": part.arrays["weight"].shape[2] // 2})
        )
    if factor > 1:
        skip.append(choices.up(_scaled(state) or choices.UPS[0], factor))
    y = layers.run(skip, around)
    if y.shape == x.shape:
        op = Op("join", {}, {"skip": tuple(skip)})
        yield _replaced(state, x=x + y, ops=(*state.ops, op), held=state.held[:-1])


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
    if places * len(begun.x[0]) > _LARGE:
        count = min(count, _FEW_SAMPLES // 2)
    held = [h[:count] for h in begun.held]
    x = layers.run(ops, begun.x[:count], by_batch=True, held=held)
    judge = way.pending
    errors = way.errors
    if judge is not None:
        errors = (*errors[:-1], distance(x, judge.arrays["mean"], judge.arrays["var"]))
    return _replaced(way, x=x, errors=errors, thin=False, held=tuple(held))


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
