"""What is written is written whole, to a plain file, and never over what was read."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from gandoctor import writing
from gandoctor.errors import UsageError


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
    ("number", "says"), [(errno.ENOSPC, "no room left"), (errno.EROFS, "read-only"), (errno.EIO, "another path")]
)
def test_half_a_file_is_never_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, says: str) -> None:
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
