"""CSV, TSV and their relatives as training scripts write them."""

from __future__ import annotations

import csv
import io
import itertools
import re
import warnings
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gandoctor.errors import GandoctorError, InputError
from gandoctor.files.reading import (
    BLANK,
    LONGEST_TAG,
    decode,
    encoding_of,
    load_text,
    look_at,
    text_of_head,
)
from gandoctor.lexicon.players import words_of
from gandoctor.parsers.rows.cells import is_blank, is_number, numbers
from gandoctor.parsers.rows.drawn import shown_table
from gandoctor.parsers.rows.table import (
    Column,
    assemble,
    assemble_runs,
    has_counter,
    plain,
    telling,
    tells_of_training,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from gandoctor.model.signals import Reading

NAME: Final = "csv"
_PART: Final = 4 << 20  # bytes read at once where one thing is looked for in all of a file
SMALL: Final = 2_000_000  # bytes; below, the csv module is faster than importing pandas
_DELIMITERS: Final = (",", ";", "\t", "|")
_BLANKS: Final = " "  # stands for runs of blanks
_PEEK: Final = 60  # lines that decide on the dialect
_TABLES: Final = (".csv", ".tsv")
_SUFFIXES: Final = (*_TABLES, ".txt", ".log", ".dat", ".out", ".trace", "")
_FEW_ROWS: Final = 5
_LONGEST_HEADER: Final = 4_000
_UNFINISHED: Final = "the last row is unfinished"
_MOST_COLUMNS: Final = 2_000
_MOST_WORDS: Final = 200  # columns of words: no more are looked at
_WIDE_HEAD: Final = 1 << 20  # bytes that decide on the dialect of a table of long lines
# Which show tables of results, too.
_PAPERS: Final = frozenset({".md", ".markdown", ".rst", ".tex", ".html", ".htm"})
_LOG_LIKE: Final = re.compile(
    r"loss|log|train|histor|metric|result|stat|progress|curve|epoch", re.IGNORECASE
)
_LOSS_LIKE: Final = re.compile(r"loss|log(?![a-z])|histor|metric|curve", re.IGNORECASE)
# loss: 0.5, which is a print; but neither 12:30:01 nor a tensor's repr
_PRINTED: Final = re.compile(r"[A-Za-z_)\]]\s*:\s*[-+]?(?:\d|nan\b|inf\b)")
_QUOTED_CELL: Final = re.compile(r"""(?:(?<=[,;\t|])|^)\s*+"[^"\n]*+"\s*+(?=[,;\t|]|$)""")
_COMMA_CELL: Final = re.compile(r"[-+]?\d+,\d+(?:[eE][-+]?\d+)?")


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


def sniff(path: Path, head: bytes) -> float:
    """How sure we are that this is a table of training metrics; `head` is the first 64 KiB."""
    text = shown_table(text_of_head(_enough(path, head)))
    if not text or text.lstrip()[:1] in ("{", "["):
        return 0.0
    suffix = path.suffix.lower()
    try:
        dialect = find_dialect(text, strict=suffix not in _TABLES)
        if _is_nameless(dialect):
            return min(_sniff_nameless(path, text), 1.0 if suffix in _SUFFIXES else 0.3)
        if not _trusted(dialect.header or (), path):
            return 0.0
        _reading(_by_csv(text, dialect, []), dialect, path, [])
    except GandoctorError:
        return 0.3 if _only_header(text) else 0.0
    return 0.9 if suffix in _TABLES else 0.75 if suffix in _SUFFIXES else 0.4


def _enough(path: Path, head: bytes) -> bytes:
    """The beginning of a file, more of it where a few of its lines do not fit."""
    if len(head) < 1 << 16 or head.count(b"\n") >= _FEW_ROWS or encoding_of(head) is None:
        return head
    try:
        with path.open("rb") as stream:
            return stream.read(_WIDE_HEAD)
    except OSError:
        return head


def _sniff_nameless(path: Path, text: str) -> float:
    """A table without column names is a log only if its name, or that of its folder, says so."""
    if text.count("\n") < _FEW_ROWS:
        return 0.0
    if any(_LOSS_LIKE.search(part) for part in (path.stem, path.parent.name)):
        return 0.55
    if _whose(path) and _has_counterpart(path):
        return 0.5
    return 0.3 if _is_log_file(path) or _whose(path) else 0.0


def read(path: Path) -> Reading:
    """Read a table of training metrics.

    Raises
    ------
    GandoctorError
        The file is no table, has no numbers, or is a table of something else.
    """
    table, dialect, lost = _load(path)
    return _reading(table, dialect, path, lost)


def read_runs(path: Path) -> list[tuple[str, Reading]]:
    """As `read`, for each of the runs whose rows take turns: a short name and a reading.

    Raises
    ------
    GandoctorError
        As `read` does.
    """
    table, dialect, lost = _load(path)
    columns, rows, said = _told(table, dialect, path, lost)
    return assemble_runs(columns, rows, **said)


def _load(path: Path) -> tuple[Table, Dialect, list[str]]:
    """Cells of a table, how it is written, and what was lost."""
    size, head = look_at(path)
    head = _enough(path, head)
    plain_head = decode(head)[0]
    shown = shown_table(plain_head)
    dialect = find_dialect(shown, path.name, strict=path.suffix.lower() not in _TABLES)
    if _is_nameless(dialect) and not _is_log_file(path) and not _whose(path):
        raise InputError(
            "a table of numbers without column names",
            path.name,
            "give its columns names, such as d_loss and g_loss",
        )
    lost: list[str] = []
    table = None
    if (
        size >= SMALL
        and shown is plain_head
        and dialect.delimiter not in ("", _BLANKS)
        and not dialect.comma
    ):
        table = _by_pandas(path, head, dialect, lost)
    if table is None:
        text, lost = load_text(path)
        table = _by_csv(shown_table(text), dialect, lost)
    return table, dialect, lost


def _reading(table: Table, dialect: Dialect, path: Path, lost: list[str]) -> Reading:
    columns, rows, said = _told(table, dialect, path, lost)
    return assemble(columns, rows, **said)


def _told(
    table: Table, dialect: Dialect, path: Path, lost: list[str]
) -> tuple[list[Column], int, dict[str, Any]]:
    """Columns by the names that they go by, and what else `assemble` is to know."""
    columns, rows, words, notes = table
    named = not _is_nameless(dialect)
    if not named:
        columns = _known_order(columns, path, notes)
    columns, dashboard, words = _dashboards(columns, words, path, notes)
    if path.suffix.lower() in _PAPERS and words and not has_counter([c.name for c in columns]):
        raise InputError("a table of results, no training log: no step or epoch column", path.name)
    silent = [n for n, cells in words.items() if n and any(not is_blank(c) for c in cells)]
    if silent:
        shown = ", ".join(silent[:5]) + (", ..." if len(silent) > 5 else "")
        notes.append(f"columns of words are left out: {shown}")
    told = {
        "where": path.name,
        "words": words,
        "lost": lost,
        "notes": notes,
        "named": named and not dashboard,
    }
    return columns, rows, told


def _is_nameless(dialect: Dialect) -> bool:
    return dialect.header is None or _is_numbered(dialect.header)


def _is_log_file(path: Path) -> bool:
    return any(_LOG_LIKE.search(part) for part in (path.stem, path.parent.name))


def _trusted(header: Sequence[str], path: Path) -> bool:
    if has_counter(header) or tells_of_training(header):
        return True
    return _is_tensorboard(header) or _is_wandb(header) or (len(header) == 1 and _is_log_file(path))


# ---------------------------------------------------------------- dialect


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
    for delimiter in (*_DELIMITERS, _BLANKS, ""):
        score = _fit(peek, delimiter, 0.5 if delimiter in _DELIMITERS and not strict else 0.7)
        if score > best[0]:
            best = (score, delimiter)
    if best[0] <= 0:
        if _only_header(text):
            raise InputError("a header and no rows: nothing was logged", where)
        raise InputError("no table of numbers", where)
    if sum(bool(_PRINTED.search(_QUOTED_CELL.sub("", s))) for s in peek) * 2 > len(peek):
        raise InputError("printed lines, no table", where)
    delimiter = best[1]
    rows = list(_rows(peek, delimiter))
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


def _only_header(text: str) -> bool:
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


def _rows(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    """Cells of each line that is not blank."""
    if delimiter == "":
        yield from ([s.strip()] for s in lines if s.strip())
    elif delimiter == _BLANKS:
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
        rows = list(_rows(peek, delimiter))
    except InputError:
        return 0.0
    widths = Counter(len(r) for r in (rows[1:] or rows))
    if not widths:
        return 0.0
    width, agree = widths.most_common(1)[0]
    if delimiter != "" and width < 2:
        return 0.0
    body = [r for r in rows if len(r) == width and not any(_looks_like_name(c) for c in r)]
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
    if numeric == 0 or (delimiter in (_BLANKS, "") and share < 0.9):
        return 0.0
    if (
        delimiter == _BLANKS
        and any(len(r) != width for r in rows[:1])
        and not _all_numbers(rows[0])
    ):
        return 0.0
    if delimiter == "" and not (_all_numbers(rows[-1]) and max(map(len, peek)) < 60):
        return 0.0
    if agree < least * len(rows[1:] or rows):
        return 0.0
    rank = {_BLANKS: 0.5, "": 0.1}.get(delimiter, 1.0)
    return (
        rank * (agree / max(1, len(rows[1:] or rows))) * (0.2 + share) * min(1.0, 0.5 + numeric / 4)
    )


def _looks_like_name(cell: str) -> bool:
    return bool(re.search(r"[^\W\d]", cell)) and not is_number(cell) and not is_blank(cell)


def _all_numbers(row: Sequence[str]) -> bool:
    return all(is_number(c) or is_blank(c) for c in row)


def _header(rows: Sequence[Sequence[str]], comma: bool) -> tuple[tuple[str, ...] | None, int]:
    """Column names and how many lines they take."""
    width = Counter(len(r) for r in rows).most_common(1)[0][0]
    if len(rows) > 1 and _is_numbered(rows[0]):
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


def _is_numbered(row: Sequence[str]) -> bool:
    """The header that pandas writes for a table without names: an empty cell, then 0, 1, 2, ..."""
    return (
        len(row) > 1
        and not row[0].strip()
        and [c.strip() for c in row[1:]] == [str(k) for k in range(len(row) - 1)]
    )


# ---------------------------------------------------------------- body

# What pandas takes for nothing by itself.
_PANDAS_MISSING: Final = frozenset({
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
    "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
})  # fmt: skip

# Columns, rows, columns of words, notes.
Table = tuple[list[Column], int, dict[str, list[str]], list[str]]


def _unique(names: Sequence[str]) -> list[str]:
    seen: Counter[str] = Counter()
    out = []
    for name in (n[: LONGEST_TAG + 1] for n in names):
        seen[name] += 1
        out.append(name if seen[name] == 1 else f"{name}.{seen[name] - 1}")
    return out


def _by_csv(text: str, dialect: Dialect, lost: list[str]) -> Table:
    """The careful way: every odd thing of a real file."""
    sections, repeated = _sections(text, dialect)
    body = [row for _, rows in sections for row in rows]
    if not body:
        raise InputError("a header and no rows: nothing was logged")
    width = Counter(map(len, body)).most_common(1)[0][0]
    if dialect.header is None:
        sections = [([f"column {j}" for j in range(width)], body)]
    names = _few_enough(list(dict.fromkeys(n for own, _ in sections for n in own)), dialect, lost)
    own, last = sections[-1]
    if last and not text.endswith(("\n", "\r")) and len(last[-1]) < len(own):
        lost.append(_UNFINISHED)
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


def _few_enough(names: list[str], dialect: Dialect, lost: list[str]) -> list[str]:
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
        if dialect.delimiter in ("", _BLANKS)
        else _after(text, dialect.skip)
    )
    header = list(dialect.header or ())
    sections: list[tuple[list[str], list[list[str]]]] = [(_unique(header), [])]
    repeated = 0
    for row in _rows(lines, dialect.delimiter):
        cells = [c.strip() for c in row]
        if header and cells[: len(header)] == header and not any(cells[len(header) :]):
            repeated += 1
        elif header and _is_header(cells, dialect.comma):
            sections.append((_unique(cells), []))
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
        and all(_looks_like_name(c) and not is_number(c, comma=comma) for c in cells)
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


def _by_pandas(path: Path, head: bytes, dialect: Dialect, lost: list[str]) -> Table | None:
    """Large, regular files by pandas' C engine.

    None where it meets anything that needs the careful way.
    """
    import pandas as pd

    if encoding_of(head) not in ("utf-8", "utf-8-sig") or _has_blank(path):
        return None
    names = _unique(dialect.header) if dialect.header else None
    # Options that look harmless (low_memory, na_values, skipinitialspace) cost the C engine up to
    # half as much again.
    options: dict[str, Any] = {
        "sep": dialect.delimiter,
        "names": names,
        "index_col": False,
        "encoding": "utf-8-sig",
    }
    if names is None:
        options |= {"header": None, "skiprows": dialect.skip}
    else:
        options |= {"header": 0, "skiprows": dialect.skip - 1, "skip_blank_lines": True}
    try:
        with warnings.catch_warnings():
            # Rows longer than the header, mixed columns: the careful way counts them.
            warnings.simplefilter("error")
            frame = pd.read_csv(path, **options)
            words = None
            if _spelt_nan(path, dialect.skip):
                # An empty cell and a NaN that was written must be told apart.
                missing = [m for m in _PANDAS_MISSING if m.lower() != "nan"]
                words = pd.read_csv(
                    path, dtype=str, keep_default_na=False, na_values=missing, **options
                )
    except (
        pd.errors.ParserError,
        pd.errors.EmptyDataError,
        Warning,
        ValueError,
        OverflowError,
        OSError,
    ):
        return None
    if not all(
        pd.api.types.is_numeric_dtype(t) and not pd.api.types.is_bool_dtype(t) for t in frame.dtypes
    ):
        return None
    if names is None:
        frame.columns = [f"column {j}" for j in range(frame.shape[1])]
    rows = len(frame)
    if _is_unfinished(path, dialect.delimiter, frame.shape[1]):
        lost.append(_UNFINISHED)
        rows -= 1
    columns = []
    chosen = set(_few_enough([str(n) for n in frame.columns], dialect, lost))
    for j, name in enumerate(frame.columns):
        if str(name) not in chosen:
            continue
        values = frame.iloc[:rows, j].to_numpy(dtype=np.float64)
        present = (
            ~np.isnan(values)
            if words is None
            else words.iloc[:rows, j].notna().to_numpy(dtype=bool)
        )
        columns.append(Column.dense(str(name), values, present))
    return columns, rows, {}, []


def _is_unfinished(path: Path, delimiter: str, width: int) -> bool:
    """Whether the file ends within a row: a training that still writes."""
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - (1 << 16)))
        tail = stream.read()
    last = tail[max(tail.rfind(b"\n"), tail.rfind(b"\r")) + 1 :]
    return bool(last.strip()) and last.count(delimiter.encode()) + 1 < width


def _has_blank(path: Path) -> bool:
    """Whether the file holds a long stretch of zeros, or ends in zeros."""
    blank, last = bytes(BLANK), 1
    for part in _parts(path, BLANK):
        if 0 in part and blank in part:
            return True
        last = part[-1]
    return last == 0


def _spelt_nan(path: Path, skip: int) -> bool:
    """Whether a NaN is written below the header.

    Looks for a single letter first, which is much faster.
    """
    for part in _parts(path, 2):
        begin = 0
        for _ in range(skip):  # the header lies in the first part
            begin = part.find(b"\n", begin) + 1
        skip = 0
        if part.find(b"a", begin) < 0 and part.find(b"A", begin) < 0:
            continue
        if any(part.find(word, begin) >= 0 for word in (b"nan", b"NaN", b"NAN")):
            return True
    return False


def _parts(path: Path, overlap: int) -> Iterator[bytes]:
    """A file piece by piece, each beginning with the end of the one before.

    Read, so that it may shrink meanwhile.
    """
    tail = b""
    with path.open("rb", buffering=0) as stream:
        while part := stream.read(_PART):
            yield tail + part
            tail = (tail + part)[-overlap:]


# ---------------------------------------------------------------- tables without a header

_MOST_OF_ONE: Final = 4  # columns of one player
_OF_ONE: Final = frozenset(
    {
        "d",
        "g",
        "loss",
        "log",
        "logs",
        "train",
        "training",
        "history",
        "hist",
        "acc",
        "accuracy",
        "and",
        "metrics",
        "net",
    }
)
_PAIRS: Final = (("discriminator", "generator"), ("Discriminator", "Generator"), ("critic",
    "generator"),
                 ("Critic", "Generator"), ("disc", "gen"), ("Disc", "Gen"), ("dis", "gen"), ("D",
                 "G"),
                 ("d", "g"))  # fmt: skip
_RGAN: Final = ("epoch", "time", "D_loss", "G_loss", "mmd2", "that", "pdf", "real_pdf")


def _known_order(columns: list[Column], path: Path, notes: list[str]) -> list[Column]:
    """Names for columns without a header.

    That of the file, or of a code base known by the look of its table.
    """
    series = [c for c in columns if c.name]
    if len(series) == 1:
        notes.append("the table has no header: its only series is called after the file")
        return [c.named(path.stem) if c.name else c for c in columns]
    if len(columns) in (6, 7, 8) and _is_rgan(columns):
        notes.append("the table has no header: its columns were named in RGAN's order")
        return [c.named(n) for n, c in zip(_RGAN, columns, strict=False)]
    if whose := _whose(path):
        named = _of_player(columns, whose, path)
        if named:
            notes.append(
                f"the table has no header: its first column of losses was taken for {whose}'s, as "
                "its name says"
            )
            return named
    notes.append(
        f"the table has no header: its {len(series)} columns are called column 0, column 1, ..."
    )
    names = itertools.count()
    return [c.named(f"column {next(names)}") if c.name else c for c in columns]


def _whose(path: Path) -> str:
    """``D`` or ``G`` where a file's name says whose losses it holds.

    Empty where it says more, or nothing.
    """
    words = words_of(path.stem)
    players = {"d", "g"} & set(words)
    return players.pop().upper() if len(players) == 1 and set(words) <= _OF_ONE else ""


def _of_player(columns: Sequence[Column], whose: str, path: Path) -> list[Column]:
    """Columns of one player: a counter, the loss, then what else.

    None where the loss may be another one.

    Programs print the loss before the accuracy. That the second is one has to be said by the file's
    or folder's name.
    """
    first = columns[0].cells
    counts = (
        len(columns) > 2
        and len(first) > 1
        and bool((first == np.rint(first)).all() and (np.diff(first) > 0).all())
    )
    rest = columns[counts:]
    if not 2 <= len(rest) <= _MOST_OF_ONE or not all(len(c) for c in rest):
        return []
    shares = [bool(np.nanmin(c.cells) >= 0 and np.nanmax(c.cells) <= 1) for c in rest]
    if shares[0] and not shares[1]:
        return []
    says = any(re.search(r"acc", part, re.IGNORECASE) for part in (path.stem, path.parent.name))
    second = f"{whose} acc" if says and shares[1] else f"column 1 of {whose}"
    named = [rest[0].named(f"{whose} loss"), rest[1].named(second)]
    named += [c.named(f"column {k} of {whose}") for k, c in enumerate(rest[2:], 2)]
    return [columns[0].named("step"), *named] if counts else named


def _has_counterpart(path: Path) -> bool:
    """Whether a file named after one player lies beside one of the other's.

    ``D.txt`` and ``G.txt``.
    """
    for one, other in _PAIRS:
        for a, b in ((one, other), (other, one)):
            if a in path.stem and path.with_name(path.name.replace(a, b, 1)).is_file():
                return True
    return False


def _is_rgan(columns: Sequence[Column]) -> bool:
    """Epoch, seconds, D loss, G loss, squared MMD, an integer, two columns that are mostly NA."""
    first = [c.cells for c in columns[:6]]
    if any(not len(v) for v in first[:4]):
        return False
    counting = (
        bool(np.all(first[0] == np.rint(first[0])) and (np.diff(first[0]) > 0).mean() > 0.9)
        if len(first[0]) > 1
        else False
    )
    losses = bool(np.any(first[2] != np.rint(first[2])) and np.any(first[3] != np.rint(first[3])))
    return (
        counting
        and losses
        and bool(np.all(first[1] >= 0))
        and bool(np.all(first[5] == np.rint(first[5])))
    )


# ---------------------------------------------------------------- exports of dashboards


def _is_tensorboard(header: Sequence[str]) -> bool:
    return [plain(h) for h in header] == ["wall_time", "step", "value"]


def _is_wandb(header: Sequence[str]) -> bool:
    """``Step, run - metric, run - metric__MIN, run - metric__MAX``."""
    charted = sum(" - " in h for h in header)
    first = plain(header[0]) if header else ""
    counted = first == "step" or first.startswith("relative_time")
    return charted > 0 and (
        counted or (charted == len(header) - 1 and any(h.endswith("__MIN") for h in header))
    )


def _dashboards(
    columns: list[Column], words: dict[str, list[str]], path: Path, notes: list[str]
) -> tuple[list[Column], bool, dict[str, list[str]]]:
    """Names of the charts that TensorBoard's and W&B's pages export; whether it is one."""
    names = [c.name for c in columns]
    if _is_tensorboard(names):
        tag = re.split(r"(?:^|[-_])tag[-_]", path.stem)[-1]
        return [c.named(tag) if plain(c.name) == "value" else c for c in columns], True, words
    if not _is_wandb(names):
        return columns, False, words
    charted = [n for n in names if " - " in n]
    bands = {n for n in names if n.endswith(("__MIN", "__MAX"))}
    if bands:
        notes.append(f"{len(bands)} __MIN and __MAX columns of a W&B chart are left out")
    runs = {n.rsplit(" - ", 1)[0] for n in charted}
    if len(runs) > 1:
        notes.append(f"the chart holds {len(runs)} runs: their names stay in front of the metric")
    out = []
    for c in columns:
        if c.name in bands or c.name.endswith(" - _step"):
            continue
        name = c.name.rsplit(" - ", 1)[1] if len(runs) == 1 and " - " in c.name else c.name
        out.append(c.named(name))
    kept = {c.name for c in out}
    return out, True, {n: w for n, w in words.items() if n in kept}
