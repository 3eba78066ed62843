"""How far a training was to go, by its options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gandoctor.lexicon.players import called
from gandoctor.parsers.rows.names import EPOCH_NAMES, KIMG_NAMES, STEP_NAMES, plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    from numpy.typing import NDArray

    from gandoctor.model.signals import Setting

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


_PLANNED: Final = frozenset({"total", "max", "num", "n", "nb", "niter", "train", "training"})

_NO_PLAN: Final = frozenset(
    {
        "decay",
        "warmup",
        "save",
        "log",
        "eval",
        "per",
        "every",
    }
)


def planned_length(settings: Iterable[Setting]) -> dict[str, float]:
    """How many iterations and epochs the options ask for."""
    found: dict[str, float] = {}
    for setting in settings:
        name = plain(setting.key.rsplit(".", 1)[-1])
        words = name.split("_")
        value = setting.value
        if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
            continue
        for unit, names in (
            ("iterations", STEP_NAMES),
            ("epochs", EPOCH_NAMES),
            ("kimg", KIMG_NAMES),
        ):
            counts = (
                name == f"n_{words[-1]}"
                or words[0] in _PLANNED
                or words[-1] in ("epochs", "steps", "iterations")
            )
            if words[-1] in names and len(words) <= 3 and counts and not _is_no_plan(words):
                found[unit] = max(found.get(unit, 0.0), float(value))
    return found


def _is_no_plan(words: Iterable[str]) -> bool:
    """Whether a number of steps is that of something else: of one player, of a decay."""
    return any(w in _NO_PLAN or w in called("D", "G") for w in words)
