"""From what was read to a run that is understood: roles, settings, the game, what is derived."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from gandoctor import objective, vocabulary
from gandoctor.api import saving
from gandoctor.errors import UsageError, unforeseen
from gandoctor.model.signals import FAMILIES, Run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gandoctor.api.code import CodeOfRun
    from gandoctor.api.wishes import Options
    from gandoctor.model.checkpoints import Saved
    from gandoctor.model.signals import Objective, RawRun, Setting, Signal
    from gandoctor.samples.given import Given


def understand(
    raw: RawRun,
    words: vocabulary.Vocabulary,
    options: Options,
    *,
    several: bool = False,
    code: CodeOfRun | None = None,
) -> Run:
    """Give every signal its role and every setting its name, infer the game, derive what can be.

    Parameters
    ----------
    raw : RawRun
    words : Vocabulary
    options : Options
    several : bool
        Whether this is one of several runs; a ``--map`` tag that one of them lacks is then no
        error.
    code : CodeOfRun, optional
        The code that the run was trained with: its settings count where nothing else says them.
    """
    _expect_a_family(options)
    given = _given(options)
    checkpoints = saving.OfRun(raw, given)
    saved = checkpoints.saved()
    settings = _settings(raw, saved, words, code)
    saved = saving.with_contradictions(saved, settings, words)
    wanted, idle = _heeded(raw, words, options, several=several)
    said = {
        role: options.origins[f"map.{role}"] for role in wanted if f"map.{role}" in options.origins
    }
    placed = vocabulary.place(
        raw.signals, vocabulary=words, settings=raw.settings, overrides=wanted, said=said
    )
    measured, facts, remarks = _measured(raw, given)
    drawn = checkpoints.drawn(settings, measured)
    facts = {**_said_of_the_data(settings), **raw.facts, **facts, **vocabulary.facts(settings)}
    facts |= {**saved.facts, **drawn.facts, **saving.capacities(saved.facts)}
    logged = [s for s in placed if s.role]
    joining = objective.join(logged, settings)
    judged = objective.judge(joining.signals, words.roles)
    facts |= {**joining.facts, **judged.facts}
    known = (*judged.signals, *measured, *drawn.signals, *_relative_variance(logged, facts))
    unit = vocabulary.step_unit(raw.signals, raw.settings, raw.step_unit)
    said_by = options.origin("loss", "--loss")
    infer = partial(
        objective.infer, known, family=options.loss, said=said_by, step_unit=unit, name=raw.name
    )
    settings, game, of_code = _game(infer, settings, code)
    doubts = objective.doubt(joining.signals, settings, game)
    facts |= doubts.facts
    derived = objective.derive(known, game, facts, words.roles)
    noted = (*filter(None, (joining.note, of_code)), *_old(code, raw), *judged.notes, *doubts.notes)
    return Run(
        name=raw.name,
        signals=(*known, *derived),
        unmapped=(*(s for s in placed if not s.role), *joining.idle),
        settings=settings,
        raw_settings=(*raw.settings, *saved.settings),
        objective=game,
        facts=facts,
        notes=(*raw.notes, *remarks, *saved.remarks, *drawn.remarks, *idle, *noted),
        sources=(*raw.sources, *saved.sources),
        step_unit=unit,
        roles=words.roles,
        finished=raw.finished,
        checkpoints=saved.notes,
        drawn=drawn.notes,
    )


def _old(code: CodeOfRun | None, raw: RawRun) -> tuple[str, ...]:
    if code is None:
        return ()
    from gandoctor.api.code import patched_since

    return tuple(patched_since(code, raw))


def _expect_a_family(options: Options) -> None:
    if options.loss is not None and options.loss not in FAMILIES:
        where = options.origin("loss", "--loss")
        raise UsageError(
            f"unknown loss family {options.loss!r}", where, f"one of {', '.join(FAMILIES)}"
        )


def _settings(
    raw: RawRun, saved: Saved, words: vocabulary.Vocabulary, code: CodeOfRun | None
) -> dict[str, Setting]:
    """What a config says, then what a checkpoint remembers, then what is read in code.

    Names alone come last.
    """
    seen = vocabulary.settle([s for s in raw.settings if not s.how], vocabulary=words)
    kept = vocabulary.settle(saved.settings, vocabulary=words)
    named = vocabulary.settle([s for s in raw.settings if s.how], vocabulary=words)
    if code is None:
        return {**named, **kept, **seen}
    from gandoctor.api.code import settings_of

    return {**named, **settings_of(code), **kept, **seen}


def _game(
    infer: Callable[[Mapping[str, Setting]], Objective],
    settings: dict[str, Setting],
    code: CodeOfRun | None,
) -> tuple[dict[str, Setting], Objective, str]:
    """The settings, the game, and what is to be said of the code."""
    game = infer(settings)
    if code is None or code.own:
        return settings, game, code.note if code is not None else ""
    bare = without_game(settings)
    alone = infer(bare)
    if not contradicts(alone, settings):
        return settings, game, code.note
    left = f"its loss was left out, for the log looks like {alone.family}"
    return bare, alone, f"{code.note}; {left}"


# Settings by which code says which game it plays.
_OF_GAME: Final = ("loss_call", "loss_kind", "gp_lambda", "clip_value", "r1_gamma")
_ALIKE: Final = {"minimax": "nonsaturating", "wgan-gp": "wgan"}


def without_game(settings: Mapping[str, Setting]) -> dict[str, Setting]:
    """The settings without what was read in code of the game that it plays."""
    return {n: s for n, s in settings.items() if not (s.how and n in _OF_GAME)}


def contradicts(alone: Objective, settings: Mapping[str, Setting]) -> bool:
    """Whether a log looks like another game, by itself, than the one that code plays.

    Code in a source tree need not be what the run was trained with.
    """
    called = settings.get("loss_call")
    if called is None or not called.how or alone.confidence == "low":
        return False
    families = [_ALIKE.get(f, f) for f in (str(called.value), alone.family)]
    return families[0] != families[1] and alone.family not in ("unknown", "other")


def _heeded(
    raw: RawRun, words: vocabulary.Vocabulary, options: Options, *, several: bool
) -> tuple[dict[str, str], list[str]]:
    """The mapping without what the run's own word cannot mean, and what that was."""
    tags = {s.tag for s in raw.signals}
    wanted, idle = dict(options.map), []
    for role in sorted(options.of_run & wanted.keys()):
        if role in words.roles and wanted[role] in tags:
            continue
        why = (
            f"there is no signal {wanted[role]!r}"
            if role in words.roles
            else "there is no such role"
        )
        idle.append(f"{options.origin(f'map.{role}', 'map')} of the run was left out: {why}")
        del wanted[role]
    if several:
        wanted = {
            role: tag for role, tag in wanted.items() if tag in tags or role not in words.roles
        }
    return wanted, idle


def followed(run: Run, options: Options) -> dict[str, str]:
    """The mapping without what a note of the run says was left out."""
    return {
        role: tag
        for role, tag in options.map.items()
        if role not in options.of_run
        or not any(
            n.startswith(f"{options.origin(f'map.{role}', 'map')} of the run was left")
            for n in run.notes
        )
    }


def _given(options: Options) -> Given | None:
    """The real data that the caller names."""
    if options.data is None:
        return None
    from gandoctor.samples import given

    return given.at(options.data)


def _measured(
    raw: RawRun, given: Given | None
) -> tuple[tuple[Signal, ...], dict[str, float], tuple[str, ...]]:
    """What the samples say; whatever is wrong with them, the rest of the report stands."""
    said = (f"real data given with --data: {given}",) if given is not None else ()
    if not raw.pictures:
        return (), {}, said
    from gandoctor import samples

    try:
        signals, facts, notes = samples.measure(raw.pictures, raw.root, given)
        return signals, facts, (*said, *notes)
    except Exception as e:
        fault = unforeseen(e, "their", "")
        return (), {}, (f"the samples were left out: {fault.what}",)


def _said_of_the_data(settings: Mapping[str, Setting]) -> dict[str, float]:
    """The range of the real data as the config gives it; what was measured goes before it."""
    named = (("real_min", "data_low"), ("real_max", "data_high"))
    values = {fact: settings[name].value for fact, name in named if name in settings}
    return {
        k: float(v)
        for k, v in values.items()
        if isinstance(v, int | float) and not isinstance(v, bool)
    }


def _relative_variance(signals: Sequence[Signal], facts: Mapping[str, float]) -> list[Signal]:
    """Logged sample variance divided by the real data's, where that is known.

    Rules speak of the ratio.
    """
    real = facts.get("real_variance", 0.0)
    if not real > 0:
        return []
    return [
        replace(
            s,
            tag=f"{s.tag} / real",
            values=s.values / real,
            source="",
            because=f"the real data's variance is {real:.3g}",
        )
        for s in signals
        if s.role == "sample_variance"
    ]
