"""Sample pictures and arrays -> how varied the samples are, step by step.

A mode collapse shows in the samples before it shows in any loss. The numbers are ratios to the real
data where it lies beside the samples (``real.npy``, ``real_samples.png``), so that they need no
knowledge of the data set.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.lang.middle import distinct
from gandoctor.model.signals import Signal
from gandoctor.patterns import late_pattern
from gandoctor.samples import fidelity, load, look, png, tiles
from gandoctor.samples.load import Batch

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from gandoctor.model.signals import Picture

__all__ = ["measure"]

MAX_STEPS: Final = 64
MAX_A_STEP: Final = 64
MAX_PIXELS: Final = 6_000_000  # of as many steps as fit
MOST_DECODED: Final = png.MAX_PIXELS  # of the two steps that are always looked at, however large
MAX_VALUES: Final = 24_000_000  # of all arrays
_FEW_ROWS: Final = 128  # rather than of fewer rows, fewer steps are read
_HELD: Final = 16_000_000  # bytes of packed pictures
_BATCH: Final = 4  # so many pictures a step are a batch of samples, not grids
_COMPARED: Final = 256  # samples whose distances are worked out, at most
_FLAT: Final = (
    0.02  # a sample whose deviation is less than this share of the data's range is one flat colour
)
_SAME: Final = (
    0.02  # samples that differ by less than this share of the range are copies to the eye
)
_COMPARISONS: Final = tuple(f"sample_{name}" for name in fidelity.Fidelity._fields)
_RELATIVE: Final = ("sample_variance", "sample_diversity", *_COMPARISONS)
_FAKE: Final = late_pattern(
    r"fake|gen|sample|synth|output|result|fixed|epoch|image|grid", re.IGNORECASE
)
_OTHER: Final = late_pattern(
    r"rec|input|mask|cond|label|target|source|real|diff|attn|heat|interp|style|nearest",
    re.IGNORECASE,
)
_NETWORK: Final = late_pattern(r"(?:^|[_/])([ABXY])$")
_OF_SEVERAL: Final = late_pattern(r"/image(/\d+)?$")  # TF1 counts the pictures of one batch so


@np.errstate(
    all="ignore"
)  # exploded samples overflow: that is for the numbers to say, not for a warning
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

        - ``sample_variance``: variance over the samples, mean over features, divided by the real
          data's; where no real data is known, by that of the run's most varied step
        - ``sample_diversity``: mean distance between two samples, divided by the real data's; left
          out without it, since noise before the first step is more diverse than any data set
        - ``sample_coverage``, ``sample_precision``, ``sample_fine_precision``, ``sample_shift``,
          ``sample_distance``: where the samples lie among the real data, see
          `gandoctor.samples.fidelity`
        - ``sample_constant_share``: share of samples that are one flat colour
        - ``sample_min``, ``sample_max``: range of values; pictures of 8 bits are in 0..1
        - ``sample_repeat``: share of samples that have a copy in the same grid
        - ``sample_stale``: 1 where the grid equals the one before, 0 where it has nothing to do
          with it

    facts : dict
        ``real_variance``, ``real_min``, ``real_max`` (where real data is known), ``sample_min`` and
        ``sample_max`` of the last step, ``sample_pictures`` (measured), ``sample_pictures_skipped``
        (beyond the budget, unreadable, or without a grid).

    Notes
    -----
    At most 64 evenly spread steps are read, and 6 million pixels or 24 million values of arrays;
    what a file costs is known from its header, before any is decoded.
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
    if (
        len(best) > 1 and "" in best
    ):  # a plain series beside `fake_A` and `fake_B` is something else
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
    return arrays, {step: _of_one_size(images) for step, images in decoded.items()}


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
    few = max(1, MAX_PIXELS // (same[0].shape[0] * same[0].shape[1]))
    those = [same[i] for i in _spread(list(range(len(same))), few)]
    return tiles.find_layout(np.stack(those), padded_only=len(pictures) > len(decoded))


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
        facts |= {
            "real_variance": _variance(real.values),
            "real_min": real.low,
            "real_max": real.high,
        }
    return facts


def _signals(
    tag: str, network: str, batches: Mapping[int, Batch], real: Batch | None
) -> list[Signal]:
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
        stale = [
            _stale(batches[a].values, batches[b].values, extent)
            for a, b in itertools.pairwise(steps)
        ]
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
    """1 - (distance of a sample to its predecessor) / (distance between samples), within 0..1."""
    n = min(len(before), len(now), _COMPARED)
    one, two = before[:n], now[:n]
    if not (np.isfinite(one).all() and np.isfinite(two).all()):
        return math.nan
    change = float(np.linalg.norm(two - one, axis=1).mean())
    # Across the two grids, one place on: what the distance would be if the noise were drawn anew.
    general = float(np.linalg.norm(two - np.roll(one, 1, axis=0), axis=1).mean())
    scale = max(general, 1e-3 * extent * math.sqrt(one.shape[1]))
    return min(1.0, max(0.0, 1.0 - change / scale))
