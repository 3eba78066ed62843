"""How a run went is told in stretches, where it is not of one piece."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from gandoctor.diagnose.course import course
from gandoctor.lang.evaluate import Frame, Series
from gandoctor.model.report import Report, RunNote, Stretch
from gandoctor.reporters import html, json, markdown, text

if TYPE_CHECKING:
    from numpy.typing import NDArray

LN4 = 1.3862944


def stretches(
    values: NDArray[np.float64], chance: float | None = LN4
) -> list[tuple[int, int, str]]:
    steps = np.arange(values.size, dtype=np.int64) * 10
    told = course(Frame({"d_loss": Series(steps, values)}, numbers={"chance_d": chance}))
    return [(x.first_step, x.last_step, x.text) for x in told]


def around(level: float, n: int = 400, seed: int = 0) -> NDArray[np.float64]:
    return level * np.exp(0.05 * np.random.default_rng(seed).standard_normal(n))


@pytest.mark.parametrize(
    ("level", "said"),
    [
        (0.002, "D has won: its loss lies at under 1 % of chance"),
        (0.07, "D has won: its loss lies at 5 % of chance"),
        (0.3, "D leads: its loss lies at 22 % of chance"),
        (9.0, "D does worse than guessing: its loss is 6.4"),
    ],
)
def test_each_side_of_a_break_is_told_by_where_d_stood(level: float, said: str) -> None:
    first, second = stretches(np.concatenate((around(LN4), around(level, seed=1))))
    assert first == (0, 3990, "D only guesses: its loss lies at chance")
    assert second[:2] == (4000, 7990)
    assert second[2].startswith(said)


def test_without_a_chance_level_the_loss_itself_is_told() -> None:
    told = stretches(np.concatenate((around(2.0), around(40.0, seed=1))), None)
    assert [t.rsplit(" ", 1)[0] for _, _, t in told] == ["D's loss lies around"] * 2
    assert [float(t.rsplit(" ", 1)[1]) for _, _, t in told] == pytest.approx([2, 40], rel=0.05)


def test_a_loss_that_stands_still_and_one_that_is_gone() -> None:
    values = np.concatenate((around(0.5), np.full(400, 50.0), np.full(200, np.nan)))
    assert [(a, t) for a, _, t in stretches(values)] == [
        (0, "D leads: its loss lies at 36 % of chance"),
        (4000, "D's loss stands still at 50"),
        (8000, "D's loss is not a number"),
    ]


@pytest.mark.parametrize("n", [3, 30, 4000])
def test_a_run_of_one_piece_has_no_course(n: int) -> None:
    assert stretches(around(0.7, n)) == []
    assert stretches(np.linspace(1.4, 0.7, n)) == []
    assert course(Frame({})) == ()
    assert stretches(np.full(n, np.nan)) == []


def test_reports_tell_it_of_runs_that_are_not_healthy() -> None:
    parts = (Stretch(0, 90, "D <b>leads"), Stretch(100, 200, "D has won"))
    run = RunNote("r", step_unit="epochs", last_step=200)
    for verdict, shown in (("failing", True), ("warning", True), ("healthy", False)):
        report = Report(run, verdict, course=parts)
        assert Report.from_dict(report.to_dict()) == report
        assert '"course"' in json.render(report)
        line = "until epoch 90 D <b>leads; since epoch 100 D has won"
        assert (line in " ".join(text.render(report, width=200).split())) is shown
        assert ("until epoch 90" in markdown.render(report)) is shown
        assert ("<b>leads" in markdown.render(report)) is False
        page = html.render(report)
        assert ("<dt>epoch 100</dt><dd>D has won</dd>" in page) is shown
        assert "<b>leads" not in page
