"""Hold labelled runs to the laws: ``python -m benchmarks.laws ZOO [--limit N] [--jobs 2]``.

A zoo has ``labels.csv`` (id, outcome, steps, onset_step, first_bad_step, first_good_step) and
``runs/<id>``. One line a law: on how many runs it held, and which broke it. Exit 1 where one broke.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.laws.laws import LAWS, Case

if TYPE_CHECKING:
    from collections.abc import Sequence


def cases(zoo: Path) -> list[Case]:
    """The runs of a zoo.

    A run that was bad before it ever was good has no part before its symptom.
    """
    found = []
    for row in csv.DictReader((zoo / "labels.csv").open(encoding="utf-8")):
        onset = row.get("onset_step") or row.get("first_bad_step")
        good = row.get("first_good_step")
        dated = float(onset) if onset and good and float(good) < float(onset) else None
        home = zoo / "runs" / row["id"]
        found.append(Case(home, row["outcome"] == "healthy", float(row["steps"]), dated))
    return found


def broken(case: Case) -> dict[str, str]:
    """What broke each law; empty where it held."""
    told = {}
    for name, law in LAWS.items():
        with tempfile.TemporaryDirectory() as scratch:
            told[name] = law(case, Path(scratch))
    return told


def main(argv: Sequence[str] | None = None) -> int:
    """Print a line a law."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.laws", description=__doc__)
    parser.add_argument("zoo", type=Path)
    parser.add_argument("--limit", type=int, help="the first N runs only")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args(argv)
    those = cases(args.zoo)[: args.limit]
    with ProcessPoolExecutor(args.jobs) as pool:
        told = list(pool.map(broken, those))
    for name in LAWS:
        wrong = [(c.home.name, t[name]) for c, t in zip(those, told, strict=True) if t[name]]
        print(f"{name}: {len(those) - len(wrong)} of {len(those)}")
        for run, text in wrong:
            print(f"    {run}: {text}")
    return int(any(text for t in told for text in t.values()))


if __name__ == "__main__":
    sys.exit(main())
