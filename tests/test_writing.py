"""What is written is written whole, to a plain file, and never over what was read."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from gandoctor.errors import UsageError
from gandoctor.files import writing

REPO = Path(__file__).resolve().parents[1]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(REPO)}


def refused(path: Path, **more: object) -> str:
    with pytest.raises(UsageError) as e:
        writing.write_text(path, "new", **more)  # type: ignore[arg-type]
    return str(e.value)


def left(folder: Path) -> set[str]:
    return {p.name for p in folder.iterdir()}


def test_a_new_file_and_one_that_was_there(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    writing.write_text(path, "one")
    path.chmod(0o600)
    writing.write_text(path, "two é \udc80")
    assert path.read_text("utf-8") == "two é \\udc80"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert left(tmp_path) == {"report.html"}


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("mine")
    link = tmp_path / "report.html"
    link.symlink_to(target)
    assert "is a link" in refused(link)
    assert target.read_text() == "mine"
    dangling = tmp_path / "dangling"
    dangling.symlink_to(tmp_path / "made-by-it")
    assert "is a link" in refused(dangling)
    assert not (tmp_path / "made-by-it").exists()


@pytest.mark.parametrize("kind", ["fifo", "folder", "device"])
def test_what_is_no_plain_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "report.html"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path = Path(os.devnull)
    assert "is a folder" in refused(path) or "no regular file" in refused(path)


def test_an_input_is_not_written_over_by_any_name(tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    log.write_text("data")
    twin = tmp_path / "twin.json"
    os.link(log, twin)
    for name in (log, twin, tmp_path / "." / "log.json"):
        assert "was read" in refused(name, inputs=[log])
    assert log.read_text() == "data"


@pytest.mark.parametrize(
    ("number", "says"),
    [(errno.ENOSPC, "no room left"), (errno.EROFS, "read-only"), (errno.EIO, "another path")],
)
def test_half_a_file_is_never_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, says: str
) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")

    def full(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", full)
    assert says in refused(path)
    assert path.read_text() == "old"
    assert left(tmp_path) == {"report.html"}


def test_names_that_are_none(tmp_path: Path) -> None:
    long = refused(tmp_path / ("x" * 5000))
    assert "shorter name" in long
    assert len(long) < 500
    assert "exists" in refused(tmp_path / "no" / "such" / "folder" / "r.html")
    assert "no name" in refused(tmp_path / "a\0b")


def test_a_name_as_long_as_names_may_be(tmp_path: Path) -> None:
    path = tmp_path / ("é" * 125 + ".html")
    writing.write_text(path, "new")
    assert left(tmp_path) == {path.name}


def test_what_is_replaced_keeps_its_mode_under_any_umask(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")
    path.chmod(0o664)
    before = os.umask(0o077)
    try:
        writing.write_text(path, "new")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o664


def test_a_new_file_never_replaces_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.toml"
    writing.write_text(path, "first", new=True)
    assert "is there already" in refused(path, new=True)
    path.unlink()

    def comes_meanwhile(source: str, target: str) -> None:
        Path(target).write_text("theirs")
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))

    monkeypatch.setattr(os, "link", comes_meanwhile)
    assert "is there already" in refused(path, new=True)
    assert path.read_text() == "theirs"
    assert left(tmp_path) == {"mine.toml"}


def test_a_file_system_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(source: str, target: str) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", none)
    writing.write_text(tmp_path / "a", "text", new=True)
    assert (tmp_path / "a").read_text() == "text"
    assert left(tmp_path) == {"a"}


# ---------------------------------------------------------------- through the command line


def run(*args: object, cwd: Path, code: int) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "gandoctor", *map(str, args)],
        capture_output=True, text=True, cwd=cwd, timeout=60, check=False, env=environment(),
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert done.returncode == code, done.stderr
    return done.stderr


def small_run(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    rows = "".join(f"{i},{0.69 + i % 3 / 100},{0.72 - i % 4 / 100}\n" for i in range(60))
    (folder / "log.csv").write_text("step,d_loss,g_loss\n" + rows)
    (folder / "config.json").write_text('{"lr_d": 0.0002, "lr_g": 0.0002}')
    return folder


@pytest.mark.parametrize("kind", ["link", "fifo"])
def test_what_a_run_brings_along_under_the_name_of_a_report(tmp_path: Path, kind: str) -> None:
    folder = small_run(tmp_path / "run")
    precious = tmp_path / "precious"
    precious.write_text("mine")
    if kind == "link":
        (folder / "gandoctor-report.html").symlink_to(precious)
    else:
        os.mkfifo(folder / "gandoctor-report.html")
    assert len(run("analyze", ".", cwd=folder, code=2).splitlines()) == 1
    assert precious.read_text() == "mine"
    (folder / "map.toml").symlink_to(precious)
    run("signals", ".", "--write-map", "map.toml", cwd=folder, code=2)
    run("compare", ".", ".", "-o", "gandoctor-report.html", cwd=folder, code=2)
    assert precious.read_text() == "mine"


def test_a_report_is_not_written_over_what_it_was_made_from(tmp_path: Path) -> None:
    folder = small_run(tmp_path / "run")
    (folder / "samples").mkdir()
    picture = folder / "samples" / "step_000010.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n")
    saved = tmp_path / "saved.json"
    assert run("analyze", folder, "-o", saved, "-q", cwd=tmp_path, code=0) == ""
    held = {p: p.read_bytes() for p in (folder / "log.csv", folder / "config.json", picture, saved)}
    for name in ("config.json", "log.csv", "samples/step_000010.png"):
        said = run("analyze", folder, "-o", folder / name, "--format", "json", cwd=tmp_path, code=2)
        assert "was read" in said
        assert len(said.splitlines()) == 1
    assert "was read" in run("compare", saved, folder, "-o", saved, cwd=tmp_path, code=2)
    assert "was read" in run(
        "compare", folder, saved, "-o", folder / "config.json", cwd=tmp_path, code=2
    )
    assert {p: p.read_bytes() for p in held} == held
    # Its own last report is no input.
    run("analyze", folder, "-o", saved, "-q", cwd=tmp_path, code=0)


def test_a_map_that_was_corrected_by_hand_is_kept(tmp_path: Path) -> None:
    folder = small_run(tmp_path / "run")
    run("signals", folder, "--write-map", "map.toml", cwd=tmp_path, code=0)
    (tmp_path / "map.toml").write_text("corrected")
    assert "is there already" in run(
        "signals", folder, "--write-map", "map.toml", cwd=tmp_path, code=2
    )
    assert (tmp_path / "map.toml").read_text() == "corrected"


def test_a_report_that_cannot_be_finished_leaves_the_old_one(tmp_path: Path) -> None:
    folder = small_run(tmp_path / "run")
    report = tmp_path / "report.html"
    report.write_text("old")
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        f"sys.argv = ['gandoctor', 'analyze', {str(folder)!r}, '-q', '-o', {str(report)!r}]\n"
        "from gandoctor.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment()
    )
    assert done.returncode == 2
    assert "may not grow that large" in done.stderr
    assert report.read_text() == "old"
    assert left(tmp_path) == {"run", "report.html"}


def test_rules_are_written_to_no_link_and_no_pipe(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    pages = tmp_path / "pages"
    pages.mkdir()
    (pages / "causes").symlink_to(outside)
    run("rules", "docs", pages, cwd=tmp_path, code=2)
    assert left(outside) == set()
    (pages / "causes").unlink()
    (pages / "causes").mkdir()
    os.mkfifo(pages / "causes" / "old.md")
    run("rules", "docs", pages, cwd=tmp_path, code=0)
    (tmp_path / "mine" / "symptoms").mkdir(parents=True)
    (tmp_path / "mine" / "symptoms" / "odd-one.test.yaml").symlink_to(outside / "made")
    run("rules", "new", "odd-one", "--rules", tmp_path / "mine", cwd=tmp_path, code=2)
    assert left(outside) == set()
    assert left(tmp_path / "mine" / "symptoms") == {"odd-one.test.yaml"}
