"""How pages say what a rule book holds: tests, windows, amounts, changes, tables."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

from gandoctor.model.measured import ENOUGH
from gandoctor.model.rules import BEST_STEP
from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gandoctor.lang.window import Amount, Window
    from gandoctor.model.measured import Share
    from gandoctor.model.rules import Change, Clause, Reference, Remedy, Rule, Term

LED: Final = {
    "nothing": "no pixel, mel, feature or other loss leads G",
    "something": "another loss than D's verdict leads G",
}
PLACE: Final = late_pattern(r"\{([^{}]+)\}")
NAME: Final = late_pattern(r"[A-Za-z_][A-Za-z0-9_]*")
CALL: Final = late_pattern(r"([A-Za-z_][A-Za-z0-9_]*)\(")


def clause_in_words(clause: Clause) -> str:
    """A clause as a phrase: the test, the part of the run, how much of it has to pass."""
    parts = [
        f"`{n}` is {' or '.join(v or 'nothing' for v in words)}"
        for n, words in clause.given.items()
    ]
    if clause.where is not None:
        parts.append(f"`{clause.where.text}`")
    text = " and ".join(parts)
    how_much = (
        amount_in_words(clause.for_)
        if clause.where is not None and clause.where.kind == "mask"
        else ""
    )
    signals = clause.where.signals if clause.where is not None else ()
    window = window_in_words(clause.over) if signals and (how_much or clause.over.text) else ""
    return ", ".join(p for p in (text, window, how_much) if p)


def window_in_words(over: Window) -> str:
    """The part of the run that is looked at."""
    size = f"{over.amount:g} {over.unit}"
    return {
        "all": "over the whole run",
        "first": f"in the first {size} of the run",
        "last": f"in the last {size} of the run",
        "after_step": f"after {size}",
        "after_best": f"after the best value of `{over.of}`",
        "last_regime": "since the losses last changed for good",
        "after_clause": f"from where **{over.of}** begins",
    }[over.kind]


def amount_in_words(amount: Amount) -> str:
    """How much of it has to pass."""
    return {
        "ever": "at one step at least",
        "always": "at every step",
        "share": f"on at least {100 * amount.amount:g} % of the steps",
        "row": f"for {amount.text}",
    }[amount.kind]


def limits_in_words(applies_to: Mapping[str, Sequence[str]]) -> str:
    """The games that a rule or measure speaks of."""
    said = {
        "family": lambda words: f"the loss is {either(words)}",
        "led_by": lambda words: either([LED[w] for w in words]),
        "unit": lambda words: f"the log counts {either(words)}",
        "reduction": lambda words: f"D's loss is the {either(words)} of its two terms",
    }
    return " and ".join(said[key](words) for key, words in applies_to.items() if words)


def either(words: Sequence[str]) -> str:
    """``a, b or c``."""
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def term_in_words(term: Term, sign: int) -> str:
    """One term of a cause, with its weight."""
    said = f' "{term.says}"' if term.says else ""
    return f"- {clause_in_words(term.clause)} ({sign * term.weight:+g}){said}"


def change_in_words(change: Change) -> str:
    """What a remedy does to one setting."""
    only = ", if the config itself names that word" if change.if_named else ""
    only += "; without this setting there is no patch" if change.need else ""
    if change.to is not None:
        new = f"{change.to:g}" if isinstance(change.to, float) else str(change.to)
        return (
            f"`{change.setting}` becomes "
            f"{new.lower() if isinstance(change.to, bool) else new}{only}"
        )
    own = f"the value of `{change.of}`" if change.of else "its own value"
    if change.of == BEST_STEP:
        own = "the point where the measured quality was best (where the log counts in this unit)"
    elif change.multiply == 1 and not change.of:
        own = "the same, written as a number"
    times = "" if change.multiply in (None, 1) else f" times {change.multiply:g}"
    sane = (
        f", where that lies between {change.low:g} and {change.high:g}"
        if math.isfinite(change.high)
        else ""
    )
    return f"`{change.setting}` becomes {own}{times}{sane}{only}"


def standing(rule: Rule) -> str:
    """Why the rule has the status it has, and what that means for its findings."""
    proven = rule.measured is not None and rule.measured.proven
    held = f"its findings are held with {rule.confidence} confidence at most"
    if rule.status == "preview":
        short = "has that by now" if proven else "does not have that yet"
        return (
            "It is a preview, reported apart and held with low confidence: a rule becomes stable "
            "when, of the runs it "
            f"fires on, those that failed have a lower 95 % bound of {ENOUGH:g}. It {short}."
        )
    if rule.stable_because:
        return f"It is stable because {rule.stable_because.rstrip('.')}; {held}."
    if proven:
        return (
            "It is stable: of the runs it fired on, those that failed have a lower 95 % bound "
            f"of {ENOUGH:g}; {held}."
        )
    return f"Its status is {rule.status}; {held}."


def precision(rule: Rule) -> str:
    """How many of the runs it fired on had failed."""
    return few(rule.measured.zoo.precision) if rule.measured else "-"


def few(share: Share) -> str:
    """``3/5``."""
    return f"{share.k}/{share.n}" if share.n else "-"


def share_in_words(share: Share) -> str:
    """A share with its interval."""
    return str(share) if share.n else "-"


def work(remedy: Remedy) -> str:
    """What a remedy changes."""
    return codes(tuple(c.setting for c in remedy.changes)) or {
        "code": "code",
        "data": "the data",
    }.get(remedy.effort, "nothing")


def heaviest(weights: Mapping[str, float]) -> list[str]:
    """Names by weight."""
    return sorted(weights, key=lambda s: -weights[s])


def codes(names: Sequence[str]) -> str:
    """Names as code."""
    return ", ".join(f"`{n}`" for n in names)


def link(text: str, to: str) -> str:
    """A link."""
    return f"[{text}]({to})"


def section(title: str) -> tuple[str, str, str]:
    """A heading with empty lines about it."""
    return ("", f"## {title}", "")


def paragraphs(*texts: str) -> Iterator[str]:
    """Texts, each on one line."""
    for i, text in enumerate(texts):
        if i:
            yield ""
        yield " ".join(text.split())


def references(references: Sequence[Reference]) -> Iterator[str]:
    """The section of references; nothing where there are none."""
    if references:
        yield from section("References")
        yield from (f"- {capital(r.says)}: <{r.url}>" for r in references)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table."""
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    yield from (
        f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows
    )


def plain(symptom: str | None) -> str:
    """A symptom in words."""
    return re.sub(r"\bnan\b", "NaN", (symptom or "").replace("-", " "))


def capital(text: str) -> str:
    """The text, its first letter a capital."""
    return text[:1].upper() + text[1:]
