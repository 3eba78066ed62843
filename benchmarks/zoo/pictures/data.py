"""Eight sets of labelled pictures, drawn when they are needed: nothing is downloaded.

``plan.yaml`` says which half trains on which.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Picture = Image.Image
    Draw = Callable[[np.random.Generator, int], Picture]

TRAIN: Final = 4096
HELD_OUT: Final = 1024
FINER: Final = 3  # pictures are drawn larger and made smaller, for smooth edges

LETTERS: Final = "AEHKMRSTXZ"
# Colours of the top and the bottom of a scene.
GROUNDS: Final = np.array([[[190, 210, 235], [60, 80, 60]], [[235, 190, 150], [70, 45, 90]]])
FACES: Final = (
    "DejaVuSans.ttf",
    "DejaVuSans-Bold.ttf",
    "DejaVuSans-Oblique.ttf",
    "DejaVuSerif.ttf",
    "DejaVuSerif-Bold.ttf",
    "DejaVuSerif-Italic.ttf",
    "DejaVuSansMono.ttf",
    "DejaVuSansMono-Bold.ttf",
)


@dataclass(frozen=True, eq=False)
class Pictures:
    """Real pictures and their classes.

    Attributes
    ----------
    name : str
    train : ndarray of uint8, shape (n, channels, size, size)
    train_labels : ndarray of int64, shape (n,)
    held_out : ndarray of uint8, shape (m, channels, size, size)
        Never seen in training; all measurements are against it.
    held_out_labels : ndarray of int64, shape (m,)
    classes : int
    """

    name: str
    train: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    held_out: NDArray[np.uint8]
    held_out_labels: NDArray[np.int64]
    classes: int

    @property
    def channels(self) -> int:
        return int(self.train.shape[1])

    @property
    def size(self) -> int:
        return int(self.train.shape[2])


@dataclass(frozen=True)
class Kind:
    """How one set is drawn: its classes, the side in pixels, grey or colour."""

    classes: int
    size: int
    mode: str
    draw: Draw


def load(name: str, kept: Path | None = None) -> Pictures:
    """Draw a set, or read it where it was kept.

    Parameters
    ----------
    name : str
    kept : Path, optional
        Folder where sets are kept as ``NAME.npz``.

    Raises
    ------
    ValueError
        No such set.
    """
    if name not in KINDS:
        raise ValueError(f"data.name: {name} is none of {', '.join(KINDS)}")
    path = kept / f"{name}.npz" if kept else None
    if path and path.exists():
        with np.load(path) as file:
            parts = [file[k] for k in ("train", "train_labels", "held_out", "held_out_labels")]
        return Pictures(name, *parts, KINDS[name].classes)
    made = _drawn(name)
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_suffix(".half.npz")
        np.savez(
            half,
            train=made.train,
            train_labels=made.train_labels,
            held_out=made.held_out,
            held_out_labels=made.held_out_labels,
        )
        half.replace(path)
    return made


def _drawn(name: str) -> Pictures:
    kind = KINDS[name]
    rng = np.random.default_rng([len(name), *name.encode()])
    labels = rng.permutation(np.arange(TRAIN + HELD_OUT) % kind.classes).astype(np.int64)
    pictures = np.stack([np.asarray(kind.draw(rng, int(label))) for label in labels])
    if kind.mode == "L":
        pictures = pictures[..., None]
    pictures = np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))
    return Pictures(
        name, pictures[:TRAIN], labels[:TRAIN], pictures[TRAIN:], labels[TRAIN:], kind.classes
    )


def _smaller(picture: Picture, size: int) -> Picture:
    return picture.resize((size, size), Image.Resampling.BOX)


# ------------------------------------------------------------------------------------------- glyphs


def _font(face: str, size: int) -> Any:
    key = (face, size)
    if key not in _FONTS:
        import matplotlib as mpl  # noqa: PLC0415  (ships the fonts)

        path = Path(mpl.get_data_path()) / "fonts" / "ttf" / face
        _FONTS[key] = ImageFont.truetype(str(path), size)
    return _FONTS[key]


_FONTS: dict[tuple[str, int], Any] = {}


def _glyph(rng: np.random.Generator, label: int) -> Picture:
    side = 28 * FINER
    picture = Image.new("L", (side, side))
    font = _font(FACES[rng.integers(len(FACES))], int(rng.integers(19, 24)) * FINER)
    at = side / 2 + rng.normal(0, 1.0, 2) * FINER
    ImageDraw.Draw(picture).text(tuple(at), LETTERS[label], 255, font, anchor="mm")
    picture = picture.rotate(float(rng.normal(0, 6)), Image.Resampling.BILINEAR)
    return _smaller(picture, 28)


# ------------------------------------------------------------------------------------------- scenes


def _scene(rng: np.random.Generator, label: int) -> Picture:
    """One shape of eight on a ground that shades from one colour to another."""
    size = 32
    side = size * FINER
    top, bottom = GROUNDS[rng.integers(len(GROUNDS))] + rng.normal(0, 8, (2, 3))
    shade = np.linspace(0, 1, side)[:, None, None]
    ground = np.broadcast_to(top * (1 - shade) + bottom * shade, (side, side, 3))
    picture = Image.fromarray(ground.astype(np.uint8))
    turn = rng.integers(3) + rng.normal(0, 0.06)  # red, green or blue, about
    hue = (turn + np.arange(3)) * 2 * np.pi / 3
    colour = tuple(int(v) for v in 127 + 115 * np.cos(hue))
    x, y = side / 2 + rng.normal(0, 1.0, 2) * FINER
    r = rng.uniform(9, 11) * FINER
    _shape(ImageDraw.Draw(picture), label, (x, y, r), colour)
    pixels = np.asarray(_smaller(picture, size)).astype(float) + rng.normal(0, 4, (size, size, 1))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _around(x: float, y: float, radii: list[float], turn: float) -> list[tuple[float, float]]:
    n = len(radii)
    angles = [2 * math.pi * i / n + turn for i in range(n)]
    return [(x + r * math.sin(a), y - r * math.cos(a)) for r, a in zip(radii, angles, strict=True)]


def _shape(
    pen: ImageDraw.ImageDraw, label: int, at: tuple[float, float, float], colour: tuple[int, ...]
) -> None:
    x, y, r = at
    box = (x - r, y - r, x + r, y + r)
    match label:
        case 0:
            pen.ellipse(box, colour)
        case 1:
            pen.rectangle((x - 0.85 * r, y - 0.85 * r, x + 0.85 * r, y + 0.85 * r), colour)
        case 2:
            pen.polygon(_around(x, y, [1.15 * r] * 3, 0.0), colour)
        case 3:
            pen.polygon(_around(x, y, [1.2 * r, 0.5 * r] * 5, 0.0), colour)
        case 4:
            pen.ellipse(box, outline=colour, width=int(0.4 * r))
        case 5:
            pen.rectangle((x - r, y - 0.3 * r, x + r, y + 0.3 * r), colour)
            pen.rectangle((x - 0.3 * r, y - r, x + 0.3 * r, y + r), colour)
        case 6:
            pen.rectangle((x - 1.2 * r, y - 0.35 * r, x + 1.2 * r, y + 0.35 * r), colour)
        case _:
            pen.rectangle((x - 0.35 * r, y - 1.2 * r, x + 0.35 * r, y + 1.2 * r), colour)


# ----------------------------------------------------------------------------------------- textures


def _texture(rng: np.random.Generator, label: int) -> Picture:
    """Grey patterns: stripes three ways, checks, dots, rings, clouds, hatching."""
    size = 28
    y, x = np.mgrid[:size, :size] + rng.uniform(-3, 3, 2)[:, None, None]
    wave = 2 * np.pi / rng.uniform(8.0, 9.5)
    match label:
        case 0:
            field = np.sin(wave * x)
        case 1:
            field = np.sin(wave * y)
        case 2:
            field = np.sin(wave * (x + y) * 0.7)
        case 3:
            field = 1.4 * np.tanh(3 * np.sin(wave * x) * np.sin(wave * y))
        case 4:
            field = 2.6 * np.exp(-4 * (np.sin(wave * x / 2) ** 2 + np.sin(wave * y / 2) ** 2)) - 0.9
        case 5:
            field = np.sin(wave * np.hypot(x - size / 2, y - size / 2))
        case 6:
            noise = Image.fromarray(rng.integers(0, 255, (size, size), dtype=np.uint8))
            cloud = np.asarray(noise.filter(ImageFilter.GaussianBlur(2.5))).astype(float)
            field = (cloud - cloud.mean()) / (2 * cloud.std())
        case _:
            field = np.maximum(np.cos(wave * (x + y) * 0.7), np.cos(wave * (x - y) * 0.7)) - 0.3
    pixels = 127 + rng.uniform(75, 105) * field + rng.normal(0, 6, (size, size))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


# ------------------------------------------------------------------------------------------ sprites


def _sprite(rng: np.random.Generator, label: int) -> Picture:
    """Small symmetric creatures in four shades: one body a class, with chance dots and colours."""
    body = np.random.default_rng(700 + label)
    half = (body.random((8, 4)) < 0.55).astype(int) + (body.random((8, 4)) < 0.25)
    half[rng.random((8, 4)) < 0.05] = 0
    grid = np.concatenate([half, half[:, ::-1]], axis=1)
    hue = 0.63 * label + rng.normal(0, 0.15) + np.arange(3) * 2 * np.pi / 3
    light = np.clip(150 + 95 * np.cos(hue), 0, 255)
    colours = np.array([rng.uniform(10, 25, 3), light, 0.5 * light, 0.5 * light])
    big = np.kron(colours[grid], np.ones((3, 3, 1)))
    canvas = np.broadcast_to(colours[0], (32, 32, 3)).copy()
    top, left = 4 + rng.integers(-1, 2, 2)
    canvas[top : top + 24, left : left + 24] = big
    return Image.fromarray(np.clip(canvas + rng.normal(0, 3, (32, 32, 1)), 0, 255).astype(np.uint8))


# ------------------------------------------------------------------------------------------ strokes

# The lines of a pen, in units of the side: ten signs, as somebody would write them.
PEN: Final[tuple[tuple[tuple[tuple[float, float], ...], ...], ...]] = (
    (((0.5, 0.2), (0.7, 0.35), (0.7, 0.65), (0.5, 0.8), (0.3, 0.65), (0.3, 0.35), (0.5, 0.2)),),
    (((0.4, 0.3), (0.52, 0.2), (0.5, 0.8)),),
    (((0.3, 0.35), (0.5, 0.2), (0.68, 0.35), (0.3, 0.8), (0.72, 0.78)),),
    (((0.3, 0.22), (0.68, 0.25), (0.45, 0.48), (0.7, 0.65), (0.3, 0.8)),),
    (((0.55, 0.2), (0.28, 0.58), (0.74, 0.58)), ((0.6, 0.42), (0.58, 0.82))),
    (((0.7, 0.2), (0.36, 0.22), (0.34, 0.46), (0.66, 0.52), (0.62, 0.76), (0.3, 0.8)),),
    (((0.62, 0.2), (0.36, 0.5), (0.38, 0.78), (0.64, 0.76), (0.62, 0.54), (0.38, 0.58)),),
    (((0.28, 0.22), (0.72, 0.22), (0.44, 0.8)),),
    (((0.26, 0.24), (0.72, 0.78)), ((0.72, 0.24), (0.28, 0.78))),
    (((0.26, 0.26), (0.48, 0.52), (0.5, 0.8)), ((0.74, 0.24), (0.48, 0.52))),
)


def _strokes(rng: np.random.Generator, label: int) -> Picture:
    """A sign by hand: its corners shake, it leans, the pen is thin or thick."""
    side = 28 * FINER
    picture = Image.new("L", (side, side))
    pen = ImageDraw.Draw(picture)
    lean, width = rng.normal(0, 0.15), int(rng.integers(5, 9))
    middle = 0.5 + rng.normal(0, 0.02, 2)
    for line in PEN[label]:
        at = np.array(line) - 0.5 + rng.normal(0, 0.02, (len(line), 2))
        at = at * rng.uniform(0.9, 1.15, 2)
        at[:, 0] -= lean * at[:, 1]
        points = [(float(x), float(y)) for x, y in (at + middle) * side]
        pen.line(points, 255, width, joint="curve")
        for x, y in (points[0], points[-1]):  # round ends
            r = width / 2
            pen.ellipse((x - r, y - r, x + r, y + r), 255)
    return _smaller(picture, 28)


# -------------------------------------------------------------------------------------------- faces

HAIR: Final = np.array([[40, 30, 25], [225, 190, 90], [150, 60, 30], [120, 120, 125]])


def _face(rng: np.random.Generator, label: int) -> Picture:
    """A drawn head: four colours of hair, smiling or open mouthed, on a plain ground."""
    size = 32
    side = size * FINER
    hair, smiles = HAIR[label % 4] + rng.normal(0, 8, 3), label < 4
    skin = np.array([224, 180, 150]) * rng.uniform(0.7, 1.05)
    ground = np.array([150, 170, 190]) + rng.normal(0, 20, 3)

    def colour(values: NDArray[np.float64]) -> tuple[int, ...]:
        return tuple(int(v) for v in np.clip(values, 0, 255))

    picture = Image.new("RGB", (side, side), colour(ground))
    pen = ImageDraw.Draw(picture)
    x, y = side / 2 + rng.normal(0, 1.0, 2) * FINER
    w, h = rng.uniform(8.5, 10) * FINER, rng.uniform(10.5, 12) * FINER
    pen.ellipse((x - 1.15 * w, y - 1.2 * h, x + 1.15 * w, y + 0.5 * h), colour(hair))
    pen.ellipse((x - w, y - 0.8 * h, x + w, y + h), colour(skin))
    for way in (-1, 1):
        ex, ey, r = x + way * 0.42 * w, y - 0.05 * h, 0.13 * w
        pen.ellipse((ex - r, ey - r, ex + r, ey + r), (30, 30, 40))
    box = (x - 0.45 * w, y + 0.25 * h, x + 0.45 * w, y + 0.7 * h)
    if smiles:
        pen.arc(box, 20, 160, (150, 40, 50), width=2 * FINER)
    else:
        pen.ellipse((x - 0.25 * w, y + 0.4 * h, x + 0.25 * w, y + 0.75 * h), (110, 25, 35))
    pixels = np.asarray(_smaller(picture, size)).astype(float) + rng.normal(0, 3, (size, size, 1))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


# ----------------------------------------------------------------------------------------- segments

# Which of a display's seven bars are lit: top, upper left, upper right, middle, lower two, bottom.
LIT: Final = ("1110111", "0010010", "1011101", "1011011", "0111010",
              "1101011", "1101111", "1010010", "1111111", "1111011")  # fmt: skip
BARS: Final = (((0, 0), (1, 0)), ((0, 0), (0, 1)), ((1, 0), (1, 1)), ((0, 1), (1, 1)),
               ((0, 1), (0, 2)), ((1, 1), (1, 2)), ((0, 2), (1, 2)))  # fmt: skip


def _segments(rng: np.random.Generator, label: int) -> Picture:
    """A digit of a display: it leans, its bars are thin or thick, those unlit glimmer."""
    side = 28 * FINER
    picture = Image.new("L", (side, side))
    pen = ImageDraw.Draw(picture)
    lean, width, glimmer = rng.normal(0.1, 0.06), int(rng.integers(6, 10)), int(rng.integers(0, 50))
    tall = rng.uniform(0.26, 0.32) * side
    x0, y0 = side * 0.36 + rng.normal(0, 1.5), side / 2 - tall + rng.normal(0, 1.5)
    for lit in "01":  # what is lit lies above what is not
        for bar, state in zip(BARS, LIT[label], strict=True):
            if state == lit:
                ends = [
                    (x0 + x * 0.95 * tall - lean * (y - 1) * tall, y0 + y * tall) for x, y in bar
                ]
                pen.line(ends, 255 if state == "1" else glimmer, width)
    return _smaller(picture.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.5, 2)))), 28)


# -------------------------------------------------------------------------------------------- flags

DYES: Final = np.array([[200, 30, 45], [245, 245, 240], [20, 60, 150], [250, 205, 40],
                        [20, 130, 70], [25, 25, 25]])  # fmt: skip


def _flag(rng: np.random.Generator, label: int) -> Picture:
    """A flag of two or three dyes: stripes two ways, crosses, a disc, a corner, a border."""
    size = 32
    side = size * FINER
    picked = DYES[rng.permutation(len(DYES))[:3]] + rng.normal(0, 6, (3, 3))
    first, second, third = (tuple(int(v) for v in np.clip(c, 0, 255)) for c in picked)
    picture = Image.new("RGB", (side, side), first)
    pen = ImageDraw.Draw(picture)
    a, b, w = side / 3 + rng.normal(0, 1), side * 2 / 3 + rng.normal(0, 1), side * 0.1
    match label:
        case 0:
            pen.rectangle((a, 0, b, side), second)
            pen.rectangle((b, 0, side, side), third)
        case 1:
            pen.rectangle((0, a, side, b), second)
            pen.rectangle((0, b, side, side), third)
        case 2:
            pen.rectangle((a - w, 0, a + w, side), second)
            pen.rectangle((0, side / 2 - w, side, side / 2 + w), second)
        case 3:
            pen.line((0, 0, side, side), second, int(2 * w))
            pen.line((0, side, side, 0), second, int(2 * w))
        case 4:
            pen.ellipse((a - w, a - w, b + w, b + w), second)
        case 5:
            pen.rectangle((0, 0, side / 2, side / 2), second)
        case 6:
            pen.polygon(((0, 0), (side, 0), (0, side)), second)
        case _:
            pen.rectangle((2 * w, 2 * w, side - 2 * w, side - 2 * w), second)
    pixels = np.asarray(_smaller(picture, size)).astype(float) + rng.normal(0, 3, (size, size, 1))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


KINDS: Final[dict[str, Kind]] = {
    "glyphs": Kind(10, 28, "L", _glyph),
    "scenes": Kind(8, 32, "RGB", _scene),
    "textures": Kind(8, 28, "L", _texture),
    "sprites": Kind(10, 32, "RGB", _sprite),
    "strokes": Kind(10, 28, "L", _strokes),
    "faces": Kind(8, 32, "RGB", _face),
    "segments": Kind(10, 28, "L", _segments),
    "flags": Kind(8, 32, "RGB", _flag),
}
