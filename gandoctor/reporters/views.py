"""What the HTML page shows, as values: all is worked out here, the templates only lay it out."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from gandoctor.model.belief import in_per_cent
from gandoctor.reporters import believing, charts
from gandoctor.reporters import wording as w
from gandoctor.reporters.figures import Album, Picture
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gandoctor.model.report import Diagnosis, Finding, Prescription, Report, SourceNote

_MOST_PICTURES: Final = 6  # of one finding
_RISKS: Final = {"safe": "safe to apply", "trial": "worth a trial", "advice": "advice, by hand"}


@dataclass(frozen=True, slots=True)
class Detail:
    """How much of a run is shown.

    Attributes
    ----------
    columns : int
        Fineness of the curves: the extremes of each of so many parts of the step axis are kept.
    rows : int
        Rows of a table at most.
    brief : bool
        Whether only the verdict, one curve, the likeliest cause and its first patch are shown.
    """

    columns: int
    rows: int
    brief: bool = False


FULL: Final = Detail(charts.COLUMNS, 300)
COARSE: Final = Detail(110, 40)
BRIEF: Final = Detail(70, 40, brief=True)


@dataclass(frozen=True, slots=True)
class ShownFinding:
    """A finding with its pictures; `said` is evidence in words, each with whether it is known."""

    it: Finding
    since: str
    pictures: tuple[Picture, ...]
    said: tuple[tuple[bool, str], ...]


@dataclass(frozen=True, slots=True)
class ShownPatch:
    """A prescription.

    Attributes
    ----------
    number : int
        Counted from 1, as ``gandoctor patch --number`` does.
    lead : bool
        Whether it is the one to try first.
    copies : bool
        Whether it may be offered for copying: all of it can be seen.
    diff : tuple of (class, line)
        The diff's text stays what it was, character by character (line ends apart).
    crlf : bool
        Whether the file has such line ends.
    """

    it: Prescription
    number: int
    lead: bool
    chip: str
    flags: str
    copies: bool
    diff: tuple[tuple[str, str], ...]
    crlf: bool


@dataclass(frozen=True, slots=True)
class ShownCause:
    """A diagnosis with all that stands below it.

    Attributes
    ----------
    folded : bool
        Another explanation of what is explained above: worth a line, and a look if that one fails.
    again : tuple of str
        Titles of findings it explains that are shown above.
    reasons : tuple of (class, x, width, weight, text)
        Each with its bar: to the right for what speaks for the cause, to the left for what speaks
        against it.
    """

    it: Diagnosis
    kicker: str
    folded: bool
    since: str
    leading: tuple[ShownFinding, ...]
    again: tuple[str, ...]
    reasons: tuple[tuple[str, ...], ...]
    score: str
    patches: tuple[ShownPatch, ...]
    explains: str
    consequences: tuple[ShownFinding, ...]


@dataclass(frozen=True, slots=True)
class ShownRun:
    """One run's part of the page.

    Attributes
    ----------
    id : str
        Prefix of its ids.
    level : int
        Level of its first heading.
    cause : str
        What is wrong with it, for a table.
    first : ShownPatch or None
        What to try first.
    head : Picture or None
        Its first curve.
    nav : tuple of (id, name, number or None)
        Links to its sections.
    lone : tuple of (kicker, class, finding)
        Findings that no cause explains.
    sources : tuple of SourceNote
        What was lost comes first.
    rows : int
        Rows of a table at most.
    brief : str
        What a run that is shown in brief leaves out; empty where it is shown in full.
    belief : tuple of Bar
        The belief as a waterfall; empty in brief.
    sure : str
        How surely the run has failed, in per cent; empty where none was worked out.
    """

    id: str
    level: int
    report: Report
    word: str
    since: str
    cause: str
    why: str
    first: ShownPatch | None
    read: str
    game: str
    head: Picture | None
    nav: tuple[tuple[str, str, int | None], ...]
    causes: tuple[ShownCause, ...]
    lone: tuple[tuple[str, str, ShownFinding], ...]
    curves: tuple[Picture, ...]
    sources: tuple[SourceNote, ...]
    rows: int
    brief: str
    belief: tuple[believing.Bar, ...]
    course: tuple[tuple[str, str], ...]
    sure: str
    probe: ShownProbe | None
    trials: ShownTrials | None


@dataclass(frozen=True, slots=True)
class ShownTrials:
    """What short trainings said, as texts."""

    headline: str
    made: str
    caution: str
    rows: tuple[tuple[str, str, str, str], ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ShownProbe:
    """What a probe measured, as texts."""

    headline: str
    made: str
    tested: tuple[tuple[str, str, str], ...]
    figures: tuple[tuple[str, str, str], ...]
    layers: tuple[tuple[str, str, str, str], ...]
    notes: tuple[str, ...]


def show(report: Report, ident: str = "", level: int = 1, detail: Detail = FULL) -> ShownRun:
    """Work out what is shown of a run.

    Parameters
    ----------
    report : Report
    ident : str
        Prefix of its ids, unique on the page.
    level : int
        Level of its first heading.
    detail : Detail
    """
    album = Album(report, ident, detail.columns)
    pictures = map(_as_markup, album.overview())
    head = next(pictures, None)
    curves = () if detail.brief else tuple(pictures)
    teller = _Teller(report, None if detail.brief else album)
    cases = w.cases(report)
    lead = next((case for case in cases if case.patch), None)
    causes = tuple(
        teller.causes([c for c in cases if c is cases[0] or c is lead] if detail.brief else cases)
    )
    return ShownRun(
        id=ident,
        level=level,
        report=report,
        word=report.verdict.capitalize(),
        since=_when(report, w.since(report)),
        cause=w.main_thing(report),
        why=w.headline(report),
        first=next((p for c in causes for p in c.patches if p.lead), None),
        read=_read(report),
        game=w.game(report),
        head=head,
        nav=() if detail.brief else tuple(_nav(report, bool(curves))),
        causes=causes,
        lone=tuple(teller.lone()),
        curves=curves,
        sources=tuple(sorted(report.run.sources, key=lambda s: s.lost is None)),
        rows=detail.rows,
        brief=_left_out(report, causes) if detail.brief else "",
        belief=() if detail.brief else believing.waterfall(report),
        course=tuple(w.course(report)),
        sure="" if report.p_failing is None else in_per_cent(report.p_failing),
        probe=_probe(report),
        trials=_trials(report),
    )


def _trials(report: Report) -> ShownTrials | None:
    trials = report.trials
    if trials is None:
        return None
    from gandoctor.reporters import trying

    return ShownTrials(
        headline=trying.headline(report, trials),
        made=trying.made(trials),
        caution=trying.CAUTION,
        rows=tuple(trying.rows(trials)),
        notes=trials.notes,
    )


def _probe(report: Report) -> ShownProbe | None:
    probe = report.probe
    if probe is None:
        return None
    from gandoctor.reporters import probing

    return ShownProbe(
        headline=probing.headline(report, probe),
        made=probing.made(probe),
        tested=tuple(probing.tested(probe)),
        figures=tuple(probing.rows(probe)),
        layers=tuple(probing.layers(probe)),
        notes=probe.notes,
    )


def _when(report: Report, step: int | None) -> str:
    """``iteration 95``, or nothing."""
    return "" if step is None else w.at(step, report.run.step_unit)


def _read(report: Report) -> str:
    run = report.run
    said = [
        w.span(run.first_step, run.last_step, run.step_unit),
        w.count(len(report.signals), "signal"),
    ]
    if report.unmapped:
        said.append(f"{len(report.unmapped):,} not placed")
    lost = sum(s.lost is not None for s in run.sources)
    if lost:
        said.append(f"{w.count(lost, 'file')} read only in part")
    return "; ".join(said)


def _nav(r: Report, curves: bool) -> Iterator[tuple[str, str, int | None]]:
    if r.diagnoses:
        yield "causes", "Causes" if len(r.diagnoses) > 1 else "Cause", None
    if w.orphans(r) or w.previews(r):
        yield "findings", "Findings", None
    if r.probe is not None:
        yield "probe", "Probe", None
    if r.trials is not None:
        yield "trials", "Trials", None
    if r.log_next:
        yield "next", "What to log next", None
    if r.p_failing is not None and r.belief:
        yield "belief", "Belief", None
    if curves:
        yield "curves", "Curves", None
    if r.risks:
        yield "risks", "Risks", len(r.risks)
    if r.not_checked:
        yield "open", "Not checked", len(r.not_checked)
    yield "clear", "Clear", len(r.clear)
    yield "names", "Names", None
    if r.settings:
        yield "settings", "Settings", None
    if r.checkpoints:
        yield "checkpoints", "Checkpoints", None
    yield "read", "What was read", None


def _left_out(report: Report, causes: Sequence[ShownCause]) -> str:
    """What a run in brief does not show, counted."""
    counts = [
        w.count(len(report.diagnoses) - len(causes), "other cause"),
        w.count(sum(f.explained_by is not None for f in report.findings), "consequence"),
        w.count(
            len(report.prescriptions) - sum(len(c.patches) for c in causes),
            "other remedy",
            "other remedies",
        ),
        w.count(len(report.risks), "risk"),
        w.count(len(report.not_checked), "rule not checked", "rules not checked"),
    ]
    rest = "every curve, and how names and settings were understood"
    return ", ".join([*(said for said in counts if not said.startswith("no ")), rest])


class _Teller:
    """Tells causes and findings in the order of the page, so that no evidence is shown twice.

    Parameters
    ----------
    report : Report
    album : Album or None
        Draws the evidence; without it evidence is said in words, and of each cause only what comes
        first.
    """

    def __init__(self, report: Report, album: Album | None) -> None:
        self._report = report
        self._album = album
        self._told: set[str] = set()  # fingerprints

    def causes(self, cases: Iterable[w.Case]) -> Iterator[ShownCause]:
        for i, case in enumerate(cases):
            yield self._cause(case, first=i == 0)

    def _cause(self, case: w.Case, *, first: bool) -> ShownCause:
        known = [f for f in (*case.leading, *case.consequences) if f.fingerprint in self._told]
        leading = [f for f in case.leading if f not in known]
        consequences = [f for f in case.consequences if f not in known] if self._album else []
        best = case.patch
        patches = sorted(case.prescriptions, key=lambda p: p is not best)
        return ShownCause(
            it=case.diagnosis,
            kicker=_kicker(first=first, leading=bool(leading)),
            folded=not (first or leading),
            since=_when(self._report, case.diagnosis.onset_step),
            leading=tuple(self._finding(f) for f in leading),
            again=tuple(f.title for f in known),
            reasons=tuple(_bars(case.diagnosis)) if self._album else (),
            score=w.number(case.diagnosis.score),
            patches=tuple(
                self._patch(p, lead=p is best) for p in patches if self._album or p is best
            ),
            explains=f"{w.count(len(consequences), 'consequence')} of it",
            consequences=tuple(self._finding(f) for f in consequences),
        )

    def lone(self) -> Iterator[tuple[str, str, ShownFinding]]:
        """Findings without a cause, then those of rules on trial: (kicker, class, finding)."""
        for f in w.orphans(self._report):
            yield "Found, with no cause to name", f.severity, self._finding(f)
        for f in w.previews(self._report):
            yield "From a rule on trial: it never decides", "preview", self._finding(f)

    def _finding(self, f: Finding) -> ShownFinding:
        self._told.add(f.fingerprint)
        pictures: list[Picture] = []
        said: list[tuple[bool, str]] = []
        for evidence in f.evidence:
            if evidence.truth == "unknown":
                said.append(
                    (False, f"Not known: {evidence.reason or evidence.text or evidence.clause}")
                )
            elif evidence.truth == "true":
                room = self._album is not None and len(pictures) < _MOST_PICTURES
                picture = self._album.evidence(evidence, f) if self._album and room else None
                if picture is None:
                    said.append((True, evidence.text or evidence.where))
                else:
                    pictures.append(_as_markup(picture))
        return ShownFinding(f, _when(self._report, f.onset_step), tuple(pictures), tuple(said))

    def _patch(self, p: Prescription, *, lead: bool) -> ShownPatch:
        flags = " ".join(p.overrides)
        return ShownPatch(
            it=p,
            number=1 + next(i for i, other in enumerate(self._report.prescriptions) if other is p),
            lead=lead,
            chip="blocked" if p.blocked_by else _RISKS.get(p.risk, p.risk),
            flags=flags,
            copies=not w.hides_something((p.diff or "") + flags + (p.snippet or "")),
            diff=tuple(_lines(p.diff or "")),
            crlf="\r\n" in (p.diff or ""),
        )


def _as_markup(picture: Picture) -> Picture:
    """The picture with its drawing marked as what it is.

    Every text in it was escaped where it was drawn.
    """
    from markupsafe import Markup

    svg = Markup(picture.drawing.svg)  # noqa: S704
    return dataclasses.replace(picture, drawing=dataclasses.replace(picture.drawing, svg=svg))


def _kicker(*, first: bool, leading: bool) -> str:
    """The line above a cause's title; `leading` where a finding is told under this cause alone."""
    if first:
        return "Most likely cause"
    return "Another cause" if leading else "Another possible cause"


def _bars(d: Diagnosis) -> Iterator[tuple[str, ...]]:
    largest = max((abs(r.weight) for r in d.reasons), default=0.0) or 1.0
    for r in d.reasons:
        width = 34 * min(1.0, abs(r.weight / largest))
        kind, x = ("for", 36.0) if r.weight / largest >= 0 else ("against", 36 - width)
        yield kind, f"{x:.1f}", f"{width:.1f}", f"{r.weight:+.2g}".replace("-", "\u2212"), r.text


def _lines(diff: str) -> Iterator[tuple[str, str]]:
    """Each line of a diff with its class."""
    kinds = {"+": "file", "-": "file", "@": "hunk"}
    for line in diff.replace("\r\n", "\n").removesuffix("\n").split("\n"):
        kind = kinds.get(line[:1], "same")
        if kind == "hunk":
            # What is added or taken away stands below a hunk's head.
            kinds |= {
                "+": "add",
                "-": "del",
            }
        yield kind, line
