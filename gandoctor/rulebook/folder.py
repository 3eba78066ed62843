"""The files of a rule book: which there are, whose they are, and one of them as a page."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from gandoctor.errors import RuleError
from gandoctor.page import Page, read_yaml
from gandoctor.patterns import late_pattern

ROOMS: Final = ("evidence", "symptoms", "risks", "measures", "causes", "remedies")
TEST_SUFFIX: Final = ".test.yaml"
MAX_FILES: Final = 5000
ID: Final = late_pattern(r"[a-z0-9]+(?:-[a-z0-9]+)*")
# How often rules and causes were right and remedies cured: counted by a benchmark, no page of its
# own.
MEASURED: Final = "measured.yaml"
WEIGHTS: Final = "weights.yaml"


def files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every rule, cause and remedy file of a folder: (room, path), in order.

    Tests and vocabulary left out.

    The room of a file that stands in no room is the empty string.
    """
    found = [("", name) for name in _pages(folder) if name not in (MEASURED, WEIGHTS)]
    found += [(room, name) for room in ROOMS for name in _pages(folder / room)]
    homes = {room: folder / room for room in ("", *ROOMS)}
    for room, name in sorted(found):
        yield room, homes[room] / name


def _below(folder: Path, path: Path) -> str:
    """Where a file of a folder stands in it, with slashes."""
    text, home = str(path), f"{folder}{os.sep}"
    if text.startswith(home):  # `relative_to` takes ten times as long
        return text[len(home) :].replace(os.sep, "/")
    return path.relative_to(folder).as_posix()


def _pages(folder: Path) -> list[str]:
    """Names of the YAML files of a folder that are no tests; none where it cannot be listed."""
    try:
        with os.scandir(folder) as entries:
            return [
                e.name
                for e in entries
                if e.name.endswith((".yaml", ".yml"))
                and not e.name.endswith((TEST_SUFFIX, ".test.yml"))
                and e.is_file()
            ]
    except OSError:
        return []


def paths_of(folder: Path) -> list[Path]:
    """All that a rule book is made of."""
    paths = [p for _, p in files(folder)] + sorted((folder / "vocabulary").glob("*.yaml"))
    return paths + [p for p in (folder / MEASURED, folder / WEIGHTS) if p.is_file()]


def digest_of(folders: Sequence[Path]) -> str:
    """Twelve hexadecimal digits that name this very state of rules and vocabulary."""
    state = hashlib.sha256()
    for folder in folders:
        for path in paths_of(folder):
            state.update(_below(folder, path).encode() + b"\0" + path.read_bytes() + b"\0")
    return state.hexdigest()[:12]


class FilePage(Page):
    """A rule file: a page with the name, the room and the place of its file.

    Attributes
    ----------
    id : str
        The file's name, without its suffix.
    room : str
        One of `ROOMS`; empty where nothing tells.
    file : str
        Its path below the folder of rules.
    """

    def __init__(  # noqa: PLR0917 - a page's three, and a file's three
        self,
        data: Mapping[str, Any],
        where: str,
        faults: list[RuleError],
        id_: str,
        room: str,
        file: str,
    ) -> None:
        super().__init__(data, where, faults)
        self.id = id_
        self.room = room
        self.file = file


def pages_of(
    folders: Sequence[Path], faults: list[RuleError], rooms: Sequence[str]
) -> Iterator[FilePage]:
    """The files of some rooms, each as a page; what cannot be read is a fault."""
    count = 0
    for folder in folders:
        for room, path in files(folder):
            if room not in rooms:
                continue
            count += 1
            if count > MAX_FILES:
                faults.append(RuleError(f"there are more than {MAX_FILES} rule files", folder.name))
                return
            page = _page(folder, room, path, faults)
            if page is not None:
                yield page


def written_in(folders: Sequence[Path], name: str, faults: list[RuleError]) -> Iterator[Page]:
    """The file of some name that a benchmark writes, of each folder that has it."""
    for folder in folders:
        path, where = folder / name, f"{folder.name}/{name}"
        if not path.is_file():
            continue
        try:
            data = read_yaml(path, where)
        except RuleError as e:
            faults.append(e)
            continue
        if isinstance(data, dict):
            yield Page(data, where, faults)
        else:
            faults.append(RuleError("is no mapping", where, "it is written by a benchmark"))


def _page(folder: Path, room: str, path: Path, faults: list[RuleError]) -> FilePage | None:
    file = _below(folder, path)
    where = f"{folder.name}/{file}"
    try:
        data = read_yaml(path, where)
    except RuleError as e:
        faults.append(e)
        return None
    if not isinstance(data, dict):
        faults.append(RuleError("is no mapping", where, "a rule begins with `id: ...`"))
        return None
    page = FilePage(data, where, faults, path.stem, room or _room_of(data), file)
    if not page.room:
        page.fault(
            "kind",
            "nothing tells what this is",
            "`kind: symptom` or `kind: risk`; a cause has `explains`, a remedy `treats`",
        )
    if not ID.fullmatch(path.stem):
        page.fault(
            "",
            f"`{path.name}` is no name for a rule",
            "write it in small letters, digits and single dashes",
        )
    if data.get("id") != path.stem:
        page.fault("id", f"`{data.get('id')}` is not the file's name", f"write `id: {path.stem}`")
    return page


def _room_of(data: Mapping[str, Any]) -> str:
    if data.get("kind") in ("symptom", "risk"):
        return f"{data['kind']}s"
    telling = {"explains": "causes", "treats": "remedies", "curve": "measures", "where": "evidence"}
    return next((room for key, room in telling.items() if key in data), "")


def once_each(pages: Sequence[FilePage]) -> None:
    """Two files of one name are a fault.

    Not so of evidence: a later folder's goes before an earlier one's.
    """
    seen: dict[str, FilePage] = {}
    for page in pages:
        first = seen.setdefault(page.id, page)
        if first is not page and not page.room == first.room == "evidence":
            page.fault("id", f"`{page.id}` is taken by {first.where}", "ids are never reused")
