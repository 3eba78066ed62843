"""One cell of a table to a number, as training scripts really write it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MISSING: Final = frozenset(
    (
        "",
        "na",
        "n/a",
        "#n/a",
        "<na>",
        "none",
        "null",
        "nil",
        "-",
        "--",
        "---",
        "?",
        "no",
        "missing",
        "skip",
        "skipped",
    )
)
_NUMBER: Final = (
    r"[-+\u2212]?(?:\d++(?:\.\d*+)?(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|nan|inf(?:inity)?)"
)
# tensor(10.5290, grad_fn=<...>), np.float32(0.5), [0.5], tf.Tensor(0.5, shape=(), dtype=float32)
_WRAPPED: Final = late_pattern(rf"^[\w.\s]*[(\[]+\s*({_NUMBER})\s*(?:[,)\]]|$)", re.IGNORECASE)
# <tf.Tensor: shape=(), dtype=float32, numpy=0.69>
_NUMPY: Final = late_pattern(rf"numpy=\[?({_NUMBER})", re.IGNORECASE)
# 51.56%, 0.5 (0.6), 0.69 +- 0.1, 0.5s
_TRAILED: Final = late_pattern(
    rf"^({_NUMBER})\s*(%|s|ms|x|\(.*\)|(?:\+/-|\+-|±).*)$", re.IGNORECASE
)
# 12/938 and "12 of 938": so far of so many
_SO_FAR: Final = late_pattern(r"^[\[(]?\s*(\d{1,15})\s*(?:/|of)\s*(\d{1,15})\s*[\])]?$")
_THOUSANDS: Final = late_pattern(r"^[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?$")
_COMMA: Final = late_pattern(r"^[-+]?\d+,\d+(?:[eE][-+]?\d+)?$")
LONGEST: Final = 400  # characters of a cell that are looked at


def number(cell: str, *, comma: bool = False) -> float | None:
    """Value of a cell.

    Parameters
    ----------
    cell : str
    comma : bool
        Whether the file writes decimals with a comma.

    Returns
    -------
    float or None
        NaN for a NaN that was written; None where nothing stands.

    Raises
    ------
    ValueError
        The cell holds words.
    """
    text = cell[:LONGEST].strip().strip("'\"").strip()
    if text.lower() in MISSING:
        return None
    if comma and _COMMA.match(text):
        return float(text.replace(",", "."))
    if "_" not in text:  # float("1_000") is Python, not a log
        try:
            return float(text)
        except ValueError:
            pass
    if _THOUSANDS.match(text):
        return float(text.replace(",", ""))
    if found := _TRAILED.match(text):
        value = _float(found[1])
        return value / 100 if found[2] == "%" else value
    if (found := _SO_FAR.match(text)) and int(found[1]) <= int(found[2]):
        return float(found[1])
    if found := _WRAPPED.match(text) or _NUMPY.search(text):
        return _float(found[1])
    return _float(text)


def _float(text: str) -> float:
    return float(text.replace("\u2212", "-"))


def numbers(
    cells: Sequence[str], *, comma: bool = False
) -> tuple[NDArray[np.float64], NDArray[np.bool_], int]:
    """Values of a column of cells.

    Returns
    -------
    values : ndarray of float64, shape (n,)
    present : ndarray of bool, shape (n,)
    unread : int
        Cells with something in them that is no number.
    """
    if not comma:
        try:
            return (
                np.array([float(c) for c in cells], dtype=np.float64),
                np.ones(len(cells), dtype=bool),
                0,
            )
        except ValueError:
            pass
    values = np.full(len(cells), np.nan)
    present = np.zeros(len(cells), dtype=bool)
    unread = 0
    for i, cell in enumerate(cells):
        try:
            value = number(cell, comma=comma)
        except ValueError:
            unread += 1
            continue
        if value is not None:
            values[i] = value
            present[i] = True
    return values, present, unread


def is_number(cell: str, *, comma: bool = False) -> bool:
    """Whether a cell holds a number."""
    try:
        return number(cell, comma=comma) is not None
    except ValueError:
        return False


def is_blank(cell: str) -> bool:
    """Whether nothing stands in a cell."""
    return cell.strip().strip("'\"").lower() in MISSING
