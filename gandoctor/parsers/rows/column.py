"""A column of a table."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gandoctor.values import dataclass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One named column, in which only what stands in the file takes room.

    Attributes
    ----------
    name : str
        As it stands in the file.
    cells : ndarray of float64, shape (n,)
        What stands in it; a NaN that was written is among it.
    at : ndarray of int64, shape (n,), or None
        Row of each, ascending; None where every row has one.
    """

    name: str
    cells: Floats
    at: Ints | None = None

    @classmethod
    def dense(cls, name: str, values: Floats, present: Mask) -> Column:
        """A column from one value a row and whether it stands in the file."""
        if present.all():
            return cls(name, values)
        at = np.flatnonzero(present).astype(np.int64)
        return cls(name, values[at], at)

    def named(self, name: str) -> Column:
        """The same column under another name."""
        return replace(self, name=name)

    def of(self, rows: Mask) -> Column:
        """What of it stands in some of the rows, which are counted anew."""
        at = np.arange(len(self), dtype=np.int64) if self.at is None else self.at
        own = rows[at]
        return Column(
            self.name, self.cells[own], None if self.at is None else (np.cumsum(rows) - 1)[at[own]]
        )

    def __len__(self) -> int:
        return len(self.cells)
