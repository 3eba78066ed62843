"""One page -> a measure."""

from __future__ import annotations

import itertools
import math
from typing import Final, Literal

from gandoctor.errors import near
from gandoctor.lang.syntax import compile_value
from gandoctor.lang.tree import Scope
from gandoctor.lang.window import Window, parse_window
from gandoctor.model.belief import Curve, Measure
from gandoctor.model.rules import SYMPTOMS
from gandoctor.page import Page
from gandoctor.rulebook.clauses import compiled
from gandoctor.rulebook.folder import FilePage
from gandoctor.rulebook.names import Words
from gandoctor.rulebook.parts import applies_to, references

MEASURE_KEYS: Final = (
    "id", "group", "title", "value", "over", "applies_to", "scale", "curve", "low", "high", "why",
    "says", "references",
)  # fmt: skip
SCALES: Final[tuple[Literal["linear", "log"], ...]] = ("linear", "log")


def measure_of(page: FilePage, scope: Scope, words: Words) -> Measure:
    """The measure of a page; what is wrong with it is added to the page's faults."""
    del words  # a measure has no words to test
    page.only(MEASURE_KEYS)
    value = compiled(page, "value", lambda: compile_value(page.text("value", need=True), scope))
    if value is not None and value.kind != "number":
        page.fault(
            "value",
            f"`{value.text}` is a {value.kind}, no number",
            "write `median(d_loss) / chance_d`",
        )
    over = compiled(page, "over", lambda: parse_window(page.data.get("over"))) or Window()
    if over.kind == "after_clause":
        page.fault("over", "there are no clauses here", "write `last 50%`")
    says = page.text("says", need=True)
    if says and not any(place in says for place in ("{value}", "{value:%}")):
        hint = "write `{value}` where it belongs, `{value:%}` for a share"
        page.fault("says", "does not say the number", hint)
    for side in ("low", "high"):
        if page.text(side) and page.text(side) not in SYMPTOMS:
            page.fault(
                side, f"no symptom is called `{page.text(side)}`", near(page.text(side), SYMPTOMS)
            )
    return Measure(
        id=page.id,
        group=page.text("group", need=True),
        title=page.text("title", need=True),
        value=value or compile_value("1", scope),  # never seen: a measure with a fault is dropped
        over=over,
        curve=_curve(page),
        applies_to=applies_to(page),
        why=page.text("why", need=True),
        says=says,
        low=page.text("low"),
        high=page.text("high"),
        references=references(page),
        file=page.file,
    )


def _curve(page: Page) -> Curve:
    """Knots and their nats, ``[[0, 1.0], [0.5, -0.3]]``."""
    knots: list[tuple[float, float]] = []
    given = page.data.get("curve")
    for i, knot in enumerate(given if isinstance(given, list) else ()):
        pair = knot if isinstance(knot, list) else []
        numbers = [
            float(v)
            for v in pair
            if isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v)
        ]
        if len(pair) != 2 or len(numbers) != 2:
            page.fault(
                f"curve[{i}]", f"`{knot}` is no knot", "write a number and its nats: `[0.5, -0.3]`"
            )
        else:
            knots.append((numbers[0], numbers[1]))
    rising = all(a[0] < b[0] for a, b in itertools.pairwise(knots))
    if len(knots) < 2 or not rising:
        page.fault(
            "curve", "needs two knots at least, in rising order", "write `[[0, 1.0], [0.5, -0.3]]`"
        )
        knots = [(0.0, 0.0), (1.0, 0.0)]
    scale = page.choice("scale", SCALES, "linear")
    return Curve(tuple(k for k, _ in knots), tuple(n for _, n in knots), scale)
