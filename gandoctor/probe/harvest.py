"""What a training script defines, without running its body.

Imports, classes, functions, argparse defaults and simple constants are taken; loops, trainings and
whatever else stands at its top level are not. Bodies of classes are executed, so this is done for a
script that the user names, and for no other.
"""

from __future__ import annotations

import argparse
import ast
import operator
import types
from typing import TYPE_CHECKING, Any, Final

from gandoctor.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

MOST_BYTES: Final = 2 << 20
MOST_SIZE: Final = 1 << 20  # of a number or a text that is worked out
_BINARY: Final[Mapping[type, Callable[[Any, Any], Any]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
# Calls that only work something out.
_HARMLESS: Final = frozenset(
    {
        *("int", "float", "str", "bool", "tuple", "list", "dict", "len", "max", "min", "abs"),
        *("round", "sum", "range", "sorted", "set", "math.prod", "math.log2", "math.sqrt"),
        *("np.prod", "numpy.prod", "np.log2", "math.floor", "math.ceil", "torch.device"),
        *("torch.cuda.is_available", "torch.Size", "argparse.Namespace", "SimpleNamespace"),
    }
)


class UnknownError(Exception):
    """An expression that is not worked out without running more than it says."""


class Missing:
    """Stands for a module that is not installed: whatever is asked of it is missing, too."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Missing(f"{self._name}.{name}")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """As a decorator it leaves what it decorates; as anything else it is missing."""
        return args[0] if len(args) == 1 and callable(args[0]) else self

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        """What a class is made from where its base is missing: a module, as in Lightning."""
        from gandoctor.probe.backend import torch

        return (torch().nn.Module,) if self._name.endswith("Module") else ()


def harvest(path: Path, /, **known: Any) -> types.SimpleNamespace:
    """What a script defines.

    Parameters
    ----------
    path : Path
    **known
        Values that go before the script's own, for its constants and its options of that name.

    Returns
    -------
    SimpleNamespace
        Its names; ``_tree`` is the script as it was parsed, ``_known`` what was given,
        ``_options`` the options of its command line by default.

    Raises
    ------
    InputError
        It cannot be read, or is no Python.
    """
    try:
        data = path.read_bytes()
        if len(data) > MOST_BYTES:
            raise InputError("is too long for a script", str(path))
        tree = ast.parse(data, str(path))
    except OSError as e:
        raise InputError(f"cannot be read ({e.strerror})", str(path)) from None
    except (SyntaxError, ValueError) as e:
        raise InputError(
            f"is no Python ({e})", str(path), "export a notebook as a script"
        ) from None
    names: dict[str, Any] = {"__name__": "gandoctor_harvest", "__file__": str(path)}
    options = _options(tree, names)
    options.__dict__.update(_of(options, known))
    for node in _statements(tree.body):
        _take(node, names, options, known)
    names.update({k: v for k, v in known.items() if k not in names})
    return types.SimpleNamespace(**names, _tree=tree, _known=known, _options=options)


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Top-level statements, those within `try` and `if` among them, main guards not."""
    for node in body:
        guard = isinstance(node, ast.If) and "__main__" in ast.dump(node.test)
        if isinstance(node, ast.Try | ast.If) and not guard:
            yield from _statements(node.body)
        else:
            yield node


def _take(
    node: ast.stmt, names: dict[str, Any], options: argparse.Namespace, known: Mapping[str, Any]
) -> None:
    if isinstance(node, ast.Import | ast.ImportFrom):
        _import(node, names)
    elif isinstance(node, ast.ClassDef | ast.FunctionDef):
        module = ast.Module([node], [])
        try:
            exec(compile(module, names["__file__"], "exec"), names)  # noqa: S102  the user's, asked for
        except Exception:  # a class that needs what was not run
            names.pop(node.name, None)
    elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
        assign(node, names, options, known)


def _import(node: ast.Import | ast.ImportFrom, names: dict[str, Any]) -> None:
    for alias in node.names:
        if alias.name == "*":
            continue
        single = (
            ast.Import([alias])
            if isinstance(node, ast.Import)
            else ast.ImportFrom(node.module, [alias], node.level)
        )
        bound = alias.asname or alias.name.partition(".")[0]
        module = ast.fix_missing_locations(ast.Module([single], []))
        try:
            exec(compile(module, names["__file__"], "exec"), names)  # noqa: S102
        except Exception:
            names[bound] = Missing(alias.name if isinstance(node, ast.Import) else f".{alias.name}")


def assign(
    node: ast.Assign | ast.AnnAssign,
    names: dict[str, Any],
    options: argparse.Namespace,
    known: Mapping[str, Any],
) -> None:
    """Take over a constant, or what a parser of the command line gives by default."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    value = node.value
    if isinstance(value, ast.Call) and _dotted(value.func).endswith(
        ("parse_args", "parse_known_args")
    ):
        made = argparse.Namespace(**vars(options))
        for target in targets:
            first = target.elts[0] if isinstance(target, ast.Tuple) else target
            if isinstance(first, ast.Name):
                names[first.id] = made
        return
    for target in targets:
        if not isinstance(target, ast.Name) or value is None:
            continue
        if target.id in known:
            names[target.id] = known[target.id]
            continue
        try:
            names[target.id] = evaluate(value, names)
        except UnknownError:
            names.pop(target.id, None)


def _of(options: argparse.Namespace, known: Mapping[str, Any]) -> dict[str, Any]:
    return {name: known[name] for name in vars(options) if name in known}


def _options(tree: ast.Module, names: dict[str, Any]) -> argparse.Namespace:
    """Every option of every parser in the script with its default."""
    found: dict[str, Any] = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not _dotted(node.func).endswith("add_argument"):
            continue
        flags = [a.value for a in node.args if isinstance(a, ast.Constant)]
        given = {k.arg: k.value for k in node.keywords if k.arg}
        longest = max((str(f) for f in flags), key=len, default="")
        try:
            dest = evaluate(given["dest"], names) if "dest" in given else longest.lstrip("-")
            action = evaluate(given["action"], names) if "action" in given else ""
            usual = action == "store_false" if str(action).startswith("store_") else None
            value = evaluate(given["default"], names) if "default" in given else usual
        except UnknownError:
            continue
        if dest:
            found[str(dest).replace("-", "_")] = value
    return argparse.Namespace(**found)


def evaluate(node: ast.expr, names: Mapping[str, Any]) -> Any:
    """The value of an expression that only works something out.

    Raises
    ------
    UnknownError
        It calls what might do more, or names what is not known.
    """
    try:
        value = _value(node, names)
    except UnknownError:
        raise
    except Exception as e:  # an operation on values of other kinds than the script has
        raise UnknownError(str(e)) from None
    if isinstance(value, str | bytes | list | tuple) and len(value) > MOST_SIZE:
        raise UnknownError("too long")
    return value


def _value(node: ast.expr, names: Mapping[str, Any]) -> Any:  # noqa: C901
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        if node.id in names:
            return names[node.id]
        raise UnknownError(node.id)
    if isinstance(node, ast.Tuple | ast.List):
        values: list[Any] = []
        for item in node.elts:
            if isinstance(item, ast.Starred):
                values += evaluate(item.value, names)
            else:
                values.append(evaluate(item, names))
        return tuple(values) if isinstance(node, ast.Tuple) else values
    if isinstance(node, ast.Dict):
        return {
            evaluate(k, names): evaluate(v, names)
            for k, v in zip(node.keys, node.values, strict=True)
            if k is not None
        }
    if isinstance(node, ast.Attribute):
        return getattr(evaluate(node.value, names), node.attr)
    if isinstance(node, ast.Subscript):
        return evaluate(node.value, names)[evaluate(node.slice, names)]
    if isinstance(node, ast.BinOp):
        return _binary(node, names)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -evaluate(node.operand, names)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return not evaluate(node.operand, names)
    if isinstance(node, ast.IfExp):
        return evaluate(node.body if evaluate(node.test, names) else node.orelse, names)
    if isinstance(node, ast.BoolOp):
        values = [evaluate(v, names) for v in node.values]
        return all(values) if isinstance(node.op, ast.And) else any(values)
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ast.Gt):
        return evaluate(node.left, names) > evaluate(node.comparators[0], names)
    if isinstance(node, ast.Call) and _dotted(node.func) in _HARMLESS:
        call = _HARMLESS_BUILTINS.get(_dotted(node.func)) or evaluate(node.func, names)
        args = [evaluate(a, names) for a in node.args]
        return call(*args, **{k.arg: evaluate(k.value, names) for k in node.keywords if k.arg})
    raise UnknownError(ast.unparse(node)[:80])


_HARMLESS_BUILTINS: Final[Mapping[str, Callable[..., Any]]] = {
    f.__name__: f
    for f in (int, float, str, bool, tuple, list, dict, len, max, min, abs, round, sum, range, set)
}


def _binary(node: ast.BinOp, names: Mapping[str, Any]) -> Any:
    left, right = evaluate(node.left, names), evaluate(node.right, names)
    if isinstance(node.op, ast.Pow) and all(isinstance(x, int | float) for x in (left, right)):
        if abs(right) <= 64 and abs(left) <= MOST_SIZE:
            return left**right
    elif type(node.op) in _BINARY:
        if isinstance(node.op, ast.Mult) and isinstance(left, str | list | tuple):
            right = min(right, MOST_SIZE // max(len(left), 1))
        return _BINARY[type(node.op)](left, right)
    raise UnknownError(ast.unparse(node)[:80])


def _dotted(node: ast.expr) -> str:
    """``a.b.c`` of a name with attributes; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        head = _dotted(node.value)
        return f"{head}.{node.attr}" if head else node.attr
    return ""
