"""Which of all trainings in some files is the one that is meant, and which files it is made of."""

from __future__ import annotations

import ast
from dataclasses import field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from gandoctor.configs.python import given
from gandoctor.configs.python.sides import TRIALS, words_of
from gandoctor.configs.python.units import is_module, loaded_by_name
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gandoctor.configs.python.index import Index, Scope
    from gandoctor.configs.python.optimisers import Optimiser
    from gandoctor.configs.python.units import Unit
    from gandoctor.configs.python.values import Reader
    from gandoctor.configs.python.ways import Given

_TESTS: Final = TRIALS | frozenset(
    {"test", "tests", "eval", "evaluate", "evaluation", "infer", "inference", "demo",
     "sample", "generate", "conftest", "benchmark", "plot", "visualize", "fid", "metrics",
     "predict", "classifier"}
)  # fmt: skip
# What goes on with what was trained before.
_AGAIN: Final = frozenset({"load", "restore", "resume", "fine", "finetune"})


@dataclass(frozen=True, slots=True)
class Hint:
    """What is known of the run whose code is looked for.

    Attributes
    ----------
    program : str
        The script that was started; empty where it is not known.
    own : bool
        Whether that is the notebook that printed the log.
    alone : bool
        Whether nothing else is looked at but what it is made of.
    cell : int
        The cell of the notebook whose output is the log; -1 where it is not known.
    arguments : Mapping of str to Given
        Options that it was started with.
    """

    program: str = ""
    cell: int = -1
    arguments: Mapping[str, Given] = field(default_factory=dict)
    own: bool = False
    alone: bool = False


def _stem_words(file: str) -> set[str]:
    path = PurePosixPath(file)
    return {w for part in (*path.parts[:-1], path.stem) for w in words_of(part)}


class Choice:
    """The training among all optimisers of a code."""

    def __init__(self, reader: Reader, made: Sequence[Optimiser], hint: Hint) -> None:
        self.reader = reader
        self.made = made
        self.hint = hint
        self.index: Index = reader.index
        self.model = self._chosen_model()
        self.tied = False  # whether another training looks as much like the one that is meant

    def pick(self) -> tuple[Optimiser | None, Optimiser | None, Scope, Unit, str] | None:
        """The optimisers of D and G, the function and file of their training, and why those."""
        made = self._of_program()
        ds = [o for o in made if o.side == "d"]
        gs = [o for o in made if o.side == "g"]
        rest = [o for o in made if o.side == ""]
        if not ds and not gs:
            return self._single(made, rest)
        ranked: list[tuple[tuple[float, ...], Optimiser | None, Optimiser | None]] = []
        for order, d in enumerate(ds):
            g, close = self._partner(d, gs)
            if g is None:
                g, close = self._partner(d, [o for o in rest if o.call is not d.call])
                close /= 2
            if g is None:
                others = [o for o in made if o.side == "o" and o.call is not d.call]
                g, close = self._partner(d, others)
                close /= 4
            ranked.append(((self._weight(d) + close, order), d, g))
        if not ds:
            for order, g in enumerate(gs):
                d2, close = self._partner(g, rest)
                ranked.append(((self._weight(g) + close / 2, order), d2, g))
        best, d_, g_ = max(ranked, key=lambda r: r[0])
        self.tied = any(
            rank[0] == best[0] and self._is_another(d, d_) for rank, d, _ in ranked if d is not d_
        )
        return self._told(self._first(d_, ds), self._first(g_, gs), len(ranked))

    def _first(self, chosen: Optimiser | None, among: Sequence[Optimiser]) -> Optimiser | None:
        """Of those of D_X and D_Y, made one after the other and alike, the first."""
        if chosen not in among or chosen is None:
            return chosen
        seen = {chosen.target}
        for other in reversed(among[: among.index(chosen)]):
            if other.target in seen or not self._is_twin(other, chosen):
                break
            seen.add(other.target)
            chosen = other
        return chosen

    def _is_another(self, one: Optimiser | None, other: Optimiser | None) -> bool:
        """Whether two are of different trainings: not made side by side, and not alike."""
        if one is None or other is None:
            return one is not other
        if one.unit is not other.unit:
            return True
        a, b = (given.rate_of(o, self.reader).known for o in (one, other))
        same = a is not None and b is not None and a.value == b.value
        return not same and not self._is_twin(one, other)

    def _is_twin(self, one: Optimiser, other: Optimiser) -> bool:
        """Whether two are made alike, or are called alike: `opt_D_A` and `opt_D_B`."""
        if self._scope(one) is not self._scope(other) or self._weight(one) != self._weight(other):
            return False
        a, b = (given.rate_of(o, self.reader).known for o in (one, other))
        if one.name == other.name and a is not None and b is not None and a.value == b.value:
            return True
        names = words_of(one.target), words_of(other.target)
        differing = [w for pair in zip(*names, strict=False) if pair[0] != pair[1] for w in pair]
        alike = len(names[0]) == len(names[1]) and len(differing) == 2
        return alike and all(w.isalpha() for w in differing)

    def _of_program(self) -> Sequence[Optimiser]:
        """The optimisers of the program that is known to have run, and of what it is made of."""
        program = next((u for u in self.index.units if self._is_program(u)), None)
        if program is None:
            return self.made
        files = near(self.index, program)
        mine = [o for o in self.made if o.unit in files]
        if mine or (self.hint.alone and not any(_steps(u, self.index) for u in files)):
            return mine
        return self.made  # it trains a model that it loads by its name

    def _single(
        self, made: Sequence[Optimiser], rest: Sequence[Optimiser]
    ) -> tuple[Optimiser | None, Optimiser | None, Scope, Unit, str] | None:
        """One object for everything, where the code plays the game at all."""
        if not rest or len({id(o.call) for o in made}) > 3:
            return None
        words = {w for n in self.index.loads for w in words_of(n)}
        if not (words & {"discriminator", "disc", "critic", "netd"}):
            return None
        best = max(rest, key=self._weight)
        return self._told(best, best, 1)

    def _told(
        self, d: Optimiser | None, g: Optimiser | None, count: int
    ) -> tuple[Optimiser | None, Optimiser | None, Scope, Unit, str]:
        main = d if d is not None else g
        assert main is not None  # noqa: S101  for the type checker
        scope = main.frame.caller.scope if main.frame.caller is not None else main.frame.scope
        if self.hint.own and self._is_program(main.unit):
            why = "it is the notebook that printed the log"
        elif self.hint.program and self._is_program(main.unit):
            why = "it is the program that was asked for, or that the log names"
        elif len(self.index.units) == 1:
            why = "it is the only file"
        elif count == 1:
            why = "no other file makes an optimiser for a discriminator"
        else:
            why = "of all files that train it looks most like the training"
        # a network that makes its own optimiser is none that trains the two
        is_own = main.frame.caller is not None and self.index.class_of(main.call) is not None
        return d, g, scope, self.index.of[scope] if is_own else main.unit, why

    def _partner(self, d: Optimiser, among: Sequence[Optimiser]) -> tuple[Optimiser | None, float]:
        best: tuple[tuple[float, float, float], Optimiser] | None = None
        for g in among:
            close = 0.2
            if g.unit is d.unit:
                close = 1.5
                if self._scope(g) is self._scope(d):
                    close = 4.0
                elif self._class(g) is not None and self._class(g) is self._class(d):
                    close = 3.0
            # `gen_opt` before `gen_opt_fair` is the one beside `disc_opt`
            more = len(words_of(g.target)) > len(words_of(d.target))
            rank = (close, -float(more), -abs(g.call.lineno - d.call.lineno))
            if best is None or rank > best[0]:
                best = (rank, g)
        return (best[1], best[0][0]) if best else (None, 0.0)

    def _scope(self, o: Optimiser) -> Scope:
        return o.frame.caller.scope if o.frame.caller is not None else o.frame.scope

    def _class(self, o: Optimiser) -> ast.AST | None:
        return self.index.class_of(o.call)

    def _weight(self, o: Optimiser) -> float:
        """How much an optimiser looks like that of the training that is meant."""
        weight = self._file_weight(o.unit)
        scope = self._scope(o)
        if isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
            called = self.index.calls.get(scope.name, ())
            entered = scope.name in ("__init__", "main") or any(
                m.scope is not scope for m in called
            )
            weight += 0.5 if entered else 0.0
            if set(words_of(scope.name)) & _TESTS:
                weight -= 3
            elif set(words_of(scope.name)) & _AGAIN:
                weight -= 2
        if self.hint.cell >= 0:
            cell = o.unit.cell_of(o.call)
            weight += 5 if 0 <= cell <= self.hint.cell else -5
        return weight

    def _file_weight(self, unit: Unit) -> float:
        words = _stem_words(unit.file)
        stem = PurePosixPath(unit.file).stem
        weight = 0.0
        if self._is_program(unit):
            weight += 20
        if self.model and (stem == self.model or stem.startswith(f"{self.model}_")):
            weight += 3
        if words & {"train", "training", "trainer", "trainers"}:
            weight += 1.5
        elif words & {"main", "run"}:
            weight += 1
        if words & _TESTS:
            weight -= 3
        if words & {
            "old",
            "backup",
            "copy",
            "deprecated",
            "example",
            "examples",
            "legacy",
            "pretrain",
        }:
            weight -= 1.5
        weight -= 0.1 * unit.file.count("/")
        return weight

    def _is_program(self, unit: Unit) -> bool:
        program = self.hint.program
        if program and any(u.file == program for u in self.index.units):
            return unit.file == program
        return bool(program) and f"/{unit.file}".endswith(f"/{PurePosixPath(program).name}")

    def _chosen_model(self) -> str:
        """The default of an option that names the model's file."""
        for name in ("model", "model_name", "trainer", "gan_type", "arch"):
            if name in self.hint.arguments:
                return str(self.hint.arguments[name].value)
            known = self.reader.of_option(name)
            if known is not None and isinstance(known.value, str):
                return known.value
        return ""


def near(index: Index, home: Unit) -> list[Unit]:
    """The files of a training: what it takes in, who takes it in, and what those take in."""
    taken = {id(u): _taken_in(u, index) for u in index.units}
    out: dict[int, Unit] = {}

    def below(unit: Unit) -> None:
        waiting = [unit]
        while waiting:
            here = waiting.pop(0)
            if id(here) not in out:
                out[id(here)] = here
                waiting += taken[id(here)]

    below(home)
    top = home
    for _ in range(4):
        above = [
            u
            for u in index.units
            if u is not top
            and any(t is top for t in taken[id(u)])
            and not (_stem_words(u.file) & _TESTS)
            and id(u) not in out
        ]
        if not above:
            break
        top = max(above, key=lambda u: ("train" in _stem_words(u.file), -u.file.count("/"), u.file))
        below(top)
    if index.imports[id(home)] and not any(_steps(u, index) for u in out.values()):
        # the model is loaded by its name: `__import__(config["model"])`
        for unit in index.units:
            if _steps(unit, index) and not (_stem_words(unit.file) & _TESTS):
                below(unit)
    return list(out.values())


def _steps(unit: Unit, index: Index) -> bool:
    """Whether a file moves weights."""
    return any(
        made.unit is unit
        for name in ("step", "apply_gradients", "minimize", "train_on_batch", "run", "fit")
        for made in index.calls.get(name, ())
    )


def _taken_in(unit: Unit, index: Index) -> list[Unit]:
    ends: list[str] = []
    for node in index.imports[id(unit)]:
        if isinstance(node, ast.ImportFrom):
            module = node.module or ""
            names = [module, *(f"{module}.{a.name}".lstrip(".") for a in node.names)]
        else:
            names = [a.name for a in node.names]
        ends += [name.replace(".", "/") for name in names]
    ends += loaded_by_name(unit.text) if unit.file.endswith(".py") else []
    out: list[Unit] = []
    for end in ends:
        for other in index.units:
            if end and other is not unit and is_module(end, other.file):
                out.append(other)
                break
    return out
