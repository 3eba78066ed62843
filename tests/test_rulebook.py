"""Reading rules: what is right is read, what is wrong is said at once, with file:key and a hint."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gandoctor import rulebook
from gandoctor.errors import RuleError
from gandoctor.model.belief import Cuts, RuleWeight, Weights
from gandoctor.model.measured import Share
from gandoctor.rulebook import RulebookError, default_folder, load, read_yaml
from gandoctor.rulebook.causes import CAUSE_KEYS, TERM_KEYS
from gandoctor.rulebook.remedies import REMEDY_KEYS
from gandoctor.rulebook.rules import RULE_KEYS

SIGNALS = """
roles:
  d_loss: {doc: D's loss}
  g_loss: {doc: G's loss}
  fid: {doc: quality, better: lower}
  psnr: {doc: quality, better: higher}
  lr_d: {doc: D's rate}
"""
SETTINGS = """
settings:
  lr: {kind: number, per_network: true, doc: rate}
  optimizer: {kind: word, doc: which, words: {adam: [adam], sgd: [sgd, momentum]}}
  output: {kind: word, doc: last activation}
  amp: {kind: flag, doc: mixed precision}
  data_scale: {kind: any, doc: range}
"""
FACTS = "facts: {params_g: {doc: size}, chance_d: {doc: chance}}"

RULE = """
id: low-d
kind: symptom
symptom: discriminator-dominance
title: D's loss is low
severity: high
status: stable
since: 0.1
applies_to: {family: [nonsaturating, minimax], led_by: [nothing]}
why: >
  It says so,
  over two lines.
evidence:
  collapsed: {where: d_loss < 0.1, over: first 100 steps, for: ever, says: "low by {onset}, {median(d_loss)} of {lr_d}"}
  rises: {where: trend(g_loss) > 0.5, over: after collapsed}
  adam: {given: {optimizer: adam, amp: true}}
when: collapsed then rises and adam
false_positives:
  - {when: D is restored, do: start later}
references:
  - {url: "https://example.org", says: so}
confidence: high
settings: [lr_d]
log_it: log both
"""
CAUSE = """
id: fast-d
title: D is too fast
story: Once upon a time.
prior: -1
explains: {discriminator-dominance: 2, oscillation: 0.5}
for:
  - {if: lr_d > 3 * lr_g, weight: 1.5, says: "{lr_d} is {lr_d / lr_g} times {lr_g}"}
  - {if: fired(low_d) and not logged(fid), weight: 0.3}
  - {given: {optimizer: [sgd]}, if: data_scale > 2, weight: 1}
  - {given: {data_scale: "0-255"}, weight: 1}
  - {if: smooth(d_loss) < 0.1, over: last 50%, for: 80% of steps, weight: 1}
against: []
settings: [lr_d, lr_g]
deeper_than: [other]
"""
OTHER = (
    "{id: other, title: Other, story: Other, explains: {mode-collapse: 1}, for: [], against: "
    "[], settings: []}"
)
REMEDY = """
id: slow-d
title: Slow D down
treats: {fast-d: 0.9}
effort: config
risk: trial
only_if:
  - {if: lr_d > 1.0e-6}
  - {given: {optimizer: adam}}
changes:
  - {setting: lr_d, multiply: 0.1, low: 1.0e-7, high: 0.1}
  - {setting: lr_g, of: lr_d, multiply: 4}
  - {setting: optimizer, to: adam}
  - {setting: amp, to: false}
  - {setting: lr, to: 1}
expect: D's loss rises within 500 steps
why: it is too fast
snippet: |
  opt_d.lr /= 10
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A small, whole rule book."""
    for room in (*rulebook.ROOMS, "vocabulary"):
        (tmp_path / room).mkdir()
    write(tmp_path, "vocabulary/signals.yaml", SIGNALS)
    write(tmp_path, "vocabulary/settings.yaml", SETTINGS)
    write(tmp_path, "vocabulary/facts.yaml", FACTS)
    write(tmp_path, "symptoms/low-d.yaml", RULE)
    write(tmp_path, "causes/fast-d.yaml", CAUSE)
    write(tmp_path, "causes/other.yaml", OTHER)
    write(tmp_path, "remedies/slow-d.yaml", REMEDY)
    return tmp_path


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


def all_faults(folder: Path) -> tuple[RuleError, ...]:
    try:
        load([folder])
    except RulebookError as e:
        return e.faults
    return ()


def faults(folder: Path, *more: Path) -> list[str]:
    with pytest.raises(RulebookError) as e:
        load([folder, *more])
    return [str(f) for f in e.value.faults]


def changed(folder: Path, name: str, **keys: object) -> None:
    """The file with some keys changed; None drops one."""
    data = yaml.safe_load((folder / name).read_text(encoding="utf-8"))
    data.update({k.rstrip("_"): v for k, v in keys.items()})
    data = {k: v for k, v in data.items() if v is not None}
    write(folder, name, yaml.safe_dump(data, sort_keys=False))


def test_a_rule_is_read_in_full(folder):
    rule = load([folder]).by_id["low-d"]
    assert (rule.kind, rule.symptom, rule.severity, rule.status, rule.confidence, rule.since) == (
        "symptom", "discriminator-dominance", "high", "stable", "high", "0.1",
    )  # fmt: skip
    assert rule.why == "It says so, over two lines."
    assert rule.applies_to == {"family": ("nonsaturating", "minimax"), "led_by": ("nothing",)}
    assert [c.name for c in rule.clauses] == ["collapsed", "rises", "adam"]
    collapsed, rises, adam = rule.clauses
    assert (collapsed.where.text, collapsed.where.kind) == ("d_loss < 0.1", "mask")
    assert (collapsed.over.kind, collapsed.over.amount, collapsed.for_.kind) == (
        "first",
        100,
        "ever",
    )
    assert collapsed.says.startswith("low by {onset}")
    assert (rises.over.kind, rises.over.of, rises.where.kind) == (
        "after_clause",
        "collapsed",
        "truth",
    )
    assert (adam.where, adam.given) == (None, {"optimizer": ("adam",), "amp": ("true",)})
    assert rule.when.text == "collapsed then rises and adam"
    assert (rule.false_positives[0].do, rule.references[0].says) == ("start later", "so")
    assert (rule.settings, rule.log_it, rule.file) == (("lr_d",), "log both", "symptoms/low-d.yaml")


def test_a_word_may_be_spelt_as_configs_spell_it(folder):
    changed(
        folder,
        "symptoms/low-d.yaml",
        evidence={"x": {"given": {"optimizer": ["SGD", "momentum", "adam"]}}},
        when="x",
    )
    assert load([folder]).by_id["low-d"].clauses[0].given == {"optimizer": ("sgd", "adam")}


def test_a_cause_is_read_in_full(folder):
    cause = next(c for c in load([folder]).causes if c.id == "fast-d")
    assert (cause.prior, cause.explains) == (-1, {"discriminator-dominance": 2, "oscillation": 0.5})
    assert [t.weight for t in cause.for_] == [1.5, 0.3, 1, 1, 1]
    assert cause.for_[0].clause.where.kind == "truth"
    assert cause.for_[0].says == "{lr_d} is {lr_d / lr_g} times {lr_g}"
    assert cause.for_[2].clause.given == {"optimizer": ("sgd",)}
    assert cause.for_[4].clause.for_.amount == 0.8
    assert (cause.against, cause.settings, cause.deeper_than) == ((), ("lr_d", "lr_g"), ("other",))


def test_a_remedy_is_read_in_full(folder):
    (remedy,) = load([folder]).remedies
    assert (remedy.treats, remedy.effort, remedy.risk) == ({"fast-d": 0.9}, "config", "trial")
    assert remedy.only_if[0].where.text == "lr_d > 1.0e-6"
    assert remedy.only_if[1].given == {"optimizer": ("adam",)}
    first, second, third, fourth, fifth = remedy.changes
    assert (first.setting, first.multiply, first.low, first.high, first.to) == (
        "lr_d",
        0.1,
        1e-7,
        0.1,
        None,
    )
    assert (second.of, second.multiply, second.high) == ("lr_d", 4, math.inf)
    assert (third.to, fourth.to, fifth.to) == ("adam", False, 1.0)
    assert remedy.snippet == "opt_d.lr /= 10\n"


def test_a_list_of_causes_treats_each_alike(folder):
    changed(folder, "remedies/slow-d.yaml", treats=["fast-d", "other"])
    assert load([folder]).remedies[0].treats == {"fast-d": 1, "other": 1}


def test_defaults(folder):
    write(
        folder,
        "risks/bare.yaml",
        "{id: bare, kind: risk, title: Bare, why: so, evidence: {x: {where: lr > 1}}}",
    )
    rule = load([folder]).by_id["bare"]
    assert (rule.severity, rule.status, rule.confidence, rule.symptom) == (
        "low",
        "preview",
        "medium",
        None,
    )
    assert (rule.when.text, rule.applies_to, rule.references) == ("x", {}, ())


def test_the_rules_that_come_with_it_load():
    book = load([default_folder()])
    assert len(book.rules) >= 10
    assert len(book.causes) >= 20
    assert set(book.by_id) == {r.id for r in book.rules}
    assert [r.id for r in book.rules] == [
        r.id for r in sorted(book.rules, key=lambda r: (r.kind != "symptom", r.id))
    ]


def test_the_digest_names_this_very_state(folder):
    before = load([folder]).digest
    assert len(before) == 12
    assert load([folder]).digest == before
    write(folder, "symptoms/low-d.test.yaml", "fires: []")
    assert load([folder]).digest == before
    changed(folder, "symptoms/low-d.yaml", severity="low")
    assert load([folder]).digest != before


def test_a_users_folder_adds_to_ours_and_may_be_flat(folder, tmp_path_factory):
    own = tmp_path_factory.mktemp("own")
    write(
        own,
        "my-rule.yaml",
        "{id: my-rule, kind: risk, title: Mine, why: so, evidence: {x: {where: lr_g > 1}}}",
    )
    write(own, "my-cause.yaml", OTHER.replace("id: other", "id: my-cause"))
    write(
        own,
        "my-remedy.yaml",
        "{id: my-remedy, title: R, treats: [fast-d], effort: code, risk: safe, expect: x}",
    )
    write(own, "my-rule.test.yaml", "fires: nonsense")
    write(own, "notes.txt", "nothing")
    book = load([folder, own])
    assert "my-rule" in book.by_id
    assert "my-cause" in [c.id for c in book.causes]
    assert "my-remedy" in [r.id for r in book.remedies]


def test_a_users_vocabulary_adds_names(folder, tmp_path_factory):
    own = tmp_path_factory.mktemp("own")
    write(own, "vocabulary/signals.yaml", "roles: {my_metric: {doc: mine, better: higher}}")
    write(
        own,
        "risks/x.yaml",
        "{id: x, kind: risk, title: T, why: w, evidence: {x: {where: median(my_metric) > 1}}}",
    )
    assert "x" in load([folder, own]).by_id
    words = rulebook.vocabulary([folder, own])
    assert "my_metric" in words.roles
    assert {n for n, r in words.roles.items() if r.better == "higher"} == {"psnr", "my_metric"}
    assert words.settings["lr_d"] == "number"
    assert {"lr", "lr_d", "lr_g"} <= words.scope().numbers


def test_a_folder_without_vocabulary_uses_ours(tmp_path):
    write(
        tmp_path,
        "x.yaml",
        "{id: x, kind: risk, title: T, why: w, evidence: {x: {where: median(d_loss) > 1}}}",
    )
    assert "x" in load([tmp_path]).by_id


def test_the_validation_split_has_its_own_names(folder):
    changed(
        folder,
        "symptoms/low-d.yaml",
        evidence={"x": {"where": "median(val_d_loss) > median(d_loss)"}},
        when="x",
    )
    assert load([folder]).by_id["low-d"].clauses[0].where.signals == ("val_d_loss", "d_loss")


# ---------------------------------------------------------------- what is wrong


def test_all_faults_are_said_at_once(folder):
    changed(folder, "symptoms/low-d.yaml", severity="hihg", titel="x", when="colapsed")
    changed(folder, "causes/fast-d.yaml", explains={"mode-colapse": 1})
    changed(folder, "remedies/slow-d.yaml", effort="none")
    found = faults(folder)
    assert len(found) == 5
    assert any("symptoms/low-d.yaml:severity" in f and "did you mean `high`" in f for f in found)
    assert any("symptoms/low-d.yaml:titel" in f and "did you mean `title`" in f for f in found)
    assert any("symptoms/low-d.yaml:when" in f and "did you mean `collapsed`" in f for f in found)
    assert any(
        "causes/fast-d.yaml:explains.mode-colapse" in f and "mode-collapse" in f for f in found
    )
    assert any("remedies/slow-d.yaml:effort" in f and "config, code, data" in f for f in found)
    with pytest.raises(RuleError, match="5 faults in the rules"):
        load([folder])


def test_an_expression_is_shown_with_a_caret(folder):
    changed(
        folder,
        "symptoms/low-d.yaml",
        evidence={"x": {"where": "smooth(d_los) < 0.1", "for": "ever"}},
        when="x",
    )
    (fault,) = faults(folder)
    head, line, caret = fault.split("\n")
    assert head.endswith(
        "symptoms/low-d.yaml:evidence.x.where: no signal, setting or fact is called `d_los`; did "
        "you mean `d_loss`?"
    )
    assert line.strip() == "smooth(d_los) < 0.1"
    assert caret.index("^") == line.index("d_los")
    assert caret.count("^") == len("d_los")


BAD_CLAUSES = [
    (
        {"where": "d_loss < 0.1"},
        "x.for: is missing: the test is decided at every step",
        "80% of steps",
    ),
    (
        {"where": "trend(d_loss) < 0.1", "for": "ever"},
        "x.for: the test is decided once",
        "drop `for`",
    ),
    (
        {"where": "lr_d > 1", "over": "last 50%"},
        "x.over: the test looks at no signal",
        "drop `over`",
    ),
    (
        {"where": "d_loss < 0.1", "for": "sometimes"},
        "x.for: `sometimes` is no amount",
        "80% of steps",
    ),
    (
        {"where": "d_loss < 0.1", "for": "ever", "over": "last half"},
        "x.over: `last half` is no window",
        "last 50%",
    ),
    (
        {"where": "d_loss < 0.1", "for": "ever", "over": "after y"},
        "x.over: `y` is no clause that stands before",
        "",
    ),
    (
        {"where": "d_loss < 0.1", "for": "ever", "over": "after best(lr_g)"},
        "x.over: `lr_g` is no series",
        "after best",
    ),
    (
        {"where": "d_loss < 0.1", "for": "ever", "over": "after best(d_los)"},
        "x.over: no signal",
        "d_loss",
    ),
    (
        {"where": "d_loss < 0.1", "for": "ever", "over": 3},
        "x.over: `over` must be text",
        "last 50%",
    ),
    ({"where": "d_loss"}, "x.where: this is a series", "compare"),
    ({"where": 3}, "x.where: a test is text", "quote"),
    (
        {"where": "d_loss < 0.1", "for": "ever", "fro": 1},
        "x.fro: the key `fro` means nothing",
        "did you mean `for`",
    ),
    ({"given": {"optimiser": "adam"}}, "x.given.optimiser: no setting", "did you mean `optimizer`"),
    (
        {"given": {"optimizer": "adma"}},
        "x.given.optimizer: `optimizer` is never `adma`",
        "did you mean `adam`",
    ),
    ({"given": {"lr_d": "1"}}, "x.given.lr_d: `lr_d` is a number", "lr_d > ..."),
    ({"given": {"output": [["a"]]}}, "x.given.output: must be a word", ""),
    ({"given": {"output": []}}, "x.given.output: must be a word", ""),
    ({"given": "adam"}, "x.given: must be a mapping", "name"),
    ({"over": "last 50%"}, "x.where: there is nothing to test", "given"),
    ({}, "x.where: there is nothing to test", "where"),
    ("d_loss < 1", "evidence.x: is no clause", "where"),
    ({"where": "fired(low_d)"}, "a rule cannot ask what others found", "causes"),
    (
        {"where": "lr_d > 1", "says": "it is {lr_q}"},
        "x.says: nothing fills the place `{lr_q}`",
        "lr_",
    ),
    ({"where": "lr_d > 1", "says": "it is {}"}, "x.says: nothing fills", ""),
    (
        {"where": "mean(d_loss) < 1 and d_loss < 2", "for": "ever"},
        "decided at every step",
        "two clauses",
    ),
    ({"where": "is_text(output)"}, "no number among the settings", ""),
]


@pytest.mark.parametrize(("clause", "says", "hint"), BAD_CLAUSES)
def test_clauses_that_are_wrong(folder, clause, says, hint):
    changed(folder, "symptoms/low-d.yaml", evidence={"x": clause}, when="x")
    found = [f for f in faults(folder) if "when" not in f.split(":")[1]]
    assert len(found) == 1, found
    assert says in found[0]
    assert hint in found[0]


BAD_RULES = [
    ({"id": "high-d"}, ":id: `high-d` is not the file's name", "write `id: low-d`"),
    ({"id": None}, ":id:", "write `id: low-d`"),
    ({"kind": "symptm"}, ":kind:", "did you mean `symptom`"),
    ({"kind": "risk"}, "a risk", ""),
    (
        {"symptom": "dominance"},
        ":symptom: `dominance` is none of its values",
        "discriminator-dominance",
    ),
    ({"symptom": None}, ":symptom: is missing", "mode-collapse"),
    ({"title": None}, ":title: is missing", ""),
    ({"title": ["a"]}, ":title: must be text", ""),
    ({"why": ""}, ":why: is missing", ""),
    ({"severity": None}, ":severity: is missing", "high, medium, low"),
    ({"status": "old"}, ":status: `old`", "retired"),
    ({"applies_to": {"famly": ["lsgan"]}}, ":applies_to.famly", "did you mean `family`"),
    (
        {"applies_to": {"family": ["lsgna"]}},
        ":applies_to.family: no family is called `lsgna`",
        "did you mean `lsgan`",
    ),
    ({"applies_to": ["lsgan"]}, ":applies_to: must be a mapping", ""),
    ({"when": None}, ":when: is missing", "join the clauses"),
    ({"when": "collapsed and rises"}, ":when: the clause `adam` is never used", "drop it"),
    ({"when": "collapsed and rises and adam and"}, ":when: this does not read", ""),
    ({"evidence": None}, ":evidence: is missing", ""),
    ({"references": [{"url": "x"}]}, ":references[0].says: is missing", ""),
    ({"references": ["x"]}, ":references[0]: `x` is no mapping", ""),
    ({"references": {"url": "x"}}, ":references: must be a list", ""),
    (
        {"false_positives": [{"when": "x", "then": "y"}]},
        ":false_positives[0].then",
        "did you mean `when`",
    ),
    ({"settings": ["lr_q"]}, ":settings: no setting is called `lr_q`", "lr_"),
    ({"settings": {"a": 1}}, ":settings: must be a list", ""),
]


@pytest.mark.parametrize(("keys", "says", "hint"), BAD_RULES)
def test_rules_that_are_wrong(folder, keys, says, hint):
    changed(folder, "symptoms/low-d.yaml", **keys)
    found = [f for f in faults(folder) if says in f]
    assert found
    assert hint in found[0]


@pytest.mark.parametrize("name", ["and", "then", "a-b", "a b", "", "1x", "ä"])
def test_names_that_no_clause_can_have(folder, name):
    changed(
        folder,
        "symptoms/low-d.yaml",
        evidence={"x": {"where": "lr > 1"}, name: {"where": "lr > 2"}},
        when="x",
    )
    assert any("cannot be the name of a clause" in f for f in faults(folder))


BAD_CAUSES = [
    ({"explains": None}, ":explains: is missing"),
    ({"explains": {"oscillation": "2"}}, ":explains.oscillation: `2` is no number"),
    ({"explains": {"oscillation": -2}}, "no number that it may be"),
    ({"prior": math.nan}, ":prior: `nan` is no number"),
    ({"story": None}, ":story: is missing"),
    ({"for_": [{"if": "lr_d > 1"}]}, ":for[0].weight: is missing"),
    ({"for_": [{"if": "lr_d > 1", "weight": True}]}, ":for[0].weight: `True` is no number"),
    (
        {"for_": [{"where": "lr_d > 1", "weight": 1}]},
        ":for[0].where: the key `where` means nothing here",
    ),
    ({"for_": [{"if": "d_loss > 1", "weight": 1}]}, ":for[0].for: is missing"),
    ({"for_": [{"if": "lr_d > 1", "over": "after x", "weight": 1}]}, "there are no clauses here"),
    ({"against": "lr_d > 1"}, ":against: must be a list"),
    ({"deeper_than": ["fast"]}, ":deeper_than: no cause is called `fast`"),
]


@pytest.mark.parametrize(("keys", "says"), BAD_CAUSES)
def test_causes_that_are_wrong(folder, keys, says):
    changed(folder, "causes/fast-d.yaml", **keys)
    assert any("causes/fast-d.yaml" in f and says in f for f in faults(folder))


BAD_REMEDIES = [
    ({"treats": ["fast-g"]}, ":treats: no cause is called `fast-g`; did you mean `fast-d`?"),
    ({"treats": None}, ":treats: is missing"),
    ({"treats": {"fast-d": "much"}}, ":treats.fast-d: `much` is no number"),
    ({"risk": "none"}, ":risk: `none` is none of its values"),
    ({"expect": None}, ":expect: is missing"),
    ({"changes": [{"setting": "lrd", "to": 1}]}, ":changes[0].setting: no setting is called `lrd`"),
    ({"changes": [{"setting": "lr_d"}]}, ":changes[0].to: the new value is not said"),
    ({"changes": [{"setting": "lr_d", "to": 1, "multiply": 2}]}, "not said, or said twice"),
    ({"changes": [{"setting": "lr_d", "of": "lrg"}]}, ":changes[0].of: no setting is called `lrg`"),
    ({"changes": [{"setting": "lr_d", "multiply": "1e-5"}]}, "write a number with a point"),
    ({"changes": [{"setting": "lr_d", "to": [1]}]}, ":changes[0].to: must be a number"),
    ({"only_if": [{"if": "lr_q > 1"}]}, ":only_if[0].if: no signal"),
]


@pytest.mark.parametrize(("keys", "says"), BAD_REMEDIES)
def test_remedies_that_are_wrong(folder, keys, says):
    changed(folder, "remedies/slow-d.yaml", **keys)
    assert any("remedies/slow-d.yaml" in f and says in f for f in faults(folder))


MEASURE = """
id: d-level
group: dominance
title: D's loss over chance
value: median(d_loss) / chance_d
over: last 50%
applies_to: {family: [nonsaturating]}
scale: log
curve: [[0, 1.0], [0.5, -0.3], [2, 0.8]]
low: discriminator-dominance
high: weak-discriminator
why: so
says: "D's loss is {value} of chance"
"""
WEIGHTS = """
about: {real: {runs: 5, failed: 2}}
base: 0.1
cuts: {failing: 0.8, seen: 0.7, warning: 0.6, healthy: 0.3}
measures:
  d-level: {nats: [0.9, -0.2, 0.7], cases: {runs: 9, failed: 4, interval: [0.1, 0.9]}}
rules:
  low-d: {holds: 1.4, clear: -0.1, fired: {runs: 3, failed: 2}, asked: {runs: 8, failed: 5}}
"""


@pytest.fixture
def weighed(folder: Path) -> Path:
    write(folder, "measures/d-level.yaml", MEASURE)
    write(folder, "weights.yaml", WEIGHTS)
    return folder


def test_measures_and_weights_are_read_in_full(weighed):
    book = load([weighed])
    (measure,) = book.measures
    assert measure.curve.knots == (0, 0.5, 2)
    assert measure.curve.nats == (1.0, -0.3, 0.8)
    assert (measure.low, measure.high, measure.group) == (
        "discriminator-dominance",
        "weak-discriminator",
        "dominance",
    )
    assert book.weights.base == 0.1
    assert book.weights.measures == {"d-level": (0.9, -0.2, 0.7)}
    assert book.weights.cases["d-level"] == Share(4, 9)
    assert book.weights.rules["low-d"] == RuleWeight(1.4, -0.1, Share(2, 3), Share(5, 8))
    assert book.weights.cuts == Cuts(0.8, 0.7, 0.6, 0.3)


def test_weights_of_what_is_gone_do_no_harm(weighed):
    gone = WEIGHTS.replace("rules:", "  gone: {nats: [1]}\nrules:\n  no-rule: {holds: 1, clear: 0}")
    write(weighed, "weights.yaml", gone)
    assert load([weighed]).weights.rules["no-rule"].holds == 1


def test_of_several_folders_the_last_weights_count(weighed, tmp_path_factory):
    own = tmp_path_factory.mktemp("own")
    write(own, "weights.yaml", "base: 2")
    assert load([weighed, own]).weights == Weights(base=2.0)


BAD_MEASURES = [
    ({"curve": [[0, 1], [0, 2]]}, ":curve: needs two knots at least, in rising order"),
    ({"curve": [[1, 1], [0.5, 2]]}, ":curve: needs two knots at least, in rising order"),
    ({"curve": [[0, 1]]}, ":curve: needs two knots at least"),
    ({"curve": None}, ":curve: needs two knots at least"),
    ({"curve": [[0, 1], [1, True]]}, ":curve[1]: `[1, True]` is no knot"),
    ({"curve": [[0, 1], [1, math.nan]]}, ":curve[1]: `[1, nan]` is no knot"),
    ({"curve": [[0, 1], 5]}, ":curve[1]: `5` is no knot"),
    ({"low": "dominance"}, ":low: no symptom is called `dominance`"),
    ({"high": "oscilation"}, "did you mean `oscillation`?"),
    ({"value": "d_loss"}, "`d_loss` is a series, no number"),
    ({"value": "median(d_los)"}, ":value: "),
    ({"value": None}, ":value: is missing"),
    ({"over": "after x"}, "there are no clauses here"),
    ({"over": "late"}, ":over: "),
    ({"scale": "square"}, ":scale: `square` is none of its values"),
    ({"says": "it is low"}, ":says: does not say the number"),
    ({"says": None}, ":says: is missing"),
    ({"why": None}, ":why: is missing"),
    ({"group": None}, ":group: is missing"),
    ({"applies_to": {"family": ["gan"]}}, "no family is called `gan`"),
    ({"curv": 1}, "did you mean `curve`?"),
]


@pytest.mark.parametrize(("keys", "says"), BAD_MEASURES)
def test_measures_that_are_wrong(weighed, keys, says):
    changed(weighed, "measures/d-level.yaml", **keys)
    assert any("measures/d-level.yaml" in f and says in f for f in faults(weighed))


BAD_WEIGHTS = [
    (
        "[0.9, -0.2, 0.7]",
        "[0.9, -0.2]",
        ":measures.d-level.nats: has 2 numbers, the measure's curve 3 knots",
    ),
    ("[0.9, -0.2, 0.7]", "[0.9, -0.2, 0.7, 0]", ":measures.d-level.nats: has 4 numbers"),
    ("[0.9, -0.2, 0.7]", "[0.9, -0.2, x]", ":measures.d-level.nats: must be a list of numbers"),
    ("[0.9, -0.2, 0.7]", "[0.9, -0.2, true]", ":measures.d-level.nats: must be a list of numbers"),
    ("{nats: [0.9, -0.2, 0.7]", "{nat: [0.9, -0.2, 0.7]", "did you mean `nats`?"),
    (
        "{runs: 9, failed: 4",
        "{runs: 9, failed: 14",
        ":measures.d-level.cases.failed: 14 of 9 runs cannot be",
    ),
    ("holds: 1.4", "holds: .nan", ":rules.low-d.holds: `nan` is no number"),
    ("holds: 1.4, ", "", ":rules.low-d.holds: is missing"),
    ("base: 0.1", "base: much", ":base: `much` is no number"),
    ("warning: 0.6", "warning: 0.9", ":cuts: are in no order"),
    ("seen: 0.7", "seen: 0.2", ":cuts: are in no order"),
    ("healthy: 0.3", "healthy: -1", ":cuts: are in no order"),
    ("healthy: 0.3", "well: 0.3", ":cuts.well: the key `well` means nothing here"),
    ("base: 0.1", "bias: 0.1", ":bias: the key `bias` means nothing here"),
    (WEIGHTS, "- 1", "weights.yaml: is no mapping"),
]


@pytest.mark.parametrize(("old", "new", "says"), BAD_WEIGHTS)
def test_weights_that_are_wrong(weighed, old, new, says):
    assert old in WEIGHTS
    write(weighed, "weights.yaml", WEIGHTS.replace(old, new))
    assert any("weights.yaml" in f and says in f for f in faults(weighed))


# ---------------------------------------------------------------- shared evidence

IMPROVES = """
id: improves
title: FID falls
why: so
where: trend(fid) < -0.2
over: last 50%
says: "FID fell to {last(fid)}"
"""


@pytest.fixture
def sharing(folder: Path) -> Path:
    """A rule that is pasted, and the same rule with its exclusion by name."""
    write(folder, "evidence/improves.yaml", IMPROVES)
    pasted = yaml.safe_load(RULE)
    named = yaml.safe_load(RULE.replace("id: low-d", "id: low-d-too"))
    own = {k: v for k, v in yaml.safe_load(IMPROVES).items() if k in ("where", "over", "says")}
    pasted["evidence"]["better"], named["evidence"]["better"] = own, "improves"
    for rule in (pasted, named):
        rule["when"] = "collapsed and adam and rises and not better"
        write(folder, f"symptoms/{rule['id']}.yaml", yaml.safe_dump(rule, sort_keys=False))
    return folder


def test_a_clause_that_is_named_is_as_if_pasted(sharing):
    book = load([sharing])
    pasted, named = (book.by_id[i] for i in ("low-d", "low-d-too"))
    assert named.clauses[-1].shared == "improves"
    assert [replace(c, shared="") for c in named.clauses] == list(pasted.clauses)
    assert named.when == pasted.when
    (evidence,) = book.evidence
    assert (evidence.id, evidence.title, evidence.file) == (
        "improves",
        "FID falls",
        "evidence/improves.yaml",
    )
    assert load([sharing], rules_only=True).by_id["low-d-too"].clauses == named.clauses


def test_a_users_evidence_goes_before_ours(sharing, tmp_path_factory):
    own = tmp_path_factory.mktemp("own")
    write(own, "improves.yaml", IMPROVES.replace("-0.2", "-0.5"))
    write(own, "evidence/mine.yaml", IMPROVES.replace("id: improves", "id: mine"))
    rule = yaml.safe_load(RULE.replace("id: low-d", "id: my-rule"))
    rule["evidence"]["better"] = "mine"
    rule["when"] = "collapsed and rises and adam and not better"
    write(own, "my-rule.yaml", yaml.safe_dump(rule, sort_keys=False))
    book = load([sharing, own])
    assert "-0.5" in book.by_id["low-d-too"].clauses[-1].where.text
    assert "-0.2" in book.by_id["my-rule"].clauses[-1].where.text
    assert [e.id for e in book.evidence] == ["improves", "mine"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (IMPROVES + "wehre: 1", "improves.yaml:wehre: the key `wehre` means nothing here"),
        (IMPROVES.replace("title: FID falls", ""), "improves.yaml:title: is missing"),
        (IMPROVES.replace("fid", "fdi"), "did you mean `fid`"),
        (IMPROVES.replace("last 50%", "after collapsed"), "there are no clauses here"),
        (IMPROVES.replace("id: improves", "id: better"), "`better` is not the file's name"),
    ],
)
def test_evidence_that_is_wrong(sharing, text, says):
    write(sharing, "evidence/improves.yaml", text)
    assert any(says in f for f in faults(sharing))


def test_evidence_that_is_not_there_is_named_with_the_nearest(sharing):
    path = sharing / "symptoms/low-d-too.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("better: improves", "better: improve"))
    (fault,) = [f for f in faults(sharing) if "low-d-too" in f and "no evidence" in f]
    assert fault.endswith(
        "low-d-too.yaml:evidence.better: no evidence is called `improve`; did you mean `improves`?"
    )


def test_evidence_has_a_name_that_no_rule_has(sharing):
    write(sharing, "evidence/low-d.yaml", IMPROVES.replace("id: improves", "id: low-d"))
    assert any("`low-d` is taken by" in f for f in faults(sharing))


def test_no_exclusion_of_ours_is_pasted_twice():
    clauses = [c for r in load([default_folder()]).rules for c in r.clauses if not c.shared]
    shared = {(e.clause.where.text, e.clause.over.text) for e in load([default_folder()]).evidence}
    assert not [c for c in clauses if c.where and (c.where.text, c.over.text) in shared]


def test_ids_are_never_used_twice(folder, tmp_path_factory):
    own = tmp_path_factory.mktemp("own")
    write(own, "symptoms/low-d.yaml", RULE)
    assert any("`low-d` is taken by" in f for f in faults(folder, own))
    write(folder, "causes/low-d.yaml", OTHER.replace("id: other", "id: low-d"))
    assert any("`low-d` is taken by" in f for f in faults(folder))


def test_files_have_kebab_case_names_and_stand_in_their_room(folder):
    write(
        folder,
        "risks/Bad_Name.yaml",
        "{id: Bad_Name, kind: risk, title: T, why: w, evidence: {x: {where: lr > 1}}}",
    )
    write(folder, "risks/low-g.yaml", RULE.replace("low-d", "low-g"))
    found = faults(folder)
    assert any("`Bad_Name.yaml` is no name for a rule" in f for f in found)
    assert any("a symptom in the wrong folder" in f for f in found)


# ---------------------------------------------------------------- YAML


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("id: low-d\nid: low-d", "the key `id` stands twice"),
        ("id: {a: 1, a: 2}", "the key `a` stands twice"),
        ("id: &x 1\nkind: *x", "anchor or alias"),
        ("a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]", "anchor or alias"),
        ("id: !!python/object/apply:os.system [true]", "does not parse"),
        ("id: !!python/name:os.system", "does not parse"),
        ("id: [", "does not parse"),
        ("id: low-d\n  kind: x", "does not parse"),
        ("when: {a: b, c, d: e", "does not parse"),
        ("- a\n- b", "is no mapping"),
        ("just text", "is no mapping"),
        ("", "is no mapping"),
        ("[" * 60 + "]" * 60, "nested too deep"),
        ("a: " + "[" * 50_000, "nested too deep"),
        ("a: [" + "x," * 120_000 + "x]", "too long"),
        ("a: " + "x" * (1 << 20), "larger than a megabyte"),
        ("a: 1\n--- \nb: 2", "does not parse"),
        ("? [a, b]\n: 1", "unhashable"),
        ("false_positives: [{when: a, b c d, do: e}]", "quote the text"),
        ("\x00", "does not parse"),
        ("a: \t b\n\t- c", "does not parse"),
    ],
)
def test_yaml_that_is_wrong_or_hostile(folder, text, says):
    write(folder, "symptoms/low-d.yaml", text)
    found = faults(folder)
    assert any(says in f and "symptoms/low-d.yaml" in f for f in found), found


def test_bytes_that_are_no_text(folder):
    (folder / "symptoms/low-d.yaml").write_bytes(b"\xff\xfe\x00id: x")
    assert any("does not parse" in f for f in faults(folder))


def test_a_file_that_cannot_be_opened(tmp_path):
    with pytest.raises(RuleError, match="cannot be read"):
        read_yaml(tmp_path / "none.yaml", "none.yaml")


def test_a_fault_in_the_vocabulary_is_named(folder):
    write(folder, "vocabulary/facts.yaml", "facts: [params_g]")
    assert any("vocabulary/facts.yaml:facts: must be a mapping" in f for f in faults(folder))
    write(folder, "vocabulary/facts.yaml", "facts: {")
    assert any("vocabulary/facts.yaml" in f and "does not parse" in f for f in faults(folder))
    with pytest.raises(RulebookError):
        rulebook.vocabulary([folder])


_SCALAR = st.one_of(
    st.none(), st.booleans(), st.integers(-3, 300), st.floats(allow_nan=True),
    st.sampled_from(["", "d_loss < 1", "last 50%", "ever", "x", "lr_d", "adam", "low-d", "{x}",
        "a: b", "high"]),
)  # fmt: skip
_ANY = st.recursive(
    _SCALAR,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from([*RULE_KEYS, *TERM_KEYS, "where", "x", "lr_d"]),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=8,
)


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.sampled_from(["symptoms/low-d.yaml", "causes/fast-d.yaml", "remedies/slow-d.yaml"]),
    st.dictionaries(
        st.sampled_from([*RULE_KEYS, *CAUSE_KEYS, *REMEDY_KEYS, "nope"]),
        _ANY,
        max_size=4,
    ),
)
def test_no_file_ends_in_anything_but_a_rule_error(folder, name, keys):
    original = (folder / name).read_text(encoding="utf-8")
    try:
        data = {**yaml.safe_load(original), **keys}
        write(folder, name, yaml.safe_dump(data, sort_keys=False))
        assert all(f.where for f in all_faults(folder))
    finally:
        write(folder, name, original)
