"""The walk over one expression: what has no place in it is refused by name, kinds are settled."""

from __future__ import annotations

import ast
import math
from typing import TYPE_CHECKING, Final

from gandoctor.errors import near
from gandoctor.lang.tree import KIND_SAID, MAX_NODES, ExpressionError, Kind, Node, Scope, key_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gandoctor.lang.functions import Function

MAX_DEPTH: Final = 16
MAX_POWER: Final = 8
_ARITHMETIC: Final[dict[type[ast.operator], str]] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**",
}  # fmt: skip

_COMPARISONS: Final[dict[type[ast.cmpop], str]] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip

_REFUSED: Final[dict[type[ast.expr], str]] = {
    ast.Attribute: "a dot after a name", ast.Subscript: "an index in brackets",
        ast.Lambda: "a lambda",
    ast.IfExp: "an if / else", ast.ListComp: "a loop", ast.SetComp: "a loop",
        ast.DictComp: "a loop",
    ast.GeneratorExp: "a loop", ast.List: "a list", ast.Tuple: "a comma", ast.Set: "a set",
        ast.Dict: "a dict",
    ast.NamedExpr: "an assignment", ast.JoinedStr: "text", ast.Await: "await", ast.Yield: "yield",
    ast.YieldFrom: "yield", ast.Starred: "a star",
}  # fmt: skip

# What an argument that is asked about, not evaluated, has to name; and the parts of a scope that
# have such names.
_ASKED: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "any name": ("signal, setting or fact", ("signals", "numbers", "words", "switches")),
    "setting": ("number among the settings", ("numbers",)),
    "flag": ("symptom or rule", ("flags",)),
}


def _varies(node: Node) -> bool:
    """Whether anything in it depends on the run."""
    return node.op in ("signal", "number", "call") or any(map(_varies, node.args))


class Checker:
    """One walk over one expression: `node` checks a piece of it, or raises `ExpressionError`."""

    def __init__(
        self,
        line: str,
        scope: Scope,
        functions: Mapping[str, Function],
        *,
        joins_clauses: bool = False,
    ) -> None:
        self.line = line
        self.scope = scope
        self.functions = functions
        self.joins_clauses = joins_clauses
        self.nodes = 0

    def _fault(self, what: str, at: ast.expr, hint: str = "") -> ExpressionError:
        return ExpressionError(
            what, self.line, at.col_offset, at.end_col_offset or at.col_offset + 1, hint
        )

    def _made(
        self, op: str, kind: Kind, at: ast.expr, args: tuple[Node, ...] = (), name: str = ""
    ) -> Node:
        text = self.line[at.col_offset : at.end_col_offset]
        windowed = any(a.windowed for a in args)
        if op == "call" and self.functions[name].how in ("reduce", "pair"):
            windowed = True
        return Node(op, kind, args, 0.0, name, text, windowed, key_of(op, name, args))

    def node(self, at: ast.expr, depth: int, *, series: bool = False) -> Node:
        """Check one node; `series`: a name of both a signal and a number means the signal."""
        self.nodes += 1
        if depth > MAX_DEPTH or self.nodes > MAX_NODES:
            raise self._fault(
                "the test is too long or nested too deep", at, "split it into clauses"
            )
        if isinstance(at, ast.Name):
            return self._name(at, series=series)
        if isinstance(at, ast.BoolOp):
            return self._joined(at, depth)
        if isinstance(at, ast.UnaryOp):
            return self._unary(at, depth, series=series)
        if self.joins_clauses:
            if isinstance(at, ast.BinOp) and isinstance(at.op, ast.MatMult):
                args = (self.node(at.left, depth + 1), self.node(at.right, depth + 1))
                return self._made("then", "truth", at, args)
            raise self._fault(
                "`when` joins the clauses' names, no more",
                at,
                "put the test into a clause's `where`",
            )
        if isinstance(at, ast.Constant):
            return self._constant(at)
        if isinstance(at, ast.BinOp):
            return self._arithmetic(at, depth, series=series)
        if isinstance(at, ast.Compare):
            return self._comparison(at, depth)
        if isinstance(at, ast.Call):
            return self._call(at, depth, series=series)
        raise self._fault(f"{_REFUSED.get(type(at), 'this')} has no place in a test", at)

    def _constant(self, at: ast.Constant) -> Node:
        if isinstance(at.value, bool) or not isinstance(at.value, int | float):
            hint = "settings that are words go under `given:`" if isinstance(at.value, str) else ""
            raise self._fault(f"{at.value!r:.40} is no number", at, hint)
        try:
            value = float(at.value)
        except OverflowError:
            value = math.inf
        if not math.isfinite(value):
            raise self._fault("this number is too large", at)
        text = self.line[at.col_offset : at.end_col_offset]
        return Node("const", "number", value=value, text=text, key=repr(value))

    def _name(self, at: ast.Name, *, series: bool) -> Node:
        name, scope = at.id, self.scope
        if self.joins_clauses:
            if name in scope.clauses:
                return Node("clause", "truth", name=name, text=name, key=name)
            raise self._fault(f"no clause is called `{name}`", at, near(name, scope.clauses))
        if name in scope.signals and (series or name not in scope.numbers):
            return Node("signal", "series", name=name, text=name, key=name)
        if name in scope.numbers:
            return Node("number", "number", name=name, text=name, key=f"#{name}")
        if name in scope.words:
            raise self._fault(
                f"`{name}` is a word, not a number", at, f"write `given: {{{name}: ...}}`"
            )
        if name in scope.flags:
            raise self._fault(f"`{name}` is a symptom or a rule", at, f"write `fired({name})`")
        if name in self.functions:
            raise self._fault(
                f"`{name}` is a function", at, f"write `{self.functions[name].usage}`"
            )
        known = scope.signals | scope.numbers | scope.switches
        raise self._fault(f"no signal, setting or fact is called `{name}`", at, near(name, known))

    def switch(self, at: ast.expr) -> Node | None:
        """A setting that is true or false, where a test is wanted.

        Elsewhere it counts as 1 or 0.
        """
        if not isinstance(at, ast.Name) or at.id not in self.scope.switches or self.joins_clauses:
            return None
        return Node("switch", "truth", name=at.id, text=at.id, key=f"?{at.id}")

    def _unary(self, at: ast.UnaryOp, depth: int, *, series: bool) -> Node:
        if isinstance(at.op, ast.Not):
            arg = self._test(at.operand, depth + 1, "not")
            return self._made("not", arg.kind, at, (arg,))
        if self.joins_clauses or not isinstance(at.op, ast.USub | ast.UAdd):
            raise self._fault(
                "this has no place here", at, "write `not`" if isinstance(at.op, ast.Invert) else ""
            )
        arg = self._value(at.operand, depth + 1, series=series)
        return self._made("neg", arg.kind, at, (arg,)) if isinstance(at.op, ast.USub) else arg

    def _arithmetic(self, at: ast.BinOp, depth: int, *, series: bool) -> Node:
        symbol = _ARITHMETIC.get(type(at.op))
        if symbol is None:
            hint = (
                "write `and` / `or`"
                if isinstance(at.op, ast.BitAnd | ast.BitOr)
                else "there are + - * / **"
            )
            raise self._fault("this operator means nothing here", at, hint)
        left, right = (self._value(side, depth + 1, series=series) for side in (at.left, at.right))
        if symbol == "**":
            power = right.args[0] if right.op == "neg" else right
            if power.op != "const" or power.value > MAX_POWER:
                raise self._fault(
                    f"a power must be a plain number of at most {MAX_POWER}", at.right
                )
        kind: Kind = "series" if "series" in (left.kind, right.kind) else "number"
        return self._made(symbol, kind, at, (left, right))

    def _comparison(self, at: ast.Compare, depth: int) -> Node:
        sides = [self._value(side, depth + 1) for side in (at.left, *at.comparators)]
        spots = [at.left, *at.comparators]
        pairs: list[Node] = []
        for i, op in enumerate(at.ops):
            symbol = _COMPARISONS.get(type(op))
            if symbol is None:
                raise self._fault(
                    "`in` and `is` mean nothing here", at, "there are < <= > >= == !="
                )
            left, right = sides[i], sides[i + 1]
            if not (_varies(left) or _varies(right)):
                raise self._fault("this compares two plain numbers", at)
            kind: Kind = "mask" if "series" in (left.kind, right.kind) else "truth"
            text = self.line[spots[i].col_offset : spots[i + 1].end_col_offset]
            windowed = left.windowed or right.windowed
            pairs.append(
                Node(
                    symbol,
                    kind,
                    (left, right),
                    text=text,
                    windowed=windowed,
                    key=key_of(symbol, "", (left, right)),
                )
            )
        if len(pairs) == 1:
            return pairs[0]
        self._one_kind(pairs, spots[1:])
        return self._made("and", pairs[0].kind, at, tuple(pairs))

    def _joined(self, at: ast.BoolOp, depth: int) -> Node:
        word = "and" if isinstance(at.op, ast.And) else "or"
        parts = [self._test(part, depth + 1, word) for part in at.values]
        self._one_kind(parts, at.values)
        return self._made(word, parts[0].kind, at, tuple(parts))

    def _one_kind(self, parts: list[Node], spots: list[ast.expr]) -> None:
        """Refuse to join what is decided at every step with what is decided once."""
        other = next((i for i, p in enumerate(parts) if p.kind != parts[0].kind), None)
        if other is None:
            return
        each = next(p for p in parts if p.kind == "mask")
        once = next(p for p in parts if p.kind == "truth")
        signal = next((n for n in each.walk() if n.op == "signal"), None)
        reduced = f", or reduce: `median({signal.name})`" if signal is not None else ""
        raise self._fault(
            f"`{each.text}` is decided at every step, `{once.text}` once for the whole window",
            spots[other],
            f"make them two clauses{reduced}",
        )

    def _call(self, at: ast.Call, depth: int, *, series: bool = False) -> Node:
        if not isinstance(at.func, ast.Name):
            raise self._fault("only functions can be called", at.func)
        name = at.func.id
        function = self.functions.get(name)
        if function is None:
            raise self._fault(
                f"no function is called `{name}`", at.func, near(name, self.functions)
            )
        if at.keywords:
            raise self._fault("arguments have no names here", at, f"write `{function.usage}`")
        least = len(function.takes) - function.optional
        if function.many:
            least, most = function.many, MAX_NODES
        else:
            most = len(function.takes)
        if not least <= len(at.args) <= most:
            raise self._fault(f"`{name}` takes {least if least == most else f'{least} to {most}'} "
                             "arguments", at,
                             f"write `{function.usage}`")  # fmt: skip
        wants = function.takes + function.takes[-1:] * (len(at.args) - len(function.takes))
        args = tuple(
            self._argument(arg, want, function, depth + 1, series=series)
            for arg, want in zip(at.args, wants, strict=False)
        )
        kind: Kind
        if function.gives == "same":
            kind = "series" if any(a.kind == "series" for a in args) else "number"
        elif function.gives == "test":
            kind = "mask" if any(a.kind == "series" for a in args) else "truth"
        else:
            kind = function.gives
        return self._made("call", kind, at, args, name)

    def _argument(
        self, at: ast.expr, want: str, function: Function, depth: int, *, series: bool
    ) -> Node:
        if want in _ASKED:
            called, groups = _ASKED[want]
            known = tuple(getattr(self.scope, group) for group in groups)
            if not isinstance(at, ast.Name):
                raise self._fault(
                    f"`{function.name}` asks about a name", at, f"write `{function.usage}`"
                )
            if want == "flag" and not any(known):
                raise self._fault(
                    "a rule cannot ask what others found", at, "causes and remedies can"
                )
            if not any(at.id in group for group in known):
                names = frozenset[str]().union(*known)
                raise self._fault(f"no {called} is called `{at.id}`", at, near(at.id, names))
            return Node("quote", "truth", name=at.id, text=at.id, key=f"'{at.id}")
        if want == "test":
            return self._test(at, depth, function.name)
        node = self._value(
            at, depth, series=want == "series" or (want == "series or number" and series)
        )
        if want == "series" and node.kind != "series":
            raise self._fault(
                f"`{function.name}` needs a series, and this is {KIND_SAID[node.kind]}", at
            )
        if want == "number" and node.kind != "number":
            raise self._fault(
                f"`{function.name}` needs a number here, and this is {KIND_SAID[node.kind]}", at
            )
        if want == "count":
            plain = node.value if node.op == "const" else -1.0
            if plain < 1 or plain != int(plain) or plain > 1e6:
                raise self._fault(
                    f"`{function.name}` needs a whole number here, from 1 to a million", at
                )
        return node

    def _value(self, at: ast.expr, depth: int, *, series: bool = False) -> Node:
        node = self.node(at, depth, series=series)
        if node.kind not in ("series", "number"):
            raise self._fault(f"this is {KIND_SAID[node.kind]}, where a value is needed", at)
        return node

    def _test(self, at: ast.expr, depth: int, word: str) -> Node:
        node = self.switch(at) or self.node(at, depth)
        if node.kind not in ("mask", "truth"):
            raise self._fault(
                f"`{word}` joins tests, and this is {KIND_SAID[node.kind]}",
                at,
                f"compare it: `{node.text} > 0`",
            )
        return node
