"""Time the readers: ``python -m benchmarks.speed``.

Every read runs in a process of its own; the readers take turns within a repetition, so that a busy
machine slows all of them. Figures are CPU seconds of the read alone, the median of the repetitions;
the ratio is the other reader's time over ours, with the least and the most of the repetitions.
Checksums are on. ``--whole`` times whole commands instead.
"""

from __future__ import annotations

import argparse
import compileall
import csv
import importlib
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.speed import files

if TYPE_CHECKING:
    from collections.abc import Callable

WORKER = Path(__file__).with_name("worker.py")


@dataclass(frozen=True)
class Case:
    """One kind of log, the reader to beat, and the bar (theirs over ours, or the reverse)."""

    name: str
    title: str
    make: Callable[[Path], Path]
    against: str
    bar: float
    most: bool = False
    memory: float | None = None


def _csv(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "metrics.csv"
    values = np.random.default_rng(0).normal(size=(1_000_000, 7))
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["step", "d_loss", "g_loss", "d_real", "d_fake", "grad_norm_d", "grad_norm_g", "lr"]
        )
        writer.writerows([k, *(f"{v:.6g}" for v in row)] for k, row in enumerate(values.tolist()))
    return path


def _many(folder: Path) -> Path:
    files.many_files(folder, 200, 5000)
    return folder


CASES = (
    Case(
        "scalars",
        "1M scalars, one file",
        lambda f: files.one_file(f, 1_000_000),
        "tbparse",
        45,
        memory=150,
    ),
    Case(
        "tensors",
        "1M TF2 tensor scalars",
        lambda f: files.one_file(f, 1_000_000, tensor=True),
        "tbparse_tensors",
        100,
    ),
    Case("many", "200 files of 5k", _many, "tbparse", 20),
    Case(
        "pictures",
        "100k scalars among 500 pictures",
        lambda f: files.among_pictures(f, 100_000, 500, 284),
        "tbparse",
        50,
    ),
    Case("small", "20k scalars", lambda f: files.one_file(f, 20_000), "tbparse", 1),
    Case(
        "wandb", ".wandb, 200k rows of 6", lambda f: files.wandb_file(f, 200_000), "datastore", 2.5
    ),
    Case("csv", "CSV, 1M rows of 8", _csv, "pandas", 1.3, most=True),
)


def _run(reader: str, path: Path | str, python: str) -> dict[str, float]:
    done = subprocess.run(
        [python, str(WORKER), reader, str(path)],
        capture_output=True,
        text=True,
        check=False,
        env=_environment(),
    )
    if done.returncode:
        raise SystemExit(f"{reader} on {path} failed:\n{done.stderr[-2000:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _environment() -> dict[str, str]:
    # One thread each, and no warnings in between.
    return {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONWARNINGS": "ignore",
    }


def _has(python: str, module: str) -> bool:
    return (
        subprocess.run(
            [python, "-c", f"import {module}"], capture_output=True, check=False
        ).returncode
        == 0
    )


def reads(cases: list[Case], folder: Path, repeats: int, wandb_python: str) -> bool:
    """The table of reads; whether every bar was met."""
    print(
        "| log | MB | floor | gandoctor | against | theirs | ratio (range) | bar | peak MiB "
        "(theirs) |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    met = True
    for case in cases:
        path = case.make(folder / case.name)
        python = wandb_python if case.against == "datastore" else sys.executable
        compared = case.against != "datastore" or _has(python, "wandb.sdk.internal.datastore")
        times: dict[str, list[dict[str, float]]] = {"floor": [], "gandoctor": [], case.against: []}
        for _ in range(repeats):
            for reader, taken in times.items():
                if reader != case.against or compared:
                    taken.append(
                        _run(reader, path, python if reader == case.against else sys.executable)
                    )
        mid = {
            reader: statistics.median(t["cpu"] for t in taken)
            for reader, taken in times.items()
            if taken
        }
        size = times["floor"][0]["points"] / 1e6
        ours, peak = mid["gandoctor"], max(t["peak"] for t in times["gandoctor"])
        if compared:
            ratios = [
                b["cpu"] / a["cpu"]
                for a, b in zip(times["gandoctor"], times[case.against], strict=True)
            ]
            ratio = mid[case.against] / ours
            good = ratio >= 1 / case.bar if case.most else ratio >= case.bar
            assert {t["points"] for t in times["gandoctor"]} == {
                t["points"] for t in times[case.against]
            }, "points differ"
            theirs = f"{mid[case.against]:.2f} | {ratio:.1f} ({min(ratios):.1f}-{max(ratios):.1f})"
            their_peak = f"{max(t['peak'] for t in times[case.against]):.0f}"
        else:
            good, theirs, their_peak = True, "- | not installed", "-"
        good &= case.memory is None or peak <= case.memory
        met &= good
        bar = f">= {1 / case.bar:.2f}" if case.most else f">= {case.bar:g}"
        if case.memory:
            bar += f", <= {case.memory:g} MiB"
        print(
            f"| {case.title} | {size:.0f} | {mid['floor']:.3f} | {ours:.3f} | {case.against} | "
            f"{theirs} "
            f"| {bar} {'met' if good else 'MISSED'} | {peak:.0f} ({their_peak}) |",
            flush=True,
        )
    return met


def large(folder: Path) -> bool:
    """20M scalars in one file of about 1 GB: whole analysis, time and memory."""
    path = folder / "large" / "events.out.tfevents.1700000000.host.1.0"
    steps = 20_000_000 // len(files.TAGS)
    parts = 20
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        file.write(files.first_record())
        for k in range(parts):
            file.write(files.scalars(range(k * steps // parts, (k + 1) * steps // parts), seed=k))
    read = _run("gandoctor", path, sys.executable)
    wall, cpu, peak = _command(
        [
            sys.executable,
            "-m",
            "gandoctor",
            "analyze",
            str(path),
            "-q",
            "-o",
            str(folder / "l.html"),
        ]
    )
    print("| 20M scalars, one file | CPU s | wall s | peak MiB |")
    print("|---|---|---|---|")
    size = path.stat().st_size / 1e9
    print(
        f"| {size:.2f} GB, read alone | {read['cpu']:.2f} | {read['wall']:.2f} | "
        f"{read['peak']:.0f} |"
    )
    print(
        f"| `gandoctor analyze` with HTML (bar: <= 1536 MiB) | {cpu:.2f} | {wall:.2f} | {peak:.0f} "
        "|"
    )
    return peak <= 1536


def _command(argv: list[str]) -> tuple[float, float, float]:
    """Wall and CPU seconds and peak MiB of a whole command; 1 is the exit code of a failing run."""
    found = _run("command", json.dumps(argv), sys.executable)
    if found["code"] not in (0, 1):
        raise SystemExit(f"{' '.join(argv)} ended with {found['code']:.0f}")
    return found["wall"], found["cpu"], found["peak"]


_LOAD = (
    "import sys; from tbparse import SummaryReader; SummaryReader(sys.argv[1], "
    "event_types={'scalars'}).scalars"
)
_TYPER = (
    "import typer\napp = typer.Typer()\n@app.command()\ndef main(path: str, output: str = ''):\n   "
    " 'Do it.'\n"
    "app(['--help'])"
)


def whole(folder: Path, repeats: int) -> bool:
    """The table of whole commands, wall seconds; whether every bar was met."""
    _ready(folder)
    tell = [sys.executable, "-m", "gandoctor"]
    report = str(folder / "report.html")
    rows = []
    for title, points, bar in (("1M scalars", 1_000_000, 19.0), ("20k scalars", 20_000, 1.8)):
        path = str(files.one_file(folder / f"whole-{points}", points))
        ours = [*tell, "analyze", path, "-q", "-o", report]
        if not rows:
            first = _command(
                [
                    *tell,
                    "analyze",
                    str(files.one_file(folder / "first", 20_000)),
                    "-q",
                    "-o",
                    report,
                ]
            )
            print(
                f"The very first `analyze`, 20k scalars, nothing kept yet: {first[0]:.2f} s\n",
                flush=True,
            )
        rows.append(
            (
                f"`analyze` with HTML, {title}",
                ours,
                [sys.executable, "-c", _LOAD, path],
                "tbparse loads it",
                bar,
            )
        )
    loads = [sys.executable, "-c", _LOAD, path]
    rows.append(("`check`, 20k scalars", [*tell, "check", path], loads, "tbparse loads it", 1.0))
    bare = [sys.executable, "-c", _TYPER]
    rows.append(("`gandoctor --help`", [*tell, "--help"], bare, "a bare typer program's", 1 / 1.5))
    print("| command | wall s | against | their wall s | ratio (range) | bar | peak MiB |")
    print("|---|---|---|---|---|---|---|")
    met = True
    for title, ours, theirs, name, bar in rows:
        taken = [(_command(ours), _command(theirs)) for _ in range(repeats)]
        mine, other = (
            statistics.median(a[0] for a, _ in taken),
            statistics.median(b[0] for _, b in taken),
        )
        ratios = [b[0] / a[0] for a, b in taken]
        good = other / mine >= bar
        met &= good
        print(
            f"| {title} | {mine:.2f} | {name} | {other:.2f} | {other / mine:.2f} "
            f"({min(ratios):.2f}-{max(ratios):.2f}) "
            f"| >= {bar:.2f} {'met' if good else 'MISSED'} | {max(a[2] for a, _ in taken):.0f} |",
            flush=True,
        )
    return met


def sweep(folder: Path, runs: int, jobs: int) -> bool:
    """Many small runs: reports of all, and the gate; whether a minute of each core suffices."""
    _ready(folder)
    path = str(files.sweep(folder / "sweep", runs))
    tell = [sys.executable, "-m", "gandoctor"]
    asked = (
        ("`analyze -o report/`", ["analyze", path, "-q", "-o", f"{folder / 'report'}/"]),
        ("`check`", ["check", path]),
    )
    _command([*tell, "check", path])  # what is kept after a first run is kept now
    print(f"{runs:,} runs of 2,000 scalars, every second one sick.\n")
    print("| command | CPU s | wall s | peak MiB of a process | tbparse loads them | ratio | bar |")
    print("|---|---|---|---|---|---|---|")
    met = True
    for title, words in asked:
        wall, cpu, peak = _command([*tell, *words, "--jobs", str(jobs)])
        theirs = _command([sys.executable, "-c", _LOAD, path])
        good = cpu <= 60 * jobs * runs / 1000
        met &= good
        print(
            f"| {title} `--jobs {jobs}` | {cpu:.1f} | {wall:.1f} | {peak:.0f} | {theirs[1]:.1f} "
            f"({theirs[2]:.0f} MiB) | {theirs[1] / cpu:.2f} "
            f"| <= {60 * jobs * runs / 1000:.0f} CPU s {'met' if good else 'MISSED'} |",
            flush=True,
        )
    return met


def _ready(folder: Path) -> None:
    """Bytecode as installers leave it, and a cache of our own."""
    # As installers do, and as Python does at the first run: or else one side compiles its source
    # each time.
    for package in ("gandoctor", "tbparse", "typer"):
        for place in importlib.import_module(package).__path__:
            compileall.compile_dir(place, quiet=2)
    # What our rule files parse to is kept after the first run: that one is told apart.
    os.environ["XDG_CACHE_HOME"] = os.environ["LOCALAPPDATA"] = str(folder / "cache")


def main() -> int:
    """Measure, print tables, and say by the exit code whether every bar was met."""
    names = [case.name for case in CASES]
    options = argparse.ArgumentParser(
        prog="python -m benchmarks.speed", description=__doc__.splitlines()[0]
    )
    options.add_argument("--cases", default=",".join(names), help="which reads")
    options.add_argument("--repeats", type=int, default=3)
    options.add_argument("--whole", action="store_true", help="whole commands instead of reads")
    options.add_argument("--large", action="store_true", help="20M scalars instead (1 GB on disk)")
    options.add_argument(
        "--sweep", type=int, metavar="RUNS", help="a folder of so many small runs instead"
    )
    options.add_argument("--jobs", type=int, default=2, help="with --sweep")
    options.add_argument(
        "--wandb-python", default=sys.executable, help="an interpreter that has wandb 0.29"
    )
    chosen = options.parse_args()
    wanted = chosen.cases.split(",")
    if unknown := set(wanted) - set(names):
        options.error(f"no such case: {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    print(
        f"Python {platform.python_version()}, numpy {np.__version__}, {os.cpu_count()} CPUs, "
        f"{platform.machine()}\n"
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if chosen.large:
            met = large(folder)
        elif chosen.sweep:
            met = sweep(folder, chosen.sweep, chosen.jobs)
        elif chosen.whole:
            met = whole(folder, chosen.repeats)
        else:
            met = reads(
                [case for case in CASES if case.name in wanted],
                folder,
                chosen.repeats,
                chosen.wandb_python,
            )
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
