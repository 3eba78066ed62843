"""The calls of a code that make optimisers, and what they are called."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from gandoctor.configs.python.index import Made
from gandoctor.configs.references import dotted, last_name
from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gandoctor.configs.python.index import Binding, Index
    from gandoctor.configs.python.values import Reader

_CLASSES: Final = late_pattern(
    r"(?P<name>AdamW|Adam|AdaBelief|Adamax|NAdam|Nadam|RAdam|RMSprop|RMSProp|SGD|Adagrad|AdaGrad|"
    r"Adadelta|AdaDelta|Lion|Ranger|LAMB|Momentum|MomentumSGD|GradientDescent|FusedAdam|ExtraAdam|"
    r"OptimisticAdam|OAdam|Adam8bit|AdamW8bit|DeepSpeedCPUAdam)(?:Optimizer)?"
)
_MOST_SITES: Final = 8  # calls of one partial
_PLAIN: Final = frozenset({"adam", "adamw", "rmsprop", "sgd", "adabelief", "lion"})  # of optax
_SPELLED: Final = frozenset({"adam", "rmsprop", "sgd", "adamax", "nadam", "adagrad", "adadelta"})
_NAMES: Final = {
    "gradientdescent": "sgd", "momentumsgd": "sgd", "momentum": "sgd", "fusedadam": "adam",
    "adam8bit": "adam", "adamw8bit": "adamw", "oadam": "adam", "optimisticadam": "adam",
    "extraadam": "adam", "deepspeedcpuadam": "adam",
}  # fmt: skip


def kind_of(call: ast.Call) -> str:
    """The kind of optimiser that a call makes; empty for any other call."""
    name = last_name(call.func)
    kind = kind_named(name)
    if kind and not isinstance(call.func, ast.Call):
        return kind
    if name in _PLAIN and dotted(call.func)[:1] == ("optax",):
        return name
    return ""


def all_made(reader: Reader) -> Iterator[tuple[Made, str]]:
    """All calls that make an optimiser, and which."""
    index = reader.index
    for several in list(index.calls.values()):
        for made in several:
            kind = kind_of(made.call)
            if kind and not _is_base(made.call, index):
                yield made, kind
    aliases = {n for (_, n), bound in index.names.items() if any(map(_is_class, bound))}
    for name in sorted(aliases | {"getattr"}):
        for made in index.calls.get(name, ()):
            kind = _aliased(made.call.func, reader)
            if kind:
                yield made, kind
    for made in list(index.calls.get("partial", ())):
        yield from _partly(made, index)
    for name, word, place in (("compile", "optimizer", 0), ("Trainer", "optimizer", 1)):
        for made in list(index.calls.get(name, ())):
            spelled = _spelled(made, word, place, index)
            if spelled is not None:
                yield spelled


class Applied(ast.Call):
    """``partial(Adam, lr=1e-4)`` and the call of what it gives, as the one call that they mean.

    It stands where the first does, so that its rate is changed there.

    Attributes
    ----------
    site : ast.Call or None
        The call that hands over the parameters: what it says goes before. None where it is not
        seen.
    """

    site: ast.Call | None


def _partly(made: Made, index: Index) -> Iterator[tuple[Made, str]]:
    call = made.call
    kind = kind_named(last_name(call.args[0])) if call.args else ""
    if not kind:
        return
    name = target_of(call, index)
    sites = [m for m in index.calls.get(name, ()) if m.unit is made.unit and m.call.args]
    for site in sites[:_MOST_SITES] or [made]:
        own = site.call.keywords if site is not made else []
        said = {k.arg for k in own}
        words = [*own, *(k for k in call.keywords if k.arg not in said)]
        args = site.call.args if site is not made else []
        whole = ast.copy_location(Applied(call.args[0], args, words), call)
        # what it is called is told where the optimiser is made, if that is seen
        whole.site = site.call if site is not made else None
        index.parents[whole] = index.parents[site.call]
        yield Made(whole, made.unit, site.scope), kind


def _is_class(binding: Binding) -> bool:
    """``optimizer = torch.optim.Adam``, or by name: ``getattr(torch.optim, name)``."""
    value = binding.value
    if isinstance(value, ast.Attribute | ast.Name):
        return _CLASSES.fullmatch(last_name(value)) is not None
    return isinstance(value, ast.Call) and last_name(value.func) == "getattr"


def _aliased(func: ast.expr, reader: Reader) -> str:
    """The kind of optimiser that a name, or ``getattr(torch.optim, name)``, stands for."""
    if isinstance(func, ast.Name):
        found = reader.bound(func, reader.frame(func))
        value = found[0].value if found is not None else None
        if isinstance(value, ast.Attribute | ast.Name):
            return kind_named(last_name(value))
        func = value if isinstance(value, ast.Call) else func
    if not isinstance(func, ast.Call) or last_name(func.func) != "getattr" or len(func.args) < 2:
        return ""
    known = reader.known(func.args[1])
    return kind_named(known.value) if known is not None and isinstance(known.value, str) else ""


def kind_named(name: str) -> str:
    """The kind of optimiser that a class makes, by its name; empty for other classes."""
    found = _CLASSES.fullmatch(name)
    kind = found["name"].lower() if found else ""
    return _NAMES.get(kind, kind)


def _spelled(made: Made, word: str, place: int, index: Index) -> tuple[Made, str] | None:
    """``compile(optimizer="adam")`` and ``Trainer(params, "adam", {"beta1": 0.5})`` as calls."""
    call = made.call
    node = next((k.value for k in call.keywords if k.arg == word), None)
    if node is None and len(call.args) > place:
        node = call.args[place]
    if not (isinstance(node, ast.Constant) and isinstance(node.value, str)):
        return None
    kind = node.value.lower()
    if kind not in _SPELLED:
        return None
    words: list[ast.keyword] = []
    if place:
        told = [*call.args[place + 1 :], *(k.value for k in call.keywords)]
        held = next((a for a in told if isinstance(a, ast.Dict)), None)
        for key, value in zip(held.keys, held.values, strict=True) if held is not None else ():
            if isinstance(key, ast.Constant):
                words.append(ast.keyword(str(key.value), value))
        words.append(ast.keyword("params", call.args[0]))
    # it stands where the word does
    asked = ast.copy_location(ast.Call(ast.copy_location(ast.Name(kind), node), [], words), node)
    index.parents[asked] = index.parents[node]
    return Made(asked, made.unit, made.scope), kind


def _is_base(call: ast.Call, index: Index) -> bool:
    """``class Mine(Adam)`` and the code's own class of that name are no calls of it."""
    return not call.args and not call.keywords and last_name(call.func) in index.functions


def target_of(call: ast.AST, index: Index) -> str:
    """What a value is called where it is put: a name, attribute, key or keyword."""
    node: ast.AST = call
    for parent in index.around(call):
        if isinstance(parent, ast.keyword):
            return parent.arg or ""
        if isinstance(parent, ast.Assign):
            return _of_targets(parent, node)
        if isinstance(parent, ast.AnnAssign):
            return last_name(parent.target)
        if isinstance(parent, ast.Dict):
            for key, value in zip(parent.keys, parent.values, strict=True):
                if value is node and isinstance(key, ast.Constant):
                    return str(key.value)
        if isinstance(parent, ast.stmt):
            return ""
        if not isinstance(parent, ast.Tuple):
            node = parent
        else:
            outer = index.parents.get(parent)
            if isinstance(outer, ast.Assign) and len(outer.targets) == 1:
                target = outer.targets[0]
                if isinstance(target, ast.Tuple) and node in parent.elts:
                    place = parent.elts.index(node)
                    if place < len(target.elts):
                        return _named(target.elts[place])
            node = parent
    return ""


def _of_targets(parent: ast.Assign, node: ast.AST) -> str:
    return _named(parent.targets[-1])


def _named(target: ast.expr) -> str:
    if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
        return f"{last_name(target.value)}_{target.slice.value!s}"
    if isinstance(target, ast.Tuple | ast.List):
        return ""
    return last_name(target)
