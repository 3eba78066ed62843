"""What the vocabulary's files say, as frozen values: decisions, aliases, settings and the rest."""

from __future__ import annotations

import difflib
from dataclasses import field
from typing import TYPE_CHECKING, Final

from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gandoctor.lexicon.words import Lexicon
    from gandoctor.model.roles import Role

QUALITY: Final = frozenset(
    {"quality_fid", "quality_kid", "quality_is", "quality_ref", "quality_lpips", "other_quality"}
)
# Placed by name, then settled by the other signals of the log.
OPEN_ROLES: Final = frozenset(
    {"other", "d_real?", "d_fake?", "gen_acc?", "grad_norm?", "loss?", "wass?", "aux?"}
)


@dataclass(frozen=True, slots=True)
class Decision:
    """One line of ``decide``: which concepts have to be there, and the role that follows."""

    role: str
    because: str
    owner: str = ""
    all: frozenset[str] = frozenset()
    any: frozenset[str] = frozenset()
    none: frozenset[str] = frozenset()
    leaf: frozenset[str] = frozenset()
    bare: bool = False

    def fits(self, found: frozenset[str], leaf: frozenset[str], owner: str, *, bare: bool) -> bool:
        """Whether a name with these concepts is meant."""
        return (
            (not self.owner or self.owner == (owner or "none"))
            and self.all <= found
            and (not self.any or bool(self.any & found))
            and not self.none & found
            and self.leaf <= leaf
            and (bare or not self.bare)
        )


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Tags that occur together in one code base, and what some of them mean there."""

    has: tuple[str, ...]
    says: Mapping[str, str]
    because: str
    seen_in: tuple[str, ...] = ()
    only: bool = False


@dataclass(frozen=True, slots=True)
class Alias:
    """Whole names with a meaning that no grammar can know."""

    tags: tuple[str, ...]
    role: str
    seen_in: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One canonical setting: see ``rules/vocabulary/settings.yaml``."""

    name: str
    kind: str
    doc: str
    keys: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]
    per_network: bool = False
    words: Mapping[str, str] = field(default_factory=dict)
    closed: bool = False
    flags: Mapping[tuple[str, ...], tuple[str, str]] = field(default_factory=dict)
    low: float = float("-inf")
    high: float = float("inf")


Spellings = dict[tuple[str, ...], list[tuple[Entry, frozenset[str]]]]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Everything names can mean.

    Attributes
    ----------
    roles : Mapping of str to Role
    lexicon : Lexicon
    decisions : tuple of Decision
        The first that fits decides.
    aliases, fingerprints : tuple
    settings : Mapping of str to Entry
    network_words : frozenset of str
        Words that name one of several networks.
    facts : Mapping of str to str
        Numbers about a run that rules may use, and what they are.
    spellings : dict
        By the words of a key's last part, the settings that it may mean, each with the words that
        have to stand above it; made of `settings`.
    """

    roles: Mapping[str, Role]
    lexicon: Lexicon
    decisions: tuple[Decision, ...]
    aliases: tuple[Alias, ...] = ()
    fingerprints: tuple[Fingerprint, ...] = ()
    settings: Mapping[str, Entry] = field(default_factory=dict)
    network_words: frozenset[str] = frozenset()
    facts: Mapping[str, str] = field(default_factory=dict)
    spellings: Spellings = field(default_factory=dict, init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "spellings", _spellings(self.settings.values()))


def _spellings(entries: Iterable[Entry]) -> Spellings:
    out: Spellings = {}
    for entry in entries:
        for context, leaf in (*entry.keys, *(((), flag) for flag in entry.flags)):
            out.setdefault(leaf, []).append((entry, frozenset(context)))
    for found in out.values():
        found.sort(key=lambda e: -len(e[1]))  # the one that asks for more context first
    return out


def squeezed(word: str) -> str:
    """Only the letters and digits of a word, lower case: ``WGAN-GP`` and ``wgan_gp`` are one."""
    return "".join(c for c in word.casefold() if c.isalnum())


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``did you mean 'd_loss'?``, or where the list is."""
    near = difflib.get_close_matches(name, list(known), 1, 0.6)
    return f"did you mean {near[0]!r}?" if near else "'gandoctor signals --known' lists the roles"
