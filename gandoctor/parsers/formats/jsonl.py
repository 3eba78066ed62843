"""JSON logs: an object a line, lists of records (Chainer, Hugging Face), lists by name."""

from __future__ import annotations

import json
import math
import re
from array import array
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from gandoctor.errors import InputError
from gandoctor.files.reading import LONGEST_TAG, load_text, text_of_head
from gandoctor.model.signals import Reading, Signal
from gandoctor.parsers.rows.axis import unroll
from gandoctor.parsers.rows.cells import number
from gandoctor.parsers.rows.column import Column
from gandoctor.parsers.rows.names import has_counter, tells_of_training
from gandoctor.parsers.rows.steps import LARGEST
from gandoctor.parsers.rows.table import assemble, assemble_runs
from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from gandoctor.model.signals import StepUnit

NAME: Final = "jsonl"
_MOST_KEYS: Final = 5_000
_MOST_LIST: Final = 16  # items of a list that become series of their own
_DEEPEST: Final = 8
# Of one level: a longer one would be written again before each of its members.
_LONGEST_KEY: Final = LONGEST_TAG + 1
_LONGEST_WORD: Final = 64
_MOST_WORDS: Final = 50  # columns of words
_STATISTICS: Final = frozenset({"num", "mean", "std"})
_SNAPSHOT: Final = late_pattern(r"(\d{3,})(?=\.pkl|\.pt|$)")
# Where tools keep their list of records, and what is beside the point.
_RECORDS: Final = (
    "log_history",
    "history",
    "logs",
    "log",
    "records",
    "metrics",
    "epochs",
    "steps",
    "results",
    "data",
)


def sniff(path: Path, head: bytes) -> float:
    """How sure we are that this is a JSON log; `head` is the first 64 KiB."""
    text = text_of_head(head).lstrip("\ufeff \t\r\n")
    if text[:1] not in ("{", "["):
        return 0.0
    name = path.name.lower()
    if name.endswith(".ipynb"):
        return 0.0
    rows = list(_first_rows(text))
    keys = list(dict.fromkeys(k for row in rows for k in _flat(row)))
    if rows and (text[0] == "[" or len(rows) > 1):
        if any(_is_metric_file(row) for row in rows):
            return 0.95
        return 0.9 if has_counter(keys) or tells_of_training(keys) else 0.0
    if text[0] == "[":
        return (
            0.7
            if re.match(
                r"\[\s*\[\s*[-\d.eE+]+\s*,\s*[-\d.eE+]+\s*,\s*[-\d.eE+NaInfity]+\s*\]", text
            )
            else 0.0
        )
    if rows and _is_metric_file(rows[0]):
        return 0.95
    if re.search(r'"log_history"\s*:\s*\[', text):
        return 0.95
    # One object: a log only where names lead to lists of numbers or of records; a config has none.
    lists = re.findall(r'"([^"\\]{1,200})"\s*:\s*\[\s*(?:[-\d]|NaN|Infinity|null|\{)', text)
    by_index = re.findall(r'"([^"\\]{1,200})"\s*:\s*\{\s*"\d+"\s*:\s*(?:[-\d]|NaN)', text)
    if rows and (has_counter(keys) or tells_of_training(keys)) and name.endswith(".jsonl"):
        return 0.8
    return 0.7 if tells_of_training([*lists, *by_index]) or (lists and "epochs" in lists) else 0.0


def read(path: Path) -> Reading:
    """Read a JSON log.

    Raises
    ------
    GandoctorError
        The file is no JSON, or JSON of something else than a training.
    """
    found = _load(path)
    return (
        found if isinstance(found, Reading) else assemble(found.columns, found.rows, **found.said)
    )


def read_runs(path: Path) -> list[tuple[str, Reading]]:
    """As `read`, for each of the runs in a log: a short name and a reading.

    Raises
    ------
    GandoctorError
        As `read` does.
    """
    found = _load(path)
    if isinstance(found, Reading):
        return [("", found)]
    return assemble_runs(found.columns, found.rows, **found.said)


class _Table(NamedTuple):
    """Records as columns, and what else `assemble` is to know of them."""

    columns: list[Column]
    rows: int
    said: dict[str, Any]


def _load(path: Path) -> Reading | _Table:
    text, lost = load_text(path)
    body = text.lstrip("\ufeff \t\r\n")
    if body[:1] not in ("{", "["):
        raise InputError("no JSON", path.name)
    try:
        return _read(body, path, lost)
    except RecursionError:
        raise InputError("JSON nested too deeply to be a log", path.name) from None


def _read(body: str, path: Path, lost: list[str]) -> Reading | _Table:
    first = next(_first_rows(body), None)
    if first is not None and _is_lines(body):
        if _is_metric_file(first):
            return _metric_file(
                [row for row in _lines(body, lost) if _is_metric_file(row)], path, lost
            )
        return _records(_lines(body, lost), path, lost)
    data, rows = _parsed(body, lost)
    if rows is None:
        return _one_value(data, path, lost)
    metric = [row for row in rows if _is_metric_file(row)]
    if metric and len(metric) * 2 > len(rows):
        return _metric_file(metric, path, lost)
    return _records(rows, path, lost)


# ---------------------------------------------------------------- loading


def _first_rows(text: str) -> Iterator[Mapping[str, Any]]:
    """Up to five whole objects from the beginning of a stream or list of objects."""
    decoder = json.JSONDecoder()
    at = 1 if text[0] == "[" else 0
    for _ in range(5):
        while at < len(text) and text[at] in " \t\r\n,":
            at += 1
        if at >= len(text) or text[at] != "{":
            return
        try:
            value, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return
        yield value


def _is_lines(body: str) -> bool:
    """Whether a text holds one object a line, and more than one."""
    first, _, rest = body.partition("\n")
    first = first.strip()
    return first.startswith("{") and first.endswith("}") and bool(rest.strip())


def _lines(body: str, lost: list[str]) -> Iterator[Mapping[str, Any]]:
    """The objects of a text, one a line; lines that are none are counted in `lost`."""
    bad = 0
    decode = json.JSONDecoder().decode
    for found in re.finditer(
        r"[^\n\r]+", body
    ):  # no list of all lines: the text alone is large enough
        line = found[0].strip()
        if not line:
            continue
        try:
            value = decode(line)
        except ValueError:
            bad += 1
            continue
        if isinstance(value, dict):
            yield value
        else:
            bad += 1
    if bad:
        lost.append(
            f"{bad} line{'s are no whole JSON objects' if bad > 1 else ' is no whole JSON object'}"
        )


def _parsed(body: str, lost: list[str]) -> tuple[Any, list[Mapping[str, Any]] | None]:
    """One value, or a list of objects. Damage is said in `lost`."""
    try:
        data = json.loads(body)
    except ValueError:
        rows = _salvage(body)
        if not rows:
            raise InputError("damaged or unfinished JSON with nothing readable in it") from None
        lost.append("the JSON ends early or is damaged; what stands before was read")
        return None, rows
    if isinstance(data, list) and data and all(isinstance(x, dict) for x in data):
        return None, data
    return data, None


def _salvage(body: str) -> list[Mapping[str, Any]]:
    """Objects one after the other, in a cut list or pretty-printed without commas."""
    decoder = json.JSONDecoder()
    rows: list[Mapping[str, Any]] = []
    at = body.find("{", 1) if body[0] == "[" or re.match(r'\{\s*"[^"]*"\s*:\s*\[\s*\{', body) else 0
    while 0 <= at < len(body):
        try:
            value, at = decoder.raw_decode(body, at)
        except ValueError:
            break
        if isinstance(value, dict):
            rows.append(value)
        at = body.find("{", at)
    return rows


# ---------------------------------------------------------------- shapes


def _is_metric_file(row: Mapping[str, Any]) -> bool:
    """A line of StyleGAN's ``metric-*.jsonl``."""
    return isinstance(row.get("results"), dict) and "metric" in row


def _metric_file(rows: Sequence[Mapping[str, Any]], path: Path, lost: list[str]) -> Reading:
    """StyleGAN's ``metric-*.jsonl``: the step in kimg stands in the name of the snapshot."""
    steps: list[float] = []
    for row in rows:
        found = _SNAPSHOT.search(str(row.get("snapshot_pkl") or "").rsplit("/", 1)[-1])
        steps.append(float(found[1]) if found else math.nan)
    known = all(abs(s) <= LARGEST for s in steps)  # NaN is not
    axis = unroll(np.array(steps if known else range(len(rows)), dtype=np.int64))
    stamps = np.array([_scalar(row.get("timestamp")) or math.nan for row in rows])
    timed = bool(np.isfinite(stamps).all())
    series: dict[str, tuple[list[int], list[float]]] = {}
    for i, row in enumerate(rows):
        for key, value in row["results"].items():
            name = key[:_LONGEST_KEY]
            if name not in series and len(series) >= _MOST_KEYS:
                continue
            at, cells = series.setdefault(name, ([], []))
            if axis.kept[i] and (cell := _scalar(value)) is not None:
                at.append(i)
                cells.append(cell)
    signals = []
    for name, (at, cells) in series.items():
        if at:
            wall = stamps[at] if timed else None
            signals.append(
                Signal(name, axis.steps[at], np.array(cells, dtype=np.float64), wall_time=wall)
            )
    if not signals:
        raise InputError("no numbers among its results", path.name)
    unit: StepUnit = "kimg" if known else "unknown"
    return Reading(tuple(signals), lost="; ".join(lost) or None, step_unit=unit, notes=axis.notes)


def _records(rows: Iterable[Mapping[str, Any]], path: Path, lost: list[str]) -> _Table:
    columns, count, words = _columns(map(_flat, rows), lost)
    stylegan = any("Progress/kimg" in c.name for c in columns)
    if stylegan:
        columns = [c for c in columns if not c.name.startswith("Timing/")]
    return _Table(columns, count, {"where": path.name, "words": words, "lost": lost})


def _one_value(data: Any, path: Path, lost: list[str]) -> _Table:
    """A single JSON value: lists by name, records under a key, or TensorBoard's triples."""
    if isinstance(data, list):
        triples = [
            r
            for r in data
            if isinstance(r, list) and len(r) == 3 and all(_scalar(x) is not None for x in r)
        ]
        if data and len(triples) == len(data):
            tag = re.split(r"(?:^|[-_])tag[-_]", path.stem)[-1]
            table = np.array(triples, dtype=np.float64)
            columns = [
                Column(n, table[:, j].copy()) for j, n in enumerate(("wall_time", "step", tag))
            ]
            return _Table(columns, len(table), {"where": path.name, "lost": lost})
        raise InputError("a JSON list, but not of log records", path.name)
    if not isinstance(data, dict):
        raise InputError("a single JSON value, no log", path.name)
    records = _find_records(data)
    if records:
        return _records(records, path, lost)
    lists = _find_lists(data)
    if lists:
        return _by_name(lists, path, lost)
    flat = _flat(data)
    if path.suffix.lower() == ".jsonl" and (
        has_counter(list(flat)) or tells_of_training(list(flat))
    ):
        return _records([data], path, lost)
    raise InputError("one JSON object with no series in it: a config or summary, no log", path.name)


def _find_records(data: Mapping[str, Any], depth: int = 0) -> list[Mapping[str, Any]] | None:
    """The list of records inside an object.

    Under a well-known key, else the longest that reads like a log.
    """
    found: list[list[Mapping[str, Any]]] = []
    for key in sorted(data, key=lambda k: _RECORDS.index(k) if k in _RECORDS else len(_RECORDS)):
        value = data[key]
        if isinstance(value, list) and value and all(isinstance(x, dict) for x in value):
            keys = list(dict.fromkeys(k for row in value[:50] for k in _flat(row)))
            if has_counter(keys) or tells_of_training(keys):
                found.append(value)
        elif isinstance(value, dict) and depth < 3 and (inner := _find_records(value, depth + 1)):
            found.append(inner)
    return max(found, key=len, default=None)


def _find_lists(
    data: Mapping[str, Any], prefix: str = "", depth: int = 0
) -> dict[str, list[float | None]]:
    """Lists of numbers by name.

    ``{"d_loss": [...]}``, Keras' history, pandas' ``{"d_loss": {"0": ...}}``.
    """
    out: dict[str, list[float | None]] = {}
    for key, value in data.items():
        name = f"{prefix}{key[:_LONGEST_KEY]}"
        cells: Sequence[Any] | None = None
        if isinstance(value, list):
            cells = value
        elif isinstance(value, dict) and value and all(re.fullmatch(r"\d+", str(k)) for k in value):
            cells = list(value.values())
        elif isinstance(value, dict) and depth < _DEEPEST:
            out.update(_find_lists(value, f"{name}/", depth + 1))
        if cells is not None and len(cells) > 1:
            series = [_scalar(_unwrapped(x)) for x in cells]
            if sum(x is not None for x in series) * 2 > len(series):
                out[name] = series
    return out


def _unwrapped(value: Any) -> Any:
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _by_name(lists: Mapping[str, list[float | None]], path: Path, lost: list[str]) -> _Table:
    """Series of a common length are one table; shorter ones are spread over the same axis."""
    names = list(lists)
    if not (tells_of_training(names) or has_counter(names)):
        raise InputError("lists of numbers, but none is named like a loss", path.name)
    length = max(map(len, lists.values()))
    columns, notes = [], []
    for name, series in lists.items():
        at = np.arange(1, len(series) + 1, dtype=np.int64) * length // len(series) - 1
        here = np.array([x is not None for x in series])
        cells = np.array([math.nan if x is None else x for x in series], dtype=np.float64)
        columns.append(
            Column(name, cells[here], None if here.all() and len(series) == length else at[here])
        )
    if len({len(s) for s in lists.values()}) > 1:
        notes.append("the lists differ in length: shorter ones were spread over the longest")
    return _Table(columns, length, {"where": path.name, "lost": lost, "notes": notes})


# ---------------------------------------------------------------- records to columns


def _scalar(value: Any) -> float | None:
    """A number as JSON logs write it, NaN also as a word; None for anything else."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    if isinstance(value, str) and len(value) < 200:
        try:
            return number(value)
        except ValueError:
            return None
    return None


def _flat(row: Mapping[str, Any], prefix: str = "", depth: int = 0) -> dict[str, Any]:
    """Nested keys joined by slashes; StyleGAN's ``{num, mean, std}`` becomes its mean."""
    out: dict[str, Any] = {}
    for key, value in row.items():
        name = f"{prefix}{key[:_LONGEST_KEY]}"
        if isinstance(value, dict):
            if "mean" in value and value.keys() <= _STATISTICS:
                out[name] = value["mean"]
            elif depth < _DEEPEST:
                out.update(_flat(value, f"{name}/", depth + 1))
        elif isinstance(value, list):
            if len(value) == 1:
                out[name] = value[0]
            elif len(value) <= _MOST_LIST:
                out.update({f"{name}[{i}]": x for i, x in enumerate(value)})
        else:
            out[name] = value
    return out


def _columns(
    rows: Iterable[Mapping[str, Any]], lost: list[str]
) -> tuple[list[Column], int, dict[str, list[str]]]:
    """Columns of numbers, and those of words, of flat records that need not have the same keys."""
    at: dict[str, array[int]] = {}
    cells: dict[str, array[float]] = {}
    spelt: dict[str, dict[int, str]] = {}
    dropped = count = 0
    for i, row in enumerate(rows):
        count = i + 1
        for name, value in row.items():
            cell = value if type(value) is float else _scalar(value)
            if cell is None:
                if isinstance(value, str) and value and (name in spelt or len(spelt) < _MOST_WORDS):
                    spelt.setdefault(name, {})[i] = value[:_LONGEST_WORD]
                continue
            if name not in at:
                if len(at) >= _MOST_KEYS:
                    dropped += 1
                    continue
                at[name], cells[name] = array("q"), array("d")
            at[name].append(i)
            cells[name].append(cell)
    if dropped:
        lost.append(f"{dropped} values under more than {_MOST_KEYS} names")
    columns = []
    for name, where in at.items():
        words = spelt.get(name, {})
        if len(words) > len(where):
            continue
        if words:
            lost.append(f"{len(words)} values of {name} are no numbers")
        values = np.frombuffer(cells[name], dtype=np.float64)
        columns.append(
            Column(
                name, values, None if len(where) == count else np.frombuffer(where, dtype=np.int64)
            )
        )
    taken = {c.name for c in columns}
    words_of = {n: [w.get(i, "") for i in range(count)] for n, w in spelt.items() if n not in taken}
    return columns, count, words_of
