"""Rows and columns to signals, and what is no log at all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gandoctor.errors import InputError
from gandoctor.model.signals import Reading, Signal
from gandoctor.parsers.rows.anew import of_trainings
from gandoctor.parsers.rows.axis import Axis, beyond
from gandoctor.parsers.rows.counter import filled_up, find_axis, goes_up, kind_of_counter
from gandoctor.parsers.rows.names import (
    SPLIT_NAMES,
    SPLITS,
    STAMP_NAMES,
    has_counter,
    plain,
    telling,
    tells_of_training,
)
from gandoctor.parsers.rows.steps import LARGEST
from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from gandoctor.parsers.rows.column import Column

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Mask = NDArray[np.bool_]


_DATE: Final = late_pattern(r"\d{4}[-/]\d\d?[-/]\d\d?|\d\d?:\d\d")


def assemble(
    columns: Sequence[Column],
    rows: int,
    *,
    where: str,
    words: Mapping[str, Sequence[str]] | None = None,
    lost: Sequence[str] = (),
    notes: Sequence[str] = (),
    named: bool = True,
    axis: tuple[Axis, set[str]] | None = None,
) -> Reading:
    """Signals out of columns.

    Parameters
    ----------
    columns : sequence of Column
        In file order.
    rows : int
        Rows of the table.
    where : str
        Name of the file, for errors.
    words : mapping of str to sequence of str, optional
        Columns that hold words, by name; ``mode`` or ``split`` among them part the rows.
    lost, notes : sequence of str
        What the reader has to say already.
    named : bool
        False where the columns have no names and the file itself is known to be a log.
    axis : tuple of Axis and set of str, optional
        What `find_axis` finds, where that is known.

    Raises
    ------
    InputError
        There is nothing numeric, or nothing that a training would log.
    """
    words = words or {}
    table: dict[str, Column] = {}
    for column in columns:
        table.setdefault(column.name, column)
    names = list(table)
    if named and not _is_log(table, words, rows):
        raise InputError(
            "a table, but no training log: no step or epoch column and no loss among its columns",
            where,
            "name the columns after what was logged",
        )
    found, used = axis or find_axis(table, rows)
    stamp = next((n for n in names if plain(n) in STAMP_NAMES and _is_clock(table[n])), None)
    wall = filled_up(table[stamp], rows) if stamp else None
    if stamp:
        used.add(stamp)
    wild = sum(int(np.count_nonzero(np.abs(table[n].cells) > LARGEST)) for n in used)
    if wild:
        lost = (*lost, beyond(wild))
    parts = _splits(words, rows)
    keeps_all = bool(found.kept.all())
    signals = []
    rows_of = [
        (split, found.kept if mask is None else found.kept & mask, mask is not None)
        for split, mask in parts
    ]
    for name in names:
        column = table[name]
        if name in used or not len(column):
            continue
        for split, chosen, is_part in rows_of:
            at, values = column.at, column.cells
            if is_part or not keeps_all:
                pick = chosen if at is None else chosen[at]
                at, values = (np.flatnonzero(pick) if at is None else at[pick]), values[pick]
            if len(values):
                steps, clock = found.steps, wall
                if at is not None:
                    steps, clock = steps[at], None if wall is None else wall[at]
                signals.append(Signal(name, steps, values, split=split, wall_time=clock))
    if not signals:
        raise InputError("no numbers under any column", where)
    return Reading(
        signals=tuple(signals),
        lost="; ".join(lost) or None,
        step_unit=found.unit,
        notes=(*notes, *found.notes),
    )


def _is_log(table: Mapping[str, Column], words: Mapping[str, Sequence[str]], rows: int) -> bool:
    """Whether the names of columns are those of a training's log."""
    for name, column in table.items():
        if kind_of_counter(name) not in ("", "index", "batch") and goes_up(column):
            return True
    names = list(table)
    return not _labels(words, rows) and (has_counter(names) or tells_of_training(names))


def assemble_runs(
    columns: Sequence[Column],
    rows: int,
    *,
    words: Mapping[str, Sequence[str]] | None = None,
    **said: Any,
) -> list[tuple[str, Reading]]:
    """As `assemble`, for each of the runs in a table: a short name and a reading.

    Their rows take turns, or they stand one after the other and each begins anew.

    Raises
    ------
    InputError
        As `assemble` does.
    """
    table: dict[str, Column] = {}
    for column in columns:
        table.setdefault(column.name, column)
    words = words or {}
    axis = find_axis(table, rows)
    of, how = axis[0].turns, "take turns"
    if of is None:
        told = telling(list(table)) - axis[1]
        losses = [(table[n].at, table[n].cells) for n in told]
        of, how = of_trainings(axis[0].anew, rows, losses), "stand one after the other"
    if of is None:
        return [("", assemble(columns, rows, words=words, axis=axis, **said))]
    count = int(of.max()) + 1
    runs = []
    for k in range(count):
        own = of == k
        some = [n for n, is_own in enumerate(own.tolist()) if is_own]
        texts = {
            name: [cells[n] for n in some] for name, cells in words.items() if len(cells) == rows
        }
        reading = assemble([c.of(own) for c in columns], len(some), words=texts, **said)
        note = f"{count} runs {how} in the table; they were taken apart, and this is number {k + 1}"
        runs.append((f"run {k + 1}", replace(reading, notes=(*reading.notes, note))))
    return runs


def _labels(words: Mapping[str, Sequence[str]], rows: int) -> bool:
    """Whether a column of words names each row: a table of results, not a course of training."""
    return any(
        len(set(cells)) > max(4, rows // 2) and not any(map(_DATE.search, cells[:3]))
        for cells in words.values()
    )


def _is_clock(column: Column) -> bool:
    here = column.cells
    return len(here) > 0 and bool(np.all((here > 1e9) & (here < 1e10)))


def _splits(words: Mapping[str, Sequence[str]], rows: int) -> list[tuple[str, Mask | None]]:
    """Row masks of the splits that a ``mode`` column names.

    None, for all rows, where there is none.
    """
    for name, cells in words.items():
        if plain(name) not in SPLIT_NAMES or len(cells) != rows:
            continue
        found = [SPLITS.get(str(c).strip().lower(), "") for c in cells]
        if any(found):
            array = np.array(found)
            return [(split, array == split) for split in dict.fromkeys(found)]
    return [("", None)]
