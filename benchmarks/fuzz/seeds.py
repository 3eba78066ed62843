"""Small sound logs to start from, by the libraries that write them where these are at hand."""

from __future__ import annotations

import csv
import io
import json
import logging
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from tensorboardX import SummaryWriter

from benchmarks.fuzz import code
from benchmarks.speed import files

if TYPE_CHECKING:
    from collections.abc import Callable


def event_files() -> list[bytes]:
    """By tensorboardX (scalars, pictures, histograms, hparams) and by TensorBoard's messages."""
    logging.getLogger("tensorboardX").setLevel(logging.ERROR)
    rng = np.random.default_rng(0)
    found = []
    with tempfile.TemporaryDirectory() as folder:
        with SummaryWriter(folder) as writer:
            for step in range(12):
                writer.add_scalar("Loss/D", rng.random(), step)
                writer.add_scalar("Loss/G", rng.random(), step)
                if step % 6 == 0:
                    writer.add_image(
                        "samples", rng.integers(0, 255, (3, 4, 4), dtype=np.uint8), step
                    )
                    writer.add_histogram("weights", rng.random(20), step)
            writer.add_text("config", "lr: 0.0002\ng: {betas: [0.5, 0.9]}\n")
            writer.add_hparams({"lr": 0.1, "norm": "spectral"}, {"fid": 3.0}, name="h")
        found += [p.read_bytes() for p in sorted(Path(folder).rglob("*tfevents*"))]
    return [
        *found,
        files.first_record() + files.scalars(range(120, 140), tensor=True),
        files.first_record() + files.scalars(range(60), tags=("Loss/D", "Loss/G")),
        files.first_record() + files.scalars(range(100, 400), tags=("Loss/D", "Loss/G", "lr")),
        files.first_record(),
    ]


def wandb_files() -> list[bytes]:
    """Rows as wandb 0.29 and older ones write them, framed.

    By wandb itself where it is installed.
    """
    rng = np.random.default_rng(0)

    def rows(count: int, *, nested: bool = True) -> list[bytes]:
        return [
            files.wandb_row(
                k,
                {"d_loss": rng.random(), "g_loss": rng.random(), "train/d_real": 0.5},
                nested=nested,
            )
            for k in range(count)
        ]

    exit_record = b"\x92\x01\x02\x08\x00"
    config = (
        b'\x8a\x01\x1b\x22\x19\x0a\x0c\x0a\x02lr\x82\x01\x050.001\x0a\x09\x0a\x01n\x82\x01\x03"x"'
    )
    return [
        files.wandb_frames([config, *rows(20), exit_record]),
        files.wandb_frames([config, *rows(20, nested=False)]),
        files.wandb_frames(
            [*rows(330), b"\x22" + b"\xa0\x9c\x01" + bytes(20_000), *rows(5), exit_record]
        ),
        files.wandb_frames([]),
    ]


def csv_files() -> list[bytes]:
    """By the csv module and by pandas, as trainers do."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"step": range(30), "d_loss": rng.random(30), "g_loss": rng.random(30)})
    sparse = pd.concat([table, pd.DataFrame({"step": range(0, 30, 10), "fid": [90.0, 40.0, 30.0]})])
    rough = io.StringIO()
    writer = csv.writer(rough)
    writer.writerow(["epoch", "Loss_D", "Loss_G", "note"])
    for k in range(25):
        writer.writerow(
            [
                k,
                f"tensor({k / 7:.4f}, grad_fn=<MeanBackward0>)",
                "NA" if k % 5 == 0 else k / 3,
                'say "so"',
            ]
        )
    return [
        table.to_csv(index=False).encode(),
        table.to_csv().encode(),
        sparse.to_csv(index=False).encode(),
        table.to_csv(index=False, sep=";", decimal=",").encode(),
        table.to_csv(index=False, sep="\t").encode(),
        rough.getvalue().encode(),
        table.to_csv(index=False).encode("utf-16"),
        (
            "Wall time,Step,Value\n" + "".join(f"{1.7e9 + k},{k},{k / 9}\n" for k in range(20))
        ).encode(),
    ]


def text_files() -> list[bytes]:
    """Lines as public code bases print them."""
    dcgan = "".join(
        f"[{k // 10}/5][{k % 10}/10]\tLoss_D: {0.5 + k / 99:.4f}\tLoss_G: {2.1 - k / 99:.4f}"
        "\tD(x): 0.80\tD(G(z)): 0.2 / 0.1\n"
        for k in range(40)
    )
    pytorch_gan = "".join(
        f"[Epoch {k}/200] [Batch {k}/938] [D loss: {0.69 - k / 999:f}] [G loss: {0.7 + k / 99:f}]\n"
        for k in range(30)
    )
    cyclegan = "================ Training Loss (now) ================\n" + "".join(
        f"(epoch: {k // 5}, iters: {k % 5 * 100}, time: 0.1, data: 0.2) "
        f"D_A: 0.3 G_A: {k / 10:.3f} cycle_A: 1.0 D_B: 0.2 \n"
        for k in range(25)
    )
    bar = "".join(
        f"\rEpoch 1: {k}%|###   | {k}/100 [00:01<00:02, 9.5it/s, d_loss={k / 50:.3f}, g_loss=1.5]"
        for k in range(40)
    )
    ansi = "".join(
        f"\x1b[1m step: {k:,}\x1b[0m  loss_disc：{k / 3:.3f}（{k / 4:.3f}）， lr: 1e-04\n"
        for k in range(990, 1020)
    )
    return [t.encode() for t in (dcgan, pytorch_gan, cyclegan, bar, ansi)]


def jsonl_files() -> list[bytes]:
    """StyleGAN's ``stats.jsonl`` and a Chainer log."""
    stats = "".join(
        json.dumps(
            {
                "Loss/G/loss": {"num": 4, "mean": k / 9, "std": 0.1},
                "Progress/kimg": {"mean": 4.0 * k},
                "timestamp": k,
            }
        )
        + "\n"
        for k in range(25)
    )
    chainer = json.dumps(
        [{"iteration": k, "gen/loss": k / 3, "dis/loss": float("nan")} for k in range(20)], indent=1
    )
    return [stats.encode(), chainer.encode()]


#: format -> (module of `gandoctor.parsers`, or a whole module's name; name of the file; seeds)
def mlflow_files() -> list[bytes]:
    """Databases of two runs, with the tables that are read."""
    found = []
    for rows in (3, 200):
        with closing(sqlite3.connect(":memory:")) as base:
            base.executescript(
                "CREATE TABLE runs (run_uuid VARCHAR(32) PRIMARY KEY, name VARCHAR(250), status"
                " VARCHAR(9), start_time BIGINT, lifecycle_stage VARCHAR(20));"
                "CREATE TABLE metrics (key VARCHAR(250), value FLOAT, timestamp BIGINT, run_uuid"
                " VARCHAR(32), step BIGINT, is_nan BOOLEAN, PRIMARY KEY (key, timestamp, step,"
                " run_uuid, value, is_nan));"
                "CREATE TABLE params (key VARCHAR(250), value VARCHAR(8000), run_uuid VARCHAR(32))"
            )
            for run in ("a" * 32, "b" * 32):
                stated = (run, run[:3], "FINISHED", 1, "active")
                base.execute("INSERT INTO runs VALUES (?, ?, ?, ?, ?)", stated)
                base.execute("INSERT INTO params VALUES ('lr_d', '0.0002', ?)", (run,))
                for key in ("d_loss", "g_loss"):
                    base.executemany(
                        "INSERT INTO metrics VALUES (?, ?, ?, ?, ?, ?)",
                        [(key, 1 / (i + 1), 1000 * i, run, i, i == 5) for i in range(rows)],
                    )
            base.commit()
            found.append(base.serialize())
    return found


FORMATS: dict[str, tuple[str, str, Callable[[], list[bytes]]]] = {
    "event": ("tensorboard", "events.out.tfevents.1700000000.host.1.0", event_files),
    "wandb": ("wandb", "run-fuzz.wandb", wandb_files),
    "csv": ("csv", "metrics.csv", csv_files),
    "text": ("text", "train.log", text_files),
    "jsonl": ("jsonl", "stats.jsonl", jsonl_files),
    "mlflow": ("mlflow", "mlflow.db", mlflow_files),
    "script": ("benchmarks.fuzz.code", "train.py", code.scripts),
    "notebook": ("benchmarks.fuzz.code", "gan.ipynb", code.notebooks),
    "cells": ("benchmarks.fuzz.code", "cells.ipynb", code.scripts),
}
