"""The players on pictures: small convolutional nets, configurable enough to be broken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from benchmarks.zoo.networks import ACTIVATIONS

if TYPE_CHECKING:
    from torch import Tensor

    from benchmarks.zoo.pictures.settings import Settings


class Decoder(nn.Module):
    """A vector, or a vector and a class -> picture."""

    def __init__(self, c: Settings, channels: int, size: int, classes: int) -> None:
        super().__init__()
        w, self.low = c["generator.width"], size // 4
        self.classes = classes if c["task"] == "conditional" else 0
        self.register_buffer("codes", torch.eye(max(classes, 1)), persistent=False)
        self.start = nn.Linear(c["latent_dim"] + self.classes, 2 * w * self.low**2)
        self.body = nn.Sequential(
            *_normed(c, 2 * w), nn.ConvTranspose2d(2 * w, w, 4, 2, 1), *_normed(c, w)
        )
        self.last = nn.ConvTranspose2d(w, channels, 4, 2, 1)
        self.out = ACTIVATIONS[c["generator.output"]]()

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        if self.classes:
            z = torch.cat([z, self.codes[labels]], dim=1)
        x = self.start(z).view(len(z), -1, self.low, self.low)
        return self.out(self.last(self.body(x)))


class Translator(nn.Module):
    """Edges -> picture: two halvings, two doublings, joined across."""

    def __init__(self, c: Settings, channels: int) -> None:
        super().__init__()
        w = c["generator.width"]
        self.down1 = nn.Sequential(nn.Conv2d(1, w, 4, 2, 1), *_normed(c, w))
        self.down2 = nn.Sequential(nn.Conv2d(w, 2 * w, 4, 2, 1), *_normed(c, 2 * w))
        self.middle = nn.Sequential(nn.Conv2d(2 * w, 2 * w, 3, 1, 1), *_normed(c, 2 * w))
        self.up = nn.Sequential(nn.ConvTranspose2d(2 * w, w, 4, 2, 1), *_normed(c, w))
        self.last = nn.ConvTranspose2d(2 * w, channels, 4, 2, 1)
        self.out = ACTIVATIONS[c["generator.output"]]()

    def forward(self, x: Tensor) -> Tensor:
        high = self.down1(x)
        low = self.up(self.middle(self.down2(high)))
        return self.out(self.last(torch.cat([low, high], dim=1)))


class Upscaler(nn.Module):
    """A picture of a quarter of the side -> the picture."""

    def __init__(self, c: Settings, channels: int) -> None:
        super().__init__()
        w = c["generator.width"]
        self.body = nn.Sequential(
            nn.Conv2d(channels, w, 3, 1, 1),
            *_normed(c, w),
            nn.Conv2d(w, w, 3, 1, 1),
            *_normed(c, w),
            nn.ConvTranspose2d(w, w, 4, 2, 1),
            *_normed(c, w),
        )
        self.last = nn.ConvTranspose2d(w, channels, 4, 2, 1)
        self.out = ACTIVATIONS[c["generator.output"]]()

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.last(self.body(x)))


class Autoencoder(nn.Module):
    """Picture -> code of an eighth of its numbers -> picture."""

    def __init__(self, c: Settings, channels: int) -> None:
        super().__init__()
        w, code = c["generator.width"], 2 * channels
        self.encoder = nn.Sequential(
            nn.Conv2d(channels, w, 4, 2, 1),
            *_normed(c, w),
            nn.Conv2d(w, 2 * w, 4, 2, 1),
            *_normed(c, 2 * w),
            nn.Conv2d(2 * w, code, 1),
        )
        self.decoder = nn.Sequential(
            nn.Conv2d(code, 2 * w, 3, 1, 1),
            *_normed(c, 2 * w),
            nn.ConvTranspose2d(2 * w, w, 4, 2, 1),
            *_normed(c, w),
        )
        self.last = nn.ConvTranspose2d(w, channels, 4, 2, 1)
        self.out = ACTIVATIONS[c["generator.output"]]()

    def forward(self, x: Tensor) -> Tensor:
        return self.out(self.last(self.decoder(self.encoder(x))))


class Judge(nn.Module):
    """D: picture, with its class or the edges it was made from -> one unbounded score."""

    def __init__(self, c: Settings, channels: int, size: int, classes: int) -> None:
        super().__init__()
        w, task = c["discriminator.width"], c["task"]
        self.sees_source = task == "translation"
        self.patches = task in ("translation", "autoencoder")
        layers: list[nn.Module] = [nn.Conv2d(channels + self.sees_source, w, 4, 2, 1)]
        layers += [ACTIVATIONS[c["discriminator.activation"]](), nn.Conv2d(w, 2 * w, 4, 2, 1)]
        layers += _judged(c, 2 * w)
        if self.patches:
            layers.append(nn.Conv2d(2 * w, 1, 3, 1, 1))
        else:
            layers += [nn.Conv2d(2 * w, 2 * w, 3, 2, 1), *_judged(c, 2 * w), nn.Flatten()]
        self.body = nn.Sequential(*layers)
        flat = 2 * w * ((size // 4 + 1) // 2) ** 2
        self.score = nn.Identity() if self.patches else nn.Linear(flat, 1)
        self.embed = nn.Embedding(classes, flat) if task == "conditional" else None
        if self.embed is not None:
            nn.init.normal_(self.embed.weight, std=0.02)

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """Scores of shape (n, 1); the mean over patches where there are patches."""
        if self.sees_source:
            x = torch.cat([x, context], dim=1)
        features = self.body(x)
        if self.patches:
            return features.mean(dim=(2, 3))
        scores = self.score(features)
        if self.embed is not None:
            scores = scores + (self.embed(context) * features).sum(dim=1, keepdim=True)
        return scores


def generator(c: Settings, channels: int, size: int, classes: int) -> nn.Module:
    """G of the task."""
    match c["task"]:
        case "translation":
            net: nn.Module = Translator(c, channels)
        case "super-resolution":
            net = Upscaler(c, channels)
        case "autoencoder":
            net = Autoencoder(c, channels)
        case _:
            net = Decoder(c, channels, size, classes)
    _scaled(net, c["generator.init_gain"])
    if c["generator.init_bias"]:
        with torch.no_grad():
            for module in net.modules():
                if isinstance(module, nn.BatchNorm2d | nn.ConvTranspose2d | nn.Linear):
                    module.bias.add_(c["generator.init_bias"])
            net.last.bias.zero_()
    return net


def discriminator(c: Settings, channels: int, size: int, classes: int) -> nn.Module:
    """D of the task."""
    net = Judge(c, channels, size, classes)
    _scaled(net, c["discriminator.init_gain"])
    if c["discriminator.norm"] == "spectral":
        for module in list(net.modules()):
            if isinstance(module, nn.Conv2d | nn.Linear):
                spectral_norm(module)
    return net


def optimizer(c: Settings, player: str, net: nn.Module) -> torch.optim.Optimizer:
    """The player's own optimiser."""
    at = f"{player}.optimizer."
    lr, betas = c[at + "lr"], (c[at + "beta1"], c[at + "beta2"])
    match c[at + "name"]:
        case "adam":
            return torch.optim.Adam(net.parameters(), lr=lr, betas=betas, fused=True)
        case "rmsprop":
            return torch.optim.RMSprop(net.parameters(), lr=lr, foreach=True)
        case "sgd":
            return torch.optim.SGD(net.parameters(), lr=lr, momentum=betas[0], foreach=True)
        case other:
            raise ValueError(f"{at}name: {other} is none of adam, rmsprop, sgd")


def _normed(c: Settings, width: int) -> list[nn.Module]:
    layers: list[Any] = [nn.BatchNorm2d(width)] if c["generator.norm"] == "batch" else []
    return [*layers, ACTIVATIONS[c["generator.activation"]]()]


def _judged(c: Settings, width: int) -> list[nn.Module]:
    layers: list[nn.Module] = []
    if c["discriminator.norm"] == "batch":
        layers.append(nn.BatchNorm2d(width))
    layers.append(ACTIVATIONS[c["discriminator.activation"]]())
    if c["discriminator.dropout"]:
        layers.append(nn.Dropout(c["discriminator.dropout"]))
    return layers


def _scaled(net: nn.Module, gain: float) -> None:
    if gain == 1.0:
        return
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
                module.weight.mul_(gain)
