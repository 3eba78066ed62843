"""A recipe that turns out healthy, and what is put wrong with it for each demo."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Final

import yaml

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

HEALTHY: Final[Mapping[str, Any]] = {
    "seed": 0,
    "iterations": 1500,
    "batch_size": 64,
    "latent_dim": 4,
    "loss": {"name": "nonsaturating", "gp_weight": 0.0, "clip_value": 0.0},
    "schedule": {"d_updates": 1, "grad_clip": 0.0},
    "generator": {
        "hidden": 96,
        "layers": 2,
        "activation": "relu",
        "batch_norm": False,
        "optimizer": {"name": "adam", "lr": 0.002, "beta1": 0.5, "beta2": 0.999},
    },
    "discriminator": {
        "hidden": 96,
        "layers": 2,
        "activation": "lrelu",
        "spectral_norm": False,
        "optimizer": {"name": "adam", "lr": 0.002, "beta1": 0.5, "beta2": 0.999},
    },
}


# What is put wrong, by dotted keys.
DEMOS: Final[Mapping[str, Mapping[str, object]]] = {
    "mode-collapse": {"generator.optimizer.lr": 0.05},
    "vanishing": {"generator.activation": "sigmoid", "generator.layers": 5},
    "dominance": {
        "loss.name": "minimax",
        "discriminator.optimizer.lr": 0.1,
        "generator.optimizer.lr": 0.0006,
    },
    "oscillation": {
        "generator.optimizer.beta1": 0.9,
        "discriminator.optimizer.beta1": 0.9,
        "generator.optimizer.lr": 0.008,
        "discriminator.optimizer.lr": 0.008,
    },
    "healthy": {},
}


def config_of(changes: Mapping[str, object], seed: int) -> dict[str, Any]:
    """The healthy recipe with other values, by dotted keys."""
    made: dict[str, Any] = copy.deepcopy(dict(HEALTHY))
    for key, value in {**changes, "seed": seed}.items():
        *way, last = key.split(".")
        place = made
        for name in way:
            place = place[name]
        place[last] = value
    return made


def write(config: Mapping[str, Any], file: Path) -> None:
    """A config as its user would have written it."""
    file.write_text(yaml.safe_dump(dict(config), sort_keys=False), "utf-8")


def read(file: Path) -> dict[str, Any]:
    """A config as YAML has it."""
    found: dict[str, Any] = yaml.safe_load(file.read_text("utf-8"))
    return found
