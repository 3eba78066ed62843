"""Which folders of rules are read, and what the caller changes of the book."""

from __future__ import annotations

import difflib
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from gandoctor import rulebook
from gandoctor.errors import UsageError
from gandoctor.model.rules import SEVERITIES

if TYPE_CHECKING:
    from gandoctor.api.wishes import Options
    from gandoctor.model.rules import Rulebook, Severity


def rule_folders(options: Options) -> list[Path]:
    """Our own rules first, then those that installed packages add, then the user's."""
    for folder in options.rules:
        origin = options.origin(f"rules.{folder}", "")
        where = f"{origin} ({folder.name})" if origin else str(folder)
        if not folder.is_dir():
            raise UsageError(
                "there is no such rules folder", where, "give a folder laid out like rules/"
            )
        if not (any(rulebook.files(folder)) or (folder / "vocabulary").is_dir()):
            raise UsageError(
                "holds no rules",
                where,
                "a rules folder is laid out as symptoms/x.yaml, risks/x.yaml",
            )
    return [rulebook.default_folder(), *_packaged_rules(), *options.rules]


def _packaged_rules() -> list[Path]:
    """The ``rules`` folders of packages that entry points of the group ``gandoctor.rules`` name."""
    # importlib.metadata parses every installed package; most installations have no such entry
    # point.
    if not any(_declares(Path(p), b"gandoctor.rules") for p in sys.path):
        return []
    from importlib.metadata import entry_points
    from importlib.util import find_spec

    folders: list[Path] = []
    for point in entry_points(group="gandoctor.rules"):
        spec = find_spec(point.value.partition(":")[0])
        homes = [Path(h) for h in spec.submodule_search_locations or ()] if spec else []
        folder = next((h / "rules" for h in homes if (h / "rules").is_dir()), None)
        if folder is None:
            raise UsageError(
                "names no package with a rules folder",
                f"entry point {point.name}",
                "name the package itself",
            )
        folders.append(folder)
    return folders


def _declares(folder: Path, group: bytes) -> bool:
    """Whether a package installed in a folder declares entry points of a group."""
    try:
        files = [
            Path(e.path, "entry_points.txt")
            for e in os.scandir(folder)
            if e.name.endswith((".dist-info", ".egg-info"))
        ]
        return any(group in f.read_bytes() for f in files if f.is_file())
    except OSError:
        return False


def customised(book: Rulebook, options: Options) -> Rulebook:
    """The book with the rules that were selected, at the severities that were asked for."""
    known = {*book.by_id, *(m.id for m in book.measures)}
    for key, word, ids in (
        ("ignore", "ignore", options.ignore),
        ("select", "select", options.select),
        ("severity", "give a severity", options.severity),
    ):
        for i in ids:
            if i not in known:
                near = difflib.get_close_matches(i, known, 1)
                hint = (
                    f"did you mean {near[0]!r}?"
                    if near
                    else "'gandoctor rules list' names them all"
                )
                raise UsageError(
                    f"there is no rule {i!r} to {word}",
                    options.origin(f"{key}.{i}", f"--{key}"),
                    hint,
                )
    for i, severity in options.severity.items():
        if severity not in SEVERITIES:
            raise UsageError(
                f"unknown severity {severity!r}", f"severity.{i}", f"one of {', '.join(SEVERITIES)}"
            )
    if not (options.select or options.severity):
        return book
    rules = tuple(
        replace(r, severity=cast("Severity", options.severity.get(r.id, r.severity)))
        for r in book.rules
        if not options.select or r.id in options.select
    )
    return replace(
        book,
        rules=rules,
        by_id={r.id: r for r in rules},
        measures=tuple(m for m in book.measures if not options.select or m.id in options.select),
        weights=replace(
            book.weights,
            rules={i: w for i, w in book.weights.rules.items() if i not in options.severity},
        ),
    )
