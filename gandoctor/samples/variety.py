"""How varied the samples of each step are: batches -> signals and facts."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.model.signals import Signal
from gandoctor.samples import features, fidelity
from gandoctor.samples.evidence import Evidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from numpy.typing import NDArray

    from gandoctor.samples.gathering import Gathered, Pair
    from gandoctor.samples.load import Batch

_COMPARED: Final = 256  # samples whose distances are worked out, at most
_FLAT: Final = (
    0.02  # a sample whose deviation is less than this share of the data's range is one flat colour
)
_SAME: Final = (
    0.02  # samples that differ by less than this share of the range are copies to the eye
)
_LEAST_EXTENT: Final = 0.25  # of pictures, where no real data tells: grey all over is no range
_COMPARISONS: Final = tuple(f"sample_{name}" for name in fidelity.Fidelity._fields)
_RELATIVE: Final = (
    "sample_variance",
    "sample_diversity",
    "sample_palette",
    "sample_brightness",
    *_COMPARISONS,
)


def facts_of(batches: Mapping[int, Batch], real: Batch | None) -> dict[str, float]:
    """Ranges of the last step's samples and of the real data, and how that varies."""
    last = batches[max(batches)]
    facts = {"sample_min": last.low, "sample_max": last.high}
    if real is not None:
        facts |= {
            "real_variance": _variance(real.values),
            "real_min": real.low,
            "real_max": real.high,
        }
    return facts


def signals_of(tag: str, network: str, found: Gathered) -> list[Signal]:
    """The signals of one network's samples, as `gandoctor.samples.measure` describes them."""
    batches, real = found.batches, found.real
    if found.layout is not None and found.layout.whole:
        return _of_whole_pictures(tag, network, batches)
    steps = sorted(batches)
    distances = [_distances(batches[s].values) for s in steps]
    values: dict[str, list[float]] = {
        "sample_variance": [_variance(batches[s].values) for s in steps],
        "sample_min": [batches[s].low for s in steps],
        "sample_max": [batches[s].high for s in steps],
    }
    if real is not None:
        against = f"the real data ({len(real.values)} samples)"
        if real.small is not None:
            against += ", in the space of random convolutions"
        variance = _variance(real.values)
        values |= _compared(real, [batches[s] for s in steps], distances)
    else:
        against = "the run's most varied step (no real data found)"
        variance = max((v for v in values["sample_variance"] if math.isfinite(v)), default=0.0)
    values["sample_variance"] = [_ratio(v, variance) for v in values["sample_variance"]]
    extent = _extent(real, batches)
    if batches[steps[0]].image_like and extent > 0:
        values["sample_constant_share"] = [_constant(batches[s].values, extent) for s in steps]
        values |= _told(batches, steps)
        close = _SAME * extent * math.sqrt(batches[steps[0]].values.shape[1])
        values["sample_repeat"] = [_repeated(d, close) for d in distances]
    count = min(len(batches[s].values) for s in steps)
    said = f"measured on {len(steps)} steps of {tag}, {count} samples each"
    signals = [
        _signal(
            name,
            network,
            tag,
            steps,
            series,
            f"{said}, relative to {against}" if name in _RELATIVE else said,
        )
        for name, series in values.items()
    ]
    if len(steps) > 1 and extent > 0:
        stale = [
            _stale(batches[a].values, batches[b].values, extent)
            for a, b in itertools.pairwise(steps)
        ]
        signals.append(_signal("sample_stale", network, tag, steps[1:], stale, said))
    return signals


def error_of(tag: str, network: str, pairs: Mapping[int, Pair]) -> Signal:
    """How far generated pictures are from the real ones they are to become.

    The mean absolute difference over the mean deviation of the real picture: 1 is as good as plain
    colour.
    """
    steps = sorted(pairs)
    errors = []
    for fake, real in map(pairs.__getitem__, steps):
        spread = float(np.abs(real - real.mean(axis=(1, 2))).mean())
        errors.append(_ratio(float(np.abs(fake - real).mean()), spread))
    said = f"measured on {len(steps)} figures of {tag} that show a sample beside its real picture"
    return _signal("sample_error", network, tag, steps, errors, said)


def _compared(
    real: Batch, looks: list[Batch], distances: list[NDArray[np.float64]]
) -> dict[str, list[float]]:
    """What real data say of the samples of each look."""
    values: dict[str, list[float]] = {}
    if real.values.shape[1] == looks[0].values.shape[1]:
        diversity = _diversity(_distances(real.values))
        values["sample_diversity"] = [_ratio(_diversity(d), diversity) for d in distances]
    small = [look.small for look in looks]
    known, rows = real.values, [look.values for look in looks]
    if real.small is not None and all(s is not None for s in small):
        seen = [s for s in small if s is not None]
        values["sample_palette"] = [features.palette(s, real.small) for s in seen]
        values["sample_brightness"] = [features.brightness(s, real.small) for s in seen]
        known, rows = _standard(features.structure(real.small), map(features.structure, seen))
        rows = _pooled(rows)
    compared = fidelity.Reference(known).course(rows)
    for i, name in enumerate(_COMPARISONS):
        if any(math.isfinite(c[i]) for c in compared):
            values[name] = [c[i] for c in compared]
    return values


def _pooled(rows: list[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    """Looks with too few samples to speak of neighbourhoods, each with those just before it."""
    least = min(len(look) for look in rows)
    reach = -(-fidelity.LEAST // least)
    if reach == 1 or reach > max(2, len(rows) // 3):
        return rows
    return [np.concatenate(rows[max(0, i + 1 - reach) : i + 1]) for i in range(len(rows))]


def _standard(
    real: NDArray[np.float64], looks: Iterable[NDArray[np.float64]]
) -> tuple[NDArray[np.float64], list[NDArray[np.float64]]]:
    """Features in deviations of the real data's; those that hardly vary there count less."""
    middle, spread = real.mean(axis=0), real.std(axis=0)
    spread = np.maximum(spread, 0.1 * float(np.median(spread)) + 1e-9)
    return (real - middle) / spread, [(look - middle) / spread for look in looks]


def _signal(  # noqa: PLR0917
    name: str, network: str, tag: str, steps: list[int], values: list[float], because: str
) -> Signal:
    return Signal(
        tag=f"samples/{name}" + (f"/{network}" if network else ""),
        steps=np.array(steps, dtype=np.int64),
        values=np.array(values, dtype=np.float64),
        role=name,
        network=network,
        source=tag,
        because=because,
    )


def _of_whole_pictures(tag: str, network: str, batches: Mapping[int, Batch]) -> list[Signal]:
    """What pictures in which no tiles were found still tell."""
    steps = sorted(batches)
    told = [one for s in steps if (one := batches[s].told) is not None]
    flat = [float(one.constant_share == 1.0 and not one.variety > 0) for one in told]
    noise = [one.noise for one in told]
    said = f"measured on {len(steps)} whole pictures of {tag}: no tiles were found in them"
    values = {"sample_constant_share": flat, "sample_noise": noise}
    return [
        _signal(name, network, tag, steps, series, said)
        for name, series in values.items()
        if any(map(math.isfinite, series))
    ]


def _told(batches: Mapping[int, Batch], steps: list[int]) -> dict[str, list[float]]:
    """What pictures tell of themselves; nothing of arrays."""
    told = [one for s in steps if (one := batches[s].told) is not None]
    if len(told) < len(steps):
        return {}
    series = {f"sample_{name}": list(told_of) for name, told_of in _by_name(told)}
    return {role: found for role, found in series.items() if any(map(math.isfinite, found))}


def _by_name(told: list[Evidence]) -> Iterator[tuple[str, tuple[float, ...]]]:
    return zip(Evidence._fields, zip(*told, strict=True), strict=True)


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
    least = _LEAST_EXTENT if real is None and all(b.told for b in batches.values()) else 0.0
    return max(high - low, least)


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
