"""The report as a short comment: what a pull request's reader, or a coding agent, needs to act."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gandoctor.model.belief import in_per_cent
from gandoctor.reporters import believing
from gandoctor.reporters import wording as w
from gandoctor.reporters.charts.spark import losses
from gandoctor.reporters.markdown import MARK, TOLD, block, code, folded, listed_code, words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gandoctor.model.report import Report

NAME = "comment"
SUFFIX = ""

LIMIT: Final = 6_000
_MOST_ROWS: Final = 15
_MOST_CODE: Final = 1_500


def render(report: Report) -> str:
    """One run in at most 6,000 characters."""
    return _within(MARK + "\n", [report])


def render_many(reports: Sequence[Report]) -> str:
    """A table of the worst runs, and below it as many of them as fit into 6,000 characters."""
    order = sorted(reports, key=w.worst_first)
    rows = ["| run | verdict | cause |", "|---|---|---|"]
    for r in order[:_MOST_ROWS]:
        verdict = f"{TOLD[r.verdict]} {r.verdict}{_sure(r)}"
        rows.append(f"| {words(r.run.name, 60)} | {verdict} | {words(w.main_thing(r), 80)} |")
    if len(order) > _MOST_ROWS:
        rows.append(f"| {len(order) - _MOST_ROWS:,} more | | |")
    head = f"{MARK}\n**gandoctor**: {w.verdicts(reports)}\n\n" + "\n".join(rows) + "\n\n"
    return _within(head, [r for r in order if r.verdict in ("failing", "warning")])


def _sure(report: Report) -> str:
    return "" if report.p_failing is None else f", {in_per_cent(report.p_failing)}"


def _within(head: str, reports: Sequence[Report]) -> str:
    """As many runs as there is room for; of the first, shortened where it must be."""
    out = head
    for i, report in enumerate(reports):
        forms = ("\n".join(_run(report, patch=patch)) + "\n" for patch in (True, False))
        left = f"\n{w.count(len(reports) - i, 'run')} left out here for length.\n"
        part = next((p for p in forms if len(out) + len(p) + len(left) <= LIMIT), None)
        if part is None:
            return out + left
        out += part
    return out


def _run(report: Report, *, patch: bool) -> Iterator[str]:
    onset = w.since(report)
    since = f" since {w.at(onset, report.run.step_unit)}" if onset is not None else ""
    name = words(report.run.name, 60)
    yield f"#### {TOLD[report.verdict]} {name}: {report.verdict}{since}"
    yield ""
    yield words(w.headline(report), 300)
    if belief := believing.line(report):
        yield words(belief, 200)
    if patched := w.settings_from(report):
        yield words(patched, 300)
    yield ""
    yield from _sparklines(report)
    cases = w.cases(report)
    if cases:
        d = cases[0].diagnosis
        yield f"**{words(d.title, 120)}** ({d.confidence} confidence). {words(d.story, 300)}"
        yield ""
        for piece in w.strongest(cases[0].leading, 3):
            yield f"- {words(piece.text, 200)}"
        yield ""
        yield from _change(cases[0], whole=patch)
    for finding in w.orphans(report)[:3]:
        yield f"- {words(finding.title, 120)}, with no cause to name"
    if hint := w.to_map(report):
        yield f"- {words(hint, 300)}"
    if not cases:
        for x in report.log_next[:2]:
            yield from listed_code(f"- Log next: {words(x.title, 100)}", x.log_it)
    rivals = [_rival(case) for case in cases[1:4]]
    if rivals:
        yield from folded(w.count(len(rivals), "other possible cause"), rivals)
    yield ""


def _rival(case: w.Case) -> str:
    reason = max(case.diagnosis.reasons, key=lambda r: r.weight, default=None)
    why = f": {words(reason.text, 120)}" if reason else ""
    return f"- {words(case.diagnosis.title, 120)}{why}"


def _change(case: w.Case, *, whole: bool) -> Iterator[str]:
    p = case.patch
    if p is None:
        return
    yield f"**Try: {words(p.title, 120)}**" + (f" {code(' '.join(p.overrides))}"
                                               if p.overrides else "")  # fmt: skip
    yield ""
    text, language = (p.diff, "diff") if p.diff else (p.snippet or "", "python")
    if whole and text and len(text) <= _MOST_CODE:
        yield from block(text, language)


def _sparklines(report: Report) -> Iterator[str]:
    """The losses of D and G as a line of bars each."""
    shown = [f"{code(tag)} {line}" for _, tag, line in losses(report)]
    if shown:
        yield "  \n".join(shown)
        yield ""
