"""New values of settings -> edits in the user's files and their diff, and what follows them."""

from __future__ import annotations

import math
import re
from functools import cache
from typing import TYPE_CHECKING, Final

from gandoctor.configs.formats import format_of
from gandoctor.configs.splice import SpliceError, Target, Value, number
from gandoctor.lexicon.players import any_of
from gandoctor.model.report import Edit
from gandoctor.patterns import late_pattern
from gandoctor.prescribe import diff
from gandoctor.prescribe.work_out import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from gandoctor.configs.entries import Spot
    from gandoctor.model.signals import Setting
    from gandoctor.prescribe.work_out import Step

_INTERPOLATION: Final = late_pattern(r"\$\{(\.*)([\w.-]+)\}")  # leading dots: relative


def places(file: str, text: str) -> Sequence[Spot]:
    """Where the single values of a file stand.

    Raises
    ------
    SpliceError
        If its format is not known.
    """
    kind = format_of(file, text)
    return [s for s in kind.scan(text).found.values() if not isinstance(s.value, tuple)]


def spliced(
    steps: Sequence[Step], texts: Mapping[str, str], settings: Mapping[str, Setting]
) -> tuple[tuple[Edit, ...], str, list[tuple[str, str, Value]]]:
    """The edits of all files, one diff of them in the order of the file names, and what follows.

    File, key, value.
    """
    by_file: dict[str, list[Step]] = {}
    for s in steps:
        by_file.setdefault(s.setting.file, []).append(s)
    edits: list[Edit] = []
    also: list[tuple[str, str, Value]] = []
    patch = ""
    for file, own_steps in sorted(by_file.items()):
        text = texts[file]
        targets = [
            Target(s.setting.key, s.new, s.setting.line, s.beside, _sense(s, settings))
            for s in own_steps
        ]
        spliced = format_of(file, text).splice(text, targets)
        for s, (key, old, _) in zip(own_steps, spliced.edits, strict=True):
            if not s.beside and not _agrees(old, s.setting.value):
                raise SpliceError(
                    f"`{key}` is {old} in the file, and was {shown(s.setting.value)} in the run"
                )
        edits += [Edit(file, *e) for e in (*spliced.edits, *spliced.also)]
        also += [
            (file, key, next(s.new for s in own_steps if _leaf(s.setting.key) == _leaf(key)))
            for key, _, _ in spliced.also
        ]
        patch += diff.unified(file, text, spliced.text)
    return tuple(edits), patch, also


@cache
def _sided() -> re.Pattern[str]:
    """Finds whose a name says by itself that it is."""
    return late_pattern(
        rf"(?:^|[_\W])(?:{any_of('D', 'G')})(?:[_\W]|$)|[a-z0-9][DG]$|^[DG][A-Z]",
    )


def _leaf(key: str) -> str:
    return key.rpartition(".")[2]


def _sense(step: Step, settings: Mapping[str, Setting]) -> Callable[[str], str]:
    """What another key of the same file means, where it shares its value with that of a step."""
    mine = step.setting.key
    theirs = [
        s.key
        for n, s in settings.items()
        if n != step.name and n[-2:] in ("_d", "_g") and s.key != mine
    ]
    # `optim_d.lr` says whose rate it is in its last two parts, `lr_d` in one; places in a list say
    # nothing.
    named = re.sub(r"(?:\.\d+)+$", "", mine)
    parts = 1 if step.name[-2:] not in ("_d", "_g") or _sided().search(_leaf(named)) else 2
    parts += mine.count(".") - named.count(".")
    tail = mine.split(".")[-parts:]

    def sense(key: str) -> str:
        if any(ends_in(key, other) for other in theirs if other):
            return "other"
        return "same" if key.split(".")[-parts:] == tail else ""

    return sense


def following(key: str, others: Iterable[Setting | Spot]) -> list[str]:
    """Keys of the same file that take their value from this one: ``lr_g: ${lr_d}`` in OmegaConf."""
    out: list[str] = []
    for s in others:
        match = _INTERPOLATION.fullmatch(s.value) if isinstance(s.value, str) else None
        if match and (key == match[2] or (match[1] and ends_in(key, match[2]))):
            out.append(s.key)
    return out


def ends_in(key: str, end: str) -> bool:
    """Whether a dotted key is `end`, or ends in it part by part."""
    return key == end or key.endswith(f".{end}")


def is_same(spot: Spot, setting: Setting) -> bool:
    """The same key, at least its last part, with the same value."""
    return spot.path[-1:] == (setting.key.rpartition(".")[2],) and _agrees(
        str(spot.value), setting.value, words=True
    )


def _agrees(old: str, value: object, *, words: bool = False) -> bool:
    """Whether the text of a value is that of `value`, as far as numbers (and `words`) tell."""
    text = old.strip().strip("\"'")
    a, b = number(text), number(value)
    if a is not None and b is not None:
        return math.isclose(a, b, rel_tol=1e-9)
    return text.lower() == str(value).lower() if words else True
