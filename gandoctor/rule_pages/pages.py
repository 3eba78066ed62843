"""One page a rule, measure, piece of shared evidence, cause, remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gandoctor.lang.functions import FUNCTIONS
from gandoctor.model.measured import Share
from gandoctor.rule_pages.weights import measure_page, worth
from gandoctor.rule_pages.words import (
    CALL,
    NAME,
    PLACE,
    capital,
    change_in_words,
    clause_in_words,
    codes,
    few,
    heaviest,
    limits_in_words,
    link,
    paragraphs,
    plain,
    references,
    section,
    share_in_words,
    standing,
    table,
    term_in_words,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gandoctor.model.belief import Measure
    from gandoctor.model.rules import Cause, Clause, Evidence, Remedy, Rule, Rulebook

ZOO: Final = "the project's zoo (`benchmarks/zoo/`)"
# Likeliest causes of a symptom that its rules' pages name with their remedies.
CAUSES_WITH_CURES: Final = 3
CURES_EACH: Final = 3


class Pages:
    """The pages of one rule book."""

    def __init__(
        self, book: Rulebook, meanings: Mapping[str, str], log_it: Mapping[str, str]
    ) -> None:
        self.book = book
        self.meanings = meanings
        self.log_it = log_it

    def rule(self, rule: Rule) -> Iterator[str]:
        """The page of a rule."""
        yield f"# {rule.title}"
        yield ""
        kind = (
            f"symptom: {plain(rule.symptom)}"
            if rule.symptom
            else "risk: alone it never makes a verdict"
        )
        since = f" since {rule.since}" if rule.since else ""
        yield f"`{rule.id}` | {kind} | severity {rule.severity} | {rule.status}{since}"
        yield from section("What it looks for")
        for clause in rule.clauses:
            yield f"- **{clause.name}**: {self.shared(clause)}{clause_in_words(clause)}"
            if clause.says:
                yield f'  - it then says "{clause.says.rstrip(".")}"'
        yield ""
        yield (
            f"It fires where `{rule.when.text}`."
            if len(rule.clauses) > 1
            else "It fires where that holds."
        )
        limits = limits_in_words(rule.applies_to)
        if limits:
            yield f"It is only asked where {limits}."
        yield from self.glossary(rule.clauses)
        yield from section("Why it matters")
        yield from paragraphs(rule.why)
        if rule.false_positives:
            yield from section("When it is wrong")
            yield from (f"- {capital(f.when)}: {f.do}." for f in rule.false_positives)
        yield from self.logging(rule)
        yield from self.cures(rule)
        yield from section("How well it does")
        yield from self.measured(rule)
        yield from worth(rule, self.book)
        yield from references(rule.references)

    def shared(self, clause: Clause) -> str:
        """A link to the evidence that a clause is; empty where it is the rule's own."""
        named = next((e for e in self.book.evidence if e.id == clause.shared), None)
        return f"{link(named.title, f'../evidence/{named.id}.md')}: " if named else ""

    def evidence(self, evidence: Evidence) -> Iterator[str]:
        """The page of what rules share."""
        yield f"# {evidence.title}"
        yield ""
        yield f"`{evidence.id}` | evidence that rules share"
        yield from section("When it holds")
        yield f"Where {clause_in_words(evidence.clause)}."
        if evidence.clause.says:
            yield ""
            yield f'It then says "{evidence.clause.says.rstrip(".")}".'
        yield from self.glossary([evidence.clause])
        yield from section("Why it matters")
        yield from paragraphs(evidence.why)
        signals = evidence.clause.where.signals if evidence.clause.where is not None else ()
        yield from self.how_to_log(signals)
        yield from section("Where it is asked")
        for rule in self.book.rules:
            if any(c.shared == evidence.id for c in rule.clauses):
                room = "symptoms" if rule.kind == "symptom" else "risks"
                yield f"- {link(rule.title, f'../{room}/{rule.id}.md')}"
        yield from references(evidence.references)

    def measure(self, measure: Measure) -> Iterator[str]:
        """The page of a measure."""
        names = [n for n in measure.value.names if n in self.meanings]
        called = dict.fromkeys(
            n.name for n in measure.value.tree.walk() if n.op == "call" and n.name in FUNCTIONS
        )
        return measure_page(
            measure, self.book, self.meant(names, called), self.how_to_log(measure.value.signals)
        )

    def range_of(self, measure: Measure) -> str:
        """The nats that a measure may give."""
        nats = self.book.weights.measures.get(measure.id) or measure.curve.nats
        return f"{min(nats):+.2f} to {max(nats):+.2f}"

    def measured(self, rule: Rule) -> Iterator[str]:
        """How often a rule was right, on each set of runs."""
        if rule.kind == "risk":
            yield ("A risk names nothing that went wrong: it points at a setting or a gap.")
            return
        told = rule.measured
        if told is None or not told.zoo.runs:
            yield "Not yet measured."
        else:
            runs = (
                ("train split", told.train),
                ("test split", told.test),
                ("fresh seeds", told.fresh),
                ("together", told.zoo),
                ("sample runs", told.samples),
            )
            yield (
                f"Counted on {told.zoo.runs} trainings of {ZOO}, whose outcome was measured on "
                "held-out data."
            )
            yield ""
            yield from table(
                (
                    "runs",
                    "it fired on",
                    "of these, failed",
                    "of these, with its symptom",
                    "of all with its symptom, found",
                ),
                (
                    (f"{n}, {r.runs}", str(r.fired), *map(str, (r.precision, r.symptom, r.recall)))
                    for n, r in runs
                    if r.runs
                ),
            )
            if told.zoo.had > told.zoo.could:
                silent = told.zoo.had - told.zoo.could
                yield ""
                yield (
                    f"In {silent} of the {told.zoo.had} runs with its symptom too little was "
                    "logged to decide it."
                )
        yield ""
        yield standing(rule)

    def cause(self, cause: Cause) -> Iterator[str]:
        """The page of a cause."""
        yield f"# {cause.title}"
        yield ""
        suspected = (
            "may be suspected from symptoms alone" if cause.common else "needs a reason of its own"
        )
        yield f"`{cause.id}` | cause | {suspected} | starts at {cause.prior:+g}"
        yield from section("The story")
        yield from paragraphs(cause.story)
        yield from section("What it explains")
        for symptom in heaviest(cause.explains):
            yield f"- {plain(symptom)} ({cause.explains[symptom]:+g}): {self.rules_of(symptom)}"
        for head, terms, sign in (
            ("What speaks for it", cause.for_, 1),
            ("What speaks against it", cause.against, -1),
        ):
            if terms:
                yield from section(head)
                yield from (term_in_words(t, sign) for t in terms)
        yield from self.glossary([t.clause for t in (*cause.for_, *cause.against)])
        if cause.settings:
            yield from section("The settings it blames")
            yield from self.names(cause.settings)
        deeper = [c for c in self.book.causes if c.id in cause.deeper_than]
        if deeper:
            yield from section("What it goes before")
            yield "Where both are about as likely, it is named before"
            yield ""
            yield from (f"- {link(c.title, f'{c.id}.md')}" for c in deeper)
        cures = self.remedies_of(cause)
        if cures:
            yield from section("What cures it")
            yield from (
                f"- {link(r.title, f'../remedies/{r.id}.md')} (weight {r.treats[cause.id]:g})"
                for r in cures
            )
        yield from section("How well it does")
        if cause.measured and cause.measured.n:
            yield (
                f"Named first in {cause.measured.n} runs of {ZOO}; the settings it blamed had been "
                "put wrong in "
                f"{cause.measured}."
            )
        else:
            yield "Not yet measured: it was not named first in any run of the zoo."
        yield from references(cause.references)

    def remedy(self, remedy: Remedy) -> Iterator[str]:
        """The page of a remedy."""
        yield f"# {remedy.title}"
        yield ""
        risk = self.book.risk_of(remedy)
        yield f"`{remedy.id}` | remedy | effort: {remedy.effort} | risk: {risk}"
        if remedy.why:
            yield from section("Why it helps")
            yield from paragraphs(remedy.why)
        if remedy.changes:
            yield from section("What it changes")
            yield from (f"- {change_in_words(c)}" for c in remedy.changes)
        if remedy.snippet:
            yield from section("In code")
            yield from ("```python", remedy.snippet.rstrip(), "```")
        if remedy.only_if:
            yield from section("When it is offered")
            yield from (f"- {clause_in_words(c)}" for c in remedy.only_if)
        yield from self.glossary(remedy.only_if)
        excluded = [
            r for r in self.book.remedies if r.id in remedy.not_with or remedy.id in r.not_with
        ]
        if excluded:
            yield from section("What it must not be combined with")
            yield from (f"- {link(r.title, f'{r.id}.md')}" for r in excluded)
        yield from section("How to tell that it helped")
        yield from paragraphs(remedy.expect)
        yield from section("What it treats")
        causes = [c for c in self.book.causes if c.id in remedy.treats]
        for cause in sorted(causes, key=lambda c: -remedy.treats[c.id]):
            yield (
                f"- {link(cause.title, f'../causes/{cause.id}.md')} (weight "
                f"{remedy.treats[cause.id]:g})"
            )
        yield from section("How often it cured")
        yield from self.cured(remedy)
        yield from references(remedy.references)

    def cured(self, remedy: Remedy) -> Iterator[str]:
        """What became of failed runs that were trained again with it."""
        tuned, unseen = (of.get(remedy.id, {}) for of in (self.book.measured, self.book.unseen))
        if not (tuned or unseen):
            yield "Not yet measured: no failed run of the zoo had it as its first patch."
            return
        yield (
            f"Failed runs of {ZOO} that had it as their first patch, trained again; the "
            "majority "
            "of seeds decides."
        )
        yield ""
        shares = {
            c: [Share(*of.get(c, (0, 0))) for of in (tuned, unseen)]
            for c in sorted({*tuned, *unseen})
        }
        titles = {c.id: c.title for c in self.book.causes}
        rows = [
            (link(titles[c], f"../causes/{c}.md"), *map(share_in_words, of))
            for c, of in shares.items()
        ]
        if len(rows) > 1:
            rows.append(
                (
                    "all",
                    *(
                        share_in_words(sum(of, Share(0, 0)))
                        for of in zip(*shares.values(), strict=True)
                    ),
                )
            )
        yield from table(("cause", "cured, train split", "cured, test split"), rows)

    # ------------------------------------------------ parts

    def cure_rate(self, remedy: Remedy) -> str:
        """Cured of tried, over all causes and both splits."""
        every = [
            Share(*c)
            for of in (self.book.measured, self.book.unseen)
            for c in of.get(remedy.id, {}).values()
        ]
        return few(sum(every, Share(0, 0)))

    def glossary(self, clauses: Iterable[Clause]) -> Iterator[str]:
        """The names and functions that some clauses use."""
        names: dict[str, None] = {}
        called: dict[str, None] = {}
        for clause in clauses:
            names |= dict.fromkeys(clause.given)
            for text in PLACE.findall(clause.says):
                names |= dict.fromkeys(n for n in NAME.findall(text) if n in self.meanings)
                called |= dict.fromkeys(n for n in CALL.findall(text) if n in FUNCTIONS)
            if clause.where is not None:
                names |= dict.fromkeys(n for n in clause.where.names if n in self.meanings)
                called |= {
                    n.name: None
                    for n in clause.where.tree.walk()
                    if n.op == "call" and n.name in FUNCTIONS
                }
        yield from self.meant(names, called)

    def meant(self, names: Iterable[str], called: Iterable[str]) -> Iterator[str]:
        """What names and functions stand for."""
        names, called = list(names), list(called)
        if names or called:
            yield from ("", "The names and functions in it:", "")
            yield from self.names(names)
            yield from (
                f"- `{FUNCTIONS[n].usage}`: {FUNCTIONS[n].doc.replace('``', '`')}" for n in called
            )

    def names(self, names: Iterable[str]) -> Iterator[str]:
        """What some names stand for."""
        yield from (f"- `{n}`: {self.meanings.get(n, '')}" for n in names)

    def logging(self, rule: Rule) -> Iterator[str]:
        """How to log what a rule needs."""
        used = dict.fromkeys(
            s for c in rule.clauses if c.where is not None for s in c.where.signals
        )
        return self.how_to_log(used, rule.log_it)

    def how_to_log(self, used: Iterable[str], log_it: str = "") -> Iterator[str]:
        """Lines of code and advice that log some signals, or what the rule itself says of that."""
        said = log_it.splitlines() or [self.log_it[s] for s in used if self.log_it.get(s)]
        advice = [line for line in dict.fromkeys(said) if line.startswith("log ")]
        code = [line for line in dict.fromkeys(said) if line and line not in advice]
        if not (advice or code):
            return
        yield from section("How to log what it needs")
        yield from (f"- {capital(line)}." for line in advice)
        if advice and code:
            yield ""
        if code:
            yield from ("```python", *code, "```")

    def cures(self, rule: Rule) -> Iterator[str]:
        """What may be behind a rule's symptom, and what cures it."""
        if rule.kind == "risk":
            yield from section("What it points at")
            yield (
                f"The settings {codes(rule.settings)}."
                if rule.settings
                else "What the log lacks, not a setting."
            )
            return
        causes = [c for c in self.book.causes if rule.symptom in c.explains]
        causes.sort(key=lambda c: -c.explains[rule.symptom or ""])
        if not causes:
            return
        yield from section("What may be behind it, and what cures that")
        for cause in causes[:CAUSES_WITH_CURES]:
            yield f"- {link(cause.title, f'../causes/{cause.id}.md')}"
            yield from (
                f"  - {link(r.title, f'../remedies/{r.id}.md')}"
                for r in self.remedies_of(cause)[:CURES_EACH]
            )
        rest = [link(c.title, f"../causes/{c.id}.md") for c in causes[CAUSES_WITH_CURES:]]
        if rest:
            yield f"- less often: {'; '.join(rest)}"
        yield ""
        yield "Which of them it is, the settings and the other findings decide."

    def remedies_of(self, cause: Cause) -> list[Remedy]:
        """What treats a cause, best first."""
        return sorted(
            (r for r in self.book.remedies if cause.id in r.treats),
            key=lambda r: -r.treats[cause.id],
        )

    def rules_of(self, symptom: str) -> str:
        """Links to the rules of a symptom."""
        rules = [r for r in self.book.rules if r.symptom == symptom]
        return ", ".join(link(r.title, f"../symptoms/{r.id}.md") for r in rules)
