from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("pandas", "scipy", "tbparse", "torch")


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


def test_analysis_of_a_small_event_file_imports_nothing_heavy(sample_logs: Path, tmp_path: Path) -> None:
    target = str(tmp_path / "r.html")
    code = (
        f"import sys; sys.argv = ['gandoctor', 'analyze', {str(sample_logs / 'd-dominance')!r}, '-o', {target!r}]\n"
        "from gandoctor import cli\n"
        "try: cli.main()\n"
        "except SystemExit: pass\n"
        f"print('loaded:', [m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "loaded: []" in done.stdout


def test_default_report_is_in_the_current_folder_and_never_in_the_run(sample_logs: Path, tmp_path: Path) -> None:
    run_dir = sample_logs / "d-dominance"
    before = sorted(p.name for p in run_dir.rglob("*"))
    done = run("analyze", run_dir, cwd=tmp_path)
    assert done.returncode == 1
    assert "failing" in done.stdout.lower()
    assert [p.name for p in tmp_path.iterdir()] == ["gandoctor-report.html"]
    assert sorted(p.name for p in run_dir.rglob("*")) == before


def test_outputs_take_their_format_from_the_suffix(sample_logs: Path, tmp_path: Path) -> None:
    done = run("analyze", sample_logs / "healthy-hinge", "-o", tmp_path / "r.json", "-o", tmp_path / "r.html")
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["schema"] == "gandoctor.report/1"
    assert report["verdict"] == "healthy"
    assert (tmp_path / "r.html").read_text().startswith("<!doctype html>")


def test_stdout_carries_one_format_alone(sample_logs: Path) -> None:
    done = run("analyze", sample_logs / "healthy-hinge", "-o", "-", "--format", "json")
    assert json.loads(done.stdout)["verdict"] == "healthy"


@pytest.mark.parametrize(("fail_on", "code"), [("high", 1), ("never", 0)])
def test_exit_code_follows_fail_on(sample_logs: Path, tmp_path: Path, fail_on: str, code: int) -> None:
    done = run("analyze", sample_logs / "nan-in-loss", "--fail-on", fail_on, "-o", tmp_path / "r.json")
    assert done.returncode == code


def test_a_folder_of_runs_is_many_runs(sample_logs: Path, tmp_path: Path) -> None:
    done = run("analyze", sample_logs, "-o", tmp_path / "r.json", "-o", tmp_path / "r.html")
    assert done.returncode == 1
    data = json.loads((tmp_path / "r.json").read_text())
    assert data["schema"] == "gandoctor.reports/1"
    assert {r["run"]["name"] for r in data["runs"]} == {p.name for p in sample_logs.iterdir() if p.is_dir()}


def test_report_holds_no_absolute_path(sample_logs: Path, tmp_path: Path) -> None:
    run("analyze", sample_logs / "d-dominance", "-o", tmp_path / "r.json", "-o", tmp_path / "r.html")
    for name in ("r.json", "r.html"):
        assert str(sample_logs.parent) not in (tmp_path / name).read_text()


# ---------------------------------------------------------------- check


def test_check_prints_a_line_a_finding_and_writes_nothing(sample_logs: Path, tmp_path: Path) -> None:
    done = run("check", sample_logs / "d-dominance", sample_logs / "healthy-wgan-gp", cwd=tmp_path)
    assert done.returncode == 1
    lines = done.stdout.strip().splitlines()
    assert lines
    assert all("d-dominance" in line for line in lines)
    assert not list(tmp_path.iterdir())


def test_check_skips_what_is_no_training_log(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("buy milk\n")
    (tmp_path / "people.csv").write_text("name,town\nAda,London\n")
    done = run("check", tmp_path / "notes.txt", tmp_path / "people.csv")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_ignored_rules_are_listed_with_their_reason(sample_logs: Path, tmp_path: Path) -> None:
    (tmp_path / "gandoctor.toml").write_text('ignore = [{rule = "nan-in-loss", reason = "warm-up"}]\n')
    run("analyze", sample_logs / "nan-in-loss", "-o", "r.json", cwd=tmp_path)
    report = json.loads((tmp_path / "r.json").read_text())
    assert "nan-in-loss" not in {f["rule"] for f in report["findings"]}
    assert [(i["rule"], i["reason"]) for i in report["ignored"]] == [("nan-in-loss", "warm-up")]


def test_selected_rules_are_asked_alone(sample_logs: Path, tmp_path: Path) -> None:
    run("analyze", sample_logs / "d-dominance", "--select", "nan-in-loss", "-o", tmp_path / "r.json")
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
    args = ("--map", "d_loss=alpha", "--map", "g_loss=omega", "--loss", "lsgan", "-o", tmp_path / "r.json")
    run("analyze", tmp_path / "log.csv", *args)
    report = json.loads((tmp_path / "r.json").read_text())
    assert {(s["tag"], s["role"]) for s in report["signals"]} >= {("alpha", "d_loss"), ("omega", "g_loss")}
    assert report["run"]["objective"]["family"] == "lsgan"


# ---------------------------------------------------------------- bad input: one sentence, exit code 2


def csv_of(folder: Path) -> Path:
    path = folder / "log.csv"
    path.write_text("step,d_loss,g_loss\n" + "".join(f"{i},0.7,0.7\n" for i in range(30)))
    return path


def test_missing_path(tmp_path: Path) -> None:
    done = run("analyze", tmp_path / "nowhere")
    assert done.returncode == 2
    assert one_sentence(done.stderr)


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
    (folder / "mine.yaml").write_text("id: mine\nkind: symptom\nsymptom: mode-colapse\ntitle: x\nseverity: high\n")
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


@pytest.mark.parametrize(
    ("text", "said"), [("ignor = []", "ignore"), ('loss = "ganz"', "gandoctor.toml:loss: unknown loss family")]
)
def test_bad_preferences(text: str, said: str, tmp_path: Path) -> None:
    csv_of(tmp_path)
    (tmp_path / "gandoctor.toml").write_text(f"{text}\n")
    done = run("analyze", tmp_path / "log.csv", cwd=tmp_path)
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


@pytest.mark.skipif(bool(BOUND) and shutil.which("setpriv") is None, reason="root may read everything")
@pytest.mark.parametrize("what", ["run", "log.csv", "run/log.csv", "run/gandoctor.toml", "rules"])
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
    done = subprocess.run([*BOUND, *code], capture_output=True, text=True, cwd=tmp_path, check=False)
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
