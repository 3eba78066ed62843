"""What ``gandoctor patch`` keeps of a file that it changes: ``config.yaml.orig`` and so on."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable

_BACKUP = late_pattern(r"(?P<file>.+)\.orig(\.\d+)?")


def name(file: str, number: int) -> str:
    """What the backup of that number is called."""
    return f"{file}.orig" + (f".{number}" if number else "")


def original(file: str) -> str:
    """The file that this is a backup of; itself where it is none."""
    found = _BACKUP.fullmatch(PurePosixPath(file).name)
    return str(PurePosixPath(file).with_name(found["file"])) if found else file


def as_logged(file: Path, logs: Iterable[Path]) -> Path | None:
    """The file as it was while the logs were written, where it was patched since then.

    Parameters
    ----------
    file : Path
    logs : iterable of Path
        Everything that was logged.

    Returns
    -------
    Path or None
        The oldest backup that is younger than all of it. None where there is none, or where the
        file is again what one of those backups holds: it was put back.
    """
    if not os.path.lexists(file.with_name(name(file.name, 0))):
        return None
    import filecmp
    import glob

    logged = max((log.stat().st_mtime_ns for log in logs if log.is_file()), default=None)
    if logged is None:
        return None
    found = (b for b in file.parent.glob(f"{glob.escape(file.name)}.orig*") if is_plain(b))
    young = sorted(
        (b.stat().st_mtime_ns, b)
        for b in found
        if b.stat().st_mtime_ns > logged and not _unfinished(b, file)
    )
    if not young or any(filecmp.cmp(b, file, shallow=False) for _, b in young):
        return None
    return young[0][1]


def is_plain(file: Path) -> bool:
    """Whether it is a file itself, and no link to one."""
    return file.is_file() and not file.is_symlink()


def _unfinished(backup: Path, file: Path) -> bool:
    """Whether a backup holds only the beginning of what the file still is.

    A full disk, or a copy that was killed.
    """
    kept, now = (p.read_bytes() for p in (backup, file))
    # Lines were added behind it.
    whole_lines = kept.endswith(b"\n") or now[len(kept) :].startswith((b"\n", b"\r"))
    return not kept or (now.startswith(kept) and len(kept) < len(now) and not whole_lines)
