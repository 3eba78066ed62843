"""A row that stands alone is said, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gandoctor.parsers import discover
from gandoctor.parsers.rows.outliers import outliers

SAMPLES = Path(__file__).resolve().parents[1] / "sample_logs"


def level(rows: int = 200) -> np.ndarray:
    return 0.7 + 0.01 * (np.arange(rows) % 7)


def notes(folder: Path, d: np.ndarray, g: np.ndarray) -> list[str]:
    rows = "".join(f"{10 * k},{x},{y}\n" for k, (x, y) in enumerate(zip(d, g, strict=True)))
    (folder / "log.csv").write_text("step,d_loss,g_loss\n" + rows)
    return [n for run in discover(folder) for n in run.notes if "outlier" in n]


@pytest.mark.parametrize("rows", [[50], [50, 51]])
@pytest.mark.parametrize("sign", [1, -1])
def test_one_or_two_wild_rows_are_said_once(tmp_path: Path, rows: list[int], sign: int) -> None:
    d, g = level(), level()
    d[rows] = sign * 900
    (note,) = notes(tmp_path, d, g)
    assert "at step 500: d_loss is" in note
    assert ("one outlier" in note) == (len(rows) == 1)
    g[rows] = 800
    (note,) = notes(tmp_path, d, g)
    assert "d_loss is" in note
    assert "g_loss is 800" in note


def wild(**at: slice | int) -> np.ndarray:
    values = level()
    for place in at.values():
        values[place] = 900
    return values


@pytest.mark.parametrize(
    "values",
    [
        level(),
        wild(first=0),
        wild(third=2),
        wild(last=199),
        wild(three=slice(50, 53)),
        wild(end=slice(150, 200)),
        np.exp(np.arange(200) / 4),
        np.exp(-np.arange(200) / 4),
        np.zeros(200),
        np.where(np.arange(200) % 40 == 20, 1.0, 0.0),
        np.where(np.arange(200) == 50, np.nan, level()),
        np.where(np.arange(200) == 50, np.inf, level()),
        np.where(np.arange(200) == 50, 30.0, level()),
        np.full(200, 1e307),
        np.array([1.0, 900.0]),
        np.array([]),
    ],
)
def test_what_does_not_stand_alone_is_no_outlier(values: np.ndarray) -> None:
    assert outliers(values) == []


@pytest.mark.parametrize("run", sorted(p.name for p in SAMPLES.glob("healthy-*") if p.is_dir()))
def test_nothing_is_said_of_healthy_runs(run: str) -> None:
    assert not [n for one in discover(SAMPLES / run) for n in one.notes if "outlier" in n]
