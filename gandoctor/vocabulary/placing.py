"""From names to roles: words decide, then the other signals of the same log, then the values."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from itertools import combinations, takewhile
from operator import itemgetter
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.errors import GandoctorError, InputError, UsageError
from gandoctor.lexicon.book import QUALITY, did_you_mean, squeezed
from gandoctor.values import dataclass
from gandoctor.vocabulary import arithmetic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from gandoctor.lexicon.book import Decision, Vocabulary
    from gandoctor.lexicon.words import Words
    from gandoctor.model.signals import Setting, Signal

# Letters that name a network at the end of a name only.
_LETTERS: Final = frozenset("xy")
# Roles that many signals share by nature.
SEVERAL: Final = frozenset(
    {"g_loss_aux", "time", "step", "epoch", "throughput", "weight_norm", "sample_stat", "psnr_ssim"}
)
# More columns without names are no log of losses.
_MOST_COLUMNS: Final = 12
# A number after one of these counts networks.
_NUMBERED: Final = frozenset({"D", "G", "real", "fake", "loss", "scale", "weak_d"})


@dataclass(frozen=True, slots=True)
class Placement:
    """What one name means.

    Attributes
    ----------
    tag : str
    role : str or None
        None where it could not be placed.
    network, split : str
    because : str
        Why, for the reader.
    """

    tag: str
    role: str | None
    network: str = ""
    split: str = ""
    because: str = ""


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


def place_names(tags: Sequence[str], vocabulary: Vocabulary) -> tuple[Placement, ...]:
    """Place the names of one code base, without their values.

    Parameters
    ----------
    tags : sequence of str
    vocabulary : Vocabulary

    Returns
    -------
    tuple of Placement
        In the order of `tags`.
    """
    return tuple(_placement(g) for g in _guess_all(tags, vocabulary))


def place(
    signals: Sequence[Signal],
    *,
    vocabulary: Vocabulary,
    settings: Sequence[Setting] = (),
    overrides: Mapping[str, str] | None = None,
    said: Mapping[str, str] | None = None,
) -> tuple[Signal, ...]:
    """Fill in role, network, split and reason of every signal of one run.

    Parameters
    ----------
    signals : sequence of Signal
        As read; those of one run.
    vocabulary : Vocabulary
    settings : sequence of Setting
        Raw settings of the run.
    overrides : Mapping of str to str, optional
        Role to tag: what the user knows better.
    said : Mapping of str to str, optional
        Role to where its override stands (``gandoctor.toml:map.d_loss``); ``--map`` where it is not
        told.

    Returns
    -------
    tuple of Signal
        In the same order; role None where it could not be placed.

    Raises
    ------
    UsageError
        An override with an unknown role or tag; InputError where it stands in a file.
    """
    said = {role: (said or {}).get(role, "--map") for role in overrides or {}}
    wanted = _wanted(overrides or {}, said, signals, vocabulary)
    guesses = _guess_all(_with_sources(signals, vocabulary), vocabulary)
    for guess, signal in zip(guesses, signals, strict=True):
        guess.tag = signal.tag
    _compare_values(guesses, signals)
    arithmetic.weigh(guesses, signals)
    _apart(guesses, signals)
    _unnamed_columns(guesses, signals)
    placements = [_placement(g) for g in guesses]
    taken = {(role, p.network, p.split) for p in placements if (role := wanted.get(p.tag))}
    for i, p in enumerate(placements):
        if p.tag in wanted:
            placements[i] = replace(
                p, role=wanted[p.tag], because=f"you said so ({said[wanted[p.tag]]})"
            )
        elif (p.role, p.network, p.split) in taken:
            placements[i] = replace(
                p,
                role=None,
                because=f"another signal was given for {p.role} ({said[p.role or '']})",
            )
    ranks = _ranks(placements, guesses, signals)
    return tuple(
        replace(
            s,
            role=p.role,
            network=p.network,
            split=p.split or s.split,
            because=_told(p, rank, first),
            rank=rank,
        )
        for s, p, (rank, first) in zip(signals, placements, ranks, strict=True)
    )


def _ranks(
    placements: Sequence[Placement], guesses: Sequence[Guess], signals: Sequence[Signal]
) -> list[tuple[int, str]]:
    """Where several signals have one role, network and split.

    Whose turn it is, and the tag of the first.

    A known name goes before a worked-out one, one without unknown words before one with them, the
    longer series before the shorter.
    """
    groups: dict[tuple[str | None, str, str], list[int]] = defaultdict(list)
    for i, p in enumerate(placements):
        groups[p.role, p.network, p.split].append(i)
    out = [(0, "")] * len(placements)
    for (role, _, _), members in groups.items():
        if role is None or role in SEVERAL or len(members) < 2:
            continue
        members.sort(
            key=lambda i: (not guesses[i].fixed, len(guesses[i].unknown), -len(signals[i]), i)
        )
        for rank, i in enumerate(members):
            out[i] = (rank, placements[members[0]].tag)
    return out


def _told(placement: Placement, rank: int, first: str) -> str:
    if not rank:
        return placement.because
    return (
        f"{placement.because}; {first} is taken first for {placement.role} (--map "
        f"{placement.role}=TAG to change that)"
    )


def _wanted(
    overrides: Mapping[str, str],
    said: Mapping[str, str],
    signals: Sequence[Signal],
    vocabulary: Vocabulary,
) -> dict[str, str]:
    tags = {s.tag for s in signals}
    for role, tag in overrides.items():
        if role not in vocabulary.roles:
            raise _wrong(f"unknown role {role!r}", said[role], did_you_mean(role, vocabulary.roles))
        if tag not in tags:
            hint = did_you_mean(tag, tags) if tags else "the log holds no signals"
            raise _wrong(
                f"there is no signal {tag!r}",
                said[role],
                hint if "did you" in hint else "'gandoctor signals RUN' lists the tags",
            )
    return {tag: role for role, tag in overrides.items()}


def _wrong(what: str, where: str, hint: str) -> GandoctorError:
    """An error of the option, or of the file that speaks of this run."""
    return (UsageError if where == "--map" else InputError)(what, where, hint)


def _with_sources(signals: Sequence[Signal], vocabulary: Vocabulary) -> list[str]:
    """Put a file's folder before a tag that several files share, or that folders split."""
    sources: dict[str, set[str]] = defaultdict(set)
    for s in signals:
        sources[s.tag].add(s.source)
    folders = {
        s.source: s.source.replace("\\", "/").rpartition("/")[0].rpartition("/")[2] for s in signals
    }
    lexicon = vocabulary.lexicon
    splits = {
        folder
        for folder in set(folders.values())
        if any(lexicon.of(t) & {"train", "val"} for t in lexicon.take_apart(folder).tokens)
    }
    out = []
    for s in signals:
        folder = folders[s.source]
        wanted = folder and (folder in splits or len(sources[s.tag]) > 1)
        out.append(f"{folder}/{s.tag}" if wanted else s.tag)
    return out


def _placement(guess: Guess) -> Placement:
    role = None if guess.role == "other" or guess.role.endswith("?") else guess.role
    return Placement(guess.tag, role, guess.network if role else "", guess.split, guess.because)


# ---------------------------------------------------------------- by name


def _guess_all(tags: Sequence[str], vocabulary: Vocabulary) -> list[Guess]:
    guesses = [_guess(tag, vocabulary) for tag in tags]
    _known_names(guesses, vocabulary)
    for rule in SIBLINGS:
        rule([g for g in guesses if not g.fixed])
    return guesses


def _guess(tag: str, vocabulary: Vocabulary) -> Guess:
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
    split = "val" if "val" in flat else "train" if "train" in flat else ""
    if flat & QUALITY and not split and "loss" not in flat:
        split = "val"
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
        split,
        bare,
        unknown,
    )
    for decision in vocabulary.decisions:
        if decision.fits(guess.found, leaf, owner, bare=bare):
            guess.settle(decision.role, _reason(decision, words.tokens, concepts))
            break
    return guess


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


def _known_names(guesses: Sequence[Guess], vocabulary: Vocabulary) -> None:
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


# ---------------------------------------------------------------- by the other signals
# A rule asks who has a role before it goes through the signals, not at each of them: a log may have
# 100,000.


def _having(guesses: Iterable[Guess], *roles: str) -> list[Guess]:
    return [g for g in guesses if g.role in roles]


def _real_fake(guesses: list[Guess]) -> None:
    """``D_real`` is a score beside a whole loss of D, and a loss where there is none."""
    scores = _having(guesses, "d_real_score", "d_fake_score")
    # By side and network: the first loss of D beside which a part is seen, and whether one of them
    # is a total.
    first: dict[tuple[str, str], tuple[int, Guess]] = {}
    total: set[tuple[str, str]] = set()

    def beside(i: int, g: Guess, *sides: str) -> None:
        for key in ((side, g.network) for side in sides):
            first[key] = min(first.get(key, (i, g)), (i, g), key=itemgetter(0))
            if "total" in g.found:
                total.add(key)

    for i, g in enumerate(guesses):
        if g.role in ("d_loss", "d_loss_real", "d_loss_fake"):
            beside(i, g, *(("real", "fake") if g.role == "d_loss" else (g.role[-4:],)))
    for i, g in enumerate(guesses):
        if g.role not in ("d_real?", "d_fake?"):
            continue
        side = "real" if g.role == "d_real?" else "fake"
        whole = first.get((side, g.network))
        if whole and (side, g.network) in total and "mean" not in g.found:
            g.settle(f"d_loss_{side}", f"a part of {whole[1].tag}")
        elif whole and not scores:
            g.settle(f"d_{side}_score", f"D on {side} data beside a whole loss ({whole[1].tag})")
        else:
            g.settle(f"d_loss_{side}", f"D on {side} data, and no whole loss of D beside it")
        if g.role == f"d_loss_{side}":
            beside(i, g, side)


def _accuracy(guesses: list[Guess]) -> None:
    on_real = _having(guesses, "d_real_acc")
    for g in _having(guesses, "gen_acc?"):
        if on_real:
            g.settle("d_fake_acc", "accuracy on generated data, beside one on real data")
        else:
            g.settle("other", "accuracy under the name of G: how often D is fooled")


def _gradients(guesses: list[Guess]) -> None:
    named = _having(guesses, "grad_norm_d")
    loose = _having(guesses, "grad_norm?")
    numbers = {t for g in loose for t in g.tokens}
    for g in loose:
        if "0" in g.tokens and "1" in numbers:
            g.settle("grad_norm_d", "the first of two optimisers")
        elif "1" in g.tokens and "0" in numbers:
            g.settle("grad_norm_g", "the second of two optimisers")
        elif named and "norm" in g.found:
            g.settle("grad_norm_g", f"the other gradient norm beside {named[0].tag}")
        else:
            g.settle("other", "a gradient of nobody in particular")


def _bare_losses(guesses: list[Guess]) -> None:
    """A loss without a name is what the others leave: G's whole, D's, or the sum of both."""
    d, g_whole = (
        _having(guesses, "d_loss", "d_loss_real", "d_loss_fake"),
        _having(guesses, "g_loss"),
    )
    adversarial, penalty = _having(guesses, "g_loss_adv"), _having(guesses, "gradient_penalty")
    aux = bool(_having(guesses, "g_loss_aux"))
    numbered = {
        t: g
        for g in _having(guesses, "loss?")
        for t in g.tokens
        if t in ("0", "1") and not g.unknown
    }
    for g in _having(guesses, "loss?"):
        if len(numbered) == 2 and g in numbered.values() and "total" not in g.found:
            role, which = ("d_loss", "first") if "0" in g.tokens else ("g_loss", "second")
            g.settle(role, f"loss of the {which} of two optimisers")
        elif g.split == "val" and "total" not in g.found:
            g.settle("g_loss_aux" if aux else "other", "a validation loss without a name")
        elif "total" in g.found and (d or adversarial):
            g.settle("g_loss", f"a total beside {(d or adversarial)[0].tag}")
        elif "maybe_d" in g.found and g_whole and not d:
            g.settle("d_loss", f"the other loss beside G's ({g_whole[0].tag})")
        elif "norm" in g.found and (d or g_whole):
            g.settle("g_loss_aux", "a norm that is trained on")
        elif d and not g_whole and not g.unknown:
            g.settle("g_loss", f"the other loss beside D's ({d[0].tag})")
        elif not d and not g_whole and penalty:
            g.settle("d_loss", "the only loss beside a gradient penalty")
        elif g.unknown and (d or g_whole):
            g.settle(
                "g_loss_aux",
                f"a loss of its own name ({' '.join(g.unknown)}) beside those of D and G",
            )
        else:
            g.settle("other", "a loss without a name")
        aux = aux or g.role == "g_loss_aux"


def _wasserstein(guesses: list[Guess]) -> None:
    whole = _having(guesses, "d_loss")
    for g in _having(guesses, "wass?"):
        if whole:
            g.settle(
                "wasserstein_estimate", f"a Wasserstein loss beside D's whole loss ({whole[0].tag})"
            )
        else:
            g.settle("d_loss", "a Wasserstein loss, and no other loss of D")
            whole = [g]


def _weak_parts(guesses: list[Guess]) -> None:
    both = _having(guesses, "d_loss", "d_loss_real") and _having(guesses, "g_loss", "g_loss_adv")
    for g in _having(guesses, "aux?"):
        if both:
            g.settle("g_loss_aux", "a part of G's loss, by its place among losses")
        else:
            g.settle("other", "too little to go by")


def _generator_part(guesses: list[Guess]) -> None:
    """``G_gen_loss`` is the adversarial part, unless another one is: then it is the rest."""
    explicit = [g for g in _having(guesses, "g_loss_adv") if g.found & {"adv", "fake"}]
    for g in _having(guesses, "g_loss_adv"):
        if explicit and "g_again" in g.found and not g.found & {"adv", "fake"}:
            g.settle("g_loss_aux", f"G's loss without the adversarial part ({explicit[0].tag})")


def _adversarial_part(guesses: list[Guess]) -> None:
    """G's plain loss is the adversarial part where another one is the total."""
    totals = [g for g in _having(guesses, "g_loss") if _is_total(g)]
    if totals and not _having(guesses, "g_loss_adv"):
        for g in _having(guesses, "g_loss"):
            if not _is_total(g) and g.owner == "G":
                g.settle("g_loss_adv", f"G's loss beside a total ({totals[0].tag})")
    cycle = [g for g in guesses if "aux" in g.found and g.role == "g_loss_aux"]
    if cycle:
        taken = {g.network for g in _having(guesses, "g_loss_adv")}
        for g in _having(guesses, "g_loss"):
            if g.network and g.network not in taken and "loss" not in g.leaf:
                g.settle("g_loss_adv", f"one direction's G beside {cycle[0].tag}")


def _is_total(guess: Guess) -> bool:
    return "total" in guess.found or not guess.owner or "weak_g" in guess.found


def _parts(guesses: list[Guess]) -> None:
    """A name that adds an unknown word to that of a whole loss is a part of it."""
    roles = ("d_loss", "g_loss", "d_loss_real", "d_loss_fake")
    whole = {(g.role, g.owner, g.network): g for g in guesses if g.role in roles and not g.unknown}
    for g in guesses:
        if g.role not in roles or not g.unknown:
            continue
        same = whole.get((g.role, g.owner, g.network))
        if same is not None and (set(same.tokens) < set(g.tokens) or g.role == "g_loss"):
            g.settle(
                "g_loss_aux" if g.role == "g_loss" else "other",
                f"a part of {same.tag}: {' '.join(g.unknown)}",
            )


def _lettered(guesses: list[Guess]) -> None:
    """``D_F`` beside ``G_F``, ``D_P`` beside ``D_A``.

    A letter after the network's word names one of several.
    """
    bare = {
        (g.owner, g.tokens[-1]): g
        for g in guesses
        if len(g.tokens) == 2 and len(g.tokens[1]) == 1 and g.owner
    }
    known = {owner for (owner, _), g in bare.items() if g.network}
    for (owner, letter), g in bare.items():
        pair = ("D", letter) in bare and ("G", letter) in bare
        if letter.isalpha() and (pair or (owner in known and g.role == "other")):
            g.network, g.unknown = letter.upper(), ()
            g.settle(
                "d_loss" if owner == "D" else "g_loss_adv",
                f"{owner} of network {g.network}, without other words",
            )


def _network_or_part(guesses: list[Guess]) -> None:
    """``loss_G_face`` is of G's face network where D has one, and a face loss where it has none."""
    judged = {g.network: g for g in _having(guesses, "d_loss") if g.network}
    for g in _having(guesses, "g_loss_aux"):
        if (
            g.owner == "G"
            and g.network in judged
            and not {"task", "form"} & g.found
            and not g.unknown
        ):
            g.settle("g_loss", f"G's loss in the network of {judged[g.network].tag}")


def _renamed(guesses: list[Guess]) -> None:
    """TensorFlow 1 appends ``_1`` to the second of two equal names.

    Another loss, and nothing says which.
    """
    tags = {g.tag for g in guesses}
    for g in guesses:
        m = re.fullmatch(r"(.*[A-Za-z])_(\d)", g.tag)
        if m and m[1] in tags and m[2] != "0" and g.role in ("g_loss", "d_loss"):
            g.settle("other", f"a second {m[1]}, renamed; nothing says what it holds")
        base = re.fullmatch(r"(.+)[_/.](?:sum|count)", g.tag)
        if base and base[1] in tags:
            g.settle("other", f"a running sum or count of {base[1]}")


def _twins(guesses: list[Guess]) -> None:
    """Two values of one step under one name, and no loss of D.

    D is trained first, so the first is D's.
    """
    if _having(guesses, "d_loss", "d_loss_real"):
        return
    by_base: dict[str, list[Guess]] = defaultdict(list)
    for g in _having(guesses, "g_loss_adv", "loss?", "other"):
        m = re.fullmatch(r"(.+) \[(\d)\]", g.tag)
        if m and "loss" in g.found:
            by_base[m[1]].append(g)
    for base, pair in by_base.items():
        if [g.tag[-2] for g in pair] == ["1", "2"]:
            for g, role, which in zip(
                pair, ("d_loss", "g_loss_adv"), ("first, D's", "second, G's"), strict=True
            ):
                g.settle(role, f"the {which}, of two values a step under {base}")
                g.network = ""


def _values_not_validation(guesses: list[Guess]) -> None:
    """``G_loss_val`` is a value where no loss stands without ``val``."""
    losses = [g for g in guesses if g.role in ("d_loss", "g_loss", "g_loss_adv")]
    if losses and all(g.split == "val" and "ends_val" in g.found for g in losses):
        for g in losses:
            g.split = ""


SIBLINGS: Final[tuple[Callable[[list[Guess]], None], ...]] = (
    _renamed,
    _lettered,
    _network_or_part,
    _twins,
    _parts,
    _real_fake,
    _accuracy,
    _gradients,
    _wasserstein,
    _bare_losses,
    _weak_parts,
    _generator_part,
    _adversarial_part,
    _values_not_validation,
)


# ---------------------------------------------------------------- by value


def _compare_values(guesses: Sequence[Guess], signals: Sequence[Signal]) -> None:
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


def _apart(guesses: Sequence[Guess], signals: Sequence[Signal]) -> None:
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


def _unnamed_columns(guesses: Sequence[Guess], signals: Sequence[Signal]) -> None:
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
