"""The story the project began with.

Pix2pix-like, both rates 5e-5, best at epoch 5 of 30, 25 epochs for nothing.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
import yaml

from gandoctor import api

if TYPE_CHECKING:
    from pathlib import Path

    from gandoctor.model.report import Report


@pytest.fixture(scope="module")
def report(story: Path) -> Report:
    return api.analyze(story)


def test_names_discriminator_dominance(report: Report) -> None:
    # Losses alone do not allow more: D at a tenth of its chance level is common in healthy runs.
    assert report.verdict in ("failing", "warning")
    assert report.p_failing is not None
    assert report.p_failing > 0.5
    assert report.diagnoses[0].symptoms[0] == "discriminator-dominance"


def test_dates_it(report: Report) -> None:
    assert report.run.step_unit == "epochs"
    assert report.diagnoses[0].onset_step is not None
    assert 5 <= report.diagnoses[0].onset_step <= 7


def test_says_how_much_was_spent_after_the_best_point(report: Report) -> None:
    text = " ".join(e.text for f in report.findings for e in f.evidence)
    share = re.search(r"best at epoch 5\b.*?(\d+) % of the run", text)
    assert share, text
    assert 80 <= int(share[1]) <= 90  # 25 of 30 epochs


def test_blames_the_rate_of_d_and_counts_equal_rates(report: Report) -> None:
    first = report.diagnoses[0]
    assert first.settings == ("discriminator.lr",)
    assert any(
        "generator.lr" in r.text and "discriminator.lr" in r.text and r.weight > 0
        for r in first.reasons
    )


def test_first_patch_puts_d_below_g(report: Report, story: Path, tmp_path: Path) -> None:
    patch = api.first_patch(report)
    assert patch is not None
    assert patch.diff is not None
    for name in ("config.yaml", "losses.csv"):
        shutil.copy(story / name, tmp_path)
    subprocess.run(
        ["patch", "-p1", "--batch", "--fuzz=0"],
        input=patch.diff,
        text=True,
        cwd=tmp_path,
        check=True,
    )
    old = (story / "config.yaml").read_text()
    new = (tmp_path / "config.yaml").read_text()
    changed = [(a, b) for a, b in zip(old.splitlines(), new.splitlines(), strict=True) if a != b]
    assert len(changed) == 1
    rates = yaml.safe_load(new)
    assert isinstance(rates["discriminator"]["lr"], float)
    assert rates["discriminator"]["lr"] < rates["generator"]["lr"] == 5e-5
