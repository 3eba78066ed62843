"""A run on one line: good until, onset, best point, what changed when, and what was wasted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gandoctor.lexicon.reading import roles
from gandoctor.reporters import wording as w
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gandoctor.model.report import BestNote, Report

_MOST_EVENTS: Final = 7
_MOST_TITLES: Final = 2  # of what began at one step
_WORTH_SAYING: Final = 0.01  # a smaller share of the run is not called wasted
_NEAR: Final = 0.2  # labels this close to an edge would lie over its own
_BAD: Final = ("failing", "warning")


@dataclass(frozen=True, slots=True)
class Timeline:
    """What is drawn and what is said below it.

    Attributes
    ----------
    svg : str
        Markup; there is nothing but numbers and our own words in it.
    legend : tuple of (class, text)
        The parts of the bar in words.
    events : tuple of (when, what)
        In the order of the run.
    """

    svg: str
    legend: tuple[tuple[str, str], ...]
    events: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the bar, from step to step, and what it says."""

    kind: str
    first: int
    last: int
    text: str


def timeline(report: Report) -> Timeline | None:
    """The line of a run; None where it has no length."""
    run = report.run
    if run.last_step <= run.first_step:
        return None
    parts = list(_parts(report))
    events = tuple((w.at(step, run.step_unit), what) for step, what in _events(report))
    return Timeline(_drawn(report, parts), tuple((p.kind, p.text) for p in parts), events)


def best(report: Report) -> str:
    """``FID 12.3 at iteration 900``; empty where no judge of quality was logged."""
    at = report.best
    return f"{_judged(at)} at {w.at(at.step, report.run.step_unit)}" if at is not None else ""


def _judged(at: BestNote) -> str:
    role = roles().get(at.role)
    return f"{role.title if role is not None and role.title else at.role} {w.number(at.value)}"


def _parts(report: Report) -> Iterator[Part]:
    run, onset = report.run, w.since(report)
    first, last = run.first_step, run.last_step
    if report.verdict == "healthy":
        yield Part("good", first, last, "good to the end")
    elif report.verdict not in _BAD:
        yield Part("open", first, last, "not known")
    elif onset is None:
        yield Part("bad", first, last, "failing, since when is not known")
    else:
        onset = min(max(onset, first), last)
        if onset > first:
            yield Part("good", first, onset, f"good until {w.at(onset, run.step_unit)}")
        said = "from there on" if onset > first else "from the first look on"
        yield Part("bad", onset, last, f"{report.verdict} {said}")
    if report.verdict in _BAD:
        yield from _wasted(report)


def _wasted(report: Report) -> Iterator[Part]:
    """What came after the best point; where no quality was logged, after the onset."""
    run = report.run
    start = report.best.step if report.best is not None else w.since(report)
    if start is None:
        return
    start = min(max(start, run.first_step), run.last_step)
    share = (run.last_step - start) / (run.last_step - run.first_step)
    since = "after the best point" if report.best is not None else "since the onset"
    if share >= _WORTH_SAYING:
        said = f"wasted: {100 * share:.0f} % of the run, {since}"
        yield Part("waste", start, run.last_step, said)


def _events(report: Report) -> list[tuple[int, str]]:
    """What happened at which step, in order; of what began at once the first few."""
    if report.verdict == "healthy":
        return []
    began: dict[int, list[str]] = {}
    for f in report.findings if report.verdict in _BAD else ():
        if f.onset_step is not None and f.status != "preview":
            began.setdefault(f.onset_step, []).append(f.title)
    found = [(step, _titles(list(dict.fromkeys(titles)))) for step, titles in began.items()]
    found += [(x.first_step, x.text) for x in report.course]
    if report.best is not None:
        found.append((report.best.step, f"best point: {_judged(report.best)}"))
    return sorted(found, key=lambda event: event[0])[:_MOST_EVENTS]


def _titles(titles: list[str]) -> str:
    said = "; ".join(titles[:_MOST_TITLES])
    left = len(titles) - _MOST_TITLES
    return f"{said}; and {left:,} more" if left > 0 else said


def _drawn(report: Report, parts: list[Part]) -> str:
    """The bar as SVG.

    Across in per cent, so that it keeps its height and its letters on any width.
    """
    run = report.run
    span = run.last_step - run.first_step

    def at(step: int) -> float:
        return min(1.0, max(0.0, (step - run.first_step) / span))

    said = "; ".join(p.text for p in parts)
    out = [f'<svg class="time" role="img" aria-label="The run on one line: {said}">']
    for p in parts:
        y, height = (32, 4) if p.kind == "waste" else (18, 12)
        out.append(
            f'<rect class="t{p.kind}" x="{at(p.first):.2%}" y="{y}" '
            f'width="{at(p.last) - at(p.first):.2%}" height="{height}"/>'
        )
    if report.verdict != "healthy":
        out += [_mark("tcut", at(x.first_step), 18, 30) for x in report.course[1:]]
    onset = w.since(report) if report.verdict in _BAD else None
    if onset is not None:
        out.append(_mark("tonset", at(onset), 4, 30))
        out.append(_label(at(onset), 12, f"onset {onset:,}"))
    edges = [(0.0, run.first_step), (1.0, run.last_step)]
    if report.best is not None:
        place = at(report.best.step)
        out.append(_mark("tbest", place, 18, 40))
        out.append(_label(place, 50, f"best {report.best.step:,}"))
        edges = [e for e in edges if abs(e[0] - place) > _NEAR]
    out += [_label(place, 50, f"{step:,}", edge=True) for place, step in edges]
    return "".join(out) + "</svg>"


def _mark(kind: str, place: float, top: int, bottom: int) -> str:
    return f'<line class="{kind}" x1="{place:.2%}" x2="{place:.2%}" y1="{top}" y2="{bottom}"/>'


def _label(place: float, y: int, text: str, *, edge: bool = False) -> str:
    side, dx = ("end", -4) if place > 0.5 else ("start", 4)
    dx = 0 if edge else dx
    return f'<text class="{side}" x="{place:.2%}" dx="{dx}" y="{y}">{text}</text>'
