"""Adversarial training as it is done today: its names, its games, and what goes wrong there."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

import pytest
import yaml

from gandoctor import vocabulary
from gandoctor.model.signals import Setting
from gandoctor.vocabulary import Vocabulary

RULES: Final = Path(__file__).resolve().parents[1] / "rules"
NAMES: Final = yaml.safe_load(
    (Path(__file__).parent / "data" / "names_of_today.yaml").read_text(encoding="utf-8")
)


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
