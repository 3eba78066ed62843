"""The cells of a table, by the csv module and with care for every odd thing."""

from __future__ import annotations

import csv
import io
import itertools
from collections import Counter
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.errors import InputError
from gandoctor.files.reading import LONGEST_TAG
from gandoctor.parsers.rows.cells import is_number, numbers
from gandoctor.parsers.rows.column import Column
from gandoctor.parsers.rows.names import has_counter, telling
from gandoctor.parsers.tables.dialect import BLANKS, Dialect, looks_like_name, rows_of
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


UNFINISHED: Final = "the last row is unfinished"

_MOST_COLUMNS: Final = 2_000

_MOST_WORDS: Final = 200  # columns of words: no more are looked at

# Columns, rows, columns of words, notes.
Table = tuple[list[Column], int, dict[str, list[str]], list[str]]


def unique(names: Sequence[str]) -> list[str]:
    """Names of columns, those that stand there again with a number behind."""
    seen: Counter[str] = Counter()
    out = []
    for name in (n[: LONGEST_TAG + 1] for n in names):
        seen[name] += 1
        out.append(name if seen[name] == 1 else f"{name}.{seen[name] - 1}")
    return out


def by_csv(text: str, dialect: Dialect, lost: list[str]) -> Table:
    """The careful way: every odd thing of a real file."""
    sections, repeated = _sections(text, dialect)
    body = [row for _, rows in sections for row in rows]
    if not body:
        raise InputError("a header and no rows: nothing was logged")
    width = Counter(map(len, body)).most_common(1)[0][0]
    if dialect.header is None:
        sections = [([f"column {j}" for j in range(width)], body)]
    names = few_enough(list(dict.fromkeys(n for own, _ in sections for n in own)), dialect, lost)
    own, last = sections[-1]
    if last and not text.endswith(("\n", "\r")) and len(last[-1]) < len(own):
        lost.append(UNFINISHED)
        last.pop()
    long = sum(any(row[len(own) :]) for own, rows in sections for row in rows)
    short = sum(len(row) < len(own) for own, rows in sections for row in rows)
    if long:
        lost.append(f"{long} rows have more cells than the header")
    notes = [f"the header is repeated {repeated} times within the file"] if repeated else []
    if short:
        notes.append(f"{short} rows have fewer cells than the header")
    count = sum(len(section) for _, section in sections)
    columns, words = _columns(_by_name(sections, names), count, dialect.comma, lost)
    return columns, count, words, notes


def few_enough(names: list[str], dialect: Dialect, lost: list[str]) -> list[str]:
    """The columns to read: of very many, those that count steps or tell of training first.

    Raises
    ------
    InputError
        So many columns, and none of them does either: a table of something else.
    """
    if len(names) <= _MOST_COLUMNS:
        return names
    told = telling(names) | {n for n in names if has_counter([n])}
    if dialect.header is None or not told:
        raise InputError(
            f"{len(names):,} columns, and none is called like a step or a loss: no training log",
            hint="a log has a row for each step and a named column for each series; is the table "
            "turned on its side?",
        )
    chosen = set(sorted(names, key=lambda n: n not in told)[:_MOST_COLUMNS])  # a stable sort
    lost.append(
        f"{len(names) - len(chosen):,} of {len(names):,} columns: at most {_MOST_COLUMNS:,} are "
        "read"
    )
    return [n for n in names if n in chosen]


def _sections(text: str, dialect: Dialect) -> tuple[list[tuple[list[str], list[list[str]]]], int]:
    """Rows under their header, a new section where another header stands.

    How often the same one is repeated.
    """
    csv.field_size_limit(1 << 20)
    lines = (
        text.splitlines()[dialect.skip :]
        if dialect.delimiter in ("", BLANKS)
        else _after(text, dialect.skip)
    )
    header = list(dialect.header or ())
    sections: list[tuple[list[str], list[list[str]]]] = [(unique(header), [])]
    repeated = 0
    for row in rows_of(lines, dialect.delimiter):
        cells = [c.strip() for c in row]
        if header and cells[: len(header)] == header and not any(cells[len(header) :]):
            repeated += 1
        elif header and _is_header(cells, dialect.comma):
            sections.append((unique(cells), []))
        else:
            sections[-1][1].append(cells)
    return sections, repeated


@dataclass(slots=True)
class _Cells:
    """The cells of a column, and their rows, stretch by stretch."""

    cells: list[str]
    at: list[range]


def _by_name(
    sections: Sequence[tuple[list[str], list[list[str]]]], names: Sequence[str]
) -> dict[str, _Cells]:
    """Cells of each column over all sections.

    Those that a row or a section does not have take no room.
    """
    out = {n: _Cells([], []) for n in names}
    first = 0
    for own, rows in sections:
        if not rows:
            continue
        # Side by side as far as most rows go; what stands further out in a few of them is picked
        # one by one.
        width = min(len(own), 2 * sum(map(len, rows)) // len(rows) + 1)
        here = range(first, first + len(rows))
        for name, cells in zip(
            own[:width],
            itertools.zip_longest(
                *(r if len(r) <= width else r[:width] for r in rows), fillvalue=""
            ),
            strict=False,
        ):
            if (column := out.get(name)) is not None:
                column.cells.extend(cells)
                column.at.append(here)
        further = own[width:]
        for i, row in zip(here, rows, strict=True):
            for name, cell in zip(further, row[width:], strict=False) if len(row) > width else ():
                if (column := out.get(name)) is not None:
                    column.cells.append(cell)
                    column.at.append(range(i, i + 1))
        first += len(rows)
    return out


def _after(text: str, skip: int) -> Iterator[str]:
    """Lines of `text`, newlines kept for quoted cells, after the first `skip`."""
    stream = io.StringIO(text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", ""))
    return itertools.islice(stream, skip, None)


def _is_header(cells: Sequence[str], comma: bool) -> bool:
    return (
        len(cells) > 1
        and all(looks_like_name(c) and not is_number(c, comma=comma) for c in cells)
        and len(set(cells)) == len(cells)
    )


def _columns(
    cells_of: dict[str, _Cells], rows: int, comma: bool, lost: list[str]
) -> tuple[list[Column], dict[str, list[str]]]:
    columns: list[Column] = []
    words: dict[str, list[str]] = {}
    for name, column in cells_of.items():
        values, present, unread = numbers(column.cells, comma=comma)
        if unread * 2 > unread + int(present.sum()):
            if len(words) < _MOST_WORDS:
                words[name] = [""] * rows
                for i, cell in zip(
                    itertools.chain.from_iterable(column.at), column.cells, strict=True
                ):
                    words[name][i] = cell
            continue
        if unread:
            lost.append(f"{unread} cells of {name or 'the first column'} are no numbers")
        if len(values) == rows:
            columns.append(Column.dense(name, values, present))
        else:
            at = np.fromiter(
                itertools.chain.from_iterable(column.at), dtype=np.int64, count=len(values)
            )
            columns.append(Column(name, values[present], at[present]))
    return columns, words
