"""YAML as PyYAML's safe loader gives it, with the place of every value, building no object.

Events are read and values are resolved, but nothing is constructed: tags (``!!python/tuple``,
``!!python/object/apply:os.system``) are read as what they wrap. ``5e-5`` is a string in YAML 1.1,
and stays one. An alias is known as the alias it is, which PyYAML's own nodes forget: an edit has to
know every way in which a key reaches its value.
"""

from __future__ import annotations

import functools
import itertools
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

import yaml

from gandoctor.configs.entries import LIST, MAX_DEPTH, MAX_ITEMS, MAX_SETTINGS, Entries, FullError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gandoctor.configs.entries import Path
    from gandoctor.configs.splice import Spliced, Target

SUFFIXES: Final = (".yaml", ".yml")
_CORE: Final = "tag:yaml.org,2002:"
_PYTHON: Final = "tag:yaml.org,2002:python/"
# Brackets deeper than this are nobody's config, and cost PyYAML minutes.
MAX_NESTING: Final = 100
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# About a second's work each; 5,000 settings are seldom longer than the smaller one.
_MOST_BY_C: Final = 512 << 10
_MOST_BY_PYTHON: Final = 128 << 10
_TOP_KEY: Final = re.compile(r"^(?:[^\s#\-\[\]{},][^\n:]{0,200}:(?=\s)|---(?=\s))", re.MULTILINE)
_PROPERTIES: Final = re.compile(r"(?:[&!]\S*[ \t]*)+")
_RESOLVERS: Final = yaml.SafeLoader.yaml_implicit_resolvers
_SCALARS: Final = yaml.constructor.SafeConstructor()
_SHARED_ABOVE: Final = "comes out of a block that several keys share"
_IN_ITSELF: Final = "nested too deep, or in itself"


def scan(text: str) -> Entries:
    """Values of all documents; a later document's key replaces an earlier one's.

    What follows a fault is lost, and `Entries.lost` names its line.
    """
    entries = Entries()
    most = _MOST_BY_PYTHON if _LOADER is yaml.SafeLoader else _MOST_BY_C
    if len(text) > most:
        text, dropped = _shortened(text, most)
        entries.stop(
            f"{dropped:,} characters: a config that long holds data, and its long entries are left "
            "out"
        )
    try:
        for document in documents(text):
            walk = walked(document)
            shared = {id(way.node) for way in walk.found.values() if way.nested}
            for way in walk.found.values():
                _add(entries, way, is_shared=id(way.node) in shared)
            entries.lost += walk.lost
            if walk.is_full:
                raise FullError
    except yaml.MarkedYAMLError as e:
        mark = e.problem_mark or e.context_mark
        line = f"line {mark.line + 1}: " if mark else ""
        entries.stop(f"{line}{' '.join(str(e.problem or e.context or 'not YAML').split())}")
    except (yaml.YAMLError, RecursionError, ValueError) as e:
        entries.stop(" ".join(str(e).split())[:200] or "not YAML")
    except FullError:
        entries.full()
    return entries


def splice(text: str, targets: Sequence[Target]) -> Spliced:
    """Put new values in place of the old ones.

    A value that an anchor shares with other keys is changed for the asked keys alone, and for those
    that mean the same.

    Raises
    ------
    SpliceError
        If a key is not there, or if anything else would change.
    """
    from gandoctor.configs import yaml_edits

    return yaml_edits.splice(text, targets)


def read(text: str) -> object:
    """What ``yaml.safe_load`` makes of the text; a list of documents where there are several.

    Raises
    ------
    SpliceError
        If it is no YAML.
    """
    from gandoctor.configs import yaml_edits

    return yaml_edits.read(text)


def _add(entries: Entries, way: Way, *, is_shared: bool) -> None:
    """One way as a spot."""
    node = way.node
    if not way.path:
        return
    if not isinstance(node, Scalar):
        items = [_value(resolved(i)) for i in _items(node)[: MAX_ITEMS + 1]]
        entries.add(way.path, items, node.line, (node.start, node.end), stuck(node))
        return
    place = way.alias or node
    entries.add(
        way.path,
        value_of(node),
        node.line,
        (place.start, place.end),
        _SHARED_ABOVE if is_shared else stuck(node),
    )


def stuck(node: Scalar | List | Map) -> str:
    """Why a value cannot be edited, whatever key reaches it; empty where it can."""
    if not isinstance(node, Scalar):
        return LIST
    if node.style in ("|", ">"):
        return "is a block of text"
    if node.tag and node.tag.startswith(_PYTHON):
        return "is a Python object by its tag"
    return ""


def _items(node: List | Map) -> list[Node]:
    return node.items if isinstance(node, List) else []


def _value(node: Node) -> object:
    return value_of(node) if isinstance(node, Scalar) else None


def _shortened(text: str, most: int) -> tuple[str, int]:
    """The first entries of the outermost level that fit, without long ones.

    Every line keeps its number.
    """
    starts = [0, *(m.start() for m in _TOP_KEY.finditer(text) if m.start()), len(text)]
    parts: list[str] = []
    room = most
    for start, stop in itertools.pairwise(starts):
        if stop - start <= min(room, most // 4):
            parts.append(text[start:stop])
            room -= stop - start
        else:
            parts.append("\n" * text.count("\n", start, stop))
    return "".join(parts), len(text) - (most - room)


# ---------------------------------------------------------------- values


def value_of(scalar: Scalar) -> object:
    """A scalar as PyYAML's safe loader takes it; its text, where a tag is not one of YAML's own."""
    tag, text = scalar.tag, scalar.text
    if tag is None:
        return text if scalar.style else _plain_value(text)
    if tag.startswith(_PYTHON) and not text:
        return tag.removeprefix(_PYTHON).partition(":")[2]  # !!python/name:torch.optim.Adam ''
    return _constructed(tag, text)


@functools.lru_cache(maxsize=4096)
def _plain_value(text: str) -> object:
    # what `yaml.resolver` does, without a node for each
    resolvers = _RESOLVERS.get(text[:1], ()) if text else _RESOLVERS.get("", ())
    for tag, pattern in (*resolvers, *_RESOLVERS.get(None, ())):
        if pattern.match(text):
            return _constructed(tag, text)
    return text


def _constructed(tag: str, text: str) -> object:
    make = {"int": "int", "float": "float", "bool": "bool", "null": "null"}.get(
        tag.removeprefix(_CORE)
    )
    if make is None:
        return text
    try:
        return getattr(_SCALARS, f"construct_yaml_{make}")(yaml.ScalarNode(tag, text))
    except (ValueError, KeyError, IndexError, OverflowError):
        return text  # `!!float abc`


# ---------------------------------------------------------------- the text as a tree with positions


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


def documents(text: str) -> Iterator[Node]:
    """The documents of a text, each with the places of all it holds.

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
    for event in yaml.parse(text_read, Loader=_LOADER):
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


# ---------------------------------------------------------------- every way to a value


class Way(NamedTuple):
    """How one key reaches its value.

    Directly, through an alias of its own, or out of a shared mapping. `node` is a scalar, or a
    whole list of scalars, or an empty mapping.
    """

    path: Path
    node: Scalar | List | Map
    alias: Alias | None = None  # the value itself is `*name`
    merged_into: Map | None = None  # the value came in by `<<:` of this mapping
    behind: Alias | None = None  # the mapping that holds the value is `*name`
    nested: bool = False  # shared higher up: no single line can tell the two apart

    @property
    def scalar(self) -> Scalar:
        """The value of a key that has a single one."""
        assert isinstance(self.node, Scalar)  # noqa: S101  see `Walk.scalars`
        return self.node

    @property
    def line(self) -> int:
        """1-based line of the value, or of the alias in its place."""
        place: Alias | Scalar | List | Map = self.alias or self.node
        return place.line

    @property
    def direct(self) -> bool:
        """Whether the value stands under the key itself."""
        return not (self.alias or self.merged_into or self.behind or self.nested)


class _Shared(NamedTuple):
    """How the mapping that is being walked is shared with another key."""

    behind: Alias | None = None
    into: Map | None = None
    depth: int = 0  # levels below the point where the sharing begins

    def deeper(self, by: int = 1) -> _Shared:
        return _Shared(self.behind, self.into, self.depth + by) if self != _ALONE else self


_ALONE: Final = _Shared()


class Walk:
    """Key path -> way; the last of equal keys wins, own keys win over merged ones.

    Aliases are followed, so the number of visits is bounded, and loops are cut.
    """

    def __init__(self) -> None:
        self.found: dict[Path, Way] = {}
        self.hidden: list[
            tuple[Node, Path]
        ] = []  # what a mapping would merge, and the key that hides it there
        self.lost: list[str] = []
        self.is_full = False
        self.above: set[int] = set()
        self.visits = 0

    def scalars(self) -> dict[Path, Way]:
        """The ways to single values."""
        return {p: w for p, w in self.found.items() if isinstance(w.node, Scalar)}

    def run(self, root: Node) -> None:
        """Go through a document.

        Raises
        ------
        FullError
            Where it holds more than anyone writes; what was found by then is kept.
        """
        self._node(root, (), _ALONE)

    def _visit(self) -> None:
        self.visits += 1  # merges of merges are visits without a single value
        if self.visits > 4 * MAX_SETTINGS or len(self.found) > MAX_SETTINGS:
            raise FullError

    def _leaf(
        self, path: Path, node: Scalar | List | Map, alias: Alias | None, shared: _Shared
    ) -> None:
        if shared is _ALONE:
            self.found[path] = Way(path, node, alias)
        else:
            self.found[path] = Way(path, node, None, shared.into, shared.behind, shared.depth > 1)

    def _node(self, node: Node, path: Path, shared: _Shared) -> None:
        self._visit()
        if isinstance(node, Scalar):
            self._leaf(path, node, None, shared)
        elif isinstance(node, Alias):
            if isinstance(node.to, Scalar):
                self._leaf(path, node.to, node, shared)
            else:
                self._node(node.to, path, _Shared(behind=node) if shared is _ALONE else shared)
        elif id(node) in self.above or len(path) > MAX_DEPTH:
            self.lost.append(f"{'.'.join(path[:3])}...: {_IN_ITSELF}")
        else:
            self.above.add(id(node))
            if isinstance(node, List):
                self._sequence(node, path, shared)
            else:
                self._mapping(node, path, shared)
            self.above.discard(id(node))

    def _sequence(self, node: List, path: Path, shared: _Shared) -> None:
        if all(isinstance(resolved(i), Scalar) for i in node.items):
            self._leaf(path, node, None, shared)
        inner = shared.deeper(2)  # a list item cannot be overridden alone
        for i, item in enumerate(node.items[:MAX_ITEMS]):
            self._node(item, (*path, str(i)), inner)

    def _mapping(self, node: Map, path: Path, shared: _Shared) -> None:
        if not node.items:
            self._leaf(path, node, None, shared)
        names = [resolved(k) for k, _ in node.items]
        last = {k.text: i for i, k in enumerate(names) if isinstance(k, Scalar)}
        taken = set(last)
        for i, (name, (_, value)) in enumerate(zip(names, node.items, strict=True)):
            if not isinstance(name, Scalar):
                continue
            if is_merge(name):
                into = shared.deeper() if shared is not _ALONE else _Shared(into=node, depth=1)
                for source in sources(value):
                    self._merge(source, path, taken, into)
            elif last.get(name.text, i) == i:  # of equal keys the last one counts
                self._node(value, (*path, name.text), shared.deeper())

    def _merge(self, source: Map, path: Path, taken: set[str], shared: _Shared) -> None:
        """What `<<` brings in beside the keys that are `taken`."""
        self._visit()
        if id(source) in self.above:
            self.lost.append(f"{'.'.join(path[:3])}...: {_IN_ITSELF}")
            return
        self.above.add(id(source))
        mine: set[str] = set()
        inner: list[Map] = []
        for key, value in source.items:
            self._visit()
            name = resolved(key)
            if not isinstance(name, Scalar):
                continue
            if is_merge(name):
                inner += sources(value)
            elif name.text in taken:
                self.hidden.append((value, (*path, name.text)))
            else:
                mine.add(name.text)
                self._node(value, (*path, name.text), shared)
        taken |= mine
        for further in inner:
            self._merge(further, path, taken, shared)
        self.above.discard(id(source))


def walked(root: Node) -> Walk:
    """Every way of one document."""
    walk = Walk()
    try:
        walk.run(root)
    except FullError:
        walk.is_full = True
    return walk


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
