"""Whole modules: the tree of layers that a pickled ``nn.Module`` is, with each one's settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from gandoctor.checkpoint import naming
from gandoctor.checkpoint.inert import Made
from gandoctor.checkpoint.objects import dict_of, named_attributes, path_of, rows_of
from gandoctor.checkpoint.tensors import Tensor, Unread
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from gandoctor.checkpoint.objects import Resolver

MOST_MODULES: Final = 20_000
DEEPEST: Final = 40
_PRIVATE: Final = ("_parameters", "_buffers", "_modules", "training")


@dataclass(frozen=True, slots=True, eq=False)
class Module:
    """A layer, or a network of layers.

    Attributes
    ----------
    kind : str
        ``module.Class`` as the file names it.
    tensors : dict
        Its own parameters and buffers.
    children : dict of str to Module
        In the order they were registered.
    settings : dict
        Its plain attributes: numbers, texts and tuples of numbers.
    """

    kind: str
    tensors: dict[str, Tensor | Unread]
    children: dict[str, Module]
    settings: dict[str, Any]

    @property
    def is_known(self) -> bool:
        """Whether it is a layer of torch's own, whose forward pass is known."""
        return self.kind.startswith("torch.nn.")

    @property
    def name(self) -> str:
        """The class alone."""
        return self.kind.rpartition(".")[2]


def of(value: object, resolver: Resolver) -> Module | None:
    """The module that an object is; None where it is none."""
    if not isinstance(value, Made):
        return None
    if not {"_parameters", "_modules"} <= named_attributes(value).keys():
        script = path_of(value).startswith("__torch__")
        return _module(value, resolver, [MOST_MODULES], 0, script=script) if script else None
    return _module(value, resolver, [MOST_MODULES], 0, script=False)


def _module(
    value: Made, resolver: Resolver, left: list[int], level: int, *, script: bool
) -> Module:
    left[0] -= 1
    entries = named_attributes(value)
    tensors: dict[str, Tensor | Unread] = {}
    children: dict[str, Module] = {}
    if script:
        below = entries
        own = entries
    else:
        below = dict_of(entries.get("_modules"))
        own = {**dict_of(entries.get("_parameters")), **dict_of(entries.get("_buffers"))}
    for name, one in own.items():
        tensor = resolver.tensor_of(one)
        if tensor is not None:
            tensors[name[:200]] = tensor
    for name, one in below.items():
        if isinstance(one, Made) and name not in tensors and left[0] > 0 and level < DEEPEST:
            if script and not path_of(one).startswith("__torch__"):
                continue
            children[name[:200]] = _module(one, resolver, left, level + 1, script=script)
    return Module(_kind(value), tensors, children, _settings(entries))


def _kind(value: Made) -> str:
    path = path_of(value)
    if path.endswith("_reconstruct_persistent_obj") and isinstance(value.args, tuple):
        name = dict_of(value.args[0]).get("class_name") if value.args else ""
        return name if isinstance(name, str) else path
    if path in ("copyreg._reconstructor", "copy_reg._reconstructor", "copyreg.__newobj__"):
        return path_of(value.args[0]) if isinstance(value.args, tuple) and value.args else path
    return path


def _settings(entries: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in entries.items():
        if name in _PRIVATE or rows_of(value) is not None:
            continue
        if _is_plain(value):
            found[name] = value
        elif isinstance(value, tuple | list) and len(value) <= 8 and all(map(_is_plain, value)):
            found[name] = tuple(value)
    return found


def _is_plain(value: object) -> bool:
    if isinstance(value, int):
        return abs(value) < 1 << 62
    return isinstance(value, float | str) or value is None


def tensors_of(module: Module) -> dict[str, Tensor | Unread]:
    """All tensors of a module and those below it, under the names of its state dict."""
    found: dict[str, Tensor | Unread] = {}
    stack = [("", module)]
    while stack:
        prefix, one = stack.pop()
        found.update({f"{prefix}{name}": t for name, t in one.tensors.items()})
        stack.extend((f"{prefix}{name}.", c) for name, c in reversed(one.children.items()))
    return found


def role_of(module: Module) -> str:
    """``g``, ``d`` or nothing, by the name of its class."""
    return naming.role(module.name)
