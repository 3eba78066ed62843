"""One reader of plain data: YAML or JSON in, typed values out, and what is wrong as ``file:key``.

`read_yaml` gives the plain data of a file, bounded in size and depth; a `Page` reads typed values
from a mapping and collects every fault of it, so that all of them are said at once.
"""

from __future__ import annotations

import functools
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from gandoctor import rule_cache
from gandoctor.errors import RuleError, near

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

MAX_BYTES: Final = 1 << 20
MAX_DEPTH: Final = 20
MAX_EVENTS: Final = 100_000
_T = TypeVar("_T")


@functools.cache
def default_folder() -> Path:
    """Folder of the rules that come with gandoctor.

    Inside the wheel, or at the root of the source tree.

    Raises
    ------
    RuleError
        The installation has lost it.
    """
    here = Path(__file__).resolve().parent
    for folder in (here / "rules", here.parent / "rules"):
        if (folder / "vocabulary").is_dir():
            return folder
    raise RuleError("the rules are missing from this installation", hint="install gandoctor again")


def read_yaml(path: Path, where: str) -> Any:
    """Read a YAML file as plain data: no anchors, no repeated keys, bounded in size and depth.

    Raises
    ------
    RuleError
        Where it cannot be read, does not parse or breaks a bound.
    """
    try:
        raw = path.read_bytes() if path.stat().st_size <= MAX_BYTES else None
    except OSError as e:
        raise RuleError(f"cannot be read: {e.strerror}", where) from None
    if raw is None:
        raise RuleError("is larger than a megabyte", where, "a rule is a page of text")
    ours = str(path).startswith(f"{default_folder()}{os.sep}")
    data = rule_cache.known(raw) if ours else rule_cache.MISSING
    if data is rule_cache.MISSING:
        data = _parsed(raw, where, trusted=ours)
        if ours:
            rule_cache.learn(raw, data)
    return data


def _parsed(raw: bytes, where: str, *, trusted: bool) -> Any:
    import yaml

    try:
        text = raw.decode("utf-8-sig")
        if not trusted:  # ours are to be trusted as the code beside them is
            _bounded(text, yaml, where)
        return yaml.load(text, Loader=_loader())  # noqa: S506 - a SafeLoader, made stricter
    except yaml.YAMLError as e:
        mark = getattr(e, "problem_mark", None)
        line = f":{mark.line + 1}" if mark is not None else ""
        problem = getattr(e, "problem", None) or "not valid"
        if (
            "nesting" in problem
        ):  # libyaml's own bound, which newer releases of PyYAML meet before ours
            raise RuleError("is nested too deep or too long", f"{where}{line}") from None
        hint = (
            "quote texts that hold : , { } or #"
            if "expected" in problem or "not allowed" in problem
            else ""
        )
        raise RuleError(f"does not parse as YAML: {problem}", f"{where}{line}", hint) from None
    except RecursionError:
        raise RuleError("is nested too deep or too long", where) from None
    except (UnicodeDecodeError, ValueError):
        raise RuleError("does not parse as YAML", where, "it has to be UTF-8 text") from None


def _bounded(text: str, yaml: Any, where: str) -> None:
    """Refuse what would blow up later.

    References to other parts (the billion laughs), depth, size.
    """
    depth = 0
    for count, event in enumerate(
        yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    ):
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise RuleError(
                "uses an anchor or alias", f"{where}:{event.start_mark.line + 1}", "write it out"
            )
        if isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            depth += 1
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            depth -= 1
        if depth > MAX_DEPTH or count > MAX_EVENTS:
            raise RuleError(
                "is nested too deep or too long", f"{where}:{event.start_mark.line + 1}"
            )


@functools.cache
def _loader() -> Any:
    """A safe loader (in C where there is one) that refuses a key written twice."""
    import yaml

    base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

    def mapping(loader: Any, node: Any) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            name = str(key.value)
            if name in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key `{name}` stands twice", key.start_mark
                )
            seen.add(name)
        made: dict[Any, Any] = loader.construct_mapping(node, deep=True)
        return made

    strict = type("StrictLoader", (base,), {})
    strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)  # type: ignore[attr-defined]
    return strict


class Page:
    """One mapping of a file: reads typed values by key and collects what is wrong with them.

    A value that is wrong is replaced by one of its kind, so that reading goes on; whoever made the
    page looks at `faults` in the end.

    Parameters
    ----------
    data : Mapping
    where : str
        The file as errors name it, or ``file:key`` of a mapping inside it.
    faults : list of RuleError
        Those of all pages of one reading; what is wrong is added to it.
    """

    def __init__(self, data: Mapping[str, Any], where: str, faults: list[RuleError]) -> None:
        self.data = data
        self.where = where
        self.faults = faults

    def spot(self, key: str) -> str:
        """Where a key stands: ``file:key``, ``file:outer.key``; the page itself for no key."""
        if not key:
            return self.where
        return f"{self.where}{'.' if ':' in self.where else ':'}{key}"

    def fault(self, key: str, what: str, hint: str = "") -> None:
        """Add a fault at a key, or at the page as a whole (an empty key)."""
        self.faults.append(RuleError(what, self.spot(key), hint))

    def at(self, key: str, data: Mapping[str, Any]) -> Page:
        """A mapping below this one, with the same list of faults."""
        return Page(data, self.spot(key), self.faults)

    def only(self, keys: Sequence[str]) -> None:
        """Every key that is none of these is a fault, with the nearest of them as a hint."""
        for key in self.data:
            if str(key) in keys:
                continue
            if self.data[key] is None and " " in str(key):
                self.fault(
                    "",
                    f"`{key!s:.60}` reads as a key",
                    "quote the text: inside braces a comma ends it",
                )
            else:
                hint = near(str(key), tuple(keys)) or one_of(keys)
                self.fault(str(key), f"the key `{key}` means nothing here", hint)

    def text(self, key: str, *, need: bool = False, default: str = "") -> str:
        """A text, or a number or flag as one."""
        value = self.data.get(key)
        if value is None or value == "":
            if need:
                self.fault(key, "is missing")
            return default
        if isinstance(value, dict | list):
            self.fault(key, "must be text")
            return default
        return str(value).strip()

    def choice(self, key: str, allowed: Sequence[_T], default: _T | None = None) -> _T:
        """One of some values; the first of them where it is none."""
        value = self.data.get(key, default)
        if value in allowed:
            return allowed[allowed.index(value)]
        names = tuple(str(a) for a in allowed)
        if value is None:
            self.fault(key, "is missing", one_of(names))
        else:
            self.fault(
                key, f"`{value}` is none of its values", near(str(value), names) or one_of(names)
            )
        return allowed[0]

    def number(self, key: str, default: float | None = None, *, low: float = -math.inf) -> float:
        """A finite number, `low` at least; 0 where it is none."""
        value = self.data.get(key, default)
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not low <= value < math.inf
            or value == -math.inf
        ):
            hint = "write a number with a point: 1.0e-4" if isinstance(value, str) else ""
            what = (
                "is missing"
                if value is None
                else f"`{value}` is no number" + (" that it may be" if not hint else "")
            )
            self.fault(key, what, hint)
            return 0.0
        return float(value)

    def items(self, key: str) -> list[Page]:
        """A list of mappings."""
        value = self.data.get(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self.fault(key, "must be a list", "begin each entry with `- `")
            return []
        pages = []
        for i, entry in enumerate(value):
            if isinstance(entry, dict):
                pages.append(self.at(f"{key}[{i}]", entry))
            else:
                self.fault(f"{key}[{i}]", f"`{entry!s:.40}` is no mapping")
        return pages

    def mapping(self, key: str, *, need: bool = False) -> dict[str, Any]:
        """A mapping below a key, its keys as text; empty where there is none."""
        value = self.data.get(key)
        if value is None or value == {}:
            if need:
                self.fault(key, "is missing")
            return {}
        if not isinstance(value, dict):
            self.fault(key, "must be a mapping", "write `name: ...`")
            return {}
        return {str(k): v for k, v in value.items()}

    def entries(self, key: str) -> Iterator[tuple[str, Page]]:
        """The mappings below a key, by their names."""
        outer = self.at(key, self.mapping(key))
        for name in outer.data:
            yield name, outer.at(name, outer.mapping(name, need=True))

    def names(self, key: str, known: Iterable[str] | None, called: str = "") -> tuple[str, ...]:
        """A list of names, or a single one; where `known` is given, each has to be one of it."""
        value = self.data.get(key)
        if value is None:
            return ()
        listed = value if isinstance(value, list) else [value]
        for name in listed:
            if isinstance(name, dict | list):
                self.fault(key, "must be a list of names")
                return ()
            if known is not None and str(name) not in known:
                self.fault(key, f"no {called} is called `{name}`", near(str(name), known))
        return tuple(str(n) for n in listed)


def one_of(names: Iterable[str]) -> str:
    """``one of a, b, c``, for a hint."""
    return f"one of {', '.join(names)}"
