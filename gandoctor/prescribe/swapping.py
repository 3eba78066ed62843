"""Put a new text in a file's place.

Whole or not at all, with a whole backup, and never over what somebody just saved.

Two patches at once take turns. What an editor saves between reading and writing stays: the old and
the new file change places in one step where the system can do that, and change back where the old
one is not what was read.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import sys
import time
from dataclasses import field
from typing import TYPE_CHECKING, Final

from gandoctor.errors import InputError, of_system
from gandoctor.files import backups
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

PATIENCE: Final = 10.0  # seconds that another patch of the same folder is waited for
MOST_BACKUPS: Final = 1000
_LINKLESS: Final = frozenset(
    {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
)


@dataclass(slots=True)
class Swap:
    """One file to be changed.

    Attributes
    ----------
    path : Path
        The real file.
    old, new : bytes
        What was read, and what is to stand there.
    backup : Path or None
        Where the old file lies once it is done.
    remarks : list of str
        What could not be kept as it was; fit to be shown to the user.
    """

    path: Path
    old: bytes
    new: bytes
    backup: Path | None = None
    remarks: list[str] = field(default_factory=list)


@contextlib.contextmanager
def taking_turns(folders: Iterable[Path]) -> Iterator[None]:
    """Hold folders against other patches; where the file system knows no locks, nothing is held.

    Raises
    ------
    InputError
        Another patch is at work there, and does not end.
    """
    with contextlib.ExitStack() as held:
        for folder in sorted(set(folders)):
            _hold(folder, held)
        yield


def _hold(folder: Path, held: contextlib.ExitStack) -> None:
    try:
        import fcntl

        handle = os.open(folder, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    except (ImportError, OSError):
        return
    held.callback(os.close, handle)
    end = time.monotonic() + PATIENCE
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > end:
                raise InputError(
                    "is being changed by another patch", folder.name, "try again in a moment"
                ) from None
            time.sleep(0.02)
        except OSError:
            return
        else:
            return


def swap(items: list[Swap], stale: Callable[[Path], InputError]) -> None:
    """Change all files or none; each gets its backup.

    Parameters
    ----------
    items : list of Swap
    stale : callable
        The error for a file that is no more what was read.

    Raises
    ------
    InputError
        Nothing is changed then.
    """
    made: list[Path] = []  # complete files under names of their own
    done: list[Swap] = []
    at = items[0].path
    try:
        fresh: list[Path] = []
        for item in items:
            at = item.path
            fresh.append(_beside(item, item.new, made))
        for item in items:
            at = item.path
            item.backup = _backed_up(item, made)
        for item, ready in zip(items, fresh, strict=True):
            at = item.path
            _change_places(item, ready, made, stale)
            done.append(item)
    except BaseException as e:
        for item in items:
            _undo(item, changed=item in done)
        if isinstance(e, OSError):
            raise of_system(e, at.name, "cannot be written, and is as it was") from e
        raise
    finally:
        for path in made:
            path.unlink(missing_ok=True)
    for item in items:
        _to_disk(item.path.parent)


def _beside(item: Swap, data: bytes, made: list[Path]) -> Path:
    """A complete file beside the old one, with its owner and mode."""
    fresh = item.path.with_name(f".gandoctor-{secrets.token_hex(8)}.tmp")
    flags = (
        os.O_WRONLY
        | os.O_CREAT
        | os.O_EXCL
        | getattr(os, "O_CLOEXEC", 0)
        | getattr(os, "O_BINARY", 0)
    )
    handle = os.open(fresh, flags, 0o600)
    made.append(fresh)
    with os.fdopen(handle, "wb") as out:
        out.write(data)
        out.flush()
        _like(item, out.fileno())
        os.fsync(out.fileno())
    return fresh


def _like(item: Swap, handle: int) -> None:
    """Hand on owner, group, mode and what else hangs on the file; what cannot be is remarked."""
    was = item.path.stat()
    if hasattr(os, "fchown"):
        for owner, group in ((was.st_uid, was.st_gid), (-1, was.st_gid)):
            with contextlib.suppress(OSError):
                os.fchown(handle, owner, group)
                break
    is_now = os.fstat(handle)
    mode = stat.S_IMODE(was.st_mode)
    if (is_now.st_uid, is_now.st_gid) != (was.st_uid, was.st_gid):
        mode &= 0o777
        said = "its owner or group could not be kept"
        if said not in item.remarks:
            item.remarks.append(said)
    with contextlib.suppress(OSError, NotImplementedError):
        if os.chmod in os.supports_fd:
            os.chmod(handle, mode)
    if hasattr(os, "listxattr"):
        for name in _attributes(item.path):
            with contextlib.suppress(OSError):
                os.setxattr(handle, name, os.getxattr(item.path, name))


def _attributes(path: Path) -> list[str]:
    try:
        return os.listxattr(path)
    except OSError:
        return []


def _backed_up(item: Swap, made: list[Path]) -> Path:
    """A whole copy under the first free name, never over an older one.

    It comes into being complete.
    """
    copy = _beside(item, item.old, made)
    for n in range(MOST_BACKUPS):
        backup = item.path.with_name(backups.name(item.path.name, n))
        if os.path.lexists(backup):
            continue
        try:
            os.link(copy, backup)
        except FileExistsError:
            continue
        except OSError as e:
            if e.errno not in _LINKLESS:
                raise
            os.rename(copy, backup)  # noqa: PTH104  a folder that is held, and a name that was free
        return backup
    raise InputError(
        "there are too many backups already", item.path.name, "remove some of the .orig files"
    )


def _change_places(
    item: Swap, fresh: Path, made: list[Path], stale: Callable[[Path], InputError]
) -> None:
    if item.path.read_bytes() != item.old:
        raise stale(item.path)
    if item.path.stat().st_nlink > 1:
        item.remarks.append("its other names (hard links) still lead to the old file")
    if not _exchange(fresh, item.path):
        os.replace(fresh, item.path)  # noqa: PTH105
        return
    # `fresh` is now the file that stood there at that very moment.
    if fresh.read_bytes() != item.old:
        _exchange(fresh, item.path)
        if (
            fresh.read_bytes() != item.new
        ):  # saved again in the meantime: that is nobody's to remove
            made.remove(fresh)
        raise stale(item.path)
    if fresh.stat().st_nlink == 1 and item.backup is not None:
        os.utime(fresh)  # a backup is younger than the log of the run that it patches
        os.replace(fresh, item.backup)  # noqa: PTH105  who had it open and writes on does so into the backup


def _exchange(one: Path, other: Path) -> bool:
    """Let two files change places in one step; False where the system cannot."""
    names = os.fsencode(one), os.fsencode(other)
    try:
        import ctypes

        libc = ctypes.CDLL(None)
        if sys.platform == "darwin":
            return bool(libc.renamex_np(*names, 2) == 0)  # RENAME_SWAP
        # AT_FDCWD, RENAME_EXCHANGE.
        return bool(libc.renameat2(-100, names[0], -100, names[1], 2) == 0)
    except (ImportError, OSError, AttributeError, TypeError):
        return False


def _undo(item: Swap, *, changed: bool) -> None:
    """As it was before; what somebody saved since is left alone."""
    if item.backup is None:
        return
    with contextlib.suppress(OSError):
        if not changed:
            item.backup.unlink()
        elif item.path.read_bytes() == item.new:
            os.replace(item.backup, item.path)  # noqa: PTH105


def _to_disk(folder: Path) -> None:
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
