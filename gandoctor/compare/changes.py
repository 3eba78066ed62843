"""What became of causes and settings, and what makes two runs less comparable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gandoctor.compare.sides import fired, listed, same_unit
from gandoctor.model.comparison import CauseChange, Fate, SettingChange
from gandoctor.reporters import wording as w

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gandoctor.model.report import Diagnosis, Report

DATA: Final = frozenset({"n_train", "image_size", "num_classes"})


def causes(before: Report, after: Report) -> Iterator[CauseChange]:
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
            elif {f.symptom for f in fired(after).values()} & set(d.symptoms):
                why = "its symptoms are still found, and point elsewhere now"
            yield CauseChange(cause, d.title, fate, (d.confidence, ""), why)


def _unchecked(shown: Report, d: Diagnosis, other: Report) -> str:
    """Why the other run could not have shown this cause.

    Empty where at least one of its rules was decided there.
    """
    rules = [f.rule for f in fired(shown).values() if f.symptom in d.symptoms]
    known = set(other.clear) | set(fired(other))
    if not rules or known & set(rules):
        return ""
    reasons = {n.rule: n.reason for n in (*other.not_checked, *other.ignored)}
    return next((f"{rule} ({reasons[rule]})" for rule in rules if rule in reasons), rules[0])


def settings(before: Report, after: Report) -> Iterator[SettingChange]:
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


def cautions(before: Report, after: Report) -> Iterator[str]:
    """What makes the two runs less comparable, a sentence each."""
    yield "One run each: another seed alone can move these numbers."
    changes = list(settings(before, after))
    without = [name for name, r in (("before", before), ("after", after)) if not r.settings]
    if without:
        yield f"No config was read for the run {listed(without)}: what was changed is not known."
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
    if not same_unit(before, after):
        units = f"{before.run.step_unit} before and {after.run.step_unit} after"
        yield f"Steps are {units}: none can be compared, and no curve is drawn over another."
    elif abs(_length(after) - _length(before)) > 0.1 * max(_length(before), _length(after)):
        spans = [
            w.span(r.run.first_step, r.run.last_step, r.run.step_unit) for r in (before, after)
        ]
        yield f"The runs differ in length: {spans[0]} before, {spans[1]} after."
    data = [x.key for x in changes if x.name in DATA]
    if data:
        yield f"The data differ ({listed(data)}): quality is measured against something else."
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
