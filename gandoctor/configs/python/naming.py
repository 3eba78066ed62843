"""Names and parameters: which of several bindings counts, and what a call hands over."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, TypeVar

from gandoctor.configs.python.index import FUNCTIONS, Binding, Made, Scope
from gandoctor.configs.python.injecting import injected, is_made_by_name
from gandoctor.configs.python.sides import is_trial
from gandoctor.configs.python.ways import (
    DEEPEST,
    MOST_STEPS,
    NOTHING,
    End,
    EndlessError,
    Followed,
    Frame,
    Way,
)
from gandoctor.configs.references import dotted, last_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gandoctor.configs.python.units import Unit

FIELDS = frozenset(
    {"field", "Field", "attrib", "ib", "Option", "Argument", "Factory", "Float", "Int"}
)


_MOST_ENTRIES = 8  # calls of a function that are looked at
# A function or a class.
_Defined = TypeVar("_Defined", bound=ast.stmt)


class Naming(Followed):
    """Follows names."""

    def unit(self, node: ast.AST) -> Unit:
        """The file that a node stands in."""
        index = self.index
        scope: ast.AST = index.scope_of(node)
        return index.of[scope]

    def name(self, node: ast.Name, frame: Frame, way: Way) -> End:
        """Go from a name to what it is given."""
        found = self.bound(node, frame)
        if found is not None:
            return self._bound(found[0], node, found[1], frame, way)
        return self._imported_name(node.id, self.index.of[frame.scope], way)

    def bound(self, node: ast.Name, frame: Frame) -> tuple[Binding, Scope] | None:
        """What a name is given where it is used, and the scope that gives it."""
        for scope in self._scopes(node, frame):
            binding = self._binding(self.index.defined(scope, node.id), node, scope, frame)
            if binding is not None:
                return binding, scope
        return None

    def _scopes(self, node: ast.AST, frame: Frame) -> Iterator[Scope]:
        index = self.index
        scope: Scope | None = index.scope_of(node) if node in index.parents else frame.scope
        first = True
        while scope is not None:
            # names of a class are seen in its own body alone
            if first or not isinstance(scope, ast.ClassDef):
                yield scope
            scope, first = index.scopes[scope], False

    def _binding(
        self, bindings: Iterable[Binding], node: ast.AST, scope: Scope, frame: Frame
    ) -> Binding | None:
        """The binding that counts at a node: the last before it, or the last at all."""
        index = self.index
        usable = [
            b
            for b in bindings
            if b.kind != "changed"
            and not self._is_inside(node, b.node)
            and not self._is_dead(b, frame)
        ]
        if not usable:
            return None
        if node in index.parents and index.function_of(node) is scope:
            line = getattr(node, "lineno", 0)
            before = [b for b in usable if _line_of(b.node) <= line or b.kind == "parameter"]
            usable = before or usable
        # `if debug: epochs = 1` is the exception where nothing tells whether it holds
        return ([b for b in usable if not self.is_branched(b.node, node)] or usable)[-1]

    def is_branched(self, node: ast.AST, use: ast.AST | None = None) -> bool:
        """Whether it stands in a branch of its function that a use of it does not stand in."""
        mine = [p for p in self.index.around(node) if isinstance(p, (ast.If, *FUNCTIONS))]
        whole = next((i for i, p in enumerate(mine) if isinstance(p, FUNCTIONS)), len(mine))
        inside = set(self.index.around(use)) if use is not None else set()
        return any(p not in inside and not _is_of_main(p) for p in mine[:whole])

    def _is_inside(self, node: ast.AST, statement: ast.AST) -> bool:
        if not isinstance(statement, ast.Assign | ast.AnnAssign):
            return False
        return any(parent is statement for parent in self.index.around(node))

    def is_idle(self, node: ast.AST, frame: Frame | None = None) -> bool:
        """Whether it stands in a branch that is not taken, as far as the tests are known."""
        below = node
        for parent in self.index.around(node):
            if isinstance(parent, FUNCTIONS):
                return False
            if isinstance(parent, ast.If) and self._not_taken(parent, below, frame):
                return True
            below = parent
        return False

    def _is_dead(self, binding: Binding, frame: Frame) -> bool:
        parent = self.index.parents.get(binding.node)
        return isinstance(parent, ast.If) and self._not_taken(parent, binding.node, frame)

    def _not_taken(self, parent: ast.If, below: ast.AST, frame: Frame | None) -> bool:
        if self.steps > MOST_STEPS // 2 or self._is_counted(parent.test):
            return False
        for entered in [frame] if frame is not None else self._entered(parent):
            try:
                taken = self.part(parent.test, entered, DEEPEST // 2)
            except (EndlessError, RecursionError, OverflowError, ZeroDivisionError, ValueError):
                return False
            left = parent.orelse if taken else parent.body
            if taken is NOTHING or not any(below is s for s in left):
                return False
        return True

    def _is_counted(self, test: ast.expr) -> bool:
        """Whether a test asks for what is counted as the training goes on: ``step < 25 or ...``."""
        scope = self.index.function_of(test)
        return any(
            b.kind in ("changed", "loop") and not isinstance(b.node, ast.arg)
            for n in ast.walk(test)
            if isinstance(n, ast.Name)
            for b in self.index.defined(scope, n.id)
        )

    def _entered(self, node: ast.AST) -> list[Frame]:
        """How the function around a node is entered: ``block(8)``, ``block(3, last=True)``."""
        scope = self.index.function_of(node)
        sites = self._sites(scope)
        likely = [s for s in sites if self._site_order(s)[0] == self._site_order(sites[0])[0]]
        frames = [Frame(scope, s.call, self.frame(s.call)) for s in likely[:_MOST_ENTRIES]]
        return frames or [Frame(scope)]

    def _bound(self, binding: Binding, node: ast.Name, scope: Scope, frame: Frame, way: Way) -> End:
        if binding.kind == "parameter":
            return self._parameter(binding, node.id, scope, frame, way)
        if binding.kind in ("class", "function"):
            return binding.node, Frame(scope)
        if binding.kind == "import":
            return self._of_import(binding.node, node.id, way) or (binding.node, Frame(scope))
        if binding.value is None:
            return None
        if isinstance(scope, ast.Module) and way.how == "literal":
            way.how = "constant"
        way.key = way.key or node.id
        inner = frame if scope is frame.scope else Frame(self._function_scope(scope))
        return self.follow(binding.value, inner, way)

    def _function_scope(self, scope: Scope) -> Scope:
        return self.index.function_of(scope) if isinstance(scope, ast.ClassDef) else scope

    # ------------------------------------------------------------ parameters

    def _parameter(self, binding: Binding, name: str, scope: Scope, frame: Frame, way: Way) -> End:
        if not isinstance(scope, FUNCTIONS):
            return None
        if frame.scope is scope and frame.call is not None and frame.caller is not None:
            given = self._handed(scope, frame.call, name)
            if given is not None:
                return self._handed_on(given, frame.caller, name, way)
        elif not (frame.scope is scope and frame.call is not None):
            handed = False
            for site in self._sites(scope):
                given = self._handed(scope, site.call, name)
                if given is None:
                    continue
                handed = handed or not given[1]  # `**options` may lack it
                mark = len(way.trail), way.depth, way.how
                found = self._handed_on(given, self.frame(site.call), name, way)
                if found is not None:
                    return found
                del way.trail[mark[0] :]
                way.depth, way.how = mark[1], mark[2]
            if handed:
                return None  # whatever it is, it is not the default
        if isinstance(scope, ast.Lambda):
            return None
        return self._default(binding, name, scope, way)

    def _default(
        self, binding: Binding, name: str, scope: ast.FunctionDef | ast.AsyncFunctionDef, way: Way
    ) -> End:
        for decorator in scope.decorator_list:
            for option in self.index.options.get(name, ()):
                if option.call is decorator:
                    return self.option(name, way)
        handed = injected(self, scope, name, way)
        if handed is not None:
            return handed
        if binding.value is None:
            return self._annotated(binding.node, scope)
        if is_made_by_name(self.index, scope):
            return None  # by whom and with what is not seen
        way.how, way.key = "parameter", way.key or name
        if name in self.commands and last_name(binding.value) in FIELDS:
            return self.given(self.commands[name], name)
        return self.follow(binding.value, self.outside(scope), way)

    def _annotated(self, node: ast.AST, scope: Scope) -> End:
        """``def train(config: Config)`` that nobody calls here: what such an object is made as."""
        asked = last_name(node.annotation) if isinstance(node, ast.arg) else ""
        several = self.index.classes.get(asked, ())
        return (self.one(several, self.index.of[scope]), Frame(scope)) if several else None

    def outside(self, scope: Scope) -> Frame:
        """The frame around a function."""
        around = self.index.scopes[scope]
        while isinstance(around, ast.ClassDef):
            around = self.index.scopes[around]
        return Frame(around if around is not None else scope)

    def _handed_on(self, given: tuple[ast.expr, str], caller: Frame, name: str, way: Way) -> End:
        node, key = given
        if key:  # `train(**config)`
            return self.member(node, key, caller, way)
        return self.follow(node, caller, way)

    def _handed(self, scope: Scope, call: ast.Call, name: str) -> tuple[ast.expr, str] | None:
        """What a call hands over for a parameter: the expression, or what has it as a key."""
        assert isinstance(scope, FUNCTIONS)  # noqa: S101  for the type checker
        for keyword in call.keywords:
            if keyword.arg == name:
                return keyword.value, ""
        args = [a.arg for a in (*scope.args.posonlyargs, *scope.args.args)]
        if name in args:
            place = args.index(name) - (args[:1] in (["self"], ["cls"]))
            handed: Sequence[ast.expr] = call.args
            if last_name(call.func) == "spawn":
                tuples = [k.value for k in call.keywords if k.arg == "args"]
                held = tuples[0] if tuples else None
                handed = held.elts if isinstance(held, ast.Tuple) else []
                place -= 1
            if 0 <= place < len(handed) and not any(
                isinstance(a, ast.Starred) for a in handed[: place + 1]
            ):
                return handed[place], ""
        for keyword in call.keywords:
            if keyword.arg is None:
                return keyword.value, name
        return None

    def _sites(self, scope: Scope) -> list[Made]:
        """The calls that enter a function, the likeliest first."""
        if isinstance(scope, ast.Lambda) or not isinstance(scope, FUNCTIONS):
            return []
        index = self.index
        owner = index.parents.get(scope)
        name = scope.name
        if isinstance(owner, ast.ClassDef):
            if name in ("__call__", "forward", "call"):
                return []
            if name == "__init__":
                found = index.callers(owner.name, owner)
                for heir in self._heirs(owner):
                    found += index.calls.get(heir, ())
            else:
                found = [
                    m for m in index.callers(name, scope) if isinstance(m.call.func, ast.Attribute)
                ]
        else:
            found = index.callers(name, scope)
            found += [
                m
                for m in index.calls.get("spawn", ())
                if m.call.args and last_name(m.call.args[0]) == name
            ]
        fits = [
            m
            for m in found
            if _fits(scope, m.call) and m.scope is not scope and not is_trial(m.unit.file)
        ]
        return sorted(fits, key=self._site_order)

    def _heirs(self, owner: ast.ClassDef) -> list[str]:
        return [
            name
            for name, several in self.index.classes.items()
            for c in several
            if any(last_name(b) == owner.name for b in c.bases)
        ]

    def _site_order(self, site: Made) -> tuple[int, int]:
        rank = self.preferred.index(site.unit) if site.unit in self.preferred else 99
        return rank, -site.call.lineno

    # ------------------------------------------------------------ modules

    def _of_import(self, node: ast.AST, name: str, way: Way) -> End:
        """``from config import LR``: the name in the module that is part of the code."""
        if not isinstance(node, ast.ImportFrom):
            return None
        unit = self._module(node.module or "")
        real = next((a.name for a in node.names if (a.asname or a.name) == name), name)
        if unit is None:
            return None
        return self._global(unit, real, way)

    def _imported_name(self, name: str, unit: Unit, way: Way) -> End:
        """A name that ``from module import *`` brings."""
        for node in self.index.imports[id(unit)]:
            if isinstance(node, ast.ImportFrom) and any(a.name == "*" for a in node.names):
                other = self._module(node.module or "")
                if other is not None and other is not unit:
                    found = self._global(other, name, way)
                    if found is not None:
                        return found
        return None

    def of_module(self, node: ast.AST, base: ast.expr, key: str, way: Way) -> End:
        """``config.LR`` after ``import config``."""
        assert isinstance(node, ast.Import | ast.ImportFrom)  # noqa: S101  for the type checker
        asked = dotted(base)[:1]
        for alias in node.names:
            if (alias.asname or alias.name.partition(".")[0]) in asked:
                unit = self._module(alias.name)
                if unit is not None:
                    return self._global(unit, key, way)
        return None

    def _global(self, unit: Unit, name: str, way: Way) -> End:
        way.depth += 1
        if way.depth > DEEPEST:
            raise EndlessError
        bindings = [b for b in self.index.defined(unit.tree, name) if b.kind != "changed"]
        if not bindings:
            return self._imported_name(name, unit, way)
        last = bindings[-1]
        frame = Frame(unit.tree)
        if last.kind in ("class", "function"):
            return last.node, frame
        if last.kind == "import":
            return self._of_import(last.node, name, way) or (last.node, frame)
        if last.value is None:
            return None
        way.how, way.key = "constant", way.key or name
        return self.follow(last.value, frame, way)

    def _module(self, name: str) -> Unit | None:
        """The file of a module, by the last parts of its name."""
        tail = name.split(".")
        if not tail[-1]:
            return None
        ends = ("/".join(tail) + ".py", tail[-1] + ".py", "/".join(tail) + "/__init__.py")
        for end in ends:
            found = [u for u in self.index.units if f"/{u.file}".endswith(f"/{end}")]
            if found:
                return min(found, key=lambda u: (self.rank(u), len(u.file)))
        return None

    def one(self, several: Sequence[_Defined], unit: Unit | None = None) -> _Defined:
        """Of several definitions of a name that of the same file, else the first that counts."""
        same = [c for c in several if unit is not None and self.index.of[c] is unit]
        several = same or several
        ranked = [(self.rank(self.index.of[c]), i) for i, c in enumerate(several)]
        best = min(r for r, _ in ranked)
        return several[max(i for r, i in ranked if r == best)]

    def rank(self, unit: Unit) -> int:
        """How soon the definitions of a file count."""
        return self.preferred.index(unit) if unit in self.preferred else 99


def _is_of_main(node: ast.AST) -> bool:
    """``if __name__ == "__main__":``."""
    test = node.test if isinstance(node, ast.If) else None
    return isinstance(test, ast.Compare) and last_name(test.left) == "__name__"


def _line_of(node: ast.AST) -> int:
    line: int = getattr(node, "end_lineno", 0) or getattr(node, "lineno", 0)
    return line


def _fits(scope: ast.FunctionDef | ast.AsyncFunctionDef, call: ast.Call) -> bool:
    """Whether a call may be one of this function."""
    args = scope.args
    names = {a.arg for a in (*args.posonlyargs, *args.args, *args.kwonlyargs)}
    if last_name(call.func) == "spawn":
        return True
    if args.kwarg is None and any(k.arg not in names for k in call.keywords if k.arg):
        return False
    bound = len(args.posonlyargs) + len(args.args)
    return args.vararg is not None or len(call.args) <= bound
