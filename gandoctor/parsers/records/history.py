"""Many rows of W&B's history at once.

Items found by numpy, their keys told by a hash, their values as texts.

A row is a ``HistoryRecord{1 item, 2 step}``, an item
``HistoryItem{1 key | 2 nested_key.., 16 value_json}``. The common form is dealt with here: lengths
under 128 and values as JSON text. Rows that hold anything else are handed back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_SLACK: Final = bytes(1024)  # lengths are read before they are checked
_MOST_ITEMS: Final = 4096  # of a row; one more is no row of metrics
_USUAL: Final = 32  # bytes of a value that are taken along without asking
_LEVELS: Final = 8  # nested keys, at most
_ITEM, _KEY, _NESTED, _STEP = 0x0A, 0x0A, 0x12, 0x12
_VALUE: Final = 0x0182  # the two bytes of field 16, as little-endian
_MIX: Final = np.uint64(0x9E37_79B9_7F4A_7C15)
_BYTE: Final = np.uint64(8)


class Items(NamedTuple):
    """The items of many rows, in no particular order.

    Attributes
    ----------
    rows : ndarray of int64, shape (n,)
        Which of the rows each item is of.
    hashes : ndarray of uint64, shape (n,)
        Its keys, hashed.
    key_starts, key_stops : ndarray of int64, shape (n,)
        Where its keys stand in `data`, without the first key's tag.
    starts, stops : ndarray of int64, shape (n,)
        Where its value stands in `data`, as JSON text.
    data : bytes
        All rows.
    odd : list of int
        Rows of another form; none of their items are here.
    """

    rows: NDArray[np.int64]
    hashes: NDArray[np.uint64]
    key_starts: NDArray[np.int64]
    key_stops: NDArray[np.int64]
    starts: NDArray[np.int64]
    stops: NDArray[np.int64]
    data: bytes
    odd: list[int]

    def texts(self, wanted: NDArray[np.bool_]) -> list[bytes]:
        """Values of the wanted items as JSON text."""
        starts, stops = self.starts[wanted], self.stops[wanted]
        sizes = stops - starts
        table: NDArray[np.void] = np.ndarray(
            (len(self.data) - _USUAL + 1,), f"V{_USUAL}", self.data, 0, (1,)
        )
        chars = table[starts].view(np.uint8).reshape(-1, _USUAL)
        chars *= np.arange(_USUAL) < sizes[:, None]
        found: list[bytes] = chars.view(f"S{_USUAL}").ravel().tolist()
        for k in np.flatnonzero(sizes > _USUAL).tolist():
            found[k] = self.data[starts[k] : stops[k]]
        return found


def items_of(payloads: Sequence[bytes]) -> Items:
    """All items of the common form; see `Items`."""
    data = b"".join((*payloads, _SLACK))
    octets: NDArray[np.uint8] = np.frombuffer(data, dtype=np.uint8)
    ends = np.cumsum(np.fromiter(map(len, payloads), dtype=np.int64, count=len(payloads)))
    at = np.concatenate([[0], ends[:-1]]).astype(np.int64)
    rows = np.arange(ends.size, dtype=np.int64)
    odd: NDArray[np.bool_] = np.zeros(ends.size, dtype=np.bool_)
    found: list[tuple[NDArray[np.int64], ...]] = []
    pairs: NDArray[np.uint16] = np.ndarray((len(data) - 1,), "<u2", data, 0, (1,))
    for _ in range(_MOST_ITEMS):
        # One item further in every row that has one.
        open_ = at < ends[rows]
        rows, at = rows[open_], at[open_]
        first = at + 2
        length = octets[at + 1]
        after = first + length
        middle = first + 2 + octets[first + 1]
        for _level in range(_LEVELS):
            deeper = (octets[middle] == _NESTED) & (middle < after)
            if not deeper.any():
                break
            middle = np.where(deeper, middle + 2 + octets[middle + 1], middle)
        value = middle + 3
        fits = (octets[at] == _ITEM) & (length < 0x80) & (after <= ends[rows])
        fits &= ((octets[first] == _KEY) | (octets[first] == _NESTED)) & (pairs[middle] == _VALUE)
        fits &= value + octets[middle + 2] == after
        if not fits.all():
            odd[rows[~fits & ~((octets[at] == _STEP) & (after == ends[rows]))]] = True
            rows, first, middle, value, after = (
                rows[fits],
                first[fits],
                middle[fits],
                value[fits],
                after[fits],
            )
        found.append((rows, first + 1, middle, value, after))
        at = after
        if not rows.size:
            break
    odd[rows] = True
    rows, key_starts, key_stops, starts, stops = (
        np.concatenate(part) for part in zip(*found, strict=True)
    )
    if odd.any():
        kept = ~odd[rows]
        rows, key_starts, key_stops, starts, stops = (
            part[kept] for part in (rows, key_starts, key_stops, starts, stops)
        )
    hashes = _hashes(data, key_starts, key_stops)
    return Items(
        rows, hashes, key_starts, key_stops, starts, stops, data, np.flatnonzero(odd).tolist()
    )


def _hashes(data: bytes, starts: NDArray[np.int64], stops: NDArray[np.int64]) -> NDArray[np.uint64]:
    """64-bit hash of the bytes from each start to its stop."""
    words: NDArray[np.uint64] = np.ndarray((len(data) - 7,), "<u8", data, 0, (1,))
    sizes = stops - starts
    mixed = sizes.astype(np.uint64) * _MIX
    for done in range(0, int(sizes.max(initial=0)), 8):
        left = np.clip(sizes - done, 0, 8).astype(np.uint64)
        # The shift keeps the low bytes alone; by 64 it would do nothing, so it is done in two
        # steps.
        drop = (_BYTE - left) * _BYTE // np.uint64(2)
        word = words[starts + done] << drop << drop
        mixed = (mixed ^ word) * _MIX
        mixed ^= mixed >> np.uint64(29)
    return mixed
