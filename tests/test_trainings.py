"""Trainings one after the other in one log: a resumed one stays one run, one begun anew is another."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

import pytest

from gandoctor.parsers.registry import read_log

if TYPE_CHECKING:
    from pathlib import Path

Row = tuple[int, float, float]


def learning(rows: int, *, first: int = 1, begin: float = 1.4, end: float = 0.1) -> list[Row]:
    """A loss of D that falls within the first third and stays there; that of G mirrors it."""
    rng = random.Random(rows)
    d = [
        end + (begin - end) * 0.9 ** (90 * k / rows) * (1 + 0.05 * rng.random())
        for k in range(rows)
    ]
    return [(first + k, x, 4 - 2 * x) for k, x in enumerate(d)]


def level(rows: int, at: float) -> list[Row]:
    """Losses that stay where they are."""
    rng = random.Random(rows)
    return [(1 + k, at * (1 + 0.05 * rng.random()), 4 - 2 * at) for k in range(rows)]


def as_csv(rows: list[Row]) -> str:
    return "epoch,loss_d,loss_g\n" + "".join(f"{s},{d:.4f},{g:.4f}\n" for s, d, g in rows)


def as_json(rows: list[Row]) -> str:
    return "".join(json.dumps({"epoch": s, "loss_d": d, "loss_g": g}) + "\n" for s, d, g in rows)


def as_print(rows: list[Row]) -> str:
    return "".join(f"epoch {s} loss_d: {d:.4f} loss_g: {g:.4f}\n" for s, d, g in rows)


TABLES = [("a.csv", as_csv), ("a.jsonl", as_json)]
SLOW, FAST = learning(120), learning(60)


@pytest.mark.parametrize(("name", "write"), TABLES)
@pytest.mark.parametrize(
    "trainings",
    [(SLOW, FAST), (SLOW, learning(200), FAST), (FAST, learning(60, end=0.6))],
    ids=["two", "three", "another end"],
)
def test_trainings_that_begin_anew_are_runs_of_their_own(
    tmp_path: Path, name: str, write, trainings: tuple[list[Row], ...]
) -> None:
    path = tmp_path / name
    path.write_text(write([row for rows in trainings for row in rows]))
    found = read_log(path)
    assert [label for label, _, _ in found] == [f"run {k + 1}" for k in range(len(trainings))]
    for (_, _, reading), rows in zip(found, trainings, strict=True):
        loss = next(s for s in reading.signals if s.tag == "loss_d")
        assert loss.steps.tolist() == [s for s, _, _ in rows]
        assert loss.values.tolist() == pytest.approx([d for _, d, _ in rows], abs=1e-4)
        assert f"{len(trainings)} runs stand one after the other" in reading.notes[-1]


@pytest.mark.parametrize(("name", "write"), [*TABLES, ("a.log", as_print)])
@pytest.mark.parametrize(
    "rows",
    [
        [*SLOW, *level(60, 0.1)],
        [*SLOW, *learning(60, first=100, begin=0.1)],
        [*level(80, 1.0), *level(80, 1.0)],
        [*SLOW[:8], *FAST],
        [*SLOW, *FAST[:8]],
        [row for _ in range(6) for row in FAST],
        [*SLOW, *learning(60, first=900)],
        [*SLOW, *learning(60, first=60)],
    ],
    ids=["goes on, counts anew", "resumed", "says nothing", "aborted", "just begun", "phases",
         "counts on", "begins in the middle"],
)  # fmt: skip
def test_a_restart_that_is_no_new_beginning_stays_in_one_run(
    tmp_path: Path, name: str, write, rows: list[Row]
) -> None:
    path = tmp_path / name
    path.write_text(write(rows))
    assert [label for label, _, _ in read_log(path)] == [""]


def test_prints_stay_in_one_run(tmp_path: Path) -> None:
    """What is printed by hand is one log of phases more often than one of several runs."""
    path = tmp_path / "a.log"
    path.write_text(as_print([*SLOW, *FAST]))
    ((label, _, reading),) = read_log(path)
    assert not label
    assert "2 trainings" in reading.notes[0]


def test_losses_that_disagree_leave_one_run(tmp_path: Path) -> None:
    """D is new, G was loaded: the two are one game, and what it is cannot be told from the log."""
    rows = [*SLOW, *((s, d, SLOW[-1][2]) for s, d, _ in FAST)]
    path = tmp_path / "a.csv"
    path.write_text(as_csv(rows))
    assert [label for label, _, _ in read_log(path)] == [""]
