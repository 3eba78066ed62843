"""Pictures beside real ones: what they show, their palette and brightness, and whose noise it is."""

from __future__ import annotations

import grids
import numpy as np
import pytest
from test_pictures import cell, found_in, packed, record, saved, shown, stream

from gandoctor.model.signals import Picture
from gandoctor.parsers.formats import notebook
from gandoctor.parsers.printed import cells
from gandoctor.samples import features, fidelity, measure, pairing, tiles

LOOKS = ("digits", "scenes")


def drawn(look: str, seed: int, n: int = 64, side: int = 32) -> np.ndarray:
    rng = np.random.default_rng(seed)
    make = grids.digits if look == "digits" else grids.scenes
    return make(rng, n, side, 3)


def compared(samples: np.ndarray, real: np.ndarray) -> fidelity.Fidelity:
    one, other = (features.structure(features.thumbs(x)) for x in (samples, real))
    middle, spread = other.mean(axis=0), np.maximum(other.std(axis=0), 1e-3)
    return fidelity.against((one - middle) / spread, (other - middle) / spread)


# ---------------------------------------------------------------- features


@pytest.mark.parametrize("look", LOOKS)
def test_pictures_of_one_kind_are_near_each_other(look: str) -> None:
    got = compared(drawn(look, 1), drawn(look, 2))
    assert got.coverage > 0.9
    assert got.precision > 0.9
    assert abs(got.distance) < 0.05


@pytest.mark.parametrize("look", LOOKS)
def test_noise_is_far_from_pictures_and_a_collapse_covers_little(look: str) -> None:
    real = drawn(look, 2)
    noise = np.random.default_rng(0).integers(0, 256, real.shape, dtype=np.uint8)
    assert compared(noise, real).distance > 1
    assert compared(noise, real).coverage < 0.1
    few = drawn(look, 1)[np.arange(64) % 2]
    assert compared(few, real).coverage < 0.6
    assert compared(few, real).distance > 0.15


@pytest.mark.parametrize("look", LOOKS)
def test_brightness_and_size_change_nothing_of_what_is_shown(look: str) -> None:
    real, same = drawn(look, 2), drawn(look, 1)
    assert abs(compared(same // 2, real).distance - compared(same, real).distance) < 0.02
    assert compared(drawn(look, 1, side=64), real).coverage > 0.9


def test_brightness_and_palette_are_told_apart() -> None:
    real, same = drawn("scenes", 2), drawn("scenes", 1)
    small, other = features.thumbs(same), features.thumbs(real)
    assert abs(features.brightness(small, other)) < 0.2
    assert features.palette(small, other) < 0.4
    assert features.brightness(features.thumbs(same // 3), other) < -1
    red = same.copy()
    red[..., 0] = np.minimum(255, same[..., 0].astype(int) + 120)
    assert features.palette(features.thumbs(red), other) > 1


def test_features_are_the_same_every_time() -> None:
    small = features.thumbs(drawn("scenes", 4, n=5))
    again = features.structure(small)
    features._filters.cache_clear()
    assert np.array_equal(features.structure(small), again)


@pytest.mark.parametrize("side", [12, 28, 31, 32, 50, 128])
def test_pictures_of_any_size_are_brought_to_one(side: int) -> None:
    rng = np.random.default_rng(side)
    picture = rng.integers(0, 256, (3, side, side + 1, 3), dtype=np.uint8)
    small = features.thumbs(picture)
    assert small.shape == (3, 32, 32, 3)
    assert np.allclose(small.mean(axis=(1, 2)), picture.mean(axis=(1, 2)) / 255, atol=1e-3)
    if side == 32:
        plain = features.thumbs(picture[:, :, :32])
        assert np.allclose(plain, picture[:, :, :32] / 255, atol=1e-4)


# ---------------------------------------------------------------- files


def written(folder, name: str, samples: np.ndarray, pad: int = 2) -> None:
    (folder / name).write_bytes(packed(grids.plain(samples, 8, pad)))


@pytest.mark.parametrize(("side", "pad"), [(32, 2), (64, 0)])
def test_a_real_grid_of_another_size_is_compared_all_the_same(tmp_path, side, pad):
    written(tmp_path, "real.png", drawn("scenes", 2, side=side), pad)
    for step in range(3):
        written(tmp_path, f"fake_{step}.png", drawn("scenes", 10 + step))
    pictures = [Picture("fake", s, f"fake_{s}.png") for s in range(3)]
    signals, facts, _ = measure([*pictures, Picture("real", -1, "real.png")], tmp_path)
    got = {s.role: s for s in signals}
    assert got["sample_coverage"].values.min() > 0.9
    assert np.abs(got["sample_brightness"].values).max() < 0.3
    assert "random convolutions" in got["sample_distance"].because
    assert facts["fixed_noise"] == 0


def test_small_grids_are_looked_at_together(tmp_path):
    written(tmp_path, "real.png", drawn("scenes", 2))
    for step in range(8):
        written(tmp_path, f"fake_{step}.png", drawn("scenes", 10 + step, n=16))
    pictures = [Picture("fake", s, f"fake_{s}.png") for s in range(8)]
    signals, _, _ = measure([*pictures, Picture("real", -1, "real.png")], tmp_path)
    coverage = next(s for s in signals if s.role == "sample_coverage").values
    assert np.isnan(coverage[0])
    assert coverage[1:].min() > 0.7


# ---------------------------------------------------------------- noise


def noisy(samples: np.ndarray, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    moved = samples + rng.normal(0, 12, samples.shape)
    return np.clip(moved, 0, 255).reshape(len(samples), -1) / 255


def test_the_same_noise_is_told_from_noise_drawn_anew() -> None:
    same = [noisy(drawn("scenes", 1, n=25), s) for s in range(5)]
    anew = [noisy(drawn("scenes", s, n=25), s) for s in range(5)]
    assert pairing.is_kept(pairing.kept_share(same), 25) is True
    assert pairing.is_kept(pairing.kept_share(anew), 25) is False


def test_copies_tell_nothing_of_noise() -> None:
    copies = [np.repeat(np.full((1, 30), 0.1 * s), 16, axis=0) for s in range(4)]
    assert pairing.is_kept(pairing.kept_share(copies), 16) is None
    assert pairing.is_kept(pairing.kept_share([np.zeros((3, 4))] * 3), 3) is None


def test_whose_noise_it_is_is_said(tmp_path):
    held = drawn("scenes", 1, n=32)
    for step in range(4):
        moved = np.clip(held.astype(int) + 3 * step, 0, 255).astype(np.uint8)
        written(tmp_path, f"fake_{step}.png", moved)
    pictures = [Picture("fake", s, f"fake_{s}.png") for s in range(4)]
    _, facts, notes = measure(pictures, tmp_path)
    assert facts["fixed_noise"] == 1
    assert any("the same noise at each look" in note for note in notes)


# ---------------------------------------------------------------- checkerboards


@pytest.mark.parametrize(("columns", "rows", "side"), [(8, 8, 32), (5, 3, 28), (1, 8, 64)])
def test_the_seams_beneath_a_checkerboard_are_found(columns, rows, side):
    rng = np.random.default_rng(columns)
    shape = (columns * rows, side, 3)
    looks = [grids.samples_of("checkerboard", rng, shape, along=1.0) for _ in range(3)]
    layout = tiles.find_layout(np.stack([grids.plain(s, columns, 0) for s in looks]))
    assert layout is not None
    assert (layout.height, layout.count) == (side, columns * rows)
    assert "checkerboard" in layout.told_by


# ---------------------------------------------------------------- notebooks


@pytest.mark.parametrize(
    ("source", "shows"),
    [
        ("plt.title('Real Images')\nplt.title('Fake Images')", ("real", "fake")),
        ("title = ['Input Image', 'Ground Truth', 'Predicted Image']", ("input", "real", "fake")),
        ("ax.set_title('Low res')\nax.set_title('HR')\nax.set_title('SR')",
         ("input", "real", "fake")),
        ("titles = ['Input', 'Generated']", ("real", "fake")),
        ("plt.title('Training Images')", ("real",)),
        ("plt.title('Generator and Discriminator Loss During Training')", ()),
        ("plt.title('Epoch 3')", ()),
    ],
)  # fmt: skip
def test_titles_tell_what_panels_show(source: str, shows: tuple[str, ...]) -> None:
    assert cells._titles(source) == shows


def beside(left: np.ndarray, right: np.ndarray) -> bytes:
    panels = [grids.drawn("panel", s, 8, 2, 9) for s in (left, right)]
    return packed(np.concatenate(panels, axis=1))


def measured(path):
    reading = notebook.read(path)
    placed = [Picture(p.tag, p.step, path.name, p.offset, p.length, p.written, p.shows)
              for p in reading.pictures]  # fmt: skip
    return {s.role: s for s in measure(placed, path.parent)[0]}


SOURCE = "plt.title('Real Images')\nplt.imshow(a)\nplt.title('Fake Images')\nplt.imshow(b)"


def test_the_real_panel_of_a_figure_is_the_reference(tmp_path):
    out = shown(beside(drawn("scenes", 1), drawn("scenes", 2)))
    path = saved(tmp_path, cell(stream("".join(map(record, range(30))))), cell(out, source=SOURCE))
    got = measured(path)
    assert got["sample_coverage"].values[-1] > 0.9
    assert abs(got["sample_distance"].values[-1]) < 0.05
    assert found_in(path) == set()


def test_a_real_batch_shown_in_a_cell_of_its_own_is_the_reference(tmp_path):
    real = shown(packed(grids.drawn("panel", drawn("scenes", 1), 8, 2, 3)))
    fake = drawn("scenes", 2)[np.arange(64) % 3]
    out = shown(packed(grids.drawn("panel", fake, 8, 2, 7)))
    path = saved(
        tmp_path,
        cell(real, stream("loaded\n"), source="plt.title('Training Images')\nplt.imshow(a)"),
        cell(stream("".join(map(record, range(30)))), out),
    )
    got = measured(path)
    assert got["sample_coverage"].values[-1] < 0.7
    assert got["sample_repeat"].values[-1] == 1


def test_a_sample_beside_the_picture_it_is_to_become_has_an_error(tmp_path):
    source = "title = ['Input Image', 'Ground Truth', 'Predicted Image']\nshow()"
    made = []
    for step in range(4):
        start, real, other = drawn("scenes", step, n=3, side=96)
        share = step / 3
        predicted = (share * real + (1 - share) * other).astype(np.uint8)
        figure = np.full((130, 330, 3), 255, np.uint8)
        for k, picture in enumerate((start, real, predicted)):
            figure[20:116, 8 + 108 * k : 104 + 108 * k] = picture
        made.append(cell(stream(record(step)), shown(packed(figure)), source=source))
    got = measured(saved(tmp_path, *made))
    errors = got["sample_error"].values
    assert len(errors) == 4
    assert errors[0] > 0.7
    assert errors[-1] < 0.02
    assert (np.diff(errors) < 0).all()
