"""What several kinds of rule files have: the games they are about, and their sources."""

from __future__ import annotations

from typing import Final, get_args

from gandoctor.model.rules import Reference
from gandoctor.model.signals import FAMILIES, StepUnit
from gandoctor.page import Page

# What a rule may ask of the game before it asks anything of the curves; None: any word.
APPLIES_TO: Final[dict[str, tuple[str, ...] | None]] = {
    "family": FAMILIES,
    "reduction": ("sum", "mean", "unknown"),
    "led_by": ("something", "nothing"),
    "unit": get_args(StepUnit),
}


def applies_to(page: Page) -> dict[str, tuple[str, ...]]:
    """What a rule or measure asks of the game, by what is asked."""
    inner = page.at("applies_to", page.mapping("applies_to"))
    inner.only(tuple(APPLIES_TO))
    return {k: inner.names(k, APPLIES_TO[k], k) for k in inner.data if k in APPLIES_TO}


def references(page: Page) -> tuple[Reference, ...]:
    """The sources that a page names."""
    made = []
    for entry in page.items("references"):
        entry.only(("url", "says"))
        made.append(Reference(entry.text("url", need=True), entry.text("says", need=True)))
    return tuple(made)
