"""What a training does besides its optimisers: data, losses, penalties."""

from __future__ import annotations

import ast
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from gandoctor.configs import loss_calls
from gandoctor.configs.python.loops import SHOWING, TEST, around_name, fits, squeezed
from gandoctor.configs.python.names import CLEAR, FAMILIES, FAMILY_KEYS, LOOSE_KEYS
from gandoctor.configs.python.pictures import Pictures
from gandoctor.configs.python.scales import is_symmetric, is_unit, one_of
from gandoctor.configs.python.sides import side_of, words_of
from gandoctor.configs.references import last_name
from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence, Set

    from gandoctor.configs.python.units import Unit
    from gandoctor.configs.python.ways import Known

_WEIGHTS: Final = late_pattern(r"(?i)param|weight|vars|theta|trainable|layers")


_WEIGHT: Final = late_pattern(r"(?i)(?:gp_?)?(?:weight|lambda\w*|lambd?|lam|coeff?)_?")
_TOGETHER: Final = 12  # lines
_NOISE: Final = frozenset({"z", "noise", "latent", "latents", "fakez", "noises"})
_BESIDE: Final = frozenset({"aux", "auxiliary", "teacher", "classifier"})
_PLACES: Final = frozenset({"coord", "coords", "coordinates", "meshgrid", "position"})
_DISTANCES: Final = ("mae", "mean_absolute_error", "l1")
# What draws noise, and which of its arguments is the size if there is no shape.
_DRAWN: Final = (
    ("randn", 1), ("normal", 9), ("random_normal", 9), ("uniform", 9), ("random_uniform", 9),
    ("rand", 1), ("truncated_normal", 9), ("standard_normal", 9), ("gaussian", 9),
)  # fmt: skip


class Training(Pictures):
    """The training that was chosen, and the features of its code; made as `Loops` is."""

    # ------------------------------------------------------------ data

    def batch(self) -> Known | None:
        """The batch that the data is loaded in."""
        found: list[tuple[int, int, Known]] = []
        order = 0
        for name, word, place in (
            ("DataLoader", "batch_size", 1),
            ("batch", "batch_size", 0),
            ("fit", "batch_size", 2),
            ("flow_from_directory", "batch_size", 9),
            ("image_dataset_from_directory", "batch_size", 9),
            ("flow", "batch_size", 9),
            ("next_batch", "batch_size", 0),
            ("get_loader", "batch_size", 9),
            ("BucketIterator", "batch_size", 9),
            ("SerialIterator", "batch_size", 1),
        ):
            for call in self.calls(name):
                order += 1
                node = next((k.value for k in call.keywords if k.arg == word), None)
                if node is None and len(call.args) > place:
                    node = call.args[place]
                known = self.reader.known(node) if node is not None else None
                if known is None or not fits(known.value, 1, 1e6, whole=True):
                    continue
                told = " ".join((around_name(call, self.index), ast.unparse(call)[:200]))
                test = bool(TEST.search(told.replace("train_test", "")))
                # where a loader is made anew the last one counts
                found.append(
                    (int(test), -order if name == "DataLoader" and not test else order, known)
                )
        best = min(found, key=lambda f: f[:2]) if found else None
        # a loader of test data alone says nothing of the training's
        return best[2] if best is not None and not best[0] else None

    def data_range(self) -> tuple[str, ast.expr, Unit] | None:
        """The range that the real data is brought to."""
        weak: tuple[str, ast.expr, Unit] | None = None
        for unit in self.near:
            for call, its in self.calls_with("Normalize"):
                if its is unit and (said := self._normalised(call)):
                    return said, call, unit
            for node in self.index.sums[id(unit)]:
                if self._is_shown(node) or self._is_of_places(node):
                    continue
                if is_symmetric(node) and not self.reader.is_idle(node):
                    return "-1..1", node, unit
                if weak is None and is_unit(node) and not self.reader.is_idle(node):
                    weak = ("0..1", node, unit)
        if weak is not None:
            return weak
        for call, unit in self.calls_with("ToTensor"):
            return "0..1", call, unit
        return None

    def _is_shown(self, node: ast.AST) -> bool:
        """Whether it stands in a function that looks at what comes of the training."""
        name = getattr(self.index.function_of(node), "name", "")
        words = set(words_of(name))
        if words & {"load", "real", "train", "read", "get", "prepare", "preprocess"}:
            return False
        return bool(TEST.search(name) or words & {*SHOWING, "predict", "denorm"})

    def _is_of_places(self, node: ast.AST) -> bool:
        """Whether coordinates are brought to a range, and no picture."""
        around = [getattr(p, "name", "") or "" for p in self.index.around(node)]
        return any(set(words_of(name)) & _PLACES for name in around)

    def _normalised(self, call: ast.Call) -> str:
        values: list[float] = []
        handed = [*call.args[:2], *(k.value for k in call.keywords if k.arg in ("mean", "std"))]
        for node in handed:
            end = self.reader.end(node)
            if end is None:
                return ""
            items = end[0].elts if isinstance(end[0], ast.Tuple | ast.List) else [end[0]]
            for item in map(one_of, items):
                number = self.reader.number(item, end[1]) if isinstance(item, ast.expr) else None
                if number is None:
                    return ""
                values.append(number)
        return "-1..1" if values and all(v == 0.5 for v in values) else ""

    def noise(self) -> Known | None:
        """The size of the noise, from where it is drawn."""
        found: list[tuple[int, ast.expr]] = []
        for name, place in _DRAWN:
            for call in self.calls(name):
                target = around_name(call, self.index)
                if not _NOISE & set(words_of(target)):
                    continue
                scope = self.index.function_of(call)
                shown = set(words_of(getattr(scope, "name", ""))) & SHOWING
                node = _size_of(call, place) or self._size_of_mean(call)
                if node is not None:
                    # the training's own draw before that of any other function
                    found.append((0 if scope is self.scope else 1 + bool(shown), node))
        found.sort(key=lambda f: f[0])
        for rank, node in found:
            known = self.reader.known(node)
            if known is not None and fits(known.value, 2, 1e5, whole=True):
                return known
            if rank == 0 and known is None and isinstance(node, ast.Name):
                return None  # it is handed over, and what another function draws is another's
        return None

    def _size_of_mean(self, call: ast.Call) -> ast.expr | None:
        """``torch.normal(mean=torch.zeros(batch, 100), std=...)``."""
        words = (k.value for k in call.keywords if k.arg == "mean")
        mean = next(iter((*words, *call.args)), None)
        end = self.reader.end(mean) if mean is not None else None
        made = end[0] if end is not None else None
        is_filled = isinstance(made, ast.Call) and last_name(made.func) in ("zeros", "ones", "full")
        return _size_of(made, 1) if is_filled and isinstance(made, ast.Call) else None

    # ------------------------------------------------------------ loss

    def family(self) -> tuple[str, ast.expr | None, Unit, Known | None] | None:
        """The loss family: a word that chooses it, else what is called."""
        said = self._said(self.candidates(FAMILY_KEYS))
        if said is not None and said[0] == "wgan" and self._is_penalised():
            said = ("wgan-gp", *said[1:])
        return said or self._called() or self._said(self.unread(FAMILY_KEYS))

    def _is_penalised(self) -> bool:
        """Whether the training's own function always has a penalty on gradients."""
        return any(
            mark == "gp" and not self.reader.is_branched(node)
            for mark, node in loss_calls.marks(self.scope)
        )

    def _said(
        self, among: Iterable[Known]
    ) -> tuple[str, ast.expr | None, Unit, Known | None] | None:
        """The first word that chooses a loss."""
        for known in among:
            said = (
                FAMILIES.get(squeezed(str(known.value))) if isinstance(known.value, str) else None
            )
            if said and self._chooses(known):
                return said, None, self.home, known
        return None

    def _called(self) -> tuple[str, ast.expr | None, Unit, Known | None] | None:
        """The loss that is computed, in the training's own function first."""
        scopes: list[tuple[ast.AST, Unit]] = [(self.scope, self.home)]
        scopes += [(u.tree, u) for u in self.near]
        seen: list[tuple[str, ast.AST, Unit]] = []
        for body, unit in scopes:
            marks = [
                (m, n)
                for m, n in loss_calls.marks(body)
                if not self.reader.is_idle(n) and not self._is_beside_game(n)
            ]
            if len({m for m, _ in marks} & loss_calls.GAMES) > 1:
                marks = [(m, n) for m, n in marks if not self._unused(n)]
            family = loss_calls.of_marks({m for m, _ in marks})
            seen += [(m, n, unit) for m, n in marks]
            games = {m for m, _ in marks} & loss_calls.GAMES
            if family is not None and games:
                if family == "wgan" and any(m == "gp" for m, _, _ in self._everywhere()):
                    family = "wgan-gp"
                # the loss that the code defines, sooner than where it is handed on
                for mark, its, where in self._everywhere():
                    if mark in games and loss_calls.is_mean(its):
                        return family, its, where, None
                return family, self._nearest(marks, games), unit, None
            if len(games) > 1:
                return self._of_last_call()
        family = loss_calls.of_marks({m for m, _, _ in seen})
        if family is None:
            return None
        told = "mse" if family == "lsgan" else "classes"
        node, unit = next(((n, u) for m, n, u in seen if m == told), (None, self.home))
        return family, node if isinstance(node, ast.expr) else None, unit, None

    def _of_last_call(self) -> tuple[str, ast.expr | None, Unit, Known | None] | None:
        """The one of several losses whose function is called last before D's optimiser is made."""
        made = [
            m
            for several in self.index.calls.values()
            for m in several
            if m.unit is self.home and m.scope is self.scope and m.call.lineno <= self.line
        ]
        for site in sorted(made, key=lambda m: -m.call.lineno):
            for body in self.index.functions.get(last_name(site.call.func), ()):
                marks = list(loss_calls.marks(body))
                games = {m for m, _ in marks} & loss_calls.GAMES
                family = loss_calls.of_marks({m for m, _ in marks})
                if games and family is not None:
                    node = min((n for m, n in marks if m in games), key=lambda n: n.lineno)
                    return family, node, self.index.of[body], None
        return None

    def _chooses(self, known: Known) -> bool:
        """Whether a word chooses the loss: ``loss`` and ``mode`` may speak of something else."""
        key = squeezed(known.key)
        if key == "loss" and known.how in ("option", "config"):
            return True
        return key not in LOOSE_KEYS or squeezed(str(known.value)) in CLEAR

    def _unused(self, node: ast.AST) -> bool:
        """Whether it stands in a function that nothing speaks of."""
        outer = [p for p in self.index.around(node) if isinstance(p, ast.FunctionDef)]
        return bool(outer) and not self.index.loads.get(outer[-1].name, 0)

    def _is_beside_game(self, node: ast.AST) -> bool:
        """Whether it stands in what trains another network, or in a method that heirs replace."""
        function = self.index.function_of(node)
        name = getattr(function, "name", "")
        owner = self.index.parents.get(function)
        if self._is_of_other(node):
            return True
        return bool(set(words_of(name)) & _BESIDE) or (
            isinstance(owner, ast.ClassDef) and self._is_replaced(name, owner)
        )

    def _is_of_other(self, node: ast.AST) -> bool:
        """``decoder_loss = ...``: whether it is computed for a network beside the two."""
        for parent in self.index.around(node):
            if isinstance(parent, ast.Assign):
                return any(side_of(last_name(t)) == "o" for t in parent.targets)
            if isinstance(parent, ast.stmt):
                break
        return False

    def _is_replaced(self, method: str, owner: ast.ClassDef) -> bool:
        """Whether a class is only made as an heir that has a method of its own for this one."""
        calls = self.index.calls
        if owner.name in calls:
            return False
        classes = (c for several in self.index.classes.values() for c in several)
        heirs = [c for c in classes if any(last_name(b) == owner.name for b in c.bases)]
        made = [c for c in heirs if c.name in calls]
        return bool(made) and all(self.index.defined(c, method) for c in made)

    def _nearest(self, marks: Sequence[tuple[str, ast.AST]], games: Set[str]) -> ast.expr | None:
        """The mark that stands nearest to where the optimisers are made."""
        found = [n for m, n in marks if m in games and isinstance(n, ast.expr)]
        holding = [n for n in found if n.lineno <= self.line <= (n.end_lineno or n.lineno)]
        if holding:  # `compile(loss=..., optimizer=...)`
            return holding[0]
        before = [n for n in found if n.lineno <= self.line + 3]
        if not before:
            return min(found, key=lambda n: n.lineno) if found else None
        nearest = max(before, key=lambda n: n.lineno)
        scope = self.index.function_of(nearest)
        if isinstance(scope, ast.Module):
            # the first of those that stand together
            cell = self.home.cell_of(nearest)
            close = [n for n in before if nearest.lineno - n.lineno <= _TOGETHER]
            close = [n for n in close if self.index.function_of(n) is scope]
            return min((n for n in close if self.home.cell_of(n) == cell), key=lambda n: n.lineno)
        same = [n for n in before if self.index.function_of(n) is scope]
        return min(same, key=lambda n: n.lineno)

    def _everywhere(self) -> Iterator[tuple[str, ast.AST, Unit]]:
        for unit in self.near:
            for mark, node in loss_calls.marks(unit.tree):
                yield mark, node, unit

    def penalty(self) -> Known | None:
        """``10 * gradient_penalty``, or ``gradient_penalty(..., weight=10)``."""
        known = self._weight_of({"gp", "penalty", "slopes"})
        if known is not None:
            return known
        for name, several in self.index.functions.items():
            words = words_of(name)
            if "r1" in name.lower() or not ("gp" in words or {"gradient", "penalty"} <= {*words}):
                continue
            for made in several:
                args = (*made.args.args, *made.args.kwonlyargs)
                told = next((a.arg for a in args if _WEIGHT.fullmatch(a.arg)), None)
                known = self.reader.of_name(made, told) if told is not None else None
                if known is not None and fits(known.value, 1e-3, 1e5):
                    return known
        return None

    def pixels(self) -> Known | None:
        """``100 * l1_loss``, or ``compile(loss=["mse", "mae"], loss_weights=[1, 100])``."""
        return self._weight_of({"l1"}) or self._compiled()

    def _compiled(self) -> Known | None:
        """The weight of the one loss of several that is the distance of pictures."""
        for call in self.calls("compile"):
            lists = {k.arg: k.value for k in call.keywords if isinstance(k.value, ast.List)}
            if not {"loss", "loss_weights"} <= lists.keys():
                continue
            pairs = zip(lists["loss"].elts, lists["loss_weights"].elts, strict=False)
            said = [w for n, w in pairs if isinstance(n, ast.Constant) and n.value in _DISTANCES]
            known = self.reader.known(said[0]) if len(said) == 1 else None
            if known is not None and fits(known.value, 1e-3, 1e5):
                return known
        return None

    def _weight_of(self, words: Set[str]) -> Known | None:
        """The factor of a term that is called so."""
        for unit in self.near:
            for node in self.index.sums[id(unit)]:
                if isinstance(node.op, ast.Mult):
                    for one, other in ((node.left, node.right), (node.right, node.left)):
                        called = words_of(last_name(one))
                        pairs = {a + b for a, b in pairwise(called)}
                        # the penalty R1 has a weight of its own: `r1_gamma / 2 * r1_penalty`
                        if words & {*called, *pairs} and not {"r1", "r2"} & pairs:
                            known = self.reader.known(other)
                            if known is not None and fits(known.value, 1e-3, 1e5):
                                return known
        return None

    def clip(self) -> Known | None:
        """The bound on D's weights."""
        for name in ("clamp_", "clip_by_value", "clip", "clamp"):
            for call in self.calls(name):
                bounds = call.args[-2:] if len(call.args) >= 2 else [k.value for k in call.keywords]
                if len(bounds) != 2 or not self._on_weights(call):
                    continue
                low, high = (self.reader.known(b) for b in bounds)
                if high is None or low is None or not fits(high.value, 1e-6, 100):
                    continue
                if isinstance(high.value, int | float) and low.value == -high.value:
                    return high
        return self._constrained()

    def smoothing(self) -> Known | None:
        """How much less than one D is told of real data, as a loss is handed it."""
        for several in self.index.calls.values():
            for made in several:
                for keyword in made.call.keywords if made.unit in self.near else ():
                    if keyword.arg == "label_smoothing":
                        known = self.reader.known(keyword.value)
                        if known is not None and fits(known.value, 1e-6, 0.5):
                            return known
        return None

    def _constrained(self) -> Known | None:
        """``ClipConstraint(0.01)``, ``WeightClipper(0.01)``."""
        for name in ("ClipConstraint", "WeightClip", "WeightClipper", "WeightsClip"):
            for call in self.calls(name):
                words = (k.value for k in call.keywords)
                known = self.reader.known(next(iter((*call.args, *words)), None))
                if known is not None and fits(known.value, 1e-6, 100):
                    return known
        return None

    def _on_weights(self, call: ast.Call) -> bool:
        for parent in self.index.around(call):
            if isinstance(parent, ast.For):
                return bool(_WEIGHTS.search(ast.unparse(parent.iter)[:200]))
            if isinstance(parent, ast.ListComp | ast.GeneratorExp):
                return bool(_WEIGHTS.search(ast.unparse(parent.generators[0].iter)[:200]))
            if isinstance(parent, ast.stmt) and not isinstance(parent, ast.Expr | ast.Assign):
                return False
        return False

    def gradient_clip(self) -> Known | None:
        """The bound on the norm of the gradients."""
        for name in ("clip_grad_norm_", "clip_grad_norm", "clip_by_global_norm", "clip_by_norm"):
            for call in self.calls(name):
                node = call.args[1] if len(call.args) > 1 else None
                if node is None:
                    node = next((k.value for k in call.keywords if k.arg == "max_norm"), None)
                known = self.reader.known(node) if node is not None else None
                if known is not None and fits(known.value, 1e-6, 1e6):
                    return known
        return None


def _size_of(call: ast.Call, place: int) -> ast.expr | None:
    """The second number of the shape that is drawn."""
    words = (k.value for k in call.keywords if k.arg in ("shape", "size"))
    for shape in (*call.args, *words):
        if isinstance(shape, ast.Tuple | ast.List) and len(shape.elts) >= 2:
            return shape.elts[1]
    return call.args[place] if len(call.args) > place else None
