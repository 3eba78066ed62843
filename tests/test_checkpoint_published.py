"""More generators as they were published, written anew: residual, conditional, upsampling ones."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from test_checkpoint_rebuilding import off, trained

from gandoctor.checkpoint import contents, layers, rebuilding
from gandoctor.checkpoint.parts import UnlikeError

torch = pytest.importorskip("torch")
nn = torch.nn
F = torch.nn.functional


class Chain(nn.Module):
    """A linear layer, a reshape, and what follows."""

    def __init__(self, channels, body, z=16, side=4):
        super().__init__()
        self.shape = (channels, side, side)
        self.l1 = nn.Linear(z, channels * side * side)
        self.body = body

    def forward(self, z):
        return self.body(self.l1(z).view(len(z), *self.shape))


class Block(nn.Module):
    """mimicry's residual block of SNGAN: normalise, activate, enlarge, convolve, twice."""

    def __init__(self, a, b):
        super().__init__()
        self.c1, self.c2 = nn.Conv2d(a, b, 3, 1, 1), nn.Conv2d(b, b, 3, 1, 1)
        self.b1, self.b2 = nn.BatchNorm2d(a), nn.BatchNorm2d(b)
        self.c_sc = nn.Conv2d(a, b, 1)

    def up(self, x):
        return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)

    def forward(self, x):
        h = self.c1(self.up(F.relu(self.b1(x))))
        return self.c2(F.relu(self.b2(h))) + self.c_sc(self.up(x))


class SNGAN(nn.Module):
    """mimicry's SNGAN of 32 x 32."""

    def __init__(self, n=8):
        super().__init__()
        self.l1 = nn.Linear(16, n * 16)
        self.block2 = Block(n, n)
        self.block3 = Block(n, n)
        self.b5 = nn.BatchNorm2d(n)
        self.c5 = nn.Conv2d(n, 3, 3, 1, 1)

    def forward(self, z):
        h = self.l1(z)
        h = self.block3(self.block2(h.view(len(z), -1, 4, 4)))
        return torch.tanh(self.c5(F.relu(self.b5(h))))


class Bypass(nn.Module):
    """christiancosgrove's block: each convolution stands in the file under two names."""

    def __init__(self, a, b):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(a, b, 3, 1, 1), nn.Conv2d(b, b, 3, 1, 1)
        self.model = nn.Sequential(
            nn.BatchNorm2d(a), nn.ReLU(), nn.Upsample(scale_factor=2), self.conv1,
            nn.BatchNorm2d(b), nn.ReLU(), self.conv2,
        )  # fmt: skip
        self.bypass = nn.Upsample(scale_factor=2)

    def forward(self, x):
        return self.model(x) + self.bypass(x)


class Bypassed(nn.Module):
    def __init__(self, n=8):
        super().__init__()
        self.dense = nn.Linear(16, 16 * n)
        self.final = nn.Conv2d(n, 3, 3, 1, 1)
        self.model = nn.Sequential(
            Bypass(n, n), Bypass(n, n), nn.BatchNorm2d(n), nn.ReLU(), self.final, nn.Tanh()
        )

    def forward(self, z):
        return self.model(self.dense(z).view(len(z), -1, 4, 4))


class Post(nn.Module):
    """A block as ResNet has it: normalised after each convolution, activated after the sum."""

    def __init__(self, n):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(n, n, 3, 1, 1), nn.BatchNorm2d(n)
        self.conv2, self.bn2 = nn.Conv2d(n, n, 3, 1, 1), nn.BatchNorm2d(n)

    def forward(self, x):
        return F.relu(x + self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x))))))


def postactivated(n=8):
    return Chain(
        n,
        nn.Sequential(
            nn.BatchNorm2d(n), nn.ReLU(), Post(n), nn.Upsample(scale_factor=2),
            nn.Conv2d(n, n, 3, 1, 1), nn.BatchNorm2d(n), nn.ReLU(), Post(n),
            nn.Conv2d(n, 3, 3, 1, 1), nn.Tanh(),
        ),
    )  # fmt: skip


def tutorial(nz=20, ngf=2, nc=3):
    """The tutorial's DCGAN of 64 x 64."""
    up = [nn.ConvTranspose2d(nz, ngf * 8, 4, 1, 0, bias=False), nn.BatchNorm2d(ngf * 8), nn.ReLU()]
    for k in (4, 2, 1):
        up += [nn.ConvTranspose2d(ngf * 2 * k, ngf * k, 4, 2, 1, bias=False)]
        up += [nn.BatchNorm2d(ngf * k), nn.ReLU(True)]
    net = nn.Module()
    net.main = nn.Sequential(*up, nn.ConvTranspose2d(ngf, nc, 4, 2, 1, bias=False), nn.Tanh())
    net.forward = net.main.forward
    return net


def upsampled(mode, n=8):
    """Enlarge, convolve, normalise."""
    smooth = {"align_corners": False} if mode == "bilinear" else {}

    def up(a, b):
        return [
            nn.Upsample(scale_factor=2, mode=mode, **smooth), nn.Conv2d(a, b, 3, 1, 1),
            nn.BatchNorm2d(b), nn.LeakyReLU(0.2),
        ]  # fmt: skip

    tail = [nn.Conv2d(n // 2, 3, 3, 1, 1), nn.Tanh()]
    return Chain(n, nn.Sequential(nn.BatchNorm2d(n), *up(n, n), *up(n, n // 2), *tail))


def shuffled(n=8):
    """Sub-pixel convolutions."""

    def up(a, b):
        return [
            nn.Conv2d(a, 4 * b, 3, 1, 1), nn.PixelShuffle(2), nn.BatchNorm2d(b), nn.ReLU()
        ]  # fmt: skip

    return Chain(
        n,
        nn.Sequential(
            nn.BatchNorm2d(n), nn.ReLU(), *up(n, n), *up(n, n // 2),
            nn.Conv2d(n // 2, 3, 3, 1, 1), nn.Tanh(),
        ),
    )  # fmt: skip


class Listed(nn.Module):
    """Layers in lists, activations in ``forward`` alone."""

    def __init__(self, n=8):
        super().__init__()
        sizes = [n * 8, n * 4, n * 2, n]
        self.first = nn.Linear(16, n * 8 * 16)
        pairs = list(itertools.pairwise(sizes))
        self.convs = nn.ModuleList(nn.ConvTranspose2d(a, b, 4, 2, 1) for a, b in pairs)
        self.norms = nn.ModuleList(nn.BatchNorm2d(b, momentum=0.8) for _, b in pairs)
        self.last = nn.Conv2d(n, 3, 3, 1, 1)

    def forward(self, z):
        x = F.relu(self.first(z)).view(len(z), -1, 4, 4)
        for conv, norm in zip(self.convs, self.norms, strict=True):
            x = F.leaky_relu(norm(conv(x)), 0.2)
        return torch.tanh(self.last(x))


class Grown(nn.Module):
    """Blocks in a list, each a small sequence."""

    def __init__(self, n=8):
        super().__init__()
        self.fc = nn.Sequential(nn.Linear(16, n * 4 * 16), nn.BatchNorm1d(n * 4 * 16), nn.ReLU())
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.ConvTranspose2d(a, b, 3, 2, 1, output_padding=1), nn.BatchNorm2d(b), nn.ReLU()
            )
            for a, b in ((n * 4, n * 2), (n * 2, n))
        )
        self.out = nn.Conv2d(n, 3, 3, padding=1)

    def forward(self, z):
        x = self.fc(z).view(len(z), -1, 4, 4)
        for block in self.blocks:
            x = block(x)
        return torch.sigmoid(self.out(x))


class InfoGAN(nn.Module):
    """PyTorch-GAN's infogan: noise, classes one-hot, and a code, side by side."""

    def __init__(self, z=12, classes=10, code=2, w=16):
        super().__init__()
        self.parts = (z, classes, code)
        self.l1 = nn.Sequential(nn.Linear(z + classes + code, w * 16))
        self.w = w
        self.conv_blocks = nn.Sequential(
            nn.BatchNorm2d(w), nn.Upsample(scale_factor=2), nn.Conv2d(w, w, 3, stride=1, padding=1),
            nn.BatchNorm2d(w, 0.8), nn.LeakyReLU(0.2, inplace=True), nn.Upsample(scale_factor=2),
            nn.Conv2d(w, w // 2, 3, stride=1, padding=1), nn.BatchNorm2d(w // 2, 0.8),
            nn.LeakyReLU(0.2, inplace=True), nn.Conv2d(w // 2, 1, 3, stride=1, padding=1), nn.Tanh()
        )  # fmt: skip

    def body(self, x):
        return self.conv_blocks(self.l1(x).view(len(x), self.w, 4, 4))

    def forward(self, z):
        z, classes, code = self.parts
        n = 48
        one_hot = F.one_hot(torch.randint(classes, (n,)), classes).float()
        return self.body(torch.cat((torch.randn(n, z), one_hot, torch.rand(n, code) * 2 - 1), 1))


class Decoder(nn.Module):
    """A decoder of a CVAE-GAN: noise and the class one-hot."""

    def __init__(self, z=16, classes=10):
        super().__init__()
        self.classes = classes
        self.model = nn.Sequential(
            nn.Linear(z + classes, 64), nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 256),
            nn.BatchNorm1d(256), nn.ReLU(), nn.Linear(256, 144), nn.Sigmoid(),
        )  # fmt: skip

    def body(self, x):
        return self.model(x)

    def forward(self, z):
        labels = torch.randint(self.classes, (len(z),))
        return self.body(torch.cat((z, F.one_hot(labels, self.classes).float()), 1))


class ConditionalDCGAN(nn.Module):
    """The class's embedding beside the noise, as channels of one pixel."""

    def __init__(self, z=16, classes=5, n=4):
        super().__init__()
        self.label_embedding = nn.Embedding(classes, 8)
        self.model = nn.Sequential(
            nn.ConvTranspose2d(z + 8, n * 8, 4, 1, 0, bias=False), nn.BatchNorm2d(n * 8),
            nn.ReLU(True), nn.ConvTranspose2d(n * 8, n * 4, 4, 2, 1, bias=False),
            nn.BatchNorm2d(n * 4), nn.ReLU(True), nn.ConvTranspose2d(n * 4, 3, 4, 2, 1), nn.Tanh(),
        )  # fmt: skip

    def forward(self, z, labels):
        e = self.label_embedding(labels)[:, :, None, None]
        return self.model(torch.cat((z, e), 1))


REBUILT = {
    "sngan": (SNGAN, (16,)),
    "bypassed": (Bypassed, (16,)),
    "postactivated": (postactivated, (16,)),
    "tutorial": (tutorial, (20, 1, 1)),
    "nearest": (lambda: upsampled("nearest"), (16,)),
    "bilinear": (lambda: upsampled("bilinear"), (16,)),
    "shuffled": (shuffled, (16,)),
    "lists of layers": (Listed, (16,)),
    "list of blocks": (Grown, (16,)),
    "conditional dcgan": (ConditionalDCGAN, (16, 1, 1)),
}


def rebuilt_from(G, folder):
    torch.save(G.state_dict(), folder / "netG.pt")
    (network,) = contents.read(folder / "netG.pt").networks
    return rebuilding.rebuild(network)


@pytest.mark.parametrize("kind", REBUILT)
def test_published_generators_are_rebuilt(kind, tmp_path):
    torch.manual_seed(1)
    make, z = REBUILT[kind]
    labelled = kind.startswith("conditional")
    G = trained(make(), z, labelled)
    ways = rebuilt_from(G, tmp_path)  # by their last activation, which nothing can tell
    assert all(one.is_proved for one in ways)
    assert min(off(one, G, z, labelled) for one in ways) <= 1e-4


@pytest.mark.parametrize("make", [InfoGAN, Decoder])
def test_classes_without_an_embedding_are_told_by_the_first_norm(make, tmp_path):
    torch.manual_seed(1)
    G = trained(make(), (16,), labelled=False)
    ways = rebuilt_from(G, tmp_path)
    one = ways[0]
    assert one.is_proved
    assert len(one.latent.embedding) == 10
    assert one.latent.joined == "noise first"
    assert one.latent.code == (2 if make is InfoGAN else 0)
    x = one.latent.draw(8, np.random.default_rng(0))
    with torch.no_grad():
        wanted = G.body(torch.from_numpy(x)).numpy()
    assert min(np.abs(layers.run(w.ops, x) - wanted).max() for w in ways) <= 1e-4


class PixelNorm(nn.Module):
    def forward(self, x):
        return x * torch.rsqrt(x.square().mean(1, keepdim=True) + 1e-8)


def pixelwise(n=8):
    body = [nn.Upsample(scale_factor=2), nn.Conv2d(n, n, 3, 1, 1), nn.LeakyReLU(0.2), PixelNorm()]
    return Chain(n, nn.Sequential(*body, nn.Conv2d(n, 3, 1)))


def by_instance(n=8):
    body = [nn.Upsample(scale_factor=2), nn.Conv2d(n, n, 3, 1, 1)]
    norm = [nn.InstanceNorm2d(n, affine=True), nn.ReLU()]
    return Chain(n, nn.Sequential(*body, *norm, nn.Conv2d(n, 3, 3, 1, 1), nn.Tanh()))


@pytest.mark.parametrize("make", [pixelwise, by_instance])
def test_without_running_statistics_nothing_is_claimed(make, tmp_path):
    found = rebuilt_from(make(), tmp_path)
    assert found
    assert not any(f.is_proved for f in found)


class UNet(nn.Module):
    """pix2pix in small: pictures go in."""

    def __init__(self, n=8):
        super().__init__()
        self.down1 = nn.Conv2d(3, n, 4, 2, 1)
        self.down2 = nn.Sequential(nn.Conv2d(n, n * 2, 4, 2, 1), nn.BatchNorm2d(n * 2))
        self.up1 = nn.Sequential(nn.ConvTranspose2d(n * 2, n, 4, 2, 1), nn.BatchNorm2d(n))
        self.up2 = nn.ConvTranspose2d(n * 2, 3, 4, 2, 1)


class SRResNet(nn.Module):
    def __init__(self, n=8):
        super().__init__()
        self.block1 = nn.Sequential(nn.Conv2d(3, n, 9, 1, 4), nn.PReLU())
        self.block2 = Post(n)
        self.block3 = nn.Sequential(nn.Conv2d(n, 4 * n, 3, 1, 1), nn.PixelShuffle(2), nn.PReLU())
        self.block4 = nn.Conv2d(n, 3, 9, 1, 4)


@pytest.mark.parametrize("make", [UNet, SRResNet])
def test_what_takes_pictures_is_refused_in_a_sentence(make, tmp_path):
    with pytest.raises(UnlikeError, match="its input is a picture, not noise"):
        rebuilt_from(make(), tmp_path)
