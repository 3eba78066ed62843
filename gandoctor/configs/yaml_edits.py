"""YAML: PyYAML's events tell where each scalar stands.

Comments, anchors, quotes and line ends are left as they are.

Nothing is ever dumped again: a round trip through a YAML library changed 7 to 28 lines in each of
five realistic files.
"""

from __future__ import annotations

import functools
import re
from dataclasses import field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import yaml

from gandoctor.configs.splice import (
    MAX_LEAVES,
    Path,
    Spliced,
    SpliceError,
    Spot,
    Target,
    Value,
    changed,
    find,
    flag_text,
    leaves,
    number_text,
    prove,
    reads_as,
    replaced,
)
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_DEPTH: Final = 100
_PROPERTIES: Final = re.compile(r"(?:[&!]\S*[ \t]*)+")


# ---------------------------------------------------------------- the text as a tree with positions


@dataclass(slots=True, eq=False)
class _Scalar:
    start: int  # of the value itself, behind anchor and tag
    end: int
    line: int
    text: str
    style: str | None
    tag: str | None
    anchor: str | None
    outer: int  # start with anchor and tag


@dataclass(slots=True, eq=False)
class _Alias:
    start: int
    end: int
    line: int
    name: str
    to: _Node


@dataclass(slots=True, eq=False)
class _Map:
    start: int
    end: int
    flow: bool
    anchor: str | None
    items: list[tuple[_Node, _Node]] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class _List:
    start: int
    end: int
    flow: bool
    anchor: str | None
    items: list[_Node] = field(default_factory=list)


_Node: TypeAlias = _Scalar | _Alias | _Map | _List


@functools.lru_cache(maxsize=8)  # several remedies ask about the same file; nobody changes a tree
def _documents(text: str) -> list[_Node]:
    _refuse_towers(text)
    try:
        return list(_build(list(yaml.parse(text, Loader=yaml.SafeLoader)), text))
    except yaml.YAMLError as e:
        raise SpliceError(f"it is no valid YAML ({_short(e)})") from e
    except RecursionError as e:
        raise SpliceError("the file is nested too deeply") from e


def _refuse_towers(text: str) -> None:
    """Brackets without end take PyYAML minutes; nobody's config is that deep."""
    depth = 0
    for match in re.finditer(r"[\[{]|[\]}]", text):
        depth += 1 if match[0] in "[{" else -(depth > 0)
        if depth > _DEPTH:
            raise SpliceError(f"the file is nested more than {_DEPTH} levels deep")


def _short(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    said = getattr(error, "problem", None) or "not readable"
    return f"line {mark.line + 1}: {said}" if mark else str(said)


def _build(events: Sequence[Any], text: str) -> Iterator[_Node]:
    """Documents out of PyYAML's events. Marks hold character positions in `text`."""
    anchors: dict[str, _Node] = {}
    at = 0

    def node(depth: int) -> _Node:
        nonlocal at
        if depth > _DEPTH:
            raise SpliceError(f"the file is nested more than {_DEPTH} levels deep")
        e = events[at]
        at += 1
        start, end, line = e.start_mark.index, e.end_mark.index, e.start_mark.line + 1
        if isinstance(e, yaml.AliasEvent):
            if e.anchor not in anchors:
                raise SpliceError(
                    f"it is no valid YAML (line {line}: nothing is called *{e.anchor})"
                )
            return _Alias(start, end, line, e.anchor, anchors[e.anchor])
        if isinstance(e, yaml.ScalarEvent):
            inner = start
            if e.anchor or e.tag:  # the value itself begins behind them
                match = _PROPERTIES.match(text, start, end)
                inner = match.end() if match else start
            if not e.value and not e.style:
                inner = end
            scalar = _Scalar(inner, end, line, e.value, e.style, e.tag, e.anchor, start)
            if e.anchor:
                anchors[e.anchor] = scalar
            return scalar
        if isinstance(e, yaml.SequenceStartEvent):
            seq = _List(start, end, bool(e.flow_style), e.anchor)
            if e.anchor:
                anchors[e.anchor] = seq
            while not isinstance(events[at], yaml.SequenceEndEvent):
                seq.items.append(node(depth + 1))
            seq.end = events[at].end_mark.index
            at += 1
            return seq
        mapping = _Map(start, end, bool(e.flow_style), e.anchor)
        if e.anchor:
            anchors[e.anchor] = mapping
        while not isinstance(events[at], yaml.MappingEndEvent):
            key = node(depth + 1)
            mapping.items.append((key, node(depth + 1)))
        mapping.end = events[at].end_mark.index
        at += 1
        return mapping

    while at < len(events):
        if isinstance(events[at], yaml.DocumentStartEvent):
            anchors.clear()
            at += 1
            yield node(0)
        else:
            at += 1


# ---------------------------------------------------------------- every way a key can reach a
# scalar


@dataclass(frozen=True, slots=True)
class _Way:
    """How one key reaches its scalar.

    Directly, through an alias of its own, or out of a shared mapping.
    """

    path: Path
    scalar: _Scalar
    alias: _Alias | None = None  # the leaf itself is `*name`
    merged_into: _Map | None = None  # the leaf came in by `<<:` of this mapping
    behind: _Alias | None = None  # the mapping that holds the leaf is `*name`
    nested: bool = False  # shared higher up: no single line can tell the two apart

    @property
    def line(self) -> int:
        return (self.alias or self.scalar).line

    @property
    def direct(self) -> bool:
        return not (self.alias or self.merged_into or self.behind or self.nested)


@dataclass(frozen=True, slots=True)
class _Shared:
    """How the mapping that is being walked is shared with another key."""

    behind: _Alias | None = None
    into: _Map | None = None
    depth: int = 0  # levels below the point where the sharing begins

    def __bool__(self) -> bool:
        return self.behind is not None or self.into is not None

    def deeper(self, by: int = 1) -> _Shared:
        return _Shared(self.behind, self.into, self.depth + by) if self else self


class _Walk:
    """Key path -> way; the last of equal keys wins, own keys win over merged ones."""

    def __init__(self) -> None:
        self.ways: dict[Path, _Way] = {}
        self.hidden: list[
            tuple[_Node, Path]
        ] = []  # what a mapping would merge, and the key that hides it there
        self.visits = 0

    def leaf(self, path: Path, scalar: _Scalar, alias: _Alias | None, shared: _Shared) -> None:
        own = None if shared else alias
        self.ways[path] = _Way(
            path, scalar, own, shared.into, shared.behind, bool(shared) and shared.depth > 1
        )

    def visit(self) -> None:
        self.visits += 1  # merges of merges are visits without a single value
        if self.visits > 2 * MAX_LEAVES:
            raise SpliceError(f"the file holds more than {MAX_LEAVES} values")

    def node(self, node: _Node, path: Path, shared: _Shared) -> None:
        self.visit()
        if len(path) > _DEPTH:
            raise SpliceError(f"the file is nested more than {_DEPTH} levels deep")
        if isinstance(node, _Alias):
            if isinstance(node.to, _Scalar):
                self.leaf(path, node.to, node, shared)
            else:
                self.node(node.to, path, shared or _Shared(behind=node))
        elif isinstance(node, _Scalar):
            self.leaf(path, node, None, shared)
        elif isinstance(node, _List):
            for i, item in enumerate(node.items):
                # A list item cannot be overridden alone.
                self.node(item, (*path, str(i)), shared.deeper(2))
        else:
            self.mapping(node, path, shared)

    def mapping(self, node: _Map, path: Path, shared: _Shared) -> None:
        own = {k.text for k, _ in node.items if isinstance(k, _Scalar)}
        seen: set[str] = set()
        for key, value in node.items:
            name = _resolved(key)
            if not isinstance(name, _Scalar):
                continue
            if _is_merge(name):
                for source in _sources(value):
                    self.merge(source, path, own, shared.deeper() or _Shared(into=node, depth=1))
                continue
            inner = (*path, name.text)
            if name.text in seen:
                for old in [p for p in self.ways if p[: len(inner)] == inner]:
                    del self.ways[old]
            seen.add(name.text)
            self.node(value, inner, shared.deeper())

    def merge(self, source: _Map, path: Path, own: set[str], shared: _Shared) -> None:
        self.visit()
        mine = {k.text for k, _ in source.items if isinstance(k, _Scalar)}
        for key, value in source.items:
            name = _resolved(key)
            if not isinstance(name, _Scalar):
                continue
            if _is_merge(name):
                for inner in _sources(value):
                    self.merge(inner, path, own | mine, shared)
            elif name.text in own or (*path, name.text) in self.ways:
                self.hidden.append((value, (*path, name.text)))
            else:
                self.node(value, (*path, name.text), shared)


def _ways(root: _Node) -> dict[Path, _Way]:
    return _walked(root).ways


def _walked(root: _Node) -> _Walk:
    walk = _Walk()
    try:
        walk.node(root, (), _Shared())
    except RecursionError as e:
        raise SpliceError("a part of the file contains itself") from e
    return walk


def _is_merge(key: _Scalar) -> bool:
    return key.text == "<<" and key.style is None


def _resolved(node: _Node) -> _Node:
    return node.to if isinstance(node, _Alias) else node


def _sources(node: _Node) -> list[_Map]:
    """The mappings behind ``<<:``; of several, the first wins."""
    node = _resolved(node)
    if isinstance(node, _Map):
        return [node]
    return (
        [m for m in map(_resolved, node.items) if isinstance(m, _Map)]
        if isinstance(node, _List)
        else []
    )


# ---------------------------------------------------------------- reading


class _Reader(yaml.SafeLoader):
    """PyYAML's safe loader; a tag it does not know (``!ref``) gives plain data and runs nothing."""


def _plain(loader: yaml.SafeLoader, _suffix: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)  # type: ignore[arg-type]


_Reader.add_multi_constructor("!", _plain)
_Reader.add_multi_constructor("tag:", _plain)


@functools.lru_cache(maxsize=8)
def read(text: str) -> object:
    """What ``yaml.safe_load`` makes of the text; a list of documents where there are several.

    Raises
    ------
    SpliceError
        If it is no YAML.
    """
    _refuse_towers(text)
    try:
        documents = list(yaml.load_all(text, Loader=_Reader))
    except yaml.YAMLError as e:
        raise SpliceError(f"it is no valid YAML ({_short(e)})") from e
    except (RecursionError, ValueError, TypeError, OverflowError) as e:
        raise SpliceError(f"it is no usable YAML ({e})") from e
    return documents[0] if len(documents) == 1 else documents


def spots(text: str) -> list[Spot]:
    """Every scalar under every key that reaches it, in file order."""
    return [
        Spot(w.path, (w.alias or w.scalar).start, (w.alias or w.scalar).end, w.line, w.scalar.text)
        for doc in _documents(text)
        for w in _ways(doc).values()
    ]


# ---------------------------------------------------------------- writing

_SAFE_WORD: Final = re.compile(r"[A-Za-z_][\w.\-/]*")


def literal(old: str, new: Value) -> str:
    """`new` as YAML in the notation of `old`.

    A float always carries a point, quotes stay round words.
    """
    if isinstance(new, bool):
        return flag_text(old, new)
    if new is None:
        return "null"
    if isinstance(new, int | float):
        return number_text(old.strip("\"'"), new, dotted=True)
    if old[:1] in ("'", '"'):
        return _quoted(new, old[0])
    safe = _SAFE_WORD.fullmatch(new) and isinstance(read(new), str)
    return new if safe else _quoted(new, "'")


def _quoted(word: str, quote: str) -> str:
    if quote == '"':
        return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return "'" + word.replace("'", "''") + "'"


@dataclass(slots=True)
class _Work:
    """One document's pending changes."""

    text: str
    ways: dict[Path, _Way]
    hidden: list[tuple[_Node, Path]] = field(default_factory=list)
    pieces: list[tuple[int, int, str]] = field(default_factory=list)
    edits: list[tuple[str, str, str]] = field(default_factory=list)


def splice(text: str, targets: Sequence[Target]) -> Spliced:
    """Put new values in place of the old ones.

    A value that an anchor shares with other keys is changed for the asked keys alone, and for those
    that mean the same: who reads ``train`` is to see what is changed in the block that ``train``
    merges.

    Raises
    ------
    SpliceError
        If a key is not there, or if anything else would change.
    """
    before = read(text)
    walks = [_walked(d) for d in _documents(text)]
    works = [_Work(text, walk.ways, walk.hidden) for walk in walks]
    asked: list[tuple[_Work, _Way, Target]] = []
    wanted: dict[str, Value] = {}
    for target in targets:
        work, way, full = _located(works, target)
        wanted[full] = target.value
        if target.beside:
            _add_beside(work, way, target)
        else:
            _refuse_hidden(work, way, target)
            asked.append((work, way, target))
    done: set[int] = set()
    for work, way, _ in asked:
        if id(way.scalar) not in done:
            done.add(id(way.scalar))
            _change(
                work,
                way.scalar,
                {w.path: t for o, w, t in asked if o is work and w.scalar is way.scalar},
            )
    after = replaced(text, [p for w in works for p in w.pieces])
    edits = {e[0]: e for w in works for e in w.edits}
    was, is_now = leaves(before), leaves(read(after))
    also: list[tuple[str, str, str]] = []
    for key, new in changed(was, is_now).items():
        like = next((t for t in targets if key not in wanted and _follows(key, new, t)), None)
        if like is not None:
            also.append((key, *edits[like.key][1:]))
            wanted[key] = like.value
    prove(was, is_now, wanted)
    return Spliced(after, tuple(edits[t.key] for t in targets), tuple(also))


def _follows(key: str, new: object, target: Target) -> bool:
    """Whether a key that changed too means what the target means, and is now the same."""
    if (
        target.sense is None
        or target.beside
        or key.rpartition(".")[2] != target.key.rpartition(".")[2]
    ):
        return False
    return reads_as(new, target.value) and target.sense(key) == "same"


def _refuse_hidden(work: _Work, way: _Way, target: Target) -> None:
    """A mapping that merges this value's block and has its own in its place may be what is read."""
    if target.sense is None or not way.direct:
        return
    for node, path in work.hidden:
        theirs = work.ways.get(path)
        if (
            theirs
            and theirs.scalar is way.scalar
            and _resolved(node) is not way.scalar
            and not theirs.direct
        ):
            # PyYAML 6.0.4 takes the last of several blocks, its other versions and OmegaConf the
            # first.
            raise SpliceError(
                f"several blocks that are merged give `{'.'.join(path)}`, and readers differ in "
                "which"
            )
        if not node.start <= way.scalar.start <= node.end:
            continue
        for other in work.ways:
            same = other[: len(path)] == path and other[-1:] == way.path[-1:]
            if same and other != way.path and target.sense(".".join(other)) == "same":
                raise SpliceError(
                    f"`{'.'.join(other)}` stands for `{'.'.join(way.path)}` where its block is "
                    "merged, and nothing "
                    "tells which of the two is read"
                )


def _staying(ways: Sequence[_Way], targets: dict[Path, Target]) -> list[_Way]:
    """Of the keys that reach a scalar about to change, those that are to keep the old value."""
    out: list[_Way] = []
    for way in ways:
        asked = next((t for p, t in targets.items() if t.sense and p[-1:] == way.path[-1:]), None)
        sense = asked.sense(".".join(way.path)) if asked and asked.sense else "other"
        if not sense and asked:
            raise SpliceError(
                f"`{'.'.join(way.path)}` takes its value from the block of `{asked.key}`, and "
                "nothing tells which of "
                "the two is read"
            )
        out += [way] if sense == "other" else []
    return out


def _located(works: Sequence[_Work], target: Target) -> tuple[_Work, _Way, str]:
    """The document and the way that a target means, and its key in the file as a whole."""
    aim = Target(target.beside or target.key, None, target.line)
    found: list[tuple[Spot, int]] = []
    for i, work in enumerate(works):
        for way in work.ways.values():
            found.append((Spot(way.path, 0, 0, way.line, None), i))
            if len(works) > 1:  # a reader that numbers the documents
                found.append((Spot((str(i), *way.path), 0, 0, way.line, None), i))
    spot = find([s for s, _ in found], aim)
    index = next(i for s, i in found if s is spot)
    path = spot.path if spot.path in works[index].ways else spot.path[1:]
    full = ".".join(path)
    if target.beside:
        full = ".".join((*path[:-1], target.key.rpartition(".")[2]))
    return works[index], works[index].ways[path], f"{index}.{full}" if len(works) > 1 else full


def _change(work: _Work, scalar: _Scalar, targets: dict[Path, Target]) -> None:
    """Change one scalar for some of the keys that reach it."""
    ways = {p: w for p, w in work.ways.items() if w.scalar is scalar}
    values = {repr(t.value) for t in targets.values()}
    old = _old(work.text, scalar)
    direct = next((w for w in ways.values() if w.direct), None)
    others = [w for p, w in ways.items() if p not in targets]
    if direct and direct.path in targets:  # those that take their value from it may have to follow
        others = _staying(others, targets)
    if not others and len(values) == 1:
        target = next(iter(targets.values()))
        new = literal(old, target.value)
        work.pieces.append((scalar.start, scalar.end, _spaced(work.text, scalar, new)))
        work.edits += [(t.key, old, new) for t in targets.values()]
        return
    if direct and direct.path in targets:
        _keep_others(work, scalar, others, old)
        target = targets[direct.path]
        new = literal(old, target.value)
        work.pieces.append((scalar.outer if scalar.anchor else scalar.start, scalar.end, new))
        work.edits.append((target.key, old, new))
    for path, target in targets.items():
        way = ways[path]
        if not way.direct:
            new = literal(old, target.value)
            _override(work, way, new)
            work.edits.append(
                (target.key, work.text[way.alias.start : way.alias.end] if way.alias else old, new)
            )


def _old(text: str, scalar: _Scalar) -> str:
    if scalar.style in ("|", ">"):
        raise SpliceError("the value is a block of text")
    old = text[scalar.start : scalar.end]
    if "\n" in old:
        raise SpliceError("the value spans several lines")
    return old


def _spaced(text: str, scalar: _Scalar, new: str) -> str:
    """`new`, with a blank before it where the old value was empty (``key:``)."""
    empty = scalar.start == scalar.end
    return (
        " " + new if empty and text[scalar.start - 1 : scalar.start] not in (" ", "\t", "") else new
    )


def _keep_others(work: _Work, scalar: _Scalar, others: Sequence[_Way], old: str) -> None:
    """The anchored value is about to change for one key: the other keys keep the old one."""
    aliases = sorted(
        {w.alias.start: w.alias for w in others if w.alias}.values(), key=lambda a: a.start
    )
    if aliases:  # the anchor moves to the first that still uses it
        first = aliases[0]
        work.pieces.append((first.start, first.end, work.text[scalar.outer : scalar.end]))
    for way in others:
        if not way.alias:
            _override(work, way, old)


def _override(work: _Work, way: _Way, new: str) -> None:
    """Give one key a value of its own."""
    if way.alias:
        work.pieces.append((way.alias.start, way.alias.end, new))
    elif way.nested:
        raise SpliceError(f"`{'.'.join(way.path)}` comes out of a block that several keys share")
    elif way.behind:
        name = way.path[-1]
        work.pieces.append(
            (way.behind.start, way.behind.end, f"{{<<: *{way.behind.name}, {name}: {new}}}")
        )
    elif way.merged_into:
        _insert(work, way.merged_into, _merge_item(way.merged_into), way.path[-1], new)
    else:
        raise SpliceError(f"`{'.'.join(way.path)}` shares its value with other keys")


def _merge_item(mapping: _Map) -> tuple[_Node, _Node]:
    return next((k, v) for k, v in mapping.items if isinstance(k, _Scalar) and k.text == "<<")


def _insert(work: _Work, mapping: _Map, after: tuple[_Node, _Node], name: str, new: str) -> None:
    """A new ``name: new`` behind one item of a mapping, laid out as that item is."""
    key, value = after
    if mapping.flow:
        work.pieces.append((value.end, value.end, f", {name}: {new}"))
        return
    text = work.text
    line_start = text.rfind("\n", 0, key.start) + 1
    indent = text[line_start : key.start]
    if indent.strip():  # the first key of a list item: "- lr: 1"
        indent = re.sub(r"[^\t]", " ", indent)
    stop = text.find("\n", max(key.end, value.end))
    newline = "\r\n" if "\r\n" in text else "\n"
    if stop < 0:
        work.pieces.append((len(text), len(text), f"{newline}{indent}{name}: {new}"))
    else:
        work.pieces.append((stop + 1, stop + 1, f"{indent}{name}: {new}{newline}"))


def _add_beside(work: _Work, way: _Way, target: Target) -> None:
    """A new key behind its sibling, in the sibling's own mapping."""
    if not (way.direct or way.alias):
        raise SpliceError(f"`{'.'.join(way.path)}` comes out of a block that several keys share")
    for mapping, key, value in _items(work, way):
        new = literal("", target.value)
        _insert(work, mapping, (key, value), target.key.rpartition(".")[2], new)
        work.edits.append((target.key, "", new))
        return
    raise SpliceError(f"`{target.beside}` stands in no mapping")


def _items(work: _Work, way: _Way) -> Iterator[tuple[_Map, _Node, _Node]]:
    leaf: _Node = way.alias or way.scalar
    for document in _documents(work.text):
        stack: list[_Node] = [document]
        while stack:
            node = stack.pop()
            if isinstance(node, _Map):
                for key, value in node.items:
                    if isinstance(value, _Scalar | _Alias) and (value.start, value.end) == (
                        leaf.start,
                        leaf.end,
                    ):
                        yield node, key, value
                    stack.append(value)
            elif isinstance(node, _List):
                stack += node.items


def changes(before: str, after: str) -> dict[str, object]:
    """Dotted key -> new value of everything that the usual reader finds changed.

    None where it is gone.

    Raises
    ------
    SpliceError
        If either text cannot be read.
    """
    return changed(leaves(read(before)), leaves(read(after)))
