"""One page -> a rule, or a piece of evidence that rules share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, Literal

from gandoctor.lang.syntax import compile_when
from gandoctor.lang.tree import Scope
from gandoctor.model.rules import SEVERITIES, SYMPTOMS, Evidence, FalsePositive, Rule
from gandoctor.page import Page
from gandoctor.rulebook.clauses import CLAUSE_KEYS, clause_of, clauses_of, compiled, used
from gandoctor.rulebook.folder import FilePage
from gandoctor.rulebook.names import Words
from gandoctor.rulebook.parts import applies_to, references

KINDS: Final[tuple[Literal["symptom", "risk"], ...]] = ("symptom", "risk")
STATUSES: Final[tuple[Literal["preview", "stable", "retired"], ...]] = (
    "preview",
    "stable",
    "retired",
)
EVIDENCE_KEYS: Final = ("id", "title", "why", *CLAUSE_KEYS, "references")
RULE_KEYS: Final = (
    "id", "kind", "symptom", "title", "severity", "status", "since", "applies_to", "why",
    "evidence", "when",
    "false_positives", "references", "confidence", "settings", "log_it", "stable_because", "group",
    "nats",
)  # fmt: skip


def evidence_of(page: FilePage, scope: Scope, words: Words) -> Evidence:
    """The shared evidence of a page; what is wrong with it is added to the page's faults."""
    page.only(EVIDENCE_KEYS)
    return Evidence(
        id=page.id,
        title=page.text("title", need=True),
        why=page.text("why", need=True),
        clause=clause_of(page, page.id, "where", scope, words, None),
        references=references(page),
        file=page.file,
    )


def rule_of(page: FilePage, scope: Scope, words: Words, shared: Mapping[str, Evidence]) -> Rule:
    """The rule of a page; what is wrong with it is added to the page's faults."""
    page.only(RULE_KEYS)
    kind = page.choice("kind", KINDS)
    symptom = None
    if kind == "symptom":
        symptom = page.choice("symptom", SYMPTOMS)
    elif "symptom" in page.data:
        page.fault("symptom", "a risk has no symptom", "drop it, or write `kind: symptom`")
    if page.file.startswith(("symptoms/", "risks/")) and not page.file.startswith(kind):
        page.fault("kind", f"a {kind} in the wrong folder", f"move it to {kind}s/")
    clauses = clauses_of(page, scope, words, shared)
    names = [c.name for c in clauses]
    written = page.data.get("when", names[0] if len(names) == 1 else None)
    when = None
    if written is None:
        page.fault("when", "is missing", f"join the clauses: `{' and '.join(names) or 'a and b'}`")
    else:
        when = compiled(page, "when", lambda: compile_when(written, names))
        idle = [
            n for n in names if when is not None and n not in when.names and not used(n, clauses)
        ]
        for name in idle:
            page.fault("when", f"the clause `{name}` is never used", "name it here, or drop it")
    return Rule(
        id=page.id,
        kind=kind,
        symptom=symptom,
        title=page.text("title", need=True),
        severity=page.choice("severity", SEVERITIES, "low" if kind == "risk" else None),
        status=page.choice("status", STATUSES, "preview"),
        since=page.text("since"),
        applies_to=applies_to(page),
        why=page.text("why", need=True),
        clauses=clauses,
        when=when or compile_when("x", ["x"]),  # never seen: a rule with a fault is dropped
        false_positives=tuple(_false_positives(page)),
        references=references(page),
        confidence=page.choice("confidence", SEVERITIES, "medium"),
        settings=page.names("settings", frozenset(words.settings), "setting"),
        log_it=page.text("log_it"),
        file=page.file,
        stable_because=page.text("stable_because"),
        group=page.text("group"),
        nats=page.number("nats", low=0.0) if "nats" in page.data else None,
    )


def _false_positives(page: Page) -> Iterator[FalsePositive]:
    for entry in page.items("false_positives"):
        entry.only(("when", "do"))
        yield FalsePositive(entry.text("when", need=True), entry.text("do", need=True))
