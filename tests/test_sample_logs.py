"""The sample runs against their measured truth.

Each says what happened, and the healthy ones are left in peace.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import pytest

from gandoctor import api
from gandoctor.model.report import Report

FOLDER = Path(__file__).resolve().parents[1] / "sample_logs"
RUNS = sorted(p.name for p in FOLDER.iterdir() if p.is_dir())
TRUTH = {name: json.loads((FOLDER / f"{name}.truth.json").read_text()) for name in RUNS}
HEALTHY = [n for n in RUNS if TRUTH[n]["outcome"] == "healthy"]
FAILED = [n for n in RUNS if TRUTH[n]["outcome"] == "failed"]
ASKED_FOR = {
    "d-loss-below-0.1-in-100-steps": "d-loss-collapses-early",
    "d-gradient-over-5-times-g": "d-gradient-dwarfs-g",
    "g-loss-rises-while-d-loss-falls": "g-rises-while-d-falls",
    "sample-variance-below-0.01": "sample-variance-vanishes",
    "nan-in-loss": "nan-in-loss",
}


@cache
def report(name: str) -> Report:
    return api.analyze(FOLDER / name)


def test_there_are_runs_of_every_kind() -> None:
    families = {TRUTH[n]["family"] for n in HEALTHY}
    assert {"nonsaturating", "lsgan", "hinge", "wgan-gp"} <= families
    assert sum(f.stat().st_size for f in FOLDER.rglob("*") if f.is_file()) < 5_000_000


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_run_stays_silent(name: str) -> None:
    got = report(name)
    assert got.verdict == "healthy", got.why_verdict
    assert got.findings == ()
    assert got.diagnoses == ()
    assert got.prescriptions == ()


@pytest.mark.parametrize("name", FAILED)
def test_a_failed_run_is_called_so(name: str) -> None:
    got = report(name)
    assert got.verdict == "failing", got.why_verdict
    assert {f.symptom for f in got.findings} & set(TRUTH[name]["symptoms"])


@pytest.mark.parametrize("name", RUNS)
def test_the_family_is_understood(name: str) -> None:
    assert report(name).run.objective.family == TRUTH[name]["family"]


@pytest.mark.parametrize(
    ("shown", "rule"),
    [(s, ASKED_FOR[s]) for s in ASKED_FOR if any(s in TRUTH[n]["shows"] for n in RUNS)],
)
def test_each_rule_asked_for_is_right_on_its_run(shown: str, rule: str) -> None:
    for name in RUNS:
        if shown in TRUTH[name]["shows"]:
            assert rule in {f.rule for f in report(name).findings}, name


def test_every_rule_asked_for_has_a_run() -> None:
    assert {s for n in RUNS for s in TRUTH[n]["shows"]} >= set(ASKED_FOR)


@pytest.mark.parametrize("name", FAILED)
def test_blame_falls_on_a_setting_that_was_put_wrong(name: str) -> None:
    wrong = {w["key"] for w in TRUTH[name]["wrong"]}
    blamed = {k for d in report(name).diagnoses[:3] for k in d.settings}
    assert wrong & blamed


@pytest.mark.parametrize("name", RUNS)
def test_report_survives_json(name: str) -> None:
    got = report(name)
    assert Report.from_dict(json.loads(json.dumps(got.to_dict(), allow_nan=False))) == got


def test_a_few_pasted_lines_of_an_unknown_game_accuse_nobody(tmp_path: Path) -> None:
    """A relativistic hinge D rests at zero.

    Four lines without a config do not tell it from one that has won.
    """
    rows = [
        f"batch: {18000 + 400 * i}  d_loss: 0.000000  g_loss: {g}"
        for i, g in enumerate((17.97, 22.54, 13.36, 11.5))
    ]
    (tmp_path / "log.txt").write_text("\n".join(rows) + "\n", encoding="utf-8")
    report = api.analyze(tmp_path / "log.txt")
    assert (report.verdict, report.findings) == ("inconclusive", ())
    assert any("say it with --loss" in n.reason for n in report.not_checked)
    known = api.analyze(tmp_path / "log.txt", api.Options(loss="nonsaturating"))
    assert "d-wins-late" in {f.rule for f in known.findings}
