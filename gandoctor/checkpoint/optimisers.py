"""Optimiser states: what they were told, what they know of each parameter, whose they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gandoctor.checkpoint import naming
from gandoctor.checkpoint.objects import dict_of, rows_of
from gandoctor.checkpoint.tensors import Tensor, Unread
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from gandoctor.checkpoint.objects import Resolver

MOST_PARAMETERS: Final = 20_000
_OPTIONS: Final = ("lr", "initial_lr", "betas", "eps", "weight_decay", "momentum", "alpha")


@dataclass(frozen=True, slots=True, eq=False)
class Optimiser:
    """The state of one optimiser.

    Attributes
    ----------
    name : str
        Where it stands in the file.
    role : str
        ``g``, ``d`` or nothing.
    options : dict
        Of the first group of parameters: ``lr``, ``beta1``, ``beta2``, ...
    states : dict of int to dict
        By the parameter's position: tensors and numbers (``exp_avg``, ``step``).
    groups : int
    """

    name: str
    role: str
    options: dict[str, float]
    states: dict[int, dict[str, Tensor | Unread | float]]
    groups: int

    @property
    def kind(self) -> str:
        """Which optimiser it was, by what it keeps."""
        kept = {k for s in self.states.values() for k in s}
        if "exp_avg_sq" in kept:
            return "Adam"
        if "square_avg" in kept:
            return "RMSprop"
        return "SGD" if "momentum_buffer" in kept or not kept else "unknown"

    def steps(self) -> int | None:
        """Steps it took, as the parameter of most steps has it."""
        known = [s["step"] for s in self.states.values() if "step" in s]
        counts = [_number(k) for k in known[:4]]
        return max((int(c) for c in counts if c is not None), default=None)


def _number(value: object) -> float | None:
    if isinstance(value, Tensor):
        return float(value.read().item()) if value.size == 1 else None
    return float(value) if isinstance(value, int | float) else None


def optimiser_of(path: str, value: object, resolver: Resolver) -> Optimiser | None:
    """The optimiser state that a mapping is; None where it is none."""
    entries = dict_of(value)
    if not {"state", "param_groups"} <= entries.keys():
        return None
    groups = entries["param_groups"]
    if not isinstance(groups, list) or rows_of(entries["state"]) is None:
        return None
    states: dict[int, dict[str, Tensor | Unread | float]] = {}
    order = [p for g in groups for p in _listed(dict_of(g).get("params"))]
    places = {p: i for i, p in enumerate(order) if type(p) is int}
    for key, state in (rows_of(entries["state"]) or [])[:MOST_PARAMETERS]:
        if type(key) is not int:
            continue
        known: dict[str, Tensor | Unread | float] = {}
        for name, one in dict_of(state).items():
            tensor = resolver.tensor_of(one)
            if tensor is not None:
                known[name] = tensor
            elif isinstance(one, int | float) and abs(one) < 1 << 62:
                known[name] = float(one)
        states[places.get(key, key)] = known
    options = _options(dict_of(groups[0])) if groups else {}
    return Optimiser(path, naming.role(*path.split(".")), options, states, len(groups))


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _options(group: dict[str, Any]) -> dict[str, float]:
    found: dict[str, float] = {}
    for name in _OPTIONS:
        value = group.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            found[name] = float(value)
        elif name == "betas" and isinstance(value, tuple | list) and len(value) == 2:
            for i, beta in enumerate(value):
                if isinstance(beta, int | float):
                    found[f"beta{i + 1}"] = float(beta)
    return found
