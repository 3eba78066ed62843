"""Training code -> settings, read by its syntax: nothing is run and nothing imported.

`read` finds the code of a training in a folder or file and says what it trains with, and where each
value stands; `edits` puts new values there.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Final

from gandoctor.configs.python.choosing import Hint
from gandoctor.configs.python.gathering import Gathered, gather
from gandoctor.configs.python.reading import Code, Found, read_code

__all__ = ["Code", "Found", "Gathered", "Hint", "is_run_from", "read", "read_code"]

SUFFIXES: Final = (".py", ".ipynb")
# What lies at the top of a source tree.
_MARKS: Final = (".git", "setup.py", "pyproject.toml", "requirements.txt")
_UP: Final = 4  # folders
_MOST_BESIDE: Final = 40  # scripts
_HEAD: Final = 64 << 10  # characters


def read(path: Path, hint: Hint | None = None) -> tuple[Code | None, Gathered]:
    """The code of a training in a folder, or of a script.

    Parameters
    ----------
    path : Path
        A source tree, or a script or notebook; of a script the folder around it is looked at too.
    hint : Hint, optional
        What is known of the run.

    Returns
    -------
    Code or None
        None where nothing trains a GAN there.
    Gathered
        What was read.
    """
    if path.is_dir():
        found = gather(path, hint.program if hint else "")
    else:
        root = path.parent if hint is not None and hint.own else _root_of(path)
        program = path.relative_to(root).as_posix()
        hint = replace(hint or Hint(), program=program, alone=True)
        found = gather(root, program)
    return (
        read_code(found.files, hint, commands=found.commands, configs=found.configs),
        found,
    )


def is_run_from(root: Path, code: Code, gathered: Gathered) -> bool:
    """Whether the code of a training is started from a folder, and is no stranger below it.

    It lies in the folder itself, or a script or a command line there takes it in.
    """
    folder, slash, _ = code.home.partition("/")
    if not slash:
        return True
    started = any(f"/{code.home}".endswith(f"/{script}") for script, _ in gathered.commands)
    return started or _is_taken_in(root / folder)


def _root_of(script: Path) -> Path:
    """Where the imports of a script begin: the folder of its package, or of who takes it in."""
    folder = script.parent
    for _ in range(_UP):
        if any((folder / mark).exists() for mark in _MARKS):
            break
        if not ((folder / "__init__.py").exists() or _is_taken_in(folder)):
            break
        folder = folder.parent
    return folder


def _is_taken_in(folder: Path) -> bool:
    """Whether a script beside a folder imports from it."""
    taken = re.compile(rf"(?m)^[ \t]*\"?(?:from|import)[ \t]+\.?{re.escape(folder.name)}\b")
    beside = (f for suffix in SUFFIXES for f in folder.parent.glob(f"*{suffix}"))
    try:
        for script in islice(beside, _MOST_BESIDE):
            with script.open(encoding="utf-8", errors="replace") as f:
                if taken.search(f.read(_HEAD)):
                    return True
    except OSError:
        return False
    return False
