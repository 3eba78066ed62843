"""A comparison as text, JSON, Markdown or HTML.

It is no format of a report, so it has no NAME here.
"""

from __future__ import annotations

import json
import shutil
import textwrap
from typing import TYPE_CHECKING, Final

from gandoctor.errors import UsageError
from gandoctor.reporters import charts, choose, html, markdown
from gandoctor.reporters import wording as w
from gandoctor.reporters.figures import Picture, described
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gandoctor.model.comparison import Best, Comparison, Curve, Measure, Side

FORMATS: Final = ("html", "json", "markdown", "text")
TONES: Final = {"better": "healthy", "worse": "failing", "no clear change": "inconclusive"}
_COLOURS: Final = {
    "better": "1;32",
    "worse": "1;31",
    "no clear change": "1;36",
    "dim": "2",
    "title": "1",
}
BEST_SHOWN: Final = ("fid", "kid", "inception_score", "psnr_ssim", "lpips", "progress")
_MOST_PICTURES: Final = 9
_MOST_SETTINGS: Final = 12  # in a terminal
# The run before is orange and the run after blue, wherever both are drawn.
_BEFORE, _AFTER = 2, 1


def format_for(target: str, name: str | None = None) -> str:
    """The format of an output: by the suffix of `target`, or `name` where that tells nothing.

    Raises
    ------
    UsageError
        Where neither tells, or a comparison has no such format.
    """
    found = choose(target, name).NAME
    if found not in FORMATS:
        raise UsageError(
            f"a comparison has no format {found!r}", "--format", f"there are: {', '.join(FORMATS)}"
        )
    return found


def render(format_: str, c: Comparison, *, colour: bool = False) -> str:
    """Say a comparison in one of `FORMATS`; `colour` is for text alone."""
    says: dict[str, Callable[[Comparison], str]] = {
        "html": as_html,
        "json": as_json,
        "markdown": as_markdown,
        "text": lambda x: as_text(x, colour=colour),
    }
    return says[format_](c)


# ---------------------------------------------------------------- words of all formats


def headline(c: Comparison) -> str:
    """``Better``, ``Better, but still failing``, ``No clear change``."""
    said = c.answer.capitalize()
    if c.answer == "better" and c.before.verdict == c.after.verdict == "failing":
        return f"{said}, but still failing"
    return said


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    name: str
    before: str
    after: str
    said: str = ""


def rows(c: Comparison) -> Iterator[Row]:
    """The table of before and after, as text.

    Verdicts first, then losses and scores, then quality.
    """
    yield Row("verdict", c.before.verdict, c.after.verdict)
    yield Row("since", _since(c.before), _since(c.after))
    yield Row("last step", _last(c.before), _last(c.after))
    for m in c.measures:
        yield Row(m.title, _value(m, 0), _value(m, 1), m.answer)
        if m.role in BEST_SHOWN and m.best != (m.before, m.after):
            best = tuple("" if v is None else w.number(v) for v in m.best)
            yield Row(f"{m.title}, best", *best)


def table_note() -> str:
    """What the numbers in the table are."""
    return (
        "Values are medians over the last tenth of the points. Neither loss of a game is better "
        "when it is lower: "
        "losses, scores and gradients are shown, and have no say."
    )


def best_points(c: Comparison) -> list[str]:
    """Where each run was best, and what stopping there would have saved."""
    said = [
        f"{which}: {_best(side.best, side.step_unit)}"
        for which, side in (("before", c.before), ("after", c.after))
        if side.best is not None
    ]
    if c.caught_up is not None:
        said.append(f"after: as good as before ever at {w.at(c.caught_up, c.after.step_unit)}")
    return said


def changed(c: Comparison) -> list[tuple[str, str, str]]:
    """Key, old value and new value of each setting that differs."""
    return [(s.key, _or_unset(s.old), _or_unset(s.new)) for s in c.settings]


def _or_unset(value: str | None) -> str:
    return "not set" if value is None else value


def _best(best: Best, unit: str) -> str:
    where = f"{best.tag} {w.number(best.value)} at {w.at(best.step, unit)}"
    if not best.weak:
        return f"best {where}; stopping there saves {_share(best.share_after)} of the compute"
    said = "no quality metric was logged, so G's loss has to do"
    if best.share_after > 0.98:
        return f"{best.tag} was never lower than at its start ({said})"
    return f"lowest {where}; {_share(best.share_after)} of the run came after it ({said})"


def _share(share: float) -> str:
    return "none" if share == 0 else "under 1%" if share < 0.01 else f"{share:.0%}"


def _since(side: Side) -> str:
    return "" if side.since is None else w.at(side.since, side.step_unit)


def _last(side: Side) -> str:
    return w.at(side.last_step, side.step_unit)


def _value(m: Measure, which: int) -> str:
    value = (m.before, m.after)[which]
    return w.number(value) if m.tags[which] else "not logged"


# ---------------------------------------------------------------- text


def as_text(c: Comparison, *, colour: bool = False, width: int | None = None) -> str:
    """For a terminal."""
    room = max(
        40, width if width is not None else min(100, shutil.get_terminal_size((88, 24)).columns)
    )

    def paint(text: str, what: str) -> str:
        return f"\x1b[{_COLOURS[what]}m{text}\x1b[0m" if colour else text

    def wrapped(text: str, first: str = "", then: str = "") -> Iterator[str]:
        yield from textwrap.wrap(
            w.plain(text),
            room,
            initial_indent=first,
            subsequent_indent=then,
            break_on_hyphens=False,
        )

    def lines() -> Iterator[str]:
        names = f"{_short(c.before.name, room // 2 - 12)} -> {_short(c.after.name, room // 2 - 12)}"
        yield f"{paint(names, 'title')}: {paint(headline(c).upper(), c.answer)}"
        for reason in c.why:
            yield from wrapped(reason)
        yield ""
        shown = list(rows(c))
        margin = min(max(len(w.plain(r.name)) for r in shown), room // 3 + 8)
        columns = [
            max(8, *(len(x) for x in column))
            for column in zip(*((r.before, r.after) for r in shown), strict=True)
        ]
        yield paint(f"{'':{margin}}  {'before':>{columns[0]}}  {'after':>{columns[1]}}", "dim")
        for r in shown:
            yield (
                f"{_short(r.name, margin):{margin}}"
                f"  {r.before:>{columns[0]}}  {r.after:>{columns[1]}}"
                f"{'  ' + paint(r.said, r.said) if r.said else ''}"
            )
        yield ""
        for x in c.causes:
            kept = [k for k in x.confidence if k]
            said = f"{x.title} ({', then '.join(dict.fromkeys(kept))} confidence)"
            yield from wrapped(
                said + (f": {x.because}" if x.because else ""), f"cause {x.fate:12}", " " * 18
            )
        for key, old, new in changed(c)[:_MOST_SETTINGS]:
            yield from wrapped(f"{key}: {old} -> {new}", f"{'changed':18}", " " * 18)
        if len(c.settings) > _MOST_SETTINGS:
            yield (
                f"{'':18}and {len(c.settings) - _MOST_SETTINGS} more (--output FILE.html has them)"
            )
        for best in best_points(c):
            yield from wrapped(best, f"{'best point':18}", " " * 18)
        for caution in c.cautions:
            yield from wrapped(caution, f"{'keep in mind':18}", " " * 18)

    return "\n".join(line.rstrip() for line in lines()) + "\n"


def _short(text: str, most: int) -> str:
    text = w.plain(text)
    return text if len(text) <= most else text[: max(0, most - 3)] + "..."


# ---------------------------------------------------------------- JSON


def as_json(c: Comparison) -> str:
    """The value as it is, indented; a series stays on one line. ASCII only."""
    data = c.to_dict()
    curves = data.pop("curves")
    lines = ",\n".join(f"    {json.dumps(curve, allow_nan=False)}" for curve in curves)
    data["curves"] = []
    text = json.dumps(data, allow_nan=False, indent=2)
    end = '"curves": []\n}'
    return (text.removesuffix(end) + f'"curves": [\n{lines}\n  ]\n}}' if lines else text) + "\n"


# ---------------------------------------------------------------- Markdown


def as_markdown(c: Comparison) -> str:
    """For a pull request's comment."""
    say, code = markdown.words, markdown.code
    out = [
        f"{markdown.MARK}",
        f"### {say(c.before.name, 80)} → {say(c.after.name, 80)}: {headline(c).lower()}",
        "",
    ]
    out += [f"- {say(x)}" for x in c.why]
    out += ["", "| | before | after | |", "|---|---:|---:|---|"]
    out += [f"| {say(r.name, 80)} | {r.before} | {r.after} | {r.said} |" for r in rows(c)]
    out += ["", f"<sub>{table_note()}</sub>", ""]
    if c.causes:
        out += ["**Causes**", ""]
        out += [
            f"- {x.fate}: {say(x.title)}" + (f" ({say(x.because)})" if x.because else "")
            for x in c.causes
        ]
        out.append("")
    if c.settings:
        out += ["**Settings that differ**", "", "| key | before | after |", "|---|---|---|"]
        # A bar ends a cell even in a code span.
        out += [
            f"| {' | '.join(code(x).replace('|', '&#124;') for x in row)} |" for row in changed(c)
        ]
        out.append("")
    if points := best_points(c):
        out += ["**Best points**", "", *(f"- {say(x)}" for x in points), ""]
    out += ["**Keep in mind**", "", *(f"- {say(x)}" for x in c.cautions), ""]
    out.append(f"<sub>{html.made_with(c.version, c.rules_digest)}</sub>")
    return "\n".join(out) + "\n"


# ---------------------------------------------------------------- HTML


def as_html(c: Comparison) -> str:
    """One self-contained page, with the curves of both runs over each other."""
    pictures = list(_pictures(c))
    return html.page(
        "compare.html.j2",
        f"{headline(c)}: {c.before.name} to {c.after.name}",
        html.made_with(c.version, c.rules_digest),
        c=c,
        tone=TONES[c.answer],
        headline=headline(c),
        rows=[(r.name, r.before, r.after, r.said) for r in rows(c)],
        notes=[table_note()],
        changed=changed(c),
        best=best_points(c),
        head=pictures[0] if pictures else None,
        curves=pictures[1:],
    )


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
