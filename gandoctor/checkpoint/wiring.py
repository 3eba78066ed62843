"""In which order the layers of a state dict may be run, and where their branches join.

A state dict lists layers as they were registered. Mostly that is how they follow one another; of
layers kept in lists by kind, and of residual blocks, it is not.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

from gandoctor.checkpoint.parts import Part, UnlikeError, channels_of
from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_BESIDE: Final = late_pattern(r"short|skip|bypass|residual|(?:^|[._])c?_?sc$|conv_s$", 2)


def wirings(parts: Sequence[Part]) -> list[list[Part]]:
    """The ways layers may follow one another, the likeliest first.

    A residual block begins with a part of the kind ``branch`` and ends with one of the kind
    ``join``, which holds the convolution of the way around it, where there is one.
    """
    in_row = list(parts)
    mixed = _interleaved(in_row)
    blocks = _blocks(in_row)
    if not blocks:
        return [in_row] if mixed is None else [mixed, in_row]
    found = []
    behind = [p.kind for p in next(iter(blocks.values()))][:3] == ["conv", "norm", "conv"]
    for before in (not behind, behind):
        made = _with_blocks(in_row, blocks, before=before)
        if made is not None:
            found.append(made)
    likely = any(_beside(p) is not None for p in blocks.values()) or all(
        len(set(conv.arrays["weight"].shape[:2])) == 1 for p in blocks.values() for conv in _main(p)
    )
    return [*found, in_row] if likely else [in_row, *found]


def _interleaved(parts: list[Part]) -> list[Part] | None:
    """Norms that were registered apart from their layers, each put behind its own."""
    if not any(a.kind == b.kind == "norm" for a, b in itertools.pairwise(parts)):
        return None
    layers = [p for p in parts if p.kind != "norm"]
    behind: dict[int, Part] = {}
    at = 0
    for norm in (p for p in parts if p.kind == "norm"):
        channels = channels_of(norm)
        while at < len(layers) and channels not in layers[at].arrays["weight"].shape[:2]:
            at += 1
        if at == len(layers):
            return None
        behind[at] = norm
        at += 1
    return [p for i, one in enumerate(layers) for p in (one, behind.get(i)) if p is not None]


# ---------------------------------------------------------------- residual blocks


def _blocks(parts: Sequence[Part]) -> dict[str, list[Part]]:
    """Groups of layers that may be residual blocks, by the name they share.

    Two convolutions, perhaps norms, and perhaps one convolution of single pixels.
    """
    below: dict[str, list[Part]] = {}
    for part in parts:
        names = part.stem.split(".")
        for i in range(1, len(names)):
            below.setdefault(".".join(names[:i]), []).append(part)
    found: dict[str, list[Part]] = {}
    for name, them in sorted(below.items(), key=lambda one: len(one[0])):
        inside = any(name.startswith(f"{other}.") for other in found)
        if not inside and _is_block(them):
            found[name] = them
    return found


def _is_block(them: list[Part]) -> bool:
    convolved = [p for p in them if p.kind == "conv"]
    norms = [p for p in them if p.kind == "norm"]
    apart = len(convolved) + len(norms) != len(them)
    return not apart and len(_main(them)) == 2 and len(convolved) <= 3 and len(norms) in (0, 2)


def _main(them: Sequence[Part]) -> list[Part]:
    """The convolutions within a block."""
    beside = _beside(them)
    return [p for p in them if p.kind == "conv" and p is not beside]


def _beside(them: Sequence[Part]) -> Part | None:
    """The convolution of the way around a block."""
    convolved = [p for p in them if p.kind == "conv"]
    if len(convolved) != 3:
        return None
    single = [p for p in convolved if p.arrays["weight"].shape[2] == 1]
    named = [p for p in convolved if _BESIDE.search(p.stem)]
    return next(iter(named if len(named) == 1 else single), None)


def _with_blocks(
    parts: Sequence[Part], blocks: dict[str, list[Part]], *, before: bool
) -> list[Part] | None:
    """All layers with the blocks in order; None where their channels do not fit.

    Parameters
    ----------
    before : bool
        Whether norms stand before the convolutions, not behind them.
    """
    chain: list[Part] = []
    done: set[str] = set()
    owner = {id(p): name for name, them in blocks.items() for p in them}
    for part in parts:
        name = owner.get(id(part))
        if name is None:
            chain.append(part)
        elif name not in done:
            done.add(name)
            try:
                chain += _in_order(name, blocks[name], before=before)
            except UnlikeError:
                return None
    return _late_last(chain)


def _in_order(name: str, them: list[Part], *, before: bool) -> Iterator[Part]:
    one, two = _main(them)
    (middle, wide), (out, inner) = (p.arrays["weight"].shape[:2] for p in (one, two))
    if middle != inner:
        raise UnlikeError(f"{name[:80]} is no residual block")
    norms = [p for p in them if p.kind == "norm"]
    wanted = (wide, middle) if before else (middle, out)
    if norms and tuple(map(channels_of, norms)) != wanted:
        raise UnlikeError(f"{name[:80]} is no residual block")
    beside = _beside(them)
    yield Part(name, "branch", {}, channels=wide, early=before)
    for conv, norm in zip((one, two), norms or (None, None), strict=True):
        them_in_order = (norm, conv) if before else (conv, norm)
        yield from (p for p in them_in_order if p is not None)
    yield Part(name, "join", dict(beside.arrays) if beside is not None else {}, channels=out)


def _late_last(chain: list[Part]) -> list[Part]:
    """The chain with a last layer that was registered before the blocks behind them.

    It is told by its colours: nothing within a generator has as few channels.
    """
    last = next((p for p in chain if p.kind == "conv" and p.arrays["weight"].shape[0] <= 4), None)
    if last is None or not any(p.kind == "branch" for p in chain[chain.index(last) :]):
        return chain
    return [*(p for p in chain if p is not last), last]
