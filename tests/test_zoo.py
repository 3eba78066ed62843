"""The zoo: its plan, measurements, judgement and scoring.

And that the shipped samples show what they should.
"""

from __future__ import annotations

import csv
import importlib.util
import json
import shutil
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.zoo import __main__ as zoo
from benchmarks.zoo import config, cure, data, logbook, plan, record, reports, score, summary
from gandoctor import rulebook
from gandoctor.errors import UsageError
from gandoctor.model.measured import RuleRecord

HAS_TORCH = importlib.util.find_spec("torch") is not None

SAMPLE_LOGS = Path(__file__).parents[1] / "sample_logs"
BOOK = rulebook.load([rulebook.default_folder()])
SAMPLES = {job.name: job for job in plan.samples()}


# ------------------------------------------------------------------------------------------------
# the shipped samples


def read_log(job: plan.Job) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Signal -> (steps, values), read without gandoctor's own readers."""
    folder = SAMPLE_LOGS / job.name
    signals = {tag: signal for signal, tag in logbook.styles()[job.config["log.tags"]].items()}
    points: dict[str, list[tuple[int, float]]] = {}
    for step, tag, value in _POINTS[job.config["log.format"]](folder):
        points.setdefault(signals[tag], []).append((step, value))
    return {
        name: (np.array([p[0] for p in ps]), np.array([p[1] for p in ps]))
        for name, ps in points.items()
    }


def _from_csv(folder: Path) -> Any:
    with (folder / "metrics.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            step = int(row.pop("step"))
            yield from ((step, tag, float(value)) for tag, value in row.items() if value)


def _from_jsonl(folder: Path) -> Any:
    for line in (folder / "log.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        step = row.pop("step")
        yield from ((step, tag, value) for tag, value in row.items())


def _from_tensorboard(folder: Path) -> Any:
    event_pb2 = pytest.importorskip("tensorboardX.proto.event_pb2")
    blob = next(folder.glob("events.out.tfevents.*")).read_bytes()
    at = 0
    while at < len(blob):
        (length,) = struct.unpack_from("<Q", blob, at)
        event = event_pb2.Event.FromString(blob[at + 12 : at + 12 + length])
        at += 12 + length + 4
        yield from ((event.step, value.tag, value.simple_value) for value in event.summary.value)


_POINTS = {"csv": _from_csv, "jsonl": _from_jsonl, "tensorboard": _from_tensorboard}


def signatures(job: plan.Job) -> set[str]:
    """The textbook signatures, each with the sense its loss family gives it, by plain numpy."""
    log = read_log(job)
    steps, d = log["d_loss"]
    g = log["g_loss"][1]
    late = steps > steps[-1] / 2
    found = set()
    if not (np.isfinite(d).all() and np.isfinite(g).all()):
        return {"nan-in-loss"}
    cross_entropy = job.config["loss.name"] in ("nonsaturating", "minimax")
    if cross_entropy and (d[steps <= 100] < 0.1).any() and np.median(d[late]) < 0.15:
        found.add("d-loss-below-0.1-in-100-steps")
    if "grad_norm_d" in log and (log["grad_norm_d"][1] > 5 * log["grad_norm_g"][1]).mean() >= 0.2:
        found.add("d-gradient-over-5-times-g")
    if cross_entropy and tau(g[late]) > 0.5 and tau(d[late]) < -0.5 and np.median(d[late]) < 0.5:
        found.add("g-loss-rises-while-d-loss-falls")
    if "sample_variance" in log:
        real = data.load(job.config["data.name"], 10, 0).held_out.var(axis=0).mean()
        variance = log["sample_variance"][1] / real
        if (variance[steps > 0.8 * steps[-1]] < 0.01).mean() >= 0.8:
            found.add("sample-variance-below-0.01")
    return found


def tau(values: np.ndarray) -> float:
    """Kendall's rank correlation with time."""
    later = np.sign(values[None, :] - values[:, None])
    n = len(values)
    return float(np.triu(later, 1).sum() / (n * (n - 1) / 2))


@pytest.mark.parametrize("job", SAMPLES.values(), ids=SAMPLES)
def test_samples_show_the_signatures_they_are_for(job: plan.Job) -> None:
    if job.config["data.name"] in data.DIGITS:
        pytest.importorskip("sklearn")
    shown = signatures(job)
    if job.fault:
        assert set(job.about["shows"]) <= shown
    else:
        assert not shown


def test_every_textbook_signature_has_its_sample() -> None:
    shown = {s for job in SAMPLES.values() for s in job.about["shows"]}
    assert shown == {
        "d-loss-below-0.1-in-100-steps",
        "d-gradient-over-5-times-g",
        "g-loss-rises-while-d-loss-falls",
        "sample-variance-below-0.01",
        "nan-in-loss",
    }


def test_samples_are_as_planned_small_and_keep_their_truth_outside() -> None:
    folders = {p.name for p in SAMPLE_LOGS.iterdir() if p.is_dir()}
    assert folders == set(SAMPLES)
    assert sum(p.stat().st_size for p in SAMPLE_LOGS.rglob("*")) < 5_000_000
    for name, job in SAMPLES.items():
        assert not list((SAMPLE_LOGS / name).rglob("*truth*"))
        truth = json.loads((SAMPLE_LOGS / f"{name}.truth.json").read_text("utf-8"))
        assert truth["outcome"] == ("failed" if job.fault else "healthy")
        assert bool(truth["symptoms"]) == bool(job.fault)
        assert {k: truth[k] for k in job.label()} == json.loads(json.dumps(job.label()))
        assert config.read(SAMPLE_LOGS / name / job.config_name) == job.config


def test_samples_cover_families_formats_and_failures() -> None:
    healthy = {job.config["loss.name"] for job in SAMPLES.values() if not job.fault}
    assert healthy == {"nonsaturating", "minimax", "lsgan", "hinge", "wgan", "wgan-gp"}
    assert {job.config["log.format"] for job in SAMPLES.values()} == {"tensorboard", "csv", "jsonl"}
    assert {job.json for job in SAMPLES.values()} == {True, False}
    truths = [json.loads(p.read_text("utf-8")) for p in SAMPLE_LOGS.glob("*.truth.json")]
    assert {s for t in truths for s in t["symptoms"]} >= {
        "discriminator-dominance", "mode-collapse", "vanishing-generator-gradient",
        "exploding-or-nan",
    }  # fmt: skip


# ------------------------------------------------------------------------------------- the settings


@pytest.mark.parametrize("spelling", config.spellings())
@pytest.mark.parametrize("suffix", [".yaml", ".json"])
def test_config_survives_every_spelling(tmp_path: Path, spelling: str, suffix: str) -> None:
    given_ = config.override(
        config.make({}),
        ["generator.optimizer.lr=2e-5", "discriminator.optimizer.beta1=0", "seed=7"],
    )
    config.write(given_, tmp_path / f"c{suffix}", spelling)
    assert config.read(tmp_path / f"c{suffix}") == given_


def test_spelled_keys_are_those_in_the_file(tmp_path: Path) -> None:
    config.write(config.make({}), tmp_path / "c.json", "nested")
    betas = json.loads((tmp_path / "c.json").read_text("utf-8"))["discriminator"]["optimizer"][
        "betas"
    ]
    assert betas == [0.5, 0.999]
    assert (
        config.spelled("discriminator.optimizer.beta2", "nested")
        == "discriminator.optimizer.betas.1"
    )
    assert config.canonical("lr_d") == config.canonical("lrD") == "discriminator.optimizer.lr"


def test_override_speaks_the_users_keys_and_reads_what_yaml_takes_for_text() -> None:
    changed = config.override(config.make({}), ["lr_d=5e-5", "Diters=3"])
    assert changed["discriminator.optimizer.lr"] == 5e-5
    assert changed["schedule.d_updates"] == 3
    assert changed["generator.optimizer.lr"] == config.DEFAULTS["generator.optimizer.lr"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("generator.optimiser.lr=1", "generator.optimizer.lr?"),
        ("lr_d", "key=value"),
        ("seed=true", "kind int"),
    ],
)
def test_bad_settings_are_refused_in_words(text: str, told: str) -> None:
    with pytest.raises(ValueError, match="|".join([told.replace("?", r"\?")])):
        config.override(config.make({}), [text])


def test_every_style_names_every_signal_once() -> None:
    kinds = {frozenset(tags) for tags in logbook.styles().values()}
    assert len(kinds) == 1
    for tags in logbook.styles().values():
        assert len(set(tags.values())) == len(tags)


# ----------------------------------------------------------------------------------------- the plan


@pytest.mark.parametrize("split", plan.SPLITS)
def test_a_split_is_large_mixed_and_says_nothing_by_its_names(split: str) -> None:
    jobs = plan.jobs(split)
    assert len(jobs) >= 300
    assert len({job.name for job in jobs}) == len(jobs)
    assert {job.config["loss.name"] for job in jobs} == {
        "nonsaturating",
        "minimax",
        "lsgan",
        "hinge",
        "wgan",
        "wgan-gp",
    }
    assert {job.about["role"] for job in jobs} == {"base", "variant", "fault"}
    names = {job.name for job in jobs}
    for job in jobs:
        assert int(job.name, 16) >= 0  # a digest
        assert job.about["twin"] in names
        assert bool(job.fault) == bool(job.wrong) == (job.about["role"] == "fault")
        for key, right in job.wrong.items():
            assert job.config[key] != right


def test_the_splits_share_neither_data_nor_rates_nor_widths_nor_ways_of_writing() -> None:
    train, test = plan.jobs("train"), plan.jobs("test")
    assert not {j.name for j in train} & {j.name for j in test}
    for what in ("data.name", "seed", "log.tags"):
        assert not {j.config[what] for j in train} & {j.config[what] for j in test}, what
    assert not {j.spelling for j in train} & {j.spelling for j in test}
    base = [[j.config for j in jobs if j.about["role"] == "base"] for jobs in (train, test)]
    for what in ("generator.hidden", "discriminator.hidden", "batch_size", "latent_dim"):
        assert not {c[what] for c in base[0]} & {c[what] for c in base[1]}, what


def test_the_plan_does_not_change_by_itself() -> None:
    first, second = plan.jobs("train"), plan.jobs("train")
    assert first == second


def test_factors_are_worked_out_against_the_cells_own_value() -> None:
    job = next(j for j in plan.jobs("train") if j.fault == "lr-d-too-high")
    (right,) = job.wrong.values()
    assert round(job.config["discriminator.optimizer.lr"] / right, 6) in (10, 50)


# -------------------------------------------------------------------------------------- the scoring


def case(outcome: str, verdict: str = "healthy", **more: Any) -> score.Case:
    truth = {
        "run": "r", "outcome": outcome, "borderline": False,
        "symptoms": ["mode-collapse"] if outcome == "failed" else [],
        "onset": {"mode-collapse": 100} if outcome == "failed" else {}, "first_bad_step": None,
        "iterations": 1000,
        "family": "lsgan", "data": "ring6", "fault": "", "wrong": [],
    } | more.pop("truth", {})  # fmt: skip
    report = {"verdict": verdict, "findings": [], "diagnoses": []} | more
    return score.Case(truth, report)


def finding(symptom: str = "mode-collapse", rule: str = "collapse") -> dict[str, Any]:
    return {"rule": rule, "symptom": symptom, "severity": "high"}


def diagnosis(
    *settings: str, symptom: str = "mode-collapse", onset: int | None = 150
) -> dict[str, Any]:
    return {"cause": "c", "symptoms": [symptom], "settings": list(settings), "onset_step": onset}


def test_figures_count_what_they_say() -> None:
    wrong = {"wrong": [{"key": "lr_g", "value": 1, "right": 0.1}], "fault": "lr-g-too-high"}
    other = finding("oscillation", rule="swing")
    cases = [
        case("failed", "failing", truth=wrong, findings=[finding()], diagnoses=[diagnosis("lr_g")]),
        case(
            "failed",
            "failing",
            truth=wrong,
            findings=[other],
            diagnoses=[diagnosis("lr_d", symptom="oscillation")],
        ),
        case("failed", "healthy", truth=wrong),
        case("healthy", "healthy"),
        case("healthy", "failing", findings=[finding()], diagnoses=[diagnosis("lr_g")]),
    ]
    found = score.figures(cases)
    overall = found["overall"]
    assert overall["recall"] == score.Share(2, 3)
    assert overall["false_alarms"] == score.Share(1, 2)
    assert overall["healthy_said"] == score.Share(1, 2)
    assert overall["symptom"] == overall["symptom_top"] == score.Share(1, 3)
    assert overall["symptom_precision"] == score.Share(1, 2)
    assert overall["cause_top1"] == score.Share(1, 3)
    assert overall["onset_error"]["value"] == pytest.approx(0.05)
    assert found["rules"]["collapse"]["right"] == score.Share(1, 2)
    assert found["rules"]["collapse"]["on_failed"] == score.Share(1, 2)
    assert found["rules"]["collapse"]["recall"] == score.Share(1, 3)
    assert found["families"]["lsgan"]["false_alarms"] == score.Share(1, 2)
    assert found["causes"]["c"] == score.Share(1, 3)
    assert len(score.mistakes(cases)) == 3
    assert "recall" in score.table(found)
    json.dumps(score.plain(found))


def test_blame_must_be_as_narrow_as_the_fault() -> None:
    wrong = {"wrong": [{"key": "lr_g", "value": 1, "right": 0.1}]}
    wide = case("failed", "failing", truth=wrong, diagnoses=[diagnosis("lr_g", "lr_d", "n_critic")])
    assert score.figures([wide])["overall"]["cause_top1"] == score.Share(0, 1)


def test_control_compares_runs_of_different_spellings() -> None:
    def of(true_key: str, said_key: str) -> score.Case:
        truth = {"wrong": [{"key": true_key, "value": 1, "right": 0.1}]}
        return case("failed", "failing", truth=truth, diagnoses=[diagnosis(said_key)])

    assert (
        score.figures([of("lr_g", "lr_g"), of("lrG", "lrG")])["overall"]["cause_top1_shuffled"]
        == 1.0
    )
    assert (
        score.figures([of("lr_g", "lr_g"), of("lrD", "lrD")])["overall"]["cause_top1_shuffled"]
        == 0.0
    )


@given(n=st.integers(1, 400), data_=st.data())
def test_wilson_interval_holds_the_share_and_narrows(n: int, data_: st.DataObject) -> None:
    k = data_.draw(st.integers(0, n))
    low, high = score.Share(k, n).interval or (1.0, 0.0)
    assert 0 <= low <= k / n <= high <= 1
    wider = score.Share(10 * k, 10 * n).interval or (0.0, 0.0)
    assert wider[1] - wider[0] < high - low


def test_wilson_interval_by_hand() -> None:
    low, high = score.Share(8, 10).interval or (0.0, 0.0)
    assert (round(low, 3), round(high, 3)) == (0.49, 0.943)
    assert score.Share(0, 0).interval is None


def test_samples_score_perfectly_where_the_truth_is_told() -> None:
    cases = [
        case(t["outcome"], "failing" if t["outcome"] == "failed" else "healthy", truth=t,
             findings=[finding(s) for s in t["symptoms"]],
             diagnoses=[diagnosis(*[w["key"] for w in t["wrong"]],
                 symptom=t["symptoms"][0])] if t["symptoms"] else [])
        for t in (json.loads(p.read_text("utf-8")) for p in sorted(SAMPLE_LOGS.glob("*.truth.json")))
    ]  # fmt: skip
    overall = score.figures(cases)["overall"]
    for name in (
        "recall",
        "healthy_said",
        "symptom",
        "symptom_top",
        "symptom_precision",
        "cause_top1",
    ):
        assert overall[name].value == 1.0, name


# ------------------------------------------------------------------------------------------ what is
# made of the score


def some_cases(right: int, wrong: int, healthy: int = 10) -> list[score.Case]:
    blamed = {"wrong": [{"key": "lr_g", "value": 1, "right": 0.1}], "fault": "lr-g-too-high"}
    good = case(
        "failed", "failing", truth=blamed, findings=[finding()], diagnoses=[diagnosis("lr_g")]
    )
    return [good] * right + [case("failed", truth=blamed)] * wrong + [case("healthy")] * healthy


def test_the_table_for_documents_holds_the_figures_and_goes_between_its_marks(
    tmp_path: Path,
) -> None:
    text = summary.block("test", some_cases(30, 10))
    assert "50 trainings of tiny GANs (of " in text
    assert "\n40 of them failed" in text
    fresh = summary.block("test", some_cases(30, 10), seeds=[7])
    assert "nobody had looked at" in fresh
    assert "python -m benchmarks.zoo run --split test --seeds 7\n" in fresh
    assert "| failed runs called failing | 30/40 = 0.75 [0.60, 0.86] |" in text
    assert "| healthy runs called failing | 0/10 = 0.00 [0.00, 0.28] |" in text
    assert "| onset error, as a share of the run | median 0.05 [0.05, 0.05] |" in text
    assert "cured" not in text
    assert "    python -m benchmarks.zoo score --markdown --split test\n" in text
    page = tmp_path / "README.md"
    page.write_text(
        "# A\n<!-- zoo:train -->\n<!-- /zoo:train -->\n<!-- zoo:test made -->\nold\n<!-- /zoo:test "
        "-->\nrest\n"
    )
    for _ in range(2):
        summary.put(page, "test", text)
        assert page.read_text() == (
            f"# A\n<!-- zoo:train -->\n<!-- /zoo:train -->\n<!-- zoo:test made -->\n{text}<!-- "
            "/zoo:test -->\nrest\n"
        )
    (tmp_path / "bare.md").write_text("nothing\n")
    with pytest.raises(UsageError, match="no place for the figures"):
        summary.put(tmp_path / "bare.md", "test", text)


def test_the_table_has_the_cures_and_their_controls(tmp_path: Path) -> None:
    results = cure.Results(tmp_path)
    for arm, outcome in (("patched", "healthy"), ("lr10", "failed")):
        one = patient()
        for seed in one.seeds(2):
            path = results.path(one, arm, seed, one.config_of(arm) or {})
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps({"outcome": outcome}))
    text = summary.block("train", some_cases(2, 1), cure.figures([patient()], results))
    assert "majority of three seeds | 1/1 = 1.00" in text
    assert "control: both learning rates over ten instead | 0/1" in text
    assert "random setting" not in text  # not trained yet
    assert "Left out" not in text
    changed = patient(name="s", patched=config.make({"discriminator.optimizer.lr": 0.004}))
    text = summary.block("train", some_cases(2, 1), cure.figures([patient(), changed], results))
    assert "majority of three seeds | 1/1 = 1.00" in text
    assert "Left out: 1 failed runs" in text


@pytest.mark.parametrize(
    ("a", "b", "low", "high"),
    [  # Newcombe (1998), table II, method 10
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_the_interval_of_a_difference_is_newcombes(a: Any, b: Any, low: float, high: float) -> None:
    assert summary.difference(score.Share(*a), score.Share(*b)) == pytest.approx(
        (low, high), abs=2e-4
    )


def test_test_is_below_train_only_by_more_than_chance() -> None:
    def below(train_: list[score.Case], test_: list[score.Case]) -> set[str]:
        rows = summary.compare(train_, test_)
        assert "test - train" in summary.compared(rows)
        return {row["figure"] for row in rows if row["below"]}

    assert below(some_cases(40, 10), some_cases(40, 10)) == set()
    assert below(some_cases(40, 10), some_cases(32, 18)) == set()
    assert below(some_cases(48, 2), some_cases(15, 35)) >= {
        "recall",
        "symptom_top",
        "cause_top1",
        "onset_error",
    }
    assert below(some_cases(15, 35), some_cases(48, 2)) == set()
    rows = {row["figure"]: row for row in summary.compare(some_cases(48, 2), some_cases(15, 35))}
    # A constant answer earns as much.
    assert rows["symptom_top_over_shuffled"]["train"] == pytest.approx(0, abs=0.05)
    assert "symptom_top_shuffled" not in rows
    alarmed = [case("healthy", "failing", findings=[finding()])] * 30
    assert {"false_alarms", "healthy_with_findings"} <= below(
        some_cases(40, 10, 30), some_cases(40, 10, 0) + alarmed
    )
    assert below(some_cases(40, 10, 0) + alarmed, some_cases(40, 10, 30)) == set()


def test_counts_of_rules_are_written_as_the_rule_book_reads_them(tmp_path: Path) -> None:
    collapse = "sample-variance-vanishes"
    fired = case(
        "failed",
        "failing",
        findings=[finding(rule=collapse)],
        clear=["d-wins-late"],
        diagnoses=[diagnosis()],
    )
    asked = case("failed", clear=[collapse])
    silent = case("failed", clear=[])
    wrong = case(
        "healthy", "failing", findings=[finding(rule=collapse), finding(rule=collapse)], clear=[]
    )
    none = score.Case(asked.truth, None, "cannot be read")
    cases = [fired] * 3 + [asked, silent, wrong, none]
    assert record.rules(cases)[collapse] == RuleRecord(
        runs=7, fired=4, on_failed=3, right=3, had=6, could=4
    )
    assert record.rules(cases)["d-wins-late"].fired == 0
    cures = record.cures(
        [("fewer-d-steps", "unbalanced-game", True), ("fewer-d-steps", "unbalanced-game", False)]
    )
    causes = {"train": {"tiny-data-set": score.Share(2, 3)}}
    text = record.text(
        {"train": cases, "test": [], "samples": cases[:1]}, causes, {"train": cures, "test": {}}
    )
    (tmp_path / "measured.yaml").write_text(text, encoding="utf-8")
    book = rulebook.load([rulebook.default_folder(), tmp_path])
    told = book.by_id[collapse].measured
    assert told is not None
    assert (told.train, told.test.runs, told.samples.runs) == (record.rules(cases)[collapse], 0, 1)
    assert book.measured["fewer-d-steps"]["unbalanced-game"] == (1, 2)
    assert next(c.measured for c in book.causes if c.id == "tiny-data-set") == score.Share(2, 3)


# ----------------------------------------------------------------------------------------- the cure


@pytest.fixture
def kept_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(reports, "KEPT", tmp_path / "said")
    return tmp_path


def patient(**more: Any) -> cure.Patient:
    was = config.make({"seed": 7, "discriminator.optimizer.lr": 0.02})
    truth = {"outcome": "failed", "borderline": False, "fault": "lr-d-too-high", "family": "lsgan"}
    named = {
        "name": "r",
        "remedy": "lower-d",
        "cause": "d-fast",
        "patched": was | {"discriminator.optimizer.lr": 0.002},
    }
    return cure.Patient(**({"truth": truth, "config": was} | named | more))


@pytest.mark.parametrize(
    ("outcomes", "cured"),
    [
        ("", None),
        ("h", None),
        ("f", None),
        ("hh", True),
        ("ff", False),
        ("ee", False),
        ("hf", None),
        ("hfh", True),
        ("hff", False),
    ],
)
def test_the_majority_of_three_seeds_decides_and_no_more_are_asked(
    outcomes: str, cured: bool | None
) -> None:
    words = {"h": "healthy", "f": "failed", "e": "error"}
    assert cure.Vote(tuple(words[o] for o in outcomes), 3).cured is cured


def test_an_even_vote_is_no_cure() -> None:
    assert cure.Vote(("healthy", "failed"), 2).cured is False
    assert cure.Vote(("healthy",), 1).cured is True


def test_retraining_goes_on_where_it_stopped_and_only_a_changed_patch_is_trained_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[config.Config] = []

    def retrain(made: config.Config) -> dict[str, Any]:
        trained.append(made)
        good = made["discriminator.optimizer.lr"] < 0.01 and made["seed"] != 7
        return {"outcome": "healthy" if good else "failed", "error": ""}

    monkeypatch.setattr(cure, "retrain", retrain)
    one = patient()
    list(cure.train_all([one], cure.Results(tmp_path), ["patched", "unchanged"]))
    # The patched run fails with its own seed, and twice does not; as it was, its own outcome is
    # known.
    assert [(m["seed"], m["discriminator.optimizer.lr"]) for m in trained] == [
        (7, 0.002), (1007, 0.002), (2007, 0.002), (1007, 0.02),
    ]  # fmt: skip
    list(cure.train_all([one], cure.Results(tmp_path), ["patched", "unchanged"]))
    assert len(trained) == 4
    changed = patient(patched=one.patched | {"discriminator.optimizer.lr": 0.004})
    list(cure.train_all([changed], cure.Results(tmp_path), ["patched", "unchanged"]))
    assert [m["discriminator.optimizer.lr"] for m in trained[4:]] == [0.004] * 3
    found = cure.figures([one], cure.Results(tmp_path))
    assert found["overall"]["cured"] == found["pairs"]["lower-d for d-fast"] == score.Share(1, 1)
    assert found["overall"]["cured_same_seed"] == score.Share(0, 1)
    assert found["overall"]["unchanged"] == score.Share(0, 1)
    assert found["over"]["unchanged"]["value"] == 1.0
    assert found["missing"] == {"patched": 0, "lr10": 1, "unchanged": 0, "random": 1, "nudge": 1}
    assert "lower-d for d-fast" in cure.table(found)
    json.loads(cure.as_json(found))


def test_a_run_without_a_patch_is_not_cured_and_a_patch_that_is_no_config_does_not_train(
    tmp_path: Path,
) -> None:
    everyone = [
        patient(name="a", remedy="", cause="", patched=None),
        patient(name="b", patched=None, error="batch_size: 'x' is not of the kind int"),
    ]
    overall = cure.figures(everyone, cure.Results(tmp_path))["overall"]
    assert overall["patched"] == score.Share(1, 2)
    assert overall["trains"] == score.Share(0, 1)
    assert overall["cured"] == score.Share(0, 2)


def test_controls_change_what_they_say_and_nothing_else() -> None:
    one = patient()
    assert cure._changes(one.config, one.config_of("lr10")) == {
        "generator.optimizer.lr": [0.001, 0.0001],
        "discriminator.optimizer.lr": [0.02, 0.002],
    }
    assert cure._changes(one.config, one.config_of("nudge")) == {
        "discriminator.optimizer.lr": [0.02, 0.02002]
    }
    assert one.config_of("unchanged") == one.config
    keys = set()
    for i in range(60):
        other = patient(name=f"r{i}")
        ((key, (old, new)),) = cure._changes(other.config, other.config_of("random")).items()
        assert new / old == pytest.approx(10) or abs(new - old / 10) < 1
        assert other.config_of("random") == other.config_of("random")
        keys.add(key)
    assert len(keys) > 8
    assert not keys & {"seed", "iterations", "log.every", "log.snapshots"}


def test_the_first_patch_is_applied_to_a_copy_and_read_back(kept_elsewhere: Path) -> None:
    before = {p: p.read_bytes() for p in SAMPLE_LOGS.rglob("*") if p.is_file()}
    everyone = cure.patients(SAMPLE_LOGS)
    assert {p: p.read_bytes() for p in SAMPLE_LOGS.rglob("*") if p.is_file()} == before
    assert {p.name for p in everyone} == {job.name for job in SAMPLES.values() if job.fault}
    assert [p.name for p in cure.patients(SAMPLE_LOGS, 3)] == [p.name for p in everyone[:3]]
    treated = next(p for p in everyone if p.name == "d-dominance")
    assert treated.patched is not None
    changed = cure._changes(treated.config, treated.patched)
    assert changed
    assert all(
        key.startswith(("discriminator.", "generator.", "schedule.", "loss.")) for key in changed
    )


def test_a_report_is_kept_until_gandoctor_or_the_run_changes(
    kept_elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(SAMPLE_LOGS / "d-dominance", kept_elsewhere / "r")
    (kept_elsewhere / "r.truth.json").write_text("{}", "utf-8")
    said = reports.report(kept_elsewhere / "r")[0]
    assert said is not None
    assert said["verdict"] == "failing"
    shutil.rmtree(kept_elsewhere / "r")
    assert reports.report(kept_elsewhere / "r")[0] == json.loads(json.dumps(said))
    monkeypatch.setattr(reports, "state", lambda: "another")
    assert reports.report(kept_elsewhere / "r")[0] is None


def test_commands_from_runs_to_documents(kept_elsewhere: Path, capsys: Any) -> None:
    out = kept_elsewhere / "zoo"
    for split in plan.SPLITS:
        for name in ("d-dominance", next(job.name for job in SAMPLES.values() if not job.fault)):
            shutil.copytree(SAMPLE_LOGS / name, out / split / name)
            shutil.copy(SAMPLE_LOGS / f"{name}.truth.json", out / split)
    one = cure.patients(out / "test")[0]
    results = cure.Results(out / "cures" / "test")
    for seed in one.seeds(2):
        path = results.path(one, "patched", seed, one.patched or {})
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('{"outcome": "healthy"}')

    def run(*words: str) -> str:
        command, *rest = words
        assert zoo.main([command, *rest]) == 0
        return str(capsys.readouterr().out)

    places = ("--out", str(out), "--cures", str(out / "cures"))
    told = run(
        "cure",
        "--split",
        "test",
        "--runs",
        str(out / "test"),
        "--out",
        str(results.folder),
        "--no-train",
    )
    assert "cured                        1/1" in told
    assert "not trained yet: lr10 1" in told
    assert not results.sampled
    run(
        "cure",
        "--split",
        "test",
        "--runs",
        str(out / "test"),
        "--out",
        str(results.folder),
        "--arms",
        "patched",
    )
    assert results.sampled == [one.name]
    page = kept_elsewhere / "page.md"
    page.write_text("<!-- zoo:test -->\n<!-- /zoo:test -->\n")
    assert str(page) in run("score", "--split", "test", *places, "--into", str(page))
    assert (
        "failed runs cured by the first patch, by the majority of three seeds | 1/1"
        in page.read_text()
    )
    assert "below train by more than the interval on: nothing" in run("compare", *places)
    assert "cured" not in run("compare", *places, "--test", str(out / "test"))
    counts = kept_elsewhere / "rules" / "measured.yaml"
    counts.parent.mkdir()
    told = run("measure-rules", *places, "--fresh", str(out / "test"), "--to", str(counts))
    assert "1 patches trained" in told
    assert (
        "d-wins-late is stable, but fired on 3 of 6 runs" in told
        or BOOK.by_id["d-wins-late"].status != "stable"
    )
    book = rulebook.load([rulebook.default_folder(), counts.parent])
    assert book.unseen[one.remedy][one.cause] == (1, 1)
    assert {r.measured.zoo.runs for r in book.rules if r.kind == "symptom" and r.measured} == {6}
    assert (
        zoo.main(["score", "--split", "test", *places, "--into", str(kept_elsewhere / "none.md")])
        == 2
    )
    assert "cannot be read" in capsys.readouterr().out


# -------------------------------------------------------------------------------------------
# training and measurement

if HAS_TORCH:
    from benchmarks.zoo import measure, train

    FULL = {
        "covered": 1.0, "reached": 1.0, "quality": 0.9, "frechet": 0.01, "diversity": 1.0,
        "variance": 1.0,
        "shift": 0.0,
        "auc": 0.6, "auc_train": 0.6, "score_size": 1.0, "gradient_at_samples": 1.0,
        "gradient": 1.0,
        "first_to_last": 0.5,
    }  # fmt: skip

    def judged(change: dict[str, float], *, since: int = 0, **more: Any) -> measure.Truth:
        """Truth of a run that is good until the moment `since`, and then has `change`."""
        moments = [
            measure.Moment(50 * (i + 1), finite=True, **(FULL | (change if i >= since else {})))
            for i in range(40)
        ]
        settings = config.make(more.pop("config", {}))
        return measure.judge(
            moments,
            settings,
            data.load("ring6", 50, 0),
            more.get("loss_size", 2.0),
            more.get("nan_step"),
        )

    SYMPTOMS = [
        ({"quality": 0.1, "auc": 0.99, "auc_train": 0.99}, {}, {"discriminator-dominance"}),
        ({"quality": 0.1, "gradient": 1e-5}, {}, {"vanishing-generator-gradient"}),
        ({"quality": 0.1, "score_size": 5e3}, {}, {"exploding-or-nan"}),
        ({"quality": 0.1}, {"loss_size": 1e6}, {"exploding-or-nan"}),
        ({"covered": 0.2, "reached": 0.2, "diversity": 0.1}, {}, {"mode-collapse"}),
        ({"covered": 0.2, "moved": 0.9}, {}, {"oscillation"}),
        ({"quality": 0.1, "auc": 0.3, "auc_train": 0.3}, {}, {"weak-discriminator"}),
        ({"quality": 0.1, "variance": 30.0, "frechet": 20.0}, {}, {"generator-divergence"}),
        ({"quality": 0.1, "auc": 0.6, "auc_train": 0.9}, {}, {"discriminator-overfitting"}),
        ({"quality": 0.1}, {"config": {"generator.output": "sigmoid"}}, {"data-range-mismatch"}),
        ({"quality": 0.1}, {}, {"no-convergence"}),
    ]  # fmt: skip

    @pytest.mark.torch
    @pytest.mark.parametrize(("change", "more", "symptoms"), SYMPTOMS)
    def test_each_symptom_follows_from_its_measurements(
        change: Any, more: Any, symptoms: set[str]
    ) -> None:
        truth = judged(change, **more)
        assert truth.outcome == "failed"
        assert set(truth.symptoms) == symptoms

    @pytest.mark.torch
    @pytest.mark.parametrize("change", [c for c, more, _ in SYMPTOMS if not more])
    def test_a_run_that_turned_bad_is_dated(change: Any) -> None:
        truth = judged(change, since=12)
        assert truth.outcome == "failed"
        assert (truth.first_good_step, truth.last_good_step, truth.first_bad_step) == (50, 600, 650)
        assert truth.onset[truth.symptoms[0]] in (650, None)

    @pytest.mark.torch
    def test_good_runs_are_healthy_however_strange_their_players() -> None:
        for change in (
            {},
            {"auc": 0.99, "auc_train": 0.99},
            {"gradient": 1e-6},
            {"score_size": 1e4},
            {"moved": 0.6},
        ):
            truth = judged(change)
            assert (truth.outcome, truth.symptoms, truth.borderline) == ("healthy", (), False)

    @pytest.mark.torch
    def test_between_good_and_bad_is_borderline() -> None:
        truth = judged({"quality": 0.5})
        assert (truth.outcome, truth.borderline) == ("failed", True)

    @pytest.mark.torch
    def test_nan_dates_the_end_and_hides_what_was_not_measured() -> None:
        moments = [
            measure.Moment(50, finite=True, **FULL),
            *(measure.Moment(50 * i, finite=False) for i in range(2, 5)),
        ]
        truth = measure.judge(moments, config.make({}), data.load("ring6", 50, 0), 1.0, 73)
        assert truth.symptoms == ("exploding-or-nan",)
        assert truth.onset == {"exploding-or-nan": 73}
        assert truth.first_bad_step == 73
        json.dumps(truth.as_dict(), allow_nan=False)

    @pytest.mark.torch
    @pytest.mark.parametrize("name", ["ring6", "hex11", "digits"])
    def test_the_bench_knows_good_samples_from_bad_ones(name: str) -> None:
        if name == "digits":
            pytest.importorskip("sklearn")
        made = data.load(name, 1400, 0)
        bench = measure.Bench(made)
        rng = np.random.default_rng(1)
        real, _ = bench.samples(made.train[:1000])
        assert real["quality"] == pytest.approx(1, abs=0.05)
        assert real["covered"] == real["reached"] == 1
        assert real["frechet"] < 0.05
        assert real["diversity"] == pytest.approx(1, abs=0.05)
        one, _ = bench.samples(made.train[:1] + rng.normal(0, 1e-3, (1000, made.dim)))
        assert one["covered"] == pytest.approx(1 / made.modes)
        assert one["diversity"] < 0.05
        assert one["frechet"] > 0.5
        noise, _ = bench.samples(rng.uniform(-1, 1, (1000, made.dim)))
        assert noise["quality"] < measure.BARS["mixture"].quality[1]

    @pytest.mark.torch
    def test_training_is_repeatable_and_hides_the_truth(tmp_path: Path) -> None:
        made = config.make(
            {
                "iterations": 60,
                "log.signals": ["d_loss", "g_loss", "d_val", "fid", "lr_d", "sample_variance"],
            }
        )
        for name in ("a", "b"):
            train.train(made, tmp_path / name)
        files = sorted(
            p.relative_to(tmp_path / "a") for p in (tmp_path / "a").rglob("*") if p.is_file()
        )
        assert {str(f).split("/")[0] for f in files} >= {"config.yaml", "samples"}
        for file in files:
            assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes(), (
                file
            )
        assert (tmp_path / "a.truth.json").exists()
        assert not list((tmp_path / "a").rglob("*truth*"))

    @pytest.mark.torch
    @pytest.mark.parametrize(
        "family", ["nonsaturating", "minimax", "lsgan", "hinge", "wgan", "wgan-gp"]
    )
    def test_every_family_trains_and_starts_near_its_chance_level(family: str) -> None:
        extra = {
            "loss.gp_weight": 1.0, "loss.clip_value": 0.1, "loss.r1_gamma": 0.1,
            "discriminator.spectral_norm": True,
            "schedule.ema": 0.9, "log.every": 1,
        }  # fmt: skip
        training = train.Training(config.make({"iterations": 4, "loss.name": family} | extra))
        training.run()
        chance = {
            "nonsaturating": (1.386, 0.693),
            "minimax": (1.386, -0.693),
            "lsgan": (1.0, 1.0),
            "hinge": (2.0, 0.0),
        }
        first = training.rows[0][1]
        assert all(np.isfinite(list(first.values())))
        if family in chance:
            assert (first["d_loss"], first["g_loss"]) == pytest.approx(chance[family], abs=0.5)

    @pytest.mark.torch
    def test_command_line_trains_from_any_spelling_and_refuses_in_words(
        tmp_path: Path, capsys: Any
    ) -> None:
        (tmp_path / "c.yaml").write_text("n_iter: 40\nlr_d: 1e-3\n", "utf-8")
        assert (
            train.main(
                [
                    "--config",
                    str(tmp_path / "c.yaml"),
                    "--out",
                    str(tmp_path / "r"),
                    "--json",
                    "--set",
                    "lrG=0.002",
                ]
            )
            == 0
        )
        assert config.read(tmp_path / "r" / "config.json")["generator.optimizer.lr"] == 0.002
        assert train.main(["--out", str(tmp_path / "s"), "--set", "lr_q=1"]) == 2
        assert "no such setting" in capsys.readouterr().err

    @pytest.mark.torch
    def test_judging_kept_measurements_anew_changes_nothing(tmp_path: Path) -> None:
        made = config.make({"iterations": 80, "loss.name": "hinge"})
        told = train.train(made, tmp_path / "r").as_dict()
        kept = json.loads((tmp_path / "r.truth.json").read_text("utf-8"))
        again = measure.again(kept, made, data.load("ring6", 50, 0)).as_dict()
        assert again == json.loads(json.dumps(told))

    @pytest.mark.torch
    def test_what_is_logged_has_no_part_in_the_outcome() -> None:
        made = config.make({"iterations": 120, "loss.name": "wgan-gp", "loss.gp_weight": 1.0})
        logged = {
            "log.signals": ["d_loss", "g_loss", "d_val", "fid", "grad_norm_g"],
            "log.snapshots": 4,
        }
        much, little = train.Training(made | logged).run(), cure.retrain(made)
        assert much == train.Training(made | cure.LOGGED_ONLY).run()
        assert (little["outcome"], little["symptoms"]) == (much.outcome, much.symptoms)

    @pytest.mark.torch
    def test_a_config_that_the_trainer_refuses_is_an_outcome() -> None:
        for key, value, said in (
            ("generator.optimizer.beta1", 5.0, "beta parameter"),
            ("discriminator.activation", "gauss", "gauss"),
        ):
            told = cure.retrain(config.make({"iterations": 4, key: value}))
            assert told["outcome"] == "error"
            assert said in told["error"]
