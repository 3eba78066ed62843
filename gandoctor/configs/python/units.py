"""Python code as it stands in files: scripts, and the cells of notebooks; parsed, never run.

One bad line or cell does not lose the file: what is no Python is blanked, line by line, and the
rest keeps its places.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from bisect import bisect_right
from dataclasses import field
from typing import TYPE_CHECKING, Final, NamedTuple

from gandoctor.patterns import late_pattern
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gandoctor.configs.entries import Span

MOST_CODE: Final = 400_000  # characters of code in one file
MOST_CELLS: Final = 1_000
_MENDS: Final = 12  # lines that are blanked before a file is given up
_BLANK: Final = late_pattern(r"[ \t\r\n]*")
# What IPython reads before Python does, and a print of Python 2.
_MAGIC: Final = late_pattern(r"^([ \t]*)(?:[%!?].*|.*\?\??[ \t]*)$", re.MULTILINE)
_PRINT: Final = late_pattern(r"^([ \t]*)print[ \t]+(?![=(.,\[])[^\n]*$", re.MULTILINE)
_OCTAL: Final = late_pattern(r"(?<![\w.])0+(?=\d+\b)(?!\d*[.eExXjJ])")
_FOREIGN: Final = late_pattern(
    r"\s*%%(?:bash|sh|html|javascript|js|latex|markdown|svg|cmd|script|perl|ruby|R\b|cython|sql)"
)
_LOADED: Final = late_pattern(r"[\"'](\w{1,40}(?:\.\w{1,40}){1,6}\.[A-Z]\w{0,60})[\"']")
_COMMAND: Final = late_pattern(r"^[ \t]*[!%](?:run[ \t]+)?[^\n]*$", re.MULTILINE)


class Place(NamedTuple):
    """Where a piece of code stands.

    Attributes
    ----------
    file : str
    line : str
        ``12``, or in a notebook ``cell3:12``: cells from 0 as they stand, lines from 1.
    row : int
        Line of the file itself, from 1.
    start, end : int
        Half-open span in the file's own text; -1 where it has none.
    """

    file: str
    line: str
    row: int
    start: int
    end: int


class _Piece(NamedTuple):
    """One string of the JSON: its characters from `first` on stand in the file from `raw` on."""

    first: int
    raw: int
    end: int


@dataclass(slots=True)
class Block:
    """Code that stands together: a script, or a cell of a notebook.

    Attributes
    ----------
    code : str
    first : int
        Its first line among all lines of the unit, from 0.
    cell : int
        Which cell; -1 in a script.
    pieces : list
        Where the characters stand in the file; none where they stand there as they are.
    """

    code: str
    first: int = 0
    cell: int = -1
    pieces: list[_Piece] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)

    def start_of(self, line: int) -> int:
        """Where a line begins; the end of the code for one behind it."""
        if not self.starts:
            self.starts = [0, *(m.end() for m in _BREAK.finditer(self.code))]
        return self.starts[line - 1] if line <= len(self.starts) else len(self.code)


@dataclass(slots=True)
class Unit:
    """A file of code.

    Attributes
    ----------
    file : str
    text : str
        The file as it is.
    tree : Module
        All blocks, their lines counted through.
    blocks : list of Block
    commands : list of (str, int)
        What a notebook hands to a shell, and in which line of the unit.
    mended : int
        Lines that were no Python and have been passed over.
    """

    file: str
    text: str
    tree: ast.Module = field(default_factory=lambda: ast.Module([], []))
    blocks: list[Block] = field(default_factory=list)
    commands: list[tuple[str, int]] = field(default_factory=list)
    mended: int = 0

    def place(self, node: ast.expr | ast.stmt | ast.arg) -> Place:
        """Where a node stands."""
        block, line = self._block(node.lineno)
        last = node.end_lineno or node.lineno
        start = self._at(block, line, node.col_offset)
        end = self._at(block, last - block.first, node.end_col_offset or node.col_offset)
        label = str(line) if block.cell < 0 else f"cell{block.cell}:{line}"
        row = self.text.count("\n", 0, max(start, 0)) + 1
        return Place(self.file, label, row, start, end)

    def line(self, number: int) -> str:
        """A line of the unit as the reader knows it."""
        block, line = self._block(number)
        return str(line) if block.cell < 0 else f"cell{block.cell}:{line}"

    def cell_of(self, node: ast.expr | ast.stmt) -> int:
        """The cell that a node stands in; -1 in a script."""
        return self._block(node.lineno)[0].cell

    def written(self, place: Place) -> str:
        """The text of a place as it stands in the file."""
        return self.text[place.start : place.end]

    def escaped(self, code: str) -> str:
        """Code as this file has to write it."""
        return code if self.blocks[0].cell < 0 else json.dumps(code, ensure_ascii=False)[1:-1]

    def _block(self, line: int) -> tuple[Block, int]:
        index = bisect_right([b.first for b in self.blocks], line - 1) - 1
        block = self.blocks[max(index, 0)]
        return block, line - block.first

    def _at(self, block: Block, line: int, column: int) -> int:
        """The offset in the file of a UTF-8 column of a block's line."""
        start = block.start_of(line)
        piece = block.code[start : start + column]
        if not piece.isascii():
            raw = piece.encode("utf-8", "surrogatepass")[:column]
            piece = raw.decode("utf-8", "replace")
        offset = start + len(piece)
        if not block.pieces:
            return offset
        return _raw_offset(self.text, block.pieces, offset)


_BREAK: Final = late_pattern(r"\r\n|\r|\n")
_CHAR: Final = late_pattern(r"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u....|\\.|.", re.DOTALL)


def _raw_offset(text: str, pieces: list[_Piece], offset: int) -> int:
    """Where the character at `offset` of a decoded text stands in the JSON."""
    piece = pieces[bisect_right([p.first for p in pieces], offset) - 1]
    raw, left = piece.raw, offset - piece.first
    if "\\" not in text[piece.raw : piece.end]:
        return raw + left
    while left > 0:
        found = _CHAR.match(text, raw)
        if found is None:
            return -1
        raw, left = found.end(), left - 1
    return raw


# ---------------------------------------------------------------- reading


def unit_of(file: str, text: str) -> Unit:
    """A file of code, parsed as far as it is Python."""
    if file.lower().endswith(".ipynb"):
        return _notebook(file, text)
    unit = Unit(file, text)
    bom = int(text.startswith("\ufeff"))
    block = Block(text[bom : bom + MOST_CODE])
    if bom:
        block.pieces = [_Piece(0, 1, -1)]
    unit.blocks.append(block)
    unit.tree, unit.mended = parsed(block.code)
    return unit


def _notebook(file: str, text: str) -> Unit:
    unit = Unit(file, text)
    first = size = 0
    for cell, block in enumerate(_cells(text)):
        if block is None or cell >= MOST_CELLS:
            continue
        size += len(block.code)
        if size > MOST_CODE:
            break
        block.cell, block.first = cell, first
        unit.blocks.append(block)
        code = block.code
        for found in _COMMAND.finditer(code):
            line = first + code.count("\n", 0, found.start()) + 1
            unit.commands.append((found[0].strip().lstrip("!%"), line))
        if _FOREIGN.match(code):
            unit.commands += [
                (row, first + i) for i, row in enumerate(code.split("\n"), 1) if i > 1
            ]
        else:
            tree, mended = parsed(_MAGIC.sub(_kept_width, code))
            for node in tree.body:
                ast.increment_lineno(node, first)
            unit.tree.body += tree.body
            unit.mended += mended
        first += len(_BREAK.findall(code)) + 1
    if not unit.blocks:
        unit.blocks.append(Block(""))
    return unit


def _kept_width(found: re.Match[str]) -> str:
    """A line that does nothing: the statement stays, for a block may hold no other."""
    return f"{found[1]}pass" if found[0].strip() else found[0]


def parsed(code: str) -> tuple[ast.Module, int]:
    """The syntax of a code and how many of its lines had to be passed over."""
    mended = 0
    last = -1
    while True:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # an odd escape is not our business
                return ast.parse(code), mended
        except SyntaxError as fault:
            if mended == 0 and (other := _OCTAL.sub(_blanks, _PRINT.sub(r"\1pass", code))) != code:
                code, mended = other, 1
                continue
            line = fault.lineno or 0
            if mended > _MENDS or line <= 0:
                return _in_parts(code), mended
            # A fault that stays where it was began further up.
            line = line - 1 if line == last else line
            last, mended = line, mended + 1
            code = _without(code, line)
        except (ValueError, MemoryError, RecursionError):
            return ast.Module([], []), mended + 1


def _blanks(found: re.Match[str]) -> str:
    """The zeros of ``010`` as blanks: what follows stays where it is."""
    return " " * len(found[0])


def _without(code: str, line: int) -> str:
    rows = code.split("\n")
    if not 0 < line <= len(rows):
        return code
    row = rows[line - 1]
    rows[line - 1] = row[: len(row) - len(row.lstrip())] + "pass"
    return "\n".join(rows)


_TOP: Final = late_pattern(r"^(?=[A-Za-z_@])(?!(?:else|elif|except|finally)\b)", re.MULTILINE)


def _in_parts(code: str) -> ast.Module:
    """The statements of the outermost level that are Python, each by itself."""
    starts = [m.start() for m in _TOP.finditer(code)]
    if not starts:
        return ast.Module([], [])
    body: list[ast.stmt] = []
    line = 0
    for start, end in zip(starts, [*starts[1:], len(code)], strict=True):
        if start == starts[0]:
            line = code.count("\n", 0, start)
        part = code[start:end]
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                tree = ast.parse(part)
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            tree = ast.Module([], [])
        for node in tree.body:
            ast.increment_lineno(node, line)
        body += tree.body
        line += part.count("\n")
    return ast.Module(body, [])


# ---------------------------------------------------------------- notebooks

_JSON: Final = json.JSONDecoder(strict=False)


class _BrokenError(Exception):
    """No JSON of a notebook."""


def _cells(text: str) -> Iterator[Block | None]:
    """The cells of a notebook, None for those without code; what follows a fault is lost."""
    try:
        yield from _cells_of_object(text, _next(text, int(text.startswith("\ufeff"))))
    except (_BrokenError, ValueError, IndexError, RecursionError):
        return


def _next(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    return found.end() if found else at


def _cells_of_object(text: str, at: int, depth: int = 0) -> Iterator[Block | None]:
    """The cells below an object's ``cells``, or below its ``worksheets``."""
    for key, value in _members(text, at):
        if key == "cells" and text[value] == "[":
            for item in _items(text, value):
                yield _cell(text, item)
        elif key == "worksheets" and text[value] == "[" and depth == 0:
            for item in _items(text, value):
                yield from _cells_of_object(text, item, 1)


def _cell(text: str, at: int) -> Block | None:
    code: Block | None = None
    is_code = False
    if text[at] != "{":
        return None
    for key, value in _members(text, at):
        if key == "cell_type":
            is_code = text.startswith('"code"', value)
        elif key in ("source", "input"):
            code = _source(text, value)
    return code if is_code else None


def _source(text: str, at: int) -> Block | None:
    starts = [at] if text[at] == '"' else []
    if text[at] == "[":
        starts = list(_items(text, at))
    parts: list[str] = []
    pieces: list[_Piece] = []
    size = 0
    for start in starts:
        if text[start] != '"':
            return None
        part, end = _string(text, start)
        pieces.append(_Piece(size, start + 1, end - 1))
        parts.append(part)
        size += len(part)
    return Block("".join(parts), pieces=pieces or [_Piece(0, at, at)])


def _string(text: str, at: int) -> tuple[str, int]:
    """A string of JSON, and where it ends."""
    value, end = _JSON.raw_decode(text, at)
    if not isinstance(value, str):
        raise _BrokenError
    return value, end


def _members(text: str, at: int) -> Iterator[tuple[str, int]]:
    """Keys of an object, and where their values begin."""
    if text[at] != "{":
        raise _BrokenError
    at = _next(text, at + 1)
    while text[at] != "}":
        key, at = _string(text, at)
        at = _next(text, at)
        if text[at] != ":":
            raise _BrokenError
        at = _next(text, at + 1)
        yield key, at
        at = _after(text, at)


def _items(text: str, at: int) -> Iterator[int]:
    """Where the items of a list begin."""
    at = _next(text, at + 1)
    while text[at] != "]":
        yield at
        at = _after(text, at)


def _after(text: str, at: int) -> int:
    """Behind a value and its comma."""
    _, end = _JSON.raw_decode(text, at)
    end = _next(text, end)
    return _next(text, end + 1) if text[end] == "," else end


def is_module(dotted: str, file: str) -> bool:
    """Whether a file may be the module ``a/b/c`` of ``import a.b.c``.

    Where the tree begins within the package, the names of file and folder are the end of it.
    """
    ends = (f"/{dotted}.py", f"/{dotted}/__init__.py")
    return f"/{file}".endswith(ends) or ("/" in file and any(e.endswith(f"/{file}") for e in ends))


def loaded_by_name(text: str) -> list[str]:
    """The modules of classes that a code names in full: ``"training.loss.GANLoss"``."""
    return [p.rpartition(".")[0].replace(".", "/") for p in _LOADED.findall(text)[:40]]


def span_of(place: Place) -> Span:
    """The span of a place."""
    return place.start, place.end
