"""What a code says, by name: bindings, calls, options, classes and dicts of all its files."""

from __future__ import annotations

import ast
from collections import defaultdict
from dataclasses import field
from typing import TYPE_CHECKING, Final, TypeAlias

from gandoctor.configs.references import last_name, options_of
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gandoctor.configs.python.units import Unit

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Scope: TypeAlias = ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef
SCOPES: Final = (
    ast.Module,
    ast.FunctionDef,
    ast.AsyncFunctionDef,
    ast.Lambda,
    ast.ClassDef,
)
FUNCTIONS: Final = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
# A deeper tree is no training, and would end Python's stack.
DEEPEST: Final = 80


@dataclass(slots=True)
class Binding:
    """One value that a name is given.

    Attributes
    ----------
    value : expr or None
        None where it is no single expression.
    node : AST
        The statement or parameter.
    kind : str
        ``assign``, ``parameter``, ``loop``, ``changed``, ``import``, ``function`` or ``class``.
    """

    value: ast.expr | None
    node: ast.AST
    kind: str = "assign"


@dataclass(slots=True)
class Store:
    """One value that an attribute or an entry is given: ``self.lr = 1``, ``config["lr"] = 1``."""

    target: ast.expr
    value: ast.expr
    unit: Unit
    scope: Scope


@dataclass(slots=True)
class Option:
    """An option of the command line and its default."""

    name: str
    default: ast.expr | None
    call: ast.Call
    unit: Unit
    scope: Scope


@dataclass(slots=True)
class Made:
    """A call, and where it stands."""

    call: ast.Call
    unit: Unit
    scope: Scope


@dataclass(slots=True)
class Index:
    """All units of a code, walked once.

    Attributes
    ----------
    units : list of Unit
    parents : dict of node to its parent
    scopes : dict of scope to the scope around it
    of : dict of scope to Unit
    names : dict of (scope, name) to bindings, in order
    calls : dict of last name to calls
    functions, classes : dict of name to definitions
    stores : dict of attribute or key to stores
    options : dict of name to options
    entries : dict of key to (value, dict) of literal dicts
    loads : dict of name to how often it is read
    imports, loops, whiles, tests, sums : dict of id of unit to its nodes of a kind, in order
    """

    units: list[Unit] = field(default_factory=list)
    parents: dict[ast.AST, ast.AST] = field(default_factory=dict)
    scopes: dict[ast.AST, Scope | None] = field(default_factory=dict)
    of: dict[ast.AST, Unit] = field(default_factory=dict)
    names: dict[tuple[ast.AST, str], list[Binding]] = field(default_factory=dict)
    calls: dict[str, list[Made]] = field(default_factory=lambda: defaultdict(list))
    functions: dict[str, list[ast.FunctionDef | ast.AsyncFunctionDef]] = field(
        default_factory=lambda: defaultdict(list)
    )
    classes: dict[str, list[ast.ClassDef]] = field(default_factory=lambda: defaultdict(list))
    stores: dict[str, list[Store]] = field(default_factory=lambda: defaultdict(list))
    options: dict[str, list[Option]] = field(default_factory=lambda: defaultdict(list))
    entries: dict[str, list[tuple[ast.expr, ast.expr, Unit]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    loads: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    imports: dict[int, list[ast.Import | ast.ImportFrom]] = field(default_factory=dict)
    loops: dict[int, list[ast.For]] = field(default_factory=dict)
    whiles: dict[int, list[ast.While]] = field(default_factory=dict)
    tests: dict[int, list[ast.If]] = field(default_factory=dict)
    sums: dict[int, list[ast.BinOp]] = field(default_factory=dict)

    def scope_of(self, node: ast.AST) -> Scope:
        """The innermost scope around a node; of one deeper than is looked the first file."""
        here: ast.AST = node
        while True:
            below, here = here, self.parents.get(here, self.units[0].tree)
            if isinstance(here, SCOPES) and not _stands_outside(below, here, node):
                return here

    def function_of(self, node: ast.AST) -> Scope:
        """The innermost function, or else the module, around a node."""
        scope: Scope | None = node if isinstance(node, FUNCTIONS) else self.scope_of(node)
        while scope is not None and isinstance(scope, ast.ClassDef):
            scope = self.scopes[scope]
        assert scope is not None  # noqa: S101  for the type checker: a module has no class around
        return scope

    def class_of(self, node: ast.AST) -> ast.ClassDef | None:
        """The innermost class around a node."""
        scope: Scope | None = self.scope_of(node)
        while scope is not None and not isinstance(scope, ast.ClassDef):
            scope = self.scopes[scope]
        return scope

    def around(self, node: ast.AST) -> Iterator[ast.AST]:
        """What a node stands in, from the inside out."""
        while node in self.parents:
            node = self.parents[node]
            yield node

    def callers(self, name: str, definition: ast.AST) -> list[Made]:
        """The calls of a function or class, none from files that have their own of that name."""
        mine = self.of[definition]
        own = {id(self.of[d]) for d in (*self.functions.get(name, ()), *self.classes.get(name, ()))}
        return [m for m in self.calls.get(name, ()) if m.unit is mine or id(m.unit) not in own]

    def defined(self, scope: Scope, name: str) -> list[Binding]:
        """What a name is given in one scope."""
        return self.names.get((scope, name), [])


def _stands_outside(below: ast.AST, scope: Scope, node: ast.AST) -> bool:
    """Whether a node is a default or decorator of a function, and so none of what is in it."""
    if isinstance(below, ast.arguments):
        return not isinstance(node, ast.arg)
    return isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and any(
        below is d for d in scope.decorator_list
    )


def index_of(units: Sequence[Unit]) -> Index:
    """Walk all units."""
    out = Index()
    for unit in units:
        out.units.append(unit)
        _Walk(out, unit).run()
    return out


# Nodes without a place of their own that hold others.
_PLACELESS: Final = frozenset({ast.arguments, ast.comprehension, ast.withitem})


class _Walk:
    """One walk over one unit."""

    def __init__(self, out: Index, unit: Unit) -> None:
        self.out = out
        self.unit = unit

    def run(self) -> None:
        tree = self.unit.tree
        out, parents = self.out, self.out.parents
        out.scopes[tree] = None
        out.of[tree] = self.unit
        for kept in (out.imports, out.loops, out.whiles, out.tests, out.sums):
            kept[id(self.unit)] = []
        stack: list[tuple[ast.AST, Scope, int]] = [(tree, tree, 0)]
        while stack:
            node, scope, depth = stack.pop()
            if depth > DEEPEST:
                continue
            self.visit(node, scope)
            inner: Scope = scope
            if isinstance(node, SCOPES) and node is not tree:
                out.scopes[node] = scope
                out.of[node] = self.unit
                inner = node
            below: list[ast.AST] = []
            for name in node._fields:
                value = getattr(node, name, None)
                if isinstance(value, list):
                    below += value
                elif isinstance(value, ast.AST):
                    below.append(value)
            depth += 1
            for child in reversed(below):
                # a context is the same object everywhere
                if (isinstance(child, ast.AST) and child._attributes) or type(child) in _PLACELESS:
                    parents[child] = node
                    stack.append((child, inner, depth))

    def bind(self, scope: Scope, name: str, binding: Binding) -> None:
        self.out.names.setdefault((scope, name), []).append(binding)

    def visit(self, node: ast.AST, scope: Scope) -> None:
        out = self.out
        kind = type(node)
        if kind is ast.Constant:
            return
        if kind is ast.Name:
            if isinstance(node.ctx, ast.Load):  # type: ignore[attr-defined]
                out.loads[node.id] += 1  # type: ignore[attr-defined]
        elif isinstance(node, ast.Attribute):
            if isinstance(node.ctx, ast.Load):
                out.loads[node.attr] += 1
        elif isinstance(node, ast.Call):
            self.call(node, scope)
        elif isinstance(node, ast.stmt):
            self.statement(node, scope)
        elif isinstance(node, ast.BinOp):
            out.sums[id(self.unit)].append(node)
        else:
            self.other(node, scope)

    def other(self, node: ast.AST, scope: Scope) -> None:
        out = self.out
        if isinstance(node, ast.Subscript):
            if isinstance(node.ctx, ast.Load) and isinstance(node.slice, ast.Constant):
                out.loads[str(node.slice.value)] += 1
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    out.entries[key.value].append((value, node, self.unit))
        elif isinstance(node, ast.NamedExpr):
            self.assign(node.target, node.value, node, scope)
        elif isinstance(node, ast.comprehension):
            self.targets(node.target, node, scope, "loop")
        elif isinstance(node, ast.Lambda):
            self.parameters(node)

    def statement(self, node: ast.stmt, scope: Scope) -> None:
        out = self.out
        if isinstance(node, ast.Assign):
            for target in node.targets:
                self.assign(target, node.value, node, scope)
        elif isinstance(node, ast.AnnAssign):
            if node.value is not None:
                self.assign(node.target, node.value, node, scope)
        elif isinstance(node, ast.AugAssign):
            self.targets(node.target, node, scope, "changed")
        elif isinstance(node, ast.For | ast.AsyncFor):
            self.targets(node.target, node, scope, "loop")
            if isinstance(node, ast.For):
                out.loops[id(self.unit)].append(node)
        elif isinstance(node, ast.While):
            out.whiles[id(self.unit)].append(node)
        elif isinstance(node, ast.If):
            out.tests[id(self.unit)].append(node)
        else:
            self.definition(node, scope)

    def definition(self, node: ast.stmt, scope: Scope) -> None:
        out = self.out
        if isinstance(node, ast.With | ast.AsyncWith):
            for item in node.items:
                if item.optional_vars is not None:
                    self.assign(item.optional_vars, item.context_expr, node, scope)
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            out.functions[node.name].append(node)
            self.bind(scope, node.name, Binding(None, node, "function"))
            self.parameters(node)
        elif isinstance(node, ast.ClassDef):
            out.classes[node.name].append(node)
            self.bind(scope, node.name, Binding(None, node, "class"))
        elif isinstance(node, ast.Import | ast.ImportFrom):
            out.imports[id(self.unit)].append(node)
            for alias in node.names:
                name = alias.asname or alias.name.partition(".")[0]
                self.bind(scope, name, Binding(None, node, "import"))

    def assign(self, target: ast.expr, value: ast.expr, node: ast.AST, scope: Scope) -> None:
        if isinstance(target, ast.Name):
            self.bind(scope, target.id, Binding(value, node))
        elif isinstance(target, ast.Attribute):
            self.out.stores[target.attr].append(Store(target, value, self.unit, scope))
        elif isinstance(target, ast.Subscript):
            if isinstance(target.slice, ast.Constant) and isinstance(target.slice.value, str):
                store = Store(target, value, self.unit, scope)
                self.out.stores[target.slice.value].append(store)
        elif isinstance(target, ast.Tuple | ast.List):
            fits = isinstance(value, ast.Tuple | ast.List) and len(value.elts) == len(target.elts)
            if fits and isinstance(value, ast.Tuple | ast.List):
                for inner, its in zip(target.elts, value.elts, strict=True):
                    self.assign(inner, its, node, scope)
            else:
                self.parts(target, value, node, scope)

    def parts(
        self, target: ast.Tuple | ast.List, value: ast.expr, node: ast.AST, scope: Scope
    ) -> None:
        """``a, b = f()``: each is an item of what is not written out."""
        for i, inner in enumerate(target.elts):
            item = ast.Subscript(value, ast.Constant(i), ast.Load())
            self.out.parents[item] = node
            ast.copy_location(item, value)
            ast.copy_location(item.slice, value)
            self.assign(inner, item, node, scope)

    def targets(self, target: ast.expr, node: ast.AST, scope: Scope, kind: str) -> None:
        for inner in ast.walk(target):
            if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                self.bind(scope, inner.id, Binding(None, node, kind))

    def parameters(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        args = node.args
        plain = [*args.posonlyargs, *args.args]
        missing = len(plain) - len(args.defaults)
        for i, arg in enumerate(plain):
            default = args.defaults[i - missing] if i >= missing else None
            self.bind(node, arg.arg, Binding(default, arg, "parameter"))
        for arg, default in zip(args.kwonlyargs, args.kw_defaults, strict=True):
            self.bind(node, arg.arg, Binding(default, arg, "parameter"))
        for rest in (args.vararg, args.kwarg):
            if rest is not None:
                self.bind(node, rest.arg, Binding(None, rest, "loop"))

    def call(self, node: ast.Call, scope: Scope) -> None:
        out = self.out
        name = last_name(node.func)
        out.calls[name].append(Made(node, self.unit, scope))
        for found, default in options_of(node):
            off = ast.copy_location(ast.Constant(False), node) if _is_switch(node) else None
            out.options[found].append(Option(found, default or off, node, self.unit, scope))
        if name in ("set_defaults", "update", "setattr", "dict", "Namespace", "SimpleNamespace"):
            for keyword in node.keywords:
                if keyword.arg is not None:
                    out.entries[keyword.arg].append((keyword.value, node, self.unit))
        if name == "setattr" and len(node.args) == 3 and isinstance(node.args[1], ast.Constant):
            target = ast.Attribute(node.args[0], str(node.args[1].value), ast.Store())
            ast.copy_location(target, node)
            out.stores[target.attr].append(Store(target, node.args[2], self.unit, scope))


def _is_switch(node: ast.Call) -> bool:
    action = next((k.value for k in node.keywords if k.arg == "action"), None)
    return isinstance(action, ast.Constant) and action.value == "store_true"
