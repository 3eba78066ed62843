"""The logs of one run, joined."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from gandoctor.values import dataclass

if TYPE_CHECKING:
    from pathlib import Path

    from gandoctor.model.signals import Signal
    from gandoctor.parsers.runs.belonging import Log

Key = tuple[str, str]  # tag, network
Signals = dict[Key, "Signal"]


@dataclass(slots=True)
class Group:
    """The logs of one run, joined.

    Attributes
    ----------
    folder : Path
        Where the run lives.
    logs : list of Log
    signals : dict of (tag, network) to Signal
        Their `source` is the file's absolute path until discovery names it.
    notes : list of str
    stem : str
        What tells it from other runs in the same folder; empty where it is alone there.
    """

    folder: Path
    logs: list[Log] = field(default_factory=list)
    signals: Signals = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    stem: str = ""

    @property
    def points(self) -> int:
        """Values of all series."""
        return sum(len(s) for s in self.signals.values())
