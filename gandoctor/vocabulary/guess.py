"""From a name to a guess: what its words say, before the other signals of the log are asked."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, Final

from gandoctor.lexicon.book import QUALITY, squeezed
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gandoctor.lexicon.book import Decision, Vocabulary
    from gandoctor.lexicon.words import Words

# Letters that name a network at the end of a name only.
_LETTERS: Final = frozenset("xy")
# A number after one of these counts networks.
_NUMBERED: Final = frozenset({"D", "G", "real", "fake", "loss", "scale", "weak_d"})


@dataclass(slots=True)
class Guess:
    """A placement in the making."""

    tag: str
    role: str
    because: str
    owner: str
    found: frozenset[str]
    tokens: tuple[str, ...]
    leaf: tuple[str, ...]
    network: str
    split: str
    bare: bool
    unknown: tuple[str, ...] = ()
    fixed: bool = False

    def settle(self, role: str, because: str) -> None:
        """Give it a role, and the reason."""
        self.role, self.because = role, because


def guess_of(tag: str, vocabulary: Vocabulary) -> Guess:
    """What a name means by its words alone; ``other`` where no decision fits."""
    lexicon = vocabulary.lexicon
    words = lexicon.take_apart(tag)
    concepts = [lexicon.of(t) for t in words.tokens]
    owner, more = _owner(words.tokens, concepts)
    flat = frozenset().union(*concepts) if concepts else frozenset()
    leaf = frozenset().union(*(lexicon.of(t) for t in words.leaf), words.leaf)
    found = set(flat | more | set(words.tokens))
    network = _network(words, concepts, owner, vocabulary)
    if flat & QUALITY:
        found.add("quality")
    if concepts:
        found |= {f"ends_{c}" for c in ("val", "coefficient") if c in concepts[-1]}
    places = {c: [i for i, cs in enumerate(concepts) if c in cs] for c in ("count", "sec")}
    if places["count"] and places["sec"] and places["count"][0] < places["sec"][-1]:
        found.add("count_per_sec")
    found |= {f"leaf_{c}" for c in ("loss", "gan", "adv") if c in leaf}
    if any(
        {"aux"} <= c and t not in vocabulary.network_words
        for t, c in zip(words.tokens, concepts, strict=True)
    ):
        found.add("task")
    bare = all(
        c & {"D", "G", "train", "val", "epoch", "step", "weak_g", "filler", "gan"}
        or t.isdigit()
        or t in _LETTERS
        or t in network.lower().split("_")
        for t, c in zip(words.tokens, concepts, strict=True)
    )
    unknown = tuple(
        t
        for t, c in zip(words.tokens, concepts, strict=True)
        if not c - {"maybe_d"} and not t.isdigit() and t not in vocabulary.network_words
    )
    if unknown:
        found.add("unknown")
    guess = Guess(
        tag,
        "other",
        "",
        owner,
        frozenset(found),
        words.tokens,
        words.leaf,
        network,
        _split_of(flat),
        bare,
        unknown,
    )
    for decision in vocabulary.decisions:
        if decision.fits(guess.found, leaf, owner, bare=bare):
            guess.settle(decision.role, _reason(decision, words.tokens, concepts))
            break
    return guess


def _split_of(concepts: frozenset[str]) -> str:
    """A measure of quality is of held-out data where nothing tells."""
    if "val" in concepts:
        return "val"
    if "train" in concepts:
        return "train"
    return "val" if concepts & QUALITY and "loss" not in concepts else ""


def _reason(decision: Decision, tokens: Sequence[str], concepts: Sequence[frozenset[str]]) -> str:
    """``d + loss: loss of D``: the words that carried the decision, then what it says."""
    counted = decision.all | decision.any | decision.leaf | ({decision.owner} & {"D", "G"})
    words = [t for t, c in zip(tokens, concepts, strict=True) if c & counted or t in counted]
    return f"{' + '.join(dict.fromkeys(words))}: {decision.because}" if words else decision.because


def _owner(tokens: Sequence[str], concepts: Sequence[frozenset[str]]) -> tuple[str, set[str]]:
    """Whose signal it is: the network named first, unless a closing ``g`` says that it trains G."""
    named = [(i, "D" if "D" in c else "G") for i, c in enumerate(concepts) if c & {"D", "G"}]
    aux = any("aux" in c for c in concepts)
    if not named:
        if not any(c & {"aux", "adv"} for c in concepts) and any("weak_d" in c for c in concepts):
            return "D", set()
        return ("G" if any("weak_g" in c for c in concepts) else ""), set()
    first = named[0][1]
    more: set[str] = set()
    later = {o for _, o in named[1:]}
    if first == "D" and "G" in later:
        faked = any("fake" in c for c in concepts)
        if tokens[-1] == "g" and faked:
            return "G", {"d_after_g"}
        more.add("g_after_d")
    elif first == "G" and ("D" in later or (not aux and any("weak_d" in c for c in concepts))):
        more.add("d_after_g")
    elif first == "G" and len(named) > 1 and tokens[named[-1][0]] != "g":
        more.add("g_again")
    if first == "D":
        after = tokens[named[0][0] + 1 :]
        if "r" in after[:1]:
            more |= {"real", "loss", "leaf_loss"}
        elif after[:1] in (("f",), ("g",)):
            more |= {"fake", "loss", "leaf_loss"}
    return first, more


def _network(
    words: Words, concepts: Sequence[frozenset[str]], owner: str, vocabulary: Vocabulary
) -> str:
    """Which of several networks.

    A letter, a direction, a name such as ``mpd``, a number after the network's word.
    """
    tokens = words.tokens
    named = [t for t in tokens if t in vocabulary.network_words]
    closing = list(takewhile(_LETTERS.__contains__, reversed(tokens)))
    if owner and len(closing) < len(tokens):
        named += reversed(closing)
    if named:
        return "_".join(
            dict.fromkeys(t.upper() if len(t) <= 2 and t.isalpha() else t for t in named)
        )
    start = next(
        (i for i in range(len(tokens)) if tokens[i : i + len(words.leaf)] == words.leaf), 0
    )
    for i in range(max(start, 1), len(tokens)):
        if tokens[i].isdigit() and len(tokens[i]) < 3 and concepts[i - 1] & _NUMBERED:
            return tokens[i]
    return ""


def settle_known_names(guesses: Sequence[Guess], vocabulary: Vocabulary) -> None:
    """Whole names and fingerprints; what they say is not overruled by siblings."""
    names = [squeezed(g.tag) for g in guesses]
    present, losses = (
        set(names),
        {n for n, g in zip(names, guesses, strict=True) if "loss" in g.role},
    )
    aliases: dict[str, str] = {}
    for alias in reversed(vocabulary.aliases):
        aliases.update(dict.fromkeys(map(squeezed, alias.tags), alias.role))
    says: dict[str, tuple[str, str]] = {}
    for mark in reversed(vocabulary.fingerprints):
        has = set(map(squeezed, mark.has))
        if has <= present and not (mark.only and losses - has):
            says.update({squeezed(t): (role, mark.because) for t, role in mark.says.items()})
    for g, name in zip(guesses, names, strict=True):
        if name in says:
            role, because = says[name]
            g.settle(role, because)
            g.fixed = True
            if g.network.isdigit() and role in ("d_loss_real", "d_loss_fake"):
                g.network = ""  # d1 and d2 are two updates of one D
        elif name in aliases:
            g.settle(aliases[name], "a known name")
            g.fixed = True
