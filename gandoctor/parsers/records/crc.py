"""CRC-32C (Castagnoli), the checksum of event files, in numpy.

The checksum is linear over GF(2): what a byte adds to it depends only on the byte and its distance
from the end. That makes two things cheap: many rows that differ from a known row in a few columns
(look-ups for these alone), and one long row (cut into equal pieces, done side by side, then
joined). Source: RFC 3720, appendix B.4; masking as in TensorFlow's ``core/lib/hash/crc32c.h``.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gandoctor.files.protobuf import Buffer

_POLYNOMIAL: Final = 0x82F63B78  # 0x1EDC6F41, bits reversed
_MASK: Final = 0xA282EAD8
_ALL: Final = 0xFFFF_FFFF
_NEAR: Final = 256
_LONG: Final = 512  # bytes from which cutting into pieces beats a plain loop


@cache
def _first_table() -> NDArray[np.uint32]:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, (table >> 1) ^ np.uint32(_POLYNOMIAL), table >> 1)
    table.setflags(write=False)
    return table


@cache
def _first_list() -> tuple[int, ...]:
    return tuple(_first_table().tolist())


@cache
def _nearest() -> NDArray[np.uint32]:
    """Tables of the distances under `_NEAR`, shape (_NEAR, 256)."""
    near = _first_table()[None]
    for power in range(_NEAR.bit_length() - 1):
        near = np.concatenate([near, _apply(_zeros(power), near.reshape(-1)).reshape(near.shape)])
    return near


def table(distance: int) -> NDArray[np.uint32]:
    """What each byte adds to the checksum from `distance` bytes before the end.

    Returns
    -------
    ndarray of uint32, shape (256,)
    """
    return _nearest()[distance] if distance < _NEAR else _advance(_first_table(), distance)


def tables(distances: NDArray[np.intp]) -> NDArray[np.uint32]:
    """The tables of several distances, shape (k, 256)."""
    if not distances.size or int(distances.max()) < _NEAR:
        return _nearest()[distances]
    return np.stack([table(d) for d in distances.tolist()])


def _advance(state: NDArray[np.uint32], count: int) -> NDArray[np.uint32]:
    """The states after `count` zero bytes each."""
    power = 0
    while count:
        if count & 1:
            state = _apply(_zeros(power), state)
        count >>= 1
        power += 1
    return np.array(state)


@cache
def _zeros(power: int) -> NDArray[np.uint32]:
    """Four tables of 256 that carry a state over ``2**power`` zero bytes."""
    if power == 0:
        one = _first_table()
        basis = np.arange(256, dtype=np.uint32)
        # One byte on: the low byte goes through the table, the others move down.
        return np.stack([one, basis, basis << np.uint32(8), basis << np.uint32(16)])
    half = _zeros(power - 1)
    return np.stack([_apply(half, row) for row in half])


def _apply(tables: NDArray[np.uint32], state: NDArray[np.uint32]) -> NDArray[np.uint32]:
    octets = np.ascontiguousarray(state).view(np.uint8).reshape(-1, 4)
    out: NDArray[np.uint32] = tables[0][octets[:, 0]]
    for k in range(1, 4):
        out ^= tables[k][octets[:, k]]
    return out


def masked(crc: int) -> int:
    """A checksum as event files store it."""
    return ((crc >> 15 | crc << 17) + _MASK) & _ALL


def masked_many(crc: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """The same for an array, shape (n,)."""
    return ((crc >> np.uint32(15)) | (crc << np.uint32(17))) + np.uint32(_MASK)


def crc32c(data: Buffer) -> int:
    """CRC-32C of one buffer."""
    if len(data) >= _LONG:
        return _crc_long(data)
    lookup = _first_list()
    crc = _ALL
    for byte in data:
        crc = lookup[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ _ALL


def _crc_long(data: Buffer) -> int:
    """Cut into 2**k pieces, run through them side by side, join them pairwise."""
    octets = np.frombuffer(data, dtype=np.uint8)
    power = max(3, (octets.size.bit_length() - 1) // 2)
    rows = 1 << power
    width = -(-octets.size // rows)
    # Zeros in front leave a zero state as it is, so the start value goes into the first four bytes
    # instead.
    padded = np.zeros(rows * width, dtype=np.uint8)
    padded[padded.size - octets.size :] = octets
    first = padded.size - octets.size
    padded[first : first + 4] ^= np.uint8(0xFF)
    columns = np.ascontiguousarray(padded.reshape(rows, width).T)
    lookup = _first_table()
    state = np.zeros(rows, dtype=np.uint32)
    for column in columns:
        state = lookup[(state ^ column) & np.uint32(0xFF)] ^ (state >> np.uint32(8))
    span = width
    while state.size > 1:
        state = _advance(state[0::2], span) ^ state[1::2]
        span *= 2
    return int(state[0]) ^ _ALL
