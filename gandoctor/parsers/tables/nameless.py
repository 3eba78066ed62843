"""What the columns of a table without a header are."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.lexicon.players import called, words_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from gandoctor.parsers.rows.column import Column


_MOST_OF_ONE: Final = 4  # columns of one player

_OF_ONE: Final = frozenset(
    {
        "d",
        "g",
        "loss",
        "log",
        "logs",
        "train",
        "training",
        "history",
        "hist",
        "acc",
        "accuracy",
        "and",
        "metrics",
        "net",
    }
)

_RGAN: Final = ("epoch", "time", "D_loss", "G_loss", "mmd2", "that", "pdf", "real_pdf")


def in_known_order(columns: list[Column], path: Path, notes: list[str]) -> list[Column]:
    """Names for columns without a header.

    That of the file, or of a code base known by the look of its table.
    """
    series = [c for c in columns if c.name]
    if len(series) == 1:
        notes.append("the table has no header: its only series is called after the file")
        return [c.named(path.stem) if c.name else c for c in columns]
    if len(columns) in (6, 7, 8) and _is_rgan(columns):
        notes.append("the table has no header: its columns were named in RGAN's order")
        return [c.named(n) for n, c in zip(_RGAN, columns, strict=False)]
    if whose := whose_losses(path):
        named = _of_player(columns, whose, path)
        if named:
            notes.append(
                f"the table has no header: its first column of losses was taken for {whose}'s, as "
                "its name says"
            )
            return named
    notes.append(
        f"the table has no header: its {len(series)} columns are called column 0, column 1, ..."
    )
    names = itertools.count()
    return [c.named(f"column {next(names)}") if c.name else c for c in columns]


def whose_losses(path: Path) -> str:
    """``D`` or ``G`` where a file's name says whose losses it holds.

    Empty where it says more, or nothing.
    """
    words = words_of(path.stem)
    players = {"d", "g"} & set(words)
    return players.pop().upper() if len(players) == 1 and set(words) <= _OF_ONE else ""


def _of_player(columns: Sequence[Column], whose: str, path: Path) -> list[Column]:
    """Columns of one player: a counter, the loss, then what else.

    None where the loss may be another one.

    Programs print the loss before the accuracy. That the second is one has to be said by the file's
    or folder's name.
    """
    first = columns[0].cells
    counts = (
        len(columns) > 2
        and len(first) > 1
        and bool((first == np.rint(first)).all() and (np.diff(first) > 0).all())
    )
    rest = columns[counts:]
    if not 2 <= len(rest) <= _MOST_OF_ONE or not all(len(c) for c in rest):
        return []
    shares = [bool(np.nanmin(c.cells) >= 0 and np.nanmax(c.cells) <= 1) for c in rest]
    if shares[0] and not shares[1]:
        return []
    says = any(re.search(r"acc", part, re.IGNORECASE) for part in (path.stem, path.parent.name))
    second = f"{whose} acc" if says and shares[1] else f"column 1 of {whose}"
    named = [rest[0].named(f"{whose} loss"), rest[1].named(second)]
    named += [c.named(f"column {k} of {whose}") for k, c in enumerate(rest[2:], 2)]
    return [columns[0].named("step"), *named] if counts else named


def has_counterpart(path: Path) -> bool:
    """Whether a file named after one player lies beside one of the other's.

    ``D.txt`` and ``G.txt``.
    """
    d, g = called("D"), called("G")
    for ours, theirs in ((d, g), (g, d)):
        for a in (spelt for word in ours for spelt in (word, word.capitalize())):
            if a not in path.stem:
                continue
            twins = (b.capitalize() if a[0].isupper() else b for b in theirs)
            if any(path.with_name(path.name.replace(a, b, 1)).is_file() for b in twins):
                return True
    return False


def _is_rgan(columns: Sequence[Column]) -> bool:
    """Epoch, seconds, D loss, G loss, squared MMD, an integer, two columns that are mostly NA."""
    first = [c.cells for c in columns[:6]]
    if any(not len(v) for v in first[:4]):
        return False
    counting = (
        bool(np.all(first[0] == np.rint(first[0])) and (np.diff(first[0]) > 0).mean() > 0.9)
        if len(first[0]) > 1
        else False
    )
    losses = bool(np.any(first[2] != np.rint(first[2])) and np.any(first[3] != np.rint(first[3])))
    return (
        counting
        and losses
        and bool(np.all(first[1] >= 0))
        and bool(np.all(first[5] == np.rint(first[5])))
    )
