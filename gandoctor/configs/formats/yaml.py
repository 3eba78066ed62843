"""YAML as PyYAML's safe loader gives it, with the line of every value, building no object.

Only nodes are composed, never constructed: tags (``!!python/tuple``,
``!!python/object/apply:os.system``) are read as what they wrap. ``5e-5`` is a string in YAML 1.1,
and stays one.
"""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Final

import yaml

from gandoctor.configs.entries import MAX_DEPTH, MAX_ITEMS, MAX_SETTINGS, Entries, FullError

if TYPE_CHECKING:
    from gandoctor.configs.entries import Path

SUFFIXES: Final = (".yaml", ".yml")
_MERGE: Final = "tag:yaml.org,2002:merge"
_CORE: Final = "tag:yaml.org,2002:"
_PYTHON: Final = "tag:yaml.org,2002:python/"
# Composing is recursive: brackets deeper than this are nobody's config.
_MAX_NESTING: Final = 200
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# About a second's work each; 5,000 settings are seldom longer than the smaller one.
_MOST_BY_C: Final = 512 << 10
_MOST_BY_PYTHON: Final = 128 << 10
_TOP_KEY: Final = re.compile(r"^(?:[^\s#\-\[\]{},][^\n:]{0,200}:(?=\s)|---(?=\s))", re.MULTILINE)


def parse(text: str) -> Entries:
    """Settings of all documents; a later document's key replaces an earlier one's.

    What follows a fault is lost, and `Entries.lost` names its line.
    """
    entries = Entries()
    most = _MOST_BY_PYTHON if _LOADER is yaml.SafeLoader else _MOST_BY_C
    if len(text) > most:
        text, dropped = _shortened(text, most)
        entries.lost.append(
            f"{dropped:,} characters: a config that long holds data, and its long entries are left "
            "out"
        )
    if _nesting(text) > _MAX_NESTING:
        entries.lost.append(f"brackets nested more than {_MAX_NESTING} deep")
        return entries
    walk = _Walk(entries)
    try:
        for document in yaml.compose_all(text, Loader=_LOADER):
            if document is not None:
                walk.node((), document)
    except yaml.MarkedYAMLError as e:
        mark = e.problem_mark or e.context_mark
        line = f"line {mark.line + 1}: " if mark else ""
        entries.lost.append(f"{line}{' '.join(str(e.problem or e.context or 'not YAML').split())}")
    except (yaml.YAMLError, RecursionError, ValueError) as e:
        entries.lost.append(" ".join(str(e).split())[:200] or "not YAML")
    except FullError:
        entries.lost.append(f"more than {MAX_SETTINGS:,} settings; the rest was not read")
    return entries


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


def _nesting(text: str) -> int:
    depth = deepest = 0
    for c in text:
        if c in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif c in "]}":
            depth = max(0, depth - 1)
    return deepest


class _Walk:
    """From nodes to settings.

    Aliases are followed, so the number of visits is bounded, and loops are cut.
    """

    def __init__(self, entries: Entries) -> None:
        self.entries = entries
        self.scalars = yaml.constructor.SafeConstructor()
        self.above: set[int] = set()
        self.visits = 0

    def node(self, path: Path, node: yaml.Node) -> None:
        self.visits += 1
        if self.visits > 4 * MAX_SETTINGS:
            raise FullError
        if isinstance(node, yaml.ScalarNode):
            if path:
                self.entries.add(path, self.scalar(node), node.start_mark.line + 1)
            return
        if id(node) in self.above or len(path) > MAX_DEPTH:
            self.entries.lost.append(f"{'.'.join(path[:3])}...: nested too deep, or in itself")
            return
        self.above.add(id(node))
        if isinstance(node, yaml.MappingNode):
            self.mapping(path, node)
        elif isinstance(node, yaml.SequenceNode):
            self.sequence(path, node)
        self.above.discard(id(node))

    def mapping(self, path: Path, node: yaml.MappingNode) -> None:
        if not node.value and path:
            self.entries.add(path, (), node.start_mark.line + 1)
        for key, value in self.pairs(node):
            self.node((*path, key), value)

    def pairs(self, node: yaml.MappingNode) -> list[tuple[str, yaml.Node]]:
        """Keys and values, what is merged in (``<<``) first: the mapping's own keys win."""
        merged: list[tuple[str, yaml.Node]] = []
        own: list[tuple[str, yaml.Node]] = []
        for key, value in node.value:
            self.visits += 1
            if self.visits > 4 * MAX_SETTINGS:
                raise FullError
            if key.tag == _MERGE:
                parents = value.value if isinstance(value, yaml.SequenceNode) else [value]
                for parent in reversed(parents):  # the first of several parents wins
                    if isinstance(parent, yaml.MappingNode) and id(parent) not in self.above:
                        self.above.add(id(parent))
                        merged += self.pairs(parent)
                        self.above.discard(id(parent))
            elif isinstance(key, yaml.ScalarNode):
                own.append((key.value, value))
        return merged + own

    def sequence(self, path: Path, node: yaml.SequenceNode) -> None:
        items = node.value
        if path and all(isinstance(i, yaml.ScalarNode) for i in items):
            self.entries.add(
                path, [self.scalar(i) for i in items[: MAX_ITEMS + 1]], node.start_mark.line + 1
            )
        for i, item in enumerate(items[:MAX_ITEMS]):
            self.node((*path, str(i)), item)

    def scalar(self, node: yaml.ScalarNode) -> object:
        tag, value = str(node.tag), str(node.value)
        if tag.startswith(_PYTHON) and not value:
            return tag.removeprefix(_PYTHON).partition(":")[2]  # !!python/name:torch.optim.Adam ''
        make = {"int": "int", "float": "float", "bool": "bool", "null": "null"}.get(
            tag.removeprefix(_CORE)
        )
        if make is None:
            return value
        try:
            return getattr(self.scalars, f"construct_yaml_{make}")(node)
        except (ValueError, KeyError, IndexError, OverflowError):
            return value  # `!!float abc`
