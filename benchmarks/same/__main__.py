"""Compare what two source trees say: ``python -m benchmarks.same OLD_TREE [RUN ...]``.

For work that moves code and changes no behaviour. Every run (those under ``sample_logs/`` unless
others are given) is analysed by the command line of both trees, into JSON, HTML, Markdown and the
terminal's text; `gandoctor signals` and `gandoctor patch` are asked as well. Exit 1 and a short
diff where anything differs.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import difflib
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FORMATS = ("json", "html", "md")
SHOWN = 12  # lines of a diff


def said(tree: Path, run: Path) -> dict[str, str]:
    """All that a tree's command line says of a run, by what was asked."""
    env = {**os.environ, "PYTHONPATH": str(tree), "COLUMNS": "100"}
    env |= {"OMP_NUM_THREADS": "1", "SOURCE_DATE_EPOCH": "0"}
    out: dict[str, str] = {}

    def ask(name: str, *words: str) -> None:
        command = [sys.executable, "-m", "gandoctor", *words]
        done = subprocess.run(
            command, cwd=tree, env=env, capture_output=True, text=True, check=False
        )
        out[name] = f"{done.stdout}{done.stderr}exit {done.returncode}\n"

    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / f"report.{suffix}" for suffix in FORMATS]
        ask("analyze", "analyze", str(run), *(word for f in files for word in ("-o", str(f))))
        out["analyze"] = out["analyze"].replace(folder, "FOLDER")
        for file in files:
            out[file.name] = file.read_text() if file.exists() else ""
    ask("signals", "signals", str(run), "--format", "json")
    ask("patch", "patch", str(run))
    # Rules that say the same in other words have another digest.
    digest = re.search(r'"rules_digest": "(\w+)"', out["report.json"])
    return {k: v.replace(digest[1], "DIGEST") for k, v in out.items()} if digest else out


def differences(old: Path, new: Path, run: Path) -> list[str]:
    """What differs, as lines to be shown; none where all is the same."""
    before, after = said(old, run), said(new, run)
    lines: list[str] = []
    for name, text in before.items():
        if text != after[name]:
            changed = difflib.unified_diff(
                text.splitlines(), after[name].splitlines(), "old", "new", n=0, lineterm=""
            )
            lines += [
                f"{run.name}: {name} differs",
                *(f"    {x[:200]}" for x in list(changed)[:SHOWN]),
            ]
    return lines


def main() -> int:
    """Compare; 0 where all is the same."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.same", description=__doc__)
    parser.add_argument("old", type=Path, help="a checkout of the earlier state")
    parser.add_argument(
        "runs", type=Path, nargs="*", help="runs; default: those under sample_logs/"
    )
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    runs = args.runs or sorted(p for p in (ROOT / "sample_logs").iterdir() if p.is_dir())
    wrong = 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for lines in pool.map(
            lambda run: differences(args.old.resolve(), ROOT, run.resolve()), runs
        ):
            wrong += bool(lines)
            print(*lines, sep="\n", end="\n" if lines else "")
    print(f"{len(runs) - wrong} of {len(runs)} runs: all outputs byte for byte the same")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
