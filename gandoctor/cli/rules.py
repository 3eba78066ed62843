"""``gandoctor rules``: list, show, test, write pages, start one."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from gandoctor.cli.asking import RulesOption, asked_for
from gandoctor.cli.saying import say

rules_app = typer.Typer(
    help="List, show, test and start rules.", no_args_is_help=True, rich_markup_mode=None
)


class RuleKind(str, Enum):  # noqa: UP042
    """What a rule detects."""

    symptom = "symptom"
    risk = "risk"


@rules_app.command("list")
def rules_list(rules: RulesOption = None) -> None:
    """One line a rule."""
    from gandoctor import pages

    say(pages.listing(asked_for(rules=rules)))


@rules_app.command("show")
def rules_show(
    rule: Annotated[str, typer.Argument(metavar="ID")], rules: RulesOption = None
) -> None:
    """Everything about one rule, symptom, cause, remedy, role or setting."""
    from gandoctor import pages

    say(pages.page(rule, asked_for(rules=rules)))


@rules_app.command("test")
def rules_test(
    rules: RulesOption = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Name every mutant that no case notices.")
    ] = False,
) -> None:
    """Run the test beside every rule, and move each threshold to see whether a case notices."""
    from gandoctor import api, rulebook, ruletest

    folders = api.rule_folders(asked_for(rules=rules))
    result = ruletest.run(rulebook.load(folders), folders)
    say(result.format(verbose=verbose))
    raise typer.Exit(int(not result.passed))


@rules_app.command("docs")
def rules_docs(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the pages go.")],
    rules: RulesOption = None,
) -> None:
    """Write a markdown page a rule, cause and remedy, and an index."""
    from gandoctor import rule_pages

    written = rule_pages.write(folder, asked_for(rules=rules))
    say(f"{len(written)} pages: {folder / 'index.md'}")


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
        say(str(path))
