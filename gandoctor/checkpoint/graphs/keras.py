"""Models of Keras: a config as JSON, whose layers are run one after the other. No code is in it.

What is code (a ``Lambda``, a class of the user's own) is named and not run.
"""

from __future__ import annotations

import itertools
import json
import re
from typing import TYPE_CHECKING, Any, Final

from gandoctor.checkpoint.graphs import keras_layers, operators
from gandoctor.checkpoint.graphs.borders import Input
from gandoctor.checkpoint.graphs.meter import Meter, StoppedError
from gandoctor.checkpoint.graphs.reading import array_of
from gandoctor.checkpoint.parts import UnlikeError
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from gandoctor.checkpoint.plans import Plan

    Tensors = Mapping[str, Any]

_MODELS: Final = ("Sequential", "Functional", "Model")
_MOST_LAYERS: Final = 2_000
_DEEPEST: Final = 6
_ODD: Final = "its config is damaged"
_FOLDERS: Final = ("layers", "_layer_checkpoint_dependencies")


@dataclass(frozen=True, slots=True, eq=False)
class _Layer:
    """A layer, or a model within a model.

    Attributes
    ----------
    name, kind : str
    config : dict
    weights : dict
    model : Keras or None
    calls : list of list of (name, call, output)
        What each of its calls takes.
    """

    name: str
    kind: str
    config: dict[str, Any]
    weights: dict[str, NDArray[Any]]
    model: _Model | None
    calls: list[list[tuple[str, int]]]


class Keras:
    """A model of Keras, as a `borders.Program`."""

    def __init__(self, plan: Plan) -> None:
        try:
            found = json.loads(next(iter(plan.texts().values())))
            self._model = _Model(found, _weights(plan.tensors), 0)
            self.inputs = tuple(self._model.inputs())
        except (*operators.FAULTS, *operators.FAULTS_OF_ROOM):
            raise UnlikeError(_ODD) from None

    def run(self, given: Sequence[NDArray[Any]], meter: Meter) -> Any:
        """What the model makes of a batch."""
        made = self._model.run([keras_layers.channels_last(x) for x in given], meter)
        found = keras_layers.channels_first(made)
        if meter.last and meter.last[2] is made:
            name, before, _ = meter.last
            meter.last = (name, keras_layers.channels_first(before), found)
        return found


class _Model:
    """A Sequential, or a Functional."""

    def __init__(self, found: dict[str, Any], weights: _Weights, level: int) -> None:
        kind, config = found["class_name"], found["config"]
        if kind not in _MODELS or level > _DEEPEST:
            raise StoppedError(f"it is a {str(kind)[:40]}, whose code is not in the file")
        said = config if isinstance(config, list) else config["layers"]
        if len(said) > _MOST_LAYERS:
            raise StoppedError("it has too many layers")
        self._layers: dict[str, _Layer] = {}
        for one, its in weights.of_layers(said):
            layer = _layer(one, its, level)
            self._layers[layer.name] = layer
        names = list(self._layers)
        if kind == "Sequential":
            self._first = self._chained(names, config)
            self._last = (names[-1], 0)
        else:
            self._first = [n for n, _ in _ends(config["input_layers"])]
            self._last = _ends(config["output_layers"])[0]

    def _chained(self, names: list[str], config: Any) -> list[str]:
        """Layers that follow one another; the first of them takes what goes in."""
        for before, after in itertools.pairwise(names):
            self._layers[after].calls[:] = [[(before, 0)]]
        first = self._layers[names[0]]
        if first.kind != "InputLayer" and "batch_input_shape" not in first.config:
            shape = config.get("build_input_shape") if isinstance(config, dict) else None
            first.config["batch_input_shape"] = shape
        return names[:1]

    def inputs(self) -> Iterator[Input]:
        """What goes in."""
        for name in self._first:
            layer = self._layers[name]
            if layer.model is not None:
                yield from layer.model.inputs()
                continue
            shape = layer.config.get("batch_shape", layer.config.get("batch_input_shape"))
            if isinstance(shape, list) and any(isinstance(n, list) for n in shape):
                raise UnlikeError("several inputs go into it")
            sizes = None if shape is None else _sizes(shape)
            yield Input(name[:80], sizes, self._is_whole(layer))

    def _is_whole(self, layer: _Layer) -> bool:
        kind = layer.config.get("dtype")
        own = (layer.name, 0)
        users = [o for o in self._layers.values() if any(own in call for call in o.calls)]
        looked_up = layer.kind == "Embedding" or any(o.kind == "Embedding" for o in users)
        return looked_up or (isinstance(kind, str) and "int" in kind)

    def run(self, given: Sequence[NDArray[Any]], meter: Meter) -> Any:
        """What it makes of a batch, pictures with their channels behind."""
        if len(given) != len(self._first):
            raise UnlikeError(f"{len(self._first)} inputs go into it")
        values: dict[tuple[str, int], Any] = {}
        for name, x in zip(self._first, given, strict=True):
            values[name, 0] = self._called(self._layers[name], [x], meter)
        waiting = [
            (layer, i, call)
            for layer in self._layers.values()
            for i, call in enumerate(layer.calls)
            if layer.name not in self._first
        ]
        while waiting and self._last not in values:
            later = []
            for layer, i, call in waiting:
                if all(source in values for source in call):
                    values[layer.name, i] = self._called(layer, [values[s] for s in call], meter)
                else:
                    meter.step()
                    later.append((layer, i, call))
            if len(later) == len(waiting):
                raise UnlikeError("its layers wait for one another")
            waiting = later
        if self._last not in values:
            raise UnlikeError(_ODD)
        return values[self._last]

    def _called(self, layer: _Layer, given: list[Any], meter: Meter) -> Any:
        if layer.model is not None:
            return layer.model.run(given, meter)
        run = keras_layers.TABLE[layer.kind]
        args = [layer.config, layer.weights, given]
        return operators.guarded(meter, f"its layer {layer.name[:60]}", run, args, {})


def _sizes(shape: list[Any]) -> tuple[int, ...]:
    """A shape, of pictures with the channels in front."""
    sizes = tuple(-1 if n is None else n for n in shape)
    if any(type(n) is not int or not -1 <= n < 1 << 31 for n in sizes):
        raise ValueError
    return (sizes[0], sizes[-1], *sizes[1:-1]) if len(sizes) > 2 else sizes


def _layer(found: dict[str, Any], weights: _Weights, level: int) -> _Layer:
    kind, config = found["class_name"], dict(found["config"] or {})
    name = str(found.get("name") or config.get("name"))
    calls = [_call(node) for node in found.get("inbound_nodes") or []]
    if kind in _MODELS:
        return _Layer(name, kind, config, {}, _Model(found, weights, level + 1), calls)
    if kind not in keras_layers.TABLE:
        raise StoppedError(f"its layer {name[:40]} is a {str(kind)[:40]}, which is not run here")
    policy = config.get("dtype")
    policy = policy.get("config", {}).get("name") if isinstance(policy, dict) else policy
    if isinstance(policy, str) and "float16" in policy:
        raise StoppedError("it reckons in half precision")
    expected = [n for n, flag in keras_layers.VARIABLES.get(kind, ()) if config.get(flag, True)]
    return _Layer(name, kind, config, weights.of(expected), None, calls)


def _call(node: Any) -> list[tuple[str, int]]:
    """The layers, and which call of each, whose results one call takes."""
    if isinstance(node, dict):
        args = node["args"]
        held = args[0] if len(args) == 1 and isinstance(args[0], list) else args
        _plain(node.get("kwargs") or {})
        return [_source(one["config"]["keras_history"]) for one in held]
    for one in node:
        _plain(one[3] if len(one) > 3 else {})
    return [_source(one) for one in node]


def _plain(named: dict[str, Any]) -> None:
    """Refuse a call that says more than what goes in."""
    odd = [k for k, v in named.items() if v is not None and not (k == "training" and v is False)]
    if odd:
        raise StoppedError(f"a layer of it is called with {str(odd[0])[:40]}")


def _source(history: Any) -> tuple[str, int]:
    name, call, output = history[:3]
    if not isinstance(name, str) or type(call) is not int or output != 0:
        raise ValueError
    return name, call


def _ends(said: Any) -> list[tuple[str, int]]:
    """Inputs or outputs of a model: one, or a list of them."""
    if isinstance(said, dict):
        said = list(said.values())
    if said and isinstance(said[0], str):
        said = [said]
    return [_source(one) for one in said]


# ---------------------------------------------------------------- weights


def _weights(tensors: Tensors) -> _Weights:
    """The weights of a model: by names in old files, by place in new ones."""
    old = any(name.startswith("model_weights/") for name in tensors)
    return _Named(tensors, "model_weights/", "") if old else _Placed(tensors, "")


class _Weights:
    """Weights of a model or a layer in a file."""

    def of_layers(self, layers: list[Any]) -> Iterator[tuple[Any, _Weights]]:
        """Each layer of a config with its weights."""
        raise NotImplementedError

    def of(self, expected: list[str]) -> dict[str, NDArray[Any]]:
        """The variables of a layer, in the order in which it made them."""
        raise NotImplementedError


class _Placed(_Weights):
    """Keras 3: folders by class and count, variables by number."""

    def __init__(self, tensors: Tensors, folder: str) -> None:
        self._tensors = tensors
        self._folder = folder

    def of_layers(self, layers: list[Any]) -> Iterator[tuple[Any, _Weights]]:
        counts: dict[str, int] = {}
        for one in layers:
            stem = _snake(str(one["class_name"]))
            count = counts.get(stem, 0)
            counts[stem] = count + 1
            name = f"{stem}_{count}" if count else stem
            for folder in _FOLDERS:
                path = f"{self._folder}{folder}/{name}/"
                if any(n.startswith(path) for n in self._tensors):
                    break
            within = {n: t for n, t in self._tensors.items() if n.startswith(path)}
            yield one, _Placed(within, path)

    def of(self, expected: list[str]) -> dict[str, NDArray[Any]]:
        start = f"{self._folder}vars/"
        held = [n for n in self._tensors if n.startswith(start)]
        if len(held) != len(expected):
            raise StoppedError("the weights of a layer are not where they should be")
        return {n: array_of(self._tensors[f"{start}{i}"]) for i, n in enumerate(expected)}


class _Named(_Weights):
    """Keras 2 and ``.h5``: below the name of the layer, by the names of its variables."""

    def __init__(self, tensors: Tensors, folder: str, parent: str) -> None:
        self._tensors = tensors
        self._folder = folder
        self._parent = parent  # of a layer within a model its own name

    def of_layers(self, layers: list[Any]) -> Iterator[tuple[Any, _Weights]]:
        for one in layers:
            name = str(one.get("name") or one["config"].get("name"))
            if self._folder != "model_weights/":
                yield one, _Named(self._tensors, self._folder, name)
                continue
            start = f"{self._folder}{name}/"
            within = {n: t for n, t in self._tensors.items() if n.startswith(start)}
            yield one, _Named(within, start, "")

    def of(self, expected: list[str]) -> dict[str, NDArray[Any]]:
        found: dict[str, NDArray[Any]] = {}
        for path, tensor in self._tensors.items():
            *folders, leaf = path.split("/")
            leaf = leaf.partition(":")[0]
            if self._parent and (not folders or folders[-1] != self._parent):
                continue
            if leaf in found:
                raise StoppedError("the weights of a layer cannot be told apart")
            found[leaf] = array_of(tensor)
        if set(found) != set(expected):
            raise StoppedError("the weights of a layer are not where they should be")
        return found


def _snake(name: str) -> str:
    """A class as Keras names its folder: ``Conv2DTranspose`` -> ``conv2d_transpose``."""
    name = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", name[:80]))
    return re.sub(r"([a-z])([A-Z])", r"\1_\2", name).lower()
