"""What the numbers of a printed line mean, worked out once for each shape of line."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from gandoctor.parsers._table import BATCH_NAMES, EPOCH_NAMES, KIMG_NAMES, STEP_NAMES, plain, tells_of_training

if TYPE_CHECKING:
    from collections.abc import Sequence

# A number that is no part of a word, a version or a path; thousands may be set apart by commas.
NUMBER: Final = re.compile(
    r"""(
        (?<![\w.\\])(?<![A-Za-z_]\d/)
        (?:(?<![)\]])[-+\u2212](?=[\d.ni]))?
        (?:
            [1-9]\d{0,2}(?:,\d{3})+(?!\d|,\d)(?:\.\d+)?
          | \d+(?:\.\d*)?(?:[eE][-+]?\d+)?(?!\.?\d)
          | \.\d+(?:[eE][-+]?\d+)?
          | (?:nan|NaN|NAN|inf|Inf|INF|infinity|Infinity)(?!\w)
        )
    )""",
    re.VERBOSE,
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SLOT: Final = "\x01"  # stands for a number in the shape of a line
LONGEST_KEY: Final = 80
_MOST_WORDS: Final = 6
_HARD: Final = frozenset(',;|{}<>\t"`•→│┃‖§' + SLOT)
_LEVELS: Final = _words("info debug warning warn error critical root main log stdout stderr notice trace")
_OWNERS: Final = _words(
    "d g c e q dis disc discr discriminator discrim critic gen generator d_a d_b g_a g_b da db ga gb netd netg "
    "enc encoder dec decoder cls classifier vae ae adversary train val valid validation test eval"
)
_SPLIT_WORDS: Final = {
    "train": "", "training": "", "val": "val", "valid": "val", "validation": "val", "validate": "val", "test": "val",
    "testing": "val", "eval": "val", "evaluation": "val", "evaluate": "val", "dev": "val",
}  # fmt: skip
_EPOCH_WORDS: Final = EPOCH_NAMES | {"回合", "轮", "轮次", "周期", "训练回合", "epoche", "époque", "época", "эпоха"}
_STEP_WORDS: Final = STEP_NAMES | {"步数", "步", "迭代", "迭代次数"}
# A word before the counter's name that makes it something else: max_epoch, save_iter, best epoch.
_NOT_COUNTING: Final = _words(
    "max num number total_num n nb no save log every each freq frequency interval best last resume resumed warmup "
    "per start from until next decay milestone size remaining of"
)
_NOISE: Final = re.compile(
    r"(?:^|[^a-z])(?:time|times|timing|timer|timestamp|stamp|tick|eta|etc|elapsed|duration|secs?|seconds?|mins?|minutes?|hours?|hrs?|speed|"
    r"throughput|memory|mem|gpumem|cpumem|vram|ram|reserved|maintenance|fps|ips|took|remaining|date|pid|port|gpus?|cpus?|"
    r"rank|it/s|s/it|examples/s|samples/s|img/s|images?/sec|best|minibatch_size|batch[ _]size)(?:$|[^a-z])",
    re.IGNORECASE,
)
_PROSE: Final = re.compile(
    r"\b(?:sav(?:e|ed|ing)|load(?:ed|ing)?|checkpoints?|writ(?:e|ing|ten)|restor\w*|resum\w*|best|export\w*|"
    r"snapshots?|download\w*|warn\w*|error|traceback|exception|stor(?:ed|ing)|creat(?:ed|ing)|remov\w+|delet\w+|will|every|"
    r"保存|加载|检查点)\b|保存|加载",
    re.IGNORECASE,
)
_COUNTED: Final = re.compile(r"(epoch|batch|iter)(?![a-z])")
_SOURCE: Final = re.compile(
    r"\.(?:py|pyx|cc|cpp|cu|h|ipynb|sh)$|(?:^|/)[\w.]*(?:trainer|train|main|run|logger|engine)$", re.IGNORECASE
)
_THINGS: Final = re.compile(
    r"\s+(?:s|sec\w*|min\w*|hours?|days?|images?|imgs?|samples|examples|gpus?|epochs?|steps?|batch(?:es)?|iterations|files?|"
    r"params|parameters|workers|classes|bytes|[kmg]b)\b",
    re.IGNORECASE,
)
_NAMED_KINDS: Final = frozenset({"step", "epoch", "global"})
_EDGES: Final = " \t[]{}<>*#-_.,;!~'\""
_WRAPPER: Final = re.compile(r"(?:\w+\.)*(?:tensor|Tensor|array|float(?:16|32|64)?|Variable|item)[(\[]*$")
_WORTH_A_CALL: Final = re.compile(r"(?:[dgc][ab]?|.*loss.*|.*err.*)$", re.IGNORECASE)
_DEVIATION: Final = re.compile(r"(?:\+/-|\+-|±|\+\s*/\s*-)\s*$")
_UNITS_KEPT: Final = re.compile(r"^(?:dB|db|DB|bits?|nats?)(?![a-z])")
_COUNTER_INSIDE: Final = re.compile(r"[:=]|\b(?:step|epoch|iter)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Metric:
    """A slot that holds a metric: its tag, what to multiply it with, its split."""

    slot: int
    tag: str
    scale: float = 1.0
    split: str = ""


@dataclass(frozen=True, slots=True)
class Counter:
    """A slot that counts: ``epoch``, ``step``, ``inner``, ``kimg`` or ``percent``, and the slot of its total or -1."""

    kind: str
    slot: int
    total: int = -1


@dataclass(slots=True)
class Plan:
    """What to take from lines of one shape.

    Attributes
    ----------
    named : tuple of int
        Slots that are part of a tag (``layer 3 loss``); a tag holds them as SLOT and their number.
    vits : bool
        Whether the line is the nameless list of VITS.
    """

    metrics: tuple[Metric, ...] = ()
    counters: tuple[Counter, ...] = ()
    named: tuple[int, ...] = ()
    vits: bool = False
    bare: bool = False
    percent: bool = False
    rows: list[Sequence[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Key:
    text: str  # as printed, SLOT for numbers within
    sep: str  # ':', '=', 'is', '(' or ' '
    begin: int  # where it begins in the shape
    owner: str = ""


def kind_of(key: str) -> str:
    """Kind of counter that a key names; empty for a metric."""
    words = [w for w in re.split(r"[^\w]+|(?<=[a-z])(?=[A-Z])", key) if w]
    name = plain(key)
    if not words:
        return ""
    lowered = [w.lower() for w in words]
    if any(w in _NOT_COUNTING for w in lowered[:-1]) or lowered[-1] in _NOT_COUNTING:
        return ""
    if any(part in _NOT_COUNTING for part in name.split("_")[:-1]) and name not in STEP_NAMES:
        return ""
    for part in (name, name.rsplit("_", 1)[-1], lowered[-1]):
        if part in _EPOCH_WORDS:
            return "epoch"
        if part in KIMG_NAMES:
            return "kimg"
        if part in BATCH_NAMES and (len(part) > 1 or part == name):
            return "inner"
        if part in _STEP_WORDS and not tells_of_training([name]):
            return "step"
    if re.search(r"(?:回合|轮次|轮|周期)$", key):
        return "epoch"
    if re.search(r"(?:步数|迭代次数|迭代)$", key):
        return "step"
    return ""


def make_plan(texts: Sequence[str], numbers: Sequence[str]) -> Plan | None:
    """Understand one shape of line from the texts between its numbers and the numbers of one such line.

    Returns
    -------
    Plan or None
        None where the line holds neither a metric nor a counter.
    """
    whole = SLOT.join(texts)
    at = [i for i, c in enumerate(whole) if c == SLOT]
    slots = len(at)
    if slots != len(numbers):
        return None
    whole_number = [bool(re.fullmatch(r"[-+]?[\d,]+", n)) for n in numbers]
    metrics: list[tuple[Metric, _Key]] = []
    counters: list[Counter] = []
    named: set[int] = set()
    used = [False] * slots
    list_of: dict[int, list[int]] = {}  # slot of the first item -> slots
    last_metric = -1
    bare = percent = False
    tabular = 0  # names without a colon that are surely names: sec/tick 10.6

    def right(i: int) -> str:
        return texts[i + 1]

    def left(i: int) -> str:
        return texts[i]

    for i in range(slots):
        if used[i]:
            continue
        before, after = left(i), right(i)
        if whole_number[i] and (suffix := _COUNTED.match(after)):
            counters.append(
                Counter("epoch" if suffix[1].startswith("epoch") else "inner", i)
            )  # 1epoch:train:1-100batch
            continue
        if _is_clock(before, after, i, slots, texts):
            continue
        if before.endswith("snapshot-") and re.match(r"\s|pkl|$", after):
            counters.append(Counter("kimg", i))  # network-snapshot-000204
            continue
        key = _key_before(whole, at[i])
        # counters, perhaps written a/b
        fraction = after.strip() in ("/", "of", "|") and after.strip() != "|" and i + 1 < slots and whole_number[i]
        fraction = fraction and whole_number[i + 1] and not numbers[i].startswith("-")
        if fraction and i + 2 < slots + 1 and right(i + 1).strip() == "/" and i + 2 < slots:
            used[i + 1] = used[i + 2] = True  # a date
            continue
        kind = kind_of(key.text) if key else ""
        if kind == "step" and key and re.search(r"global|total", key.text, re.IGNORECASE):
            kind = "global"
        if kind == "" and key is None and not before.strip(" \t([<#>") and i == 0 and whole_number[i]:
            # 120 [D loss ...; 100: soundstream ...; [   12/1000000] ...; [0/25][100/1583][1] ...
            if fraction:
                counters.append(Counter("first", i, i + 1))
                used[i + 1] = True
                continue
            if re.match(r"\s*[:\])>|,{-]|\s+[^\W\d]|\s*\[|\s*$", after):
                counters.append(Counter("lead", i))
                continue
        if kind:
            if fraction:
                used[i + 1] = True
                counters.append(Counter(kind, i, i + 1))
            elif whole_number[i] or kind in ("epoch", "kimg"):
                counters.append(Counter(kind, i))
            continue
        if fraction and (key is None or key.sep == " "):
            used[i + 1] = True
            counters.append(Counter("part", i, i + 1))
            continue
        if key is None and re.fullmatch(r"\s*\]?\s*\[\s*|\s*\(\s*", before) and re.match(r"\s*[\])]", after):
            if counters and whole_number[i]:
                counters.append(Counter("lone", i))  # the third bracket of WassersteinGAN's lines
            elif after.startswith("%"):
                percent = True
            continue
        if after.startswith("%"):
            if key is None and re.search(r"[\[(]\s*$", before) and re.match(r"%\s*[\])]", after):
                counters.append(Counter("percent", i))
                continue
            if key is None or _NOISE.search(key.text) or plain(key.text) in ("progress", "done", "completed"):
                continue
        elif re.match(r"[^\W\d]|_", after) and not _UNITS_KEPT.match(after) and not _literal_newline(after):
            continue  # 1.65s, 98m, 50k, 512x512
        if _DEVIATION.search(before):
            continue
        # the mean after the value
        if last_metric == i - 1 and re.fullmatch(r"\s*%?\s*\(\s*", before) and after.lstrip().startswith(")"):
            continue
        # further items of a list
        if key is None and last_metric == i - 1 and last_metric >= 0 and _continues(before, whole, at[i]):
            first = next(f for f, items in list_of.items() if i - 1 in items)
            list_of[first].append(i)
            tag = metrics[-1][0]
            metrics.append((Metric(i, "", tag.scale, tag.split), metrics[-1][1]))
            last_metric = i
            continue
        if (
            key is None
            and re.search(r"\[\s*$", before)
            and re.match(r"\s*,", after)
            and _is_loss_list(texts, numbers, i)
        ):
            metrics.append((Metric(i, "losses"), _Key("losses", "[", at[i])))
            list_of[i] = [i]
            last_metric = i
            continue
        if key is None and i == 1 and counters and counters[0].kind == "lead" and before.strip() in (":", ""):
            metrics.append((Metric(i, ""), _Key("", ":", at[i])))
            list_of[i] = [i]
            last_metric = i
            bare = True
            continue
        if key is None or (key.sep == " " and _is_amount(key.text, after)):
            continue
        if _NOISE.search(key.text) and "loss" not in key.text.lower():
            tabular += key.sep == " "
            continue
        if key.sep == ":" and whole_number[i] and re.match(r"\s*[)\],:]|\s*$", after) and _SOURCE.search(key.text):
            continue  # (train:512), train.py:50]
        if key.sep == "(" and not re.match(r"\s*[)\],/%]", after):
            continue
        if key.text == "data" and "time" in whole:
            continue  # pix2pix: seconds spent on loading
        if i + 1 < slots and re.search(r"\($|\(\D*$", before) and _part_of_name(after):
            named.add(i)
            continue
        metrics.append((Metric(i, key.text, 0.01 if after.startswith("%") else 1.0), key))
        list_of[i] = [i]
        last_metric = i

    metrics = _credible(metrics, list_of, tabular)
    nameless = _is_vits(metrics, list_of, numbers, whole_number)
    vits = nameless or _is_so_vits(metrics, list_of)
    if nameless:
        counters = [c for c in counters if c.kind != "step"]
        items = next(iter(list_of.values()))
        counters.append(Counter("step", items[-2]))
        metrics = [m for m in metrics if m[0].slot != items[-2]]
    split = _split_of(whole, metrics)
    final = _tags(whole, metrics, list_of, split)
    counters = _settled(counters, bool(final), whole)
    if not final and not counters:
        return None
    return Plan(tuple(final), tuple(counters), tuple(sorted(named)), vits, bare, percent)


# ---------------------------------------------------------------- keys


def _key_before(whole: str, pos: int) -> _Key | None:
    """The name that stands before the number at `pos`."""
    j = pos
    opened = False
    while j > 0 and whole[j - 1] in " \t([{'\"*`~≈$":
        opened = opened or whole[j - 1] in "(["
        j -= 1
    touched = j == pos
    if j == 0:
        return None
    sep = " "
    if whole[j - 1] in ":=":
        if whole[max(0, j - 2) : j] == "==" or (
            whole[j - 1] == "=" and whole[max(0, j - 2) : j - 1] in ("!", "<", ">")
        ):
            return None
        sep = whole[j - 1]
        j -= 1
        if j and whole[j - 1] == ":":
            j -= 1
    elif whole[j - 1] == ">" and whole[max(0, j - 2) : j] in ("->", "=>"):
        return None
    elif re.search(r"[\w)\]] (?:is|was)$", whole[max(0, j - 6) : j]):
        sep = "is"
        j = whole.rindex(" ", 0, j)
    elif whole[j - 1] in ",;|/" or (touched and not opened):
        return None
    elif opened and whole[pos - 1] in "([":
        if wrapper := _WRAPPER.search(whole, max(0, j - 40), j):
            return _key_before(whole, wrapper.start())  # d_loss: tensor(0.69, ...)
        word = re.search(r"[\w.]*$", whole[max(0, j - 40) : j])
        if whole[j] in "([" and word and not (_WORTH_A_CALL.match(word[0]) or kind_of(word[0])):
            return None  # Conv2d(3, ...
        sep = "("
    while j > 0 and whole[j - 1] in " \t":
        j -= 1
    if sep in ":=" and j > 1 and whole[j - 1] in "'\"" and (quote := whole.rfind(whole[j - 1], 0, j - 1)) >= 0:
        return _clean(whole[quote + 1 : j - 1], sep, quote)  # {'d_loss': 0.5}
    begin = _scan_back(whole, j)
    raw = whole[begin:j]
    if sep != " " and not raw.strip(" )]-") and (outer := _outer_key(whole, begin)):
        return _Key(outer[0], sep, outer[1])
    return _clean(raw, sep, begin)


def _scan_back(whole: str, end: int) -> int:
    """Where the name that ends at `end` begins: at the nearest delimiter outside of brackets."""
    j = end
    while j > 0:
        c = whole[j - 1]
        if c == ")":
            opening = _opening(whole, j - 1)
            group = whole[opening + 1 : j - 1] if opening >= 0 else ""
            word = opening > 0 and (whole[opening - 1].isalnum() or whole[opening - 1 : opening] == "_")
            word = word or (opening > 1 and whole[opening - 1] == " " and whole[opening - 2].isalnum())
            if opening < 0 or not word or _COUNTER_INSIDE.search(group) or (SLOT in group and j == end):
                break
            j = opening
            continue
        if c in _HARD or c in "([]":
            break
        if c == "-" and j >= 2 and whole[j - 2] in " -" and (j == end or whole[j : j + 1] in " ->"):
            break
        if c == " " and j >= 2 and whole[j - 2] == " ":
            break
        j -= 1
    return j


def _opening(whole: str, closing: int) -> int:
    depth = 0
    for k in range(closing, -1, -1):
        depth += (whole[k] == ")") - (whole[k] == "(")
        if depth == 0:
            return k
    return -1


def _outer_key(whole: str, begin: int) -> tuple[str, int] | None:
    """Name in front of a bracket or counter: ``FID score (Step: N, ...): x``, ``loss at epoch N: x``."""
    if begin and whole[begin - 1] == ")":
        opening = _opening(whole, begin - 1)
        if opening > 0:
            end = len(whole[:opening].rstrip())
            start = _scan_back(whole, end)
            key = _clean(whole[start:end], ":", start)
            return (key.text, start) if key else None
    if begin and whole[begin - 1] == SLOT:
        start = _scan_back(whole, begin - 1)
        found = re.match(
            r"(.*?)[\s,]+(?:at|in|for|after|on)\s+\w+\s*[:=#]?\s*$", whole[start : begin - 1], re.IGNORECASE
        )
        if found:
            key = _clean(found[1], ":", start)
            return (key.text, start) if key else None
    return None


def _clean(raw: str, sep: str, begin: int) -> _Key | None:
    """A name without bullets, log levels and the value before it."""
    owner = ""
    text = raw
    if "http:" in text or "https:" in text:
        return None
    pieces = re.split(r"[:=]", text)
    if len(pieces) > 1:
        last = pieces[-1].split()
        front = pieces[-2].strip(" \t[](){}<>*#-_.")
        glued = not pieces[-1].startswith((" ", "\t"))
        if len(last) > 1 and front and not glued and front.lower() not in _OWNERS:
            last = last[1:]  # ada_p: No Discriminator_loss: the word is the value of what stands before
        elif front.lower() in _OWNERS:
            owner = front
        text = " ".join(last)
    text = " ".join(text.split()).strip(_EDGES) + ("." if re.search(r"[a-z]\.\s*$", text) else "")
    words = text.split()
    while words and words[0].strip("[]():").lower() in _LEVELS:
        words = words[1:]
    if sep == " " and len(words) > 1:
        # Without a colon only the word before the number is its name; D loss 0.5 and loss D 0.5 are two words.
        pair = words[-2:]
        both = {w.lower().strip(".") for w in pair}
        words = (
            pair
            if both & _OWNERS
            and tells_of_training([" ".join(pair), "loss"])
            and len(both) == 2
            and ("loss" in " ".join(pair).lower() or "real" in both or "fake" in both)
            else words[-1:]
        )
    if len(words) > _MOST_WORDS:
        words = words[-_MOST_WORDS:]
    text = " ".join(words)
    if text.count("(") != text.count(")"):
        text = text.strip("()")
    if not text or len(text) > LONGEST_KEY or not re.search(r"[^\W\d_]", text.replace(SLOT, "")):
        return None
    if text.lower() in _LEVELS:
        return None
    return _Key(text, sep, begin, owner)


# ---------------------------------------------------------------- shapes of numbers


def _is_clock(before: str, after: str, i: int, slots: int, texts: Sequence[str]) -> bool:
    """Whether a number is a part of 12:30:01, 2021-02-22 or 1/2/2020."""
    last = i + 1 == slots
    if before == ":" and i > 0:
        return not texts[i - 1].endswith("(") or True
    if after == ":" and not last:
        nxt = texts[i + 2] if i + 2 < len(texts) else ""
        return before.strip() == "" or not before.endswith(("=",)) or nxt in (":", "")
    return (before == "-" and i > 0) or (after == "-" and not last) or (before in (".", "x") and i > 0)


def _literal_newline(after: str) -> bool:
    return after.startswith(("n ", "n\t"))


def _is_amount(key: str, after: str) -> bool:
    """``took 12 seconds``, ``on 2 GPUs``: a number and a thing."""
    return not re.search(r"[_/(]|loss", key) and _THINGS.match(after) is not None


def _continues(before: str, whole: str, pos: int) -> bool:
    """Whether the text between two numbers merely separates the items of a list."""
    bare = before.strip()
    if bare in (",", "/", ";"):
        return True
    return bare == "" and before != "" and whole.rfind("[", 0, pos) > whole.rfind("]", 0, pos)


def _is_loss_list(texts: Sequence[str], numbers: Sequence[str], i: int) -> bool:
    """Whether a bracketed list without a name can be losses: it ends the line and is not a shape of whole numbers."""
    j = i
    while j + 1 < len(numbers) and texts[j + 1].strip() == ",":
        j += 1
    items = numbers[i : j + 1]
    return texts[j + 1].strip() in ("]", "])") and sum(not n.isdigit() for n in items) * 2 >= len(items)


def _part_of_name(after: str) -> bool:
    return re.match(r"\)\s*[^\W\d][\w /]*\s*[:=]\s*[\[(]?\s*$", after) is not None


def _is_vits(
    metrics: list[tuple[Metric, _Key]], list_of: dict[int, list[int]], numbers: Sequence[str], whole: Sequence[bool]
) -> bool:
    """``[disc, gen, fm, mel, kl, step, lr]``: five or six losses, the step, a small learning rate."""
    if len(metrics) < 7 or metrics[0][1].sep != "[" or len(list_of.get(metrics[0][0].slot, ())) not in (7, 8, 9):
        return False
    items = list_of[metrics[0][0].slot]
    if len(items) != len(metrics) or not whole[items[-2]]:
        return False
    return 0 < abs(float(numbers[items[-1]])) < 0.05


def _is_so_vits(metrics: list[tuple[Metric, _Key]], list_of: dict[int, list[int]]) -> bool:
    """``Losses: [disc, gen, fm, mel, kl], step: 0, lr: 0.0001``."""
    if not metrics or metrics[0][1].text.lower() not in ("losses", "损失"):
        return False
    rest = {m[1].text.lower() for m in metrics}
    return len(list_of.get(metrics[0][0].slot, ())) in (5, 6) and bool(rest & {"lr", "学习率"})


def _credible(
    metrics: list[tuple[Metric, _Key]], list_of: dict[int, list[int]], tabular: int
) -> list[tuple[Metric, _Key]]:
    """Drop prose: names without a colon count only if they look like identifiers, or stand among such."""

    def sound(key: _Key) -> bool:
        return key.sep != " " or bool(re.search(r"[\w]_[\w]|/|\(", key.text)) or tells_of_training([key.text])

    firm = [m for m in metrics if sound(m[1])]
    if tabular >= 2 or (len(firm) >= 2 and len(firm) * 3 >= len(metrics)):
        kept = [m for m in metrics if sound(m[1]) or re.fullmatch(r"[A-Za-z][\w.]*", m[1].text)]
    else:
        kept = firm
    slots = {m[0].slot for m in kept}
    for first in list(list_of):
        if first not in slots:
            del list_of[first]
    return kept


# ---------------------------------------------------------------- tags


def _has_player(text: str) -> bool:
    return (
        re.search(r"(?<![a-z])(?:d|g|dis|disc|discriminator|critic|gen|generator)(?![a-z])", text, re.IGNORECASE)
        is not None
    )


def _tags(
    whole: str,
    metrics: list[tuple[Metric, _Key]],
    list_of: dict[int, list[int]],
    split: str,
) -> list[Metric]:
    """Full tags: the owner of a bracket in front of bare names, list items numbered, no tag twice in a line."""
    at = [i for i, c in enumerate(whole) if c == SLOT]
    group_owner: dict[int, str] = {}
    lengths = {first: len(items) for first, items in list_of.items()}
    out: list[Metric] = []
    taken: dict[str, int] = {}
    owner_before = ""
    base = ""
    index = 0
    slash = False
    for metric, key in metrics:
        if metric.slot in lengths:
            group = _group(whole, at[metric.slot])
            base = _with_numbers(key, whole, at)
            words = base.split()
            first = words[0].strip(".:").lower() if words else ""
            if key.owner and not _has_player(base):
                base = f"{key.owner} {base}"
                group_owner.setdefault(group, key.owner)
                owner_before = key.owner
            elif len(words) > 1 and first in _OWNERS:
                group_owner.setdefault(group, words[0])
                owner_before = words[0]
            elif words and not _has_player(base):
                if group >= 0 and (owner := group_owner.get(group)):
                    base = f"{owner} {base}"
                elif owner_before and plain(base) in ("acc", "accuracy"):
                    base = f"{owner_before} {base}"
            if base in taken:
                taken[base] += 1
                base = f"{base}.{taken[base] - 1}"
            else:
                taken[base] = 1
            index = 0
            nxt = list_of[metric.slot][1] if lengths[metric.slot] > 1 else -1
            slash = nxt >= 0 and "/" in whole[at[metric.slot] : at[nxt]]
            many = lengths[metric.slot] > 1
        else:
            index += 1
        tag = base
        if many and slash:
            tag = base if index == 0 else f"{base} ({index + 1})"
        elif many:
            tag = f"{base}[{index}]"
        out.append(Metric(metric.slot, tag, metric.scale, split))
    return out


def _with_numbers(key: _Key, whole: str, at: Sequence[int]) -> str:
    """The name, each number in it marked by its slot, to be filled in line by line."""
    if SLOT not in key.text:
        return key.text
    first = whole.count(SLOT, 0, key.begin)
    parts = key.text.split(SLOT)
    text = parts[0]
    for k, part in enumerate(parts[1:]):
        text += f"{SLOT}{first + k}{SLOT}" + part
    return text


def _group(whole: str, pos: int) -> int:
    """Where the square bracket around a place opens; -1 outside of one."""
    depth = 0
    for k in range(pos - 1, -1, -1):
        depth += (whole[k] == "]") - (whole[k] == "[")
        if depth < 0:
            return k
    return -1


def _split_of(whole: str, metrics: list[tuple[Metric, _Key]]) -> str:
    """``val`` where a line begins with such a word outside of the names themselves."""
    if not metrics:
        return ""
    front = whole[: metrics[0][1].begin]
    for word in re.findall(r"[A-Za-z]+", front):
        if word.lower() in _SPLIT_WORDS:
            return _SPLIT_WORDS[word.lower()]
    return ""


def _settled(counters: list[Counter], has_metrics: bool, whole: str) -> list[Counter]:
    """Kinds of the nameless counters; none from prose (``saving the model at iteration 5``)."""
    if not has_metrics:
        words = [w for w in re.findall(r"[^\W\d_]{3,}", whole) if not kind_of(w)]
        if _PROSE.search(whole) or len(words) > 5:
            return []
    has = {c.kind for c in counters}
    out: list[Counter] = []
    for c in counters:
        kind = c.kind
        if kind == "first":
            kind = "epoch" if "part" in has and "epoch" not in has else "inner" if has & _NAMED_KINDS else "step"
        elif kind == "part":
            kind = "inner"
        elif kind == "lead":
            kind = "" if has & {*_NAMED_KINDS, "inner"} else "epoch" if "part" in has else "lead"
        elif kind == "global":
            kind = "step"
        elif kind == "step" and "global" in has:
            kind = "inner"
        elif kind == "lone":
            kind = ""
        if kind and not any(o.kind == kind for o in out):
            out.append(Counter(kind, c.slot, c.total))
    return out
