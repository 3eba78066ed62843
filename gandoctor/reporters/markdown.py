"""The report as GitHub or GitLab Markdown, for a pull request's comment or a job's summary."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gandoctor.patterns import late_pattern
from gandoctor.reporters import believing
from gandoctor.reporters import wording as w

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gandoctor.model.comparison import Comparison
    from gandoctor.model.probing import ProbeNote, TrialsNote
    from gandoctor.model.report import Prescription, Report

NAME = "markdown"
SUFFIX = ".md"

# A comment on GitHub takes 65,536 characters; room is left for what a workflow puts around it.
LIMIT: Final = 60_000
MARK: Final = "<!-- gandoctor -->"  # by which a workflow finds its own comment again
_MOST_ROWS: Final = 200
_MOST_EVIDENCE: Final = 6
_MOST_REASONS: Final = 4
_MOST_LISTED: Final = 60
_MOST_SPAN: Final = 500
_MOST_CODE: Final = 6_000
TOLD: Final = {
    "failing": ":x:",
    "warning": ":warning:",
    "inconclusive": ":grey_question:",
    "healthy": ":white_check_mark:",
}


def render(report: Report) -> str:
    """One run: verdict, causes with evidence, patches; folded, risks and what was not checked."""
    return _within(MARK + "\n", [report])


def render_many(reports: Sequence[Report]) -> str:
    """A table of verdicts, the worst first; below it every run that is not healthy."""
    order = sorted(reports, key=lambda r: w.VERDICTS.index(r.verdict))
    rows = ["| run | verdict | since | cause |", "|---|---|---|---|"]
    for r in order[:_MOST_ROWS]:
        onset = w.since(r)
        since = w.at(onset, r.run.step_unit) if onset is not None else ""
        what = r.diagnoses[0].title if r.diagnoses else ""
        rows.append(
            f"| {words(r.run.name, 80)} | {TOLD[r.verdict]} {r.verdict} | {since} | "
            f"{words(what, 120)} |"
        )
    if len(order) > _MOST_ROWS:
        rows.append(f"| {len(order) - _MOST_ROWS:,} more | | | |")
    head = f"{MARK}\n### gandoctor: {w.count(len(reports), 'run')}\n\n" + "\n".join(rows) + "\n\n"
    return _within(head, [r for r in order if r.verdict != "healthy"])


def render_comparison(c: Comparison) -> str:
    """A comparison, for a pull request's comment."""
    from gandoctor.reporters import comparison as say

    out = [
        MARK,
        f"### {words(c.before.name, 80)} → {words(c.after.name, 80)}: {say.headline(c).lower()}",
        "",
    ]
    out += [f"- {words(x)}" for x in c.why]
    out += ["", "| | before | after | |", "|---|---:|---:|---|"]
    out += [f"| {words(r.name, 80)} | {r.before} | {r.after} | {r.said} |" for r in say.rows(c)]
    out += ["", f"<sub>{say.table_note()}</sub>", ""]
    if c.causes:
        out += ["**Causes**", ""]
        out += [
            f"- {x.fate}: {words(x.title)}" + (f" ({words(x.because)})" if x.because else "")
            for x in c.causes
        ]
        out.append("")
    if c.settings:
        out += ["**Settings that differ**", "", "| key | before | after |", "|---|---|---|"]
        # A bar ends a cell even in a code span.
        out += [
            f"| {' | '.join(code(x).replace('|', '&#124;') for x in row)} |"
            for row in say.changed(c)
        ]
        out.append("")
    if points := say.best_points(c):
        out += ["**Best points**", "", *(f"- {words(x)}" for x in points), ""]
    out += ["**Keep in mind**", "", *(f"- {words(x)}" for x in c.cautions), ""]
    out.append(f"<sub>{w.made_with(c.version, c.rules_digest)}</sub>")
    return "\n".join(out) + "\n"


def _within(head: str, reports: Sequence[Report]) -> str:
    """As many of the runs as the limit allows, the last of them without its lists.

    What is left out is said.
    """
    out = head
    for i, report in enumerate(reports):
        lengths = ("\n".join(_run(report, lists=lists)) + "\n" for lists in (True, False))
        part = next((part for part in lengths if len(out) + len(part) < LIMIT), None)
        if part is None:
            return (
                out
                + f"\n{w.count(len(reports) - i, 'run')} left out here for length; the HTML report "
                "has all of it.\n"
            )
        out += part
    return out


def _run(report: Report, *, lists: bool) -> Iterator[str]:
    onset = w.since(report)
    since = f" since {w.at(onset, report.run.step_unit)}" if onset is not None else ""
    yield f"#### {TOLD[report.verdict]} {words(report.run.name)}: {report.verdict}{since}"
    yield ""
    yield words(w.headline(report))
    yield ""
    if belief := believing.line(report):
        yield words(belief)
        yield ""
    if course := "; ".join(f"{when} {what}" for when, what in w.course(report)):
        yield words(f"Course: {course}.")
        yield ""
    if report.probe is not None:
        yield from _probe(report, report.probe)
    if report.trials is not None:
        yield from _trials(report, report.trials)
    hint = w.to_map(report)
    if hint:
        yield f"- {words(hint)}"
    for x in report.log_next:
        yield from listed_code(f"- Log next: {words(x.title)} ({words(x.reason)})", x.log_it)
    if report.log_next or hint:
        yield ""
    for i, case in enumerate(w.cases(report)):
        yield from _case(case, first=i == 0)
    for finding in w.orphans(report):
        yield f"**{words(finding.title)}** ({finding.confidence} confidence), with no cause to name"
        yield ""
        for piece in w.strongest([finding], _MOST_EVIDENCE):
            yield f"- {words(piece.text)}"
        yield ""
    if lists and report.risks:
        rows = [f"- **{words(x.title)}** {words(x.text)}" for x in report.risks]
        yield from folded(w.count(len(rows), "risk"), rows)
    if lists and report.not_checked:
        rows = [
            "\n".join(listed_code(f"- {words(x.title)}: {words(x.reason)}", x.log_it))
            for x in report.not_checked
        ]
        yield from folded(
            f"{w.count(len(rows), 'rule')} not checked, and how to log what is missing", rows
        )
    said = [f"- {code(c.path)}: {words(x)}" for c in report.checkpoints for x in c.said]
    if lists and said:
        yield from folded("What the checkpoints tell", said)
    for sentence in report.preferences:
        yield f"<sub>Preferences: {words(sentence)}</sub>"
        yield ""
    clear = w.count(len(report.clear), "rule")
    yield (
        f"<sub>{clear} clear. gandoctor {words(report.version)}, rules "
        f"{words(report.rules_digest)}</sub>"
    )
    yield ""


def _probe(report: Report, probe: ProbeNote) -> Iterator[str]:
    from gandoctor.reporters import probing

    yield f"**Probe: {words(probing.headline(report, probe))}**"
    yield ""
    yield words(f"{probing.made(probe)}.")
    yield ""
    for outcome, title, why in probing.tested(probe):
        yield f"- {outcome}: {words(title)} ({words(why)})"
    for note in probe.notes:
        yield f"- {words(note)}"
    yield ""
    rows = ["| figure | value | |", "|---|---:|---|"]
    rows += [f"| {words(name)} | {value} | {words(text)} |" for name, value, text in
             probing.rows(probe)]  # fmt: skip
    yield from folded(w.count(len(rows) - 2, "figure"), rows)


def _trials(report: Report, trials: TrialsNote) -> Iterator[str]:
    from gandoctor.reporters import trying

    yield f"**Trials: {words(trying.headline(report, trials))}**"
    yield ""
    yield words(f"{trying.made(trials)}; {trying.CAUTION}.")
    yield ""
    yield "| arm | change | median and range of seeds | outcome |"
    yield "|---|---|---|---|"
    for row in trying.rows(trials):
        yield f"| {' | '.join(words(x) for x in row)} |"
    yield ""
    for note in trials.notes:
        yield f"- {words(note)}"
    if trials.notes:
        yield ""


def _case(case: w.Case, *, first: bool) -> Iterator[str]:
    d = case.diagnosis
    lead = "Most likely cause" if first else "Another possible cause"
    yield f"**{lead}: {words(d.title)}** ({d.severity} severity, {d.confidence} confidence)"
    yield ""
    if first:
        yield words(d.story)
        yield ""
        for piece in w.strongest(case.leading, _MOST_EVIDENCE):
            yield f"- {words(piece.text)}"
    for reason in sorted(d.reasons, key=lambda r: -abs(r.weight))[:_MOST_REASONS]:
        yield f"- {'for' if reason.weight >= 0 else 'against'} it: {words(reason.text)}"
    yield ""
    if case.patch is not None:
        yield from _patch(case.patch)
    if case.consequences and first:
        yield f"It explains, too: {'; '.join(words(f.title) for f in case.consequences)}."
        yield ""


def _patch(p: Prescription) -> Iterator[str]:
    yield f"**Try: {words(p.title)}** (risk: {words(p.risk)})"
    yield ""
    if p.diff:
        yield from block(p.diff, "diff")
    if p.overrides:
        yield f"On the command line: {code(' '.join(p.overrides))}"
        yield ""
    if p.snippet:
        yield from block(p.snippet, "python")
    if p.expect:
        yield f"How to tell that it helped: {words(p.expect)}"
        yield ""


def folded(summary: str, rows: Sequence[str]) -> Iterator[str]:
    """A list that is closed until somebody opens it."""
    yield f"<details><summary>{summary}</summary>"
    yield ""
    yield from rows[:_MOST_LISTED]
    if len(rows) > _MOST_LISTED:
        yield f"- and {len(rows) - _MOST_LISTED:,} more"
    yield ""
    yield "</details>"
    yield ""


# What becomes a mention, a reference, an emoji or a link by itself; a zero-width space behind its
# first sign stops it.
_ALIVE: Final = late_pattern(r"(@|#|GH-|:)(?=[\w+-])|(https?:|www)(?=[./])", re.IGNORECASE)
_SIGNS: Final = late_pattern(r"([\\`*_\[\]|~$])")


def words(text: str, most: int = 500) -> str:
    """Untrusted text as one line of plain words.

    No markup, link, mention, reference or emoji comes out of it.
    """
    text = w.plain(text)
    text = text if len(text) <= most else text[: most - 3] + "..."
    text = _SIGNS.sub(r"\\\1", text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))
    text = _ALIVE.sub(lambda m: m[0] + "\u200b", text)
    # No list, heading or rule at the start of a line.
    return re.sub(r"^(\s*)([-+=#]|\d+(?=[.)]))", r"\1&#8203;\2", text)


def code(text: str) -> str:
    """Untrusted text as a code span."""
    text = w.plain(text)[:_MOST_SPAN]
    if not text:
        return ""
    fence = "`" * (1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    return f"{fence} {text} {fence}" if "`" in text else f"{fence}{text}{fence}"


def listed_code(lead: str, text: str) -> Iterator[str]:
    """An item of a list that ends with code: one line of it within the item's, several below it."""
    lines = w.plain_lines(text)
    if len(lines) <= 1:
        yield f"{lead}: {code(text)}" if lines else lead
        return
    yield f"{lead}:"
    yield ""
    yield from (f"  {line}".rstrip() for line in block(text, "python"))


def block(text: str, language: str) -> Iterator[str]:
    """Untrusted text as a fenced block; the fence is longer than any in the text."""
    lines = [w.visible(line, keep="\t") for line in re.split(r"\r?\n", text.rstrip("\r\n"))]
    kept: list[str] = []
    room = _MOST_CODE
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    yield f"{fence}{language}"
    yield from kept
    yield fence
    if len(kept) < len(lines):
        yield f"({w.count(len(lines) - len(kept), 'more line')}: see the HTML report)"
    yield ""
