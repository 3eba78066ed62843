"""Fuzz the readers: ``python -m benchmarks.fuzz --inputs 20000``.

Every input is read in this process, under three bounds: only `GandoctorError` may come out, within
a time, within a multiple of the file's size in memory. Memory is measured on one input in 50, as
measuring it is slow.
"""

from __future__ import annotations

import argparse
import importlib
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
import tracemalloc
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.fuzz.mutate import mutated
from benchmarks.fuzz.seeds import FORMATS
from gandoctor.errors import GandoctorError

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS = 5.0  # CPU time a file may take
# Bytes a reading may take: so many, and so many times the file.
MEMORY_BASE, MEMORY_TIMES = (
    32 << 20,
    40,
)
MEMORY_EVERY = 50


class HangError(BaseException):
    """Too long over one file."""


@dataclass
class Tally:
    """What became of the inputs of one format."""

    inputs: int = 0
    read: int = 0
    with_loss: int = 0
    refused: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    slowest: float = 0.0
    memory: float = 0.0

    def fail(self, what: str, detail: str) -> None:
        self.failures[what] += 1
        self.examples.setdefault(what, detail)


def fuzz(name: str, inputs: int, seed: int, keep: Path | None = None) -> Tally:
    """Put `inputs` files of one format before its reader."""
    module, filename, make = FORMATS[name]
    parser = importlib.import_module(
        module if "." in module else f"gandoctor.parsers.formats.{module}"
    )
    seeds = make()
    rng = random.Random(f"{name} {seed}")
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / filename
        for sound in seeds:
            path.write_bytes(sound)
            _one(parser, path, tally, sound, measure=True)
        for k in range(inputs):
            data = mutated(seeds, rng, binary=name)
            path.write_bytes(data)
            before = sum(tally.failures.values())
            _one(parser, path, tally, data, measure=k % MEMORY_EVERY == 0)
            if keep and sum(tally.failures.values()) > before:
                keep.mkdir(parents=True, exist_ok=True)
                (keep / f"{name}-{k}-{filename}").write_bytes(data)
    tally.inputs = inputs
    return tally


def _one(parser: Any, path: Path, tally: Tally, data: bytes, *, measure: bool) -> None:
    if measure:
        tracemalloc.start()
    started = time.process_time()
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        sure = parser.sniff(path, data[: 1 << 16])
        if not 0.0 <= sure <= 1.0:
            tally.fail("sniff out of range", repr(sure))
        readers: list[Callable[[Path], Any]] = [parser.read]
        if hasattr(parser, "read_runs"):
            readers.append(parser.read_runs)
        for reader in readers:
            got = reader(path)
        tally.read += 1
        tally.with_loss += getattr(got, "lost", None) is not None
        _check(got, tally)
    except GandoctorError:
        tally.refused += 1
    except HangError:
        tally.fail("hang", "".join(traceback.format_exc(limit=-3)))
    except Exception as error:
        tally.fail(type(error).__name__, "".join(traceback.format_exc(limit=-3)))
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        if measure:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            tally.memory = max(tally.memory, peak)
            if peak > MEMORY_BASE + MEMORY_TIMES * len(data):
                tally.fail("memory", f"{peak:,} bytes for a file of {len(data):,}")
    if not measure:
        tally.slowest = max(tally.slowest, time.process_time() - started)


def _check(reading: Any, tally: Tally) -> None:
    """What holds for every reading."""
    for signal_ in getattr(reading, "signals", ()):
        if len(signal_.steps) != len(signal_.values):
            tally.fail("ragged signal", signal_.tag)
        if (signal_.steps[1:] < signal_.steps[:-1]).any():
            tally.fail("falling steps", f"{signal_.tag}: {signal_.steps[:20]}")


def _stop(_number: int, _frame: object) -> None:
    raise HangError


def main() -> int:
    """Run, print a table, fail where a reader did."""
    options = argparse.ArgumentParser(
        prog="python -m benchmarks.fuzz", description=__doc__.splitlines()[0]
    )
    options.add_argument("--inputs", type=int, default=20_000, help="files a format")
    options.add_argument("--seed", type=int, default=0)
    options.add_argument(
        "--formats", default="event,wandb,csv,text", help=f"of {','.join(FORMATS)}"
    )
    options.add_argument("--keep", type=Path, help="folder for the inputs that a reader failed on")
    chosen = options.parse_args()
    signal.signal(signal.SIGPROF, _stop)
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, resource.getrlimit(resource.RLIMIT_AS)[1]))
    failed = False
    print(
        "| format | inputs | read | of these with loss | refused | failures | slowest | peak "
        "memory |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for name in chosen.formats.split(","):
        tally = fuzz(name, chosen.inputs, chosen.seed, chosen.keep)
        failures = ", ".join(f"{count} {what}" for what, count in tally.failures.items()) or "0"
        print(
            f"| {name} | {tally.inputs:,} | {tally.read:,} | {tally.with_loss:,} | "
            f"{tally.refused:,} | {failures} "
            f"| {tally.slowest * 1000:.0f} ms | {tally.memory / 2**20:.1f} MiB |",
            flush=True,
        )
        for what, detail in tally.examples.items():
            failed = True
            print(f"{name}: {what}\n{detail}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
