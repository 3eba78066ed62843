"""Apply a prescription's diff.

Exact, atomic, with a backup, inside the run folder, and proved by reading it back.
"""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from gandoctor.errors import InputError
from gandoctor.files import writing
from gandoctor.prescribe import diff, swapping
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gandoctor.model.report import Edit, Prescription

MAX_BYTES: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Applied:
    """One file that was changed.

    Attributes
    ----------
    file : str
        Relative to the folder it was applied in.
    backup : str
        Name of the copy of the old file, relative likewise; empty where the result went to another
        file.
    keys : tuple of str
        The keys that changed, as read back.
    remarks : tuple of str
        What could not be kept as it was: the owner, or another name of the same file.
    """

    file: str
    backup: str
    keys: tuple[str, ...]
    remarks: tuple[str, ...] = ()


def inside(root: Path, file: str) -> Path:
    """The real path of a file of the run.

    Raises
    ------
    InputError
        If it lies outside `root`, through ``..`` or through a symbolic link.
    """
    name = PurePosixPath(file)
    if not file or name.is_absolute() or ".." in name.parts or "\\" in file or "\x00" in file:
        raise InputError("the file lies outside the run folder", where=file)
    try:
        home, path = root.resolve(strict=True), (root / name).resolve(strict=True)
    except (OSError, RuntimeError) as e:
        raise InputError("the file cannot be found", where=file) from e
    if not path.is_relative_to(home):
        raise InputError("the file lies outside the run folder", where=file)
    if not path.is_file():
        raise InputError("it is no file", where=file)
    return path


def read_text(path: Path, most: int = MAX_BYTES) -> str:
    """The text with its byte-order mark and line ends as they are.

    Raises
    ------
    InputError
        If it is too long, unreadable or not UTF-8.
    """
    try:
        with path.open("rb") as f:
            data = f.read(most + 1)
        if len(data) > most:
            raise InputError(f"the file is longer than {most // 1024} KiB", where=path.name)
        return data.decode("utf-8")
    except UnicodeDecodeError as e:
        raise InputError("the file is not UTF-8", where=path.name) from e
    except OSError as e:
        raise InputError(f"the file cannot be read ({e.strerror})", where=path.name) from e


def digest(text: str) -> str:
    """Name of this very text: SHA-256 of its UTF-8 bytes, in hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def apply(
    prescription: Prescription,
    root: Path,
    *,
    to: Path | None = None,
    force: bool = False,
    inputs: Iterable[Path] = (),
) -> tuple[Applied, ...]:
    """Change the user's files as the prescription's diff says.

    Parameters
    ----------
    prescription : Prescription
    root : Path
        Folder that the diff's files are relative to.
    to : Path, optional
        Write the changed file here and leave the original alone; only for a diff of one file.
    force : bool
        Whether a regular file that is there already may be replaced by `to`.
    inputs : iterable of Path
        What was read, and is never replaced.

    Returns
    -------
    tuple of Applied
        One for each file.

    Raises
    ------
    InputError
        If there is no diff; if a file has changed since the analysis, lies outside `root` or cannot
        be written; or if reading the result back shows anything but the intended keys changed.
        Nothing is changed then.
    UsageError
        `to` is no name for a new file.
    """
    if not prescription.diff or prescription.blocked_by:
        why = prescription.blocked_by or "it has no diff"
        raise InputError(
            f"{prescription.remedy} cannot be applied: {why}", hint="see its overrides or snippet"
        )
    bodies = diff.split(prescription.diff)
    if to is not None and len(bodies) != 1:
        raise InputError(
            f"the diff changes {len(bodies)} files", hint="apply it without naming one"
        )
    paths = {file: inside(root, file) for file in bodies}
    if to is not None:
        ((file, path),) = paths.items()
        _, new, keys = _worked_out(prescription, file, path, bodies[file])
        writing.write_bytes(to, new.encode(), inputs=inputs, new=not force, like=path.stat())
        return (Applied(file, "", keys),)
    with swapping.taking_turns(path.parent for path in paths.values()):
        return _swapped(prescription, paths, bodies)


def _swapped(
    prescription: Prescription, paths: Mapping[str, Path], bodies: Mapping[str, list[str]]
) -> tuple[Applied, ...]:
    items: dict[str, swapping.Swap] = {}
    found: dict[str, tuple[str, ...]] = {}
    for file, path in paths.items():
        old, new, found[file] = _worked_out(prescription, file, path, bodies[file])
        if not path.stat().st_mode & 0o222:  # a rename would get round it
            raise InputError(
                "is read-only",
                where=file,
                hint="make it writable, or write the new config elsewhere",
            )
        items[file] = swapping.Swap(path, old.encode(), new.encode())
    names = {path: file for file, path in paths.items()}
    swapping.swap(list(items.values()), lambda path: diff.stale(names[path]))
    return tuple(
        Applied(
            file,
            str(PurePosixPath(file).with_name(s.backup.name if s.backup else "")),
            found[file],
            tuple(s.remarks),
        )
        for file, s in items.items()
    )


def _worked_out(
    prescription: Prescription, file: str, path: Path, body: list[str]
) -> tuple[str, str, tuple[str, ...]]:
    """A file's old and new text, and the keys that differ."""
    old = read_text(path)
    if dict(prescription.made_for).get(file, digest(old)) != digest(old):
        raise diff.stale(file)
    new = diff.applied(old, body, file)
    return old, new, _proved(prescription, file, old, new)


def _proved(prescription: Prescription, file: str, old: str, new: str) -> tuple[str, ...]:
    """The keys that really differ, read by the format's own reader: exactly those of the edits."""
    from gandoctor.configs import formats
    from gandoctor.configs.splice import SpliceError

    wanted = [e for e in prescription.edits if e.file == file]
    if any(e.line for e in wanted):
        return _proved_in_code(wanted, file, old, new)
    try:
        got = set(formats.changes(file, old, new))
    except SpliceError as e:
        raise InputError(e.what, where=file) from e
    keys = {e.key for e in wanted}
    if not got or any(not any(_means(k, g) for k in keys) for g in got) or len(got) != len(keys):
        raise InputError(
            f"the patch would change {', '.join(sorted(got)) or 'nothing'}, not "
            f"{', '.join(sorted(keys))}",
            where=file,
            hint="analyse the run again",
        )
    return tuple(sorted(got))


def _proved_in_code(wanted: Sequence[Edit], file: str, old: str, new: str) -> tuple[str, ...]:
    """The keys of edits of code, where nothing but their pieces differs."""
    from gandoctor.configs.python.edits import is_only

    if not is_only(file, old, new, [(e.old, e.new) for e in wanted]):
        raise InputError("the patch would change something else", file, "analyse the run again")
    return tuple(sorted(e.key for e in wanted))


def _means(key: str, got: str) -> bool:
    """A key as the user's reader names it.

    Perhaps behind the index of a document or the name of a class.
    """
    return got == key or got.endswith(f".{key}")
