"""What every config reader fills: keys, values and lines, bounded."""

from __future__ import annotations

import ast
import re
from dataclasses import field
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gandoctor.model.signals import SettingValue

MAX_SETTINGS: Final = 5_000
MAX_DEPTH: Final = 32
MAX_ITEMS: Final = 256
MAX_TEXT: Final = 2_000
_MAX_LITERAL: Final = 50_000
_MOST_BITS: Final = (
    1_000  # what follows 2 ** 1024 is no float, and 4,300 digits are no int that Python prints
)
_MOST_DIGITS: Final = 300
_DIGITS: Final = re.compile(r"[-+]?[\d_:]+")  # with a colon: to the base 60, in YAML
_NUMBER: Final = re.compile(r"[-+]?(\d++(?:\.\d*+)?|\.\d++)([eE][-+]?\d+)?")
_WORDS: Final[dict[str, SettingValue]] = {
    "true": True,
    "false": False,
    "none": None,
    "null": None,
    "nan": float("nan"),
    "inf": float("inf"),
    "-inf": float("-inf"),
}
Path: TypeAlias = tuple[str, ...]


class FullError(Exception):
    """More settings than anyone writes: an alias bomb, or data under a config's name."""


@dataclass(slots=True)
class Entries:
    """Settings in file order.

    Attributes
    ----------
    found : dict of path to (value, line)
        Path as a tuple of keys; a key given twice keeps its last value, as the usual readers do.
    lost : list of str
        What could not be read.
    """

    found: dict[Path, tuple[SettingValue, int]] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)

    def add(self, path: Path, value: object, line: int) -> None:
        """One setting; a short list of plain values is kept whole and by item.

        Raises
        ------
        FullError
            Where the file holds more than `MAX_SETTINGS`.
        """
        if _too_large(value) or (
            isinstance(value, list | tuple) and any(map(_too_large, value[:MAX_ITEMS]))
        ):
            self.lost.append(f"{'.'.join(path)[:200]} is too large to be read")
            return
        if isinstance(value, list | tuple):
            items = tuple(plain(v) for v in value[:MAX_ITEMS])
            if len(value) > MAX_ITEMS:
                self.lost.append(
                    f"{'.'.join(path)}: a list of {len(value):,} items was cut to {MAX_ITEMS}"
                )
            self._put(path, items, line)
        else:
            self._put(path, plain(value), line)

    def _put(self, path: Path, value: SettingValue, line: int) -> None:
        if len(self.found) >= MAX_SETTINGS:
            raise FullError
        self.found.pop(path, None)  # the last one also takes the last one's place
        self.found[path] = (value, line)


def _too_large(value: object) -> bool:
    """Whether a number is beyond what any program counts with.

    Readers leave very long ones as text.
    """
    if isinstance(value, int):
        return value.bit_length() > _MOST_BITS
    return (
        isinstance(value, str)
        and len(value) > _MOST_DIGITS
        and _DIGITS.fullmatch(value) is not None
    )


def plain(value: object) -> SettingValue:
    """A value that is surely small and inert."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, tuple | list):
        return tuple(plain(v) for v in value[:MAX_ITEMS])
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + "..."


def flatten(entries: Entries, path: Path, value: object, line: int) -> None:
    """Add a plain Python value.

    Mappings by key, lists whole (if their items are plain) and by item.
    """
    if len(path) > MAX_DEPTH:
        entries.lost.append(f"{'.'.join(path[:3])}...: nested more than {MAX_DEPTH} levels deep")
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            flatten(entries, (*path, str(key)), inner, line)
        return
    if isinstance(value, list | tuple | set | frozenset):
        items = list(value)
        if not any(isinstance(v, dict | list | tuple) for v in items):
            entries.add(path, items, line)
        for i, inner in enumerate(items[:MAX_ITEMS]):
            flatten(entries, (*path, str(i)), inner, line)
        return
    entries.add(path, value, line)


def word(text: str) -> object:
    """A value printed by Python or typed on a command line: number, flag, list or word."""
    text = text.strip()
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _NUMBER.fullmatch(text):
        try:
            return float(text) if re.search(r"[.eE]", text) else int(text)
        except ValueError:
            return text
    if text[:1] in "[('\"{" and len(text) <= _MAX_LITERAL:
        try:
            return cast("object", ast.literal_eval(text))
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            return text
    return text


def keys_of(entries: Entries) -> Iterable[str]:
    """The last key of every path, in lower case."""
    return (
        next((k for k in reversed(path) if not k.isdigit()), "").lower() for path in entries.found
    )
