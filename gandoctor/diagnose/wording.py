"""Words and numbers in sentences about a run."""

from __future__ import annotations

import numpy as np


def unit_word(unit: str) -> str:
    """What one step of the axis is called."""
    return {"epochs": "epoch", "kimg": "kimg"}.get(unit, "step")


def percent(share: float) -> str:
    """A share in per cent."""
    return f"{100 * share:.0f} %"


def number_shown(value: object) -> str:
    """A value as a sentence quotes it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, int | float | np.floating | np.integer):
        return str(value)
    number = float(value)
    if not np.isfinite(number):
        return {np.inf: "infinite", -np.inf: "minus infinity"}.get(number, "not a number")
    if abs(number) < 1e6 and number == round(number):
        return f"{number:,.0f}"
    return f"{number:.3g}"


def plain(symptom: str) -> str:
    """A symptom as words, with a capital."""
    return symptom.replace("-", " ").capitalize()


def lower(text: str) -> str:
    """Lower the first letter, unless the first word is a name such as ``D`` or ``WGAN``."""
    word = text.split(" ", 1)[0]
    return text if word.isupper() or word.endswith("'s") else text[:1].lower() + text[1:]


def since(step: int | None, unit: str) -> str:
    """Since when, in the unit of the axis; nothing where it is not known."""
    if step is None:
        return ""
    return f" since {unit_word(unit)} {step:,}"
