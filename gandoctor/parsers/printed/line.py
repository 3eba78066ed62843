"""What the numbers of a printed line mean, worked out once for each shape of line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gandoctor.lexicon.players import is_whole, naming
from gandoctor.parsers.printed.names import SLOT, Key, is_owner, key_before, kind_of
from gandoctor.parsers.printed.plan import Counter, Metric, Plan
from gandoctor.parsers.rows.names import plain, telling
from gandoctor.patterns import late_pattern
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# A number that is no part of a word, a version or a path; thousands may be set apart by commas.
NUMBER: Final = late_pattern(
    r"""(
        (?<![A-Za-z0-9_.\\])(?<![A-Za-z_]\d/)
        (?:(?<![)\]])[-+\u2212](?=[\d.ni]))?
        (?:
            [1-9]\d{0,2}(?:,\d{3}){1,7}+(?!\d|,\d)(?:\.\d+)?
          | \d+(?:\.\d*)?(?:[eE][-+]?\d+)?(?!\.?\d)
          | \.\d+(?:[eE][-+]?\d+)?
          | (?:nan|NaN|NAN|inf|Inf|INF|infinity|Infinity)(?!\w)
          | (?:(?<=[:=])|(?<=[:=]\s))(?:nan|inf)(?=[A-Z]\w{0,40}+[ ]?[:=(])  # glued to a name
        )
    )""",
    re.VERBOSE,
)
_SPLIT_WORDS: Final = {
    "train": "", "training": "", "val": "val", "valid": "val", "validation": "val",
    "validate": "val", "test": "val",
    "testing": "val", "eval": "val", "evaluation": "val", "evaluate": "val", "dev": "val",
}  # fmt: skip
_PROSE: Final = late_pattern(
    r"\b(?:sav(?:e|ed|ing)|load(?:ed|ing)?|checkpoints?|writ(?:e|ing|ten)|restor\w*|resum\w*|best|"
    r"export\w*|will|every|"
    r"snapshots?|download\w*|warn\w*|error|traceback|exception|stor(?:ed|ing)|creat(?:ed|ing)|"
    r"remov\w+|delet\w+)\b"
    r"|保存|加载|检查点",
    re.IGNORECASE,
)
_MOST_PROSE: Final = 5  # further words that a line without metrics may have and still count
_COUNTED: Final = {
    "epoch": "epoch",
    "轮": "epoch",
    "回合": "epoch",
    "步": "step",
    "batch": "inner",
    "iter": "inner",
}
_SUFFIX: Final = late_pattern(f"({'|'.join(_COUNTED)})(?![a-z])")
# The name of the next field, where no blank parts it from the number before: 0.967D_real: 0.5
_GLUED: Final = late_pattern(
    r"([^\W\d][\w/.]{0,40}+(?:[ ][A-Za-z]{2,20}+)?(?:\([\w() ]{0,12}\))?)\s?[:=]\s*"
)
_UNITS: Final = _names(
    "s ms us ns m min mins sec secs h hr hrs hour hours d day days k kb mb gb tb kib mib gib b x "
    "px hz khz mhz db it "
    "its img imgs fps am pm utc st nd rd th v w c"
)
_ARROW: Final = late_pattern(r"(?:^|[\s:\])])>\s?$")
_UNITS_KEPT: Final = late_pattern(r"(?:dB|db|DB|bits?|nats?)(?![a-z])")
_DEVIATION: Final = late_pattern(r"(?:\+/-|\+-|±|\+\s*/\s*-)\s*$")
_LOSSES: Final = ("losses", "损失")
_VITS_LENGTHS: Final = (7, 8, 9)  # five to seven losses, the step, the learning rate


@dataclass(slots=True)
class _Found:
    """A name and the slots of its values: one, or those of a list."""

    key: Key
    slots: list[int]
    scale: float = 1.0


def make_plan(texts: Sequence[str], numbers: Sequence[str]) -> Plan | None:
    """Understand one shape of line.

    Parameters
    ----------
    texts : sequence of str
        The texts between its numbers, those before the first and after the last included.
    numbers : sequence of str
        The numbers of one such line, as witness of which are whole.

    Returns
    -------
    Plan or None
        None where the line holds neither a metric nor a counter.
    """
    if len(texts) != len(numbers) + 1 or any(SLOT in t for t in texts):
        return None
    return _Line(texts, numbers).plan()


class _Line:
    """One line while it is being understood.

    Each rule looks at a slot and says whether it has dealt with it.
    """

    def __init__(self, texts: Sequence[str], numbers: Sequence[str]) -> None:
        self.texts = texts
        self.numbers = numbers
        self.whole = SLOT.join(texts)
        self.at = [i for i, c in enumerate(self.whole) if c == SLOT]
        self.groups = _groups(self.whole)
        self.is_whole = [bool(re.fullmatch(r"[-+]?[\d,]+", n)) for n in numbers]
        self.keys = [key_before(self.whole, pos) for pos in self.at]
        self.used: set[int] = set()
        self.found: list[_Found] = []
        self.counters: list[Counter] = []
        self.tabular = (
            0  # clocks without a colon (sec/tick 10.6): the line is made of names and numbers
        )

    def plan(self) -> Plan | None:
        rules = (
            self._suffixed, self._clock, self._snapshot, self._leading, self._counter, self._lone,
                self._unit,
            self._spread, self._item, self._nameless, self._noise, self._name_part, self._metric,
        )  # fmt: skip
        for i in range(len(self.numbers)):
            if i not in self.used:
                any(rule(i, self.texts[i], self.texts[i + 1]) for rule in rules)
        self._drop_prose()
        nameless_vits = self._is_vits()
        vits = nameless_vits or self._is_so_vits()
        metrics = self._tags(nameless_vits)
        counters = self._settled(bool(metrics))
        return Plan(tuple(metrics), tuple(counters), vits) if metrics or counters else None

    # ------------------------------------------------------------ counters

    def _suffixed(self, i: int, before: str, after: str) -> bool:
        """``1epoch:train:1-100batch``."""
        found = _SUFFIX.match(after) if self.is_whole[i] else None
        return found is not None and self._count(_COUNTED[found[1]], i)

    def _clock(self, i: int, before: str, after: str) -> bool:
        """A part of 12:30:01, 2021-02-22, 1/2/2020 or 1.2.3."""
        last = i + 1 == len(self.numbers)
        if i and before in (":", "-", ".", "x"):
            return True
        if not last and after in (":", "-"):
            return True
        if after == "/" and i + 2 < len(self.numbers) and self.texts[i + 2] == "/":
            self.used |= {i + 1, i + 2}
            return True
        return False

    def _snapshot(self, i: int, before: str, after: str) -> bool:
        """``network-snapshot-000204``: kimg."""
        found = before.endswith("snapshot-") and re.match(r"\s|pkl|$", after)
        if found:
            self.counters.append(Counter("kimg", i))
        return bool(found)

    def _fraction(self, i: int) -> bool:
        """Whether a slot is the 12 of 12/938."""
        return (
            self.texts[i + 1].strip() in ("/", "of")
            and i + 1 < len(self.numbers)
            and self.is_whole[i]
            and self.is_whole[i + 1]
            and not self.numbers[i].startswith("-")
        )

    def _count(self, kind: str, i: int, *, total: bool = False) -> bool:
        self.counters.append(Counter(kind, i, i + 1 if total else -1))
        if total:
            self.used.add(i + 1)
        return True

    def _leading(self, i: int, before: str, after: str) -> bool:
        """A whole number that begins the line, or an arrow.

        ``120 [D loss``, ``[   12/1000000]``, ``INFO: >12,``.
        """
        begins = not i and not before.strip(" \t([<#>")
        if self.keys[i] or not self.is_whole[i] or not (begins or _ARROW.search(before)):
            return False
        if self._fraction(i):
            return self._count("first", i, total=True)
        return bool(re.match(r"\s*[:\])>|,{-]|\s+[^\W\d]|\s*\[|\s*$", after)) and self._count(
            "lead", i
        )

    def _counter(self, i: int, before: str, after: str) -> bool:
        key = self.keys[i]
        fraction = self._fraction(i)
        if key and (kind := kind_of(key.text)):
            if fraction or self.is_whole[i] or kind in ("epoch", "kimg"):
                self._count(kind, i, total=fraction)
            return True
        return fraction and (key is None or key.sep == " ") and self._count("part", i, total=True)

    def _lone(self, i: int, before: str, after: str) -> bool:
        """A number alone in brackets.

        The generator's iterations of WassersteinGAN, ``[56%]`` of VITS.
        """
        if self.keys[i] or not re.search(r"[\[(]\s*$", before):
            return False
        if re.match(r"%\s*[\])]", after):
            return self._count("percent", i)
        return bool(
            re.fullmatch(r"\s*+(?:\]\s*+)?[\[(]\s*", before) and re.match(r"\s*[\])]", after)
        ) and not self._mean(i, before, after)

    # ------------------------------------------------------------ numbers that are no metrics

    def _unit(self, i: int, before: str, after: str) -> bool:
        """``1.65s``, ``98m``, ``512x512``, ``10%|``.

        Decibels, percentages with a name and glued fields stay.
        """
        if after.startswith("%"):
            key = self.keys[i]
            return (
                key is None
                or key.is_noise()
                or plain(key.text) in ("progress", "done", "completed")
            )
        return (
            bool(re.match(r"[^\W\d]|_", after))
            and not _UNITS_KEPT.match(after)
            and not self._glued(i)
        )

    def _glued(self, i: int) -> bool:
        """Whether what follows a number without a blank is the name of the next, and no unit."""
        found = _GLUED.fullmatch(self.texts[i + 1]) if i + 1 < len(self.numbers) else None
        if not found or self.keys[i] is None:
            return False
        first = found[1].split()[0]
        return first in ("D", "G", "C") if len(first) == 1 else first.lower() not in _UNITS

    def _mean(self, i: int, before: str, after: str) -> bool:
        """The mean in brackets after a value."""
        follows = bool(self.found) and self.found[-1].slots[-1] == i - 1
        return (
            follows
            and bool(re.fullmatch(r"\s*+(?:%\s*+)?\(\s*", before))
            and after.lstrip().startswith(")")
        )

    def _spread(self, i: int, before: str, after: str) -> bool:
        """A mean or a standard deviation behind the value."""
        return self._mean(i, before, after) or bool(_DEVIATION.search(before))

    def _noise(self, i: int, before: str, after: str) -> bool:
        key = self.keys[i]
        if key is None or key.is_amount(after):
            return True
        if key.is_noise():
            self.tabular += key.sep == " "
            return True
        if self.is_whole[i] and key.is_source() and re.match(r"\s*[)\],:]|\s*$|\s+[-|>]", after):
            return True
        if key.sep == "(" and not re.match(r"\s*[)\],/%]", after):
            return True
        # Seconds spent on loading.
        return key.text.lower() == "data" and "time" in self.whole.lower()

    def _name_part(self, i: int, before: str, after: str) -> bool:
        """The 1 of ``discr (scale 1) loss: 0.5``."""
        opened = re.search(r"\([^\d(]*$", before)
        return bool(opened and re.match(r"\)\s*[^\W\d][\w /]*+\s*+[:=]\s*+[\[(]?\s*$", after))

    # ------------------------------------------------------------ metrics

    def _item(self, i: int, before: str, after: str) -> bool:
        """A further item of a list."""
        if self.keys[i] or not self.found or self.found[-1].slots[-1] != i - 1:
            return False
        bare = before.strip()
        whole, pos = self.whole, self.at[i]
        if bare not in (",", "/", ";") and (
            bare or not before or whole.rfind("[", 0, pos) < whole.rfind("]", 0, pos)
        ):
            return False
        self.found[-1].slots.append(i)
        return True

    def _nameless(self, i: int, before: str, after: str) -> bool:
        """A list without a name, or the only value behind a counter (``itr: value``)."""
        if self.keys[i]:
            return False
        if (
            i == 1
            and self.counters
            and self.counters[0].kind == "lead"
            and before.strip() in (":", "")
        ):
            self.found.append(_Found(Key("", ":", self.at[i]), [i]))
            return True
        if not re.search(r"\[\s*$", before) or not re.match(r"\s*,", after):
            return False
        end = i
        while end + 1 < len(self.numbers) and self.texts[end + 1].strip() == ",":
            end += 1
        # It ends the line, and is not the shape of an array.
        broken = sum(not n.isdigit() for n in self.numbers[i : end + 1]) * 2 >= end + 1 - i
        if self.texts[end + 1].strip() not in ("]", "])") or not broken:
            return False
        self.found.append(_Found(Key("values", "[", self.at[i]), [i]))
        return True

    def _metric(self, i: int, before: str, after: str) -> bool:
        key = self.keys[i]
        if key:
            self.found.append(_Found(key, [i], 0.01 if after.startswith("%") else 1.0))
        return key is not None

    def _drop_prose(self) -> None:
        """Names without a colon count only if they look like identifiers, or stand among such."""
        named = " ".join(f.key.text for f in self.found)
        words = [w for w in _words(self.whole) if w not in named and not kind_of(w)]
        prose = len(words) > len(self.found) + self.tabular
        keys = [f.key.text for f in self.found]
        told = (
            telling(keys)
            if not prose or is_whole(k for k in keys if "loss" in k.lower())
            else set()
        )
        firm = [f.key.is_identifier() or f.key.text in told for f in self.found]
        joined = self.tabular >= 2 or (sum(firm) >= 2 and sum(firm) * 3 >= len(self.found))
        self.found = [
            f
            for f, sure in zip(self.found, firm, strict=True)
            if sure or (joined and re.fullmatch(r"[A-Za-z][\w.]*", f.key.text))
        ]

    def _is_vits(self) -> bool:
        """``[disc, gen, fm, mel, kl, step, lr]`` and nothing else; the step becomes a counter."""
        if (
            len(self.found) != 1
            or self.found[0].key.sep != "["
            or len(self.found[0].slots) not in _VITS_LENGTHS
        ):
            return False
        *_, step, lr = self.found[0].slots
        if not self.is_whole[step] or not 0 < abs(float(self.numbers[lr])) < 0.05:
            return False
        self.counters = [c for c in self.counters if c.kind != "step"]
        return self._count("step", step)

    def _is_so_vits(self) -> bool:
        """``Losses: [disc, gen, fm, mel, kl], step: 0, lr: 0.0001``."""
        if not self.found or self.found[0].key.text.lower() not in _LOSSES:
            return False
        rest = {f.key.text.lower() for f in self.found}
        return len(self.found[0].slots) in (5, 6) and not rest.isdisjoint(("lr", "学习率"))

    # ------------------------------------------------------------ tags

    def _tags(self, vits: bool) -> list[Metric]:
        """Full tags: a bracket's owner before bare names, items numbered, none twice in a line."""
        split = self._split()
        owners: dict[int, str] = {}
        last_owner = ""
        taken: dict[str, int] = {}
        out = []
        for f in self.found:
            group = self.groups[f.slots[0]]
            base = "losses" if vits and f.key.sep == "[" else self._named(f.key)
            first = base.split()[0] if base else ""
            if f.key.owner and not naming("D", "G").search(base):
                base = f"{f.key.owner} {base}"
                owners.setdefault(group, f.key.owner)
                last_owner = f.key.owner
            elif " " in base and is_owner(first):
                owners.setdefault(group, first)
                last_owner = first
            elif base and not naming("D", "G").search(base):
                if group >= 0 and group in owners:
                    base = f"{owners[group]} {base}"
                elif last_owner and plain(base) in ("acc", "accuracy"):
                    base = f"{last_owner} {base}"
            again = taken[base] = taken.get(base, -1) + 1
            out += self._items(f, f"{base}.{again}" if again else base, split)
        steps = {c.slot for c in self.counters}
        return [m for m in out if m.slot not in steps]

    def _items(self, f: _Found, base: str, split: str) -> list[Metric]:
        if len(f.slots) == 1:
            return [Metric(f.slots[0], base, f.scale, split)]
        if "/" in self.whole[self.at[f.slots[0]] : self.at[f.slots[1]]]:
            # D(G(z)): 0.2 / 0.1 is one quantity before and after a step, and no two networks.
            tags = [base, *(f"{base} ({k})" for k in range(2, len(f.slots) + 1))]
        else:
            tags = [f"{base}[{k}]" for k in range(len(f.slots))]
        return [Metric(slot, tag, f.scale, split) for slot, tag in zip(f.slots, tags, strict=True)]

    def _named(self, key: Key) -> str:
        """The name, each number in it marked by its slot, to be filled in line by line."""
        first = self.whole.count(SLOT, 0, key.begin)
        head, *rest = key.text.split(SLOT)
        return head + "".join(f"{SLOT}{first + k}{SLOT}{part}" for k, part in enumerate(rest))

    def _split(self) -> str:
        """``val`` where the line begins with such a word, before the first name."""
        front = self.whole[: self.found[0].key.begin] if self.found else ""
        words = (w.lower() for w in re.findall(r"[A-Za-z]+", front))
        return next((_SPLIT_WORDS[w] for w in words if w in _SPLIT_WORDS), "")

    def _settled(self, has_metrics: bool) -> list[Counter]:
        """Kinds of the nameless counters; none from prose (``saving the model at iteration 5``)."""
        if not has_metrics:
            words = [w for w in _words(self.whole) if not kind_of(w)]
            if len(words) > _MOST_PROSE or _PROSE.search(self.whole):
                return []
        kinds = {c.kind for c in self.counters}
        named = not kinds.isdisjoint(("step", "epoch", "global"))
        first, lead = "step", "lead"
        if "part" in kinds:
            lead = "epoch"
        if named or "inner" in kinds:
            lead = ""
        if named:
            first = "inner"
        if "part" in kinds and "epoch" not in kinds:
            first = "epoch"
        meaning = {
            "first": first,
            "lead": lead,
            "part": "inner",
            "global": "step",
            "step": "inner" if "global" in kinds else "step",
        }
        out: dict[str, Counter] = {}
        for c in self.counters:
            if kind := meaning.get(c.kind, c.kind):
                out.setdefault(kind, Counter(kind, c.slot, c.total))
        return list(out.values())


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]{3,}", text)


def _groups(whole: str) -> list[int]:
    """For each slot, where the square bracket around it opens; -1 outside of one."""
    opened: list[int] = []
    found = []
    for i, c in enumerate(whole):
        if c == "[":
            opened.append(i)
        elif c == "]" and opened:
            opened.pop()
        elif c == SLOT:
            found.append(opened[-1] if opened else -1)
    return found
