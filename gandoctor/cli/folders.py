"""A report of many pages: a folder with an index and a page a run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from gandoctor.errors import UsageError, of_system
from gandoctor.files import writing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gandoctor.model.report import Report


def is_folder(target: str) -> bool:
    """Whether an output is a folder: one that is there, or a name that ends with a slash."""
    return target != "-" and (target.endswith(("/", "\\")) or Path(target).is_dir())


def check(target: str) -> None:
    """Say what is wrong with a folder before the work is done.

    Raises
    ------
    UsageError
        It is a link or a file, or the folder it is to be made in is not there.
    """
    folder = Path(target)
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UsageError("is no folder of its own", target, "give another name")
    above = folder.absolute().parent
    if not folder.exists() and not above.is_dir():
        raise UsageError("cannot be made", target, "give a path in a folder that exists")
    if not os.access(folder if folder.exists() else above, os.W_OK):
        raise UsageError("cannot be written to", target, "check its permissions")


def write(
    target: str, reports: Sequence[Report], occasion: Mapping[str, str], jobs: int = 1
) -> str:
    """Write the pages; gives the index, to be told.

    Raises
    ------
    UsageError
        One of them cannot be written.
    """
    from gandoctor.reporters import folder as many

    check(target)
    home = Path(target)
    for part in (home, home / "runs"):
        try:
            part.mkdir(exist_ok=True)
        except OSError as e:
            raise of_system(e, str(part), "cannot be made") from None
        if part.is_symlink():
            raise UsageError("is a link", str(part), "give another folder")
    for name, text in many.pages(reports, **occasion, jobs=jobs):
        writing.write_text(home / name, text)
    return str(home / many.INDEX)
