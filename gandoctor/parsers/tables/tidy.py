"""Tables with a row for each value: ``step, tag, value``, as tbparse and databases give them."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.errors import InputError
from gandoctor.parsers.rows.cells import is_blank
from gandoctor.parsers.rows.column import Column
from gandoctor.parsers.rows.names import Roll, has_counter, plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from gandoctor.parsers.tables.cells import Table

_TAGS: Final = frozenset(
    {"tag", "tags", "metric", "metric_name", "name", "key", "variable", "series", "scalar"}
)
_VALUES: Final = frozenset({"value", "values", "val", "metric_value", "scalar_value"})
_RUNS: Final = frozenset({"run", "run_id", "run_uuid", "run_name", "dir_name", "experiment"})
_MOST_RUNS: Final = 200
_OFTEN: Final = 3  # rows a tag has in the mean; with fewer they are a table of results


def spread(table: Table, lost: list[str]) -> Table:
    """A table with a column for each tag, where it has a row for each value; else as it is.

    Raises
    ------
    InputError
        The rows are of several runs.
    """
    columns, rows, words, notes = table
    tags = _named(words, _TAGS)
    value = next((c for c in columns if plain(c.name) in _VALUES), None)
    if value is None or not _is_tidy(table):
        return table
    counts = Counter(tag for tag in words[tags] if not is_blank(tag))
    if not counts or rows < _OFTEN * len(counts):
        return table
    run = _named(words, _RUNS)
    runs = len(set(words[run])) if run else 0
    if runs > 1:
        raise InputError(
            f"its rows are of {runs:,} runs (column {run})", hint="give each a table of its own"
        )
    roll = Roll()
    kept = [name for name, count in counts.items() if roll.takes(name, count)]
    lost += roll.lost()
    order = _order(columns, words[tags], len(counts))
    found = [_ordered(c, order) for c in columns if c is not value and c.name]  # no index
    taken = {c.name for c in found}
    found += [c for c in _by_tag(words[tags], kept, _ordered(value, order), order)
              if c.name not in taken and len(c)]  # fmt: skip
    others = {n: [cells[i] for i in order] for n, cells in words.items() if n not in (tags, run)}
    return found, rows, others, notes


def _by_tag(
    tags: Sequence[str], kept: Sequence[str], value: Column, order: NDArray[np.int64]
) -> list[Column]:
    """A column for each tag that is kept, of the values in its rows."""
    number = {name: k for k, name in enumerate(kept)}
    of_row = np.array([number.get(tag, len(kept)) for tag in tags])[order]
    at = np.arange(len(of_row)) if value.at is None else value.at
    of_value = of_row[at]
    by = np.argsort(of_value, kind="stable")
    bounds = np.searchsorted(of_value[by], np.arange(len(kept) + 1))
    parts = [by[a:b] for a, b in itertools.pairwise(bounds)]
    return [Column(n, value.cells[p], at[p]) for n, p in zip(kept, parts, strict=True)]


def by_run(table: Table) -> list[tuple[str, Table]]:
    """The rows of each run in such a table, under its name; the whole under none where it has one.

    Runs are those that a column tells apart.
    """
    columns, _, words, notes = table
    run = _named(words, _RUNS)
    names = list(dict.fromkeys(words[run])) if run else []
    if not 1 < len(names) <= _MOST_RUNS or not _is_tidy(table):
        return [("", table)]
    parts: list[tuple[str, Table]] = []
    number = {name: k for k, name in enumerate(names)}
    of_row = np.array([number[cell] for cell in words[run]])
    for name, k in number.items():
        own = of_row == k
        at = np.flatnonzero(own).tolist()
        told = {n: [cells[i] for i in at] for n, cells in words.items()}
        parts.append((name, ([c.of(own) for c in columns], len(at), told, list(notes))))
    return parts


def _is_tidy(table: Table) -> bool:
    columns, _, words, _ = table
    names = [c.name for c in columns]
    return bool(_named(words, _TAGS) and has_counter(names) and _VALUES & set(map(plain, names)))


def _named(words: dict[str, list[str]], known: frozenset[str]) -> str:
    return next((name for name in words if plain(name) in known), "")


def _order(columns: Sequence[Column], tags: Sequence[str], count: int) -> NDArray[np.int64]:
    """The rows step by step, where they stand tag by tag."""
    turns = sum(a != b for a, b in itertools.pairwise(tags)) + 1
    steps = next(c for c in columns if has_counter([c.name]))
    if turns > count or steps.at is not None:
        return np.arange(len(tags))
    return np.argsort(steps.cells, kind="stable")


def _ordered(column: Column, order: NDArray[np.int64]) -> Column:
    if column.at is None:
        return Column(column.name, column.cells[order])
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    at = place[column.at]
    by = np.argsort(at, kind="stable")
    return Column(column.name, column.cells[by], at[by])
