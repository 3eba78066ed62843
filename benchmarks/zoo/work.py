"""Many runs, one after the other or in several processes."""

from __future__ import annotations

import concurrent.futures
import json
import multiprocessing
import shutil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from benchmarks.zoo.plan import Job


def train_all(
    jobs: Sequence[Job], folder: Path, processes: int
) -> Iterator[tuple[Job, dict[str, Any]]]:
    """Train runs into `folder`; yields each with its truth as it is done."""
    if processes == 1:
        yield from ((job, train_one(job, folder)) for job in jobs)
        return
    spawn = multiprocessing.get_context("spawn")  # a fork of a process that has used torch may hang
    with concurrent.futures.ProcessPoolExecutor(processes, mp_context=spawn) as pool:
        waiting = {pool.submit(train_one, job, folder): job for job in jobs}
        for future in concurrent.futures.as_completed(waiting):
            yield waiting[future], future.result()


def train_one(job: Job, folder: Path) -> dict[str, Any]:
    """Train one run, over whatever a stopped training left."""
    shutil.rmtree(folder / job.name, ignore_errors=True)
    return job.run(folder)


def judge_again(folder: Path) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Judge every run of a folder anew from its kept measurements.

    Yields name, truth before, truth now.
    """
    from benchmarks.zoo import config as settings  # noqa: PLC0415  (torch)
    from benchmarks.zoo import data, measure, train  # noqa: PLC0415

    for path in sorted(folder.glob("*.truth.json")):
        before = json.loads(path.read_text("utf-8"))
        out = folder / before["run"]
        config = settings.read(next(out.glob("config.*")))
        dataset = data.load(config["data.name"], 100, config["seed"])
        now = before | measure.again(before, config, dataset).as_dict()
        train.write_truth(now, out)
        yield before["run"], before, now
