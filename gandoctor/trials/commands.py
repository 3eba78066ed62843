"""The user's own command, run several at a time for so long; nothing of it is left running."""

from __future__ import annotations

import contextlib
import functools
import os
import re
import shlex
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gandoctor.errors import GandoctorError, InputError, UsageError, of_system
from gandoctor.files.below import head_of
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PAUSE: Final = 0.05  # seconds between looks at what runs
GRACE: Final = 1.0  # seconds to end by itself once it is told to
SAID: Final = "output.txt"
_TAIL: Final = 4000
_SCRIPT: Final = 2_000_000  # bytes of one that are looked at
ARGS: Final = "{args}"  # a word of its own
_PLACES: Final = ("config", "out", "seed")


class Command:
    """A command with ``{config}`` or ``{args}``, with ``{out}``, and ``{seed}`` where it takes one.

    Parameters
    ----------
    text : str
        Split as a shell would, but run without one.

    Raises
    ------
    UsageError
        It names neither ``{config}`` nor ``{args}``, or no ``{out}``, or cannot be split.
    """

    def __init__(self, text: str) -> None:
        try:
            self.words = shlex.split(text)
        except ValueError as e:
            raise UsageError(f"cannot be split ({e})", f"--train {text}", "close the quotes") from e
        if not self.takes_args and not any("{config}" in w for w in self.words):
            raise UsageError(
                "does not say where the config or the changed options go",
                f"--train {text}",
                "write it as python train.py --config {config} --out {out}, or as "
                "python train.py YOUR OPTIONS {args} --out {out}",
            )
        if not any("{out}" in w for w in self.words):
            raise UsageError(
                "does not say where the log goes, and could write over the run's own",
                f"--train {text}",
                "add --out {out}, or what the script calls it; where it only prints, begin with "
                "env OUT={out}",
            )

    @property
    def takes_args(self) -> bool:
        """Whether the command line has a place for the options that are changed."""
        return ARGS in self.words

    @property
    def takes_seed(self) -> bool:
        """Whether the command line has a place for the seed."""
        return any("{seed}" in w for w in self.words)

    def filled(self, args: Sequence[str] = (), **values: object) -> list[str]:
        """The words with their places filled, that of the options by as many as there are."""
        said = [self._spelled(a) for a in args]
        words = [x for w in self.words for x in (said if w == ARGS else [w])]
        for name in _PLACES:
            words = [w.replace(f"{{{name}}}", str(values[name])) for w in words]
        return words

    def _spelled(self, option: str) -> str:
        """An option with dashes where the command or its script has it so: records never do."""
        name, equals, value = option.partition("=")
        dashed = name.replace("_", "-")
        if name.startswith("--") and not self._names(name) and self._names(dashed):
            return f"{dashed}{equals}{value}"
        return option

    def _names(self, option: str) -> bool:
        return bool(re.search(rf"{re.escape(option)}(?![\w-])", self.written))

    @functools.cached_property
    def written(self) -> str:
        """The command and the scripts that it names, as far as they lie here."""
        texts = list(self.words)
        # train.py, -m my.train
        for name in (w for word in self.words for w in (word, f"{word.replace('.', '/')}.py")):
            if name.endswith(".py"):
                with contextlib.suppress(OSError, GandoctorError):  # no file, or none to be read
                    texts += [head_of(Path(name), _SCRIPT).decode("utf-8", "replace")]
        return "\n".join(texts)


@dataclass(frozen=True, slots=True)
class Task:
    """One training: what is run, and where it leaves what it logs."""

    words: tuple[str, ...]
    out: Path
    config: Path
    key: Any


@dataclass(frozen=True, slots=True)
class Ended:
    """A training that ended.

    Attributes
    ----------
    code : int or None
        Its exit code; None where it was stopped.
    seconds : float
    tail : str
        The end of what it printed.
    """

    task: Task
    code: int | None
    seconds: float
    tail: str


def run_all(tasks: Sequence[Task], jobs: int, until: float) -> Iterator[Ended]:
    """Run trainings, so many at a time, until a moment of the monotonic clock; yields each ended.

    What has not ended by then is stopped and yielded without a code, what has not begun is left.
    However the caller leaves, all that was begun is stopped.
    """
    waiting = list(tasks)
    running: list[tuple[Task, Any, float]] = []
    try:
        while waiting or running:
            late = time.monotonic() >= until
            if late:
                waiting.clear()
            done = [e for e in running if late or e[1].poll() is not None]
            # The next begin before the caller looks at those that have ended: that takes a while.
            while waiting and len(running) - len(done) < jobs:
                task = waiting.pop(0)
                running.append((task, _begun(task), time.monotonic()))
            for entry in done:
                running.remove(entry)
                yield _ended(*entry)
            time.sleep(PAUSE)
    finally:
        for _, process, _ in running:
            stop(process)


def _begun(task: Task) -> Any:
    task.out.mkdir(parents=True, exist_ok=True)
    with (task.out / SAID).open("wb") as said:
        try:
            return subprocess.Popen(  # noqa: S603  the user's own command
                task.words,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as e:
            fault = of_system(e, task.words[0], "cannot be run")
            raise InputError(fault.what, f"--train {task.words[0]}", fault.hint) from None


def _ended(task: Task, process: Any, begun: float) -> Ended:
    code = process.poll()
    taken = time.monotonic() - begun
    stop(process)
    with (task.out / SAID).open("rb") as said:
        said.seek(max(0, said.seek(0, os.SEEK_END) - _TAIL))
        tail = said.read().decode("utf-8", "replace")
    return Ended(task, code, taken, tail)


def stop(process: Any) -> None:
    """End a process and all that it began, at once where it does not heed."""
    for way, grace in ((signal.SIGTERM, GRACE), (getattr(signal, "SIGKILL", signal.SIGTERM), 5.0)):
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, way)
        elif process.poll() is None:
            process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(grace)
            if way != signal.SIGTERM or not _has_children(process.pid):
                return


def _has_children(group: int) -> bool:
    """Whether a process group has members left."""
    try:
        os.killpg(group, 0)
    except (AttributeError, ProcessLookupError, PermissionError):
        return False
    return True
