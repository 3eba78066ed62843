"""The rule book as markdown pages.

``gandoctor rules docs DIR``, one page a rule, measure, cause, remedy.

The pages say no more than the YAML files and the vocabulary do; they are written anew whenever
those change.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gandoctor import api, rulebook, vocabulary
from gandoctor.errors import UsageError
from gandoctor.files import writing
from gandoctor.lang.functions import FUNCTIONS
from gandoctor.model.measured import Share
from gandoctor.model.rules import SYMPTOMS
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
    precision,
    references,
    section,
    share_in_words,
    standing,
    table,
    term_in_words,
    work,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gandoctor.api import Options
    from gandoctor.model.belief import Measure
    from gandoctor.model.rules import Cause, Clause, Remedy, Rule, Rulebook

MADE_BY: Final = "<!-- Written by `gandoctor rules docs`; change the YAML file, not this page. -->"
ROOMS: Final = ("symptoms", "risks", "measures", "causes", "remedies")
ZOO: Final = "the project's zoo (`benchmarks/zoo/`)"
# Likeliest causes of a symptom that its rules' pages name with their remedies.
CAUSES_WITH_CURES: Final = 3
CURES_EACH: Final = 3
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
says stands below it; the braces are filled with the run's own numbers. Per cent are per cent of the steps, however
unevenly they were logged.

A piece about something that was not logged is neither true nor false but unknown. A rule that cannot be decided without
it is listed as not checked: silence is never a pass.

What a rule's answer and a measure are worth is said in nats, and so is what they add up to; docs/belief.md says how.
Weights of causes are log-odds in nats: +1 multiplies the odds of a cause by 2.7, -1 divides them by as much. A cause's
score is the sum of what counted, and the report shows every term.
"""
_NETWORKS: Final = {"_d": "D's", "_g": "G's"}


def write(folder: Path, options: Options) -> list[Path]:
    """Write all pages below a folder; pages of rules that are gone are taken away.

    Parameters
    ----------
    folder : Path
        Made where it is not there. Only its own folders and ``index.md`` are touched.
    options : Options
        Its `rules` are read beside the project's own.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    UsageError
        The folder cannot be written.
    """
    made = render(options)
    try:
        for room in ROOMS:
            if (folder / room).is_symlink():
                raise UsageError(
                    "is a link, and what it leads to may be anybody's",
                    str(folder / room),
                    "remove it",
                )
            (folder / room).mkdir(parents=True, exist_ok=True)
            for old in (folder / room).glob("*.md"):
                if f"{room}/{old.name}" not in made and _is_ours(old):
                    old.unlink()
        for name, text in made.items():
            writing.write_text(folder / name, text)
    except OSError as e:
        raise UsageError(
            f"cannot be written ({e.strerror or e})", str(folder), "give a folder for the pages"
        ) from None
    return [folder / name for name in made]


def _is_ours(page: Path) -> bool:
    if page.is_symlink() or not page.is_file():  # to open a pipe would be to wait for ever
        return False
    with page.open(encoding="utf-8", errors="replace") as lines:
        return lines.readline().strip() == MADE_BY


def render(options: Options) -> dict[str, str]:
    """Every page as text, by its path below the folder."""
    folders = api.rule_folders(options)
    book = rulebook.load(folders)
    log_it = {r.name: r.log_it for r in vocabulary.load(folders).roles.values()}
    pages = _Pages(book, _meanings(folders), log_it)
    made = {"index.md": pages.index()}
    made |= {f"{_room(r)}/{r.id}.md": pages.rule(r) for r in book.rules}
    made |= {f"measures/{m.id}.md": pages.measure(m) for m in book.measures}
    made |= {f"causes/{c.id}.md": pages.cause(c) for c in book.causes}
    made |= {f"remedies/{r.id}.md": pages.remedy(r) for r in book.remedies}
    return {name: f"{MADE_BY}\n" + "\n".join(lines).rstrip() + "\n" for name, lines in made.items()}


def _room(rule: Rule) -> str:
    return "symptoms" if rule.kind == "symptom" else "risks"


def _meanings(folders: Sequence[Path]) -> dict[str, str]:
    """What every name that a rule may use stands for."""
    found: dict[str, str] = {}
    for path in (p for f in folders for p in sorted((f / "vocabulary").glob("*.yaml"))):
        data = rulebook.read_yaml(path, f"vocabulary/{path.name}")
        lists: Mapping[str, Any] = data if isinstance(data, dict) else {}
        for name, body in (lists.get("facts") or {}).items():
            found[name] = _doc(body)
        for name, body in (lists.get("settings") or {}).items():
            found.setdefault(name, f"setting: {_doc(body)}")
            if body.get("per_network"):
                found |= {
                    name + end: f"setting: {_doc(body)}, {whose}"
                    for end, whose in _NETWORKS.items()
                }
        for name, body in (lists.get("roles") or {}).items():
            # A learning rate is a setting, and a signal where it was logged.
            found[name] = (
                f"{found[name]}; or the logged signal" if name in found else f"signal: {_doc(body)}"
            )
            found.setdefault(f"val_{name}", f"signal: {_doc(body)}, on held-out data")
    return found


def _doc(body: object) -> str:
    return str(body.get("doc", "")) if isinstance(body, dict) else ""


class _Pages:
    """The pages of one rule book."""

    def __init__(
        self, book: Rulebook, meanings: Mapping[str, str], log_it: Mapping[str, str]
    ) -> None:
        self.book = book
        self.meanings = meanings
        self.log_it = log_it

    # ------------------------------------------------ pages

    def index(self) -> Iterator[str]:
        yield INTRODUCTION.strip()
        for symptom in SYMPTOMS:
            rules = [r for r in self.book.rules if r.symptom == symptom]
            if rules:
                yield from ("", f"## Symptom: {plain(symptom)}", "")
                yield from table(
                    ("rule", "severity", "status", "failed, of the runs it fired on"),
                    (
                        (link(r.title, f"symptoms/{r.id}.md"), r.severity, r.status, precision(r))
                        for r in rules
                    ),
                )
        risks = [r for r in self.book.rules if r.kind == "risk"]
        yield from ("", "## Risks", "")
        yield from table(
            ("risk", "settings"),
            ((link(r.title, f"risks/{r.id}.md"), codes(r.settings)) for r in risks),
        )
        yield from ("", "## Measures", "")
        yield from table(
            ("measure", "group", "nats, from most for health to most against"),
            (
                (link(m.title, f"measures/{m.id}.md"), m.group, self.range_of(m))
                for m in self.book.measures
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
                for c in self.book.causes
            ),
        )
        yield from ("", "## Remedies", "")
        yield from table(
            ("remedy", "changes", "risk", "cured"),
            (
                (link(r.title, f"remedies/{r.id}.md"), work(r), r.risk, self.cure_rate(r))
                for r in self.book.remedies
            ),
        )

    def rule(self, rule: Rule) -> Iterator[str]:
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
            yield f"- **{clause.name}**: {clause_in_words(clause)}"
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

    def measure(self, measure: Measure) -> Iterator[str]:
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
        if rule.kind == "risk":
            yield (
                "A risk makes no claim about the run: it points at a setting or a gap. There is "
                "nothing to measure."
            )
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
        yield f"# {remedy.title}"
        yield ""
        yield f"`{remedy.id}` | remedy | effort: {remedy.effort} | risk: {remedy.risk}"
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
        yield from (f"- `{n}`: {self.meanings.get(n, '')}" for n in names)

    def logging(self, rule: Rule) -> Iterator[str]:
        used = dict.fromkeys(
            s for c in rule.clauses if c.where is not None for s in c.where.signals
        )
        return self.how_to_log(used, rule.log_it)

    def how_to_log(self, used: Iterable[str], log_it: str = "") -> Iterator[str]:
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
        return sorted(
            (r for r in self.book.remedies if cause.id in r.treats),
            key=lambda r: -r.treats[cause.id],
        )

    def rules_of(self, symptom: str) -> str:
        rules = [r for r in self.book.rules if r.symptom == symptom]
        return ", ".join(link(r.title, f"../symptoms/{r.id}.md") for r in rules)
