"""Rules tested by the file beside them: the curves, the cases, the thresholds that are moved."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gandoctor import rulebook, ruletest
from gandoctor.errors import RuleError
from gandoctor.lang.syntax import compile_test, scaled
from gandoctor.lang.tree import Scope
from gandoctor.ruletest import CURVES, made_series, thresholds
from gandoctor.ruletest.cases import CASE_KEYS

STEPS = np.arange(0, 1001, 10)
T = STEPS / 1000
RULE = """
id: d-low
kind: symptom
symptom: discriminator-dominance
title: D's loss is low
severity: high
applies_to: {family: [nonsaturating]}
why: so
evidence:
  collapsed: {where: d_loss < 0.1 * chance_d, over: first 100 steps, for: ever}
  stays_down: {where: smooth(d_loss) < 0.1, over: last 50%, for: 80% of steps}
when: collapsed and stays_down
"""
TEST = """
fires:
  - {name: falls at once, signals: {d_loss: "piecewise(0.7, at(0.05), 0.05)"}, onset: 50, tolerance: 20}
clear:
  - {name: chance, signals: {d_loss: 1.38 + 0.02*noise(1)}}
  - {name: another game, family: wgan-gp, signals: {d_loss: constant(0.01)}}
unknown:
  - {name: nothing was logged}
  - {name: a resume, resumed: true, signals: {d_loss: constant(0.05)}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "symptoms").mkdir()
    (tmp_path / "symptoms/d-low.yaml").write_text(RULE, encoding="utf-8")
    write_test(tmp_path, TEST)
    return tmp_path


def write_test(folder: Path, text: str) -> None:
    (folder / "symptoms/d-low.test.yaml").write_text(text, encoding="utf-8")


def run(folder: Path) -> ruletest.RuleTestResult:
    return ruletest.run(rulebook.load([folder]), [folder])


# ---------------------------------------------------------------- curves


def curve(text: str) -> np.ndarray:
    return made_series(text, STEPS, T)


def test_curves():
    assert (curve("0.5") == 0.5).all()
    assert (curve("constant(2) + 1") == 3).all()
    assert curve("t") == pytest.approx(T)
    assert curve("step / 10") == pytest.approx(STEPS / 10)
    assert curve("linear(2, 4)") == pytest.approx(2 + 2 * T)
    assert curve("decay(4, 1)")[[0, -1]] == pytest.approx([4, 1 + 3 * math.exp(-5)])
    assert curve("ramp(0.25, 0.75)")[[0, 25, 50, 75, 100]] == pytest.approx([0, 0, 0.5, 1, 1])
    assert curve("sine(100)")[[0, 10]] == pytest.approx([0, 0], abs=1e-9)
    assert curve("square(40)")[:5].tolist() == [1, 1, -1, -1, 1]
    assert curve("spikes(10, 7)")[[0, 9, 10, 19]].tolist() == [0, 7, 0, 7]
    assert curve("exp(log(t + 1))") == pytest.approx(T + 1)
    assert curve("maximum(t, 0.5)").min() == 0.5


def test_pieces():
    pieces = curve("piecewise(1, at(0.3), 2 * t, at_step(600), 5)")
    assert pieces[:30].tolist() == [1] * 30
    assert pieces[30:60] == pytest.approx(2 * T[30:60])
    assert pieces[60:].tolist() == [5] * 41
    with pytest.raises(RuleError, match="a piece is missing"):
        curve("piecewise(1, at(0.3), 2, at(0.5))")


def test_breaks():
    broken = curve("nan_after(0.5, 0.7)")
    assert broken[:50].tolist() == [0.7] * 50
    assert np.isnan(broken[50:]).all()
    assert np.isinf(curve("inf_after(0.9, t)")[90:]).all()
    gap = curve("nan_between(0.2, 0.4, 1)")
    assert np.isnan(gap[20:40]).all()
    assert np.isnan(gap).sum() == 20


def test_noise_is_the_same_for_the_same_seed():
    assert (curve("noise(3)") == curve("noise(3)")).all()
    assert (curve("noise(3)") != curve("noise(4)")).any()
    assert curve("noise(3, 0.1)") == pytest.approx(0.1 * curve("noise(3)"))
    assert abs(curve("noise(5)").mean()) < 0.4
    assert curve("walk(1, 2)")[-1] == pytest.approx(2 * curve("noise(1)").sum() / math.sqrt(101))


@pytest.mark.parametrize(
    "text",
    ["", "nois(1)", "noise(0)", "noise(1.5)", "d_loss", "t <", "t < 1", "ramp(1, 0)", "sine(0)",
        "open(1)", "t.real",
     "smooth(t)", "2 ** t", "9**9**9", "at", "'0.7'", "lambda: 1", "piecewise(1)"],
)  # fmt: skip
def test_texts_that_are_no_curve(text):
    with pytest.raises(RuleError) as e:
        made_series(text, STEPS, T, "x.test.yaml:fires[0].signals.d_loss")
    assert str(e.value).startswith("x.test.yaml:fires[0].signals.d_loss: ")


def test_every_curve_says_what_it_draws():
    assert all(f.doc and f.usage for f in CURVES.values())


# ---------------------------------------------------------------- cases


def test_a_rule_that_is_right(folder):
    result = run(folder)
    assert result.passed
    assert [(c.verdict, c.name, c.passed) for c in result.cases] == [
        ("fires", "falls at once", True),
        ("clear", "chance", True),
        ("clear", "another game", True),
        ("unknown", "nothing was logged", True),
        ("unknown", "a resume", True),
    ]
    assert "1 rule, 5 cases: all as expected" in result.format()


def test_a_rule_without_a_test_fails(folder):
    (folder / "symptoms/d-low.test.yaml").unlink()
    result = run(folder)
    assert not result.passed
    assert result.faults == (
        (
            "symptoms/d-low.yaml: has no test; write symptoms/d-low.test.yaml with fires, clear and "
            "unknown"
        ),
    )
    assert "1 fault in the tests" in result.format()


def test_a_retired_rule_needs_none(folder):
    (folder / "symptoms/d-low.test.yaml").unlink()
    (folder / "symptoms/d-low.yaml").write_text(RULE + "status: retired\n", encoding="utf-8")
    assert run(folder).passed


def test_a_case_that_fails_says_what_came_instead(folder):
    write_test(
        folder,
        TEST.replace(
            "chance, signals: {d_loss: 1.38 + 0.02*noise(1)}", "low, signals: {d_loss: 0.05}"
        ),
    )
    result = run(folder)
    assert not result.passed
    (failure,) = result.failures
    assert (failure.verdict, failure.name) == ("clear", "low")
    assert failure.message.startswith("it fires")
    assert "smooth(d_loss) = 0.05" in failure.message
    assert result.mutants == 0
    assert "d-low: clear: low: it fires" in result.format()


def test_a_wrong_onset_fails(folder):
    write_test(folder, TEST.replace("onset: 50", "onset: 300"))
    (failure,) = run(folder).failures
    assert failure.message == "since step 50, not 300 (give or take 20)"


def test_why_it_is_unknown_is_said(folder):
    write_test(folder, TEST.replace('d_loss: "piecewise', 'g_loss: "piecewise'))
    (failure,) = run(folder).failures
    assert "it is unknown: d_loss was not logged" in failure.message


def test_cases_share_defaults_and_may_say_all_of_a_run(folder):
    write_test(folder, """
defaults: {steps: 30, every: 1, unit: epochs, steps_per_epoch: 10, settings: {lr_d: 1.0e-4, optimizer_d: adam}}
fires:
  - name: told in epochs
    start: 5
    signals: {d_loss: {values: 0.05, every: 2, from: 0, to: 1}, val_d_loss: 1}
    facts: {params_g: 10}
clear:
  - {name: its own chance level, facts: {chance_d: 0.1}, signals: {d_loss: 0.05}}
  - {name: the mean convention, reduction: mean, signals: {d_loss: 0.08}}
unknown:
  - {name: no steps to an epoch, steps_per_epoch: 1000, signals: {d_loss: 0.05}}
  - {name: some other game, family: unknown, candidates: [hinge, nonsaturating], signals: {d_loss: 0.05}}
""")  # fmt: skip
    result = run(folder)
    assert result.passed, result.format()


BAD = [
    ("fires: []\nclear: [{name: n}]\nunknown: []", "has no list `fires`"),
    ("fires: {a: 1}\nclear: [{name: n}]\nunknown: []", "has no list `fires`"),
    (TEST.replace("unknown:", "unkown:"), "did you mean `unknown`"),
    (TEST.replace("name: chance", "nam: chance"), "did you mean `name`"),
    (TEST.replace("{name: nothing was logged}", "nothing"), "unknown[0]: `nothing` is no mapping"),
    (
        TEST.replace("signals: {d_loss: 1.38", "signals: {d_los: 1.38"),
        "clear[0].signals.d_los: no role is called `d_los`",
    ),
    (
        TEST.replace("{name: nothing was logged}", "{facts: {params: 1}}"),
        "no fact is called `params`",
    ),
    (
        TEST.replace("{name: nothing was logged}", "{settings: {lrd: 1}}"),
        "no setting is called `lrd`",
    ),
    (TEST.replace("{name: nothing was logged}", "{family: wgna}"), "did you mean `wgan`"),
    (TEST.replace("{name: nothing was logged}", "{candidates: [wgna]}"), "did you mean `wgan`"),
    (TEST.replace("{name: nothing was logged}", "{unit: epoch}"), "did you mean `epochs`"),
    (TEST.replace("{name: nothing was logged}", "{steps: many}"), "`many` is no number"),
    (TEST.replace("{name: nothing was logged}", "{steps: 1, every: 10}"), "are no run"),
    (TEST.replace("{name: nothing was logged}", "{steps: 1000000000, every: 1}"), "are no run"),
    (TEST.replace("{name: nothing was logged}", "{signals: [d_loss]}"), "must be a mapping"),
    (
        TEST.replace("{name: nothing was logged}", "{signals: {d_loss: {value: 1}}}"),
        "did you mean `values`",
    ),
    (
        TEST.replace("{name: nothing was logged}", "{signals: {d_loss: {values: 1, every: 0}}}"),
        "is no rate",
    ),
    (TEST.replace("constant(0.01)", "constnt(0.01)"), "did you mean `constant`"),
    ("- a", "is no mapping"),
    ("fires: [", "does not parse"),
]


@pytest.mark.parametrize(("text", "says"), BAD)
def test_tests_that_are_wrong_are_named(folder, text, says):
    write_test(folder, text)
    result = run(folder)
    assert not result.passed
    assert all(f.startswith("symptoms/d-low.test.yaml") for f in result.faults)
    assert sum(says in f for f in result.faults) == 1


def test_all_that_is_wrong_with_a_test_is_said_at_once(folder):
    write_test(folder, """
fires:
  - {name: two faults, steps: many, family: wgna, signals: {d_loss: 0.05}}
clear:
  - {name: another, signals: {d_los: 1}}
""")  # fmt: skip
    said = run(folder).faults
    assert [f.partition(";")[0] for f in said] == [
        "symptoms/d-low.test.yaml:fires[0].steps: `many` is no number",
        "symptoms/d-low.test.yaml:fires[0].family: `wgna` is none of its values",
        "symptoms/d-low.test.yaml:clear[0].signals.d_los: no role is called `d_los`",
        "symptoms/d-low.test.yaml: has no list `unknown`",
    ]


def test_shared_evidence_is_tested_where_it_stands_and_not_where_it_is_named(folder):
    (folder / "evidence").mkdir()
    (folder / "evidence/improves.yaml").write_text(
        "id: improves\ntitle: FID falls\nwhy: so\nwhere: change(fid) < -0.2\n", encoding="utf-8"
    )
    named = RULE.replace("when:", "  better: improves\nwhen:") + "  and not better\n"
    (folder / "symptoms/d-low.yaml").write_text(named, encoding="utf-8")
    write_test(folder, TEST.replace("d_loss:", "fid: 1, d_loss:"))
    assert run(folder).faults == (
        (
            "evidence/improves.yaml: has no test; write evidence/improves.test.yaml with holds, clear "
            "and unknown"
        ),
    )
    (folder / "evidence/improves.test.yaml").write_text(
        "holds: [{name: by a quarter, signals: {fid: 'linear(1, 0.7)'}}]\n"
        "clear: [{name: by less, signals: {fid: 'linear(1, 0.79)'}}]\nunknown: [{name: none}]\n",
        encoding="utf-8",
    )
    result = run(folder)
    assert result.passed, result.format()
    assert result.format().startswith("1 rule, 1 piece of evidence, 8 cases: all as expected")
    moved = [m for m in result.unnoticed if "fid" in m]
    assert not [m for m in moved if m.startswith("d-low")]
    assert result.mutants == 6


def test_a_test_without_a_rule_is_a_fault(folder):
    (folder / "symptoms/gone.test.yaml").write_text(TEST, encoding="utf-8")
    (fault,) = run(folder).faults
    assert fault.startswith("symptoms/gone.test.yaml: is a test without a rule")


# ---------------------------------------------------------------- mutants


SCOPE = Scope(signals=frozenset({"a", "b"}), numbers=frozenset({"n"}))


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("a < 0.1", [0.1]),
        ("0.1 > a", [0.1]),
        ("a > 5 * b", [5]),
        ("a > b", []),
        ("a > 0", []),
        ("a < -0.5", [0.5]),
        ("a / 2 > b", [2]),
        ("a > 1.1 * best(b) + 3", [1.1]),
        ("0.1 < a < 0.9", [0.1, 0.9]),
        ("smooth(a, 5) < 0.1", [0.1]),
        ("quantile(b, 0.9) * 2 < n * 4", [4]),
        ("quantile(b, 0.9) < n", []),
        ("a < 0.1 or not (b > 2 and a > 3)", [0.1, 2, 3]),
        ("isnan(a)", []),
    ],
)
def test_which_numbers_are_thresholds(text, numbers):
    tree = compile_test(text, SCOPE).tree
    found = thresholds(tree)
    assert [value for _, value, _ in found] == numbers
    for at, value, comparison in found:
        assert comparison in text
        moved = [n.value for n in scaled(tree, at, 1.25).walk() if n.op == "const"]
        before = [n.value for n in tree.walk() if n.op == "const"]
        assert [(x, y) for x, y in zip(before, moved, strict=True) if x != y] == [
            (value, value * 1.25)
        ]


def test_mutants_that_no_case_notices_are_reported(folder):
    result = run(folder)
    assert result.mutants == 4
    assert result.noticed == 0
    assert "0 of 4 moved thresholds noticed (0%)" in result.format()
    assert "unnoticed" not in result.format()
    assert "unnoticed: d-low: stays_down: smooth(d_loss) < 0.1: 0.1 -> 0.125" in result.format(
        verbose=True
    )


def test_cases_near_the_threshold_notice(folder):
    near = TEST.replace(
        "clear:\n",
        "  - {name: just below, signals: {d_loss: 0.09}}\nclear:\n  - {name: just above, signals: "
        "{d_loss: 0.11}}\n",
    )
    write_test(folder, near)
    result = run(folder)
    assert result.passed
    assert [m.split(": ")[-1] for m in result.unnoticed if "stays_down" in m] == []
    assert result.noticed == 2


def test_a_mutant_is_judged_as_the_rule_is(folder):
    rule = rulebook.load([folder]).by_id["d-low"]
    clause = rule.clauses[1]
    moved = ruletest.moved(clause, 0, 1.25)
    assert moved.where.tree.args[1].value == pytest.approx(0.125)
    assert clause.where.tree.args[1].value == pytest.approx(0.1)


# ---------------------------------------------------------------- measures

MEASURE = """
id: d-level
group: dominance
title: D's loss over chance
value: median(d_loss) / chance_d
over: last 50%
applies_to: {family: [nonsaturating]}
curve: [[0, 1], [0.5, -0.5], [1, 0.1]]
low: discriminator-dominance
why: so
says: "D's loss is {value} of chance"
"""
OF_MEASURE = """
against:
  - {name: D has won, signals: {d_loss: "decay(1.4, 0, 20)"}, value: 0, tolerance: 0.01}
for:
  - {name: half way, signals: {d_loss: constant(0.693)}, value: 0.5}
little:
  - {name: chance, signals: {d_loss: constant(1.386)}}
unknown:
  - {name: nothing was logged}
  - {name: another game, family: wgan, signals: {d_loss: constant(0)}}
"""


@pytest.fixture
def measures(folder: Path) -> Path:
    (folder / "measures").mkdir()
    (folder / "measures/d-level.yaml").write_text(MEASURE, encoding="utf-8")
    (folder / "measures/d-level.test.yaml").write_text(OF_MEASURE, encoding="utf-8")
    return folder


def test_a_measure_is_tested_by_the_file_beside_it(measures):
    result = run(measures)
    assert result.passed, result.format()
    told = [(c.verdict, c.name) for c in result.cases if c.kind == "measure"]
    assert told == [
        ("against", "D has won"),
        ("for", "half way"),
        ("little", "chance"),
        ("unknown", "nothing was logged"),
        ("unknown", "another game"),
    ]
    assert "1 rule, 1 measure, 10 cases: all as expected" in result.format()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("decay(1.4, 0, 20)", "constant(0.693)", "is 0.4999, which is worth -0.50 nats"),
        ("constant(0.693)", "constant(1.386)", "is 0.9998, which is worth +0.10 nats"),
        ("d_loss: constant(1.386)", "g_loss: constant(1)", "it is unknown: d_loss was not logged"),
        ("value: 0.5", "value: 0.9", "is 0.4999, not 0.9 (give or take 0.045)"),
        (
            "{name: nothing was logged}",
            "{signals: {d_loss: constant(0)}}",
            "is 0, which is worth +1.00 nats",
        ),
        ("family: wgan", "family: nonsaturating", "is 0, which is worth +1.00 nats"),
    ],
)
def test_a_measure_that_says_something_else(measures, old, new, says):
    assert old in OF_MEASURE
    (measures / "measures/d-level.test.yaml").write_text(
        OF_MEASURE.replace(old, new), encoding="utf-8"
    )
    result = run(measures)
    assert not result.passed
    (failure,) = result.failures
    assert says in failure.message


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            None,
            "has no test; write measures/d-level.test.yaml with against, for, little and unknown",
        ),
        (OF_MEASURE.replace("against:", "fires:"), "the key `fires` means nothing here"),
        ("against: []\nfor: []\nunknown: []", "has no list `against`"),
        (
            "against: [{signals: {d_loss: constant(0)}}]\nunknown: []",
            "has no case under `for` or `little`",
        ),
        (OF_MEASURE.replace("value: 0.5", "onset: 5"), "the key `onset` means nothing here"),
        (OF_MEASURE.partition("unknown:")[0], "has no list `unknown`"),
    ],
)
def test_tests_of_measures_that_are_wrong(measures, text, says):
    path = measures / "measures/d-level.test.yaml"
    path.unlink() if text is None else path.write_text(text, encoding="utf-8")
    result = run(measures)
    assert not result.passed
    assert sum(says in f for f in result.faults) == 1


def test_a_test_without_a_measure_is_a_fault(measures):
    (measures / "measures/gone.test.yaml").write_text(OF_MEASURE, encoding="utf-8")
    (fault,) = run(measures).faults
    assert fault.startswith("measures/gone.test.yaml: is a test without a measure")


# ---------------------------------------------------------------- remedies


REMEDY = """
id: slow-d
title: Slow D down
treats: {fast-d: 0.9}
effort: config
risk: trial
only_if:
  - {if: lr_d > 2 * lr_g}
changes:
  - {setting: lr_d, multiply: 0.1, low: 1.0e-7, high: 0.1}
expect: D's loss rises
"""
CAUSE = """
id: fast-d
title: D is fast
story: so
common: true
explains: {discriminator-dominance: 1}
"""
OF_REMEDY = """
changes:
  - name: D is fast
    config: |
      lr_d: 0.002  # D
      lr_g: 0.0002
    after: ['lr_d: 0.0002 # D']
leaves:
  - {name: as fast as G, config: "{lr_d: 0.0002, lr_g: 0.0002}", because: does not hold}
  - {name: no rate of D, file: options.json, config: '{"batch_size": 8}', because: does not hold}
"""


@pytest.fixture
def remedies(tmp_path: Path) -> Path:
    for name, text in (("remedies/slow-d", REMEDY), ("causes/fast-d", CAUSE)):
        (tmp_path / name).parent.mkdir()
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "remedies/slow-d.test.yaml").write_text(OF_REMEDY, encoding="utf-8")
    return tmp_path


def test_a_remedy_is_tested_on_a_config_before_and_after(remedies):
    result = run(remedies)
    assert result.passed, result.format()
    assert [(c.rule, c.verdict, c.kind) for c in result.cases] == [
        ("slow-d", "changes", "remedy"),
        ("slow-d", "leaves", "remedy"),
        ("slow-d", "leaves", "remedy"),
    ]
    assert "1 remedy, 3 cases: all as expected" in result.format()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("0.0002 # D'", "0.0004 # D'", "it writes ['lr_d: 0.0002 # D']"),
        ("lr_d: 0.002 ", "lr_d: 0.0002 ", "it writes nothing: what it is offered for"),
        ("{lr_d: 0.0002,", "{lr_d: 0.002,", "it writes ['{lr_d: 0.0002, lr_g: 0.0002}']"),
        (
            "8}', because: does not hold",
            "8}', because: it is raining",
            "nothing is changed, but because",
        ),
    ],
)
def test_a_case_of_a_remedy_that_fails_says_what_came_instead(remedies, old, new, says):
    path = remedies / "remedies/slow-d.test.yaml"
    path.write_text(OF_REMEDY.replace(old, new), encoding="utf-8")
    (failure,) = run(remedies).failures
    assert says in failure.message


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("changes:", "change:", "did you mean `changes`"),
        ("    after: ['lr_d: 0.0002 # D']\n", "", "changes[0].after: is missing"),
        (", because: does not hold", "", "leaves[0].because: is missing"),
        ("file: options.json", "file: ../options.json", "is no name of a file"),
        ("as fast as G, config", "as fast as G, confg", "leaves[0].config: is missing"),
        ('"{lr_d: 0.0002, lr_g: 0.0002}"', "'{lr_d: ['", "leaves[0].config: "),
        ("name: no rate of D,", "name: no rate, facts: {params: 1},", "no fact is called `params`"),
    ],
)
def test_tests_of_remedies_that_are_wrong(remedies, old, new, says):
    path = remedies / "remedies/slow-d.test.yaml"
    path.write_text(OF_REMEDY.replace(old, new), encoding="utf-8")
    result = run(remedies)
    assert not result.passed
    assert sum(says in f for f in result.faults) == 1


def test_the_remedies_that_were_tried_most_have_a_test():
    book = rulebook.load([rulebook.default_folder()])
    tried = {*book.measured, *book.unseen}
    tested = {
        r.id
        for r in book.remedies
        if (rulebook.default_folder() / f"remedies/{r.id}.test.yaml").is_file()
    }
    assert tried - {r.id for r in book.remedies if not r.changes} <= tested


# ---------------------------------------------------------------- whatever a test file holds


ODD = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(10**6), 10**6),
        st.floats(width=32),
        st.sampled_from(["d_loss", "lr_d: 1", "0.5 + noise(1)", "a/b", "..", "config.yaml"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["d_loss", "lr_d", "values", "every", "a"]), inner),
    ),
    max_leaves=6,
)
CASES = st.lists(
    st.one_of(ODD, st.dictionaries(st.sampled_from([*CASE_KEYS, "onset", "config", "after",
    "because", "file", "symptoms"]), ODD, max_size=4)),
    max_size=3,
)  # fmt: skip


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    lists=st.dictionaries(
        st.sampled_from(["fires", "clear", "unknown", "changes", "leaves", "first", "defaults"]),
        st.one_of(CASES, ODD),
    )
)
def test_no_test_file_ends_in_a_traceback(remedies, lists):
    text = yaml.safe_dump(lists)
    (remedies / "symptoms").mkdir(exist_ok=True)
    (remedies / "symptoms/d-low.yaml").write_text(RULE, encoding="utf-8")
    for name in ("symptoms/d-low", "remedies/slow-d", "causes/fast-d"):
        (remedies / f"{name}.test.yaml").write_text(text, encoding="utf-8")
    result = run(remedies)
    assert result.faults
    assert result.format()
