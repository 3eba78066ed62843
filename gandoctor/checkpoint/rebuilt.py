"""A generator that was rebuilt, and what is known of one beforehand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.checkpoint import layers
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from gandoctor.checkpoint.layers import Op

    Floats = NDArray[np.float32]

MOST_HELD: Final = 1 << 23  # values of a batch in one layer
MOST_EACH: Final = 2e9  # multiplications of one sample: beyond, a generator is too large
AGREES: Final = 0.3  # distance at a norm beyond which no way is believed


@dataclass(frozen=True, slots=True, eq=False)
class Latent:
    """What goes into a generator.

    Attributes
    ----------
    shape : tuple of int
        Of the noise of one sample.
    noise : str
        One of `choices.NOISES`.
    embedding : ndarray, shape (classes, n), or None
    joined : str
        ``noise first``, ``label first`` or ``product``.
    code : int
        Values between -1 and 1 that stand behind both.
    """

    shape: tuple[int, ...]
    noise: str = "normal"
    embedding: Floats | None = None
    joined: str = ""
    code: int = 0

    def draw(self, count: int, rng: np.random.Generator) -> Floats:
        """Inputs of so many samples."""
        size = (count, *self.shape)
        if self.noise == "normal":
            z = rng.normal(size=size)
        else:
            z = rng.uniform(-1.0 if self.noise == "uniform" else 0.0, 1.0, size)
        return self.with_labels(z.astype(np.float32), rng)

    def with_labels(self, z: Floats, rng: np.random.Generator) -> Floats:
        """Noise joined with the embeddings of random classes."""
        if self.embedding is None:
            return z
        e = self.embedding[rng.integers(0, len(self.embedding), len(z))]
        e = e.reshape(*e.shape, *(1,) * (z.ndim - 2))
        if self.joined == "product":
            return z * e
        parts = [z, e] if self.joined == "noise first" else [e, z]
        code = rng.uniform(-1, 1, (len(z), self.code, *z.shape[2:])).astype(np.float32)
        return np.concatenate([*parts, code], axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class Rebuilt:
    """A generator that can be run.

    Attributes
    ----------
    ops : tuple of Op
    latent : Latent
    errors : tuple of float
        Distance at each norm with running statistics; empty where there is none.
    by_batch : bool
        Whether its norms take the statistics of the batch.
    stated : bool
        Whether the file says what its layers do, and in which order.
    graph : str
        Which sort of graph says all of it; empty where none does.
    """

    ops: tuple[Op, ...]
    latent: Latent
    errors: tuple[float, ...] = ()
    by_batch: bool = False
    stated: bool = False
    graph: str = ""

    @property
    def is_proved(self) -> bool:
        """Whether the referee agreed everywhere."""
        return bool(self.errors) and max(self.errors) <= AGREES

    def sample(self, x: Floats, largest: int) -> Floats:
        """Samples of noise, shape (count, ...); so many at once as the memory has room for.

        `largest` is what `load` found.
        """
        at_once = len(x) if self.by_batch else int(max(1, min(64, MOST_HELD // largest)))
        parts = [
            layers.run(self.ops, x[i : i + at_once], by_batch=self.by_batch)
            for i in range(0, len(x), at_once)
        ]
        return np.concatenate(parts)

    def load(self) -> tuple[float, int]:
        """Multiplications of one sample, and the most values that one has on the way."""
        x = self.latent.draw(2, np.random.default_rng(0))
        total, largest = 0.0, 1
        for op, seen, made in layers.trace(self.ops, x, by_batch=True):
            total += layers.cost(op, (seen if op.kind == "convt" else made).shape[1:])
            largest = max(largest, op.numbers.get("largest", made.size // 2))
        return total, largest


@dataclass(frozen=True, slots=True)
class Hints:
    """What is known from elsewhere: a config, or the real data.

    Attributes
    ----------
    activation, output : str
        As `layers.ACTIVATIONS` names them; empty where nothing is known.
    latent_dim : int
    """

    activation: str = ""
    output: str = ""
    latent_dim: int = 0


def said_of(found: Rebuilt) -> str:
    """How a generator was rebuilt, in one sentence."""
    acts = list(dict.fromkeys(o.numbers["name"] for o in found.ops if o.kind == "act"))
    built = f"{sum(o.kind in ('linear', 'conv', 'convt') for o in found.ops)} layers"
    noise = f"{'x'.join(map(str, found.latent.shape))} values of {found.latent.noise} noise"
    if found.latent.embedding is not None:
        order = "" if found.graph else f" ({found.latent.joined})"
        noise += f" and {len(found.latent.embedding)} classes{order}"
        noise += f" and a code of {found.latent.code}" if found.latent.code else ""
    if found.graph:
        told = f"the distribution of the noise is {_said_of_noise(found)}"
        return f"from the graph in the file ({found.graph}), from {noise}; {told}"
    named = ", ".join(acts) or "no activation"
    if found.stated:
        text = f"as its layers say: {built} with {named}, from {noise}"
        return f"{text}; the distribution of the noise is {_said_of_noise(found)}"
    text = f"rebuilt from names and shapes: {built} with {named}, from {noise}"
    if found.is_proved:
        return (
            f"{text}; the running statistics of {len(found.errors)} batch norms agree "
            f"(off by {max(found.errors):.2g} at most); what follows the last of them is by custom"
        )
    return f"{text}; it has no running statistics that could prove it: by custom, not exact"


def _said_of_noise(found: Rebuilt) -> str:
    if not found.errors:
        return "by custom"
    if not found.is_proved:
        return f"by custom: batch norms agree with none (off by {max(found.errors):.2g})"
    return f"told by {len(found.errors)} batch norms (off by {max(found.errors):.2g} at most)"


def hints_of(settings: Mapping[str, object]) -> Hints:
    """What settings say of a generator, by their canonical names."""
    latent = settings.get("latent_dim")
    return Hints(
        known(settings.get("activation_g")),
        known(settings.get("g_output_activation")),
        int(latent) if isinstance(latent, int | float) and not isinstance(latent, bool) else 0,
    )


def known(value: object) -> str:
    """An activation as `layers.ACTIVATIONS` names it; empty where it is none of them."""
    word = value.lower().replace("_", "").replace(" ", "") if isinstance(value, str) else ""
    word = {"leakyrelu": "leakyrelu 0.2", "lrelu": "leakyrelu 0.2", "swish": "silu"}.get(word, word)
    word = {"linear": "none", "identity": "none"}.get(word, word)
    return word if word in layers.ACTIVATIONS else ""
