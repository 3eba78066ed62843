"""Which runs there are: the samples that ship with the project, and the two splits of the zoo."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import yaml

from benchmarks.zoo import config as settings
from benchmarks.zoo.config import HERE

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from benchmarks.zoo.config import Config

SAMPLES: Final = HERE / "samples.yaml"


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
            "fault": self.fault,
            "wrong": [
                {"key": settings.spelled(key, self.spelling), "value": self.config[key], "right": right}
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


def samples() -> list[Job]:
    """The runs under ``sample_logs/``."""
    given = yaml.safe_load(SAMPLES.read_text("utf-8"))
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
