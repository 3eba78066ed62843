from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

from gandoctor import api
from gandoctor.errors import GandoctorError, InputError
from gandoctor.model.signals import Reading, Signal
from gandoctor.parsers import choose, discover, is_log, iter_parsers, registry
from gandoctor.parsers.runs.pictures import find

HOST = "annes-laptop"


# ---------------------------------------------------------------- makers


def crc(data: bytes) -> int:
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    value ^= 0xFFFFFFFF
    return (((value >> 15) | (value << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def varint(n: int) -> bytes:
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def events(
    folder: Path,
    series: dict[str, list[float]],
    *,
    start: int = 0,
    every: int = 1,
    at: int = 1_700_000_000,
    pid: int = 7,
) -> Path:
    """An event file as the format is specified; one point a second."""
    folder.mkdir(parents=True, exist_ok=True)
    out = b""
    for i in range(max(map(len, series.values()), default=0)):
        body = b""
        for tag, values in series.items():
            if i < len(values):
                name = tag.encode()
                value = b"\x0a" + varint(len(name)) + name + b"\x15" + struct.pack("<f", values[i])
                body += b"\x0a" + varint(len(value)) + value
        event = b"\x09" + struct.pack("<d", at + i) + b"\x10" + varint(start + i * every)
        event += b"\x2a" + varint(len(body)) + body
        size = struct.pack("<Q", len(event))
        out += size + struct.pack("<I", crc(size)) + event + struct.pack("<I", crc(event))
    path = folder / f"events.out.tfevents.{at}.{HOST}.{pid}.0"
    path.write_bytes(out)
    return path


def table(
    path: Path,
    series: dict[str, list[float]],
    *,
    start: int = 0,
    every: int = 1,
    step: str = "step",
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    n = max(map(len, series.values()))
    rows = [",".join([step, *series])]
    rows += [
        ",".join([str(start + i * every), *(f"{v[i]:.6g}" for v in series.values())])
        for i in range(n)
    ]
    path.write_text("\n".join(rows) + "\n")
    return path


def curve(n: int, seed: int = 0) -> list[float]:
    rng = np.random.default_rng(seed)
    return [float(np.float32(v)) for v in 1 + np.cumsum(rng.normal(0, 0.1, n))]


def two(n: int = 30, seed: int = 0) -> dict[str, list[float]]:
    return {"loss/d": curve(n, seed), "loss/g": curve(n, seed + 100)}


def only(path: Path, **kw):
    runs = discover(path, **kw)
    assert len(runs) == 1, [r.name for r in runs]
    return runs[0]


def tags(run) -> dict[str, int]:
    return {s.tag: len(s) for s in run.signals}


# ---------------------------------------------------------------- one run in several files


def test_the_same_series_in_two_formats_counts_once(tmp_path):
    series = two()
    events(tmp_path, series, every=10)
    table(tmp_path / "metrics.csv", series, every=10)
    (tmp_path / "config.yaml").write_text("lr: 0.1\n")
    run = only(tmp_path)
    assert tags(run) == {"loss/d": 30, "loss/g": 30}
    assert {s.parser for s in run.sources} == {"tensorboard", "csv", "config"}
    assert all(s.source.startswith("events") for s in run.signals)
    assert any("metrics.csv holds the same series" in n and "counted once" in n for n in run.notes)
    assert [(s.key, s.file, s.line) for s in run.settings] == [("lr", "config.yaml", 1)]


def test_the_longer_of_two_equal_series_is_kept(tmp_path):
    series = two(40)
    events(tmp_path, {k: v[:12] for k, v in series.items()})  # the event file lost its end
    table(tmp_path / "metrics.csv", series)
    assert tags(only(tmp_path)) == {"loss/d": 40, "loss/g": 40}


def test_equal_values_under_other_names_count_once(tmp_path):
    series = two()
    events(tmp_path, series)
    table(
        tmp_path / "history.csv",
        {"alpha": [round(v, 3) for v in series["loss/d"]], "fid": curve(30, 9)},
    )
    run = only(tmp_path)
    assert tags(run) == {"loss/d": 30, "loss/g": 30, "fid": 30}
    assert any("alpha = loss/d" in n for n in run.notes)


def test_another_formats_view_of_a_quantity_is_left_out(tmp_path):
    series = {**two(), "D/real": [0.5 + 0.001 * i for i in range(30)]}
    events(tmp_path, series)
    smoothed = {k: np.convolve(v, np.ones(5) / 5, "same").tolist() for k, v in series.items()}
    printed = {
        "D_loss": smoothed["loss/d"],
        "generator_loss": smoothed["loss/g"],
        "psnr": curve(30, 7),
    }
    table(tmp_path / "log.csv", {**printed, "D_real": [3.0 + 0.1 * i for i in range(30)]})
    run = only(tmp_path)
    # D/real is a score and D_real a loss: their levels tell them apart.
    assert tags(run) == dict.fromkeys(("loss/d", "loss/g", "psnr", "D/real", "D_real"), 30)
    assert any("D_loss = loss/d" in n for n in run.notes)


def test_exploded_and_nan_series_are_compared_without_a_warning(tmp_path):
    wild = [1.0, float("nan"), float("inf"), -float("inf"), 3e38, -3e38] * 6
    events(tmp_path, {"loss/d": wild, "loss/g": wild})
    table(tmp_path / "m.csv", {"loss/d": wild, "other": [v * 1e200 for v in wild]})
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        run = only(tmp_path)
    assert tags(run)["loss/d"] == 36


def test_constant_series_are_no_copies(tmp_path):
    events(tmp_path, {"lr/d": [0.1] * 20, "loss/d": curve(20)})
    table(tmp_path / "more.csv", {"weight": [0.1] * 20})
    assert "weight" in tags(only(tmp_path))


def test_norms_clipped_to_one_value_are_no_copies(tmp_path):
    clipped = [1e-3 * (1 - 1e-6 * abs(v)) for v in curve(200)]
    norms = {"grad_norm/d": [0.99e-3, *clipped[1:]], "grad_norm/g": clipped[::-1]}
    events(
        tmp_path, {"loss/d": curve(200, 1), "grad_norm/d": norms["grad_norm/d"]}, at=1_700_000_000
    )
    events(
        tmp_path, {"loss/g": curve(200, 2), "grad_norm/g": norms["grad_norm/g"]}, at=1_700_000_003
    )
    assert set(tags(only(tmp_path))) == {"loss/d", "loss/g", *norms}


def test_a_writer_for_each_player(tmp_path):
    events(
        tmp_path,
        {"Loss_D": curve(40, 1), "D(x)": curve(40, 2), "D(G(z))": curve(40, 3)},
        at=1_700_000_000,
    )
    events(
        tmp_path,
        {"Loss_G": curve(40, 4), "lr_D": [1e-3] * 40, "lr_G": [1e-4] * 40},
        at=1_700_000_003,
    )
    assert set(tags(only(tmp_path))) == {"Loss_D", "D(x)", "D(G(z))", "Loss_G", "lr_D", "lr_G"}


def test_resume_the_later_file_wins_from_its_first_step(tmp_path):
    events(tmp_path, {"loss/d": [1.0] * 60, "only_early": [5.0] * 60}, at=1_700_000_000)
    events(tmp_path, {"loss/d": [2.0] * 60}, start=40, at=1_700_010_000)
    run = only(tmp_path)
    got = {s.tag: s for s in run.signals}
    assert got["loss/d"].steps.tolist() == list(range(100))
    assert got["loss/d"].values.tolist() == [1.0] * 40 + [2.0] * 60
    assert len(got["only_early"]) == 60
    assert got["loss/d"].wall_time is not None
    assert any("resumes the run at step 40" in n for n in run.notes)


def test_unrelated_event_files_of_a_folder_are_two_runs(tmp_path):
    events(tmp_path, two(30, 1), at=1_700_000_000)
    events(tmp_path, two(30, 2), at=1_700_100_000, pid=8)
    events(tmp_path, {"D_A": curve(30), "G_A": curve(30, 3)}, at=1_700_200_000, pid=9)
    assert len(discover(tmp_path)) == 3


def test_a_start_that_was_given_up_is_no_run(tmp_path):
    events(tmp_path, two(3, 1), at=1_700_000_000)
    events(tmp_path, two(30, 2), at=1_700_100_000)
    run = only(tmp_path)
    assert tags(run)["loss/d"] == 30


def test_files_of_several_processes_are_not_mixed(tmp_path):
    events(tmp_path, two(30, 1), pid=7)
    events(tmp_path, two(30, 2), at=1_700_000_001, pid=8)
    run = only(tmp_path)
    np.testing.assert_array_equal(run.signals[0].values, two(30, 1)["loss/d"])
    assert any("at the same time" in n for n in run.notes)


def test_writers_of_one_run_side_by_side(tmp_path):
    events(tmp_path, {"loss/d": curve(30)})
    events(tmp_path, {"fid": curve(3, 9)}, every=10, at=1_700_000_005)
    assert set(tags(only(tmp_path))) == {"loss/d", "fid"}


def test_train_and_test_folders_are_one_run(tmp_path):
    events(tmp_path / "exp" / "train", two(30, 1))
    events(tmp_path / "exp" / "test", two(10, 2), every=3)
    run = only(tmp_path / "exp")
    assert {(s.tag, s.split) for s in run.signals} == {
        ("loss/d", "train"), ("loss/g", "train"), ("test/loss/d", "val"), ("test/loss/g", "val"),
    }  # fmt: skip


def test_folders_made_of_part_words_are_prefixes(tmp_path):
    events(tmp_path / "real_data", {"D(x)": curve(20)})
    events(tmp_path / "fake_data", {"D(x)": curve(20, 1)})
    assert set(tags(only(tmp_path))) == {"real_data/D(x)", "fake_data/D(x)"}


@pytest.mark.parametrize(
    "names", [("D_logs", "G_logs"), ("logs_disc", "logs_gen"), ("dLog", "gLog")]
)
def test_folders_of_each_players_logs_tell_whose_loss_it_is(tmp_path, names):
    for k, name in enumerate(names):
        events(tmp_path / "run" / name, {"losses": curve(20, k)}, at=1_600_000_000 + k)
    assert set(tags(only(tmp_path / "run"))) == {f"{name}/losses" for name in names}
    (run,) = api.read(tmp_path / "run")
    placed = {s.role: s.tag for s in run.signals}
    assert (placed["d_loss"], placed["g_loss"]) == tuple(f"{name}/losses" for name in names)


def test_headerless_files_named_after_a_loss_are_one_run(tmp_path):
    """What a loss is printed with (its accuracy) stands beside it without a name."""
    for k, name in enumerate(("d_loss", "g_loss")):
        rows = zip(curve(30, k), curve(30, k + 5), strict=True)
        (tmp_path / f"{name}.txt").write_text("".join(f"{a:.5f} {b:.5f}\n" for a, b in rows))
    (run,) = api.read(tmp_path)
    placed = {s.role: s.tag for s in run.signals}
    assert [placed[role].lower().replace(" ", "_") for role in ("d_loss", "g_loss")] == [
        "d_loss",
        "g_loss",
    ]
    (alone,) = api.read(tmp_path / "d_loss.txt")
    (loss,) = alone.by_role("d_loss")
    assert loss.values == pytest.approx(curve(30), abs=1e-4)


def test_add_scalars(tmp_path):
    run_dir = tmp_path / "runs" / "exp3"
    events(run_dir, {"fid": curve(20)})
    # torch.utils.tensorboard: <main tag with underscores>_<sub tag>
    events(run_dir / "Loss_errD", {"Loss": curve(20, 1)})
    events(run_dir / "data_scores_D(x)", {"data/scores": curve(20, 2)})
    # tensorboardX: <main tag>/<sub tag>
    events(run_dir / "Loss" / "errG", {"Loss": curve(20, 3)})
    events(run_dir / "data" / "scores" / "D(G(z))", {"data/scores": curve(20, 4)})
    run = only(run_dir)
    names = {"fid", "Loss/errD", "Loss/errG", "data/scores/D(x)", "data/scores/D(G(z))"}
    assert tags(run) == dict.fromkeys(names, 20)
    assert run.root == run_dir


def test_parts_of_one_process_under_free_names(tmp_path):
    events(tmp_path, {"fid": curve(20, 9)})
    events(tmp_path / "alpha", {"x": curve(20)})
    events(tmp_path / "beta", {"x": curve(20, 1)})
    assert set(tags(only(tmp_path))) == {"fid", "alpha/x", "beta/x"}


def test_one_file_a_loss_and_a_validation_file(tmp_path):
    table(tmp_path / "d_loss.csv", {"value": curve(20)})
    table(tmp_path / "g_loss.csv", {"value": curve(20, 1)})
    assert set(tags(only(tmp_path))) == {"d_loss/value", "g_loss/value"}
    other = tmp_path / "other"
    table(other / "log_train.csv", two(20, 1))
    table(other / "log_val.csv", two(20, 2))
    assert {s.split for s in only(other).signals} == {"", "val"}


def test_holders_and_deeper_copies(tmp_path):
    series = two()
    table(tmp_path / "exp" / "metrics.csv", series)
    events(tmp_path / "exp" / "tb", series)
    events(tmp_path / "exp" / "some" / "Jan01", {"loss/d": series["loss/d"]})
    run = only(tmp_path / "exp")
    assert tags(run) == {"loss/d": 30, "loss/g": 30}


# ---------------------------------------------------------------- many runs


def test_siblings_are_many_runs(tmp_path):
    for i in range(3):
        events(tmp_path / f"run_{i}", two(30, i), at=1_700_000_000 + 100 * i)
        (tmp_path / f"run_{i}" / "config.yaml").write_text(f"lr: {i}\n")
    runs = discover(tmp_path)
    assert [r.name for r in runs] == ["run_0", "run_1", "run_2"]
    assert [r.settings[0].value for r in runs] == [0, 1, 2]
    assert all(
        r.root == tmp_path.resolve() / r.name and r.sources[0].path.startswith("events")
        for r in runs
    )


def test_equal_runs_stay_two(tmp_path):
    events(tmp_path / "a", two())
    events(tmp_path / "b", two())
    assert len(discover(tmp_path)) == 2


def test_contradicting_tables_of_a_folder_are_two_runs(tmp_path):
    table(tmp_path / "mnist.csv", two(20, 1))
    table(tmp_path / "celeba.csv", two(20, 2))
    (tmp_path / "mnist.yaml").write_text("lr: 1\nbatch_size: 2\n")
    (tmp_path / "celeba.yaml").write_text("lr: 2\nbatch_size: 2\n")
    runs = {r.name.split(": ")[1]: r for r in discover(tmp_path)}
    assert set(runs) == {"mnist", "celeba"}
    assert runs["celeba"].settings[0].value == 2
    assert runs["mnist"].settings[0].value == 1


def test_a_table_that_goes_on_is_one_run(tmp_path):
    table(tmp_path / "log_1.csv", two(20, 1))
    table(tmp_path / "log_2.csv", two(20, 2), start=20)
    assert tags(only(tmp_path)) == {"loss/d": 40, "loss/g": 40}


def test_empty_logs_beside_a_run_are_listed(tmp_path):
    events(tmp_path / "version_0", {})
    (tmp_path / "version_0").joinpath(f"events.out.tfevents.1.{HOST}").write_bytes(b"")
    events(tmp_path / "version_1", two())
    events(tmp_path / "version_2", {"x": []})
    run = only(tmp_path)
    assert tags(run) == {"loss/d": 30, "loss/g": 30}


# ---------------------------------------------------------------- W&B


def wandb_run(folder: Path, name: str, log: dict[str, list[float]]) -> Path:
    where = folder / "wandb" / f"run-20240101_000000-{name}"
    table(where / "files" / "history.csv", log)
    (where / "files" / "config.yaml").write_text(
        "wandb_version: 1\nlr:\n  desc: null\n  value: 3\n"
    )
    (where / "files" / "wandb-summary.json").write_text('{"loss": 1}')
    return where


def test_wandb_folder_is_one_run_and_the_link_counts_once(tmp_path):
    where = wandb_run(tmp_path, "abc", two())
    (tmp_path / "wandb" / "latest-run").symlink_to(where.name)
    run = only(tmp_path)
    assert tags(run) == {"loss/d": 30, "loss/g": 30}
    assert [(s.key, s.value) for s in run.settings] == [("lr", 3)]
    assert run.settings[0].file == "wandb/run-20240101_000000-abc/files/config.yaml"
    assert only(tmp_path / "wandb" / "latest-run").name == where.name


def test_several_wandb_runs_are_many(tmp_path):
    wandb_run(tmp_path, "abc", two(30, 1))
    wandb_run(tmp_path, "def", two(30, 2))
    assert len(discover(tmp_path)) == 2


def test_the_only_wandb_run_belongs_to_the_folders_run(tmp_path):
    wandb_run(tmp_path, "abc", {"fid": curve(20, 9)})
    events(tmp_path, two())
    assert set(tags(only(tmp_path))) == {"loss/d", "loss/g", "fid"}


# ---------------------------------------------------------------- configs of a run


@pytest.mark.parametrize(
    ("log", "config"),
    [
        ("m.csv", "config.json"), ("m.csv", ".hydra/config.yaml"), ("logs/m.csv", "config.yaml"),
        ("version_0/m.csv", "version_0/hparams.yaml"), ("m.csv", "configs/2020-project.yaml"),
        ("m.csv", "weird.yaml"),
        ("out/logs/m.csv", "out/args.json"), ("logs/exp1/m.csv", "checkpoints/exp1/hparams.yaml"),
    ],
)  # fmt: skip
def test_where_a_folders_config_is_found(tmp_path, log, config):
    table(tmp_path / log, two())
    where = tmp_path / config
    where.parent.mkdir(parents=True, exist_ok=True)
    where.write_text('{"lr": 1, "batch_size": 2}')
    run = only(tmp_path)
    assert [s.file for s in run.settings] == [config] * 2
    assert run.root == tmp_path.resolve()
    assert (run.root / run.settings[0].file).is_file()


def test_a_folder_of_data_files_is_no_config(tmp_path):
    log = table(tmp_path / "m.csv", two())
    (tmp_path / "one.json").write_text('{"lr": 1, "seed": 2}')
    assert len(only(log).settings) == 2
    for i in range(40):
        (tmp_path / f"{i}.json").write_text('{"lr": 1, "seed": 2}')
    assert only(log).settings == ()
    assert only(tmp_path).settings == ()


def test_where_a_files_config_is_found(tmp_path):
    log = table(tmp_path / "exp" / "logs" / "m.csv", two())
    (tmp_path / "exp" / "config.yaml").write_text("lr: 1\n")
    run = only(log)
    assert run.root == tmp_path.resolve() / "exp"
    assert run.sources[0].path == "logs/m.csv"
    assert run.settings[0].file == "config.yaml"
    beside = table(tmp_path / "flat" / "story.csv", two())
    for stem in ("story", "other"):
        (tmp_path / "flat" / f"{stem}.yaml").write_text(f"name: {stem}\nlr: 1\nbatch_size: 1\n")
    run = only(beside)
    assert (run.name, run.settings[0].value, run.root) == (
        "story",
        "story",
        tmp_path.resolve() / "flat",
    )


def test_a_given_config_replaces_those_found(tmp_path):
    run_dir = tmp_path / "runs" / "a"
    table(run_dir / "m.csv", two())
    (run_dir / "config.yaml").write_text("lr: 1\n")
    given = tmp_path / "configs" / "mine.toml"
    given.parent.mkdir()
    given.write_text("lr = 2\n")
    run = only(run_dir, configs=[given])
    assert [(s.value, s.file) for s in run.settings] == [(2, "configs/mine.toml")]
    assert run.root == tmp_path.resolve()  # so that a patch can name both
    assert run.sources[0].path == "runs/a/m.csv"
    with pytest.raises(InputError, match="does not exist"):
        discover(run_dir, configs=[tmp_path / "no.yaml"])


def test_a_config_that_does_not_parse_is_reported_and_the_run_goes_on(tmp_path):
    table(tmp_path / "m.csv", two())
    (tmp_path / "config.json").write_text("{lr")
    run = only(tmp_path)
    (source,) = [s for s in run.sources if s.parser == "config"]
    assert source.points == 0
    assert "line 1" in source.lost
    assert len(run.signals) == 2


# ---------------------------------------------------------------- pictures


@pytest.mark.parametrize(
    ("path", "tag", "step"),
    [
        ("samples/fake_000400.npy", "samples/fake", 400),
        ("samples/real.npy", "samples/real", -1),
        ("samples/epoch_010.png", "samples/epoch", 10),
        ("images/9400.png", "images/samples", 9400),
        ("fakes000200.png", "fakes", 200),
        ("reals.png", "reals", -1),
        ("out/images/fake_samples_epoch_024.png", "out/images/fake_samples_epoch", 24),
        ("results/image_at_epoch_0007.png", "results/image_at_epoch", 7),
        ("img/epoch_3_step_1200.jpg", "img/epoch_step", 1200),
        ("files/media/images/generated_150_0123456789abcdef0123.png", "generated", 150),
        ("web/images/epoch005_fake_B.png", "web/images/epoch_fake_B", 5),
    ],
)
def test_names_of_sample_files(path, tag, step):
    (found,) = find([path])
    assert (found[0].tag, found[0].step, found[0].path) == (tag, step, path)


@pytest.mark.parametrize(
    "path",
    [
        "loss_curve_10.png",
        "docs/cat.png",
        "images/loss_10.png",
        "weights.npy",
        "images/final.png",
        "samples/a.gif",
    ],
)
def test_names_that_are_no_samples(path):
    assert find([path]) == []


def test_pictures_go_with_their_run_and_take_its_steps(tmp_path):
    for name in ("a", "b"):
        events(tmp_path / name, two(41), every=100, at=1_700_000_000 + 1000 * (name == "b"))
        for epoch in (1, 2, 4):
            path = tmp_path / name / "images" / f"epoch_{epoch}.png"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(b"\x89PNG\r\n\x1a\n")
    runs = discover(tmp_path)
    assert [[p.path for p in r.pictures] for r in runs] == [
        [f"images/epoch_{e}.png" for e in (1, 2, 4)]
    ] * 2
    assert [p.step for p in runs[0].pictures] == [1000, 2000, 4000]
    assert any("multiplied by 1000" in n for n in runs[0].notes)


# ---------------------------------------------------------------- bad input


def sentence(path: Path, **kw) -> str:
    with pytest.raises(InputError) as caught:
        discover(path, **kw)
    said = str(caught.value)
    assert "\n" not in said
    return said


def test_what_cannot_be_read_is_said_in_a_sentence(tmp_path):
    assert "does not exist" in sentence(tmp_path / "no")
    assert "empty folder" in sentence(tmp_path)
    (tmp_path / "notes.md").write_text("hello")
    assert "no training log (1 file looked at)" in sentence(tmp_path)
    (tmp_path / "dead").symlink_to(tmp_path / "gone")
    assert "leads nowhere" in sentence(tmp_path / "dead")
    cases = {
        "lfs.csv": (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
            "git lfs pull",
        ),
        "log.csv.gz": (b"\x1f\x8b" + bytes(40), "unpack"),
        "m.db": (b"SQLite format 3\x00" + bytes(40), "SQLite database that cannot be read"),
        "secret.log": (b"\x00GITCRYPT\x00" + bytes(range(200)), "encrypted"),
        "noise.log": (bytes(range(256)) * 20, "no training log"),
        "empty.log": (b"", "is empty"),
        "a.png": (b"\x89PNG\r\n\x1a\n", "picture"),
        "config.yaml": (b"lr: 1", "--config"),
        "words.csv": (b"a,b\nx,y\nz,w\n", "words.csv"),
    }
    for name, (data, expected) in cases.items():
        (tmp_path / name).write_bytes(data)
        said = sentence(tmp_path / name)
        assert expected in said, said
        assert said.startswith(f"{tmp_path / name}: ")  # as it was typed


def test_a_pipe_is_not_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.log")
    assert "regular file" in sentence(tmp_path / "pipe.log")
    table(tmp_path / "m.csv", two())
    assert len(only(tmp_path).sources) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_no_permission(tmp_path):
    table(tmp_path / "m.csv", two()).chmod(0)
    assert "permission" in sentence(tmp_path / "m.csv")


def test_one_bad_file_of_a_folder_is_listed_and_the_run_goes_on(tmp_path):
    table(tmp_path / "m.csv", two())
    (tmp_path / "train.log").write_bytes(
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    )
    run = only(tmp_path)
    (lost,) = [s for s in run.sources if s.path == "train.log"]
    assert lost.points == 0
    assert "Git LFS pointer" in lost.lost
    assert len(run.signals) == 2
    (tmp_path / "m.csv").unlink()
    assert "train.log is a Git LFS pointer" in sentence(tmp_path)


def test_links_out_of_the_folder_are_not_followed(tmp_path):
    table(tmp_path / "outside" / "m.csv", two(30, 5))
    events(tmp_path / "run", two())
    (tmp_path / "run" / "data").symlink_to(tmp_path / "outside")
    (tmp_path / "run" / "more.csv").symlink_to(tmp_path / "outside" / "m.csv")
    run = only(tmp_path / "run")
    assert len(run.sources) == 1
    assert any("2 symbolic link(s)" in n for n in run.notes)


def test_a_data_set_among_the_logs_is_not_read_to_the_end(tmp_path):
    table(tmp_path / "m.csv", two())
    for i in range(120):
        path = tmp_path / "labels" / f"{i}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text("cat\n")
    run = only(tmp_path)
    assert len(run.sources) == 1
    assert any(n.startswith("70 files were not looked at") for n in run.notes)


def test_samples_beside_a_log_that_was_named_alone(tmp_path):
    log = table(tmp_path / "m.csv", two())
    (tmp_path / "samples").mkdir()
    np.save(tmp_path / "samples" / "fake_3.npy", np.ones((2, 2)))
    assert [p.path for p in only(log).pictures] == ["samples/fake_3.npy"]
    table(tmp_path / "n.csv", two(30, 2))
    assert only(log).pictures == ()


def test_the_config_of_a_run_below_is_not_that_of_a_log_named_alone(tmp_path):
    log = table(tmp_path / "m.csv", two())
    table(tmp_path / "other" / "log.csv", two(30, 2))
    (tmp_path / "other" / "config.yaml").write_text("lr: 0.5\nbatch_size: 64\n")
    assert only(log).settings == ()
    (tmp_path / "config.yaml").write_text("lr: 0.1\nbatch_size: 32\n")
    assert {s.value for s in only(log).settings} == {0.1, 32}


def test_folders_of_tools_are_passed_over(tmp_path):
    for name in (".git", "venv", "node_modules", "__pycache__", ".ipynb_checkpoints"):
        table(tmp_path / name / "m.csv", two())
    assert "no training log" in sentence(tmp_path) or "empty" in sentence(tmp_path)
    table(tmp_path / "checkpoints" / "exp" / "m.csv", two())  # pix2pix keeps its log there
    assert tags(only(tmp_path)) == {"loss/d": 30, "loss/g": 30}


def test_no_path_host_or_user_leaves(tmp_path):
    home = tmp_path / "home" / "anne" / "proj" / f"Jun01_12-00-00_{HOST}"
    events(home, two())
    (home / "config.yaml").write_text("lr: 1\n")
    for path in (home, next(home.glob("events*")), home.parent):
        (run,) = discover(path)
        text = repr((run.name, run.sources, run.notes, [s.source for s in run.signals]))
        assert HOST not in text
        assert str(tmp_path) not in text
        assert "anne" not in text


# ---------------------------------------------------------------- parsers


class Stub:
    NAME = "stub"

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def sniff(self, path, head):
        return 0.8 if head.startswith(b"STUB") else 0.0

    def read(self, path):
        if self.error:
            raise self.error
        return Reading(
            signals=(Signal("loss/d", np.arange(9), np.ones(9)),),
            finished=True,
            facts={"params_g": 3.0},
        )


@pytest.fixture
def plugin(monkeypatch):
    def use(stub):
        monkeypatch.setattr(registry, "_plugins", lambda: (stub,))

    return use


def test_a_parser_of_another_package_is_used(tmp_path, plugin):
    plugin(Stub())
    (tmp_path / "x.stub").write_bytes(b"STUB")
    run = only(tmp_path)
    assert run.sources[0].parser == "stub"
    assert run.finished is True
    assert run.facts == {"params_g": 3.0}


@pytest.mark.parametrize(
    "error",
    [ValueError("boom"), RecursionError(), KeyError(3), MemoryError(), OSError(5, "bad disk")],
)
def test_a_parser_that_stumbles_is_no_traceback(tmp_path, plugin, error, monkeypatch):
    monkeypatch.setattr("gandoctor.errors.STRICT", False)
    plugin(Stub(error))
    (tmp_path / "x.stub").write_bytes(b"STUB")
    assert "x.stub" in sentence(tmp_path / "x.stub")
    table(tmp_path / "m.csv", two())
    run = only(tmp_path)
    assert [s.points for s in run.sources if s.path == "x.stub"] == [0]


def test_several_trainings_of_one_file_are_several_runs(tmp_path, plugin):
    stub = Stub()
    stub.read_runs = lambda path: [("first", stub.read(path)), ("second", stub.read(path))]
    plugin(stub)
    (tmp_path / "x.stub").write_bytes(b"STUB")
    assert [r.name for r in discover(tmp_path / "x.stub")] == ["x (first)", "x (second)"]
    assert len(discover(tmp_path)) == 2


def test_a_module_that_fails_to_import_does_not_break_the_others(monkeypatch):
    names = (*registry._module_names(), "no_such_module")
    monkeypatch.setattr(registry, "_module_names", lambda: names)
    found = {p.NAME for p in iter_parsers("x.no_such_module")}
    assert {"tensorboard", "csv", "jsonl"} <= found


def test_the_named_format_is_asked_first():
    assert next(iter(iter_parsers("events.out.tfevents.1.x"))).NAME == "tensorboard"
    assert next(iter(iter_parsers("a.csv"))).NAME == "csv"


def test_choice_is_by_content_where_the_name_lies(tmp_path):
    path = table(tmp_path / "log.json", two())
    parser, score = choose(path, path.read_bytes())
    assert parser is not None
    assert parser.NAME == "csv"
    assert score > 0
    assert set(tags(only(path))) == {"loss/d", "loss/g"}


def test_is_log(tmp_path):
    assert is_log(events(tmp_path / "a", two()))
    assert is_log(table(tmp_path / "m.csv", two()))
    assert is_log(tmp_path)
    others = {
        "config.yaml": "lr: 1",
        "a.py": "d_loss = 1",
        "b.json": '{"name": "x"}',
        "c.txt": "hello",
        "people.csv": "name,age\nx,3\ny,4\n",
    }
    for name, text in others.items():
        (tmp_path / name).write_text(text)
        assert not is_log(tmp_path / name), name
    assert not is_log(tmp_path / "missing")
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
    for name, expected in (
        ("events.out.tfevents.1.x", True),
        ("train_log.csv", True),
        ("people.csv", False),
    ):
        (tmp_path / name).write_bytes(pointer)
        assert is_log(tmp_path / name) is expected


def test_an_event_file_is_analysed_without_heavy_imports(tmp_path):
    events(tmp_path, two())
    (tmp_path / "config.yaml").write_text("lr: 1\n")
    code = (
        "import sys, pathlib; from gandoctor.parsers import discover\n"
        "runs = discover(pathlib.Path(sys.argv[1]))\n"
        "heavy = {'pandas', 'scipy', 'tbparse', 'torch', 'jinja2', 'matplotlib'} & "
        "set(sys.modules)\n"
        "names = [m.split('.')[3] for m in sys.modules if "
        "m.startswith('gandoctor.parsers.formats.')]\n"
        "ours = sorted({'csv', 'text', 'wandb', 'notebook'} & set(names))\n"
        "print(len(runs), sorted(heavy), ours)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split("\n")[0] == "1 [] []"


def test_json_logs_and_configs_are_told_apart(tmp_path):
    rows = [{"step": i, "d_loss": v} for i, v in enumerate(curve(20))]
    (tmp_path / "log.json").write_text(json.dumps(rows))
    (tmp_path / "params.json").write_text('{"lr": 1, "steps": [1, 2, 3]}')
    run = only(tmp_path)
    assert [(s.path, s.parser) for s in run.sources] == [
        ("log.json", "jsonl"),
        ("params.json", "config"),
    ]


def test_errors_are_of_one_tree():
    assert issubclass(InputError, GandoctorError)


# ---------------------------------------------------------------- a file that the user named


def _prints(n: int = 12) -> str:
    return "".join(
        f"iter {10 * k} | D_loss {0.7 + k / 100:.3f} | G_loss {0.8 - k / 100:.3f}\n"
        for k in range(n)
    )


@pytest.mark.parametrize(
    "name",
    [
        "a.md",
        "a.rst",
        "a.tex",
        "a.html",
        "a.bak",
        "a.log.2",
        "a",
        "a.odd",
        "a.py",
        "a.cfg",
        "a.json",
        "a.yml",
        "a.sh",
    ],
)
def test_a_named_file_is_tried_whatever_its_suffix(tmp_path, name):
    path = tmp_path / name
    path.write_text(f"Device: cuda\n\n{_prints()}")
    assert tags(only(path)) == {"D_loss": 12, "G_loss": 12}


@pytest.mark.parametrize("name", ["a.md", "a.bak", "a.rst", "a.2"])
def test_a_named_table_is_tried_whatever_its_suffix(tmp_path, name):
    assert tags(only(table(tmp_path / name, two()))) == {"loss/d": 30, "loss/g": 30}


def test_the_prints_of_a_page_are_read_without_its_markup(tmp_path):
    page = tmp_path / "run.html"
    body = _prints().replace("iter", "<b>&gt; iter</b>")
    style = "<style>p { d_loss: 3; }</style><script>var d_loss = 0.1;</script>"
    page.write_text(
        f"<!DOCTYPE html>\n<html><head>{style}</head><body><pre>{body}</pre></body></html>"
    )
    assert tags(only(page)) == {"D_loss": 12, "G_loss": 12}
    rows = "".join(f"<tr><td>{k}</td><td>0.{k}</td><td>1.{k}</td></tr>" for k in range(1, 9))
    page.write_text(
        f"<html><table><tr><th>epoch</th><th>D loss</th><th>G loss</th></tr>{rows}</table></html>"
    )
    assert tags(only(page)) == {"D loss": 8, "G loss": 8}


def test_words_and_noise_are_refused_though_they_were_named(tmp_path):
    """A number in a text is no measurement until it recurs, a table of results no training."""
    results = "| Model | FID |\n|---|---|\n| ours | 12.5 |\n| DCGAN | 37 |\n| WGAN | 22.1 |\n"
    cases = {
        "readme.md": "# A GAN\n\nTrained with lr: 0.0002. FID: 12.5, d_loss: 0.6, g_loss: "
        f"0.7\n\n{results}".encode(),
        "results.md": results.encode(),
        "model.yml": b"d_loss: 1.0\ng_loss: 2.0\nlr: 0.1\n",
        "noise.md": bytes(range(256)) * 20,
        "noise.odd": b"\x01\xff\xfe\x02\x90" * 500,
    }
    for name, data in cases.items():
        (tmp_path / name).write_bytes(data)
        assert "no training log" in sentence(tmp_path / name), name


def test_files_of_words_in_a_folder_are_passed_over_all_the_same(tmp_path):
    table(tmp_path / "log.csv", two())
    (tmp_path / "notes.md").write_text(_prints())
    assert tags(only(tmp_path)) == {"loss/d": 30, "loss/g": 30}


ROWS = "step,d_loss,g_loss\n" + "".join(f"{i},1.2{i % 7},0.9{i % 5}\n" for i in range(60))
DUMP = "10:00 INFO Namespace(lr_g=0.0002, lr_d=0.0004, gan_mode='vanilla')\n"
OPTIONS = (
    "--- Options ---\n  lr: 0.0004  [default: 0.0002]\n beta1: 0.5\nn_epochs: 30\nbatch_size: 8\n"
)


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [(f"{DUMP}epoch 1 done\nepoch 2 done\n", "lr_d", 0.0004), (OPTIONS, "batch_size", 8)],
)
def test_options_are_read_where_the_run_printed_them_beside_its_log(tmp_path, text, key, value):
    (tmp_path / "metrics.csv").write_text(ROWS)
    (tmp_path / "train.log").write_text(text)
    for path in (tmp_path, tmp_path / "metrics.csv"):
        (run,) = discover(path)
        assert {s.key: s.value for s in run.settings}[key] == value
        assert [(s.path, s.parser) for s in run.sources[1:]] == [("train.log", "config")]


def test_what_is_printed_counts_only_where_nothing_else_tells(tmp_path):
    (tmp_path / "metrics.csv").write_text(ROWS)
    (tmp_path / "train.log").write_text("epoch: 3\nlr: 0.1\nloading 7 files\n")
    (run,) = discover(tmp_path)
    assert not run.settings, "a line is no list of options"
    (tmp_path / "train.log").write_text(DUMP)
    (tmp_path / "config.yaml").write_text("lr_d: 0.1\nlr_g: 0.1\n")
    (run,) = discover(tmp_path)
    assert {s.key: s.value for s in run.settings} == {"lr_d": 0.1, "lr_g": 0.1}
    (tmp_path / "config.yaml").unlink()
    (tmp_path / "other.csv").write_text(ROWS.replace("1.2", "1.3"))
    assert not any(run.settings for run in discover(tmp_path)), "of which of the two runs?"
