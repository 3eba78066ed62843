"""Spectral norm put around the layers of D, where each of them is made in a call of D's own."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from gandoctor.configs.references import dotted
from gandoctor.configs.splice import SpliceError

if TYPE_CHECKING:
    from gandoctor.configs.python.reading import Code
    from gandoctor.configs.python.units import Unit

_LAYERS: Final = frozenset({"Conv1d", "Conv2d", "Conv3d", "Linear"})
# Layers with weights that spectral norm is not put around here.
_OTHERS: Final = (
    "ConvTranspose",
    "Lazy",
    "LSTM",
    "GRU",
    "RNN",
    "Bilinear",
    "Multihead",
    "Transformer",
)
_MOST: Final = 12  # layers


def layers_of(code: Code) -> list[tuple[ast.Call, Unit, str]]:
    """The layers of D, their files, and what spectral norm is called there.

    Parameters
    ----------
    code : Code

    Raises
    ------
    SpliceError
        Where not every layer of D is made in a call of its own; it says why, and where D is.
    """
    for body, unit in code.training.networks("d") if code.training is not None else ():
        calls = [n for n in ast.walk(body) if isinstance(n, ast.Call)]
        layers = sorted((c for c in calls if _torch_of(c, unit, code)), key=lambda c: c.lineno)
        if not layers:
            continue
        normed = code.found.get("spectral_norm")
        place = normed.place if normed is not None else unit.place(layers[0])
        at = f"{place.file}:{place.line}"
        if normed is not None:
            raise SpliceError(f"{at}: D has spectral norm")
        other = next(
            (c for c in calls if c not in layers and _holds_layers(c, body, unit, code)), None
        )
        if other is not None:
            raise SpliceError(
                f"{place.file}:{unit.place(other).line}: D has layers of another kind"
            )
        if len(layers) > _MOST:
            raise SpliceError(f"{at}: D has {len(layers)} layers")
        return [(c, unit, f"{_torch_of(c, unit, code)}.utils.spectral_norm") for c in layers]
    raise SpliceError("the code has no D of PyTorch whose layers are seen")


def _torch_of(call: ast.Call, unit: Unit, code: Code) -> str:
    """``nn`` of ``nn.Conv2d(...)``, ``torch.nn`` of its mere ``Conv2d``; empty for other calls."""
    *above, name = dotted(call.func) or ("",)
    if name not in _LAYERS:
        return ""
    if above:
        return ".".join(above) if above[-1] == "nn" else ""
    is_named = (unit.tree, "torch") in code.reader.index.names
    return "torch.nn" if is_named and _is_of_torch(name, unit, code) else ""


def _is_of_torch(name: str, unit: Unit, code: Code) -> bool:
    """Whether a name is brought by ``from torch.nn import``."""
    bound = code.reader.index.names.get((unit.tree, name), ())
    return any(isinstance(b.node, ast.ImportFrom) and b.node.module == "torch.nn" for b in bound)


def _holds_layers(call: ast.Call, body: ast.AST, unit: Unit, code: Code) -> bool:
    """Whether a call may make layers that are not seen here."""
    path = dotted(call.func)
    if not path or path[0] == "super":
        return False
    if "nn" in path[:-1] or _is_of_torch(path[-1], unit, code):
        return path[-1].startswith(_OTHERS)
    inside = set(ast.walk(body))
    made = code.reader.index.functions.get(path[-1], ())
    return path[-1][:1].isupper() or any(f not in inside for f in made)
