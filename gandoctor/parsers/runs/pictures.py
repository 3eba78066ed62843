"""Sample pictures and arrays in a run's folder, found by name.

Which series, which step, real or generated.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from gandoctor.model.signals import Picture
from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gandoctor.model.signals import StepUnit

SUFFIXES: Final = (".npy", ".png", ".jpg", ".jpeg")
MAX_PICTURES: Final = 5_000
_FOLDERS: Final = late_pattern(
    r"(samples?|images?|imgs?|results?|outputs?|pictures?|pics|generated(_images)?|gen(_images)?|"
    r"fakes?|previews?|"
    r"figs?|figures|grids?|visuali[sz]ations?|vis|eval|validation|progress|snapshots?|"
    r"sample_images|training_images|media|"
    r"sample_dir|real|web)s?"
)
_STEMS: Final = late_pattern(
    r"(fakes?|reals?|samples?|gen(erated)?|epoch|iter(ation)?|step|image|img|grid|preview)",
    re.IGNORECASE,
)
# A number that follows one of these words is the step; without such a word it is the last number of
# the name.
_COUNTED: Final = late_pattern(
    r"(?P<word>epochs?|ep|e|iterations?|iters?|itr|it|steps?|batch(?:es)?|kimg|tick|fakes?|"
    r"samples?|at)[ _=-]*"
    r"(?P<number>\d{1,12})(?!\d)",
    re.IGNORECASE,
)
_NUMBER: Final = late_pattern(r"\d{1,12}")
# W&B: media/images/<key>_<step>_<20 hex digits>.png
_WANDB: Final = late_pattern(r"(?P<key>.+)_(?P<step>\d{1,12})_[0-9a-f]{20}")
_REAL: Final = late_pattern(
    r"(?:^|[^a-z])(reals?|ground[_-]?truth|gt|training[_-]set|data)(?:[^a-z]|$)", re.IGNORECASE
)
_NO_SAMPLE: Final = late_pattern(
    r"(loss|curve|plot|chart|hist|architecture|model|graph|confusion|roc|learning|logo|diagram|"
    r"attention|cover|icon)",
    re.IGNORECASE,
)


def find(paths: Iterable[str]) -> list[tuple[Picture, bool]]:
    """Pictures among files, by folder and name.

    Parameters
    ----------
    paths : iterable of str
        Relative to the run, POSIX separators.

    Returns
    -------
    list of (Picture, by_epoch)
        `by_epoch` where the name itself says that its number counts epochs. Real data has step -1.
    """
    found: list[tuple[Picture, bool]] = []
    for text in paths:
        path = PurePosixPath(text)
        if path.suffix.lower() not in SUFFIXES or len(found) >= MAX_PICTURES:
            continue
        in_folder = any(_FOLDERS.fullmatch(p.lower()) for p in path.parts[:-1])
        if not (in_folder or _STEMS.match(path.stem)) or _NO_SAMPLE.search(path.stem):
            continue
        picture = _picture(path)
        if picture is not None:
            found.append(picture)
    return found


def _picture(path: PurePosixPath) -> tuple[Picture, bool] | None:
    stem = path.stem
    folder = path.parent.as_posix()
    if wandb := _WANDB.fullmatch(stem):
        key = wandb["key"]
        return Picture(key, -1 if _REAL.search(key) else int(wandb["step"]), path.as_posix()), False
    counted = list(_COUNTED.finditer(stem))
    numbers = list(_NUMBER.finditer(stem))
    best = next(
        (
            m
            for m in counted
            if m["word"].lower() in ("step", "steps", "iter", "iters", "itr", "it")
        ),
        None,
    )
    best = best or (counted[0] if counted else None)
    start, stop, step = -1, -1, -1
    by_epoch = False
    if best is not None:
        start, stop, step = best.start("number"), best.end("number"), int(best["number"])
        by_epoch = best["word"].lower() in ("epoch", "epochs", "ep", "e")
    elif numbers:
        last = numbers[-1]
        start, stop, step = last.start(), last.end(), int(last.group())
    name = (stem[:start] + stem[stop:] if start >= 0 else stem).strip(" _-.=") or "samples"
    name = (
        re.sub(r"[_-]{2,}", "_", _NUMBER.sub("", name)).strip(" _-.=") if len(numbers) > 1 else name
    )
    tag = f"{folder}/{name}" if folder != "." else name
    if _REAL.search(stem) or _REAL.search(path.parent.name):
        return Picture(tag, -1, path.as_posix()), False
    if start < 0:
        return None  # neither real nor of any step: the final picture, or no sample at all
    return Picture(tag, step, path.as_posix()), by_epoch


def scale(
    named: list[tuple[Picture, bool]], last_step: int, unit: StepUnit
) -> tuple[float, list[str]]:
    """Factor from the pictures' numbers to the log's steps; 1 where both count the same.

    Pictures are often numbered by epoch where the log counts iterations, or the other way round.
    The last picture is then taken to be of the last step.
    """
    numbers = [p.step for p, _ in named if p.step >= 0]
    if not numbers or last_step <= 0 or max(numbers) <= 0:
        return 1.0, []
    highest = max(numbers)
    by_epoch = any(flag for _, flag in named)
    if (by_epoch and unit != "epochs" and last_step > 1.5 * highest) or highest > 1.5 * last_step:
        factor = last_step / highest
        note = (
            f"sample pictures are numbered up to {highest:,} where the log counts to "
            f"{last_step:,}: their numbers were "
            f"multiplied by {factor:.4g}"
        )
        return factor, [note]
    return 1.0, []
