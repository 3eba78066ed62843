"""Which column of a table counts its steps."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gandoctor.lang.middle import distinct
from gandoctor.parsers.rows.axis import (
    Axis,
    counted_in_epochs,
    restarts_with,
    unroll,
    whole_numbers,
    within_epochs,
)
from gandoctor.parsers.rows.names import (
    BATCH_NAMES,
    EPOCH_NAMES,
    IMAGE_NAMES,
    INDEX_NAMES,
    KIMG_NAMES,
    STEP_NAMES,
    plain,
)
from gandoctor.parsers.rows.steps import LARGEST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from gandoctor.model.signals import StepUnit
    from gandoctor.parsers.rows.column import Column

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Mask = NDArray[np.bool_]


def find_axis(columns: Mapping[str, Column], rows: int) -> tuple[Axis, set[str]]:
    """Choose the step axis of a table.

    Returns
    -------
    axis : Axis
    used : set of str
        Names of the columns that are counters and no signals.
    """
    kinds = {name: kind_of_counter(name) for name in columns}
    filled = _with_data(columns, kinds, rows)
    usable = {n: k for n, k in kinds.items() if k and _counts(columns[n], filled)}
    used = {n for n, k in kinds.items() if k and (k != "index" or goes_up(columns[n]))}

    def first(kind: str) -> str | None:
        return next((n for n, k in usable.items() if k == kind), None)

    epoch, inner = first("epoch"), first("batch")
    for kind in ("kimg", "images"):
        if name := first(kind):
            values = filled_up(columns[name], rows) / (1 if kind == "kimg" else 1000)
            steps, factor = whole_numbers(values)
            axis = unroll(steps)
            return _in(axis, "kimg" if factor == 1 else "unknown"), used
    if name := first("step"):
        steps, factor = whole_numbers(filled_up(columns[name], rows))
        if epoch and epoch != name and restarts_with(steps, filled_up(columns[epoch], rows)):
            inner = name
        elif rows == 1 or steps.min() != steps.max():
            axis = unroll(steps)
            return _in(axis, "iterations" if factor == 1 else "unknown"), used
    if epoch:
        epochs, factor = whole_numbers(filled_up(columns[epoch], rows))
        if inner and not np.array_equal(epochs, whole_numbers(filled_up(columns[inner], rows))[0]):
            merged = unroll(
                within_epochs(epochs, whole_numbers(filled_up(columns[inner], rows))[0])
            )
            return _in(merged, "iterations"), used
        axis = unroll(epochs)
        if _crowded(columns, used, axis.steps):
            steps, most = counted_in_epochs(axis.steps)
            note = f"up to {most} rows an epoch and no step column: steps count rows"
            notes = (*axis.notes, note)
            return replace(axis, steps=steps, unit="unknown", notes=notes, turns=None), used
        return _in(axis, "epochs" if factor == 1 else "unknown"), used
    for kind in ("batch", "index"):
        name = first(kind)
        if name is not None and goes_up(columns[name]):
            steps, _ = whole_numbers(filled_up(columns[name], rows))
            return unroll(steps), used
    return Axis(np.arange(rows, dtype=np.int64), np.ones(rows, dtype=bool)), used


def _in(axis: Axis, unit: StepUnit) -> Axis:
    return replace(axis, unit=unit)


def kind_of_counter(name: str) -> str:
    """What a column of that name counts: ``epoch``, ``step``, ...; empty where nothing."""
    key = plain(name)
    for kind, names in (
        ("kimg", KIMG_NAMES),
        ("images", IMAGE_NAMES),
        ("step", STEP_NAMES),
        ("epoch", EPOCH_NAMES),
        ("batch", BATCH_NAMES),
        ("index", INDEX_NAMES),
    ):
        if key in names:
            return kind
    return ""


def _with_data(columns: Mapping[str, Column], kinds: Mapping[str, str], rows: int) -> Mask | None:
    """Rows that hold a value of a recurring series; None where all counters stand in every row."""
    if all(columns[n].at is None for n, k in kinds.items() if k):
        return None
    filled = np.zeros(rows, dtype=bool)
    for name, column in columns.items():
        if not kinds[name] and len(column) > 1:
            if column.at is None:
                filled[:] = True
                break
            filled[column.at] = True
    return filled if filled.any() else None


def _counts(column: Column, filled: Mask | None) -> bool:
    """Whether a column can count rows: nearly everywhere present, finite, never far below zero."""
    if not len(column):
        return False
    if (
        column.at is not None
        and filled is not None
        and filled[column.at].sum() < 0.9 * filled.sum()
    ):
        return False
    sound = np.abs(column.cells) <= LARGEST
    return bool(sound.mean() > 0.9) and float(column.cells[sound].min()) >= -1


def goes_up(column: Column) -> bool:
    """Whether a column holds whole numbers that rise, but for few restarts."""
    here = column.cells
    if not np.array_equal(here, np.rint(here)) or np.isinf(here).any():
        return False
    falls = int((np.diff(here) <= 0).sum())
    return falls * 10 < len(here) or (falls == 1 and len(here) > 4)


def filled_up(column: Column, rows: int) -> Floats:
    """One value a row, gaps closed by the one before."""
    good = np.abs(column.cells) <= LARGEST  # neither damage nor infinite nor missing
    if column.at is None and good.all():
        return column.cells
    at = (np.arange(len(column), dtype=np.int64) if column.at is None else column.at)[good]
    if not len(at):
        return np.zeros(rows)
    row = np.searchsorted(at, np.arange(rows), side="right") - 1
    return column.cells[good][np.maximum(row, 0)]


def _crowded(columns: Mapping[str, Column], used: set[str], steps: Ints) -> bool:
    """Whether some column has several values at most steps."""
    for name, column in columns.items():
        if name in used:
            continue
        here = steps if column.at is None else steps[column.at]
        if len(here) > 1 and len(distinct(here)) * 1.5 < len(here):
            return True
    return False
