"""Edits of YAML files: comments, anchors, quotes and line ends are left as they are.

Nothing is ever dumped again: a round trip through a YAML library changed 7 to 28 lines in each of
five realistic files.
"""

from __future__ import annotations

import functools
import re
from dataclasses import field
from typing import TYPE_CHECKING, Final

import yaml

from gandoctor.configs.entries import MAX_SETTINGS, Spot
from gandoctor.configs.formats.yaml import Walk, stuck, walked
from gandoctor.configs.splice import (
    Spliced,
    SpliceError,
    Target,
    UndecidedError,
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
from gandoctor.configs.yaml_tree import (
    MAX_NESTING,
    Alias,
    List,
    Map,
    Node,
    Scalar,
    documents,
    nesting,
    resolved,
)
from gandoctor.patterns import late_pattern
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gandoctor.configs.entries import Path
    from gandoctor.configs.formats.yaml import Way


@functools.lru_cache(maxsize=8)  # several remedies ask about the same file; nobody changes a tree
def _documents(text: str) -> list[Node]:
    try:
        return list(documents(text))
    except yaml.YAMLError as e:
        raise SpliceError(f"it is no valid YAML ({_short(e)})") from e
    except (RecursionError, ValueError) as e:
        raise SpliceError(f"it is no usable YAML ({e})") from e


@functools.lru_cache(maxsize=8)
def _walks(text: str) -> list[Walk]:
    walks = [walked(d) for d in _documents(text)]
    for walk in walks:
        if walk.is_full:
            raise SpliceError(f"the file holds more than {MAX_SETTINGS} values")
        if walk.lost:
            raise SpliceError(walk.lost[0])
    return walks


def _short(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    said = getattr(error, "problem", None) or str(error) or "not readable"
    return f"line {mark.line + 1}: {said}" if mark else str(said)


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
    if nesting(text) > MAX_NESTING:
        raise SpliceError(f"the file is nested more than {MAX_NESTING} levels deep")
    try:
        documents = list(yaml.load_all(text, Loader=_Reader))
    except yaml.YAMLError as e:
        raise SpliceError(f"it is no valid YAML ({_short(e)})") from e
    except (RecursionError, ValueError, TypeError, OverflowError) as e:
        raise SpliceError(f"it is no usable YAML ({e})") from e
    return documents[0] if len(documents) == 1 else documents


# ---------------------------------------------------------------- writing

_SAFE_WORD: Final = late_pattern(r"[A-Za-z_][\w.\-/]*")


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
    walk: Walk
    ways: dict[Path, Way]
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
    works = [_Work(text, walk, walk.scalars()) for walk in _walks(text)]
    asked: list[tuple[_Work, Way, Target]] = []
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


def _refuse_hidden(work: _Work, way: Way, target: Target) -> None:
    """A mapping that merges this value's block and has its own in its place may be what is read."""
    if target.sense is None or not way.direct:
        return
    for node, path in work.walk.hidden:
        theirs = work.ways.get(path)
        if (
            theirs
            and theirs.scalar is way.scalar
            and resolved(node) is not way.scalar
            and not theirs.direct
        ):
            # PyYAML 6.0.4 takes the last of several blocks, its other versions and OmegaConf the
            # first.
            raise UndecidedError(
                f"several blocks that are merged give `{'.'.join(path)}`, and readers differ in "
                "which"
            )
        if not node.start <= way.scalar.start <= node.end:
            continue
        for other in work.ways:
            same = other[: len(path)] == path and other[-1:] == way.path[-1:]
            if same and other != way.path and target.sense(".".join(other)) == "same":
                raise UndecidedError(
                    f"`{'.'.join(other)}` stands for `{'.'.join(way.path)}` where its block is "
                    "merged, and nothing "
                    "tells which of the two is read"
                )


def _staying(ways: Sequence[Way], targets: dict[Path, Target]) -> list[Way]:
    """Of the keys that reach a scalar about to change, those that are to keep the old value."""
    out: list[Way] = []
    for way in ways:
        asked = next((t for p, t in targets.items() if t.sense and p[-1:] == way.path[-1:]), None)
        sense = asked.sense(".".join(way.path)) if asked and asked.sense else "other"
        if not sense and asked:
            raise UndecidedError(
                f"`{'.'.join(way.path)}` takes its value from the block of `{asked.key}`, and "
                "nothing tells which of "
                "the two is read"
            )
        out += [way] if sense == "other" else []
    return out


def _located(works: Sequence[_Work], target: Target) -> tuple[_Work, Way, str]:
    """The document and the way that a target means, and its key in the file as a whole."""
    aim = Target(target.beside or target.key, None, target.line)
    found: list[tuple[Spot, int]] = []
    for i, work in enumerate(works):
        for way in work.walk.found.values():
            spot = Spot(way.path, None, way.line, 0, 0, stuck(way.node))
            found.append((spot, i))
            if len(works) > 1:  # a reader that numbers the documents
                found.append((spot._replace(path=(str(i), *way.path)), i))
    spot = find([s for s, _ in found], aim)
    index = next(i for s, i in found if s is spot)
    path = spot.path if spot.path in works[index].ways else spot.path[1:]
    full = ".".join(path)
    if target.beside:
        full = ".".join((*path[:-1], target.key.rpartition(".")[2]))
    return works[index], works[index].ways[path], f"{index}.{full}" if len(works) > 1 else full


def _change(work: _Work, scalar: Scalar, targets: dict[Path, Target]) -> None:
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


def _old(text: str, scalar: Scalar) -> str:
    if scalar.style in ("|", ">"):
        raise SpliceError("the value is a block of text")
    old = text[scalar.start : scalar.end]
    if "\n" in old:
        raise SpliceError("the value spans several lines")
    return old


def _spaced(text: str, scalar: Scalar, new: str) -> str:
    """`new`, with a blank before it where the old value was empty (``key:``)."""
    empty = scalar.start == scalar.end
    return (
        " " + new if empty and text[scalar.start - 1 : scalar.start] not in (" ", "\t", "") else new
    )


def _keep_others(work: _Work, scalar: Scalar, others: Sequence[Way], old: str) -> None:
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


def _override(work: _Work, way: Way, new: str) -> None:
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


def _merge_item(mapping: Map) -> tuple[Node, Node]:
    return next((k, v) for k, v in mapping.items if isinstance(k, Scalar) and k.text == "<<")


def _insert(work: _Work, mapping: Map, after: tuple[Node, Node], name: str, new: str) -> None:
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


def _add_beside(work: _Work, way: Way, target: Target) -> None:
    """A new key behind its sibling, in the sibling's own mapping."""
    if not (way.direct or way.alias):
        raise SpliceError(f"`{'.'.join(way.path)}` comes out of a block that several keys share")
    for mapping, key, value in _items(work, way):
        new = literal("", target.value)
        _insert(work, mapping, (key, value), target.key.rpartition(".")[2], new)
        work.edits.append((target.key, "", new))
        return
    raise SpliceError(f"`{target.beside}` stands in no mapping")


def _items(work: _Work, way: Way) -> Iterator[tuple[Map, Node, Node]]:
    leaf: Node = way.alias or way.scalar
    for document in _documents(work.text):
        stack: list[Node] = [document]
        while stack:
            node = stack.pop()
            if isinstance(node, Map):
                for key, value in node.items:
                    if isinstance(value, Scalar | Alias) and (value.start, value.end) == (
                        leaf.start,
                        leaf.end,
                    ):
                        yield node, key, value
                    stack.append(value)
            elif isinstance(node, List):
                stack += node.items
