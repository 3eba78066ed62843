"""Risks: filled from the run, alone they make neither verdict nor exit code; healthy runs have few."""

from __future__ import annotations

import statistics
from pathlib import Path

import pytest

from gandoctor import api, diagnose, rulebook
from gandoctor.lang.frame import Frame
from gandoctor.model.report import RiskNote
from gandoctor.model.rules import Rule
from gandoctor.model.signals import Objective, Run, Setting
from gandoctor.ruletest.cases import OF_RULE, trials

FOLDERS = [rulebook.default_folder()]
SHELF = rulebook.Shelf(FOLDERS)
BOOK = SHELF.whole
RISKS = [r for r in BOOK.rules if r.kind == "risk"]


def cases(rule: Rule) -> list[tuple[str, Run, Frame]]:
    """Every case of a rule that fires: (name, run, frame)."""
    told = trials(rule, OF_RULE, FOLDERS, rulebook.vocabulary(FOLDERS), [])
    return [(t.name, t.run, t.frame) for t in told if t.verdict == "fires"]


def noted(run: Run, rule: str) -> RiskNote | None:
    return next((r for r in diagnose.examine(run, SHELF).risks if r.rule == rule), None)


def run_with(**settings: float | str | bool) -> Run:
    made = {name: Setting(name, value, f"train.{name}") for name, value in settings.items()}
    return Run("r", settings=made, objective=Objective("nonsaturating", 1.386, 0.693))


@pytest.mark.parametrize("rule", RISKS, ids=lambda r: r.id)
def test_what_a_risk_says_is_filled_from_the_run(rule: Rule) -> None:
    found = cases(rule)
    assert found
    for name, run, frame in found:
        note = diagnose.risk_note(diagnose.ask(rule, run, "", frame), run, frame)
        assert note.text.endswith(" ".join(rule.why.split())), name
        assert "{" not in note.text, name
        if rule.settings and run.settings and rule.id != "logged-too-rarely":
            assert note.settings, name
        assert set(note.settings) <= {s.key for s in run.settings.values()}


@pytest.mark.parametrize("rule", RISKS, ids=lambda r: r.id)
def test_a_risk_says_why_when_it_is_wrong_and_where_it_is_from(rule: Rule) -> None:
    assert rule.why
    assert rule.false_positives
    assert rule.references
    assert all(r.url.startswith("https://") for r in rule.references)


def test_a_rate_written_as_people_write_it_is_read_as_text() -> None:
    note = noted(run_with(lr_d="5e-5", lr_g=0.0002), "number-read-as-text")
    assert note is not None
    assert note.settings == ("train.lr_d",)
    assert note.text.startswith("train.lr_d = 5e-5 is text, not a number.")


def test_one_key_for_both_networks_is_named_once() -> None:
    both = {f"lr{end}": Setting(f"lr{end}", "5e-5", "lr") for end in ("", "_d", "_g")}
    note = noted(Run("r", settings=both), "number-read-as-text")
    assert note is not None
    assert note.settings == ("lr",)
    assert note.text.count("lr = 5e-5") == 1


def test_only_the_setting_in_doubt_is_named() -> None:
    note = noted(run_with(lr_d=0.0002, lr_g=0.05), "learning-rate-extreme")
    assert note is not None
    assert note.settings == ("train.lr_g",)
    assert "train.lr_d" not in note.text


def test_a_rate_worked_out_from_a_ratio_has_no_key() -> None:
    settings = {"lr_g": Setting("lr_g", 0.0002, "lr_g"), "lr_d": Setting("lr_d", 0.004, "")}
    note = noted(Run("r", settings=settings), "d-learns-far-faster-than-g")
    assert note is not None
    assert note.settings == ("lr_g",)
    assert "lr_d = 0.004 is 20 times lr_g = 0.0002" in note.text


def test_risks_alone_leave_verdict_and_exit_code_alone(sample_logs: Path, tmp_path: Path) -> None:
    source = sample_logs / "healthy-minimax"
    for path in source.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    config = tmp_path / "config.yaml"
    config.write_text(config.read_text(encoding="utf-8") + "\nadam_eps: 1e-8\n", encoding="utf-8")
    before, after = api.analyze(source), api.analyze(tmp_path)
    assert "number-read-as-text" in {r.rule for r in after.risks} - {r.rule for r in before.risks}
    assert (after.verdict, after.findings, after.diagnoses) == ("healthy", (), ())
    assert api.exit_code([after], "low") == 0


def test_healthy_runs_have_few_risks(sample_logs: Path) -> None:
    reports = [api.analyze(p) for p in sorted(sample_logs.glob("healthy-*")) if p.is_dir()]
    assert len(reports) >= 5
    assert statistics.median(len(r.risks) for r in reports) <= 1
    assert max(len(r.risks) for r in reports) <= 3
