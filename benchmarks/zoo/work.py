"""Many runs, one after the other or in several processes."""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import shutil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from benchmarks.zoo.plan import Job


def train_all(jobs: Sequence[Job], folder: Path, processes: int) -> Iterator[tuple[Job, dict[str, Any]]]:
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
