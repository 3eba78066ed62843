"""Which of the two players a tag tells of, by its words alone.

Enough to see which logs belong together.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_ONE_WORD: Final[dict[str, str]] = {
    **dict.fromkeys(
        ("discriminator", "disc", "dis", "critic", "netd", "discrim", "errd", "lossd"), "d"
    ),
    **dict.fromkeys(("generator", "gen", "netg", "errg", "lossg"), "g"),
    "losses": "loss",
    "learning": "lr",
}
_RATES: Final = frozenset({"lr", "rate"})


def tokens(name: str) -> list[str]:
    """Lower-case words of a name: ``fake_data`` -> fake, data; ``lossD`` -> loss, d."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return [t for t in re.split(r"[^a-z]+", spaced.lower()) if t]


def words_of(tag: str) -> list[str]:
    """Words of a tag, each player by one name: ``Discriminator Loss`` -> d, loss."""
    return [_ONE_WORD.get(w, w) for w in tokens(tag)]


def is_whole(tags: Iterable[str]) -> bool:
    """Whether a log tells of both players: it is then a run's log, and no part of one.

    Learning rates do not count, as a part of a log may hold those of both.
    """
    of_each = [set(words_of(tag)) & {"d", "g"} for tag in tags if not _RATES & set(tokens(tag))]
    # D(G(z)) tells of D as much as of G.
    players: set[str] = set().union(*(p for p in of_each if len(p) == 1))
    return len(players) == 2
