"""Houses that print: DCGAN, PyTorch-GAN, CycleGAN's loss_log, VITS and codecs, BigGAN's files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from benchmarks.zoo.pictures.houses import configs
from benchmarks.zoo.pictures.houses.story import EPOCH, Story, draw

if TYPE_CHECKING:
    from pathlib import Path

SHORT = {
    "seed": "manualSeed",
    "batch_size": "batchSize",
    "latent_dim": "nz",
    "iterations": "niter",
    "generator.width": "ngf",
    "discriminator.width": "ndf",
    "generator.optimizer.lr": "lr|lrG",
    "discriminator.optimizer.lr": "lr|lrD",
    "generator.optimizer.beta1": "beta1|beta1_g",
    "discriminator.optimizer.beta1": "beta1|beta1_d",
}
LONG = {
    "seed": "seed",
    "iterations": "n_iters",
    "batch_size": "batch_size",
    "latent_dim": "latent_dim",
    "generator.optimizer.lr": "lr|g_lr",
    "discriminator.optimizer.lr": "lr|d_lr",
    "generator.optimizer.beta1": "b1|g_b1",
    "discriminator.optimizer.beta1": "b1|d_b1",
    "generator.optimizer.beta2": "b2|g_b2",
    "discriminator.optimizer.beta2": "b2|d_b2",
    "schedule.d_updates": "n_critic",
    "loss.clip_value": "clip_value",
    "loss.gp_weight": "lambda_gp",
    "loss.pixel_weight": "lambda_pixel",
    "loss.adv_weight": "lambda_adv",
}
OPTIONS = {
    "seed": "seed",
    "iterations": "n_iters",
    "batch_size": "batch_size",
    "loss.name": "gan_mode",
    "generator.width": "ngf",
    "discriminator.width": "ndf",
    "generator.norm": "norm",
    "generator.optimizer.lr": "lr|lr_G",
    "discriminator.optimizer.lr": "lr|lr_D",
    "generator.optimizer.beta1": "beta1|beta1_G",
    "discriminator.optimizer.beta1": "beta1|beta1_D",
    "loss.pixel_weight": "lambda_L1",
    "loss.adv_weight": "lambda_GAN",
    "schedule.lr_decay": "lr_policy",
}
SPEECH = {
    "seed": "train.seed",
    "iterations": "train.steps",
    "batch_size": "train.batch_size",
    "loss.name": "train.gan_loss",
    "generator.optimizer.lr": "train.learning_rate|train.learning_rate_g",
    "discriminator.optimizer.lr": "train.learning_rate|train.learning_rate_d",
    "generator.optimizer.beta1": "train.betas.0|train.betas_g.0",
    "generator.optimizer.beta2": "train.betas.1|train.betas_g.1",
    "discriminator.optimizer.beta1": "train.betas.0|train.betas_d.0",
    "discriminator.optimizer.beta2": "train.betas.1|train.betas_d.1",
    "schedule.lr_gamma": "train.lr_decay",
    "loss.pixel_weight": "train.c_rec",
    "loss.adv_weight": "train.c_adv",
    "loss.d_start": "train.disc_start",
    "generator.width": "model.upsample_initial_channel",
    "discriminator.width": "model.disc_channels",
}
BIG = {
    "seed": "seed",
    "iterations": "num_iters",
    "batch_size": "batch_size",
    "latent_dim": "dim_z",
    "loss.name": "loss",
    "generator.width": "G_ch",
    "discriminator.width": "D_ch",
    "generator.optimizer.lr": "G_lr",
    "discriminator.optimizer.lr": "D_lr",
    "generator.optimizer.beta1": "G_B1",
    "discriminator.optimizer.beta1": "D_B1",
    "generator.optimizer.beta2": "G_B2",
    "discriminator.optimizer.beta2": "D_B2",
    "schedule.d_updates": "num_D_steps",
    "schedule.ema": "ema_decay",
}


def dcgan(story: Story, out: Path) -> None:
    """``[0/17][0/64] Loss_D: ... Loss_G: ... D(x): ... D(G(z)): ... / ...``."""
    lines = []
    if story.lot.random() < 0.75:
        lines.append(configs.namespace(story.settings(SHORT, ("loss.name",))))
    epochs, every = -(-story.length // EPOCH), story.lot.choice([8, 16, 32])
    names = ["d_loss", "g_loss"]
    if not story.only_losses:
        names += ["d_real", "d_fake", "d_fake_g"]
    of = {k: story.values(k) for k in names}
    for step in story.at(every):
        line = (
            f"[{step // EPOCH}/{epochs}][{step % EPOCH}/{EPOCH}]\t"
            f"Loss_D: {of['d_loss'][step]:.4f}\tLoss_G: {of['g_loss'][step]:.4f}"
        )
        if not story.only_losses:
            line += (
                f"\tD(x): {of['d_real'][step]:.4f}\tD(G(z)): {of['d_fake'][step]:.4f} / "
                f"{of['d_fake_g'][step]:.4f}"
            )
        lines.append(line)
    (out / "train.log").write_text("\n".join(lines) + "\n", "utf-8")
    draw(story, out / "samples", "fake_samples_epoch_{epoch:03d}.png")


def pytorch_gan(story: Story, out: Path) -> None:
    """``[Epoch 0/18] [Batch 0/64] [D loss: ...] [G loss: ...]``."""
    head = story.lot.random()
    told = story.settings(LONG)
    lines = []
    if head < 0.5:
        lines.append(configs.namespace(told))
    elif head < 0.8:
        configs.script(told, out / "config.py")
    else:
        story.written.clear()
    epochs, every = -(-story.length // EPOCH), story.lot.choice([1, 5, 10])
    d_loss, g_loss = story.values("d_loss"), story.values("g_loss")
    pixel = story.values("pixel") if story.has("pixel") else None
    adversarial = story.values("g_adv") if pixel is not None else d_loss
    for step in story.at(every):
        line = (
            f"[Epoch {step // EPOCH}/{epochs}] [Batch {step % EPOCH}/{EPOCH}] "
            f"[D loss: {d_loss[step]:f}] [G loss: {g_loss[step]:f}"
        )
        if pixel is not None:
            line += f", pixel: {pixel[step]:f}, adv: {adversarial[step]:f}"
        lines.append(f"{line}]")
    (out / "output.txt").write_text("\n".join(lines) + "\n", "utf-8")
    draw(story, out / "images", "{step}.png", offset=1)


def cyclegan(story: Story, out: Path) -> None:
    """``loss_log.txt`` and ``train_opt.txt``."""
    if story.lot.random() < 0.85:
        configs.options(story.settings(OPTIONS), out / "train_opt.txt")
    every = story.lot.choice([10, 20, 25])
    names = {"g_adv": "G_GAN", "pixel": "G_L1", "d_loss_real": "D_real", "d_loss_fake": "D_fake"}
    of = {label: story.values(k) for k, label in names.items() if k in story.record.series}
    lines = ["================ Training Loss (Thu Mar  2 10:11:12 2023) ================"]
    for step in story.at(every, every - 1):
        at = f"(epoch: {step // EPOCH + 1}, iters: {step % EPOCH + 1}, time: 0.041, data: 0.002)"
        told = " ".join(f"{label}: {values[step]:.3f}" for label, values in of.items())
        lines.append(f"{at} {told} ")
    (out / "loss_log.txt").write_text("\n".join(lines) + "\n", "utf-8")
    draw(story, out / "web" / "images", "epoch{epoch_from_1:03d}_fake_B.png", pad=0)


def speech(story: Story, out: Path) -> None:
    """As HiFi-GAN's descendants print, with a ``config.json``."""
    if story.lot.random() < 0.8:
        configs.as_json(story.settings(SPEECH), out / "config.json")
    every = story.lot.choice([10, 20])
    pixel = story.values("pixel") if "pixel" in story.record.series else None
    total, d_loss = story.values("g_loss"), story.values("d_loss")
    adversarial = story.values("g_adv") if pixel is not None else total
    rate = d_loss if story.only_losses else story.values("lr_g")
    lines = []
    for step in story.at(every):
        parts = [f"Steps : {step}", f"Gen Loss Total : {total[step]:.3f}"]
        parts.append(f"Disc Loss Total : {d_loss[step]:.3f}")
        if pixel is not None:
            parts += [f"Gen Adv Loss : {adversarial[step]:.3f}", f"Rec. Error : {pixel[step]:.3f}"]
        if not story.only_losses:
            parts.append(f"lr : {rate[step]:.6g}")
        lines.append(f"{', '.join(parts)}, s/b : 0.044")
    (out / "train.log").write_text("\n".join(lines) + "\n", "utf-8")
    draw(story, out / "samples", "gen_{step:06d}.png")


def biggan(story: Story, out: Path) -> None:
    """One file a signal with lines ``itr: value``, metrics and settings beside them."""
    every = story.lot.choice([5, 10])
    names = {"g_loss": "G_loss", "d_loss_real": "D_loss_real", "d_loss_fake": "D_loss_fake"}
    logs = out / "logs"
    logs.mkdir()
    for name, label in names.items():
        values = story.values(name)
        text = "".join(f"{step}: {values[step]:.3e}\n" for step in story.at(every, every))
        (logs / f"{label}.log").write_text(text, "utf-8")
    if story.fid:
        rows = [{"itr": step, "FID": round(value, 4)} for step, value in story.frechet()]
        (logs / "run_log.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows), "utf-8")
    if story.lot.random() < 0.7:
        told: dict[str, Any] = story.settings(BIG)
        configs.as_json(told, out / "config.json")
    draw(story, out / "samples", "fixed_samples{step}.png")
