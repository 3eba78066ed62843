"""What is to be taken from all lines of one shape."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Metric:
    """A slot that holds a metric: its tag, what to multiply it with, its split.

    Numbers within a tag (``discr (scale 1) loss``) stand as their slot between two SLOT characters.
    """

    slot: int
    tag: str
    scale: float = 1.0
    split: str = ""


@dataclass(frozen=True, slots=True)
class Counter:
    """A slot that counts, and the slot of its total or -1.

    Kinds: ``epoch``, ``step``, ``inner`` (within the epoch), ``kimg``, ``percent`` (of the epoch),
    ``lead`` (nameless).
    """

    kind: str
    slot: int
    total: int = -1


@dataclass(slots=True)
class Plan:
    """What to take from lines of one shape, and the lines that wait to be converted.

    Attributes
    ----------
    vits : bool
        Whether the line is VITS' list of losses.
    """

    metrics: tuple[Metric, ...]
    counters: tuple[Counter, ...]
    vits: bool = False
    rows: list[Sequence[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
