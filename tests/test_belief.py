"""The belief that a run has failed.

What each piece is worth, what they add up to, and what moves it.
"""

from __future__ import annotations

import json
import math
import random
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gandoctor import api, diagnose, rulebook
from gandoctor.diagnose.belief import believe, discounts, of_measure, of_rule, signs_of
from gandoctor.diagnose.verdict import word_for
from gandoctor.lang.evaluate import Outcome
from gandoctor.model.belief import (
    Belief,
    Curve,
    Cuts,
    RuleWeight,
    Sign,
    Weights,
    in_per_cent,
    probability,
)
from gandoctor.model.report import Finding, Report

LOGS = Path(__file__).resolve().parents[1] / "sample_logs"
RUNS = sorted(p.name for p in LOGS.iterdir() if p.is_dir())
SHELF = rulebook.Shelf([rulebook.default_folder()])
BOOK = SHELF.judging
MEASURES = {m.id: m for m in BOOK.measures}
CUTS = Cuts(failing=0.8, seen=0.7, warning=0.6, healthy=0.3)


@cache
def report(name: str) -> Report:
    return api.analyze(LOGS / name)


def log_odds(p: float) -> float:
    return math.log(p / (1 - p))


def sign(name: str, group: str, share: float = 1.0) -> Sign:
    """A sign of a measure whose nats are `share` times what `weighed` says."""
    return Sign(name, group, ((("measure", name, 0), share),), f"{name} is so")


def weighed(base: float = 0.0, **nats: float) -> Weights:
    return Weights(base=base, measures={name: (value,) for name, value in nats.items()})


# ---------------------------------------------------------------- curves


def test_a_curve_is_linear_between_its_knots_and_level_beyond():
    curve = Curve((0.0, 1.0, 3.0), (1.0, -1.0, 3.0))
    assert [curve.at(x) for x in (-9, 0, 0.25, 1, 2, 3, 99)] == pytest.approx(
        [1, 1, 0.5, -1, 1, 3, 3]
    )
    assert curve.shares(0.25) == ((0, 0.75), (1, 0.25))
    assert curve.shares(1.0) == ((1, 1.0),)


def test_a_logarithmic_curve_is_linear_in_the_logarithm_on_both_sides_of_zero():
    curve = Curve((-3.0, 0.0, math.e - 1), (-1.0, 0.0, 1.0), "log")
    assert curve.at(math.e**0.5 - 1) == pytest.approx(0.5)
    assert curve.at(-1.0) == pytest.approx(-0.5)  # log 2 is half of log 4


@given(st.floats(-1e6, 1e6), st.sampled_from(BOOK.measures))
def test_shares_sum_to_one_and_nats_stay_between_those_of_the_knots(value, measure):
    curve = measure.curve
    assert sum(share for _, share in curve.shares(value)) == pytest.approx(1)
    assert min(curve.nats) - 1e-9 <= curve.at(value) <= max(curve.nats) + 1e-9


def test_the_low_side_is_below_what_speaks_most_for_health():
    curve = Curve((0.0, 1.0, 3.0), (1.0, -1.0, 3.0))
    assert [curve.low_side(x) for x in (-1, 0.9, 1.0, 2.0)] == [True, True, False, False]


FITTED = [m for m in BOOK.measures if m.id in BOOK.weights.measures]


@pytest.mark.parametrize("measure", FITTED, ids=lambda m: m.id)
def test_what_was_fitted_turns_nothing_round_that_a_measure_is_sure_of(measure):
    fitted = BOOK.weights.measures[measure.id]
    assert not [
        k for k, n in zip(measure.curve.nats, fitted, strict=True) if abs(k) >= 0.3 and k * n < 0
    ]


# ---------------------------------------------------------------- adding up


def test_within_a_group_and_a_sign_each_further_witness_counts_half():
    told = [("a", 1.0), ("a", 3.0), ("a", 2.0), ("b", 1.0), ("a", -1.0), ("a", -2.0)]
    assert discounts(told) == [0.25, 1.0, 0.5, 1.0, 0.5, 1.0]
    assert discounts([]) == []


def test_rules_of_other_faults_that_are_clear_do_not_outvote_one_that_holds():
    def rule_sign(name: str, *, holds: bool) -> Sign:
        return Sign(name, f"about-{name}", ((("rule", name, 0 if holds else 1), 1.0),), name)

    clear = [rule_sign(f"r{k}", holds=False) for k in range(40)]
    weights = Weights(rules={s.evidence: RuleWeight(2.0, -0.2) for s in clear})
    only = believe(clear, weights, {}, {})
    assert sum(p.nats for p in only.pieces) == pytest.approx(-0.2 / 0.3, rel=1e-3)
    first, *others = clear
    both = believe([rule_sign(first.evidence, holds=True), *others], weights, {}, {})
    assert both.p > 0.78
    # Each keeps the group that it is about, whatever it is discounted with.
    assert {p.group for p in only.pieces[1:]} == {s.group for s in clear}


def test_pieces_sum_to_the_log_odds_weightiest_first():
    signs = [sign("x", "a"), sign("y", "a"), sign("z", "b")]
    got = believe(signs, weighed(0.2, x=1.0, y=2.0, z=-0.7), {}, {})
    assert [(p.evidence, p.nats) for p in got.pieces] == [
        ("base-rate", 0.2),
        ("y", 2.0),
        ("z", -0.7),
        ("x", 0.5),
    ]
    assert got.p == pytest.approx(probability(2.0))
    assert got.groups == {"a", "b"}


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.floats(-4, 4)), max_size=8),
    st.sampled_from("abc"),
    st.floats(0, 4),
)
def test_more_against_a_run_never_makes_it_look_better(pieces, group, nats):
    def p(told: list[tuple[str, float]]) -> float:
        names = {f"m{i}": n for i, (_, n) in enumerate(told)}
        signs = [sign(f"m{i}", g) for i, (g, _) in enumerate(told)]
        return believe(signs, weighed(**names), {}, {}).p

    before = p(pieces)
    assert p([*pieces, (group, nats)]) >= before - 1e-12
    assert p([*pieces, (group, -nats)]) <= before + 1e-12


def test_a_probability_of_any_odds_is_one():
    assert probability(0) == 0.5
    assert probability(1e6) == 1
    assert probability(-1e6) == 0
    assert [in_per_cent(p) for p in (0.0, 0.004, 0.5, 0.934, 0.999)] == [
        "under 1 %", "under 1 %", "50 %", "93 %", "over 99 %",
    ]  # fmt: skip


# ---------------------------------------------------------------- what speaks, and what does not


def outcome(truth: bool | None, margin: float | None = None) -> Outcome:
    return Outcome(truth=truth, margin=margin)


def test_a_rule_counts_by_how_clearly_it_holds():
    rule = replace(BOOK.by_id["nan-in-loss"], clauses=BOOK.by_id["nan-in-loss"].clauses)
    name = rule.when.names[0]
    tree = replace(rule.when.tree, op="clause", name=name, args=())
    rule = replace(rule, when=replace(rule.when, tree=tree))

    def shares(truth: bool, margin: float | None) -> dict[int, float]:
        got = of_rule(rule, truth, {name: outcome(truth, margin)})
        return {key[2]: pytest.approx(share) for key, share in got.parts}

    assert shares(True, 5.0) == {0: 1.0}
    assert shares(True, 0.0) == {0: 0.5}
    assert shares(True, None) == {0: 1.0}
    assert shares(False, 1.0) == {1: 1.0}
    near = shares(False, 0.03)
    assert near == {1: pytest.approx(0.2), 0: pytest.approx(0.32)}


def test_what_could_not_be_asked_says_nothing():
    rule = BOOK.by_id["d-wins-late"]
    name = rule.clauses[0].name
    assert of_rule(rule, None, {name: outcome(None)}) is None
    assert of_rule(rule, False, {}) is None  # another game
    # Decided by what was there, but not all of it was: no evidence of health.
    assert of_rule(rule, False, {name: outcome(False), "other": outcome(None)}) is None
    assert of_rule(rule, False, {c.name: outcome(False, 1.0) for c in rule.clauses}) is not None


def test_a_doubtful_setting_that_is_not_there_is_no_evidence():
    risk = next(r for r in BOOK.rules if r.kind == "risk")
    assert of_rule(risk, False, {c.name: outcome(False) for c in risk.clauses}) is None
    assert of_rule(risk, True, {c.name: outcome(True) for c in risk.clauses}).group == "settings"


def test_of_what_was_not_logged_nothing_is_said(tmp_path):
    rows = [f"{i},{0.9 + 0.02 * math.sin(i)},{1.1 + 0.03 * math.cos(i)}" for i in range(200)]
    (tmp_path / "log.csv").write_text("step,d_loss,g_loss\n" + "\n".join(rows), encoding="utf-8")
    got = api.analyze(tmp_path / "log.csv", api.Options(loss="nonsaturating"))
    said = {b.evidence for b in got.belief}
    assert {"d-level-late", "d-wins-late"} <= said
    assert not said & {"quality-kept", "quality-never-came", "coverage-late",
        "samples-miss-the-data",
                       "d-rejects-held-out-data", "g-cannot-reach-the-data"}  # fmt: skip


def test_few_rows_say_nothing_of_a_level(tmp_path):
    def sizes(rows: int) -> set[str]:
        lines = [f"{400 * i},0.0001,{17 + i % 3}" for i in range(rows)]
        (tmp_path / "log.csv").write_text(
            "step,d_loss,g_loss\n" + "\n".join(lines), encoding="utf-8"
        )
        got = api.analyze(tmp_path / "log.csv", api.Options(loss="nonsaturating"))
        return {b.evidence for b in got.belief} & set(MEASURES)

    assert "d-level-late" in sizes(40)
    assert sizes(6) == set()


def test_a_size_is_the_mean_over_networks():
    run = api.read(LOGS / "d-dominance")[0]
    frame = diagnose.frame_of(run, "")
    one, two = (of_measure(MEASURES["d-level-late"], [frame] * n) for n in (1, 2))
    assert dict(two.parts) == pytest.approx(dict(one.parts))


# ---------------------------------------------------------------- verdicts


def found(**keys: str) -> Finding:
    told = {
        "rule": "r",
        "symptom": "s",
        "title": "t",
        "severity": "high",
        "confidence": "medium",
    } | keys
    return Finding(**told, onset_step=None, fingerprint=f"{told['rule']}:")


@pytest.mark.parametrize(
    ("p", "findings", "lacking", "verdict"),
    [
        (0.9, [found()], "", "failing"),
        (0.9, [], "", "inconclusive"),  # nothing can be named
        (0.7, [found()], "", "warning"),
        (0.7, [found(confidence="high")], "", "failing"),
        (0.7, [found(), found(rule="q")], "", "warning"),
        (0.7, [found(), found(rule="q", symptom="z")], "", "warning"),
        (0.7, [found(), found(rule="q", status="preview")], "", "warning"),
        (0.7, [found(), found(rule="q", severity="medium")], "", "warning"),
        (0.4, [found()], "", "inconclusive"),  # less likely than not, though a rule holds
        (0.4, [found(), found(rule="q")], "", "inconclusive"),
        (0.4, [found(status="preview")], "", "inconclusive"),
        (0.4, [], "", "inconclusive"),
        (0.2, [found()], "", "healthy"),  # outweighed
        (0.2, [], "", "healthy"),
        (0.2, [], "too little", "inconclusive"),
    ],
)
def test_the_word_for_a_belief(p, findings, lacking, verdict):
    assert word_for(Belief(p), CUTS, findings, lacking=lacking) == verdict


def test_where_samples_were_measured_less_belief_is_needed():
    looked = Belief(0.75, groups=frozenset({"samples"}))
    assert word_for(looked, CUTS, [found()], lacking="") == "failing"
    assert (
        word_for(replace(looked, groups=frozenset({"dominance"})), CUTS, [found()], lacking="")
        == "warning"
    )
    assert word_for(replace(looked, p=0.65), CUTS, [found()], lacking="") == "warning"
    assert word_for(looked, CUTS, [found()], lacking="", by_rule=False) == "warning"  # sizes alone


@pytest.mark.parametrize("name", RUNS)
def test_a_reports_pieces_sum_to_its_probability(name):
    got = report(name)
    assert got.belief[0].evidence == "base-rate"
    total = sum(b.nats for b in got.belief)
    assert probability(total) == pytest.approx(got.p_failing, abs=0.02)
    assert log_odds(min(max(got.p_failing, 1e-3), 1 - 1e-3)) == pytest.approx(
        min(max(total, log_odds(1e-3)), log_odds(1 - 1e-3)), abs=0.1
    )


@pytest.mark.parametrize("name", RUNS)
def test_a_belief_survives_json(name):
    got = report(name)
    again = Report.from_dict(json.loads(json.dumps(got.to_dict())))
    assert (again.p_failing, again.belief, again.log_next) == (
        got.p_failing,
        got.belief,
        got.log_next,
    )


def test_a_report_of_a_version_that_did_not_say_is_read():
    data = report(RUNS[0]).to_dict()
    for key in ("p_failing", "belief", "log_next"):
        del data[key]
    assert Report.from_dict(data).p_failing is None


def test_a_verdict_of_a_size_needs_the_belief(tmp_path):
    """What no rule has found is named by a size from the warning on, and never below it."""
    for name in RUNS:
        got = report(name)
        if {f.rule for f in got.findings} & set(MEASURES):
            assert got.p_failing >= BOOK.weights.cuts.warning


# ---------------------------------------------------------------- what the user asks for


def test_what_is_ignored_moves_nothing():
    base = report("d-dominance")
    strongest = next(b.evidence for b in base.belief if b.evidence != "base-rate")
    got = api.analyze(LOGS / "d-dominance", api.Options(ignore={strongest: "why not"}))
    assert strongest not in {b.evidence for b in got.belief}
    assert got.p_failing < base.p_failing or base.p_failing > 0.999
    size = next(b.evidence for b in base.belief if b.evidence in MEASURES)
    got = api.analyze(LOGS / "d-dominance", api.Options(ignore={size: "why not"}))
    assert size not in {b.evidence for b in got.belief}
    assert size in {n.rule for n in got.ignored}


def test_only_what_is_selected_speaks():
    got = api.analyze(
        LOGS / "d-dominance", api.Options(select={"d-wins-late": "", "d-level-late": ""})
    )
    assert {b.evidence for b in got.belief} <= {"base-rate", "d-wins-late", "d-level-late"}
    assert {b.evidence for b in got.belief} >= {"d-wins-late"}


def test_a_severity_of_ones_own_goes_before_what_was_counted():
    def nats(**severity: str) -> float:
        got = api.analyze(
            LOGS / "d-dominance", api.Options(select={"d-wins-late": ""}, severity=severity)
        )
        return next(b.nats for b in got.belief if b.evidence == "d-wins-late")

    low, high = (nats(**{"d-wins-late": s}) for s in ("low", "high"))
    assert 0 < low < high
    assert low / high == pytest.approx(0.4 / 1.5, rel=0.02)


# ---------------------------------------------------------------- what to log next


def losses(folder: Path, options: api.Options | None = None) -> Report:
    """Losses where D only guesses, and nothing else."""
    rng = random.Random(1)
    rows = [
        f"{i},{1.386 + 0.1 * rng.gauss(0, 1)},{1.1 + 0.1 * rng.gauss(0, 1)}" for i in range(200)
    ]
    (folder / "log.csv").write_text("step,d_loss,g_loss\n" + "\n".join(rows), encoding="utf-8")
    return api.analyze(folder / "log.csv", options)


def test_an_inconclusive_run_is_told_what_to_log(tmp_path):
    got = losses(tmp_path, api.Options(loss="nonsaturating"))
    assert got.verdict == "inconclusive"
    assert 1 <= len(got.log_next) <= 2
    assert all(n.log_it and "may move the belief by" in n.reason for n in got.log_next)
    logged = {s.role for s in got.signals}
    assert not {n.rule for n in got.log_next} & logged
    promised = [float(n.reason.rsplit(" by ", 1)[1].split()[0]) for n in got.log_next]
    assert promised == sorted(promised, reverse=True)


def test_what_nobody_would_ask_need_not_be_logged(tmp_path):
    first = losses(tmp_path, api.Options(loss="nonsaturating")).log_next[0]
    asked = {"d-wins-late": "", "nan-in-loss": "", "loss-explodes": ""}
    got = losses(tmp_path, api.Options(loss="nonsaturating", select=asked))
    assert first not in got.log_next


def test_a_run_that_is_told_needs_nothing_more():
    assert all(not report(n).log_next for n in RUNS if report(n).verdict != "inconclusive")


def test_signs_are_taken_once_over_all_networks():
    run = api.read(LOGS / "d-dominance")[0]
    seen = diagnose.examine(run, SHELF)
    frames = {network: diagnose.frame_of(run, network) for network in diagnose.networks(run)}
    signs = signs_of(run, BOOK.measures, seen.answers, frames)
    assert len({s.evidence for s in signs}) == len(signs)
    assert believe(signs, BOOK.weights, BOOK.by_id, MEASURES).p == pytest.approx(seen.belief.p)
