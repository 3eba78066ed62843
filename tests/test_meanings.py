"""What symptoms, roles and settings are, for people: ``explain``, ``signals --known``, ``--map``."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gandoctor import mapping, meanings, pages
from gandoctor.api import Options, analyze
from gandoctor.errors import UsageError
from gandoctor.lexicon.hinting import to_map
from gandoctor.lexicon.reading import load
from gandoctor.model.rules import SYMPTOMS
from gandoctor.page import default_folder
from gandoctor.reporters import check, comment, markdown, text

WORDS = load([default_folder()])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mode-collapse", "sample-diversity-low: "),
        ("Mode collapse", "generator-learning-rate-too-high: "),
        ("d_loss", "--map d_loss=TAG"),
        ("D loss", "d-loss-shoots-up: "),
        ("lr_d", "D's learning rate  (lr_d)"),
        ("lr_d", "learning rate of D  (lr_d)"),
        ("batch size", "samples a step  (batch_size)"),
        ("chance_d", "a number about a run"),
        ("Loss/critic", "'Loss/critic' is understood as d_loss: "),
        ("nz", "understood as the setting latent_dim"),
        ("D_Wins_Late", "(d-wins-late)"),
        ("D learns too fast for G", "(discriminator-learning-rate-too-high)"),
        ("lower-d-learning-rate", "How to tell that it helped"),
    ],
)
def test_whatever_a_report_speaks_of_is_explained(name: str, said: str) -> None:
    assert said in pages.page(name, Options())


def test_every_symptom_role_setting_and_fact_has_a_page() -> None:
    book = pages.rulebook.load([default_folder()])
    for name in meanings.names(WORDS):
        assert meanings.page(name, book, WORDS), name
    for symptom in SYMPTOMS:
        told = meanings.page(symptom, book, WORDS) or ""
        assert all(r.id in told for r in book.rules if r.symptom == symptom)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("d-wins", "'d-wins-late'"),
        ("lower-d-lr", "'lower-d-learning-rate'"),
        ("collapse", "'mode-collapse'"),
        ("beta", "'beta1' or 'beta2'"),
    ],
)
def test_near_misses_are_told(name: str, meant: str) -> None:
    with pytest.raises(UsageError) as e:
        pages.page(name, Options())
    assert f"did you mean {meant}" in e.value.hint


def test_what_is_like_nothing_leads_to_the_lists() -> None:
    with pytest.raises(UsageError) as e:
        pages.page("foo", Options())
    assert "signals --known" in e.value.hint


def test_known_roles_are_listed() -> None:
    listed = meanings.known_roles(Options(), as_json=False)
    assert all(f"\n{name} " in listed for name in WORDS.roles)
    rows = json.loads(meanings.known_roles(Options(), as_json=True))
    assert [r["role"] for r in rows] == list(WORDS.roles)


@pytest.mark.parametrize(
    ("placed", "unmapped", "said"),
    [
        (
            [],
            ["adv_A", "adv_B"],
            "adv_A, adv_B not placed; try --map d_loss=adv_A --map g_loss=adv_B",
        ),
        ([("g", "g_loss")], ["my loss", "x"], "my loss not placed; try --map 'd_loss=my loss'"),
        (
            [("a", "g_loss_adv"), ("b", "g_loss_adv")],
            [],
            "a, b all taken for G's loss; try --map d_loss=a",
        ),
        ([("g", "g_loss")], ["x", "y"], ""),
        ([("g", "g_loss")], [], ""),
        ([("g", "g_loss"), ("d", "d_loss")], ["other_loss"], ""),
    ],
)
def test_losses_that_were_not_placed_lead_to_a_mapping(
    placed: list[tuple[str, str]], unmapped: list[str], said: str
) -> None:
    assert to_map(placed, unmapped) == said


def test_every_summary_says_what_to_map(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(1, 0.1, (200, 2))
    rows = "".join(f"{i},{a:.4f},{b:.4f}\n" for i, (a, b) in enumerate(noise))
    log = tmp_path / "log.csv"
    log.write_text("step,foo_loss,bar_loss\n" + rows)
    report = analyze(log)
    hint = "try --map d_loss=foo_loss --map g_loss=bar_loss"
    assert hint in text.render(report, width=100)
    assert hint in check.render(report)
    assert hint in mapping.show_run(log, Options(), as_json=False)
    for form in (comment, markdown):
        assert hint.replace("_", "\\_") in form.render(report)
    asked = analyze(log, map={"d_loss": "foo_loss", "g_loss": "bar_loss"})
    assert "try --map" not in text.render(asked, width=100)
    report = analyze(log, map={"d_loss": "foo_loss"})
    assert "bar_loss not placed; try --map g_loss=bar_loss" in text.render(report, width=100)


def test_code_to_log_keeps_its_lines(tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("step,x\n" + "".join(f"{i},{i % 7}\n" for i in range(50)))
    report = analyze(log)
    several = [n.log_it for n in report.not_checked if "\n" in n.log_it][:1]
    assert several
    assert all(
        line in markdown.render(report).replace("\n  ", "\n").splitlines()
        for line in several[0].splitlines()
    )
    printed = [line[7:] for line in text.render(report, width=60).splitlines()]
    shown = [
        n.log_it.splitlines()
        for n in report.not_checked
        if "\n" in n.log_it and n.log_it.splitlines()[0] in printed
    ]
    assert shown
    assert all(line in printed for line in shown[0])
