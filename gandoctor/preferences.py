"""What a project asks of gandoctor: ``gandoctor.toml`` or ``[tool.gandoctor]`` in ``pyproject.toml``."""

from __future__ import annotations

import difflib
import tomllib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from gandoctor.errors import UsageError
from gandoctor.model.signals import FAMILIES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

FILE: Final = "gandoctor.toml"
KEYS: Final = ("map", "loss", "ignore", "select", "severity", "fail-on", "rules")
MAX_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Preferences:
    """Attributes follow the keys of ``gandoctor.toml``.

    Attributes
    ----------
    map : Mapping of str to str
        Role to tag, as ``--map``.
    loss : str or None
        Loss family, as ``--loss``.
    ignore : Mapping of str to str
        Rule id to the reason why it is ignored.
    select : tuple of str
        Rule ids to ask, as ``--select``; empty for all.
    severity : Mapping of str to str
        Rule id to the severity it has in this project.
    fail_on : str or None
        As ``--fail-on``.
    rules : tuple of str
        Folders with more rules, as ``--rules``.
    """

    map: Mapping[str, str] = field(default_factory=dict)
    loss: str | None = None
    ignore: Mapping[str, str] = field(default_factory=dict)
    select: tuple[str, ...] = ()
    severity: Mapping[str, str] = field(default_factory=dict)
    fail_on: str | None = None
    rules: tuple[str, ...] = ()


def load(*folders: Path) -> Preferences:
    """Read the preferences of each folder; the later folder's word counts where two speak.

    Raises
    ------
    UsageError
        A file that does not parse, or an entry that means nothing.
    """
    merged = Preferences()
    for folder in dict.fromkeys(f.resolve() for f in folders):
        for path, table in (
            (folder / "pyproject.toml", ("tool", "gandoctor")),
            (folder / FILE, ()),
        ):
            data = _table(path, table)
            if data:
                merged = _joined(merged, _read(data, path.name), folder)
    return merged


def _table(path: Path, keys: tuple[str, ...]) -> dict[str, Any]:
    try:
        if not path.is_file() or path.stat().st_size > MAX_BYTES:
            return {}
    except OSError:  # a folder that may not be entered: the reader of the logs says so
        return {}
    try:
        data: Any = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as e:
        raise UsageError(f"cannot be read ({e.strerror})", path.name, "check the file's permissions") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        if keys:  # somebody else's file: its faults are not ours to report
            return {}
        raise UsageError(f"does not parse as TOML ({e})", path.name, "mend it or take it away") from None
    for key in keys:
        data = data.get(key, {}) if isinstance(data, dict) else {}
    return data if isinstance(data, dict) else {}


def _read(data: dict[str, Any], where: str) -> Preferences:
    for key in data:
        if key not in KEYS:
            near = difflib.get_close_matches(key, KEYS, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"known keys are {', '.join(KEYS)}"
            raise UsageError(f"unknown key {key!r}", where, hint)
    ignore: dict[str, str] = {}
    entries = data.get("ignore", [])
    if not isinstance(entries, list):
        raise UsageError("'ignore' is not a list", f"{where}:ignore", 'write ignore = [{rule = "...", reason = "..."}]')
    for k, entry in enumerate(entries):
        if not (isinstance(entry, dict) and isinstance(entry.get("rule"), str) and entry.get("reason")):
            raise UsageError(
                "an entry needs a rule and a reason",
                f"{where}:ignore[{k}]",
                '{rule = "...", reason = "why it is wrong here"}',
            )
        ignore[entry["rule"]] = str(entry["reason"])
    for key in ("loss", "fail-on"):
        if not isinstance(data.get(key, ""), str):
            raise UsageError(f"{key!r} is not a word", f"{where}:{key}", "write it in quotes")
    if data.get("loss", FAMILIES[0]) not in FAMILIES:
        raise UsageError(f"unknown loss family {data['loss']!r}", f"{where}:loss", f"one of {', '.join(FAMILIES)}")
    return Preferences(
        map=_words(data, "map", where, 'd_loss = "Loss/critic"'),
        loss=data.get("loss"),
        ignore=ignore,
        select=_list(data, "select", where, '["nan-in-loss"]'),
        severity=_words(data, "severity", where, 'd-wins-late = "medium"'),
        fail_on=data.get("fail-on"),
        rules=_list(data, "rules", where, '["my-rules"]'),
    )


def _words(data: dict[str, Any], key: str, where: str, example: str) -> dict[str, str]:
    table = data.get(key, {})
    if not (isinstance(table, dict) and all(isinstance(v, str) for v in table.values())):
        raise UsageError(f"{key!r} is not a table of words", f"{where}:{key}", f"write {example}")
    return table


def _list(data: dict[str, Any], key: str, where: str, example: str) -> tuple[str, ...]:
    values = data.get(key, [])
    values = [values] if isinstance(values, str) else values
    if not (isinstance(values, list) and all(isinstance(v, str) for v in values)):
        raise UsageError(f"{key!r} is not a list of words", f"{where}:{key}", f"write {key} = {example}")
    return tuple(values)


def _joined(a: Preferences, b: Preferences, folder: Path) -> Preferences:
    return Preferences(
        map={**a.map, **b.map},
        loss=b.loss or a.loss,
        ignore={**a.ignore, **b.ignore},
        select=b.select or a.select,
        severity={**a.severity, **b.severity},
        fail_on=b.fail_on or a.fail_on,
        rules=(*a.rules, *(str(folder / r) for r in b.rules)),
    )
