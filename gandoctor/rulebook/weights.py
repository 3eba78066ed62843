"""What all evidence is worth, as a benchmark fitted it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from gandoctor.errors import RuleError
from gandoctor.model.belief import Cuts, Measure, RuleWeight, Weights
from gandoctor.model.measured import Share
from gandoctor.page import Page
from gandoctor.rulebook.folder import WEIGHTS, written_in

CUTS: Final = ("failing", "seen", "warning", "healthy")


def weights_of(
    folders: Sequence[Path], measures: Iterable[Measure], faults: list[RuleError]
) -> Weights:
    """Fitted weights; of several folders the last that has them.

    What is not there any more does no harm.
    """
    found = Weights()
    knots = {m.id: len(m.curve.knots) for m in measures}
    for page in written_in(folders, WEIGHTS, faults):
        page.only(("about", "base", "cuts", "measures", "rules"))
        fitted = dict(page.entries("measures"))
        found = Weights(
            base=page.number("base", 0.0),
            measures={m: _nats(inner, knots.get(m)) for m, inner in fitted.items()},
            rules={r: _rule_weight(inner) for r, inner in page.entries("rules")},
            cuts=_cuts(page),
            cases={m: _cases(inner, "cases") for m, inner in fitted.items()},
        )
    return found


def _rule_weight(page: Page) -> RuleWeight:
    page.only(("holds", "clear", "fired", "asked"))
    return RuleWeight(
        page.number("holds"), page.number("clear"), _cases(page, "fired"), _cases(page, "asked")
    )


def _cases(page: Page, key: str) -> Share:
    """Runs that a weight rests on, and how many of those had failed.

    Where it does not say, none.
    """
    inner = page.at(key, page.mapping(key))
    inner.only(("runs", "failed", "interval"))
    failed, runs = (inner.number(name, 0.0, low=0.0) for name in ("failed", "runs"))
    if failed > runs or failed != int(failed) or runs != int(runs):
        inner.fault("failed", f"{failed:g} of {runs:g} runs cannot be")
        return Share(0, 0)
    return Share(int(failed), int(runs))


def _cuts(page: Page) -> Cuts:
    inner = page.at("cuts", page.mapping("cuts"))
    inner.only(CUTS)
    usual = Cuts()
    made = Cuts(**{name: inner.number(name, getattr(usual, name)) for name in CUTS})
    if not (
        0 <= made.healthy <= made.warning <= made.failing <= 1 and made.healthy <= made.seen <= 1
    ):
        page.fault("cuts", "are in no order", "write 0 <= healthy <= warning <= failing <= 1")
    return made


def _nats(page: Page, knots: int | None) -> tuple[float, ...]:
    """Nats of a measure, as many as its curve has knots (None: no such measure, any number)."""
    page.only(("nats", "cases"))
    listed = page.data.get("nats")
    numbers = [
        float(v)
        for v in (listed if isinstance(listed, list) else ())
        if isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v)
    ]
    if not isinstance(listed, list) or len(numbers) != len(listed):
        page.fault("nats", "must be a list of numbers", "it is written by a benchmark")
    elif knots is not None and len(numbers) != knots:
        page.fault(
            "nats",
            f"has {len(numbers)} numbers, the measure's curve {knots} knots",
            "fit the weights anew",
        )
    return tuple(numbers)
