"""Forty configs as people write them.

Only the intended lines change, patch and git accept it, the types are right.
"""

from __future__ import annotations

import ast
import configparser
import dataclasses
import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from types import FunctionType, ModuleType

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gandoctor.configs import read_config
from gandoctor.configs.entries import MAX_SETTINGS
from gandoctor.configs.formats import changes, format_of
from gandoctor.configs.formats import json as json_splices
from gandoctor.configs.formats import python as python_splices
from gandoctor.configs.formats import toml as toml_splices
from gandoctor.configs.formats import yaml as yaml_splices
from gandoctor.configs.splice import SpliceError, Target, number_text
from gandoctor.errors import InputError
from gandoctor.prescribe import diff


@dataclass(frozen=True)
class Case:
    name: str
    file: str
    text: str
    change: dict[str, object]  # key -> new value
    minus: list[str]
    plus: list[str]
    # Key -> what the usual reader has to see.
    reads: dict[str, object] = field(default_factory=dict)


CASES = [
    Case(
        "PyYAML dump, nested, flat floats",
        "config.yaml",
        "seed: 101\noptimizer_d:\n  type: adam\n  lr: 0.05\n  beta1: 0.5\noptimizer_g:\n  type: "
        "adam\n  lr: 0.001\n",
        {"optimizer_d.lr": 0.005},
        ["  lr: 0.05"],
        ["  lr: 0.005"],
        {"optimizer_d.lr": 0.005, "optimizer_g.lr": 0.001},
    ),
    Case(
        "5e-5 is a string to PyYAML and becomes a float",
        "config.yaml",
        "# pix2pix\ntrain:\n  lr_d: 5e-5   # same as G\n  lr_g: 5e-5\n",
        {"train.lr_d": 2e-5},
        ["  lr_d: 5e-5   # same as G"],
        ["  lr_d: 2.0e-5   # same as G"],
        {"train.lr_d": 2e-5, "train.lr_g": "5e-5"},
    ),
    Case(
        "BasicSR: float tags and flow lists",
        "options/train_esrgan.yml",
        "train:\n  ema_decay: 0.999\n  optim_g:\n    type: Adam\n    lr: !!float 1e-4\n    betas: "
        "[0.9, 0.99]\n"
        "  optim_d:\n    type: Adam\n    lr: !!float 1e-4\n    betas: [0.9, 0.99]\n  net_d_iters: "
        "1\n",
        {"train.optim_d.lr": 4e-5, "train.optim_d.betas.0": 0.5},
        ["    lr: !!float 1e-4", "    betas: [0.9, 0.99]"],
        ["    lr: !!float 4.0e-5", "    betas: [0.5, 0.99]"],
        {"train.optim_d.lr": 4e-5, "train.optim_d.betas.0": 0.5, "train.optim_g.lr": 1e-4},
    ),
    Case(
        "CRLF and a trailing comment",
        "config.yml",
        "lr_d: 0.0002  # Adam\r\nlr_g: 0.0002\r\nbatch_size: 64\r\n",
        {"lr_d": 0.00002},
        ["lr_d: 0.0002  # Adam\r"],
        ["lr_d: 0.00002  # Adam\r"],
        {"lr_d": 0.00002},
    ),
    Case(
        "no newline at the end",
        "config.yaml",
        "batch_size: 2\nd_steps: 5",
        {"d_steps": 1},
        ["d_steps: 5"],
        ["d_steps: 1"],
        {"d_steps": 1},
    ),
    Case(
        "byte-order mark",
        "config.yaml",
        "\ufefflr_d: 4.0e-4\nlr_g: 1.0e-4\n",
        {"lr_d": 4e-5},
        ["\ufefflr_d: 4.0e-4"],
        ["\ufefflr_d: 4.0e-5"],
        {"lr_d": 4e-5},
    ),
    Case(
        "flow style on one line",
        "gan.yaml",
        "d: {lr: 4e-4, betas: [0.0, 0.9], sn: true}\ng: {lr: 1e-4, betas: [0.0, 0.9]}\n",
        {"d.lr": 1e-4, "d.sn": False},
        ["d: {lr: 4e-4, betas: [0.0, 0.9], sn: true}"],
        ["d: {lr: 1.0e-4, betas: [0.0, 0.9], sn: false}"],
        {"d.lr": 1e-4, "d.sn": False, "g.lr": "1e-4"},
    ),
    Case(
        "an alias is replaced on one side",
        "config.yaml",
        "base_lr: &lr 1.0e-3\noptim:\n  lr_g: *lr\n  lr_d: *lr\n",
        {"optim.lr_d": 1e-4},
        ["  lr_d: *lr"],
        ["  lr_d: 1.0e-4"],
        {"optim.lr_d": 1e-4, "optim.lr_g": 1e-3, "base_lr": 1e-3},
    ),
    Case(
        "the anchor itself is changed, the other keeps the old value",
        "config.yaml",
        "lr_d: &lr 0.002   # both\nlr_g: *lr\n",
        {"lr_d": 0.0002},
        ["lr_d: &lr 0.002   # both", "lr_g: *lr"],
        ["lr_d: 0.0002   # both", "lr_g: &lr 0.002"],
        {"lr_d": 0.0002, "lr_g": 0.002},
    ),
    Case(
        "both sides of an anchor: the anchor alone",
        "config.yaml",
        "lr_d: &lr 0.02\nlr_g: *lr\n",
        {"lr_d": 0.002, "lr_g": 0.002},
        ["lr_d: &lr 0.02"],
        ["lr_d: &lr 0.002"],
        {"lr_d": 0.002, "lr_g": 0.002},
    ),
    Case(
        "merge key: D gets a line of its own",
        "config.yaml",
        "adam: &adam\n  lr: 0.0005\n  beta1: 0.5\noptim_d:\n  <<: *adam\n  wd: 0.0\noptim_g:\n  "
        "<<: *adam\n",
        {"optim_d.lr": 0.0002},
        [],
        ["  lr: 0.0002"],
        {"optim_d.lr": 0.0002, "optim_g.lr": 0.0005},
    ),
    Case(
        "a whole block behind an alias",
        "config.yaml",
        "opt_g: &opt\n  lr: 0.0005\n  beta1: 0.9\nopt_d: *opt\n",
        {"opt_d.lr": 0.00005},
        ["opt_d: *opt"],
        ["opt_d: {<<: *opt, lr: 0.00005}"],
        {"opt_d.lr": 0.00005, "opt_d.beta1": 0.9, "opt_g.lr": 0.0005},
    ),
    Case(
        "words keep their quotes",
        "config.yaml",
        "model:\n  g_out_act: 'sigmoid'\n  d_act: \"relu\"\n  name: x\n",
        {"model.g_out_act": "tanh"},
        ["  g_out_act: 'sigmoid'"],
        ["  g_out_act: 'tanh'"],
        {"model.g_out_act": "tanh"},
    ),
    Case(
        "a word that YAML would take for a flag is quoted",
        "config.yaml",
        "augment: always\nlr: 0.1\n",
        {"augment": "off"},
        ["augment: always"],
        ["augment: 'off'"],
        {"augment": "off"},
    ),
    Case(
        "upper-case keys and yes/no",
        "cfg/bird_3stages.yml",
        "TRAIN:\n    BATCH_SIZE: 4\n    DISCRIMINATOR_LR: 0.0002\n    GENERATOR_LR: 0.0002\n    "
        "FLAG: Yes\n",
        {"TRAIN.BATCH_SIZE": 64, "TRAIN.FLAG": False},
        ["    BATCH_SIZE: 4", "    FLAG: Yes"],
        ["    BATCH_SIZE: 64", "    FLAG: No"],
        {"TRAIN.BATCH_SIZE": 64, "TRAIN.FLAG": False},
    ),
    Case(
        "several documents",
        "config.yaml",
        "---\nname: a\nnote: x\n---\ntrain:\n  n_critic: 20\n...\n",
        {"train.n_critic": 1},
        ["  n_critic: 20"],
        ["  n_critic: 1"],
    ),
    Case(
        "flat dotted keys (argbind)",
        "conf/base.yml",
        "AdamW.betas: [0.8, 0.99]\nAdamW.lr: 0.001\ngenerator/AdamW.lr: 0.0001\n",
        {"AdamW.lr": 0.0001},
        ["AdamW.lr: 0.001"],
        ["AdamW.lr: 0.0001"],
    ),
    Case(
        "list of blocks",
        "config.yaml",
        "nets:\n- name: G\n  lr: 1.0e-4\n- name: D\n  lr: 1.0e-3\n",
        {"nets.1.lr": 1e-4},
        ["  lr: 1.0e-3"],
        ["  lr: 1.0e-4"],
        {"nets.1.lr": 1e-4, "nets.0.lr": 1e-4},
    ),
    Case(
        "python tags are never run",
        "hparams/gan.yaml",
        "betas: !!python/tuple [0.9, 0.999]\nopt: !!python/name:torch.optim.Adam ''\nlr: 0.01\n",
        {"lr": 0.001, "betas.0": 0.5},
        ["betas: !!python/tuple [0.9, 0.999]", "lr: 0.01"],
        ["betas: !!python/tuple [0.5, 0.999]", "lr: 0.001"],
    ),
    Case(
        "Windows editor: CRLF, BOM, no last newline, non-ASCII comment",
        "config.yaml",
        "\ufeff# Größe\r\nlr_d: 1e-3 # zu groß\r\nlr_g: 1e-4",
        {"lr_d": 1e-4},
        ["lr_d: 1e-3 # zu groß\r"],
        ["lr_d: 1.0e-4 # zu groß\r"],
        {"lr_d": 1e-4, "lr_g": "1e-4"},
    ),
    Case(
        "OmegaConf interpolation beside it",
        "conf/config.yaml",
        "lr: 1e-3\nd: {lr: 0.004, name: \"${lr}\"}\n",
        {"d.lr": 0.001},
        ["d: {lr: 0.004, name: \"${lr}\"}"],
        ["d: {lr: 0.001, name: \"${lr}\"}"],
        {"d.lr": 0.001},
    ),
    Case(
        "JSON with tabs",
        "config.json",
        '{\n\t"train": {\n\t\t"learning_rate": 0.0001,\n\t\t"betas": [0.8, '
        '0.99],\n\t\t"batch_size": 4\n\t}\n}\n',
        {"train.batch_size": 32, "train.betas.0": 0.5},
        ['\t\t"betas": [0.8, 0.99],', '\t\t"batch_size": 4'],
        ['\t\t"betas": [0.5, 0.99],', '\t\t"batch_size": 32'],
        {"train.batch_size": 32, "train.betas.0": 0.5},
    ),
    Case(
        "JSON on one line, no newline",
        "params.json",
        '{"d_lr": 5e-05, "g_lr": 5e-05, "loss": "vanilla"}',
        {"d_lr": 2e-5, "loss": "hinge"},
        ['{"d_lr": 5e-05, "g_lr": 5e-05, "loss": "vanilla"}'],
        ['{"d_lr": 2e-05, "g_lr": 5e-05, "loss": "hinge"}'],
        {"d_lr": 2e-5, "g_lr": 5e-5, "loss": "hinge"},
    ),
    Case(
        "JSON with a key twice: the last one counts",
        "config.json",
        '{\n  "lr_d": 0.1,\n  "opt": {"lr": 1},\n  "lr_d": 0.02,\n  "opt": {"lr": 2}\n}\n',
        {"lr_d": 0.002, "opt.lr": 0.2},
        ['  "lr_d": 0.02,', '  "opt": {"lr": 2}'],
        ['  "lr_d": 0.002,', '  "opt": {"lr": 0.2}'],
        {"lr_d": 0.002, "opt.lr": 0.2},
    ),
    Case(
        "JSON with escapes and NaN",
        "config.json",
        '{\r\n  "out\\u0044ir": "C:\\\\runs \\"x\\"",\r\n  "skip": NaN,\r\n  "gp": 0.0\r\n}\r\n',
        {"gp": 10.0},
        ['  "gp": 0.0\r'],
        ['  "gp": 10.0\r'],
        {"gp": 10.0},
    ),
    Case(
        "JSON with comments",
        "config.jsonc.json",
        '{\n  // D was too fast\n  "lr_d": 0.01, /* Adam */\n  "lr_g": 0.001,\n}\n',
        {"lr_d": 0.001},
        ['  "lr_d": 0.01, /* Adam */'],
        ['  "lr_d": 0.001, /* Adam */'],
    ),
    Case(
        "JSON in a text file",
        "settings/run.txt",
        '{"D_rounds": 5, "learning_rate": 0.1}\n',
        {"D_rounds": 1},
        ['{"D_rounds": 5, "learning_rate": 0.1}'],
        ['{"D_rounds": 1, "learning_rate": 0.1}'],
    ),
    Case(
        "TOML tables",
        "config.toml",
        "# GAN\n[train]\nbatch_size = 8\n[train.optim.d]\nlr = 1e-3 # fast\nbetas = [0.9, 0.999]\n"
        "[train.optim.g]\nlr = 1e-4\n",
        {"train.optim.d.lr": 1e-4, "train.optim.d.betas.0": 0.5},
        ["lr = 1e-3 # fast", "betas = [0.9, 0.999]"],
        ["lr = 1e-4 # fast", "betas = [0.5, 0.999]"],
        {"train.optim.d.lr": 1e-4, "train.optim.g.lr": 1e-4},
    ),
    Case(
        "TOML dotted keys and inline tables",
        "gan.toml",
        "opt.d.lr = 0.02\nopt.g = { lr = 0.001, kind = 'adam' }\n'a#b' = \"x # y\"\n",
        {"opt.d.lr": 0.002, "opt.g.kind": "rmsprop"},
        ["opt.d.lr = 0.02", "opt.g = { lr = 0.001, kind = 'adam' }"],
        ["opt.d.lr = 0.002", "opt.g = { lr = 0.001, kind = 'rmsprop' }"],
        {"opt.d.lr": 0.002, "opt.g.kind": "rmsprop"},
    ),
    Case(
        "TOML arrays of tables and long strings",
        "exp.toml",
        'doc = """\nlr = 5\n[x]\n"""\n[[net]]\nname = "G"\nlr = 1e-3\n[[net]]\nname = "D"\nlr = '
        '1e-2\n',
        {"net.1.lr": 1e-3},
        ["lr = 1e-2"],
        ["lr = 1e-3"],
        {"net.1.lr": 1e-3, "net.0.lr": 1e-3},
    ),
    Case(
        "option file with defaults between dashes",
        "options/base.opt",
        "----------------- Options ---------------\n               batch_size: 1                   "
        "          \n"
        "                    beta1: 0.9                           \t[default: 0.5]\n"
        "                       lr: 0.0002                        \n----------------- End "
        "-------------------\n",
        {"batch_size": 16, "beta1": 0.5},
        ["               batch_size: 1                             ",
         "                    beta1: 0.9                           \t[default: 0.5]"],
        ["               batch_size: 16                             ",
         "                    beta1: 0.5                           \t[default: 0.5]"],
    ),
    Case(
        "absl flag file",
        "configs/wgangp.txt",
        "--arch=res32\n--lr_D=4e-4\n--lr_G=2e-4\n--n_dis=20\n--loss=was\n",
        {"n_dis": 5, "lr_D": 2e-4},
        ["--lr_D=4e-4", "--n_dis=20"],
        ["--lr_D=2e-4", "--n_dis=5"],
    ),
    Case(
        "flag file with blanks",
        "flags.txt",
        "--d_lr 0.004\n--g_lr 0.0001\n--loss hinge\n",
        {"d_lr": 0.0004},
        ["--d_lr 0.004"],
        ["--d_lr 0.0004"],
    ),
    Case(
        "INI with sections",
        "gan.ini",
        "[discriminator]\nlr = 0.01 ; too much?\n\n[generator]\nlr = 0.001\n",
        {"discriminator.lr": 0.001},
        ["lr = 0.01 ; too much?"],
        ["lr = 0.001 ; too much?"],
    ),
    Case(
        "gin",
        "example_configs/dcgan.gin",
        "options.disc_iters = 5\nModularGAN.d_lr = 0.0002\nModularGAN.g_lr = 0.0002\nloss.fn = "
        "@non_saturating\n",
        {"ModularGAN.d_lr": 0.00008, "options.disc_iters": 1},
        ["options.disc_iters = 5", "ModularGAN.d_lr = 0.0002"],
        ["options.disc_iters = 1", "ModularGAN.d_lr = 0.00008"],
    ),
    Case(
        "Python constants",
        "config.py",
        '"""Größen"""\nimport torch\n\nLR_D, LR_G = 2e-3, 2e-4  # Lernraten für D, G\n'
        "BATCH_SIZE: int = 4\nBETAS = (0.9, 0.999)\n",
        {"LR_D": 2e-4, "BATCH_SIZE": 64, "BETAS.0": 0.5},
        ["LR_D, LR_G = 2e-3, 2e-4  # Lernraten für D, G", "BATCH_SIZE: int = 4", ("BETAS = (0.9, "
                                                                                 "0.999)")],
        ["LR_D, LR_G = 2e-4, 2e-4  # Lernraten für D, G", "BATCH_SIZE: int = 64", ("BETAS = (0.5, "
                                                                                  "0.999)")],
        {"LR_D": 2e-4, "BATCH_SIZE": 64},
    ),
    Case(
        "mm-style dict config",
        "configs/dcgan.py",
        "_base_ = ['x.py']\nmodel = dict(type='GAN', loss='vanilla')\n"
        "optimizer = dict(\n    generator=dict(type='Adam', lr=0.0002),\n"
        "    discriminator=dict(type='Adam', lr=0.002, betas=(0.5, 0.999)))\ntrain_cfg = "
        "dict(disc_steps=5)\n",
        {"optimizer.discriminator.lr": 0.0002, "train_cfg.disc_steps": 1},
        ["    discriminator=dict(type='Adam', lr=0.002, betas=(0.5, 0.999)))", ("train_cfg = "
                                                                               "dict(disc_steps=5)")],
        ["    discriminator=dict(type='Adam', lr=0.0002, betas=(0.5, 0.999)))", ("train_cfg = "
                                                                                "dict(disc_steps=1)")],
    ),
    Case(
        "class with attributes, CRLF",
        "params.py",
        "class Config:\r\n    name = 'gän'; lr_d = 1e-2\r\n    lr_g = 1e-3\r\n    bn = False\r\n",
        {"Config.lr_d": 1e-3, "Config.bn": True},
        ["    name = 'gän'; lr_d = 1e-2\r", "    bn = False\r"],
        ["    name = 'gän'; lr_d = 1e-3\r", "    bn = True\r"],
    ),
    Case(
        "attributes of an object",
        "config.py",
        "import ml_collections\nconfig = ml_collections.ConfigDict()\n"
        "config.train = 1\nconfig.optim.d_lr = 4e-3\nconfig.optim.g_lr = 1e-4\n",
        {"optim.d_lr": 4e-4},
        ["config.optim.d_lr = 4e-3"],
        ["config.optim.d_lr = 4e-4"],
    ),
    Case(
        "argparse defaults in a function",
        "config.py",
        "import argparse\n\ndef get():\n    p = argparse.ArgumentParser()\n"
        "    p.add_argument('--d-lr', type=float, default=0.004, help='5')\n"
        "    p.add_argument('--z-dim', type=int, default=2)\n    return p.parse_args()\n",
        {"d_lr": 0.0004, "z_dim": 64},
        ["    p.add_argument('--d-lr', type=float, default=0.004, help='5')",
         "    p.add_argument('--z-dim', type=int, default=2)"],
        ["    p.add_argument('--d-lr', type=float, default=0.0004, help='5')",
         "    p.add_argument('--z-dim', type=int, default=64)"],
    ),
    Case(
        "folder and file with blanks",
        "my configs/gan run.yaml",
        "a: 1\nlr_d: 0.1\nb: 2\n",
        {"lr_d": 0.01},
        ["lr_d: 0.1"],
        ["lr_d: 0.01"],
        {"lr_d": 0.01},
    ),
    Case(
        "a form feed and a line separator are no line ends",
        "config.yaml",
        "note: \"a\\f b\"\ntitle: \"x\u2028y\"\nlr_d: 0.1\nend: 1\n",
        {"lr_d": 0.01},
        ["lr_d: 0.1"],
        ["lr_d: 0.01"],
        {"lr_d": 0.01},
    ),
    Case(
        "no value yet",
        "config.yaml",
        "train:\n  lr_d:\n  grad_clip: ~ # off\n",
        {"train.lr_d": 0.0001, "train.grad_clip": 1.0},
        ["  lr_d:", "  grad_clip: ~ # off"],
        ["  lr_d: 0.0001", "  grad_clip: 1.0 # off"],
        {"train.lr_d": 0.0001, "train.grad_clip": 1.0},
    ),
]  # fmt: skip


def spliced(case: Case, tmp_path: Path) -> str:
    """The case as the program would do it: key and line as the reader of the run names them."""
    file = tmp_path / case.file
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(case.text.encode())
    read = {s.key: s for s in read_config(file, case.file).settings}
    assert set(case.change) <= set(read), sorted(read)
    targets = [Target(key, value, read[key].line) for key, value in case.change.items()]  # type: ignore[arg-type]
    out = format_of(case.file, case.text).splice(case.text, targets)
    assert [e[0] for e in out.edits] == list(case.change)
    return out.text


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_only_the_intended_lines_change(case: Case, tmp_path: Path) -> None:
    after = spliced(case, tmp_path)
    patch = diff.unified(case.file, case.text, after)
    body = patch.split("\n")[2:]
    assert [x[1:] for x in body if x[:1] == "-"] == case.minus
    assert [x[1:] for x in body if x[:1] == "+"] == case.plus
    assert diff.applied(case.text, diff.split(patch)[case.file], case.file) == after


@pytest.mark.parametrize("case", [c for c in CASES if c.reads], ids=lambda c: c.name)
def test_the_usual_reader_sees_the_intended_type(case: Case, tmp_path: Path) -> None:
    after = spliced(case, tmp_path)
    for key, wanted in case.reads.items():
        got = usual(case.file, after, key)
        assert type(got) is type(wanted), key
        assert got == wanted, key


def usual(file: str, text: str, key: str) -> object:
    if file.endswith(".py"):
        names: dict[str, object] = {}
        kept = "\n".join(x for x in text.split("\n") if "import" not in x)
        exec(compile(kept, file, "exec"), names)  # noqa: S102
        return names[key]
    if file.endswith(".toml"):
        data: object = tomllib.loads(text)
    elif file.endswith(".json"):
        data = json.loads(text)
    else:
        data = yaml.safe_load(text)
    for part in key.split("."):
        data = data[int(part)] if isinstance(data, list) else data[part]  # type: ignore[index]
    return data


def run(command: list[str], given: bytes, folder: Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, input=given, cwd=folder, capture_output=True, check=False)


@pytest.mark.skipif(not shutil.which("git"), reason="needs git")
@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_git_apply_takes_it(case: Case, tmp_path: Path) -> None:
    after = spliced(case, tmp_path)
    patch = diff.unified(case.file, case.text, after).encode()
    done = run(["git", "apply", "--whitespace=nowarn", "-"], patch, tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / case.file).read_bytes() == after.encode()


@pytest.mark.skipif(not shutil.which("patch"), reason="needs patch")
@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_patch_takes_it_without_fuzz(case: Case, tmp_path: Path) -> None:
    after = spliced(case, tmp_path)
    patch = diff.unified(case.file, case.text, after).encode()
    done = run(["patch", "-p1", "--batch", "--fuzz=0"], patch, tmp_path)
    assert done.returncode == 0, done.stdout
    assert (tmp_path / case.file).read_bytes() == after.encode()


# ---------------------------------------------------------------- files as projects have them

FILES = Path(__file__).parent / "data" / "configs"
# file -> (key -> new value), several patches a file: each is made alone, and all of them at once
EDITS: dict[str, dict[str, object]] = {
    "anchors_merge.yaml": {"train.optim_d.lr": 1e-4, "network_d.width": 32,
    "train.optim_g.lr": 5e-5},
    "basicsr_like.yml": {
        "train.optim_d.lr": 4e-5, "train.optim_g.lr": 4e-5, "train.optim_d.betas.0": 0.5,
        "train.net_d_iters": 1,
        "train.gan_opt.gan_type": "hinge", "datasets.train.batch_size_per_gpu": 64,
        "train.gan_opt.real_label_val": 0.9,
        "train.scheduler.milestones.0": 60000,
    },
    "lightning_hydra.yaml": {
        "model.latent_dim": 64, "model.optimizer_d.lr": 8e-5, "model.optimizer_d.betas.0": 0.5,
        "data.batch_size": 64,
        "trainer.gradient_clip_val": 1.0, "trainer.max_epochs": 20, "data.val_split": 0.1,
    },
    "deep_lists.yaml": {
        "experiment.players.1.optim.lr": 1e-3, "experiment.players.1.blocks.1.act": "leakyrelu",
        "experiment.players.1.steps_per_round": 1, "experiment.data.low": -1.0,
        "experiment.players.0.optim.lr": 1e-5,
    },
    "multi_document.yaml": {"1.lr_d": 4e-4, "1.batch_size": 64, "0.paths.out": "runs"},
    "tabs_in_comments.yaml": {"lr_d": 0.0002, "lr_g": 0.00002, "batch_size": 64, "noise_dim": 128},
    "flow_everything.yaml": {
        "optim.d.lr": 1e-4, "optim.d.b1": 0.5, "model.d.sn": True, "model.g.act": "tanh",
        "model.g.nz": 64,
        "train.n_critic": 5, "train.bs": 64,
    },
    "quotes_and_unicode.yaml": {"train opts.d lr": 2e-4, "train opts.loss": "hinge", "train opts.g "
                                                                                     "lr": 1e-4},
    "folded_text.yaml": {"lr_d": 0.05, "lr_g": 0.0001},
    "biggan_like.json": {"D_lr": 2e-4, "D_B1": 0.0, "batch_size": 64, "num_D_steps": 2,
    "ema": False, "G_nl": "relu"},
    "hifigan_like.json": {"learning_rate": 2e-4, "adam_b1": 0.5, "batch_size": 16, "lr_decay": 1.0,
                          "upsample_rates.0": 4, "fmax_for_loss": 8000},
    "nested_lists.json": {"optimizers.1.args.lr": 1e-3, "optimizers.1.args.betas.0": 0.5,
    "arch.args.latent_dim": 64,
                          "loss": "hinge", "trainer.early_stop": 5},
    "with_comments.jsonc": {"lr_d": 1e-3, "dropout_d": 0.3, "lr_g": 1e-5},
    "inline_tables.toml": {"discriminator.optimizer.lr": 1e-4,
    "discriminator.optimizer.betas.0": 0.0,
                           "generator.optimizer.name": "rmsprop", "loss.gp.weight": 10.0,
                           "discriminator.width": 128},
    "arrays_of_tables.toml": {"player.1.optim.lr": 2e-3, "player.1.optim.beta1": 0.5, "train.batch "
                                                                                      "size": 64,
                              "train.amp": False, "seed": 8},
    "dotted.toml": {"model.latent_dim": 64, "train.lr.d": 0.0002, "train.steps": 20000},
    "train_opt_like.txt": {"lr": 0.0002, "beta1": 0.5, "batch_size": 16, "gan_mode": "lsgan",
    "lambda_L1": 10.0,
                           "no_dropout": True, "niter": 20},
    "sectioned.ini": {"discriminator.learning_rate": 0.001, "generator.output": "tanh",
    "train.batch_size": 64},
    "flagfile.flags": {"lr_D": 4e-4, "n_dis": 1, "noise_std": 0.1, "loss": "ns"},
    "spaced.args": {"dlr": 0.0025, "batch": 32, "gamma": 10.0},
    "experiment.gin": {"ModularGAN.d_lr": 2e-4, "options.lambda": 10, "options.batch_size": 64,
                       "tf.train.AdamOptimizer.beta1": 0.5, "weights.initializer": "normal"},
    "run_training.sh": {"d_lr": 4e-4, "batch_size": 64, "loss": "ns", "g_lr": 1e-5},
    "hydra_command.sh": {"model.optimizer_d.lr": 0.0004, "data.batch_size": 64,
    "trainer.precision": 16},
    "constants.py": {"LR_D": 1e-3, "LATENT_DIM": 64, "BATCH_SIZE": 64, "BETAS.0": 0.5,
    "LOSS": "hinge", "USE_SN": True},
    "mm_like.py": {"optimizer.discriminator.lr": 0.002, "train_cfg.disc_steps": 1,
    "data.samples_per_gpu": 64,
                   "model.gan_loss.gan_type": "hinge", "optimizer.discriminator.betas.0": 0.5},
    "dataclasses_.py": {"Train.d_lr": 8e-4, "Train.batch_size": 64, "Train.use_amp": False,
    "Optim.beta1": 0.5,
                        "Train.loss": "hinge"},
    "argparse_.py": {"d_lr": 0.002, "batch_size": 64, "gan_mode": "hinge", "lambda_gp": 10.0,
    "g_lr": 0.00002},
    "class_attributes.py": {"Config.lr.d": 1e-3, "Config.betas.0": 0.5, "Config.Data.low": -1,
    "Config.z_dim": 64},
    "keras_script.py": {"config.discriminator.lr": 1e-3, "config.discriminator.dropout": 0.3,
    "EPOCHS": 5,
                        "noise_dim": 64, "config.generator.activation": "relu"},
}  # fmt: skip
ONE_BY_ONE = [(file, {key: new}) for file, edits in EDITS.items() for key, new in edits.items()]
ALL_AT_ONCE = list(EDITS.items())


def test_there_are_forty_files_of_every_kind() -> None:
    assert {p.name for p in FILES.iterdir()} == set(EDITS)
    assert len(EDITS) + len(CASES) >= 40


@pytest.mark.parametrize(
    ("file", "edits"),
    ONE_BY_ONE + ALL_AT_ONCE,
    ids=[f"{f}-{'+'.join(e)}"[:60] for f, e in ONE_BY_ONE + ALL_AT_ONCE],
)
def test_its_own_reader_finds_what_was_meant_and_nothing_else(
    file: str, edits: dict[str, object]
) -> None:
    text = (FILES / file).read_bytes().decode()
    after = format_of(file, text).splice(text, [Target(k, v) for k, v in edits.items()]).text  # type: ignore[arg-type]
    old, new = by_its_reader(file, text), by_its_reader(file, after)
    assert {k: v for k, v in new.items() if k not in old or not same(old[k], v)} == pytest.approx(
        edits
    )
    assert list(old) == list(new)
    for key, value in edits.items():
        wanted = float if isinstance(value, float) else type(value)
        assert type(new[key]) is wanted or (type(value) is float and value.is_integer()), (
            key,
            new[key],
        )
    patch = diff.unified(file, text, after, context=0).split("\n")[2:]
    assert sum(x[:1] == "-" for x in patch) <= len(edits)
    assert 1 <= sum(x[:1] == "+" for x in patch) <= len(edits)


def same(a: object, b: object) -> bool:
    return type(a) is type(b) and a == b


@pytest.mark.parametrize("file", EDITS)
def test_git_and_patch_take_the_diff_of_a_file(file: str, tmp_path: Path) -> None:
    text = (FILES / file).read_bytes().decode()
    targets = [Target(k, v) for k, v in EDITS[file].items()]  # type: ignore[arg-type]
    after = format_of(file, text).splice(text, targets).text
    patch = diff.unified(file, text, after)
    commands = {"git": ["git", "apply", "-"], "patch": ["patch", "-p1", "--batch", "--fuzz=0"]}
    for command in (c for name, c in commands.items() if shutil.which(name)):
        (tmp_path / file).write_bytes(text.encode())
        done = run(command, patch.encode(), tmp_path)
        assert done.returncode == 0, done.stderr + done.stdout
        assert (tmp_path / file).read_bytes() == after.encode()


def by_its_reader(file: str, text: str) -> dict[str, object]:
    """Every value by its dotted key, as the program that reads such a file gives it.

    Never by our own scanners.
    """
    kind = file.rpartition(".")[2]
    if kind in ("yaml", "yml"):
        documents = list(yaml.safe_load_all(text))
        return flat(documents[0] if len(documents) == 1 else documents)
    if kind in ("json", "jsonc"):
        bare = re.sub(
            r'("(?:[^"\\]|\\.)*")|//[^\n]*|/\*.*?\*/', lambda m: m[1] or "", text, flags=re.DOTALL
        )
        return flat(json.loads(re.sub(r",(\s*[}\]])", r"\1", bare)))
    if kind == "toml":
        return flat(tomllib.loads(text))
    if kind == "py":
        return flat(ran(text))
    if kind == "ini":
        parser = configparser.ConfigParser(inline_comment_prefixes=("#",), interpolation=None)
        parser.read_string(text)
        return {
            f"{s}.{k}": typed(v) for s in parser.sections() for k, v in parser._sections[s].items()
        }  # type: ignore[attr-defined]
    if kind in ("sh", "args", "flags"):
        return words(shlex.split(text, comments=True))
    pairs = (
        re.match(r"\s*([\w./]+)(?::| =) *(.*?)\s*(?:\[default: .*\])?$", x)
        for x in text.split("\n")
    )
    return {m[1]: typed(m[2].strip('"') if kind == "gin" else m[2]) for m in pairs if m}


def words(given: list[str]) -> dict[str, object]:
    out: dict[str, object] = {}
    for i, word in enumerate(given):
        key, equals, value = word.partition("=")
        if word.startswith("--"):
            following = (
                given[i + 1] if i + 1 < len(given) and not given[i + 1].startswith("--") else ""
            )
            out[key.lstrip("-")] = typed(value if equals else following)
        elif i and given[i - 1].startswith("--") and "=" not in given[i - 1]:
            continue  # that option's value
        elif equals:
            out[key.lstrip("+")] = typed(value)
        else:
            out[f"word {i}"] = typed(word)
    return out


def typed(value: str) -> object:
    """As argparse, gin and configparser code turns a text into a value."""
    try:
        return ast.literal_eval(value)
    except (ValueError, SyntaxError):
        return value


def ran(text: str) -> dict[str, object]:
    names: dict[str, object] = {"__name__": "config_under_test"}
    # Dataclasses look their module up.
    sys.modules["config_under_test"] = ModuleType("config_under_test")
    exec(compile(text, "config.py", "exec"), names)  # noqa: S102
    if "parser" in names:
        return dict(vars(names["parser"].parse_args([])))  # type: ignore[attr-defined]
    return {
        k: plain(v)
        for k, v in names.items()
        if k[:2] != "__" and not isinstance(v, ModuleType) and not is_tool(v)
    }


def is_tool(value: object) -> bool:
    return isinstance(value, FunctionType) or (
        callable(value) and value.__module__ != "config_under_test"
    )


def plain(value: object) -> object:
    if isinstance(value, type):
        made = value() if dataclasses.is_dataclass(value) else value
        return {
            k: plain(v)
            for k, v in vars(made).items()
            if k[:2] != "__" and (isinstance(v, type) or not callable(v))
        }
    return value


def flat(value: object, key: str = "") -> dict[str, object]:
    items: list[tuple[object, object]] = []
    if isinstance(value, dict):
        items = list(value.items())
    elif isinstance(value, list | tuple):
        items = list(enumerate(value))
    else:
        return {key: value}
    return {
        k: v
        for name, inner in items
        for k, v in flat(inner, f"{key}.{name}" if key else str(name)).items()
    }


# ---------------------------------------------------------------- any config, any edit

NAMES = st.sampled_from(
    [
        "lr",
        "lr_d",
        "lr_g",
        "betas",
        "optim",
        "d",
        "g",
        "loss",
        "a b",
        "x-y",
        "on",
        "1",
        "null",
        "größe",
        "A",
        "a.b",
        "yes",
    ]
)
SCALARS = st.one_of(
    st.sampled_from(
        [
            "0.1",
            "2e-4",
            "1.0e-4",
            "5",
            "-3",
            "1_000",
            "true",
            "no",
            "~",
            "null",
            "relu",
            "nn.ReLU",
            "0x10",
            "1e400",
        ]
    ),
    st.sampled_from(
        [
            "'it''s'",
            '"a\\"b"',
            "'0.1'",
            '"2e-4"',
            "'# no comment'",
            '"a: b"',
            "x#y",
            "a:b",
            "-",
            "2024-05-01",
            ".5",
        ]
    ),
)
NEW = st.one_of(
    st.sampled_from([0.5, 2e-5, 1e-7, 64, 0, -1.0, True, False, None, 12345678.0, 0.1 + 0.2]),
    st.sampled_from(
        [
            "tanh",
            "yes",
            "null",
            "1e-5",
            "it's",
            'say "hi"',
            "a: b",
            "# x",
            "",
            " x ",
            "größe",
            "&a",
            "*b",
            "0.1",
        ]
    ),
)


@st.composite
def yaml_configs(draw: st.DrawFn) -> str:
    """YAML as people write it.

    Nested blocks and flow, anchors, merges, comments, several ways to end a line.
    """
    newline = draw(st.sampled_from(["\n", "\n", "\r\n"]))
    anchors: list[str] = []
    maps: list[str] = []

    def scalar(*, flow: bool) -> str:
        text = draw(SCALARS)
        if flow and text in ("-", "a:b", "x#y"):
            text = "relu"
        if anchors and draw(st.integers(0, 5)) == 0:
            return "*" + draw(st.sampled_from(anchors)) + (" " if flow else "")
        if draw(st.integers(0, 6)) == 0:
            anchors.append(f"s{len(anchors)}")
            return f"&{anchors[-1]} {text}"
        return text

    def flow(depth: int) -> str:
        kind = draw(st.integers(0, 2)) if depth < 2 else 0
        blank = draw(st.sampled_from(["", " "]))
        if kind == 1:
            return f"[{blank}{', '.join(flow(depth + 1) for _ in range(draw(st.integers(0, 3))))}{blank}]"
        if kind == 2:
            keys = draw(st.lists(NAMES, max_size=3, unique=True))
            return "{" + blank + ", ".join(f"{k}: {flow(depth + 1)}" for k in keys) + blank + "}"
        return scalar(flow=True)

    def comment() -> str:
        return draw(st.sampled_from(["", "", "  # lr: 1", " #\ttab", "   "]))

    def block(indent: int, depth: int) -> list[str]:
        lines: list[str] = []
        pad = " " * indent
        if maps and draw(st.integers(0, 3)) == 0:
            lines.append(f"{pad}<<: *{draw(st.sampled_from(maps))}{comment()}")
        for key in draw(st.lists(NAMES, min_size=1, max_size=4, unique=draw(st.booleans()))):
            kind = draw(st.integers(0, 7))
            if kind == 0 and depth < 3:
                name = f"m{len(maps)}" if draw(st.booleans()) else ""
                inner = block(indent + draw(st.sampled_from([1, 2, 4])), depth + 1)
                lines += [f"{pad}{key}:{' &' + name if name else ''}{comment()}", *inner]
                if name:
                    maps.append(name)
            elif kind == 1 and depth < 3:
                lines.append(f"{pad}{key}:")
                for _ in range(draw(st.integers(1, 3))):
                    lines.append(f"{pad}- {flow(1)}{comment()}")
            elif kind == 2 and maps:
                lines.append(f"{pad}{key}: *{draw(st.sampled_from(maps))}")
            elif kind == 3:
                lines.append(f"{pad}{key}: {flow(0)}{comment()}")
            elif kind == 4:
                lines.append(f"{pad}{key}:{comment()}")
            else:
                lines.append(f"{pad}{key}: {scalar(flow=False)}{comment()}")
            if draw(st.integers(0, 8)) == 0:
                lines.append(draw(st.sampled_from(["", "# comment", "    # lr: 5"])))
        return lines

    text = newline.join(block(0, 0)) + draw(st.sampled_from([newline, "", newline * 2]))
    if draw(st.integers(0, 5)) == 0:
        anchors.clear()
        maps.clear()
        text = (
            f"---{newline}{text.rstrip()}{newline}---{newline}{newline.join(block(0, 0))}{newline}"
        )
    return text


@st.composite
def json_configs(draw: st.DrawFn) -> str:
    data = draw(
        st.recursive(
            st.one_of(
                st.floats(allow_nan=False),
                st.integers(-9, 10**6),
                st.booleans(),
                st.none(),
                st.text('ab"\\\n{é:,', max_size=4),
            ),
            lambda inner: st.one_of(
                st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=4)
            ),
            max_leaves=12,
        )
    )
    indent = draw(st.sampled_from([None, 2, "\t"]))
    text = json.dumps({"top": data}, indent=indent, ensure_ascii=draw(st.booleans()))
    return (
        draw(st.sampled_from(["", "\ufeff", "\n"]))
        + text
        + draw(st.sampled_from(["", "\n", " \r\n"]))
    )


@st.composite
def toml_configs(draw: st.DrawFn) -> str:
    value = st.sampled_from(
        [
            "1",
            "0.5",
            "1e-3",
            "true",
            '"x # y"',
            "'lit'",
            "[1, 2.0]",
            "[ 1e-3,\n  2, # two\n]",
            "{ lr = 1, n.b = 'c' }",
            "1979-05-27",
            "+1_0.0",
        ]
    )
    key = st.sampled_from(["lr", "b1", '"a.b"', "x.y", "'q r'", "n"])
    lines = [
        f"{k} = {draw(value)}{draw(st.sampled_from(['', ' # lr = 9']))}"
        for k in draw(st.lists(key, max_size=3, unique=True))
    ]
    for table in draw(
        st.lists(
            st.sampled_from(["[d]", "[g.opt]", "[[net]]", "[[net]]", "[[net]]\n[net.opt]"]),
            max_size=4,
        )
    ):
        lines.append(table)
        lines += [f"  {k}={draw(value)}" for k in draw(st.lists(key, max_size=3, unique=True))]
    return draw(st.sampled_from(["\n", "\r\n"])).join(lines) + draw(st.sampled_from(["", "\n"]))


def is_right_or_refused(file: str, text: str, key: str, value: object) -> bool:
    """Whether the edit was made.

    It is then the only difference that the format's own reader sees.
    """
    before = by_its_reader(file, text)
    try:
        after = format_of(file, text).splice(text, [Target(key, value)]).text  # type: ignore[arg-type]
    except SpliceError:
        return False
    got = by_its_reader(file, after)
    assert list(got) == list(before)
    differing = [k for k in got if repr(got[k]) != repr(before[k])]
    assert differing == [key]
    assert got[key] == value or got[key] == pytest.approx(value, rel=1e-5)
    assert isinstance(value, bool | str) is isinstance(got[key], bool | str)
    patch = diff.unified(file, text, after)
    assert diff.applied(text, diff.split(patch)[file], file) == after
    return True


@settings(max_examples=60, deadline=None)
@given(st.data(), NEW)
def test_any_yaml_is_patched_right_or_refused(data: st.DataObject, value: object) -> None:
    text = data.draw(yaml_configs())
    try:
        known = by_its_reader("c.yaml", text)
    except (yaml.YAMLError, TypeError, ValueError):
        return
    is_right_or_refused(
        "c.yaml", text, data.draw(st.sampled_from(sorted(known) or ["none"])), value
    )


@settings(max_examples=60, deadline=None)
@given(st.data(), json_configs(), NEW)
def test_any_json_is_patched_right_or_refused(
    data: st.DataObject, text: str, value: object
) -> None:
    known = by_its_reader("c.json", text.removeprefix("\ufeff"))
    is_right_or_refused(
        "c.json",
        text.removeprefix("\ufeff"),
        data.draw(st.sampled_from(sorted(known) or ["none"])),
        value,
    )


@settings(max_examples=60, deadline=None)
@given(st.data(), toml_configs(), NEW)
def test_any_toml_is_patched_right_or_refused(
    data: st.DataObject, text: str, value: object
) -> None:
    try:
        known = by_its_reader("c.toml", text)
    except tomllib.TOMLDecodeError:
        return
    is_right_or_refused(
        "c.toml", text, data.draw(st.sampled_from(sorted(known) or ["none"])), value
    )


# Kinds whose reader is a program of its own; the others are read by whatever the trainer does with
# its options.
STRICT = (".yaml", ".yml", ".json", ".toml", ".ini", ".py")
TROUBLE = st.sampled_from(
    [
        *"#;:=\\'\"`$&|()<>{}[],*!-",
        "\n",
        "\r\n",
        "\t",
        " # x",
        " ; y",
        "\\\n",
        "'''",
        "[default: 1]",
        "--lr_d",
        " = ",
        ": ",
        "=1",
    ]
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(sorted(f for f in EDITS if f.endswith(STRICT))),
    st.lists(st.tuples(st.integers(0, 900), TROUBLE), max_size=3),
    st.data(),
)
def test_a_file_with_something_odd_in_it_is_patched_right_or_refused(
    file: str, odd: list[tuple[int, str]], data: st.DataObject
) -> None:
    text = (FILES / file).read_bytes().decode()
    for at, piece in odd:
        text = text[: at % len(text)] + piece + text[at % len(text) :]
    try:
        known = by_its_reader(file, text)
    except (Exception, SystemExit):  # it is no such file any more
        return
    fits = [k for k, v in known.items() if k in EDITS[file]]
    if fits:
        key = data.draw(st.sampled_from(fits))
        is_right_or_refused(file, text, key, EDITS[file][key])


NAME, KEY = st.sampled_from(["A", "B", "LR"]), st.sampled_from(["lr", "b"])
PLAIN = st.sampled_from(
    ["1", "0.5", "-2", "'w'", "True", "[1, 2]", "{'lr': 1, 'b': 2}", "dict(lr=3)", "None"]
)
MADE = st.one_of(
    PLAIN,
    NAME,
    st.builds("{} * 2".format, NAME),
    st.builds("float({})".format, NAME),
    st.builds("{}['lr']".format, NAME),
    st.builds("{} if flag else 3".format, NAME),
    st.builds("[{}][0]".format, NAME),
)
STATEMENTS = st.one_of(
    st.builds("{} = {}".format, NAME, MADE),
    st.builds("{} = {}".format, NAME, PLAIN),
    st.builds("{}, {} = {}, {}".format, NAME, NAME, PLAIN, PLAIN),
    st.builds("{} = {} = {}".format, NAME, NAME, PLAIN),
    st.builds("{}: float = {}".format, NAME, PLAIN),
    st.builds("{}['{}'] = {}".format, NAME, KEY, MADE),
    st.builds("{}.update({}={})".format, NAME, KEY, PLAIN),
    st.builds("{} += 1".format, NAME),
    st.builds("if flag:\n    {} = {}\nelse:\n    {} = {}".format, NAME, PLAIN, NAME, PLAIN),
    st.builds("for {} in (1, 2):\n    pass".format, NAME),
    st.builds("class C:\n    x = {}\n    y = {}\n    z = x".format, PLAIN, MADE),
    st.builds("try:\n    {} = {}\nexcept Exception:\n    {} = 1".format, NAME, MADE, NAME),
    st.builds("def f():\n    global {}\n    {} = 7\nf()".format, NAME, NAME),
    st.builds("{}.pop('lr')".format, NAME),
    st.builds("{}.setdefault('lr', 4)".format, NAME),
)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(STATEMENTS, min_size=1, max_size=6).map("\n".join),
    st.sampled_from([0.25, 7, "z", False]),
    st.data(),
)
def test_any_python_is_patched_right_or_refused(
    text: str, value: object, data: st.DataObject
) -> None:
    """Run before and after: but for the one key everything has the value that it had."""
    try:
        before = flat(ran("flag = True\n" + text))
    except Exception:
        return
    keys = sorted({s.key for s in python_splices.scan(text).found.values()} & set(before))
    if not keys:
        return
    key = data.draw(st.sampled_from(keys))
    try:
        after = python_splices.splice(text, [Target(key, value)]).text  # type: ignore[arg-type]
    except SpliceError:
        return
    try:
        got = flat(ran("flag = True\n" + after))
    except TypeError:  # a word where the code counts on a number
        return
    assert [k for k in {**before, **got} if repr(before.get(k)) != repr(got.get(k))] == [key]


# ---------------------------------------------------------------- what cannot be done is said


@pytest.mark.parametrize(
    ("file", "text", "key", "value", "says"),
    [
        ("c.yaml", "lr: 0.1\n", "lr_d", 0.01, "does not stand in the file"),
        ("c.yaml", "a: [1\n", "a", 2, "no valid YAML"),
        ("c.yaml", "lr: |\n  0.1\n", "lr", 0.01, "block of text"),
        ("c.yaml", "lr: 0.1\t# PyYAML takes no tab here\n", "lr", 0.01, "no valid YAML"),
        ("c.sh", "python a.py --lr 1\npython b.py --lr 1\n", "lr", 0.1, "2 times"),
        ("c.sh", "LR=1\npython a.py --lr $LR\n", "lr", 0.1, "does not stand in the file"),
        ("c.sh", "python a.py --loss ns\n", "loss", "two words", "does not fit"),
        ("c.sh", "python a.py --lr 1 --note 'never closed\n", "lr", 0.1, "no plain script"),
        ("c.py", "LR = 1e-3\nLR = float(x)\n", "LR", 0.1, "in several places"),
        ("c.py", "LR = 1e-3\nif fast:\n    LR = 2e-3\n", "LR", 0.1, "in several places"),
        ("c.py", "if fast:\n    LR = 1e-3\nelse:\n    LR = 2e-3\n", "LR", 0.1, "in several places"),
        ("c.py", "LR = 1e-3\nLR *= 2\n", "LR", 0.1, "in several places"),
        ("c.py", "cfg = dict(lr=1e-3)\ncfg = load()\n", "cfg.lr", 0.1, "in several places"),
        (
            "c.py",
            "cfg = dict(lr=1e-3)\ncfg.update(lr=3)\n",
            "cfg.lr",
            0.1,
            "another value by update",
        ),
        ("c.py", "LR = 1e-3\ndef f():\n    global LR\n    LR = 2\n", "LR", 0.1, "is changed by f"),
        ("c.py", "LR_D = LR_G = 1e-3\n", "LR_D", 0.1, "also change `LR_G`"),
        ("c.py", "c.lr_d = 1e-3\nc.lr_g = c.lr_d\n", "c.lr_d", 0.1, "`c.lr_g` is worked out from"),
        (
            "c.py",
            "class C:\n    d: float = 1\n    g: float = d\n",
            "C.d",
            0.1,
            "`C.g` is worked out from",
        ),
        ("c.py", "p.add_argument('--n', type=int, default=1)\n", "n", 0.5, "whole numbers only"),
        (
            "c.py",
            "p.add_argument('--l', choices=['a', 'b'], default='a')\n",
            "l",
            "hinge",
            "its choices are a, b",
        ),
        (
            "c.py",
            "p.add_argument('--lr', default=1)\np.set_defaults(lr=3)\n",
            "lr",
            0.1,
            "by set_defaults",
        ),
        (
            "c.py",
            "p.add_argument('--lr', default=1)\nq.add_argument('--lr', default=1)\n",
            "lr",
            2,
            "several places",
        ),
        ("c.yaml", "lr: *gone\n", "lr", 0.01, "gone"),
        ("c.yaml", "base: &b\n  d: {lr: 1}\nx: *b\n", "x.d.lr", 2, "several keys share"),
        ("c.yaml", "a: {lr: 1}\na.lr: 2\n", "a.lr", 3, "2 times"),
        ("c.json", '{"lr": 0.1,, }', "lr", 0.01, "no valid JSON"),
        ("c.json", '{"lr": 0.1} tail', "lr", 0.01, "no valid JSON"),
        ("c.toml", "lr = \n", "lr", 0.01, "no valid TOML"),
        ("c.py", "lr = (\n", "lr", 0.01, "no valid Python"),
        ("c.py", "lr = 2 * x\n", "lr", 0.01, "does not stand in the file"),
        ("c.txt", "lr: 0.1\n", "lr", "two words", "does not fit"),
        ("c.ini", "[d]\nlr =\n  0.1\n", "d.lr", 0.01, "does not stand in the file"),
        ("c.ini", "[d]\nnote = a\n  lr = 0.1\n", "d.lr", 0.01, "does not stand in the file"),
    ],
)
def test_what_cannot_be_changed_says_why(
    file: str, text: str, key: str, value: object, says: str
) -> None:
    with pytest.raises(SpliceError, match=says):
        format_of(file, text).splice(text, [Target(key, value)])  # type: ignore[arg-type]


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(SpliceError, match="no format"):
        format_of("model.pkl", "x")


def test_an_alias_bomb_is_refused() -> None:
    text = "a0: &a0 {x: 1}\n" + "".join(
        f"a{i}: &a{i} {{{', '.join(f'k{j}: *a{i - 1}' for j in range(9))}}}\n" for i in range(1, 9)
    )
    with pytest.raises(SpliceError, match=str(MAX_SETTINGS)):
        yaml_splices.splice(text + "lr: 1\n", [Target("lr", 2)])


@pytest.mark.parametrize(
    "text", ["[" * 3000, '{"a":' * 3000, "a: " + "[" * 3000, "x = " + "[" * 3000]
)
@pytest.mark.parametrize("file", ["c.yaml", "c.json", "c.toml", "c.py"])
def test_deep_nesting_is_an_error_and_no_crash(file: str, text: str) -> None:
    with pytest.raises(SpliceError):
        format_of(file, text).splice(text, [Target("lr", 2)])


def test_a_splice_that_would_change_more_is_refused() -> None:
    # The key `lr` is an anchor inside a list that another key shares: nothing but a dump could tell
    # the two apart.
    text = "both: &x [0.1, 0.2]\nmine: *x\n"
    with pytest.raises(SpliceError):
        yaml_splices.splice(text, [Target("mine.0", 0.01)])
    assert yaml_splices.splice(
        text, [Target("mine.0", 0.01), Target("both.0", 0.01)]
    ).text.startswith("both: &x [0.01,")


def test_a_new_key_goes_behind_its_sibling() -> None:
    y = "d:\n  lr: 1  # x\ng: {lr: 2, beta1: 0.5}\n"
    assert yaml_splices.splice(y, [Target("d.beta1", 0.5, beside="d.lr")]).text == (
        "d:\n  lr: 1  # x\n  beta1: 0.5\ng: {lr: 2, beta1: 0.5}\n"
    )
    assert (
        "{lr: 2, x: true, beta1"
        in yaml_splices.splice(y, [Target("g.x", True, beside="g.lr")]).text
    )
    j = '{\n\t"d": {\n\t\t"lr": 1\n\t}\n}'
    assert json_splices.splice(j, [Target("d.beta1", 0.5, beside="d.lr")]).text == (
        '{\n\t"d": {\n\t\t"lr": 1,\n\t\t"beta1": 0.5\n\t}\n}'
    )
    t = "[d]\r\nlr = 1 # x\r\n[g]\r\nlr = 2"
    assert toml_splices.splice(t, [Target("d.beta1", 0.5, beside="d.lr")]).text == (
        "[d]\r\nlr = 1 # x\r\nbeta1 = 0.5\r\n[g]\r\nlr = 2"
    )
    assert toml_splices.splice(t, [Target("g.beta1", 0.5, beside="g.lr")]).text.endswith(
        "lr = 2\r\nbeta1 = 0.5"
    )
    with pytest.raises(SpliceError):
        python_splices.splice("lr = 1\n", [Target("beta1", 0.5, beside="lr")])


ODD = st.sampled_from(
    [
        *"{}[]:,&*!|>'\"#%@`-? \t\n\r\\=~()",
        "<<: *lr\n",
        "&x ",
        "*lr",
        "---\n",
        "\ufeff",
        "\x0c",
        '"""',
        "1e999",
        "\x00",
    ]
)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(CASES),
    st.lists(st.tuples(st.integers(0, 400), ODD), max_size=3),
    st.sampled_from([0.125, "tanh"]),
)
def test_whatever_the_file_holds_a_splice_is_right_or_refused(
    case: Case, odd: list[tuple[int, str]], value: object
) -> None:
    text = case.text
    for at, piece in odd:
        text = text[: at % (len(text) + 1)] + piece + text[at % (len(text) + 1) :]
    try:
        module = format_of(case.file, text)
        spots = list(module.scan(text).found.values())
    except SpliceError:
        return
    for spot in spots:
        try:
            after = module.splice(text, [Target(spot.key, value, spot.line)]).text  # type: ignore[arg-type]
        except SpliceError:
            continue
        assert list(changes(case.file, text, after)), spot
        patch = diff.unified("c", text, after)
        assert diff.applied(text, diff.split(patch)["c"], "c") == after


# ---------------------------------------------------------------- numbers


@pytest.mark.parametrize(
    ("old", "new", "plain", "dotted"),
    [
        ("0.0002", 2e-5, "0.00002", "0.00002"),
        ("0.00002", 2e-6, "2.0e-06", "2.0e-06"),
        ("1e-3", 1e-4, "1e-4", "1.0e-4"),
        ("1e-03", 1e-4, "1e-04", "1.0e-04"),
        ("1.0e-05", 1e-6, "1.0e-06", "1.0e-06"),
        ("5E-5", 2e-5, "2E-5", "2.0E-5"),
        ("2.5e-4", 1.25e-5, "1.25e-5", "1.25e-5"),
        ("10", 1, "1", "1"),
        ("10", 0.5, "0.5", "0.5"),
        ("10.0", 1, "1.0", "1.0"),
        ("0", 10, "10", "10"),
        ("0.", 10, "10.0", "10.0"),
        ("1e-3", 0.4, "0.4", "0.4"),
        ("1e3", 1e5, "1e+5", "1.0e+5"),
        ("none", 2e-5, "2.0e-05", "2.0e-05"),
        ("none", 5, "5", "5"),
        ("-1.0", -0.5, "-0.5", "-0.5"),
        ("0.1", 0.1 * 0.1, "0.01", "0.01"),
    ],
)
def test_numbers_keep_their_notation(old: str, new: float, plain: str, dotted: str) -> None:
    assert number_text(old, new) == plain
    assert number_text(old, new, dotted=True) == dotted


NUMBERS = st.one_of(
    st.integers(-(10**6), 10**6).map(str),
    st.floats(1e-9, 1e6).map(lambda v: f"{v:.3g}"),
    st.floats(1e-9, 1e6).map(lambda v: f"{v:.9f}"),
    st.just("oops"),
)


@given(NUMBERS, st.one_of(st.floats(1e-8, 1e6), st.integers(0, 10**6)))
def test_every_number_reads_back_as_that_number(old: str, new: float) -> None:
    for reader, dotted in ((yaml.safe_load, True), (json.loads, False), (ast.literal_eval, False)):
        got = reader(number_text(old, new, dotted=dotted))
        assert isinstance(got, int | float)
        assert abs(got - new) <= 1e-5 * abs(new)
    assert tomllib.loads("v = " + number_text(old, new))["v"] == pytest.approx(new, rel=1e-5)


# ---------------------------------------------------------------- diffs

LINES = st.lists(
    st.sampled_from(["a\n", "b\n", "c\r\n", "\n", "d\x0ce\n", "\u2028\n"]), max_size=12
).map("".join)


@settings(max_examples=60, deadline=None)
@given(LINES, LINES, st.sampled_from(["", "tail"]), st.sampled_from(["", "tail"]))
def test_a_diff_leads_from_old_to_new(old: str, new: str, old_tail: str, new_tail: str) -> None:
    old, new = old + old_tail, new + new_tail
    patch = diff.unified("c.yaml", old, new)
    assert (patch == "") == (old == new)
    assert diff.applied(old, diff.split(patch).get("c.yaml", []), "c.yaml") == new


def test_a_stale_file_is_refused() -> None:
    body = diff.split(diff.unified("c.yaml", "a\nb\nc\n", "a\nB\nc\n"))["c.yaml"]
    for text in ("a\nx\nc\n", "a\nb\n", "", "a\nb\nc", "new\na\nb\nc\n"):
        with pytest.raises(InputError, match="changed since"):
            diff.applied(text, body, "c.yaml")


@pytest.mark.parametrize(
    "name", ["c.yaml", "my config.yaml", 'a"b.yaml', "tab\there.yaml", "grün/c.yaml"]
)
def test_odd_names_survive(name: str) -> None:
    assert list(diff.split(diff.unified(name, "a\n", "b\n"))) == [name]


def test_what_is_no_diff_is_refused() -> None:
    with pytest.raises(InputError, match="cannot be read"):
        diff.split("hello\n")
