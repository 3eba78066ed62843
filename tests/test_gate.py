"""What CI reads: SARIF, JUnit, GitLab's and GitHub's own, short comments, baselines."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import report_examples as examples

from gandoctor import reporters
from gandoctor.cli import asking, saying
from gandoctor.errors import UsageError
from gandoctor.reporters import baseline, comment
from gandoctor.reporters.problems import placed, problems

if TYPE_CHECKING:
    from pathlib import Path

    from gandoctor.model.report import Report

ALL = {
    "dominance": examples.dominance, "healthy": examples.healthy,
    "inconclusive": examples.inconclusive, "hostile": examples.hostile,
}  # fmt: skip
NASTY = "a\r\n::error::b%,:\x1b[31m\u202e<x>&\"'|`\x00\ud800"


def said(name: str, *reports: Report, path: str = "runs/a") -> str:
    return reporters.render(reporters.by_name(name), placed(reports, path))


def nasty() -> Report:
    base = examples.dominance()
    return dataclasses.replace(
        base,
        run=dataclasses.replace(base.run, name=NASTY),
        diagnoses=tuple(dataclasses.replace(d, title=NASTY) for d in base.diagnoses),
        why_verdict=NASTY,
    )


# ---------------------------------------------------------------- formats


@pytest.mark.parametrize("which", ALL)
def test_another_reader_takes_the_sarif(which: str) -> None:
    sarif = pytest.importorskip("sarif_pydantic")
    text = said("sarif", ALL[which]())
    log = sarif.Sarif.model_validate_json(text)
    results = log.runs[0].results
    assert len(results) == len(list(problems(ALL[which]())))
    rules = log.runs[0].tool.driver.rules
    assert all(rules[r.rule_index].id == r.rule_id for r in results)
    assert all(r.message.text and r.locations for r in results)


def test_sarif_points_at_the_line_and_keeps_its_mark_when_numbers_change() -> None:
    report = examples.dominance()
    result = json.loads(said("sarif", report))["runs"][0]["results"][0]
    place = result["locations"][0]["physicalLocation"]
    assert place == {
        "artifactLocation": {"uri": "runs/a/config.yaml"}, "region": {"startLine": 12},
    }  # fmt: skip
    assert (result["level"], result["ruleId"]) == ("error", report.diagnoses[0].cause)
    later = dataclasses.replace(report.diagnoses[0], onset_step=999, score=0.1)
    changed = dataclasses.replace(report, diagnoses=(later, *report.diagnoses[1:]))
    again = json.loads(said("sarif", changed))["runs"][0]["results"][0]
    assert again["partialFingerprints"] == result["partialFingerprints"]
    elsewhere = json.loads(said("sarif", report, path="runs/b"))["runs"][0]["results"][0]
    assert elsewhere["partialFingerprints"] != result["partialFingerprints"]


def test_another_reader_takes_the_junit_report(tmp_path: Path) -> None:
    junit = pytest.importorskip("junitparser")
    file = tmp_path / "junit.xml"
    reports = [make() for make in ALL.values()] + [nasty()]
    file.write_text(said("junit", *reports, path="runs"), "utf-8")
    (suite,) = junit.JUnitXml.fromfile(str(file))
    verdicts = [r.verdict for r in reports]
    assert (suite.tests, suite.failures, suite.skipped) == (
        len(reports), verdicts.count("failing"), verdicts.count("inconclusive"),
    )  # fmt: skip
    for case, report in zip(suite, reports, strict=True):
        kinds = {type(r).__name__ for r in case.result}
        want = {"failing": {"Failure"}, "inconclusive": {"Skipped"}}
        assert kinds == want.get(report.verdict, set())


def test_gitlab_gets_what_its_page_asks_for() -> None:
    entries = json.loads(said("codequality", examples.dominance(), nasty(), path="runs"))
    assert json.loads(said("codequality", examples.healthy())) == []
    assert len({e["fingerprint"] for e in entries}) == len(entries)
    for entry in entries:
        assert set(entry) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert entry["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert not entry["location"]["path"].startswith("/")
        assert entry["location"]["lines"]["begin"] >= 1


COMMAND = re.compile(r"::(error|warning|notice) file=[^,:]+,line=\d+,title=[^,:]+::[^\r\n]+")


def nasty_place() -> Report:
    (report,) = placed([examples.dominance()], NASTY, NASTY, lambda _: f"runs/{NASTY}")
    return report


@pytest.mark.parametrize("make", [*ALL.values(), nasty, nasty_place])
def test_nothing_in_a_run_makes_a_workflow_command(make) -> None:  # type: ignore[no-untyped-def]
    report = make()
    reports = [report] if report.run.key else placed([report], "runs/a")
    lines = reporters.render(reporters.by_name("annotations"), reports).splitlines()
    assert all(COMMAND.fullmatch(line) and line.isprintable() for line in lines), lines
    assert len(lines) == len(list(problems(make())))


def test_files_that_gitlab_knows_by_name_are_of_its_format() -> None:
    assert reporters.choose("out/gl-code-quality-report.json").NAME == "codequality"
    assert reporters.choose("report.json").NAME == "json"
    assert reporters.choose("junit.xml").NAME == "junit"
    assert reporters.choose("a.sarif").NAME == "sarif"
    assert reporters.choose("-", "md").NAME == "comment"


def test_a_comment_is_short_and_has_what_it_takes_to_act() -> None:
    text = said("md", examples.dominance())
    assert len(text) <= comment.LIMIT
    assert "optimizer_d.lr" in text
    assert "```diff" in text
    assert "other possible cause" in text
    many = [make() for make in ALL.values()] * 12
    text = said("md", *many)
    assert len(text) <= comment.LIMIT
    assert "left out here for length" in text
    assert f"{len(many) - 15} more" in text


# ---------------------------------------------------------------- rivals and baselines


def test_causes_of_the_same_findings_are_rivals_and_others_problems_of_their_own() -> None:
    report = examples.dominance()
    (only,) = problems(report)
    assert only.rivals == ("D is too strong for the data [discriminator-too-strong]",)
    other = dataclasses.replace(report.findings[0], rule="new", fingerprint="new:x", symptom="x")
    apart = dataclasses.replace(
        report.diagnoses[1], cause="apart", findings=("new",), symptoms=("x",)
    )
    more = dataclasses.replace(
        report, findings=(*report.findings, other), diagnoses=(*report.diagnoses, apart)
    )
    assert [p.ident for p in problems(more)] == [only.ident, "apart"]


def test_known_problems_are_hidden_and_new_ones_are_not(tmp_path: Path) -> None:
    (report,) = placed([examples.dominance()], "runs/a")
    file = tmp_path / "known.json"
    file.write_text(baseline.kept([report]), "utf-8")
    known = baseline.read(file)
    assert len(known) == 1
    left, hidden = baseline.without(report, known)
    assert (hidden, list(problems(left))) == (1, [])
    (elsewhere,) = placed([examples.dominance()], "runs/b")
    assert baseline.without(elsewhere, known) == (elsewhere, 0)
    (mended,) = placed([examples.healthy()], "runs/a")
    assert baseline.vanished(known, [mended]) == known
    assert baseline.vanished(known, [report]) == []
    assert baseline.vanished(known, [], ["elsewhere", "runs/a/deeper"]) == []
    assert baseline.vanished(known, [], ["runs"]) == baseline.vanished(known, [], ["."]) == known


# ---------------------------------------------------------------- the command


def run(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gandoctor", *map(str, words)],
        cwd=cwd, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def two(sample_logs: Path, tmp_path: Path) -> Path:
    for name in ("d-dominance", "healthy-hinge"):
        shutil.copytree(sample_logs / name, tmp_path / name)
    return tmp_path


def test_a_check_with_a_baseline_fails_on_what_is_new(two: Path) -> None:
    first = run("check", "d-dominance", "healthy-hinge", "--write-baseline", "known.json", cwd=two)
    assert first.returncode == 0, first.stderr
    again = run("check", "d-dominance", "healthy-hinge", "--baseline", "known.json", cwd=two)
    assert (again.returncode, again.stdout) == (0, "")
    assert again.stderr.endswith("2 runs: 1 failing, 1 healthy; 1 known problem hidden\n")
    (two / "d-dominance").rename(two / "moved")
    assert run("check", "moved", "--baseline", "known.json", cwd=two).returncode == 1
    shutil.copytree(two / "healthy-hinge", two / "d-dominance")
    mended = run("check", "d-dominance", "--baseline", "known.json", cwd=two)
    assert "is gone; it may leave the baseline" in mended.stderr


@pytest.mark.parametrize("repository", [True, False])
def test_a_run_is_known_however_its_path_was_typed(
    two: Path, sample_logs: Path, repository: bool
) -> None:
    runs = two / "runs"
    runs.mkdir()
    (two / "d-dominance").rename(runs / "sick")
    (two / "healthy-hinge").rename(runs / "well")
    if repository:
        (two / ".git").mkdir()
    assert run("check", "runs", "--write-baseline", "known.json", cwd=two).returncode == 0
    (event_file,) = (runs / "sick").glob("*tfevents*")
    typed = [
        (two, runs), (runs, "."), (runs / "well", "../sick"), (two, event_file), (two.parent, two),
    ]  # fmt: skip
    for cwd, path in typed:
        done = run("check", path, "--baseline", two / "known.json", cwd=cwd)
        assert (done.returncode, done.stdout) == (0, ""), (cwd, path)
        assert "1 known problem hidden" in done.stderr
    shutil.rmtree(runs / "well")  # a run alone in a folder of runs is the run that it was
    assert run("check", "runs", "--baseline", "known.json", cwd=two).returncode == 0
    (runs / "sick").rename(two / "elsewhere")
    shutil.copytree(sample_logs / "healthy-hinge", runs / "other")
    gone = run("check", "runs", "--baseline", "known.json", cwd=two)
    assert "runs/sick: discriminator-learning-rate-too-high is gone" in gone.stderr


def test_files_are_named_from_the_repository_where_ci_shows_them(two: Path) -> None:
    (two / ".git").mkdir()
    (two / "sub").mkdir()
    (two / "d-dominance").rename(two / "sub" / "sick")
    printed = run("check", ".", cwd=two / "sub").stdout
    assert printed.startswith("sick/config.yaml:")
    annotated = run("check", ".", "--format", "annotations", cwd=two / "sub").stdout
    assert annotated.startswith("::error file=sub/sick/config.yaml,line=")
    event_file = next((two / "sub" / "sick").glob("*tfevents*")).relative_to(two)
    assert run("check", event_file, cwd=two).stdout.startswith("sub/sick/config.yaml:")


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"schema": "x", "known": []}', "[" * 90_000])
def test_what_is_no_baseline_is_said(two: Path, text: str) -> None:
    (two / "known.json").write_text(text)
    done = run("check", "healthy-hinge", "--baseline", "known.json", cwd=two)
    assert done.returncode == 2
    assert "known.json: is no baseline" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_baseline_is_written_over_a_baseline_alone(two: Path) -> None:
    for text, code in (("lr: 1\n", 2), ('{"schema": "gandoctor.baseline/1", "known": []}', 0)):
        (two / "mine").write_text(text)
        done = run("check", "healthy-hinge", "--write-baseline", "mine", cwd=two)
        assert done.returncode == code, done.stderr
        assert ((two / "mine").read_text() == text) == (code == 2)


def test_a_check_writes_for_ci_and_says_what_it_skipped(two: Path) -> None:
    (two / "notes.txt").write_text("buy milk\n")
    outputs = ["r.sarif", "junit.xml", "gl-code-quality-report.json", "all.json"]
    words = [word for name in outputs for word in ("-o", name)]
    done = run("check", "d-dominance", "healthy-hinge", "notes.txt", *words, cwd=two)
    assert done.returncode == 1
    assert "1 skipped, being no training log (notes.txt)" in done.stderr
    assert 'name="healthy-hinge"' in (two / "junit.xml").read_text()
    result = json.loads((two / "r.sarif").read_text())["runs"][0]["results"][0]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert (two / uri).is_file()
    aloud = run("check", "d-dominance", "--format", "annotations", cwd=two)
    assert aloud.stdout.startswith("::error file=d-dominance/config.yaml,line=")


def test_a_saved_report_is_rendered_without_its_run(two: Path) -> None:
    assert run("analyze", "d-dominance", "-q", "-o", "r.json", cwd=two).returncode == 1
    shutil.rmtree(two / "d-dominance")
    done = run("render", "r.json", "-o", "page.html", "-o", "-", "--format", "md", cwd=two)
    assert done.returncode == 0, done.stderr
    assert "learning_rate" in done.stdout or "lr" in done.stdout
    assert (two / "page.html").read_text().startswith("<!doctype html>")
    odd = run("render", "page.html", cwd=two)
    assert odd.returncode == 2
    assert "is no saved report" in odd.stderr


# ---------------------------------------------------------------- how it is called


def test_several_paths_are_one_report_and_one_that_is_bad_stops_no_other(two: Path) -> None:
    done = run("analyze", "d-dominance", "healthy-hinge", "-q", "-o", "r.json", cwd=two)
    assert done.returncode == 1
    runs = json.loads((two / "r.json").read_text())["runs"]
    assert [r["run"]["path"] for r in runs] == ["d-dominance", "healthy-hinge"]
    worse = run("analyze", "nope", "healthy-hinge", "-q", "-o", "r.json", cwd=two)
    assert worse.returncode == 2
    assert "nope: does not exist" in worse.stderr
    assert json.loads((two / "r.json").read_text())["verdict"] == "healthy"
    nothing = run("analyze", "nope", "neither", cwd=two)
    assert nothing.returncode == 2
    assert "nothing could be read" in nothing.stderr


@pytest.mark.parametrize("form", ["csv", "text", "jsonl"])
def test_a_log_from_the_input(form: str, tmp_path: Path) -> None:
    rows = [(i, 1.3 + i % 7 / 100, 0.8 + i % 5 / 100) for i in range(200)]
    lines = {
        "csv": ["step,d_loss,g_loss", *(f"{i},{d},{g}" for i, d, g in rows)],
        "text": [f"step {i} d_loss: {d:.3f} g_loss: {g:.3f}" for i, d, g in rows],
        "jsonl": [json.dumps({"step": i, "d_loss": d, "g_loss": g}) for i, d, g in rows],
    }[form]  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "gandoctor", "analyze", "-", "--format", "json"],
        input="\n".join(lines), cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    signals = json.loads(done.stdout)["signals"]
    assert {s["role"]: s["points"] for s in signals if s["tag"] in ("d_loss", "g_loss")} == {
        "d_loss": 200, "g_loss": 200,
    }  # fmt: skip
    assert not list(tmp_path.iterdir())


def test_a_format_alone_is_printed_and_a_bare_path_gets_a_hint(two: Path) -> None:
    before = sorted(p.name for p in two.iterdir())
    done = run("analyze", "healthy-hinge", "--format", "markdown", cwd=two)
    assert done.stdout.startswith("<!-- gandoctor -->")
    assert sorted(p.name for p in two.iterdir()) == before
    hint = run("d-dominance", cwd=two)
    assert hint.returncode == 2
    assert "analyze d-dominance" in hint.stderr
    assert run("-h", cwd=two).stdout == run("--help", cwd=two).stdout
    assert run("-V", cwd=two).stdout == run("--version", cwd=two).stdout


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root writes everywhere")
def test_where_nothing_can_be_written_the_summary_is_told(two: Path) -> None:
    two.chmod(0o555)
    try:
        done = run("analyze", "d-dominance", cwd=two)
    finally:
        two.chmod(0o755)
    assert done.returncode == 1
    assert "D learns too fast" in done.stdout
    assert "no report is written" in done.stderr


def test_what_cannot_be_written_is_said_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As the one above, for whoever tests as root."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)
    assert asking.targets_of(None, None) == ([], ())
    assert "no report is written: gandoctor-report.html: " in capsys.readouterr().err
    for target in ("r.html", "report/", "."):
        with pytest.raises(UsageError, match="cannot be written"):
            asking.targets_of([target], None)


def test_colour_where_a_terminal_or_the_user_asks_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    for variables in (
        {},
        {"FORCE_COLOR": "1"},
        {"FORCE_COLOR": "0"},
        {"FORCE_COLOR": "1", "NO_COLOR": "1"},
    ):
        with monkeypatch.context() as patch:
            for name in ("NO_COLOR", "FORCE_COLOR"):
                patch.delenv(name, raising=False)
            for name, value in variables.items():
                patch.setenv(name, value)
            asked.append(saying.in_colour())
    assert asked == [False, True, False, False]
