"""Causes x remedies x settings -> prescriptions: edits in the user's own keys, a diff, overrides, or why not."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from gandoctor.errors import InputError
from gandoctor.model.report import Edit, Prescription
from gandoctor.prescribe import diff, json, options, overrides, python, toml, yaml
from gandoctor.prescribe.applying import Applied, apply, digest, inside, read_text
from gandoctor.prescribe.splice import MAX_CHARS, SpliceError, Target, number
from gandoctor.prescribe.work_out import Plan, Step, own, shown, work_out

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from gandoctor.model.report import Diagnosis
    from gandoctor.model.rules import Clause, Remedy
    from gandoctor.model.signals import Run, Setting
    from gandoctor.prescribe.splice import Spliced, Spot

__all__ = ["Applied", "apply", "prescribe"]

MOST_PER_DIAGNOSIS: Final = 3
# A diagnosis is at least this many nats less likely than the one placed before it.
STEP_DOWN: Final = 0.5
_INTERPOLATION: Final = re.compile(r"\$\{(\.*)([\w.-]+)\}")  # leading dots: relative
_EFFORTS: Final = ("config", "code", "data")
_RISKS: Final = ("safe", "trial", "advice")


# (file, key) -> new value; canonical names and no file where the config does not have it
_Touched: TypeAlias = dict[tuple[str, str], str]


class _Format(Protocol):
    def splice(self, text: str, targets: Sequence[Target]) -> Spliced: ...
    def spots(self, text: str) -> Sequence[Spot]: ...
    def changes(self, before: str, after: str) -> dict[str, object]: ...


def prescribe(
    run: Run,
    diagnoses: Sequence[Diagnosis],
    remedies: Sequence[Remedy],
    root: Path,
    *,
    holds: Callable[[Clause], bool | None] | None = None,
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
        Whether a clause of a remedy's ``only_if`` holds in this run; None: not known, which does not forbid.

    Returns
    -------
    tuple of Prescription
        At most three a diagnosis, none that contradicts a better one; those that can be tried first, in the order of
        expected cure: how likely the cause is, times how often the remedy cures it.
    """
    fits = [r for r in remedies if all(holds is None or holds(c) is not False for c in r.only_if)]
    chances = _chances(diagnoses)
    desk = _Desk(run, root)
    ranked: list[_Candidate] = []
    for remedy in fits:
        shares = {d.cause: p * remedy.treats.get(d.cause, 0.0) for d, p in zip(diagnoses, chances, strict=True)}
        if sum(shares.values()) > 0:
            made, touched = desk.make(remedy, max(shares, key=lambda c: shares[c]))
            ranked.append(_Candidate(remedy, made, sum(shares.values()), touched))
    ranked.sort(key=_Candidate.order)
    return _chosen(ranked)


def _chances(diagnoses: Sequence[Diagnosis]) -> list[float]:
    """How likely each diagnosis is the right one: scores are log-odds, and each place in the order counts too.

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

    def order(self) -> tuple[bool, float, int, int, str]:
        """By expected cure, cheapest and safest first on ties; last what is blocked and has no snippet either."""
        r = self.remedy
        return (
            self.made.blocked_by is not None and self.made.snippet is None,
            -round(self.expected, 6),
            _EFFORTS.index(r.effort),
            _RISKS.index(r.risk),
            r.id,
        )


def _chosen(ranked: Iterable[_Candidate]) -> tuple[Prescription, ...]:
    """The best of them: at most three a cause, never two that would give one setting two values."""
    taken: list[_Candidate] = []
    values: dict[tuple[str, str], str] = {}
    count: dict[str, int] = {}
    for c in ranked:
        if any(values.get(place, new) != new for place, new in c.touched.items()):
            continue
        if any(_says_the_same(c, t) for t in taken) or count.get(c.made.cause, 0) >= MOST_PER_DIAGNOSIS:
            continue
        count[c.made.cause] = count.get(c.made.cause, 0) + 1
        values |= c.touched
        taken.append(c)
    return tuple(c.made for c in taken)


def _says_the_same(a: _Candidate, b: _Candidate) -> bool:
    if a.touched or b.touched:
        return a.touched == b.touched
    return a.made.snippet is not None and a.made.snippet == b.made.snippet


# ---------------------------------------------------------------- one remedy


class _Desk:
    """Where prescriptions are written: the run's settings, and its config files, each read once."""

    def __init__(self, run: Run, root: Path) -> None:
        self.run = run
        self.root = root
        self.texts: dict[str, str] = {}
        self.unreadable: dict[str, str] = {}
        self.settings = _as_written(run)
        self.spellings = tuple({s.value: None for s in run.raw_settings if isinstance(s.value, str)})

    def make(self, remedy: Remedy, cause: str) -> tuple[Prescription, _Touched]:
        """One remedy worked out: a diff where an edit would be heeded, else overrides, else a snippet."""
        plan = work_out(remedy, self.settings, self.spellings)
        snippet = _filled(remedy.snippet, self.run) or None
        if not remedy.changes:
            return self._written(remedy, cause, snippet=snippet), {}
        if plan.shared:
            said = _own_value(plan) or snippet
            return self._written(remedy, cause, snippet=said, blocked_by=plan.blocked), _in_words(remedy)
        if plan.blocked:
            said = snippet if plan.odd else None
            return self._written(remedy, cause, snippet=said, blocked_by=plan.blocked), _in_words(
                remedy
            ) if said else {}
        if not plan.steps:
            why_not = f"no config names {', '.join(plan.missing)}"
            return self._written(remedy, cause, snippet=snippet, blocked_by=why_not), _in_words(
                remedy
            ) if snippet else {}
        made = self._edited(remedy, cause, plan, snippet)
        return made, {(s.setting.file, s.setting.key): shown(s.new) for s in plan.steps}

    def _edited(self, remedy: Remedy, cause: str, plan: Plan, snippet: str | None) -> Prescription:
        steps = [self._at_source(s) for s in plan.steps]
        follower = next((f for s in steps for f in self._followers(s.setting)), None)
        if follower:
            said = f"`{follower}` takes its value from the same key: an edit would change both"
            return self._written(remedy, cause, snippet=snippet, blocked_by=said)
        why_not = "; ".join(dict.fromkeys(r for r in (self._not_editable(s.setting.file) for s in steps) if r))
        edits = tuple(Edit(s.setting.file, s.setting.key, shown(s.setting.value), shown(s.new)) for s in steps)
        lines = overrides.overrides([(s.setting.file, s.setting.key, s.new) for s in steps], self.texts)
        if not why_not:
            try:
                edits, patch = self._spliced(steps)
                made = self._written(remedy, cause, edits=edits, diff=patch, overrides=lines)
                return replace(made, made_for=tuple((f, digest(self._read(f))) for f in diff.split(patch)))
            except SpliceError as e:
                why_not = e.what
        if lines:
            note = f"{remedy.why} No diff: {why_not}.".strip()
            return self._written(remedy, cause, why=note, edits=edits, overrides=lines)
        return self._written(remedy, cause, snippet=snippet, blocked_by=why_not)

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

    def _followers(self, setting: Setting) -> list[str]:
        """Keys that take their value from this one: ``lr_g: ${lr_d}`` in OmegaConf."""
        out: list[str] = []
        for s in self.run.raw_settings:
            match = _INTERPOLATION.fullmatch(s.value) if isinstance(s.value, str) else None
            if (
                match
                and s.file == setting.file
                and (setting.key == match[2] or (match[1] and _tail(setting.key, match[2])))
            ):
                out.append(s.key)
        return out

    def _at_source(self, step: Step) -> Step:
        """The same setting in a file that the trainer reads, where the run has one beside its own record."""
        mine = step.setting
        if step.beside or not overrides.written_by_run(mine.file, self._read(mine.file)):
            return step
        files = [s.path for s in self.run.sources if s.parser == "config" and s.path != mine.file]
        found = [(f, s) for f in files if not self._not_editable(f) for s in self._spots(f) if _is_same(s, mine)]
        if len(found) != 1:
            return step
        file, spot = found[0]
        return replace(step, setting=replace(mine, file=file, key=spot.key, line=spot.line))

    def _spots(self, file: str) -> Sequence[Spot]:
        try:
            return format_of(file, self._read(file)).spots(self._read(file))
        except SpliceError:
            return ()

    def _spliced(self, steps: Sequence[Step]) -> tuple[tuple[Edit, ...], str]:
        """The edits of all files and one diff of them, in the order of the file names."""
        by_file: dict[str, list[Step]] = {}
        for s in steps:
            by_file.setdefault(s.setting.file, []).append(s)
        edits: list[Edit] = []
        patch = ""
        for file, own_steps in sorted(by_file.items()):
            text = self._read(file)
            targets = [Target(s.setting.key, s.new, s.setting.line, s.beside) for s in own_steps]
            spliced = format_of(file, text).splice(text, targets)
            for s, (key, old, _) in zip(own_steps, spliced.edits, strict=True):
                if not s.beside and not _agrees(old, s.setting.value):
                    raise SpliceError(f"`{key}` is {old} in the file, and was {shown(s.setting.value)} in the run")
            edits += [Edit(file, *e) for e in spliced.edits]
            patch += diff.unified(file, text, spliced.text)
        return tuple(edits), patch


def _tail(key: str, end: str) -> bool:
    return key == end or key.endswith(f".{end}")


def _is_same(spot: Spot, setting: Setting) -> bool:
    """The same key, at least its last part, with the same value."""
    return spot.path[-1:] == (setting.key.rpartition(".")[2],) and _agrees(str(spot.value), setting.value, words=True)


def _agrees(old: str, value: object, *, words: bool = False) -> bool:
    """Whether the text of a value is that of `value`, as far as numbers (and `words`) tell."""
    text = old.strip().strip("\"'")
    a, b = number(text), number(value)
    if a is not None and b is not None:
        return math.isclose(a, b, rel_tol=1e-9)
    return text.lower() == str(value).lower() if words else True


def format_of(file: str, text: str) -> _Format:
    """The module that splices this kind of file.

    Raises
    ------
    SpliceError
        If the format is not known.
    """
    suffix = PurePosixPath(file).suffix.lower()
    if suffix in (".yaml", ".yml"):
        return yaml
    if suffix == ".json" or text.lstrip("\ufeff \t\r\n")[:1] == "{":
        return json
    if suffix == ".toml":
        return toml
    if suffix == ".py":
        return python
    if suffix in (".txt", ".opt", ".cfg", ".ini", ".flags", ".args", ".gin", ".conf", ""):
        return options
    raise SpliceError(f"{PurePosixPath(file).name} is of no format that can be edited")


# ---------------------------------------------------------------- words


def _as_written(run: Run) -> dict[str, Setting]:
    """The settings with their values as the file has them: a canonical word or flag is no longer the user's own."""
    written = {(s.file, s.key): s.value for s in run.raw_settings if not isinstance(s.value, tuple)}
    return {name: replace(s, value=written.get((s.file, s.key), s.value)) for name, s in run.settings.items()}


def _filled(snippet: str, run: Run) -> str:
    """A snippet with the log's own names in place of {d_loss}, {g_loss} and any other role or setting."""

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
    """How to give one network a rate of its own where the config has one for both; empty for other settings."""
    step = plan.steps[0]
    if step.name[:-2] != "lr":
        return ""
    side = "D" if step.name.endswith("_d") else "G"
    return (
        f"# `{plan.shared}` = {shown(step.setting.value)} is for both: give {side} a rate of its own\n"
        f'for group in optimizer_{side}.param_groups:\n    group["lr"] = {shown(step.new)}'
    )


def _in_words(remedy: Remedy) -> _Touched:
    """What is changed, where no config says how the settings are called: for telling contradictions."""
    return {("", c.setting): f"{c.to}/{c.of}/{c.multiply}" for c in remedy.changes}
