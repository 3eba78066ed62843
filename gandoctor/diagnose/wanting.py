"""What to log next: the lines of code that would move the belief most, had they been there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gandoctor.diagnose.asking import applies
from gandoctor.diagnose.belief import before_counting, discounts, group_of
from gandoctor.diagnose.frame import pick
from gandoctor.lexicon.reading import roles_of
from gandoctor.model.report import NotChecked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gandoctor.diagnose.asking import Answer
    from gandoctor.model.belief import Measure, Weights
    from gandoctor.model.rules import Rulebook
    from gandoctor.model.signals import Run

MOST: Final = 2
LEAST: Final = 0.5  # nats that a line has to promise to be worth its while


def log_next(
    run: Run, book: Rulebook, measures: Iterable[Measure], answers: Sequence[Answer]
) -> tuple[NotChecked, ...]:
    """The one or two lines to log that would move the belief most.

    Each rule and measure that is unknown for want of a signal may move it by the range of its nats,
    within a group each further one by half of the one before; what wants several lines is promised
    to each in part.

    Parameters
    ----------
    run : Run
    book : Rulebook
    measures : iterable of Measure
        Those that may be taken: what the user ignores is no gain.
    answers : sequence of Answer
    """
    log_it = {name: role.log_it for name, role in roles_of(run).items() if role.log_it}
    gains: dict[str, list[tuple[str, float]]] = {}
    names: dict[str, dict[str, None]] = {}
    for group, nats, wanted in (
        *_rules(run, book.weights, answers),
        *_measures(run, book.weights, measures),
    ):
        lines = {log_it[n]: n for n in sorted(wanted) if log_it.get(n)}
        if len({log_it.get(n) for n in wanted}) > len(lines):
            continue  # something else is wanting, too, that nobody can be told how to log
        for line, name in lines.items():
            gains.setdefault(line, []).append((group, nats / len(lines)))
            names.setdefault(line, {})[name] = None
    promised = {
        line: sum(nats * factor for (_, nats), factor in zip(told, discounts(told), strict=True))
        for line, told in gains.items()
    }
    best = sorted(
        (line for line in promised if promised[line] >= LEAST),
        key=lambda line: (-promised[line], line),
    )
    return tuple(
        NotChecked(
            rule=next(iter(names[line])),
            title=", ".join(names[line]),
            reason=f"{len(gains[line])} rules and measures wait for it; together they may move the "
            "belief by "
            f"{promised[line]:.1f} nats",
            log_it=line,
        )
        for line in best[:MOST]
    )


def _rules(
    run: Run, weights: Weights, answers: Sequence[Answer]
) -> Iterator[tuple[str, float, frozenset[str]]]:
    """Of each rule that could not be decided for want of signals.

    Its group, the range of its nats, the signals.
    """
    seen: set[str] = set()
    for a in answers:
        if a.truth is not None or a.rule.kind != "symptom" or a.rule.id in seen or not a.outcomes:
            continue
        chosen = pick(run, a.network)
        wanted = frozenset(
            n for o in a.outcomes.values() if o.truth is None for n in o.names if n not in chosen
        )
        if wanted:
            seen.add(a.rule.id)
            weight = weights.rules.get(a.rule.id) or before_counting(a.rule)
            yield group_of(a.rule), abs(weight.holds - weight.clear), wanted


def _measures(
    run: Run, weights: Weights, measures: Iterable[Measure]
) -> Iterator[tuple[str, float, frozenset[str]]]:
    """The same of each measure that speaks of this game."""
    for m in measures:
        wanted = frozenset(n for n in m.value.signals if not run.by_role(n))
        if wanted and applies(m.applies_to, run)[0]:
            nats = weights.measures.get(m.id) or m.curve.nats
            yield m.group, max(nats) - min(nats), wanted
