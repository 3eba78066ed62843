"""The points of one tag while an event file is read."""

from __future__ import annotations

from array import array
from dataclasses import field
from itertools import pairwise
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np

from gandoctor.values import dataclass

if TYPE_CHECKING:
    from numpy.typing import NDArray


Piece = tuple[
    "NDArray[np.int64]", "NDArray[np.int64]", "NDArray[np.float64]", "NDArray[np.float64]"
]


@dataclass(slots=True)
class Series:
    """One tag: columns in file order, which grow in place.

    `pieces` and `loose` are of the window being read.
    """

    steps: array[int] = field(default_factory=lambda: array("q"))
    walls: array[float] = field(default_factory=lambda: array("d"))
    values: array[float] = field(default_factory=lambda: array("d"))
    pieces: list[Piece] = field(default_factory=list)
    loose: list[tuple[int, int, float, float]] = field(default_factory=list)
    first: int = -1
    # Stretches: length, sessions started before.
    sessions: list[tuple[int, int]] = field(default_factory=list)

    def flush(self, cuts: NDArray[np.int64], seen: int) -> None:
        """Append the window's points in file order, in stretches cut where a session starts."""
        if self.loose:
            places, numbers, times, floats = zip(
                *sorted(self.loose, key=itemgetter(0)), strict=True
            )
            self.pieces.append(
                (
                    np.array(places, dtype=np.int64),
                    np.array(numbers, dtype=np.int64),
                    np.array(times, dtype=np.float64),
                    np.array(floats, dtype=np.float64),
                )
            )
            self.loose = []
        pieces = sorted(self.pieces, key=lambda piece: int(piece[0][0]))
        self.pieces = []
        offsets, steps, walls, values = pieces[0] if len(pieces) == 1 else _concatenated(pieces)
        if any(a[0][-1] > b[0][0] for a, b in pairwise(pieces)):
            order = np.argsort(offsets, kind="stable")
            offsets, steps, walls, values = (
                offsets[order],
                steps[order],
                walls[order],
                values[order],
            )
        if self.first < 0:
            self.first = int(offsets[0])
        bounds = [0, *(np.searchsorted(offsets, cuts).tolist() if cuts.size else ()), offsets.size]
        for k, (start, stop) in enumerate(pairwise(bounds)):
            self.sessions.append((stop - start, seen + k))
        self.steps.frombytes(np.ascontiguousarray(steps).view(np.uint8).data)
        self.walls.frombytes(np.ascontiguousarray(walls).view(np.uint8).data)
        self.values.frombytes(np.ascontiguousarray(values).view(np.uint8).data)

    def columns(
        self, least: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], int]:
        """Steps, times and values but for what later sessions replaced, and how many those were."""
        steps = np.frombuffer(self.steps, dtype=np.int64)
        walls = np.frombuffer(self.walls, dtype=np.float64)
        values = np.frombuffer(self.values, dtype=np.float64)
        if least.size == 1:
            return steps, walls, values, 0
        lengths, seen = zip(*self.sessions, strict=True)
        keep = steps < np.repeat(least[list(seen)], lengths)
        return steps[keep], walls[keep], values[keep], int(np.count_nonzero(~keep))


def _concatenated(pieces: list[Piece]) -> Piece:
    offsets, steps, walls, values = zip(*pieces, strict=True)
    return (
        np.concatenate(offsets),
        np.concatenate(steps),
        np.concatenate(walls),
        np.concatenate(values),
    )
