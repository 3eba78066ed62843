"""The commands that run a training's own players: they need PyTorch."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gandoctor.cli.asking import (
    DEFAULT_REPORT,
    ConfigOption,
    DataOption,
    FailOnOption,
    FormatOption,
    LossOption,
    MapOption,
    OutputOption,
    QuietOption,
    RulesOption,
    asked_for,
    fail_on_word,
    files_of,
    there,
)
from gandoctor.cli.commands import app
from gandoctor.cli.occasion import occasion
from gandoctor.cli.saying import hand_over, in_colour, say, write
from gandoctor.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gandoctor.model.report import Report
    from gandoctor.trials import Wishes as Trying

BAR = 24

EntryOption = Annotated[
    str | None,
    typer.Option(
        "--entry",
        metavar="FILE.py:build",
        help="What builds the players; else gandoctor_probe.py beside the run or above it.",
    ),
]
ScriptOption = Annotated[
    Path | None,
    typer.Option(
        "--script",
        metavar="train.py",
        readable=False,
        help="A training script: its classes are used, its body is not run.",
    ),
]
CheckpointOption = Annotated[
    Path | None,
    typer.Option("--checkpoint", metavar="FILE", readable=False, help="Else the latest one."),
]
BudgetOption = Annotated[
    str | None,
    typer.Option(
        "--budget",
        metavar="TIME",
        help="How long it may take: 60s, 5m. By default a minute, and ten for trials.",
    ),
]
TrainOption = Annotated[
    str | None,
    typer.Option(
        "--train",
        metavar="COMMAND",
        help="Try prescriptions by your own training: 'python train.py --config {config} --out "
        "{out}', or 'python train.py YOUR OPTIONS {args} --out {out}' where it has no config.",
    ),
]
TryOption = Annotated[
    int | None,
    typer.Option("--try-patches", min=1, metavar="N", help="How many, with --train; else 3."),
]
JobsOption = Annotated[
    int, typer.Option("--jobs", min=1, metavar="N", help="Trainings at a time, with --train.")
]
DeviceOption = Annotated[
    str, typer.Option("--device", help="auto takes CUDA, MPS or the CPU; or cuda:1, cpu, ...")
]
SeedOption = Annotated[int, typer.Option("--seed", min=0, help="Of noise and choice.")]


@app.command()
def probe(
    run: Annotated[Path, typer.Argument(readable=False, help="A log or run folder.")],
    entry: EntryOption = None,
    script: ScriptOption = None,
    checkpoint: CheckpointOption = None,
    data: DataOption = None,
    budget: BudgetOption = None,
    device: DeviceOption = "auto",
    seed: SeedOption = 0,
    batch: Annotated[
        int, typer.Option("--batch", min=1, help="Examples at once; halved where memory runs out.")
    ] = 64,
    train: TrainOption = None,
    try_patches: TryOption = None,
    jobs: JobsOption = 1,
    trust_checkpoint: Annotated[
        bool,
        typer.Option(
            "--trust-checkpoint",
            help="Take the numbers of one that names code, too; none is run.",
        ),
    ] = False,
    output: OutputOption = None,
    format_: FormatOption = None,
    config: ConfigOption = None,
    map_: MapOption = None,
    loss: LossOption = None,
    fail_on: FailOnOption = None,
    rules: RulesOption = None,
    quiet: QuietOption = False,
) -> None:
    """Measure the players of a checkpoint; confirm or refute what the log says. Needs PyTorch.

    With --train try prescriptions by short trainings instead; that needs only the command.
    """
    from gandoctor import api, reporters
    from gandoctor import probe as probing
    from gandoctor.probe.asked import seconds

    targets = output if output is not None else [DEFAULT_REPORT]
    wishes = probing.Wishes(
        entry=entry or "",
        script=script,
        checkpoint=checkpoint,
        data=there(data),
        budget=seconds(budget or "60s"),
        device=device,
        seed=seed,
        batch=batch,
        trusting=trust_checkpoint,
    )
    options = asked_for(config=config, map_=map_, loss=loss, rules=rules, outputs=files_of(targets))
    told = None if quiet else progress
    # A wrong format is said before the work is done.
    chosen = [(t, reporters.choose(t, format_)) for t in targets]
    trying = _trying(train, try_patches, budget, jobs)
    if trying is None:
        report = probing.run(run, wishes, options, told)
    else:
        from gandoctor import trials

        report = trials.run(run, trying, options, told)
    _deliver(report, chosen, quiet=quiet)
    raise typer.Exit(api.exit_code([report], fail_on_word(run, fail_on)))


@app.command()
def demo(
    failure: Annotated[
        str,
        typer.Argument(help="mode-collapse, vanishing, dominance, oscillation or healthy."),
    ] = "mode-collapse",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="New folder; else gandoctor-demo-NAME."),
    ] = None,
    seed: SeedOption = 0,
    show: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the page, where a terminal is there.")
    ] = True,
) -> None:
    """Train a toy GAN that fails, diagnose it, apply the patch, train again. Needs PyTorch."""
    from gandoctor import demo as demos
    from gandoctor import reporters

    done = demos.run(failure, output or Path(f"gandoctor-demo-{failure}"), seed=seed, told=progress)
    text = reporters.by_name("text")
    say(reporters.render(text, [done.before], colour=in_colour()), clean=True)
    if done.after is not None and done.patch is not None:
        say(f"the patch was applied ({done.patch.title}), and trained again:\n")
        say(reporters.render(text, [done.after], colour=in_colour()), clean=True)
    say(f"report: {done.page}\n")
    if show and sys.stdout.isatty():
        import webbrowser

        webbrowser.open(done.page.resolve().as_uri())


def _trying(train: str | None, patches: int | None, budget: str | None, jobs: int) -> Trying | None:
    """What is wished of trials; None where none are."""
    if train is None and patches is not None:
        raise UsageError(
            "says nothing without --train",
            "--try-patches",
            "--train 'python train.py --config {config} --out {out}'",
        )
    if train is None:
        return None
    from gandoctor import trials
    from gandoctor.probe.asked import seconds

    return trials.Wishes(train, patches or 3, seconds(budget or "10m"), jobs)


def _deliver(report: Report, chosen: Sequence[tuple[str, Any]], *, quiet: bool) -> None:
    """Write the report wherever it is wanted, and the summary to the terminal."""
    from gandoctor import reporters

    for target, reporter in chosen:
        write(target, reporters.render(reporter, [report], **occasion()))
    text = reporters.by_name("text")
    hand_over(
        lambda: reporters.render(text, [report], colour=in_colour()),
        [target for target, _ in chosen],
        quiet=quiet,
    )


def progress(what: str, share: float) -> None:
    """A bar on the terminal's last line; nothing where nobody looks."""
    if not sys.stderr.isatty():
        return
    full = round(BAR * share)
    bar = "\u2588" * full + "\u2591" * (BAR - full)
    sys.stderr.write(f"\r\x1b[2K{bar} {what}" if what else "\r\x1b[2K")
    sys.stderr.flush()
