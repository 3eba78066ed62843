"""What was not checked, by what would have to be logged: that which answers most comes first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gandoctor.lexicon.reading import roles
from gandoctor.reporters import wording as w
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gandoctor.model.report import NotChecked, Report
    from gandoctor.model.roles import Role


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that wait for the same lines of code.

    Attributes
    ----------
    names : str
        The signals that are missing, in words.
    log_it : str
        The code that logs them; empty where there is none that would.
    rules : tuple of (id, title, reason)
        The reason only where no code stands for it.
    """

    names: str
    log_it: str
    rules: tuple[tuple[str, str, str], ...]


def groups(report: Report) -> tuple[Group, ...]:
    """The rules that could not be decided; what nothing that is logged would decide comes last."""
    waiting: dict[tuple[str, ...], list[NotChecked]] = {}
    for x in report.not_checked:
        lines = dict.fromkeys(line.rstrip() for line in x.log_it.splitlines() if line.strip())
        waiting.setdefault(tuple(lines), []).append(x)
    known = roles()
    told = [
        Group(
            _names(rules, known),
            "\n".join(lines),
            tuple((x.rule, x.title, "" if lines else x.reason) for x in rules),
        )
        for lines, rules in _joined(waiting).items()
    ]
    return tuple(sorted(told, key=lambda g: (not g.log_it, -len(g.rules))))


def _joined(
    waiting: Mapping[tuple[str, ...], list[NotChecked]],
) -> dict[tuple[str, ...], list[NotChecked]]:
    """The same, what needs only some of another's lines put with it: each line stands once."""
    joined: dict[tuple[str, ...], list[NotChecked]] = {}
    for lines in sorted(waiting, key=len, reverse=True):
        home = next((other for other in joined if lines and {*lines} <= {*other}), lines)
        joined.setdefault(home, []).extend(waiting[lines])
    return joined


def _names(rules: Sequence[NotChecked], known: Mapping[str, Role]) -> str:
    """The missing signals, each once: those that the reasons name."""
    names = dict.fromkeys(name for x in rules for name in x.missing if name in x.reason)
    titles = (known[n].title if n in known and known[n].title else n for n in names)
    # A report of an older version does not name them.
    return ", ".join(dict.fromkeys(titles)) or "; ".join(dict.fromkeys(x.reason for x in rules))


def in_brief(report: Report, most: int = 3) -> str:
    """``17 rules; most wait for FID (5), D's accuracy (1)``; empty where all was checked."""
    count = len(report.not_checked)
    if not count:
        return ""
    said = w.count(count, "rule")
    waits = [f"{_first(g.names)} ({len(g.rules)})" for g in groups(report)[:most] if g.log_it]
    return f"{said}; most wait for {', '.join(waits)}" if waits else said


def _first(names: str) -> str:
    """The first of several names, and how many more there are."""
    first, *others = names.split(", ")
    return f"{first} and {len(others)} more" if others else first
