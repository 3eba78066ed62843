"""Causes hear evidence against: what a run shows outweighs what usually is to blame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from gandoctor import api, rulebook, ruletest
from gandoctor.errors import RuleError
from gandoctor.ruletest import of_causes
from gandoctor.ruletest.cases import test_of as beside

if TYPE_CHECKING:
    from pathlib import Path

    from gandoctor.model.report import Report

BOOK = rulebook.load([rulebook.default_folder()])
STUCK_AT = {"a clamp at 100, summed": (100.0, 0.0), "epsilon 1e-7, summed": (16.118, 0.0)}


def analysed(folder: Path, config: str = "", **series: np.ndarray) -> Report:
    rows = zip(*series.values(), strict=True)
    lines = [
        ",".join(("step", *series)),
        *(f"{i}," + ",".join(f"{v:.6g}" for v in row) for i, row in enumerate(rows)),
    ]
    (folder / "log.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    if config:
        (folder / "config.yaml").write_text(config, encoding="utf-8")
    return api.analyze(folder)


@pytest.mark.parametrize("throttle", [0.5, 0.55])
def test_a_throttle_that_stops_d_at_one_half_is_blamed_and_not_ds_rate(
    tmp_path: Path, throttle: float
) -> None:
    rng = np.random.default_rng(5)
    config = (
        f"loss: nonsaturating\nd_throttle: {throttle}\noptimizer_d: {{lr: "
        f"0.0006}}\noptimizer_g: {{lr: 0.0006}}\n"
    )
    report = analysed(
        tmp_path,
        config,
        bce_d_loss=1.53 + 0.01 * rng.normal(size=200),
        bce_g_loss=0.5 + 0.02 * rng.normal(size=200),
    )
    assert report.diagnoses[0].cause == "discriminator-throttled"
    assert report.diagnoses[0].settings == ("d_throttle",)


@pytest.mark.parametrize("level", STUCK_AT.values(), ids=STUCK_AT)
def test_a_d_that_repeats_its_clamp_is_dead_and_not_fast(
    tmp_path: Path, level: tuple[float, float]
) -> None:
    rng = np.random.default_rng(6)
    d, g = 1.1 + 0.1 * rng.normal(size=300), 1.2 + 0.1 * rng.normal(size=300)
    d[60:], g[60:] = level
    report = analysed(tmp_path, bce_d_loss=d, bce_g_loss=g)
    assert report.verdict == "failing"
    assert report.diagnoses[0].cause == "discriminator-dead"


def test_where_no_setting_is_known_none_is_blamed_first(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    rises = np.minimum(1, np.arange(400) / 100)
    report = analysed(
        tmp_path,
        bce_d_loss=1.38 - 1.37 * rises + 0.003 * rng.random(400),
        bce_g_loss=0.7 + 7 * rises + 0.3 * rng.random(400),
    )
    assert report.verdict == "failing"
    blamed = {c.id: c.settings for c in BOOK.causes}
    assert blamed[report.diagnoses[0].cause] == ()


def test_a_cause_that_is_not_first_where_its_test_says_so_fails_the_test(tmp_path: Path) -> None:
    (tmp_path / "causes").mkdir()
    case = (
        "- {name: n, symptoms: [oscillation], signals: {d_loss: 2 + noise(1), g_loss: 5 + "
        "noise(2)}}"
    )
    (tmp_path / "causes/updates-out-of-hand.test.yaml").write_text(
        f"not_first:\n{case}\n", encoding="utf-8"
    )
    (tmp_path / "causes/dead-generator.test.yaml").write_text(
        "first: [{name: n, symptoms: [x]}]\n", encoding="utf-8"
    )
    result = ruletest.run(BOOK, [tmp_path, rulebook.default_folder()])
    failed = [c for c in result.failures if c.rule == "updates-out-of-hand"]
    assert [c.message for c in failed] == ["first is updates-out-of-hand"]
    assert any("no symptom is called `x`" in f for f in result.faults)


@pytest.mark.parametrize(
    "text", ["[]", "second: []", "first: {}", "first: [1]", "first: [{name: n}]"]
)
def test_a_test_of_a_cause_that_cannot_be_read_is_told(tmp_path: Path, text: str) -> None:
    cause = next(c for c in BOOK.causes if c.id == "dead-generator")
    (tmp_path / "causes").mkdir()
    (tmp_path / beside(cause)).write_text(text, encoding="utf-8")
    faults: list[RuleError] = []

    words = rulebook.vocabulary([rulebook.default_folder()])
    told = list(of_causes.judged([cause], [tmp_path], words, faults))
    assert told == []
    assert len(faults) == 1
