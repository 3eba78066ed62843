"""What all formats share.

Where a value stands, how a new one is written, the proof that nothing else changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from gandoctor.configs.entries import Path, Spot
from gandoctor.errors import GandoctorError
from gandoctor.patterns import late_pattern
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from gandoctor.configs.entries import Entries

Value: TypeAlias = float | int | str | bool | None

# A hand-written config is a few KiB; PyYAML needs seconds for this much.
MAX_CHARS: Final = 128 * 1024
MAX_LEAVES: Final = 20_000  # aliases can blow a small file up


class SpliceError(GandoctorError):
    """The value cannot be changed where it stands; `what` says why, fit to be shown to the user."""


class UndecidedError(SpliceError):
    """Nothing tells which of several keys the program reads, on the command line neither."""


@dataclass(frozen=True, slots=True)
class Target:
    """One value to be changed.

    Attributes
    ----------
    key : str
        The user's own dotted key, list items by index.
    value : number, word, flag or None
        New value.
    line : int
        1-based line of the old value; 0 where it is not known. It decides between equal keys.
    beside : str
        Key of a sibling, where `key` does not exist yet and is to be added after that sibling; else
        empty.
    sense : callable, optional
        What another key of the file means that takes its value from the same block: "same" as this
        one, and is to change with it; something "other", and is to stay; or empty, where that is
        not known and nothing may change. Without it every other key stays as it is.
    """

    key: str
    value: Value
    line: int = 0
    beside: str = ""
    sense: Callable[[str], str] | None = None


@dataclass(frozen=True, slots=True)
class Spliced:
    """A text with new values, and what was changed.

    (key, old, new), both as they stand in the file.

    `also` are keys that mean the same as the asked ones and take their value from the same place.
    """

    text: str
    edits: tuple[tuple[str, str, str], ...]
    also: tuple[tuple[str, str, str], ...] = ()


def find(spots: Iterable[Spot], target: Target) -> Spot:
    """The spot a target means: the same key and, among several, the same line.

    Raises
    ------
    SpliceError
        If there is none, if several could be meant, or if it cannot be edited.
    """
    found = [s for s in spots if s.key == target.key]
    if len(found) > 1 and target.line:
        found = [s for s in found if s.line == target.line] or found
    if not found:
        raise SpliceError(f"`{target.key}` does not stand in the file as a plain value")
    if len(found) > 1:
        raise SpliceError(f"`{target.key}` stands in the file {len(found)} times")
    if found[0].stuck:
        raise SpliceError(f"`{target.key}` {found[0].stuck}")
    return found[0]


def replaced(text: str, pieces: Sequence[tuple[int, int, str]]) -> str:
    """`text` with each span (start, end) replaced; spans must not overlap."""
    out, at = [], 0
    for start, end, new in sorted(pieces):
        if start < at:
            raise SpliceError("two changes fall on the same place")
        out += [text[at:start], new]
        at = end
    return "".join([*out, text[at:]])


# What a new key is: where it is put in, all that is put in, and the value as shown.
Added: TypeAlias = "tuple[int, str, str]"


@dataclass(frozen=True, slots=True)
class Way:
    """How a format with plain spots is spliced.

    Attributes
    ----------
    scan : callable
        Where the values of a text stand.
    literal : callable
        (old text, new value) -> new text.
    what : str
        The format's name, for what is said of a text that is none.
    read : callable, optional
        What the format's usual reader makes of a text; without it our own scanner is the reader.
    locate : callable, optional
        The spot a target means.
    add : callable, optional
        A new key beside its sibling; without it there are none.
    """

    scan: Callable[[str], Entries]
    literal: Callable[[str, Value], str]
    what: str
    read: Callable[[str], object] | None = None
    locate: Callable[[Iterable[Spot], Target], Spot] = find
    add: Callable[[str, Iterable[Spot], Target], Added] | None = None


def splice_at(text: str, targets: Sequence[Target], way: Way) -> Spliced:
    """Put new values where the old ones stand, and read the result back.

    Raises
    ------
    SpliceError
        If a key is not there, or if anything else would change.
    """
    known = spots_of(way.scan(text), way.what)
    before = usual_values(text, way.scan, way.read)
    pieces: list[tuple[int, int, str]] = []
    edits: list[tuple[str, str, str]] = []
    wanted: dict[str, Value] = {}
    for target in targets:
        if target.beside:
            if way.add is None:
                raise SpliceError(f"`{target.key}` is not in the file")
            start, new, shown = way.add(text, known, target)
            pieces.append((start, start, new))
            edits.append((target.key, "", shown))
            wanted[target.key] = target.value
            continue
        spot = way.locate(known, target)
        old = text[spot.start : spot.end]
        if "\n" in old:
            raise SpliceError("the value spans several lines")
        new = way.literal(old, target.value)
        pieces.append((spot.start, spot.end, new))
        edits.append((target.key, old, new))
        wanted[spot.key] = target.value
    after = replaced(text, pieces)
    prove(before, usual_values(after, way.scan, way.read), wanted)
    if way.read is not None:  # what we read ourselves has to change in the same way
        prove(own_values(known), own_values(spots_of(way.scan(after), way.what)), wanted)
    return Spliced(after, tuple(edits))


def by_tail(known: Iterable[Spot], target: Target) -> Spot:
    """The spot of the whole key.

    Without one, the only spot whose path ends in it (``lr_d`` for ``Config.lr_d``).
    """
    tail = tuple(target.key.split("."))
    spots = list(known)
    if not any(s.key == target.key and target.line in (0, s.line) for s in spots):
        ends = [s for s in spots if s.path[-len(tail) :] == tail and target.line in (0, s.line)]
        if len(ends) == 1:
            return find(ends, Target(ends[0].key, None))
    return find(spots, target)


def spots_of(entries: Entries, what: str) -> list[Spot]:
    """All spots of a text that was read to its end.

    Raises
    ------
    SpliceError
        If it was not.
    """
    if entries.fault:
        raise SpliceError(f"it is no valid {what} ({entries.fault})")
    return list(entries.found.values())


def own_values(spots: Iterable[Spot]) -> dict[Path, object]:
    """The single values that our own scanner reads, by path."""
    return {s.path: s.value for s in spots if not isinstance(s.value, tuple)}


def usual_values(
    text: str, scan: Callable[[str], Entries], read: Callable[[str], object] | None
) -> Mapping[Path, object]:
    """The values of a text by path, as its usual reader gives them.

    Raises
    ------
    SpliceError
        If the text cannot be read.
    """
    return leaves(read(text)) if read else own_values(spots_of(scan(text), "config"))


# ---------------------------------------------------------------- numbers and words

_INT: Final = late_pattern(r"[-+]?\d[\d_]*")
# Longer ones are no numbers to any program, and Python refuses to read some of them.
_MOST_DIGITS: Final = 300
_NUMBER: Final = late_pattern(r"[-+]?(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][-+]?\d+)?")


def number(value: object) -> float | int | None:
    """The number that a setting's value means.

    ``"5e-5"`` (PyYAML's string) means one, flags and words do not.
    """
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int | float):
        return value
    if not isinstance(value, str) or len(value) > _MOST_DIGITS:
        return None
    if _NUMBER.fullmatch(value.strip()):
        text = value.strip().replace("_", "")
        return int(text) if _INT.fullmatch(text) else float(text)
    return None


def number_text(old: str, new: float, *, dotted: bool = False) -> str:
    """Write a number in the notation of the old one, with at most six significant digits.

    Parameters
    ----------
    old : str
        The number as it stands; anything else stands for "no notation to keep".
    new : float
    dotted : bool
        Always put a point into the mantissa: PyYAML reads ``1e-05`` as a string.

    Examples
    --------
    >>> number_text("0.0002", 0.00002), number_text("2e-4", 2e-5, dotted=True)
    ('0.00002', '2.0e-5')
    >>> number_text("5", 2)
    '2'
    """
    old = old.strip()
    known = bool(_NUMBER.fullmatch(old))
    whole = bool(_INT.fullmatch(old)) if known else isinstance(new, int)
    if whole and float(new).is_integer() and abs(new) < 1e15:
        return str(int(new))
    from decimal import Decimal

    exact = Decimal(f"{new:.6g}").normalize()
    size = abs(exact)
    scientific = known and "e" in old.lower()
    small = Decimal("1e-5") if known and not scientific else Decimal("1e-4")
    if scientific:
        use_exponent = not Decimal("0.01") <= size < Decimal(10_000)
    else:
        use_exponent = size < small or size >= Decimal(10_000_000)
    if not size or not use_exponent:
        plain = format(exact, "f")
        return plain if "." in plain else plain + ".0"
    sign, digits, _ = exact.as_tuple()
    mantissa, _, tail = old.lower().partition("e") if scientific else ("1.0", "e", "-05")
    text = str(digits[0]) + ("." + "".join(map(str, digits[1:])) if len(digits) > 1 else "")
    if "." not in text and (dotted or "." in mantissa):
        text += ".0"
    width = len(tail.lstrip("+-"))
    power = exact.adjusted()
    mark = "E" if "E" in old else "e"
    power_text = f"{'-' if power < 0 else '+'}{abs(power):0{min(width, 2)}d}"
    return f"{'-' if sign else ''}{text}{mark}{power_text}"


_FLAGS: Final = tuple(
    (yes, no)
    for pair in (("true", "false"), ("yes", "no"), ("on", "off"))
    for yes, no in (pair, (pair[0].title(), pair[1].title()), (pair[0].upper(), pair[1].upper()))
)


def flag_text(old: str, new: bool, default: tuple[str, str] = ("true", "false")) -> str:
    """Write a flag in the spelling of the old one (``yes`` stays ``no``, not ``false``)."""
    pair = next((p for p in _FLAGS if old in p), default)
    return pair[0] if new else pair[1]


# ---------------------------------------------------------------- proof

_Leaves: TypeAlias = dict[Path, object]


def leaves(data: object) -> _Leaves:
    """Every scalar of plain data by its path; empty containers count as scalars.

    Raises
    ------
    SpliceError
        If there are more than `MAX_LEAVES`.
    """
    out: _Leaves = {}
    for path, value in _walk(data, ()):
        out[path] = value
        if len(out) > MAX_LEAVES:
            raise SpliceError(f"the file holds more than {MAX_LEAVES} values")
    return out


def _walk(data: object, path: Path) -> Iterator[tuple[Path, object]]:
    if len(path) > 100:
        raise SpliceError("the file is nested more than 100 levels deep")
    if isinstance(data, dict) and data:
        for key, value in data.items():
            yield from _walk(value, (*path, str(key)))
    elif isinstance(data, list | tuple) and data:
        for i, value in enumerate(data):
            yield from _walk(value, (*path, str(i)))
    else:
        yield path, data


def same(a: object, b: object) -> bool:
    """Equal in type and value; NaN equals NaN."""
    return type(a) is type(b) and (a == b or (a != a and b != b))  # noqa: PLR0124 - NaN is what differs from itself


def changed(before: Mapping[Path, object], after: Mapping[Path, object]) -> dict[str, object]:
    """Dotted key -> new value (None where it is gone) of everything that differs."""
    out = {".".join(p): v for p, v in after.items() if p not in before or not same(before[p], v)}
    return out | {".".join(p): None for p in before if p not in after}


def prove(
    before: Mapping[Path, object], after: Mapping[Path, object], wanted: Mapping[str, Value]
) -> None:
    """Exactly the wanted keys have changed, each to the wanted value and type.

    Raises
    ------
    SpliceError
        If anything else changed, or a value is read back as something else.
    """
    got = changed(before, after)
    for key, value in wanted.items():
        if key not in got:
            raise SpliceError(f"`{key}` would not change")
        if not reads_as(got[key], value):
            raise SpliceError(f"`{key}` would be read back as {got[key]!r}, not {value!r}")
    others = sorted(set(got) - set(wanted))
    if others:
        raise SpliceError(f"it would also change `{'`, `'.join(others[:3])}`")


def reads_as(got: object, wanted: Value) -> bool:
    """Whether what a reader gives is the value that was written."""
    if isinstance(wanted, bool) or wanted is None or isinstance(wanted, str):
        return same(got, wanted)
    if isinstance(got, bool) or not isinstance(got, int | float):
        return False
    return abs(got - wanted) <= 1e-5 * abs(wanted)
