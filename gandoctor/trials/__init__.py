"""Short trainings from scratch: as it was, under each prescription, under a random edit.

Measured: a trial from scratch over a part of the steps picks a change that cures far better than
chance, one from the failed checkpoint hardly. The user's own command is run on patched configs.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gandoctor import api
from gandoctor.model.probing import TrialsNote
from gandoctor.trials import arms as ways
from gandoctor.trials.commands import Command, run_all
from gandoctor.trials.racing import SHARES, Race, now
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from gandoctor.model.probing import TrialArm
    from gandoctor.model.report import Prescription, Report
    from gandoctor.trials.racing import Train

__all__ = ["Wishes", "run"]


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user asks of trials.

    Attributes
    ----------
    train : str
        The command, with ``{config}`` and ``{out}`` in it.
    patches : int
        Prescriptions to try.
    budget : float
        Seconds for all of it.
    jobs : int
        Trainings at a time.
    """

    train: str
    patches: int = 3
    budget: float = 600.0
    jobs: int = 1


def run(
    path: str | Path,
    wishes: Wishes,
    options: api.Options | None = None,
    told: Callable[[str, float], None] | None = None,
    train: Train = run_all,
) -> Report:
    """Try the first prescriptions of a run for short, and rank them by what that tells.

    Parameters
    ----------
    path : str or Path
        A log, or the folder of one run.
    wishes : Wishes
    options : api.Options, optional
    told : callable, optional
        Called with what is done, and the share of it.
    train : callable
        What runs trainings; a stand-in for those that need no command.

    Returns
    -------
    Report
        Its prescriptions in the order that the trials say; `Report.trials` has every arm.

    Raises
    ------
    GandoctorError
        The log cannot be read, the command cannot be run, or there is no config to change.
    """
    begun = now()
    command = Command(wishes.train)
    found = list(api.cases(path, options))
    if len(found) > 1:
        raise api.several([case.run.name for case in found], str(path))
    case = found[0]
    report = case.report()
    config = ways.config_of(report, case.run, by_options=command.takes_args)
    arms, left = ways.arms_of(
        report, case.run, case.raw.root, config, wishes.patches, by_options=command.takes_args
    )
    race = Race(
        run=case.run,
        config=config,
        arms=arms,
        command=command,
        jobs=max(1, wishes.jobs),
        until=begun + wishes.budget,
        options=replace(options or api.Options(), configs=(), outputs=(), use_preferences=False),
        told=told or (lambda what, share: None),
        train=train,
    )
    race.notes += [f"not tried: {why}" for why in ways.untried(left)]
    race.notes += _cautions(race)
    if len(arms) > 1 and any(a.prescription is not None for a in arms):
        race.go()
    else:
        race.notes.append("there is no prescription with a diff of the config to try")
        if not command.takes_args and any(p.overrides for p in report.prescriptions):
            race.notes.append("where the training takes options, write {args}, not {config}")
    race.told("", 1.0)
    result = tuple(race.result())
    note = TrialsNote(
        judge=race.judge(),
        shares=SHARES,
        arms=result,
        trained=race.trained,
        seconds=round(now() - begun, 1),
        budget=wishes.budget,
        notes=tuple(dict.fromkeys(race.notes)),
        complete=race.complete,
    )
    return replace(report, prescriptions=ranked(report.prescriptions, result), trials=note)


def _cautions(race: Race) -> list[str]:
    found = []
    if not race.shortened(race.arms[0], SHARES[0])[1]:
        found.append(
            "the config does not say how long it trains: every trial is a whole training, as far "
            "as the time allows"
        )
    other = ways.seeds_of(race.run, 2)[1]
    if race.seeded(race.arms[0].text, other) is None and not race.command.takes_seed:
        found.append("the config has no seed: trainings differ by chance alone")
    return found


def ranked(
    prescriptions: tuple[Prescription, ...], arms: tuple[TrialArm, ...]
) -> tuple[Prescription, ...]:
    """Prescriptions as the trials rank them; what was not tried stands before what was refuted."""
    placed = {a.number - 1: (a.outcome, i) for i, a in enumerate(arms) if a.number}
    order = {"supported": 0, "undecided": 1, "not tried": 2, "refuted": 3}

    def place(i: int) -> tuple[int, int]:
        outcome, rank = placed.get(i, ("not tried", i))
        return order[outcome], rank if i in placed else i

    return tuple(prescriptions[i] for i in sorted(range(len(prescriptions)), key=place))
