"""The game behind the curves.

Every family played by a simulated D whose skill is known, in every convention.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gandoctor import objective, rulebook, vocabulary
from gandoctor.model.signals import Setting, Signal

LN2 = math.log(2)
Array = NDArray[np.float64]


def series(role: str, values: Array | list[float], tag: str = "", **more: Any) -> Signal:
    v = np.asarray(values, dtype=np.float64)
    steps = more.pop("steps", np.arange(0, 10 * len(v), 10))
    return Signal(tag or role, np.asarray(steps, dtype=np.int64), v, role, **more)


def setting(**config: Any) -> dict[str, Setting]:
    return {k: Setting(k, v, f"train.{k}", "config.yaml", 1) for k, v in config.items()}


def logits(skill: float, n: int, seed: int = 0) -> tuple[Array, Array, Array]:
    """What D answers about real data, about generated data in its own step, and in that of G.

    N batches of 64.
    """
    rng = np.random.default_rng(seed)
    ramp = np.linspace(0, 1, n)[:, None] ** 0.5 * skill
    real = ramp + 0.3 * rng.standard_normal((n, 64))
    fake, again = (-ramp + 0.3 * rng.standard_normal((n, 64)) for _ in range(2))
    return real, fake, again


def softplus(x: Array) -> Array:
    return np.logaddexp(0, x)


def play(family: str, skill: float = 0.6, n: int = 200, seed: int = 0) -> dict[str, Array]:
    """Losses and scores of one run, sum convention."""
    r, f, g = logits(skill, n, seed)
    if family in ("nonsaturating", "minimax"):
        d = softplus(-r) + softplus(f)
        loss_g = softplus(-g) if family == "nonsaturating" else -softplus(g)
        scores = (1 / (1 + np.exp(-r)), 1 / (1 + np.exp(-f)))
    elif family == "lsgan":
        r, f, g = (0.5 + 0.4 * x for x in (r, f, g))
        d, loss_g, scores = (r - 1) ** 2 + f**2, (g - 1) ** 2, (r, f)
    elif family == "hinge":
        d, loss_g, scores = np.maximum(0, 1 - r) + np.maximum(0, 1 + f), -g, (r, f)
    else:
        d, loss_g, scores = f - r, -g, (r, f)
    means = [x.mean(axis=1) for x in (d, loss_g, *scores)]
    return dict(zip(("d_loss", "g_loss", "d_real_score", "d_fake_score"), means, strict=True))


def log(family: str, *roles: str, **more: Any) -> list[Signal]:
    played = play(family, **more)
    return [series(role, played[role]) for role in roles or played]


# ---------------------------------------------------------------- the family


@pytest.mark.parametrize("skill", [0.3, 0.8, 2.0])
@pytest.mark.parametrize("family", ["nonsaturating", "minimax", "lsgan", "hinge", "wgan"])
def test_the_family_is_read_from_losses_and_scores(family: str, skill: float) -> None:
    got = objective.infer(log(family, skill=skill), {})
    assert got.family == family
    assert got.because


@pytest.mark.parametrize("family", ["nonsaturating", "minimax", "wgan"])
def test_the_family_is_read_from_losses_alone(family: str) -> None:
    assert objective.infer(log(family, "d_loss", "g_loss"), {}).family == family


@pytest.mark.parametrize("family", ["lsgan", "hinge"])
@pytest.mark.parametrize("skill", [0.05, 0.3, 0.8])
def test_losses_alone_never_name_a_wrong_unbounded_game(family: str, skill: float) -> None:
    """Where two losses cannot decide, saying little is right.

    Naming WGAN or its like would silence the rules.
    """
    got = objective.infer(log(family, "d_loss", "g_loss", skill=skill), {})
    assert got.family in (family, "nonsaturating", "unknown")
    if got.family == "nonsaturating":
        assert got.confidence == "low"
    if got.family == "unknown":
        assert family in got.candidates


@pytest.mark.parametrize("family", ["nonsaturating", "lsgan", "hinge", "wgan-gp"])
def test_what_the_code_computes_is_believed_unless_the_curves_cannot_be_it(family: str) -> None:
    d, g = 0.4 + 0.01 * np.sin(np.arange(100)), 1.3 + 0.05 * np.cos(np.arange(100))
    named = objective.infer([], setting(loss_call=family))
    assert named.family == family
    assert "code" in named.because[0]
    game = objective.infer(
        [series("d_loss", d - 9), series("g_loss", g)], setting(loss_call=family)
    )
    assert game.family in ("wgan", "wgan-gp", "unknown")


@pytest.mark.parametrize("family", objective.PRIOR)
def test_what_the_config_says_is_believed(family: str) -> None:
    if family == "other":
        return
    got = objective.infer([], setting(loss_kind=family))
    assert (got.family, got.confidence) == (family, "high")
    assert "train.loss_kind" in got.because[0]


def test_what_the_user_says_goes_first() -> None:
    got = objective.infer(log("nonsaturating"), setting(loss_kind="lsgan"), family="hinge")
    assert (got.family, got.confidence, got.chance_d) == ("hinge", "high", 2.0)


def test_a_wasserstein_loss_with_a_penalty_is_wgan_gp() -> None:
    assert objective.infer([], setting(loss_kind="wgan", gp_lambda=10.0)).family == "wgan-gp"
    assert (
        objective.infer([], setting(loss_kind="wgan", gp_lambda=0.0, clip_value=0.01)).family
        == "wgan"
    )
    played = play("wgan", skill=1.5)
    penalty = np.random.default_rng(3).uniform(0.1, 0.5, 200)
    played["d_loss"] = played["d_loss"] + penalty
    signals = [*(series(k, v) for k, v in played.items()), series("gradient_penalty", penalty)]
    got = objective.infer(signals, {})
    assert got.family == "wgan-gp"
    assert got.terms == ("gp",)
    assert any("penalty" in b for b in got.because)


def test_nothing_logged_is_unknown() -> None:
    got = objective.infer([series("fid", [90.0, 50.0, 20.0])], {})
    assert got.family == "unknown"
    assert got.chance_d is None


def test_cross_entropy_cannot_have_so_low_a_g_loss() -> None:
    """D at 0.01 beside G at 1.0: cross-entropy puts G at 4.6 or above there."""
    rng = np.random.default_rng(0)
    signals = [
        series("d_loss", 0.01 + 0.002 * rng.random(100)),
        series("g_loss", 0.95 + 0.05 * rng.random(100)),
    ]
    assert objective.infer(signals, {}).family == "lsgan"


def test_a_tag_that_names_the_family() -> None:
    pair = log("nonsaturating", "d_loss", "g_loss")
    hinted = [series("d_loss", pair[0].values, tag="discriminator_hinge_loss"), pair[1]]
    assert objective.infer(hinted, {}).family == "hinge"


def test_srgans_own_d_loss_is_other() -> None:
    p = play("nonsaturating")
    p["d_loss"] = 1 - p["d_real_score"] + p["d_fake_score"]
    assert objective.infer([series(k, v) for k, v in p.items()], {}).family == "other"


# ---------------------------------------------------------------- the convention


@pytest.mark.parametrize(
    ("factor", "reduction", "chance"), [(1.0, "sum", 2 * LN2), (0.5, "mean", LN2)]
)
@pytest.mark.parametrize("known", ["scores", "start", "config", "parts"])
def test_the_reduction_of_cross_entropy(
    known: str, factor: float, reduction: str, chance: float
) -> None:
    p = play("nonsaturating", skill=1.2)
    p["d_loss"] *= factor
    roles = {"scores": list(p)}.get(known, ["d_loss", "g_loss"])
    signals = [
        series(r, p[r], steps=np.arange(200) * 10 + (0 if known == "start" else 500)) for r in roles
    ]
    if known == "parts":
        half = p["d_loss"] / factor / 2
        signals += [
            series("d_loss_real", half, steps=signals[0].steps),
            series("d_loss_fake", half, steps=signals[0].steps),
        ]
    got = objective.infer(
        signals,
        setting(d_loss_reduction=reduction) if known == "config" else {},
        family="nonsaturating",
    )
    assert (got.reduction, got.chance_d) == (reduction, pytest.approx(chance))
    assert got.chance_g == pytest.approx(LN2)


@pytest.mark.parametrize("factor", [1.0, 0.5])
def test_least_squares_come_whole_and_halved(factor: float) -> None:
    p = play("lsgan", skill=0.5)
    signals = [series("d_loss", factor * p["d_loss"]), series("g_loss", factor * p["g_loss"])]
    signals += [series(r, p[r]) for r in ("d_real_score", "d_fake_score")]
    got = objective.infer(signals, {}, family="lsgan")
    assert got.chance_d == pytest.approx(0.5 * factor)
    assert got.chance_g == pytest.approx(0.25 * factor)


def test_summed_discriminators_have_no_single_chance_level() -> None:
    """Eight least-squares D's of a vocoder add up; a chance level of 0.5 would be nonsense."""
    p = play("lsgan", skill=0.3)
    aux = [
        series("g_loss_aux", np.linspace(40, 20, 200), tag="loss_mel"),
        series("g_loss_aux", [5.0] * 200, tag="loss_fm"),
    ]
    got = objective.infer(
        [series("d_loss", 8 * p["d_loss"]), series("g_loss_adv", 8 * p["g_loss"]), *aux], {}
    )
    assert got.family == "lsgan"
    assert got.chance_d is None
    assert got.led_by == "loss_mel"


def test_the_first_row_tells_how_many_discriminators_are_summed() -> None:
    p = play("lsgan", skill=0.3)
    d, g = 8 * p["d_loss"], 8 * p["g_loss"]
    d[0], g[0] = 8.2, 7.9
    aux = series("g_loss_aux", np.linspace(40, 20, 200), tag="loss_mel")
    signals = [series("d_loss", d), series("g_loss_adv", g), aux]
    got = objective.infer(signals, {})
    assert (got.family, got.summed) == ("lsgan", {"": 8})
    assert got.chance_d == pytest.approx(0.5)
    level = next(s for s in objective.derive(signals, got, {}) if s.role == "d_advantage")
    assert abs(float(np.median(level.values)) - (1 - np.median(p["d_loss"]) / 0.5)) < 0.02


@pytest.mark.parametrize(("name", "count"), [("mpd", 5), ("msd", 3), ("mrd", 3)])
def test_vocoders_name_their_discriminators(name: str, count: int) -> None:
    p = play("lsgan", skill=0.3)
    signals = [
        series("d_loss", count * p["d_loss"], f"d_{name}", network=name),
        series("g_loss_adv", count * p["g_loss"], f"g_{name}", network=name),
        series("g_loss_aux", np.linspace(40, 20, 200), tag="loss_mel"),
    ]
    assert objective.infer(signals, {}).summed == {name: count}
    means = [replace(s, values=s.values / count) for s in signals[:2]]
    assert objective.infer([*means, signals[2]], {}).summed == {}


def test_halves_that_are_numbered_belong_to_discriminators_of_their_own() -> None:
    tags = [f"loss/{part}/{k}" for part in ("d_r", "d_g", "g") for k in range(3)]
    placed = vocabulary.place(
        [Signal(t, np.arange(3), np.ones(3)) for t in tags], vocabulary=vocabulary.load([])
    )
    assert {s.tag: s.network for s in placed if "/d_" in s.tag} == {
        t: t[-1] for t in tags if "/d_" in t
    }


def test_smoothing_lifts_the_floor() -> None:
    floor = -(0.1 * math.log(0.1) + 0.9 * math.log(0.9))
    for config in (
        setting(label_smoothing=0.1),
        setting(label_smoothing=0.9),
        setting(real_label=0.9),
    ):
        got = objective.infer(log("nonsaturating"), config, family="nonsaturating")
        assert got.floor_d == pytest.approx(floor)
    assert objective.infer(log("nonsaturating"), {}, family="nonsaturating").floor_d == 0


def test_a_turned_wasserstein_loss_is_noticed() -> None:
    p = play("wgan", skill=1.0)
    kept = objective.infer([series(k, v) for k, v in p.items()], {}, family="wgan")
    p["d_loss"] = -p["d_loss"]
    turned = objective.infer([series(k, v) for k, v in p.items()], {}, family="wgan")
    assert (kept.sign, turned.sign) == (1, -1)


# ---------------------------------------------------------------- what is derived


def derived(signals: list[Signal], **more: Any) -> dict[str, Signal]:
    game = objective.infer(signals, more.pop("config", {}), **more)
    return {s.role or "": s for s in objective.derive(signals, game, {})}


@pytest.mark.parametrize("family", ["nonsaturating", "minimax", "lsgan", "hinge"])
def test_advantage_is_zero_at_chance_and_near_one_where_d_is_perfect(family: str) -> None:
    for skill, low, high in ((0.0, 0.0, 0.12), (8.0, 0.85, 1.0)):
        p = play(family, skill=skill)
        if family == "lsgan" and skill:  # a perfect least-squares D answers 1 and 0
            p["d_loss"] = np.full(200, 1e-4)
        got = derived(
            [series("d_loss", p["d_loss"]), series("g_loss", p["g_loss"])], family=family
        )["d_advantage"]
        assert low <= float(np.median(got.values)) <= high
        assert got.values.min() >= 0
        assert got.values.max() <= 1
        assert "chance" in got.because
        assert got.source == ""


def test_advantage_under_smoothing_reaches_one() -> None:
    signals = [series("d_loss", [0.3251] * 50), series("g_loss", [5.0] * 50)]
    got = derived(signals, config=setting(label_smoothing=0.1), family="nonsaturating")
    assert got["d_advantage"].values[-1] == pytest.approx(1, abs=1e-3)


def test_probabilities_serve_where_the_family_has_no_bound() -> None:
    signals = [series("d_real_score", [0.9] * 20), series("d_fake_score", [0.2] * 20)]
    assert derived(signals)["d_advantage"].values[0] == pytest.approx(0.7)
    assert "d_advantage" not in derived(log("wgan"), family="wgan")


def test_wasserstein_estimate_from_scores_and_from_the_loss() -> None:
    p = play("wgan", skill=1.0)
    gap = p["d_real_score"] - p["d_fake_score"]
    by_scores = derived([series(k, v) for k, v in p.items()], family="wgan")
    by_loss = derived([series(k, p[k]) for k in ("d_loss", "g_loss")], family="wgan-gp")
    np.testing.assert_allclose(by_scores["wasserstein_estimate"].values, gap)
    np.testing.assert_allclose(by_loss["wasserstein_estimate"].values, gap)
    gp = np.full(200, 0.3)
    with_gp = [
        series("d_loss", p["d_loss"] + gp),
        series("g_loss", p["g_loss"]),
        series("gradient_penalty", gp),
    ]
    np.testing.assert_allclose(
        derived(with_gp, family="wgan-gp")["wasserstein_estimate"].values, gap
    )


def test_a_critic_that_scores_real_data_low_still_gives_a_positive_distance() -> None:
    p = play("wgan", skill=1.0)
    low = [
        series("d_loss", p["d_loss"]),
        series("d_real_score", p["d_fake_score"]),
        series("d_fake_score", p["d_real_score"]),
    ]
    assert float(np.median(derived(low, family="wgan")["wasserstein_estimate"].values)) > 0


def test_g_adv_is_the_part_or_the_whole_where_nothing_leads() -> None:
    d, g = log("nonsaturating", "d_loss", "g_loss")
    assert derived([d, g])["g_adv"].values is g.values
    part = series("g_loss_adv", g.values * 0.5)
    assert derived([d, g, part])["g_adv"].values is part.values
    led = series("g_loss_aux", g.values * 20, tag="loss_l1")
    assert "g_adv" not in derived([d, g, led])


def test_a_pixel_weight_in_the_config_makes_gs_whole_loss_no_adversarial_one() -> None:
    """The pixel loss is in the total and is not logged apart; only the config tells."""
    pair = log("nonsaturating", "d_loss", "g_loss")
    game = objective.infer(pair, setting(lambda_l1=100.0))
    assert game.terms == ("pixel",)
    assert game.chance_g is None
    assert game.chance_d == pytest.approx(2 * LN2)
    assert not [s for s in objective.derive(pair, game, {}) if s.role == "g_adv"]


@pytest.mark.parametrize(
    ("role", "tag", "sign"),
    [
        ("fid", "FID", 1),
        ("psnr_ssim", "psnr", -1),
        ("inception_score", "IS", -1),
        ("g_loss_aux", "val/mel", 1),
    ],
)
def test_progress_falls_as_quality_rises(role: str, tag: str, sign: int) -> None:
    quality = series(role, [1.0, 2.0, 3.0], tag=tag, split="val")
    got = derived([quality])["progress"]
    np.testing.assert_array_equal(got.values, sign * quality.values)


def test_a_best_so_far_is_no_progress() -> None:
    assert "progress" not in derived([series("fid", [9.0, 5.0], tag="best_FID")])
    assert (
        derived([series("fid", [9.0, 5.0], tag="best_FID"), series("fid", [9.0, 6.0], tag="FID")])[
            "progress"
        ].values[1]
        == 6
    )


def test_halves_are_added_to_a_whole() -> None:
    halves = [
        series("d_loss_real", [0.5] * 9),
        series("d_loss_fake", [0.2] * 9),
        series("g_loss_adv", [1.0] * 9),
    ]
    got = derived(halves)
    assert got["d_loss"].values[0] == pytest.approx(0.7)
    assert "d_loss_real" in got["d_loss"].because
    assert "d_advantage" in got


def test_gradient_ratio_is_taken_at_common_steps() -> None:
    d = series("grad_norm_d", [10.0, 20.0, 30.0, math.nan], steps=[0, 10, 20, 30])
    g = series("grad_norm_g", [1.0, 2.0, 0.0], steps=[10, 30, 40])
    got = derived([d, g])["grad_ratio"]
    np.testing.assert_array_equal(got.steps, [10, 30])
    np.testing.assert_array_equal(got.values, [20.0, math.nan])


def test_each_network_gets_its_own() -> None:
    a, b = play("nonsaturating", skill=0.1), play("nonsaturating", skill=6.0)
    signals = [series("d_loss", p["d_loss"], f"D_{n}", network=n) for p, n in ((a, "A"), (b, "B"))]
    signals += [
        series("g_loss_adv", p["g_loss"], f"G_{n}", network=n) for p, n in ((a, "A"), (b, "B"))
    ]
    game = objective.infer(signals, {})
    level = {
        s.network: float(np.median(s.values))
        for s in objective.derive(signals, game, {})
        if s.role == "d_advantage"
    }
    assert level["A"] < 0.15
    assert level["B"] > 0.7


# ---------------------------------------------------------------- anything at all


VALUES = st.lists(st.floats(width=32), min_size=0, max_size=12)
ROLES = st.sampled_from(
    ["d_loss", "g_loss", "g_loss_adv", "d_loss_real", "d_loss_fake", "d_real_score", "d_fake_score",
        "gradient_penalty",
     "grad_norm_d", "grad_norm_g", "fid", "g_loss_aux"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(ROLES, VALUES, st.integers(0, 3)), max_size=8),
    st.sampled_from([None, *objective.PRIOR]),
)
def test_no_log_is_too_strange(
    rows: list[tuple[str, list[float], int]], family: str | None
) -> None:
    signals = [series(role, v, steps=np.arange(len(v)) * (k + 1) + k) for role, v, k in rows]
    game = objective.infer(signals, {}, family=family)
    for made in objective.derive(signals, game, {}):
        assert len(made.steps) == len(made.values)
        assert np.all(np.diff(made.steps) > 0)
        if made.role == "d_advantage":
            finite = made.values[np.isfinite(made.values)]
            assert not finite.size or (finite.min() >= 0 and finite.max() <= 1)


def test_infinities_are_kept_and_make_no_noise() -> None:
    inf, nan = math.inf, math.nan
    rows = {
        "d_loss_real": [inf, 1.0, 1e308],
        "d_loss_fake": [-inf, nan, 1e308],
        "g_loss": [inf, 1.0, 2.0],
    }
    rows |= {"d_real_score": [inf, 0.5, 1e200], "d_fake_score": [inf, 0.5, -1e200]}
    got = derived([series(r, v * 5) for r, v in rows.items()], family="nonsaturating")
    assert np.isnan(got["d_loss"].values[0])
    assert np.isinf(got["d_loss"].values[2])


def test_a_sum_over_several_discriminators_is_judged_as_a_sum() -> None:
    one, two = play("lsgan", skill=0.1, seed=1), play("lsgan", skill=0.1, seed=2)
    signals = [
        series("d_loss", p["d_loss"], f"d_loss_{n}", network=n)
        for p, n in ((one, "mpd"), (two, "msd"))
    ]
    signals += [
        series("g_loss_adv", p["g_loss"], f"g_{n}", network=n)
        for p, n in ((one, "mpd"), (two, "msd"))
    ]
    signals += [
        series("d_loss", one["d_loss"] + two["d_loss"]),
        series("g_loss", one["g_loss"] + two["g_loss"]),
    ]
    game = objective.infer(signals, setting(loss_kind="lsgan"))
    assert game.summed == {"": 2}
    levels = {
        s.network: float(np.median(s.values))
        for s in objective.derive(signals, game, {})
        if s.role == "d_advantage"
    }
    assert all(v < 0.2 for v in levels.values()), levels


def test_timegans_d_has_three_terms() -> None:
    p = play("nonsaturating", skill=0.2)
    signals = [
        series("d_loss", 1.5 * p["d_loss"], "D Loss"),
        series("g_loss_adv", p["g_loss"], "G Loss U"),
    ]
    signals.append(series("g_loss_aux", [0.1] * 200, "G Loss S"))
    assert objective.infer(signals, {}).chance_d == pytest.approx(3 * LN2)


@pytest.mark.parametrize("halves", [False, True], ids=["sum", "halves"])
def test_a_relativistic_d_is_known_by_the_difference_of_its_scores(halves: bool) -> None:
    """Raw scores drift together, as nothing holds their level.

    The loss only knows their difference (ESRGAN).
    """
    rng = np.random.default_rng(5)
    n = 200
    gap = np.linspace(0.2, 4, n) + 0.2 * rng.standard_normal(n)
    drift = np.cumsum(rng.standard_normal(n)) * 0.3
    half = softplus(-gap)
    losses = (
        [series("d_loss_real", half), series("d_loss_fake", half)]
        if halves
        else [series("d_loss", 2 * half)]
    )
    scores = [series("d_real_score", drift + gap / 2), series("d_fake_score", drift - gap / 2)]
    got = objective.infer([*losses, *scores, series("g_loss_adv", softplus(gap))], {})
    assert got.family == "relativistic"


@pytest.mark.parametrize(("family", "chance"), [("lsgan", 0.045), ("nonsaturating", 0.8455)])
def test_chance_knows_the_label_that_d_is_trained_towards(family: str, chance: float) -> None:
    """A D that cannot tell answers half the real label.

    A label of 0.3 leaves little to gain over that.
    """
    level = series("d_loss", np.full(50, chance))
    got = objective.infer(
        [level, series("g_loss", np.full(50, 0.7))], setting(real_label=0.3), family=family
    )
    assert got.chance_d == pytest.approx(chance, rel=0.01)


# ---------------------------------------------------------------- what is taken for another family


def noise(n: int = 200, seed: int = 3) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_a_distance_measured_beside_cross_entropy_makes_no_wgan() -> None:
    rng = noise()
    p = play("nonsaturating", skill=0.5)
    p["d_loss"] = p["d_loss"] / 2
    emd = series(
        "wasserstein_estimate",
        0.08 + 0.2 * np.exp(-np.arange(200) / 9) + 0.01 * rng.random(200),
        "test/EMD",
    )
    got = objective.infer([series("d_loss", p["d_loss"]), series("g_loss", p["g_loss"]), emd], {})
    assert got.family == "nonsaturating"


def test_a_critics_loss_is_known_by_its_estimate() -> None:
    """Logged with its sign turned, so that no value is negative; the penalty is logged as well."""
    rng = noise()
    estimate = 6 * np.exp(-np.arange(200) / 70) + 1 + 0.2 * rng.standard_normal(200)
    gp = 0.2 + 0.02 * rng.random(200)
    got = objective.infer(
        [
            series("d_loss", -estimate + 10 * gp),
            series("gradient_penalty", gp),
            series("wasserstein_estimate", estimate),
            series("g_loss", 3 + np.sin(np.arange(200) / 20)),
        ],
        {},
    )
    assert got.family == "wgan-gp"


def test_a_penalty_beside_a_bounded_loss_makes_no_wgan() -> None:
    rng = noise()
    d = np.clip(1.5 + 0.2 * rng.standard_normal(200), 0.1, None)
    g = 0.2 + 0.5 * rng.standard_normal(200)
    gp = 0.1 + 0.02 * rng.random(200)
    got = objective.infer(
        [series("d_loss", d), series("g_loss", g), series("gradient_penalty", gp)], {}
    )
    assert got.family == "hinge"


def test_two_losses_that_both_vanish_are_no_least_squares() -> None:
    """D's step and G's see different networks.

    No family's bound holds, and the first rows are cross-entropy's.
    """
    fall = np.exp(-np.arange(300) / 12)
    got = objective.infer(
        [series("d_loss", LN2 * fall + 1e-4), series("g_loss", LN2 * fall**1.5 + 1e-5)], {}
    )
    assert got.family in ("nonsaturating", "unknown")


def test_the_first_epoch_is_no_untrained_d() -> None:
    rng = noise()
    d, g = 0.56 + 0.03 * rng.standard_normal(80), 1.2 + 0.05 * rng.standard_normal(80)
    d[0], g[0] = 0.5, 1.0
    signals = [series("d_loss", d, steps=np.arange(80)), series("g_loss", g, steps=np.arange(80))]
    got = objective.infer(signals, {}, step_unit="epochs")
    assert got.family in ("nonsaturating", "unknown")
    assert not any("untrained" in b for b in got.because)


def test_a_d_above_the_chance_level_of_least_squares_is_none() -> None:
    rng = noise()
    d, g = 0.62 + 0.02 * rng.standard_normal(200), 0.9 + 0.03 * rng.standard_normal(200)
    got = objective.infer([series("d_loss", d), series("g_loss", g)], {})
    assert got.family == "nonsaturating"


def test_a_loss_at_its_clamp_is_cross_entropy() -> None:
    """D turned round for good: it gives 1 to everything, and PyTorch cuts the logarithm at -100."""
    d, g = np.full(100, 100.0), np.zeros(100)
    d[:3], g[:3] = (3.0, 60.0, 99.0), (50.0, 2.0, 0.1)
    assert objective.infer([series("d_loss", d), series("g_loss", g)], {}).family == "nonsaturating"


def test_equal_halves_of_drifting_scores_are_a_relativistic_game() -> None:
    rng = noise()
    n = 300
    gap = np.linspace(1, 12, n) + 0.5 * rng.standard_normal(n)
    drift = np.linspace(0, -40, n) + 5 * rng.standard_normal(n)
    real, fake = (softplus(-gap) * np.exp(0.3 * rng.standard_normal(n) + 1) for _ in range(2))
    signals = [
        series("d_loss_real", real),
        series("d_loss_fake", fake),
        series("d_real_score", drift),
        series("d_fake_score", drift - gap),
        series("g_loss_adv", 0.005 * softplus(gap)),
    ]
    assert objective.infer(signals, {}).family == "relativistic"


@pytest.mark.parametrize(
    ("family", "formula"),
    [("nonsaturating", lambda f: -np.log(f)), ("lsgan", lambda f: 0.5 * (1 - f) ** 2)],
)
def test_the_score_on_samples_tells_gs_loss(family: str, formula: Any) -> None:
    rng = noise()
    fake = 0.1 + 0.35 * rng.random(200)
    d = 0.3 + 0.02 * rng.standard_normal(200)
    signals = [series("d_loss", d), series("g_loss", formula(fake)), series("d_fake_score", fake)]
    signals.append(series("d_real_score", 0.9 - 0.3 * rng.random(200)))
    got = objective.infer(signals, {})
    assert got.family == family


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("wgan_gp_faces.ipynb", "wgan-gp"),
        ("logs/WGAN-GP", "wgan-gp"),
        ("run_3", "unknown"),
        ("wgan-gp_vs_lsgan", "unknown"),
    ],
)
def test_a_name_is_a_hint(name: str, family: str) -> None:
    """The curves fit hinge and a printed estimate alike.

    The name settles it where it names one family alone.
    """
    estimate = 4 * np.exp(-np.arange(200) / 15) + 2
    signals = [series("d_loss", estimate), series("g_loss", np.sin(np.arange(200) / 30))]
    assert objective.infer(signals, {}, name=name).family == family


@pytest.mark.parametrize(
    ("name", "family"),
    [("BigGAN_bs256.jsonl", "hinge"), ("hifigan_v1", "lsgan"), ("stylegan3-r", "nonsaturating")],
)
def test_a_method_is_trained_with_its_loss(name: str, family: str) -> None:
    got = objective.infer([series("fid", [90.0, 50.0, 20.0])], {}, name=name)
    assert (got.family, got.confidence != "high") == (family, True)
    assert objective.infer([series("fid", [90.0, 50.0, 20.0])], {}, name="run").family == "unknown"


def test_a_printed_estimate_has_its_sign_turned() -> None:
    estimate = 4 * np.exp(-np.arange(200) / 30) + 2
    signals = [series("d_loss", estimate), series("g_loss", np.sin(np.arange(200) / 30))]
    game = objective.infer(signals, setting(loss_kind="wgan", gp_lambda=10.0))
    assert (game.family, game.sign) == ("wgan-gp", -1)
    made = {s.role: s for s in objective.derive(signals, game, {})}
    assert made["wasserstein_estimate"].values == pytest.approx(estimate)


def test_the_estimate_is_the_part_of_ds_loss_without_its_penalty() -> None:
    """Ten times a penalty of three outweighs the estimate.

    The whole is positive, the critic is in order.
    """
    rng = noise()
    estimate = 9 * np.exp(-np.arange(150) / 50) + 3 + 0.2 * rng.standard_normal(150)
    gp = 3 + 0.3 * rng.random(150)
    signals = [
        series("d_loss", -estimate + 10 * gp, "critic_total"),
        series("d_loss", -estimate, "critic_bare", rank=1),
        series("gradient_penalty", gp),
        series("g_loss", 2 * np.sin(np.arange(150) / 30)),
    ]
    game = objective.infer(signals, {})
    assert game.family == "wgan-gp"
    made = {s.role: s for s in objective.derive(signals, game, {})}
    assert made["wasserstein_estimate"].values == pytest.approx(estimate)


@pytest.mark.parametrize(
    ("weights", "led_by"),
    [
        ({"lambda_adv": 0.001, "lambda_pixel": 1.0}, "lambda_pixel"),
        ({"lambda_adv": 0.1, "lambda_mel": 45}, "lambda_mel"),
        ({"lambda_adv": 0.1, "lambda_pixel": 0.4}, ""),  # the two weigh alike
        ({"lambda_adv": 1.0, "lambda_pixel": 100.0}, ""),  # D's part is all of its own size
        ({"lambda_pixel": 100.0}, ""),
        ({"lambda_adv": 0.0, "lambda_pixel": 1.0}, ""),
        ({}, ""),
    ],
)
def test_a_weight_of_next_to_nothing_lets_another_loss_lead(weights, led_by) -> None:
    raw = [Setting("", value, key) for key, value in weights.items()]
    words = vocabulary.load([rulebook.default_folder()])
    found = vocabulary.settle(raw, vocabulary=words)
    assert objective.led_by_weight(found) == led_by
