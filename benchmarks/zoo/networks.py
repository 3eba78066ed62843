"""The two players: small perceptrons, configurable enough to be broken in the usual ways."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.zoo.config import Config

ACTIVATIONS: Final[dict[str, Callable[[], nn.Module]]] = {
    "relu": nn.ReLU,
    "lrelu": lambda: nn.LeakyReLU(0.2),
    "elu": nn.ELU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "linear": nn.Identity,
}
# Where an output activation confines the samples.
REACH: Final[dict[str, tuple[float, float]]] = {
    "tanh": (-1.0, 1.0),
    "sigmoid": (0.0, 1.0),
    "relu": (0.0, float("inf")),
}


def generator(config: Config, dim: int) -> nn.Sequential:
    """G: latent vector -> sample of `dim` numbers."""
    net = _perceptron(config, "generator", config["latent_dim"], dim)
    net.append(ACTIVATIONS[config["generator.output"]]())
    with torch.no_grad():  # a bias far below zero kills rectified units from the start
        for layer in _linear(net)[:-1]:
            layer.bias.add_(config["generator.init_bias"])
    return net


def discriminator(config: Config, dim: int) -> nn.Sequential:
    """D: sample -> one unbounded score."""
    net = _perceptron(config, "discriminator", dim, 1)
    if config["discriminator.spectral_norm"]:
        for layer in _linear(net):
            spectral_norm(layer)
    return net


def optimizer(config: Config, player: str, net: nn.Module) -> torch.optim.Optimizer:
    """The player's own optimiser."""
    at = f"{player}.optimizer."
    lr, beta1, beta2 = config[at + "lr"], config[at + "beta1"], config[at + "beta2"]
    match config[at + "name"]:
        case "adam":
            return torch.optim.Adam(net.parameters(), lr=lr, betas=(beta1, beta2), fused=True)
        case "rmsprop":
            return torch.optim.RMSprop(net.parameters(), lr=lr)
        case "sgd":
            return torch.optim.SGD(net.parameters(), lr=lr, momentum=beta1)
        case other:
            raise ValueError(f"{at}name: {other} is none of adam, rmsprop, sgd")


def _perceptron(config: Config, player: str, width_in: int, width_out: int) -> nn.Sequential:
    hidden, dropout = config[f"{player}.hidden"], config.get(f"{player}.dropout", 0.0)
    net = nn.Sequential()
    for _ in range(config[f"{player}.layers"]):
        net.append(nn.Linear(width_in, hidden))
        if config.get(f"{player}.batch_norm"):
            net.append(nn.BatchNorm1d(hidden))
        net.append(ACTIVATIONS[config[f"{player}.activation"]]())
        if dropout:
            net.append(nn.Dropout(dropout))
        width_in = hidden
    net.append(nn.Linear(width_in, width_out))
    gain = config[f"{player}.init_gain"]
    if gain != 1.0:
        with torch.no_grad():
            for layer in _linear(net):
                layer.weight.mul_(gain)
    return net


def _linear(net: nn.Sequential) -> list[nn.Linear]:
    return [layer for layer in net if isinstance(layer, nn.Linear)]
