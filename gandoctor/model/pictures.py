"""A sample picture as a report shows it."""

from __future__ import annotations

from gandoctor.values import dataclass


@dataclass(frozen=True, slots=True)
class PictureNote:
    """One look at the samples.

    Attributes
    ----------
    step : int
    what : str
        Which moment of the run it is: ``first look``, ``best``, ``onset``, ``last look``.
    picture : str
        A small PNG in base64.
    told : str
        What was measured there, in a few words; empty for nothing.
    """

    step: int
    what: str
    picture: str
    told: str = ""
