"""Which runs there are: the samples that ship with the project, and the two splits of the zoo."""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import yaml

from benchmarks.zoo import config as settings
from benchmarks.zoo.config import HERE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from benchmarks.zoo.config import Config

SPLITS: Final = ("train", "test")


@dataclass(frozen=True)
class Job:
    """One run to train.

    Attributes
    ----------
    name : str
        Of its folder.
    config : dict
        Full config.
    spelling : str
    json : bool
        Whether the config beside the log is JSON.
    fault : str
        What was broken on purpose; empty where nothing was.
    wrong : Mapping
        Canonical settings that were put wrong -> the value that would be right.
    about : Mapping
        Whatever else is kept with the truth.
    """

    name: str
    config: Config
    spelling: str = "nested"
    json: bool = False
    fault: str = ""
    wrong: Mapping[str, Any] = field(default_factory=dict)
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def config_name(self) -> str:
        return "config.json" if self.json else "config.yaml"

    def label(self) -> dict[str, Any]:
        """What is known about the run before it is trained, in its user's own keys."""
        return {
            "run": self.name,
            **self.about,
            "family": self.config["loss.name"],
            "data": self.config["data.name"],
            "seed": self.config["seed"],
            "iterations": self.config["iterations"],
            "fault": self.fault,
            "wrong": [
                {
                    "key": settings.spelled(key, self.spelling),
                    "value": self.config[key],
                    "right": right,
                }
                for key, right in self.wrong.items()
            ],
        }

    def run(self, folder: Path) -> dict[str, Any]:
        """Train, save the run under `folder`, and the truth beside it; return the truth."""
        from benchmarks.zoo import train  # noqa: PLC0415  (torch)

        out = folder / self.name
        truth = train.train(self.config, out, self.config_name, self.spelling)
        full = self.label() | truth.as_dict()
        train.write_truth(full, out)
        return full

    def outcome_put_right(self) -> str:
        """Outcome of the same run with right values for what was put wrong; nothing is saved."""
        from benchmarks.zoo import train  # noqa: PLC0415  (torch)

        return train.Training(self.config | dict(self.wrong)).run().outcome


def samples() -> list[Job]:
    """The runs under ``sample_logs/``."""
    given = _yaml("samples")
    return [
        Job(
            name=name,
            config=settings.make(given["bases"][run["base"]] | run["set"]),
            spelling=run.get("spelling", "nested"),
            json=run.get("json", False),
            fault=run.get("fault", ""),
            wrong=run.get("wrong", {}),
            about={"what": run["what"], "shows": run.get("shows", [])},
        )
        for name, run in given["runs"].items()
    ]


# --------------------------------------------------------------------------------------- the splits


@dataclass(frozen=True)
class Cell:
    """A data set and a family: one healthy recipe."""

    data: str
    kind: str
    family: str
    config: Mapping[str, Any]


@dataclass(frozen=True)
class Idea:
    """A recipe and what is done to it; the job lacks only its name and its way of logging."""

    cell: Cell
    seed: int
    role: str  # base, variant or fault
    what: str
    changes: Mapping[str, Any]
    wrong: tuple[str, ...] = ()


def jobs(split: str, seeds: Sequence[int] | None = None) -> list[Job]:
    """Every run of a split, in an order that tells nothing.

    Parameters
    ----------
    split : str
        ``train`` or ``test``.
    seeds : sequence of int, optional
        Instead of the split's own: trainings that nobody has looked at.

    Returns
    -------
    list of Job
        Names are digests of the config: they tell nothing and stay the same while the plan grows.
    """
    unique: dict[str, Job] = {}
    for idea in _ideas(split, seeds):
        job = _job(split, idea)
        unique.setdefault(job.name, job)  # a variant that changes nothing is the base
    return [unique[name] for name in sorted(unique)]


def cells(split: str) -> list[Cell]:
    """The healthy recipes of a split."""
    given = _yaml("splits")
    made = []
    for kind, part in given[split]["kinds"].items():
        for data, (family, own) in itertools.product(part["data"], given["families"].items()):
            config: dict[str, Any] = dict(settings.DEFAULTS)
            for layer in (given[split]["all"], part["set"], own.get("all", {}), own.get(kind, {})):
                config.update(applied(config, layer))
            made.append(Cell(data, kind, family, config | {"data.name": data}))
    return made


def _ideas(split: str, seeds: Sequence[int] | None = None) -> Iterator[Idea]:
    library, seeds = _yaml("faults"), seeds or _yaml("splits")[split]["seeds"]
    every = cells(split)
    for cell, seed in itertools.product(every, seeds):
        yield Idea(cell, seed, "base", "", {})
    turns: dict[tuple[str, str], Iterator[tuple[Cell, int]]] = {}

    def pick(
        what: str, entry: Mapping[str, Any], family: str, rounds: int
    ) -> list[tuple[Cell, int]]:
        """The next cells of a family by turns, so that every data set and seed gets its share."""
        kinds = entry.get("kinds", ["mixture", "pictures"])
        here = [cell for cell in every if cell.family == family and cell.kind in kinds]
        if (what, family) not in turns:
            pairs = [(cell, seed) for seed in seeds for cell in here]
            random.Random(f"{split} {what} {family}").shuffle(pairs)
            turns[what, family] = itertools.cycle(pairs)
        return list(itertools.islice(turns[what, family], min(rounds, len(here) * len(seeds))))

    families = list(_yaml("splits")["families"])
    for what, entry in library["faults"].items():
        for changes, family in itertools.product(entry[split], entry.get("families", families)):
            for cell, seed in pick(what, entry, family, entry.get("rounds", 2)):
                yield Idea(cell, seed, "fault", what, changes, tuple(entry.get("wrong", changes)))
    for what, entry in library["variants"].items():
        for family in entry.get("families", families):
            for cell, seed in pick(what, entry, family, entry.get("rounds", 1)):
                yield Idea(cell, seed, "variant", what, entry["set"])


def _job(split: str, idea: Idea) -> Job:
    given = _yaml("splits")
    base = dict(idea.cell.config) | {"seed": idea.seed}
    config = base | applied(base, idea.changes)
    digest = _digest(split, config)
    turn = random.Random(digest)  # how it is logged and spelled: by lot, but always the same
    form = turn.choice(given["formats"])
    config |= {
        "log.format": form,
        "log.tags": turn.choice(given[split]["tags"]),
        "log.every": turn.choice(given["every"]),
        "log.snapshots": turn.choice(given["snapshots"]),
        "log.signals": turn.choice(given["signals"]),
    }
    return Job(
        name=digest,
        config=settings.make(config),
        spelling=turn.choice(given[split]["spellings"]),
        json=turn.random() < 0.4,
        fault=idea.what if idea.role == "fault" else "",
        wrong={key: base[key] for key in idea.wrong},
        about={"role": idea.role, "what": idea.what, "twin": _digest(split, base)},
    )


def applied(config: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`changes` with ``x10`` worked out against `config`."""
    return {
        key: type(config[key])(f"{config[key] * float(value[1:]):.6g}")
        if isinstance(value, str) and value[:1] == "x" and value[1:2].isdigit()
        else value
        for key, value in changes.items()
    }


def _digest(split: str, config: Mapping[str, Any]) -> str:
    text = json.dumps(
        [split, {k: v for k, v in config.items() if not k.startswith("log.")}], sort_keys=True
    )
    return hashlib.sha256(text.encode()).hexdigest()[:10]


@functools.cache
def _yaml(name: str) -> Any:
    return yaml.safe_load((HERE / f"{name}.yaml").read_text("utf-8"))
