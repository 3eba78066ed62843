"""What maintainers said about runs in public threads, each as a small log of its numbers.

No log of these threads is public: a thread states a symptom in numbers, and somebody who knows says
what it means. The curves below follow those numbers; noise and beginnings are ours. Where we and
they differ, ``differs`` says why. The table of docs/coverage.md is held to this file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from gandoctor import api, diagnose, parsers, rulebook, vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    Curve = NDArray[np.float64]

BOOK = rulebook.Shelf([rulebook.default_folder()])
WORDS = vocabulary.load([rulebook.default_folder()])
PAGE = (Path(__file__).parents[1] / "docs/coverage.md").read_text(encoding="utf-8")
SEED = 5
GITHUB = "https://github.com/"
CYCLEGAN = "junyanz/pytorch-CycleGAN-and-pix2pix/issues/"
STYLEGAN = "NVlabs/stylegan2-ada-pytorch/issues/"


class Time:
    """The run from 0 to 1, with noise that is the same each time."""

    def __init__(self, rows: int, seed: int = SEED) -> None:
        self.t = np.linspace(0, 1, rows)
        self._rng = np.random.default_rng(seed)

    def noise(self, size: float) -> Curve:
        return size * self._rng.standard_normal(self.t.size)

    def jitter(self, share: float) -> Curve:
        """Factors about one, never below a tenth."""
        return np.maximum(1 + self.noise(share), 0.1)

    def falls(self, start: float, end: float, rate: float = 6.0) -> Curve:
        """From `start` towards `end`, up or down, fast at first."""
        return end + (start - end) * np.exp(-rate * self.t)

    def then(self, at: float, before: Curve | float, after: Curve | float) -> Curve:
        return np.where(self.t < at, before, after)


@dataclass(frozen=True)
class Thread:
    """One diagnosis.

    Attributes
    ----------
    seen, word : str
        What the thread states, and what was said about it.
    said : str
        ``sick``, ``fine``, or ``unclear`` where nobody who knows said either.
    verdict : str
        What we say: ``found``, ``healthy`` or ``inconclusive``.
    rules, risks, cause : tuple of str, str
        `rules` and `risks` must be among those that fire, `cause` must come first.
    differs : str
        Why we say something else than they.
    wrong : str
        Why we do not say it yet.
    alike : bool
        Whether samples were kept, and are all the same picture.
    """

    url: str
    seen: str
    word: str
    said: str
    verdict: str
    curves: Callable[[Time], Mapping[str, Curve]]
    rules: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()
    cause: str = ""
    config: str = ""
    rows: int = 400
    every: int = 100
    differs: str = ""
    wrong: str = ""
    alike: bool = False


THREADS: list[Thread] = []


def thread(
    url: str, seen: str, word: str, said: str, verdict: str, **more: object
) -> Callable[[object], object]:
    """Enter a thread whose curves the decorated function draws."""

    def enter(curves: object) -> object:
        THREADS.append(Thread(url, seen, word, said, verdict, curves, **more))  # type: ignore[arg-type]
        return curves

    return enter


# ---------------------------------------------------------------- D has won


@thread(
    GITHUB + "BadourAlBahar/pose-with-style/issues/23",
    "D 0.001, G 5 to 11",
    "real pictures had padding that G cannot make: a cue for D",
    "sick",
    "found",
    rules=("d-wins-late",),
)
def _(x: Time) -> Mapping[str, Curve]:
    return {"d_loss": x.falls(1.3, 0.001, 20) * x.jitter(0.3), "g_loss": 5 + 6 * x.t + x.noise(0.4)}


def cyclegan(x: Time, d: Curve, g: Curve, cycle: Curve) -> Mapping[str, Curve]:
    return {
        "D_A": d * x.jitter(0.3),
        "G_A": g + x.noise(0.03),
        "cycle_A": cycle * x.jitter(0.05),
        "idt_A": cycle / 2,
        "D_B": d * x.jitter(0.3),
        "G_B": g + x.noise(0.03),
        "cycle_B": cycle * x.jitter(0.05),
        "idt_B": cycle / 2,
    }


@thread(
    GITHUB + CYCLEGAN + "858",
    "D 0.001 after three epochs, pictures bad",
    "a stronger G, or a reduced D",
    "sick",
    "found",
    rules=("d-wins-late",),
)
def _(x: Time) -> Mapping[str, Curve]:
    return cyclegan(x, x.falls(0.3, 0.001, 25), 1 - 0.6 * np.exp(-20 * x.t), x.falls(2, 0.9, 20))


@thread(
    GITHUB + CYCLEGAN + "858#the-cycle-loss-still-falls",
    "the same, while the cycle loss still falls",
    "the same",
    "sick",
    "found",
    rules=("adversarial-part-idle",),
)
def _(x: Time) -> Mapping[str, Curve]:
    return cyclegan(x, x.falls(0.3, 0.001, 25), 1 - 0.6 * np.exp(-20 * x.t), x.falls(2, 0.4, 2))


@thread(
    GITHUB + CYCLEGAN + "806",
    "D almost 0 for a while",
    "training might have collapsed",
    "sick",
    "found",
    rules=("d-wins-late",),
)
def _(x: Time) -> Mapping[str, Curve]:
    return cyclegan(
        x, x.then(0.35, 0.2, 0.004), x.then(0.35, 0.35, 0.98), x.then(0.35, x.falls(2, 0.8), 0.9)
    )


@thread(
    GITHUB + "junyanz/CycleGAN/issues/126",
    "D_X_loss 3.28e-05",
    "too small: D is winning easily",
    "sick",
    "found",
    rules=("d-wins-late",),
)
def _(x: Time) -> Mapping[str, Curve]:
    return {
        "D_X_loss": x.falls(0.25, 3.28e-5, 15) * x.jitter(0.3),
        "D_Y_loss": x.falls(0.25, 0.001, 15) * x.jitter(0.3),
        "G_loss": x.falls(2, 1.0, 15) + x.noise(0.03),
        "F_loss": x.falls(2, 0.97, 15) + x.noise(0.03),
    }


@thread(
    GITHUB + CYCLEGAN + "1599",
    "at epoch 78 D drops to 0, G rises from 0.2 to 1 or 2, cycle_A jumps, pictures are black",
    "no fix was given",
    "sick",
    "found",
    rules=("d-wins-late", "reconstruction-lost"),
)
def _(x: Time) -> Mapping[str, Curve]:
    return cyclegan(
        x, x.then(0.39, 0.22, 0.001), x.then(0.39, 0.25, 1.3), x.then(0.39, x.falls(2, 0.6), 1.7)
    )


@thread(
    GITHUB + "onejiin/CycleGAN-VC2/issues/5",
    "D 0.000",
    "learning will not proceed; change the rate",
    "sick",
    "found",
    rules=("d-repeats",),
)
def _(x: Time) -> Mapping[str, Curve]:
    return {
        "d_loss": np.round(x.falls(0.25, 0, 40), 3),
        "g_loss": x.falls(6, 4.2, 12) * x.jitter(0.03),
    }


@thread(
    "https://datascience.stackexchange.com/questions/104930",
    "D 1e-4, G 5 to 10 and more, D right about everything from the first epochs",
    "D dominates",
    "sick",
    "found",
    rules=("d-accuracy-at-one", "d-wins-late"),
)
def _(x: Time) -> Mapping[str, Curve]:
    acc = np.minimum(1, 0.9 + 3 * x.t)
    return {
        "d_loss": x.falls(0.3, 1e-4, 30) * x.jitter(0.2),
        "g_loss": 5 + 5.5 * x.t + x.noise(0.5),
        "d_acc_real": acc,
        "d_acc_fake": acc,
    }


@thread(
    GITHUB + "jik876/hifi-gan/issues/100",
    "after 600,000 steps D below 0.1, G's part above 1.0",
    "is D too strong? nobody answered",
    "unclear",
    "healthy",
)
def _(x: Time) -> Mapping[str, Curve]:
    return {
        "training/d_loss": x.falls(2, 0.08, 9) * x.jitter(0.1),
        "training/g_adv_loss": x.falls(0.3, 1.1) + x.noise(0.05),
        "training/mel_spec_error": x.falls(0.9, 0.2, 3) * x.jitter(0.02),
    }


@thread(
    GITHUB + "jik876/hifi-gan/issues/100#with-feature-matching",
    "the same, with the feature-matching loss logged beside the mel error",
    "the same",
    "unclear",
    "healthy",
)
def _(x: Time) -> Mapping[str, Curve]:
    return {
        "training/d_loss": x.falls(2, 0.08, 9) * x.jitter(0.1),
        "training/g_adv_loss": x.falls(0.3, 1.1) + x.noise(0.05),
        "training/fm_loss": (1 + 9 * x.t) * x.jitter(0.03),
        "training/mel_spec_error": x.falls(0.9, 0.2, 3) * x.jitter(0.02),
    }


# ---------------------------------------------------------------- another loss leads G


@thread(
    GITHUB + "jik876/hifi-gan/issues/17",
    "G 8.6 and D 4.5, both flat",
    "judge by the mel error; these are not meant to fall",
    "fine",
    "inconclusive",
    every=1000,
)
def _(x: Time) -> Mapping[str, Curve]:
    return {
        "training/gen_loss_total": 8.6 + x.noise(0.3),
        "training/disc_loss_total": 4.5 + x.noise(0.1),
        "training/mel_spec_error": x.falls(0.9, 0.25, 2) * x.jitter(0.02),
    }


@thread(
    GITHUB + "Lornatang/SRGAN-PyTorch/issues/46",
    "D(HR) 1 and D(SR) 0 in all epochs",
    "so it is here; wait patiently",
    "fine",
    "healthy",
    every=1,
)
def _(x: Time) -> Mapping[str, Curve]:
    return {
        "D(HR)": 1 - 0.4 * np.exp(-40 * x.t),
        "D(SR)": 0.4 * np.exp(-40 * x.t),
        "D_loss": x.falls(1.2, 0.002, 40),
        "Adversarial_loss": 6 + x.noise(0.3),
        "Content_loss": x.falls(0.5, 0.05, 2),
        "PSNR": x.falls(22, 29, 2) + x.noise(0.1),
    }


@thread(
    GITHUB + "krasserm/super-resolution/issues/45",
    "D low; the content loss weighs a thousand times D's part",
    "fine",
    "fine",
    "healthy",
)
def _(x: Time) -> Mapping[str, Curve]:
    return {
        "discriminator_loss": x.falls(1.3, 0.05, 15) * x.jitter(0.3),
        "generator_loss": 5 + x.noise(0.3),
        "content_loss": x.falls(0.12, 0.045, 2) * x.jitter(0.02),
    }


@thread(
    GITHUB + "leftthomas/SRGAN/issues/31",
    "D(x) and D(G(z)) near 1, D's loss near 1",
    "not wrong: its level means nothing",
    "fine",
    "healthy",
    every=1,
    rows=100,
)
def _(x: Time) -> Mapping[str, Curve]:
    real, fake = 1 - 0.4 * np.exp(-30 * x.t), 1 - 0.6 * np.exp(-30 * x.t)
    return {
        "Loss_D": 1 - real + fake,
        "Loss_G": x.falls(0.02, 0.004),
        "Score_D": real,
        "Score_G": fake,
        "PSNR": x.falls(20, 27, 3) + x.noise(0.1),
        "SSIM": x.falls(0.6, 0.8, 3),
    }


@thread(
    GITHUB + "leftthomas/SRGAN/issues/152",
    "the same, in fifteen epochs without PSNR",
    "first train G for pixels alone",
    "unclear",
    "inconclusive",
    every=1,
    rows=15,
)
def _(x: Time) -> Mapping[str, Curve]:
    return {
        "Loss_D": 1 + x.noise(1e-4),
        "Loss_G": x.falls(0.02, 0.009),
        "Score_D": 1 + 0 * x.t,
        "Score_G": 1 + x.noise(1e-4),
    }


@thread(
    GITHUB + "XPixelGroup/BasicSR/issues/215",
    "PSNR 14, then 12",
    "no structure is left, smooth planes",
    "sick",
    "found",
    rules=("fidelity-lost",),
)
def _(x: Time) -> Mapping[str, Curve]:
    return {
        "l_g_pix": x.falls(0.2, 0.1) * x.jitter(0.05),
        "l_g_gan": 0.7 + x.noise(0.05),
        "l_d_real": 0.69 + x.noise(0.02),
        "l_d_fake": 0.69 + x.noise(0.02),
        "psnr": x.then(0.3, 11 + 10 * x.t, 12) + x.noise(0.05),
    }


@thread(
    GITHUB + "XPixelGroup/BasicSR/issues/117",
    "the GAN loss changes abruptly",
    "usually there are problems; look at the validation pictures",
    "sick",
    "found",
    rules=("fidelity-lost", "d-wins-late"),
)
def _(x: Time) -> Mapping[str, Curve]:
    return {
        "l_g_pix": x.then(0.45, x.falls(0.1, 0.03), 0.07) * x.jitter(0.05),
        "l_g_gan": x.then(0.45, 1.0, 9.0) * x.jitter(0.1),
        "l_d_real": x.then(0.45, 0.5, 0.002) * x.jitter(0.2),
        "l_d_fake": x.then(0.45, 0.5, 0.002) * x.jitter(0.2),
        "psnr": x.then(0.45, 24 + 6 * x.t, 21) + x.noise(0.2),
    }


# ---------------------------------------------------------------- critics


@thread(
    GITHUB + "igul222/improved_wgan_training/issues/17",
    "G's loss wanders",
    "it means nothing by itself; the critic's is the one",
    "fine",
    "healthy",
    config="loss: wgan-gp\nlambda_gp: 10\n",
)
def _(x: Time) -> Mapping[str, Curve]:
    return {
        "d_loss": -x.falls(20, 3) + x.noise(0.3),
        "g_loss": 26 + 150 * x.t + 15 * np.sin(9 * x.t) + x.noise(2),
    }


@thread(
    GITHUB + "handspeaker/gan_practice/issues/1",
    "WGAN-GP on MNIST: D -2000, G +1000",
    "look at the samples, ignore the loss",
    "unclear",
    "found",
    rules=("critic-loss-in-the-hundreds",),
    config="loss: wgan-gp\nlambda_gp: 10\n",
    differs="nobody calls the samples good, and between digits in [-1, 1] a 1-Lipschitz critic "
    "finds 56 at most",
)
def _(x: Time) -> Mapping[str, Curve]:
    return {
        "d_loss": -x.falls(20, 2000, 3) * x.jitter(0.05),
        "g_loss": x.falls(0, 1000, 3) * x.jitter(0.05),
    }


@thread(
    GITHUB + "martinarjovsky/WassersteinGAN/issues/77",
    "WGAN-GP in three dimensions: G 1e7, D -1e6",
    "it explodes",
    "sick",
    "found",
    rules=("loss-explodes",),
    config="loss: wgan-gp\nlambda_gp: 10\n",
)
def _(x: Time) -> Mapping[str, Curve]:
    return {
        "d_loss": -5 * np.exp(12.2 * x.t) * x.jitter(0.1),
        "g_loss": 5 * np.exp(14.5 * x.t) * x.jitter(0.1),
    }


@thread(
    GITHUB + "sdv-dev/SDV/issues/812",
    "CTGAN: D swings about 0, G goes below zero",
    "D finds it hard to tell them apart: no bad thing",
    "fine",
    "inconclusive",
    every=1,
    rows=300,
)
def _(x: Time) -> Mapping[str, Curve]:
    return {
        "Generator Loss": x.falls(1.5, -1.2, 4) + x.noise(0.2),
        "Discriminator Loss": x.noise(0.25),
    }


@thread(
    GITHUB + "sdv-dev/CTGAN/issues/28",
    "both losses negative",
    "normal for this loss",
    "fine",
    "healthy",
    every=1,
    rows=300,
)
def _(x: Time) -> Mapping[str, Curve]:
    return {
        "loss_g": x.falls(0.8, -0.9, 5) + x.noise(0.15),
        "loss_d": -x.falls(1.5, 0.2, 5) + x.noise(0.08),
    }


@thread(
    "https://newbe.dev/index.php/wasserstein-loss-can-be-negative",
    "negative Wasserstein losses",
    "normal",
    "fine",
    "healthy",
    config="loss: wasserstein\nclip_value: 0.01\n",
)
def _(x: Time) -> Mapping[str, Curve]:
    return {
        "critic_loss": -x.falls(1.2, 0.15, 5) * x.jitter(0.1),
        "generator_loss": 0.3 - 0.8 * x.t + x.noise(0.05),
    }


@thread(
    GITHUB + "tensorflow/tensorflow/issues/48662",
    "WGAN-GP in mixed precision: the loss scale falls to 1",
    "unstable",
    "sick",
    "healthy",
    config="loss: wgan-gp\nlambda_gp: 10\nmixed_precision: true\n",
    risks=("penalty-in-mixed-precision",),
    differs="the loss scale is no signal of ours; as long as the losses hold, the setting is a "
    "risk, no finding",
)
def _(x: Time) -> Mapping[str, Curve]:
    return {
        "d_loss": -x.falls(8, 3) * x.jitter(0.4),
        "g_loss": 3 * x.t + x.noise(0.8),
        "loss_scale": np.maximum(2.0 ** np.floor(15 - 60 * x.t), 1),
    }


@thread(
    GITHUB + "tensorflow/tensorflow/issues/48662#it-breaks",
    "the same, until a loss is NaN",
    "unstable",
    "sick",
    "found",
    config="loss: wgan-gp\nlambda_gp: 10\nmixed_precision: true\n",
    rules=("nan-in-loss",),
    risks=("penalty-in-mixed-precision",),
    cause="half-precision-overflow",
)
def _(x: Time) -> Mapping[str, Curve]:
    broken = x.then(0.5, 0.0, np.nan)
    return {
        "d_loss": -x.falls(8, 3) * x.jitter(0.4) + broken,
        "g_loss": 3 * x.t + x.noise(0.8) + broken,
    }


# ---------------------------------------------------------------- StyleGAN


def stylegan(x: Time, d: Curve, g: Curve, fid: Curve, **more: Curve) -> Mapping[str, Curve]:
    return {
        "Loss/D/loss": d,
        "Loss/G/loss": g,
        "Loss/scores/real": 0.5 + x.noise(0.1),
        "Loss/scores/fake": -0.5 + x.noise(0.1),
        "Metrics/fid50k_full": fid,
        **more,
    }


@thread(
    GITHUB + STYLEGAN + "159",
    "FID from 7.8 to between 300 and 500 at 6,600 kimg; D's loss jumps, G's drops",
    "lower the rate",
    "sick",
    "found",
    rules=("quality-collapsed",),
    rows=200,
    every=66,
)
def _(x: Time) -> Mapping[str, Curve]:
    fid = x.then(0.5, x.falls(200, 7.8, 12), 380) * x.jitter(0.04)
    return stylegan(
        x, x.then(0.5, 0.9, 2.4) * x.jitter(0.05), x.then(0.5, 1.1, 0.2) * x.jitter(0.05), fid
    )


@thread(
    GITHUB + "NVlabs/stylegan3/issues/29",
    "FID stuck between 40 and 50",
    "lower the rate",
    "unclear",
    "healthy",
    rows=200,
    every=66,
)
def _(x: Time) -> Mapping[str, Curve]:
    return stylegan(
        x, 0.9 * x.jitter(0.05), 1.1 * x.jitter(0.05), x.falls(250, 45, 15) * x.jitter(0.03)
    )


@thread(
    GITHUB + STYLEGAN + "175",
    "the strength of augmentation is 21.8",
    "it has no upper bound; augmentations leak",
    "sick",
    "healthy",
    risks=("augmentation-saturated",),
    rows=200,
    every=66,
    differs="that D overfits is a risk as long as FID holds: whether samples suffer, FID or "
    "pictures tell",
)
def _(x: Time) -> Mapping[str, Curve]:
    fid = x.falls(200, 60, 10) * x.jitter(0.03)
    return stylegan(
        x, 0.8 * x.jitter(0.05), 1.4 * x.jitter(0.05), fid, **{"Progress/augment": 21.8 * x.t}
    )


@thread(
    GITHUB + "NVlabs/stylegan2-ada/issues/27",
    "the strength of augmentation is near 10, and D pulls away",
    "D and G are out of balance",
    "sick",
    "found",
    rules=("d-wins-late",),
    risks=("augmentation-saturated",),
    rows=200,
    every=66,
)
def _(x: Time) -> Mapping[str, Curve]:
    d, g = x.falls(1.3, 0.08, 12) * x.jitter(0.05), (1 + 6 * x.t) * x.jitter(0.05)
    fid = x.then(0.3, x.falls(200, 60, 10), 140) * x.jitter(0.03)
    return stylegan(x, d, g, fid, **{"Progress/augment": 10 * x.t})


@thread(
    GITHUB + "wpeebles/gangealing/issues/26",
    "StyleGAN2-ADA with batches of 4 collapsed",
    "batches of 32",
    "sick",
    "found",
    config="batch_size: 4\n",
    rules=("quality-collapsed",),
    cause="batch-too-small",
    rows=200,
    every=66,
)
def _(x: Time) -> Mapping[str, Curve]:
    fid = x.then(0.35, x.falls(200, 40, 12), 150) * x.jitter(0.04)
    return stylegan(x, 1.1 * x.jitter(0.2), 0.9 * x.jitter(0.2), fid)


@thread(
    GITHUB + "rosinality/stylegan2-pytorch/issues/210",
    "NaN within ten steps; R1 and path length become infinite",
    "batches of 4 are too few for the path penalty; lower the rate",
    "sick",
    "found",
    rules=("nan-in-loss",),
    config="batch: 4\nlr: 0.002\nr1: 10\n",
    rows=20,
    every=1,
)
def _(x: Time) -> Mapping[str, Curve]:
    broken, infinite = x.then(0.5, 0.0, np.nan), x.then(0.5, 0.0, np.inf)
    return {
        "d_loss": 1.4 + broken,
        "g_loss": 0.7 + broken,
        "r1_loss": np.exp(40 * x.t) + infinite,
        "path_loss": np.exp(30 * x.t) + infinite,
    }


# ---------------------------------------------------------------- chance, and what looks like it


@thread(
    GITHUB + "SHI-Labs/StyleNAT/issues/11",
    "logistic D at 1.39, G falls slowly",
    "D is at chance",
    "fine",
    "inconclusive",
)
def _(x: Time) -> Mapping[str, Curve]:
    return {
        "d_loss": x.falls(1.1, 1.39, 10) + x.noise(0.01),
        "g_loss": x.falls(1.2, 0.68, 3) + x.noise(0.01),
    }


@thread(
    GITHUB + "HyperGAN/HyperGAN/issues/177",
    "G 0, D exactly 0.5, the same picture again and again",
    "mode collapse",
    "sick",
    "found",
    rules=("losses-frozen",),
)
@thread(
    GITHUB + "HyperGAN/HyperGAN/issues/177#the-pictures-were-kept",
    "the same, with its pictures beside the log",
    "mode collapse",
    "sick",
    "found",
    rules=("sample-variance-vanishes", "losses-frozen"),
    alike=True,
)
def _(x: Time) -> Mapping[str, Curve]:
    return {
        "d_loss": x.then(0.2, 0.35 + x.noise(0.05), 0.5),
        "g_loss": x.then(0.2, 0.3 + x.noise(0.05), 0.0),
    }


@thread(
    GITHUB + "Megum1/DFST/issues/4",
    "D 0.5, right about half, G 0",
    "it shall be fine",
    "fine",
    "found",
    rules=("losses-frozen",),
    differs="these are the constants of a least-squares D that calls all real; a healthy D "
    "jitters, and G is not at 0",
)
def _(x: Time) -> Mapping[str, Curve]:
    return {
        "d_loss": x.then(0.1, 0.45 + x.noise(0.05), 0.5),
        "d_acc": x.then(0.1, 0.6 + x.noise(0.05), 0.5),
        "g_adv_loss": x.then(0.1, 0.2 + x.noise(0.03), 0.0),
    }


@thread(
    GITHUB + "POSTECH-CVLab/PyTorch-StudioGAN/issues/209",
    "D near 1.0 and G near 0.69 in old logs",
    "the loss took log sigmoid(1 - D) for log sigmoid(-D), so chance is 1.006",
    "fine",
    "healthy",
)
def _(x: Time) -> Mapping[str, Curve]:
    return {"Discriminator_loss": 1.006 + x.noise(0.03), "Generator_loss": 0.69 + x.noise(0.03)}


# ---------------------------------------------------------------- the tests


def examined(case: Thread, folder: Path, seed: int = SEED) -> diagnose.Examination:
    """Write the log, and the config where there is one, and examine them."""
    curves = dict(case.curves(Time(case.rows, seed)))
    lines = [",".join(["step", *curves])]
    lines += [
        ",".join([str(i * case.every), *(f"{c[i]:.8g}" for c in curves.values())])
        for i in range(case.rows)
    ]
    (folder / "metrics.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    if case.config:
        (folder / "config.yaml").write_text(case.config, encoding="utf-8")
    if case.alike:
        keep_samples(folder / "samples", last=case.rows * case.every)
    (raw,) = parsers.discover(folder)
    return diagnose.examine(api.understand(raw, WORDS, api.Options(use_preferences=False)), BOOK)


def keep_samples(folder: Path, last: int) -> None:
    """Real pictures, and ten looks at samples that become one and the same."""
    rng = np.random.default_rng(1)
    folder.mkdir()
    np.save(folder / "real.npy", rng.uniform(-1, 1, (128, 8, 8)))
    for look in range(10):
        fake = np.repeat(rng.uniform(-1, 1, (1, 8, 8)), 128, axis=0) + 0.3 * (
            look < 1
        ) * rng.standard_normal((128, 8, 8))
        np.save(folder / f"fake_{(look + 1) * last // 10:06d}.npy", fake)


def name(case: Thread) -> str:
    return re.sub(r"^https://(github\.com/)?", "", case.url).replace("/issues/", "-")


def trial(case: Thread) -> object:
    marks = [pytest.mark.xfail(reason=case.wrong, strict=True)] if case.wrong else []
    return pytest.param(case, id=name(case), marks=marks)


@pytest.mark.parametrize("case", [trial(c) for c in THREADS])
def test_what_we_say(case: Thread, tmp_path: Path) -> None:
    seen = examined(case, tmp_path)
    found = {f.rule for f in seen.findings}
    if case.verdict == "found":
        assert set(case.rules) <= found, seen.why_verdict
        # What a rule on trial finds decides nothing.
        stable = any(f.status == "stable" for f in seen.findings)
        assert seen.verdict in ("failing", "warning") or not stable
    else:
        assert (seen.verdict, found) == (case.verdict, set())
    assert set(case.risks) <= {r.rule for r in seen.risks}
    if case.cause:
        assert seen.diagnoses[0].cause == case.cause


def agreed(case: Thread) -> bool | None:
    """Whether we are of one mind with them.

    None where they do not say, or the log is too short to.
    """
    if case.said == "unclear" or case.verdict == "inconclusive":
        return None
    return (case.said == "sick") == (case.verdict == "found")


@pytest.mark.parametrize("case", THREADS, ids=name)
def test_the_page_says_the_same(case: Thread) -> None:
    assert (agreed(case) is not False) or case.differs
    (row,) = (line for line in PAGE.splitlines() if f"({case.url})" in line)
    assert all(
        part in row for part in (case.verdict, case.seen, case.word, case.differs, case.wrong)
    )
    names = (*case.rules, *case.risks, *((case.cause,) if case.cause else ()))
    assert all(f"/{id_}.md)" in row for id_ in names)
