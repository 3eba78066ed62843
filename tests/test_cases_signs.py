"""Kinds of runs that thresholds one by one do not see.

Each with what should be said of it, and a healthy neighbour.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from gandoctor import api
from gandoctor.lang.frame import joined_reasons
from gandoctor.lang.regimes import changes

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from gandoctor.model.report import Report

    Curve = NDArray[np.float64]


def analysed(folder: Path, config: str = "", every: int = 1, **series: Curve) -> Report:
    """A log of these columns; NaN is an empty cell."""
    rows = zip(*series.values(), strict=True)
    lines = [",".join(("step", *series))]
    lines += [
        f"{every * i}," + ",".join("" if np.isnan(v) else f"{v:.8g}" for v in r)
        for i, r in enumerate(rows)
    ]
    (folder / "log.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    if config:
        (folder / "config.yaml").write_text(config, encoding="utf-8")
    return api.analyze(folder)


def noise(n: int, seed: int) -> Curve:
    return np.random.default_rng(seed).standard_normal(n)


def now_and_then(values: Curve, every: int) -> Curve:
    return np.where(np.arange(values.size) % every == every - 1, values, np.nan)


def named(report: Report) -> set[str]:
    return {f.symptom for f in report.findings if f.severity != "low"}


@pytest.mark.parametrize("level", [6e4, 2e6])
def test_raw_scores_that_no_loss_bears_need_no_early_part(tmp_path: Path, level: float) -> None:
    n = 300
    real = level + 0.01 * level * noise(n, 1)
    series = {
        "bce_d_loss": np.abs(3e-8 * noise(n, 2)),
        "d_real_score": real,
        "d_fake_score": real - 20 + noise(n, 3),
    }
    report = analysed(
        tmp_path, g_adv_loss=0.09 + 0.01 * noise(n, 4), l1_loss=0.01 + 0.001 * noise(n, 5), **series
    )
    assert report.verdict == "failing"
    assert "exploding-or-nan" in named(report)


def test_a_clipped_critic_that_is_a_constant_is_seen_by_its_losses_alone(tmp_path: Path) -> None:
    n = 400
    report = analysed(
        tmp_path,
        wgan_critic_loss=2e-7 * noise(n, 1),
        wgan_gen_loss=np.cumsum(0.02 * noise(n, 2)) + 0.3,
    )
    assert report.verdict == "failing"
    assert named(report) == {"vanishing-generator-gradient"}


def test_a_small_estimate_on_one_side_of_zero_is_no_constant(tmp_path: Path) -> None:
    n = 400
    report = analysed(
        tmp_path,
        wgan_critic_loss=-1e-4 + 3e-5 * noise(n, 1),
        wgan_gen_loss=np.cumsum(0.02 * noise(n, 2)) + 0.3,
    )
    assert report.verdict == "inconclusive"
    assert report.findings == ()


def test_what_a_run_ends_in_is_named_though_it_began_late(tmp_path: Path) -> None:
    n, at = 3000, 2160
    d, g = np.exp(-6 + 1.3 * noise(n, 1)), 6 + np.abs(noise(n, 2))
    d[0], g[0] = 0.69, 0.7
    d[at:], g[at:] = 50.0, 0.0
    report = analysed(tmp_path, d_loss=d, g_loss=g)
    assert report.verdict == "failing"
    (dead,) = [f for f in report.findings if f.symptom == "weak-discriminator"]
    assert dead.onset_step is not None
    assert abs(dead.onset_step - at) <= 5
    assert report.diagnoses[0].cause == "discriminator-dead"


def thrown_off(n: int, at: int, swing: float, blow: float) -> tuple[Curve, Curve]:
    rng = np.random.default_rng(8)
    phase = np.cumsum(2 * np.pi / rng.uniform(12, 25, n - at))
    d, g = np.exp(-6 + 0.5 * noise(n, 1)), 8 + 0.4 * noise(n, 2)
    d[at:] = 0.6 * np.exp(swing * np.sin(phase) + 0.3 * noise(n - at, 3))
    g[at:] = 2.1 * np.exp(-0.6 * swing * np.sin(phase) + 0.3 * noise(n - at, 4))
    d[at : at + 3] = blow
    return d, g


def test_a_game_that_was_thrown_off_and_swings_since(tmp_path: Path) -> None:
    d, g = thrown_off(1000, 350, swing=1.2, blow=40)
    report = analysed(tmp_path, nonsaturating_d_loss=d, nonsaturating_g_loss=g)
    assert report.verdict in ("warning", "failing")  # nobody has counted yet how often it fails
    assert "oscillation" in named(report)
    (found,) = [f for f in report.findings if f.rule == "thrown-off-balance"]
    assert found.onset_step is not None
    assert abs(found.onset_step - 350) <= 20


def test_a_game_that_finds_its_balance_after_a_start_is_not_thrown_off(tmp_path: Path) -> None:
    d, g = thrown_off(1000, 350, swing=0.1, blow=1.5)
    report = analysed(tmp_path, nonsaturating_d_loss=d, nonsaturating_g_loss=g)
    assert "thrown-off-balance" not in {f.rule for f in report.findings}


@pytest.mark.parametrize("period", [25, 60])
def test_epochs_that_are_copies_of_each_other_are_no_training(tmp_path: Path, period: int) -> None:
    n = 1500
    shape = np.tile(
        0.1 * np.sin(np.linspace(0, 2 * np.pi, period)) + 0.03 * noise(period, 1), n // period
    )
    report = analysed(
        tmp_path,
        bce_d_loss=1.45 + shape + 0.012 * noise(n, 2),
        bce_g_loss=0.5 - 0.3 * shape + 0.005 * noise(n, 3),
    )
    assert report.verdict in ("warning", "failing")
    assert "no-convergence" in named(report)


def test_a_game_that_came_to_rest_at_chance_from_a_d_that_led_is_healthy(tmp_path: Path) -> None:
    n = 150
    lead = np.exp(-np.arange(n) / 14)
    report = analysed(
        tmp_path,
        bce_d_loss=1.3863 * (1 - 0.3 * lead) + 0.0015 * noise(n, 1),
        bce_g_loss=0.6931 * (1 + 0.5 * lead) + 0.0015 * noise(n, 2),
        d_accuracy=0.5 + 0.32 * lead + 0.01 * noise(n, 3),
    )
    # Losses alone are little.
    assert report.verdict in ("healthy", "inconclusive"), report.why_verdict
    assert report.findings == ()


@pytest.mark.parametrize("best_at", [0.12, 0.3])
def test_a_fid_that_rises_slowly_since_its_best_is_lost_quality(
    tmp_path: Path, best_at: float
) -> None:
    n = 900
    t = np.arange(n) / n
    fid = np.where(
        t < best_at, 80 - 38 * t / best_at, 42 + 20 * (t - best_at) / (1 - best_at)
    ) + 1.5 * noise(n, 1)
    d, g = -0.4 + 0.9 * noise(n, 2), np.cumsum(4 * noise(n, 3))
    report = analysed(tmp_path, every=100, wgan_d_loss=d, wgan_g_loss=g, fid=now_and_then(fid, 15))
    assert report.verdict == "failing"
    assert named(report) == {"no-convergence"}


def test_a_fid_that_rests_at_its_best_is_not_lost(tmp_path: Path) -> None:
    n = 900
    fid = 20 + 60 * np.exp(-np.arange(n) / 100) + 0.8 * noise(n, 1)
    d, g = 1.1 + 0.1 * noise(n, 2), 1.2 + 0.2 * noise(n, 3)
    report = analysed(tmp_path, every=100, bce_d_loss=d, bce_g_loss=g, fid=now_and_then(fid, 15))
    assert report.verdict == "healthy", report.why_verdict


def test_one_spike_beside_a_fid_that_falls_says_nothing(tmp_path: Path) -> None:
    n = 1200
    d = 1.2 + 0.15 * noise(n, 1)
    d[700] = 25.0
    fid = 180 * np.exp(-np.arange(n) / 100) + 12 - 6 * np.arange(n) / n
    report = analysed(
        tmp_path,
        nonsaturating_d_loss=d,
        nonsaturating_g_loss=1.5 + 0.3 * noise(n, 2),
        fid=now_and_then(fid, 20),
    )
    assert report.verdict == "healthy", report.why_verdict


def test_a_penalty_that_is_never_met(tmp_path: Path) -> None:
    n = 200
    estimate, penalty = 25 + 0.8 * np.arange(n) + 2 * noise(n, 1), 700 + 30 * noise(n, 2)
    report = analysed(
        tmp_path,
        critic_loss=-estimate + 10 * penalty,
        gradient_penalty=penalty,
        wasserstein_distance=estimate,
        gen_loss=0.8 * estimate + 3 * noise(n, 3),
    )
    assert report.verdict in ("failing", "warning")
    assert "exploding-or-nan" in named(report)


@pytest.mark.parametrize("rate", [2.2, 4.0])
def test_norms_that_grow_at_a_constant_rate(tmp_path: Path, rate: float) -> None:
    n = 250
    k = np.exp(rate * np.arange(n) / n)
    report = analysed(
        tmp_path,
        wgan_critic_loss=8 * k * noise(n, 1),
        wgan_gen_loss=-60 * k * (1 + 0.1 * noise(n, 2)),
        grad_norm_d=18 * k * np.exp(0.2 * noise(n, 3)),
        grad_norm_g=50 * k * np.exp(0.2 * noise(n, 4)),
    )
    assert report.verdict in ("failing", "warning")
    assert "exploding-or-nan" in named(report)


def image_game(n: int) -> dict[str, Curve]:
    return {
        "g_adv_loss": 9 + 0.8 * noise(n, 2),
        "d_loss": 0.01 * np.exp(0.6 * noise(n, 3)),
        "d_real": 1 - 0.003 * np.abs(noise(n, 4)),
        "d_fake": 0.003 * np.exp(0.6 * noise(n, 5)),
        "l1_loss": 0.05 + 0.06 * np.exp(-np.arange(n) / 40) + 0.001 * noise(n, 1),
    }


def test_the_loss_that_g_minimises_is_no_alibi_for_a_d_that_is_never_fooled(tmp_path: Path) -> None:
    report = analysed(tmp_path, **image_game(160))
    assert report.verdict in ("failing", "warning")
    assert named(report) == {"discriminator-dominance"}


def test_a_psnr_that_rises_is_one(tmp_path: Path) -> None:
    report = analysed(tmp_path, **image_game(160), val_psnr=20 + 6 * np.arange(160) / 160)
    assert "adversarial-part-idle" not in {f.rule for f in report.findings}


def test_weak_signs_of_a_d_that_is_ahead_add_up(tmp_path: Path) -> None:
    n = 260
    config = (
        "loss: nonsaturating\nd_steps: 9\nd_loss_reduction: sum\noptimizer_d: {lr: "
        "0.0004}\noptimizer_g: {lr: 0.0004}\n"
    )
    report = analysed(
        tmp_path, config, d_loss=0.37 + 0.02 * noise(n, 1), g_loss=3.7 + 0.15 * noise(n, 2)
    )
    assert report.verdict in ("failing", "warning")
    assert "discriminator-dominance" in named(report)


def test_weak_signs_of_a_d_that_guesses_wrong_add_up(tmp_path: Path) -> None:
    n = 200
    d, g = (
        1.3863 * 1.11 + 0.03 * np.sin(np.arange(n) / 11) + 0.006 * noise(n, 1),
        0.47 + 0.008 * noise(n, 2),
    )
    d[:30] = 1.38 + 0.01 * noise(30, 3)
    report = analysed(tmp_path, bce_d_loss=d, bce_g_loss=g)
    assert report.verdict in ("failing", "warning")
    assert "weak-discriminator" in named(report)


def test_samples_on_half_of_the_modes_have_collapsed_however_far_these_lie_apart(
    tmp_path: Path,
) -> None:
    rng = np.random.default_rng(9)
    angle = np.arange(12) * np.pi / 6
    centres = np.stack([np.cos(angle), np.sin(angle)], 1)
    (tmp_path / "samples").mkdir()

    def on(modes: list[int]) -> Curve:
        return (centres[rng.choice(modes, 256)] + 0.04 * rng.normal(size=(256, 2))).astype("f4")

    np.save(tmp_path / "samples/real.npy", on(list(range(12))))
    for step, modes in (
        (60, [0, 3, 6, 9]),
        (120, [1, 4, 7, 10, 11]),
        (180, [2, 5, 8]),
        (239, [0, 4, 6, 10]),
    ):
        np.save(tmp_path / f"samples/fake_{step:06d}.npy", on(modes))
    n = 240
    report = analysed(
        tmp_path,
        "loss: wgan-gp\n",
        critic_loss=-0.2 + 0.1 * noise(n, 1),
        gen_loss=1 + 0.5 * noise(n, 2),
    )
    assert report.verdict == "failing"
    assert "mode-collapse" in named(report)


# ---------------------------------------------------------------- regimes


@pytest.mark.parametrize("n", [150, 900, 40_000])
@pytest.mark.parametrize("at", [0.2, 0.7])
def test_a_change_for_good_is_found_where_it_is(n: int, at: float) -> None:
    values = np.exp(-4 + 0.8 * noise(n, 1))
    values[int(at * n) :] = 1.3 + 0.1 * noise(n - int(at * n), 2)
    (found,) = changes(values)
    assert abs(found - at * n) <= max(4, n / 300)


@pytest.mark.parametrize("kind", ["noise", "wide noise", "drift", "walk", "spike", "constant"])
def test_what_is_of_one_piece_is_not_cut(kind: str) -> None:
    n = 2000
    spiked = 1.4 + 0.01 * noise(n, 1)
    spiked[900] = 1e7
    values = {
        "noise": 1.3 + 0.1 * noise(n, 1),
        "wide noise": np.exp(1.2 * noise(n, 2)),
        "drift": np.exp(np.linspace(0.3, -4, n) + 0.3 * noise(n, 3)),
        "walk": 5 + np.cumsum(0.02 * noise(n, 4)),
        "spike": spiked,
        "constant": np.full(n, 0.5),
    }
    assert changes(values[kind]) == ()


def test_too_few_rows_have_no_regimes() -> None:
    assert changes(np.concatenate([np.ones(15), 100 * np.ones(15)])) == ()


def test_a_sentence_quotes_the_part_of_the_run_that_it_is_about(tmp_path: Path) -> None:
    n = 1000
    d, g = np.exp(-5 + noise(n, 1)), 8 + noise(n, 2)
    d[700:], g[700:] = 50.0, 0.0
    report = analysed(tmp_path, nonsaturating_d_loss=d, nonsaturating_g_loss=g)
    (found,) = [f for f in report.findings if f.rule == "d-gives-one-answer"]
    assert "D's loss was 50 to the last digit" in found.evidence[0].text


def test_a_reason_is_given_once() -> None:
    assert joined_reasons(["a is not known; b is not known", "a is not known", ""]) == (
        "a is not known; b is not known"
    )
