"""Runs with their logs and their truths, as scoring and weighing read them."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any, Final

from benchmarks.zoo.pictures import houses, judge, settings

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from benchmarks.zoo.pictures.data import Pictures
    from benchmarks.zoo.pictures.records import Record

COLUMNS: Final = (
    "id", "data", "game", "family", "role", "what", "fault", "outcome", "borderline", "symptoms",
    "wrong", "house", "config", "samples", "fid", "losses_only", "d_wins",
)  # fmt: skip
D_WINS: Final = 0.9  # D's held-out AUC, in the median over the later half


def write(
    records: Iterable[Record], sets: dict[str, Pictures], folder: Path
) -> list[dict[str, Any]]:
    """Write logs to ``runs/<id>`` and the truths beside them, ``labels.csv`` over them all.

    Records of runs that could not be trained are left out.
    """
    (folder / "runs").mkdir(parents=True, exist_ok=True)
    truths = []
    for record in sorted((r for r in records if r.moments), key=lambda r: r.name):
        out = folder / "runs" / record.name
        told = houses.write(record, out)
        truth = _truth(record, sets[record.settings["data.name"]], told)
        out.with_name(f"{record.name}.truth.json").write_text(json.dumps(truth) + "\n", "utf-8")
        truths.append(truth)
    table(truths, folder / "labels.csv")
    return truths


def _truth(record: Record, data: Pictures, told: dict[str, Any]) -> dict[str, Any]:
    """What is known about a run, in its user's own keys; the outcome is measured."""
    about, c, written = record.about, record.settings, told["written"]
    truth = judge.judge(record, data)
    late = judge.measure.median(truth.moments[len(truth.moments) // 2 :])
    return {
        "run": record.name,
        "half": about["half"],
        "role": about["role"],
        "what": about["what"],
        "twin": about["twin"],
        "family": c["loss.name"],
        "game": about["game"],
        "data": c["data.name"],
        "seed": c["seed"],
        "iterations": c["iterations"],
        "fault": about["fault"],
        "wrong": [
            {"key": written[key], "value": c[key], "right": right, "setting": key}
            for key, right in about["wrong"].items()
            if key in written
        ],
        "broken": sorted(about["wrong"]) or [c["code.bug"]] * bool(c["code.bug"]),
        "house": told["house"],
        "told": told["told"],
        "config": bool(written),
        "written": written,
        "d_wins": late.auc >= D_WINS,
        **truth.as_dict(),
    }


def table(truths: list[dict[str, Any]], path: Path) -> None:
    """``labels.csv``: a row a run."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for t in truths:
            told = t["told"]
            row = [t["run"], t["data"], t["game"], t["family"], t["role"], t["what"], t["fault"]]
            row += [t["outcome"], int(t["borderline"]), "|".join(t["symptoms"])]
            row += ["|".join(w["key"] for w in t["wrong"]), t["house"], int(t["config"])]
            row += [int(told[k]) for k in ("samples", "fid", "losses only")]
            writer.writerow([*row, int(t["d_wins"])])


def canonical(written: dict[str, str], key: str) -> list[str]:
    """The settings that a user's key stands for."""
    found = [setting for setting, name in written.items() if name == key]
    return found or [key] * (key in settings.DEFAULTS)
