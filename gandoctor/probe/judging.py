"""What the figures of a probe mean: for the belief, by the rules; for each diagnosis of the log."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from gandoctor.model.probing import ProbeFigure, ProbeTested
from gandoctor.model.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gandoctor.model.report import Diagnosis, Report
    from gandoctor.model.signals import Run

    Figures = Mapping[str, float]
    Word = tuple[int, str]
    Outcome = Literal["confirmed", "refuted", "untouched"]

# A curve's rules are about its course: one point of it says nothing to them. Of samples one look
# is what the rules are made for.
TAG: Final = "probe/"
JUDGED: Final = "sample_"
STANDS_FOR: Final = 0.45  # of the run, its end
GOOD: Final = {"distance": 0.08, "fine_precision": 0.6, "coverage": 0.75}
SURE: Final = 0.97  # D tells nearly all apart
UNSURE: Final = 0.7
MOVED: Final = 0.1  # a smaller change of the belief is none


def with_looks(run: Run, looks: Sequence[Sequence[ProbeFigure]]) -> Run:
    """The run with what was measured on samples, in the place of what its pictures said.

    Parameters
    ----------
    run : Run
    looks : sequence of sequence of ProbeFigure
        What each part of the samples says: independent looks at one state. Rules ask for the last
        30 or 40 % of a run: the looks stand for it, as if the players had stayed as they are.
    """
    told = [
        {f.role: f.value for f in look if f.role.startswith(JUDGED) and f.value is not None}
        for look in looks
    ]
    if not told:
        return run
    first = run.last_step - STANDS_FOR * (run.last_step - run.first_step)
    steps = np.linspace(first, run.last_step, len(told)).astype(np.int64)
    measured = tuple(
        Signal(
            tag=f"{TAG}{role}",
            steps=steps,
            values=np.array([look.get(role, np.nan) for look in told]),
            role=role,
            because=f"measured by the probe: {len(told)} looks at samples of the checkpoint",
        )
        for role in told[0]
    )
    kept = tuple(s for s in run.signals if s.role not in told[0])
    values = {f.name: f.value for f in looks[-1] if f.value is not None}
    ranges = (("low", "sample_min"), ("high", "sample_max"),
              ("data_low", "real_min"), ("data_high", "real_max"))  # fmt: skip
    facts = {fact: values[name] for name, fact in ranges if name in values}
    return replace(run, signals=(*kept, *measured), facts={**run.facts, **facts})


def undated(report: Report, before: Report) -> Report:
    """The report without dates that follow from where the looks were put."""
    known = {d.cause: d.onset_step for d in before.diagnoses}
    findings = tuple(
        replace(f, onset_step=None)
        if any(e.signal.startswith(TAG) or any(t.startswith(TAG) for t in e.signals)
               for e in f.evidence)
        else f
        for f in report.findings
    )  # fmt: skip
    dates = {f.rule: f.onset_step for f in findings}
    diagnoses = tuple(
        d
        if any(dates.get(rule) is not None for rule in d.findings)
        else replace(d, onset_step=known.get(d.cause))
        for d in report.diagnoses
    )
    return replace(report, findings=findings, diagnoses=diagnoses)


def tested(before: Report, after: Report, figures: Sequence[ProbeFigure]) -> list[ProbeTested]:
    """Each diagnosis of the log: confirmed, refuted, or not touched by what was measured.

    A diagnosis is confirmed where one of its symptoms shows in the figures, refuted where all that
    can be told of its symptoms is that they do not; but where the belief stays as high as it was,
    the log has better evidence (a FID, say) than the samples here, which refute nothing then.
    """
    seen = {f.name: f.value for f in figures if f.value is not None and np.isfinite(f.value)}
    found = [_tested(d, seen) for d in before.diagnoses]
    held = after.verdict == "failing" and (after.p_failing or 0) > (before.p_failing or 0) - MOVED
    named = _named(seen)[0]
    kept = {d.cause for d in after.diagnoses if named in d.symptoms}
    found = [_renamed(t) if t.outcome == "refuted" and t.cause in kept else t for t in found]
    return [_outweighed(t) if held and _by_samples(t, seen) else t for t in found]


def _renamed(found: ProbeTested) -> ProbeTested:
    return replace(found, why=f"{found.why}; the cause explains that as well")


def _by_samples(found: ProbeTested, seen: Figures) -> bool:
    """Whether a diagnosis is refuted by samples that look well, not by what else was measured."""
    measured = _OF_PLAYERS & set(found.symptoms) or _named(seen)[0]
    return found.outcome == "refuted" and (good(seen) or not measured)


def _outweighed(found: ProbeTested) -> ProbeTested:
    return replace(found, outcome="untouched", why=f"{found.why}; the log's evidence outweighs it")


def _tested(diagnosis: Diagnosis, seen: Figures) -> ProbeTested:
    words = [_word(symptom, seen) for symptom in diagnosis.symptoms]
    outcome: Outcome = "untouched"
    for way, word in _OUTCOMES:
        said = [text for sign, text in words if sign == way]
        if said:
            outcome = word
            break
    else:
        said = [text for _, text in words if text] or ["nothing that was measured bears on it"]
    why = "; ".join(dict.fromkeys(said))
    return ProbeTested(diagnosis.cause, diagnosis.title, diagnosis.symptoms, outcome, why)


def _word(symptom: str, seen: Figures) -> Word:
    """1 where a symptom shows, -1 where it does not, 0 where nothing tells; and why."""
    look = _LOOKS.get(symptom)
    if look is None:
        return 0, ""
    found = look(seen)
    if found[0] == 0 and symptom not in _OF_D and good(seen):
        return -1, "the samples look like the data"
    return found


def good(seen: Figures) -> bool:
    """Whether samples look like the data, as the rules have it (``samples-good``)."""
    return (
        seen.get("distance", 9.0) < GOOD["distance"]
        and seen.get("fine_precision", 0.0) > GOOD["fine_precision"]
        and seen.get("coverage", 0.0) > GOOD["coverage"]
    )


def bad(seen: Figures) -> bool:
    """Whether samples are measured, and do not look like the data."""
    return "distance" in seen and not good(seen)


def _collapse(seen: Figures) -> Word:
    cover, vary, reach = (seen.get(name) for name in ("coverage", "diversity", "reached"))
    if reach is not None and reach < 0.6:
        return 1, f"samples reach {reach:.0%} of the data's clusters"
    # Samples that lie beside the data cover none of it, and may reach all of its clusters.
    if cover is not None and cover < 0.6 and reach is None:
        return 1, f"{cover:.0%} of the real examples have a sample near them"
    if vary is not None and vary < 0.6:
        return 1, f"samples lie {vary:.2g} times as far apart as real examples"
    if cover is None:
        own = seen.get("sensitivity")
        return (
            (1, f"samples hardly heed the noise ({own:.2g})")
            if own is not None and own < 0.01
            else (0, "without real data it cannot be told which part is missing")
        )
    said = f"{cover:.0%} of the real examples have a sample near them"
    if reach is not None:
        said = f"samples reach {reach:.0%} of the data's clusters"
    if cover >= 0.75 and (vary or 0.0) >= 0.8 and (reach is None or reach >= 0.65):
        return -1, said
    return 0, f"{said}: neither few nor many"


def _named(seen: Figures) -> tuple[str, str]:
    """The first failure with a name that shows beyond doubt, and what says so; empty for none."""
    held, told = seen.get("told_apart_held_out"), seen.get("told_apart")
    apart = held if held is not None else told
    broken = seen.get("finite", 1.0) < 1 or seen.get("score_size", 0.0) > 1e3
    away = seen.get("shift", 0.0) > 2.5 or seen.get("variance", 0.0) > 4
    few = seen.get("reached", 1.0) < 0.5 or seen.get("diversity", 1.0) < 0.4
    for symptom, shows in (
        ("exploding-or-nan", broken),
        ("generator-divergence", away),
        ("discriminator-dominance", apart is not None and apart >= SURE),
        ("weak-discriminator", told is not None and told < 0.4),
        ("mode-collapse", few),
    ):
        if shows:
            return symptom, _LOOKS[symptom](seen)[1]
    return "", ""


def _no_convergence(seen: Figures) -> Word:
    if not bad(seen):
        return 0, ""
    symptom, why = _named(seen)
    if symptom:  # it is said of what goes by no other name
        name = symptom.replace("-", " ")
        return -1, f"what shows is {name}: {why}"
    far = seen["distance"]
    if far <= 0.1 and seen.get("fine_precision", 1.0) < 0.5:
        return 1, f"{seen['fine_precision']:.0%} of the samples lie close to a real example"
    clear = far > 0.1 or seen.get("coverage", 1.0) < 0.55
    return int(clear), f"the samples' energy distance to the data is {far:.2g}"


def _dominance(seen: Figures) -> Word:
    told = seen.get("told_apart_held_out", seen.get("told_apart"))
    if told is None:
        return 0, "without D and real data it cannot be told"
    said = f"D puts a real example above a sample in {told:.0%} of pairs"
    if told >= SURE and not good(seen):
        return 1, said
    return (-1 if told < 0.9 else 0), said


def _weak(seen: Figures) -> Word:
    told, gain = seen.get("told_apart"), seen.get("gain_anew")
    if told is None:
        return 0, "without D and real data it cannot be told"
    if gain is not None and gain >= 0.1 and not good(seen):
        return 1, f"a D from scratch tells reals from samples better by {gain:.0%} of pairs"
    said = f"D puts a real example above a sample in {told:.0%} of pairs"
    if told < UNSURE and bad(seen):
        return 1, f"{said}, though the samples are off"
    return (-1 if told > 0.85 or good(seen) else 0), said


def _overfitting(seen: Figures) -> Word:
    heart = seen.get("by_heart")
    if heart is None:
        return 0, "without data that D has not seen it cannot be told"
    said = f"D puts an example it was trained with above one it was not in {heart:.0%} of pairs"
    return _between(heart, 0.56, 0.65), said


def _vanishing(seen: Figures) -> Word:
    slope, first = seen.get("slope"), seen.get("first_to_last_g")
    if slope is None:
        return 0, "without D it cannot be told"
    if slope < 0.02:
        return 1, f"the slope of G's loss at its samples is {slope:.2g}"
    if first is not None and first < 1e-3:
        return 1, f"the gradient of G's first layer is {first:.2g} of that of its last"
    if good(seen):
        return -1, "the samples look like the data"
    return (-1 if slope > 0.2 and (first is None or first > 0.02) else 0), (
        f"the slope of G's loss at its samples is {slope:.2g}"
    )


def _exploding(seen: Figures) -> Word:
    finite = seen.get("finite")
    if finite is not None and finite < 1:
        return 1, f"{1 - finite:.0%} of the samples are not finite"
    size = seen.get("score_size", 0.0)
    if size > 1e3:
        return 1, f"D's scores are about {size:.2g}"
    if seen.get("shift", 0.0) > 3:
        return 1, f"the samples lie {seen['shift']:.2g} deviations away from the data"
    return 0, "samples and scores are finite now"


def _divergence(seen: Figures) -> Word:
    shift = seen.get("shift")
    if shift is None:
        return 0, ""
    far = seen.get("distance", 0.0)
    if shift > 0.5 or far > 0.4:
        return 1, f"the samples lie {shift:.2g} deviations away from the data"
    return 0, f"the samples lie {shift:.2g} deviations away from the data"


def _between(value: float, low: float, high: float) -> int:
    """1 above both, -1 below both."""
    return int(value > high) - int(value < low)


def _oscillation(seen: Figures) -> Word:
    return 0, "one state of the players does not tell whether they circle"


def _range(seen: Figures) -> Word:
    beyond = seen.get("beyond")
    if beyond is None:
        return 0, ""
    said = f"{beyond:.0%} of the data's values lie beyond what G gives"
    return _between(beyond, 0.01, 0.1), said


_LOOKS: Final[Mapping[str, Callable[[Figures], Word]]] = {
    "mode-collapse": _collapse,
    "no-convergence": _no_convergence,
    "discriminator-dominance": _dominance,
    "weak-discriminator": _weak,
    "discriminator-overfitting": _overfitting,
    "vanishing-generator-gradient": _vanishing,
    "exploding-or-nan": _exploding,
    "generator-divergence": _divergence,
    "oscillation": _oscillation,
    "data-range-mismatch": _range,
}
_OUTCOMES: Final[tuple[tuple[int, Outcome], ...]] = ((1, "confirmed"), (-1, "refuted"))
_OF_D: Final = frozenset({"discriminator-overfitting"})
_OF_PLAYERS: Final = _OF_D | {
    "discriminator-dominance",
    "weak-discriminator",
    "vanishing-generator-gradient",
}
