"""Discriminators of checkpoints: run in every usual way, and believed where all of them agree."""

from __future__ import annotations

import numpy as np
import pytest
from test_checkpoint_runs import run_with

from gandoctor import api
from gandoctor.checkpoint import contents, judging
from gandoctor.checkpoint.parts import UnlikeError

torch = pytest.importorskip("torch")
torch.set_num_threads(1)
nn = torch.nn


def pictures(count, low, seed):
    """Stripes with some noise, their brightness from `low` on."""
    t = torch.Generator().manual_seed(seed)
    bright = low + 0.4 * torch.rand(count, 1, 1, 1, generator=t)
    stripes = torch.sin(torch.arange(16.0)).repeat(16, 1)
    return bright * stripes + 0.2 * torch.randn(count, 3, 16, 16, generator=t)


def dcgan(norm=True, n=8):
    norms = [nn.BatchNorm2d(2 * n)] if norm else []
    return nn.Sequential(
        nn.Conv2d(3, n, 4, 2, 1), nn.LeakyReLU(0.2), nn.Conv2d(n, 2 * n, 4, 2, 1), *norms,
        nn.LeakyReLU(0.2), nn.Conv2d(2 * n, 1, 4, 1, 0), nn.Sigmoid(),
    )  # fmt: skip


def mlp():
    return nn.Sequential(nn.Flatten(), nn.Linear(768, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))


def strided():
    """Three by three kernels, then a linear layer; spectrally normalised."""
    sn = nn.utils.parametrizations.spectral_norm
    return nn.Sequential(
        sn(nn.Conv2d(3, 8, 3, 1, 1)), nn.LeakyReLU(0.1), sn(nn.Conv2d(8, 8, 4, 2, 1)),
        nn.LeakyReLU(0.1), nn.Flatten(), sn(nn.Linear(512, 1)),
    )  # fmt: skip


def summed():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.c1, self.c2 = nn.Conv2d(3, 8, 4, 2, 1), nn.Conv2d(8, 8, 4, 2, 1)
            self.l3 = nn.Linear(8, 1)

        def forward(self, x):
            x = torch.relu(self.c2(torch.relu(self.c1(x))))
            return self.l3(x.sum((2, 3)))

    return Net()


def taught(D, steps=60):
    torch.manual_seed(0)
    optimiser = torch.optim.Adam(D.parameters(), 2e-3)
    for step in range(steps):
        for x, y in ((pictures(32, 0.3, step), 1.0), (pictures(32, 0.2, 1000 + step), 0.0)):
            optimiser.zero_grad()
            (D(x).flatten() - y).square().mean().backward()
            optimiser.step()
    return D.eval()


def read(D, folder):
    torch.save(D.state_dict(), folder / "netD.pt")
    (network,) = contents.read(folder / "netD.pt").networks
    return network


def above(a, b):
    return float((a[:, None] > b[None, :]).mean())


@pytest.mark.parametrize("make", [dcgan, mlp, strided])
def test_it_says_what_torch_would_say(make, tmp_path):
    torch.manual_seed(0)
    D = taught(make()).train()
    real, drawn = pictures(100, 0.3, 5001), pictures(100, 0.2, 5002)
    network = read(D, tmp_path)
    with torch.no_grad():
        wanted = above(D(real).flatten().numpy(), D(drawn).flatten().numpy())
    said = judging.answers(network, real.numpy(), drawn.numpy())
    assert wanted > 0.6
    assert said.told_apart == pytest.approx(wanted, abs=0.08)
    assert said.ways > 1
    assert not said.dead
    known = judging.answers(network, real.numpy(), drawn.numpy(), "leakyrelu 0.2")
    assert known.ways < said.ways


def test_a_known_activation_is_taken(tmp_path):
    torch.manual_seed(0)
    D = taught(summed())
    real, drawn = pictures(100, 0.3, 5001), pictures(100, 0.2, 5002)
    with torch.no_grad():
        wanted = above(D(real).flatten().numpy(), D(drawn).flatten().numpy())
    said = judging.answers(read(D, tmp_path), real.numpy(), drawn.numpy(), "relu")
    assert said.told_apart == pytest.approx(wanted, abs=1e-3)
    assert said.ways == 1


def test_one_that_gives_one_answer_is_told(tmp_path):
    D = dcgan(norm=False)
    with torch.no_grad():
        D[0].weight.zero_()
    x = pictures(64, 0.3, 1).numpy()
    said = judging.answers(read(D, tmp_path), x, x + 1)
    assert said.dead
    assert said.told_apart == 0.5


def test_where_the_ways_disagree_nothing_is_said(tmp_path):
    torch.manual_seed(0)
    # Its answer is the sign of what a leak lets through: with another leak it is another.
    D = nn.Sequential(nn.Linear(2, 2), nn.LeakyReLU(0.2), nn.Linear(2, 1))
    with torch.no_grad():
        D[0].weight.copy_(torch.eye(2))
        D[0].bias.zero_()
        D[2].weight.copy_(torch.tensor([[1.0, 3.0]]))
    rng = np.random.default_rng(0)
    real = rng.normal([0.5, -1.0], 0.3, (100, 2)).astype(np.float32)
    drawn = rng.normal([0.3, -0.6], 0.3, (100, 2)).astype(np.float32)
    with pytest.raises(UnlikeError, match="disagree"):
        judging.answers(read(D, tmp_path), real, drawn)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"0.weight": torch.full((8, 3, 4, 4), float("nan"))}, "no numbers"),
        ({"label_emb.weight": torch.zeros(5, 8)}, "takes classes"),
        ({"0.weight": torch.zeros(8, 5, 4, 4)}, "do not follow"),
    ],
)
def test_what_cannot_be_run_is_said_in_a_sentence(change, why, tmp_path):
    torch.save({**dcgan().state_dict(), **change}, tmp_path / "netD.pt")
    (network,) = contents.read(tmp_path / "netD.pt").networks
    x = pictures(64, 0.3, 1).numpy()
    with pytest.raises(UnlikeError, match=why):
        judging.answers(network, x, x)
    with pytest.raises(UnlikeError, match="too few"):
        judging.answers(read(dcgan(), tmp_path), x[:4], x)


def test_it_stands_among_the_facts_and_notes_of_a_run(tmp_path):
    torch.manual_seed(0)
    G = nn.Sequential(
        nn.Linear(8, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 768), nn.Unflatten(1, (3, 16, 16))
    )  # fmt: skip
    with torch.no_grad():
        for _ in range(100):
            G(torch.randn(64, 8))
    run = run_with(tmp_path / "run")
    D = taught(mlp())
    torch.save({"G": G.state_dict(), "D": D.state_dict()}, run / "390.pt")
    (run / "samples").mkdir()
    np.save(run / "samples" / "real.npy", pictures(100, 0.3, 7).flatten(1).numpy())
    (found,) = api.read(run)
    told = found.facts["d_tells_apart"]
    assert found.facts["d_gives_one_answer"] == 0
    share = f"D puts a real example above a sample drawn from G {told:.0%} of the time"
    assert any(share in n for n in found.notes)
