"""What evidence is worth, on pages.

A measure with its curve, and what the answer of a rule adds.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from gandoctor.diagnose.belief import before_counting, group_of
from gandoctor.model.measured import Share
from gandoctor.rule_pages.words import (
    limits_in_words,
    paragraphs,
    plain,
    references,
    section,
    table,
    window_in_words,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gandoctor.model.belief import Curve, Measure
    from gandoctor.model.rules import Rule, Rulebook

_STROKE: Final = 0.25  # nats that one sign of a drawn curve stands for


def measure_page(
    measure: Measure, book: Rulebook, glossary: Iterable[str], logging: Iterable[str]
) -> Iterator[str]:
    """The page of a measure.

    Parameters
    ----------
    measure : Measure
    book : Rulebook
    glossary, logging : iterable of str
        Lines that say what its names and functions mean, and how to log what it needs.
    """
    yield f"# {measure.title}"
    yield ""
    yield f"`{measure.id}` | measure | group: {measure.group}"
    yield from section("What it measures")
    yield f"`{measure.value.text}`, {window_in_words(measure.over)}."
    limits = limits_in_words(measure.applies_to)
    if limits:
        yield f"It is only taken where {limits}."
    yield ""
    yield f'It then says "{measure.says}".'
    yield from glossary
    yield from section("What a value is worth")
    yield (
        "In nats that the run has failed; below zero they speak for a healthy run. Between two "
        "values it is linear"
        f"{', in the logarithm of one plus the value' if measure.curve.scale == 'log' else ''}; "
        "beyond the ends it "
        "stays what it is there."
    )
    yield ""
    yield from _curve(measure.curve, book.weights.measures.get(measure.id))
    yield ""
    yield _counted(book.weights.cases.get(measure.id, Share(0, 0)))
    yield from _sides(measure)
    yield from section("Why it matters")
    yield from paragraphs(measure.why)
    yield from logging
    yield from references(measure.references)


def _curve(curve: Curve, fitted: Sequence[float] | None) -> Iterator[str]:
    counts = fitted or curve.nats
    head = ("value", "beforehand", "fitted", "healthy - / failed +")
    rows = (
        (f"{knot:g}", f"{prior:+.2f}", f"{nats:+.2f}" if fitted else "-", drawn(nats))
        for knot, prior, nats in zip(curve.knots, curve.nats, counts, strict=True)
    )
    yield from table(head, rows)


def drawn(nats: float) -> str:
    """Nats as a stroke of signs, one for each quarter."""
    strokes = round(abs(nats) / _STROKE)
    return f"`{('+' if nats > 0 else '-') * strokes}`" if strokes else ""


def _sides(measure: Measure) -> Iterator[str]:
    best = measure.curve.knots[measure.curve.nats.index(min(measure.curve.nats))]
    sides = (("below", measure.low), ("above", measure.high))
    said = [f"{plain(symptom)} {side} that" for side, symptom in sides if symptom]
    yield ""
    if said:
        yield (
            f"It speaks most for a healthy run at {best:g}. Where no rule says what is wrong and "
            "it is worth enough, "
            f"it names {' and '.join(said)}."
        )
    else:
        yield f"It speaks most for a healthy run at {best:g}, and names no symptom."


def worth(rule: Rule, book: Rulebook) -> Iterator[str]:
    """What a rule's answer adds to the belief that a run has failed."""
    fitted = book.weights.rules.get(rule.id)
    weight = fitted or before_counting(rule)
    yield from section("What it is worth")
    if rule.kind == "risk":
        yield (
            f"Where it holds it adds {weight.holds:+.2f} nats to the belief that the run has "
            "failed; of several "
            "doubtful settings the second counts half as much, the third a quarter. Alone they "
            "decide nothing."
        )
    else:
        yield (
            f"Where it holds by far it adds {weight.holds:+.2f} nats to the belief that the run "
            "has "
            f"failed (odds {_times(weight.holds)}), where it only just holds half of that; where "
            "it was asked and does "
            f"not hold, {weight.clear:+.2f}. It stands in the group `{group_of(rule)}`, in which "
            "the strongest witness "
            "counts whole and each further one half as much as the one before."
        )
    yield ""
    if not fitted:
        yield "Nobody has counted yet: that is what its severity says."
    elif weight.asked.n:
        held = (
            f"it held in {weight.fired.n}, of which {weight.fired.k} had failed"
            if weight.fired.n
            else "it never held"
        )
        yield (
            f"Fitted on {weight.asked.n} runs in which it was asked ({weight.asked.k} of them had "
            f"failed); {held}. "
            "What its severity says beforehand keeps few cases from moving it far."
        )
    else:
        yield (
            "It was asked in none of the runs that weights are fitted on: that is what its "
            "severity says."
        )


def _times(nats: float) -> str:
    return f"times {math.exp(nats):.1f}"


def _counted(cases: Share) -> str:
    if not cases.n:
        return "None of the runs that weights are fitted on had it."
    return f"Fitted on the {cases.n} runs that had it; {cases.k} of them had failed ({cases})."
