"""The players of a training script: built as it builds them, and tried on what they take."""

from __future__ import annotations

import argparse
import ast
import inspect
import types
import warnings
from typing import TYPE_CHECKING, Any, Final

from gandoctor.errors import InputError
from gandoctor.patterns import late_pattern
from gandoctor.probe.asked import Probe
from gandoctor.probe.backend import torch
from gandoctor.probe.harvest import UnknownError, assign, evaluate, harvest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from gandoctor.probe.data import Data
    from gandoctor.probe.weights import Checkpoint

_G: Final = late_pattern(
    r"(?i)^(self\.)?_*(net_?g|g|g_?net|gen|generator|model_?g|g_?model)(_|$|[0-9])"
)
_D: Final = late_pattern(
    r"(?i)^(self\.)?_*(net_?d|d|d_?net|dis|disc|discriminator|critic|model_?d|d_?model)(_|$|[0-9])"
)
_CLASS_G: Final = late_pattern(r"(?i)gen(erator)?|^_?netg|^g(net)?$|_g$")
_CLASS_D: Final = late_pattern(r"(?i)dis(criminator)?|critic|^_?netd|^d(net)?$|_d$")
LATENT: Final = (
    *("latent_dim", "nz", "z_dim", "latent_size", "noise_dim", "z_size", "dim_z", "n_z", "zdim"),
    *("latent_dimension", "noise_size", "latent", "code_dim", "input_dim"),
    *("LATENT_DIM", "NZ", "Z_DIM", "LATENT_SIZE", "NOISE_DIM"),
)
CLASSES: Final = ("n_classes", "num_classes", "NUM_CLASSES", "num_class", "classes", "N_CLASSES")
_BLOCKS: Final = (ast.ClassDef, ast.If, ast.With, ast.Try, ast.For, ast.While)
_WRAPPERS: Final = ("to", "cuda", "apply", "train", "eval", "float", "type", "double")


def probe_of(path: Path, settings: Mapping[str, Any], checkpoint: Checkpoint, data: Data) -> Probe:
    """The players of a script, with the weights of a checkpoint.

    Parameters
    ----------
    path : Path
    settings : Mapping
        Of the run: they go before the script's own constants and defaults.
    checkpoint : Checkpoint
    data : Data

    Raises
    ------
    InputError
        It has no generator that can be built, or that can be called; says what was tried.
    """
    known = {k: v for k, v in settings.items() if k.isidentifier()}
    found = harvest(path, **known)
    made = _players(found)
    if "G" not in made:
        names = [n for n, c in vars(found).items() if _is_net(c)]
        raise InputError(
            f"no generator in it can be built (it has {', '.join(names[:6]) or 'no nets'})",
            str(path),
            "write gandoctor_probe.py with def build(checkpoint)",
        )
    if checkpoint.files:
        for which, net in made.items():
            checkpoint.load(net, which)
    for net in made.values():
        net.eval()
    latent, condition, shape = _taken(made["G"], found, path)
    return Probe(
        made["G"],
        made.get("D"),
        real=_data(data, shape),
        latent=latent,
        condition=condition,
    )


def probe_without_code(
    settings: Mapping[str, Any], checkpoint: Checkpoint, data: Data
) -> Probe | None:
    """The generator of a file that holds its own graph (TorchScript, ``.pt2``); None: it has none.

    Such a file is run as it is, so only one that the user names is tried.

    Raises
    ------
    InputError
        Nothing says what it takes.
    """
    t = torch()
    path = checkpoint.files[0]
    net = None
    try:
        if path.suffix == ".pt2":
            net = t.export.load(path).module()
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                net = t.jit.load(path, map_location="cpu")
                net.eval()
    except Exception:  # it holds weights alone, or is damaged: the reader of weights says which
        return None
    known = argparse.Namespace()
    found = types.SimpleNamespace(_known=dict(settings), _options=known)
    latent, condition, shape = _taken(net, found, path)
    return Probe(net, None, real=_data(data, shape), latent=latent, condition=condition)


def _data(data: Data, shape: tuple[int, ...]) -> Any:
    """The data that the user names, in the shape of the samples."""
    if not data or data.path is None:
        return None
    if data.path.is_dir() and len(shape) == 3:
        return data.images(shape[-1], channels=shape[0])
    return data.array()


def _players(found: types.SimpleNamespace) -> dict[str, Any]:
    """G and D as the script calls them into being, else by the names of their classes."""
    names = dict(vars(found))
    made: dict[str, Any] = {}
    for target, call, scope in _calls(found._tree, names):
        which = _which(target, call)
        if which and which not in made:
            net = _built(call, scope)
            if net is not None:
                made[which] = net
    for which, pattern in (("G", _CLASS_G), ("D", _CLASS_D)):
        own = [c for n, c in names.items() if _is_net(c) and pattern.search(n)]
        for cls in own if which not in made else ():
            net = _by_settings(cls, names)
            if net is not None:
                made[which] = net
                break
    return made


def _which(target: str, call: ast.Call) -> str:
    name = call.func.id if isinstance(call.func, ast.Name) else ""
    for which, by_target, by_class in (("G", _G, _CLASS_G), ("D", _D, _CLASS_D)):
        if by_target.search(target) and not (_D if which == "G" else _G).search(target):
            return which
        if by_class.search(name) and not (_CLASS_D if which == "G" else _CLASS_G).search(name):
            return which
    return ""


def _calls(
    tree: ast.Module, names: dict[str, Any]
) -> Iterator[tuple[str, ast.Call, dict[str, Any]]]:
    """Every assignment of a new net: its target, the call, and the names that are known there."""
    scopes: list[tuple[list[ast.stmt], dict[str, Any]]] = [(tree.body, names)]
    while scopes:
        body, scope = scopes.pop(0)
        for node in body:
            if isinstance(node, ast.FunctionDef):
                scopes.append((node.body, {**scope, **_parameters(node, scope)}))
            elif isinstance(node, _BLOCKS):
                scopes.append((node.body, scope))
            elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
                call = _unwrapped(node.value)
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                if call is not None and _makes_net(_name_of(call), scope):
                    yield ast.unparse(targets[0]), call, scope
                elif scope is not names:
                    assign(node, scope, names["_options"], names["_known"])


def _parameters(node: ast.FunctionDef, scope: Mapping[str, Any]) -> dict[str, Any]:
    """What a function's parameters are worth: the run's settings, its defaults, parsed options."""
    arguments = [*node.args.posonlyargs, *node.args.args]
    usual = dict(zip([a.arg for a in arguments[::-1]], node.args.defaults[::-1], strict=False))
    usual |= {
        a.arg: d for a, d in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True) if d
    }
    found: dict[str, Any] = {}
    for name, default in usual.items():
        try:
            found[name] = evaluate(default, scope)
        except UnknownError:
            continue
    options = scope.get("_options")
    known = scope.get("_known", {})
    for a in [*arguments, *node.args.kwonlyargs]:
        if a.arg in known:
            found[a.arg] = known[a.arg]
        elif a.arg in ("args", "opt", "opts", "config", "cfg", "hparams") and a.arg not in found:
            found[a.arg] = argparse.Namespace(**{**known, **vars(options or argparse.Namespace())})
    if arguments and arguments[0].arg == "self":
        # Lightning keeps the arguments of __init__ in hparams.
        kept = argparse.Namespace(**found)
        found["self"] = argparse.Namespace(**{"device": "cpu", **found, "hparams": kept})
    return found


def _unwrapped(node: ast.expr) -> ast.Call | None:
    """The call that makes a net, without what is done to it at once (``.to(device)``)."""
    while isinstance(node, ast.Call):
        func = node.func
        if isinstance(func, ast.Attribute) and func.attr in _WRAPPERS:
            node = func.value
        elif isinstance(func, ast.Attribute) and func.attr == "DataParallel" and node.args:
            node = node.args[0]
        else:
            return node
    return None


def _name_of(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _is_net(value: object) -> bool:
    return (
        isinstance(value, type)
        and issubclass(value, torch().nn.Module)
        and not value.__module__.startswith("torch.")
    )


def _makes_net(name: str, scope: Mapping[str, Any]) -> bool:
    """Whether a name is a class of nets, or a function named as one that makes them."""
    value = scope.get(name)
    if isinstance(value, types.FunctionType):
        return bool(_CLASS_G.search(name) or _CLASS_D.search(name))
    return _is_net(value)


def _built(call: ast.Call, scope: dict[str, Any]) -> Any:
    """A net as the script builds it; None where that needs what was not run."""
    try:
        args = [evaluate(a, scope) for a in call.args]
        named = {k.arg: evaluate(k.value, scope) for k in call.keywords if k.arg}
        made = scope[_name_of(call)](*args, **named)
    except Exception:  # the user's own constructor, on values that we worked out
        return None
    return made if isinstance(made, torch().nn.Module) else None


def _by_settings(cls: Any, names: Mapping[str, Any]) -> Any:
    """A net whose parameters are names of the script or settings of the run."""
    given = {}
    try:
        for name, p in list(inspect.signature(cls.__init__).parameters.items())[1:]:
            if name in names:
                given[name] = names[name]
            elif p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD):
                return None
        return cls(**given)
    except Exception:  # the user's own constructor
        return None


def _value_of(words: Sequence[str], found: types.SimpleNamespace) -> int | None:
    """A number of the script, its options or the run, by the first of some names."""
    spaces = [vars(found)["_known"], vars(found)]
    spaces += [vars(v) for v in vars(found).values() if isinstance(v, argparse.Namespace)]
    for word in words:
        for space in spaces:
            value = space.get(word)
            if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 16:
                return value
    return None


def _taken(net: Any, found: types.SimpleNamespace, path: Path) -> tuple[Any, Any, tuple[int, ...]]:
    """Latent shape and condition that G can be called with, and the shape of a sample."""
    t = torch()
    size = _value_of(LATENT, found) or _first_width(net)
    classes = _value_of(CLASSES, found) or 10
    own = t.Generator().manual_seed(4)
    labels = t.randint(classes, (4096,), generator=own)
    tried = []
    for shape in ((size,), (size, 1, 1)) if size else ():
        for condition in (None, labels):
            tried.append(f"noise {shape}{' and labels' if condition is not None else ''}")
            try:
                with t.no_grad():
                    given = [] if condition is None else [condition[:2]]
                    made = net(t.randn(2, *shape, generator=own), *given)
            except Exception:  # noqa: S112  the user's net, on a guess
                continue
            made = made[0] if isinstance(made, list | tuple) else made
            return shape, condition, tuple(made.shape[1:])
    raise InputError(
        f"its generator could not be called (tried {'; '.join(tried) or 'nothing'})",
        str(path),
        "write gandoctor_probe.py with def build(checkpoint)",
    )


def _first_width(net: Any) -> int | None:
    """Numbers that the first layer takes."""
    for module in net.modules():
        for name in ("in_features", "in_channels"):
            if hasattr(module, name):
                return int(getattr(module, name))
    # A graph has lost the kinds of its layers: a matrix is of rows that it gives, and a kernel of
    # four dimensions is one that makes pictures larger.
    shape = next((w.shape for w in net.parameters() if w.dim() in (2, 4)), ())
    return int(shape[1] if len(shape) == 2 else shape[0]) if shape else None
