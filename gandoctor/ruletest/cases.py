"""A case beside a rule, a measure or shared evidence, as the small run that it describes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Literal, Protocol, get_args

import numpy as np

from gandoctor import diagnose, rulebook
from gandoctor.errors import RuleError, near
from gandoctor.lang.evaluate import Frame
from gandoctor.model.belief import Measure
from gandoctor.model.rules import Rule, Rulebook
from gandoctor.model.signals import FAMILIES, Objective, Run, Setting, Signal, StepUnit
from gandoctor.objective import CHANCE
from gandoctor.page import Page
from gandoctor.ruletest.curves import made_series
from gandoctor.values import dataclass

UNITS: Final[tuple[StepUnit, ...]] = get_args(StepUnit)
REDUCTIONS: Final[tuple[Literal["sum", "mean", "unknown"], ...]] = ("sum", "mean", "unknown")
MAX_ROWS: Final = 200_000
# An onset may be off by this share of the run where a case does not say, a value by this share of
# itself.
TOLERANCE: Final = 0.05
CASE_KEYS: Final = (
    "name", "signals", "settings", "facts", "steps", "every", "start", "unit", "steps_per_epoch",
    "resumed", "family",
    "candidates", "reduction", "led_by", "tolerance",
)  # fmt: skip
_SIGNAL_KEYS: Final = ("values", "every", "from", "to")


class Tested(Protocol):
    """What a test may stand beside."""

    @property
    def id(self) -> str:
        """Its name."""

    @property
    def file(self) -> str:
        """Its path below the folder of rules."""


@dataclass(frozen=True, slots=True)
class Trial:
    """A case, ready to be asked. `expected` is the number it says that it gives.

    None where it does not say.
    """

    verdict: str
    name: str
    run: Run
    frame: Frame
    expected: float | None
    tolerance: float


@dataclass(frozen=True, slots=True)
class Kind:
    """What a test file looks like.

    Attributes
    ----------
    verdicts : tuple of str
        Its lists, which all have to be there but those of `optional`.
    filled : tuple of tuple of str
        Of each of these lists, together, one case at least.
    number : str
        The key of the number that a case may expect: ``onset`` of a rule, ``value`` of a measure.
    """

    verdicts: tuple[str, ...]
    filled: tuple[tuple[str, ...], ...]
    number: str
    optional: tuple[str, ...] = ()

    @property
    def named(self) -> str:
        """Its lists, in words."""
        return f"{', '.join(self.verdicts[:-1])} and {self.verdicts[-1]}"


OF_RULE: Final = Kind(("fires", "clear", "unknown"), (("fires",), ("clear",)), "onset")
OF_EVIDENCE: Final = Kind(("holds", "clear", "unknown"), (("holds",), ("clear",)), "onset")
OF_MEASURE: Final = Kind(("against", "for", "little", "unknown"), (("against",), ("for", "little")),
    "value",
                         ("for", "little"))  # fmt: skip


def trials(
    tested: Rule | Measure,
    kind: Kind,
    folders: Sequence[Path],
    words: rulebook.Words,
    faults: list[RuleError],
) -> list[Trial]:
    """The cases of a rule, a measure or a piece of evidence, which is asked as a rule is.

    Parameters
    ----------
    tested : Rule or Measure
    kind : Kind
    folders : sequence of Path
        The test is taken from the first that has it.
    words : Words
    faults : list of RuleError
        What is wrong with its test is added; cases without a fault are given all the same.
    """
    where = test_of(tested)
    path = found(where, folders)
    if path is None:
        faults.append(
            RuleError("has no test", tested.file or tested.id, f"write {where} with {kind.named}")
        )
        return []
    made: list[Trial] = []
    for verdict, page in _cases(kind, path, where, faults):
        trial = described(page, words, tested.applies_to, kind.number)
        if trial is not None:
            made.append(replace(trial, verdict=verdict))
    return made


def test_of(tested: Tested) -> str:
    """The file of its test."""
    stem = tested.file.rsplit(".", 1)[0] if tested.file else tested.id
    return stem + rulebook.TEST_SUFFIX


def found(where: str, folders: Sequence[Path]) -> Path | None:
    """The first of some folders' files of a name."""
    return next((p for f in folders for p in [f / where] if p.is_file()), None)


def orphans(book: Rulebook, folders: Sequence[Path]) -> Iterator[RuleError]:
    """Tests beside which nothing stands that they could test."""
    tested: tuple[Iterable[Tested], ...] = (
        book.rules,
        book.evidence,
        book.measures,
        book.causes,
        book.remedies,
    )
    known = {test_of(one) for kind in tested for one in kind}
    for folder in folders:
        for path in sorted(folder.rglob(f"*{rulebook.TEST_SUFFIX}")):
            name = path.relative_to(folder).as_posix()
            if name not in known:
                what = _TESTED.get(name.partition("/")[0], "rule")
                yield RuleError(
                    f"is a test without a {what}",
                    name,
                    f"it stands beside its {what} and has the same name",
                )


def page_of(path: Path, where: str, keys: Sequence[str], faults: list[RuleError]) -> Page | None:
    """A test file as a page; None, and a fault, where it is none."""
    try:
        data = rulebook.read_yaml(path, where)
    except RuleError as e:
        faults.append(e)
        return None
    if not isinstance(data, dict):
        faults.append(RuleError("is no mapping", where, f"its keys are {', '.join(keys)}"))
        return None
    page = Page(data, where, faults)
    page.only(keys)
    return page


def _cases(
    kind: Kind, path: Path, where: str, faults: list[RuleError]
) -> Iterator[tuple[str, Page]]:
    """(list that it stands in, case) of a test file; a case has the file's defaults."""
    page = page_of(path, where, (*kind.verdicts, "defaults"), faults)
    if page is None:
        return
    defaults = page.mapping("defaults")
    for verdict in kind.verdicts:
        if verdict not in page.data and verdict in kind.optional:
            continue
        entries = page.data.get(verdict)
        if not isinstance(entries, list) or (not entries and (verdict,) in kind.filled):
            hint = (
                "`unknown: []` where nothing could be"
                if verdict == "unknown"
                else "one case at least"
            )
            page.fault("", f"has no list `{verdict}`", hint)
            continue
        for case in page.items(verdict):
            yield verdict, Page({**defaults, **case.data}, case.where, faults)
    for lists in (several for several in kind.filled if len(several) > 1):
        if not any(page.data.get(verdict) for verdict in lists):
            named = " or ".join(f"`{v}`" for v in lists)
            page.fault("", f"has no case under {named}", "one case at least")


def described(
    page: Page,
    words: rulebook.Words,
    applies_to: Mapping[str, Sequence[str]] | None = None,
    number: str = "onset",
) -> Trial | None:
    """The run of a case; None where anything is wrong with it, which is then among its faults.

    Parameters
    ----------
    page : Page
    words : Words
    applies_to : Mapping of str to sequence of str, optional
        That of what is tested: the game of a case is its first family, where the case names none.
    number : str
        The key of the number that the case may expect.
    """
    before = len(page.faults)
    page.only((*CASE_KEYS, number))
    steps, every, start = (page.number(key, default) for key, default in _GRID)
    sound = len(page.faults) == before
    if sound and (not 0 < steps <= 1e12 or not 0 < every <= steps or steps / every > MAX_ROWS):
        what = f"{steps:g} steps logged every {every:g} are no run"
        page.fault("", what, "steps: 1000, every: 10")
        sound = False
    facts = page.at("facts", page.mapping("facts"))
    settings = page.at("settings", page.mapping("settings"))
    numbers = {_known(facts, k, words.facts, "fact"): facts.number(k) for k in facts.data}
    made = Run(
        name=page.text("name", default="unnamed"),
        signals=tuple(_signals(page, (start, start + steps, every), words)) if sound else (),
        settings={
            k: Setting(_known(settings, k, words.settings, "setting"), v, k)
            for k, v in settings.data.items()
        },
        objective=_game(page, applies_to or {}, numbers),
        facts={k: v for k, v in numbers.items() if k not in _OF_GAME},
        step_unit=page.choice("unit", UNITS, "iterations"),
        roles=words.roles,
    )
    expected = page.number(number) if page.data.get(number) is not None else None
    of = steps if number == OF_RULE.number else abs(expected or 0.0)
    tolerance = page.number("tolerance", TOLERANCE * of)
    per_epoch = page.number("steps_per_epoch") if "steps_per_epoch" in page.data else None
    if len(page.faults) > before:
        return None
    frame = replace(
        diagnose.frame_of(made, ""),
        resumed=bool(page.data.get("resumed", False)),
        steps_per_epoch=per_epoch,
        first_step=int(max(start, numbers.get("d_joins", start))),
        last_step=int(start + steps),
    )
    return Trial("", made.name, made, frame, expected, tolerance)


_GRID: Final = (("steps", 1000.0), ("every", 10.0), ("start", 0.0))
_OF_GAME: Final = ("chance_d", "chance_g", "floor_d")
_TESTED: Final = {
    "evidence": "piece of evidence",
    "measures": "measure",
    "causes": "cause",
    "remedies": "remedy",
}


def _game(
    page: Page, applies_to: Mapping[str, Sequence[str]], facts: Mapping[str, float]
) -> Objective:
    """The game of a case, else the first family that the rule or measure applies to."""
    default: Any = applies_to.get("family", ("nonsaturating",))[0]
    family = page.choice("family", FAMILIES, default)
    reduction = page.choice("reduction", REDUCTIONS, "sum")
    chance_d, chance_g = CHANCE.get(family, (None, None))
    if chance_d is not None and reduction == "mean":
        chance_d /= 2
    candidates: Any = page.names("candidates", FAMILIES, "family")
    return Objective(
        family=family,
        chance_d=facts.get("chance_d", chance_d),
        chance_g=facts.get("chance_g", chance_g),
        floor_d=facts.get("floor_d", 0.0),
        reduction=reduction,
        confidence="high",
        led_by=page.text("led_by"),
        candidates=candidates,
    )


def _signals(
    page: Page, grid: tuple[float, float, float], words: rulebook.Words
) -> Iterator[Signal]:
    """Every series from its expression, at its own logging rate where it has one."""
    first, last, usual = grid
    outer = page.at("signals", page.mapping("signals"))
    for name, entry in outer.data.items():
        role = name.removeprefix("val_")
        before = len(page.faults)
        _known(outer, role, words.roles, "role", name)
        body = outer.at(name, entry if isinstance(entry, dict) else {"values": entry})
        body.only(_SIGNAL_KEYS)
        every = body.number("every", usual)
        begin, end = body.number("from", 0.0), body.number("to", 1.0)
        if len(page.faults) == before and (not every > 0 or (last - first) / every > MAX_ROWS):
            body.fault("", f"every {every:g} steps is no rate")
        if len(page.faults) > before:
            continue
        steps = np.arange(first, last + every / 2, every).astype(np.int64)
        t = np.asarray((steps - first) / (last - first), dtype=np.float64)
        inside = (t >= begin) & (t <= end)
        try:
            values = made_series(str(body.data.get("values", "")), steps, t, body.where)
        except RuleError as e:
            page.faults.append(e)
            continue
        split = "val" if role != name else "train"
        yield Signal(name, steps[inside], values[inside], role=role, split=split)


def _known(page: Page, name: str, known: Iterable[str], called: str, key: str = "") -> str:
    """A name; a fault where it is none of those that are known."""
    if name not in known:
        page.fault(key or name, f"no {called} is called `{name}`", near(name, known))
    return name
