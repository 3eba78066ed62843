"""Option files, one setting a line.

``key: value [default: x]``, ``key = value``, ``--key=value``, INI and gin.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gandoctor.configs.splice import (
    MAX_LEAVES,
    Spliced,
    SpliceError,
    Spot,
    Target,
    Value,
    by_tail,
    changed,
    flag_text,
    number,
    number_text,
    prefer_last,
    splice_at,
    values_at,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_SECTION: Final = re.compile(r"\s*\[([^\[\]]+)\]\s*(?:[#;].*)?")
_FLAG: Final = re.compile(r"\s*--?([A-Za-z][\w./-]*)(?:[ \t]*=[ \t]*|[ \t]+)")
_PAIR: Final = re.compile(r"\s*([A-Za-z_][\w./@-]*)[ \t]*(?::(?!//)|=(?!=))[ \t]*")
_VALUE: Final = re.compile(
    r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s#;\[].*?|)"""  # the value
    r"""(?=\s*(?:\[default:[^\]]*\]\s*)?(?:[ \t][#;].*)?$)"""
)


def spots(text: str) -> list[Spot]:
    """Every ``key value`` line; keys below an INI heading carry its name (``train.lr``)."""
    found: list[Spot] = []
    section: tuple[str, ...] = ()
    at = int(text.startswith("\ufeff"))
    lines = text[at:].split("\n")
    key_indent = -1  # of the key in an INI section whose value goes on below it
    for number_, raw in enumerate(lines, 1):
        line = raw.rstrip("\r")
        if 0 <= key_indent < _indent(line):
            at += len(raw) + 1
            continue
        key_indent = -1
        heading = _SECTION.fullmatch(line)
        head = _FLAG.match(line) or _PAIR.match(line)
        if heading:
            section = (heading[1].strip(),)
        elif head and not line.lstrip().startswith(("#", ";", "//")):
            value = _VALUE.match(line, head.end())
            if section and number_ < len(lines) and _indent(lines[number_]) > _indent(line):
                key_indent = _indent(line)
            elif value:
                shown = value[1]
                found.append(
                    Spot(
                        (*section, head[1]),
                        at + value.start(1),
                        at + value.end(1),
                        number_,
                        _read(shown),
                    )
                )
        at += len(raw) + 1
        if len(found) > MAX_LEAVES:
            raise SpliceError(f"the file holds more than {MAX_LEAVES} values")
    return prefer_last(found)


def _indent(line: str) -> int:
    """How far a line is indented; a blank one or a comment is not."""
    bare = line.lstrip()
    return len(line) - len(bare) if bare and not bare.startswith(("#", ";")) else 0


_values: Final = values_at(spots)


def _read(raw: str) -> object:
    """The value as argparse, gin or configparser code would use it: number, flag or word."""
    if number(raw) is not None:
        return number(raw)
    if raw in ("True", "False", "true", "false"):
        return raw in ("True", "true")
    return raw[1:-1] if len(raw) > 1 and raw[0] == raw[-1] and raw[0] in "\"'" else raw


def literal(old: str, new: Value) -> str:
    """`new` in the notation of `old`."""
    if isinstance(new, bool):
        return flag_text(old, new, ("True", "False"))
    if new is None:
        return "None"
    if isinstance(new, int | float):
        return number_text(old.strip("\"'"), new)
    if re.search(r"[\s#;]", new) or not new:
        raise SpliceError(f"`{new}` does not fit into an option file")
    return old[0] + new + old[0] if old[:1] in ('"', "'") else new


def splice(text: str, targets: Sequence[Target]) -> Spliced:
    """Put new values in place of the old ones.

    Raises
    ------
    SpliceError
        If a key is not there, or if anything else would change.
    """
    return splice_at(text, targets, spots, _values, literal, locate=by_tail)


def changes(before: str, after: str) -> dict[str, object]:
    """Dotted key -> new value of everything that the usual reader finds changed.

    None where it is gone.

    Raises
    ------
    SpliceError
        If either text cannot be read.
    """
    return changed(_values(before), _values(after))
