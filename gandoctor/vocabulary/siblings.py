"""What the other names of a log say of one: a score beside a whole loss, the rest beside a part.

A rule asks who has a role before it goes through the signals, not at each of them: a log may have
100,000.
"""

from __future__ import annotations

import re
from collections import defaultdict
from operator import itemgetter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gandoctor.vocabulary.guess import Guess


def _having(guesses: Iterable[Guess], *roles: str) -> list[Guess]:
    return [g for g in guesses if g.role in roles]


def _real_fake(guesses: list[Guess]) -> None:
    """``D_real`` is a score beside a whole loss of D, and a loss where there is none."""
    scores = _having(guesses, "d_real_score", "d_fake_score")
    # By side and network: the first loss of D beside which a part is seen, and whether one of them
    # is a total.
    first: dict[tuple[str, str], tuple[int, Guess]] = {}
    total: set[tuple[str, str]] = set()

    def beside(i: int, g: Guess, *sides: str) -> None:
        for key in ((side, g.network) for side in sides):
            first[key] = min(first.get(key, (i, g)), (i, g), key=itemgetter(0))
            if "total" in g.found:
                total.add(key)

    for i, g in enumerate(guesses):
        if g.role in ("d_loss", "d_loss_real", "d_loss_fake"):
            beside(i, g, *(("real", "fake") if g.role == "d_loss" else (g.role[-4:],)))
    for i, g in enumerate(guesses):
        if g.role not in ("d_real?", "d_fake?"):
            continue
        side = "real" if g.role == "d_real?" else "fake"
        whole = first.get((side, g.network))
        if whole and (side, g.network) in total and "mean" not in g.found:
            g.settle(f"d_loss_{side}", f"a part of {whole[1].tag}")
        elif whole and not scores:
            g.settle(f"d_{side}_score", f"D on {side} data beside a whole loss ({whole[1].tag})")
        else:
            g.settle(f"d_loss_{side}", f"D on {side} data, and no whole loss of D beside it")
        if g.role == f"d_loss_{side}":
            beside(i, g, side)


def _accuracy(guesses: list[Guess]) -> None:
    on_real = _having(guesses, "d_real_acc")
    for g in _having(guesses, "gen_acc?"):
        if on_real:
            g.settle("d_fake_acc", "accuracy on generated data, beside one on real data")
        else:
            g.settle("other", "accuracy under the name of G: how often D is fooled")


def _gradients(guesses: list[Guess]) -> None:
    named = _having(guesses, "grad_norm_d")
    loose = _having(guesses, "grad_norm?")
    numbers = {t for g in loose for t in g.tokens}
    for g in loose:
        if "0" in g.tokens and "1" in numbers:
            g.settle("grad_norm_d", "the first of two optimisers")
        elif "1" in g.tokens and "0" in numbers:
            g.settle("grad_norm_g", "the second of two optimisers")
        elif named and "norm" in g.found:
            g.settle("grad_norm_g", f"the other gradient norm beside {named[0].tag}")
        else:
            g.settle("other", "a gradient of nobody in particular")


def _bare_losses(guesses: list[Guess]) -> None:
    """A loss without a name is what the others leave: G's whole, D's, or the sum of both."""
    d, g_whole = (
        _having(guesses, "d_loss", "d_loss_real", "d_loss_fake"),
        _having(guesses, "g_loss"),
    )
    adversarial, penalty = _having(guesses, "g_loss_adv"), _having(guesses, "gradient_penalty")
    aux = bool(_having(guesses, "g_loss_aux"))
    numbered = {
        t: g
        for g in _having(guesses, "loss?")
        for t in g.tokens
        if t in ("0", "1") and not g.unknown
    }
    for g in _having(guesses, "loss?"):
        if len(numbered) == 2 and g in numbered.values() and "total" not in g.found:
            role, which = ("d_loss", "first") if "0" in g.tokens else ("g_loss", "second")
            g.settle(role, f"loss of the {which} of two optimisers")
        elif g.split == "val" and "total" not in g.found:
            g.settle("g_loss_aux" if aux else "other", "a validation loss without a name")
        elif "total" in g.found and (d or adversarial):
            g.settle("g_loss", f"a total beside {(d or adversarial)[0].tag}")
        elif "maybe_d" in g.found and g_whole and not d:
            g.settle("d_loss", f"the other loss beside G's ({g_whole[0].tag})")
        elif "norm" in g.found and (d or g_whole):
            g.settle("g_loss_aux", "a norm that is trained on")
        elif d and not g_whole and not g.unknown:
            g.settle("g_loss", f"the other loss beside D's ({d[0].tag})")
        elif not d and not g_whole and penalty:
            g.settle("d_loss", "the only loss beside a gradient penalty")
        elif g.unknown and (d or g_whole):
            g.settle(
                "g_loss_aux",
                f"a loss of its own name ({' '.join(g.unknown)}) beside those of D and G",
            )
        else:
            g.settle("other", "a loss without a name")
        aux = aux or g.role == "g_loss_aux"


def _wasserstein(guesses: list[Guess]) -> None:
    whole = _having(guesses, "d_loss")
    for g in _having(guesses, "wass?"):
        if whole:
            g.settle(
                "wasserstein_estimate", f"a Wasserstein loss beside D's whole loss ({whole[0].tag})"
            )
        else:
            g.settle("d_loss", "a Wasserstein loss, and no other loss of D")
            whole = [g]


def _weak_parts(guesses: list[Guess]) -> None:
    both = _having(guesses, "d_loss", "d_loss_real") and _having(guesses, "g_loss", "g_loss_adv")
    for g in _having(guesses, "aux?"):
        if both:
            g.settle("g_loss_aux", "a part of G's loss, by its place among losses")
        else:
            g.settle("other", "too little to go by")


def _generator_part(guesses: list[Guess]) -> None:
    """``G_gen_loss`` is the adversarial part, unless another one is: then it is the rest."""
    explicit = [g for g in _having(guesses, "g_loss_adv") if g.found & {"adv", "fake"}]
    for g in _having(guesses, "g_loss_adv"):
        if explicit and "g_again" in g.found and not g.found & {"adv", "fake"}:
            g.settle("g_loss_aux", f"G's loss without the adversarial part ({explicit[0].tag})")


def _adversarial_part(guesses: list[Guess]) -> None:
    """G's plain loss is the adversarial part where another one is the total."""
    totals = [g for g in _having(guesses, "g_loss") if _is_total(g)]
    if totals and not _having(guesses, "g_loss_adv"):
        for g in _having(guesses, "g_loss"):
            if not _is_total(g) and g.owner == "G":
                g.settle("g_loss_adv", f"G's loss beside a total ({totals[0].tag})")
    cycle = [g for g in guesses if "aux" in g.found and g.role == "g_loss_aux"]
    if cycle:
        taken = {g.network for g in _having(guesses, "g_loss_adv")}
        for g in _having(guesses, "g_loss"):
            if g.network and g.network not in taken and "loss" not in g.leaf:
                g.settle("g_loss_adv", f"one direction's G beside {cycle[0].tag}")


def _is_total(guess: Guess) -> bool:
    return "total" in guess.found or not guess.owner or "weak_g" in guess.found


def _parts(guesses: list[Guess]) -> None:
    """A name that adds an unknown word to that of a whole loss is a part of it."""
    roles = ("d_loss", "g_loss", "d_loss_real", "d_loss_fake")
    whole = {(g.role, g.owner, g.network): g for g in guesses if g.role in roles and not g.unknown}
    for g in guesses:
        if g.role not in roles or not g.unknown:
            continue
        same = whole.get((g.role, g.owner, g.network))
        if same is not None and (set(same.tokens) < set(g.tokens) or g.role == "g_loss"):
            g.settle(
                "g_loss_aux" if g.role == "g_loss" else "other",
                f"a part of {same.tag}: {' '.join(g.unknown)}",
            )


def _lettered(guesses: list[Guess]) -> None:
    """``D_F`` beside ``G_F``, ``D_P`` beside ``D_A``.

    A letter after the network's word names one of several.
    """
    bare = {
        (g.owner, g.tokens[-1]): g
        for g in guesses
        if len(g.tokens) == 2 and len(g.tokens[1]) == 1 and g.owner
    }
    known = {owner for (owner, _), g in bare.items() if g.network}
    for (owner, letter), g in bare.items():
        pair = ("D", letter) in bare and ("G", letter) in bare
        if letter.isalpha() and (pair or (owner in known and g.role == "other")):
            g.network, g.unknown = letter.upper(), ()
            g.settle(
                "d_loss" if owner == "D" else "g_loss_adv",
                f"{owner} of network {g.network}, without other words",
            )


def _network_or_part(guesses: list[Guess]) -> None:
    """``loss_G_face`` is of G's face network where D has one, and a face loss where it has none."""
    judged = {g.network: g for g in _having(guesses, "d_loss") if g.network}
    for g in _having(guesses, "g_loss_aux"):
        if (
            g.owner == "G"
            and g.network in judged
            and not {"task", "form"} & g.found
            and not g.unknown
        ):
            g.settle("g_loss", f"G's loss in the network of {judged[g.network].tag}")


def _renamed(guesses: list[Guess]) -> None:
    """TensorFlow 1 appends ``_1`` to the second of two equal names.

    Another loss, and nothing says which.
    """
    tags = {g.tag for g in guesses}
    for g in guesses:
        m = re.fullmatch(r"(.*[A-Za-z])_(\d)", g.tag)
        if m and m[1] in tags and m[2] != "0" and g.role in ("g_loss", "d_loss"):
            g.settle("other", f"a second {m[1]}, renamed; nothing says what it holds")
        base = re.fullmatch(r"(.+)[_/.](?:sum|count)", g.tag)
        if base and base[1] in tags:
            g.settle("other", f"a running sum or count of {base[1]}")


def _twins(guesses: list[Guess]) -> None:
    """Two values of one step under one name, and no loss of D.

    D is trained first, so the first is D's.
    """
    if _having(guesses, "d_loss", "d_loss_real"):
        return
    by_base: dict[str, list[Guess]] = defaultdict(list)
    for g in _having(guesses, "g_loss_adv", "loss?", "other"):
        m = re.fullmatch(r"(.+) \[(\d)\]", g.tag)
        if m and "loss" in g.found:
            by_base[m[1]].append(g)
    for base, pair in by_base.items():
        if [g.tag[-2] for g in pair] == ["1", "2"]:
            for g, role, which in zip(
                pair, ("d_loss", "g_loss_adv"), ("first, D's", "second, G's"), strict=True
            ):
                g.settle(role, f"the {which}, of two values a step under {base}")
                g.network = ""


def _numbered(guesses: list[Guess]) -> None:
    """``d_r/0, d_r/1 ...`` beside ``d_g/0, d_g/1 ...``: each number is a D of several."""
    by_base: dict[tuple[str, str], dict[str, Guess]] = defaultdict(dict)
    for g in _having(guesses, "d_loss_real", "d_loss_fake", "g_loss_adv"):
        m = re.fullmatch(r"(.*[^\d])(\d{1,2})", g.tag)
        if m:
            by_base[g.role, m[1]][m[2]] = g
    halves = {role: held for (role, _), held in by_base.items() if role != "g_loss_adv"}
    if len(halves) < 2 or len({frozenset(held) for held in halves.values()}) > 1:
        return
    numbers = set(next(iter(halves.values())))
    if len(numbers) < 2 or numbers != {str(k) for k in range(len(numbers))}:
        return
    for held in by_base.values():
        if set(held) == numbers:
            for number, g in held.items():
                g.network = number


def _values_not_validation(guesses: list[Guess]) -> None:
    """``G_loss_val`` is a value where no loss stands without ``val``."""
    losses = [g for g in guesses if g.role in ("d_loss", "g_loss", "g_loss_adv")]
    if losses and all(g.split == "val" and "ends_val" in g.found for g in losses):
        for g in losses:
            g.split = ""


SIBLINGS: Final[tuple[Callable[[list[Guess]], None], ...]] = (
    _renamed,
    _lettered,
    _network_or_part,
    _twins,
    _parts,
    _real_fake,
    _accuracy,
    _gradients,
    _wasserstein,
    _bare_losses,
    _weak_parts,
    _generator_part,
    _adversarial_part,
    _numbered,
    _values_not_validation,
)
