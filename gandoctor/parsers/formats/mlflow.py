"""MLflow's stores, without the mlflow package: its SQLite database, and its folders of text files.

A database is only read, by plain queries of three tables; of a folder of one run
(``mlruns/EXPERIMENT/RUN``) ``meta.yaml`` is the file that stands for all of it.
"""

from __future__ import annotations

import math
import re
from array import array
from contextlib import closing, suppress
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

import numpy as np

from gandoctor.errors import GandoctorError, InputError
from gandoctor.files.below import head_of, walk
from gandoctor.files.reading import load_text
from gandoctor.model.signals import Reading, Setting
from gandoctor.parsers.rows.names import Roll
from gandoctor.parsers.rows.steps import Remarks, untangle
from gandoctor.patterns import late_pattern
from gandoctor.values import dataclass

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Set

    from numpy.typing import NDArray

NAME: Final = "mlflow"

_MAGIC: Final = b"SQLite format 3\x00"
_DATABASE: Final = late_pattern(r"(?i)(mlflow|mlruns)[\w.-]*")
_META: Final = "meta.yaml"
_MAX_RUNS: Final = 2_000
_MAX_POINTS: Final = 5_000_000
_MAX_PARAMS: Final = 20_000
_MAX_BYTES: Final = 1 << 28  # of all metrics of a folder
_MAX_VALUE: Final = 1 << 20  # bytes of one value in a database
_STEPS: Final = 400_000_000  # of the database's machine: a query of a sound one takes far fewer
_STRIDE: Final = 100_000  # of them between two looks
_LARGEST: Final = 1.7976931348623157e308  # what MLflow keeps of an infinity
# What meta.yaml and the table say of how a run ended.
_ENDS: Final = {"1": "RUNNING", "2": "SCHEDULED", "3": "FINISHED", "4": "FAILED", "5": "KILLED"}


def sniff(path: Path, head: bytes) -> float:
    """How surely this is MLflow's: a database of its name, or a run's ``meta.yaml``."""
    if head.startswith(_MAGIC):
        return 1.0 if _DATABASE.fullmatch(path.name) else 0.3
    if path.name == _META and b"artifact_uri:" in head and re.search(rb"(?m)^run_(uu)?id:", head):
        return 1.0
    return 0.0


def read(path: Path) -> Reading:
    """Read the store of one run, or of a database the run with most values.

    Raises
    ------
    InputError
        No file of MLflow's, or nothing in it can be read.
    """
    found = [reading for _, reading in read_runs(path)]
    return max(found, key=lambda r: sum(len(s) for s in r.signals))


def read_runs(path: Path) -> list[tuple[str, Reading]]:
    """As `read`, for each run of a database: its name and what was logged.

    Values and steps are as they were logged, in the order of the rows. NaN is what MLflow marks as
    such, and an infinity what it keeps as the largest number.
    """
    if path.name == _META and not head_of(path, 16).startswith(_MAGIC):
        return [("", _of_folder(path))]
    runs = _of_database(path)
    names = [run.name for run in runs]
    readings = []
    for run in runs:
        name = run.name if names.count(run.name) == 1 and run.name else f"{run.name} {run.id[:8]}"
        readings.append((name.strip() if len(runs) > 1 else "", run.reading()))
    return readings


@dataclass(slots=True)
class _Column:
    """The points of one metric, in the order of their rows."""

    steps: array[int] = field(default_factory=lambda: array("q"))
    walls: array[float] = field(default_factory=lambda: array("d"))
    values: array[float] = field(default_factory=lambda: array("d"))


@dataclass(slots=True, eq=False)
class _Run:
    """What was found of one run."""

    id: str
    name: str = ""
    status: str = ""
    columns: dict[str, _Column] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    roll: Roll = field(default_factory=Roll)
    bad: int = 0
    lost: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def take(self, key: str, point: tuple[Any, Any, Any, Any]) -> None:
        """One point: step, milliseconds, value, whether it is no number."""
        if key.startswith("system/"):
            return  # how busy the machine was
        column = self.columns.get(key)
        if column is None:
            if not self.roll.takes(key):
                return
            column = self.columns[key] = _Column()
        step, wall, value, is_nan = point
        try:
            number = math.nan if is_nan else float(value)
            column.steps.append(int(step))
        except (TypeError, ValueError, OverflowError):
            self.bad += 1
            return
        column.values.append(number)
        column.walls.append(wall / 1000 if isinstance(wall, int | float) else math.nan)

    def reading(self) -> Reading:
        remarks = Remarks()
        signals = []
        for key, column in self.columns.items():
            steps = np.frombuffer(column.steps, dtype=np.int64)
            walls = np.frombuffer(column.walls, dtype=np.float64)
            values = np.frombuffer(column.values, dtype=np.float64)
            values = np.where(np.abs(values) >= _LARGEST, np.copysign(np.inf, values), values)
            signals += untangle(key, steps, walls, values, remarks)
        lost = [*self.lost, *self.roll.lost()]
        if self.bad:
            lost.append(f"{self.bad:,} row(s) that are no step and value")
        ended = {"FAILED": "failed", "KILLED": "was killed", "RUNNING": "has not ended"}
        if self.status in ended:
            self.notes.append(f"MLflow says that the run {ended[self.status]}")
        return Reading(
            signals=tuple(signals),
            settings=_settings(self.params),
            lost="; ".join(lost) or None,
            notes=(*self.notes, *remarks.lines()),
            finished=self.status == "FINISHED" if self.status else None,
        )


def _settings(params: dict[str, str]) -> tuple[Setting, ...]:
    from gandoctor.configs.entries import Entries, FullError, flatten, word

    entries = Entries()
    with suppress(FullError):
        for key, value in params.items():
            flatten(entries, (key,), word(value), 0)
    return tuple(Setting("", spot.value, spot.key) for spot in entries.found.values())


# ------------------------------------------------------------------------------------- the database


def _of_database(path: Path) -> list[_Run]:
    import sqlite3

    # Nothing is written beside it, and nothing in it may call more than SQLite's own functions.
    where = f"file:{quote(str(path.resolve()))}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(where, uri=True)) as base:
            base.text_factory = lambda raw: raw.decode("utf-8", "replace")
            base.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_VALUE)
            base.execute("PRAGMA trusted_schema = OFF")
            _bound(base)
            tables = _tables_of(base)
            if not {"metrics", "runs"} <= tables:
                raise InputError(
                    "is an SQLite database without MLflow's tables, which cannot be read",
                    path.name,
                    "export its metrics as CSV",
                )
            runs = _rows_of(base, tables)
    except (sqlite3.Error, UnicodeError) as e:  # of a damaged schema the message is no text
        raise InputError(
            f"is an SQLite database that cannot be read ({e})", path.name, "copy it again"
        ) from None
    found = [run for run in runs.values() if run.columns]
    if not found:
        raise InputError(
            "is MLflow's database and holds no metrics", path.name, "log the losses as metrics"
        )
    beside = path.with_name(f"{path.name}-wal")
    if beside.exists() and beside.stat().st_size:
        for run in found:
            run.notes.append(f"what MLflow has not yet moved from {beside.name} was not read")
    return found


def _bound(base: sqlite3.Connection) -> None:
    """Give up what takes far more work than any query of a sound database."""
    left = [_STEPS // _STRIDE]

    def tired() -> bool:
        left[0] -= 1
        return left[0] < 0

    base.set_progress_handler(tired, _STRIDE)


def _tables_of(base: sqlite3.Connection) -> set[str]:
    """The names of its tables; views and virtual tables are none."""
    query = "SELECT name, sql FROM sqlite_master WHERE type = 'table'"
    found = base.execute(query).fetchmany(1_000)
    return {str(n).lower() for n, sql in found if re.match(r"(?i)CREATE\s+TABLE\b", str(sql))}


def _rows_of(base: sqlite3.Connection, tables: Set[str]) -> dict[str, _Run]:
    import sqlite3

    runs: dict[str, _Run] = {}
    lost = ""
    try:
        query = "SELECT run_uuid, name, status, lifecycle_stage FROM runs ORDER BY start_time"
        for uuid, name, status, stage in base.execute(query).fetchmany(_MAX_RUNS):
            if stage != "deleted":
                runs[str(uuid)] = _Run(str(uuid), str(name or "")[:200], str(status or ""))
        query = "SELECT run_uuid, key, step, timestamp, value, is_nan FROM metrics ORDER BY rowid"
        for count, (uuid, key, *point) in enumerate(base.execute(query)):
            if count >= _MAX_POINTS:
                lost = f"all but the first {_MAX_POINTS:,} values of the database"
                break
            if uuid in runs:
                runs[uuid].take(str(key), (point[0], point[1], point[2], point[3]))
        query = "SELECT run_uuid, key, value FROM params"
        params = base.execute(query).fetchmany(_MAX_PARAMS) if "params" in tables else []
        for uuid, key, value in params:
            if uuid in runs:
                runs[uuid].params[str(key)] = str(value)
    except (sqlite3.Error, UnicodeError) as e:
        if not any(run.columns for run in runs.values()):
            raise
        lost = f"what follows a damaged place ({e})"
    for run in runs.values():
        run.lost += [lost] if lost else []
    return runs


# --------------------------------------------------------------------------------------- the folder


def _of_folder(path: Path) -> Reading:
    text, _ = load_text(path)
    said: dict[str, str] = dict(re.findall(r"(?m)^(\w+):[ \t]*(.*?)[ \t]*$", text))
    status = said.get("status", "")
    run = _Run("", said.get("run_name", "")[:200], _ENDS.get(status, status))
    if run.name:
        run.notes.append(f"MLflow calls this run {run.name}")
    room = _MAX_BYTES
    for name, file in _below(path.parent / "metrics"):
        room -= file.stat().st_size
        if room < 0:
            run.lost.append(f"metrics beyond the first {_MAX_BYTES >> 20} MiB, from {name} on")
            break
        try:
            content, gone = load_text(file)
        except GandoctorError:
            continue  # empty, or no text: there is no value in it
        run.lost += [f"{name}: {x}" for x in gone]
        if not name.startswith("system/") and run.roll.takes(name):
            run.columns[name] = _column(content, run)
    for name, file in _below(path.parent / "params"):
        with suppress(GandoctorError):
            run.params[name] = head_of(file).decode("utf-8", "replace").strip()
    if not run.columns:
        raise InputError(
            "is of an MLflow run that logged no metrics", path.name, "log the losses as metrics"
        )
    return run.reading()


def _below(folder: Path) -> list[tuple[str, Path]]:
    """Files below a folder that is no link, by the name of what they hold."""
    if folder.is_symlink() or not folder.is_dir():
        return []
    return sorted((f.relative_to(folder).as_posix(), f) for f in walk(folder).files)


def _column(text: str, run: _Run) -> _Column:
    """Lines of milliseconds, value and step; old ones have no step."""
    lines = text.splitlines()
    words = text.split()
    column = _Column()
    table: NDArray[np.float64] | None = None
    if len(words) == 3 * len(lines):
        with suppress(ValueError):
            table = np.array(words, dtype=np.float64).reshape(-1, 3)
    if table is None:
        rows = [_row(line, at) for at, line in enumerate(lines) if line.strip()]
        run.bad += sum(row is None for row in rows)
        table = np.array([row for row in rows if row is not None]).reshape(-1, 3)
    steps = np.where(np.isfinite(table[:, 2]) & (np.abs(table[:, 2]) < 2**62), table[:, 2], 0)
    column.steps.frombytes(steps.astype(np.int64).tobytes())
    column.values.frombytes(table[:, 1].tobytes())
    column.walls.frombytes((table[:, 0] / 1000).tobytes())
    return column


def _row(line: str, at: int) -> tuple[float, float, float] | None:
    words = line.split()
    try:
        wall, value = float(words[0]), float(words[1])
        return wall, value, float(words[2]) if len(words) > 2 else float(at)
    except (IndexError, ValueError):
        return None
