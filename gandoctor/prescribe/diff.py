"""Unified diffs that ``patch -p1 --fuzz=0`` and ``git apply`` accept, and their exact inverse."""

from __future__ import annotations

import difflib
import re
from typing import Final

from gandoctor.errors import InputError
from gandoctor.patterns import late_pattern

_NO_NEWLINE: Final = "\\ No newline at end of file\n"
_PLAIN_NAME: Final = late_pattern(r"[^\x00-\x1f\x7f\"\\]*")


def unified(name: str, old: str, new: str, *, context: int = 3) -> str:
    r"""The diff of one file.

    Lines end at ``\n`` alone, as for patch: a form feed or a bare ``\r`` is part of its line, and
    CRLF stays CRLF.

    Parameters
    ----------
    name : str
        Path relative to the folder the diff is applied in, POSIX separators.
    old, new : str
        The whole texts; equal texts give an empty diff.
    """
    before, after = lines(old), lines(new)
    out: list[str] = []
    for group in difflib.SequenceMatcher(None, before, after, autojunk=False).get_grouped_opcodes(
        context
    ):
        a, b = (group[0][1], group[-1][2]), (group[0][3], group[-1][4])
        out.append(f"@@ -{_range(*a)} +{_range(*b)} @@\n")
        for kind, i1, i2, j1, j2 in group:
            if kind == "equal":
                out += _marked(" ", before[i1:i2])
            else:
                out += _marked("-", before[i1:i2])
                out += _marked("+", after[j1:j2])
    return (
        "".join([f"--- {_header('a/' + name)}\n", f"+++ {_header('b/' + name)}\n", *out])
        if out
        else ""
    )


def lines(text: str) -> list[str]:
    r"""Lines with their ``\n``; the last may lack it."""
    parts = text.split("\n")
    return [p + "\n" for p in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def _range(start: int, stop: int) -> str:
    size = stop - start
    first = start + 1 if size else start
    return f"{first}" if size == 1 else f"{first},{size}"


def _marked(mark: str, items: list[str]) -> list[str]:
    return [
        mark + line if line.endswith("\n") else f"{mark}{line}\n{_NO_NEWLINE}" for line in items
    ]


def _header(name: str) -> str:
    """The name as git writes it.

    Quoted around quotes and control characters, closed by a tab if it holds a blank.
    """
    if not _PLAIN_NAME.fullmatch(name):
        return f'"{"".join(map(_quoted, name))}"'
    return name + "\t" if " " in name else name


def _quoted(char: str) -> str:
    """A character as git writes it between quotes."""
    if char in '"\\':
        return f"\\{char}"
    return f"\\{ord(char):03o}" if ord(char) < 32 or ord(char) == 127 else char


_HUNK: Final = late_pattern(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


def split(diff: str) -> dict[str, list[str]]:
    """File name -> the diff's lines from its first hunk on.

    Raises
    ------
    InputError
        If it is no diff of this kind.
    """
    out: dict[str, list[str]] = {}
    body: list[str] | None = None
    waiting = False
    left = 0
    for line in lines(diff):
        if left == 0 and line.startswith("--- "):
            waiting, body = True, None
        elif waiting and line.startswith("+++ "):
            name = _name(line[4:].rstrip("\n"))
            body, waiting = out.setdefault(name, []), False
        elif body is not None:
            match = _HUNK.match(line)
            if match and left == 0:
                left = int(match[2] or 1) + int(match[4] or 1)
            elif line[:1] in "-+":
                left -= 1
            elif line[:1] == " ":
                left -= 2
            elif line[:1] != "\\":
                raise InputError("the diff cannot be read", hint="a unified diff is needed")
            body.append(line)
        else:
            raise InputError("the diff cannot be read", hint="a unified diff is needed")
    return out


def _name(header: str) -> str:
    header = header.split("\t", maxsplit=1)[0]
    if header.startswith('"'):
        header = re.sub(
            r"\\(\d{3}|.)", lambda m: chr(int(m[1], 8)) if m[1].isdigit() else m[1], header[1:-1]
        )
    return header.removeprefix("b/")


def applied(text: str, body: list[str], name: str) -> str:
    """`text` with the hunks of one file applied: exact lines at their exact places, or not at all.

    Raises
    ------
    InputError
        If the text is not the one the diff was made for.
    """
    before = lines(text)
    out: list[str] = []
    at = 0
    for index, raw in enumerate(body):
        match = _HUNK.match(raw)
        if match:
            start = int(match[1]) - (0 if match[2] == "0" else 1)
            if start < at or start > len(before):
                raise stale(name)
            out += before[at:start]
            at = start
            continue
        if raw[:1] == "\\":
            continue
        line = raw[1:]
        if body[index + 1 : index + 2] == [_NO_NEWLINE]:
            line = line[:-1]
        if raw[0] in " -":
            if before[at : at + 1] != [line]:
                raise stale(name)
            at += 1
        if raw[0] in " +":
            out.append(line)
    return "".join(out + before[at:])


def stale(name: str) -> InputError:
    """The error for a file that is not the one the diff was made for."""
    return InputError(
        "the file has changed since the run was analysed", where=name, hint="analyse the run again"
    )
