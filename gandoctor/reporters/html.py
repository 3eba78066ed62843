"""The report as one self-contained HTML file: no request, no script needed, light and dark, on paper and phone.

Whatever came from a run (tags, names, settings, diffs) is text: it is escaped, what is invisible in it is shown, and
the page's own policy refuses every script and style but the two whose hashes stand in it.
"""

from __future__ import annotations

import base64
import functools
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Final, LiteralString

from gandoctor.reporters import charts
from gandoctor.reporters import wording as w
from gandoctor.reporters.figures import Album, Picture
from gandoctor.reporters.markup import Markup, each, exact, fill, join, text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gandoctor.model.report import Diagnosis, Finding, Prescription, Report

NAME = "html"
SUFFIX = ".html"

_NOTHING: Final = Markup()
_MOST_PICTURES: Final = 6  # of one finding
_OPEN_UP_TO: Final = 8  # longer lists are folded
_MOST_ROWS: Final = 300  # of a table
_FINE_UP_TO: Final = 8  # a page of more runs has coarser curves, to stay small
_COARSE: Final = 110
_RISKS: Final = {"safe": "safe to apply", "trial": "worth a trial", "advice": "advice, by hand"}


def render(report: Report) -> str:
    """One run as one page."""
    run = _Run(report, "", 1)
    return _page(f"{report.verdict}: {report.run.name}", run.article(), [report])


def render_many(reports: Sequence[Report]) -> str:
    """Several runs as one page: a table of verdicts, the worst first, then each run in full."""
    order = sorted(reports, key=lambda r: w.VERDICTS.index(r.verdict))
    columns = charts.COLUMNS if len(order) <= _FINE_UP_TO else _COARSE
    runs = [_Run(report, f"r{i}-", 2, columns) for i, report in enumerate(order, 1)]
    title = w.count(len(reports), "run")
    return _page(title, join([_index(title, runs), *(run.article() for run in runs)]), reports)


# --- the page ---------------------------------------------------------------------------------------------------------


def _page(title: str, body: Markup, reports: Sequence[Report]) -> str:
    style, script = _assets()
    made_by = "gandoctor"
    if reports:
        digest = reports[0].rules_digest
        made_by = f"gandoctor {reports[0].version}" + (f", rules {digest}" if digest else "")
    page = fill(
        """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<link rel="icon" href="data:,">
<title>{title} - gandoctor</title>
<style>{style}</style>
</head>
<body>
<main>
<p class="brand"><b>gandoctor</b> training report</p>
{body}
</main>
<footer><p>{made_by}. Made from the log alone; nothing was sent anywhere.</p></footer>
<script>{script}</script>
</body>
</html>
""",
        policy=_policy(style, script),
        title=title,
        style=Markup(style),
        body=body,
        made_by=made_by,
        script=Markup(script),
    )
    return str(page)


@functools.cache
def _assets() -> tuple[str, str]:
    folder = Path(__file__).parent / "assets"
    return (folder / "report.css").read_text("utf-8"), (folder / "report.js").read_text("utf-8")


def _policy(style: str, script: str) -> str:
    """The page's content security policy: nothing is loaded, and only our own style and script run."""
    return (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(source: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()


def _index(title: str, runs: Sequence[_Run]) -> Markup:
    rows = join(
        fill(
            '<tr class="{verdict}"><td><a href="#{id}run">{name}</a></td><td class="word">{verdict}</td>'
            '<td class="when">{since}</td><td>{what}</td></tr>\n',
            verdict=run.report.verdict,
            id=run.id,
            name=run.report.run.name,
            since=run.when(w.since(run.report)),
            what=_what(run.report),
        )
        for run in runs
    )
    table = _table(("Run", "Verdict", "Since", "Cause"), rows)
    return fill(
        '<section class="card index"><h1 class="title">{title}</h1><p class="meta">{each}</p>{table}</section>',
        title=title,
        each=w.verdicts([run.report for run in runs]),
        table=table,
    )


def _what(report: Report) -> str:
    orphans = w.orphans(report)
    return report.diagnoses[0].title if report.diagnoses else orphans[0].title if orphans else ""


# --- one run ----------------------------------------------------------------------------------------------------------


class _Run:
    """One run's part of the page.

    Parameters
    ----------
    report : Report
    ident : str
        Prefix of its ids.
    level : int
        Level of its first heading.
    columns : int
        Fineness of the curves.
    """

    def __init__(self, report: Report, ident: str, level: int, columns: int = charts.COLUMNS) -> None:
        self.report = report
        self.id = ident
        self.level = level
        self.unit = report.run.step_unit
        self.album = Album(report, ident, columns)
        self.cases = w.cases(report)
        self._shown: set[str] = set()  # findings whose evidence stands on the page already

    def when(self, step: int | None) -> str:
        """``iteration 95``, or nothing."""
        return "" if step is None else w.at(step, self.unit)

    def head(self, depth: int, content: Markup, kind: str = "") -> Markup:
        """A heading, `depth` below the run's own."""
        opening = fill('<h{n} class="{kind}">' if kind else "<h{n}>", n=self.level + depth, kind=kind)
        return join([opening, content, fill("</h{n}>\n", n=self.level + depth)])

    def article(self) -> Markup:
        """Verdict first, then causes with their patches, then all the rest."""
        r = self.report
        pictures = self.album.overview()
        hero = next(pictures, None)
        rest = list(pictures)
        return fill(
            '<article class="run {verdict}" id="{id}run">\n{parts}</article>\n',
            verdict=r.verdict,
            id=self.id,
            parts=join([
                self.hero(hero),
                self.nav(bool(rest)),
                self.causes(),
                self.findings(),
                self.curves(rest),
                self.risks(),
                self.not_checked(),
                self.clear(),
                self.names(),
                self.settings(),
                self.sources(),
            ]),
        )  # fmt: skip

    # --- the verdict ---

    def hero(self, picture: Picture | None) -> Markup:
        r = self.report
        onset = w.since(r)
        since = (
            fill(' <span class="since">since {when}</span>', when=self.when(onset)) if onset is not None else _NOTHING
        )
        word = fill('<span class="word">{word}</span>{since}', word=r.verdict.capitalize(), since=since)
        facts = [self.try_first(), self.read(), self.objective()]
        return fill(
            '<header class="hero{alone}">\n<div class="verdict">\n<p class="name">{name}</p>\n{word}'
            '<p class="lede">{why}</p>\n<dl>\n{facts}</dl>\n</div>\n{picture}</header>\n',
            alone="" if picture else " alone",
            name=r.run.name,
            word=self.head(0, word),
            why=w.headline(r),
            facts=join(fill("<div><dt>{k}</dt><dd>{v}</dd></div>\n", k=k, v=v) for k, v in facts if v),
            picture=_figure(picture) if picture else _NOTHING,
        )

    def try_first(self) -> tuple[str, Markup]:
        first = next((p for c in self.cases if (p := w.first_patch(c.prescriptions))), None)
        if first is None:
            return "Try first", _NOTHING
        edits = join(
            fill(
                '<br><code>{key}</code> <del>{old}</del> <span aria-hidden="true">&rarr;</span> <ins>{new}</ins>',
                key=e.key,
                old=e.old,
                new=e.new,
            )
            for e in first.edits[:3]
        )
        link = fill('<a href="#{id}patch{n}">{title}</a>', id=self.id, n=self.number(first), title=first.title)
        return "Try first", join([link, edits])

    def read(self) -> tuple[str, Markup]:
        r = self.report
        said = [w.span(r.run.first_step, r.run.last_step, self.unit), w.count(len(r.signals), "signal")]
        if r.unmapped:
            said.append(f"{len(r.unmapped):,} not placed")
        lost = sum(s.lost is not None for s in r.run.sources)
        if lost:
            said.append(f"{w.count(lost, 'file')} read only in part")
        return "Read", text("; ".join(said))

    def objective(self) -> tuple[str, Markup]:
        o = self.report.run.objective
        led = fill("<br>G is led by <code>{by}</code>", by=o.led_by) if o.led_by else _NOTHING
        because = (
            fill('<ul class="because">{rows}</ul>', rows=each("<li>{x}</li>", o.because)) if o.because else _NOTHING
        )
        game = fill(
            '{game} <span class="muted">({confidence} confidence)</span>',
            game=w.game(self.report),
            confidence=o.confidence,
        )
        return "Objective", join([game, led, because])

    def nav(self, curves: bool) -> Markup:
        r = self.report
        links: list[tuple[str, str, int | None, bool]] = [
            ("causes", "Causes" if len(self.cases) > 1 else "Cause", None, bool(self.cases)),
            ("findings", "Findings", None, bool(w.orphans(r) or w.previews(r))),
            ("curves", "Curves", None, curves),
            ("risks", "Risks", len(r.risks), bool(r.risks)),
            ("open", "Not checked", len(r.not_checked), bool(r.not_checked)),
            ("clear", "Clear", len(r.clear), True),
            ("names", "Names", None, True),
            ("settings", "Settings", None, bool(r.settings)),
            ("read", "What was read", None, True),
        ]
        body = join(
            fill('<a href="#{id}{to}">{name}{n}</a>\n', id=self.id, to=to, name=name, n=_tally(n))
            for to, name, n, there in links
            if there
        )
        return fill('<nav aria-label="Sections">\n{body}</nav>\n', body=body)

    # --- causes ---

    def causes(self) -> Markup:
        if not self.cases:
            return _NOTHING
        cards = join(self.cause(case, first=i == 0) for i, case in enumerate(self.cases))
        return fill('<div id="{id}causes">\n{cards}</div>\n', id=self.id, cards=cards)

    def cause(self, case: w.Case, *, first: bool) -> Markup:
        d = case.diagnosis
        known = [f for f in (*case.leading, *case.consequences) if f.fingerprint in self._shown]
        fresh = [f for f in case.leading if f not in known]
        again = _NOTHING
        if known:
            titles = "; ".join(f.title for f in known)
            again = fill('<p class="meta">It would explain what is shown above, too: {titles}.</p>\n', titles=titles)
        body = fill(
            '{chips}<p class="story">{story}</p>\n{leading}{again}{reasons}{patches}{consequences}',
            chips=self.chips(d),
            story=d.story,
            leading=join(self.finding(f, 2) for f in fresh),
            again=again,
            reasons=self.reasons(d),
            patches=self.patches(case.prescriptions),
            consequences=self.consequences([f for f in case.consequences if f not in known]),
        )
        title = self.head(1, text(d.title), "title")
        kicker = "Most likely cause" if first else "Another cause" if fresh else "Another possible cause"
        if first or fresh:
            template: LiteralString = (
                '<section class="card {severity}">\n<p class="kicker">{kicker}</p>\n{title}{body}</section>\n'
            )
        else:  # another explanation of what is explained above: worth a line, and a look if that one fails
            template = (
                '<details class="card {severity}">\n<summary><span class="kicker">{kicker}</span>{title}</summary>\n'
                "{body}</details>\n"
            )
        return fill(template, severity=d.severity, kicker=kicker, title=title, body=body)

    def chips(self, d: Diagnosis) -> Markup:
        chips = [
            fill('<span class="chip sev">{x} severity</span>', x=d.severity),
            fill('<span class="chip">{x} confidence</span>', x=d.confidence),
        ]
        if d.onset_step is not None:
            chips.append(fill('<span class="chip">since {x}</span>', x=self.when(d.onset_step)))
        chips.append(each('<span class="chip">{x}</span>', d.symptoms, "\n"))
        chips.append(each('<span class="chip"><code>{x}</code></span>', d.settings, "\n"))
        return fill('<p class="chips">{chips}</p>\n', chips=join(chips, "\n"))

    def reasons(self, d: Diagnosis) -> Markup:
        if not d.reasons:
            return _NOTHING
        largest = max(abs(r.weight) for r in d.reasons) or 1.0
        rows = join(
            fill(
                '<tr><td>{bar}</td><td class="num">{weight}</td><td>{said}</td></tr>\n',
                bar=_bar(r.weight / largest),
                weight=f"{r.weight:+.2g}".replace("-", "\u2212"),
                said=r.text,
            )
            for r in d.reasons
        )
        return fill(
            '{head}<table class="reasons">\n{rows}</table>\n<p class="meta">Score {score}: the sum of these weights '
            "(log-odds, in nats) and of how common the cause is.</p>\n",
            head=self.head(2, text("What speaks for it, and against")),
            rows=rows,
            score=w.number(d.score),
        )

    def consequences(self, findings: Sequence[Finding]) -> Markup:
        if not findings:
            return _NOTHING
        n = w.count(len(findings), "consequence")
        body = join(self.finding(f, 2) for f in findings)
        return fill("<details><summary>{n} of it</summary>\n{body}</details>\n", n=n, body=body)

    # --- findings ---

    def findings(self) -> Markup:
        r = self.report
        cards = [("Found, with no cause to name", f) for f in w.orphans(r)]
        cards += [("From a rule on trial: it never decides", f) for f in w.previews(r)]
        if not cards:
            return _NOTHING
        body = join(
            fill(
                '<section class="card {severity}"><p class="kicker">{kicker}</p>{finding}</section>\n',
                severity="preview" if f.status == "preview" else f.severity,
                kicker=kicker,
                finding=self.finding(f, 1),
            )
            for kicker, f in cards
        )
        return fill('<div id="{id}findings">\n{body}</div>\n', id=self.id, body=body)

    def finding(self, f: Finding, depth: int) -> Markup:
        self._shown.add(f.fingerprint)
        network = fill(' <span class="chip">network {x}</span>', x=f.network) if f.network else _NOTHING
        pictures: list[Markup] = []
        said: list[Markup] = []
        for evidence in f.evidence:
            if evidence.truth == "unknown":
                reason = evidence.reason or evidence.text or evidence.clause
                said.append(fill('<li class="muted">Not known: {x}</li>', x=reason))
            elif evidence.truth == "true":
                picture = self.album.evidence(evidence, f) if len(pictures) < _MOST_PICTURES else None
                if picture is None:
                    said.append(fill("<li>{x}</li>", x=evidence.text or evidence.where))
                else:
                    pictures.append(_figure(picture))
        return fill(
            '<div class="finding">\n{title}<p class="meta">{symptom}{since}; {severity} severity, {confidence} '
            "confidence; rule <code>{rule}</code></p>\n{why}{pictures}{said}</div>\n",
            title=self.head(depth, join([text(f.title), network])),
            symptom=f.symptom,
            since=f" since {self.when(f.onset_step)}" if f.onset_step is not None else "",
            severity=f.severity,
            confidence=f.confidence,
            rule=f.rule,
            why=fill("<p>{x}</p>\n", x=f.why) if f.why else _NOTHING,
            pictures=_figures(pictures),
            said=fill('<ul class="said">{x}</ul>\n', x=join(said)) if said else _NOTHING,
        )

    # --- patches ---

    def number(self, p: Prescription) -> int:
        """Which prescription it is, counted from 1, as ``gandoctor patch --number`` does."""
        return 1 + next(i for i, other in enumerate(self.report.prescriptions) if other is p)

    def patches(self, prescriptions: Sequence[Prescription]) -> Markup:
        best = w.first_patch(prescriptions)
        ordered = sorted(prescriptions, key=lambda p: p is not best)
        return join(self.patch(p, lead=p is best) for p in ordered)

    def patch(self, p: Prescription, *, lead: bool) -> Markup:
        chip = fill('<span class="chip">{x}</span>', x="blocked" if p.blocked_by else _RISKS.get(p.risk, p.risk))
        where = fill("{id}patch{n}", id=self.id, n=self.number(p))
        body = self.change(p)
        if lead:
            title = self.head(2, fill("What to change: {title} {chip}", title=p.title, chip=chip))
            return fill('<div class="patch" id="{where}">\n{title}{body}</div>\n', where=where, title=title, body=body)
        return fill(
            '<details class="patch" id="{where}"><summary>Or: {title} {chip}</summary>\n{body}</details>\n',
            where=where,
            title=p.title,
            chip=chip,
            body=body,
        )

    def change(self, p: Prescription) -> Markup:
        """Everything about one prescription, below its title."""
        flags = " ".join(p.overrides)
        clean = not w.hides_something((p.diff or "") + flags + (p.snippet or ""))
        parts = []
        if p.blocked_by:
            parts.append(fill('<p class="blocked"><b>Blocked:</b> {x}</p>\n', x=p.blocked_by))
        if p.why:
            parts.append(fill("<p>{x}</p>\n", x=p.why))
        if p.diff:
            parts.append(_code(p.diff, _diff(p.diff), copies=clean, kind="diff"))
            if "\r\n" in p.diff:
                parts.append(Markup(
                    '<p class="meta">The file has CRLF line ends; a patch selected by hand loses them, the copy button '
                    "and <code>gandoctor patch</code> keep them.</p>\n"
                ))  # fmt: skip
        if flags:
            parts.append(fill('<p class="label">{x} the command line</p>\n', x="Or on" if p.diff else "On"))
            parts.append(_code(flags, text(flags, len(flags)), copies=clean))
        if p.snippet:
            parts.append(Markup('<p class="label">In the training loop</p>\n'))
            parts.append(_code(p.snippet, text(p.snippet, len(p.snippet)), copies=clean))
        if not clean:
            parts.append(Markup(
                '<p class="meta">It holds characters that cannot be seen, so it is not offered for copying; use '
                "<code>gandoctor patch</code>.</p>\n"
            ))  # fmt: skip
        if p.expect:
            parts.append(fill("<p><b>How to tell that it helped:</b> {x}</p>\n", x=p.expect))
        if p.trial:
            parts.append(fill("<p><b>Tried:</b> {x}</p>\n", x=p.trial))
        if p.diff and not p.blocked_by:
            parts.append(fill(
                '<p class="meta">Save it in the run\'s folder and <code>git apply</code> it there, or let '
                "<code>gandoctor patch RUN --number {n} --apply</code> do it.</p>\n",
                n=self.number(p),
            ))  # fmt: skip
        return join(parts)

    # --- the rest ---

    def curves(self, pictures: Sequence[Picture]) -> Markup:
        if not pictures:
            return _NOTHING
        return fill(
            '<section class="card" id="{id}curves">\n{title}{body}</section>\n',
            id=self.id,
            title=self.head(1, text("The run in curves"), "title"),
            body=_figures([_figure(p) for p in pictures]),
        )

    def sheet(self, ident: str, title: str, n: int, body: Iterable[Markup]) -> Markup:
        return fill(
            '<section class="sheet" id="{id}{ident}">\n{head}<div>\n{body}</div>\n</section>\n',
            id=self.id,
            ident=ident,
            head=self.head(1, fill("{title}{n}", title=title, n=_tally(n))),
            body=join(body),
        )

    def risks(self) -> Markup:
        risks = self.report.risks
        if not risks:
            return _NOTHING
        rows = join(
            fill("<li><b>{title}</b>{keys}<br>{said}</li>\n", title=x.title, said=x.text,
                 keys=each(" <code>{x}</code>", x.settings))
            for x in risks
        )  # fmt: skip
        lead = Markup('<p class="meta">Doubtful settings and blind spots. They never decide the verdict.</p>\n')
        return self.sheet("risks", "Risks", len(risks), [lead, fill('<ul class="plain">\n{x}</ul>\n', x=rows)])

    def not_checked(self) -> Markup:
        left = self.report.not_checked
        if not left:
            return _NOTHING
        rows = join(
            fill(
                '<li><b>{title}</b> <span class="muted">{rule}</span><br>{reason}{log}</li>\n',
                title=x.title,
                rule=x.rule,
                reason=x.reason,
                log=fill('<pre class="log" tabindex="0"><code>{x}</code></pre>', x=x.log_it) if x.log_it else _NOTHING,
            )
            for x in left
        )
        lead = Markup(
            '<p class="meta">What could not be decided is no pass. This is what was missing, and how to log it.</p>\n'
        )
        return self.sheet("open", "Not checked", len(left), [lead, fill('<ul class="plain">\n{x}</ul>\n', x=rows)])

    def clear(self) -> Markup:
        r = self.report
        body = [Markup("<p>No rule could be called clear.</p>\n")]
        if r.clear:
            body = [fill("<p>Looked for, and not found: {x}.</p>\n", x=each("<code>{x}</code>", r.clear, ", "))]
        if r.ignored:
            rows = join(fill("<li><code>{rule}</code>: {why}</li>", rule=x.rule, why=x.reason) for x in r.ignored)
            body.append(fill('<p class="label">Not asked, because you said so</p>\n<ul>{rows}</ul>\n', rows=rows))
        return self.sheet("clear", "Clear", len(r.clear), body)

    def names(self) -> Markup:
        r = self.report
        rows = join(
            fill(
                '<tr><td><code>{tag}</code></td><td><code>{role}</code>{more}</td><td class="num">{points}</td>'
                '<td class="num">{last}</td><td>{because}</td></tr>\n',
                tag=s.tag,
                role=s.role,
                more=(f" {s.network}" if s.network else "") + (" (validation)" if s.split == "val" else ""),
                points=f"{s.points:,}",
                last=w.number(s.last),
                because=s.because,
            )
            for s in r.signals[:_MOST_ROWS]
        )
        body = [_table(("Tag", "Role", "#Points", "#Last", "Because"), rows), _more(r.signals)] if rows else []
        if r.unmapped:
            tags = join(
                (fill("<code>{x}</code> ({n})", x=u.tag, n=f"{u.points:,}") for u in r.unmapped[:_MOST_ROWS]), ", "
            )
            body.append(fill(
                "<details{open}><summary>{n} not placed</summary>\n<p>{tags}</p>\n{more}"
                '<p class="meta">If one of them matters, say what it is: <code>--map ROLE=TAG</code>.</p></details>\n',
                open=" open" if len(r.unmapped) <= _OPEN_UP_TO else "",
                n=f"{len(r.unmapped):,}",
                tags=tags,
                more=_more(r.unmapped),
            ))  # fmt: skip
        return self.sheet("names", "How names were understood", len(r.signals), body)

    def settings(self) -> Markup:
        settings = self.report.settings
        if not settings:
            return _NOTHING
        rows = join(
            fill(
                "<tr><td><code>{name}</code></td><td><code>{value}</code></td><td><code>{key}</code></td><td>{where}</td></tr>\n",
                name=s.name,
                value=s.value,
                key=s.key,
                where=(s.file or "the log") + (f":{s.line}" if s.line else ""),
            )
            for s in settings[:_MOST_ROWS]
        )
        table = _table(("Setting", "Value", "Your key", "Where"), rows)
        return self.sheet("settings", "Settings understood", len(settings), [table, _more(settings)])

    def sources(self) -> Markup:
        run = self.report.run
        rows = join(
            fill(
                '<tr><td><code>{path}</code></td><td>{parser}</td><td class="num">{points}</td><td>{lost}</td></tr>\n',
                path=s.path,
                parser=s.parser,
                points=f"{s.points:,}",
                lost=s.lost or "nothing",
            )
            for s in sorted(run.sources, key=lambda s: s.lost is None)[:_MOST_ROWS]  # what was lost comes first
        )
        body = [_table(("File", "As", "#Values", "Lost"), rows), _more(run.sources)]
        if run.notes:
            body.append(fill("<ul>{x}</ul>\n", x=each("<li>{x}</li>", run.notes)))
        return self.sheet("read", "What was read", len(run.sources), body)


# --- small pieces -----------------------------------------------------------------------------------------------------


def _tally(n: int | None) -> Markup:
    return _NOTHING if n is None else fill(' <span class="n">{n}</span>', n=f"{n:,}")


def _more(rows: Sequence[object]) -> Markup:
    left = len(rows) - _MOST_ROWS
    return fill('<p class="meta">and {n} more, all in the JSON report</p>\n', n=f"{left:,}") if left > 0 else _NOTHING


def _table(columns: Sequence[str], rows: Markup) -> Markup:
    """A table that scrolls on its own where it is too wide; ``#`` marks a column of numbers."""
    head = join(
        fill('<th class="num">{x}</th>', x=c[1:]) if c.startswith("#") else fill("<th>{x}</th>", x=c) for c in columns
    )
    return fill(
        '<div class="wide" tabindex="0"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody></table>'
        "</div>\n",
        head=head,
        rows=rows,
    )


def _figures(figures: Sequence[Markup]) -> Markup:
    if not figures:
        return _NOTHING
    return fill('<div class="figures n{n}">\n{x}</div>\n', n=len(figures), x=join(figures))


def _figure(p: Picture) -> Markup:
    legend = join(fill('<li><i class="{kind}"></i>{name}</li>', kind=k, name=name) for k, name in p.drawing.legend)
    small = [fill("<code>{x}</code>", x=p.test)] if p.test else []
    small += [text(s) for s in p.said]
    return fill(
        '<figure>\n{svg}\n<ul class="legend" aria-hidden="true">{legend}</ul>\n'
        "<figcaption>{caption}{small}</figcaption>\n</figure>\n",
        svg=Markup(p.drawing.svg),
        legend=legend,
        caption=p.caption,
        small=fill(" <small>{x}</small>", x=join(small, "; ")) if small else _NOTHING,
    )


def _bar(share: float) -> Markup:
    """A bar to the right for what speaks for a cause, to the left for what speaks against it."""
    width = 34 * min(1.0, abs(share))
    return fill(
        '<svg class="bar" viewBox="0 0 72 12" aria-hidden="true"><path class="zero" d="M36 0V12"/>'
        '<rect class="{kind}" x="{x}" y="2" width="{width}" height="8" rx="1.5"/></svg>',
        kind="for" if share >= 0 else "against",
        x=f"{36 if share >= 0 else 36 - width:.1f}",
        width=f"{width:.1f}",
    )


def _code(raw: str, shown: Markup, *, copies: bool, kind: str = "text") -> Markup:
    """A block of code, with a button that is shown where scripts run."""
    button = fill('<button type="button" hidden data-copy="{x}">Copy</button>', x=exact(raw)) if copies else _NOTHING
    return fill(
        '<div class="code">{button}<pre class="{kind}" tabindex="0"><code>{shown}</code></pre></div>\n',
        button=button,
        kind=kind,
        shown=shown,
    )


def _diff(diff: str) -> Markup:
    """The diff with a class on each line; its text stays what it was, character by character (line ends apart)."""
    out = []
    kinds = {"+": "file", "-": "file", "@": "hunk"}
    for line in diff.replace("\r\n", "\n").removesuffix("\n").split("\n"):
        kind = kinds.get(line[:1], "same")
        if kind == "hunk":
            kinds |= {"+": "add", "-": "del"}  # what is added or taken away stands below a hunk's head
        out.append(fill('<span class="{kind}">{line}\n</span>', kind=kind, line=text(line, len(line))))
    return join(out)
