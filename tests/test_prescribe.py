"""From causes to patches.

Values relative to the user's own, one key one value, nothing applied that was not shown.
"""

from __future__ import annotations

import copy
import errno
import os
import shlex
import shutil
import stat
import subprocess
import sys
import threading
import time
from dataclasses import replace
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import yaml

from gandoctor import rulebook, vocabulary
from gandoctor.configs import read_config
from gandoctor.errors import InputError
from gandoctor.lang.syntax import compile_test
from gandoctor.lang.tree import Scope
from gandoctor.lang.window import Amount, Window
from gandoctor.model.report import Diagnosis, Edit, Prescription
from gandoctor.model.rules import Change, Clause, Remedy, Rulebook
from gandoctor.model.signals import Run, Setting, Signal, Source
from gandoctor.prescribe import apply, cure_rate, diff, prescribe, source, swapping
from gandoctor.prescribe.overrides import override, overrides, written_by_run
from gandoctor.prescribe.work_out import spelled, work_out

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

TOO_FAST = "discriminator-learning-rate-too-high"
WORDS = vocabulary.load([rulebook.default_folder()])
BOOK = rulebook.load([rulebook.default_folder()])


def run_of(folder: Path, files: dict[str, str], signals: Sequence[Signal] = ()) -> Run:
    """A run with these config files, read and named as the program does it."""
    raw: list[Setting] = []
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
        raw += read_config(path, name).settings
    return Run(
        name="run",
        signals=tuple(signals),
        settings=vocabulary.settle(raw, vocabulary=WORDS),
        raw_settings=tuple(raw),
        sources=tuple(Source(name, "config", 1) for name in files),
    )


def remedy(
    id_: str = "r", *changes: Change, treats: dict[str, float] | None = None, **more: object
) -> Remedy:
    made = Remedy(
        id_,
        id_.title(),
        treats or {TOO_FAST: 1.0},
        "config",
        "trial",
        (),
        changes,
        "it helps",
        "because",
    )
    return replace(made, **more)  # type: ignore[arg-type]


def diagnosis(cause: str = TOO_FAST, score: float = 2.0) -> Diagnosis:
    return Diagnosis(cause, cause, "", (), "high", "medium", score, (), None, ())


def only(run: Run, r: Remedy, root: Path) -> Prescription:
    (made,) = prescribe(run, [diagnosis()], [r], root)
    return made


LOWER_D = Change("lr_d", multiply=0.1, low=1e-7, high=1)
LOWER_G = Change("lr_g", multiply=0.1, low=1e-7, high=1)


# ---------------------------------------------------------------- new values


def test_the_new_value_is_relative_to_the_users_own(tmp_path: Path) -> None:
    run = run_of(tmp_path, {"config.yaml": "optimizer_d:\n  lr: 0.05\noptimizer_g:\n  lr: 0.001\n"})
    made = only(run, remedy("lower-d", LOWER_D), tmp_path)
    assert made.edits == (Edit("config.yaml", "optimizer_d.lr", "0.05", "0.005"),)
    assert made.overrides == ("optimizer_d.lr=0.005",)
    assert made.diff is not None
    assert made.diff.startswith("--- a/config.yaml\n+++ b/config.yaml\n@@")
    assert made.blocked_by is None


def test_the_value_of_another_setting(tmp_path: Path) -> None:
    run = run_of(tmp_path, {"c.json": '{"d_lr": 4e-4, "g_lr": 1e-5}'})
    made = only(run, remedy("r", Change("lr_g", of="lr_d", multiply=0.5)), tmp_path)
    assert made.edits == (Edit("c.json", "g_lr", "1e-5", "2e-4"),)


def test_the_first_story_both_rates_a_string_in_yaml(tmp_path: Path) -> None:
    run = run_of(tmp_path, {"config.yaml": "lr_d: 5e-5\nlr_g: 5e-5\n"})
    slow = next(r for r in BOOK.remedies if r.id == "slow-d-below-g")
    made = only(run, slow, tmp_path)
    apply(made, tmp_path)
    assert yaml.safe_load((tmp_path / "config.yaml").read_text()) == {"lr_d": 2e-5, "lr_g": "5e-5"}


@pytest.mark.parametrize(
    ("text", "change", "blocked"),
    [
        (
            "lr_d: 1.0e-7\n",
            LOWER_D,
            "`lr_d` would become 1e-08, outside the sane bounds 1e-07 to 1",
        ),
        ("d_steps: 1\n", Change("d_steps", to=1.0), "`d_steps` is already 1"),
        (
            "g_out_act: tanh\n",
            Change("g_output_activation", to="tanh"),
            "`g_out_act` is already tanh",
        ),
        (
            "g_out_act: Tanh\n",
            Change("g_output_activation", to="tanh"),
            "`g_out_act` is already Tanh",
        ),
        ("d_bn: yes\n", Change("batchnorm_d", to=True), "`d_bn` is already true"),
        (
            "data_scale: uint8\n",
            Change("data_scale", to=1.0),
            "`data_scale` is uint8, which is not a number",
        ),
        (
            "data_scale: 255\n",
            Change("data_scale", to="unit"),
            "`data_scale` is 255, which is not one of several words",
        ),
    ],
)
def test_what_makes_no_sense_is_blocked_and_says_why(
    tmp_path: Path, text: str, change: Change, blocked: str
) -> None:
    made = only(run_of(tmp_path, {"config.yaml": text}), remedy("r", change), tmp_path)
    assert made.blocked_by == blocked
    assert made.diff is None
    assert made.edits == ()


@pytest.mark.parametrize(
    ("text", "change", "after"),
    [
        ("batch_size: 4\n", Change("batch_size", multiply=12.6), "batch_size: 50\n"),
        ("d_steps: 15\n", Change("d_steps", to=1.0), "d_steps: 1\n"),
        ("gp_lambda: 0.0\n", Change("gp_lambda", to=10.0), "gp_lambda: 10.0\n"),
        ("gp_lambda: 1000\n", Change("gp_lambda", to=10.0), "gp_lambda: 10\n"),
        ("d_sn: on\n", Change("spectral_norm_d", to=False), "d_sn: off\n"),
        ("d_sn: 1\n", Change("spectral_norm_d", to=False), "d_sn: 0\n"),
        ("d_sn: 'yes'\n", Change("spectral_norm_d", to=False), "d_sn: 'no'\n"),
        ("g_out_act: Sigmoid\n", Change("g_output_activation", to="tanh"), "g_out_act: Tanh\n"),
        ("g_out_act: nn.Sigmoid\n", Change("g_output_activation", to="tanh"),
        "g_out_act: nn.Tanh\n"),
        ("d_act: SIGMOID\n", Change("activation_d", to="leakyrelu"), "d_act: LEAKYRELU\n"),
        ("d_act: sigmoid\ng_act: leaky_relu\n", Change("activation_d", to="leakyrelu"),
         "d_act: leaky_relu\ng_act: leaky_relu\n"),
        ("lr_d: '0.01'\n", LOWER_D, "lr_d: 0.001\n"),
        ("lr_d: 5e-5\n", LOWER_D, "lr_d: 5.0e-6\n"),
        ("optim_d: {lr: 1.0e-3, betas: [0.9, 0.999]}\n", Change("beta1_d", to=0.5),
         "optim_d: {lr: 1.0e-3, betas: [0.5, 0.999]}\n"),
    ],
)  # fmt: skip
def test_numbers_words_and_flags_stay_what_they_were(
    tmp_path: Path, text: str, change: Change, after: str
) -> None:
    made = only(run_of(tmp_path, {"config.yaml": text}), remedy("r", change), tmp_path)
    assert made.blocked_by is None
    apply(made, tmp_path)
    assert (tmp_path / "config.yaml").read_text() == after


def test_words_in_the_users_spelling() -> None:
    assert spelled("leakyrelu", "nn.ReLU") == "nn.LeakyReLU"
    assert spelled("leakyrelu", "relu", ("lrelu", "tanh")) == "lrelu"
    assert spelled("adam", "torch.optim.SGD") == "torch.optim.Adam"
    assert spelled("nonsaturating", "Minimax") == "Nonsaturating"


# ---------------------------------------------------------------- values that belong together


def test_one_rate_for_both_networks_is_lowered_once(tmp_path: Path) -> None:
    run = run_of(tmp_path, {"config.yaml": "lr: 0.02\n"})
    made = only(run, remedy("lower-both", LOWER_D, LOWER_G), tmp_path)
    assert made.edits == (Edit("config.yaml", "lr", "0.02", "0.002"),)
    assert made.overrides == ("lr=0.002",)


def test_one_rate_for_both_networks_cannot_be_lowered_for_d_alone(tmp_path: Path) -> None:
    made = only(
        run_of(tmp_path, {"config.yaml": "lr: 0.02\n"}), remedy("lower-d", LOWER_D), tmp_path
    )
    assert made.blocked_by == "`lr` is one value for both networks: a config edit would change both"
    assert made.diff is None
    assert made.snippet is not None
    assert 'optimizer_D.param_groups:\n    group["lr"] = 0.002' in made.snippet


def test_half_of_a_remedy_for_both_is_another_remedy(tmp_path: Path) -> None:
    made = only(
        run_of(tmp_path, {"config.yaml": "d_lr: 0.02\n"}),
        remedy("both", LOWER_D, LOWER_G),
        tmp_path,
    )
    assert (
        made.blocked_by == "the config has no `lr_g`, and changing `lr_d` alone is another remedy"
    )


def test_half_of_a_pair_is_enough_where_it_is_no_matter_of_balance(tmp_path: Path) -> None:
    both = remedy("r", Change("init_gain_d", to=1.0), Change("init_gain_g", to=1.0))
    made = only(run_of(tmp_path, {"config.yaml": "g_init_gain: 8.0\n"}), both, tmp_path)
    assert [(e.key, e.new) for e in made.edits] == [("g_init_gain", "1.0")]


def test_a_rate_given_as_a_ratio(tmp_path: Path) -> None:
    text = "LR: 0.0001\nD_LR_MULT: 10.0\n"
    lower_d = only(run_of(tmp_path, {"config.yml": text}), remedy("d", LOWER_D), tmp_path)
    assert lower_d.edits == (Edit("config.yml", "D_LR_MULT", "10.0", "1.0"),)
    both = only(run_of(tmp_path, {"config.yml": text}), remedy("both", LOWER_D, LOWER_G), tmp_path)
    assert both.edits == (Edit("config.yml", "LR", "0.0001", "0.00001"),)
    g = only(
        run_of(tmp_path, {"config.yml": text}), remedy("g", Change("lr_g", multiply=10)), tmp_path
    )
    # D keeps its own rate.
    assert {(e.key, e.new) for e in g.edits} == {
        ("LR", "0.001"),
        ("D_LR_MULT", "1.0"),
    }


def test_a_key_is_added_only_where_the_twin_block_shows_its_place(tmp_path: Path) -> None:
    text = "optim_g:\n  lr: 0.001\n  beta1: 0.9\noptim_d:\n  lr: 0.001\nother:\n  x: 1\n"
    made = only(
        run_of(tmp_path, {"config.yaml": text}),
        remedy("r", Change("beta1_d", to=0.5), Change("beta1_g", to=0.5)),
        tmp_path,
    )
    apply(made, tmp_path)
    after = yaml.safe_load((tmp_path / "config.yaml").read_text())
    assert after["optim_d"] == {"lr": 0.001, "beta1": 0.5}
    assert after["optim_g"] == {"lr": 0.001, "beta1": 0.5}
    flat = only(
        run_of(tmp_path, {"c2.yaml": "lr_d: 0.1\nlr_g: 0.1\n"}),
        remedy("r", Change("beta1_d", to=0.5)),
        tmp_path,
    )
    assert flat.diff is None


def test_an_anchored_rate_is_changed_for_d_alone(tmp_path: Path) -> None:
    text = "optim:\n  g: {lr: &lr 0.01}\n  d: {lr: *lr}\n"
    made = only(run_of(tmp_path, {"config.yaml": text}), remedy("d", LOWER_D), tmp_path)
    apply(made, tmp_path)
    assert yaml.safe_load((tmp_path / "config.yaml").read_text()) == {
        "optim": {"g": {"lr": 0.01}, "d": {"lr": 0.001}}
    }


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("c.yaml", "lr_d: 0.05\nlr_g: ${lr_d}\n"),
        ("c.yaml", "train:\n  d_lr: 0.05\n  g_lr: ${.d_lr}\n"),
        ("config.py", "LR_D = 0.05\nLR_G = LR_D\n"),
        ("config.py", "LR_D = 0.05\nLR_G = 0.5 * LR_D\n"),
    ],
)
def test_a_value_that_another_follows_is_left_alone(tmp_path: Path, file: str, text: str) -> None:
    made = only(run_of(tmp_path, {file: text}), remedy("d", LOWER_D), tmp_path)
    assert made.diff is None
    assert made.blocked_by is not None
    assert "lr" in made.blocked_by.lower()


def test_two_files_make_one_patch(tmp_path: Path) -> None:
    files = {"d.yaml": "discriminator:\n  lr: 0.1\n", "g.yaml": "generator:\n  lr: 0.1\n"}
    made = only(run_of(tmp_path, files), remedy("both", LOWER_D, LOWER_G), tmp_path)
    assert made.diff is not None
    assert made.diff.count("--- a/") == 2
    done = apply(made, tmp_path)
    assert [d.file for d in done] == ["d.yaml", "g.yaml"]
    assert (tmp_path / "g.yaml").read_text() == "generator:\n  lr: 0.01\n"


# ---------------------------------------------------------------- files that the run wrote itself


@pytest.mark.parametrize(
    ("file", "text", "override_"),
    [
        (
            "train_opt.txt",
            "----- Options -----\n   lr_d: 0.05   \t[default: 0.1]\n   lr_g: 0.1\n",
            "--lr_d 0.005",
        ),
        (".hydra/config.yaml", "optim:\n  d: {lr: 0.05}\n", "optim.d.lr=0.005"),
        ("hparams.yaml", "lr_d: 0.05\nlr_g: 0.1\n", "--lr_d 0.005"),
        (
            "wandb/run-1/files/config.yaml",
            "wandb_version: 1\nlr_d:\n  desc: null\n  value: 0.05\n",
            "--lr_d 0.005",
        ),
        (
            "training_options.json",
            '{"D_opt_kwargs": {"lr": 0.05}, "G_opt_kwargs": {"lr": 0.1}}',
            "--dlr=0.005",
        ),
        ("opt.txt", "D_lr: 0.05\nG_lr: 0.1\n", "--D_lr 0.005"),
    ],
)
def test_a_record_is_not_patched(tmp_path: Path, file: str, text: str, override_: str) -> None:
    made = only(run_of(tmp_path, {file: text}), remedy("d", LOWER_D), tmp_path)
    assert made.diff is None
    assert made.blocked_by is None
    assert made.overrides == (override_,)
    assert "No diff:" in made.why
    assert made.edits[0].new == "0.005"


def test_the_source_is_patched_where_the_folder_has_it(tmp_path: Path) -> None:
    files = {
        ".hydra/config.yaml": "optim:\n  d: {lr: 0.05}\n",
        "conf/gan.yaml": "optim:\n  d: {lr: 0.05}  # here\n",
    }
    made = only(run_of(tmp_path, files), remedy("d", LOWER_D), tmp_path)
    assert [e.file for e in made.edits] == ["conf/gan.yaml"]
    assert made.diff is not None
    files["conf/other.yaml"] = "optim:\n  d: {lr: 0.05}\n"  # two could be meant: none is touched
    assert only(run_of(tmp_path, files), remedy("d", LOWER_D), tmp_path).diff is None


def test_inputs_are_no_records() -> None:
    assert written_by_run("config.yaml", "lr: 1\n") == ""
    assert written_by_run("options/train/x.yml", "train: {}\n") == ""
    assert written_by_run("logs/44k/config.json", "{}") == ""
    assert written_by_run("hparams.yaml", "seed: 1\nG: !new:torch.nn.Linear\n") == ""
    assert "Hydra" in written_by_run("a/.hydra/config.yaml")
    assert "itself" in written_by_run("")


@pytest.mark.parametrize(
    ("file", "key", "value", "text", "wanted"),
    [
        ("c.yaml", "d.lr", 2e-5, "", "d.lr=2.0e-05"),
        ("c.yaml", "d.bn", True, "", "d.bn=true"),
        ("c.yaml", "name", "two words", "", "name='two words'"),
        ("train_opt.txt", "lr", 0.0002, "", "--lr 0.0002"),
        ("flagfile.txt", "lr_D", 0.0002, "--lr_D=1\n--n_dis=5\n", "--lr_D=0.0002"),
        ("x.gin", "ModularGAN.d_lr", 1e-5, "", "--gin_bindings='ModularGAN.d_lr = 1.0e-05'"),
        (
            "cfg.py",
            "optimizer.d.lr",
            1e-5,
            "x = dict(type='GAN')\n",
            "--cfg-options optimizer.d.lr=1.0e-05",
        ),
        ("config.py", "LR_D", 1e-5, "LR_D = 1e-4\n", ""),
        ("opts.py", "d_lr", 1e-5, "p.add_argument('--d_lr', default=1)\n", "--d_lr 1.0e-05"),
        ("training_options.json", "loss_kwargs.r1_gamma", 10, "", "--gamma=10"),
        ("training_options.json", "network_snapshot_ticks", 10, "", ""),
    ],
)
def test_overrides_in_the_style_of_the_tool(
    file: str, key: str, value: object, text: str, wanted: str
) -> None:
    assert override(file, key, value, text) == wanted  # type: ignore[arg-type]


def test_a_file_that_cannot_be_patched_gives_its_override(tmp_path: Path) -> None:
    run = run_of(tmp_path, {"config.yaml": "lr_d: 0.1\n"})
    (tmp_path / "config.yaml").unlink()
    made = only(run, remedy("d", LOWER_D), tmp_path)
    assert made.diff is None
    assert made.overrides == ("lr_d=0.01",)
    assert "No diff: the file cannot be found." in made.why


def test_a_file_that_says_something_else_by_now_is_not_patched(tmp_path: Path) -> None:
    run = run_of(tmp_path, {"config.yaml": "lr_d: 0.1\n"})
    (tmp_path / "config.yaml").write_text("lr_d: 0.3\n")
    made = only(run, remedy("d", LOWER_D), tmp_path)
    assert made.diff is None
    assert "`lr_d` is 0.3 in the file, and was 0.1 in the run" in made.why


def test_no_file_outside_the_run_is_read(tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text("lr_d: 0.1\n")
    root = tmp_path / "run"
    root.mkdir()
    (root / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    for file in ("../secret.yaml", "link.yaml", str(tmp_path / "secret.yaml")):
        s = Setting("lr_d", 0.1, "lr_d", file, 1)
        made = only(Run("r", settings={"lr_d": s}, raw_settings=(s,)), remedy("d", LOWER_D), root)
        assert made.diff is None
        assert "outside the run folder" in made.why
        assert str(tmp_path) not in made.why


# ---------------------------------------------------------------- the source tree

RECORD = (
    "----- Options -----\n  batch_size: 4 \n    d_lr: 0.05 \t[default: 0.1]\n    g_lr: 0.1\n "
    " "
    "    nz: 64\n"
)
WANDB = "wandb_version: 1\nd_lr: {desc: null, value: 0.05}\nnz: {value: 64, desc: null}\n"
OPTIONS = """\
import argparse


class BaseOptions:
    def initialize(self, parser):
        parser.add_argument('--batch_size', type=int, default=4)
        parser.add_argument('--d_lr', type=float, default=0.05, help="D's")
        parser.add_argument('--g_lr', type=float, default=0.1)
        parser.add_argument('--nz', type=int, default=64)
        return parser
"""
HYDRA = "batch_size: 4\noptim:\n  d: {lr: 0.05}\n  g: {lr: 0.1}\n"
LOWER = remedy("d", LOWER_D)


def patched(
    tmp_path: Path, record: dict[str, str], tree: dict[str, str], each: Remedy = LOWER
) -> Prescription:
    """The prescription of a run that left a record, and whose code is in a source tree."""
    for name, text in tree.items():
        path = tmp_path / "code" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    run = run_of(tmp_path / "run", record)
    (made,) = prescribe(run, [diagnosis()], [each], tmp_path / "run", repo=tmp_path / "code")
    return made


@pytest.mark.parametrize(
    ("record", "tree", "file", "changed"),
    [
        (
            {"train_opt.txt": RECORD},
            {"options/base.py": OPTIONS, "train.py": "d_lr = 3\n"},
            "options/base.py",
            "d_lr",
        ),
        (
            {".hydra/config.yaml": HYDRA},
            {"conf/gan.yaml": "# x\n" + HYDRA},
            "conf/gan.yaml",
            "optim.d.lr",
        ),
        (
            {".hydra/config.yaml": HYDRA},
            {
                "conf/gan.yaml": HYDRA,
                "conf/old.yaml": HYDRA.replace("4", "8"),
                "conf/g.yaml": "optim: {d: {lr: 0.05}}\n",
            },
            "conf/gan.yaml",
            "optim.d.lr",
        ),
        (
            {"args.json": '{"batch_size": 4, "d_lr": 0.05, "g_lr": 0.1, "nz": 64}'},
            {
                "options/base.py": OPTIONS,
                "run.sh": "python train.py --d_lr 5e-2 --g_lr=0.1 \\\n  --nz 64\n",
            },
            "run.sh",
            "d_lr",
        ),
        (
            {"wandb/r/files/config.yaml": WANDB},
            {"cfg.toml": "[train]\nd_lr = 5e-2\nnz = 64\n"},
            "cfg.toml",
            "train.d_lr",
        ),
    ],
)
def test_the_source_is_found_by_what_the_record_repeats(
    tmp_path: Path, record: dict[str, str], tree: dict[str, str], file: str, changed: str
) -> None:
    made = patched(tmp_path, record, tree)
    assert made.base == "repo"
    assert [(e.file, e.key) for e in made.edits] == [(file, changed)]
    assert f"The diff is for the source tree: {file} repeats" in made.why
    before = {p: p.read_text() for p in (tmp_path / "code").rglob("*.*")}
    done = apply(made, tmp_path / "code")
    assert [d.file for d in done] == [file]
    assert [
        p.relative_to(tmp_path / "code").as_posix() for p, t in before.items() if p.read_text() != t
    ] == [file]


@pytest.mark.parametrize(
    ("tree", "says"),
    [
        (
            {"a.yaml": HYDRA, "b.yaml": HYDRA},
            "several files of the source tree could be where `optim.d.lr` came from: a.yaml, b",
        ),
        ({"a.yaml": HYDRA.replace("0.05", "0.5")}, "no file of the source tree can be told"),
        (
            {"a.yaml": "lr: 0.05\n"},
            "no file of the source tree can be told",
        ),  # one equal value is a coincidence
        (
            {"a.yaml": HYDRA + "also: ${optim.d.lr}\n"},
            "`also` takes its value from `optim.d.lr` in a.yaml",
        ),
        (
            {"run/1/.hydra/config.yaml": HYDRA, "outputs/a.yaml": HYDRA, ".git/a.yaml": HYDRA},
            "no file",
        ),
        (
            {"old/events.out.tfevents.1": "", "old/config.yaml": HYDRA},
            "no file",
        ),  # another run's copy
        ({"old/log.jsonl": "", "old/config.yaml": HYDRA}, "no file"),
        (
            {"b.yaml": HYDRA.replace("4", "8").replace("0.1", "0.3")},
            "no file",
        ),  # a sibling that shares D's rate
        ({}, "no file"),
    ],
)
def test_where_no_single_source_is_sure_there_is_the_override(
    tmp_path: Path, tree: dict[str, str], says: str
) -> None:
    (tmp_path / "code").mkdir()
    made = patched(tmp_path, {".hydra/config.yaml": HYDRA}, tree)
    assert made.diff is None
    assert made.base == "run"
    assert made.overrides == ("optim.d.lr=0.005",)
    assert says in made.why
    assert str(tmp_path) not in made.why


@pytest.mark.parametrize("twice", [False, True])
def test_a_default_that_a_script_overrules_is_not_patched(tmp_path: Path, twice: bool) -> None:
    script = "python train.py --d_lr $RATE\n" + "python train.py --d_lr 0.7 --nz 64\n" * (1 + twice)
    made = patched(
        tmp_path, {"train_opt.txt": RECORD}, {"options/base.py": OPTIONS, "run.sh": script}
    )
    assert made.diff is None
    assert made.overrides == ("--d_lr 0.005",)


def test_all_settings_of_a_remedy_are_found_or_none_is_patched(tmp_path: Path) -> None:
    both = remedy("both", LOWER_D, LOWER_G)
    groups = {
        "conf/d.yaml": "d: {lr: 0.05}\nbatch_size: 4\n",
        "conf/g.yaml": "g: {lr: 0.1}\nbatch_size: 4\n",
    }
    made = patched(tmp_path, {".hydra/config.yaml": HYDRA}, groups, both)
    assert [(e.file, e.key, e.new) for e in made.edits] == [
        ("conf/d.yaml", "d.lr", "0.005"),
        ("conf/g.yaml", "g.lr", "0.01"),
    ]
    del groups["conf/g.yaml"]
    (tmp_path / "code/conf/g.yaml").unlink()
    assert patched(tmp_path, {".hydra/config.yaml": HYDRA}, groups, both).diff is None


def test_what_the_command_line_overruled_is_told(tmp_path: Path) -> None:
    long = HYDRA + "".join(f"option_{i}: {i}\n" for i in range(9))
    made = patched(
        tmp_path,
        {".hydra/config.yaml": long},
        {"conf/gan.yaml": long.replace("batch_size: 4", "batch_size: 9")},
    )
    assert made.diff is not None
    assert "conf/gan.yaml repeats 11 of the run's settings, and differs in 1." in made.why


def test_the_search_follows_no_link_and_knows_an_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secret.yaml").write_text(HYDRA)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/a.yaml").write_text(HYDRA)
    code = tmp_path / "code"
    code.mkdir()
    (code / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    (code / "folder").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    assert patched(tmp_path, {".hydra/config.yaml": HYDRA}, {}).diff is None
    assert (
        patched(tmp_path, {".hydra/config.yaml": HYDRA}, {"a.yaml": HYDRA}).edits[0].file
        == "a.yaml"
    )
    monkeypatch.setattr(source, "MAX_FILES", 1)
    cut = patched(tmp_path, {".hydra/config.yaml": HYDRA}, {"b.py": "x = 1\n"})
    assert cut.diff is None
    assert "too large to be searched to its end" in cut.why


def test_the_config_in_the_runs_own_folder_is_patched_where_the_tree_has_none(
    tmp_path: Path,
) -> None:
    (tmp_path / "code").mkdir()
    made = patched(tmp_path, {"config.yaml": HYDRA}, {})
    assert (made.base, [e.file for e in made.edits]) == ("run", ["config.yaml"])
    made = patched(tmp_path, {"config.yaml": HYDRA}, {"configs/gan.yaml": HYDRA})
    assert (made.base, [e.file for e in made.edits]) == ("repo", ["configs/gan.yaml"])


# ---------------------------------------------------------------- no config


def test_without_a_config_the_snippet_says_it(tmp_path: Path) -> None:
    made = only(Run("r"), remedy("d", LOWER_D, snippet="lr *= 0.1\n"), tmp_path)
    assert made.diff is None
    assert made.overrides == ()
    assert made.snippet == "lr *= 0.1"
    assert made.blocked_by == "no config names lr_d"


def test_snippets_do_not_contradict_each_other_either(tmp_path: Path) -> None:
    book = [
        remedy("mute", LOWER_D),
        remedy("tenth", LOWER_D, treats={TOO_FAST: 0.5}, snippet="a()"),
        remedy(
            "below-g",
            Change("lr_d", of="lr_g", multiply=0.4),
            treats={TOO_FAST: 0.4},
            snippet="b()",
        ),
        remedy("again", LOWER_D, treats={TOO_FAST: 0.3}, snippet="c()"),
    ]
    assert [p.remedy for p in prescribe(Run("r"), [diagnosis()], book, tmp_path)] == [
        "tenth",
        "mute",
    ]


def test_a_patch_needs_no_snippet_beside_it(tmp_path: Path) -> None:
    run = run_of(tmp_path, {"config.yaml": "lr_d: 0.1\n"})
    assert only(run, remedy("d", LOWER_D, snippet="lr *= 0.1"), tmp_path).snippet is None


def test_a_log_that_carries_its_settings(tmp_path: Path) -> None:
    raw = (Setting("", 0.1, "optimization.d_lr"), Setting("", 0.1, "g_lr"))
    run = Run("r", settings=vocabulary.settle(raw, vocabulary=WORDS), raw_settings=raw)
    made = only(run, remedy("both", LOWER_D, LOWER_G), tmp_path)
    assert made.overrides == ("optimization.d_lr=0.01", "--g_lr 0.01")
    assert "No diff: the settings stand in the log itself." in made.why


def signal(tag: str, role: str) -> Signal:
    return Signal(tag, np.arange(3), np.zeros(3), role)


def test_snippets_speak_the_logs_own_names(tmp_path: Path) -> None:
    throttle = next(r for r in BOOK.remedies if r.id == "throttle-d")
    run = replace(
        Run("r"), signals=(signal("Loss/disc loss", "d_loss"), signal("adv_loss", "g_loss"))
    )
    made = only(run, throttle, tmp_path)
    assert made.snippet is not None
    assert "Loss_disc_loss < 0.3 and adv_loss > 3.0" in made.snippet
    assert "{" not in made.snippet
    nameless = only(Run("r"), throttle, tmp_path).snippet
    assert nameless is not None
    assert "d_loss < 0.3 and g_loss > 3.0" in nameless


# ---------------------------------------------------------------- choice and order


def test_best_first_by_expected_cure(tmp_path: Path) -> None:
    run = run_of(tmp_path, {"c.yaml": "lr_d: 0.1\nlr_g: 0.1\nd_steps: 5\nbatch_size: 2\n"})
    likely, doubtful = diagnosis("a", 3.0), diagnosis("b", 1.0)
    book = [
        remedy("for-b", Change("d_steps", to=1.0), treats={"b": 1.0}),
        remedy("weak-for-a", Change("batch_size", to=64.0), treats={"a": 0.2}),
        remedy("good-for-a", LOWER_D, treats={"a": 0.9}),
    ]
    made = prescribe(run, [likely, doubtful], book, tmp_path)
    assert [(p.remedy, p.cause) for p in made] == [
        ("good-for-a", "a"),
        ("weak-for-a", "a"),
        ("for-b", "b"),
    ]


def test_what_helps_against_both_causes_counts_twice(tmp_path: Path) -> None:
    run = run_of(tmp_path, {"c.yaml": "lr_d: 0.1\nlr_g: 0.1\nd_steps: 5\n"})
    book = [
        remedy("a-alone", Change("d_steps", to=1.0), treats={"a": 0.9}),
        remedy("either", LOWER_D, LOWER_G, treats={"a": 0.7, "b": 0.7}),
    ]
    made = prescribe(run, [diagnosis("a", 2.0), diagnosis("b", 2.0)], book, tmp_path)
    assert [p.remedy for p in made] == ["either", "a-alone"]


def test_ties_go_to_the_cheaper_and_the_safer(tmp_path: Path) -> None:
    run = run_of(tmp_path, {"c.yaml": "lr_d: 0.1\nd_steps: 5\nbatch_size: 2\n"})
    book = [
        remedy("a", effort="code", snippet="a()"),
        remedy("b", LOWER_D),
        remedy("c", Change("d_steps", to=1.0), risk="safe"),
    ]
    assert [p.remedy for p in prescribe(run, [diagnosis()], book, tmp_path)] == ["c", "b", "a"]


def test_at_most_three_a_diagnosis_and_blocked_ones_last(tmp_path: Path) -> None:
    run = run_of(tmp_path, {"c.yaml": "lr_d: 0.1\nd_steps: 1\nbatch_size: 2\ngp_lambda: 1000\n"})
    book = [
        remedy("blocked", Change("d_steps", to=1.0)),
        remedy("x", LOWER_D, treats={TOO_FAST: 0.5}),
        remedy("y", Change("batch_size", to=64.0), treats={TOO_FAST: 0.4}),
    ]
    assert [p.remedy for p in prescribe(run, [diagnosis()], book, tmp_path)] == [
        "x",
        "y",
        "blocked",
    ]
    book.append(remedy("z", Change("gp_lambda", to=10.0), treats={TOO_FAST: 0.1}))
    assert [p.remedy for p in prescribe(run, [diagnosis()], book, tmp_path)] == ["x", "y", "z"]


def test_what_is_blocked_never_stands_first_with_a_snippet_either(tmp_path: Path) -> None:
    run = run_of(tmp_path, {"c.yaml": "lr_d: 0.1\n"})
    book = [
        remedy("blocked", Change("d_steps", to=1.0), snippet="d_steps = 1"),
        remedy("x", LOWER_D, treats={TOO_FAST: 0.5}),
    ]
    first, second = prescribe(run, [diagnosis()], book, tmp_path)
    assert (first.remedy, second.remedy) == ("x", "blocked")
    assert second.blocked_by


def test_a_setting_that_nobody_named_is_not_guessed_to_be_wrong(tmp_path: Path) -> None:
    asked = Clause(
        "off",
        compile_test("d_every > 1", Scope(numbers=frozenset({"d_every"}))),
        {},
        Window(),
        Amount(),
    )
    seldom = remedy("seldom", Change("d_every", to=1.0), only_if=(asked,))
    named = run_of(tmp_path, {"c.yaml": "d_every: 4\n"})
    assert only(replace(named), seldom, tmp_path).diff
    bare = run_of(tmp_path, {"c.yaml": "lr_d: 0.1\n"})
    how = {True: [], None: []}
    for known in how:
        how[known] = list(
            prescribe(bare, [diagnosis()], [seldom], tmp_path, holds=lambda _, k=known: k)
        )
    assert [p.remedy for p in how[True]] == ["seldom"]
    assert how[None] == []


def test_a_patch_is_called_safe_only_where_that_was_measured() -> None:
    careful = remedy("careful", LOWER_D, risk="safe")
    assert Rulebook(remedies=(careful,)).risk_of(careful) == "trial"
    for counts, said in (((1, 1), "trial"), ((1, 2), "trial"), ((2, 3), "safe")):
        book = Rulebook(measured={"careful": {TOO_FAST: counts}})
        assert book.risk_of(careful) == said
    seen_apart = {"careful": {TOO_FAST: (1, 1)}}
    assert Rulebook(measured=seen_apart, unseen=seen_apart).risk_of(careful) == "safe"
    assert Rulebook(measured=seen_apart).risk_of(replace(careful, risk="advice")) == "advice"


def test_one_key_gets_one_new_value(tmp_path: Path) -> None:
    run = run_of(tmp_path, {"c.yaml": "lr_d: 0.1\nlr_g: 0.1\n"})
    book = [
        remedy("down", LOWER_D),
        remedy("up", Change("lr_d", multiply=10), treats={"b": 1.0}),
        remedy("both", LOWER_D, LOWER_G, treats={TOO_FAST: 0.5}),
        remedy("same-again", LOWER_D, treats={TOO_FAST: 0.4}),
    ]
    made = prescribe(run, [diagnosis(), diagnosis("b")], book, tmp_path)
    assert [p.remedy for p in made] == ["down", "both"]


def test_remedies_that_exclude_each_other(tmp_path: Path) -> None:
    run = run_of(tmp_path, {"c.yaml": "lr_d: 0.1\nlr_g: 0.1\nd_steps: 5\nbatch_size: 2\n"})
    first = remedy("first", Change("d_steps", to=1.0), not_with=("third",))
    second = remedy("second", LOWER_D, treats={TOO_FAST: 0.8})
    third = remedy("third", Change("batch_size", to=64.0), treats={TOO_FAST: 0.7, "b": 0.1})
    ills = [diagnosis(), diagnosis("b")]
    assert [p.remedy for p in prescribe(run, ills, [first, second, third], tmp_path)] == [
        "first",
        "second",
    ]
    # One of the pair naming the other is enough, whichever comes first.
    named = [replace(first, not_with=()), second, replace(third, not_with=("first",))]
    assert [p.remedy for p in prescribe(run, ills, named, tmp_path)] == ["first", "second"]
    free = [replace(first, not_with=()), second, third]
    assert len(prescribe(run, ills, free, tmp_path)) == 3


def test_one_setting_goes_one_way_in_words_too(tmp_path: Path) -> None:
    # One rate for both: what is meant for D alone is a snippet.
    run = run_of(tmp_path, {"c.yaml": "lr: 0.1\n"})
    down = remedy("down", LOWER_D, LOWER_G)
    up = remedy("up", Change("lr_d", multiply=10, high=10), treats={TOO_FAST: 0.5}, snippet="up()")
    down_too = remedy(
        "down-too", Change("lr_d", multiply=0.5), treats={TOO_FAST: 0.4}, snippet="down()"
    )
    made = prescribe(run, [diagnosis()], [down, up, down_too], tmp_path)
    assert [p.remedy for p in made] == ["down", "down-too"]


def test_what_was_measured_goes_before_what_is_believed(tmp_path: Path) -> None:
    run = run_of(tmp_path, {"c.yaml": "lr_d: 0.1\nlr_g: 0.1\nd_steps: 5\nbatch_size: 2\n"})
    believed = remedy("believed", LOWER_D, treats={TOO_FAST: 0.9})
    proven = remedy("proven", Change("d_steps", to=1.0), treats={TOO_FAST: 0.5})
    book = [believed, proven]
    assert [p.remedy for p in prescribe(run, [diagnosis()], book, tmp_path)] == [
        "believed",
        "proven",
    ]
    counts = {"believed": {TOO_FAST: (1, 10)}, "proven": {TOO_FAST: (9, 10)}}
    made = prescribe(run, [diagnosis()], book, tmp_path, measured=counts)
    assert [p.remedy for p in made] == ["proven", "believed"]


@pytest.mark.parametrize(
    ("weight", "counts", "rate"),
    [
        (0.5, None, 0.5),
        (0.5, (0, 0), 0.5),
        (1.0, (0, 4), 0.5),
        (0.5, (10, 10), 12 / 14),
        (0.25, (0, 12), 1 / 16),
    ],
)
def test_the_belief_counts_as_four_trials(
    weight: float, counts: tuple[int, int] | None, rate: float
) -> None:
    r = remedy("r", LOWER_D, treats={TOO_FAST: weight})
    measured = {"r": {TOO_FAST: counts, "other": (9, 9)}} if counts else None
    assert cure_rate(r, TOO_FAST, measured) == pytest.approx(rate)
    # What a remedy does not treat it is not offered for.
    assert cure_rate(r, "other", measured) == 0


def test_a_word_is_written_only_where_the_config_names_it(tmp_path: Path) -> None:
    hinge = remedy("h", Change("loss_kind", to="hinge", if_named=True), snippet="relu()")
    silent = only(run_of(tmp_path / "a", {"c.yaml": "gan_mode: vanilla\n"}), hinge, tmp_path / "a")
    assert silent.diff is None
    assert silent.snippet == "relu()"
    assert silent.blocked_by == "nothing in the config tells that `gan_mode` may be hinge"
    text = "gan_mode: vanilla  # vanilla | lsgan | HINGE\n"
    named = only(run_of(tmp_path / "b", {"c.yaml": text}), hinge, tmp_path / "b")
    assert named.edits == (Edit("c.yaml", "gan_mode", "vanilla", "HINGE"),)


def test_a_loss_that_needs_a_penalty_is_none_without_it(tmp_path: Path) -> None:
    swap = next(r for r in BOOK.remedies if r.id == "wgan-gp-loss")
    text = "gan_mode: vanilla  # vanilla | lsgan | wgangp\nn_critic: 1\n"
    without = prescribe(
        run_of(tmp_path, {"c.yaml": text}), [diagnosis("saturating-loss")], [swap], tmp_path
    )
    assert without[0].diff is None
    assert without[0].blocked_by == "the config has no `gp_lambda`, which it needs"
    assert without[0].snippet
    full = run_of(tmp_path, {"c.yaml": text + "lambda_gp: 0.0\n"})
    (made,) = prescribe(full, [diagnosis("saturating-loss")], [swap], tmp_path)
    apply(made, tmp_path)
    assert yaml.safe_load((tmp_path / "c.yaml").read_text()) == {
        "gan_mode": "wgangp",
        "n_critic": 5,
        "lambda_gp": 10.0,
    }


def test_numbers_read_as_text_are_mended_and_keep_their_size(tmp_path: Path) -> None:
    mend = next(r for r in BOOK.remedies if r.id == "numbers-as-numbers")
    ill = diagnosis("unbalanced-game")
    run = run_of(tmp_path, {"c.yaml": "lr_d: 5e-5  # both\nlr_g: 2e-4\nbeta1: 0.5\n"})
    (made,) = prescribe(run, [ill], [mend], tmp_path)
    apply(made, tmp_path)
    after = yaml.safe_load((tmp_path / "c.yaml").read_text())
    assert after == {"lr_d": 5e-5, "lr_g": 2e-4, "beta1": 0.5}
    assert isinstance(after["lr_d"], float)
    # No pair is needed: nothing about the balance changes.
    half = run_of(tmp_path, {"c.yaml": "lr_d: 5e-5\n"})
    assert prescribe(half, [ill], [mend], tmp_path)[0].diff
    fine = run_of(tmp_path, {"c.yaml": "lr_d: 5.0e-5\nlr_g: 2.0e-4\n"})
    assert prescribe(fine, [ill], [mend], tmp_path) == ()


@pytest.mark.parametrize(
    ("text", "unit", "after"),
    [
        ("epochs: 30\n", "epochs", "epochs: 6\n"),
        (
            "train:\n  total_steps: 30  # cheap\n",
            "iterations",
            "train:\n  total_steps: 6  # cheap\n",
        ),
        ("total_kimg: 25\n", "kimg", "total_kimg: 6\n"),
        ("epochs: 30\n", "iterations", None),  # steps say nothing of epochs
        ("epochs: 6\n", "epochs", None),
    ],
)
def test_a_training_ends_where_it_was_best(
    tmp_path: Path, text: str, unit: str, after: str | None
) -> None:
    stop = next(r for r in BOOK.remedies if r.id == "stop-at-the-best")
    run = replace(run_of(tmp_path, {"c.yaml": text}, [QUALITY]), step_unit=unit)
    (made,) = prescribe(run, [diagnosis("trained-past-its-best")], [stop], tmp_path)
    if after is None:
        assert made.diff is None
        return
    apply(made, tmp_path)
    assert (tmp_path / "c.yaml").read_text() == after


def test_a_change_that_knows_no_bounds_is_no_change(tmp_path: Path) -> None:
    run = run_of(tmp_path, {"c.yaml": "lr_d: 2.0e+300\nlr_g: .inf\n"})
    beyond = only(run, remedy("r", Change("lr_d", multiply=1e300)), tmp_path)
    assert beyond.blocked_by == "`lr_d` would become inf"
    copied = only(run, remedy("r", Change("lr_d", of="lr_g", low=0, high=1)), tmp_path)
    assert copied.diff is None
    assert copied.blocked_by


@pytest.mark.parametrize("each", [r for r in BOOK.remedies if r.changes], ids=lambda r: r.id)
def test_every_relative_change_has_sane_bounds(each: Remedy) -> None:
    for change in each.changes:
        if change.multiply is not None or change.of:
            assert 0 <= change.low < change.high < float("inf"), change.setting


def test_guards(tmp_path: Path) -> None:
    run = run_of(tmp_path, {"c.yaml": "lr_d: 0.1\n"})
    clause = Clause("only_if_0", None, {"loss_kind": ("wgan",)}, Window(), Amount())
    guarded = remedy("r", LOWER_D, only_if=(clause,))
    answers: dict[bool | None, int] = {True: 1, None: 1, False: 0}
    for answer, count in answers.items():
        holds: Callable[[Clause], bool | None] = lambda c, answer=answer: answer  # noqa: E731
        assert len(prescribe(run, [diagnosis()], [guarded], tmp_path, holds=holds)) == count
    assert len(prescribe(run, [diagnosis()], [guarded], tmp_path)) == 1


def test_no_diagnosis_no_prescription(tmp_path: Path) -> None:
    run = run_of(tmp_path, {"c.yaml": "lr_d: 0.1\nlr_g: 0.1\n"})
    assert prescribe(run, [], BOOK.remedies, tmp_path) == ()
    assert prescribe(run, [diagnosis("nobody-knows")], BOOK.remedies, tmp_path) == ()


# ---------------------------------------------------------------- the remedies that come with
# gandoctor

EVERYTHING = """\
loss: minimax
batch_size: 2
latent_dim: 1
dataset:
  n_train: 24
  scale: 255
generator: {width: 8, depth: 6, activation: sigmoid, output_activation: sigmoid, batchnorm: false}
g_init_gain: 9.0
g_init_bias: -3.0
discriminator:
  width: 16
  depth: 3
  activation: sigmoid
  spectral_norm: true
  dropout: 0.0
  init_gain: 9.0
  minibatch_discrimination: false
optimizer_d: {type: sgd, lr: 0.05, beta1: 0.9}
optimizer_g: {type: sgd, lr: 0.001, beta1: 0.9}
d_steps: 9
g_steps: 9
gp_lambda: 1000.0
clip_value: 5.0
label_smoothing: 0.0
real_label: 1.0
instance_noise: 5.0
grad_clip: 0.0
d_throttle: 0.0
disc_start: 10
lambda_adv: 1.0
ada_target: 0.9
data_min: 0.0
data_max: 255.0
d_every: 1
beta2: 0.999
fake_label: 0.3
use_amp: true
lr_decay: 0.97
early_stopping: {patience: 50}
save_best: false
epochs: 30
loss_words: [hinge, wgan-gp]  # what this trainer knows
act_words: [relu, leakyrelu]
"""  # fmt: skip


# Where the value above is already the remedy's, or too far off for it.
OTHERWISE = {
    "weaker-label-smoothing": ("label_smoothing: 0.0", "label_smoothing: 0.5"),
    "raise-g-learning-rate-to-ds": ("lr: 0.05", "lr: 0.002"),
    "train-d-every-step": ("d_every: 1", "d_every: 5"),
    "spectral-norm-in-d": ("spectral_norm: true", "spectral_norm: false"),
    "numbers-as-numbers": ("lr: 0.05, beta1: 0.9", "lr: 5e-5, beta1: '0.9'"),
    "a-rate-above-zero": ("lr: 0.05", "lr: 0"),
    "instance-noise-in-d": ("instance_noise: 5.0", "instance_noise: 0.0"),
}
QUALITY = Signal("FID", np.arange(30), np.abs(np.arange(30.0) - 5), "fid")


@pytest.mark.parametrize("each", [r for r in BOOK.remedies if r.changes], ids=lambda r: r.id)
def test_every_remedy_of_the_config_makes_a_patch_that_applies(
    each: Remedy, tmp_path: Path
) -> None:
    text = EVERYTHING.replace(*OTHERWISE.get(each.id, ("", "")))
    cause = next(iter(each.treats))
    run = replace(run_of(tmp_path, {"config.yaml": text}, [QUALITY]), step_unit="epochs")
    (made,) = prescribe(run, [diagnosis(cause)], [each], tmp_path)
    assert made.blocked_by is None
    assert made.diff is not None
    assert made.overrides
    before = yaml.safe_load(text)
    apply(made, tmp_path)
    after = yaml.safe_load((tmp_path / "config.yaml").read_text())
    assert after != before
    assert len(made.edits) <= 5


@pytest.mark.parametrize("each", BOOK.remedies, ids=lambda r: r.id)
def test_every_remedy_says_what_to_expect_and_why(each: Remedy) -> None:
    assert each.title
    assert each.why
    assert each.expect
    assert each.references
    assert each.changes or each.snippet
    assert all(0 < w <= 1 for w in each.treats.values())
    assert not each.snippet or compile(work(each.snippet), each.id, "exec")


def work(snippet: str) -> str:
    body = "\n".join("    " + line for line in snippet.format(d_loss="d", g_loss="g").split("\n"))
    return f"for _ in (0,):\n{body}"


def test_what_a_remedy_excludes_is_another_remedy() -> None:
    by_id = {r.id: r for r in BOOK.remedies}
    for each in BOOK.remedies:
        assert each.id not in each.not_with
        assert set(each.not_with) <= by_id.keys()


def test_names_that_nothing_has_are_faults(tmp_path: Path) -> None:
    default = rulebook.default_folder()
    (tmp_path / "remedies").mkdir()
    known = (default / "remedies" / "hinge-loss.yaml").read_text()
    mine = known.replace("id: hinge-loss", "id: mine").replace(
        "not_with: [", "not_with: [lable-smoothing, "
    )
    (tmp_path / "remedies" / "mine.yaml").write_text(
        mine.replace("if_named: true", "if_named: maybe")
    )
    counts = {
        "cures": {
            "nobody": {"unbalanced-game": {"cured": 1, "of": 2}},
            "hinge-loss": {"none": {"cured": 1, "of": 2}},
        }
    }
    (tmp_path / "measured.yaml").write_text(yaml.safe_dump(counts))
    with pytest.raises(rulebook.RulebookError) as e:
        rulebook.load([default, tmp_path])
    said = str(e.value)
    for part in (
        "no remedy is called `lable-smoothing`; did you mean `label-smoothing`?",
        "`maybe` is none of its values",
        "no remedy is called `nobody`",
        "no cause is called `none`",
    ):
        assert part in said


def test_measured_counts_are_read_and_the_later_folder_wins(tmp_path: Path) -> None:
    (tmp_path / "vocabulary").mkdir()
    counts = {"cures": {"hinge-loss": {"saturating-loss": {"cured": 7, "of": 9}}}}
    (tmp_path / "measured.yaml").write_text(yaml.safe_dump(counts))
    book = rulebook.load([rulebook.default_folder(), tmp_path])
    assert book.measured["hinge-loss"]["saturating-loss"] == (7, 9)
    assert book.digest != BOOK.digest


SNIPPETS = [r for r in BOOK.remedies if r.snippet]


@pytest.mark.parametrize("each", SNIPPETS, ids=lambda r: r.id)
@pytest.mark.filterwarnings("ignore:CUDA is not available")
def test_every_snippet_runs_in_the_logs_own_names(
    each: Remedy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a user would paste it.

    Names of the log in it, and the objects that every training loop has.
    """
    run = replace(Run("r"), signals=(signal("Loss/D", "d_loss"), signal("train/g loss", "g_loss")))
    (made,) = prescribe(run, [diagnosis(next(iter(each.treats)))], [each], tmp_path)
    assert made.snippet is not None
    assert "{" not in made.snippet.replace("f'{", "")
    for place, name in (("{d_loss}", "Loss_D"), ("{g_loss}", "train_g_loss")):
        assert (place in each.snippet) == (name in made.snippet)
    torch = pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)  # one of them saves a checkpoint
    exec(compile(work(made.snippet), each.id, "exec"), a_training(torch))  # noqa: S102


def a_training(torch: ModuleType) -> dict[str, object]:
    """The names of a training loop with the smallest networks that can be trained."""
    nn, functional = torch.nn, torch.nn.functional

    class Net(nn.Module):  # type: ignore[name-defined,misc]
        def __init__(self, first: object, last: object) -> None:
            super().__init__()
            self.body = nn.Sequential(first, nn.ReLU(), last)

        def forward(self, x: object, *_stage: object) -> object:
            return self.body(x)

    g = Net(nn.Linear(4, 8), nn.Sequential(nn.Linear(8, 3 * 64), nn.Unflatten(1, (3, 8, 8))))
    d = Net(nn.Sequential(nn.Flatten(), nn.Linear(3 * 64, 8)), nn.Linear(8, 1))
    x, z = torch.rand(5, 3, 8, 8), torch.randn(5, 4)
    d_score, g_score = d(x), d(g(z))
    augmenting = ModuleType("DiffAugment_pytorch")
    augmenting.DiffAugment = lambda images, policy: images  # type: ignore[attr-defined]
    sys.modules["DiffAugment_pytorch"] = augmenting
    return {
        "torch": torch, "nn": nn, "F": functional, "copy": copy, "self": SimpleNamespace(), "D": d,
        "G": g, "x": x,
        "z": z, "fake": g(z), "h": torch.rand(5, 7), "score_real": d_score,
        "data": torch.utils.data.TensorDataset(x),
        "features": d.body[0], "Loss_D": functional.softplus(-d_score).mean(), "step": 3,
        "n_steps": 10, "n_epochs": 10,
        "train_g_loss": functional.softplus(-g_score).mean(), "best": 9.0, "bad_epochs": 0,
        "grow_every": 2, "disc_start": 3, "used": torch.tensor([2.0, 0.0, 0.0]),
        "codebook": nn.Embedding(3, 4),
        "last_stage": 1, "lr_d": 1e-4, "lr_g": 1e-4,
        "optimizer_D": torch.optim.Adam(d.parameters()),
        "optimizer_G": torch.optim.Adam(g.parameters()),
    }  # fmt: skip


@pytest.mark.parametrize("cause", [c.id for c in BOOK.causes])
def test_every_cause_has_a_remedy(cause: str) -> None:
    assert any(cause in r.treats for r in BOOK.remedies)


def test_work_out_needs_no_files() -> None:
    settings = {"lr_d": Setting("lr_d", 0.1, "D.lr", "c.yaml", 1)}
    assert [s.new for s in work_out(remedy("r", LOWER_D), settings).steps] == [0.01]


MERGES: dict[str, tuple[str, dict[str, object]]] = {
    # what it is: (config, what the trainer's own reader then finds)
    "one": ("base: &b\n  lr_d: 0.02\n  lr_g: 0.01\ntrain:\n  <<: *b\n  x: 1\n",
            {"base.lr_d": 0.002, "train.lr_d": 0.002, "base.lr_g": 0.01, "train.lr_g": 0.01}),
    "two that merge": ("base: &b\n  lr_d: 0.02\ntrain:\n  <<: *b\ntest:\n  <<: *b\n",
    {"train.lr_d": 0.002}),
    "a chain": ("base: &b\n  lr_d: 0.02\nmid: &m\n  <<: *b\n  y: 1\ntrain:\n  <<: *m\n",
    {"train.lr_d": 0.002}),
    "a list": ("a: &a {lr_d: 0.02}\nb: &b {width: 5, z: 1}\ntrain:\n  <<: [*a, *b]\n",
               {"train.lr_d": 0.002, "train.width": 5, "train.z": 1}),
    "a block by its name": ("base: &b\n  lr_d: 0.02\ntrain: *b\n", {"train.lr_d": 0.002}),
    "a value by its name": ("base:\n  lr_d: &l 0.02\ntrain:\n  lr_d: *l\n", {"train.lr_d": 0.002}),
    "nested": ("base: &b\n  optim_d: &o\n    lr: 0.02\ntrain:\n  <<: *b\ntest:\n  optim_d: *o\n",
               {"base.optim_d.lr": 0.002, "train.optim_d.lr": 0.002, "test.optim_d.lr": 0.002}),
    "flow style": ("base: &b {lr_d: 0.02, lr_g: 0.01}\ntrain: {<<: *b, x: 1}\n",
    {"train.lr_d": 0.002}),
    "both networks": ("optim_d: &o\n  lr: 0.02\noptim_g:\n  <<: *o\n", {"optim_d.lr": 0.002,
    "optim_g.lr": 0.02}),
    "both by value": ("lr_d: &l 0.02\nlr_g: *l\n", {"lr_d": 0.002, "lr_g": 0.02}),
    "both out of one": ("adam: &a\n  lr: 0.02\noptim_d:\n  <<: *a\noptim_g:\n  <<: *a\n",
                        {"optim_d.lr": 0.002, "optim_g.lr": 0.02}),
}  # fmt: skip


def dotted(value: object, key: str = "") -> dict[str, object]:
    if isinstance(value, dict):
        return {
            k: v
            for n, inner in value.items()
            for k, v in dotted(inner, f"{key}.{n}".lstrip(".")).items()
        }
    return {key: value}


@pytest.mark.parametrize("kind", MERGES)
def test_who_reads_the_mapping_that_merges_sees_the_new_value(kind: str, tmp_path: Path) -> None:
    text, wanted = MERGES[kind]
    made = only(run_of(tmp_path, {"config.yaml": text}), remedy("d", LOWER_D), tmp_path)
    assert made.diff, made.blocked_by
    (done,) = apply(made, tmp_path)
    before, after = (
        dotted(yaml.safe_load(text)),
        dotted(yaml.safe_load((tmp_path / "config.yaml").read_text())),
    )
    assert after.items() >= wanted.items()
    assert (
        {k for k in after if after[k] != before.get(k)}
        == set(done.keys)
        == {e.key for e in made.edits}
    )
    assert {o.partition("=")[0] for o in made.overrides} in (set(), set(done.keys)), (
        "on a command line each is alone"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "disc: &d\n  lr: 0.02\naux:\n  <<: *d\ngen:\n  lr: 0.01\n",
            "`aux.lr` takes its value from the block",
        ),
        (
            "base: &b\n  lr_d: 0.02\ntrain:\n  <<: *b\n  lr_d: 0.03\n",
            "`train.lr_d` stands for `base.lr_d`",
        ),
        (
            "base: &b\n  optim_d: {lr: 0.02}\ntrain:\n  <<: *b\n  optim_d: {lr: 0.03}\n",
            "`train.optim_d.lr` stands for `base.optim_d.lr`",
        ),
        (
            "base: &b\n  lr_d: 0.02\nmid: &m\n  <<: *b\n  lr_d: 0.03\ntrain: {<<: *m}\n",
            "`mid.lr_d` stands for `base.lr_d`",
        ),
        (
            "a: &a {lr_d: 0.02}\nb: &b {lr_d: 0.5}\ntrain:\n  <<: [*a, *b]\n",
            "several blocks that are merged give `train.lr_d`",
        ),
        (
            "b: &b {lr_d: 0.5}\na: &a {lr_d: 0.02}\ntrain:\n  <<: [*a, *b]\n",
            "`train.lr_d` stands for `b.lr_d`",
        ),
    ],
)
def test_a_merge_that_leaves_open_what_is_read_is_refused(
    tmp_path: Path, text: str, said: str
) -> None:
    made = only(run_of(tmp_path, {"config.yaml": text}), remedy("d", LOWER_D), tmp_path)
    assert made.diff is None
    assert said in (made.blocked_by or "")
    # what nobody can tell of the file, nobody can tell of the command line
    assert not made.overrides
    assert not made.edits


def test_what_a_source_tree_leaves_open_is_not_given_on_the_command_line(tmp_path: Path) -> None:
    text = "base: &b\n  lr_d: 0.02\n  nz: 64\n  bs: 8\ntrain:\n  <<: *b\n  lr_d: 0.03\n"
    record = "base:\n  lr_d: 0.02\n  nz: 64\n  bs: 8\n"
    made = patched(tmp_path, {".hydra/config.yaml": record}, {"conf/gan.yaml": text})
    assert "`train.lr_d` stands for `base.lr_d`" in (made.blocked_by or "")
    assert made.diff is None
    assert not made.overrides


CONFIG = "class Config:\n    lr_d = 0.02\n    width = 3\n"
DATA = "from dataclasses import dataclass, replace\n@dataclass\n" + CONFIG.replace(
    "_d =", "_d: float ="
).replace("h =", "h: int =")


@pytest.mark.parametrize(
    "text",
    [
        CONFIG + "    def __init__(self):\n        self.lr_d = 0.01\n",
        CONFIG + "    def __init__(self, lr_d=0.01):\n        self.width, self.lr_d = 4, lr_d\n",
        CONFIG + "    def warm(me):\n        me.lr_d *= 2\n",
        CONFIG + "    @property\n    def lr_d(self):\n        return 0.01\n",
        CONFIG + "class Mine(Config):\n    lr_d = 0.01\n",
        CONFIG
        + "class Base2(Config):\n    pass\nclass Mine(Base2):\n    def setup(self):\n        "
        "self.lr_d = 0.01\n",
        CONFIG + "Config.lr_d = 0.01\n",
        CONFIG + "cfg = Config()\ncfg.lr_d = 0.01\n",
        CONFIG + "def main():\n    Config.lr_d = 0.01\n",
        CONFIG + "setattr(Config, 'lr_d', 0.01)\n",
        CONFIG + "vars(Config)['lr_d'] = 0.01\n",
        CONFIG + CONFIG.replace("lr_d", "lr_g"),
        DATA + "cfg = Config(lr_d=0.01)\n",
        DATA + "cfg = Config(0.01)\n",
        DATA + "cfg = Config(**opts)\n",
        DATA + "cfg = Config(*opts)\n",
        DATA + "cfg = replace(Config(), lr_d=0.01)\n",
        DATA
        + "class Mine(Config):\n    def __init__(self):\n        super().__init__(lr_d=0.01)\n",
        "cfg = dict(lr_d=0.02, width=3)\ndef main():\n    cfg['lr_d'] = 0.01\n",
        "cfg = dict(lr_d=0.02, width=3)\ncfg.update({'lr_d': 0.01})\n",
    ],
)
def test_a_value_in_code_that_is_not_what_counts_is_not_said_to_be_changed(
    tmp_path: Path, text: str
) -> None:
    run = run_of(tmp_path, {"config.py": text})
    holder = "cfg" if text.startswith("cfg") else "Config"
    line = next(i for i, x in enumerate(text.splitlines(), 1) if "lr_d" in x)
    setting = Setting("lr_d", 0.02, f"{holder}.lr_d", "config.py", line)
    made = only(
        replace(run, settings={"lr_d": setting}, raw_settings=(setting,)),
        remedy("d", LOWER_D),
        tmp_path,
    )
    assert made.diff is None
    assert "lr_d" in (made.blocked_by or made.why)


@pytest.mark.parametrize(
    "text",
    [
        CONFIG,
        CONFIG + "    @property\n    def slow(self):\n        return self.lr_d / 2\n",
        CONFIG + "class Mine(Config):\n    width = 5\ncfg = Mine()\n",
        CONFIG + "class Trainer:\n    def __init__(self, cfg):\n        self.lr_d = cfg.lr_d\n",
        DATA + "cfg = Config(width=4)\n",
        DATA.replace(
            "    lr_d: float = 0.02\n    width: int = 3\n",
            "    width: int = 3\n    lr_d: float = 0.02\n",
        )
        + "cfg = Config(4)\n",
        "class Config:\n    pass\nConfig.lr_d = 0.02\n",
    ],
)
def test_a_class_attribute_that_counts_is_changed(tmp_path: Path, text: str) -> None:
    made = only(run_of(tmp_path, {"config.py": text}), remedy("d", LOWER_D), tmp_path)
    assert made.diff, made.blocked_by or made.why
    apply(made, tmp_path)
    after: dict[str, Any] = {"__name__": "builtins"}  # dataclasses look their module up
    exec((tmp_path / "config.py").read_text(), after)  # noqa: S102  what the trainer's own reader makes of it
    assert after["Config"].lr_d == 0.002


# ---------------------------------------------------------------- applying


def names(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


@pytest.fixture
def lowered(tmp_path: Path) -> Prescription:
    text = "# my run\r\noptim:\r\n  lr_d: 0.05 # hot\r\n  lr_g: 0.001"
    return only(run_of(tmp_path, {"conf/c.yaml": text}), remedy("d", LOWER_D), tmp_path)


def test_apply_changes_the_file_and_keeps_a_backup(lowered: Prescription, tmp_path: Path) -> None:
    path = tmp_path / "conf/c.yaml"
    before = path.read_bytes()
    path.chmod(0o640)
    (done,) = apply(lowered, tmp_path)
    assert done.file == "conf/c.yaml"
    assert done.backup == "conf/c.yaml.orig"
    assert done.keys == ("optim.lr_d",)
    assert path.read_bytes() == before.replace(b"0.05", b"0.005")
    assert (tmp_path / done.backup).read_bytes() == before
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert names(tmp_path / "conf") == ["c.yaml", "c.yaml.orig"]


def test_apply_leaves_a_read_only_config_alone(lowered: Prescription, tmp_path: Path) -> None:
    path = tmp_path / "conf/c.yaml"
    before = path.read_bytes()
    path.chmod(0o444)
    with pytest.raises(InputError, match="read-only"):
        apply(lowered, tmp_path)
    assert path.read_bytes() == before
    assert names(tmp_path / "conf") == ["c.yaml"]
    apply(lowered, tmp_path, to=tmp_path / "new.yaml")


def test_apply_never_overwrites_a_backup(lowered: Prescription, tmp_path: Path) -> None:
    (tmp_path / "conf/c.yaml.orig").write_text("precious")
    assert apply(lowered, tmp_path)[0].backup == "conf/c.yaml.orig.1"
    assert (tmp_path / "conf/c.yaml.orig").read_text() == "precious"


def test_apply_to_another_file(lowered: Prescription, tmp_path: Path) -> None:
    before = (tmp_path / "conf/c.yaml").read_bytes()
    (done,) = apply(lowered, tmp_path, to=tmp_path / "new.yaml")
    assert done.backup == ""
    assert (tmp_path / "conf/c.yaml").read_bytes() == before
    assert (tmp_path / "new.yaml").read_bytes() == before.replace(b"0.05", b"0.005")


def test_apply_refuses_a_file_that_has_changed(lowered: Prescription, tmp_path: Path) -> None:
    path = tmp_path / "conf/c.yaml"
    path.write_bytes(path.read_bytes().replace(b"0.05", b"0.06"))
    before = path.read_bytes()
    with pytest.raises(InputError, match="changed since"):
        apply(lowered, tmp_path)
    assert path.read_bytes() == before
    assert names(tmp_path / "conf") == ["c.yaml"]


def test_apply_twice_is_refused(lowered: Prescription, tmp_path: Path) -> None:
    apply(lowered, tmp_path)
    with pytest.raises(InputError, match="changed since"):
        apply(lowered, tmp_path)


def test_apply_refuses_what_its_edits_do_not_announce(
    lowered: Prescription, tmp_path: Path
) -> None:
    assert lowered.diff is not None
    sly = replace(
        lowered,
        diff=lowered.diff.replace("+  lr_d: 0.005 # hot", "+  lr_d: 0.005 # hot\r\n+  x: 1", 1),
    )
    sly = replace(sly, diff=sly.diff.replace("@@ -1,4 +1,4 @@", "@@ -1,4 +1,5 @@"))  # type: ignore[union-attr]
    with pytest.raises(InputError, match=r"would change optim\.lr_d, optim\.x"):
        apply(sly, tmp_path)
    other = replace(lowered, edits=(Edit("conf/c.yaml", "optim.lr_g", "0.001", "0.0001"),))
    with pytest.raises(InputError, match=r"not optim\.lr_g"):
        apply(other, tmp_path)
    assert names(tmp_path / "conf") == ["c.yaml"]


def test_apply_refuses_paths_that_leave_the_run(lowered: Prescription, tmp_path: Path) -> None:
    assert lowered.diff is not None
    outside = tmp_path.parent / "outside.yaml"
    shutil.copy(tmp_path / "conf/c.yaml", outside)
    (tmp_path / "conf/link.yaml").symlink_to(outside)
    for name in ("../outside.yaml", str(outside), "conf/link.yaml", "conf/../../outside.yaml"):
        with pytest.raises(InputError, match="outside the run folder"):
            apply(replace(lowered, diff=lowered.diff.replace("conf/c.yaml", name)), tmp_path)
    assert b"0.05" in outside.read_bytes()


def test_apply_refuses_what_has_no_diff(lowered: Prescription, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="has no diff"):
        apply(replace(lowered, diff=None), tmp_path)
    with pytest.raises(InputError, match="out of bounds"):
        apply(replace(lowered, blocked_by="out of bounds"), tmp_path)
    with pytest.raises(InputError, match="cannot be found"):
        apply(replace(lowered, diff=lowered.diff.replace("c.yaml", "gone.yaml")), tmp_path)  # type: ignore[union-attr]


def test_a_full_disk_leaves_the_config_whole_and_no_backup(
    lowered: Prescription, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (tmp_path / "conf/c.yaml").read_bytes()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(
        InputError, match="as it was \\(no space left on device\\); there is no room"
    ):
        apply(lowered, tmp_path)
    assert (tmp_path / "conf/c.yaml").read_bytes() == before
    assert names(tmp_path / "conf") == ["c.yaml"]


def test_a_backup_has_its_name_only_once_it_is_whole(
    lowered: Prescription, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever moment it is killed at, a file called .orig is the old file."""
    before = (tmp_path / "conf/c.yaml").read_bytes()
    seen: list[bool] = []

    def look(event: str, _: object) -> None:
        if watching and event in ("open", "os.link", "os.rename", "os.remove", "os.utime"):
            backups = [p for p in os.scandir(tmp_path / "conf") if ".orig" in p.name]
            seen.extend(b.stat().st_size == len(before) for b in backups)

    watching = True
    sys.addaudithook(look)
    apply(lowered, tmp_path)
    watching = False
    assert seen
    assert all(seen)


def test_two_at_once_take_turns(
    lowered: Prescription, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = {"conf/c.yaml": (tmp_path / "conf/c.yaml").read_bytes().decode()}
    other = only(run_of(tmp_path, settings), remedy("g", LOWER_G), tmp_path)
    really = diff.applied

    def slowly(*args: Any) -> str:
        new = really(*args)
        time.sleep(0.3)  # both have read before either writes, unless one waits
        return new

    monkeypatch.setattr(diff, "applied", slowly)
    results: list[object] = []

    def one(p: Prescription) -> None:
        try:
            results.append(apply(p, tmp_path))
        except InputError as e:
            results.append(e.what)

    threads = [threading.Thread(target=one, args=(p,)) for p in (lowered, other)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(isinstance(r, str) for r in results) == [False, True], results
    assert any("changed since" in r for r in results if isinstance(r, str))


@pytest.mark.parametrize("how", ["in place", "by renaming"])
@pytest.mark.parametrize("when", ["early", "last moment"])
def test_what_an_editor_saves_meanwhile_stays(
    how: str, when: str, lowered: Prescription, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "conf/c.yaml"
    saved = path.read_bytes() + b"\r\n# mine"

    def save() -> None:
        if how == "in place":
            path.write_bytes(saved)
        else:
            (tmp_path / "swap").write_bytes(saved)
            (tmp_path / "swap").replace(path)

    module, name = (os, "fsync") if when == "early" else (swapping, "_exchange")
    really, calls = getattr(module, name), []

    def with_an_editor(*args: Any) -> Any:
        if not calls:
            save()
        calls.append(args)
        return really(*args)

    if when == "last moment" and not sys.platform.startswith(("linux", "darwin")):
        pytest.skip("nothing changes two files at once here")
    monkeypatch.setattr(module, name, with_an_editor)
    with pytest.raises(InputError, match="changed since"):
        apply(lowered, tmp_path)
    assert path.read_bytes() == saved
    assert names(tmp_path / "conf") == ["c.yaml"]


def test_a_hard_link_that_is_cut_is_said(lowered: Prescription, tmp_path: Path) -> None:
    path = tmp_path / "conf/c.yaml"
    before = path.read_bytes()
    os.link(path, tmp_path / "other.yaml")
    (done,) = apply(lowered, tmp_path)
    assert any("hard links" in r for r in done.remarks)
    assert (tmp_path / "other.yaml").read_bytes() == before == (tmp_path / done.backup).read_bytes()
    (tmp_path / "other.yaml").write_text("edited")
    assert (tmp_path / done.backup).read_bytes() == before, "the backup is no third name of it"


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may give files away"
)
def test_owner_group_and_mode_are_kept(lowered: Prescription, tmp_path: Path) -> None:
    path = tmp_path / "conf/c.yaml"
    os.chown(path, 1234, 1235)
    path.chmod(0o640)
    (done,) = apply(lowered, tmp_path)
    assert not done.remarks
    for file in (path, tmp_path / done.backup):
        found = file.stat()
        assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (1234, 1235, 0o640)


def test_an_owner_that_cannot_be_kept_is_said(
    lowered: Prescription, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise PermissionError(errno.EPERM, "no")

    if os.geteuid() != 0:
        pytest.skip("needs a file of somebody else")
    os.chown(tmp_path / "conf/c.yaml", 1234, 1235)
    monkeypatch.setattr(os, "fchown", never)
    (done,) = apply(lowered, tmp_path)
    assert done.remarks == ("its owner or group could not be kept",)


def test_all_files_or_none(tmp_path: Path) -> None:
    files = {"d.yaml": "discriminator:\n  lr: 0.1\n", "g.yaml": "generator:\n  lr: 0.1\n"}
    made = only(run_of(tmp_path, files), remedy("both", LOWER_D, LOWER_G), tmp_path)
    (tmp_path / "g.yaml").write_text("generator:\n  lr: 0.2\n")
    with pytest.raises(InputError, match="changed since"):
        apply(made, tmp_path)
    assert (tmp_path / "d.yaml").read_text() == files["d.yaml"]
    with pytest.raises(InputError, match="2 files"):
        apply(made, tmp_path, to=tmp_path / "x.yaml")


@pytest.mark.skipif(not shutil.which("git"), reason="needs git")
def test_git_takes_the_diff_of_a_prescription(lowered: Prescription, tmp_path: Path) -> None:
    assert lowered.diff is not None
    done = subprocess.run(
        ["git", "apply", "-"], input=lowered.diff.encode(), cwd=tmp_path, check=False
    )
    assert done.returncode == 0
    assert b"lr_d: 0.005 # hot\r\n" in (tmp_path / "conf/c.yaml").read_bytes()


def test_a_word_that_the_code_may_not_know_gives_way_to_one_it_does(tmp_path: Path) -> None:
    """`leakyrelu` is spelled in many ways.

    Written blindly it broke two of 28 trainings of the zoo.
    """
    treats = [r for r in BOOK.remedies if r.id in ("leakyrelu-in-d", "relu-in-d")]
    ill, holds = diagnosis("deep-sigmoid-discriminator"), lambda _clause: True
    for text, remedy_id, new in (
        ("discriminator: {activation: sigmoid}\n", "relu-in-d", "relu"),
        (
            "generator: {activation: lrelu}\ndiscriminator: {activation: sigmoid}\n",
            "leakyrelu-in-d",
            "lrelu",
        ),
        ("discriminator: {activation: nn.Sigmoid}\n", "leakyrelu-in-d", "nn.LeakyReLU"),
    ):
        folder = tmp_path / new
        made = prescribe(run_of(folder, {"c.yaml": text}), [ill], treats, folder, holds=holds)
        first = next(p for p in made if p.diff)
        assert (first.remedy, first.edits[0].new) == (remedy_id, new)


@pytest.mark.parametrize(
    "file", ["config.yaml", "run.sh", "train.py", "train_opt.txt", "", "args.json"]
)
@pytest.mark.parametrize(
    "key",
    [
        "$(touch x).lr",
        "`x`",
        "a;b",
        "a b",
        "a\nb",
        "lr\n",
        "a|b",
        "a&b",
        ">x",
        "~x",
        "a'b",
        "l[0]",
        "-x",
        "",
    ],
)
@pytest.mark.parametrize("text", ["", "--lr=1", "add_argument", "_base_ = 1"])
def test_no_line_to_paste_for_a_key_that_a_shell_would_read(file: str, key: str, text: str) -> None:
    assert override(file, key, 4e-5, text) == ""


@pytest.mark.parametrize("key", ["$(x).lr_d", "a;b.lr_d", "--x", "~root.lr_d", "a\nb", "l[0]"])
def test_half_a_change_is_not_offered_for_pasting(key: str) -> None:
    whole = [("config.yaml", "lr_g", 0.001), ("config.yaml", "d.lr", 0.002)]
    assert overrides(whole, {}) == ("lr_g=0.001", "d.lr=0.002")
    assert overrides([*whole, ("config.yaml", key, 0.002)], {}) == ()


def test_keys_that_a_tool_has_other_words_for_hinder_nothing() -> None:
    items = [
        ("training_options.json", "G_opt_kwargs.lr", 0.001),
        ("training_options.json", "$(x)", 1),
    ]
    assert overrides(items, {}) == ("--glr=0.001",)


def test_a_gin_binding_is_quoted_as_a_whole() -> None:
    made = override("a.gin", "$(touch x)'.lr", 0.5)
    assert shlex.split(made) == ["--gin_bindings=$(touch x)'.lr = 0.5"]
