"""A folder of runs as pages: an index that can be sorted and searched, and a page a run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gandoctor.model.belief import in_per_cent
from gandoctor.patterns import late_pattern
from gandoctor.processes import each
from gandoctor.reporters import html, separating, views
from gandoctor.reporters import wording as w
from gandoctor.reporters.charts.spark import losses
from gandoctor.reporters.problems import name_of
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gandoctor.model.report import Report

INDEX: Final = "index.html"
_WIDE: Final = 16  # characters of a curve in the table
_LONGEST: Final = 80  # of a file's name
_STRANGE: Final = late_pattern(r"[^A-Za-z0-9._-]+")
_JUDGE: Final = "fid"


@dataclass(frozen=True, slots=True)
class Row:
    """One run in the index.

    Attributes
    ----------
    name, href, verdict, cause, since : str
    order : int
        Of its verdict, the worst first.
    p, onset, quality, lr_d, lr_g : float or None
        Belief, step of the onset, last FID, rates.
    sure : str
        The belief in per cent, as the run's own page says it.
    d, g : str
        The losses, each in a line of bars.
    """

    name: str
    href: str
    verdict: str
    order: int
    cause: str
    since: str
    p: float | None
    sure: str
    onset: float | None
    quality: float | None
    lr_d: float | None
    lr_g: float | None
    d: str
    g: str


def pages(
    reports: Sequence[Report], *, date: str = "", command: str = "", jobs: int = 1
) -> Iterator[tuple[str, str]]:
    """Every page by its path below the folder, one after the other; the index comes last.

    `date` and `command` say on which occasion they were made; so many as `jobs` are made at once.
    """
    made = html.Made(date, command).by(reports[0])
    names = _files(reports)
    order = sorted(
        range(len(reports)),
        key=lambda i: w.worst_first(reports[i]),
    )
    texts = each(lambda k: _page(reports[order[k]], made), len(order), jobs)
    yield from zip([names[i] for i in order], texts, strict=True)
    yield (
        INDEX,
        html.page(
            "folder.html.j2",
            w.count(len(reports), "run"),
            made,
            verdicts=w.verdicts(reports),
            rows=[_row(reports[i], names[i]) for i in order],
            splits=separating.splits(reports),
        ),
    )


def _page(report: Report, made: html.Made) -> str:
    title = f"{report.verdict}: {report.run.name}"
    shown = [views.show(report)]
    return html.page("page.html.j2", title, made, runs=shown, index=None, back=f"../{INDEX}")


def _files(reports: Sequence[Report]) -> list[str]:
    """A file name for each run, of plain characters, each once."""
    taken: set[str] = set()
    found = []
    for i, report in enumerate(reports, 1):
        plain = re.sub(r"^[.-]+", "", _STRANGE.sub("-", name_of(report)))[-_LONGEST:] or f"run-{i}"
        name = plain if plain.lower() not in taken else f"{plain}-{i}"
        taken.add(name.lower())
        found.append(f"runs/{name}.html")
    return found


def _row(report: Report, href: str) -> Row:
    onset = w.since(report)
    settings = {s.name: s.value for s in report.settings}
    shared = settings.get("lr", "")
    curves = {role: line for role, _, line in losses(report, _WIDE)}
    return Row(
        name=name_of(report),
        href=href,
        verdict=report.verdict,
        order=w.VERDICTS.index(report.verdict),
        cause=w.main_thing(report),
        since=w.at(onset, report.run.step_unit) if onset is not None else "",
        p=report.p_failing,
        sure="" if report.p_failing is None else in_per_cent(report.p_failing),
        onset=onset,
        quality=next((s.last for s in report.signals if s.role == _JUDGE), None),
        lr_d=separating.number(settings.get("lr_d", shared)),
        lr_g=separating.number(settings.get("lr_g", shared)),
        d=curves.get("d_loss", ""),
        g=curves.get("g_loss", ""),
    )
