"""Sample pictures and arrays -> how varied the samples are, step by step.

A mode collapse shows in the samples before it shows in any loss. The numbers are ratios to the real data where it lies
beside the samples (``real.npy``, ``real_samples.png``), so that they need no knowledge of the data set.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.model.signals import Signal
from gandoctor.samples import fidelity, load, png, tiles
from gandoctor.samples.load import Batch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from gandoctor.model.signals import Picture

__all__ = ["measure"]

MAX_STEPS: Final = 64
MAX_A_STEP: Final = 64
MAX_PIXELS: Final = 6_000_000
_BATCH: Final = 4  # so many pictures a step are a batch of samples, not grids
_COMPARED: Final = 256  # samples whose distances are worked out, at most
_FLAT: Final = 0.02  # a sample whose deviation is less than this share of the data's range is one flat colour
_SAME: Final = 0.02  # samples that differ by less than this share of the range are copies to the eye
_COMPARISONS: Final = tuple(f"sample_{name}" for name in fidelity.Fidelity._fields)
_RELATIVE: Final = ("sample_variance", "sample_diversity", *_COMPARISONS)
_FAKE: Final = re.compile(r"fake|gen|sample|synth|output|result|fixed|epoch|image|grid", re.IGNORECASE)
_OTHER: Final = re.compile(
    r"rec|input|mask|cond|label|target|source|real|diff|attn|heat|interp|style|nearest", re.IGNORECASE
)
_NETWORK: Final = re.compile(r"(?:^|[_/])([ABXY])$")
_OF_SEVERAL: Final = re.compile(r"/image(/\d+)?$")  # TF1 counts the pictures of one batch so


@np.errstate(all="ignore")  # exploded samples overflow: that is for the numbers to say, not for a warning
def measure(pictures: Sequence[Picture], root: Path) -> tuple[tuple[Signal, ...], dict[str, float]]:
    """Measure how varied the sample pictures of a run are.

    Parameters
    ----------
    pictures : sequence of Picture
        As discovery indexed them; step -1 is real data.
    root : Path
        Folder that their paths are relative to; nothing outside it is opened.

    Returns
    -------
    signals : tuple of Signal
        With their role, under tags like ``samples/sample_variance``:

        - ``sample_variance``: variance over the samples, mean over features, divided by the real data's; where no real
          data is known, by that of the run's most varied step
        - ``sample_diversity``: mean distance between two samples, divided by the real data's; left out without it,
          since noise before the first step is more diverse than any data set
        - ``sample_coverage``, ``sample_precision``, ``sample_fine_precision``, ``sample_shift``, ``sample_distance``:
          where the samples lie among the real data, see `gandoctor.samples.fidelity`
        - ``sample_constant_share``: share of samples that are one flat colour
        - ``sample_min``, ``sample_max``: range of values; pictures of 8 bits are in 0..1
        - ``sample_repeat``: share of samples that have a copy in the same grid
        - ``sample_stale``: 1 where the grid equals the one before, 0 where it has nothing to do with it

    facts : dict
        ``real_variance``, ``real_min``, ``real_max`` (where real data is known), ``sample_min`` and ``sample_max`` of
        the last step, ``sample_pictures`` (measured), ``sample_pictures_skipped`` (beyond the budget, unreadable, or
        without a grid).

    Notes
    -----
    At most 64 evenly spread steps are read, and 6 million pixels.
    """
    series = _series(pictures)
    signals: list[Signal] = []
    facts: dict[str, float] = {}
    done = skipped = 0
    for network, (tag, fakes, reals) in series.items():
        batches, real, left_out = _batches(fakes, reals, root)
        skipped += left_out
        if not batches:
            continue
        done += sum(len(fakes[s]) for s in batches)
        known = _facts(batches, real)
        signals += _signals(tag, network, batches, real)
        facts = {**known, **facts}
    if done or skipped:
        facts |= {"sample_pictures": float(done), "sample_pictures_skipped": float(skipped)}
    return tuple(signals), facts


# ---------------------------------------------------------------- which pictures

_Series = tuple[str, dict[int, list["Picture"]], list["Picture"]]


def _series(pictures: Iterable[Picture]) -> dict[str, _Series]:
    """By network: the series of generated samples worth measuring, and the real data beside it."""
    by_tag: dict[str, dict[int, list[Picture]]] = defaultdict(lambda: defaultdict(list))
    reals: list[Picture] = []
    for p in pictures:
        if p.step < 0:
            reals.append(p)
        else:
            by_tag[_OF_SEVERAL.sub("", p.tag)][p.step].append(p)
    best: dict[str, tuple[tuple[int, int, int], _Series]] = {}
    for tag, steps in by_tag.items():
        name = tag.rsplit("/", 1)[-1]
        found = _NETWORK.search(name)
        network = found[1] if found else ""
        score = (-bool(_OTHER.search(name)), bool(_FAKE.search(tag)), len(steps))
        near = sorted(reals, key=lambda p: (_folder(p.tag) != _folder(tag), p.path))
        if network:
            near = [p for p in near if (m := _NETWORK.search(p.tag)) is None or m[1] == network]
        if score[0] == 0 and (network not in best or score > best[network][0]):
            best[network] = (score, (tag, dict(steps), near[:4]))
    if len(best) > 1 and "" in best:  # a plain series beside `fake_A` and `fake_B` is something else
        del best[""]
    return {network: chosen for network, (_, chosen) in best.items()}


def _folder(tag: str) -> str:
    return tag.rpartition("/")[0]


# ---------------------------------------------------------------- from files to batches


def _batches(
    fakes: Mapping[int, list[Picture]], reals: Sequence[Picture], root: Path
) -> tuple[dict[int, Batch], Batch | None, int]:
    """Samples by step, the real data, and how many pictures had to be left out."""
    chosen = _spread(sorted(fakes), MAX_STEPS)
    skipped = sum(len(fakes[s]) for s in fakes) - sum(len(fakes[s]) for s in chosen)
    wanted = {step: fakes[step][:MAX_A_STEP] for step in chosen}
    arrays, decoded = _load({**wanted, -1: list(reals)} if reals else wanted, root)
    layout = _layout({step: ps for step, ps in decoded.items() if step >= 0})
    batches: dict[int, Batch] = {}
    for step in chosen:
        found = arrays.get(step) or _as_batch(decoded.get(step, []), layout)
        if found is not None and len(found.values) > 1:
            batches[step] = found
        else:
            skipped += len(wanted[step])
    width = {b.values.shape[1] for b in batches.values()}
    if len(width) > 1:  # a change of resolution on the way: progressive growing
        last = batches[max(batches)].values.shape[1]
        skipped += sum(len(wanted[s]) for s, b in batches.items() if b.values.shape[1] != last)
        batches = {s: b for s, b in batches.items() if b.values.shape[1] == last}
    real = arrays.get(-1) or _as_batch(decoded.get(-1, []), layout)
    if real is None or not batches or len(real.values) < 2:
        return batches, None, skipped
    fits = real.values.shape[1] == next(iter(batches.values())).values.shape[1]
    return batches, real if fits else None, skipped


def _spread(steps: list[int], most: int) -> list[int]:
    if len(steps) <= most:
        return steps
    return [steps[i] for i in np.unique(np.linspace(0, len(steps) - 1, most).astype(int))]


def _load(
    wanted: Mapping[int, list[Picture]], root: Path
) -> tuple[dict[int, Batch], dict[int, list[NDArray[np.uint8]]]]:
    """Arrays, and decoded pictures, by step; what cannot be read is not in them."""
    arrays: dict[int, Batch] = {}
    decoded: dict[int, list[NDArray[np.uint8]]] = defaultdict(list)
    waiting: dict[png.Shape, list[tuple[int, bytes]]] = defaultdict(list)
    pixels: dict[int, int] = defaultdict(int)
    for step, pictures in wanted.items():
        for p in pictures:
            if p.path.lower().endswith(".npy"):
                found = load.array(p, root)
                if isinstance(found, Batch):
                    arrays.setdefault(step, found)
                elif found is not None:
                    decoded[step].append(found)
                continue
            data = load.read_bytes(p, root)
            if data is None:
                continue
            if data.startswith(b"\xff\xd8"):
                image = load.jpeg(data)
                if image is not None:
                    decoded[step].append(image)
                continue
            try:
                shape = png.shape_of(data)
            except png.PngError:
                continue
            waiting[shape].append((step, data))
            pixels[step] += shape.height * shape.width
    affordable = _affordable(pixels)
    for all_of_them in waiting.values():
        those = [(step, data) for step, data in all_of_them if step in affordable]
        for (step, _), image in zip(those, png.decode([data for _, data in those]), strict=True):
            if image is not None:
                decoded[step].append(image)
    return arrays, {step: _of_one_size(images) for step, images in decoded.items()}


def _affordable(pixels: Mapping[int, int]) -> set[int]:
    """Evenly spread steps that are decoded within the budget; the real data always is."""
    steps = sorted(s for s in pixels if s >= 0)
    most = len(steps)
    while most > 2 and sum(pixels[s] for s in _spread(steps, most)) > MAX_PIXELS:
        most = max(2, int(most * 0.8))
    return {-1, *_spread(steps, most)}


def _of_one_size(images: list[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
    return [i for i in images if i.shape == images[0].shape]


def _layout(decoded: Mapping[int, list[NDArray[np.uint8]]]) -> tiles.Layout | None:
    """Layout of a series of pictures; those of the size of the last one decide."""
    pictures = [p for step in sorted(decoded) for p in decoded[step]]
    same = [p for p in pictures if p.shape == pictures[-1].shape]
    if not same or len(pictures) >= _BATCH * len(decoded):
        return None
    return tiles.find_layout(np.stack(same), padded_only=len(pictures) > len(decoded))


def _as_batch(pictures: list[NDArray[np.uint8]], layout: tiles.Layout | None) -> Batch | None:
    if not pictures:
        return None
    if layout is not None:
        high, wide = layout.rows[-1] + layout.height, layout.columns[-1] + layout.width
        if pictures[0].shape[0] < high or pictures[0].shape[1] < wide:
            layout = None
    found = load.batch(pictures, layout)
    return found if len(found.values) > 1 else None


# ---------------------------------------------------------------- measures


def _facts(batches: Mapping[int, Batch], real: Batch | None) -> dict[str, float]:
    last = batches[max(batches)]
    facts = {"sample_min": last.low, "sample_max": last.high}
    if real is not None:
        facts |= {"real_variance": _variance(real.values), "real_min": real.low, "real_max": real.high}
    return facts


def _signals(tag: str, network: str, batches: Mapping[int, Batch], real: Batch | None) -> list[Signal]:
    steps = sorted(batches)
    distances = [_distances(batches[s].values) for s in steps]
    values: dict[str, list[float]] = {
        "sample_variance": [_variance(batches[s].values) for s in steps],
        "sample_min": [batches[s].low for s in steps],
        "sample_max": [batches[s].high for s in steps],
    }
    if real is not None:
        against = f"the real data ({len(real.values)} samples)"
        variance, diversity = _variance(real.values), _diversity(_distances(real.values))
        values["sample_diversity"] = [_ratio(_diversity(d), diversity) for d in distances]
        reference = fidelity.Reference(real.values)
        compared = [reference.against(batches[s].values) for s in steps]
        for i, name in enumerate(_COMPARISONS):
            if any(math.isfinite(c[i]) for c in compared):
                values[name] = [c[i] for c in compared]
    else:
        against = "the run's most varied step (no real data found)"
        variance = max((v for v in values["sample_variance"] if math.isfinite(v)), default=0.0)
    values["sample_variance"] = [_ratio(v, variance) for v in values["sample_variance"]]
    extent = _extent(real, batches)
    if batches[steps[0]].image_like and extent > 0:
        values["sample_constant_share"] = [_constant(batches[s].values, extent) for s in steps]
        close = _SAME * extent * math.sqrt(batches[steps[0]].values.shape[1])
        values["sample_repeat"] = [_repeated(d, close) for d in distances]
    count = min(len(batches[s].values) for s in steps)
    said = f"measured on {len(steps)} steps of {tag}, {count} samples each"
    found = [
        Signal(
            tag=f"samples/{name}" + (f"/{network}" if network else ""),
            steps=np.array(steps, dtype=np.int64),
            values=np.array(series, dtype=np.float64),
            role=name,
            network=network,
            source=tag,
            because=f"{said}, relative to {against}" if name in _RELATIVE else said,
        )
        for name, series in values.items()
    ]
    if len(steps) > 1 and extent > 0:
        stale = [_stale(batches[a].values, batches[b].values, extent) for a, b in itertools.pairwise(steps)]
        like = found[0]
        found.append(
            Signal(
                tag="samples/sample_stale" + (f"/{network}" if network else ""),
                steps=like.steps[1:],
                values=np.array(stale, dtype=np.float64),
                role="sample_stale",
                network=network,
                source=tag,
                because=said,
            )
        )
    return found


def _ratio(value: float, unit: float) -> float:
    return value / unit if unit > 0 else math.nan


def _variance(values: NDArray[np.float64]) -> float:
    """Variance over samples, mean over features; of the finite samples."""
    rows = values[np.isfinite(values).all(axis=1)]
    return float(rows.var(axis=0).mean()) if len(rows) > 1 else math.nan


def _diversity(distances: NDArray[np.float64]) -> float:
    """Mean Euclidean distance between two samples."""
    n = len(distances)
    return float(distances.sum() / (n * (n - 1))) if n > 1 else math.nan


def _distances(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distances between at most 256 evenly spread samples, (n, n)."""
    rows = values[np.isfinite(values).all(axis=1)]
    if len(rows) > _COMPARED:
        rows = rows[np.linspace(0, len(rows) - 1, _COMPARED).astype(int)]
    if not len(rows):
        return np.zeros((0, 0))
    rows = rows - rows.mean(axis=0)
    square = np.einsum("ij,ij->i", rows, rows)
    squared = np.maximum(square[:, None] + square[None, :] - 2 * rows @ rows.T, 0.0)
    # What is left of equal rows is rounding, relative to their length.
    squared[squared <= 1e-12 * (square[:, None] + square[None, :])] = 0.0
    np.fill_diagonal(squared, 0.0)
    found: NDArray[np.float64] = np.sqrt(squared)
    return found


def _extent(real: Batch | None, batches: Mapping[int, Batch]) -> float:
    """Range of the values: the real data's, else that of all samples."""
    some = [real] if real else list(batches.values())
    low = min((b.low for b in some if math.isfinite(b.low)), default=0.0)
    high = max((b.high for b in some if math.isfinite(b.high)), default=0.0)
    return high - low


def _constant(values: NDArray[np.float64], extent: float) -> float:
    return float(np.mean(values.std(axis=1) < _FLAT * extent))


def _repeated(distances: NDArray[np.float64], close: float) -> float:
    """Share of samples with another one closer than `close`."""
    if len(distances) < 2:
        return math.nan
    nearest = (distances + np.diag(np.full(len(distances), np.inf))).min(axis=1)
    return float(np.mean(nearest < close))


def _stale(before: NDArray[np.float64], now: NDArray[np.float64], extent: float) -> float:
    """1 - (distance between a sample and its predecessor) / (distance between samples in general), within 0..1."""
    n = min(len(before), len(now), _COMPARED)
    one, two = before[:n], now[:n]
    if not (np.isfinite(one).all() and np.isfinite(two).all()):
        return math.nan
    change = float(np.linalg.norm(two - one, axis=1).mean())
    # Across the two grids, one place on: what the distance would be if the noise were drawn anew.
    general = float(np.linalg.norm(two - np.roll(one, 1, axis=0), axis=1).mean())
    scale = max(general, 1e-3 * extent * math.sqrt(one.shape[1]))
    return min(1.0, max(0.0, 1.0 - change / scale))
