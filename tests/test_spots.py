"""What is read of a config is what is patched: one scanner a format."""

from __future__ import annotations

import importlib
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml

from gandoctor.configs import config_rank, formats, read_config
from gandoctor.configs.formats import yaml as yaml_format
from gandoctor.configs.splice import SpliceError, Target, number

if TYPE_CHECKING:
    from gandoctor.model.signals import Setting

# file, text, all single values by key with their lines, and why some cannot be edited
Row = tuple[str, str, dict[str, tuple[object, int]], dict[str, str]]
TABLE: list[Row] = [
    (
        "config.ini",
        (
            "; a comment\n[train]  # all of it\nlr_d = 0.002  # D is fast\nlr_g=0.0001 ; G\n"
            "name = a#b\nurl = http://x:1/\n[data]\nsize: 64\n"
        ),
        {
            "train.lr_d": (0.002, 3),
            "train.lr_g": (0.0001, 4),
            "train.name": ("a#b", 5),
            "train.url": ("http://x:1/", 6),
            "data.size": (64, 8),
        },
        {},
    ),
    (
        "options.cfg",
        "[d]\nlr = 0.1\nnote = a\n  lr = 3\nbeta = 0.5\n",
        {"d.lr": (0.1, 2), "d.note": ("a", 3), "d.beta": (0.5, 5)},
        {"d.note": "goes on below its line"},
    ),
    (
        "run.flags",
        (
            "# flags\n--lr_d 0.002  # D is fast\n--lr_g=1e-4\n--loss 'hinge'\n--betas 0.5 0.9\n"
            "--amp --noaugment\n--n_dis 5 --batch=64\n"
        ),
        {
            "lr_d": (0.002, 2),
            "lr_g": (1e-4, 3),
            "loss": ("hinge", 4),
            "betas": ("0.5 0.9", 5),
            "amp": (True, 6),
            "augment": (False, 6),
            "n_dis": (5, 7),
            "batch": (64, 7),
        },
        {"betas": "several values", "amp": "without a value", "augment": "without a value"},
    ),
    (
        "commandline_args.txt",
        '--lr=2e-4\n--workdir="a b"\n--alpha=-3\n',
        {"lr": (2e-4, 1), "workdir": ("a b", 2), "alpha": (-3, 3)},
        {},
    ),
    (
        "train_opt.txt",
        (
            "----------------- Options ---------------\n   beta1: 0.5                \n"
            "      lr: 0.0001      \t[default: 0.0002]\n gpu_ids: 0,1  \t[default: 0]\n    name: \n"
            "----------------- End -------------------\n"
        ),
        {"beta1": (0.5, 2), "lr": (0.0001, 3), "gpu_ids": ("0,1", 4), "name": ("", 5)},
        {},
    ),
    (
        "opt.txt",
        "lr: 0.1,\n'b1': 0.5 [default: 0.9]\nbetas: [0.5, 0.999]\nw\t3\n",
        {"lr": (0.1, 1), "b1": (0.5, 2), "betas.0": (0.5, 3), "betas.1": (0.999, 3), "w": (3, 4)},
        {},
    ),
    (
        "operative_config-1.gin",
        (
            "# Parameters for G:\nG.lr = 2e-4\nG.betas = (0.0, 0.9)  # Adam\nG.loss = @hinge\n"
            "G.name = 'g'\n"
        ),
        {
            "G.lr": (2e-4, 2),
            "G.betas.0": (0.0, 3),
            "G.betas.1": (0.9, 3),
            "G.loss": ("@hinge", 4),
            "G.name": ("g", 5),
        },
        {},
    ),
    (
        "args.txt",
        "started\nNamespace(lr=0.0002, betas=(0.5, 0.9), name='a, b=(c)',\n  n_critic=5, x=f(3))\n",
        {
            "lr": (0.0002, 2),
            "betas.0": (0.5, 2),
            "betas.1": (0.9, 2),
            "name": ("a, b=(c)", 2),
            "n_critic": (5, 3),
            "x": ("f(3)", 3),
        },
        {},
    ),
    (
        "hparams.txt",
        "when: 2019\nconfig: {'lr': 1e-4, 'act': ReLU(True), 'b': [1, 2]}\n",
        {
            "when": (2019, 1),
            "lr": (1e-4, 2),
            "act": ("ReLU(True)", 2),
            "b.0": (1, 2),
            "b.1": (2, 2),
        },
        {},
    ),
    (
        "anchors.yaml",
        "base: &b\n  lr: 1.0e-3\n  beta: 0.5\nd:\n  <<: *b\n  lr: 2.0e-3\ng: *b\nn: &n 3\nm: *n\n",
        {
            "base.lr": (0.001, 2),
            "base.beta": (0.5, 3),
            "d.lr": (0.002, 6),
            "d.beta": (0.5, 3),
            "g.lr": (0.001, 2),
            "g.beta": (0.5, 3),
            "n": (3, 8),
            "m": (3, 8),
        },
        {},
    ),
    (
        "quotes.yaml",
        (
            "\"lr d\": '0.1'\nlr: 5e-5\nflag: yes\nnone: ~\ntext: |\n  0.5\ntag: !!float 1\n"
            "opt: !!python/name:torch.optim.Adam ''\nlist: [1, [2, 3]]\nempty: {}\n"
        ),
        {
            "lr d": ("0.1", 1),
            "lr": ("5e-5", 2),
            "flag": (True, 3),
            "none": (None, 4),
            "text": ("0.5\n", 5),
            "tag": (1.0, 7),
            "opt": ("torch.optim.Adam", 8),
            "list.0": (1, 9),
            "list.1.0": (2, 9),
            "list.1.1": (3, 9),
        },
        {"text": "is a block of text", "opt": "by its tag"},
    ),
    (
        "twice.yml",
        "a: {x: 1}\nlr: 1\na: {y: 2}\nlr: 0.5  # this one\n",
        {"a.y": (2, 3), "lr": (0.5, 4)},
        {},
    ),
    (
        "shared.yaml",
        "both: &x [0.1, 0.2]\nmine: *x\nlr: 1\n",
        {
            "both.0": (0.1, 1),
            "both.1": (0.2, 1),
            "mine.0": (0.1, 1),
            "mine.1": (0.2, 1),
            "lr": (1, 3),
        },
        dict.fromkeys(("both.0", "both.1", "mine.0", "mine.1"), "several keys share"),
    ),
    (
        "documents.yaml",
        "\ufefflr: 0.1\nseed: 1\n---\nlr: 0.2\n",
        {"seed": (1, 2), "lr": (0.2, 4)},
        {},
    ),
    (
        "config.json",
        (
            '{\n // rates\n "lr": {"d": 1e-4, /* fast */ "g": 2e-4},\n "x": NaN,\n'
            ' "betas": [0.5, 0.9,],\n "name": "a\\u00e9",\n}'
        ),
        {
            "lr.d": (1e-4, 3),
            "lr.g": (2e-4, 3),
            "x": (math.nan, 4),
            "betas.0": (0.5, 5),
            "betas.1": (0.9, 5),
            "name": ("aé", 6),
        },
        {},
    ),
    (
        "twice.json",
        '{"a": {"x": 1, "y": 2},\n "lr": 1,\n "a": {"y": 3},\n "lr": 0.5}',
        {"a.y": (3, 3), "lr": (0.5, 4)},
        {},
    ),
    (
        "config.toml",
        (
            "seed = 1\nmodel.z = 64 # nz\n[optim.d]\nlr = 2e-4\nbetas = [0.5,\n  0.9]\n"
            "kw = {eps = 1e-8, sub.on = true}\n'odd key' = 1_000\n[[nets]]\nw = 1\n[[nets]]\nw = 2\n"
        ),
        {
            "seed": (1, 1),
            "model.z": (64, 2),
            "optim.d.lr": (2e-4, 4),
            "optim.d.betas.0": (0.5, 5),
            "optim.d.betas.1": (0.9, 6),
            "optim.d.kw.eps": (1e-8, 7),
            "optim.d.kw.sub.on": (True, 7),
            "optim.d.odd key": (1000, 8),
            "nets.0.w": (1, 10),
            "nets.1.w": (2, 12),
        },
        {},
    ),
    (
        "config.py",
        "# größe\nLR = 2e-4\nBETAS = (0.5, 0.999)\na, b = 1, -2.5\nx = f(3)\nWORD = 'ü'; K = 4\n",
        {
            "LR": (2e-4, 2),
            "BETAS.0": (0.5, 3),
            "BETAS.1": (0.999, 3),
            "a": (1, 4),
            "b": (-2.5, 4),
            "WORD": ("ü", 6),
            "K": (4, 6),
        },
        {},
    ),
    (
        "settings.py",
        (
            "from dataclasses import dataclass\n@dataclass\nclass Train:\n    lr_d: float = 4e-4\n"
            "    class Data:\n        size = 64\noptim = dict(type='Adam', sub=dict(eps=1e-8))\n"
            "cfg.train.lr = 0.1\noptim['lr'] = 3\n"
        ),
        {
            "Train.lr_d": (4e-4, 4),
            "Train.Data.size": (64, 6),
            "optim.type": ("Adam", 7),
            "optim.sub.eps": (1e-8, 7),
            "train.lr": (0.1, 8),
            "optim.lr": (3, 9),
        },
        {},
    ),
    (
        "params.py",
        (
            "def options():\n    p = ArgumentParser()\n    p.add_argument('--lr-d', default=4e-4)\n"
            "    p.add_argument('--b', dest='beta', default=0.5)\n    return p\n"
            "class Base:\n    def add(self, p):\n        p.add_argument('--nz', default=64)\n"
            "flags.DEFINE_float('decay', 0.9, 'of the mean')\nif True:\n    if True:\n        deep = 2\n"
        ),
        {"lr_d": (4e-4, 3), "beta": (0.5, 4), "nz": (64, 8), "decay": (0.9, 9), "deep": (2, 12)},
        {},
    ),
    (
        "train.sh",
        (
            "#!/bin/sh\nLR=0.1  # of G\npython train.py --lr_d 0.002 \\\n  --beta=0.5 data.size=64 "
            "--out $OUT --name 'a b'\n"
        ),
        {
            "LR": (0.1, 2),
            "lr_d": (0.002, 3),
            "beta": (0.5, 4),
            "data.size": (64, 4),
            "name": ("a b", 4),
        },
        {},
    ),
    (
        "two.sh",
        "python a.py --lr 0.1\npython b.py --lr 0.2 --n 3\n",
        {"lr": (0.2, 2), "n": (3, 2)},
        {"lr": "stands in the file 2 times"},
    ),
]
IDS = [row[0] for row in TABLE]


def read(folder: Path, file: str, text: str) -> dict[str, Setting]:
    (folder / file).write_bytes(text.encode())
    found = read_config(folder / file, file).settings
    return {s.key: s for s in found if not isinstance(s.value, tuple)}


def equal(one: object, other: object) -> bool:
    return type(one) is type(other) and repr(one) == repr(other)


@pytest.mark.parametrize("row", TABLE, ids=IDS)
def test_every_setting_has_its_spot_and_every_spot_its_setting(tmp_path: Path, row: Row) -> None:
    file, text, wanted, _ = row
    got = {k: (s.value, s.line) for k, s in read(tmp_path, file, text).items()}
    assert list(got) == list(wanted) or sorted(got) == sorted(wanted)
    for key, (value, line) in wanted.items():
        assert equal(got[key][0], value), (key, got[key])
        assert got[key][1] == line, key
    spots = formats.format_of(file, text).scan(text).found.values()
    single = {s.key: s for s in spots if not isinstance(s.value, tuple)}
    assert set(single) == set(got)
    for key, spot in single.items():
        assert equal(spot.value, got[key][0])
        assert spot.line == got[key][1]
        assert spot.stuck or 0 <= spot.start <= spot.end <= len(text)


@pytest.mark.parametrize("row", TABLE, ids=IDS)
def test_a_number_is_patched_and_read_back_or_its_spot_says_why_not(
    tmp_path: Path, row: Row
) -> None:
    file, text, _, why_not = row
    kind = formats.format_of(file, text)
    before = read(tmp_path, file, text)
    spots = {s.key: s for s in kind.scan(text).found.values() if not isinstance(s.value, tuple)}
    for key, said in why_not.items():
        assert said in spots[key].stuck
        with pytest.raises(SpliceError, match=said):
            kind.splice(text, [Target(key, 0.25, spots[key].line)])
    assert {k for k, s in spots.items() if s.stuck} == set(why_not)
    patched = 0
    for key, setting in before.items():
        if key in why_not or number(setting.value) is None:
            continue
        after = kind.splice(text, [Target(key, 0.25, setting.line)]).text
        now = read(tmp_path, file, after)
        assert now[key].value == 0.25
        others = {k for k in before if k != key and not equal(before[k].value, now[k].value)}
        assert not others
        patched += 1
    assert patched


YAML_FILES = sorted((Path(__file__).parent / "data" / "configs").glob("*.y*ml"))


@pytest.mark.parametrize("path", YAML_FILES, ids=lambda p: p.name)
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_places_in_yaml_do_not_hang_on_which_loader_there_is(
    path: Path, mark: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = mark + path.read_bytes().decode()
    found = []
    for loader in (yaml.CSafeLoader, yaml.SafeLoader):
        monkeypatch.setattr(yaml_format, "_LOADER", loader)
        found.append([s for s in yaml_format.scan(text).found.values() if not s.stuck])
    assert found[0] == found[1]
    assert found[0]


@pytest.mark.parametrize("file", ["config.yaml", "config.json", "config.py", "config.ini"])
def test_a_whole_list_says_that_its_items_are_changed(file: str) -> None:
    text = {
        "config.yaml": "b: [1, 2]\n",
        "config.json": '{"b": [1, 2]}',
        "config.py": "b = [1, 2]\n",
        "config.ini": "b = [1, 2]\n",
    }[file]
    with pytest.raises(SpliceError, match="one by one"):
        formats.format_of(file, text).splice(text, [Target("b", 3)])


def test_what_the_modules_are_known_for_is_what_they_say() -> None:
    assert set(formats._KNOWN) <= set(formats._names())
    for name, suffixes in formats._KNOWN.items():
        module = importlib.import_module(f"gandoctor.configs.formats.{name}")
        assert suffixes == module.SUFFIXES
        assert getattr(module, "CODE", False) is (name in formats._KNOWN_CODE)


NEW = """
from gandoctor.configs.entries import Entries
from gandoctor.configs.splice import Target, Way, splice_at

SUFFIXES = (".pairs",)


def scan(text):
    entries, at = Entries(), 0
    for line, pair in enumerate(text.split(";"), 1):
        key, _, value = pair.partition("~")
        start = at + len(key) + 1
        entries.add((key,), float(value), line, (start, start + len(value)))
        at += len(pair) + 1
    return entries


def splice(text, targets):
    return splice_at(text, targets, Way(scan, lambda old, new: str(new), "pairs"))
"""


def test_a_new_format_is_one_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pairs.py").write_text(NEW)
    monkeypatch.setattr(formats, "__path__", [*formats.__path__, str(tmp_path)])
    caches = (formats._names, formats._by_suffix, formats.suffixes, formats._module)
    from gandoctor import configs

    for kept in (*caches, configs._names):
        kept.cache_clear()
    try:
        text = "lr_d~0.1;lr_g~0.2"
        got = read(tmp_path, "hparams.pairs", text)
        assert {k: s.value for k, s in got.items()} == {"lr_d": 0.1, "lr_g": 0.2}
        assert config_rank(tmp_path / "hparams.pairs") is not None
        after = formats.format_of("a.pairs", text).splice(text, [Target("lr_d", 0.05)]).text
        assert after == "lr_d~0.05;lr_g~0.2"
        assert formats.changes("a.pairs", text, after) == {"lr_d": 0.05}
    finally:
        sys.modules.pop("gandoctor.configs.formats.pairs", None)
        for kept in (*caches, configs._names):
            kept.cache_clear()
