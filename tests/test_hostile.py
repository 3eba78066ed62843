"""Files made to cost much or to lose the report: each is bounded, and costs no more than itself."""

from __future__ import annotations

import io
import json
import struct
import tracemalloc
import zlib

import numpy as np
import pytest

from gandoctor import api, errors, samples
from gandoctor.configs import bounded, read_config
from gandoctor.errors import InputError, UsageError
from gandoctor.model.signals import Picture
from gandoctor.parsers.formats import notebook
from gandoctor.preferences import load as preferences_of
from gandoctor.samples import load, look, measure, png

# ---------------------------------------------------------------- configs

LONG = ".".join(["a"] * 40_000)
QUOTED = " . ".join(['"a"', "'b'"] * 30)
BOMBS = {
    "key": f"{LONG} = 1",
    "table": f"[{LONG}]\nlr = 1",
    "array of tables": f"[[ {LONG} ]]",
    "inline": "x = {" + LONG + " = 1}",
    "quoted": f"lr = 1\n{QUOTED} = 2",
    "many": "\n".join(f"[{'.'.join('abcdefghijklmnopqrst')}.k{i}]" for i in range(5_000)),
    "braces": "x = [" + "{}," * 100_000 + "]",
    "nested": "x = " + "[" * 20_000,
    "nested tables": "x = " + "{a = " * 20_000,
    "number": "lr = 1\nbatch_size = " + "9" * 5_000,
}


@pytest.mark.parametrize("kind", BOMBS)
def test_toml_that_costs_gigabytes_is_refused_before_it_is_parsed(tmp_path, kind):
    (tmp_path / "config.toml").write_text(BOMBS[kind])
    with pytest.raises(
        InputError, match=r"dotted parts|tables and lists|nested too deep|too large"
    ):
        read_config(tmp_path / "config.toml", "config.toml")
    (tmp_path / "gandoctor.toml").write_text(BOMBS[kind])
    with pytest.raises(
        UsageError, match=r"dotted parts|tables and lists|nested too deep|too large"
    ):
        preferences_of(tmp_path, None)
    told = preferences_of(tmp_path, tmp_path).refused
    assert told, "of a run it is told, and costs no more"


def test_dots_in_strings_comments_and_numbers_are_no_keys():
    dots = ".".join("abcdefgh" * 8)
    text = (
        f'a = "{dots}"\nb = \'{dots}\' # {dots}\nc = """\n{dots}\n\\"""{dots}"""\nd = [1.5, 2.5]\n'
    )
    text += f"e.{'.'.join(['f'] * 31)} = '''{dots}'''\n"
    assert bounded.loads(text)["a"] == dots


HUGE = {
    "config.yaml": "lr: 0.1\nbatch_size: {}\n",
    "config.json": '{{"lr": 0.1, "batch_size": {}}}',
    "config.toml": "lr = 0.1\nbatch_size = {}\n",
    "config.py": "lr = 0.1\nbatch_size = {}\n",
    "config.ini": "lr = 0.1\nbatch_size = {}\n",
}
NUMBERS = {
    "config.yaml": [
        "9" * 400,
        "0b" + "1" * 20_000,
        "1:" + "9" * 5_000,
        "0x" + "f" * 5_000,
        ":".join(["59"] * 3_000),
    ],
    "config.json": ["9" * 400, "-" + "9" * 5_000],
    "config.toml": ["9" * 400, "0x" + "f" * 5_000],
    "config.py": ["9" * 400, "0x" + "f" * 5_000],
    "config.ini": ["9" * 400, "9" * 5_000],
}


@pytest.mark.parametrize(("name", "number"), [(n, v) for n, them in NUMBERS.items() for v in them])
def test_a_number_too_large_costs_itself_alone(tmp_path, name, number):
    (tmp_path / name).write_text(HUGE[name].format(number))
    reading = read_config(tmp_path / name, name)
    assert [s.key for s in reading.settings] == ["lr"]
    assert "batch_size is too large to be read" in reading.lost


@pytest.mark.parametrize(
    ("name", "number"), [(n, v) for n, them in NUMBERS.items() for v in them if n != "config.py"]
)
def test_a_number_too_large_stands_beside_what_is_to_be_changed(tmp_path, name, number):
    """D has won, so that the learning rates are to be edited: in a file that holds such a number."""
    text = HUGE[name].format(number).replace("0.1", "0.0002")
    (tmp_path / name).write_text(text)
    rows = (f"{i},{max(1e-4, 1.3 * 0.9**i):.6f},{8 - 7 * 0.9**i:.4f}\n" for i in range(200))
    (tmp_path / "log.csv").write_text("step,d_loss,g_loss\n" + "".join(rows))
    report = api.analyze(tmp_path)
    assert report.verdict == "failing"
    assert any("too large to be read" in (source.lost or "") for source in report.run.sources)


@pytest.mark.parametrize(
    "content",
    [
        {"worksheets": [{"cells": 5}]},
        {"worksheets": [5]},
        {"worksheets": {"cells": []}},
        {"cells": [{"cell_type": "code", "outputs": 7}]},
        {
            "cells": [
                {
                    "cell_type": "code",
                    "outputs": [{"output_type": "stream", "text": {"a": 1}}],
                    "source": 5,
                }
            ]
        },
    ],
)
def test_an_odd_notebook_is_refused_in_a_sentence(tmp_path, content):
    (tmp_path / "train.ipynb").write_text(json.dumps(content))
    with pytest.raises(InputError, match="notebook"):
        notebook.read(tmp_path / "train.ipynb")


# ---------------------------------------------------------------- samples


def packed(width: int, height: int, kind: int, colour: int = 2) -> bytes:
    """A PNG of zeros, each row under the filter `kind`: a few KB, however large."""
    row = bytes([kind]) + bytes(width * {0: 1, 2: 3, 3: 1, 6: 4}[colour])
    squeeze = zlib.compressobj(9)
    body = b"".join(squeeze.compress(row) for _ in range(height)) + squeeze.flush()

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0))
    return png.SIGNATURE + header + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("width", "height"), [(1, 1_000_000), (1_000_000, 1), (16_385, 2), (2, 16_385)]
)
def test_a_picture_of_a_side_beyond_all_screens_is_refused(width, height):
    with pytest.raises(png.PngError):
        png.shape_of(packed(width, height, 4, 0))


def test_an_oblong_picture_costs_its_own_size():
    data = packed(500, 16_000, 4)
    tracemalloc.start()
    (found,) = png.decode([data])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.shape == (16_000, 500, 3)
    assert peak < 6 * found.nbytes


def peak_of(pictures: list[Picture], folder) -> tuple[float, dict[str, float]]:
    tracemalloc.start()
    _, facts, _ = measure(pictures, folder)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / (1 << 20), facts


def test_all_pictures_share_one_budget(tmp_path):
    pictures = []
    for step in range(12):
        suffix = ("png", "npy")[step % 2]
        name = f"fake_{step}.{suffix}"
        if suffix == "png":
            (tmp_path / name).write_bytes(packed(3_000, 2_500, 2))
        else:
            np.save(tmp_path / name, np.zeros((3_000, 2_500, 3), np.uint8))
        pictures.append(Picture("fake", step, name))
    peak, facts = peak_of(pictures, tmp_path)
    assert peak < 300
    assert facts["sample_pictures_skipped"] >= 10


def test_all_arrays_share_one_budget(tmp_path):
    pictures = []
    for step in range(16):
        np.save(tmp_path / f"fake_{step}.npy", np.ones((1_024, 3_072), np.uint8) * step)
        pictures.append(Picture("fake", step, f"fake_{step}.npy"))
    peak, facts = peak_of(pictures, tmp_path)
    assert peak < 400
    assert facts["sample_pictures_skipped"] == 0


def test_a_jpeg_tells_its_size_before_it_is_decoded(tmp_path):
    notes = b"\xff\xe1" + struct.pack(">H", 60_000) + bytes(59_998)
    frame = b"\xff\xc2" + struct.pack(">HBHHB", 17, 8, 3_900, 4_000, 3) + bytes(9)
    (tmp_path / "a.jpg").write_bytes(b"\xff\xd8" + 4 * notes + frame)
    assert load.look_at(Picture("fake", 1, "a.jpg"), tmp_path).shape == (3_900, 4_000, 3)
    (tmp_path / "b.jpg").write_bytes(
        b"\xff\xd8" + frame.replace(struct.pack(">H", 4_000), b"\xff\xff")
    )
    assert load.look_at(Picture("fake", 1, "b.jpg"), tmp_path) is None


def test_a_jpeg_of_scans_without_end_is_not_decoded():
    image = pytest.importorskip("PIL.Image")
    held = io.BytesIO()
    image.new("RGB", (64, 64), "red").save(held, "JPEG", progressive=True)
    data = held.getvalue()
    seen = look.picture(io.BytesIO(data))
    assert load.jpeg(data, seen).shape == (64, 64, 3)
    first = data.index(b"\xff\xda")
    second = data.index(b"\xff\xda", first + 2)
    bomb = data[:first] + 1_000 * data[first:second] + data[second:]
    assert load.jpeg(bomb, seen) is None


ODD_ARRAYS = {
    "zip": b"PK\x03\x04" + bytes(200),
    "negative": b"{'descr': '<f4', 'fortran_order': False, 'shape': (-4, 3), }",
    "huge": b"{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999999999999999, 3), }",
    "longer than the file": b"{'descr': '<f4', 'fortran_order': False, 'shape': (4000, 3000), }",
    "words": b"{'descr': '<f4', 'fortran_order': False, 'shape': ('a', 'b'), }",
    "deep": b"(" * 5_000,
    "record": b"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (4, 3), }",
}


@pytest.mark.parametrize("kind", ODD_ARRAYS)
def test_one_odd_array_costs_itself_alone(tmp_path, kind):
    rng = np.random.default_rng(1)
    for step in (1, 2):
        np.save(tmp_path / f"fake_{step}.npy", rng.normal(size=(8, 4)))
    body = ODD_ARRAYS[kind]
    data = (
        body
        if kind == "zip"
        else b"\x93NUMPY\x01\x00" + struct.pack("<H", len(body) + 1) + body + b"\n" + bytes(64)
    )
    (tmp_path / "fake_3.npy").write_bytes(data)
    signals, facts, _ = measure([Picture("fake", s, f"fake_{s}.npy") for s in (1, 2, 3)], tmp_path)
    assert signals[0].steps.tolist() == [1, 2]
    assert facts["sample_pictures_skipped"] == 1


@pytest.mark.parametrize("order", ["C", "F"])
def test_an_array_cut_off_after_it_was_looked_at_is_left_out(tmp_path, order):
    path = tmp_path / "fake_1.npy"
    np.save(path, np.asarray(np.ones((5_000, 30)), order=order))
    picture = Picture("fake", 1, path.name)
    seen = load.look_at(picture, tmp_path)
    with path.open("r+b") as file:
        file.truncate(40_000)
    assert load.array(picture, tmp_path, seen) is None


@pytest.mark.parametrize(
    ("error", "words"),
    [(MemoryError(), "more memory than there is"), (KeyError("x"), "stumbled over it (KeyError)")],
)
def test_what_goes_wrong_with_samples_leaves_the_report(tmp_path, monkeypatch, error, words):
    (tmp_path / "log.csv").write_text(
        "step,d_loss,g_loss\n" + "".join(f"{i},0.7,0.7\n" for i in range(50))
    )
    np.save(tmp_path / "fake_1.npy", np.ones((8, 4)))

    def stumble(*_: object) -> None:
        raise error

    monkeypatch.setattr(samples, "measure", stumble)
    monkeypatch.setattr(errors, "STRICT", False)
    report = api.analyze(tmp_path)
    assert any("samples were left out" in n and words in n for n in report.run.notes)
    if isinstance(error, KeyError):
        monkeypatch.setattr(errors, "STRICT", True)
        with pytest.raises(KeyError):
            api.analyze(tmp_path)
