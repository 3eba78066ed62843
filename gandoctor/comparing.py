"""``gandoctor compare``: did the change help? Two reports in, one `Comparison` out.

Neither of two losses in a game is better when it is lower, so losses are shown and have no say.
What has: the two verdicts, what quality was logged in both runs, and which symptoms came and went.
Where these disagree, where what was seen before could not be looked for after, or where a
difference is small for one run each, the answer is "no clear change".
"""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor import __version__, api
from gandoctor.errors import InputError, UsageError
from gandoctor.files import writing
from gandoctor.model.comparison import (
    Answer,
    Best,
    CauseChange,
    Comparison,
    Curve,
    Fate,
    Measure,
    SettingChange,
    Side,
)
from gandoctor.model.report import SCHEMA, SCHEMA_MANY, Report
from gandoctor.reporters import wording as w

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from gandoctor.api import Options
    from gandoctor.model.report import Diagnosis, Finding, SignalNote

    Array = NDArray[np.float64]
    Pair = tuple[SignalNote | None, SignalNote | None]

# Shown, without a say: neither is better when it is lower.
SHOWN: Final = {
    "d_loss": "D's loss",
    "g_loss": "G's loss",
    "g_loss_adv": "G's adversarial loss",
    "wasserstein_estimate": "distance estimate",
    "d_real_score": "D's score on real data",
    "d_fake_score": "D's score on generated data",
    "grad_norm_d": "gradient norm of D",
    "grad_norm_g": "gradient norm of G",
    "sample_variance": "variance of the samples",
    "sample_diversity": "distance between samples",
}
TITLES: Final = {
    "fid": "FID", "kid": "KID", "inception_score": "inception score", "psnr_ssim": "fidelity to a "
                                                                                   "reference",
    "lpips": "LPIPS", "sample_coverage": "share of real data near a sample",
    "sample_precision": "share of samples near real data", "sample_shift": "shift of the samples' "
                                                                           "mean",
    "progress": "the loss that leads G",
}  # fmt: skip
HIGHER: Final = frozenset({"inception_score", "psnr_ssim", "sample_coverage", "sample_precision"})
# Who judges: those of the first group that were logged in both runs.
JUDGES: Final = (
    ("fid", "kid", "inception_score", "psnr_ssim", "lpips"),
    ("sample_coverage", "sample_precision", "sample_shift"),
    ("progress",),
)
# Differences smaller than this are none for one run each: a share of the larger value, and an
# absolute size. A few dozen samples a look leave a share of 0.15 in doubt; decibels are logarithms
# already.
MARGINS: Final = {
    "fid": (0.1, 0.0), "kid": (0.2, 0.0), "inception_score": (0.05, 0.0), "psnr_ssim": (0.02, 0.0),
    "lpips": (0.05, 0.0), "sample_coverage": (0.0, 0.15), "sample_precision": (0.0, 0.15),
    "sample_shift": (0.25, 0.1), "progress": (0.05, 0.0),
}  # fmt: skip
BEST_BY: Final = ("fid", "kid", "inception_score", "psnr_ssim", "lpips", "progress")
RANKS: Final = {"failing": 0, "warning": 1, "healthy": 2}
FAMILIES_WITHOUT_LEVEL: Final = frozenset({"wgan", "wgan-gp", "unknown", "other"})
DATA: Final = frozenset({"n_train", "image_size", "num_classes"})
SMOOTHED_FROM: Final = 100  # points; fewer are evaluations, each of which counts
MOST_PAIRS: Final = 3
# Of a saved report; one of a single run has 40 series of 2,000 points at most.
MOST_BYTES: Final = 64 << 20


def run(
    before: Path,
    after: Path,
    options: Options,
    configs: tuple[Sequence[Path], Sequence[Path]] = ((), ()),
) -> tuple[Comparison, Report]:
    """Analyse two runs and compare them.

    Parameters
    ----------
    before, after : Path
        A log or run folder each, or a report of one that was saved as JSON.
    options : Options
    configs : tuple of (sequence of Path, sequence of Path)
        Config files of each; where there are none those of `options`, or those found beside the
        log.

    Returns
    -------
    Comparison, Report
        The report is that of the run after.

    Raises
    ------
    GandoctorError
        One of them could not be read, or holds several runs.
    """
    first, second = (
        _report(path, options, own) for path, own in zip((before, after), configs, strict=True)
    )
    return compare(first, second), second


def _report(path: Path, options: Options, own: Sequence[Path]) -> Report:
    saved = _saved(path)
    if saved is None:
        reports = api.analyze_all(path, replace(options, configs=own) if own else options)
    elif own:
        raise UsageError(
            "is a saved report",
            str(path),
            "its config was read when it was made: give it no --config",
        )
    else:
        writing.spare(options.outputs, [path])
        reports = saved
    if len(reports) != 1:
        raise InputError(f"holds {len(reports)} runs", str(path), "give one of them")
    return reports[0]


def is_saved(path: Path) -> bool:
    """Whether a path is a report that was saved as JSON, and so is not judged anew."""
    return _saved(path) is not None


def _saved(path: Path) -> list[Report] | None:
    """The reports of a file that ``gandoctor analyze -o FILE.json`` wrote.

    None for any other path.
    """
    try:
        if not path.is_file() or path.stat().st_size > MOST_BYTES:
            return None
        with path.open("rb") as file:
            text = file.read(MOST_BYTES)
        if text.lstrip()[:1] != b"{" or b'"gandoctor.report' not in text:
            return None
        data = json.loads(text)
        schema = data.get("schema") if isinstance(data, dict) else None
        if schema not in (SCHEMA, SCHEMA_MANY):
            what = f"is a report that cannot be read (schema {str(schema)[:40]!r})"
            raise InputError(what, path.name, f"save one with gandoctor {__version__}")
        reports = [
            Report.from_dict(r)
            for r in (data.get("runs") or () if schema == SCHEMA_MANY else (data,))
        ]
        if odd := next(
            (t for r in reports for t, s in r.series.items() if len(s.steps) != len(s.values)), None
        ):
            raise ValueError(f"the series {odd} has not as many values as steps")
    except OSError as e:
        raise InputError(f"cannot be read ({e.strerror or e})", str(path)) from None
    except (ValueError, TypeError, RecursionError) as e:
        hint = "save it again with 'gandoctor analyze RUN -o FILE.json'"
        raise InputError(
            f"is a saved report that is damaged ({w.plain(str(e))[:200]})", path.name, hint
        ) from None
    return reports


def compare(before: Report, after: Report) -> Comparison:
    """Say whether the run after is better than the run before, and why.

    Parameters
    ----------
    before, after : Report

    Returns
    -------
    Comparison
    """
    measures = tuple(_measures(before, after))
    answer, why = _answer(before, after, measures)
    best = _best_points(before, after)
    return Comparison(
        before=_side(before, best[0]),
        after=_side(after, best[1]),
        answer=answer,
        why=tuple(why),
        cautions=tuple(_cautions(before, after)),
        measures=measures,
        causes=tuple(_causes(before, after)),
        settings=tuple(_settings(before, after)),
        caught_up=_caught_up(before, after, best),
        curves=tuple(_curves(before, after, measures)),
        rules_digest=after.rules_digest,
        version=__version__,
    )


def _side(report: Report, best: Best | None) -> Side:
    r = report.run
    return Side(
        name=r.name,
        verdict=report.verdict,
        why_verdict=w.headline(report),
        since=w.since(report),
        first_step=r.first_step,
        last_step=r.last_step,
        step_unit=r.step_unit,
        family=r.objective.family,
        best=best,
    )


# ---------------------------------------------------------------- the answer


def _answer(before: Report, after: Report, measures: Sequence[Measure]) -> tuple[Answer, list[str]]:
    """Verdicts first, then quality.

    Symptoms only between equal verdicts without quality in both runs.
    """
    verdict, of_verdict = _by_verdict(before, after)
    quality, of_quality = _by_quality(measures)
    why = [of_verdict, *of_quality]
    if verdict and quality and verdict != quality:
        return "no clear change", [
            f"The verdict says {_word(verdict)}, and quality says {_word(quality)}.",
            *why,
        ]
    if verdict or quality is not None or before.verdict != after.verdict:
        leading = why if verdict or not quality else [*of_quality, of_verdict]
        return _word(verdict or quality or 0), leading
    change, of_symptoms = _by_symptoms(before, after)
    return _word(change), [*why, *of_symptoms]


def _word(sign: int) -> Answer:
    return "better" if sign > 0 else "worse" if sign < 0 else "no clear change"


def _by_verdict(before: Report, after: Report) -> tuple[int, str]:
    """What the verdicts say: 1, -1 or 0, and why.

    A change counts only if the other run could have shown the same.
    """
    if before.verdict == after.verdict:
        return 0, f"Both runs are {before.verdict}."
    said = f"The verdict went from {before.verdict} to {after.verdict}"
    if "inconclusive" in (before.verdict, after.verdict):
        which = "before" if before.verdict == "inconclusive" else "after"
        return 0, f"{said}: too little was logged in the run {which} to compare."
    sign = 1 if RANKS[after.verdict] > RANKS[before.verdict] else -1
    shown, other = (before, after) if sign > 0 else (after, before)
    which = "after" if sign > 0 else "before"
    onset = w.since(shown)
    if onset is not None and _same_unit(before, after) and other.run.last_step < onset:
        end, start = (w.at(step, shown.run.step_unit) for step in (other.run.last_step, onset))
        return (
            0,
            (
                f"{said}, but the run {which} ends at {end}, and the trouble of the other began at "
                f"{start}."
            ),
        )
    rules = {f.rule for f in _leading(shown)}
    if rules and not rules & (set(other.clear) | set(_fired(other))):
        return (
            0,
            (
                f"{said}, but what decided the one could not be checked in the run {which}: "
                f"{_and(sorted(rules))}."
            ),
        )
    gone = sign > 0 and rules and not rules & set(_fired(after))
    return (
        sign,
        f"{said}{'; what decided it before was looked for again, and not found' if gone else ''}.",
    )


def _by_quality(measures: Sequence[Measure]) -> tuple[int | None, list[str]]:
    """What quality says: 1, -1, 0, or None where none was logged in both runs; and why."""
    for roles in JUDGES:
        asked = [m for m in measures if m.role in roles and m.answer]
        if asked:
            answers = {m.answer for m in asked} - {"no clear change"}
            sign = 0 if len(answers) != 1 else 1 if answers == {"better"} else -1
            said = [f"{m.title[:1].upper()}{m.title[1:]}: {m.because}." for m in asked]
            return sign, [*said, "These judges of quality disagree."] if len(answers) > 1 else said
    return None, ["No measure of quality was logged in both runs."]


def _by_symptoms(before: Report, after: Report) -> tuple[int, list[str]]:
    """What came and went: only what the other run looked for as well counts."""
    gone = _missing(before, after)
    new = _missing(after, before)
    said = [f"Gone: {_and(gone)}."] if gone else []
    said += [f"New: {_and(new)}."] if new else []
    return (0 if bool(gone) == bool(new) else 1 if gone else -1), said


def _missing(shown: Report, other: Report) -> list[str]:
    """Symptoms of one run that the other looked for, for long enough, and did not find."""
    there = {f.symptom for f in _fired(other).values()}
    end = other.run.last_step if _same_unit(shown, other) else math.inf
    found = {
        f.symptom
        for f in _fired(shown).values()
        if f.rule in other.clear and (f.onset_step or 0) <= end
    }
    return sorted(found - there)


def _fired(report: Report) -> dict[str, Finding]:
    return {f.rule: f for f in report.findings if f.status != "preview"}


def _leading(report: Report) -> tuple[Finding, ...]:
    """The findings that the verdict rests on."""
    cases = w.cases(report)
    return cases[0].leading if cases else w.orphans(report)


def _same_unit(before: Report, after: Report) -> bool:
    return before.run.step_unit == after.run.step_unit


def _and(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


# ---------------------------------------------------------------- signals, side by side


def _measures(before: Report, after: Report) -> Iterator[Measure]:
    metric = any(s.role in JUDGES[0] for r in (before, after) for s in r.signals)
    for role in (*SHOWN, *TITLES):
        if role == "progress" and metric:
            continue  # it is that metric's own twin
        made = [_measure(before, after, role, pair) for pair in _pairs(before, after, role)]
        for m in made:
            twins = sum(m.title == other.title for other in made) > 1
            yield replace(m, title=f"{m.title}, {m.tags[1] or m.tags[0]}") if twins else m


def _pairs(before: Report, after: Report, role: str) -> Iterator[Pair]:
    """Signals of a role that mean the same in both runs; None where one of them lacks it."""
    ours, theirs = ([s for s in r.signals if s.role == role and s.points] for r in (before, after))
    for place in sorted({_place(s) for s in (*ours, *theirs)}):
        one, other = ([s for s in group if _place(s) == place] for group in (ours, theirs))
        same = [(a, b) for a in one for b in other if a.tag == b.tag and _alike(a, b)]
        if same:
            yield from same[:MOST_PAIRS]
            continue
        a, b = (max(group, key=lambda s: s.points, default=None) for group in (one, other))
        if a is not None and b is not None and not _alike(a, b):
            yield a, None
            yield None, b
        else:
            yield a, b


def _place(s: SignalNote) -> tuple[str, str]:
    return s.network, "val" if s.split == "val" and s.role.startswith(("d_", "g_")) else ""


def _alike(a: SignalNote, b: SignalNote) -> bool:
    """Whether two signals of one role measure the same.

    PSNR is no SSIM, and one loss is not another.
    """
    if a.role == "psnr_ssim":
        return _leaf(a.tag) == _leaf(b.tag)
    return a.because == b.because if a.role == "progress" else True


def _leaf(tag: str) -> str:
    return tag.rpartition("/")[2].lower()


def _measure(before: Report, after: Report, role: str, pair: Pair) -> Measure:
    a, b = pair
    either = a or b
    assert either is not None  # noqa: S101  for the type checker: a pair has at least one
    title = SHOWN.get(role) or TITLES[role]
    if role in ("psnr_ssim", "progress"):
        title = (
            either.tag if role == "psnr_ssim" else either.because.removesuffix(": lower is better")
        )
    if either.network:
        title += f", network {either.network}"
    if _place(either)[1]:
        title += " (validation)"
    old, new = _end(before, a), _end(after, b)
    measure = Measure(
        role, either.network, title, (a.tag if a else "", b.tag if b else ""), old, new
    )
    if role in SHOWN:
        return measure
    # A loss may be logged with its weight, and another weight then makes it another loss.
    weighed = role == "progress" and any(
        x.name.startswith("lambda_") for x in _settings(before, after)
    )
    return _judged(
        measure, _values(before, a), _values(after, b), told=None not in pair and not weighed
    )


def _judged(m: Measure, ours: Array, theirs: Array, *, told: bool) -> Measure:
    """The measure with its best points, and with its answer where that can be told."""
    sign = 1 if m.role in HIGHER else -1
    best = (_extreme(ours, sign), _extreme(theirs, sign))
    judged = replace(m, best=best, direction="higher" if sign > 0 else "lower")
    if not told:
        return judged
    answer, because = _told_apart(m, best, _margin(m, ours, theirs), sign)
    return replace(judged, answer=answer, because=because)


def _told_apart(
    m: Measure, best: tuple[float | None, float | None], margin: float, sign: int
) -> tuple[Answer, str]:
    """By the end of the runs; their best points can contradict it."""
    way = "higher" if sign > 0 else "lower"
    if m.before is None or m.after is None:
        if m.before is None and m.after is None:
            return "no clear change", "it ends in values that are not finite in both runs"
        which = "before" if m.before is None else "after"
        return _word(
            1 if m.before is None else -1
        ), f"it ends in a value that is not finite in the run {which}"
    said = f"at the end {w.number(m.before)} before, {w.number(m.after)} after ({way} is better)"
    gain = sign * (m.after - m.before)
    if gain == 0:
        return "no clear change", f"at the end {w.number(m.after)} in both runs"
    if abs(gain) <= margin:
        return "no clear change", f"{said}; that is too little for one run each"
    if best[0] is not None and best[1] is not None:
        at_best = sign * (best[1] - best[0])
        if abs(at_best) > margin and (at_best > 0) != (gain > 0):
            return (
                "no clear change",
                f"{said}, but at its best {w.number(best[0])} before, {w.number(best[1])} after",
            )
    return _word(1 if gain > 0 else -1), said


def _margin(m: Measure, ours: Array, theirs: Array) -> float:
    """What a difference has to exceed.

    A set share, and twice the usual step from look to look late in either run.
    """
    relative, absolute = MARGINS[m.role]
    level = max(abs(v) for v in (m.before, m.after, 0.0) if v is not None)
    noise = max(_unrest(ours), _unrest(theirs))
    return max(relative * level, absolute, 2 * noise)


def _unrest(values: Array) -> float:
    late = values[np.isfinite(values)][len(values) // 2 :]
    return float(np.median(np.abs(np.diff(late)))) if len(late) >= 3 else 0.0


def _values(report: Report, s: SignalNote | None) -> Array:
    series = report.series.get(s.tag) if s is not None else None
    # None becomes NaN.
    return np.array(series.values if series is not None else (), dtype=np.float64)


def _end(report: Report, s: SignalNote | None) -> float | None:
    """Median of the last tenth of the points; None where the very last is not finite."""
    values = _values(report, s)
    if not len(values):
        return s.last if s is not None else None
    tail = values[-max(1, math.ceil(len(values) / 10)) :]
    return float(np.median(tail[np.isfinite(tail)])) if np.isfinite(tail[-1]) else None


def _extreme(values: Array, sign: int) -> float | None:
    finite = values[np.isfinite(values)]
    return float(sign * (sign * _smooth(finite)).max()) if len(finite) else None


def _smooth(values: Array) -> Array:
    """Running median over a fiftieth of the points where there are many.

    Few are evaluations, and stay.
    """
    if len(values) < SMOOTHED_FROM:
        return values
    half = max(1, len(values) // 100)
    padded = np.pad(values, half, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * half + 1)
    return np.asarray(np.median(windows, axis=1), dtype=np.float64)


# ---------------------------------------------------------------- best points


def _best_points(before: Report, after: Report) -> tuple[Best | None, Best | None]:
    """Of each run; by the same judge where they have one in common."""
    for role in BEST_BY:
        for a, b in _pairs(before, after, role):
            ours = _best(before, a) if a is not None else None
            theirs = _best(after, b) if b is not None else None
            if ours is not None and theirs is not None:
                return ours, theirs
    return _own_best(before), _own_best(after)


def _own_best(report: Report) -> Best | None:
    notes = [s for role in BEST_BY for s in report.signals if s.role == role]
    found = next((b for b in (_best(report, s) for s in notes) if b is not None), None)
    return found or _lowest_g_loss(report)


def _lowest_g_loss(report: Report) -> Best | None:
    """For want of a quality metric.

    Where G's loss was lowest, in a run that went wrong and whose losses have a level.

    In a healthy run G's loss is often lowest before D has learnt anything.
    """
    if (
        report.verdict not in ("failing", "warning")
        or report.run.objective.family in FAMILIES_WITHOUT_LEVEL
    ):
        return None
    notes = [s for s in report.signals if s.role == "g_loss" and s.split != "val"]
    return _best(report, max(notes, key=lambda s: s.points), weak=True) if notes else None


def _best(report: Report, s: SignalNote, *, weak: bool = False) -> Best | None:
    series = report.series.get(s.tag)
    if series is None:
        return None
    steps, values = np.array(series.steps, dtype=np.int64), _values(report, s)
    finite = np.isfinite(values)
    if np.count_nonzero(finite) < 3:
        return None
    steps, values = steps[finite], _smooth(values[finite])
    at = int(np.argmax(values if s.role in HIGHER else -values))
    first, last = report.run.first_step, report.run.last_step
    share = (last - int(steps[at])) / (last - first) if last > first else 0.0
    return Best(s.role, s.tag, int(steps[at]), float(values[at]), min(1.0, max(0.0, share)), weak)


def _caught_up(before: Report, after: Report, best: tuple[Best | None, Best | None]) -> int | None:
    """Where the run after was first as good as the run before ever was."""
    ours, theirs = best
    if ours is None or theirs is None or ours.weak or theirs.weak or ours.role != theirs.role:
        return None
    series = after.series.get(theirs.tag)
    if series is None or not _same_unit(before, after):
        return None
    note = next(s for s in after.signals if s.tag == theirs.tag)
    values = _values(after, note)
    finite = np.isfinite(values)
    sign = 1 if ours.role in HIGHER else -1
    there = np.flatnonzero(sign * _smooth(values[finite]) >= sign * ours.value)
    return int(np.array(series.steps)[finite][there[0]]) if len(there) else None


# ---------------------------------------------------------------- causes and settings


def _causes(before: Report, after: Report) -> Iterator[CauseChange]:
    """Every cause of either run: the new first, then what is still there, then what went."""
    old = {d.cause: d for d in before.diagnoses}
    now = {d.cause: d for d in after.diagnoses}
    for cause, d in now.items():
        if cause not in old:
            unseen = _unchecked(after, d, before)
            why = f"the run before could not show it: {unseen}" if unseen else ""
            yield CauseChange(cause, d.title, "new", ("", d.confidence), why)
    for cause, d in now.items():
        if cause in old:
            yield CauseChange(cause, d.title, "still there", (old[cause].confidence, d.confidence))
    for cause, d in old.items():
        if cause not in now:
            fate: Fate = "gone"
            why = ""
            unseen = _unchecked(before, d, after)
            if unseen:
                fate, why = "not checked", f"the run after could not show it: {unseen}"
            elif {f.symptom for f in _fired(after).values()} & set(d.symptoms):
                why = "its symptoms are still found, and point elsewhere now"
            yield CauseChange(cause, d.title, fate, (d.confidence, ""), why)


def _unchecked(shown: Report, d: Diagnosis, other: Report) -> str:
    """Why the other run could not have shown this cause.

    Empty where at least one of its rules was decided there.
    """
    rules = [f.rule for f in _fired(shown).values() if f.symptom in d.symptoms]
    known = set(other.clear) | set(_fired(other))
    if not rules or known & set(rules):
        return ""
    reasons = {n.rule: n.reason for n in (*other.not_checked, *other.ignored)}
    return next((f"{rule} ({reasons[rule]})" for rule in rules if rule in reasons), rules[0])


def _settings(before: Report, after: Report) -> Iterator[SettingChange]:
    """Settings that differ, by the user's own keys.

    Nothing where one of the runs has no settings at all.
    """
    if not before.settings or not after.settings:
        return
    old = {s.name: s for s in before.settings}
    new = {s.name: s for s in after.settings}
    told: set[tuple[str, str | None, str | None]] = set()
    for name in sorted(old.keys() | new.keys()):
        a, b = old.get(name), new.get(name)
        was, is_ = (a.value if a else None), (b.value if b else None)
        own = b or a
        if was == is_ or own is None:
            continue
        key = own.key or name
        if a and b and a.key != b.key:
            key = f"{a.key or name} / {key}"
        if (
            key,
            was,
            is_,
        ) not in told:  # one key can be two settings: a rate that both networks share
            told.add((key, was, is_))
            yield SettingChange(name, key, was, is_)


def _cautions(before: Report, after: Report) -> Iterator[str]:
    yield "One run each: another seed alone can move these numbers."
    changes = list(_settings(before, after))
    without = [name for name, r in (("before", before), ("after", after)) if not r.settings]
    if without:
        yield f"No config was read for the run {_and(without)}: what was changed is not known."
    elif not changes:
        yield (
            "No setting that gandoctor understands differs: it is chance, or something it does "
            "not read."
        )
    elif len(changes) > 1:
        yield f"{len(changes)} settings differ: which of them made the difference cannot be told."
    if before.rules_digest and after.rules_digest and before.rules_digest != after.rules_digest:
        yield "The two reports were made with different rules: a finding may be gone with its rule."
    for sentence in w.preferences((before, after)):
        yield f"By preferences: {sentence}."
    if not _same_unit(before, after):
        units = f"{before.run.step_unit} before and {after.run.step_unit} after"
        yield f"Steps are {units}: none can be compared, and no curve is drawn over another."
    elif abs(_length(after) - _length(before)) > 0.1 * max(_length(before), _length(after)):
        spans = [
            w.span(r.run.first_step, r.run.last_step, r.run.step_unit) for r in (before, after)
        ]
        yield f"The runs differ in length: {spans[0]} before, {spans[1]} after."
    data = [x.key for x in changes if x.name in DATA]
    if data:
        yield f"The data differ ({_and(data)}): quality is measured against something else."
    families = [r.run.objective.family for r in (before, after)]
    if families[0] != families[1]:
        yield (
            f"The loss family is {families[0]} before and {families[1]} after: losses are on "
            "different scales."
        )
    for which, r in (("before", before), ("after", after)):
        lost = sum(s.lost is not None for s in r.run.sources)
        if lost:
            yield f"Of the run {which}, {w.count(lost, 'file')} could be read only in part."


def _length(report: Report) -> int:
    return report.run.last_step - report.run.first_step


# ---------------------------------------------------------------- curves


def _curves(before: Report, after: Report, measures: Iterable[Measure]) -> Iterator[Curve]:
    """What both runs have as a series: the losses, then quality, then the rest.

    None over another step axis.
    """
    if not _same_unit(before, after):
        return
    order = list(dict.fromkeys(("d_loss", "g_loss", *TITLES, *SHOWN)))
    for m in sorted(measures, key=lambda m: order.index(m.role)):
        ours, theirs = before.series.get(m.tags[0]), after.series.get(m.tags[1])
        if ours is not None and theirs is not None:
            yield Curve(m.title, m.tags, ours, theirs)
