"""Since when: the step at which what was found began, perhaps before the window that found it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gandoctor.lang.frame import FALSE, TRUE, Marks, Span, Test, Told, Value
from gandoctor.lang.functions import FUNCTIONS, Points, best_step, cells
from gandoctor.lang.machine import Evaluation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gandoctor.lang.tree import Node
    from gandoctor.lang.window import Amount


def onset_of(
    marks: Marks, low: int, high: int, for_: Amount, streak: tuple[int, int] | None, *, back: bool
) -> int | None:
    """Step since which the test holds as often as was asked."""
    if streak is not None and not back:
        return int(marks.steps[low + streak[0]])
    held = marks.codes == TRUE
    inside = np.flatnonzero(held[low:high])
    if not inside.size:
        return None
    if for_.kind == "ever" and low > 0 and back and int(inside[0]) > 0:
        return int(marks.steps[low + int(inside[0])])
    if for_.kind == "ever" or streak is not None:
        at = low + (streak[0] if streak is not None else int(inside[0]))
        if back:
            before = np.flatnonzero(~held[:at])
            at = int(before[-1]) + 1 if before.size else 0
        return int(marks.steps[at])
    share = for_.amount if for_.kind == "share" else 1.0
    return _since(marks, 0 if back else low, low + int(inside[-1]) + 1, share / 2)


def _since(marks: Marks, start: int, stop: int, rate: float) -> int:
    """Start of the stretch that ends at `stop` and holds most above `rate`.

    The change point of the share.
    """
    steps, codes = marks.steps[start:stop], marks.codes[start:stop]
    worth = np.zeros(4)
    worth[FALSE], worth[TRUE] = -rate, 1 - rate
    gain = np.cumsum(worth[codes] * cells(steps))
    before = np.concatenate(([0.0], gain[:-1]))
    # Equal lows differ by rounding: the first of them is meant.
    at = int((before <= before.min() + 1e-9 * np.abs(gain).max()).argmax())
    later = np.flatnonzero(codes[at:] == TRUE)
    return int(steps[at + int(later[0])] if later.size else steps[at])


def dated(node: Node, run: Evaluation) -> int | None:
    """Since when a test that is decided once holds; None where it does not say."""
    if node.op in ("and", "or"):
        wanted = [a for a in node.args if node.op == "and" or _truth(run.test(a))]
        dates = [d for d in (dated(a, run) for a in wanted) if d is not None]
        return (max if node.op == "and" else min)(dates, default=None)
    span = run.span
    if span is None or not any(n.op == "signal" for n in node.walk()):
        return None
    if node.op == "call" and node.name == "constant":
        return _unchanged_since(run.value(node.args[0]), span)
    if node.op not in ("<", "<=", ">", ">="):
        return None
    rising = node.op in (">", ">=")
    shape = next(
        (n for n in node.walk() if n.op == "call" and n.name in ("trend", "change", "slope")), None
    )
    if shape is not None:
        value = run.value(shape)
        turned = isinstance(value, float) and shape is node.args[0] and (value > 0) == rising
        return _turning_point(run.value(shape.args[0]), span, rising=rising) if turned else None
    since = node.args[0]
    if since.op == "call" and since.name == "since_best":
        found = Evaluation(run.frame, None).value(since.args[0])
        return best_step(found) if rising and isinstance(found, Points) else None
    marks = run.dating().test(node)
    if not isinstance(marks, Marks):
        return None
    low, high = span.rows(marks.steps)
    inside = np.flatnonzero(marks.codes[low:high] == TRUE)
    if not inside.size:
        return None
    return _since(marks, 0 if span.back else low, low + int(inside[-1]) + 1, 0.5)


def _truth(test: Test) -> bool | None:
    return test.truth if isinstance(test, Told) else None


def _turning_point(found: Value, span: Span, *, rising: bool) -> int | None:
    """Where a rise (or fall) that reaches into the window began.

    The valley (or peak) of the smoothed signal.
    """
    if not isinstance(found, Points) or len(found.known()) < 3:
        return None
    points = found.known()
    smoothed = FUNCTIONS["smooth"].call(points)  # type: ignore[misc]
    height = smoothed if rising else -smoothed
    low, high = span.rows(points.steps)
    if high - low < 1:
        return None
    at = low + int(height[low:high].argmin())
    if span.back:
        # Backwards from there as long as it keeps falling; a bump of a fifth of the rise ends it.
        past = height[: at + 1][::-1]
        lowest = np.minimum.accumulate(past)
        with np.errstate(invalid="ignore"):
            bump = np.flatnonzero(past - lowest > 0.2 * np.maximum(height[high - 1] - lowest, 0))
        past = past[: int(bump[0])] if bump.size else past
        at -= int(past.argmin()) if past.size else 0
    return int(points.steps[at])


def _unchanged_since(found: Value, span: Span) -> int | None:
    if not isinstance(found, Points):
        return None
    points = found.known()
    low, high = span.rows(points.steps)
    if high <= low:
        return None
    start = 0 if span.back else low
    other = np.flatnonzero(points.values[start:high] != points.values[high - 1])
    return int(points.steps[start + (int(other[-1]) + 1 if other.size else 0)])


def stretches(held: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Unbroken stretches of rows that hold.

    Parameters
    ----------
    held : ndarray of bool, shape (n,)

    Returns
    -------
    (first rows, one past the last rows)
        Each of intp, shape (k,), ascending.
    """
    edges = np.flatnonzero(np.diff(np.concatenate(([False], held, [False])).astype(np.int8)))
    return edges[::2], edges[1::2]
