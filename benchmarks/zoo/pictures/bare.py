"""Runs as losses, a config, a checkpoint and real pictures: `benchmarks.checkpoints` reads them."""

from __future__ import annotations

import csv
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
import yaml

from benchmarks.zoo.pictures import data, judge

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from benchmarks.zoo.pictures.records import Record

EVERY: Final = 5  # iterations between rows of the log
REAL: Final = 256


def write(records: Iterable[Record], sets: Path, into: Path) -> int:
    """Write every run whose players' last state was kept; returns how many.

    Parameters
    ----------
    records : iterable of Record
        With their weights.
    sets : Path
        Of drawn pictures.
    into : Path
        One folder a run, and ``labels.csv`` beside them.
    """
    into.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    drawn: dict[str, data.Pictures] = {}
    for record in records:
        if not (record.weights and record.moments):
            continue
        name = record.settings["data.name"]
        drawn[name] = drawn.get(name) or data.load(name, sets)
        _one(record, drawn[name], into / record.name)
        truth = judge.judge(record, drawn[name])
        rows.append(
            {"id": record.name, "outcome": truth.outcome, "borderline": int(truth.borderline)}
        )
    with (into / "labels.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, ("id", "outcome", "borderline"))
        table.writeheader()
        table.writerows(rows)
    return len(rows)


def _one(record: Record, pictures: data.Pictures, folder: Path) -> None:
    c = record.settings
    (folder / "samples").mkdir(parents=True, exist_ok=True)
    d, g = (np.asarray(record.series[k])[::EVERY] for k in ("d_loss", "g_loss"))
    lines = [f"{1 + i * EVERY},{a},{b}" for i, (a, b) in enumerate(zip(d, g, strict=True))]
    (folder / "metrics.csv").write_text("\n".join(["step,d_loss,g_loss", *lines]) + "\n")
    shown = {k: v for k, v in c.items() if not k.startswith("code.")}
    (folder / "config.yaml").write_text(yaml.safe_dump(shown))
    states: dict[str, dict[str, torch.Tensor]] = defaultdict(dict)
    for key, values in record.weights.items():
        player, _, inner = key.partition(".")
        states[player][inner] = torch.as_tensor(values)
    torch.save(dict(states), folder / "last.pt")
    real = pictures.held_out[:REAL] / 255 * (c["data.high"] - c["data.low"]) + c["data.low"]
    np.save(folder / "samples" / "real.npy", real.astype(np.float32))
