"""Houses that write files of numbers: event files, JSON lines, CSV, JSON, offline W&B."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING, Any

from benchmarks.zoo.pictures.houses import binary, configs
from benchmarks.zoo.pictures.houses.story import EPOCH, Story, draw

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.zoo.pictures.houses.binary import Rows

NESTED = {
    "seed": "seed",
    "iterations": "training.iterations",
    "batch_size": "training.batch_size",
    "latent_dim": "model.latent_dim",
    "task": "task",
    "loss.name": "loss.type",
    "loss.gp_weight": "loss.gp_weight",
    "loss.r1_gamma": "loss.r1_gamma",
    "loss.pixel_weight": "loss.pixel_weight",
    "generator.optimizer.name": "optim_g.name",
    "generator.optimizer.lr": "optim_g.lr",
    "generator.optimizer.beta1": "optim_g.betas.0",
    "generator.optimizer.beta2": "optim_g.betas.1",
    "discriminator.optimizer.name": "optim_d.name",
    "discriminator.optimizer.lr": "optim_d.lr",
    "discriminator.optimizer.beta1": "optim_d.betas.0",
    "discriminator.optimizer.beta2": "optim_d.betas.1",
    "generator.width": "model.g_channels",
    "discriminator.width": "model.d_channels",
    "discriminator.norm": "model.d_norm",
    "schedule.d_updates": "training.d_steps",
    "schedule.ema": "training.ema_decay",
}
FLAT = {
    "seed": "seed",
    "iterations": "total_iters",
    "batch_size": "batch_size",
    "latent_dim": "z_dim",
    "loss.name": "gan_loss",
    "loss.gp_weight": "gp_lambda",
    "loss.r1_gamma": "r1_gamma",
    "generator.optimizer.lr": "g_lr",
    "discriminator.optimizer.lr": "d_lr",
    "generator.optimizer.beta1": "g_beta1",
    "discriminator.optimizer.beta1": "d_beta1",
    "generator.optimizer.beta2": "g_beta2",
    "discriminator.optimizer.beta2": "d_beta2",
    "schedule.d_updates": "n_critic",
}
STYLE = {
    "seed": "random_seed",
    "batch_size": "batch_size",
    "latent_dim": "G_kwargs.z_dim",
    "generator.optimizer.lr": "G_opt_kwargs.lr",
    "generator.optimizer.beta1": "G_opt_kwargs.betas.0",
    "generator.optimizer.beta2": "G_opt_kwargs.betas.1",
    "discriminator.optimizer.lr": "D_opt_kwargs.lr",
    "discriminator.optimizer.beta1": "D_opt_kwargs.betas.0",
    "discriminator.optimizer.beta2": "D_opt_kwargs.betas.1",
    "loss.r1_gamma": "loss_kwargs.r1_gamma",
    "loss.name": "loss_kwargs.kind",
    "schedule.ema": "ema_beta",
}
SLASHED = {
    "d_loss": "Loss/D", "g_loss": "Loss/G", "d_real": "D/real", "d_fake": "D/fake",
    "grad_norm_d": "GradNorm/D", "grad_norm_g": "GradNorm/G", "gp": "Loss/GP", "r1": "Loss/R1",
    "lr_d": "LR/D", "lr_g": "LR/G", "pixel": "Loss/L1",
}  # fmt: skip
WORDS = {
    "d_loss": "train/d_loss", "g_loss": "train/g_loss", "d_loss_real": "train/d_loss_real",
    "d_loss_fake": "train/d_loss_fake", "acc_real": "train/d_acc_real",
    "acc_fake": "train/d_acc_fake", "gp": "train/gradient_penalty", "r1": "train/r1_penalty",
    "pixel": "train/rec_loss", "d_weight": "train/d_weight",
}  # fmt: skip


def slashed(story: Story, out: Path) -> None:
    """TensorBoard with ``Loss/D``."""
    _tensorboard(story, out, SLASHED, "metrics/FID")
    if story.lot.random() < 0.75:
        configs.as_yaml(story.settings(NESTED), out / "config.yaml")


def worded(story: Story, out: Path) -> None:
    """TensorBoard with ``train/d_loss``; settings as a script's or as flat YAML."""
    _tensorboard(story, out, WORDS, "val/fid")
    draw_lot = story.lot.random()
    if draw_lot < 0.4:
        configs.as_yaml(story.settings(FLAT), out / "hparams.yaml")
    elif draw_lot < 0.75:
        configs.script(story.settings(FLAT), out / "config.py")


def _rows(story: Story, names: dict[str, str], every: int) -> Rows:
    of = {tag: story.values(k) for k, tag in names.items() if story.has(k)}
    return [(s, {tag: float(v[s]) for tag, v in of.items()}) for s in story.at(every)]


def _tensorboard(story: Story, out: Path, names: dict[str, str], fid: str) -> None:
    rows = _rows(story, names, story.lot.choice([5, 10, 20]))
    rows += [(step, {fid: value}) for step, value in story.frechet()]
    rows.sort(key=lambda row: row[0])
    pictures = {}
    if story.grids:
        pictures = {step: story.record.tiles(step) for step in story.record.grids}
        rows.append((story.length, {}))
    binary.events(rows, pictures, "samples", out)


def stylegan(story: Story, out: Path) -> None:
    """``stats.jsonl`` by tick, a metric's own file, ``training_options.json``, ``fakes``."""
    tick, batch = story.lot.choice([16, 20]), story.c["batch_size"]
    names = {"g_adv": "Loss/G/loss", "d_loss": "Loss/D/loss"}
    if not story.only_losses:
        names |= {
            "d_real": "Loss/scores/real",
            "d_fake": "Loss/scores/fake",
            "r1": "Loss/r1_penalty",
        }
    means = {tag: story.means(k, tick) for k, tag in names.items() if k in story.record.series}
    lines = []
    for i in range(story.length // tick):
        row: dict[str, Any] = {
            tag: {"num": tick * batch, "mean": float(f"{v[i]:.6g}"), "std": 0.1}
            for tag, v in means.items()
        }
        row["Progress/tick"] = {"num": 1, "mean": float(i), "std": 0.0}
        row["Progress/kimg"] = {"num": 1, "mean": (i + 1) * tick * batch / 1000, "std": 0.0}
        lines.append(json.dumps(row | {"timestamp": 1.7e9 + 3.0 * i}))
    (out / "stats.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    if story.fid:
        told = [
            {
                "results": {"fid2k_full": round(value, 4)},
                "metric": "fid2k_full",
                "snapshot_pkl": f"network-snapshot-{step * batch // 1000:06d}.pkl",
                "timestamp": 1.7e9 + 3.0 * step / tick,
            }
            for step, value in story.frechet()
        ]
        text = "".join(json.dumps(row) + "\n" for row in told)
        (out / "metric-fid2k_full.jsonl").write_text(text, "utf-8")
    if story.lot.random() < 0.8:
        configs.as_json(story.settings(STYLE), out / "training_options.json")
    draw(story, out, "fakes{kimg:06d}.png", pad=0)


def keras(story: Story, out: Path) -> None:
    """A CSV of epochs' means."""
    every = EPOCH
    names = {
        "d_loss": "d_loss",
        "g_loss": "g_loss",
        "acc_real": "d_acc_real",
        "acc_fake": "d_acc_fake",
    }
    if "pixel" in story.record.series:
        names["pixel"] = "reconstruction_loss"
    of = {tag: story.means(k, every) for k, tag in names.items() if story.has(k)}
    with (out / "history.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["epoch", *of])
        for i in range(story.length // every):
            writer.writerow([i, *(repr(float(f"{v[i]:.8g}")) for v in of.values())])
    if story.lot.random() < 0.5:
        upper = {k: v.upper() for k, v in FLAT.items()}
        told = story.settings(upper)
        lines = [f"{key} = {value!r}" for key, value in told.items()]
        (out / "config.py").write_text("import keras\n\n" + "\n".join(lines) + "\n", "utf-8")
    draw(story, out / "images", "epoch_{epoch:03d}.png")


def lightning(story: Story, out: Path) -> None:
    """``metrics.csv`` with a row for every signal that was logged, ``hparams.yaml``."""
    every = story.lot.choice([10, 20])
    names = {"g_loss": "g_loss", "d_loss": "d_loss"}
    if not story.only_losses:
        names |= {"d_real": "d_real", "d_fake": "d_fake", "pixel": "rec_loss", "lr_d": "lr-d"}
    of = {tag: story.values(k) for k, tag in names.items() if k in story.record.series}
    if story.fid:
        of["val_fid"] = story.values("g_loss")[:0]
    fid = dict(story.frechet())
    with (out / "metrics.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, ["epoch", "step", *of])
        writer.writeheader()
        for step in range(story.length):
            at = {"epoch": step // EPOCH, "step": step}
            if step % every == every - 1:
                for tag in of:
                    if tag != "val_fid":
                        writer.writerow(at | {tag: float(of[tag][step])})
            if step + 1 in fid:
                writer.writerow(at | {"val_fid": fid[step + 1]})
    if story.lot.random() < 0.8:
        configs.as_yaml(story.settings(FLAT), out / "hparams.yaml")
    draw(story, out / "samples", "step_{step}.png")


def chainer(story: Story, out: Path) -> None:
    """``log``: one JSON list of means."""
    every = story.lot.choice([20, 25])
    names = {"g_loss": "gen/loss", "d_loss": "dis/loss"}
    if not story.only_losses:
        names |= {"d_real": "dis/real", "d_fake": "dis/fake"}
    of = {tag: story.means(k, every) for k, tag in names.items() if k in story.record.series}
    rows = [
        {tag: float(v[i]) for tag, v in of.items()}
        | {"epoch": i * every // EPOCH, "iteration": (i + 1) * every, "elapsed_time": 1.5 * i}
        for i in range(story.length // every)
    ]
    (out / "log").write_text(json.dumps(rows, indent=4) + "\n", "utf-8")
    if story.lot.random() < 0.5:
        configs.as_json(story.settings(FLAT), out / "args.json")
    draw(story, out / "preview", "image{step:08d}.png")


def wandb(story: Story, out: Path) -> None:
    """An offline run of W&B."""
    rows = _rows(story, WORDS, story.lot.choice([5, 10, 20]))
    rows += [(step, {"val/fid": value}) for step, value in story.frechet()]
    rows.sort(key=lambda row: row[0])
    folder = out / "wandb" / "offline-run-20240101_101112-zoo"
    told = story.settings(FLAT) if story.lot.random() < 0.8 else {}
    binary.wandb(rows, told, folder / "run-zoo.wandb")
    draw(story, folder / "files" / "media" / "images", "samples_{step}_zoo.png")
