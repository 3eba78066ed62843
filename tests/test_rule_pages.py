"""The rule book's pages are those of today's rules; a rule that is started is valid as written."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from test_cli import one_sentence, run

from gandoctor import pages, rule_pages, rule_start, rulebook, ruletest
from gandoctor.api import Options
from gandoctor.errors import UsageError
from gandoctor.model.belief import Measure
from gandoctor.model.measured import Share
from gandoctor.rulebook.measured import overclaimed

DOCS = Path(__file__).parents[1] / "docs/rules"
BOOK = rulebook.load([rulebook.default_folder()])
PAGES = rule_pages.render(Options())
LINK = re.compile(r"\]\(([^)#]+\.md)\)")


# ---------------------------------------------------------------- pages


def test_the_pages_in_the_repository_are_those_of_the_rules() -> None:
    kept = {
        p.relative_to(DOCS).as_posix(): p.read_text(encoding="utf-8") for p in DOCS.rglob("*.md")
    }
    stale = sorted(n for n in PAGES.keys() | kept.keys() if PAGES.get(n) != kept.get(n))
    assert not stale, "write them anew: gandoctor rules docs docs/rules"


def test_every_rule_measure_cause_and_remedy_has_a_page_and_a_line_in_the_index() -> None:
    rules = {f"{'symptoms' if r.kind == 'symptom' else 'risks'}/{r.id}.md" for r in BOOK.rules}
    rules |= {f"measures/{m.id}.md" for m in BOOK.measures}
    rules |= {f"evidence/{e.id}.md" for e in BOOK.evidence}
    pages = (
        rules
        | {f"causes/{c.id}.md" for c in BOOK.causes}
        | {f"remedies/{r.id}.md" for r in BOOK.remedies}
    )
    assert PAGES.keys() == pages | {"index.md"}
    assert set(LINK.findall(PAGES["index.md"])) == pages


def test_shared_evidence_and_the_rules_that_ask_it_link_to_each_other() -> None:
    shared = {(r.id, c.shared) for r in BOOK.rules for c in r.clauses if c.shared}
    assert {e for _, e in shared} == {e.id for e in BOOK.evidence}
    for rule, evidence in shared:
        assert f"(../symptoms/{rule}.md)" in PAGES[f"evidence/{evidence}.md"]
        assert f"(../evidence/{evidence}.md)" in PAGES[f"symptoms/{rule}.md"]
        assert f"  {rule}: {BOOK.by_id[rule].title}" in pages.page(evidence, Options())
        assert evidence in pages.listing(Options())


def test_every_link_leads_to_a_page() -> None:
    for name, text in PAGES.items():
        for link in LINK.findall(text):
            path = (Path("/") / name).parent / link
            assert path.resolve().relative_to("/").as_posix() in PAGES, (name, link)


@pytest.mark.parametrize("rule", BOOK.rules, ids=lambda r: r.id)
def test_a_rules_page_holds_all_of_the_rule(rule: rulebook.Rule) -> None:
    text = PAGES[f"{'symptoms' if rule.kind == 'symptom' else 'risks'}/{rule.id}.md"]
    flat = " ".join(text.split())
    assert f"\n# {rule.title}\n" in text
    assert " ".join(rule.why.split()) in flat
    for clause in rule.clauses:
        assert f"**{clause.name}**" in text
        if clause.where is not None:
            assert f"`{clause.where.text}`" in text
            for name in clause.where.names:
                assert f"- `{name}`: " in text, name
    for wrong in rule.false_positives:
        assert wrong.do in flat
    for reference in rule.references:
        assert reference.url in text


CLAUSES = """
id: wordy
kind: symptom
symptom: oscillation
title: Wordy
severity: low
applies_to: {family: [hinge, lsgan, wgan], led_by: [nothing], unit: [epochs]}
why: So.
evidence:
  late: {where: d_loss > 1, over: last 50%, for: 75% of steps}
  soon: {where: d_loss > 2, over: first 100 steps, for: ever}
  then_: {where: d_loss > 3, over: after 2000 steps, for: always}
  best_: {where: g_loss > 4, over: after best(g_loss), for: 30 steps in a row}
  clause_: {where: median(g_loss) > 5, over: after late}
  all_: {where: fid > 6, for: ever}
  once: {where: trend(fid) > 0.5}
  words: {given: {optimizer_d: [sgd, adam]}, where: lr_d > 0.1}
when: late and soon and then_ and best_ and clause_ and all_ and once and words
"""


@pytest.mark.parametrize("measure", BOOK.measures, ids=lambda m: m.id)
def test_a_measures_page_holds_all_of_the_measure(measure: Measure) -> None:
    text = PAGES[f"measures/{measure.id}.md"]
    assert f"\n# {measure.title}\n" in text
    assert f"`{measure.value.text}`" in text
    assert measure.says in text
    assert " ".join(measure.why.split()) in text
    assert all(f"- `{name}`: " in text for name in measure.value.names)
    for symptom in filter(None, (measure.low, measure.high)):
        assert symptom.replace("-", " ") in text.lower()
    told = pages.page(measure.id, Options())
    assert measure.value.text in told
    if measure.id not in BOOK.weights.measures:
        return  # nobody has counted yet
    fitted, cases = BOOK.weights.measures[measure.id], BOOK.weights.cases[measure.id]
    for knot, prior, nats in zip(measure.curve.knots, measure.curve.nats, fitted, strict=True):
        assert f"| {knot:g} | {prior:+.2f} | {nats:+.2f} |" in text
    told_of = f"on the {cases.n} runs that had it; {cases.k} of them had failed"
    assert (told_of in text) == (cases.n > 0)  # in no run: what stands there is the prior
    assert all(f"{nats:+.2f}" in told for nats in fitted)


def test_a_rules_page_says_what_it_is_worth() -> None:
    weight = BOOK.weights.rules["d-wins-late"]
    for text in (PAGES["symptoms/d-wins-late.md"], pages.page("d-wins-late", Options())):
        assert f"{weight.holds:+.2f}" in text
        assert f"{weight.clear:+.2f}" in text
        assert f"held in {weight.fired.n}" in text
        assert f"{weight.asked.n} runs" in text


def test_a_rule_that_nobody_counted_says_so(tmp_path: Path) -> None:
    rule_start.start("mine", tmp_path)
    text = rule_pages.render(Options(rules=(tmp_path,)))["symptoms/mine.md"]
    assert "Nobody has counted yet" in text


def test_the_list_knows_measures() -> None:
    listed = pages.listing(Options())
    assert all(m.id in listed and m.title in listed for m in BOOK.measures)
    with pytest.raises(UsageError, match="no rule, measure, cause, remedy") as e:
        pages.page("d-repeat", Options())
    assert "d-repeats" in e.value.hint


def test_windows_and_amounts_are_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "wordy.yaml").write_text(CLAUSES, encoding="utf-8")
    text = rule_pages.render(Options(rules=(tmp_path,)))["symptoms/wordy.md"]
    said = dict(re.findall(r"^- \*\*(\w+)\*\*: (.+)$", text, re.MULTILINE))
    assert said == {
        "late": "`d_loss > 1`, in the last 50 % of the run, on at least 75 % of the steps",
        "soon": "`d_loss > 2`, in the first 100 steps of the run, at one step at least",
        "then_": "`d_loss > 3`, after 2000 steps, at every step",
        "best_": "`g_loss > 4`, after the best value of `g_loss`, for 30 steps in a row",
        "clause_": "`median(g_loss) > 5`, from where **late** begins",
        "all_": "`fid > 6`, over the whole run, at one step at least",
        "once": "`trend(fid) > 0.5`",
        "words": "`optimizer_d` is sgd or adam and `lr_d > 0.1`",
    }
    limits = (
        "the loss is hinge, lsgan or wgan and no pixel, mel, feature or other loss leads G "
        "and the log counts epochs"
    )
    assert f"It is only asked where {limits}." in text


def test_pages_say_how_to_log_and_what_cures() -> None:
    text = PAGES["symptoms/d-gradient-dwarfs-g.md"]
    assert 'writer.add_scalar("grad_norm/g"' in text
    assert "(../causes/discriminator-learning-rate-too-high.md)" in text
    assert "(../remedies/" in text
    assert "torchvision.utils.save_image" in PAGES["risks/blind-run.md"]


def test_a_page_of_a_rule_that_is_gone_is_taken_away_and_nothing_else(tmp_path: Path) -> None:
    rule_pages.write(tmp_path, Options())
    gone, foreign = tmp_path / "risks/gone.md", tmp_path / "risks/notes.md"
    gone.write_text(f"{rule_pages.MADE_BY}\n# Gone\n", encoding="utf-8")
    foreign.write_text("# My notes\n", encoding="utf-8")
    rule_pages.write(tmp_path, Options())
    assert not gone.exists()
    assert foreign.read_text(encoding="utf-8") == "# My notes\n"
    assert {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.md")} == PAGES.keys() | {
        "risks/notes.md"
    }


def test_a_folder_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x", encoding="utf-8")
    with pytest.raises(UsageError, match="cannot be written"):
        rule_pages.write(tmp_path / "f", Options())


# ---------------------------------------------------------------- what was measured

OWN = """
id: {id}
kind: symptom
symptom: oscillation
title: Own
severity: low
{more}
why: So.
evidence: {{it: {{where: d_loss > 1, for: ever}}}}
"""
COUNTS = """
runs: {train: {runs: 60, failed: 40}, test: {runs: 50, failed: 30}}
rules:
  own:
    train: {fired: 20, on_failed: 20, right: 15, had: 30, could: 25}
    test: {fired: 14, on_failed: 13, right: 12, had: 25, could: 20}
"""


def own_rules(folder: Path, counts: str = COUNTS, **rules: str) -> Path:
    for id_, more in (rules or {"own": ""}).items():
        (folder / f"{id_}.yaml").write_text(OWN.format(id=id_, more=more), encoding="utf-8")
    (folder / "measured.yaml").write_text(counts, encoding="utf-8")
    return folder


def test_what_was_counted_is_on_the_page_and_in_the_explanation(tmp_path: Path) -> None:
    options = Options(rules=(own_rules(tmp_path),))
    text = rule_pages.render(options)["symptoms/own.md"]
    assert (
        "| train split, 60 | 20 | 20/20 = 1.00 [0.84, 1.00] | 15/20 = 0.75 [0.53, 0.89] | 15/30 = "
        "0.50" in text
    )
    assert "| together, 110 | 34 | 33/34 = 0.97 [0.85, 0.99] | 27/34" in text
    assert "In 10 of the 55 runs with its symptom too little was logged" in text
    assert "It has that by now." in text
    assert "(symptoms/own.md) | low | preview | 33/34 |" in rule_pages.render(options)["index.md"]
    said = " ".join(pages.page("own", options).split())
    assert (
        "on the zoo: fired on 34 of 110 runs, 33 of them failed (lower 95 % bound 0.85); symptom "
        "right 27/34; "
        "recall 27/55; on the test split alone: fired on 14 of 50 runs, 13 of them failed (lower "
        "95 % bound 0.69)"
    ) in said


def test_what_was_not_counted_says_so(tmp_path: Path) -> None:
    options = Options(rules=(own_rules(tmp_path, "cures: {}"),))
    assert "Not yet measured." in rule_pages.render(options)["symptoms/own.md"]
    assert "on the zoo: not yet measured" in pages.page("own", options)
    silent = (
        "runs: {test: {runs: 9, failed: 4}}\nrules: {own: {test: {fired: 0, on_failed: 0, "
        "right: 0, had: 3, could: 3}}}"
    )
    options = Options(rules=(own_rules(tmp_path, silent),))
    assert "on the zoo: fired on none of 9 runs, 3 of which had its symptom" in pages.page(
        "own", options
    )


def test_cures_and_causes_are_on_their_pages(tmp_path: Path) -> None:
    counts = """
    causes: {tiny-data-set: {train: {first: 4, right: 3}, test: {first: 6, right: 5}}}
    cures: {fewer-d-steps: {discriminator-trained-too-often: {cured: 5, of: 6}}}
    cures_unseen:
      fewer-d-steps: {discriminator-trained-too-often: {cured: 2, of: 3}, unbalanced-game: {cured: 0, of: 1}}
    """
    options = Options(rules=(own_rules(tmp_path, counts),))
    made = rule_pages.render(options)
    assert "Named first in 10 runs" in made["causes/tiny-data-set.md"]
    assert "8/10 = 0.80 [0.49, 0.94]" in made["causes/tiny-data-set.md"]
    assert "named first on the zoo: right in 8/10" in pages.page("tiny-data-set", options)
    table = made["remedies/fewer-d-steps.md"]
    assert "| 5/6 = 0.83 [0.44, 0.97] | 2/3 = 0.67" in table
    assert "(../causes/unbalanced-game.md) | " in table
    assert "discriminator-trained-too-often (on the zoo, cured 7 of 9)" in pages.page(
        "fewer-d-steps", options
    )
    assert re.search(r"fewer-d-steps\.md\) \| .* \| 7/10 \|", made["index.md"])


@pytest.mark.parametrize(
    ("counts", "where", "what"),
    [
        ("[]", "measured.yaml", "is no mapping"),
        ("rools: {}", "measured.yaml:rools", "means nothing here"),
        ("runs: {test: {runs: 5}}", "measured.yaml:runs.test.failed", "is missing"),
        (
            "runs: {test: {runs: 5, failed: 9}}",
            "measured.yaml:runs.test.failed",
            "9 of 5 cannot be",
        ),
        (
            COUNTS.replace("fired: 14", "fired: 12"),
            "measured.yaml:rules.own.test",
            "do not fit together",
        ),
        (
            COUNTS.replace("fired: 14", "fired: 14.5"),
            "measured.yaml:rules.own.test.fired",
            "no number of runs",
        ),
        (
            COUNTS.replace("fired: 14", "fired: -1"),
            "measured.yaml:rules.own.test.fired",
            "no number",
        ),
        (
            COUNTS.replace("fired: 14", "fierd: 14"),
            "measured.yaml:rules.own.test.fierd",
            "means nothing here",
        ),
        ("rules: {own: 5}", "measured.yaml:rules.own", "must be a mapping"),
        (
            "causes: {tiny-data-set: {test: {first: 1, right: 2}}}",
            "causes.tiny-data-set.test.right",
            "2 of 1",
        ),
        ("cures: {fewer-d-step: {}}", "measured.yaml:cures.fewer-d-step", "no remedy is called"),
    ],
)
def test_faults_in_the_counts_are_said_with_their_place(
    tmp_path: Path, counts: str, where: str, what: str
) -> None:
    with pytest.raises(rulebook.RulebookError) as caught:
        rulebook.load([rulebook.default_folder(), own_rules(tmp_path, counts)])
    assert any(where in f.where and what in f.what for f in caught.value.faults), str(caught.value)


def test_counts_of_a_rule_that_is_gone_do_no_harm_and_a_later_folder_goes_first(
    tmp_path: Path,
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    own_rules(tmp_path / "a", COUNTS.replace("  own:", "  gone:"))
    again = COUNTS.replace("  own:", "  d-wins-late:").replace("fired: 20", "fired: 21")
    (tmp_path / "b" / "measured.yaml").write_text(again, encoding="utf-8")
    book = rulebook.load([rulebook.default_folder(), tmp_path / "a", tmp_path / "b"])
    assert book.by_id["own"].measured is None
    told = book.by_id["d-wins-late"].measured
    assert told is not None
    assert told.zoo.precision == Share(33, 35)


def test_a_rule_claims_no_more_than_was_measured(tmp_path: Path) -> None:
    rules = {
        "own": "status: stable",
        "unmeasured": "status: stable",
        "arithmetic": "status: stable\nstable_because: it is arithmetic",
        "modest": "status: preview",
        "bold": "status: stable\nconfidence: high",
        "bolder": "status: stable\nconfidence: high",
    }
    enough = "{fired: 40, on_failed: 40, right: 30, had: 30, could: 30}"
    few = "{fired: 34, on_failed: 34, right: 30, had: 30, could: 30}"
    counts = COUNTS + f"  bold: {{train: {enough}}}\n  bolder: {{train: {few}}}\n"
    book = rulebook.load([rulebook.default_folder(), own_rules(tmp_path, counts, **rules)])
    found = overclaimed(r for r in book.rules if r.id in rules)
    assert found == {
        "unmeasured": "is stable, but not yet measured",
        "bolder": "is held with high confidence, but fired on 34 of 60 runs, 34 of them failed "
        "(lower 95 % bound 0.90); symptom right 30/34; recall 30/30",
    }
    text = rule_pages.render(Options(rules=(tmp_path,)))
    assert "It is stable because it is arithmetic; its findings" in text["symptoms/arithmetic.md"]
    assert "It is stable: of the runs it fired on" in text["symptoms/own.md"]


def test_no_rule_of_ours_claims_more_than_was_measured() -> None:
    found = overclaimed(BOOK.rules)
    assert not found, "\n".join(f"{rule} {why}" for rule, why in found.items())


def test_who_claims_to_be_silent_on_every_healthy_run_is() -> None:
    claim = [r for r in BOOK.rules if "every healthy run" in r.stable_because]
    assert claim
    for rule in claim:
        assert rule.measured is not None
        assert rule.measured.zoo.fired == rule.measured.zoo.on_failed, rule.id


def test_the_counts_speak_of_rules_that_are_there_and_come_with_the_package() -> None:
    counts = yaml.safe_load((rulebook.default_folder() / rulebook.MEASURED).read_text("utf-8"))
    assert set(counts["rules"]) <= BOOK.by_id.keys(), (
        "write them anew: python -m benchmarks.zoo measure-rules"
    )
    assert set(counts["causes"]) <= {c.id for c in BOOK.causes}
    project = tomllib.loads((DOCS.parents[1] / "pyproject.toml").read_text("utf-8"))
    assert (
        project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]["rules"]
        == "gandoctor/rules"
    )


# ---------------------------------------------------------------- a rule to begin with


@pytest.mark.parametrize("kind", ["symptom", "risk"])
def test_a_started_rule_is_valid_and_its_test_passes_and_notices(tmp_path: Path, kind: str) -> None:
    rule, test = rule_start.start("my-own-rule", tmp_path, kind)  # type: ignore[arg-type]
    assert rule.parent == test.parent == tmp_path / f"{kind}s"
    book = rulebook.load([tmp_path])
    assert [(r.id, r.kind, r.status) for r in book.rules] == [("my-own-rule", kind, "preview")]
    result = ruletest.run(book, [tmp_path])
    assert result.passed, result.format()
    assert not result.unnoticed
    assert {c.verdict for c in result.cases} == {"fires", "clear", "unknown"}


def test_a_started_rule_works_beside_the_projects_own(tmp_path: Path) -> None:
    rule_start.start("my-own-rule", tmp_path, symptom="mode-collapse")
    book = rulebook.load([rulebook.default_folder(), tmp_path])
    assert book.by_id["my-own-rule"].symptom == "mode-collapse"
    assert "symptoms/my-own-rule.md" in rule_pages.render(Options(rules=(tmp_path,)))


@pytest.mark.parametrize(
    ("id_", "more", "said"),
    [
        ("My_Rule", {}, "no name for a rule"),
        ("../escape", {}, "no name for a rule"),
        ("d-wins-late", {}, "is taken"),
        ("throttle-d", {}, "is taken"),
        ("mine", {"symptom": "modecollapse"}, "did you mean `mode-collapse`"),
    ],
)
def test_what_cannot_be_started_is_said(
    tmp_path: Path, id_: str, more: dict[str, str], said: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        rule_start.start(id_, tmp_path, **more)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    rule, _ = rule_start.start("mine", tmp_path)
    rule.write_text(rule.read_text(encoding="utf-8").replace("> 10", "> 9"), encoding="utf-8")
    with pytest.raises(UsageError, match="is taken"):
        rule_start.start("mine", tmp_path)
    assert "> 9" in rule.read_text(encoding="utf-8")


def test_commands(tmp_path: Path) -> None:
    done = run("rules", "new", "mine", "--rules", "own", "--kind", "risk", cwd=tmp_path)
    assert (done.returncode, done.stdout.split()) == (
        0,
        ["own/risks/mine.yaml", "own/risks/mine.test.yaml"],
    )
    again = run("rules", "new", "mine", "--rules", "own", cwd=tmp_path)
    assert again.returncode == 2
    assert one_sentence(again.stderr)
    done = run("rules", "docs", "pages", "--rules", "own", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "pages/risks/mine.md").is_file()
