"""Clauses: what rules, causes and remedies test, with every name and every place checked."""

from __future__ import annotations

import keyword
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from gandoctor.errors import RuleError, near
from gandoctor.lang.syntax import compile_test, compile_value
from gandoctor.lang.tree import Expression, Scope
from gandoctor.lang.window import Amount, Window, parse_amount, parse_window
from gandoctor.lexicon.book import squeezed
from gandoctor.model.rules import Clause, Evidence
from gandoctor.page import Page, one_of
from gandoctor.patterns import late_pattern
from gandoctor.rulebook.folder import ID
from gandoctor.rulebook.names import Words

_PLACE: Final = late_pattern(r"\{([^{}]*)\}")
_PLACES: Final = frozenset({"share", "first", "last", "onset", "unit"})
CLAUSE_KEYS: Final = ("where", "given", "over", "for", "says")


def clause_of(  # noqa: PLR0917 - two kinds of caller, each with all of it at hand
    page: Page, name: str, key: str, scope: Scope, words: Words, earlier: Sequence[str] | None
) -> Clause:
    """A clause of a rule, or a term of a cause.

    `earlier` clauses may be named in ``over: after CLAUSE``.
    """
    where: Expression | None = None
    if page.data.get(key) is not None:
        where = compiled(page, key, lambda: compile_test(page.data[key], scope))
    given = _given(page, words)
    if page.data.get(key) is None and page.data.get("given") is None:
        page.fault(key, "there is nothing to test", f"give `{key}:`, `given:` or both")
    over = compiled(page, "over", lambda: parse_window(page.data.get("over"))) or Window()
    if over.kind == "after_best":
        compiled(page, "over", lambda: _series(over.of, scope))
    if over.kind == "after_clause" and over.of not in (earlier or ()):
        what = (
            f"`{over.of}` is no clause that stands before this one"
            if earlier is not None
            else "there are no clauses here"
        )
        page.fault("over", what, near(over.of, tuple(earlier or ())))
    for_ = compiled(page, "for", lambda: parse_amount(page.data.get("for"))) or Amount()
    if where is not None and where.kind == "mask" and page.data.get("for") is None:
        page.fault(
            "for",
            "is missing: the test is decided at every step",
            "say how often it has to hold: `for: 80% of steps`",
        )
    if where is None or where.kind == "truth":
        if page.data.get("for") is not None and (where is not None or page.data.get(key) is None):
            page.fault("for", "the test is decided once, it has no steps to count", "drop `for`")
        if (
            page.data.get("over") is not None
            and where is not None
            and not where.signals
            and over.kind != "after_clause"
        ):
            page.fault("over", "the test looks at no signal, so it has no window", "drop `over`")
    says = page.text("says")
    _places(page, says, scope)
    return Clause(name, where, given, over, for_, says)


def _series(text: str, scope: Scope) -> Expression:
    made = compile_value(text, scope)
    if made.kind != "series" or made.tree.windowed:
        raise RuleError(
            f"`{text}` is no series of its own",
            hint="write `after best(g_loss)` or `after best(smooth(g_loss))`",
        )
    return made


def compiled(page: Page, key: str, make: Any) -> Any:
    """What `make` gives; None and a fault at `key` where it fails."""
    try:
        return make()
    except RuleError as e:
        e.where = page.spot(key)
        page.faults.append(e)
        return None


def _given(page: Page, words: Words) -> dict[str, tuple[str, ...]]:
    out: dict[str, tuple[str, ...]] = {}
    for name, allowed in page.mapping("given").items():
        kind = words.settings.get(name)
        key = f"given.{name}"
        if kind is None:
            page.fault(key, f"no setting is called `{name}`", near(name, frozenset(words.settings)))
            continue
        if kind == "number":
            page.fault(key, f"`{name}` is a number", f"test it: `{name} > ...`")
        listed = [_word(w) for w in (allowed if isinstance(allowed, list) else [allowed])]
        if not listed or any(w is None for w in listed):
            page.fault(key, "must be a word or a list of words")
        closed = words.values.get(name)
        meant = [_canonical(page, key, name, w, closed) for w in listed if w is not None]
        out[name] = tuple(dict.fromkeys(meant))
    return out


def _canonical(page: Page, key: str, name: str, word: str, closed: Mapping[str, str] | None) -> str:
    """The word that a setting has in the end, where its words are known."""
    if closed is None:
        return word
    if squeezed(word) not in closed:
        known = tuple(dict.fromkeys(closed.values()))
        page.fault(key, f"`{name}` is never `{word}`", near(word, known) or one_of(known))
    return closed.get(squeezed(word), word)


def _word(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"{value:g}"
    return value if isinstance(value, str) else None


def _places(page: Page, says: str, scope: Scope) -> None:
    """Every ``{place}`` of a sentence must be something that can be filled in."""
    for place in (m[1].strip() for m in _PLACE.finditer(says)):
        if place in _PLACES | scope.words | scope.switches:
            continue
        try:
            compile_value(place.removesuffix(":%"), scope)
        except RuleError as e:
            page.fault("says", f"nothing fills the place `{{{place}}}`: {e.what}", e.hint)


def clauses_of(
    page: Page, scope: Scope, words: Words, shared: Mapping[str, Evidence]
) -> tuple[Clause, ...]:
    """The clauses under ``evidence``, in their order; a bare word names `shared` evidence."""
    made: list[Clause] = []
    for name, body in page.mapping("evidence", need=True).items():
        key = f"evidence.{name}"
        if (
            not name.isidentifier()
            or not name.isascii()
            or keyword.iskeyword(name)
            or name == "then"
        ):
            page.fault(
                key, f"`{name}` cannot be the name of a clause", "write a word, with underscores"
            )
        if isinstance(body, str) and ID.fullmatch(body):
            if body in shared:
                made.append(replace(shared[body].clause, name=name, shared=body))
            else:
                page.fault(key, f"no evidence is called `{body}`", near(body, shared))
            continue
        if not isinstance(body, dict):
            page.fault(
                key,
                "is no clause",
                "write `{where: ..., over: ..., for: ...}`, or the name of shared evidence",
            )
            continue
        inner = page.at(key, body)
        inner.only(CLAUSE_KEYS)
        made.append(clause_of(inner, name, "where", scope, words, [c.name for c in made]))
    return tuple(made)


def used(name: str, clauses: Sequence[Clause]) -> bool:
    """Whether another clause looks at what came after this one."""
    return any(c.over.kind == "after_clause" and c.over.of == name for c in clauses)
