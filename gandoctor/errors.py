"""The one exception tree: every error a user can cause says what, where, and what would be right."""

from __future__ import annotations


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


class RuleError(GandoctorError):
    """A rule, cause, remedy or vocabulary file that is wrong."""


class UsageError(GandoctorError):
    """An option with a value that means nothing (an unknown role in ``--map``, say)."""


# Tests set it: a fault of our own must not hide behind a polite sentence.
STRICT = False


def unforeseen(error: Exception, reader: str, where: str) -> InputError:
    """What is said where a reader meets what it was not made for: the file is left out, and the report stands.

    What a file can contain must never end in a traceback. A reader that gets here has a fault of its own, unless the
    memory was too small; the words "stumbled over it" are what tests look for.
    """
    if STRICT and not isinstance(error, MemoryError):
        raise error
    if isinstance(error, MemoryError):
        return InputError("asks for more memory than there is", where, "it was left out")
    what = f"{reader} reader stumbled over it ({type(error).__name__})"
    return InputError(what, where, "please report it with a few lines of the file")
