"""What two checkpoints of a run, and a network and its optimiser, tell together."""

from __future__ import annotations

import pytest
from test_checkpoint_runs import run_with

from gandoctor import api, rulebook, vocabulary
from gandoctor.api.saving import with_contradictions
from gandoctor.model.checkpoints import Saved
from gandoctor.model.signals import Setting

torch = pytest.importorskip("torch")
nn = torch.nn


def players():
    torch.manual_seed(0)
    G = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 8))
    D = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.LeakyReLU(0.2), nn.Linear(16, 1))
    return G, D


def keep(run, step, G, D, **more):
    torch.save({"g": G.state_dict(), "d": D.state_dict(), "step": step, **more}, run / f"{step}.pt")


def noted(run, *words):
    (read,) = api.read(run)
    return read, [n for n in read.notes if all(w in n for w in words)]


def test_layers_that_stood_still_and_norms_that_grew(tmp_path):
    run, (G, D) = run_with(tmp_path / "run"), players()
    keep(run, 100, G, D)
    with torch.no_grad():
        G[2].weight.add_(0.01)
        for p in D.parameters():
            p.mul_(3)
    keep(run, 200, G, D)
    read, found = noted(run, "from step 100 to 200", "1 of 2 weights of G", "(0.weight)")
    assert found
    assert read.facts["frozen_share_g"] == 0.5
    assert read.facts["frozen_share_d"] == 0
    assert read.facts["growth_d"] == pytest.approx(3)
    assert noted(run, "D's weights grew 3.0 times")[1]
    assert not noted(run, "G's weights grew")[1]


def test_a_copy_of_the_last_checkpoint_says_nothing(tmp_path):
    run, (G, D) = run_with(tmp_path / "run"), players()
    keep(run, 100, G, D)
    keep(run, 200, G, D)
    read, found = noted(run, "did not change")
    assert not found
    assert "frozen_share_g" not in read.facts


def test_other_networks_are_not_compared(tmp_path):
    run, (G, D) = run_with(tmp_path / "run"), players()
    keep(run, 100, G, D)
    keep(run, 200, nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 8)), D)
    assert "growth_g" not in noted(run)[0].facts


def trained_by(lr, G, steps=3):
    optimiser = torch.optim.Adam(G.parameters(), lr)
    for _ in range(steps):
        optimiser.zero_grad()
        G(torch.randn(8, 4)).square().mean().backward()
        optimiser.step()
    return optimiser


@pytest.mark.parametrize(("stated", "contradicts"), [(0.0002, True), (0.002, False)])
def test_a_rate_that_the_config_does_not_say(tmp_path, stated, contradicts):
    run, (G, D) = run_with(tmp_path / "run"), players()
    (run / "config.yaml").write_text(f"lr_g: {stated}\n")
    keep(run, 390, G, D, g_optim=trained_by(0.002, G).state_dict())
    found = noted(run, "config.yaml says lr_g", "390.pt ran with 0.002")[1]
    assert bool(found) == contradicts


def test_a_rate_beyond_all_floats_is_no_number():
    words = vocabulary.load([rulebook.default_folder()])
    told = Saved(settings=(Setting("", 0.002, "optimizer_g.lr", "last.pt"),))
    stated = {"lr_g": Setting("lr_g", 10**400, "lr_g", "config.yaml")}
    assert with_contradictions(told, stated, words).remarks == ()


def test_a_schedule_is_no_contradiction(tmp_path):
    run, (G, D) = run_with(tmp_path / "run"), players()
    (run / "config.yaml").write_text("lr_g: 0.002\n")
    optimiser = trained_by(0.002, G)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimiser, 0.1)
    optimiser.step()
    schedule.step()
    keep(run, 390, G, D, g_optim=optimiser.state_dict())
    assert not noted(run, "ran with")[1]


@pytest.mark.parametrize(("moved", "told"), [(0.0, "copied or shared"), (5.0, "never left")])
def test_an_average_that_is_none(tmp_path, moved, told):
    run, (G, D) = run_with(tmp_path / "run"), players()
    average = {k: v + moved for k, v in G.state_dict().items()}
    keep(run, 5000, G, D, g_ema=average)
    assert noted(run, "moving average", told)[1]
    near = {k: v + 1e-3 for k, v in G.state_dict().items()}
    keep(run, 5000, G, D, g_ema=near)
    assert not noted(run, "moving average")[1]


def test_classes_that_are_all_one(tmp_path):
    run, (_, D) = run_with(tmp_path / "run"), players()
    G = nn.Module()
    G.label_emb, G.l1 = nn.Embedding(5, 4), nn.Linear(4, 8)
    keep(run, 390, G, D)
    assert not noted(run, "embeddings in G")[1]
    with torch.no_grad():
        G.label_emb.weight[:] = 1 + 0.01 * torch.rand(5, 4)
    keep(run, 390, G, D)
    read, found = noted(run, "embeddings in G are all but one")
    assert found
    assert read.facts["classes_alike_g"] > 0.99


def test_batch_norm_in_a_penalised_critic_is_proved_by_its_keys(tmp_path):
    run, (G, D) = run_with(tmp_path / "run"), players()
    (run / "config.yaml").write_text("gp_lambda: 10\n")
    keep(run, 390, G, D)
    (read,) = api.read(run)
    assert read.settings["batchnorm_d"].file == "390.pt"
    report = api.analyze(run, api.Options(loss="wgan-gp"))
    assert "batchnorm-in-the-critic" in [r.rule for r in report.risks]
