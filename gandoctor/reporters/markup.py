"""Building HTML so that nothing is forgotten: all that is not markup already is escaped on its way in."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from gandoctor.reporters.wording import visible

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import LiteralString


MOST: Final = 4_000


class Markup(str):
    """Text that is markup already."""

    __slots__ = ()


class _Escaped(dict[str, object]):
    def __getitem__(self, key: str) -> str:
        return text(super().__getitem__(key))


def text(value: object, most: int = MOST) -> Markup:
    """Escape a value, for element content and for quoted attributes; markup stays, what is invisible is shown.

    What is longer than `most` characters is cut: a tag of a megabyte is no name.
    """
    if isinstance(value, Markup):
        return value
    said = str(value)
    return Markup(escape(visible(said if len(said) <= most else said[:most] + " ...")))


def fill(template: LiteralString, **values: object) -> Markup:
    """Fill the ``{name}`` places of a template of ours; each value is escaped unless it is markup.

    A template is part of the program, never of its input.
    """
    return Markup(template.format_map(_Escaped(values)))


def each(template: LiteralString, values: Iterable[object], between: str = "") -> Markup:
    """Fill the ``{x}`` of a template with every value in turn."""
    return join((fill(template, x=value) for value in values), between)


def join(parts: Iterable[Markup], between: str = "") -> Markup:
    """Put pieces of markup together."""
    return Markup(escape(between).join(parts))


def exact(value: str) -> Markup:
    """Text for a quoted attribute, byte for byte: an HTML reader turns a bare carriage return into a line feed."""
    return Markup(escape(value).replace("\r", "&#13;").replace("\n", "&#10;"))
