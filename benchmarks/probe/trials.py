"""Do short trials pick the cure? ``python -m benchmarks.probe.trials RUNS OUT.json [LIMIT]``.

Failed runs of the zoo (a folder with their truths, as ``python -m benchmarks.zoo run`` makes
it) are tried as ``gandoctor probe --train`` does it, in this process; then every prescription that
was tried, and the random edit, is trained whole, on up to three seeds: the majority decides.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.zoo import config as settings
from benchmarks.zoo import cure, train
from benchmarks.zoo.score import share
from gandoctor import api, trials
from gandoctor.trials import arms as ways
from gandoctor.trials.commands import Ended

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gandoctor.trials.commands import Task


def in_process(tasks: Sequence[Task], jobs: int, until: float) -> Iterator[Ended]:
    """As `commands.run_all`, without the seconds that every process takes to load torch."""
    for task in tasks:
        begun = time.monotonic()
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = train.main(["--config", str(task.config), "--out", str(task.out)])
        yield Ended(task, code, time.monotonic() - begun, said.getvalue())


def cures(text: str, name: str, config: settings.Config, seeds: int = 3) -> bool:
    """Whether a config cures on whole trainings, by the majority of seeds."""
    path = Path(name)
    import tempfile  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / path.name
        file.write_text(text, "utf-8")
        try:
            patched = settings.read(file)
        except ValueError:
            return False
    won = lost = 0
    for i in range(seeds):
        told = cure.retrain(patched | {"seed": config["seed"] + cure.OTHER_SEED * i})
        won, lost = won + (told["outcome"] == "healthy"), lost + (told["outcome"] != "healthy")
        if 2 * max(won, lost) > seeds:
            break
    return won > lost


def one(run: Path) -> dict[str, Any]:
    """The trials of one run, and the truth about each arm."""
    begun = time.process_time()
    command = "zoo --config {config} --out {out}"
    wishes = trials.Wishes(train=command, budget=3600)
    report = trials.run(run, wishes, train=in_process)
    note = report.trials
    assert note is not None
    tried = time.process_time() - begun
    case = next(iter(api.cases(run)))
    name = ways.config_of(case.report(), case.run)
    arms, _ = ways.arms_of(case.report(), case.run, case.raw.root, name, wishes.patches)
    config = settings.read(run / name)
    truth = {a.name: cures(a.text, name, config) for a in arms if a.name != "unchanged"}
    own = [a for a in note.arms if a.number]
    return {
        "run": run.name,
        "judge": note.judge,
        "cpu_seconds": round(tried, 1),
        "trained": note.trained,
        "pick": str(own[0].number) if own else "",
        "outcomes": {str(a.number): a.outcome for a in own},
        "cures": truth,
    }


def figures(found: Sequence[dict[str, Any]]) -> str:
    """The shares, each with its interval and count."""
    some = [f for f in found if any(v for k, v in f["cures"].items() if k.isdigit())]
    tried = [(f["outcomes"][k], v) for f in found for k, v in f["cures"].items() if k.isdigit()]
    lines = [
        f"{len(found)} failed runs, a prescription among the first three cures {len(some)} of them",
        f"the pick of the trials cures  {share(f['cures'].get(f['pick'], False) for f in some)}",
        f"the first prescription cures  {share(f['cures'].get('1', False) for f in some)}",
        f"the random edit cures         {share(f['cures'].get('random', False) for f in some)}",
        f"of those refuted, cure none   {share(not v for o, v in tried if o == 'refuted')}",
        f"of those supported, cure      {share(v for o, v in tried if o == 'supported')}",
    ]
    return "\n".join(lines)


def main(runs: str, out: str, limit: str = "6") -> int:
    """Failed runs by lot, always the same ones; goes on where it was stopped."""
    kept = Path(out)
    found = json.loads(kept.read_text("utf-8")) if kept.exists() else []
    known = {f["run"] for f in found}
    truths = [json.loads(p.read_text("utf-8")) for p in Path(runs).glob("*.truth.json")]
    failed = [t for t in truths if t["outcome"] == "failed"]
    chosen = sorted((t["run"] for t in failed), key=cure._lot)[: int(limit)]
    for name in chosen:
        if name in known:
            continue
        found.append(one(Path(runs) / name))
        kept.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
        print(json.dumps(found[-1]), flush=True)
    print(figures(found))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:4]))
