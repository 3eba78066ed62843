"""Optimisers that are described before they are made.

``instantiate(cfg.optim_d)`` of Hydra, ``dict(type="Adam", lr=1e-4)`` for a registry, and
``EasyDict(class_name="torch.optim.Adam")``.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from gandoctor.configs.python.index import Made
from gandoctor.configs.python.making import Applied, kind_named, target_of
from gandoctor.configs.references import dotted, last_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gandoctor.configs.python.index import Index
    from gandoctor.configs.python.units import Unit
    from gandoctor.configs.python.values import Reader
    from gandoctor.configs.python.ways import Known

# What the class is called by in a description.
_CLASS: Final = ("_target_", "class_name", "type", "target")
_HOLDERS: Final = ("dict", "EasyDict", "edict", "ConfigDict", "DictConfig", "Munch")
_WORDS: Final = ("lr", "learning_rate", "betas", "weight_decay")
_MOST: Final = 40  # descriptions


def described(reader: Reader) -> Iterator[tuple[Made, str]]:
    """Calls as they would stand if the optimisers were made in place, and which those are."""
    index = reader.index
    for made in index.calls.get("instantiate", ())[:_MOST]:
        if made.call.args and dotted(made.call.args[0]):
            yield from _instantiated(made, reader)
    for name in _HOLDERS:
        for made in index.calls.get(name, ())[:_MOST]:
            words = [k for k in made.call.keywords if k.arg is not None]
            yield from _held(made.call, made.unit, words, index)
    for word in _CLASS:
        for _, node, unit in index.entries.get(word, ())[:_MOST]:
            if isinstance(node, ast.Dict):
                pairs = zip(node.keys, node.values, strict=True)
                said = [
                    ast.keyword(str(k.value), v) for k, v in pairs if isinstance(k, ast.Constant)
                ]
                yield from _held(node, unit, said, index)


def _instantiated(made: Made, reader: Reader) -> Iterator[tuple[Made, str]]:
    """``instantiate(cfg.optim_d, params=D.parameters())``, the config's own class read there."""
    call = made.call
    config, *args = call.args
    known = _of_entry(config, "_target_", reader)
    kind = _kind_of(known.value) if known is not None else ""
    if not kind:
        return
    outer = reader.index.parents.get(call)
    if isinstance(outer, ast.Call) and outer.func is call:  # `instantiate(cfg.optim_d)(params)`
        args = [*args, *outer.args]
    said = {k.arg for k in call.keywords}
    words = [*call.keywords]
    words += [
        ast.keyword(word, _entry(config, word))
        for word in _WORDS
        if word not in said and _of_entry(config, word, reader) is not None
    ]
    whole = _as_made(call, kind, args, words, reader.index)
    yield Made(whole, made.unit, reader.index.scope_of(call)), kind


def _of_entry(config: ast.expr, word: str, reader: Reader) -> Known | None:
    """What an entry of a config, or the first item of it, is known to be."""
    entry = _entry(config, word)
    first = ast.copy_location(ast.Subscript(entry, ast.Constant(0), ast.Load()), entry)
    for tried, key in ((entry, word), (first, f"{word}.0")):
        known = reader.known(tried)
        if known is not None and not known.guessed:
            # an entry of the same name may be another's
            its = f"{last_name(config)}.{key}" in reader.configs
            return known if its or known.how != "config" else None
    return None


def _held(
    node: ast.Call | ast.Dict, unit: Unit, words: list[ast.keyword], index: Index
) -> Iterator[tuple[Made, str]]:
    """``opt_d = dict(type="Adam", lr=1e-4)``, with what it is given afterwards."""
    its = next((k.value for k in words if k.arg in _CLASS), None)
    kind = _kind_of(its.value) if isinstance(its, ast.Constant) else ""
    # at the top of a file it is one config of perhaps many
    if not kind or isinstance(index.function_of(node), ast.Module):
        return
    words = [k for k in words if k.arg not in _CLASS]
    parent = index.parents.get(node)
    target = parent.targets[-1] if isinstance(parent, ast.Assign) else None
    for word in _WORDS if target is not None else ():
        later = [s for s in index.stores.get(word, ()) if _is_of(s.target, target)]
        if later:  # `opt_d.lr = options.lr`
            words = [k for k in words if k.arg != word]
            words.append(ast.keyword(word, later[-1].value))
    named = ast.copy_location(ast.Name(target_of(node, index), ast.Load()), node)
    whole = _as_made(node, kind, [named], words, index)
    yield Made(whole, unit, index.scope_of(node)), kind


def _is_of(entry: ast.expr, holder: ast.expr | None) -> bool:
    held = entry.value if isinstance(entry, ast.Attribute | ast.Subscript) else None
    return dotted(held) != () and dotted(held) == dotted(holder)


def _as_made(
    node: ast.expr, kind: str, args: list[ast.expr], words: list[ast.keyword], index: Index
) -> Applied:
    whole = ast.copy_location(Applied(ast.copy_location(ast.Name(kind), node), args, words), node)
    whole.func.end_lineno = node.lineno
    # what it is not told here, the factory may be told elsewhere
    whole.site, index.parents[whole] = None, index.parents[node]
    return whole


def _kind_of(value: object) -> str:
    return kind_named(value.rpartition(".")[2]) if isinstance(value, str) else ""


def _entry(node: ast.expr, word: str) -> ast.expr:
    """``node.word``, standing where the node does."""
    return ast.copy_location(ast.Attribute(node, word, ast.Load()), node)
