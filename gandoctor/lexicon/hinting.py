"""Which names may be the losses that a log seems to lack: for people to say with ``--map``."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from gandoctor.lexicon.players import called, words_of
from gandoctor.lexicon.reading import roles

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gandoctor.model.roles import Role

_LOSSES: Final = (("D's loss", "d_loss"), ("G's loss", "g_loss"))
_WORDS: Final = frozenset({"loss", "losses", "err", "error", "adv", "gan", "cost", "obj"})
_MOST: Final = 3


def to_map(
    placed: Iterable[tuple[str, str]],
    unmapped: Sequence[str],
    known: Mapping[str, Role] | None = None,
) -> str:
    """``adv_A, adv_B not placed; try --map d_loss=adv_A``; empty where no loss is wanting.

    Parameters
    ----------
    placed : iterable of (str, str)
        Tag and role of each signal that has one, but for what was worked out.
    unmapped : sequence of str
        Tags without a role.
    known : Mapping of str to Role, optional
        Those of the run's vocabulary; else those that come with gandoctor.
    """
    known = known or roles()
    of_game: dict[str, list[str]] = {}
    for tag, name in placed:
        about = known[name].about if name in known else ""
        of_game.setdefault(about, []).append(tag)
    wanting = [name for about, name in _LOSSES if about not in of_game]
    if not wanting:
        return ""
    tags, said = _like_losses(unmapped), "not placed"
    if not tags and len(wanting) == 1:
        # All losses went to one player: of several, one may be the other's.
        there = next(about for about, name in _LOSSES if name not in wanting)
        tags = of_game[there] if len(of_game[there]) > 1 else []
        said = f"all taken for {there}"
    if not tags:
        return ""
    named = ", ".join(tags[:_MOST]) + (", ..." if len(tags) > _MOST else "")
    asked = " ".join(
        f"--map {shlex.quote(f'{role}={tag}')}" for role, tag in zip(wanting, tags, strict=False)
    )
    return f"{named} {said}; try {asked}"


def _like_losses(tags: Sequence[str]) -> list[str]:
    """Of some names, those of losses, or of anything about a player."""
    players = called("D", "G")
    found = [(tag, set(words_of(tag))) for tag in tags]
    losses = [tag for tag, words in found if words & _WORDS]
    return losses or [tag for tag, words in found if words & players]
