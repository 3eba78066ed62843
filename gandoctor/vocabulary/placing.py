"""From names to roles: words decide, then the other signals of the same log, then the values."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from gandoctor.errors import GandoctorError, InputError, UsageError
from gandoctor.lexicon.book import did_you_mean
from gandoctor.values import dataclass
from gandoctor.vocabulary import arithmetic, by_value
from gandoctor.vocabulary.guess import Guess, guess_of, settle_known_names
from gandoctor.vocabulary.siblings import SIBLINGS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from gandoctor.lexicon.book import Vocabulary
    from gandoctor.model.signals import Setting, Signal


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
    by_value.compare_values(guesses, signals)
    arithmetic.weigh(guesses, signals)
    by_value.set_apart(guesses, signals)
    by_value.read_unnamed_columns(guesses, signals)
    placements = [_placement(g) for g in guesses]
    placements = [*_overruled(placements, wanted, said)]
    several = {name for name, role in vocabulary.roles.items() if role.several}
    ranks = _ranks(placements, guesses, signals, several)
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


def _overruled(
    placements: Sequence[Placement], wanted: Mapping[str, str], said: Mapping[str, str]
) -> Iterator[Placement]:
    """What the user knows better, and who has to give way to it."""
    taken = {(role, p.network, p.split) for p in placements if (role := wanted.get(p.tag))}
    for p in placements:
        role = wanted.get(p.tag)
        if role is not None:
            yield replace(p, role=role, because=f"you said so ({said[role]})")
        elif (p.role, p.network, p.split) in taken:
            because = f"another signal was given for {p.role} ({said[p.role or '']})"
            yield replace(p, role=None, because=because)
        else:
            yield p


def _ranks(
    placements: Sequence[Placement],
    guesses: Sequence[Guess],
    signals: Sequence[Signal],
    several: AbstractSet[str],
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
        if role is None or role in several or len(members) < 2:
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


def _guess_all(tags: Sequence[str], vocabulary: Vocabulary) -> list[Guess]:
    guesses = [guess_of(tag, vocabulary) for tag in tags]
    settle_known_names(guesses, vocabulary)
    for rule in SIBLINGS:
        rule([g for g in guesses if not g.fixed])
    return guesses
