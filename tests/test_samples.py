from __future__ import annotations

import struct
import time
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gandoctor.model.signals import Picture
from gandoctor.samples import fidelity, load, measure, png, tiles

RNG = np.random.default_rng(7)


# ---------------------------------------------------------------- makers


def encode_png(
    pixels: np.ndarray, filters: list[int] | None = None, palette: bytes = b"", interlace: int = 0
) -> bytes:
    """A PNG writer that uses the given row filters: the other side of the specification."""
    h, w, c = pixels.shape
    colour = 3 if palette else {1: 0, 2: 4, 3: 2, 4: 6}[c]
    rows = pixels.reshape(h, w * c).astype(np.int64)
    zero = np.zeros(w * c, dtype=np.int64)
    out = bytearray()
    for y in range(h):
        kind = filters[y % len(filters)] if filters else 0
        row, up = rows[y], rows[y - 1] if y else zero
        left, corner = np.concatenate([zero[:c], row[:-c]]), np.concatenate([zero[:c], up[:-c]])
        p = left + up - corner
        pa, pb, pc = abs(p - left), abs(p - up), abs(p - corner)
        paeth = np.where((pa <= pb) & (pa <= pc), left, np.where(pb <= pc, up, corner))
        guess = [zero, left, up, (left + up) // 2, paeth][kind]
        out += bytes([kind]) + ((row - guess) % 256).astype(np.uint8).tobytes()

    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    header = struct.pack(">IIBBBBB", w, h, 8, colour, 0, 0, interlace)
    packed = zlib.compress(bytes(out))
    middle = chunk(b"PLTE", palette) if palette else b""
    # Writers may split it anywhere.
    data = chunk(b"IDAT", packed[:20]) + chunk(b"IDAT", packed[20:])
    return png.SIGNATURE + chunk(b"IHDR", header) + middle + data + chunk(b"IEND", b"")


def blobs(n: int, side: int, channels: int = 1, *, seed: int = 0, ground: int = 0) -> np.ndarray:
    """Soft spots on a plain ground, like digits or objects: (n, side, side, channels) uint8."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] / side
    found = np.zeros((n, side, side, channels))
    for i in range(n):
        for _ in range(3):
            cy, cx, r = *rng.uniform(0.3, 0.7, 2), rng.uniform(0.08, 0.2)
            found[i] += np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / r**2)[:, :, None] * rng.uniform(
                0.3, 1, channels
            )
    return (ground + (255 - ground) * np.clip(found, 0, 1)).astype(np.uint8)


def scenes(n: int, side: int, channels: int = 3, *, seed: int = 0) -> np.ndarray:
    """Smooth colour fields that fill the tile, like photographs."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] / side
    parts = [
        np.cos(2 * np.pi * (a * y + b * x))[None, :, :, None] for a in range(3) for b in range(3)
    ]
    weights = rng.normal(0, 1, (9, n, 1, 1, channels)) / np.arange(1, 10).reshape(9, 1, 1, 1, 1)
    field = sum(p * w for p, w in zip(parts, weights, strict=True)) + rng.normal(
        0, 0.5, (n, 1, 1, channels)
    )
    return np.clip(127 + 60 * field, 0, 255).astype(np.uint8)


def grid(samples: np.ndarray, across: int, pad: int = 2, colour: int = 0) -> np.ndarray:
    """As ``torchvision.utils.make_grid``."""
    n, h, w, c = samples.shape
    down = -(-n // across)
    out = np.full((pad + down * (h + pad), pad + across * (w + pad), c), colour, dtype=np.uint8)
    for i, s in enumerate(samples):
        y, x = pad + (i // across) * (h + pad), pad + (i % across) * (w + pad)
        out[y : y + h, x : x + w] = s
    return out


def by_name(signals) -> dict:
    return {s.role: s for s in signals}


# ---------------------------------------------------------------- PNG


@given(
    h=st.integers(1, 12),
    w=st.integers(1, 12),
    c=st.sampled_from([1, 2, 3, 4]),
    filters=st.lists(st.integers(0, 4), min_size=1, max_size=5),
    seed=st.integers(0, 10_000),
)
@settings(max_examples=80, deadline=None)
def test_every_filter_is_undone(h, w, c, filters, seed):
    rng = np.random.default_rng(seed)
    several = [rng.integers(0, 256, (h, w, c), dtype=np.uint8) for _ in range(3)]
    files = [encode_png(p, filters[i:] + filters[:i]) for i, p in enumerate(several)]
    for found, truth in zip(png.decode(files), several, strict=True):
        np.testing.assert_array_equal(found, truth[:, :, :3] if c > 2 else truth[:, :, :1])


def test_palette_is_looked_up():
    index = RNG.integers(0, 3, (5, 6, 1), dtype=np.uint8)
    (found,) = png.decode([encode_png(index, palette=bytes([0, 0, 0, 255, 0, 0, 10, 20, 30]))])
    np.testing.assert_array_equal(
        found, np.array([[0, 0, 0], [255, 0, 0], [10, 20, 30]])[index[:, :, 0]]
    )


@pytest.mark.parametrize("what", ["interlaced", "huge", "no png", "short"])
def test_kinds_that_are_not_read_are_refused(what):
    data = encode_png(np.zeros((4, 4, 1), np.uint8), interlace=int(what == "interlaced"))
    if what == "huge":
        data = data[:16] + struct.pack(">II", 100_000, 100_000) + data[24:]
    data = {"no png": b"GIF89a" + bytes(40), "short": data[:20]}.get(what, data)
    with pytest.raises(png.PngError):
        png.shape_of(data)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_damaged_pictures_never_raise_out_of_measure(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("p")
    good = bytearray(encode_png(RNG.integers(0, 256, (20, 20, 3), dtype=np.uint8), [4, 3]))
    for _ in range(data.draw(st.integers(1, 4))):
        good[data.draw(st.integers(8, len(good) - 1))] = data.draw(st.integers(0, 255))
    (folder / "fake_1.png").write_bytes(good[: data.draw(st.integers(1, len(good)))])
    measure([Picture("fake", 1, "fake_1.png")], folder)


def test_a_bomb_is_not_inflated(tmp_path):
    header = encode_png(np.zeros((8, 8, 1), np.uint8))[:33]
    bomb = zlib.compress(bytes(50_000_000), 9)
    body = (
        struct.pack(">I", len(bomb))
        + b"IDAT"
        + bomb
        + struct.pack(">I", zlib.crc32(b"IDAT" + bomb))
    )
    (found,) = png.decode([header + body])
    assert found is not None
    assert found.shape == (8, 8, 1)


# ---------------------------------------------------------------- tile layouts


@pytest.mark.parametrize("pad", [0, 2])
@pytest.mark.parametrize("side", [28, 32, 64])
@pytest.mark.parametrize("make", [blobs, scenes])
def test_the_layout_of_a_square_grid_is_found(make, side, pad):
    pictures = np.stack(
        [
            grid(make(64 if side < 64 else 36, side, 3, seed=s), 8 if side < 64 else 6, pad)
            for s in range(3)
        ]
    )
    found = tiles.find_layout(pictures)
    assert found is not None
    n = 8 if side < 64 else 6
    assert (len(found.rows), len(found.columns)) == (n, n)
    # A plain margin may be cut off, a sample never is.
    assert side * 0.4 <= found.height <= side
    period = side + pad
    assert all(b - a == period for a, b in zip(found.rows, found.rows[1:], strict=False))


def test_white_padding_subplots_and_oblong_grids():
    white = np.stack([grid(blobs(40, 28, 1, seed=s), 10, 2, colour=255) for s in range(2)])
    found = tiles.find_layout(white)
    assert found is not None
    assert (len(found.rows), len(found.columns), found.height, found.width) == (4, 10, 28, 28)
    # Four by four subplots of a figure: uneven outer margins, gaps that differ by a pixel.
    figure = np.full((2, 400, 400, 3), 255, np.uint8)
    ys = [49, 130, 211, 293]
    for i, y in enumerate(ys):
        for j, x in enumerate(ys):
            figure[:, y : y + 62, x : x + 62] = scenes(2, 62, seed=4 * i + j)
    found = tiles.find_layout(figure)
    assert found is not None
    assert found.count == 16


@pytest.mark.parametrize("seed", range(6))
def test_a_single_sample_has_no_layout(seed):
    assert tiles.find_layout(blobs(4, 32, 1, seed=seed)) is None
    assert tiles.find_layout(scenes(4, 64, seed=seed)) is None


def test_a_flat_picture_has_no_layout():
    assert tiles.find_layout(np.full((2, 64, 64, 3), 127, np.uint8)) is None
    noise = RNG.integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    assert tiles.find_layout(noise) is None


# ---------------------------------------------------------------- measures


def save(folder, name: str, samples: np.ndarray) -> Picture:
    path = folder / name
    if name.endswith(".npy"):
        np.save(path, samples)
    else:
        path.write_bytes(encode_png(grid(samples, 8), [4, 2, 1]))
    stem, _, number = name.rpartition(".")[0].rpartition("_")
    return Picture(stem, int(number) if number.isdigit() else -1, name)


@pytest.mark.parametrize("suffix", ["npy", "png"])
def test_collapse_shows_in_variance_diversity_and_repeats(tmp_path, suffix):
    real = blobs(64, 16, seed=1)
    one = np.repeat(real[:1], 64, axis=0)
    pictures = [
        save(tmp_path, f"fake_000100.{suffix}", blobs(64, 16, seed=2)),
        save(tmp_path, f"fake_000200.{suffix}", one),
        save(tmp_path, f"x_real.{suffix}", real),
    ]
    signals, facts, _ = measure(pictures, tmp_path)
    got = by_name(signals)
    assert got["sample_variance"].steps.tolist() == [100, 200]
    assert got["sample_variance"].values[0] == pytest.approx(1.0, abs=0.35)
    assert got["sample_variance"].values[1] == pytest.approx(0.0, abs=1e-9)
    assert got["sample_diversity"].values[0] == pytest.approx(1.0, abs=0.2)
    assert got["sample_diversity"].values[1] == pytest.approx(0.0, abs=1e-6)
    assert got["sample_repeat"].values.tolist() == [0.0, 1.0]
    assert facts["real_variance"] > 0
    assert facts["sample_pictures"] == 2
    assert "real data (64 samples)" in got["sample_variance"].because


def test_grey_tiles_range_and_standstill(tmp_path):
    live = scenes(64, 16, seed=3).astype(np.float32) / 127.5 - 1
    half = live.copy()
    half[:32] = 0.0
    pictures = [
        save(tmp_path, "fake_1.npy", live),
        save(tmp_path, "fake_2.npy", live),
        save(tmp_path, "fake_3.npy", half * 0.5),
    ]
    signals, facts, _ = measure(pictures, tmp_path)
    got = by_name(signals)
    assert got["sample_constant_share"].values.tolist() == [0.0, 0.0, 0.5]
    assert got["sample_stale"].values[0] == 1.0
    assert got["sample_stale"].values[1] < 0.9
    assert (
        facts["sample_min"]
        == pytest.approx(got["sample_min"].values[2])
        == pytest.approx(half.min() / 2)
    )
    # Without real data nobody knows how diverse the samples should be.
    assert "sample_diversity" not in got
    assert got["sample_variance"].values.max() == 1.0
    assert "real_variance" not in facts


def test_points_are_no_pictures(tmp_path):
    ring = np.array([[np.cos(a), np.sin(a)] for a in np.linspace(0, 6.2, 256)])
    save(tmp_path, "real.npy", ring)
    pictures = [save(tmp_path, "fake_5.npy", ring * 0.5), Picture("real", -1, "real.npy")]
    signals, _, _ = measure(pictures, tmp_path)
    got = by_name(signals)
    assert {"sample_variance", "sample_diversity", "sample_min", "sample_max"} <= set(got)
    assert not {"sample_constant_share", "sample_repeat"} & set(got)
    assert got["sample_variance"].values[0] == pytest.approx(0.25)
    assert got["sample_diversity"].values[0] == pytest.approx(0.5)


def test_nan_in_samples_is_not_hidden(tmp_path):
    bad = np.full((8, 20), np.nan)
    pictures = [
        save(tmp_path, "fake_1.npy", RNG.normal(size=(8, 20))),
        save(tmp_path, "fake_2.npy", bad),
    ]
    got = by_name(measure(pictures, tmp_path)[0])
    assert np.isfinite(got["sample_variance"].values[0])
    assert np.isnan(got["sample_variance"].values[1])


def test_exploded_samples_raise_no_warning(tmp_path):
    huge = np.where(RNG.normal(size=(64, 20)) > 0, 1e300, -1e300)
    pictures = [save(tmp_path, "fake_1.npy", huge), save(tmp_path, "fake_2.npy", huge * np.inf)]
    save(tmp_path, "real.npy", RNG.normal(size=(64, 20)))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        signals, _, _ = measure([*pictures, Picture("real", -1, "real.npy")], tmp_path)
    assert not np.isfinite(by_name(signals)["sample_variance"].values).any()


def test_a_batch_of_single_pictures_is_not_cut(tmp_path):
    pictures = []
    for step in (1, 2):
        for i, sample in enumerate(blobs(8, 32, seed=step)):
            name = f"s{step}_{i}.png"
            (tmp_path / name).write_bytes(encode_png(sample, [1]))
            pictures.append(Picture(f"generated/image/{i}", step, name))
    got = by_name(measure(pictures, tmp_path)[0])
    assert "8 samples each" in got["sample_variance"].because


def test_bytes_inside_another_file_are_read_at_their_offset(tmp_path):
    data = encode_png(grid(blobs(16, 16, seed=1), 4), [4])
    (tmp_path / "events").write_bytes(b"x" * 100 + data + b"tail")
    signals, _, _ = measure([Picture("fake", 7, "events", 100, len(data))], tmp_path)
    assert by_name(signals)["sample_variance"].steps.tolist() == [7]


def test_no_pickle_no_path_out_of_the_run(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    np.save(tmp_path / "secret.npy", RNG.normal(size=(8, 4)))
    np.save(run / "fake_1.npy", np.array([{"a": 1}, [2]], dtype=object), allow_pickle=True)
    (run / "fake_2.npy").symlink_to(tmp_path / "secret.npy")
    pictures = [
        Picture("fake", 1, "fake_1.npy"),
        Picture("fake", 2, "fake_2.npy"),
        Picture("fake", 3, "../secret.npy"),
    ]
    signals, facts, _ = measure(pictures, run)
    assert signals == ()
    assert facts["sample_pictures_skipped"] == 3


def test_the_work_is_bounded(tmp_path):
    pictures = [save(tmp_path, f"fake_{i}.npy", RNG.normal(size=(4, 3))) for i in range(1, 200)]
    signals, facts, _ = measure(pictures, tmp_path)
    assert len(signals[0]) == 64
    assert signals[0].steps[[0, -1]].tolist() == [1, 199]
    assert facts["sample_pictures_skipped"] == 199 - 64


@pytest.mark.parametrize("order", ["C", "F"])
def test_of_a_long_array_evenly_spread_rows_are_read(tmp_path, order):
    whole = np.asarray(RNG.normal(size=(5_000, 2, 3)).astype(np.float32), order=order)
    picture = save(tmp_path, "fake_1.npy", whole)
    batch = load.array(picture, tmp_path, load.look_at(picture, tmp_path))
    rows = np.linspace(0, len(whole) - 1, load.MAX_SAMPLES).astype(np.int64)
    np.testing.assert_array_equal(batch.values, whole[rows].reshape(len(rows), -1))


def test_an_enormous_array_costs_what_is_read_of_it(tmp_path):
    path = tmp_path / "fake_1.npy"
    np.save(path, np.zeros((2, 1), dtype=np.float32))
    head = path.read_bytes()[:-8].replace(b"(2, 1)", b"(500000000, 1)").replace(b" " * 8, b"", 1)
    with path.open("wb") as file:
        file.write(head)
        file.truncate(len(head) + 4 * 500_000_000)  # a hole: it takes no room on disk
    began = time.perf_counter()
    picture = Picture("fake", 1, path.name)
    assert load.array(picture, tmp_path, load.look_at(picture, tmp_path)).values.shape == (
        load.MAX_SAMPLES,
        1,
    )
    assert time.perf_counter() - began < 1.5


def test_two_networks_are_kept_apart_and_inputs_are_passed_over(tmp_path):
    pictures = []
    for tag in ("fake_A", "fake_B", "rec_A", "real_B"):
        samples = RNG.normal(size=(8, 4))
        np.save(tmp_path / f"{tag}.npy", samples)
        pictures.append(Picture(tag, -1 if "real" in tag else 3, f"{tag}.npy"))
    signals, _, _ = measure(pictures, tmp_path)
    assert {(s.role, s.network) for s in signals if s.role == "sample_diversity"} == {
        ("sample_diversity", "B")
    }
    assert {s.network for s in signals if s.role == "sample_variance"} == {"A", "B"}


def test_nothing_to_measure():
    from pathlib import Path

    assert measure([], Path("/nowhere")) == ((), {}, ())


# ---------------------------------------------------------------- among the real data


def two_clusters(n: int, share: float, spread: float, seed: int) -> np.ndarray:
    """Points around (-1, 0) and, a share of them, around (1, 0)."""
    rng = np.random.default_rng(seed)
    centres = np.where(rng.random(n) < share, 1.0, -1.0)
    return np.stack([centres, np.zeros(n)], axis=1) + spread * rng.normal(size=(n, 2))


def test_samples_of_the_data_s_own_kind_are_on_it_sharp_and_in_proportion():
    got = fidelity.against(two_clusters(256, 0.5, 0.05, 1), two_clusters(256, 0.5, 0.05, 2))
    assert got.coverage > 0.95
    assert got.precision > 0.95
    assert got.fine_precision > 0.8
    assert abs(got.distance) < 0.03
    assert got.shift < 0.15


def test_blurred_samples_are_in_place_and_not_sharp():
    real = two_clusters(256, 0.5, 0.05, 2)
    sharp, blurred = (fidelity.against(two_clusters(256, 0.5, w, 1), real) for w in (0.05, 0.2))
    assert blurred.fine_precision < 0.6 * sharp.fine_precision
    assert blurred.distance < 0.05  # the proportions are right
    assert blurred.coverage > 0.5


def test_wrong_proportions_show_in_the_distance_alone():
    got = fidelity.against(two_clusters(256, 0.1, 0.05, 1), two_clusters(256, 0.5, 0.05, 2))
    assert got.fine_precision > 0.8
    assert got.coverage > 0.5
    assert got.distance > 0.1


def test_samples_that_move_to_another_part_turn_over_and_fresh_ones_of_the_same_do_not():
    real = fidelity.Reference(two_clusters(256, 0.5, 0.05, 2))
    left, again, right, both = (
        two_clusters(256, share, 0.05, seed) for share, seed in ((1, 3), (1, 4), (0, 5), (0.5, 6))
    )
    got = [one.turnover for one in real.course([left, again, right, both])]
    assert np.isnan(got[0])
    assert got[1] < 0.1
    assert got[2] > 0.9
    assert 0.4 < got[3] < 0.6
    nowhere = np.full((64, 2), np.nan)
    assert [one.coverage for one in real.course([nowhere, nowhere])] == [0, 0]
    assert all(np.isnan(one.turnover) for one in real.course([nowhere, nowhere]))


def test_the_energy_distance_is_that_of_its_definition():
    a, b = two_clusters(40, 0.3, 0.2, 1), two_clusters(50, 0.6, 0.1, 2)

    def mean(x, y, pairs):
        return sum(float(np.linalg.norm(p - q)) for p in x for q in y) / pairs

    typical = mean(b, b, 50 * 49)
    want = (2 * mean(a, b, 40 * 50) - mean(a, a, 40 * 39) - typical) / typical
    assert fidelity.against(a, b).distance == pytest.approx(want)


def test_too_few_samples_say_nothing_about_neighbourhoods():
    assert all(
        np.isnan(v)
        for v in fidelity.against(two_clusters(31, 0.5, 0.1, 1), two_clusters(256, 0.5, 0.1, 2))
    )


def test_many_dimensions_do_not_make_samples_of_the_same_kind_look_apart():
    rng = np.random.default_rng(3)
    got = fidelity.against(rng.normal(size=(64, 3000)), rng.normal(size=(64, 3000)))
    assert abs(got.distance) < 0.02
    assert got.coverage > 0.9
    assert got.fine_precision > 0.9
