"""The report as one self-contained HTML file: no request, no script needed, light and dark, on paper and phone.

Whatever came from a run (tags, names, settings, diffs) is text: it is escaped, what is invisible in it is shown, and
the page's own policy refuses every script and style but the two whose hashes stand in it.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from dataclasses import dataclass
from html import escape
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from gandoctor.model.report import Evidence, Finding
from gandoctor.reporters import charts
from gandoctor.reporters import wording as w

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jinja2 import Template

    from gandoctor.model.report import Diagnosis, Prescription, Report, SignalNote

NAME = "html"
SUFFIX = ".html"

# What the overview shows, in this order; each entry is one picture of one network.
_OVERVIEW: Final = (
    ("Losses of D and G", ("d_loss", "g_loss")),
    ("Quality", ("fid",)),
    ("Quality", ("kid",)),
    ("Quality", ("inception_score",)),
    ("Quality", ("psnr_ssim",)),
    ("Quality", ("lpips",)),
    ("Distance estimate", ("wasserstein_estimate",)),
    ("D's loss on real and generated data", ("d_loss_real", "d_loss_fake")),
    ("G's adversarial loss", ("g_loss_adv",)),
    ("D's output on real and generated data", ("d_real_score", "d_fake_score")),
    ("Gradient norms", ("grad_norm_d", "grad_norm_g")),
    ("Variance of the samples", ("sample_variance",)),
    ("Distance between samples", ("sample_diversity",)),
)
_MOST_OVERVIEW: Final = 9
_MOST_FIGURES: Final = 6  # of one finding
_RISKS: Final = {"safe": "safe to apply", "trial": "worth a trial", "advice": "advice, by hand"}


def render(report: Report) -> str:
    """One run as one page."""
    return _page([report], report.run.name)


def render_many(reports: Sequence[Report]) -> str:
    """Several runs as one page: a table of verdicts, then each run in full."""
    return _page(reports, w.count(len(reports), "run"))


def _page(reports: Sequence[Report], title: str) -> str:
    template, style, script = _template()
    runs = [_RunView(report, f"r{i}-" if len(reports) > 1 else "") for i, report in enumerate(reports)]
    page = template.render(
        title=title, runs=runs, single=len(reports) == 1, style=style, script=script, policy=_policy(style, script), w=w
    )
    return page.encode("utf-8", "replace").decode("utf-8")


@functools.cache
def _template() -> tuple[Template, str, str]:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader(__package__ or "gandoctor.reporters"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: w.visible(value) if type(value) is str else value,
    )
    files = resources.files(__package__ or "gandoctor.reporters") / "templates"
    style = (files / "report.css").read_text("utf-8")
    script = (files / "report.js").read_text("utf-8")
    return environment.get_template("report.html.j2"), Markup(style), Markup(script)  # noqa: S704  our own files


def _policy(style: str, script: str) -> str:
    """The page's content security policy: nothing is loaded, and only our own style and script run."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _markup(text: str) -> Any:
    from markupsafe import Markup

    return Markup(text)  # noqa: S704  every text in it was escaped where it was made


@dataclass(frozen=True, slots=True)
class _FigureView:
    """One picture with its words."""

    svg: Any
    legend: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    caption: str
    test: str = ""
    share: str = ""


@dataclass(frozen=True, slots=True)
class _FindingView:
    """A finding, its pictures, and the evidence that cannot be drawn."""

    finding: Finding
    figures: tuple[_FigureView, ...]
    said: tuple[str, ...]
    open: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _PatchView:
    """A prescription, ready to set."""

    it: Prescription
    number: int
    risk: str
    diff: Any
    copies: bool
    crlf: bool


@dataclass(frozen=True, slots=True)
class _CaseView:
    """A diagnosis and all that is shown under it."""

    it: Diagnosis
    leading: tuple[_FindingView, ...]
    elsewhere: tuple[Finding, ...]
    consequences: tuple[_FindingView, ...]
    patches: tuple[_PatchView, ...]
    bars: tuple[tuple[str, str, Any], ...]


class _RunView:
    """What the template asks about one run."""

    def __init__(self, report: Report, prefix: str) -> None:
        self.report = report
        self.id = prefix
        self._made = 0
        self._notes: dict[str, SignalNote] = {s.tag: s for s in report.signals}
        self._shown: set[str] = set()
        overview = self._overview()
        self.hero = next(overview, None)
        self.cases = [self._case(c) for c in w.cases(report)]
        self.orphans = [self._finding(f) for f in w.orphans(report)]
        self.previews = [self._finding(f) for f in w.previews(report)]
        self.overview = list(overview)
        self.since = w.since(report)

    # --- pictures ---

    def _draw(self, figure: charts.Figure, caption: str, test: str = "", share: str = "") -> _FigureView | None:
        self._made += 1
        drawing = charts.draw(figure, f"{self.id}c{self._made}")
        if drawing is None:
            return None
        return _FigureView(_markup(drawing.svg), drawing.legend, drawing.notes, caption, test, share)

    def _lines(self, tags: Sequence[str]) -> tuple[charts.Line, ...]:
        """Curves of these tags. D is blue and G orange on the whole page, as far as colours go."""
        found = [t for t in dict.fromkeys(tags) if t in self.report.series]
        colours: dict[str, int] = {}
        free = [1, 2, 3, 4]
        for tag in found:
            colour = self._side(tag)
            if colour in free:
                colours[tag] = colour
                free.remove(colour)
        for tag in found:
            if tag not in colours:
                colours[tag] = free.pop(-1 if len(free) > 2 else 0) if free else 4
        return tuple(charts.line_of(t, self.report.series[t], colours[t]) for t in found)

    def _side(self, tag: str) -> int:
        role = self._notes[tag].role if tag in self._notes else ""
        parts = role.split("_")
        return 1 if "d" in parts else 2 if "g" in parts else 3

    def _overview(self) -> Iterator[_FigureView]:
        report = self.report
        networks = sorted({s.network for s in report.signals if s.tag in report.series})
        made = 0
        for title, roles in _OVERVIEW:
            for network in networks:
                notes = [
                    s for role in roles for s in report.signals
                    if s.role == role and s.network == network and s.tag in report.series
                ]  # fmt: skip
                lines = self._lines([s.tag for s in notes])
                if not lines or made >= _MOST_OVERVIEW:
                    continue
                name = f"{title}, network {network}" if network else title
                figure = charts.Figure(
                    name, _described(lines, report.run.step_unit), lines, report.run.step_unit,
                    self._chance(notes), onset=w.since(report), zoom=False,
                )  # fmt: skip
                view = self._draw(figure, name)
                if view is not None:
                    made += 1
                    yield view

    def _chance(self, notes: Sequence[SignalNote]) -> tuple[charts.Level, ...]:
        chance = self.report.run.objective.chance_d
        if chance is None:
            return ()
        return tuple(
            charts.Level(chance, f"D at chance {w.number(chance)}", "chance", s.tag)
            for s in notes
            if s.role == "d_loss"
        )[:1]

    def _figure(self, evidence: Evidence, finding: Finding) -> _FigureView | None:
        tags = [t for t in (evidence.signal, *evidence.signals) if t]
        lines = self._lines(tags)
        if not lines:
            return None
        levels: tuple[charts.Level, ...] = ()
        if evidence.threshold is not None:
            label = f"threshold {w.number(evidence.threshold)}"
            levels = (charts.Level(evidence.threshold, label, "threshold", evidence.signal or lines[0].name),)
        unit = self.report.run.step_unit
        figure = charts.Figure(
            title=f"{finding.title}: {evidence.clause}",
            description=f"{evidence.text}. {_described(lines, unit)}",
            lines=lines,
            unit=unit,
            levels=levels,
            window=evidence.window,
            held=evidence.intervals,
            onset=finding.onset_step,
        )
        share = f"held on {evidence.share:.0%} of the steps looked at" if evidence.share is not None else ""
        return self._draw(figure, evidence.text, evidence.where, share)

    # --- findings, causes, patches ---

    def _finding(self, finding: Finding) -> _FindingView:
        self._shown.add(finding.fingerprint)
        figures: list[_FigureView] = []
        said: list[str] = []
        unclear: list[str] = []
        for evidence in finding.evidence:
            if evidence.truth == "unknown":
                unclear.append(evidence.reason or evidence.text or evidence.clause)
                continue
            figure = None
            if evidence.truth == "true" and len(figures) < _MOST_FIGURES:
                figure = self._figure(evidence, finding)
            if figure is not None:
                figures.append(figure)
            elif evidence.truth == "true":
                said.append(evidence.text or evidence.where)
        return _FindingView(finding, tuple(figures), tuple(said), tuple(unclear))

    def _case(self, case: w.Case) -> _CaseView:
        fresh = [f for f in case.leading if f.fingerprint not in self._shown]
        elsewhere = [f for f in (*case.leading, *case.consequences) if f.fingerprint in self._shown]
        leading = tuple(self._finding(f) for f in fresh)
        consequences = tuple(self._finding(f) for f in case.consequences if f.fingerprint not in self._shown)
        return _CaseView(
            it=case.diagnosis,
            leading=leading,
            elsewhere=tuple(elsewhere),
            consequences=consequences,
            patches=tuple(self._patch(p) for p in case.prescriptions),
            bars=tuple(_bars(case.diagnosis)),
        )

    def _patch(self, p: Prescription) -> _PatchView:
        every = "".join((p.diff or "", *p.overrides, p.snippet or ""))
        return _PatchView(
            it=p,
            number=1 + next(i for i, other in enumerate(self.report.prescriptions) if other is p),
            risk=_RISKS.get(p.risk, p.risk),
            diff=_diff(p.diff) if p.diff else None,
            copies=not w.hides_something(every),
            crlf="\r\n" in (p.diff or ""),
        )

    @staticmethod
    def raw(text: str) -> Any:
        """Text for an attribute, byte for byte: a carriage return would otherwise be lost to the HTML reader."""
        return _markup(escape(text).replace("\r", "&#13;").replace("\n", "&#10;"))


def _bars(d: Diagnosis) -> Iterator[tuple[str, str, Any]]:
    """Each reason with its weight and a bar, on one scale for the whole diagnosis."""
    largest = max((abs(r.weight) for r in d.reasons), default=1.0) or 1.0
    for r in d.reasons:
        width = 34 * min(1.0, abs(r.weight) / largest)
        x = 36.0 if r.weight >= 0 else 36.0 - width
        kind = "for" if r.weight >= 0 else "against"
        bar = (
            f'<svg class="bar" viewBox="0 0 72 12" aria-hidden="true"><path class="zero" d="M36 0V12"/>'
            f'<rect class="{kind}" x="{x:.1f}" y="2" width="{width:.1f}" height="8" rx="1.5"/></svg>'
        )
        yield r.text, f"{r.weight:+.2g}".replace("-", "\u2212"), _markup(bar)


def _diff(diff: str) -> Any:
    """The diff with a class on each line; its text stays what it was, character by character (line ends apart)."""
    out = []
    kinds = {"+": "file", "-": "file", "@": "hunk"}
    for line in diff.replace("\r\n", "\n").removesuffix("\n").split("\n"):
        kind = kinds.get(line[:1], "same")
        if kind == "hunk":
            kinds |= {"+": "add", "-": "del"}  # what is added or taken away stands below a hunk's head
        out.append(f'<span class="{kind}">{escape(w.visible(line))}\n</span>')
    return _markup("".join(out))


def _described(lines: Sequence[charts.Line], unit: str) -> str:
    """The curves in words, for those who cannot see them."""
    said = []
    for line in lines:
        ok = line.values == line.values  # not NaN
        if not ok.any():
            said.append(f"{line.name} is never finite.")
            continue
        values, steps = line.values[ok], line.steps[ok]
        said.append(
            f"{line.name} goes from {w.number(float(values[0]))} at {w.at(int(steps[0]), unit)} to "
            f"{w.number(float(values[-1]))} at {w.at(int(steps[-1]), unit)}; lowest {w.number(float(values.min()))}, "
            f"highest {w.number(float(values.max()))}."
        )
    return " ".join(said)
