"""What is twice as long takes twice as long.

A small part of ``python -m benchmarks.growth``, and what is cut.
"""

from __future__ import annotations

import json
import tracemalloc
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest

from gandoctor import api, parsers, rulebook, vocabulary
from gandoctor.configs import config_rank
from gandoctor.configs.formats import options
from gandoctor.configs.printed import parse_namespace, settings_of
from gandoctor.files.reading import LONGEST_LINE, LONGEST_TAG, load_text
from gandoctor.parsers import discover
from gandoctor.parsers.formats import csv, text
from gandoctor.parsers.printed import engine
from gandoctor.parsers.rows.axis import unroll
from gandoctor.parsers.runs import settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

growth = pytest.importorskip("benchmarks.growth.__main__")
families = pytest.importorskip("benchmarks.growth.cases")
LOG = "".join(
    f"step: {k} d_loss: {0.6 + k % 7 / 50:.3f} g_loss: {0.7 + k % 5 / 50:.3f}\n" for k in range(40)
)

# Each took four times as long for twice as much, and one of them at the larger size here minutes.
CASES = {
    "settings: base64": 40_000,
    "settings: blanks, then a word": 40_000,
    "settings: underscores": 40_000,
    "settings: a namespace of calls": 20_000,
    "settings: dictionaries": 20_000,
    "settings: quotes and backslashes": 40_000,
    "options: blanks, then a word": 60_000,
    "options: digits, then a letter": 60_000,
    "text, one line: escapes": 100_000,
    "csv: a wide header over narrow rows": 500,
    "restarts: every 40 rows": 100_000,
    "csv: headers within": 300,
    "jsonl: a long key": 300,
    "tags: D_real_{}_q": 1_500,
    "tags: loss_{0}_foo{0}": 1_500,
    "runs in one folder": 45,
}


@pytest.mark.parametrize("name", CASES)
def test_four_times_as_much_takes_about_four_times_as_long(name: str) -> None:
    case = next(c for c in families.cases() if c.name == name)
    case.make(8)()
    small, large = case.make(CASES[name]), case.make(4 * CASES[name])
    ratios = []
    for _ in range(4):  # a busy machine is given some more looks
        ratios.append(growth.seconds(large, 2) / max(growth.seconds(small, 3), 0.004))
        if ratios[-1] <= 8:
            return
    pytest.fail(f"{name}: four times as much takes {min(ratios):.1f} times as long")


def test_the_growth_benchmark_notices_what_is_quadratic() -> None:
    def make(n: int) -> Callable[[], object]:
        return lambda: sum(1 for _ in range(n * n))

    _, _, met = growth.growth(families.Case("quadratic", make, 120, 120))
    assert not met


@pytest.mark.parametrize(
    "line",
    [
        "====" + "a" * 2_900,
        "".join(f"k{k}: 0.5 " for k in range(180)),
        "a) 1 " * 190 + "x" * 1_900,
        "1,111," * 490,
        "loss" + "\u00a0" * 2_900 + "1: 2",
        " " * 2_900 + "x [ 1 ]",
        "(" * 2_900 + "a1 2)",
    ],
)
def test_a_line_of_a_new_shape_is_understood_within_milliseconds(line: str) -> None:
    shapes = [line.replace("a", chr(97 + k)) + chr(97 + k) for k in range(8)]
    taken = min(
        growth.seconds(lambda: engine.read_text("\n".join(shapes) + "\n" + LOG, "log"), 1)
        for _ in range(3)
    )
    assert taken / len(shapes) < 0.02


# ---------------------------------------------------------------- what the quick ways still
# understand


def test_options_are_read_as_before() -> None:
    found = {
        s.key: s.value
        for s in settings_of(
            [
                "lr: 0.0002 \t [default: 0.1]  ",
                "beta   :   0.5",
                "niter = 100",
                "cfg.train = ",
                "{",
                '  "size": 64, "name": "a \\" b"',
                "}",
                "options: {",
                '"d": {"lr": 1}',
                "}",
                "{'nz': 100} and {'ngf': 64}",
            ]
        )
    }
    assert found == {
        "lr": 0.0002, "beta": 0.5, "niter": 100, "train.size": 64, "train.name": 'a " b', "d.lr": 1,
        "nz": 100, "ngf": 64,
    }  # fmt: skip


def test_what_is_no_literal_keeps_how_it_was_printed() -> None:
    printed = "Namespace(größe=gerät(type='cuda'), lr=0.1,\n f=Conv(1,\n 2), g=x)"
    assert parse_namespace(printed) == [
        ("größe", "gerät(type='cuda')"),
        ("lr", 0.1),
        ("f", "Conv(1,\n 2)"),
        ("g", "x"),
    ]


def test_option_lines_lose_their_comma_and_their_default() -> None:
    found = options.scan("lr: 0.1,\n'b': 2 [default: 3]\nc = x   y ,  \nNone\n").found
    assert {k: s.value for k, s in found.items()} == {("lr",): 0.1, ("b",): 2, ("c",): "x   y"}
    lines = options.scan("Namespace(a=1,\nb=2,\n\nc=3)").found
    assert [s.line for s in lines.values()] == [1, 2, 4]


def test_escape_sequences_end_where_terminals_end_them() -> None:
    title = "\x1b]0;training\x07", "\x1b]0;training\x1b\\", "\x1b[31m"
    printed = LOG.replace("step", f"{''.join(title)}step")
    reading = engine.read_text("\x1b]0;never closed\n" + printed, "log")
    assert {s.tag for s in reading.signals} == {"d_loss", "g_loss"}
    assert all(len(s) == 40 for s in reading.signals)


def test_resumes_are_told_from_further_trainings_in_either_number() -> None:
    steps = np.concatenate(
        [np.arange(0, 200), np.arange(190, 300), np.arange(295, 400), np.arange(0, 50)]
    )
    axis = unroll(steps.astype(np.int64))
    assert axis.trainings == 2
    assert int((~axis.kept).sum()) == 10 + 5
    assert (np.diff(axis.steps[axis.kept]) > 0).all()


def test_cells_of_sections_and_of_wide_rows_stay_in_their_places(tmp_path: Path) -> None:
    path = tmp_path / "log.csv"
    rows = "".join(f"{k},0.5\n" for k in range(6))
    path.write_text(f"step,d_loss,g_loss,fid\n{rows}6,0.5,0.7,9\nstep,g_loss\n7,0.8\n8,0.9\n")
    found = {s.tag: (s.steps.tolist(), s.values.tolist()) for s in csv.read(path).signals}
    assert found["d_loss"][0] == list(range(7))
    assert found["g_loss"] == ([6, 7, 8], [0.7, 0.8, 0.9])
    assert found["fid"] == ([6], [9.0])


# ---------------------------------------------------------------- what is cut, and said


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_line_beyond_all_bounds_is_cut_while_it_is_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "train.log"
    path.write_text(
        LOG + "é" * 8_000_000 + "\n" + LOG.replace("step: ", "step: 9"), encoding=encoding
    )
    tracemalloc.start()
    content, lost = load_text(path, cut_lines=True)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 * LONGEST_LINE
    assert lost == [f"1 lines of more than {LONGEST_LINE >> 10} KiB were cut"]
    assert content.startswith(LOG)
    assert content.endswith(LOG.replace("step: ", "step: 9"))
    reading = text.read(path)
    assert "were cut" in (reading.lost or "")
    assert {len(s) for s in reading.signals} == {80}


def test_a_log_of_long_lines_is_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "train.log"
    path.write_text(LOG + "".join(f"{'x' * 100_000}\n{line}\n" for line in LOG.splitlines()))
    assert {len(s) for s in text.read(path).signals} == {80}
    assert "were cut" not in (text.read(path).lost or "")


@pytest.mark.parametrize("name", ["log.csv", "stats.jsonl", "stats.json"])
def test_a_name_beyond_all_bounds_is_cut_and_it_is_said(tmp_path: Path, name: str) -> None:
    tag = "d_loss" + "x" * 12_000
    path = tmp_path / name
    if name == "log.csv":
        path.write_text(f"step,{tag}\n" + "".join(f"{k},0.5\n" for k in range(30)))
    elif name == "stats.jsonl":
        path.write_text(
            "".join(json.dumps({"step": k, tag: {"a": 0.5, "b": 0.6}}) + "\n" for k in range(3))
        )
    else:
        path.write_text(
            json.dumps({"d_loss": [0.5, 0.6], tag: {f"k{k}": [0.5, 0.6] for k in range(50)}})
        )
    (run,) = parsers.discover(path)
    assert run.signals
    assert max(len(s.tag) for s in run.signals) <= LONGEST_TAG + 3
    assert any("more than 1,000 characters" in note for note in run.notes)
    (report,) = api.analyze_all(path)
    assert max(len(s.tag) for s in (*report.signals, *report.unmapped)) <= LONGEST_TAG + 3


def test_an_event_file_and_a_run_file_cut_long_names(tmp_path: Path) -> None:
    files = pytest.importorskip("benchmarks.speed.files")
    tag = "d_loss" + "é" * 300_000
    events = [files.frame(files.scalar_event(tag, k, tensor=False)) for k in range(3)]
    files.write(tmp_path / "a" / "events.out.tfevents.1.host.1.0", files.first_record(), *events)
    rows = [files.wandb_row(k, {tag: 0.5, "g_loss": 0.6}) for k in range(3)]
    files.write(tmp_path / "b" / "run-1.wandb", files.wandb_frames(rows))
    for folder in ("a", "b"):
        (run,) = parsers.discover(tmp_path / folder)
        assert any(s.tag.startswith("d_lossé") and len(s) == 3 for s in run.signals)
        assert max(len(s.tag) for s in run.signals) <= LONGEST_TAG + 3
        assert any("more than 1,000 characters" in note for note in run.notes)


def test_names_are_placed_alike_whatever_stands_beside_them() -> None:
    words = vocabulary.load([rulebook.default_folder()])
    few = ["D_real", "D_fake", "D_loss_total", "G_loss"]
    many = [*few, *(f"memory_{k}" for k in range(3_000))]
    assert vocabulary.place_names(many, words)[:4] == vocabulary.place_names(few, words)


def test_configs_beside_the_logs_of_many_runs_are_looked_at_once(
    tmp_path: Path, monkeypatch
) -> None:
    asked = Counter[str]()

    def ranked(file: Path) -> int | None:
        asked[file.name] += 1
        return config_rank(file)

    monkeypatch.setattr(settings, "config_rank", ranked)
    rows = "".join(f"{k},{k % 7 / 7:.3f},0.5\n" for k in range(12))
    for k in range(60):
        text = "step,d_loss,g_loss\n" + rows.replace("0.5", f"0.{k:03}5")
        (tmp_path / f"run{k:03}.csv").write_text(text)
        (tmp_path / f"settings-{k}.yaml").write_text("lr: 0.0002\n")
    assert len(discover(tmp_path)) == 60
    assert max(asked.values()) < 12
