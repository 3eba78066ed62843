"""From config keys to canonical settings, each with the user's own key, file and line."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gandoctor.lexicon.book import squeezed
from gandoctor.model.signals import Setting
from gandoctor.patterns import late_pattern
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gandoctor.lexicon.book import Entry, Spellings, Vocabulary

_PART: Final = late_pattern(
    r"[A-Za-z]2[A-Za-z](?![a-z])|\d+[dD](?![A-Za-z])|[A-Za-z]?[a-z]+\d*(?![a-z])|"
    r"[A-Z]+\d*(?![a-z])|[A-Z][a-z]+|[a-z]+|\d+|[^\W\d_]+"
)
_GLUED: Final = {
    **{f"{word}{net}": (word, net) for word in ("lr", "opt", "optim", "optimizer") for net in "dg"},
    **{f"{net}lr": (net, "lr") for net in "dg"},
    **{f"n{net}{f}": (net, "width") for net in "dg" for f in ("f", "filters")},
    **{f"{of}size": (of, "size") for of in ("batch", "image")},
}
# Words that say nothing about the quantity; they may stand before or after it.
_FILLER: Final = frozenset(
    {
        "the",
        "my",
        "model",
        "train",
        "training",
        "trainer",
        "hparams",
        "config",
        "cfg",
        "args",
        "opt",
        "params",
        "hp",
        "hyper",
        "hyperparameters",
        "parameter",
        "value",
        "kwargs",
        "network",
        "net",
        "gan",
    }
)
# Sections of a config that people write in front of a key when they flatten it:
# `loss_gp_weight` is `loss.gp_weight`. With how many words behind it the first is one.
_SECTIONS: Final = {
    **dict.fromkeys(("loss", "losses", "schedule", "scheduler", "solver", "data"), 2),
    **dict.fromkeys(("optimizer", "optim"), 1),
}
_NUMBER: Final = late_pattern(r"[-+]?(?:\d[\d_]*+(?:\.\d*+)?|\.\d+)(?:[eE][-+]?\d+)?")
# What D and G share where the config names neither; a width or depth without a network may be
# anybody's.
_BOTH: Final = (
    "lr", "beta1", "beta2", "momentum", "optimizer", "weight_decay", "activation", "batchnorm",
    "init_gain",
    "init_bias",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Players:
    """The words that name D, and those that name G."""

    d: frozenset[str]
    g: frozenset[str]

    def named_in(self, words: Iterable[str]) -> str:
        """``d`` or ``g``; empty where the words name neither or both."""
        said = set(words)
        d, g = bool(said & self.d), bool(said & self.g)
        if d == g:
            return ""
        return "d" if d else "g"


@dataclass(frozen=True, slots=True)
class _Key:
    context: frozenset[str]
    leaf: tuple[str, ...]
    plain: tuple[str, ...]
    network: str


def settle(raw: Sequence[Setting], *, vocabulary: Vocabulary) -> dict[str, Setting]:
    """Give settings their canonical names.

    Parameters
    ----------
    raw : sequence of Setting
        As read: ``name`` empty, ``key`` the user's own dotted key.
    vocabulary : Vocabulary

    Returns
    -------
    dict of str to Setting
        By canonical name. A value that both networks share stands under ``lr`` and, with the same
        key, under ``lr_d`` and ``lr_g``. The first of several keys of one name counts, a shallower
        key before a deeper one.
    """
    players = _Players(vocabulary.lexicon.d, vocabulary.lexicon.g)
    index = vocabulary.spellings
    found: dict[str, tuple[tuple[int, int], Setting]] = {}
    for order, setting in enumerate(_unfolded(raw)):
        key = _take_apart(setting.key, players)
        for entry, network, depth in _candidates(key, index):
            value = _value(setting, entry, key)
            if value is None:
                continue
            name = f"{entry.name}_{network}" if network else entry.name
            rank = (depth + 4 * key.leaf.count("val"), order)
            if name not in found or rank < found[name][0]:
                found[name] = (rank, replace(setting, name=name, value=value))
            break
    out = {name: s for name, (_, s) in found.items()}
    _share(out)
    _ratio(out)
    return out


def facts(settings: Mapping[str, Setting]) -> dict[str, float]:
    """Numbers that follow from the settings.

    Parameters
    ----------
    settings : Mapping of str to Setting
        As `settle` gives them.

    Returns
    -------
    dict of str to float
        ``lr_ratio`` (D's learning rate over G's), ``capacity_d`` and ``capacity_g`` (width squared
        times depth, an estimate that only serves to compare the two), ``capacity_ratio``.
    """
    out: dict[str, float] = {}
    lr_d, lr_g = _number(settings, "lr_d"), _number(settings, "lr_g")
    if lr_d is not None and lr_g:
        out["lr_ratio"] = lr_d / lr_g
    for net in "dg":
        width, depth = _number(settings, f"width_{net}"), _number(settings, f"depth_{net}")
        if width is not None:
            out[f"capacity_{net}"] = width * width * max(1.0, depth if depth is not None else 1.0)
    if out.get("capacity_g") and "capacity_d" in out:
        out["capacity_ratio"] = out["capacity_d"] / out["capacity_g"]
    return {name: value for name, value in out.items() if math.isfinite(value)}


def _number(settings: Mapping[str, Setting], name: str) -> float | None:
    s = settings.get(name)
    if s is None or isinstance(s.value, bool) or not isinstance(s.value, int | float):
        return None
    try:
        return float(s.value)
    except OverflowError:  # a whole number beyond all floats
        return None


def _unfolded(raw: Iterable[Setting]) -> Iterable[Setting]:
    """One setting for each item of a list: ``betas: [0.5, 0.999]`` -> ``betas.0``, ``betas.1``."""
    for s in raw:
        if isinstance(s.value, tuple):
            for i, v in enumerate(s.value[:8]):
                if isinstance(v, int | float | str | bool) or v is None:
                    yield replace(s, key=f"{s.key}.{i}", value=v)
        else:
            yield s


def _take_apart(key: str, players: _Players) -> _Key:
    parts = [_words(p) for p in re.split(r"[./:]+|\[(?=\d+\])|\]", key[:300]) if p]
    leaf = parts[-1] if parts else []
    above = parts[:-1]
    if len(leaf) == 1 and leaf[0].isdigit() and above:
        leaf = above[-1] + leaf
        above = above[:-1]
    named = (players.named_in(part) for part in (leaf, *reversed(above)))
    network = next((n for n in named if n), "")
    plain = [w for w in leaf if w not in players.d and w not in players.g]
    context = _with_kin({w for p in above for w in p}, players)
    return _Key(context, tuple(leaf), tuple(plain), network)


def _words(part: str) -> list[str]:
    found: list[str] = []
    for m in _PART.finditer(part):
        word = m[0].lower()
        found += _GLUED.get(word, (word,))
    return found


def _meant(key: _Key, index: Spellings) -> Iterable[tuple[Entry, str, int]]:
    """Entries a key may mean, the likeliest first.

    (entry, network, how much had to be overlooked).
    """
    trimmed = tuple(w for w in key.leaf if w not in _FILLER)
    bare = tuple(w for w in key.plain if w not in _FILLER)
    for penalty, words in enumerate(dict.fromkeys((key.leaf, trimmed, key.plain, bare))):
        for entry, context in index.get(words, ()):
            if not context <= key.context:
                continue
            if words in (key.leaf, trimmed) and not entry.per_network:
                yield entry, "", penalty
            elif entry.per_network:
                yield entry, key.network, penalty
            elif not key.network or key.network in ("d", "g"):
                yield entry, "", penalty + 2


def _candidates(key: _Key, index: Spellings) -> Iterable[tuple[Entry, str, int]]:
    """As `_meant`; after it, what the key means without the section that it was flattened with."""
    yield from _meant(key, index)
    for words in dict.fromkeys((key.leaf, key.plain)):
        if words and len(words) > _SECTIONS.get(words[0], len(words)):
            inner = replace(key, leaf=words[1:], plain=tuple(w for w in key.plain if w != words[0]))
            for entry, network, depth in _meant(inner, index):
                yield entry, network, depth + 4


def _with_kin(words: set[str], players: _Players) -> frozenset[str]:
    """Words of the path, each also under its usual synonym."""
    kin = set(words)
    if words & players.d:
        kin.add("discriminator")
    if words & players.g:
        kin.add("generator")
    if words & {"optimizer", "optim", "opt", "optimiser", "optimizers", "optimization"}:
        kin |= {"optimizer", "optim", "opt"}
    if words & {"log", "logging", "logger"}:
        kin |= {"log", "logging", "logger"}
    if words & {"data", "dataset", "datasets"}:
        kin |= {"data", "dataset"}
    return frozenset(kin)


def _value(setting: Setting, entry: Entry, key: _Key) -> float | int | str | bool | None:
    """The value as the entry's kind wants it; None where it cannot be that.

    A number written as text stays text.
    """
    value = setting.value
    if isinstance(value, tuple):
        return None
    if entry.flags and isinstance(value, bool):
        words = entry.flags.get(key.leaf) or entry.flags.get(key.plain)
        return (words[value] or None) if words else None
    if entry.kind == "number":
        if (
            isinstance(value, bool)
            or value is None
            or (isinstance(value, float) and not math.isfinite(value))
        ):
            return None
        if isinstance(value, str):
            text = value.strip()
            return (
                value
                if _NUMBER.fullmatch(text) and entry.low <= float(text) <= entry.high
                else None
            )
        return value if entry.low <= value <= entry.high else None
    if entry.kind == "word":
        if not isinstance(value, str):
            return None
        known = entry.words.get(squeezed(value)) or entry.words.get(
            squeezed(value.rpartition(".")[2])
        )
        return known or (None if entry.closed else value)
    if entry.kind == "flag":
        if isinstance(value, bool):
            return value
        if isinstance(value, int | float):
            return bool(value)
        if isinstance(value, str) and value.strip().lower() in (
            "true",
            "yes",
            "on",
            "1",
            "false",
            "no",
            "off",
            "0",
        ):
            return value.strip().lower() in ("true", "yes", "on", "1")
        return None
    return value


def _share(out: dict[str, Setting]) -> None:
    """A shared value is D's and G's, each under its own name and the one key of the user's."""
    for name in _BOTH:
        if name in out:
            for net in "dg":
                out.setdefault(f"{name}_{net}", replace(out[name], name=f"{name}_{net}"))


def _ratio(out: dict[str, Setting]) -> None:
    """Where D's rate is a multiple of G's, ``lr_d`` is worked out.

    It has no key of its own, so nothing edits it.
    """
    ratio, base = _number(out, "d_lr_ratio"), _number(out, "lr_g")
    if ratio is None or base is None:
        return
    if "lr_d" not in out or out["lr_d"].key == out["lr_g"].key:
        out["lr_d"] = Setting("lr_d", base * ratio, "", out["d_lr_ratio"].file, 0)
