"""``gandoctor patch``: print a prescription's diff, or apply it."""

from __future__ import annotations

import contextlib
import os
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from gandoctor import api
from gandoctor.errors import InputError, UsageError
from gandoctor.files import backups, writing
from gandoctor.prescribe import NOTES, applying
from gandoctor.reporters import wording as w

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from gandoctor.api import Options
    from gandoctor.model.report import Prescription, Report


def run(
    path: Path,
    number: int | None,
    options: Options,
    *,
    apply: bool = False,
    to: Path | None = None,
    force: bool = False,
) -> str:
    """Print one prescription of a run, or apply it.

    Parameters
    ----------
    path : Path
        A log or run folder.
    number : int or None
        Which prescription, counted from 1 in the order of the report; None: the first that has a
        diff.
    options : Options
    apply : bool
        Change the config file itself; a backup is kept.
    to : Path, optional
        Write the changed config here instead: a new file.
    force : bool
        Let `to` be a file that is there already.

    Returns
    -------
    str
        What was done, or the diff.

    Raises
    ------
    GandoctorError
        Nothing to apply, the file changed since it was read, or it was patched since the run was
        logged.
    """
    if apply and to is not None:
        raise UsageError(
            "one of them only",
            "--apply and --to",
            "--apply changes the config, --to writes another file",
        )
    if force and to is None:
        raise UsageError("says nothing without --to", "--force", "--to FILE --force replaces FILE")
    if to is not None:
        with _told_of(to):
            writing.check(to)
    found = api.analyze_with_roots(path, options)
    if len(found) > 1:
        raise api.several([report.run.name for _, report in found], str(path))
    run_root, report = found[0]
    number, chosen = _chosen(report, number)
    root = options.repo if chosen.base == "repo" and options.repo is not None else run_root
    if to is not None:
        return _written(chosen, root, to, force=force, logs=_logs(report, run_root))
    if apply:
        return "\n".join((_applied(chosen, root, report, run_root), *_told(chosen, NOTES[2:])))
    return _text(chosen, number, len(report.prescriptions), report.preferences)


def _written(
    chosen: Prescription, root: Path, to: Path, *, force: bool, logs: Iterable[Path]
) -> str:
    if any(_same(to, root / e.file) for e in chosen.edits):
        raise UsageError(
            "that is the config itself", f"--to {to}", "--apply changes it, and keeps a backup"
        )
    if os.path.lexists(to) and not force:
        raise UsageError(
            "is there already", f"--to {to}", "give another name, or --force to replace it"
        )
    with _told_of(to):
        done = applying.apply(chosen, root, to=to, force=force, inputs=logs)
    return f"{to}: {done[0].file} with {', '.join(done[0].keys)} changed ({chosen.title})"


@contextlib.contextmanager
def _told_of(to: Path) -> Iterator[None]:
    """What is wrong with a path, without advice that is for reports."""
    try:
        yield
    except UsageError as e:
        raise UsageError(
            e.what, f"--to {e.where}", e.hint.partition(";")[0].replace("the report", "it")
        ) from None


def _applied(chosen: Prescription, root: Path, report: Report, run_root: Path) -> str:
    file, old = _patched_since(chosen, root, _logs(report, run_root))
    if old:
        raise InputError(
            f"was patched after this run was logged ({old} is the old file)",
            file,
            "train again first; what it ran with is not what the config says now",
        )
    done = applying.apply(chosen, root)
    return "\n".join(
        "; ".join(
            (
                f"{d.file}: {', '.join(d.keys)} changed ({chosen.title})",
                f"the old file is {d.backup}",
                *d.remarks,
            )
        )
        for d in done
    )


def _chosen(report: Report, number: int | None) -> tuple[int, Prescription]:
    every = report.prescriptions
    if not every:
        said = f"the verdict is {report.verdict}, and there is nothing to prescribe"
        raise UsageError(said, w.plain(report.run.name), "see 'gandoctor analyze'")
    if number is None:
        first = api.first_patch(report)
        number = 1 + next((i for i, p in enumerate(every) if p is first), 0)
    if number > len(every):
        raise UsageError(
            f"there is no prescription {number}", "--number", f"there are {len(every)}"
        )
    return number, every[number - 1]


def _same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve()


def _patched_since(p: Prescription, root: Path, logs: Iterable[Path]) -> tuple[str, str]:
    """A file this would edit that was patched since everything logged, and its old state.

    Empty names where none was.
    """
    those = list(logs)
    for file in dict.fromkeys(e.file for e in p.edits):
        if backups.original(file) != file:  # the run is judged by it already
            return backups.original(file), PurePosixPath(file).name
        if old := backups.as_logged(root / file, those):
            return file, old.name
    return "", ""


def _logs(report: Report, root: Path) -> Iterator[Path]:
    """The files that were logged.

    A report names no host, so an event file may not be found by what it says.
    """
    for source in report.run.sources:
        file = root / source.path
        if source.parser == "config":
            continue
        if file.is_file():
            yield file
        elif file.parent.is_dir():
            yield from (f for f in file.parent.glob("events.out.tfevents.*") if backups.is_plain(f))


def _told(p: Prescription, notes: Iterable[str] = NOTES) -> list[str]:
    """Which file was chosen and why, or why there is no diff."""
    return [w.plain(p.why[p.why.index(note) :]) for note in notes if note in p.why]


def _text(p: Prescription, number: int, count: int, preferences: Iterable[str] = ()) -> str:
    # Comment lines around a diff are passed over by `git apply` and `patch`.
    out = [f"# {number} of {count}: {w.plain(p.title)} ({p.risk}; treats {p.cause})"]
    out += [f"# preferences: {w.plain(sentence)}" for sentence in preferences]
    if p.blocked_by:
        out.append(f"# blocked: {w.plain(p.blocked_by)}")
    out += [f"# {told}" for told in _told(p)]
    if p.diff:
        out.append(p.diff.removesuffix("\n"))
    out += [f"# or on the command line: {w.plain(o)}" for o in p.overrides]
    if p.snippet:
        out += ["# in code:", *w.plain_lines(p.snippet)]
    return "\n".join(out)
