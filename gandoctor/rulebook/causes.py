"""One page -> a cause."""

from __future__ import annotations

from typing import Final

from gandoctor.errors import near
from gandoctor.lang.tree import Scope
from gandoctor.model.rules import SYMPTOMS, Cause, Term
from gandoctor.page import Page, one_of
from gandoctor.rulebook.clauses import clause_of
from gandoctor.rulebook.folder import FilePage
from gandoctor.rulebook.names import Words
from gandoctor.rulebook.parts import references

TERM_KEYS: Final = ("if", "given", "over", "for", "weight", "says")
CAUSE_KEYS: Final = (
    "id", "title", "story", "prior", "common", "explains", "for", "against", "settings",
    "deeper_than", "references",
)  # fmt: skip


def cause_of(page: FilePage, scope: Scope, words: Words) -> Cause:
    """The cause of a page; what is wrong with it is added to the page's faults."""
    page.only(CAUSE_KEYS)
    common = page.data.get("common", False)
    if not isinstance(common, bool):
        page.fault(
            "common", "is neither true nor false", "true where symptoms alone are reason enough"
        )
    explains = page.at("explains", page.mapping("explains", need=True))
    for name in explains.data:
        if name not in SYMPTOMS:
            explains.fault(
                name, f"no symptom is called `{name}`", near(name, SYMPTOMS) or one_of(SYMPTOMS)
            )
    return Cause(
        id=page.id,
        title=page.text("title", need=True),
        story=page.text("story", need=True),
        explains={name: explains.number(name, low=0.0) for name in explains.data},
        for_=_terms(page, "for", scope, words),
        against=_terms(page, "against", scope, words),
        settings=page.names("settings", frozenset(words.settings), "setting"),
        deeper_than=page.names("deeper_than", None),
        prior=page.number("prior", 0.0),
        common=bool(common),
        references=references(page),
        file=page.file,
    )


def _terms(page: Page, key: str, scope: Scope, words: Words) -> tuple[Term, ...]:
    made = []
    for i, entry in enumerate(page.items(key)):
        entry.only(TERM_KEYS)
        clause = clause_of(entry, f"{key}_{i}", "if", scope, words, None)
        made.append(Term(clause, entry.number("weight", low=0.0), clause.says))
    return tuple(made)
