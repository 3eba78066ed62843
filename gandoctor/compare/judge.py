"""Two reports in, one `Comparison` out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gandoctor import __version__
from gandoctor.compare.answer import answer_of
from gandoctor.compare.best import best_points, caught_up
from gandoctor.compare.changes import causes, cautions, settings
from gandoctor.compare.measures import measures_of
from gandoctor.compare.sides import same_unit
from gandoctor.lexicon.reading import roles as common_roles
from gandoctor.model.comparison import Best, Comparison, Curve, Measure, Side
from gandoctor.reporters import wording as w

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gandoctor.model.report import Report
    from gandoctor.model.roles import Role


def compare(before: Report, after: Report, roles: Mapping[str, Role] | None = None) -> Comparison:
    """Say whether the run after is better than the run before, and why.

    Parameters
    ----------
    before, after : Report
    roles : Mapping of str to Role, optional
        Those of the vocabulary that both were understood with; by default those that come with
        gandoctor.

    Returns
    -------
    Comparison
    """
    roles = roles or common_roles()
    measures = tuple(measures_of(before, after, roles))
    answer, why = answer_of(before, after, measures)
    best = best_points(before, after, roles)
    return Comparison(
        before=_side(before, best[0]),
        after=_side(after, best[1]),
        answer=answer,
        why=tuple(why),
        cautions=tuple(cautions(before, after)),
        measures=measures,
        causes=tuple(causes(before, after)),
        settings=tuple(settings(before, after)),
        caught_up=caught_up(before, after, best, roles),
        curves=tuple(curves(before, after, measures, roles)),
        rules_digest=after.rules_digest,
        version=__version__,
    )


def _side(report: Report, best: Best | None) -> Side:
    r = report.run
    return Side(
        name=r.name,
        verdict=report.verdict,
        why_verdict=w.headline(report),
        since=w.since(report),
        first_step=r.first_step,
        last_step=r.last_step,
        step_unit=r.step_unit,
        family=r.objective.family,
        best=best,
    )


def curves(
    before: Report, after: Report, measures: Iterable[Measure], roles: Mapping[str, Role]
) -> Iterator[Curve]:
    """What both runs have as a series, in the order of roles: losses, quality, the rest.

    None over another step axis.
    """
    if not same_unit(before, after):
        return
    order = list(roles)
    for m in sorted(measures, key=lambda m: order.index(m.role)):
        ours, theirs = before.series.get(m.tags[0]), after.series.get(m.tags[1])
        if ours is not None and theirs is not None:
            yield Curve(m.title, m.tags, ours, theirs)
