"""Inputs of a size, for every reader.

A case makes one of size n, and gives back the call that is to be timed.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import tempfile
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.speed import files
from gandoctor import api, parsers, rulebook, vocabulary
from gandoctor.configs import printed
from gandoctor.errors import GandoctorError
from gandoctor.parsers.rows.axis import unroll

if TYPE_CHECKING:
    from collections.abc import Callable

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


def _repeated(piece: str) -> Callable[[int], str]:
    return lambda n: (piece * (n // len(piece) + 1))[:n]


def _numbered(form: str, head: str = "", tail: str = "", joint: str = ", ") -> Callable[[int], str]:
    """Pieces with a running number, up to a length."""

    def make(n: int) -> str:
        pieces = max(1, n // (len(form.format(10_000)) + len(joint)))
        return head + joint.join(form.format(k) for k in range(pieces)) + tail

    return make


LINES: dict[str, Callable[[int], str]] = {
    "base64": _repeated("QmFzZTY0IGlzIG5vdCBhIGxvc3M"),
    "blanks": _repeated(" "),
    "blanks, then a word": lambda n: "lr: a" + " " * n + "b",
    "no-break spaces": lambda n: "loss" + "\u00a0" * n + "0.5: 2",
    "tabs": lambda n: "x" + "\t" * n + "y",
    "digits": _repeated("7"),
    "digits, then a letter": lambda n: "lr: " + "7" * n + "x",
    "underscores": _repeated("_"),
    "letters and blanks": _repeated("a "),
    "dots": _repeated("1.2."),
    "thousands": _repeated("1,111,"),
    "names and an equals sign": lambda n: "a." * (n // 2) + " ="[:2],
    "equals signs": _repeated("= "),
    "a mark": lambda n: "====" + "a" * n,
    "a mark that ends": lambda n: "====" + "a b" * (n // 3) + "= =",
    "colons": _repeated(": "),
    "pairs": _numbered("k{}: 0.5"),
    "pairs of losses": _numbered("d_loss{}: 0.5", joint=" "),
    "pairs in brackets": _numbered("[D loss{}: 0.5", joint="] "),
    "pairs without a colon": _numbered("loss{} 0.5", joint=" "),
    "a namespace": _numbered("k{}=x", "Namespace(", ")"),
    "a namespace of calls": _numbered("k{}=device(type='cuda')", "Namespace(", ")"),
    "a namespace of numbers": _numbered("k{}=0.5", "Namespace(", ")"),
    "namespaces": _numbered("Namespace(k{}=0.5)"),
    "a namespace that does not end": _numbered("k{}=0.5", "Namespace("),
    "dictionaries": _numbered("{{'k{}': 0.5}}", joint=" "),
    "a dictionary": _numbered("'k{}': 0.5", "{", "}"),
    "braces that do not end": _repeated("{'"),
    "quotes": _repeated('"'),
    "quotes and backslashes": lambda n: '{"' + '\\"' * (n // 2),
    "a quote that does not end": lambda n: "'" + "loss: 0.5 " * (n // 10),
    "round brackets": _repeated("("),
    "closing brackets": _repeated("a) 1"),
    "calls": _repeated("a(b"),
    "square brackets": _repeated("["),
    "lists": _repeated("[1, 2], "),
    "tensors": _repeated("tensor("),
    "bars": _repeated("| "),
    "progress": _repeated("%|==== "),
    "dots in brackets": _repeated("[...."),
    "defaults": _repeated("x [default: "),
    "prepositions": _repeated("loss at x "),
    "written breaks": _repeated("\\nlossloss 1"),
    "escapes": _repeated("\x1b]"),
    "colours": _repeated("\x1b[0"),
    "commands": _repeated("--a=' "),
    "wide letters": _repeated("損失：０"),
    "carriage returns": _repeated("1% loss 0.5\r"),
}
_RECORDS = "".join(
    f"step: {k} d_loss: {0.6 + k / 97 % 0.2:.4f} g_loss: {0.7 + k / 89 % 0.2:.4f}\n"
    for k in range(30)
)


def ordinary(n: int) -> str:
    """A log as it is printed, of n characters."""
    line = (
        "Epoch [{}/200] Step [{}] d_loss: {:.4f}, g_loss: {:.4f}, D(x): {:.2f}, D(G(z)): {:.2f}\n"
    )
    rows = (
        line.format(k // 500, k, k % 97 / 90, k % 89 / 80, k % 7 / 7, k % 5 / 5)
        for k in range(n // 80 + 1)
    )
    return "".join(rows)


def _wrapped(line: Callable[[int], str], width: int) -> Callable[[int], str]:
    """As many lines of one width as make up n characters, no two of one shape."""

    def make(n: int) -> str:
        body = line(width)
        return "\n".join(f"w{_letters(k)} {body}" for k in range(max(1, n // width)))

    return make


def _letters(k: int) -> str:
    return "".join(chr(97 + int(c)) for c in str(k))


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


def _table(head: str, row: Callable[[int], str], n: int) -> str:
    return head + "\n" + "\n".join(row(k) for k in range(n)) + "\n"


def _wide_table(n: int) -> str:
    names = ",".join(["step", "d_loss", *(f"m{k}" for k in range(n))])
    return names + "\n" + "\n".join(f"{r}," + ",".join(["0.5"] * (n + 1)) for r in range(4)) + "\n"


TABLES: dict[str, Callable[[int], str]] = {
    "rows": partial(_table, "step,d_loss,g_loss", lambda k: f"{k},0.{k % 97},0.{k % 89}"),
    "columns": _wide_table,
    "a wide header over narrow rows": lambda n: _table(
        ",".join(["step", "d_loss", *(f"m{k}" for k in range(n))]), lambda k: f"{k},0.{k % 97}", n
    ),
    "headers within": partial(
        _table, "step,d_loss", lambda k: f"step,loss_{_letters(k)}" + f"\n{k},0.5" * 4
    ),
    "a quote that does not end": lambda n: _table("step,d_loss", lambda k: f'{k},"0.{k}', n),
    "rows of all widths": partial(
        _table, "step," + ",".join(f"loss{k}" for k in range(99)), lambda k: "1," * (k % 100)
    ),
    "words": partial(_table, "step,d_loss,note", lambda k: f"{k},0.5,word{k}"),
    "steps that fall now and then": partial(
        _table, "step,d_loss", lambda k: f"{k - 3 * (k % 40 == 0)},0.5"
    ),
    "steps that fall at every tenth row": partial(
        _table, "step,d_loss", lambda k: f"{k - 2 * (k % 10 == 0)},0.5"
    ),
    "steps that start again": partial(_table, "step,d_loss", lambda k: f"{k % 20},0.5"),
    "blank lines": partial(_table, "step,d_loss", lambda k: f"\n\n{k},0.5"),
    "long cells": lambda n: _table("step,d_loss", lambda k: f"{k}," + "7" * 300 + "x", n),
}


def _lines(row: Callable[[int], object], n: int) -> str:
    return "\n".join(json.dumps(row(k)) for k in range(n)) + "\n"


JSON: dict[str, Callable[[int], str]] = {
    "rows": partial(_lines, lambda k: {"step": k, "d_loss": 0.5, "g_loss": k / 7}),
    "wide rows": lambda n: _lines(lambda k: {"step": k} | {f"loss{i}": 0.5 for i in range(n)}, 4),
    "a new key in each row": partial(_lines, lambda k: {"step": k, f"loss{k}": 0.5}),
    "nested rows": partial(
        _lines, lambda k: {"step": k, "a": {"b": {"c": {"d_loss": 0.5, "l": [1, 2, 3]}}}}
    ),
    "a list": lambda n: json.dumps([{"step": k, "d_loss": 0.5} for k in range(n)]),
    "a list that ends early": lambda n: json.dumps([{"step": k, "d_loss": 0.5} for k in range(n)])[
        :-9
    ],
    "lists by name": lambda n: json.dumps({"d_loss": [0.5] * n, "g_loss": [0.7] * n}),
    "a long key": lambda n: json.dumps({"loss" * n: {f"k{k}": [0.5, 0.6] for k in range(n)}}),
    "metric files": partial(
        _lines,
        lambda k: {"results": {f"fid{k}": 9.0}, "metric": "fid", "snapshot_pkl": f"{k:06}.pkl"},
    ),
    "deep": lambda n: "[" * n + "]" * n,
    "words": partial(_lines, lambda k: {"step": k, "d_loss": 0.5, "note": f"word {k}"}),
    "broken rows": lambda n: '{"step": 1, "d_loss": 0.5}\n' + '{"step": 1, "d_loss":\n' * n,
}


def _notebook(cells: list[dict[str, Any]]) -> str:
    return json.dumps({"cells": cells, "nbformat": 4})


def _cell(source: str, *outputs: str) -> dict[str, Any]:
    stored = [{"output_type": "stream", "text": text} for text in outputs]
    return {"cell_type": "code", "source": source, "outputs": stored}


NOTEBOOKS: dict[str, Callable[[int], str]] = {
    "outputs": lambda n: _notebook([_cell("", *(f"step: {k} d_loss: 0.5\n" for k in range(n)))]),
    "cells": lambda n: _notebook(
        [_cell(f"lr = 0.{k + 1}", f"step: {k} d_loss: 0.5\n") for k in range(n)]
    ),
    "a long output": lambda n: _notebook(
        [_cell("", "".join(f"step: {k} d_loss: 0.5\n" for k in range(n)))]
    ),
    "sources": lambda n: _notebook(
        [_cell("lr = 0.1\n" * 50, _RECORDS) for _ in range(n // 50 + 1)]
    ),
}


def _events(kind: str, n: int) -> bytes:
    if kind == "scalars":
        return files.first_record() + files.scalars(range(n))
    if kind == "tags":
        return files.first_record() + b"".join(
            files.frame(files.scalar_event(f"t{k}", 1, tensor=False)) for k in range(n)
        )
    if kind == "damage":
        return b"".join(
            files.frame(files.scalar_event("loss", k, tensor=False))[:-2] for k in range(n)
        )
    event = files.Event(wall_time=1.7e9, step=1)  # all in one
    for k in range(n):
        event.summary.value.add(
            tag="loss" * n if kind == "long tag" and not k else f"t{k}", simple_value=0.5
        )
    return files.first_record() + files.frame(event.SerializeToString())


def _wandb(kind: str, n: int) -> bytes:
    if kind == "rows":
        return files.wandb_frames(
            [files.wandb_row(k, {"d_loss": 0.5, "g_loss": 0.7}) for k in range(n)]
        )
    if kind == "keys":
        return files.wandb_frames(
            [files.wandb_row(k, {f"m{i}": 0.5 for i in range(n)}) for k in range(2)]
        )
    if kind == "a new key in each row":
        return files.wandb_frames([files.wandb_row(k, {f"m{k}": 0.5}) for k in range(n)])
    return files.wandb_frames([files.wandb_row(k, {"d_loss": 0.5}) for k in range(n)])[:-2].replace(
        b"d_loss", b"d_lost"
    )


def _runs(layout: str, folder: Path, n: int) -> None:
    rows = "".join(f"{k},{k % 7 / 7:.3f},0.7\n" for k in range(20))
    for k in range(n):
        path = (
            folder / f"run{k:05}" / "log.csv" if layout == "folders" else folder / f"run{k:05}.csv"
        )
        path.parent.mkdir(exist_ok=True)
        path.write_text(
            "step,d_loss,g_loss\n" + rows.replace("0.7", f"0.{k:05}7"), encoding="utf-8"
        )
        if layout != "one folder":
            name = "config.yaml" if layout == "folders" else f"settings-{k}.yaml"
            path.with_name(name).write_text("lr: 0.0002\nbatch_size: 64\n", encoding="utf-8")


def _resumes(folder: Path, n: int) -> None:
    for k in range(n):
        name = f"events.out.tfevents.{1_700_000_000 + k}.host.1.0"
        files.write(
            folder / name,
            files.first_record(),
            files.scalars(range(1 + k * 20, 21 + k * 20), seed=k),
        )


CONFIGS: dict[tuple[str, str], Callable[[int], str]] = {
    ("options", "pairs"): _numbered("key{}: 0.5   [default: 0.1]", joint="\n"),
    ("options", "INI"): _numbered("[section{0}]\nkey{0} = 0.5", joint="\n"),
    ("options", "flags"): _numbered("--key{} 0.5", joint=" "),
    ("options", "flag lines"): _numbered("--key{}=0.5", joint="\n"),
    ("options", "a namespace of lines"): _numbered("k{}=0.5", "Namespace(", ")", ",\n"),
    ("yaml", "pairs"): _numbered("key{}: 0.5", joint="\n"),
    ("yaml", "a flow sequence"): _numbered("{}", "a: [", "]"),
    ("yaml", "a flow mapping"): _numbered("k{}: 1", "a: {", "}"),
    ("yaml", "anchors"): _numbered("k{0}: &a{0} 1\nl{0}: *a{0}", joint="\n"),
    ("yaml", "brackets"): _repeated("["),
    ("yaml", "a block"): _numbered("  word{}", "a: |\n", joint="\n"),
    ("yaml", "a quote that does not end"): lambda n: "a: '" + "b: 1\n" * (n // 5),
    ("toml", "pairs"): _numbered("key{} = 0.5", joint="\n"),
    ("toml", "sections"): _numbered("[section{0}]\nkey{0} = 0.5", joint="\n"),
    ("toml", "an array"): _numbered("{}", "a = [", "]"),
    ("toml", "an inline table"): _numbered("k{} = 1", "a = {", "}"),
    ("toml", "a quote that does not end"): lambda n: 'a = "' + "b = 1 " * (n // 6),
    ("json", "pairs"): _numbered('"key{}": 0.5', "{", "}"),
    ("json", "an array"): _numbered("{}", '{"a": [', "]}"),
    ("json", "brackets"): lambda n: '{"a": ' + "[" * n,
    ("json", "comments"): lambda n: '{"a": 1 ' + "/* " * (n // 3),
    ("json", "quotes"): lambda n: '{"' + '\\"' * (n // 2),
    ("json", "a long key"): lambda n: (
        '{"' + "k" * n + '": {' + ", ".join(f'"{k}": 1' for k in range(n // 10)) + "}}"
    ),
    ("python", "assignments"): _numbered("key{} = 0.5", joint="\n"),
    ("python", "a dictionary"): _numbered("'k{}': 0.5", "config = {", "}"),
    ("python", "a call"): _numbered("k{}=0.5", "config = dict(", ")"),
    ("python", "arguments"): _numbered("parser.add_argument('--k{}', default=1)", joint="\n"),
    ("python", "a sum"): _numbered("{}", "a = ", joint=" + "),
    ("python", "brackets"): lambda n: "a = " + "[" * n,
    ("python", "attributes"): lambda n: "a" + ".b" * (n // 2) + " = 1",
}


def _among(line: Callable[[int], str], n: int) -> str:
    return _wrapped(line, 2_900)(n) + "\n" + _RECORDS


def cases() -> list[Case]:
    """All of them."""
    found = [
        Case(f"settings: {k}", partial(_settings, f), 1 * KIB, 200 * KIB, text=True)
        for k, f in LINES.items()
    ]
    for name, line in LINES.items():
        for kind, make in (
            ("one line", lambda n, f=line: f(n) + "\n" + _RECORDS),
            ("lines of 2,900", lambda n, f=line: _wrapped(f, 2_900)(n) + "\n" + _RECORDS),
        ):
            found.append(
                Case(
                    f"text, {kind}: {name}",
                    partial(_read, "text", "train.log", make),
                    8 * KIB,
                    256 * KIB,
                    text=True,
                )
            )
        found.append(
            Case(
                f"options: {name}", partial(_parse, "options", line), 1 * KIB, 256 * KIB, text=True
            )
        )
    found.append(
        Case(
            "text: ordinary",
            partial(_read, "text", "train.log", ordinary),
            8 * KIB,
            1024 * KIB,
            text=True,
        )
    )
    found.append(
        Case("analyze: ordinary text", partial(_analyze, ordinary), 64 * KIB, 256 * KIB, text=True)
    )
    for name in ("base64", "pairs", "a mark", "escapes", "a namespace of calls"):
        make = partial(_among, LINES[name])
        found.append(
            Case(f"analyze: {name}", partial(_analyze, make), 16 * KIB, 64 * KIB, text=True)
        )
    for (kind, name), config in CONFIGS.items():
        found.append(
            Case(
                f"{kind} config: {name}",
                partial(_parse, kind, config),
                1 * KIB,
                512 * KIB,
                text=True,
            )
        )
    found += [
        Case(f"csv: {k}", partial(_read, "csv", "log.csv", f), 50, 4_000) for k, f in TABLES.items()
    ]
    found += [
        Case(f"jsonl: {k}", partial(_read, "jsonl", "stats.jsonl", f), 50, 4_000)
        for k, f in JSON.items()
    ]
    found += [
        Case(f"notebook: {k}", partial(_read, "notebook", "gan.ipynb", f), 50, 4_000)
        for k, f in NOTEBOOKS.items()
    ]
    for kind in ("scalars", "tags", "damage", "one event", "long tag"):
        event = partial(
            _read, "tensorboard", "events.out.tfevents.1.host.1.0", partial(_events, kind)
        )
        found.append(Case(f"event file: {kind}", event, 100, 8_000))
    for kind in ("rows", "keys", "a new key in each row", "damage"):
        found.append(
            Case(
                f"wandb: {kind}",
                partial(_read, "wandb", "run-1.wandb", partial(_wandb, kind)),
                100,
                8_000,
            )
        )
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
        found.append(Case(f"tags: {form}", partial(_place, form), 100, 4_000))
    for layout in ("folders", "one folder", "one folder of configs"):
        # From 40 on: until then each log is compared with all before it, then with the last 40.
        found.append(Case(f"runs in {layout}", partial(_discover, partial(_runs, layout)), 40, 80))
    for every in (12, 40):
        found.append(
            Case(f"restarts: every {every} rows", partial(_restarts, every), 2_000, 128_000)
        )
    found.append(Case("event files of one run", partial(_discover, _resumes), 10, 80))
    return found
