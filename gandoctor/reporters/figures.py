"""Which pictures a report asks for: one a piece of evidence, and an overview of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gandoctor.lexicon.reading import roles
from gandoctor.reporters import charts
from gandoctor.reporters import wording as w
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gandoctor.model.report import Evidence, Finding, Report, SignalNote

MOST: Final = 9


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing with its words.

    Attributes
    ----------
    caption : str
        What it shows; for evidence, what was found.
    test : str
        The rule's test, as written.
    said : tuple of str
        Remarks in small print.
    """

    drawing: charts.Drawing
    caption: str
    test: str = ""
    said: tuple[str, ...] = ()


class Album:
    """All pictures of one report.

    Parameters
    ----------
    report : Report
    prefix : str
        Makes ids unique where a page holds several reports.
    columns : int
        Fineness of the curves.
    """

    def __init__(self, report: Report, prefix: str = "", columns: int = charts.COLUMNS) -> None:
        self.report = report
        self.unit = report.run.step_unit
        self._prefix = prefix
        self._columns = columns
        self._made = 0
        self._said: set[str] = set()
        self._notes: dict[str, SignalNote] = {s.tag: s for s in report.signals}

    def overview(self) -> Iterator[Picture]:
        """The run in curves, the losses first."""
        made = 0
        for title, drawn in pictures().items():
            for network, notes in self._by_network(drawn):
                picture = self._overview(f"{title}, network {network}" if network else title, notes)
                if picture is not None and made < MOST:
                    made += 1
                    yield picture

    def evidence(self, evidence: Evidence, finding: Finding) -> Picture | None:
        """What one clause found; None where it is about no series."""
        lines = self._lines([t for t in (evidence.signal, *evidence.signals) if t])
        if not lines:
            return None
        levels: tuple[charts.Level, ...] = ()
        if evidence.threshold is not None:
            label = f"threshold {w.number(evidence.threshold)}"
            levels = (
                charts.Level(
                    evidence.threshold, label, "threshold", evidence.signal or lines[0].name
                ),
            )
        figure = charts.Figure(
            title=f"{finding.title}: {evidence.clause}",
            description=f"{evidence.text}. {described(lines, self.unit)}",
            lines=lines,
            unit=self.unit,
            levels=levels,
            window=evidence.window,
            held=evidence.intervals,
            onset=finding.onset_step,
        )
        told = evidence.share is None or "%" in evidence.text
        share = () if told else (f"held on {evidence.share:.0%} of the steps looked at",)
        return self._draw(figure, evidence.text, share, evidence.where)

    def _by_network(self, roles: Sequence[str]) -> Iterator[tuple[str, list[SignalNote]]]:
        shown = [
            s
            for role in roles
            for s in self.report.signals
            if s.role == role and s.tag in self.report.series
        ]
        for network in sorted({s.network for s in shown}):
            yield network, [s for s in shown if s.network == network]

    def _overview(self, title: str, notes: Sequence[SignalNote]) -> Picture | None:
        lines = self._lines([s.tag for s in notes])
        figure = charts.Figure(
            title=title,
            description=described(lines, self.unit),
            lines=lines,
            unit=self.unit,
            levels=self._chance(notes),
            onset=w.since(self.report),
            zoom=False,
        )
        return self._draw(figure, title, (_ends(lines),))

    def _chance(self, notes: Sequence[SignalNote]) -> tuple[charts.Level, ...]:
        chance = self.report.run.objective.chance_d
        tag = next((s.tag for s in notes if s.role == "d_loss"), None)
        if chance is None or tag is None:
            return ()
        return (charts.Level(chance, f"D at chance {w.number(chance)}", "chance", tag),)

    def _lines(self, tags: Sequence[str]) -> tuple[charts.Line, ...]:
        """Curves of these tags. D is blue and G orange on the whole page, as far as colours go."""
        found = [t for t in dict.fromkeys(tags) if t in self.report.series][: charts.MOST_LINES]
        colours: dict[str, int] = {}
        for tag in found:
            if self._side(tag) not in colours.values():
                colours[tag] = self._side(tag)
        for tag in found:
            colours.setdefault(tag, next(c for c in (4, 3, 2, 1) if c not in colours.values()))
        return tuple(charts.line_of(t, self.report.series[t], colours[t]) for t in found)

    def _side(self, tag: str) -> int:
        words = self._notes[tag].role.split("_") if tag in self._notes else []
        return next((colour for colour, player in ((1, "d"), (2, "g")) if player in words), 3)

    def _draw(
        self, figure: charts.Figure, caption: str, said: tuple[str, ...], test: str = ""
    ) -> Picture | None:
        self._made += 1
        drawing = charts.draw(figure, f"{self._prefix}c{self._made}", self._columns)
        if drawing is None:
            return None
        # What thin and bold mean is said once a page.
        notes = tuple(n for n in drawing.notes if n != charts.SMOOTHED or n not in self._said)
        self._said.update(notes)
        return Picture(drawing, caption, test, tuple(s for s in (*said, *notes) if s))


def pictures() -> dict[str, list[str]]:
    """The pictures of an overview in their order, each with the roles drawn on it."""
    found: dict[str, list[str]] = {}
    for role in roles().values():
        if role.picture:
            found.setdefault(role.picture, []).append(role.name)
    return found


def described(lines: Sequence[charts.Line], unit: str) -> str:
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
            f"{w.number(float(values[-1]))} at {w.at(int(steps[-1]), unit)}; lowest "
            f"{w.number(float(values.min()))}, "
            f"highest {w.number(float(values.max()))}."
        )
    return " ".join(said)


def _ends(lines: Sequence[charts.Line]) -> str:
    """First and last finite value of each curve."""
    ends = [(line.name, line.values[line.values == line.values]) for line in lines]
    return ", ".join(
        f"{name} {w.number(float(v[0]))} \u2192 {w.number(float(v[-1]))}"
        for name, v in ends
        if len(v)
    )
