"""What a probe of a run's players measured, and what short trainings said of its prescriptions."""

from __future__ import annotations

from typing import Literal

from gandoctor.values import dataclass


@dataclass(frozen=True, slots=True)
class ProbeFigure:
    """One number that a probe measured.

    Attributes
    ----------
    name : str
    value : float
    text : str
        What it is, in words.
    role : str
        What it counts as for the rules; empty where it is no signal.
    """

    name: str
    value: float | None
    text: str
    role: str = ""


@dataclass(frozen=True, slots=True)
class ProbeLayer:
    """Gradient of one parameter: its norm, and that over the norm of the weights.

    `matrix` says whether it has more than one dimension.
    """

    player: str
    name: str
    gradient: float | None
    relative: float | None
    matrix: bool = False


@dataclass(frozen=True, slots=True)
class ProbeTested:
    """What the probe says of a diagnosis of the log."""

    cause: str
    title: str
    symptoms: tuple[str, ...]
    outcome: Literal["confirmed", "refuted", "untouched"]
    why: str


@dataclass(frozen=True, slots=True)
class ProbeNote:
    """A probe of a run's players: what it measured, and what became of what the log said.

    Attributes
    ----------
    device, checkpoint : str
        For people.
    seconds, budget : float
    seed, samples : int
    p_before, p_after : float
        Belief that the run has failed, by the log alone and with what the probe measured.
    verdict_before : str
    figures : tuple of ProbeFigure
    tested : tuple of ProbeTested
        The diagnoses of the log.
    layers : tuple of ProbeLayer
    notes : tuple of str
        What could not be measured and why, what was halved.
    complete : bool
        False where the time ran out, or somebody interrupted it.
    """

    device: str
    checkpoint: str
    seconds: float
    budget: float
    seed: int
    samples: int
    p_before: float
    p_after: float
    verdict_before: Literal["failing", "warning", "healthy", "inconclusive"]
    figures: tuple[ProbeFigure, ...] = ()
    tested: tuple[ProbeTested, ...] = ()
    layers: tuple[ProbeLayer, ...] = ()
    notes: tuple[str, ...] = ()
    complete: bool = True


@dataclass(frozen=True, slots=True)
class TrialArm:
    """One way to train, tried for short: as it was, under a prescription, under a random edit.

    Attributes
    ----------
    kind : str
        ``unchanged``, ``prescription`` or ``random``.
    title, change : str
        What it is; the edits as ``key: old -> new``.
    number : int
        Of the prescription in the report before the trials, from 1; 0 for the others.
    remedy, cause : str
        Of the prescription.
    rungs : tuple of tuple of float or None
        What the judge said at each rung, one a seed; None where nothing trained, or it broke.
    outcome : str
        ``refuted``, ``supported``, ``undecided``, ``control`` or ``not tried``.
    why : str
    """

    kind: Literal["unchanged", "prescription", "random"]
    title: str
    change: str
    number: int = 0
    remedy: str = ""
    cause: str = ""
    rungs: tuple[tuple[float | None, ...], ...] = ()
    outcome: Literal["refuted", "supported", "undecided", "control", "not tried"] = "not tried"
    why: str = ""


@dataclass(frozen=True, slots=True)
class TrialsNote:
    """Short trainings from scratch, and what they say of the prescriptions.

    Attributes
    ----------
    judge : str
        Role of the signal that decides, or ``belief``: lower is better of all.
    shares : tuple of float
        Of the run's steps, one a rung.
    arms : tuple of TrialArm
    trained : int
        How many trainings there were.
    seconds, budget : float
    notes : tuple of str
    complete : bool
        False where the time ran out, or somebody interrupted it.
    """

    judge: str
    shares: tuple[float, ...]
    arms: tuple[TrialArm, ...]
    trained: int
    seconds: float
    budget: float
    notes: tuple[str, ...] = ()
    complete: bool = True
