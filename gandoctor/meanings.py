"""What a symptom, a role, a setting or a fact is, as text; and what somebody may have meant.

For ``gandoctor explain`` and ``gandoctor signals --known``.
"""

from __future__ import annotations

import difflib
import json
import textwrap
from typing import TYPE_CHECKING, Final

from gandoctor import api, vocabulary
from gandoctor.lexicon.book import squeezed
from gandoctor.mapping import table
from gandoctor.model.rules import SYMPTOMS
from gandoctor.model.signals import Setting

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gandoctor.api import Options
    from gandoctor.lexicon.book import Entry, Vocabulary
    from gandoctor.model.roles import Role
    from gandoctor.model.rules import Clause, Rulebook

WIDTH: Final = 100
_MOST_NEAR: Final = 4
_MOST_KEYS: Final = 24
_CLOSE: Final = 0.6
_CLOSER: Final = 0.75  # for short names, of which many are somewhat alike
_SHORT: Final = 4
# A key says what it means only beside a value of its kind.
_VALUES: Final[tuple[float | str | bool, ...]] = (1.0, "adam", "wgan", True)


def known_roles(options: Options, *, as_json: bool) -> str:
    """Every role that a name can be mapped to: for ``--map ROLE=TAG``."""
    roles = vocabulary.load(api.rule_folders(options)).roles.values()
    if as_json:
        rows = [
            {
                "role": r.name,
                "doc": r.doc,
                "better": r.better,
                "derived": r.derived,
                "log": r.log_it,
            }
            for r in roles
        ]
        return json.dumps(rows, indent=1)
    head = ("role", "better", "what it is")
    hint = "map one: gandoctor analyze RUN --map d_loss=TAG; more of one: gandoctor explain d_loss"
    return table(head, [(r.name, r.better, r.doc) for r in roles]) + f"\n\n{hint}"


def page(name: str, book: Rulebook, words: Vocabulary) -> str | None:
    """What a symptom, role, setting or fact is; None where nothing has that name.

    Any spelling will do. ``lr_d`` is a role and a setting: both are told.
    """
    wanted = squeezed(name)
    told = [_symptom(symptom, book) for symptom in SYMPTOMS if squeezed(symptom) == wanted]
    told += [
        _role(role, book)
        for role in words.roles.values()
        if wanted in (squeezed(role.name), squeezed(role.title))
    ]
    told += [_setting(s, book, words) for s in _settings(words) if squeezed(s) == wanted]
    told += [_fact(f, doc, book) for f, doc in words.facts.items() if squeezed(f) == wanted]
    return "\n\n".join("\n".join(lines) for lines in told) or None


def near(name: str, known: Sequence[str]) -> list[str]:
    """What somebody may have meant, the likeliest first: names that hold it, then alike ones."""
    wanted = squeezed(name)
    if not wanted:
        return []
    alike = {squeezed(k): k for k in known}
    holding = [k for k in sorted(alike, key=len) if wanted in k and len(wanted) >= _SHORT]
    least = _CLOSE if len(wanted) > _SHORT else _CLOSER
    close = difflib.get_close_matches(wanted, list(alike), _MOST_NEAR, least)
    return [alike[k] for k in dict.fromkeys([*holding, *close])][:_MOST_NEAR]


def names(words: Vocabulary) -> list[str]:
    """All that `page` knows by its own name."""
    return [*SYMPTOMS, *words.roles, *_settings(words), *words.facts]


def as_written(name: str, book: Rulebook, words: Vocabulary) -> str | None:
    """What a tag as programs write it, or a key as configs do, is understood as."""
    placed = vocabulary.place_names([name], vocabulary=words)[0]
    role = words.roles.get(placed.role or "")
    if role is not None:
        because = f": {placed.because}" if placed.because else ""
        lead = f"{name!r} is understood as {role.name}{because}"
        return "\n".join([lead, "", *_role(role, book)])
    for value in _VALUES:
        raw = Setting("", value, name)
        settled = vocabulary.settle([raw], vocabulary=words)
        if settled:
            own = min(settled)
            lead = f"{name!r} is understood as the setting {own}"
            return "\n".join([lead, "", *_setting(own, book, words)])
    return None


def _settings(words: Vocabulary) -> dict[str, Entry]:
    """The settings by every name they have: ``lr`` stands for ``lr_d`` and ``lr_g`` as well."""
    found: dict[str, Entry] = {}
    for entry in words.settings.values():
        found[entry.name] = entry
        if entry.per_network:
            found |= {f"{entry.name}_d": entry, f"{entry.name}_g": entry}
    return found


def _symptom(symptom: str, book: Rulebook) -> Iterator[str]:
    yield f"{symptom.replace('-', ' ').capitalize()}  ({symptom})"
    yield "a symptom: what is seen in a run, whatever may be behind it"
    yield from _listed(
        "Rules that see it",
        [f"{r.id}: {r.title} ({r.severity})" for r in book.rules if r.symptom == symptom],
    )
    yield from _listed(
        "Measures that speak for it",
        [f"{m.id}: {m.title}" for m in book.measures if symptom in (m.low, m.high)],
    )
    causes = [c for c in book.causes if symptom in c.explains]
    yield from _listed(
        "What may be behind it",
        [
            f"{c.id}: {c.title} ({c.explains[symptom]:+g})"
            for c in sorted(causes, key=lambda c: -c.explains[symptom])
        ],
    )
    yield ""
    yield "More of each: gandoctor explain ID"


def _role(role: Role, book: Rulebook) -> Iterator[str]:
    titled = role.title != role.name
    yield f"{role.title if titled else role.doc}  ({role.name})"
    what = f": {role.doc}" if titled else ""
    yield from textwrap.wrap(f"a role that a signal can have{what}", WIDTH)
    if role.better:
        yield f"better where it is {role.better}"
    if role.derived:
        yield "worked out from other signals where nobody logged it"
    if role.log_it:
        yield from ("", "How to log it", textwrap.indent(role.log_it.rstrip(), "  "))
    yield from ("", "How to say that a name means it", f"  --map {role.name}=TAG")
    yield from _users(role.name, book)


def _setting(name: str, book: Rulebook, words: Vocabulary) -> Iterator[str]:
    entry = _settings(words)[name]
    player = {"_d": " of D", "_g": " of G"}.get(name.removeprefix(entry.name), "")
    yield f"{entry.doc}{player}  ({name})"
    bounds = [
        f"{word} {value:g}"
        for word, value in (("from", entry.low), ("to", entry.high))
        if abs(value) != float("inf")
    ]
    yield ", ".join([f"a setting ({'any value' if entry.kind == 'any' else entry.kind})", *bounds])
    if entry.per_network and name == entry.name:
        yield f"D's is {name}_d, G's {name}_g"
    keys = [" ".join((*context, *leaf)) for context, leaf in entry.keys]
    more = ", ..." if len(keys) > _MOST_KEYS else ""
    yield from ("", "Keys it is read from")
    yield from indented(", ".join(keys[:_MOST_KEYS]) + more)
    if entry.words:
        yield from ("", "Its values")
        yield from indented(", ".join(sorted(set(entry.words.values()))))
    yield from _users(name, book)


def _fact(name: str, doc: str, book: Rulebook) -> Iterator[str]:
    yield from textwrap.wrap(f"{doc}  ({name})", WIDTH)
    yield "a number about a run"
    yield from _users(name, book)


def _users(name: str, book: Rulebook) -> Iterator[str]:
    """Who speaks of a signal, setting or fact."""
    rules = [r for r in book.rules if name in r.settings or _asks(r.clauses, name)]
    yield from _listed("Rules that look at it", [f"{r.id}: {r.title}" for r in rules])
    measures = [m for m in book.measures if name in m.value.names]
    yield from _listed("Measures taken of it", [f"{m.id}: {m.title}" for m in measures])
    causes = [
        c
        for c in book.causes
        if name in c.settings or _asks([t.clause for t in (*c.for_, *c.against)], name)
    ]
    yield from _listed("Causes that speak of it", [f"{c.id}: {c.title}" for c in causes])
    remedies = [r for r in book.remedies if any(c.setting == name for c in r.changes)]
    yield from _listed("Remedies that change it", [f"{r.id}: {r.title}" for r in remedies])


def _asks(clauses: Sequence[Clause], name: str) -> bool:
    return any(name in c.given or (c.where is not None and name in c.where.names) for c in clauses)


def _listed(head: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield from ("", head, *(f"  {line}" for line in lines))


def indented(text: str) -> list[str]:
    """Text in lines that stand two letters in."""
    return textwrap.wrap(text, WIDTH, initial_indent="  ", subsequent_indent="  ")
