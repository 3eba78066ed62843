"""A probe, told: what became of the log's diagnoses, the figures, the gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gandoctor.model.belief import in_per_cent
from gandoctor.reporters import wording as w

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gandoctor.model.probing import ProbeFigure, ProbeNote
    from gandoctor.model.report import Report

ORDER: Final = ("confirmed", "refuted", "untouched")
# What a terminal has room for.
FIRST: Final = ("distance", "coverage", "diversity", "sensitivity", "told_apart", "slope")
MOST_LAYERS: Final = 24


def headline(report: Report, probe: ProbeNote) -> str:
    """What the probe did to the belief."""
    before, after = in_per_cent(probe.p_before), in_per_cent(probe.p_after)
    moved = (
        f"{probe.verdict_before} ({before}) before the probe, {report.verdict} ({after}) with it"
    )
    return moved if probe.figures else "nothing could be measured"


def made(probe: ProbeNote) -> str:
    """Where and how long it ran."""
    said = f"{w.count(probe.samples, 'sample')} of {probe.checkpoint} on {probe.device}"
    ended = "" if probe.complete else ", cut short"
    return f"{said}, {probe.seconds:.1f} s of {probe.budget:g} s{ended}, seed {probe.seed}"


def tested(probe: ProbeNote) -> Iterator[tuple[str, str, str]]:
    """Outcome, title and why of each diagnosis of the log, what is decided first."""
    for t in sorted(probe.tested, key=lambda t: ORDER.index(t.outcome)):
        yield t.outcome, t.title, t.why


def rows(probe: ProbeNote) -> Iterator[tuple[str, str, str]]:
    """Name, value and meaning of every figure."""
    for f in probe.figures:
        yield f.name, value(f), f.text


def first(probe: ProbeNote) -> str:
    """The figures that tell most, in one line."""
    known = {f.name: f for f in probe.figures}
    return ", ".join(
        f"{name.replace('_', ' ')} {value(known[name])}" for name in FIRST if name in known
    )


def value(figure: ProbeFigure) -> str:
    """A figure's number; what is not finite is said so."""
    return "not finite" if figure.value is None else f"{figure.value:.3g}"


def layers(probe: ProbeNote) -> Iterator[tuple[str, str, str, str]]:
    """Player, parameter, norm of its gradient, and that over the norm of its weights."""
    for layer in [x for x in probe.layers if x.matrix][:MOST_LAYERS]:
        sizes = (layer.gradient, layer.relative)
        norms = ["not finite" if s is None else f"{s:.2g}" for s in sizes]
        yield layer.player, layer.name, norms[0], norms[1]
