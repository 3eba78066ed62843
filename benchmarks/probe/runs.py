"""Runs to probe: a log, a config, weights and an entry, written in a second."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Final

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

ENTRY: Final = """
import torch
from torch import nn
from gandoctor.probe import Probe
from benchmarks.probe import runs

def build(checkpoint, settings):
    G, D = runs.NETS[settings["arch"]]()
    checkpoint.load(G, "G")
    checkpoint.load(D, "D")
    made = runs.DATA[settings["arch"]]
    return Probe(G, D, real=made(1024, 1), held_out=made(1024, 2), latent=G.latent)
"""


class Generator(nn.Sequential):
    """G with the shape of its noise."""

    latent: tuple[int, ...] = (8,)


def tiny() -> tuple[Generator, nn.Module]:
    """Perceptrons for points of a plane."""
    G = Generator(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2))
    D = nn.Sequential(
        nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2), nn.Linear(64, 1)
    )
    return G, D


def dcgan(width: int = 64) -> tuple[Generator, nn.Module]:
    """DCGAN for 64 x 64 pixels (arXiv:1511.06434)."""
    sizes = [8 * width, 4 * width, 2 * width, width]
    layers: list[nn.Module] = [nn.ConvTranspose2d(100, sizes[0], 4, 1, 0, bias=False)]
    for a, b in zip(sizes, [*sizes[1:], 3], strict=True):
        layers += [nn.BatchNorm2d(a), nn.ReLU(), nn.ConvTranspose2d(a, b, 4, 2, 1, bias=False)]
    G = Generator(*layers, nn.Tanh())
    G.latent = (100, 1, 1)
    down: list[nn.Module] = [nn.Conv2d(3, width, 4, 2, 1, bias=False), nn.LeakyReLU(0.2)]
    for a, b in zip(sizes[:0:-1], sizes[-2::-1], strict=True):
        down += [nn.Conv2d(a, b, 4, 2, 1, bias=False), nn.BatchNorm2d(b), nn.LeakyReLU(0.2)]
    D = nn.Sequential(*down, nn.Conv2d(sizes[0], 1, 4, 1, 0, bias=False), nn.Sigmoid())
    return G, D


def ring(count: int, seed: int) -> torch.Tensor:
    """Eight clusters on a circle, shape (count, 2)."""
    own = torch.Generator().manual_seed(seed)
    angle = torch.randint(8, (count,), generator=own) * math.pi / 4
    centres = torch.stack([angle.cos(), angle.sin()], 1)
    return centres + 0.05 * torch.randn(count, 2, generator=own)


def blobs(count: int, seed: int) -> torch.Tensor:
    """Pictures of one soft disc each, shape (count, 3, 64, 64), -1 to 1."""
    own = torch.Generator().manual_seed(seed)
    x, y, r, *_ = torch.rand(3, count, 1, 1, generator=own)
    grid = torch.linspace(0, 1, 64)
    apart = (grid[None, None] - x) ** 2 + (grid[None, :, None] - y) ** 2
    disc = torch.exp(-apart / (0.01 + 0.05 * r))
    colour = torch.rand(count, 3, 1, 1, generator=own)
    return 2 * disc[:, None] * colour - 1


NETS: Final[dict[str, Callable[[], tuple[Generator, nn.Module]]]] = {"tiny": tiny, "dcgan": dcgan}
DATA: Final[dict[str, Callable[[int, int], torch.Tensor]]] = {"tiny": ring, "dcgan": blobs}


def write(
    out: Path, arch: str = "tiny", *, steps: int = 300, lr: float = 1e-3, more: Sequence[str] = ()
) -> Path:
    """A run's folder with a training of so many steps behind it; its entry lies in it."""
    torch.manual_seed(0)
    G, D = NETS[arch]()
    data = DATA[arch](1024, 1)
    optimizers = [torch.optim.Adam(n.parameters(), lr, betas=(0.5, 0.999)) for n in (G, D)]
    bce = nn.BCELoss() if arch == "dcgan" else nn.BCEWithLogitsLoss()
    rows = ["step,d_loss,g_loss"]
    for step in range(1, steps + 1):
        real = data[torch.randint(len(data), (64 if arch == "tiny" else 8,))]
        fake = G(torch.randn(len(real), *G.latent))
        of_real, of_fake = D(real).flatten(), D(fake.detach()).flatten()
        d_loss = bce(of_real, torch.ones_like(of_real)) + bce(of_fake, torch.zeros_like(of_fake))
        optimizers[1].zero_grad()
        d_loss.backward()
        optimizers[1].step()
        fooled = D(fake).flatten()
        g_loss = bce(fooled, torch.ones_like(fooled))
        optimizers[0].zero_grad()
        g_loss.backward()
        optimizers[0].step()
        rows.append(f"{step},{d_loss.item():.6f},{g_loss.item():.6f}")
    out.mkdir(parents=True, exist_ok=True)
    (out / "metrics.csv").write_text("\n".join(rows) + "\n", "utf-8")
    said = [f"arch: {arch}", f"latent_dim: {G.latent[0]}", "loss: nonsaturating"]
    said += [f"lr_d: {lr}", f"lr_g: {lr}", *more]
    (out / "config.yaml").write_text("\n".join(said) + "\n", "utf-8")
    (out / "gandoctor_probe.py").write_text(ENTRY, "utf-8")
    torch.save({"G": G.state_dict(), "D": D.state_dict()}, out / "last.pt")
    return out
