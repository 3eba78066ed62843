"""``python -m benchmarks.zoo.pictures``: train the picture zoo, write its logs, release it."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.zoo.pictures import crew, plan

if TYPE_CHECKING:
    from collections.abc import Iterable

ZOO: Final = Path.home() / ".cache" / "gandoctor-zoo" / "pictures"


def main(argv: Iterable[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.zoo.pictures", description=__doc__)
    commands = parser.add_subparsers(required=True)
    _add_train(commands)
    _add_unpack(commands)
    given = parser.parse_args(None if argv is None else list(argv))
    return int(given.run(given))


def _add_train(commands: Any) -> None:
    command = commands.add_parser("train", help="train; goes on where it was stopped")
    command.add_argument("--half", choices=(*plan.HALVES, "all"), default="all")
    command.add_argument("--tasks", type=Path, help="file of tasks to train instead, as JSON")
    command.add_argument("--jobs", type=int, default=1, help="processes, of one thread each")
    command.add_argument("--device", default="cpu", help="cpu or cuda")
    command.add_argument("--budget", type=float, default=1e9, help="seconds, packing left out")
    command.add_argument("--limit", type=int, help="only so many runs, by lot")
    command.add_argument("--steps", type=int, help="only so many iterations, to try it out")
    command.add_argument("--records", type=Path, default=ZOO / "records")
    command.add_argument("--sets", type=Path, default=ZOO / "sets")
    command.add_argument("--no-weights", action="store_true", help="keep no last state of the nets")
    command.add_argument("--out", type=Path, help="folder for the packed records")
    command.set_defaults(run=_train)


def _train(given: argparse.Namespace) -> int:
    begun = time.time()
    tasks = json.loads(given.tasks.read_text("utf-8")) if given.tasks else plan.tasks(given.half)
    tasks = tasks[: given.limit]
    if given.steps:
        for task in tasks:
            task["settings"] |= {"iterations": given.steps}
    shared = given.device.startswith("cuda") and crew.share_gpu()
    place = crew.Place(
        given.records, given.sets, given.device, begun + given.budget, not given.no_weights
    )
    try:
        crew.train(tasks, place, given.jobs)
    finally:
        if shared:
            crew.unshare_gpu()
        if given.out:
            crew.pack(tasks, given.records, given.out)
    return 0


def _add_unpack(commands: Any) -> None:
    command = commands.add_parser("unpack", help="take packed records apart")
    command.add_argument("packs", type=Path)
    command.add_argument("--records", type=Path, default=ZOO / "records")
    command.set_defaults(run=lambda given: _unpack(given.packs, given.records))


def _unpack(packs: Path, records: Path) -> int:
    print(f"{crew.unpack(packs, records)} files in {records}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
