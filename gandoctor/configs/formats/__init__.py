"""Config formats, one a module: a scanner, and edits that are spliced into what it found.

A module of this package is a format by its names, and nothing else has to know of it::

    SUFFIXES: tuple[str, ...]                  # of the files that it reads, with their dot
    def scan(text: str) -> Entries: ...        # spots: key, value, line, span, why not editable
    def splice(text: str, targets: Sequence[Target]) -> Spliced: ...   # SpliceError says why not

    def read(text: str) -> object: ...         # optional: the plain data that the usual reader
                                               # gives; edits are proved by it besides `scan`
    CODE = True                                # optional: a program, found beside a log only under
                                               # names that `configs` knows

Settings are read from the spots and edits are spliced into the same spots, so what is read is what
is patched, or the spot says in a sentence why it cannot be.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final, Protocol, cast

from gandoctor.files import backups

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gandoctor.configs.entries import Entries
    from gandoctor.configs.splice import Spliced, Target

# What our own modules say of themselves, so that none is imported only to be asked. A test holds it
# to them; a module that is not in here is asked itself.
_KNOWN: Final[dict[str, tuple[str, ...]]] = {
    "json": (".json", ".json5", ".jsonc"),
    "options": (".txt", ".ini", ".cfg", ".conf", ".gin", ".flags", ".opt", ".args", ""),
    "python": (".py",),
    "shell": (".sh", ".bash"),
    "toml": (".toml",),
    "yaml": (".yaml", ".yml"),
}
_KNOWN_CODE: Final = frozenset({"python", "shell"})
_TEXT: Final = "options"  # reads whatever has no suffix of another format
_OBJECT: Final = "json"  # reads whatever begins with a brace


class Format(Protocol):
    """What a format is; a module of this package is one."""

    SUFFIXES: tuple[str, ...]

    def scan(self, text: str) -> Entries:
        """Where the values of a text stand; what could not be read is in its `lost`."""
        ...

    def splice(self, text: str, targets: Sequence[Target]) -> Spliced:
        """The text with new values; SpliceError says why there is none."""
        ...


@cache
def _names() -> tuple[str, ...]:
    return tuple(m.name for m in pkgutil.iter_modules(__path__))


@cache
def _module(name: str) -> Format:
    return cast("Format", importlib.import_module(f"{__name__}.{name}"))


def _suffixes_of(name: str) -> tuple[str, ...]:
    return _KNOWN[name] if name in _KNOWN else _module(name).SUFFIXES


def _is_code(name: str) -> bool:
    return name in _KNOWN_CODE or (name not in _KNOWN and getattr(_module(name), "CODE", False))


@cache
def _by_suffix(suffix: str) -> str:
    """The module that reads files of a suffix; empty where there is none."""
    return next((name for name in _names() if suffix in _suffixes_of(name)), "")


@cache
def suffixes(*, code: bool = True) -> tuple[str, ...]:
    """All suffixes that a format reads, but for the empty one.

    Parameters
    ----------
    code : bool
        Those of programs too.
    """
    names = [name for name in _names() if code or not _is_code(name)]
    return tuple(s for name in names for s in _suffixes_of(name) if s)


def _suffix(file: str) -> str:
    # A backup is read as what it is a backup of.
    return PurePosixPath(backups.original(file)).suffix.lower()


def name_of(file: str, text: str) -> str:
    """The name of the format that a file is read as, whatever its suffix."""
    name = _by_suffix(_suffix(file))
    if name in ("", _TEXT) and text.lstrip("\ufeff \t\r\n")[:1] == "{":
        return _OBJECT
    return name or _TEXT


def scan(name: str, text: str) -> Entries:
    """What the format of this name finds in a text."""
    return _module(name).scan(text)


def format_of(file: str, text: str) -> Format:
    """The format that edits this kind of file.

    Raises
    ------
    SpliceError
        If none is known to.
    """
    from gandoctor.configs.splice import SpliceError

    if not _by_suffix(_suffix(file)) and name_of(file, text) == _TEXT:
        raise SpliceError(f"{PurePosixPath(file).name} is of no format that can be edited")
    return _module(name_of(file, text))


def changes(file: str, before: str, after: str) -> dict[str, object]:
    """Dotted key -> new value of everything that the usual reader of a file finds changed.

    None where it is gone.

    Raises
    ------
    SpliceError
        If either text cannot be read.
    """
    from gandoctor.configs.splice import changed, usual_values

    kind = format_of(file, before)
    read = getattr(kind, "read", None)
    return changed(usual_values(before, kind.scan, read), usual_values(after, kind.scan, read))
