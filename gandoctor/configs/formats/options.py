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
from typing import TYPE_CHECKING, Final

from gandoctor.configs.entries import Entries, FullError, printed
from gandoctor.configs.printed import without_default
from gandoctor.configs.splice import (
    Spliced,
    SpliceError,
    Target,
    Value,
    Way,
    by_tail,
    flag_text,
    number_text,
    splice_at,
)
from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SUFFIXES: Final = (".txt", ".ini", ".cfg", ".conf", ".gin", ".flags", ".opt", ".args", "")
_NAMESPACE: Final = late_pattern(r"\bNamespace\s*\(")
_LINE: Final = late_pattern(
    r"""\s*["']?([A-Za-z_][\w./@-]*)["']?\s*(=(?!=)|:(?!//)|\t+)[^\S\n]*(.*)$"""
)
_SECTION: Final = late_pattern(r"\s*\[([^\]\n]{1,100})\]\s*(?:[#;].*)?$")
_FLAG: Final = late_pattern(r"(?:^|\s)--?([A-Za-z][\w./-]*)(?:=(\"[^\"]*\"|'[^']*'|\S*))?")
_LONGEST: Final = 200_000
_WHOLE: Final = frozenset({"config", "args", "opt", "opts", "options", "hparams", "params"})
_COMMENT: Final = late_pattern(r"\s*(#|;|//|$)")
# A value in quotes or brackets may hold what would begin a comment elsewhere.
_QUOTED: Final = late_pattern(r"""(?:"(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+')(?=\s*(?:[,#;\[]|$))""")
_MARK: Final = late_pattern(r"[\"']|\s#")
_REMARK: Final = late_pattern(r"(?:^|[ \t])[#;]")
_BARE: Final = "is a flag without a value: it is there or not"
_SEVERAL: Final = "is given several values at once"
_GOES_ON: Final = "goes on below its line, so it does not stand in the file as a plain value"


def scan(text: str) -> Entries:
    """Values of one of the shapes above; lines that are none of them are passed over."""
    entries = Entries()
    try:
        if found := _NAMESPACE.search(text):
            _members(entries, text, found.end(), "=")
            return entries
        flags = sum(
            line.lstrip().startswith("--") and line.lstrip(" -") != "" for line in text.splitlines()
        )
        if flags and not re.search(r"^-{5,}", text, re.MULTILINE):
            _flags(entries, text)
        else:
            _pairs(entries, text)
    except FullError:
        entries.full()
    return entries


def _lines(text: str) -> Iterator[tuple[int, int, str]]:
    """Number, start and text of each line, without its end."""
    at = int(text.startswith("\ufeff"))
    for number, raw in enumerate(text[at:].splitlines(keepends=True), 1):
        yield number, at, raw.rstrip()
        at += len(raw)


def _pairs(entries: Entries, text: str) -> None:
    section: tuple[str, ...] = ()
    key_indent = -1  # of the key in an INI section whose value goes on below it
    lines = list(_lines(text))
    for (number, at, line), (_, _, below) in itertools.zip_longest(
        lines, lines[1:], fillvalue=(0, 0, "")
    ):
        if 0 <= key_indent < _indent(line):
            continue
        key_indent = -1
        if _COMMENT.match(line):
            continue
        if head := _SECTION.match(line):
            section = (head[1].strip(),)
            continue
        if not (found := _LINE.match(line)):
            continue
        stuck = ""
        if section and _indent(below) > _indent(line):
            key_indent = _indent(line)
            stuck = _GOES_ON
        value = _without_remark(found[3])
        if value.startswith("{") and found[1].lower() in _WHOLE:
            # `config: {'G_lr': ...}`: a printed dict of everything is no section of its own
            _members(entries, text, at + found.start(3) + 1, ":", number, stop=at + len(line))
        else:
            printed(entries, (*section, found[1]), value, number, at + found.start(3), stuck=stuck)


def _indent(line: str) -> int:
    """How far a line is indented; a blank one or a comment is not."""
    bare = line.lstrip()
    return len(line) - len(bare) if bare and not bare.startswith(("#", ";")) else 0


def _without_remark(text: str) -> str:
    """A value without the comment, the comma and the ``[default: x]`` behind it."""
    if quoted := _QUOTED.match(text):
        return quoted.group()
    text = without_default(text)
    from_ = 0
    if text[:1] in "[({":
        from_ = max(text.rfind(c) for c in "])}") + 1
    if remark := _REMARK.search(text, from_):
        text = text[: remark.start()]
    return without_default(text.rstrip().removesuffix(",")).rstrip()


def _flags(entries: Entries, text: str) -> None:
    for number, at, whole in _lines(text):
        if _COMMENT.match(whole):
            continue
        line = _without_comment(whole)
        found = list(_FLAG.finditer(line))
        for flag, following in itertools.zip_longest(found, found[1:]):
            assert flag is not None  # noqa: S101  for the type checker
            name, start, end = flag[1], flag.start(2), flag.end(2)
            if flag[2] is None:  # `--key value` and bare `--key`
                start, end = flag.end(), following.start() if following else len(line)
            raw = line[start:end].rstrip(" \t\\")
            start += len(raw) - len(raw.lstrip())
            raw = raw.strip()
            if not raw and flag[2] is None:
                _bare(entries, name, number)
                continue
            if len(raw) > 1 and raw[0] == raw[-1] and raw[0] in "\"'":
                start, raw = start + 1, raw[1:-1]
                several = False
            else:
                several = len(raw.split()) > 1
            value = raw.strip("\"'")
            printed(entries, (name,), value, number, at + start, stuck=_SEVERAL if several else "")


def _bare(entries: Entries, name: str, number: int) -> None:
    """A flag that is given without a value, or taken back by its name."""
    if name.startswith("no") and len(name) > 4:
        entries.add((name[2:].lstrip("-_"),), False, number, stuck=_BARE)
    else:
        entries.add((name,), True, number, stuck=_BARE)


def _without_comment(line: str) -> str:
    """A command line up to the comment behind it."""
    quote = ""
    for found in _MARK.finditer(line) if "#" in line else ():
        mark = found.group()
        if len(mark) > 1:
            if not quote:
                return line[: found.start()]
        elif not quote:
            quote = mark
        elif mark == quote:
            quote = ""
    return line


def _members(
    entries: Entries, text: str, start: int, separator: str, line: int = 0, *, stop: int = 0
) -> None:
    """The inside of a printed ``Namespace(...)`` (``=``) or dict (``:``).

    What is no literal stays as printed.
    """
    line = line or text.count("\n", 0, start) + 1
    at = 0
    inside = text[start : min(start + _LONGEST, stop or len(text))]
    for name, value, offset in _arguments(inside, separator):
        line += inside.count("\n", at, offset)
        at = offset
        printed(entries, (name,), value, line, start + offset)


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


# ---------------------------------------------------------------- splicing


def literal(old: str, new: Value) -> str:
    """`new` in the notation of `old`."""
    if isinstance(new, bool):
        return flag_text(old, new, ("True", "False"))
    if new is None:
        return "None"
    if isinstance(new, int | float):
        return number_text(old.strip("\"'"), new)
    if re.search(r"[\s#;,\"'\[\](){}]", new) or not new:
        raise SpliceError(f"`{new}` does not fit into an option file")
    return old[0] + new + old[0] if old[:1] in ('"', "'") else new


def splice(text: str, targets: Sequence[Target]) -> Spliced:
    """Put new values in place of the old ones.

    Raises
    ------
    SpliceError
        If a key is not there, or if anything else would change.
    """
    return splice_at(text, targets, Way(scan, literal, "option file", locate=by_tail))
