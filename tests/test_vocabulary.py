"""Names to roles, keys to settings.

Conventions of many code bases, the known traps, and text nobody foresaw.
"""

from __future__ import annotations

import ast
import csv
import shutil
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gandoctor import api, vocabulary
from gandoctor.errors import RulebookError, RuleError, UsageError
from gandoctor.model.signals import Setting, SettingValue, Signal
from gandoctor.vocabulary import Vocabulary

RULES = Path(__file__).resolve().parents[1] / "rules"


@cache
def words() -> Vocabulary:
    return vocabulary.load([RULES])


def roles(*tags: str) -> dict[str, str | None]:
    return {p.tag: p.role for p in vocabulary.place_names(tags, words())}


def series(tag: str, values: list[float] | np.ndarray, source: str = "") -> Signal:
    v = np.asarray(values, dtype=np.float64)
    return Signal(tag, np.arange(1, len(v) + 1, dtype=np.int64), v, source=source)


def settled(**config: SettingValue) -> dict[str, Setting]:
    raw = [
        Setting("", v, k.replace("__", "."), "config.yaml", i)
        for i, (k, v) in enumerate(config.items(), 1)
    ]
    return vocabulary.settle(raw, vocabulary=words())


# One run under ten conventions: what each code base would have called the same ten series.
KINDS = (
    "d_loss",
    "g_loss",
    "d_real_score",
    "d_fake_score",
    "grad_norm_d",
    "grad_norm_g",
    "gradient_penalty",
    "sample_variance",
    "fid",
    "lr_d",
    "lr_g",
)
CONVENTIONS = {
    "slash": (
        "loss/d",
        "loss/g",
        "D/real",
        "D/fake",
        "grad_norm/d",
        "grad_norm/g",
        "loss/gp",
        "samples/variance",
        "eval/fid",
        "lr/d",
        "lr/g",
    ),
    "dcgan": (
        "Loss_D",
        "Loss_G",
        "D(x)",
        "D(G(z))",
        "grad_norm_D",
        "grad_norm_G",
        "gradient_penalty",
        "sample_var",
        "FID",
        "lr_D",
        "lr_G",
    ),
    "keras": (
        "d_loss",
        "g_loss",
        "real_score",
        "fake_score",
        "d_grad_norm",
        "g_grad_norm",
        "gp",
        "sample_variance",
        "fid",
        "d_lr",
        "g_lr",
    ),
    "critic": (
        "critic/loss",
        "gen/loss",
        "critic/real",
        "critic/fake",
        "critic/grad_norm",
        "gen/grad_norm",
        "critic/gp",
        "gen/sample_std2",
        "gen/fid_like",
        "critic/lr",
        "gen/lr",
    ),
    "err": (
        "errD",
        "errG",
        "D_x",
        "D_G_z1",
        "gradD",
        "gradG",
        "gp_term",
        "fake_var",
        "fid_score",
        "lrD",
        "lrG",
    ),
    "words": (
        "Discriminator Loss",
        "Generator Loss",
        "Real Score",
        "Fake Score",
        "Discriminator Gradient Norm",
        "Generator Gradient Norm",
        "Gradient Penalty",
        "Sample Variance",
        "FID",
        "Discriminator Learning Rate",
        "Generator Learning Rate",
    ),
    "camel": (
        "lossD",
        "lossG",
        "scoreReal",
        "scoreFake",
        "gradNormD",
        "gradNormG",
        "lossGP",
        "sampleVar",
        "FID",
        "lrD",
        "lrG",
    ),
    "lightning": (
        "train/disc_loss",
        "train/gen_loss",
        "train/logits_real",
        "train/logits_fake",
        "train/disc_grad_norm",
        "train/gen_grad_norm",
        "train/gradient_penalty",
        "val/sample_variance",
        "val/fid",
        "train/lr_disc",
        "train/lr_gen",
    ),
    "stylegan": (
        "Loss/D/loss",
        "Loss/G/loss",
        "Loss/scores/real",
        "Loss/scores/fake",
        "Gradients/D/norm",
        "Gradients/G/norm",
        "Loss/D/reg",
        "Metrics/sample_variance",
        "Metrics/fid50k_full",
        "Progress/lr_D",
        "Progress/lr_G",
    ),
    "dis": (
        "dis_update/total",
        "gen_update/total",
        "dis/pred_real",
        "dis/pred_fake",
        "dis/gnorm",
        "gen/gnorm",
        "dis_update/gp",
        "images/variance",
        "FID",
        "optim/dis_lr",
        "optim/gen_lr",
    ),
}


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_one_run_under_ten_conventions(convention: str) -> None:
    names = CONVENTIONS[convention]
    assert tuple(roles(*names).values()) == KINDS


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize(
    "drop", [("d_real_score", "d_fake_score"), ("grad_norm_d", "grad_norm_g", "gradient_penalty")]
)
def test_a_convention_is_understood_in_part(convention: str, drop: tuple[str, ...]) -> None:
    kept = [(n, k) for n, k in zip(CONVENTIONS[convention], KINDS, strict=True) if k not in drop]
    assert list(roles(*(n for n, _ in kept)).values()) == [k for _, k in kept]


def test_the_report_does_not_depend_on_the_names(sample_logs: Path, tmp_path: Path) -> None:
    """A sample run renamed into each convention gets the same verdict, findings and patches."""
    run = "d-dominance"
    read = api.read(sample_logs / run)[0]
    logged = {s.role: s for s in read.signals if s.source and s.role in KINDS}
    assert {"d_loss", "g_loss"} <= set(logged)
    seen = set()
    for name, tags in CONVENTIONS.items():
        folder = tmp_path / name
        folder.mkdir()
        shutil.copy(sample_logs / run / "config.yaml", folder)
        shutil.copytree(sample_logs / run / "samples", folder / "samples")
        columns = {
            tag: logged[kind] for tag, kind in zip(tags, KINDS, strict=True) if kind in logged
        }
        _as_csv(folder / "metrics.csv", columns)
        got = api.analyze(folder)
        seen.add((
            got.verdict, got.run.objective.family, tuple(sorted(f.rule for f in got.findings)),
            tuple((d.cause, d.settings, d.onset_step) for d in got.diagnoses),
            tuple(p.remedy for p in got.prescriptions),
        ))  # fmt: skip
    assert len(seen) == 1, seen


def _as_csv(path: Path, columns: dict[str, Signal]) -> None:
    steps = sorted({int(s) for c in columns.values() for s in c.steps})
    cells = {
        tag: dict(zip(c.steps.tolist(), c.values.tolist(), strict=True))
        for tag, c in columns.items()
    }
    with path.open("w", newline="") as f:
        out = csv.writer(f)
        out.writerow(["step", *columns])
        out.writerows(
            [step, *(repr(cells[t][step]) if step in cells[t] else "" for t in columns)]
            for step in steps
        )


@pytest.mark.parametrize(
    ("tags", "want"),
    [
        # The same two names: losses where no whole loss of D stands beside them, scores where one
        # does.
        (("G_GAN", "D_real", "D_fake"), {"D_real": "d_loss_real", "D_fake": "d_loss_fake"}),
        (
            ("d_loss", "g_loss", "D_real", "D_fake"),
            {"D_real": "d_real_score", "D_fake": "d_fake_score"},
        ),
        (("D_total", "D_real", "D_fake", "G_total"), {"D_real": "d_loss_real"}),
        # "fake" and "disc" inside a name of G's; "gen" inside one of D's.
        (("lossD", "lossG_fake"), {"lossG_fake": "g_loss_adv"}),
        (("loss_disc", "loss_disc_fake_g"), {"loss_disc_fake_g": "g_loss_adv"}),
        (
            ("G/loss_fake", "D/loss_fake"),
            {"G/loss_fake": "g_loss_adv", "D/loss_fake": "d_loss_fake"},
        ),
        (("discriminator_gen_wass_loss",), {"discriminator_gen_wass_loss": "d_loss_fake"}),
        (
            ("G_mse_fake_loss", "D_mse_gan_loss"),
            {"G_mse_fake_loss": "g_loss_adv", "D_mse_gan_loss": "d_loss"},
        ),
        (("loss/d_r/0", "loss/d_g/0"), {"loss/d_r/0": "d_loss_real", "loss/d_g/0": "d_loss_fake"}),
        # A part is no whole.
        (
            ("train/aeloss", "train/g_loss", "train/disc_loss"),
            {"train/g_loss": "g_loss_adv", "train/aeloss": "g_loss"},
        ),
        (
            ("D_A", "G_A", "cycle_A"),
            {"D_A": "d_loss", "G_A": "g_loss_adv", "cycle_A": "g_loss_aux"},
        ),
        (
            ("G_gen_loss", "G_adv_loss", "D_loss"),
            {"G_gen_loss": "g_loss_aux", "G_adv_loss": "g_loss_adv"},
        ),
        (
            ("g_loss", "g_loss_gen_mpd", "d_loss_mpd"),
            {"g_loss": "g_loss", "g_loss_gen_mpd": "g_loss_adv"},
        ),
        (("errD", "errD_SS", "errG", "errG_SS"), {"errD_SS": None, "errG_SS": "g_loss_aux"}),
        # Weights, counters, times, spreads: not what they look like.
        (
            ("d_weight", "disc_factor", "g_loss_weight"),
            {"d_weight": "adv_weight", "disc_factor": "adv_switch", "g_loss_weight": None},
        ),
        (
            ("d_loss", "d_loss_sum", "d_loss_count"),
            {"d_loss": "d_loss", "d_loss_sum": None, "d_loss_count": None},
        ),
        (
            ("Timing/Gboth", "discriminator_train_time"),
            {"Timing/Gboth": "time", "discriminator_train_time": "time"},
        ),
        (("fid_score_std", "fid_score_mean"), {"fid_score_std": None, "fid_score_mean": "fid"}),
        (
            ("D_losses", "mixed_norms", "Grad_norm/D_loss"),
            {"mixed_norms": None, "Grad_norm/D_loss": "grad_norm_d"},
        ),
        (("g_loss", "g_loss_1", "d_loss"), {"g_loss": "g_loss", "g_loss_1": None}),
        (("real_score_penalty", "d_drift"), {"real_score_penalty": None, "d_drift": None}),
        (
            ("Loss/Discriminator", "Loss/Generator", "GPU/Memory_Total"),
            {"GPU/Memory_Total": None, "Loss/Generator": "g_loss"},
        ),
        # Accuracies.
        (("real_acc", "gen_acc"), {"real_acc": "d_real_acc", "gen_acc": "d_fake_acc"}),
        (("d_acc", "g_acc"), {"d_acc": "d_acc", "g_acc": None}),
        (("cls_acc", "D_acc"), {"cls_acc": None, "D_acc": "d_acc"}),
        # What a loss without a name is depends on what stands beside it.
        (("loss", "d_loss", "g_loss"), {"loss": None}),
        (("loss", "disc_loss"), {"loss": "g_loss"}),
        (("loss", "loss_gp"), {"loss": "d_loss"}),
        (("c_loss", "g_loss"), {"c_loss": "d_loss"}),
        (("wd", "gp"), {"wd": "wasserstein_estimate"}),
        (("Wasserstein Loss/Critic",), {"Wasserstein Loss/Critic": "d_loss"}),
        (("losses[0]/loss_disc", "losses[6]/lr"), {"losses[6]/lr": "lr"}),
        (
            ("D loss", "G loss", "C loss[0]", "C loss[1]"),
            {"D loss": "d_loss", "C loss[0]": "g_loss_aux"},
        ),
        (
            ("errD/d_loss", "errG/g_loss", "errG/DAMSM"),
            {"errG/DAMSM": "g_loss_aux", "errG/g_loss": "g_loss"},
        ),
        (("D_F", "G_F", "cycle_F"), {"D_F": "d_loss", "G_F": "g_loss_adv"}),
        # Other scripts.
        (
            ("损失/判别器/总损失", "损失/生成器/总损失"),
            {"损失/判别器/总损失": "d_loss", "损失/生成器/总损失": "g_loss"},
        ),
    ],
)
def test_traps(tags: tuple[str, ...], want: dict[str, str | None]) -> None:
    got = roles(*tags)
    assert {t: got[t] for t in want} == want


@pytest.mark.parametrize(
    ("tag", "network", "split"),
    [
        ("D_A", "A", ""),
        ("loss_dis_b", "B", ""),
        ("train/d_loss_mpd", "mpd", "train"),
        ("val/fid", "", "val"),
        ("D/val_real", "", "val"),
        ("losses[0]/loss_disc", "", ""),
        ("loss/d_1", "1", ""),
        ("Loss/AdversaryX_Y", "X_Y", ""),
    ],
)
def test_networks_and_splits(tag: str, network: str, split: str) -> None:
    placed = vocabulary.place_names([tag], words())[0]
    assert (placed.network, placed.split) == (network, split)


def test_every_placement_gives_its_reason() -> None:
    placed = vocabulary.place_names([t for names in CONVENTIONS.values() for t in names], words())
    assert all(p.because for p in placed if p.role)


def test_values_tell_losses_from_scores() -> None:
    """Names say score; the numbers add up to D's loss."""
    rng = np.random.default_rng(0)
    real, fake = rng.uniform(0.3, 0.8, 40), rng.uniform(0.2, 0.9, 40)
    log = [
        series("d_loss", real + fake),
        series("g_loss", fake),
        series("D_real", real),
        series("D_fake", fake),
    ]
    assert [s.role for s in vocabulary.place(log, vocabulary=words())[2:]] == [
        "d_loss_real",
        "d_loss_fake",
    ]
    log[0] = series("d_loss", rng.uniform(0.5, 1.5, 40))
    assert [s.role for s in vocabulary.place(log, vocabulary=words())[2:]] == [
        "d_real_score",
        "d_fake_score",
    ]


def test_a_sum_with_one_weight_tells_the_penalty_whatever_its_name() -> None:
    rng = np.random.default_rng(4)
    bare, slip = -5 + rng.standard_normal(60), 1 + rng.random(60)
    logged = [
        series("disc_total_loss", np.round(bare + 10 * slip, 4)),
        series("disc_naked_loss", np.round(bare, 4)),
        series("disc_gradient_panelty", np.round(slip, 4)),
        series("gen_loss", rng.standard_normal(60)),
    ]
    placed = {s.tag: s for s in vocabulary.place(logged, vocabulary=words())}
    assert placed["disc_gradient_panelty"].role == "gradient_penalty"
    assert "10 times" in placed["disc_gradient_panelty"].because
    assert placed["disc_total_loss"].role == "d_loss"
    # Where no weight fits every row, the name is all there is.
    logged[0] = series("disc_total_loss", bare + rng.random(60))
    placed = {s.tag: s for s in vocabulary.place(logged, vocabulary=words())}
    assert placed["disc_gradient_panelty"].role != "gradient_penalty"


def test_a_sum_with_one_weight_tells_gs_adversarial_part() -> None:
    rng = np.random.default_rng(5)
    own, pixels = 1 + rng.random(60), 0.1 + 0.05 * rng.random(60)
    logged = [
        series("d_loss", rng.random(60)),
        series("G_total", own + 100 * pixels),
        series("G_fool_loss", own),
        series("G_L1", pixels),
    ]
    placed = {s.tag: s.role for s in vocabulary.place(logged, vocabulary=words())}
    assert placed["G_fool_loss"] == "g_loss_adv"
    assert placed["G_total"] == "g_loss"


def test_columns_without_names_are_read_by_their_sums() -> None:
    rng = np.random.default_rng(1)
    adv, l1, real, fake = (
        rng.uniform(*r, 50) for r in ((0.7, 0.9), (0.2, 0.4), (0.6, 0.7), (0.6, 0.7))
    )
    log = [
        series(f"column {i}", v) for i, v in enumerate((adv + l1, adv, l1, real + fake, real, fake))
    ]
    assert [s.role for s in vocabulary.place(log, vocabulary=words())] == [
        "g_loss",
        None,
        None,
        "d_loss",
        None,
        None,
    ]


def test_two_values_a_step_under_one_name() -> None:
    log = [series(f"GAN/unsupervised loss [{k}]", np.full(20, k / 2)) for k in (1, 2)]
    assert [s.role for s in vocabulary.place(log, vocabulary=words())] == ["d_loss", "g_loss_adv"]


def test_the_folder_of_a_file_names_what_the_tag_does_not() -> None:
    """One tag for all series; which is which stands in the path of the event file."""
    log = [series("loss", [1.0, 2.0], f"data/{net}/events.out") for net in ("errD", "errG")]
    assert [s.role for s in vocabulary.place(log, vocabulary=words())] == ["d_loss", "g_loss"]


def test_two_candidates_are_ranked_and_told() -> None:
    log = [
        series("train/disc_loss", [1.0] * 5),
        series("train/discloss", [1.0] * 9),
        series("train/gen_loss", [1.0] * 9),
    ]
    first, second, other = vocabulary.place(log, vocabulary=words())
    assert (first.role, second.role) == ("d_loss", "d_loss")
    assert (second.rank, first.rank, other.rank) == (0, 1, 0)
    assert "train/discloss" in first.because
    assert "--map" in first.because


def test_overrides() -> None:
    log = [series("a_b_c", [1.0]), series("d_loss", [1.0])]
    mine, theirs = vocabulary.place(log, vocabulary=words(), overrides={"d_loss": "a_b_c"})
    assert mine.role == "d_loss"
    assert theirs.role is None
    with pytest.raises(UsageError, match="did you mean 'd_loss'"):
        vocabulary.place(log, vocabulary=words(), overrides={"d_los": "a_b_c"})
    with pytest.raises(UsageError, match="there is no signal"):
        vocabulary.place(log, vocabulary=words(), overrides={"d_loss": "nowhere"})


# ---------------------------------------------------------------- the files


def test_every_role_is_documented_and_says_how_to_log_it() -> None:
    for role in words().roles.values():
        assert role.doc
        assert role.log_it or role.name in {"time", "throughput", "epoch", "step"}
    assert words().roles["psnr_ssim"].better == words().roles["inception_score"].better == "higher"
    assert words().roles["fid"].better == "lower"


def test_a_users_file_adds_and_goes_first(tmp_path: Path) -> None:
    folder = tmp_path / "vocabulary"
    folder.mkdir()
    (folder / "mine.yaml").write_text(
        "words: {D: [judge_net, zorp]}\n"
        "aliases: [{role: g_loss, tags: [blorp]}]\n"
        "settings: {lr: {kind: number, per_network: true, doc: rate, keys: [eta zero]}}\n"
    )
    mine = vocabulary.load([RULES, tmp_path])
    assert [p.role for p in vocabulary.place_names(["zorp_loss", "blorp"], mine)] == [
        "d_loss",
        "g_loss",
    ]
    assert "lr_d" in vocabulary.settle(
        [Setting("", 0.1, "zorp.eta_zero"), Setting("", 0.1, "disc.eta_zero")], vocabulary=mine
    )


@pytest.mark.parametrize(
    ("key", "value", "name"),
    [
        ("loss_gp_weight", 8000.0, "gp_lambda"),
        ("loss_clip_value", 0.01, "clip_value"),
        ("schedule_g_updates", 7, "g_steps"),
        ("schedule_lr_gamma", 0.5, "lr_decay"),
        ("solver_grad_clip", 1.0, "grad_clip"),
        ("g_optimizer_beta2", 0.9, "beta2_g"),
        ("data_batch_size", 32, "batch_size"),
        ("loss_lambda", 3.0, None),  # of one word alone nobody knows what it weighs
        ("loss_weight", 1.0, None),
        ("schedule_gamma", 0.5, None),
    ],
)
def test_a_section_in_front_of_a_flattened_key_is_overlooked(key, value, name) -> None:
    found = vocabulary.settle([Setting("", value, key)], vocabulary=words())
    assert set(found) == ({name} if name else set())


def test_a_key_without_a_section_goes_first() -> None:
    raw = [Setting("", 5.0, "loss_gp_weight"), Setting("", 10.0, "lambda_gp")]
    assert vocabulary.settle(raw, vocabulary=words())["gp_lambda"].value == 10.0


# Where code names several roles at once, it is about what these very roles do to each other.
TOLD_APART = {
    "vocabulary/",  # how names and values tell one role from another
    "objective/",  # the game: which losses add up to which
    "samples/",  # what is measured
}


def test_what_is_particular_to_a_role_stands_in_its_entry() -> None:
    """No table of roles in code: it would drift."""
    package, tables = Path(vocabulary.__file__).parents[1], []
    for file in package.rglob("*.py"):
        name = file.relative_to(package).as_posix()
        if name.startswith(tuple(TOLD_APART)):
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            parts = getattr(node, "elts", None) or getattr(node, "keys", None) or ()
            texts = {p.value for p in parts if isinstance(p, ast.Constant)}
            if len({t for t in texts if isinstance(t, str)} & words().roles.keys()) > 2:
                tables.append(f"{name}:{node.lineno}")
    assert tables == []


def test_every_fault_of_every_file_is_told_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "vocabulary"
    folder.mkdir()
    (folder / "a.yaml").write_text("roles: {x: {judges: metric}, y: {margin: 3, shwon: true}}")
    (folder / "b.yaml").write_text("aliases: [{role: d_los, tags: [t]}]\nrolse: {}")
    with pytest.raises(RulebookError) as caught:
        vocabulary.load([RULES, tmp_path])
    told = {fault.where.partition("vocabulary/")[2]: str(fault) for fault in caught.value.faults}
    assert told.keys() == {
        "a.yaml:roles.x.better", "a.yaml:roles.y.margin", "a.yaml:roles.y.shwon", "b.yaml:aliases",
        "b.yaml:rolse",
    }  # fmt: skip
    assert "did you mean `shown`" in told["a.yaml:roles.y.shwon"]


def test_a_file_that_changed_is_read_again(tmp_path: Path) -> None:
    folder = tmp_path / "vocabulary"
    folder.mkdir()
    for name in ("mine", "ours", "longest"):
        (folder / "mine.yaml").write_text(f"roles: {{{name}: {{doc: one}}}}")
        assert name in vocabulary.load([RULES, tmp_path]).roles
    assert "mine" not in vocabulary.load([RULES, tmp_path]).roles


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("roles: [", "does not parse"),
        ("decide: [{owner: D}]", "without a role"),
        ("decide: [{role: d_loss, onwer: D}]", "did you mean `owner`"),
        ("decide: [{role: d_los}]", "did you mean 'd_loss'"),
        ("aliases: [{role: d_loss}]", "needs role and tags"),
        ("roles: {x: {better: more}}", "one of lower, higher"),
        ("- 1", "is no mapping"),
    ],
)
def test_a_wrong_file_is_told(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "vocabulary").mkdir()
    (tmp_path / "vocabulary" / "mine.yaml").write_text(text)
    with pytest.raises(RuleError, match=says):
        vocabulary.load([RULES, tmp_path])


# ---------------------------------------------------------------- settings


@pytest.mark.parametrize(
    "spelling",
    [
        {"lr_D": 2e-4, "lr_G": 1e-4},
        {"d_lr": 2e-4, "g_lr": 1e-4},
        {"D_lr": 2e-4, "G_lr": 1e-4},
        {"lrD": 2e-4, "lrG": 1e-4},
        {"lr_disc": 2e-4, "lr_gen": 1e-4},
        {"discriminator_lr": 2e-4, "generator_lr": 1e-4},
        {"train__optim_d__lr": 2e-4, "train__optim_g__lr": 1e-4},
        {"dis_opt__lr": 2e-4, "gen_opt__lr": 1e-4},
        {"D_opt_kwargs__lr": 2e-4, "G_opt_kwargs__lr": 1e-4},
        {"TRAIN__DISCRIMINATOR_LR": 2e-4, "TRAIN__GENERATOR_LR": 1e-4},
        {"discriminator_optimizer_params__lr": 2e-4, "generator_optimizer_params__lr": 1e-4},
        {"ModularGAN__d_lr": 2e-4, "ModularGAN__g_lr": 1e-4},
        {"critic__learning_rate": 2e-4, "generator__learning_rate": 1e-4},
        {"optimizerD__learning_rate": 2e-4, "optimizerG__learning_rate": 1e-4},
    ],
)
def test_learning_rates_in_many_spellings(spelling: dict[str, float]) -> None:
    got = settled(**spelling)
    assert (got["lr_d"].value, got["lr_g"].value) == (2e-4, 1e-4)
    assert [got["lr_d"].key, got["lr_g"].key] == [k.replace("__", ".") for k in spelling]
    assert vocabulary.facts(got)["lr_ratio"] == pytest.approx(2)


@pytest.mark.parametrize(
    ("key", "value", "name"),
    [
        ("n_critic", 5, "d_steps"),
        ("CRITIC_ITERS", 5, "d_steps"),
        ("Diters", 5, "d_steps"),
        ("num_D_steps", 2, "d_steps"),
        ("d_updates_per_step", 2, "d_steps"),
        ("discriminator_extra_steps", 3, "d_steps"),
        ("train.net_d_iters", 1, "d_steps"),
        ("lambda_gp", 10.0, "gp_lambda"),
        ("lamba", 10.0, "gp_lambda"),
        ("LAMBDA", 10, "gp_lambda"),
        ("gp_weight", 10, "gp_lambda"),
        ("loss_kwargs.r1_gamma", 10, "r1_gamma"),
        ("r1_reg_weight", 10, "r1_gamma"),
        ("weight_clip", 0.01, "clip_value"),
        ("clamp_upper", 0.01, "clip_value"),
        ("batchSize", 64, "batch_size"),
        ("opt.batch_size", 64, "batch_size"),
        ("data.params.batch_size", 8, "batch_size"),
        ("nz", 100, "latent_dim"),
        ("z_dim", 128, "latent_dim"),
        ("ndf", 64, "width_d"),
        ("discriminator.hidden", 96, "width_d"),
        ("b1", 0.5, "beta1"),
        ("dataset.scale", "255", "data_scale"),
        ("g_out_act", "tanh", "g_output_activation"),
        ("lambda_L1", 100, "lambda_l1"),
        ("D_update_freq", 3, "d_every"),
        ("seed", 1, "seed"),
        ("niter", 100, "epochs"),
        ("total_kimg", 25000, "kimg"),
        ("use_amp", True, "amp"),
    ],
)
def test_keys(key: str, value: SettingValue, name: str) -> None:
    got = vocabulary.settle([Setting("", value, key, "c.yaml", 3)], vocabulary=words())
    assert got[name].key == key
    assert (got[name].file, got[name].line) == ("c.yaml", 3)


@pytest.mark.parametrize(
    ("key", "value", "family"),
    [
        ("gan_mode", "lsgan", "lsgan"),
        ("loss", "WGAN-GP", "wgan-gp"),
        ("GAN_LOSS", "nsgan", "nonsaturating"),
        ("loss.fn", "@non_saturating", "nonsaturating"),
        ("adv_loss", "hinge", "hinge"),
        ("criterion", "torch.nn.BCELoss", "nonsaturating"),
        ("gan_type", "wgan_softplus", "nonsaturating"),
        ("loss_type", "was", "wgan"),
        ("no_lsgan", False, "lsgan"),
        ("no_lsgan", True, "nonsaturating"),
        ("train.gan_opt.gan_type", "RaHinge", "relativistic"),
    ],
)
def test_loss_words(key: str, value: SettingValue, family: str) -> None:
    assert (
        vocabulary.settle([Setting("", value, key)], vocabulary=words())["loss_kind"].value
        == family
    )


def test_one_shared_rate_is_both_networks() -> None:
    got = settled(learning_rate=3e-4, betas=(0.5, 0.999))
    assert {got[n].key for n in ("lr", "lr_d", "lr_g")} == {"learning_rate"}
    assert (got["beta1_d"].value, got["beta2_g"].value) == (0.5, 0.999)
    assert got["beta1_g"].key == "betas.0"


def test_a_rate_given_as_a_ratio_is_worked_out_and_has_no_key() -> None:
    got = settled(lr=1e-4, D2G_LR=0.1)
    assert got["lr_d"].value == pytest.approx(1e-5)
    assert (got["lr_d"].key, got["lr_g"].key, got["d_lr_ratio"].key) == ("", "lr", "D2G_LR")


def test_a_rate_written_as_text_stays_text() -> None:
    assert settled(lr_d="5e-5")["lr_d"].value == "5e-5"


def test_a_loss_in_words_is_no_rate_and_infinity_no_size() -> None:
    got = settled(lr="auto", max_dataset_size=float("inf"), loss="L1", batch_size=True)
    assert not {"lr", "n_train", "loss_kind", "batch_size"} & set(got)


# ---------------------------------------------------------------- the step axis


@pytest.mark.parametrize(
    ("last", "every", "config", "unit"),
    [
        (30, 1, {"epochs": 30}, "epochs"),
        (29, 1, {"n_epochs": 30}, "epochs"),
        (4000, 10, {"steps": 4000}, "iterations"),
        (60_000, 1, {}, "iterations"),
        (5000, 100, {}, "iterations"),
        (100, 1, {}, "unknown"),
        (9000, 1, {"epochs": 10}, "iterations"),
    ],
)
def test_step_units(last: int, every: int, config: dict[str, SettingValue], unit: str) -> None:
    steps = np.arange(every, last + 1, every, dtype=np.int64)
    raw = [Setting("", v, k) for k, v in config.items()]
    assert vocabulary.step_unit([Signal("x", steps, steps.astype(float))], raw) == unit
    assert vocabulary.step_unit([], raw, "kimg") == "kimg"


# ---------------------------------------------------------------- anything at all


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.text(max_size=40) | st.from_regex(r"[dDgG]_?(loss|real|fake|adv|gp|[AB]|\d){0,3}"),
        max_size=8,
    )
)
def test_no_name_is_too_strange(tags: list[str]) -> None:
    placed = vocabulary.place_names(tags, words())
    assert [p.tag for p in placed] == tags
    assert all(p.role is None or p.role in words().roles for p in placed)


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.text(max_size=30),
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(max_size=12)
        | st.tuples(st.floats(), st.text(max_size=3)),
        max_size=8,
    )
)
@example(config={"CapacityD": 1.4e154, "lr_d": 10**400})
def test_no_config_is_too_strange(config: dict[str, SettingValue]) -> None:
    got = vocabulary.settle([Setting("", v, k) for k, v in config.items()], vocabulary=words())
    assert all(np.isfinite(v) for v in vocabulary.facts(got).values() if not np.isinf(v))
