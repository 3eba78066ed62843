"""Trainings of the zoo as forks of a process that has torch: as commands, but for the loading."""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gandoctor.trials.commands import PAUSE, Ended

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gandoctor.trials.commands import Task


def ready() -> None:
    """Load torch, and use nothing of it that has threads."""
    import torch  # noqa: PLC0415

    torch.set_num_threads(1)
    torch.optim.Adam([torch.zeros(1, requires_grad=True)])  # loads a compiler


def run_all(tasks: Sequence[Task], jobs: int, until: float) -> Iterator[Ended]:
    """As `gandoctor.trials.commands.run_all`."""
    waiting = list(tasks)
    running: list[tuple[Task, Any, float]] = []
    fork = multiprocessing.get_context("fork")
    try:
        while waiting or running:
            late = time.monotonic() >= until
            if late:
                waiting.clear()
            done = [e for e in running if late or not e[1].is_alive()]
            while waiting and len(running) - len(done) < jobs:
                task = waiting.pop(0)
                process = fork.Process(target=_trained, args=(task,))
                process.start()
                running.append((task, process, time.monotonic()))
            for entry in done:
                running.remove(entry)
                task, process, begun = entry
                code = process.exitcode
                _stop(process)
                yield Ended(task, code, time.monotonic() - begun, "")
            time.sleep(PAUSE)
    finally:
        for _, process, _ in running:
            _stop(process)


def _trained(task: Task) -> None:
    at = task.words.index("-m")
    module = importlib.import_module(task.words[at + 1])
    with (
        Path(os.devnull).open("w", encoding="utf-8") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
    ):
        code = module.main(task.words[at + 2 :])
    os._exit(code)


def _stop(process: Any) -> None:
    if process.is_alive():
        process.kill()
    process.join()
