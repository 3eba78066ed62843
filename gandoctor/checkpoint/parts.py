"""A state dict taken apart: its layers in the order they were registered, as names and shapes tell.

What has no weights (activations, upsampling) leaves a gap in the numbers of a ``Sequential``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gandoctor.checkpoint.tensors import Tensor
from gandoctor.errors import InputError
from gandoctor.patterns import late_pattern
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from gandoctor.checkpoint.contents import Network

    Floats = NDArray[np.float32]

MOST_BYTES: Final = 512 << 20
_LABEL: Final = late_pattern(r"emb|label|class", 2)
_TRANSPOSED: Final = late_pattern(r"deconv|convt|conv_t|transpose|tconv|upconv|convtr", 2)


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A layer with weights.

    Attributes
    ----------
    stem : str
        Its name in the state dict.
    kind : str
        ``linear``, ``conv`` (which may be transposed), ``norm`` or ``embedding``; ``branch`` and
        ``join`` are where a residual block begins and ends.
    arrays : dict
        ``weight``, ``bias``, ``mean``, ``var``.
    channels : int
        Of a branch or join, that go in or come out.
    early : bool
        Whether a branch begins with a norm and an activation, not with a convolution.
    """

    stem: str
    kind: str
    arrays: dict[str, Floats]
    channels: int = 0
    early: bool = False

    @property
    def place(self) -> tuple[str, int | None]:
        """The container, and the number in it; None where it has a name."""
        folder, _, leaf = self.stem.rpartition(".")
        return folder, int(leaf) if leaf.isdigit() and len(leaf) < 6 else None

    @property
    def is_judge(self) -> bool:
        """Whether it keeps running statistics of what passed through."""
        return self.kind == "norm" and "mean" in self.arrays

    @property
    def named_transposed(self) -> bool:
        """Whether its name says that it is a transposed convolution."""
        return _TRANSPOSED.search(self.stem) is not None


def channels_of(norm: Part) -> int:
    """How many channels a norm has."""
    return len(norm.arrays["weight"] if "weight" in norm.arrays else norm.arrays["mean"])


def gap_between(before: Part, part: Part) -> int | None:
    """Modules without weights between two parts; None where the names do not tell."""
    (folder, first), (other, second) = before.place, part.place
    if before.kind in ("branch", "join"):
        return None
    if first is None or second is None or folder != other:
        return None
    return max(0, second - first - 1)


class UnlikeError(Exception):
    """A network that is not built as those that are rebuilt here."""


def taken_apart(network: Network) -> list[Part]:
    """The layers of a network.

    Raises
    ------
    UnlikeError
        It holds something that is none of the known layers, or cannot be read.
    """
    groups: dict[str, dict[str, Tensor]] = {}
    size = 0
    for name, tensor in network.tensors.items():
        if not isinstance(tensor, Tensor):
            raise UnlikeError(f"{name[:80]} is not read")
        stem, leaf = _stem_of(name)
        groups.setdefault(stem, {})[leaf] = tensor
        size += tensor.size * 4
    if size > MOST_BYTES:
        raise UnlikeError("it is too large")
    parts = [part for stem, them in _once(groups).items() for part in _part(stem, them)]
    if not parts:
        raise UnlikeError("it has no layers")
    return parts


def _once(groups: dict[str, dict[str, Tensor]]) -> dict[str, dict[str, Tensor]]:
    """Layers that stand in the file under several names under the last of them alone."""
    last = {
        tuple(t.identity() for t in them.values()): stem
        for stem, them in groups.items()
        if any(t.size > 1 for t in them.values())
    }
    kept = set(last.values())
    return {stem: them for stem, them in groups.items() if stem in kept}


def _stem_of(name: str) -> tuple[str, str]:
    """A layer's name and a leaf: of a parametrised weight the layer it belongs to."""
    for mark in (".parametrizations.weight.", "parametrizations.weight."):
        head, found, leaf = name.partition(mark)
        if found:
            return head, f"p.{leaf}"
    stem, _, leaf = name.rpartition(".")
    return stem.removesuffix(".module"), leaf


def arrays_of(stem: str, them: dict[str, Tensor]) -> dict[str, Floats]:
    """A layer's ``weight``, ``bias``, ``mean`` and ``var``, as far as it has them.

    Raises
    ------
    UnlikeError
        It holds something else, or cannot be read.
    """
    try:
        known = {k: np.asarray(t.read(), dtype=np.float32) for k, t in them.items()}
    except (InputError, TypeError, ValueError):
        raise UnlikeError(f"{stem[:80]} cannot be read") from None
    found: dict[str, Floats | None] = {"weight": _weight(known)}
    known.pop("num_batches_tracked", None)
    for name, leaf in (("mean", "running_mean"), ("var", "running_var"), ("bias", "bias")):
        found[name] = known.pop(leaf, None)
    if known:
        raise UnlikeError(f"{stem[:80]} holds {next(iter(known))[:40]}")
    order = ((k, found[k]) for k in ("weight", "bias", "mean", "var"))
    return {k: v for k, v in order if v is not None}


def _part(stem: str, them: dict[str, Tensor]) -> Iterator[Part]:
    found = arrays_of(stem, them)
    weight = found.get("weight")
    if "mean" in found and "var" in found:
        yield Part(stem, "norm", found)
    elif weight is None:
        raise UnlikeError(f"{stem[:80]} has no weight")
    elif weight.ndim == 1:
        yield Part(stem, "norm", found)
    elif weight.ndim == 2:
        label = "bias" not in found and _LABEL.search(stem) is not None
        yield Part(stem, "embedding" if label else "linear", found)
    elif weight.ndim == 4:
        yield Part(stem, "conv", found)
    else:
        raise UnlikeError(f"{stem[:80]} has a weight of {weight.ndim} dimensions")


def _weight(known: dict[str, Any]) -> Floats | None:
    """The weight as the layer uses it: spectral and weight normalisation worked out."""
    if "weight" in known:
        found: Floats = known.pop("weight")
        return found
    for names in (
        ("weight_orig", "weight_u", "weight_v"),
        ("weight_bar", "weight_u", "weight_v"),
        ("p.original", "p.0._u", "p.0._v"),
    ):
        if all(n in known for n in names):
            weight, u, v = (known.pop(n) for n in names)
            flat = weight.reshape(len(u), -1) if len(u) == len(weight) else None
            if flat is None:  # of a transposed convolution the second index is the output
                flat = np.moveaxis(weight, 1, 0).reshape(weight.shape[1], -1)
            if flat.shape != (len(u), len(v)):
                return None
            sigma = float(u @ flat @ v)
            divided: Floats = weight / np.float32(sigma or 1.0)
            return divided
    for g, v in (("weight_g", "weight_v"), ("p.original0", "p.original1")):
        if g in known and v in known:
            size, direction = known.pop(g), known.pop(v)
            axes = tuple(i for i, n in enumerate(size.shape) if n == 1)
            norm = np.sqrt(np.square(direction).sum(axis=axes, keepdims=True))
            scaled: Floats = size * direction / norm
            return scaled
    return None
