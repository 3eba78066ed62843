"""The demo: a toy GAN fails, is diagnosed, patched, and turns out healthy."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from gandoctor import GandoctorError

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from gandoctor import demo  # noqa: E402
from gandoctor.demo import recipes  # noqa: E402
from gandoctor.demo.strip import FRAMES, strip  # noqa: E402
from gandoctor.demo.toy import Film, Toy  # noqa: E402


def test_a_collapse_is_cured_by_its_patch(tmp_path):
    done = demo.run("mode-collapse", tmp_path / "demo")
    assert done.before.verdict == "failing"
    assert "mode-collapse" in {f.symptom for f in done.before.findings}
    assert done.patch.edits[0].key == "generator.optimizer.lr"
    assert done.after.verdict == "healthy"
    page = done.page.read_text()
    assert page.count("<svg xmlns") >= 2  # both strips, and the curves
    assert "Before: failing" in page
    for name in ("before", "after"):
        ET.fromstring((tmp_path / "demo" / f"{name}.svg").read_text())  # noqa: S314
        assert (tmp_path / "demo" / name / "last.pt").exists()


def test_every_demo_trains_as_its_config_says():
    for name, changes in recipes.DEMOS.items():
        config = recipes.config_of({**changes, "iterations": 6}, 3)
        toy = Toy(config)
        film = toy.run()
        assert film.steps[-1] == 6, name
        assert len(toy.rows) == 2
        assert all(np.isfinite(frame).all() for frame in film.frames)
        again = Toy(config).run()
        assert np.array_equal(film.frames[-1], again.frames[-1])  # the same seed, the same film


def test_a_strip_holds_its_frames_and_survives_what_is_not_finite():
    points = np.array([[0, 0], [1, 1], [np.nan, 0], [99, 0]], np.float32)
    made = strip(Film(points, (0, 10), (points, points)), "x")
    ET.fromstring(made)  # noqa: S314
    assert made.count("<g ") == FRAMES
    assert len(re.findall(r"M\d+ \d+h0", made)) == 2 * (FRAMES + 1)  # two of the four are seen


def test_what_cannot_be_shown_is_said(tmp_path):
    with pytest.raises(GandoctorError, match="did you mean `mode-collapse`"):
        demo.run("mode-colapse", tmp_path / "demo")
    (tmp_path / "kept").write_text("mine")
    with pytest.raises(GandoctorError, match="is there already"):
        demo.run("healthy", tmp_path)
    assert (tmp_path / "kept").read_text() == "mine"
