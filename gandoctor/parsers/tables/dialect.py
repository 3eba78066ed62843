"""How a table is written: delimiter, decimal sign, header."""

from __future__ import annotations

import csv
import itertools
import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from gandoctor.errors import InputError
from gandoctor.parsers.rows.cells import is_blank, is_number
from gandoctor.parsers.rows.names import has_counter, tells_of_training
from gandoctor.patterns import late_pattern
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


_DELIMITERS: Final = (",", ";", "\t", "|")

BLANKS: Final = " "  # stands for runs of blanks

_PEEK: Final = 60  # lines that decide on the dialect

_LONGEST_HEADER: Final = 4_000

# loss: 0.5, which is a print; but neither 12:30:01 nor a tensor's repr
_PRINTED: Final = late_pattern(r"[A-Za-z_)\]]\s*:\s*[-+]?(?:\d|nan\b|inf\b)")

_QUOTED_CELL: Final = late_pattern(r"""(?:(?<=[,;\t|])|^)\s*+"[^"\n]*+"\s*+(?=[,;\t|]|$)""")

_COMMA_CELL: Final = late_pattern(r"[-+]?\d+,\d+(?:[eE][-+]?\d+)?")


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a table is written.

    Attributes
    ----------
    delimiter : str
        One character; a blank stands for runs of blanks; empty for a single column.
    comma : bool
        Decimals are written with a comma.
    header : tuple of str or None
        Column names; None where the file has none.
    skip : int
        Lines before the first row of data, the header among them.
    """

    delimiter: str
    comma: bool
    header: tuple[str, ...] | None
    skip: int


def is_nameless(dialect: Dialect) -> bool:
    """Whether a table has no names of columns, or numbers for names."""
    return dialect.header is None or is_numbered(dialect.header)


def find_dialect(text: str, where: str = "", *, strict: bool = True) -> Dialect:
    """Delimiter, decimal sign and header from the first lines.

    Parameters
    ----------
    text : str
    where : str
        Name of the file, for errors.
    strict : bool
        Whether nearly all rows have to be of one width; less will do in a file that is called a
        table.

    Raises
    ------
    InputError
        The text is no table with numbers in it.
    """
    lines = text.splitlines()[: 40 * _PEEK]
    begin = next(
        (i for i, s in enumerate(lines) if s.strip() and not _comment(s, lines[i + 1 : i + 3])),
        len(lines),
    )
    peek = [s for s in lines[begin:] if s.strip()][:_PEEK]
    if not peek:
        raise InputError("an empty file" if not text.strip() else "nothing but comments", where)
    best: tuple[float, str] = (0.0, "")
    for delimiter in (*_DELIMITERS, BLANKS, ""):
        score = _fit(peek, delimiter, 0.5 if delimiter in _DELIMITERS and not strict else 0.7)
        if score > best[0]:
            best = (score, delimiter)
    if best[0] <= 0:
        if is_only_header(text):
            raise InputError("a header and no rows: nothing was logged", where)
        raise InputError("no table of numbers", where)
    if sum(bool(_PRINTED.search(_QUOTED_CELL.sub("", s))) for s in peek) * 2 > len(peek):
        raise InputError("printed lines, no table", where)
    delimiter = best[1]
    rows = list(rows_of(peek, delimiter))
    comma = delimiter in (";", "\t", "|") and any(
        _COMMA_CELL.fullmatch(c.strip()) for r in rows for c in r
    )
    header, length = _header(rows, comma)
    if header is None and all(is_blank(c) for c in rows[0]):
        raise InputError("no table of numbers", where)
    skip = begin
    for _ in range(length):
        while not lines[skip].strip():
            skip += 1
        skip += 1
    return Dialect(delimiter, comma, header, skip)


def is_only_header(text: str) -> bool:
    """Whether a text is the first line of a log and nothing else."""
    lines = [s for s in text.splitlines() if s.strip()]
    if len(lines) != 1 or len(text) > _LONGEST_HEADER:
        return False
    names = re.split(r"[,;\t|]", lines[0])
    return (
        len(names) > 1
        and not any(map(is_number, names))
        and (has_counter(names) or tells_of_training(names))
    )


def _comment(line: str, following: Sequence[str]) -> bool:
    """A line of remarks: ``# made by ...``.

    A ``#`` before the names of the columns belongs to the header.
    """
    if re.fullmatch(r"sep=.\s*", line):  # Excel
        return True
    if not line.lstrip().startswith(("#", "%", "//")):
        return False
    width = len(line.lstrip("#%/ ").split(","))
    following = [s for s in following if s.strip()]
    return not following or width == 1 or width != len(following[0].split(","))


def rows_of(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    """Cells of each line that is not blank."""
    if delimiter == "":
        yield from ([s.strip()] for s in lines if s.strip())
    elif delimiter == BLANKS:
        yield from (s.split() for s in lines if s.strip())
    else:
        try:
            for row in csv.reader(lines, delimiter=delimiter, skipinitialspace=True):
                if any(map(str.strip, row)):
                    yield row
        except csv.Error as fault:
            raise InputError(f"a damaged table ({fault})") from None


def _fit(peek: Sequence[str], delimiter: str, least: float) -> float:
    """How table-like the lines are under a delimiter.

    0 where fewer than `least` of the rows are of one width.
    """
    try:
        rows = list(rows_of(peek, delimiter))
    except InputError:
        return 0.0
    widths = Counter(len(r) for r in (rows[1:] or rows))
    if not widths:
        return 0.0
    width, agree = widths.most_common(1)[0]
    if delimiter != "" and width < 2:
        return 0.0
    body = [r for r in rows if len(r) == width and not any(looks_like_name(c) for c in r)]
    if len(body) * 2 < len(rows):
        body = rows[1:] or rows
    comma = delimiter in (";", "\t", "|")
    cells = [c for r in body for c in r if not is_blank(c)]
    share = sum(is_number(c, comma=comma) for c in cells) / max(1, len(cells))
    by_column = [
        [c for c in column if not is_blank(c)]
        for column in itertools.zip_longest(*body, fillvalue="")
    ]
    numeric = sum(
        bool(c) and sum(is_number(x, comma=comma) for x in c) * 2 > len(c) for c in by_column
    )
    if numeric == 0 or (delimiter in (BLANKS, "") and share < 0.9):
        return 0.0
    if delimiter == BLANKS and any(len(r) != width for r in rows[:1]) and not _all_numbers(rows[0]):
        return 0.0
    if delimiter == "" and not (_all_numbers(rows[-1]) and max(map(len, peek)) < 60):
        return 0.0
    if agree < least * len(rows[1:] or rows):
        return 0.0
    rank = {BLANKS: 0.5, "": 0.1}.get(delimiter, 1.0)
    return (
        rank * (agree / max(1, len(rows[1:] or rows))) * (0.2 + share) * min(1.0, 0.5 + numeric / 4)
    )


def looks_like_name(cell: str) -> bool:
    """Whether a cell holds a word."""
    return bool(re.search(r"[^\W\d]", cell)) and not is_number(cell) and not is_blank(cell)


def _all_numbers(row: Sequence[str]) -> bool:
    return all(is_number(c) or is_blank(c) for c in row)


def _header(rows: Sequence[Sequence[str]], comma: bool) -> tuple[tuple[str, ...] | None, int]:
    """Column names and how many lines they take."""
    width = Counter(len(r) for r in rows).most_common(1)[0][0]
    if len(rows) > 1 and is_numbered(rows[0]):
        return tuple(rows[0]), 1
    lines: list[Sequence[str]] = []
    for row in rows:
        if sum(is_number(c, comma=comma) for c in row) or len(lines) == 3:
            break
        if not any(re.search(r"[^\W\d]", c) for c in row):
            break
        lines.append(row)
    if not lines:
        return None, 0
    if len(lines) == len(rows) and len(rows) > 1:
        lines = lines[:1]
    # A title above the header has one cell; the last line that is as wide as the data names the
    # columns.
    wide = [r for r in lines if len(r) >= width or (len(r) == width - 1 and len(r) > 1)]
    if not wide:
        wide = [lines[-1]]
    names: list[str] = []
    for j in range(max(map(len, wide))):
        parts = [
            p
            for p in dict.fromkeys(r[j].strip().lstrip("#").strip() for r in wide if j < len(r))
            if p
        ]
        if len(wide) > 1:
            parts = [p for p in parts if not p.lower().startswith("unnamed")]
        names.append("/".join(parts))
    if len(names) == width - 1:
        names.insert(0, "")  # written by R, or by pandas with a lost index name
    return tuple(names), len(lines)


def is_numbered(row: Sequence[str]) -> bool:
    """The header that pandas writes for a table without names: an empty cell, then 0, 1, 2, ..."""
    return (
        len(row) > 1
        and not row[0].strip()
        and [c.strip() for c in row[1:]] == [str(k) for k in range(len(row) - 1)]
    )
