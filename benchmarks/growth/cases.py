"""Inputs of a size, for every reader.

A case makes one of size n, and gives back the call that is to be timed.
"""

from __future__ import annotations

import contextlib
import importlib
import tempfile
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.growth.inputs import (
    CONFIGS,
    JSON,
    LINES,
    NOTEBOOKS,
    RECORDS,
    TABLES,
    events,
    ordinary,
    resumes,
    runs,
    wandb_file,
    wrapped,
)
from gandoctor import api, parsers, rulebook, vocabulary
from gandoctor.configs import printed
from gandoctor.errors import GandoctorError
from gandoctor.parsers.rows.axis import unroll

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Call = Callable[[], object]

KIB = 1 << 10


@dataclass(frozen=True)
class Case:
    """One family of inputs before one reader.

    Attributes
    ----------
    name : str
    make : callable
        From a size to the call that is timed.
    start, most : int
        The smallest size, and the largest that the benchmark begins with.
    text : bool
        Whether the size is one in characters, so that a speed can be asked for.
    """

    name: str
    make: Callable[[int], Call]
    start: int
    most: int
    text: bool = False


# ---------------------------------------------------------------- families of texts, by their
# length


# ---------------------------------------------------------------- what is timed


def _quietly(call: Callable[[], object]) -> Call:
    def run() -> None:
        with contextlib.suppress(GandoctorError):
            call()

    return run


@cache
def _folder() -> Path:
    kept = tempfile.TemporaryDirectory(prefix="growth")
    _KEPT.append(kept)
    return Path(kept.name)


_KEPT: list[tempfile.TemporaryDirectory[str]] = []


def _read(module: str, filename: str, make: Callable[[int], str | bytes], n: int) -> Call:
    """Sniff and read a file of its own."""
    reader = importlib.import_module(f"gandoctor.parsers.formats.{module}")
    content = make(n)
    path = _folder() / module / filename
    path.parent.mkdir(exist_ok=True)
    data = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    path.write_bytes(data)

    def call() -> None:
        reader.sniff(path, data[: 64 * KIB])
        reader.read(path)

    return _quietly(call)


def _parse(kind: str, make: Callable[[int], str], n: int) -> Call:
    reader = importlib.import_module(f"gandoctor.configs.formats.{kind}")
    text = make(n)
    return _quietly(lambda: reader.scan(text))


def _settings(make: Callable[[int], str], n: int) -> Call:
    line = make(n)
    return lambda: (
        printed.settings_of([line]),
        printed.settings_of(["{", line]),
        printed.parse_namespace(line),
    )


@cache
def _words() -> vocabulary.Vocabulary:
    return vocabulary.load([rulebook.default_folder()])


def _place(form: str, n: int) -> Call:
    tags = [form.format(k) for k in range(n)]
    return lambda: vocabulary.place_names(tags, _words())


def _restarts(every: int, n: int) -> Call:
    rows = np.arange(n, dtype=np.int64)
    steps = np.maximum(rows - 2 * (rows % every == 0), 0)
    return lambda: unroll(steps)


def _discover(make: Callable[[Path, int], None], n: int) -> Call:
    folder = Path(tempfile.mkdtemp(dir=_folder()))
    make(folder, n)
    return _quietly(lambda: parsers.discover(folder))


def _analyze(make: Callable[[int], str], n: int) -> Call:
    path = Path(tempfile.mkdtemp(dir=_folder())) / "train.log"
    path.write_text(make(n), encoding="utf-8", errors="surrogatepass")
    return _quietly(lambda: api.analyze_all(path))


# ---------------------------------------------------------------- tables, JSON, notebooks, binary
# logs, by their rows


def _among(line: Callable[[int], str], n: int) -> str:
    return wrapped(line, 2_900)(n) + "\n" + RECORDS


def cases() -> list[Case]:
    """All of them."""
    return [
        *_of_lines(),
        *_of_text(),
        *_of_configs(),
        *_of_tables(),
        *_of_records(),
        *_of_names(),
        *_of_runs(),
    ]


def _of_lines() -> Iterator[Case]:
    for name, line in LINES.items():
        settings = partial(_settings, line)
        yield Case(f"settings: {name}", settings, 1 * KIB, 200 * KIB, text=True)
    for name, line in LINES.items():
        for kind, make in (
            ("one line", lambda n, f=line: f(n) + "\n" + RECORDS),
            ("lines of 2,900", lambda n, f=line: wrapped(f, 2_900)(n) + "\n" + RECORDS),
        ):
            read = partial(_read, "text", "train.log", make)
            yield Case(f"text, {kind}: {name}", read, 8 * KIB, 256 * KIB, text=True)
        options = partial(_parse, "options", line)
        yield Case(f"options: {name}", options, 1 * KIB, 256 * KIB, text=True)


def _of_text() -> Iterator[Case]:
    read = partial(_read, "text", "train.log", ordinary)
    yield Case("text: ordinary", read, 8 * KIB, 1024 * KIB, text=True)
    whole = partial(_analyze, ordinary)
    yield Case("analyze: ordinary text", whole, 64 * KIB, 256 * KIB, text=True)
    for name in ("base64", "pairs", "a mark", "escapes", "a namespace of calls"):
        among = partial(_analyze, partial(_among, LINES[name]))
        yield Case(f"analyze: {name}", among, 16 * KIB, 64 * KIB, text=True)


def _of_configs() -> Iterator[Case]:
    for (kind, name), config in CONFIGS.items():
        parse = partial(_parse, kind, config)
        yield Case(f"{kind} config: {name}", parse, 1 * KIB, 512 * KIB, text=True)


def _of_tables() -> Iterator[Case]:
    for module, file, inputs in (
        ("csv", "log.csv", TABLES),
        ("jsonl", "stats.jsonl", JSON),
        ("notebook", "gan.ipynb", NOTEBOOKS),
    ):
        for name, make in inputs.items():
            yield Case(f"{module}: {name}", partial(_read, module, file, make), 50, 4_000)


def _of_records() -> Iterator[Case]:
    for kind in ("scalars", "tags", "damage", "one event", "long tag"):
        file = "events.out.tfevents.1.host.1.0"
        read = partial(_read, "tensorboard", file, partial(events, kind))
        yield Case(f"event file: {kind}", read, 100, 8_000)
    for kind in ("rows", "keys", "a new key in each row", "damage"):
        read = partial(_read, "wandb", "run-1.wandb", partial(wandb_file, kind))
        yield Case(f"wandb: {kind}", read, 100, 8_000)


def _of_names() -> Iterator[Case]:
    for form in (
        "metric_{}",
        "D_real_{}_q",
        "loss_{0}_foo{0}",
        "L{}_d",
        "G_loss_{}",
        "d_loss/{}",
        "aux{}_g",
        "grad_norm_{}",
    ):
        yield Case(f"tags: {form}", partial(_place, form), 100, 4_000)


def _of_runs() -> Iterator[Case]:
    for layout in ("folders", "one folder", "one folder of configs"):
        # From 40 on: until then each log is compared with all before it, then with the last 40.
        yield Case(f"runs in {layout}", partial(_discover, partial(runs, layout)), 40, 80)
    for every in (12, 40):
        restarts = partial(_restarts, every)
        yield Case(f"restarts: every {every} rows", restarts, 2_000, 128_000)
    yield Case("event files of one run", partial(_discover, resumes), 10, 80)
