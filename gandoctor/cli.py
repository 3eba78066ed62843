"""The command line: argv in, exit code out. Everything heavy is imported where a command runs."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import warnings
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TextIO

import typer

from gandoctor import interrupts
from gandoctor.errors import GandoctorError, RuleError, UsageError, of_system, shortened
from gandoctor.options import WISHES, FailOn
from gandoctor.patterns import late_pattern
from gandoctor.plain_options import Group

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from collections.abc import Set as AbstractSet

    from gandoctor.api import Options

app = typer.Typer(
    name="gandoctor",
    cls=Group,
    help="Reads what a GAN training left behind; says whether it is healthy, what went wrong, and "
    "what to change.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
rules_app = typer.Typer(
    help="List, show, test and start rules.", no_args_is_help=True, rich_markup_mode=None
)
app.add_typer(rules_app, name="rules")

DEFAULT_REPORT = "gandoctor-report.html"
_LONG_WORD = late_pattern(r"\S{400,}")


class RuleKind(str, Enum):  # noqa: UP042
    """What a rule detects."""

    symptom = "symptom"
    risk = "risk"


class ListFormat(str, Enum):  # noqa: UP042
    """How a table is printed."""

    text = "text"
    json = "json"


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
OutputOption = Annotated[list[str] | None, _option("output")]
FormatOption = Annotated[str | None, _option("format")]
FailOnOption = Annotated[FailOn | None, _option("fail-on")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print no summary.")]


def _version(wanted: bool) -> None:
    if wanted:
        from gandoctor import __version__

        _say(__version__)
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say it, and leave.")
    ] = False,
) -> None:
    """Reads what a GAN training left behind.

    Says whether it is healthy, what went wrong, and what to change.
    """


@app.command()
def analyze(
    path: Annotated[
        Path,
        typer.Argument(readable=False, help="A log, the folder of a run, or a folder of runs."),
    ],
    output: OutputOption = None,
    format_: FormatOption = None,
    config: ConfigOption = None,
    map_: MapOption = None,
    loss: LossOption = None,
    fail_on: FailOnOption = None,
    rules: RulesOption = None,
    ignore: IgnoreOption = None,
    select: SelectOption = None,
    repo: RepoOption = None,
    quiet: QuietOption = False,
) -> None:
    """Analyse a run: summary in the terminal, report in ./gandoctor-report.html or --output."""
    from gandoctor import api, reporters

    targets = output if output is not None else [DEFAULT_REPORT]
    options = _options(config, map_, loss, rules, ignore, select, repo, outputs=_outputs(targets))
    # A wrong format is said before the work is done.
    chosen = [(t, reporters.choose(t, format_)) for t in targets]
    reports = api.analyze_all(path, options)
    for target, reporter in chosen:
        _write(target, reporters.render(reporter, reports))
    if not quiet and "-" not in targets:
        _say(reporters.render(reporters.by_name("text"), reports, colour=_colour()), clean=True)
        for target in targets:
            _say(f"report: {target}\n")
    raise typer.Exit(api.exit_code(reports, _fail_on(path, fail_on)))


@app.command()
def check(
    paths: Annotated[
        list[Path],
        typer.Argument(
            readable=False, help="Logs and run folders; a file that is no training log is skipped."
        ),
    ],
    config: ConfigOption = None,
    map_: MapOption = None,
    loss: LossOption = None,
    fail_on: FailOnOption = None,
    rules: RulesOption = None,
    ignore: IgnoreOption = None,
    select: SelectOption = None,
) -> None:
    """Check logs before a commit or in CI: one line a finding, nothing is written."""
    from gandoctor import api, reporters

    logs = [p for p in paths if not _is_another(p)]
    options = _options(config, map_, loss, rules, ignore, select, analysed=logs)
    line = reporters.by_name("check")
    code = 0
    for path in logs:
        try:
            reports = api.analyze_all(path, options)
        except UsageError:
            raise
        except (GandoctorError, OSError) as e:
            fault = of_system(e, str(path)) if isinstance(e, OSError) else e
            _note(" ".join(f"gandoctor: {fault}".split()))
            code = 2
            continue
        for sentence in dict.fromkeys(s for r in reports for s in r.preferences):
            _note(f"{path.as_posix()}: {sentence}")
        text = reporters.render(line, reports, path=path.as_posix())
        if text.strip():
            _say(text)
        code = max(code, api.exit_code(reports, _fail_on(path, fail_on, options.analysed)))
    raise typer.Exit(code)


@app.command()
def signals(
    run: Annotated[Path | None, typer.Argument(readable=False, help="A log or run folder.")] = None,
    tags: Annotated[
        Path | None,
        typer.Option(
            "--tags", metavar="FILE", readable=False, help="Place bare names, one a line, instead."
        ),
    ] = None,
    format_: Annotated[ListFormat, typer.Option("--format")] = ListFormat.text,
    config: ConfigOption = None,
    map_: MapOption = None,
    loss: LossOption = None,
    write_map: Annotated[
        Path | None,
        typer.Option(
            "--write-map", metavar="FILE", help="Save the mapping as TOML, to be corrected."
        ),
    ] = None,
) -> None:
    """Show how names were understood, and which could not be placed."""
    from gandoctor import mapping
    from gandoctor.files import writing

    options = _options(config, map_, loss, None, None)
    if write_map is not None:
        # It is there to be corrected by hand: no second call takes that back.
        writing.check(write_map, new=True)
    if (run is None) == (tags is None):
        raise UsageError(
            "nothing to show" if run is None else "two things to show",
            "",
            "give a RUN, or --tags FILE",
        )
    as_json = format_ is ListFormat.json
    if tags is not None:
        _say(mapping.show_tags(tags, options, as_json=as_json))
        return
    assert run is not None  # noqa: S101  for the type checker: one of the two is given
    _say(mapping.show_run(run, options, as_json=as_json))
    if write_map is not None:
        writing.write_text(write_map, mapping.as_toml(run, options), new=True)
        _note(f"mapping: {write_map}")


@rules_app.command("list")
def rules_list(rules: RulesOption = None) -> None:
    """One line a rule."""
    from gandoctor import pages

    _say(pages.listing(_options(None, None, None, rules, None)))


@rules_app.command("show")
def rules_show(
    rule: Annotated[str, typer.Argument(metavar="ID")], rules: RulesOption = None
) -> None:
    """Everything about one rule, cause or remedy."""
    from gandoctor import pages

    _say(pages.page(rule, _options(None, None, None, rules, None)))


@app.command()
def explain(rule: Annotated[str, typer.Argument(metavar="ID")], rules: RulesOption = None) -> None:
    """Explain a rule, cause or remedy in plain words."""
    rules_show(rule, rules)


@rules_app.command("test")
def rules_test(
    rules: RulesOption = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Name every mutant that no case notices.")
    ] = False,
) -> None:
    """Run the test beside every rule, and move each threshold to see whether a case notices."""
    from gandoctor import api, rulebook, ruletest

    folders = api.rule_folders(_options(None, None, None, rules, None))
    result = ruletest.run(rulebook.load(folders), folders)
    _say(result.format(verbose=verbose))
    raise typer.Exit(int(not result.passed))


@rules_app.command("docs")
def rules_docs(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the pages go.")],
    rules: RulesOption = None,
) -> None:
    """Write a markdown page a rule, cause and remedy, and an index."""
    from gandoctor import rule_pages

    written = rule_pages.write(folder, _options(None, None, None, rules, None))
    _say(f"{len(written)} pages: {folder / 'index.md'}")


@rules_app.command("new")
def rules_new(
    rule: Annotated[str, typer.Argument(metavar="ID", help="Small letters, digits and dashes.")],
    folder: Annotated[
        Path, typer.Option("--rules", metavar="DIR", help="Rules folder to write it into.")
    ] = Path("rules"),
    kind: Annotated[RuleKind, typer.Option("--kind")] = RuleKind.symptom,
    symptom: Annotated[
        str, typer.Option("--symptom", help="What it detects (default: no-convergence).")
    ] = "",
) -> None:
    """Start a rule: write one that is valid, and its test, to be changed."""
    from gandoctor import rule_start

    for path in rule_start.start(rule, folder, kind.value, symptom):
        _say(str(path))


@app.command()
def patch(
    run: Annotated[Path, typer.Argument(readable=False, help="A log or run folder.")],
    number: Annotated[
        int | None,
        typer.Option(
            "--number",
            "-n",
            min=1,
            help="Which prescription, counted from 1; else the first with a diff.",
        ),
    ] = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Change the config file; a backup is kept.")
    ] = False,
    to: Annotated[
        Path | None,
        typer.Option(
            "--to", metavar="FILE", help="Write the changed config here; leave the original alone."
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Let --to replace a file that is there.")
    ] = False,
    config: ConfigOption = None,
    map_: MapOption = None,
    loss: LossOption = None,
    rules: RulesOption = None,
    repo: RepoOption = None,
) -> None:
    """Print the patch of a prescription, or apply it."""
    from gandoctor import patching

    options = _options(config, map_, loss, rules, None, repo=repo)
    _say(patching.run(run, number, options, apply=apply, to=to, force=force))


@app.command()
def compare(
    before: Annotated[
        Path,
        typer.Argument(
            readable=False,
            help="The training before the change: a log, a run folder, or its report saved with -o "
            "FILE.json.",
        ),
    ],
    after: Annotated[Path, typer.Argument(readable=False, help="The training after it, likewise.")],
    output: OutputOption = None,
    format_: FormatOption = None,
    config: ConfigOption = None,
    config_before: Annotated[
        list[Path] | None,
        typer.Option(
            "--config-before",
            readable=False,
            metavar="FILE",
            help="Config of BEFORE alone; repeatable.",
        ),
    ] = None,
    config_after: Annotated[
        list[Path] | None,
        typer.Option(
            "--config-after",
            readable=False,
            metavar="FILE",
            help="Config of AFTER alone; repeatable.",
        ),
    ] = None,
    map_: MapOption = None,
    loss: LossOption = None,
    fail_on: FailOnOption = None,
    rules: RulesOption = None,
    ignore: IgnoreOption = None,
    select: SelectOption = None,
    quiet: QuietOption = False,
) -> None:
    """Say whether a change helped: better, worse or no clear change, and why.

    Exits with 1 where AFTER is failing.
    """
    from gandoctor import api, reporters
    from gandoctor import compare as compare_runs

    targets = output or (["-"] if format_ else [])
    # A report lies anywhere, a run's files beside it.
    runs = [p for p in (before, after) if not compare_runs.is_saved(p)]
    options = _options(
        config, map_, loss, rules, ignore, select, outputs=_outputs(targets), analysed=runs
    )
    own = _existing(config_before, "--config-before"), _existing(config_after, "--config-after")
    chosen = [(t, reporters.choose_for_comparison(t, format_)) for t in targets]
    found, report = compare_runs.run(before, after, options, own)
    for target, reporter in chosen:
        _write(target, reporters.render_comparison(reporter, found))
    if not quiet and "-" not in targets:
        text = reporters.by_name("text")
        _say(reporters.render_comparison(text, found, colour=_colour()), clean=True)
        for target in targets:
            _say(f"report: {target}\n")
    raise typer.Exit(
        api.exit_code(
            [report], _fail_on(after if after in runs else None, fail_on, options.analysed)
        )
    )


def _options(
    config: Sequence[Path] | None,
    map_: Sequence[str] | None,
    loss: str | None,
    rules: Sequence[Path] | None,
    ignore: Sequence[str] | None,
    select: Sequence[str] | None = None,
    repo: Path | None = None,
    outputs: Sequence[Path] = (),
    analysed: Sequence[Path] = (),
) -> Options:
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
        configs=_existing(config, "--config"),
        map=mapping,
        loss=loss,
        rules=tuple(rules or ()),
        ignore=dict.fromkeys(ignore or (), "given with --ignore"),
        select=tuple(select or ()),
        repo=repo,
        outputs=outputs,
        analysed=preferences.folders(analysed),
    )


def _outputs(targets: Sequence[str]) -> tuple[Path, ...]:
    """Files to be written; what is wrong with one is said before the work is done."""
    from gandoctor.files import writing

    files = tuple(Path(t) for t in targets if t != "-")
    for file in files:
        writing.check(file)
    return files


def _existing(files: Sequence[Path] | None, option: str) -> tuple[Path, ...]:
    for file in files or ():
        if not file.is_file():
            raise UsageError(
                "there is no such file",
                f"{option} {file}",
                "give the run's YAML, JSON or TOML config",
            )
    return tuple(files or ())


def _is_another(path: Path) -> bool:
    """Whether a file is no training log; what cannot be told is for the reader to say."""
    from gandoctor import parsers

    try:
        return path.is_file() and not parsers.is_log(path)
    except (GandoctorError, OSError):
        return False


def _fail_on(
    path: Path | None, given: FailOn | None, others: AbstractSet[Path] = frozenset()
) -> str:
    from gandoctor import preferences

    if given is not None:
        return given.value
    return preferences.load(Path.cwd(), path, others).fail_on or FailOn.high.value


def _write(target: str, text: str) -> None:
    if target == "-":
        _say(text)
        return
    from gandoctor.files import writing

    writing.write_text(Path(target), text)


def _say(text: str, *, clean: bool = False) -> None:
    """Print to the standard output.

    On a terminal what would steer it is spelled out, where it is not `clean` already.

    Where nobody reads on (``| head``) the rest goes nowhere: the exit code still tells the verdict.
    """
    if not clean and sys.stdout.isatty():
        text = _harmless(text)
    try:
        sys.stdout.write(text if text.endswith("\n") else text + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        _mute(sys.stdout)
    except OSError as e:
        _mute(sys.stdout)
        raise of_system(e, "the standard output", "cannot be written") from None


def _harmless(text: str) -> str:
    from gandoctor.reporters import wording

    # Line ends of a file's own are no trick.
    return "\r\n".join(wording.visible(part) for part in text.split("\r\n"))


def _mute(stream: TextIO) -> None:
    """What is still to come of a stream goes nowhere."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def _colour() -> bool:
    return sys.stdout.isatty() and "NO_COLOR" not in os.environ


def main() -> NoReturn:
    """Run the command line; every error is one sentence on stderr and exit code 2."""
    interrupts.listen()
    _hold_streams()
    if not sys.warnoptions:  # a sum of infinities is no news: the report says what is not finite
        warnings.filterwarnings("ignore", category=RuntimeWarning, module="numpy|gandoctor")
    for stream in (sys.stdout, sys.stderr):
        reconfigure: Callable[..., None] | None = getattr(stream, "reconfigure", None)
        if reconfigure:
            # A strange tag must not end the report on a narrow console.
            reconfigure(errors="backslashreplace")
    try:
        code = _run()
    except BaseException as e:
        if not interrupts.heard() and not isinstance(e, KeyboardInterrupt):
            raise
        code = interrupts.CODE
    if interrupts.heard():
        code = interrupts.CODE
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            _mute(stream)
    sys.exit(code)


def _run() -> int:
    """Run the command; gives the exit code."""
    try:
        app()
    except SystemExit as e:
        # Where a reader of the help went away, click exits with 1, which is said of failing runs
        # alone.
        went_away = isinstance(e.__context__, OSError) and e.__context__.errno == errno.EPIPE
        return 0 if went_away else e.code if isinstance(e.code, int) else int(e.code is not None)
    except BrokenPipeError:
        return 2
    except RuleError as e:
        _complain("\n".join(" ".join(line.split()) for line in str(e).splitlines()))
    except GandoctorError as e:
        _complain(" ".join(str(e).split()))
    except Exception as e:
        if "GANDOCTOR_DEBUG" in os.environ:
            raise
        _complain(_unforeseen(e))
    else:
        return 0
    return 2


def _complain(message: str) -> None:
    if not interrupts.heard():  # then it may well be the cause, and is an answer by itself
        _note(f"gandoctor: {message}")


def _unforeseen(e: Exception) -> str:
    if isinstance(e, OSError) and e.errno is not None:
        if e.filename is None:
            try:
                Path.cwd()
            except OSError:
                return "the folder that you work in is gone; change into one that is there"
        return " ".join(str(of_system(e)).split())
    return (
        f"internal error ({type(e).__name__}: {e}); GANDOCTOR_DEBUG=1 shows where, please report it"
    )


def _hold_streams() -> None:
    """Keep a file that we open from taking the number of a stream that is closed.

    To write to that is an error.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_WRONLY if number == 2 else os.O_RDONLY)
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115  a descriptor, not a path
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def _note(message: str) -> None:
    # Names of files are not ours: what would move the cursor or turn the line round is spelled out.
    shown = "".join(
        c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in message
    )
    lines = (
        shortened(_LONG_WORD.sub(lambda m: shortened(m[0]), line), 2_000)
        for line in shown.split("\n")
    )
    try:
        sys.stderr.write("\n".join(lines) + "\n")
        sys.stderr.flush()
    except OSError:
        _mute(sys.stderr)
