"""A terminal summary: what is wrong, since when, why, what to change.

The rest is counted, not shown.
"""

from __future__ import annotations

import shutil
import sys
import textwrap
from typing import TYPE_CHECKING

from gandoctor.reporters import believing, charts
from gandoctor.reporters import wording as w

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gandoctor.model.comparison import Comparison
    from gandoctor.model.probing import ProbeNote, TrialsNote
    from gandoctor.model.report import Evidence, Prescription, Report
    from gandoctor.reporters.comparison import Row

NAME = "text"
SUFFIX = ".txt"
_LABEL = 7
_DIFF_LINES = 8
_COLOURS = {"failing": "1;31", "warning": "1;33", "inconclusive": "1;36", "healthy": "1;32",
            "label": "2", "title": "1", "+": "32", "-": "31", "dim": "2",
            "better": "1;32", "worse": "1;31", "no clear change": "1;36"}  # fmt: skip
_COMPARED = 18  # columns of a comparison's labels
_MOST_SETTINGS = 12  # of a comparison


def render(
    report: Report, *, colour: bool = False, width: int | None = None, blocks: bool | None = None
) -> str:
    """The summary of one run, at most about 25 lines.

    Parameters
    ----------
    colour : bool
        Whether to use ANSI colours.
    width : int, optional
        Columns to fill; by default those of the terminal, at most 100.
    blocks : bool, optional
        Whether the small curves, made of block characters, are shown; by default where stdout takes
        Unicode.
    """
    page = _Page(colour, width, blocks)
    return "\n".join(line.rstrip() for line in page.run(report)) + "\n"


def render_many(
    reports: Sequence[Report],
    *,
    colour: bool = False,
    width: int | None = None,
    blocks: bool | None = None,
) -> str:
    """A table: one line a run, the worst first."""
    page = _Page(colour, width, blocks)
    return "\n".join(line.rstrip() for line in page.table(reports)) + "\n"


def render_comparison(c: Comparison, *, colour: bool = False, width: int | None = None) -> str:
    """A comparison: the answer, why, the table of before and after, what changed."""
    page = _Page(colour, width, None)
    return "\n".join(line.rstrip() for line in page.comparison(c)) + "\n"


class _Page:
    def __init__(self, colour: bool, width: int | None, blocks: bool | None) -> None:
        self.colour = colour
        self.blocks = (
            "utf" in (getattr(sys.stdout, "encoding", None) or "").lower()
            if blocks is None
            else blocks
        )
        self.width = max(
            40, width if width is not None else min(100, shutil.get_terminal_size((88, 24)).columns)
        )

    # --- one run ---

    def run(self, report: Report) -> Iterator[str]:
        onset = w.since(report)
        since = f" since {w.at(onset, report.run.step_unit)}" if onset is not None else ""
        name = _short(
            w.plain(report.run.name), max(8, self.width - len(report.verdict + since) - 2)
        )
        yield (
            f"{self.paint(name, 'title')}: "
            f"{self.paint(report.verdict.upper(), report.verdict)}{since}"
        )
        yield from self.wrapped(w.headline(report), lines=2)
        if belief := believing.line(report):
            yield from self.wrapped(belief, lines=1, paint="dim")
        yield from self.wrapped(self.read(report), lines=2, paint="dim")
        yield from self.wrapped(self.lost(report), lines=2, paint="dim")
        yield from self.wrapped(w.settings_from(report), lines=2, paint="dim")
        if course := "; ".join(f"{when} {what}" for when, what in w.course(report)):
            yield from self.wrapped(f"course: {course}", lines=4, paint="dim")
        for sentence in report.preferences:
            yield from self.wrapped(f"preferences: {sentence}", lines=3, paint="dim")
        if report.probe is not None:
            yield from self.probe(report, report.probe)
        if report.trials is not None:
            yield from self.trials(report, report.trials)
        cases = w.cases(report)
        if cases:
            yield from self.case(report, cases[0])
        elif orphans := w.orphans(report):
            yield ""
            yield from self.labelled(
                "found", f"{orphans[0].title} ({orphans[0].confidence} confidence)", "title"
            )
            yield from self.evidence(report, w.strongest(orphans))
        if hint := w.to_map(report):
            yield ""
            yield from self.labelled("map it", hint)
        if report.verdict == "inconclusive":
            yield from self.to_log(report)
        yield ""
        yield from self.wrapped(self.rest(report), lines=3, paint="dim")

    def read(self, report: Report) -> str:
        run = report.run
        said = [w.span(run.first_step, run.last_step, run.step_unit), w.game(report)]
        said.append(w.count(len(report.signals), "signal"))
        if report.unmapped:
            said.append(f"{len(report.unmapped)} not placed")
        return "read: " + "; ".join(said)

    def lost(self, report: Report) -> str:
        """What could not be read, by file; the HTML report has the rest."""
        parts = [
            f"{_short(w.plain(s.path), 40)} ({s.lost})"
            for s in report.run.sources
            if s.lost is not None
        ]
        if len(parts) > 2:
            parts[2:] = [f"of {w.count(len(parts) - 2, 'more file')}"]
        return "lost: " + "; ".join(parts) if parts else ""

    def case(self, report: Report, case: w.Case) -> Iterator[str]:
        yield ""
        yield from self.labelled(
            "cause", f"{case.diagnosis.title} ({case.diagnosis.confidence} confidence)", "title"
        )
        yield from self.evidence(report, w.strongest(case.leading))
        if case.patch is not None:
            yield ""
            yield from self.patch(case.patch, report.prescriptions)

    def probe(self, report: Report, probe: ProbeNote) -> Iterator[str]:
        from gandoctor.reporters import probing

        yield ""
        yield from self.labelled("probe", probing.headline(report, probe), "title")
        yield from self.labelled("", probing.made(probe), "dim")
        if told := probing.first(probe):
            yield from self.labelled("", told)
        for outcome, title, why in probing.tested(probe):
            yield from self.labelled("", f"{outcome}: {title} ({why})")
        for note in probe.notes:
            yield from self.labelled("", note, "dim")

    def trials(self, report: Report, trials: TrialsNote) -> Iterator[str]:
        from gandoctor.reporters import trying

        yield ""
        yield from self.labelled("trials", trying.headline(report, trials), "title")
        yield from self.labelled("", trying.made(trials), "dim")
        for name, change, said, outcome in trying.rows(trials):
            told = f" ({change})" if change else ""
            yield from self.labelled("", f"{name}{told}: {said}; {outcome}", lines=4)
        for note in (*trials.notes, trying.CAUTION):
            yield from self.labelled("", note, "dim")

    def evidence(self, report: Report, pieces: Sequence[Evidence]) -> Iterator[str]:
        drawn: set[str] = set()
        for piece in pieces:
            yield from self.labelled("", piece.text, lines=3)
            curve = "" if piece.signal in drawn else self.curve(report, piece.signal)
            drawn.add(piece.signal)
            if curve:
                yield " " * _LABEL + curve

    def curve(self, report: Report, tag: str) -> str:
        series = report.series.get(tag)
        if not self.blocks or series is None or len(series.steps) < 8:
            return ""
        room = self.width - _LABEL
        caption = f"  {_short(w.plain(tag), room // 3)}"
        return charts.sparkline(series, min(48, room - len(caption))) + self.paint(caption, "dim")

    def patch(self, patch: Prescription, every: Sequence[Prescription]) -> Iterator[str]:
        """One patch, with its number among all: `gandoctor patch` counts them so."""
        number = next(i for i, p in enumerate(every, 1) if p is patch)
        of = f"; {number} of {len(every)}" if len(every) > 1 else ""
        yield from self.labelled("patch", f"{patch.title} (risk: {patch.risk}{of})", "title")
        margin = " " * _LABEL
        for line in _essence(patch.diff) if patch.diff else ():
            kind = line[:1] if not line.startswith(("---", "+++")) else "dim"
            yield margin + self.paint(_short(line, self.width - _LABEL), kind)
        if patch.overrides:
            lead = "or on the command line: " if patch.diff else "on the command line: "
            yield from self.labelled("", lead + " ".join(patch.overrides), lines=2)
        if not patch.diff and not patch.overrides and patch.snippet:
            for line in w.plain_lines(patch.snippet)[:_DIFF_LINES]:
                yield margin + _short(line, self.width - _LABEL)

    def to_log(self, report: Report) -> Iterator[str]:
        hints = list(
            dict.fromkeys(n.log_it for n in (*report.log_next, *report.not_checked) if n.log_it)
        )[:3]
        if hints:
            yield ""
        for i, hint in enumerate(hints):
            lead = self.paint(f"{'' if i else 'log it':{_LABEL}}", "label")
            # Code keeps its lines, and is there to be copied: nothing of it is cut or filled.
            for line in w.plain_lines(hint):
                yield lead + line
                lead = " " * _LABEL

    def rest(self, report: Report) -> str:
        more = [w.count(n, word) for n, word in (
            (len(report.diagnoses) - 1, "more possible cause"),
            (sum(f.explained_by is not None for f in report.findings), "consequence"),
            (len(report.risks), "risk"),
        ) if n > 0]  # fmt: skip
        more.append(f"{w.count(len(report.clear), 'rule')} clear")
        more.append(f"{w.count(len(report.not_checked), 'rule')} not checked")
        return ", ".join(more) + ": all of it, with plots, in the HTML report (--output FILE.html)"

    # --- a folder of runs ---

    def table(self, reports: Sequence[Report]) -> Iterator[str]:
        order = sorted(reports, key=lambda r: w.VERDICTS.index(r.verdict))
        name_width = min(max((len(w.plain(r.run.name)) for r in order), default=3), self.width // 3)
        name_width = max(name_width, len("run"))
        yield self.paint(f"{'run':{name_width}}  {'verdict':12}  {'since':>9}  cause", "dim")
        for r in order:
            onset = w.since(r)
            since = f"{onset:,}" if onset is not None else ""
            what = w.main_thing(r)
            room = self.width - name_width - 27
            name = f"{_short(w.plain(r.run.name), name_width):{name_width}}"
            yield (
                f"{name}  {self.paint(f'{r.verdict:12}', r.verdict)}  {since:>9}  "
                f"{_short(w.plain(what), room)}"
            )
        yield ""
        yield f"{w.count(len(reports), 'run')}: {w.verdicts(reports) or 'nothing to say'}"
        for sentence in w.preferences(reports):
            yield from self.wrapped(f"preferences: {sentence}", lines=3, paint="dim")

    # --- two runs ---

    def comparison(self, c: Comparison) -> Iterator[str]:
        from gandoctor.reporters import comparison as say

        most = self.width // 2 - 12
        names = " -> ".join(_short(w.plain(side.name), most) for side in (c.before, c.after))
        yield f"{self.paint(names, 'title')}: {self.paint(say.headline(c).upper(), c.answer)}"
        for reason in c.why:
            yield from self.noted("", reason)
        yield ""
        yield from self.before_and_after(list(say.rows(c)))
        yield ""
        for x in c.causes:
            kept = ", then ".join(dict.fromkeys(k for k in x.confidence if k))
            because = f": {x.because}" if x.because else ""
            yield from self.noted(f"cause {x.fate}", f"{x.title} ({kept} confidence){because}")
        for key, old, new in say.changed(c)[:_MOST_SETTINGS]:
            yield from self.noted("changed", f"{key}: {old} -> {new}")
        if len(c.settings) > _MOST_SETTINGS:
            left = len(c.settings) - _MOST_SETTINGS
            yield f"{'':{_COMPARED}}and {left} more (--output FILE.html has them)"
        for best in say.best_points(c):
            yield from self.noted("best point", best)
        for caution in c.cautions:
            yield from self.noted("keep in mind", caution)

    def before_and_after(self, rows: Sequence[Row]) -> Iterator[str]:
        margin = min(max(len(w.plain(r.name)) for r in rows), self.width // 3 + 8)
        old = max(8, *(len(r.before) for r in rows))
        new = max(8, *(len(r.after) for r in rows))
        yield self.paint(f"{'':{margin}}  {'before':>{old}}  {'after':>{new}}", "dim")
        for r in rows:
            name = f"{_short(w.plain(r.name), margin):{margin}}"
            said = f"  {self.paint(r.said, r.said)}" if r.said else ""
            yield f"{name}  {r.before:>{old}}  {r.after:>{new}}{said}"

    def noted(self, label: str, text: str) -> Iterator[str]:
        """A text under a label of a comparison, however long; without one, over the whole width."""
        yield from textwrap.wrap(
            w.plain(text),
            self.width,
            initial_indent=f"{label:{_COMPARED}}" if label else "",
            subsequent_indent=" " * _COMPARED if label else "",
            break_on_hyphens=False,
        )

    # --- setting ---

    def paint(self, text: str, what: str) -> str:
        code = _COLOURS.get(what)
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour and code else text

    def labelled(self, label: str, text: str, paint: str = "", lines: int = 3) -> Iterator[str]:
        head = self.paint(f"{label:{_LABEL}}", "label")
        for i, line in enumerate(_wrap(text, self.width - _LABEL, lines)):
            yield (head if i == 0 else " " * _LABEL) + self.paint(line, paint)

    def wrapped(self, text: str, lines: int, paint: str = "") -> Iterator[str]:
        for line in _wrap(text, self.width, lines):
            yield self.paint(line, paint)


def _wrap(text: str, width: int, lines: int) -> list[str]:
    return textwrap.wrap(
        w.plain(text), width, max_lines=lines, placeholder=" ...", break_on_hyphens=False
    )


def _short(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(0, width - 3)] + "..."


def _essence(diff: str) -> list[str]:
    """The diff, without its context lines where it is long."""
    lines = [line for line in w.plain_lines(diff) if not line.startswith(("diff ", "index ", "\\"))]
    if len(lines) <= _DIFF_LINES:
        return lines
    lines = [line for line in lines if not line.startswith(" ")]
    left = len(lines) - _DIFF_LINES
    return lines if left <= 0 else [*lines[:_DIFF_LINES], f"({w.count(left, 'more line')})"]
