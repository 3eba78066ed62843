"""Align, observe, judge: rules against a run; then rank the causes that explain what was found.

The order of thought is the clinician's: every rule is asked first (true, false or unknown), what fired gives symptoms,
symptoms and settings give causes, and a cause silences the findings it explains.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from gandoctor.lang.evaluate import Frame, Outcome, Series, decide, judge, number_of
from gandoctor.model.report import (
    Diagnosis,
    Evidence,
    Finding,
    NotChecked,
    Reason,
    RiskNote,
    Truth,
    Verdict,
)
from gandoctor.model.rules import SEVERITIES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from gandoctor.model.rules import Cause, Clause, Rule, Rulebook
    from gandoctor.model.signals import Run, Signal

CONFIDENCES: Final = ("low", "medium", "high")
_PLACE: Final = re.compile(r"\{([^{}]+)\}")
MOST_DIAGNOSES: Final = 5
# A cause this many nats behind the best one is no longer worth a reader's time.
NEAR: Final = 4.0
# Of two causes this close, the one declared deeper goes first.
TIE: Final = 0.5
# Below this many points of D's and of G's loss, "healthy" would be a guess.
ENOUGH_POINTS: Final = 20
# Symptoms of which at least these must have been looked for before a run is called healthy.
MUST_HAVE_CHECKED: Final = ("exploding-or-nan", "discriminator-dominance")
# What else shows that G is not beaten, where a family has no rule about D's win: what its samples are like.
SEEN_IN_SAMPLES: Final = ("mode-collapse", "no-convergence")
# Median advantage of D below which it does no better than guessing.
D_GUESSES: Final = 0.015
# What tells how good samples are, whatever the losses.
QUALITY: Final = frozenset({"fid", "kid", "inception_score", "sample_distance", "sample_coverage"})
# What tells more of D than its loss does.
BESIDE_LOSSES: Final = frozenset({
    "d_acc", "d_real_acc", "d_fake_acc", "d_real_score", "d_fake_score", "fid", "kid", "psnr_ssim",
    "inception_score", "lpips", "progress",
})  # fmt: skip
# Samples that end before this share of the log say nothing of how the run ended.
SAMPLES_REACH: Final = 0.34
# Once a finding of this symptom stands, what the losses did afterwards means nothing.
ENDS_THE_GAME: Final = "exploding-or-nan"
# No run has converged at its first step: such a symptom begins where it was first seen.
TAKES_TIME: Final = ("no-convergence",)
# Roles whose value on held-out data means something else; a FID or a sample's variance is the same under any split.
SPLIT_MATTERS: Final = ("d_", "g_")
# Fewer points than this of a loss and what a rule finds is held with less confidence.
FEW_POINTS: Final = 12
# Signals that are looked at now and then; a few looks at them are enough.
LOOKS: Final = frozenset({"fid", "kid"})
LOOKED_AT: Final = "sample_"
# Signals whose steps are the steps of the game.
GAME: Final = ("d_loss", "d_loss_real", "d_loss_fake", "g_loss", "g_loss_adv", "wasserstein_estimate")


@dataclass(frozen=True, slots=True)
class Answer:
    """What one rule said about one network of a run."""

    rule: Rule
    network: str
    truth: bool | None
    outcomes: Mapping[str, Outcome]
    onset: int | None
    reason: str = ""
    lowered: int = 0


@dataclass(frozen=True, slots=True)
class Examination:
    """All that was found out about a run; `gandoctor.api` turns it into a report."""

    verdict: Verdict
    why_verdict: str
    findings: tuple[Finding, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()
    risks: tuple[RiskNote, ...] = ()
    clear: tuple[str, ...] = ()
    not_checked: tuple[NotChecked, ...] = ()
    ignored: tuple[NotChecked, ...] = ()
    answers: tuple[Answer, ...] = field(default=(), compare=False)
    holds: Callable[[Clause], bool | None] = field(default=lambda _clause: None, compare=False)


def examine(
    run: Run, book: Rulebook, *, ignore: Mapping[str, str] | None = None, asked: Sequence[Answer] = ()
) -> Examination:
    """Ask every rule about a run and rank the causes of what fired.

    Parameters
    ----------
    run : Run
    book : Rulebook
    ignore : Mapping of str to str, optional
        Rule ids not to ask, each with the user's reason; they are listed in the report.
    asked : sequence of Answer, optional
        What the rules said before: then only the causes are ranked anew.

    Returns
    -------
    Examination
    """
    ignore = ignore or {}
    frames = {network: frame_of(run, network) for network in networks(run)}
    answers = list(asked) or [
        ask(rule, run, network, frame)
        for rule in book.rules
        if rule.status != "retired" and rule.id not in ignore
        for network, frame in frames.items()
    ]
    fired = [a for a in answers if a.truth and a.rule.kind == "symptom"]
    once: dict[str, Finding] = {}  # a signal that networks share is found once, not for each of them
    for f in sorted((_finding(a, run, frames[a.network]) for a in fired), key=_finding_order):
        once.setdefault(f.fingerprint, f)
    told = list(once.values())
    findings = [f for f in told if f.status != "preview"]  # a rule on trial is reported, and decides nothing
    settled = frames[_network_of_interest(fired, frames)]
    settled = replace(settled, flags=_flags(book, answers))
    diagnoses, findings = _rank(book.causes, findings, run, settled)
    verdict, why = _verdict(run, book, answers, findings, diagnoses)
    return Examination(
        verdict=verdict,
        why_verdict=why,
        findings=(*findings, *(f for f in told if f.status == "preview")),
        diagnoses=tuple(diagnoses),
        risks=tuple(
            _risk(a, run, frames[a.network]) for a in _first_by_rule(answers) if a.truth and a.rule.kind == "risk"
        ),
        clear=tuple(r.id for r in book.rules if r.kind == "symptom" and _truth_of(r.id, answers) is False),
        not_checked=tuple(_not_checked(book, answers, run)),
        ignored=tuple(NotChecked(i, book.by_id[i].title, why, "") for i, why in ignore.items() if i in book.by_id),
        answers=tuple(answers),
        holds=lambda clause: _ask_clause(clause, settled, {}).truth,
    )


# ---------------------------------------------------------------- the run as the language sees it


def networks(run: Run) -> list[str]:
    """Names of the networks that have a discriminator of their own; [""] where there is one or nothing tells."""
    named = sorted({s.network for s in run.signals if s.role and s.role.startswith("d_") and s.network})
    shared = any(s.role and s.role.startswith("d_") and not s.network for s in run.signals)
    return [""] if not named else ["", *named] if shared else named


def frame_of(run: Run, network: str) -> Frame:
    """The names a rule may use, for one network; what it lacks falls back to the signals shared by all networks.

    Parameters
    ----------
    run : Run
    network : str

    Returns
    -------
    Frame
        Series by role; those of the validation split under ``val_<role>`` beside it.
    """
    series: dict[str, Series] = {}
    chosen = pick(run, network)
    first, last = _span(chosen, run)
    for name, signal in chosen.items():
        series[name] = Series(signal.steps, signal.values, name.removeprefix("val_") in run.higher_is_better)
    numbers: dict[str, float | str | None] = {k: float(v) for k, v in run.facts.items()}
    words: dict[str, str] = {}
    for name, setting in run.settings.items():
        value = setting.value
        if isinstance(value, bool):
            words[name] = "true" if value else "false"
            numbers[name] = float(value)
        elif isinstance(value, int | float):
            numbers[name] = float(value)
        elif isinstance(value, str):
            words[name] = numbers[name] = value  # a number written as text is one a rule may ask about
    objective = run.objective
    several = objective.summed.get(network, 1)
    for name, level in (
        ("chance_d", objective.chance_d),
        ("chance_g", objective.chance_g),
        ("floor_d", objective.floor_d),
    ):
        numbers[name] = None if level is None else level * several
    numbers["n_steps"] = float(last - first)
    return Frame(
        series=series,
        numbers=numbers,
        words=words,
        flags={},
        first_step=first,
        last_step=last,
        step_unit=run.step_unit,
    )


def pick(run: Run, network: str) -> dict[str, Signal]:
    """One signal a role.

    Of this network before a shared one, training before validation, derived before logged (it is only derived where
    it says more), the better candidate, the longer before the shorter.
    """

    def rank(s: Signal) -> tuple[bool, bool, bool, int, int]:
        held_out = s.split == "val" and (s.role or "").startswith(SPLIT_MATTERS)
        return (s.network == network, not held_out, not s.source, -s.rank, len(s))

    chosen: dict[str, Signal] = {}
    for signal in run.signals:
        role = signal.role
        if role is None or not len(signal) or (signal.network and signal.network != network):
            continue
        for name in (role, f"val_{role}") if signal.split == "val" else (role,):
            if name not in chosen or rank(signal) > rank(chosen[name]):
                chosen[name] = signal
    if "g_loss" not in chosen and "g_loss_adv" in chosen:
        chosen["g_loss"] = chosen["g_loss_adv"]  # all that was logged of G's loss
    return chosen


def _span(chosen: Mapping[str, Signal], run: Run) -> tuple[int, int]:
    """First and last step of the game itself: warm-ups without a D and a longer evaluation are no part of it."""
    played = [s for name, s in chosen.items() if name in GAME]
    if not played:
        return run.first_step, run.last_step
    return min(int(s.steps[0]) for s in played), max(int(s.steps[-1]) for s in played)


def _network_of_interest(fired: Sequence[Answer], frames: Mapping[str, Frame]) -> str:
    return fired[0].network if fired else next(iter(frames))


# ---------------------------------------------------------------- asking a rule


def ask(rule: Rule, run: Run, network: str, frame: Frame) -> Answer:
    """Ask one rule about one network.

    Returns
    -------
    Answer
        `truth` None where it cannot be known; `reason` then says why.
    """
    fits, reason, lowered = _applies(rule, run)
    if fits is not True:
        return Answer(rule, network, fits, {}, None, reason)
    few = _few_points(rule, frame)
    if few and "family" in rule.applies_to and run.objective.confidence == "low":
        reason = f"the loss family is a guess from fewer than {FEW_POINTS} points; say it with --loss"
        return Answer(rule, network, None, {}, None, reason)
    lowered += few
    outcomes: dict[str, Outcome] = {}
    for clause in rule.clauses:
        outcome = _ask_clause(clause, frame, outcomes)
        outcomes[clause.name] = outcome if rule.symptom in TAKES_TIME else _from_the_start(outcome, frame)
    truth, onset = decide(rule.when, outcomes)
    why = next((o.reason for o in outcomes.values() if o.truth is None and o.reason), "") if truth is None else ""
    return Answer(rule, network, truth, outcomes, onset, why, lowered)


def _ask_clause(clause: Clause, frame: Frame, asked: Mapping[str, Outcome]) -> Outcome:
    return judge(clause.where, clause.given, clause.over, clause.for_, frame, asked)


def _from_the_start(outcome: Outcome, frame: Frame) -> Outcome:
    """What held at the very first look at a signal began before it: at the start of the run, for all that is known."""
    seen = [frame.series[n].steps for n in outcome.names if n in frame.series]
    first = max((int(steps[0]) for steps in seen if steps.size), default=None)
    if outcome.onset is None or first is None or outcome.onset > first:
        return outcome
    return replace(outcome, onset=frame.span[0])


def _few_points(rule: Rule, frame: Frame) -> bool:
    """Whether a rule about the course of the losses has too few of them to be sure; a NaN needs no second look."""
    if rule.symptom == ENDS_THE_GAME:
        return False
    named = {n for c in rule.clauses if c.where is not None for n in c.where.names}
    points = [
        len(frame.series[n].values)
        for n in named
        if n in frame.series and n not in LOOKS and not n.startswith(LOOKED_AT)
    ]
    return bool(points) and max(points) < FEW_POINTS


def _applies(rule: Rule, run: Run) -> tuple[bool | None, str, int]:
    """Whether a rule is about this game at all: (True | False | None, why not known, steps of confidence lost)."""
    objective = run.objective
    lowered = 0
    for key, allowed in rule.applies_to.items():
        if key == "family":
            if objective.family != "unknown":
                if objective.family not in allowed:
                    return False, "", 0
                continue
            possible = objective.candidates
            if possible and all(f in allowed for f in possible):
                lowered = 1
                continue
            if possible and not any(f in allowed for f in possible):
                return False, "", 0
            guess = f" (it may be {', '.join(possible)})" if possible else ""
            return None, f"the loss family is not known{guess}; say it with --loss", 0
        if key == "led_by":
            if ("something" if objective.led_by else "nothing") not in allowed:
                return False, "", 0
        elif key == "unit":
            if run.step_unit not in allowed:
                return False, "", 0
        elif key == "reduction" and objective.reduction not in allowed:
            return False, "", 0
    return True, "", lowered


def _truth_of(rule_id: str, answers: Iterable[Answer]) -> bool | None:
    """Over all networks: true if any, false if none and all were known."""
    truths = [a.truth for a in answers if a.rule.id == rule_id]
    if any(truths):
        return True
    return None if None in truths or not truths else False


def _first_by_rule(answers: Iterable[Answer]) -> list[Answer]:
    seen: dict[str, Answer] = {}
    for a in answers:
        if a.rule.id not in seen or (a.truth and not seen[a.rule.id].truth):
            seen[a.rule.id] = a
    return list(seen.values())


def _flags(book: Rulebook, answers: Sequence[Answer]) -> dict[str, bool | None]:
    """Truth of every rule and every symptom, under names the language can spell."""
    by_rule = {r.id: _truth_of(r.id, answers) for r in book.rules}
    flags = {_spelled(i): t for i, t in by_rule.items()}
    for symptom in {r.symptom for r in book.rules if r.symptom}:
        truths = [by_rule[r.id] for r in book.rules if r.symptom == symptom and r.status == "stable"]
        flags[_spelled(symptom)] = True if any(truths) else None if None in truths else False
    return flags


def _spelled(name: str) -> str:
    return name.replace("-", "_")


# ---------------------------------------------------------------- findings


def _finding(answer: Answer, run: Run, frame: Frame) -> Finding:
    rule = answer.rule
    chosen = pick(run, answer.network)
    confidence = CONFIDENCES[max(0, CONFIDENCES.index(rule.confidence) - answer.lowered)]
    asked = [c for c in rule.clauses if c.name in answer.outcomes]
    evidence = tuple(_evidence(c, answer.outcomes[c.name], chosen, frame) for c in asked)
    lead = next((e.signal for e in evidence if e.signal), "")
    onset = answer.onset
    if onset is None:
        starts = [i[0] for e in evidence if e.truth == "true" for i in e.intervals]
        onset = min(starts, default=None)
    return Finding(
        rule=rule.id,
        symptom=rule.symptom or "",
        title=rule.title,
        severity="low" if rule.status == "preview" else rule.severity,
        confidence="low" if rule.status == "preview" else confidence,
        onset_step=onset,
        fingerprint=f"{rule.id}:{lead}",
        why=rule.why,
        network=answer.network,
        status=rule.status,
        evidence=evidence,
    )


def _evidence(clause: Clause, outcome: Outcome, chosen: Mapping[str, Signal], frame: Frame) -> Evidence:
    tags = tuple(chosen[n].tag for n in outcome.names if n in chosen)
    lead = chosen.get(outcome.primary or "")
    primary = lead.tag if lead else next(iter(tags), "")
    truth: Truth = "unknown" if outcome.truth is None else "true" if outcome.truth else "false"
    return Evidence(
        clause=clause.name,
        truth=truth,
        text=_said(clause, outcome, frame),
        where=clause.where.text if clause.where else "",
        intervals=outcome.intervals[:200],
        window=outcome.window,
        share=outcome.share,
        margin=outcome.margin,
        signal=primary,
        threshold=outcome.threshold,
        reason=outcome.reason,
        signals=tags,
    )


def _said(clause: Clause, outcome: Outcome, frame: Frame) -> str:
    if outcome.truth is None:
        return outcome.reason
    if clause.says and outcome.truth:
        return fill(clause.says, outcome, frame)
    parts = [clause.where.text if clause.where else ""]
    parts += [f"{k} is {' or '.join(v)}" for k, v in clause.given.items()]
    text = ("" if outcome.truth else "not so: ") + " and ".join(p for p in parts if p)
    if outcome.window and outcome.share is not None:
        text += f": held on {_percent(outcome.share)} of steps {outcome.window[0]:,} to {outcome.window[1]:,}"
    numbers = ", ".join(f"{k} = {_number(v)}" for k, v in list(outcome.values.items())[:4] if k != text)
    return f"{text} ({numbers})" if numbers else text


def fill(text: str, outcome: Outcome, frame: Frame, extra: Mapping[str, str] | None = None) -> str:
    """Fill the ``{...}`` places of a sentence from the run; a place that nothing fills stays as it is.

    ``{expression}`` gives its number within the clause's window where the clause computed it, else over the whole
    run; ``{expression:%}`` gives it in per cent.
    """
    first, last = outcome.window or frame.span
    known = {"first": f"{first:,}", "last": f"{last:,}", "unit": unit_word(frame.step_unit)}
    known |= {"share": _percent(outcome.share)} if outcome.share is not None else {}
    known |= {"onset": f"{outcome.onset:,}"} if outcome.onset is not None else {}
    known |= extra or {}

    def place(m: re.Match[str]) -> str:
        name = m[1].strip()
        if name in known:
            return known[name]
        asked = name.removesuffix(":%")
        value = outcome.values.get(asked)
        value = number_of(asked, frame) if value is None else value
        if value is None:
            return m[0]
        return _percent(float(value)) if asked != name else _number(value)

    return _PLACE.sub(place, text)


def unit_word(unit: str) -> str:
    """What one step of the axis is called."""
    return {"epochs": "epoch", "kimg": "kimg"}.get(unit, "step")


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _number(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, int | float | np.floating | np.integer):
        return str(value)
    number = float(value)
    if not np.isfinite(number):
        return {np.inf: "infinite", -np.inf: "minus infinity"}.get(number, "not a number")
    if abs(number) < 1e6 and number == round(number):
        return f"{number:,.0f}"
    return f"{number:.3g}"


def _finding_order(f: Finding) -> tuple[int, int, float, str]:
    onset = float("inf") if f.onset_step is None else float(f.onset_step)
    return (SEVERITIES.index(f.severity), -CONFIDENCES.index(f.confidence), onset, f.rule)


def _risk(answer: Answer, run: Run, frame: Frame) -> RiskNote:
    rule = answer.rule
    held = [(c, o) for c in rule.clauses for o in [answer.outcomes.get(c.name)] if o is not None and o.truth]
    # Of the settings that a rule is about, those that its evidence names are the doubtful ones.
    named = {name for clause, _ in held for name in _settings_of(clause)}
    doubtful = [s for s in rule.settings if s in named] or rule.settings
    keys = tuple(dict.fromkeys(run.settings[s].key for s in doubtful if s in run.settings and run.settings[s].key))
    extra = {n: _shown(run, n) for n in run.settings}
    said = dict.fromkeys(fill(c.says, outcome, frame, extra) for c, outcome in held if c.says)
    return RiskNote(rule.id, rule.title, " ".join([*said, rule.why]).strip(), keys)


def _shown(run: Run, name: str) -> str:
    setting = run.settings[name]
    return f"{setting.key or name} = {setting.value}"  # worked out from others, it has no key of its own


def _not_checked(book: Rulebook, answers: Sequence[Answer], run: Run) -> Iterable[NotChecked]:
    for rule in book.rules:
        if rule.kind != "symptom" or rule.status == "retired" or _truth_of(rule.id, answers) is not None:
            continue
        answer = next((a for a in answers if a.rule.id == rule.id and a.truth is None), None)
        if answer is None:
            continue
        missing = [
            n
            for o in answer.outcomes.values()
            if o.truth is None
            for n in o.names
            if n not in pick(run, answer.network)
        ]
        lines = [run.log_it[n] for n in dict.fromkeys(missing) if n in run.log_it]
        yield NotChecked(rule.id, rule.title, answer.reason or "not enough was logged", rule.log_it or "\n".join(lines))


# ---------------------------------------------------------------- causes


@dataclass(frozen=True, slots=True)
class _Candidate:
    cause: Cause
    explained: tuple[Finding, ...]
    score: float
    reasons: tuple[Reason, ...]
    blamed: tuple[str, ...]


def _rank(
    causes: Sequence[Cause], findings: Sequence[Finding], run: Run, frame: Frame
) -> tuple[list[Diagnosis], list[Finding]]:
    """Causes by score, deepest first among equals; and the findings, each silenced by the cause that explains it."""
    candidates = [c for c in (_weigh(cause, findings, run, frame) for cause in causes) if c is not None]
    candidates.sort(key=lambda c: (-c.score, c.cause.id))
    candidates = _deepest_first(candidates)
    chosen: list[_Candidate] = []
    covered: set[str] = set()
    best = candidates[0].score if candidates else 0.0
    for c in candidates:
        new = {f.fingerprint for f in c.explained} - covered
        if (new or c.score >= best - NEAR) and len(chosen) < MOST_DIAGNOSES:
            chosen.append(c)
            covered |= new
    explained_by: dict[str, str] = {}
    leads: set[str] = set()
    for c in chosen:
        mine = [f for f in c.explained if f.fingerprint not in explained_by]
        if mine:
            leads.add(max(mine, key=lambda f: _pull(c.cause, f)).fingerprint)
            explained_by |= {f.fingerprint: c.cause.id for f in mine}
    told = [
        replace(f, explained_by=explained_by.get(f.fingerprint) if f.fingerprint not in leads else None)
        for f in findings
    ]
    return [_diagnosis(c, run, first=i == 0) for i, c in enumerate(chosen)], told


def _pull(cause: Cause, finding: Finding) -> tuple[float, int]:
    return (cause.explains.get(finding.symptom, 0.0), -SEVERITIES.index(finding.severity))


def _weigh(cause: Cause, findings: Sequence[Finding], run: Run, frame: Frame) -> _Candidate | None:
    explained = tuple(f for f in findings if f.symptom in cause.explains)
    if not explained:
        return None
    reasons: list[Reason] = []
    score = cause.prior
    for symptom, weight in cause.explains.items():
        mine = [f for f in explained if f.symptom == symptom]
        if mine:
            strength = weight if any(f.confidence != "low" for f in mine) else weight / 2
            score += strength
            reasons.append(Reason(f"it explains {symptom}: {_lower(mine[0].title)}", strength))
    extra = {name: _shown(run, name) for name in run.settings}
    told = len(reasons)
    named: set[str] = set()
    for terms, sign in ((cause.for_, 1.0), (cause.against, -1.0)):
        for term in terms:
            outcome = _ask_clause(term.clause, frame, {})
            if outcome.truth:
                text = term.says or _said(term.clause, outcome, frame)
                score += sign * term.weight
                named |= _settings_of(term.clause) if sign > 0 else set()
                reasons.append(Reason(fill(text, outcome, frame, extra), sign * term.weight))
    if not cause.common and not any(r.weight > 0 for r in reasons[told:]):
        return None
    # Where reasons point at some of a cause's settings, the others are not to blame.
    blamed = tuple(s for s in cause.settings if s in named) or cause.settings
    return _Candidate(cause, explained, score, tuple(reasons), blamed)


def _settings_of(clause: Clause) -> set[str]:
    return {*clause.given, *(clause.where.names if clause.where is not None else ())}


def _deepest_first(ranked: list[_Candidate]) -> list[_Candidate]:
    """Within a near tie a cause goes before those it is declared deeper than."""
    out = list(ranked)
    for i in range(len(out)):
        for j in range(i + 1, len(out)):
            if out[i].score - out[j].score > TIE:
                break
            if out[i].cause.id in out[j].cause.deeper_than:
                out.insert(i, out.pop(j))
                break
    return out


def _diagnosis(c: _Candidate, run: Run, *, first: bool) -> Diagnosis:
    ordered = sorted(c.explained, key=lambda f: (-c.cause.explains[f.symptom], _finding_order(f)))
    severity = min((f.severity for f in ordered), key=SEVERITIES.index)
    worst = [f for f in ordered if f.severity == severity]
    confidence = max((f.confidence for f in worst), key=CONFIDENCES.index)
    if not first:
        # Another explanation of the same findings is held less firmly than the best one.
        confidence = CONFIDENCES[max(0, CONFIDENCES.index(confidence) - 1)]
    keys = dict.fromkeys(run.settings[s].key for s in c.blamed if s in run.settings)
    lead = [f.onset_step for f in worst if f.symptom == worst[0].symptom and f.onset_step is not None]
    onsets = lead or [f.onset_step for f in ordered if f.onset_step is not None]
    return Diagnosis(
        cause=c.cause.id,
        title=c.cause.title,
        story=c.cause.story,
        symptoms=tuple(dict.fromkeys(f.symptom for f in ordered)),
        severity=severity,
        confidence=confidence,
        score=round(c.score, 3),
        reasons=tuple(sorted(c.reasons, key=lambda r: -r.weight)),
        onset_step=min(onsets, default=None),
        settings=tuple(keys),
        findings=tuple(f.fingerprint for f in ordered),
    )


# ---------------------------------------------------------------- the verdict


def _verdict(
    run: Run,
    book: Rulebook,
    answers: Sequence[Answer],
    findings: Sequence[Finding],
    diagnoses: Sequence[Diagnosis],
) -> tuple[Verdict, str]:
    held = [d for d in diagnoses if d.severity == "high" and d.confidence != "low"]
    if held:
        first = held[0]
        return "failing", f"{_plain(first.symptoms[0])}{_since(first.onset_step, run)}: {_lower(first.title)}."
    if findings:
        f = findings[0]
        return "warning", f"{f.title}{_since(f.onset_step, run)}; held with {f.confidence} confidence."
    lacking = _lacking(run, book, answers)
    if lacking:
        return "inconclusive", f"Too little was logged to tell: {lacking}."
    return "healthy", "Enough was logged to know, and no symptom was found."


def _lacking(run: Run, book: Rulebook, answers: Sequence[Answer]) -> str:
    for roles, name in ((("d_loss", "d_loss_real", "d_loss_fake", "wasserstein_estimate"), "D's loss"),
                        (("g_loss", "g_loss_adv"), "G's loss")):  # fmt: skip
        points = max((len(s) for r in roles for s in run.by_role(r)), default=0)
        if not points:
            return f"no series could be understood as {name}"
        if points < ENOUGH_POINTS:
            return f"{name} has {points} points, and fewer than {ENOUGH_POINTS} do not show a trend"
    for symptom in MUST_HAVE_CHECKED:
        mine = [a for a in answers if a.rule.symptom == symptom and a.rule.kind == "symptom"]
        if not any(_worked_out(a) for a in mine) and not (symptom != ENDS_THE_GAME and _saw_samples(answers, run)):
            why = next((a.reason for a in mine if a.reason), "")
            why = why or ("no rule that looks for it is made for this loss" if mine else "no rule was asked")
            return f"{_plain(symptom).lower()} could not be checked, because {why}"
    judged = any(s.role in QUALITY and len(s) for s in run.signals)
    if run.objective.family == "unknown" and not run.objective.candidates and not judged:
        return "nothing tells which loss family this is, and no measure of quality was logged"
    return _apart(run) or _blind(run, answers)


def _worked_out(answer: Answer) -> bool:
    """Whether a rule looked and saw nothing; one that is for other families did not look."""
    return answer.truth is not None and bool(answer.outcomes)


def _saw_samples(answers: Sequence[Answer], run: Run) -> bool:
    """Whether what G makes was judged, by its samples or a measure of quality: then D's win would have been seen."""
    seen = {s.role for s in run.signals if s.role and len(s)}
    return any(
        _worked_out(a) and a.rule.symptom in SEEN_IN_SAMPLES and any(
            n in seen and (n in LOOKS or n == "progress" or n.startswith(LOOKED_AT))
            for o in a.outcomes.values() if o.truth is not None for n in o.names
        )
        for a in answers
    )  # fmt: skip


def _blind(run: Run, answers: Sequence[Answer]) -> str:
    """Why losses at chance alone are no proof of health: so they lie too where D is blind to one repeated sample."""
    if _saw_samples(answers, run) or any((s.role or "") in BESIDE_LOSSES and len(s) for s in run.signals):
        return ""
    for s in run.by_role("d_advantage"):
        late = s.values[s.steps >= (s.steps[0] + s.steps[-1]) / 2]
        late = late[np.isfinite(late)]
        if late.size and float(np.median(late)) < D_GUESSES:
            return (
                "D's loss lies where D only guesses, be it that G is perfect or that D is blind to a collapse, and "
                "nothing but losses was logged"
            )
    return ""


def _apart(run: Run) -> str:
    """Why the samples say nothing of the run's end, where their steps are not those of the log."""
    steps = [int(s.steps[-1]) for s in run.signals if (s.role or "").startswith(LOOKED_AT) and len(s)]
    starts = [int(s.steps[0]) for s in run.signals if (s.role or "").startswith(LOOKED_AT) and len(s)]
    played = [s for s in run.signals if s.role in GAME and len(s)]
    if not steps or not played:
        return ""
    first, last = min(int(s.steps[0]) for s in played), max(int(s.steps[-1]) for s in played)
    if max(steps) >= first + SAMPLES_REACH * (last - first) and min(starts) <= last:
        return ""
    unit = unit_word(run.step_unit)
    return (
        f"the samples are of {unit} {min(starts):,} to {max(steps):,} and the losses of {unit} {first:,} to {last:,}, "
        "so they do not match"
    )


def _plain(symptom: str) -> str:
    return symptom.replace("-", " ").capitalize()


def _lower(text: str) -> str:
    """Lower the first letter, unless the first word is a name such as ``D`` or ``WGAN``."""
    word = text.split(" ", 1)[0]
    return text if word.isupper() or word.endswith("'s") else text[:1].lower() + text[1:]


def _since(step: int | None, run: Run) -> str:
    if step is None:
        return ""
    return f" since {unit_word(run.step_unit)} {step:,}"
