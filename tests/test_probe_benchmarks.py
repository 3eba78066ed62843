"""What the measuring of probes and trials makes of what it has found so far."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("torch")

from benchmarks.probe import pictures
from benchmarks.probe.trials import CURES, TRIALS, Known, add, figures, lines


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
