"""Names in printed lines: the name in front of a number, and whether it counts or measures."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import Final

from gandoctor.lexicon.players import called
from gandoctor.parsers.rows.names import (
    BATCH_NAMES,
    EPOCH_NAMES,
    KIMG_NAMES,
    STEP_NAMES,
    plain,
    tells_of_training,
)
from gandoctor.patterns import late_pattern
from gandoctor.values import dataclass

SLOT: Final = "\x01"  # stands for a number in the shape of a line
LONGEST_KEY: Final = 80
_MOST_WORDS: Final = 6
_WRAPPER_REACH: Final = 40  # characters looked back for tensor(


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_HARD: Final = frozenset(',;|{}<>\t"`•→│┃‖§' + SLOT)
_EDGES: Final = " \t[]{}<>*#-_.,;!~'\"/\\"
_LEVELS: Final = _words(
    "info debug warning warn error critical root main log stdout stderr notice trace"
)
_JOINING: Final = _words("and & with plus then 轮 回合 步")
_OTHER_OWNERS: Final = _words(
    "c e q d_a d_b g_a g_b da db ga gb "
    "enc encoder dec decoder cls classifier vae ae adversary train val valid validation test eval"
)
_EPOCH_WORDS: Final = EPOCH_NAMES | _words("回合 轮 轮次 周期 训练回合 epoche époque época эпоха")
_STEP_WORDS: Final = STEP_NAMES | _words("步数 步 迭代 迭代次数")
# A word before a counter's name that makes it something else: max_epoch, save_iter, best epoch.
_NOT_COUNTING: Final = _words(
    "max num number total_num n nb no save log every each freq frequency interval best last resume "
    "resumed warmup "
    "per start from until next decay milestone size remaining of"
)
_SMALL_WORDS: Final = _words(
    "a about above after an and around as at below by for from in into is least most next of on or "
    "over per "
    "than the to under until up upto was with within only first last all"
)
# What stands between a player and its loss, or before and behind both: "generator average loss",
# "loss of the critic".
_BETWEEN: Final = _words(
    "average avg averaged mean total overall running moving current final last adversarial adv gan "
    "real fake "
    "train training of the for on a has had its with loss losses"
)
_VERBS: Final = _words("has had a its with")
_LONGEST_PHRASE: Final = 6
_NOISE: Final = late_pattern(
    r"(?:^|[^a-z])(?:times?|timing|timer|timestamp|stamp|tick|eta|etc|elapsed|duration|secs?|"
    r"seconds?|mins?|minutes?|"
    r"hours?|hrs?|speed|throughput|memory|mem|gpumem|cpumem|vram|ram|reserved|maintenance|fps|ips|"
    r"took|remaining|date|"
    r"pid|port|gpus?|cpus?|cuda|device|rank|it/s|s/it|examples/s|samples/s|img/s|images?/sec|best|"
    r"minibatch_size|"
    r"batch[ _]size)(?:$|[^a-z])",
    re.IGNORECASE,
)
_SOURCE: Final = late_pattern(
    r"\.(?:py|pyx|cc|cpp|cu|h|ipynb|sh)$|(?:^|/)[\w.]*(?:trainer|train|main|run|logger|engine)$",
    re.IGNORECASE,
)
_THINGS: Final = late_pattern(
    r"\s+(?:s|sec\w*|min\w*|hours?|days?|images?|imgs?|samples|examples|gpus?|epochs?|steps?|"
    r"batch(?:es)?|iterations|"
    r"files?|params|parameters|workers|classes|bytes|[kmg]b)\b",
    re.IGNORECASE,
)
_UNIT: Final = late_pattern(
    r"(?:s|ms|us|m|min|h|secs?|mins?|hrs?|it/s|s/it|[KMG]i?B)[ \t]++(?=[^\W\d])"
)
_WRAPPER: Final = late_pattern(
    r"(?:\w+\.)*(?:tensor|Tensor|array|float(?:16|32|64)?|Variable|item)[(\[]*$"
)
_WORTH_A_CALL: Final = late_pattern(r"(?:[dgc][abrf12]?|.*loss.*|.*err.*)$", re.IGNORECASE)
_COUNTER_INSIDE: Final = late_pattern(r"[:=]|\b(?:step|epoch|iter)", re.IGNORECASE)
_PREPOSITION: Final = late_pattern(
    r"(.*?)(?<![\s,])[\s,]++(?:at|in|for|after|on)\s++\w++\s*+[:=#]?\s*$", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Key:
    """A name in front of a number.

    Attributes
    ----------
    text : str
        As printed, SLOT for numbers within.
    sep : str
        What stands between name and number: ``:``, ``=``, ``is``, ``(``, ``[`` or a blank.
    begin : int
        Where it begins in the shape of the line.
    owner : str
        The D of ``D: loss=0.5``.
    """

    text: str
    sep: str
    begin: int
    owner: str = ""

    def is_noise(self) -> bool:
        """Whether it names a clock, a rate, memory or a best-so-far."""
        return _NOISE.search(self.text) is not None and "loss" not in self.text.lower()

    def is_source(self) -> bool:
        """Whether it names the file that printed the line, as in ``train.py:50``."""
        return self.sep == ":" and _SOURCE.search(self.text) is not None

    def is_amount(self, after: str) -> bool:
        """Whether number and what follows are an amount: ``took 12 seconds``, ``on 2 GPUs``."""
        return (
            self.sep == " "
            and not re.search(r"[_/(]|loss", self.text)
            and _THINGS.match(after) is not None
        )

    def is_identifier(self) -> bool:
        """Whether it is surely a name: a colon follows, or it is no plain word."""
        return self.sep != " " or bool(re.search(r"\w_\w|/|\(", self.text))


def kind_of(name: str) -> str:
    """Kind of counter that a name stands for.

    ``epoch``, ``step``, ``global``, ``inner``, ``kimg``; empty for none.
    """
    words = [w.lower() for w in re.split(r"\W+|(?<=[a-z])(?=[A-Z])", name) if w]
    flat = plain(name)
    if not words or not _NOT_COUNTING.isdisjoint(words):
        return ""
    if flat not in STEP_NAMES and not _NOT_COUNTING.isdisjoint(flat.split("_")[:-1]):
        return ""
    for part in (flat, flat.rsplit("_", 1)[-1], words[-1]):
        if part in _EPOCH_WORDS:
            return "epoch"
        if part in KIMG_NAMES:
            return "kimg"
        if part in BATCH_NAMES and (len(part) > 1 or part == flat):
            return "inner"
        if part in _STEP_WORDS and not tells_of_training([flat]):
            return "global" if re.search(r"global|total", name, re.IGNORECASE) else "step"
    if re.search(r"(?:回合|轮次|轮|周期)$", name):
        return "epoch"
    return "step" if re.search(r"(?:步数|迭代次数|迭代)$", name) else ""


@cache
def _owners() -> frozenset[str]:
    """Words that can stand before other names: the players, other networks, splits."""
    return _OTHER_OWNERS | called("D", "G")


def is_owner(word: str) -> bool:
    """Whether a word names a network or a split and so can stand before other names."""
    return word == "A" or word.strip(".:").lower() in _owners()  # A loss: of the adversarial model


def key_before(whole: str, pos: int) -> Key | None:
    """The name that stands before the number at `pos` of a line's shape.

    None where there is none.
    """
    end = pos
    while end > 0 and whole[end - 1] in " \t([{'\"*`~≈$#":
        end -= 1
    if end == 0:
        return None
    opened = any(c in "([" for c in whole[end:pos])
    sep = _separator(whole, end)
    if sep is None:
        return None
    if sep == " " and whole[pos - 1] in "([":
        if wrapper := _WRAPPER.search(whole, max(0, end - _WRAPPER_REACH), end):
            return key_before(whole, wrapper.start())  # d_loss: tensor(0.69, ...)
        called = whole[end] in "([" and re.search(
            r"[\w.]*$", whole[max(0, end - _WRAPPER_REACH) : end]
        )
        if called and not (_WORTH_A_CALL.match(called[0]) or kind_of(called[0])):
            return None  # Conv2d(3, ...
        sep = "("
    if sep == " " and end == pos and not opened:
        return None
    end -= {
        " ": 0,
        "(": 0,
        "is": len(whole[:end]) - whole[:end].rindex(" ") if sep == "is" else 0,
    }.get(sep, 1)
    end = len(whole[:end].rstrip(" \t:" if sep in ":=" else " \t"))
    if sep in ":=" and end > 1 and whole[end - 1] in "'\"":
        quote = whole.rfind(whole[end - 1], 0, end - 1)
        # {'d_loss': 0.5}.
        return _clean(whole[quote + 1 : end - 1], sep, quote) if quote >= 0 else None
    begin = _scan_back(whole, end)
    if begin and whole[begin - 1] == SLOT and (unit := _UNIT.match(whole, begin, end)):
        begin = unit.end()  # time: 0.1s G_GAN: 0.9
    raw = whole[begin:end]
    if sep != " " and not raw.strip(" )]-") and (outer := _outer(whole, begin, sep)):
        return outer
    return _clean(raw, sep, begin)


def _separator(whole: str, end: int) -> str | None:
    """What separates name and number, where the text before the number ends at `end`.

    None where they are none.
    """
    last = whole[end - 1]
    before = whole[end - 2 : end - 1]
    if last in ":=":
        return None if last == "=" and before in ("=", "!", "<", ">") else last
    if last in ",;|/" or (last == ">" and before in ("-", "=")):
        return None
    if re.search(r"[\w)\]] (?:is|was)$", whole[max(0, end - 6) : end]):
        return "is"
    return " "


def _scan_back(whole: str, end: int) -> int:
    """Where the name that ends at `end` begins: at the nearest delimiter outside of brackets."""
    j = end
    while j > 0:
        c = whole[j - 1]
        if c == ")":
            opening = _opening(whole, j - 1)
            if not _is_part(whole, opening, j, at_end=j == end):
                break
            j = opening
            continue
        if c in _HARD or c in "([]":
            break
        if c == "-" and j >= 2 and whole[j - 2] in " -" and (j == end or whole[j] in " ->"):
            break
        if c == " " and j >= 2 and whole[j - 2] == " ":
            break
        j -= 1
    return j


def _is_part(whole: str, opening: int, closing: int, *, at_end: bool) -> bool:
    """Whether a bracket is a part of a name: D(G(z)), discr (scale 1) loss; and not (Step: 100)."""
    if opening <= 0:
        return False
    front = whole[:opening].rstrip(" ")
    if not front or not (front[-1].isalnum() or front[-1] == "_") or opening - len(front) > 1:
        return False
    group = whole[opening + 1 : closing - 1]
    return not _COUNTER_INSIDE.search(group) and not (SLOT in group and at_end)


def _opening(whole: str, closing: int) -> int:
    """Where the round bracket opens that `closing` closes; -1 where it is not opened."""
    return _openings(whole).get(closing, -1)


@lru_cache(maxsize=4)
def _openings(whole: str) -> dict[int, int]:
    """The opening bracket of each closing one.

    Worked out once a line, as each of its names may ask.
    """
    opened: list[int] = []
    found = {}
    for i, c in enumerate(whole):
        if c == "(":
            opened.append(i)
        elif c == ")" and opened:
            found[i] = opened.pop()
    return found


def _outer(whole: str, begin: int, sep: str) -> Key | None:
    """Name in front of a bracket or counter.

    ``FID score (Step: N, ...): x``, ``loss at epoch N: x``.
    """
    if begin and whole[begin - 1] == ")":
        end = len(whole[: max(0, _opening(whole, begin - 1))].rstrip())
        start = _scan_back(whole, end)
        return _clean(whole[start:end], sep, start)
    if begin and whole[begin - 1] == SLOT:
        start = _scan_back(whole, begin - 1)
        found = _PREPOSITION.match(whole[start : begin - 1])
        return _clean(found[1], sep, start) if found else None
    return None


def _clean(raw: str, sep: str, begin: int) -> Key | None:
    """A name without bullets, log levels and the value before it."""
    if "http:" in raw or "https:" in raw:
        return None
    text, owner = _after_last_colon(raw)
    text = " ".join(text.split())
    text = text.strip(_EDGES) + ("." if re.search(r"[a-z]\.$", text) else "")
    words = text.split()
    while words and words[0].strip("[]():").lower() in _LEVELS | _JOINING:
        words = words[1:]
    if sep == " ":
        words = _last_name(words)
    text = " ".join(words[-_MOST_WORDS:])
    if text.count("(") != text.count(")"):
        text = text.strip("()")
    if sep == " " and text.lower() in _SMALL_WORDS:
        return None
    letters = re.search(r"[^\W\d_]", text.replace(SLOT, ""))
    return Key(text, sep, begin, owner) if letters and len(text) <= LONGEST_KEY else None


def _after_last_colon(raw: str) -> tuple[str, str]:
    """What follows the last colon of a text, and the owner before it, if that is one."""
    pieces = re.split(r"[:=]", raw)
    if len(pieces) == 1:
        return raw, ""
    words = pieces[-1].split()
    front = pieces[-2].strip(_EDGES + "()")
    if front.lower() in _owners():
        return pieces[-1], front
    if len(words) > 1 and front and pieces[-1].startswith((" ", "\t")):
        # `ada_p: No Discriminator_loss: 0.5`: the first word is the value of what stands before.
        return " ".join(words[1:]), ""
    return pieces[-1], ""


def _last_name(words: list[str]) -> list[str]:
    """Without a colon only the last word is the name.

    But ``D loss 0.5`` and ``loss D 0.5`` have two.
    """
    pair = words[-2:]
    lower = {w.lower().strip(".") for w in pair}
    telling = "loss" in " ".join(pair).lower() or not lower.isdisjoint(("real", "fake"))
    if len(lower) == 2 and telling and not lower.isdisjoint(_owners()):
        return pair
    return _phrase(words) or words[-1:]


def _phrase(words: list[str]) -> list[str]:
    """The last words, where they name a player and its loss with others between.

    ``generator average loss``.
    """
    plain_words = [w.lower().strip(".'").removesuffix("'s") for w in words[-_LONGEST_PHRASE:]]
    players = called("D", "G") | {"c"}
    known = [w in _BETWEEN or w in players for w in plain_words]
    begin = max((i + 1 for i, sure in enumerate(known) if not sure), default=0)
    end = len(known)
    while end > begin and plain_words[end - 1] in _SMALL_WORDS:
        end -= 1
    while begin < end and plain_words[begin] in _SMALL_WORDS:
        begin += 1
    told = plain_words[begin:end]
    if players.isdisjoint(told) or not any(w.startswith("loss") for w in told):
        return []
    shift = max(0, len(words) - _LONGEST_PHRASE)
    return [w for w in words[shift + begin : shift + end] if w.lower() not in _VERBS]
