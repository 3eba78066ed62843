"""What a training left behind, as frozen values.

Signals, settings, the game that was played, the run.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Final, Literal, get_args

import numpy as np

from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from gandoctor.model.checkpoints import CheckpointNote, DrawnNote
    from gandoctor.model.roles import Role

StepUnit = Literal["iterations", "epochs", "kimg", "unknown"]
Confidence = Literal["high", "medium", "low"]
Family = Literal[
    "minimax",
    "nonsaturating",
    "lsgan",
    "hinge",
    "wgan",
    "wgan-gp",
    "relativistic",
    "other",
    "unknown",
]
FAMILIES: Final[tuple[Family, ...]] = get_args(Family)
SettingValue = float | int | str | bool | None | tuple[object, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Signal:
    """One logged series.

    Attributes
    ----------
    tag : str
        The name as it was logged. Untrusted text.
    steps : ndarray of int64, shape (n,)
        Step of each value, in the run's own unit, non-decreasing once the reader has merged
        restarts.
    values : ndarray of float64, shape (n,)
        The values; NaN and infinities are kept.
    role : str or None
        What it means, a name of ``rules/vocabulary/signals.yaml``; None while unknown.
    network : str
        Which of several networks (``A``, ``B``, ``mpd``); empty for the only one.
    split : str
        ``train`` or ``val``; empty where nothing tells.
    wall_time : ndarray of float64, shape (n,), or None
        Seconds since the epoch.
    source : str
        File it came from, relative to the run.
    because : str
        Why it was given its role, for the reader of the report.
    rank : int
        0 for the first choice of its role, network and split; 1, 2 ... for further candidates, kept
        to be shown.
    """

    tag: str
    steps: NDArray[np.int64]
    values: NDArray[np.float64]
    role: str | None = None
    network: str = ""
    split: str = ""
    wall_time: NDArray[np.float64] | None = None
    source: str = ""
    because: str = ""
    rank: int = 0

    def __len__(self) -> int:
        return int(self.values.shape[0])


@dataclass(frozen=True, slots=True)
class Setting:
    """A hyper-parameter: its canonical name beside the user's own key.

    Attributes
    ----------
    name : str
        Canonical name from ``rules/vocabulary/settings.yaml``; empty while unknown.
    value : float, int, str, bool, None or tuple
        As the file's usual reader would give it: ``5e-5`` in YAML is a string, and stays one.
    key : str
        The user's own dotted key, ``train.optim_d.lr``; list items by index, ``betas.0``.
    file : str
        File relative to the run, POSIX separators; empty where the log itself carried it.
    line : int
        1-based line of the value; 0 where there is none.
    how : str
        How the code keeps it, where it was read in code (``option``, ``constant, cell3:5``); empty
        where a log or a config says it.
    confidence : str
        How sure the reading of code is; empty where a log or a config says it.
    """

    name: str
    value: SettingValue
    key: str
    file: str = ""
    line: int = 0
    how: str = ""
    confidence: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """One file that was read, and what was lost on the way.

    Attributes
    ----------
    path : str
        Relative to the run.
    parser : str
        ``NAME`` of the parser, ``config`` for a config file.
    points : int
        Values (or settings) read.
    lost : str or None
        What could not be read, in words and counts; None where nothing was lost.
    """

    path: str
    parser: str
    points: int
    lost: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """Sample pictures or arrays found at one step; decoded later, and only if asked.

    Attributes
    ----------
    tag : str
        Tag, or folder and stem of the file.
    step : int
        Step they belong to; -1 for real data.
    path : str
        File that holds them, relative to the run.
    offset, length : int
        Where the encoded bytes stand in that file; 0 and 0 for the whole file.
    written : "" or "base64"
        How the bytes are written there; base64 as it stands between the quotes of a JSON text.
    shows : tuple of str
        What the panels of a figure show, from left to right, each ``real``, ``fake`` or ``input``
        (what a translation starts from); empty where nothing tells.
    """

    tag: str
    step: int
    path: str
    offset: int = 0
    length: int = 0
    written: Literal["", "base64"] = ""
    shows: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """What a parser got out of one file: the common currency of ``gandoctor.parsers``.

    Attributes
    ----------
    signals : tuple of Signal
        With role None; ``source`` is filled in by discovery.
    settings : tuple of Setting
        Raw: ``name`` empty, ``key`` the user's own.
    lost : str or None
        What could not be read, in words and counts.
    step_unit : str
        What the file itself says about its step axis.
    notes : tuple of str
        Remarks for the reader of the report.
    pictures : tuple of Picture
        Indexed, not decoded.
    facts : Mapping
        Numbers that are neither signal nor setting.
    finished : bool or None
        False where the log ends without the mark of a finished run; None where the format has no
        such mark.
    """

    signals: tuple[Signal, ...] = ()
    settings: tuple[Setting, ...] = ()
    lost: str | None = None
    step_unit: StepUnit = "unknown"
    notes: tuple[str, ...] = ()
    pictures: tuple[Picture, ...] = ()
    facts: Mapping[str, float] = field(default_factory=dict)
    finished: bool | None = None


@dataclass(frozen=True, slots=True, eq=False)
class RawRun:
    """The files of one run, read and merged, before anything is understood.

    Attributes
    ----------
    name : str
        Name of the run's folder or file.
    root : Path
        Folder that every `Source.path`, `Setting.file` and `Picture.path` is relative to.
    where : str
        The run's own folder, or its name among several, from what was analysed.
    base : str
        `root` from what was analysed.
    signals, settings, sources, pictures, notes, facts, step_unit, finished
        As in `Reading`, of all files together.
    files : tuple of Path
        Logs, configs and pictures that the run was read from, absolute.
    checkpoints : tuple of str
        Files that may be checkpoints, relative to `root`; none was opened yet.
    """

    name: str
    root: Path
    signals: tuple[Signal, ...] = ()
    settings: tuple[Setting, ...] = ()
    sources: tuple[Source, ...] = ()
    pictures: tuple[Picture, ...] = ()
    notes: tuple[str, ...] = ()
    facts: Mapping[str, float] = field(default_factory=dict)
    step_unit: StepUnit = "unknown"
    finished: bool | None = None
    files: tuple[Path, ...] = ()
    checkpoints: tuple[str, ...] = ()
    where: str = "."
    base: str = "."


@dataclass(frozen=True, slots=True)
class Objective:
    """Which game is played, and where its chance level lies.

    Attributes
    ----------
    family : str
        One of `FAMILIES`.
    chance_d, chance_g : float or None
        Loss of D and of G when D cannot tell real from fake; None where the family has no such
        anchor (WGAN).
    sign : int
        -1 where the log holds the negated D loss.
    reduction : str
        ``sum``, ``mean`` (of the real and fake term) or ``unknown``.
    confidence : str
        ``high``, ``medium`` or ``low``.
    because : tuple of str
        The reasons, strongest first.
    floor_d : float
        Lowest D loss that can be reached (0.325 under one-sided smoothing of 0.9, sum convention).
    led_by : str
        Role or tag of the pixel, mel, perceptual or feature term that leads G; empty where none
        does.
    terms : tuple of str
        Extra terms in the losses: ``gp``, ``r1``, ``class``, ``contrastive``, ...
    candidates : tuple of str
        Families that remain possible where `family` is ``unknown``.
    summed : Mapping of str to int
        By network: how many discriminators its D loss is the sum of, where more than one.
        `chance_d`, `chance_g` and `floor_d` are those of one.
    """

    family: Family = "unknown"
    chance_d: float | None = None
    chance_g: float | None = None
    sign: int = 1
    reduction: Literal["sum", "mean", "unknown"] = "unknown"
    confidence: Confidence = "low"
    because: tuple[str, ...] = ()
    floor_d: float = 0.0
    led_by: str = ""
    terms: tuple[str, ...] = ()
    candidates: tuple[Family, ...] = ()
    summed: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Everything one training left behind.

    Attributes
    ----------
    name : str
        Name of the folder or file. Untrusted text.
    signals : tuple of Signal
        Those with a role.
    unmapped : tuple of Signal
        Those without.
    settings : Mapping of str to Setting
        By canonical name.
    raw_settings : tuple of Setting
        Every setting that was read, in file order, canonical or not.
    objective : Objective
    facts : Mapping of str to float
        Numbers from checkpoints, sample pictures and the like (``params_g``, ``real_variance``).
    notes : tuple of str
        Remarks for the reader of the report.
    sources : tuple of Source
        Every file that was read.
    step_unit : str
        Unit of the step axis.
    roles : Mapping of str to Role
        All roles that a signal can have, by name.
    finished : bool or None
        False where the log ends without the mark of a finished run.
    checkpoints : tuple of CheckpointNote
    drawn : tuple of DrawnNote
    """

    name: str
    signals: tuple[Signal, ...] = ()
    unmapped: tuple[Signal, ...] = ()
    settings: Mapping[str, Setting] = field(default_factory=dict)
    raw_settings: tuple[Setting, ...] = ()
    objective: Objective = field(default_factory=Objective)
    facts: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    sources: tuple[Source, ...] = ()
    step_unit: StepUnit = "unknown"
    roles: Mapping[str, Role] = field(default_factory=dict)
    finished: bool | None = None
    checkpoints: tuple[CheckpointNote, ...] = ()
    drawn: tuple[DrawnNote, ...] = ()

    @property
    def first_step(self) -> int:
        """First logged step of any signal; 0 for an empty run."""
        return min((int(s.steps[0]) for s in self._with_points()), default=0)

    @property
    def last_step(self) -> int:
        """Last logged step of any signal; 0 for an empty run."""
        return max((int(s.steps[-1]) for s in self._with_points()), default=0)

    def _with_points(self) -> Iterator[Signal]:
        return (s for s in (*self.signals, *self.unmapped) if len(s))

    def by_role(self, role: str, network: str | None = None) -> tuple[Signal, ...]:
        """Signals of a role, of one network where it is given."""
        return tuple(s for s in self.signals if s.role == role and network in (None, s.network))
