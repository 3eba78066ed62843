"""The commands, but for those of ``gandoctor rules``."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from gandoctor.cli import folders
from gandoctor.cli.asking import (
    ConfigOption,
    DataOption,
    FailOnOption,
    FormatOption,
    IgnoreOption,
    JobsOption,
    LossOption,
    MapOption,
    OutputOption,
    QuietOption,
    RepoOption,
    RulesOption,
    SelectOption,
    asked_for,
    existing,
    fail_on_word,
    files_of,
    is_another,
    one_thing,
    targets_of,
)
from gandoctor.cli.occasion import occasion
from gandoctor.cli.rules import rules_show
from gandoctor.cli.saying import hand_over, in_colour, note, say, write
from gandoctor.errors import UsageError
from gandoctor.plain_options import Group

app = typer.Typer(
    name="gandoctor",
    cls=Group,
    help="Reads what a GAN training left behind; says whether it is healthy, what went wrong, and "
    "what to change.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


class ListFormat(str, Enum):  # noqa: UP042
    """How a table is printed."""

    text = "text"
    json = "json"


def _version(wanted: bool) -> None:
    if wanted:
        from gandoctor import __version__

        say(__version__)
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", "-V", callback=_version, is_eager=True, help="Say it, and leave."
        ),
    ] = False,
) -> None:
    """Reads what a GAN training left behind.

    Says whether it is healthy, what went wrong, and what to change.
    """


@app.command()
def analyze(
    paths: Annotated[
        list[Path],
        typer.Argument(
            readable=False,
            help="Logs, folders of a run, folders of runs; '-' reads a log from the input.",
        ),
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
    data: DataOption = None,
    probe: Annotated[
        str | None,
        typer.Option(
            "--probe",
            metavar="FILE.py:build",
            help="Measure the players of its checkpoint, too, as this entry builds them.",
        ),
    ] = None,
    jobs: JobsOption = 1,
    quiet: QuietOption = False,
) -> None:
    """Analyse a run: summary in the terminal, report in ./gandoctor-report.html or --output."""
    from gandoctor import reporters
    from gandoctor.cli.looking import analysed

    targets, files = targets_of(output, format_)
    options = asked_for(
        config=config,
        map_=map_,
        loss=loss,
        rules=rules,
        ignore=ignore,
        select=select,
        repo=repo,
        data=data,
        jobs=jobs,
        outputs=files,
        analysed=paths if len(paths) > 1 else (),
    )
    # A wrong format is said before the work is done.
    many = [t for t in targets if folders.is_folder(t)]
    chosen = [(t, reporters.choose(t, format_)) for t in targets if t not in many]
    reports, code = analysed(paths, options, fail_on, probe or "")
    for target, reporter in chosen:
        write(target, reporters.render(reporter, reports, **occasion()))
    pages = (folders.write(t, reports, occasion(), jobs) for t in many)
    written = [*(t for t, _ in chosen), *pages]
    text = reporters.by_name("text")
    hand_over(lambda: reporters.render(text, reports, colour=in_colour()), written, quiet=quiet)
    raise typer.Exit(code)


@app.command()
def check(
    paths: Annotated[
        list[Path],
        typer.Argument(
            readable=False,
            help="Logs and run folders; a file that is no training log is skipped. '-' reads a log "
            "from the input.",
        ),
    ],
    output: OutputOption = None,
    format_: FormatOption = None,
    baseline: Annotated[
        Path | None,
        typer.Option(
            "--baseline", metavar="FILE", readable=False, help="Known problems, that do not count."
        ),
    ] = None,
    write_baseline: Annotated[
        Path | None,
        typer.Option(
            "--write-baseline", metavar="FILE", help="Keep today's problems there as known."
        ),
    ] = None,
    config: ConfigOption = None,
    map_: MapOption = None,
    loss: LossOption = None,
    fail_on: FailOnOption = None,
    rules: RulesOption = None,
    ignore: IgnoreOption = None,
    select: SelectOption = None,
    jobs: JobsOption = 1,
) -> None:
    """Check logs before a commit or in CI: one line a problem, and a line in the end.

    Writes what --output asks for, and nothing else.
    """
    from gandoctor import reporters
    from gandoctor.cli.gate import Gate

    logs = [p for p in paths if not is_another(p)]
    targets = output or (["-"] if format_ else [])
    options = asked_for(
        config=config,
        map_=map_,
        loss=loss,
        rules=rules,
        ignore=ignore,
        select=select,
        jobs=jobs,
        outputs=files_of([*targets, *([str(write_baseline)] if write_baseline else [])]),
        analysed=logs,
    )
    chosen = [(t, reporters.choose(t, format_)) for t in targets]
    gate = Gate(options, baseline, write_baseline)
    for path in logs:
        gate.look_at(path, fail_on)
    gate.tell(chosen, skipped=[p for p in paths if p not in logs])
    raise typer.Exit(gate.code)


@app.command()
def signals(
    run: Annotated[
        Path | None,
        typer.Argument(
            readable=False,
            help="A log or run folder; with --settings also a script or source tree.",
        ),
    ] = None,
    tags: Annotated[
        Path | None,
        typer.Option(
            "--tags", metavar="FILE", readable=False, help="Place bare names, one a line, instead."
        ),
    ] = None,
    known: Annotated[
        bool, typer.Option("--known", help="List every role that a name can be mapped to.")
    ] = False,
    settings: Annotated[
        bool,
        typer.Option(
            "--settings", help="Show the settings alone, with those read in the training code."
        ),
    ] = False,
    format_: Annotated[ListFormat, typer.Option("--format")] = ListFormat.text,
    repo: RepoOption = None,
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

    options = asked_for(config=config, map_=map_, loss=loss, repo=repo)
    if write_map is not None:
        # It is there to be corrected by hand: no second call takes that back.
        writing.check(write_map, new=True)
    one_thing(run, tags, known or None)
    as_json = format_ is ListFormat.json
    if known:
        from gandoctor import meanings

        say(meanings.known_roles(options, as_json=as_json))
        return
    if tags is not None:
        say(mapping.show_tags(tags, options, as_json=as_json))
        return
    assert run is not None  # noqa: S101  for the type checker: one of the two is given
    if settings:
        say(mapping.show_settings(run, options, as_json=as_json))
        return
    say(mapping.show_run(run, options, as_json=as_json))
    if write_map is not None:
        writing.write_text(write_map, mapping.as_toml(run, options), new=True)
        note(f"mapping: {write_map}")


@app.command()
def checkpoint(
    path: Annotated[
        Path, typer.Argument(readable=False, help="A checkpoint, or the folder of a run.")
    ],
    format_: Annotated[ListFormat, typer.Option("--format")] = ListFormat.text,
) -> None:
    """Show what lies in a checkpoint: networks, optimisers, settings; nothing of it is run."""
    from gandoctor import inspecting

    say(inspecting.show(path, as_json=format_ is ListFormat.json))


@app.command()
def explain(name: Annotated[str, typer.Argument(metavar="ID")], rules: RulesOption = None) -> None:
    """Explain a rule, symptom, cause, remedy, role or setting; a tag or a config key will do."""
    rules_show(name, rules)


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

    options = asked_for(config=config, map_=map_, loss=loss, rules=rules, repo=repo)
    say(patching.run(run, number, options, apply=apply, to=to, force=force))


@app.command()
def render(
    report: Annotated[
        Path, typer.Argument(readable=False, help="A report that was saved with -o FILE.json.")
    ],
    output: OutputOption = None,
    format_: FormatOption = None,
) -> None:
    """Write a saved report in another format, without the run."""
    from gandoctor import compare as compare_runs
    from gandoctor import reporters

    targets = output or ["-"]
    files_of(targets)
    chosen = [(t, reporters.choose(t, format_)) for t in targets]
    reports = compare_runs.reports_of(report)
    if not reports:
        hint = "save one with gandoctor analyze RUN -o report.json"
        raise UsageError("is no saved report", str(report), hint)
    for target, reporter in chosen:
        write(target, reporters.render(reporter, reports, **occasion()))


def _config_of(which: str) -> Any:
    """The option for the config of one of two runs that are compared."""
    return typer.Option(
        f"--config-{which}",
        readable=False,
        metavar="FILE",
        help=f"Config of {which.upper()} alone; repeatable.",
    )


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
    config_before: Annotated[list[Path] | None, _config_of("before")] = None,
    config_after: Annotated[list[Path] | None, _config_of("after")] = None,
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
    options = asked_for(
        config=config,
        map_=map_,
        loss=loss,
        rules=rules,
        ignore=ignore,
        select=select,
        outputs=files_of(targets),
        analysed=runs,
    )
    own = existing(config_before, "--config-before"), existing(config_after, "--config-after")
    chosen = [(t, reporters.choose_for_comparison(t, format_)) for t in targets]
    found, report = compare_runs.run(before, after, options, own)
    for target, reporter in chosen:
        write(target, reporters.render_comparison(reporter, found, **occasion()))
    text = reporters.by_name("text")
    hand_over(
        lambda: reporters.render_comparison(text, found, colour=in_colour()), targets, quiet=quiet
    )
    least = fail_on_word(after if after in runs else None, fail_on, options.analysed)
    raise typer.Exit(api.exit_code([report], least))
