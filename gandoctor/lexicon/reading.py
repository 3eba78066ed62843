"""The one reader of the vocabulary's files: read once, checked, frozen; every fault is told."""

from __future__ import annotations

import math
from dataclasses import field, fields, replace
from typing import TYPE_CHECKING, Final, Literal, TypeVar

from gandoctor import rule_cache
from gandoctor.errors import RulebookError, RuleError
from gandoctor.lexicon.book import (
    OPEN_ROLES,
    Alias,
    Decision,
    Entry,
    Fingerprint,
    Vocabulary,
    did_you_mean,
    squeezed,
)
from gandoctor.lexicon.words import Lexicon
from gandoctor.model.roles import ABOUT, ANY, BETTER, JUDGES, MARGIN, Role
from gandoctor.page import Page, default_folder, one_of, read_yaml
from gandoctor.values import dataclass

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from gandoctor.model.signals import Run

KINDS: Final = ("number", "word", "flag", "any")
_CONDITIONS: Final = ("all", "any", "none", "leaf")
_SECTIONS: Final = (
    "roles", "words", "networks", "phrases", "decide", "aliases", "fingerprints", "settings",
    "facts", "families",
)  # fmt: skip
_T = TypeVar("_T", bound=str)
_MOST_KEPT: Final = 8
# What files without a fault said, by their names, times and sizes.
_kept: dict[tuple[tuple[str, int, int], ...], Vocabulary] = {}


def load(folders: Sequence[Path]) -> Vocabulary:
    """Read ``vocabulary/*.yaml`` of every folder.

    A later folder adds to an earlier one and is asked first.

    Parameters
    ----------
    folders : sequence of Path
        Rules folders; one without a ``vocabulary`` folder is passed over. Where none of them has
        roles, those that come with gandoctor stand first.

    Returns
    -------
    Vocabulary

    Raises
    ------
    RulebookError
        With every fault of every file: one that does not parse, or an entry that means nothing.
    """
    return rule_cache.checked(lambda: _sound(folders))


def roles() -> Mapping[str, Role]:
    """The roles that come with gandoctor, for what is written without a vocabulary at hand."""
    return load([default_folder()]).roles


def roles_of(run: Run) -> Mapping[str, Role]:
    """The roles of a run's own vocabulary; those that come with gandoctor where it names none."""
    return run.roles or roles()


def gather(folders: Sequence[Path], faults: list[RuleError]) -> Vocabulary:
    """As `load`, with every fault added to a list, and what could be understood."""
    files = _files(folders)
    stamp = tuple(
        (str(file), state.st_mtime_ns, state.st_size)
        for file in files
        if (state := _state(file)) is not None
    )
    if stamp in _kept:
        return _kept[stamp]
    shelf = _Shelf(faults)
    known = len(faults)
    for file in files:
        shelf.take(file)
    made = shelf.vocabulary()
    if len(faults) == known:
        if len(_kept) >= _MOST_KEPT:
            _kept.clear()
        _kept[stamp] = made
    return made


def _sound(folders: Sequence[Path]) -> Vocabulary:
    faults: list[RuleError] = []
    made = gather(folders, faults)
    if faults:
        raise RulebookError(faults)
    return made


def _files(folders: Sequence[Path]) -> list[Path]:
    places = [f / "vocabulary" for f in folders if (f / "vocabulary").is_dir()]
    if not any((p / "signals.yaml").is_file() for p in places):
        places.insert(0, default_folder() / "vocabulary")
    return [file for place in places for file in sorted(place.glob("*.yaml"))]


def _state(file: Path) -> os.stat_result | None:
    try:
        return file.stat()
    except OSError:
        return None


@dataclass(slots=True)
class _Shelf:
    """What the files say, one after the other."""

    faults: list[RuleError]
    roles: dict[str, Role] = field(default_factory=dict)
    concepts: dict[str, set[str]] = field(default_factory=dict)
    phrases: dict[tuple[str, ...], str] = field(default_factory=dict)
    networks: set[str] = field(default_factory=set)
    decisions: list[Decision] = field(default_factory=list)
    aliases: list[Alias] = field(default_factory=list)
    fingerprints: list[Fingerprint] = field(default_factory=list)
    settings: dict[str, Entry] = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    families: dict[str, str] = field(default_factory=dict)
    # Roles that were named: each with who named it and where.
    named: list[tuple[str, str, str]] = field(default_factory=list)

    def take(self, file: Path) -> None:
        """Add what a file says; its faults are those of the shelf."""
        where = f"{file.parent.parent.name}/vocabulary/{file.name}"
        try:
            data = read_yaml(file, where)
        except RuleError as e:
            self.faults.append(e)
            return
        if data is None:
            return
        if not isinstance(data, dict):
            self.faults.append(RuleError("is no mapping", where, one_of(_SECTIONS)))
            return
        page = Page(data, where, self.faults)
        page.only(_SECTIONS)
        for name, entry in _entries(page, "roles"):
            self.roles[name] = _role(name, entry)
        for name, entry in _entries(page, "facts"):
            entry.only(("doc",))
            self.facts[name] = entry.text("doc")
        for name, entry in _entries(page, "settings"):
            self.settings[name] = _setting(name, entry)
        for name, entry in _entries(page, "families"):
            words = [name, *entry.names("words", None)]
            self.families |= {squeezed(word): name for word in words}
        self._take_words(page)
        self._take_names(page)

    def _take_words(self, page: Page) -> None:
        words = page.at("words", page.mapping("words"))
        for concept in words.data:
            for word in words.names(concept, None):
                self.concepts.setdefault(word.lower(), set()).add(concept)
        self.networks.update(word.lower() for word in page.names("networks", None))
        phrases = page.data.get("phrases")
        for i, phrase in enumerate(phrases if isinstance(phrases, list) else ()):
            said = Page({"phrase": phrase}, f"{page.spot('phrases')}[{i}]", self.faults)
            glued = said.names("phrase", None)
            self.phrases[glued] = "".join(glued)

    def _take_names(self, page: Page) -> None:
        """What stands first in a file is asked first, and a later file before an earlier one."""
        made = [d for entry in page.items("decide") if (d := _decision(entry))]
        self.decisions[:0] = made
        self.named += [(d.role, d.because, page.spot("decide")) for d in made]
        aliases = [a for entry in page.items("aliases") if (a := _alias(entry))]
        self.aliases[:0] = aliases
        self.named += [(a.role, a.tags[0], page.spot("aliases")) for a in aliases]
        prints = [f for entry in page.items("fingerprints") if (f := _fingerprint(entry))]
        self.fingerprints[:0] = prints
        self.named += [
            (role, tag, page.spot("fingerprints")) for f in prints for tag, role in f.says.items()
        ]

    def vocabulary(self) -> Vocabulary:
        """All of it, frozen."""
        for role, what, where in self.named:
            if role not in self.roles and role not in OPEN_ROLES:
                hint = did_you_mean(role, self.roles)
                self.faults.append(RuleError(f"unknown role {role!r} ({what})", where, hint))
        if "loss_kind" in self.settings:
            entry = self.settings["loss_kind"]
            self.settings["loss_kind"] = replace(entry, words={**entry.words, **self.families})
        d, g = (frozenset(w for w, c in self.concepts.items() if p in c) for p in ("D", "G"))
        lexicon = Lexicon({w: frozenset(c) for w, c in self.concepts.items()}, self.phrases, d, g)
        return Vocabulary(
            roles=self.roles,
            lexicon=lexicon,
            decisions=tuple(self.decisions),
            aliases=tuple(self.aliases),
            fingerprints=tuple(self.fingerprints),
            settings=self.settings,
            network_words=frozenset(self.networks),
            facts=self.facts,
        )


def _entries(page: Page, key: str) -> list[tuple[str, Page]]:
    """The named mappings below a key."""
    below = page.at(key, page.mapping(key))
    found = []
    for name, body in below.data.items():
        if isinstance(body, dict):
            found.append((name, below.at(name, body)))
        else:
            below.fault(name, "is no mapping", "write {doc: ...}")
    return found


def _role(name: str, page: Page) -> Role:
    page.only([f.name for f in fields(Role) if f.name != "name"])
    better = _one_of(page, "better", BETTER)
    judges = _one_of(page, "judges", JUDGES)
    if judges and not better:
        page.fault("better", "is missing", "a judge of quality says which way is better")
    return Role(
        name=name,
        doc=page.text("doc"),
        title=page.text("title", default=name),
        better=better,
        judges=judges,
        margin=_margin(page),
        possible=_possible(page),
        vouches=_flag(page, "vouches"),
        about=_one_of(page, "about", ABOUT),
        rare=_flag(page, "rare"),
        several=_flag(page, "several"),
        shown=_flag(page, "shown") or bool(judges),
        picture=page.text("picture"),
        log_it=page.text("log_it"),
        derived=_flag(page, "derived"),
    )


def _margin(page: Page) -> tuple[float, float]:
    pair = _two(page, "margin", ("share", "size"), "[share of the larger value, size]")
    return MARGIN if pair is None else (pair.number("share", low=0.0), pair.number("size", low=0.0))


def _possible(page: Page) -> tuple[float, float]:
    pair = _two(page, "possible", ("low", "high"), "[lowest value, highest value]")
    return ANY if pair is None else (pair.number("low"), pair.number("high"))


def _two(page: Page, key: str, names: tuple[str, str], form: str) -> Page | None:
    """A list of two numbers as a page of its own; None where there is none, or it is no such."""
    value = page.data.get(key)
    if value is None:
        return None
    if not isinstance(value, list) or len(value) != 2:
        page.fault(key, "must be two numbers", f"write {form}")
        return None
    return page.at(key, dict(zip(names, value, strict=True)))


def _one_of(page: Page, key: str, allowed: Sequence[_T]) -> _T | Literal[""]:
    """One of some words, or none of them."""
    return page.choice(key, allowed) if page.text(key) else ""


def _flag(page: Page, key: str) -> bool:
    return page.choice(key, (False, True), default=False)


def _decision(page: Page) -> Decision | None:
    page.only(("role", "because", "owner", "bare", *_CONDITIONS))
    if not page.text("role"):
        page.fault("", "a line of decide without a role", "{role: d_loss, owner: D, any: [loss]}")
        return None
    sets = {k: frozenset(page.names(k, None)) for k in _CONDITIONS if k in page.data}
    return Decision(
        role=page.text("role"),
        because=page.text("because"),
        owner=_one_of(page, "owner", ("D", "G", "none")),
        bare=_flag(page, "bare"),
        **sets,
    )


def _alias(page: Page) -> Alias | None:
    tags = page.names("tags", None)
    if not page.text("role") or not tags:
        page.fault("", "an alias needs role and tags", "write {role: d_loss, tags: [my_name]}")
        return None
    return Alias(tags, page.text("role"), page.names("seen_in", None))


def _fingerprint(page: Page) -> Fingerprint | None:
    has, says = page.names("has", None), page.mapping("says")
    if not has or not says:
        hint = "write {has: [tag, tag], says: {tag: role}}"
        page.fault("", "a fingerprint needs has and says", hint)
        return None
    return Fingerprint(
        has=has,
        says={tag: str(role) for tag, role in says.items()},
        because=page.text("because"),
        seen_in=page.names("seen_in", None),
        only=_flag(page, "only"),
    )


def _setting(name: str, page: Page) -> Entry:
    page.only([f.name for f in fields(Entry) if f.name != "name"])
    words = page.at("words", page.mapping("words"))
    spelt = {squeezed(word): canon for canon in words.data for word in words.names(canon, None)}
    flags = page.at("flags", page.mapping("flags"))
    return Entry(
        name=name,
        kind=page.choice("kind", KINDS, "number"),
        doc=page.text("doc"),
        keys=tuple(_key(key) for key in page.names("keys", None)),
        per_network=_flag(page, "per_network"),
        words=spelt,
        closed=_flag(page, "closed"),
        flags={tuple(key.split()): _pair(flags, key) for key in flags.data},
        low=page.number("low") if "low" in page.data else -math.inf,
        high=page.number("high") if "high" in page.data else math.inf,
    )


def _key(key: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """``a b/c`` as the words of the path above it, and its own."""
    *context, leaf = key.split("/")
    return tuple(word for part in context for word in part.split()), tuple(leaf.split())


def _pair(flags: Page, key: str) -> tuple[str, str]:
    words = flags.names(key, None)
    if len(words) != 2:
        flags.fault(key, "a flag needs two words", "write key: [word if false, word if true]")
        return "", ""
    return words[0], words[1]
