"""``gandoctor patch``: print a prescription's diff, or apply it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gandoctor import api
from gandoctor.errors import InputError, UsageError
from gandoctor.prescribe import applying

if TYPE_CHECKING:
    from pathlib import Path

    from gandoctor.api import Options
    from gandoctor.model.report import Prescription, Report


def run(path: Path, number: int, options: Options, *, apply: bool = False, to: Path | None = None) -> str:
    """Print one prescription of a run, or apply it.

    Parameters
    ----------
    path : Path
        A log or run folder.
    number : int
        Which prescription, counted from 1 in the order of the report.
    options : Options
    apply : bool
        Change the config file itself; a backup is kept.
    to : Path, optional
        Write the changed config here instead.

    Returns
    -------
    str
        What was done, or the diff.

    Raises
    ------
    GandoctorError
        Nothing to apply, or the file changed since it was read.
    """
    found = api.analyze_with_roots(path, options)
    if len(found) > 1:
        raise InputError(f"holds {len(found)} runs", str(path), "give one of them")
    root, report = found[0]
    chosen = _chosen(report, number)
    if to is not None:
        done = applying.apply(chosen, root, to=to)
        return f"{to}: {done[0].file} with {', '.join(done[0].keys)} changed ({chosen.title})"
    if apply:
        done = applying.apply(chosen, root)
        return "\n".join(
            f"{d.file}: {', '.join(d.keys)} changed ({chosen.title}); the old file is {d.backup}" for d in done
        )
    return _text(chosen, number, len(report.prescriptions))


def _chosen(report: Report, number: int) -> Prescription:
    count = len(report.prescriptions)
    if not count:
        said = f"the verdict is {report.verdict}, and there is nothing to prescribe"
        raise UsageError(said, report.run.name, "see 'gandoctor analyze'")
    if number > count:
        raise UsageError(f"there is no prescription {number}", "--number", f"there are {count}")
    return report.prescriptions[number - 1]


def _text(p: Prescription, number: int, count: int) -> str:
    # Comment lines before a diff are passed over by `git apply` and `patch`.
    out = [f"# {number} of {count}: {p.title} ({p.risk}; treats {p.cause})"]
    if p.blocked_by:
        out.append(f"# blocked: {p.blocked_by}")
    if p.diff:
        out.append(p.diff.rstrip("\n"))
    out += [f"# or on the command line: {o}" for o in p.overrides]
    if p.snippet:
        out += ["# in code:", p.snippet.rstrip()]
    return "\n".join(out)
