"""One run as a small piece of HTML, as a notebook shows it below a cell.

Styles stand in the elements, nothing is loaded and nothing runs; a dark page shows it as well.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from gandoctor.reporters import believing
from gandoctor.reporters import wording as w
from gandoctor.reporters.charts.spark import losses

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gandoctor.model.report import Report

_COLOURS: Final = {
    "failing": "#c0392b", "warning": "#b7791f", "inconclusive": "#6b7280", "healthy": "#2f855a",
}  # fmt: skip
_MOST_EVIDENCE: Final = 3
_MOST_CODE: Final = 2_000


def render(report: Report) -> str:
    """The card: verdict, headline, curves, first cause with its evidence, and the patch."""
    colour = _COLOURS[report.verdict]
    body = "".join(_parts(report, colour))
    return (
        f'<div style="border-left:4px solid {colour};padding:.3em 1em;max-width:60em;'
        f'font-family:sans-serif">{body}</div>'
    )


def _parts(report: Report, colour: str) -> Iterator[str]:
    name = escape(w.plain(report.run.name))
    onset = w.since(report)
    since = f" since {w.at(onset, report.run.step_unit)}" if onset is not None else ""
    yield f'<p><b style="color:{colour}">{report.verdict}</b>{since} <code>{name}</code><br>'
    yield f"{_text(w.headline(report))}</p>"
    if belief := believing.line(report):
        yield f'<p style="opacity:.75">{_text(belief)}</p>'
    yield from _curves(report)
    cases = w.cases(report)
    for case in cases[:1]:
        yield f"<p><b>{_text(case.diagnosis.title)}</b>. {_text(case.diagnosis.story)}</p>"
        pieces = w.strongest(case.leading, _MOST_EVIDENCE)
        yield "<ul>" + "".join(f"<li>{_text(e.text)}</li>" for e in pieces) + "</ul>"
        if case.patch is not None:
            yield f"<p>Try: <b>{_text(case.patch.title)}</b></p>"
            code = case.patch.diff or case.patch.snippet or ""
            if code and len(code) <= _MOST_CODE:
                yield f"<pre>{escape(w.visible(code))}</pre>"
    if cases[1:]:
        titles = "; ".join(_text(c.diagnosis.title) for c in cases[1:4])
        yield f'<p style="opacity:.75">Other possible causes: {titles}</p>'
    if not cases:
        for x in report.log_next:
            yield f"<p>Log next: {_text(x.title)}: <code>{_text(x.log_it)}</code></p>"


def _curves(report: Report) -> Iterator[str]:
    for _, tag, line in losses(report):
        yield f"<div><code>{_text(tag)}</code> {line}</div>"


def _text(text: str) -> str:
    return escape(w.plain(text))
