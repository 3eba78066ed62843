"""What settings, tags and curves say of the family; what counted is told."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, cast

import numpy as np

from gandoctor.lang.functions import rounding_of
from gandoctor.lang.middle import median
from gandoctor.model.signals import FAMILIES
from gandoctor.objective.families import CRITICS, LN2, PRIOR, TABLE
from gandoctor.objective.game import number, together, word
from gandoctor.objective.scores import ask_scores

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from gandoctor.model.signals import Confidence, Family, Setting, Signal
    from gandoctor.objective.game import Game

# Hinge and cross-entropy at their chance levels, with room for the noise of a batch.
MOST_BOUNDED: Final = 3.0


@dataclass(slots=True)
class Evidence:
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


def ask_settings(seen: Evidence, settings: Mapping[str, Setting]) -> None:
    """What the config says."""
    kind = word(settings, "loss_kind")
    gp = number(settings, "gp_lambda") or 0.0
    clip = number(settings, "clip_value") or 0.0
    r1 = number(settings, "r1_gamma") or 0.0
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


def ask_tags(seen: Evidence, signals: Sequence[Signal]) -> None:
    """What the tags say, and what is logged at all."""
    for pattern, family, weight in ((p, f.name, w) for f in TABLE for p, w in f.words):
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


def ask_curves(seen: Evidence, game: Game) -> None:
    """What signs, first rows, bounds and scores say."""
    d, g = game.d, game.g
    seen.curves = d is not None or game.d_real is not None
    if d is not None:
        _ask_sign_of_d(seen, d)
    elif game.d_real is not None and bool(np.mean(game.d_real.values < -0.01) > 0.1):
        seen.add(
            "D's real part is negative", wgan=3.0, wgan_gp=3.0, nonsaturating=-6.0, lsgan=-6.0, minimax=-6.0, hinge=-6.0
        )
    pair = together(d, g)
    if pair is not None and d is not None and g is not None:
        pure = not game.mixed
        _ask_start(seen, d, g)
        _ask_sign_of_g(seen, *pair, pure=pure)
        if pure:
            _ask_bounds(seen, *pair)
    ask_scores(seen, game)


def _ask_sign_of_d(seen: Evidence, d: Signal) -> None:
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


def _ask_start(seen: Evidence, d: Signal, g: Signal) -> None:
    """An untrained D answers about nothing: the first losses are the chance level of D = 0."""
    if d.steps[0] > 1 or g.steps[0] > 1 or len(d) < 20:
        return
    d0, g0 = float(d.values[0]), float(g.values[0])
    for family in TABLE:
        if any(abs(d0 - a) < 0.07 * max(1.0, a) and abs(g0 - b) < 0.08 for a, b in family.starts):
            seen.add(f"the first losses are {d0:.3g} and {g0:.3g}, those of an untrained D", **{family.name: 2.0})


def _ask_sign_of_g(seen: Evidence, d: NDArray[np.float64], g: NDArray[np.float64], *, pure: bool) -> None:
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


def _ask_bounds(seen: Evidence, d: NDArray[np.float64], g: NDArray[np.float64]) -> None:
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


def choose(
    seen: Evidence, settings: Mapping[str, Setting], given: str | None, said: str
) -> tuple[Family, Confidence, list[str], tuple[Family, ...]]:
    """(the family, how sure, the reasons, what else fits): ``unknown`` where two fit nearly as well."""
    if given is not None and given in FAMILIES:
        family: Family = given
        return family, "high", [f"you said {given} ({said})"], ()
    ranked = sorted(seen.score.items(), key=lambda kv: -kv[1])
    (best, top), (_, second) = ranked[0], ranked[1]
    if best in CRITICS:
        second = next(v for k, v in ranked[1:] if k not in CRITICS)
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
