"""What was found in checkpoints, as frozen values that stand in a run and in a report."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING

from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from gandoctor.model.signals import Setting, Source


@dataclass(frozen=True, slots=True)
class NetworkNote:
    """One network of a checkpoint.

    Attributes
    ----------
    name : str
        Where it stands in the file. Untrusted text.
    role : str
        ``g``, ``d`` or nothing where names do not tell.
    average : bool
        Whether it is a moving average.
    parameters : int
        Numbers that are trained.
    tensors : int
    """

    name: str
    role: str
    average: bool
    parameters: int
    tensors: int


@dataclass(frozen=True, slots=True)
class CheckpointNote:
    """A checkpoint file.

    Attributes
    ----------
    path : str
        Relative to the run.
    kind : str
        What sort of file it is.
    step : int or None
        In the unit of the log, as far as it is known.
    optimisers : tuple of str
        One sentence an optimiser.
    said : tuple of str
        What its numbers tell, one sentence each.
    foreign : tuple of str
        What the file would import that checkpoints have no need of. Untrusted text.
    """

    path: str
    kind: str
    step: int | None = None
    networks: tuple[NetworkNote, ...] = ()
    optimisers: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DrawnNote:
    """Samples that were drawn from a generator found in a checkpoint.

    Attributes
    ----------
    path : str
        The checkpoint.
    network : str
        Where the generator stands in it.
    step : int or None
    how : str
        How the generator was rebuilt, and how sure that is.
    picture : str
        A grid of samples: a PNG in base64; empty where samples are no pictures.
    """

    path: str
    network: str
    step: int | None
    how: str
    picture: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Saved:
    """What the checkpoints of a run tell.

    Attributes
    ----------
    notes : tuple of CheckpointNote
        By step.
    facts : Mapping of str to float
        Numbers of the last step that rules may use.
    settings : tuple of Setting
        What the training was called with, as the last checkpoint has it.
    sources : tuple of Source
        The files, and what was lost of them.
    remarks : tuple of str
    """

    notes: tuple[CheckpointNote, ...] = ()
    facts: Mapping[str, float] = field(default_factory=dict)
    settings: tuple[Setting, ...] = ()
    sources: tuple[Source, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Samples of a generator that was rebuilt one way.

    Attributes
    ----------
    path : str
        The checkpoint, relative to the run.
    network : str
        Which of several networks.
    name : str
        Where the generator stands in the file.
    step : int or None
    values : ndarray of float32, shape (n, ...)
        Flat samples, or pictures of shape (channels, height, width).
    proved : bool
        Whether running statistics agreed with the way it was built.
    ways : int
        In how many ways it may have been built.
    how : str
        How it was rebuilt, for people.
    sensitivity : float
        How far samples move with the noise, over their own spread.
    saturated : float
        Share of outputs deep in the flat part of the last activation; NaN where it has none.
    picture : str
        A grid of samples: a PNG in base64; empty where they are no pictures.
    """

    path: str
    network: str
    name: str
    step: int | None
    values: NDArray[np.float32]
    proved: bool
    ways: int
    how: str
    sensitivity: float
    saturated: float
    picture: str = ""
