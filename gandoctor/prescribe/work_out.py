"""Remedy x settings -> new values.

Relative to the user's own, inside sane bounds, in the user's own words.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from gandoctor.configs.splice import Value, number
from gandoctor.model.rules import BEST_STEP
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gandoctor.model.rules import Change, Remedy
    from gandoctor.model.signals import Setting

# Settings that count something: no halves of them.
COUNTS: Final = frozenset(
    {
        "batch_size",
        "d_steps",
        "g_steps",
        "latent_dim",
        "width_d",
        "width_g",
        "depth_d",
        "depth_g",
        "n_train",
    }
)


@dataclass(frozen=True, slots=True)
class Step:
    """One setting and its new value.

    Attributes
    ----------
    name : str
        Canonical name, as the remedy gives it.
    setting : Setting
        The user's own; where `beside` is given, the one that is to be added.
    new : number, word, flag or None
        New value.
    beside : str
        Key of the sibling that a new key goes behind; empty where the key exists.
    """

    name: str
    setting: Setting
    new: Value
    beside: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """A remedy worked out: the steps, or why there are none.

    Attributes
    ----------
    steps : tuple of Step
    blocked : str
        Why it cannot or need not be done; empty where it can.
    missing : tuple of str
        Canonical names that the config does not have.
    shared : str
        Key that both networks share where the remedy would change it for one of them; empty else.
    odd : bool
        Blocked because the config is not as the remedy thought: a snippet may say it all the same.
    """

    steps: tuple[Step, ...] = ()
    blocked: str = ""
    missing: tuple[str, ...] = ()
    shared: str = ""
    odd: bool = False


class _Stop(Exception):  # noqa: N818 - no error: the remedy ends here
    """Why a change is not made."""


class _OddStop(_Stop):
    """The config is not as the remedy thought."""


def work_out(
    remedy: Remedy,
    settings: Mapping[str, Setting],
    spellings: Iterable[str] = (),
    best: Mapping[str, float] | None = None,
) -> Plan:
    """What a remedy changes in this very config.

    Parameters
    ----------
    remedy : Remedy
    settings : Mapping of str to Setting
        By canonical name.
    spellings : iterable of str
        Words that the user's config uses anywhere: ``leaky_relu`` tells how it would write
        leakyrelu.
    best : Mapping of str to float, optional
        By the setting that has its unit: where the run was at its best.

    Returns
    -------
    Plan
    """
    spellings = tuple(spellings)
    steps: list[Step] = []
    missing: list[str] = []
    idle: list[str] = []
    try:
        for change in remedy.changes:
            step = _step(change, settings, spellings, best or {})
            if step is None and change.need:
                raise _OddStop(f"the config has no `{change.setting}`, which it needs")
            if step is None:
                missing.append(change.setting)
            elif (
                _equal(number_or_word(step.setting.value), number_or_word(step.new))
                and not step.beside
            ):
                idle.append(f"`{step.setting.key}` is already {shown(step.setting.value)}")
            else:
                steps.append(step)
        _whole_pairs(steps, missing, idle, remedy)
        steps = _by_ratio(_merged(steps), settings)
    except _Stop as stop:
        return Plan(blocked=str(stop), missing=tuple(missing), odd=isinstance(stop, _OddStop))
    key = _shared(steps, remedy.changes, settings)
    if key:
        return Plan(
            tuple(steps),
            f"`{key}` is one value for both networks: a config edit would change both",
            (),
            key,
        )
    if steps:
        return Plan(tuple(steps), missing=tuple(missing))
    return Plan(blocked="; ".join(idle), missing=tuple(missing))


def own(name: str, settings: Mapping[str, Setting]) -> Setting | None:
    """The setting of this name.

    Without one, the value that both networks share (``lr`` for ``lr_d``).
    """
    if name in settings:
        return settings[name]
    if name[-2:] in ("_d", "_g"):
        return settings.get(name[:-2])
    return None


def _step(
    change: Change,
    settings: Mapping[str, Setting],
    spellings: Sequence[str],
    best: Mapping[str, float],
) -> Step | None:
    setting, beside = own(change.setting, settings), ""
    if setting is None:
        if change.multiply is not None and not change.of:
            return None  # relative to a value that is not known
        setting, beside = _addable(change.setting, settings)
    if setting is None:
        return None
    if change.of == BEST_STEP:
        new = _soon_after(best.get(change.setting), change, setting)
    else:
        new = _new(change, setting, settings, spellings)
    if (
        change.if_named
        and isinstance(new, str)
        and not _is_same_word(new, setting)
        and not _is_known(new, spellings)
    ):
        raise _OddStop(f"nothing in the config tells that `{setting.key}` may be {new}")
    return None if new is None else Step(change.setting, setting, new, beside)


def _is_known(word: str, spellings: Sequence[str]) -> bool:
    """Whether the user's code must know a word.

    The config has it, or it is a class of torch under torch's own name.
    """
    return word in spellings or word.rpartition(".")[2] in _CLASSES.values()


def _is_same_word(word: str, setting: Setting) -> bool:
    return isinstance(setting.value, str) and normal(word) == normal(setting.value)


def _new(
    change: Change, setting: Setting, settings: Mapping[str, Setting], spellings: Sequence[str]
) -> Value:
    """The new value; None where what it is relative to is not known."""
    if change.to is not None:
        value = _absolute(change.to, setting, spellings)
    else:
        base = own(change.of, settings) if change.of else setting
        if base is None:
            return None
        size = number(base.value)
        if size is None:
            raise _OddStop(f"`{base.key}` is {shown(base.value)}, which is not a number")
        value = rounded(size * (1.0 if change.multiply is None else change.multiply))
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = (
            _count(change.setting, value, number(setting.value)) if math.isfinite(value) else value
        )
        if not math.isfinite(value):
            raise _Stop(f"`{setting.key}` would become {shown(value)}")
        if not change.low <= value <= change.high:
            raise _Stop(
                f"`{setting.key}` would become {shown(value)}, outside the sane bounds "
                f"{shown(change.low)} to {shown(change.high)}"
            )
    return value


def _soon_after(best: float | None, change: Change, setting: Setting) -> Value:
    """The best point times `multiply`, rounded up; None where it is not known."""
    now = number(setting.value)
    if best is None or now is None:
        return None
    value = math.ceil(rounded(best * (1.0 if change.multiply is None else change.multiply)))
    if value > 0.9 * now:
        raise _Stop(f"the run was at its best at {shown(best)}, which is near the end")
    if not change.low <= value <= change.high:
        raise _Stop(f"`{setting.key}` would become {value}, outside the sane bounds")
    return value


def _count(name: str, value: float, was: object) -> float:
    """Counts stay whole, and an integral number stays an int where the old one was."""
    if name in COUNTS:
        return max(1, round(value))
    return int(value) if isinstance(was, int) and float(value).is_integer() else value


def rounded(value: float) -> float:
    """To six significant digits: 0.1 * 0.1 is 0.01."""
    return float(f"{value:.6g}")


def _absolute(to: float | str | bool, setting: Setting, spellings: Sequence[str]) -> Value:
    """`to`, of the same kind as the old value."""
    old = setting.value
    if isinstance(to, bool):
        if isinstance(old, bool) or old is None:
            return to
        if number(old) in (0, 1) and number(old) is not None:
            return int(to)
        if isinstance(old, str) and normal(old) in _FLAGS:
            return next(w for w in _FLAGS[normal(old)] if (w in _YES) is to)
        raise _OddStop(f"`{setting.key}` is {shown(old)}, which is no flag")
    if isinstance(to, str):
        if isinstance(old, str) and number(old) is None:
            return spelled(to, old, spellings)
        raise _OddStop(f"`{setting.key}` is {shown(old)}, which is not one of several words")
    if isinstance(old, bool) or (isinstance(old, str) and number(old) is None):
        raise _OddStop(f"`{setting.key}` is {shown(old)}, which is not a number")
    if isinstance(old, tuple):
        raise _OddStop(f"`{setting.key}` is a list")
    return to


_YES: Final = ("true", "yes", "on", "1")
_FLAGS: Final = {w: p for p in (("true", "false"), ("yes", "no"), ("on", "off")) for w in p}
_ACRONYMS: Final = ("SGD", "ELU", "GELU")  # upper case is how they are written anywhere
_CLASSES: Final = {
    "tanh": "Tanh", "sigmoid": "Sigmoid", "relu": "ReLU", "leakyrelu": "LeakyReLU", "adam": "Adam",
    "linear": "Identity",
}  # fmt: skip


def normal(word: str) -> str:
    """A word without case, dashes and module: ``nn.LeakyReLU``, ``leaky_relu`` -> ``leakyrelu``."""
    bare = re.sub(r"[^a-z0-9]", "", word.rpartition(".")[2].lower())
    return {"lrelu": "leakyrelu", "leaky": "leakyrelu", "identity": "linear"}.get(bare, bare)


def spelled(word: str, old: str, spellings: Sequence[str] = ()) -> str:
    """`word` in the user's spelling.

    As elsewhere in the config, or cased like the word it replaces.
    """
    for used in spellings:
        if normal(used) == normal(word) and ("." in used) == ("." in old):
            return used
    module = old[: old.rfind(".") + 1]
    bare = old[len(module) :]
    if bare.isupper() and bare not in _ACRONYMS:
        return module + word.upper()
    if bare[:1].isupper():
        return module + _CLASSES.get(normal(word), word.capitalize())
    return module + word


# ---------------------------------------------------------------- keys that belong together


# What sets the pace of a network, so that changing one of the two changes the balance.
_PACE: Final = ("lr", "beta1", "optimizer")
# Settings that any optimiser block may hold, whatever the trainer.
_ADDABLE: Final = ("lr", "beta1", "beta2", "weight_decay", "optimizer")


def _addable(name: str, settings: Mapping[str, Setting]) -> tuple[Setting | None, str]:
    """A key that this network's block lacks and the other network's twin block has.

    And the sibling it goes behind.

    Two blocks are twins where another setting pairs them: ``optim_g.lr`` and ``optim_d.lr`` say
    where ``optim_d.beta1`` goes if there is an ``optim_g.beta1``.
    """
    if name[:-2] not in _ADDABLE or name[-2:] not in ("_d", "_g"):
        return None, ""
    side, opposite = (name[-2:], "_g" if name.endswith("_d") else "_d")
    other = settings.get(name[:-2] + opposite)
    if other is None or "." not in other.key or not other.file:
        return None, ""
    block, _, leaf = other.key.rpartition(".")
    for known, mine in settings.items():
        theirs = settings.get(known[:-2] + opposite) if known.endswith(side) else None
        if theirs is None or not mine.file == theirs.file == other.file:
            continue
        my_block, _, my_leaf = mine.key.rpartition(".")
        if (
            theirs.key == f"{block}.{my_leaf}"
            and my_block
            and my_block != block
            and not leaf.isdigit()
        ):
            return replace(other, name=name, key=f"{my_block}.{leaf}", line=mine.line), mine.key
    return None, ""


def _whole_pairs(
    steps: Sequence[Step], missing: Sequence[str], idle: Sequence[str], remedy: Remedy
) -> None:
    """Half of a remedy for both networks' pace is another remedy.

    To write a number anew changes no pace.
    """
    asked = {c.setting for c in remedy.changes}
    for name in missing:
        other = name[:-2] + ("_g" if name.endswith("_d") else "_d")
        if (
            name[:-2] in _PACE
            and name[-2:] in ("_d", "_g")
            and not only_writes_anew(remedy)
            and other in asked
            and other not in missing
            and (steps or idle)
        ):
            raise _OddStop(
                f"the config has no `{name}`, and changing `{other}` alone is another remedy"
            )


def _merged(steps: Sequence[Step]) -> list[Step]:
    """Two changes of one shared key are one; two different ones cannot be made."""
    by_key: dict[tuple[str, str], Step] = {}
    for step in steps:
        place = (step.setting.file, step.setting.key)
        if place in by_key and not _equal(by_key[place].new, step.new):
            raise _Stop(f"`{step.setting.key}` is one value for both networks")
        by_key.setdefault(place, step)
    return list(by_key.values())


def _by_ratio(steps: Sequence[Step], settings: Mapping[str, Setting]) -> list[Step]:
    """Where the config gives D's rate as a multiple of G's, the multiple is what can be edited."""
    ratio, d, g = settings.get("d_lr_ratio"), settings.get("lr_d"), settings.get("lr_g")
    if ratio is None or d is None or g is None or d.key:
        return list(steps)
    old_d, old_g = number(d.value), number(g.value)
    if not old_d or not old_g:
        return list(steps)
    news = {s.name: number(s.new) or 0.0 for s in steps}
    new = rounded(news.get("lr_d", old_d) / (news.get("lr_g", old_g) or old_g))
    out = [s for s in steps if s.setting.key]
    if "lr_d" in news or "lr_g" in news:
        if not 1e-4 <= new <= 1e4:
            raise _Stop(f"`{ratio.key}` would become {shown(new)}")
        if not _equal(new, number(ratio.value)):
            out.append(Step("d_lr_ratio", ratio, new))
    return out


def _shared(
    steps: Sequence[Step], changes: Sequence[Change], settings: Mapping[str, Setting]
) -> str:
    """A key that also rules the other network, where the remedy means one of them alone.

    Else empty.
    """
    asked = {c.setting for c in changes}
    for step in steps:
        if step.name[-2:] not in ("_d", "_g"):
            continue
        other = step.name[:-2] + ("_g" if step.name.endswith("_d") else "_d")
        if other in asked:
            continue
        theirs = own(other, settings)
        same_place = theirs and (theirs.file, theirs.key) == (step.setting.file, step.setting.key)
        if same_place and step.name[:-2] != "optimizer":
            return step.setting.key
    return ""


# ---------------------------------------------------------------- which way


def only_writes_anew(remedy: Remedy) -> bool:
    """Whether all that a remedy does is to write the same numbers as numbers."""
    return bool(remedy.changes) and all(c.multiply == 1 and not c.of for c in remedy.changes)


def ways(steps: Iterable[Step]) -> dict[str, int]:
    """By canonical name: 1 for a number that goes up, -1 for one that goes down."""
    sizes = ((s.name, number(s.setting.value), number(s.new)) for s in steps if not s.beside)
    return {
        name: 1 if new > old else -1
        for name, old, new in sizes
        if old is not None and new is not None and new != old
    }


def ways_of(remedy: Remedy) -> dict[str, int]:
    """The same, as far as a remedy tells without the user's values."""
    told = (
        (c.setting, c.multiply) for c in remedy.changes if c.multiply not in (None, 1) and not c.of
    )
    return {name: 1 if multiply > 1 else -1 for name, multiply in told if multiply is not None}


# ---------------------------------------------------------------- shown to people


def number_or_word(value: object) -> object:
    """For comparison: numbers by size, words by meaning.

    A number that is a string is not yet a number.
    """
    return normal(value) if isinstance(value, str) and number(value) is None else value


def _equal(a: object, b: object) -> bool:
    if isinstance(a, bool) is not isinstance(b, bool):
        return False
    if isinstance(a, int | float) and isinstance(b, int | float):
        return abs(a - b) <= 1e-6 * max(abs(a), abs(b))
    return a == b


def shown(value: object) -> str:
    """A value as one would say it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.6g}"
    return "empty" if value is None else str(value)
