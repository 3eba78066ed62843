"""Programs of ``torch.export``: a list of operators as JSON, followed over numpy arrays."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from gandoctor.checkpoint.graphs import operators
from gandoctor.checkpoint.graphs.borders import Input
from gandoctor.checkpoint.graphs.meter import Meter, StoppedError
from gandoctor.checkpoint.graphs.reading import array_of, idle
from gandoctor.checkpoint.parts import UnlikeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy as np

    from gandoctor.checkpoint.plans import Plan

# Kinds of numbers: as the file numbers them, and as torch's operators do.
_KINDS: Final = {1: 0, 2: 1, 3: 2, 4: 3, 5: 4, 6: 5, 7: 6, 8: 7, 12: 11, 13: 15}
_WHOLE: Final = frozenset({1, 2, 3, 4, 5})
_PLAIN: Final = ("as_int", "as_float", "as_bool", "as_string", "as_ints", "as_floats", "as_bools")
_NOTHING: Final = ("as_none", "as_device", "as_layout", "as_memory_format")
_ODD: Final = "its graph is damaged"


class Exported:
    """A program that was exported, as a `borders.Program`."""

    def __init__(self, plan: Plan) -> None:
        texts = list(plan.texts().values())
        if len(texts) != 1:
            raise StoppedError("the file holds several programs")
        try:
            found = json.loads(texts[0])["graph_module"]
            self._graph = found["graph"]
            self._held: dict[str, Any] = {}
            self.inputs = tuple(self._inputs(found["signature"], plan))
            outputs = found["signature"]["output_specs"]
            self._outputs = [o["user_output"]["arg"] for o in outputs if "user_output" in o]
            used = [[o["arg"] for o in n["inputs"]] for n in self._graph["nodes"]]
            self._idle = idle([list(_names(u)) for u in used], set(_names(self._outputs)))
        except (*operators.FAULTS, *operators.FAULTS_OF_ROOM):
            raise UnlikeError(_ODD) from None

    def _inputs(self, signature: dict[str, Any], plan: Plan) -> list[Input]:
        found = []
        for spec in signature["input_specs"]:
            kind, held = next(iter(spec.items()))
            arg = held["arg"]
            if kind == "user_input":
                if "as_tensor" not in arg:
                    raise StoppedError("it takes what is no tensor")
                found.append(self._input(arg["as_tensor"]["name"]))
            elif kind in ("parameter", "buffer", "tensor_constant"):
                name = held[f"{kind}_name"]
                self._held[arg["name"]] = array_of(plan.tensors.get(name))
            else:
                raise StoppedError(f"its graph takes a {str(kind)[:40]}, which is not read")
        return found

    def _input(self, name: str) -> Input:
        meta = self._graph["tensor_values"][name]
        shape = tuple(n.get("as_int", -1) for n in meta["sizes"])
        if any(type(n) is not int or not -1 <= n < 1 << 31 for n in shape):
            raise ValueError
        return Input(str(name)[:80], shape, meta["dtype"] in _WHOLE)

    def run(self, given: Sequence[np.ndarray[Any, Any]], meter: Meter) -> Any:
        """What the program makes of a batch."""
        # What counts is added to.
        values = {n: v if v.dtype.kind == "f" else v.copy() for n, v in self._held.items()}
        values |= zip((i.name for i in self.inputs), given, strict=True)
        try:
            for at, node in enumerate(self._graph["nodes"]):
                _done(node, values, meter)
                for name in self._idle.get(at, ()):
                    values.pop(name, None)
            made = [_read(o, values) for o in self._outputs]
        except (*operators.FAULTS, *operators.FAULTS_OF_ROOM):
            raise UnlikeError(_ODD) from None
        return made[0] if len(made) == 1 else made


def _names(arg: Any) -> Iterator[str]:
    """The values that an argument speaks of."""
    stack = [arg]
    while stack:
        one = stack.pop()
        if isinstance(one, list):
            stack += one
        elif isinstance(one, dict):
            stack += [v for v in one.values() if isinstance(v, dict | list)]
            yield from (str(one[k]) for k in ("name", "as_name") if k in one)


def _done(node: dict[str, Any], values: dict[str, Any], meter: Meter) -> None:
    target = node["target"].split(".")
    if target[:3] == ["torch", "ops", "aten"] and len(target) > 3:
        name = target[3]
    elif target[0] in ("_operator", "operator") and len(target) == 2:
        name = target[1]
    else:
        raise StoppedError(f"its graph holds {node['target'][:60]}, which is not run here")
    args, named = [], {}
    for one in node["inputs"]:
        value = _read(one["arg"], values)
        if one.get("kind", 1) == 1:
            args.append(value)
        else:
            named[one["name"]] = value
    made = operators.apply(meter, name, args, named)
    outputs = node["outputs"]
    if len(outputs) == 1:
        _noted(outputs[0], made, values)
        return
    for one, part in zip(outputs, made if outputs else (), strict=True):
        _noted(one, part, values)


def _noted(output: dict[str, Any], made: Any, values: dict[str, Any]) -> None:
    """Keep what an operator made under the names that it has in the graph."""
    kind, names = next(iter(output.items()))
    if kind == "as_tensors":
        for one, part in zip(names, made, strict=True):
            values[one["name"]] = part
    elif kind in ("as_tensor", "as_sym_int", "as_sym_float", "as_sym_bool"):
        values[names.get("name") or names["as_name"]] = made
    elif kind != "as_none":
        raise ValueError(kind)


def _read(arg: dict[str, Any], values: dict[str, Any]) -> Any:
    """An argument: a number, a list of them, or what an operator before it made."""
    kind, value = next(iter(arg.items()))
    if kind in _NOTHING:
        return None
    if kind in _PLAIN:
        return value
    if kind == "as_tensor":
        return values[value["name"]]
    if kind in ("as_tensors", "as_nested_tensors"):
        return [values[one["name"]] for one in value]
    if kind == "as_scalar_type":
        return _KINDS[value]
    if kind in ("as_sym_int", "as_sym_float", "as_sym_bool"):
        return _symbol(value, values)
    if kind in ("as_sym_ints", "as_sym_floats"):
        return [_symbol(one, values) for one in value]
    if kind == "as_optional_tensors":
        return [_read(one, values) for one in value]
    raise StoppedError(f"its graph holds {str(kind)[:40]}, which is not read")


def _symbol(value: dict[str, Any], values: dict[str, Any]) -> Any:
    if "as_name" in value:
        return values[value["as_name"]]
    return next(iter(value.values()))
