"""Grow the inputs of every reader: ``python -m benchmarks.growth [--only WORD]``.

Each family of inputs is read at n, 2n, 4n, 8n and 16n, n being so large that it takes 20 ms (or the
largest that the family has). CPU time of the process, the least of several repeats. Missed is a bar
where a doubling takes more than 2.5 times as long, also when looked at again, or where text is read
at less than 100 kB a second.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
import warnings
from itertools import pairwise
from typing import TYPE_CHECKING

from benchmarks.growth.cases import cases

if TYPE_CHECKING:
    from benchmarks.growth.cases import Call, Case

WORTH = 0.02  # seconds: less cannot be told from noise
MOST = 2.5  # times as long for twice as much
SLOWEST = 1e5  # characters a second
DOUBLINGS = 4
PATIENCE = 30.0  # seconds for one input: nobody waits longer


def seconds(call: Call, repeats: int = 3) -> float:
    """CPU seconds of a call, the least of several."""
    best = float("inf")
    for _ in range(repeats):
        gc.collect()
        gc.disable()
        begun = time.process_time()
        call()
        best = min(best, time.process_time() - begun)
        gc.enable()
        if best > 1.0:
            break
    return best


def growth(case: Case) -> tuple[list[int], list[float], bool]:
    """Sizes, times, and whether the bars were met."""
    size = case.start
    case.make(size)()  # what is imported and worked out once
    while seconds(case.make(size), 2) < WORTH and size * 2 <= case.most:
        size *= 2
    sizes = [size << k for k in range(DOUBLINGS + 1)]
    times: list[float] = []
    met = True
    for n in sizes:
        call = case.make(n)
        times.append(seconds(call))
        for _ in range(3):
            if len(times) < 2 or times[-1] <= MOST * max(times[-2], WORTH):
                break
            times[-1] = min(times[-1], seconds(call, 5))
            times[-2] = seconds(case.make(n // 2), 5)
            call = case.make(n)
        met &= len(times) < 2 or times[-1] <= MOST * max(times[-2], WORTH)
        if times[-1] > PATIENCE:
            met = False
            break
    if case.text and times[-1] > WORTH:
        met &= sizes[len(times) - 1] / times[-1] >= SLOWEST
    return sizes[: len(times)], times, met


def main() -> int:
    """Print a table; 1 where a bar was missed."""
    options = argparse.ArgumentParser(
        prog="python -m benchmarks.growth", description=__doc__.splitlines()[0]
    )
    options.add_argument("--only", default="", help="cases with this in their names")
    options.add_argument(
        "--missed", action="store_true", help="print those alone that missed their bar"
    )
    chosen = options.parse_args()
    warnings.simplefilter("ignore")
    print("| input | n | ms at n, 2n, ... 16n | times a doubling | n a second | |")
    print("|---|---|---|---|---|---|")
    missed = count = 0
    for case in cases():
        if chosen.only not in case.name:
            continue
        sizes, times, met = growth(case)
        count += 1
        missed += not met
        if met and chosen.missed:
            continue
        ms = ", ".join(f"{t * 1000:.0f}" for t in times)
        ratios = ", ".join(f"{b / max(a, 1e-6):.1f}" for a, b in pairwise(times))
        speed = sizes[-1] / max(times[-1], 1e-6)
        print(
            f"| {case.name} | {sizes[0]:,} | {ms} | {ratios} | {speed:,.0f} | "
            f"{'met' if met else 'MISSED'} |",
            flush=True,
        )
    print(f"\n{count - missed} of {count} met their bar")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
