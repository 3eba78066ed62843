"""Files that we write: whole or not at all, never through a link, only over plain files."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gandoctor.errors import UsageError, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["check", "shortened", "spare", "write_bytes", "write_text"]

_HINTS: Final = {
    errno.ENOENT: "give a path in a folder that exists",
    errno.ENOTDIR: "give a path in a folder that exists",
    errno.ENOSPC: "there is no room left on the disk; what was there before is untouched",
    errno.EDQUOT: "there is no room left for you on the disk; what was there before is untouched",
    errno.EACCES: "check the folder's permissions, or give another path",
    errno.EPERM: "check the folder's permissions, or give another path",
    errno.EROFS: "the file system is read-only; give another path",
    errno.ENAMETOOLONG: "give a shorter name",
    errno.EFBIG: "files may not grow that large here; what was there before is untouched",
}
# What a file system answers that knows no hard links, or no such thing as writing through to the
# disk.
_LACKING: Final = frozenset(
    {errno.EINVAL, errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
)
_NOFOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
_CLOEXEC: Final = getattr(os, "O_CLOEXEC", 0)
_BINARY: Final = getattr(os, "O_BINARY", 0)


def write_text(path: Path, text: str, *, inputs: Iterable[Path] = (), new: bool = False) -> None:
    """Write a file whole: into a new one beside it, which then takes its name.

    A run may be a stranger's: a link of that name is not followed, a pipe or device not written to.

    Parameters
    ----------
    path : Path
    text : str
        Written as UTF-8, line ends as they are; lone surrogates of a strange file name are spelled
        out.
    inputs : iterable of Path
        What was read: none of it is ever written over, by whatever name.
    new : bool
        Whether a file that is there already is an error, and is never replaced.

    Raises
    ------
    UsageError
        It cannot be written; what stood there before is as it was.
    """
    write_bytes(path, text.encode("utf-8", errors="backslashreplace"), inputs=inputs, new=new)


def write_bytes(
    path: Path,
    data: bytes,
    *,
    inputs: Iterable[Path] = (),
    new: bool = False,
    like: os.stat_result | None = None,
) -> None:
    """As `write_text`, with bytes as they are; a new file takes the mode and owner of `like`."""
    with _told(path):
        old = _there(path, new=new)
        if old is not None:
            spare([path], inputs)
        _replace(path, data, old or like, new=new)


def check(path: Path, *, new: bool = False) -> None:
    """Say what `write_text` would say of the path, before the work is done.

    Raises
    ------
    UsageError
        It is no name for a plain file in a folder that exists, or may not be written.
    """
    with _told(path):
        if _there(path, new=new) is None and not path.parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
        if not os.access(path.parent, os.W_OK):  # a file is replaced by a new one beside it
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def spare(targets: Iterable[Path], inputs: Iterable[Path]) -> None:
    """Refuse to write over what was read.

    Raises
    ------
    UsageError
        One of the targets is one of the inputs, by whatever name.
    """
    known = {found: t for t in targets if (found := _identity(t)) is not None}
    for one in inputs if known else ():
        if (target := known.get(_identity(one) or (0, 0))) is not None:
            where = shortened(str(target))
            raise UsageError(
                "was read, and is not written over", where, "give the report another name"
            )


def _identity(path: Path) -> tuple[int, int] | None:
    """What tells a file from all others; as `os.path.samefile` sees it."""
    try:
        found = path.stat()
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    where = shortened(str(path))
    try:
        yield
    except FileExistsError:
        raise UsageError("is there already", where, "give another name, or remove it") from None
    except OSError as e:
        raise UsageError(_why(e), where, _HINTS.get(e.errno or 0, "give another path")) from None
    except ValueError:  # a name with a zero byte
        raise UsageError(
            "is no name for a file", shortened(repr(str(path))), "give another path"
        ) from None


def _why(e: OSError) -> str:
    return f"cannot be written ({e.strerror or type(e).__name__})"


def _there(path: Path, *, new: bool) -> os.stat_result | None:
    """The plain file that stands there; None where nothing does."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return None
    where = shortened(str(path))
    if stat.S_ISLNK(found.st_mode):
        raise UsageError(
            "is a link, and what it leads to may be anybody's",
            where,
            "remove it, or give another path",
        )
    if stat.S_ISDIR(found.st_mode):
        raise UsageError("is a folder", where, "give the path of a file")
    if not stat.S_ISREG(found.st_mode):
        raise UsageError(
            "is no regular file", where, "give another path; `-` writes to the terminal or a pipe"
        )
    if new:
        raise FileExistsError
    if not os.access(path, os.W_OK):  # a rename would not ask
        raise UsageError("is write-protected", where, "give another path, or change its mode")
    return found


def _replace(path: Path, data: bytes, old: os.stat_result | None, *, new: bool) -> None:
    # Short, however long the name of the file is.
    fresh = path.with_name(f".gandoctor-{os.urandom(8).hex()}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW | _CLOEXEC | _BINARY
    handle = os.open(fresh, flags, 0o644 if old is None else 0o600)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            if old is not None:
                _like(old, out.fileno())
            _to_disk(out.fileno())
        if new:
            _take_free_name(fresh, path)
        else:
            os.replace(fresh, path)  # noqa: PTH105  the same as Path.replace, beside its kin
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(fresh)  # noqa: PTH108
        raise
    with contextlib.suppress(
        OSError
    ):  # the name survives a power cut, too, where the system can do that
        folder = os.open(path.parent, os.O_RDONLY | _CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _like(old: os.stat_result, handle: int) -> None:
    """A file that is replaced hands on its mode and, where that is allowed, its owner."""
    if hasattr(os, "fchown"):
        with contextlib.suppress(OSError):
            os.fchown(handle, old.st_uid, old.st_gid)
    if hasattr(os, "fchmod"):
        with contextlib.suppress(OSError):
            os.fchmod(handle, stat.S_IMODE(old.st_mode) & 0o777)


def _take_free_name(fresh: Path, path: Path) -> None:
    """Rename, but fail where a file of that name has come meanwhile."""
    try:
        os.link(fresh, path)
    except OSError as e:
        if e.errno not in _LACKING:
            raise
        if os.path.lexists(path):
            raise FileExistsError from None
        os.rename(fresh, path)  # noqa: PTH104
    else:
        os.unlink(fresh)  # noqa: PTH108


def _to_disk(handle: int) -> None:
    try:
        os.fsync(handle)
    except OSError as e:
        if e.errno not in _LACKING:  # anything else is a lost write
            raise
