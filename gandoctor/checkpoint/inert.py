"""What a pickle is made of where nothing of it is made: names, and what they were given."""

from __future__ import annotations

from typing import Any, Final


class Global:
    """What the pickle would import."""

    __slots__ = ("module", "name")

    def __init__(self, module: str, name: str) -> None:
        self.module = module
        self.name = name

    @property
    def path(self) -> str:
        """``module.name``."""
        return f"{self.module}.{self.name}"


class Pairs:
    """A dict as the pairs it was filled with, in their order; later ones hold."""

    __slots__ = ("rows",)

    def __init__(self, rows: list[tuple[Any, Any]] | None = None) -> None:
        self.rows = rows if rows is not None else []


class Made:
    """What the pickle would have made by a call.

    Attributes
    ----------
    by : object
        What would be called: a `Global` in any sane file.
    args : object
        A tuple in any sane file.
    state : object
        What ``__setstate__`` would be given; None where there was none.
    rows, items : list
        What it would be filled with as a dict, and as a list or set.
    """

    __slots__ = ("args", "by", "items", "rows", "state")

    def __init__(self, by: object, args: object) -> None:
        self.by = by
        self.args = args
        self.state: object = None
        self.rows: list[tuple[Any, Any]] = []
        self.items: list[Any] = []


class Persistent:
    """A reference to something outside the pickle (a storage)."""

    __slots__ = ("pid",)

    def __init__(self, pid: object) -> None:
        self.pid = pid


class Opaque:
    """A value that is of no use here (a number of thousands of digits, say)."""

    __slots__ = ()


OPAQUE: Final = Opaque()
