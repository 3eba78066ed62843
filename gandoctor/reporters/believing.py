"""The belief that a run has failed, told.

A line for a terminal, the pieces of a waterfall for a page.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from gandoctor.model.belief import in_per_cent
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gandoctor.model.report import BeliefNote, Report

MOST: Final = 8  # pieces that are told one by one
SAID: Final = 2  # of them, in one line
BASE: Final = "base-rate"
WIDTH: Final = 160  # of the drawing
_EDGE: Final = 3
_LARGEST: Final = 1e9  # of numbers whose hundredths are counted
_THIN: Final = 1.5  # a bar is never thinner


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of the waterfall.

    Attributes
    ----------
    kind : str
        ``base``, ``against`` the run, ``for`` it, or ``sum``.
    x, width, zero : str
        Where its bar is drawn, and where even odds lie.
    nats, text : str
    """

    kind: str
    x: str
    width: str
    zero: str
    nats: str
    text: str


def line(report: Report) -> str:
    """``failing, 93 %: D's loss rested at 0.01 of its chance level; ...``.

    Empty where no belief was worked out.
    """
    if report.p_failing is None:
        return ""
    told = [b for b in report.belief if b.evidence != BASE]
    doubtful = report.verdict in ("failing", "warning")
    spoke = (
        [b for b in told if (b.nats > 0) == doubtful] if report.verdict != "inconclusive" else told
    )
    head = (
        f"{report.verdict}, {in_per_cent(report.p_failing)}{'' if doubtful else ' for a failure'}"
    )
    strongest = sorted(spoke, key=lambda b: -abs(b.nats))[:SAID]
    said = "; ".join(f"{b.text} ({signed(b.nats)})" for b in strongest)
    return f"{head}: {said}" if said else head


def signed(nats: float) -> str:
    """``+1.2``, with a true minus sign."""
    return f"{nats:+.2f}".replace("-", "\u2212")


def adding_up(values: Sequence[float]) -> list[str]:
    """The numbers as they are told, two digits each, so that they come to their rounded sum.

    Rounded alone, ten of them are off by some hundredths; those nearest to the next hundredth take
    these up.
    """
    if not sum(map(abs, values)) < _LARGEST:
        return [signed(v) for v in values]
    whole = [math.floor(100 * v) for v in values]
    short = round(100 * sum(values)) - sum(whole)
    nearest = sorted(range(len(values)), key=lambda i: whole[i] - 100 * values[i])
    for i in nearest[:short]:
        whole[i] += 1
    return [signed(n / 100) for n in whole]


def told(belief: Sequence[BeliefNote]) -> list[tuple[str, float]]:
    """Pieces in the order they are told: the base rate, the weightiest, the rest as one.

    (text, nats).
    """
    base = [b for b in belief if b.evidence == BASE]
    pieces = sorted((b for b in belief if b.evidence != BASE), key=lambda b: -abs(b.nats))
    shown = pieces if len(pieces) <= MOST + 1 else pieces[:MOST]
    rest = pieces[len(shown) :]
    rows = [(f"before anything is known: {b.text}", b.nats) for b in base] + [
        (b.text, b.nats) for b in shown
    ]
    if rest:
        rows.append((f"{len(rest)} smaller pieces", sum(b.nats for b in rest)))
    return rows


def waterfall(report: Report) -> tuple[Bar, ...]:
    """The belief as bars, each beginning where the one before ended.

    The last is what they come to.
    """
    rows = told(report.belief)
    if report.p_failing is None or not rows:
        return ()
    at = [0.0]
    for _, nats in rows:
        at.append(at[-1] + nats)
    low, high = min(at), max(at)
    scale = (WIDTH - 2 * _EDGE) / ((high - low) or 1.0)

    def bar(kind: str, start: float, end: float, nats: str, text: str) -> Bar:
        left, width = _EDGE + (min(start, end) - low) * scale, abs(end - start) * scale
        zero = _EDGE - low * scale
        return Bar(kind, f"{left:.1f}", f"{max(width, _THIN):.1f}", f"{zero:.1f}", nats, text)

    kinds = ["base", *("against" if nats > 0 else "for" for _, nats in rows[1:])]
    numbers = adding_up([n for _, n in rows])
    ends = pairwise(at)
    bars = [
        bar(kind, start, end, said, text)
        for kind, (start, end), said, (text, _) in zip(kinds, ends, numbers, rows, strict=True)
    ]
    together = f"together: {in_per_cent(report.p_failing)} sure that the run has failed"
    return (*bars, bar("sum", 0.0, at[-1], signed(at[-1]), together))
