"""Options that several commands share, and what is wrong with what was given."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gandoctor.cli import folders
from gandoctor.cli.saying import note
from gandoctor.errors import GandoctorError, UsageError
from gandoctor.options import WISHES, FailOn

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    from gandoctor.api import Options


DEFAULT_REPORT = "gandoctor-report.html"


def _option(name: str) -> Any:
    """The option of a wish; whether a path can be read is found out where it is read."""
    wish = WISHES[name]
    return typer.Option(*wish.flags, metavar=wish.metavar, readable=False, help=wish.help)


ConfigOption = Annotated[list[Path] | None, _option("config")]
MapOption = Annotated[list[str] | None, _option("map")]
LossOption = Annotated[str | None, _option("loss")]
RulesOption = Annotated[list[Path] | None, _option("rules")]
IgnoreOption = Annotated[list[str] | None, _option("ignore")]
SelectOption = Annotated[list[str] | None, _option("select")]
RepoOption = Annotated[Path | None, _option("repo")]
DataOption = Annotated[Path | None, _option("data")]
OutputOption = Annotated[list[str] | None, _option("output")]
FormatOption = Annotated[str | None, _option("format")]
FailOnOption = Annotated[FailOn | None, _option("fail-on")]
JobsOption = Annotated[
    int, typer.Option("--jobs", min=1, metavar="N", help="Judge so many runs of a folder at once.")
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print no summary.")]


def asked_for(
    *,
    config: Sequence[Path] | None = None,
    map_: Sequence[str] | None = None,
    loss: str | None = None,
    rules: Sequence[Path] | None = None,
    ignore: Sequence[str] | None = None,
    select: Sequence[str] | None = None,
    repo: Path | None = None,
    data: Path | None = None,
    jobs: int = 1,
    outputs: Sequence[Path] = (),
    analysed: Sequence[Path] = (),
) -> Options:
    """What the command line asks for, as `gandoctor.api` takes it.

    Raises
    ------
    UsageError
        Where a mapping is none, or a file or folder is not there.
    """
    from gandoctor import preferences
    from gandoctor.api import Options

    mapping: dict[str, str] = {}
    for entry in map_ or ():
        role, equals, tag = entry.partition("=")
        if not (role.strip() and equals and tag):
            raise UsageError(
                f"{entry!r} is no mapping",
                "--map",
                "write ROLE=TAG, for example d_loss=Loss/critic",
            )
        mapping[role.strip()] = tag
    if repo is not None and not repo.is_dir():
        raise UsageError(
            "there is no such folder", f"--repo {repo}", "give the folder of the training code"
        )
    return Options(
        configs=existing(config, "--config"),
        map=mapping,
        loss=loss,
        rules=tuple(rules or ()),
        ignore=dict.fromkeys(ignore or (), "given with --ignore"),
        select=tuple(select or ()),
        repo=repo,
        data=there(data),
        jobs=jobs,
        outputs=outputs,
        analysed=preferences.folders(analysed),
    )


def files_of(targets: Sequence[str]) -> tuple[Path, ...]:
    """Files to be written; what is wrong with one is said before the work is done."""
    from gandoctor.files import writing

    for target in targets:
        if folders.is_folder(target):
            folders.check(target)
    files = tuple(Path(t) for t in targets if t != "-" and not folders.is_folder(t))
    for file in files:
        writing.check(file)
    return files


def targets_of(
    output: Sequence[str] | None, format_: str | None
) -> tuple[list[str], tuple[Path, ...]]:
    """Where the reports go, and which of that are files.

    A format alone is printed. Where nothing was asked for and the folder cannot be written to, the
    summary is all there is, and that is said.
    """
    if output is not None:
        return list(output), files_of(output)
    if format_ is not None:
        return ["-"], ()
    try:
        return [DEFAULT_REPORT], files_of([DEFAULT_REPORT])
    except UsageError as e:
        if os.access(".", os.W_OK):
            raise  # something stands there that is no report
        note(f"no report is written: {e}")
        return [], ()


def existing(files: Sequence[Path] | None, option: str) -> tuple[Path, ...]:
    """The files given with an option; `UsageError` where one is not there."""
    for file in files or ():
        if not file.is_file():
            raise UsageError(
                "is a folder" if file.is_dir() else "there is no such file",
                f"{option} {file}",
                "give the run's YAML, JSON or TOML config",
            )
    return tuple(files or ())


def one_thing(*asked: object) -> None:
    """Hold the user of `gandoctor signals` to one thing to show; what was not asked for is None."""
    given = sum(thing is not None for thing in asked)
    if given != 1:
        what = "several things to show" if given else "nothing to show"
        raise UsageError(what, "", "give a RUN, or --tags FILE, or --known")


def there(data: Path | None) -> Path | None:
    """Real data as given; `UsageError` where there is none."""
    if data is not None and not data.exists():
        raise UsageError(
            "there is no such file or folder", f"--data {data}", "give pictures or an array"
        )
    return data


def is_another(path: Path) -> bool:
    """Whether a file is no training log; what cannot be told is for the reader to say."""
    from gandoctor import parsers

    try:
        return path.is_file() and not parsers.is_log(path)
    except (GandoctorError, OSError):
        return False


def fail_on_word(
    path: Path | None, given: FailOn | None, others: AbstractSet[Path] = frozenset()
) -> str:
    """The least severity that fails: as `given`, else as preferences say, else high."""
    from gandoctor import preferences

    if given is not None:
        return given.value
    return preferences.load(Path.cwd(), path, others).fail_on or FailOn.high.value
