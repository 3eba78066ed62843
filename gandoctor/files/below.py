"""Files below a folder, and what their first bytes say.

Bounded, sorted, never out of the folder.
"""

from __future__ import annotations

import os
import stat
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gandoctor.errors import InputError
from gandoctor.patterns import late_pattern
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

HEAD: Final = 64 * 1024
MAX_DEPTH: Final = 10
MAX_FILES: Final = 20_000

_SKIPPED_FOLDERS: Final = frozenset(
    {
        "venv",
        "env",
        "node_modules",
        "__pycache__",
        "site-packages",
        "dist-packages",
        "htmlcov",
        "egg-info",
    }
)
_KEPT_HIDDEN: Final = frozenset({".hydra"})
POINTER: Final = b"version https://git-lfs.github.com/spec/"
# First bytes of what is no log, and how to say so. Offset 0 unless noted.
_MAGIC: Final[tuple[tuple[bytes, str, str], ...]] = (
    (
        POINTER,
        "is a Git LFS pointer; the log itself was not downloaded",
        "run `git lfs pull` first",
    ),
    (
        b"/annex/objects/",
        "is a git-annex pointer; the log itself was not downloaded",
        "run `git annex get` first",
    ),
    (b"\x00GITCRYPT\x00", "is encrypted (git-crypt)", "run `git-crypt unlock` first"),
    (b"Salted__", "is encrypted (openssl)", "decrypt it first"),
    (b"age-encryption.org/", "is encrypted (age)", "decrypt it first"),
    (b"-----BEGIN PGP MESSAGE", "is encrypted (PGP)", "decrypt it first"),
    (b"$ANSIBLE_VAULT", "is encrypted (Ansible Vault)", "decrypt it first"),
    (b"\x1f\x8b", "is compressed (gzip)", "unpack it first"),
    (b"BZh", "is compressed (bzip2)", "unpack it first"),
    (b"\xfd7zXZ\x00", "is compressed (xz)", "unpack it first"),
    (b"\x28\xb5\x2f\xfd", "is compressed (zstd)", "unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "is a 7z archive", "unpack it first"),
    (
        b"PK\x03\x04",
        "is a zip archive (a checkpoint, a spreadsheet or packed files)",
        "give the log or its folder",
    ),
    (b"PAR1", "is a Parquet file, which cannot be read yet", "export it as CSV"),
    (b"\x89HDF\r\n\x1a\n", "is an HDF5 file (weights or data)", "give the training log"),
    (b"\x93NUMPY", "is a numpy array", "give the training log or the folder of the run"),
    (b"\x89PNG\r\n\x1a\n", "is a picture", "give the training log or the folder of the run"),
    (b"\xff\xd8\xff", "is a picture", "give the training log or the folder of the run"),
    (b"GIF8", "is a picture", "give the training log or the folder of the run"),
    (b"%PDF", "is a PDF", "give the training log"),
    (b"\x7fELF", "is a program", "give the training log"),
    (
        b"\x80\x02",
        "is a Python pickle, which is never executed",
        "export the metrics as CSV or JSON",
    ),
    (
        b"\x80\x03",
        "is a Python pickle, which is never executed",
        "export the metrics as CSV or JSON",
    ),
    (
        b"\x80\x04",
        "is a Python pickle, which is never executed",
        "export the metrics as CSV or JSON",
    ),
    (
        b"\x80\x05",
        "is a Python pickle, which is never executed",
        "export the metrics as CSV or JSON",
    ),
)

_OWN: Final = late_pattern(rb'"schema"\s*:\s*"gandoctor\.(?:reports?|comparison)/')


@dataclass(slots=True)
class Tree:
    """Regular files below one folder.

    Attributes
    ----------
    root : Path
    files : list of Path
        Absolute, sorted by folder, then name.
    notes : list of str
        What was left out, in words.
    denied : int
        Folders and files that could not be opened.
    """

    root: Path
    files: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    denied: int = 0


@dataclass(slots=True)
class Folder:
    """One folder of a walk.

    Attributes
    ----------
    name : str
        Relative to where the walk began, ending in a slash; empty there.
    level : int
        How far below that.
    entries : list of DirEntry or None
        Sorted by name; None where it cannot be opened.
    below : list of DirEntry
        The folders to go on with: filled by who walks.
    """

    name: str
    level: int
    entries: list[os.DirEntry[str]] | None
    below: list[os.DirEntry[str]] = field(default_factory=list)


def folders(root: Path) -> Iterator[Folder]:
    """The folders below one, each before those in it; who asks says where to go on."""
    stack = [(os.fspath(root), "", 0)]
    while stack:
        path, name, level = stack.pop()
        try:
            with os.scandir(path) as entries:
                found = sorted(entries, key=lambda e: e.name)
        except OSError:
            yield Folder(name, level, None)
            continue
        here = Folder(name, level, found)
        yield here
        stack += [(e.path, f"{name}{e.name}/", level + 1) for e in reversed(here.below)]


def walk(root: Path, *, depth: int = MAX_DEPTH) -> Tree:
    """Regular files below `root`: hidden folders, environments and links are passed over.

    Links are never followed: inside the folder they would count a file twice
    (``wandb/latest-run``), outside it they lead where nobody asked us to go.
    """
    tree = Tree(root)
    linked = deep = 0
    for folder in folders(root):
        if folder.entries is None:
            tree.denied += 1
            continue
        for entry in folder.entries:
            try:
                if entry.is_symlink():
                    linked += _leads_outside(Path(entry.path), root)
                elif entry.is_dir(follow_symlinks=False):
                    if _skipped(entry.name):
                        continue
                    if folder.level >= depth:
                        deep += 1
                    else:
                        folder.below.append(entry)
                elif entry.is_file(follow_symlinks=False) and not entry.name.startswith("."):
                    tree.files.append(Path(entry.path))
            except OSError:
                tree.denied += 1
        if len(tree.files) > MAX_FILES:
            tree.notes.append(f"only the first {MAX_FILES:,} files of the folder were looked at")
            del tree.files[MAX_FILES:]
            break
    if linked:
        tree.notes.append(
            f"{linked} symbolic link(s) that lead out of the folder were not followed"
        )
    if deep:
        tree.notes.append(f"{deep} folder(s) more than {depth} levels down were not looked at")
    if tree.denied:
        tree.notes.append(
            f"{tree.denied} folder(s) or file(s) could not be opened (permission denied)"
        )
    return tree


def _skipped(name: str) -> bool:
    if name in _KEPT_HIDDEN:
        return False
    return name.startswith(".") or name.lower() in _SKIPPED_FOLDERS or name.endswith(".egg-info")


def _leads_outside(link: Path, root: Path) -> bool:
    try:
        return not link.resolve(strict=True).is_relative_to(root)
    except (OSError, RuntimeError):
        return False


def head_of(path: Path, size: int = HEAD) -> bytes:
    """The first bytes of a regular file.

    Raises
    ------
    InputError
        Where it cannot be opened, or is no regular file (opening a pipe would hang).
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise InputError(
                "is not a regular file", path.name, "give a training log or the folder of a run"
            )
        if not found.st_size:  # what lies in /proc has no size either, and reading it may never end
            return b""
        with path.open("rb") as file:
            return file.read(size)
    except PermissionError:
        raise InputError(
            "cannot be read (permission denied)", path.name, "check the file's permissions"
        ) from None
    except OSError as e:
        raise InputError(f"cannot be read ({e.strerror or e})", path.name) from None


def is_own_report(head: bytes) -> bool:
    """Whether a file is one of our own reports as JSON, however it was laid out since.

    They lie beside logs.
    """
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return text.startswith(b"{") and _OWN.search(text) is not None


def wrote(path: Path) -> bool:
    """Whether a file is one of our own reports; False where it cannot be told."""
    try:
        return path.suffix.lower() == ".json" and is_own_report(head_of(path))
    except InputError:
        return False


def foreign(head: bytes) -> tuple[str, str] | None:
    """What a file is that can be no log, by its first bytes, and what to do about it.

    None where it may be one.
    """
    if is_own_report(head):
        return (
            "is a report that gandoctor wrote, no log and no config",
            "give what it was made from",
        )
    for magic, what, hint in _MAGIC:
        if head.startswith(magic):
            return what, hint
    if head[257:262] == b"ustar":
        return "is a tar archive", "unpack it first"
    return None


def seen_from(path: Path, root: Path) -> str:
    """`path` seen from `root`, POSIX; the bare name where it lies outside."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
