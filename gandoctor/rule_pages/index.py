"""The first page: everything in tables, and how to read a rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gandoctor.model.rules import SYMPTOMS
from gandoctor.rule_pages.words import (
    codes,
    heaviest,
    link,
    plain,
    precision,
    table,
    work,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gandoctor.rule_pages.pages import Pages

INTRODUCTION: Final = """
# The rule book

Every rule is a YAML file that can be read, doubted and corrected without Python; these pages are made from those files.
A **symptom** rule says what is seen in a run. A **risk** is a doubtful setting or a blind spot: alone it never makes a
verdict. A **measure** is a number with a curve: how much a value says about whether the run has failed. A **cause** is
what may be to blame: it gathers what speaks for and against it, and folds the symptoms that it explains. A **remedy**
says what to change, and how to tell that it helped.

Figures are counts on trainings of tiny GANs whose outcome was measured (`benchmarks/zoo/`); a dash: not yet measured.
`gandoctor explain ID` prints any of them in the terminal, `gandoctor rules test` runs the test that stands beside each
rule, and `gandoctor rules new ID` starts a rule of your own.

## How to read a rule

A rule has one or more pieces of evidence, each a *test* (`d_loss < 0.1`), the *part of the run* that is looked at, and
*how much* of it has to pass. The rule fires where the pieces hold together as its last line says. What a piece then
says stands below it; the braces are filled with the run's own numbers. A piece that several rules share has a page of
its own, which is linked. Per cent are per cent of the steps, however unevenly they were logged.

A piece about something that was not logged is neither true nor false but unknown. A rule that cannot be decided without
it is listed as not checked: silence is never a pass.

What a rule's answer and a measure are worth is said in nats, and so is what they add up to; docs/belief.md says how.
Weights of causes are log-odds in nats: +1 multiplies the odds of a cause by 2.7, -1 divides them by as much. A cause's
score is the sum of what counted, and the report shows every term.

A remedy is called safe only where that was measured: it cured most of at least two failed trainings. All else is worth
a trial, or advice.
"""


def index(pages: Pages) -> Iterator[str]:
    """All rules, measures, causes and remedies in tables, and how to read them."""
    book = pages.book
    yield INTRODUCTION.strip()
    for symptom in SYMPTOMS:
        rules = [r for r in book.rules if r.symptom == symptom]
        if rules:
            yield from ("", f"## Symptom: {plain(symptom)}", "")
            yield from table(
                ("rule", "severity", "status", "failed, of the runs it fired on"),
                (
                    (link(r.title, f"symptoms/{r.id}.md"), r.severity, r.status, precision(r))
                    for r in rules
                ),
            )
    risks = [r for r in book.rules if r.kind == "risk"]
    yield from ("", "## Risks", "")
    yield from table(
        ("risk", "settings"),
        ((link(r.title, f"risks/{r.id}.md"), codes(r.settings)) for r in risks),
    )
    yield from ("", "## Measures", "")
    yield from table(
        ("measure", "group", "nats, from most for health to most against"),
        ((link(m.title, f"measures/{m.id}.md"), m.group, pages.range_of(m)) for m in book.measures),
    )
    yield from ("", "## Evidence that rules share", "")
    yield from table(
        ("evidence", "rules"),
        (
            (
                link(e.title, f"evidence/{e.id}.md"),
                str(sum(any(c.shared == e.id for c in r.clauses) for r in book.rules)),
            )
            for e in book.evidence
        ),
    )
    yield from ("", "## Causes", "")
    yield from table(
        ("cause", "explains"),
        (
            (
                link(c.title, f"causes/{c.id}.md"),
                ", ".join(plain(s) for s in heaviest(c.explains)),
            )
            for c in book.causes
        ),
    )
    yield from ("", "## Remedies", "")
    yield from table(
        ("remedy", "changes", "risk", "cured"),
        (
            (link(r.title, f"remedies/{r.id}.md"), work(r), book.risk_of(r), pages.cure_rate(r))
            for r in book.remedies
        ),
    )
