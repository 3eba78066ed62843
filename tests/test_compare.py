"""``gandoctor compare``: better, worse or no clear change.

Where two runs cannot tell, it says so.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import fields, replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import report_examples as examples
from hypothesis import given
from hypothesis import strategies as st

from gandoctor import compare as comparing
from gandoctor import reporters
from gandoctor.api import Options
from gandoctor.compare import compare
from gandoctor.errors import InputError, UsageError
from gandoctor.lexicon import reading
from gandoctor.model.comparison import Comparison
from gandoctor.model.report import (
    Diagnosis,
    Finding,
    NotChecked,
    ObjectiveNote,
    Report,
    RunNote,
    Series,
    SettingNote,
    SignalNote,
)
from gandoctor.reporters import comparison, html, text
from gandoctor.reporters import json as json_format

RULES = {"d-wins": "discriminator-dominance", "g-dies": "vanishing-generator-gradient"}


def cli(*args: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "gandoctor", *map(str, args)],
        capture_output=True, text=True, cwd=cwd, timeout=120, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr + done.stdout
    return done


def made(
    *fired: str,
    verdict: str = "",
    clear: tuple[str, ...] | None = None,
    not_checked: tuple[str, ...] = (),
    onset: int = 100,
    last: int = 1000,
    unit: str = "iterations",
    family: str = "nonsaturating",
    settings: dict[str, str] | None = None,
    **curves: object,
) -> Report:
    """A report with these rules fired; `curves` are role -> values, evenly over the run."""
    signals, series = [], {}
    for role, values in curves.items():
        tag = f"log/{role}"
        steps = np.linspace(1, last, len(values)).astype(int)
        kept = tuple(None if v is None or not np.isfinite(v) else float(v) for v in values)
        signals.append(
            SignalNote(tag, role, "", "", len(kept), kept[-1], f"{tag}: lower is better", "log.csv")
        )
        series[tag] = Series(tuple(int(s) for s in steps), kept)
    findings = tuple(
        Finding(r, RULES[r], f"Rule {r}", "high", "medium", onset, f"{r}:x") for r in fired
    )
    diagnoses = tuple(
        Diagnosis(
            f"cause-of-{r}",
            f"Cause of {r}",
            "",
            (RULES[r],),
            "high",
            "medium",
            1.0,
            (),
            onset,
            (),
            (r,),
        )
        for r in fired
    )
    return Report(
        RunNote(
            "run", first_step=1, last_step=last, step_unit=unit, objective=ObjectiveNote(family)
        ),
        verdict or ("failing" if fired else "healthy"),
        signals=tuple(signals),
        settings=tuple(
            SettingNote(k, v, f"my.{k}", "c.yaml", 1)
            for k, v in (settings or {"lr_d": "0.1"}).items()
        ),
        findings=findings,
        diagnoses=diagnoses,
        clear=tuple(set(RULES) - set(fired) - set(not_checked)) if clear is None else clear,
        not_checked=tuple(
            NotChecked(r, f"Rule {r}", "x was not logged", "log x") for r in not_checked
        ),
        series=series,
    )


# ---------------------------------------------------------------- real runs


@pytest.fixture(scope="module")
def cured(sample_logs: Path) -> Comparison:
    return comparing.run(
        sample_logs / "d-dominance", sample_logs / "healthy-nonsaturating", Options()
    )[0]


def test_a_cured_run_is_better_and_says_why(cured: Comparison) -> None:
    assert cured.answer == "better"
    assert (cured.before.verdict, cured.after.verdict) == ("failing", "healthy")
    assert "from failing to healthy" in cured.why[0]
    assert {c.fate for c in cured.causes} == {"gone"}
    changed = {s.key: (s.old, s.new) for s in cured.settings}
    assert changed["discriminator.optimizer.lr"] == ("0.002", "0.001")
    assert changed["generator.optimizer.lr"] == ("0.0001", "0.001")
    assert any(f"{len(changed)} settings differ" in c for c in cured.cautions)
    losses = {m.role: m for m in cured.measures}
    assert losses["d_loss"].before < 0.1
    assert losses["d_loss"].after > 1.0
    assert losses["d_loss"].answer == losses["g_loss"].answer == ""
    assert losses["sample_coverage"].answer == "better"
    assert losses["fid"].tags == ("", "Quality/FID")
    assert losses["fid"].answer == "", "logged in one of the runs alone"


def test_the_other_way_round_is_worse(sample_logs: Path) -> None:
    found, report = comparing.run(
        sample_logs / "healthy-nonsaturating", sample_logs / "d-dominance", Options()
    )
    assert found.answer == "worse"
    assert {c.fate for c in found.causes} == {"new"}
    assert report.verdict == "failing"


def test_the_same_run_twice_is_no_change(sample_logs: Path, tmp_path: Path) -> None:
    shutil.copytree(sample_logs / "slow-d-dominance", tmp_path / "again")
    found, _ = comparing.run(sample_logs / "slow-d-dominance", tmp_path / "again", Options())
    assert found.answer == "no clear change"
    assert {c.fate for c in found.causes} == {"still there"}
    assert found.settings == ()
    assert any("No setting that gandoctor understands differs" in c for c in found.cautions)


@pytest.mark.parametrize(
    ("pair", "fail_on", "code"),
    [
        (("d-dominance", "healthy-hinge"), (), 0),
        (("healthy-hinge", "nan-in-loss"), (), 1),
        (("healthy-hinge", "nan-in-loss"), ("--fail-on", "never"), 0),
        (("healthy-hinge", "nowhere"), (), 2),
    ],
)
def test_the_exit_code_is_that_of_the_run_after(
    sample_logs: Path, pair: tuple[str, str], fail_on, code: int
) -> None:
    done = cli("compare", *(sample_logs / name for name in pair), *fail_on)
    assert done.returncode == code
    if code == 2:
        assert len(done.stderr.strip().splitlines()) == 1


def test_every_output_is_written_in_the_format_of_its_suffix(
    sample_logs: Path, tmp_path: Path
) -> None:
    outputs = [
        x for suffix in ("html", "json", "md", "txt") for x in ("-o", tmp_path / f"c.{suffix}")
    ]
    done = cli("compare", sample_logs / "d-dominance", sample_logs / "healthy-hinge", *outputs)
    assert done.returncode == 0, done.stderr
    assert "BETTER" in done.stdout
    assert json.loads((tmp_path / "c.json").read_text())["answer"] == "better"
    assert (tmp_path / "c.html").read_text().startswith("<!doctype html>")
    assert "| verdict | failing | healthy |" in (tmp_path / "c.md").read_text()
    assert "BETTER" in (tmp_path / "c.txt").read_text()
    assert not any(str(sample_logs.parent) in f.read_text() for f in tmp_path.iterdir()), (
        "no absolute path"
    )


def test_a_folder_of_runs_is_no_run(sample_logs: Path, tmp_path: Path) -> None:
    for name in ("explosion", "nan-in-loss"):
        shutil.copytree(sample_logs / name, tmp_path / name)
    with pytest.raises(InputError, match="holds 2 runs"):
        comparing.run(tmp_path, tmp_path / "explosion", Options())


def test_a_format_it_does_not_have() -> None:
    with pytest.raises(UsageError, match="html, json, markdown, text"):
        reporters.choose_for_comparison("-", "check")
    assert reporters.choose_for_comparison("-", "markdown").NAME == "markdown"
    assert reporters.choose_for_comparison("a.htm").NAME == "html"


# ---------------------------------------------------------------- a pair written for this test


def written(folder: Path, lr_d: str, fid: list[float]) -> Path:
    """Two losses at chance, FID every hundredth step, and a config."""
    folder.mkdir()
    rng = np.random.default_rng(3)
    rows = ["step,d_loss,g_loss,fid"]
    for i in range(1, 1001):
        d, g = 1.38 + 0.05 * rng.standard_normal(2)
        rows.append(f"{i},{d:.4f},{g - 0.69:.4f},{fid[i // 100 - 1] if i % 100 == 0 else ''}")
    (folder / "log.csv").write_text("\n".join(rows) + "\n")
    (folder / "config.yaml").write_text(
        f"loss: nonsaturating\nlr_d: {lr_d}\nlr_g: 0.0002\nbatch_size: 64\n"
    )
    return folder


def test_a_written_pair(tmp_path: Path) -> None:
    one = written(tmp_path / "one", "0.0008", [90, 70, 60, 50, 40, 44, 52, 60, 70, 80])
    two = written(tmp_path / "two", "0.0002", [80, 55, 39, 35, 31, 29, 27, 26, 25.5, 25])
    found, _ = comparing.run(one, two, Options())
    assert [(s.key, float(s.old), float(s.new)) for s in found.settings] == [("lr_d", 8e-4, 2e-4)]
    fid = next(m for m in found.measures if m.role == "fid")
    assert (fid.before, fid.after, fid.best, fid.answer) == (80, 25, (40, 25), "better")
    assert (found.before.best.step, found.before.best.value) == (500, 40)
    assert found.before.best.share_after == pytest.approx(500 / 999)
    assert (found.after.best.step, found.after.best.share_after) == (1000, 0)
    assert found.caught_up == 300, "39 is the first that is at least as good as 40"
    assert found.answer == "better"
    shown = text.render_comparison(found)
    assert "best fid 40 at iteration 500; stopping there saves 50% of the compute" in " ".join(
        shown.split()
    )


# ---------------------------------------------------------------- what counts, and what does not


def test_losses_have_no_say() -> None:
    found = compare(
        made(d_loss=[1.4] * 20, g_loss=[9.0] * 20), made(d_loss=[0.7] * 20, g_loss=[0.1] * 20)
    )
    assert found.answer == "no clear change"
    assert found.why == ("Both runs are healthy.", "No measure of quality was logged in both runs.")


@pytest.mark.parametrize(
    ("role", "old", "new", "answer"),
    [
        ("fid", 40, 30, "better"), ("fid", 30, 40, "worse"), ("fid", 40, 38, "no clear change"),
        ("inception_score", 7, 9, "better"), ("inception_score", 9, 7, "worse"),
        ("kid", 0.02, 0.01, "better"), ("psnr_ssim", 28, 30, "better"), ("psnr_ssim", 28, 28.2,
        "no clear change"),
        ("lpips", 0.3, 0.2, "better"), ("sample_coverage", 0.3, 0.9, "better"),
        ("sample_coverage", 0.85, 0.9, "no clear change"), ("sample_shift", 0.2, 0.9, "worse"),
        ("progress", 2.0, 1.0, "better"),
    ],
)  # fmt: skip
def test_quality_decides_between_equal_verdicts(
    role: str, old: float, new: float, answer: str
) -> None:
    found = compare(made(**{role: [old] * 20}), made(**{role: [new] * 20}))
    assert found.answer == answer
    assert next(m for m in found.measures if m.role == role).answer == answer


def test_a_restless_metric_has_to_differ_by_more() -> None:
    wild, calm = [20, 60] * 10, [30.0] * 20
    assert compare(made(fid=wild), made(fid=calm)).answer == "no clear change"
    assert compare(made(fid=[41, 39] * 10), made(fid=calm)).answer == "better"


def test_better_at_the_end_but_not_at_its_best_is_told_apart() -> None:
    found = compare(
        made(fid=[60, 20, 20, 20, 60, 80, 80, 80, 80, 80]),
        made(fid=[60, 40, 40, 40, 40, 40, 40, 40, 40, 40]),
    )
    assert found.answer == "no clear change"
    assert "at its best 20 before, 40 after" in found.why[1]


def test_a_run_that_ends_in_nan_is_no_better() -> None:
    assert (
        compare(made(fid=[50.0] * 10), made(fid=[50.0] * 5 + [20.0] * 4 + [None])).answer == "worse"
    )
    assert compare(made(fid=[None] * 10), made(fid=[None] * 10)).answer == "no clear change"


def test_verdict_and_quality_that_disagree_are_no_clear_change() -> None:
    found = compare(made("d-wins", fid=[30.0] * 20), made(fid=[60.0] * 20))
    assert found.answer == "no clear change"
    assert found.why[0] == "The verdict says better, and quality says worse."


def test_judges_of_quality_that_disagree() -> None:
    found = compare(
        made(fid=[30.0] * 20, lpips=[0.2] * 20), made(fid=[20.0] * 20, lpips=[0.4] * 20)
    )
    assert found.answer == "no clear change"
    assert found.why[-1] == "These judges of quality disagree."


def test_still_failing_is_said_beside_better() -> None:
    found = compare(made("d-wins", fid=[60.0] * 20), made("d-wins", fid=[30.0] * 20))
    assert found.answer == "better"
    assert comparison.headline(found) == "Better, but still failing"


def test_symptoms_decide_where_nothing_else_does() -> None:
    assert compare(made("d-wins", "g-dies"), made("d-wins")).answer == "better"
    assert compare(made("d-wins"), made("d-wins", "g-dies")).answer == "worse"
    assert compare(made("d-wins"), made("g-dies")).answer == "no clear change"
    late = made("g-dies", "d-wins", onset=800)
    early = replace(made("d-wins", onset=100, last=500), diagnoses=())
    assert compare(late, early).answer == "no clear change", "it ended before the other one began"


def test_every_judge_of_quality_is_shown_and_judged() -> None:
    """A judge that has no say here would be a table of roles that has drifted."""
    for role in (r for r in reading.roles().values() if r.judges):
        low, high = ([v] * 9 for v in (0.1, 9.0))
        worse, better = (high, low) if role.better == "lower" else (low, high)
        found = compare(made(**{role.name: worse}), made(**{role.name: better}))
        assert [(m.role, m.answer) for m in found.measures] == [(role.name, "better")]
        assert found.answer == "better"
        assert compare(made(**{role.name: better}), made(**{role.name: worse})).answer == "worse"


@pytest.mark.parametrize("role", ["sample_fine_precision", "sample_distance"])
def test_how_near_samples_lie_to_real_data_is_shown(role: str) -> None:
    far, near = (0.2, 0.9) if role == "sample_fine_precision" else (0.9, 0.2)
    found = compare(made(**{role: [far] * 5}), made(**{role: [near] * 5}))
    title = reading.roles()[role].title
    assert [line.split()[-1] for line in text.render_comparison(found).splitlines()
            if line.startswith(title)] == ["better"]  # fmt: skip
    assert found.answer == "better"
    assert compare(made(**{role: [near] * 5}), made(**{role: [near] * 5})).answer != "better"


def test_a_role_of_ones_own_is_one_entry(tmp_path: Path) -> None:
    """Its title, direction and margin stand there, and everything follows."""
    words = tmp_path / "rules" / "vocabulary" / "mine.yaml"
    words.parent.mkdir(parents=True)
    words.write_text(
        "roles: {freshness: {doc: how fresh samples are, title: freshness of the samples,"
        " better: higher, judges: metric, margin: [0, 2]}}\n"
        "words: {fresh: [freshness]}\n"
        "decide: [{role: freshness, any: [fresh], because: it is fresh}]\n"
    )
    logs = []
    for name, level in (("before", 4.0), ("after", 7.5), ("alike", 5.5)):
        rows = [f"{i},1.3,0.8,{level + i % 2 / 100}" for i in range(40)]
        logs.append(tmp_path / f"{name}.csv")
        logs[-1].write_text("\n".join(["step,loss_d,loss_g,freshness", *rows]) + "\n")
    options = Options(rules=[tmp_path / "rules"], use_preferences=False)
    found, report = comparing.run(logs[0], logs[1], options)
    (own,) = [m for m in found.measures if m.role == "freshness"]
    assert (own.title, own.direction, own.answer) == (
        "freshness of the samples", "higher", "better",
    )  # fmt: skip
    assert "freshness" in report.series
    assert found.after.best is not None
    assert found.after.best.role == "freshness"
    assert "Freshness of the samples" in " ".join(found.why)
    assert comparing.run(logs[0], logs[2], options)[0].answer == "no clear change"
    words.write_text(words.read_text().replace("better: higher", "better: lower"))
    assert comparing.run(logs[0], logs[1], options)[0].answer == "worse"


def test_what_was_not_looked_for_again_is_not_gone() -> None:
    found = compare(made("d-wins"), made(not_checked=("d-wins",)))
    assert found.answer == "no clear change"
    assert "could not be checked in the run after: d-wins" in found.why[0]
    assert [(c.fate, "x was not logged" in c.because) for c in found.causes] == [
        ("not checked", True)
    ]
    back = compare(made(not_checked=("d-wins",)), made("d-wins"))
    assert back.answer == "no clear change", "it may have been there before, unseen"
    assert "the run before could not show it" in back.causes[0].because


def test_a_run_that_ended_before_the_trouble_began_proves_nothing() -> None:
    found = compare(made("d-wins", onset=800), made(last=500))
    assert found.answer == "no clear change"
    assert (
        "ends at iteration 500, and the trouble of the other began at iteration 800" in found.why[0]
    )
    assert any("differ in length" in c for c in found.cautions)
    assert compare(made("d-wins", onset=400), made(last=500)).answer == "better"
    assert compare(made(last=500), made("d-wins", onset=800)).answer == "no clear change"


def test_too_little_logged_is_no_verdict() -> None:
    found = compare(made("d-wins"), made(verdict="inconclusive"))
    assert found.answer == "no clear change"
    assert "too little was logged in the run after" in found.why[0]


def test_a_cause_whose_symptoms_remain_is_said_to_have_moved() -> None:
    after = made("d-wins")
    after = replace(
        after, diagnoses=(replace(after.diagnoses[0], cause="another", title="Another"),)
    )
    fates = {c.cause: (c.fate, c.because) for c in compare(made("d-wins"), after).causes}
    assert fates["another"][0] == "new"
    assert fates["cause-of-d-wins"] == (
        "gone",
        "its symptoms are still found, and point elsewhere now",
    )


def test_best_point_by_g_loss_only_where_it_means_something() -> None:
    rising = [3, 2, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    weak = compare(made("d-wins", g_loss=rising), made(g_loss=rising))
    assert weak.before.best.weak
    assert weak.before.best.step == 200
    assert weak.before.best.share_after == pytest.approx(800 / 999, abs=0.002)
    assert weak.after.best is None, (
        "a healthy G's loss is often lowest before D has learnt anything"
    )
    assert compare(made("d-wins", g_loss=rising, family="wgan-gp"), made()).before.best is None
    assert weak.caught_up is None


def test_settings_by_their_own_keys() -> None:
    before = made(settings={"lr_d": "0.002", "lr_g": "0.1", "beta1_d": "0.5"})
    after = made(settings={"lr_d": "0.0002", "lr_g": "0.1", "r1_gamma": "10"})
    rows = comparison.changed(compare(before, after))
    assert rows == [
        ("my.beta1_d", "0.5", "not set"),
        ("my.lr_d", "0.002", "0.0002"),
        ("my.r1_gamma", "not set", "10"),
    ]
    none = compare(replace(before, settings=()), after)
    assert none.settings == ()
    assert any("No config was read for the run before" in c for c in none.cautions)


def test_what_makes_runs_less_comparable_is_said() -> None:
    before = made(settings={"n_train": "100"}, family="hinge", fid=[1.0] * 9)
    found = compare(before, made(settings={"n_train": "200"}, unit="epochs", fid=[1.0] * 9))
    said = " ".join(found.cautions)
    assert "The data differ (my.n_train)" in said
    assert "iterations before and epochs after" in said
    assert "hinge before and nonsaturating after" in said
    assert found.curves == ()
    assert found.caught_up is None


def test_signals_that_measure_different_things_are_not_compared() -> None:
    before = made(psnr_ssim=[20.0] * 9)
    after = made(psnr_ssim=[0.9] * 9)
    renamed = replace(after.signals[0], tag="log/ssim")
    after = replace(after, signals=(renamed,), series={"log/ssim": after.series["log/psnr_ssim"]})
    found = compare(before, after)
    assert found.answer == "no clear change"
    assert [(m.title, m.tags, m.answer) for m in found.measures] == [
        ("log/psnr_ssim", ("log/psnr_ssim", ""), ""), ("log/ssim", ("", "log/ssim"), ""),
    ]  # fmt: skip
    weighed = compare(
        made(progress=[2.0] * 9, settings={"lambda_l1": "100"}),
        made(progress=[1.0] * 9, settings={"lambda_l1": "50"}),
    )
    assert weighed.answer == "no clear change", "half the weight, half the loss"


values = st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=1, max_size=30)
reports = st.builds(
    lambda fired, unseen, last, fid, cover, g: made(
        *fired, not_checked=tuple(set(unseen) - set(fired)), last=last, fid=fid,
            sample_coverage=cover, g_loss=g
    ),
    st.lists(st.sampled_from(sorted(RULES)), unique=True),
    st.lists(st.sampled_from(sorted(RULES)), unique=True),
    st.integers(50, 2000),
    values, values, values,
)  # fmt: skip
MIRROR = {"better": "worse", "worse": "better", "no clear change": "no clear change"}


@given(reports, reports)
def test_the_answer_turns_with_the_runs(one: Report, other: Report) -> None:
    there, back = compare(one, other), compare(other, one)
    assert back.answer == MIRROR[there.answer]
    assert compare(one, one).answer == "no clear change"
    data = json.loads(json_format.render_comparison(there))
    assert (data["schema"], data["answer"]) == ("gandoctor.comparison/1", there.answer)
    assert there.why
    assert text.render_comparison(there)


# ---------------------------------------------------------------- outputs


class Page(HTMLParser):
    """What a browser would see: text, tags, and whatever would be fetched."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.text, self.tags, self.fetched = "", [], []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.fetched += [
            v for k, v in attrs if k in ("src", "href") and v and not v.startswith(("#", "data:"))
        ]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_is_self_contained_and_lays_the_curves_over_each_other(cured: Comparison) -> None:
    source = html.render_comparison(cured)
    page = Page(source)
    assert page.fetched == []
    assert page.tags.count("h1") == 1
    assert source.count('<svg class="chart"') == min(9, len(cured.curves)) > 2
    assert "before: Loss/D" in page.text
    assert "after: Loss/D" in page.text
    for drawing in re.findall(r'<svg class="chart".*?<ul', source, re.DOTALL):
        assert {"s1", "s2"} <= set(re.findall(r'class="line (s\d)', drawing)), (
            "both runs in one picture"
        )
        assert drawing.count('class="axis"') >= 1
    for said in (
        "Better",
        "failing",
        "healthy",
        "discriminator.optimizer.lr",
        *cured.why,
        *cured.cautions,
    ):
        assert said in " ".join(page.text.split())
    assert "Content-Security-Policy" in source


def test_curves_of_two_runs_share_one_scale() -> None:
    found = compare(made(d_loss=np.linspace(1, 1.4, 40)), made(d_loss=np.linspace(400, 500, 40)))
    assert "on its own scale" not in html.render_comparison(found)


@pytest.mark.parametrize("format_", reporters.names_for_comparison())
def test_untrusted_text_stays_text(format_: str) -> None:
    nasty = '<img src=x onerror=alert(1)>\x1b[2J\u202e|`"@all'
    before, after = (
        made(*fired, fid=[9.0] * 5, settings={"lr_d": nasty + x})
        for fired, x in ((("d-wins",), "1"), ((), "2"))
    )
    before, after = (
        replace(
            r,
            run=replace(r.run, name=nasty),
            signals=(replace(r.signals[0], tag=nasty),),
            series={nasty: next(iter(r.series.values()))},
            settings=(replace(r.settings[0], key=nasty),),
            diagnoses=tuple(replace(d, title=nasty) for d in r.diagnoses),
        )
        for r in (before, after)
    )
    said = reporters.render_comparison(reporters.by_name(format_), compare(before, after))
    assert "\x1b" not in said
    assert "\u202e" not in said
    if format_ == "html":
        assert "img" not in Page(said).tags
    if format_ == "markdown":
        bare = re.sub(r"(`+).+?\1", "", said)
        assert "<img" not in bare
        assert "@all" not in bare
        cells = {
            row.replace("\\|", "").count("|")
            for row in said.splitlines()
            if row.startswith("| ") and "best" not in row
        }
        assert cells <= {4, 5}, "no cell was split by what stands in it"


def test_colour_only_where_it_is_asked_for(cured: Comparison) -> None:
    assert "\x1b[" not in text.render_comparison(cured)
    assert "\x1b[1;32mBETTER" in text.render_comparison(cured, colour=True)


@pytest.mark.parametrize("width", [40, 80, 100])
def test_the_text_keeps_its_width(width: int) -> None:
    reports_ = [make() for make in examples.ALL.values()]
    for one in reports_:
        for other in reports_:
            lines = text.render_comparison(compare(one, other), width=width).splitlines()
            prose = [line for line in lines if not re.search(r"\S {2,}\S", line)]
            assert max(len(line) for line in prose) <= max(width, 40)


# ---------------------------------------------------------------- saved reports, and a config for
# each side


def test_a_saved_report_is_as_good_as_its_run(sample_logs: Path, tmp_path: Path) -> None:
    before, after = sample_logs / "d-dominance", sample_logs / "healthy-hinge"
    for name, source in (("before.json", before), ("after.json", after)):
        cli("analyze", source, "-q", "-o", tmp_path / name)
    fresh = cli("compare", before, after, "--format", "json", cwd=tmp_path)
    for one, other in ((tmp_path / "before.json", after), (before, tmp_path / "after.json")):
        again = cli("compare", one, other, "--format", "json", cwd=tmp_path)
        assert again.returncode == fresh.returncode == 0
        assert json.loads(again.stdout) == json.loads(fresh.stdout)
    turned = cli("compare", after, tmp_path / "before.json", cwd=tmp_path)
    assert turned.returncode == 1, "the saved run after it is failing"


def test_a_saved_report_of_one_run_among_its_like(tmp_path: Path) -> None:
    one = made(d_loss=[0.5] * 30).to_dict()
    many = tmp_path / "many.json"
    many.write_text(json.dumps({"schema": "gandoctor.reports/1", "runs": [one]}))
    assert comparing.run(many, many, Options())[0].answer == "no clear change"
    many.write_text(json.dumps({"runs": [one, one], "schema": "gandoctor.reports/1"}))
    with pytest.raises(InputError, match=r"many.json: holds 2 runs; give one of them"):
        comparing.run(many, many, Options())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema": "gandoctor.report/9"}, "cannot be read (schema 'gandoctor.report/9')"),
        ({"verdict": "splendid"}, "report.verdict is none of"),
        ({"run": None}, "report.run is nothing"),
        ({"run": {}}, "report.run.name is missing"),
        ({"signals": {"a": 1}}, "report.signals is a dict"),
        ({"series": {"Loss/D": {"steps": [1, 2], "values": [1.0]}}}, "not as many values as steps"),
        ({"series": {"Loss/D": {"steps": [10**30], "values": [1.0]}}}, "out of range"),
        ({"findings": [3]}, "report.findings[0] is a int"),
    ],
)
def test_a_damaged_report_is_refused_in_one_sentence(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    whole = tmp_path / "whole.json"
    whole.write_text(json.dumps(made(d_loss=[0.5] * 30).to_dict()))
    hurt = tmp_path / "hurt.json"
    hurt.write_text(json.dumps({**json.loads(whole.read_text()), **change}))
    with pytest.raises(InputError) as caught:
        comparing.run(whole, hurt, Options())
    assert said in str(caught.value)
    assert "hurt.json" in str(caught.value)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
                    lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(max_size=3), x,
                        max_size=3)),
       st.sampled_from([f.name for f in fields(Report)]))  # fmt: skip
def test_whatever_a_report_holds_it_is_one_or_is_refused(value: object, key: str) -> None:
    data = made("d-wins", d_loss=[0.5] * 30).to_dict()
    try:
        report = Report.from_dict({**data, key: value})
    except ValueError:
        return
    compare(report, report)


def test_each_side_has_its_own_config(tmp_path: Path) -> None:
    logs = []
    for name, rate in (("before", "0.01"), ("after", "0.0002")):
        logs.append(tmp_path / f"{name}.csv")
        logs[-1].write_text(
            "step,d_loss,g_loss\n" + "".join(f"{i},0.6,{0.7 + i % 5 / 50}\n" for i in range(60))
        )
        (tmp_path / f"{name}.yaml").write_text(f"lr_d: {rate}\nbatch_size: 64\n")
    sides = ("--config-before", tmp_path / "before.yaml", "--config-after", tmp_path / "after.yaml")
    found = json.loads(cli("compare", *logs, *sides, "--format", "json", cwd=tmp_path).stdout)
    assert [(s["key"], s["old"], s["new"]) for s in found["settings"]] == [
        ("lr_d", "0.01", "0.0002")
    ]
    both = cli(
        "compare", *logs, "--config", tmp_path / "after.yaml", "--format", "json", cwd=tmp_path
    )
    assert json.loads(both.stdout)["settings"] == []
    saved = tmp_path / "saved.json"
    cli("analyze", logs[0], "--config", tmp_path / "before.yaml", "-q", "-o", saved)
    mixed = cli("compare", saved, logs[1], *sides[2:], "--format", "json", cwd=tmp_path)
    assert [s["key"] for s in json.loads(mixed.stdout)["settings"]] == ["lr_d"]
    refused = cli("compare", saved, logs[1], *sides)
    assert refused.returncode == 2
    assert "saved.json: is a saved report; its config was read when it was made" in refused.stderr
    missing = cli("compare", *logs, "--config-after", tmp_path / "none.yaml")
    assert missing.returncode == 2
    assert "--config-after" in missing.stderr


def test_other_rules_are_a_caution() -> None:
    one, other = made(d_loss=[0.5] * 30), made(d_loss=[0.5] * 30)
    found = compare(replace(one, rules_digest="a"), replace(other, rules_digest="b"))
    assert any("different rules" in c for c in found.cautions)
    assert not any("different rules" in c for c in compare(one, other).cautions)


def test_every_pair_of_examples_can_be_said_in_every_format() -> None:
    for one in examples.ALL.values():
        for other in examples.ALL.values():
            found = compare(one(), other())
            for format_ in reporters.names_for_comparison():
                assert reporters.render_comparison(reporters.by_name(format_), found)
