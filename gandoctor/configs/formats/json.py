"""JSON: a scanner that knows where each value stands.

``//`` comments, trailing commas, NaN and Infinity are let pass. It is our own, since the standard
library gives no positions, and recurses. Tabs, duplicates and every blank are left as they are.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from gandoctor.configs.entries import LIST, MAX_DEPTH, Entries, FullError
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

    from gandoctor.configs.entries import Path, Spot

SUFFIXES: Final = (".json", ".json5", ".jsonc")
_PIECE: Final = late_pattern(
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
_NUMBER: Final = late_pattern(r"-?\d+(\.\d+)?([eE][-+]?\d+)?")


class _FaultError(Exception):
    """What is wrong at a place."""


class _Box:
    """An object or list that is open: its path, and what has been seen in it."""

    __slots__ = ("count", "is_list", "items", "key", "keys", "line", "path", "start")

    def __init__(self, path: Path, *, is_list: bool, line: int, start: int) -> None:
        self.path = path
        self.is_list = is_list
        self.line = line
        self.start = start
        self.key: str | None = None  # an object's key that waits for its value
        self.keys: set[str] = set()
        self.count = 0
        self.items: list[object] | None = [] if is_list else None  # None once a member is not plain

    def next_path(self) -> Path:
        if self.is_list:
            return (*self.path, str(self.count))
        if self.key is None:
            raise _FaultError("a value where a key was due")
        return (*self.path, self.key)


def scan(text: str) -> Entries:
    """Values of a JSON object (or list of objects), and where they stand.

    What follows a fault is lost, and the fault's line is named.
    """
    reading = _Reading(text)
    entries = reading.entries
    try:
        reading.run()
    except _FaultError as e:
        entries.stop(f"line {reading.line}: {e}")
    except FullError:
        entries.full()
    if reading.again:
        entries.found = {p: s for p, s in entries.found.items() if not reading.is_replaced(s)}
    return entries


class _Reading:
    """The state of one scan."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.entries = Entries()
        self.line = 1
        self.boxes: list[_Box] = []
        # A key that its object gives again, and where: the earlier one goes, with all it holds.
        self.again: dict[Path, int] = {}

    def run(self) -> None:
        text, at, done = self.text, 0, False
        while at < len(text):
            match = _PIECE.match(text, at)
            if match is None:
                raise _FaultError(f"cannot make sense of {text[at : at + 20]!r}")
            start, at = match.span()
            piece, kind = match.group(), match.lastgroup
            if kind != "space":
                if done:
                    raise _FaultError("more follows after the end of the object")
                done = self.feed(kind or "", piece, start)
            self.line += piece.count("\n")
        if self.boxes:
            raise _FaultError(
                f"the file ends inside an object that was opened on line {self.boxes[-1].line}"
            )

    def feed(self, kind: str, piece: str, start: int) -> bool:
        """Take one token; True where the outermost value has ended."""
        boxes = self.boxes
        top = boxes[-1] if boxes else None
        if piece in ("{", "["):
            path = top.next_path() if top else ()
            if len(boxes) >= MAX_DEPTH:
                raise _FaultError(f"nested more than {MAX_DEPTH} levels deep")
            if top:
                top.items = None
            boxes.append(_Box(path, is_list=piece == "[", line=self.line, start=start))
            return False
        if top is None:
            raise _FaultError("no object: a config is expected to start with {")
        if piece in ("}", "]"):
            return self.close(top, piece, start)
        if kind == "mark":  # a comma or colon out of place does no harm to the values
            return False
        value = _value(kind, piece)
        if not top.is_list and top.key is None:
            if kind != "text":
                raise _FaultError(f"a key in double quotes was due, not {piece[:20]!r}")
            self.name(top, str(value), start)
            return False
        self.entries.add(top.next_path(), value, self.line, (start, start + len(piece)))
        if top.items is not None:
            top.items.append(value)
        _ended(top)
        return False

    def name(self, top: _Box, key: str, start: int) -> None:
        top.key = key
        if key in top.keys:
            self.again[(*top.path, key)] = start
        top.keys.add(key)

    def close(self, top: _Box, piece: str, start: int) -> bool:
        if top.is_list != (piece == "]"):
            raise _FaultError(f"{piece!r} closes what was opened otherwise on line {top.line}")
        if top.path and (top.items is not None or (not top.is_list and not top.count)):
            self.entries.add(top.path, top.items or (), top.line, (top.start, start + 1), LIST)
        self.boxes.pop()
        if self.boxes:
            _ended(self.boxes[-1])
        return not self.boxes

    def is_replaced(self, spot: Spot) -> bool:
        return any(
            spot.start < self.again.get(spot.path[:n], -1) for n in range(1, len(spot.path) + 1)
        )


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


# ---------------------------------------------------------------- splicing


def read(text: str) -> object:
    """What ``json.load`` makes of the text, its comments and trailing commas left out.

    Raises
    ------
    SpliceError
        If it is no JSON.
    """
    try:
        return json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        pass
    try:
        return json.loads(_bare(text))
    except (ValueError, RecursionError) as e:
        raise SpliceError(f"it is no valid JSON ({e})") from e


def _bare(text: str) -> str:
    """The text without what JSONC allows and JSON does not."""
    kept: list[str] = []
    at = 0
    while match := _PIECE.match(text, at):
        piece, kind, at = match.group(), match.lastgroup, match.end()
        if kind == "space":
            continue
        if piece in ("}", "]") and kept[-1:] == [","]:
            kept.pop()
        kept.append(piece)
    return " ".join(kept) + text[at:]


def literal(old: str, new: Value) -> str:
    """`new` as JSON, numbers in the notation of `old`."""
    if isinstance(new, int | float) and not isinstance(new, bool):
        return number_text(old, new)
    return json.dumps(new, ensure_ascii=False)


def splice(text: str, targets: Sequence[Target]) -> Spliced:
    """Put new values in place of the old ones.

    Raises
    ------
    SpliceError
        If a key is not there, or if anything else would change.
    """
    return splice_at(text, targets, Way(scan, literal, "JSON", read, add=_added))


def _added(text: str, known: Iterable[Spot], target: Target) -> tuple[int, str, str]:
    """A new member right after a sibling, laid out as the sibling is."""
    sibling = find(known, Target(target.beside, None))
    name = target.key.rpartition(".")[2]
    quote = text.rfind(json.dumps(sibling.path[-1], ensure_ascii=False), 0, sibling.start)
    if quote < 0:
        raise SpliceError(f"`{target.beside}` is written in an unusual way")
    lead = re.search(r"[ \t\r\n]*$", text[:quote])
    gap = text[quote + len(json.dumps(sibling.path[-1], ensure_ascii=False)) : sibling.start]
    shown = literal(text[sibling.start : sibling.end], target.value)
    return sibling.end, f",{lead.group() if lead else ' '}{json.dumps(name)}{gap}{shown}", shown
