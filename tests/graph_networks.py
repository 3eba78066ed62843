"""Generators and discriminators of the usual kinds, small, for files that hold their graphs."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
nn = torch.nn
F = torch.nn.functional


class DCGAN(nn.Module):
    def __init__(self, z=12, n=6):
        super().__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose2d(z, 4 * n, 4, 1, 0, bias=False), nn.BatchNorm2d(4 * n), nn.ReLU(True),
            nn.ConvTranspose2d(4 * n, 2 * n, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * n), nn.ReLU(True),
            nn.ConvTranspose2d(2 * n, 3, 4, 2, 1), nn.Tanh(),
        )  # fmt: skip

    def forward(self, z):
        return self.main(z)


class MLP(nn.Module):
    """PyTorch-GAN's, with its epsilon of 0.8 and its reshape."""

    def __init__(self, z=10):
        super().__init__()
        self.model = nn.Sequential(
            nn.Linear(z, 16), nn.LeakyReLU(0.2, inplace=True),
            nn.Linear(16, 32), nn.BatchNorm1d(32, 0.8), nn.LeakyReLU(0.2, inplace=True),
            nn.Dropout(0.4), nn.Linear(32, 64), nn.Tanh(),
        )  # fmt: skip

    def forward(self, z):
        img = self.model(z)
        return img.view(img.size(0), 1, 8, 8)


class Upsampled(nn.Module):
    def __init__(self, z=10, mode="nearest"):
        super().__init__()
        self.l1 = nn.Sequential(nn.Linear(z, 8 * 16))
        self.blocks = nn.Sequential(
            nn.BatchNorm2d(8), nn.Upsample(scale_factor=2, mode=mode), nn.ReflectionPad2d(1),
            nn.Conv2d(8, 8, 3), nn.GroupNorm(2, 8), nn.ELU(),
            nn.Upsample(size=(12, 12), mode=mode), nn.Conv2d(8, 3, 3, padding="same"), nn.Sigmoid(),
        )  # fmt: skip

    def forward(self, z):
        out = self.l1(z)
        return self.blocks(out.view(out.shape[0], 8, 4, 4))


class Block(nn.Module):
    def __init__(self, a, b):
        super().__init__()
        self.c1, self.c2 = nn.Conv2d(a, b, 3, 1, 1), nn.Conv2d(b, b, 3, 1, 1)
        self.b1, self.b2 = nn.BatchNorm2d(a), nn.BatchNorm2d(b)
        self.skip = nn.Conv2d(a, b, 1)

    def forward(self, x):
        # The activation works in place: what goes around the block sees it, too.
        h = self.c1(F.interpolate(F.relu(self.b1(x)), scale_factor=2.0))
        h = self.c2(F.leaky_relu(self.b2(h), 0.1, inplace=True))
        return h + self.skip(F.interpolate(x, scale_factor=2.0))


class Residual(nn.Module):
    def __init__(self, z=10):
        super().__init__()
        self.l1 = nn.Linear(z, 8 * 16)
        self.blocks = nn.ModuleList([Block(8, 6), Block(6, 4)])
        self.b = nn.BatchNorm2d(4)
        self.out = nn.Conv2d(4, 3, 3, 1, 1)

    def forward(self, z):
        h = self.l1(z).view(-1, 8, 4, 4)
        for block in self.blocks:
            h = block(h)
        return torch.tanh(self.out(F.relu(self.b(h), inplace=True)))


class Conditional(nn.Module):
    def __init__(self, z=10, classes=5):
        super().__init__()
        self.label_emb = nn.Embedding(classes, 4)
        self.fc = nn.Linear(z + 4, 8 * 16)
        self.bn = nn.BatchNorm1d(8 * 16)
        self.out = nn.ConvTranspose2d(8, 1, 5, 2, 2, output_padding=1)

    def forward(self, noise, labels):
        x = torch.cat((self.label_emb(labels), noise), -1)
        x = F.relu(self.bn(self.fc(x)))
        return torch.sigmoid(self.out(x.reshape(x.size(0), 8, 4, 4)))


class Modulated(nn.Module):
    """Class-conditional batch norms, the noise first scaled: chunks and products."""

    def __init__(self, z=10, classes=4):
        super().__init__()
        self.table = nn.Embedding(classes, 16)
        self.fc = nn.Linear(z, 8 * 16)
        self.bn = nn.BatchNorm2d(8, affine=False)
        self.out = nn.Conv2d(8, 3, 3, 1, 1)

    def forward(self, z, y):
        z = z / (z.pow(2).mean(dim=1, keepdim=True) + 1e-8).sqrt()
        h = self.bn(self.fc(z).view(-1, 8, 4, 4))
        gain, bias = self.table(y).chunk(2, dim=1)
        h = h * (1 + gain[:, :, None, None]) + bias.unsqueeze(-1).unsqueeze(-1)
        return torch.tanh(self.out(F.gelu(h)))


class Normed(nn.Module):
    """Spectral norm on each layer, as SNGAN has it; folded, or worked out in the graph."""

    def __init__(self, z=10, sn=nn.utils.spectral_norm):
        super().__init__()
        self.l = sn(nn.Linear(z, 8 * 16))
        self.c1 = sn(nn.ConvTranspose2d(8, 6, 4, 2, 1))
        self.c2 = sn(nn.Conv2d(6, 3, 3, 1, 1))

    def forward(self, z):
        h = F.softplus(self.l(z)).view(z.shape[0], 8, 4, 4)
        return torch.tanh(self.c2(F.silu(self.c1(h))))


class Shuffled(nn.Module):
    def __init__(self, z=10):
        super().__init__()
        self.fc = nn.Linear(z, 8 * 9)
        self.net = nn.Sequential(
            nn.Unflatten(1, (8, 3, 3)), nn.InstanceNorm2d(8, affine=True), nn.PReLU(8),
            nn.Conv2d(8, 16, 3, 1, 1, groups=2), nn.PixelShuffle(2), nn.InstanceNorm2d(4),
            nn.SELU(), nn.Conv2d(4, 3, 3, 1, 2, dilation=2), nn.Hardtanh(),
        )  # fmt: skip

    def forward(self, z):
        return self.net(self.fc(z))


class Attention(nn.Module):
    """SAGAN's, with its learned share."""

    def __init__(self, n):
        super().__init__()
        self.q, self.k, self.v = (nn.Conv2d(n, m, 1) for m in (2, 2, n))
        self.gamma = nn.Parameter(torch.tensor([0.7]))

    def forward(self, x):
        n, c, h, w = x.size()
        q = self.q(x).view(n, -1, h * w).permute(0, 2, 1)
        k = self.k(x).view(n, -1, h * w)
        share = torch.softmax(torch.bmm(q, k), dim=-1)
        out = torch.bmm(self.v(x).view(n, -1, h * w), share.permute(0, 2, 1))
        return self.gamma * out.view(n, c, h, w) + x


class Attentive(nn.Module):
    def __init__(self, z=10):
        super().__init__()
        self.fc = nn.Linear(z, 8 * 16)
        self.attention = Attention(8)
        self.bn = nn.BatchNorm2d(8)
        self.out = nn.ConvTranspose2d(8, 3, 2, 2)

    def forward(self, z):
        h = self.attention(F.relu(self.fc(z).view(-1, 8, 4, 4)))
        return torch.tanh(self.out(F.relu6(self.bn(h))))


class Mapped(nn.Module):
    """A mapping network of pixel norm and a head of layer norm: flat samples."""

    def __init__(self, z=8):
        super().__init__()
        self.mapping = nn.Sequential(nn.Linear(z, 16), nn.LeakyReLU(0.2), nn.Linear(16, 16))
        self.norm = nn.LayerNorm(16)
        self.head = nn.Linear(16, 2)

    def forward(self, z):
        z = z * torch.rsqrt(torch.mean(z**2, dim=1, keepdim=True) + 1e-8)
        return self.head(F.softsign(self.norm(self.mapping(z))))


class Critic(nn.Module):
    """DCGAN's discriminator."""

    def __init__(self, n=6):
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(3, n, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(n, 2 * n, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * n),
            nn.LeakyReLU(0.2, inplace=True), nn.Conv2d(2 * n, 1, 4, 1, 0), nn.Sigmoid(),
        )  # fmt: skip

    def forward(self, x):
        return self.main(x).view(-1, 1).squeeze(1)


class Pooled(nn.Module):
    """Residual, averaged, summed over places, with a spectral norm."""

    def __init__(self, n=6):
        super().__init__()
        self.c1, self.c2 = nn.Conv2d(3, n, 3, 1, 1), nn.Conv2d(n, n, 3, 1, 1)
        self.skip = nn.Conv2d(3, n, 1)
        self.l = nn.utils.spectral_norm(nn.Linear(n, 1))

    def forward(self, x):
        h = F.avg_pool2d(self.c2(F.relu(self.c1(x))), 2) + self.skip(F.avg_pool2d(x, 2))
        h = F.max_pool2d(h, 2)
        return self.l(torch.sum(F.relu(h), dim=(2, 3)))


GENERATORS = {
    "dcgan": (DCGAN, (12, 1, 1), 0),
    "mlp": (MLP, (10,), 0),
    "upsampled": (Upsampled, (10,), 0),
    "bilinear": (lambda: Upsampled(mode="bilinear"), (10,), 0),
    "residual": (Residual, (10,), 0),
    "conditional": (Conditional, (10,), 5),
    "modulated": (Modulated, (10,), 4),
    "spectral": (Normed, (10,), 0),
    "shuffled": (Shuffled, (10,), 0),
    "attentive": (Attentive, (10,), 0),
    "mapped": (Mapped, (8,), 0),
}
DISCRIMINATORS = {"critic": Critic, "pooled": Pooled}


def made(build, shape, classes=0, seed=0):
    """A network whose norms have seen some batches, in the mode in which it is used."""
    torch.manual_seed(seed)
    G = build()
    with torch.no_grad():
        for _ in range(40):
            G(*example(shape, classes, 32))
    return G.eval()


def example(shape, classes=0, count=8):
    """Noise, and classes where there are some."""
    z = torch.randn(count, *shape)
    return (z, torch.randint(0, classes, (count,))) if classes else (z,)


def folded(G):
    """Spectral norms taken off, their quotient left as the weight."""
    for layer in G.modules():
        if hasattr(layer, "weight_orig"):
            nn.utils.remove_spectral_norm(layer)
    return G
