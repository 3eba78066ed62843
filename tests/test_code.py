"""Settings in training code: read where they stand, changed there, nothing run."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import textwrap

import pytest

from gandoctor.configs import python
from gandoctor.configs.python.choosing import Hint
from gandoctor.configs.python.commands import commands_of
from gandoctor.configs.python.edits import Editor, is_only
from gandoctor.configs.python.gathering import gather
from gandoctor.configs.python.units import unit_of
from gandoctor.configs.splice import SpliceError

HEAD = """\
    import torch.optim as optim
    netD, netG = Discriminator(), Generator()
"""


@pytest.fixture
def code(tmp_path):
    """Read the training in files that are written out here: the code, and an editor of it."""

    def made(text="", hint=None, **files):
        if text:
            files["train__py"] = text
        for name, its in files.items():
            file = tmp_path / name.replace("___", "/").replace("__", ".")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(its if file.suffix == ".ipynb" else textwrap.dedent(its))
        found, gathered = python.read(tmp_path, hint)
        assert found is not None
        return found, Editor(found, gathered)

    return made


def values(found):
    return {name: f.value for name, f in found.found.items()}


def lines(found):
    return {name: (f.place.file, f.place.line) for name, f in found.found.items()}


def notebook(*cells, **how):
    made = [
        {"cell_type": "code", "metadata": {}, "outputs": [], "source": c.splitlines(keepends=True)}
        if isinstance(c, str)
        else {"cell_type": "markdown", "metadata": {}, "source": ["# text"]}
        for c in cells
    ]
    return json.dumps({"cells": made, "nbformat": 4}, indent=1, **how)


# ---------------------------------------------------------------- where a rate stands

RATES = {
    "literal": ("d = optim.Adam(netD.parameters(), lr=1e-4)", 1e-4, 3),
    "by place": ("d = optim.RMSprop(netD.parameters(), 1e-4)", 1e-4, 3),
    "constant": ("LR = 1e-4\nd = optim.Adam(netD.parameters(), lr=LR)", 1e-4, 3),
    "arithmetic": ("lr = 4e-4\nd = optim.Adam(netD.parameters(), lr=lr / 4)", 1e-4, 4),
    "power": ("d = optim.Adam(netD.parameters(), lr=10**-4)", 1e-4, 3),
    "last before": ("lr = 5\nlr = 1e-4\nd = optim.Adam(netD.parameters(), lr=lr)\nlr = 7", 1e-4, 4),
    "tuple": ("b, lr = 0.5, 1e-4\nd = optim.Adam(netD.parameters(), lr=lr)", 1e-4, 3),
    "one line": ("A=64; B=32; LR=1e-4\nd = optim.Adam(netD.parameters(), lr=LR)", 1e-4, 3),
    "dict": ('c = {"lr": 1e-4, "b": 2}\nd = optim.Adam(netD.parameters(), lr=c["lr"])', 1e-4, 3),
    "dict later": ('c = {"lr": 3}\nc["lr"] = 1e-4\nd = optim.Adam(netD.parameters(), c["lr"])', 1e-4, 4),
    "get": ('c = dict(b=2)\nd = optim.Adam(netD.parameters(), c.get("lr", 1e-4))', 1e-4, 4),
    "class": ("class CFG:\n    lr = 1e-4\nd = optim.Adam(netD.parameters(), CFG.lr)", 1e-4, 4),
    "object": (
        ("class C:\n    def __init__(self, lr=3):\n        self.lr = lr\nc = C(lr=1e-4)\n"
        "d = optim.Adam(netD.parameters(), c.lr)"), 1e-4, 6,
    ),
    "dataclass": (
        ("@dataclass\nclass C:\n    lr: float = field(default=1e-4)\nc = C()\n"
        "d = optim.Adam(netD.parameters(), c.lr)"), 1e-4, 5,
    ),
    "namespace": ("a = Namespace(lr=1e-4)\nd = optim.Adam(netD.parameters(), a.lr)", 1e-4, 3),
    "tyro": (
        "class C:\n    lr: float = 1e-4\nc = tyro.cli(C)\nd = optim.Adam(netD.parameters(), c.lr)",
        1e-4, 4,
    ),
    "argparse": (
        ('p = argparse.ArgumentParser()\np.add_argument("--lr-d", type=float,\n    default=1e-4)\n'
        "a = p.parse_args()\nd = optim.Adam(netD.parameters(), a.lr_d)"), 1e-4, 5,
    ),
    "vars": (
        ('p.add_argument("--lr", default=1e-4)\na = p.parse_args()\n'
        'd = optim.Adam(netD.parameters(), vars(a)["lr"])'), 1e-4, 3,
    ),
    "set_defaults": (
        ('p.add_argument("--lr", default=9)\np.set_defaults(lr=1e-4)\na = p.parse_args()\n'
        "d = optim.Adam(netD.parameters(), a.lr)"), 1e-4, 4,
    ),
    "flags": (
        ('flags.DEFINE_float("lr", 1e-4, "rate")\nF = flags.FLAGS\n'
        "d = optim.Adam(netD.parameters(), F.lr)"), 1e-4, 3,
    ),
    "click": (
        ('@click.option("--lr", default=1e-4)\ndef main(lr):\n'
        "    d = optim.Adam(netD.parameters(), lr)"), 1e-4, 3,
    ),
    "typer": (
        "def main(lr: float = typer.Option(1e-4)):\n    d = optim.Adam(netD.parameters(), lr)",
        1e-4, 3,
    ),
    "default": ("def run(lr=1e-4):\n    d = optim.Adam(netD.parameters(), lr)\nrun()", 1e-4, 3),
    "argument": ("def run(lr=3):\n    d = optim.Adam(netD.parameters(), lr)\nrun(1e-4)", 1e-4, 5),
    "spread": ('c = {"lr": 1e-4}\ndef run(lr):\n    d = optim.Adam(netD.parameters(), lr)\nrun(**c)', 1e-4, 3),
    "getattr": ('d = optim.Adam(netD.parameters(), getattr(c, "lr", 1e-4))', 1e-4, 3),
    "schedule": ("s = ExponentialDecay(1e-4, 9, 0.9)\nd = Adam(s)\nd.minimize(d_loss)", 1e-4, 3),
    "unless": ("lr = 5 if kind == 'w' else 1e-4\nkind = 'b'\nd = optim.Adam(netD.parameters(), lr)", 1e-4, 3),
    "library": ("d = optim.Adam(netD.parameters())", 1e-3, 3),
}  # fmt: skip


@pytest.mark.parametrize("kind", RATES)
def test_a_rate_is_followed_to_where_it_stands(code, kind):
    text, value, line = RATES[kind]
    found, _ = code(textwrap.dedent(HEAD) + text)
    assert found.found["lr_d"].value == pytest.approx(value)
    assert lines(found)["lr_d"] == ("train.py", str(line))


# ---------------------------------------------------------------- whose an optimiser is

WHOSE = {
    "names": "optD = Adam(netD.parameters(), 1)\noptG = Adam(netG.parameters(), 2)",
    "critic": "c_optimizer = Adam(critic.parameters(), 1)\ng = Adam(gen.parameters(), 2)",
    "class": "C = Critic()\nM = Generator()\na = Adam(C.parameters(), 1)\nb = Adam(M.parameters(), 2)",
    "decoder": (
        "d_optimizer = Adam(decoder.parameters(), 5)\nx = Adam(D.parameters(), 1)\n"
        "y = Adam(G.parameters(), 2)"
    ),
    "pairs": (
        "a = Adam(itertools.chain(D_X.parameters(), D_Y.parameters()), 1)\n"
        "b = Adam(list(G_X.parameters()) + list(G_Y.parameters()), 2)"
    ),
    "losses": (
        "a = tf.train.AdamOptimizer(1).minimize(d_loss, var_list=d_vars)\n"
        "b = tf.train.AdamOptimizer(2).minimize(g_loss, var_list=g_vars)"
    ),
    "compile": (
        "discriminator.compile(loss='b', optimizer=Adam(1))\ncombined.compile(optimizer=Adam(2))"
    ),
    "keywords": "gan.compile(d_optimizer=Adam(1), g_optimizer=Adam(2))",
    "inside": (
        "class Discriminator:\n    def __init__(self):\n        self.optimizer = Adam(learning_rate=1)\n"
        "class Generator:\n    def __init__(self):\n        self.optimizer = Adam(learning_rate=2)"
    ),
    "helper": (
        "def made(net, lr):\n    return Adam(net.parameters(), lr=lr)\n"
        "one = made(netD, 1)\ntwo = made(netG, 2)"
    ),
    "keyed": 'gan_opts = {"D": Adam(a.parameters(), 1), "G": Adam(b.parameters(), 2)}',
}  # fmt: skip


@pytest.mark.parametrize("kind", WHOSE)
def test_d_and_g_are_told_apart(code, kind):
    found, _ = code(WHOSE[kind])
    assert (found.found["lr_d"].value, found.found["lr_g"].value) == (1, 2)


def test_one_object_for_both_is_said_to_be_of_both(code):
    found, editor = code("""\
        opt = Adam(0.0002, 0.5)
        discriminator.compile(loss="binary_crossentropy", optimizer=opt)
        combined.compile(loss="binary_crossentropy", optimizer=opt)
        """)
    assert values(found)["lr_d"] == values(found)["lr_g"] == 0.0002
    assert values(found)["beta1_d"] == 0.5
    assert values(found)["loss_family"] == "nonsaturating"
    ((_, change),) = editor.edit({"lr_d": 1e-5}).changes
    assert (change.line, change.old, change.new) == ("2", "opt", "Adam(0.00001, 0.5)")


# ---------------------------------------------------------------- a whole training

WHOLE = """\
import torch.nn as nn
import torch.optim as optim

Z = 64
config = {"learning_rate": 9, "batch_size": 9}   # nothing reads it
BATCH, EPOCHS = 32, 20
nz = Z

class Generator(nn.Module):
    def __init__(self):
        self.net = nn.Sequential(nn.Linear(nz, 9), nn.ReLU(), nn.Linear(9, 9), nn.Tanh())

class Discriminator(nn.Module):
    def __init__(self):
        self.net = nn.Sequential(nn.utils.spectral_norm(nn.Linear(9, 9)), nn.Dropout(0.3))

transform = transforms.Compose([transforms.Resize(64), transforms.Normalize((0.5,), (0.5,))])
loader = DataLoader(data, batch_size=BATCH, shuffle=True)
val_loader = DataLoader(val, batch_size=1)
gen, disc = Generator(), Discriminator()
opt_g = optim.Adam(gen.parameters(), lr=2e-4, betas=(0.5, 0.99))
opt_d = optim.Adam(disc.parameters(), lr=1e-4, betas=(0.4, 0.9))
for epoch in range(EPOCHS):
    for x in loader:
        batch_size = x.size(0)
        for _ in range(3):
            loss = disc(fake).mean() - disc(x).mean() + 10 * gradient_penalty(disc, x, fake)
            opt_d.step()
        opt_g.step()
"""


def test_a_whole_training_is_read(code):
    found, _ = code(WHOLE)
    assert values(found).items() >= {
        "lr_d": 1e-4, "lr_g": 2e-4, "beta1_d": 0.4, "beta2_d": 0.9, "beta1_g": 0.5, "beta2_g": 0.99,
        "optimizer_d": "adam", "optimizer_g": "adam", "batch_size": 32, "epochs": 20, "latent_dim": 64,
        "n_critic": 3, "lambda_gp": 10, "loss_family": "wgan-gp", "output_activation": "tanh",
        "d_dropout": 0.3, "spectral_norm": True, "data_range": "-1..1", "image_size": 64,
    }.items()  # fmt: skip
    assert lines(found)["batch_size"] == ("train.py", "6")
    assert lines(found)["latent_dim"] == ("train.py", "4")
    assert lines(found)["n_critic"] == ("train.py", "26")


FAMILIES = {
    "nonsaturating": "criterion = nn.BCEWithLogitsLoss()",
    "lsgan": "criterion = nn.MSELoss()",
    "hinge": "loss = F.relu(1 - real).mean() + F.relu(1 + fake).mean()",
    "wgan": "loss = torch.mean(d_fake) - torch.mean(d_real)",
}


@pytest.mark.parametrize("family", FAMILIES)
def test_the_loss_family_follows_from_what_is_called(code, family):
    found, _ = code(WHOSE["names"] + "\n" + FAMILIES[family])
    assert values(found)["loss_family"] == family


def test_an_option_says_the_family_before_what_is_called(code):
    found, _ = code(
        WHOSE["names"]
        + '\np.add_argument("--gan_mode", default="lsgan")\nuse(p.parse_args().gan_mode)\n'
        + "x = nn.BCELoss()\ny = nn.MSELoss()\n"
    )
    assert values(found)["loss_family"] == "lsgan"


def test_two_families_are_none(code):
    found, _ = code(WHOSE["names"] + "\nx = nn.BCELoss()\nloss = F.relu(1 - real).mean()")
    assert "loss_family" not in values(found)


# ---------------------------------------------------------------- several files

OPTIONS = """\
    class Options:
        def __init__(self, parser):
            parser.add_argument("--lr", type=float, default=0.0002)
            parser.add_argument("--beta1", type=float, default=0.5)
            parser.add_argument("--batch_size", type=int, default=4)
    """
MODEL = """\
    class CycleModel:
        def __init__(self, opt):
            self.fake_pool = Pool(opt.batch_size)
            self.optimizer_G = torch.optim.Adam(chain(self.netG_A.parameters()), lr=opt.lr, betas=(opt.beta1, 0.999))
            self.optimizer_D = torch.optim.Adam(
                chain(self.netD_A.parameters(), self.netD_B.parameters()),
                lr=opt.lr, betas=(opt.beta1, 0.999),
            )
    """


def test_options_in_a_file_of_their_own(code):
    found, editor = code(options___base_options__py=OPTIONS, models___cycle_model__py=MODEL)
    assert lines(found)["lr_d"] == lines(found)["lr_g"] == ("options/base_options.py", "3")
    assert lines(found)["batch_size"] == ("options/base_options.py", "5")
    ((_, change),) = editor.edit({"lr_d": 2e-5}).changes
    assert (change.file, change.line, change.old) == ("models/cycle_model.py", "7", "opt.lr")
    assert change.new == "0.00002"
    ((_, both),) = editor.edit({"lr_d": 2e-5, "lr_g": 2e-5}).changes
    assert (both.file, both.line) == ("options/base_options.py", "3")


def test_a_shell_script_overrules_defaults(code):
    found, editor = code(
        options___base_options__py=OPTIONS,
        models___cycle_model__py=MODEL,
        run__sh="LR=0.0003\npython train.py --lr $LR \\\n  --batch_size=16\n",
    )
    assert values(found)["lr_d"] == 0.0003
    assert values(found)["batch_size"] == 16
    assert lines(found)["lr_d"] == ("run.sh", "1")
    assert lines(found)["batch_size"] == ("run.sh", "3")
    done = editor.edit({"batch_size": 8})
    assert done.texts["run.sh"].endswith("--batch_size=8\n")


def test_a_config_that_the_code_loads(code):
    found, editor = code(
        train__py="""\
            import json
            def train(h):
                g = AdamW(generator.parameters(), h.learning_rate, betas=[h.b1, h.b2])
                d = AdamW(chain(mpd.parameters(), msd.parameters()), h.learning_rate)
            def main():
                h = AttrDict(json.load(open("config.json")))
                train(h)
            """,
        config__json='{\n "learning_rate": 0.0002,\n "b1": 0.8,\n "b2": 0.99\n}\n',
    )
    assert lines(found)["lr_d"] == ("config.json", "2")
    ((_, change),) = editor.edit({"lr_d": 1e-4}).changes
    assert (change.file, change.old, change.new) == ("train.py", "h.learning_rate", "0.0001")
    ((_, change),) = editor.edit({"lr_d": 1e-4, "lr_g": 1e-4}).changes
    assert (change.file, change.new) == ("config.json", "0.0001")


def test_what_is_no_training_does_not_win(code):
    found, _ = code(
        train__py=WHOSE["names"],
        tests___test_train__py=WHOSE["names"].replace("1)", "7)"),
        evaluate__py="opt_d = Adam(disc_probe.parameters(), 9)",
        lib___net__py="class Discriminator: pass",
    )
    assert found.home == "train.py"
    assert found.found["lr_d"].value == 1
    assert found.why


def test_the_program_that_the_log_names_wins(code):
    found, _ = code(
        train_a__py=WHOSE["names"],
        train_b__py=WHOSE["names"].replace("1)", "7)"),
        hint=Hint("train_b.py"),
    )
    assert found.home == "train_b.py"
    assert found.others == ("train_a.py",)


def test_command_lines_are_taken_apart():
    text = 'CUDA=1 python3 -u src/train.py --lr 1e-4 --amp --name "a b" model.z=3 > log\n'
    ((script, given),) = commands_of(text, "x.sh")
    assert script == "src/train.py"
    assert {k: g.value for k, g in given.items()} == {
        "lr": 1e-4,
        "amp": True,
        "name": "a b",
        "z": 3,
    }


# ---------------------------------------------------------------- notebooks


def test_a_notebook_is_read_by_cell(code):
    text = notebook(
        "%matplotlib inline\nlr = 2e-4\n!pip install x",
        None,
        "this is no Python",
        "optD = Adam(netD.parameters(), lr=lr)\noptG = Adam(netG.parameters(), lr=lr)",
    )
    found, editor = code(gan__ipynb=text)
    assert lines(found)["lr_d"] == ("gan.ipynb", "cell0:2")
    assert lines(found)["optimizer_g"] == ("gan.ipynb", "cell3:2")
    done = editor.edit({"lr_d": 2e-5})
    ((_, change),) = done.changes
    assert (change.line, change.old, change.new) == ("cell3:1", "lr", "2e-5")
    after = json.loads(done.texts["gan.ipynb"])
    assert after["cells"][3]["source"][0] == "optD = Adam(netD.parameters(), lr=2e-5)\n"
    before = json.loads(text)
    before["cells"][3]["source"][0] = after["cells"][3]["source"][0]
    assert before == after
    assert (
        sum(
            a != b
            for a, b in zip(text.split("\n"), done.texts["gan.ipynb"].split("\n"), strict=True)
        )
        == 1
    )


@pytest.mark.parametrize("how", [{}, {"ensure_ascii": False}])
def test_places_in_a_notebook_survive_escapes(how):
    text = notebook('s = "é\\n\\t😀"; LR = 0.5\nt = "\\""; B = 7', **how)
    unit = unit_of("a.ipynb", text)
    numbers = [
        n for n in ast.walk(unit.tree) if isinstance(n, ast.Constant) and n.value in (0.5, 7)
    ]
    assert [unit.written(unit.place(n)) for n in numbers] == ["0.5", "7"]


def test_of_several_trainings_that_of_the_printing_cell_counts(code):
    text = notebook(
        *(f"d = Adam(netD.parameters(), {r})\ng = Adam(netG.parameters(), 1)" for r in (2, 3, 4))
    )
    assert code(n__ipynb=text, hint=Hint("n.ipynb", 1))[0].found["lr_d"].value == 3
    assert code(n__ipynb=text)[0].found["lr_d"].value == 4


def test_python_2_and_tabs_lose_a_line_and_no_more(code):
    found, _ = code('print "start"\nfor i in x:\n\tprint "a", i\n' + WHOSE["names"] + "\nx = = 3\n")
    assert found.found["lr_d"].value == 1


# ---------------------------------------------------------------- edits

EDITS = {
    "own literal": ("a = Adam(netD.parameters(), lr=0.001)", "lr_d", "0.001", "0.0001"),
    "own constant": ("LR_D = 1e-3\na = Adam(netD.parameters(), lr=LR_D)", "lr_d", "1e-3", "1e-4"),
    "shared": (
        "lr = 1e-3\na = Adam(netD.parameters(), lr=lr)\nb = Adam(netG.parameters(), lr=lr)",
        "lr_d", "lr=lr)\nb", "lr=1e-4)\nb",
    ),
    "one line": (
        "lr = 1e-3\nb, a = Adam(netG.parameters(), lr), Adam(netD.parameters(), lr)",
        "lr_d", "netD.parameters(), lr)", "netD.parameters(), 1e-4)",
    ),
    "missing": ("a = Adam(netD.parameters())", "lr_d", "parameters())", "parameters(), lr=0.0001)"),
    "keras": ("discriminator.compile(optimizer=Adam())", "lr_d", "Adam()", "Adam(learning_rate=0.0001)"),
    "helper": (
        ("lr = 1e-3\ndef made(n, r): return Adam(n.parameters(), lr=r)\n"
        "optD = made(netD, lr)\noptG = made(netG, lr)"),
        "lr_d", "netD, lr", "netD, 1e-4",
    ),
    "betas": ("a = Adam(netD.parameters(), lr=1)", "beta1_d", "lr=1)", "lr=1, betas=(0.0001, 0.999))"),
    "half of betas": (
        "B = (0.9, 0.99)\na = Adam(netD.parameters(), 1, betas=B)\nb = Adam(netG.parameters(), 1, betas=B)",
        "beta1_d", "1, betas=B)\nb", "1, betas=(0.0001, 0.99))\nb",
    ),
    "spanning": (
        "lr = 1e-3\na = Adam(\n    netD.parameters(),\n    lr=lr,\n)\nb = Adam(netG.parameters(), lr)",
        "lr_d", "    lr=lr,", "    lr=1e-4,",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", EDITS)
def test_one_small_place_is_changed(code, tmp_path, kind):
    text, setting, old, new = EDITS[kind]
    _, editor = code(text)
    done = editor.edit({setting: 1e-4})
    assert done.texts == {"train.py": text.replace(old, new, 1)}
    ((_, change),) = done.changes
    assert is_only("train.py", text, done.texts["train.py"], [(change.old, change.new)])
    (tmp_path / "train.py").write_text(done.texts["train.py"])
    again, _ = python.read(tmp_path)
    assert again.found[setting].value == 1e-4


def test_a_change_that_would_move_another_optimiser_is_not_made(code):
    text = "opt = Adam(1e-3)\nopt.minimize(d_loss)\nopt.minimize(g_loss)\n"
    _, editor = code(text)
    with pytest.raises(SpliceError):
        editor.edit({"lr_d": 1e-4})


def test_a_pair_of_discriminators_is_changed_where_both_have_their_rate(code):
    text = (
        "lr, rate = 2e-4, 2e-4\na = Adam(D_X.parameters(), lr=rate)\n"
        "b = Adam(D_Y.parameters(), lr=rate)\nc = Adam(G_X.parameters(), lr=lr)\n"
    )
    _, editor = code(text)
    assert editor.edit({"lr_d": 2e-5}).texts == {
        "train.py": text.replace("2e-4, 2e-4", "2e-4, 2e-5")
    }


def test_a_script_without_a_training_is_not_answered_by_another(tmp_path):
    (tmp_path / "train.py").write_text(WHOSE["names"])
    (tmp_path / "other.py").write_text("netD = 1\nx = Adam(netD)\n")
    (tmp_path / "plain.py").write_text("x = 1\n")
    assert python.read(tmp_path / "plain.py")[0] is None


# ---------------------------------------------------------------- what costs nothing


def test_nothing_is_run_or_imported(code, tmp_path):
    mark = tmp_path / "ran"
    code(f"open({str(mark)!r}, 'w')\nimport nothing_of_this_name\n" + WHOSE["names"])
    assert not mark.exists()


HOSTILE = {
    "deep": "x = " + "(" * 5_000 + ")" * 5_000,
    "nested": "\n".join(" " * i + "if x:" for i in range(150)),
    "power": "d = Adam(netD.parameters(), lr=10**10**10)\ng = Adam(netG.parameters(), 9**9**9**9)",
    "endless": "lr = lr\ndef f(a=f()): return f(f(a))\nd = Adam(netD.parameters(), lr=f(lr))",
    "circle": "class A(B):\n    pass\nclass B(A):\n    pass\nd = Adam(netD.parameters(), A.lr)",
    "zero": "d = Adam(netD.parameters(), lr=1/0)",
    "long": "x = " + "+".join(["1"] * 20_000),
    "wide": "\n".join(f"v{i} = v{i - 1} + v{i - 1}" for i in range(1, 400)) + "\nd = Adam(netD.parameters(), v399)",
    "null": "d = Adam(netD.parameters(), 1)\0",
    "surrogate": "s = '\\ud800'\nd = Adam(netD.parameters(), 1)",
}  # fmt: skip


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("suffix", ["py", "ipynb"])
def test_a_hostile_file_costs_nothing(tmp_path, kind, suffix):
    text = HOSTILE[kind]
    (tmp_path / f"train.{suffix}").write_text(notebook(text) if suffix == "ipynb" else text)
    found, gathered = python.read(tmp_path)
    if found is not None and "lr_d" in found.found:
        Editor(found, gathered)


def test_folders_of_others_are_not_searched(tmp_path):
    for name in ("venv", ".git", "node_modules", "tests"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "train.py").write_text(WHOSE["names"])
    (tmp_path / "loop").symlink_to(tmp_path)
    assert not gather(tmp_path).files


# ---------------------------------------------------------------- with a log


@pytest.fixture
def losing(tmp_path):
    """A log in which D wins from early on."""
    run = tmp_path / "run"
    run.mkdir()
    rows = [
        f"{i * 50},{max(0.002, 1.2 * 0.96**i):.5f},{0.8 + min(9, i * 0.05):.4f}" for i in range(300)
    ]
    (run / "loss.csv").write_text("step,d_loss,g_loss\n" + "\n".join(rows) + "\n")
    return run / "loss.csv"


def cli(*args, **how):
    from typer.testing import CliRunner

    from gandoctor.cli import app

    return CliRunner().invoke(app, [str(a) for a in args], **how)


@pytest.mark.parametrize(
    "tool", [["git", "apply"], ["patch", "-p1", "--fuzz=0", "-i"]], ids=lambda t: t[0]
)
@pytest.mark.parametrize("name", ["train.py", "gan.ipynb"])
def test_the_patch_of_a_source_tree(tmp_path, losing, tool, name):
    repo = tmp_path / "repo"
    repo.mkdir()
    shared = (
        "lr = 2e-4\noptD = Adam(netD.parameters(), lr=lr)\noptG = Adam(netG.parameters(), lr=lr)\n"
        "criterion = nn.BCELoss()\n"
    )
    text = notebook(shared) if name.endswith(".ipynb") else shared
    (repo / name).write_text(text)
    said = cli("patch", losing, "--repo", repo).output
    (tmp_path / "p.diff").write_text(said)
    subprocess.run([*tool, str(tmp_path / "p.diff")], cwd=repo, check=True, capture_output=True)
    after = (repo / name).read_text()
    assert sum(a != b for a, b in zip(text.split("\n"), after.split("\n"), strict=True)) == 1
    rows = json.loads(cli("signals", repo / name, "--settings", "--format", "json").output)
    rates = {r["setting"]: r["value"] for r in rows}
    assert rates["lr_d"] < rates["lr_g"] == 2e-4


def test_apply_changes_the_code_and_keeps_a_backup(tmp_path, losing):
    repo = tmp_path / "repo"
    repo.mkdir()
    (repo / "train.py").write_text(WHOSE["names"].replace("1)", "2e-4)").replace("2)", "2e-4)"))
    done = cli("patch", losing, "--repo", repo, "--apply")
    assert done.exit_code == 0, done.output
    assert "netD.parameters(), 2e-4)" not in (repo / "train.py").read_text()
    assert (repo / "train.py.orig").exists()
    out = tmp_path / "r.json"
    cli("analyze", losing, "--repo", repo, "-o", out)
    notes = json.loads(out.read_text())["run"]["notes"]
    assert any(n.startswith("train.py was patched after this run was logged") for n in notes)
    later = (repo / "train.py.orig").stat().st_mtime + 10
    os.utime(losing, (later, later))  # trained again
    cli("analyze", losing, "--repo", repo, "-o", out)
    assert not any("patched" in n for n in json.loads(out.read_text())["run"]["notes"])


def test_the_report_says_where_a_setting_comes_from(tmp_path, losing):
    repo = tmp_path / "repo"
    repo.mkdir()
    (repo / "train.py").write_text(WHOLE)
    (losing.parent / "config.yaml").write_text("batch_size: 48\nlr_d: 0.0005\n")
    out = tmp_path / "r.json"
    cli("analyze", losing, "--repo", repo, "-o", out)
    report = json.loads(out.read_text())
    told = {s["name"]: s for s in report["settings"]}
    assert told["batch_size"]["value"] == "48"
    assert "how" not in told["batch_size"]
    assert (told["lr_g"]["file"], told["lr_g"]["line"], told["lr_g"]["how"]) == (
        "train.py",
        21,
        "literal",
    )
    assert told["lr_g"]["confidence"] == "high"
    assert any("settings were read in the code of train.py" in n for n in report["run"]["notes"])


def test_the_program_that_a_run_names_is_read(tmp_path, losing):
    repo = tmp_path / "repo"
    repo.mkdir()
    (repo / "train_a.py").write_text(WHOSE["names"])
    (repo / "train_b.py").write_text(
        'p.add_argument("--rate", default=7)\na = p.parse_args()\n'
        + WHOSE["names"].replace("1)", "a.rate)")
    )
    meta = {"program": "/home/me/gan/train_b.py", "args": ["--rate", "3e-4"]}
    (losing.parent / "wandb-metadata.json").write_text(json.dumps(meta))
    out = tmp_path / "r.json"
    cli("analyze", losing, "--repo", repo, "-o", out)
    told = {s["name"]: s for s in json.loads(out.read_text())["settings"]}
    assert (told["lr_d"]["value"], told["lr_d"]["how"]) == ("0.0003", "command")


def test_a_script_in_the_runs_own_folder_is_read(tmp_path, losing):
    (losing.parent / "train.py").write_text(WHOLE)
    out = tmp_path / "r.json"
    cli("analyze", losing.parent, "-o", out)
    told = {s["name"]: s for s in json.loads(out.read_text())["settings"]}
    assert (told["lr_d"]["file"], told["lr_d"]["line"]) == ("train.py", 22)


def test_where_d_wins_at_usual_rates_d_is_slowed_before_g(tmp_path, losing):
    repo = tmp_path / "repo"
    repo.mkdir()
    text = WHOSE["names"].replace("1)", "lr=1e-4)").replace("2)", "lr=4e-4)") + "\nnn.BCELoss()\n"
    (repo / "train.py").write_text(text)
    said = cli("patch", losing, "--repo", repo).output
    changed = [line for line in said.splitlines() if line.startswith("+") and "lr=" in line]
    assert len(changed) == 1
    assert "netD" in changed[0]


@pytest.mark.parametrize(
    ("beside", "is_read"),
    [
        ({"plot.py": "print(1)"}, False),
        ({"main.py": "from gan import train"}, True),
        ({"plot.py": "print(1)", "run.sh": "python gan/train.py --n 3"}, True),
        ({"gan.ipynb": notebook("from gan import train")}, True),
    ],
)
def test_code_below_a_log_counts_where_the_folder_starts_it(tmp_path, losing, beside, is_read):
    (losing.parent / "gan").mkdir()
    (losing.parent / "gan" / "train.py").write_text(WHOLE)
    for name, text in beside.items():
        (losing.parent / name).write_text(text)
    out = tmp_path / "r.json"
    cli("analyze", losing.parent, "-o", out)
    settings = json.loads(out.read_text())["settings"]
    assert ("lr_d" in {s["name"] for s in settings}) is is_read


def test_a_log_of_another_game_than_the_code_plays(tmp_path):
    run, repo = tmp_path / "run", tmp_path / "repo"
    run.mkdir()
    repo.mkdir()
    (repo / "train.py").write_text(WHOLE)  # WGAN-GP
    rows = [f"{i},{1.386 - i * 0.0001:.4f},{0.693 + i * 0.0001:.4f}" for i in range(200)]
    (run / "loss.csv").write_text("step,d_loss,g_loss\n" + "\n".join(rows) + "\n")
    out = tmp_path / "r.json"
    cli("analyze", run / "loss.csv", "--repo", repo, "-o", out)
    report = json.loads(out.read_text())
    assert report["run"]["objective"]["family"] == "nonsaturating"
    assert any("its loss was left out" in note for note in report["run"]["notes"])


def test_settings_of_a_bare_script(tmp_path):
    (tmp_path / "train.py").write_text(WHOLE)
    rows = json.loads(
        cli("signals", tmp_path / "train.py", "--settings", "--format", "json").output
    )
    assert {
        "setting": "n_critic",
        "value": 3,
        "file": "train.py",
        "line": 26,
        "how": "literal",
        "confidence": "high",
    } in rows
    nothing = tmp_path / "other.py"
    nothing.write_text("x = 1\n")
    (tmp_path / "train.py").unlink()
    assert "no training of a GAN" in str(cli("signals", nothing, "--settings").exception)
