"""TorchScript: the code in the file is read as text and followed step by step, over numpy arrays.

It is written in a small part of Python's grammar. Its tree is walked here; nothing is compiled, and
a name means what the tables of `operators` and of this module have for it, or nothing.
"""

from __future__ import annotations

import ast
import math
import warnings
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gandoctor.checkpoint.graphs import operators
from gandoctor.checkpoint.graphs.borders import Input
from gandoctor.checkpoint.graphs.meter import MOST_LISTED, Meter, StoppedError
from gandoctor.checkpoint.graphs.reading import array_of
from gandoctor.checkpoint.inert import Made
from gandoctor.checkpoint.objects import (
    dict_of,
    dtype_of_storage,
    named_attributes,
    path_of,
    rows_of,
    storage_pid,
)
from gandoctor.checkpoint.parts import UnlikeError
from gandoctor.checkpoint.tensors import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from gandoctor.checkpoint.plans import Plan

MOST_PARSED: Final = 1 << 19  # bytes of code
DEEPEST: Final = 60  # calls within calls
_MOST_CONSTANT: Final = 1 << 22  # values of all constants
_FREE: Final = {"inf": math.inf, "nan": math.nan}


class _Path(str):
    """A dotted name that stands for something outside the code."""

    __slots__ = ()


class _Left(Exception):  # noqa: N818
    """A function is left with a value."""

    def __init__(self, value: Any) -> None:
        self.value = value


class Script:
    """The code of a TorchScript file with its module, as a `borders.Program`."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._texts = plan.texts()
        self._left = MOST_PARSED
        self._trees: dict[str, dict[str, ast.stmt]] = {}
        self._arrays: dict[int, np.ndarray[Any, Any]] = {}
        self._constants: list[Any] | None = None
        self._meter = Meter()
        self._depth = 0
        forward = self._method(plan.root, "forward")
        self.inputs = tuple(self._inputs(forward))

    def run(self, given: Sequence[np.ndarray[Any, Any]], meter: Meter) -> Any:
        """What the module makes of a batch."""
        self._meter, self._depth = meter, 0
        try:
            return self._called(
                self._method(self._plan.root, "forward"), [self._plan.root, *given], {}
            )
        except operators.FAULTS:
            raise UnlikeError("its code does not fit what goes into it") from None
        except operators.FAULTS_OF_ROOM:
            raise StoppedError("its code is nested too deeply, or takes too much") from None

    # ------------------------------------------------------------ what goes in

    def _inputs(self, forward: ast.FunctionDef) -> list[Input]:
        args = forward.args.args[1:]
        optional = len(forward.args.defaults)
        seen = self._seen()
        found = []
        for at, arg in enumerate(args):
            kind = ast.unparse(arg.annotation)[:80] if arg.annotation else ""
            if kind == "Tensor":
                shape, whole = seen[at] if at < len(seen) else (None, None)
                found.append(Input(arg.arg[:80], shape, whole))
            elif at < len(args) - optional:
                raise StoppedError(f"it takes {arg.arg[:40]}, of kind {kind[:40]}")
            else:
                break
        return found

    def _seen(self) -> list[tuple[tuple[int, ...] | None, bool | None]]:
        """Shapes of the examples that a module was traced with, where the file has them."""
        found = self._plan.more("traced_inputs") if self._plan.more else None
        them = dict_of(_unwrapped(found[0])).get("forward") if found else None
        return [_shape_of(one) for one in _listed(_unwrapped(them))]

    # ------------------------------------------------------------ code

    def _names_in(self, path: str) -> dict[str, ast.stmt]:
        """What one file of code defines."""
        if path not in self._trees:
            text = self._texts.get(f"{path.replace('.', '/')}.py", b"")
            self._left -= len(text)
            if self._left < 0:
                raise StoppedError("its code is too long")
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    body = ast.parse(text).body
            except (SyntaxError, ValueError, *operators.FAULTS_OF_ROOM):
                raise StoppedError("its code cannot be read") from None
            kinds = (ast.ClassDef, ast.FunctionDef)
            self._trees[path] = {s.name: s for s in body if isinstance(s, kinds)}
        return self._trees[path]

    def _function(self, path: str) -> ast.FunctionDef:
        folder, _, name = path.rpartition(".")
        found = self._names_in(folder).get(name)
        if not isinstance(found, ast.FunctionDef):
            raise StoppedError(f"its code calls {path[:80]}, which it does not hold")
        return found

    def _method(self, module: object, name: str) -> ast.FunctionDef:
        folder, _, kind = path_of(module).rpartition(".")
        found = self._names_in(folder).get(kind)
        for one in found.body if isinstance(found, ast.ClassDef) else ():
            if isinstance(one, ast.FunctionDef) and one.name == name:
                return one
        raise StoppedError(f"its code lacks {kind[:60]}.{name[:40]}")

    def _called(self, function: ast.FunctionDef, args: list[Any], named: dict[str, Any]) -> Any:
        self._depth += 1
        if self._depth > DEEPEST:
            raise StoppedError("its code calls itself")
        names = [a.arg for a in function.args.args]
        defaults = function.args.defaults
        frame = dict(zip(names, args, strict=False))
        frame |= {k: v for k, v in named.items() if k in names}
        for name, default in zip(names[len(names) - len(defaults) :], defaults, strict=True):
            if name not in frame:
                frame[name] = self._value(default, {})
        if len(args) > len(names) or len(frame) < len(names):
            raise TypeError
        try:
            self._done(function.body, frame)
        except _Left as left:
            return left.value
        finally:
            self._depth -= 1
        return None

    # ------------------------------------------------------------ statements

    def _done(self, body: Sequence[ast.stmt], frame: dict[str, Any]) -> None:
        for one in body:
            self._meter.step()
            if isinstance(one, ast.Assign) and len(one.targets) == 1:
                _bind(one.targets[0], self._value(one.value, frame), frame)
            elif isinstance(one, ast.AnnAssign) and one.value is not None:
                _bind(one.target, self._value(one.value, frame), frame)
            elif isinstance(one, ast.Expr):
                self._value(one.value, frame)
            elif isinstance(one, ast.If):
                chosen = one.body if _truth(self._value(one.test, frame)) else one.orelse
                self._done(chosen, frame)
            elif isinstance(one, ast.For):
                self._repeated(one, frame)
            elif isinstance(one, ast.While):
                while _truth(self._value(one.test, frame)):
                    self._done(one.body, frame)
            elif isinstance(one, ast.Return):
                raise _Left(self._value(one.value, frame) if one.value else None)
            elif not isinstance(one, ast.Pass):
                raise StoppedError(f"its code holds a statement not run here ({_kind(one)})")

    def _repeated(self, loop: ast.For, frame: dict[str, Any]) -> None:
        call = loop.iter
        if not (isinstance(call, ast.Call) and _word(call.func) == "range" and len(call.args) == 1):
            raise StoppedError("its code holds a loop that is not run here")
        for i in range(int(self._value(call.args[0], frame))):
            self._meter.step()
            _bind(loop.target, i, frame)
            self._done(loop.body, frame)

    # ------------------------------------------------------------ values

    def _value(self, tree: ast.expr, frame: dict[str, Any]) -> Any:
        if isinstance(tree, ast.Name):
            if tree.id in frame:
                return frame[tree.id]
            return _FREE[tree.id] if tree.id in _FREE else _Path(tree.id)
        if isinstance(tree, ast.Constant):
            return tree.value
        if isinstance(tree, ast.Call):
            return self._call(tree, frame)
        if isinstance(tree, ast.Attribute):
            return self._attribute(self._value(tree.value, frame), tree.attr)
        if isinstance(tree, ast.List):
            return [self._value(v, frame) for v in tree.elts]
        if isinstance(tree, ast.Tuple):
            return tuple(self._value(v, frame) for v in tree.elts)
        if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.USub):
            return -self._value(tree.operand, frame)
        if isinstance(tree, ast.Subscript):
            return _item(self._value(tree.value, frame), self._value(tree.slice, frame))
        if isinstance(tree, ast.IfExp):
            chosen = tree.body if _truth(self._value(tree.test, frame)) else tree.orelse
            return self._value(chosen, frame)
        raise StoppedError(f"its code holds an expression that is not run here ({_kind(tree)})")

    def _attribute(self, value: Any, name: str) -> Any:
        if isinstance(value, _Path):
            if value == "CONSTANTS":
                return self._constant(name)
            return _Path(f"{value}.{name}")
        if not isinstance(value, Made):
            raise TypeError
        entries = named_attributes(value)
        if name not in entries:
            raise StoppedError(f"its code asks for {name[:60]}, which the module lacks")
        return self._held(entries[name])

    def _held(self, value: Any) -> Any:
        """What a module holds: an array where it is a tensor."""
        value = _unwrapped(value)
        if not isinstance(value, Made):
            return value
        resolver = self._plan.resolver
        tensor = resolver.tensor_of(value) if resolver else None
        if tensor is None:
            return value
        return self._array(value, tensor)

    def _array(self, value: object, tensor: object) -> np.ndarray[Any, Any]:
        if id(value) not in self._arrays:
            self._arrays[id(value)] = array_of(tensor)
        found = self._arrays[id(value)]
        return found if found.dtype.kind == "f" else found.copy()  # counters are added to

    def _constant(self, name: str) -> Any:
        if self._constants is None:
            found = self._plan.more("constants") if self._plan.more else None
            them = _listed(_unwrapped(found[0])) if found else []
            tensors = [(v, found[1].tensor_of(v)) for v in them] if found else []
            size = sum(t.size for _, t in tensors if isinstance(t, Tensor))
            if len(tensors) > MOST_LISTED or size > _MOST_CONSTANT:
                raise StoppedError("its code holds constants that are too large")
            self._constants = [v if t is None else array_of(t) for v, t in tensors]
        return self._constants[int(name.removeprefix("c"))]

    # ------------------------------------------------------------ calls

    def _call(self, tree: ast.Call, frame: dict[str, Any]) -> Any:
        self._meter.step()
        word = _word(tree.func)
        if word in ("annotate", "unchecked_cast"):
            return self._value(tree.args[1], frame)
        if word == "uninitialized":
            return None
        args = [self._value(a, frame) for a in tree.args]
        named = {k.arg: self._value(k.value, frame) for k in tree.keywords if k.arg}
        if word == "getattr":
            return self._attribute(*args)
        if isinstance(tree.func, ast.Attribute) and not _is_free(tree.func, frame):
            owner = self._value(tree.func.value, frame)
            if not isinstance(owner, Made):
                raise TypeError
            return self._called(self._method(owner, tree.func.attr), [owner, *args], named)
        function = self._value(tree.func, frame)
        if not isinstance(function, _Path):
            raise TypeError
        if function.startswith("__torch__."):
            return self._called(self._function(function), args, named)
        return self._operator(function, args, named)

    def _operator(self, path: str, args: list[Any], named: dict[str, Any]) -> Any:
        name = path.rpartition(".")[2]
        if path in _PLAIN:
            return _PLAIN[path](*args)
        if path.startswith("ops.prim."):
            if name not in _PRIMITIVE:
                raise StoppedError(f"its code calls {path[:60]}, which is not run here")
            return _PRIMITIVE[name](*args)
        if not path.startswith(("torch.", "ops.aten.")):
            raise StoppedError(f"its code calls {path[:60]}, which is not run here")
        if name in _OF_LISTS:
            return _OF_LISTS[name](*args)
        return operators.apply(self._meter, name, args, named)


def _bind(target: ast.expr, value: Any, frame: dict[str, Any]) -> None:
    if isinstance(target, ast.Name):
        frame[target.id] = value
    elif isinstance(target, ast.Tuple) and isinstance(value, list | tuple):
        for one, part in zip(target.elts, value, strict=True):
            _bind(one, part, frame)
    else:
        raise StoppedError(f"its code holds a statement that is not run here ({_kind(target)})")


def _truth(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        value = value.item()
    if not isinstance(value, bool | int | float):
        raise TypeError
    return bool(value)


def _word(tree: ast.expr) -> str:
    return tree.id if isinstance(tree, ast.Name) else ""


def _is_free(tree: ast.expr, frame: dict[str, Any]) -> bool:
    """Whether a dotted name begins outside the code."""
    while isinstance(tree, ast.Attribute):
        tree = tree.value
    return isinstance(tree, ast.Name) and tree.id not in frame


def _kind(tree: ast.AST) -> str:
    return type(tree).__name__


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _unwrapped(value: Any) -> Any:
    """A list or mapping without the tag of its type."""
    for _ in range(4):
        if not isinstance(value, Made) or rows_of(value) is not None:
            return value
        if not path_of(value).startswith("torch.jit._pickle.") or not isinstance(value.args, tuple):
            return value
        if not value.args:
            return value
        value = value.args[0]
    return value


def _shape_of(value: Any) -> tuple[tuple[int, ...] | None, bool | None]:
    """Shape and kind of a tensor whose numbers need not be in the file."""
    args = value.args if isinstance(value, Made) and isinstance(value.args, tuple) else ()
    if len(args) < 3 or not path_of(value).startswith("torch._utils._rebuild_tensor"):
        return None, None
    pid = storage_pid(getattr(args[0], "pid", None))
    sizes = _listed(args[2])
    if pid is None or any(type(n) is not int or not 0 <= n < 1 << 31 for n in sizes):
        return None, None
    return tuple(sizes), "int" in dtype_of_storage(pid[0])


# ---------------------------------------------------------------- what is no operator


def _refused(*_: Any) -> None:
    raise UnlikeError("its own code refuses what goes into it")


def _number(kind: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def run(value: Any) -> Any:
        value = value.item() if isinstance(value, np.ndarray) else value
        if not isinstance(value, bool | int | float):
            raise TypeError
        return kind(value)

    return run


def _appended(them: Any, value: Any) -> Any:
    if not isinstance(them, list) or len(them) >= MOST_LISTED:
        raise TypeError
    them.append(value)
    return them


def _length(value: Any) -> int:
    if not isinstance(value, list | tuple | str | np.ndarray):
        raise TypeError
    return len(value)


def _item(them: Any, at: int) -> Any:
    if not isinstance(them, list | tuple):
        raise TypeError
    return them[at]


def _found(them: Any, value: Any) -> bool:
    if not isinstance(them, list | tuple) or not isinstance(value, str | int | float):
        raise TypeError
    return any(type(one) is type(value) and one == value for one in them)


def _is_not(value: Any) -> bool:
    return not _truth(value)


def _kind_of(value: Any) -> int:
    return {"float32": 6, "int64": 4, "int32": 3, "bool": 11}[value.dtype.name]


_PLAIN: Final[dict[str, Callable[..., Any]]] = {
    "int": _number(int),
    "float": _number(float),
    "bool": _number(bool),
    "torch.device": lambda *_: None,
}
_PRIMITIVE: Final[dict[str, Callable[..., Any]]] = {
    "NumToTensor": lambda value: value,
    "data": lambda value: value,
    "RaiseException": _refused,
    "dtype": _kind_of,
    "device": lambda _: None,
    "is_cuda": lambda _: False,
    "requires_grad": lambda _: False,
    "min": min,
    "max": max,
}
_OF_LISTS: Final[dict[str, Callable[..., Any]]] = {
    "__is__": lambda a, b: a is b,
    "__isnot__": lambda a, b: a is not b,
    "__not__": _is_not,
    "__contains__": _found,
    "__getitem__": _item,
    "__range_length": lambda *bounds: len(range(*bounds)),
    "__derive_index": lambda at, start, step: start + at * step,
    "len": _length,
    "append": _appended,
    "format": lambda *_: "",
    "warn": lambda *_: None,
    "list": list,
    "Int": _number(int),
    "IntImplicit": _number(int),
    "Float": _number(float),
    "FloatImplicit": _number(float),
    "Bool": _number(bool),
    "ScalarImplicit": _number(lambda value: value),
    "is_floating_point": lambda x: x.dtype.kind == "f",
}
