"""Python: what keeps a class attribute or a dict entry from being what the program goes by.

A method that assigns it anew, a subclass, an instance, a call that hands it over: an edit would be
said and not seen.
"""

from __future__ import annotations

import ast
from dataclasses import field
from typing import TYPE_CHECKING, Final, TypeGuard

from gandoctor.configs import rebinding
from gandoctor.configs.rebinding import by_method, handed, imported, last_name
from gandoctor.configs.references import dotted
from gandoctor.configs.splice import SpliceError
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gandoctor.configs.entries import Path

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_BINDS = ast.AugAssign | ast.AnnAssign | ast.For | ast.AsyncFor | ast.NamedExpr | ast.comprehension
# Methods through which the attributes of an object are read.
_READING: Final = frozenset({"__getattribute__", "__getattr__"})
# Calls that hand values to an object that is there already.
_HAND_OVER: Final = frozenset(
    {"replace", "_replace", "evolve", "update", "set_defaults", "__init__", "partial"}
)


def refuse(tree: ast.Module, lines: Mapping[Path, int]) -> None:
    """Refuse keys that stand in a class or dict and are given another value elsewhere.

    Parameters
    ----------
    tree : ast.Module
    lines : Mapping of path to int
        The keys about to change, and where their values stand.

    Raises
    ------
    SpliceError
    """
    try:
        _refuse(tree, lines)
    except RecursionError as e:
        raise SpliceError("the file is nested too deeply") from e


def _refuse(tree: ast.Module, lines: Mapping[Path, int]) -> None:
    classes = dict(_classes(tree, ()))
    for path, line in lines.items():
        # `lr_d: float = field(default=0.02)`
        name = path[:-1] if path[-1] == "default" and path[:-2] in classes else path
        rebinding.refuse(tree, name)
        if name[:-1] in classes:
            _Attribute(name, line, classes).check(tree)
        elif len(name) > 1:
            _entry(tree, name)


def _classes(node: ast.AST, path: Path) -> Iterator[tuple[Path, list[ast.ClassDef]]]:
    found: dict[Path, list[ast.ClassDef]] = {}
    stack: list[tuple[ast.AST, Path]] = [(node, path)]
    while stack:
        parent, where = stack.pop()
        for child in ast.iter_child_nodes(parent):
            inner = (*where, child.name) if isinstance(child, ast.ClassDef) else where
            if isinstance(child, ast.ClassDef):
                found.setdefault(inner, []).append(child)
            stack.append((child, inner))
    yield from found.items()


@dataclass(slots=True)
class _Attribute:
    """One attribute of one class, and all that a file does to attributes of its name.

    `kin` are the names of the class and of what derives from it.
    """

    path: Path
    line: int
    classes: dict[Path, list[ast.ClassDef]]
    kin: set[str] = field(default_factory=set)

    def check(self, tree: ast.Module) -> None:
        mine = self.classes[self.path[:-1]]
        if len(mine) > 1:
            self.stop(f"stands in a class of which there are {len(mine)} in the file")
        self.kin = {self.path[-2]}
        every = [c for several in self.classes.values() for c in several]
        for _ in every:  # what derives from what derives from it
            self.kin |= {
                c.name for c in every if any((dotted(b) or ("",))[-1] in self.kin for b in c.bases)
            }
        for heir in every:
            if heir.name in self.kin:
                self.body(heir, own=heir in mine)
        self.walk(tree, (), inside=False)

    def body(self, heir: ast.ClassDef, *, own: bool) -> None:
        leaf = self.path[-1]
        for keyword in heir.keywords:
            if keyword.arg == "metaclass":
                self.stop(f"is read through the metaclass of `{heir.name}`")
        for node in heir.body:
            if isinstance(node, _Function) and node.name in _READING:
                self.stop(f"is read through {node.name}() of `{heir.name}`")
            if own and (source := imported(node, leaf)):
                self.stop(f"may be another one after the import of `{source}` in `{heir.name}`")
            if isinstance(node, _Function) and node.name == leaf:
                self.stop(f"is also a method of `{heir.name}`")
            if isinstance(node, ast.Delete) and any(dotted(t) == (leaf,) for t in node.targets):
                self.stop(f"is taken away again in `{heir.name}`")
            anew = any(dotted(t) == (leaf,) for n in ast.walk(node) for t in targets(n))
            if anew and not own and not isinstance(node, _Function | ast.ClassDef):
                self.stop(f"is given another value in `{heir.name}`, which derives from it")

    def walk(self, node: ast.AST, selves: tuple[tuple[str, bool], ...], *, inside: bool) -> None:
        """Go through the code; `selves`: what methods call their object, and is it ours."""
        for child in ast.iter_child_nodes(node):
            known, kin = selves, inside
            if isinstance(child, ast.ClassDef):
                kin = child.name in self.kin
            elif (
                isinstance(child, _Function) and isinstance(node, ast.ClassDef) and child.args.args
            ):
                known = (*selves, (child.args.args[0].arg, inside))
            for target in targets(child):
                self.target(target, dict(known))
            if isinstance(child, ast.Call):
                self.call(child, dict(known))
            self.walk(child, known, inside=kin)

    def target(self, target: ast.expr, selves: dict[str, bool]) -> None:
        leaf = self.path[-1]
        if target.lineno == self.line:
            return
        if isinstance(target, ast.Attribute) and target.attr == leaf:
            base = dotted(target.value)
            # `self` of another class is another matter; `Config.lr_d = 1` in the open was counted
            # already.
            if not (len(base) == 1 and selves.get(base[0]) is False):
                self.stop(
                    f"is given another value by `{'.'.join((*base, leaf))} = ...` in line "
                    f"{target.lineno}"
                )
        elif isinstance(target, ast.Subscript) and _attributes_of(target.value, selves):
            key = target.slice
            if not isinstance(key, ast.Constant) or key.value == leaf:
                self.stop(f"is, or may be, given another value in line {target.lineno}")
        elif _attributes_of(target, selves):
            self.stop(f"may be given another value with all attributes in line {target.lineno}")

    def call(self, call: ast.Call, selves: dict[str, bool]) -> None:
        leaf = self.path[-1]
        name = (
            call.func.attr
            if isinstance(call.func, ast.Attribute)
            else (dotted(call.func) or ("",))[-1]
        )
        given = {k.arg for k in call.keywords}
        made = name in self.kin or selves.get(name, False)
        if (made or name in _HAND_OVER) and leaf in given:
            self.stop(f"is given another value where `{name}` is called in line {call.lineno}")
        if made and (None in given or self.by_place(call)):
            self.stop(f"may be given another value where `{name}` is called in line {call.lineno}")
        self.attributes(call, selves)
        if name == "type" and len(call.args) == 3:
            self.derived(call)
        words = [a.value for a in call.args[1:2] if isinstance(a, ast.Constant)]
        any_name = name == "setattr" and len(call.args) > 1 and not words
        if any_name and selves.get(last_name(call.args[0])) is not False:
            self.stop(f"may be given another value by setattr() in line {call.lineno}")
        if name in ("setattr", "__setattr__", "delattr") and leaf in (*words, *_first_word(call)):
            self.stop(f"is given another value by {name}() in line {call.lineno}")

    def attributes(self, call: ast.Call, selves: dict[str, bool]) -> None:
        """``vars(self).update(...)`` and the like."""
        if not isinstance(call.func, ast.Attribute) or not _attributes_of(call.func.value, selves):
            return
        first = call.args[0] if call.args else None
        if call.func.attr == "setdefault":  # a class attribute is no entry of its object yet
            keys = {str(first.value)} if isinstance(first, ast.Constant) else set()
            meant: tuple[str, set[str], bool] | None = ("given another value", keys, bool(keys))
        else:
            meant = by_method(call)
        if meant and (self.path[-1] in meant[1] or not meant[2]):
            self.stop(f"is, or may be, {meant[0]} in line {call.lineno}")

    def derived(self, call: ast.Call) -> None:
        """``type("Mine", (Config,), {...})``."""
        if not any(last_name(n) in self.kin for n in ast.walk(call.args[1]) if _is_name(n)):
            return
        keys, whole = handed(ast.Call(call.func, [call.args[2]], []))
        if self.path[-1] in keys or not whole:
            self.stop(f"is, or may be, given another value by type() in line {call.lineno}")

    def by_place(self, call: ast.Call) -> bool:
        """Whether the value may be among what is handed over by its place."""
        if any(isinstance(a, ast.Starred) for a in call.args):
            return True
        (mine,) = self.classes[self.path[:-1]]
        fields = [
            n.target.id
            for n in mine.body
            if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)
        ]
        if self.path[-1] in fields and not mine.bases:
            return fields.index(self.path[-1]) < len(call.args)
        return bool(call.args) and self.path[-1] in fields

    def stop(self, said: str) -> None:
        raise SpliceError(f"`{'.'.join(self.path)}` {said}")


def _attributes_of(node: ast.expr, selves: Mapping[str, bool]) -> bool:
    """Whether it is ``vars(x)`` or ``x.__dict__`` of an object that may be ours."""
    if isinstance(node, ast.Call):
        of = node.args[0] if last_name(node.func) == "vars" and node.args else None
    elif isinstance(node, ast.Attribute):
        of = node.value if node.attr == "__dict__" else None
    else:
        of = None
    return of is not None and selves.get(last_name(of)) is not False


def _is_name(node: ast.AST) -> TypeGuard[ast.Name | ast.Attribute]:
    return isinstance(node, ast.Name | ast.Attribute)


def _first_word(call: ast.Call) -> list[object]:
    return [a.value for a in call.args[:1] if isinstance(a, ast.Constant)]


def _entry(tree: ast.Module, path: Path) -> None:
    """An entry of a dict, or an attribute that is assigned, changed by a function."""
    *_, holder, leaf = path
    for node in ast.walk(tree):
        if isinstance(node, _Function | ast.Lambda):
            for target in (t for inner in ast.walk(node) for t in targets(inner)):
                if not isinstance(target, ast.Name) and dotted(target)[-2:] == (holder, leaf):
                    where = node.name if isinstance(node, _Function) else "a lambda"
                    raise SpliceError(f"`{'.'.join(path)}` is given another value by {where}()")


def targets(node: ast.AST) -> Iterator[ast.expr]:
    """Whatever a node binds or takes away, each by itself."""
    found: list[ast.expr] = []
    if isinstance(node, ast.Assign | ast.Delete):
        found = list(node.targets)
    elif (
        isinstance(node, _BINDS) and getattr(node, "value", node) is not None
    ):  # `lr: float` alone binds nothing
        found = [node.target]
    elif isinstance(node, ast.withitem) and node.optional_vars is not None:
        found = [node.optional_vars]
    while found:
        target = found.pop()
        if isinstance(target, ast.Tuple | ast.List):
            found += target.elts
        elif isinstance(target, ast.Starred):
            found.append(target.value)
        else:
            yield target
