"""JSON with the line of every value.

``//`` comments, trailing commas, NaN and Infinity are let pass.

A scanner of our own: the standard library gives no positions, and recurses.
"""

from __future__ import annotations

import json
import re
from typing import Final

from gandoctor.configs.entries import MAX_DEPTH, MAX_SETTINGS, Entries, FullError

SUFFIXES: Final = (".json", ".json5", ".jsonc")
_PIECE: Final = re.compile(
    r"""(?P<space>[\s\ufeff]+|//[^\n]*|/\*.*?\*/|\#[^\n]*)
      | (?P<text>"(?:[^"\\\n]|\\.)*")
      | (?P<mark>[{}\[\],:])
      | (?P<bare>[^\s{}\[\],:"]+)""",
    re.VERBOSE | re.DOTALL,
)
_BARE: Final[dict[str, object]] = {
    "true": True,
    "false": False,
    "null": None,
    "NaN": float("nan"),
    "Infinity": float("inf"),
    "-Infinity": float("-inf"),
}
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?([eE][-+]?\d+)?")


class _FaultError(Exception):
    """What is wrong at a place."""


class _Box:
    """An object or list that is open: its path, and what has been seen in it."""

    __slots__ = ("count", "is_list", "items", "key", "line", "path")

    def __init__(self, path: tuple[str, ...], *, is_list: bool, line: int) -> None:
        self.path = path
        self.is_list = is_list
        self.line = line
        self.key: str | None = None  # an object's key that waits for its value
        self.count = 0
        self.items: list[object] | None = [] if is_list else None  # None once a member is not plain

    def next_path(self) -> tuple[str, ...]:
        if self.is_list:
            return (*self.path, str(self.count))
        if self.key is None:
            raise _FaultError("a value where a key was due")
        return (*self.path, self.key)


def parse(text: str) -> Entries:
    """Settings of a JSON object (or list of objects).

    What follows a fault is lost, and the fault's line is named.
    """
    entries = Entries()
    line, at = 1, 0
    boxes: list[_Box] = []
    done = False
    try:
        while at < len(text):
            match = _PIECE.match(text, at)
            if match is None:
                raise _FaultError(f"cannot make sense of {text[at : at + 20]!r}")
            at, piece = match.end(), match.group()
            kind = match.lastgroup
            if kind != "space":
                if done:
                    raise _FaultError("more follows after the end of the object")
                done = _feed(entries, boxes, kind or "", piece, line)
            line += piece.count("\n")
        if boxes:
            raise _FaultError(
                "the file ends inside an object that was opened on line " + str(boxes[-1].line)
            )
    except _FaultError as e:
        entries.lost.append(f"line {line}: {e}")
    except FullError:
        entries.lost.append(f"more than {MAX_SETTINGS:,} settings; the rest was not read")
    return entries


def _feed(entries: Entries, boxes: list[_Box], kind: str, piece: str, line: int) -> bool:
    """Take one token; True where the outermost value has ended."""
    top = boxes[-1] if boxes else None
    if piece in ("{", "["):
        path = top.next_path() if top else ()
        if len(boxes) >= MAX_DEPTH:
            raise _FaultError(f"nested more than {MAX_DEPTH} levels deep")
        if top:
            top.items = None
        boxes.append(_Box(path, is_list=piece == "[", line=line))
        return False
    if top is None:
        raise _FaultError("no object: a config is expected to start with {")
    if piece in ("}", "]"):
        if top.is_list != (piece == "]"):
            raise _FaultError(f"{piece!r} closes what was opened otherwise on line {top.line}")
        if top.path and (top.items is not None or (not top.is_list and not top.count)):
            entries.add(top.path, top.items or (), top.line)
        boxes.pop()
        if boxes:
            _ended(boxes[-1])
        return not boxes
    if kind == "mark":  # a comma or colon out of place does no harm to the values
        return False
    value = _value(kind, piece)
    if not top.is_list and top.key is None:
        if kind != "text":
            raise _FaultError(f"a key in double quotes was due, not {piece[:20]!r}")
        top.key = str(value)
        return False
    entries.add(top.next_path(), value, line)
    if top.items is not None:
        top.items.append(value)
    _ended(top)
    return False


def _ended(box: _Box) -> None:
    box.key = None
    box.count += 1


def _value(kind: str, piece: str) -> object:
    if kind == "text":
        try:
            return json.loads(piece, strict=False)
        except ValueError:
            return piece[1:-1]
    if piece in _BARE:
        return _BARE[piece]
    if _NUMBER.fullmatch(piece):
        try:
            return float(piece) if re.search(r"[.eE]", piece) else int(piece)
        except ValueError:
            return piece
    raise _FaultError(f"{piece[:20]!r} is no JSON value")
