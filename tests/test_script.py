"""Training scripts as people write them: what `--script` alone makes of them."""

from __future__ import annotations

import textwrap

import pytest

from gandoctor import GandoctorError

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

from gandoctor.probe.data import Data  # noqa: E402
from gandoctor.probe.harvest import harvest  # noqa: E402
from gandoctor.probe.script import probe_of  # noqa: E402
from gandoctor.probe.weights import Checkpoint  # noqa: E402

SCRIPTS = {}
# The DCGAN tutorial: constants, `ngpu`, weights_init, DataParallel behind an `if`.
SCRIPTS["tutorial"] = """
import random, torch, torch.nn as nn, torch.optim as optim
import torchvision.datasets as dset
import torchvision.transforms as transforms
manualSeed = 999
random.seed(manualSeed)
dataroot = "data/celeba"
nc, nz, ngf, ndf = 3, 16, 8, 8
nz = 16
ngf = 8
ndf = 8
nc = 3
ngpu = 1
dataset = dset.ImageFolder(root=dataroot, transform=transforms.Compose([transforms.ToTensor()]))
device = torch.device("cuda:0" if (torch.cuda.is_available() and ngpu > 0) else "cpu")
def weights_init(m):
    if m.__class__.__name__.find("Conv") != -1: nn.init.normal_(m.weight.data, 0.0, 0.02)
class Generator(nn.Module):
    def __init__(self, ngpu):
        super(Generator, self).__init__()
        self.ngpu = ngpu
        self.main = nn.Sequential(
            nn.ConvTranspose2d(nz, ngf * 2, 4, 1, 0, bias=False), nn.BatchNorm2d(ngf * 2), nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 2, nc, 4, 2, 1, bias=False), nn.Tanh())
    def forward(self, input): return self.main(input)
netG = Generator(ngpu).to(device)
if (device.type == "cuda") and (ngpu > 1):
    netG = nn.DataParallel(netG, list(range(ngpu)))
netG.apply(weights_init)
class Discriminator(nn.Module):
    def __init__(self, ngpu):
        super(Discriminator, self).__init__()
        self.main = nn.Sequential(nn.Conv2d(nc, ndf, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(ndf, 1, 4), nn.Sigmoid())
    def forward(self, input): return self.main(input)
netD = Discriminator(ngpu).to(device)
for epoch in range(5):
    for i, data in enumerate(dataset): raise SystemExit("it trains")
"""
# PyTorch-GAN: argparse at the top, `os.makedirs`, classes without arguments.
ARGS = """
import argparse, os, numpy as np, math, sys
import torchvision.transforms as transforms
import torch, torch.nn as nn, torch.nn.functional as F
os.makedirs("images", exist_ok=True)
parser = argparse.ArgumentParser()
parser.add_argument("--n_epochs", type=int, default=200, help="number of epochs of training")
parser.add_argument("--lr", type=float, default=0.0002, help="adam: learning rate")
parser.add_argument("--latent_dim", type=int, default=12, help="dimensionality of the latent space")
parser.add_argument("--n_classes", type=int, default=4, help="classes")
parser.add_argument("--img_size", type=int, default=8, help="size of each image dimension")
parser.add_argument("--channels", type=int, default=1, help="number of image channels")
opt = parser.parse_args()
print(opt)
img_shape = (opt.channels, opt.img_size, opt.img_size)
cuda = True if torch.cuda.is_available() else False
"""
SCRIPTS["gan"] = (
    ARGS
    + """
class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        def block(in_feat, out_feat, normalize=True):
            layers = [nn.Linear(in_feat, out_feat)]
            if normalize: layers.append(nn.BatchNorm1d(out_feat, 0.8))
            return layers + [nn.LeakyReLU(0.2, inplace=True)]
        self.model = nn.Sequential(*block(opt.latent_dim, 16, normalize=False), *block(16, 32),
                                   nn.Linear(32, int(np.prod(img_shape))), nn.Tanh())
    def forward(self, z): return self.model(z).view(z.size(0), *img_shape)
class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Sequential(nn.Linear(int(np.prod(img_shape)), 16), nn.LeakyReLU(0.2), nn.Linear(16, 1), nn.Sigmoid())
    def forward(self, img): return self.model(img.view(img.size(0), -1))
adversarial_loss = torch.nn.BCELoss()
generator = Generator()
discriminator = Discriminator()
if cuda:
    generator.cuda(); discriminator.cuda()
Tensor = torch.cuda.FloatTensor if cuda else torch.FloatTensor
for epoch in range(opt.n_epochs): raise SystemExit("it trains")
"""
)
SCRIPTS["wgan_gp"] = (
    SCRIPTS["gan"]
    .replace(", nn.Sigmoid())", ")")
    .replace("adversarial_loss = torch.nn.BCELoss()", "lambda_gp = 10")
)
SCRIPTS["cgan"] = (
    ARGS
    + """
class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.label_emb = nn.Embedding(opt.n_classes, opt.n_classes)
        self.model = nn.Sequential(nn.Linear(opt.latent_dim + opt.n_classes, 32), nn.ReLU(), nn.Linear(32, 64), nn.Tanh())
    def forward(self, noise, labels):
        return self.model(torch.cat((self.label_emb(labels), noise), -1)).view(noise.size(0), *img_shape)
class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.label_embedding = nn.Embedding(opt.n_classes, opt.n_classes)
        self.model = nn.Sequential(nn.Linear(opt.n_classes + int(np.prod(img_shape)), 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))
    def forward(self, img, labels):
        return self.model(torch.cat((img.view(img.size(0), -1), self.label_embedding(labels)), -1))
generator = Generator()
discriminator = Discriminator()
"""
)
# A Lightning module: nets made in __init__ from hparams; Lightning itself is not installed.
SCRIPTS["lightning"] = """
import torch, torch.nn as nn, torch.nn.functional as F, numpy as np
import pytorch_lightning_that_is_not_here as pl
from pytorch_lightning_that_is_not_here import LightningModule, Trainer
class Generator(nn.Module):
    def __init__(self, latent_dim, img_shape):
        super().__init__()
        self.img_shape = img_shape
        self.model = nn.Sequential(nn.Linear(latent_dim, 32), nn.ReLU(), nn.Linear(32, int(np.prod(img_shape))), nn.Tanh())
    def forward(self, z): return self.model(z).view(z.size(0), *self.img_shape)
class Discriminator(nn.Module):
    def __init__(self, img_shape):
        super().__init__()
        self.model = nn.Sequential(nn.Linear(int(np.prod(img_shape)), 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))
    def forward(self, img): return self.model(img.view(img.size(0), -1))
class GAN(LightningModule):
    def __init__(self, channels, width, height, latent_dim: int = 10, lr: float = 0.0002, **kwargs):
        super().__init__()
        self.save_hyperparameters()
        data_shape = (channels, width, height)
        self.generator = Generator(latent_dim=self.hparams.latent_dim, img_shape=data_shape)
        self.discriminator = Discriminator(img_shape=data_shape)
    def training_step(self, batch): ...
if __name__ == "__main__":
    Trainer().fit(GAN(1, 8, 8))
"""
SCRIPTS["lightning with defaults"] = SCRIPTS["lightning"].replace(
    "channels, width, height, latent_dim: int", "channels=1, width=8, height=8, latent_dim: int"
)
# A notebook, exported: magics are comments by then, cells train.
SCRIPTS["notebook"] = """
#!/usr/bin/env python
# coding: utf-8
# In[1]:
import torch
from torch import nn
get_ipython().run_line_magic('matplotlib', 'inline')
# In[2]:
BATCH_SIZE = 128
Z_DIM = 10
def get_generator_block(i, o):
    return nn.Sequential(nn.Linear(i, o), nn.BatchNorm1d(o), nn.ReLU(inplace=True))
class Generator(nn.Module):
    def __init__(self, z_dim=10, im_dim=64, hidden_dim=16):
        super().__init__()
        self.gen = nn.Sequential(get_generator_block(z_dim, hidden_dim), nn.Linear(hidden_dim, im_dim), nn.Sigmoid())
    def forward(self, noise): return self.gen(noise)
class Discriminator(nn.Module):
    def __init__(self, im_dim=64, hidden_dim=16):
        super().__init__()
        self.disc = nn.Sequential(nn.Linear(im_dim, hidden_dim), nn.LeakyReLU(0.2), nn.Linear(hidden_dim, 1))
    def forward(self, image): return self.disc(image)
# In[3]:
gen = Generator(Z_DIM).to("cpu")
disc = Discriminator().to("cpu")
gen_opt = torch.optim.Adam(gen.parameters(), lr=1e-5)
for epoch in range(200): raise SystemExit("it trains")
"""
# All in main(args), nets made there.
SCRIPTS["main"] = """
import argparse, torch
from torch import nn
def get_args():
    p = argparse.ArgumentParser()
    p.add_argument("--z-dim", default=9, type=int)
    p.add_argument("--hidden", default=24, type=int)
    return p.parse_args()
class G(nn.Module):
    def __init__(self, z_dim, hidden):
        super().__init__(); self.net = nn.Sequential(nn.Linear(z_dim, hidden), nn.ReLU(), nn.Linear(hidden, 2))
    def forward(self, z): return self.net(z)
class D(nn.Module):
    def __init__(self, hidden):
        super().__init__(); self.net = nn.Sequential(nn.Linear(2, hidden), nn.ReLU(), nn.Linear(hidden, 1))
    def forward(self, x): return self.net(x)
opt = argparse.ArgumentParser()
args = get_args()
def main(args):
    z_dim = args.z_dim
    G_net = G(z_dim, args.hidden).cuda()
    D_net = D(args.hidden).cuda()
    for _ in range(3): raise SystemExit("it trains")
if __name__ == "__main__":
    main(get_args())
"""
# Constants in upper case, a class per file style, functional forward.
SCRIPTS["snake"] = """
import torch
import torch.nn as nn
import torch.nn.functional as F
LATENT_DIM, IMG = 7, 16
LATENT_DIM = 7
IMG = 16
class GeneratorNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(LATENT_DIM, 32); self.fc2 = nn.Linear(32, IMG)
    def forward(self, x): return torch.tanh(self.fc2(F.leaky_relu(self.fc1(x), 0.2)))
class DiscriminatorNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(IMG, 32); self.fc2 = nn.Linear(32, 1)
    def forward(self, x): return self.fc2(F.leaky_relu(self.fc1(x), 0.2))
class Trainer:
    def __init__(self, device="cpu"):
        self.G = GeneratorNet().to(device)
        self.D = DiscriminatorNet().to(device)
"""
# nn.Sequential made by functions, as in the Stanford assignment.
SCRIPTS["functions"] = """
import torch, torch.nn as nn
NOISE_DIM = 8
def discriminator(): return nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.LeakyReLU(0.01), nn.Linear(8, 1))
def generator(noise_dim=NOISE_DIM): return nn.Sequential(nn.Linear(noise_dim, 16), nn.ReLU(), nn.Linear(16, 16), nn.Tanh())
D = discriminator().type(torch.FloatTensor)
G = generator().type(torch.FloatTensor)
"""
# A config object from a package that is not there.
SCRIPTS["config object"] = """
import torch.nn as nn
from my_project.config import cfg
class Generator(nn.Module):
    def __init__(self, cfg):
        super().__init__(); self.net = nn.Linear(cfg.model.z_dim, cfg.model.out)
    def forward(self, z): return self.net(z)
G = Generator(cfg)
"""
# An image-to-image net: what it takes is a picture.
SCRIPTS["pix2pix"] = """
import torch, torch.nn as nn
class GeneratorUNet(nn.Module):
    def __init__(self, in_channels=3, out_channels=3):
        super().__init__()
        self.down = nn.Conv2d(in_channels, 8, 4, 2, 1); self.up = nn.ConvTranspose2d(16, out_channels, 4, 2, 1)
    def forward(self, x):
        d = self.down(x)
        return torch.tanh(self.up(torch.cat([d, d.flip(2).roll(1, 3)], 1)))[:, :, : x.shape[2], : x.shape[3]]
generator = GeneratorUNet()
"""

LATENTS = {
    "tutorial": (16, 1, 1), "gan": (12,), "wgan_gp": (12,), "cgan": (12,),
    "lightning with defaults": (10,), "notebook": (10,), "main": (9,), "snake": (7,),
    "functions": (8,),
}  # fmt: skip


def built(tmp_path, name, settings=None):
    file = tmp_path / "train.py"
    file.write_text(textwrap.dedent(SCRIPTS[name]))
    return probe_of(file, settings or {}, Checkpoint(()), Data(None, 64, 0))


@pytest.mark.parametrize("name", LATENTS)
def test_a_script_alone_gives_both_players(tmp_path, name, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = built(tmp_path, name)
    assert made.latent == LATENTS[name]
    z = torch.randn(4, *made.latent)
    given = () if made.condition is None else (made.condition[:4],)
    assert (made.condition is not None) == (name == "cgan")
    x = made.generator(z, *given)
    assert torch.isfinite(x).all()
    assert made.discriminator(x, *given).numel() == 4
    assert not (tmp_path / "images").exists()  # nothing of its body was run


def test_settings_of_the_run_go_before_the_scripts_own(tmp_path):
    assert built(tmp_path, "gan", {"latent_dim": 20}).latent == (20,)
    assert built(tmp_path, "tutorial", {"nz": 5}).latent == (5, 1, 1)
    shape = {"channels": 1, "width": 4, "height": 4, "latent_dim": 6}
    made = built(tmp_path, "lightning", shape)
    assert made.generator(torch.randn(2, 6)).shape == (2, 1, 4, 4)


@pytest.mark.parametrize("name", ["config object", "pix2pix", "lightning"])
def test_what_cannot_be_built_asks_for_an_entry(tmp_path, name):
    with pytest.raises(GandoctorError, match=r"write gandoctor_probe\.py"):
        built(tmp_path, name)


def test_nothing_that_does_something_is_run(tmp_path):
    file = tmp_path / "train.py"
    mark = tmp_path / "ran"
    file.write_text(
        f"import os\nx = os.mkdir({str(mark)!r})\nos.mkdir({str(mark)!r})\n"
        f"y = open({str(mark / 'f')!r}, 'w')\nn = 3 * 4\nlong = 'a' * 10**9\nbig = 9 ** 9 ** 9\n"
        "for i in range(3): n = 0\nwhile True: pass\n"
    )
    found = harvest(file)
    assert found.n == 12
    assert not hasattr(found, "x")
    assert not hasattr(found, "big")
    assert not mark.exists()


def test_a_script_that_is_none_is_said(tmp_path):
    (tmp_path / "train.py").write_text("def broken(:\n")
    with pytest.raises(GandoctorError, match="is no Python"):
        harvest(tmp_path / "train.py")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_graph_needs_no_code(tmp_path):
    from gandoctor.probe.script import probe_without_code

    net = torch.nn.Sequential(torch.nn.Linear(6, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    file = tmp_path / "g.pt"
    torch.jit.save(torch.jit.trace(net, torch.randn(2, 6)), file)
    made = probe_without_code({}, Checkpoint([file]), Data(None, 64, 0))
    z = torch.randn(3, 6)
    assert made.latent == (6,)
    assert torch.equal(made.generator(z), net(z))
    torch.save(net.state_dict(), tmp_path / "weights.pt")
    assert probe_without_code({}, Checkpoint([tmp_path / "weights.pt"]), Data(None, 64, 0)) is None
