"""The picture zoo: what its houses write is read right, and the same record gives the same files."""

from __future__ import annotations

import dataclasses
import io
import itertools
import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.zoo.pictures import data, houses, labels, plan, records, release, settings
from benchmarks.zoo.pictures.houses import configs
from benchmarks.zoo.pictures.houses.story import Story
from gandoctor import Options, Report, analyze, api

STEPS = 640
SERIES = [
    "d_loss",
    "d_loss_real",
    "d_loss_fake",
    "g_loss",
    "g_adv",
    "pixel",
    "d_real",
    "d_fake",
    "d_fake_g",
    "acc_real",
    "acc_fake",
    "grad_norm_d",
    "grad_norm_g",
    "gp",
    "r1",
    "lr_g",
    "lr_d",
]


def record(name: str = "a1", **changed: Any) -> records.Record:
    """Curves as a DCGAN leaves them."""
    rng = np.random.default_rng(1)
    made = records.Record(
        settings.make({"iterations": STEPS, "discriminator.optimizer.lr": 0.01} | changed),
        {
            "name": name, "half": "tune", "game": "dcgan", "role": "fault", "what": "lr-d-too-high",
            "fault": "lr-d-too-high", "wrong": {"discriminator.optimizer.lr": 5e-4}, "twin": "b2",
            "truth": {"outcome": "failed", "borderline": False, "symptoms": ["mode-collapse"], "d_wins": True},
        },
    )  # fmt: skip
    levels = dict.fromkeys(SERIES, 0.5) | {"g_loss": 2.0, "g_adv": 2.0, "lr_g": 5e-4, "lr_d": 0.01}
    for series, level in levels.items():
        noise = 0.0 if series.startswith("lr") else 0.05 * rng.standard_normal(STEPS)
        made.series[series] = (level * (1 + noise) * np.ones(STEPS)).astype(np.float32)
    made.frechet = [(step, 0.5) for step in range(32, STEPS + 1, 32)]
    for step in (100, 300, 500, 640):
        made.draw(step, rng.integers(0, 255, (25, 1, 28, 28), dtype=np.uint8))
    return made


def read(folder: Path) -> Report:
    return analyze(folder, Options(use_preferences=False))


def files(folder: Path) -> dict[str, bytes]:
    return {
        p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()
    }


@pytest.mark.parametrize("house", houses.HOUSES)
def test_every_house_is_read_with_its_roles(house: str, tmp_path: Path) -> None:
    tasks = houses.HOUSES[house][1]
    made = record(task=tasks[0] if tasks else "generation")
    houses.write(made, tmp_path / "run", house)
    roles = {s.role for s in read(tmp_path / "run").signals}
    assert "d_loss" in roles
    assert roles & {"g_loss", "g_loss_adv"}


@pytest.mark.parametrize("house", houses.HOUSES)
def test_the_same_record_is_told_in_the_same_bytes(house: str, tmp_path: Path) -> None:
    made = record()
    told = [houses.write(made, tmp_path / at / "run", house) for at in "ab"]
    assert told[0] == told[1]
    assert files(tmp_path / "a") == files(tmp_path / "b")


@pytest.mark.parametrize("house", houses.HOUSES)
def test_a_slim_record_tells_the_same_house_and_settings(house: str, tmp_path: Path) -> None:
    made = record()
    told = houses.write(made, tmp_path / "a", house)
    small = records.slim(made, told["used"], pictures=told["told"]["samples"])
    again = records.load(io.BytesIO(records.dumped(small)))
    assert houses.write(again, tmp_path / "b", house) == told


@pytest.mark.parametrize("house", houses.HOUSES)
def test_what_was_put_wrong_is_among_the_settings_under_the_users_own_key(
    house: str, tmp_path: Path
) -> None:
    for name in map(str, range(12)):  # whether there is a config is drawn by lot
        told = houses.write(record(name), tmp_path / name, house)
        if told["written"]:
            break
    key = told["written"]["discriminator.optimizer.lr"]
    found = {s.key: s.value for s in read(tmp_path / name).settings}
    assert float(found[key]) == pytest.approx(0.01)


def test_a_mistake_in_the_loop_is_written_nowhere(tmp_path: Path) -> None:
    for house in houses.HOUSES:
        houses.write(record(**{"code.bug": "labels-swapped"}), tmp_path / house, house)
    assert not [n for n, text in files(tmp_path).items() if b"swapped" in text or b"bug" in text]


def test_rates_that_are_equal_are_one_setting() -> None:
    spelling = {
        "generator.optimizer.lr": "lr|lrG",
        "discriminator.optimizer.lr": "lr|lrD",
    }
    same = Story(record(**{"discriminator.optimizer.lr": 5e-4}), random.Random(0))
    assert same.settings(spelling)["lr"] == 5e-4
    assert labels.canonical(same.written, "lr") == list(spelling)
    apart = Story(record(), random.Random(0)).settings(spelling)
    assert (apart["lrG"], apart["lrD"]) == (5e-4, 0.01)


def test_betas_are_a_list() -> None:
    told = configs.nested({"optim.betas.0": 0.5, "optim.betas.1": 0.9, "optim.lr": 1})
    assert told == {"optim": {"betas": [0.5, 0.9], "lr": 1}}


def test_a_record_comes_back(tmp_path: Path) -> None:
    made = record()
    made.moments = [{"step": 1, "frechet": 0.5}, {"step": 2, "frechet": float("nan")}]
    made.weights = {"generator.w": np.arange(3, dtype=np.float32)}
    path = records.save(made, tmp_path)
    back = records.load(path, path.with_suffix(".npz"))
    assert (back.settings, back.about, back.frechet) == (made.settings, made.about, made.frechet)
    np.testing.assert_allclose(back.series["d_loss"], made.series["d_loss"], rtol=1e-4)
    np.testing.assert_equal(back.moments, made.moments)
    assert back.tiles(100).shape == (25, 28, 28, 3)
    np.testing.assert_array_equal(back.weights["generator.w"], [0, 1, 2])


@pytest.mark.parametrize("name", data.KINDS)
def test_pictures_are_drawn_at_their_size_in_every_class(name: str) -> None:
    if name == "glyphs":
        pytest.importorskip("matplotlib")  # its fonts
    kind = data.KINDS[name]
    for label in range(kind.classes):
        drawn = [kind.draw(np.random.default_rng(seed), label) for seed in (1, 1, 2)]
        assert {(d.size, d.mode) for d in drawn} == {((kind.size, kind.size), kind.mode)}
        one, same, other = (np.asarray(d) for d in drawn)
        np.testing.assert_array_equal(one, same)
        assert (one != other).any()


def test_the_halves_share_neither_data_nor_seeds_nor_runs() -> None:
    for one, other in itertools.combinations(map(plan.tasks, plan.HALVES), 2):
        for key in ("data.name", "seed", "batch_size"):
            own = [
                {t["settings"][key] for t in half if t["about"]["role"] == "base"}
                for half in (one, other)
            ]
            assert not own[0] & own[1]
        assert not {t["name"] for t in one} & {t["name"] for t in other}
        assert len({t["name"] for t in one}) == len(one) >= 140


def test_every_fault_and_variant_is_in_both_halves() -> None:
    for half in plan.HALVES:
        named = {t["about"]["what"] for t in plan.tasks(half)}
        assert set(plan.given()["faults"]) | set(plan.given()["variants"]) <= named


def test_released_runs_are_written_with_their_labels(tmp_path: Path) -> None:
    few = [r for r, _ in zip(release.read("tune"), range(6), strict=False)]
    truths = labels.write(few, tmp_path)
    table = (tmp_path / "labels.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in table[1:]] == [t["run"] for t in truths]
    for truth in truths:
        assert truth["outcome"] in ("healthy", "failed")
        assert any((tmp_path / "runs" / truth["run"]).iterdir())


def test_writing_the_released_logs_needs_no_torch() -> None:
    code = (
        "import sys; from benchmarks.zoo.pictures import __main__, labels, release; "
        "assert not {'torch', 'matplotlib'} & set(sys.modules)"
    )
    root = Path(__file__).parent.parent
    subprocess.run([sys.executable, "-c", code], check=True, cwd=root)


# ------------------------------------------------------------------------------------- with torch


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> data.Pictures:
    pytest.importorskip("torch")
    monkeypatch.setattr(data, "TRAIN", 256)
    monkeypatch.setattr(data, "HELD_OUT", 128)
    return data.load("textures")


@pytest.mark.torch
def test_a_short_training_leaves_a_whole_record(few: data.Pictures, tmp_path: Path) -> None:
    from benchmarks.zoo.pictures import judge
    from benchmarks.zoo.pictures.measure import Bench
    from benchmarks.zoo.pictures.train import Training

    config = settings.make(
        {
            "data.name": "textures", "iterations": 6, "batch_size": 8, "generator.width": 4,
            "discriminator.width": 4,
        }
    )  # fmt: skip
    made = Training(config, Bench(few, "cpu")).run()
    assert {len(v) for v in made.series.values()} == {6}
    assert [m["step"] for m in made.moments] == [1, 2, 3, 4, 5, 6]
    made.about |= {"name": "short"}
    truth = judge.judge(records.load(records.save(made, tmp_path)), few)
    assert truth.outcome == "failed"  # six steps make no pictures


@pytest.mark.torch
def test_a_training_is_the_same_whatever_is_told_of_it(few: data.Pictures) -> None:
    from benchmarks.zoo.pictures.measure import Bench
    from benchmarks.zoo.pictures.train import Training

    small = {"iterations": 9, "batch_size": 8, "generator.width": 4, "discriminator.width": 4}
    config = settings.make(small | {"data.name": "textures", "code.bug": "evaluation-mode"})
    whole, least = (
        Training(config, Bench(few, "cpu")).run(told)
        for told in ({"measured", "fid", "drawn"}, {"fid"})
    )
    for name, values in whole.series.items():
        assert np.array_equal(values, least.series[name]), name
    assert [step for step, _ in whole.frechet] == [step for step, _ in least.frechet]
    assert whole.moments
    assert whole.grids
    assert not least.moments
    assert not least.grids


@pytest.mark.torch
def test_one_training_is_logged_as_the_run_before_it(few: data.Pictures, tmp_path: Path) -> None:
    from benchmarks.zoo.pictures import once

    small = {"iterations": 9, "batch_size": 8, "generator.width": 4, "discriminator.width": 4}
    was = {
        "settings": settings.make(small | {"data.name": "textures"}),
        "about": {"name": "it", "game": "dcgan"},
        "house": "pytorch-gan",
        "told": {"fid": False, "samples": False},
        "written": {"iterations": "n_iters"},
        "file": "config.json",
        "text": '{"n_iters": 9}',
    }
    (tmp_path / "was.json").write_text(json.dumps(was))
    given = ["--was", str(tmp_path / "was.json"), "--sets", str(tmp_path)]
    assert once.main([*given, "--out", str(tmp_path / "out"), "--n_iters=5"]) == 0
    case = next(iter(api.cases(tmp_path / "out")))
    assert case.run.settings["steps"].value == 5
    assert {s.tag for s in case.run.signals} >= {"D loss", "G loss"}
    with pytest.raises(SystemExit):
        once.main([*given, "--out", str(tmp_path / "out"), "--no_such", "5"])


@pytest.mark.torch
def test_judged_against_what_fault_free_runs_reach() -> None:
    pytest.importorskip("torch")
    from benchmarks.zoo.pictures import judge
    from benchmarks.zoo.pictures.measure import PictureMoment

    bar = judge.bar({"covered": 1.0, "quality": 0.8, "recall": 0.8, "frechet": 0.1})
    good = PictureMoment(1, True, covered=1.0, quality=0.8, frechet=0.1, recall=0.8)
    assert bar.state(good) == 1
    for worse in ({"covered": 0.3}, {"quality": 0.1}, {"recall": 0.05}, {"frechet": 0.5}):
        assert bar.state(dataclasses.replace(good, **worse)) == -1
    for between in ({"covered": 0.5}, {"quality": 0.3}, {"recall": 0.2}, {"frechet": 0.25}):
        assert bar.state(dataclasses.replace(good, **between)) == 0


@pytest.mark.torch
def test_an_edit_of_the_users_key_changes_the_settings_it_stands_for() -> None:
    pytest.importorskip("torch")
    from benchmarks.zoo.pictures import cures

    change: Callable[..., dict[str, Any]] = cures.change
    written = {
        "generator.optimizer.lr": "lr",
        "discriminator.optimizer.lr": "lr",
        "loss.r1_gamma": "r1",
    }
    assert change(written, "lr", 1) == {
        "generator.optimizer.lr": 1.0,
        "discriminator.optimizer.lr": 1.0,
    }
    assert change(written, "loss.gp_weight", 10) == {"loss.gp_weight": 10.0}
    with pytest.raises(ValueError, match="no such setting"):
        change(written, "magic", 1)
