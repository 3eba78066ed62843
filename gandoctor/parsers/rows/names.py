"""What a column is, by its name: a counter, a loss, a split."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gandoctor.lexicon.players import naming
from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Mask = NDArray[np.bool_]


def _names(words: str) -> frozenset[str]:
    return frozenset(words.split())


STEP_NAMES: Final = _names(
    "step steps global_step globalstep global_steps total_step total_steps train_step "
    "training_step iteration "
    "iterations iter iters itr itrs it n_iter niter num_iter num_iters total_iter total_iters "
    "cur_iter "
    "current_iter curr_iter gen_iterations gen_iter g_step update updates num_updates "
    "trainer_global_step "
    "tick_step nb_iter iter_num"
)

BATCH_NAMES: Final = _names(
    "batch batches batch_idx batch_id batch_no batch_num batch_i minibatch i"
)

EPOCH_NAMES: Final = _names(
    "epoch epochs ep epoch_num epoch_idx epoch_no epoch_id current_epoch cur_epoch"
)

KIMG_NAMES: Final = _names("kimg cur_kimg progress_kimg")

IMAGE_NAMES: Final = _names("nimg cur_nimg")

INDEX_NAMES: Final = frozenset({"", "index", "idx", "unnamed_0", "row", "row_id"})

STAMP_NAMES: Final = _names("timestamp stamp wall_time walltime unix_time")

SPLIT_NAMES: Final = _names("mode split phase stage subset partition set")

SPLITS: Final = {
    "train": "train", "training": "train", "tr": "train",
    "val": "val", "valid": "val", "validation": "val", "eval": "val", "test": "val", "dev": "val",
}  # fmt: skip

MOST_NAMES: Final = 10_000  # series of one file
_STRONG: Final = late_pattern(
    r"loss|损失|損失|손실|(?<![a-z])(?:fid|kid|psnr|ssim|lpips|fvd|wasserstein|adversarial|"
    r"inception)(?![a-z])|(?<![a-z])err(?:or)?_?[dg](?![a-z])"
    r"|grad(?:ient)?_?(?:norm|penalty)|(?<![a-z])[dg]_(?:real|fake|adv|gan|l1|acc)|is_(?:mean|std)|"
    r"(?<![a-z])cyc(?:le)?_[ab]\b",
    re.IGNORECASE,
)

_REAL_FAKE: Final = late_pattern(r"(?<![a-z])(?:real|fake)(?![a-z])", re.IGNORECASE)

# Letters that stand for a player beside the vocabulary's words: d_A, D of real and fake, a critic.
_ALSO_D: Final = r"d[ab]|[dc][rf]|c[12]?"
_ALSO_G: Final = r"g[ab]"


def plain(name: str) -> str:
    """A column name reduced to lower case and underscores."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def tells_of_training(names: Sequence[str]) -> bool:
    """Whether column or key names are those of a training log.

    A loss, a GAN score, or both players.
    """
    if any(_STRONG.search(name) for name in names):
        return True
    if any(_REAL_FAKE.search(n) and _of_d(n) for n in names) or any(
        "D(x)" in n or "D(G(" in n for n in names
    ):
        return True
    return any(map(_of_d, names)) and any(map(_of_g, names))


def is_of_player(name: str) -> bool:
    """Whether a name says whose series it is: D's or G's."""
    return _of_d(name) or _of_g(name)


def telling(names: Sequence[str]) -> set[str]:
    """Those of `names` that are a loss, a GAN score, or one of both players' series."""
    found = {n for n in names if tells_of_training([n])}
    if any(map(_of_d, names)) and any(map(_of_g, names)):
        found |= {n for n in names if is_of_player(n)}
    return found


def _of_d(name: str) -> bool:
    return naming("D", more=_ALSO_D).search(name) is not None


def _of_g(name: str) -> bool:
    return naming("G", more=_ALSO_G).search(name) is not None


def has_counter(names: Sequence[str]) -> bool:
    """Whether one of the names is that of a step counter."""
    return any(plain(n) in STEP_NAMES | EPOCH_NAMES | KIMG_NAMES | IMAGE_NAMES for n in names)


class Roll:
    """The names of a file's series: of very many, the first and those that tell of training."""

    def __init__(self) -> None:
        self._first = self._telling = self._passed = 0

    def takes(self, name: str, values: int = 1) -> bool:
        """Whether a series that is not yet known is to be read; else its `values` are counted."""
        if self._first < MOST_NAMES:
            self._first += 1
            return True
        tells = has_counter([name]) or tells_of_training([name]) or is_of_player(name)
        if tells and self._telling < MOST_NAMES:
            self._telling += 1
            return True
        self._passed += values
        return False

    def lost(self) -> list[str]:
        """What was left out, in words."""
        if not self._passed:
            return []
        said = (
            f"{self._passed:,} values under more than {MOST_NAMES:,} names, of which the first and "
            "those that are called like a loss were read"
        )
        return [said]
