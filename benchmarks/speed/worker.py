"""One measurement in a process of its own; prints one line of JSON.

``python worker.py READER PATH`` times a read alone, after all imports;
``python worker.py command ARGV`` (a JSON list) a whole command, from this small process: what a
child is said to have had in memory includes what its parent had. Self-contained, as other
interpreters run it too.
"""
# ruff: noqa: PLC0415  every reader imports its own library, and it alone

from __future__ import annotations

import importlib
import json
import os
import re
import resource
import subprocess
import sys
import time
from pathlib import Path


def _files(path: str) -> list[Path]:
    place = Path(path)
    return sorted(p for p in place.rglob("*") if p.is_file()) if place.is_dir() else [place]


def floor(path: str) -> int:
    """Reading the bytes."""
    return sum(len(p.read_bytes()) for p in _files(path))


def gandoctor(path: str) -> int:
    parser = importlib.import_module(f"gandoctor.parsers.formats.{_parser_of(path)}")
    total = 0
    for file in _files(path):
        reading = parser.read(file)
        assert reading.lost is None, reading.lost
        total += sum(len(signal) for signal in reading.signals)
    return total


def _parser_of(path: str) -> str:
    return {".wandb": "wandb", ".csv": "csv"}.get(_files(path)[0].suffix, "tensorboard")


def tbparse(path: str) -> int:
    from tbparse import SummaryReader

    return len(SummaryReader(path, event_types={"scalars"}).scalars)


def tbparse_tensors(path: str) -> int:
    from tbparse import SummaryReader

    return len(SummaryReader(path, event_types={"tensors"}).tensors)


def pandas(path: str) -> int:
    import pandas as pd

    table = pd.read_csv(path)
    return int(table.shape[0] * (table.shape[1] - 1))


def datastore(path: str) -> int:
    """The reader of wandb 0.29 itself: records, messages, values."""
    from wandb.proto import wandb_internal_pb2
    from wandb.sdk.internal.datastore import DataStore

    store = DataStore()
    store.open_for_scan(path)
    columns: dict[str, list[float]] = {}
    while (data := store.scan_data()) is not None:
        record = wandb_internal_pb2.Record()
        record.ParseFromString(data)
        if record.WhichOneof("record_type") == "history":
            for item in record.history.item:
                name = item.key or ".".join(item.nested_key)
                columns.setdefault(name, []).append(json.loads(item.value_json))
    return sum(len(values) for name, values in columns.items() if not name.startswith("_"))


_IMPORTS = {
    "gandoctor": [
        "gandoctor.parsers.formats.tensorboard",
        "gandoctor.parsers.formats.wandb",
        "gandoctor.parsers.formats.csv",
    ],
    "tbparse": ["tbparse"],
    "tbparse_tensors": ["tbparse"],
    "pandas": ["pandas"],
    "datastore": ["wandb.sdk.internal.datastore", "wandb.proto.wandb_internal_pb2"],
}


def _peak() -> float:
    """Most memory that this process ever had, in MiB.

    ru_maxrss would count its parent's as well.
    """
    try:
        found = re.search(
            r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii")
        )
    except OSError:
        found = None
    return (
        int(found[1]) / 1024 if found else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    )


def command(argv: list[str]) -> dict[str, float]:
    """Wall and CPU seconds and peak MiB of a whole command."""
    started = time.perf_counter()
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    return {
        "wall": wall,
        "cpu": usage.ru_utime + usage.ru_stime,
        "peak": usage.ru_maxrss / 1024,
        "code": process.returncode,
    }


def main() -> None:
    reader, path = sys.argv[1:]
    if reader == "command":
        print(json.dumps(command(json.loads(path))))
        return
    for module in _IMPORTS.get(reader, []) + (["pandas"] if path.endswith(".csv") else []):
        importlib.import_module(module)
    before = _peak()
    cpu, wall = time.process_time(), time.perf_counter()
    points = globals()[reader](path)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(
        json.dumps({"cpu": cpu, "wall": wall, "points": points, "peak": _peak(), "before": before})
    )
    sys.stdout.flush()
    os._exit(0)  # readers with much in memory take seconds to tear it down


if __name__ == "__main__":
    main()
