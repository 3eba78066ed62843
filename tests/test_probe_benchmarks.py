"""What the measuring of probes and trials makes of what it has found so far."""

from __future__ import annotations

import itertools
import json

import pytest

pytest.importorskip("torch")

from benchmarks.probe import pictures, zoos
from benchmarks.probe.trials import CURES, TRIALS, Known, add, figures, lines
from benchmarks.zoo import reports
from benchmarks.zoo.pictures import labels, once, release
from gandoctor import GandoctorError, api
from gandoctor.trials import arms as ways


def trial(run, pick, *arms, **outcomes):
    known = {arm: {"digest": arm, "config": {}} for arm in (*arms, "random")}
    found = {"run": run, "seed": 1, "pick": pick, "arms": known, "seconds": 30.0, "complete": True}
    return found | {"outcomes": {name[1:]: said for name, said in outcomes.items()}}


def trained(out, run, arm, *outcomes):
    for i, outcome in enumerate(outcomes):
        told = {"run": run, "digest": arm, "seed": 1 + 1000 * i, "outcome": outcome}
        add(out / CURES, told)


@pytest.fixture
def out(tmp_path):
    add(tmp_path / TRIALS, trial("a", "2", "1", "2", _1="refuted", _2="supported"))
    add(tmp_path / TRIALS, trial("b", ""))
    add(tmp_path / TRIALS, {"run": "c", "error": "ValueError: no"})
    trained(tmp_path, "a", "1", "failed", "healthy", "failed")
    trained(tmp_path, "a", "2", "healthy", "healthy")
    return tmp_path


def test_what_is_not_decided_is_wanted_and_nothing_else(out):
    known = Known.of(out)
    assert [t["run"] for t in known.trials] == ["a", "b"]
    assert [(t["run"], arm) for _, t, arm in known.wanted()] == [("a", "random")]
    trained(out, "a", "random", "failed", "failed")
    assert not list(Known.of(out).wanted())


def test_shares_are_of_runs_that_lack_no_training(out):
    assert "2 failed runs, 1 with a prescription to try; one cures 1 of them, no " in figures(
        Known.of(out), 60
    )
    trained(out, "a", "random", "failed", "failed")
    told = figures(Known.of(out), 20).splitlines()
    assert told[1].startswith("the pick of the trials cures  1/1")
    assert told[2].startswith("the first prescription cures  0/1")
    assert told[3].startswith("the random edit cures         0/1")
    assert told[4].startswith("of those refuted, cure none   1/1")
    assert told[6].endswith("1 were complete, 1 went over 20 s by more than a tenth")


def test_a_torn_line_is_none(out):
    with (out / CURES).open("a") as file:
        file.write('{"run": "a", "dig')
    assert len(lines(out / CURES)) == 5


def test_picture_probes_go_on_from_what_is_known(tmp_path, capsys):
    truth = {"run": "r", "borderline": False}
    (tmp_path / "r.truth.json").write_text(json.dumps(truth))
    (tmp_path / "r.npz").touch()
    told = {"run": "r", "failed": True, "true": True, "outcome": "confirmed", "new": False}
    add(tmp_path / "out.jsonl", told | {"seconds": 2.0})
    argv = [tmp_path, tmp_path, "--sets", tmp_path, "--out", tmp_path / "out.jsonl"]
    assert pictures.main(map(str, argv)) == 0
    assert "true and confirmed, or false and refuted  1/1" in capsys.readouterr().out


@pytest.fixture(scope="module")
def half(tmp_path_factory):
    """A few failed picture runs as their users would have them, the truths beside them."""
    folder = tmp_path_factory.mktemp("half")
    some = (r for r in release.read("unseen") if r.about["truth"]["outcome"] == "failed")
    labels.write(itertools.islice(some, 12), folder)
    return folder / "runs"


def test_no_picture_run_is_tried_that_no_config_could_mend(half, tmp_path):
    zoo = zoos.Pictures(half, tmp_path)
    truths = {t["run"]: t for t in reports.truths(half)}
    names = zoo.chosen()
    assert 0 < len(names) < len(truths)
    assert all(truths[n]["config"] and not truths[n]["borderline"] for n in names)
    assert not any("stepped" in key for n in names for key in truths[n]["broken"])


@pytest.mark.parametrize("by_options", [False, True])
def test_a_picture_run_is_trained_by_what_its_user_would_write(half, tmp_path, by_options):
    zoo = zoos.Pictures(half, tmp_path)
    case = config = None
    for name in zoo.chosen():
        case = next(iter(api.cases(half / name)))
        try:
            config = ways.config_of(case.report(), case.run)
        except GandoctorError:
            continue
        break
    setting = case.run.settings["batch_size"]
    text = (case.raw.root / config).read_text()
    new = ways.edited(text, config, {setting.key: 7})
    was = once.base(*_known(half, case), case.raw.root / config)
    assert zoo.config(case, config, text) == was["settings"]
    assert zoo.config(case, config, new) == was["settings"] | {"batch_size": 7}
    assert zoo.digest(was["settings"]) == zoo.digest(was["settings"] | {"seed": 99})
    options = [f"--{setting.key}", "7"] if by_options else [f"{setting.key}=7"]
    assert once.asked(was, options) == was["settings"] | {"batch_size": 7}
    with pytest.raises(ValueError, match="no_such"):
        once.asked(was, ["--no_such", "1"])
    command = zoo.command(tmp_path, case, config, by_options=by_options)
    assert ("{args}" in command) == by_options
    assert json.loads((tmp_path / zoos.BASES / f"{case.raw.root.name}.json").read_text()) == was


def _known(half, case):
    truth = json.loads((half / f"{case.raw.root.name}.truth.json").read_text())
    return release.one(truth["half"], case.raw.root.name), truth
