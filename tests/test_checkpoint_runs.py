"""Checkpoints in a run's folder: what is said of them, and what they change."""

from __future__ import annotations

import json
import struct
import subprocess
import sys

import numpy as np
import pytest
from checkpoint_files import GOOD, NUMBERS, PROTO, legacy, payload, state_dict, tensor, zipped
from typer.testing import CliRunner

from gandoctor import api, inspecting
from gandoctor.cli import app
from gandoctor.errors import GandoctorError


def run_with(folder, rows=40):
    folder.mkdir(exist_ok=True)
    lines = [
        "step,d_loss,g_loss",
        *(f"{i * 10},{1.3 + 0.01 * (i % 5)},{0.8 + 0.01 * (i % 3)}" for i in range(rows)),
    ]
    (folder / "log.csv").write_text("\n".join(lines))
    return folder


def both(path, **changed):
    kinds = {
        "G__0__weight": tensor(),
        "G__0__bias": tensor((3,), (1,)),
        "D__0__weight": tensor(),
        "D__0__bias": tensor((3,), (1,)),
        **changed,
    }
    zipped(path, PROTO + state_dict(**kinds) + b".")


def test_a_run_without_checkpoints_imports_nothing(tmp_path):
    run = run_with(tmp_path / "run")
    program = (
        "import sys\nfrom gandoctor import api\n"
        f"api.analyze({str(run)!r})\n"
        "print([m for m in sys.modules if m.startswith('gandoctor.checkpoint') or m == 'torch'])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_what_is_in_them_stands_in_the_report(tmp_path):
    run = run_with(tmp_path / "run")
    both(run / "last.pt")
    report = api.analyze(run)
    (note,) = report.checkpoints
    assert [(n.role, n.parameters) for n in note.networks] == [("g", 9), ("d", 9)]
    source = next(s for s in report.run.sources if s.parser == "checkpoint")
    assert (source.path, source.points, source.lost) == ("last.pt", 18, None)
    assert type(report).from_dict(report.to_dict()) == report
    page = CliRunner().invoke(app, ["analyze", str(run), "-o", str(tmp_path / "r.html")])
    assert page.exit_code == 0
    html = (tmp_path / "r.html").read_text()
    assert "Read as data" in html
    assert "last.pt" in html


def test_damaged_ones_are_listed_and_the_rest_stands(tmp_path):
    run = run_with(tmp_path / "run")
    (run / "netG.pth").write_bytes(
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    )
    (run / "netD.pth").write_bytes(b"")
    marker = tmp_path / "marker"
    zipped(run / "evil.pt", PROTO + payload(marker) + GOOD + b".")
    report = api.analyze(run)
    lost = {s.path: s.lost for s in report.run.sources if s.parser == "checkpoint"}
    assert "git lfs pull" in lost["netG.pth"]
    assert "empty" in lost["netD.pth"]
    assert lost["evil.pt"] is None
    assert not marker.exists()
    assert any("builtins.open" in n for n in report.run.notes)


def test_steps_are_of_the_logs_axis(tmp_path):
    run = run_with(tmp_path / "run", rows=101)
    for epoch in (5, 10):
        zipped(run / f"netG_epoch_{epoch}.pth", PROTO + GOOD + b".")
        legacy(
            run / f"netD_epoch_{epoch}.pth",
            GOOD.replace(b"tQ", b"NtQ"),
            struct.pack("<q", 6) + NUMBERS,
        )
    report = api.analyze(run)
    assert {(c.path, c.step) for c in report.checkpoints} == {
        ("netG_epoch_5.pth", 500),
        ("netD_epoch_5.pth", 500),
        ("netG_epoch_10.pth", 1000),
        ("netD_epoch_10.pth", 1000),
    }


def test_numbers_that_are_not_finite_are_found_and_placed(tmp_path):
    run = run_with(tmp_path / "run")
    bad = np.array([0, np.nan, 1, np.inf, 2, 3], dtype="<f4").tobytes()
    pickle = state_dict(
        G__0__weight=tensor(),
        G__1__weight=tensor(stored=_second()),
        D__0__weight=tensor(),
        D__0__bias=tensor((3,), (1,)),
    )
    zipped(run / "last.pt", PROTO + pickle + b".", data={"0": NUMBERS, "1": bad})
    (read,) = api.read(run)
    assert read.facts["broken_weights_g"] == pytest.approx(2 / 12)
    assert read.facts["broken_weights_d"] == 0
    assert "2 of 12 weights of G are NaN or infinite, first 1.weight" in read.checkpoints[0].said


def _second():
    from checkpoint_files import storage

    return storage("1")


def test_the_command(tmp_path):
    run = run_with(tmp_path / "run")
    both(run / "last.pt")
    done = CliRunner().invoke(app, ["checkpoint", str(run)])
    assert done.exit_code == 0
    assert "G  G: 9 parameters in 2 tensors" in done.stdout
    done = CliRunner().invoke(app, ["checkpoint", str(run / "last.pt"), "--format", "json"])
    assert json.loads(done.stdout)["checkpoints"][0]["networks"][1]["role"] == "d"
    with pytest.raises(GandoctorError, match="no checkpoint of a known kind"):
        inspecting.show(run / "log.csv")
    with pytest.raises(GandoctorError, match="holds no checkpoint"):
        inspecting.show(run_with(tmp_path / "other"))
    with pytest.raises(GandoctorError, match="does not exist"):
        inspecting.show(tmp_path / "nothing")


def test_a_training_state_of_torch(tmp_path):
    torch = pytest.importorskip("torch")
    import argparse

    nn = torch.nn
    torch.manual_seed(0)
    G = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 2))
    D = nn.Sequential(nn.Linear(2, 16), nn.LeakyReLU(0.2), nn.Linear(16, 1))
    D[0].bias.requires_grad_(True)
    og = torch.optim.Adam(G.parameters(), 1e-3, betas=(0.5, 0.9))
    od = torch.optim.Adam(D.parameters(), 4e-3, betas=(0.5, 0.9))
    for _ in range(20):
        for _ in range(2):
            od.zero_grad()
            D(G(torch.randn(8, 4))).mean().backward()
            od.step()
        og.zero_grad()
        D(G(torch.randn(8, 4))).mean().backward()
        og.step()
    run = run_with(tmp_path / "run")
    (run / "config.yaml").write_text("batch_size: 8\n")
    saved = {
        "G": G.state_dict(),
        "D": D.state_dict(),
        "G_ema": G.state_dict(),
        "step": 390,
        "opts": [od.state_dict(), og.state_dict()],
        "args": argparse.Namespace(batch_size=999, latent_dim=4),
    }
    torch.save(saved, run / "last.pt")
    (read,) = api.read(run)
    assert read.facts["steps_ratio"] == 2
    assert read.facts["untrained_share_d"] == 0
    assert read.facts["average_gap"] == 0
    assert read.settings["batch_size"].value == 8  # the config goes before it
    assert read.settings["latent_dim"].value == 4
    assert read.settings["latent_dim"].file == "last.pt"
    assert read.settings["lr_d"].value == 4e-3
    assert read.settings["beta1_g"].value == 0.5
    assert read.facts["capacity_ratio"] == read.facts["params_d"] / read.facts["params_g"]


def test_clipped_weights_are_seen(tmp_path):
    torch = pytest.importorskip("torch")
    nn = torch.nn
    torch.manual_seed(0)
    D = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 16))
    with torch.no_grad():
        for p in D.parameters():
            p.mul_(10).clamp_(-0.01, 0.01)
    torch.save(D.state_dict(), tmp_path / "netD_5.pth")
    assert "lie at +-0.01: its weights are clipped there" in inspecting.show(
        tmp_path / "netD_5.pth"
    )
