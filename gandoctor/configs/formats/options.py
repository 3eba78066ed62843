"""What argparse, absl and gin programs leave behind, and INI files.

One setting a line, or one ``Namespace(...)``.

Known shapes: ``train_opt.txt`` (``key: value   [default: x]`` between dashed lines),
``Namespace(lr=0.1, ...)`` on one line or several, absl flag files and command lines
(``--key=value``, ``--key value``, ``--nokey``), gin (``Trainer.lr = 0.1``), INI with its sections,
and plain ``key = value``.
"""

from __future__ import annotations

import itertools
import re
from typing import Final

from gandoctor.configs.entries import MAX_SETTINGS, Entries, FullError, flatten, word
from gandoctor.configs.printed import without_default

SUFFIXES: Final = (".txt", ".ini", ".cfg", ".conf", ".gin", ".flags", ".opt", ".args", "")
_NAMESPACE: Final = re.compile(r"\bNamespace\s*\(")
_LINE: Final = re.compile(r"""\s*["']?([A-Za-z_][\w./@-]*)["']?\s*(=|:(?!//)|\t+)\s*(.*)$""")
_SECTION: Final = re.compile(r"\s*\[([^\]\n]{1,100})\]\s*$")
_FLAG: Final = re.compile(r"(?:^|\s)--?([A-Za-z][\w.-]*)(?:=(\"[^\"]*\"|'[^']*'|\S*))?")
_LONGEST: Final = 200_000
_WHOLE: Final = frozenset({"config", "args", "opt", "opts", "options", "hparams", "params"})
_COMMENT: Final = re.compile(r"\s*(#|;|//|$)")


def parse(text: str) -> Entries:
    """Settings of one of the shapes above; lines that are none of them are passed over."""
    entries = Entries()
    try:
        if found := _NAMESPACE.search(text):
            line = text.count("\n", 0, found.start()) + 1
            _printed(entries, text[found.end() : found.end() + _LONGEST], "=", line)
            return entries
        flags = sum(
            line.lstrip().startswith("--") and line.lstrip(" -") != "" for line in text.splitlines()
        )
        if flags and not re.search(r"^-{5,}", text, re.MULTILINE):
            _flags(entries, text)
        else:
            _pairs(entries, text)
    except FullError:
        entries.lost.append(f"more than {MAX_SETTINGS:,} settings; the rest was not read")
    return entries


def _pairs(entries: Entries, text: str) -> None:
    section: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if _COMMENT.match(line):
            continue
        if head := _SECTION.match(line):
            section = (head[1].strip(),)
            continue
        if found := _LINE.match(line.rstrip()):
            value = without_default(found[3].removesuffix(","))
            if value.startswith("{") and found[1].lower() in _WHOLE:
                # `config: {'G_lr': ...}`: a printed dict of everything is no section of its own
                _printed(entries, value[1:_LONGEST], ":", number)
            else:
                flatten(entries, (*section, found[1]), word(value), number)


def _flags(entries: Entries, text: str) -> None:
    for number, line in enumerate(text.splitlines(), 1):
        if _COMMENT.match(line):
            continue
        found = list(_FLAG.finditer(line))
        for flag, following in itertools.zip_longest(found, found[1:]):
            name, value = flag[1], flag[2]
            if value is None:  # `--key value` and bare `--key`
                rest = line[flag.end() : following.start() if following else len(line)].strip(
                    " \t\\"
                )
                value = rest or None
            if value is not None:
                flatten(entries, (name,), word(value.strip("\"'")), number)
            elif name.startswith("no") and len(name) > 4:
                entries.add((name[2:].lstrip("-_"),), False, number)
            else:
                entries.add((name,), True, number)


def _printed(entries: Entries, text: str, separator: str, line: int) -> None:
    """The inside of a printed ``Namespace(...)`` (``=``) or dict (``:``).

    What is no literal stays as printed.
    """
    at = 0
    for name, value, offset in _arguments(text, separator):
        line += text.count("\n", at, offset)
        at = offset
        flatten(entries, (name,), word(value), line)


def _arguments(text: str, separator: str) -> list[tuple[str, str, int]]:
    """Name, source and offset of each member up to the bracket that closes the whole.

    Quotes are respected.
    """
    found: list[tuple[str, str, int]] = []
    depth, start, quote, i = 0, 0, "", 0
    while i < len(text):
        c = text[i]
        if quote:
            if c == "\\":
                i += 1
            elif c == quote:
                quote = ""
        elif c in "\"'":
            quote = c
        elif c in "([{<":
            depth += 1
        elif depth and c in ")]}>":
            depth -= 1
        elif not depth and c in ",)}":
            name, equals, value = text[start:i].partition(separator)
            key = name.strip().strip("\"'")
            if equals and re.fullmatch(r"[\w.-]+", key):
                lead = len(value) - len(value.lstrip())
                found.append((key, value.strip(), start + len(name) + 1 + lead))
            start = i + 1
            if c != ",":
                break
        i += 1
    return found
