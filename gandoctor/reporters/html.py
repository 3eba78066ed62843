"""The report as one self-contained HTML file.

No request, no script needed, light and dark, on paper and phone.

Whatever came from a run (tags, names, settings, diffs) is text: the templates escape it, what is
invisible in it is shown, and the page's own policy refuses every script and style but the two whose
hashes stand in it.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gandoctor.reporters import charts, views
from gandoctor.reporters import wording as w
from gandoctor.reporters.figures import Picture, described
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jinja2 import Environment

    from gandoctor.model.comparison import Comparison, Curve
    from gandoctor.model.report import Report

NAME = "html"
SUFFIX = ".html"

_HERE: Final = Path(__file__).parent
_LONGEST: Final = 4_000  # of one value: a tag of a megabyte is no name
_FINE_UP_TO: Final = 8  # a page of more runs has coarser curves, to stay small,
_WHOLE_UP_TO: Final = 20  # and shows only so many of them, from the worst on, in full

_TONES: Final = {"better": "healthy", "worse": "failing", "no clear change": "inconclusive"}
_MOST_PICTURES: Final = 9  # of a comparison
# The run before is orange and the run after blue, wherever both are drawn.
_BEFORE, _AFTER = 2, 1


@dataclass(frozen=True, slots=True)
class Made:
    """When a page was made, by which command, and with what."""

    date: str = ""
    command: str = ""
    tool: str = "gandoctor"

    def by(self, report: Report) -> Made:
        """The same, with what made the report."""
        return Made(self.date, self.command, w.made_with(report.version, report.rules_digest))


def render(report: Report, *, date: str = "", command: str = "") -> str:
    """One run as one page; `date` and `command` say on which occasion it was made."""
    title = f"{report.verdict}: {report.run.name}"
    return _page(title, [views.show(report)], [report], made=Made(date, command))


def render_many(reports: Sequence[Report], *, date: str = "", command: str = "") -> str:
    """Several runs as one page: a table of verdicts, the worst first, then each run.

    From the 21st on, in brief.
    """
    order = sorted(reports, key=lambda r: w.VERDICTS.index(r.verdict))
    detail = views.FULL if len(order) <= _FINE_UP_TO else views.COARSE
    runs = [
        views.show(report, f"r{i}-", 2, detail if i <= _WHOLE_UP_TO else views.BRIEF)
        for i, report in enumerate(order, 1)
    ]
    index = {"verdicts": w.verdicts(order), "thinned": _thinned(len(order), detail)}
    title = w.count(len(order), "run")
    return _page(title, runs, reports, index, made=Made(date, command))


def render_comparison(
    c: Comparison,
    *,
    shown: Sequence[tuple[str, str]] = (),
    date: str = "",
    command: str = "",
) -> str:
    """A comparison as one self-contained page, with the curves of both runs over each other.

    Parameters
    ----------
    c : Comparison
    shown : sequence of (str, str)
        Pictures of our own making to put above the table: title and SVG.
    date, command : str
        On which occasion it was made.
    """
    from markupsafe import Markup

    from gandoctor.reporters import comparison as say

    pictures = list(_pictures(c))
    return page(
        "compare.html.j2",
        f"{say.headline(c)}: {c.before.name} to {c.after.name}",
        Made(date, command, w.made_with(c.version, c.rules_digest)),
        c=c,
        tone=_TONES[c.answer],
        headline=say.headline(c),
        rows=[(r.name, r.before, r.after, r.said) for r in say.rows(c)],
        notes=[say.table_note()],
        changed=say.changed(c),
        best=say.best_points(c),
        head=pictures[0] if pictures else None,
        curves=pictures[1:],
        shown=[(title, Markup(svg)) for title, svg in shown],  # noqa: S704
    )


def _thinned(runs: int, detail: views.Detail) -> str:
    """What a page of many runs leaves out."""
    if detail is views.FULL:
        return ""
    said = (
        "Curves are drawn coarser than in a report of one run, and tables end after "
        f"{detail.rows} rows."
    )
    if runs > _WHOLE_UP_TO:
        said += (
            f" The first {_WHOLE_UP_TO} runs of this table are shown in full; of each other run "
            "the verdict, one "
            "chart, the likeliest cause and what to change first."
        )
    return said


def _page(
    title: str,
    runs: Sequence[views.ShownRun],
    reports: Sequence[Report],
    index: object = None,
    *,
    made: Made,
) -> str:
    made = made.by(reports[0]) if reports else made
    return page("page.html.j2", title, made, runs=runs, index=index)


def page(template: str, title: str, made: Made, **values: object) -> str:
    """A template that is a whole page, filled: `values` are what it shows.

    Style, script and policy are ours.
    """
    from markupsafe import Markup

    style, script = _assets()
    return (
        environment()
        .get_template(template)
        .render(
            policy=_policy(style, script),
            title=title,
            style=Markup(style),  # noqa: S704
            script=Markup(script),  # noqa: S704
            made=made,
            **values,
        )
    )


@functools.cache
def environment() -> Environment:
    """Our templates: a value is escaped unless it is markup; one that is not there is an error."""
    from jinja2 import Environment, StrictUndefined

    from gandoctor.reporters.compiled import Loader

    made = Environment(
        loader=Loader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_harmless,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters |= {
        "exact": _exact,
        "whole": _whole,
        "number": w.number,
        "picture": _picture_data,
        "thousands": "{:,}".format,
    }
    return made


def _harmless(value: object) -> object:
    """What a template is about to escape: what is invisible is shown, what is very long is cut.

    Markup stays.
    """
    if hasattr(value, "__html__"):
        return value
    said = str(value)
    return w.visible(said if len(said) <= _LONGEST else said[:_LONGEST] + " ...")


def _whole(code: str) -> str:
    """Code to be shown, however long it is."""
    from markupsafe import escape

    return escape(w.visible(code))


def _exact(value: str) -> str:
    """Text for a quoted attribute, byte for byte.

    An HTML reader turns a bare carriage return into a line feed.
    """
    from markupsafe import Markup, escape

    return escape(value).replace("\r", Markup("&#13;")).replace("\n", Markup("&#10;"))


def _picture_data(picture: str) -> str:
    """A PNG in base64 as the address of an image; a report may be anybody's: else an empty one."""
    from markupsafe import Markup

    plain = picture.isascii() and re.fullmatch(r"[A-Za-z0-9+/]+={0,2}", picture) is not None
    return Markup("data:image/png;base64," + picture) if plain else Markup("data:,")  # noqa: S704


@functools.cache
def _assets() -> tuple[str, str]:
    folder = _HERE / "assets"
    return (folder / "report.css").read_text("utf-8"), (folder / "report.js").read_text("utf-8")


def _policy(style: str, script: str) -> str:
    """The page's content security policy.

    Nothing is loaded, and only our own style and script run.
    """
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src "
        "data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(source: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()


def _pictures(c: Comparison) -> Iterator[Picture]:
    said: set[str] = set()
    for i, curve in enumerate(c.curves[:_MOST_PICTURES]):
        picture = _picture(c, curve, f"c{i}")
        if picture is None:
            continue
        notes = tuple(n for n in picture.said if n not in said or n != charts.SMOOTHED)
        said.update(notes)
        yield Picture(picture.drawing, picture.caption, said=notes)


def _picture(c: Comparison, curve: Curve, ident: str) -> Picture | None:
    from markupsafe import Markup

    lines = (
        charts.line_of(f"before: {curve.tags[0]}", curve.before, _BEFORE),
        charts.line_of(f"after: {curve.tags[1]}", curve.after, _AFTER),
    )
    unit = c.after.step_unit  # that of both, where there are curves
    title = curve.title[:1].upper() + curve.title[1:]
    drawing = charts.draw(
        charts.Figure(title, described(lines, unit), lines, unit=unit, zoom=False, together=True),
        ident,
    )
    if drawing is None:
        return None
    svg = Markup(drawing.svg)  # noqa: S704  every text in it was escaped where it was drawn
    return Picture(charts.Drawing(svg, drawing.legend, drawing.notes), title, said=drawing.notes)
