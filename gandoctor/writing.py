"""Files that we write: whole or not at all, never through a link, never over what is not a plain file."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gandoctor.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

_HINTS: Final = {
    errno.ENOENT: "give a path in a folder that exists",
    errno.ENOTDIR: "give a path in a folder that exists",
    errno.ENOSPC: "there is no room left on the disk; what was there before is untouched",
    errno.EDQUOT: "there is no room left for you on the disk; what was there before is untouched",
    errno.EACCES: "check the folder's permissions, or give another path",
    errno.EPERM: "check the folder's permissions, or give another path",
    errno.EROFS: "the file system is read-only; give another path",
    errno.ENAMETOOLONG: "give a shorter name",
}
_NOFOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
_CLOEXEC: Final = getattr(os, "O_CLOEXEC", 0)
_BINARY: Final = getattr(os, "O_BINARY", 0)


def write_text(path: Path, text: str, *, inputs: Iterable[Path] = ()) -> None:
    """Write a file whole: into a new one beside it, which then takes its name.

    A run may be a stranger's: a link of that name is not followed, a pipe or device not written to.

    Parameters
    ----------
    path : Path
    text : str
        Written as UTF-8; lone surrogates of a strange file name are spelled out.
    inputs : iterable of Path
        What was read: none of it is ever written over, by whatever name.

    Raises
    ------
    UsageError
        It cannot be written; what stood there before is as it was.
    """
    write_bytes(path, text.encode("utf-8", errors="backslashreplace"), inputs=inputs)


def write_bytes(path: Path, data: bytes, *, inputs: Iterable[Path] = ()) -> None:
    """As `write_text`, with bytes as they are."""
    try:
        mode = _mode_of(path)
        if mode is not None:
            _refuse_inputs(path, inputs)
        _replace(path, data, 0o644 & ~_umask() if mode is None else mode)
    except OSError as e:
        raise UsageError(_why(e), shortened(str(path)), _HINTS.get(e.errno or 0, "give another path")) from None
    except ValueError:  # a name with a zero byte
        raise UsageError("is no name for a file", shortened(repr(str(path))), "give another path") from None


def _why(e: OSError) -> str:
    return f"cannot be written ({e.strerror or type(e).__name__})"


def _mode_of(path: Path) -> int | None:
    """Permissions of what stands there; None where nothing does."""
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return None
    where = shortened(str(path))
    if stat.S_ISLNK(found.st_mode):
        raise UsageError("is a link, and what it leads to may be anybody's", where, "remove it, or give another path")
    if stat.S_ISDIR(found.st_mode):
        raise UsageError("is a folder", where, "give the path of a file")
    if not stat.S_ISREG(found.st_mode):
        raise UsageError("is no regular file", where, "give another path; `-` writes to the terminal or a pipe")
    return stat.S_IMODE(found.st_mode) & 0o777


def _refuse_inputs(path: Path, inputs: Iterable[Path]) -> None:
    for one in inputs:
        with contextlib.suppress(OSError):
            if one.exists() and os.path.samefile(path, one):
                raise UsageError(
                    "was read, and is not written over", shortened(str(path)), "give the report another name"
                )


def _replace(path: Path, data: bytes, mode: int) -> None:
    fresh = path.with_name(f".{path.name[:100]}.{secrets.token_hex(6)}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW | _CLOEXEC | _BINARY
    handle = os.open(fresh, flags, mode)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        os.replace(fresh, path)  # noqa: PTH105  the same as Path.replace, beside its kin
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(fresh)  # noqa: PTH108
        raise


def _umask() -> int:
    # There is no way to read it but to set it; threads of ours write no files meanwhile.
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def shortened(text: str, most: int = 200) -> str:
    """A name that fits into a sentence."""
    return text if len(text) <= most else f"{text[: most // 2]}...{text[-most // 4 :]} ({len(text):,} characters)"
