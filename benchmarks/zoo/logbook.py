"""What a training leaves behind.

Scalars as TensorBoard events, CSV or JSONL, and the config beside them.
"""

from __future__ import annotations

import csv
import functools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Row = Mapping[str, float]

# The clock of event files: fixed, so that the same command writes the same bytes.
EPOCH: Final = 1_700_000_000.0
SECONDS_PER_STEP: Final = 0.01


@functools.cache
def styles() -> dict[str, dict[str, str]]:
    """Style -> signal -> tag, from ``tags.yaml``."""
    loaded: dict[str, dict[str, str]] = yaml.safe_load(
        (Path(__file__).parent / "tags.yaml").read_text("utf-8")
    )
    return loaded


def write(rows: list[tuple[int, Row]], out: Path, form: str, style: str) -> Path:
    """Write logged scalars.

    Parameters
    ----------
    rows : list of (step, signal -> value)
        Signals may be absent from a row.
    out : Path
        Folder of the run.
    form : str
        ``tensorboard``, ``csv`` or ``jsonl``.
    style : str
        A style of ``tags.yaml``.
    """
    tags = styles()[style]
    named = [(step, {tags[signal]: value for signal, value in row.items()}) for step, row in rows]
    return _WRITERS[form](named, out)


def _csv(rows: list[tuple[int, Row]], out: Path) -> Path:
    columns = list(dict.fromkeys(tag for _, row in rows for tag in row))
    path = out / "metrics.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["step", *columns])
        writer.writerows(
            [step, *(f"{row[c]:.6g}" if c in row else "" for c in columns)] for step, row in rows
        )
    return path


def _jsonl(rows: list[tuple[int, Row]], out: Path) -> Path:
    path = out / "log.jsonl"
    lines = (
        json.dumps({"step": step, **{tag: float(f"{v:.6g}") for tag, v in row.items()}})
        for step, row in rows
    )
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return path


def _tensorboard(rows: list[tuple[int, Row]], out: Path) -> Path:
    from tensorboardX.proto.event_pb2 import Event  # noqa: PLC0415
    from tensorboardX.proto.summary_pb2 import Summary  # noqa: PLC0415
    from tensorboardX.record_writer import RecordWriter  # noqa: PLC0415

    path = out / f"events.out.tfevents.{EPOCH:.0f}.zoo.1.0"
    path.unlink(missing_ok=True)
    # Not SummaryWriter: that puts the host's name and the time into the file.
    file: Any = RecordWriter(str(path))
    file.write(Event(wall_time=EPOCH, file_version="brain.Event:2").SerializeToString())
    for step, row in rows:
        for tag, value in row.items():
            summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
            event = Event(wall_time=EPOCH + SECONDS_PER_STEP * step, step=step, summary=summary)
            file.write(event.SerializeToString())
    file.close()
    return path


_WRITERS: Final[dict[str, Callable[[list[tuple[int, Row]], Path], Path]]] = {
    "csv": _csv,
    "jsonl": _jsonl,
    "tensorboard": _tensorboard,
}
