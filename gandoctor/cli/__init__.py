"""The command line: argv in, exit code out. Everything heavy is imported where a command runs."""

from __future__ import annotations

import errno
import os
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from gandoctor import interrupts
from gandoctor.cli import occasion
from gandoctor.cli.commands import app
from gandoctor.cli.saying import hold_streams, mute, note
from gandoctor.errors import GandoctorError, RuleError, of_system

if TYPE_CHECKING:
    from collections.abc import Callable


def main() -> NoReturn:
    """Run the command line; every error is one sentence on stderr and exit code 2."""
    interrupts.listen()
    occasion.typed(sys.argv[1:])
    hold_streams()
    if not sys.warnoptions:  # a sum of infinities is no news: the report says what is not finite
        warnings.filterwarnings("ignore", category=RuntimeWarning, module="numpy|gandoctor")
    for stream in (sys.stdout, sys.stderr):
        reconfigure: Callable[..., None] | None = getattr(stream, "reconfigure", None)
        if reconfigure:
            # A strange tag must not end the report on a narrow console.
            reconfigure(errors="backslashreplace")
    try:
        code = _run()
    except BaseException as e:
        if not interrupts.heard() and not isinstance(e, KeyboardInterrupt):
            raise
        code = interrupts.CODE
    if interrupts.heard():
        code = interrupts.CODE
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            mute(stream)
    sys.exit(code)


def _narrow(asked: str) -> None:
    """Leave the app the one command that is asked for, or complete it where that is another.

    Typer works out the options of every command that it has, which takes longer than one needs.
    """
    wanted = [c for c in app.registered_commands if c.callback and c.callback.__name__ == asked]
    if wanted:
        app.registered_commands = wanted
        return
    from gandoctor.cli import probing as _probing  # noqa: F401  its commands join the app
    from gandoctor.cli.rules import rules_app

    app.add_typer(rules_app, name="rules")


def _run() -> int:
    """Run the command; gives the exit code."""
    _narrow(sys.argv[1] if len(sys.argv) > 1 else "")
    try:
        app()
    except SystemExit as e:
        # Where a reader of the help went away, click exits with 1, which is said of failing runs
        # alone.
        if isinstance(e.__context__, OSError) and e.__context__.errno == errno.EPIPE:
            return 0
        return e.code if isinstance(e.code, int) else int(e.code is not None)
    except BrokenPipeError:
        return 2
    except RuleError as e:
        _complain("\n".join(" ".join(line.split()) for line in str(e).splitlines()))
    except GandoctorError as e:
        _complain(" ".join(str(e).split()))
    except Exception as e:
        if "GANDOCTOR_DEBUG" in os.environ:
            raise
        _complain(_unforeseen(e))
    else:
        return 0
    return 2


def _complain(message: str) -> None:
    if not interrupts.heard():  # then it may well be the cause, and is an answer by itself
        note(f"gandoctor: {message}")


def _unforeseen(e: Exception) -> str:
    if isinstance(e, OSError) and e.errno is not None:
        if e.filename is None:
            try:
                Path.cwd()
            except OSError:
                return "the folder that you work in is gone; change into one that is there"
        return " ".join(str(of_system(e)).split())
    return (
        f"internal error ({type(e).__name__}: {e}); GANDOCTOR_DEBUG=1 shows where, please report it"
    )
