"""Causes x remedies x settings -> prescriptions.

Edits in the user's own keys, a diff, overrides, or why not.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from gandoctor.configs.formats import format_of
from gandoctor.configs.splice import MAX_CHARS, SpliceError, Target, Value, number
from gandoctor.errors import InputError
from gandoctor.lexicon.reading import roles_of
from gandoctor.model.report import Edit, Prescription
from gandoctor.model.roles import by_trust
from gandoctor.prescribe import diff, overrides
from gandoctor.prescribe.applying import Applied, apply, digest, inside, read_text
from gandoctor.prescribe.source import Tree
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
from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from gandoctor.configs.entries import Spot
    from gandoctor.model.report import Diagnosis
    from gandoctor.model.rules import Clause, Measured, Remedy
    from gandoctor.model.signals import Run, Setting

# How a prescription's `why` goes on to say what its diff is made for, or why it has none.
NOTES: Final = (
    "The diff is for the source tree:",
    "No diff:",
    "The diff is for the run's own config:",
)
__all__ = ["NOTES", "Applied", "apply", "cure_rate", "prescribe"]

MOST_PER_DIAGNOSIS: Final = 3
# A diagnosis is at least this many nats less likely than the one placed before it.
STEP_DOWN: Final = 0.5
# A best point among fewer checks is chance.
_FEWEST_CHECKS: Final = 5
# A remedy's `treats` weight counts as much as this many trainings.
PRIOR_TRIALS: Final = 4
_WORD: Final = re.compile(r"[A-Za-z][\w-]*")
_INTERPOLATION: Final = re.compile(r"\$\{(\.*)([\w.-]+)\}")  # leading dots: relative
_EFFORTS: Final = ("config", "code", "data")
_RISKS: Final = ("safe", "trial", "advice")


# (file, key) -> new value; canonical names and no file where the config does not have it
_Touched: TypeAlias = dict[tuple[str, str], str]


def prescribe(
    run: Run,
    diagnoses: Sequence[Diagnosis],
    remedies: Sequence[Remedy],
    root: Path,
    *,
    holds: Callable[[Clause], bool | None] | None = None,
    measured: Measured | None = None,
    repo: Path | None = None,
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

    Returns
    -------
    tuple of Prescription
        At most three a diagnosis, none that contradicts a better one; those that can be tried
        first, in the order of expected cure: how likely the cause is, times how often the remedy
        cures it.
    """
    fits = [r for r in remedies if all(holds is None or holds(c) is not False for c in r.only_if)]
    chances = _chances(diagnoses)
    desk = _Desk(run, root, repo)
    ranked: list[_Candidate] = []
    for remedy in fits:
        shares = {
            d.cause: p * cure_rate(remedy, d.cause, measured)
            for d, p in zip(diagnoses, chances, strict=True)
        }
        if sum(shares.values()) > 0 and not (
            only_writes_anew(remedy) and not desk.plan(remedy).steps
        ):
            made, touched, moves = desk.make(remedy, max(shares, key=lambda c: shares[c]))
            ranked.append(_Candidate(remedy, made, sum(shares.values()), touched, moves))
    ranked.sort(key=_Candidate.order)
    return _chosen(ranked)


def cure_rate(remedy: Remedy, cause: str, measured: Measured | None = None) -> float:
    """How often a remedy cures what a cause did.

    Its ``treats`` weight, as if that had been seen in `PRIOR_TRIALS` trainings, together with what
    was measured: the mean of the Beta distribution that follows.

    Parameters
    ----------
    remedy : Remedy
    cause : str
    measured : Mapping of str to Mapping of str to (int, int), optional
        By remedy and cause: cured, tried.

    Returns
    -------
    float
        Between 0 and 1; 0 for a cause that the remedy does not treat.
    """
    prior = remedy.treats.get(cause, 0.0)
    if not prior:
        return 0.0
    cured, tried = (measured or {}).get(remedy.id, {}).get(cause, (0, 0))
    return (cured + PRIOR_TRIALS * prior) / (tried + PRIOR_TRIALS)


def _chances(diagnoses: Sequence[Diagnosis]) -> list[float]:
    """How likely each diagnosis is the right one.

    Scores are log-odds, and each place in the order counts too.

    A cause that stands first for being deeper may have the lower score.
    """
    levels: list[float] = []
    for d in diagnoses:
        levels.append(min(d.score, levels[-1] - STEP_DOWN) if levels else d.score)
    top = max(levels, default=0.0)
    weights = [math.exp(level - top) for level in levels]
    return [w / sum(weights) for w in weights]


@dataclass(frozen=True, slots=True)
class _Candidate:
    remedy: Remedy
    made: Prescription
    expected: float
    touched: _Touched
    moves: Mapping[str, int]

    def contradicts(self, other: _Candidate) -> bool:
        """Declared so, or one setting gets two values, or goes up here and down there."""
        return (
            other.remedy.id in self.remedy.not_with
            or self.remedy.id in other.remedy.not_with
            or any(other.touched.get(place, new) != new for place, new in self.touched.items())
            or any(other.moves.get(name, way) != way for name, way in self.moves.items())
        )

    def order(self) -> tuple[bool, float, int, int, str]:
        """By expected cure, cheapest and safest first on ties.

        Last what is blocked and has no snippet either.
        """
        r = self.remedy
        return (
            self.made.blocked_by is not None and self.made.snippet is None,
            -round(self.expected, 6),
            _EFFORTS.index(r.effort),
            _RISKS.index(r.risk),
            r.id,
        )


def _chosen(ranked: Iterable[_Candidate]) -> tuple[Prescription, ...]:
    """The best of them: at most three a cause, never two that contradict each other."""
    taken: list[_Candidate] = []
    count: dict[str, int] = {}
    for c in ranked:
        if any(c.contradicts(t) or _says_the_same(c, t) for t in taken):
            continue
        if count.get(c.made.cause, 0) >= MOST_PER_DIAGNOSIS:
            continue
        count[c.made.cause] = count.get(c.made.cause, 0) + 1
        taken.append(c)
    return tuple(c.made for c in taken)


def _says_the_same(a: _Candidate, b: _Candidate) -> bool:
    if a.touched or b.touched:
        return a.touched == b.touched
    return a.made.snippet is not None and a.made.snippet == b.made.snippet


# ---------------------------------------------------------------- one remedy


class _Desk:
    """Where prescriptions are written: the run's settings, and its config files, each read once."""

    def __init__(self, run: Run, root: Path, repo: Path | None = None) -> None:
        self.run = run
        self.root = root
        self.repo = repo
        self.texts: dict[str, str] = {}
        self.unreadable: dict[str, str] = {}
        self.settings = _as_written(run)
        self.spellings = tuple(
            {s.value: None for s in run.raw_settings if isinstance(s.value, str)}
        )
        self.best = _best(run)
        self._tree: Tree | None = None

    def make(self, remedy: Remedy, cause: str) -> tuple[Prescription, _Touched, Mapping[str, int]]:
        """One remedy worked out: a diff where an edit would be heeded, else overrides or a snippet.

        With it what it changes: the new value of each key, and which way each setting goes.
        """
        plan = self.plan(remedy)
        snippet = _filled(remedy.snippet, self.run) or None
        if not remedy.changes:
            return self._written(remedy, cause, snippet=snippet), {}, {}
        if not plan.blocked and plan.steps:
            touched = {(s.setting.file, s.setting.key): shown(s.new) for s in plan.steps}
            return self._edited(remedy, cause, plan, snippet), touched, ways(plan.steps)
        if plan.shared:
            said = _own_value(plan) or snippet
        elif plan.blocked:
            said = snippet if plan.odd else None
        else:
            said = snippet
        why_not = plan.blocked or f"no config names {', '.join(plan.missing)}"
        made = self._written(remedy, cause, snippet=said, blocked_by=why_not)
        return (made, _in_words(remedy), ways_of(remedy)) if said else (made, {}, {})

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
        where, why = self._in_repo(plan.steps) if self.repo else ((), "")
        if where:
            made = self._made(remedy, cause, where, self._source().texts)
            if isinstance(made, Prescription):
                return replace(made, why=f"{made.why} {NOTES[0]} {why}.", base="repo")
            why = made
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
            why_not = made
        why_not = "; ".join(x for x in (why_not, why) if x)
        lines = overrides.overrides(
            [(s.setting.file, s.setting.key, s.new) for s in steps], self.texts
        )
        if lines:
            edits = tuple(
                Edit(s.setting.file, s.setting.key, shown(s.setting.value), shown(s.new))
                for s in steps
            )
            note = f"{remedy.why} {NOTES[1]} {why_not}.".strip()
            return self._written(remedy, cause, why=note, edits=edits, overrides=lines)
        return self._written(remedy, cause, snippet=snippet, blocked_by=why_not)

    def _made(
        self, remedy: Remedy, cause: str, steps: Sequence[Step], texts: Mapping[str, str]
    ) -> Prescription | str:
        """The prescription with its diff, or why there is none."""
        try:
            edits, patch, also = _spliced(steps, texts, self.settings)
        except SpliceError as e:
            return e.what
        # On the command line each key is on its own.
        lines = overrides.overrides(
            [*((s.setting.file, s.setting.key, s.new) for s in steps), *also], texts
        )
        made = self._written(remedy, cause, edits=edits, diff=patch, overrides=lines)
        return replace(made, made_for=tuple((f, digest(texts[f])) for f in diff.split(patch)))

    def _source(self) -> Tree:
        if self._tree is None:
            assert self.repo is not None  # noqa: S101  for the type checker
            self._tree = Tree(self.repo, self.root, _places, overrides.written_by_run)
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
            followers = _following(spot.key, self._source().spots(match.file, (spot.path[-1],)))
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
            for name in _following(key, [s for s in self.run.raw_settings if s.file == file]):
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
            if _is_same(s, mine)
        ]
        if len(found) != 1:
            return step
        file, spot = found[0]
        return replace(step, setting=replace(mine, file=file, key=spot.key, line=spot.line))

    def _spots(self, file: str) -> Sequence[Spot]:
        try:
            return _places(file, self._read(file))
        except SpliceError:
            return ()


def _places(file: str, text: str) -> Sequence[Spot]:
    kind = format_of(file, text)
    return [s for s in kind.scan(text).found.values() if not isinstance(s.value, tuple)]


def _spliced(
    steps: Sequence[Step], texts: Mapping[str, str], settings: Mapping[str, Setting]
) -> tuple[tuple[Edit, ...], str, list[tuple[str, str, Value]]]:
    """The edits of all files, one diff of them in the order of the file names, and what follows.

    File, key, value.
    """
    by_file: dict[str, list[Step]] = {}
    for s in steps:
        by_file.setdefault(s.setting.file, []).append(s)
    edits: list[Edit] = []
    also: list[tuple[str, str, Value]] = []
    patch = ""
    for file, own_steps in sorted(by_file.items()):
        text = texts[file]
        targets = [
            Target(s.setting.key, s.new, s.setting.line, s.beside, _sense(s, settings))
            for s in own_steps
        ]
        spliced = format_of(file, text).splice(text, targets)
        for s, (key, old, _) in zip(own_steps, spliced.edits, strict=True):
            if not s.beside and not _agrees(old, s.setting.value):
                raise SpliceError(
                    f"`{key}` is {old} in the file, and was {shown(s.setting.value)} in the run"
                )
        edits += [Edit(file, *e) for e in (*spliced.edits, *spliced.also)]
        also += [
            (file, key, next(s.new for s in own_steps if _leaf(s.setting.key) == _leaf(key)))
            for key, _, _ in spliced.also
        ]
        patch += diff.unified(file, text, spliced.text)
    return tuple(edits), patch, also


# A name that says by itself whose it is.
_SIDED: Final = re.compile(
    r"(?:^|[_\W])(?:d|g|dis|disc|discriminator|critic|gen|generator|netd|netg)(?:[_\W]|$)|"
    r"[a-z0-9][DG]$|^[DG][A-Z]",
)


def _leaf(key: str) -> str:
    return key.rpartition(".")[2]


def _sense(step: Step, settings: Mapping[str, Setting]) -> Callable[[str], str]:
    """What another key of the same file means, where it shares its value with that of a step."""
    mine = step.setting.key
    theirs = [
        s.key
        for n, s in settings.items()
        if n != step.name and n[-2:] in ("_d", "_g") and s.key != mine
    ]
    # `optim_d.lr` says whose rate it is in its last two parts, `lr_d` in one; places in a list say
    # nothing.
    named = re.sub(r"(?:\.\d+)+$", "", mine)
    parts = 1 if step.name[-2:] not in ("_d", "_g") or _SIDED.search(_leaf(named)) else 2
    parts += mine.count(".") - named.count(".")
    tail = mine.split(".")[-parts:]

    def sense(key: str) -> str:
        if any(_tail(key, other) for other in theirs if other):
            return "other"
        return "same" if key.split(".")[-parts:] == tail else ""

    return sense


def _following(key: str, others: Iterable[Setting | Spot]) -> list[str]:
    """Keys of the same file that take their value from this one: ``lr_g: ${lr_d}`` in OmegaConf."""
    out: list[str] = []
    for s in others:
        match = _INTERPOLATION.fullmatch(s.value) if isinstance(s.value, str) else None
        if match and (key == match[2] or (match[1] and _tail(key, match[2]))):
            out.append(s.key)
    return out


def _tail(key: str, end: str) -> bool:
    return key == end or key.endswith(f".{end}")


def _is_same(spot: Spot, setting: Setting) -> bool:
    """The same key, at least its last part, with the same value."""
    return spot.path[-1:] == (setting.key.rpartition(".")[2],) and _agrees(
        str(spot.value), setting.value, words=True
    )


def _agrees(old: str, value: object, *, words: bool = False) -> bool:
    """Whether the text of a value is that of `value`, as far as numbers (and `words`) tell."""
    text = old.strip().strip("\"'")
    a, b = number(text), number(value)
    if a is not None and b is not None:
        return math.isclose(a, b, rel_tol=1e-9)
    return text.lower() == str(value).lower() if words else True


# ---------------------------------------------------------------- words


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


def _filled(snippet: str, run: Run) -> str:
    """A snippet with the log's own names in place of {d_loss} and other roles or settings."""

    def put(match: re.Match[str]) -> str:
        name = match[1]
        signal = next((s for s in run.signals if s.role == name and s.split != "val"), None)
        if signal is not None:
            return _identifier(signal.tag)
        setting = own(name, run.settings)
        return shown(setting.value) if setting is not None else name

    return re.sub(r"\{([a-z][a-z0-9_]*)\}", put, snippet).rstrip()


def _identifier(tag: str) -> str:
    """A tag as a Python name: ``Loss/D`` -> ``Loss_D``."""
    name = re.sub(r"\W+", "_", tag).strip("_")
    return f"_{name}" if name[:1].isdigit() else name or "loss"


def _own_value(plan: Plan) -> str:
    """How to give one network a rate of its own where the config has one for both.

    Empty for other settings.
    """
    step = plan.steps[0]
    if step.name[:-2] != "lr":
        return ""
    side = "D" if step.name.endswith("_d") else "G"
    return (
        f"# `{plan.shared}` = {shown(step.setting.value)} is for both: give {side} a rate of its "
        "own\n"
        f'for group in optimizer_{side}.param_groups:\n    group["lr"] = {shown(step.new)}'
    )


def _in_words(remedy: Remedy) -> _Touched:
    """What is changed, where no config says how the settings are called.

    For telling contradictions.
    """
    return {("", c.setting): f"{c.to}/{c.of}/{c.multiply}" for c in remedy.changes}
