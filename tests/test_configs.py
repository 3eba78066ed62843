from __future__ import annotations

import contextlib
import time

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gandoctor.configs import looks_like_config, read_config
from gandoctor.configs.formats import yaml as yaml_reader
from gandoctor.errors import InputError


def read(tmp_path, name: str, text: str | bytes):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_config(path, name)


def by_key(reading) -> dict:
    return {s.key: (s.value, s.line) for s in reading.settings}


# ---------------------------------------------------------------- YAML


def test_yaml_values_are_those_of_pyyaml(tmp_path):
    text = (
        "lr: 5e-5\nlr_d: 5.0e-5\nsteps: 10_000\nhex: 0x10\non_gpu: yes\nname: ~\nclock: "
        "1:30\nwhen: 2024-01-01\n"
        'quoted: "1"\ninf: .inf\nempty:\nlong: |\n  a\n  b\n'
    )
    got = by_key(read(tmp_path, "config.yaml", text))
    truth = yaml.safe_load(text)
    for key, value in truth.items():
        expected = "2024-01-01" if key == "when" else value
        assert got[key][0] == expected, key
        assert type(got[key][0]) is type(expected), key
    assert got["lr"] == ("5e-5", 1)  # a string, as in the user's own program
    assert got["lr_d"] == (5e-5, 2)


def test_yaml_lines_lists_anchors_and_documents(tmp_path):
    text = """# options
base: &base
  lr: 0.0002   # both
  betas: [0.5, 0.999]
optim_d:
  <<: *base
  lr: 0.001
optim_g: *base
nets:
  - {name: A, width: 64}
  - name: B
    width: 32
---
seed: 3
"""
    got = by_key(read(tmp_path, "config.yaml", text))
    assert got["base.lr"] == (0.0002, 3)
    assert got["optim_d.lr"] == (0.001, 7)
    assert got["optim_d.betas"] == ((0.5, 0.999), 4)
    assert got["optim_d.betas.0"] == (0.5, 4)
    assert got["optim_g.lr"] == (0.0002, 3)  # the line where a patch has to change it
    assert got["nets.1.width"] == (32, 12)
    assert got["seed"] == (3, 14)


def test_yaml_tags_are_inert(tmp_path):
    text = """betas: !!python/tuple [0.5, 0.999]
lr: !!float 1e-4
optim: !!python/name:torch.optim.Adam ''
evil: !!python/object/apply:os.system ["touch pwned"]
ns: !!python/object:argparse.Namespace {z_dim: 64}
own: !Custom {a: 1}
"""
    got = by_key(read(tmp_path, "hparams.yaml", text))
    assert got["betas"][0] == (0.5, 0.999)
    assert got["lr"][0] == 1e-4
    assert got["optim"][0] == "torch.optim.Adam"
    assert got["ns.z_dim"] == (64, 5)
    assert got["own.a"] == (1, 6)
    assert not (tmp_path / "pwned").exists()


def test_yaml_duplicate_keys_keep_the_last(tmp_path):
    assert by_key(read(tmp_path, "config.yaml", "lr: 1\nb: 2\nlr: 3\n"))["lr"] == (3, 3)


@pytest.mark.parametrize("loader", ["CSafeLoader", "SafeLoader"])
@pytest.mark.parametrize("layout", ["flow", "block", "unindented"])
def test_a_long_yaml_config_is_read_without_its_data(tmp_path, monkeypatch, loader, layout):
    monkeypatch.setattr(yaml_reader, "_LOADER", getattr(yaml, loader))
    items = ["0.125"] * 200_000
    data = {
        "flow": "data: [" + ", ".join(items) + "]\n",
        "block": "data:\n" + "".join(f"  - {x}\n" for x in items),
        "unindented": "data:\n" + "".join(f"- {x}\n" for x in items),
    }[layout]
    start = time.process_time()
    reading = read(tmp_path, "config.yaml", f"batch_size: 8\n{data}lr: 0.1\nmodel:\n  nz: 100\n")
    assert time.process_time() - start < 1
    got = by_key(reading)
    line = 3 + data.count("\n") - 1
    assert got == {"batch_size": (8, 1), "lr": (0.1, line), "model.nz": (100, line + 2)}
    assert "its long entries are left out" in reading.lost


@pytest.mark.parametrize("loader", ["CSafeLoader", "SafeLoader"])
def test_a_yaml_config_of_two_megabytes_takes_seconds_at_most(tmp_path, monkeypatch, loader):
    monkeypatch.setattr(yaml_reader, "_LOADER", getattr(yaml, loader))
    text = "lr: 0.1\n" + "".join(f"key_{i}: {{a: {i}, b: [1, 2, 3]}}\n" for i in range(60_000))
    start = time.process_time()
    assert by_key(read(tmp_path, "config.yaml", text))["lr"] == (0.1, 1)
    assert time.process_time() - start < 4


def test_yaml_bombs_and_depth_end_soon(tmp_path):
    bomb = "a0: &a0 [x, x]\n" + "".join(
        f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]\n" for i in range(1, 60)
    )
    merges = "a0: &a0 {k: 1}\n" + "".join(
        f"a{i}: &a{i} {{<<: [*a{i - 1}, *a{i - 1}]}}\n" for i in range(1, 60)
    )
    loop = "a: &a [1, *a]\nlr: 3\n"
    deep = "lr: 1\nx: " + "[" * 100_000
    indented = "".join(" " * i + "a:\n" for i in range(2_000))
    began = time.perf_counter()
    for name, text in (
        ("bomb", bomb),
        ("merges", merges),
        ("loop", loop),
        ("deep", deep),
        ("indented", indented),
    ):
        try:
            reading = read(tmp_path, f"{name}.yaml", text)
        except InputError:
            continue
        assert reading.lost, name
    assert time.perf_counter() - began < 5


def test_what_stands_before_a_fault_is_kept(tmp_path):
    reading = read(tmp_path, "config.yaml", "lr: 1\n---\nb: [1\nc: 2\n")
    assert by_key(reading) == {"lr": (1, 1)}
    assert "line" in reading.lost
    with pytest.raises(InputError) as caught:
        read(tmp_path, "config.yaml", "a: b: c\n\tx")
    assert "config.yaml" in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


def test_wandb_wrapping_is_taken_off(tmp_path):
    text = """wandb_version: 1
_wandb:
  desc: null
  value: {cli_version: 0.12}
lr:
  desc: null
  value: 0.0002
optim:
  value:
    betas: [0.5, 0.9]
"""
    got = by_key(read(tmp_path, "files/config.yaml", text))
    assert got["lr"] == (0.0002, 7)
    assert got["optim.betas"][0] == (0.5, 0.9)
    assert not any(key.startswith(("_wandb", "wandb_version")) or "value" in key for key in got)
    plain = by_key(read(tmp_path, "config.yaml", "clip:\n  value: 0.01\nlr: 1\n"))
    assert plain["clip.value"] == (0.01, 2)


# ---------------------------------------------------------------- JSON


def test_json_lines_and_kinds(tmp_path):
    text = """{
  "train": {"lr": 2e-4,
    "betas": [0.8, 0.99]},
  "name": "a\\u00e9\\n", "x": NaN, "no": null,
  "sizes": [{"a": 1}, {"a": 2}],
  "empty": {}, "flag": true
}"""
    got = by_key(read(tmp_path, "config.json", text))
    assert got["train.lr"] == (2e-4, 2)
    assert got["train.betas"] == ((0.8, 0.99), 3)
    assert got["train.betas.1"] == (0.99, 3)
    assert got["name"] == ("aé\n", 4)
    assert got["x"][0] != got["x"][0]
    assert got["sizes.1.a"] == (2, 5)
    assert got["flag"] == (True, 6)


def test_json_comments_trailing_commas_tabs_and_marks(tmp_path):
    text = b'\xef\xbb\xbf{\r\n\t"lr": 1e-4, // rate\r\n\t/* more\r\n */ "b": [1,2,],\r\n}'
    got = by_key(read(tmp_path, "options.json", text))
    assert got["lr"] == (1e-4, 2)
    assert got["b"] == ((1, 2), 4)


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**53), 2**53)
        | st.floats(allow_nan=False)
        | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text("abc", min_size=1, max_size=2), inner, max_size=3)
        ),
        max_leaves=8,
    )
)
@settings(max_examples=80, deadline=None)
def test_json_leaves_agree_with_the_library(tmp_path_factory, data):
    import json

    def leaves(value, path=()):
        if isinstance(value, dict):
            for k, v in value.items():
                yield from leaves(v, (*path, k))
        elif isinstance(value, list):
            for i, v in enumerate(value):
                yield from leaves(v, (*path, str(i)))
        else:
            yield ".".join(path), value

    truth = dict(leaves({"top": data}))
    if not truth:
        return
    got = by_key(
        read(tmp_path_factory.mktemp("j"), "config.json", json.dumps({"top": data}, indent=1))
    )
    assert {k: got[k][0] for k in truth} == truth


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "b": }',
        '{"a": 1',
        '{"a": 1]',
        '{"a": 1} x',
        '{"a": 1, b: 2}',
        '{"a": 1, "b": 1.2.3}',
    ],
)
def test_json_faults_are_named_with_their_line(tmp_path, text):
    reading = read(tmp_path, "config.json", "\n" + text)
    assert reading.settings[0].value == 1
    assert reading.lost is None or reading.lost.startswith("line 2:")
    assert reading.lost or text == '{"a": 1, "b": }'


# ---------------------------------------------------------------- the others


def test_toml(tmp_path):
    text = """seed = 1
[optim.d]
lr = 2e-4 # rate
betas = [0.5,
  0.9]
"odd key" = 1
[[nets]]
w = 1
[[nets]]
w = 2
"""
    got = by_key(read(tmp_path, "run.toml", text))
    assert got["optim.d.lr"] == (2e-4, 3)
    assert got["optim.d.betas"] == ((0.5, 0.9), 4)
    assert got["nets.1.w"] == (2, 10)
    assert got["optim.d.odd key"] == (1, 6)
    with pytest.raises(InputError, match="line 1"):
        read(tmp_path, "bad.toml", "a = = 1\n")


def test_train_opt(tmp_path):
    text = """----------------- Options ---------------
               batch_size: 1
                    beta1: 0.5
                       lr: 0.0001                           \t[default: 0.0002]
                 dataroot: ./data/a b                       \t[default: None]
                  gpu_ids: 0,1                              \t[default: 0]
                     name:
           continue_train: False
----------------- End -------------------
"""
    got = by_key(read(tmp_path, "train_opt.txt", text))
    assert got["lr"] == (0.0001, 4)
    assert got["dataroot"] == ("./data/a b", 5)
    assert got["gpu_ids"] == ("0,1", 6)
    assert got["continue_train"] == (False, 8)
    assert got["name"][0] == ""


def test_namespace_on_one_line_or_several(tmp_path):
    text = """started
Namespace(lr=0.0002, betas=(0.5, 0.9), name='a, b=(c)', fn=<function f at 0x7f>, device=device(type='cuda'),
  n_critic=5, path=None)
Epoch 1 loss=3
"""
    got = by_key(read(tmp_path, "args.txt", text))
    assert got["lr"] == (0.0002, 2)
    assert got["betas"] == ((0.5, 0.9), 2)
    assert got["name"][0] == "a, b=(c)"
    assert got["n_critic"] == (5, 3)
    assert got["path"] == (None, 3)
    assert got["device"][0] == "device(type='cuda')"
    assert "loss" not in got


def test_flags_gin_ini_and_printed_dicts(tmp_path):
    flags = by_key(
        read(
            tmp_path,
            "flagfile.txt",
            "# flags\n--lr=1e-4\n--noaugment\n--loss hinge --verbose\n--alpha=-3\n",
        )
    )
    assert flags == {
        "lr": (1e-4, 2),
        "augment": (False, 3),
        "loss": ("hinge", 4),
        "verbose": (True, 4),
        "alpha": (-3, 5),
    }
    text = "# Parameters\noptions.lamba = 1\nloss.fn = @non_saturating\nG.lr = 2e-4\n"
    gin = by_key(read(tmp_path, "operative_config-100.gin", text))
    assert gin["options.lamba"] == (1, 2)
    assert gin["loss.fn"][0] == "@non_saturating"
    ini = by_key(read(tmp_path, "config.ini", "[train]\nlr = 0.1 \n; no\nurl = http://x:1/\n"))
    assert ini["train.lr"] == (0.1, 2)
    assert ini["train.url"][0] == "http://x:1/"
    text = "datetime: 2019-03-18\nconfig: {'G_lr': 1e-4, 'act': ReLU(inplace), 'b': [1, 2]}\n"
    meta = by_key(read(tmp_path, "metalog.txt", text))
    assert meta["G_lr"] == (1e-4, 2)
    assert meta["b"][0] == (1, 2)


def test_python_constants_without_running_anything(tmp_path):
    text = """import os
os.system("touch pwned")
LR = 2e-4
BETAS = (0.5, 0.999)
x = f(3)
a, b = 1, -2.5
class Config:
    n_critic: int = 5
optim = dict(type="Adam", lr=1e-3, sub=dict(eps=1e-8))
model = {"z": 64, "sizes": [4, 8]}
cfg.train.lr = 0.1
parser.add_argument("--d-lr", type=float, default=4e-4)
"""
    got = by_key(read(tmp_path, "config.py", text))
    assert got["LR"] == (2e-4, 3)
    assert got["BETAS"] == ((0.5, 0.999), 4)
    assert got["b"] == (-2.5, 6)
    assert got["Config.n_critic"] == (5, 8)
    assert got["optim.lr"] == (1e-3, 9)
    assert got["optim.sub.eps"] == (1e-8, 9)
    assert got["model.sizes"][0] == (4, 8)
    assert got["train.lr"] == (0.1, 11)
    assert got["d_lr"] == (4e-4, 12)
    assert "x" not in got
    assert not (tmp_path / "pwned").exists()


# ---------------------------------------------------------------- which files are configs


@pytest.mark.parametrize(
    "name",
    ["config.yaml", "config.json", "train_opt.txt", "opt.txt", "hparams.yaml", "args.txt",
        "params.json",
     "settings.yml", "training_options.json", ".hydra/config.yaml", "operative_config-500.gin",
     "2020-11-09-project.yaml", "flagfile.txt"],
)  # fmt: skip
def test_names_of_configs(tmp_path, name):
    assert looks_like_config(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "text", "is_config"),
    [
        ("experiment.yaml", "lr: 1\nbatch_size: 2\n", True),
        ("notes.yaml", "title: x\nauthor: y\n", False),
        ("gan.json", '{"g_lr": 1, "n_critic": 5}', True),
        ("classes.json", '{"lr": 1, "batch_size": 5}', False),
        ("package.json", '{"lr": 1, "batch_size": 5}', False),
        ("tsconfig.json", "{}", False),
        ("config.py", "lr = 1\nbatch_size = 3\n", True),
        ("wgan.py", "lr = 1\nbatch_size = 3\n", True),
        ("wgan.py", "# none\n", False),
        ("wgan.py", "import os\nlr = 1\nbatch_size = 3\n", False),
        ("wgan.py", "lr = 1\nbatch_size = 3\nfor i in range(3):\n    pass\n", False),
        ("wgan.py", f"lr = 1\nbatch_size = 3\n{' ' * 70_000}", False),
        ("wandb-summary.json", '{"lr": 1, "batch_size": 5}', False),
        ("gandoctor.toml", "lr = 1\nbatch_size = 5", False),
        (".hydra/hydra.yaml", "lr: 1\nbatch_size: 2\n", False),
        ("metrics.csv", "lr,batch_size\n", False),
    ],
)
def test_weaker_names_are_looked_into(tmp_path, name, text, is_config):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    assert looks_like_config(path) is is_config


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00\x01\x02",
        b"version https://git-lfs.github.com/spec/v1\noid x",
        b"\xff\xfe",
        b"[]",
        b"# none\n",
    ],
)
@pytest.mark.parametrize(
    "name", ["config.yaml", "config.json", "run.toml", "args.txt", "config.py"]
)
def test_files_without_settings_are_said_to_be_so(tmp_path, name, data):
    with pytest.raises(InputError) as caught:
        read(tmp_path, name, data)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_dashes_that_are_no_flag(tmp_path):
    with pytest.raises(InputError):
        read(tmp_path, "args.txt", "--1\n")
    assert by_key(read(tmp_path, "args.txt", "--1\n--lr=3\n")) == {"lr": (3, 2)}


@given(
    data=st.binary(max_size=300),
    name=st.sampled_from(["c.yaml", "c.json", "c.toml", "c.txt", "c.py", "c.ini"]),
)
@settings(max_examples=150, deadline=None)
def test_no_bytes_raise_anything_else(tmp_path_factory, data, name):
    with contextlib.suppress(InputError):
        read(tmp_path_factory.mktemp("f"), name, data)


@given(
    st.text("ab:[]{}<>(),='\"#-&*!|\n 1.e~%`\\", max_size=80),
    st.sampled_from(["c.yaml", "c.json", "c.toml", "args.txt", "c.py"]),
)
@settings(max_examples=250, deadline=None)
def test_no_text_raises_anything_else(tmp_path_factory, text, name):
    with contextlib.suppress(InputError):
        read(tmp_path_factory.mktemp("t"), name, text)
