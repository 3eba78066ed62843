"""What the checkpoints of a run add: facts, settings, and samples drawn from their generators.

Without a file that may be a checkpoint nothing is imported.
"""

from __future__ import annotations

import functools
import math
from dataclasses import field, replace
from typing import TYPE_CHECKING, Final

from gandoctor.errors import unforeseen
from gandoctor.model.checkpoints import DrawnNote, Saved
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gandoctor.checkpoint.gathering import Gathered
    from gandoctor.model.signals import RawRun, Setting, Signal
    from gandoctor.samples.given import Given
    from gandoctor.vocabulary import Vocabulary

_FACTS: Final = frozenset(
    {"drawn_coverage", "drawn_precision", "drawn_fine_precision", "drawn_shift", "drawn_distance"}
    | {"drawn_diversity", "drawn_variety", "drawn_constant_share"}
)
_ROUNDED: Final = 0.01


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


class OfRun:
    """The checkpoints of a run: read once, asked for what they say and for samples.

    Whatever is wrong with them, the rest of the report stands.
    """

    def __init__(self, raw: RawRun, given: Given | None = None) -> None:
        self._raw = raw
        self._given = given

    @functools.cached_property
    def _found(self) -> Gathered:
        from gandoctor import checkpoint

        files = [self._raw.root / name for name in self._raw.checkpoints]
        return checkpoint.gather(files, self._last_step)

    @functools.cached_property
    def _last_step(self) -> int:
        return max((int(s.steps[-1]) for s in self._raw.signals if len(s)), default=0)

    def saved(self) -> Saved:
        """What they say. Without a file that may be one nothing is imported."""
        if not self._raw.checkpoints:
            return Saved()
        from gandoctor import checkpoint

        try:
            return checkpoint.examine(self._found, self._raw.root)
        except Exception as e:
            fault = unforeseen(e, "their", "")
            remark = f"the checkpoints were left out: {fault.what}"
            return Saved(remarks=(remark,))

    def drawn(self, settings: Mapping[str, Setting], logged: Sequence[Signal] = ()) -> FromG:
        """Samples drawn from the generators.

        Samples that were `logged` and compared with real data go before them: what is drawn is
        shown then, and does not count a second time.
        """
        if not self._raw.checkpoints:
            return FromG()
        try:
            found = self._drawn(settings)
            if any(s.role == "sample_distance" for s in logged):
                kept = {k: v for k, v in found.facts.items() if not k.startswith("drawn_")}
                found = replace(found, facts=kept)
        except Exception as e:
            fault = unforeseen(e, "their", "")
            return FromG(remarks=(f"no samples were drawn from the checkpoints: {fault.what}",))
        return found

    def _drawn(self, settings: Mapping[str, Setting]) -> FromG:
        from gandoctor import checkpoint

        raw = self._raw
        known = {name: s.value for name, s in settings.items()}
        found, notes = checkpoint.draw(self._found, raw.root, known)
        if not found:
            return FromG(remarks=tuple(notes))
        from gandoctor import samples

        signals, chosen, remarks, real = samples.measure_drawn(
            found, raw.pictures, raw.root, self._last_step, self._given
        )
        facts = _facts_of(signals)
        if chosen[-1].proved:
            facts["sensitivity_g"] = chosen[-1].sensitivity
            if math.isfinite(chosen[-1].saturated):
                facts["saturated_g"] = chosen[-1].saturated
        told, said = checkpoint.answers(self._found, real, chosen[-1], known)
        facts |= told
        shown = tuple(DrawnNote(d.path, d.name, d.step, d.how, d.picture) for d in chosen)
        return FromG(tuple(signals), facts, shown, (*notes, *remarks, *said))


def with_contradictions(saved: Saved, settings: Mapping[str, Setting], words: Vocabulary) -> Saved:
    """The same with a remark wherever an optimiser ran otherwise than the config says."""
    told = [s for s in saved.settings if s.key.startswith(("optimizer_g.", "optimizer_d."))]
    if not told:
        return saved
    from gandoctor import vocabulary

    found = list(saved.remarks)
    for name, used in vocabulary.settle(told, vocabulary=words).items():
        stated = settings.get(name)
        if stated is None or stated.file == used.file or stated.how:
            continue
        a, b = _number(stated.value), _number(used.value)
        if abs(a - b) > _ROUNDED * max(abs(a), abs(b)):
            found.append(
                f"{stated.file or 'the log'} says {stated.key} = {a:.6g}, and the optimiser in "
                f"{used.file} ran with {b:.6g}: another config, or changed on the way"
            )
    return replace(saved, remarks=tuple(found))


def _number(value: object) -> float:
    """A setting as a number, as YAML writes some of them in text; NaN where it is none."""
    try:
        return math.nan if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):  # a whole number beyond all floats
        return math.nan


def capacities(known: Mapping[str, float]) -> dict[str, float]:
    """Sizes of D and G by their parameters, where a checkpoint holds both."""
    d, g = known.get("params_d", 0.0), known.get("params_g", 0.0)
    return {"capacity_d": d, "capacity_g": g, "capacity_ratio": d / g} if d and g else {}


def _facts_of(signals: Sequence[Signal]) -> dict[str, float]:
    """The last values of drawn samples: a single look has no course that a rule could ask for."""
    found: dict[str, float] = {}
    for s in signals:
        name = (s.role or "").replace("sample_", "drawn_", 1)
        if name in _FACTS and math.isfinite(s.values[-1]):
            found.setdefault(name, float(s.values[-1]))
    return found
