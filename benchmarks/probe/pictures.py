"""Is the probe right on pictures? ``python -m benchmarks.probe.pictures RUNS RECORDS --sets S``.

RUNS are logs and truths of a half, as ``python -m benchmarks.zoo.pictures write`` makes them,
RECORDS what their trainings left, with the players' last state (``NAME.npz``). Each run with both
is probed, and counted as in `benchmarks.probe.zoo`; borderline ones are left out. With ``--out``
it goes on from what is known there.
"""

from __future__ import annotations

import argparse
import functools
import json
import multiprocessing
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from benchmarks.probe import zoo
from benchmarks.probe.trials import add, lines
from benchmarks.zoo import reports
from benchmarks.zoo.pictures import data as drawn
from benchmarks.zoo.pictures import networks, records, settings
from benchmarks.zoo.pictures.measure import unit
from benchmarks.zoo.pictures.train import MISSING
from gandoctor.errors import GandoctorError
from gandoctor.probe import Probe, Wishes, run

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor

    from gandoctor.probe.data import Data
    from gandoctor.probe.weights import Checkpoint

ROWS = 1024


class Blind(nn.Module):
    """D that is not shown what G was given."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor, *_: Tensor) -> Tensor:
        """Scores of x."""
        found: Tensor = self.net(x)
        return found


@functools.cache
def _pictures(name: str, sets: Path) -> drawn.Pictures:
    return drawn.load(name, sets)


def build(checkpoint: Checkpoint, data: Data) -> Probe:
    """The players of a picture run: its settings lie beside its weights, the pictures in `data`."""
    assert data.path is not None
    c = settings.make(records.load(checkpoint.files[0].with_suffix(records.SUFFIX)).settings)
    pictures = _pictures(c["data.name"], data.path)
    shape = (pictures.channels, pictures.size, pictures.classes)
    G, D = networks.generator(c, *shape), networks.discriminator(c, *shape)
    checkpoint.load(G, "G")
    checkpoint.load(D, "D")

    def to_gan(x: Tensor) -> Tensor:
        return c["data.low"] + (x + 1) / 2 * (c["data.high"] - c["data.low"])

    held_out = unit(pictures.held_out)
    if c["task"] != "generation":
        given: Tensor = torch.as_tensor(pictures.held_out_labels)
        if c["task"] != "conditional":
            given = to_gan(_given(held_out, c["task"]))
        seeing = c["task"] in ("conditional", "translation")
        return Probe(
            G,
            D if seeing else Blind(D),
            real=to_gan(held_out),
            condition=given,
            latent=c["latent_dim"] if c["task"] == "conditional" else None,
            loss=c["loss.name"],
        )
    train = unit(pictures.train)
    if c["code.bug"] == "class-missing":
        train = train[torch.as_tensor(pictures.train_labels) >= MISSING]
    return Probe(
        G,
        D,
        real=to_gan(train[: c["data.samples"]][:ROWS]),
        held_out=to_gan(held_out),
        latent=c["latent_dim"],
        loss=c["loss.name"],
    )


def _given(x: Tensor, task: str) -> Tensor:
    """What G makes a picture of, where that is not noise; all in [-1, 1]."""
    if task == "super-resolution":
        return F.avg_pool2d(x, 4)
    if task == "autoencoder":
        return x
    grey = x.mean(dim=1, keepdim=True)
    across = (grey[..., :, 1:] - grey[..., :, :-1]).abs()
    down = (grey[..., 1:, :] - grey[..., :-1, :]).abs()
    return ((F.pad(across, (0, 1)) + F.pad(down, (0, 0, 0, 1))) > 0.25).float() * 2 - 1


def probed(job: tuple[Path, Path, Path, str]) -> dict[str, Any] | None:
    """What the probe says of one run beside the truth; None where nothing can be probed."""
    folder, weights, sets, device = job
    torch.set_num_threads(1)
    truth = json.loads(folder.with_name(f"{folder.name}.truth.json").read_text("utf-8"))
    wishes = Wishes(entry=f"{__file__}:build", checkpoint=weights, data=sets, device=device)
    try:
        return zoo.told(run(folder, wishes), truth)
    except GandoctorError as e:
        print(f"{folder.name}: {e}", file=sys.stderr)
        return None


def main(argv: Iterable[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.probe.pictures", description=__doc__
    )
    parser.add_argument("runs", type=Path)
    parser.add_argument("records", type=Path)
    parser.add_argument("--sets", type=Path, required=True, help="drawn pictures are kept there")
    parser.add_argument("--jobs", type=int, default=1, help="processes, of one thread each")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--limit", type=int, help="only so many runs, in the order of their names")
    parser.add_argument("--out", type=Path, help="file of lines, one a run; goes on from there")
    given = parser.parse_args(None if argv is None else list(argv))
    truths = reports.truths(given.runs)
    known = {t["run"]: t for t in lines(given.out)} if given.out else {}
    jobs = [
        (given.runs / t["run"], given.records / f"{t['run']}.npz", given.sets, given.device)
        for t in truths
        if not t["borderline"] and (given.records / f"{t['run']}.npz").exists()
    ][: given.limit]
    found = [known[run.name] for run, *_ in jobs if run.name in known]
    jobs = [job for job in jobs if job[0].name not in known]
    with multiprocessing.get_context("spawn").Pool(given.jobs) as pool:
        for told in pool.imap_unordered(probed, jobs):
            if told is None:
                continue
            found.append(told)
            if given.out:
                add(given.out, told)
    print(zoo.figures(found))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
