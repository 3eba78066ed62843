"""What an expression gave, in the numbers that a sentence or a chart shows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.lang.frame import (
    TRUE,
    Marks,
    Span,
)
from gandoctor.lang.functions import (
    FUNCTIONS,
    Points,
)
from gandoctor.lang.middle import median

if TYPE_CHECKING:
    from gandoctor.lang.machine import Evaluation
    from gandoctor.lang.tree import Node

MOST_VALUES: Final = 24

# Margins and shown medians are for reading: 20,000 rows tell them to three digits.
SHOWN_ROWS: Final = 20_000


def values_shown(tree: Node, run: Evaluation, marks: Marks | None) -> dict[str, float]:
    """Value of each sub-expression.

    Numbers as they are, series by their median in the window, where the test held.
    """
    shown: dict[str, float] = {}
    for node in tree.walk():
        if node.kind not in ("series", "number") or node.op == "const" or node.text in shown:
            continue
        if len(shown) >= MOST_VALUES:
            break
        value = run.value(node)
        if isinstance(value, Points) and run.span is not None:
            middle = _shown_median(value, run.span, marks)
            if middle is not None:
                shown[node.text] = middle
        elif isinstance(value, float):
            shown[node.text] = value
    return shown


def _shown_median(series: Points, span: Span, marks: Marks | None) -> float | None:
    """Median in the window, of the rows where the test held; None where there is none."""
    low, high = span.rows(series.steps)
    rows = series.values[low:high]
    held = np.ones(rows.size, dtype=np.bool_)
    if marks is not None and marks.steps.size == series.steps.size:
        held = marks.codes[low:high] == TRUE
    stride = max(1, -(-rows.size // SHOWN_ROWS))
    if held[::stride].any():
        rows, held = rows[::stride], held[::stride]
    rows = rows[held]
    rows = rows[~np.isnan(rows)]
    return float(median(rows)) if rows.size else None


_DRAWN: Final = frozenset(
    name for name, f in FUNCTIONS.items() if f.level or name in ("smooth", "best")
)


def threshold_drawn(tree: Node, run: Evaluation) -> tuple[float | None, str | None]:
    """The first number that a signal, plain or smoothed or its level, is compared with.

    And that signal.
    """
    for node in tree.walk():
        if node.op not in ("<", "<=", ">", ">="):
            continue
        for side, other in (node.args, node.args[::-1]):
            plain = side
            while plain.op == "call" and plain.name in _DRAWN:
                plain = plain.args[0]
            if plain.op == "signal" and plain.name in run.frame.series and other.kind == "number":
                value = run.value(other)
                if isinstance(value, float) and math.isfinite(value):
                    return value, plain.name
    return None, None
