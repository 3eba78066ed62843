"""What every output of a comparison says: its headline, its rows, best points, settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gandoctor.reporters import wording as w
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gandoctor.model.comparison import Best, Comparison, Measure, Side


def headline(c: Comparison) -> str:
    """``Better``, ``Better, but still failing``, ``No clear change``."""
    said = c.answer.capitalize()
    if c.answer == "better" and c.before.verdict == c.after.verdict == "failing":
        return f"{said}, but still failing"
    return said


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    name: str
    before: str
    after: str
    said: str = ""


def rows(c: Comparison) -> Iterator[Row]:
    """The table of before and after, as text.

    Verdicts first, then losses and scores, then quality.
    """
    yield Row("verdict", c.before.verdict, c.after.verdict)
    yield Row("since", _since(c.before), _since(c.after))
    yield Row("last step", _last(c.before), _last(c.after))
    for m in c.measures:
        yield Row(m.title, _value(m, 0), _value(m, 1), m.answer)
        if m.has_best_point and m.best != (m.before, m.after):
            best = tuple("" if v is None else w.number(v) for v in m.best)
            yield Row(f"{m.title}, best", *best)


def table_note() -> str:
    """What the numbers in the table are."""
    return (
        "Values are medians over the last tenth of the points. Neither loss of a game is better "
        "when it is lower: "
        "losses, scores and gradients are shown, and have no say."
    )


def best_points(c: Comparison) -> list[str]:
    """Where each run was best, and what stopping there would have saved."""
    said = [
        f"{which}: {_best(side.best, side.step_unit)}"
        for which, side in (("before", c.before), ("after", c.after))
        if side.best is not None
    ]
    if c.caught_up is not None:
        said.append(f"after: as good as before ever at {w.at(c.caught_up, c.after.step_unit)}")
    return said


def changed(c: Comparison) -> list[tuple[str, str, str]]:
    """Key, old value and new value of each setting that differs."""
    return [(s.key, _or_unset(s.old), _or_unset(s.new)) for s in c.settings]


def _or_unset(value: str | None) -> str:
    return "not set" if value is None else value


def _best(best: Best, unit: str) -> str:
    where = f"{best.tag} {w.number(best.value)} at {w.at(best.step, unit)}"
    if not best.weak:
        return f"best {where}; stopping there saves {_share(best.share_after)} of the compute"
    said = "no quality metric was logged, so G's loss has to do"
    if best.share_after > 0.98:
        return f"{best.tag} was never lower than at its start ({said})"
    return f"lowest {where}; {_share(best.share_after)} of the run came after it ({said})"


def _share(share: float) -> str:
    if share == 0:
        return "none"
    return "under 1%" if share < 0.01 else f"{share:.0%}"


def _since(side: Side) -> str:
    return "" if side.since is None else w.at(side.since, side.step_unit)


def _last(side: Side) -> str:
    return w.at(side.last_step, side.step_unit)


def _value(m: Measure, which: int) -> str:
    value = (m.before, m.after)[which]
    return w.number(value) if m.tags[which] else "not logged"
