"""What a report notes down of a run as it was read: signals, settings, files, the game."""

from __future__ import annotations

from dataclasses import field

from gandoctor.values import dataclass


@dataclass(frozen=True, slots=True)
class SignalNote:
    """One signal as it was understood."""

    tag: str
    role: str
    network: str
    split: str
    points: int
    last: float | None
    because: str
    source: str


@dataclass(frozen=True, slots=True)
class Unmapped:
    """One signal that could not be placed."""

    tag: str
    points: int


@dataclass(frozen=True, slots=True)
class SettingNote:
    """One setting as it was understood.

    `how` and `confidence` are given where it was read in code, and left out of the plain data where
    a log or a config says it.
    """

    name: str
    value: str
    key: str
    file: str
    line: int
    how: str = field(default="", metadata={"quiet": True})
    confidence: str = field(default="", metadata={"quiet": True})


@dataclass(frozen=True, slots=True)
class BestNote:
    """The step at which a judge of quality was best, and what it said there."""

    tag: str
    role: str
    step: int
    value: float


@dataclass(frozen=True, slots=True)
class SourceNote:
    """One file that was read."""

    path: str
    parser: str
    points: int
    lost: str | None = None


@dataclass(frozen=True, slots=True)
class ObjectiveNote:
    """The game as it was understood."""

    family: str = "unknown"
    chance_d: float | None = None
    chance_g: float | None = None
    reduction: str = "unknown"
    confidence: str = "low"
    because: tuple[str, ...] = ()
    led_by: str = ""


@dataclass(frozen=True, slots=True)
class RunNote:
    """The run as it was read. No absolute path, host or user name but where the user typed it.

    Attributes
    ----------
    path : str
        Where the run lies, from what was analysed; ``.`` for that itself.
    base : str
        The folder that the files of its settings are relative to, likewise; empty for `path`.
    key : str
        What a baseline knows the run by: its path from the root of the repository.
    """

    name: str
    path: str = "."
    sources: tuple[SourceNote, ...] = ()
    first_step: int = 0
    last_step: int = 0
    step_unit: str = "unknown"
    objective: ObjectiveNote = field(default_factory=ObjectiveNote)
    notes: tuple[str, ...] = ()
    base: str = field(default="", metadata={"quiet": True})
    key: str = field(default="", metadata={"quiet": True})
