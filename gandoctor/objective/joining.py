"""Where D joins a training that began without it.

Autoencoders, tokenizers and codecs are trained on their reconstruction first. Until D joins, its
loss is zero by a factor, or not logged at all, and what its untrained outputs say is no game.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from gandoctor.lang.functions.registry import interval_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gandoctor.model.signals import Setting, Signal

_LOSSES: Final = ("d_loss", "d_loss_real", "d_loss_fake")
# What says nothing of the game before D joins; G's whole loss does, as it holds the other parts.
_OF_GAME: Final = frozenset(
    {
        *_LOSSES, "d_real_score", "d_fake_score", "d_acc", "d_real_acc", "d_fake_acc", "g_loss_adv",
        "wasserstein_estimate", "gradient_penalty", "r1_penalty", "r2_penalty", "grad_norm_d",
        "adv_weight",
    }
)  # fmt: skip
# Zeros at the start that are no accident of rounding.
_FEWEST: Final = 3
_FEWEST_OF_ALL: Final = 10
# Share of the run after which a first row of D is a late one, and of its later rows that count.
_LATE: Final = 0.05
_AT_WORK: Final = 0.9


class Joining(NamedTuple):
    """What is known of a D that does not play from the start.

    Attributes
    ----------
    signals : tuple of Signal
        Without the rows from before D joins.
    idle : tuple of Signal
        Those of a D that never joins, without a role.
    facts : Mapping of str to float
        ``d_idle_steps`` and, where D joins, ``d_joins``; empty where D plays from the start.
    note : str
        The same for the reader of the report.
    """

    signals: tuple[Signal, ...]
    idle: tuple[Signal, ...] = ()
    facts: Mapping[str, float] = {}
    note: str = ""


def join(signals: Sequence[Signal], settings: Mapping[str, Setting]) -> Joining:
    """Leave out what is said of the game before D joins.

    Parameters
    ----------
    signals : sequence of Signal
        With roles.
    settings : Mapping of str to Setting
        By canonical name.

    Returns
    -------
    Joining
    """
    rows = [s for s in signals if len(s) and s.split != "val"]
    if not any(s.role in ("g_loss_aux", "adv_switch") for s in rows):
        return Joining(tuple(signals))
    first = min(int(s.steps[0]) for s in rows)
    last = max(int(s.steps[-1]) for s in rows)
    found = _by_switch(rows) or _by_zeros(rows, settings) or _by_first_row(rows, first, last)
    if found is None:
        return Joining(tuple(signals))
    if found == np.inf:
        of_d = {id(s) for s in signals if s.role in _OF_GAME}
        told = "D has not joined where the log ends"
        return Joining(
            tuple(s for s in signals if id(s) not in of_d),
            tuple(replace(s, role=None, because=told) for s in signals if id(s) in of_d),
            {"d_idle_steps": float(last - first)},
            f"D has no part in the training up to step {last:,}, where the log ends",
        )
    facts = {"d_joins": float(found), "d_idle_steps": float(found - first)}
    kept = (_since(s, int(found)) for s in signals)
    note = f"D joins at step {int(found):,}: what it says before that is left out"
    return Joining(tuple(s for s in kept if len(s)), (), facts, note)


def _since(signal: Signal, step: int) -> Signal:
    """A signal of the game from a step on; any other as it is."""
    if signal.role not in _OF_GAME or not len(signal) or signal.steps[0] >= step:
        return signal
    keep = signal.steps >= step
    return replace(signal, steps=signal.steps[keep], values=signal.values[keep])


def _by_switch(rows: Iterable[Signal]) -> float | None:
    """Step at which the logged factor leaves zero; infinity where it never does."""
    switches = [s for s in rows if s.role == "adv_switch"]
    if not switches or any(s.values[0] != 0 for s in switches):
        return None
    return min(_first_step(s, s.values > 0) for s in switches)


def _by_zeros(rows: Sequence[Signal], settings: Mapping[str, Setting]) -> float | None:
    """Step at which D's loss leaves a zero that it began at, and keeps off it."""
    losses = [s for s in rows if s.role in _LOSSES]
    if not losses or any(s.values[0] != 0 for s in losses):
        return None
    found = np.inf
    for loss in losses:
        at_work = loss.values != 0
        if not at_work.any():
            if len(loss) < _FEWEST_OF_ALL or "disc_start" not in settings:
                return None
            continue
        start = int(at_work.argmax())
        if start < _FEWEST or float(at_work[start:].mean()) < _AT_WORK:
            return None
        found = min(found, float(loss.steps[start]))
    return found


def _by_first_row(rows: Sequence[Signal], first: int, last: int) -> float | None:
    """First step of D's losses, where all the rest was logged long before."""
    losses = [s for s in rows if s.role in _LOSSES]
    if not losses:
        return None
    loss = min(losses, key=lambda s: int(s.steps[0]))
    late = int(loss.steps[0]) - first
    often = late > _FEWEST * interval_of(loss.steps)  # else it is merely logged more rarely
    return float(loss.steps[0]) if often and late > _LATE * (last - first) else None


def _first_step(signal: Signal, where: np.ndarray) -> float:
    return float(signal.steps[int(where.argmax())]) if where.any() else np.inf
