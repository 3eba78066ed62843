"""What the HTML pages say and hold: the line of the run, sums, groups, tables, charts to be read."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import report_examples as examples
from hypothesis import given
from hypothesis import strategies as st
from test_reporters import CHROMIUM, Page, browse

from gandoctor import api
from gandoctor.cli import occasion
from gandoctor.model.checkpoints import CheckpointNote, DrawnNote
from gandoctor.model.notes import BestNote
from gandoctor.model.report import NotChecked, Report, Stretch
from gandoctor.reporters import believing, charts, folder, html, timeline, unchecked

ASSETS = Path(html.__file__).parent / "assets"


def with_best(report: Report, step: int) -> Report:
    return dataclasses.replace(report, best=BestNote("eval/fid", "fid", step, 12.5))


# ---------------------------------------------------------------- the line of the run


def test_the_line_says_until_when_a_run_was_good_and_what_came_after_its_best_point():
    line = timeline.timeline(with_best(examples.dominance(), 1000))
    assert line is not None
    assert line.legend == (
        ("good", "good until iteration 420"),
        ("bad", "failing from there on"),
        ("waste", "wasted: 75 % of the run, after the best point"),
    )
    assert line.events == (
        ("iteration 420", "D's loss falls towards zero and stays there"),
        ("iteration 1,000", "best point: FID 12.5"),
        ("iteration 2,100", "G's gradient fades to a hundredth of its early size"),
    )
    good = re.search(r'class="tgood" x="0.00%" y="18" width="([\d.]+)%"', line.svg)
    assert good is not None
    assert float(good[1]) == pytest.approx(100 * 420 / 4000)
    assert re.search(r'class="twaste" x="25.00%"[^>]*width="75.00%"', line.svg)
    assert "onset 420" in line.svg
    assert "best 1,000" in line.svg


def test_without_a_judge_of_quality_what_came_after_the_onset_is_wasted():
    line = timeline.timeline(examples.dominance())
    assert line is not None
    assert line.legend[-1] == ("waste", "wasted: 90 % of the run, since the onset")


def test_regimes_stand_on_the_line():
    course = (Stretch(0, 995, "D leads"), Stretch(1000, 4000, "D has won"))
    line = timeline.timeline(dataclasses.replace(examples.dominance(), course=course))
    assert line is not None
    assert ("iteration 1,000", "D has won") in line.events
    assert re.search(r'class="tcut" x1="25.00%"', line.svg)


def test_of_a_healthy_run_nothing_was_wasted_and_of_an_open_one_nothing_is_known():
    good = timeline.timeline(with_best(examples.healthy(), 100))
    assert good is not None
    assert good.legend == (("good", "good to the end"),)
    open_ = timeline.timeline(examples.inconclusive())
    assert open_ is not None
    assert open_.legend == (("open", "not known"),)


def test_a_run_of_one_step_has_no_line():
    base = examples.dominance()
    assert timeline.timeline(dataclasses.replace(base, run=dataclasses.replace(
        base.run, first_step=5, last_step=5))) is None  # fmt: skip


@given(st.integers(-(2**62), 2**62), st.integers(-(2**62), 2**62))
def test_whatever_steps_a_report_holds_the_line_keeps_to_its_width(onset, best):
    base = with_best(examples.dominance(), best)
    found = dataclasses.replace(base.diagnoses[0], onset_step=onset)
    line = timeline.timeline(dataclasses.replace(base, diagnoses=(found,)))
    assert line is not None
    for share in re.findall(r'"(-?[\d.]+)%"', line.svg):
        assert 0 <= float(share) <= 100


def test_a_run_that_comes_to_nan_says_so_with_its_step(sample_logs):
    report = api.analyze(sample_logs / "nan-in-loss")
    assert report.why_verdict.startswith("NaN from step 122: ")
    assert api.analyze(sample_logs / "explosion").why_verdict.startswith("Exploding since step 35:")


def test_a_collapse_stands_in_the_headline_and_not_in_a_consequence_alone(sample_logs):
    report = api.analyze(sample_logs / "d-dominance")
    assert report.diagnoses[0].symptoms == ("discriminator-dominance", "mode-collapse")
    assert "Discriminator dominance, with mode collapse: D learns" in Page(html.render(report)).text


def test_the_healthy_page_says_where_it_was_best_what_spoke_for_it_and_what_was_not_looked_at():
    report = dataclasses.replace(
        with_best(examples.healthy(), 900),
        not_checked=(NotChecked("r", "R", "fid was not logged", "log fid", ("fid",)),),
    )
    said = Page(html.render(report)).text
    assert re.search(r"Best point \| FID 12.5 at \w+ 900", said)
    strongest = min((b for b in report.belief if b.evidence != "base-rate"), key=lambda b: b.nats)
    assert f"For it | {strongest.text}" in said
    assert "Not looked at | 1 rule; most wait for FID (1)" in said
    assert "For it |" not in Page(html.render(examples.dominance())).text


# ---------------------------------------------------------------- sums


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=40))
def test_numbers_that_are_told_come_to_the_sum_that_is_told(values):
    said = [float(s.replace("\u2212", "-")) for s in believing.adding_up(values)]
    assert sum(round(100 * v) for v in said) == round(100 * sum(values))
    assert max(abs(a - b) for a, b in zip(said, values, strict=True)) <= 0.0101


@pytest.mark.parametrize("huge", [[1e308, 1e308], [float("inf"), 1.0], [float("nan")]])
def test_numbers_without_hundredths_are_told_as_they_are(huge):
    assert len(believing.adding_up(huge)) == len(huge)


@pytest.mark.parametrize("name", ["dominance", "exploding", "hostile"])
def test_every_score_on_the_page_adds_up(name):
    source = html.render(examples.ALL[name]())
    tables = re.findall(r'<table class="reasons.*?</table>', source, re.DOTALL)
    assert tables
    for table in tables:
        told = re.findall(r'<td class="num">([^<]*)</td>', table)
        *pieces, together = [round(100 * float(n.replace("\u2212", "-"))) for n in told]
        assert sum(pieces) == together


def test_a_share_is_told_in_per_cent(sample_logs):
    said = [b.text for b in api.analyze(sample_logs / "d-dominance").belief]
    assert "100 % of the samples lie close to real data" in said
    assert not [text for text in said if re.match(r"1 of the ", text)]


# ---------------------------------------------------------------- causes, not checked, clear


def test_a_rival_shows_its_evidence_before_it_is_opened():
    source = html.render(examples.dominance())
    (summary,) = re.findall(r'<summary><span class="kicker">.*?</summary>', source, re.DOTALL)
    rival = examples.dominance().diagnoses[1]
    assert html.environment().from_string("{{ x }}").render(x=rival.reasons[0].text) in summary


def test_what_was_not_checked_is_grouped_by_what_is_missing():
    noise = "save(samples)"
    report = dataclasses.replace(examples.dominance(), not_checked=(
        NotChecked("a", "A", "kid was not logged", "log kid", ("kid",)),
        NotChecked("b", "B", "fid was not logged", "log fid", ("fid",)),
        NotChecked("c", "C", "fid was not logged", "log fid\nlog scores", ("fid", "x")),
        NotChecked("d", "D", "sample_noise was not logged", f"{noise}\n{noise}", ("sample_noise",)),
        NotChecked("e", "E", "sample_variety was not logged", noise, ("sample_variety",)),
        NotChecked("f", "F", "sample_noise was not logged", noise, ("sample_noise",)),
        NotChecked("g", "G", "the loss family is not known", ""),
    ))  # fmt: skip
    told = unchecked.groups(report)
    assert [(g.names, g.log_it, len(g.rules)) for g in told] == [
        ("noise in the samples, difference between samples", noise, 3),
        ("FID", "log fid\nlog scores", 2),
        ("KID", "log kid", 1),
        ("the loss family is not known", "", 1),
    ]
    assert told[-1].rules == (("g", "G", "the loss family is not known"),)
    source = html.render(report)
    assert source.count(f"<code>{noise}</code></pre>") == 1
    assert (
        "7 rules; most wait for noise in the samples and 1 more (3), FID (2), KID (1)"
        in unchecked.in_brief(report)
    )


def test_clear_is_told_in_words():
    base = examples.dominance()
    titles = dict.fromkeys(base.clear, "A loss became NaN or infinite")
    said = Page(html.render(dataclasses.replace(base, titles=titles))).text
    assert re.search(r"Looked for, and not found:\s+A loss became NaN or infinite\n", said)


def test_what_a_report_says_of_rules_comes_from_the_rule_book(sample_logs):
    report = api.analyze(sample_logs / "d-dominance")
    assert set(report.titles) == set(report.clear)
    fid = next(x for x in report.not_checked if x.rule == "quality-lost")
    assert fid.missing == ("fid",)
    assert report.best is not None
    assert report.best.role == "sample_coverage"
    assert Report.from_dict(report.to_dict()) == report


def test_samples_that_were_drawn_are_not_said_not_to_be():
    base = examples.healthy()
    file = CheckpointNote("g.pt", "torch", 5)
    drawn = DrawnNote("g.pt", "G", 5, "64 samples", "")
    without = Page(html.render(dataclasses.replace(base, checkpoints=(file,)))).text
    with_ = Page(html.render(dataclasses.replace(base, checkpoints=(file,), drawn=(drawn,)))).text
    assert "no code in them was run" in without
    assert "drawn by running the numbers of G" not in without
    assert "drawn by running the numbers of G" in with_


# ---------------------------------------------------------------- tables, paper and phone


def pages_of_all_kinds(sample_logs: Path) -> dict[str, str]:
    from gandoctor.compare import compare

    both = examples.dominance(), examples.healthy()
    index = dict(folder.pages(both))["index.html"]
    said = {"run": html.render(both[0]), "many": html.render_many(both), "folder": index}
    return {**said, "compare": html.render_comparison(compare(*both))}


def test_every_table_has_headers_and_stacks_with_labels_on_a_phone(sample_logs):
    for kind, source in pages_of_all_kinds(sample_logs).items():
        heads = re.findall(r"<th[ >].*?</th>", source)
        assert heads, kind
        assert not [h for h in heads if not re.sub(r"<[^>]*>", "", h).strip()], kind
        tables = re.findall(r"<table[^>]*>.*?</table>", source, re.DOTALL)
        for table in tables:
            assert re.match(r'<table class="(stack|reasons)', table), table[:80]
            for row in re.findall(r"<tr[^>]*><td.*?</tr>", table, re.DOTALL):
                cells = re.findall(r"<td([^>]*)>", row)
                bare = [c for c in cells[1:] if "data-l" not in c]
                # words that tell by themselves what they are: a verdict, a curve
                assert 'class="reasons' in table or all("word" in c or "spark" in c for c in bare)


def test_code_is_wrapped_and_no_heading_stands_alone_on_paper():
    style = (ASSETS / "report.css").read_text("utf-8")
    assert re.search(r"\.log \{[^}]*white-space: pre-wrap", style)
    paper = style[style.index("@media print") :]
    assert re.search(r"h1, h2, h3[^{]*\{ break-after: avoid; \}", paper)
    assert re.search(r"\.keep[^{]*\{ break-inside: avoid; \}", paper)
    source = html.render(examples.dominance())
    # a cause's title with its story, a missing signal with its code, the belief with its title
    assert re.search(r'<div class="keep">\s*<p class="kicker">.*?class="story"', source, re.DOTALL)
    assert re.search(r'<div class="keep"><b>[^<]*</b>.*?<pre class="log"', source)
    assert '<section class="card keep" id="belief">' in source
    for narrow in re.findall(r"@media ([^{]*max-width[^{]*)\{", style):
        assert narrow.startswith("screen and"), "paper is no phone"


# ---------------------------------------------------------------- on which occasion


def test_the_command_is_told_without_the_machine(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    occasion.typed([
        "analyze", "/home/joe/runs/one", "../two", "logs/three", "-o=/tmp/joe/x.html",
        "--train", "python /home/joe/train.py --out {out}", "C:\\Users\\joe\\four", "a b",
    ])  # fmt: skip
    told = occasion.occasion()
    occasion.typed([])
    assert told["date"] == "1970-01-02 00:00 UTC"
    assert "joe" not in told["command"]
    assert told["command"] == (
        "gandoctor analyze one ../two logs/three -o=x.html --train "
        "'python train.py --out {out}' four 'a b'"
    )
    assert occasion.occasion()["command"] == ""


def test_the_page_says_when_and_by_which_command_it_was_made(sample_logs, tmp_path):
    env = {**os.environ, "SOURCE_DATE_EPOCH": "86400"}
    out = tmp_path / "r.html"
    words = ["analyze", str(sample_logs / "healthy-wgan"), "-o", str(out), "-o", f"{tmp_path}/all/"]
    subprocess.run([sys.executable, "-m", "gandoctor", *words], env=env, check=False,
                   capture_output=True)  # fmt: skip
    for page in (out, tmp_path / "all" / "index.html", *(tmp_path / "all" / "runs").iterdir()):
        source = page.read_text("utf-8")
        assert "1970-01-02 00:00 UTC: <code>gandoctor analyze healthy-wgan -o r.html" in source
        assert str(tmp_path) not in source
        assert str(sample_logs) not in source


# ---------------------------------------------------------------- charts that can be read


def test_what_a_script_reads_back_is_what_was_logged():
    """As the page's script does: from the path and its scale to the values."""
    dice = np.random.default_rng(5)
    for values in (dice.random(50), np.geomspace(1e-4, 10, 50), np.r_[dice.random(49), -1e6]):
        line = charts.Line("a", np.arange(50.0), values)
        drawn = charts.draw(charts.Figure("t", "d", (line,)), "i")
        assert drawn is not None
        kind, low, high, knee, top, height = re.search(r'data-y="([^"]*)"', drawn.svg)[1].split()
        scale = charts.choose(values)
        assert kind == scale.kind
        assert float(knee) == scale.knee
        path = re.search(r'data-y="[^"]*" d="M(-?\d+) (-?\d+)l([^"]*)"', drawn.svg)
        moves = np.array(re.findall(r"-?\d+", path[3]), dtype=float).reshape(-1, 2)
        ys = (float(path[2]) + np.r_[0, np.cumsum(moves[:, 1])]) / 10
        share = 1 - (ys - float(top)) / float(height)
        want = scale.place(values)
        assert np.abs(share - want).max() < 0.05 / float(height) + 1e-9
        assert (float(low), float(high)) == pytest.approx((scale.low, scale.high), rel=1e-6)


HOVER = """<script>
const chart = document.querySelector("svg.chart");
const box = chart.getBoundingClientRect();
const send = (kind, share) => chart.dispatchEvent(new PointerEvent(kind, {
  clientX: box.left + share * box.width, clientY: box.top + 40, pointerType: "mouse", button: 0, bubbles: true }));
const [first, last, left, right] = chart.dataset.x.split(" ").map(Number);
const at = (step) => (left + (right - left) * (step - first) / (last - first)) / 480;
send("pointermove", at(2000));
const said = document.querySelector(".tip").innerText;
const crossed = document.querySelectorAll(".cross[visibility=visible]").length;
send("pointerdown", at(980)); send("pointermove", at(2020)); send("pointerup", at(2020));
const zoomed = document.querySelectorAll(".zoomed").length;
const ticks = [...chart.querySelectorAll(".ticks text")].map((t) => t.textContent).join(" ");
document.querySelector(".whole").click();
const left_zoomed = document.querySelectorAll(".zoomed").length;
document.querySelector(".legend button").click();
const hidden = getComputedStyle(chart.querySelector(".s1")).display;
const result = { said, crossed, zoomed, ticks, left_zoomed, hidden };
document.title = "RESULT" + JSON.stringify(result) + "END";
</script>"""


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here")
def test_the_charts_can_be_read_zoomed_and_thinned_out(tmp_path):
    report = examples.dominance()
    source = re.sub(r'<meta http-equiv="Content[^>]*>', "", html.render(report))
    page = tmp_path / "page.html"
    page.write_text(source.replace("</body>", HOVER + "</body>"), encoding="utf-8")
    document, _, _ = browse(page, tmp_path)
    told = re.search(r"RESULT(\{.*?\})END", document)
    assert told, document[-300:]
    seen = json.loads(told[1])
    step, d, g = seen["said"].split("\n")
    noisy = {"1": "Loss/D", "2": "Loss/G"}[re.search(r'class="line s(\d) raw"', source)[1]]
    assert step == "iteration 2,000"
    for said, tag in ((d, "Loss/D"), (g, "Loss/G")):
        value, name, middle = re.fullmatch(r"(\S+) (.*?)(?:, middle (.*))?", said).groups()
        series = report.series[tag]
        near = [v for s, v in zip(series.steps, series.values, strict=True) if abs(s - 2000) <= 15]
        assert name == tag
        assert 0.98 * min(near) <= float(value) <= 1.02 * max(near)
        around = [v for s, v in zip(series.steps, series.values, strict=True) if abs(s - 2000) < 99]
        assert (middle is not None) == (tag == noisy)
        assert middle is None or float(middle) == pytest.approx(np.median(around), rel=0.3)
    every = source.count('<svg class="chart"')
    assert seen["crossed"] == seen["zoomed"] == every
    assert seen["ticks"] == "1,000 1,500 2,000"
    assert (seen["left_zoomed"], seen["hidden"]) == (0, "none")


def test_nothing_in_the_script_makes_markup_of_text():
    script = (ASSETS / "report.js").read_text("utf-8")
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|eval|Function", script
    )
    assert shutil.which("node") is None or subprocess.run(
        ["node", "--check", str(ASSETS / "report.js")], check=False
    ).returncode == 0  # fmt: skip
