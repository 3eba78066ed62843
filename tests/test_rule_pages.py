"""The pages of the rule book are those of today's rules, and a rule that is started is valid as it is written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from test_cli import one_sentence, run

from gandoctor import rule_pages, rule_start, rulebook, ruletest
from gandoctor.api import Options
from gandoctor.errors import UsageError

DOCS = Path(__file__).parents[1] / "docs/rules"
BOOK = rulebook.load([rulebook.default_folder()])
PAGES = rule_pages.render(Options())
LINK = re.compile(r"\]\(([^)#]+\.md)\)")


# ---------------------------------------------------------------- pages


def test_the_pages_in_the_repository_are_those_of_the_rules() -> None:
    kept = {p.relative_to(DOCS).as_posix(): p.read_text(encoding="utf-8") for p in DOCS.rglob("*.md")}
    stale = sorted(n for n in PAGES.keys() | kept.keys() if PAGES.get(n) != kept.get(n))
    assert not stale, "write them anew: gandoctor rules docs docs/rules"


def test_every_rule_cause_and_remedy_has_a_page_and_a_line_in_the_index() -> None:
    rules = {f"{'symptoms' if r.kind == 'symptom' else 'risks'}/{r.id}.md" for r in BOOK.rules}
    pages = rules | {f"causes/{c.id}.md" for c in BOOK.causes} | {f"remedies/{r.id}.md" for r in BOOK.remedies}
    assert PAGES.keys() == pages | {"index.md"}
    assert set(LINK.findall(PAGES["index.md"])) == pages


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
        "the loss is hinge, lsgan or wgan and no pixel, mel, feature or other loss leads G and the log counts epochs"
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
    assert {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.md")} == PAGES.keys() | {"risks/notes.md"}


def test_a_folder_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("x", encoding="utf-8")
    with pytest.raises(UsageError, match="cannot be written"):
        rule_pages.write(tmp_path / "f", Options())


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
def test_what_cannot_be_started_is_said(tmp_path: Path, id_: str, more: dict[str, str], said: str) -> None:
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
    assert (done.returncode, done.stdout.split()) == (0, ["own/risks/mine.yaml", "own/risks/mine.test.yaml"])
    again = run("rules", "new", "mine", "--rules", "own", cwd=tmp_path)
    assert again.returncode == 2
    assert one_sentence(again.stderr)
    done = run("rules", "docs", "pages", "--rules", "own", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "pages/risks/mine.md").is_file()
