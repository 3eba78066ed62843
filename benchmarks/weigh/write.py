"""Fitted weights as ``rules/weights.yaml``, with the cases that each rests on."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from gandoctor.model.measured import Share

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from benchmarks.weigh.fit import Space
    from benchmarks.weigh.gather import Seen
    from gandoctor.model.rules import Rulebook

HEAD = """\
# What each piece of evidence is worth, in nats: fitted, never edited. Written by
#   python -m benchmarks.weigh gather ... && python -m benchmarks.weigh fit ... --into rules/weights.yaml
# from runs whose outcome is known. What the measures' own curves and the rules' severities say is the prior; few cases
# move it little. docs/belief.md says how.
#   measures  nats at the knots of the curve; cases: runs that had the size, and how many of those had failed
#   rules     holds: where the rule holds by far; clear: where it was asked and does not; fired and asked: runs, and how
#             many of those had failed
#   cuts      from these probabilities on a run is called failing or warned of; below the last it may be healthy
"""


def page(
    seen: Sequence[Seen],
    at: Space,
    values: NDArray[np.float64],
    cuts: Mapping[str, float],
    book: Rulebook,
) -> str:
    """The text of the file."""
    of = dict(zip(at.keys, values.tolist(), strict=False))
    had, bad = _cases(seen)
    sources = Counter((s.run.source, s.run.failed) for s in seen)
    lines = [HEAD + "about:"]
    for source in sorted({s for s, _ in sources}):
        failed, healthy = sources[source, True], sources[source, False]
        lines.append(f"  {source}: {{runs: {failed + healthy}, failed: {failed}}}")
    lines += [
        f"base: {values[-1]:.3f}",
        "cuts: {" + ", ".join(f"{k}: {v}" for k, v in cuts.items()) + "}",
    ]
    lines.append("measures:")
    for m in book.measures:
        nats = ", ".join(f"{of['measure', m.id, i]:.2f}" for i in range(len(m.curve.knots)))
        lines.append(f"  {m.id}: {{nats: [{nats}], cases: {_share(had[m.id], bad[m.id])}}}")
    lines.append("rules:")
    for rule in (r for r in book.rules if r.status != "retired"):
        holds, clear = (of["rule", rule.id, i] for i in (0, 1))
        fired, asked = f"{rule.id}:fired", f"{rule.id}:asked"
        lines.append(
            f"  {rule.id}: {{holds: {holds:.2f}, clear: {clear:.2f}, "
            f"fired: {_share(had[fired], bad[fired])}, asked: {_share(had[asked], bad[asked])}}}"
        )
    return "\n".join(lines) + "\n"


def _cases(seen: Sequence[Seen]) -> tuple[Counter[str], Counter[str]]:
    """In how many runs each piece of evidence was asked or fired, and how many had failed."""
    had: Counter[str] = Counter()
    bad: Counter[str] = Counter()
    for one in seen:
        for sign in one.signs:
            kind = sign.parts[0][0][0]
            names = [sign.evidence] if kind == "measure" else [f"{sign.evidence}:asked"]
            if kind == "rule" and not sign.text.startswith("not so: "):
                names.append(f"{sign.evidence}:fired")
            had.update(names)
            bad.update(names if one.run.failed else ())
    return had, bad


def _share(n: int, k: int) -> str:
    interval = Share(k, n).interval
    if interval is None:
        return "{runs: 0, failed: 0}"
    return f"{{runs: {n}, failed: {k}, interval: [{interval[0]:.2f}, {interval[1]:.2f}]}}"
