"""One page -> a remedy; and whether what remedies and causes name is there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, Literal

from gandoctor.errors import RuleError, near
from gandoctor.lang.tree import Scope
from gandoctor.model.rules import BEST_STEP, Change, Remedy
from gandoctor.page import Page
from gandoctor.rulebook.clauses import clause_of
from gandoctor.rulebook.folder import FilePage
from gandoctor.rulebook.names import Words
from gandoctor.rulebook.parts import references

EFFORTS: Final[tuple[Literal["config", "code", "data"], ...]] = ("config", "code", "data")
RISKS: Final[tuple[Literal["safe", "trial", "advice"], ...]] = ("safe", "trial", "advice")
REMEDY_KEYS: Final = (
    "id", "title", "treats", "effort", "risk", "only_if", "not_with", "changes", "expect", "why",
    "snippet",
    "references",
)  # fmt: skip
CHANGE_KEYS: Final = ("setting", "multiply", "to", "of", "low", "high", "need", "if_named")


def remedy_of(page: FilePage, scope: Scope, words: Words) -> Remedy:
    """The remedy of a page; what is wrong with it is added to the page's faults."""
    page.only(REMEDY_KEYS)
    only_if = []
    for i, entry in enumerate(page.items("only_if")):
        entry.only(("if", "given", "over", "for"))
        only_if.append(clause_of(entry, f"only_if_{i}", "if", scope, words, None))
    return Remedy(
        id=page.id,
        title=page.text("title", need=True),
        treats=_treats(page),
        effort=page.choice("effort", EFFORTS),
        risk=page.choice("risk", RISKS),
        only_if=tuple(only_if),
        changes=tuple(_change(entry, words) for entry in page.items("changes")),
        expect=page.text("expect", need=True),
        why=page.text("why"),
        snippet=str(page.data.get("snippet") or ""),
        references=references(page),
        file=page.file,
        not_with=page.names("not_with", None),
    )


def _treats(page: Page) -> dict[str, float]:
    value = page.data.get("treats")
    if isinstance(value, dict):
        inner = page.at("treats", {str(k): v for k, v in value.items()})
        return {name: inner.number(name, low=0.0) for name in inner.data}
    if not value:
        page.fault("treats", "is missing", "name the causes that it treats")
    return dict.fromkeys(page.names("treats", None), 1.0)


def _change(page: Page, words: Words) -> Change:
    page.only(CHANGE_KEYS)
    known = frozenset(words.settings)
    setting = page.text("setting", need=True)
    of = page.text("of")
    for key, name in (("setting", setting), ("of", of)):
        if name and name not in known and not (key == "of" and name == BEST_STEP):
            page.fault(key, f"no setting is called `{name}`", near(name, known))
    to = page.data.get("to")
    relative = page.data.get("multiply") is not None or of
    if (to is not None) == bool(relative):
        page.fault(
            "to",
            "the new value is not said, or said twice",
            "give `to`, or `multiply` and / or `of`",
        )
    if isinstance(to, dict | list):
        page.fault("to", "must be a number, a word, true or false")
        to = None
    return Change(
        setting=setting,
        multiply=page.number("multiply") if page.data.get("multiply") is not None else None,
        of=of,
        to=float(to) if isinstance(to, int) and not isinstance(to, bool) else to,
        low=page.number("low") if page.data.get("low") is not None else -math.inf,
        high=page.number("high") if page.data.get("high") is not None else math.inf,
        need=page.choice("need", (True, False), False),
        if_named=page.choice("if_named", (True, False), False),
    )


def known_names(pages: Sequence[FilePage], faults: list[RuleError]) -> None:
    """Causes that others name: those deeper than others, those that remedies treat.

    And remedies not to go with.
    """
    named = (
        ("causes", "deeper_than", "causes"),
        ("remedies", "treats", "causes"),
        ("remedies", "not_with", "remedies"),
    )
    for room, key, of in named:
        known = frozenset(p.id for p in pages if p.room == of)
        for page in (p for p in pages if p.room == room):
            listed = page.data.get(key)
            unknown = (
                [str(n) for n in listed if str(n) not in known]
                if isinstance(listed, list | dict)
                else []
            )
            what = {"causes": "cause", "remedies": "remedy"}[of]
            faults += [
                RuleError(f"no {what} is called `{n}`", f"{page.where}:{key}", near(n, known))
                for n in unknown
            ]
