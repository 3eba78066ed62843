"""Causes x remedies x settings -> prescriptions.

Edits in the user's own keys, a diff, overrides, or why not.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.configs.splice import MAX_CHARS, SpliceError, UndecidedError
from gandoctor.errors import InputError
from gandoctor.lexicon.reading import roles_of
from gandoctor.model.report import Edit, Prescription
from gandoctor.model.roles import by_trust
from gandoctor.patterns import late_pattern
from gandoctor.prescribe import diff, overrides
from gandoctor.prescribe.applying import digest, inside, read_text
from gandoctor.prescribe.editing import following, is_same, places, spliced
from gandoctor.prescribe.ranking import Candidate, Touched, chances, chosen, cure_rate
from gandoctor.prescribe.snippets import filled, own_value
from gandoctor.prescribe.source import SourceTree
from gandoctor.prescribe.work_out import (
    Plan,
    Step,
    only_writes_anew,
    own,
    shown,
    ways,
    ways_of,
    work_out,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from gandoctor.configs.entries import Spot
    from gandoctor.model.report import Diagnosis
    from gandoctor.model.rules import Clause, Measured, Remedy
    from gandoctor.model.signals import Run, Setting
    from gandoctor.prescribe.coded import InCode

# How a prescription's `why` goes on to say what its diff is made for, or why it has none.
NOTES: Final = (
    "The diff is for the source tree:",
    "No diff:",
    "The diff is for the run's own config:",
    "The diff is for the training code:",
)

# A best point among fewer checks is chance.
_FEWEST_CHECKS: Final = 5
_WORD: Final = late_pattern(r"[A-Za-z][\w-]*")


def prescribe(
    run: Run,
    diagnoses: Sequence[Diagnosis],
    remedies: Sequence[Remedy],
    root: Path,
    *,
    holds: Callable[[Clause], bool | None] | None = None,
    measured: Measured | None = None,
    repo: Path | None = None,
    code: InCode | None = None,
) -> tuple[Prescription, ...]:
    """Work out what the user should try, best first.

    Parameters
    ----------
    run : Run
    diagnoses : sequence of Diagnosis
        Best first.
    remedies : sequence of Remedy
    root : Path
        Folder that the settings' files are relative to.
    holds : callable, optional
        Whether a clause of a remedy's ``only_if`` holds in this run; None: not known, which does
        not forbid.
    measured : Mapping of str to Mapping of str to (int, int), optional
        By remedy and cause: how many trainings it cured, of how many. See `cure_rate`.
    repo : Path, optional
        Source tree: where the config that a setting came from is found there, the diff is made for
        it.
    code : InCode, optional
        The code that the run was trained with: what it gives is changed there.

    Returns
    -------
    tuple of Prescription
        At most three a diagnosis, none that contradicts a better one; those that can be tried
        first, in the order of expected cure: how likely the cause is, times how often the remedy
        cures it.
    """
    fits = [r for r in remedies if all(holds is None or holds(c) is not False for c in r.only_if)]
    likely = chances(diagnoses)
    desk = Desk(run, root, repo, code)
    ranked: list[Candidate] = []
    for remedy in fits:
        shares = {
            d.cause: p * cure_rate(remedy, d.cause, measured)
            for d, p in zip(diagnoses, likely, strict=True)
        }
        expected = sum(shares.values())
        if expected <= 0 or (only_writes_anew(remedy) and not desk.plan(remedy).steps):
            continue
        made, touched, moves = desk.make(remedy, max(shares, key=lambda c: shares[c]))
        plan = desk.plan(remedy) if made.blocked_by and made.snippet is None else None
        if plan and (plan.missing or plan.odd) and _is_guess(remedy, holds):
            continue
        ranked.append(Candidate(remedy, made, expected, touched, moves))
    ranked.sort(key=Candidate.order)
    return chosen(ranked)


def _is_guess(remedy: Remedy, holds: Callable[[Clause], bool | None] | None) -> bool:
    """Whether nothing tells that the settings it changes are as it takes them to be."""
    names = {name for c in remedy.changes for name in (c.setting, *_sides(c.setting))}
    asked = [c for c in remedy.only_if if names & {*c.given, *(c.where.names if c.where else ())}]
    return holds is not None and any(holds(c) is not True for c in asked)


def _sides(setting: str) -> tuple[str, ...]:
    """``lr_d`` may stand in a config as ``lr``."""
    return (setting[:-2],) if setting.endswith(("_d", "_g")) else ()


# ---------------------------------------------------------------- one remedy


class Desk:
    """Where prescriptions are written: the run's settings, and its config files, each read once."""

    def __init__(
        self, run: Run, root: Path, repo: Path | None = None, code: InCode | None = None
    ) -> None:
        self.run = run
        self.root = root
        self.repo = repo
        self.code = code
        self.texts: dict[str, str] = {}
        self.unreadable: dict[str, str] = {}
        self.settings = _as_written(run)
        self.spellings = tuple(
            {s.value: None for s in run.raw_settings if isinstance(s.value, str)}
        )
        self.best = _best(run)
        self._tree: SourceTree | None = None

    def make(self, remedy: Remedy, cause: str) -> tuple[Prescription, Touched, Mapping[str, int]]:
        """One remedy worked out: a diff where an edit would be heeded, else overrides or a snippet.

        With it what it changes: the new value of each key, and which way each setting goes.
        """
        plan = self.plan(remedy)
        snippet = filled(remedy.snippet, self.run) or None
        if not remedy.changes:
            return self._written(remedy, cause, snippet=snippet), {}, {}
        coded = self._in_code(remedy, cause, plan)
        if coded is not None and (plan.shared or not plan.blocked):
            touched = {(s.setting.file, s.setting.key): shown(s.new) for s in plan.steps}
            return coded, touched, ways(plan.steps)
        if not plan.blocked and plan.steps:
            touched = {(s.setting.file, s.setting.key): shown(s.new) for s in plan.steps}
            return self._edited(remedy, cause, plan, snippet), touched, ways(plan.steps)
        if plan.shared:
            said = own_value(plan) or snippet
        elif plan.blocked:
            said = snippet if plan.odd else None
        else:
            said = snippet
        why_not = plan.blocked or f"no config names {', '.join(plan.missing)}"
        made = self._written(remedy, cause, snippet=said, blocked_by=why_not)
        return (made, _in_words(remedy), ways_of(remedy)) if said else (made, {}, {})

    def _in_code(self, remedy: Remedy, cause: str, plan: Plan) -> Prescription | None:
        """The remedy in the training code.

        None where the code does not have it, or where a config that the code reads has it.
        """
        if self.code is not None and _norms_d(remedy) and plan.missing and not plan.blocked:
            return self._normed(self.code, remedy, cause)
        if self.code is None or not plan.steps or (plan.blocked and not plan.shared):
            return None
        if not all(self.code.knows(s.name, s.setting) for s in plan.steps):
            return None
        kept = not any(s.setting.how for s in plan.steps)  # in a config or record of the run
        sources = [self._at_source(s).setting.file for s in plan.steps]
        if kept and not plan.shared and not any(map(self._not_editable, sources)):
            return None
        try:
            edits, patch, made_for = self.code.edited(plan.steps)
        except SpliceError as e:
            if kept:
                return None
            where = ", ".join(dict.fromkeys(self.code.where(s.name) for s in plan.steps))
            said = own_value(plan) or filled(remedy.snippet, self.run)
            return self._written(
                remedy, cause, snippet=f"# {where}\n{said}", blocked_by=f"{where}: {e.what}"
            )
        return self._coded(self.code, remedy, cause, (edits, patch, made_for), self._options(plan))

    def _normed(self, code: InCode, remedy: Remedy, cause: str) -> Prescription:
        """Spectral norm around D's layers in the training code, or where D is."""
        try:
            return self._coded(code, remedy, cause, code.normed())
        except SpliceError as e:
            said = filled(remedy.snippet, self.run)
            return self._written(remedy, cause, snippet=f"# {e.what}\n{said}", blocked_by=e.what)

    def _coded(
        self,
        code: InCode,
        remedy: Remedy,
        cause: str,
        done: tuple[tuple[Edit, ...], str, tuple[tuple[str, str], ...]],
        lines: tuple[str, ...] = (),
    ) -> Prescription:
        edits, patch, made_for = done
        note = NOTES[0] if code.base == "repo" else NOTES[3]
        places = ", ".join(dict.fromkeys(f"{e.file}:{e.line}" for e in edits))
        why = f"{remedy.why} {note} {places}.".strip()
        made = self._written(remedy, cause, why=why, edits=edits, diff=patch, overrides=lines)
        return replace(made, made_for=made_for, base=code.base)

    def _options(self, plan: Plan) -> tuple[str, ...]:
        """The same on the command line, where the code takes all of it from options."""
        assert self.code is not None  # noqa: S101  for the type checker
        found = [self.code.found(s.name) for s in plan.steps]
        if plan.shared or not all(f is not None and f.how in ("option", "command") for f in found):
            return ()
        return tuple(
            dict.fromkeys(
                f"--{f.key} {overrides.spelled(s.new)}"
                for s, f in zip(plan.steps, found, strict=True)
                if f is not None
            )
        )

    def plan(self, remedy: Remedy) -> Plan:
        """What a remedy changes in this run's settings."""
        return work_out(remedy, self.settings, self._words(remedy), self.best)

    def _words(self, remedy: Remedy) -> tuple[str, ...]:
        """How the user's config spells words.

        With its comments, where a word may be written only if it is named.
        """
        files = {
            s.file
            for c in remedy.changes
            if c.if_named
            for s in [own(c.setting, self.settings)]
            if s
        }
        named = (w for file in sorted(files) for w in _WORD.findall(self._read(file)))
        return tuple(dict.fromkeys((*self.spellings, *named)))

    def _edited(self, remedy: Remedy, cause: str, plan: Plan, snippet: str | None) -> Prescription:
        """The remedy as a diff: for the source tree, else for the run's own config, else none."""
        where, why = self._in_repo(plan.steps) if self.repo else ((), "")
        if where:
            made = self._made(remedy, cause, where, self._source().texts)
            if isinstance(made, Prescription):
                return replace(made, why=f"{made.why} {NOTES[0]} {why}.", base="repo")
            if isinstance(made, UndecidedError):
                return self._written(remedy, cause, snippet=snippet, blocked_by=made.what)
            why = made.what
        steps = [self._at_source(s) for s in plan.steps]
        follower = self._follower(steps)
        if follower:
            return self._written(remedy, cause, snippet=snippet, blocked_by=follower)
        why_not = "; ".join(
            dict.fromkeys(r for r in (self._not_editable(s.setting.file) for s in steps) if r)
        )
        if not why_not:
            made = self._made(remedy, cause, steps, self.texts)
            if isinstance(made, Prescription):
                return replace(made, why=f"{made.why} {NOTES[2]} {why}.") if why else made
            why_not = made.what
            if isinstance(made, UndecidedError):
                return self._written(remedy, cause, snippet=snippet, blocked_by=why_not)
        why_not = "; ".join(x for x in (why_not, why) if x)
        return self._overridden(remedy, cause, steps, why_not) or self._written(
            remedy, cause, snippet=snippet, blocked_by=why_not
        )

    def _overridden(
        self, remedy: Remedy, cause: str, steps: Sequence[Step], why_not: str
    ) -> Prescription | None:
        """The remedy on the command line, and why it is no diff; None where none is known."""
        lines = overrides.overrides(
            [(s.setting.file, s.setting.key, s.new) for s in steps], self.texts
        )
        if not lines:
            return None
        edits = tuple(
            Edit(s.setting.file, s.setting.key, shown(s.setting.value), shown(s.new)) for s in steps
        )
        note = f"{remedy.why} {NOTES[1]} {why_not}.".strip()
        return self._written(remedy, cause, why=note, edits=edits, overrides=lines)

    def _made(
        self, remedy: Remedy, cause: str, steps: Sequence[Step], texts: Mapping[str, str]
    ) -> Prescription | SpliceError:
        """The prescription with its diff, or why there is none."""
        try:
            edits, patch, also = spliced(steps, texts, self.settings)
        except SpliceError as e:
            return e
        # On the command line each key is on its own.
        lines = overrides.overrides(
            [*((s.setting.file, s.setting.key, s.new) for s in steps), *also], texts
        )
        made = self._written(remedy, cause, edits=edits, diff=patch, overrides=lines)
        return replace(made, made_for=tuple((f, digest(texts[f])) for f in diff.split(patch)))

    def _source(self) -> SourceTree:
        if self._tree is None:
            assert self.repo is not None  # noqa: S101  for the type checker
            self._tree = SourceTree(self.repo, self.root, places, overrides.written_by_run)
        return self._tree

    def _in_repo(self, steps: Sequence[Step]) -> tuple[tuple[Step, ...], str]:
        """All steps where they stand in the source tree, or none; and why."""
        moved: list[Step] = []
        reasons: dict[str, None] = {}
        for step in steps:
            mine = step.setting
            recorded = [s for s in self.run.raw_settings if s.file == mine.file]
            match = self._source().find(mine, recorded)
            if step.beside:
                return (), f"`{mine.key}` is to be added, which is not done in a source tree"
            if match.spot is None:
                return (), match.why
            spot = match.spot
            moved.append(
                replace(step, setting=replace(mine, file=match.file, key=spot.key, line=spot.line))
            )
            followers = following(spot.key, self._source().spots(match.file, (spot.path[-1],)))
            if followers:
                return (), f"`{followers[0]}` takes its value from `{spot.key}` in {match.file}"
            reasons[match.why] = None
        return tuple(moved), "; ".join(reasons)

    def _written(
        self,
        remedy: Remedy,
        cause: str,
        *,
        why: str = "",
        edits: tuple[Edit, ...] = (),
        diff: str | None = None,
        overrides: tuple[str, ...] = (),
        snippet: str | None = None,
        blocked_by: str | None = None,
    ) -> Prescription:
        return Prescription(
            remedy=remedy.id,
            cause=cause,
            title=remedy.title,
            risk=remedy.risk,
            why=why or remedy.why,
            expect=remedy.expect,
            edits=edits,
            diff=diff,
            overrides=overrides,
            snippet=snippet,
            blocked_by=blocked_by,
        )

    # -------------------------------------------------------- files

    def _read(self, file: str) -> str:
        """Text of a config file inside the run; remembers why it cannot be had."""
        if file in self.texts or file in self.unreadable or not file:
            return self.texts.get(file, "")
        try:
            self.texts[file] = read_text(inside(self.root, file), MAX_CHARS)
        except InputError as e:
            self.unreadable[file] = e.what
        return self.texts.get(file, "")

    def _not_editable(self, file: str) -> str:
        """Why an edit of this file would change nothing, or cannot be made; empty where it can."""
        text = self._read(file)
        return overrides.written_by_run(file, text) or self.unreadable.get(file, "")

    def _follower(self, steps: Iterable[Step]) -> str:
        """A key that takes its value from one of these, and so must not see it change.

        Empty where none does.
        """
        for step in steps:
            key, file = step.setting.key, step.setting.file
            for name in following(key, [s for s in self.run.raw_settings if s.file == file]):
                return f"`{name}` takes its value from the same key: an edit would change both"
        return ""

    def _at_source(self, step: Step) -> Step:
        """The same setting in a file that the trainer reads, if there is one beside the record."""
        mine = step.setting
        if step.beside or not overrides.written_by_run(mine.file, self._read(mine.file)):
            return step
        files = [s.path for s in self.run.sources if s.parser == "config" and s.path != mine.file]
        found = [
            (f, s)
            for f in files
            if not self._not_editable(f)
            for s in self._spots(f)
            if is_same(s, mine)
        ]
        if len(found) != 1:
            return step
        file, spot = found[0]
        return replace(step, setting=replace(mine, file=file, key=spot.key, line=spot.line))

    def _spots(self, file: str) -> Sequence[Spot]:
        try:
            return places(file, self._read(file))
        except SpliceError:
            return ()


# ---------------------------------------------------------------- words


def _norms_d(remedy: Remedy) -> bool:
    """Whether it does nothing but normalise D."""
    return [(c.setting, c.to) for c in remedy.changes] == [("spectral_norm_d", True)]


def _as_written(run: Run) -> dict[str, Setting]:
    """The settings with their values as the file has them.

    A canonical word or flag is no longer the user's own.
    """
    written = {(s.file, s.key): s.value for s in run.raw_settings if not isinstance(s.value, tuple)}
    return {
        name: replace(s, value=written.get((s.file, s.key), s.value))
        for name, s in run.settings.items()
    }


def _best(run: Run) -> dict[str, float]:
    """Where the first measure of quality logged was best, under the setting of its unit."""
    unit = {"iterations": "steps", "epochs": "epochs", "kimg": "kimg"}.get(run.step_unit)
    for role in by_trust(roles_of(run).values(), "metric"):
        for signal in run.by_role(role.name):
            values = role.sign * signal.values
            known = np.flatnonzero(np.isfinite(values))
            if unit and known.size >= _FEWEST_CHECKS:
                return {unit: float(signal.steps[known[np.argmax(values[known])]])}
    return {}


def _in_words(remedy: Remedy) -> Touched:
    """What is changed, where no config says how the settings are called.

    For telling contradictions.
    """
    return {("", c.setting): f"{c.to}/{c.of}/{c.multiply}" for c in remedy.changes}
