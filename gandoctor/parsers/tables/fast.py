"""The cells of a large, regular table, by pandas."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gandoctor.files.reading import BLANK, encoding_of
from gandoctor.parsers.rows.column import Column
from gandoctor.parsers.tables.cells import UNFINISHED, Table, few_enough, unique

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gandoctor.parsers.tables.dialect import Dialect


_PART: Final = 4 << 20  # bytes read at once where one thing is looked for in all of a file

# What pandas takes for nothing by itself.
_PANDAS_MISSING: Final = frozenset({
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
    "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
})  # fmt: skip


def by_pandas(path: Path, head: bytes, dialect: Dialect, lost: list[str]) -> Table | None:
    """Large, regular files by pandas' C engine.

    None where it meets anything that needs the careful way.
    """
    import pandas as pd

    if encoding_of(head) not in ("utf-8", "utf-8-sig") or _has_blank(path):
        return None
    names = unique(dialect.header) if dialect.header else None
    options = _options_for(dialect, names)
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
        lost.append(UNFINISHED)
        rows -= 1
    columns = []
    chosen = set(few_enough([str(n) for n in frame.columns], dialect, lost))
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


def _options_for(dialect: Dialect, names: list[str] | None) -> dict[str, Any]:
    """How pandas is told of a dialect.

    Options that look harmless (low_memory, na_values, skipinitialspace) cost the C engine up to
    half as much again.
    """
    options: dict[str, Any] = {
        "sep": dialect.delimiter,
        "names": names,
        "index_col": False,
        "encoding": "utf-8-sig",
    }
    if names is None:
        return options | {"header": None, "skiprows": dialect.skip}
    return options | {"header": 0, "skiprows": dialect.skip - 1, "skip_blank_lines": True}


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
