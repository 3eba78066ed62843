"""What the values of a log say of its names: parts that add up, a training beside the game."""

from __future__ import annotations

import re
from collections import defaultdict
from itertools import combinations
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gandoctor.model.signals import Signal
    from gandoctor.vocabulary.guess import Guess

# More columns without names are no log of losses.
_MOST_COLUMNS: Final = 12


def compare_values(guesses: Sequence[Guess], signals: Sequence[Signal]) -> None:
    """Where a real and a fake part add up to D's loss (or twice its mean), they are losses."""
    by_role: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for i, g in enumerate(guesses):
        by_role[g.role, g.network, g.split].append(i)
    for (role, network, split), whole in list(by_role.items()):
        if role != "d_loss":
            continue
        real, fake = (
            by_role.get(("d_real_score", network, split)),
            by_role.get(("d_fake_score", network, split)),
        )
        if not real or not fake:
            continue
        r, f = real[0], fake[0]
        if _add_up(signals[r], signals[f], signals[whole[0]]):
            for i, side in ((r, "real"), (f, "fake")):
                guesses[i].settle(f"d_loss_{side}", f"adds up to {guesses[whole[0]].tag}")


def set_apart(guesses: Sequence[Guess], signals: Sequence[Signal]) -> None:
    """A loss that does not name G is none of its, where it shares no step with D's.

    A training before the game.
    """
    d = [
        s.steps
        for g, s in zip(guesses, signals, strict=True)
        if g.role in ("d_loss", "d_loss_real") and len(s)
    ]
    if not d:
        return
    first, last = min(int(steps[0]) for steps in d), max(int(steps[-1]) for steps in d)
    for g, s in zip(guesses, signals, strict=True):
        if (
            g.role not in ("g_loss", "g_loss_adv")
            or g.owner
            or g.fixed
            or not len(s)
            or last <= first
        ):
            continue
        inside = (s.steps >= first) & (s.steps <= last)
        if inside.mean() < 0.25 and not any(np.isin(s.steps, steps).any() for steps in d):
            g.settle("other", "a loss that shares no step with D's: of a training beside the game")


def read_unnamed_columns(guesses: Sequence[Guess], signals: Sequence[Signal]) -> None:
    """Columns without names: where two sums of two others are among them, the game can be read.

    D's halves are alike, the parts of G's loss are not.
    """
    loose = [
        i for i, g in enumerate(guesses) if re.fullmatch(r"column \d+", g.tag) and g.role == "other"
    ]
    if len(loose) < 3 or len(loose) > _MOST_COLUMNS or len(loose) < len(guesses):
        return
    sums = [
        (w, a, b)
        for w in loose
        for a, b in combinations([i for i in loose if i != w], 2)
        if _add_up(signals[a], signals[b], signals[w], halved=False)
    ]
    if not sums:
        return

    def unlike(triple: tuple[int, int, int]) -> float:
        a, b = (float(np.nanmedian(signals[i].values)) for i in triple[1:])
        return abs(a - b) / (abs(a) + abs(b) + 1e-12)

    d = min(sums, key=unlike)
    if unlike(d) > 0.2:
        return
    guesses[d[0]].settle(
        "d_loss",
        f"the sum of two columns that are alike ({guesses[d[1]].tag}, {guesses[d[2]].tag})",
    )
    rest = [s for s in sums if not set(s) & set(d)]
    if len(rest) == 1:
        w, a, b = rest[0]
        guesses[w].settle(
            "g_loss", f"the sum of two columns that differ ({guesses[a].tag}, {guesses[b].tag})"
        )


def _add_up(a: Signal, b: Signal, whole: Signal, *, halved: bool = True) -> bool:
    n = min(len(a), len(b), len(whole))
    if n < 5 or len(a) != len(b) or len(a) != len(whole):
        return False
    total = a.values[:n] + b.values[:n]
    w = whole.values[:n]
    ok = np.isfinite(total) & np.isfinite(w)
    if ok.sum() < 5 or np.ptp(w[ok]) == 0:
        return False
    return any(
        np.allclose(total[ok] * k, w[ok], rtol=1e-3, atol=1e-4)
        for k in ((1.0, 0.5) if halved else (1.0,))
    )
