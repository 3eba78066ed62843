"""Command lines that start a Python script: read as words, never run."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gandoctor.configs.python.units import Place
from gandoctor.configs.python.ways import Given
from gandoctor.configs.splice import number
from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import TypeAlias

    from gandoctor.configs.entries import Span

    # What a variable of a shell is given, and where.
    _Said: TypeAlias = tuple[str, int, int]

_START: Final = late_pattern(
    r"(?:python[\d.]*|accelerate[ \t]+launch|torchrun|deepspeed|srun)\b(?:[^\n;&|\\]|\\\r?\n)*?"
    r"([\w./-]+\.py|-m[ \t]+[\w.]+)(?=[\s\"']|$)"
)
_WORD: Final = late_pattern(
    r"(?:\\\r?\n|[^\S\n])+|(?P<word>(?:\"[^\"\n]*\"|'[^'\n]*'|[^\s\"'\\;&|<>`])+)"
)
_VARIABLE: Final = late_pattern(
    r"(?m)^[ \t]*(?:export[ \t]+)?([A-Za-z_]\w*)=(\"[^\"\n]*\"|'[^'\n]*'|[^\s#;&]*)"
)


def commands_of(text: str, file: str) -> Iterator[tuple[str, dict[str, Given]]]:
    """The Python scripts that a text starts, and their options.

    Parameters
    ----------
    text : str
        A shell script, or anything with command lines in it.
    file : str
        What it is called, for the places.
    """
    variables = {m[1]: (m[2].strip("\"'"), m.start(2), m.end(2)) for m in _VARIABLE.finditer(text)}
    for count, found in enumerate(_START.finditer(text)):
        if count >= 50:
            return
        script = re.sub(r"^-m[ \t]+", "", found[1])
        if not script.endswith(".py"):
            script = script.replace(".", "/") + ".py"
        options: dict[str, Given] = {}
        key = ""
        for start, end, word in _words(text, found.end()):
            head = re.fullmatch(r"--?([A-Za-z][\w.-]*)(?:=(.*))?", word, re.DOTALL)
            if head and number(word) is None:
                if key:
                    options.setdefault(key, _told(True, text, file, start, start))
                key = head[1].replace("-", "_")
                if head[2] is not None:
                    options[key] = _said(head[2], text, file, (end - len(head[2]), end), variables)
                    key = ""
            elif key:
                options[key] = _said(word, text, file, (start, end), variables)
                key = ""
            elif pair := re.fullmatch(r"\+{0,2}([A-Za-z_][\w.]*)=(.*)", word, re.DOTALL):
                name = pair[1].rpartition(".")[2]
                options[name] = _said(pair[2], text, file, (end - len(pair[2]), end), variables)
        if key:
            options.setdefault(key, _told(True, text, file, found.start(), found.start()))
        yield script, options


def _words(text: str, at: int) -> Iterator[tuple[int, int, str]]:
    for _ in range(400):
        found = _WORD.match(text, at)
        if found is None:
            return
        at = found.end()
        if found["word"]:
            yield found.start("word"), at, found["word"]


def _said(word: str, text: str, file: str, at: Span, variables: Mapping[str, _Said]) -> Given:
    start, end = at
    bare = word.strip("\"'")
    name = re.fullmatch(r"\$\{?(\w+)\}?", bare)
    if name and name[1] in variables:
        bare, start, end = variables[name[1]]
    value = number(bare)
    said: float | str | bool = bare if value is None else value
    if bare in ("True", "true", "False", "false"):
        said = bare.lower() == "true"
    return _told(said, text, file, start, end)


def _told(value: float | str | bool, text: str, file: str, start: int, end: int) -> Given:
    row = text.count("\n", 0, start) + 1
    return Given(value, Place(file, str(row), row, start, end), "command")
