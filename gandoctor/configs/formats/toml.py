"""TOML: ``tomllib`` gives the values, and a scanner tells where each stands."""

from __future__ import annotations

import bisect
import json
import re
from typing import TYPE_CHECKING, Final

from gandoctor.configs import bounded
from gandoctor.configs.entries import NOWHERE, Entries, FullError, flatten
from gandoctor.configs.splice import (
    Spliced,
    SpliceError,
    Target,
    Value,
    Way,
    find,
    number_text,
    splice_at,
)
from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gandoctor.configs.entries import Path, Place, Span, Spot

SUFFIXES: Final = (".toml",)
_BLANK: Final = late_pattern(r"[ \t]*")
_GAP: Final = late_pattern(r"(?:[ \t\r\n]|#[^\n]*)*+")  # blanks, line ends and comments
_KEY: Final = late_pattern(r"""[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'""")
_STRING: Final = late_pattern(
    r'''"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?'{3,5}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*\'''', re.DOTALL
)
_BARE: Final = late_pattern(r"[^\s,\]}#]+(?: \d[^\s,\]}#]*)?")  # the blank: `1979-05-27 07:32:00`
_DEPTH: Final = 100


def scan(text: str) -> Entries:
    """Values of a TOML file; one with a fault gives none, and the fault is named."""
    entries = Entries()
    try:
        data = bounded.loads(text.removeprefix("\ufeff"))
    except ValueError as e:
        entries.stop(" ".join(str(e).split())[:200])
        return entries
    places = _Places(text)
    try:
        flatten(entries, (), data, at=places.of)
    except FullError:
        entries.full()
    return entries


class _Places:
    """Where the values of a well-formed text stand."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.spans: dict[Path, Span] = {}
        self.counts: dict[Path, int] = {}  # arrays of tables: how many so far
        self.breaks = [m.start() for m in re.finditer("\n", text)]
        table: Path = ()
        at = int(text.startswith("\ufeff"))
        try:
            while (at := _end(_GAP, text, at)) < len(text):
                if text[at] == "[":
                    table, at = self.heading(at)
                else:
                    at = self.pair(at, table)
        except _LostError:
            return  # what follows has no place of its own

    def of(self, path: Path) -> Place:
        """Line, span and why it cannot be edited; of what has no place, the line above it."""
        for n in range(len(path), 0, -1):
            if path[:n] in self.spans:
                span = self.spans[path[:n]]
                return self.line(span[0]), span if n == len(path) else NOWHERE, ""
        return 0, NOWHERE, ""

    def line(self, at: int) -> int:
        return bisect.bisect_left(self.breaks, at) + 1

    def heading(self, at: int) -> tuple[Path, int]:
        double = self.text[at : at + 2] == "[["
        names, at = _keys(self.text, at + 1 + double)
        table = self.placed(names[:-1] if double else names)
        if double:
            whole = (*table, names[-1])
            self.counts[whole] = self.counts.get(whole, -1) + 1
            table = (*whole, str(self.counts[whole]))
        return table, _end(_BLANK, self.text, at) + 1 + double

    def placed(self, names: Path) -> Path:
        """`names` with the index of the latest table behind each array of tables."""
        out: Path = ()
        for name in names:
            out = (*out, name)
            if out in self.counts:
                out = (*out, str(self.counts[out]))
        return out

    def pair(self, at: int, table: Path) -> int:
        names, at = _keys(self.text, at)
        return self.value(_end(_BLANK, self.text, at + 1), (*table, *names))

    def value(self, at: int, path: Path) -> int:
        if len(path) > _DEPTH:
            raise _LostError
        text, start = self.text, at
        head = text[at : at + 1]
        if head in ("[", "{"):
            at, index = _end(_GAP, text, at + 1), 0
            while text[at] not in "]}":
                if head == "[":
                    at = self.value(at, (*path, str(index)))
                    index += 1
                else:
                    at = self.pair(at, path)
                at = _end(_GAP, text, at)
                if text[at] == ",":
                    at = _end(_GAP, text, at + 1)
            self.spans[path] = (start, at + 1)
            return at + 1
        match = (_STRING if head in ("'", '"') else _BARE).match(text, at)
        if not match:
            raise _LostError
        self.spans[path] = match.span()
        return match.end()


class _LostError(Exception):
    """The scanner cannot follow."""


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    match = pattern.match(text, at)
    return match.end() if match else at


def _keys(text: str, at: int) -> tuple[Path, int]:
    """A dotted key and where it ends."""
    names: list[str] = []
    while True:
        match = _KEY.match(text, _end(_BLANK, text, at))
        if not match:
            raise _LostError
        raw = match.group()
        names.append(_text(raw) if raw[0] in "\"'" else raw)
        at = _end(_BLANK, text, match.end())
        if text[at : at + 1] != ".":
            return tuple(names), at
        at += 1


def _text(raw: str) -> str:
    return str(bounded.loads(f"v = {raw}")["v"])


# ---------------------------------------------------------------- splicing


def read(text: str) -> object:
    """What ``tomllib.loads`` makes of the text.

    Raises
    ------
    SpliceError
        If it is no TOML, or asks for more than a config needs.
    """
    try:
        return bounded.loads(text.removeprefix("\ufeff"))
    except ValueError as e:
        raise SpliceError(f"it is no valid TOML ({e})") from e


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
    return splice_at(text, targets, Way(scan, literal, "TOML", read, add=_added))


def _added(text: str, known: Iterable[Spot], target: Target) -> tuple[int, str, str]:
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
