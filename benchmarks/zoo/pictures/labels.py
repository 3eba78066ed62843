"""Runs with their logs and their truths, as scoring and weighing read them."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any, Final

from benchmarks.zoo.pictures import houses, settings

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


def write(records: Iterable[Record], folder: Path) -> list[dict[str, Any]]:
    """Write logs to ``runs/<id>`` and the truths beside them, ``labels.csv`` over them all.

    Records need their ``truth``, as `judged` gives it; those without one are left out.
    """
    (folder / "runs").mkdir(parents=True, exist_ok=True)
    truths = []
    for record in sorted((r for r in records if "truth" in r.about), key=lambda r: r.name):
        out = folder / "runs" / record.name
        truth = _label(record, houses.write(record, out))
        out.with_name(f"{record.name}.truth.json").write_text(json.dumps(truth) + "\n", "utf-8")
        truths.append(truth)
    table(truths, folder / "labels.csv")
    return truths


def judged(record: Record, data: Pictures) -> Record:
    """The record with the truth about it; it has to be trained to the end."""
    from benchmarks.zoo.pictures import judge  # noqa: PLC0415  (torch)

    truth = judge.judge(record, data)
    late = judge.measure.median(truth.moments[len(truth.moments) // 2 :])
    told = truth.as_dict() | {"d_wins": bool(late.auc >= D_WINS)}
    del told["trace"]
    record.about["truth"] = told
    return record


def _label(record: Record, told: dict[str, Any]) -> dict[str, Any]:
    """What is known about a run, in its user's own keys; the outcome is measured."""
    about, c, written = record.about, record.settings, told["written"]
    return {
        "run": record.name,
        **{k: about[k] for k in ("half", "game", "role", "what", "fault", "twin")},
        "family": c["loss.name"],
        "data": c["data.name"],
        "seed": c["seed"],
        "iterations": c["iterations"],
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
        **about["truth"],
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
