"""What sums between columns say of their roles, whatever the columns are called."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.lang.rows import weight_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from gandoctor.model.signals import Signal
    from gandoctor.vocabulary.guess import Guess

# A log has few losses of D and G; where it has more columns than this, the time stays in
# proportion.
_MOST: Final = 12
# Names of these roles that hold an unknown word may be slips: a penalty that is read as the norm of
# a gradient.
_DOUBTFUL: Final = frozenset({"grad_norm_d", "other", "loss?", "d_loss"})


def weigh(guesses: Sequence[Guess], signals: Sequence[Signal]) -> None:
    """Where D's loss is another one plus k times a third, in every row, the third is the penalty.

    Where G's loss is another one plus k times a part of its own, that other is the adversarial
    part.

    Parameters
    ----------
    guesses : sequence of Guess
        Settled in place.
    signals : sequence of Signal
        In the same order.
    """
    groups: dict[tuple[str, str], list[int]] = {}
    for i, g in enumerate(guesses):
        if not g.fixed and g.split != "val" and len(signals[i]) >= 10:
            groups.setdefault(("", g.network), []).append(i)
    for members in groups.values():
        _penalty(members, guesses, signals)
        _adversarial(members, guesses, signals)


def _penalty(members: Sequence[int], guesses: Sequence[Guess], signals: Sequence[Signal]) -> None:
    losses = _some(i for i in members if guesses[i].role == "d_loss")
    if len(losses) < 2 or any(guesses[i].role == "gradient_penalty" for i in members):
        return
    doubtful = (i for i in members if guesses[i].role in _DOUBTFUL and guesses[i].unknown)
    loose = _some(i for i in doubtful if bool(np.all(signals[i].values >= 0)))
    for whole, part, rest in product(losses, losses, loose):
        if len({whole, part, rest}) == 3 and (
            k := _weight(signals[whole], signals[part], signals[rest])
        ):
            because = f"{guesses[whole].tag} is {guesses[part].tag} plus {k:.3g} times it"
            guesses[rest].settle("gradient_penalty", because)
            return


def _adversarial(
    members: Sequence[int], guesses: Sequence[Guess], signals: Sequence[Signal]
) -> None:
    wholes = _some(i for i in members if guesses[i].role == "g_loss")
    parts = _some(
        i
        for i in members
        if guesses[i].role in ("g_loss", "g_loss_aux") and guesses[i].owner == "G"
    )
    rests = _some(i for i in members if guesses[i].role == "g_loss_aux")
    if any(guesses[i].role == "g_loss_adv" for i in members):
        return
    for whole, part, rest in product(wholes, parts, rests):
        told = "form" in guesses[rest].found or "task" in guesses[rest].found
        if (
            len({whole, part, rest}) == 3
            and told
            and not {"form", "task"} & guesses[part].found
            and (k := _weight(signals[whole], signals[part], signals[rest]))
        ):
            because = f"{guesses[whole].tag} is it plus {k:.3g} times {guesses[rest].tag}"
            guesses[part].settle("g_loss_adv", because)
            return


def _some(indices: Iterable[int]) -> list[int]:
    return list(indices)[:_MOST]


def _weight(whole: Signal, part: Signal, rest: Signal) -> float | None:
    if not len(whole) == len(part) == len(rest) or not (
        np.array_equal(whole.steps, part.steps) and np.array_equal(whole.steps, rest.steps)
    ):
        return None
    rows: list[NDArray[np.float64]] = [whole.values, part.values, rest.values]
    # A few rows rule nearly everything out.
    few = [r[:: max(1, len(whole) // 64)] for r in rows]
    for looked in (few, rows):
        ok = np.all([np.isfinite(r) for r in looked], axis=0)
        k = weight_of(*(r[ok] for r in looked))
        if k is None:
            return None
    return k
