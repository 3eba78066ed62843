"""The vocabulary files: roles, words, decisions, aliases, fingerprints, settings.

Read once, checked, frozen.
"""

from __future__ import annotations

import difflib
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gandoctor import rule_cache
from gandoctor.errors import InputError, RuleError
from gandoctor.lexicon.words import Lexicon
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

QUALITY: Final = frozenset(
    {"quality_fid", "quality_kid", "quality_is", "quality_ref", "quality_lpips", "other_quality"}
)
# Placed by name, then settled by the other signals of the log.
OPEN_ROLES: Final = frozenset(
    {"other", "d_real?", "d_fake?", "gen_acc?", "grad_norm?", "loss?", "wass?", "aux?"}
)
_CONDITIONS: Final = ("all", "any", "none", "leaf")


@dataclass(frozen=True, slots=True)
class Role:
    """What a signal can mean.

    Attributes
    ----------
    name, doc : str
    better : str
        ``lower`` or ``higher`` for a quality signal; empty otherwise.
    log_it : str
        One line of code that logs it.
    derived : bool
        Whether it can be worked out from other signals.
    """

    name: str
    doc: str
    better: str = ""
    log_it: str = ""
    derived: bool = False


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
    """

    roles: Mapping[str, Role]
    lexicon: Lexicon
    decisions: tuple[Decision, ...]
    aliases: tuple[Alias, ...] = ()
    fingerprints: tuple[Fingerprint, ...] = ()
    settings: Mapping[str, Entry] = field(default_factory=dict)
    network_words: frozenset[str] = frozenset()

    @property
    def higher_is_better(self) -> frozenset[str]:
        """Roles whose best value is the largest."""
        return frozenset(r.name for r in self.roles.values() if r.better == "higher")

    @property
    def lower_is_better(self) -> frozenset[str]:
        """Roles whose best value is the smallest."""
        return frozenset(r.name for r in self.roles.values() if r.better == "lower")

    @property
    def log_it(self) -> dict[str, str]:
        """By role, one line of code that logs it."""
        return {r.name: r.log_it for r in self.roles.values() if r.log_it}


def load(folders: Sequence[Path]) -> Vocabulary:
    """Read ``vocabulary/*.yaml`` of every folder.

    A later folder adds to an earlier one and is asked first.

    Parameters
    ----------
    folders : sequence of Path
        Rules folders; one without a ``vocabulary`` folder is passed over.

    Returns
    -------
    Vocabulary

    Raises
    ------
    RuleError
        A file that does not parse, or an entry that means nothing; says which file and key.
    """
    return rule_cache.checked(lambda: _load(folders))


def _load(folders: Sequence[Path]) -> Vocabulary:
    roles: dict[str, Role] = {}
    concepts: dict[str, set[str]] = {}
    phrases: dict[tuple[str, ...], str] = {}
    decisions: list[Decision] = []
    aliases: list[Alias] = []
    prints: list[Fingerprint] = []
    settings: dict[str, Entry] = {}
    networks: set[str] = set()
    families: dict[str, str] = {}
    for folder in folders:
        for file in sorted((folder / "vocabulary").glob("*.yaml")):
            data = _yaml(file)
            where = f"{folder.name}/vocabulary/{file.name}"
            for name, body in _mapping(data, "roles", where).items():
                roles[name] = _role(name, body, where)
            for concept, words in _mapping(data, "words", where).items():
                for word in _texts(words, f"{where}:words.{concept}"):
                    concepts.setdefault(word.lower(), set()).add(str(concept))
            networks.update(
                w.lower() for w in _texts(data.get("networks", []), f"{where}:networks")
            )
            for phrase in data.get("phrases") or []:
                words = tuple(_texts(phrase, f"{where}:phrases"))
                phrases[words] = "".join(words)
            decisions[:0] = [_decision(d, where) for d in data.get("decide") or []]
            aliases[:0] = [_alias(a, where) for a in data.get("aliases") or []]
            prints[:0] = [_fingerprint(f, where) for f in data.get("fingerprints") or []]
            for name, body in _mapping(data, "settings", where).items():
                settings[name] = _entry(name, body, where)
            for family, body in _mapping(data, "families", where).items():
                words = body.get("words", []) if isinstance(body, dict) else body
                families |= {
                    squeezed(w): family
                    for w in [family, *_texts(words, f"{where}:families.{family}")]
                }
    if "loss_kind" in settings:
        settings["loss_kind"] = replace(
            settings["loss_kind"], words={**settings["loss_kind"].words, **families}
        )
    _check(roles, [(d.role, d.because) for d in decisions])
    _check(roles, [(a.role, a.tags[0] if a.tags else "") for a in aliases])
    _check(roles, [(role, tag) for f in prints for tag, role in f.says.items()])
    lexicon = Lexicon({w: frozenset(c) for w, c in concepts.items()}, phrases)
    return Vocabulary(
        roles,
        lexicon,
        tuple(decisions),
        tuple(aliases),
        tuple(prints),
        settings,
        frozenset(networks),
    )


def _yaml(file: Path) -> dict[str, Any]:
    try:
        raw = file.read_bytes()
    except OSError as e:
        raise InputError(f"cannot be read: {e.strerror}", file.name) from e
    data = rule_cache.known(raw)
    if data is rule_cache.MISSING:
        data = _parsed(raw, file.name)
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise RuleError(
            "is no mapping",
            file.name,
            "its keys are roles, words, phrases, decide, aliases, fingerprints, settings",
        )
    return data


def _parsed(raw: bytes, name: str) -> Any:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return yaml.load(raw.decode("utf-8"), Loader=loader)  # noqa: S506  a safe loader, in C where there is one
    except (yaml.YAMLError, UnicodeDecodeError) as e:
        raise RuleError(
            f"does not parse: {' '.join(str(e).split())}", name, "it has to be YAML"
        ) from e


def _mapping(data: Mapping[str, Any], key: str, where: str) -> dict[str, Any]:
    value = data.get(key) or {}
    if not isinstance(value, dict):
        raise RuleError(f"{key} is no mapping", where, "name: ...")
    return {str(k): v for k, v in value.items()}


def _texts(value: object, where: str) -> list[str]:
    if isinstance(value, str | int | float | bool):
        return [str(value)]
    if not isinstance(value, list | tuple):
        raise RuleError("is no list of words", where, "write [word, word]")
    return [str(v) for v in value]


def _role(name: str, body: object, where: str) -> Role:
    if not isinstance(body, dict):
        raise RuleError(f"role {name} is no mapping", where, "write {doc: ..., log_it: ...}")
    better = str(body.get("better", ""))
    if better not in ("", "lower", "higher"):
        raise RuleError(f"better: {better}", f"{where}:roles.{name}", "lower or higher")
    return Role(
        name,
        str(body.get("doc", "")),
        better,
        str(body.get("log_it") or ""),
        bool(body.get("derived", False)),
    )


def _decision(body: object, where: str) -> Decision:
    if not isinstance(body, dict) or "role" not in body:
        raise RuleError(
            "a line of decide without a role",
            f"{where}:decide",
            "write {role: d_loss, owner: D, any: [loss]}",
        )
    unknown = set(body) - {"role", "because", "owner", "bare", *_CONDITIONS}
    if unknown:
        raise RuleError(
            f"unknown key {min(unknown)!r}",
            f"{where}:decide",
            f"one of owner, bare, {', '.join(_CONDITIONS)}",
        )
    sets = {k: frozenset(_texts(body[k], f"{where}:decide.{k}")) for k in _CONDITIONS if k in body}
    return Decision(
        str(body["role"]),
        str(body.get("because", "")),
        str(body.get("owner", "")),
        bare=bool(body.get("bare", False)),
        **sets,
    )


def _alias(body: object, where: str) -> Alias:
    if not isinstance(body, dict) or "role" not in body or "tags" not in body:
        raise RuleError(
            "an alias needs role and tags",
            f"{where}:aliases",
            "write {role: d_loss, tags: [my_name]}",
        )
    seen = tuple(_texts(body.get("seen_in", []), f"{where}:aliases.seen_in"))
    return Alias(tuple(_texts(body["tags"], f"{where}:aliases.tags")), str(body["role"]), seen)


def _fingerprint(body: object, where: str) -> Fingerprint:
    if not isinstance(body, dict) or not isinstance(body.get("says"), dict) or "has" not in body:
        raise RuleError(
            "a fingerprint needs has and says",
            f"{where}:fingerprints",
            "write {has: [tag, tag], says: {tag: role}}",
        )
    return Fingerprint(
        tuple(_texts(body["has"], f"{where}:fingerprints.has")),
        {str(k): str(v) for k, v in body["says"].items()},
        str(body.get("because", "")),
        tuple(_texts(body.get("seen_in", []), f"{where}:fingerprints.seen_in")),
        bool(body.get("only", False)),
    )


def _entry(name: str, body: object, where: str) -> Entry:
    where = f"{where}:settings.{name}"
    if not isinstance(body, dict):
        raise RuleError("is no mapping", where, "write {kind: number, doc: ..., keys: [...]}")
    kind = str(body.get("kind", "number"))
    if kind not in ("number", "word", "flag", "any"):
        raise RuleError(f"kind: {kind}", where, "number, word, flag or any")
    keys = []
    for key in _texts(body.get("keys", []), where + ".keys"):
        *context, leaf = key.split("/")
        keys.append((tuple(t for c in context for t in c.split()), tuple(leaf.split())))
    words = {
        squeezed(str(w)): str(canon)
        for canon, ws in (body.get("words") or {}).items()
        for w in _texts(ws, where + ".words")
    }
    return Entry(
        name,
        kind,
        str(body.get("doc", "")),
        tuple(keys),
        bool(body.get("per_network", False)),
        words,
        bool(body.get("closed", False)),
        {tuple(str(k).split()): _pair(v, where) for k, v in (body.get("flags") or {}).items()},
        float(body.get("low", "-inf")),
        float(body.get("high", "inf")),
    )


def _pair(value: object, where: str) -> tuple[str, str]:
    words = _texts(value, f"{where}.flags")
    if len(words) != 2:
        raise RuleError(
            "a flag needs two words", f"{where}.flags", "write key: [word if false, word if true]"
        )
    return words[0], words[1]


def _check(roles: Mapping[str, Role], named: Iterable[tuple[str, str]]) -> None:
    for role, what in named:
        if role not in roles and role not in OPEN_ROLES:
            raise RuleError(
                f"unknown role {role!r} ({what})", "vocabulary", did_you_mean(role, roles)
            )


def squeezed(word: str) -> str:
    """Only the letters and digits of a word, lower case: ``WGAN-GP`` and ``wgan_gp`` are one."""
    return "".join(c for c in word.casefold() if c.isalnum())


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``did you mean 'd_loss'?``, or where the list is."""
    near = difflib.get_close_matches(name, list(known), 1, 0.6)
    return (
        f"did you mean {near[0]!r}?"
        if near
        else "'gandoctor signals RUN' shows the roles in use, rules/vocabulary/signals.yaml names "
        "all"
    )
