"""Do first patches cure failed picture runs? A file of tasks to train, and what became of them.

As in the tiny zoo (`benchmarks.zoo.cure`): the first edits prescribed, three seeds, the majority
decides, and controls on the same runs. A mistake in the loop stays there, whatever the config says.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

import yaml

from benchmarks.zoo import cure, reports
from benchmarks.zoo.pictures import data, judge, settings
from benchmarks.zoo.pictures.labels import canonical
from benchmarks.zoo.pictures.records import SUFFIX, load
from benchmarks.zoo.score import Share, share

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.zoo.pictures.plan import Task

SEEDS: Final = 3
COUNT: Final = 40
# Arm -> how many seeds. The own seed of what was not changed is the run itself.
ARMS: Final = {"patched": SEEDS, "lr10": SEEDS, "random": 1, "unchanged": SEEDS}
# What is trained first, where there is not the time for all: arm and seed.
ORDER: Final = (
    ("patched", 0), ("lr10", 0), ("unchanged", 1), ("patched", 1), ("patched", 2), ("random", 0),
    ("lr10", 1), ("lr10", 2), ("unchanged", 2),
)  # fmt: skip


def plan(folder: Path, trained: dict[str, settings.Settings], jobs: int = 1) -> list[Task]:
    """Tasks for failed runs with a config, by lot: the first seed of every arm first.

    Parameters
    ----------
    folder : Path
        Of runs with their truths beside them.
    trained : dict
        Name of a run -> what was trained.
    jobs : int
    """
    truths = reports.truths(folder)
    failed = [t for t in truths if t["outcome"] == "failed" and t["config"]]
    chosen = sorted(failed, key=lambda t: _lot(t["run"]))[:COUNT]
    said = reports.load([folder / t["run"] for t in chosen], jobs)
    tasks: list[Task] = []
    for truth, (report, _) in zip(chosen, said, strict=True):
        patient = _patient(truth, trained[truth["run"]], report)
        for arm, seeds in ARMS.items():
            tasks += _tasks(patient, arm, seeds)
    tasks.sort(key=lambda t: ORDER.index((t["about"]["arm"], t["about"]["round"])))
    return tasks


def _lot(name: str) -> str:
    return hashlib.sha256(f"picture cure {name}".encode()).hexdigest()


def _patient(
    truth: dict[str, Any], config: settings.Settings, said: dict[str, Any] | None
) -> cure.Patient:
    from gandoctor import Report  # noqa: PLC0415

    # Where the config is a dump or was only printed there is no diff, but edits to make by hand.
    offered = Report.from_dict(said).prescriptions if said else ()
    first = next((p for p in offered if p.edits and not p.blocked_by), None)
    if first is None:
        return cure.Patient(truth["run"], truth, config)
    patched: settings.Settings | None = None
    error = ""
    try:
        changes: dict[str, Any] = {}
        for edit in first.edits:
            changes |= change(truth["written"], edit.key, yaml.safe_load(edit.new))
        patched = settings.make(config | changes)
    except (TypeError, ValueError, yaml.YAMLError) as e:
        error = str(e)
    return cure.Patient(truth["run"], truth, config, first.remedy, first.cause, patched, error)


def change(written: dict[str, str], key: str, new: Any) -> dict[str, Any]:
    """What an edit of a user's key changes.

    Raises
    ------
    ValueError
        A key that the training does not know.
    """
    if isinstance(new, list):
        return {
            k: v
            for i, part in enumerate(new)
            for k, v in change(written, f"{key}.{i}", part).items()
        }
    keys = canonical(written, key)
    if not keys:
        raise ValueError(f"{key}: no such setting")
    kind = type(settings.DEFAULTS[keys[0]])
    return dict.fromkeys(keys, kind(new) if kind in (int, float) else new)


def _tasks(patient: cure.Patient, arm: str, seeds: int) -> list[Task]:
    config = patient.config_of(arm)
    made: list[Task] = []
    for number, seed in enumerate(patient.seeds(seeds)):
        about = {
            "half": "cures",
            "role": "cure",
            "fault": patient.truth["fault"],
            "what": patient.truth["what"],
            "run": patient.name,
            "arm": arm,
            "round": number,
            "remedy": patient.remedy if arm == "patched" else "",
            "cause": patient.cause if arm == "patched" else "",
            "error": patient.error if arm == "patched" else "",
        }
        if config is None:
            if not number:
                made.append({"name": "", "settings": {}, "about": about})
            continue
        if config | {"seed": seed} == patient.config:
            continue  # that very run
        own = config | {"seed": seed}
        name = settings.digest("cure", patient.name, arm, own)
        made.append({"name": name, "settings": settings.differing(own), "about": about})
    return made


def score(tasks: list[Task], records: Path, sets: Path) -> dict[str, Any]:
    """What became of the tasks: cured by the majority of the seeds that were trained.

    Returns
    -------
    dict
        ``runs`` (a row a run), ``arms`` (arm -> share cured of the runs it was tried on),
        ``remedies`` (remedy -> share), ``missing`` (tasks without a record).
    """
    outcomes: dict[tuple[str, str], list[str]] = defaultdict(list)
    about: dict[str, dict[str, Any]] = {}
    drawn: dict[str, data.Pictures] = {}
    missing = 0
    for task in tasks:
        at = task["about"]
        if at["arm"] == "patched":
            about.setdefault(at["run"], at)
        if not task["name"]:
            outcomes[at["run"], at["arm"]].append("no patch")
            continue
        path = records / f"{task['name']}{SUFFIX}"
        if not path.exists():
            missing += 1
            continue
        record = load(path)
        name = record.settings.get("data.name", "")
        if not record.moments:
            outcomes[at["run"], at["arm"]].append("error")
            continue
        drawn[name] = drawn.get(name) or data.load(name, sets)
        outcomes[at["run"], at["arm"]].append(judge.judge(record, drawn[name]).outcome)
    for (_, arm), found in outcomes.items():
        if arm == "unchanged":
            found.insert(0, "failed")  # the run itself
    cured = {key: 2 * found.count("healthy") > len(found) for key, found in outcomes.items()}
    rates: dict[str, Share] = {
        arm: share(cured[key] for key in cured if key[1] == arm) for arm in ARMS
    }
    treated = {run: a for run, a in about.items() if (run, "patched") in cured}
    remedies: dict[str, list[bool]] = defaultdict(list)
    for run, a in treated.items():
        remedies[a["remedy"] or "no patch"].append(cured[run, "patched"])
    return {
        "arms": rates,
        "remedies": {name: share(found) for name, found in sorted(remedies.items())},
        "missing": missing,
        "runs": [
            {k: a[k] for k in ("run", "fault", "remedy", "cause", "error")}
            | {arm: outcomes.get((run, arm), []) for arm in ARMS}
            for run, a in sorted(treated.items())
        ],
    }
