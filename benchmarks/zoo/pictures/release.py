"""What is kept of the picture zoo in the repository: what its logs are written from, no weights.

A release is one file a half. Unpacking it writes logs, configs and labels, always the same, and
needs neither training nor torch.
"""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.zoo.pictures import data, houses, labels, records

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

RELEASES: Final = Path(__file__).parent.parent / "releases"


def path(half: str, folder: Path = RELEASES) -> Path:
    """Where the release of a half is."""
    return folder / f"pictures-{half}.zip"


def make(every: Iterable[records.Record], sets: Path, half: str, folder: Path = RELEASES) -> int:
    """Judge the records of a half and keep what their logs need; how many there are."""
    drawn: dict[str, data.Pictures] = {}
    count = 0
    with (
        zipfile.ZipFile(path(half, folder), "w") as file,
        tempfile.TemporaryDirectory() as place,
    ):
        for record in sorted(every, key=lambda r: r.name):
            if record.about["half"] != half or not record.moments:
                continue
            name = record.settings["data.name"]
            drawn[name] = drawn.get(name) or data.load(name, sets)
            labels.judged(record, drawn[name])
            told = houses.write(record, Path(place) / "run")
            kept = records.slim(record, told["used"], pictures=told["told"]["samples"])
            file.writestr(zipfile.ZipInfo(record.name + records.SUFFIX), records.dumped(kept))
            count += 1
    return count


def read(half: str, folder: Path = RELEASES) -> Iterator[records.Record]:
    """The records of a release."""
    with zipfile.ZipFile(path(half, folder)) as file:
        for name in file.namelist():
            yield records.load(io.BytesIO(file.read(name)))


def one(half: str, name: str, folder: Path = RELEASES) -> records.Record:
    """One record of a release."""
    with zipfile.ZipFile(path(half, folder)) as file:
        return records.load(io.BytesIO(file.read(name + records.SUFFIX)))
