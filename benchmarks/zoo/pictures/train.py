"""One picture training, from settings to a neutral record; on a CPU or a GPU.

Everything stays on the device: the pictures, and every step's scalars until the next look.
"""

from __future__ import annotations

import math
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from torch.nn import functional as F  # noqa: N812

from benchmarks.zoo.games import GAMES
from benchmarks.zoo.pictures import networks
from benchmarks.zoo.pictures.measure import Bench, Examiner, unit
from benchmarks.zoo.pictures.records import Record

if TYPE_CHECKING:
    from collections.abc import Collection

    from torch import Tensor

    from benchmarks.zoo.pictures.settings import Settings

LOOKS: Final = 20  # measurements a run
GRIDS: Final = 8
TILES: Final = 25
TOLD: Final = frozenset({"measured", "fid", "drawn"})
FID_EVERY: Final = 2  # series like a FID: so many values between two looks
EPOCH: Final = 64  # iterations, for rates that decay by epoch
MISSING: Final = 3  # classes that `class-missing` lacks
AUTOENCODING: Final = ("translation", "super-resolution", "autoencoder")


class Relativistic:
    """D says how much more real a picture looks than the others' mean (arXiv:1807.00734)."""

    @staticmethod
    def judged(real: Tensor, fake: Tensor, label: float) -> tuple[Tensor, Tensor]:
        """D's two terms."""
        ones = torch.full_like(real, label)
        return (
            F.binary_cross_entropy_with_logits(real - fake.mean(), ones),
            F.binary_cross_entropy_with_logits(fake - real.mean(), torch.zeros_like(fake)),
        )

    @staticmethod
    def fooled(real: Tensor, fake: Tensor) -> Tensor:
        """G's loss."""
        return (
            F.binary_cross_entropy_with_logits(fake - real.mean(), torch.ones_like(fake))
            + F.binary_cross_entropy_with_logits(real - fake.mean(), torch.zeros_like(real))
        ) / 2


class Training:
    """One run.

    Parameters
    ----------
    settings : dict
    bench : Bench
        Of the settings' data set; shared by the runs of a process.
    """

    def __init__(self, settings: Settings, bench: Bench) -> None:
        c = self.c = settings
        self.bench, self.device, self.bug = bench, bench.device, c["code.bug"]
        torch.manual_seed(c["seed"])
        data = bench.data
        shape = (data.channels, data.size, data.classes)
        self.relativistic = c["loss.name"] == "relativistic"
        self.game = GAMES["nonsaturating" if self.relativistic else c["loss.name"]]
        self.G = networks.generator(c, *shape).to(self.device)
        self.D = networks.discriminator(c, *shape).to(self.device)
        self.opt_g = networks.optimizer(c, "generator", self.G)
        self.opt_d = networks.optimizer(c, "discriminator", self.D)
        self.weights_g, self.weights_d = list(self.G.parameters()), list(self.D.parameters())
        self.averaged: Any = None
        if c["schedule.ema"]:
            self.averaged = networks.generator(c, *shape).to(self.device)
            self.averaged.load_state_dict(self.G.state_dict())
        self._load_pool()
        self.examiner = self._examiner()
        self.leak: list[Tensor] = []
        self.nothing = torch.zeros((), device=self.device)
        self.names: list[str] = []
        self.rows: list[Tensor] = []
        self.fetched: list[np.ndarray[Any, Any]] = []
        self.rates: list[tuple[float, float]] = []

    def _load_pool(self) -> None:
        data = self.bench.data
        labels = torch.as_tensor(data.train_labels)
        keep = torch.arange(len(labels))
        if self.bug == "class-missing":
            keep = keep[labels >= MISSING]
        keep = keep[: self.c["data.samples"]]
        self.pool = self._to_gan(unit(data.train)[keep].to(self.device))
        self.pool_labels = labels[keep].to(self.device)

    def _examiner(self) -> Examiner:
        own = torch.Generator().manual_seed(12345)
        data = self.bench.data
        held_out = self._to_gan(self.bench.real)
        labels = torch.as_tensor(data.held_out_labels).to(self.device)
        noise = torch.randn(len(held_out), self.c["latent_dim"], generator=own).to(self.device)
        given = self._given(held_out, labels, noise)
        return Examiner(
            self.bench,
            given=given,
            context=self._context,
            fake_context=self._context(held_out, labels),
            fool=self.game.fool,
            to_gan=self._to_gan,
            to_unit=self._to_unit,
            target=self.bench.real if self.c["task"] in AUTOENCODING else None,
        )

    # ------------------------------------------------------------------------------------ the tasks

    def _given(self, real: Tensor, labels: Tensor, noise: Tensor) -> tuple[Tensor, ...]:
        """What G gets for a batch."""
        match self.c["task"]:
            case "conditional":
                return noise, labels
            case "translation":
                return (self._edges(real),)
            case "super-resolution":
                return (F.avg_pool2d(real, 4),)
            case "autoencoder":
                return (real,)
            case _:
                return (noise,)

    def _context(self, real: Tensor, labels: Tensor) -> Tensor | None:
        """What D sees beside a picture."""
        match self.c["task"]:
            case "conditional":
                return labels
            case "translation":
                return self._edges(real)
            case _:
                return None

    def _edges(self, real: Tensor) -> Tensor:
        """Where brightness changes, in the players' range."""
        grey = self._to_unit(real).mean(dim=1, keepdim=True)
        across = (grey[..., :, 1:] - grey[..., :, :-1]).abs()
        down = (grey[..., 1:, :] - grey[..., :-1, :]).abs()
        edges = F.pad(across, (0, 1)) + F.pad(down, (0, 0, 0, 1))
        return self._to_gan((edges > 0.25).float() * 2 - 1)

    def _to_gan(self, x: Tensor) -> Tensor:
        low, high = self.c["data.low"], self.c["data.high"]
        return low + (x + 1) / 2 * (high - low)

    def _to_unit(self, x: Tensor) -> Tensor:
        low, high = self.c["data.low"], self.c["data.high"]
        return (x - low) / (high - low) * 2 - 1

    # ---------------------------------------- what D is shown

    def _shown_real(self, x: Tensor) -> Tensor:
        """Real pictures as D gets them, with what the mistakes of the loop do to them."""
        if self.bug == "raw-real":
            x = (self._to_unit(x) + 1) * 127.5
        elif self.bug == "augment-real-only":
            turn = int(torch.randint(4, ()))
            x = torch.rot90(x, turn, (2, 3))
        elif self.bug == "padding-real-only":
            x = F.pad(x[..., 3:-3, 3:-3], (3, 3, 3, 3), value=self.c["data.high"])
        return self._noisy(x)

    def _shown_fake(self, x: Tensor) -> Tensor:
        if self.bug == "padding-real-only":
            x = F.pad(x[..., 3:-3, 3:-3], (3, 3, 3, 3), value=self.c["data.low"])
        return self._noisy(x)

    def _noisy(self, x: Tensor) -> Tensor:
        level = self.c["loss.instance_noise"]
        return x + level * torch.randn_like(x) if level else x

    def _batch(self) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
        size = self.c["batch_size"]
        at = torch.randint(len(self.pool), (size,), device=self.device)
        real, labels = self.pool[at], self.pool_labels[at]
        noise = torch.randn(size, self.c["latent_dim"], device=self.device)
        return real, labels, self._given(real, labels, noise)

    # ---------------------------------------- the steps

    def _update_d(self) -> dict[str, Tensor]:
        c = self.c
        real, labels, given = self._batch()
        context = self._context(real, labels)
        leaks = self.bug == "not-detached"
        with torch.set_grad_enabled(leaks):
            fake = self.G(*given)
        real, fake = self._shown_real(real), self._shown_fake(fake)
        on_real, on_fake = self.D(real, context), self.D(fake, context)
        of_real, of_fake = self._judged(on_real, on_fake)
        loss = of_real + of_fake
        if c["loss.reduction"] == "mean":
            loss = loss / 2
        seen = {"d_loss_real": of_real, "d_loss_fake": of_fake}
        if c["loss.gp_weight"] or c["loss.name"] == "wgan-gp":
            seen["gp"] = self._penalty(real, fake, context)
            loss = loss + c["loss.gp_weight"] * seen["gp"]
        if c["loss.r1_gamma"]:
            seen["r1"] = self._slope(real, context)
            loss = loss + c["loss.r1_gamma"] / 2 * seen["r1"]
        wanted = self.weights_d + (self.weights_g if leaks else [])
        gradients = torch.autograd.grad(loss, wanted, allow_unused=True)
        if leaks:
            self.leak = list(gradients[len(self.weights_d) :])
        stepped = self.bug != "d-not-stepped"
        own = list(gradients[: len(self.weights_d)])
        norm = self._descend(self.opt_d, self.weights_d, own, stepped=stepped)
        if c["loss.clip_value"]:
            with torch.no_grad():
                torch._foreach_clamp_min_(self.weights_d, -c["loss.clip_value"])
                torch._foreach_clamp_max_(self.weights_d, c["loss.clip_value"])
        shown_real, shown_fake = self.game.shown(on_real), self.game.shown(on_fake)
        middle = (
            0.5 if c["loss.name"] in ("nonsaturating", "minimax", "lsgan", "relativistic") else 0.0
        )
        return seen | {
            "d_loss": loss,
            "d_real": shown_real.mean(),
            "d_fake": shown_fake.mean(),
            "acc_real": (shown_real > middle).float().mean(),
            "acc_fake": (shown_fake < middle).float().mean(),
            "grad_norm_d": norm,
        }

    def _judged(self, on_real: Tensor, on_fake: Tensor) -> tuple[Tensor, Tensor]:
        label = self.c["loss.real_label"]
        if self.bug == "labels-swapped":
            on_real, on_fake = on_fake, on_real
        if self.relativistic:
            return Relativistic.judged(on_real, on_fake, label)
        return self.game.real(on_real, label), self.game.fake(on_fake)

    def _penalty(self, real: Tensor, fake: Tensor, context: Tensor | None) -> Tensor:
        """Mean squared deviation of D's slope from 1 (arXiv:1704.00028)."""
        share = torch.rand(len(real), 1, 1, 1, device=self.device)
        between = (share * real + (1 - share) * fake.detach()).requires_grad_(True)
        scores = self.D(between, context).sum()
        (slope,) = torch.autograd.grad(scores, between, create_graph=True)
        return (slope.flatten(1).norm(2, dim=1) - 1.0).square().mean()

    def _slope(self, real: Tensor, context: Tensor | None) -> Tensor:
        """Mean squared slope of D at real pictures (arXiv:1801.04406)."""
        real = real.detach().requires_grad_(True)
        scores = self.D(real, context).sum()
        (slope,) = torch.autograd.grad(scores, real, create_graph=True)
        return slope.flatten(1).square().sum(dim=1).mean()

    def _update_g(self, step: int) -> dict[str, Tensor]:
        c = self.c
        real, labels, given = self._batch()
        context = self._context(real, labels)
        fake = self.G(*given)
        on_fake = self.D(self._shown_fake(fake), context)
        if self.relativistic:
            adversarial = Relativistic.fooled(self.D(self._shown_real(real), context), on_fake)
        else:
            adversarial = self.game.fool(on_fake)
        seen = {"g_adv": adversarial, "d_fake_g": self.game.shown(on_fake).mean()}
        weight: Any = c["loss.adv_weight"] if step > c["loss.d_start"] else 0.0
        loss: Any = weight * adversarial
        if c["task"] in AUTOENCODING:
            pixel = (fake - real).abs().mean()
            seen["pixel"] = pixel
            if c["loss.adaptive"]:
                weight = weight * self._adaptive(pixel, adversarial)
                seen["d_weight"] = torch.as_tensor(weight, device=self.device)
            loss = c["loss.pixel_weight"] * pixel + weight * adversarial
        gradients = list(torch.autograd.grad(loss, self.weights_g, allow_unused=True))
        if self.leak:
            gradients = [a + b for a, b in zip(gradients, self.leak, strict=True)]
        stepped = self.bug != "g-not-stepped"
        norm = self._descend(self.opt_g, self.weights_g, gradients, stepped=stepped)
        spread = fake.detach().var(dim=0, correction=0).mean()
        return seen | {"g_loss": loss, "grad_norm_g": norm, "sample_variance": spread}

    def _adaptive(self, pixel: Tensor, adversarial: Tensor) -> Tensor:
        """Ratio of the gradients at G's last layer (arXiv:2012.09841)."""
        last = self.G.last.weight
        (of_pixel,) = torch.autograd.grad(pixel, last, retain_graph=True)
        (of_adversarial,) = torch.autograd.grad(adversarial, last, retain_graph=True)
        return (of_pixel.norm() / (of_adversarial.norm() + 1e-4)).clamp(0, 1e4).detach()

    def _descend(
        self,
        optimizer: torch.optim.Optimizer,
        weights: list[Tensor],
        gradients: list[Any],
        *,
        stepped: bool,
    ) -> Tensor:
        """One optimiser step; the gradient norm before clipping."""
        for weight, gradient in zip(weights, gradients, strict=True):
            weight.grad = gradient
        known = [g for g in gradients if g is not None]
        norm = torch.nn.utils.get_total_norm(known, foreach=True)
        ceiling = self.c["schedule.grad_clip"]
        if ceiling:
            torch.nn.utils.clip_grads_with_norm_(weights, ceiling, norm, foreach=True)
        if stepped:
            optimizer.step()
        return norm

    def _set_rates(self, step: int) -> tuple[float, float]:
        c, factor = self.c, 1.0
        if c["schedule.lr_decay"] == "linear":
            factor = 1 - 0.9 * step / c["iterations"]
        elif c["schedule.lr_decay"] == "exponential":
            often = step if self.bug == "scheduler-per-iteration" else step // EPOCH
            factor = c["schedule.lr_gamma"] ** often
        rates = []
        for player, optimizer in (("generator", self.opt_g), ("discriminator", self.opt_d)):
            rates.append(c[f"{player}.optimizer.lr"] * factor)
            optimizer.param_groups[0]["lr"] = rates[-1]
        return rates[0], rates[1]

    def _average(self, step: int) -> None:
        if self.averaged is None:
            return
        decay = min(self.c["schedule.ema"], (1 + step) / (10 + step))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.averaged.parameters()), self.weights_g, 1 - decay)
            for slow, fast in zip(self.averaged.buffers(), self.G.buffers(), strict=True):
                slow.copy_(fast)

    # ---------------------------------------- the run

    def run(self, told: Collection[str] = TOLD) -> Record:
        """Train to the end; the training is the same whatever is told of it.

        Parameters
        ----------
        told : collection of str
            What to find out on the way: ``measured``, ``fid``, ``drawn``.
        """
        c, begun = self.c, time.perf_counter()
        n = c["iterations"]
        looks = {max(1, round(n * (i + 1) / LOOKS)) for i in range(LOOKS)}
        marks = {max(1, round(n * (i + 1) / (LOOKS * FID_EVERY))) for i in range(LOOKS * FID_EVERY)}
        shown = {max(1, round(n * (i + 1) / GRIDS)) for i in range(GRIDS)}
        record = Record(settings=dict(c))
        for step in range(1, n + 1):
            self.rates.append(self._set_rates(step))
            seen: dict[str, Tensor] = {}
            for _ in range(c["schedule.d_updates"]):
                seen |= self._update_d()
            for _ in range(c["schedule.g_updates"]):
                seen |= self._update_g(step)
            self._average(step)
            self.names = self.names or list(seen)
            self.rows.append(
                torch.stack([seen[k].detach().reshape(()).float() for k in self.names])
            )
            if step in looks | marks | shown:
                self._fetch()
                wanted = {"measured": step in looks, "fid": True, "drawn": step in shown}
                self._look(step, record, {w for w in told if wanted[w]})
                if step >= n // 4 and self.bug == "evaluation-mode":
                    self.G.eval()
        table = np.concatenate(self.fetched)
        record.series = {name: table[:, i] for i, name in enumerate(self.names)}
        rates = np.array(self.rates, dtype=np.float32)
        record.series |= {"lr_g": rates[:, 0], "lr_d": rates[:, 1]}
        record.weights = {
            f"{player}.{name}": value.detach().cpu().numpy()
            for player, net in (("generator", self.averaged or self.G), ("discriminator", self.D))
            for name, value in net.state_dict().items()
        }
        record.about |= {"seconds": round(time.perf_counter() - begun, 2), "device": self.device}
        return record

    def _fetch(self) -> None:
        if self.rows:
            self.fetched.append(torch.stack(self.rows).cpu().numpy())
            self.rows.clear()

    def _look(self, step: int, record: Record, wanted: Collection[str]) -> None:
        if not wanted:
            return
        net = self.averaged or self.G
        training = net.training
        net.eval()
        features = None
        if "measured" in wanted:
            moment, x = self.examiner.measure(step, net, self.D)
            record.moments.append(asdict(moment))
            features = self.examiner.features if moment.finite else None
        else:
            x = self._to_unit(self.examiner.samples(net))
            if "fid" in wanted and bool(torch.isfinite(x).all()):
                features = self.bench.see(x[::2].clamp(-4, 4))[0]
        net.train(training)
        if "fid" in wanted:  # a series like people's own, on half of the samples
            known = None if features is None else features[: len(x) // 2]
            value = self.bench.frechet(known) if known is not None else math.nan
            record.frechet.append((step, float(f"{value:.5g}")))
        if "drawn" in wanted:
            tiles = torch.nan_to_num(x[:TILES]).clamp(-1, 1)
            record.draw(step, ((tiles + 1) * 127.5).round().byte().cpu().numpy())


def real_tiles(bench: Bench) -> np.ndarray[Any, Any]:
    """As many real pictures as a grid shows."""
    return np.asarray(bench.data.held_out[:TILES])
