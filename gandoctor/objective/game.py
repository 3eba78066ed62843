"""The series of one network, put together from the roles.

And what the settings say in numbers and words.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.lang.middle import distinct, median
from gandoctor.model.signals import Signal
from gandoctor.patterns import late_pattern
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from gandoctor.model.signals import Setting

    Points = tuple[NDArray[np.int64], NDArray[np.float64]]

# Parts of G's loss that can lead it, best judge first.
LEADING: Final = late_pattern(
    r"(?i)mel|l1(?!\d)|l2(?!\d)|pix|mse|mae|rec(?:on)?|vgg|percep|lpips|content|feat|"
    r"(?<![a-z])fm(?![a-z])|cyc|image|waveform|stft|spec|sup|color|charb|ssim|nll"
)
# A teacher's verdict leads G as well, and measures nothing.
_DISTILLED: Final = re.compile(r"(?i)(?<![a-z])(?:dm|vsd|distill\w*)(?![a-z])")
# Settings that give a part of G's loss its weight, and what the part is called among the terms of
# the game.
_WEIGHTS: Final = (
    ("pixel", "lambda_l1"), ("mel", "lambda_mel"), ("cycle", "lambda_cycle"), ("perceptual",
    "lambda_perceptual"),
    ("feature", "lambda_fm"),
)  # fmt: skip
# Terms that are part of G's whole loss: where one is at work, the whole says little about D.
LED: Final = frozenset(term for term, _ in _WEIGHTS)
# A pixel, mel or cycle loss leads where the config gives D's part of G's loss so little weight, and
# that loss so many times as much.
_NEXT_TO_NOTHING: Final = 0.1
_LEADS: Final = 5.0
_MOST_POINTS: Final = 20_000
# Logs hold infinities; what they do to a sum or a logarithm is no news.
QUIET: Final = np.errstate(divide="ignore", invalid="ignore", over="ignore")


@dataclass(frozen=True, slots=True, eq=False)
class Game:
    """The series of one network that the family is read from; None where not logged."""

    d: Signal | None
    g: Signal | None
    real: Signal | None
    fake: Signal | None
    d_real: Signal | None
    d_fake: Signal | None
    gp: Signal | None
    r2: Signal | None
    estimate: Signal | None
    others: tuple[Signal, ...]  # further losses of D that were logged
    g_is_whole: bool
    led_by: str
    mixed: bool  # `g` is G's whole loss, and other parts than D's judgement are in it


def networks(signals: Sequence[Signal]) -> list[str]:
    """Networks that have a discriminator of their own; the shared one first."""
    named = sorted(
        {s.network for s in signals if s.role and s.role.startswith("d_") and s.network and len(s)}
    )
    shared = any(s.role and s.role.startswith("d_") and not s.network and len(s) for s in signals)
    return ["", *named] if shared else named


def summed_of(signals: Sequence[Signal]) -> dict[str, int]:
    """Whether the D loss without a network is the sum of those of the networks, and of how many."""
    whole = pick(signals, "d_loss", "", own=True)
    parts = [p for n in networks(signals) if n and (p := _own_loss(signals, n)) is not None]
    if whole is None or whole.network or len(parts) < 2:
        return {}
    rows = together(whole, *parts)
    if rows is None:
        return {}
    total = np.sum(rows[1:], axis=0)
    close = np.abs(rows[0] - total) < 0.02 * np.abs(total) + 1e-6
    return {"": len(parts)} if float(np.mean(close)) > 0.8 else {}


def _own_loss(signals: Sequence[Signal], network: str) -> Signal | None:
    """D's loss of a network, logged whole or in its two halves."""
    real, fake = (pick(signals, r, network, own=True) for r in ("d_loss_real", "d_loss_fake"))
    return pick(signals, "d_loss", network, own=True) or _sum_of_parts(real, fake, network)


def pick(signals: Iterable[Signal], role: str, network: str, *, own: bool = False) -> Signal | None:
    """The training signal of a role.

    Of this network before a shared one, the first choice before others.
    """
    of_role = [s for s in signals if s.role == role and len(s) and s.split != "val"]
    fit = [s for s in of_role if s.network == network or (not s.network and not own)]
    return max(fit, key=lambda s: (s.network == network, -s.rank, len(s)), default=None)


def game_of(signals: Sequence[Signal], network: str, terms: Sequence[str]) -> Game:
    """The series of one network."""
    adv, whole = pick(signals, "g_loss_adv", network), pick(signals, "g_loss", network)
    d_real, d_fake = (
        pick(signals, "d_loss_real", network, own=True),
        pick(signals, "d_loss_fake", network, own=True),
    )
    led_by = _led_by(signals, adv, whole)
    return Game(
        d=pick(signals, "d_loss", network, own=True) or _sum_of_parts(d_real, d_fake, network),
        g=adv or whole,
        real=pick(signals, "d_real_score", network),
        fake=pick(signals, "d_fake_score", network),
        d_real=d_real,
        d_fake=d_fake,
        gp=pick(signals, "gradient_penalty", network),
        r2=pick(signals, "r2_penalty", network),
        estimate=pick(signals, "wasserstein_estimate", network),
        others=tuple(
            s
            for s in signals
            if s.role == "d_loss" and s.rank and s.network == network and s.split != "val"
        ),
        g_is_whole=adv is None,
        led_by=led_by,
        mixed=adv is None and bool(led_by or LED & set(terms)),
    )


def _led_by(signals: Sequence[Signal], adv: Signal | None, whole: Signal | None) -> str:
    """Tag of the largest pixel, mel or feature term that outweighs the adversarial part."""
    terms = [
        s
        for s in signals
        if s.role == "g_loss_aux"
        and len(s)
        and s.split != "val"
        and (LEADING.search(s.tag) or _DISTILLED.search(s.tag))
    ]
    if not terms:
        return ""
    size = {s.tag: middle(s) for s in terms}
    biggest = max(size, key=lambda t: size[t])
    if any(s.role in ("adv_weight", "adv_switch") for s in signals):
        return biggest  # what D says is added to a training that does without it
    if adv is not None and whole is not None:
        rest = middle(whole) - abs(middle(adv))
        return biggest if rest > 0.5 * abs(middle(adv)) or size[biggest] > abs(middle(adv)) else ""
    return biggest


def led_by_weight(settings: Mapping[str, Setting]) -> str:
    """Key of the weight that lets another loss lead G; empty where D's part has a say."""
    adv = number(settings, "lambda_adv")
    if adv is None or not 0 < adv <= _NEXT_TO_NOTHING:
        return ""
    for name in ("lambda_l1", "lambda_mel", "lambda_cycle"):
        if (number(settings, name) or 0.0) >= _LEADS * adv:
            return settings[name].key
    return ""


def middle(signal: Signal) -> float:
    """Median of the finite magnitudes; 0 without any."""
    finite = np.abs(signal.values[np.isfinite(signal.values)])
    return float(median(finite)) if finite.size else 0.0


def together(*signals: Signal | None) -> tuple[NDArray[np.float64], ...] | None:
    """Values at the steps that all have, finite only.

    Returns
    -------
    tuple of ndarray of float64, shape (n,), n >= 5, or None
        One for each signal; None where one is missing or fewer than five values are left.
    """
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
            rows.append(
                s.values[index[np.searchsorted(unique, steps)]] if steps.size else s.values[:0]
            )
    if rows[0].size > _MOST_POINTS:
        every = rows[0].size // _MOST_POINTS + 1
        rows = [r[::every] for r in rows]
    ok = np.all([np.isfinite(r) for r in rows], axis=0)
    return tuple(r[ok] for r in rows) if int(ok.sum()) >= 5 else None


def joined(*signals: Signal) -> tuple[NDArray[np.int64], list[NDArray[np.float64]]]:
    """Values at common steps, NaN and infinities kept; the last of several values of one step.

    Returns
    -------
    steps : ndarray of int64, shape (n,), ascending
    values : list of ndarray of float64, shape (n,)
        One for each signal.
    """
    first = signals[0]
    if all(len(s) == len(first) and np.array_equal(s.steps, first.steps) for s in signals):
        return first.steps, [s.values for s in signals]
    steps = distinct(first.steps)
    for s in signals[1:]:
        steps = np.intersect1d(steps, s.steps)
    rows = []
    for s in signals:
        unique, index = np.unique(s.steps[::-1], return_index=True)
        rows.append(
            s.values[::-1][index[np.searchsorted(unique, steps)]] if steps.size else s.values[:0]
        )
    return steps, rows


def made(role: str, like: Signal, at: Points, because: str, network: str = "") -> Signal:
    """A derived signal."""
    name = f"{role} {network} (derived)" if network else f"{role} (derived)"
    return Signal(name, *at, role, network, like.split, None, "", because)


def _sum_of_parts(real: Signal | None, fake: Signal | None, network: str) -> Signal | None:
    if real is None or fake is None:
        return None
    steps, (r, f) = joined(real, fake)
    return (
        made("d_loss", real, (steps, r + f), f"the sum of {real.tag} and {fake.tag}", network)
        if steps.size
        else None
    )


def rescaled(game: Game, factor: float) -> Game:
    """The game with its losses as means over the batch."""

    def mean(signal: Signal | None) -> Signal | None:
        return None if signal is None else replace(signal, values=signal.values / factor)

    return replace(
        game, d=mean(game.d), g=mean(game.g), d_real=mean(game.d_real), d_fake=mean(game.d_fake)
    )


def number(settings: Mapping[str, Setting], name: str) -> float | None:
    """A setting that is a number."""
    s = settings.get(name)
    if s is None or isinstance(s.value, bool) or not isinstance(s.value, int | float):
        return None
    return float(s.value)


def word(settings: Mapping[str, Setting], name: str) -> str:
    """A setting that is a word, in lower case."""
    s = settings.get(name)
    return s.value.lower() if s is not None and isinstance(s.value, str) else ""


def real_label(settings: Mapping[str, Setting]) -> float:
    """D's target on real data.

    Some configs give the label itself (0.9) under the name of the smoothing.
    """
    given = number(settings, "label_smoothing")
    if given and 0 < given < 1:
        return given if given > 0.5 else 1.0 - given
    label = number(settings, "real_label")
    return label if label is not None and 0 < label < 1 else 1.0


def terms_of(signals: Sequence[Signal], settings: Mapping[str, Setting]) -> tuple[str, ...]:
    """Extra terms in the losses."""
    roles = {s.role for s in signals}
    found = []
    if "gradient_penalty" in roles or (number(settings, "gp_lambda") or 0) > 0:
        found.append("gp")
    if "r1_penalty" in roles or (number(settings, "r1_gamma") or 0) > 0:
        found.append("r1")
    if "path_length" in roles:
        found.append("path")
    if (number(settings, "num_classes") or 0) > 1 or any(
        re.search(r"(?i)cls|class|(?<![a-z])ac(?![a-z])", s.tag) for s in signals
    ):
        found.append("class")
    if any(re.search(r"(?i)contrast|nce", s.tag) for s in signals):
        found.append("contrastive")
    found += [term for term, weight in _WEIGHTS if (number(settings, weight) or 0) > 0]
    return tuple(found)


def three_terms(signals: Sequence[Signal]) -> bool:
    """TimeGAN: D judges real data and two kinds of generated ones."""
    tags = {"".join(c for c in s.tag.casefold() if c.isalnum()) for s in signals}
    return {"glossu", "glosss"} <= tags or all(
        any(w in t for t in tags) for w in ("unsupervised", "timegan", "recovery")
    )
