"""Which of the two networks a name speaks of."""

from __future__ import annotations

from functools import lru_cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable

# ``d``, ``g``, ``o`` for another network than the two, empty for none.
Side: TypeAlias = Literal["d", "g", "o", ""]

_PART: Final = late_pattern(r"[123][dD](?![a-z])|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_D: Final = frozenset(
    {
        "d", "disc", "dis", "discr", "discrim", "discriminator", "discriminators", "critic", "netd",
        "dnet", "critics", "adversary", "dopt", "doptim", "lrd", "mpd", "msd", "mrd", "msstftd",
        "discs",
        "dx", "dy", "da", "db", "dz", "dloss", "dvars", "dparams", "critique", "crit", "netsd",
    }
)  # fmt: skip
_G: Final = frozenset(
    {
        "g", "gen", "generator", "generators", "netg", "gnet", "gopt", "goptim", "lrg", "gens",
        "genr",
        "gx", "gy", "ga", "gb", "gloss", "gvars", "gparams", "synthesizer", "faker", "gene",
    }
)  # fmt: skip
_OTHER: Final = frozenset(
    {
        "decoder", "dec", "encoder", "enc", "vae", "autoencoder", "classifier", "cls", "embedder",
        "recovery", "supervisor", "mapping", "teacher", "student", "info", "quantizer", "detector",
    }
)  # fmt: skip
# Files that try out settings.
TRIALS: Final = frozenset({"tune", "tuning"})
# What G trains in, as Keras programs call it.
_WHOLE: Final = frozenset(
    {"combined", "gan", "adversarial", "stacked", "aae", "dcgan", "wgan", "cgan"}
)


def words_of(name: str) -> list[str]:
    """``optimizerD_A`` -> optimizer, d, a."""
    return [w.lower() for w in _PART.findall(name[:80])]


@lru_cache(maxsize=4096)
def side_of(name: str) -> Side:
    """Whose a name is, as far as its words say."""
    words = words_of(name)
    d = any(w in _D for w in words)
    g = any(w in _G for w in words)
    if d and g:
        return ""
    if d:
        return "d"
    if g:
        return "g"
    if any(w in _OTHER for w in words):
        return "o"
    return _glued(words)


_GLUED: Final = late_pattern(r"(net|opt|optim|optimizer|solver|adam|params|vars|theta|lr)([dg])")


def _glued(words: Iterable[str]) -> Side:
    for word in words:
        found = _GLUED.fullmatch(word)
        if found:
            return "d" if found[2] == "d" else "g"
        if word.startswith(("discrim", "critic")):
            return "d"
        if word.startswith("generator"):
            return "g"
    return ""


def is_trial(file: str) -> bool:
    """Whether a file tries out settings, and none of them for good."""
    return bool(TRIALS & set(words_of(PurePosixPath(file).stem)))


def is_whole(name: str) -> bool:
    """Whether a name is that of a G with D on top of it."""
    return any(w in _WHOLE for w in words_of(name))
