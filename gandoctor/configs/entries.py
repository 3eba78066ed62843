"""What every scanner fills: where each value stands, under which key, bounded.

Settings are read from these spots, and edits are spliced into them.
"""

from __future__ import annotations

import ast
import re
from dataclasses import field
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias, cast

from gandoctor.patterns import late_pattern
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

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
_DIGITS: Final = late_pattern(r"[-+]?[\d_:]+")  # with a colon: to the base 60, in YAML
_NUMBER: Final = late_pattern(r"[-+]?(\d++(?:\.\d*+)?|\.\d++)([eE][-+]?\d+)?")
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
Span: TypeAlias = tuple[int, int]
NOWHERE: Final = (-1, -1)


class FullError(Exception):
    """More settings than anyone writes: an alias bomb, or data under a config's name."""


# Why a spot cannot be edited.
LIST: Final = "is a list, whose items are changed one by one"
NO_PLACE: Final = "has no place of its own in the file"


class Spot(NamedTuple):
    """Where one value stands.

    Attributes
    ----------
    path : tuple of str
        Key path, list items by index.
    value : number, word, flag, None or tuple of them
        As the program that reads the file takes it.
    line : int
        1-based line; 0 where it is not known.
    start, end : int
        Half-open span of the value's own text, in characters; -1 where it has none.
    stuck : str
        Why it cannot be edited, to be read after the key; empty where it can.
    """

    path: Path
    value: SettingValue
    line: int
    start: int = -1
    end: int = -1
    stuck: str = NO_PLACE

    @property
    def key(self) -> str:
        """Dotted key."""
        return ".".join(self.path)


@dataclass(slots=True)
class Entries:
    """Settings in file order.

    Attributes
    ----------
    found : dict of path to Spot
        A key given twice keeps its last value, as the usual readers do.
    lost : list of str
        What could not be read.
    fault : str
        What ended the reading before the end of the file: such a file is not edited. It is among
        `lost` too. Empty where all was read.
    """

    found: dict[Path, Spot] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    fault: str = ""

    def stop(self, fault: str) -> None:
        """Note what ended the reading."""
        self.fault = self.fault or fault
        self.lost.append(fault)

    def full(self) -> None:
        """Note that there are more settings than are kept."""
        self.stop(f"more than {MAX_SETTINGS:,} settings; the rest was not read")

    def add(
        self, path: Path, value: object, line: int, span: Span = NOWHERE, stuck: str = ""
    ) -> None:
        """One setting; a short list of plain values is kept whole and by item.

        Raises
        ------
        FullError
            Where the file holds more than `MAX_SETTINGS`.
        """
        kind = type(value)
        kept: SettingValue
        if kind is float or kind is bool or value is None:
            kept = cast("float | bool | None", value)
        elif _too_large(value) or (
            isinstance(value, list | tuple) and any(map(_too_large, value[:MAX_ITEMS]))
        ):
            self.lost.append(f"{'.'.join(path)[:200]} is too large to be read")
            return
        else:
            kept = plain(value)
        if isinstance(kept, tuple):
            stuck = stuck or LIST
            if isinstance(value, list | tuple) and len(value) > MAX_ITEMS:
                self.lost.append(
                    f"{'.'.join(path)}: a list of {len(value):,} items was cut to {MAX_ITEMS}"
                )
        found = self.found
        if len(found) >= MAX_SETTINGS:
            raise FullError
        if path in found:
            del found[path]  # the last one also takes the last one's place
        start, end = span
        found[path] = Spot(path, kept, line, start, end, stuck or ("" if start >= 0 else NO_PLACE))


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


# Where the value of a path stands: line, span, and why it cannot be edited.
Place: TypeAlias = tuple[int, Span, str]


def flatten(
    entries: Entries,
    path: Path,
    value: object,
    line: int = 0,
    *,
    at: Callable[[Path], Place] | None = None,
) -> None:
    """Add a plain Python value.

    Mappings by key, lists whole (if their items are plain) and by item.

    Parameters
    ----------
    entries : Entries
    path : tuple of str
    value : plain data
    line : int
        Where all of it stands, unless `at` knows better.
    at : callable, optional
        Where the value of a path stands.
    """
    if len(path) > MAX_DEPTH:
        entries.lost.append(f"{'.'.join(path[:3])}...: nested more than {MAX_DEPTH} levels deep")
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            flatten(entries, (*path, str(key)), inner, line, at=at)
        return
    place = at(path) if at else (line, NOWHERE, "")
    if isinstance(value, list | tuple | set | frozenset):
        items = list(value)
        if not any(isinstance(v, dict | list | tuple) for v in items):
            entries.add(path, items, *place)
        for i, inner in enumerate(items[:MAX_ITEMS]):
            flatten(entries, (*path, str(i)), inner, line, at=at)
        return
    entries.add(path, value, *place)


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


def printed(
    entries: Entries, path: Path, text: str, line: int, start: int = -1, *, stuck: str = ""
) -> None:
    """Add a value that Python printed or a user typed, with the place of each of its parts.

    Parameters
    ----------
    entries : Entries
    path : tuple of str
    text : str
        The value as it stands.
    line : int
    start : int
        Where `text` begins in the file; -1 where it is nowhere.
    stuck : str
        Why it cannot be edited.
    """
    bare = text.strip()
    if start >= 0:
        start += len(text) - len(text.lstrip())
    value = word(bare)
    if not isinstance(value, dict | list | tuple | set | frozenset):
        entries.add(path, value, line, (start, start + len(bare)) if start >= 0 else NOWHERE, stuck)
        return
    places: dict[Path, Span] = {}
    if start >= 0 and bare.isascii():
        _literal_places(ast.parse(bare, mode="eval").body, path, places, bare, start)

    def at(inner: Path) -> Place:
        return line, places.get(inner, NOWHERE), stuck

    flatten(entries, path, value, at=at)


def _literal_places(
    node: ast.expr, path: Path, places: dict[Path, Span], text: str, start: int
) -> None:
    """Where the parts of a literal on one line stand."""
    if len(path) > MAX_DEPTH or node.lineno != node.end_lineno or node.lineno != 1:
        return
    if isinstance(node, ast.Dict):
        for key, inner in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant):
                _literal_places(inner, (*path, str(key.value)), places, text, start)
    elif isinstance(node, ast.List | ast.Tuple):
        for i, inner in enumerate(node.elts[:MAX_ITEMS]):
            _literal_places(inner, (*path, str(i)), places, text, start)
    places[path] = (start + node.col_offset, start + (node.end_col_offset or node.col_offset))


def keys_of(entries: Entries) -> Iterable[str]:
    """The last key of every path, in lower case."""
    return (
        next((k for k in reversed(path) if not k.isdigit()), "").lower() for path in entries.found
    )
