"""The curves of cases: what an expression over ``t`` and ``step`` draws."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gandoctor.errors import RuleError
from gandoctor.lang.functions import FUNCTIONS, Function
from gandoctor.lang.syntax import compile_value
from gandoctor.lang.tree import Node, Scope
from gandoctor.values import dataclass

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class _Grid:
    """Where a curve is drawn: steps (n,), and t from 0 at the run's start to 1 at its end."""

    step: Floats
    t: Floats

    @property
    def size(self) -> int:
        return int(self.t.size)


CURVES: Final[dict[str, Function]] = {
    name: f for name, f in FUNCTIONS.items() if f.how == "point" and f.gives == "same"
}
_SCOPE: Final = Scope(signals=frozenset({"t", "step"}))
_EITHER: Final = "series or number"


def _curve(usage: str, takes: str, **more: Any) -> Callable[[Any], Any]:
    name = usage.partition("(")[0]

    def enter(call: Any) -> Any:
        doc = " ".join((call.__doc__ or "").split())
        kinds = tuple(k.strip() for k in takes.split(",") if k.strip())
        gives = more.pop("gives", "series")
        CURVES[name] = Function(name, usage, doc, "", kinds, gives, "series", call, **more)
        return call

    return enter


def made_series(text: str, steps: NDArray[np.int64], t: Floats, where: str = "") -> Floats:
    """Draw a curve from its expression.

    Parameters
    ----------
    text : str
        ``0.7 + 0.02 * noise(1)``; names are `t` and `step`, functions those of `CURVES`.
    steps : ndarray of int64, shape (n,)
    t : ndarray of float64, shape (n,)
        0 at the run's start, 1 at its end.
    where : str
        For the error.

    Returns
    -------
    ndarray of float64, shape (n,)

    Raises
    ------
    RuleError
        Where the text is no curve.
    """
    try:
        tree = compile_value(text, _SCOPE, CURVES).tree
        grid = _Grid(steps.astype(np.float64), t)
        with np.errstate(all="ignore"):
            return np.broadcast_to(np.asarray(_drawn(tree, grid), dtype=np.float64), t.shape).copy()
    except RuleError as e:
        e.where = where
        raise


_ARITHMETIC: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "**": np.power,
}  # fmt: skip


def _drawn(node: Node, grid: _Grid) -> Any:
    if node.op == "const":
        return np.float64(node.value)
    if node.op == "signal":
        return grid.t if node.name == "t" else grid.step
    args = [_drawn(a, grid) for a in node.args]
    if node.op == "neg":
        return -args[0]
    if node.op == "call":
        function = CURVES[node.name]
        assert function.call is not None  # noqa: S101 - every curve has its work
        return function.call(*args) if function.how == "point" else function.call(grid, *args)
    return _ARITHMETIC[node.op](*args)


@_curve("constant(value)", "number")
def _constant(grid: _Grid, value: float) -> Floats:
    """The same value throughout."""
    return np.full(grid.size, value)


@_curve("linear(a, b)", "number, number")
def _linear(grid: _Grid, a: float, b: float) -> Floats:
    """From a at the start straight to b at the end."""
    return np.asarray(a + (b - a) * grid.t)


@_curve("decay(a, b[, rate])", "number, number, number", optional=1)
def _decay(grid: _Grid, a: float, b: float, rate: float = 5.0) -> Floats:
    """From a towards b, fast at first: b + (a - b) exp(-rate t)."""
    return np.asarray(b + (a - b) * np.exp(-rate * grid.t))


@_curve("ramp(start, stop)", "number, number")
def _ramp(grid: _Grid, start: float, stop: float) -> Floats:
    """0 until t = start, 1 from t = stop, straight between."""
    if not start < stop:
        raise RuleError(f"a ramp from {start:g} to {stop:g} does not rise")
    return np.clip((grid.t - start) / (stop - start), 0, 1)


@_curve("noise(seed[, sd])", "count, number", optional=1)
def _noise(grid: _Grid, seed: float, sd: float = 1.0) -> Floats:
    """Gaussian noise around zero, the same for the same seed."""
    return np.asarray(sd * np.random.default_rng(int(seed)).standard_normal(grid.size))


@_curve("walk(seed[, sd])", "count, number", optional=1)
def _walk(grid: _Grid, seed: float, sd: float = 1.0) -> Floats:
    """A random walk from zero; sd is how far it gets by the end, on average."""
    steps = np.random.default_rng(int(seed)).standard_normal(grid.size)
    return np.asarray(sd * np.cumsum(steps) / np.sqrt(grid.size))


@_curve("sine(period)", "number")
def _sine(grid: _Grid, period: float) -> Floats:
    """A sine between -1 and 1; the period is in steps."""
    return np.sin(2 * np.pi * grid.step / _positive(period))


@_curve("square(period)", "number")
def _square(grid: _Grid, period: float) -> Floats:
    """Between 1 and -1, half a period each; the period is in steps."""
    return np.where(grid.step % _positive(period) < period / 2, 1.0, -1.0)


@_curve("spikes(every, height)", "count, number")
def _spikes(grid: _Grid, every: float, height: float) -> Floats:
    """The height on every so many rows, from the first such row on; zero between."""
    rows = np.arange(1, grid.size + 1)
    return np.where(rows % int(every) == 0, height, 0.0)


@_curve("at(t)", "number", gives="number")
def _at(grid: _Grid, t: float) -> float:  # the grid is not asked, but every curve gets it
    """Where a piece of `piecewise` ends: a share of the run."""
    del grid
    return t


@_curve("at_step(n)", "number", gives="number")
def _at_step(grid: _Grid, n: float) -> float:
    """Where a piece of `piecewise` ends: a step."""
    span = grid.step[-1] - grid.step[0]
    return float((n - grid.step[0]) / span) if span else 0.0


@_curve("piecewise(x, at(0.3), y, ...)", _EITHER, many=3)
def _piecewise(grid: _Grid, *parts: Any) -> Floats:
    """Until each place, what stands before it: x until 0.3, then y."""
    if len(parts) % 2 == 0:
        raise RuleError("a piece is missing", hint="write piecewise(x, at(0.3), y)")
    out = np.broadcast_to(np.asarray(parts[-1], dtype=np.float64), grid.t.shape).copy()
    for piece, place in zip(parts[-3::-2], parts[-2::-2], strict=True):
        out = np.where(grid.t < place, piece, out)
    return out


@_curve("nan_after(t, x)", f"number, {_EITHER}")
def _nan_after(grid: _Grid, t: float, x: Any) -> Floats:
    """The curve x until t, NaN from there on."""
    return np.where(grid.t >= t, np.nan, x)


@_curve("inf_after(t, x)", f"number, {_EITHER}")
def _inf_after(grid: _Grid, t: float, x: Any) -> Floats:
    """The curve x until t, infinite from there on."""
    return np.where(grid.t >= t, np.inf, x)


@_curve("nan_between(a, b, x)", f"number, number, {_EITHER}")
def _nan_between(grid: _Grid, a: float, b: float, x: Any) -> Floats:
    """The curve x, NaN from t = a until t = b."""
    return np.where((grid.t >= a) & (grid.t < b), np.nan, x)


@_curve("exp(x)", _EITHER)
def _exp(grid: _Grid, x: Any) -> Floats:
    """The exponential of x."""
    return np.broadcast_to(np.exp(x), grid.t.shape)


def _positive(period: float) -> float:
    if not period > 0:
        raise RuleError(f"a period of {period:g} steps is none")
    return period
