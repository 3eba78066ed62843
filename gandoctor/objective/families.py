"""The families of losses.

Each is one value, and what is known of a family stands in that value alone.

Losses are given in the sum convention (D's loss is the sum of its real and its generated term). The
bounds that the curves are held against follow from Jensen's inequality: for the non-saturating loss
on one batch ``g >= -ln(1 - exp(-d))``, for least squares ``sqrt(d) + sqrt(g) >= 1``, for hinge
``d + g >= 1``. They hold for averages over an epoch too, since each bound is convex.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from gandoctor.model.signals import Family as Name

    Array = NDArray[np.float64]
    Formula = Callable[[Array, Array], Array]
    OfFake = Callable[[Array], Array]
    Broken = Callable[[Array, Array], NDArray[np.bool_]]

LN2: Final = math.log(2)


def _cross_entropy(real: Array, fake: Array) -> Array:
    return np.asarray(-np.log(np.maximum(real, 1e-12)) - np.log(np.maximum(1 - fake, 1e-12)))


def _softplus(real: Array, fake: Array) -> Array:
    return np.asarray(np.logaddexp(0, -real) + np.logaddexp(0, fake))


def _squares(real: Array, fake: Array) -> Array:
    return np.asarray((1 - real) ** 2 + fake**2)


def _hinge(real: Array, fake: Array) -> Array:
    return np.asarray(np.maximum(0, 1 - real) + np.maximum(0, 1 + fake))


def _relativistic(real: Array, fake: Array) -> Array:
    return np.asarray(2 * np.logaddexp(0, fake - real))


def _least_surprise(fake: Array) -> Array:
    return np.asarray(-np.log(np.maximum(fake, 1e-12)))


def _saturating(fake: Array) -> Array:
    return np.asarray(np.log(np.maximum(1 - fake, 1e-12)))


def _softplus_of_minus(fake: Array) -> Array:
    return np.asarray(np.logaddexp(0, -fake))


def _square_to_one(fake: Array) -> Array:
    return np.asarray((1 - fake) ** 2)


# Each bound in the convention that bears the most, with room for G's loss being another batch than
# D's.


def _below_jensen(d: Array, g: Array) -> NDArray[np.bool_]:
    return np.asarray(g < 0.8 * -np.log1p(-np.exp(-2 * d)) - 0.05)


def _below_squares(d: Array, g: Array) -> NDArray[np.bool_]:
    return np.asarray(np.sqrt(4 * np.maximum(d, 0)) + np.sqrt(2 * np.maximum(g, 0)) < 0.9)


def _below_margin(d: Array, g: Array) -> NDArray[np.bool_]:
    return np.asarray(2 * d + g < 0.85)


def _entropy(smoothing: float) -> float:
    """Entropy of a label that is one but for `smoothing`."""
    if not 0 < smoothing < 1:
        return 0.0
    return -(smoothing * math.log(smoothing) + (1 - smoothing) * math.log(1 - smoothing))


def _smoothed_d(label: float) -> float:
    return -label * math.log(label / 2) - (2 - label) * math.log1p(-label / 2)


def _smoothed_nonsaturating(label: float) -> tuple[float, float]:
    return _smoothed_d(label), -math.log(label / 2)


def _smoothed_minimax(label: float) -> tuple[float, float]:
    return _smoothed_d(label), math.log1p(-label / 2)


def _smoothed_squares(label: float) -> tuple[float, float]:
    return label**2 / 2, (1 - label / 2) ** 2


def _no_floor(_smoothing: float) -> float:
    return 0.0


@dataclass(frozen=True, slots=True)
class Family:
    """What is known of one family of losses.

    Attributes
    ----------
    name : str
    prior : float
        How common it is among public GAN logs before anything is seen, in nats.
    chance : tuple of float, or None
        Losses of D and G where D cannot tell real from generated data; None without such an anchor.
    words : tuple of (str, float)
        Words in tags that name it, and what each is worth.
    file_words : tuple of (str, float)
        Words in names of files and folders that do: of the family, or of a method that is trained
        with it.
    starts : tuple of (float, float)
        Losses of D and G of a D that answers nothing yet, in each convention.
    formula, of_probabilities : callable or None
        D's loss of its mean scores, raw ones and those in [0, 1]; None where the family has none or
        none that tells.
    formula_g, g_of_probabilities : callable or None
        G's loss of D's mean score on generated data, likewise.
    broken : callable or None
        Where a pair of losses of D and G is lower than the family allows.
    same_as : tuple of str
        Families whose D has the same loss.
    least : float
        The smallest factor that D's loss comes with.
    floor : callable
        Lowest D loss by how far the real label is smoothed.
    smoothed : callable or None
        Chance by the real label, where smoothing moves it.
    """

    name: Name
    prior: float
    chance: tuple[float, float] | None = None
    words: tuple[tuple[str, float], ...] = ()
    file_words: tuple[tuple[str, float], ...] = ()
    starts: tuple[tuple[float, float], ...] = ()
    formula: Formula | None = None
    of_probabilities: Formula | None = None
    formula_g: OfFake | None = None
    g_of_probabilities: OfFake | None = None
    broken: Broken | None = None
    same_as: tuple[Name, ...] = ()
    least: float = 0.5
    floor: Callable[[float], float] = _no_floor
    smoothed: Callable[[float], tuple[float, float]] | None = None


# In the order in which ties are told.
TABLE: Final[tuple[Family, ...]] = (
    Family(
        "nonsaturating", 0.0, (2 * LN2, LN2),
        words=((r"(?<![a-z])bce(?![a-z])|cross.?entropy|non.?sat", 3.0),
            (r"(?:fid|kid|pr|is)50k|ppl2?_w", 2.0),
            (r"guidance_cls_loss|gan_loss_disc", 3.0)),
        file_words=((r"dcgan|(?<![a-z])bce(?![a-z])|vanilla", 1.5), (r"style-?_?gan", 2.5)),
        starts=((2 * LN2, LN2), (LN2, LN2)), formula=_softplus, of_probabilities=_cross_entropy,
        formula_g=_softplus_of_minus, g_of_probabilities=_least_surprise, broken=_below_jensen,
        same_as=("minimax",), floor=_entropy, smoothed=_smoothed_nonsaturating,
    ),
    Family(
        "lsgan", -1.2, (0.5, 0.25),
        file_words=((r"(?<![a-z])ls-?_?gan", 1.5), (r"hifi-?_?gan|cycle-?_?gan|bigvgan", 2.5)),
        words=(
            (r"lsgan|(?<![a-z])lsq(?![a-z])|least.?sq", 4.0),
            (r"(?<![a-z])(?:mpd|msd|mrd)(?![a-z])|multi.?period", 2.0),
        ),
        starts=((1.0, 1.0), (0.5, 0.5), (0.5, 1.0), (0.25, 0.5)), formula=_squares,
            of_probabilities=_squares,
        formula_g=_square_to_one, g_of_probabilities=_square_to_one, broken=_below_squares,
        least=0.25,
        smoothed=_smoothed_squares,
    ),
    Family(
        "hinge", -1.2, (2.0, 0.0), file_words=((r"hinge", 1.5), (r"big-?_?gan|(?<![a-z])sa-?_?gan",
        2.5)),
        words=((r"hinge", 4.0), (r"msstftd|disc(?:riminator)?_factor", 2.0)),
        starts=((2.0, 0.0), (1.0, 0.0)), formula=_hinge,
        broken=_below_margin,
    ),
    Family("wgan-gp", -1.2, file_words=((r"(?<![a-z])w-?_?gan[-_ ]?gp|wasserstein.*gp", 1.5),)),
    Family(
        "wgan", -1.7,
        file_words=((r"(?<![a-z])w-?_?gan(?![-_ ]?(?:gp|div|lp))|wasserstein(?!.*gp)", 1.5),),
        words=((r"wasserstein|wass(?![a-z])|earth.?mover", 3.0), (r"critic", 0.8)),
    ),
    Family(
        "minimax", -2.0, (2 * LN2, -LN2), words=((r"minimax", 1.0),), starts=((2 * LN2, -LN2), (LN2,
        -LN2)),
        g_of_probabilities=_saturating, floor=_entropy, smoothed=_smoothed_minimax,
    ),
    Family(
        "relativistic", -2.5, (2 * LN2, 2 * LN2),
        file_words=((r"(?<![a-z])ra-?_?gan|relativ|(?<![a-z])rs?gan(?![a-z])", 1.5),),
        words=((r"relativ|ragan", 4.0),), formula=_relativistic,
    ),
    Family("other", -3.0),
)  # fmt: skip
BY_NAME: Final[dict[Name, Family]] = {f.name: f for f in TABLE}
PRIOR: Final[dict[Name, float]] = {f.name: f.prior for f in TABLE}
CHANCE: Final[dict[Name, tuple[float, float]]] = {
    f.name: f.chance for f in TABLE if f.chance is not None
}
BOUNDED: Final = frozenset(CHANCE)
CRITICS: Final = frozenset[str]({"wgan", "wgan-gp"})
