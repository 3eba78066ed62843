"""The probe: what it measures, how it degrades, what it keeps to. Needs torch but for the last."""

from __future__ import annotations

import builtins
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gandoctor import GandoctorError, api
from gandoctor.model.probing import ProbeFigure
from gandoctor.probe import Wishes, judging, run
from gandoctor.probe.asked import seconds

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

DEVICE = os.environ.get("GANDOCTOR_PROBE_DEVICE", "cpu")
ROOT = Path(__file__).resolve().parents[1]
PIPES = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}

# Whoever runs the tests in the background has their children ignore Ctrl-C.
HEEDING = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from gandoctor.__main__ import main; main()"
)


ENTRY = """
import math, torch
from torch import nn
from gandoctor.probe import Probe

def nets():
    G = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 2))
    D = nn.Sequential(nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1))
    return G, D

def ring(n, seed=1):
    own = torch.Generator().manual_seed(seed)
    a = torch.randint(6, (n,), generator=own) * math.pi / 3
    return torch.stack([a.cos(), a.sin()], 1) + 0.05 * torch.randn(n, 2, generator=own)

def build(checkpoint, settings):
    G, D = nets()
    checkpoint.load(G, "G"); checkpoint.load(D, "D")
    return Probe(G, D, real=ring, held_out=ring(600, 2), latent=4, loss="nonsaturating")

def alone(checkpoint):
    G, _ = nets()
    checkpoint.load(G, "G")
    return Probe(G, latent=4)

class Huge(nn.Module):
    def __init__(self, net): super().__init__(); self.net = net
    def forward(self, z):
        if len(z) > 20: raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB")
        return self.net(z)

def huge(checkpoint):
    p = build(checkpoint, {}); p.generator = Huge(p.generator); return p

def perfect():
    # A "generator" that is the data: the noise picks the mode and the place in it.
    def data(z):
        a = torch.floor((torch.erf(z[:, 0] / 2**.5) + 1) * 3).clamp(0, 5) * math.pi / 3
        return torch.stack([a.cos(), a.sin()], 1) + 0.05 * z[:, 1:3]
    return Probe(data, real=ring, latent=4)

def collapsed():
    return Probe(lambda z: torch.tensor([1.0, 0.0]) + 0.05 * z[:, :2], real=ring, latent=4)

def asks(nonsense): return None
def fails(): raise KeyError("no such layer")
def wrong(): return 3
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A run with a log that says little, and an untrained pair of players."""
    out = tmp_path_factory.mktemp("probe") / "run"
    out.mkdir()
    (out / "gandoctor_probe.py").write_text(ENTRY)
    (out / "config.yaml").write_text("latent_dim: 4\nlr_d: 0.001\nlr_g: 0.001\nbatch_size: 64\n")
    steps = range(0, 1000, 10)
    noise = np.random.default_rng(0).normal(0, 0.05, len(steps))
    rows = [f"{s},{1.25 + w:.4f},{0.85 - w:.4f}" for s, w in zip(steps, noise, strict=True)]
    (out / "metrics.csv").write_text("\n".join(["step,d_loss,g_loss", *rows]) + "\n")
    space: dict = {}
    exec(ENTRY, space)
    torch.manual_seed(0)
    G, D = space["nets"]()
    torch.save({"state": {"netG": G.state_dict()}, "netD": D.state_dict()}, out / "last.pt")
    return out


def probed(folder, name="build", **more):
    more = {"entry": f"{folder / 'gandoctor_probe.py'}:{name}", "device": DEVICE, **more}
    report = run(folder, Wishes(**more))
    assert report.probe is not None
    return report, {f.name: f.value for f in report.probe.figures}


def test_everything_is_measured(folder):
    report, seen = probed(folder)
    wanted = {"finite", "distance", "coverage", "diversity", "sensitivity", "d_real", "d_fake"}
    wanted |= {
        "d_held_out",
        "told_apart",
        "by_heart",
        "slope",
        "pull",
        "grad_g",
        "grad_d",
        "beyond",
    }
    assert wanted <= seen.keys(), report.probe.notes
    assert {layer.player for layer in report.probe.layers} == {"G", "D"}
    assert seen["coverage"] < 0.5
    assert seen["distance"] > 0.2  # an untrained G
    assert report.probe.complete
    assert report.probe.p_after > report.probe.p_before + 0.1


def test_the_same_seed_gives_the_same_figures(folder):
    assert probed(folder)[1] == probed(folder)[1]
    assert probed(folder)[1] != probed(folder, seed=1)[1]


def test_samples_of_the_data_itself_are_good_and_a_collapse_is_one(folder):
    good, seen = probed(folder, "perfect", device="cpu")
    assert seen["distance"] < 0.05
    assert seen["coverage"] > 0.9
    bad, other = probed(folder, "collapsed", device="cpu")
    assert other["coverage"] < 0.4
    assert other["reached"] < 0.3
    assert seen["reached"] > 0.9
    assert bad.verdict == "failing"
    assert "mode-collapse" in {f.symptom for f in bad.findings}
    assert good.probe.p_after < good.probe.p_before < bad.probe.p_after
    assert good.verdict in ("healthy", "inconclusive")


def words(symptoms, p_after=0.9, **seen):
    """What figures say of a diagnosis with these symptoms, of a run that failed by its log."""
    report = api.analyze(ROOT / "sample_logs" / "mode-collapse")
    one = replace(report.diagnoses[0], symptoms=symptoms)
    before = replace(report, diagnoses=(one,), p_failing=0.9)
    after = replace(before, diagnoses=(), p_failing=p_after)
    figures = [ProbeFigure(name, value, "") for name, value in seen.items()]
    (found,) = judging.tested(before, after, figures)
    return found.outcome, found.why


BAD = {"distance": 0.3, "fine_precision": 0.2, "coverage": 0.7, "diversity": 0.9, "shift": 0.3}


@pytest.mark.parametrize(
    ("symptom", "seen", "outcome", "said"),
    [
        ("mode-collapse", {"reached": 0.3}, "confirmed", "30% of the data's clusters"),
        ("mode-collapse", {"reached": 0.9, "coverage": 0.9}, "refuted", "90% of the data's"),
        ("no-convergence", {"reached": 0.9}, "confirmed", "energy distance"),
        ("no-convergence", {"reached": 0.3}, "refuted", "what shows is mode collapse"),
        ("no-convergence", {"told_apart": 0.99}, "refuted", "what shows is discriminator dom"),
        ("no-convergence", {"told_apart": 0.1}, "refuted", "what shows is weak discriminator"),
    ],
)
def test_a_diagnosis_is_refuted_by_what_shows_instead(symptom, seen, outcome, said):
    found = words((symptom,), p_after=0.3, **BAD | seen)
    assert found[0] == outcome
    assert said in found[1]


def test_a_log_that_stays_sure_outweighs_good_samples_but_not_ds_own_answers():
    good = {"distance": 0.01, "fine_precision": 0.9, "coverage": 0.9, "diversity": 1.0}
    assert words(("no-convergence",), p_after=0.3, **good)[0] == "refuted"
    assert words(("no-convergence",), **good)[0] == "untouched"
    assert words(("discriminator-dominance",), **BAD, told_apart=0.1)[0] == "refuted"


def test_what_is_missing_degrades(folder):
    report, seen = probed(folder, "alone")
    assert {"self_diversity", "sensitivity", "low", "high"} <= seen.keys()
    assert "told_apart" not in seen
    assert any("no D" in n for n in report.probe.notes)
    assert any("no real data" in n for n in report.probe.notes)
    assert report.p_failing == report.probe.p_before


def test_data_may_come_from_a_file(folder, tmp_path):
    np.save(tmp_path / "real.npy", np.random.default_rng(0).normal(size=(300, 2)))
    _, seen = probed(folder, "alone", data=tmp_path / "real.npy")
    assert 0 < seen["coverage"] < 1


def test_out_of_memory_halves_the_batch_and_says_so(folder):
    report, seen = probed(folder, "huge", batch=128)
    assert "out of memory with 128 examples at once: 64 from there on" in report.probe.notes
    assert "out of memory with 32 examples at once: 16 from there on" in report.probe.notes
    usual = probed(folder)[1]
    assert seen["distance"] == pytest.approx(usual["distance"], rel=1e-3)
    assert "grad_g" in seen


def slow(folder, tmp_path, pause):
    """The run with a D that takes its time."""
    entry = tmp_path / "slow.py"
    later = f"import time\n{ENTRY}".replace(
        "    return Probe(G, D, real=ring, held",
        f"    def late(*a):\n"
        f"        with open({str(tmp_path / 'begun')!r}, 'a') as file:\n"
        f"            file.write('.')\n"
        f"        time.sleep({pause})\n"
        "    D.register_forward_hook(late)\n"
        "    return Probe(G, D, real=ring, held",
    )
    entry.write_text(later)
    return f"{entry}:build"


def test_the_budget_is_kept(folder, tmp_path):
    report, seen = probed(folder, entry=slow(folder, tmp_path, 1.0), budget=6.0)
    assert 1 <= len((tmp_path / "begun").read_text()) <= 6  # answers of D, of a second each
    assert not report.probe.complete
    assert any("ran out" in n for n in report.probe.notes)
    assert "coverage" in seen  # what was measured stands


def test_an_interrupt_leaves_a_report(folder, tmp_path):
    out = tmp_path / "report.json"
    argv = [sys.executable, "-c", HEEDING, "probe", str(folder), "--device", "cpu", "-o"]
    argv += [str(out), "--entry", slow(folder, tmp_path, 1.0), "--quiet"]
    child = subprocess.Popen(argv, cwd=ROOT, **PIPES)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not (tmp_path / "begun").exists():
        time.sleep(0.1)
    child.send_signal(signal.SIGINT)
    said = child.communicate(timeout=30)
    assert child.returncode == 130, said
    notes = json.loads(out.read_text())["probe"]["notes"]
    assert any(n.startswith("interrupted") for n in notes)


def test_a_checkpoint_with_code_in_it_is_refused(folder, tmp_path):
    class Foreign:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "ran"),))

    torch.save({"G": Foreign()}, tmp_path / "bad.pt")
    with pytest.raises(GandoctorError, match="names what no weights need"):
        probed(folder, checkpoint=tmp_path / "bad.pt")
    with pytest.raises(GandoctorError, match="holds no weights"):
        probed(folder, checkpoint=tmp_path / "bad.pt", trusting=True)
    assert not (tmp_path / "ran").exists()


def test_files_of_one_step_belong_together(folder, tmp_path):
    space: dict = {}
    exec(ENTRY, space)
    for epoch in (1, 10):
        torch.manual_seed(epoch)
        for name, net in zip("GD", space["nets"](), strict=True):
            wrapped = {f"module.{k}": v for k, v in net.state_dict().items()}
            torch.save(wrapped, tmp_path / f"net{name}_epoch_{epoch}.pth")
    from gandoctor.probe import weights

    held = weights.found(tmp_path, None)
    assert sorted(f.name for f in held.files) == ["netD_epoch_10.pth", "netG_epoch_10.pth"]
    torch.manual_seed(10)
    G = space["nets"]()[0]
    loaded = held.load(space["nets"]()[0], "G")
    assert torch.equal(loaded[0].weight, G[0].weight)
    with pytest.raises(GandoctorError, match=r"0\.weight is \(32, 4\), the net's \(8, 4\)"):
        held.load(torch.nn.Sequential(torch.nn.Linear(4, 8)), "G")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("asks", "asks for 'nonsense'"),
        ("fails", r"fails in line \d+ \(KeyError: 'no such layer'\)"),
        ("wrong", "gives a int"),
        ("missing", "has no 'missing'"),
    ],
)
def test_an_entry_is_told_what_is_wrong(folder, name, said):
    with pytest.raises(GandoctorError, match=said):
        probed(folder, name)


def test_the_usual_file_counts_only_below_the_users_own_folder(folder, tmp_path, monkeypatch):
    from gandoctor.probe.entry import usual

    assert usual(folder, folder.parent) == folder / "gandoctor_probe.py"
    assert usual(folder, tmp_path) is None


def test_the_report_has_the_probe_in_every_output(folder):
    from gandoctor import Report, reporters

    report, _ = probed(folder)
    back = Report.from_dict(json.loads(json.dumps(report.to_dict())))
    assert back.probe == report.probe
    for name in ("text", "markdown", "html"):
        assert "512 samples of last.pt" in " ".join(
            reporters.render(reporters.by_name(name), [report]).split()
        )


def test_analyze_does_both_in_one_report(folder, tmp_path):
    from typer.testing import CliRunner

    from gandoctor.cli.probing import app

    out = tmp_path / "report.json"
    entry = f"{folder / 'gandoctor_probe.py'}:build"
    done = CliRunner().invoke(app, ["analyze", str(folder), "--probe", entry, "-o", str(out)])
    assert done.exit_code in (0, 1), done.output
    report = json.loads(out.read_text())
    assert {f["name"] for f in report["probe"]["figures"]} >= {"coverage", "told_apart"}
    assert report["run"]["sources"][0]["path"] == "metrics.csv"


def test_scores_of_every_shape_are_one_number_an_example():
    from gandoctor.probe.losses import score_of

    x = torch.arange(12.0).view(3, 4)
    assert score_of(x.view(3, 1, 2, 2)).tolist() == [1.5, 5.5, 9.5]
    assert score_of((x[:, :1], x)).tolist() == [0, 4, 8]
    assert score_of([[x, x[:, :1]], [x, x[:, 1:2]]]).tolist() == [0.5, 4.5, 8.5]
    assert score_of({"logits": x[:, 0]}).tolist() == [0, 4, 8]


@pytest.mark.parametrize(("text", "value"), [("60s", 60), ("5m", 300), ("90", 90), ("1.5h", 5400)])
def test_lengths_of_time(text, value):
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "s", "-3s", "soon", "nan", "0"])
def test_what_is_no_length_of_time(text):
    with pytest.raises(GandoctorError, match="no length of time"):
        seconds(text)


def test_without_torch_it_says_how_to_get_it(folder, monkeypatch):
    whole = builtins.__import__

    def without(name, *args, **kwargs):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError("No module named 'torch'", name="torch")
        return whole(name, *args, **kwargs)

    for name in [n for n in sys.modules if n.partition(".")[0] == "torch"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without)
    monkeypatch.setattr("importlib.import_module", without)
    with pytest.raises(GandoctorError, match=r"pip install 'gandoctor\[probe\]'"):
        probed(folder)
