"""What a framework hands a function that nobody calls: Sacred's configs, Lightning's CLI."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from gandoctor.configs.references import last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gandoctor.configs.python.index import Function, Index
    from gandoctor.configs.python.ways import End, Followed, Way

_ENTRIES: Final = frozenset({"capture", "automain", "main", "command"})
# What a class of Lightning is under in the config of its CLI.
_PARTS: Final = {"LightningModule": "model", "LightningDataModule": "data"}


def injected(reader: Followed, function: Function, name: str, way: Way) -> End:
    """What a parameter is handed by the framework; None where none is at work."""
    if isinstance(function, ast.Lambda):
        return None
    owner = reader.index.parents.get(function)
    if isinstance(owner, ast.ClassDef) and function.name == "__init__":
        return _of_cli(reader, owner, name)
    return _of_experiment(reader, function, name, way)


def is_made_by_name(index: Index, function: Function) -> bool:
    """Whether it makes a class that no call names: ``class_name="training.loss.GANLoss"``."""
    owner = index.parents.get(function)
    if not isinstance(owner, ast.ClassDef) or index.calls.get(owner.name):
        return False
    words = [f".{owner.name}{quote}" for quote in "'\""]
    return any(word in unit.text for unit in index.units for word in words)


def _of_cli(reader: Followed, owner: ast.ClassDef, name: str) -> End:
    """``LightningCLI(GAN)``: what the config says below ``model`` or ``data``."""
    part = next((_PARTS[b] for b in map(last_name, owner.bases) if b in _PARTS), "")
    if not part or "LightningCLI" not in reader.index.calls:
        return None
    meant = reader.configs.get(f"{part}.class_path")
    if meant is not None and str(meant.value).rpartition(".")[2] != owner.name:
        return None
    for key in (f"{part}.init_args.{name}", f"{part}.{name}"):
        if key in reader.configs:
            return reader.given(reader.configs[key], name)
    return None


def _of_experiment(
    reader: Followed, function: ast.FunctionDef | ast.AsyncFunctionDef, name: str, way: Way
) -> End:
    """``@ex.capture``: the variable of that name in a function under ``@ex.config``."""
    for decorator in function.decorator_list:
        func = decorator.func if isinstance(decorator, ast.Call) else decorator
        if not (isinstance(func, ast.Attribute) and func.attr in _ENTRIES):
            continue
        for config in _configs(reader.index, last_name(func.value)):
            words = decorator.keywords if isinstance(decorator, ast.Call) else []
            prefix = next((k.value for k in words if k.arg == "prefix"), None)
            held = prefix.value if isinstance(prefix, ast.Constant) else name
            bound = [b for b in reader.index.defined(config, str(held)) if b.value is not None]
            if not bound or bound[-1].value is None:
                continue
            way.key = way.key or name
            value, frame = bound[-1].value, reader.frame(bound[-1].value)
            if prefix is not None:
                return reader.member(value, name, frame, way)
            return reader.follow(value, frame, way)
    return None


def _configs(index: Index, experiment: str) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """The functions under ``@experiment.config``."""
    for several in index.functions.values():
        for function in several:
            if any(
                isinstance(d, ast.Attribute)
                and d.attr == "config"
                and last_name(d.value) == experiment
                for d in function.decorator_list
            ):
                yield function
