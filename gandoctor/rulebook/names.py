"""The closed lists that rules draw their names from: roles, settings, facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from pathlib import Path

from gandoctor.errors import RuleError
from gandoctor.lang.tree import Scope
from gandoctor.lexicon import reading
from gandoctor.lexicon.book import squeezed
from gandoctor.model.roles import Role
from gandoctor.values import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """The closed lists that rules draw their names from.

    Attributes
    ----------
    roles : Mapping of str to Role
    settings : Mapping of str to str
        Name to kind: ``number``, ``word``, ``flag`` or ``any``.
    facts : frozenset of str
    values : Mapping of str to Mapping of str to str
        For settings that are words of a closed list: each spelling, and the word it stands for.
    """

    roles: Mapping[str, Role]
    settings: Mapping[str, str]
    facts: frozenset[str]
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def scope(self, flags: Iterable[str] = ()) -> Scope:
        """The names that a test may use; a role of the validation split is ``val_<role>``."""
        kinds = self.settings
        return Scope(
            signals=frozenset(self.roles) | {f"val_{r}" for r in self.roles},
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
        Faults are added to it; without it they are raised.
    """
    read = reading.load(folders) if faults is None else reading.gather(folders, faults)
    settings: dict[str, str] = {}
    values: dict[str, dict[str, str]] = {}
    for name, entry in read.settings.items():
        for each in [name, f"{name}_d", f"{name}_g"] if entry.per_network else [name]:
            settings[each] = entry.kind
            if entry.words:
                values[each] = {**entry.words, **{squeezed(w): w for w in entry.words.values()}}
    return Words(read.roles, settings, frozenset(read.facts), values)
