"""What cannot be as it is logged: told as a fact, held against nobody.

A probability above one, one number under two names, losses that were divided once more than a mean
is: each is a slip of the log, and each changes what the rest of the log means.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from gandoctor.lang.middle import median
from gandoctor.objective.families import LN2
from gandoctor.objective.game import number, pick
from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from gandoctor.model.signals import Objective, Setting, Signal

_SCORES: Final = ("d_real_score", "d_fake_score")
_PROBABILITY: Final = late_pattern(r"(?i)prob(?!e)|sigmoid|confidence|likelihood")
_ROUNDING: Final = 1e-6
# Roles of which no two hold the same numbers by nature.
_APART: Final = frozenset(
    {
        "d_loss", "g_loss", "d_loss_real", "d_loss_fake", "d_real_score", "d_fake_score", "d_acc",
        "d_real_acc", "d_fake_acc", "grad_norm_d", "grad_norm_g", "fid", "kid", "inception_score",
        "lpips", "gradient_penalty", "r1_penalty", "r2_penalty",
    }
)  # fmt: skip
# Those have a rule of their own.
_TOLD_ELSEWHERE: Final = ({"d_loss", "g_loss"}, {"d_real_score", "d_fake_score"})
_ROWS: Final = 10
_DIFFERENT: Final = 5  # values, so that two columns are not equal by standing still
_MOST_TOLD: Final = 3
# Losses rest so near ln 2 over the batch, by share.
_NEAR: Final = 0.02
_NEAR_G: Final = 0.06
_LEAST_BATCH: Final = 4


class Doubts(NamedTuple):
    """What cannot be as it is logged.

    Attributes
    ----------
    facts : Mapping of str to float
        ``probabilities_outside`` (where scores are called probabilities), ``columns_equal``,
        ``loss_divisor`` (where losses were divided by the batch once more).
    notes : tuple of str
    """

    facts: Mapping[str, float]
    notes: tuple[str, ...]


def doubt(
    signals: Sequence[Signal], settings: Mapping[str, Setting], objective: Objective
) -> Doubts:
    """Look for what cannot be.

    Parameters
    ----------
    signals : sequence of Signal
        As they were logged, with roles.
    settings : Mapping of str to Setting
        By canonical name.
    objective : Objective

    Returns
    -------
    Doubts
    """
    facts: dict[str, float] = {}
    notes: list[str] = []
    called = [s for s in signals if s.role in _SCORES and _PROBABILITY.search(s.tag)]
    if called:
        facts["probabilities_outside"] = float(sum(map(_outside, called)))
    equal = list(_equal(signals))
    facts["columns_equal"] = float(len(equal))
    notes += [f"{a} and {b} hold the same numbers in every row" for a, b in equal[:_MOST_TOLD]]
    divisor = _divisor(signals, settings, objective)
    if divisor:
        facts["loss_divisor"] = divisor
        notes.append(
            f"the losses rest near ln 2 / {divisor:g}: means over the batch, divided by it again"
        )
    return Doubts(facts, tuple(notes))


def _outside(s: Signal) -> int:
    values = s.values[np.isfinite(s.values)]
    return int(np.count_nonzero((values < -_ROUNDING) | (values > 1 + _ROUNDING)))


def _equal(signals: Sequence[Signal]) -> Iterator[tuple[str, str]]:
    """Tags of columns of different meaning that agree in every digit of every row."""
    groups: dict[tuple[object, ...], list[Signal]] = defaultdict(list)
    for s in signals:
        if len(s) >= _ROWS and s.role in _APART:
            v = s.values
            groups[(len(s), v[0], v[len(s) // 3], v[len(s) // 2], v[-1])].append(s)
    for alike in groups.values():
        for i, a in enumerate(alike):
            b = next((b for b in alike[i + 1 :] if _same_column(a, b)), None)
            if b is not None:
                yield a.tag, b.tag


def _same_column(a: Signal, b: Signal) -> bool:
    if (a.role, a.split) == (b.role, b.split) and a.network == b.network:
        return False  # the same quantity, logged twice
    if {a.role, b.role} in _TOLD_ELSEWHERE:
        return False
    return (
        np.array_equal(a.values, b.values)
        and np.array_equal(a.steps, b.steps)
        and len(np.unique(a.values[: 50 * _DIFFERENT])) >= _DIFFERENT
    )


def _divisor(
    signals: Sequence[Signal], settings: Mapping[str, Setting], objective: Objective
) -> float:
    """By what losses that rest at a share of cross-entropy's chance were divided; 0 for nothing."""
    batch = number(settings, "batch_size") or 0.0
    if batch < _LEAST_BATCH or objective.family in ("wgan", "wgan-gp", "lsgan"):
        return 0.0
    d, g = pick(signals, "d_loss", ""), pick(signals, "g_loss", "")
    if d is None or g is None or min(len(d), len(g)) < _ROWS:
        return 0.0
    rest_d, rest_g = _rest(d.values), _rest(g.values)
    fits_d = any(abs(rest_d * batch / (k * LN2) - 1) < _NEAR for k in (1, 2))
    return batch if fits_d and abs(rest_g * batch / LN2 - 1) < _NEAR_G else 0.0


def _rest(values: NDArray[np.float64]) -> float:
    """The level of the last half."""
    half = values[len(values) // 2 :]
    return float(median(half[np.isfinite(half)])) if np.isfinite(half).any() else 0.0
