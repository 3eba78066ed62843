"""Two rungs of short trainings, and what they say: they refute better than they confirm."""

from __future__ import annotations

import math
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gandoctor.errors import InputError
from gandoctor.model.probing import TrialArm
from gandoctor.trials import arms as ways
from gandoctor.trials import scoring
from gandoctor.trials.commands import Command, Ended, Task, run_all
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gandoctor import api
    from gandoctor.model.signals import Run
    from gandoctor.trials.arms import Arm
    from gandoctor.trials.scoring import Scored

SHARES: Final = (0.25, 0.5)
SEEDS: Final = 3
LEFT: Final = 2  # prescriptions that reach the second rung
# An arm has to be better than the unchanged one by this share of it to be called so.
MARGIN: Final = 0.1
USAGE: Final = 2  # exit code where an option is not known
REFUSES: Final = "the command refuses it"
FAILING: Final = 0.6  # believed so surely to fail, a training supports nothing
DOUBTED: Final = 0.5  # where the unchanged one is believed in, the belief judges no other

Train = Callable[["Sequence[Task]", int, float], "Iterator[Ended]"]
Key = tuple[str, int, int]  # arm, rung, seed


@dataclass(slots=True, eq=False)
class Race:
    """Everything about one run's trials.

    Attributes
    ----------
    run : Run
    config : str
        The config file, relative to the run; empty where its settings stand in the log.
    arms : list of Arm
    train : callable
        (tasks, jobs, until) -> those that ended: `commands.run_all`, or a stand-in.
    until : float
        Moment of the monotonic clock by which all ends.
    options : api.Options
        With which logs are read.
    scored : dict
        What each training said.
    notes : list of str
    """

    run: Run
    config: str
    arms: list[Arm]
    command: Command
    jobs: int
    until: float
    options: api.Options
    told: Callable[[str, float], None]
    train: Train = run_all
    scored: dict[Key, Scored] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    trained: int = 0
    complete: bool = True

    def go(self) -> None:
        """Both rungs, for as long as there is time; stays valid however it is left."""
        try:
            with tempfile.TemporaryDirectory(prefix="gandoctor-trials-") as place:
                self._rung(Path(place), 0, self.arms)
                if self.complete:
                    self._rung(Path(place), 1, self._through())
        except KeyboardInterrupt:
            self.complete = False
            self.notes.append("interrupted; what was trained stands")

    def _through(self) -> list[Arm]:
        """The unchanged arm, the random one if it trains, and the prescriptions that did best."""
        judge = self.judge()
        base = self.middle("unchanged", 0, judge)
        own = [a for a in self.arms if a.prescription is not None]
        own = [a for a in own if math.isfinite(self.middle(a.name, 0, judge))]
        better = own
        if self._tells(0, judge):
            own.sort(key=lambda a: self.middle(a.name, 0, judge))
            better = [a for a in own if self.middle(a.name, 0, judge) < base]
        kept = (better or own[:1])[:LEFT]
        if math.isfinite(self.middle("random", 0, judge)):
            kept.append(next(a for a in self.arms if a.name == "random"))
        return [a for a in self.arms if a.name == "unchanged" or a in kept]

    def _rung(self, place: Path, rung: int, arms: Sequence[Arm]) -> None:
        tasks = []
        # Seed after seed: where time runs out, all arms have had as many.
        for seed in range(SEEDS):
            tasks += [t for a in arms if (t := self._task(place, a, rung, seed)) is not None]
        total = len(tasks)
        for done, ended in enumerate(self.train(tasks, self.jobs, self.until), 1):
            self.told(f"rung {rung + 1}: {done} of {total} trainings", done / total)
            self._note(ended)
            if len(self.scored) == len(self.arms):
                self._working()
        if sum(key[1] == rung for key in self.scored) < total:
            self.complete = False
            self.notes.append(
                f"the time ran out at {SHARES[rung]:.0%} of the steps: a longer --budget or more "
                "--jobs would tell more"
            )

    def _working(self) -> None:
        """A command that trains no arm at all says nothing of any."""
        if not any(s.sizes for s in self.scored.values()):
            first = min(self.scored.items())[1]
            raise InputError(
                f"no training worked: {first.fault}",
                "--train",
                "try by hand whether the command trains, and writes its log below {out}",
            )

    def _task(self, place: Path, arm: Arm, rung: int, seed: int) -> Task | None:
        number = ways.seeds_of(self.run, SEEDS)[seed]
        text, _ = self.shortened(arm, SHARES[rung])
        with_seed = self.seeded(text, number)
        here = place / f"{arm.name}-{rung + 1}-{number}"
        here.mkdir(parents=True)
        # Beside the run's folder, not in it: it may hold a copy of the config itself.
        config = place / f"{here.name}-{ways.name_of(self.config)}"
        config.write_text(text if with_seed is None else with_seed, "utf-8")
        args: list[str] = []
        if self.command.takes_args:
            args = ways.options(self.arms[0].text, with_seed or text, self.config)
        words = self.command.filled(args, config=config, out=here, seed=number)
        return Task(tuple(words), here, config, (arm.name, rung, seed))

    def shortened(self, arm: Arm, share: float) -> tuple[str, str]:
        """An arm's config for a share of the steps, and what was changed for it."""
        by_options = self.command.takes_args
        return ways.shortened(arm.text, self.config, self.run, share, by_options=by_options)

    def seeded(self, text: str, seed: int) -> str | None:
        """A config with another seed, or None."""
        by_options = self.command.takes_args
        return ways.seeded(text, self.config, self.run, seed, by_options=by_options)

    def _note(self, ended: Ended) -> None:
        key: Key = ended.task.key
        if ended.code is None:
            return
        self.trained += 1
        options = replace(self.options, configs=(ended.task.config,))
        found = scoring.scored(ended.task.out, options)
        if ended.code and not found.sizes:
            last = (ended.tail.strip().splitlines() or [""])[-1][:160]
            how = REFUSES if ended.code == USAGE else "the command failed"
            found = scoring.Scored({}, f"{how} ({last})")
        self.scored[key] = found
        if found.fault and key[0] == "unchanged" and not any(map(_of_unchanged, self.notes)):
            self.notes.append(f"unchanged: {found.fault}")

    # ------------------------------------------------------------------------------ what was said

    def judge(self) -> str:
        """The judge of all trainings so far."""
        return scoring.judge_of(list(self.scored.values()))

    def sizes(self, arm: str, rung: int, judge: str) -> list[float]:
        """What the judge says of an arm, one a seed; infinite where nothing trained."""
        return [
            s.sizes.get(judge, math.inf)
            for (name, at, _), s in sorted(self.scored.items())
            if name == arm and at == rung
        ]

    def middle(self, arm: str, rung: int, judge: str) -> float:
        """The median of an arm; infinite where there is none."""
        sizes = self.sizes(arm, rung, judge)
        return statistics.median(sizes) if sizes else math.inf

    def _tells(self, rung: int, judge: str) -> bool:
        """Whether the judge sees at all what is wrong: a curve of quality, or a log that it doubts.

        A belief that finds nothing in the unchanged log finds nothing better in another.
        """
        return judge != scoring.BELIEF or self.middle("unchanged", rung, judge) >= DOUBTED

    def result(self) -> list[TrialArm]:
        """Every arm with what became of it, the unchanged one first, then as they rank."""
        judge = self.judge()
        told = [self._told(arm, judge) for arm in self.arms]
        return sorted(told, key=lambda t: (t.kind != "unchanged", *self._place(t, judge)))

    def _place(self, arm: TrialArm, judge: str) -> tuple[int, int, float]:
        order = ("supported", "undecided", "not tried", "refuted", "control")
        last = arm.rungs[-1] if arm.rungs else ()
        sizes = [math.inf if x is None else x for x in last]
        middle = statistics.median(sizes) if sizes else math.inf
        if arm.number and not self._tells(max(0, len(arm.rungs) - 1), judge):
            middle = arm.number
        # What a quarter of the steps gave is not to be set against what a half gave.
        return order.index(arm.outcome), -len(arm.rungs), middle

    def _told(self, arm: Arm, judge: str) -> TrialArm:
        rungs = [self.sizes(arm.name, rung, judge) for rung in range(len(SHARES))]
        rungs = [r for r in rungs if r]
        p = arm.prescription
        known: dict[str, Any] = {
            "title": arm.title,
            "change": arm.change,
            "rungs": tuple(tuple(x if math.isfinite(x) else None for x in r) for r in rungs),
        }
        if p is None:
            known["kind"] = "random" if arm.name == "random" else "unchanged"
            return TrialArm(outcome="control", **known)
        known |= {"number": int(arm.name), "remedy": p.remedy, "cause": p.cause}
        outcome, why = self._outcome(arm.name, len(rungs), judge)
        return TrialArm(kind="prescription", outcome=outcome, why=why, **known)

    def _outcome(self, name: str, rungs: int, judge: str) -> tuple[Any, str]:
        if not rungs:
            return "not tried", "there was no time for it"
        rung = rungs - 1
        own, base = self.sizes(name, rung, judge), self.sizes("unchanged", rung, judge)
        if not base:
            return "undecided", "the unchanged training has not ended"
        mine, usual = statistics.median(own), statistics.median(base)
        part = f"at {SHARES[rung]:.0%} of the steps"
        if not math.isfinite(mine):
            faults = [s.fault for (n, at, _), s in self.scored.items() if (n, at) == (name, rung)]
            if all(f.startswith(REFUSES) for f in faults):
                return "undecided", faults[0]
            return "refuted", f"it does not train, or breaks, {part}"
        if not self._tells(rung, judge):
            return "undecided", f"the unchanged log does not look like a failure {part} either"
        if mine >= usual - MARGIN * abs(usual):
            if min(len(own), len(base)) < 2:
                return "undecided", f"no better than unchanged {part}, by one seed alone"
            return "refuted", f"no better than unchanged {part}"
        if rung == 0:
            further = any(a.name == name for a in self._through())
            rest = "no time was left for more" if further else "not among the best"
            return "undecided", f"better {part}, {rest}"
        control = self.middle("random", rung, judge)
        doubt = self.middle(name, rung, scoring.BELIEF)
        if doubt >= FAILING:
            return "undecided", f"better {part}, but its own log still looks like a failure"
        if max(own) < usual and mine <= control:
            return "supported", f"every seed better than unchanged {part}"
        return "undecided", f"better {part}, but not for every seed, or no better than by lot"


def _of_unchanged(note: str) -> bool:
    return note.startswith("unchanged: ")


def now() -> float:
    """The monotonic clock."""
    return time.monotonic()
