"""What may go into a generator: noise, alone or with classes."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.checkpoint import choices
from gandoctor.checkpoint.parts import UnlikeError
from gandoctor.checkpoint.rebuilt import Latent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from gandoctor.checkpoint.parts import Part
    from gandoctor.checkpoint.rebuilt import Hints

_MOST_CLASSES: Final = 1_000
# Classes that data sets have, and continuous codes beside them, where nothing names them.
_CLASSES: Final = (10, 2, 3, 4, 5, 6, 7, 8, 9, 20, 26, 40, 47, 62, 100)
_CODES: Final = (0, 1, 2, 3, 4)
# Mean and variance of each noise.
_MOMENTS: Final = {"normal": (0.0, 1.0), "uniform": (0.0, 1 / 3), "uniform 0 to 1": (0.5, 1 / 12)}
_PICTURE: Final = (1, 2, 3, 4, 6)  # channels of pictures that go in


def of(chain: list[Part], embedding: Part | None, hints: Hints) -> list[Latent]:
    """What may go in, the likeliest first.

    Raises
    ------
    UnlikeError
        What goes in is no noise.
    """
    first = chain[0]
    weight = first.arrays.get("weight")
    if weight is None or first.kind not in ("linear", "conv"):
        raise UnlikeError("its first layer is a norm")
    one_pixel = first.kind == "conv"
    if one_pixel:
        if weight.shape[1] in _PICTURE or weight.shape[2] < 2:
            raise UnlikeError("its input is a picture, not noise")
        wide = [n for n in weight.shape[:2] if n > 4]
        if not wide:
            raise UnlikeError("its input is no noise")
        size = int(wide[0])
    else:
        size = weight.shape[1]
    table = embedding.arrays["weight"] if embedding is not None else None
    if table is None and 0 < hints.latent_dim < size <= hints.latent_dim + _MOST_CLASSES:
        table = _one_hot(size - hints.latent_dim)  # classes without an embedding
    known = list(_with_classes(size, table)) if table is not None else _plain(size)
    if table is None and len(chain) > 1 and chain[1].is_judge:
        known = sorted((*known, *_guessed(size)), key=lambda one: _off(one, first, chain[1]))[:2]
    return [_pixels(one) for one in known] if one_pixel else known


def _plain(size: int) -> list[Latent]:
    return [Latent((size,), noise) for noise in choices.NOISES]


def _with_classes(size: int, table: NDArray[np.float32]) -> Iterator[Latent]:
    rest = size - table.shape[1]
    if rest < 0:
        raise UnlikeError("its embedding does not fit its input")
    for noise in choices.NOISES:
        if not rest:
            yield Latent((size,), noise, table, "product")
            continue
        for joined in ("label first", "noise first"):
            yield Latent((rest,), noise, table, joined)


def _guessed(size: int) -> Iterator[Latent]:
    """Noise beside classes that nothing names; a norm right behind the first layer can tell."""
    for code, classes in itertools.product(_CODES, _CLASSES):
        rest = size - classes - code
        if rest >= 2:
            for joined in ("noise first", "label first")[: 1 if code else 2]:
                yield Latent((rest,), "normal", _one_hot(classes), joined, code)


@np.errstate(all="ignore")
def _off(one: Latent, first: Part, norm: Part) -> float:
    """How far a norm's running statistics are from those that a latent has, worked out exactly."""
    weight = first.arrays["weight"]
    if first.kind == "conv":  # one pixel goes in: every place of the kernel is an output
        weight = weight.reshape(len(weight), -1).T
    noise, table = one.shape[0], one.embedding
    classes = 0 if table is None else table.shape[1]
    at = classes if one.joined == "label first" else 0
    mean, var = _MOMENTS[one.noise]
    of_noise = weight[:, at : at + noise]
    middle, spread = mean * of_noise.sum(axis=1), var * np.square(of_noise).sum(axis=1)
    if table is not None:
        at = 0 if one.joined == "label first" else noise
        of_label = weight[:, at : at + classes] @ table.T
        middle, spread = middle + of_label.mean(axis=1), spread + of_label.var(axis=1)
    spread = spread + np.square(weight[:, noise + classes :]).sum(axis=1) / 3  # the code
    middle = middle + first.arrays.get("bias", 0) if first.kind == "linear" else middle
    channels = len(norm.arrays["mean"])
    if len(weight) % channels:
        return math.inf
    middle, spread = (v.reshape(channels, -1) for v in (middle, spread))
    bias = first.arrays.get("bias", np.float32(0)) if first.kind == "conv" else np.float32(0)
    found = spread.mean(axis=1) + middle.var(axis=1)
    moved = np.square(middle.mean(axis=1) + bias - norm.arrays["mean"]) / norm.arrays["var"]
    off = math.sqrt(float(moved.mean()))
    off += float(np.abs(np.log(found / norm.arrays["var"])).mean())
    return off if math.isfinite(off) else math.inf


def _one_hot(classes: int) -> NDArray[np.float32]:
    return np.eye(classes, dtype=np.float32)


def _pixels(one: Latent) -> Latent:
    """The same as channels of a single pixel."""
    return Latent((*one.shape, 1, 1), one.noise, one.embedding, one.joined, one.code)
