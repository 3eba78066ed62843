"""What became of a run after a change.

One value from which every output of ``gandoctor compare`` is made.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final, Literal

from gandoctor.values import dataclass

if TYPE_CHECKING:
    from gandoctor.model.report import Series, Verdict
    from gandoctor.model.roles import Judges

Answer = Literal["better", "worse", "no clear change"]
Fate = Literal["gone", "new", "still there", "not checked"]

SCHEMA: Final = "gandoctor.comparison/1"


def word_for(sign: int) -> Answer:
    """The answer for 1, -1 or 0."""
    if sign > 0:
        return "better"
    return "worse" if sign < 0 else "no clear change"


@dataclass(frozen=True, slots=True)
class Best:
    """The best point of a run, by the best judge that was logged.

    Attributes
    ----------
    role, tag : str
        The judge.
    step : int
        Where it was at its best (a running median where there are enough points).
    value : float
        Its value there, as logged.
    share_after : float
        Share of the run's steps that came later: what stopping there would have saved.
    weak : bool
        Whether the judge is G's loss, for want of a quality metric.
    """

    role: str
    tag: str
    step: int
    value: float
    share_after: float
    weak: bool = False


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two runs. `since` is the onset of what its verdict rests on."""

    name: str
    verdict: Verdict
    why_verdict: str
    since: int | None
    first_step: int
    last_step: int
    step_unit: str
    family: str
    best: Best | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """One signal before and after.

    Attributes
    ----------
    role, network : str
    title : str
        What it is, in words.
    tags : (str, str)
        Its tag in each run; empty where it was not logged.
    before, after : float or None
        Median of the last tenth of its points; None where the last point is not finite, or nothing
        was logged.
    best : (float or None, float or None)
        Its best value in each run; None where none is better than another.
    direction : str
        ``lower`` or ``higher`` is better; empty where neither is, as for the losses of a game.
    answer : str
        Empty where it has no say.
    judges : str
        ``metric``, ``samples`` or ``loss`` where it judges quality, as its role says; else empty.
    because : str
        Why the answer is what it is.
    """

    role: str
    network: str
    title: str
    tags: tuple[str, str]
    before: float | None
    after: float | None
    best: tuple[float | None, float | None] = (None, None)
    direction: Literal["lower", "higher", ""] = ""
    answer: Answer | Literal[""] = ""
    because: str = ""
    judges: Judges = ""

    @property
    def has_best_point(self) -> bool:
        """Whether its best point is one to stop at: not of samples, which are looked at rarely."""
        return self.judges in ("metric", "loss")


@dataclass(frozen=True, slots=True)
class CauseChange:
    """What became of a cause. `confidence` is the one before and the one after.

    Empty where it was not named.
    """

    cause: str
    title: str
    fate: Fate
    confidence: tuple[str, str]
    because: str = ""


@dataclass(frozen=True, slots=True)
class SettingChange:
    """A setting that is not what it was, under the user's own key.

    None where a run's config does not have it.
    """

    name: str
    key: str
    old: str | None
    new: str | None


@dataclass(frozen=True, slots=True)
class Curve:
    """One signal of both runs, to be drawn over each other."""

    title: str
    tags: tuple[str, str]
    before: Series
    after: Series


@dataclass(frozen=True, slots=True)
class Comparison:
    """Whether a change helped.

    Attributes
    ----------
    answer : str
        ``better``, ``worse`` or ``no clear change``.
    why : tuple of str
        What it rests on, the deciding reason first.
    cautions : tuple of str
        What makes the two runs less comparable.
    measures : tuple of Measure
        Losses first, then scores, then quality.
    caught_up : int or None
        First step at which the run after was as good as the run before ever was; None where that
        cannot be told.
    """

    before: Side
    after: Side
    answer: Answer
    why: tuple[str, ...]
    cautions: tuple[str, ...] = ()
    measures: tuple[Measure, ...] = ()
    causes: tuple[CauseChange, ...] = ()
    settings: tuple[SettingChange, ...] = ()
    caught_up: int | None = None
    curves: tuple[Curve, ...] = ()
    rules_digest: str = ""
    version: str = ""
    schema: str = SCHEMA

    def to_dict(self) -> dict[str, Any]:
        """Plain data for ``json.dumps``."""
        return asdict(self)
