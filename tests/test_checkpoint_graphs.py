"""Where a file holds the graph, generators and discriminators run as it says, without torch."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from test_checkpoint_runs import run_with

from gandoctor import api
from gandoctor.checkpoint import contents
from gandoctor.checkpoint.graphs import feeding, programs
from gandoctor.checkpoint.graphs.meter import Meter
from gandoctor.checkpoint.parts import UnlikeError
from gandoctor.checkpoint.rebuilt import Hints

torch = pytest.importorskip("torch")
from graph_networks import DISCRIMINATORS, GENERATORS, example, folded, made  # noqa: E402

torch.set_num_threads(1)


def traced(G, given, path):
    torch.jit.save(torch.jit.trace(G, given, check_trace=False), path.with_suffix(".pt"))
    return path.with_suffix(".pt")


def scripted(G, given, path):
    torch.jit.save(torch.jit.script(folded(G)), path.with_suffix(".pt"))
    return path.with_suffix(".pt")


def exported(G, given, path):
    torch.export.save(torch.export.export(G, given), path.with_suffix(".pt2"))
    return path.with_suffix(".pt2")


WAYS = {"traced": traced, "scripted": scripted, "exported": exported}


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def saved(way, G, given, folder, name="netG"):
    (network,) = contents.read(WAYS[way](G, given, folder / name)).networks
    return network


def run(network, given):
    program = programs.of(network.plan)
    return program.run([x.numpy().copy() for x in given], Meter())


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", GENERATORS)
def test_generators_run_as_torch_runs_them(name, way, tmp_path):
    build, shape, classes = GENERATORS[name]
    G = made(build, shape, classes)
    network = saved(way, G, example(shape, classes, 8), tmp_path)
    assert network.role == "g"
    given = example(shape, classes, 8)
    with torch.no_grad():
        wanted = G(*given).numpy()
    assert np.abs(run(network, given) - wanted).max() < 1e-4
    ways = feeding.rebuild(network, Hints())
    z, *labels = given
    flat = z.reshape(8, -1).numpy()
    if classes:
        flat = np.concatenate([flat, np.eye(classes, dtype=np.float32)[labels[0].numpy()]], axis=1)
    for found in ways:
        assert found.latent.shape == (z[0].numel(),)
        assert len(found.latent.embedding if classes else ()) == classes
        off = np.abs(found.sample(flat, 1) - wanted.reshape(found.sample(flat, 1).shape)).max()
        assert off < 1e-4
        # Other sizes of batch than the one it was saved with give the same.
        part = found.sample(flat[:3], 1)
        assert np.abs(part - wanted[:3].reshape(part.shape)).max() < 1e-4


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", DISCRIMINATORS)
def test_discriminators_run_as_torch_runs_them(name, way, tmp_path):
    D = made(DISCRIMINATORS[name], (3, 16, 16))
    given = torch.randn(10, 3, 16, 16)
    network = saved(way, D, (torch.randn(4, 3, 16, 16),), tmp_path, "netD")
    assert network.role == "d"
    with torch.no_grad():
        wanted = D(given).numpy()
    found = feeding.scores(network, given.numpy())
    assert np.abs(found.reshape(wanted.shape) - wanted).max() < 1e-4


def off(network, given, wanted):
    return np.abs(run(network, given).reshape(wanted.shape) - wanted).max()


@pytest.mark.parametrize("way", WAYS)
def test_a_norm_in_training_mode_takes_the_batch(way, tmp_path):
    G = made(*GENERATORS["dcgan"][:2]).train()
    network = saved(way, G, example((12, 1, 1)), tmp_path)
    given = example((12, 1, 1), count=8)
    with torch.no_grad():
        wanted = G(*given).numpy()
    assert off(network, given, wanted) < 1e-4


@pytest.mark.parametrize("way", WAYS)
def test_what_is_dropped_at_random_is_no_claim(way, tmp_path):
    G = made(*GENERATORS["mlp"][:2])
    G.model[5].train()
    network = saved(way, G, example((10,)), tmp_path)
    with pytest.raises(UnlikeError, match="at random"):
        feeding.rebuild(network, Hints())


class Scaled(torch.nn.Module):
    """Norms over the batch that were written by hand: what comes out depends on how many go in."""

    def forward(self, z):
        return torch.tanh(z - z.mean(dim=0, keepdim=True))


@pytest.mark.parametrize("count", [1, 5])
def test_a_graph_for_one_size_of_batch_is_run_with_that(count, tmp_path):
    network = saved("exported", Scaled(), (torch.randn(count, 4),), tmp_path)
    found = feeding.rebuild(network, Hints())[0]
    z = np.random.default_rng(0).normal(size=(3 * count, 4)).astype(np.float32)
    parts = [Scaled()(torch.tensor(z[i : i + count])) for i in range(0, len(z), count)]
    assert np.abs(found.sample(z, 1) - torch.cat(parts).numpy()).max() < 1e-6


class Hot(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.l = torch.nn.Linear(9, 4)

    def forward(self, z, labels):
        return self.l(torch.cat([z, labels], 1))


@pytest.mark.parametrize("way", ["traced", "exported"])
def test_classes_may_go_in_as_one_number_each(way, tmp_path):
    G = Hot()
    hot = torch.eye(3)[torch.tensor([0, 2, 1])]
    network = saved(way, G, (torch.randn(3, 6), hot), tmp_path)
    found = feeding.rebuild(network, Hints())[0]
    assert found.latent.embedding.shape == (3, 3)
    z = torch.randn(3, 6)
    flat = torch.cat([z, hot], 1)
    assert np.abs(found.sample(flat.numpy(), 1) - G(z, hot).detach().numpy()).max() < 1e-5


class Twice(torch.nn.Module):
    def forward(self, a, b):
        return torch.tanh(a * b)


class Coded(torch.nn.Module):
    """A continuous code beside the noise is no class."""

    def forward(self, z, c):
        return torch.cat([z, c], 1)


class Scanned(torch.nn.Module):
    def forward(self, z):
        return torch.cumsum(torch.tanh(z), dim=1)


@pytest.mark.parametrize(
    ("G", "given", "why"),
    [
        (Twice(), (torch.randn(3, 4), torch.randn(3, 4)), "two inputs"),
        (Coded(), (torch.randn(3, 4), torch.randn(3, 2)), "two inputs"),
        (Scanned(), (torch.randn(3, 4),), "holds cumsum, which is not run here"),
        (torch.nn.Conv2d(3, 3, 3, 1, 1), (torch.randn(2, 3, 8, 8),), "is a picture, not noise"),
        (torch.nn.Embedding(9, 4), (torch.arange(3),), "whole numbers alone"),
        (torch.nn.Upsample(scale_factor=2, mode="bicubic"), (torch.randn(3, 4, 1, 1),), "bicubic"),
    ],
)
@pytest.mark.parametrize("way", ["traced", "exported"])
def test_what_is_not_run_is_said_in_one_sentence(way, G, given, why, tmp_path):
    network = saved(way, G, given, tmp_path)
    with pytest.raises(UnlikeError, match=why):
        feeding.rebuild(network, Hints())


@pytest.mark.parametrize("noise", ["normal", "uniform"])
def test_norms_tell_the_noise(noise, tmp_path):
    torch.manual_seed(0)
    G = GENERATORS["dcgan"][0]()
    with torch.no_grad():
        for _ in range(150):
            z = torch.randn(128, 12, 1, 1)
            G(z if noise == "normal" else torch.rand(128, 12, 1, 1) * 2 - 1)
    network = saved("traced", G.eval(), example((12, 1, 1)), tmp_path)
    (found,) = feeding.rebuild(network, Hints())
    assert found.latent.noise == noise
    assert found.is_proved
    assert len(found.errors) == 2


def test_the_report_says_that_it_was_the_graph(tmp_path):
    folder = run_with(tmp_path / "run")
    G, D = made(*GENERATORS["dcgan"][:2]), made(DISCRIMINATORS["critic"], (3, 16, 16))
    saved("traced", G, example((12, 1, 1)), folder)
    saved("exported", D, (torch.randn(4, 3, 16, 16),), folder, "netD")
    real = torch.tanh(torch.randn(200, 16, 16, 3)).numpy()
    (folder / "samples").mkdir()
    np.save(folder / "samples" / "real.npy", real)
    report = api.analyze(folder)
    (drawn,) = report.drawn
    assert drawn.how.startswith("from the graph in the file (TorchScript), from 12 values of ")
    assert drawn.picture
    assert any("D puts a real example above a sample drawn from G" in n for n in report.run.notes)
    assert any(s.tag.startswith("drawn/") for s in report.signals)
