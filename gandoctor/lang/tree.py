"""A checked expression: its pieces, the names it may use, and the fault of one that is none."""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Final, Literal

from gandoctor.errors import RuleError
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

Kind = Literal["series", "mask", "number", "truth"]
MAX_NODES: Final = 120
KIND_SAID: Final[dict[str, str]] = {
    "series": "a series", "mask": "a test at every step", "number": "a number",
    "truth": "a test of the whole window",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Scope:
    """The names a test may use.

    Attributes
    ----------
    signals : frozenset of str
        Names of series.
    numbers : frozenset of str
        Names of numbers: settings that are numbers, facts. A name that is both a signal and a
        number is the signal where a function asks for a series, and the number everywhere else.
    words : frozenset of str
        Settings that are words; they belong under ``given:``, here they only explain that.
    flags : frozenset of str
        What ``fired()`` may ask about.
    clauses : frozenset of str
        Clauses that ``when:`` may join.
    switches : frozenset of str
        Settings that are true or false: each is a test by itself, and the number 1 or 0 if it is
        among `numbers`.
    """

    signals: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()
    flags: frozenset[str] = frozenset()
    clauses: frozenset[str] = frozenset()
    switches: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Node:
    """One checked piece of an expression.

    Attributes
    ----------
    op : str
        ``const``, ``signal``, ``number``, ``switch``, ``clause``, ``quote`` (a name that is asked
        about, not evaluated), ``call``, ``neg``, ``+ - * / **``, ``< <= > >= == !=``, ``and``,
        ``or``, ``not``, ``then``.
    kind : str
        ``series``, ``mask``, ``number`` or ``truth``.
    args : tuple of Node
    value : float
        Of a ``const``.
    name : str
        Of a name or a function.
    text : str
        The piece of source it was read from.
    windowed : bool
        Whether its value depends on the window that is looked at.
    key : str
        The same for pieces that mean the same; results are remembered under it.
    """

    op: str
    kind: Kind
    args: tuple[Node, ...] = ()
    value: float = 0.0
    name: str = ""
    text: str = field(default="", compare=False)
    windowed: bool = False
    key: str = field(default="", compare=False)

    def walk(self) -> Iterator[Node]:
        """Yield this node, then all below it, from left to right."""
        left = [self]
        while left:
            node = left.pop()
            yield node
            left.extend(reversed(node.args))


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked test.

    Attributes
    ----------
    text : str
        As written, on one line.
    kind : str
        ``mask``: decided at every step; ``truth``: decided once for the whole window (or for the
        run).
    names : tuple of str
        Every signal, number and clause it uses, in the order of the text.
    tree : Node
    signals : tuple of str
        The signals among `names`.
    """

    text: str
    kind: Kind
    names: tuple[str, ...]
    tree: Node = field(repr=False)
    signals: tuple[str, ...] = field(default=(), repr=False, compare=False)


class ExpressionError(RuleError):
    """A test that cannot be read; shows the line with a caret under the fault.

    Parameters
    ----------
    what, hint : str
        As in `gandoctor.errors.GandoctorError`.
    text : str
        The whole expression.
    start, end : int
        Columns of the fault.
    """

    def __init__(self, what: str, text: str, start: int, end: int, hint: str = "") -> None:
        super().__init__(what, hint=hint)
        self.text = text
        self.start = max(0, min(start, len(text)))
        self.end = max(self.start + 1, min(end, len(text)))

    def __str__(self) -> str:
        return (
            f"{super().__str__()}\n    {self.text}\n    "
            f"{' ' * self.start}{'^' * (self.end - self.start)}"
        )


def key_of(op: str, name: str, args: tuple[Node, ...]) -> str:
    """The key of a node: equal for what means the same."""
    inner = ",".join(a.key for a in args)
    return f"{op if op != 'call' else ''}{name}({inner})"
