"""One state for all judges of quality: where they stand, what they cannot say, whether they agree."""

from __future__ import annotations

import numpy as np
import pytest

from gandoctor.lang.functions import Points, UndecidedError, state_of
from gandoctor.lexicon.reading import roles
from gandoctor.model.signals import Signal
from gandoctor.objective import judge
from gandoctor.objective.quality import quality_of


def series(role: str, values: object, tag: str = "", split: str = "") -> Signal:
    array = np.asarray(values, dtype=np.float64)
    steps = np.linspace(0, 1000, len(array)).astype(np.int64)
    return Signal(tag or role, steps, array, role=role, split=split)


RNG = np.random.default_rng(3)
FALLING = np.linspace(200, 20, 30) + RNG.normal(size=30)
LOST = np.concatenate([np.linspace(200, 20, 12), np.linspace(25, 140, 18)])
HELD = np.concatenate([np.linspace(200, 20, 12), 20 + RNG.normal(size=18)])


@pytest.mark.parametrize(("values", "state"), [(FALLING, 1.0), (HELD, 0.0), (LOST, -1.0)])
@pytest.mark.parametrize(
    ("unit", "higher"), [(1.0, False), (1e-6, False), (1e6, False), (-1.0, True), (-1e-3, True)]
)
def test_a_state_knows_no_unit(values: np.ndarray, state: float, unit: float, higher: bool) -> None:
    steps = np.linspace(0, 1000, 30).astype(np.int64)
    assert state_of(Points(steps, values * unit, higher=higher), 0, 1000) == state


def test_a_score_that_rises_to_the_end_improves_and_one_that_turned_is_lost() -> None:
    steps = np.linspace(0, 1000, 30).astype(np.int64)
    rising = np.linspace(1, 9, 30)
    assert state_of(Points(steps, rising, higher=True), 0, 1000) == 1.0
    turned = np.concatenate([np.linspace(1, 9, 12), np.linspace(8, 2, 18)])
    assert state_of(Points(steps, turned, higher=True), 0, 1000) == -1.0


def test_noise_that_was_lucky_once_is_no_loss() -> None:
    values = 50 + 8 * np.random.default_rng(0).normal(size=40)
    values[12] = 25
    assert state_of(Points(np.arange(40) * 25, values), 0, 975) == 0.0


def test_few_looks_and_a_judge_that_fell_silent_tell_no_state() -> None:
    with pytest.raises(UndecidedError):
        state_of(Points(np.arange(5) * 200, np.linspace(9, 1, 5)), 0, 1000)
    with pytest.raises(UndecidedError):
        state_of(Points(np.arange(20) * 10, np.linspace(9, 1, 20)), 0, 1000)


def test_six_looks_are_enough_to_see_that_all_got_better() -> None:
    looks = np.array([414.0, 376, 360, 338, 315, 305])
    assert state_of(Points(np.arange(6) * 200, looks), 0, 1000) == 1.0


@pytest.mark.parametrize(
    ("role", "bad"),
    [
        ("fid", 8e51),
        ("fid", -12.0),
        ("kid", 9.8e9),
        ("psnr_ssim", 4e8),
        ("lpips", -3.0),
        ("inception_score", -1.0),
    ],
)
def test_an_impossible_value_is_left_out_and_told(role: str, bad: float) -> None:
    values = np.linspace(60, 30, 20) if role != "lpips" else np.linspace(0.6, 0.3, 20)
    values[7] = bad
    got = judge([series(role, values)], roles())
    assert len(got.signals[0]) == 19
    assert bad not in got.signals[0].values
    assert got.facts["quality_refused"] == 1
    assert any("impossible" in note for note in got.notes)


def test_a_value_whose_exponent_was_cut_stands_alone() -> None:
    values = np.linspace(3e-3, 1e-3, 20)
    values[9] = 9.8
    assert judge([series("kid", values)], roles()).facts["quality_refused"] == 1


def test_a_judge_that_falls_by_thousands_of_times_is_believed() -> None:
    values = np.concatenate([[90.0, 12.0, 0.5], np.full(20, 0.001)])
    assert judge([series("kid", values)], roles()).facts["quality_refused"] == 0


def test_values_that_are_not_finite_stay_for_others_to_judge() -> None:
    values = np.array([90.0, 50.0, np.nan, np.inf, 20.0, 15.0])
    got = judge([series("fid", values)], roles())
    assert len(got.signals[0]) == 6
    assert got.facts["quality_refused"] == 0


def test_judges_agree_or_not_and_that_is_said() -> None:
    apart = judge([series("fid", FALLING), series("inception_score", -LOST + 300)], roles())
    assert apart.facts["quality_improving"] == 1
    assert apart.facts["quality_lost"] == 1
    assert "they disagree" in apart.notes[0]
    one = judge([series("fid", FALLING), series("kid", FALLING / 1000)], roles())
    assert one.facts["quality_judges"] == one.facts["quality_improving"] == 2
    assert "they agree" in one.notes[0]


def test_what_g_is_trained_on_leads_but_is_no_judge() -> None:
    own = series("g_loss_aux", FALLING, "train/l1", "train")
    assert [s.role for s in quality_of([own], roles())] == ["progress"]
    held_out = series("g_loss_aux", HELD, "val/l1", "val")
    found = {s.role: s for s in quality_of([own, held_out], roles())}
    assert found["quality"].because == found["progress"].because
    assert "val/l1" in found["quality"].because


def test_a_run_without_judges_is_as_it_was() -> None:
    losses = [series("d_loss", FALLING), series("g_loss", HELD)]
    got = judge(losses, roles())
    assert list(got.signals) == losses
    assert not got.facts
    assert not got.notes
