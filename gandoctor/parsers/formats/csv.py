"""CSV, TSV and their relatives as training scripts write them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from gandoctor.errors import GandoctorError, InputError
from gandoctor.files.reading import decode, encoding_of, load_text, look_at, text_of_head
from gandoctor.parsers.rows.cells import is_blank
from gandoctor.parsers.rows.drawn import shown_table
from gandoctor.parsers.rows.names import has_counter, tells_of_training
from gandoctor.parsers.rows.table import assemble, assemble_runs
from gandoctor.parsers.tables.cells import Table, by_csv
from gandoctor.parsers.tables.charts import chart_names, is_tensorboard, is_wandb
from gandoctor.parsers.tables.dialect import (
    BLANKS,
    Dialect,
    find_dialect,
    is_nameless,
    is_only_header,
)
from gandoctor.parsers.tables.fast import by_pandas
from gandoctor.parsers.tables.nameless import has_counterpart, in_known_order, whose_losses
from gandoctor.parsers.tables.tidy import by_run, spread
from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gandoctor.model.signals import Reading
    from gandoctor.parsers.rows.column import Column

NAME: Final = "csv"
SMALL: Final = 2_000_000  # bytes; below, the csv module is faster than importing pandas
_TABLES: Final = (".csv", ".tsv")
_SUFFIXES: Final = (*_TABLES, ".txt", ".log", ".dat", ".out", ".trace", "")
_FEW_ROWS: Final = 5
_WIDE_HEAD: Final = 1 << 20  # bytes that decide on the dialect of a table of long lines
# Which show tables of results, too.
_PAPERS: Final = frozenset({".md", ".markdown", ".rst", ".tex", ".html", ".htm"})
_LOG_LIKE: Final = late_pattern(
    r"loss|log|train|histor|metric|result|stat|progress|curve|epoch", re.IGNORECASE
)
_LOSS_LIKE: Final = late_pattern(r"loss|log(?![a-z])|histor|metric|curve", re.IGNORECASE)


def sniff(path: Path, head: bytes) -> float:
    """How sure we are that this is a table of training metrics; `head` is the first 64 KiB."""
    text = shown_table(text_of_head(_enough(path, head)))
    if not text or text.lstrip()[:1] in ("{", "["):
        return 0.0
    suffix = path.suffix.lower()
    try:
        dialect = find_dialect(text, strict=suffix not in _TABLES)
        if is_nameless(dialect):
            return min(_sniff_nameless(path, text), 1.0 if suffix in _SUFFIXES else 0.3)
        if not _trusted(dialect.header or (), path):
            return 0.0
        _reading(by_run(by_csv(text, dialect, []))[0][1], dialect, path, [])
    except GandoctorError:
        return 0.3 if is_only_header(text) else 0.0
    if suffix in _TABLES:
        return 0.9
    return 0.75 if suffix in _SUFFIXES else 0.4


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
    if whose_losses(path) and has_counterpart(path):
        return 0.5
    return 0.3 if _is_log_file(path) or whose_losses(path) else 0.0


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
    """As `read`, for each of the runs in a table: a short name and a reading.

    Raises
    ------
    GandoctorError
        As `read` does.
    """
    table, dialect, lost = _load(path)
    found = []
    for run, part in by_run(table):
        columns, rows, said = _told(part, dialect, path, [*lost])
        found += [(f"{run} {k}".strip(), r) for k, r in assemble_runs(columns, rows, **said)]
    return found


def _load(path: Path) -> tuple[Table, Dialect, list[str]]:
    """Cells of a table, how it is written, and what was lost."""
    size, head = look_at(path)
    head = _enough(path, head)
    plain_head = decode(head)[0]
    shown = shown_table(plain_head)
    dialect = find_dialect(shown, path.name, strict=path.suffix.lower() not in _TABLES)
    if is_nameless(dialect) and not _is_log_file(path) and not whose_losses(path):
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
        and dialect.delimiter not in ("", BLANKS)
        and not dialect.comma
    ):
        table = by_pandas(path, head, dialect, lost)
    if table is None:
        text, lost = load_text(path)
        table = by_csv(shown_table(text), dialect, lost)
    return table, dialect, lost


def _reading(table: Table, dialect: Dialect, path: Path, lost: list[str]) -> Reading:
    columns, rows, said = _told(table, dialect, path, lost)
    return assemble(columns, rows, **said)


def _told(
    table: Table, dialect: Dialect, path: Path, lost: list[str]
) -> tuple[list[Column], int, dict[str, Any]]:
    """Columns by the names that they go by, and what else `assemble` is to know."""
    columns, rows, words, notes = spread(table, lost)
    named = not is_nameless(dialect)
    if not named:
        columns = in_known_order(columns, path, notes)
    columns, dashboard, words = chart_names(columns, words, path, notes)
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


def _is_log_file(path: Path) -> bool:
    return any(_LOG_LIKE.search(part) for part in (path.stem, path.parent.name))


def _trusted(header: Sequence[str], path: Path) -> bool:
    if has_counter(header) or tells_of_training(header):
        return True
    return is_tensorboard(header) or is_wandb(header) or (len(header) == 1 and _is_log_file(path))
