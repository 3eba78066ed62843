"""Grids of samples as trainings leave them, made up: what they show, how they are laid out, drawn."""

from __future__ import annotations

import dataclasses

import numpy as np

KINDS = ("varied", "repeated", "noise", "constant", "collapsing", "checkerboard")
WAYS = ("torchvision", "figure", "panel", "axes")


@dataclasses.dataclass(frozen=True)
class Made:
    """Grids of one run.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    way : str
        How they were drawn: plain, with padding (`torchvision`); plain in a figure's only axes
        with ticks (`figure`) or a title (`panel`); each sample in axes of its own (`axes`).
    columns, rows, side, pad : int
    pictures : ndarray of uint8, shape (steps, height, width, channels)
    """

    kind: str
    way: str
    columns: int
    rows: int
    side: int
    pad: int
    pictures: np.ndarray


def scenes(rng: np.random.Generator, n: int, side: int, channels: int) -> np.ndarray:
    """Smooth pictures that have little in common, with an object in each."""
    y, x = np.mgrid[0 : 1 : side * 1j, 0 : 1 : side * 1j]
    out = np.empty((n, side, side, channels))
    for i in range(n):
        grey = np.zeros((side, side))
        for f in range(1, 7):
            (a, b), phase = rng.normal(0, 1.6 * f, 2), rng.uniform(0, 6.3)
            grey += np.cos(a * x + b * y + phase) / f
        (cy, cx), r = rng.uniform(0.25, 0.75, 2), rng.uniform(0.12, 0.3)
        inside = np.hypot(y - cy, x - cx) < r
        for c in range(channels):
            layer = grey * rng.uniform(0.5, 1.2) + rng.normal(0, 0.5)
            out[i, :, :, c] = np.where(inside, layer + rng.normal(0, 1.2), layer)
    return np.clip(128 + 50 * out, 0, 255).astype(np.uint8)


def digits(rng: np.random.Generator, n: int, side: int, channels: int) -> np.ndarray:
    """Bright strokes in the middle of a black ground."""
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    out = np.zeros((n, side, side, channels), np.uint8)
    for i in range(n):
        nearest = np.full((side, side), np.inf)
        at = rng.uniform(-0.5, 0.5, 2)
        for _ in range(rng.integers(2, 5)):
            to = rng.uniform(-0.6, 0.6, 2)
            way = to - at
            t = np.clip(((y - at[0]) * way[0] + (x - at[1]) * way[1]) / (way @ way), 0, 1)
            off = np.hypot(y - at[0] - t * way[0], x - at[1] - t * way[1])
            nearest = np.minimum(nearest, off)
            at = to
        out[i] = (255 * np.exp(-(nearest**2) / 0.008))[:, :, None].astype(np.uint8)
    return out


def samples_of(
    kind: str,
    rng: np.random.Generator,
    shape: tuple[int, int, int],
    *,
    along: float,
    look: str = "scenes",
) -> np.ndarray:
    """Samples of one step, `along` (0..1) the way of the training; shape is (n, side, channels)."""
    n, side, channels = shape
    make = digits if look == "digits" else scenes
    if kind == "noise":
        return rng.integers(0, 256, (n, side, side, channels), dtype=np.uint8)
    if kind == "constant":
        grey = rng.integers(30, 220, channels)
        wiggle = rng.integers(-1, 2, (n, side, side, channels))
        return np.clip(grey + wiggle, 0, 255).astype(np.uint8)
    many = make(rng, n, side, channels)
    if kind == "varied":
        return many
    if kind == "checkerboard":
        board = np.indices((side, side)).sum(axis=0) % 2 * 2 - 1
        faint = 0.35 * (many.astype(float) - 128) + 128
        return np.clip(faint + 45 * board[:, :, None], 0, 255).astype(np.uint8)
    of = (
        max(1, round((1 - along) ** 2 * n)) if kind == "collapsing" else 1 + int(rng.integers(0, 3))
    )
    same = many[np.arange(n) % of].astype(int)
    return np.clip(same + rng.integers(-1, 2, same.shape), 0, 255).astype(np.uint8)


def plain(samples: np.ndarray, columns: int, pad: int) -> np.ndarray:
    """As ``torchvision.utils.make_grid`` lays them out."""
    n, side, _, channels = samples.shape
    rows = -(-n // columns)
    out = np.zeros((pad + rows * (side + pad), pad + columns * (side + pad), channels), np.uint8)
    for i, s in enumerate(samples):
        y, x = pad + i // columns * (side + pad), pad + i % columns * (side + pad)
        out[y : y + side, x : x + side] = s
    return out


def enlarged(picture: np.ndarray, height: int, width: int) -> np.ndarray:
    """Brought to another size, as a figure draws it: the nearest pixel."""
    rows = ((np.arange(height) + 0.5) * picture.shape[0] / height).astype(int)
    columns = ((np.arange(width) + 0.5) * picture.shape[1] / width).astype(int)
    return picture[rows][:, columns]


def letters(figure: np.ndarray, rng: np.random.Generator, top: int, left: int, width: int) -> None:
    """Something like a line of text, 8 pixels high."""
    for x in range(left, left + width, 7):
        glyph = rng.random((8, 5)) < 0.45
        figure[top : top + 8, x : x + 5][glyph] = 20


def drawn(way: str, samples: np.ndarray, columns: int, pad: int, seed: int) -> np.ndarray:
    """The picture of one step; `seed` settles all that the figures of a run share."""
    rng = np.random.default_rng(seed)
    grid = plain(samples, columns, pad)
    if way == "torchvision":
        return grid
    rgb = np.repeat(grid, 3, axis=2) if grid.shape[2] == 1 else grid
    if way in ("figure", "panel"):
        scale = rng.uniform(1.3, 2.2) if max(grid.shape) < 400 else rng.uniform(1.05, 1.4)
        height, width = int(grid.shape[0] * scale), int(grid.shape[1] * scale)
        figure = np.full((height + 58, width + 62, 3), 255, np.uint8)
        figure[28 : 28 + height, 40 : 40 + width] = enlarged(rgb, height, width)
        letters(figure, rng, 8, 60, min(90, width - 30))
        if way == "figure":
            figure[27, 39 : 41 + width] = figure[28 + height, 39 : 41 + width] = 0
            figure[27 : 29 + height, 39] = figure[27 : 29 + height, 40 + width] = 0
            for y in range(35, 28 + height, 40):
                figure[y, 35:39] = 0
                letters(figure, rng, y - 4, 14, 14)
            for x in range(50, 40 + width, 40):
                figure[28 + height : 32 + height, x] = 0
                letters(figure, rng, 34 + height, x - 6, 12)
        return figure
    side, gap = int(rng.integers(40, 80)), int(rng.integers(6, 24))
    title = 12 if rng.random() < 0.5 else 0
    rows = -(-len(samples) // columns)
    figure = np.full(
        (30 + rows * (side + gap + title), 20 + columns * (side + gap), 3), 255, np.uint8
    )
    for i, s in enumerate(samples):
        y = 14 + i // columns * (side + gap + title) + title
        x = 10 + i % columns * (side + gap)
        one = np.repeat(s, 3, axis=2) if s.shape[2] == 1 else s
        figure[y : y + side, x : x + side] = enlarged(one, side, side)
        if title:
            letters(figure, rng, y - 11, x + 6, 24)
    return figure


def make(seed: int, kind: str | None = None) -> Made:
    """A run's grids, all settled by the seed."""
    rng = np.random.default_rng(seed)
    kind = kind or KINDS[int(rng.integers(len(KINDS)))]
    way = WAYS[int(rng.integers(len(WAYS)))]
    side = int(rng.choice([28, 32, 48, 64]))
    columns = int(rng.integers(1, 17 if side < 48 else 9))
    rows = int(rng.integers(max(1, -(-8 // columns)), 9))
    if way == "axes":
        columns, rows = min(columns, 8), min(rows, 5)
        rows = max(rows, -(-8 // columns))
    pad = int(rng.integers(0, 5))
    channels = int(rng.choice([1, 3]))
    look = "digits" if channels == 1 and rng.random() < 0.5 else "scenes"
    steps = int(rng.integers(3, 7))
    pictures = [
        drawn(
            way,
            samples_of(
                kind, rng, (rows * columns, side, channels), along=k / (steps - 1), look=look
            ),
            columns,
            pad,
            seed,
        )
        for k in range(steps)
    ]
    return Made(kind, way, columns, rows, side, pad, np.stack(pictures))
