"""What a training was called with, as its checkpoint has it: settings with their source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gandoctor.checkpoint.measuring import joined
from gandoctor.files.below import seen_from
from gandoctor.model.signals import Setting

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gandoctor.checkpoint.contents import Checkpoint
    from gandoctor.checkpoint.gathering import Saved

# Of an optimiser's options, those that a training is called with.
_OPTIONS: Final = ("lr", "beta1", "beta2", "momentum", "weight_decay")
_NETWORKS: Final = {"g": "generator", "d": "discriminator"}


def of(saved: Saved, root: Path) -> tuple[Setting, ...]:
    """The settings in the checkpoints of one step; nothing is said twice.

    What was saved as arguments goes before what the optimisers were told, and that before what the
    networks are built of.
    """
    found: dict[str, Setting] = {}
    for one in saved.files:
        path = one.path
        file = seen_from(path, root)
        for key, value in (*one.settings, *_told(one, saved), *_built(one)):
            plain = isinstance(value, bool | int | float | str) or value is None
            if plain and key not in found:
                found[key] = Setting("", value, key, file)  # type: ignore[arg-type]
    return tuple(found.values())


def _told(one: Checkpoint, saved: Saved) -> Iterator[tuple[str, object]]:
    """What optimisers were told; the rate that a schedule began with, not where it has got to."""
    networks = [n for c in saved.files for n in c.networks]
    for optimiser in one.optimisers:
        owner = joined(optimiser, networks)
        role = (owner.role if owner else "") or optimiser.role
        if not role:
            continue
        options = dict(optimiser.options)
        options["lr"] = options.get("initial_lr", options.get("lr", 0.0))
        yield f"optimizer_{role}.type", optimiser.kind.lower()
        for name in _OPTIONS:
            if options.get(name):
                yield f"optimizer_{role}.{name}", options[name]


def _built(one: Checkpoint) -> Iterator[tuple[str, object]]:
    """Norms that the keys of a network prove."""
    for network in one.networks:
        name = _NETWORKS.get(network.role)
        if name is None:
            continue
        leaves = {key.rpartition(".")[2] for key in network.tensors}
        if "num_batches_tracked" in leaves:
            yield f"{name}.batchnorm", True
        if leaves & {"weight_u", "_u", "u0", "sn_u"}:
            yield f"{name}.spectral_norm", True
