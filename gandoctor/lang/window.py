"""Which part of a run a test looks at (``over:``), and how much of it has to pass (``for:``)."""

from __future__ import annotations

import difflib
import re
from typing import Final, Literal

from gandoctor.errors import RuleError
from gandoctor.patterns import late_pattern
from gandoctor.values import dataclass

WindowKind = Literal[
    "all", "first", "last", "after_step", "after_best", "after_clause", "last_regime"
]
Unit = Literal["%", "steps", "epochs"]
AmountKind = Literal["ever", "always", "share", "row"]

WINDOW_HINT: Final = (
    "write `first 100 steps`, `last 50%`, `first 3 epochs`, `last regime`, `after 10000 steps`, "
    "`after best(x)` or "
    "`after CLAUSE`"
)
AMOUNT_HINT: Final = "write `ever`, `always`, `80% of steps` or `100 steps in a row`"
_NUMBER: Final = r"(?P<amount>\d{1,12}(?:_\d{3})*(?:\.\d{1,6})?)"
_PART: Final = late_pattern(
    rf"(?P<side>first|last|after)\s+{_NUMBER}\s*(?P<unit>%|steps?|epochs?)", re.ASCII
)
_BEST: Final = late_pattern(r"after\s+best\s*\((?P<of>.+)\)", re.ASCII)
_CLAUSE: Final = late_pattern(r"after\s+(?P<of>[a-z_][a-z0-9_]*)", re.ASCII | re.IGNORECASE)
_SHARE: Final = late_pattern(rf"{_NUMBER}\s*%(?:\s+of\s+(?:the\s+)?steps)?", re.ASCII)
_ROW: Final = late_pattern(rf"{_NUMBER}\s+(?P<unit>steps?|epochs?)\s+in\s+a\s+row", re.ASCII)
_MAX_LENGTH: Final = 200


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a run that is looked at.

    Attributes
    ----------
    kind : str
        ``all``, ``first``, ``last``, ``after_step``, ``after_best``, ``after_clause`` or
        ``last_regime`` (since D's or G's loss last changed its level or width for good; the whole
        run where neither did).
    amount : float
        How much, in `unit`; 0 where the kind needs none. Per cent run from 0 to 100.
    unit : str
        ``%`` of the run's steps, ``steps`` or ``epochs``.
    of : str
        The expression inside ``after best(...)``, or the clause of ``after CLAUSE``.
    text : str
        As written in the rule; empty for the whole run.
    """

    kind: WindowKind = "all"
    amount: float = 0.0
    unit: Unit = "%"
    of: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Amount:
    """How much of the window has to pass the test.

    Attributes
    ----------
    kind : str
        ``ever`` (at one point at least), ``always``, ``share`` (of the window's steps), ``row`` (so
        many in a row).
    amount : float
        ``share``: fraction of the steps in (0, 1]; ``row``: length in `unit`; else 0.
    text : str
        As written in the rule; empty where nothing was.
    unit : str
        Unit of a ``row``: ``steps`` or ``epochs``.
    """

    kind: AmountKind = "ever"
    amount: float = 0.0
    text: str = ""
    unit: Unit = "steps"


def parse_window(text: str | None) -> Window:
    """Read ``over:``; None is the whole run.

    Raises
    ------
    RuleError
        Where the text is no window; one sentence that says what would be.
    """
    if text is None:
        return Window()
    line = _one_line(text, "over", WINDOW_HINT)
    if line in ("all", "whole run", "the whole run"):
        return Window(text=line)
    if line == "last regime":
        return Window("last_regime", text=line)
    if found := _PART.fullmatch(line):
        side, unit = found["side"], _unit(found["unit"])
        amount = float(found["amount"])
        if amount <= 0 and side != "after":
            raise RuleError(f"`{line}` is an empty window", hint=WINDOW_HINT)
        if unit == "%" and amount > 100:
            raise RuleError(
                f"`{line}` is more than the whole run", hint="a share of the run is at most 100%"
            )
        return Window("after_step" if side == "after" else side, amount, unit, text=line)  # type: ignore[arg-type]
    if found := _BEST.fullmatch(line):
        return Window("after_best", of=found["of"].strip(), text=line)
    if found := _CLAUSE.fullmatch(line):
        return Window("after_clause", of=found["of"], text=line)
    raise RuleError(
        f"`{line}` is no window", hint=_near(line, ("first", "last", "after"), WINDOW_HINT)
    )


def parse_amount(text: str | None) -> Amount:
    """Read ``for:``; None is ``ever``, which a test decided once for its window needs not say.

    Raises
    ------
    RuleError
        Where the text is no amount; one sentence that says what would be.
    """
    if text is None:
        return Amount()
    line = _one_line(text, "for", AMOUNT_HINT)
    if line in ("ever", "always"):
        return Amount("ever" if line == "ever" else "always", text=line)
    if found := _SHARE.fullmatch(line):
        share = float(found["amount"]) / 100
        if not 0 < share <= 1:
            raise RuleError(
                f"`{line}` is no share of the steps", hint="it lies above 0% and is at most 100%"
            )
        return Amount("share", share, line)
    if found := _ROW.fullmatch(line):
        length = float(found["amount"])
        if length <= 0:
            raise RuleError(f"`{line}` is always true", hint=AMOUNT_HINT)
        return Amount("row", length, line, _unit(found["unit"]))
    raise RuleError(f"`{line}` is no amount", hint=_near(line, ("ever", "always"), AMOUNT_HINT))


def _one_line(text: object, key: str, hint: str) -> str:
    if not isinstance(text, str):
        raise RuleError(f"`{key}` must be text, not {text!r:.40}", hint=hint)
    line = " ".join(text.split())
    if not line or len(line) > _MAX_LENGTH:
        raise RuleError(f"`{key}` is empty" if not line else f"`{key}` is too long", hint=hint)
    return line


def _unit(word: str) -> Unit:
    if word == "%":
        return "%"
    return "steps" if word.startswith("step") else "epochs"


def _near(line: str, words: tuple[str, ...], hint: str) -> str:
    word = line.partition(" ")[0]
    close = difflib.get_close_matches(word, words, 1, 0.7)
    return f"did you mean `{close[0]}`? {hint}" if close and close[0] != word else hint
