"""A log that lies in memory: a mapping of lists, a data frame, what Keras' ``fit`` gives back."""

from __future__ import annotations

import json
import numbers
import tempfile
from collections.abc import Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gandoctor.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

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
    text = json.dumps(columns(data))
    with tempfile.TemporaryDirectory(prefix="gandoctor-") as folder:
        file = Path(folder) / f"{_NAME}.json"
        file.write_text(text, "utf-8")
        yield file


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
