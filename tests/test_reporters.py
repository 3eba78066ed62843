"""Every format is made from the report alone; untrusted text stays text in all of them."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path

import jinja2
import numpy as np
import pytest
import report_examples as examples
from hypothesis import given, settings
from hypothesis import strategies as st

from gandoctor import reporters
from gandoctor.errors import UsageError
from gandoctor.model.belief import in_per_cent
from gandoctor.model.report import Edit, Evidence, Prescription, Report, Series
from gandoctor.reporters import believing, charts, wording
from gandoctor.reporters.charts.curves import middles
from gandoctor.reporters.problems import placed

GOLD = Path(__file__).parent / "gold"
VOID = {"meta", "link", "br", "path", "rect", "img", "input"}
html, text, check, markdown, as_json = (
    reporters.by_name(n) for n in ("html", "text", "check", "markdown", "json")
)


@pytest.fixture(params=sorted(examples.ALL))
def report(request: pytest.FixtureRequest) -> Report:
    return examples.ALL[request.param]()


# --- choosing a format
# ------------------------------------------------------------------------------------------------


def test_formats_are_found_by_name_and_by_suffix():
    assert {"check", "html", "json", "markdown", "text"} <= set(reporters.names())
    for suffix, name in {
        ".html": "html",
        ".HTM": "html",
        ".json": "json",
        ".txt": "text",
        ".md": "markdown",
    }.items():
        found = reporters.by_suffix(suffix)
        assert name == found.NAME


@pytest.mark.parametrize("call", [lambda: reporters.by_name("pdf"),
    lambda: reporters.by_suffix(".pdf"),
                                  lambda: reporters.by_suffix(""),
                                      lambda: reporters.choose("report"),
                                  lambda: reporters.choose("report.html", "pdf")])  # fmt: skip
def test_a_format_that_does_not_exist_is_an_error_with_a_hint(call):
    with pytest.raises(UsageError) as caught:
        call()
    assert "json" in caught.value.hint


def test_the_suffix_decides_and_the_name_only_where_it_tells_nothing():
    assert reporters.choose("a.html", "json").NAME == "html"
    assert reporters.choose("-", "json").NAME == "json"
    assert reporters.choose("report.out", "markdown").NAME == "markdown"
    assert reporters.choose("-").NAME == "text"


def test_options_reach_only_the_formats_that_know_them():
    report = examples.dominance()
    assert "\x1b[" in reporters.render(text, [report], colour=True, limit="runs/a")
    assert reporters.render(check, placed([report], "runs/a"), colour=True).startswith(
        "runs/a/config.yaml:12: high"
    )
    assert (
        json.loads(reporters.render(as_json, [report, report], colour=True))["schema"]
        == "gandoctor.reports/1"
    )


# --- JSON
# --------------------------------------------------------------------------------------------------

# The contract: keys and nesting. A list holds the shape of its items.
CONTRACT = {
    "schema": "", "version": "",
    "run": {"name": "", "path": "", "sources": [{"path": "", "parser": "", "points": 0,
    "lost": None}],
            "first_step": 0, "last_step": 0, "step_unit": "",
            "objective": {"family": "", "chance_d": 0.0, "confidence": "", "because": [""]}},
    "verdict": "",
    "signals": [{"tag": "", "role": "", "network": "", "split": "", "points": 0, "last": 0.0,
    "because": "",
                 "source": ""}],
    "unmapped": [{"tag": "", "points": 0}],
    "findings": [{"rule": "", "symptom": "", "severity": "", "confidence": "", "onset_step": 0,
    "fingerprint": "",
                  "explained_by": None,
                  "evidence": [{"clause": "", "text": "", "intervals": [[0, 0]], "margin": 0.0,
                  "signal": ""}]}],
    "diagnoses": [{"cause": "", "symptoms": [""], "severity": "", "confidence": "", "score": 0.0,
                   "reasons": [{"text": "", "weight": 0.0}], "onset_step": 0, "settings": [""],
                   "prescriptions": [""]}],
    "prescriptions": [{"remedy": "", "cause": "", "risk": "",
                       "edits": [{"file": "", "key": "", "old": "", "new": ""}], "diff": "",
                       "overrides": [""],
                       "snippet": None, "blocked_by": None, "trial": None}],
    "risks": [{"rule": "", "text": "", "settings": [""]}],
    "clear": [""],
    "not_checked": [{"rule": "", "reason": "", "log_it": ""}],
}  # fmt: skip


def assert_holds(data: object, shape: object, where: str = "report") -> None:
    if isinstance(shape, dict):
        assert isinstance(data, dict), where
        for key, inner in shape.items():
            assert key in data, f"{where}.{key}"
            assert_holds(data[key], inner, f"{where}.{key}")
    elif isinstance(shape, list):
        assert isinstance(data, list), where
        for item in data:
            assert_holds(item, shape[0], f"{where}[]")
    elif shape is not None and data is not None:
        assert isinstance(data, int | float if isinstance(shape, float) else type(shape)), where


def strict(source: str) -> dict:
    """Read JSON as a strict reader would: no NaN."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(source, parse_constant=refuse)


def test_json_follows_the_contract_and_round_trips(report):
    data = strict(as_json.render(report))
    assert_holds(data, CONTRACT)
    assert list(data)[:4] == ["schema", "version", "run", "verdict"]
    for series in data["series"].values():
        assert set(series) == {"steps", "values"}
        assert len(series["steps"]) == len(series["values"])
    assert Report.from_dict(data) == report


def test_json_of_several_runs():
    every = [make() for make in examples.ALL.values()]
    data = strict(as_json.render_many(every))
    assert data["schema"] == "gandoctor.reports/1"
    assert [Report.from_dict(run) for run in data["runs"]] == every
    assert strict(as_json.render_many([])) == {"schema": "gandoctor.reports/1", "runs": []}


def test_json_turns_what_is_not_finite_into_null():
    report = dataclasses.replace(
        examples.inconclusive(),
        findings=tuple(
            dataclasses.replace(f, evidence=(Evidence("c", "true", "t", margin=bad, share=bad),))
            for f, bad in zip(
                examples.dominance().findings, (float("nan"), float("-inf")), strict=True
            )
        ),
    )
    evidence = [f["evidence"][0] for f in strict(as_json.render(report))["findings"]]
    assert [e["margin"] for e in evidence] == [None, None]


finite = st.floats(allow_nan=False, allow_infinity=False)
words = st.text(max_size=12)


@settings(max_examples=40, deadline=None)
@given(
    name=words,
    tags=st.dictionaries(
        words, st.lists(st.tuples(st.integers(-(2**60), 2**60), st.none() | finite)), max_size=3
    ),
    diff=st.none() | words,
    weight=finite,
)
def test_any_report_round_trips_through_json(name, tags, diff, weight):
    base = examples.dominance()
    report = dataclasses.replace(
        base,
        run=dataclasses.replace(base.run, name=name, notes=(name,)),
        prescriptions=(
            Prescription(
                name, name, name, "safe", edits=(Edit(name, name, name, name),), diff=diff
            ),
        ),
        diagnoses=(dataclasses.replace(base.diagnoses[0], score=weight),),
        series={t: Series(tuple(s for s, _ in p), tuple(v for _, v in p)) for t, p in tags.items()},
    )
    assert Report.from_dict(strict(as_json.render(report))) == report
    assert as_json.render(report).isascii()


# --- text, check, markdown
# --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [40, 80, 120])
def test_the_summary_is_short_and_keeps_its_width(report, width):
    lines = text.render(report, width=width).splitlines()
    hints = (*report.log_next, *report.not_checked)
    snippets = {line for n in hints for line in n.log_it.splitlines()}
    filled = [line for line in lines if line[7:] not in snippets]  # code keeps its lines, whole
    assert max(map(len, filled)) <= width
    longest = 30 if "script" in report.run.name else 25  # hostile text fills every line it may have
    assert len(lines) <= longest or width < 80


def test_the_summary_says_what_matters():
    said = text.render(examples.dominance(), width=100)
    for piece in ("FAILING since iteration 420", "D learns too fast for G", "was below 0.1 on 97%",
    "trend 0.93",
                  "-  lr: 5.0e-03", "+  lr: 1.0e-04", "optimizer_d.lr=1.0e-04", "2 risks",
                  "2 rules not checked",
                  "--output"):  # fmt: skip
        assert piece in said
    assert said.count("Loss/D") > 1
    assert "HEALTHY" in text.render(examples.healthy())
    assert "loss_g.item()" in text.render(examples.inconclusive())


def test_colour_only_where_it_is_asked_for(report):
    bare = text.render(report, width=90)
    assert "\x1b" not in bare
    painted = text.render(report, width=90, colour=True)
    assert "\x1b[1;" in painted
    assert [
        re.sub(r"\x1b\[[\d;]*m", "", line).rstrip() for line in painted.splitlines()
    ] == bare.splitlines()


def test_the_summary_can_do_without_block_characters():
    assert text.render(examples.dominance(), blocks=False).isascii()
    assert "█" in text.render(examples.dominance(), blocks=True)


@settings(max_examples=60, deadline=None)
@given(st.text())
def test_no_line_format_lets_a_control_or_a_line_break_through(nasty):
    base = examples.dominance()
    report = dataclasses.replace(
        base,
        run=dataclasses.replace(base.run, name=nasty),
        diagnoses=(dataclasses.replace(base.diagnoses[0], title=nasty),),
        prescriptions=(
            dataclasses.replace(base.prescriptions[0], title=nasty, overrides=(nasty,)),
        ),
    )
    for said in (text.render(report, width=100), check.render(report)):
        assert all(c == "\n" or c.isprintable() for c in said)
    assert sum(not line.startswith("    ") for line in check.render(report).splitlines()) == 1


def test_check_prints_one_line_a_problem_at_the_setting_to_blame():
    report = examples.dominance()
    first, *indented = check.render_many(placed([report], "runs/a")).splitlines()
    assert first.startswith(
        "runs/a/config.yaml:12: high (medium confidence): D learns too fast for G since iteration "
        "420"
    )
    assert first.endswith("[discriminator-learning-rate-too-high] -> optimizer_d.lr=1.0e-04")
    assert indented[-1] == "    or: D is too strong for the data [discriminator-too-strong]"
    assert all(line.startswith("    ") for line in indented)
    file = "runs/a/events.out.tfevents.1716900000"
    log = check.render_many(placed([report], file, "runs/a"))
    assert log.startswith("runs/a/config.yaml:12:"), "a config stands beside the log, not below it"


def test_check_is_silent_on_a_healthy_run_and_only_on_it():
    assert check.render(examples.healthy()) == ""
    assert check.render(examples.inconclusive()).startswith(
        "run.csv: inconclusive: Too little was logged"
    )
    lone = dataclasses.replace(
        examples.dominance(), diagnoses=(), prescriptions=(), verdict="warning"
    )
    assert "[d-loss-collapses-early]" in check.render(lone)
    many = check.render_many(placed([examples.healthy(), examples.inconclusive()], "runs"))
    assert many.startswith("runs/run.csv: inconclusive")
    assert many.count("\n") == 1


def test_a_table_of_runs_puts_the_worst_first():
    every = [make() for make in examples.ALL.values()]
    rows = text.render_many(every, width=100).splitlines()
    verdicts = [line.split("  ")[1:] for line in rows[1:6]]
    assert "healthy" in str(verdicts[-1])
    assert rows[-1] == "5 runs: 3 failing, 1 inconclusive, 1 healthy"
    assert max(map(len, rows)) <= 100


def test_a_table_of_runs_is_aligned():
    short = [
        dataclasses.replace(r, run=dataclasses.replace(r.run, name="a"))
        for r in (examples.healthy(),) * 2
    ]
    head, row, *_ = text.render_many(short).splitlines()
    assert head.index("verdict") == row.index("healthy")


def test_what_was_lost_is_named():
    lost = [
        dataclasses.replace(s, path=f"log{i}.csv", lost=f"{i} rows")
        for s in examples.healthy().run.sources[:1]
        for i in range(4)
    ]
    report = dataclasses.replace(
        examples.healthy(), run=dataclasses.replace(examples.healthy().run, sources=tuple(lost))
    )
    assert "lost: log0.csv (0 rows); log1.csv (1 rows); of 2 more files" in text.render(
        report, width=100
    )
    assert "lost:" not in text.render(examples.healthy())


def outside_code(source: str) -> str:
    """Markdown without its code blocks and spans, by CommonMark's rule for fences."""
    out, fence = [], ""
    for line in source.split("\n"):
        run = re.match(r" {0,3}(`{3,})", line)
        if fence:
            if run and len(run[1]) >= len(fence) and line.strip() == run[1]:
                fence = ""
        elif run:
            fence = run[1]
        else:
            out.append(line)
    assert not fence, "a code block is left open"
    return re.sub(r"(?<![`\\])(`+)(?!`)(.+?)(?<!`)\1(?!`)", "", "\n".join(out))


def test_markdown_keeps_untrusted_text_as_text():
    said = markdown.render(examples.hostile())
    bare = outside_code(said)
    tags = set(re.findall(r"</?(\w+)", bare.replace(markdown.MARK, "")))
    assert tags <= {"details", "summary", "sub"}
    assert "\u202e" not in said
    assert "\x1b" not in said
    named = dataclasses.replace(
        examples.healthy(), why_verdict="@ada broke #12 :bug: http://a.b [x](y) | `c` GH-9 *b*"
    )
    line = outside_code(markdown.render(named))
    for alive in ("@ada", "#12", ":bug:", "http://", "[x](", "GH-9", " | ", " *b*"):
        assert alive not in line


def test_markdown_has_room_in_a_comment():
    long = dataclasses.replace(
        examples.dominance(), not_checked=examples.dominance().not_checked * 400
    )
    assert "and 740 more" in markdown.render(long)
    many = markdown.render_many([examples.dominance(), examples.hostile()] * 80)
    assert len(many) < 65_536
    assert "left out here for length" in many
    huge = dataclasses.replace(
        examples.hostile(), run=dataclasses.replace(examples.hostile().run, name="<" * 10**6)
    )
    assert len(markdown.render(huge)) < 65_536


# --- HTML
# --------------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """A page read back: its elements, whether they nest, and the text that shows."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.raw: dict[str, str] = {}
        self.shown: list[str] = []
        self._open: list[str] = []
        self.feed(source)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs), f"an attribute twice in <{tag}>"
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open[-1:] == [tag], f"</{tag}> closes {self._open[-3:]}"
        self._open.pop()
        if tag in {
            "p",
            "li",
            "tr",
            "dd",
            "figcaption",
            "pre",
            "summary",
            "h1",
            "h2",
            "h3",
            "h4",
            "title",
        }:
            self.shown.append("\n")
        elif tag in {"td", "th", "dt"}:
            self.shown.append(" | ")

    def handle_data(self, data):
        if self._open and self._open[-1] in {"style", "script"}:
            self.raw[self._open[-1]] = data
        elif "svg" not in self._open:
            self.shown.append(data)

    @property
    def text(self) -> str:
        return "".join(self.shown)

    def all(self, tag: str, cls: str = "") -> list[dict[str, str | None]]:
        return [
            a
            for t, a in self.elements
            if t == tag and (not cls or cls in (a.get("class") or "").split())
        ]


def test_html_is_well_formed_and_asks_for_nothing(report):
    page = Page(html.render(report))
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    for tag, attrs in page.elements:
        assert not [
            k
            for k in attrs
            if k.startswith("on") or k in {"style", "src", "srcset", "action", "xlink:href"}
        ], tag
        href = attrs.get("href")
        assert href is None or href == "data:," or href.removeprefix("#") in ids, href
    assert {t for t, _ in page.elements}.isdisjoint(
        {"img", "iframe", "object", "embed", "form", "base", "use", "image"}
    )
    for svg in page.all("svg", "chart"):
        assert svg["role"] == "img"
        assert set(svg["aria-labelledby"].split()) <= set(ids)


def test_the_policy_names_the_very_style_and_script(report):
    page = Page(html.render(report))
    assert len(page.all("script")) == len(page.all("style")) == 1
    policy = next(
        a["content"] for a in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy"
    )
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for tag in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256(page.raw[tag].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert "url(" not in page.raw["style"]
    assert "@import" not in page.raw["style"]


def test_html_says_things_in_order():
    said = Page(html.render(examples.dominance())).text
    order = ["Failing since iteration 420", "Try first", "5.0e-03", "Objective", ("loss: bce in "
                                                                                 "config.yaml"),
             "Most likely cause", "nearly all of its outputs are saturated", "was below 0.1 on 97%",
             "What speaks for it, and against", "+1.5", "optimizer_d.lr is 25 times", "\u22121",
             "What to change",
             "+  lr: 1.0e-04", "optimizer_d.lr=1.0e-04", "How to tell that it helped",
             "gandoctor patch RUN --number 1 --apply", "Or: Train D on every third step",
             "d_leads = ",
             "Blocked:", "1 consequence of it", "Not known: grad_clip", "Another possible cause",
             "The run in curves",
             "Doubtful settings", "What could not be decided is no pass", "fake.var(0)",
             "Looked for, and not found",
             "Not asked, because you said so", "How names were understood", "its partner is Loss/G",
             "2 not placed", "misc/queue_depth", "Settings understood", "config.yaml:12",
             "What was read",
             "2 of 312 rows have no number", "gandoctor 0.1.0, rules 3f1c9a0be27d"]  # fmt: skip
    at = 0
    for piece in order:
        assert piece in said[at:], piece
        at = said.index(piece, at)


def test_a_healthy_page_has_its_word_its_curves_and_no_patch():
    page = Page(html.render(examples.healthy()))
    assert "Healthy" in page.text
    assert "since" not in page.text.split("Objective")[0]
    assert len(page.all("svg", "chart")) == 2
    assert "What to change" not in page.text
    assert not page.all("section", "high")


def test_html_shows_untrusted_text_and_runs_none_of_it():
    source = html.render(examples.hostile())
    page = Page(source)
    assert page.text.count(examples.SCRIPT) > 20
    assert "\\u202egnp.exe" in page.text
    assert "red\\x1b[31m" in page.text
    assert "\\ud800" in page.text
    for hidden in ("\u202e", "\u2066", "\x1b", "\x07", "\x00", "\u0085", "\ud800"):
        assert hidden not in source
    assert source.encode("utf-8")
    assert not page.all("img")


@settings(max_examples=40, deadline=None)
@given(st.text())
def test_any_text_comes_back_as_it_was_or_made_visible(nasty):
    base = examples.inconclusive()
    tag = f"t{nasty}"
    report = dataclasses.replace(
        base,
        run=dataclasses.replace(base.run, name=f"<<{nasty}>>", notes=(nasty,)),
        signals=(dataclasses.replace(base.signals[0], tag=tag),),
        series={tag: base.series["d"]},
    )
    page = Page(html.render(report))
    assert f"<<{wording.visible(nasty)}>>" in page.text


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_the_copy_button_holds_is_the_diff_byte_for_byte(end):
    base = examples.dominance()
    diff = (
        "--- a/c.yaml\n+++ b/c.yaml\n@@ -1,3 +1,3 @@\n a: \"x & <y>\"\n-\tlr: '1'\n+\tlr: 2\n "
        "--- z\n"
    ).replace("\n", end)
    patch = dataclasses.replace(base.prescriptions[0], diff=diff)
    page = Page(html.render(dataclasses.replace(base, prescriptions=(patch,))))
    buttons = page.all("button")
    assert buttons[0]["data-copy"] == diff
    assert "hidden" in buttons[0], "shown by the script alone: without it, it would do nothing"
    assert diff.replace("\r\n", "\n") in page.text, "without script the patch is selected by hand"
    assert ("CRLF" in page.text) == (end == "\r\n")


def test_what_cannot_be_seen_is_not_offered_for_copying():
    base = examples.dominance()
    patch = dataclasses.replace(
        base.prescriptions[0], diff="--- a/c\n+++ b/c\n@@ -1 +1 @@\n-a\n+b\u202ec\n", overrides=()
    )
    page = Page(html.render(dataclasses.replace(base, prescriptions=(patch,))))
    assert not page.all("button")
    assert "+b\\u202ec" in page.text


def test_a_page_stays_small_whatever_was_logged():
    base = examples.dominance()
    report = dataclasses.replace(
        base,
        run=dataclasses.replace(base.run, name="x" * 10**6, sources=base.run.sources * 2000),
        signals=base.signals * 2000,
        unmapped=base.unmapped * 20_000,
        settings=base.settings * 5000,
    )
    page = html.render(report)
    assert len(page) < 500_000
    assert "and 39,700 more" in page
    assert "2 of 312 rows have no number" in page, "what was lost is never cut off"


def test_a_page_of_several_runs():
    every = [make() for make in examples.ALL.values()]
    page = Page(html.render_many(every))
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    assert [a["href"] for a in page.all("a") if str(a["href"]).endswith("run")] == [
        f"#r{i}-run" for i in range(1, 6)
    ]
    assert {f"r{i}-run" for i in range(1, 6)} <= set(ids)
    assert page.text.count("Most likely cause") == 3
    assert Page(html.render_many([])).text.count("no runs")


def test_a_page_of_a_hundred_runs_is_thinned_and_says_so():
    every = [
        examples.ALL[name]() for name in ("healthy", "dominance", "inconclusive", "exploding")
    ] * 25
    source = html.render_many(every)
    assert len(source.encode()) < 2_000_000
    page = Page(source)
    ids = [a["id"] for _, a in page.elements if "id" in a]
    assert len(ids) == len(set(ids))
    assert {str(a["href"])[1:] for a in page.all("a")} <= set(ids)
    assert "The first 20 runs of this table are shown in full" in page.text
    assert page.text.count("In brief.") == 80
    assert page.text.count("Most likely cause") == 50
    runs = source.split("<article ")[1:]
    whole, brief = Page("<article " + runs[0]), Page("<article " + runs[20])
    assert len(whole.all("svg", "chart")) > 3
    assert len(brief.all("svg", "chart")) == 1
    assert "What to change: " in brief.text, "what a failing run needs first is never left out"
    assert re.search(r"has also .*2 risks, 2 rules not checked", brief.text), (
        "what is left out is counted"
    )
    assert "In brief." not in Page(html.render_many(every[:20])).text


def test_the_template_engine_is_loaded_only_for_a_page():
    code = (
        "import sys; from gandoctor import reporters; reporters.names();"
        "print({'jinja2', 'markupsafe'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_templates_escape_all_they_are_given_and_miss_nothing():
    folder = Path(reporters.__file__).parent / "templates"
    said = "".join(file.read_text("utf-8") for file in folder.glob("*.j2"))
    assert "page.html.j2" in {file.name for file in folder.iterdir()}
    assert not re.search(r"\|\s*safe|autoescape|Markup", said), (
        "markup is marked where it is made, in Python"
    )
    assert not re.search(r"<\w[^<>{}]*=\{\{", said), "an attribute without quotes"
    render = html.environment().from_string
    assert render("{{ x }}").render(x="<b>\u202e\x1b'\"&") == "&lt;b&gt;\\u202e\\x1b&#39;&#34;&amp;"
    with pytest.raises(jinja2.UndefinedError):
        render("{{ x.y }}").render(x={})


def test_orphans_and_rules_on_trial_stand_apart():
    base = examples.dominance()
    first, second = base.findings
    trial = dataclasses.replace(second, status="preview", explained_by=None, fingerprint="other")
    report = dataclasses.replace(
        base, diagnoses=(), prescriptions=(), findings=(first, trial), verdict="warning"
    )
    said = Page(html.render(report)).text
    assert "Found, with no cause to name" in said
    assert "it never decides" in said
    assert "Most likely cause" not in said
    assert wording.since(report) == 420


def colours(theme: str) -> dict[str, str]:
    css = (Path(reporters.__file__).parent / "assets" / "report.css").read_text()
    blocks = re.findall(r":root \{([^}]*)\}", css)
    light, dark = (dict(re.findall(r"--([\w]+): (#\w{6})\b", block)) for block in blocks[:2])
    return light if theme == "light" else light | dark


def contrast(a: str, b: str) -> float:
    """Contrast ratio of WCAG 2.2, https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_can_be_told_apart(theme):
    c = colours(theme)
    for paper in ("bg", "card", "soft"):
        for ink in ("ink", "muted", "link", "failing", "warning", "healthy", "inconclusive"):
            assert contrast(c[ink], c[paper]) >= 4.5, (ink, paper)
    assert contrast(c["add"], c["addbg"]) >= 4.5
    assert contrast(c["del"], c["delbg"]) >= 4.5
    for curve in ("s1", "s2", "s3", "s4", "axis", "heldbar"):
        assert contrast(c[curve], c["card"]) >= 3, curve


def test_twelve_charts_of_two_thousand_points_are_quick_and_small():
    base = examples.dominance()
    rng = np.random.default_rng(0)
    steps = np.arange(0, 40_000, 20)
    tags = [f"s{i}" for i in range(12)]
    series = {t: examples.series(steps, np.exp(rng.standard_normal(2000))) for t in tags}
    held = tuple((int(a), int(a) + 30) for a in steps[::10])
    evidence = tuple(
        Evidence(t, "true", t, "x > 1", held, (0, 40_000), 0.5, 0.1, t, 1.0, "", (t,)) for t in tags
    )
    findings = tuple(
        dataclasses.replace(f, evidence=part)
        for f, part in zip(base.findings, (evidence[:6], evidence[6:]), strict=True)
    )
    report = dataclasses.replace(base, findings=findings, series=series, signals=())
    spent = []
    for _ in range(3):
        start = time.process_time()
        page = html.render(report)
        spent.append(time.process_time() - start)
    assert page.count('<svg class="chart"') == 12
    assert len(page) < 300_000
    assert min(spent) < 0.25  # 0.02 s on an idle core; a busy machine stretches even processor time


# --- charts
# --------------------------------------------------------------------------------------------------


def curve(values, steps=None, name="a", colour=1) -> charts.Line:
    values = np.asarray(values, dtype=np.float64)
    steps = np.arange(len(values)) if steps is None else np.asarray(steps)
    return charts.Line(name, steps.astype(np.float64), values, colour)


def figure(*lines: charts.Line, **more) -> charts.Drawing:
    drawing = charts.draw(charts.Figure("t", "d", lines, **more), "x")
    assert drawing is not None
    return drawing


def rects(drawing: charts.Drawing, cls: str) -> list[tuple[float, float]]:
    found = re.findall(
        rf'<rect class="{cls}" x="([\d.]+)" y="[\d.]+" width="([\d.]+)"', drawing.svg
    )
    return [(float(x), float(x) + float(width)) for x, width in found]


def test_window_intervals_threshold_and_onset_are_drawn_where_they_are():
    level = charts.Level(0.5, "threshold 0.5", "threshold", "a")
    d = figure(
        curve(np.linspace(0, 1, 101)),
        window=(20, 100),
        held=((50, 60), (60, 80)),
        levels=(level,),
        onset=50,
    )
    (window,), held, (bar,) = rects(d, "window"), rects(d, "held"), rects(d, "heldbar")
    assert held == [bar], "intervals that touch on paper are one"
    left, right = window[0], window[1]
    scale = (right - left) / 80
    assert bar[0] == pytest.approx(left + 30 * scale, abs=0.2)
    onset = float(re.search(r'class="onset" d="M([\d.]+)', d.svg)[1])
    assert onset == pytest.approx(left + 30 * scale, abs=0.2)
    assert 'class="threshold"' in d.svg
    assert "threshold 0.5" in d.svg
    assert "onset 50" in d.svg
    assert [kind for kind, _ in d.legend] == ["k1", "kwindow", "kheld"]


def test_a_level_far_outside_the_data_does_not_flatten_it():
    far = charts.Level(1e6, "far", "threshold", "a")
    assert 'class="threshold"' not in figure(curve(np.linspace(0.4, 0.6, 50)), levels=(far,)).svg


def test_the_scale_is_logarithmic_only_where_that_helps_and_says_so():
    assert charts.choose(np.linspace(0.5, 1.5, 100)).kind == "linear"
    assert charts.choose(np.linspace(-3, 3, 100)).kind == "linear"
    assert charts.choose(np.geomspace(1e-4, 1, 100)).kind == "log"
    assert charts.choose(np.r_[np.ones(99), 1e4]).kind == "log", (
        "one peak would flatten all the rest"
    )
    assert charts.choose(np.r_[np.linspace(-1, 1, 99), -1e6]).kind == "symlog"
    assert "log scale" in figure(curve(np.geomspace(1e-4, 1, 100))).svg
    assert "log scale" not in figure(curve(np.linspace(0, 1, 100))).svg


def test_curves_share_a_scale_only_where_both_can_be_read():
    d, g = (
        curve(np.linspace(0.62, 0.13, 30)),
        curve(np.linspace(14.2, 16.4, 30), name="g", colour=2),
    )
    apart = figure(d, g)
    assert "each curve on its own scale" in apart.notes
    together = figure(d, curve(np.linspace(0.3, 0.9, 30), name="g", colour=2))
    assert "each curve on its own scale" not in together.notes
    scores = figure(
        curve(1 - np.geomspace(0.5, 0.005, 200)), curve(np.geomspace(0.5, 0.005, 200), name="f")
    )
    assert "each curve on its own scale" not in scores.notes
    assert "log scale" not in scores.svg


def test_a_window_that_is_a_sliver_of_the_run_is_zoomed_in_on():
    line = curve(np.cos(np.arange(2000) / 50), steps=np.arange(0, 40_000, 20))
    d = figure(line, window=(0, 1000), held=((200, 1000),), unit="iterations")
    assert any(n.startswith("zoomed in on iterations 0 to") for n in d.notes)
    assert not figure(line, window=(0, 1000), zoom=False).notes
    assert not any("zoomed" in n for n in figure(line, window=(20_000, 40_000)).notes)
    few = curve([1, 2, 3, 4, 5], steps=[0, 10_000, 20_000, 30_000, 40_000])
    assert not any("zoomed" in n for n in figure(few, window=(0, 1000)).notes), (
        "nothing would be left to see"
    )


def test_what_is_not_finite_leaves_a_gap_and_a_mark():
    values = np.r_[np.ones(40), np.full(20, np.nan), np.ones(40)]
    d = figure(curve(values))
    (bad,) = rects(d, "bad")
    assert bad[1] - bad[0] > 50
    assert ("kbad", "not finite") in d.legend
    path = re.search(r'<path class="line s1"[^>]* d="([^"]+)"', d.svg)[1]
    assert path.count("M") == 2, "the pen is lifted over the gap"


def test_a_signal_that_was_never_finite_is_all_mark_and_no_line():
    d = figure(curve([np.nan, np.nan, np.nan]), curve([1, 2, 3], name="g", colour=2))
    assert 'class="line s1"' not in d.svg
    assert 'class="line s2"' in d.svg
    assert ("kbad", "not finite") in d.legend


def test_few_points_are_dots_and_noise_gets_its_middle():
    assert 'class="dots' in figure(curve([3, 1, 2])).svg
    noisy = figure(curve(np.random.default_rng(1).standard_normal(1000)))
    assert " raw" in noisy.svg
    assert charts.SMOOTHED in noisy.notes
    assert 'class="dots' not in noisy.svg
    assert " raw" not in figure(curve(np.sin(np.arange(1000) / 99))).svg


def test_the_bold_line_of_a_thinned_curve_does_not_jump_between_its_extremes():
    values = np.random.default_rng(2).standard_normal(200_000)
    steps, kept = charts.thin(np.arange(len(values)), values)
    _, y, spread = middles(steps.astype(float), kept, 90)
    assert spread > 2
    assert np.abs(y).max() < 0.5


def places(path: str) -> list[float]:
    """Every coordinate that a path of ours goes through, on the picture's own scale."""
    scale = 0.1 if "scale(.1)" in path else 1.0
    out = []
    for part in re.findall(r"M[^M]*", path.split(' d="')[1].rstrip('"')):
        start, *rest = re.split("[lhHvV]", part)
        at = np.array([float(n) for n in re.findall(r"-?\d+\.?\d*", start)])
        out.append(at)
        if "l" in part:
            moves = np.array([float(n) for n in re.findall(r"-?\d+", rest[0])]).reshape(-1, 2)
            out.append((at + np.cumsum(moves, axis=0)).ravel())
        elif rest:
            out.append(np.array([float(n) for n in re.findall(r"-?\d+\.?\d*", rest[0])]))
    return [float(c) * scale for c in np.concatenate(out)]


number_or_gap = (
    st.floats(width=64, allow_nan=True, allow_infinity=True) | st.just(0.0) | st.floats(-2, 2)
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.lists(number_or_gap, min_size=1, max_size=40), min_size=1, max_size=5),
    st.lists(st.integers(-5, 60), min_size=2, max_size=2).map(sorted),
    st.none() | st.floats(allow_nan=False, allow_infinity=False),
)
def test_any_series_can_be_drawn(every, window, threshold):
    lines = tuple(
        charts.line_of(
            f"l{i}",
            Series(tuple(range(len(v))), tuple(x if np.isfinite(x) else None for x in v)),
            1,
        )
        for i, v in enumerate(every)
    )
    levels = (charts.Level(threshold, "t", "threshold", "l0"),) if threshold is not None else ()
    a, b = window
    d = charts.draw(charts.Figure("t", "d", lines, "epochs", levels, (a, b), ((a, b),), a), "x")
    assert d is not None
    assert not re.search(r"nan|inf\b", re.sub(r"<(title|desc).*?</\1>", "", d.svg), re.IGNORECASE)
    assert all(
        -20 <= c <= 620 for path in re.findall(r'<path[^>]* d="[^"]*"', d.svg) for c in places(path)
    )
    charts.sparkline(Series(tuple(range(len(every[0]))), lines[0].values.tolist()), 20)


@settings(max_examples=100, deadline=None)
@given(st.floats(-1e12, 1e12), st.floats(1e-9, 1e12), st.integers(2, 8))
def test_ticks_are_round_few_and_inside(low, spread, about):
    high = low + spread
    ticks = charts.nice(low, high, about)
    assert len(ticks) <= 3 * about
    slack = 1e-6 * max(abs(low), abs(high), spread)
    assert all(low - slack <= t <= high + slack for t in ticks)
    assert ticks == sorted(ticks)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (0, "0"),
        (0.05, "0.05"),
        (1.5, "1.5"),
        (20_000, "20k"),
        (3e6, "3M"),
        (1e-5, "1e-5"),
        (-2.5e10, "-2.5e10"),
        (1000, "1k"),
    ],
)
def test_tick_labels(value, said):
    assert charts.tick(value) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [(0.0, "0"), (1.38629, "1.39"), (4000.0, "4,000"), (0.00012, "1.2e-4"), (1234.5, "1,234"), (2e9,
        "2e9"),
     (float("nan"), "not finite"), (None, "not finite"), (-0.5, "-0.5"), (123456.7, "123,457"),
     (999.96, "1,000")],
)  # fmt: skip
def test_numbers_for_people(value, said):
    assert wording.number(value) == said


@settings(max_examples=60, deadline=None)
@given(st.lists(number_or_gap, min_size=1, max_size=400), st.integers(6, 60))
def test_thinning_keeps_the_extremes_and_every_kind_of_point(values, most):
    y = np.array(values)
    steps, thinned = charts.thin(np.arange(len(y)), y, most)
    assert len(thinned) <= max(most, 0) or len(y) <= most
    np.testing.assert_array_equal(y[steps], thinned)
    finite = y[np.isfinite(y)]
    if finite.size:
        assert thinned[np.isfinite(thinned)].max() == finite.max()
        assert thinned[np.isfinite(thinned)].min() == finite.min()
    assert np.isfinite(thinned).all() == np.isfinite(y).all()


def test_a_sparkline_shows_the_shape_in_its_width():
    rise = examples.series(np.arange(1000), np.linspace(0, 1, 1000))
    line = charts.sparkline(rise, 16)
    assert len(line) == 16
    assert list(line) == sorted(line)
    assert line[0] == "▁"
    assert line[-1] == "█"
    broken = examples.series(np.arange(100), np.r_[np.ones(50), np.full(50, np.nan)])
    assert charts.sparkline(broken, 10).endswith("xxxxx")


# --- the belief
# --------------------------------------------------------------------------------------------------


def test_the_waterfall_begins_where_the_piece_before_ended_and_ends_at_the_belief():
    for made in (examples.dominance(), examples.healthy(), examples.hostile()):
        *pieces, last = believing.waterfall(made)
        nats = [float(b.nats.replace("\u2212", "-")) for b in pieces]
        total = sum(b.nats for b in made.belief)
        assert sum(nats) == pytest.approx(total, abs=0.011 * len(nats))
        assert (last.kind, pieces[0].kind) == ("sum", "base")
        assert in_per_cent(made.p_failing) in last.text
        edge = float(pieces[0].zero)
        for bar, value in zip(pieces, nats, strict=True):
            left, right = float(bar.x), float(bar.x) + float(bar.width)
            start, end = (left, right) if value > 0 else (right, left)
            assert start == pytest.approx(edge, abs=2)
            assert 0 <= left <= right <= believing.WIDTH
            edge = end
        assert [b.kind for b in pieces[1:]] == ["against" if n > 0 else "for" for n in nats[1:]]


def test_small_pieces_are_told_together():
    rows = believing.told(examples.healthy().belief)
    assert len(rows) == 2 + believing.MOST
    assert rows[-1] == ("3 smaller pieces", pytest.approx(-0.39))
    assert "smaller" not in str(believing.told(examples.dominance().belief))
    sizes = [abs(nats) for _, nats in rows[1:-1]]
    assert sizes == sorted(sizes, reverse=True)


def test_one_line_says_how_sure_and_why():
    said = (
        "failing, 94 %: D's loss falls towards zero and stays there (+1.51); G's loss changed "
        "by 7.9 times its"
    )
    assert said[:70] in text.render(examples.dominance(), width=100)
    assert said in markdown.render(examples.dominance())
    assert believing.line(examples.exploding()) == ""
    assert "Belief" not in Page(html.render(examples.exploding())).text


def test_a_healthy_report_says_what_spoke_for_health():
    said = believing.line(examples.healthy())
    assert said.startswith(
        "healthy, 6 % for a failure: the last FID is 1 times the best (\u22120.98)"
    )
    page = Page(html.render(examples.healthy())).text
    assert "How the verdict came about" in page
    assert "3 smaller pieces" in page
    assert "together: 6 % sure that the run has failed" in page


def test_a_run_in_which_nothing_is_certain_is_not_said_to_be():
    sure = dataclasses.replace(examples.healthy(), p_failing=0.0001)
    assert "under 1 %" in believing.line(sure)
    assert "over 99 %" in believing.line(dataclasses.replace(sure, p_failing=0.99999))


def test_what_to_log_next_is_told_with_its_line_of_code():
    line = 'writer.add_scalar("eval/fid", fid.compute().item(), step)'
    for said in (
        text.render(examples.inconclusive(), width=100),
        markdown.render(examples.inconclusive()),
    ):
        assert line in said
    page = Page(html.render(examples.inconclusive())).text
    assert "What to log next" in page
    assert page.index("What to log next") < page.index("Not checked")
    assert line in page


# --- golden reports
# --------------------------------------------------------------------------------------------------


def scrubbed(said: str) -> str:
    """Without what depends on the machine or changes with every release."""
    said = re.sub(r"[▁▂▃▄▅▆▇█x]{9,}", "<curve>", said)
    said = re.sub(r"gandoctor \d+\.\d+\.\d+", "gandoctor <version>", said)
    return (
        re.sub(
            r"\n[ \n]*\n", "\n\n", "\n".join(line.rstrip() for line in said.splitlines())
        ).strip()
        + "\n"
    )


def page_in_words(report: Report) -> str:
    return re.sub(r"\n\s*\n+", "\n", Page(html.render(report)).text)


@pytest.mark.parametrize("name", ["dominance", "healthy", "inconclusive", "exploding", "hostile"])
@pytest.mark.parametrize(
    ("suffix", "say"),
    [
        ("txt", lambda r: text.render(r, width=88, blocks=True)),
        ("check", check.render),
        ("md", markdown.render),
        ("html.txt", page_in_words),
    ],
)
def test_golden_reports(name, suffix, say):
    """Compare with what was looked at and found good; GANDOCTOR_GOLD=write replaces it."""
    said = scrubbed(say(examples.ALL[name]()))
    file = GOLD / f"{name}.{suffix}"
    if os.environ.get("GANDOCTOR_GOLD") == "write":
        file.write_text(said, encoding="utf-8")
    assert said == file.read_text("utf-8")


# --- in a browser
# --------------------------------------------------------------------------------------------------

CHROMIUM = next(
    (p for n in ("chromium", "chromium-browser", "google-chrome") if (p := shutil.which(n))), None
)


def browse(page: Path, folder: Path) -> tuple[str, list[str], set[str]]:
    """Open a page in Chromium.

    The document after its script, console messages, addresses the page itself asked for.
    """
    log = folder / "net.json"
    done = subprocess.run(
        [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
            "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-extensions",
         f"--user-data-dir={folder / 'profile'}", "--enable-logging=stderr", "--v=0",
         f"--log-net-log={log}",
         "--dump-dom", page.as_uri()],
        capture_output=True, text=True, timeout=60, check=False, errors="replace",
    )  # fmt: skip
    asked = set()
    for line in log.read_text(errors="replace").splitlines():
        by, url = (re.search(rf'"{key}":"([^"]*)"', line) for key in ("initiator", "url"))
        if by and url and by[1] != "not an origin":  # the browser's own requests have no origin
            asked.add(url[1])
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line], asked


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
def test_a_browser_finds_nothing_to_complain_about_and_asks_for_nothing(tmp_path):
    page = tmp_path / "report.html"
    page.write_text(html.render_many([make() for make in examples.ALL.values()]), encoding="utf-8")
    document, complaints, asked = browse(page, tmp_path)
    assert complaints == []
    assert asked == set()
    assert document.count("<script>") == 1
    buttons = re.findall(r"<button[^>]*data-copy[^>]*>", document)
    assert buttons
    assert not [b for b in buttons if " hidden" in b.split("data-copy")[0]], (
        "our own script runs under the policy"
    )


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
def test_the_browser_would_notice(tmp_path):
    """The control: a page that does ask and does complain is caught.

    The policy stops a script that got in.
    """
    page = tmp_path / "report.html"
    source = html.render(examples.inconclusive())
    page.write_text(
        source.replace("</main>", '<script>document.title = "got in"</script></main>'),
        encoding="utf-8",
    )
    document, complaints, _ = browse(page, tmp_path)
    assert any("Content Security Policy" in c for c in complaints)
    assert "<title>got in" not in document
    loose = re.sub(r'<meta http-equiv="Content[^>]*>', "", source)
    page.write_text(
        loose.replace("</main>", '<img src="http://127.0.0.1:9/x.png"></main>'), encoding="utf-8"
    )
    assert browse(page, tmp_path)[2] == {"http://127.0.0.1:9/x.png"}
