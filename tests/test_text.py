"""Printed logs: every shape of line that GAN code bases print, and what must not be taken for one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gandoctor.errors import GandoctorError
from gandoctor.parsers import notebook, text
from gandoctor.parsers._options import parse_namespace
from gandoctor.parsers._prints import read_text

if TYPE_CHECKING:
    from pathlib import Path

    from gandoctor.model.signals import Reading


def series(reading: Reading) -> dict[str, tuple[list[int], list[float]]]:
    return {s.tag: (s.steps.tolist(), s.values.tolist()) for s in reading.signals}


def of(*lines: str) -> Reading:
    return read_text("\n".join(lines) + "\n", "train")


# name -> two lines (or more) of one log, the tags with their values, the steps of the first tag
SHAPES: dict[str, tuple[list[str], dict[str, list[float]], list[int]]] = {
    "dcgan": (
        [
            "[0/5][50/100]\tLoss_D: 0.5341\tLoss_G: 5.1\tD(x): 0.9\tD(G(z)): 0.2 / 0.01",
            "[1/5][0/100]\tLoss_D: 0.4\tLoss_G: 5.2\tD(x): 0.8\tD(G(z)): 0.3 / 0.02",
        ],
        {
            "Loss_D": [0.5341, 0.4],
            "Loss_G": [5.1, 5.2],
            "D(x)": [0.9, 0.8],
            "D(G(z))": [0.2, 0.3],
            "D(G(z)) (2)": [0.01, 0.02],
        },
        [50, 100],
    ),
    "pytorch-gan": (
        [
            "[Epoch 0/200] [Batch 12/938] [D loss: 0.25, acc: 50%] [G loss: 40.1, pixel: 0.39, adv: 1.02] ETA: 1:02:03.123456",
            "[Epoch 0/200] [Batch 13/938] [D loss: 0.26, acc: 75%] [G loss: 39.0, pixel: 0.38, adv: 1.01] ETA: 1:02:02.123456",
        ],
        {
            "D loss": [0.25, 0.26],
            "D acc": [0.5, 0.75],
            "G loss": [40.1, 39.0],
            "G pixel": [0.39, 0.38],
            "G adv": [1.02, 1.01],
        },
        [12, 13],
    ),
    "stargan names twice": (
        [
            "[Epoch 0/200] [Batch 1/400] [D adv: -1.25, aux: 3.2] [G loss: 9.1, adv: 1.0, aux: 2.9, cycle: 0.4]",
            "[Epoch 0/200] [Batch 2/400] [D adv: -1.35, aux: 3.1] [G loss: 9.0, adv: 1.1, aux: 2.8, cycle: 0.3]",
        ],
        {"D adv": [-1.25, -1.35], "D aux": [3.2, 3.1], "G aux": [2.9, 2.8], "G cycle": [0.4, 0.3]},
        [1, 2],
    ),
    "cyclegan": (
        [
            "================ Training Loss (Thu Sep  1 21:31:13 2022) ================",
            "(epoch: 1, iters: 100, time: 0.324, data: 0.231) D_A: 0.362 G_A: 0.371 cycle_A: 2.012 ",
            "(epoch: 1, iters: 200, time: 0.324, data: 0.231) D_A: 0.361 G_A: 0.372 cycle_A: 2.011 ",
            "(epoch: 2, iters: 100, time: 0.324, data: 0.231) D_A: 0.360 G_A: 0.373 cycle_A: 2.010 ",
        ],
        {"D_A": [0.362, 0.361, 0.36], "G_A": [0.371, 0.372, 0.373], "cycle_A": [2.012, 2.011, 2.01]},
        [100, 200, 300],
    ),
    "studiogan": (
        [
            "[INFO] 2021-02-22 09:14:32 > Step:  53,600 Progress: 26.8% Elapsed: 1 day, 11:59:01 temperature: 1.0 ada_p: No "
            "Discriminator_loss: 5.20089 Generator_loss: 5.94851 ",
            "[INFO] 2021-02-22 09:18:20 > Step:  53,700 Progress: 26.9% Elapsed: 1 day, 12:02:50 temperature: 1.0 ada_p: No "
            "Discriminator_loss: 4.98512 Generator_loss: 6.47826 ",
            "[INFO] 2021-02-22 09:19:20 > FID score (Step: 53700, Using test moments): 49.5",
            "[INFO] 2021-02-22 09:19:20 > Best FID score (Step: 42000, Using test moments): 47.5",
        ],
        {"Discriminator_loss": [5.20089, 4.98512], "Generator_loss": [5.94851, 6.47826], "FID score": [49.5]},
        [53600, 53700],
    ),
    "lightning bar": (
        [
            "Epoch 0:  50%|█████     | 120/240 [00:12<00:12,  9.80it/s, loss=0.693, v_num=0, g_loss=0.71, d_loss=0.69]",
            "Epoch 1:  25%|██▌       | 60/240 [00:06<00:18,  9.80it/s, loss=0.683, v_num=0, g_loss=0.72, d_loss=0.68]",
        ],
        {"g_loss": [0.71, 0.72], "d_loss": [0.69, 0.68]},
        [120, 300],
    ),
    "hugging face": (
        [
            "{'loss': 0.5, 'd_loss': 0.7, 'learning_rate': 5e-05, 'epoch': 1.0}",
            "{'loss': 0.4, 'd_loss': 0.6, 'learning_rate': 4e-05, 'epoch': 2.0}",
        ],
        {"loss": [0.5, 0.4], "d_loss": [0.7, 0.6], "learning_rate": [5e-05, 4e-05]},
        [1, 2],
    ),
    "mm": (
        [
            "2021-05-01 12:00:00,123 - mmgen - INFO - Iter [100/300000]\tlr_generator: 1.000e-04, eta: 1 day, 2:03:04, time: 0.3, "
            "data_time: 0.01, memory: 5120, loss_disc_fake: 0.6931, loss_gen: 0.7",
            "2021-05-01 12:00:10,123 - mmgen - INFO - Iter [200/300000]\tlr_generator: 1.000e-04, eta: 1 day, 2:02:04, time: 0.3, "
            "data_time: 0.01, memory: 5120, loss_disc_fake: 0.5931, loss_gen: 0.8",
        ],
        {"lr_generator": [1e-4, 1e-4], "loss_disc_fake": [0.6931, 0.5931], "loss_gen": [0.7, 0.8]},
        [100, 200],
    ),
    "coqui": (
        [
            "\x1b[1m   --> STEP: 24/100 -- GLOBAL_STEP: 25\x1b[0m",
            "     | > loss_disc: 2.34000  \x1b[92m(2.31000)\x1b[0m",
            "     | > loss_gen: 2.10000  (2.20000)",
            "   --> STEP: 49/100 -- GLOBAL_STEP: 50",
            "     | > loss_disc: 2.24000  (2.30000)",
            "     | > loss_gen: 2.20000  (2.20000)",
        ],
        {"loss_disc": [2.34, 2.24], "loss_gen": [2.1, 2.2]},
        [25, 50],
    ),
    "parallel wavegan": (
        [
            "2020-05-01 12:00:00,123 (train:512) INFO: (Steps: 100) train/discriminator_loss = 0.9871.",
            "2020-05-01 12:00:00,123 (train:512) INFO: (Steps: 100) train/adversarial_loss = 0.4.",
            "2020-05-01 12:00:00,123 (train:512) INFO: (Steps: 200) train/discriminator_loss = 0.8871.",
            "2020-05-01 12:00:00,123 (train:512) INFO: (Steps: 200) train/adversarial_loss = 0.5.",
        ],
        {"train/discriminator_loss": [0.9871, 0.8871], "train/adversarial_loss": [0.4, 0.5]},
        [100, 200],
    ),
    "hifi-gan": (
        [
            "Steps : 1000, Gen Loss Total : 32.123, Mel-Spec. Error : 0.512, s/b : 0.512",
            "Steps : 1100, Gen Loss Total : 31.123, Mel-Spec. Error : 0.502, s/b : 0.512",
        ],
        {"Gen Loss Total": [32.123, 31.123], "Mel-Spec. Error": [0.512, 0.502]},
        [1000, 1100],
    ),
    "basicsr": (
        [
            "[052_E..][epoch:  1, iter:   1,200, lr:(1.000e-04,)] [eta: 2 days, 3:00:00, time (data): 0.512 (0.003)] "
            "l_g_pix: 1.2031e-02 l_g_gan: 3.4e-03 l_d_real: 6.9e-01 ",
            "[052_E..][epoch:  1, iter:   1,300, lr:(1.000e-04,)] [eta: 2 days, 3:00:00, time (data): 0.512 (0.003)] "
            "l_g_pix: 1.2030e-02 l_g_gan: 3.3e-03 l_d_real: 6.8e-01 ",
        ],
        {"lr": [1e-4, 1e-4], "l_g_pix": [0.012031, 0.01203], "l_g_gan": [0.0034, 0.0033], "l_d_real": [0.69, 0.68]},
        [1200, 1300],
    ),
    "vits": (
        [
            "2023-09-16 18:44:35,779\t32k\tINFO\tTrain Epoch: 1 [0%]",
            "2023-09-16 18:44:35,783\t32k\tINFO\t[1.85, 3.10, 16.75, 38.25, 6.85, 0, 0.0001]",
            "2023-09-16 18:44:35,783\t32k\tINFO\tSaving model and optimizer state at iteration 1 to ./logs\\32k\\G_0.pth",
            "2023-09-16 18:45:37,968\t32k\tINFO\tTrain Epoch: 1 [56%]",
            "2023-09-16 18:45:37,973\t32k\tINFO\t[2.32, 2.68, 15.84, 28.65, 2.46, 20, 0.0001]",
        ],
        {"losses[0]/loss_disc": [1.85, 2.32], "losses[3]/loss_mel": [38.25, 28.65], "losses[4]/loss_kl": [6.85, 2.46]},
        [0, 20],
    ),
    "so-vits, full-width": (
        [
            "2023-07-22 21:56:12,356\t44k\tINFO\t损失：[2.7, 2.6, 7.2, 30.2, 3.6]，步数：0，学习率：0.0001",
            "2023-07-22 21:57:12,356\t44k\tINFO\t损失：[2.6, 2.5, 7.1, 30.1, 3.5]，步数：200，学习率：0.0001",
        ],
        {"损失[0]/loss_disc": [2.7, 2.6], "损失[1]/loss_gen": [2.6, 2.5], "学习率": [1e-4, 1e-4]},
        [0, 200],
    ),
    "combogan": (
        [
            "(epoch: 1, iters: 100, time: 0.291) D: 0.111, 0.105 | G: 0.146, 0.150 | Cyc: 0.092, 0.037 | ",
            "(epoch: 1, iters: 200, time: 0.291) D: 0.110, 0.104 | G: 0.145, 0.149 | Cyc: 0.091, 0.036 | ",
        ],
        {"D[0]": [0.111, 0.11], "D[1]": [0.105, 0.104], "G[1]": [0.15, 0.149], "Cyc[0]": [0.092, 0.091]},
        [100, 200],
    ),
    "mimicry": (
        [
            "INFO: [Epoch 1/127][Global Step: 50/100000] ",
            "| D(G(z)): 0.3312",
            "| errD: 1.9012",
            "| errG: 0.1203",
            "| (0.0312 sec/idx)",
            "INFO: [Epoch 1/127][Global Step: 100/100000] ",
            "| D(G(z)): 0.3",
            "| errD: 1.8",
            "| errG: 0.2",
        ],
        {"D(G(z))": [0.3312, 0.3], "errD": [1.9012, 1.8], "errG": [0.1203, 0.2]},
        [50, 100],
    ),
    "stackgan": (
        [
            "[1/120][99/646] Loss_D: 0.9121 Loss_G: 2.1012 Loss_KL: 0.0312",
            "                     Loss_real: 0.3121 Loss_wrong:0.3012 Loss_fake 0.2901",
            "                     Total Time: 61.20sec",
            "[2/120][98/646] Loss_D: 0.9 Loss_G: 2.2 Loss_KL: 0.03",
            "                     Loss_real: 0.3 Loss_wrong:0.31 Loss_fake 0.28",
        ],
        {"Loss_D": [0.9121, 0.9], "Loss_wrong": [0.3012, 0.31], "Loss_fake": [0.2901, 0.28]},
        [99, 744],
    ),
    "pix2pix-tensorflow": (
        [
            "progress  epoch 1  step 50  image/sec 8.1  remaining 98m",
            "discrim_loss 0.812",
            "gen_loss_GAN 1.21",
            "gen_loss_L1 0.31",
            "progress  epoch 1  step 100  image/sec 8.1  remaining 97m",
            "discrim_loss 0.8",
            "gen_loss_GAN 1.2",
            "gen_loss_L1 0.3",
        ],
        {"discrim_loss": [0.812, 0.8], "gen_loss_GAN": [1.21, 1.2], "gen_loss_L1": [0.31, 0.3]},
        [50, 100],
    ),
    "stylegan ticks": (
        [
            "tick 0     kimg 0.0      time 45s          sec/tick 10.6    sec/kimg 1326.39 maintenance 34.6   gpumem 6.13   augment 0.000",
            '{"results": {"fid50k_full": 418.04}, "metric": "fid50k_full", "total_time": 457.0, "num_gpus": 2, '
            '"snapshot_pkl": "network-snapshot-000000.pkl", "timestamp": 1653489051.6}',
            "tick 1     kimg 4.0      time 13m 25s      sec/tick 291.6   sec/kimg 72.89   maintenance 468.3  gpumem 4.27   augment 0.007",
            '{"results": {"fid50k_full": 400.0}, "metric": "fid50k_full", "total_time": 457.0, "num_gpus": 2, '
            '"snapshot_pkl": "network-snapshot-000004.pkl", "timestamp": 1653489251.6}',
        ],
        {"augment": [0.0, 0.007], "fid50k_full": [418.04, 400.0]},
        [0, 4],
    ),
    "stylegan fid lines": (
        [
            "network-snapshot-000204        time 4m 32s       fid50k_full 327.5664",
            "network-snapshot-000409        time 4m 32s       fid50k_full 148.3688",
        ],
        {"fid50k_full": [327.5664, 148.3688]},
        [204, 409],
    ),
    "ctgan": (
        [
            "Gen. (-1.23) | Discrim. (0.12):  10%|#         | 30/300 [00:12<01:52,  2.41it/s]",
            "Gen. (-1.33) | Discrim. (0.13):  20%|##        | 60/300 [00:24<01:40,  2.41it/s]",
        ],
        {"Gen.": [-1.23, -1.33], "Discrim.": [0.12, 0.13]},
        [30, 60],
    ),
    "sdv": (
        ["Epoch 1, Loss G: -0.3189,Loss D: -0.0465", "......", "Epoch 150, Loss G:  9.8107,Loss D: -164.7765"],
        {"Loss G": [-0.3189, 9.8107], "Loss D": [-0.0465, -164.7765]},
        [1, 150],
    ),
    "keras-gan": (
        ["0 [D loss: 0.693147, acc.: 51.56%] [G loss: 0.701200]", "1 [D loss: 0.68, acc.: 50.00%] [G loss: 0.7]"],
        {"D loss": [0.693147, 0.68], "D acc.": [0.5156, 0.5], "G loss": [0.7012, 0.7]},
        [0, 1],
    ),
    "machine learning mastery": (
        [
            ">1, 1/468, d1=0.701, d2=0.693 g=0.702",
            ">2, 2/468, d1=0.700, d2=0.692 g=0.703",
            ">Accuracy real: 52%, fake: 48%",
        ],
        {"d1": [0.701, 0.7], "d2": [0.693, 0.692], "g": [0.702, 0.703]},
        [1, 470],
    ),
    "machine learning mastery, cyclegan": (
        [">1, dA[0.700,0.690] dB[0.701,0.691] g[0.8,0.9]", ">2, dA[0.600,0.590] dB[0.601,0.591] g[0.7,0.8]"],
        {"dA[0]": [0.7, 0.6], "dB[1]": [0.691, 0.591], "g[0]": [0.8, 0.7]},
        [1, 2],
    ),
    "keras bar": (
        [
            "Epoch 1/2",
            "468/468 [==============================] - 12s 25ms/step - d_loss: 0.4521 - g_loss: 1.2012",
            "Epoch 2/2",
            "234/468 [===========>..................] - ETA: 6s - d_loss: 0.4421 - g_loss: 1.3012",
        ],
        {"d_loss": [0.4521, 0.4421], "g_loss": [1.2012, 1.3012]},
        [468, 702],
    ),
    "yunjey": (
        [
            "Epoch [0/200], Step [200/600], d_loss: 0.0448, g_loss: 5.1, D(x): 0.99, D(G(z)): 0.03",
            "Epoch [1/200], Step [100/600], d_loss: 0.0348, g_loss: 5.2, D(x): 0.98, D(G(z)): 0.04",
        ],
        {"d_loss": [0.0448, 0.0348], "g_loss": [5.1, 5.2], "D(x)": [0.99, 0.98]},
        [200, 700],
    ),
    "stargan": (
        [
            "Elapsed [0:00:12], Iteration [10/200000], D/loss_real: -0.1034, D/loss_gp: 0.0412, G/loss_fake: -0.0211",
            "Elapsed [0:00:24], Iteration [20/200000], D/loss_real: -0.1035, D/loss_gp: 0.0413, G/loss_fake: -0.0212",
        ],
        {"D/loss_real": [-0.1034, -0.1035], "D/loss_gp": [0.0412, 0.0413], "G/loss_fake": [-0.0211, -0.0212]},
        [10, 20],
    ),
    "wassersteingan": (
        [
            "[0/25][100/1583][1] Loss_D: -0.5012 Loss_G: 0.2139 Loss_D_real: -0.2500 Loss_D_fake 0.2512",
            "[0/25][105/1583][2] Loss_D: -0.5013 Loss_G: 0.2138 Loss_D_real: -0.2501 Loss_D_fake 0.2513",
        ],
        {"Loss_D": [-0.5012, -0.5013], "Loss_D_real": [-0.25, -0.2501], "Loss_D_fake": [0.2512, 0.2513]},
        [100, 105],
    ),
    "biggan": (
        [
            "1/1563 (  0.06%) [ETA: 1:02:03] itr: 100, G_loss : +0.812, D_loss_real : +0.912, D_loss_fake : -0.891",
            "2/1563 (  0.12%) [ETA: 1:02:03] itr: 101, G_loss : +0.813, D_loss_real : +0.913, D_loss_fake : -0.892",
        ],
        {"G_loss": [0.812, 0.813], "D_loss_real": [0.912, 0.913], "D_loss_fake": [-0.891, -0.892]},
        [100, 101],
    ),
    "biggan scores": (
        [
            "Itr 5000: PYTORCH UNOFFICIAL Inception Score is 8.123 +/- 0.112, PYTORCH UNOFFICIAL FID is 12.3401",
            "Itr 6000: PYTORCH UNOFFICIAL Inception Score is 8.223 +/- 0.113, PYTORCH UNOFFICIAL FID is 11.3401",
        ],
        {"PYTORCH UNOFFICIAL Inception Score": [8.123, 8.223], "PYTORCH UNOFFICIAL FID": [12.3401, 11.3401]},
        [5000, 6000],
    ),
    "audiolm": (
        [
            "100: soundstream total loss: 1.203, soundstream recon loss: 0.412 | discr (scale 1) loss: 1.912 | discr (scale 0.5) loss: 1.801",
            "101: soundstream total loss: 1.204, soundstream recon loss: 0.413 | discr (scale 1) loss: 1.913 | discr (scale 0.5) loss: 1.802",
        ],
        {
            "soundstream total loss": [1.203, 1.204],
            "discr (scale 1) loss": [1.912, 1.913],
            "discr (scale 0.5) loss": [1.801, 1.802],
        },
        [100, 101],
    ),
    "imagenet meters": (
        [
            "Epoch: [0][100/391]\tTime 0.30 (0.31)\tLoss_D 0.51 (0.63)\tLoss_G 1.5 (1.6)",
            "Epoch: [1][50/391]\tTime 0.30 (0.31)\tLoss_D 0.41 (0.53)\tLoss_G 1.6 (1.7)",
        ],
        {"Loss_D": [0.51, 0.41], "Loss_G": [1.5, 1.6]},
        [100, 441],
    ),
    "mrzhu": (
        ["===> Epoch[1](10/100): Loss_D: 0.5 Loss_G: 0.6", "===> Epoch[2](20/100): Loss_D: 0.4 Loss_G: 0.7"],
        {"Loss_D": [0.5, 0.4], "Loss_G": [0.6, 0.7]},
        [10, 120],
    ),
    "convmesh": (
        [
            "[0] epoch 0, 0/186, g_loss nan d_fake_loss 0.00000 d_real_loss 0.00000 flat 0.24812",
            "[10] epoch 0, 10/186, g_loss nan d_fake_loss nan d_real_loss inf flat nan",
        ],
        {"g_loss": [np.nan, np.nan], "d_fake_loss": [0.0, np.nan], "d_real_loss": [0.0, np.inf]},
        [0, 10],
    ),
    "epoch then values": (
        ["Epoch 1/20", "----------", "Discriminator loss: 0.5", "Generator loss: 0.6", "", "Epoch 2/20", "----------"]
        + ["Discriminator loss: 0.4", "Generator loss: 0.7"],
        {"Discriminator loss": [0.5, 0.4], "Generator loss": [0.6, 0.7]},
        [1, 2],
    ),
    "no colons": (
        ["step 1000 | D loss 0.5 | G loss 0.6", "step 2000 | D loss 0.4 | G loss 0.7"],
        {"D loss": [0.5, 0.4], "G loss": [0.6, 0.7]},
        [1000, 2000],
    ),
    "owner before the names": (
        [
            "Epoch 1 Discriminator: loss=0.5 acc=0.7; Generator: loss=0.6",
            "Epoch 2 Discriminator: loss=0.4 acc=0.8; Generator: loss=0.7",
        ],
        {"Discriminator loss": [0.5, 0.4], "Generator loss": [0.6, 0.7]},
        [1, 2],
    ),
    "tensors in a dict": (
        [
            "10 {'d_loss': tensor(0.5, device='cuda:0', grad_fn=<AddBackward0>), 'g_loss': tensor(0.6)}",
            "20 {'d_loss': tensor(0.4, device='cuda:0', grad_fn=<AddBackward0>), 'g_loss': tensor(0.7)}",
        ],
        {"d_loss": [0.5, 0.4], "g_loss": [0.6, 0.7]},
        [10, 20],
    ),
    "tensorflow estimator": (
        [
            "INFO:tensorflow:discriminator_loss = 0.5, generator_loss = 1.5, step = 100 (12.3 sec)",
            "INFO:tensorflow:discriminator_loss = 0.4, generator_loss = 1.6, step = 200 (12.3 sec)",
        ],
        {"discriminator_loss": [0.5, 0.4], "generator_loss": [1.5, 1.6]},
        [100, 200],
    ),
    "absl": (
        [
            "I0501 12:00:00.123456 140 train.py:50] step 100, d_loss 0.5, g_loss 0.6",
            "I0501 12:00:09.1 140 train.py:50] step 200, d_loss 0.4, g_loss 0.7",
        ],
        {"d_loss": [0.5, 0.4], "g_loss": [0.6, 0.7]},
        [100, 200],
    ),
    "espnet": (
        [
            "[host] 2021-05-01 12:00:00,1 (trainer:653) INFO: 1epoch:train:1-100batch: iter_time=0.1, generator_loss=30.2, discriminator_loss=2.1",
            "[host] 2021-05-01 12:09:00,1 (trainer:653) INFO: 1epoch:train:101-200batch: iter_time=0.1, generator_loss=30.1, discriminator_loss=2.2",
        ],
        {"generator_loss": [30.2, 30.1], "discriminator_loss": [2.1, 2.2]},
        [100, 200],
    ),
    "mnist example": (
        [
            "Train Epoch: 1 [0/60000 (0%)]\tLoss_D: 0.69\tLoss_G: 0.7",
            "Train Epoch: 1 [1280/60000 (2%)]\tLoss_D: 0.68\tLoss_G: 0.71",
        ],
        {"Loss_D": [0.69, 0.68], "Loss_G": [0.7, 0.71]},
        [0, 1280],
    ),
    "rosinality": (
        [
            "d: 1.0312; g: 0.8123; r1: 0.0312; path: 0.0021; mean path: 0.1123; augment: 0.0000",
            "d: 1.0; g: 0.8; r1: 0.03; path: 0.002; mean path: 0.11; augment: 0.1",
        ],
        {"d": [1.0312, 1.0], "g": [0.8123, 0.8], "mean path": [0.1123, 0.11]},
        [0, 1],
    ),
    "lucidrains": (
        [
            "G: 0.12 | D: 1.91 | GP: 0.03 | SS: 0.21",
            "G: 0.13 | D: 1.92 | SS: 0.22 | FID: 91.20",
            "G: 0.14 | D: 1.93 | SS: 0.23",
        ],
        {"G": [0.12, 0.13, 0.14], "D": [1.91, 1.92, 1.93], "FID": [91.2]},
        [0, 1, 2],
    ),
    "list in brackets": (
        [
            "[0] [Epoch 0/50] [Batch 0/19] [D loss: 1.47] [G loss: 1.07] [C loss: [0.69, 0.68]]",
            "[0] [Epoch 1/50] [Batch 0/19] [D loss: 0.31] [G loss: 2.24] [C loss: [0.58, 0.67]]",
        ],
        {"D loss": [1.47, 0.31], "G loss": [1.07, 2.24], "C loss[0]": [0.69, 0.58], "C loss[1]": [0.68, 0.67]},
        [0, 1],
    ),
    "notebook records of two lines": (
        [
            "Epoch   1/ 20",
            "      Iter    0/ 792 [1.7162s] \t D_loss:   3.3427 | G_loss:  52.1026 | D(x):   0.6825 | D(G(z)):   0.8140 /   0.0000",
            "      Iter   50/ 792 [1.6572s] \t D_loss: 100.0000 | G_loss:   0.0000 | D(x):   1.0000 | D(G(z)):   1.0000 /   1.0000",
            "Epoch   2/ 20",
            "      Iter    0/ 792 [1.6484s] \t D_loss: 100.0000 | G_loss:   0.0000 | D(x):   1.0000 | D(G(z)):   1.0000 /   1.0000",
        ],
        {"D_loss": [3.3427, 100, 100], "G_loss": [52.1026, 0, 0], "D(x)": [0.6825, 1, 1], "D(G(z)) (2)": [0, 1, 1]},
        [0, 50, 792],
    ),
    "libtorch": (
        [
            "[ 1/30][ 10/ 15] D_loss: 0.3891 | G_loss: 6.4900",
            "-> checkpoint 2",
            "Checkpoint!!",
            "[ 2/30][  5/ 15] D_loss: 0.3844 | G_loss: 7.1964",
        ],
        {"D_loss": [0.3891, 0.3844], "G_loss": [6.49, 7.1964]},
        [10, 20],
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_of_line(name: str) -> None:
    lines, expected, steps = SHAPES[name]
    reading = of(*lines)
    got = series(reading)
    for tag, values in expected.items():
        assert tag in got, list(got)
        np.testing.assert_allclose(got[tag][1], values, err_msg=tag)
    assert got[next(iter(expected))][0] == steps


NOISE = ("time", "data", "eta", "elapsed", "sec", "memory", "Progress", "it/s", "train.py", "tick")


@pytest.mark.parametrize("name", SHAPES)
def test_clocks_and_counters_are_no_metrics(name: str) -> None:
    got = series(of(*SHAPES[name][0]))
    assert not [t for t in got if t in NOISE or "epoch" in t.lower() or "iter" in t.lower()]
