"""A few sample pictures of a run in small, for people to look at."""

from __future__ import annotations

import base64
import math
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.files.pngs import png as png_of
from gandoctor.model.pictures import PictureNote
from gandoctor.samples import gathering, load, png

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from gandoctor.model.signals import Picture, Signal

SIDES: Final = (320, 224, 160, 112)  # pixels of the longer side, the first that fits
MOST_BYTES: Final = 40_000  # of one picture, packed
_BATCH: Final = 16  # so many single samples are put together into one picture
_TELLING: Final = ("sample_diversity", "sample_variety", "sample_variance")


def looks(
    pictures: Iterable[Picture],
    root: Path,
    moments: Mapping[str, int | None],
    signals: Sequence[Signal],
) -> tuple[PictureNote, ...]:
    """The sample pictures nearest to some moments of a run.

    Parameters
    ----------
    pictures : iterable of Picture
        As discovery indexed them.
    root : Path
        Folder that their paths are relative to; nothing outside it is opened.
    moments : Mapping of str to int or None
        What a moment is called -> its step; None for one that is not known. The first and the last
        look are added.
    signals : sequence of Signal
        Where what was measured of the samples is.

    Returns
    -------
    tuple of PictureNote
        In the order of steps, each look once, under all that it is; empty where nothing could be
        shown.
    """
    likely = next(iter(gathering.series_of(pictures).values()), [])
    if not likely:
        return ()
    _, by_step, _ = likely[0]
    steps = sorted(by_step)
    wanted = {"first look": steps[0], "last look": steps[-1]}
    known = {name: step for name, step in moments.items() if step is not None}
    wanted |= {name: _nearest(steps, step) for name, step in known.items()}
    names: dict[int, list[str]] = {}
    for name, step in sorted(wanted.items(), key=lambda one: one[1]):
        names.setdefault(step, []).append(name)
    return tuple(
        PictureNote(step, ", ".join(called), packed, _told(signals, step))
        for step, called in names.items()
        if (packed := _small(by_step[step], root))
    )


def _nearest(steps: Sequence[int], step: int) -> int:
    return min(steps, key=lambda s: (abs(s - step), s))


def _told(signals: Sequence[Signal], step: int) -> str:
    """What was measured there, in a few words."""
    for role in _TELLING:
        for s in signals:
            if s.role == role and len(s):
                at = int(np.argmin(np.abs(s.steps - step)))
                value = float(s.values[at])
                if math.isfinite(value) and int(s.steps[at]) == step:
                    return f"{role.removeprefix('sample_')} {value:.2g}"
    return ""


def _small(pictures: Sequence[Picture], root: Path) -> str:
    """One picture, or some samples side by side, as a small PNG in base64; empty for none."""
    seen = [image for p in pictures[:_BATCH] if (image := _decoded(p, root)) is not None]
    if not seen:
        return ""
    alike = [image for image in seen if image.shape == seen[0].shape]
    whole = _side_by_side(alike) if len(alike) >= 4 else alike[0]
    for side in SIDES:
        packed = png_of(_shrunk(whole, side))
        if len(packed) <= MOST_BYTES:
            return base64.b64encode(packed).decode()
    return ""


def _decoded(picture: Picture, root: Path) -> NDArray[np.uint8] | None:
    """A picture of shape (height, width, 1 or 3)."""
    seen = load.look_at(picture, root)
    if seen is None or not seen.pixels or seen.pixels > png.MAX_PIXELS:
        return None
    if seen.kind == "picture":
        found = load.array(picture, root, seen)
        image = found if isinstance(found, np.ndarray) else None
    else:
        data = load.read_bytes(picture, root, seen)
        if data is None:
            return None
        image = png.decode([data])[0] if seen.png is not None else load.jpeg(data, seen)
    if image is None or image.ndim != 3 or image.shape[2] not in (1, 3):
        return None
    return image


def _side_by_side(images: Sequence[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    across = math.ceil(math.sqrt(len(images)))
    height, width, channels = images[0].shape
    down = math.ceil(len(images) / across)
    sheet = np.full((down * (height + 1), across * (width + 1), channels), 255, np.uint8)
    for i, image in enumerate(images):
        top, left = i // across * (height + 1), i % across * (width + 1)
        sheet[top : top + height, left : left + width] = image
    return sheet


def _shrunk(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Means of square blocks, so that no side is longer than `side`."""
    block = -(-max(image.shape[:2]) // side)
    if block == 1:
        return image
    height, width = (n // block * block for n in image.shape[:2])
    if not (height and width):
        return image[::block, ::block]
    blocks = image[:height, :width].reshape(height // block, block, width // block, block, -1)
    return np.asarray(blocks.mean(axis=(1, 3)).round(), dtype=np.uint8)
