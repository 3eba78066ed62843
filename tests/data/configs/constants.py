"""Hyper-parameters of the faces GAN."""

import os

IMAGE_SIZE = 64
BATCH_SIZE: int = 4  # per GPU
LATENT_DIM, CHANNELS = 2, 3
LR_G = 1e-4
LR_D = 1e-2  # four times G's? LR_D = 4e-4
BETAS = (0.9, 0.999)
LOSS = "vanilla"
DATA_DIR = os.path.join(os.sep, "data", f"faces-{IMAGE_SIZE}")
USE_SN = False
