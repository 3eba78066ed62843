"""``python -m benchmarks.zoo``: train the zoo, train the sample logs, score gandoctor on them."""

from __future__ import annotations

import argparse
import json
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.zoo import cure, plan, record, score, summary, work
from gandoctor.errors import GandoctorError

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT: Final = Path(__file__).parents[2]
SAMPLE_LOGS: Final = ROOT / "sample_logs"
ZOO: Final = Path.home() / ".cache" / "gandoctor-zoo"


Commands = Any  # argparse has no public name for it


def main(argv: Iterable[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.zoo", description=__doc__)
    commands = parser.add_subparsers(required=True)
    for add in (
        _add_run,
        _add_judge,
        _add_score,
        _add_compare,
        _add_measure_rules,
        _add_cure,
        _add_samples,
    ):
        add(commands)
    given = parser.parse_args(None if argv is None else list(argv))
    try:
        return int(given.run(given))
    except GandoctorError as error:
        print(error)
        return 2


def _add_run(commands: Commands) -> None:
    command = commands.add_parser("run", help="train a split; goes on where it was stopped")
    command.add_argument("--split", choices=plan.SPLITS, required=True)
    command.add_argument(
        "--out", type=Path, default=ZOO, help="the split gets a folder of its own in here"
    )
    command.add_argument(
        "--seeds",
        type=int,
        nargs="+",
        help="instead of the split's own; give --out a folder of its own",
    )
    command.add_argument("--limit", type=int, help="train at most so many runs now")
    command.add_argument("--jobs", type=int, default=1, help="processes, of one thread each")
    command.set_defaults(run=_run)


def _add_judge(commands: Commands) -> None:
    command = commands.add_parser(
        "judge", help="judge trained runs anew from their kept measurements"
    )
    command.add_argument(
        "--runs", type=Path, required=True, help="folder of runs with their truths beside them"
    )
    command.set_defaults(run=_judge)


def _add_score(commands: Commands) -> None:
    command = commands.add_parser(
        "score", help="what gandoctor says of a zoo, against what was measured"
    )
    command.add_argument("--split", choices=plan.SPLITS)
    command.add_argument("--out", type=Path, default=ZOO, help="where `run` put the splits")
    command.add_argument(
        "--runs", type=Path, help="any folder of runs with their truths beside them"
    )
    command.add_argument("--jobs", type=int, default=1)
    command.add_argument("--json", type=Path, help="write the figures here too")
    command.add_argument(
        "--verbose", action="store_true", help="list every run that is told wrongly"
    )
    command.add_argument(
        "--seeds", type=int, nargs="+", help="those that were trained instead of the split's own"
    )
    command.add_argument(
        "--markdown",
        action="store_true",
        help="print the table for documents instead; needs --split",
    )
    command.add_argument(
        "--into",
        type=Path,
        nargs="+",
        default=[],
        help="put that table into these documents, at its marks",
    )
    command.add_argument(
        "--cures",
        type=Path,
        default=ZOO / "cures",
        help="where `cure` put its results, a folder a split",
    )
    command.set_defaults(run=_score)


def _add_compare(commands: Commands) -> None:
    command = commands.add_parser(
        "compare", help="the test split against the train split, figure by figure"
    )
    _where(command)
    command.add_argument(
        "--test", type=Path, help="folder of other runs to compare train with, say on fresh seeds"
    )
    command.set_defaults(run=_compare)


def _add_measure_rules(commands: Commands) -> None:
    command = commands.add_parser(
        "measure-rules", help="count how often rules, causes and remedies were right"
    )
    _where(command)
    command.add_argument("--fresh", type=Path, help="folder of runs on other seeds, `run --seeds`")
    command.add_argument("--to", type=Path, default=ROOT / "rules" / "measured.yaml")
    command.set_defaults(run=_measure_rules)


def _add_cure(commands: Commands) -> None:
    command = commands.add_parser(
        "cure", help="apply the first patch to failed runs, train again, measure; with controls"
    )
    command.add_argument("--split", choices=plan.SPLITS, required=True)
    command.add_argument(
        "--out", type=Path, help="folder of this split's results; goes on where it was stopped"
    )
    command.add_argument(
        "--runs", type=Path, help="folder of the runs; where `run` puts the split if absent"
    )
    command.add_argument(
        "--seeds", type=int, default=3, help="the run's own and further ones; the majority decides"
    )
    command.add_argument(
        "--limit", type=int, help="so many failed runs, by lot: always the same ones"
    )
    command.add_argument(
        "--arms", nargs="*", choices=list(cure.ARMS), default=list(cure.ARMS), help="only these"
    )
    command.add_argument(
        "--no-train", action="store_true", help="only the figures of what has been trained"
    )
    command.add_argument("--jobs", type=int, default=1, help="processes, of one thread each")
    command.add_argument("--json", type=Path, help="write the figures here too")
    command.set_defaults(run=_cure)


def _add_samples(commands: Commands) -> None:
    command = commands.add_parser("samples", help="train the runs under sample_logs/ again")
    command.add_argument("names", nargs="*", help="only these")
    command.add_argument("--out", type=Path, default=SAMPLE_LOGS)
    command.set_defaults(run=_samples)


def _where(command: argparse.ArgumentParser) -> None:
    command.add_argument("--out", type=Path, default=ZOO, help="where `run` put the splits")
    command.add_argument(
        "--cures",
        type=Path,
        default=ZOO / "cures",
        help="where `cure` put its results, a folder a split",
    )
    command.add_argument("--seeds", type=int, default=3, help="of `cure`")
    command.add_argument("--jobs", type=int, default=1)


def _run(given: argparse.Namespace) -> int:
    folder = given.out / given.split
    folder.mkdir(parents=True, exist_ok=True)
    every = plan.jobs(given.split, given.seeds)
    missing = [job for job in every if not (folder / f"{job.name}.truth.json").exists()][
        : given.limit
    ]
    print(
        f"{given.split}: {len(every)} runs, {len(missing)} to train now, into {folder}", flush=True
    )
    begun = time.monotonic()
    for done, (job, truth) in enumerate(work.train_all(missing, folder, given.jobs), start=1):
        spent = (time.monotonic() - begun) / done
        told = (
            f"{truth['outcome']}{' ~' if truth['borderline'] else ''} "
            f"{', '.join(truth['symptoms'])}"
        )
        print(f"{done}/{len(missing)} {spent:.1f} s a run  {_title(job)}: {told}", flush=True)
    return 0


def _judge(given: argparse.Namespace) -> int:
    count = 0
    for name, before, now in work.judge_again(given.runs):
        count += 1
        if (before["outcome"], before["symptoms"]) != (now["outcome"], now["symptoms"]):
            print(
                f"{name}: {before['outcome']} {before['symptoms']} -> {now['outcome']} "
                f"{now['symptoms']}"
            )
    print(f"{count} runs judged")
    return 0


def _score(given: argparse.Namespace) -> int:
    if not (given.runs or given.split):
        print("score: give --split or --runs")
        return 2
    cases = score.load(given.runs or given.out / given.split, given.jobs)
    if not cases:
        print(
            f"no runs in {given.runs or given.out / given.split}; `python -m benchmarks.zoo run` "
            "trains them"
        )
        return 2
    if given.markdown or given.into:
        if not given.split:
            print("score: --markdown needs --split")
            return 2
        told = _cured(given.runs or given.out / given.split, given.cures / given.split, given.jobs)
        text = summary.block(given.split, cases, told, given.seeds)
        for file in given.into:
            summary.put(file, "fresh" if given.seeds else given.split, text)
        print(text if given.markdown else f"written into {', '.join(map(str, given.into))}")
        return 0
    found = score.figures(cases)
    print(score.table(found))
    if given.verbose:
        print("\n".join(score.mistakes(cases)))
    if given.json:
        given.json.write_text(json.dumps(score.plain(found), indent=1) + "\n", "utf-8")
    return 0


def _cured(runs: Path, results: Path, jobs: int, seeds: int = 3) -> dict[str, Any] | None:
    """Cure figures of the sample that was last trained again; None where there is none."""
    kept = cure.Results(results, seeds)
    if not kept.sampled:
        return None
    found = cure.figures(
        [p for p in cure.patients(runs, None, jobs) if p.name in kept.sampled], kept
    )
    return found if found["overall"]["cured"].n else None


def _compare(given: argparse.Namespace) -> int:
    train, test = (
        score.load(runs, given.jobs)
        for runs in (given.out / "train", given.test or given.out / "test")
    )
    if not (train and test):
        print(f"both splits are needed in {given.out}; `python -m benchmarks.zoo run` trains them")
        return 2
    cures = [
        _cured(given.out / s, given.cures / s, given.jobs, given.seeds)
        for s in plan.SPLITS
        if not given.test
    ]
    rows = summary.compare(train, test, [c for c in cures if c] if all(cures) else ())
    print(summary.compared(rows))
    return int(any(row["below"] for row in rows))


def _measure_rules(given: argparse.Namespace) -> int:
    sets = {split: score.load(given.out / split, given.jobs) for split in plan.SPLITS}
    sets["fresh"] = score.load(given.fresh, given.jobs) if given.fresh else []
    sets["samples"] = score.load(SAMPLE_LOGS, given.jobs)
    cures = {}
    for split in plan.SPLITS:
        results = given.cures / split
        everyone = cure.patients(given.out / split, None, given.jobs) if results.is_dir() else []
        cures[split] = record.cures(cure.told(everyone, cure.Results(results, given.seeds)))
    causes = {name: score.causes(of) for name, of in sets.items() if of}
    given.to.write_text(record.text(sets, causes, cures), "utf-8")
    trained = sum(s.n for of in cures.values() for by in of.values() for s in by.values())
    print(
        f"{given.to}: {', '.join(f'{name} {len(of)} runs' for name, of in sets.items())}, "
        f"{trained} patches trained"
    )
    for rule, why in record.overclaimed(sets).items():
        print(f"{rule} {why}")
    return 0


def _cure(given: argparse.Namespace) -> int:
    runs, out = given.runs or ZOO / given.split, given.out or ZOO / "cures" / given.split
    everyone = cure.patients(runs, given.limit, given.jobs)
    if not everyone:
        print(f"no failed runs in {runs}; `python -m benchmarks.zoo run` trains them")
        return 2
    results = cure.Results(out, given.seeds)
    if not given.no_train:
        begun = time.monotonic()
        for done, (p, arm, vote) in enumerate(
            cure.train_all(everyone, results, given.arms, given.jobs), start=1
        ):
            spent = (time.monotonic() - begun) / done
            told = f"{p.remedy} for {p.cause}" if arm == "patched" else cure.ARMS[arm]
            print(
                f"{done} {spent:.0f} s each  {p.name} {p.truth['fault']}: {told}: "
                f"{', '.join(vote.outcomes)}",
                flush=True,
            )
        if "patched" in given.arms:
            results.keep_sample(everyone)
    found = cure.figures(everyone, cure.Results(out, given.seeds))
    print(cure.table(found))
    if given.json:
        given.json.write_text(cure.as_json(found), "utf-8")
    return 0


def _title(job: plan.Job) -> str:
    return (
        f"{job.name} {job.config['data.name']} {job.config['loss.name']} "
        f"{job.about['what'] or 'base'}"
    )


def _samples(given: argparse.Namespace) -> int:
    jobs = plan.samples()
    if unknown := set(given.names) - {job.name for job in jobs}:
        print(
            f"no such sample: {', '.join(sorted(unknown))}; there are "
            f"{', '.join(job.name for job in jobs)}"
        )
        return 2
    for job in jobs:
        if not given.names or job.name in given.names:
            shutil.rmtree(given.out / job.name, ignore_errors=True)
            truth = job.run(given.out)
            print(f"{job.name}: {truth['outcome']} {', '.join(truth['symptoms'])}", flush=True)
            if job.wrong:
                print(f"{job.name}, put right: {job.outcome_put_right()}", flush=True)
    (given.out / "README.md").write_text(_readme(given.out, jobs), "utf-8")
    return 0


def _readme(folder: Path, jobs: list[plan.Job]) -> str:
    """The list of samples, from what was measured."""
    rows = []
    for job in jobs:
        truth: dict[str, Any] = json.loads((folder / f"{job.name}.truth.json").read_text("utf-8"))
        told = truth["outcome"] + (f": {', '.join(truth['symptoms'])}" if truth["symptoms"] else "")
        log = {"tensorboard": "TensorBoard", "csv": "CSV", "jsonl": "JSONL"}[
            job.config["log.format"]
        ]
        kind = "JSON" if job.json else "YAML"
        rows.append(
            f"| `{job.name}` | {job.config['loss.name']} | {log}, {kind} | {job.about['what']} | "
            f"{told} |"
        )
    return HEAD + "\n".join(rows) + TAIL


HEAD: Final = """\
# Sample logs
Real trainings of tiny GANs (seconds each, one CPU thread), so that there is something to point gandoctor at:

    gandoctor analyze sample_logs/d-dominance

Each folder holds what a training leaves behind: the log, the config, some samples. What really happened was measured on
held-out data while the run was trained, and stands beside the folder in `NAME.truth.json`, where the tool does not
look. Names say what is wrong for your sake; the tool makes nothing of them.

| run | loss | log, config | what was done | measured |
|---|---|---|---|---|
"""
TAIL: Final = """

Every curve comes from a training, none is drawn. To train them all again, or one (needs the extra `zoo`):

    python -m benchmarks.zoo samples
    python -m benchmarks.zoo samples d-dominance

The config in the folder is all a run needs, so this trains the same run:

    python -m benchmarks.zoo.train --config sample_logs/d-dominance/config.yaml --out runs/again

`truth.json`: `outcome` and `symptoms` follow from measurements alone (`benchmarks/zoo/measure.py` says how); `wrong`
lists the settings that were put wrong on purpose, with values under which the run turns out healthy (the command above
tries them); `onset` is the step since when a symptom has lasted; `trace` holds the measurements. Event files carry a
made-up clock, so that training again gives the same bytes.
"""

if __name__ == "__main__":
    raise SystemExit(main())
