"""``gandoctor patch`` on copies of the sample runs.

What is printed applies, what is applied is what was shown.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from gandoctor import api, patching
from gandoctor.api import Options
from gandoctor.errors import InputError, UsageError
from gandoctor.model.report import Edit, Prescription, Report, RunNote
from gandoctor.reporters import text

PATCHED = ("explosion", "mode-collapse", "nan-in-loss")  # nested YAML, JSON, two keys in one file
GIT = shutil.which("git")


def cli(*args: object, cwd: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(
        [sys.executable, "-m", "gandoctor", *map(str, args)],
        capture_output=True,
        cwd=cwd,
        timeout=120,
        check=False,
    )
    assert b"Traceback" not in done.stderr + done.stdout
    return done


def copied(sample_logs: Path, name: str, tmp_path: Path) -> Path:
    folder = tmp_path / name
    shutil.copytree(sample_logs / name, folder)
    os.utime(
        next(f for f in folder.iterdir() if f.is_file() and "config" not in f.name), (1.7e9, 1.7e9)
    )
    return folder


def config_of(folder: Path) -> Path:
    return next(folder.glob("config.*"))


@pytest.fixture
def run_dir(sample_logs: Path, tmp_path: Path) -> Path:
    return copied(sample_logs, "d-dominance", tmp_path)


def lines_changed(old: str, new: str) -> list[tuple[str, str]]:
    return [(a, b) for a, b in zip(old.splitlines(), new.splitlines(), strict=True) if a != b]


# ---------------------------------------------------------------- print


@pytest.mark.skipif(GIT is None, reason="no git here")
@pytest.mark.parametrize("name", PATCHED)
def test_what_is_printed_is_what_git_applies(sample_logs: Path, tmp_path: Path, name: str) -> None:
    folder = copied(sample_logs, name, tmp_path)
    before = config_of(folder).read_text()
    printed = patching.run(folder, None, Options()) + "\n"
    assert config_of(folder).read_text() == before, "printing changes nothing"
    subprocess.run([GIT, "apply"], input=printed.encode(), cwd=folder, check=True)
    after = config_of(folder).read_text()
    edited = [
        line[1:] for line in printed.splitlines() if line.startswith("-") and line[:3] != "---"
    ]
    assert [old for old, _ in lines_changed(before, after)] == edited != []


@pytest.mark.skipif(GIT is None, reason="no git here")
@pytest.mark.parametrize("ending", ["crlf", "no-last-newline", "blank-last-line"])
def test_git_applies_it_whatever_the_line_ends(run_dir: Path, ending: str) -> None:
    config = config_of(run_dir)
    text = config.read_bytes().decode()
    head, lr, tail = text.partition("    lr: 0.002\n")
    bare = head + lr + tail[: tail.index("\nlog:")]  # the diff's context reaches the end
    new = {
        "crlf": text.replace("\n", "\r\n"),
        "no-last-newline": bare,
        "blank-last-line": bare + "\n\n",
    }[ending]
    config.write_bytes(new.encode())
    subprocess.run(
        [GIT, "apply", "--whitespace=nowarn"],
        input=cli("patch", run_dir).stdout,
        cwd=run_dir,
        check=True,
    )
    assert config.read_bytes().decode() == new.replace("lr: 0.002", "lr: 0.0002")


def test_number_chooses_and_says_how_many_there_are(run_dir: Path) -> None:
    count = len(api.analyze(run_dir).prescriptions)
    assert count > 1
    printed = [patching.run(run_dir, i, Options()) for i in (1, 2)]
    assert [p.splitlines()[0].split(":")[0] for p in printed] == [
        f"# {i} of {count}" for i in (1, 2)
    ]
    assert printed[0] != printed[1]
    with pytest.raises(UsageError, match=f"there are {count}"):
        patching.run(run_dir, count + 1, Options())


def test_without_a_number_it_is_the_first_with_a_diff() -> None:
    advice = Prescription("a", "c", "Advice", "advice", snippet="pass")
    edits = (Edit("c.yaml", "lr", "1", "2"),)
    blocked = Prescription(
        "b", "c", "Blocked", "trial", edits=edits, diff="--- a", blocked_by="out of bounds"
    )
    usable = Prescription("d", "c", "Usable", "trial", edits=edits, diff="--- a")
    report = Report(RunNote("r"), "failing", prescriptions=(advice, blocked, usable))
    assert patching._chosen(report, None) == (3, usable)
    assert patching._chosen(report, 1) == (1, advice)
    assert patching._chosen(replace(report, prescriptions=(advice,)), None) == (1, advice)


def test_nothing_to_prescribe_is_said(sample_logs: Path) -> None:
    done = cli("patch", sample_logs / "healthy-hinge")
    assert (done.returncode, done.stdout) == (2, b"")
    said = done.stderr.decode()
    assert len(said.strip().splitlines()) == 1
    assert "healthy-hinge" in said
    assert "the verdict is healthy, and there is nothing to prescribe" in said


def test_a_folder_of_runs_is_none(sample_logs: Path, tmp_path: Path) -> None:
    for name in ("explosion", "nan-in-loss"):
        copied(sample_logs, name, tmp_path)
    with pytest.raises(InputError, match=r"holds 2 runs.*give one of them"):
        patching.run(tmp_path, None, Options())


def test_what_a_stranger_wrote_cannot_move_the_cursor() -> None:
    p = Prescription(
        "r",
        "c",
        "T",
        "trial",
        blocked_by="\x1b[2Jlr",
        overrides=("a\x1b]0;x=1",),
        snippet="x\x07 = 1",
    )
    said = patching._text(p, 1, 1)
    assert not {"\x1b", "\x07"} & set(said)
    assert all(line.startswith("#") for line in said.splitlines()[:-1])


# ---------------------------------------------------------------- apply


@pytest.mark.parametrize("name", PATCHED)
def test_apply_changes_the_named_keys_alone_and_keeps_the_old_file(
    sample_logs: Path, tmp_path: Path, name: str
) -> None:
    folder = copied(sample_logs, name, tmp_path)
    config = config_of(folder)
    old = config.read_bytes()
    patch = api.first_patch(api.analyze(folder))
    assert patch is not None
    said = patching.run(folder, None, Options(), apply=True)
    backup = config.with_name(config.name + ".orig")
    assert backup.read_bytes() == old
    assert backup.name in said
    assert all(e.key in said for e in patch.edits)
    changes = lines_changed(old.decode(), config.read_text())
    assert len(changes) == len(patch.edits)
    assert all(any(a.replace(e.old, e.new) == b for e in patch.edits) for a, b in changes)
    before, after = flat(yaml.safe_load(old)), flat(yaml.safe_load(config.read_bytes()))
    assert {k for k in before if before[k] != after[k]} == {e.key for e in patch.edits}
    assert not [f for f in folder.iterdir() if f.name.startswith(".")], "no temporary file is left"


def flat(value: object, key: str = "") -> dict[str, object]:
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        return {
            k: v
            for name, inner in items
            for k, v in flat(inner, f"{key}.{name}".lstrip(".")).items()
        }
    return {key: value}


def test_to_writes_another_file_and_leaves_the_config(run_dir: Path, tmp_path: Path) -> None:
    config = config_of(run_dir)
    old = config.read_text()
    target = tmp_path / "next.yaml"
    done = cli("patch", run_dir, "--to", target)
    assert done.returncode == 0, done.stderr
    assert config.read_text() == old
    assert lines_changed(old, target.read_text()) == [("    lr: 0.002", "    lr: 0.0002")]
    assert sorted(f.name for f in run_dir.iterdir()) == sorted(
        f.name for f in run_dir.iterdir() if ".orig" not in f.name
    )


@pytest.mark.parametrize("to", ["config.yaml", "../d-dominance/config.yaml"])
def test_to_never_overwrites_the_config_itself(run_dir: Path, to: str) -> None:
    old = config_of(run_dir).read_bytes()
    with pytest.raises(UsageError, match="the config itself"):
        patching.run(run_dir, None, Options(), to=run_dir / to)
    assert config_of(run_dir).read_bytes() == old


def test_to_and_apply_exclude_each_other(run_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        patching.run(run_dir, 1, Options(), apply=True, to=tmp_path / "x.yaml")
    assert not (tmp_path / "x.yaml").exists()
    assert not list(run_dir.glob("*.orig"))


def test_to_a_folder_that_is_not_there(run_dir: Path, tmp_path: Path) -> None:
    done = cli("patch", run_dir, "--to", tmp_path / "no" / "x.yaml")
    assert done.returncode == 2
    assert len(done.stderr.decode().strip().splitlines()) == 1


def test_what_has_no_diff_is_not_applied(run_dir: Path) -> None:
    report = api.analyze(run_dir)
    number = next(i for i, p in enumerate(report.prescriptions, 1) if not p.diff)
    old = config_of(run_dir).read_bytes()
    with pytest.raises(InputError, match="cannot be applied"):
        patching.run(run_dir, number, Options(), apply=True)
    assert config_of(run_dir).read_bytes() == old
    assert not list(run_dir.glob("*.orig"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("    lr: 0.002", "    lr: 0.001"),  # the very value
        ("seed: 0", "# mine\nseed: 0"),  # every line moves
        (
            "batch_size: 64",
            "batch_size: 32",
        ),  # far from the patch, same lines: still not the file that was analysed
    ],
)
def test_a_config_that_changed_since_it_was_read_is_refused(
    run_dir: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str
) -> None:
    config = config_of(run_dir)
    analyse = api.analyze_with_roots
    before = analyse(run_dir, Options())

    def and_then_someone_edits(path: Path, options: Options) -> list[tuple[Path, Report]]:
        found = analyse(path, options)
        assert config.read_text().count(old) == 1
        config.write_text(config.read_text().replace(old, new))
        return found

    monkeypatch.setattr(api, "analyze_with_roots", and_then_someone_edits)
    target = run_dir.parent / "x.yaml"
    for how in ({"apply": True}, {"to": target}):
        with pytest.raises(InputError, match="changed since the run was analysed"):
            patching.run(run_dir, 1, Options(), **how)
        monkeypatch.setattr(api, "analyze_with_roots", lambda *_, found=before: found)
    assert new in config.read_text()
    assert "lr: 0.0002" not in config.read_text()
    assert not list(run_dir.glob("*.orig"))
    assert not target.exists()


def test_a_second_patch_waits_for_a_new_run(run_dir: Path) -> None:
    """Else a tenth of a tenth: the log is still that of the run before the first patch."""
    config = config_of(run_dir)
    original = config.read_bytes()
    patching.run(run_dir, None, Options(), apply=True)
    patched = config.read_bytes()
    with pytest.raises(InputError, match=r"config\.yaml\.orig"):
        patching.run(run_dir, None, Options(), apply=True)
    assert config.read_bytes() == patched
    config.write_bytes(original)  # put back: the log is that of this file again
    patching.run(run_dir, None, Options(), apply=True)
    assert config.read_bytes() == patched
    later = max(f.stat().st_mtime for f in run_dir.iterdir()) + 10
    os.utime(next(run_dir.glob("events*")), (later, later))  # trained again
    assert patching.run(run_dir, None, Options(), apply=True)
    assert config.read_bytes() != patched


def test_a_run_is_judged_by_the_config_that_made_it(run_dir: Path) -> None:
    """Else a patch that was applied would be held against the run before it."""
    config = config_of(run_dir)
    before = api.analyze(run_dir)
    patching.run(run_dir, None, Options(), apply=True)
    after = api.analyze(run_dir)
    assert after.settings[0].file == f"{config.name}.orig"
    assert [s.value for s in after.settings] == [s.value for s in before.settings]
    assert [d.cause for d in after.diagnoses] == [d.cause for d in before.diagnoses]
    said = f"{config.name} was patched after this run was logged"
    assert said in " ".join(text.render(after).split())
    assert said in " ".join(after.run.notes)
    assert patching.run(run_dir, None, Options()).count("lr: 0.0002") == 1
    later = config.stat().st_mtime + 10
    os.utime(next(run_dir.glob("events*")), (later, later))  # trained again
    assert api.analyze(run_dir).settings[0].file == config.name


@pytest.mark.parametrize("kept", ["nothing", "the beginning"])
def test_an_unfinished_backup_is_no_patch(run_dir: Path, kept: str) -> None:
    config = config_of(run_dir)
    old = config.read_bytes()
    left = config.with_name(config.name + ".orig")
    left.write_bytes(b"" if kept == "nothing" else old[:101])
    said = patching.run(run_dir, None, Options(), apply=True)
    assert f"{left.name}.1" in said
    assert left.with_name(left.name + ".1").read_bytes() == old


@pytest.mark.parametrize("what", ["file", "link", "dangling", "pipe", "folder", "log"])
@pytest.mark.parametrize("force", [False, True])
def test_to_takes_nobodys_place(run_dir: Path, tmp_path: Path, what: str, force: bool) -> None:
    target, other = tmp_path / "x.yaml", tmp_path / "other"
    other.write_text("theirs")
    if what == "file":
        target.write_text("mine")
    elif what == "link":
        target.symlink_to(other)
    elif what == "dangling":
        target.symlink_to(tmp_path / "nowhere")
    elif what == "pipe":
        os.mkfifo(target)
    elif what == "folder":
        target.mkdir()
    else:
        target = next(run_dir.glob("events*"))
    before = target.read_bytes() if what in ("file", "log") else b""
    done = cli("patch", run_dir, "--to", target, *(["--force"] if force else []))
    assert other.read_text() == "theirs"
    assert not (tmp_path / "nowhere").exists()
    if what == "file" and force:
        assert done.returncode == 0, done.stderr
        assert b"lr: 0.0002" in target.read_bytes()
        return
    assert done.returncode == 2
    assert len(done.stderr.decode().strip().splitlines()) == 1
    if what in ("file", "log"):
        assert target.read_bytes() == before
        assert force or b"--force" in done.stderr
    else:
        assert b"report" not in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="modes")
def test_to_is_no_more_open_than_the_config(run_dir: Path, tmp_path: Path) -> None:
    config_of(run_dir).chmod(0o600)
    patching.run(run_dir, None, Options(), to=tmp_path / "x.yaml")
    assert (tmp_path / "x.yaml").stat().st_mode & 0o777 == 0o600


def test_force_is_for_to(run_dir: Path) -> None:
    with pytest.raises(UsageError, match="without --to"):
        patching.run(run_dir, None, Options(), apply=True, force=True)


# ---------------------------------------------------------------- the source tree


@pytest.fixture
def tree(run_dir: Path, tmp_path: Path) -> Path:
    """A source tree with the config that the run was started from.

    The run itself has Hydra's record of it.
    """
    source = tmp_path / "code"
    (source / "conf").mkdir(parents=True)
    text = config_of(run_dir).read_text()
    (source / "conf" / "gan.yaml").write_text("# what is trained\n" + text)
    (source / "conf" / "tiny.yaml").write_text(text.replace("hidden: 96", "hidden: 8"))
    (run_dir / ".hydra").mkdir()
    config_of(run_dir).rename(run_dir / ".hydra" / "config.yaml")
    return source


def test_the_source_is_patched_and_the_record_left_alone(run_dir: Path, tree: Path) -> None:
    record = (run_dir / ".hydra" / "config.yaml").read_bytes()
    gan, tiny = tree / "conf" / "gan.yaml", (tree / "conf" / "tiny.yaml").read_bytes()
    before = gan.read_text()
    done = cli("patch", run_dir, "--repo", tree, "--apply")
    assert done.returncode == 0, done.stderr
    assert b"conf/gan.yaml: discriminator.optimizer.lr changed" in done.stdout
    assert lines_changed(before, gan.read_text()) == [("    lr: 0.002", "    lr: 0.0002")]
    assert (tree / "conf" / "gan.yaml.orig").read_text() == before
    assert (run_dir / ".hydra" / "config.yaml").read_bytes() == record
    assert (tree / "conf" / "tiny.yaml").read_bytes() == tiny
    with pytest.raises(
        InputError, match="has no diff"
    ):  # the tree no longer says what the run ran with
        patching.run(run_dir, 1, Options(repo=tree), apply=True)


@pytest.mark.skipif(GIT is None, reason="no git here")
def test_git_applies_it_in_the_source_tree(run_dir: Path, tree: Path) -> None:
    printed = patching.run(run_dir, None, Options(repo=tree))
    assert "# The diff is for the source tree: conf/gan.yaml repeats " in printed
    done = subprocess.run(
        ["git", "apply", "-"],
        input=(printed + "\n").encode(),
        cwd=tree,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (
        yaml.safe_load((tree / "conf" / "gan.yaml").read_text())["discriminator"]["optimizer"]["lr"]
        == 0.0002
    )


def test_without_the_tree_there_is_the_override(run_dir: Path, tree: Path) -> None:
    assert tree.is_dir()
    report = api.analyze(run_dir)
    assert report.prescriptions[0].diff is None
    assert report.prescriptions[0].overrides == ("discriminator.optimizer.lr=0.0002",)
    assert "# No diff: config.yaml is Hydra's record" in patching.run(run_dir, 1, Options())


def test_the_report_says_where_the_patch_belongs(run_dir: Path, tree: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    assert (
        cli(
            "analyze", run_dir, "--repo", tree, "-o", page, "-o", tmp_path / "report.json"
        ).returncode
        == 1
    )
    html = page.read_text()
    assert "conf/gan.yaml repeats" in html
    assert "Save it in the source tree" in html
    assert "--repo DIR --apply" in html
    report = Report.from_dict(json.loads((tmp_path / "report.json").read_text()))
    assert report.prescriptions[0].base == "repo"
    assert str(tmp_path) not in html


def test_a_tree_that_holds_nothing_of_the_run_is_said(run_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "other.yaml").write_text("name: x\n")
    printed = patching.run(run_dir, None, Options(repo=tmp_path / "code"))
    why = "The diff is for the run's own config: no file of the source tree can be told"
    assert f"# {why}" in printed
    said = cli("patch", run_dir, "--repo", tmp_path / "code", "--apply").stdout.decode()
    assert said.startswith("config.yaml: ")
    assert why in said
    assert "run's own" not in patching.run(run_dir, None, Options())


def test_what_a_runs_own_preferences_ask_in_vain_stands_above_the_patch(run_dir: Path) -> None:
    (run_dir / "gandoctor.toml").write_text('fail-on = "never"\n')
    assert (
        "# preferences: gandoctor.toml of the run asks for 'fail-on': not followed"
        in patching.run(run_dir, None, Options())
    )


def test_a_tree_that_is_not_there(run_dir: Path) -> None:
    done = cli("patch", run_dir, "--repo", run_dir / "nowhere")
    assert done.returncode == 2
    assert b"there is no such folder" in done.stderr


def test_a_healthy_run_has_no_patch_in_its_tree_either(sample_logs: Path, tree: Path) -> None:
    for healthy in sorted(p for p in sample_logs.glob("healthy-*") if p.is_dir())[:3]:
        assert api.analyze(healthy, Options(repo=tree)).prescriptions == ()
