"""The settings of a run: defaults, the spellings they are written in, YAML and JSON."""

from __future__ import annotations

import difflib
import functools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HERE: Final = Path(__file__).parent
Config = dict[str, Any]  # canonical dotted key -> scalar or list of words

# The canonical, nested layout. Whatever a run does not set has these values.
DEFAULTS: Final[Config] = {
    "seed": 0,
    "iterations": 1500,
    "batch_size": 64,
    "latent_dim": 4,
    "data.name": "ring6",
    "data.samples": 20000,  # size of the training set
    "data.low": -1.0,  # the range real data are scaled to
    "data.high": 1.0,
    "loss.name": "nonsaturating",
    "loss.reduction": "sum",  # of D's real and fake term: sum or mean
    "loss.real_label": 1.0,
    "loss.gp_weight": 0.0,
    "loss.r1_gamma": 0.0,
    "loss.clip_value": 0.0,
    "loss.instance_noise": 0.0,
    "schedule.d_updates": 1,
    "schedule.g_updates": 1,
    "schedule.lr_decay": "none",  # none or linear (to a tenth)
    "schedule.grad_clip": 0.0,
    "schedule.ema": 0.0,
    "generator.hidden": 48,
    "generator.layers": 2,
    "generator.activation": "relu",
    "generator.output": "linear",
    "generator.batch_norm": False,
    "generator.init_gain": 1.0,
    "generator.init_bias": 0.0,
    "generator.optimizer.name": "adam",
    "generator.optimizer.lr": 1e-3,
    "generator.optimizer.beta1": 0.5,
    "generator.optimizer.beta2": 0.999,
    "discriminator.hidden": 48,
    "discriminator.layers": 2,
    "discriminator.activation": "lrelu",
    "discriminator.spectral_norm": False,
    "discriminator.dropout": 0.0,
    "discriminator.init_gain": 1.0,
    "discriminator.optimizer.name": "adam",
    "discriminator.optimizer.lr": 1e-3,
    "discriminator.optimizer.beta1": 0.5,
    "discriminator.optimizer.beta2": 0.999,
    "log.format": "tensorboard",  # tensorboard, csv or jsonl
    "log.tags": "slash",  # a style of tags.yaml
    "log.every": 5,
    "log.signals": ["d_loss", "g_loss"],
    "log.snapshots": 4,  # sample arrays kept
    "log.checkpoints": False,
}


@functools.cache
def spellings() -> dict[str, dict[str, str]]:
    """Spelling -> canonical key -> the user's key, from ``spellings.yaml``."""
    given: dict[str, dict[str, str]] = yaml.safe_load((HERE / "spellings.yaml").read_text("utf-8"))
    for keys in given.values():
        if unknown := set(keys) - set(DEFAULTS):
            raise ValueError(f"spellings.yaml names settings that do not exist: {sorted(unknown)}")
    return given


@functools.cache
def _canonical() -> dict[str, str]:
    """Every user's key of every spelling -> canonical key."""
    known = {key: key for key in DEFAULTS}
    for name, keys in spellings().items():
        for canonical, spelled in keys.items():
            if known.setdefault(spelled, canonical) != canonical:
                raise ValueError(
                    f"spellings.yaml: {spelled} of {name} already means {known[spelled]}"
                )
    return known


def spelled(key: str, spelling: str) -> str:
    """The user's own key of a canonical setting."""
    return spellings()[spelling].get(key, key)


def canonical(key: str) -> str:
    """The canonical setting of a user's key in any spelling; the key itself where it is none."""
    return _canonical().get(key, key)


def make(given: Mapping[str, Any]) -> Config:
    """Full config from a nested or flat mapping in any spelling.

    Parameters
    ----------
    given : Mapping
        As read from YAML or JSON; nested, or with dotted keys.

    Returns
    -------
    dict
        Every key of `DEFAULTS`, values cast to the default's type (so ``5e-5``, text to YAML, is a
        number here).

    Raises
    ------
    ValueError
        A key that is no setting, or a value of the wrong kind.
    """
    config = dict(DEFAULTS)
    for key, value in _flat(given, ""):
        canonical = _canonical().get(key)
        if canonical is None:
            near = difflib.get_close_matches(key, _canonical(), n=1)
            raise ValueError(f"{key}: no such setting" + (f"; {near[0]}?" if near else ""))
        config[canonical] = _cast(canonical, value)
    return config


def read(path: Path) -> Config:
    """Config from a YAML or JSON file."""
    text = path.read_text("utf-8")
    return make(json.loads(text) if path.suffix == ".json" else yaml.safe_load(text))


def override(config: Config, settings: Iterable[str]) -> Config:
    """`config` with ``key=value`` texts applied, keys in any spelling, values as YAML has them."""
    changes = {}
    for text in settings:
        key, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"--set {text}: key=value is wanted")
        changes[key] = yaml.safe_load(value)
    changed = make(changes)
    return config | {_canonical()[key]: changed[_canonical()[key]] for key in changes}


def write(config: Config, path: Path, spelling: str) -> None:
    """Write the config as its user would have: in a spelling, as YAML or JSON by the suffix."""
    tree: dict[str, Any] = {}
    for key, value in config.items():
        *above, last = spelled(key, spelling).split(".")
        if last.isdigit():  # betas.0, betas.1: a list
            *above, name = above
            _descend(tree, above).setdefault(name, []).insert(int(last), value)
        else:
            _descend(tree, above)[last] = value
    text = (
        json.dumps(tree, indent=2) + "\n"
        if path.suffix == ".json"
        else yaml.safe_dump(tree, sort_keys=False)
    )
    path.write_text(text, "utf-8")


def _descend(tree: dict[str, Any], path: list[str]) -> dict[str, Any]:
    for name in path:
        tree = tree.setdefault(name, {})
    return tree


def _flat(tree: Mapping[str, Any], prefix: str) -> Iterable[tuple[str, Any]]:
    for name, value in tree.items():
        key = f"{prefix}{name}"
        if isinstance(value, dict):
            yield from _flat(value, f"{key}.")
        elif isinstance(value, list) and key not in _canonical():
            yield from ((f"{key}.{i}", v) for i, v in enumerate(value))
        else:
            yield key, value


def _cast(key: str, value: Any) -> Any:
    kind = type(DEFAULTS[key])
    if isinstance(value, bool) is not (kind is bool) or isinstance(value, list) is not (
        kind is list
    ):
        raise ValueError(f"{key}: {value!r} is not of the kind {kind.__name__}")
    return kind(value)
