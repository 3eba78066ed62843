"""Train one tiny GAN from a config, leave behind what trainings do, and measure how it turned out.

``python -m benchmarks.zoo.train --config C --out DIR [--set key=value ...]`` writes the run's log,
config and samples into DIR, and what was measured into ``DIR.truth.json`` beside it. One thread on
the CPU; the same config gives the same bytes.
"""

from __future__ import annotations

import argparse
import copy
import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from benchmarks.zoo import config as settings
from benchmarks.zoo import data as datasets
from benchmarks.zoo import logbook, measure, networks
from benchmarks.zoo.games import GAMES, gradient_penalty, slope_at_real

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.zoo.config import Config

BROKEN_ROWS: Final = 20  # logged after the first loss that is not finite: people notice late
FID_EVERY: Final = 10  # logged rows


class Training:
    """One training, as far as it goes.

    Parameters
    ----------
    config : dict
        A full config (`config.make`).

    Attributes
    ----------
    rows : list of (step, signal -> value)
        What was logged.
    moments : list of Moment
        What was measured.
    snapshots : dict of int to ndarray of float32
        Samples by step, as G makes them.
    checkpoints : dict of int to dict
        States of both players and optimisers by step.
    """

    def __init__(self, config: Config) -> None:
        torch.set_num_threads(1)
        # As `use_deterministic_algorithms`, which imports a compiler, a second and more.
        torch.set_deterministic_debug_mode("error")
        torch.manual_seed(config["seed"])
        self.config = config
        self.data = datasets.load(config["data.name"], config["data.samples"], config["seed"])
        self.game = GAMES[config["loss.name"]]
        self.pool = self._to_gan(torch.tensor(self.data.train, dtype=torch.float32))
        self.G = networks.generator(config, self.data.dim)
        self.D = networks.discriminator(config, self.data.dim)
        self.averaged = copy.deepcopy(self.G) if config["schedule.ema"] else None
        self.opt_g = networks.optimizer(config, "generator", self.G)
        self.opt_d = networks.optimizer(config, "discriminator", self.D)
        self.weights_g, self.weights_d = list(self.G.parameters()), list(self.D.parameters())
        self.halves = config["loss.reduction"] == "mean"
        self.bench = measure.Bench(self.data)
        self.examiner = measure.Examiner(
            self.bench, self.game, self._to_gan, self._to_unit, config["latent_dim"]
        )
        self.rows: list[tuple[int, dict[str, float]]] = []
        self.moments: list[measure.Moment] = []
        self.snapshots: dict[int, Any] = {}
        self.checkpoints: dict[int, dict[str, Any]] = {}

    def run(self) -> measure.Truth:
        """Train to the end, or until it has been broken for a while; return what was measured."""
        broken_at = self.train()
        losses = [
            abs(row[k])
            for _, row in self.rows
            for k in ("d_loss", "g_loss")
            if math.isfinite(row[k])
        ]
        return measure.judge(
            self.moments, self.config, self.data, max(losses, default=0.0), broken_at
        )

    def train(self, *, measured: bool = True) -> int | None:
        """As `run`, measured on the way or not; the step of the first loss that is not finite."""
        c = self.config
        steps, every = c["iterations"], c["log.every"]
        pause = max(steps // measure.MOMENTS, 1)
        keep = {round(steps * (i + 1) / c["log.snapshots"]) for i in range(c["log.snapshots"])}
        broken_at: int | None = None
        for step in range(1, steps + 1):
            self._set_rates(step / steps)
            seen = self._step(logged=step % every == 0 or step == 1)
            if seen:
                self.rows.append((step, self._row(seen)))
                if broken_at is None and not (
                    math.isfinite(seen["d_loss"]) and math.isfinite(seen["g_loss"])
                ):
                    broken_at = step
            if measured and step % pause == 0:
                self.moments.append(self.examiner.measure(step, self.averaged or self.G, self.D))
            if step in keep:
                self.snapshots[step] = self._samples()
            if c["log.checkpoints"] and step % (steps // 2) == 0:
                self.checkpoints[step] = self._state(step)
            if broken_at is not None and step >= broken_at + BROKEN_ROWS * every:
                break
        return broken_at

    # ------------------------------------------------------------------------------------- one step

    def _step(self, *, logged: bool) -> dict[str, float]:
        """Update both players; return what a logger sees, empty where nothing is logged."""
        c = self.config
        for i in range(c["schedule.d_updates"]):
            of_d = self._update_d(logged=logged and i == c["schedule.d_updates"] - 1)
        for i in range(c["schedule.g_updates"]):
            of_g = self._update_g(logged=logged and i == c["schedule.g_updates"] - 1)
        if self.averaged is not None:
            with torch.no_grad():
                for slow, fast in zip(self.averaged.parameters(), self.weights_g, strict=True):
                    slow.lerp_(fast, 1 - c["schedule.ema"])
                for slow, fast in zip(self.averaged.buffers(), self.G.buffers(), strict=True):
                    slow.copy_(fast)
        return of_d | of_g

    def _update_d(self, *, logged: bool) -> dict[str, float]:
        c = self.config
        real = self.pool[torch.randint(len(self.pool), (c["batch_size"],))]
        with torch.no_grad():
            fake = self.G(self._noise())
        on_real, on_fake = self.D(self._blur(real)), self.D(self._blur(fake))
        loss = self.game.real(on_real, c["loss.real_label"]) + self.game.fake(on_fake)
        if self.halves:
            loss = loss / 2
        penalty = None
        if c["loss.name"] == "wgan-gp":
            penalty = gradient_penalty(self.D, real, fake)
            loss = loss + c["loss.gp_weight"] * penalty
        if c["loss.r1_gamma"]:
            loss = loss + c["loss.r1_gamma"] / 2 * slope_at_real(self.D, real)
        norm = self._descend(self.opt_d, self.weights_d, loss, logged=logged)
        if c["loss.clip_value"]:
            with torch.no_grad():
                for weight in self.weights_d:
                    weight.clamp_(-c["loss.clip_value"], c["loss.clip_value"])
        if not logged:
            return {}
        seen = {
            "d_loss": loss,
            "d_real": self.game.shown(on_real).mean(),
            "d_fake": self.game.shown(on_fake).mean(),
            "grad_norm_d": norm,
        }
        if penalty is not None:
            seen["gp"] = penalty
        return {name: float(value.detach()) for name, value in seen.items()}

    def _update_g(self, *, logged: bool) -> dict[str, float]:
        fake = self.G(self._noise())
        loss = self.game.fool(self.D(self._blur(fake)))
        if self.halves and self.game.halves:
            loss = loss / 2
        norm = self._descend(self.opt_g, self.weights_g, loss, logged=logged)
        if not logged:
            return {}
        variance = fake.detach().var(dim=0, correction=0).mean()
        return {
            "g_loss": float(loss.detach()),
            "grad_norm_g": float(norm),
            "sample_variance": float(variance),
        }

    def _descend(
        self,
        optimizer: torch.optim.Optimizer,
        weights: list[torch.nn.Parameter],
        loss: torch.Tensor,
        *,
        logged: bool,
    ) -> torch.Tensor:
        """One optimiser step; returns the gradient norm before clipping, zero where nobody asks."""
        gradients = torch.autograd.grad(loss, weights)
        for weight, gradient in zip(weights, gradients, strict=True):
            weight.grad = gradient
        ceiling = self.config["schedule.grad_clip"]
        norm = torch.nn.utils.get_total_norm(gradients) if ceiling or logged else torch.zeros(())
        if ceiling:
            torch.nn.utils.clip_grads_with_norm_(weights, ceiling, norm)
        optimizer.step()
        return norm

    def _set_rates(self, progress: float) -> None:
        if self.config["schedule.lr_decay"] != "linear":
            return
        for player, optimizer in (("generator", self.opt_g), ("discriminator", self.opt_d)):
            optimizer.param_groups[0]["lr"] = self.config[f"{player}.optimizer.lr"] * (
                1 - 0.9 * progress
            )

    def _noise(self) -> torch.Tensor:
        return torch.randn(self.config["batch_size"], self.config["latent_dim"])

    def _blur(self, x: torch.Tensor) -> torch.Tensor:
        level = self.config["loss.instance_noise"]
        return x + level * torch.randn_like(x) if level else x

    def _to_gan(self, x: torch.Tensor) -> torch.Tensor:
        low, high = self.config["data.low"], self.config["data.high"]
        return low + (x + 1) / 2 * (high - low)

    def _to_unit(self, x: torch.Tensor) -> torch.Tensor:
        low, high = self.config["data.low"], self.config["data.high"]
        return (x - low) / (high - low) * 2 - 1

    # ---------------------------------------------------------------------------------------- what
    # is left behind

    def _row(self, seen: dict[str, float]) -> dict[str, float]:
        """The signals this config logs, with those that need more than the step itself."""
        wanted = self.config["log.signals"]
        row = {name: value for name, value in seen.items() if name in wanted}
        if "lr_d" in wanted:
            row["lr_d"] = self.opt_d.param_groups[0]["lr"]
        if "lr_g" in wanted:
            row["lr_g"] = self.opt_g.param_groups[0]["lr"]
        if "d_val" in wanted:
            self.D.eval()
            with torch.no_grad():
                row["d_val"] = float(self.game.shown(self.D(self.examiner.held_out)).mean())
            self.D.train()
        if "fid" in wanted and len(self.rows) % FID_EVERY == 0:
            x = self._to_unit(torch.tensor(self._samples(500))).double().numpy()
            row["fid"] = self.bench.frechet(x) if np.isfinite(x).all() else math.nan
        return row

    def _samples(self, n: int = 0) -> Any:
        """Samples from the fixed noise, as G makes them."""
        net = copy.deepcopy(self.averaged or self.G).eval()
        with torch.no_grad():
            return net(self.examiner.noise[: n or self._shown()]).numpy()

    def _shown(self) -> int:
        return 256 if self.data.centres is not None else 64

    def _state(self, step: int) -> dict[str, Any]:
        return {
            "step": step,
            "generator": copy.deepcopy(self.G.state_dict()),
            "discriminator": copy.deepcopy(self.D.state_dict()),
            "optimizer_g": copy.deepcopy(self.opt_g.state_dict()),
            "optimizer_d": copy.deepcopy(self.opt_d.state_dict()),
        }

    def save(self, out: Path, config_name: str, spelling: str) -> None:
        """Write log, config, samples and checkpoints into the run's folder."""
        out.mkdir(parents=True, exist_ok=True)
        settings.write(self.config, out / config_name, spelling)
        logbook.write(self.rows, out, self.config["log.format"], self.config["log.tags"])
        if self.snapshots:
            (out / "samples").mkdir(exist_ok=True)
            np.save(out / "samples" / "real.npy", self.examiner.held_out[: self._shown()].numpy())
            for step, samples in self.snapshots.items():
                np.save(out / "samples" / f"fake_{step:06d}.npy", samples)
        for step, state in self.checkpoints.items():
            torch.save(state, out / f"checkpoint_{step:06d}.pt")


def truth_path(out: Path) -> Path:
    """Where the truth about a run is kept: beside its folder, never in it."""
    return out.with_name(f"{out.name}.truth.json")


def train(
    config: Config, out: Path, config_name: str = "config.yaml", spelling: str = "nested"
) -> measure.Truth:
    """Train, save the run into `out` and the truth beside it."""
    training = Training(config)
    truth = training.run()
    training.save(out, config_name, spelling)
    write_truth(truth.as_dict(), out)
    return truth


def write_truth(truth: dict[str, Any], out: Path) -> None:
    """Write the truth beside the run, one key a line."""
    lines = ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in truth.items())
    truth_path(out).write_text(f"{{\n{lines}\n}}\n", "utf-8")


def main(argv: Iterable[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.zoo.train", description=__doc__.split("\n")[0]
    )
    parser.add_argument(
        "--config", type=Path, help="YAML or JSON, any spelling; defaults where there is none"
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--set", nargs="*", default=[], action="extend", metavar="KEY=VALUE")
    parser.add_argument(
        "--spelling", default="nested", choices=settings.spellings(), help="of the config written"
    )
    parser.add_argument("--json", action="store_true", help="write the config as JSON, not YAML")
    parser.add_argument(
        "--unmeasured", action="store_true", help="measure nothing, as most trainings do"
    )
    given = parser.parse_args(None if argv is None else list(argv))
    name = "config.json" if given.json else "config.yaml"
    try:
        config = settings.override(
            settings.read(given.config) if given.config else settings.make({}), given.set
        )
        if given.unmeasured:
            training = Training(config)
            training.train(measured=False)
            training.save(given.out, name, given.spelling)
            return 0
        truth = train(config, given.out, name, given.spelling)
    except (OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    told = truth.as_dict()
    print(
        json.dumps(
            {
                k: told[k]
                for k in ("outcome", "borderline", "symptoms", "onset", "nan_step", "final")
            }
        )
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
