"""Judge labelled runs by their losses alone, and by their losses and last checkpoint.

``python -m benchmarks.checkpoints RUNS LABELS.csv [WAY ...]``: RUNS holds a folder a run, each with
``metrics.csv`` (the step, then D's and G's loss), ``config.yaml``, ``last.pt`` and
``samples/real.npy``; LABELS has the columns ``id``, ``outcome`` (failed or healthy) and
``borderline``. A way is one of the names that are printed; all of them without.
"""

from __future__ import annotations

import csv
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

from gandoctor import api

_LOSSES = 3  # columns of the log that are kept: the step and two losses
WAYS = {
    "losses alone": (),
    "and real data": ("samples/real.npy",),
    "and the checkpoint": ("last.pt",),
    "and both": ("samples/real.npy", "last.pt"),
    "and both, without the config": ("samples/real.npy", "last.pt", "-config.yaml"),
}


def reduced(run: Path, folder: Path, more: tuple[str, ...]) -> Path:
    """A copy of a run with nothing but its losses, its config, and what else is named."""
    made = folder / run.name
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir()
    with (run / "metrics.csv").open(newline="") as file:
        rows = [",".join(row[:_LOSSES]) for row in csv.reader(file)]
    (made / "metrics.csv").write_text("\n".join(rows))
    for name in ("config.yaml", *more):
        if f"-{name}" not in more and not name.startswith("-"):
            (made / name).parent.mkdir(exist_ok=True)
            shutil.copy(run / name, made / name)
    return made


def judged(runs: Path, labels: dict[str, dict[str, str]], more: tuple[str, ...]) -> Counter[str]:
    """How many runs of each outcome were called failing."""
    found: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        for name, label in labels.items():
            run = reduced(runs / name, Path(folder), more)
            options = api.Options(use_preferences=False)
            verdict = api.analyze(run, options).verdict
            clear = "borderline" if label["borderline"] == "1" else "clear"
            for key in (label["outcome"], f"{clear} {label['outcome']}"):
                found[key] += 1
                found[f"{key} {verdict}"] += 1
    return found


def main() -> None:
    runs, table = Path(sys.argv[1]), Path(sys.argv[2])
    with table.open(newline="") as file:
        labels = {row["id"]: row for row in csv.DictReader(file)}
    for name in sys.argv[3:] or WAYS:
        n = judged(runs, labels, WAYS[name])
        print(
            f"{name}: clear failures called failing {n['clear failed failing']} of "
            f"{n['clear failed']}, all failures {n['failed failing']} of {n['failed']}, "
            f"healthy called failing {n['healthy failing']} of {n['healthy']} "
            f"(healthy {n['healthy healthy']})",
            flush=True,
        )


if __name__ == "__main__":
    main()
