"""Rules, measures, causes and remedies as text.

``gandoctor rules list | show`` and ``gandoctor explain``.
"""

from __future__ import annotations

import textwrap
from functools import partial
from typing import TYPE_CHECKING, Final

from gandoctor import api, meanings, rulebook, vocabulary
from gandoctor.diagnose.belief import before_counting, group_of
from gandoctor.errors import UsageError
from gandoctor.lexicon.book import squeezed
from gandoctor.mapping import table
from gandoctor.model.measured import Share
from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from gandoctor.api import Options
    from gandoctor.model.belief import Measure
    from gandoctor.model.rules import (
        Cause,
        Clause,
        Evidence,
        Reference,
        Remedy,
        Rule,
        Rulebook,
        Term,
    )

_ID: Final = late_pattern(r"[a-z]+(-[a-z0-9]+)+")


def listing(options: Options) -> str:
    """One line a rule, then one a measure, shared evidence, cause and remedy each."""
    book = rulebook.load(api.rule_folders(options))
    rules = [(r.id, r.symptom or r.kind, r.severity, r.status, r.title) for r in book.rules]
    causes = [(c.id, c.title) for c in book.causes]
    remedies = [(r.id, book.risk_of(r), r.title) for r in book.remedies]
    return "\n\n".join(
        [
            table(("rule", "symptom", "severity", "status", "title"), rules),
            table(("measure", "group", "title"), [(m.id, m.group, m.title) for m in book.measures]),
            table(("evidence that rules share", "title"), [(e.id, e.title) for e in book.evidence]),
            table(("cause", "title"), causes),
            table(("remedy", "risk", "title"), remedies),
        ]
    )


def page(name: str, options: Options) -> str:
    """Everything about one rule, measure, cause, remedy, symptom, role or setting.

    Any spelling and a title will do, and so does a tag or a key as programs write it.

    Raises
    ------
    UsageError
        There is none of that name.
    """
    book = rulebook.load(api.rule_folders(options))
    words = vocabulary.load(api.rule_folders(options))
    told: dict[str, Callable[[], str]] = {
        **{e.id: partial(_evidence, e, book) for e in book.evidence},
        **{m.id: partial(_measure, m, book) for m in book.measures},
        **{r.id: partial(_remedy, r, book) for r in book.remedies},
        **{c.id: partial(_cause, c, book) for c in book.causes},
        **{r.id: partial(_rule, r, book) for r in book.rules},
    }
    if name in told:
        return told[name]()
    if found := meanings.page(name, book, words):
        return found
    called = {
        squeezed(x.title): x.id
        for shelf in (book.evidence, book.measures, book.remedies, book.causes, book.rules)
        for x in shelf
    }
    called |= {squeezed(ident): ident for ident in told}
    if same := called.get(squeezed(name)):
        return told[same]()
    near = meanings.near(name, [*told, *meanings.names(words)])
    # Nobody logs under a name like those of rules: it is a slip of one.
    if not (near and _ID.fullmatch(name)) and (found := meanings.as_written(name, book, words)):
        return found
    hint = (
        f"did you mean {' or '.join(map(repr, near))}?"
        if near
        else "'gandoctor rules list' and 'gandoctor signals --known' name what there is"
    )
    what = f"there is no rule, measure, cause, remedy, symptom, role or setting {name!r}"
    raise UsageError(what, "", hint)


def _rule(rule: Rule, book: Rulebook) -> str:
    out = [
        f"{rule.title}  ({rule.id})",
        f"{rule.symptom or 'risk'}, severity {rule.severity}, {rule.status}",
        "",
    ]
    out += [*_wrapped(rule.why), "", "What it looks for"]
    out += [f"  {c.name}: {clause_text(c)}" for c in rule.clauses]
    out += [f"  fires when {rule.when.text}"]
    if rule.applies_to:
        out += [
            "  only where "
            + "; ".join(f"{k} is {' or '.join(v)}" for k, v in rule.applies_to.items())
        ]
    if rule.false_positives:
        out += ["", "When it is wrong"]
        out += [f"  {f.when}: {f.do}" for f in rule.false_positives]
    if rule.settings:
        out += ["", "What it points at", f"  {', '.join(rule.settings)}"]
    if rule.log_it:
        out += ["", "How to log what it needs", textwrap.indent(rule.log_it.rstrip(), "  ")]
    if rule.kind == "symptom":
        out += [
            "",
            "How well it does",
            *meanings.indented(f"on the zoo: {rule.measured or 'not yet measured'}"),
        ]
        out += (
            meanings.indented(f"stable because {rule.stable_because}")
            if rule.stable_because
            else []
        )
    weight = book.weights.rules.get(rule.id) or before_counting(rule)
    out += ["", "What it is worth, in nats that the run has failed"]
    out += [
        (
            f"  where it holds {weight.holds:+.2f}, where it is clear {weight.clear:+.2f}; group "
            f"{group_of(rule)}"
        )
    ]
    if weight.asked.n:
        out += [
            (
                f"  fitted on {weight.asked.n} runs; it held in {weight.fired.n}, "
                f"{weight.fired.k} of these had failed"
            )
        ]
    causes = [c for c in book.causes if rule.symptom in c.explains]
    if causes:
        out += ["", "What may be behind it"]
        out += [
            f"  {c.id}: {c.title}"
            for c in sorted(causes, key=lambda c: -c.explains[rule.symptom or ""])
        ]
    return "\n".join([*out, *_references(rule.references)])


def _measure(measure: Measure, book: Rulebook) -> str:
    fitted = book.weights.measures.get(measure.id) or measure.curve.nats
    out = [f"{measure.title}  ({measure.id})", f"measure, group {measure.group}", ""]
    out += [
        *_wrapped(measure.why),
        "",
        "What it measures",
        f"  {measure.value.text}, over {measure.over.text or 'all'}",
    ]
    if measure.applies_to:
        out += [
            "  only where "
            + "; ".join(f"{k} is {' or '.join(v)}" for k, v in measure.applies_to.items())
        ]
    out += ["", "What a value is worth, in nats that the run has failed"]
    out += [
        f"  {knot:>6g}  {nats:+.2f}" for knot, nats in zip(measure.curve.knots, fitted, strict=True)
    ]
    cases = book.weights.cases.get(measure.id)
    if cases is not None and cases.n:
        out += [f"  fitted on {cases.n} runs that had it; {cases.k} of these had failed"]
    sides = [
        (side, symptom)
        for side, symptom in (("low", measure.low), ("high", measure.high))
        if symptom
    ]
    out += [
        "",
        "What it speaks for",
        *(f"  where it is too {side}: {symptom}" for side, symptom in sides),
    ]
    return "\n".join([*out, *_references(measure.references)])


def _evidence(evidence: Evidence, book: Rulebook) -> str:
    out = [f"{evidence.title}  ({evidence.id})", "evidence that rules share", ""]
    out += [*_wrapped(evidence.why), "", "When it holds", f"  {clause_text(evidence.clause)}"]
    asked = [r for r in book.rules if any(c.shared == evidence.id for c in r.clauses)]
    out += ["", "Where it is asked", *(f"  {r.id}: {r.title}" for r in asked)]
    return "\n".join([*out, *_references(evidence.references)])


def _cause(cause: Cause, book: Rulebook) -> str:
    out = [f"{cause.title}  ({cause.id})", "", *_wrapped(cause.story), "", "It explains"]
    out += [f"  {s} ({w:+g})" for s, w in cause.explains.items()]
    for head, terms, sign in (
        ("Speaks for it", cause.for_, 1),
        ("Speaks against it", cause.against, -1),
    ):
        if terms:
            out += ["", head, *(f"  {_term_text(t)} ({sign * t.weight:+g})" for t in terms)]
    cures = [r for r in book.remedies if cause.id in r.treats]
    if cures:
        out += [
            "",
            "What cures it",
            *(f"  {r.id}: {r.title}" for r in sorted(cures, key=lambda r: -r.treats[cause.id])),
        ]
    told = (
        f"right in {cause.measured}" if cause.measured and cause.measured.n else "not yet measured"
    )
    out += ["", "How well it does", f"  named first on the zoo: {told}"]
    return "\n".join([*out, *_references(cause.references)])


def _remedy(remedy: Remedy, book: Rulebook) -> str:
    out = [
        f"{remedy.title}  ({remedy.id})",
        f"effort {remedy.effort}, risk {book.risk_of(remedy)}",
        "",
    ]
    out += _wrapped(remedy.why)
    if remedy.changes:
        out += ["", "What it changes"]
        for c in remedy.changes:
            own = f"{c.of or 'its own value'}"
            new = (
                f"to {c.to}"
                if c.to is not None
                else f"to {own} times {c.multiply if c.multiply is not None else 1:g}"
            )
            only = " (needed)" if c.need else ""
            only = " if the config names the word" if c.if_named else only
            out.append(f"  {c.setting} {new}{only}")
    if remedy.not_with:
        out += ["", "Not together with", *(f"  {r}" for r in remedy.not_with)]
    out += ["", "How to tell that it helped", *_wrapped(remedy.expect)]
    out += ["", "Treats", *(f"  {c}{_cured(remedy, c, book)}" for c in remedy.treats)]
    if remedy.snippet:
        out += ["", "In code", textwrap.indent(remedy.snippet.rstrip(), "  ")]
    return "\n".join([*out, *_references(remedy.references)])


def _cured(remedy: Remedy, cause: str, book: Rulebook) -> str:
    """What became of failed runs of the zoo that were trained again with it."""
    shares = [
        Share(*of.get(remedy.id, {}).get(cause, (0, 0))) for of in (book.measured, book.unseen)
    ]
    both = sum(shares, Share(0, 0))
    return f" (on the zoo, cured {both.k} of {both.n})" if both.n else ""


def clause_text(clause: Clause) -> str:
    """A clause as one line: test, window, amount."""
    parts = [clause.where.text] if clause.where else []
    parts += [f"{k} is {' or '.join(v)}" for k, v in clause.given.items()]
    text = " and ".join(parts)
    text += f", over {clause.over.text}" if clause.over.text else ""
    return text + (f", for {clause.for_.text}" if clause.for_.text else "")


def _term_text(term: Term) -> str:
    return clause_text(term.clause)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(" ".join(text.split()), meanings.WIDTH)


def _references(references: Sequence[Reference] | Iterable[Reference]) -> list[str]:
    lines = [f"  {r.says} {r.url}" for r in references]
    return ["", "References", *lines] if lines else []
