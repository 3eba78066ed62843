"""Values with named parts: what `dataclasses` makes of a class, in a fifth of the time.

The standard library compiles up to six methods of every class anew. For the hundred and more
classes here that is a tenth of a short ``gandoctor analyze``. This `dataclass` compiles
``__init__`` alone; the other methods are the same functions for all classes. What it does not know
(bases, keyword-only fields, ...) it leaves to the standard library, and so do type checkers.
"""

from __future__ import annotations

import dataclasses
from dataclasses import MISSING, FrozenInstanceError
from operator import attrgetter
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass"]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(cls=None, /, **how):
        """As `dataclasses.dataclass`."""
        if cls is None:
            return lambda cls: dataclass(cls, **how)
        ours = how.get("slots") and set(how) <= {"frozen", "slots", "eq"}
        if not ours or cls.__bases__ != (object,) or cls.__doc__ is None:
            return dataclasses.dataclass(**how)(cls)
        return _made(cls, frozen=how.get("frozen", False), eq=how.get("eq", True))


def _made(cls: Any, *, frozen: bool, eq: bool) -> Any:
    own = set(vars(cls))
    made = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True)(cls)
    fields = dataclasses.fields(made)
    methods: dict[str, Any] = {"__init__": _init_of(made), "__repr__": _repr}
    if eq:
        compared = [f.name for f in fields if f.compare]
        # One name alone would give the part itself, and none is not allowed.
        made._compared = attrgetter(*compared) if len(compared) > 1 else _Parts(compared)
        methods["__eq__"] = _eq
        methods["__hash__"] = _hash if frozen else None
    if frozen:
        methods |= {"__setattr__": _no_assignment, "__delattr__": _no_deletion}
        methods |= {"__getstate__": _state, "__setstate__": _restore}
    for name, method in methods.items():
        # A class that says what is equal has `__hash__ = None` among its own, by Python itself.
        if name not in own or (name == "__hash__" and "__eq__" in own and not frozen):
            setattr(made, name, method)
    return made


def _init_of(cls: Any) -> Any:
    """``__init__`` that fills the slots by their own descriptors: past a frozen class, and fast."""
    names: dict[str, Any] = {"missing": MISSING}
    parameters = ["self"]
    lines = []
    for f in dataclasses.fields(cls):
        names[f"set_{f.name}"] = vars(cls)[f.name].__set__
        names[f"made_{f.name}"] = f.default_factory
        names[f"usual_{f.name}"] = f.default
        value = f.name
        if f.default_factory is not MISSING:
            parameters += [f"{f.name}=missing"] * f.init
            value = f"made_{f.name}()"
            value = f"{value} if {f.name} is missing else {f.name}" if f.init else value
        elif f.default is not MISSING:
            parameters += [f"{f.name}=usual_{f.name}"] * f.init
            value = f.name if f.init else f"usual_{f.name}"
        else:
            parameters.append(f.name)
        lines.append(f"    set_{f.name}(self, {value})")
    if hasattr(cls, "__post_init__"):
        lines.append("    self.__post_init__()")
    text = f"def __init__({', '.join(parameters)}):\n" + ("\n".join(lines) or "    pass")
    exec(text, names)  # noqa: S102  made of the names of fields alone, as in the standard library
    init = names["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    return init


class _Parts:
    """None or one of a value's parts, as a tuple."""

    def __init__(self, names: list[str]) -> None:
        self.names = names

    def __call__(self, value: object) -> tuple[object, ...]:
        return tuple(getattr(value, name) for name in self.names)


def _repr(self: Any) -> str:
    shown = (f for f in dataclasses.fields(self) if f.repr)
    parts = ", ".join(f"{f.name}={getattr(self, f.name)!r}" for f in shown)
    return f"{type(self).__qualname__}({parts})"


def _eq(self: Any, other: Any) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    return bool(self._compared(self) == self._compared(other))


def _hash(self: Any) -> int:
    return hash(self._compared(self))


def _no_assignment(self: Any, name: str, value: object) -> None:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _no_deletion(self: Any, name: str) -> None:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[object]:
    return [getattr(self, f.name) for f in dataclasses.fields(self)]


def _restore(self: Any, state: list[object]) -> None:
    for f, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, f.name, value)
