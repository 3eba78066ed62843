"""Does the first patch cure? Apply it to a failed run's config, train and measure again.

Every arm is trained with the run's own seed and with others; the majority decides, and no more
seeds are trained than it needs. The controls say what the cure rate is worth: nothing changed at
all (a run that other seeds would have saved), both learning rates divided by ten (the best constant
answer), a random numeric setting times or over ten, and 0.1 % more of D's learning rate (chaos).
Results are small files by run, arm, seed and digest of the config, so that only a patch that has
changed is trained again.
"""

from __future__ import annotations

import concurrent.futures
import hashlib
import json
import multiprocessing
import random
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.zoo import config as settings
from benchmarks.zoo import reports
from benchmarks.zoo.score import Share, plain, share

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from benchmarks.zoo.config import Config

# Arm -> what is told of it. In this order they are trained.
ARMS: Final = {
    "patched": "the first patch",
    "lr10": "both learning rates / 10",
    "unchanged": "as it was",
    "random": "a random setting x 10 or / 10",
    "nudge": "D's learning rate x 1.001",
}
CONTROLS: Final = tuple(ARMS)[1:]
OTHER_SEED: Final = 1000  # further seeds: the run's own plus multiples of it
LOGGED_ONLY: Final = {
    "log.signals": ["d_loss", "g_loss"],
    "log.snapshots": 0,
    "log.checkpoints": False,
}
RESAMPLED: Final = 4000


@dataclass(frozen=True)
class Patient:
    """One failed run and what the tool prescribes first.

    Attributes
    ----------
    name : str
    truth : dict
    config : dict
        As it was trained.
    remedy, cause : str
        Of the first prescription with a diff; empty where there is none.
    patched : dict or None
        The config with that diff applied; None where there is none, or where it is no config any
        more.
    error : str
        Why the diff cannot be applied or the result is no config.
    """

    name: str
    truth: dict[str, Any]
    config: Config
    remedy: str = ""
    cause: str = ""
    patched: Config | None = None
    error: str = ""

    def config_of(self, arm: str) -> Config | None:
        """Config of one arm with the run's own seed; None where there is nothing to train."""
        return self.patched if arm == "patched" else CHANGED[arm](self)

    def seeds(self, count: int) -> list[int]:
        own = self.config["seed"]
        return [own + OTHER_SEED * i for i in range(count)]


@dataclass(frozen=True)
class Vote:
    """What retraining one arm of one run has given so far.

    Attributes
    ----------
    outcomes : tuple of str
        ``healthy``, ``failed`` or ``error``, one a seed, the run's own first.
    seeds : int
        How many there may be.
    """

    outcomes: tuple[str, ...]
    seeds: int

    @property
    def cured(self) -> bool | None:
        """What the majority says; None while it may still go either way."""
        healthy = self.outcomes.count("healthy")
        if 2 * healthy > self.seeds:
            return True
        return False if 2 * (len(self.outcomes) - healthy) >= self.seeds else None


@dataclass(frozen=True)
class Results:
    """Outcomes of retraining, in a folder.

    Attributes
    ----------
    folder : Path
    seeds : int
    """

    folder: Path
    seeds: int = 3
    known: dict[Path, dict[str, Any]] = field(default_factory=dict)

    def vote(self, patient: Patient, arm: str) -> Vote:
        config = patient.config_of(arm)
        outcomes: list[str] = []
        for seed in patient.seeds(self.seeds):
            if config is None:
                outcomes.append("error")
            elif config | {"seed": seed} == patient.config:
                outcomes.append(patient.truth["outcome"])  # that very run: same config, same bytes
            else:
                told = self._read(self.path(patient, arm, seed, config))
                if told is None:
                    break
                outcomes.append(told["outcome"])
            if Vote(tuple(outcomes), self.seeds).cured is not None:
                break
        return Vote(tuple(outcomes), self.seeds)

    def train(self, patient: Patient, arm: str) -> Vote:
        """Train until the majority is known."""
        while (vote := self.vote(patient, arm)).cured is None:
            config = patient.config_of(arm)
            assert config is not None
            seed = patient.seeds(self.seeds)[len(vote.outcomes)]
            path = self.path(patient, arm, seed, config)
            about = {"run": patient.name, "arm": arm, "seed": seed}
            if arm == "patched":
                about |= {"remedy": patient.remedy, "cause": patient.cause}
            told = (
                about
                | {"changed": _changes(patient.config, config)}
                | retrain(config | {"seed": seed})
            )
            path.parent.mkdir(parents=True, exist_ok=True)
            half = path.with_suffix(".half")
            half.write_text(json.dumps(told, indent=1) + "\n", "utf-8")
            half.replace(path)
        return vote

    def path(self, patient: Patient, arm: str, seed: int, config: Config) -> Path:
        return self.folder / patient.name / f"{arm}-{seed}-{digest(config)}.json"

    @property
    def sampled(self) -> list[str]:
        """Runs whose first patch has been dealt with, those without any among them.

        No choice by what came out.
        """
        path = self.folder / "sample.json"
        return list(json.loads(path.read_text("utf-8"))) if path.exists() else []

    def keep_sample(self, everyone: Sequence[Patient]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "sample.json").write_text(
            json.dumps(sorted(p.name for p in everyone)) + "\n", "utf-8"
        )

    def _read(self, path: Path) -> dict[str, Any] | None:
        if path not in self.known and path.exists():
            self.known[path] = json.loads(path.read_text("utf-8"))
        return self.known.get(path)


def digest(config: Config) -> str:
    """Name of what is trained: of every setting but the seed and what is logged."""
    kept = {k: v for k, v in config.items() if k != "seed" and k not in LOGGED_ONLY}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:10]


def retrain(config: Config) -> dict[str, Any]:
    """Train a config and measure it; nothing is kept of it but the outcome.

    What is logged has no part in that.
    """
    from benchmarks.zoo import train  # noqa: PLC0415  (torch)

    begun = time.process_time()
    try:
        truth = train.Training(config | LOGGED_ONLY).run()
        told: dict[str, Any] = {
            "outcome": truth.outcome, "borderline": truth.borderline, "symptoms": truth.symptoms,
            "error": "",
        }  # fmt: skip
    except Exception as e:  # a patch may say anything in words that the trainer does not know
        told = {
            "outcome": "error",
            "borderline": False,
            "symptoms": (),
            "error": f"{type(e).__name__}: {e}"[:300],
        }
    return told | {"cpu_seconds": round(time.process_time() - begun, 1)}


# ------------------------------------------------------------------------------------- the controls


def _rates(
    config: Config, factor: float, players: Iterable[str] = ("generator", "discriminator")
) -> Config:
    return config | {
        f"{p}.optimizer.lr": float(f"{config[f'{p}.optimizer.lr'] * factor:.6g}") for p in players
    }


def _random_edit(patient: Patient) -> Config:
    """One numeric setting ten times larger or smaller, by lot.

    How long to train and the seed are not for change.
    """
    rng = random.Random(f"control {patient.name}")
    numbers = [
        key
        for key, value in patient.config.items()
        if isinstance(value, int | float)
        and not isinstance(value, bool)
        and value
        and key not in ("seed", "iterations")
        and not key.startswith("log.")
    ]
    while True:
        key = rng.choice(numbers)
        old = patient.config[key]
        new = type(old)(float(f"{old * rng.choice([0.1, 10.0]):.6g}"))
        if new and new != old:  # a whole number may not be divisible
            return patient.config | {key: new}


CHANGED: Final[dict[str, Callable[[Patient], Config]]] = {
    "lr10": lambda p: _rates(p.config, 0.1),
    "unchanged": lambda p: p.config,
    "random": _random_edit,
    "nudge": lambda p: _rates(p.config, 1.001, ["discriminator"]),
}


def _changes(before: Config, after: Config) -> dict[str, list[Any]]:
    return {
        k: [before[k], v] for k, v in after.items() if before[k] != v and not k.startswith("log.")
    }


# ------------------------------------------------------------------------------------- the patients


def patients(runs: Path, limit: int | None = None, processes: int = 1) -> list[Patient]:
    """The failed runs of a folder with what is prescribed for them now.

    Parameters
    ----------
    runs : Path
        Folder of runs with their truths beside them.
    limit : int, optional
        So many of them, by lot: always the same ones.
    processes : int
    """
    truths = reports.truths(runs)
    chosen = sorted((t for t in truths if t["outcome"] == "failed"), key=lambda t: _lot(t["run"]))[
        :limit
    ]
    said = reports.load([runs / t["run"] for t in chosen], processes)
    return [
        _patient(runs / t["run"], t, report) for t, (report, _) in zip(chosen, said, strict=True)
    ]


def _lot(name: str) -> str:
    return hashlib.sha256(f"cure {name}".encode()).hexdigest()


def _patient(run: Path, truth: dict[str, Any], said: dict[str, Any] | None) -> Patient:
    from gandoctor import GandoctorError, Report, api  # noqa: PLC0415
    from gandoctor.prescribe import applying  # noqa: PLC0415

    path = next(run.glob("config.*"))
    was = settings.read(path)
    first = api.first_patch(Report.from_dict(said)) if said else None
    if first is None:
        return Patient(run.name, truth, was)
    patched, error = None, ""
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place) / path.name
        try:
            applying.apply(first, run, to=copy)
            patched = settings.read(copy)
        except (GandoctorError, ValueError) as e:
            error = str(e)
    return Patient(run.name, truth, was, first.remedy, first.cause, patched, error)


# ----------------------------------------------------------------------------------------- training


def train_all(
    everyone: Sequence[Patient], results: Results, arms: Sequence[str], processes: int = 1
) -> Iterator[tuple[Patient, str, Vote]]:
    """Train whatever is missing, arm after arm; yields each as it is decided."""
    missing = [(p, arm) for arm in arms for p in everyone if results.vote(p, arm).cured is None]
    if processes == 1:
        yield from ((p, arm, results.train(p, arm)) for p, arm in missing)
        return
    spawn = multiprocessing.get_context("spawn")  # a fork of a process that has used torch may hang
    with concurrent.futures.ProcessPoolExecutor(processes, mp_context=spawn) as pool:
        waiting = {pool.submit(results.train, p, arm): (p, arm) for p, arm in missing}
        for future in concurrent.futures.as_completed(waiting):
            yield (*waiting[future], future.result())


# ------------------------------------------------------------------------------------------ figures


def figures(everyone: Sequence[Patient], results: Results) -> dict[str, Any]:
    """Cure rates as plain data.

    Whatever is not trained yet is left out, and counted in ``missing``.

    Returns
    -------
    dict
        ``overall`` (name -> share), ``over`` (control -> difference with interval, on the runs that
        have both), ``remedies`` and ``pairs`` (remedy, or remedy and cause -> cured of tried),
        ``faults``, ``families``, ``runs``.
    """
    votes = {arm: {p.name: results.vote(p, arm) for p in everyone} for arm in ARMS}
    cured = {
        arm: {n: v.cured for n, v in of.items() if v.cured is not None} for arm, of in votes.items()
    }
    treated = [p for p in everyone if p.name in cured["patched"]]
    tried = [p for p in treated if p.remedy]
    own = [votes["patched"][p.name].outcomes[0] for p in treated]
    clear = [p for p in treated if not p.truth["borderline"]]

    def rate(of: Iterable[Patient]) -> Share:
        return share(bool(cured["patched"][p.name]) for p in of)

    return {
        "sampled": len(everyone),
        "seeds": results.seeds,
        "missing": {arm: len(everyone) - len(of) for arm, of in cured.items()},
        "overall": {
            "patched": share(bool(p.remedy) for p in treated),
            "trains": share(votes["patched"][p.name].outcomes[0] != "error" for p in tried),
            "cured": rate(treated),
            "cured_same_seed": share(outcome == "healthy" for outcome in own),
            "cured_without_borderline": rate(clear),
            "cured_of_patched": rate(tried),
            **{arm: share(map(bool, cured[arm].values())) for arm in CONTROLS},
        },
        "over": {arm: over(cured["patched"], cured[arm]) for arm in CONTROLS},
        "remedies": {r or "no patch": rate(of) for r, of in _grouped(treated, lambda p: p.remedy)},
        "pairs": {
            " for ".join(pair): rate(of)
            for pair, of in _grouped(tried, lambda p: (p.remedy, p.cause))
        },
        "faults": {
            fault or "no fault": rate(of)
            for fault, of in _grouped(treated, lambda p: p.truth["fault"])
        },
        "families": {
            family: rate(of) for family, of in _grouped(treated, lambda p: p.truth["family"])
        },
        "runs": [
            {
                "run": p.name,
                "fault": p.truth["fault"],
                "remedy": p.remedy,
                "cause": p.cause,
                "error": p.error,
            }
            | {arm: list(votes[arm][p.name].outcomes) for arm in ARMS}
            for p in everyone
        ],
    }


def told(everyone: Sequence[Patient], results: Results) -> list[tuple[str, str, bool]]:
    """Remedy, cause and whether it cured, for every run whose first patch has been trained."""
    votes = [(p, results.vote(p, "patched").cured) for p in everyone if p.remedy]
    return [(p.remedy, p.cause, cured) for p, cured in votes if cured is not None]


def over(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Difference of two cure rates on runs that have both, with its 95 % interval by resampling."""
    both = [(bool(one[n]), bool(other[n])) for n in sorted(one.keys() & other.keys())]
    if not both:
        return {"n": 0, "value": None, "interval": None}
    gains = [a - b for a, b in both]
    rng = random.Random(0)
    means = sorted(sum(rng.choices(gains, k=len(gains))) / len(gains) for _ in range(RESAMPLED))
    interval = means[round(0.025 * RESAMPLED)], means[round(0.975 * RESAMPLED) - 1]
    return {"n": len(both), "value": sum(gains) / len(gains), "interval": interval}


def _grouped(
    everyone: Iterable[Patient], key: Callable[[Patient], Any]
) -> list[tuple[Any, list[Patient]]]:
    groups: dict[Any, list[Patient]] = defaultdict(list)
    for p in everyone:
        groups[key(p)].append(p)
    return sorted(groups.items())


def table(found: dict[str, Any]) -> str:
    """Figures for people."""
    missing = {arm: n for arm, n in found["missing"].items() if n}
    lines = [
        f"{found['sampled']} failed runs, majority of {found['seeds']} seeds; [95 % interval]"
        + (
            f"; not trained yet: {', '.join(f'{arm} {n}' for arm, n in missing.items())}"
            if missing
            else ""
        )
    ]
    lines += [f"  {name:28s} {value}" for name, value in found["overall"].items()]
    for arm, gain in found["over"].items():
        if gain["n"]:
            low, high = gain["interval"]
            lines.append(
                f"  {'cured_over_' + arm:28s} {gain['value']:+.2f} [{low:+.2f}, {high:+.2f}] on "
                f"{gain['n']}"
            )
    lines.append(f"controls: {'; '.join(f'{arm}: {ARMS[arm]}' for arm in CONTROLS)}")
    for title in ("remedies", "pairs", "faults", "families"):
        lines.append(f"{title}: cured")
        lines += [f"  {name:64s} {value}" for name, value in found[title].items()]
    return "\n".join(lines)


def as_json(found: dict[str, Any]) -> str:
    """Figures as JSON text."""
    return json.dumps(plain(found), indent=1) + "\n"
