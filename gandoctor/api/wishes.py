"""What a caller knows better than the log, and what preferences add to it."""

from __future__ import annotations

from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gandoctor import preferences
from gandoctor.options import joined
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet


MOST_SAID: Final = 12  # changes by one file of preferences that are told


@dataclass(frozen=True, slots=True)
class Options:
    """What the caller knows better than the log.

    Attributes
    ----------
    configs : sequence of Path
        Config files to use instead of those found beside the log.
    map : Mapping of str to str
        Role to tag.
    loss : str or None
        Loss family.
    rules : sequence of Path
        Folders with more rules.
    ignore : Mapping of str to str
        Rule id to the reason why it is not asked.
    select : sequence of str
        Ids of the only rules to ask; empty for all.
    severity : Mapping of str to str
        Rule id to the severity it is to have.
    repo : Path or None
        Source tree: where the config is found that a run was started from, the patch is made for
        it.
    data : Path or None
        Real data, with which samples are compared: a folder of pictures, or an array.
    jobs : int
        Processes in which the runs of a folder are judged at a time.
    use_preferences : bool
        Whether ``gandoctor.toml`` of the current folder's project and of the run is read.
    origins : Mapping of str to str
        Where an entry stands that the caller did not give, as `preferences.Preferences` says it.
    refused : tuple of str
        What the run's own ``gandoctor.toml`` asks for and does not get.
    outputs : sequence of Path
        What the caller is going to write: an error where a run was read from one of these.
    analysed : set of Path
        All that the caller is going to analyse, as `preferences.folders` gives it: what lies in it
        has no say in what is judged.
    of_run : frozenset of str
        Roles in `map` that are the word of the run's own ``gandoctor.toml``: what is wrong with
        them is no error.
    """

    configs: Sequence[Path] = ()
    map: Mapping[str, str] = field(default_factory=dict)
    loss: str | None = None
    rules: Sequence[Path] = ()
    ignore: Mapping[str, str] = field(default_factory=dict)
    select: Sequence[str] = ()
    severity: Mapping[str, str] = field(default_factory=dict)
    repo: Path | None = None
    data: Path | None = None
    jobs: int = 1
    use_preferences: bool = True
    origins: Mapping[str, str] = field(default_factory=dict)
    refused: tuple[str, ...] = ()
    outputs: Sequence[Path] = ()
    analysed: AbstractSet[Path] = frozenset()
    of_run: frozenset[str] = frozenset()

    def origin(self, entry: str, option: str) -> str:
        """Where an entry stands: the option, or ``file:key``."""
        return self.origins.get(entry, option)


def with_preferences(path: Path, options: Options) -> Options:
    """Fill what the caller left open from ``gandoctor.toml``."""
    if not options.use_preferences:
        return options
    said = preferences.load(Path.cwd(), path, options.analysed)
    given = {"loss"} if options.loss else set()
    for key in ("map", "ignore", "select", "severity"):
        given |= {f"{key}.{name}" for name in getattr(options, key)}
    held = joined(said, options)
    held["rules"] = tuple(Path(folder) for folder in held["rules"])
    return replace(
        options,
        **held,
        origins={entry: where for entry, where in said.origins.items() if entry not in given},
        refused=said.refused,
        of_run=said.of_run - set(options.map),
    )


def changes_told(options: Options) -> Iterator[str]:
    """What the user's own word changed of what is judged, one sentence a file or option."""
    changes = [(f"ignore.{rule}", "--ignore", f"{rule} is not asked") for rule in options.ignore]
    changes += [
        (f"select.{rule}", "--select", f"{rule} is among the only rules asked")
        for rule in options.select
    ]
    changes += [
        (f"severity.{r}", "the caller", f"{r} counts as {word}")
        for r, word in options.severity.items()
    ]
    changes += [
        (f"rules.{folder}", "--rules", f"rules of {folder.name} are asked, too")
        for folder in options.rules
    ]
    changes += [(f"map.{role}", "--map", f"{role} is {tag}") for role, tag in options.map.items()]
    changes += [("loss", "--loss", f"the loss family is {options.loss}")] if options.loss else []
    by_file: dict[str, list[str]] = {}
    for entry, option, change in changes:
        by_file.setdefault(options.origin(entry, option).partition(":")[0], []).append(change)
    for where, made in by_file.items():
        more = f"; and {len(made) - MOST_SAID} more" if len(made) > MOST_SAID else ""
        yield f"{where}: {'; '.join(made[:MOST_SAID])}{more}"
