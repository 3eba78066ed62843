"""Real data that the user names: whatever form it has, it is brought to that of the samples."""

from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest
from test_checkpoint_runs import run_with
from typer.testing import CliRunner

from gandoctor import api
from gandoctor.cli import app
from gandoctor.errors import InputError
from gandoctor.samples.given import Given

Image = pytest.importorskip("PIL.Image")


def blobs(count, side=16, channels=3, seed=0, spread=1.0):
    """Pictures of one soft blob each, uint8 (n, side, side, channels)."""
    rng = np.random.default_rng(seed)
    at = side / 2 + (rng.random((count, 2)) - 0.5) * side * 0.8 * spread
    colour = 60 + 190 * rng.random((count, 1, 1, channels))
    y, x = np.mgrid[:side, :side]
    near = (y - at[:, :1, None]) ** 2 + (x - at[:, 1:, None]) ** 2
    return (np.exp(-near / side)[..., None] * colour).astype(np.uint8)


def folder_of(pictures, where, suffix=".png"):
    (where / "a").mkdir(parents=True)
    for i, picture in enumerate(pictures):
        Image.fromarray(picture.squeeze()).save(where / "a" / f"{i:04d}{suffix}")
    return where


def test_all_forms_of_the_same_pictures_are_the_same(tmp_path):
    grey = blobs(40, side=28, channels=1)
    unit = grey.astype(np.float32) / 255
    np.save(tmp_path / "bytes.npy", grey)
    np.save(tmp_path / "flat_channel.npy", grey[..., 0])
    np.save(tmp_path / "signed.npy", np.moveaxis(unit, 3, 1) * 2 - 1)
    np.savez_compressed(tmp_path / "unit.npz", labels=np.arange(40), x=unit)
    idx = struct.pack(">4I", 0x803, 40, 28, 28) + grey.tobytes()
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    (raw / "train-images-idx3-ubyte").write_bytes(idx)
    (tmp_path / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx))
    folder_of(grey, tmp_path / "pictures")
    wanted = unit.reshape(40, -1)
    forms = ("bytes.npy", "flat_channel.npy", "signed.npy", "unit.npz", "MNIST")
    for name in (*forms, "t10k-images-idx3-ubyte.gz", "pictures"):
        given = Given(tmp_path / name)
        assert given.total == 40
        found = given.like((1, 28, 28))
        rows = found.values[np.lexsort(found.values.T)]
        assert np.abs(rows - wanted[np.lexsort(wanted.T)]).max() < 0.005, name
    assert np.allclose(given.like((784,)).values, found.values)
    signed = given.like((1, 28, 28), (-1.0, 1.0))
    assert np.allclose(signed.values, found.values * 2 - 1)


def test_pictures_are_cut_and_resized_to_the_samples(tmp_path):
    wide = np.zeros((40, 30, 60, 3), np.uint8)
    wide[:, :, 15:45] = 200  # the middle; what is cut off is black
    given = Given(folder_of(wide, tmp_path / "data", ".bmp"))
    found = given.like((3, 10, 10))
    assert found.values.shape == (40, 300)
    assert np.allclose(found.values, 200 / 255)
    assert given.like((1, 10, 10)).values.shape == (40, 100)
    assert given.like((17,)) is None


def test_flat_rows_stay_as_they_are(tmp_path):
    rows = np.random.default_rng(0).normal(5, 3, (2000, 8))
    np.save(tmp_path / "rows.npy", rows)
    given = Given(tmp_path / "rows.npy")
    found = given.like((8,))
    assert len(found.values) == 512
    assert np.allclose(found.values[[0, -1]], rows[[0, -1]], atol=1e-5)
    assert given.like((7,)) is None
    assert str(given) == "512 of the 2,000 examples in rows.npy"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.npy", b"no array"),
        ("a.npz", b"PK no archive"),
        ("train-images-idx3-ubyte", struct.pack(">4I", 0x801, 9, 9, 9)),
        ("train-images-idx3-ubyte.gz", b"\x1f\x8b\x08 cut off"),
        ("text/readme.txt", b"nothing here"),
        ("train-images-idx3-ubyte", struct.pack(">4I", 0x803, 1000, 28, 28)),
    ],
)
def test_what_holds_no_data_is_said_in_one_sentence(tmp_path, name, content):
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(content)
    with pytest.raises(InputError, match="--data"):
        Given(file if file.parent == tmp_path else file.parent)


def test_nothing_is_unpickled(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{"a": 1}, None]), allow_pickle=True)
    np.savez(tmp_path / "b.npz", x=np.array([{"a": 1}, None]))
    for name in ("a.npy", "b.npz"):
        with pytest.raises(InputError, match="--data"):
            Given(tmp_path / name)


def test_damaged_pictures_are_passed_over(tmp_path):
    data = folder_of(blobs(40), tmp_path / "data")
    (data / "a" / "0001.png").write_bytes(b"\x89PNG\r\n\x1a\n cut off")
    assert len(Given(data).like((3, 16, 16)).values) == 39


def grids(run, spread):
    (run / "samples").mkdir()
    for step in (100, 200, 300, 390):
        tiles = blobs(64, seed=step, spread=spread).reshape(8, 8, 16, 16, 3)
        padded = np.zeros((8, 8, 18, 18, 3), np.uint8)
        padded[:, :, 1:17, 1:17] = tiles
        whole = padded.transpose(0, 2, 1, 3, 4).reshape(144, 144, 3)
        Image.fromarray(np.pad(whole, ((1, 1), (1, 1), (0, 0)))).save(
            run / "samples" / f"fake_{step:06d}.png"
        )


def coverage(run):
    return [float(s.values[-1]) for s in run.signals if s.role == "sample_coverage"]


def test_logged_samples_are_compared_with_it(tmp_path):
    data = folder_of(blobs(200, seed=99), tmp_path / "data")
    seen = {}
    for name, spread in (("good", 1.0), ("poor", 0.1)):
        run = run_with(tmp_path / name)
        grids(run, spread)
        (read,) = api.read(run, api.Options(data=data))
        seen[name] = coverage(read)[-1]
        assert any("200 of the 200 examples in data" in n for n in read.notes)
        (alone,) = api.read(run)
        assert not coverage(alone)
    assert seen["good"] > 0.8
    assert seen["poor"] < 0.5


def test_drawn_samples_are_compared_with_it(tmp_path):
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    nn = torch.nn
    G = nn.Sequential(
        nn.Linear(8, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 192), nn.Tanh()
    )
    with torch.no_grad():
        for _ in range(120):
            G(torch.randn(128, 8))
        real = G.eval()(torch.randn(200, 8)).numpy().reshape(200, 3, 8, 8)
    data = folder_of(
        ((np.moveaxis(real, 1, 3) + 1) * 127.5).round().astype(np.uint8), tmp_path / "data"
    )
    run = run_with(tmp_path / "run")
    torch.save(G.state_dict(), run / "netG.pth")
    done = CliRunner().invoke(
        app, ["analyze", str(run), "--data", str(data), "-o", str(tmp_path / "r.json")]
    )
    assert "drawn from the checkpoint" not in done.output
    (read,) = api.read(run, api.Options(data=data))
    assert read.facts["drawn_coverage"] > 0.9
    assert read.facts["drawn_distance"] < 0.05
    done = CliRunner().invoke(app, ["analyze", str(run), "--data", str(tmp_path / "nowhere")])
    assert "there is no such file or folder" in str(done.exception)
