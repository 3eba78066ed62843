"""What the checkpoints of a run add: facts, settings, and samples drawn from their generators.

Without a file that may be a checkpoint nothing is imported.
"""

from __future__ import annotations

import math
from dataclasses import field, replace
from typing import TYPE_CHECKING, Final

from gandoctor.errors import unforeseen
from gandoctor.model.checkpoints import DrawnNote, Saved
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gandoctor.model.signals import RawRun, Setting, Signal

_FACTS: Final = frozenset(
    {"drawn_coverage", "drawn_precision", "drawn_fine_precision", "drawn_shift", "drawn_distance"}
    | {"drawn_diversity", "drawn_variety", "drawn_constant_share"}
)


@dataclass(frozen=True, slots=True, eq=False)
class FromG:
    """What samples drawn from the generators tell.

    Attributes
    ----------
    signals : tuple of Signal
    facts : Mapping of str to float
    notes : tuple of DrawnNote
    remarks : tuple of str
    """

    signals: tuple[Signal, ...] = ()
    facts: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[DrawnNote, ...] = ()
    remarks: tuple[str, ...] = ()


def saved(raw: RawRun) -> Saved:
    """What the run's checkpoints say; whatever is wrong with them, the rest of the report stands.

    Without a file that may be one nothing is imported.
    """
    if not raw.checkpoints:
        return Saved()
    from gandoctor import checkpoint

    files = [raw.root / name for name in raw.checkpoints]
    try:
        return checkpoint.examine(files, raw.root, last_step=_last_step(raw))
    except Exception as e:
        fault = unforeseen(e, "their", "")
        remark = f"the checkpoints were left out: {fault.what}"
        return Saved(remarks=(remark,))


def _last_step(raw: RawRun) -> int:
    return max((int(s.steps[-1]) for s in raw.signals if len(s)), default=0)


def capacities(known: Mapping[str, float]) -> dict[str, float]:
    """Sizes of D and G by their parameters, where a checkpoint holds both."""
    d, g = known.get("params_d", 0.0), known.get("params_g", 0.0)
    return {"capacity_d": d, "capacity_g": g, "capacity_ratio": d / g} if d and g else {}


def drawn(raw: RawRun, settings: Mapping[str, Setting], logged: Sequence[Signal] = ()) -> FromG:
    """Samples drawn from the generators; whatever is wrong with them, the rest stands.

    Samples that were `logged` and compared with real data go before them: what is drawn is shown
    then, and does not count a second time.
    """
    if not raw.checkpoints:
        return FromG()
    try:
        found = _drawn(raw, settings)
        if any(s.role == "sample_distance" for s in logged):
            kept = {k: v for k, v in found.facts.items() if not k.startswith("drawn_")}
            found = replace(found, facts=kept)
    except Exception as e:
        fault = unforeseen(e, "their", "")
        return FromG(remarks=(f"no samples were drawn from the checkpoints: {fault.what}",))
    return found


def _drawn(raw: RawRun, settings: Mapping[str, Setting]) -> FromG:
    from gandoctor import checkpoint

    last = _last_step(raw)
    files = [raw.root / name for name in raw.checkpoints]
    known = {name: s.value for name, s in settings.items()}
    found, notes = checkpoint.draw(files, raw.root, known, last_step=last)
    if not found:
        return FromG(remarks=tuple(notes))
    from gandoctor import samples

    signals, chosen, remarks = samples.measure_drawn(found, raw.pictures, raw.root, last)
    facts = _facts_of(signals)
    if chosen[-1].proved:
        facts["sensitivity_g"] = chosen[-1].sensitivity
        if math.isfinite(chosen[-1].saturated):
            facts["saturated_g"] = chosen[-1].saturated
    shown = tuple(DrawnNote(d.path, d.name, d.step, d.how, d.picture) for d in chosen)
    return FromG(tuple(signals), facts, shown, (*notes, *remarks))


def _facts_of(signals: Sequence[Signal]) -> dict[str, float]:
    """The last values of drawn samples: a single look has no course that a rule could ask for."""
    found: dict[str, float] = {}
    for s in signals:
        name = (s.role or "").replace("sample_", "drawn_", 1)
        if name in _FACTS and math.isfinite(s.values[-1]):
            found.setdefault(name, float(s.values[-1]))
    return found
