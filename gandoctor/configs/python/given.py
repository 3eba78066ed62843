"""What an optimiser is given: its rate and its moments."""

from __future__ import annotations

import ast
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from gandoctor.configs.references import dotted, last_name
from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from gandoctor.configs.python.optimisers import Optimiser
    from gandoctor.configs.python.values import Reader
    from gandoctor.configs.python.ways import Known

# What an optimiser is told, by the words of the libraries.
_LR: Final = ("lr", "learning_rate", "alpha", "learningRate", "base_lr")
_BETAS: Final = (("beta1", "beta_1", "b1"), ("beta2", "beta_2", "b2"))
_RATE: Final = late_pattern(r"(?i)(?:^|_)(?:lr|learning_?rate)(?:$|_)")
# What a library takes where nothing is said.
_TORCH: Final = {"adam": 0.001, "adamw": 0.001, "rmsprop": 0.01, "adamax": 0.002, "nadam": 0.002}
_KERAS: Final = {
    "adam": 0.001, "rmsprop": 0.001, "sgd": 0.01, "adamax": 0.001, "nadam": 0.001, "adamw": 0.001,
}  # fmt: skip


class Slot(NamedTuple):
    """What an optimiser is given for one quantity: the expression, and what it is worth."""

    node: ast.expr | None
    known: Known | None


def rate_of(made: Optimiser, reader: Reader) -> Slot:
    """Its learning rate; no node where the call says nothing of it."""
    call = made.call
    place = 1 if made.style == "torch" else 0
    by_place = call.args[place] if len(call.args) > place else None
    node = next((k.value for k in call.keywords if k.arg in _LR), by_place)
    if node is not None:
        return Slot(node, reader.known(node, made.frame) or _scheduled(node, made, reader))
    for keyword in call.keywords:  # `Adam(params, **options)`
        if keyword.arg is None:
            for word in _LR[:2]:
                known = _spread(keyword.value, word, made, reader)
                if known is not None:
                    return Slot(keyword.value, known)
            return Slot(keyword.value, None)
    return Slot(None, None)


def _scheduled(node: ast.expr, made: Optimiser, reader: Reader) -> Known | None:
    """The rate that a function of the code is handed which makes a schedule of it."""
    end = reader.end(node, made.frame)
    call = end[0] if end is not None else None
    if end is None or not isinstance(call, ast.Call):
        return None
    several = reader.index.functions.get(last_name(call.func), ())
    if len(several) != 1:
        return None
    named = [*zip((a.arg for a in several[0].args.args), call.args, strict=False)]
    named += [(k.arg or "", k.value) for k in call.keywords]
    rates = [value for name, value in named if _RATE.search(name)]
    known = reader.known(rates[0], end[1]) if len(rates) == 1 else None
    return replace(known, guessed=True) if known is not None else None


def _spread(node: ast.expr, word: str, made: Optimiser, reader: Reader) -> Known | None:
    found = reader.known(_entry(node, word), made.frame)
    return found if found is not None and not found.guessed else None


def betas_of(made: Optimiser, reader: Reader) -> tuple[Slot, Slot]:
    """Its two moments."""
    call = made.call
    given = next((k.value for k in call.keywords if k.arg == "betas"), None)
    if given is None and made.style == "torch" and len(call.args) > 2 and "adam" in made.name:
        given = call.args[2]
    if given is not None:
        return _pair(given, made, reader)
    out: list[Slot] = []
    for place, words in enumerate(_BETAS, 1):
        node = next((k.value for k in call.keywords if k.arg in words), None)
        if (
            node is None
            and made.style == "keras"
            and "adam" in made.name
            and len(call.args) > place
        ):
            node = call.args[place]
        out.append(Slot(node, reader.known(node, made.frame) if node is not None else None))
    spread = next((k.value for k in call.keywords if k.arg is None), None)
    if spread is not None and out[0].node is None:
        return _of_spread(spread, made, reader)
    return out[0], out[1]


def _of_spread(spread: ast.expr, made: Optimiser, reader: Reader) -> tuple[Slot, Slot]:
    """The moments among ``**options``, as far as those are known."""
    held, frame = spread, made.frame
    site = made.frame.call
    if site is not None and made.frame.caller is not None and isinstance(spread, ast.Name):
        # what the helper was handed beside its parameters
        held = next((k.value for k in site.keywords if k.arg is None), spread)
        frame = made.frame.caller if held is not spread else frame
    out: list[Slot] = []
    for place, words in enumerate(_BETAS):
        pair = _entry(held, "betas")
        item = ast.copy_location(ast.Subscript(pair, ast.Constant(place), ast.Load()), held)
        tried = [item, *(_entry(held, w) for w in words)]
        known = (reader.known(t, frame) for t in tried)
        out.append(Slot(spread, next((k for k in known if k is not None and not k.guessed), None)))
    return out[0], out[1]


def _entry(node: ast.expr, word: str) -> ast.expr:
    """``node["word"]``, standing where the node does."""
    wanted = ast.copy_location(ast.Subscript(node, ast.Constant(word), ast.Load()), node)
    ast.copy_location(wanted.slice, node)
    return wanted


def _pair(given: ast.expr, made: Optimiser, reader: Reader) -> tuple[Slot, Slot]:
    if isinstance(given, ast.Call) and last_name(given.func) in ("tuple", "list") and given.args:
        given = given.args[0]
    end = reader.end(given, made.frame)
    if end is not None and isinstance(end[0], ast.Tuple | ast.List) and len(end[0].elts) == 2:
        first, second = (Slot(e, reader.known(e, end[1])) for e in end[0].elts)
        return first, second
    items = []
    for i in range(2):
        item = ast.Subscript(given, ast.Constant(i), ast.Load())
        ast.copy_location(item, given)
        ast.copy_location(item.slice, given)
        items.append(Slot(given, reader.known(item, made.frame)))
    return items[0], items[1]


def default_rate(made: Optimiser) -> float | None:
    """What the library takes where no rate is given."""
    return (_TORCH if made.style == "torch" else _KERAS).get(made.name)


def rate_word(made: Optimiser) -> str:
    """What the library calls the rate."""
    if made.style == "torch" or "optax" in dotted(made.call.func):
        return "lr" if made.style == "torch" else "learning_rate"
    if "chainer" in dotted(made.call.func) and "adam" in made.name:
        return "alpha"
    words = {k.arg for k in made.call.keywords}
    return "lr" if words & {"beta_1"} and "lr" in words else "learning_rate"
