"""The layers of the two networks, as far as settings speak of them."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from gandoctor.configs.python.loops import TEST, Loops, fits
from gandoctor.configs.python.making import target_of
from gandoctor.configs.python.sides import side_of, words_of
from gandoctor.configs.references import last_name
from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gandoctor.configs.python.sides import Side
    from gandoctor.configs.python.units import Unit
    from gandoctor.configs.python.ways import Known

_ACTIVATIONS: Final = {
    "tanh": "tanh", "Tanh": "tanh", "sigmoid": "sigmoid", "Sigmoid": "sigmoid",
    "hard_sigmoid": "sigmoid", "Softmax": "softmax", "softmax": "softmax",
}  # fmt: skip
_NORMS: Final = late_pattern(
    r"(?i)spectral_?norm(?:ali[sz]ation)?|sn_?conv\w*|sn_?linear|sn(?:conv2d|dense)?"
)
_ASKED: Final = late_pattern(r"(?i)spectral|(?:^|_)sn(?:$|_)")
_ATTENTION: Final = frozenset(
    {"att", "attn", "attention", "attw", "score", "scores", "energy", "affinity"}
)
# Words of functions that make no network.
_NO_NETWORK: Final = frozenset(
    {
        "loss",
        "train",
        "step",
        "optimizer",
        "update",
        "penalty",
        "save",
        "load",
        "plot",
        "block",
        "layer",
    }
)


class Layers(Loops):
    """Looks into the classes and functions that make the networks."""

    # ------------------------------------------------------------ layers

    def output_activation(self) -> tuple[str, ast.expr, Unit] | None:
        """The last activation of G."""
        for body, unit in self.networks("g"):
            found = [f for f in self._activations(body) if not self.reader.is_idle(f[1])]
            if found:
                said, node = found[-1]
                return said, node, unit
        return None

    def _activations(self, body: ast.AST) -> list[tuple[str, ast.expr]]:
        found: list[tuple[int, int, str, ast.expr]] = []
        for node in ast.walk(body):
            if isinstance(node, ast.List | ast.Tuple):  # `layers = [..., jax.nn.tanh]`
                for item in node.elts:
                    said = _word(item) if isinstance(item, ast.Attribute) else ""
                    if said.islower() and said in _ACTIVATIONS:
                        found.append((item.lineno, item.col_offset, _ACTIVATIONS[said], item))
            if isinstance(node, ast.Call):
                name = (
                    last_name(node.func) if isinstance(node.func, ast.Name | ast.Attribute) else ""
                )
                if name in _ACTIVATIONS and not self._is_of_attention(node):
                    found.append(
                        (
                            node.func.end_lineno or node.lineno,
                            node.col_offset,
                            _ACTIVATIONS[name],
                            node,
                        )
                    )
                elif name == "Activation" and node.args and _word(node.args[0]) in _ACTIVATIONS:
                    said = _ACTIVATIONS[_word(node.args[0])]
                    found.append((node.lineno, node.col_offset, said, node.args[0]))
                for keyword in node.keywords:
                    if keyword.arg in ("activation", "activation_fn") and (
                        _word(keyword.value) in _ACTIVATIONS
                    ):
                        said = _ACTIVATIONS[_word(keyword.value)]
                        value = keyword.value
                        found.append((value.lineno, value.col_offset, said, value))
        found.sort(key=lambda f: f[:2])
        return [(said, node) for _, _, said, node in found]

    def _is_of_attention(self, node: ast.Call) -> bool:
        """``scores = softmax(q @ k)`` within a network."""
        return bool(set(words_of(target_of(node, self.index))) & _ATTENTION)

    def spectral_norm(self) -> tuple[ast.expr, Unit] | None:
        """Where D normalises its weights."""
        for body, unit in self.networks("d"):
            for node in sorted(_calls_in(body), key=lambda c: c.lineno):
                if not _NORMS.fullmatch(last_name(node.func)) or self.reader.is_idle(node):
                    continue
                # `if use_sn:` of a network that nobody is seen to make
                return None if self._is_asked_for(node) else (node, unit)
        return None

    def _is_asked_for(self, node: ast.AST) -> bool:
        """Whether it hangs on an option for spectral norm of which nothing is known."""
        return any(
            isinstance(p, ast.If)
            and _ASKED.search(last_name(p.test))
            and self.reader.known(p.test) is None
            for p in self.index.around(node)
        )

    def dropout(self) -> Known | None:
        """The share that D drops."""
        for body, _ in self.networks("d"):
            for node in sorted(_calls_in(body), key=lambda c: c.lineno):
                if re.fullmatch(
                    r"(?:Alpha|Spatial)?[dD]ropout(?:1d|2d|1D|2D)?", last_name(node.func)
                ):
                    value = node.args[0] if node.args else None
                    if value is None or (len(node.args) > 1 and isinstance(value, ast.Name)):
                        value = next(
                            (k.value for k in node.keywords if k.arg in ("p", "rate")),
                            node.args[1] if len(node.args) > 1 else None,
                        )
                    known = self.reader.known(value) if value is not None else None
                    if known is not None and fits(known.value, 0, 1):
                        return known
        return None

    def networks(self, side: Side) -> Iterator[tuple[ast.AST, Unit]]:
        """The classes and functions that make a network, those the training makes first."""
        index = self.index
        found: list[tuple[int, int, int, ast.AST, Unit]] = []
        every: list[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef] = []
        for classes in index.classes.values():
            every += classes
        for functions in index.functions.values():
            every += functions
        for node in every:
            if TEST.search(node.name) or set(words_of(node.name)) & _NO_NETWORK:
                continue
            owner = index.parents.get(node)
            # `build` of the one network is none of the other's
            its = side_of(node.name) or side_of(getattr(owner, "name", "") or "")
            if its != side and (its or not self._is_made_as(node.name, side)):
                continue
            unit = index.of[node]
            if id(unit) in self.reader.rivals:
                continue
            rank = self.near.index(unit) if unit in self.near else 99
            made = 0 if any(m.unit in self.near for m in index.calls.get(node.name, ())) else 1
            found.append((made, rank, node.lineno, node, unit))
        for *_, body, unit in sorted(found, key=lambda f: f[:3]):
            yield body, unit
        yield from self._assembled(side)

    def _is_made_as(self, name: str, side: Side) -> bool:
        """``netG = UNet(3)``: whether what is of no side by its name is made under one's."""
        return any(
            side_of(target_of(m.call, self.index)) == side and not self._is_layer(m.call)
            for m in self.index.calls.get(name, ())
            if m.unit in self.near
        )

    def _is_layer(self, call: ast.Call) -> bool:
        """Whether it is one of several: ``self.gen = Sequential(Conv(), Swish())``."""
        around = (p for p in self.index.around(call) if isinstance(p, ast.Call | ast.stmt))
        return any(last_name(p.func) == "Sequential" for p in around if isinstance(p, ast.Call))

    def _assembled(self, side: Side) -> Iterator[tuple[ast.AST, Unit]]:
        """``generator = Sequential([...])``, and ``generator.add(...)`` one after the other."""
        for call, unit in self.calls_with("Sequential"):
            if side_of(target_of(call, self.index)) == side:
                yield call, unit
        parts: dict[int, tuple[Unit, list[ast.expr]]] = {}
        for call, unit in self.calls_with("add"):
            if isinstance(call.func, ast.Attribute) and side_of(last_name(call.func.value)) == side:
                parts.setdefault(id(unit), (unit, []))[1].append(call)
        for unit, calls in parts.values():
            yield ast.Tuple(calls, ast.Load()), unit


def _word(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return last_name(node) if isinstance(node, ast.Name | ast.Attribute) else ""


def _calls_in(body: ast.AST) -> list[ast.Call]:
    return [n for n in ast.walk(body) if isinstance(n, ast.Call)]
