"""ONNX files written by hand: protobuf's wire format, and the few messages that are needed."""

from __future__ import annotations

import struct

import numpy as np


def varint(value):
    value &= (1 << 64) - 1
    found = b""
    while value > 127:
        found += bytes([value & 127 | 128])
        value >>= 7
    return found + bytes([value])


def field(number, value):
    """A field: whole numbers, floats, texts and messages by their kind."""
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        return varint(number << 3 | 2) + varint(len(value)) + value
    if isinstance(value, float):
        return varint(number << 3 | 5) + struct.pack("<f", value)
    return varint(number << 3) + varint(value)


def tensor(name, array, raw=True, external=None):
    kind = {"f": 1, "i": 7}[array.dtype.kind]
    found = b"".join(field(1, n) for n in array.shape) + field(2, kind) + field(8, name)
    if external is not None:
        entries = b"".join(field(13, field(1, k) + field(2, v)) for k, v in external.items())
        return found + entries + field(14, 1)
    if raw:
        return found + field(9, np.ascontiguousarray(array).tobytes())
    if kind == 1:
        return found + field(4, array.astype("<f4").tobytes())
    return found + field(7, b"".join(varint(int(n)) for n in array.reshape(-1)))


def attribute(name, value):
    found = field(1, name)
    if isinstance(value, np.ndarray):
        return found + field(5, tensor("", value))
    if isinstance(value, list):
        whole = all(isinstance(v, int) for v in value)
        return found + b"".join(field(8 if whole else 7, v) for v in value)
    return found + field({float: 2, int: 3, str: 4}[type(value)], value)


def node(kind, takes, gives, domain="", **said):
    found = b"".join(field(1, n) for n in takes) + b"".join(field(2, n) for n in gives)
    found += field(4, kind) + (field(7, domain) if domain else b"")
    return found + b"".join(field(5, attribute(k, v)) for k, v in said.items())


def value(name, shape, kind=1):
    """An input or output; names stand for sizes that are free."""
    dims = b"".join(field(1, field(2, n) if isinstance(n, str) else field(1, n)) for n in shape)
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, dims)))


def model(nodes, weights, inputs, outputs, opset=17, **more):
    graph = b"".join(field(1, n) for n in nodes) + field(2, "main")
    graph += b"".join(
        field(5, tensor(k, v, **more) if isinstance(v, np.ndarray) else v)
        for k, v in weights.items()
    )
    graph += b"".join(field(11, i) for i in inputs) + b"".join(field(12, o) for o in outputs)
    head = field(1, 8) + field(2, "hand")
    return head + field(7, graph) + field(8, field(1, "") + field(2, opset))
