"""What cannot be as it is logged is told, and held against nobody."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gandoctor import api
from gandoctor.model.signals import Objective, Setting, Signal
from gandoctor.objective import doubt

RNG = np.random.default_rng(5)
GAME = Objective(family="nonsaturating", confidence="high")


def series(role: str, values: Any, tag: str = "", split: str = "") -> Signal:
    array = np.asarray(values, dtype=np.float64)
    return Signal(tag or role, np.arange(len(array)) * 10, array, role=role, split=split)


def batch(size: int) -> dict[str, Setting]:
    return {"batch_size": Setting("batch_size", size, "batch_size")}


@pytest.mark.parametrize(
    ("tag", "high", "count"),
    [("prob_real", 1.7, 1), ("D/sigmoid_real", 1.0, 0), ("D/probability", -0.2, 1)],
)
def test_a_probability_lies_between_zero_and_one(tag: str, high: float, count: int) -> None:
    values = np.full(20, 0.5)
    values[3] = high
    found = doubt([series("d_real_score", values, tag)], {}, GAME)
    assert found.facts["probabilities_outside"] == count


def test_a_raw_score_may_be_anything() -> None:
    found = doubt([series("d_real_score", [5.0] * 20, "D/real")], {}, GAME)
    assert "probabilities_outside" not in found.facts


def test_equal_columns_of_different_meaning_are_named() -> None:
    values = RNG.normal(size=40)
    found = doubt([series("d_loss_real", values), series("d_loss_fake", values)], {}, GAME)
    assert found.facts["columns_equal"] == 1
    assert found.notes == ("d_loss_real and d_loss_fake hold the same numbers in every row",)


def test_training_and_validation_that_agree_in_every_digit_are_one() -> None:
    values = RNG.normal(size=40)
    both = [series("d_loss", values, "d", "train"), series("d_loss", values, "val_d", "val")]
    assert doubt(both, {}, GAME).facts["columns_equal"] == 1


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (series("g_loss", np.arange(40.0)), series("g_loss_adv", np.arange(40.0))),
        (series("d_acc", np.ones(40)), series("d_real_acc", np.ones(40))),
        (series("d_loss", np.arange(40.0)), series("d_loss", np.arange(40.0), "again")),
        (series("d_loss", np.arange(40.0)), series("g_loss", np.r_[np.arange(39.0), 0.5])),
    ],
)
def test_columns_that_agree_by_nature_or_not_at_all_are_left_alone(
    one: Signal, two: Signal
) -> None:
    assert doubt([one, two], {}, GAME).facts["columns_equal"] == 0


@pytest.mark.parametrize("times", [1, 2])
def test_losses_divided_by_the_batch_once_more_are_seen(times: int) -> None:
    d = np.log(2) * times / 64 * (1 + 0.01 * RNG.normal(size=80))
    g = np.log(2) / 64 * (1 + 0.02 * RNG.normal(size=80))
    found = doubt([series("d_loss", d), series("g_loss", g)], batch(64), GAME)
    assert found.facts["loss_divisor"] == 64
    assert "divided by it again" in found.notes[0]


@pytest.mark.parametrize("size", [32, 48, 128])
def test_losses_that_rest_elsewhere_are_not(size: int) -> None:
    d = 2 * np.log(2) / 64 * (1 + 0.01 * RNG.normal(size=80))
    g = np.log(2) / 64 * (1 + 0.02 * RNG.normal(size=80))
    found = doubt([series("d_loss", d), series("g_loss", g)], batch(size), GAME)
    assert "loss_divisor" not in found.facts


def test_the_report_of_a_run_tells_it(tmp_path: Any) -> None:
    rows = ["step,d_loss,g_loss,d_loss_real,d_loss_fake"]
    for i in range(60):
        d, g = 0.02166 + 0.0002 * RNG.normal(), 0.01083 + 0.0002 * RNG.normal()
        rows.append(f"{i * 50},{d:.6f},{g:.6f},{d / 2:.6f},{d / 2:.6f}")
    (tmp_path / "log.csv").write_text("\n".join(rows))
    (tmp_path / "config.yaml").write_text("batch_size: 64\n")
    report = api.analyze(tmp_path)
    assert {"losses-averaged-twice", "columns-equal"} <= {r.rule for r in report.risks}
    assert report.verdict != "failing"
