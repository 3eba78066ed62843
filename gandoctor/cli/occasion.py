"""On which occasion a report was made: its date, and the command that was typed."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONGEST: Final = 400  # characters of a command
_EPOCH: Final = "SOURCE_DATE_EPOCH"  # reproducible-builds.org: the date, where output must not vary
# A path from the root of a machine, wherever a word begins: its folders tell whose machine it is.
_FROM_ROOT: Final = late_pattern(
    r"""(?<![^\s=:,'"(])(?:[A-Za-z]:)?[\\/](?:[^\s\\/=,'"]*[\\/])*(?=[^\s\\/])"""
)
_words: list[str] = []


def typed(words: Sequence[str]) -> None:
    """Remember the arguments that the program was started with."""
    _words[:] = words


def occasion() -> dict[str, str]:
    """What the outputs that tell it are given: ``date`` in UTC, and ``command``.

    The command is empty where the program was not started as one.
    """
    import shlex

    fixed = os.environ.get(_EPOCH, "")
    seconds = int(fixed) if fixed.isdecimal() and len(fixed) < 12 else time.time()
    date = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))
    command = shlex.join(["gandoctor", *map(_nowhere, _words)]) if _words else ""
    if len(command) > _LONGEST:
        command = command[:_LONGEST] + " ..."
    return {"date": date, "command": command}


def _nowhere(word: str) -> str:
    """The word as it was typed, but for the folders that lead from a machine's root to a file."""
    return Path(word).name if Path(word).is_absolute() else _FROM_ROOT.sub("", word)
