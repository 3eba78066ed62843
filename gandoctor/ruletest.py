"""Runs the ``x.test.yaml`` beside each rule, and moves each threshold to see whether a case notices.

A case describes a small run: its curves in the rules' own grammar (over ``t``, which goes from 0 to 1, and ``step``),
its settings, the game that is played. It is asked the same way as a real run, by `gandoctor.diagnose.ask`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, TypeVar, get_args

import numpy as np
from numpy.typing import NDArray

from gandoctor import causetest, diagnose, rulebook
from gandoctor.errors import RuleError
from gandoctor.lang.evaluate import Frame
from gandoctor.lang.functions import FUNCTIONS, Function
from gandoctor.lang.syntax import Node, Scope, compile_value, near, scaled
from gandoctor.model.rules import Clause, Rule, Rulebook
from gandoctor.model.signals import FAMILIES, Objective, Run, Setting, Signal, StepUnit
from gandoctor.objective import CHANCE

Floats = NDArray[np.float64]
_T = TypeVar("_T")

UNITS: Final[tuple[StepUnit, ...]] = get_args(StepUnit)
REDUCTIONS: Final[tuple[Literal["sum", "mean", "unknown"], ...]] = ("sum", "mean", "unknown")
MOVED_BY: Final = 0.25
MAX_ROWS: Final = 200_000
# An onset may be off by this share of the run where a case does not say.
TOLERANCE: Final = 0.05
VERDICTS: Final = ("fires", "clear", "unknown")
_TRUTHS: Final[dict[str, bool | None]] = {"fires": True, "clear": False, "unknown": None}
_CASE_KEYS: Final = (
    "name", "signals", "settings", "facts", "steps", "every", "start", "unit", "steps_per_epoch", "resumed", "family",
    "candidates", "reduction", "led_by", "onset", "tolerance",
)  # fmt: skip
_SIGNAL_KEYS: Final = ("values", "every", "from", "to")


# ---------------------------------------------------------------- results


@dataclass(frozen=True, slots=True)
class CaseResult:
    """One case: what was asked of the rule, and what it said.

    Attributes
    ----------
    rule, verdict, name : str
        `verdict` is what the case expects: ``fires``, ``clear`` or ``unknown``.
    passed : bool
    message : str
        What came instead; empty where it passed.
    """

    rule: str
    verdict: str
    name: str
    passed: bool
    message: str = ""


@dataclass(frozen=True, slots=True)
class RuleTestResult:
    """All cases of all rules.

    Attributes
    ----------
    cases : tuple of CaseResult
    faults : tuple of str
        Rules without a test, and tests that cannot be read; each is a failure.
    mutants : int
        Thresholds that were moved, twice each. Rules with a failing case are left out.
    unnoticed : tuple of str
        Moved thresholds that no case noticed.
    """

    cases: tuple[CaseResult, ...] = ()
    faults: tuple[str, ...] = ()
    mutants: int = 0
    unnoticed: tuple[str, ...] = ()

    @property
    def noticed(self) -> int:
        """Moved thresholds that a case noticed."""
        return self.mutants - len(self.unnoticed)

    @property
    def failures(self) -> tuple[CaseResult, ...]:
        """Cases that did not pass."""
        return tuple(c for c in self.cases if not c.passed)

    @property
    def passed(self) -> bool:
        """Whether every rule has a test and every case passes; unnoticed mutants do not fail it."""
        return not self.faults and not self.failures

    def format(self, *, verbose: bool = False) -> str:
        """The result as text; `verbose` names every mutant that no case noticed."""
        lines = [*self.faults]
        lines += [f"{c.rule}: {c.verdict}: {c.name}: {c.message}" for c in self.failures]
        lines += [f"unnoticed: {m}" for m in self.unnoticed] if verbose else []
        rules = len({c.rule for c in self.cases})
        failed = len(self.failures)
        verdict = "all as expected" if not failed else f"{failed} not as expected"
        lines.append(f"{_many(rules, 'rule')}, {_many(len(self.cases), 'case')}: {verdict}")
        if self.faults:
            lines.append(f"{_many(len(self.faults), 'fault')} in the tests")
        if self.mutants:
            share = self.noticed / self.mutants
            lines.append(f"{self.noticed} of {_many(self.mutants, 'moved threshold')} noticed ({share:.0%})")
        return "\n".join(lines)


def _many(count: int, name: str) -> str:
    return f"{count:,} {name}{'s' * (count != 1)}"


def run(book: Rulebook, folders: Sequence[Path]) -> RuleTestResult:
    """Test every rule of a book that is not retired.

    Parameters
    ----------
    book : Rulebook
    folders : sequence of Path
        Those it was loaded from; the tests stand there beside the rules.

    Returns
    -------
    RuleTestResult
    """
    faults: list[RuleError] = []
    words = rulebook.vocabulary(folders)
    cases: list[CaseResult] = []
    mutants: list[tuple[str, bool]] = []
    for rule in book.rules:
        if rule.status == "retired":
            continue
        before = len(faults)
        trials = _trials(rule, folders, words, faults)
        if len(faults) > before:
            continue
        results = [_judged(rule, trial) for trial in trials]
        cases += results
        if all(r.passed for r in results):
            mutants += _noticed(rule, trials)
    cases += [
        CaseResult(cause, expected, name, passed=not instead, message=instead)
        for cause, expected, name, instead in causetest.judged(book.causes, folders, _describer(words), faults)
    ]
    faults += _orphans(book, folders)
    return RuleTestResult(
        cases=tuple(cases),
        faults=tuple(str(f) for f in faults),
        mutants=len(mutants),
        unnoticed=tuple(text for text, noticed in mutants if not noticed),
    )


# ---------------------------------------------------------------- cases


@dataclass(frozen=True, slots=True)
class _Trial:
    """A case, ready to be asked."""

    verdict: str
    name: str
    run: Run
    frame: Frame
    onset: float | None
    tolerance: float


def _trials(rule: Rule, folders: Sequence[Path], words: rulebook.Words, faults: list[RuleError]) -> list[_Trial]:
    path = next((p for f in folders for p in [f / _test_of(rule)] if p.is_file()), None)
    where = _test_of(rule)
    if path is None:
        faults.append(RuleError("has no test", rule.file or rule.id, f"write {where} with fires, clear and unknown"))
        return []
    try:
        return list(_read(rule, path, where, words))
    except rulebook.RulebookError as e:
        faults += e.faults
    except RuleError as e:
        faults.append(e)
    return []


def _test_of(rule: Rule) -> str:
    stem = rule.file.rsplit(".", 1)[0] if rule.file else rule.id
    return stem + rulebook.TEST_SUFFIX


def _orphans(book: Rulebook, folders: Sequence[Path]) -> Iterator[RuleError]:
    known = {_test_of(r) for r in book.rules} | {causetest.test_of(c) for c in book.causes}
    for folder in folders:
        for path in sorted(folder.rglob(f"*{rulebook.TEST_SUFFIX}")):
            name = path.relative_to(folder).as_posix()
            if name not in known:
                yield RuleError("is a test without a rule", name, "it stands beside its rule and has the same name")


def _read(rule: Rule, path: Path, where: str, words: rulebook.Words) -> Iterator[_Trial]:
    data = rulebook.read_yaml(path, where)
    if not isinstance(data, dict):
        raise RuleError("is no mapping", where, "its keys are fires, clear and unknown")
    for key in data:
        if key not in (*VERDICTS, "defaults"):
            raise RuleError(f"the key `{key}` means nothing here", where, near(str(key), (*VERDICTS, "defaults")))
    defaults = data.get("defaults") or {}
    for verdict in VERDICTS:
        entries = data.get(verdict)
        if not isinstance(entries, list) or (not entries and verdict != "unknown"):
            hint = "`unknown: []` where nothing could be" if verdict == "unknown" else "one case at least"
            raise RuleError(f"has no list `{verdict}`", where, hint)
        for i, entry in enumerate(entries):
            spot = f"{where}:{verdict}[{i}]"
            if not isinstance(entry, dict) or not isinstance(defaults, dict):
                raise RuleError("is no mapping", spot)
            yield _trial(rule, verdict, {**defaults, **entry}, spot, words)


def _trial(rule: Rule | None, verdict: str, case: Mapping[str, Any], where: str, words: rulebook.Words) -> _Trial:
    for key in case:
        if key not in _CASE_KEYS:
            raise RuleError(f"the key `{key}` means nothing here", where, near(str(key), _CASE_KEYS))
    steps, every, start = (_number(case, key, default, where) for key, default in _GRID)
    if not 0 < steps <= 1e12 or not 0 < every <= steps or steps / every > MAX_ROWS:
        raise RuleError(f"{steps:g} steps logged every {every:g} are no run", where, "steps: 1000, every: 10")
    signals = _mapping(case, "signals", where)
    settings = _mapping(case, "settings", where)
    facts = _mapping(case, "facts", where)
    numbers = {_known(k, words.facts, "fact", where): _number(facts, k, None, f"{where}.facts") for k in facts}
    made = Run(
        name=str(case.get("name") or "unnamed"),
        signals=tuple(
            _signal(str(k), v, (start, start + steps, every), f"{where}.signals.{k}", words) for k, v in signals.items()
        ),
        settings={k: Setting(_known(k, words.settings, "setting", where), v, k) for k, v in settings.items()},
        objective=_game(rule, case, numbers, where),
        facts={k: v for k, v in numbers.items() if k not in _OF_GAME},
        step_unit=_one_of(case, "unit", UNITS, "iterations", where),
        higher_is_better=words.higher,
    )
    frame = replace(
        diagnose.frame_of(made, ""),
        resumed=bool(case.get("resumed", False)),
        steps_per_epoch=_number(case, "steps_per_epoch", None, where) if "steps_per_epoch" in case else None,
        first_step=int(start),
        last_step=int(start + steps),
    )
    onset = _number(case, "onset", None, where) if case.get("onset") is not None else None
    tolerance = _number(case, "tolerance", TOLERANCE * steps, where)
    return _Trial(verdict, made.name, made, frame, onset, tolerance)


def _describer(words: rulebook.Words) -> causetest.Describe:
    """What makes the run of a case that is about no rule."""

    def describe(case: Mapping[str, Any], where: str) -> tuple[Run, Frame]:
        trial = _trial(None, "", case, where, words)
        return trial.run, trial.frame

    return describe


_GRID: Final = (("steps", 1000.0), ("every", 10.0), ("start", 0.0))
_OF_GAME: Final = ("chance_d", "chance_g", "floor_d")


def _game(rule: Rule | None, case: Mapping[str, Any], facts: Mapping[str, float], where: str) -> Objective:
    """The game of a case; where it does not say, the first family that the rule applies to."""
    default: Any = (rule.applies_to if rule else {}).get("family", ("nonsaturating",))[0]
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
        candidates=tuple(_one_of({"candidates": c}, "candidates", FAMILIES, "unknown", where) for c in listed),
    )


def _signal(name: str, entry: object, grid: tuple[float, float, float], where: str, words: rulebook.Words) -> Signal:
    """A series from its expression, at its own logging rate where it has one."""
    role = name.removeprefix("val_")
    _known(role, words.roles, "role", where)
    body = entry if isinstance(entry, dict) else {"values": entry}
    for key in body:
        if key not in _SIGNAL_KEYS:
            raise RuleError(f"the key `{key}` means nothing here", where, near(str(key), _SIGNAL_KEYS))
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


def _one_of(case: Mapping[str, Any], key: str, allowed: tuple[_T, ...], default: _T, where: str) -> _T:
    value = case.get(key, default)
    if value not in allowed:
        raise RuleError(
            f"`{value}` is none of its values", f"{where}.{key}", near(str(value), tuple(str(a) for a in allowed))
        )
    return allowed[allowed.index(value)]


def _known(name: object, known: Iterable[str], called: str, where: str) -> str:
    names = frozenset(known)
    if str(name) not in names:
        raise RuleError(f"no {called} is called `{name}`", where, near(str(name), names))
    return str(name)


def _judged(rule: Rule, trial: _Trial) -> CaseResult:
    message = _complaint(rule, trial)
    return CaseResult(rule.id, trial.verdict, trial.name, not message, message)


def _complaint(rule: Rule, trial: _Trial) -> str:
    """What the rule should not have said; empty where it is as expected."""
    answer = diagnose.ask(rule, trial.run, "", trial.frame)
    if answer.truth is not _TRUTHS[trial.verdict]:
        said = {True: "it fires", False: "it is clear", None: "it is unknown"}[answer.truth]
        return f"{said}{': ' + answer.reason if answer.reason else ''} ({_clause_by_clause(answer)})"
    if trial.onset is not None and (answer.onset is None or abs(answer.onset - trial.onset) > trial.tolerance):
        return f"since step {answer.onset}, not {trial.onset:g} (give or take {trial.tolerance:g})"
    return ""


def _clause_by_clause(answer: diagnose.Answer) -> str:
    said = []
    for name, outcome in answer.outcomes.items():
        share = f" on {outcome.share:.0%}" if outcome.share is not None else ""
        values = ", ".join(f"{k} = {v:.4g}" for k, v in list(outcome.values.items())[:4])
        said.append(f"{name} {str(outcome.truth).lower()}{share}{': ' + values if values else ''}")
    return "; ".join(said) or "the rule does not apply to this game"


# ---------------------------------------------------------------- mutants


def _noticed(rule: Rule, trials: Sequence[_Trial]) -> Iterator[tuple[str, bool]]:
    """Every threshold of a rule moved down and up: what was moved, and whether a case noticed."""
    for i, clause in enumerate(rule.clauses):
        if clause.where is None:
            continue
        for at, number, text in thresholds(clause.where.tree):
            for factor in (1 - MOVED_BY, 1 + MOVED_BY):
                moved = replace(rule, clauses=(*rule.clauses[:i], _moved(clause, at, factor), *rule.clauses[i + 1 :]))
                noticed = any(_complaint(moved, trial) for trial in trials)
                yield f"{rule.id}: {clause.name}: {text}: {number:g} -> {number * factor:g}", noticed


def _moved(clause: Clause, at: int, factor: float) -> Clause:
    assert clause.where is not None  # noqa: S101 - it has a threshold
    return replace(clause, where=replace(clause.where, tree=scaled(clause.where.tree, at, factor)))


def thresholds(tree: Node) -> list[tuple[int, float, str]]:
    """Numbers that a comparison compares with: (which of the tree's numbers, its value, the comparison's text).

    ``x < 0.1`` has 0.1, ``a > 5 * b`` has 5; a zero cannot be moved by per cent, and a function's own arguments are no
    thresholds.
    """
    found: list[tuple[int, float, str]] = []
    count = 0

    def visit(node: Node) -> None:
        nonlocal count
        if node.op in ("<", "<=", ">", ">=", "==", "!="):
            start = count
            left = _numbers_in(node.args[0])
            spots = _moving(node.args[1], start + left)
            spots = spots or _moving(node.args[0], start)
            found.extend((at, value, node.text) for at, value in spots[:1])
        if node.op == "const":
            count += 1
        for arg in node.args:
            visit(arg)

    visit(tree)
    return found


def _numbers_in(node: Node) -> int:
    return sum(n.op == "const" for n in node.walk())


def _moving(node: Node, start: int) -> list[tuple[int, float]]:
    """Numbers of one side of a comparison that scale it or stand in it as they are."""
    if node.op == "const":
        return [(start, node.value)] if node.value else []
    if node.op not in ("neg", "+", "-", "*", "/"):
        return []
    found: list[tuple[int, float]] = []
    for arg in node.args:
        found += _moving(arg, start)
        start += _numbers_in(arg)
    return found


# ---------------------------------------------------------------- curves


@dataclass(frozen=True, slots=True, eq=False)
class _Grid:
    """Where a curve is drawn: steps (n,), and t from 0 at the run's start to 1 at its end."""

    step: Floats
    t: Floats

    @property
    def size(self) -> int:
        return int(self.t.size)


CURVES: Final[dict[str, Function]] = {
    name: f for name, f in FUNCTIONS.items() if f.how == "point" and f.gives == "same"
}
_SCOPE: Final = Scope(signals=frozenset({"t", "step"}))
_EITHER: Final = "series or number"


def _curve(usage: str, takes: str, **more: Any) -> Callable[[Any], Any]:
    name = usage.partition("(")[0]

    def enter(call: Any) -> Any:
        doc = " ".join((call.__doc__ or "").split())
        kinds = tuple(k.strip() for k in takes.split(",") if k.strip())
        gives = more.pop("gives", "series")
        CURVES[name] = Function(name, usage, doc, "", kinds, gives, "series", call, **more)
        return call

    return enter


def made_series(text: str, steps: NDArray[np.int64], t: Floats, where: str = "") -> Floats:
    """Draw a curve from its expression.

    Parameters
    ----------
    text : str
        ``0.7 + 0.02 * noise(1)``; names are `t` and `step`, functions those of `CURVES`.
    steps : ndarray of int64, shape (n,)
    t : ndarray of float64, shape (n,)
        0 at the run's start, 1 at its end.
    where : str
        For the error.

    Returns
    -------
    ndarray of float64, shape (n,)

    Raises
    ------
    RuleError
        Where the text is no curve.
    """
    try:
        tree = compile_value(text, _SCOPE, CURVES).tree
        grid = _Grid(steps.astype(np.float64), t)
        with np.errstate(all="ignore"):
            return np.broadcast_to(np.asarray(_drawn(tree, grid), dtype=np.float64), t.shape).copy()
    except RuleError as e:
        e.where = where
        raise


_ARITHMETIC: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "**": np.power,
}  # fmt: skip


def _drawn(node: Node, grid: _Grid) -> Any:
    if node.op == "const":
        return np.float64(node.value)
    if node.op == "signal":
        return grid.t if node.name == "t" else grid.step
    args = [_drawn(a, grid) for a in node.args]
    if node.op == "neg":
        return -args[0]
    if node.op == "call":
        function = CURVES[node.name]
        assert function.call is not None  # noqa: S101 - every curve has its work
        return function.call(*args) if function.how == "point" else function.call(grid, *args)
    return _ARITHMETIC[node.op](*args)


@_curve("constant(value)", "number")
def _constant(grid: _Grid, value: float) -> Floats:
    """The same value throughout."""
    return np.full(grid.size, value)


@_curve("linear(a, b)", "number, number")
def _linear(grid: _Grid, a: float, b: float) -> Floats:
    """From a at the start straight to b at the end."""
    return np.asarray(a + (b - a) * grid.t)


@_curve("decay(a, b[, rate])", "number, number, number", optional=1)
def _decay(grid: _Grid, a: float, b: float, rate: float = 5.0) -> Floats:
    """From a towards b, fast at first: b + (a - b) exp(-rate t)."""
    return np.asarray(b + (a - b) * np.exp(-rate * grid.t))


@_curve("ramp(start, stop)", "number, number")
def _ramp(grid: _Grid, start: float, stop: float) -> Floats:
    """0 until t = start, 1 from t = stop, straight between."""
    if not start < stop:
        raise RuleError(f"a ramp from {start:g} to {stop:g} does not rise")
    return np.clip((grid.t - start) / (stop - start), 0, 1)


@_curve("noise(seed[, sd])", "count, number", optional=1)
def _noise(grid: _Grid, seed: float, sd: float = 1.0) -> Floats:
    """Gaussian noise around zero, the same for the same seed."""
    return np.asarray(sd * np.random.default_rng(int(seed)).standard_normal(grid.size))


@_curve("walk(seed[, sd])", "count, number", optional=1)
def _walk(grid: _Grid, seed: float, sd: float = 1.0) -> Floats:
    """A random walk from zero; sd is how far it gets by the end, on average."""
    steps = np.random.default_rng(int(seed)).standard_normal(grid.size)
    return np.asarray(sd * np.cumsum(steps) / np.sqrt(grid.size))


@_curve("sine(period)", "number")
def _sine(grid: _Grid, period: float) -> Floats:
    """A sine between -1 and 1; the period is in steps."""
    return np.sin(2 * np.pi * grid.step / _positive(period))


@_curve("square(period)", "number")
def _square(grid: _Grid, period: float) -> Floats:
    """Between 1 and -1, half a period each; the period is in steps."""
    return np.where(grid.step % _positive(period) < period / 2, 1.0, -1.0)


@_curve("spikes(every, height)", "count, number")
def _spikes(grid: _Grid, every: float, height: float) -> Floats:
    """The height on every so many rows, from the first such row on; zero between."""
    rows = np.arange(1, grid.size + 1)
    return np.where(rows % int(every) == 0, height, 0.0)


@_curve("at(t)", "number", gives="number")
def _at(grid: _Grid, t: float) -> float:  # the grid is not asked, but every curve gets it
    """Where a piece of `piecewise` ends: a share of the run."""
    del grid
    return t


@_curve("at_step(n)", "number", gives="number")
def _at_step(grid: _Grid, n: float) -> float:
    """Where a piece of `piecewise` ends: a step."""
    span = grid.step[-1] - grid.step[0]
    return float((n - grid.step[0]) / span) if span else 0.0


@_curve("piecewise(x, at(0.3), y, ...)", _EITHER, many=3)
def _piecewise(grid: _Grid, *parts: Any) -> Floats:
    """Until each place, what stands before it: x until 0.3, then y."""
    if len(parts) % 2 == 0:
        raise RuleError("a piece is missing", hint="write piecewise(x, at(0.3), y)")
    out = np.broadcast_to(np.asarray(parts[-1], dtype=np.float64), grid.t.shape).copy()
    for piece, place in zip(parts[-3::-2], parts[-2::-2], strict=True):
        out = np.where(grid.t < place, piece, out)
    return out


@_curve("nan_after(t, x)", f"number, {_EITHER}")
def _nan_after(grid: _Grid, t: float, x: Any) -> Floats:
    """The curve x until t, NaN from there on."""
    return np.where(grid.t >= t, np.nan, x)


@_curve("inf_after(t, x)", f"number, {_EITHER}")
def _inf_after(grid: _Grid, t: float, x: Any) -> Floats:
    """The curve x until t, infinite from there on."""
    return np.where(grid.t >= t, np.inf, x)


@_curve("nan_between(a, b, x)", f"number, number, {_EITHER}")
def _nan_between(grid: _Grid, a: float, b: float, x: Any) -> Floats:
    """The curve x, NaN from t = a until t = b."""
    return np.where((grid.t >= a) & (grid.t < b), np.nan, x)


@_curve("exp(x)", _EITHER)
def _exp(grid: _Grid, x: Any) -> Floats:
    """The exponential of x."""
    return np.broadcast_to(np.exp(x), grid.t.shape)


def _positive(period: float) -> float:
    if not period > 0:
        raise RuleError(f"a period of {period:g} steps is none")
    return period
