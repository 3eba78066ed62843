"""A YAML text as a tree with positions, out of PyYAML's events; nothing is constructed.

An alias is known as the alias it is, which PyYAML's own nodes forget.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import yaml

from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator

# Brackets deeper than this are nobody's config, and cost PyYAML minutes.
MAX_NESTING: Final = 100
# libyaml's loader where it is there.
LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PROPERTIES: Final = late_pattern(r"(?:[&!]\S*[ \t]*)+")


class Scalar:
    """A value; `start` lies behind anchor and tag, `outer` before them."""

    __slots__ = ("anchor", "end", "line", "outer", "start", "style", "tag", "text")

    def __init__(self, event: Any, text: str, shift: int) -> None:
        self.outer = self.start = event.start_mark.index + shift
        self.end = event.end_mark.index + shift
        self.line = event.start_mark.line + 1
        self.text: str = event.value
        self.style: str | None = event.style or None
        self.tag: str | None = event.tag
        self.anchor: str | None = event.anchor
        if self.anchor or self.tag:
            match = _PROPERTIES.match(text, self.start, self.end)
            self.start = match.end() if match else self.start
        if not self.text and not self.style:
            self.start = self.end


class Alias:
    """``*name`` in a value's place."""

    __slots__ = ("end", "line", "name", "start", "to")

    def __init__(self, event: Any, to: Node, shift: int) -> None:
        self.start = event.start_mark.index + shift
        self.end = event.end_mark.index + shift
        self.line = event.start_mark.line + 1
        self.name: str = event.anchor
        self.to = to


class _Holder:
    __slots__ = ("anchor", "end", "flow", "line", "start")
    line: int

    def __init__(self, event: Any, shift: int) -> None:
        self.start = event.start_mark.index + shift
        self.end = event.end_mark.index + shift
        self.line = event.start_mark.line + 1
        self.flow = bool(event.flow_style)
        self.anchor: str | None = event.anchor


class Map(_Holder):
    """A mapping: its keys and values in file order."""

    __slots__ = ("items", "key")

    def __init__(self, event: Any, shift: int) -> None:
        super().__init__(event, shift)
        self.items: list[tuple[Node, Node]] = []
        self.key: Node | None = None  # the one that waits for its value


class List(_Holder):
    """A sequence."""

    __slots__ = ("items",)

    def __init__(self, event: Any, shift: int) -> None:
        super().__init__(event, shift)
        self.items: list[Node] = []


Node: TypeAlias = Scalar | Alias | Map | List


def documents(text: str, loader: Any = LOADER) -> Iterator[Node]:
    """The documents of a text, each with the places of all it holds.

    Parameters
    ----------
    text : str
    loader : class
        One of PyYAML's safe ones.

    Raises
    ------
    YAMLError
        Where the text is none; what came before has been given by then.
    """
    shift = int(text.startswith("\ufeff"))
    text_read = text[shift:]
    if nesting(text_read) > MAX_NESTING:
        raise yaml.YAMLError(f"brackets nested more than {MAX_NESTING} levels deep")
    anchors: dict[str, Node] = {}
    open_: list[Map | List] = []
    event: Any
    node: Node
    for event in _events(text_read, loader):
        kind = type(event)
        if kind is yaml.ScalarEvent:
            node = Scalar(event, text, shift)
        elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
            node = Map(event, shift) if kind is yaml.MappingStartEvent else List(event, shift)
        elif kind is yaml.AliasEvent:
            if event.anchor not in anchors:
                raise yaml.MarkedYAMLError(
                    problem=f"nothing is called *{event.anchor}", problem_mark=event.start_mark
                )
            node = Alias(event, anchors[event.anchor], shift)
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            closed = open_.pop()
            closed.end = event.end_mark.index + shift
            if not open_:
                yield closed
            continue
        else:
            anchors.clear()  # a document begins or ends
            continue
        if not isinstance(node, Alias) and node.anchor:
            anchors[node.anchor] = node
        if open_:
            _put(open_[-1], node)
        elif isinstance(node, Scalar):
            yield node
        if isinstance(node, Map | List):
            open_.append(node)


def _events(text: str, loader: Any) -> Iterator[Any]:
    """As ``yaml.parse``, without asking before each event whether there is one."""
    reading = loader(text)
    try:
        yield from iter(reading.get_event, None)
    finally:
        reading.dispose()


def _put(holder: Map | List, node: Node) -> None:
    if isinstance(holder, List):
        holder.items.append(node)
    elif holder.key is None:
        holder.key = node
    else:
        holder.items.append((holder.key, node))
        holder.key = None


def nesting(text: str) -> int:
    """How deep brackets are nested, those in quotes and comments counted too."""
    depth = deepest = 0
    for match in re.finditer(r"[\[{\]}]", text):
        if match[0] in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif depth:
            depth -= 1
    return deepest


def is_merge(key: Scalar) -> bool:
    """Whether a key is ``<<``."""
    return key.text == "<<" and key.style is None and key.tag is None


def resolved(node: Node) -> Node:
    """What an alias stands for."""
    return node.to if isinstance(node, Alias) else node


def sources(node: Node) -> list[Map]:
    """The mappings behind ``<<:``; of several, the first wins."""
    node = resolved(node)
    if isinstance(node, Map):
        return [node]
    if isinstance(node, List):
        return [m for m in map(resolved, node.items) if isinstance(m, Map)]
    return []
