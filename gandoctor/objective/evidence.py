"""What settings, tags and curves say of the family; what counted is told."""

from __future__ import annotations

import re
from dataclasses import field
from typing import TYPE_CHECKING, Final, cast

import numpy as np

from gandoctor.lang.functions.series import CUTS
from gandoctor.lang.middle import median
from gandoctor.model.signals import FAMILIES
from gandoctor.objective.bounds import ask_bounds
from gandoctor.objective.families import CRITICS, PRIOR, TABLE
from gandoctor.objective.game import number, together, word
from gandoctor.objective.identities import ask_estimate, ask_halves, ask_pairs
from gandoctor.objective.scores import ask_scores
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from gandoctor.model.signals import Confidence, Family, Setting, Signal
    from gandoctor.objective.game import Game

# Hinge and cross-entropy at their chance levels, with room for the noise of a batch.
MOST_BOUNDED: Final = 3.0
# Rows below which losses that fit everything name no family, not even the commonest.
FEWEST: Final = 5
# A distance that is measured beside the training is named after Wasserstein whatever game is
# played.
METRICS: Final = frozenset({"wasserstein_estimate"})


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
        ranked = sorted(
            (r for r in self.reasons if r[1] == family and r[0] > 0), key=lambda r: -r[0]
        )
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
    called = "" if kind else word(settings, "loss_call")
    script = called and settings["loss_call"].file.endswith(".py")
    whose = "the training code" if script else "the notebook's code"
    if called == "nonsaturating":
        seen.add(f"{whose} computes cross-entropy", nonsaturating=4.0, minimax=3.5)
    elif called:
        weight = 3.0 if called == "lsgan" else 4.0
        seen.add(
            f"{whose} computes the loss of {called}",
            **{called.replace("-", "_"): weight},
        )
    if not kind and (number(settings, "r2_gamma") or 0.0) > 0:
        seen.add("the config sets an R2 penalty beside R1, as R3GAN does", relativistic=3.0)
    elif not kind and r1 > 0:
        seen.add(f"the config sets R1 = {r1:g}", nonsaturating=1.5)


def ask_tags(seen: Evidence, signals: Sequence[Signal]) -> None:
    """What the tags say, and what is logged at all."""
    for pattern, family, weight in ((p, f.name, w) for f in TABLE for p, w in f.words):
        tags = [
            s.tag
            for s in signals
            if s.role not in METRICS and re.search(pattern, s.tag, re.IGNORECASE)
        ]
        # The same one whatever the order of the log.
        tag = min(tags, key=lambda t: (len(t), t), default=None)
        if tag is not None:
            seen.add(f"a tag says so: {tag}", **{family.replace("-", "_"): weight})
    roles = {s.role for s in signals}
    if "gradient_penalty" in roles:
        seen.add("a gradient penalty is logged", wgan_gp=2.5)
    if "r2_penalty" in roles:
        seen.add("an R2 penalty is logged, as by R3GAN", relativistic=4.0)
    elif roles & {"path_length", "ada_p", "r1_penalty"}:
        seen.add("path length, R1 or ADA is logged, as by StyleGAN", nonsaturating=2.0)
    words = " ".join(s.tag.lower() for s in signals)
    if "cycle" in words and ("idt" in words or "identity" in words):
        seen.add("cycle and identity losses, as by CycleGAN", lsgan=2.5)
    if re.search(r"(?<![a-z])mel(?![a-z])", words) and re.search(
        r"(?<![a-z])(?:fm|feat\w*|kl)(?![a-z])", words
    ):
        seen.add("mel and feature losses, as by neural vocoders", lsgan=5.0)
    elif re.search(r"(?<![a-z])mel(?![a-z])", words):
        seen.add("a mel loss, as by neural vocoders", lsgan=2.5, hinge=0.5)


def ask_names(seen: Evidence, names: Iterable[str]) -> None:
    """What files and folders are called, where they name one family alone.

    A hint, as folders outlive their names.
    """
    said = {
        known.name: (weight, name)
        for name in names
        for known in TABLE
        for pattern, weight in known.file_words
        if re.search(pattern, name.lower())
    }
    if len(said) == 1:
        ((family, (weight, name)),) = said.items()
        seen.add(f"a file or folder is named so: {name}", **{family.replace("-", "_"): weight})


def ask_curves(seen: Evidence, game: Game, *, epochs: bool = False) -> None:
    """What signs, first rows, bounds and scores say."""
    d, g = game.d, game.g
    seen.curves = max((len(s) for s in (d, game.d_real) if s is not None), default=0) >= FEWEST
    if d is not None:
        _ask_sign_of_d(seen, d)
    elif game.d_real is not None and bool(np.mean(game.d_real.values < -0.01) > 0.1):
        seen.add(
            "D's real part is negative",
            wgan=3.0,
            wgan_gp=3.0,
            nonsaturating=-6.0,
            lsgan=-6.0,
            minimax=-6.0,
            hinge=-6.0,
        )
    _ask_clamp(seen, *(s for s in (d, g) if s is not None))
    pair = together(d, g)
    if pair is not None and d is not None and g is not None:
        pure = not game.mixed
        _ask_start(seen, d, g, epochs=epochs)
        _ask_sign_of_g(seen, *pair, pure=pure)
        if pure:
            ask_bounds(seen, *pair)
    ask_estimate(seen, game)
    ask_halves(seen, game)
    if not ask_pairs(seen, game):
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
        if float(finite.max()) < MOST_BOUNDED and float(median(finite)) > 0.1:
            # A penalty is logged beside other losses too; a critic's loss does not stay between
            # zero and three.
            seen.add("D's loss stays where only bounded families lie", wgan=-2.0, wgan_gp=-2.5)


def _ask_clamp(seen: Evidence, *losses: Signal) -> None:
    """Cross-entropy is cut where the logarithm of zero would be.

    At 100 (PyTorch), or at that of an epsilon.
    """
    for loss in losses:
        top = float(np.max(loss.values[np.isfinite(loss.values)], initial=0.0))
        clamp = next((float(c) for c in CUTS if abs(top / c - 1) < 1e-3), None)
        if clamp is not None and float(np.mean(loss.values > 0.999 * clamp)) > 0.1:
            text = f"{loss.tag} rests at {clamp:.4g}, where cross-entropy is cut"
            seen.add(text, nonsaturating=3.0, minimax=1.0, lsgan=-2.0)
            return


def _ask_start(seen: Evidence, d: Signal, g: Signal, *, epochs: bool) -> None:
    """An untrained D answers about nothing: the first losses are the chance level of D = 0.

    After a whole epoch no D is untrained: then only a family's own equilibrium tells, and little.
    """
    if d.steps[0] > 1 or g.steps[0] > 1 or len(d) < 20:
        return
    d0, g0 = float(d.values[0]), float(g.values[0])
    for family in TABLE:
        points = family.starts if not epochs else [p for p in family.starts if p == family.chance]
        if any(abs(d0 - a) < 0.07 * max(1.0, a) and abs(g0 - b) < 0.08 for a, b in points):
            weight = 1.0 if epochs else 2.0
            seen.add(
                f"the first losses are {d0:.3g} and {g0:.3g}, those of an untrained D",
                **{family.name: weight},
            )


def _ask_sign_of_g(
    seen: Evidence, d: NDArray[np.float64], g: NDArray[np.float64], *, pure: bool
) -> None:
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
    if (
        pure
        and negative > 0.02
        and float(d.min()) >= 0
        and float(median(d)) > 0.1
        and float(d.max()) < MOST_BOUNDED
    ):
        seen.add("G's loss goes below zero while D's stays within what hinge holds", hinge=1.5)
    if negative > 0.9 and pure:
        below = g < 0
        if float(np.mean((d + g)[below] < -0.1)) > 0.2:
            seen.add("D's and G's losses sum to less than zero", minimax=-2.0)
        if float(np.mean(d >= 0)) > 0.98 and d.size >= 20:
            seen.add(
                "G's loss stays below zero while D's stays above",
                minimax=2.5,
                wgan=-2.0,
                wgan_gp=-1.5,
            )


def choose(
    seen: Evidence, settings: Mapping[str, Setting], given: str | None, said: str
) -> tuple[Family, Confidence, list[str], tuple[Family, ...]]:
    """(the family, how sure, the reasons, what else fits).

    ``unknown`` where two fit nearly as well.
    """
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
        return (
            "unknown",
            "low",
            ["too few losses of D and G were logged, and no setting names the family"],
            (),
        )
    if margin < 0.7:
        close = tuple(k for k, v in ranked if top - v < 1.5)
        return "unknown", "low", ["several loss families fit: " + ", ".join(close)], close
    if not why:
        return best, "low", ["nothing speaks against the commonest family"], ()
    return best, _confidence(margin), why[:4], ()


def _confidence(margin: float) -> Confidence:
    """How sure a family is that goes before the next by this much evidence."""
    if margin >= 4:
        return "high"
    return "medium" if margin >= 2 else "low"
