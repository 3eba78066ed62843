"""The closed lists that rules draw their names from: roles, settings, facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any

from gandoctor.errors import RuleError
from gandoctor.lang.syntax import Scope
from gandoctor.page import default_folder, read_yaml
from gandoctor.rulebook.folder import RulebookError
from gandoctor.values import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """The closed lists that rules draw their names from.

    Attributes
    ----------
    roles : frozenset of str
    settings : Mapping of str to str
        Name to kind: ``number``, ``word``, ``flag`` or ``any``.
    facts : frozenset of str
    values : Mapping of str to Mapping of str to str
        For settings that are words of a closed list: each spelling, and the word it stands for.
    higher : frozenset of str
        Roles whose best value is the largest.
    """

    roles: frozenset[str]
    settings: Mapping[str, str]
    facts: frozenset[str]
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    higher: frozenset[str] = frozenset()

    def scope(self, flags: Iterable[str] = ()) -> Scope:
        """The names that a test may use; a role of the validation split is ``val_<role>``."""
        kinds = self.settings
        return Scope(
            signals=self.roles | {f"val_{r}" for r in self.roles},
            numbers=self.facts | {n for n, k in kinds.items() if k != "word"},
            words=frozenset(n for n, k in kinds.items() if k in ("word", "any")),
            flags=frozenset(f.replace("-", "_") for f in flags),
            switches=frozenset(n for n, k in kinds.items() if k == "flag"),
        )


def vocabulary(folders: Sequence[Path], faults: list[RuleError] | None = None) -> Words:
    """The names that rules may use: roles, settings and facts of all folders.

    Parameters
    ----------
    folders : sequence of Path
    faults : list of RuleError, optional
        Faults are added to it; without it the first one is raised.
    """
    found: list[RuleError] = faults if faults is not None else []
    places = [f / "vocabulary" for f in folders if (f / "vocabulary").is_dir()]
    if not any((p / "signals.yaml").is_file() for p in places):
        places.insert(0, default_folder() / "vocabulary")
    roles: set[str] = set()
    higher: set[str] = set()
    facts: set[str] = set()
    settings: dict[str, str] = {}
    values: dict[str, dict[str, str]] = {}
    for path in (p for place in places for p in sorted(place.glob("*.yaml"))):
        where = f"vocabulary/{path.name}"
        try:
            data = read_yaml(path, where)
        except RuleError as e:
            found.append(e)
            continue
        lists = (
            {key: data.get(key) or {} for key in ("roles", "facts", "settings")}
            if isinstance(data, dict)
            else {}
        )
        for key, entries in lists.items():
            if not isinstance(entries, dict):
                found.append(
                    RuleError("is no mapping", f"{where}:{key}", "write `name: {doc: ...}`")
                )
                lists[key] = {}
        roles.update(map(str, lists.get("roles", {})))
        bodies = {str(r): e for r, e in lists.get("roles", {}).items() if isinstance(e, dict)}
        higher |= {r for r, e in bodies.items() if e.get("better") == "higher"}
        facts.update(map(str, lists.get("facts", {})))
        for name, entry in lists.get("settings", {}).items():
            _enter(str(name), entry if isinstance(entry, dict) else {}, settings, values)
    if found and faults is None:
        raise RulebookError(found)
    return Words(frozenset(roles), settings, frozenset(facts), values, frozenset(higher))


def _enter(
    name: str, entry: Mapping[str, Any], settings: dict[str, str], values: dict[str, dict[str, str]]
) -> None:
    kind = str(entry.get("kind", "number"))
    names = [name, f"{name}_d", f"{name}_g"] if entry.get("per_network") else [name]
    for each in names:
        settings[each] = kind
        if kind == "word" and isinstance(entry.get("words"), dict):
            spelt = {
                folded(a): str(w)
                for w, others in entry["words"].items()
                if isinstance(others, list)
                for a in others
            }
            values[each] = spelt | {folded(w): str(w) for w in entry["words"]}


def folded(word: object) -> str:
    """A word without case, ``-``, ``_`` and blanks: how two spellings are compared."""
    return "".join(c for c in str(word).casefold() if c not in "-_ ")
