"""Generators as public code defines them, written anew: rebuilt from their state dicts alone."""

from __future__ import annotations

import numpy as np
import pytest

from gandoctor.checkpoint import contents, layers, rebuilding, rebuilt
from gandoctor.checkpoint.parts import UnlikeError

torch = pytest.importorskip("torch")
torch.set_num_threads(1)  # many small layers: threads would only wait for one another
nn = torch.nn
F = torch.nn.functional


def dcgan(nz=16, n=4):
    """pytorch/examples: ``main.N``."""

    def up(a, b):
        return [nn.ConvTranspose2d(a, b, 4, 2, 1, bias=False), nn.BatchNorm2d(b), nn.ReLU(True)]

    return nn.Sequential(
        nn.ConvTranspose2d(nz, n * 8, 4, 1, 0, bias=False),
        nn.BatchNorm2d(n * 8),
        nn.ReLU(True),
        *up(n * 8, n * 4),
        *up(n * 4, n),
        nn.ConvTranspose2d(n, 3, 4, 2, 1, bias=False),
        nn.Tanh(),
    )


def block(a, b, normalize=True):
    layers = [nn.Linear(a, b)]
    return [
        *layers,
        *([nn.BatchNorm1d(b, 0.8)] if normalize else []),
        nn.LeakyReLU(0.2, inplace=True),
    ]


def mlp(z=16, out=64, norms=True):
    """PyTorch-GAN's gan and wgan_gp: an epsilon of 0.8, by mistake."""
    return nn.Sequential(
        *block(z, 24, normalize=False),
        *block(24, 32, norms),
        *block(32, 48, norms),
        *block(48, 64, norms),
        nn.Linear(64, out),
        nn.Tanh(),
    )


class Blocks(nn.Module):
    """PyTorch-GAN's dcgan, lsgan and acgan: a linear layer, then blocks that upsample."""

    def __init__(self, first, embedding=False, z=12, w=16):
        super().__init__()
        if embedding:
            self.label_emb = nn.Embedding(5, z)
        self.w = w
        self.l1 = nn.Sequential(nn.Linear(z, w * 16))
        self.conv_blocks = nn.Sequential(
            *([nn.BatchNorm2d(w)] if first else []),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(w, w, 3, stride=1, padding=1),
            nn.BatchNorm2d(w, 0.8),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Upsample(scale_factor=2),
            nn.Conv2d(w, w // 2, 3, stride=1, padding=1),
            nn.BatchNorm2d(w // 2, 0.8),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(w // 2, 1, 3, stride=1, padding=1),
            nn.Tanh(),
        )

    def forward(self, z, labels=None):
        z = z if labels is None else self.label_emb(labels) * z
        x = self.l1(z)
        return self.conv_blocks(x.view(len(x), self.w, 4, 4))


class Conditional(nn.Module):
    """PyTorch-GAN's cgan: the label's embedding stands before the noise."""

    def __init__(self, z=12, classes=5):
        super().__init__()
        self.label_emb = nn.Embedding(classes, classes)
        self.model = mlp(z + classes, 64)

    def forward(self, z, labels):
        return self.model(torch.cat((self.label_emb(labels), z), -1))


class MainModule(nn.Module):
    """Zeleni9's dcgan and wgan-gp: the output's activation apart."""

    def __init__(self, z=16, n=4):
        super().__init__()
        self.main_module = nn.Sequential(
            nn.ConvTranspose2d(z, n * 8, 4, 1, 0),
            nn.BatchNorm2d(n * 8),
            nn.ReLU(True),
            nn.ConvTranspose2d(n * 8, n * 4, 4, 2, 1),
            nn.BatchNorm2d(n * 4),
            nn.ReLU(True),
            nn.ConvTranspose2d(n * 4, n * 2, 4, 2, 1),
            nn.BatchNorm2d(n * 2),
            nn.ReLU(True),
            nn.ConvTranspose2d(n * 2, 3, 4, 2, 1),
        )
        self.output = nn.Tanh()

    def forward(self, z):
        return self.output(self.main_module(z))


def sngan(z=16, n=4):
    """christiancosgrove's spectral normalisation GAN: a last convolution that keeps the size."""

    def up(a, b):
        return [nn.ConvTranspose2d(a, b, 4, 2, 1), nn.BatchNorm2d(b), nn.ReLU()]

    return nn.Sequential(
        nn.ConvTranspose2d(z, n * 8, 4, stride=1),
        nn.BatchNorm2d(n * 8),
        nn.ReLU(),
        *up(n * 8, n * 4),
        *up(n * 4, n),
        nn.ConvTranspose2d(n, 3, 3, stride=1, padding=1),
        nn.Tanh(),
    )


class Named(nn.Module):
    """znxlwm's DCGAN: layers by name, activations in ``forward`` alone."""

    def __init__(self, z=16, d=4):
        super().__init__()
        sizes = [z, d * 8, d * 4, d]
        for i in range(3):
            way = (4, 2, 1) if i else (4, 1, 0)
            setattr(self, f"deconv{i + 1}", nn.ConvTranspose2d(sizes[i], sizes[i + 1], *way))
            setattr(self, f"deconv{i + 1}_bn", nn.BatchNorm2d(sizes[i + 1]))
        self.deconv5 = nn.ConvTranspose2d(d, 1, 4, 2, 1)

    def forward(self, x):
        for i in range(1, 4):
            x = F.relu(getattr(self, f"deconv{i}_bn")(getattr(self, f"deconv{i}")(x)))
        return torch.tanh(self.deconv5(x))


class Collection(nn.Module):
    """pytorch-generative-model-collections: linear layers, then transposed convolutions."""

    def __init__(self, z=16):
        super().__init__()
        self.fc = nn.Sequential(
            nn.Linear(z, 64),
            nn.BatchNorm1d(64),
            nn.ReLU(),
            nn.Linear(64, 16 * 16),
            nn.BatchNorm1d(16 * 16),
            nn.ReLU(),
        )
        self.deconv = nn.Sequential(
            nn.ConvTranspose2d(16, 8, 4, 2, 1),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.ConvTranspose2d(8, 1, 4, 2, 1),
            nn.Tanh(),
        )

    def forward(self, z):
        return self.deconv(self.fc(z).view(-1, 16, 4, 4))


def elus(z=16):
    """A rare activation and five by five kernels."""
    return nn.Sequential(
        nn.Linear(z, 16 * 16),
        nn.Unflatten(1, (16, 4, 4)),
        nn.BatchNorm2d(16),
        nn.ELU(),
        nn.ConvTranspose2d(16, 8, 5, 2, 2, output_padding=1),
        nn.BatchNorm2d(8),
        nn.ELU(),
        nn.ConvTranspose2d(8, 3, 5, 2, 2, output_padding=1),
        nn.Tanh(),
    )


class Residual(nn.Module):
    """A residual generator: not built in a row, and so not rebuilt."""

    def __init__(self, z=16, n=8):
        super().__init__()
        self.n = n
        self.l1 = nn.Linear(z, n * 16)
        self.b1, self.b2 = nn.BatchNorm2d(n), nn.BatchNorm2d(n)
        self.c1, self.c2 = nn.Conv2d(n, n, 3, 1, 1), nn.Conv2d(n, n, 3, 1, 1)
        self.b3, self.c3 = nn.BatchNorm2d(n), nn.Conv2d(n, 3, 3, 1, 1)

    def forward(self, z):
        x = self.l1(z).view(-1, self.n, 4, 4)
        h = F.interpolate(x, scale_factor=2)
        y = self.c2(F.relu(self.b2(self.c1(F.interpolate(F.relu(self.b1(x)), scale_factor=2)))))
        return torch.tanh(self.c3(F.relu(self.b3(h + 3 * y))))


GENERATORS = {
    "dcgan": (dcgan, (16, 1, 1)),
    "mlp": (mlp, (16,)),
    "upsampling, as dcgan": (lambda: Blocks(first=True), (12,)),
    "upsampling, as lsgan": (lambda: Blocks(first=False), (12,)),
    "conditional, product": (lambda: Blocks(first=True, embedding=True), (12,)),
    "conditional, joined": (Conditional, (12,)),
    "main module": (MainModule, (16, 1, 1)),
    "sngan": (sngan, (16, 1, 1)),
    "by name": (Named, (16, 1, 1)),
    "collection": (Collection, (16,)),
    "elus": (elus, (16,)),
    "residual": (Residual, (16,)),
    "mlp without norms": (lambda: mlp(norms=False), (16,)),
}
NOT_REBUILT = {"residual", "mlp without norms"}


def trained(G, z, labelled, uniform=False):
    """A generator some way from where it began, its norms used to what passes through."""
    with torch.no_grad():
        for p in G.parameters():
            p.add_(torch.randn_like(p) * (0.3 * p.std() if p.ndim > 1 else 0.1))
    optimiser = torch.optim.SGD(G.parameters(), 1e-3)
    for step in range(130):  # running statistics begin at 0 and 1, and forget that slowly
        noise = torch.rand(48, *z) * 2 - 1 if uniform else torch.randn(48, *z)
        more = (torch.randint(5, (48,)),) if labelled else ()
        with torch.set_grad_enabled(step < 10):
            drawn = G(noise, *more)
        if step < 10:
            optimiser.zero_grad()
            drawn.square().mean().backward()
            optimiser.step()
    return G.eval()


def off(found, G, z, labelled):
    """Largest difference of a rebuilt generator's samples from the real one's."""
    noise = torch.randn(8, *z)
    labels = torch.randint(5, (8,))
    with torch.no_grad():
        wanted = G(noise, *((labels,) if labelled else ())).numpy()
    x = noise.numpy()
    if found.latent.embedding is not None:
        e = found.latent.embedding[labels.numpy()].reshape(8, -1, *(1,) * (len(z) - 1))
        joined = {
            "product": lambda: x * e,
            "label first": lambda: np.concatenate([e, x], 1),
            "noise first": lambda: np.concatenate([x, e], 1),
        }
        x = joined[found.latent.joined]()
    drawn = layers.run(found.ops, x)
    return np.abs(drawn - wanted).max() if drawn.shape == wanted.shape else np.inf


@pytest.mark.parametrize("kind", GENERATORS)
def test_generators_are_rebuilt_or_nothing_is_claimed(kind, tmp_path):
    torch.manual_seed(3)
    make, z = GENERATORS[kind]
    labelled = kind.startswith("conditional")
    G = trained(make(), z, labelled)
    torch.save(G.state_dict(), tmp_path / "netG.pt")
    (network,) = contents.read(tmp_path / "netG.pt").networks
    try:
        found = rebuilding.rebuild(network)
    except UnlikeError:
        found = []
    proved = [f for f in found if f.is_proved]
    if kind in NOT_REBUILT:
        assert not proved
        return
    one = proved[0]
    assert off(one, G, z, labelled) <= 1e-4
    assert max(one.errors) < 0.2
    assert "batch norms agree" in rebuilt.said_of(one)


def test_the_noise_is_told_by_the_first_norm(tmp_path):
    torch.manual_seed(0)
    G = trained(Collection(), (16,), labelled=False, uniform=True)
    torch.save(G.state_dict(), tmp_path / "netG.pt")
    (network,) = contents.read(tmp_path / "netG.pt").networks
    found = rebuilding.rebuild(network)[0]
    assert found.latent.noise == "uniform"


def test_statistics_that_fit_nothing_are_no_proof(tmp_path):
    torch.manual_seed(0)
    G = trained(dcgan(), (16, 1, 1), labelled=False)
    state = G.state_dict()
    state["4.running_var"] *= 5
    torch.save(state, tmp_path / "netG.pt")
    (network,) = contents.read(tmp_path / "netG.pt").networks
    with pytest.raises(UnlikeError, match="no way agrees"):
        rebuilding.rebuild(network)


def test_without_norms_several_ways_are_given_and_none_is_exact(tmp_path):
    torch.save(mlp(norms=False).state_dict(), tmp_path / "netG.pt")
    (network,) = contents.read(tmp_path / "netG.pt").networks
    found = rebuilding.rebuild(network)
    assert len(found) > 1
    assert "not exact" in rebuilt.said_of(found[0])
    hints = rebuilt.hints_of({"activation_g": "LeakyReLU", "g_output_activation": "linear"})
    (found,) = rebuilding.rebuild(network, hints)
    assert [o.numbers["name"] for o in found.ops if o.kind == "act"] == ["leakyrelu 0.2"] * 4


@pytest.mark.parametrize(
    ("layer", "op"),
    [
        (
            lambda: nn.ConvTranspose2d(4, 6, 5, 2, 2, output_padding=1),
            {"stride": 2, "pad": 2, "extra": 1},
        ),
        (lambda: nn.ConvTranspose2d(4, 6, 3, 1, 1), {"stride": 1, "pad": 1, "extra": 0}),
        (lambda: nn.Conv2d(4, 6, 3, 2, 1), {"stride": 2, "pad": 1}),
        (lambda: nn.Conv2d(4, 6, 5, 1, 0), {"stride": 1, "pad": 0}),
    ],
)
def test_layers_equal_torchs(layer, op):
    torch.manual_seed(0)
    made = layer()
    x = torch.randn(3, 4, 7, 7)
    kind = "convt" if isinstance(made, nn.ConvTranspose2d) else "conv"
    arrays = {"weight": made.weight.detach().numpy(), "bias": made.bias.detach().numpy()}
    found = layers.step(layers.Op(kind, arrays, op), x.numpy())
    assert np.abs(found - made(x).detach().numpy()).max() < 1e-5


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("relu", nn.ReLU()),
        ("leakyrelu 0.2", nn.LeakyReLU(0.2)),
        ("tanh", nn.Tanh()),
        ("elu", nn.ELU()),
        ("selu", nn.SELU()),
        ("silu", nn.SiLU()),
        ("gelu", nn.GELU()),
        ("sigmoid", nn.Sigmoid()),
        ("softplus", nn.Softplus()),
    ],
)
def test_activations_equal_torchs(name, module):
    x = torch.linspace(-6, 6, 200).reshape(2, 100)
    assert np.abs(layers.ACTIVATIONS[name](x.numpy()) - module(x).numpy()).max() < 1e-6


@pytest.mark.parametrize(
    "wrap",
    [
        nn.utils.spectral_norm,
        nn.utils.parametrizations.spectral_norm,
        nn.utils.weight_norm,
        nn.utils.parametrizations.weight_norm,
    ],
)
@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
def test_normalised_weights_are_worked_out(wrap, tmp_path):
    torch.manual_seed(0)
    G = nn.Sequential(
        wrap(nn.Linear(8, 32)), nn.BatchNorm1d(32), nn.ReLU(), wrap(nn.Linear(32, 20)), nn.Tanh()
    )
    for _ in range(40):
        G(torch.randn(256, 8))
    G.eval()
    torch.save(G.state_dict(), tmp_path / "netG.pt")
    (network,) = contents.read(tmp_path / "netG.pt").networks
    found = rebuilding.rebuild(network)[0]
    assert off(found, G, (8,), labelled=False) < 1e-4
