"""What a training calls its settings, and how its loops go."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from gandoctor.configs.python.index import SCOPES
from gandoctor.configs.python.names import RANGES, WHOLE, WORDS
from gandoctor.configs.python.sides import is_trial, side_of, words_of
from gandoctor.configs.python.ways import Known
from gandoctor.configs.references import dotted, last_name
from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence, Set

    from gandoctor.configs.python.index import Index, Scope
    from gandoctor.configs.python.sides import Side
    from gandoctor.configs.python.units import Unit
    from gandoctor.configs.python.values import Reader
    from gandoctor.configs.python.ways import Plain

_RANGES: Final = frozenset({"range", "xrange", "trange"})
_CONFIG_WORDS: Final = frozenset(
    {"config", "configs", "cfg", "options", "hparams", "hyperparams", "hyperparameters",
     "constants", "settings", "params"}
)  # fmt: skip
_COUNTED: Final = frozenset(
    {"step", "steps", "iter", "iters", "iteration", "it", "epoch", "epochs"}
)
# What is done now and then, and is no step of a training.
_RARELY: Final = frozenset({"save", "log", "print", "eval", "sample", "checkpoint", "display"})
_TRAINER: Final = late_pattern(r"(?i)train|gan$|learner|updater|gan_loss")
# Functions that look at what comes of a training.
SHOWING: Final = frozenset({"save", "plot", "show", "sample", "samples", "generate", "visualize",
                            "test", "eval", "evaluate", "display"})  # fmt: skip
_SEARCHING: Final = frozenset({"search", "query", "invert", "inversion", "project"})
TEST: Final = late_pattern(r"(?i)(?:^|_|\b)(?:test|val|valid|validation|eval|infer)")


class Loops:
    """The training that was chosen, and the features of its code.

    Parameters
    ----------
    reader : Reader
    home : Unit
        The file that it stands in.
    scope : Scope
        The function that makes its optimisers, or the module.
    line : int
        Where it makes them.
    moved : Mapping of str to Side
        What the optimisers are called, and whose they are.
    """

    def __init__(
        self,
        reader: Reader,
        home: Unit,
        scope: Scope,
        *,
        line: int = 0,
        moved: Mapping[str, Side] | None = None,
    ) -> None:
        self.reader = reader
        self.index: Index = reader.index
        self.home = home
        self.scope = scope
        self.line = line
        self.moved = moved or {}
        self._names: dict[str, list[str]] | None = None
        self._scopes: list[Scope] | None = None
        # Of each function that makes whole steps of the training the loops that train.
        self._loops_of_step: dict[int, list[ast.AST] | None] = {}
        self.near = [home, *(u for u in reader.preferred if u is not home and not is_trial(u.file))]

    # ------------------------------------------------------------ by name

    def named(self, setting: str) -> Known | None:
        """What is called by one of the setting's words, is read somewhere, and is a number."""
        low, high = RANGES[setting]
        whole = setting in WHOLE
        found = (
            k for k in self.candidates(WORDS[setting]) if fits(k.value, low, high, whole=whole)
        )
        first = next(found, None)
        if first is None:
            others = (*self.handed(WORDS[setting]), *self.unread(WORDS[setting]))
            return next((k for k in others if fits(k.value, low, high, whole=whole)), None)
        if first.how != "parameter":
            return first
        # an option of that name is handed over, where a mere default is not
        return next((k for k in found if k.how in ("option", "command", "config")), first)

    def candidates(self, words: Sequence[str]) -> Iterator[Known]:
        """Values of these names, those of the training's own function and file first."""
        index = self.index
        by_word = {w: i for i, w in enumerate(words)}
        matching = sorted(
            (n for w in words for n in self._spelled().get(w, ())),
            key=lambda n: (by_word[squeezed(n)], n),
        )
        if not matching and not self.reader.configs:
            return
        scopes = self._scopes_in_order()
        for name in matching:
            if name in self.reader.commands and name in index.options:
                yield from _given(self.reader.of_option(name))
        handed: set[str] = set()  # to the training by who knows whom: no default of others counts
        for scope in scopes:
            if self._is_beside(scope):
                continue
            for name in matching:
                if index.defined(scope, name) and not isinstance(scope, ast.ClassDef):
                    known = self.reader.of_name(scope, name)
                    # a default of a file that has nothing to do with it says nothing either
                    afar = handed if index.of[scope] in self.near else {name}
                    if known is None and scope is self.scope:
                        handed.add(name)
                    elif known is not None and (known.how != "parameter" or name not in afar):
                        yield known
        for name in matching:
            yield from self._elsewhere(name)
        for name in self.reader.configs:
            if squeezed(name) in by_word:
                given = self.reader.configs[name]
                yield Known(given.value, (), given.how, given.place, name, guessed=True)

    def _is_beside(self, scope: Scope) -> bool:
        """Whether a function belongs to another training, or looks at what comes of this one."""
        if id(self.index.of[scope]) in self.reader.rivals:
            return True
        shows = _says(scope, SHOWING) or self._is_shown_only(scope)
        return scope is not self.scope and shows

    def _is_shown_only(self, scope: Scope) -> bool:
        """Whether only what looks at pictures enters a function: ``load_data(3)`` to show them."""
        if not isinstance(scope, ast.FunctionDef) or scope.name == "__init__":
            return False
        sites = self.index.callers(scope.name, scope)
        return bool(sites) and all(_says(self.index.function_of(s.call), SHOWING) for s in sites)

    def handed(self, words: Sequence[str]) -> Iterator[Known]:
        """What a trainer of some library is handed: ``Trainer(n_dis=5)``."""
        for name, several in self.index.calls.items():
            if not _TRAINER.search(name) or name in self.index.functions:
                continue
            for made in several:
                for keyword in made.call.keywords if made.unit in self.near else ():
                    if keyword.arg and squeezed(keyword.arg) in words:
                        yield from _given(self.reader.known(keyword.value))

    def unread(self, words: Sequence[str]) -> Iterator[Known]:
        """What is declared and read in none of these files: perhaps in one that is not here.

        Options, and the constants of a module that is called a config.
        """
        index = self.index
        names = {squeezed(n): n for n in index.options if not index.loads.get(n, 0)}
        for word in words:
            known = self.reader.of_option(names[word]) if word in names else None
            if known is not None:
                yield replace(known, guessed=True)
        for (scope, name), bound in index.names.items():
            if squeezed(name) in words and isinstance(scope, ast.Module):
                stem = PurePosixPath(index.of[scope].file).stem
                if set(words_of(stem)) & _CONFIG_WORDS and bound[-1].value is not None:
                    known = self.reader.known(bound[-1].value)
                    if known is not None:
                        yield replace(known, guessed=True)

    def _spelled(self) -> dict[str, list[str]]:
        """Names that are read somewhere, by how they are spelled without case and dashes."""
        if self._names is None:
            index = self.index
            names = {n for _, n in index.names} | index.options.keys() | index.stores.keys()
            self._names = {}
            for name in names | index.entries.keys():
                if index.loads.get(name, 0):
                    self._names.setdefault(squeezed(name), []).append(name)
        return self._names

    def _scopes_in_order(self) -> list[Scope]:
        """All scopes, the training's own function and file first."""
        if self._scopes is None:
            self._scopes = sorted(self.index.scopes, key=self._scope_rank)  # type: ignore[arg-type]
        return self._scopes

    def _elsewhere(self, name: str) -> Iterator[Known]:
        index = self.index
        if name in index.options:
            yield from _given(self.reader.of_option(name))
        rivals = self.reader.rivals
        for store in index.stores.get(name, ()):
            if (
                id(store.unit) not in rivals
                and isinstance(store.target, ast.Attribute)
                and not self._in_loop(store.target)
            ):
                # `self.LOSS.kind = "vanilla"`, and the config says `LOSS: {kind: hinge}`
                given = self.reader.configs.get(".".join(dotted(store.target)[-2:]))
                if given is not None:
                    yield self.reader.given(given, name)
                yield from _given(self.reader.known(store.value))
        for scope in index.scopes:
            unit = index.of[scope]
            if id(unit) in rivals or (unit is not self.home and _is_of_tests(unit)):
                continue
            if isinstance(scope, ast.ClassDef) and index.defined(scope, name):
                last = index.defined(scope, name)[-1]
                yield from _given(self.reader.known(last.value) if last.value else None)
        for value, node, unit in index.entries.get(name, ()):
            if id(unit) in rivals or self._is_one_of_many(node, name):
                continue
            if isinstance(node, ast.Dict) or last_name(getattr(node, "func", None)) != "update":
                yield from _given(self.reader.known(value))

    def _is_one_of_many(self, node: ast.AST, name: str) -> bool:
        """Whether a dict stands in a list of such: nobody knows which of them is meant."""
        several = self.index.parents.get(node)
        return isinstance(several, ast.List | ast.Tuple) and any(
            d is not node and any(isinstance(k, ast.Constant) and k.value == name for k in d.keys)
            for d in several.elts
            if isinstance(d, ast.Dict)
        )

    def _in_loop(self, node: ast.AST) -> bool:
        return any(isinstance(p, ast.For | ast.While) for p in self.index.around(node))

    def _scope_rank(self, scope: ast.AST) -> tuple[int, int, int]:
        unit = self.index.of[scope]
        rank = self.near.index(unit) if unit in self.near else 99
        own = 1 if isinstance(scope, ast.Module) else 2
        own = 0 if scope is self.scope else own
        return rank, own, getattr(scope, "lineno", 0)

    # ------------------------------------------------------------ loops

    def epochs(self) -> tuple[str, Known] | None:
        """The length of the training's loop, in epochs or else iterations."""
        found: list[tuple[int, int, str, Known]] = []
        for order, (node, unit) in enumerate(self._loops()):
            bound = _bound_of(node.iter)
            if bound is None:
                continue
            known = self.reader.known(bound)
            if known is None or not fits(known.value, 1, 1e9, whole=True):
                continue
            variable = last_name(node.target) or "_"
            said = squeezed(variable + known.key)
            is_epoch = "epoch" in said or variable in ("ep", "e")
            steps = self.trains(node)
            if not steps and not is_epoch:
                continue
            is_outer = not any(
                isinstance(p, ast.For) and _bound_of(p.iter) is not None
                for p in self.index.around(node)
            )
            if not is_epoch and not (is_outer and steps):
                continue
            if (not is_epoch or side_of(known.key)) and self._is_of_one(node, known):
                continue
            if self._is_search(node):
                continue
            rank = (0 if is_epoch else 2) + (0 if steps else 4) + (0 if unit is self.home else 1)
            rank += 0 if self._is_own(node) else 1
            found.append((rank, order, "epochs" if is_epoch else "iterations", known))
        fits_ = self._fitted()
        if fits_ is not None:
            return "epochs", fits_
        if not found:
            return self._until()
        best = min(found, key=lambda f: f[:2])
        return best[2], best[3]

    def _is_of_one(self, node: ast.For, known: Known) -> bool:
        """Whether a loop makes the steps of one network for one of the other."""
        own = squeezed(known.key) in (*WORDS["n_critic"], *WORDS["n_gen"])
        return own or self.trains(node, "d") != self.trains(node, "g")

    def _is_search(self, node: ast.For) -> bool:
        """Whether a loop looks for the noise of a picture, with G as it is."""
        function = self.index.function_of(node)
        return function is not self.scope and _says(function, _SEARCHING)

    def _until(self) -> tuple[str, Known] | None:
        """``while step < total:``."""
        for unit in self.near:
            for node in self.index.whiles[id(unit)]:
                test = node.test
                if not isinstance(test, ast.Compare) or not isinstance(
                    test.ops[0], ast.Lt | ast.LtE
                ):
                    continue
                counted = set(words_of(last_name(test.left)))
                if not counted & _COUNTED:
                    continue
                known = self.reader.known(test.comparators[0])
                if known is not None and fits(known.value, 1, 1e9, whole=True):
                    return "epochs" if counted & {"epoch", "epochs"} else "iterations", known
        return None

    def _fitted(self) -> Known | None:
        """``model.fit(data, epochs=50)``, ``Trainer(max_epochs=50)``."""
        for name, word in (("fit", "epochs"), ("Trainer", "max_epochs")):
            for made in self.calls(name):
                node = next((k.value for k in made.keywords if k.arg == word), None)
                known = self.reader.known(node) if node is not None else None
                if known is not None and fits(known.value, 1, 1e9, whole=True):
                    return known
        if "LightningCLI" in self.index.calls and "trainer.max_epochs" in self.reader.configs:
            given = self.reader.configs["trainer.max_epochs"]
            return self.reader.given(given, "max_epochs")
        return None

    def _is_own(self, node: ast.AST) -> bool:
        return self.index.function_of(node) is self.scope

    def _loops(self) -> Iterator[tuple[ast.For, Unit]]:
        for unit in self.near:
            for node in self.index.loops[id(unit)]:
                yield node, unit

    def trains(self, node: ast.AST, side: Side = "") -> bool:
        """Whether a network makes steps in here; with a side, whether that one does."""
        return any(_is_step(n, side, self.moved) for n in ast.walk(node) if isinstance(n, ast.Call))

    def steps(self) -> Iterator[tuple[str, Known]]:
        """How often D is trained for one step of G, and G for one of D."""
        found: dict[str, Known] = {}
        for node, _ in self._loops():
            bound = _bound_of(node.iter)
            if bound is None:
                continue
            d, g = self.trains(node, "d"), self.trains(node, "g")
            inner = any(isinstance(p, ast.For | ast.While) for p in self.index.around(node))
            own = isinstance(self.index.parents.get(node), ast.For | ast.While | ast.If)
            if d == g or not (inner or own or self._is_its_only_loop(node)):
                continue
            known = self.reader.known(bound)
            if known is not None and fits(known.value, 1, 1000, whole=True):
                found.setdefault("n_critic" if d else "n_gen", known)
        if not found:
            tests = (t for unit in self.near for t in self.index.tests[id(unit)])
            every = next((e for e in map(self._every, tests) if e is not None), None)
            found = {"n_critic": every} if every is not None else {}
        yield from found.items()

    def _is_its_only_loop(self, node: ast.For) -> bool:
        """Whether a function makes one step of the training, and this is the one loop in it."""
        function = self.index.function_of(node)
        if isinstance(function, ast.Module):
            return False
        if id(function) not in self._loops_of_step:
            found: list[ast.AST] | None = None
            if self.trains(function, "d") and self.trains(function, "g"):
                loops = (n for n in ast.walk(function) if isinstance(n, ast.For | ast.While))
                found = [n for n in loops if self.trains(n)]
            self._loops_of_step[id(function)] = found
        training = self._loops_of_step[id(function)]
        return training is not None and all(n is node for n in training)

    def _every(self, node: ast.If) -> Known | None:
        """``if i % n_critic == 0:`` before G's step."""
        if not isinstance(node.test, ast.Compare):
            return None
        left = node.test.left
        if not (isinstance(left, ast.BinOp) and isinstance(left.op, ast.Mod)):
            return None
        if not self.trains(node, "g") or self.trains(node, "d"):
            return None
        known = self.reader.known(left.right)
        # `if step % save_every == 0:` is no matter of G's steps, whatever else is done there
        if known is None or set(words_of(known.key)) & _RARELY:
            return None
        return known if fits(known.value, 1, 1000, whole=True) else None

    # ------------------------------------------------------------ calls

    def calls(self, name: str) -> Iterator[ast.Call]:
        """Calls of this name, the training's own function and file first."""
        for call, _ in self.calls_with(name):
            yield call

    def calls_with(self, name: str) -> Iterator[tuple[ast.Call, Unit]]:
        """The same, with their files."""
        found = [m for m in self.index.calls.get(name, ()) if m.unit in self.near]
        found.sort(key=lambda m: (self.near.index(m.unit), m.call.lineno))
        for made in found:
            yield made.call, made.unit


def _is_of_tests(unit: Unit) -> bool:
    return bool(TEST.search(PurePosixPath(unit.file).stem))


def _says(scope: ast.AST, words: Set[str]) -> bool:
    return bool(set(words_of(getattr(scope, "name", ""))) & words)


def _given(known: Known | None) -> Iterator[Known]:
    if known is not None:
        yield known


def squeezed(name: str) -> str:
    """A name without case and dashes."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def fits(value: Plain, low: float, high: float, *, whole: bool = False) -> bool:
    """Whether a value is a number within bounds."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return low <= value <= high and (not whole or float(value).is_integer())


def around_name(call: ast.AST, index: Index) -> str:
    """What the statement around a call assigns to."""
    for parent in index.around(call):
        if isinstance(parent, ast.Assign):
            return " ".join(last_name(t) for t in parent.targets)
        if isinstance(parent, ast.FunctionDef):
            return parent.name
        if isinstance(parent, SCOPES) and not isinstance(parent, ast.Lambda):
            return ""
    return ""


def _bound_of(node: ast.expr) -> ast.expr | None:
    """The number of rounds of ``range(n)``, ``range(1, n + 1)``, ``tqdm(range(n))``."""
    if not isinstance(node, ast.Call):
        return None
    name = last_name(node.func)
    if (
        name in ("tqdm", "enumerate", "list", "progress_bar", "master_bar", "track", "reversed")
        and node.args
    ):
        return _bound_of(node.args[0])
    if name not in _RANGES or not node.args:
        return None
    bound = node.args[0] if len(node.args) == 1 else node.args[1]
    if (
        isinstance(bound, ast.BinOp)
        and isinstance(bound.op, ast.Add)
        and isinstance(bound.right, ast.Constant)
        and bound.right.value == 1
        and len(node.args) > 1
    ):
        return bound.left
    return bound


def _is_step(node: ast.Call, side: Side, moved: Mapping[str, Side]) -> bool:
    """Whether a call moves a network's weights."""
    name = last_name(node.func) if isinstance(node.func, ast.Name | ast.Attribute) else ""
    base = dotted(node.func)[:-1] if isinstance(node.func, ast.Attribute) else ()
    if name == "step":
        whose = [*base, *(last_name(a) for a in node.args)]
        if any("sched" in w.lower() for w in whose):
            return False
    elif name in ("train_on_batch", "apply_gradients", "update"):
        whose = list(base)
    elif name == "run":
        whose = [
            last_name(n)
            for a in node.args[:1]
            for n in ast.walk(a)
            if isinstance(n, ast.Name | ast.Attribute)
        ]
        # a run that fetches samples or losses moves nothing
        whose = [w for w in whose if w in moved]
        if not whose:
            return False
        return not side or any(moved[w] == side for w in whose)
    elif re.fullmatch(
        r"_?(?:train|update|optimi[sz]e|fit)_?\w*|\w+_(?:step|update|train_step)|backward_[DG]",
        name,
    ):
        whose = [name]
        if name in ("train", "fit", "update"):
            return not side and name == "fit"
        return not side or side_of(name) == side
    else:
        return False
    if not side:
        return True
    return any(_step_side(w) == side for w in whose)


def _step_side(word: str) -> Side:
    said = side_of(word)
    if said:
        return said
    return "g" if set(words_of(word)) & {"combined", "gan", "adversarial"} else ""
