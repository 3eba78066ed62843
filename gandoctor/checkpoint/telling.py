"""What checkpoints tell, in numbers that rules use and in sentences for people."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.checkpoint import measuring
from gandoctor.files.below import seen_from
from gandoctor.model.checkpoints import CheckpointNote, NetworkNote

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gandoctor.checkpoint.contents import Checkpoint, Network
    from gandoctor.checkpoint.gathering import Saved
    from gandoctor.checkpoint.measuring import Course, Weights

_NAMES: Final = {"g": "G", "d": "D", "": "a network"}
_MOST_SAID: Final = 40
_ENOUGH_STEPS: Final = 100  # after which an average has left the net
_NO_GAP: Final = 1e-7
_FAR_GAP: Final = 0.5
_ALIKE: Final = 0.99


class Told:
    """What the checkpoints of one step tell.

    Parameters
    ----------
    saved : Saved
    root : Path
        Folder that paths are relative to.

    Attributes
    ----------
    facts : dict of str to float
        Numbers that rules may use.
    notes : tuple of CheckpointNote
    """

    def __init__(self, saved: Saved, root: Path) -> None:
        self.saved = saved
        self.facts: dict[str, float] = {}
        self._weights: dict[int, Weights] = {}
        self.notes = tuple(self._note(c, root) for c in saved.files)
        self._compare()

    def _note(self, one: Checkpoint, root: Path) -> CheckpointNote:
        said: list[str] = []
        for network in one.networks[:_MOST_SAID]:
            self._weights[id(network)] = weights = measuring.weigh(network)
            said += self._of_weights(network, weights)
            if network.plan is not None:
                said.append(f"the file holds its graph, too ({network.plan.kind})")
        path = one.path
        return CheckpointNote(
            path=seen_from(path, root),
            kind=one.kind,
            step=self.saved.step,
            networks=tuple(
                NetworkNote(n.name[:200], n.role, n.average, n.parameters, len(n.tensors))
                for n in one.networks[:_MOST_SAID]
            ),
            optimisers=tuple(self._of_optimisers(one)),
            said=(*said, *([f"{one.unread} of its tensors are not read"] if one.unread else ())),
            foreign=one.foreign[:_MOST_SAID],
        )

    def _of_weights(self, network: Network, w: Weights) -> Iterator[str]:
        name = _NAMES[network.role] if network.role else network.name[:60]
        if network.average:
            name = f"{name}'s average"
        if w.broken:
            where = w.broken_at[:80]
            yield f"{w.broken:,} of {w.read:,} weights of {name} are NaN or infinite, first {where}"
        if w.read and not w.broken and not w.norm:
            yield f"all weights of {name} are zero"
        if math.isfinite(w.clip_value) and w.clipped > 0.3:
            yield (
                f"{w.clipped:.0%} or more of each layer of {name} lie at +-{w.clip_value:.4g}: "
                "its weights are clipped there"
            )
        if w.silent:
            yield f"{w.silent} channels of {name} have a running variance of zero or none at all"
        if network.role and w.read:
            self._note_facts(network, w)

    def _note_facts(self, network: Network, w: Weights) -> None:
        if network.average:
            return
        role = network.role
        share = w.broken / w.read
        self.facts[f"broken_weights_{role}"] = max(
            share, self.facts.get(f"broken_weights_{role}", 0.0)
        )
        self.facts[f"params_{role}"] = self.facts.get(f"params_{role}", 0.0) + w.parameters
        if w.broken:
            return
        self.facts[f"top_singular_{role}"] = max(w.top, self.facts.get(f"top_singular_{role}", 0.0))
        self.facts[f"weight_norm_{role}"] = math.hypot(
            w.norm, self.facts.get(f"weight_norm_{role}", 0.0)
        )
        if role == "d" and math.isfinite(w.clipped):
            self.facts["clipped_share_d"] = w.clipped

    def _of_optimisers(self, one: Checkpoint) -> Iterator[str]:
        networks = [n for c in self.saved.files for n in c.networks]
        for optimiser in one.optimisers:
            owner = measuring.joined(optimiser, networks)
            role = (owner.role if owner else "") or optimiser.role
            of = f" of {_NAMES[role]}" if role else ""
            options = ", ".join(f"{k} {v:.4g}" for k, v in optimiser.options.items())
            course = measuring.follow(optimiser, owner) if owner else None
            steps = optimiser.steps()
            text = f"{optimiser.kind}{of} ({options})"
            text += f", {steps:,} steps" if steps is not None else ""
            if course:
                text += _said_of(course)
                self._course_facts(role, course)
            if role and steps is not None:
                self.facts[f"optimiser_steps_{role}"] = float(steps)
            yield text

    def remarks(self) -> Iterator[str]:
        """What takes two networks, or a network and its optimiser, in sentences."""
        facts = self.facts
        steps = facts.get("optimiser_steps_g", float(self.saved.step or 0))
        gap = facts.get("average_gap", math.nan)
        if gap < _NO_GAP and steps >= _ENOUGH_STEPS:
            yield (
                f"G's moving average equals G (apart by {gap:.1g} of its norm) after {steps:,.0f} "
                "steps: it is copied or shared, not averaged"
            )
        if gap > _FAR_GAP and steps >= _ENOUGH_STEPS:
            yield (
                f"G's moving average is {gap:.0%} of G's norm away from it after {steps:,.0f} "
                "steps: it never left where it began, or G still moves fast"
            )
        ratio = facts.get("steps_ratio", 1.0)
        if ratio != 1:
            yield f"D's optimiser took {ratio:.3g} steps for each of G's"
        for role in ("g", "d"):
            if facts.get(f"classes_alike_{role}", 0.0) > _ALIKE:
                alike = f"are all but one (cosine > {_ALIKE})"
                yield f"the classes' embeddings in {_NAMES[role]} {alike}"

    def _course_facts(self, role: str, course: Course) -> None:
        if not role or not course.known:
            return
        if (course.steps or 0) >= 10:
            self.facts[f"untrained_share_{role}"] = len(course.untrained) / course.known
        for name, value in (("first_to_last", course.first_to_last), ("update", course.update)):
            if math.isfinite(value):
                self.facts[f"{name}_{role}"] = value

    def _compare(self) -> None:
        """Numbers that take two networks: sizes, steps, the average against the net."""
        facts = self.facts
        if facts.get("optimiser_steps_g") and "optimiser_steps_d" in facts:
            facts["steps_ratio"] = facts["optimiser_steps_d"] / facts["optimiser_steps_g"]
        plain, averages = self.saved.networks("g"), self.saved.networks("g", average=True)
        if plain and averages:
            apart = measuring.gap(plain[0], averages[0])
            if math.isfinite(apart):
                facts["average_gap"] = apart
        for role in ("g", "d"):
            alike = [measuring.classes_alike(n) for n in self.saved.networks(role)]
            if any(math.isfinite(a) for a in alike):
                facts[f"classes_alike_{role}"] = float(np.nanmax(alike))


def _said_of(course: Course) -> str:
    parts = []
    if course.untrained:
        names = ", ".join(n[:60] for n in course.untrained[:3])
        parts.append(
            f"{len(course.untrained)} of {course.known} tensors never had a gradient ({names})"
        )
    if math.isfinite(course.update):
        parts.append(f"a step moves the weights by {course.update:.2g} of their size")
    if math.isfinite(course.first_to_last):
        parts.append(f"the first layer's gradient is {course.first_to_last:.2g} of the last one's")
    return f"; {'; '.join(parts)}" if parts else ""
