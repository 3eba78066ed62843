"""TOML. ``tomllib`` gives the values.

The line of each is found by a scan for its section and key.
"""

from __future__ import annotations

import re
from typing import Final

from gandoctor.configs import bounded
from gandoctor.configs.entries import MAX_SETTINGS, Entries, FullError, flatten

SUFFIXES: Final = (".toml",)
_KEY: Final = r"""(?:[\w-]+|"[^"\n]*"|'[^'\n]*')"""
_DOTTED: Final = rf"{_KEY}(?:\s*\.\s*{_KEY})*"
_SECTION: Final = re.compile(rf"\s*(\[\[?)\s*({_DOTTED})\s*\]\]?\s*(?:#.*)?$")
_ASSIGNMENT: Final = re.compile(rf"\s*({_DOTTED})\s*=")


def parse(text: str) -> Entries:
    """Settings of a TOML file; a file with a fault gives none, and the fault is named."""
    entries = Entries()
    try:
        data = bounded.loads(text)
    except ValueError as e:
        entries.lost.append(" ".join(str(e).split())[:200])
        return entries
    try:
        flatten(entries, (), data, 0)
    except FullError:
        entries.lost.append(f"more than {MAX_SETTINGS:,} settings; the rest was not read")
    lines = _lines(text)
    for path, (value, _) in entries.found.items():
        line = next((lines[path[:n]] for n in range(len(path), 0, -1) if path[:n] in lines), 0)
        entries.found[path] = (value, line)
    return entries


def _lines(text: str) -> dict[tuple[str, ...], int]:
    lines: dict[tuple[str, ...], int] = {}
    section: tuple[str, ...] = ()
    tables: dict[tuple[str, ...], int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if head := _SECTION.match(line):
            section = _parts(head[2])
            if head[1] == "[[":
                index = tables.get(section, -1) + 1
                tables[section] = index
                section = (*section, str(index))
        elif found := _ASSIGNMENT.match(line):
            lines.setdefault((*section, *_parts(found[1])), number)
    return lines


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(p.strip("\"'") for p in re.findall(_KEY, dotted))
