"""Which of the two players a name tells of, by its words alone: the one list of these words.

They are the words of the vocabulary that comes with gandoctor, read when they are first asked for.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Final, Literal

from gandoctor.lexicon.reading import load
from gandoctor.lexicon.words import either
from gandoctor.page import default_folder
from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Player = Literal["D", "G"]

_RATES: Final = frozenset({"lr", "rate"})


@functools.cache
def called(*players: Player) -> frozenset[str]:
    """Words that name one of some players, lower case: ``d``, ``critic``, ``crit`` ... for D."""
    lexicon = load([default_folder()]).lexicon
    words = {"D": lexicon.d, "G": lexicon.g}
    return frozenset[str]().union(*(words[player] for player in players))


@functools.cache
def any_of(*players: Player) -> str:
    """A pattern for the words that name one of some players."""
    return either(called(*players))


@functools.cache
def naming(*players: Player, more: str = "") -> re.Pattern[str]:
    """Finds a word for one of some players in a name, whatever its case.

    Parameters
    ----------
    more : str
        A pattern for words that count as well.
    """
    also = f"|{more}" if more else ""
    return late_pattern(rf"(?<![a-z])(?:{any_of(*players)}{also})(?![a-z])", re.IGNORECASE)


def tokens(name: str) -> list[str]:
    """Lower-case words of a name: ``fake_data`` -> fake, data; ``lossD`` -> loss, d."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return [t for t in re.split(r"[^a-z]+", spaced.lower()) if t]


def words_of(tag: str) -> list[str]:
    """Words of a tag, each player by one name: ``Discriminator Loss`` -> d, loss."""
    one = _one_word()
    return [one.get(w, w) for w in tokens(tag)]


@functools.cache
def _one_word() -> Mapping[str, str]:
    return {
        **{f"{word}{player}": player for word in ("err", "loss") for player in "dg"},
        **dict.fromkeys(called("D"), "d"),
        **dict.fromkeys(called("G"), "g"),
        "losses": "loss",
        "learning": "lr",
    }


def is_whole(tags: Iterable[str]) -> bool:
    """Whether a log tells of both players: it is then a run's log, and no part of one.

    Learning rates do not count, as a part of a log may hold those of both.
    """
    of_each = [set(words_of(tag)) & {"d", "g"} for tag in tags if not _RATES & set(tokens(tag))]
    # D(G(z)) tells of D as much as of G.
    players: set[str] = set().union(*(p for p in of_each if len(p) == 1))
    return len(players) == 2
