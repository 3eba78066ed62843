"""Which game is played: the loss family and its convention, and what can be derived once they are known.

Evidence comes from the settings, from the tags, and from the curves; each piece adds to or takes from the score of
a family, and what counted is told. The bounds that the curves are held against follow from Jensen's inequality: for the
non-saturating loss on one batch ``g >= -ln(1 - exp(-d))``, for least squares ``sqrt(d) + sqrt(g) >= 1``, for hinge
``d + g >= 1``. They hold for averages over an epoch too, since each bound is convex.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal, cast

import numpy as np

from gandoctor.lang.functions import rounding_of
from gandoctor.lang.middle import median
from gandoctor.model.signals import FAMILIES, Objective, Signal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from gandoctor.model.signals import Confidence, Family, Setting

LN2: Final = math.log(2)
# What is believed before anything is seen: how common the families are among public GAN logs, in nats.
PRIOR: Final[dict[Family, float]] = {
    "nonsaturating": 0.0, "lsgan": -1.2, "hinge": -1.2, "wgan-gp": -1.2, "wgan": -1.7, "minimax": -2.0,
    "relativistic": -2.5, "other": -3.0,
}  # fmt: skip
# (chance of D, chance of G) in the sum convention.
CHANCE: Final[dict[Family, tuple[float, float]]] = {
    "nonsaturating": (2 * LN2, LN2), "minimax": (2 * LN2, -LN2), "lsgan": (0.5, 0.25), "hinge": (2.0, 0.0),
    "relativistic": (2 * LN2, 2 * LN2),
}  # fmt: skip
BOUNDED: Final = frozenset({"nonsaturating", "minimax", "lsgan", "hinge", "relativistic"})
# Words in tags that name a family.
_TAG_WORDS: Final[tuple[tuple[str, Family, float], ...]] = (
    (r"wasserstein|wass(?![a-z])|earth.?mover|(?<![a-z])emd(?![a-z])", "wgan", 3.0),
    (r"hinge", "hinge", 4.0),
    (r"lsgan|(?<![a-z])lsq(?![a-z])|least.?sq", "lsgan", 4.0),
    (r"minimax", "minimax", 1.0),
    (r"(?<![a-z])bce(?![a-z])|cross.?entropy|non.?sat", "nonsaturating", 3.0),
    (r"relativ|ragan", "relativistic", 4.0),
    (r"critic", "wgan", 0.8),
    (r"(?:fid|kid|pr|is)50k|ppl2?_w", "nonsaturating", 2.0),
    (r"(?<![a-z])(?:mpd|msd|mrd)(?![a-z])|multi.?period", "lsgan", 2.0),
)
# Roles that judge quality, the best judge first, and whether lower (1) or higher (-1) is better.
JUDGES: Final = (
    ("fid", 1), ("kid", 1), ("psnr_ssim", -1), ("inception_score", -1), ("lpips", 1), ("g_loss_aux", 1),
)  # fmt: skip
# Parts of G's loss that can lead it, best judge first.
_LEADING: Final = re.compile(
    r"(?i)mel|l1(?!\d)|l2(?!\d)|pix|mse|mae|rec(?:on)?|vgg|percep|lpips|content|feat|(?<![a-z])fm(?![a-z])|cyc|image|waveform|stft|spec|sup|color|charb|ssim|nll"
)
_OF_FEATURES: Final = re.compile(r"(?i)feat|(?<![a-z])fm(?![a-z])")
# (D's loss, G's loss) of a D that answers nothing yet, in each convention.
_STARTS: Final[dict[Family, tuple[tuple[float, float], ...]]] = {
    "nonsaturating": ((2 * LN2, LN2), (LN2, LN2)),
    "minimax": ((2 * LN2, -LN2), (LN2, -LN2)),
    "lsgan": ((1.0, 1.0), (0.5, 0.5), (0.5, 1.0), (0.25, 0.5)),
    "hinge": ((2.0, 0.0), (1.0, 0.0)),
}
# A first row this many times an untrained D's is no chance of the initial weights.
MANY: Final = 6.0
# A mean that was divided by the size of the batch once more; batches are seldom smaller than this.
FEW: Final = 1 / 16
UNKNOWN_UNIT: Final = "both losses are lower than any family allows: they are on a scale of their own"
# Hinge and cross-entropy at their chance levels, with room for the noise of a batch.
MOST_BOUNDED: Final = 3.0
Reduction = Literal["sum", "mean", "unknown"]
# Settings that give a part of G's loss its weight, and what the part is called among the terms of the game.
_WEIGHTS: Final = (
    ("pixel", "lambda_l1"), ("mel", "lambda_mel"), ("cycle", "lambda_cycle"), ("perceptual", "lambda_perceptual"),
    ("feature", "lambda_fm"),
)  # fmt: skip
# Terms that are part of G's whole loss: where one is at work, the whole says little about D.
LED: Final = frozenset(term for term, _ in _WEIGHTS)
# A least-squares loss comes whole, halved, and halved twice.
_FACTORS: Final = (0.25, 0.5, 1.0)
_MOST_POINTS: Final = 20_000


@dataclass(slots=True)
class _Evidence:
    """Scores of the families, and what counted."""

    score: dict[Family, float] = field(default_factory=lambda: dict(PRIOR))
    reasons: list[tuple[float, Family, str]] = field(default_factory=list)
    curves: bool = False

    def add(self, because: str, **weights: float) -> None:
        """Add nats to families (``wgan_gp`` for ``wgan-gp``)."""
        for name, weight in weights.items():
            family = cast("Family", name.replace("_", "-"))
            self.score[family] += weight
            self.reasons.append((weight, family, because))

    def why(self, family: Family) -> list[str]:
        """Reasons for a family, the strongest first."""
        ranked = sorted((r for r in self.reasons if r[1] == family and r[0] > 0), key=lambda r: -r[0])
        return list(dict.fromkeys(text for _, _, text in ranked))


@dataclass(frozen=True, slots=True, eq=False)
class _Game:
    """The series of one network that the family is read from; None where not logged."""

    d: Signal | None
    g: Signal | None
    real: Signal | None
    fake: Signal | None
    d_real: Signal | None
    d_fake: Signal | None
    gp: Signal | None
    g_is_whole: bool
    led_by: str
    mixed: bool  # `g` is G's whole loss, and other parts than D's judgement are in it


# Logs hold infinities; what they do to a sum or a logarithm is no news.
_QUIET: Final = np.errstate(divide="ignore", invalid="ignore", over="ignore")


@_QUIET
def infer(
    signals: Sequence[Signal], settings: Mapping[str, Setting], *, family: str | None = None, said: str = "--loss"
) -> Objective:
    """Find the loss family and its convention.

    Parameters
    ----------
    signals : sequence of Signal
        With roles.
    settings : Mapping of str to Setting
        By canonical name.
    family : str, optional
        What the user says it is.
    said : str
        Where they say so.

    Returns
    -------
    Objective
        `family` is ``unknown`` where two families fit nearly as well; `candidates` then names them.
    """
    summed = _summed(signals)
    # One discriminator shows the game better than a sum of several.
    networks = sorted(_networks(signals), key=lambda n: n in summed) or [""]
    terms = _terms(signals, settings)
    games = [_game(signals, n, terms) for n in networks]
    seen = _Evidence()
    _ask_settings(seen, settings)
    _ask_tags(seen, signals)
    scale, how_scaled = _unit_of_losses(games[0], seen, settings)
    game = games[0] if scale == 1 or math.isnan(scale) else _rescaled(games[0], scale)
    if not math.isnan(scale):
        _ask_curves(seen, game)
    chosen, confidence, because, candidates = _choose(seen, settings, family, said)
    if math.isnan(scale) and confidence != "high":
        chosen, because, candidates = "unknown", [], ()
    reduction, scale_d, scale_g, how = _convention(chosen, game, settings)
    if chosen in ("nonsaturating", "minimax") and reduction != "mean" and _three_terms(signals):
        scale_d, how = 1.5, "D's loss has three terms: real, generated, and generated in the latent space (TimeGAN)"
    label = _real_label(settings)
    chance_d, chance_g = _chance(chosen, scale_d, scale_g, label)
    sign = _sign(chosen, game)
    floor = _floor(chosen, 1.0 - label) * (0.0 if math.isnan(scale_d) else scale_d)
    if scale != 1:
        chance_d = None if chance_d is None or math.isnan(scale) else chance_d * scale
        chance_g = None if chance_g is None or math.isnan(scale) else chance_g * scale
        floor *= 1.0 if math.isnan(scale) else scale
        because = [*because, how_scaled]
    if how:
        because = [*because, how]
    if sign < 0:
        because = [*because, "D's loss is logged with its sign turned"]
    return Objective(
        family=chosen,
        chance_d=chance_d,
        chance_g=None if game.mixed else chance_g,
        sign=sign,
        reduction=reduction,
        confidence=confidence,
        because=tuple(because),
        floor_d=floor,
        led_by=game.led_by,
        terms=terms,
        candidates=candidates,
        summed=summed,
    )


@_QUIET
def derive(signals: Sequence[Signal], objective: Objective, facts: Mapping[str, float]) -> tuple[Signal, ...]:
    """Work out what follows from the logged signals once the game is known.

    Parameters
    ----------
    signals : sequence of Signal
        With roles.
    objective : Objective
    facts : Mapping of str to float

    Returns
    -------
    tuple of Signal
        For each network ``d_advantage`` (bounded families, or probabilities), ``wasserstein_estimate``, ``g_adv``,
        ``grad_ratio``, ``d_loss`` where only its parts were logged; ``progress`` for the run. What was logged is
        not derived again.
    """
    out: list[Signal | None] = []
    for network in _networks(signals) or [""]:
        game = _game(signals, network, objective.terms)
        out += [
            game.d if game.d is not None and not any(game.d is s for s in signals) else None,
            _advantage(game, objective, network),
            _wasserstein(signals, game, objective, network),
            _adversarial(game, network),
            _ratio(signals, network),
        ]
    return tuple(s for s in (*out, _progress(signals)) if s is not None)


# ---------------------------------------------------------------- the series of a game


def _networks(signals: Sequence[Signal]) -> list[str]:
    """Networks that have a discriminator of their own; the shared one first."""
    named = sorted({s.network for s in signals if s.role and s.role.startswith("d_") and s.network and len(s)})
    shared = any(s.role and s.role.startswith("d_") and not s.network and len(s) for s in signals)
    return ["", *named] if shared else named


def _summed(signals: Sequence[Signal]) -> dict[str, int]:
    """Whether the D loss without a network is the sum of those of the networks, and of how many."""
    whole = _pick(signals, "d_loss", "", own=True)
    parts = [p for n in _networks(signals) if n and (p := _pick(signals, "d_loss", n, own=True)) is not None]
    if whole is None or whole.network or len(parts) < 2:
        return {}
    rows = _together(whole, *parts)
    if rows is None:
        return {}
    total = np.sum(rows[1:], axis=0)
    close = np.abs(rows[0] - total) < 0.02 * np.abs(total) + 1e-6
    return {"": len(parts)} if float(np.mean(close)) > 0.8 else {}


def _pick(signals: Iterable[Signal], role: str, network: str, *, own: bool = False) -> Signal | None:
    """The training signal of a role: of this network before a shared one, the first choice before others."""
    fit = [
        s for s in signals
        if s.role == role and len(s) and s.split != "val" and (s.network == network or (not s.network and not own))
    ]  # fmt: skip
    return max(fit, key=lambda s: (s.network == network, -s.rank, len(s)), default=None)


def _game(signals: Sequence[Signal], network: str, terms: Sequence[str]) -> _Game:
    adv, whole = _pick(signals, "g_loss_adv", network), _pick(signals, "g_loss", network)
    d_real, d_fake = _pick(signals, "d_loss_real", network, own=True), _pick(signals, "d_loss_fake", network, own=True)
    led_by = _led_by(signals, adv, whole)
    return _Game(
        d=_pick(signals, "d_loss", network, own=True) or _sum_of_parts(d_real, d_fake, network),
        g=adv or whole,
        real=_pick(signals, "d_real_score", network),
        fake=_pick(signals, "d_fake_score", network),
        d_real=d_real,
        d_fake=d_fake,
        gp=_pick(signals, "gradient_penalty", network),
        g_is_whole=adv is None,
        led_by=led_by,
        mixed=adv is None and bool(led_by or LED & set(terms)),
    )


def _led_by(signals: Sequence[Signal], adv: Signal | None, whole: Signal | None) -> str:
    """Tag of the largest pixel, mel, perceptual or feature term, where it outweighs the adversarial part."""
    terms = [s for s in signals if s.role == "g_loss_aux" and _LEADING.search(s.tag) and len(s) and s.split != "val"]
    if not terms:
        return ""
    size = {s.tag: _middle(s) for s in terms}
    biggest = max(size, key=lambda t: size[t])
    if adv is not None and whole is not None:
        rest = _middle(whole) - abs(_middle(adv))
        return biggest if rest > 0.5 * abs(_middle(adv)) or size[biggest] > abs(_middle(adv)) else ""
    return biggest


def _middle(signal: Signal) -> float:
    finite = np.abs(signal.values[np.isfinite(signal.values)])
    return float(median(finite)) if finite.size else 0.0


def _together(*signals: Signal | None) -> tuple[NDArray[np.float64], ...] | None:
    """Values at the steps that all have, finite only; None where one is missing or fewer than five are left."""
    given = [s for s in signals if s is not None]
    if len(given) < len(signals):
        return None
    first = given[0]
    if all(len(s) == len(first) and np.array_equal(s.steps, first.steps) for s in given):
        rows = [s.values for s in given]
    else:
        steps = first.steps
        for s in given[1:]:
            steps = np.intersect1d(steps, s.steps)
        rows = []
        for s in given:
            unique, index = np.unique(s.steps, return_index=True)
            rows.append(s.values[index[np.searchsorted(unique, steps)]] if steps.size else s.values[:0])
    if rows[0].size > _MOST_POINTS:
        every = rows[0].size // _MOST_POINTS + 1
        rows = [r[::every] for r in rows]
    ok = np.all([np.isfinite(r) for r in rows], axis=0)
    return tuple(r[ok] for r in rows) if int(ok.sum()) >= 5 else None


# ---------------------------------------------------------------- evidence


def _number(settings: Mapping[str, Setting], name: str) -> float | None:
    s = settings.get(name)
    if s is None or isinstance(s.value, bool) or not isinstance(s.value, int | float):
        return None
    return float(s.value)


def _word(settings: Mapping[str, Setting], name: str) -> str:
    s = settings.get(name)
    return s.value.lower() if s is not None and isinstance(s.value, str) else ""


def _ask_settings(seen: _Evidence, settings: Mapping[str, Setting]) -> None:
    kind = _word(settings, "loss_kind")
    gp = _number(settings, "gp_lambda") or 0.0
    clip = _number(settings, "clip_value") or 0.0
    r1 = _number(settings, "r1_gamma") or 0.0
    if kind in FAMILIES and kind not in ("other", "unknown"):
        family: Family = kind
        said = f"the config says {settings['loss_kind'].key}: {kind}"
        if family == "wgan" and gp > 0:
            seen.add(f"{said}, with a gradient penalty of {gp:g}", wgan_gp=8.0)
        elif family == "wgan-gp" and gp <= 0 and clip > 0:
            seen.add(f"{said}, yet clips weights", wgan=4.0, wgan_gp=5.0)
        else:
            seen.add(said, **{family.replace("-", "_"): 8.0})
    elif gp > 0:
        seen.add(f"the config sets a gradient penalty of {gp:g}", wgan_gp=2.0)
    elif clip > 0:
        seen.add(f"the config clips D's weights at {clip:g}", wgan=2.5)
    if not kind and r1 > 0:
        seen.add(f"the config sets R1 = {r1:g}", nonsaturating=1.5)


def _ask_tags(seen: _Evidence, signals: Sequence[Signal]) -> None:
    for pattern, family, weight in _TAG_WORDS:
        tags = [s.tag for s in signals if re.search(pattern, s.tag, re.IGNORECASE)]
        tag = min(tags, key=lambda t: (len(t), t), default=None)  # the same one whatever the order of the log
        if tag is not None:
            seen.add(f"a tag says so: {tag}", **{family.replace("-", "_"): weight})
    roles = {s.role for s in signals}
    if "gradient_penalty" in roles:
        seen.add("a gradient penalty is logged", wgan_gp=2.5)
    if "wasserstein_estimate" in roles:
        seen.add("a Wasserstein estimate is logged", wgan=2.0, wgan_gp=2.0)
    if roles & {"path_length", "ada_p", "r1_penalty"}:
        seen.add("path length, R1 or ADA is logged, as by StyleGAN", nonsaturating=2.0)
    words = " ".join(s.tag.lower() for s in signals)
    if "cycle" in words and ("idt" in words or "identity" in words):
        seen.add("cycle and identity losses, as by CycleGAN", lsgan=1.5)
    if re.search(r"(?<![a-z])mel(?![a-z])", words) and re.search(r"(?<![a-z])(?:fm|feat\w*|kl)(?![a-z])", words):
        seen.add("mel and feature losses, as by neural vocoders", lsgan=5.0)


def _ask_curves(seen: _Evidence, game: _Game) -> None:
    d, g = game.d, game.g
    seen.curves = d is not None or game.d_real is not None
    if d is not None:
        _ask_sign_of_d(seen, d)
    elif game.d_real is not None and bool(np.mean(game.d_real.values < -0.01) > 0.1):
        seen.add(
            "D's real part is negative", wgan=3.0, wgan_gp=3.0, nonsaturating=-6.0, lsgan=-6.0, minimax=-6.0, hinge=-6.0
        )
    pair = _together(d, g)
    if pair is not None and d is not None and g is not None:
        pure = not game.mixed
        _ask_start(seen, d, g)
        _ask_sign_of_g(seen, *pair, pure=pure)
        if pure:
            _ask_bounds(seen, *pair)
    _ask_scores(seen, game)


def _ask_sign_of_d(seen: _Evidence, d: Signal) -> None:
    finite = d.values[np.isfinite(d.values)]
    if not finite.size:
        return
    negative = float(np.mean(finite < -1e-9))
    if negative > 0.05 or float(np.mean(finite < -0.01)) > 0.02:
        seen.add(
            f"D's loss is negative in {negative:.0%} of the log", wgan=4.0, wgan_gp=4.0,
            nonsaturating=-8.0, lsgan=-8.0, minimax=-8.0, hinge=-8.0, relativistic=-8.0,
        )  # fmt: skip
    elif finite.size >= 20:
        seen.add("D's loss is never negative", wgan=-1.5, wgan_gp=-0.5)
        if float(finite.max()) < MOST_BOUNDED and float(np.median(finite)) > 0.1:
            # A penalty is logged beside other losses too; a critic's loss does not stay between zero and three.
            seen.add("D's loss stays where only bounded families lie", wgan=-2.0, wgan_gp=-2.0)


def _ask_start(seen: _Evidence, d: Signal, g: Signal) -> None:
    """An untrained D answers about nothing: the first losses are the chance level of D = 0."""
    if d.steps[0] > 1 or g.steps[0] > 1 or len(d) < 20:
        return
    d0, g0 = float(d.values[0]), float(g.values[0])
    for family, points in _STARTS.items():
        if any(abs(d0 - a) < 0.07 * max(1.0, a) and abs(g0 - b) < 0.08 for a, b in points):
            seen.add(f"the first losses are {d0:.3g} and {g0:.3g}, those of an untrained D", **{family: 2.0})


def _ask_sign_of_g(seen: _Evidence, d: NDArray[np.float64], g: NDArray[np.float64], *, pure: bool) -> None:
    negative, positive = float(np.mean(g < -0.02)), float(np.mean(g > 0.02))
    if float(np.mean(g < -1e-9)) > 0.3 and float(g.max()) <= 1e-9:  # small, yet never above zero
        negative = 1.0
    if negative > 0.02:
        seen.add(
            "G's loss goes below zero",
            nonsaturating=-6.0,
            lsgan=-6.0,
            hinge=0.5,
            wgan=0.5,
            wgan_gp=0.5,
            relativistic=-4.0,
        )
    if pure and positive > 0.02:
        seen.add("G's loss goes above zero", minimax=-6.0)
    if negative > 0.9 and pure:
        below = g < 0
        if float(np.mean((d + g)[below] < -0.1)) > 0.2:
            seen.add("D's and G's losses sum to less than zero", minimax=-2.0)
        if float(np.mean(d >= 0)) > 0.98 and d.size >= 20:
            seen.add("G's loss stays below zero while D's stays above", minimax=2.5, wgan=-2.0, wgan_gp=-1.5)


def _ask_bounds(seen: _Evidence, d: NDArray[np.float64], g: NDArray[np.float64]) -> None:
    if float(np.mean(d >= 0)) < 0.9:
        return
    # A loss printed as zero is one below half a digit, and cross-entropy is never quite zero.
    least = max(rounding_of(d) / 2, 1e-7)
    keep = d >= 0
    d, g = np.where(d[keep] == 0, least, np.maximum(d[keep], 1e-12)), g[keep]
    jensen = -np.log1p(-np.exp(-2 * d))  # mean convention: the weaker bound
    broken = float(np.mean(g < 0.8 * jensen - 0.05))
    if broken > 0.5 and float(np.mean(g > -0.02)) > 0.9:
        seen.add("G's loss is lower than cross-entropy allows beside this D loss", nonsaturating=-5.0)
    hinge = float(np.mean(d + g < 0.85))
    if hinge > 0.3:
        seen.add("D's and G's losses sum to less than hinge allows", hinge=-3.0)
    md, mg = float(median(d)), float(median(g))
    if md < 0.15 and mg > 1.6:
        seen.add("D near zero while G's loss is above what least squares reaches", lsgan=-3.0)
    if md < 0.35 and 0.1 < mg < 1.15 and broken > 0.5:
        seen.add("D near zero while G's loss stays at or below one", lsgan=3.0)
    if md > 1.3 and float(np.mean(d > 1.3)) > 0.5:
        seen.add("D's loss is above what least squares holds", lsgan=-2.0)
    if md > 2.6:
        seen.add("D's loss is above hinge's chance level", hinge=-1.0)
    if md > 2 and mg > 2:
        seen.add("both losses are far above cross-entropy's chance level", nonsaturating=-1.5, lsgan=-1.5)

    def near(a: float, b: float, tol: float) -> bool:
        return abs(md - a) < tol * a and abs(mg - b) < tol * max(b, 0.3)

    if near(2 * LN2, LN2, 0.12):
        seen.add(f"losses rest near {md:.2f} and {mg:.2f}: cross-entropy at chance", nonsaturating=2.5)
    elif near(0.5, 0.25, 0.12) or near(0.25, 0.125, 0.12) or near(0.25, 0.25, 0.12):
        seen.add(f"losses rest near {md:.2f} and {mg:.2f}: least squares at chance", lsgan=3.0)
    if mg < 0.45 and float(np.mean(g < 0.55)) > 0.8 and md < 1.1 and float(np.mean(g > -0.02)) > 0.98:
        seen.add("G's loss stays below half its cross-entropy chance level", lsgan=1.5)


def _ask_scores(seen: _Evidence, game: _Game) -> None:
    scores = _together(game.real, game.fake)
    if scores is None:
        return
    real, fake = scores
    inside = float(min(real.min(), fake.min())) >= -1e-6 and float(max(real.max(), fake.max())) <= 1 + 1e-6
    if inside:
        seen.add("D's scores are probabilities", nonsaturating=1.0, minimax=1.0, hinge=-3.0, wgan=-3.0, wgan_gp=-3.0)
    elif float(np.mean(np.abs(real) > 3)) > 0.2:
        seen.add("D's scores leave [0, 1] far behind", lsgan=-3.0)
    both = _together(game.d, game.real, game.fake)
    if both is None:
        return
    d, real, fake = both
    undecided = 1 - real + fake > 0.1  # where D is nearly perfect, the logarithms of cross-entropy are as straight
    if inside and _same(d[undecided], (1 - real + fake)[undecided]):
        seen.add("D's loss is 1 - D(x) + D(G(z))", other=9.0)
        return
    with_gp = _together(game.d, game.real, game.fake, game.gp)
    for turned, text in ((1, "D(G(z)) - D(x)"), (-1, "D(x) - D(G(z))")):
        if _same(d, turned * (fake - real)):
            seen.add(f"D's loss is {text}", wgan=7.0, wgan_gp=4.0)
            return
        if with_gp is not None and _same(with_gp[0], turned * (with_gp[2] - with_gp[1]) + with_gp[3]):
            seen.add(f"D's loss is {text} plus the logged penalty", wgan_gp=7.0)
            return
    if float(np.mean((d > 0) & (real > fake))) > 0.9:
        seen.add("D's loss is positive while D rates data above samples", wgan=-3.0)
    _ask_formulas(seen, d, real, fake, probabilities=inside)


def _ask_formulas(
    seen: _Evidence,
    d: NDArray[np.float64],
    real: NDArray[np.float64],
    fake: NDArray[np.float64],
    *,
    probabilities: bool,
) -> None:
    """Hold D's loss against each family's formula of its mean scores.

    All of them are convex, so the loss of a batch is at least the formula of its mean scores, and equal to it where the
    scores of a batch agree (or, for hinge, lie within the margin).
    """
    formulas: dict[str, NDArray[np.float64]] = {"lsgan": (1 - real) ** 2 + fake**2}
    if probabilities:
        formulas["nonsaturating"] = -np.log(np.maximum(real, 1e-12)) - np.log(np.maximum(1 - fake, 1e-12))
    else:
        formulas["hinge"] = np.maximum(0, 1 - real) + np.maximum(0, 1 + fake)
        formulas["nonsaturating"] = np.logaddexp(0, -real) + np.logaddexp(0, fake)
        formulas["relativistic"] = 2 * np.logaddexp(0, fake - real)
    for family, least in formulas.items():
        if not np.isfinite(least).all() or float(median(least)) <= 0:
            continue
        ratio = d / np.maximum(least, 1e-9)
        half = 0.25 if family == "lsgan" else 0.5
        weights = {family: 1.0} if family != "nonsaturating" else {"nonsaturating": 1.0, "minimax": 1.0}
        if float(np.mean(ratio < 0.93 * half)) > 0.2:
            seen.add(f"D's loss is below what its scores allow for {family}", **dict.fromkeys(weights, -3.0))
            continue
        middle = float(median(ratio))
        spread = float(np.percentile(ratio, 75) - np.percentile(ratio, 25))
        if any(abs(middle / k - 1) < 0.04 and spread < 0.05 * k for k in (half, 0.5, 1.0)):
            seen.add(f"D's loss is the {family} loss of its scores", **dict.fromkeys(weights, 3.5))
        elif any(0.98 < middle / k < 1.3 and spread < 0.2 * k for k in (0.5, 1.0)):
            seen.add(f"D's loss is close to the {family} loss of its scores", **dict.fromkeys(weights, 1.5))


def _same(logged: NDArray[np.float64], formula: NDArray[np.float64]) -> bool:
    """Whether a formula gives the logged loss, not merely a value near a flat line."""
    spread = min(float(np.std(logged)), float(np.std(formula)))
    if logged.size < 10 or spread < 1e-3 * (abs(float(median(logged))) + 1e-3):
        return False
    close = float(np.percentile(np.abs(logged - formula), 90)) < 0.05 * spread
    return close and float(np.corrcoef(logged, formula)[0, 1]) > 0.99


def _choose(
    seen: _Evidence, settings: Mapping[str, Setting], given: str | None, said: str
) -> tuple[Family, Confidence, list[str], tuple[Family, ...]]:
    if given is not None and given in FAMILIES:
        family: Family = given
        return family, "high", [f"you said {given} ({said})"], ()
    ranked = sorted(seen.score.items(), key=lambda kv: -kv[1])
    (best, top), (_, second) = ranked[0], ranked[1]
    if best in ("wgan", "wgan-gp"):
        second = next(v for k, v in ranked[1:] if k not in ("wgan", "wgan-gp"))
    margin = top - second
    why = seen.why(best)
    if best == "wgan-gp" and not any("penalty" in w or "gp" in w.lower() for w in why):
        best, why = "wgan", seen.why("wgan") or why
    if not why and not seen.curves:
        return "unknown", "low", ["no losses of D and G were logged, and no setting names the family"], ()
    if margin < 0.7:
        close = tuple(k for k, v in ranked if top - v < 1.5)
        return "unknown", "low", ["several loss families fit: " + ", ".join(close)], close
    confidence: Confidence = "high" if margin >= 4 and why else "medium" if margin >= 2 and why else "low"
    if not why:
        why = ["nothing speaks against the commonest family"]
    return best, confidence, why[:4], ()


# ---------------------------------------------------------------- the unit of the losses


def _unit_of_losses(game: _Game, seen: _Evidence, settings: Mapping[str, Setting]) -> tuple[float, str]:
    """What the losses were multiplied by: (1 for means over the batch, NaN where nobody can tell; the reason).

    An untrained D answers about nothing, so the first row is a known point times the factor. Where it is no such point,
    losses below every family's bound still tell that they are on a scale of their own.
    """
    pair = _together(game.d, game.g)
    if pair is None or game.d is None or game.g is None or game.mixed or pair[0].size < 20:
        return 1.0, ""
    d, g = pair
    if float(np.mean(d < -1e-9)) > 0.02:
        return 1.0, ""
    factors = _factors_at_start(game.d, game.g, d) if game.d.steps[0] <= 1 and game.g.steps[0] <= 1 else {}
    if factors:
        # What the config says of the batch settles it; else what is known of the family does.
        batch = _number(settings, "batch_size") or 0.0
        fits = [f for f, k in factors.items() if batch > 1 and 0.8 < max(k, 1 / k) / batch < 1.25]
        best = max(fits or factors, key=lambda f: seen.score[f])
        if factors[best] < 1 and not fits and _below_all_bounds(d, g):
            return math.nan, UNKNOWN_UNIT
        factor = factors[best]
        start = f"the first losses are {float(game.d.values[0]):.3g} and {float(game.g.values[0]):.3g}"
        told = "summed over the batch" if factor > 1 else "divided once more than a mean is"
        return factor, f"{start}, {factor:.3g} times those of an untrained D: the losses are {told}"
    if _below_all_bounds(d, g):
        return math.nan, UNKNOWN_UNIT
    return 1.0, ""


def _factors_at_start(d: Signal, g: Signal, rows: NDArray[np.float64]) -> dict[Family, float]:
    """Factor by family where the first row is an untrained D's many times over, or a small part of it; else empty."""
    d0, g0 = float(d.values[0]), float(g.values[0])
    if not (np.isfinite(d0) and np.isfinite(g0) and d0 > 0):
        return {}
    found: dict[Family, float] = {}
    for family, points in _STARTS.items():
        for a, b in points:
            factor = d0 / a
            if abs(g0 / factor - b) < (0.15 * abs(b) or 0.04):
                found.setdefault(family, factor)
    if not found or any(FEW < k < MANY for k in found.values()):
        return {}
    low, middle, high = (float(x) for x in np.quantile(rows, (0.05, 0.5, 0.95)))
    if middle > 1.5 * d0:
        return {}
    if max(found.values()) < 1 and not (
        middle > 0.1 * d0 and (high < 2 * low or _below_all_bounds(rows, g.values[: rows.size]))
    ):
        # A saturating game that D wins has small losses too, but they go on falling.
        return {}
    return found


def _below_all_bounds(d: NDArray[np.float64], g: NDArray[np.float64]) -> bool:
    """Whether cross-entropy, least squares and hinge are all ruled out, in whichever convention bears the most."""
    if float(np.mean(g > 0)) < 0.9 or float(np.mean(d > 0)) < 0.9:
        return False
    keep = (d > 0) & (g > 0)
    d, g = d[keep], g[keep]
    broken = (
        (g < 0.8 * -np.log1p(-np.exp(-2 * d)) - 0.05) & (np.sqrt(4 * d) + np.sqrt(2 * g) < 0.9) & (2 * d + g < 0.85)
    )
    if float(np.mean(broken)) <= 0.8:
        return False
    # On a scale of its own a game was from its first rows on; losses that fall to nothing are another matter.
    first = max(5, d.size // 10)
    fell = [float(np.median(x[-(x.size // 2) :])) < 0.1 * float(np.median(x[:first])) for x in (d, g)]
    return float(np.mean(broken[:first])) > 0.8 and not any(fell)


def _rescaled(game: _Game, factor: float) -> _Game:
    """The game with its losses as means over the batch."""

    def mean(signal: Signal | None) -> Signal | None:
        return None if signal is None else replace(signal, values=signal.values / factor)

    return replace(game, d=mean(game.d), g=mean(game.g), d_real=mean(game.d_real), d_fake=mean(game.d_fake))


# ---------------------------------------------------------------- convention


def _convention(family: Family, game: _Game, settings: Mapping[str, Setting]) -> tuple[Reduction, float, float, str]:
    """(reduction, factor on D's chance level, factor on G's, the reason)."""
    if family not in BOUNDED:
        return "unknown", 1.0, 1.0, ""
    if family == "lsgan":
        return _lsgan_scale(game, settings)
    parts = _together(game.d, game.d_real, game.d_fake)
    if parts is not None:
        d, r, f = parts
        total = float(median(r + f))
        if total > 0:
            ratio = float(median(d)) / total
            if abs(ratio - 1) < 0.1:
                return "sum", 1.0, 1.0, "D's loss is the sum of its parts"
            if abs(ratio - 0.5) < 0.05:
                return "mean", 0.5, 1.0, "D's loss is half the sum of its parts"
    word = _word(settings, "d_loss_reduction")
    if word == "sum":
        return "sum", 1.0, 1.0, "the config sums D's terms"
    if word == "mean":
        return "mean", 0.5, 1.0, "the config takes the mean of D's terms"
    chance = CHANCE[family][0]
    if game.d is not None and len(game.d) >= 20 and game.d.steps[0] <= 1:
        d0 = float(game.d.values[0])
        if abs(d0 - chance) < 0.05 * chance:
            return "sum", 1.0, 1.0, f"D's loss starts at {d0:.3g}, chance of the sum"
        if abs(d0 - chance / 2) < 0.05 * chance:
            return "mean", 0.5, 1.0, f"D's loss starts at {d0:.3g}, chance of the mean"
    by_scores = _together(game.d, game.real, game.fake)
    if by_scores is not None and family in ("nonsaturating", "minimax"):
        d, r, f = by_scores
        if r.min() >= 0 and r.max() <= 1 and f.min() >= 0 and f.max() <= 1:
            bound = -np.log(np.maximum(r, 1e-7)) - np.log(np.maximum(1 - f, 1e-7))
            ratio = float(median(d)) / max(float(median(bound)), 1e-9)
            if 0.85 < ratio < 1.6:
                return "sum", 1.0, 1.0, "D's loss matches the sum over its scores"
            if 0.4 < ratio < 0.75:
                return "mean", 0.5, 1.0, "D's loss matches half the sum over its scores"
    pair = _together(game.d, game.g)
    if pair is not None and family == "nonsaturating" and not game.mixed:
        d, g = pair
        d = np.maximum(d, 1e-12)
        too_low = g < 0.9 * -np.log1p(-np.exp(-d)) - 0.03
        if float(np.mean(too_low)) > 0.5:
            return "mean", 0.5, 1.0, "G's loss is too low beside a summed D loss, not beside a mean"
        if float(np.mean(d > 1.05)) > 0.3:
            return "sum", 1.0, 1.0, "D's loss stays where only a sum lies"
        if float(median(np.abs(d - LN2))) < 0.05 and float(median(np.abs(g - LN2))) < 0.12:
            return "mean", 0.5, 1.0, "both losses rest near ln 2"
    return "unknown", 1.0, 1.0, ""


def _three_terms(signals: Sequence[Signal]) -> bool:
    """TimeGAN: D judges real data and two kinds of generated ones."""
    tags = {"".join(c for c in s.tag.casefold() if c.isalnum()) for s in signals}
    return {"glossu", "glosss"} <= tags or all(
        any(w in t for t in tags) for w in ("unsupervised", "timegan", "recovery")
    )


def _lsgan_scale(game: _Game, settings: Mapping[str, Setting]) -> tuple[Reduction, float, float, str]:
    """Least squares come whole, halved, and halved twice; the factors are read off the curves, the least one counts."""
    if game.led_by and game.d is not None and _middle(game.d) > 1.1:
        return "unknown", math.nan, math.nan, "D's loss is above what one least-squares D holds: several are summed"
    seen: dict[float, str] = {}
    label = _real_label(settings)
    scores = _together(game.d, game.real, game.fake)
    if scores is not None:
        d, r, f = scores
        squares = (label - r) ** 2 + f**2
        told = squares > 1e-3
        if int(told.sum()) >= 5:
            # The spread of the scores within a batch only adds to the loss: the factor is at most the least ratio.
            least = float(np.percentile(d[told] / squares[told], 5))
            factor = max((k for k in _FACTORS if k <= 1.05 * least), default=_FACTORS[0])
            seen[factor] = f"D's loss is about {factor:g} times the squares of its scores"
    start, start_g = _start_factor(game.d, label**2), _start_factor(game.g)
    # Both have to look like a D that answers zero: 0.5 and 0.25 are also chance of whole squares.
    if not seen and start is not None and start_g in (0.5, 1.0) and game.d is not None:
        seen[start] = (
            f"D's loss starts at {float(game.d.values[0]):.3g}, as {start:g} times the squares of an untrained D"
        )
    pair = _together(game.d, game.g)
    pure = pair is not None and not game.mixed
    if pair is not None and pure and label == 1:
        d, g = pair
        if float(np.percentile(np.sqrt(np.maximum(d, 0)) + np.sqrt(np.maximum(g, 0)), 20)) <= 0.97:
            seen.setdefault(0.5, "least squares, halved: the two losses are too low for whole squares")
    factor_d = min(seen, default=1.0)
    factor_g = start_g if pure and start_g in (0.5, 1.0) else None
    if factor_g is None:
        low = pair is not None and pure and float(np.percentile(pair[1], 95)) < 0.75
        factor_g = 0.5 if factor_d < 1 and low else 1.0
    halved = factor_d < 1 or _word(settings, "d_loss_reduction") == "mean"
    return ("mean" if halved else "sum"), factor_d, factor_g, seen.get(factor_d, "")


def _start_factor(signal: Signal | None, whole: float = 1.0) -> float | None:
    """Factor of a least-squares loss that starts as of a network that answers zero, which is `whole` at factor one."""
    if signal is None or len(signal) < 20 or signal.steps[0] > 1:
        return None
    first = float(signal.values[0])
    return next((k for k in _FACTORS if abs(first / (k * whole) - 1) < 0.25), None)


def _chance(family: Family, scale_d: float, scale_g: float, label: float) -> tuple[float | None, float | None]:
    """Losses where the best D cannot tell real from generated data: it then answers half the real label."""
    if family not in CHANCE or math.isnan(scale_d):
        return None, None
    d, g = CHANCE[family]
    p = label / 2
    if label < 1 and family in ("nonsaturating", "minimax"):
        d = -label * math.log(p) - (2 - label) * math.log1p(-p)
        g = -math.log(p) if family == "nonsaturating" else math.log1p(-p)
    elif label < 1 and family == "lsgan":
        d, g = label**2 / 2, (1 - p) ** 2
    return d * scale_d, g * scale_g


def _real_label(settings: Mapping[str, Setting]) -> float:
    """D's target on real data; some configs give the label itself (0.9) under the name of the smoothing."""
    given = _number(settings, "label_smoothing")
    if given and 0 < given < 1:
        return given if given > 0.5 else 1.0 - given
    label = _number(settings, "real_label")
    return label if label is not None and 0 < label < 1 else 1.0


def _floor(family: Family, smoothing: float) -> float:
    """Lowest reachable D loss, sum convention: the entropy of the smoothed real label."""
    if family not in ("nonsaturating", "minimax") or not 0 < smoothing < 1:
        return 0.0
    return -(smoothing * math.log(smoothing) + (1 - smoothing) * math.log(1 - smoothing))


def _sign(family: Family, game: _Game) -> int:
    if family not in ("wgan", "wgan-gp") or game.d is None:
        return 1
    both = _together(game.d, game.real, game.fake)
    if both is not None:
        d, r, f = both
        kept, turned = median(np.abs(d - (f - r))), median(np.abs(d - (r - f)))
        # Real scored low (WassersteinGAN's main.py): D minimises D(x) - D(G(z)) and the sign of the log is as usual.
        return -1 if turned < 0.5 * kept and float(median(r - f)) > 0 else 1
    finite = game.d.values[np.isfinite(game.d.values)]
    if family == "wgan" and finite.size >= 20 and float(np.mean(finite > 0)) > 0.95:
        return -1
    return 1


def _terms(signals: Sequence[Signal], settings: Mapping[str, Setting]) -> tuple[str, ...]:
    roles = {s.role for s in signals}
    found = []
    if "gradient_penalty" in roles or (_number(settings, "gp_lambda") or 0) > 0:
        found.append("gp")
    if "r1_penalty" in roles or (_number(settings, "r1_gamma") or 0) > 0:
        found.append("r1")
    if "path_length" in roles:
        found.append("path")
    if (_number(settings, "num_classes") or 0) > 1 or any(
        re.search(r"(?i)cls|class|(?<![a-z])ac(?![a-z])", s.tag) for s in signals
    ):
        found.append("class")
    if any(re.search(r"(?i)contrast|nce", s.tag) for s in signals):
        found.append("contrastive")
    found += [term for term, weight in _WEIGHTS if (_number(settings, weight) or 0) > 0]
    return tuple(found)


# ---------------------------------------------------------------- derived signals


_Points = tuple["NDArray[np.int64]", "NDArray[np.float64]"]


def _made(role: str, like: Signal, at: _Points, because: str, network: str = "") -> Signal:
    name = f"{role} {network} (derived)" if network else f"{role} (derived)"
    return Signal(name, *at, role, network, like.split, None, "", because)


def _joined(*signals: Signal) -> tuple[NDArray[np.int64], list[NDArray[np.float64]]]:
    """Values at common steps, NaN and infinities kept; the last of several values of one step."""
    first = signals[0]
    if all(len(s) == len(first) and np.array_equal(s.steps, first.steps) for s in signals):
        return first.steps, [s.values for s in signals]
    steps = np.unique(first.steps)
    for s in signals[1:]:
        steps = np.intersect1d(steps, s.steps)
    rows = []
    for s in signals:
        unique, index = np.unique(s.steps[::-1], return_index=True)
        rows.append(s.values[::-1][index[np.searchsorted(unique, steps)]] if steps.size else s.values[:0])
    return steps, rows


def _sum_of_parts(real: Signal | None, fake: Signal | None, network: str) -> Signal | None:
    if real is None or fake is None:
        return None
    steps, (r, f) = _joined(real, fake)
    return (
        _made("d_loss", real, (steps, r + f), f"the sum of {real.tag} and {fake.tag}", network) if steps.size else None
    )


def _advantage(game: _Game, objective: Objective, network: str) -> Signal | None:
    """Share of its chance-level loss that D has removed; for a D that answers perfectly this is 1.

    For cross-entropy and an optimal D it is the Jensen-Shannon divergence in units of its largest value, for hinge the
    total variation. Without a bounded loss: the gap between the probabilities D gives to real and to generated data.
    """
    d = game.d
    if d is not None and objective.family in BOUNDED and objective.chance_d:
        several = objective.summed.get(network, 1)
        chance, floor = objective.chance_d * several, objective.floor_d * several
        value = (chance - d.values) / (chance - floor)
        because = f"how far {d.tag} lies below its chance level of {chance:.3g}"
        return _made("d_advantage", d, (d.steps, _unit(value)), because, network)
    if game.real is None or game.fake is None or objective.family in ("wgan", "wgan-gp"):
        return None
    steps, (r, f) = _joined(game.real, game.fake)
    finite = np.concatenate([r[np.isfinite(r)], f[np.isfinite(f)]])
    if not finite.size or finite.min() < -1e-6 or finite.max() > 1 + 1e-6:
        return None
    return _made("d_advantage", game.real, (steps, _unit(r - f)), f"{game.real.tag} minus {game.fake.tag}", network)


def _unit(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Cut to [0, 1]; NaN stays NaN."""
    return np.asarray(np.clip(values, 0.0, 1.0), dtype=np.float64)


def _wasserstein(signals: Sequence[Signal], game: _Game, objective: Objective, network: str) -> Signal | None:
    """The distance as D sees it: from its scores, else from its loss without the logged penalty."""
    if objective.family not in ("wgan", "wgan-gp") or _pick(signals, "wasserstein_estimate", network) is not None:
        return None
    role = "wasserstein_estimate"
    if game.real is not None and game.fake is not None:
        steps, (r, f) = _joined(game.real, game.fake)
        gap = f - r if objective.sign == 1 and _low_real(game) else r - f
        because = f"{game.real.tag} against {game.fake.tag}"
        return _made(role, game.real, (steps, gap), because, network) if steps.size else None
    if game.d is None:
        return None
    turned = ", sign turned" if objective.sign == 1 else ""
    if game.gp is not None and objective.family == "wgan-gp":
        steps, (d, p) = _joined(game.d, game.gp)
        if steps.size:
            value = -objective.sign * d + p
            return _made(role, game.d, (steps, value), f"{game.d.tag} without {game.gp.tag}{turned}", network)
    return _made(role, game.d, (game.d.steps, -objective.sign * game.d.values), f"{game.d.tag}{turned}", network)


def _low_real(game: _Game) -> bool:
    """Whether D is trained to score real data low."""
    both = _together(game.d, game.real, game.fake)
    if both is None:
        return False
    d, r, f = both
    return bool(median(np.abs(d - (r - f))) < 0.5 * median(np.abs(d - (f - r))))


def _adversarial(game: _Game, network: str) -> Signal | None:
    if game.g is None or game.mixed:
        return None
    because = f"{game.g.tag} is all that is known to drive G" if game.g_is_whole else f"logged as {game.g.tag}"
    return _made("g_adv", game.g, (game.g.steps, game.g.values), because, network)


def _ratio(signals: Sequence[Signal], network: str) -> Signal | None:
    d, g = _pick(signals, "grad_norm_d", network), _pick(signals, "grad_norm_g", network)
    if d is None or g is None:
        return None
    steps, (a, b) = _joined(d, g)
    return _made("grad_ratio", d, (steps, a / b), f"{d.tag} over {g.tag}", network) if steps.size else None


def _progress(signals: Sequence[Signal]) -> Signal | None:
    """The best judge of quality that was logged, lower is better."""
    for role, direction in JUDGES:
        fit = [s for s in signals if s.role == role and len(s) >= 2 and not re.search(r"(?i)best", s.tag)]
        if role == "g_loss_aux":
            fit = [s for s in fit if _LEADING.search(s.tag)]
        if fit:
            # A distance between D's features grows as D learns: it judges only where nothing else does.
            s = max(
                fit, key=lambda s: (not _OF_FEATURES.search(s.tag), role != "g_loss_aux" or s.split == "val", len(s))
            )
            turned = "" if direction == 1 else ", sign turned"
            return _made("progress", s, (s.steps, direction * s.values), f"{s.tag}{turned}: lower is better")
    return None
