"""MLflow's two stores: a database, and a folder a run."""

from __future__ import annotations

import math
import random
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from gandoctor import GandoctorError, api
from gandoctor.errors import InputError
from gandoctor.parsers import discover, is_log
from gandoctor.parsers.formats import mlflow

# As MLflow 3.17 makes them, but for tables that no reader needs.
TABLES = """
CREATE TABLE runs (run_uuid VARCHAR(32) NOT NULL, name VARCHAR(250), status VARCHAR(9),
  start_time BIGINT, lifecycle_stage VARCHAR(20), CONSTRAINT run_pk PRIMARY KEY (run_uuid));
CREATE TABLE metrics ("key" VARCHAR(250) NOT NULL, value FLOAT NOT NULL, timestamp BIGINT NOT NULL,
  run_uuid VARCHAR(32) NOT NULL, step BIGINT DEFAULT '0' NOT NULL,
  is_nan BOOLEAN DEFAULT '0' NOT NULL,
  CONSTRAINT metric_pk PRIMARY KEY ("key", timestamp, step, run_uuid, value, is_nan));
CREATE TABLE params ("key" VARCHAR(250) NOT NULL, value VARCHAR(8000) NOT NULL,
  run_uuid VARCHAR(32) NOT NULL, CONSTRAINT param_pk PRIMARY KEY ("key", run_uuid));
"""
PARAMS = {"lr_d": "0.0004", "gan_mode": "vanilla", "optimizer/betas": "(0.5, 0.999)"}


def curve(at: float, n: int = 200) -> list[float]:
    rng = random.Random(at)
    return [at + rng.gauss(0, 0.03) for _ in range(n)]


def database(path: Path, runs: dict[str, dict[str, list[float]]], **of_run: str) -> Path:
    with closing(sqlite3.connect(path)) as base, base:
        base.executescript(TABLES)
        for k, (name, curves) in enumerate(runs.items()):
            uuid = f"{k:032x}"
            said = {"status": "FINISHED", "stage": "active"} | of_run
            base.execute("INSERT INTO runs VALUES (?, ?, ?, ?, ?)",
                         (uuid, name, said["status"], k, said["stage"]))  # fmt: skip
            for key, values in curves.items():
                base.executemany(
                    "INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)",
                    [(key, 0.0 if math.isnan(v) else v, 1000 * i, uuid, 10 * i, math.isnan(v))
                     for i, v in enumerate(values)],
                )  # fmt: skip
            rows = [(key, value, uuid) for key, value in PARAMS.items()]
            base.executemany("INSERT INTO params VALUES (?, ?, ?)", rows)
    return path


def folder(at: Path, curves: dict[str, list[float]], status: int = 3) -> Path:
    (at / "params" / "optimizer").mkdir(parents=True)
    (at / "meta.yaml").write_text(
        f"artifact_uri: file:///x\nlifecycle_stage: active\nrun_id: {at.name}\n"
        f"run_name: brave-ant\nstatus: {status}\n"
    )
    for key, values in curves.items():
        path = at / "metrics" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{1000 * i} {v} {10 * i}\n" for i, v in enumerate(values)))
    for key, value in PARAMS.items():
        (at / "params" / key).write_text(value)
    return at


LOSSES = {"train/d_loss": curve(1.2), "train/g_loss": curve(0.9), "system/cpu": curve(50.0)}


def told(run):
    return {s.tag: s for s in run.signals}, {s.key: s.value for s in run.settings}


def test_both_stores_give_the_same(tmp_path):
    (of_base,) = discover(database(tmp_path / "mlflow.db", {"one": LOSSES}))
    (of_folder,) = discover(folder(tmp_path / "mlruns" / "7" / "ab12", LOSSES))
    for run in (of_base, of_folder):
        signals, settings = told(run)
        assert sorted(signals) == ["train/d_loss", "train/g_loss"]
        assert signals["train/d_loss"].values.tolist() == LOSSES["train/d_loss"]
        assert signals["train/d_loss"].steps.tolist() == list(range(0, 2000, 10))
        assert signals["train/d_loss"].wall_time[1] == 1.0
        assert settings["lr_d"] == 0.0004
        assert settings["gan_mode"] == "vanilla"
        assert settings["optimizer/betas.1"] == 0.999
        assert run.finished is True
    assert "MLflow calls this run brave-ant" in of_folder.notes


def test_what_is_no_number_and_what_has_no_end(tmp_path):
    values = [1.0, math.nan, 1.7976931348623157e308, -1.7976931348623157e308, 1.0]
    losses = {"d_loss": values, "g_loss": curve(0.9, 5)}
    want = [1.0, math.nan, math.inf, -math.inf, 1.0]
    for path in (database(tmp_path / "mlflow.db", {"": losses}), folder(tmp_path / "r", losses)):
        (run,) = discover(path)
        np.testing.assert_equal(told(run)[0]["d_loss"].values, want)


def test_every_run_of_a_database_is_one(tmp_path):
    sick = {"d_loss": [abs(v) for v in curve(0.0001)], "g_loss": [7 + i / 20 for i in range(200)]}
    database(tmp_path / "mlflow.db", {"good": LOSSES, "bad": sick, "empty": {}})
    reports = {c.run.name: c.report().verdict for c in api.cases(tmp_path / "mlflow.db")}
    assert reports == {"mlflow (good)": "healthy", "mlflow (bad)": "failing"}
    assert len(discover(tmp_path)) == 2, "found in its folder, too"
    assert is_log(tmp_path / "mlflow.db")


def test_what_was_deleted_is_no_run_and_what_was_killed_is_told(tmp_path):
    with pytest.raises(InputError, match="holds no metrics"):
        discover(database(tmp_path / "mlflow.db", {"one": LOSSES}, stage="deleted"))
    (run,) = discover(database(tmp_path / "mlflow2.db", {"one": LOSSES}, status="KILLED"))
    assert "MLflow says that the run was killed" in run.notes
    assert run.finished is False
    (run,) = discover(folder(tmp_path / "r", LOSSES, status=4))
    assert "MLflow says that the run failed" in run.notes


def test_the_files_of_a_folder_are_no_logs_of_their_own(tmp_path):
    for name in ("a", "b"):
        folder(tmp_path / "mlruns" / "7" / name, LOSSES)
    (tmp_path / "mlruns" / "7" / "meta.yaml").write_text("experiment_id: '7'\nname: gan\n")
    runs = discover(tmp_path)
    assert [len(run.signals) for run in runs] == [2, 2]
    assert [[s.path for s in run.sources] for run in runs] == [["meta.yaml"], ["meta.yaml"]]


def test_a_folder_keeps_what_can_be_read(tmp_path):
    at = folder(tmp_path / "r", LOSSES)
    (at / "metrics" / "fid").write_text("0 9.5\n1000 8.5\nnot a row\n2000 7.5\n")
    (at / "metrics" / "broken").write_bytes(b"\x00\xff" * 50)
    (at / "metrics" / "away").symlink_to(tmp_path / "secret")
    (tmp_path / "secret").write_text("0 1 2\n")
    (run,) = discover(at)
    signals, _ = told(run)
    assert signals["fid"].values.tolist() == [9.5, 8.5, 7.5]
    assert "away" not in signals
    assert "1 row(s) that are no step and value" in run.sources[0].lost


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("CREATE TABLE notes (a)", "without MLflow's tables"),
        ("CREATE TABLE runs (a); CREATE VIEW metrics AS SELECT 1", "without MLflow's tables"),
        ("CREATE TABLE runs (a); CREATE TABLE metrics (b)", "no such column"),
        (
            "CREATE TABLE runs (a); CREATE VIRTUAL TABLE metrics USING fts5(key)",
            "without MLflow's tables",
        ),
    ],
)
def test_another_database_is_refused_in_a_sentence(tmp_path, script, said):
    path = tmp_path / "mlflow.db"
    with closing(sqlite3.connect(path)) as base, base:
        base.executescript(script)
    with pytest.raises(GandoctorError, match=said) as caught:
        discover(path)
    assert "\n" not in str(caught.value)


def test_a_table_of_another_shape_does_not_stop_the_reader(tmp_path):
    path = database(tmp_path / "mlflow.db", {"one": LOSSES})
    with closing(sqlite3.connect(path)) as base, base:
        row = ("d", "text", 1, "0" * 32, "x", 0)
        base.execute("INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)", row)
        base.execute("DROP TABLE params")
    (run,) = discover(path)
    assert "1 row(s) that are no step and value" in run.sources[0].lost
    assert not run.settings
    before = sorted(tmp_path.iterdir())
    discover(path)
    assert sorted(tmp_path.iterdir()) == before, "nothing is written beside it"


def test_a_query_that_does_not_end_is_given_up(tmp_path, monkeypatch):
    path = database(tmp_path / "mlflow.db", {"one": LOSSES})
    monkeypatch.setattr(mlflow, "_STEPS", 0)
    monkeypatch.setattr(mlflow, "_STRIDE", 10)
    with pytest.raises(InputError, match=r"cannot be read \(interrupted\)"):
        mlflow.read(path)
    monkeypatch.setattr(mlflow, "_STEPS", 3_000)
    reading = mlflow.read(path)
    assert 0 < sum(len(s) for s in reading.signals) < 400
    assert "what follows a damaged place (interrupted)" in reading.lost


def test_of_very_many_values_the_first_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(mlflow, "_MAX_POINTS", 250)
    reading = mlflow.read(database(tmp_path / "mlflow.db", {"one": LOSSES}))
    assert sum(len(s) for s in reading.signals) == 250
    assert "all but the first 250 values" in reading.lost


def test_what_lies_in_a_journal_is_told(tmp_path):
    path = database(tmp_path / "mlflow.db", {"one": LOSSES})
    (tmp_path / "mlflow.db-wal").write_bytes(b"x" * 40)
    (run,) = discover(path)
    assert any("mlflow.db-wal was not read" in n for n in run.notes)


def test_one_run_of_several_can_be_named(tmp_path):
    path = database(tmp_path / "mlflow.db", {"base line": LOSSES, "hot": LOSSES})
    (run,) = discover(Path(f"{path}#hot"))
    assert run.name == "mlflow (hot)"
    assert api.analyze(f"{path}#base line").run.name == "mlflow (base line)"
    assert api.analyze(f"{tmp_path}#mlflow hot").verdict == "healthy"
    with pytest.raises(InputError, match=r"holds 2 runs; give one of them, as '.*#base line', or"):
        api.analyze(path)
    with pytest.raises(InputError, match="holds no run called cold; it has base line, hot"):
        api.analyze(f"{path}#cold")
    (tmp_path / "a#hot.csv").write_text("step,d_loss,g_loss\n0,1,2\n1,1,2\n")
    assert discover(tmp_path / "a#hot.csv")[0].name == "a#hot", "a file of that name is itself"
    with pytest.raises(InputError, match="does not exist"):
        discover(tmp_path / "no.db#hot")
