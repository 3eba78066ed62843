"""Where pictures are shown between the lines of a log, and with which record each goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

PICTURE: Final = "==== a picture was shown here ===="  # a line that tells where, and is none itself


class Places:
    """Places of pictures in a log.

    Attributes
    ----------
    after : list of int
        The line after which each picture is shown, counted from 1.
    records : tuple of ndarray of int64, or None
        Lines of the records, and their steps; None before they are known.
    bounds : list of int
        Lines between which the outputs of cells stand.
    """

    def __init__(self) -> None:
        self.after: list[int] = []
        self.records: tuple[Ints, Ints] | None = None
        self.bounds: list[int] = []

    def taken_out(self, lines: Sequence[str], count: int) -> list[str]:
        """The lines, of which `count` came before, without those that say where a picture is."""
        kept: list[str] = []
        for line in lines:
            if line == PICTURE:
                self.after.append(count + len(kept))
            else:
                kept.append(line)
        return kept

    def steps(self) -> list[int | None]:
        """The step of the record that each picture goes with; None where none does.

        A picture goes with the record that it follows; where a cell shows one before it prints its
        first record, its pictures go with the record that follows them.
        """
        if self.records is None:
            return [None] * len(self.after)
        lines, steps = self.records
        bounds = self.bounds
        found: list[int | None] = []
        before: dict[int, bool] = {}  # cell -> whether its pictures come before their records
        for at in self.after:
            cell = int(np.searchsorted(bounds, at, side="right"))
            first, last = (int(n) for n in np.searchsorted(lines, bounds[cell - 1 : cell + 1]))
            row = int(np.searchsorted(lines, at, side="right"))
            if before.setdefault(cell, row == first < last) and row < last:
                row += 1
            found.append(int(steps[row - 1]) if row else None)
        return found
