"""What really happened in a run: measured on held-out data, never read off the log.

`Bench` measures one moment of a training; `judge` turns the moments into a `Truth`: healthy or
failed, the symptoms and since when. The only thing taken from the training itself is whether a loss
became NaN or enormous: that is no matter of opinion.
"""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from benchmarks.zoo.distances import answers, distances, mean_distance
from benchmarks.zoo.networks import REACH

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from torch import nn

    from benchmarks.zoo.config import Config
    from benchmarks.zoo.data import Dataset
    from benchmarks.zoo.games import Game

    Array = NDArray[np.float64]

MOMENTS: Final = 40  # measurements per run
NEIGHBOURS: Final = 5
COMPONENTS: Final = 20


@dataclass(frozen=True)
class Moment:
    """One measurement.

    Attributes
    ----------
    step : int
    finite : bool
        Whether samples and scores are finite; the rest is NaN where they are not.
    covered : float
        Share of the modes that get at least a quarter of their due, counting samples that are like
        real data.
    reached : float
        The same, counting every sample for the mode it is nearest to: samples spread out, if not
        good ones.
    quality : float
        Share of samples that are like real data, relative to the share of held-out real data that
        is.
    frechet : float
        Frechet distance to held-out data over their total variance.
    diversity : float
        Mean distance between samples over that between real data.
    variance : float
        Total variance of samples over that of real data.
    shift : float
        Distance between the means, in root total variances of the real data.
    auc : float
        Chance that D scores a held-out real above a sample: 0.5 cannot tell, 1 perfect.
    auc_train : float
        The same with training data.
    score_size : float
        Larger of the mean absolute scores of reals and samples.
    gradient_at_samples : float
        Slope of G's loss at a sample, per root total variance; mean over samples.
    gradient : float
        Norm of G's gradient over all its parameters.
    first_to_last : float
        Norm of that gradient at the first weight matrix over that at the last.
    moved : float
        Total variation between the shares of the modes now and at the moment before.
    """

    step: int
    finite: bool
    covered: float = float("nan")
    reached: float = float("nan")
    quality: float = float("nan")
    frechet: float = float("nan")
    diversity: float = float("nan")
    variance: float = float("nan")
    shift: float = float("nan")
    auc: float = float("nan")
    auc_train: float = float("nan")
    score_size: float = float("nan")
    gradient_at_samples: float = float("nan")
    gradient: float = float("nan")
    first_to_last: float = float("nan")
    moved: float = 0.0


class Bench:
    """Measures samples of one data set; everything about the real data is worked out once.

    Parameters
    ----------
    data : Dataset
    """

    def __init__(self, data: Dataset) -> None:
        self.data = data
        real = data.held_out
        self.mean = real.mean(axis=0)
        basis = np.linalg.svd(real - self.mean, full_matrices=False)[2][: min(COMPONENTS, data.dim)]
        self._basis = basis.T
        self._real = self._project(real)
        self._distance = mean_distance(real)
        if data.centres is None:
            apart = distances(self._real, self._real)
            self._radius = np.sort(apart, axis=1)[:, NEIGHBOURS]
        self._real_quality = float(self._place(data.train[:1000])[1].mean())

    def _project(self, x: Array) -> Array:
        return (x - self.mean) @ self._basis

    def _place(self, x: Array) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Mode that each point is nearest to, and whether the point is like real data.

        A point of a mixture is, within three deviations of a centre; a picture is, within the
        neighbourhood of a held-out one (improved precision, arXiv:1904.06991).
        """
        if self.data.centres is not None:
            apart = distances(x, self.data.centres)
            return apart.argmin(axis=1), apart.min(axis=1) < 3 * self.data.width
        assert self.data.labels is not None
        apart = distances(self._project(x), self._real)
        return self.data.labels[apart.argmin(axis=1)], (apart < self._radius).any(axis=1)

    def frechet(self, x: Array) -> float:
        """Frechet distance of Gaussians of samples and held-out, over the latter's variance."""
        y = self._project(x)
        cov_x, cov_y = np.cov(y.T), np.cov(self._real.T)
        # tr((AB)^1/2) from the eigenvalues of AB, which are real and not negative for covariances
        root = np.sqrt(np.maximum(np.linalg.eigvals(cov_x @ cov_y).real, 0.0)).sum()
        distance = (
            np.square(y.mean(axis=0) - self._real.mean(axis=0)).sum()
            + np.trace(cov_x + cov_y)
            - 2 * root
        )
        return float(distance) / self.data.spread**2

    def samples(self, x: Array) -> tuple[dict[str, float], Array]:
        """Everything about samples alone; `x` in unit coordinates, shape (n, d).

        Also the share in each mode.
        """
        place, good = self._place(x)
        share = float(good.mean())
        nearest = np.bincount(place, minlength=self.data.modes) / len(x)
        modes = np.bincount(place[good], minlength=self.data.modes) / max(good.sum(), 1)
        due = 0.25 / self.data.modes
        found = {
            "covered": float((modes > due).mean()) if share > 0.02 else 0.0,
            "reached": float((nearest > due).mean()),
            "quality": share / self._real_quality,
            "frechet": self.frechet(x),
            "diversity": mean_distance(x) / self._distance,
            "variance": float(x.var(axis=0).sum()) / self.data.spread**2,
            "shift": float(np.linalg.norm(x.mean(axis=0) - self.mean)) / self.data.spread,
        }
        return found, modes


class Examiner:
    """Measures a training while it runs.

    The two players, on noise and data they are not trained with.

    Parameters
    ----------
    bench : Bench
    game : Game
    to_gan, to_unit : callable
        Between unit coordinates and the players' own.
    latent_dim : int
    """

    def __init__(
        self,
        bench: Bench,
        game: Game,
        to_gan: Callable[[torch.Tensor], torch.Tensor],
        to_unit: Callable[[torch.Tensor], torch.Tensor],
        latent_dim: int,
    ) -> None:
        self.bench, self.game, self.to_unit = bench, game, to_unit
        own = torch.Generator().manual_seed(12345)
        self.noise = torch.randn(1000, latent_dim, generator=own)
        self.held_out = to_gan(torch.tensor(bench.data.held_out, dtype=torch.float32))
        self.train = to_gan(torch.tensor(bench.data.train[:1000], dtype=torch.float32))
        self.spread = float(self.held_out.var(dim=0).sum().sqrt())
        self._modes: Array | None = None

    def measure(self, step: int, G: nn.Sequential, D: nn.Module) -> Moment:
        """One moment; neither player, nor the random state, is changed."""
        G, D = copy.deepcopy(G).eval(), copy.deepcopy(D).eval()
        with torch.no_grad():
            fake = G(self.noise)
            scores = [D(x)[:, 0].double().numpy() for x in (fake, self.held_out, self.train)]
        x = self.to_unit(fake).double().numpy()
        if not (np.isfinite(x).all() and all(np.isfinite(s).all() for s in scores)):
            return Moment(step, finite=False)
        of_fake, of_held_out, of_train = scores
        found, modes = self.bench.samples(x)
        before, self._modes = modes if self._modes is None else self._modes, modes
        found |= self._gradients(G, D) | answers(of_fake, of_held_out, of_train)
        found["moved"] = 0.5 * float(np.abs(modes - before).sum())
        # as many digits as are kept, so that judging the kept ones anew gives the same
        return Moment(step, finite=True, **{name: _rounded(value) for name, value in found.items()})

    def _gradients(self, G: nn.Sequential, D: nn.Module) -> dict[str, float]:
        fake = G(self.noise[:500])
        weights = list(G.parameters())
        at_samples, *at_weights = torch.autograd.grad(self.game.fool(D(fake)), [fake, *weights])
        matrices = [g for g in at_weights if g.dim() == 2]
        slope = float(at_samples.norm(dim=1).mean()) * len(fake) * self.spread
        return {"gradient_at_samples": slope} | sizes_of(at_weights, matrices)


# ------------------------------------------------------------------------------------ the judgement


def sizes_of(
    gradients: Sequence[torch.Tensor], matrices: Sequence[torch.Tensor]
) -> dict[str, float]:
    """Norm of G's gradient, and that of its first matrix over that of its last."""
    return {
        "gradient": float(torch.stack([g.square().sum() for g in gradients]).sum().sqrt()),
        "first_to_last": float(matrices[0].norm() / matrices[-1].norm().clamp_min(1e-30)),
    }


@dataclass(frozen=True)
class Bar:
    """What counts as good and as bad on one kind of data; between the two a run is borderline."""

    covered: tuple[float, float]  # good at or above, bad at or below
    quality: tuple[float, float]
    frechet: tuple[float, float]  # good at or below, bad at or above

    def state(self, m: Moment) -> int:
        """1 good, -1 bad, 0 between."""
        if (
            not m.finite
            or m.covered <= self.covered[1]
            or m.quality <= self.quality[1]
            or m.frechet >= self.frechet[1]
        ):
            return -1
        return int(
            m.covered >= self.covered[0]
            and m.quality >= self.quality[0]
            and m.frechet <= self.frechet[0]
        )


BARS: Final = {
    "mixture": Bar(covered=(0.85, 0.65), quality=(0.60, 0.42), frechet=(0.15, 0.60)),
    "pictures": Bar(covered=(0.85, 0.65), quality=(0.60, 0.42), frechet=(0.30, 0.60)),
}


@dataclass(frozen=True)
class Truth:
    """What was measured, and what follows from it.

    Attributes
    ----------
    outcome : str
        ``healthy`` or ``failed``.
    borderline : bool
        Between good and bad at the end, or good with lapses.
    symptoms : tuple of str
        Those that the measurements show, in a fixed order; none for a healthy run.
    onset : dict of str to int or None
        Since which step each symptom has lasted.
    first_good_step, last_good_step : int or None
    first_bad_step : int or None
        First measurement after the last good one; None for a run that was never good.
    final : dict
        Medians over the last measurements.
    loss_size : float
        Largest finite loss.
    nan_step : int or None
        First step with a loss that was not finite.
    """

    outcome: str
    borderline: bool
    symptoms: tuple[str, ...]
    onset: dict[str, int | None]
    first_good_step: int | None
    last_good_step: int | None
    first_bad_step: int | None
    final: dict[str, float]
    loss_size: float
    nan_step: int | None
    moments: tuple[Moment, ...] = field(default=(), repr=False)

    def as_dict(self) -> dict[str, Any]:
        """For JSON: NaN as None, numbers rounded, the moments as columns."""
        plain = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "moments"}
        kind = type(self.moments[0]) if self.moments else Moment
        columns = {f.name: [getattr(m, f.name) for m in self.moments] for f in fields(kind)}
        return _plain(plain | {"trace": columns})


def judge(
    moments: Sequence[Moment], config: Config, data: Dataset, loss_size: float, nan_step: int | None
) -> Truth:
    """Turn measurements into the truth about a run.

    Parameters
    ----------
    moments : sequence of Moment
    config : dict
        Only to know where G's output can reach.
    data : Dataset
    loss_size : float
        Largest finite loss of the training.
    nan_step : int or None
        First step with a loss that was not finite.
    """
    bar = BARS["mixture" if data.centres is not None else "pictures"]
    return conclude(moments, bar, _out_of_reach(config, data), loss_size, nan_step)


def conclude(
    moments: Sequence[Moment],
    bar: Bar,
    out_of_reach: float,
    loss_size: float,
    nan_step: int | None,
    *,
    last: int = 6,
    lately: int = 10,
) -> Truth:
    """The truth by a bar: how the `last` moments are, and whether the run lapsed `lately`.

    `out_of_reach` is the share of real values that G's output cannot take.
    """
    states = [bar.state(m) for m in moments]
    good = [i for i, s in enumerate(states) if s > 0]
    final = median(moments[-last:])
    broke = nan_step is not None or not all(m.finite for m in moments[-last:])
    end = -1 if broke else bar.state(final)
    lapses = float(np.mean([s < 0 for s in states[-lately:]]))
    outcome = "healthy" if end > 0 and lapses <= 0.2 else "failed"
    symptoms, onset = (
        ((), {})
        if outcome == "healthy"
        else _symptoms(
            moments,
            bar,
            out_of_reach,
            broken=nan_step is not None,
            loss_size=loss_size,
        )
    )
    if "exploding-or-nan" in onset and nan_step is not None:
        onset["exploding-or-nan"] = nan_step
    after = good[-1] + 1 if good else len(states)
    return Truth(
        outcome=outcome,
        borderline=end == 0 or (end > 0 and lapses > 0),
        symptoms=symptoms,
        onset=onset,
        first_good_step=moments[good[0]].step if good else None,
        last_good_step=moments[good[-1]].step if good else None,
        first_bad_step=(nan_step or (moments[after].step if after < len(states) else None))
        if outcome == "failed"
        else None,
        final={k: v for k, v in asdict(final).items() if isinstance(v, float)},
        loss_size=loss_size,
        nan_step=nan_step,
        moments=tuple(moments),
    )


def again(told: dict[str, Any], config: Config, data: Dataset) -> Truth:
    """Judge a run anew from the measurements that its ``truth.json`` keeps."""
    rows = [
        dict(zip(told["trace"], row, strict=True))
        for row in zip(*told["trace"].values(), strict=True)
    ]
    moments = [
        Moment(**{k: float("nan") if v is None else v for k, v in row.items()}) for row in rows
    ]
    return judge(moments, config, data, told["loss_size"], told["nan_step"])


def median(moments: Sequence[Moment]) -> Moment:
    """Measure by measure; of the finite ones."""
    finite = [m for m in moments if m.finite]
    if not finite:
        return Moment(moments[-1].step if moments else 0, finite=False)
    kind = type(finite[-1])
    numbers = {
        f.name: [getattr(m, f.name) for m in finite] for f in fields(kind) if f.type == "float"
    }
    return kind(
        finite[-1].step, finite=True, **{k: float(np.median(v)) for k, v in numbers.items()}
    )


def _symptoms(
    moments: Sequence[Moment], bar: Bar, out_of_reach: float, *, broken: bool, loss_size: float
) -> tuple[tuple[str, ...], dict[str, int | None]]:
    """All symptoms of a failed run, the most specific first."""
    late = median(moments[len(moments) // 2 :])
    last = median(moments[-6:])
    settled = late.moved < 0.35
    poor = late.covered <= bar.covered[1] or last.quality < 0.8 * bar.quality[1]

    enough = sum(m.finite for m in moments) >= 8  # a run that broke at once shows nothing but that

    # name -> (does the run have it?, does one moment show it?)
    checks: dict[str, tuple[bool, Callable[[Moment], bool]]] = {
        "data-range-mismatch": (out_of_reach > 0.1, lambda _: True),
        "exploding-or-nan": (
            broken or loss_size > 1e5 or late.score_size > 1e3 or not last.finite,
            lambda m: not m.finite or m.score_size > 1e3,
        ),
        "discriminator-overfitting": (
            late.auc_train - late.auc > 0.12,
            lambda m: m.auc_train - m.auc > 0.12,
        ),
        "vanishing-generator-gradient": (_starved(late), _starved),
        "discriminator-dominance": (late.auc >= 0.97, lambda m: m.auc >= 0.97),
        "generator-divergence": (
            last.variance > 4 or last.shift > 2.5,
            lambda m: m.variance > 4 or m.shift > 2.5,
        ),
        "weak-discriminator": (
            late.auc_train < 0.4 or (late.auc_train < 0.6 and poor and settled),
            lambda m: m.auc_train < 0.6,
        ),
        "oscillation": (late.moved > 0.5, lambda m: m.moved > 0.4),
        "mode-collapse": (_collapsed(last), _collapsed),
    }
    onset: dict[str, int | None] = {}
    for name, (has, shows) in checks.items():
        if has and (enough or name in ("data-range-mismatch", "exploding-or-nan")):
            onset[name] = _since(moments, shows)
    if not onset:
        onset["no-convergence"] = None
    return tuple(onset), onset


def _starved(m: Moment) -> bool:
    """G gets no gradient: at its samples, over its weights, or in its lower layers."""
    return m.gradient_at_samples < 2e-3 or m.gradient < 1e-3 or m.first_to_last < 1e-3


def _collapsed(m: Moment) -> bool:
    return m.diversity < 0.4 or max(m.covered, m.reached) <= 0.5


def _out_of_reach(config: Config, data: Dataset) -> float:
    """Share of held-out values over a tenth of their range outside what G's output can reach."""
    low, high = REACH.get(config["generator.output"], (-np.inf, np.inf))
    span = config["data.high"] - config["data.low"]
    x = config["data.low"] + (data.held_out + 1) / 2 * span
    return float(((x < low - 0.1 * span) | (x > high + 0.1 * span)).mean())


def _since(moments: Sequence[Moment], shows: Callable[[Moment], bool]) -> int | None:
    """First step from which at least 80 % of the moments show it, the last ones among them."""
    shown = np.array([not m.finite or shows(m) for m in moments])
    if not shown[-3:].any():
        return None
    rest = np.cumsum(shown[::-1])[::-1] / np.arange(len(shown), 0, -1)
    return next(
        (m.step for m, s, r in zip(moments, shown, rest, strict=True) if s and r >= 0.8), None
    )


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float):
        return _rounded(value) if np.isfinite(value) else None
    return value


def _rounded(value: float) -> float:
    return float(f"{value:.5g}")
