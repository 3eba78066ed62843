"""Samples drawn from the generators in a run's checkpoints, and what they change."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from test_checkpoint_runs import run_with

from gandoctor import api
from gandoctor.checkpoint import drawing

torch = pytest.importorskip("torch")
torch.set_num_threads(1)
nn = torch.nn


def flat(spread=1.0):
    """A generator of eight values, its norms used to what passes."""
    torch.manual_seed(0)
    G = nn.Sequential(
        nn.Linear(8, 32),
        nn.BatchNorm1d(32),
        nn.ReLU(),
        nn.Linear(32, 32),
        nn.BatchNorm1d(32),
        nn.ReLU(),
        nn.Linear(32, 8),
    )
    with torch.no_grad():
        G[6].weight.mul_(spread)
        for _ in range(120):
            G(torch.randn(128, 8))
    return G.eval()


def pictures():
    torch.manual_seed(0)
    G = nn.Sequential(
        nn.ConvTranspose2d(8, 16, 4, 1, 0),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.ConvTranspose2d(16, 8, 4, 2, 1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.ConvTranspose2d(8, 3, 4, 2, 1),
        nn.Tanh(),
    )
    with torch.no_grad():
        for _ in range(120):
            G(torch.randn(64, 8, 1, 1))
    return G.eval()


def kept(run, real):
    (run / "samples").mkdir()
    np.save(run / "samples" / "real.npy", real.astype(np.float32))


def test_samples_like_the_data_speak_for_the_run(tmp_path):
    run, G = run_with(tmp_path / "run"), flat()
    torch.save(G.state_dict(), run / "netG_epoch_10.pth")
    with torch.no_grad():
        kept(run, G(torch.randn(300, 8)).numpy())
    report = api.analyze(run)
    (read,) = api.read(run)
    assert read.facts["drawn_coverage"] > 0.9
    assert read.facts["drawn_distance"] < 0.02
    assert 0.9 < read.facts["drawn_diversity"] < 1.1
    assert read.facts["sensitivity_g"] > 0.3
    assert not [f for f in report.findings if f.rule.startswith("drawn")]
    assert sum(b.nats for b in report.belief if b.evidence.startswith("drawn")) < -0.5
    (note,) = report.drawn
    assert "batch norms agree" in note.how
    assert not note.picture


def test_samples_that_collapsed_speak_against_it(tmp_path):
    run, G = run_with(tmp_path / "run"), flat(spread=0.2)
    torch.save(G.state_dict(), run / "netG_epoch_10.pth")
    with torch.no_grad():
        kept(run, G(torch.randn(300, 8)).numpy() * 5)
    report = api.analyze(run)
    assert "drawn-samples-collapsed" in [f.rule for f in report.findings]
    assert report.verdict == "failing"
    again = type(report).from_dict(report.to_dict())
    assert again.drawn == report.drawn


def test_what_is_not_proved_says_nothing_without_real_data(tmp_path):
    run = run_with(tmp_path / "run")
    torch.manual_seed(0)
    G = nn.Sequential(nn.Linear(8, 32), nn.ReLU(), nn.Linear(32, 8))
    torch.save(G.state_dict(), run / "netG.pth")
    (read,) = api.read(run)
    assert not [s for s in read.signals if s.tag.startswith("drawn")]
    assert not [f for f in read.facts if f.startswith("drawn")]
    assert "not exact" in read.drawn[0].how


def test_of_several_ways_the_one_nearest_the_data_counts(tmp_path):
    run = run_with(tmp_path / "run")
    torch.manual_seed(0)
    G = nn.Sequential(nn.Linear(4, 64), nn.ELU(), nn.Linear(64, 64), nn.ELU(), nn.Linear(64, 6))
    torch.save(G.state_dict(), run / "netG.pth")
    with torch.no_grad():
        kept(run, G(torch.randn(400, 4)).numpy())
    (read,) = api.read(run)
    assert read.facts["drawn_distance"] < 0.02
    assert "elu" in read.drawn[0].how
    assert "sensitivity_g" not in read.facts


def test_pictures_stand_in_the_report(tmp_path):
    image = pytest.importorskip("PIL.Image")
    run, G = run_with(tmp_path / "run"), pictures()
    torch.save({"g_ema": G.state_dict(), "step": 390}, run / "last.pt")
    report = api.analyze(run)
    (note,) = report.drawn
    shown = image.open(io.BytesIO(base64.b64decode(note.picture)))
    assert shown.size == (8 * 17, 4 * 17)
    assert note.step == 390
    from gandoctor import reporters

    page = reporters.render(reporters.by_name("html"), [report])
    assert f"data:image/png;base64,{note.picture}" in page
    assert "Samples drawn from" in page
    broken = type(report).from_dict(
        {
            **report.to_dict(),
            "drawn": [{"path": "x", "network": "G", "step": None, "how": "", "picture": '"><b>'}],
        }
    )
    assert 'src="data:,"' in reporters.render(reporters.by_name("html"), [broken])


def test_a_grid_is_what_was_drawn():
    image = pytest.importorskip("PIL.Image")
    values = np.linspace(-1, 1, 32 * 3 * 8 * 8, dtype=np.float32).reshape(32, 3, 8, 8)
    grid = image.open(io.BytesIO(base64.b64decode(drawing._grid(values))))
    wanted = np.moveaxis(((values[9] + 1) / 2 * 255).round().astype(np.uint8), 0, 2)
    assert np.array_equal(np.asarray(grid)[9:17, 9:17], wanted)


def test_a_generator_that_is_none_of_these_is_told(tmp_path):
    run = run_with(tmp_path / "run")
    state = {"a.weight": torch.randn(4, 4, 3, 3, 3), "a.bias": torch.randn(4)}
    torch.save(state, run / "netG.pth")
    (read,) = api.read(run)
    assert any("was not run" in n for n in read.notes)
    assert not read.drawn


def test_logged_samples_go_before_drawn_ones(tmp_path):
    run, G = run_with(tmp_path / "run"), flat(spread=0.2)
    torch.save(G.state_dict(), run / "netG_epoch_10.pth")
    with torch.no_grad():
        real = G(torch.randn(300, 8)).numpy() * 5
    kept(run, real)
    for step in (100, 200, 300, 390):
        np.save(run / "samples" / f"fake_{step:06d}.npy", real[:200])
    (read,) = api.read(run)
    assert not [f for f in read.facts if f.startswith("drawn")]
    assert read.drawn
    report = api.analyze(run)
    assert not [f for f in report.findings if f.rule.startswith("drawn")]


def test_classes_without_an_embedding_are_told_by_the_size_of_the_noise(tmp_path):
    torch.manual_seed(0)
    G = nn.Sequential(nn.Linear(8 + 4, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 8))
    codes = torch.eye(4)
    with torch.no_grad():
        G[0].weight.add_(torch.randn(32, 12))
        for _ in range(150):
            G(torch.cat([torch.randn(256, 8), codes[torch.randint(4, (256,))]], 1))
    run = run_with(tmp_path / "run")
    (run / "config.yaml").write_text("latent_dim: 8\n")
    torch.save(G.state_dict(), run / "netG.pth")
    (read,) = api.read(run)
    assert "8 values of normal noise and 4 classes (noise first)" in read.drawn[0].how
