"""What is in a checkpoint: networks, optimisers, the step, settings, and what it would call."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any, Final

from gandoctor.checkpoint import modules, naming
from gandoctor.checkpoint.flat import Flat
from gandoctor.checkpoint.inert import Global, Made, Opaque
from gandoctor.checkpoint.objects import attributes_of, dict_of, named_attributes, path_of, rows_of
from gandoctor.checkpoint.opening import opened
from gandoctor.checkpoint.optimisers import Optimiser, optimiser_of
from gandoctor.checkpoint.tensors import Tensor, Unread
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from pathlib import Path

    from gandoctor.checkpoint.modules import Module
    from gandoctor.checkpoint.pickled import Pickled
    from gandoctor.checkpoint.plans import Plan

MOST_VISITED: Final = 200_000
DEEPEST: Final = 40
MOST_SETTINGS: Final = 400
_STEPS: Final = (
    *("step", "steps", "global_step", "iteration", "iterations", "iter", "it", "n_iter", "niter"),
    *("total_steps", "current_step", "cur_iter", "global_steps", "batches_done"),
)
_EPOCHS: Final = ("epoch", "current_epoch", "epochs", "cur_epoch")
_SETTINGS: Final = frozenset(
    {"args", "hparams", "hyper_parameters", "hyperparameters", "config", "cfg", "opt", "options"}
    | {"params_config", "hps", "conf", "flags", "training_set_kwargs"}
)
# What files that were saved the usual way import; whatever else one would import is listed.
_USUAL: Final = (
    *("torch.", "collections.", "numpy.core.multiarray.", "numpy._core.", "numpy.dtype"),
    *("numpy.ndarray", "argparse.Namespace", "types.SimpleNamespace", "_codecs.encode", "pathlib."),
    *("__torch__.", "torch_utils.persistence.", "dnnlib.", "easydict.", "omegaconf.", "typing."),
    *("datetime.", "enum.", "pytorch_lightning.", "lightning.", "lightning_fabric."),
    *("functools.partial", "copyreg._reconstructor", "copy_reg._reconstructor"),
    *(f"builtins.{n}" for n in ("object", "set", "frozenset", "bytearray", "bytes", "dict")),
    *(
        f"builtins.{n}"
        for n in ("list", "tuple", "int", "float", "str", "bool", "complex", "slice")
    ),
)
_CALLS_OF_TORCH: Final = (
    *("torch.hub", "torch.load", "torch.jit", "torch._inductor", "torch.package"),
)
_GENERIC: Final = frozenset(
    {"state_dict", "model_state_dict", "model", "weight", "weights", "net", "module", "params"}
)


@dataclass(frozen=True, slots=True, eq=False)
class Network:
    """The weights of one network.

    Attributes
    ----------
    name : str
        Where they stand in the file; the file's stem where they are all of it. Untrusted text.
    role : str
        ``g``, ``d`` or nothing where the names do not tell.
    average : bool
        Whether they are a moving average.
    network : str
        Which of several.
    tensors : dict
        By name, in the order of the file; a prefix of all of them is taken off.
    module : Module or None
        Layers with their settings, where the whole module was saved.
    plan : Plan or None
        How it runs, where the file says it.
    """

    name: str
    role: str
    average: bool
    network: str
    tensors: dict[str, Tensor | Unread]
    module: Module | None = None
    plan: Plan | None = None

    @property
    def parameters(self) -> int:
        """Numbers that are trained, shared ones once."""
        once = {t.identity(): t.size for _, t in trained(self)}
        return sum(once.values())


def trained(network: Network) -> list[tuple[str, Tensor]]:
    """The tensors that are trained, without counters, running statistics and the like."""
    return [
        (name, t)
        for name, t in network.tensors.items()
        if isinstance(t, Tensor) and t.is_float and not is_buffer(name, network.tensors)
    ]


def is_buffer(name: str, them: dict[str, Tensor | Unread]) -> bool:
    """Whether a tensor is no parameter, by its name and its neighbours'."""
    stem, _, leaf = name.rpartition(".")
    prefix = f"{stem}." if stem else ""
    if leaf in ("num_batches_tracked", "running_mean", "running_var", "w_avg", "stored_mean"):
        return True
    if leaf in ("stored_var", "moving_mean", "moving_variance", "_u", "_v", "u0", "sv0", "sn_u"):
        return True
    if leaf in ("sn_sigma", "resample_filter", "noise_const", "input_max", "up_filter"):
        return True
    base = leaf[:-2] if leaf.endswith(("_u", "_v")) else ""
    return bool(base) and any(f"{prefix}{base}{end}" in them for end in ("_orig", "_bar"))


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """A checkpoint file that was read.

    Attributes
    ----------
    path : Path
    kind : str
        What sort of file it is, for people.
    networks : tuple of Network
    optimisers : tuple of Optimiser
    step : int or None
    step_unit : str
        ``epochs``, or nothing.
    settings : tuple of (key, value)
        What the training was called with, as far as it was saved.
    foreign : tuple of str
        What the file would import that checkpoints have no need of. Nothing of it was.
    texts : dict of str to str
        A graph or config that lies in the file.
    unread : int
        Tensors that are not read.
    """

    path: Path
    kind: str
    networks: tuple[Network, ...] = ()
    optimisers: tuple[Optimiser, ...] = ()
    step: int | None = None
    step_unit: str = ""
    settings: tuple[tuple[str, object], ...] = ()
    foreign: tuple[str, ...] = ()
    texts: dict[str, str] = field(default_factory=dict)
    unread: int = 0


def read(path: Path) -> Checkpoint:
    """Read a checkpoint; of its numbers none is read yet.

    Parameters
    ----------
    path : Path

    Raises
    ------
    GandoctorError
        It is no checkpoint, damaged, or of a kind that is not read.
    """
    found = opened(path)
    if isinstance(found, Flat):
        networks = _split("", dict(found.tensors), path.stem, plan=found.plan)
        step, unit = naming.step_of(path.name)
        return Checkpoint(
            path,
            found.kind,
            tuple(networks),
            step=step,
            step_unit=unit,
            texts=found.texts,
            unread=sum(isinstance(t, Unread) for t in found.tensors.values()),
        )
    return _Walk(found, path).checkpoint()


class _Walk:
    """Goes through what a pickle holds, each object once."""

    def __init__(self, found: Pickled, path: Path) -> None:
        self.found = found
        self.path = path
        self.networks: list[Network] = []
        self.optimisers: list[Optimiser] = []
        self.settings: list[tuple[str, object]] = []
        self.counts: dict[str, int] = {}

    def checkpoint(self) -> Checkpoint:
        self._walk()
        step, unit = self._step()
        unread = sum(isinstance(t, Unread) for n in self.networks for t in n.tensors.values())
        return Checkpoint(
            self.path,
            self.found.kind,
            tuple(self.networks),
            tuple(self.optimisers),
            step,
            unit,
            tuple(self.settings[:MOST_SETTINGS]),
            _foreign(self.found.globals),
            unread=unread,
        )

    def _walk(self) -> None:
        seen: set[int] = set()
        stack: list[tuple[str, object, int]] = [("", self.found.root, 0)]
        loose: dict[str, Tensor | Unread] = {}
        while stack and len(seen) < MOST_VISITED:
            path, value, level = stack.pop()
            if id(value) in seen or level > DEEPEST or isinstance(value, str | bytes | Opaque):
                continue
            seen.add(id(value))
            tensor = self.found.resolver.tensor_of(value)
            if tensor is not None:
                loose[path] = tensor
                continue
            children = self._taken(path, value)
            if children is not None:
                stack.extend((_below(path, k[:200]), c, level + 1) for k, c in children)
                continue
            children = rows_of(value)
            children = attributes_of(value) if children is None else children
            if children is None and isinstance(value, list | tuple):
                children = [(str(i), v) for i, v in enumerate(value[:1000])]
            if children is None and isinstance(value, Made) and isinstance(value.args, tuple):
                children = [("", v) for v in value.args[:20]]
            for key, child in reversed(children or ()):
                if isinstance(key, str | int) and not isinstance(child, int | float | str):
                    stack.append((_below(path, str(key)[:200]), child, level + 1))
        if loose and not self.networks:
            self.networks += _split("", loose, self.path.stem)

    def _taken(self, path: str, value: object) -> list[tuple[str, object]] | None:
        """Note down what is known; gives what is left to look at, None where nothing was taken."""
        key = path.rpartition(".")[2]
        optimiser = optimiser_of(path, value, self.found.resolver)
        if optimiser is not None:
            self.optimisers.append(optimiser)
            return []
        module = modules.of(value, self.found.resolver)
        if module is not None:
            plan = self.found.plan if value is self.found.root else None
            tensors = modules.tensors_of(module)
            self.networks += _split(path, tensors, self.path.stem, module, plan)
            return []
        entries = dict_of(value)
        if key.lower() in _SETTINGS or path_of(value) == "argparse.Namespace":
            them = entries or named_attributes(value)
            self.settings += _scalars(path, them)
            return [] if them else None
        tensors = self._state_dict(value, entries)
        if tensors:
            self.networks += _split(path, tensors, self.path.stem)
            return [(k, v) for k, v in entries.items() if k not in tensors]
        self._count(entries)
        return None

    def _count(self, entries: dict[str, Any]) -> None:
        for name in (*_STEPS, *_EPOCHS):
            number = entries.get(name)
            if isinstance(number, Made):
                tensor = self.found.resolver.tensor_of(number)
                alone = isinstance(tensor, Tensor) and tensor.size == 1
                number = int(tensor.read().item()) if alone else None  # type: ignore[union-attr]
            if type(number) is int and 0 <= number < 1 << 53:
                self.counts.setdefault(name, number)

    def _state_dict(self, value: object, entries: dict[str, Any]) -> dict[str, Tensor | Unread]:
        if not entries or (isinstance(value, Made) and rows_of(value) is None):
            return {}
        found = {k: self.found.resolver.tensor_of(v) for k, v in entries.items()}
        tensors = {k[:300]: t for k, t in found.items() if t is not None}
        dotted = sum("." in k or "/" in k for k in tensors)
        enough = len(tensors) * 2 > len(entries) and (dotted or len(tensors) > 1)
        return tensors if enough else {}

    def _step(self) -> tuple[int | None, str]:
        for name in _STEPS:
            if name in self.counts:
                return self.counts[name], ""
        for name in _EPOCHS:
            if name in self.counts:
                return self.counts[name], "epochs"
        return naming.step_of(self.path.name)


def _below(path: str, key: str) -> str:
    return f"{path}.{key}" if path and key else path or key


def _scalars(path: str, entries: dict[str, Any]) -> list[tuple[str, object]]:
    """Settings in a mapping and in those within it, three levels deep."""
    found: list[tuple[str, object]] = []
    stack = [("", entries, 0)]
    while stack and len(found) < MOST_SETTINGS:
        where, them, level = stack.pop()
        for key, value in them.items():
            name = _below(where, key[:100])
            if isinstance(value, bool | float | str) or value is None or _is_small(value):
                found.append((name, value[:200] if isinstance(value, str) else value))
            elif isinstance(value, list | tuple) and len(value) <= 8:
                found += [
                    (f"{name}.{i}", v)
                    for i, v in enumerate(value)
                    if isinstance(v, bool | float) or _is_small(v)
                ]
            elif level < 3:
                below = dict_of(value) or named_attributes(value)
                stack += [(name, below, level + 1)] if below else []
    return found


def _is_small(value: object) -> bool:
    return isinstance(value, int) and abs(value) < 1 << 62


def _split(
    path: str,
    tensors: dict[str, Tensor | Unread],
    stem: str,
    module: Module | None = None,
    plan: Plan | None = None,
) -> list[Network]:
    """The networks of one mapping: several where its keys begin with the names of several."""
    cut = {k.removeprefix("module."): t for k, t in tensors.items()}
    outer = [stem, *(p for p in path.split(".") if p)]
    heads = dict.fromkeys(k.replace("/", ".").partition(".")[0] for k in cut)
    roles = {h: naming.role(h) for h in heads}
    if module is None and plan is None and len(heads) > 1 and {"g", "d"} <= set(roles.values()):
        parts: dict[str, dict[str, Tensor | Unread]] = {}
        for name, tensor in cut.items():
            head, _, rest = name.replace("/", ".").partition(".")
            parts.setdefault(head, {})[rest or head] = tensor
        return [_network([*outer, h], _below(path, h), them) for h, them in parts.items()]
    return [_network(outer, path or stem, cut, module, plan)]


def _network(
    names: list[str],
    name: str,
    tensors: dict[str, Tensor | Unread],
    module: Module | None = None,
    plan: Plan | None = None,
) -> Network:
    telling = [n for n in names if n.lower() not in _GENERIC] or names
    known = naming.role(*telling) or (modules.role_of(module) if module else "")
    return Network(
        name,
        known,
        naming.is_average(*telling),
        naming.network(*telling),
        tensors,
        module,
        plan,
    )


def _foreign(them: list[Global]) -> tuple[str, ...]:
    """What the file would import and has no need of, each once."""
    paths = (f"{g.module}.{g.name}"[:120].replace("__builtin__.", "builtins.") for g in them)
    found = dict.fromkeys(
        p for p in paths if not p.startswith(_USUAL) or p.startswith(_CALLS_OF_TORCH)
    )
    return tuple(found)
