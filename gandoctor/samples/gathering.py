"""Which pictures are looked at, and what of their files is read: batches of samples by step."""

from __future__ import annotations

import itertools
import re
from collections import Counter, defaultdict
from dataclasses import field
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.lang.middle import distinct
from gandoctor.patterns import late_pattern
from gandoctor.samples import enlarged, features, figures, load, look, png, tiles
from gandoctor.samples.load import Batch
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from gandoctor.model.signals import Picture
    from gandoctor.samples.given import Given

MAX_STEPS: Final = 64
MAX_A_STEP: Final = 64
MAX_PIXELS: Final = 6_000_000  # of as many steps as fit
MOST_DECODED: Final = png.MAX_PIXELS  # of the two steps that are always looked at, however large
MAX_VALUES: Final = 24_000_000  # of all arrays
_FEW_ROWS: Final = 128  # rather than of fewer rows, fewer steps are read
_HELD: Final = 16_000_000  # bytes of packed pictures
_BATCH: Final = 4  # so many pictures a step are a batch of samples, not grids
_REALS: Final = 4  # figures of which the real samples are taken
_BELOW: Final = 0.05  # black is -1 where values lie so far below 0
_MOST_SHAPES: Final = 6  # sizes of pictures among which grids are looked for
_FAKE: Final = late_pattern(
    r"fake|gen|sample|synth|output|result|fixed|epoch|image|grid", re.IGNORECASE
)
_OTHER: Final = late_pattern(
    r"rec|input|mask|cond|label|target|source|real|diff|attn|heat|interp|style|nearest",
    re.IGNORECASE,
)
_NETWORK: Final = late_pattern(r"(?:^|[_/])([ABXY])$")
_OF_SEVERAL: Final = late_pattern(r"/image(/\d+)?$")  # TF1 counts the pictures of one batch so


# ---------------------------------------------------------------- which pictures

Pair = tuple["NDArray[np.float32]", "NDArray[np.float32]"]
_Series = tuple[str, dict[int, list["Picture"]], list["Picture"]]


def series_of(pictures: Iterable[Picture]) -> dict[str, list[_Series]]:
    """By network: series that may be generated samples, the likeliest first.

    Each with the real data beside it.
    """
    by_tag: dict[str, dict[int, list[Picture]]] = defaultdict(lambda: defaultdict(list))
    reals: list[Picture] = []
    for p in pictures:
        if p.step < 0:
            reals.append(p)
        else:
            by_tag[_OF_SEVERAL.sub("", p.tag)][p.step].append(p)
    best: dict[str, list[tuple[tuple[int, int, int], _Series]]] = defaultdict(list)
    for tag, steps in by_tag.items():
        name = tag.rsplit("/", 1)[-1]
        found = _NETWORK.search(name)
        network = found[1] if found else ""
        score = (-bool(_OTHER.search(name)), bool(_FAKE.search(tag)), len(steps))
        near = sorted(reals, key=lambda p: (_folder(p.tag) != _folder(tag), p.path))
        if network:
            near = [p for p in near if (m := _NETWORK.search(p.tag)) is None or m[1] == network]
        if score[0] == 0:
            best[network].append((score, (tag, dict(steps), near[:4])))
    if (
        len(best) > 1 and "" in best
    ):  # a plain series beside `fake_A` and `fake_B` is something else
        del best[""]
    return {
        network: [series for _, series in sorted(found, key=lambda one: one[0], reverse=True)]
        for network, found in best.items()
    }


def _folder(tag: str) -> str:
    return tag.rpartition("/")[0]


# ---------------------------------------------------------------- from files to batches


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """What was read of one series.

    Attributes
    ----------
    batches : dict
        Samples by step.
    real : Batch or None
        Real data of the same size.
    skipped : int
        Pictures that had to be left out.
    layout : Layout or None
        Where the samples stand in its pictures; None where each is a sample, or none was found.
    pairs : Mapping of int to (ndarray, ndarray)
        By step, of figures that show a single sample beside the real picture it is to become: both,
        each of shape (1, 32, 32, 3).
    """

    batches: dict[int, Batch]
    real: Batch | None
    skipped: int
    layout: tiles.Layout | None
    pairs: Mapping[int, Pair] = field(default_factory=dict)


def batches_of(
    fakes: Mapping[int, list[Picture]],
    reals: Sequence[Picture],
    root: Path,
    given: Given | None = None,
) -> Gathered:
    """Samples by step, and what goes with them; `given` are real data that the user names."""
    chosen = _spread(sorted(fakes), MAX_STEPS)
    skipped = sum(len(fakes[s]) for s in fakes) - sum(len(fakes[s]) for s in chosen)
    wanted = {step: fakes[step][:MAX_A_STEP] for step in chosen}
    arrays, decoded = _load({**wanted, -1: list(reals)} if reals else wanted, root)
    shown = decoded.pop(-1, [])
    of_outputs = any(p.written for ps in wanted.values() for p in ps)
    beside: list[NDArray[np.uint8]] = []
    if of_outputs:
        shows = next((p.shows for ps in wanted.values() for p in ps if "real" in p.shows), ())
        all_shown = decoded
        decoded, layout = _grids(decoded, shows)
        pairs = _pairs(all_shown, shows) if layout is None or layout.whole else {}
        if layout is None or pairs:  # plots, or single pictures
            return Gathered({}, None, 0, None, pairs)
        beside = _beside(decoded, shows, layout)
    else:
        decoded = {step: _of_one_size(images) for step, images in decoded.items()}
        layout = _layout(decoded)
    compared = bool(shown or beside or -1 in arrays or given is not None)
    batches: dict[int, Batch] = {}
    for step in chosen:
        found = arrays.get(step) or _as_batch(decoded.get(step, []), layout, compared=compared)
        if found is not None and len(found.values) > 1:
            batches[step] = found
        else:
            skipped += len(wanted[step])
    width = {b.values.shape[1] for b in batches.values()}
    if len(width) > 1:  # a change of resolution on the way: progressive growing
        last = batches[max(batches)].values.shape[1]
        skipped += sum(len(wanted[s]) for s, b in batches.items() if b.values.shape[1] != last)
        batches = {s: b for s, b in batches.items() if b.values.shape[1] == last}
    like = next((p.shape for step in sorted(decoded) for p in decoded[step]), None)
    real = arrays.get(-1) or _real(shown, beside, layout, like)
    if given is not None and batches:
        last = max(batches)
        size = like if layout is None else (layout.height, layout.width, *(like or (3,))[2:])
        real = _given(given, batches[last], wanted[last], size, root) or real
    if real is None or not batches or len(real.values) < 2:
        return Gathered(batches, None, skipped, layout)
    fits = real.values.shape[1] == next(iter(batches.values())).values.shape[1]
    seen = real.small is not None and all(b.small is not None for b in batches.values())
    return Gathered(batches, real if fits or seen else None, skipped, layout)


def _pairs(decoded: Mapping[int, list[NDArray[np.uint8]]], shows: Sequence[str]) -> dict[int, Pair]:
    """A generated picture and the real one it is to become, by step: the panels of a figure."""
    if not {"real", "fake"} <= set(shows):
        return {}
    shapes = Counter(p.shape for pictures in decoded.values() for p in pictures)
    like = shapes.most_common(1)[0][0] if shapes else ()
    those = {
        step: [p for p in pictures if p.shape == like][-1]
        for step, pictures in decoded.items()
        if any(p.shape == like for p in pictures)
    }
    held = figures.large(np.stack(_few(list(those.values())))) if those else []
    if len(held) != len(shows):
        return {}
    fake, real = (enlarged.pixels_of(held[list(shows).index(what)]) for what in ("fake", "real"))
    return {
        step: (
            features.thumbs(picture[fake[0], fake[1]][None]),
            features.thumbs(picture[real[0], real[1]][None]),
        )
        for step, picture in those.items()
    }


def _given(
    given: Given,
    batch: Batch,
    pictures: Sequence[Picture],
    size: tuple[int, ...] | None,
    root: Path,
) -> Batch | None:
    """Real data that the user names, in the size and in the units of a batch of samples."""
    if batch.told is not None:
        return given.like(size) if size is not None else None
    seen = load.look_at(pictures[-1], root)
    if seen is None:
        return None
    low = -1.0 if batch.low < -_BELOW else 0.0
    return given.like(tuple(seen.shape[1:]), (low, 255.0 if batch.high > 2 else 1.0))


def _beside(
    decoded: Mapping[int, list[NDArray[np.uint8]]], shows: Sequence[str], layout: tiles.Layout
) -> list[NDArray[np.uint8]]:
    """Real samples that stand in the same figures as the generated ones, each once."""
    pictures = [p for step in sorted(decoded) for p in decoded[step]]
    if "real" not in shows or not pictures:
        return []
    few = _few(pictures)
    found = tiles.beside(np.stack(few), shows, layout)
    if found is None:
        return []
    cuts = np.concatenate([tiles.cut(few[i], found) for i in _spread([*range(len(few))], _REALS)])
    return list(np.unique(cuts.reshape(len(cuts), -1), axis=0).reshape(-1, *cuts.shape[1:]))


def _real(
    shown: list[NDArray[np.uint8]],
    beside: list[NDArray[np.uint8]],
    layout: tiles.Layout | None,
    like: tuple[int, ...] | None,
) -> Batch | None:
    """Real data: pictures of their own, else what stands in the figures of the generated ones.

    `like` is the shape of the generated ones' pictures, to which `layout` belongs.
    """
    if not shown:
        return _as_batch(beside, None, compared=True)
    same = _of_one_size(shown)
    if layout is None or layout.boxes or same[0].shape[:2] != (like or ())[:2]:
        # A real grid may be of another size, and be laid out in its own way.
        own = tiles.find_layout(np.stack(_few(same)), padded_only=layout is None)
        layout = own
    return _as_batch(same, layout, compared=True)


def real_of(reals: Sequence[Picture], root: Path) -> Batch | None:
    """Real data on its own: an array, single pictures, or a grid of them."""
    arrays, decoded = _load({-1: list(reals)}, root) if reals else ({}, {})
    if -1 in arrays:
        return arrays[-1]
    pictures = _of_one_size(decoded.get(-1, []))
    return _as_batch(pictures, _layout({-1: pictures}) if pictures else None)


def _spread(steps: list[int], most: int) -> list[int]:
    if len(steps) <= most:
        return steps
    return [steps[i] for i in distinct(np.linspace(0, len(steps) - 1, most).astype(int))]


_Seen = tuple["Picture", look.Look]


def _load(
    wanted: Mapping[int, list[Picture]], root: Path
) -> tuple[dict[int, Batch], dict[int, list[NDArray[np.uint8]]]]:
    """Arrays, and decoded pictures, by step.

    What cannot be read, or is beyond the budget, is not in them.
    """
    seen = {
        step: [(p, s) for p in ps if (s := load.look_at(p, root))] for step, ps in wanted.items()
    }
    rows = {
        step: next(((p, s) for p, s in them if not s.pixels), None) for step, them in seen.items()
    }
    arrays = _arrays({step: one for step, one in rows.items() if one}, root)
    pictures = _affordable(
        {step: [(p, s) for p, s in them if s.pixels] for step, them in seen.items()}
    )
    decoded: dict[int, list[NDArray[np.uint8]]] = defaultdict(list)
    by_shape: dict[png.Shape, list[tuple[int, Picture, look.Look]]] = defaultdict(list)
    for step, them in pictures.items():
        for p, s in them:
            if s.png is not None:
                by_shape[s.png].append((step, p, s))
                continue
            image = load.array(p, root, s) if s.kind == "picture" else _jpeg(p, root, s)
            if isinstance(image, np.ndarray):
                decoded[step].append(image)
    for those in by_shape.values():
        for step, image in _decoded(those, root):
            decoded[step].append(image)
    return arrays, dict(decoded)


def _jpeg(picture: Picture, root: Path, seen: look.Look) -> NDArray[np.uint8] | None:
    data = load.read_bytes(picture, root, seen)
    return load.jpeg(data, seen) if data is not None else None


def _decoded(
    those: Iterable[tuple[int, Picture, look.Look]], root: Path
) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """PNGs of one shape, decoded together, but not so many that their files fill the memory."""
    held: list[tuple[int, bytes]] = []
    for step, picture, seen in those:
        data = load.read_bytes(picture, root, seen)
        if data is not None and png.is_of(data, seen.png):
            held.append((step, data))
        if sum(len(d) for _, d in held) > _HELD:
            yield from _all_good(held)
            held = []
    yield from _all_good(held)


def _all_good(held: list[tuple[int, bytes]]) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    for (step, _), image in zip(held, png.decode([data for _, data in held]), strict=True):
        if image is not None:
            yield step, image


def _arrays(those: Mapping[int, _Seen], root: Path) -> dict[int, Batch]:
    """Arrays by step: of fewer steps, then of each fewer rows, where all of them would not fit."""
    steps = sorted(s for s in those if s >= 0)
    most = len(steps)
    longest = max((s.length for _, s in those.values()), default=1)
    rows = max((min(s.shape[0], load.MAX_SAMPLES) for _, s in those.values()), default=1)
    while most > 2 and (most + 1) * min(rows, _FEW_ROWS) * longest > MAX_VALUES:
        most = max(2, int(most * 0.8))
    share = max(2, MAX_VALUES // ((most + 1) * longest))
    chosen = [s for s in (-1, *_spread(steps, most)) if s in those]
    found = {step: load.array(*_of(those[step], root), most=share) for step in chosen}
    return {step: batch for step, batch in found.items() if isinstance(batch, Batch)}


def _of(seen: _Seen, root: Path) -> tuple[Picture, Path, look.Look]:
    return seen[0], root, seen[1]


def _affordable(seen: Mapping[int, list[_Seen]]) -> dict[int, list[_Seen]]:
    """Pictures of evenly spread steps that are decoded within the budget.

    Real data has a share of its own.
    """
    pixels = {step: sum(s.pixels for _, s in them) for step, them in seen.items() if them}
    steps = sorted(s for s in pixels if s >= 0)
    most = len(steps)
    while most > 2 and sum(pixels[s] for s in _spread(steps, most)) > MAX_PIXELS:
        most = max(2, int(most * 0.8))
    real = {-1: _fitting(seen[-1], MOST_DECODED // 2)} if -1 in pixels else {}
    chosen = _spread(steps, most)
    if sum(pixels[s] for s in chosen) <= MOST_DECODED:
        return {**{step: seen[step] for step in chosen}, **real}
    while most:
        chosen = _spread(steps, most) if most > 1 else steps[-1:]
        found = {step: _fitting(seen[step], MOST_DECODED // most) for step in chosen}
        if any(found.values()) or most == 1:
            return {**found, **real}
        most -= 1
    return real


def _fitting(seen: list[_Seen], most: int) -> list[_Seen]:
    """The first pictures of a step that have no more pixels than that."""
    totals = itertools.accumulate(s.pixels for _, s in seen)
    return [one for one, total in zip(seen, totals, strict=True) if total <= most]


def _of_one_size(images: list[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
    return [i for i in images if i.shape == images[0].shape]


def _layout(decoded: Mapping[int, list[NDArray[np.uint8]]]) -> tiles.Layout | None:
    """Layout of a series of pictures; those of the size of the last one decide."""
    pictures = [p for step in sorted(decoded) for p in decoded[step]]
    same = [p for p in pictures if p.shape == pictures[-1].shape]
    if not same or len(pictures) >= _BATCH * len(decoded):
        return None
    stack, alone = np.stack(_few(same)), len(pictures) == len(decoded)
    found = tiles.find_layout(stack, padded_only=not alone)
    return found or (tiles.in_blocks(stack) if alone else None)


def _grids(
    decoded: Mapping[int, list[NDArray[np.uint8]]], shows: Sequence[str]
) -> tuple[dict[int, list[NDArray[np.uint8]]], tiles.Layout | None]:
    """Of all that the cells of a notebook show: grids of one size and layout, each once a step.

    Beside grids there are plots of the losses, and single pictures; of the sizes that hold grids
    that of most steps is taken.
    """
    by_shape: dict[tuple[int, ...], dict[int, list[NDArray[np.uint8]]]] = {}
    for step, images in decoded.items():
        for image in images:
            held = by_shape.setdefault(image.shape, {}).setdefault(step, [])
            if not any(np.array_equal(image, other) for other in held):
                held.append(image)
    likely = sorted(by_shape.values(), key=len, reverse=True)[:_MOST_SHAPES]
    for those in likely:
        stack = np.stack(_few([p for step in sorted(those) for p in those[step]]))
        layout = tiles.find_layout(stack, shows=shows)
        if layout is not None:
            return those, layout
    for those in likely:
        stack = np.stack(_few([p for step in sorted(those) for p in those[step]]))
        layout = tiles.in_blocks(stack)
        if layout is not None:
            return those, layout
    return {}, None


def _few(pictures: list[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
    """Evenly spread pictures of one size, no more than `MAX_PIXELS` of them."""
    few = max(1, MAX_PIXELS // (pictures[0].shape[0] * pictures[0].shape[1]))
    return [pictures[i] for i in _spread(list(range(len(pictures))), few)]


def _as_batch(
    pictures: list[NDArray[np.uint8]], layout: tiles.Layout | None, *, compared: bool = False
) -> Batch | None:
    if not pictures:
        return None
    if layout is not None and not layout.fits(pictures[0]):
        layout = None
    found = load.batch(pictures, layout, compared=compared)
    return found if len(found.values) > 1 else None
