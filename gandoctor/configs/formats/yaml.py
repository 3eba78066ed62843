"""YAML as PyYAML's safe loader gives it, with the place of every value, building no object.

Events are read and values are resolved, but nothing is constructed: tags (``!!python/tuple``,
``!!python/object/apply:os.system``) are read as what they wrap. ``5e-5`` is a string in YAML 1.1,
and stays one. An edit has to know every way in which a key reaches its value, so aliases and merges
are followed and remembered.
"""

from __future__ import annotations

import functools
import itertools
import re
from typing import TYPE_CHECKING, Final, NamedTuple

import yaml

from gandoctor.configs.entries import LIST, MAX_DEPTH, MAX_ITEMS, MAX_SETTINGS, Entries, FullError
from gandoctor.configs.yaml_tree import (
    LOADER,
    Alias,
    List,
    Map,
    Node,
    Scalar,
    documents,
    is_merge,
    resolved,
    sources,
)
from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gandoctor.configs.entries import Path
    from gandoctor.configs.splice import Spliced, Target

SUFFIXES: Final = (".yaml", ".yml")
_CORE: Final = "tag:yaml.org,2002:"
_PYTHON: Final = "tag:yaml.org,2002:python/"
_LOADER = LOADER
# About a second's work each; 5,000 settings are seldom longer than the smaller one.
_MOST_BY_C: Final = 512 << 10
_MOST_BY_PYTHON: Final = 128 << 10
_TOP_KEY: Final = late_pattern(r"^(?:[^\s#\-\[\]{},][^\n:]{0,200}:(?=\s)|---(?=\s))", re.MULTILINE)
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
        for document in documents(text, _LOADER):
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
        return self if self is _ALONE else _Shared(self.behind, self.into, self.depth + by)


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
        inner = shared.deeper()
        for i, (name, (_, value)) in enumerate(zip(names, node.items, strict=True)):
            if not isinstance(name, Scalar):
                continue
            if is_merge(name):
                into = _Shared(into=node, depth=1) if shared is _ALONE else inner
                for source in sources(value):
                    self._merge(source, path, taken, into)
            elif last.get(name.text, i) == i:  # of equal keys the last one counts
                self._node(value, (*path, name.text), inner)

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
