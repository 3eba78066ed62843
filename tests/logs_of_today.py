"""Logs as today's adversarial training writes them: healthy ones, and each of its sicknesses.

Every log is drawn under the tags of a public code base, with the levels that its losses have.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Columns = dict[str, Floats]
ROWS: Final = 300


class Log(NamedTuple):
    """Columns at every `every` steps, and the settings beside them."""

    columns: Columns
    every: int = 100
    config: str = ""

    def write(self, folder: Path) -> Path:
        """As ``metrics.csv`` and ``config.yaml``; a value that is not logged stays empty."""
        folder.mkdir(parents=True, exist_ok=True)
        lines = [",".join(["step", *self.columns])]
        for i, row in enumerate(zip(*self.columns.values(), strict=True)):
            told = ("" if np.isnan(v) else f"{v:.6g}" for v in row)
            lines.append(",".join([str(i * self.every), *told]))
        (folder / "metrics.csv").write_text("\n".join(lines) + "\n")
        if self.config:
            (folder / "config.yaml").write_text(self.config)
        return folder


class Drawn:
    """Curves over the run, each with its own noise."""

    def __init__(self, seed: int, joins: float = 0.0) -> None:
        self.rng = np.random.default_rng(seed)
        self.t = np.linspace(0, 1, ROWS)
        self.on = self.t >= joins
        self.since = np.clip((self.t - joins) / (1 - joins), 0, 1)

    def noise(self, size: float) -> Floats:
        """Normal, of a standard deviation."""
        return size * self.rng.standard_normal(ROWS)

    def fall(self, high: float, low: float, rate: float = 6.0, noise: float = 0.02) -> Floats:
        """From high to low, with noise in its proportion; never below zero."""
        level = low + (high - low) * np.exp(-rate * self.t)
        return np.asarray(np.abs(level * (1 + self.noise(noise))))

    def hinge(self, apart: Floats | float) -> tuple[Floats, Floats, Floats, Floats]:
        """D's halved hinge loss, G's, and the scores, by how far D holds both apart."""
        real = np.asarray(apart + self.noise(0.1) + 0 * self.t)
        fake = np.asarray(-apart + self.noise(0.1) + 0 * self.t)
        spread = 0.5
        at = self.rng.standard_normal((ROWS, 64)) * spread
        loss = 0.5 * (
            np.maximum(0, 1 - real[:, None] - at).mean(axis=1)
            + np.maximum(0, 1 + fake[:, None] + at).mean(axis=1)
        )
        return loss, -fake + self.noise(0.05), real, fake


def tokenizer(
    *,
    seed: int = 1,
    joins: float = 0.3,
    apart: float | Floats = 0.35,
    weight: Floats | float | None = None,
    given_up: float = 1.0,
    start: float = 0.3,
    perplexity: Floats | None = None,
    switch: bool = True,
) -> Log:
    """taming-transformers: a factor switches D on, and an adaptive weight scales G's part."""
    x = Drawn(seed, joins)
    loss, g, real, fake = x.hinge(apart)
    untrained = x.noise(0.004)
    real, fake = np.where(x.on, real, 0.02 + untrained), np.where(x.on, fake, 0.02 + untrained)
    rec = x.fall(0.9, 0.2) * np.where(x.on, 1 + (given_up - 1) * np.minimum(1, 8 * x.since), 1.0)
    rec = rec * (1 + 0.12 * x.on * np.exp(-8 * x.since))
    drawn = 0.8 * np.exp(x.noise(0.3)) * (1 + 20 * ~x.on)
    adaptive = np.asarray(drawn if weight is None else np.where(x.on, weight, drawn))
    factor = 1.0 * x.on
    columns = {
        "train/total_loss": rec + 0.02 + adaptive * factor * np.where(x.on, g, 0.0),
        "train/quant_loss": x.fall(0.05, 0.02),
        "train/nll_loss": rec,
        "train/rec_loss": rec,
        "train/p_loss": 0.4 * rec,
        "train/d_weight": adaptive,
        "train/disc_factor": factor,
        "train/g_loss": np.where(x.on, g, -fake),
        "train/disc_loss": factor * loss,
        "train/logits_real": real,
        "train/logits_fake": fake,
        "train/perplexity": 20 + 600 * (1 - np.exp(-5 * x.t)) + x.noise(8)
        if perplexity is None
        else perplexity,
    }
    if not switch:
        del columns["train/disc_factor"]
    config = (
        "model:\n  params:\n    n_embed: 1024\n    lossconfig:\n      params:\n"
        f"        disc_start: {int(start * (ROWS - 1) * 100)}\n        disc_weight: 0.8\n"
        "        disc_loss: hinge\n"
    )
    return Log(columns, config=config)


def late_columns(*, seed: int = 2, apart: float = 0.3, used: Floats | None = None) -> Log:
    """1d-tokenizer: what is D's is logged from where D joins, and LeCam holds it back."""
    x = Drawn(seed, 0.4)
    loss, g, real, fake = (np.where(x.on, v, np.nan) for v in x.hinge(apart))
    rec = x.fall(0.08, 0.02)
    adversarial = np.where(x.on, g, 0.0)
    usage = 0.1 + 0.8 * (1 - np.exp(-6 * x.t)) + x.noise(0.01) if used is None else used
    return Log(
        {
            "train/total_loss": rec + 0.3 + 0.1 * adversarial,
            "train/reconstruction_loss": rec,
            "train/perceptual_loss": x.fall(1.2, 0.3),
            "train/quantizer_loss": x.fall(0.03, 0.01),
            "train/discriminator_factor": 1.0 * x.on,
            "train/commitment_loss": x.fall(0.02, 0.01),
            "train/gan_loss": adversarial,
            "train/discriminator_loss": loss,
            "train/logits_real": real,
            "train/logits_fake": fake,
            "train/lecam_loss": np.where(x.on, 0.01 + x.noise(0.001), np.nan),
            "eval/CodebookUsage": usage,
            "lr/generator": np.full(ROWS, 1e-4),
        },
        config="losses:\n  discriminator_start: 11900\n  discriminator_weight: 0.1\n",
    )


def codec(*, seed: int = 3, won: bool = False) -> Log:
    """descript-audio-codec: least squares of many D's, summed, and the features of all of them."""
    x = Drawn(seed)
    if won:
        d, g = x.fall(12, 0.05, 30), 20 - x.fall(14, 0.2, 30)
    else:
        d, g = x.fall(14, 11.2, 12), 4.6 + x.noise(0.3)
    mel = np.full(ROWS, 2.1) * (1 + x.noise(0.02)) if won else x.fall(4.5, 0.9, 5)
    return Log(
        {
            "adv/disc_loss/train": d,
            "adv/feat_loss/train": 4 + 5 * x.t + x.noise(0.3),
            "adv/gen_loss/train": g,
            "loss/train": 15 * mel + g + 10,
            "mel/loss/train": mel,
            "other/grad_norm/train": 30 + x.noise(3),
            "other/grad_norm_d/train": 2 + x.noise(0.2),
            "other/learning_rate/train": np.full(ROWS, 1e-4),
            "stft/loss/train": 2 * mel,
            "vq/codebook_loss/train": x.fall(2.0, 0.8),
            "vq/commitment_loss/train": x.fall(2.0, 0.8),
            "waveform/loss/train": x.fall(0.1, 0.03),
        },
        every=1000,
    )


def balanced_codec(*, seed: int = 4) -> Log:
    """audiocraft: hinge, a balancer instead of weights, D on one step of two."""
    x = Drawn(seed)
    loss, g, _, _ = x.hinge(0.2 + 0.1 * x.t)
    return Log(
        {
            "train/bandwidth": np.full(ROWS, 6.0),
            "train/d_msstftd": 2 * loss,
            "train/d_loss": 2 * loss,
            "train/penalty": x.fall(0.5, 0.1),
            "train/adv_msstftd": g,
            "train/feat_msstftd": 0.2 + 0.3 * x.t + x.noise(0.02),
            "train/l1": x.fall(0.1, 0.03),
            "train/msspec": x.fall(1.2, 0.4),
            "train/g_loss": x.fall(5, 2),
            "train/ratio1": 0.1 + x.noise(0.01),
            "train/ratio2": 1 + x.noise(0.05),
            "train/adv": g,
            "train/feat": 0.2 + 0.3 * x.t + x.noise(0.02),
        },
        every=1,
        config="adversarial:\n  every: 2\n  adv_loss: hinge\n",
    )


def vocoder(*, seed: int = 5, won: bool = False) -> Log:
    """VITS: least squares of six D's, summed; the mel error leads."""
    x = Drawn(seed)
    halves = [0.22 + x.noise(0.02) for _ in range(12)]
    if won:
        halves = [np.abs(0.22 * np.exp(-30 * x.t) + 0.002 + x.noise(0.0005)) for _ in range(12)]
    adversarial = [(0.95 if won else 0.3) + 0.02 * x.t + x.noise(0.03) for _ in range(6)]
    mel, fm = (np.full(ROWS, 40.0) + x.noise(1) if won else x.fall(60, 18)), 2 + 4 * x.t
    columns = {
        "loss/g/total": sum(adversarial) + mel + fm,
        "loss/d/total": sum(halves),
        "learning_rate": np.full(ROWS, 2e-4),
        "grad_norm_d": 5 + x.noise(0.5),
        "grad_norm_g": 60 + x.noise(6),
        "loss/g/fm": fm + x.noise(0.2),
        "loss/g/mel": mel,
        "loss/g/dur": x.fall(3, 1.2),
        "loss/g/kl": x.fall(4, 1.6),
    }
    columns |= {f"loss/g/{i}": a for i, a in enumerate(adversarial)}
    columns |= {f"loss/d_r/{i}": h for i, h in enumerate(halves[:6])}
    columns |= {f"loss/d_g/{i}": h for i, h in enumerate(halves[6:])}
    return Log(columns, every=200)


def vocoder_of_two(*, seed: int = 6) -> Log:
    """BigVGAN: two families of D's, each with its own losses."""
    x = Drawn(seed)
    columns = {"training/gen_loss_total": x.fall(60, 22), "training/mel_spec_error": x.fall(1, 0.2)}
    for name, many in (("mpd", 5), ("mrd", 3)):
        columns |= {
            f"training/fm_loss_{name}": many * (0.2 + 0.3 * x.t) + x.noise(0.05),
            f"training/gen_loss_{name}": many * 0.32 + x.noise(0.06),
            f"training/disc_loss_{name}": many * 0.44 + x.noise(0.06),
            f"training/grad_norm_{name}": 3 + x.noise(0.4),
        }
    columns |= {
        "training/grad_norm_g": 40 + x.noise(4),
        "training/learning_rate_d": np.full(ROWS, 1e-4),
        "training/learning_rate_g": np.full(ROWS, 1e-4),
    }
    return Log(columns)


def softplus_pair(x: Drawn, apart: Floats | float) -> tuple[Floats, Floats, Floats, Floats]:
    """Cross-entropy of D, that of G, and the logits."""
    real, fake, again = (
        side * (apart + 0 * x.t)[:, None] + 0.5 * x.rng.standard_normal((ROWS, 64))
        for side in (1, -1, -1)
    )
    d = np.logaddexp(0, -real).mean(axis=1) + np.logaddexp(0, fake).mean(axis=1)
    return d, np.logaddexp(0, -again).mean(axis=1), real.mean(axis=1), fake.mean(axis=1)


def distillation(*, seed: int = 7, won: bool = False) -> Log:
    """DMD2: a classifier on the fake score network judges what one step makes."""
    x = Drawn(seed)
    d, g, _, _ = softplus_pair(x, 7 * (1 - np.exp(-20 * x.t)) if won else 0.25 + 0.1 * x.t)
    return Log(
        {
            "loss_fake_mean": x.fall(0.12, 0.08),
            "guidance_grad_norm": 1 + x.noise(0.1),
            "generator_grad_norm": 3 + x.noise(0.5),
            "loss_dm": 0.55 + x.noise(0.05),
            "dmtrain_gradient_norm": 0.8 + x.noise(0.05),
            "gen_cls_loss": g,
            "guidance_cls_loss": d,
        },
        config="gen_cls_loss_weight: 0.003\nguidance_cls_loss_weight: 0.01\n"
        "generator_lr: 2.0e-6\nguidance_lr: 2.0e-6\n",
    )


def regularised(*, seed: int = 8, won: bool = False) -> Log:
    """R3GAN: D compares pairs, with zero-centred penalties on both sides."""
    x = Drawn(seed)
    apart = 8 * (1 - np.exp(-12 * x.t)) if won else 1.2 * (1 - np.exp(-6 * x.t))
    real, again = (apart[:, None] + 0.9 * x.rng.standard_normal((ROWS, 64)) for _ in range(2))
    fid = 150 + 10 * x.t + x.noise(3) if won else x.fall(200, 6, 5)
    return Log(
        {
            "Progress/tick": np.arange(ROWS, dtype=np.float64),
            "Loss/scores/fake": -again.mean(axis=1),
            "Loss/signs/fake": np.sign(-again).mean(axis=1),
            "Loss/G/loss": np.logaddexp(0, again).mean(axis=1),
            "Loss/scores/real": real.mean(axis=1),
            "Loss/signs/real": np.sign(real).mean(axis=1),
            "Loss/D/loss": np.logaddexp(0, -real).mean(axis=1),
            "Loss/r1_penalty": 0.02 + 0.01 * x.t + np.abs(x.noise(0.002)),
            "Loss/r2_penalty": 0.02 + 0.01 * x.t + np.abs(x.noise(0.002)),
            "Metrics/fid50k_full": np.where(np.arange(ROWS) % 15 == 0, fid, np.nan),
        },
        config="loss_kwargs:\n  r1_gamma: 0.05\n",
    )


def super_resolution(*, seed: int = 9, lost: bool = False) -> Log:
    """Real-ESRGAN: starts from a network trained on pixels, D of a U-Net, cross-entropy."""
    x = Drawn(seed)
    d, g, real, fake = softplus_pair(x, 0.6 + 0.2 * x.t)
    psnr = 26 - 9 * np.minimum(1, 3 * x.t) if lost else 23 + 0.8 * (1 - np.exp(-5 * x.t))
    pixels = 0.03 + 0.09 * np.minimum(1, 3 * x.t) if lost else x.fall(0.045, 0.035)
    return Log(
        {
            "losses/l_g_pix": pixels + np.abs(x.noise(0.001)),
            "losses/l_g_percep": x.fall(3, 2.4),
            "losses/l_g_gan": 0.1 * g,
            "losses/l_d_real": d / 2 + x.noise(0.02),
            "losses/l_d_fake": d / 2 + x.noise(0.02),
            "out_d_real": real,
            "out_d_fake": fake,
            "metrics/psnr": np.where(np.arange(ROWS) % 10 == 0, psnr + x.noise(0.05), np.nan),
        },
        config="train:\n  gan_opt:\n    gan_type: vanilla\n    loss_weight: 0.1\n",
    )


def video_tokenizer(*, seed: int = 10) -> Log:
    """MAGVIT: non-saturating, LeCam, R1; D from the start, quality as FVD."""
    x = Drawn(seed)
    d, g, _, _ = softplus_pair(x, 0.5 + 0.2 * x.t)
    rec = x.fall(0.05, 0.008)
    return Log(
        {
            "g_loss": rec + 0.1 * g + 0.05,
            "d_loss": d + 0.03,
            "d_adversarial_loss": d,
            "grad_penalty": 0.02 + np.abs(x.noise(0.002)),
            "reconstruction_loss": rec,
            "g_adversarial_loss": 0.1 * g,
            "perceptual_loss": x.fall(0.1, 0.04),
            "quantizer_loss": x.fall(0.02, 0.01),
            "lecam_loss": 0.01 + np.abs(x.noise(0.001)),
            "fvd": np.where(np.arange(ROWS) % 15 == 0, x.fall(400, 30, 5), np.nan),
        },
    )


_T: Final = np.linspace(0, 1, ROWS)
_STEADY: Final[dict[str, Any]] = {"joins": 2.0}

HEALTHY: Final[dict[str, Callable[[], Log]]] = {
    "tokenizer": tokenizer,
    "tokenizer, without the factor": lambda: tokenizer(switch=False),
    "tokenizer, D not yet there": lambda: tokenizer(**_STEADY, start=3.0),
    "tokenizer whose columns come late": late_columns,
    "codec": codec,
    "codec with a balancer": balanced_codec,
    "vocoder": vocoder,
    "vocoder of two": vocoder_of_two,
    "distillation": distillation,
    "R3GAN": regularised,
    "super-resolution": super_resolution,
    "video tokenizer": video_tokenizer,
}

# With the rule that is to speak of it.
SICK: Final[dict[str, tuple[Callable[[], Log], str]]] = {
    "the factor stays at zero": (lambda: tokenizer(**_STEADY), "d-never-joins"),
    "D's loss stays at zero": (lambda: tokenizer(**_STEADY, switch=False), "d-never-joins"),
    "the weight sits at its clamp": (
        lambda: tokenizer(weight=8000.0), "adversarial-weight-at-its-clamp"),
    "the weight sits at zero": (lambda: tokenizer(weight=0.0), "adversarial-weight-at-zero"),
    "one code is left": (
        lambda: tokenizer(perplexity=1 + 300 * np.exp(-40 * _T)), "codebook-collapses"),
    "few codes are left": (
        lambda: late_columns(used=0.01 + 8 * _T * np.exp(-12 * _T)), "codebook-collapses"),
    "D wins as it joins": (lambda: tokenizer(apart=6.0), "d-wins-as-it-joins"),
    "reconstruction is given up": (lambda: tokenizer(given_up=3.5), "reconstruction-given-up"),
    "D wins the distillation": (lambda: distillation(won=True), "d-wins-late"),
    "D wins in R3GAN": (lambda: regularised(won=True), "pairs-told-apart"),
    "D wins over the vocoder": (lambda: vocoder(won=True), "d-wins-late"),
    "fidelity is lost": (lambda: super_resolution(lost=True), "reconstruction-given-up"),
}  # fmt: skip
