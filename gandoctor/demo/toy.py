"""A GAN of small perceptrons for points of a plane, trained as its config says.

Its run looks as runs do: a config, a log, arrays of samples beside real data, a checkpoint.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gandoctor.errors import InputError
from gandoctor.probe.backend import torch
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    Config = Mapping[str, Any]

MODES: Final = 8
WIDTH: Final = 0.06  # deviation of a mode
SHOWN: Final = 256  # samples that are kept at a look
LOOKS: Final = 12
LOG_EVERY: Final = 5


@dataclass(frozen=True, slots=True, eq=False)
class Film:
    """How the samples moved.

    Attributes
    ----------
    real : ndarray, shape (n, 2)
    steps : tuple of int
    frames : tuple of ndarray, shape (n, 2) each
    """

    real: NDArray[np.float32]
    steps: tuple[int, ...]
    frames: tuple[NDArray[np.float32], ...]


def ring(count: int, generator: Any) -> Any:
    """Points of eight modes on a circle."""
    t = torch()
    angle = t.randint(MODES, (count,), generator=generator) * (2 * math.pi / MODES)
    centres = t.stack([angle.cos(), angle.sin()], 1)
    return centres + WIDTH * t.randn(count, 2, generator=generator)


class Toy:
    """One training.

    Parameters
    ----------
    config : Mapping
        Nested, as read from the demo's YAML.
    """

    def __init__(self, config: Config) -> None:
        t = torch("the demo")
        self.config = config
        self.own = t.Generator().manual_seed(int(config["seed"]))
        t.manual_seed(int(config["seed"]))
        self.G = _perceptron(config["generator"], int(config["latent_dim"]), 2)
        self.D = _perceptron(config["discriminator"], 2, 1)
        self.opt_g = _optimizer(config["generator"]["optimizer"], self.G)
        self.opt_d = _optimizer(config["discriminator"]["optimizer"], self.D)
        self.data = ring(20_000, self.own)
        self.real = ring(SHOWN, self.own)
        self.z = t.randn(SHOWN, int(config["latent_dim"]), generator=self.own)
        self.game = _game(str(config["loss"]["name"]))
        self.rows: list[str] = []

    def run(self, told: Callable[[float], None] = lambda share: None) -> Film:
        """Train to the end."""
        t = torch()
        threads = t.get_num_threads()
        t.set_num_threads(1)  # nets this small are slower on several
        try:
            return self._run(told)
        finally:
            t.set_num_threads(threads)

    def _run(self, told: Callable[[float], None]) -> Film:
        steps = int(self.config["iterations"])
        looks = sorted({max(1, round(steps * (i + 1) / LOOKS)) for i in range(LOOKS)})
        film: list[Any] = [self._look()]
        for step in range(1, steps + 1):
            seen = self._step()
            if step % LOG_EVERY == 0 or step == 1:
                self.rows.append(",".join([str(step), *(f"{v:.6g}" for v in seen)]))
            if step in looks:
                film.append(self._look())
                told(step / steps)
        return Film(self.real.numpy(), (0, *looks), tuple(film))

    def save(self, out: Path, film: Film) -> None:
        """Leave behind what trainings do: log, samples, weights."""
        t = torch()
        (out / "samples").mkdir(parents=True, exist_ok=True)
        head = "step,d_loss,g_loss,D(x),D(G(z)),grad_norm_d,grad_norm_g"
        (out / "metrics.csv").write_text("\n".join([head, *self.rows]) + "\n", "utf-8")
        np.save(out / "samples" / "real.npy", film.real)
        for step, frame in zip(film.steps, film.frames, strict=True):
            if step:
                np.save(out / "samples" / f"fake_{step:06d}.npy", frame)
        state = {"G": self.G.state_dict(), "D": self.D.state_dict(), "step": film.steps[-1]}
        t.save(state, out / "last.pt")

    def _look(self) -> NDArray[np.float32]:
        with torch().no_grad():
            self.G.eval()
            made: NDArray[np.float32] = self.G(self.z).numpy().copy()
            self.G.train()
        return made

    def _noise(self) -> Any:
        shape = int(self.config["batch_size"]), int(self.config["latent_dim"])
        return torch().randn(*shape, generator=self.own)

    def _step(self) -> list[float]:
        t = torch()
        for _ in range(max(1, int(self.config["schedule"]["d_updates"]))):
            rows = t.randint(len(self.data), (int(self.config["batch_size"]),), generator=self.own)
            with t.no_grad():
                fake = self.G(self._noise())
            real = self.data[rows]
            of_real, of_fake = self.D(real), self.D(fake)
            d_loss = self.game[0](of_real, of_fake)
            weight = float(self.config["loss"]["gp_weight"])
            if weight:
                d_loss = d_loss + weight * self._penalty(real, fake)
            d_norm = self._descend(self.opt_d, self.D, d_loss)
            clip = float(self.config["loss"]["clip_value"])
            if clip:
                with t.no_grad():
                    for w in self.D.parameters():
                        w.clamp_(-clip, clip)
        g_loss = self.game[1](self.D(self.G(self._noise())))
        g_norm = self._descend(self.opt_g, self.G, g_loss)
        shown = self.game[2]
        return [
            float(v.detach())
            for v in (d_loss, g_loss, shown(of_real).mean(), shown(of_fake).mean(), d_norm, g_norm)
        ]

    def _penalty(self, real: Any, fake: Any) -> Any:
        t = torch()
        share = t.rand(len(real), 1, generator=self.own)
        between = (share * real + (1 - share) * fake).requires_grad_(True)
        (slope,) = t.autograd.grad(self.D(between).sum(), between, create_graph=True)
        return (slope.norm(2, dim=1) - 1).square().mean()

    def _descend(self, optimizer: Any, net: Any, loss: Any) -> Any:
        t = torch()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        own = [w.grad for w in net.parameters() if w.grad is not None]
        norm = t.stack([g.square().sum() for g in own]).sum().sqrt()
        most = float(self.config["schedule"]["grad_clip"])
        if most:
            t.nn.utils.clip_grad_norm_(net.parameters(), most)
        optimizer.step()
        return norm


def _perceptron(config: Config, width_in: int, width_out: int) -> Any:
    nn = torch().nn
    units = {
        "relu": nn.ReLU,
        "lrelu": lambda: nn.LeakyReLU(0.2),
        "leakyrelu": lambda: nn.LeakyReLU(0.2),
        "tanh": nn.Tanh,
        "sigmoid": nn.Sigmoid,
    }
    word = str(config["activation"]).lower()
    if word not in units:
        raise InputError(f"unknown activation {word!r}", "activation", ", ".join(units))
    layers: list[Any] = []
    for _ in range(int(config["layers"])):
        layers.append(nn.Linear(width_in, int(config["hidden"])))
        width_in = int(config["hidden"])
        if config.get("batch_norm"):
            layers.append(nn.BatchNorm1d(width_in))
        layers.append(units[word]())
    layers.append(nn.Linear(width_in, width_out))
    if config.get("spectral_norm"):
        norm = nn.utils.parametrizations.spectral_norm
        layers = [norm(x) if isinstance(x, nn.Linear) else x for x in layers]
    return nn.Sequential(*layers)


def _optimizer(config: Config, net: Any) -> Any:
    kinds = torch().optim
    name, lr = str(config["name"]).lower(), float(config["lr"])
    if name == "adam":
        return kinds.Adam(
            net.parameters(), lr, betas=(float(config["beta1"]), float(config["beta2"]))
        )
    if name == "rmsprop":
        return kinds.RMSprop(net.parameters(), lr)
    if name == "sgd":
        return kinds.SGD(net.parameters(), lr, momentum=float(config["beta1"]))
    raise InputError(f"unknown optimiser {name!r}", "optimizer.name", "adam, rmsprop or sgd")


def _game(name: str) -> tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any]]:
    """D's loss, G's loss, and what is logged of a score."""
    from gandoctor.probe.losses import LOGISTIC, game_of

    game = game_of(name, name)
    shown = torch().sigmoid if name in LOGISTIC else (lambda s: s)
    return game.of_d, game.of_g, shown
