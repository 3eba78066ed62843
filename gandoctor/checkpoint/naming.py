"""Which network is it? What the names of files and keys say; and the step they were saved at."""

from __future__ import annotations

import itertools
import re
from typing import Final

from gandoctor.patterns import late_pattern

_CUT: Final = late_pattern(
    r"[^A-Za-z0-9]+|(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])"
)
_G: Final = frozenset(
    {"g", "gen", "generator", "netg", "gnet", "gs", "ge", "gema", "gan", "decoder", "synthesis"}
)
_D: Final = frozenset(
    {"d", "dis", "disc", "discriminator", "netd", "dnet", "critic", "discr"}
    | {"mpd", "msd", "mrd", "combd", "discriminators", "critics"}
)
_EMA: Final = frozenset({"ema", "avg", "average", "averaged", "test", "gs", "ge", "shadow"})
_PLAIN: Final = frozenset({"gan", "decoder", "synthesis"})  # words that say little
_STEP: Final = late_pattern(
    r"(?:epochs?|steps?|iters?|iterations?|it|snapshot|model|netg|netd|gen|dis|disc|g|d|do|ckpt|"
    r"checkpoint|kimg|_|-)[_=\-. ]*(\d{1,9})(?=\D|$)|^(\d{1,9})(?:[_\-.]|$)"
)
_EPOCH: Final = late_pattern(r"epochs?[_=\-. ]*(\d{1,7})|^(\d{1,7})_net_")


def words(name: str) -> list[str]:
    """The words of a name, in small letters: ``netG_epoch_5`` -> net, g, epoch, 5."""
    return [w.lower() for w in _CUT.split(name) if w]


def role(*names: str) -> str:
    """``g``, ``d`` or nothing, by names from the outermost (the file) to the innermost (a key)."""
    for name in reversed(names):
        found = words(name)
        if any(w in _D for w in found) and not any(w in _G - _PLAIN for w in found):
            return "d"
        if any(w in _G - _PLAIN for w in found):
            return "g"
    return "g" if any(w in ("decoder", "synthesis") for w in words(names[-1])) else ""


def is_average(*names: str) -> bool:
    """Whether names say that weights are a moving average of a network's."""
    return any(w in _EMA for name in names for w in words(name))


def network(*names: str) -> str:
    """Which of several: ``A`` of ``netG_A``; empty for the only one."""
    for name in reversed(names):
        parts = re.split(r"[^A-Za-z0-9]+", name)
        for first, second in itertools.pairwise(parts):
            if role(first) and re.fullmatch(r"[A-Z]{1,2}\d?|\d", second):
                return second
        for part in parts:
            if part.lower() in ("mpd", "msd", "mrd", "combd"):
                return part.lower()
    return ""


def step_of(name: str) -> tuple[int | None, str]:
    """Step and unit (``epochs`` or nothing) that a file's name says."""
    stem = name.rsplit(".", 1)[0] if "." in name else name
    low = stem.lower()
    found = _EPOCH.search(low)
    if found:
        return int(found[1] or found[2]), "epochs"
    them = _STEP.findall(low)
    if not them:
        return None, ""
    step = int(next(n for n in them[-1] if n))
    return (None, "") if step == 2_333_333 else (step, "")
