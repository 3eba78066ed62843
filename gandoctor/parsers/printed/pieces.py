"""Numbers of one metric or counter, as they are gathered."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

import numpy as np

from gandoctor.parsers.printed.counters import Track
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


@dataclass(slots=True)
class Pieces:
    """A track while it is being gathered."""

    pieces: list[Track] = field(default_factory=list)

    def add(self, lines: Ints, values: Floats, totals: Floats | None = None) -> None:
        """Further numbers, and the line of each."""
        self.pieces.append(
            Track(lines, values, np.full(len(lines), np.nan) if totals is None else totals)
        )

    def joined(self) -> Track:
        """All of them, by line."""
        lines = np.concatenate([p.lines for p in self.pieces])
        order = np.argsort(lines, kind="stable")
        values = np.concatenate([p.values for p in self.pieces])
        return Track(
            lines[order], values[order], np.concatenate([p.totals for p in self.pieces])[order]
        )

    def of_run(self, lead: Ints, own: NDArray[np.bool_], *, counts: bool = False) -> Pieces | None:
        """What was printed on the leading lines of one run or behind them.

        A counter may stand before them, too.
        """
        track = self.joined()
        behind = np.searchsorted(lead, track.lines, side="right") - 1
        if counts and not np.isin(track.lines, lead).mean() > 0.5:
            behind += 1
        here = own[np.clip(behind, 0, len(lead) - 1)]
        return (
            Pieces([Track(track.lines[here], track.values[here], track.totals[here])])
            if here.any()
            else None
        )
