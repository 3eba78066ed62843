"""Sample pictures wherever they lie, and what they tell of themselves."""

from __future__ import annotations

import base64
import io
import json
import os
import subprocess
import sys

import grids
import numpy as np
import pytest
from PIL import Image

from gandoctor import api
from gandoctor.model.signals import Picture
from gandoctor.parsers.formats import notebook
from gandoctor.samples import evidence, figures, measure, tiles


def packed(picture: np.ndarray, kind: str = "PNG") -> bytes:
    """An encoded picture."""
    out = io.BytesIO()
    image = Image.fromarray(picture[:, :, 0] if picture.shape[2] == 1 else picture)
    image.save(out, kind, quality=95, compress_level=1)
    return out.getvalue()


def told(signals) -> str:
    """What the last look says, by the bounds that the rules have."""
    last = {s.role: float(s.values[-1]) for s in signals}
    if last.get("sample_constant_share", 0) >= 0.5:
        return "constant"
    if last.get("sample_repeat", 0) >= 0.5:
        return "repeated"
    if last.get("sample_checkerboard", 0) > 0.4:
        return "checkerboard"
    if last.get("sample_noise", 0) > 0.7:
        return "noise"
    return "varied" if "sample_variety" in last else "nothing"


# ---------------------------------------------------------------- grids


@pytest.mark.parametrize("first", [0, 1000])
def test_of_forty_grids_nearly_all_are_told_right(tmp_path, first):
    wrong = []
    for seed in range(first, first + 40):
        made = grids.make(seed)
        folder = tmp_path / str(seed)
        folder.mkdir()
        pictures = []
        for step, picture in enumerate(made.pictures):
            (folder / f"fake_{step}.png").write_bytes(packed(picture))
            pictures.append(Picture("fake", step, f"fake_{step}.png"))
        signals, _, notes = measure(pictures, folder)
        found = told(signals)
        if found != made.kind.replace("collapsing", "repeated"):
            wrong.append((seed, made.kind, made.way, found, notes))
    assert len(wrong) <= 2, wrong


def test_the_generator_makes_all_sorts():
    made = [grids.make(seed) for seed in range(40)]
    assert {m.kind for m in made} == set(grids.KINDS)
    assert {m.way for m in made} == set(grids.WAYS)
    assert {m.pad for m in made} == set(range(5))
    assert min(m.columns for m in made) == 1
    assert max(m.columns for m in made) >= 14


@pytest.mark.parametrize("seed", range(8))
def test_pixels_that_a_figure_enlarged_are_had_again(seed):
    rng = np.random.default_rng(seed)
    samples = grids.scenes(rng, 20, 32, 3)
    figure = grids.drawn(("figure", "panel", "axes")[seed % 3], samples, 5, 2, seed)
    layout = tiles.find_layout(figure[None])
    assert layout is not None
    assert (layout.count, layout.height, layout.as_blocks) == (20, 32, True)
    off = np.abs(tiles.cut(figure, layout).astype(int) - samples)
    assert np.mean(off == 0) > 0.95


def curves(seed: int) -> np.ndarray:
    """A plot of two losses, as a figure."""
    rng = np.random.default_rng(seed)
    figure = np.full((300, 420, 3), 255, np.uint8)
    figure[20, 40:400] = figure[270, 40:401] = 0
    figure[20:270, 40] = figure[20:271, 400] = 0
    for colour in ((31, 119, 180), (255, 127, 14)):
        height = 150.0
        for x in range(41, 400):
            before, height = height, float(np.clip(height + rng.normal(0, 6), 25, 265))
            low, high = sorted((int(before), int(height)))
            figure[low : high + 2, x] = colour
    grids.letters(figure, rng, 6, 150, 120)
    return figure


@pytest.mark.parametrize("seed", range(5))
def test_curves_are_no_samples(seed):
    pictures = np.stack([curves(seed), curves(seed + 50)])
    assert figures.panels(pictures) == []
    assert tiles.find_layout(pictures) is None
    assert tiles.in_blocks(pictures) is None


@pytest.mark.parametrize("seed", range(5))
def test_a_single_sample_in_a_figure_is_no_grid(seed):
    rng = np.random.default_rng(seed)
    one = [grids.drawn("figure", grids.scenes(rng, 1, 96, 3), 1, 0, seed) for _ in range(3)]
    assert tiles.find_layout(np.stack(one)) is None


def test_blank_places_at_the_end_of_a_grid_are_no_samples():
    samples = grids.scenes(np.random.default_rng(1), 13, 32, 3)
    layout = tiles.find_layout(grids.plain(samples, 5, 2)[None])
    assert layout is not None
    assert layout.count == 13


# ---------------------------------------------------------------- what samples tell of themselves


def evidence_of(kind: str, seed: int = 3) -> evidence.Evidence:
    rng = np.random.default_rng(seed)
    return evidence.of(grids.samples_of(kind, rng, (36, 32, 3), along=1.0), as_drawn=True)


def test_each_failing_shows_in_its_own_number():
    seen = {kind: evidence_of(kind) for kind in grids.KINDS}
    assert {k for k, e in seen.items() if e.constant_share > 0.5} == {"constant"}
    assert {k for k, e in seen.items() if e.checkerboard > 0.4} == {"checkerboard"}
    assert seen["noise"].noise == pytest.approx(1, abs=0.05)
    assert seen["varied"].noise < 0.3
    assert seen["collapsing"].variety < 0.02
    assert seen["varied"].variety > 0.6
    assert seen["varied"].saturated < 0.2
    assert evidence.of(
        np.where(grids.scenes(np.random.default_rng(0), 9, 32, 3) > 128, 255, 0).astype(np.uint8),
        as_drawn=True,
    ).saturated == pytest.approx(1)
    grey = grids.digits(np.random.default_rng(0), 9, 28, 1)
    assert np.isnan(evidence.of(grey, as_drawn=True).saturated)


def test_texture_is_not_told_of_tiny_samples_nor_the_board_of_scaled_ones():
    tiny = evidence.of(np.zeros((9, 6, 6, 1), np.uint8), as_drawn=True)
    assert np.isnan([tiny.noise, tiny.checkerboard]).all()
    board = grids.samples_of("checkerboard", np.random.default_rng(0), (9, 32, 3), along=1.0)
    assert np.isnan(evidence.of(board, as_drawn=False).checkerboard)


# ---------------------------------------------------------------- notebooks


def stream(text: str) -> dict:
    return {"output_type": "stream", "name": "stdout", "text": text}


def shown(data: bytes, *, lines: bool = False, kind: str = "image/png") -> dict:
    text = base64.encodebytes(data).decode() if lines else base64.b64encode(data).decode()
    value = text.splitlines(keepends=True) if lines else text
    return {"output_type": "display_data", "data": {kind: value, "text/plain": ["<Figure>"]}}


def cell(*outputs: dict, source: str = "train()") -> dict:
    return {"cell_type": "code", "source": source, "outputs": list(outputs)}


def record(step: int) -> str:
    return f"Epoch {step}: d_loss: {1.3 - 0.001 * step:.4f} g_loss: {0.8 + 0.001 * step:.4f}\n"


def saved(folder, *cells: dict, name: str = "gan.ipynb"):
    path = folder / name
    head = {"cell_type": "markdown", "source": "Gänse — 生成"}
    path.write_text(
        json.dumps({"cells": [head, *cells], "nbformat": 4, "metadata": {}}, ensure_ascii=False),
        encoding="utf-8",
    )
    return path


def grid_of(kind: str, seed: int, along: float = 1.0, way: str = "axes") -> bytes:
    rng = np.random.default_rng(seed)
    samples = grids.samples_of(kind, rng, (16, 28, 1), along=along, look="digits")
    return packed(grids.drawn(way, samples, 4, 2, 5))


def training(kind: str, steps: range) -> dict:
    outputs = []
    for step in steps:
        outputs += [stream(record(step)), shown(grid_of(kind, step), lines=bool(step % 2))]
    return cell(*outputs)


def test_a_picture_has_the_step_of_the_record_it_follows(tmp_path):
    data = shown(packed(curves(1)))
    path = saved(
        tmp_path,
        cell(data, source="plt.imshow(batch)"),
        training("varied", range(12)),
        cell(shown(packed(curves(2))), source="plt.plot(losses)"),
    )
    reading = notebook.read(path)
    assert [p.step for p in reading.pictures] == [*range(12), 11]
    signals, facts, notes = _measured(path)
    assert {s.role for s in signals} >= {"sample_variety", "sample_noise", "sample_repeat"}
    assert all(s.steps.tolist() == list(range(12)) for s in signals if s.role == "sample_noise")
    assert facts["sample_pictures"] >= 12
    assert "16 tiles of 28 x 28 pixels" in notes[0]


def _measured(path):
    reading = notebook.read(path)
    placed = [
        Picture(p.tag, p.step, path.name, p.offset, p.length, p.written, p.shows)
        for p in reading.pictures
    ]
    return measure(placed, path.parent)


def test_a_picture_shown_before_its_record_goes_with_it(tmp_path):
    outputs = []
    for step in range(5):
        outputs += [shown(grid_of("varied", step)), stream(record(step))]
    reading = notebook.read(saved(tmp_path, cell(*outputs)))
    assert [p.step for p in reading.pictures] == [0, 1, 2, 3, 4]


def test_a_line_that_a_picture_cuts_in_two_stays_one(tmp_path):
    text = "".join(map(record, range(8)))
    cut = text.index("Epoch 4") + 3
    path = saved(
        tmp_path, cell(stream(text[:cut]), shown(grid_of("varied", 1)), stream(text[cut:]))
    )
    reading = notebook.read(path)
    assert reading.signals[0].steps.tolist() == list(range(8))
    assert [p.step for p in reading.pictures] == [3]


def test_records_are_the_same_with_and_without_pictures(tmp_path):
    with_them = training("varied", range(10))
    without = cell(*(o for o in with_them["outputs"] if o["output_type"] == "stream"))
    a = notebook.read(saved(tmp_path, with_them, name="a.ipynb"))
    b = notebook.read(saved(tmp_path, without, name="b.ipynb"))
    assert [(s.tag, s.steps.tolist(), s.values.tolist()) for s in a.signals] == [
        (s.tag, s.steps.tolist(), s.values.tolist()) for s in b.signals
    ]
    assert b.pictures == ()


def test_of_real_beside_generated_the_generated_are_measured(tmp_path):
    rng = np.random.default_rng(4)
    real, same = grids.scenes(rng, 32, 32, 3), np.repeat(grids.scenes(rng, 1, 32, 3), 32, axis=0)
    left, right = (grids.drawn("panel", s, 8, 2, 9) for s in (real, same))
    source = "plt.title('Real Images')\nplt.imshow(a)\nplt.title('Fake Images')\nplt.imshow(b)"
    one = shown(packed(np.concatenate([left, right], axis=1)))
    path = saved(tmp_path, cell(stream("".join(map(record, range(9))))), cell(one, source=source))
    signals, _, _ = _measured(path)
    got = {s.role: s for s in signals}
    assert got["sample_repeat"].values.tolist() == [1.0]
    assert got["sample_repeat"].steps.tolist() == [8]


def test_jpeg_pictures_are_read_too(tmp_path):
    outputs = []
    for step in range(4):
        samples = grids.scenes(np.random.default_rng(step), 16, 64, 3)
        picture = grids.drawn("axes", samples, 4, 0, 3)
        outputs += [stream(record(step)), shown(packed(picture, "JPEG"), kind="image/jpeg")]
    signals, _, _ = _measured(saved(tmp_path, cell(*outputs)))
    assert {s.role: len(s) for s in signals}["sample_variety"] == 4


@pytest.mark.parametrize(
    "value", ["", [], [None], "no base64 at all!", "iVBORw0KGgo=", 7, {"a": 1}, ["iVBO", 3]]
)
def test_damaged_pictures_of_a_notebook_are_left_out(tmp_path, value):
    bad = {"output_type": "display_data", "data": {"image/png": value}}
    path = saved(tmp_path, cell(*(x for s in range(6) for x in (stream(record(s)), bad))))
    assert _measured(path)[0] == ()
    assert len(api.analyze(path).signals) >= 2


def found_in(path) -> set[str]:
    return {f.rule for f in api.analyze(path).findings}


def test_a_collapsed_grid_in_a_notebook_is_found(tmp_path):
    assert "samples-repeat" in found_in(saved(tmp_path, training("repeated", range(30))))


@pytest.mark.parametrize(
    ("kind", "rule"), [("noise", "samples-are-noise"), ("constant", "samples-flat")]
)
def test_noise_and_flat_colour_in_a_notebook_are_found(tmp_path, kind, rule):
    assert rule in found_in(saved(tmp_path, training(kind, range(12))))


def test_healthy_grids_in_a_notebook_stay_silent(tmp_path):
    path = saved(tmp_path, training("varied", range(30)))
    assert not {r for r in found_in(path) if r.startswith("samples-")}


# ---------------------------------------------------------------- what it costs


_WORK = """
import resource, sys, time
from pathlib import Path
from gandoctor.model.signals import Picture
from gandoctor.samples import measure
folder = Path(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
began = time.process_time()
signals, facts, _ = measure([Picture("fake", k, "grid.png") for k in range(200)], folder)
spent = time.process_time() - began
print(spent, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024, len(signals))
"""


@pytest.mark.parametrize("pad", [0, 2])
def test_two_hundred_large_grids_cost_little(tmp_path, pad):
    samples = grids.scenes(np.random.default_rng(0), 64, 128 - pad, 3)
    picture = np.zeros((1024 + pad, 1024 + pad, 3), np.uint8)
    drawn = grids.plain(samples, 8, pad)
    picture[: drawn.shape[0], : drawn.shape[1]] = drawn
    (tmp_path / "grid.png").write_bytes(packed(picture))
    done = subprocess.run(
        [sys.executable, "-c", _WORK, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
    )
    spent, room, signals = map(float, done.stdout.split())
    assert signals > 4
    assert room < 400  # MiB
    assert spent < 4  # seconds of one core
