"""Adversarial training as it is done today: its names, its games, and what goes wrong there."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
import pytest
import yaml
from logs_of_today import HEALTHY, SICK, tokenizer

from gandoctor import api, objective, vocabulary
from gandoctor.model.report import Report
from gandoctor.model.signals import Setting, Signal
from gandoctor.vocabulary import Vocabulary

RULES: Final = Path(__file__).resolve().parents[1] / "rules"
NAMES: Final = yaml.safe_load(
    (Path(__file__).parent / "data" / "names_of_today.yaml").read_text(encoding="utf-8")
)


def analyze(path: Path) -> Report:
    report = api.analyze(path)
    assert isinstance(report, Report)
    return report


@cache
def words() -> Vocabulary:
    return vocabulary.load([RULES])


@pytest.mark.parametrize("code_base", NAMES)
def test_names_as_published_are_placed(code_base: str) -> None:
    wrong = {
        (placed.tag, placed.role)
        for log in NAMES[code_base]
        for placed in vocabulary.place_names(list(log), words())
        if (placed.role or "other") != log[placed.tag]
    }
    assert wrong == set()


def test_at_least_eight_code_bases_are_listed() -> None:
    assert len(NAMES) >= 8
    assert all(len(log) >= 3 for logs in NAMES.values() for log in logs)


@pytest.mark.parametrize(
    ("tag", "role"),
    [
        # A weight that belongs to D, and weights that D is made of.
        ("d_weight", "adv_weight"),
        ("train/disc_weight", "adv_weight"),
        ("adaptive_weight", "adv_weight"),
        ("D/weight_norm", "weight_norm"),
        ("D/layer1/weight", None),
        ("discriminator_weight_decay", None),
        ("gpu_usage", None),
        ("codebook_usage", "codebook_usage"),
        ("vq/utilization", "codebook_usage"),
        ("val/r2", None),
        ("Loss/D/r2_reg", "r2_penalty"),
        ("r1_penalty", "r1_penalty"),
        ("lecam", None),
    ],
)
def test_what_looks_alike_is_told_apart(tag: str, role: str | None) -> None:
    beside = ["d_loss", "g_loss"]
    placed = {p.tag: p.role for p in vocabulary.place_names([*beside, tag], words())}
    assert placed[tag] == role


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("model.params.lossconfig.params.disc_start", "disc_start"),
        ("losses.discriminator_start", "disc_start"),
        ("freeze_step", "disc_start"),
        ("lossconfig.params.disc_factor", "disc_factor"),
        ("losses.discriminator_weight", "lambda_adv"),
        ("gen_cls_loss_weight", "lambda_adv"),
        ("model.params.n_embed", "codebook_size"),
        ("model.vq_model.codebook_size", "codebook_size"),
        ("commitment_cost", "commitment_weight"),
        ("r2_gamma", "r2_gamma"),
        ("lecam_regularization_weight", "lecam_weight"),
    ],
)
def test_settings_of_today(key: str, name: str) -> None:
    raw = [Setting("", 2.0, key, "config.yaml", 1)]
    assert name in vocabulary.settle(raw, vocabulary=words())


@pytest.mark.parametrize("name", HEALTHY)
def test_healthy_logs_stay_silent(name: str, tmp_path: Path) -> None:
    report = analyze(HEALTHY[name]().write(tmp_path / "run"))
    assert report.findings == ()
    assert report.verdict in ("healthy", "inconclusive")


@pytest.mark.parametrize("name", SICK)
def test_what_goes_wrong_is_named(name: str, tmp_path: Path) -> None:
    make, rule = SICK[name]
    report = analyze(make().write(tmp_path / "run"))
    assert rule in {f.rule for f in report.findings}
    assert report.verdict in ("warning", "failing")


def test_enough_logs_are_drawn() -> None:
    assert len(HEALTHY) >= 8
    assert len(SICK) >= 8


def test_nothing_is_said_of_the_game_before_d_joins(tmp_path: Path) -> None:
    report = analyze(tokenizer(joins=0.3).write(tmp_path / "run"))
    assert report.run.notes == ("D joins at step 9,000: what it says before that is left out",)
    of_d = {s.role: s for s in report.signals if s.role in ("d_loss", "adv_weight")}
    assert len(of_d) == 2
    assert all(report.series[s.tag].steps[0] == 9000 for s in of_d.values())
    whole = next(s for s in report.signals if s.role == "g_loss")
    assert report.series[whole.tag].steps[0] == 0


def test_a_d_that_never_joins_says_nothing(tmp_path: Path) -> None:
    report = analyze(tokenizer(joins=2.0, start=3.0).write(tmp_path / "run"))
    assert not {s.role for s in report.signals} & {"d_loss", "d_advantage", "d_real_score"}
    assert "train/disc_loss" in {s.tag for s in report.unmapped}


@pytest.mark.parametrize(
    ("name", "family", "chance"),
    [
        ("tokenizer whose columns come late", "hinge", 2.0),
        ("codec with a balancer", "hinge", 2.0),
        ("distillation", "nonsaturating", 1.386),
        ("R3GAN", "relativistic", 0.693),
        ("vocoder", "lsgan", 0.5),
        ("vocoder of two", "lsgan", 0.5),
        ("codec", "lsgan", None),
    ],
)
def test_the_game_is_told_without_a_word_in_the_settings(
    name: str, family: str, chance: float | None, tmp_path: Path
) -> None:
    log = HEALTHY[name]()._replace(config="")
    game = analyze(log.write(tmp_path / "run")).run.objective
    assert game.family == family
    assert game.chance_d == (chance if chance is None else pytest.approx(chance, abs=0.001))


def series(role: str, values: list[float], first: int = 0) -> Signal:
    v = np.asarray(values, dtype=np.float64)
    return Signal(role, first + 10 * np.arange(len(v), dtype=np.int64), v, role)


ERROR: Final = series("g_loss_aux", [1.0] * 40)
START: Final = {"disc_start": Setting("disc_start", 100, "disc_start")}


@pytest.mark.parametrize(
    ("signals", "settings", "joins"),
    [
        # The factor decides, whatever D's loss says before.
        ([series("adv_switch", [0.0] * 8 + [1.0] * 32), series("d_loss", [1.0] * 40)], {}, 80),
        ([series("adv_switch", [1.0] * 40), series("d_loss", [1.0] * 40)], {}, None),
        # Zeros at the start, and none later.
        ([series("d_loss", [0.0] * 3 + [1.0] * 37)], {}, 30),
        ([series("d_loss", [0.0] * 2 + [1.0] * 38)], {}, None),
        ([series("d_loss", [0.0] * 8 + [1.0, 0.0] * 16)], {}, None),
        # A loss of zero to the end is a D that never joins only where it was to join.
        ([series("d_loss", [0.0] * 40)], START, float("inf")),
        ([series("d_loss", [0.0] * 40)], {}, None),
        ([series("d_loss", [0.0] * 9)], START, None),
        # First rows that come late, and those that are merely few.
        ([series("d_loss", [1.0] * 30, first=100)], {}, 100),
        ([series("d_loss", [1.0] * 39, first=10)], {}, None),
    ],
)
def test_where_d_joins(
    signals: list[Signal], settings: dict[str, Setting], joins: float | None
) -> None:
    got = objective.join([ERROR, *signals], settings)
    kept = {s.role for s in got.signals}
    if joins is None:
        assert got == objective.Joining((ERROR, *signals))
    elif joins == float("inf"):
        assert "d_loss" not in kept
        assert got.facts == {"d_idle_steps": 390.0}
    else:
        assert got.facts == {"d_joins": joins, "d_idle_steps": joins}
        assert min(int(s.steps[0]) for s in got.signals if s.role == "d_loss") == joins


def test_without_another_loss_nothing_joins_late() -> None:
    """A game of D and G alone begins with both; zeros are then what they are."""
    d = series("d_loss", [0.0] * 8 + [1.0] * 32)
    assert objective.join([d], {}) == objective.Joining((d,))


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("the factor stays at zero", "discriminator-never-switched-on"),
        ("D wins as it joins", "discriminator-joins-too-strong"),
        ("reconstruction is given up", "adversarial-part-too-heavy"),
        ("fidelity is lost", "adversarial-part-too-heavy"),
        ("one code is left", "codes-never-chosen"),
    ],
)
def test_what_lies_behind_it_is_named(name: str, cause: str, tmp_path: Path) -> None:
    report = analyze(SICK[name][0]().write(tmp_path / "run"))
    assert report.diagnoses[0].cause == cause


def test_a_smaller_weight_is_prescribed_where_the_reconstruction_went(tmp_path: Path) -> None:
    report = analyze(tokenizer(given_up=3.5).write(tmp_path / "run"))
    patch = report.first_patch("adversarial-part-too-heavy")
    assert patch is not None
    assert [(e.old, e.new) for e in patch.edits] == [("0.8", "0.16")]
