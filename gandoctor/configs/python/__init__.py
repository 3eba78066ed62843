"""Training code -> settings, read by its syntax: nothing is run and nothing imported.

`read` finds the code of a training in a folder or file and says what it trains with, and where each
value stands; `edits` puts new values there.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gandoctor.configs.python.choosing import Hint
from gandoctor.configs.python.gathering import Gathered, gather
from gandoctor.configs.python.reading import Code, Found, read_code

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Code", "Found", "Gathered", "Hint", "read", "read_code"]

SUFFIXES: Final = (".py", ".ipynb")


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
        hint = replace(hint or Hint(), program=path.name, alone=True)
        found = gather(path.parent, path.name)
    return (
        read_code(found.files, hint, commands=found.commands, configs=found.configs),
        found,
    )


def settings_of(code: Code) -> Sequence[Found]:
    """Its settings, by name."""
    return sorted(code.found.values(), key=lambda f: f.setting)
