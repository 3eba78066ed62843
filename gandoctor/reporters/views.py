"""What the HTML page shows, as values: all is worked out here, the templates only lay it out."""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING, Final

from gandoctor.model.belief import in_per_cent
from gandoctor.reporters import believing, charts, timeline, unchecked
from gandoctor.reporters import wording as w
from gandoctor.reporters.figures import Album, Picture
from gandoctor.reporters.telling import (
    ShownCause,
    ShownFinding,
    ShownPatch,
    Teller,
    as_markup,
    when,
)
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gandoctor.model.report import Report, SourceNote

_MOST_HEALTH: Final = 3


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
    time : Timeline or None
        The run on one line.
    best : str
        Of a healthy run, where quality was best; of others the line says it.
    health : tuple of str
        Of a healthy run, what spoke most for it.
    unseen : str
        Of a healthy run, what was not looked at.
    clear : tuple of str
        What was looked for and not found, in words.
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
    sure: str
    time: timeline.Timeline | None
    best: str
    health: tuple[str, ...]
    unseen: str
    unchecked: tuple[unchecked.Group, ...]
    clear: tuple[str, ...]
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
    pictures = map(as_markup, album.overview())
    head = next(pictures, None)
    curves = () if detail.brief else tuple(pictures)
    teller = Teller(report, None if detail.brief else album)
    cases = w.cases(report)
    lead = next((case for case in cases if case.patch), None)
    causes = tuple(
        teller.causes([c for c in cases if c is cases[0] or c is lead] if detail.brief else cases)
    )
    told_whole = report.verdict == "healthy" and not detail.brief
    return ShownRun(
        id=ident,
        level=level,
        report=report,
        word=report.verdict.capitalize(),
        since=when(report, w.since(report)),
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
        sure="" if report.p_failing is None else in_per_cent(report.p_failing),
        time=None if detail.brief else _time(report),
        best=timeline.best(report) if report.verdict == "healthy" else "",
        health=tuple(_health(report)),
        unseen=unchecked.in_brief(report) if told_whole else "",
        unchecked=() if detail.brief else unchecked.groups(report),
        clear=tuple(report.titles.get(rule, rule.replace("-", " ")) for rule in report.clear),
        probe=_probe(report),
        trials=_trials(report),
    )


def _time(report: Report) -> timeline.Timeline | None:
    from markupsafe import Markup

    made = timeline.timeline(report)
    # There is nothing in it but our own words.
    return made and dataclasses.replace(made, svg=Markup(made.svg))  # noqa: S704


def _health(report: Report) -> Iterator[str]:
    if report.verdict == "healthy":
        spoke = sorted((b for b in report.belief if b.nats < 0), key=lambda b: b.nats)
        told = (b.text for b in spoke if b.evidence != believing.BASE)
        yield from itertools.islice(told, _MOST_HEALTH)


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
