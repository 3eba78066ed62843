"""JSON: a scanner that knows where each scalar stands.

Tabs, duplicates and every blank are left as they are.
"""

from __future__ import annotations

import json
import re
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
    number_text,
    prefer_last,
    splice_at,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

# With the comments of JSONC.
_BLANK: Final = re.compile(r"(?:[ \t\r\n]+|//[^\n]*|/\*.*?\*/|#[^\n]*)*", re.DOTALL)
_STRING: Final = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
_WORD: Final = re.compile(r"-?[A-Za-z0-9+.\-]+")
_DEPTH: Final = 100


def read(text: str) -> object:
    """What ``json.load`` makes of the text.

    Raises
    ------
    SpliceError
        If it is no JSON.
    """
    try:
        return json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as e:
        raise SpliceError(f"it is no valid JSON ({e})") from e


def spots(text: str) -> list[Spot]:
    """Every scalar that ``json.load`` would keep, in file order.

    Comments and trailing commas are let pass.
    """
    found: list[Spot] = []
    end = _skip(text, _value(text, _skip(text, int(text.startswith("\ufeff"))), (), found))
    if end < len(text):
        raise SpliceError(f"it is no valid JSON at character {end}")
    return prefer_last(found)


def _leaves(text: str) -> dict[Path, object]:
    """All values, by the standard reader; by our own scanner where comments keep that one out."""
    try:
        return leaves(read(text))
    except SpliceError:
        return {s.path: s.value for s in spots(text)}


def _skip(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return match.end() if match else at


def _value(text: str, at: int, path: Path, found: list[Spot]) -> int:
    """Scan one value from `at`; return where it ends."""
    if len(path) > _DEPTH:
        raise SpliceError(f"the file is nested more than {_DEPTH} levels deep")
    head = text[at : at + 1]
    if head == "{":
        return _object(text, at, path, found)
    if head == "[":
        return _array(text, at, path, found)
    match = (_STRING if head == '"' else _WORD).match(text, at)
    if not match:
        raise SpliceError(f"it is no valid JSON at character {at}")
    found.append(Spot(path, at, match.end(), text.count("\n", 0, at) + 1, read(match.group())))
    return match.end()


def _object(text: str, at: int, path: Path, found: list[Spot]) -> int:
    at = _skip(text, at + 1)
    seen: set[str] = set()
    while text[at : at + 1] != "}":
        match = _STRING.match(text, at)
        if not match:
            raise SpliceError(f"it is no valid JSON at character {at}")
        inner = (*path, str(read(match.group())))
        if inner[-1] in seen:  # json.load drops the earlier of two equal keys, with all it holds
            found[:] = [s for s in found if s.path[: len(inner)] != inner]
        seen.add(inner[-1])
        at = _skip(text, match.end())
        if text[at : at + 1] != ":":
            raise SpliceError(f"it is no valid JSON at character {at}")
        at = _skip(text, _value(text, _skip(text, at + 1), inner, found))
        if text[at : at + 1] == ",":
            at = _skip(text, at + 1)
        elif text[at : at + 1] != "}":
            raise SpliceError(f"it is no valid JSON at character {at}")
    return at + 1


def _array(text: str, at: int, path: Path, found: list[Spot]) -> int:
    at = _skip(text, at + 1)
    index = 0
    while text[at : at + 1] != "]":
        at = _skip(text, _value(text, at, (*path, str(index)), found))
        index += 1
        if text[at : at + 1] == ",":
            at = _skip(text, at + 1)
        elif text[at : at + 1] != "]":
            raise SpliceError(f"it is no valid JSON at character {at}")
    return at + 1


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
    return splice_at(text, targets, spots, _leaves, literal, add=_added)


def _added(text: str, known: Sequence[Spot], target: Target) -> tuple[int, str, str]:
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


def changes(before: str, after: str) -> dict[str, object]:
    """Dotted key -> new value of everything that the usual reader finds changed.

    None where it is gone.

    Raises
    ------
    SpliceError
        If either text cannot be read.
    """
    return changed(_leaves(before), _leaves(after))
