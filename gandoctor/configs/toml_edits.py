"""TOML: a position scanner; ``tomllib`` is the judge of what it found."""

from __future__ import annotations

import json
import re
import tomllib
from typing import TYPE_CHECKING, Final

from gandoctor.configs.splice import (
    Path,
    Spliced,
    SpliceError,
    Spot,
    Target,
    Value,
    changed,
    find,
    leaves,
    line_of,
    number_text,
    prefer_last,
    splice_at,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

_BLANK: Final = re.compile(r"[ \t]*")
_GAP: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")  # blanks, line ends and comments
_KEY: Final = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_STRING: Final = re.compile(
    r'''"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?'{3,5}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*\'''', re.DOTALL
)
_BARE: Final = re.compile(r"[^\s,\]}#]+(?: \d[^\s,\]}#]*)?")  # the blank: `1979-05-27 07:32:00`
_DEPTH: Final = 100


def read(text: str) -> object:
    """What ``tomllib.loads`` makes of the text.

    Raises
    ------
    SpliceError
        If it is no TOML.
    """
    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as e:
        raise SpliceError(f"it is no valid TOML ({e})") from e


def _leaves(text: str) -> dict[Path, object]:
    return leaves(read(text))


def spots(text: str) -> list[Spot]:
    """Every scalar, in file order."""
    read(text)  # from here on the text is known to be well formed
    found: list[Spot] = []
    counts: dict[Path, int] = {}  # arrays of tables: how many so far
    table: Path = ()
    at = int(text.startswith("\ufeff"))
    while (at := _end(_GAP, text, at)) < len(text):
        if text[at] == "[":
            double = text[at : at + 2] == "[["
            names, at = _keys(text, at + 1 + double)
            table = _placed(names[:-1] if double else names, counts)
            if double:
                whole = (*table, names[-1])
                counts[whole] = counts.get(whole, -1) + 1
                table = (*whole, str(counts[whole]))
            at = _end(_BLANK, text, at) + 1 + double
        else:
            at = _pair(text, at, table, found)
    return prefer_last(found)


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match else at


def _keys(text: str, at: int) -> tuple[Path, int]:
    """A dotted key and where it ends."""
    names: list[str] = []
    while True:
        match = _KEY.match(text, _end(_BLANK, text, at))
        if not match:
            raise SpliceError(f"the key in line {line_of(text, at)} cannot be made out")
        raw = match.group()
        names.append(_text(raw) if raw[0] in "\"'" else raw)
        at = _end(_BLANK, text, match.end())
        if text[at : at + 1] != ".":
            return tuple(names), at
        at += 1


def _text(raw: str) -> str:
    return str(tomllib.loads(f"v = {raw}")["v"])


def _placed(names: Path, counts: dict[Path, int]) -> Path:
    """`names` with the index of the latest table behind each array of tables."""
    out: Path = ()
    for name in names:
        out = (*out, name)
        if out in counts:
            out = (*out, str(counts[out]))
    return out


def _pair(text: str, at: int, table: Path, found: list[Spot]) -> int:
    names, at = _keys(text, at)
    return _value(text, _end(_BLANK, text, at + 1), (*table, *names), found)


def _value(text: str, at: int, path: Path, found: list[Spot]) -> int:
    if len(path) > _DEPTH:
        raise SpliceError(f"the file is nested more than {_DEPTH} levels deep")
    head = text[at : at + 1]
    if head == "[":
        at, index = _end(_GAP, text, at + 1), 0
        while text[at] != "]":
            at = _end(_GAP, text, _value(text, at, (*path, str(index)), found))
            index += 1
            if text[at] == ",":
                at = _end(_GAP, text, at + 1)
        return at + 1
    if head == "{":
        at = _end(_GAP, text, at + 1)
        while text[at] != "}":
            at = _end(_GAP, text, _pair(text, at, path, found))
            if text[at] == ",":
                at = _end(_GAP, text, at + 1)
        return at + 1
    match = (_STRING if head in "\"'" else _BARE).match(text, at)
    if not match:
        raise SpliceError(f"the value in line {line_of(text, at)} cannot be made out")
    found.append(
        Spot(path, at, match.end(), line_of(text, at), tomllib.loads(f"v = {match.group()}")["v"])
    )
    return match.end()


def literal(old: str, new: Value) -> str:
    """`new` as TOML, numbers in the notation of `old`, words in its quotes."""
    if isinstance(new, bool):
        return "true" if new else "false"
    if new is None:
        raise SpliceError("TOML has no null")
    if isinstance(new, int | float):
        return number_text(old.strip("\"'"), new)
    if old[:1] == "'" and old[:3] != "'''" and re.fullmatch(r"[^'\x00-\x1f]*", new):
        return f"'{new}'"
    return json.dumps(new, ensure_ascii=False)


def splice(text: str, targets: Sequence[Target]) -> Spliced:
    """Put new values in place of the old ones.

    Raises
    ------
    SpliceError
        If a key is not there, or if anything else would change.
    """
    return splice_at(text, targets, spots, _leaves, literal, add=_added)


def _added(text: str, known: Sequence[Spot], target: Target) -> tuple[int, str, str]:
    """A new line right after a sibling's, where the sibling has a line of its own."""
    sibling = find(known, Target(target.beside, None))
    start = text.rfind("\n", 0, sibling.start) + 1
    stop = text.find("\n", sibling.end)
    line = text[start : stop if stop >= 0 else len(text)]
    match = re.match(r"(\s*)[A-Za-z0-9_-]+(\s*=\s*)", line)
    if not match or start + match.end() != sibling.start:
        raise SpliceError(f"`{target.beside}` is written in an unusual way")
    shown = literal("", target.value)
    new = f"{match[1]}{target.key.rpartition('.')[2]}{match[2]}{shown}"
    newline = "\r\n" if "\r\n" in text else "\n"
    return (stop + 1, new + newline, shown) if stop >= 0 else (len(text), newline + new, shown)


def changes(before: str, after: str) -> dict[str, object]:
    """Dotted key -> new value of everything that the usual reader finds changed.

    None where it is gone.

    Raises
    ------
    SpliceError
        If either text cannot be read.
    """
    return changed(_leaves(before), _leaves(after))
