"""A case beside a rule or a measure, as the small run that it describes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Literal, TypeVar, get_args

import numpy as np

from gandoctor import diagnose, rulebook
from gandoctor.errors import RuleError, near
from gandoctor.lang.evaluate import Frame
from gandoctor.model.belief import Measure
from gandoctor.model.rules import Rule, Rulebook
from gandoctor.model.signals import FAMILIES, Objective, Run, Setting, Signal, StepUnit
from gandoctor.objective import CHANCE
from gandoctor.ruletest import of_causes
from gandoctor.ruletest.curves import made_series
from gandoctor.values import dataclass

_T = TypeVar("_T")

UNITS: Final[tuple[StepUnit, ...]] = get_args(StepUnit)
REDUCTIONS: Final[tuple[Literal["sum", "mean", "unknown"], ...]] = ("sum", "mean", "unknown")
MAX_ROWS: Final = 200_000
# An onset may be off by this share of the run where a case does not say, a value by this share of
# itself.
TOLERANCE: Final = 0.05
_CASE_KEYS: Final = (
    "name", "signals", "settings", "facts", "steps", "every", "start", "unit", "steps_per_epoch",
    "resumed", "family",
    "candidates", "reduction", "led_by", "tolerance",
)  # fmt: skip
_SIGNAL_KEYS: Final = ("values", "every", "from", "to")


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
OF_MEASURE: Final = Kind(("against", "for", "little", "unknown"), (("against",), ("for", "little")),
    "value",
                         ("for", "little"))  # fmt: skip


def trials(
    tested: Rule | Measure, folders: Sequence[Path], words: rulebook.Words, faults: list[RuleError]
) -> list[Trial]:
    """The cases of a rule or measure; what is wrong with its test is added to `faults`.

    Parameters
    ----------
    tested : Rule or Measure
    folders : sequence of Path
        The test is taken from the first that has it.
    words : Words
    faults : list of RuleError
    """
    kind = OF_MEASURE if isinstance(tested, Measure) else OF_RULE
    where = test_of(tested)
    path = next((p for f in folders for p in [f / where] if p.is_file()), None)
    if path is None:
        faults.append(
            RuleError("has no test", tested.file or tested.id, f"write {where} with {kind.named}")
        )
        return []
    try:
        return list(_read(tested, kind, path, where, words))
    except rulebook.RulebookError as e:
        faults += e.faults
    except RuleError as e:
        faults.append(e)
    return []


def test_of(tested: Rule | Measure) -> str:
    """The file of its test."""
    stem = tested.file.rsplit(".", 1)[0] if tested.file else tested.id
    return stem + rulebook.TEST_SUFFIX


def orphans(book: Rulebook, folders: Sequence[Path]) -> Iterator[RuleError]:
    """Tests beside which no rule and no measure stands."""
    known = {
        *map(test_of, book.rules),
        *map(test_of, book.measures),
        *map(of_causes.test_of, book.causes),
    }
    for folder in folders:
        for path in sorted(folder.rglob(f"*{rulebook.TEST_SUFFIX}")):
            name = path.relative_to(folder).as_posix()
            if name not in known:
                what = "measure" if name.startswith("measures/") else "rule"
                yield RuleError(
                    f"is a test without a {what}",
                    name,
                    f"it stands beside its {what} and has the same name",
                )


def _read(
    tested: Rule | Measure, kind: Kind, path: Path, where: str, words: rulebook.Words
) -> Iterator[Trial]:
    data = rulebook.read_yaml(path, where)
    if not isinstance(data, dict):
        raise RuleError("is no mapping", where, f"its keys are {kind.named}")
    for key in data:
        if key not in (*kind.verdicts, "defaults"):
            raise RuleError(
                f"the key `{key}` means nothing here",
                where,
                near(str(key), (*kind.verdicts, "defaults")),
            )
    defaults = data.get("defaults") or {}
    for verdict in kind.verdicts:
        if verdict not in data and verdict in kind.optional:
            continue
        entries = data.get(verdict)
        if not isinstance(entries, list) or (not entries and (verdict,) in kind.filled):
            hint = (
                "`unknown: []` where nothing could be"
                if verdict == "unknown"
                else "one case at least"
            )
            raise RuleError(f"has no list `{verdict}`", where, hint)
        for i, entry in enumerate(entries):
            spot = f"{where}:{verdict}[{i}]"
            if not isinstance(entry, dict) or not isinstance(defaults, dict):
                raise RuleError("is no mapping", spot)
            yield _trial(tested.applies_to, kind, verdict, ({**defaults, **entry}, spot), words)
    for lists in kind.filled:
        if not any(data.get(verdict) for verdict in lists):
            raise RuleError(
                f"has no case under {' or '.join(f'`{v}`' for v in lists)}",
                where,
                "one case at least",
            )


def _trial(
    applies_to: Mapping[str, Sequence[str]],
    kind: Kind,
    verdict: str,
    told: tuple[Mapping[str, Any], str],
    words: rulebook.Words,
) -> Trial:
    """One case; `told` is what stands in the file, and where."""
    case, where = told
    for key in case:
        if key not in (*_CASE_KEYS, kind.number):
            hint = near(str(key), (*_CASE_KEYS, kind.number))
            raise RuleError(f"the key `{key}` means nothing here", where, hint)
    steps, every, start = (_number(case, key, default, where) for key, default in _GRID)
    if not 0 < steps <= 1e12 or not 0 < every <= steps or steps / every > MAX_ROWS:
        raise RuleError(
            f"{steps:g} steps logged every {every:g} are no run", where, "steps: 1000, every: 10"
        )
    signals = _mapping(case, "signals", where)
    settings = _mapping(case, "settings", where)
    facts = _mapping(case, "facts", where)
    numbers = {
        _known(k, words.facts, "fact", where): _number(facts, k, None, f"{where}.facts")
        for k in facts
    }
    made = Run(
        name=str(case.get("name") or "unnamed"),
        signals=tuple(
            _signal(str(k), v, (start, start + steps, every), f"{where}.signals.{k}", words)
            for k, v in signals.items()
        ),
        settings={
            k: Setting(_known(k, words.settings, "setting", where), v, k)
            for k, v in settings.items()
        },
        objective=_game(applies_to, case, numbers, where),
        facts={k: v for k, v in numbers.items() if k not in _OF_GAME},
        step_unit=_one_of(case, "unit", UNITS, "iterations", where),
        roles=words.roles,
    )
    frame = replace(
        diagnose.frame_of(made, ""),
        resumed=bool(case.get("resumed", False)),
        steps_per_epoch=_number(case, "steps_per_epoch", None, where)
        if "steps_per_epoch" in case
        else None,
        first_step=int(start),
        last_step=int(start + steps),
    )
    expected = (
        _number(case, kind.number, None, where) if case.get(kind.number) is not None else None
    )
    of = steps if kind is OF_RULE else abs(expected or 0.0)
    return Trial(
        verdict, made.name, made, frame, expected, _number(case, "tolerance", TOLERANCE * of, where)
    )


def describer(words: rulebook.Words) -> of_causes.Describe:
    """What makes the run of a case that is about no rule."""

    def describe(case: Mapping[str, Any], where: str) -> tuple[Run, Frame]:
        trial = _trial({}, OF_RULE, "", (case, where), words)
        return trial.run, trial.frame

    return describe


_GRID: Final = (("steps", 1000.0), ("every", 10.0), ("start", 0.0))
_OF_GAME: Final = ("chance_d", "chance_g", "floor_d")


def _game(
    applies_to: Mapping[str, Sequence[str]],
    case: Mapping[str, Any],
    facts: Mapping[str, float],
    where: str,
) -> Objective:
    """The game of a case, else the first family that the rule or measure applies to."""
    default: Any = applies_to.get("family", ("nonsaturating",))[0]
    family = _one_of(case, "family", FAMILIES, default, where)
    reduction = _one_of(case, "reduction", REDUCTIONS, "sum", where)
    chance_d, chance_g = CHANCE.get(family, (None, None))
    if chance_d is not None and reduction == "mean":
        chance_d /= 2
    listed = case.get("candidates") or []
    return Objective(
        family=family,
        chance_d=facts.get("chance_d", chance_d),
        chance_g=facts.get("chance_g", chance_g),
        floor_d=facts.get("floor_d", 0.0),
        reduction=reduction,
        confidence="high",
        led_by=str(case.get("led_by") or ""),
        candidates=tuple(
            _one_of({"candidates": c}, "candidates", FAMILIES, "unknown", where) for c in listed
        ),
    )


def _signal(
    name: str, entry: object, grid: tuple[float, float, float], where: str, words: rulebook.Words
) -> Signal:
    """A series from its expression, at its own logging rate where it has one."""
    role = name.removeprefix("val_")
    _known(role, words.roles, "role", where)
    body = entry if isinstance(entry, dict) else {"values": entry}
    for key in body:
        if key not in _SIGNAL_KEYS:
            raise RuleError(
                f"the key `{key}` means nothing here", where, near(str(key), _SIGNAL_KEYS)
            )
    first, last, every = grid
    every = _number(body, "every", every, where)
    if not every > 0 or (last - first) / every > MAX_ROWS:
        raise RuleError(f"every {every:g} steps is no rate", where)
    steps = np.arange(first, last + every / 2, every).astype(np.int64)
    t = np.asarray((steps - first) / (last - first), dtype=np.float64)
    inside = (t >= _number(body, "from", 0.0, where)) & (t <= _number(body, "to", 1.0, where))
    values = made_series(str(body.get("values", "")), steps, t, where)
    split = "val" if role != name else "train"
    return Signal(name, steps[inside], values[inside], role=role, split=split)


def _mapping(case: Mapping[str, Any], key: str, where: str) -> dict[Any, Any]:
    value = case.get(key) or {}
    if not isinstance(value, dict):
        raise RuleError("must be a mapping", f"{where}.{key}", "write `name: ...`")
    return value


def _number(case: Mapping[Any, Any], key: Any, default: float | None, where: str) -> float:
    value = case.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise RuleError(f"`{value}` is no number", f"{where}.{key}")
    return float(value)


def _one_of(
    case: Mapping[str, Any], key: str, allowed: tuple[_T, ...], default: _T, where: str
) -> _T:
    value = case.get(key, default)
    if value not in allowed:
        raise RuleError(
            f"`{value}` is none of its values",
            f"{where}.{key}",
            near(str(value), tuple(str(a) for a in allowed)),
        )
    return allowed[allowed.index(value)]


def _known(name: object, known: Iterable[str], called: str, where: str) -> str:
    names = frozenset(known)
    if str(name) not in names:
        raise RuleError(f"no {called} is called `{name}`", where, near(str(name), names))
    return str(name)
