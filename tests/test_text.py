"""Printed logs: every shape of line that GAN code bases print, and what must not be taken for one.

A shape is a template with counters (``{e}`` epoch from 0, ``{e1}`` from 1, ``{b}`` batch of 50,
``{n}`` iteration) and four random values (``{p}`` to ``{s}``); twelve records of it are printed and
have to come back to the last digit.
"""

from __future__ import annotations

import json
import random
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from gandoctor import vocabulary
from gandoctor.configs.printed import parse_namespace
from gandoctor.errors import GandoctorError
from gandoctor.model.signals import Signal
from gandoctor.parsers import read_log
from gandoctor.parsers.formats import notebook, text
from gandoctor.parsers.printed.engine import read_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from gandoctor.model.signals import Reading

VOCABULARY = vocabulary.load([Path(__file__).parents[1] / "rules"])
RECORDS = 12
PER_EPOCH = 4
BATCHES = 50


def by_batch(k: int) -> int:
    return k // PER_EPOCH * BATCHES + k % PER_EPOCH * 10


def by_iteration(k: int) -> int:
    return 100 * (k + 1)


def by_epoch(k: int) -> int:
    return k + 1


def by_record(k: int) -> int:
    return k


@dataclass(frozen=True)
class Shape:
    template: str
    tags: dict[str, str]  # tag -> field of the template; a leading % is a percentage
    step: Callable[[int], int] = by_iteration
    unit: str = "iterations"
    also: dict[str, str] = field(default_factory=dict)


SHAPES = {
    "dcgan": Shape(
        "[{e}/25][{b}/50]\tLoss_D: {p}\tLoss_G: {q}\tD(x): {r}\tD(G(z)): {s} / {p}",
        {"Loss_D": "p", "Loss_G": "q", "D(x)": "r", "D(G(z))": "s", "D(G(z)) (2)": "p"},
        by_batch,
    ),
    "pytorch-gan": Shape(
        "[Epoch {e}/200] [Batch {b}/50] [D loss: {p}, acc: {r}%] [G loss: {q}, pixel: {s}, adv: "
        "{p}] ETA: 1:02:03.1234",
        {"D loss": "p", "D acc": "%r", "G loss": "q", "G pixel": "s", "G adv": "p"},
        by_batch,
    ),
    "pytorch-gan, names twice": Shape(
        "[Epoch {e}/200] [Batch {b}/50] [D adv: {p}, aux: {q}] [G loss: {r}, adv: {s}, aux: {p}, "
        "cycle: {q}]",
        {"D adv": "p", "D aux": "q", "G loss": "r", "G adv": "s", "G aux": "p", "G cycle": "q"},
        by_batch,
    ),
    "bicyclegan": Shape(
        "[Epoch {e}/200] [Batch {b}/50] [D VAE_loss: {p}, LR_loss: {q}] [G loss: {r}, kl: {s}] "
        "ETA: 0:10:00",
        {"D VAE_loss": "p", "D LR_loss": "q", "G loss": "r", "G kl": "s"},
        by_batch,
    ),
    "began": Shape(
        "[Epoch {e}/200] [Batch {b}/50] [D loss: {p}] [G loss: {q}] -- M: {r}, k: {s}",
        {"D loss": "p", "G loss": "q", "M": "r", "k": "s"},
        by_batch,
    ),
    "cyclegan": Shape(
        "(epoch: {e1}, iters: {b10}, time: 0.324, data: 0.231) D_A: {p} G_A: {q} cycle_A: {r} "
        "idt_B: {s} ",
        {"D_A": "p", "G_A": "q", "cycle_A": "r", "idt_B": "s"},
        lambda k: k // PER_EPOCH * 40 + k % PER_EPOCH * 10 + 10,
    ),
    "combogan": Shape(
        "(epoch: {e1}, iters: {b10}, time: 0.291) D: {p}, {q} | G: {r}, {s} | Cyc: {p}, {q} | ",
        {"D[0]": "p", "D[1]": "q", "G[0]": "r", "G[1]": "s", "Cyc[1]": "q"},
        lambda k: k // PER_EPOCH * 40 + k % PER_EPOCH * 10 + 10,
    ),
    "studiogan": Shape(
        "[INFO] 2021-02-22 09:14:32 > Step:  {n,} Progress: 26.8% Elapsed: 1 day, 11:59:01 "
        "temperature: {r} ada_p: No "
        "Discriminator_loss: {p} Generator_loss: {q} \n"
        "[INFO] 2021-02-22 09:14:33 > FID score (Step: {n}, Using test moments): {s}\n"
        "[INFO] 2021-02-22 09:14:33 > Best FID score (Step: 100, Using test moments): 49.5",
        {"Discriminator_loss": "p", "Generator_loss": "q", "temperature": "r", "FID score": "s"},
    ),
    "lightning": Shape(
        "Epoch {e}:  50%|█████     | {b}/50 [00:12<00:12,  9.80it/s, loss=0.693, v_num=0, "
        "g_loss={p}, d_loss={q}]",
        {"g_loss": "p", "d_loss": "q"},
        by_batch,
    ),
    "hugging face": Shape(
        "{{'loss': {p}, 'd_loss': {q}, 'learning_rate': 5e-05, 'epoch': {k1}.0}}",
        {"loss": "p", "d_loss": "q"},
        by_epoch,
        "epochs",
    ),
    "mm": Shape(
        "2021-05-01 12:00:00,123 - mmgen - INFO - Iter [{n}/300000]\tlr_generator: 1.000e-04, eta: "
        "1 day, 2:03:04, "
        "time: 0.312, data_time: 0.012, memory: 5120, loss_disc_fake: {p}, loss_gen: {q}",
        {"loss_disc_fake": "p", "loss_gen": "q"},
    ),
    "fairseq": Shape(
        '2021-05-01 12:00:00 | INFO | train_inner | {{"epoch": {e1}, "d_loss": "{p}", "g_loss": '
        '"{q}", '
        '"num_updates": "{n}"}}',
        {"d_loss": "p", "g_loss": "q"},
    ),
    "coqui": Shape(
        "\x1b[1m   --> STEP: {b}/50 -- GLOBAL_STEP: {n}\x1b[0m\n"
        "     | > loss_disc: {p}  \x1b[92m({q})\x1b[0m\n"
        "     | > loss_gen: {r}  ({s})",
        {"loss_disc": "p", "loss_gen": "r"},
    ),
    "parallel wavegan": Shape(
        "2020-05-01 12:00:00,123 (train:512) INFO: (Steps: {n}) train/discriminator_loss = {p}.\n"
        "2020-05-01 12:00:00,123 (train:512) INFO: (Steps: {n}) train/adversarial_loss = {q}.",
        {"train/discriminator_loss": "p", "train/adversarial_loss": "q"},
    ),
    "hifi-gan": Shape(
        "Steps : {n}, Gen Loss Total : {p}, Mel-Spec. Error : {q}, s/b : 0.512",
        {"Gen Loss Total": "p", "Mel-Spec. Error": "q"},
    ),
    "basicsr": Shape(
        "[052_E..][epoch:  {e}, iter:   {n,}, lr:({p},)] [eta: 2 days, 3:00:00, time (data): 0.512 "
        "(0.003)] "
        "l_g_pix: {q} l_g_gan: {r} l_d_real: {s} ",
        {"lr": "p", "l_g_pix": "q", "l_g_gan": "r", "l_d_real": "s"},
    ),
    "vits": Shape(
        "2023-09-16 18:44:35,779\t32k\tINFO\tTrain Epoch: {e1} [56%]\n"
        "2023-09-16 18:44:35,783\t32k\tINFO\t[{p}, {q}, {r}, {s}, {p}, {n}, 0.0001]\n"
        "2023-09-16 18:44:36,783\t32k\tINFO\tSaving model and optimizer state at iteration {e1} to "
        "./logs\\G_0.pth",
        {
            "losses[0]/loss_disc": "p",
            "losses[1]/loss_gen": "q",
            "losses[3]/loss_mel": "s",
            "losses[4]/loss_kl": "p",
        },
    ),
    "so-vits, full-width": Shape(
        "2023-07-22 21:56:12,356\t44k\tINFO\t损失：[{p}, {q}, {r}, {s}, {p}]，步数：{n}，学习率：0.0001",
        {
            "损失[0]/loss_disc": "p",
            "损失[1]/loss_gen": "q",
            "损失[2]/loss_fm": "r",
            "损失[3]/loss_mel": "s",
        },
    ),
    "mimicry": Shape(
        "INFO: [Epoch {e1}/127][Global Step: {n}/100000] \n| D(G(z)): {p}\n| D(x): {q}\n| errD: "
        "{r}\n| errG: {s}\n"
        "| (0.0312 sec/idx)",
        {"D(G(z))": "p", "D(x)": "q", "errD": "r", "errG": "s"},
    ),
    "stackgan": Shape(
        "[{e}/120][{b}/50] Loss_D: {p} Loss_G: {q} Loss_KL: 0.03\n"
        "                     Loss_real: 0.5 Loss_wrong:{r} Loss_fake {s}\n"
        "                     Total Time: 61.20sec",
        {"Loss_D": "p", "Loss_G": "q", "Loss_wrong": "r", "Loss_fake": "s"},
        by_batch,
    ),
    "pix2pix-tensorflow": Shape(
        "progress  epoch {e1}  step {n}  image/sec 8.1  remaining 98m\n"
        "discrim_loss {p}\ngen_loss_GAN {q}\ngen_loss_L1 {r}",
        {"discrim_loss": "p", "gen_loss_GAN": "q", "gen_loss_L1": "r"},
    ),
    "stylegan": Shape(
        "tick {k}     kimg {n}.0      time 13m 25s      sec/tick 291.6   sec/kimg 72.89   gpumem "
        "4.27   "
        'augment {p}\n{{"results": {{"fid50k_full": {q}}}, "metric": "fid50k_full", "total_time": '
        "457.0, "
        '"snapshot_pkl": "network-snapshot-{n06}.pkl", "timestamp": 1653489051.6}}',
        {"augment": "p", "fid50k_full": "q"},
        unit="kimg",
    ),
    "stylegan's fid": Shape(
        "network-snapshot-{n06}        time 4m 32s       fid50k_full {p}",
        {"fid50k_full": "p"},
        unit="kimg",
    ),
    "ctgan": Shape(
        "Gen. (-{p}) | Discrim. ({q}):  10%|#         | {n}/3000 [00:12<01:52,  2.41it/s]",
        {"Gen.": "-p", "Discrim.": "q"},
    ),
    "sdv": Shape(
        "Epoch {k1}, Loss G:  {p},Loss D: -{q}", {"Loss G": "p", "Loss D": "-q"}, by_epoch, "epochs"
    ),
    "keras-gan": Shape(
        "{n} [D loss: {p}, acc.: {q}%] [G loss: {r}]",
        {"D loss": "p", "D acc.": "%q", "G loss": "r"},
    ),
    "machine learning mastery": Shape(
        ">{e1}, {b}/50, d1={p}, d2={q} g={r}", {"d1": "p", "d2": "q", "g": "r"}, by_batch
    ),
    "machine learning mastery, cyclegan": Shape(
        ">{n}, dA[{p},{q}] dB[{p},{q}] g[{r},{s}]",
        {"dA[0]": "p", "dA[1]": "q", "dB[1]": "q", "g[0]": "r", "g[1]": "s"},
    ),
    "keras": Shape(
        "{b}/50 [===========>..................] - ETA: 6s - d_loss: {p} - g_loss: {q}",
        {"d_loss": "p", "g_loss": "q"},
        by_batch,
    ),
    "yunjey": Shape(
        "Epoch [{e}/200], Step [{b}/50], d_loss: {p}, g_loss: {q}, D(x): {r}, D(G(z)): {s}",
        {"d_loss": "p", "g_loss": "q", "D(x)": "r", "D(G(z))": "s"},
        by_batch,
    ),
    "stargan": Shape(
        "Elapsed [0:00:12], Iteration [{n}/2000], D/loss_real: -{p}, D/loss_gp: {q}, G/loss_fake: "
        "{r}, G/loss_rec: {s}",
        {"D/loss_real": "-p", "D/loss_gp": "q", "G/loss_fake": "r", "G/loss_rec": "s"},
    ),
    "wassersteingan": Shape(
        "[{e}/25][{b}/50][{k}] Loss_D: -{p} Loss_G: {q} Loss_D_real: {r} Loss_D_fake {s}",
        {"Loss_D": "-p", "Loss_G": "q", "Loss_D_real": "r", "Loss_D_fake": "s"},
        by_batch,
    ),
    "biggan": Shape(
        "{b}/1563 (  0.06%) [ETA: 1:02:03] itr: {n}, G_loss : +{p}, D_loss_real : -{q}, "
        "D_loss_fake : +{r}",
        {"G_loss": "p", "D_loss_real": "-q", "D_loss_fake": "r"},
    ),
    "biggan's scores": Shape(
        "Itr {n}: PYTORCH UNOFFICIAL Inception Score is {p} +/- {q}, PYTORCH UNOFFICIAL FID is {r}",
        {"PYTORCH UNOFFICIAL Inception Score": "p", "PYTORCH UNOFFICIAL FID": "r"},
    ),
    "audiolm": Shape(
        "{n}: soundstream total loss: {p}, recon loss: {q} | discr (scale 1) loss: {r} | discr "
        "(scale 0.5) loss: {s}",
        {
            "soundstream total loss": "p",
            "recon loss": "q",
            "discr (scale 1) loss": "r",
            "discr (scale 0.5) loss": "s",
        },
    ),
    "imagenet meters": Shape(
        "Epoch: [{e}][{b}/50]\tTime 0.30 (0.31)\tData 0.1 (0.1)\tLoss_D {p} ({q})\tLoss_G {r} ({s})",
        {"Loss_D": "p", "Loss_G": "r"},
        by_batch,
    ),
    "mrzhu": Shape(
        "===> Epoch[{e1}]({b}/50): Loss_D: {p} Loss_G: {q}",
        {"Loss_D": "p", "Loss_G": "q"},
        by_batch,
    ),
    "convmesh": Shape(
        "[{n}] epoch {e}, {b}/50, g_loss {p} d_fake_loss {q} d_real_loss {r} flat {s}",
        {"g_loss": "p", "d_fake_loss": "q", "d_real_loss": "r", "flat": "s"},
        by_batch,
    ),
    "epoch, then a value a line": Shape(
        "Epoch {k1}/20\n----------\nDiscriminator loss: {p}\nGenerator loss: {q}\n",
        {"Discriminator loss": "p", "Generator loss": "q"},
        by_epoch,
        "epochs",
    ),
    "no colons": Shape("step {n} | D loss {p} | G loss {q}", {"D loss": "p", "G loss": "q"}),
    "owner first": Shape(
        "Epoch {k1} Discriminator: loss={p}, acc={q}; Generator: loss={r}",
        {"Discriminator loss": "p", "Discriminator acc": "q", "Generator loss": "r"},
        by_epoch,
        "epochs",
    ),
    "tensors in a dict": Shape(
        "{n} {{'d_loss': tensor({p}, device='cuda:0', grad_fn=<AddBackward0>), 'g_loss': "
        "tensor({q})}}",
        {"d_loss": "p", "g_loss": "q"},
    ),
    "estimator": Shape(
        "INFO:tensorflow:discriminator_loss = {p}, generator_loss = {q}, step = {n} (12.3 sec)",
        {"discriminator_loss": "p", "generator_loss": "q"},
    ),
    "absl": Shape(
        "I0501 12:00:00.123456 140 train.py:50] step {n}, d_loss {p}, g_loss {q}",
        {"d_loss": "p", "g_loss": "q"},
    ),
    "espnet": Shape(
        "[host] 2021-05-01 12:00:00,1 (trainer:653) INFO: {e1}epoch:train:1-{b10}batch: "
        "iter_time=0.1, "
        "generator_loss={p}, discriminator_loss={q}",
        {"generator_loss": "p", "discriminator_loss": "q"},
        lambda k: k // PER_EPOCH * 40 + k % PER_EPOCH * 10 + 10,
    ),
    "mnist example": Shape(
        "Train Epoch: {e1} [{b}/50 (2%)]\tLoss_D: {p}\tLoss_G: {q}",
        {"Loss_D": "p", "Loss_G": "q"},
        by_batch,
    ),
    "rosinality": Shape(
        "d: {p}; g: {q}; r1: {r}; path: 0.0021; mean path: {s}; augment: 0.0000",
        {"d": "p", "g": "q", "r1": "r", "mean path": "s"},
        by_record,
        "unknown",
    ),
    "lucidrains": Shape(
        "G: {p} | D: {q} | GP: {r} | FID: {s}",
        {"G": "p", "D": "q", "GP": "r", "FID": "s"},
        by_record,
        "unknown",
    ),
    "a list in brackets": Shape(
        "[0] [Epoch {e}/50] [Batch {b}/50] [D loss: {p}] [G loss: {q}] [C loss: [{r}, {s}]]",
        {"D loss": "p", "G loss": "q", "C loss[0]": "r", "C loss[1]": "s"},
        by_batch,
    ),
    "padded, two lines": Shape(
        "Epoch   {e1}/ 20\n"
        "      Iter  {b:>3}/  50 [1.7162s] \t D_loss: {p:>8} | G_loss: {q:>8} | D(G(z)): {r:>8} / "
        "{s:>8}",
        {"D_loss": "p", "G_loss": "q", "D(G(z))": "r", "D(G(z)) (2)": "s"},
        by_batch,
    ),
    "libtorch": Shape(
        "[ {e1}/30][ {b}/ 50] D_loss: {p} | G_loss: {q}\n\n-> checkpoint {k}\nCheckpoint!!",
        {"D_loss": "p", "G_loss": "q"},
        by_batch,
    ),
    "tqdm description": Shape(
        "Epoch {k1}:g_trn_l={p},d_trn_l=-{q}: 100%|█| 2500/2500 [17:29<00:00, 2.38",
        {"g_trn_l": "p", "d_trn_l": "-q"},
        by_epoch,
        "epochs",
    ),
    "elapsed": Shape(
        "Elapsed [15:40:05.799918] batch: {n}  d_loss: {p}  g_loss: {q}",
        {"d_loss": "p", "g_loss": "q"},
    ),
    "aladdin": Shape(
        "Epoch [{e}/5] Batch {b}/50 \\                   Loss D: {p}, loss G: {q}",
        {"Loss D": "p", "loss G": "q"},
        by_batch,
    ),
    "wiseodd": Shape("Iter: {n}\nD loss: {p}\nG_loss: {q}\n", {"D loss": "p", "G_loss": "q"}),
    "adversarial model": Shape(
        "{n}: [D loss: {p}, acc: {q}] [A loss: {r}, acc: {s}]",
        {"D loss": "p", "D acc": "q", "A loss": "r", "A acc": "s"},
    ),
    "a sentence": Shape(
        "After epoch {k1}, discriminator loss = {p} and generator loss = {q}",
        {"discriminator loss": "p", "generator loss": "q"},
        by_epoch,
        "epochs",
    ),
    "loguru": Shape(
        "2021-01-01 00:00:00.123 | INFO     | __main__:train:120 - Epoch {e} iter {n}: d_loss={p}, "
        "g_loss={q}",
        {"d_loss": "p", "g_loss": "q"},
    ),
    "bare players": Shape(
        "Epoch #{k1} -- D {p} -- G {q}", {"D": "p", "G": "q"}, by_epoch, "epochs"
    ),
    "units": Shape(
        "=> epoch {k1} | loss_d {p} | loss_g {q} | psnr {r}dB | 12.3s",
        {"loss_d": "p", "psnr": "r"},
        by_epoch,
        "epochs",
    ),
    "chinese": Shape(
        "第{k1}轮 判别器损失: {p} 生成器损失: {q}",
        {"判别器损失": "p", "生成器损失": "q"},
        by_epoch,
        "epochs",
    ),
    "counter last": Shape("D_loss:{p},G_loss:{q},step:{n}", {"D_loss": "p", "G_loss": "q"}),
    "logfmt": Shape(
        "ts=12:00:00 level=info step={n} d_loss={p} g_loss={q}", {"d_loss": "p", "g_loss": "q"}
    ),
}


def record(shape: Shape, k: int, rng: random.Random) -> tuple[str, dict[str, str]]:
    """Record number `k` as it is printed, and the printed values."""
    value = {c: f"{abs(rng.gauss(1.0, 0.3)) + 0.05:.4f}" for c in "pqrs"}
    b, n = k % PER_EPOCH * 10, by_iteration(k)
    template = shape.template.replace("{n,}", f"{n:,}").replace("{n06}", f"{n:06d}")
    return template.format(
        e=k // PER_EPOCH, e1=k // PER_EPOCH + 1, b=b, b10=b + 10, n=n, k=k, k1=k + 1, **value
    ), value


def printed(shape: Shape) -> tuple[str, list[dict[str, str]]]:
    rng = random.Random(7)
    records = [record(shape, k, rng) for k in range(RECORDS)]
    return "\n".join(r[0] for r in records) + "\n", [r[1] for r in records]


def expected(source: str, values: list[dict[str, str]]) -> list[float]:
    sign = -1.0 if source[0] == "-" else 0.01 if source[0] == "%" else 1.0
    return [sign * float(v[source[-1]]) for v in values]


def series(reading: Reading) -> dict[str, tuple[list[int], list[float]]]:
    return {s.tag: (s.steps.tolist(), s.values.tolist()) for s in reading.signals}


def of(*lines: str) -> Reading:
    return read_text("\n".join(lines) + "\n", "train")


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_of_line(name: str) -> None:
    shape = SHAPES[name]
    log, values = printed(shape)
    reading = read_text(log, "train")
    got = series(reading)
    for tag, source in shape.tags.items():
        assert tag in got, list(got)
        np.testing.assert_allclose(got[tag][1], expected(source, values), err_msg=tag, rtol=1e-12)
        first = got[tag][0][0] - shape.step(0)
        assert first in (0, BATCHES), "epochs may be counted from 0 or 1"
        assert got[tag][0] == [shape.step(k) + first for k in range(RECORDS)]
    assert reading.step_unit == shape.unit
    assert reading.lost is None


@pytest.mark.parametrize("name", SHAPES)
def test_clocks_counters_and_code_are_no_metrics(name: str) -> None:
    known = (
        "time",
        "data",
        "eta",
        "elapsed",
        "sec",
        "memory",
        "progress",
        "train.py",
        "tick",
        "best",
        "step",
        "batch",
    )
    tags = [t.lower() for t in series(read_text(printed(SHAPES[name])[0], "train"))]
    assert not [
        t
        for t in tags
        if t.strip("[]0123456789 ") in known or "epoch" in t or "iter" in t or "/sec" in t
    ]


@pytest.mark.parametrize("name", ["dcgan", "cyclegan", "coqui", "ctgan", "vits"])
@pytest.mark.parametrize("newline", ["\r\n", "\r"])
def test_newlines_do_not_matter(name: str, newline: str) -> None:
    log = printed(SHAPES[name])[0]
    assert series(read_text(log.replace("\n", newline), "train")) == series(read_text(log, "train"))


@pytest.mark.parametrize("name", ["pytorch-gan", "studiogan", "stylegan", "mimicry"])
def test_lines_of_something_else_do_not_matter(name: str) -> None:
    log, _ = printed(SHAPES[name])
    noise = [
        "Saving the model (epoch 3, total_iters 5000) to checkpoints/3_net_G.pth",
        "Loaded checkpoint './logs/G_0.pth' (iteration 1)",
        (
            "/usr/lib/python3.8/site-packages/torch/optim/lr_scheduler.py:143: UserWarning: Detected "
            "call of `step()`"
        ),
        "  warnings.warn('nothing', 12)",
        "100%|██████████| 9912422/9912422 [00:01<00:00, 8.1MB/s]",
        "Time taken: 34 sec",
        "",
    ]
    rng = random.Random(1)
    mixed = [x for line in log.splitlines() for x in (line, rng.choice(noise))]
    assert series(of(*noise, *mixed)) == series(read_text(log, "train"))


def test_a_progress_bar_that_is_drawn_again_counts_once() -> None:
    bars = "".join(
        f"\rGen. ({i}.5) | Discrim. (0.{i}):  10%|#    | {i // 3}/300 [00:12<01:52,  2.41it/s]"
        for i in range(1, 10)
    )
    got = series(read_text(bars + "\n", "train"))
    assert got["Gen."] == ([0, 1, 2, 3], [2.5, 5.5, 8.5, 9.5])


def test_bars_do_not_matter_however_often_they_are_drawn() -> None:
    bar = "{}%|{}| {}/90 [00:01<00:02, 5.1it/s, d_loss=1.{:02d}, g_loss=0.{:02d}]"
    rows = [(k, "#" * (k % 40), k, k, 99 - k) for k in range(90)]
    plain = "\n".join(bar.format(k, "", *rest) for k, _, *rest in rows)
    drawn = "".join("\r" + bar.format(*row) for row in rows)
    assert series(read_text(drawn, "train")) == series(read_text(plain, "train"))
    assert len(series(read_text(drawn, "train"))["d_loss"][0]) == 90


def test_nan_and_infinity() -> None:
    got = series(
        of(
            "step 1 d_loss: nan g_loss: 0.5",
            "step 2 d_loss: inf g_loss: -inf",
            "step 3 d_loss: 1e-8 g_loss: NaN",
        )
    )
    np.testing.assert_array_equal(got["d_loss"][1], [np.nan, np.inf, 1e-8])
    np.testing.assert_array_equal(got["g_loss"][1], [0.5, -np.inf, np.nan])


def test_validation_is_kept_apart() -> None:
    reading = of(
        *(
            f"{part} Epoch: {e} d_loss: {e}.{i} g_loss: 0.5"
            for e in (1, 2)
            for i, part in enumerate(("Train", "Val"))
        )
    )
    assert {(s.tag, s.split): s.values.tolist() for s in reading.signals if s.tag == "d_loss"} == {
        ("d_loss", ""): [1.0, 2.0],
        ("d_loss", "val"): [1.1, 2.1],
    }


def test_names_with_numbers_that_vary() -> None:
    got = series(of(*(f"step {k} disc (scale {s}) loss: {k}.{s}" for k in (1, 2) for s in (1, 2))))
    assert got["disc (scale 1) loss"] == ([1, 2], [1.1, 2.1])
    assert got["disc (scale 2) loss"] == ([1, 2], [1.2, 2.2])


def test_one_metric_a_file(tmp_path: Path) -> None:
    path = tmp_path / "G_loss.log"
    path.write_text("100: 0.812\n101: -0.9\n102: 1e-3\n")
    assert series(text.read(path)) == {"G_loss": ([100, 101, 102], [0.812, -0.9, 1e-3])}


# ---------------------------------------------------------------- restarts


def pix2pix(epochs: range, header: bool = True) -> list[str]:
    head = (
        ["================ Training Loss (Thu Sep  1 21:31:13 2022) ================"]
        if header
        else []
    )
    return head + [
        f"(epoch: {e}, iters: {i}, time: 0.1, data: 0.2) D_real: 0.{e} G_GAN: {i}.5 "
        for e in epochs
        for i in (100, 200)
    ]


def test_a_second_training_is_put_behind_the_first() -> None:
    reading = of(*pix2pix(range(1, 4)), *pix2pix(range(1, 3)))
    assert series(reading)["G_GAN"][0] == [100 * k for k in range(1, 11)]
    assert "2 trainings" in reading.notes[0]


def test_a_header_tells_of_a_training_that_got_no_further() -> None:
    reading = of(*pix2pix(range(1, 2))[:2], *pix2pix(range(1, 2))[:2], *pix2pix(range(1, 2)))
    assert series(reading)["G_GAN"][0] == [100, 200, 300, 400]
    assert "3 trainings" in reading.notes[0]


def test_a_resume_writes_again_what_came_before() -> None:
    steps = [*range(100, 10_100, 100), *range(9_800, 12_000, 100)]
    reading = of(*(f"Step: {s} d_loss: {k}.0 g_loss: 0.5" for k, s in enumerate(steps)))
    found, values = series(reading)["d_loss"]
    assert found == list(range(100, 12_000, 100))
    assert values[96:98] == [96.0, 100.0]
    assert "resumed" in reading.notes[0]


def test_a_score_of_an_earlier_checkpoint_is_no_restart() -> None:
    lines = [f"Step: {s} d_loss: 0.5 g_loss: 0.6" for s in range(100, 2100, 100)]
    reading = of(*lines, "FID score (Step: 1000): 30.5", "FID score (Step: 2000): 31.5")
    assert not reading.notes
    assert series(reading)["FID score"] == ([1000, 2000], [30.5, 31.5])


# ---------------------------------------------------------------- settings


def test_options_in_the_first_lines() -> None:
    dump = {"train": {"learning_rate": 0.0002, "betas": [0.5, 0.9]}, "name": "x"}
    reading = of(
        "Namespace(lr=5e-05, n_critic=5, betas=(0.0, 0.9), device=device(type='cuda'), "
        "sub=Namespace(a=None))",
        "2020-01-01 00:00:00 INFO " + repr(dump),
        "cfgs.OPTIMIZATION =",
        "[INFO] > {",
        '  "d_lr": 0.0004,',
        '  "d_updates_per_step": 2',
        "}",
        "----------------- Options ---------------",
        "               batch_size: 1                             \t[default: 8]",
        "                 gan_mode: vanilla                       ",
        "Number of samples: 50000",
        *(f"Epoch {e} d_loss: 0.5 g_loss: 0.6" for e in range(5)),
        "weight decay: 3",
    )
    got = {s.key: s.value for s in reading.settings}
    assert got["lr"] == 5e-05
    assert (got["n_critic"], got["betas.0"], got["betas.1"], got["sub.a"]) == (5, 0.0, 0.9, None)
    assert got["device"] == "device(type='cuda')"
    assert (got["train.learning_rate"], got["train.betas.1"]) == (0.0002, 0.9)
    assert (got["OPTIMIZATION.d_lr"], got["OPTIMIZATION.d_updates_per_step"]) == (0.0004, 2)
    assert (got["batch_size"], got["gan_mode"], got["Number of samples"]) == (1, "vanilla", 50000)
    assert "weight decay" not in got
    assert all(s.name == "" and s.file == "" for s in reading.settings)


def test_namespace_is_read_and_never_run() -> None:
    assert parse_namespace("Namespace(a=__import__('os').system('false'), b=1)") == [
        ("a", "__import__('os').system('false')"),
        ("b", 1),
    ]
    assert parse_namespace("Namespace(a=')', b=[1, 'x'])") == [("a", ")"), ("b", (1, "x"))]
    assert parse_namespace("Namespace(a=1, b=") == []
    assert parse_namespace("nothing here") == []
    assert parse_namespace("Namespace(" * 5000) == []
    assert parse_namespace("{'a': " * 500 + "1" + "}" * 500) == []


# ---------------------------------------------------------------- what is no log


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (
            (
                "# A GAN\n\nTrain with `train.py --lr 0.0002`.\nReaches FID 12.3 after 100 epochs, FID "
                "9.8 after 200.\n"
            ),
            "README.txt",
        ),
        ("numpy==1.26.0\ntorch>=2.1.0\ntqdm\n", "requirements.txt"),
        ("lr: 0.001\nbeta1: 0.5\nlambda_gp: 10\nbatch_size: 64\n", "config.txt"),
        (
            (
                "----- Options -----\n  lr: 0.0002 [default: 0.1]\n  lambda_L1: 100.0\n  batch_size: "
                "1\n"
            ),
            "train_opt.txt",
        ),
        ('10.0.0.1 - - [01/May/2021:12:00:00] "GET / HTTP/1.1" 200 1234\n' * 5, "access.log"),
        ("Requirement already satisfied: torch==1.7.1 in /usr/lib\n" * 4, "pip.log"),
        (
            "step 1 processed=4 queue=7\nstep 2 processed=5 queue=8\nstep 3 processed=6 queue=9\n",
            "server.log",
        ),
        ("Downloading: 100%|#####| 9912422/9912422 [00:01<00:00]\n" * 3, "output.log"),
        ("", "train.log"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 123\n", "train.log"),
        (bytes(range(256)) * 8, "vdlrecords.169.log"),
    ],
)
def test_what_is_no_log_is_refused_in_one_sentence(
    tmp_path: Path, content: str | bytes, name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert text.sniff(path, path.read_bytes()) < 0.5
    with pytest.raises(GandoctorError) as caught:
        text.read(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", SHAPES)
def test_logs_are_recognised(tmp_path: Path, name: str) -> None:
    path = tmp_path / "train.log"
    path.write_text(printed(SHAPES[name])[0], encoding="utf-8")
    assert text.sniff(path, path.read_bytes()) >= 0.5


def test_a_single_record_is_read(tmp_path: Path) -> None:
    path = tmp_path / "issue.log"
    path.write_text("l_d_real: 3.2484e-01 l_d_fake: 5.3701e-01 D_real: -1.0425e+01\n")
    assert 0 < text.sniff(path, path.read_bytes()) <= 0.5
    assert series(text.read(path))["l_d_real"] == ([0], [0.32484])


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "gb18030"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "train.log"
    path.write_bytes(printed(SHAPES["so-vits, full-width"])[0].encode(encoding))
    assert len(series(text.read(path))["损失[0]/loss_disc"][0]) == RECORDS


# ---------------------------------------------------------------- notebooks


def book(*outputs: object, source: str = "") -> str:
    streams = ({"output_type": "stream", "name": "stdout", "text": out} for out in outputs)
    cells: list[object] = [{"cell_type": "markdown", "source": ["# A GAN"]}]
    cells += [{"cell_type": "code", "source": source, "outputs": [stream]} for stream in streams]
    return json.dumps({"nbformat": 4, "cells": cells})


def test_notebooks_keep_their_prints(tmp_path: Path) -> None:
    log, values = printed(SHAPES["yunjey"])
    path = tmp_path / "GAN.ipynb"
    path.write_text(
        book(
            "Downloading...\n",
            log.splitlines(keepends=True),
            source="%matplotlib inline\nlr = 2e-4\nn = f(3)\nname = 'x'",
        )
    )
    assert notebook.sniff(path, path.read_bytes()) >= 0.9
    reading = notebook.read(path)
    np.testing.assert_allclose(series(reading)["d_loss"][1], expected("p", values))
    assert {s.key: s.value for s in reading.settings} == {"lr": 2e-4, "name": "x"}


@pytest.mark.parametrize(
    ("source", "family"),
    [
        ("criterion = nn.BCELoss()", "nonsaturating"),
        ("loss = F.binary_cross_entropy_with_logits(D(x), ones)", "nonsaturating"),
        ("D.compile(optimizer=adam, loss='binary_crossentropy')", "nonsaturating"),
        ("d = -tf.reduce_mean(tf.log(d_real) + tf.log(1 - d_fake + 1e-8))", "nonsaturating"),
        ("d = F.softplus(-D(x)).mean() + F.softplus(D(G(z))).mean()", "nonsaturating"),
        ("bce = nn.BCELoss()\npixels = nn.MSELoss()", "nonsaturating"),
        ("adv = nn.MSELoss()", "lsgan"),
        ("d = 0.5 * (((D(x) - 1) ** 2).mean() + (D(fake) ** 2).mean())", "lsgan"),
        ("d = F.relu(1.0 - D(x)).mean() + F.relu(1 + D(fake)).mean()", "hinge"),
        ("loss = critic(fake).mean() - critic(real).mean()", "wgan"),
        ("loss = -torch.mean(D(real)) + torch.mean(D(fake))", "wgan"),
        (
            (
                "l = netD(fake).mean() - netD(real).mean() + 10 * ((gradients.norm(2, 1) - 1) ** "
                "2).mean()"
            ),
            "wgan-gp",
        ),
        (
            (
                "def step():\n    d = D(fake).mean() - D(x).mean()\n    return d + w * "
                "gradient_penalty(D, x)"
            ),
            "wgan-gp",
        ),
        # Two games in one notebook, statistics of the data, and no loss at all: nothing is said.
        ("a = nn.BCELoss()\nb = D(fake).mean() - D(real).mean()", None),
        ("shift = images.mean() - pictures.mean()", None),
        ("fm = (D(real).abs().mean() - D(fake).abs().mean())", None),
        ("x = 3", None),
        ("y = " + "+".join(["a"] * 3000), None),
    ],
)
def test_the_code_of_a_notebook_names_the_loss(
    tmp_path: Path, source: str, family: str | None
) -> None:
    log, _ = printed(SHAPES["yunjey"])
    path = tmp_path / "GAN.ipynb"
    path.write_text(book(log, source=source))
    found = {s.key: s.value for s in notebook.read(path).settings}
    assert found.get("loss_call") == family


def test_two_trainings_in_a_notebook(tmp_path: Path) -> None:
    log, _ = printed(SHAPES["yunjey"])
    path = tmp_path / "GAN.ipynb"
    path.write_text(book(log, log))
    reading = notebook.read(path)
    assert len(series(reading)["d_loss"][0]) == 2 * RECORDS
    assert "2 trainings" in reading.notes[0]


PRE = [
    [f"Epoch {k}, Loss {1 / (k + 1):.4f}\n" for k in range(0, 61, 5)],
    [f"pretrain epoch {k} g_loss: {1 / (k + 1):.4f}\n" for k in range(0, 61, 5)],
    [f"[{k}/60][3/7] MSE loss {1 / (k + 1):.4f}\n" for k in range(60)],
]
GAME = [
    f"{s:6d} | d_loss: 1.3{s % 7} | g_adv_loss: 0.7{s % 3} | moment_loss: 0.08\n"
    for s in range(0, 1000, 10)
]


@pytest.mark.parametrize("before", PRE)
def test_cells_of_a_notebook_are_phases_of_their_own(tmp_path: Path, before: list[str]) -> None:
    path = tmp_path / "GAN.ipynb"
    path.write_text(book("4212\n", before, before[:4], GAME, "FID: 31.5\n", "12\n"))
    reading = notebook.read(path)
    assert series(reading)["d_loss"][0] == list(range(0, 1000, 10))
    assert series(reading)["g_adv_loss"][0] == list(range(0, 1000, 10))
    assert set(series(reading)) <= {"d_loss", "g_adv_loss", "moment_loss", "FID"}
    assert "2 cells beside the training of D and G" in reading.notes[-1]
    path.write_text(book(GAME, before, GAME))
    assert len(series(notebook.read(path))["d_loss"][0]) == 2 * len(GAME)


def test_the_one_output_that_is_a_training_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "GAN.ipynb"
    path.write_text(book("4212\n", GAME, "done\n"))
    texts: list[str] = []
    read = notebook.engine.read_text
    monkeypatch.setattr(
        notebook.engine, "read_text", lambda text, *more: texts.append(text) or read(text, *more)
    )
    assert len(series(notebook.read(path))["d_loss"][0]) == len(GAME)
    assert sum(GAME[-1] in text for text in texts) == 1


def test_a_number_that_a_cell_prints_alone_counts_nothing(tmp_path: Path) -> None:
    path = tmp_path / "GAN.ipynb"
    lines = [f"d_loss: 1.{k} g_loss: 0.{k}\n" for k in range(1, 9)]
    path.write_text(book("4212\n", "Epoch 60\n", lines))
    assert series(notebook.read(path))["d_loss"][0] == list(range(8))


def test_a_notebook_that_prints_no_game_keeps_all_of_its_losses(tmp_path: Path) -> None:
    path = tmp_path / "net.ipynb"
    path.write_text(book(PRE[0], "d_loss: 0.5\nd_loss: 0.6\n"))
    assert set(series(notebook.read(path))) == {"Loss", "d_loss"}


@pytest.mark.parametrize("name", ["Loss", "total loss"])
def test_a_loss_beside_the_game_is_not_gs(name: str) -> None:
    def placed(steps: range) -> str | None:
        game = [
            Signal(t, np.arange(5000, 6000, 10), np.linspace(0, 1, 100))
            for t in ("d_loss", "moments")
        ]
        other = Signal(name, np.array(steps), np.linspace(0, 1, len(steps)))
        return vocabulary.place([*game, other], vocabulary=VOCABULARY)[2].role

    assert placed(range(0, 4000, 100)) is None
    assert placed(range(0, 60_000, 1003)) is None
    assert placed(range(5000, 6000, 10)) == "g_loss"
    assert placed(range(5005, 6000, 10)) == "g_loss", "G's turn comes between D's"


@pytest.mark.parametrize(
    "content",
    [
        "{}",
        "[1]",
        "not json",
        '{"cells": 3}',
        '{"cells": [1, {"cell_type": "code"}]}',
        book("hello"),
    ],
)
def test_notebooks_without_a_training(tmp_path: Path, content: str) -> None:
    path = tmp_path / "book.ipynb"
    path.write_text(content)
    assert notebook.sniff(path, path.read_bytes()) < 0.5
    with pytest.raises(GandoctorError):
        notebook.read(path)


# ---------------------------------------------------------------- anything goes


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.sampled_from(sorted(SHAPES)),
    st.lists(
        st.tuples(
            st.integers(0, 2000),
            st.text(
                alphabet="0123456789.,:;=/[](){}%|-+ \t\r\n\x00\x01\x1b[ndDlos损：", max_size=8
            ),
        ),
        max_size=8,
    ),
    st.integers(0, 1500),
)
def test_damage_breaks_nothing(
    tmp_path: Path, name: str, inserts: list[tuple[int, str]], cut: int
) -> None:
    log = printed(SHAPES[name])[0]
    for at, piece in inserts:
        log = log[: at % len(log)] + piece + log[at % len(log) :]
    path = tmp_path / "train.log"
    path.write_bytes(log[: len(log) - cut % len(log)].encode())
    assert 0 <= text.sniff(path, path.read_bytes()) <= 1
    try:
        got = text.read(path)
    except GandoctorError:
        return
    for s in got.signals:
        assert np.all(np.diff(s.steps) >= 0)
        assert len(s.steps) == len(s.values) > 0


@pytest.mark.parametrize("name", ["train.log", "metrics.csv", "stats.jsonl"])
def test_zeros_behind_a_text_log_are_passed_over(tmp_path: Path, name: str) -> None:
    rows = {
        "train.log": [f"step {k} d_loss: 0.5 g_loss: 0.7" for k in range(3000)],
        "metrics.csv": ["step,d_loss,g_loss", *(f"{k},0.5,0.7" for k in range(3000))],
        "stats.jsonl": [json.dumps({"step": k, "d_loss": 0.5, "g_loss": 0.7}) for k in range(3000)],
    }[name]
    path = tmp_path / name
    path.write_text("\n".join(rows) + "\n")
    with path.open("ab") as file:
        file.truncate(1 << 30)
    start = time.process_time()
    ((_, _, got),) = read_log(path)
    assert [len(s) for s in got.signals] == [3000, 3000]
    assert (got.lost or "").endswith("bytes of zeros, which were never written")
    assert time.process_time() - start < 3


def test_a_counter_damaged_beyond_any_step_is_not_believed() -> None:
    lines = [f"step {k} d_loss: {k / 100} g_loss: 1.5" for k in range(100)]
    lines[40] = "step 999999999999999999940 d_loss: 0.4 g_loss: 1.5"
    got = of(*lines)
    steps, values = series(got)["d_loss"]
    assert steps == [*range(40), 39, *range(41, 100)]
    assert values == [k / 100 for k in range(100)]
    assert got.lost == "1 step beyond 2**53: damage, the step before was taken"


_HUGE = st.one_of(
    st.integers(0, 50),
    st.integers(0, 10**24),
    st.sampled_from([2**53, 2**53 + 1, 9 * 10**15, 10**18]),
)


@settings(max_examples=150, deadline=None)
@example([(0, 0, 0), (0, 0, 0), (0, 2, 1), (0, 1, 0), (0, 0, 0), (0, 2**53 - 1, 0)], "ein")
@given(
    st.lists(st.tuples(_HUGE, _HUGE, _HUGE), min_size=2, max_size=30),
    st.sampled_from(["ein", "en", "n", "kimg"]),
)
def test_steps_never_overflow(rows: list[tuple[int, int, int]], form: str) -> None:
    shape = {
        "ein": "Epoch {0} [{1}/{2}] d_loss: 0.5 g_loss: 0.7",
        "en": "epoch {0}: d_loss: 0.5 g_loss: 0.7",
        "n": "step {1}/{2} d_loss: 0.5 g_loss: 0.7",
        "kimg": "kimg {0} d_loss: 0.5 g_loss: 0.7",
    }[form]
    try:
        got = of(*(shape.format(*row) for row in rows))
    except GandoctorError:
        return
    for s in got.signals:
        assert np.all(np.diff(s.steps) >= 0)
        assert np.abs(s.steps).max() <= 2**53


def test_a_log_of_many_shapes_stays_bounded() -> None:
    rng = random.Random(0)
    lines = ["".join(rng.choices("abcdefgh :=0123456789[]", k=60)) for _ in range(3000)]
    log = printed(SHAPES["yunjey"])[0].splitlines()
    assert len(series(of(*log, *lines))["d_loss"][0]) >= RECORDS


# ---------------------------------------------------------------- what else people print

GLUED = [
    "(epoch: {e}, iters: {b}, time: 10.019G_GAN: {p}D_real: {q}D_fake: {r})",
    "(epoch: {e}, iters: {b}, time: 0.2s G_GAN: {p}D_real: {q}D_fake: {r}lr: 0.0002)",
    "Epoch: {e}Batch: {b}G_GAN={p}D_real={q}D_fake={r}",
    "12:30:01 INFO epoch {e} batch {b} G_GAN:{p}D_real:{q}D_fake:{r}",
]


@pytest.mark.parametrize("line", GLUED)
def test_fields_without_a_blank_between_them(line: str) -> None:
    log, values = printed(Shape(line, {}))
    got = series(read_text(log, "train"))
    for tag, field_ in {"G_GAN": "p", "D_real": "q", "D_fake": "r"}.items():
        assert got[tag][1] == [float(v[field_]) for v in values]
        assert got[tag][0] == [10 * k for k in range(RECORDS)], (
            "an epoch is as long as it is seen to be"
        )


def test_glued_fields_that_are_no_numbers_and_units_that_are_no_names() -> None:
    reading = of(
        *(
            f"iter: {k} took 1.5s mem: 3.2GB D_loss: nanG_loss: infD(x): 0.5G: 1.{k}"
            for k in range(1, 5)
        )
    )
    got = series(reading)
    assert {t: v[1][0] for t, v in got.items()} == {"D_loss": pytest.approx(np.nan, nan_ok=True),
        "G_loss": np.inf,
                                                   "D(x)": 0.5, "G": 1.1}  # fmt: skip
    assert set(series(of(*(f"iter {k}: 12ms/step 1.5s: d_loss: 0.{k} 3m: g_loss: 1.{k}" for k in range(1, 5))))) == {
        "d_loss", "g_loss",
    }  # fmt: skip


LISTS = [
    ">{k}, dr[{p},{a}], df[{q},{b}], g[{r},{c}]",
    ">{k}, {k}/99, dr[{p}, {a}] df[{q}, {b}] g[{r}, {c}]",
    "INFO:root:>{k}, dr=[{p};{a}], df=[{q};{b}], g=[{r};{c}]",
    "[12:30:07] >{k}, dr({p},{a}), df({q},{b}), g({r},{c})",
]


def listed(
    line: str, second: Callable[[float], float], most: float = 1.6
) -> dict[str, tuple[list[int], list[float]]]:
    rng = random.Random(11)
    rows = [[rng.uniform(0.4, 1.0) * most for _ in range(3)] for _ in range(RECORDS)]
    named = [
        dict(zip("pqrabc", [f"{x:.4f}" for x in (*v, *map(second, v))], strict=True)) for v in rows
    ]
    got = series(of(*(line.format(k=k + 1, **v) for k, v in enumerate(named))))
    for tag, field_ in {"dr": "p", "df": "q", "g": "r"}.items():
        assert got[tag][1] == [float(v[field_]) for v in named]
    return got


@pytest.mark.parametrize("line", LISTS)
@pytest.mark.parametrize("most", [1.6, 0.9])
def test_a_list_behind_half_of_d_begins_with_its_loss(line: str, most: float) -> None:
    got = listed(line, lambda loss: 1 - loss / 4, most)
    assert {"dr acc", "df acc"} <= set(got)
    assert got["dr"][0][-1] - got["dr"][0][0] >= RECORDS - 1, "the number behind the arrow counts"


@pytest.mark.parametrize(
    ("second", "most"), [(lambda loss: 3 * loss, 1.6), (lambda loss: loss / 2, 0.9)]
)
def test_a_second_loss_in_a_list_is_no_accuracy(
    second: Callable[[float], float], most: float
) -> None:
    assert not any("acc" in tag for tag in listed(LISTS[0], second, most))


def test_lists_that_name_no_half_of_d_stay_networks() -> None:
    lines = [f"(epoch: {k}, iters: 10) D: 0.{k}, 0.9 | G: 1.{k}, 0.8" for k in range(1, 9)]
    assert {"D[0]", "D[1]", "G[0]", "G[1]"} <= set(series(of(*lines)))


@pytest.mark.parametrize(
    ("line", "roles"),
    [
        (">{k}, c1=-0.{k}, c2=0.{k} g=1.{k}", {"c1": "d_loss_real", "c2": "d_loss_fake",
        "g": "g_loss"}),
        (">{k}, {k}/99, d1:0.{k} d2:0.3{k} g:1.{k}", {"d1": "d_loss_real", "d2": "d_loss_fake",
        "g": "g_loss"}),
        ("[09:10:11] step {k} | dr 0.{k} | df 0.2{k} | g 1.{k}",
         {"dr": "d_loss_real", "df": "d_loss_fake", "g": "g_loss"}),
        ("step {k}: c_real=-0.{k}; c_fake=0.{k}; g=1.{k}",
         {"c_real": "d_loss_real", "c_fake": "d_loss_fake", "g": "g_loss"}),
        ("step {k} | c 0.{k} | g 1.{k}", {"c": "d_loss", "g": "g_loss"}),
    ],
)  # fmt: skip
def test_short_names_of_a_critic_and_its_halves(line: str, roles: dict[str, str]) -> None:
    reading = of(*(line.format(k=k) for k in range(1, 9)))
    placed = vocabulary.place(reading.signals, vocabulary=VOCABULARY)
    assert {s.tag: s.role for s in placed} == roles
    assert {s.network for s in placed} == {""}


@pytest.mark.parametrize(
    "line",
    [
        "Ending global_step {k}: generator average loss {g}, discriminator average loss {d}",
        "After epoch {k}: average generator loss {g}; average discriminator loss {d}",
        (
            "2024-01-02 03:04:05 INFO epoch {k} - critic total loss {d} - generator total loss {g} - "
            "12.3 s"
        ),
        "epoch {k}: loss of the generator {g}, loss of the discriminator {d}",
        "epoch {k}: the generator has a loss of {g}, the discriminator has a loss of {d}",
        "{k} Gen loss mean {g} Disc loss mean {d}",
        "Finished training on the whole data at step {k}: D mean loss {d}, G mean loss {g}",
    ],
)
def test_words_between_the_player_and_its_loss(line: str) -> None:
    reading = of(*(line.format(k=k, d=f"0.{k}", g=f"1.{k}") for k in range(1, 9)))
    placed = vocabulary.place(reading.signals, vocabulary=VOCABULARY)
    found = {s.role: s.values.tolist() for s in placed}
    assert found == {
        "d_loss": [k / 10 for k in range(1, 9)],
        "g_loss": [1 + k / 10 for k in range(1, 9)],
    }


def test_a_table_drawn_upright() -> None:
    rows = [
        f"----------\n| iterations | {k} |\n| train/ | |\n|    loss_d | 0.{k} |\n| loss_g | 1.{k} |"
        for k in range(1, 9)
    ]
    assert {t: v[0] for t, v in series(of(*rows)).items()} == {
        "loss_d": list(range(1, 9)), "loss_g": list(range(1, 9)),
    }  # fmt: skip


# ---------------------------------------------------------------- older checkpoints, and runs that
# take turns


def stepped(steps: list[int], line: str = "Step: {s} d_loss: {k}.0 g_loss: 0.5") -> list[str]:
    return [line.format(s=s, k=k) for k, s in enumerate(steps)]


FAR = [*range(100, 5001, 100), *range(1100, 8001, 100)]


@pytest.mark.parametrize(
    "line",
    ["Step: {s} d_loss: {k}.0 g_loss: 0.5", "[09:10:11] iter {s}/9000 | d_loss={k}.0 g_loss=0.5"],
)
def test_a_resume_from_an_older_checkpoint_replaces_what_came_after_it(line: str) -> None:
    reading = of(*stepped(FAR, line))
    found, values = series(reading)["d_loss"]
    assert found == list(range(100, 8001, 100))
    assert values[9:11] == [9.0, 50.0]
    assert "40 rows that were written again are left out" in reading.notes[0]


def test_a_score_printed_before_the_resume_is_given_up_with_its_rows() -> None:
    lines = [x for s, line in zip(FAR, stepped(FAR), strict=True)
             for x in (line, *([f"FID score (Step: {s}): {s / 100}"] if s % 500 == 0 else []))]  # fmt: skip
    assert series(of(*lines))["FID score"][0] == list(range(500, 8001, 500))


def test_two_resumes_from_older_checkpoints() -> None:
    steps = [*range(100, 5001, 100), *range(1100, 6001, 100), *range(2100, 9001, 100)]
    assert series(of(*stepped(steps)))["d_loss"][0] == list(range(100, 9001, 100))


def test_how_far_the_training_was_to_go_decides_where_the_resume_got_no_further() -> None:
    steps = [*range(100, 5001, 100), *range(1100, 4001, 100)]
    assert "2 trainings" in of(*stepped(steps)).notes[0]
    planned = of("{'adv_loss': 'hinge', 'total_step': 6000}", *stepped(steps))
    assert series(planned)["d_loss"][0] == list(range(100, 4001, 100))
    assert (
        "2 trainings" in of("{'adv_loss': 'hinge', 'total_step': 9000}", *stepped(steps)).notes[0]
    )


@pytest.mark.parametrize(
    "second",
    [range(100, 8001, 100), range(1050, 8001, 50), range(1130, 8001, 100), range(1100, 1301, 100)],
    ids=["from the first step", "another interval", "beside the grid", "three rows"],
)
def test_what_is_no_resume_is_a_training_of_its_own(second: range) -> None:
    reading = of(*stepped([*range(100, 5001, 100), *second]))
    assert len(series(reading)["d_loss"][0]) == 50 + len(second)
    assert "2 trainings" in reading.notes[0]


def runs_in(path: Path) -> list[dict[str, tuple[list[int], list[float]]]]:
    return [series(reading) for _, _, reading in read_log(path)]


@pytest.mark.parametrize(
    "line",
    [
        "Epoch {s} D: {d} G: {g}",
        "2024-01-02 03:04:05 INFO epoch {s}/900 - D: {d} - G: {g}",
        "Epoch {s}\nD: {d}\nG: {g}",
    ],
)
@pytest.mark.parametrize("from_", [(0, 500), (0, 300, 100), (40, 3)])
def test_runs_that_take_turns_are_taken_apart(
    tmp_path: Path, line: str, from_: tuple[int, ...]
) -> None:
    lines = [
        line.format(s=i + s, d=f"{n}.{i}", g=i / 10) for i in range(40) for n, s in enumerate(from_)
    ]
    path = tmp_path / "train.log"
    path.write_text("lr: 0.0002\n" + "\n".join(lines) + "\n")
    got = runs_in(path)
    assert [g["D"][0] for g in got] == [list(range(s, s + 40)) for s in from_]
    assert [{int(v) for v in g["D"][1]} for g in got] == [{n} for n in range(len(from_))]
    assert all(len(g["G"][0]) == 40 for g in got)
    assert all(
        f"{len(from_)} runs take turns" in r.notes[-1] and r.settings for _, _, r in read_log(path)
    )


def test_turns_need_not_be_regular(tmp_path: Path) -> None:
    rng, at, lines = random.Random(5), [0, 7000], []
    for _ in range(200):
        k = rng.random() < 0.4
        lines.append(f"step {at[k]} D: {int(k)}.5 G: 0.5")
        at[k] += 10
    path = tmp_path / "train.log"
    path.write_text("\n".join(lines) + "\n")
    assert [set(g["D"][1]) for g in sorted(runs_in(path), key=lambda g: g["D"][0][0])] == [
        {0.5},
        {1.5},
    ]


@pytest.mark.parametrize(
    "steps",
    [
        [*range(0, 30, 10)] * 8,
        [*range(0, 300, 10), *range(0, 200, 10)],
        [s + j for s in range(0, 300, 10) for j in (5, 0)],
    ],
    ids=["a counter within epochs", "two trainings", "out of order"],
)
def test_what_takes_no_turns_stays_one(tmp_path: Path, steps: list[int]) -> None:
    path = tmp_path / "train.log"
    path.write_text("\n".join(stepped(steps)) + "\n")
    assert len(runs_in(path)) == 1
