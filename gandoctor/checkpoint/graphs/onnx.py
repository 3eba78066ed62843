"""ONNX graphs: nodes in the order in which they run, followed over numpy arrays."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gandoctor.checkpoint import onnx_files
from gandoctor.checkpoint.graphs import onnx_operators, operators
from gandoctor.checkpoint.graphs.borders import Input
from gandoctor.checkpoint.graphs.meter import Meter, StoppedError
from gandoctor.checkpoint.graphs.reading import array_of, idle
from gandoctor.checkpoint.parts import UnlikeError
from gandoctor.checkpoint.windows import Window
from gandoctor.files import protobuf as pb
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from gandoctor.checkpoint.plans import Plan

_ODD: Final = "its graph is damaged"
_WHOLE: Final = frozenset({2, 3, 4, 5, 6, 7, 12, 13})
_MOST_LISTED: Final = 4_096
# Fields of ``NodeProto``, ``AttributeProto`` and ``ValueInfoProto``.
_INPUT, _OUTPUT, _OP, _ATTRIBUTE, _DOMAIN = 1, 2, 4, 5, 7
_NAME, _F, _I, _S, _T, _G, _FLOATS, _INTS = 1, 2, 3, 4, 5, 6, 7, 8
_FAULTS: Final = (*operators.FAULTS, *operators.FAULTS_OF_ROOM, pb.WireError, struct.error)


@dataclass(frozen=True, slots=True, eq=False)
class _Node:
    """An operator with what goes in and comes out, by name; an empty name is nothing."""

    kind: str
    takes: tuple[str, ...]
    gives: tuple[str, ...]
    said: dict[str, Any]


class Onnx:
    """A graph of ONNX, as a `borders.Program`."""

    def __init__(self, plan: Plan) -> None:
        try:
            parts = list(plan.texts().values())
            opset = next((p[1] for p in parts if p[0] == onnx_files.OPSET), 0)
            self._nodes = [_node(p[1:], opset) for p in parts if p[0] == onnx_files.NODE]
            given = [_value(p[1:]) for p in parts if p[0] == onnx_files.INPUT]
            self._last = next(_value(p[1:]).name for p in parts if p[0] == onnx_files.OUTPUT)
            self._idle = idle([n.takes for n in self._nodes], {self._last})
            self._held = {n: array_of(t) for n, t in plan.tensors.items()}
        except _FAULTS:
            raise UnlikeError(_ODD) from None
        self.inputs = tuple(i for i in given if i.name not in self._held)

    def run(self, given: Sequence[NDArray[Any]], meter: Meter) -> Any:
        """What the graph makes of a batch."""
        values: dict[str, Any] = dict(self._held)
        values |= zip((i.name for i in self.inputs), given, strict=True)
        for at, node in enumerate(self._nodes):
            if any(n and n not in values for n in node.takes):
                raise UnlikeError(_ODD)
            args = [values[n] if n else None for n in node.takes]
            while args and args[-1] is None:
                args.pop()
            what = f"{node.kind[:60]} in its graph"
            run = onnx_operators.TABLE[node.kind]
            made = operators.guarded(meter, what, run, [node.said, args], {})
            several = isinstance(made, list | tuple)
            values |= zip(node.gives, made if several else [made], strict=False)
            for name in self._idle.get(at, ()):
                values.pop(name, None)
        if self._last not in values:
            raise UnlikeError(_ODD)
        return values[self._last]


def _fields(data: bytes) -> Iterator[tuple[int, int, int, int]]:
    return pb.fields(data, 0, len(data))


def _node(data: bytes, opset: int) -> _Node:
    names: dict[int, list[str]] = {_INPUT: [], _OUTPUT: [], _OP: [""], _DOMAIN: [""]}
    said: dict[str, Any] = {"opset": opset}
    for number, wire, a, b in _fields(data):
        if number in names and wire == pb.BYTES:
            names[number].append(pb.text(data, a, min(b, a + 300)))
        elif number == _ATTRIBUTE and wire == pb.BYTES:
            name, value = _attribute(data[a:b])
            said[name] = value
    kind, domain = names[_OP][-1], names[_DOMAIN][-1]
    if domain not in ("", "ai.onnx") or kind not in onnx_operators.TABLE:
        shown = f"{domain}.{kind}" if domain not in ("", "ai.onnx") else kind
        raise StoppedError(f"its graph holds {shown[:60]}, which is not run here")
    said |= {"op": kind, "outputs": len(names[_OUTPUT])}
    return _Node(kind, tuple(names[_INPUT]), tuple(names[_OUTPUT]), said)


def _attribute(data: bytes) -> tuple[str, Any]:
    name, value = "", None
    listed: list[Any] = []
    for number, wire, a, b in _fields(data):
        if number == _NAME and wire == pb.BYTES:
            name = pb.text(data, a, min(b, a + 100))
        elif number == _F and wire == pb.FIXED32:
            value = struct.unpack("<f", data[a:b])[0]
        elif number == _I and wire == pb.VARINT:
            value = pb.signed(pb.varint(data, a, b)[0])
        elif number == _S and wire == pb.BYTES:
            value = pb.text(data, a, min(b, a + 300))
        elif number == _T and wire == pb.BYTES:
            value = array_of(onnx_files.held_tensor(data[a:b], Window(Path(), 0, 0))[1])
        elif number == _FLOATS:
            listed += struct.unpack(f"<{(b - a) // 4}f", data[a:b])
        elif number == _INTS:
            listed += onnx_files.numbers(data[a:b], wire)
        elif number == _G:
            raise StoppedError("its graph holds graphs within it")
        if len(listed) > _MOST_LISTED:
            raise ValueError
    return name, listed if value is None else value


def _value(data: bytes) -> Input:
    """An input or output: its name, and the shape and kind that it is said to have."""
    name, shape, whole = "", None, None
    for number, wire, a, b in _fields(data):
        if number == 1 and wire == pb.BYTES:
            name = pb.text(data, a, min(b, a + 300))
        elif number == 2 and wire == pb.BYTES:
            for of_type, _, c, d in pb.fields(data, a, b):
                if of_type == 1:
                    shape, whole = _kind(data[c:d])
    return Input(name, shape, whole)


def _kind(data: bytes) -> tuple[tuple[int, ...] | None, bool | None]:
    shape: list[int] | None = None
    whole = None
    for number, wire, a, b in _fields(data):
        if number == 1 and wire == pb.VARINT:
            whole = pb.varint(data, a, b)[0] in _WHOLE
        elif number == 2 and wire == pb.BYTES:
            shape = []
            for one, _, c, d in pb.fields(data, a, b):
                if one == 1:
                    known = [
                        pb.varint(data, e, f)[0] for n, _, e, f in pb.fields(data, c, d) if n == 1
                    ]
                    shape.append(known[0] if known and 0 < known[0] < 1 << 31 else -1)
    return (None if shape is None else tuple(shape)), whole
