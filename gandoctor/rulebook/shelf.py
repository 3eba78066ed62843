"""Folders -> a rule book, read as far as it is needed."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeVar

from gandoctor import rule_cache
from gandoctor.errors import RulebookError, RuleError
from gandoctor.lang.tree import Scope
from gandoctor.model.rules import SYMPTOMS, Rulebook
from gandoctor.page import default_folder
from gandoctor.rulebook.folder import (
    FilePage,
    digest_of,
    once_each,
    pages_of,
    paths_of,
)
from gandoctor.rulebook.measures import measure_of
from gandoctor.rulebook.names import Words, vocabulary
from gandoctor.rulebook.rules import evidence_of, rule_of
from gandoctor.rulebook.weights import weights_of

RULES: Final = ("symptoms", "risks")
JUDGING: Final = ("evidence", *RULES, "measures")
TREATING: Final = ("causes", "remedies")
_T = TypeVar("_T")


def load(
    folders: Sequence[Path], *, rules_only: bool = False, known: Rulebook | None = None
) -> Rulebook:
    """Read all rules, causes and remedies of some folders.

    Parameters
    ----------
    folders : sequence of Path
        `default_folder` first, then the user's own; names they use come from the ``vocabulary/`` of
        all of them, or of `default_folder` where none has one.
    rules_only : bool
        Leave causes, remedies and what was measured unread: a healthy run needs none of them.
    known : Rulebook, optional
        What was read of `default_folder` alone with `rules_only`: its rules need not be read again.

    Returns
    -------
    Rulebook
        Sorted by kind and id. Its digest is that of all files in any case.

    Raises
    ------
    RulebookError
        With every fault that was found.
    """
    if list(folders) != [default_folder()]:
        return _load_anew(folders, known, "", rules_only=rules_only)
    try:
        digest = known.digest if known else digest_of(folders)
    except OSError:  # which file it is, and why, is among the faults
        return _load_anew(folders, known, "", rules_only=rules_only)
    return rule_cache.once(
        (digest, rules_only, known is None),
        lambda: _load_anew(folders, known, digest, rules_only=rules_only),
    )


def _load_anew(
    folders: Sequence[Path], known: Rulebook | None, digest: str, *, rules_only: bool
) -> Rulebook:
    book = rule_cache.checked(lambda: _load(folders, known, digest, rules_only=rules_only))
    rule_cache.keep(lambda: (path.read_bytes() for path in paths_of(default_folder())))
    return book


def _load(
    folders: Sequence[Path], known: Rulebook | None, digest: str, *, rules_only: bool
) -> Rulebook:
    faults: list[RuleError] = []
    words = vocabulary(folders, faults)
    rooms = (*(() if known else JUDGING), *(() if rules_only else TREATING))
    pages = list(pages_of(folders, faults, rooms if known else ("", *rooms)))
    book = known or _judging(folders, pages, words, faults)
    if not rules_only:
        book = _with_treatment(book, folders, pages, words, faults)
    once_each(pages)
    if faults:
        raise RulebookError(sorted(faults, key=lambda f: f.where))
    return book if known else replace(book, digest=digest or digest_of(folders))


def _judging(
    folders: Sequence[Path], pages: Sequence[FilePage], words: Words, faults: list[RuleError]
) -> Rulebook:
    """Rules, measures and weights: all that it takes to call a run healthy."""
    scope = words.scope()
    evidence = [evidence_of(p, scope, words) for p in pages if p.room == "evidence"]
    shared = {e.id: e for e in evidence}  # of several folders the last counts
    make = functools.partial(rule_of, shared=shared)
    rules = _made(make, (p for p in pages if p.room in RULES), scope, words)
    measures = _made(measure_of, (p for p in pages if p.room == "measures"), scope, words)
    rules.sort(key=lambda r: (r.kind != "symptom", r.id))
    return Rulebook(
        rules=tuple(rules),
        by_id={r.id: r for r in rules},
        measures=tuple(sorted(measures, key=lambda m: m.id)),
        weights=weights_of(folders, measures, faults),
        evidence=tuple(shared[name] for name in sorted(shared)),
    )


def _with_treatment(
    book: Rulebook,
    folders: Sequence[Path],
    pages: Sequence[FilePage],
    words: Words,
    faults: list[RuleError],
) -> Rulebook:
    """The book with causes, remedies, and what was counted of all of them."""
    from gandoctor.rulebook import causes, measured, remedies  # a healthy run needs none of them

    rule_ids = {p.id for p in pages if p.room in RULES} | set(book.by_id)
    scope = words.scope([*SYMPTOMS, *rule_ids])
    blamed = _made(causes.cause_of, (p for p in pages if p.room == "causes"), scope, words)
    offered = _made(remedies.remedy_of, (p for p in pages if p.room == "remedies"), scope, words)
    remedies.known_names(pages, faults)
    counted = measured.counted_in(folders, faults)
    tallies, shares = measured.tallies_of(counted), measured.shares_of(counted)
    rules = tuple(replace(r, measured=tallies.get(r.id, r.measured)) for r in book.rules)
    blamed = [replace(c, measured=shares.get(c.id)) for c in blamed]
    return replace(
        book,
        rules=rules,
        by_id={r.id: r for r in rules},
        causes=tuple(sorted(blamed, key=lambda c: c.id)),
        remedies=tuple(sorted(offered, key=lambda r: r.id)),
        measured=measured.cures(counted, "cures", pages),
        unseen=measured.cures(counted, "cures_unseen", pages),
    )


def _made(
    make: Callable[[FilePage, Scope, Words], _T],
    pages: Iterable[FilePage],
    scope: Scope,
    words: Words,
) -> list[_T]:
    """The values of some pages; those of pages with a fault are left out."""
    made: list[_T] = []
    for page in pages:
        before = len(page.faults)
        value = make(page, scope, words)
        if len(page.faults) == before:
            made.append(value)
    return made


class Shelf:
    """A rule book that is read as far as it is needed.

    A healthy run needs no causes and no remedies.

    Parameters
    ----------
    folders : sequence of Path
        As for `load`. Folders that are not ours are read whole at once: their faults have to be
        said.
    customise : callable, optional
        What the user's preferences make of a book.
    """

    def __init__(
        self, folders: Sequence[Path], customise: Callable[[Rulebook], Rulebook] = lambda book: book
    ) -> None:
        self._folders = folders
        self._customise = customise
        self._lean = len(folders) == 1
        self._read = load(folders, rules_only=self._lean)
        self.judging = customise(self._read)

    @functools.cached_property
    def whole(self) -> Rulebook:
        """The book with causes, remedies and what was counted."""
        if not self._lean:
            return self.judging
        return self._customise(load(self._folders, known=self._read))
