"""Do short trials pick the cure? ``python -m benchmarks.probe.trials RUNS OUT [--lanes N] ...``.

Failed runs of a zoo (a folder with their truths, as ``python -m benchmarks.zoo run`` makes it, or,
with ``--sets``, ``python -m benchmarks.zoo.pictures write``) are tried as ``gandoctor probe
--train`` does it, each on two cores of its own, within its budget.
Then the pick of the trials, the first prescription and the random edit are trained whole, on up to
three seeds: the majority decides. Others are trained where neither cures, to know whether any does.

Whatever is known is a line of ``OUT/trials.jsonl`` or ``OUT/cures.jsonl``; it goes on from there.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import statistics
import tempfile
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.probe import forks, zoos
from benchmarks.zoo import cure
from benchmarks.zoo.score import share

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

CORES: Final = 2  # of one trial
SEEDS: Final = 3  # of a whole training
TRIALS: Final = "trials.jsonl"
CURES: Final = "cures.jsonl"


@dataclass(frozen=True)
class Place:
    """Where things are, and until when.

    Attributes
    ----------
    zoo : Zoo
    out : Path
    budget : float
        Seconds of one trial.
    forked : bool
        Whether trainings are forks of a process that has torch, or the command itself.
    trials_until, until : float
        Time of day by which trials, and all, should have ended: nothing is begun that would not.
    claims : Path
        Whole trainings that somebody has taken.
    """

    zoo: zoos.Zoo
    out: Path
    budget: float = 60.0
    forked: bool = False
    trials_until: float = 1e12
    until: float = 1e12
    claims: Path = Path()


# ------------------------------------------------------------------------------------ what is known


def lines(path: Path) -> list[dict[str, Any]]:
    """The lines of a file; a torn last one is none."""
    found = []
    for line in path.read_text("utf-8").splitlines() if path.exists() else []:
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def add(path: Path, told: dict[str, Any]) -> None:
    """One line more, whole whoever else writes."""
    with path.open("ab", buffering=0) as file:
        file.write(json.dumps(told).encode() + b"\n")


@dataclass
class Known:
    """What has been tried and trained.

    Attributes
    ----------
    trials : list of dict
    outcomes : dict
        (run, digest of a config, seed) -> outcome of the whole training.
    """

    trials: list[dict[str, Any]]
    outcomes: dict[tuple[str, str, int], str] = field(default_factory=dict)

    @classmethod
    def of(cls, out: Path) -> Known:
        told = lines(out / CURES)
        return cls(
            [t for t in lines(out / TRIALS) if "error" not in t],
            {(t["run"], t["digest"], t["seed"]): t["outcome"] for t in told},
        )

    def vote(self, trial: dict[str, Any], arm: str) -> cure.Vote:
        """What whole trainings of an arm have given so far."""
        known = trial["arms"].get(arm)
        if known is None:
            return cure.Vote(("error",) * SEEDS, SEEDS)
        outcomes: list[str] = []
        for seed in seeds(trial):
            told = self.outcomes.get((trial["run"], known["digest"], seed))
            if told is None:
                break
            outcomes.append(told)
            if cure.Vote(tuple(outcomes), SEEDS).cured is not None:
                break
        return cure.Vote(tuple(outcomes), SEEDS)

    def curable(self, trial: dict[str, Any]) -> bool | None:
        """Whether some prescription that was tried cures; None where that is not known yet."""
        votes = [self.vote(trial, arm).cured for arm in trial["arms"] if arm.isdigit()]
        if any(votes):
            return True
        return None if None in votes else False

    def wanted(self) -> Iterator[tuple[int, dict[str, Any], str]]:
        """Arms to train whole, with what comes first; none of a run that nothing is prescribed.

        The random edit is asked where a prescription cures, others where neither of the first does.
        """
        for trial in self.trials:
            if not trial["pick"]:
                continue
            others = [arm for arm in trial["arms"] if arm.isdigit()]
            order = dict.fromkeys([trial["pick"], "1", *others, "random"])
            for rank, arm in enumerate(a for a in order if a in trial["arms"]):
                if self.vote(trial, arm).cured is not None:
                    continue
                curable = self.curable(trial)
                if arm == "random" and not curable:
                    continue
                needless = arm in others and arm not in (trial["pick"], "1")
                if not (needless and curable):
                    yield rank, trial, arm


def seeds(trial: dict[str, Any]) -> list[int]:
    """The run's own seed and others."""
    return [trial["seed"] + cure.OTHER_SEED * i for i in range(SEEDS)]


# ------------------------------------------------------------------------------------------- trials


def tried(place: Place, name: str) -> dict[str, Any]:
    """The trials of one run, and its arms with their configs."""
    from gandoctor import api, trials  # noqa: PLC0415
    from gandoctor.trials import arms as ways  # noqa: PLC0415
    from gandoctor.trials.commands import run_all  # noqa: PLC0415

    case = next(iter(api.cases(place.zoo.runs / name)))
    said = case.report()
    file = ways.config_of(said, case.run)
    # Where no config is heeded (a record of what was asked for) options are what changes a run.
    by_options = not any(p.diff and p.edits and p.edits[0].file == file for p in said.prescriptions)
    command = place.zoo.command(place.out, case, file, by_options=by_options)
    wishes = trials.Wishes(train=command, budget=place.budget, jobs=CORES)
    begun, used = time.monotonic(), os.times()
    train = forks.run_all if place.forked else run_all
    report = trials.run(place.zoo.runs / name, wishes, train=train)
    wall, now = time.monotonic() - begun, os.times()
    note = report.trials
    assert note is not None
    arms, _ = ways.arms_of(
        said, case.run, case.raw.root, file, wishes.patches, by_options=by_options
    )
    own = [a for a in note.arms if a.number]
    named = {str(a.number) if a.number else a.kind: a for a in note.arms}
    seed = case.run.settings.get("seed")
    return {
        "run": name,
        "seed": seed.value if seed else 0,
        "judge": note.judge,
        "seconds": round(wall, 1),
        "cpu_seconds": round(sum(now[:4]) - sum(used[:4]), 1),
        "trained": note.trained,
        "complete": note.complete,
        "notes": list(note.notes),
        "pick": str(own[0].number) if own else "",
        "rungs": {name: a.rungs for name, a in named.items()},
        "outcomes": {str(a.number): a.outcome for a in own},
        "arms": {
            a.name: {"change": a.change} | _config(place.zoo, case, file, a.text)
            for a in arms
            if a.name != "unchanged"
        },
    }


def _config(zoo: zoos.Zoo, case: Any, file: str, text: str) -> dict[str, Any]:
    try:
        config = zoo.config(case, file, text)
    except ValueError:  # a random edit may ask for what cannot be
        return {"digest": "", "config": None}
    return {"digest": zoo.digest(config), "config": config}


def lane(place: Place, names: Sequence[str], turn: Any, cores: Sequence[int]) -> None:
    """Try run after run on some cores; whole trainings take what is left of these."""
    confine(cores)
    if place.forked:
        forks.ready()
        place.zoo.load()
    context = multiprocessing.get_context("fork" if place.forked else "spawn")
    over = context.Event()
    crew = [context.Process(target=cured, args=(place, [core], over)) for core in cores]
    for process in crew:
        process.start()
    longest = 0.0
    while True:
        with turn.get_lock():
            at, turn.value = turn.value, turn.value + 1
        if at >= len(names) or time.time() + longest > place.trials_until:
            break
        begun = time.time()
        try:
            told = tried(place, names[at])
        except Exception as e:  # told of, and the others go on
            told = {"run": names[at], "error": f"{type(e).__name__}: {e}"[:300]}
            traceback.print_exc(limit=-3)
        add(place.out / TRIALS, told)
        shown = {k: v for k, v in told.items() if k not in ("arms", "rungs")}
        print(json.dumps(shown), flush=True)
        longest = max(longest, time.time() - begun)
    over.set()
    for process in crew:
        process.join(max(0.0, place.until - time.time()))
        process.kill()


def confine(cores: Sequence[int]) -> None:
    """Keep the process and all that it begins on some cores."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"


# ---------------------------------------------------------------------------------- whole trainings


def cured(place: Place, cores: Sequence[int], over: Any) -> None:
    """Train arms whole until there is nothing to train, and nothing is tried any more, or no time.

    Trials on the same cores go first.
    """
    confine(cores)
    os.nice(19)
    longest = 0.0
    while time.time() + longest < place.until:
        ended = over.is_set()
        known = Known.of(place.out)
        for _, trial, arm in sorted(known.wanted(), key=_order):
            if not _claimed(place, f"{trial['run']}-{arm}"):
                continue
            used = time.process_time()
            _train(place, trial, arm, seeds(trial)[len(known.vote(trial, arm).outcomes)])
            longest = max(longest, 1.2 * (time.process_time() - used))
            (place.claims / f"{trial['run']}-{arm}").unlink()
            break
        else:
            if ended:
                return
            time.sleep(0.5)


def _order(wanted: tuple[int, dict[str, Any], str]) -> tuple[int, str]:
    return wanted[0], cure._lot(wanted[1]["run"])


def _claimed(place: Place, name: str) -> bool:
    try:
        (place.claims / name).open("x").close()
    except FileExistsError:
        return False
    return True


def _train(place: Place, trial: dict[str, Any], arm: str, seed: int) -> None:
    known = trial["arms"][arm]
    about = {"run": trial["run"], "arm": arm, "digest": known["digest"], "seed": seed}
    if known["config"] is None:
        told: dict[str, Any] = {"outcome": "error"}
    else:
        told = place.zoo.retrain(known["config"] | {"seed": seed})
    add(place.out / CURES, about | told)


# ------------------------------------------------------------------------------------------ figures


def figures(known: Known, budget: float) -> str:
    """The shares, each with its interval and count, on runs where a prescription cures."""
    tried = [t for t in known.trials if t["pick"]]
    some = [t for t in known.trials if known.curable(t)]
    votes = {(t["run"], a): known.vote(t, a).cured for t in known.trials for a in t["arms"]}
    ways = {
        "the pick of the trials cures": lambda t: t["pick"],
        "the first prescription cures": lambda t: "1",
        "the random edit cures": lambda t: "random",
    }
    whole = [
        t for t in some if all(votes.get((t["run"], of(t)), False) is not None
                               for of in ways.values())
    ]  # fmt: skip
    sure = [(o, votes[t["run"], a]) for t in known.trials for a, o in t["outcomes"].items()
            if votes.get((t["run"], a)) is not None]  # fmt: skip
    took = [t["seconds"] for t in tried]
    count = f"{len(known.trials)} failed runs, {len(tried)} with a prescription to try"
    told = [
        f"{count}; one cures {len(some)} of them, no whole training is missing of {len(whole)}",
        *(
            f"{text:30s}{share(bool(votes.get((t['run'], of(t)))) for t in whole)}"
            for text, of in ways.items()
        ),
        f"{'of those refuted, cure none':30s}{share(not v for o, v in sure if o == 'refuted')}",
        f"{'of those supported, cure':30s}{share(bool(v) for o, v in sure if o == 'supported')}",
    ]
    if took:
        late = sum(s > 1.1 * budget for s in took)
        told.append(
            f"a trial took {statistics.median(took):.0f} s in the median, {max(took):.0f} s at "
            f"most, {sum(t['complete'] for t in tried)} were complete, {late} went over "
            f"{budget:g} s by more than a tenth"
        )
    return "\n".join(told)


def main(argv: Iterable[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.probe.trials", description=__doc__)
    parser.add_argument("runs", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--sets", type=Path, help="the runs are pictures, and these are drawn ones")
    parser.add_argument("--limit", type=int, help="so many runs, by lot")
    parser.add_argument("--lanes", type=int, default=1, help="trials at a time, of two cores each")
    parser.add_argument("--budget", type=float, default=60.0, help="seconds of one trial")
    parser.add_argument(
        "--forked", action="store_true",
        help="trainings are forks of a process that has loaded torch, not commands of their own",
    )  # fmt: skip
    parser.add_argument("--trials-until", type=float, default=1e9, help="seconds from now")
    parser.add_argument("--until", type=float, default=1e9, help="seconds from now")
    given = parser.parse_args(None if argv is None else list(argv))
    now = time.time()
    given.out.mkdir(parents=True, exist_ok=True)
    done = {t["run"] for t in lines(given.out / TRIALS)}
    zoo: zoos.Zoo = zoos.Tiny(given.runs)
    if given.sets:
        zoo = zoos.Pictures(given.runs, given.sets)
    names = [n for n in zoo.chosen()[: given.limit] if n not in done]
    with tempfile.TemporaryDirectory() as claims:
        place = Place(
            zoo, given.out, given.budget, given.forked, now + given.trials_until,
            now + given.until, Path(claims),
        )  # fmt: skip
        _work(place, names, given.lanes)
    print(figures(Known.of(given.out), given.budget))
    return 0


def _work(place: Place, names: Sequence[str], lanes: int) -> None:
    spawn = multiprocessing.get_context("spawn")
    turn = spawn.Value("i", 0)
    free = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else [0]
    crew = []
    for i in range(lanes):
        cores = [free[(CORES * i + k) % len(free)] for k in range(CORES)]
        crew.append(spawn.Process(target=lane, args=(place, names, turn, cores)))
        crew[-1].start()
    for process in crew:
        process.join()


if __name__ == "__main__":
    raise SystemExit(main())
