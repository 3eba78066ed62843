"""Whole modules say what their layers do: run so, whatever their names and shapes would allow."""

from __future__ import annotations

import contextlib
import time

import numpy as np
import pytest

from gandoctor.checkpoint import contents, layers, rebuilding, rebuilt

torch = pytest.importorskip("torch")
torch.set_num_threads(1)
nn = torch.nn


def odd():
    """Settings that no custom would find."""
    return nn.Sequential(
        nn.Linear(8, 6 * 9), nn.Unflatten(1, (6, 3, 3)), nn.InstanceNorm2d(6, affine=True, eps=1e-2),
        nn.LeakyReLU(0.37), nn.Upsample(scale_factor=3, mode="bilinear", align_corners=True),
        nn.Conv2d(6, 8, 5, 1, 2), nn.Dropout2d(0.5), nn.ELU(), nn.PixelShuffle(2),
        nn.ConvTranspose2d(2, 3, 3, 2, 0, output_padding=1), nn.Softsign(),
    )  # fmt: skip


def normed():
    return nn.Sequential(
        nn.ConvTranspose2d(8, 16, 4, 1, 0), nn.BatchNorm2d(16, eps=1e-3), nn.ReLU6(),
        nn.Sequential(nn.ConvTranspose2d(16, 8, 6, 4, 1), nn.BatchNorm2d(8), nn.Softplus()),
        nn.Conv2d(8, 3, 3, 1, 1), nn.Sigmoid(),
    )  # fmt: skip


class Split(nn.Module):
    """A class of one's own: the reshape is in ``forward`` alone."""

    def __init__(self, swapped=False):
        super().__init__()
        first = nn.Sequential(nn.Linear(8, 8 * 16), nn.BatchNorm1d(8 * 16), nn.LeakyReLU(0.3))
        last = nn.Sequential(
            nn.ConvTranspose2d(8, 8, 4, 2, 1), nn.BatchNorm2d(8), nn.ReLU(),
            nn.ConvTranspose2d(8, 1, 4, 2, 1), nn.Tanh(),
        )  # fmt: skip
        self.scale = nn.Identity()
        for name, part in (("b", last), ("a", first)) if swapped else (("a", first), ("b", last)):
            setattr(self, name, part)

    def forward(self, z):
        return self.b(self.a(z).view(len(z), 8, 4, 4))


def used(G, z):
    """Its norms used to what passes through, or nothing where it has none."""
    with torch.no_grad():
        for _ in range(100):
            G(torch.randn(64, *z))
    return G.eval()


def read(G, folder):
    torch.save(G, folder / "netG.pth")
    (network,) = contents.read(folder / "netG.pth").networks
    assert network.module is not None
    return rebuilding.rebuild(network)


def off(found, G, z):
    noise = torch.randn(8, *z)
    with torch.no_grad():
        wanted = G(noise).numpy()
    return np.abs(layers.run(found.ops, noise.numpy()) - wanted).max()


def test_norms_tell_the_noise_and_the_rest_is_as_it_says(tmp_path):
    torch.manual_seed(0)
    G = used(normed(), (8, 1, 1))
    (found,) = read(G, tmp_path)
    assert off(found, G, (8, 1, 1)) < 1e-5
    assert found.is_proved
    assert found.latent.noise == "normal"
    assert "as its layers say" in rebuilt.said_of(found)
    assert "told by 2 batch norms" in rebuilt.said_of(found)


def test_without_norms_the_layers_are_exact_and_the_noise_is_open(tmp_path):
    torch.manual_seed(0)
    G = odd().eval()
    found = read(G, tmp_path)
    assert [f.latent.noise for f in found] == ["normal", "uniform", "uniform 0 to 1"]
    assert not any(f.is_proved for f in found)
    assert off(found[0], G, (8,)) < 1e-5
    assert "the distribution of the noise is by custom" in rebuilt.said_of(found[0])


def test_a_class_of_ones_own_is_believed_where_its_norms_agree(tmp_path):
    torch.manual_seed(0)
    G = used(Split(), (8,))
    (found,) = read(G, tmp_path)
    assert found.is_proved
    assert found.stated
    assert off(found, G, (8,)) < 1e-5


def test_parts_that_were_registered_in_another_order_are_not_run_in_it(tmp_path):
    torch.manual_seed(0)
    G = used(Split(swapped=True), (8,))
    torch.save(G, tmp_path / "netG.pth")
    (network,) = contents.read(tmp_path / "netG.pth").networks
    with pytest.raises(rebuilding.UnlikeError):
        rebuilding.rebuild(network)


@pytest.mark.parametrize(
    "layer",
    [
        nn.Conv2d(6, 6, 3, dilation=2), nn.Conv2d(6, 6, 3, groups=2), nn.GRU(6, 6),
        nn.Conv2d(6, 6, 3, padding_mode="reflect"), nn.Upsample(size=(9, 9)), nn.ELU(0.3),
        nn.Upsample(scale_factor=1.5), nn.Conv2d(6, 6, (3, 5), padding=(1, 2)),
    ],
)  # fmt: skip
def test_a_layer_that_is_not_run_leaves_the_rest_unclaimed(layer, tmp_path):
    G = nn.Sequential(nn.Linear(8, 54), nn.Unflatten(1, (6, 3, 3)), layer, nn.Tanh())
    torch.save(G, tmp_path / "netG.pth")
    (network,) = contents.read(tmp_path / "netG.pth").networks
    try:
        found = rebuilding.rebuild(network)
    except rebuilding.UnlikeError:
        found = []
    assert not any(f.stated or f.is_proved for f in found)


def test_samples_that_would_fill_the_memory_are_not_drawn(tmp_path):
    ups = [nn.Upsample(scale_factor=8) for _ in range(12)]
    torch.save(nn.Sequential(nn.ConvTranspose2d(8, 3, 4), *ups), tmp_path / "netG.pth")
    (network,) = contents.read(tmp_path / "netG.pth").networks
    begun = time.process_time()
    with contextlib.suppress(rebuilding.UnlikeError):
        assert not any(f.stated for f in rebuilding.rebuild(network))
    assert time.process_time() - begun < 5


def test_settings_that_lie_are_a_sentence(tmp_path):
    G = normed()
    G[3][0].stride = (10**9, 10**9)
    G[3][0].padding = (-3, -3)
    torch.save(G, tmp_path / "netG.pth")
    (network,) = contents.read(tmp_path / "netG.pth").networks
    with pytest.raises(rebuilding.UnlikeError):
        rebuilding.rebuild(network)
