"""What is read, as large as it is asked for: lines, configs, tables, records, folders of runs."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.speed import files

if TYPE_CHECKING:
    from collections.abc import Callable

    Call = Callable[[], object]


def repeated(piece: str) -> Callable[[int], str]:
    return lambda n: (piece * (n // len(piece) + 1))[:n]


def numbered(form: str, head: str = "", tail: str = "", joint: str = ", ") -> Callable[[int], str]:
    """Pieces with a running number, up to a length."""

    def make(n: int) -> str:
        pieces = max(1, n // (len(form.format(10_000)) + len(joint)))
        return head + joint.join(form.format(k) for k in range(pieces)) + tail

    return make


LINES: dict[str, Callable[[int], str]] = {
    "base64": repeated("QmFzZTY0IGlzIG5vdCBhIGxvc3M"),
    "blanks": repeated(" "),
    "blanks, then a word": lambda n: "lr: a" + " " * n + "b",
    "no-break spaces": lambda n: "loss" + "\u00a0" * n + "0.5: 2",
    "tabs": lambda n: "x" + "\t" * n + "y",
    "digits": repeated("7"),
    "digits, then a letter": lambda n: "lr: " + "7" * n + "x",
    "underscores": repeated("_"),
    "letters and blanks": repeated("a "),
    "dots": repeated("1.2."),
    "thousands": repeated("1,111,"),
    "names and an equals sign": lambda n: "a." * (n // 2) + " ="[:2],
    "equals signs": repeated("= "),
    "a mark": lambda n: "====" + "a" * n,
    "a mark that ends": lambda n: "====" + "a b" * (n // 3) + "= =",
    "colons": repeated(": "),
    "pairs": numbered("k{}: 0.5"),
    "pairs of losses": numbered("d_loss{}: 0.5", joint=" "),
    "pairs in brackets": numbered("[D loss{}: 0.5", joint="] "),
    "pairs without a colon": numbered("loss{} 0.5", joint=" "),
    "a namespace": numbered("k{}=x", "Namespace(", ")"),
    "a namespace of calls": numbered("k{}=device(type='cuda')", "Namespace(", ")"),
    "a namespace of numbers": numbered("k{}=0.5", "Namespace(", ")"),
    "namespaces": numbered("Namespace(k{}=0.5)"),
    "a namespace that does not end": numbered("k{}=0.5", "Namespace("),
    "dictionaries": numbered("{{'k{}': 0.5}}", joint=" "),
    "a dictionary": numbered("'k{}': 0.5", "{", "}"),
    "braces that do not end": repeated("{'"),
    "quotes": repeated('"'),
    "quotes and backslashes": lambda n: '{"' + '\\"' * (n // 2),
    "a quote that does not end": lambda n: "'" + "loss: 0.5 " * (n // 10),
    "round brackets": repeated("("),
    "closing brackets": repeated("a) 1"),
    "calls": repeated("a(b"),
    "square brackets": repeated("["),
    "lists": repeated("[1, 2], "),
    "tensors": repeated("tensor("),
    "bars": repeated("| "),
    "progress": repeated("%|==== "),
    "dots in brackets": repeated("[...."),
    "defaults": repeated("x [default: "),
    "prepositions": repeated("loss at x "),
    "written breaks": repeated("\\nlossloss 1"),
    "escapes": repeated("\x1b]"),
    "colours": repeated("\x1b[0"),
    "commands": repeated("--a=' "),
    "wide letters": repeated("損失：０"),
    "carriage returns": repeated("1% loss 0.5\r"),
}

RECORDS = "".join(
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


def wrapped(line: Callable[[int], str], width: int) -> Callable[[int], str]:
    """As many lines of one width as make up n characters, no two of one shape."""

    def make(n: int) -> str:
        body = line(width)
        return "\n".join(f"w{_letters(k)} {body}" for k in range(max(1, n // width)))

    return make


def _letters(k: int) -> str:
    return "".join(chr(97 + int(c)) for c in str(k))


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
    "sources": lambda n: _notebook([_cell("lr = 0.1\n" * 50, RECORDS) for _ in range(n // 50 + 1)]),
}


def events(kind: str, n: int) -> bytes:
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


def wandb_file(kind: str, n: int) -> bytes:
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


def runs(layout: str, folder: Path, n: int) -> None:
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


def resumes(folder: Path, n: int) -> None:
    for k in range(n):
        name = f"events.out.tfevents.{1_700_000_000 + k}.host.1.0"
        files.write(
            folder / name,
            files.first_record(),
            files.scalars(range(1 + k * 20, 21 + k * 20), seed=k),
        )


CONFIGS: dict[tuple[str, str], Callable[[int], str]] = {
    ("options", "pairs"): numbered("key{}: 0.5   [default: 0.1]", joint="\n"),
    ("options", "INI"): numbered("[section{0}]\nkey{0} = 0.5", joint="\n"),
    ("options", "flags"): numbered("--key{} 0.5", joint=" "),
    ("options", "flag lines"): numbered("--key{}=0.5", joint="\n"),
    ("options", "a namespace of lines"): numbered("k{}=0.5", "Namespace(", ")", ",\n"),
    ("yaml", "pairs"): numbered("key{}: 0.5", joint="\n"),
    ("yaml", "a flow sequence"): numbered("{}", "a: [", "]"),
    ("yaml", "a flow mapping"): numbered("k{}: 1", "a: {", "}"),
    ("yaml", "anchors"): numbered("k{0}: &a{0} 1\nl{0}: *a{0}", joint="\n"),
    ("yaml", "brackets"): repeated("["),
    ("yaml", "a block"): numbered("  word{}", "a: |\n", joint="\n"),
    ("yaml", "a quote that does not end"): lambda n: "a: '" + "b: 1\n" * (n // 5),
    ("toml", "pairs"): numbered("key{} = 0.5", joint="\n"),
    ("toml", "sections"): numbered("[section{0}]\nkey{0} = 0.5", joint="\n"),
    ("toml", "an array"): numbered("{}", "a = [", "]"),
    ("toml", "an inline table"): numbered("k{} = 1", "a = {", "}"),
    ("toml", "a quote that does not end"): lambda n: 'a = "' + "b = 1 " * (n // 6),
    ("json", "pairs"): numbered('"key{}": 0.5', "{", "}"),
    ("json", "an array"): numbered("{}", '{"a": [', "]}"),
    ("json", "brackets"): lambda n: '{"a": ' + "[" * n,
    ("json", "comments"): lambda n: '{"a": 1 ' + "/* " * (n // 3),
    ("json", "quotes"): lambda n: '{"' + '\\"' * (n // 2),
    ("json", "a long key"): lambda n: (
        '{"' + "k" * n + '": {' + ", ".join(f'"{k}": 1' for k in range(n // 10)) + "}}"
    ),
    ("python", "assignments"): numbered("key{} = 0.5", joint="\n"),
    ("python", "a dictionary"): numbered("'k{}': 0.5", "config = {", "}"),
    ("python", "a call"): numbered("k{}=0.5", "config = dict(", ")"),
    ("python", "arguments"): numbered("parser.add_argument('--k{}', default=1)", joint="\n"),
    ("python", "a sum"): numbered("{}", "a = ", joint=" + "),
    ("python", "brackets"): lambda n: "a = " + "[" * n,
    ("python", "attributes"): lambda n: "a" + ".b" * (n // 2) + " = 1",
}
