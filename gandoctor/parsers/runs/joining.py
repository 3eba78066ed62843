"""How the logs of one run are joined without counting anything twice.

Evidence decides: the same values are one series, other values at the same steps are another run,
and a later event file of a folder is a resume.
"""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from gandoctor.lexicon.players import is_whole, tokens, words_of
from gandoctor.parsers.runs.alike import ENOUGH, are_alike, is_copy, of_one_level
from gandoctor.parsers.runs.belonging import (
    EVENT_NAME,
    TRAIN,
    VAL,
    WANDB_RUN,
    Log,
    is_part,
    span,
    split_of,
)
from gandoctor.parsers.runs.groups import Group, Key, Signals

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from gandoctor.model.signals import Signal

Relation = Literal["same", "follows", "apart", "conflict"]

# Formats that carry full precision and time come first: of two equal series theirs is kept.
_FIRST: Final = ("tensorboard", "wandb", "csv", "jsonl")
_LAST: Final = ("text", "notebook")
_LONG: Final = 50
MAX_COMPARED: Final = (
    40  # runs; of more in one folder, a log is compared with these last ones and its namesakes
)
MAX_COPIES: Final = 400
_NO_WORD: Final = frozenset(
    {"train", "training", "the", "mean", "avg", "average", "value", "rate", "epoch", "log", "of"}
)


def order(logs: Iterable[Log]) -> list[Log]:
    """Event files by time, then the other formats, the preferred first; parts and validation last.

    By name.
    """

    def key(log: Log) -> tuple[object, ...]:
        stamp = EVENT_NAME.search(log.path.name)
        began = int(stamp[1]) if stamp else 0
        return (
            _rank(log.parser),
            log.split == "val",
            bool(log.prefix),
            began,
            str(log.path),
            log.label,
        )

    return sorted(logs, key=key)


def _rank(parser: str) -> int:
    """Place among the formats.

    Parsers of other packages stand between the exact and the printed ones.
    """
    if parser in _FIRST:
        return _FIRST.index(parser)
    return len(_FIRST) + (1 + _LAST.index(parser) if parser in _LAST else 0)


def some(names: Iterable[str], most: int = 3) -> str:
    """The first few names, for a sentence."""
    listed = list(names)
    return ", ".join(listed[:most]) + (", ..." if len(listed) > most else "")


# ---------------------------------------------------------------- the logs of one folder


@np.errstate(all="ignore")  # exploded losses overflow where they are compared
def join(folder: Path, logs: Iterable[Log]) -> list[Group]:
    """The runs among the logs of one folder: one, unless they contradict each other.

    A log without points (pictures alone, a header, what could not be read) goes with the first run.
    """
    runs: list[Group] = []
    idle: list[Log] = []
    namesakes: dict[str, dict[int, Group]] = {}  # by the file's name, runs by their place in `runs`
    for log in order(logs):
        if log.reading is None or not log.points:
            idle.append(log)
            continue
        # A training of its own, whatever lies beside it.
        apart = bool(log.label) or log.parser == "notebook"
        signals = _named(log)
        near = runs
        if len(runs) > MAX_COMPARED:
            known = namesakes.get(log.path.stem, {})
            older = [known[i] for i in sorted(known)[:MAX_COMPARED] if i < len(runs) - MAX_COMPARED]
            near = [*older, *runs[-MAX_COMPARED:]]
        run = None if apart else _home(near, log, signals)
        if run is None:
            stamp = EVENT_NAME.search(log.path.name)
            stem = f"events {stamp[1]}" if stamp else log.path.stem
            run = Group(folder, stem=f"{stem} {log.label}".strip())
            runs.append(run)
        _add(run, log, _named(log))
        place = next(i for i in range(len(runs) - 1, -1, -1) if runs[i] is run)
        namesakes.setdefault(log.path.stem, {})[place] = run
    if not runs:
        return [Group(folder, idle)] if idle else []
    runs[0].logs += idle
    if len(runs) == 1:
        runs[0].stem = ""
    for run in runs:
        _drop_copies(run)
        _drop_rivals(run)
    return runs


def _named(log: Log) -> Signals:
    """A log's series under the names they go by in the run."""
    named: Signals = {}
    for s in log.reading.signals if log.reading else ():
        tag = log.prefix + (f"{s.tag}/{log.sub}" if log.sub else s.tag)
        if log.split == "val" and s.split != "val" and not split_of(tag.split("/")[0]):
            tag = f"{log.path.parent.name if split_of(log.path.parent.name) else 'val'}/{tag}"
        named[tag, s.network] = dataclasses.replace(s, tag=tag, split=s.split or log.split)
    return named


def _home(runs: Sequence[Group], log: Log, signals: Signals) -> Group | None:
    """The run that a log repeats, continues or adds to; None where it contradicts them all."""
    relations = [(_relation(run, log, signals), run) for run in runs]
    for wanted in ("same", "follows", "apart"):
        for relation, run in relations:
            if relation == wanted:
                return run
    if not runs:
        return None
    return _aside(runs[-1], log)


def _aside(run: Group, log: Log) -> Group | None:
    """A place beside series of the same name.

    As validation, as one file of several, as another format's view.
    """
    if WANDB_RUN.fullmatch(run.folder.name) or all(
        other.parser != log.parser for other in run.logs
    ):
        return run  # `_drop_rivals` sees to the numbers
    if log.prefix or log.split:
        return None
    words = tokens(log.path.stem)
    if any(w in VAL for w in words) and not any(w in TRAIN for w in words):
        log.split = "val"
    elif is_part(log.path.stem):
        log.prefix = f"{log.path.stem}/"
        for other in [
            o for o in run.logs if o.parser == log.parser and not o.prefix and is_part(o.path.stem)
        ]:
            for key in _named(other):
                run.signals.pop(key, None)
            other.prefix = f"{other.path.stem}/"
            run.signals |= _named(other)
    else:
        return None
    if any(key in run.signals for key in _named(log)):
        log.prefix = log.split = ""
        return None
    return run


def _relation(run: Group, log: Log, signals: Signals) -> Relation:
    shared = [k for k in signals if k in run.signals and len(signals[k]) and len(run.signals[k])]
    if not shared:
        alone = not (log.prefix or log.sub)
        alike = alone and any(
            o.parser == log.parser and o.split == log.split and not o.prefix for o in run.logs
        )
        both_whole = (
            alike and is_whole(t for t, _ in run.signals) and is_whole(t for t, _ in signals)
        )
        return "conflict" if both_whole else "apart"
    if are_alike([(run.signals[k], signals[k]) for k in shared]):
        return "same"
    resumes = _first(signals[k] for k in shared)
    if log.parser == "tensorboard":
        starts = _first(run.signals[k] for k in shared)
        given_up = max(len(run.signals[k]) for k in shared) < ENOUGH
        return "follows" if resumes > starts or given_up or _concurrent(run, log) else "conflict"
    ends = max(int(run.signals[k].steps.max()) for k in shared)
    return "follows" if resumes > ends else "conflict"


def _first(signals: Iterable[Signal]) -> int:
    return min(int(s.steps.min()) for s in signals)


def _concurrent(run: Group, log: Log) -> bool:
    """Whether a log was written while another one of the run was."""
    mine = span(log)
    theirs = [s for other in run.logs if (s := span(other))]
    if mine is None or not theirs:
        return False
    overlap = min(mine[1], max(t[1] for t in theirs)) - max(mine[0], min(t[0] for t in theirs))
    return overlap > 0.5 * max(1e-9, mine[1] - mine[0])


def _add(run: Group, log: Log, signals: Signals) -> None:
    """Take a log's series into a run."""
    shared = [k for k in signals if k in run.signals and len(signals[k]) and len(run.signals[k])]
    if shared:
        relation = _relation(run, log, signals)
        name, first = log.path.name, run.logs[0].path.name
        names = some(tag for tag, _ in shared)
        if relation == "same":
            run.notes.append(f"{name} holds the same series as {first} ({names}): counted once")
        elif log.parser == "tensorboard" and _concurrent(run, log):
            run.notes.append(
                f"{name} was written at the same time as {first}, with the same names and other "
                "numbers (by several "
                f"processes?): {len(shared)} of its series were left out"
            )
            signals = {k: s for k, s in signals.items() if k not in shared}
        elif relation == "follows":
            resume = _first(signals[k] for k in shared)
            run.notes.append(
                f"{name} resumes the run at step {resume:,}: from there on its values count"
            )
            for k in shared:
                run.signals[k] = _take(run.signals[k], run.signals[k].steps < resume)
        else:
            signals = _outvoted(run, log, signals, shared)
    for key, signal in signals.items():
        run.signals[key] = _union(run.signals[key], signal) if key in run.signals else signal
    run.logs.append(log)


def _outvoted(run: Group, log: Log, signals: Signals, shared: list[Key]) -> Signals:
    """Of two formats that give one name different numbers, the longer or better one's are kept."""
    mine, theirs = sum(len(signals[k]) for k in shared), sum(len(run.signals[k]) for k in shared)
    wins = _prefers_second(theirs / len(shared), mine / len(shared))
    kept = log.path.name if wins else run.logs[0].path.name
    run.notes.append(
        f"{log.path.name} and {run.logs[0].path.name} give different numbers for "
        f"{some(tag for tag, _ in shared)}: "
        f"those of {kept} were used"
    )
    if wins:
        for k in shared:
            del run.signals[k]
        return signals
    return {k: s for k, s in signals.items() if k not in shared}


def _prefers_second(first: float, second: float) -> bool:
    """Whether the less exact of two formats is to be preferred, for its number of points."""
    return first < _LONG and second > 2 * first


# ---------------------------------------------------------------- series


def _take(signal: Signal, mask: NDArray[np.bool_]) -> Signal:
    wall = signal.wall_time[mask] if signal.wall_time is not None else None
    return dataclasses.replace(
        signal, steps=signal.steps[mask], values=signal.values[mask], wall_time=wall
    )


def _union(one: Signal, two: Signal) -> Signal:
    """Both series by step; where both have a step, the first one's value stays."""
    if not len(one):
        return two if len(two) else one
    fresh = np.ones(len(two), dtype=bool)
    if len(two) and two.steps[0] <= one.steps[-1]:  # else it follows, as after a restart
        fresh = ~np.isin(two.steps, one.steps)
    if not fresh.any():
        return one
    added = _take(two, fresh)
    steps = np.concatenate([one.steps, added.steps])
    by = np.argsort(steps, kind="stable")
    wall = None
    if one.wall_time is not None and added.wall_time is not None:
        wall = np.concatenate([one.wall_time, added.wall_time])[by]
    return dataclasses.replace(
        one,
        steps=steps[by],
        values=np.concatenate([one.values, added.values])[by],
        wall_time=wall,
        source=one.source if len(one) >= len(added) else two.source,
    )


def _drop_copies(run: Group) -> None:
    """Leave out series of one file that another file of the run holds under another name."""
    sources = {s.source for s in run.signals.values()}
    if len(sources) < 2 or len(run.signals) > MAX_COPIES:
        return
    copies: dict[str, list[str]] = {}
    keys = list(run.signals)
    for n, later in enumerate(keys):
        for earlier in keys[:n]:
            one, two = run.signals.get(earlier), run.signals.get(later)
            if one is None or two is None or one.source == two.source or not is_copy(one, two):
                continue
            kept, dropped = (earlier, later) if len(one) >= len(two) else (later, earlier)
            copies.setdefault(run.signals[dropped].source, []).append(f"{dropped[0]} = {kept[0]}")
            del run.signals[dropped]
            break
    for source, names in copies.items():
        run.notes.append(
            f"{_file(source)} repeats series of another file ({some(names)}): counted once"
        )


def _drop_rivals(run: Group) -> None:
    """Keep one format's view of a quantity.

    ``D_loss`` printed in a text log is ``loss/d`` of the event file.

    Two series are rivals where their names consist of the same words and their values are of one
    level; the numbers may differ, as a print often shows a running mean. All rivals of two files
    are decided together, so that D and G stay on one step axis.
    """
    parser_of = {str(log.path): log.parser for log in run.logs}
    by_words: dict[tuple[object, ...], list[Key]] = {}
    for key, s in run.signals.items():
        words = sorted(w for w in words_of(s.tag) if w not in _NO_WORD)
        if words:
            by_words.setdefault((*words, s.network, s.split == "val"), []).append(key)
    rivals: dict[tuple[str, str], list[tuple[Key, Key]]] = {}
    for keys in by_words.values():
        for one, two in itertools.pairwise(keys):
            a, b = run.signals[one].source, run.signals[two].source
            if parser_of.get(a) != parser_of.get(b) and of_one_level(
                run.signals[one], run.signals[two]
            ):
                rivals.setdefault((a, b), []).append((one, two))
    for (a, b), pairs in rivals.items():
        pairs_left = [p for p in pairs if p[0] in run.signals and p[1] in run.signals]
        if not pairs_left:
            continue
        first = float(np.mean([len(run.signals[one]) for one, _ in pairs_left]))
        second = float(np.mean([len(run.signals[two]) for _, two in pairs_left]))
        loser = 0 if _prefers_second(first, second) else 1
        for pair in pairs_left:
            del run.signals[pair[loser]]
        names = some(f"{p[loser][0]} = {p[1 - loser][0]}" for p in pairs_left)
        weaker, better = _file((a, b)[loser]), _file((a, b)[1 - loser])
        run.notes.append(
            f"{weaker} gives series that {better} gives as well ({names}): those of {better} were "
            "used"
        )


def _file(source: str) -> str:
    return source.replace("\\", "/").rpartition("/")[2]


# ---------------------------------------------------------------- joining folders


@np.errstate(all="ignore")
def unite(groups: list[Group]) -> list[Group]:
    """Join runs of different folders that are surely one.

    That is so where a folder's only W&B run lies in it beside other logs, and where logs of two
    formats hold the same varying series, or where a folder's logs repeat those above it. Other
    folders of one format stay two runs even with equal series: the seed was the same.
    """
    if len(groups) > MAX_COMPARED:
        return groups
    kept = list(groups)
    for inner in sorted(groups, key=lambda g: -len(g.folder.parts)):
        outer = next((g for g in kept if g is not inner and _is_one(g, inner, kept)), None)
        if outer is None:
            continue
        outer.folder = _common(outer.folder, inner.folder)
        for log in order(inner.logs):
            if log.reading is None or not log.points:
                outer.logs.append(log)
            else:
                _add(outer, log, _named(log))
        outer.notes += inner.notes
        _drop_copies(outer)
        _drop_rivals(outer)
        kept.remove(inner)
    return kept


def _is_one(outer: Group, inner: Group, groups: list[Group]) -> bool:
    if not outer.points:
        return False
    if (
        inner.folder.parent.name == "wandb"
        and inner.folder.parent.parent == outer.folder
        and not outer.stem
    ):
        return sum(g.folder.parent == inner.folder.parent for g in groups) == 1
    formats = {log.parser for log in outer.logs}, {log.parser for log in inner.logs}
    if "notebook" in formats[0] | formats[1]:
        return False
    if formats[0] & formats[1]:
        inside = inner.folder != outer.folder and inner.folder.is_relative_to(outer.folder)
        return inside and all(
            any(is_copy(a, b) for a in outer.signals.values()) for b in inner.signals.values()
        )
    return any(is_copy(a, b) for a in outer.signals.values() for b in inner.signals.values())


def _common(one: Path, two: Path) -> Path:
    return next(p for p in (one, *one.parents) if two.is_relative_to(p))
