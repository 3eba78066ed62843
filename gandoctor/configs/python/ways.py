"""What the following of values is made of: frames, ways and what is known."""

from __future__ import annotations

import ast
from dataclasses import field
from typing import TYPE_CHECKING, Final, TypeAlias

from gandoctor.configs.python.index import Index, Scope
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gandoctor.configs.python.units import Place, Unit

Plain: TypeAlias = "float | int | str | bool | None"

DEEPEST: Final = 24
MOST_STEPS: Final = 20_000
# What an expression is worth that is not written out.
NOTHING: Final = object()


@dataclass(frozen=True, slots=True)
class Frame:
    """Where an expression is looked at: its scope, and the call that this scope was entered by."""

    scope: Scope
    call: ast.Call | None = None
    caller: Frame | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """A value and how it was come by.

    Attributes
    ----------
    value : number, word, flag or None
    trail : tuple of (Unit, expr)
        From where the value stands to where it is used; empty where it stands in no code.
    how : str
        ``literal``, ``constant``, ``option``, ``dict``, ``class``, ``parameter``, ``attribute``,
        ``command`` or ``config``.
    place : Place or None
        Where it stands, if not in code.
    key : str
        What it is called there.
    guessed : bool
        Whether names alone tied the use to the value.
    """

    value: Plain
    trail: tuple[tuple[Unit, ast.expr], ...] = ()
    how: str = "literal"
    place: Place | None = None
    key: str = ""
    guessed: bool = False


@dataclass(frozen=True, slots=True)
class Given:
    """A value that a command line or a config file gives."""

    value: Plain
    place: Place
    how: str


class EndlessError(Exception):
    """More steps than any training takes."""


@dataclass(slots=True)
class Way:
    """A way that is being followed."""

    trail: list[tuple[Unit, ast.expr]] = field(default_factory=list)
    how: str = "literal"
    key: str = ""
    guessed: bool = False
    depth: int = 0


# What a way may end at.
End: TypeAlias = "tuple[ast.AST, Frame] | Known | None"


class Followed:
    """Follows expressions of a code.

    Parameters
    ----------
    index : Index
    commands : Mapping of str to Given
        Options that a command line gives: they overrule defaults.
    configs : Mapping of str to Given
        What config files hold, by the ends of the keys.
    preferred : sequence of Unit
        Whose definitions count first where several have the same name.
    """

    def __init__(
        self,
        index: Index,
        commands: Mapping[str, Given] | None = None,
        configs: Mapping[str, Given] | None = None,
        preferred: Sequence[Unit] = (),
    ) -> None:
        self.index = index
        self.commands = commands or {}
        self.configs = configs or {}
        self.preferred = list(preferred)
        self.rivals: set[int] = set()  # ids of files that train something else
        self.steps = 0

    def follow(self, node: ast.expr, frame: Frame, way: Way) -> End:
        """Go from a use to where the value stands, noting the way."""
        raise NotImplementedError

    def part(self, node: ast.expr, frame: Frame, depth: int) -> object:
        """What a part of an expression is worth; `NOTHING` where that is not written out."""
        raise NotImplementedError

    def member(self, base: ast.expr, key: str, frame: Frame, way: Way) -> End:
        """The attribute or entry `key` of an expression."""
        raise NotImplementedError

    def option(self, key: str, way: Way) -> End:
        """The default of an option, or what a command line gives."""
        raise NotImplementedError

    def given(self, given: Given, key: str) -> Known:
        """What a command line or config gives."""
        return Known(given.value, (), given.how, given.place, key)

    def frame(self, node: ast.AST) -> Frame:
        """The frame of an expression by itself."""
        return Frame(self.index.function_of(node))
