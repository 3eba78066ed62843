"""What the cells of a notebook show: what they printed, and where their pictures stand."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from gandoctor.model.signals import Picture
from gandoctor.parsers.printed import engine
from gandoctor.parsers.printed.places import PICTURE
from gandoctor.patterns import late_pattern
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Cell = dict[str, Any]

MOST: Final = 2_000  # pictures of a notebook
LONGEST: Final = 64 << 20  # characters of one picture
_KINDS: Final = ("image/png", "image/jpeg", "png", "jpeg")  # the last two as of nbformat 3
_TITLE: Final = late_pattern(
    r"title\s*\(\s*[frbuFRBU]{0,2}[\"']([^\"'\n]{1,200})|^[ \t]*#.*", re.MULTILINE
)
# Titles that a loop sets one after the other: title = ['Input', 'Ground truth', 'Predicted'].
_LISTED: Final = late_pattern(r"(?m)^[ \t]*titles?\s*=\s*[\[(]([^\[\]()\n]{1,300})[\])]")
_LITERAL: Final = late_pattern(r"[\"']([^\"'\n]{1,200})[\"']")
_INPUT: Final = late_pattern(
    r"\b(?:inputs?|condition|conditional|sources?|sketch|edges?|labels?|low[ _-]?res\w*|lr|mask"
    r"(?:ed)?|gr[ae]y\w*)\b",
    re.IGNORECASE,
)
_REAL: Final = late_pattern(
    r"\b(?:real|true|originals?|dataset|training|train|data|ground[ _-]?truth|targets?|gt|"
    r"expected|high[ _-]?res\w*|hr)\b",
    re.IGNORECASE,
)
_FAKE: Final = late_pattern(
    r"\b(?:fakes?|generated|generator|synthe\w+|samples?|gan|predict\w*|outputs?|translated|"
    r"reconstruct\w*|colou?ri[sz]ed|super[ _-]?res\w*|sr)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture among the outputs of a cell.

    Attributes
    ----------
    cell, output : int
        Which cell of those that were asked for, and which of its outputs.
    offset, length : int
        Where its base64 text stands in the notebook, in bytes.
    shows : tuple of str
        What its panels show, as far as the titles in the cell's code tell: of a cell that shows
        one picture.
    """

    cell: int
    output: int
    offset: int
    length: int
    shows: tuple[str, ...]


def joined(value: object) -> str:
    """A text, which a notebook may hold as a list of lines."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(v for v in value if isinstance(v, str))
    return ""


def outputs_of(cell: Cell) -> list[dict[str, Any]]:
    """The outputs of a cell."""
    outputs = cell.get("outputs")
    return [x for x in outputs if isinstance(x, dict)] if isinstance(outputs, list) else []


def printed(cell: Cell) -> str:
    """What a cell printed."""
    items = [x for x in outputs_of(cell) if x.get("output_type") == "stream"]
    return "".join(joined(x.get("text")) for x in items)


def pictures(cells: Sequence[Cell], text: str) -> list[Shown]:
    """The pictures of cells, found again in the notebook's own text.

    Parameters
    ----------
    cells : sequence of dict
        In the notebook's order.
    text : str
        The whole notebook.
    """
    found: list[Shown] = []
    cursor = _Cursor(text)
    for k, cell in enumerate(cells):
        titles: tuple[str, ...] | None = None
        for n, output in enumerate(outputs_of(cell)):
            value = _encoded(output)
            if value is None or len(found) >= MOST:
                continue
            place = cursor.find(value)
            if place is None:
                continue
            if titles is None:
                alone = sum(_encoded(x) is not None for x in outputs_of(cell)) == 1
                titles = _titles(joined(cell.get("source", cell.get("input")))) if alone else ()
            found.append(Shown(k, n, *place, titles))
    return found


def _encoded(output: dict[str, Any]) -> list[str] | None:
    """The base64 text of an output's picture, piece by piece."""
    if output.get("output_type") not in ("display_data", "execute_result", "pyout"):
        return None
    data = output.get("data", output)
    value = next((data[k] for k in _KINDS if k in data), None) if isinstance(data, dict) else None
    pieces = [value] if isinstance(value, str) else value
    if not isinstance(pieces, list) or not pieces or not all(isinstance(p, str) for p in pieces):
        return None
    return pieces if 0 < sum(map(len, pieces)) <= LONGEST and pieces[0] and pieces[-1] else None


class _Cursor:
    """Finds texts that follow each other in a JSON document, and tells their bytes."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = self.bytes = 0
        self.plain = text.isascii()

    def find(self, pieces: list[str]) -> tuple[int, int] | None:
        """Offset and length in bytes of a text that is written as these pieces."""
        first, last = (json.dumps(p)[1:-1] for p in (pieces[0], pieces[-1]))
        start = self.text.find(first, self.at)
        stop = self.text.find(last, start) + len(last) if start >= 0 else -1
        if start < 0 or stop < len(last):
            return None
        between = self.text[self.at : start]
        self.bytes += len(between) if self.plain else len(between.encode("utf-8", "replace"))
        offset, length = self.bytes, stop - start
        self.at, self.bytes = stop, offset + length
        return offset, length


def _titles(source: str) -> tuple[str, ...]:
    """What the titles that a cell sets say of its panels, in their order: real, fake or input.

    Empty where one of them tells none of these, or several.
    """
    source = source[:200_000]
    titles = [m[1] for m in _TITLE.finditer(source) if m[1]]
    if not titles and (listed := _LISTED.search(source)):
        titles = _LITERAL.findall(listed[1])
    said = [_said_by(title) for title in titles]
    if "" in said:
        return ()
    # Beside generated ones alone, what goes in is real pictures.
    return tuple("real" if "real" not in said and kind == "input" else kind for kind in said)


def _said_by(title: str) -> str:
    kinds = {"real": _REAL, "fake": _FAKE, "input": _INPUT}
    found = [kind for kind, words in kinds.items() if words.search(title)]
    # "Generated from the input", "real input": what goes in tells less than the rest.
    found = [kind for kind in found if kind != "input"] or found
    return found[0] if len(found) == 1 else ""


def printed_with(cells: Sequence[Cell], shown: Sequence[Shown]) -> str:
    """What the cells printed, a mark between them, and a line at each picture's place."""
    places = {(s.cell, s.output) for s in shown}
    return "\n".join(filter(None, (_with_places(k, cell, places) for k, cell in enumerate(cells))))


def _with_places(k: int, cell: Cell, places: set[tuple[int, int]]) -> str:
    lines = list(_lines(k, cell, places))
    text = "\n".join(lines)
    return f"{engine.MARK}\n{text}" if printed(cell) else text


def _lines(k: int, cell: Cell, places: set[tuple[int, int]]) -> Iterator[str]:
    """Lines of a cell's output; a picture stands behind the line that was begun before it.

    Where that line holds no number yet, it goes on behind the picture, which then stands before it.
    """
    begun, waiting = "", 0
    for n, output in enumerate(outputs_of(cell)):
        if output.get("output_type") == "stream":
            *whole, rest = (begun + joined(output.get("text"))).split("\n")
            if whole:
                yield whole[0]
                yield from [PICTURE] * waiting
                waiting = 0
                yield from whole[1:]
            begun = rest
        elif (k, n) in places:
            if any(c.isdigit() for c in begun):
                waiting += 1
            else:
                yield PICTURE
    if begun or printed(cell):
        yield begun
    yield from [PICTURE] * waiting


def placed(shown: Sequence[Shown], steps: Sequence[int | None]) -> tuple[Picture, ...]:
    """The pictures that go with a record, and those whose titles call them real, at step -1.

    ``Picture.path`` is empty: the pictures are in the notebook itself.
    """
    found = []
    for s, step in zip(shown, steps, strict=True):
        if set(s.shows) == {"real"}:
            found.append(Picture("outputs/real", -1, "", s.offset, s.length, "base64", s.shows))
        elif step is not None:
            found.append(Picture(_tag(s), step, "", s.offset, s.length, "base64", s.shows))
    return tuple(found)


def _tag(shown: Shown) -> str:
    return "outputs/generated" if "real" in shown.shows else "outputs"
