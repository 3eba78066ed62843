"""Metamorphic laws: what must not change a report does not, and the future is not seen.

Every sample run is written out again with one harmless thing changed, and analysed like any other
run.
"""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from tensorboardX.proto.event_pb2 import Event
from tensorboardX.proto.summary_pb2 import Summary
from tensorboardX.record_writer import RecordWriter

from gandoctor import api, parsers, rulebook, samples, vocabulary
from gandoctor.model.report import Report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from gandoctor.model.signals import Picture, Signal

    Points = tuple[NDArray[np.int64], NDArray[np.float64]]

FOLDER = Path(__file__).resolve().parents[1] / "sample_logs"
RUNS = sorted(p.name for p in FOLDER.iterdir() if p.is_dir())
TRUTH = {name: json.loads((FOLDER / f"{name}.truth.json").read_text("utf-8")) for name in RUNS}
HEALTHY = [n for n in RUNS if TRUTH[n]["outcome"] == "healthy"]
STYLES: Mapping[str, Mapping[str, str]] = {
    "slash": {
        "d_loss": "loss/d", "g_loss": "loss/g", "d_real_score": "score/real",
        "d_fake_score": "score/fake",
        "grad_norm_d": "grad_norm/d", "grad_norm_g": "grad_norm/g",
        "sample_variance": "samples/variance",
        "gradient_penalty": "loss/gp", "fid": "eval/fid", "val_d_real_score": "score/val_real",
    },
    "dcgan": {
        "d_loss": "errD", "g_loss": "errG", "d_real_score": "D(x)", "d_fake_score": "D(G(z))",
        "grad_norm_d": "grad_norm_D", "grad_norm_g": "grad_norm_G",
        "sample_variance": "sample_variance",
        "gradient_penalty": "GP", "fid": "FID", "val_d_real_score": "D(x_val)",
    },
    "keras": {
        "d_loss": "d_loss", "g_loss": "g_loss", "d_real_score": "real_score",
        "d_fake_score": "fake_score",
        "grad_norm_d": "d_grad_norm", "grad_norm_g": "g_grad_norm",
        "sample_variance": "sample_variance",
        "gradient_penalty": "gradient_penalty", "fid": "fid", "val_d_real_score": "val_real_score",
    },
}  # fmt: skip


# ---------------------------------------------------------------- a run that can be written again


@dataclass(frozen=True, slots=True)
class Log:
    """The series of a run by tag, what each was understood as, and the folder of the rest."""

    home: Path
    series: Mapping[str, Points]
    roles: Mapping[str, str]
    stretch: int = 1
    until: float = np.inf

    def each(self, change: Callable[[NDArray[np.int64], NDArray[np.float64]], Points]) -> Log:
        return replace(self, series={tag: change(*points) for tag, points in self.series.items()})

    def renamed(self, style: str) -> Log:
        names = {tag: STYLES[style].get(self.roles.get(tag, ""), tag) for tag in self.series}
        return replace(self, series={names[tag]: points for tag, points in self.series.items()})

    def cut(self, last: float) -> Log:
        return replace(self.each(lambda s, v: (s[s <= last], v[s <= last])), until=last)

    def write(self, folder: Path, form: str = "csv") -> Path:
        """Write the log and what lies beside it."""
        folder.mkdir(parents=True)
        WRITERS[form](self.series, folder)
        for file in self.home.glob("config.*"):
            shutil.copy(file, folder)
        for file in self.home.glob("samples/*.npy"):
            stem, _, step = file.stem.partition("_")
            if step and int(step) > self.until:
                continue
            (folder / "samples").mkdir(exist_ok=True)
            name = f"{stem}_{int(step) * self.stretch:06d}.npy" if step else file.name
            shutil.copy(file, folder / "samples" / name)
        return folder


def rows(series: Mapping[str, Points]) -> dict[int, dict[str, float]]:
    table: dict[int, dict[str, float]] = {}
    for tag, (steps, values) in series.items():
        for step, value in zip(steps.tolist(), values.tolist(), strict=True):
            table.setdefault(step, {})[tag] = value
    return dict(sorted(table.items()))


def write_csv(series: Mapping[str, Points], folder: Path, name: str = "metrics.csv") -> None:
    with (folder / name).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["step", *series])
        writer.writerows(
            [step, *(row.get(tag, "") for tag in series)] for step, row in rows(series).items()
        )


def write_jsonl(series: Mapping[str, Points], folder: Path) -> None:
    lines = (json.dumps({"step": step, **row}) for step, row in rows(series).items())
    (folder / "log.jsonl").write_text("\n".join(lines), "utf-8")


def write_tensorboard(
    series: Mapping[str, Points], folder: Path, start: int = 1_700_000_000
) -> None:
    file = RecordWriter(str(folder / f"events.out.tfevents.{start}.host.1.0"))
    file.write(Event(wall_time=start, file_version="brain.Event:2").SerializeToString())
    for step, row in rows(series).items():
        for tag, value in row.items():
            summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
            file.write(
                Event(wall_time=start + step, step=step, summary=summary).SerializeToString()
            )
    file.close()


WRITERS: Mapping[str, Callable[[Mapping[str, Points], Path], None]] = {
    "csv": write_csv, "jsonl": write_jsonl, "tensorboard": write_tensorboard,
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _do_the_same_work_once() -> Iterator[None]:
    """Rules are the same for every run, and most laws leave the samples alone.

    Both are most of the time it takes.
    """
    folders = [rulebook.default_folder()]
    book, words = rulebook.load(folders), vocabulary.load(folders)
    measure, known = samples.measure, {}

    def measure_once(
        pictures: Sequence[Picture], root: Path
    ) -> tuple[tuple[Signal, ...], dict[str, float]]:
        key = tuple((p.tag, p.step, (root / p.path).read_bytes()) for p in pictures)
        if key not in known:
            known[key] = measure(pictures, root)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rulebook, "load", lambda _folders, **_: book)
        patch.setattr(vocabulary, "load", lambda _folders, **_: words)
        patch.setattr(samples, "measure", measure_once)
        yield


@cache
def log(name: str, base: Path = FOLDER) -> Log:
    home = base / name
    raw = parsers.discover(home)[0]
    signals = api.read(home)[0].signals
    understood = {s.tag: f"val_{s.role}" if s.split == "val" else str(s.role) for s in signals}
    series = {s.tag: (s.steps, s.values) for s in raw.signals}
    return Log(home, series, {tag: understood[tag] for tag in series if tag in understood})


@cache
def report(name: str) -> Report:
    return api.analyze(FOLDER / name)


def leading(got: Report) -> str:
    """Symptom of the first diagnosis."""
    return got.diagnoses[0].symptoms[0] if got.diagnoses else ""


def rules(got: Report) -> set[str]:
    return {f.rule for f in got.findings}


def unordered(got: Report) -> dict[str, object]:
    """A report without the order and the names of the files that it was read from."""
    plain = got.to_dict()
    del plain["run"]["sources"], plain["run"]["name"]
    for note in plain["signals"]:
        del note["source"]
    plain["signals"].sort(key=lambda note: note["tag"])
    plain["unmapped"].sort(key=lambda note: note["tag"])
    return plain


# ---------------------------------------------------------------- laws


@pytest.mark.parametrize("name", RUNS)
def test_thinner_logging_says_the_same(name: str, tmp_path: Path) -> None:
    got = api.analyze(log(name).each(lambda s, v: (s[::2], v[::2])).write(tmp_path / name))
    assert (got.verdict, leading(got)) == (report(name).verdict, leading(report(name)))


@pytest.mark.parametrize("name", RUNS)
def test_the_order_of_columns_means_nothing(name: str, tmp_path: Path) -> None:
    one = log(name)
    other = replace(one, series=dict(reversed(list(one.series.items()))))
    got = [
        api.analyze(x.write(tmp_path / part / name)) for part, x in (("one", one), ("other", other))
    ]
    assert unordered(got[0]) == unordered(got[1])


@pytest.mark.parametrize("name", RUNS)
def test_the_order_of_files_means_nothing(name: str, tmp_path: Path) -> None:
    one = log(name)
    of_d = {
        t: points
        for t, points in one.series.items()
        if one.roles.get(t, "").startswith(("d_", "grad_norm_d"))
    }
    parts = [of_d, {t: points for t, points in one.series.items() if t not in of_d}]
    got = []
    for label, order in (("one", parts), ("other", parts[::-1])):
        folder = replace(one, series=order[0]).write(tmp_path / label / name, "tensorboard")
        write_tensorboard(order[1], folder, start=1_700_005_000)
        got.append(api.analyze(folder))
    assert unordered(got[0]) == unordered(got[1])
    assert (got[0].verdict, rules(got[0])) == (report(name).verdict, rules(report(name)))


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("name", RUNS)
def test_names_are_but_names(name: str, style: str, tmp_path: Path) -> None:
    got = api.analyze(log(name).renamed(style).write(tmp_path / name))
    assert (got.verdict, leading(got), rules(got)) == (
        report(name).verdict, leading(report(name)), rules(report(name)),
    )  # fmt: skip


@pytest.mark.parametrize("name", RUNS)
def test_unrelated_signals_change_nothing(name: str, tmp_path: Path) -> None:
    one = log(name)
    steps = max((s for s, _ in one.series.values()), key=len)
    dice = np.random.default_rng(0)
    more = {
        "time/seconds_per_step": dice.uniform(0.1, 0.2, len(steps)),
        "system/gpu_memory_mb": np.full(len(steps), 5120.0),
        "weights/conv1_norm": np.cumsum(dice.normal(size=len(steps))),
        "my_number": dice.normal(scale=1e6, size=len(steps)),
    }
    got = api.analyze(
        replace(one, series={**{k: (steps, v) for k, v in more.items()}, **one.series}).write(
            tmp_path / name
        )
    )
    assert (got.verdict, leading(got), rules(got)) == (
        report(name).verdict, leading(report(name)), rules(report(name)),
    )  # fmt: skip


def counts_steps(rule: str) -> bool:
    """Whether a rule looks at a window, or asks for a run, of a fixed number of steps."""
    clauses = rulebook.load([rulebook.default_folder()]).by_id[rule].clauses
    return any("step" in c.over.text or "epoch" in c.over.text for c in clauses)


@pytest.mark.parametrize("name", RUNS)
def test_the_unit_of_the_step_axis_means_nothing(name: str, tmp_path: Path) -> None:
    one = log(name)
    got = api.analyze(
        replace(one.each(lambda s, v: (10 * s, v)), stretch=10).write(tmp_path / name)
    )
    assert got.verdict == report(name).verdict
    scale_free = [{r for r in rules(x) if not counts_steps(r)} for x in (got, report(name))]
    assert scale_free[0] == scale_free[1]


@pytest.mark.parametrize("share", [0.3, 0.6])
@pytest.mark.parametrize("name", HEALTHY)
def test_the_first_part_of_a_healthy_run_is_not_failing(
    name: str, share: float, tmp_path: Path
) -> None:
    got = api.analyze(log(name).cut(share * TRUTH[name]["iterations"]).write(tmp_path / name))
    assert got.verdict != "failing", got.why_verdict


# A run whose first symptom was there at its first looks has no healthy part that could be looked at
# alone.
LATE = {
    n: min(TRUTH[n]["onset"].values())
    for n in RUNS
    if min(TRUTH[n]["onset"].values(), default=0) > 100
}


@pytest.mark.parametrize("name", LATE)
def test_nothing_fails_before_it_happens(name: str, tmp_path: Path) -> None:
    got = api.analyze(log(name).cut(0.6 * LATE[name]).write(tmp_path / name))
    assert got.verdict != "failing", got.why_verdict


@pytest.mark.parametrize("name", RUNS)
def test_the_format_means_nothing(name: str, tmp_path: Path) -> None:
    got = [api.analyze(log(name).write(tmp_path / form / name, form)) for form in WRITERS]
    assert {x.verdict for x in got} == {report(name).verdict}
    assert {leading(x) for x in got} == {leading(report(name))}
    assert {frozenset(rules(x)) for x in got} == {frozenset(rules(report(name)))}


# ---------------------------------------------------------------- no verdict hangs on little

SICK = [n for n in RUNS if n not in HEALTHY]
NOWHERE = Path("/nonexistent")
LOSSES = {
    "D": ("d_loss", "d_loss_real", "d_loss_fake"), "G": ("g_loss", "g_loss_adv"),
    "both": ("d_loss", "d_loss_real", "d_loss_fake", "g_loss", "g_loss_adv"),
}  # fmt: skip


def alone(one: Log) -> Log:
    """The log without its config and samples."""
    return replace(one, home=NOWHERE)


def losses_of(one: Log) -> Log:
    """D's and G's losses, and nothing else."""
    return replace(
        alone(one),
        series={t: p for t, p in one.series.items() if one.roles.get(t) in LOSSES["both"]},
    )


def changed(
    one: Log, whose: str, change: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> Log:
    """The log with the losses of D, of G or of both changed."""
    own = {t for t in one.series if one.roles.get(t) in LOSSES[whose]}
    return replace(
        one, series={t: (s, change(v)) if t in own else (s, v) for t, (s, v) in one.series.items()}
    )


def put_in(
    place: float, rows: int, factor: float
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Multiply some rows, from a share of the log on."""

    def change(values: NDArray[np.float64]) -> NDArray[np.float64]:
        at = min(int(place * values.size), values.size - rows)
        out = values.copy()
        out[at : at + rows] *= factor
        return out

    return change


def wrong(one: Log, folder: Path, *, healthy: bool) -> str:
    """What is wrong with the verdict on a log; empty where nothing is."""
    got = api.analyze(one.write(folder))
    if healthy:
        return (
            f"{got.verdict}: {sorted(rules(got))}"
            if got.verdict == "failing" or got.findings
            else ""
        )
    return got.verdict if got.verdict == "healthy" else ""


def every(one: Log, whose: str) -> Iterator[tuple[str, Log]]:
    """A log with wild rows, few and many times too large, early, halfway, late and last."""
    for factor in (10.0, 30.0, 100.0):
        for place in (0.02, 0.5, 0.7, 1.0):
            for rows in (1, 3):
                yield (
                    f"{rows} x{factor:g} at {place}",
                    changed(one, whose, put_in(place, rows, factor)),
                )


@pytest.mark.parametrize("whose", LOSSES)
@pytest.mark.parametrize("name", HEALTHY)
def test_a_few_wild_rows_make_no_healthy_run_sick(name: str, whose: str, tmp_path: Path) -> None:
    logs = [*every(losses_of(log(name)), whose)]
    told = {label: wrong(one, tmp_path / label / name, healthy=True) for label, one in logs}
    assert not {label: text for label, text in told.items() if text}


@pytest.mark.parametrize("name", SICK)
def test_a_few_wild_rows_make_no_sick_run_healthy(name: str, tmp_path: Path) -> None:
    logs = [*every(alone(log(name)), "both")][::4]
    told = {label: wrong(one, tmp_path / label / name, healthy=False) for label, one in logs}
    assert not {label: text for label, text in told.items() if text}


@pytest.mark.parametrize("place", [0.3, 0.7])
@pytest.mark.parametrize("name", HEALTHY)
def test_one_row_that_is_not_a_number_and_goes_by_is_no_end(
    name: str, place: float, tmp_path: Path
) -> None:
    one = changed(alone(log(name)), "both", put_in(place, 1, np.nan))
    assert not wrong(one, tmp_path / name, healthy=True)


@pytest.mark.parametrize("name", HEALTHY)
def test_a_last_row_that_is_not_a_number_is_an_end(name: str, tmp_path: Path) -> None:
    got = api.analyze(
        changed(alone(log(name)), "both", put_in(1.0, 1, np.nan)).write(tmp_path / name)
    )
    assert "nan-in-loss" in rules(got)


@pytest.mark.parametrize("factor", [8, 64, 512, 1 / 200])
@pytest.mark.parametrize("name", HEALTHY)
def test_sums_over_the_batch_accuse_nobody(name: str, factor: float, tmp_path: Path) -> None:
    one = changed(log(name), "both", lambda v: v * factor)
    told = [wrong(x(one), tmp_path / x.__name__ / name, healthy=True) for x in (alone, losses_of)]
    assert told == ["", ""]


@pytest.mark.parametrize("factor", [8, 64, 1 / 200])
@pytest.mark.parametrize("name", SICK)
def test_sums_over_the_batch_cure_nobody(name: str, factor: float, tmp_path: Path) -> None:
    one = changed(log(name), "both", lambda v: v * factor)
    told = [wrong(x(one), tmp_path / x.__name__ / name, healthy=False) for x in (alone, losses_of)]
    assert told == ["", ""]


@pytest.mark.parametrize("apart", [3, 10, 30])
@pytest.mark.parametrize("name", RUNS)
def test_few_rows_are_few_rows(name: str, apart: int, tmp_path: Path) -> None:
    one = log(name).each(lambda s, v: (s[::apart], v[::apart]))
    # Where D's advantage lies is no better known than a dozen rows tell: of sick runs all that was
    # logged is kept.
    ways = (alone, losses_of) if name in HEALTHY else (alone,)
    assert not [
        text
        for x in ways
        if (text := wrong(x(one), tmp_path / x.__name__ / name, healthy=name in HEALTHY))
    ]


@pytest.mark.parametrize("decimals", [1, 2, 3])
@pytest.mark.parametrize("name", RUNS)
def test_what_rounding_hides_is_not_seen(name: str, decimals: int, tmp_path: Path) -> None:
    one = log(name).each(lambda s, v: (s, np.round(v, decimals)))
    told = [
        wrong(x(one), tmp_path / x.__name__ / name, healthy=name in HEALTHY)
        for x in (alone, losses_of)
    ]
    assert told == ["", ""]


OTHER_STEPS: Mapping[str, Callable[[NDArray[np.int64], NDArray[np.float64]], Points]] = {
    "x10": lambda s, v: (10 * s, v),
    "x64": lambda s, v: (64 * s, v),
    "later": lambda s, v: (s + 1_000_000, v),
    "each twice": lambda s, v: (np.repeat(s, 2), np.repeat(v, 2)),
}


@pytest.mark.parametrize("how", OTHER_STEPS)
@pytest.mark.parametrize("name", RUNS)
def test_samples_whose_steps_are_not_the_logs_prove_nothing(
    name: str, how: str, tmp_path: Path
) -> None:
    one = log(name).each(OTHER_STEPS[how])
    assert not wrong(one, tmp_path / name, healthy=name in HEALTHY)


def test_samples_that_do_not_match_are_said_to(tmp_path: Path) -> None:
    got = api.analyze(
        log("vanishing-gradient-clip").each(OTHER_STEPS["x64"]).write(tmp_path / "run")
    )
    assert got.verdict == "inconclusive"
    assert "do not match" in got.why_verdict


@pytest.mark.parametrize("name", RUNS)
def test_a_report_survives_json(name: str) -> None:
    got = report(name)
    assert Report.from_dict(json.loads(json.dumps(got.to_dict(), allow_nan=False))) == got
