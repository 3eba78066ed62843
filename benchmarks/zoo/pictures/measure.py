"""What happened on pictures: a small classifier of the real ones, and what it says of samples.

Its features, with the pictures seen coarsely beside them, are the space of Frechet distance and of
k-nn precision and recall; its classes are what samples should cover.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812

from benchmarks.zoo.distances import answers
from benchmarks.zoo.measure import Moment, sizes_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

    from benchmarks.zoo.pictures.data import Pictures

BENCHES: Final = Path(__file__).parent.parent / "releases"
NEIGHBOURS: Final = 5
SEEN: Final = 1000
EPOCHS: Final = 6
COARSE: Final = 4  # pictures are also seen as so many fields a side
NAN: Final = float("nan")


@dataclass(frozen=True)
class PictureMoment(Moment):
    """One measurement of a picture run; `Moment` with what pictures add.

    Attributes
    ----------
    recall : float
        Share of held-out pictures that lie in the neighbourhood of a sample.
    pixels : float
        Mean distance between samples in pixels, over that between real pictures.
    error : float
        Mean absolute distance to the target, where there is one, in the span of the real pictures.
    """

    recall: float = NAN
    pixels: float = NAN
    error: float = NAN


class Classifier(nn.Module):
    """Picture in [-1, 1] -> features -> class scores."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, 16, 4, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 4, 2, 1), nn.ReLU(),
            nn.Conv2d(32, 48, 3, 1, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(3), nn.Flatten(),
            nn.Linear(432, 48), nn.ReLU(),
        )  # fmt: skip
        self.last = nn.Linear(48, classes)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features = self.body(x)
        return features, self.last(features)


def unit(pictures: Any) -> Tensor:
    """Bytes -> [-1, 1]."""
    return torch.as_tensor(pictures).float() / 127.5 - 1


def classifier(data: Pictures, kept: Path | None = None) -> Classifier:
    """The classifier of a data set: the released one, else the kept one, else trained now."""
    net = Classifier(data.channels, data.classes)
    for folder in (BENCHES, kept):
        path = folder / f"classifier-{data.name}.pt" if folder else None
        if path and path.exists():
            net.load_state_dict(torch.load(path, weights_only=True))
            return net.eval()
    _fit(net, data)
    if kept:
        kept.mkdir(parents=True, exist_ok=True)
        held = io.BytesIO()
        torch.save({k: v.half() for k, v in net.state_dict().items()}, held)
        (kept / f"classifier-{data.name}.pt").write_bytes(held.getvalue())
        return classifier(data, kept)  # as it will be read from now on: in half precision
    return net.eval()


def _fit(net: Classifier, data: Pictures) -> None:
    own = torch.Generator().manual_seed(4)
    x, y = unit(data.train), torch.as_tensor(data.train_labels)
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    steps = EPOCHS * len(x) // 64
    for i in range(steps):
        optimizer.param_groups[0]["lr"] = 2e-3 * (1 - i / steps)
        at = torch.randint(len(x), (64,), generator=own)
        batch = x[at] + 0.1 * torch.randn(x[at].shape, generator=own)
        optimizer.zero_grad()
        F.cross_entropy(net(batch)[1], y[at]).backward()
        optimizer.step()


class Bench:
    """Measures samples of one data set; everything about the real pictures is worked out once."""

    def __init__(self, data: Pictures, device: str, kept: Path | None = None) -> None:
        self.data, self.device = data, device
        torch.manual_seed(3)
        self.net = classifier(data, kept).to(device).requires_grad_(False)
        real, train = unit(data.held_out).to(device), unit(data.train[:SEEN]).to(device)
        self.real, self.train = real, train
        self.scale = (1.0, 1.0)
        first = self._parts(real)
        self.scale = tuple(float(part.var(dim=0).sum().sqrt()) for part in first)
        self.features, self.labels = self.see(real)
        self.accuracy = float((self.labels == torch.as_tensor(data.held_out_labels).to(device))
                              .float().mean())  # fmt: skip
        seen, _ = self.see(train)
        self.radius = torch.cdist(self.features, self.features).kthvalue(NEIGHBOURS + 1).values
        self.real_quality = self._inside(seen)
        self.real_recall = self._recall(seen)
        self.distance = _mean_distance(self.features)
        self.pixel_distance = _mean_distance(real.flatten(1))
        self.mean = self.features.mean(dim=0)
        self.spread = float(self.features.var(dim=0).sum().sqrt())
        self._cov = _cov(self.features)
        self.train_features = seen

    def _parts(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features, _ = self.net(x)
        return features, F.adaptive_avg_pool2d(x, COARSE).flatten(1)

    def see(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Features (n, d) and classes (n,) of pictures in [-1, 1]."""
        features, scores = self.net(x)
        coarse = F.adaptive_avg_pool2d(x, COARSE).flatten(1)
        return torch.cat(
            [features / self.scale[0], 0.5 * coarse / self.scale[1]], 1
        ), scores.argmax(1)

    def _inside(self, features: Tensor) -> float:
        near = torch.cdist(features, self.features) < self.radius
        return float(near.any(dim=1).float().mean())

    def _recall(self, features: Tensor) -> float:
        radius = torch.cdist(features, features).kthvalue(min(NEIGHBOURS + 1, len(features))).values
        near = torch.cdist(self.features, features) < radius
        return float(near.any(dim=1).float().mean())

    def frechet(self, features: Tensor) -> float:
        """Frechet distance of Gaussians of samples and held-out, over the latter's variance."""
        cov = _cov(features)
        root = np.sqrt(np.maximum(np.linalg.eigvals(cov @ self._cov).real, 0.0)).sum()
        apart = float((features.mean(dim=0) - self.mean).double().square().sum())
        return (apart + float(np.trace(cov + self._cov)) - 2 * float(root)) / self.spread**2

    def samples(self, x: Tensor) -> tuple[dict[str, float], Any, Tensor]:
        """Everything about samples alone (in [-1, 1]), the share of each class, their features."""
        features, labels = self.see(x)
        good = (torch.cdist(features, self.features) < self.radius).any(dim=1)
        share, n = float(good.float().mean()), self.data.classes
        nearest = torch.bincount(labels, minlength=n).double().cpu().numpy() / len(x)
        modes = torch.bincount(labels[good], minlength=n).double().cpu().numpy()
        modes = modes / max(modes.sum(), 1)
        found = {
            "covered": float((modes > 0.25 / n).mean()) if share > 0.02 else 0.0,
            "reached": float((nearest > 0.25 / n).mean()),
            "quality": share / self.real_quality,
            "recall": self._recall(features) / self.real_recall,
            "frechet": self.frechet(features),
            "diversity": _mean_distance(features) / self.distance,
            "pixels": _mean_distance(x.flatten(1)) / self.pixel_distance,
            "variance": float(features.var(dim=0).sum()) / self.spread**2,
            "shift": float((features.mean(dim=0) - self.mean).norm()) / self.spread,
        }
        return found, modes, features


class Examiner:
    """Measures a training while it runs: the players, on noise and pictures they do not train with.

    Parameters
    ----------
    bench : Bench
    given : tuple of Tensor
        What G makes its samples of.
    context : callable (pictures, labels) -> Tensor or None
        What D sees beside real held-out or training pictures.
    fake_context : Tensor or None
        What D sees beside the samples.
    fool : callable (scores) -> Tensor
        G's adversarial loss.
    to_gan, to_unit : callable
        Between [-1, 1] and the players' own range.
    target : Tensor or None
        Pictures in [-1, 1] that the samples should be, where there are such.
    """

    def __init__(
        self,
        bench: Bench,
        *,
        given: tuple[Tensor, ...],
        context: Callable[[Tensor, Tensor], Tensor | None],
        fake_context: Tensor | None,
        fool: Callable[[Tensor], Tensor],
        to_gan: Callable[[Tensor], Tensor],
        to_unit: Callable[[Tensor], Tensor],
        target: Tensor | None,
    ) -> None:
        self.bench, self.given, self.fake_context, self.fool = bench, given, fake_context, fool
        self.to_unit, self.target = to_unit, target
        data, device = bench.data, bench.device
        self.held_out, self.train = to_gan(bench.real), to_gan(bench.train)
        self.of_held_out = context(self.held_out, torch.as_tensor(data.held_out_labels).to(device))
        self.of_train = context(self.train, torch.as_tensor(data.train_labels[:SEEN]).to(device))
        self.spread = float(self.held_out.flatten(1).var(dim=0).sum().sqrt())
        self._modes: Any = None
        self.features: Tensor | None = None  # of the samples at the last measurement

    def samples(self, G: nn.Module) -> Tensor:
        """Samples in the players' range."""
        with torch.no_grad():
            return G(*self.given)

    def measure(self, step: int, G: nn.Module, D: nn.Module) -> tuple[PictureMoment, Tensor]:
        """One moment, and the samples; modes of the players are put back."""
        modes = [(net, net.training) for net in (G, D)]
        G.eval()
        D.eval()
        try:
            return self._measure(step, G, D)
        finally:
            for net, training in modes:
                net.train(training)

    def _measure(self, step: int, G: nn.Module, D: nn.Module) -> tuple[PictureMoment, Tensor]:
        fake = self.samples(G)
        pairs = (
            (fake, self.fake_context),
            (self.held_out, self.of_held_out),
            (self.train, self.of_train),
        )
        with torch.no_grad():
            scores = [D(x, context)[:, 0].double().cpu().numpy() for x, context in pairs]
        x = self.to_unit(fake)
        if not (bool(torch.isfinite(x).all()) and all(np.isfinite(s).all() for s in scores)):
            return PictureMoment(step, finite=False), x
        of_fake, of_held_out, of_train = scores
        found, modes, self.features = self.bench.samples(x.clamp(-4, 4))
        before, self._modes = modes if self._modes is None else self._modes, modes
        found |= self._gradients(G, D) | answers(of_fake, of_held_out, of_train)
        found["moved"] = 0.5 * float(np.abs(modes - before).sum())
        if self.target is not None:
            found["error"] = float((x - self.target).abs().mean()) / 2
        rounded = {name: float(f"{value:.5g}") for name, value in found.items()}
        return PictureMoment(step, finite=True, **rounded), x

    def _gradients(self, G: nn.Module, D: nn.Module) -> dict[str, float]:
        few = tuple(part[:256] for part in self.given)
        context = None if self.fake_context is None else self.fake_context[:256]
        fake = G(*few)
        weights = [w for w in G.parameters() if w.requires_grad]
        loss = self.fool(D(fake, context))
        at_samples, *at_weights = torch.autograd.grad(loss, [fake, *weights])
        matrices = [g for g in at_weights if g.dim() >= 2]
        slope = float(at_samples.flatten(1).norm(dim=1).mean()) * len(fake) * self.spread
        return {"gradient_at_samples": slope} | sizes_of(at_weights, matrices)


def _cov(x: Tensor) -> Any:
    return np.cov(x.double().cpu().numpy().T)


def _mean_distance(x: Tensor, at_most: int = 400) -> float:
    x = x[:at_most]
    return float(torch.cdist(x, x).sum() / (len(x) * (len(x) - 1)))
