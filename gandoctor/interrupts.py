"""Ctrl-C from the first line on.

Wherever it falls, the command ends with 130 and without a traceback.

An interrupt that falls into the loading of a module may come out as another error, or be swallowed
there: so what is heard is remembered, too.
"""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from types import FrameType

CODE: Final = 130  # as shells count it: 128 and the number of the signal
_heard: Final[list[int]] = []


def listen() -> None:
    """Remember interrupts from now on.

    Where they are ignored (``nohup``) or handled otherwise, that is left alone.
    """
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return
    try:
        signal.signal(signal.SIGINT, _hear)
    except ValueError:  # not the main thread: interrupts are not ours
        return
    sys.unraisablehook = _say_unless_heard


def heard() -> bool:
    """Whether there was one."""
    return bool(_heard)


def leave() -> NoReturn:
    """End the command as an interrupt does; a second one changes nothing any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # An interrupt inside of `exec(text)` (every dataclass is made by one) leaves CPython a note to
    # die of the signal however we exit; the next `exec` of a text takes the note away (pythonrun.c,
    # run_eval_code_obj).
    exec("")  # noqa: S102
    sys.exit(CODE)


def _hear(number: int, frame: FrameType | None) -> None:
    _heard.append(number)
    raise KeyboardInterrupt


def _say_unless_heard(fault: sys.UnraisableHookArgs) -> None:
    if not (heard() and isinstance(fault.exc_value, KeyboardInterrupt)):
        sys.__unraisablehook__(fault)
