"""The optimisers that a code makes: whose they are, and what they are given."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from gandoctor.configs.python.described import described
from gandoctor.configs.python.index import Made
from gandoctor.configs.python.making import all_made, target_of
from gandoctor.configs.python.sides import Side, side_of, words_of
from gandoctor.configs.python.ways import Frame
from gandoctor.configs.references import dotted, last_name
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gandoctor.configs.python.index import Index
    from gandoctor.configs.python.units import Unit
    from gandoctor.configs.python.values import Reader

_MOST: Final = 100  # optimisers of a code
_MOST_SITES: Final = 16  # calls of one helper
_RATES: Final = ("lr", "learning_rate", "alpha")
_TRAINED: Final = ("params", "parameters", "var_list", "parameter_list", "model")
_NOISE: Final = frozenset(
    {
        "parameters", "chain", "list", "filter", "itertools", "trainable_variables", "map",
        "lambda",
        "trainable_weights", "named_parameters", "model", "module", "self", "params", "p",
        "requires_grad",
        "var_list", "variables", "collect_params", "net", "nets", "group", "optim", "torch",
        "nn", "tf",
    }
)  # fmt: skip


@dataclass(slots=True)
class Optimiser:
    """One optimiser of one network.

    Attributes
    ----------
    call : ast.Call
    unit : Unit
    frame : Frame
        Where its arguments are looked at: the call of a helper that makes it.
    side : str
        ``d``, ``g``, ``o`` for another network, empty for not known.
    name : str
        The kind: ``adam``.
    style : str
        ``torch`` or ``keras``: in which order arguments stand.
    target : str
        What it is called.
    """

    call: ast.Call
    unit: Unit
    frame: Frame
    side: Side
    name: str
    style: str
    target: str

    @property
    def line(self) -> int:
        """The line that names its class."""
        return self.call.func.end_lineno or self.call.lineno


def optimisers_of(reader: Reader) -> list[Optimiser]:
    """All optimisers of a code, in the order of its files and lines; of a helper one a call."""
    index = reader.index
    found: list[Optimiser] = []
    for made, kind in all_made(reader):
        if len(found) < _MOST:
            found += _made(made, kind, reader)
    if not {"d", "g"} <= {o.side for o in found}:
        for made, kind in described(reader):
            found += _made(made, kind, reader)
    order = {id(u): i for i, u in enumerate(index.units)}
    found.sort(key=lambda o: (order[id(o.unit)], o.call.lineno, _frame_line(o.frame)))
    # of branches that exclude each other that which is taken, as far as it can be told
    taken = [o for o in found if not reader.is_idle(o.call, _entered(o))]
    return taken if {"d", "g"} <= {o.side for o in taken} else found


def _entered(made: Optimiser) -> Frame | None:
    return made.frame if made.frame.call is not None else None


def _frame_line(frame: Frame) -> int:
    return frame.call.lineno if frame.call is not None else 0


def _made(made: Made, kind: str, reader: Reader) -> Iterator[Optimiser]:
    index = reader.index
    style = _style(made.call, reader)
    scope = index.function_of(made.call)
    target = target_of(made.call, index)
    sides = _Sides(reader, made, style, target)
    plain = Frame(scope)
    own = sides.of(plain)
    helpers = _helper_calls(made, reader)
    # of a class that makes both the optimisers each is known without the calls
    whole = getattr(made.scope, "name", "") == "__init__"
    if helpers and not (own and whole):
        for site in helpers:
            frame = Frame(scope, site.call, reader.frame(site.call))
            called = target_of(site.call, index)
            side = sides.trained(frame) or sides.at(site, called) or (own[0] if own else "")
            yield Optimiser(made.call, made.unit, frame, side, kind, style, called or target)
        return
    for side in own or [""]:
        yield Optimiser(made.call, made.unit, plain, side, kind, style, target)


def _helper_calls(made: Made, reader: Reader) -> list[Made]:
    """The calls of a function that only makes an optimiser, where there are several."""
    scope = made.scope
    if not isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
        return []
    index = reader.index
    back = [n for n in ast.walk(scope) if isinstance(n, ast.Return) and n.value is not None]
    name = target_of(made.call, index)
    gives = any(
        n.value is made.call or (isinstance(n.value, ast.Name) and n.value.id == name) for n in back
    ) or any(made.call in list(ast.walk(n)) for n in back)
    owner = index.parents.get(scope)
    if isinstance(owner, ast.ClassDef) and scope.name == "__init__":
        sites = index.callers(owner.name, owner)
        gives = True
    else:
        sites = index.callers(scope.name, scope)
    sites = [s for s in sites if s.scope is not scope]
    return sites[:_MOST_SITES] if gives and len(sites) > 1 else []


def _style(call: ast.Call, reader: Reader) -> str:
    """In which order the arguments stand: parameters first, or the rate."""
    words = {k.arg for k in call.keywords}
    if words & {"learning_rate", "beta_1", "beta1", "alpha", "parameters"}:
        return "keras"
    if words & {"betas", "params", "lr"} and call.args:
        return "torch"
    name = last_name(call.func)
    if name.endswith("Optimizer"):
        return "keras"
    if not call.args:
        return "keras"
    first = call.args[0]
    if "lr" in words_of(last_name(first)) or "rate" in words_of(last_name(first)):
        return "keras"
    return "keras" if reader.number(first) is not None else "torch"


class _Sides:
    """Whose optimiser a call makes: from what it trains, else from names."""

    def __init__(self, reader: Reader, made: Made, style: str, target: str) -> None:
        self.reader = reader
        self.made = made
        self.style = style
        self.target = target

    def of(self, frame: Frame) -> list[Side]:
        """Whose it is; both where one object serves both."""
        trained = self.trained(frame)
        told = side_of(self.target)
        if trained in ("d", "g"):
            return [trained]
        if trained == "o":
            return ["g"] if told == "g" else ["o"]
        step = self.minimised()
        if step:
            return [step]
        users = self.users()
        if users:
            return users
        if told:
            return [told]
        rate = next((k.value for k in self.made.call.keywords if k.arg in _RATES), None)
        if rate is None and self.style == "keras" and self.made.call.args:
            rate = self.made.call.args[0]
        whose = side_of(last_name(rate))
        if whose in ("d", "g"):  # `c_opt = Adam(d_lr)`
            return [whose]
        around = self.around()
        return [around] if around else []

    def at(self, site: Made, called: str) -> Side:
        """Whose it is where a helper is called."""
        index = self.reader.index
        told = side_of(called)
        names = [last_name(a) for a in (*site.call.args, *(k.value for k in site.call.keywords))]
        sides = {s for s in map(side_of, names) if s in ("d", "g")}
        if not told and len(sides) == 1:
            return sides.pop()
        if told:
            return told
        keyword = index.parents.get(site.call)
        return side_of(keyword.arg or "") if isinstance(keyword, ast.keyword) else ""

    def trained(self, frame: Frame) -> Side:
        """Whose parameters it is given."""
        call = self.made.call
        given = next((k.value for k in call.keywords if k.arg in _TRAINED), None)
        if given is None and self.style == "torch" and call.args:
            given = call.args[0]
        return self.owner_of(given, frame, 0) if given is not None else ""

    def owner_of(self, node: ast.expr, frame: Frame, depth: int) -> Side:
        sides: list[Side] = []
        for part in _references(node):
            side = self.side_of_reference(part, frame, depth)
            if side:
                sides.append(side)
        for side in ("d", "g", "o"):
            if sides and all(s == side for s in sides):
                return side
        if "g" in sides and "d" not in sides:
            return "g"
        return "d" if sides.count("d") > sides.count("g") + sides.count("o") else ""

    def side_of_reference(self, node: ast.expr, frame: Frame, depth: int) -> Side:
        names = [n for n in dotted(node) if n.lower() not in _NOISE] or []
        for name in reversed(names):
            side = side_of(name)
            if side:
                return side
        if dotted(node)[:1] == ("self",) and not names:
            owner = self.reader.index.class_of(node)
            return side_of(owner.name) if owner is not None else ""
        if depth > 2:
            return ""
        base = node
        while isinstance(base, ast.Attribute) and base.attr.lower() in _NOISE:
            base = base.value
        end = self.reader.end(base, frame)
        if end is None or end[0] is base:
            return ""
        made = end[0]
        if isinstance(made, ast.Call):
            side = side_of(last_name(made.func))
            return side or self.owner_of(made, end[1], depth + 1)
        if isinstance(made, ast.BinOp | ast.List | ast.Tuple | ast.ListComp):
            return self.owner_of(made, end[1], depth + 1)
        return ""

    def minimised(self) -> Side:
        """``Adam(lr).minimize(d_loss, var_list=d_vars)``."""
        index = self.reader.index
        parent = index.parents.get(self.made.call)
        if not isinstance(parent, ast.Attribute):
            return ""
        call = index.parents.get(parent)
        return self.side_of_step(call) if isinstance(call, ast.Call) else ""

    def side_of_step(self, call: ast.Call) -> Side:
        """Whose step it is: whose variables it moves, else whose loss it lowers."""
        moved = [k.value for k in call.keywords if k.arg in ("var_list", "params")]
        for node in (*moved, *call.args):
            for part in _references(node):
                for name in reversed(dotted(part)):
                    side = side_of(name)
                    if side in ("d", "g"):
                        return side
        told = side_of(target_of(call, self.reader.index))
        return told if told in ("d", "g") else ""

    def users(self) -> list[Side]:
        """Whose steps and compilations use the object; both where it serves both."""
        index = self.reader.index
        keyword = index.parents.get(self.made.call)
        if isinstance(keyword, ast.keyword):
            if side_of(keyword.arg or "") in ("d", "g"):
                return []
            holder = index.parents.get(keyword)
            return self.of_use(holder) if isinstance(holder, ast.Call) else []
        target = _target(self.made.call, index)
        path = dotted(target)
        if target is None or not path or side_of(path[-1]) in ("d", "g"):
            return []
        found: list[Side] = []
        for name in ("minimize", "apply_gradients", "compile", "apply_updates", "update"):
            for use in index.calls.get(name, ()):
                if use.unit is self.made.unit and self.uses(use.call, target, path):
                    found += self.of_use(use.call)
        return list(dict.fromkeys(s for s in ("d", "g") if s in found))

    def uses(self, call: ast.Call, target: ast.expr, path: tuple[str, ...]) -> bool:
        """Whether a call takes the very object: of the same class, where it is one of `self`."""
        index = self.reader.index
        handed: list[ast.expr] = [*call.args, *(k.value for k in call.keywords)]
        if isinstance(call.func, ast.Attribute):
            handed.append(call.func.value)
        if not any(dotted(a) == path for a in handed):
            return False
        if path[0] == "self":
            return index.class_of(call) is index.class_of(target)
        bound = index.function_of(target)
        return isinstance(bound, ast.Module) or index.function_of(call) is bound

    def of_use(self, call: ast.Call) -> list[Side]:
        if not isinstance(call.func, ast.Attribute):
            return []
        if call.func.attr == "compile":
            receiver = last_name(call.func.value)
            side: Side = side_of(receiver) if receiver != "self" else ""
            # `model` of `define_discriminator`; what is nobody's else is G with D on top
            side = side or self.around()
            if not side and receiver not in ("self", ""):
                side = "g"
            return [side] if side else []
        side = self.side_of_step(call)
        return [side] if side else []

    def around(self) -> Side:
        """The function or class that it stands in."""
        index = self.reader.index
        for parent in index.around(self.made.call):
            if isinstance(parent, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                side = side_of(parent.name)
                if side:
                    return side
        return ""


def handed_to(made: Optimiser, side: Side, reader: Reader) -> Iterator[ast.expr]:
    """Where an object that serves both networks is handed to the one's ``compile``."""
    sides = _Sides(reader, Made(made.call, made.unit, made.frame.scope), made.style, made.target)
    target = _target(made.call, reader.index)
    path = dotted(target)
    for use in reader.index.calls.get("compile", ()) if path else ():
        if target is not None and use.unit is made.unit and sides.uses(use.call, target, path):
            given = [*use.call.args, *(k.value for k in use.call.keywords)]
            if sides.of_use(use.call) == [side]:
                yield from (node for node in given if dotted(node) == path)


def _target(call: ast.AST, index: Index) -> ast.expr | None:
    """What a value is assigned to."""
    parent = index.parents.get(call)
    if isinstance(parent, ast.Assign):
        return parent.targets[-1]
    return parent.target if isinstance(parent, ast.AnnAssign) else None


def _references(node: ast.AST) -> list[ast.expr]:
    """The longest ``a.b.c`` below a node."""
    out: list[ast.expr] = []
    stack = [node]
    while stack and len(out) < 40:
        here = stack.pop()
        if isinstance(here, ast.Attribute | ast.Name | ast.Subscript) and dotted(here):
            out.append(here)
            continue
        if (
            isinstance(here, ast.Call)
            and isinstance(here.func, ast.Attribute)
            and dotted(here.func)
        ):
            if here.func.attr not in ("chain", "filter"):
                out.append(here.func)
            stack += here.args
            continue
        if isinstance(here, ast.Lambda):
            continue
        stack += list(ast.iter_child_nodes(here))
    return out
