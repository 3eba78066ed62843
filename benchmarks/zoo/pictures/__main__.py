"""``python -m benchmarks.zoo.pictures``: train the picture zoo, write its logs, release it."""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

from benchmarks.zoo.pictures import crew, labels, plan, records, release, settings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

ZOO: Final = Path.home() / ".cache" / "gandoctor-zoo" / "pictures"
BARS_HEAD: Final = """\
# What fault-free runs of a data set reach at their end, by kind of task: what others are judged by.
# Written by `python -m benchmarks.zoo.pictures bars`.
"""


def main(argv: Iterable[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.zoo.pictures", description=__doc__)
    commands = parser.add_subparsers(required=True)
    for add in (
        _add_train,
        _add_unpack,
        _add_bars,
        _add_release,
        _add_write,
        _add_score,
        _add_cures,
        _add_sheet,
        _add_bare,
    ):
        add(commands)
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
    tasks = [task for task in tasks if task["name"]][: given.limit]  # no name: nothing to train
    for task in tasks:
        task["settings"] = settings.make(task["settings"])
        if given.steps:
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


def _records(folder: Path, *, weights: bool = False) -> Iterator[records.Record]:
    for path in sorted(folder.glob(f"*{records.SUFFIX}")):
        yield records.load(path, path.with_suffix(".npz") if weights else None)


def _add_bars(commands: Any) -> None:
    command = commands.add_parser("bars", help="what fault-free runs reach, into bars.yaml")
    command.add_argument("--records", type=Path, default=ZOO / "records")
    command.set_defaults(run=_bars)


def _bars(given: argparse.Namespace) -> int:
    from benchmarks.zoo.pictures import judge  # noqa: PLC0415  (torch)

    every = (r for r in _records(given.records) if r.about["half"] in plan.HALVES)
    text = yaml.safe_dump(judge.reached(every), sort_keys=True)
    judge.BARS.write_text(f"{BARS_HEAD}{text}", "utf-8")
    print(text, end="")
    return 0


def _add_release(commands: Any) -> None:
    command = commands.add_parser("release", help="judge trained runs and keep them in small")
    command.add_argument("--half", choices=plan.HALVES, required=True)
    command.add_argument("--records", type=Path, default=ZOO / "records")
    command.add_argument("--sets", type=Path, default=ZOO / "sets")
    command.set_defaults(run=_release)


def _release(given: argparse.Namespace) -> int:
    count = release.make(_records(given.records), given.sets, given.half)
    path = release.path(given.half)
    print(f"{count} runs in {path}, {path.stat().st_size / 1e6:.1f} MB")
    return 0


def _add_write(commands: Any) -> None:
    command = commands.add_parser("write", help="logs, configs and labels of the released runs")
    command.add_argument("--half", choices=plan.HALVES, required=True)
    command.add_argument("--into", type=Path, help="folder; ~/.cache/gandoctor-zoo/pictures/HALF")
    command.set_defaults(run=_write)


def _write(given: argparse.Namespace) -> int:
    folder = given.into or ZOO / given.half
    truths = labels.write(release.read(given.half), folder)
    found = Counter(t["outcome"] + " ~" * t["borderline"] for t in truths)
    print(f"{folder}: {len(truths)} runs, {dict(found)}")
    return 0


def _add_score(commands: Any) -> None:
    command = commands.add_parser("score", help="what gandoctor says of a half; `write` it before")
    command.add_argument("--half", choices=plan.HALVES, required=True)
    command.add_argument("--runs", type=Path, help="where `write` put it")
    command.add_argument("--jobs", type=int, default=1)
    command.add_argument("--json", type=Path, help="write the figures here too")
    command.add_argument(
        "--verbose", action="store_true", help="list the runs that are told wrongly"
    )
    command.set_defaults(run=_score)


def _score(given: argparse.Namespace) -> int:
    from benchmarks.zoo import score  # noqa: PLC0415
    from benchmarks.zoo.pictures import figures  # noqa: PLC0415

    folder = (given.runs or ZOO / given.half) / "runs"
    cases = score.load(folder, given.jobs)
    if not cases:
        print(f"no runs in {folder}; `write` unpacks them")
        return 2
    found = figures.figures(cases)
    print(figures.table(found))
    if given.verbose:
        print("\n".join(score.mistakes(cases)))
    if given.json:
        given.json.write_text(json.dumps(score.plain(found), indent=1) + "\n", "utf-8")
    return 0


def _add_cures(commands: Any) -> None:
    command = commands.add_parser("cures", help="do first patches cure failed runs of a half?")
    command.add_argument("--plan", type=Path, help="write the tasks here, for `train --tasks`")
    command.add_argument("--score", type=Path, help="tasks that were trained")
    command.add_argument("--half", choices=plan.HALVES, default="judge")
    command.add_argument("--runs", type=Path, help="where `write` put the half")
    command.add_argument("--records", type=Path, default=ZOO / "records")
    command.add_argument("--sets", type=Path, default=ZOO / "sets")
    command.add_argument("--jobs", type=int, default=1)
    command.add_argument("--json", type=Path, help="write the figures here too")
    command.set_defaults(run=_cures)


def _cures(given: argparse.Namespace) -> int:
    from benchmarks.zoo import score  # noqa: PLC0415
    from benchmarks.zoo.pictures import cures  # noqa: PLC0415  (torch)

    if given.plan:
        folder = (given.runs or ZOO / given.half) / "runs"
        trained = {r.name: r.settings for r in release.read(given.half)}
        tasks = cures.plan(folder, trained, given.jobs)
        given.plan.write_text(json.dumps(tasks) + "\n", "utf-8")
        print(f"{len(tasks)} tasks in {given.plan}")
    if given.score:
        tasks = json.loads(given.score.read_text("utf-8"))
        found = cures.score(tasks, given.records, given.sets)
        told = score.plain(found)
        for part in ("arms", "remedies"):
            print(part)
            for name, value in found[part].items():
                print(f"  {name:36s} {value}")
        print(f"{found['missing']} tasks have not been trained")
        if given.json:
            given.json.write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    return 0


def _add_sheet(commands: Any) -> None:
    command = commands.add_parser("sheet", help="sample grids of many runs on one picture")
    command.add_argument("--half", choices=plan.HALVES, required=True)
    command.add_argument("--first", type=int, default=0)
    command.add_argument("--count", type=int, default=20)
    command.add_argument("--labels", action="store_true", help="say what was measured, too")
    command.add_argument("--records", type=Path, default=ZOO / "records")
    command.add_argument("--into", type=Path, required=True)
    command.set_defaults(run=_sheet)


def _sheet(given: argparse.Namespace) -> int:
    from benchmarks.zoo.pictures import sheet  # noqa: PLC0415

    chosen = [r for r in _records(given.records) if r.about["half"] == given.half and r.moments]
    chosen = chosen[given.first : given.first + given.count]
    sheet.write(chosen, given.into, labels=given.labels)
    print(", ".join(r.name for r in chosen))
    return 0


def _add_bare(commands: Any) -> None:
    command = commands.add_parser("bare", help="losses and last checkpoints alone")
    command.add_argument("--half", choices=plan.HALVES, required=True)
    command.add_argument("--records", type=Path, default=ZOO / "records")
    command.add_argument("--sets", type=Path, default=ZOO / "sets")
    command.add_argument("--into", type=Path, required=True)
    command.set_defaults(run=_bare)


def _bare(given: argparse.Namespace) -> int:
    from benchmarks.zoo.pictures import bare  # noqa: PLC0415  (torch)

    every = _records(given.records, weights=True)
    half = (r for r in every if r.about["half"] == given.half)
    print(f"{bare.write(half, given.sets, given.into)} runs in {given.into}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
