"""Which losses a code computes: read from its syntax, nothing is run."""

from __future__ import annotations

import ast
import re
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeGuard

from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Set

_WASSERSTEIN: Final = r"(?i)(?!.*sliced).*wasserstein.*loss.*|w_?loss"
# By the last word of what is called.
_CALLS: Final[tuple[tuple[str, str], ...]] = (
    (
        (
            r"BCE(WithLogits)?Loss|binary_cross_?entropy(_with_logits)?|"
            r"(Sigmoid)?BinaryCross_?[Ee]ntropy(Loss)?"
        ),
        "bce",
    ),
    (
        r"sigmoid_(binary_)?cross_entropy(_with_logits)?|softplus|SoftMarginLoss|log_?sigmoid",
        "bce",
    ),
    (r"(?:sparse_)?softmax_cross_entropy\w*|SoftmaxCrossEntropyLoss", "classes"),
    (r"MSELoss|mse_loss|MeanSquaredError|mean_squared_error", "mse"),
    (_WASSERSTEIN, "wgan"),
    (r"(?i).*hinge.*", "hinge"),
    (r"(?i).*gradient_?penalty.*|.*grad_penalty.*|gp|calc_gp|compute_gp|get_gp", "gp"),
)
_WORDS: Final = {
    "binary_crossentropy": "bce", "bce": "bce", "mse": "mse", "mean_squared_error": "mse",
    "hinge": "hinge",
}  # fmt: skip
# Marks that name a game by themselves.
GAMES: Final = frozenset({"bce", "hinge", "wgan", "ls"})
_LOSS: Final = late_pattern(
    r"(?i)(?:disc\w*|dis|gen\w*|adv\w*|gan|d|g)_loss\w*|loss_(?:disc\w*|dis|gen\w*|adv\w*|gan|d|g)"
)
_TRAINS: Final = late_pattern(
    r"(?i)(?:^|_)(?:train|fit|update)\w*_(?:disc|critic|dis(?:$|_)|d(?:$|_))"
)
# What D is told of real and fake data, as its classes.
_TOLD: Final = late_pattern(r"(?i)(?:real|fake)_?(?:labels?|targets?|y)|labels?_?(?:real|fake)")
# Nodes of the longest term that is looked at.
_LONGEST: Final = 80
_MEANS: Final = frozenset({"mean", "reduce_mean"})
# What the mean of an answer of D's is taken of, and what makes another loss of it.
_JUDGED_WORDS: Final = r"(?i)fake|real|critic|disc|valid|\bd_|net_?d|\bnet_?c\b|\bD\b|gen|logit"
_JUDGED: Final = late_pattern(_JUDGED_WORDS)
# What HiFi-GAN's losses call the answers of D beside.
_SCORED: Final = late_pattern(_JUDGED_WORDS + r"|\bd[gr]\b")
_SHAPED: Final = late_pattern(
    r"(?i)\b(?:log\w*|relu|softplus|abs|square|pow|norm\w*|maximum|minimum|sigmoid\w*)\b|\*\*"
)


def family_of(trees: Iterable[ast.AST]) -> str | None:
    """Name the loss that code computes.

    Parameters
    ----------
    trees : iterable of AST
        Parsed code of one training.

    Returns
    -------
    str or None
        A family's name; None where the code names none or more than one, as a comparison of several
        does.
    """
    return of_marks({mark for tree in trees for mark, _ in marks(tree)})


def of_marks(found: Set[str]) -> str | None:
    """The family that marks tell; None where they tell none, or several."""
    games = found & GAMES
    if len(games) > 1:
        return None
    if "wgan" in games:
        return "wgan-gp" if "gp" in found else "wgan"
    if games:
        return {"bce": "nonsaturating", "hinge": "hinge", "ls": "lsgan"}[next(iter(games))]
    # Two classes told apart, and D's are real and fake.
    if {"classes", "judged"} <= found:
        return "nonsaturating"
    # Squares alone: beside another loss they are how pictures are compared, and a penalty on
    # gradients tells of one that is not seen.
    return "lsgan" if "mse" in found and "gp" not in found else None


def marks(tree: ast.AST) -> Iterator[tuple[str, ast.Call | ast.BinOp]]:
    """What tells of a loss below a node, and where."""
    shaping: set[ast.AST] = set()  # `x * tanh(softplus(x))` is an activation
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _last(node.func) == "tanh":
            shaping.update(node.args)
        if node in shaping:
            continue
        if isinstance(node, ast.FunctionDef):
            if _LOSS.fullmatch(node.name):
                yield from _in_loss(node)
            if _LOSS.fullmatch(node.name) or _TRAINS.search(node.name):
                yield from _of_means(node)
            elif re.fullmatch(_WASSERSTEIN, node.name):
                yield from (("wgan", n) for n in ast.walk(node) if is_mean(n))
        elif isinstance(node, ast.Call):
            yield from ((mark, node) for mark in _of_call(node))
        elif isinstance(node, ast.BinOp):
            yield from ((mark, node) for mark in _of_sum(node))
            yield from ((mark, node) for mark in _of_power(node))


def _is_of_one(node: ast.Call) -> bool:
    return any(isinstance(a, ast.Constant) and a.value == 1 for a in node.args)


def is_mean(node: ast.AST) -> TypeGuard[ast.Call]:
    """``mean(y_true * y_pred)``."""
    return isinstance(node, ast.Call) and _last(node.func) in _MEANS


def _in_loss(function: ast.FunctionDef) -> Iterator[tuple[str, ast.BinOp]]:
    """``mean((1 - x) ** 2)`` in a function that is called a loss of D or G."""
    for node in ast.walk(function):
        if not isinstance(node, ast.BinOp) or not isinstance(node.op, ast.Pow):
            continue
        base = node.left
        if _is_margin(base) and not re.search(r"(?i)norm|slope|grad", _text(base)):
            yield "ls", node


def _of_means(function: ast.FunctionDef) -> Iterator[tuple[str, ast.BinOp]]:
    """``real = mean(D(x))``, ``fake = mean(D(G(z)))``, and the loss is their difference."""
    named: dict[str, ast.expr] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            # a name that is given twice is no one mean
            again = node.targets[0].id in named
            named[node.targets[0].id] = node.targets[0] if again else node.value
    for node in ast.walk(function):
        value = node.value if isinstance(node, ast.Assign | ast.Return) else None
        if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add | ast.Sub):
            terms = _terms(value, 1, 12)
            means = ((s, named.get(_last(t), t)) for s, t in terms if isinstance(t, ast.Name))
            if len({sign for sign, term in means if _is_judgement(term)}) == 2:
                yield "wgan", value


def _is_clamped(node: ast.Call, name: str) -> bool:
    """``clamp(1 - D(x), min=0)``."""
    if name not in ("clamp", "clip", "clamp_min") or not node.args or not _is_margin(node.args[0]):
        return False
    low = next((k.value for k in node.keywords if k.arg == "min"), None)
    low = node.args[1] if low is None and len(node.args) > 1 else low
    is_zero = isinstance(low, ast.Constant) and low.value == 0
    return is_zero and bool(_SCORED.search(_text(node.args[0])))


def _of_call(node: ast.Call) -> Iterator[str]:
    name = _last(node.func)
    yield from (mark for pattern, mark in _CALLS if re.fullmatch(pattern, name))
    # Python's own `max` takes numbers: `max(0, 1 - epoch / 100)` is a rate that falls
    is_plain = isinstance(node.func, ast.Name) and name == "max"
    if (
        name in ("relu", "maximum", "max")
        and any(_is_margin(a) for a in node.args)
        and not is_plain
        # `max(x - 1)` is the largest of some numbers
        and (name == "relu" or len(node.args) + len(node.keywords) > 1)
    ) or _is_clamped(node, name):
        yield "hinge"
    if name == "squared_difference" and _is_of_one(node) and _JUDGED.search(_text(node)):
        yield "ls"
    if any(_TOLD.fullmatch(_last(a)) for a in node.args):
        yield "judged"
    if name in ("square", "pow") and node.args:
        yield from _of_square(node.args[0])
    if name == "log" and node.args:
        yield from _of_logarithm(node.args[0])
    for keyword in node.keywords:
        if keyword.arg == "loss":
            for part in ast.walk(keyword.value):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield from (m for m in (_WORDS.get(part.value.lower()),) if m)
                elif isinstance(part, ast.Name | ast.Attribute):
                    yield from (
                        mark for pattern, mark in _CALLS if re.fullmatch(pattern, _last(part))
                    )


def _text(node: ast.AST) -> str:
    """A term as it is written; empty where it is longer than what stands in a loss."""
    return (
        "" if sum(1 for _ in islice(ast.walk(node), _LONGEST + 1)) > _LONGEST else ast.unparse(node)
    )


def _last(node: ast.expr) -> str:
    """The last name of ``a.b.c``; empty where it is none."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _is_margin(node: ast.expr) -> bool:
    """``1 - x`` or ``1 + x``."""
    return (
        isinstance(node, ast.BinOp)
        and isinstance(node.op, ast.Add | ast.Sub)
        and any(
            isinstance(side, ast.Constant) and side.value == 1 for side in (node.left, node.right)
        )
    )


def _of_sum(node: ast.BinOp) -> Iterator[str]:
    """``D(fake).mean() - D(real).mean()``, in either order and with more terms beside."""
    if not isinstance(node.op, ast.Add | ast.Sub):
        return
    signs = {sign for sign, term in _terms(node, 1, 12) if _is_judgement(term)}
    if len(signs) == 2:
        yield "wgan"


def _terms(node: ast.expr, sign: int, most: int) -> list[tuple[int, ast.expr]]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub) and most:
        right = sign if isinstance(node.op, ast.Add) else -sign
        return _terms(node.left, sign, most - 1) + _terms(node.right, right, most - 1)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and most:
        return _terms(node.operand, -sign, most - 1)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult) and most:
        # `0.5 * (mean(a) + mean(b))`
        if isinstance(node.left, ast.Constant):
            return _terms(node.right, sign, most - 1)
        if isinstance(node.right, ast.Constant):
            return _terms(node.left, sign, most - 1)
    return [(sign, node)]


def _is_judgement(node: ast.expr) -> bool:
    """Whether it is a mean of what D says, as it says it."""
    if not isinstance(node, ast.Call) or _last(node.func) not in _MEANS:
        return False
    text = _text(node)
    return bool(_JUDGED.search(text)) and not _SHAPED.search(text)


def _of_power(node: ast.BinOp) -> Iterator[str]:
    """``(norm - 1) ** 2`` and ``(D(x) - 1) ** 2``."""
    if isinstance(node.op, ast.Pow):
        yield from _of_square(node.left)


def _of_square(base: ast.expr) -> Iterator[str]:
    if not (isinstance(base, ast.BinOp) and isinstance(base.op, ast.Sub)):
        return
    if isinstance(base.right, ast.Constant) and base.right.value == 1:
        text = _text(base.left)
        if re.search(r"(?i)norm|slope", text):
            yield "gp"
        elif _JUDGED.search(text):
            yield "ls"


def _of_logarithm(arg: ast.expr) -> Iterator[str]:
    """``log(1 - D(G(z)))``, with or without an epsilon."""
    for part in (arg, *(getattr(arg, side, None) for side in ("left", "right"))):
        if not isinstance(part, ast.BinOp) or not isinstance(part.op, ast.Sub):
            continue
        if _is_margin(part) and _JUDGED.search(_text(part)):
            yield "bce"
