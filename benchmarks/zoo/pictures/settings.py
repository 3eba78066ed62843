"""The settings of a picture run: defaults under canonical names, those of the tiny zoo if the same.

``code.bug`` is what no config shows: a mistake in the loop. It is in no log and no config.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

Settings = dict[str, Any]  # canonical dotted key -> scalar

DEFAULTS: Final[Settings] = {
    "seed": 0,
    "iterations": 1100,
    "batch_size": 64,
    "latent_dim": 64,
    "task": "generation",  # conditional, translation, super-resolution, autoencoder
    "data.name": "glyphs",
    "data.samples": 4096,
    "data.low": -1.0,  # the range real pictures are scaled to
    "data.high": 1.0,
    "loss.name": "nonsaturating",
    "loss.reduction": "sum",  # of D's real and fake term: sum or mean
    "loss.real_label": 1.0,
    "loss.gp_weight": 0.0,
    "loss.r1_gamma": 0.0,
    "loss.clip_value": 0.0,
    "loss.instance_noise": 0.0,
    "loss.pixel_weight": 0.0,  # of the distance to the target, where there is one
    "loss.adv_weight": 1.0,
    "loss.d_start": 0,  # iteration from which on the adversarial part counts
    "loss.adaptive": False,  # its weight follows the gradients at G's last layer
    "schedule.d_updates": 1,
    "schedule.g_updates": 1,
    "schedule.lr_decay": "none",  # none, linear (to a tenth) or exponential (per epoch)
    "schedule.lr_gamma": 0.98,
    "schedule.grad_clip": 0.0,
    "schedule.ema": 0.0,
    "generator.width": 24,
    "generator.norm": "batch",  # batch or none
    "generator.activation": "relu",
    "generator.output": "tanh",
    "generator.init_gain": 1.0,
    "generator.init_bias": 0.0,
    "generator.optimizer.name": "adam",
    "generator.optimizer.lr": 5e-4,
    "generator.optimizer.beta1": 0.5,
    "generator.optimizer.beta2": 0.999,
    "discriminator.width": 24,
    "discriminator.norm": "batch",  # batch, spectral or none
    "discriminator.activation": "lrelu",
    "discriminator.dropout": 0.0,
    "discriminator.init_gain": 1.0,
    "discriminator.optimizer.name": "adam",
    "discriminator.optimizer.lr": 5e-4,
    "discriminator.optimizer.beta1": 0.5,
    "discriminator.optimizer.beta2": 0.999,
    "code.bug": "",
}
HIDDEN: Final = ("code.bug",)


def make(given: Mapping[str, Any]) -> Settings:
    """Full settings; values cast to the default's type.

    Raises
    ------
    ValueError
        A key that is no setting, or a value of the wrong kind.
    """
    settings = dict(DEFAULTS)
    for key, value in given.items():
        if key not in DEFAULTS:
            raise ValueError(f"{key}: no such setting")
        kind = type(DEFAULTS[key])
        if isinstance(value, bool) is not (kind is bool):
            raise ValueError(f"{key}: {value!r} is not of the kind {kind.__name__}")
        settings[key] = kind(value)
    return settings


def differing(settings: Settings) -> Settings:
    """Those that are not as by default: what `make` needs to make them anew."""
    return {key: value for key, value in settings.items() if value != DEFAULTS[key]}


def digest(*of: Any) -> str:
    """Ten letters for any plain data: they tell nothing and stay the same."""
    return hashlib.sha256(json.dumps(of, sort_keys=True).encode()).hexdigest()[:10]
