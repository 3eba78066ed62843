"""The same work on many things, in several processes at a time.

A process begins as a copy of this one, so that nothing is loaded or read again; where the system
makes no such copies (Windows), or libraries do not bear it (macOS), all is done here.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

from gandoctor import interrupts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_T = TypeVar("_T")
_NO_COPIES: Final = ("win32", "darwin")
_given: Final[list[Callable[[int], Any]]] = []


def each(work: Callable[[int], _T], count: int, jobs: int = 1) -> Iterator[_T]:
    """What `work` gives for 0, 1, 2, ... up to `count`, in this order.

    What fails in another process is done again in this one, so that it fails as it would here.

    Parameters
    ----------
    work : callable
        Changes nothing; what it gives can be pickled.
    count : int
    jobs : int
        Processes at a time.
    """
    jobs = min(jobs, count)
    if jobs < 2 or sys.platform in _NO_COPIES:
        yield from map(work, range(count))
        return
    import multiprocessing
    from concurrent.futures import ProcessPoolExecutor

    waiting: list[Any] = []
    others = set(multiprocessing.active_children())
    _given.append(work)
    pool = ProcessPoolExecutor(jobs, multiprocessing.get_context("fork"), initializer=_begin)
    try:
        with _nothing_heard():
            waiting = [pool.submit(_done, k) for k in range(count)]
        waiting.reverse()
        for k in range(count):
            if interrupts.heard():  # where an error of another kind came of it
                raise KeyboardInterrupt
            try:
                fine, made = waiting.pop().result()
            except Exception:  # it was killed, for its memory, say, or could not hand it over
                fine, made = False, None
            yield made if fine else work(k)
    finally:
        _given.pop()
        if waiting:  # somebody has had enough: an interrupt, an error
            for process in set(multiprocessing.active_children()) - others:
                process.terminate()
        pool.shutdown(cancel_futures=True)


@contextmanager
def _nothing_heard() -> Iterator[None]:
    """An interrupt waits until the processes have begun."""
    import signal

    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin() -> None:
    """An interrupt ends a process without a word: the one that it works for has heard it, too."""
    import signal

    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _done(k: int) -> tuple[bool, Any]:
    try:
        return True, _given[-1](k)
    except Exception:
        return False, None
