"""Labelled runs, and what the evidence says of each."""

from __future__ import annotations

import csv
import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from gandoctor import api, diagnose, rulebook
from gandoctor.errors import GandoctorError
from gandoctor.model.belief import Sign

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

FEWEST = 20  # points of a log that can be told


@dataclass(frozen=True)
class Labelled:
    """One run, how it ended, and whose it is.

    Attributes
    ----------
    source : str
        ``zoo``, ``pictures``, ``real``: what it is counted as.
    group : str
        Code base, or the run itself: what is left out together.
    """

    id: str
    path: str
    failed: bool
    source: str
    group: str


@dataclass(frozen=True)
class Seen:
    """A labelled run and its signs."""

    run: Labelled
    signs: tuple[Sign, ...]


def zoo(folder: Path, source: str = "zoo") -> Iterator[Labelled]:
    """Runs of a zoo: ``labels.csv`` with id and outcome, ``runs/<id>``.

    Pictures between good and bad have no outcome to learn from: bars stand further apart there.
    """
    with (folder / "labels.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if source == "pictures" and row["borderline"] == "1":
                continue
            path = str(folder / "runs" / row["id"])
            yield Labelled(row["id"], path, row["outcome"] == "failed", source, row["id"])


def corpus(folder: Path, ids: frozenset[str] | None) -> Iterator[Labelled]:
    """Real logs: ``INDEX.csv`` with id, path, repo, verdict and n_points.

    `unknown` ones and short ones left out.
    """
    with (folder / "INDEX.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if row["verdict"] == "unknown" or int(row["n_points"] or 0) < FEWEST:
                continue
            if ids is None or row["id"] in ids:
                path = str(folder / row["path"])
                group = (row["repo"] or row["id"]).lower()
                yield Labelled(row["id"], path, row["verdict"] != "healthy", "real", group)


@cache
def shelf() -> rulebook.Shelf:
    """The rules as they are."""
    return rulebook.Shelf([rulebook.default_folder()])


def signs(path: str) -> tuple[Sign, ...]:
    """What the evidence says of a run; of several, of the one with most points."""
    try:
        runs = api.read(path)
    except GandoctorError:
        return ()
    run = max(runs, key=lambda r: sum(len(s) for s in r.signals))
    seen = diagnose.examine(run, shelf())
    frames = {network: diagnose.frame_of(run, network) for network in diagnose.networks(run)}
    return tuple(diagnose.signs_of(run, shelf().judging.measures, seen.answers, frames))


def gather(runs: Sequence[Labelled], jobs: int) -> list[Seen]:
    """Look at every run."""
    with ProcessPoolExecutor(jobs) as pool:
        found = pool.map(signs, [r.path for r in runs], chunksize=4)
        return [Seen(run, seen) for run, seen in zip(runs, found, strict=True)]


def save(seen: Sequence[Seen], path: Path) -> None:
    """Keep what was seen, so that fitting anew needs no reading."""
    rows: list[Any] = [
        [vars(s.run), [[x.evidence, x.group, x.parts, x.text, x.symptom] for x in s.signs]]
        for s in seen
    ]
    path.write_text(json.dumps(rows))


def kept(path: Path) -> list[Seen]:
    """What `save` kept."""
    out = []
    for run, rows in json.loads(path.read_text()):
        made = tuple(
            Sign(e, g, tuple(((k[0], k[1], int(k[2])), float(v)) for k, v in parts), text, symptom)
            for e, g, parts, text, symptom in rows
        )
        out.append(Seen(Labelled(**run), made))
    return out
