"""Report -> text. One module a format: NAME, SUFFIX, `render` and `render_many`.

One that has `render_comparison` says comparisons of two runs, too.

It is found by being here.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
from pathlib import PurePath
from typing import TYPE_CHECKING, Protocol, cast

from gandoctor.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gandoctor.model.comparison import Comparison
    from gandoctor.model.report import Report

_ALIASES = {".htm": ".html", ".markdown": ".md"}
_SHORT = {"md": "comment"}  # on the command line: the short form, to be read at once
# Files that other tools know by their names, whatever their suffix says.
_NAMES = {"codequality.json": "codequality", "gl-code-quality-report.json": "codequality"}


class Reporter(Protocol):
    """A module is a reporter.

    Attributes
    ----------
    NAME : str
        What ``--format`` calls it.
    SUFFIX : str
        The suffix that chooses it, with its dot; empty where only its name does.
    """

    NAME: str
    SUFFIX: str

    def render(self, report: Report) -> str:
        """Say one report."""
        ...

    def render_many(self, reports: Sequence[Report]) -> str:
        """Say the reports of a folder of runs."""
        ...


@functools.cache
def _modules() -> tuple[str, ...]:
    return tuple(m.name for m in pkgutil.iter_modules(__path__) if not m.ispkg)


@functools.cache
def _reporters() -> dict[str, Reporter]:
    modules = (importlib.import_module(f"{__name__}.{name}") for name in _modules())
    return {m.NAME: cast("Reporter", m) for m in modules if hasattr(m, "NAME")}


def _called(name: str) -> Reporter | None:
    """The reporter of that name if its module is called so too: no other has to be imported."""
    module = importlib.import_module(f"{__name__}.{name}") if name in _modules() else None
    return cast("Reporter", module) if getattr(module, "NAME", None) == name else None


def names() -> tuple[str, ...]:
    """Names of all formats, sorted."""
    return tuple(sorted(_reporters()))


def by_name(name: str) -> Reporter:
    """Find the reporter that ``--format`` names.

    Raises
    ------
    UsageError
        Where there is none of that name.
    """
    wanted = name.strip().lower()
    wanted = _SHORT.get(wanted, wanted)
    found = _called(wanted) or _reporters().get(wanted)
    if found is None:
        raise UsageError(
            f"no output format is called {name!r}", "--format", f"there are: {', '.join(names())}"
        )
    return found


def by_suffix(suffix: str) -> Reporter:
    """Find the reporter that a file's suffix (``.html``) chooses.

    Raises
    ------
    UsageError
        Where there is none for that suffix.
    """
    wanted = suffix.lower()
    wanted = _ALIASES.get(wanted, wanted)
    alike = _called(wanted[1:])
    if alike is not None and wanted == alike.SUFFIX:
        return alike
    for reporter in _reporters().values():
        if reporter.SUFFIX and wanted == reporter.SUFFIX:
            return reporter
    known = ", ".join(sorted(r.SUFFIX for r in _reporters().values() if r.SUFFIX))
    what = (
        f"no output format has the suffix {suffix!r}" if suffix else "the output file has no suffix"
    )
    raise UsageError(
        what,
        "--output",
        f"use one of {known}, or name the format with --format ({', '.join(names())})",
    )


def choose(target: str, name: str | None = None) -> Reporter:
    """The format of an output: the suffix of `target` decides, `name` where that tells nothing.

    ``-`` alone is text.

    Raises
    ------
    UsageError
        Where neither tells.
    """
    suffix = PurePath(target).suffix
    by_file = _of_file(PurePath(target).name)
    # A name that means nothing is an error in any case.
    named = None if name is None else by_name(name)
    if named is not None and not (suffix and _known(suffix)):
        return named
    if named is None and by_file is not None:
        return by_file
    return by_name("text") if target == "-" else by_suffix(suffix)


def _of_file(name: str) -> Reporter | None:
    """The format that a file of this very name is of, as those who read it expect."""
    if name.lower() not in _NAMES:
        return None
    return by_name(_NAMES[name.lower()])


def choose_for_comparison(target: str, name: str | None = None) -> Reporter:
    """As `choose`, of the formats that a comparison of two runs has.

    Raises
    ------
    UsageError
        Where neither tells, or a comparison has no such format.
    """
    # Of reports `md` is the short form; a comparison has one form alone.
    found = choose(target, "markdown" if name == "md" else name)
    if not hasattr(found, "render_comparison"):
        there = ", ".join(names_for_comparison())
        what = f"a comparison has no format {found.NAME!r}"
        raise UsageError(what, "--format", f"there are: {there}")
    return found


def names_for_comparison() -> tuple[str, ...]:
    """Names of the formats that a comparison has: those that say how, sorted."""
    return tuple(n for n in names() if hasattr(_reporters()[n], "render_comparison"))


def render_comparison(reporter: Reporter, comparison: Comparison, **options: object) -> str:
    """A comparison of two runs; of the options, those this format knows (``colour``, ``width``)."""
    return _said(reporter.render_comparison, comparison, options)  # type: ignore[attr-defined]


def _known(suffix: str) -> bool:
    wanted = _ALIASES.get(suffix.lower(), suffix.lower())
    return any(wanted == r.SUFFIX for r in _reporters().values())


def render(reporter: Reporter, reports: Sequence[Report], **options: object) -> str:
    """One report as itself, several as a collection.

    Of the options, those this format knows (``colour``, ``width``).
    """
    one = len(reports) == 1
    say = cast("Callable[..., str]", reporter.render if one else reporter.render_many)
    return _said(say, reports[0] if one else reports, options)


def _said(say: Callable[..., str], of: object, options: Mapping[str, object]) -> str:
    known = inspect.signature(say).parameters
    return say(of, **{k: v for k, v in options.items() if k in known})
