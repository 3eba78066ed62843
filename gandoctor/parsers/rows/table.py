"""Rows and columns to signals.

Which column counts the steps, what a restart is, and what is no log at all.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from gandoctor.errors import InputError
from gandoctor.model.signals import Reading, Signal
from gandoctor.parsers.rows.steps import LARGEST

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from gandoctor.model.signals import StepUnit

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
_STRONG: Final = re.compile(
    r"loss|损失|損失|손실|(?<![a-z])(?:fid|kid|psnr|ssim|lpips|fvd|wasserstein|adversarial|"
    r"inception)(?![a-z])|(?<![a-z])err(?:or)?_?[dg](?![a-z])"
    r"|grad(?:ient)?_?(?:norm|penalty)|(?<![a-z])[dg]_(?:real|fake|adv|gan|l1|acc)|is_(?:mean|std)|"
    r"(?<![a-z])cyc(?:le)?_[ab]\b",
    re.IGNORECASE,
)
_DATE: Final = re.compile(r"\d{4}[-/]\d\d?[-/]\d\d?|\d\d?:\d\d")
_REAL_FAKE: Final = re.compile(r"(?<![a-z])(?:real|fake)(?![a-z])", re.IGNORECASE)
_PLAYER_D: Final = re.compile(
    r"(?<![a-z])(?:d|d[ab]|[dc][rf]|c[12]?|dis|disc|discr|discrim|discriminator|critic|"
    r"distriminator|netd)(?![a-z])",
    re.IGNORECASE,
)
_PLAYER_G: Final = re.compile(r"(?<![a-z])(?:g|g[ab]|gen|generator|netg)(?![a-z])", re.IGNORECASE)


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One named column, in which only what stands in the file takes room.

    Attributes
    ----------
    name : str
        As it stands in the file.
    cells : ndarray of float64, shape (n,)
        What stands in it; a NaN that was written is among it.
    at : ndarray of int64, shape (n,), or None
        Row of each, ascending; None where every row has one.
    """

    name: str
    cells: Floats
    at: Ints | None = None

    @classmethod
    def dense(cls, name: str, values: Floats, present: Mask) -> Column:
        """A column from one value a row and whether it stands in the file."""
        if present.all():
            return cls(name, values)
        at = np.flatnonzero(present).astype(np.int64)
        return cls(name, values[at], at)

    def named(self, name: str) -> Column:
        """The same column under another name."""
        return replace(self, name=name)

    def of(self, rows: Mask) -> Column:
        """What of it stands in some of the rows, which are counted anew."""
        at = np.arange(len(self), dtype=np.int64) if self.at is None else self.at
        own = rows[at]
        return Column(
            self.name, self.cells[own], None if self.at is None else (np.cumsum(rows) - 1)[at[own]]
        )

    def __len__(self) -> int:
        return len(self.cells)


@dataclass(frozen=True, slots=True, eq=False)
class Axis:
    """Steps of the rows of a table.

    Attributes
    ----------
    steps : ndarray of int64, shape (rows,)
        Non-decreasing over the rows that are kept.
    kept : ndarray of bool, shape (rows,)
        False for rows that a resumed training wrote again.
    unit : str
        As in `Reading.step_unit`.
    notes : tuple of str
    trainings : int
        How many trainings stand one after the other.
    turns : ndarray of int64, shape (rows,), or None
        Which of several runs each row is of, where they take turns and are better read one by one.
    """

    steps: Ints
    kept: Mask
    unit: StepUnit = "unknown"
    notes: tuple[str, ...] = ()
    trainings: int = 1
    turns: Ints | None = None


def plain(name: str) -> str:
    """A column name reduced to lower case and underscores."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def tells_of_training(names: Sequence[str]) -> bool:
    """Whether column or key names are those of a training log.

    A loss, a GAN score, or both players.
    """
    if any(_STRONG.search(name) for name in names):
        return True
    if any(_REAL_FAKE.search(n) and _PLAYER_D.search(n) for n in names) or any(
        "D(x)" in n or "D(G(" in n for n in names
    ):
        return True
    return any(_PLAYER_D.search(n) for n in names) and any(_PLAYER_G.search(n) for n in names)


def telling(names: Sequence[str]) -> set[str]:
    """Those of `names` that are a loss, a GAN score, or one of both players' series."""
    found = {n for n in names if tells_of_training([n])}
    if any(_PLAYER_D.search(n) for n in names) and any(_PLAYER_G.search(n) for n in names):
        found |= {n for n in names if _PLAYER_D.search(n) or _PLAYER_G.search(n)}
    return found


def has_counter(names: Sequence[str]) -> bool:
    """Whether one of the names is that of a step counter."""
    return any(plain(n) in STEP_NAMES | EPOCH_NAMES | KIMG_NAMES | IMAGE_NAMES for n in names)


# ---------------------------------------------------------------- steps

_ROWS_COUNTED: Final = "the steps are damaged (beyond 2**53), so the rows were counted"


def unroll(steps: Ints, *, marks: Sequence[int] = (), total: float = float("nan")) -> Axis:
    """Put a counter that goes back onto one axis.

    A small way back is a resume from a checkpoint: what is written again wins. So is one from
    further back that goes on in the same interval and beyond the place it left. Any other way back
    (to the beginning, or one that would cost more than a tenth of the rows) is a further training:
    it is put behind the one before.

    Parameters
    ----------
    steps : ndarray of int64, shape (n,)
    marks : sequence of int
        Rows before which the log says that a training begins: there a counter that stands still has
        gone back, too.
    total : float
        Steps that the training was to take; NaN where that is not known.
    """
    n = len(steps)
    kept = np.ones(n, dtype=bool)
    if n == 0:
        return Axis(steps, kept)
    step_by = np.diff(steps)
    marked = np.zeros(n - 1, dtype=bool)
    marked[[m - 1 for m in marks if 0 < m < n]] = True
    back = np.flatnonzero((step_by < 0) | (marked & (step_by == 0))) + 1
    if not len(back):
        return Axis(steps, kept)
    resumes = _resumes(steps, back, _far_resumes(steps, back, marked, total))
    out = steps.astype(np.int64, copy=True)
    shift, trainings = 0, 1
    bounds = [*(int(b) for b in back), n]
    resumed: list[int | None] = []  # for each way back, the step from which it writes again
    out_last = int(steps[: bounds[0]].max())
    gap = _gap(steps)
    for first, stop in itertools.pairwise(bounds):
        piece = steps[first:stop]
        if first in resumes:
            resumed.append(int(piece[0]) + shift)
        else:
            resumed.append(None)
            trainings += 1
            # The new training's first step follows one logging interval after the last one.
            shift = max(out_last + gap - int(piece[0]), out_last - int(piece[0]) + 1)
        if (
            int(piece.max()) + shift > LARGEST
        ):  # numbers that large are damage, and so is the order they stand in
            return Axis(
                np.arange(n, dtype=np.int64), np.ones(n, dtype=bool), notes=(_ROWS_COUNTED,)
            )
        out[first:stop] = piece + shift
        out_last = max(int(out[stop - 1]), out_last if first not in resumes else 0)
    least = np.iinfo(np.int64).max
    for first, stop, again in zip(
        reversed([0, *bounds[:-1]]), reversed(bounds), [*reversed(resumed), None], strict=True
    ):
        kept[first:stop] = out[first:stop] < least
        least = np.iinfo(np.int64).max if again is None else min(least, again)
    notes = []
    dropped = int(n - kept.sum())
    if dropped:
        notes.append(
            f"the training was resumed {len(resumes)} time{'s' * (len(resumes) > 1)}: "
            f"{dropped} rows that were written again are left out"
        )
    if trainings > 1:
        notes.append(
            f"the file holds {trainings} trainings; their steps were put one after the other"
        )
    return Axis(out, kept, "unknown", tuple(notes), trainings, takes_turns(steps))


def _resumes(steps: Ints, back: NDArray[np.intp], far: set[int]) -> set[int]:
    """Which of the ways back are resumes.

    `far`, and those that would overwrite at most half of the training before.

    None of the latter is one where together they would cost more than a tenth of the rows. The
    steps of a training are held in order, so that what a way back costs is looked up, however many
    there are.
    """
    found = set(far)
    held = np.empty(len(steps), dtype=np.int64)
    size = cost = begin = 0
    for b in back.tolist():
        piece = steps[begin:b]
        at = int(np.searchsorted(held[:size], piece[0], side="left"))
        held[at : size + len(piece)] = np.sort(
            np.concatenate([held[at:size], piece]), kind="stable"
        )
        size += len(piece)
        begin = b
        if b in far:
            continue
        here = size - int(np.searchsorted(held[:size], steps[b], side="left"))
        if here > 0.5 * size:
            size = 0
            continue
        found.add(b)
        cost += here
        if cost * 10 > len(steps):
            return far
    return found


_FEWEST: Final = (
    4  # rows before and behind a way back from far, and intervals between it and the beginning
)


def _far_resumes(steps: Ints, back: NDArray[np.intp], marked: Mask, total: float) -> set[int]:
    """Ways back to an older checkpoint.

    Above the first step, in the same interval, and on beyond the place they left.

    Where it is known how many steps the training was to take, a stretch that gets no further is
    one, too, if the count would be exceeded otherwise.
    """
    gap = _gap(steps)
    found: set[int] = set()
    if len(back) * 10 > len(steps):  # a counter within epochs, or runs that take turns
        return found
    bounds = [0, *back.tolist(), len(steps)]
    begin, last = int(steps[0]), int(steps[: bounds[1]].max())
    for before, b, stop in zip(bounds, bounds[1:], bounds[2:], strict=False):
        piece = steps[b:stop]
        start, end = int(piece[0]), int(piece.max())
        on_grid = start - begin >= _FEWEST * gap and (start - begin) % gap == 0 and start <= last
        lasts = min(b - before, stop - b) >= _FEWEST and _gap(piece) == gap == _gap(steps[before:b])
        exceeds = max(last, end) <= total < last + gap + end - start
        if on_grid and lasts and not marked[b - 1] and (end > last or exceeds):
            found.add(b)
            last = max(last, end)
        else:
            begin, last = start, end
    return found


_MOST_TURNS: Final = 4


def takes_turns(steps: Ints) -> Ints | None:
    """Which of several runs each row is of, where they wrote into one file side by side.

    None where they did not.

    Each run's counter rises on its own by the usual interval; together they go back again and
    again.
    """
    n = len(steps)
    if n < 3 * _FEWEST or int((np.diff(steps) < 0).sum()) * 5 < n:
        return None
    rises = np.concatenate([steps[lag:] - steps[:-lag] for lag in range(1, _MOST_TURNS + 1)])
    rises = rises[rises > 0]
    if not len(rises):
        return None
    values, counts = np.unique(rises, return_counts=True)
    reach = 3 * int(values[counts.argmax()])
    if float(np.abs(np.diff(steps)).mean()) <= reach and len(np.unique(steps)) * 4 > 3 * n:
        return None  # one run, whose lines came out of order
    last: list[int] = []
    of = np.zeros(n, dtype=np.int64)
    for i, step in enumerate(steps.tolist()):
        near = [k for k, at in enumerate(last) if at < step <= at + reach]
        if near:
            of[i] = max(near, key=last.__getitem__)
            last[of[i]] = step
        elif len(last) == _MOST_TURNS:
            return None
        else:
            of[i] = len(last)
            last.append(step)
    rows = [np.flatnonzero(of == k) for k in range(len(last))]
    side_by_side = all(len(r) * 10 >= n and r[0] * 4 < n and r[-1] * 4 > 3 * n for r in rows)
    return of if len(rows) > 1 and side_by_side else None


def _gap(steps: Ints) -> int:
    forward = np.diff(steps)
    forward = forward[forward > 0]
    return max(1, int(np.median(forward))) if len(forward) else 1


def whole_numbers(values: Floats) -> tuple[Ints, int]:
    """Counter values as integers, and the factor (1 or 1000) that was needed to keep them apart."""
    safe = np.where(np.isfinite(values), values, 0.0).clip(-LARGEST, LARGEST)
    whole = np.rint(safe)
    if np.array_equal(whole, safe) or len(np.unique(whole)) * 2 > len(np.unique(safe)):
        return whole.astype(np.int64), 1
    return np.rint((safe * 1000).clip(-LARGEST, LARGEST)).astype(np.int64), 1000


def within_epochs(epochs: Ints, inner: Ints, totals: Floats | None = None) -> Ints:
    """Steps from an epoch counter and a counter that restarts with each epoch.

    Parameters
    ----------
    epochs, inner : ndarray of int64, shape (n,)
    totals : ndarray of float64, shape (n,), optional
        Length of the epoch where it is printed (the 938 of ``12/938``); NaN where it is not.

    Returns
    -------
    ndarray of int64, shape (n,)
    """
    if not len(epochs):
        return epochs
    known = np.array([]) if totals is None else totals[np.isfinite(totals) & (totals > 0)]
    if len(known):
        sizes, counts = np.unique(known, return_counts=True)
        # The training's loader is the longer one.
        length = int(sizes[counts * 5 >= counts.max()].max())
    else:
        length = int(inner.max()) + (_gap(inner) if inner.min() <= 0 else 0)
    length = max(1, length)
    place = inner.astype(np.float64)
    if totals is not None and len(known):
        # Another loader (validation) has its own length: what counts is how far it is through the
        # epoch.
        good = np.isfinite(totals) & (totals > 0)
        place = np.where(good, inner * (length / np.where(good, totals, 1.0)), place)
    first = int(epochs.min())
    # A damaged total must not turn the steps round.
    length = max(1, min(length, LARGEST // (int(epochs.max()) - first + 1)))
    return ((epochs - first) * length + np.rint(np.minimum(place, length)).astype(np.int64)).astype(
        np.int64
    )


def beyond(count: int) -> str:
    """What is said of steps that are too large to be any."""
    return f"{count:,} step{'s' * (count > 1)} beyond 2**53: damage, the step before was taken"


def restarts_with(steps: NDArray[np.int64] | Floats, epochs: Floats) -> bool:
    """Whether a step counter begins anew with each epoch."""
    back = np.diff(steps) < 0
    up = np.diff(epochs) > 0
    both = int((back & up).sum())
    return both > 0 and both * 2 >= int(up.sum()) and both * 2 >= int(back.sum())


def counted_in_epochs(epochs: Ints) -> tuple[Ints, int]:
    """Epoch numbers where each epoch holds several rows.

    Steps that keep the rows apart, and rows per epoch.
    """
    start = np.flatnonzero(np.r_[True, np.diff(epochs) != 0])
    sizes = np.diff(np.r_[start, len(epochs)])
    most = int(sizes.max(initial=1))
    if len(epochs) and int(np.abs(epochs).max()) > LARGEST // most:
        return np.arange(len(epochs), dtype=np.int64), most  # no epoch numbers, but damage
    rank = np.arange(len(epochs)) - np.repeat(start, sizes)
    return (epochs * most + rank).astype(np.int64), most


def find_axis(columns: Mapping[str, Column], rows: int) -> tuple[Axis, set[str]]:
    """Choose the step axis of a table.

    Returns
    -------
    axis : Axis
    used : set of str
        Names of the columns that are counters and no signals.
    """
    kinds = {name: _kind(name) for name in columns}
    filled = _with_data(columns, kinds, rows)
    usable = {n: k for n, k in kinds.items() if k and _counts(columns[n], filled)}
    used = {n for n, k in kinds.items() if k and (k != "index" or _goes_up(columns[n]))}

    def first(kind: str) -> str | None:
        return next((n for n, k in usable.items() if k == kind), None)

    epoch, inner = first("epoch"), first("batch")
    for kind in ("kimg", "images"):
        if name := first(kind):
            values = _filled(columns[name], rows) / (1 if kind == "kimg" else 1000)
            steps, factor = whole_numbers(values)
            axis = unroll(steps)
            return _in(axis, "kimg" if factor == 1 else "unknown"), used
    if name := first("step"):
        steps, factor = whole_numbers(_filled(columns[name], rows))
        if epoch and epoch != name and restarts_with(steps, _filled(columns[epoch], rows)):
            inner = name
        elif rows == 1 or steps.min() != steps.max():
            axis = unroll(steps)
            return _in(axis, "iterations" if factor == 1 else "unknown"), used
    if epoch:
        epochs, factor = whole_numbers(_filled(columns[epoch], rows))
        if inner and not np.array_equal(epochs, whole_numbers(_filled(columns[inner], rows))[0]):
            merged = unroll(within_epochs(epochs, whole_numbers(_filled(columns[inner], rows))[0]))
            return _in(merged, "iterations"), used
        axis = unroll(epochs)
        if _crowded(columns, used, axis.steps):
            steps, most = counted_in_epochs(axis.steps)
            note = f"up to {most} rows an epoch and no step column: steps count rows"
            return Axis(steps, axis.kept, "unknown", (*axis.notes, note), axis.trainings), used
        return _in(axis, "epochs" if factor == 1 else "unknown"), used
    for kind in ("batch", "index"):
        name = first(kind)
        if name is not None and _goes_up(columns[name]):
            steps, _ = whole_numbers(_filled(columns[name], rows))
            return unroll(steps), used
    return Axis(np.arange(rows, dtype=np.int64), np.ones(rows, dtype=bool)), used


def _in(axis: Axis, unit: StepUnit) -> Axis:
    return replace(axis, unit=unit)


def _kind(name: str) -> str:
    key = plain(name)
    for kind, names in (
        ("kimg", KIMG_NAMES),
        ("images", IMAGE_NAMES),
        ("step", STEP_NAMES),
        ("epoch", EPOCH_NAMES),
        ("batch", BATCH_NAMES),
        ("index", INDEX_NAMES),
    ):
        if key in names:
            return kind
    return ""


def _with_data(columns: Mapping[str, Column], kinds: Mapping[str, str], rows: int) -> Mask | None:
    """Rows that hold a value of a recurring series; None where all counters stand in every row."""
    if all(columns[n].at is None for n, k in kinds.items() if k):
        return None
    filled = np.zeros(rows, dtype=bool)
    for name, column in columns.items():
        if not kinds[name] and len(column) > 1:
            if column.at is None:
                filled[:] = True
                break
            filled[column.at] = True
    return filled if filled.any() else None


def _counts(column: Column, filled: Mask | None) -> bool:
    """Whether a column can count rows: nearly everywhere present, finite, never far below zero."""
    if not len(column):
        return False
    if (
        column.at is not None
        and filled is not None
        and filled[column.at].sum() < 0.9 * filled.sum()
    ):
        return False
    sound = np.abs(column.cells) <= LARGEST
    return bool(sound.mean() > 0.9) and float(column.cells[sound].min()) >= -1


def _goes_up(column: Column) -> bool:
    here = column.cells
    if not np.array_equal(here, np.rint(here)) or np.isinf(here).any():
        return False
    falls = int((np.diff(here) <= 0).sum())
    return falls * 10 < len(here) or (falls == 1 and len(here) > 4)


def _filled(column: Column, rows: int) -> Floats:
    """One value a row, gaps closed by the one before."""
    good = np.abs(column.cells) <= LARGEST  # neither damage nor infinite nor missing
    if column.at is None and good.all():
        return column.cells
    at = (np.arange(len(column), dtype=np.int64) if column.at is None else column.at)[good]
    if not len(at):
        return np.zeros(rows)
    row = np.searchsorted(at, np.arange(rows), side="right") - 1
    return column.cells[good][np.maximum(row, 0)]


def _crowded(columns: Mapping[str, Column], used: set[str], steps: Ints) -> bool:
    """Whether some column has several values at most steps."""
    for name, column in columns.items():
        if name in used:
            continue
        here = steps if column.at is None else steps[column.at]
        if len(here) > 1 and len(np.unique(here)) * 1.5 < len(here):
            return True
    return False


# ---------------------------------------------------------------- assembling


def assemble(
    columns: Sequence[Column],
    rows: int,
    *,
    where: str,
    words: Mapping[str, Sequence[str]] | None = None,
    lost: Sequence[str] = (),
    notes: Sequence[str] = (),
    named: bool = True,
    axis: tuple[Axis, set[str]] | None = None,
) -> Reading:
    """Signals out of columns.

    Parameters
    ----------
    columns : sequence of Column
        In file order.
    rows : int
        Rows of the table.
    where : str
        Name of the file, for errors.
    words : mapping of str to sequence of str, optional
        Columns that hold words, by name; ``mode`` or ``split`` among them part the rows.
    lost, notes : sequence of str
        What the reader has to say already.
    named : bool
        False where the columns have no names and the file itself is known to be a log.
    axis : tuple of Axis and set of str, optional
        What `find_axis` finds, where that is known.

    Raises
    ------
    InputError
        There is nothing numeric, or nothing that a training would log.
    """
    words = words or {}
    table: dict[str, Column] = {}
    for column in columns:
        table.setdefault(column.name, column)
    names = list(table)
    counting = any(_kind(n) not in ("", "index", "batch") and _goes_up(c) for n, c in table.items())
    if (
        named
        and not counting
        and (_labels(words, rows) or not (has_counter(names) or tells_of_training(names)))
    ):
        raise InputError(
            "a table, but no training log: no step or epoch column and no loss among its columns",
            where,
            "name the columns after what was logged",
        )
    found, used = axis or find_axis(table, rows)
    stamp = next((n for n in names if plain(n) in STAMP_NAMES and _is_clock(table[n])), None)
    wall = _filled(table[stamp], rows) if stamp else None
    if stamp:
        used.add(stamp)
    wild = sum(int(np.count_nonzero(np.abs(table[n].cells) > LARGEST)) for n in used)
    if wild:
        lost = (*lost, beyond(wild))
    parts = _splits(words, rows)
    keeps_all = bool(found.kept.all())
    signals = []
    rows_of = [
        (split, found.kept if mask is None else found.kept & mask, mask is not None)
        for split, mask in parts
    ]
    for name in names:
        column = table[name]
        if name in used or not len(column):
            continue
        for split, chosen, is_part in rows_of:
            at, values = column.at, column.cells
            if is_part or not keeps_all:
                pick = chosen if at is None else chosen[at]
                at, values = (np.flatnonzero(pick) if at is None else at[pick]), values[pick]
            if len(values):
                steps, clock = found.steps, wall
                if at is not None:
                    steps, clock = steps[at], None if wall is None else wall[at]
                signals.append(Signal(name, steps, values, split=split, wall_time=clock))
    if not signals:
        raise InputError("no numbers under any column", where)
    return Reading(
        signals=tuple(signals),
        lost="; ".join(lost) or None,
        step_unit=found.unit,
        notes=(*notes, *found.notes),
    )


def assemble_runs(
    columns: Sequence[Column], rows: int, *, words: Mapping[str, Sequence[str]], **said: Any
) -> list[tuple[str, Reading]]:
    """As `assemble`, for each of the runs whose rows take turns in a table.

    A short name and a reading.

    Raises
    ------
    InputError
        As `assemble` does.
    """
    table: dict[str, Column] = {}
    for column in columns:
        table.setdefault(column.name, column)
    axis = find_axis(table, rows)
    turns = axis[0].turns
    if turns is None:
        return [("", assemble(columns, rows, words=words, axis=axis, **said))]
    count = int(turns.max()) + 1
    runs = []
    for k in range(count):
        own = turns == k
        some = [n for n, is_own in enumerate(own.tolist()) if is_own]
        texts = {
            name: [cells[n] for n in some] for name, cells in words.items() if len(cells) == rows
        }
        reading = assemble([c.of(own) for c in columns], len(some), words=texts, **said)
        note = (
            f"{count} runs take turns in the table; they were taken apart, and this is number "
            f"{k + 1}"
        )
        runs.append((f"run {k + 1}", replace(reading, notes=(*reading.notes, note))))
    return runs


def _labels(words: Mapping[str, Sequence[str]], rows: int) -> bool:
    """Whether a column of words names each row: a table of results, not a course of training."""
    return any(
        len(set(cells)) > max(4, rows // 2) and not any(map(_DATE.search, cells[:3]))
        for cells in words.values()
    )


def _is_clock(column: Column) -> bool:
    here = column.cells
    return len(here) > 0 and bool(np.all((here > 1e9) & (here < 1e10)))


def _splits(words: Mapping[str, Sequence[str]], rows: int) -> list[tuple[str, Mask | None]]:
    """Row masks of the splits that a ``mode`` column names.

    None, for all rows, where there is none.
    """
    for name, cells in words.items():
        if plain(name) not in SPLIT_NAMES or len(cells) != rows:
            continue
        found = [SPLITS.get(str(c).strip().lower(), "") for c in cells]
        if any(found):
            array = np.array(found)
            return [(split, array == split) for split in dict.fromkeys(found)]
    return [("", None)]
