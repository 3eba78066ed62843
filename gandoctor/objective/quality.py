"""What judges quality, whoever it is: one order of trust, no impossible values, one state.

A judge that G is trained on (a reconstruction error of its own batches) falls whatever D does. It
may lead a run, and says nothing of the adversarial part.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from gandoctor.lang.functions import Points, UndecidedError, state_of
from gandoctor.lang.functions.judged import HOLDS, IMPROVES, LOST, course_of
from gandoctor.lang.middle import median
from gandoctor.model.roles import Role, by_trust
from gandoctor.objective.game import LEADING, made
from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from gandoctor.model.signals import Signal

OWN_LOSS: Final = "g_loss_aux"
_OF_FEATURES: Final = late_pattern(r"(?i)feat|(?<![a-z])fm(?![a-z])")
_BEST_SO_FAR: Final = late_pattern(r"(?i)best")
# A lone value so many times its neighbours and the usual one has lost its exponent.
_SLIPPED: Final = 300.0
_FEWEST: Final = 5
# What a note tells one by one.
_MOST_TOLD: Final = 3
_WORDS: Final = {IMPROVES: "still improves", HOLDS: "holds", LOST: "has lost what it had gained"}


class Judgement(NamedTuple):
    """What is known of the quality of a run.

    Attributes
    ----------
    signals : tuple of Signal
        Those that were given, judges without the values that no judge of their kind can have.
    facts : Mapping of str to float
        ``quality_refused``; ``quality_judges``, ``quality_improving``, ``quality_lost`` where a
        state can be told.
    notes : tuple of str
        The same for the reader of the report.
    """

    signals: tuple[Signal, ...]
    facts: Mapping[str, float] = {}
    notes: tuple[str, ...] = ()


def judge(signals: Sequence[Signal], roles: Mapping[str, Role]) -> Judgement:
    """Leave impossible values of the judges out, and say where each of them stands.

    Parameters
    ----------
    signals : sequence of Signal
        With roles.
    roles : Mapping of str to Role

    Returns
    -------
    Judgement
    """
    of_metrics = {role.name: role for role in by_trust(roles.values(), "metric")}
    if not any(s.role in of_metrics or s.split == "val" for s in signals):
        return Judgement(tuple(signals))
    kept: list[Signal] = []
    refused: dict[str, NDArray[np.float64]] = {}
    for s in signals:
        role = of_metrics.get(s.role or "")
        fit = None if role is None else _possible(s.values, role)
        if fit is None or fit.all():
            kept.append(s)
            continue
        refused[s.tag] = s.values[~fit]
        if fit.any():
            kept.append(replace(s, steps=s.steps[fit], values=s.values[fit]))
    facts, notes = _states(kept, roles)
    if any(s.role in of_metrics for s in signals):
        facts["quality_refused"] = float(sum(map(len, refused.values())))
    notes += [_said_of_refused(tag, values) for tag, values in list(refused.items())[:_MOST_TOLD]]
    return Judgement(tuple(kept), facts, tuple(notes))


def _possible(values: NDArray[np.float64], role: Role) -> NDArray[np.bool_]:
    """Which values a judge can have; those that are not finite say so themselves."""
    low, high = role.possible
    fit = ~np.isfinite(values) | ((values >= low) & (values <= high))
    size = np.abs(values[fit & np.isfinite(values)])
    if size.size < _FEWEST:
        return fit
    # In a log, 9.8e-05 that was cut to 9.8 stands alone between others.
    usual = float(median(size))
    size = np.abs(values)
    beside = np.full(len(values), np.inf)
    beside[1:-1] = np.maximum(size[:-2], size[2:])
    alone = size > _SLIPPED * np.maximum(beside, usual)
    return np.asarray(fit & ~(alone & (usual > 0)))


def _said_of_refused(tag: str, values: NDArray[np.float64]) -> str:
    few = ", ".join(f"{v:.3g}" for v in values[:3])
    more = ", ..." if len(values) > 3 else ""
    return f"{tag}: {len(values)} impossible values were left out ({few}{more})"


# ---------------------------------------------------------------- who judges


def judges_of(signals: Sequence[Signal], roles: Mapping[str, Role]) -> Iterator[Signal]:
    """Judges of quality that G is not trained on, the most trusted first."""
    for role in by_trust(roles.values(), "metric"):
        yield from sorted(_of_role(signals, role.name), key=len, reverse=True)
    yield from sorted((s for s in _errors(signals) if s.split == "val"), key=_trust, reverse=True)


def leading_of(signals: Sequence[Signal]) -> Signal | None:
    """The part of G's own loss that tells most of quality, where nothing else judges."""
    return max(_errors(signals), key=_trust, default=None)


def quality_of(signals: Sequence[Signal], roles: Mapping[str, Role]) -> Iterator[Signal]:
    """``quality``, the best judge, and ``progress``, the same or the loss that leads G."""
    best = next(judges_of(signals, roles), None)
    leading = best if best is not None else leading_of(signals)
    for name, s in (("quality", best), ("progress", leading)):
        if s is None:
            continue
        sign = _sign(s, roles)
        turned = ", sign turned" if sign > 0 else ""
        yield made(name, s, (s.steps, -sign * s.values), f"{s.tag}{turned}: lower is better")


def _of_role(signals: Iterable[Signal], role: str) -> list[Signal]:
    return [s for s in signals if s.role == role and len(s) >= 2 and not _BEST_SO_FAR.search(s.tag)]


def _errors(signals: Iterable[Signal]) -> list[Signal]:
    return [s for s in _of_role(signals, OWN_LOSS) if LEADING.search(s.tag)]


def _trust(s: Signal) -> tuple[bool, bool, int]:
    # A distance between D's features grows as D learns: it judges only where nothing else does.
    return (not _OF_FEATURES.search(s.tag), s.split == "val", len(s))


def _sign(s: Signal, roles: Mapping[str, Role]) -> int:
    return roles.get(s.role or "", Role(OWN_LOSS, better="lower")).sign


# ---------------------------------------------------------------- where they stand


def _states(
    signals: Sequence[Signal], roles: Mapping[str, Role]
) -> tuple[dict[str, float], list[str]]:
    """How many judges improve and how many have lost, and a sentence on them."""
    last = max((int(s.steps[-1]) for s in _played(signals, roles)), default=0)
    first = min((int(s.steps[0]) for s in _played(signals, roles)), default=0)
    told: list[tuple[float, str]] = []
    for s in judges_of(signals, roles):
        higher = _sign(s, roles) > 0
        points = Points(s.steps, s.values, higher=higher)
        try:
            with np.errstate(all="ignore"):
                state = state_of(points, first, last)
                course = course_of(points)
        except UndecidedError:
            continue
        best = -course.best if higher else course.best
        where = f"(best {best:.4g} around step {course.best_step:,.0f}, now "
        now = f"{-course.late if higher else course.late:.4g})"
        told.append((state, f"{s.tag} {_WORDS[state]} {where}{now}"))
    if not told:
        return {}, []
    improving = sum(state == IMPROVES for state, _ in told)
    lost = sum(state == LOST for state, _ in told)
    facts = {
        "quality_judges": float(len(told)),
        "quality_improving": float(improving),
        "quality_lost": float(lost),
    }
    text = "; ".join(said for _, said in told[:_MOST_TOLD])
    if len(told) > 1:
        text += "; they disagree" if improving and lost else "; they agree"
    return facts, [f"quality: {text}"]


def _played(signals: Sequence[Signal], roles: Mapping[str, Role]) -> list[Signal]:
    """Signals whose steps are those of the game; all of them where there are none."""
    filled = [s for s in signals if len(s)]
    of_game = {role.name for role in roles.values() if role.is_of_game}
    return [s for s in filled if s.role in of_game] or filled
