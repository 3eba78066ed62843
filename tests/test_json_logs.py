"""JSON logs: lines, lists of records, lists by name, and JSON that is no log."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gandoctor.errors import GandoctorError
from gandoctor.parsers.formats import jsonl

if TYPE_CHECKING:
    from pathlib import Path

    from gandoctor.model.signals import Reading


@pytest.fixture
def log(tmp_path: Path):
    def write(content: object, name: str = "stats.jsonl") -> Path:
        path = tmp_path / name
        if isinstance(content, list) and name.endswith("jsonl"):
            path.write_text("".join(json.dumps(row) + "\n" for row in content))
        elif isinstance(content, str):
            path.write_text(content)
        elif isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(json.dumps(content, indent=2))
        return path

    return write


def series(reading: Reading) -> dict[str, tuple[list[int], list[float]]]:
    return {s.tag: (s.steps.tolist(), s.values.tolist()) for s in reading.signals}


def sure(path: Path) -> float:
    return jsonl.sniff(path, path.read_bytes()[: 1 << 16])


def stat(mean: float) -> dict[str, float]:
    return {"num": 16, "mean": mean, "std": 0.1}


def test_wild_steps_do_not_overflow(log) -> None:
    rows = [{"step": k, "d_loss": k / 10, "g_loss": 1.0} for k in range(30)]
    rows[20]["step"] = 10**40
    got = jsonl.read(log(rows))
    assert series(got)["d_loss"][0] == [*range(20), 19, *range(21, 30)]
    assert "beyond 2**53" in (got.lost or "")
    name = "network-snapshot-" + "9" * 30
    metric = [
        {"results": {"fid50k": 10.0 - k}, "metric": "fid50k", "snapshot_pkl": f"{name}.pkl"}
        for k in range(5)
    ]
    assert series(jsonl.read(log(metric, "metric-fid50k.jsonl")))["fid50k"][0] == [0, 1, 2, 3, 4]


def test_stylegan_stats(log) -> None:
    rows = [
        {
            "Loss/D/loss": stat(1.4 - k / 10),
            "Progress/tick": stat(k),
            "Progress/kimg": stat(4.0 * k),
            "Timing/Gboth": stat(1),
            "timestamp": 1.6e9 + k,
        }
        for k in range(4)
    ]
    path = log(rows)
    got = jsonl.read(path)
    assert sure(path) >= 0.9
    assert got.step_unit == "kimg"
    assert series(got)["Loss/D/loss"] == ([0, 4, 8, 12], pytest.approx([1.4, 1.3, 1.2, 1.1]))
    assert not [t for t in series(got) if t.startswith("Timing/") or "kimg" in t]
    assert got.signals[0].wall_time is not None
    assert got.signals[0].wall_time[0] == 1.6e9


def test_stylegan_metrics(log) -> None:
    rows = [
        {"results": {"fid50k_full": fid}, "metric": "fid50k_full", "total_time": 1.0, "num_gpus": 2,
         "snapshot_pkl": f"network-snapshot-{kimg:06d}.pkl", "timestamp": 1.6e9 + kimg}
        for kimg, fid in ((0, 418.0), (400, 8.2e51), (800, -3.0))
    ]  # fmt: skip
    path = log(rows, "metric-fid50k_full.jsonl")
    got = jsonl.read(path)
    assert sure(path) >= 0.9
    assert series(got) == {"fid50k_full": ([0, 400, 800], [418.0, 8.2e51, -3.0])}
    assert got.step_unit == "kimg"


def test_biggan(log) -> None:
    got = jsonl.read(
        log(
            [
                {"itr": 2000 * k, "IS_mean": 2.0 + k, "FID": 100.0 - k, "_stamp": 1.5e9 + k}
                for k in (1, 2, 3)
            ]
        )
    )
    assert series(got)["FID"] == ([2000, 4000, 6000], [99.0, 98.0, 97.0])
    assert "_stamp" not in series(got)


def test_chainer_lists_change_the_order_of_keys(log) -> None:
    rows = [
        {"epoch": 0, "gen/loss": 1.5, "dis/loss": 1.6, "iteration": 100},
        {"iteration": 200, "dis/loss": 1.5, "epoch": 0, "gen/loss": 1.4},
    ]
    path = log(rows, "log")
    assert sure(path) >= 0.9
    assert series(jsonl.read(path)) == {
        "gen/loss": ([100, 200], [1.5, 1.4]),
        "dis/loss": ([100, 200], [1.6, 1.5]),
    }


def test_trainer_state(log) -> None:
    state = {
        "epoch": 2.0,
        "global_step": 20,
        "log_history": [
            {"step": 10, "epoch": 1.0, "loss": 0.5},
            {"step": 10, "eval_loss": 0.6},
            {"step": 20, "epoch": 2.0, "loss": 0.4},
        ],
    }
    path = log(state, "trainer_state.json")
    got = series(jsonl.read(path))
    assert sure(path) >= 0.9
    assert got["loss"] == ([10, 20], [0.5, 0.4])
    assert got["eval_loss"] == ([10], [0.6])


def test_mm_lines_restart_with_each_epoch_and_name_their_mode(log) -> None:
    rows = [{"env_info": "GPU", "seed": 0}]
    rows += [
        {"mode": "train", "epoch": e, "iter": i, "lr": 1e-4, "loss_disc": e + i / 100}
        for e in (1, 2)
        for i in (50, 100)
    ]
    rows += [{"mode": "val", "epoch": 2, "iter": 100, "fid": 30.0}]
    got = jsonl.read(log(rows, "20210501_120000.log.json"))
    by = {(s.tag, s.split): (s.steps.tolist(), s.values.tolist()) for s in got.signals}
    assert by["loss_disc", "train"] == ([50, 100, 150, 200], [1.5, 2.0, 2.5, 3.0])
    assert by["fid", "val"] == ([200], [30.0])


def test_nan_and_infinity_bare_or_as_words(log) -> None:
    values = ("NaN", "Infinity", '"NaN"', "null", "1")
    text = "".join(f'{{"step": {k}, "d_loss": {v}}}\n' for k, v in enumerate(values, 1))
    steps, got = series(jsonl.read(log(text)))["d_loss"]
    assert steps == [1, 2, 3, 5]
    np.testing.assert_array_equal(got, [math.nan, math.inf, math.nan, 1.0])


def test_lists_by_name(log) -> None:
    path = log(
        {
            "d_loss": [0.5, 0.4, 0.3, 0.2],
            "g_loss": [0.6, 0.7, 0.8, 0.9],
            "fid": [30.0, 20.0],
            "config": {"lr": 0.1},
        },
        "history.json",
    )
    got = jsonl.read(path)
    assert sure(path) >= 0.5
    assert series(got)["d_loss"] == ([0, 1, 2, 3], [0.5, 0.4, 0.3, 0.2])
    assert series(got)["fid"] == ([1, 3], [30.0, 20.0])
    assert "differ in length" in got.notes[0]


def test_pandas_columns(log) -> None:
    path = log({"d_loss": {"0": 0.5, "1": 0.4}, "g_loss": {"0": 0.6, "1": 0.7}}, "history.json")
    assert sure(path) >= 0.5
    assert series(jsonl.read(path))["g_loss"] == ([0, 1], [0.6, 0.7])


def test_tensorboards_json_export(log) -> None:
    path = log([[1.6e9, 10, 0.5], [1.6e9 + 1, 20, 0.4]], "run-a-tag-d_loss.json")
    assert sure(path) >= 0.5
    assert series(jsonl.read(path)) == {"d_loss": ([10, 20], [0.5, 0.4])}


def test_nested_keys_and_short_lists(log) -> None:
    rows = [
        {"step": k, "train": {"D": {"loss": k / 2}, "lr": [1e-4, 4e-4]}, "image": list(range(100))}
        for k in (1, 2)
    ]
    assert series(jsonl.read(log(rows))) == {
        "train/D/loss": ([1, 2], [0.5, 1.0]),
        "train/lr[0]": ([1, 2], [1e-4, 1e-4]),
        "train/lr[1]": ([1, 2], [4e-4, 4e-4]),
    }


# ---------------------------------------------------------------- damage


def test_damaged_lines_are_counted(log) -> None:
    got = jsonl.read(
        log(
            '{"step": 1, "d_loss": 0.5}\n{"step": 2, "d_lo\n{"step": 3, "d_loss": 0.3}\n{"step": '
            '4, "d_l'
        )
    )
    assert series(got)["d_loss"] == ([1, 3], [0.5, 0.3])
    assert got.lost == "2 lines are no whole JSON objects"


def test_a_list_that_is_still_written(log) -> None:
    got = jsonl.read(
        log(
            '[\n{"iteration": 1, "dis/loss": 0.5},\n{"iteration": 2, "dis/loss": 0.4},\n{"iterat',
            "log",
        )
    )
    assert series(got)["dis/loss"] == ([1, 2], [0.5, 0.4])
    assert "ends early" in got.lost


def test_pretty_printed_objects_one_after_the_other(log) -> None:
    text = "\n".join(json.dumps({"step": k, "d_loss": k / 10}, indent=2) for k in (1, 2, 3))
    path = log(text, "metrics.json")
    assert sure(path) >= 0.5
    assert series(jsonl.read(path))["d_loss"][0] == [1, 2, 3]


def test_a_resumed_log(log) -> None:
    rows = [{"step": s, "d_loss": 1.0} for s in range(0, 1000, 10)] + [
        {"step": s, "d_loss": 2.0} for s in range(950, 1100, 10)
    ]
    steps, values = series(jsonl.read(log(rows)))["d_loss"]
    assert steps == list(range(0, 1100, 10))
    assert values[94:96] == [1.0, 2.0]


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (
            {"lr": 0.001, "betas": [0.5, 0.999], "model": {"name": "dcgan", "dims": [64, 128]}},
            "config.json",
        ),
        (
            {"G_kwargs": {"z_dim": 512}, "loss_kwargs": {"r1_gamma": 10}, "random_seed": 0},
            "training_options.json",
        ),
        ({"_runtime": 12, "d_loss": 0.5, "g_loss": 0.6, "_step": 100}, "wandb-summary.json"),
        (
            [{"image_id": 1, "bbox": [1, 2, 3, 4]}, {"image_id": 2, "bbox": [1, 2, 3, 5]}],
            "annotations.json",
        ),
        ([{"text": "a", "label": 1}, {"text": "b", "label": 0}], "data.jsonl"),
        ({"cells": [], "nbformat": 4}, "book.ipynb"),
        ([1, 2, 3], "numbers.json"),
        (["a", "b"], "words.json"),
        ({}, "empty.json"),
        ("", "empty.jsonl"),
        ("3", "three.json"),
        ("{broken", "broken.json"),
        ("[" * 100_000, "deep.json"),
        ('{"a":' * 50_000, "deep2.json"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 123\n", "stats.jsonl"),
    ],
)
def test_json_that_is_no_log_is_refused_in_one_sentence(log, content: object, name: str) -> None:
    path = log(content, name)
    assert sure(path) < 0.5
    with pytest.raises(GandoctorError) as caught:
        jsonl.read(path)
    assert "\n" not in str(caught.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["step", "d_loss", "mean", "num", "results", "metric", "log_history", "0"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(json_values, min_size=1, max_size=5), st.booleans(), st.integers(0, 200))
def test_no_json_breaks_it(log, rows: list[object], lines: bool, cut: int) -> None:
    text = "\n".join(map(json.dumps, rows)) if lines else json.dumps(rows)
    path = log(text[: max(1, len(text) - cut)])
    assert 0 <= sure(path) <= 1
    try:
        got = jsonl.read(path)
    except GandoctorError:
        return
    for s in got.signals:
        assert np.all(np.diff(s.steps) >= 0)
        assert len(s.steps) == len(s.values) > 0
