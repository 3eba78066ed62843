"""Is the probe right? ``python -m benchmarks.probe.zoo RUNS [COUNT]`` trains runs, and probes them.

So many runs of the test split by lot, a third of them without a fault, are trained into RUNS with
their checkpoints kept (what is there already stays); each is probed. Of a failed run the first
diagnosis counts as true where one of its symptoms was measured: the probe should confirm it, or
refute it where it is false. Of a healthy one an accusation that the log did not make is an error.
"""

from __future__ import annotations

import random
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from benchmarks.zoo import config as settings
from benchmarks.zoo import data as datasets
from benchmarks.zoo import networks, plan, reports
from benchmarks.zoo.score import share
from gandoctor.errors import GandoctorError
from gandoctor.probe import Probe, Wishes, run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gandoctor.model.report import Report
    from gandoctor.probe.weights import Checkpoint


def build(checkpoint: Checkpoint, run: Path) -> Probe:
    """The players of a run of the zoo."""
    config = settings.read(next(run.glob("config.*")))
    data = datasets.load(config["data.name"], config["data.samples"], config["seed"])
    G = networks.generator(config, data.dim)
    D = networks.discriminator(config, data.dim)
    checkpoint.load(G, "G")
    checkpoint.load(D, "D")
    low, high = config["data.low"], config["data.high"]

    def to_gan(x: Any) -> torch.Tensor:
        return low + (torch.tensor(x, dtype=torch.float32) + 1) / 2 * (high - low)

    return Probe(
        G,
        D,
        real=to_gan(data.train[:2000]),
        held_out=to_gan(data.held_out),
        latent=config["latent_dim"],
        loss=config["loss.name"],
    )


def trained(out: Path, count: int) -> None:
    """Train what is missing."""
    jobs = plan.jobs("test")
    random.Random(18).shuffle(jobs)
    faulty = [j for j in jobs if j.fault][: count - count // 3]
    sound = [j for j in jobs if not j.fault][: count // 3]
    for job in [*faulty, *sound]:
        if not (out / f"{job.name}.truth.json").exists():
            replace(job, config=job.config | {"log.checkpoints": True}).run(out)


def probed(out: Path) -> Iterator[dict[str, Any]]:
    """What the probe says of every run, beside the truth."""
    torch.set_num_threads(1)
    wishes = Wishes(entry=f"{__file__}:build", device="cpu")
    for truth in reports.truths(out):
        try:
            report = run(out / truth["run"], wishes)
        except GandoctorError as e:  # it broke before a checkpoint was kept
            print(f"{truth['run']}: {e}", file=sys.stderr)
            continue
        yield told(report, truth)


def told(report: Report, truth: dict[str, Any]) -> dict[str, Any]:
    """What a probed run's report says of the log's first diagnosis, beside the truth."""
    note = report.probe
    assert note is not None
    first = note.tested[0] if note.tested else None
    accused = [v in ("failing", "warning") for v in (note.verdict_before, report.verdict)]
    return {
        "run": truth["run"],
        "failed": truth["outcome"] == "failed",
        "true": first is not None and bool(set(first.symptoms) & set(truth["symptoms"])),
        "outcome": first.outcome if first else "",
        "new": accused[1] and not accused[0],
        "gone": accused[0] and not accused[1],
        "seconds": note.seconds,
    }


def figures(found: Sequence[dict[str, Any]]) -> str:
    """How often the probe was right."""
    failed = [f for f in found if f["failed"] and f["outcome"]]
    sound = [f for f in found if not f["failed"]]
    wanted = {True: "confirmed", False: "refuted"}
    right = [f["outcome"] == wanted[f["true"]] for f in failed]
    of_true = [r for f, r in zip(failed, right, strict=True) if f["true"]]
    of_false = [r for f, r in zip(failed, right, strict=True) if not f["true"]]
    return "\n".join(
        [
            f"{len(found)} runs, {len(failed)} of them failed and diagnosed by the log",
            f"true and confirmed, or false and refuted  {share(right)}",
            f"  true, and confirmed                     {share(of_true)}",
            f"  false, and refuted                      {share(of_false)}",
            f"healthy, no new accusation                {share(not f['new'] for f in sound)}",
            f"the longest took {max(f['seconds'] for f in found):.1f} s",
        ]
    )


def main(out: str, count: str = "42") -> int:
    """Command line."""
    place = Path(out)
    place.mkdir(parents=True, exist_ok=True)
    trained(place, int(count))
    found = list(probed(place))
    print(figures(found))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:3]))
