"""The GitHub action, the GitLab job and the hooks: their shell steps are run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"]}
GITLAB = yaml.safe_load((ROOT / "docs" / "ci" / "gitlab.yml").read_text("utf-8"))["gandoctor"]
MARK = "<!-- gandoctor -->"

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="the steps are for bash")


@pytest.fixture
def bin_(tmp_path: Path) -> Path:
    """Commands that the steps call: ours from this tree, pip and gh as records of their calls."""
    folder = tmp_path / "bin"
    folder.mkdir()
    calls = tmp_path / "calls"
    scripts = {
        "gandoctor": f'exec "{sys.executable}" -m gandoctor "$@"\n',
        "python": f'echo "python $*" >> "{calls}"\n',
        "gh": f'printf "%s\\n" "gh $*" >> "{calls}"\n[ "$2" = --paginate ] && cat "{tmp_path}/own" 2> /dev/null\n'
        f'[ -z "$(cat "{tmp_path}/refuse" 2> /dev/null)" ]\n',
    }  # fmt: skip
    for name, text in scripts.items():
        (folder / name).write_text("#!/bin/sh\n" + text)
        (folder / name).chmod(0o755)
    return folder


def shell(
    script: str, cwd: Path, bin_: Path, **variables: object
) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "PATH": f"{bin_}:{os.environ['PATH']}"}
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=cwd, env=env | {k: str(v) for k, v in variables.items()},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.fixture
def repo(sample_logs: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "repo"
    for name in ("d-dominance", "healthy-hinge"):
        shutil.copytree(sample_logs / name, folder / "my runs" / name)
    return folder


def checked(repo: Path, bin_: Path, **inputs: str) -> tuple[Path, str, str]:
    out = repo.parent
    variables = {
        "GANDOCTOR_PATHS": "my runs\n", "GANDOCTOR_FAIL_ON": "high", "GANDOCTOR_BASELINE": "",
        "RUNNER_TEMP": out, "GITHUB_OUTPUT": out / "output", "GITHUB_STEP_SUMMARY": out / "summary",
    } | inputs  # fmt: skip
    done = shell(STEPS["Check"]["run"], repo, bin_, **variables)
    assert done.returncode == 0, done.stderr
    return out / "gandoctor", done.stdout, (out / "output").read_text()


def test_the_action_annotates_summarises_and_keeps_the_reports(repo: Path, bin_: Path) -> None:
    folder, printed, output = checked(repo, bin_)
    assert "::error file=my runs/d-dominance/config.yaml,line=" in printed
    assert output == "exit-code=1\n"
    assert MARK in (repo.parent / "summary").read_text()
    assert {p.name for p in folder.iterdir()} == {
        "report.json", "report.sarif", "report.html", "junit.xml", "comment.md",
    }  # fmt: skip
    assert shell(STEPS["Verdict"]["run"], repo, bin_, GANDOCTOR_CODE=1).returncode == 1


def test_the_action_passes_what_is_healthy_or_known(repo: Path, bin_: Path) -> None:
    assert checked(repo, bin_, GANDOCTOR_PATHS="my runs/healthy-hinge")[2] == "exit-code=0\n"
    (repo.parent / "output").unlink()
    made = shell("gandoctor check --write-baseline known.json -- 'my runs'", repo, bin_)
    assert made.returncode == 0
    assert checked(repo, bin_, GANDOCTOR_BASELINE="known.json")[2] == "exit-code=0\n"


def test_an_input_runs_nothing(repo: Path, bin_: Path) -> None:
    evil = "$(touch owned); `touch owned`; my runs/healthy-hinge\n--version\n"
    _, _, output = checked(repo, bin_, GANDOCTOR_PATHS=evil)
    assert output == "exit-code=2\n"
    assert not list(repo.rglob("owned"))
    scripts = [step["run"] for step in ACTION["runs"]["steps"] if "run" in step]
    assert not any("${{" in script for script in scripts)


@pytest.mark.parametrize(("own", "how"), [("", "POST"), ("71\n72\n", "PATCH")])
def test_one_comment_is_kept_up_to_date(repo: Path, bin_: Path, own: str, how: str) -> None:
    checked(repo, bin_)
    (repo.parent / "own").write_text(own)
    comment = {
        "RUNNER_TEMP": repo.parent, "GANDOCTOR_REPO": "a/b", "GANDOCTOR_NUMBER": 7,
        "GANDOCTOR_FORK": "false",
    }  # fmt: skip
    done = shell(STEPS["Comment"]["run"], repo, bin_, **comment)
    assert done.returncode == 0, done.stderr
    calls = (repo.parent / "calls").read_text().splitlines()
    assert f"-X {how}" in calls[-1]
    assert ("issues/comments/71" in calls[-1]) == (how == "PATCH")
    fork = shell(STEPS["Comment"]["run"], repo, bin_, **{**comment, "GANDOCTOR_FORK": "true"})
    assert fork.returncode == 0
    assert (repo.parent / "calls").read_text().splitlines() == calls
    (repo.parent / "refuse").write_text("yes")
    assert shell(STEPS["Comment"]["run"], repo, bin_, **comment).returncode == 0


def test_the_gitlab_job_writes_what_it_promises(repo: Path, bin_: Path) -> None:
    variables = GITLAB["variables"] | {"GANDOCTOR_PATHS": "."}
    done = shell("\n".join(GITLAB["script"]), repo, bin_, **variables)
    assert done.returncode == 1, done.stderr
    kept = [*GITLAB["artifacts"]["paths"], *GITLAB["artifacts"]["reports"].values()]
    assert all((repo / name).is_file() for name in kept)
    entries = json.loads((repo / GITLAB["artifacts"]["reports"]["codequality"]).read_text())
    assert (repo / entries[0]["location"]["path"]).is_file()


def test_hooks_work_without_args(repo: Path, bin_: Path) -> None:
    hooks = {h["id"]: h for h in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    runs = hooks["gandoctor-runs"]
    words = " ".join([runs["entry"], *runs["args"]])
    assert shell(words, repo, bin_).returncode == 1
    assert shell(words, repo / "my runs" / "healthy-hinge", bin_).returncode == 0


def test_pre_commit_takes_the_hooks(repo: Path, tmp_path: Path) -> None:
    """As users try them, from a clone of this tree in an environment of their own."""
    pre_commit = pytest.importorskip("pre_commit")
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("a hook is installed from a repository")
    git = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
    # What is installed here need not be fetched again.
    there = [str(Path(pre_commit.__file__).parents[1]), sysconfig.get_path("purelib")]
    home = {"PRE_COMMIT_HOME": str(tmp_path / "home"), "PYTHONPATH": os.pathsep.join(there)}
    env = os.environ | git | home
    verdicts = []
    for name in ("d-dominance", "healthy-hinge"):
        mine = tmp_path / name
        shutil.copytree(repo / "my runs" / name, mine / "runs" / name)
        subprocess.run(["git", "init", "-q"], cwd=mine, env=env, check=True)
        subprocess.run(["git", "add", "."], cwd=mine, env=env, check=True)
        done = subprocess.run(
            [sys.executable, "-m", "pre_commit", "try-repo", ROOT, "--all-files", "--verbose"],
            cwd=mine, env=env, capture_output=True, text=True, check=False,
        )  # fmt: skip
        verdicts.append((done.returncode, done.stdout.count("Passed"), done.stdout.count("Failed")))
    assert verdicts == [(1, 0, 2), (0, 2, 0)], done.stdout + done.stderr
