"""Printed training logs: one tolerant reader for every shape of line (see `printed.engine`)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gandoctor.errors import GandoctorError
from gandoctor.files.reading import is_pointer, load_text, text_of_head
from gandoctor.parsers.printed.engine import read_runs as runs_of
from gandoctor.parsers.printed.engine import read_text
from gandoctor.parsers.rows.drawn import shown_page
from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from pathlib import Path

    from gandoctor.model.signals import Reading

NAME: Final = "text"
_LFS_NAMES: Final = (".log", ".txt", ".csv", ".jsonl", ".json", ".out", ".tsv")
# Files of words and settings, in which a number is no measurement: read where the user names one,
# and it recurs.
_NO_LOGS: Final = frozenset({
    ".ipynb", ".py", ".md", ".rst", ".tex", ".yaml", ".yml", ".toml", ".json", ".html", ".htm",
    ".xml", ".svg", ".js",
    ".css", ".c", ".cc", ".cpp", ".cu", ".h", ".hpp", ".sh", ".ini", ".cfg", ".lock", ".proto",
    ".bib",
    ".pyx", ".pxd", ".pyi", ".pl", ".pm", ".java", ".go", ".rs", ".ts", ".jl", ".r", ".rb", ".pem",
})  # fmt: skip
_LEAST: Final = 3  # values that a file of words must hold of one series
_LOG_NAME: Final = late_pattern(
    r"log|train|loss|output|stdout|nohup|slurm|console|history|\.out$|\.err$", re.IGNORECASE
)


def sniff(path: Path, head: bytes) -> float:
    """How sure we are that this is a printed training log; `head` is the first 64 KiB."""
    if is_pointer(head):
        return 0.2 if path.suffix.lower() in _LFS_NAMES else 0.0
    text = text_of_head(head)
    suffix = path.suffix.lower()
    # A notebook, or JSON that its own reader did not want, is no print.
    if not text or (
        suffix in _NO_LOGS and text.lstrip()[:1] in ("{", "[") and suffix in (".json", ".ipynb")
    ):
        return 0.0
    try:
        reading = read_text(shown_page(text), path.stem)
    except GandoctorError:
        # Long model dumps may stand before the first record.
        return 0.1 if len(head) >= 1 << 16 and _LOG_NAME.search(path.name) else 0.0
    if suffix in _NO_LOGS:
        return 0.3 if max(len(s) for s in reading.signals) >= _LEAST else 0.0
    if suffix in (".csv", ".tsv", ".jsonl", ".ndjson"):
        return 0.4
    if max(len(s) for s in reading.signals) < 2:
        return 0.5 if _LOG_NAME.search(path.name) else 0.3
    return 0.7


def read(path: Path) -> Reading:
    """Read a printed training log.

    Raises
    ------
    GandoctorError
        The file is binary, a Git LFS pointer, or prints no training metrics.
    """
    text, lost = load_text(path, cut_lines=True)
    reading = read_text(shown_page(text), path.stem)
    return replace(reading, lost="; ".join(x for x in (*lost, reading.lost) if x) or None)


def read_runs(path: Path) -> list[tuple[str, Reading]]:
    """As `read`, for each of the runs that take turns in a log: a short name and a reading.

    Raises
    ------
    GandoctorError
        As `read` does.
    """
    text, lost = load_text(path, cut_lines=True)
    return [
        (label, replace(reading, lost="; ".join(x for x in (*lost, reading.lost) if x) or None))
        for label, reading in runs_of(shown_page(text), path.stem)
    ]
