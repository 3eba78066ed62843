"""Signals side by side: what means the same in both runs, and which of the two is better."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gandoctor.compare.changes import settings
from gandoctor.compare.series import end_of, extreme, unrest, values_of
from gandoctor.model.comparison import Answer, Measure, word_for
from gandoctor.reporters import wording as w

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gandoctor.compare.series import Array
    from gandoctor.model.report import Report, SignalNote
    from gandoctor.model.roles import Role

    Pair = tuple[SignalNote | None, SignalNote | None]

MOST_PAIRS: Final = 3


def measures_of(before: Report, after: Report, roles: Mapping[str, Role]) -> Iterator[Measure]:
    """Every signal that comparisons show, in both runs: what has no say first, then the judges."""
    logged = {s.role for r in (before, after) for s in r.signals}
    metric = any(roles[name].judges == "metric" for name in logged if name in roles)
    for role in sorted((r for r in roles.values() if r.shown), key=lambda r: bool(r.judges)):
        if role.judges == "loss" and metric:
            continue  # it is that metric's own twin
        made = [_measure(before, after, role, pair) for pair in pairs(before, after, role)]
        for m in made:
            twins = sum(m.title == other.title for other in made) > 1
            yield replace(m, title=f"{m.title}, {m.tags[1] or m.tags[0]}") if twins else m


def pairs(before: Report, after: Report, role: Role) -> Iterator[Pair]:
    """Signals of a role that mean the same in both runs; None where one of them lacks it."""
    ours, theirs = (
        [s for s in r.signals if s.role == role.name and s.points] for r in (before, after)
    )
    for place in sorted({_place(role, s) for s in (*ours, *theirs)}):
        one, other = ([s for s in group if _place(role, s) == place] for group in (ours, theirs))
        same = [(a, b) for a in one for b in other if a.tag == b.tag and _alike(role, a, b)]
        if same:
            yield from same[:MOST_PAIRS]
            continue
        a, b = (max(group, key=lambda s: s.points, default=None) for group in (one, other))
        if a is not None and b is not None and not _alike(role, a, b):
            yield a, None
            yield None, b
        else:
            yield a, b


def _place(role: Role, s: SignalNote) -> tuple[str, str]:
    return s.network, "val" if s.split == "val" and role.split_matters else ""


def _alike(role: Role, a: SignalNote, b: SignalNote) -> bool:
    """Whether two signals of one role measure the same.

    PSNR is no SSIM, and one loss is not another.
    """
    if role.several:
        return _leaf(a.tag) == _leaf(b.tag)
    return a.because == b.because if role.judges == "loss" else True


def _leaf(tag: str) -> str:
    return tag.rpartition("/")[2].lower()


def _measure(before: Report, after: Report, role: Role, pair: Pair) -> Measure:
    a, b = pair
    either = a or b
    assert either is not None  # noqa: S101  for the type checker: a pair has at least one
    title = role.title
    if role.several:
        title = either.tag
    elif role.judges == "loss":
        title = either.because.removesuffix(": lower is better")
    if either.network:
        title += f", network {either.network}"
    if _place(role, either)[1]:
        title += " (validation)"
    old, new = end_of(before, a), end_of(after, b)
    measure = Measure(
        role.name, either.network, title, (a.tag if a else "", b.tag if b else ""), old, new
    )
    if not role.judges:
        return measure
    # A loss may be logged with its weight, and another weight then makes it another loss.
    weighed = role.judges == "loss" and any(
        x.name.startswith("lambda_") for x in settings(before, after)
    )
    return _judged(
        measure,
        role,
        values_of(before, a),
        values_of(after, b),
        told=None not in pair and not weighed,
    )


def _judged(m: Measure, role: Role, ours: Array, theirs: Array, *, told: bool) -> Measure:
    """The measure with its best points, and with its answer where that can be told."""
    best = (extreme(ours, role.sign), extreme(theirs, role.sign))
    judged = replace(m, best=best, direction=role.better, judges=role.judges)
    if not told:
        return judged
    answer, because = _told_apart(m, best, _margin(m, role, ours, theirs), role)
    return replace(judged, answer=answer, because=because)


def _told_apart(
    m: Measure, best: tuple[float | None, float | None], margin: float, role: Role
) -> tuple[Answer, str]:
    """By the end of the runs; their best points can contradict it."""
    if m.before is None or m.after is None:
        if m.before is None and m.after is None:
            return "no clear change", "it ends in values that are not finite in both runs"
        which = "before" if m.before is None else "after"
        return word_for(
            1 if m.before is None else -1
        ), f"it ends in a value that is not finite in the run {which}"
    ends = f"{w.number(m.before)} before, {w.number(m.after)} after"
    said = f"at the end {ends} ({role.better} is better)"
    gain = role.sign * (m.after - m.before)
    if gain == 0:
        return "no clear change", f"at the end {w.number(m.after)} in both runs"
    if abs(gain) <= margin:
        return "no clear change", f"{said}; that is too little for one run each"
    if best[0] is not None and best[1] is not None:
        at_best = role.sign * (best[1] - best[0])
        if abs(at_best) > margin and (at_best > 0) != (gain > 0):
            return (
                "no clear change",
                f"{said}, but at its best {w.number(best[0])} before, {w.number(best[1])} after",
            )
    return word_for(1 if gain > 0 else -1), said


def _margin(m: Measure, role: Role, ours: Array, theirs: Array) -> float:
    """What a difference has to exceed.

    A set share, and twice the usual step from look to look late in either run.
    """
    relative, absolute = role.margin
    level = max(abs(v) for v in (m.before, m.after, 0.0) if v is not None)
    noise = max(unrest(ours), unrest(theirs))
    return max(relative * level, absolute, 2 * noise)
