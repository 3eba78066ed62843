"""Damaged training code before its reader: scripts, notebooks, and damaged cells of sound ones.

It stands for a parser: what it reads it also edits. Nothing may be run or started meanwhile.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from gandoctor.configs import python
from gandoctor.configs.python import norming  # noqa: F401  what is imported late is imported now
from gandoctor.configs.python.edits import Editor
from gandoctor.configs.splice import SpliceError
from gandoctor.errors import InputError
from gandoctor.model.signals import Reading

_STARTS = (
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "socket.connect",
)
_seen: list[str] = []
_watching = False


def _watch(event: str, _given: tuple[object, ...]) -> None:
    if _watching and (event in _STARTS or event == "exec"):
        _seen.append(event)


sys.addaudithook(_watch)

SCRIPT = """\
import argparse
import torch.nn as nn
import torch.optim as optim
from models import Generator

LR, BATCH = 2e-4, 64
config = {"nz": 100, "betas": (0.5, 0.999), **{"x": 1}}

class Discriminator(nn.Module):
    def __init__(self, width=64):
        self.net = nn.Sequential(nn.utils.spectral_norm(nn.Linear(9, width)), nn.Dropout(0.3))

def options():
    parser = argparse.ArgumentParser()
    parser.add_argument("--n_critic", type=int, default=5)
    parser.add_argument("--lr-d", default=LR / 2)
    return parser.parse_args()

def made(net, lr, betas=config["betas"]):
    return optim.Adam(net.parameters(), lr=lr, betas=betas)

args = options()
netG, netD = Generator(config["nz"]), Discriminator()
optG, optD = made(netG, LR), made(netD, args.lr_d)
criterion = nn.BCELoss()
loader = DataLoader(data, batch_size=BATCH, shuffle=True)
for epoch in range(25 if args.lr_d > 0 else 2):
    for i, x in enumerate(loader):
        optD.step()
        if i % args.n_critic == 0:
            optG.step()
"""

KERAS = """\
opt = tf.keras.optimizers.Adam(learning_rate=0.0002, beta_1=0.5)
discriminator = build_discriminator()
discriminator.compile(loss="binary_crossentropy", optimizer=opt)
combined.compile(loss="binary_crossentropy", optimizer=Adam(0.0002, 0.5))
print "ep\u00f6ch", '\U0001f600'
!pip install x
%time train(epochs=10 ** 3)
"""

LOOSE = """\
from tensorflow import keras
generator = keras.Sequential([Dense(9, activation="tanh")])
discriminator = keras.Sequential([Dropout(0.3), Dense(1)])
discriminator.compile(loss="binary_crossentropy", optimizer="rmsprop")
gan.compile("adam", loss=wasserstein_loss)
def wasserstein_loss(a, b): return K.mean(a * b)

optimizer = torch.optim.Adam
class Net(pl.LightningModule):
    def __init__(self, lr=2e-4, **kwargs):
        self.save_hyperparameters()
    def configure(self):
        d = optimizer(self.D_A.parameters(), lr=self.hparams.lr, **cfg.optim_d)
        return d, getattr(torch.optim, cfg.name)(self.G.parameters(), self.hparams.lr)

trainer = gluon.Trainer(netD.collect_params(), "adam", {"learning_rate": cfg.d.lr, "beta1": 0.5})
cfg.d.lr, cfg.name = 1e-4, "SGD"
runs = [{"lr": 1}, {"lr": 2}]
trainer = Trainer(netD=netD, n_dis=5, max_epochs=runs[0]["lr"])
"""

APPLIED = """\
from functools import partial
P = namedtuple("P", "lr n table", defaults=[2e-4])
RATES = {"a": (1e-4, 2e-4)}

class Discriminator(nn.Module):
    def __init__(self, cfg: Options, last=False):
        self.head = None
        self.net = nn.Sequential(nn.Conv2d(3, 8, 4), nn.Linear(
            8, 1))
        if last:
            self.head = torch.nn.Linear(cfg.width, 1)

def rates(kind): return RATES[kind]
def falling(base_lr, steps): return schedule(base_lr)
def gradient_penalty(x, weight=10): return weight * x

made = partial(optim.Adam, lr=P(9).table, betas=(0.5, 0.999))
p, (a, b) = P(1e-4, n=3), rates("a")
d, g = made(netD.parameters()), made(netG.parameters(), lr=falling(a, 9))
img_shape = (1, 28, 28)
noise = torch.normal(mean=torch.zeros(n, p.n * 32), std=1)
"""


def scripts() -> list[bytes]:
    """Sound scripts to start from."""
    return [SCRIPT.encode(), KERAS.encode(), LOOSE.encode(), APPLIED.encode()]


def notebooks() -> list[bytes]:
    """Sound notebooks to start from, in the forms that tools write."""
    whole = _notebook(SCRIPT + KERAS, whole=True)
    return [
        _notebook(SCRIPT, indent=1),
        _notebook(KERAS),
        whole,
        _notebook(LOOSE, indent=2),
        _notebook(APPLIED),
    ]


def _notebook(code: str, *, indent: int | None = None, whole: bool = False) -> bytes:
    cells = [
        {"cell_type": "code", "source": part if whole else part.splitlines(keepends=True)}
        for part in code.split("\n\n")
    ]
    cells.insert(1, {"cell_type": "markdown", "source": ["# \u00e4"]})
    return json.dumps({"cells": cells, "nbformat": 4}, indent=indent).encode()


def sniff(path: Path, head: bytes) -> float:
    """Code is found by its name."""
    return 1.0 if path.suffix in python.SUFFIXES and head else 0.0


def read(path: Path) -> Reading:
    """Read the code, and try to change what was found.

    Raises
    ------
    InputError
        It holds no training.
    """
    global _watching  # noqa: PLW0603
    if path.name == "cells.ipynb":  # damaged code in a sound notebook
        path.write_bytes(_notebook(path.read_bytes().decode("utf-8", "replace")))
    _seen.clear()
    _watching = True
    try:
        code, gathered = python.read(path)
        if code is None:
            raise InputError("holds no training", path.name)
        editor = Editor(code, gathered)
        for setting in ("lr_d", "beta1_d", "batch_size", "spectral_norm"):
            try:
                if setting == "spectral_norm":
                    editor.normed()
                else:
                    editor.edit({setting: 0.125 if setting != "batch_size" else 8})
            except SpliceError:
                continue
    finally:
        _watching = False
    if _seen:
        raise RuntimeError(f"something was run: {_seen[0]}")
    return Reading()


# What is imported late is imported now: to import is to run.
def _prepare() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("train.py", SCRIPT), ("gan.ipynb", _notebook(SCRIPT).decode())):
            file = Path(folder) / name
            file.write_text(text)
            code, gathered = python.read(file)
            assert code is not None
            Editor(code, gathered).edit({"lr_d": 0.5})


_prepare()
