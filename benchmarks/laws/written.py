"""A run that can be written out again: its series, its config and its samples."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from tensorboardX.proto.event_pb2 import Event
from tensorboardX.proto.summary_pb2 import Summary
from tensorboardX.record_writer import RecordWriter

from gandoctor import api, parsers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    Points = tuple[NDArray[np.int64], NDArray[np.float64]]

STYLES: Mapping[str, Mapping[str, str]] = {
    "slash": {
        "d_loss": "loss/d", "g_loss": "loss/g", "d_real_score": "score/real",
        "d_fake_score": "score/fake",
        "grad_norm_d": "grad_norm/d", "grad_norm_g": "grad_norm/g",
        "sample_variance": "samples/variance",
        "gradient_penalty": "loss/gp", "fid": "eval/fid", "val_d_real_score": "score/val_real",
    },
    "dcgan": {
        "d_loss": "errD", "g_loss": "errG", "d_real_score": "D(x)", "d_fake_score": "D(G(z))",
        "grad_norm_d": "grad_norm_D", "grad_norm_g": "grad_norm_G",
        "sample_variance": "sample_variance",
        "gradient_penalty": "GP", "fid": "FID", "val_d_real_score": "D(x_val)",
    },
    "keras": {
        "d_loss": "d_loss", "g_loss": "g_loss", "d_real_score": "real_score",
        "d_fake_score": "fake_score",
        "grad_norm_d": "d_grad_norm", "grad_norm_g": "g_grad_norm",
        "sample_variance": "sample_variance",
        "gradient_penalty": "gradient_penalty", "fid": "fid", "val_d_real_score": "val_real_score",
    },
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Log:
    """The series of a run by tag, what each was understood as, and the folder of the rest."""

    home: Path
    series: Mapping[str, Points]
    roles: Mapping[str, str]
    stretch: int = 1
    until: float = np.inf

    def each(self, change: Callable[[NDArray[np.int64], NDArray[np.float64]], Points]) -> Log:
        return replace(self, series={tag: change(*points) for tag, points in self.series.items()})

    def renamed(self, style: str) -> Log:
        names = {tag: STYLES[style].get(self.roles.get(tag, ""), tag) for tag in self.series}
        return replace(self, series={names[tag]: points for tag, points in self.series.items()})

    def cut(self, last: float) -> Log:
        return replace(self.each(lambda s, v: (s[s <= last], v[s <= last])), until=last)

    def write(self, folder: Path, form: str = "csv") -> Path:
        """Write the log and what lies beside it."""
        folder.mkdir(parents=True)
        WRITERS[form](self.series, folder)
        for file in self.home.glob("config.*"):
            shutil.copy(file, folder)
        for file in self.home.glob("samples/*.npy"):
            stem, _, step = file.stem.partition("_")
            if step and int(step) > self.until:
                continue
            (folder / "samples").mkdir(exist_ok=True)
            name = f"{stem}_{int(step) * self.stretch:06d}.npy" if step else file.name
            shutil.copy(file, folder / "samples" / name)
        return folder


def rows(series: Mapping[str, Points]) -> dict[int, dict[str, float]]:
    table: dict[int, dict[str, float]] = {}
    for tag, (steps, values) in series.items():
        for step, value in zip(steps.tolist(), values.tolist(), strict=True):
            table.setdefault(step, {})[tag] = value
    return dict(sorted(table.items()))


def write_csv(series: Mapping[str, Points], folder: Path, name: str = "metrics.csv") -> None:
    with (folder / name).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["step", *series])
        writer.writerows(
            [step, *(row.get(tag, "") for tag in series)] for step, row in rows(series).items()
        )


def write_jsonl(series: Mapping[str, Points], folder: Path) -> None:
    lines = (json.dumps({"step": step, **row}) for step, row in rows(series).items())
    (folder / "log.jsonl").write_text("\n".join(lines), "utf-8")


def write_tensorboard(
    series: Mapping[str, Points], folder: Path, start: int = 1_700_000_000
) -> None:
    file = RecordWriter(str(folder / f"events.out.tfevents.{start}.host.1.0"))
    file.write(Event(wall_time=start, file_version="brain.Event:2").SerializeToString())
    for step, row in rows(series).items():
        for tag, value in row.items():
            summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
            file.write(
                Event(wall_time=start + step, step=step, summary=summary).SerializeToString()
            )
    file.close()


WRITERS: Mapping[str, Callable[[Mapping[str, Points], Path], None]] = {
    "csv": write_csv, "jsonl": write_jsonl, "tensorboard": write_tensorboard,
}  # fmt: skip


@cache
def log(home: Path) -> Log:
    """The log of a run that lies in a folder, with what its tags were understood as."""
    raw = parsers.discover(home)[0]
    signals = api.read(home)[0].signals
    understood = {s.tag: f"val_{s.role}" if s.split == "val" else str(s.role) for s in signals}
    series = {s.tag: (s.steps, s.values) for s in raw.signals}
    return Log(home, series, {tag: understood[tag] for tag in series if tag in understood})
