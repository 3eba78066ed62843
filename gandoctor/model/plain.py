"""Frozen values to plain data for JSON, and back; what comes back may be anybody's."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from typing import Any


def plain(value: object) -> object:
    """Values as ``json.dumps`` takes them; NaN and infinities become None."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        told = ((f, getattr(value, f.name)) for f in dataclasses.fields(value))
        # a quiet field is told only where it has something to tell
        return {f.name: plain(its) for f, its in told if its or "quiet" not in f.metadata}
    if isinstance(value, tuple | list):
        return [plain(v) for v in value]
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def built(kind: Any, data: Any, where: str) -> Any:
    """Build a value of the annotated type `kind` from plain data, which may be anybody's."""
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        if data is None and type(None) in args:
            return None
        return built(next(k for k in args if k is not type(None)), data, where)
    if origin is typing.Literal:
        if data in args:
            return data
        raise ValueError(f"{where} is none of {', '.join(map(str, args))}")
    if dataclasses.is_dataclass(kind):
        _expect(data, dict, where)
        hints = typing.get_type_hints(kind)
        needed = [f.name for f in dataclasses.fields(kind) if _is_needed(f)]
        if missing := [name for name in needed if name not in data]:
            raise ValueError(f"{where}.{missing[0]} is missing")
        given = {name: data[name] for name in hints if name in data}
        return kind(**{k: built(hints[k], v, f"{where}.{k}") for k, v in given.items()})  # type: ignore[operator]
    if origin is tuple:
        _expect(data, (list, tuple), where)
        each = [args[0]] * len(data) if len(args) == 2 and args[1] is Ellipsis else args
        if len(each) != len(data):
            raise ValueError(f"{where} does not hold {len(each)} values")
        return tuple(
            built(k, v, f"{where}[{i}]") for i, (k, v) in enumerate(zip(each, data, strict=True))
        )
    if origin is dict:
        _expect(data, dict, where)
        return {k: built(args[1], v, f"{where}.{k}") for k, v in data.items()}
    _expect(data, (int, float) if kind is float else kind, where)
    if isinstance(data, bool) and kind is not bool:
        raise ValueError(f"{where} is a truth value")
    if isinstance(data, int) and abs(data) >= 1 << 63:
        raise ValueError(f"{where} is out of range")
    return data


def _is_needed(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _expect(data: object, kind: type | tuple[type, ...], where: str) -> None:
    if not isinstance(data, kind):
        raise ValueError(f"{where} is {'nothing' if data is None else f'a {type(data).__name__}'}")
