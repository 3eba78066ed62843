"""What W&B logs: keys and values of a row, columns of a metric, settings of a config."""

from __future__ import annotations

import json
import struct
from array import array
from dataclasses import field
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.files import protobuf as pb
from gandoctor.files.reading import MOST_TAG_BYTES
from gandoctor.model.signals import Setting
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from numpy.typing import NDArray


MAX_JSON: Final = 1 << 20

MAX_DEPTH: Final = 16

Points = tuple["NDArray[np.int64]", "NDArray[np.float64]"]


@dataclass(slots=True)
class LoggedColumn:
    """One metric: the rows that hold it, and its values there."""

    rows: array[int] = field(default_factory=lambda: array("q"))
    values: array[float] = field(default_factory=lambda: array("d"))

    def in_order(self) -> Points:
        """Rows, ascending, and the value at each."""
        rows = np.frombuffer(self.rows, dtype=np.int64)
        values = np.frombuffer(self.values, dtype=np.float64)
        if bool((np.diff(rows) < 0).any()):
            order = np.argsort(rows, kind="stable")
            rows, values = rows[order], values[order]
        return rows, values


UNREADABLE: Final = object()


def from_json(raw: bytes) -> object:
    """JSON with bare NaN and infinities.

    `UNREADABLE` where it is none, or too long to be a metric or a setting.
    """
    if len(raw) > MAX_JSON:
        return UNREADABLE
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return UNREADABLE


def item_of(data: bytes, start: int, stop: int) -> tuple[list[str], bytes | str | float | None]:
    """Keys and value of one item; bytes are JSON text."""
    keys: list[str] = []
    value: bytes | str | float | None = None
    for number, wire, at, end in pb.fields(data, start, stop):
        if wire == pb.BYTES:
            if number == 1 or (number == 2 and len(keys) < MAX_DEPTH):
                keys.append(pb.text(data, at, min(end, at + MOST_TAG_BYTES)))
            elif number in (8, 16):
                value = data[at:end]
            elif number == 7:
                value = pb.text(data, at, end)
        elif wire == pb.VARINT and number in (4, 5):
            whole = pb.varint(data, at, end)[0]
            value = float(whole if number == 4 else pb.zigzag(whole))
        elif wire == pb.FIXED64 and number == 6:
            value = float(struct.unpack_from("<d", data, at)[0])
    return [key for key in keys if key], value


def whole_steps(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Steps from floats; what is no step becomes the largest before it, or 0."""
    sound = np.isfinite(values) & (np.abs(values) < 2**62)
    before = (
        np.maximum.accumulate(np.where(sound, np.arange(values.size), 0)) if values.size else sound
    )
    return np.where(sound, values, 0.0)[before].astype(np.int64)


def settings_of(config: dict[str, object]) -> tuple[Setting, ...]:
    """Config as dotted keys; W&B's ``{"value": ..}`` wrapping undone."""
    from gandoctor.configs.entries import Entries, FullError, flatten

    entries = Entries()
    try:
        for key, value in config.items():
            flatten(entries, (key,), _unwrapped(value), 0)
    except FullError:
        pass
    return tuple(Setting("", spot.value, spot.key) for spot in entries.found.values())


def _unwrapped(value: object) -> object:
    if isinstance(value, dict) and "value" in value and set(value) <= {"value", "desc"}:
        return value["value"]
    return value
