"""What is printed: to the standard output, to the standard error, to files."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from gandoctor.errors import of_system, shortened
from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_LONG_WORD = late_pattern(r"\S{400,}")


def write(target: str, text: str) -> None:
    """Write a report into a file, or print it where the target is ``-``."""
    if target == "-":
        say(text)
        return
    from gandoctor.files import writing

    writing.write_text(Path(target), text)


def hand_over(summary: Callable[[], str], written: Sequence[str], *, quiet: bool) -> None:
    """Say the summary and where the reports lie, unless a report was printed in its place."""
    if quiet or "-" in written:
        return
    say(summary(), clean=True)
    for target in written:
        say(f"report: {target}\n")


def say(text: str, *, clean: bool = False) -> None:
    """Print to the standard output.

    On a terminal what would steer it is spelled out, where it is not `clean` already.

    Where nobody reads on (``| head``) the rest goes nowhere: the exit code still tells the verdict.
    """
    if not clean and sys.stdout.isatty():
        text = _harmless(text)
    try:
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        mute(sys.stdout)
    except OSError as e:
        mute(sys.stdout)
        raise of_system(e, "the standard output", "cannot be written") from None


def _harmless(text: str) -> str:
    from gandoctor.reporters import wording

    # Line ends of a file's own are no trick.
    return "\r\n".join(wording.visible(part) for part in text.split("\r\n"))


def mute(stream: TextIO) -> None:
    """What is still to come of a stream goes nowhere."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def in_colour() -> bool:
    """Whether a terminal reads what is printed, or FORCE_COLOR asks for it; NO_COLOR goes first."""
    if "NO_COLOR" in os.environ:
        return False
    return sys.stdout.isatty() or os.environ.get("FORCE_COLOR", "0") not in ("", "0")


def hold_streams() -> None:
    """Keep a file that we open from taking the number of a stream that is closed.

    To write to that is an error.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_WRONLY if number == 2 else os.O_RDONLY)
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115  a descriptor, not a path
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def note(message: str) -> None:
    """Say a line on the standard error."""
    # Names of files are not ours: what would move the cursor or turn the line round is spelled out.
    shown = "".join(
        c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in message
    )
    lines = (
        shortened(_LONG_WORD.sub(lambda m: shortened(m[0]), line), 2_000)
        for line in shown.split("\n")
    )
    try:
        sys.stderr.write("\n".join(lines) + "\n")
        sys.stderr.flush()
    except OSError:
        mute(sys.stderr)
