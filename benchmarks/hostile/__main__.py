"""What hostile files cost: ``python -m benchmarks.hostile``.

Exit 1 where one costs too much or loses the report.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.hostile.files import makers

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_MIB = 500
MOST_SECONDS = 20
LIMIT = 4 << 30  # bytes of address space: more is refused by the system


@dataclass(frozen=True)
class Cost:
    """What one analysis took."""

    mib: float
    seconds: float
    code: int
    fault: str


def cost(make: Callable[[Path], Any]) -> Cost:
    """Write one case beside a healthy log and analyse the folder in a process of its own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "run")
        folder.mkdir()
        rows = "".join(f"{i},{0.69 + 0.01 * (i % 7)},{0.69 + 0.01 * (i % 5)}\n" for i in range(200))
        (folder / "log.csv").write_text("step,d_loss,g_loss\n" + rows)
        make(folder)
        out = Path(name, "out")
        with out.open("wb") as stream:
            command = [sys.executable, "-m", "gandoctor", "analyze", str(folder)]
            process = subprocess.Popen(command, stdout=stream, stderr=stream, preexec_fn=_limits)  # noqa: PLW1509
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        text = out.read_text("utf-8", errors="replace")
    mib, seconds = used.ru_maxrss / 1024, used.ru_utime + used.ru_stime
    words = [w for w in ("Traceback", "internal error", "stumbled over") if w in text]
    words += [f"more than {MOST_MIB} MiB"] if mib > MOST_MIB else []
    words += [f"more than {MOST_SECONDS} s"] if seconds > MOST_SECONDS else []
    words += [] if process.returncode in (0, 1) else ["no report"]
    return Cost(mib, seconds, process.returncode, ", ".join(words))


def _limits() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT))
    resource.setrlimit(resource.RLIMIT_CPU, (2 * MOST_SECONDS, 2 * MOST_SECONDS))


def main() -> int:
    """Print a line a case."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="cases whose name contains this")
    only = parser.parse_args().only
    bad = count = 0
    for name, make in makers():
        if only not in name:
            continue
        it = cost(make)
        count += 1
        bad += bool(it.fault)
        print(
            f"{it.mib:7.0f} MiB {it.seconds:6.1f} s  exit {it.code:3d}  {name}  {it.fault}",
            flush=True,
        )
    print(f"{count} cases, {bad} too dear")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
