"""Trials by the user's own command: which arms there are, what they say, and that nothing is left."""

from __future__ import annotations

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

from gandoctor import GandoctorError, Report, api, reporters, trials
from gandoctor.errors import UsageError
from gandoctor.trials import arms as ways
from gandoctor.trials.commands import Command, Ended, Task, run_all

ROOT = Path(__file__).resolve().parents[1]
PIPES = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}

# Whoever runs the tests in the background has their children ignore Ctrl-C.
HEEDING = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from gandoctor.__main__ import main; main()"
)


RUN = ROOT / "sample_logs" / "mode-collapse"

# A "training" whose FID depends on G's rate and on the seed, as its config says.
TRAINER = """
import argparse, pathlib, random, sys, time, yaml
p = argparse.ArgumentParser(); p.add_argument("--config"); p.add_argument("--out")
a = p.parse_args(); c = yaml.safe_load(open(a.config)); out = pathlib.Path(a.out)
rng = random.Random(c["seed"]); lr = c["generator"]["optimizer"]["lr"]
bad = 100 if lr > 0.01 else 5
if c["generator"]["batch_norm"]: sys.exit("no such layer: batch_norm")
with open(out / "metrics.csv", "w") as f:
    print("step,d_loss,g_loss,fid", file=f)
    for i in range(1, c["iterations"] + 1, 10):
        print(i, 1.3 + rng.gauss(0, .05), .8 + rng.gauss(0, .05), bad + rng.random(), sep=",", file=f)
"""


@pytest.fixture(scope="module")
def command(tmp_path_factory):
    file = tmp_path_factory.mktemp("trainer") / "train.py"
    file.write_text(TRAINER)
    return f"{sys.executable} {file} --config {{config}} --out {{out}}"


def before():
    return api.analyze(RUN)


def test_the_arm_that_helps_is_supported_and_goes_first(command):
    old = before()
    report = trials.run(RUN, trials.Wishes(command, budget=120, jobs=2))
    note = report.trials
    assert note.judge == "fid"
    assert note.complete, note.notes
    by_remedy = {a.remedy: a for a in note.arms if a.number}
    assert by_remedy["lower-g-learning-rate-to-ds"].outcome == "supported"
    assert by_remedy["batchnorm-in-g"].outcome == "refuted"  # it does not even train
    assert by_remedy["batchnorm-in-g"].rungs == ((None, None, None),)
    unchanged, *rest = note.arms
    assert unchanged.kind == "unchanged"
    assert [len(r) for r in unchanged.rungs] == [3, 3]
    assert {a.kind for a in rest} == {"prescription", "random"}
    assert report.prescriptions[0].remedy == "lower-g-learning-rate-to-ds"
    assert report.prescriptions[-1].remedy in {
        a.remedy for a in note.arms if a.outcome == "refuted"
    }
    assert sorted(p.remedy for p in report.prescriptions) == sorted(
        p.remedy for p in old.prescriptions
    )
    back = Report.from_dict(json.loads(json.dumps(report.to_dict())))
    assert back.trials == note
    for name in ("text", "markdown", "html"):
        said = " ".join(reporters.render(reporters.by_name(name), [report]).split())
        assert "refute better than they confirm" in said


def test_a_trial_trains_a_part_of_the_steps_with_each_seed():
    case = next(iter(api.cases(RUN)))
    text = (RUN / "config.json").read_text()
    short, said = ways.shortened(text, "config.json", case.run, 0.25)
    steps = case.run.settings["steps"]
    assert said == f"{steps.key}: {steps.value} -> {steps.value // 4}"
    assert len(short.splitlines()) == len(text.splitlines())
    own = case.run.settings["seed"].value
    assert ways.seeds_of(case.run, 3) == [own, own + 1000, own + 2000]
    assert f'"seed": {own + 1000}' in ways.seeded(text, "config.json", case.run, own + 1000)


def test_what_breaks_is_not_tried_at_the_second_rung():
    begun = []

    def train(tasks, jobs, until):
        for task in tasks:
            begun.append(task.key[:2])
            if task.key[0] != "random":
                lines = [f"{i},1.3,0.8,{5 if task.key[0] == '1' else 9}" for i in range(0, 300, 10)]
                (task.out / "metrics.csv").write_text("\n".join(["step,d_loss,g_loss,fid", *lines]))
            yield Ended(task, int(task.key[0] == "random"), 0.1, "no such layer")

    note = trials.run(RUN, trials.Wishes("x --config {config} --out {out}"), train=train).trials
    assert ("random", 0) in begun
    assert ("random", 1) not in begun
    assert {("unchanged", 1), ("1", 1)} <= set(begun)
    assert note.arms[1].number == 1
    assert note.complete


def test_a_belief_that_finds_nothing_in_the_unchanged_log_refutes_nothing():
    def train(tasks, jobs, until):
        for task in tasks:
            rng = np.random.default_rng(len(task.key[0]) + task.key[2])
            d, g = rng.normal(1.25, 0.05, 60), rng.normal(0.9, 0.05, 60)
            rows = [f"{i},{a},{b}" for i, (a, b) in enumerate(zip(d, g, strict=True))]
            (task.out / "metrics.csv").write_text("\n".join(["step,d_loss,g_loss", *rows]))
            yield Ended(task, 0, 0.1, "")

    report = trials.run(RUN, trials.Wishes("x --config {config} --out {out}"), train=train)
    own = [a for a in report.trials.arms if a.number]
    assert report.trials.judge == "belief"
    assert all(x < 0.5 for x in report.trials.arms[0].rungs[-1])
    assert {a.outcome for a in own} == {"undecided"}
    assert [a.number for a in own] == sorted(a.number for a in own)
    assert "does not look like a failure" in own[0].why


def test_the_random_edit_is_always_the_same_and_no_length():
    case = next(iter(api.cases(RUN)))
    found = [
        ways.arms_of(before(), case.run, case.raw.root, "config.json", 2)[0][-1] for _ in range(2)
    ]
    assert found[0] == found[1]
    assert found[0].name == "random"
    assert "iterations" not in found[0].change
    assert "seed" not in found[0].change


def test_the_random_edit_leaves_betas_that_an_optimiser_takes():
    case = next(iter(api.cases(RUN)))
    betas = {k: s for k, s in case.run.settings.items() if k.startswith("beta")}
    assert betas
    for name in "abcdef":
        run = replace(case.run, name=name, settings=betas)
        control = ways.arms_of(before(), run, case.raw.root, "config.json", 1)[0][-1]
        assert float(control.change.split()[-1]) < 1


def test_time_that_runs_out_leaves_what_was_trained(tmp_path):
    file = tmp_path / "slow.py"
    file.write_text(f"import time; time.sleep(0.4)\n{TRAINER}")
    words = f"{sys.executable} {file} --config {{config}} --out {{out}}"
    begun = time.monotonic()
    note = trials.run(RUN, trials.Wishes(words, budget=4)).trials
    assert time.monotonic() - begun < 4 * 1.1 + 1.5
    assert not note.complete
    assert any("ran out" in n for n in note.notes)
    assert 0 < note.trained < 27


def gone(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="process groups are POSIX")
def test_nothing_is_left_running(tmp_path):
    # A training that starts a worker of its own, heeds no SIGTERM, and never ends.
    file = tmp_path / "stubborn.py"
    file.write_text(
        "import os, signal, subprocess, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(tmp_path / 'pids')!r}, 'a').write(f'{{os.getpid()}} {{child.pid}} ')\n"
        "time.sleep(600)\n"
    )
    task = Task((sys.executable, str(file)), tmp_path / "out", tmp_path / "c.yaml", "x")
    ended = list(run_all([task], 1, time.monotonic() + 2))
    assert [e.code for e in ended] == [None]
    pids = [int(p) for p in (tmp_path / "pids").read_text().split()]
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline and not all(map(gone, pids)):
        time.sleep(0.05)
    assert len(pids) == 2
    assert all(map(gone, pids))


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="process groups are POSIX")
def test_an_interrupt_ends_the_trainings_and_leaves_a_report(tmp_path):
    file = tmp_path / "slow.py"
    pids = tmp_path / "pids"
    file.write_text(
        f"import os, time\nopen({str(pids)!r}, 'a').write(f'{{os.getpid()}} ')\ntime.sleep(60)\n"
    )
    out = tmp_path / "report.json"
    argv = [sys.executable, "-c", HEEDING, "probe", str(RUN), "-o", str(out), "--quiet"]
    argv += ["--train", f"{sys.executable} {file} {{config}} {{out}}"]
    child = subprocess.Popen(argv, cwd=ROOT, **PIPES)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not pids.exists():
        time.sleep(0.1)
    time.sleep(0.5)
    child.send_signal(signal.SIGINT)
    said = child.communicate(timeout=30)
    assert child.returncode == 130, said
    assert any("interrupted" in n for n in json.loads(out.read_text())["trials"]["notes"])
    assert all(gone(int(p)) for p in pids.read_text().split())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("python train.py --out {out}", "does not say where the config or the changed options go"),
        ("python train.py {config}", "does not say where the log goes"),
        ("python 'train.py {config}", "cannot be split"),
    ],
)
def test_a_command_is_told_what_is_wrong(text, said):
    with pytest.raises(GandoctorError, match=said):
        Command(text)


def test_a_command_that_is_not_there_is_said():
    with pytest.raises(GandoctorError, match="cannot be run"):
        trials.run(RUN, trials.Wishes("no-such-trainer {config} {out}", budget=5))


@pytest.mark.parametrize(
    ("code", "said"), [("import no_such_thing", "no_such_thing"), ("pass", "log")]
)
def test_a_command_that_trains_nothing_says_nothing_of_the_arms(code, said):
    words = f"{sys.executable} -c '{code}' {{config}} {{out}}"
    with pytest.raises(GandoctorError, match=f"no training worked: .*{said}"):
        trials.run(RUN, trials.Wishes(words, budget=60, jobs=2))


def test_places_are_filled_wherever_they_stand():
    command = Command("train --config={config} --out {out} -s {seed} '{a: b}'")
    assert command.takes_seed
    assert command.filled(config="c.yaml", out="o", seed=3) == [
        "train", "--config=c.yaml", "--out", "o", "-s", "3", "{a: b}",
    ]  # fmt: skip
    command = Command("train -x {args} --out={out}")
    assert command.filled(["--lr", "1"], config="", out="o", seed=3) == [
        "train", "-x", "--lr", "1", "--out=o",
    ]  # fmt: skip


# Options alone, and a record of them beside the log; its FID tells all of them.
OPTIONS = """
import argparse, csv, json, pathlib
p = argparse.ArgumentParser()
for name, default in dict(lr_g=0.3, lr_d=2e-4, steps=400, seed=1).items():
    p.add_argument(f"--{name}", type=type(default), default=default)
p.add_argument("--out", default="run")
a = p.parse_args(); out = pathlib.Path(a.out); out.mkdir(exist_ok=True)
(out / "args.json").write_text(json.dumps(vars(a)))
with open(out / "losses.csv", "w") as f:
    log = csv.writer(f); log.writerow(["step", "d_loss", "g_loss", "fid"])
    for i in range(1, a.steps + 1, 5):
        log.writerow([i, 0.01, 9 + i * a.lr_g, 1000 * a.lr_g + a.steps + a.seed / 1000])
"""


def tried_by_options(folder, script):
    """Trials of a run that a script has made, by the options of the script."""
    file = folder / "train.py"
    file.write_text(script)
    subprocess.run([sys.executable, file, "--out", folder / "run"], check=True)
    words = f"{sys.executable} {file} {{args}} --out {{out}}"
    report = trials.run(folder / "run", trials.Wishes(words, patches=1, budget=60, jobs=2))
    return report.trials, {a.kind: a for a in report.trials.arms}


def assert_told_apart(arms):
    assert arms["unchanged"].rungs[0] == pytest.approx([400.001, 401.001, 402.001])
    assert arms["prescription"].change == "lr_g: 0.3 -> 0.0002"
    assert arms["prescription"].rungs[1] == pytest.approx([200.201, 201.201, 202.201])


def test_a_training_of_options_alone_is_tried_by_these(tmp_path):
    note, arms = tried_by_options(tmp_path, OPTIONS)
    assert_told_apart(arms)
    assert note.complete
    note = trials.run(tmp_path / "run", trials.Wishes("train {config} {out}")).trials
    assert note.trained == 0
    assert any("write {args}" in n for n in note.notes)


# The same, but all that it leaves is what it prints.
PRINTED = """
import argparse, pathlib
p = argparse.ArgumentParser()
for name, default in dict(lr_g=0.3, lr_d=2e-4, steps=400, seed=1).items():
    p.add_argument(f"--{name}", type=type(default), default=default)
p.add_argument("--out", default="run")
a = p.parse_args(); out = pathlib.Path(a.out); out.mkdir(exist_ok=True)
with open(out / "train.log", "w") as f:
    print(a, file=f)
    for i in range(1, a.steps + 1, 5):
        fid = 1000 * a.lr_g + a.steps + a.seed / 1000
        print(f"step {i} d_loss: 0.01 g_loss: {9 + i * a.lr_g} fid: {fid}", file=f)
"""


def test_options_that_only_the_log_tells_are_tried(tmp_path):
    _, arms = tried_by_options(tmp_path, PRINTED)
    assert_told_apart(arms)
    assert arms["random"].rungs
    with pytest.raises(UsageError, match=r"write \{args\}"):
        trials.run(tmp_path / "run", trials.Wishes("train {config} {out}"))


def test_an_option_is_spelled_as_the_script_has_it(tmp_path):
    file = tmp_path / "train.py"
    file.write_text("add_argument('--lr-g'); add_argument('--lr_d_end'); add_argument('--b_1')")
    command = Command(f"python {file} --lr-d 3 {{args}} {{out}} {'x' * 300}.py")
    said = command.filled(["--lr_g", "1", "--b_1=2", "--lr_d", "a_b"], out="o", config="", seed=1)
    assert said[4:-2] == ["--lr-g", "1", "--b_1=2", "--lr-d", "a_b"]


def test_what_no_option_is_known_for_is_left_alone(tmp_path):
    file = tmp_path / "train.py"
    file.write_text(OPTIONS)
    subprocess.run([sys.executable, file, "--out", tmp_path / "run"], check=True)
    # StyleGAN's record, of whose keys few have an option: neither steps nor betas
    record = {"G_opt_kwargs": {"lr": 0.3, "betas": [0, 0.99]}, "D_opt_kwargs": {"lr": 2e-4}}
    (tmp_path / "run" / "args.json").unlink()
    said = json.dumps(record | {"steps": 400, "random_seed": 1})
    (tmp_path / "run" / "training_options.json").write_text(said)
    file.write_text(
        OPTIONS.replace("lr_g", "glr")
        .replace("lr_d", "dlr")
        .replace("json.dumps(vars(a))", repr(said))
        .replace("args.json", "training_options.json")
    )
    words = f"{sys.executable} {file} {{args}} --out {{out}}"
    report = trials.run(tmp_path / "run", trials.Wishes(words, patches=1, budget=60, jobs=2))
    note = report.trials
    assert any("does not say how long it trains" in n for n in note.notes)
    arms = {a.kind: a for a in note.arms}
    assert arms["random"].change.startswith(("G_opt_kwargs.lr", "D_opt_kwargs.lr"))
    assert arms["unchanged"].rungs[0] == pytest.approx([700.001, 701.001, 702.001])


def test_what_the_command_refuses_is_not_refuted(tmp_path):
    file = tmp_path / "train.py"
    file.write_text(OPTIONS.replace("lr_g=0.3", "rate=0.3").replace("lr_g", "rate"))
    subprocess.run([sys.executable, file, "--out", tmp_path / "run"], check=True)
    record = tmp_path / "run" / "args.json"
    record.write_text(record.read_text().replace("rate", "lr_g"))
    words = f"{sys.executable} {file} {{args}} --out {{out}}"
    report = trials.run(tmp_path / "run", trials.Wishes(words, patches=1, budget=60, jobs=2))
    arm = next(a for a in report.trials.arms if a.number)
    assert arm.outcome == "undecided"
    assert "refuses it (train.py: error: unrecognized arguments: --lr_g" in arm.why


def test_options_say_what_differs_and_no_switch():
    old = '{"lr": 0.1, "steps": 100, "amp": false}'
    new = '{"lr": 0.01, "steps": 100, "amp": false}'
    assert ways.options(old, new, "args.json") == ["--lr", "0.01"]
    with pytest.raises(GandoctorError, match="amp"):
        ways.options(old, old.replace("false", "true"), "args.json")


def test_patches_are_tried_by_a_command_alone():
    from typer.testing import CliRunner

    from gandoctor.cli.probing import app

    done = CliRunner().invoke(app, ["probe", str(RUN), "--try-patches", "2"])
    assert isinstance(done.exception, GandoctorError)
    assert "without --train" in str(done.exception)
