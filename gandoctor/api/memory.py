"""A log that lies in memory: a mapping of lists, a data frame, what Keras' ``fit`` gives back."""

from __future__ import annotations

import csv
import io
import json
import numbers
import tempfile
from collections.abc import Mapping
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gandoctor.errors import UsageError, told_of
from gandoctor.parsers.rows.names import has_counter, tells_of_training

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_MOST: Final = 50_000_000  # numbers, as many as a file may hold
_NAME: Final = "history"
_FEWEST: Final = 2


@contextmanager
def as_path(data: Any) -> Iterator[Path]:
    """A path to what was given: itself, or a file that holds the log while it is read.

    Parameters
    ----------
    data : str, Path, mapping, data frame or History
        A mapping of names to sequences of numbers; a pandas or polars data frame; an object whose
        ``history`` is such a mapping.

    Raises
    ------
    UsageError
        It is none of these.
    """
    if isinstance(data, str | Path):
        yield Path(data)
        return
    name, text = _file_of(columns(data))
    with tempfile.TemporaryDirectory(prefix="gandoctor-") as folder:
        file = Path(folder) / name
        file.write_text(text, "utf-8")
        with told_of(str(file), "the log that was given"):
            yield file


def _file_of(found: Mapping[str, Sequence[float | None]]) -> tuple[str, str]:
    """The name and the text of a file that holds the log.

    JSON lists are a log only where a name tells so; a table with steps is one whatever its names.
    """
    names = list(found)
    if tells_of_training(names) or has_counter(names):
        return f"{_NAME}.json", json.dumps(found)
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(["step", *names])
    table.writerows((i, *row) for i, row in enumerate(zip_longest(*found.values())))
    return f"{_NAME}.csv", text.getvalue()


def columns(data: Any) -> dict[str, list[float | None]]:
    """Names and their numbers; what is no number is None.

    Raises
    ------
    UsageError
        There is no such thing in it.
    """
    history = getattr(data, "history", None)
    if not isinstance(data, Mapping) and isinstance(history, Mapping):
        data = history
    names = list(data) if isinstance(data, Mapping) else getattr(data, "columns", None)
    if names is None or isinstance(names, str):
        raise UsageError(
            f"an object of type {type(data).__name__} is no log",
            "",
            "give a path, a mapping of names to lists of numbers, a data frame, or Keras' History",
        )
    found: dict[str, list[float | None]] = {}
    left = _MOST
    for name in names:
        values = data[name]
        if isinstance(values, str | bytes | numbers.Number) or not hasattr(values, "__iter__"):
            continue
        found[str(name)] = [_number(v) for v in _plain(values)]
        left -= len(found[str(name)])
        if left < 0:
            raise UsageError(f"more than {_MOST:,} numbers", "", "thin the log before it is given")
    if not found:
        raise UsageError("no series of numbers is in it", "", "give names and lists of numbers")
    if all(sum(v is not None for v in values) < _FEWEST for values in found.values()):
        what = "no series in it has two numbers"
        raise UsageError(what, "", "give names and lists of numbers, one for each step")
    return found


def _plain(values: Any) -> list[Any]:
    for method in ("tolist", "to_list"):
        if hasattr(values, method):
            return list(getattr(values, method)())
    return list(values)


def _number(value: Any) -> float | None:
    """A number as JSON holds it; a tensor of one element is its number."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None
