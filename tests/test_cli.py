from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gandoctor import api, diagnose, options, preferences, rule_cache, rulebook
from gandoctor.model.report import Report
from gandoctor.reporters import check

if TYPE_CHECKING:
    from gandoctor.lang.evaluate import Frame
    from gandoctor.model.rules import Rule
    from gandoctor.model.signals import Run

HEAVY = ("pandas", "scipy", "tbparse", "torch")
NEEDLESS = (*HEAVY, "numpy.ma")  # what numpy loads for the masked arrays that nobody has


def run(*args: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "gandoctor", *map(str, args)],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=120,
        check=False,
    )
    assert "Traceback" not in done.stderr + done.stdout
    return done


def one_sentence(text: str) -> bool:
    return len(text.strip().splitlines()) == 1 and text.startswith("gandoctor: ")


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['gandoctor', '--help']\n"
        "from gandoctor import cli\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        f"print('loaded:', [m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "analyze" in done.stdout
    assert "loaded: []" in done.stdout


def test_analysis_of_a_small_event_file_imports_nothing_heavy(
    sample_logs: Path, tmp_path: Path
) -> None:
    target = str(tmp_path / "r.html")
    code = (
        f"import sys; sys.argv = ['gandoctor', 'analyze', {str(sample_logs / 'd-dominance')!r}, "
        f"'-o', {target!r}]\n"
        "from gandoctor import cli\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        f"print('loaded:', [m for m in {NEEDLESS!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "loaded: []" in done.stdout


def test_default_report_is_in_the_current_folder_and_never_in_the_run(
    sample_logs: Path, tmp_path: Path
) -> None:
    run_dir = sample_logs / "d-dominance"
    before = sorted(p.name for p in run_dir.rglob("*"))
    done = run("analyze", run_dir, cwd=tmp_path)
    assert done.returncode == 1
    assert "failing" in done.stdout.lower()
    assert [p.name for p in tmp_path.iterdir()] == ["gandoctor-report.html"]
    assert sorted(p.name for p in run_dir.rglob("*")) == before


def test_outputs_take_their_format_from_the_suffix(sample_logs: Path, tmp_path: Path) -> None:
    done = run(
        "analyze",
        sample_logs / "healthy-hinge",
        "-o",
        tmp_path / "r.json",
        "-o",
        tmp_path / "r.html",
    )
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["schema"] == "gandoctor.report/1"
    assert report["verdict"] == "healthy"
    assert (tmp_path / "r.html").read_text().startswith("<!doctype html>")


def test_stdout_carries_one_format_alone(sample_logs: Path) -> None:
    done = run("analyze", sample_logs / "healthy-hinge", "-o", "-", "--format", "json")
    assert json.loads(done.stdout)["verdict"] == "healthy"


@pytest.mark.parametrize(("fail_on", "code"), [("high", 1), ("never", 0)])
def test_exit_code_follows_fail_on(
    sample_logs: Path, tmp_path: Path, fail_on: str, code: int
) -> None:
    done = run(
        "analyze", sample_logs / "nan-in-loss", "--fail-on", fail_on, "-o", tmp_path / "r.json"
    )
    assert done.returncode == code


def test_a_folder_of_runs_is_many_runs(sample_logs: Path, tmp_path: Path) -> None:
    done = run("analyze", sample_logs, "-o", tmp_path / "r.json", "-o", tmp_path / "r.html")
    assert done.returncode == 1
    data = json.loads((tmp_path / "r.json").read_text())
    assert data["schema"] == "gandoctor.reports/1"
    assert {r["run"]["name"] for r in data["runs"]} == {
        p.name for p in sample_logs.iterdir() if p.is_dir()
    }


def test_report_holds_no_absolute_path(sample_logs: Path, tmp_path: Path) -> None:
    run(
        "analyze", sample_logs / "d-dominance", "-o", tmp_path / "r.json", "-o", tmp_path / "r.html"
    )
    for name in ("r.json", "r.html"):
        assert str(sample_logs.parent) not in (tmp_path / name).read_text()


def test_a_failing_run_asks_each_rule_and_reads_each_file_once(
    sample_logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: Counter[tuple[str, str]] = Counter()
    opened: Counter[Path] = Counter()
    ask, read_yaml = diagnose.ask, rulebook.read_yaml

    def counting_ask(rule: Rule, signals: Run, network: str, frame: Frame) -> diagnose.Answer:
        asked[rule.id, network] += 1
        return ask(rule, signals, network, frame)

    def counting_read(path: Path, where: str) -> object:
        opened[path] += path.parent.name != "vocabulary"
        return read_yaml(path, where)

    monkeypatch.setattr(rule_cache._kept, "made", {})  # what earlier tests have read
    monkeypatch.setattr(diagnose, "ask", counting_ask)
    monkeypatch.setattr("gandoctor.rulebook.folder.read_yaml", counting_read)
    rule_cache.forget()
    report = api.analyze(sample_logs / "d-dominance")
    assert report.verdict == "failing"
    assert report.diagnoses
    assert report.prescriptions
    assert max(asked.values()) == 1
    assert max(opened.values()) == 1
    assert {p.parent.name for p in opened} >= {"symptoms", "risks", "causes", "remedies"}


# ---------------------------------------------------------------- check


def test_check_prints_a_line_a_finding_and_writes_nothing(
    sample_logs: Path, tmp_path: Path
) -> None:
    done = run("check", sample_logs / "d-dominance", sample_logs / "healthy-wgan-gp", cwd=tmp_path)
    assert done.returncode == 1
    lines = done.stdout.strip().splitlines()
    assert lines
    assert all("d-dominance" in line for line in lines if not line.startswith("    "))
    assert not list(tmp_path.iterdir())


def test_check_skips_what_is_no_training_log(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("buy milk\n")
    (tmp_path / "people.csv").write_text("name,town\nAda,London\n")
    done = run("check", tmp_path / "notes.txt", tmp_path / "people.csv")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("no runs; 2 skipped, being no training log (")


def test_ignored_rules_are_listed_with_their_reason(sample_logs: Path, tmp_path: Path) -> None:
    (tmp_path / "gandoctor.toml").write_text(
        'ignore = [{rule = "nan-in-loss", reason = "warm-up"}]\n'
    )
    run("analyze", sample_logs / "nan-in-loss", "-o", "r.json", cwd=tmp_path)
    report = json.loads((tmp_path / "r.json").read_text())
    assert "nan-in-loss" not in {f["rule"] for f in report["findings"]}
    assert [(i["rule"], i["reason"]) for i in report["ignored"]] == [("nan-in-loss", "warm-up")]


def test_no_setting_is_suggested_where_data_are_missing(sample_logs: Path, tmp_path: Path) -> None:
    done = run("analyze", sample_logs / "d-dominance", "-o", "-", "--format", "json", cwd=tmp_path)
    report = json.loads(done.stdout)
    first = next(p for p in report["prescriptions"] if p["overrides"])
    said = Report.from_dict(report)
    data = tuple(replace(p, effort="data") for p in said.prescriptions)
    assert first["effort"] == "config"
    assert f"-> {first['overrides'][0]}" in check.render(said)
    assert f"-> {first['title']}\n" in check.render(replace(said, prescriptions=data))
    assert first["overrides"][0] not in check.render(replace(said, prescriptions=data))


@pytest.mark.parametrize("name", ["d-dominance", "nan-in-loss"])
def test_analyze_and_patch_count_the_same(sample_logs: Path, tmp_path: Path, name: str) -> None:
    said = run("analyze", sample_logs / name, cwd=tmp_path).stdout
    told = re.search(r"(\d+) of (\d+)\)", said[said.index("patch  ") :])
    assert told is not None
    every = json.loads(run("analyze", sample_logs / name, "-o", "-", "--format", "json").stdout)[
        "prescriptions"
    ]
    assert int(told[2]) == len(every)
    patched = run("patch", sample_logs / name, "--number", told[1]).stdout
    title = " ".join(said[said.index("patch  ") + 7 :].split()).partition(" (risk")[0]
    assert patched.startswith(f"# {told[1]} of {told[2]}: {title}")


def test_selected_rules_are_asked_alone(sample_logs: Path, tmp_path: Path) -> None:
    run(
        "analyze", sample_logs / "d-dominance", "--select", "nan-in-loss", "-o", tmp_path / "r.json"
    )
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["findings"] == []
    assert report["clear"] == ["nan-in-loss"]


def test_a_project_sets_its_own_severities(sample_logs: Path, tmp_path: Path) -> None:
    rules = ("nan-in-loss", "losses-frozen")
    lines = "".join(f'{rule} = "low"\n' for rule in rules)
    (tmp_path / "gandoctor.toml").write_text(f"[severity]\n{lines}")
    done = run("analyze", sample_logs / "nan-in-loss", "-o", "r.json", cwd=tmp_path)
    report = json.loads((tmp_path / "r.json").read_text())
    assert {f["severity"] for f in report["findings"] if f["rule"] in rules} == {"low"}
    assert (done.returncode == 1) == (report["verdict"] == "failing")


def test_an_unknown_rule_to_select(sample_logs: Path) -> None:
    done = run("analyze", sample_logs / "d-dominance", "--select", "nan-in-los")
    assert done.returncode == 2
    assert one_sentence(done.stderr)
    assert "nan-in-loss" in done.stderr


# ---------------------------------------------------------------- signals


def test_bare_names_are_placed(tmp_path: Path) -> None:
    (tmp_path / "tags.txt").write_text("Loss_D\nLoss_G\nD(x)\nD(G(z))\n")
    done = run("signals", "--tags", tmp_path / "tags.txt", "--format", "json")
    rows = json.loads(done.stdout)
    assert [r["role"] for r in rows] == ["d_loss", "g_loss", "d_real_score", "d_fake_score"]
    assert all(set(r) == {"tag", "role", "network", "split"} for r in rows)


def test_signals_of_a_run_and_the_map_it_writes(sample_logs: Path, tmp_path: Path) -> None:
    done = run("signals", sample_logs / "d-dominance", "--write-map", tmp_path / "gandoctor.toml")
    assert done.returncode == 0, done.stderr
    assert "nonsaturating" in done.stdout
    assert "d_loss" in done.stdout
    again = run("analyze", sample_logs / "d-dominance", "-o", tmp_path / "r.json", cwd=tmp_path)
    assert again.returncode == 1, again.stderr


def test_map_and_loss_override(tmp_path: Path) -> None:
    rows = "".join(f"{i},{0.5 + 0.01 * (i % 7)},{1.2 + 0.01 * (i % 5)}\n" for i in range(60))
    (tmp_path / "log.csv").write_text("step,alpha,omega\n" + rows)
    args = (
        "--map",
        "d_loss=alpha",
        "--map",
        "g_loss=omega",
        "--loss",
        "lsgan",
        "-o",
        tmp_path / "r.json",
    )
    run("analyze", tmp_path / "log.csv", *args)
    report = json.loads((tmp_path / "r.json").read_text())
    assert {(s["tag"], s["role"]) for s in report["signals"]} >= {
        ("alpha", "d_loss"),
        ("omega", "g_loss"),
    }
    assert report["run"]["objective"]["family"] == "lsgan"


# ---------------------------------------------------------------- bad input: one sentence, exit
# code 2


def csv_of(folder: Path) -> Path:
    path = folder / "log.csv"
    path.write_text("step,d_loss,g_loss\n" + "".join(f"{i},0.7,0.7\n" for i in range(30)))
    return path


def test_missing_path(tmp_path: Path) -> None:
    done = run("analyze", tmp_path / "nowhere")
    assert done.returncode == 2
    assert one_sentence(done.stderr)


@pytest.mark.parametrize("typed", ["/dev/null", "sub/../empty.csv"])
def test_a_fault_names_the_path_as_it_was_typed(typed: str, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "empty.csv").touch()
    done = run("analyze", typed, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"gandoctor: {typed}: is ")


def test_an_empty_path_is_not_the_folder_one_works_in(sample_logs: Path) -> None:
    done = run("check", "", cwd=sample_logs)
    assert done.returncode == 2
    assert "a path is empty" in done.stderr


def test_a_folder_is_no_config(sample_logs: Path, tmp_path: Path) -> None:
    done = run("analyze", sample_logs / "healthy-hinge", "--config", tmp_path, cwd=tmp_path)
    assert done.stderr.startswith(f"gandoctor: --config {tmp_path}: is a folder; ")


def test_empty_folder(tmp_path: Path) -> None:
    done = run("analyze", tmp_path)
    assert done.returncode == 2
    assert one_sentence(done.stderr)


def test_folder_without_logs(tmp_path: Path) -> None:
    (tmp_path / "readme.md").write_text("# hello\n")
    done = run("analyze", tmp_path)
    assert done.returncode == 2
    assert one_sentence(done.stderr)


def test_csv_without_numbers(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("name,town\nAda,London\nAlan,Wilmslow\n")
    done = run("analyze", tmp_path / "x.csv")
    assert done.returncode == 2
    assert one_sentence(done.stderr)


def test_unknown_role_in_map(tmp_path: Path) -> None:
    done = run("analyze", csv_of(tmp_path), "--map", "d_los=d_loss")
    assert done.returncode == 2
    assert one_sentence(done.stderr)
    assert "d_loss" in done.stderr


def test_unknown_loss_family(tmp_path: Path) -> None:
    done = run("analyze", csv_of(tmp_path), "--loss", "wgangp2")
    assert done.returncode == 2
    assert one_sentence(done.stderr)


def test_unwritable_output(tmp_path: Path) -> None:
    done = run("analyze", csv_of(tmp_path), "-o", tmp_path / "no" / "r.html")
    assert done.returncode == 2
    assert one_sentence(done.stderr)


def test_unknown_format(tmp_path: Path) -> None:
    done = run("analyze", csv_of(tmp_path), "-o", "report.docx", cwd=tmp_path)
    assert done.returncode == 2
    assert one_sentence(done.stderr)
    assert not (tmp_path / "report.docx").exists()


def test_rule_with_a_typo(tmp_path: Path) -> None:
    folder = tmp_path / "rules" / "symptoms"
    folder.mkdir(parents=True)
    (folder / "mine.yaml").write_text(
        "id: mine\nkind: symptom\nsymptom: mode-colapse\ntitle: x\nseverity: high\n"
    )
    done = run("analyze", csv_of(tmp_path), "--rules", tmp_path / "rules")
    assert done.returncode == 2
    assert "mine.yaml" in done.stderr
    assert done.stderr.startswith("gandoctor: ")


def test_config_that_does_not_parse_is_named_and_the_run_still_read(tmp_path: Path) -> None:
    csv_of(tmp_path)
    (tmp_path / "config.yaml").write_text("lr: [1, 2\nbatch: {\n")
    done = run("analyze", tmp_path, "-o", tmp_path / "r.json")
    assert done.returncode in (0, 1), done.stderr
    sources = json.loads((tmp_path / "r.json").read_text())["run"]["sources"]
    assert any(s["path"] == "config.yaml" and s["lost"] for s in sources)


def test_truncated_event_file_is_used_and_the_loss_named(sample_logs: Path, tmp_path: Path) -> None:
    whole = next((sample_logs / "d-dominance").glob("events*"))
    data = whole.read_bytes()
    (tmp_path / whole.name).write_bytes(data[: len(data) * 2 // 3 + 5])
    done = run("analyze", tmp_path, "-o", tmp_path / "r.json")
    assert done.returncode in (0, 1), done.stderr
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["run"]["sources"][0]["lost"]
    assert sum(s["points"] for s in report["signals"]) > 100


@pytest.mark.parametrize("folder", [False, True])
def test_an_event_file_cut_within_its_first_record_is_no_log(
    sample_logs: Path, tmp_path: Path, folder: bool
) -> None:
    whole = next((sample_logs / "d-dominance").glob("events*"))
    (tmp_path / whole.name).write_bytes(whole.read_bytes()[:15])
    done = run("analyze", tmp_path if folder else tmp_path / whole.name, cwd=tmp_path)
    assert done.returncode == 2
    assert one_sentence(done.stderr)
    assert "ends within its first record (at 15 bytes)" in done.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [("ignor = []", "ignore"), ('loss = "ganz"', "gandoctor.toml:loss: unknown loss family")],
)
def test_bad_preferences(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    csv_of(tmp_path / "run")
    (tmp_path / "gandoctor.toml").write_text(f"{text}\n")
    done = run("analyze", "run", cwd=tmp_path)
    assert done.returncode == 2
    assert one_sentence(done.stderr)
    assert said in done.stderr


def test_file_names_cannot_speak_to_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "\x1b]0;mine\x07\u202eevents.out.tfevents.1.host").write_bytes(b"\x07" * 500)
    done = run("analyze", tmp_path, cwd=tmp_path)
    assert done.returncode == 2
    assert one_sentence(done.stderr)
    assert "tfevents" in done.stderr
    assert done.stderr.strip().isprintable()


# Without this capability even root is stopped by permissions.
BOUND = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.geteuid() == 0 else []


@pytest.mark.skipif(
    bool(BOUND) and shutil.which("setpriv") is None, reason="root may read everything"
)
@pytest.mark.parametrize("what", ["run", "log.csv", "run/log.csv", "rules"])
def test_what_may_not_be_read_is_named(what: str, tmp_path: Path) -> None:
    csv_of(tmp_path)
    for folder in ("run", "rules"):
        (tmp_path / folder).mkdir()
    shutil.copy(tmp_path / "log.csv", tmp_path / "run")
    (tmp_path / "run" / "gandoctor.toml").write_text("")
    closed = tmp_path / what
    closed.chmod(0)
    target = tmp_path / ("log.csv" if what == "log.csv" else "run")
    more = ["--rules", str(closed)] if what == "rules" else []
    code = [sys.executable, "-m", "gandoctor", "analyze", str(target), *more]
    done = subprocess.run(
        [*BOUND, *code], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    closed.chmod(0o755)
    assert done.returncode == 2
    assert one_sentence(done.stderr)
    assert closed.name in done.stderr
    assert "ermission denied" in done.stderr


def test_a_rules_folder_without_rules(tmp_path: Path) -> None:
    csv_of(tmp_path)
    (tmp_path / "mine" / "rules").mkdir(parents=True)
    done = run("analyze", tmp_path / "log.csv", "--rules", tmp_path / "mine", cwd=tmp_path)
    assert done.returncode == 2
    assert one_sentence(done.stderr)
    assert "holds no rules" in done.stderr


# ---------------------------------------------------------------- preferences: whose word counts


def run_of_a_stranger(
    tmp_path: Path, preferences: str, log: Path | None = None
) -> tuple[Path, Path]:
    """A project to work in, and a run from elsewhere with preferences of its own."""
    work, theirs = tmp_path / "work", tmp_path / "theirs"
    work.mkdir()
    shutil.copytree(log, theirs) if log else (theirs.mkdir(), csv_of(theirs))
    (theirs / "gandoctor.toml").write_text(preferences)
    return work, theirs


def rules_that_fire(folder: Path) -> Path:
    """A rules folder with one rule that holds of any log with a D loss."""
    (folder / "symptoms").mkdir(parents=True)
    (folder / "symptoms" / "always.yaml").write_text(
        "id: always\nkind: symptom\nsymptom: oscillation\ntitle: Always\nseverity: high\nstatus: "
        "stable\n"
        'since: "0.1"\nwhy: It holds.\nevidence:\n  there: {where: d_loss > -1000, for: '
        "ever}\nwhen: there\n"
    )
    return folder


@pytest.mark.parametrize("how", ["absolute", "dots", "link", "link within", "beside"])
def test_a_run_never_leads_to_rules(how: str, tmp_path: Path) -> None:
    secret = rules_that_fire(tmp_path / "secret")
    work, theirs = run_of_a_stranger(tmp_path, "")
    name = {"absolute": secret.as_posix(), "dots": "../secret"}.get(how, "mine")
    if how == "link":
        (theirs / "mine").symlink_to(secret)
    elif how == "link within":
        (theirs / "mine" / "symptoms").mkdir(parents=True)
        (theirs / "mine" / "symptoms" / "x.yaml").symlink_to(secret / "symptoms" / "always.yaml")
    elif how == "beside":
        rules_that_fire(theirs / "mine")
    (theirs / "gandoctor.toml").write_text(f'rules = ["{name}"]\n')
    done = run("analyze", theirs, "-o", "r.json", cwd=work)
    assert done.returncode in (0, 1), done.stderr
    report = json.loads((work / "r.json").read_text())
    assert "always" not in {f["rule"] for f in report["findings"]}
    assert any("asks for 'rules': not followed" in s for s in report["preferences"])
    assert "asks for 'rules': not followed" in " ".join(done.stdout.split())
    # Nor where one works within the run.
    run("analyze", ".", "-o", "r.json", cwd=theirs)
    here = json.loads((theirs / "r.json").read_text())
    assert "always" not in {f["rule"] for f in here["findings"]}
    assert any("asks for 'rules': not followed" in s for s in here["preferences"])


def test_preferences_that_are_a_link_out_of_the_run_are_not_read(tmp_path: Path) -> None:
    work, theirs = run_of_a_stranger(tmp_path, "")
    (tmp_path / "other.toml").write_text('loss = "hinge"\n')
    (theirs / "gandoctor.toml").unlink()
    (theirs / "gandoctor.toml").symlink_to(tmp_path / "other.toml")
    run("analyze", theirs, "-o", "r.json", cwd=work)
    report = json.loads((work / "r.json").read_text())
    assert report["run"]["objective"]["family"] != "hinge"
    assert any("link that leads out of it" in s for s in report["preferences"])


def test_a_run_may_not_silence_what_is_judged(sample_logs: Path, tmp_path: Path) -> None:
    silence = (
        'fail-on = "never"\nselect = ["losses-frozen"]\nignore = [{rule = "nan-in-loss", '
        'reason = "hush"}]\n'
    )
    silence += '[severity]\nnan-in-loss = "low"\n'
    work, theirs = run_of_a_stranger(tmp_path, silence, sample_logs / "nan-in-loss")
    done = run("analyze", theirs, "-o", "r.json", cwd=work)
    assert done.returncode == 1
    report = json.loads((work / "r.json").read_text())
    assert "nan-in-loss" in {f["rule"] for f in report["findings"]}
    told = "asks for 'ignore', 'select', 'severity', 'fail-on': not followed"
    assert any(told in s for s in report["preferences"])
    gate = run("check", theirs, cwd=work)
    assert gate.returncode == 1
    assert told in gate.stderr


def test_a_run_says_what_its_names_mean_and_the_report_says_so(tmp_path: Path) -> None:
    work, theirs = run_of_a_stranger(tmp_path, 'loss = "hinge"\n[map]\nd_loss = "g_loss"\n')
    done = run("analyze", theirs, "-o", "r.json", cwd=work)
    report = json.loads((work / "r.json").read_text())
    assert report["run"]["objective"]["family"] == "hinge"
    assert report["preferences"] == [
        "theirs/gandoctor.toml: d_loss is g_loss; the loss family is hinge"
    ]
    assert "preferences: theirs/gandoctor.toml" in done.stdout
    assert "you said so (theirs/gandoctor.toml:map.d_loss)" in {
        s["because"] for s in report["signals"]
    }
    page = run("analyze", theirs, "-o", "-", "--format", "html", cwd=work).stdout
    assert "the loss family is hinge" in page
    assert (
        "the loss family is hinge"
        in run("analyze", theirs, "-o", "-", "--format", "markdown", cwd=work).stdout
    )


def test_preferences_are_those_of_the_project_around_the_working_folder(tmp_path: Path) -> None:
    csv_of(tmp_path)
    (tmp_path / "src" / "deep").mkdir(parents=True)
    (tmp_path / "gandoctor.toml").write_text('loss = "hinge"\n')
    (tmp_path / "log.csv").rename(tmp_path / "src" / "log.csv")
    args = ("signals", tmp_path / "src" / "log.csv", "--format", "json")
    alone = json.loads(run(*args, cwd=tmp_path / "src" / "deep").stdout)
    assert alone["objective"]["family"] != "hinge", (
        "outside a repository, folders above are somebody else's"
    )
    (tmp_path / ".git").mkdir()
    inside = json.loads(run(*args, cwd=tmp_path / "src" / "deep").stdout)
    assert inside["objective"]["family"] == "hinge"
    assert any("../../gandoctor.toml:loss" in b for b in inside["objective"]["because"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[map]\nd_los = "d_loss"', "gandoctor.toml:map.d_los: unknown role"),
        (
            '[map]\nd_loss = "Loss/critic"',
            "gandoctor.toml:map.d_loss: there is no signal 'Loss/critic'",
        ),
        ('select = ["nan-in-los"]', "gandoctor.toml:select: there is no rule 'nan-in-los'"),
        (
            'ignore = [{rule = "nan-in-los", reason = "x"}]',
            "gandoctor.toml:ignore: there is no rule",
        ),
        ('[severity]\nnan-in-los = "low"', "gandoctor.toml:severity.nan-in-los: there is no rule"),
        ('[severity]\nnan-in-loss = "lo"', "gandoctor.toml:severity.nan-in-loss: unknown severity"),
        ('fail-on = "hi"', "gandoctor.toml:fail-on: unknown severity"),
        ('rules = ["nowhere"]', "gandoctor.toml:rules (nowhere): there is no such rules folder"),
    ],
)
def test_errors_of_preferences_name_their_file_and_key(
    text: str, said: str, tmp_path: Path
) -> None:
    (tmp_path / "run").mkdir()
    csv_of(tmp_path / "run")
    (tmp_path / "gandoctor.toml").write_text(f"{text}\n")
    done = run("analyze", "run", cwd=tmp_path)
    assert done.returncode == 2
    assert one_sentence(done.stderr)
    assert said in done.stderr
    assert "--" not in done.stderr


@pytest.mark.parametrize("where", ["elsewhere", "within", "below", "the log"])
def test_a_run_may_not_silence_what_is_judged_wherever_one_stands(
    where: str, sample_logs: Path, tmp_path: Path
) -> None:
    silence = (
        'fail-on = "never"\nselect = ["losses-frozen"]\nignore = [{rule = "nan-in-loss", '
        'reason = "hush"}]\n'
    )
    work, theirs = run_of_a_stranger(tmp_path, silence, sample_logs / "nan-in-loss")
    (theirs / "sub").mkdir()
    (theirs / "sub" / "gandoctor.toml").write_text(silence)
    log = next(p.name for p in theirs.iterdir() if "tfevents" in p.name or p.suffix == ".csv")
    cwd, path = {
        "elsewhere": (work, theirs), "within": (theirs, "."), "below": (theirs / "sub", ".."),
        "the log": (theirs, log),
    }[where]  # fmt: skip
    healthy = sample_logs / "healthy-lsgan"
    commands = [("analyze", path, "-o", "r.json"), ("check", path), ("check", healthy, path)]
    commands += [("compare", healthy, path), ("check", path, healthy)]
    for command in commands:
        done = run(*command, cwd=cwd)
        assert done.returncode == 1, (command, done.stdout, done.stderr)
    assert "nan-in-loss" in {
        f["rule"] for f in json.loads((cwd / "r.json").read_text())["findings"]
    }
    assert run("patch", path, cwd=cwd).returncode == 0  # there is something to prescribe
    # What is judged of another run is no more the run's to say where it is given first.
    assert ": high (" in run("check", healthy, path, cwd=cwd).stdout


def test_a_file_of_the_project_that_is_checked_beside_logs_takes_it_no_say(
    sample_logs: Path, tmp_path: Path
) -> None:
    (tmp_path / "gandoctor.toml").write_text('fail-on = "never"\n')
    (tmp_path / "train.py").write_text("x = 1\n")
    done = run("check", "gandoctor.toml", "train.py", sample_logs / "nan-in-loss", cwd=tmp_path)
    assert done.returncode == 0
    saved = run("analyze", sample_logs / "nan-in-loss", "-o", "a.json", cwd=tmp_path)
    assert saved.returncode == 0
    assert run("compare", "a.json", "a.json", cwd=tmp_path).returncode == 0, (
        "a saved report is no run"
    )


def test_the_project_around_the_run_one_works_in_is_heard(tmp_path: Path) -> None:
    theirs = tmp_path / "runs" / "a"
    theirs.mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    csv_of(theirs)
    (tmp_path / "gandoctor.toml").write_text(
        'ignore = [{rule = "losses-frozen", reason = "known"}]\n'
    )
    (theirs / "gandoctor.toml").write_text('loss = "hinge"\n')
    run("analyze", ".", "-o", "r.json", cwd=theirs)
    report = json.loads((theirs / "r.json").read_text())
    assert report["run"]["objective"]["family"] == "hinge"
    assert any("losses-frozen is not asked" in s for s in report["preferences"])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("ignor = []", "unknown key 'ignor'"),
        ("loss = 'ganz'", "unknown loss family"),
        ("x = ", "does not parse as TOML"),
        (".".join("a" * 400) + " = 1", "does not parse as TOML"),
        ("map = 3", "is not a table"),
        ("# " + "x" * (1 << 20), "is larger than 1 MiB"),
        ("[map]\nd_los = 'd_loss'", "map.d_los of the run was left out: there is no such role"),
        (
            "[map]\nd_loss = 'Loss/critic'",
            "map.d_loss of the run was left out: there is no signal 'Loss/critic'",
        ),
    ],
)
@pytest.mark.parametrize("within", [False, True])
def test_faults_of_a_runs_own_preferences_are_told_and_cost_nothing(
    within: bool, text: str, told: str, tmp_path: Path
) -> None:
    work, theirs = run_of_a_stranger(tmp_path, f"{text}\n")
    done = run("analyze", "." if within else theirs, "-o", "r.json", cwd=theirs if within else work)
    assert done.returncode in (0, 1), done.stderr
    report = json.loads(((theirs if within else work) / "r.json").read_text())
    assert any(told in s for s in (*report["preferences"], *report["run"]["notes"]))
    assert not any(" is d_loss" in s or " is Loss/critic" in s for s in report["preferences"]), (
        "it was not followed"
    )
    assert report["signals"]
    assert told in run("signals", "." if within else theirs, cwd=theirs if within else work).stdout


@pytest.mark.skipif(
    bool(BOUND) and shutil.which("setpriv") is None, reason="root may read everything"
)
def test_preferences_of_a_run_that_may_not_be_read_are_told(tmp_path: Path) -> None:
    work, theirs = run_of_a_stranger(tmp_path, "")
    (theirs / "gandoctor.toml").chmod(0)
    code = [sys.executable, "-m", "gandoctor", "analyze", str(theirs)]
    done = subprocess.run([*BOUND, *code], capture_output=True, text=True, cwd=work, check=False)
    assert done.returncode in (0, 1), done.stderr
    assert (
        "gandoctor.toml of the run cannot be read (Permission denied): it was left out"
        in " ".join(done.stdout.split())
    )


# ---------------------------------------------------------------- one table of wishes


@pytest.mark.parametrize("name", sorted(options.WISHES))
def test_every_wish_is_known_wherever_it_says_so(name: str) -> None:
    wish = options.WISHES[name]
    told = {f.name for f in dataclasses.fields(preferences.Preferences)}
    given = {f.name for f in dataclasses.fields(api.Options)}
    shown = run("analyze", "--help").stdout
    assert wish.flags or wish.key
    assert all(flag in shown for flag in wish.flags)
    assert wish.field in told or not wish.key
    assert wish.field in told | given or not wish.field


def test_every_preference_has_a_wish() -> None:
    told = {f.name for f in dataclasses.fields(preferences.Preferences)}
    assert told - {w.field for w in options.SAID_IN_FILES} == {"origins", "refused", "of_run"}


def test_the_nearer_word_counts() -> None:
    far = preferences.Preferences(
        {"d_loss": "a", "g_loss": "b"}, "hinge", rules=("x",), select=("r",)
    )
    near = preferences.Preferences({"d_loss": "c"}, rules=("y",), fail_on="low")
    assert options.joined(far, near) == {
        "map": {"d_loss": "c", "g_loss": "b"}, "loss": "hinge", "ignore": {}, "select": ("r",),
        "severity": {}, "fail_on": "low", "rules": ("x", "y"),
    }  # fmt: skip
