"""The one exception tree.

Every error a user can cause says what, where, and what would be right.
"""

from __future__ import annotations

import contextlib
import errno
import os
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


class GandoctorError(Exception):
    """Anything that went wrong and can be said in one sentence.

    Parameters
    ----------
    what : str
        What was found.
    where : str, optional
        File, ``file:line`` or ``file:key``.
    hint : str, optional
        What would be right.
    """

    def __init__(self, what: str, where: str = "", hint: str = "") -> None:
        super().__init__(what, where, hint)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        head = f"{self.where}: {self.what}" if self.where else self.what
        return f"{head}; {self.hint}" if self.hint else head


class InputError(GandoctorError):
    """A path, log or config that cannot be used."""


@contextlib.contextmanager
def told_of(file: str, name: str) -> Iterator[None]:
    """Tell faults of a file under the name that the user knows: what was typed, or what it holds.

    Parameters
    ----------
    file : str
        Its path; faults that name its last part alone are meant, too.
    name : str
    """
    try:
        yield
    except InputError as e:
        if e.where not in (file, file.rpartition(os.sep)[2]):
            raise
        raise InputError(e.what, name, e.hint) from None


class RuleError(GandoctorError):
    """A rule, cause, remedy or vocabulary file that is wrong."""


class RulebookError(RuleError):
    """Everything that is wrong with the rules, one fault a paragraph.

    Attributes
    ----------
    faults : tuple of RuleError
    """

    def __init__(self, faults: Sequence[RuleError]) -> None:
        super().__init__("; ".join(f.what for f in faults), faults[0].where, faults[0].hint)
        self.faults = tuple(faults)

    def __str__(self) -> str:
        text = "\n".join(str(f) for f in self.faults)
        return text if len(self.faults) == 1 else f"{len(self.faults)} faults in the rules\n{text}"


class UsageError(GandoctorError):
    """An option with a value that means nothing (an unknown role in ``--map``, say)."""


def near(name: str, known: Iterable[str]) -> str:
    """``did you mean x?`` for the closest of the known names; empty where none is close."""
    import difflib

    close = difflib.get_close_matches(name, sorted(known), 1, 0.6)
    return f"did you mean `{close[0]}`?" if close else ""


# What helps, by what the system said.
_HINTS: Final = {
    errno.ENAMETOOLONG: "give a shorter name",
    errno.EACCES: "check the permissions on the way to it",
    errno.EPERM: "check the permissions on the way to it",
    errno.ENOSPC: "there is no room left on the disk",
    errno.EBADF: "leave it open, or have the output written to a file",
}


def of_system(fault: OSError, where: str = "", what: str = "cannot be opened") -> InputError:
    """What is said where the system refused.

    Parameters
    ----------
    fault : OSError
    where : str
        The file as the user named it; by default as the system did.
    what : str
        What could not be done.
    """
    named = where or (str(fault.filename) if fault.filename is not None else "")
    said = (fault.strerror or type(fault).__name__).lower()
    return InputError(
        f"{what} ({said})", shortened(named), _HINTS.get(fault.errno or 0, "check the path")
    )


def shortened(text: str, most: int = 200) -> str:
    """A name that fits into a sentence."""
    return (
        text
        if len(text) <= most
        else f"{text[: most // 2]}...{text[-most // 4 :]} ({len(text):,} characters)"
    )


# Tests set it: a fault of our own must not hide behind a polite sentence.
STRICT = False


def unforeseen(error: Exception, reader: str, where: str) -> InputError:
    """What is said where a reader meets what it was not made for.

    The file is left out, and the report stands.

    What a file can contain must never end in a traceback. A reader that gets here has a fault of
    its own, unless the memory was too small; the words "stumbled over it" are what tests look for.
    """
    if STRICT and not isinstance(error, MemoryError):
        raise error
    if isinstance(error, MemoryError):
        return InputError("asks for more memory than there is", where, "it was left out")
    what = f"{reader} reader stumbled over it ({type(error).__name__})"
    return InputError(what, where, "please report it with a few lines of the file")
