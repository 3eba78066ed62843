"""What fired, as findings: evidence in words, risks, and what could not be checked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gandoctor.diagnose.asking import truths_of
from gandoctor.diagnose.frame import pick
from gandoctor.diagnose.wording import number_shown, percent, unit_word
from gandoctor.lang.evaluate import number_of
from gandoctor.lexicon.reading import roles_of
from gandoctor.model.report import Evidence, Finding, NotChecked, RiskNote, Truth
from gandoctor.model.rules import SEVERITIES
from gandoctor.patterns import late_pattern

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gandoctor.diagnose.asking import Answer
    from gandoctor.lang.evaluate import Frame, Outcome
    from gandoctor.model.rules import Clause, Rulebook
    from gandoctor.model.signals import Run, Signal

CONFIDENCES: Final = ("low", "medium", "high")
_PLACE: Final = late_pattern(r"\{([^{}]+)\}")
_TRUTH_WORDS: Final[Mapping[bool | None, Truth]] = {True: "true", False: "false", None: "unknown"}


def finding(answer: Answer, run: Run, frame: Frame) -> Finding:
    """What fired, with its evidence, confidence and onset."""
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


def _evidence(
    clause: Clause, outcome: Outcome, chosen: Mapping[str, Signal], frame: Frame
) -> Evidence:
    tags = tuple(chosen[n].tag for n in outcome.names if n in chosen)
    lead = chosen.get(outcome.primary or "")
    primary = lead.tag if lead else next(iter(tags), "")
    return Evidence(
        clause=clause.name,
        truth=_TRUTH_WORDS[outcome.truth],
        text=said(clause, outcome, frame),
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


def said(clause: Clause, outcome: Outcome, frame: Frame) -> str:
    """What a clause found, as a sentence."""
    if outcome.truth is None:
        return outcome.reason
    if clause.says and outcome.truth:
        return fill(clause.says, outcome, frame)
    parts = [clause.where.text if clause.where else ""]
    parts += [f"{k} is {' or '.join(v)}" for k, v in clause.given.items()]
    text = ("" if outcome.truth else "not so: ") + " and ".join(p for p in parts if p)
    if outcome.window and outcome.share is not None:
        text += (
            f": held on {percent(outcome.share)} of steps {outcome.window[0]:,} to "
            f"{outcome.window[1]:,}"
        )
    numbers = ", ".join(
        f"{k} = {number_shown(v)}" for k, v in list(outcome.values.items())[:4] if k != text
    )
    return f"{text} ({numbers})" if numbers else text


def fill(text: str, outcome: Outcome, frame: Frame, extra: Mapping[str, str] | None = None) -> str:
    """Fill the ``{...}`` places of a sentence from the run.

    A place that nothing fills stays as it is.

    ``{expression}`` gives its number as the clause computed it, else within the clause's window,
    and over the whole run only where it has none there; ``{expression:%}`` gives it in per cent.
    """
    first, last = outcome.window or frame.span
    known = {"first": f"{first:,}", "last": f"{last:,}", "unit": unit_word(frame.step_unit)}
    known |= {"share": percent(outcome.share)} if outcome.share is not None else {}
    known |= {"onset": f"{outcome.onset:,}"} if outcome.onset is not None else {}
    known |= extra or {}

    def place(m: re.Match[str]) -> str:
        name = m[1].strip()
        if name in known:
            return known[name]
        asked = name.removesuffix(":%")
        value = outcome.values.get(asked)
        if value is None:
            value = number_of(asked, frame, window=outcome.window)
        if value is None:
            value = number_of(asked, frame)
        if value is None:
            return m[0]
        return percent(float(value)) if asked != name else number_shown(value)

    return _PLACE.sub(place, text)


def finding_order(f: Finding) -> tuple[int, int, float, str]:
    """Sort key: the worst, surest and earliest first."""
    onset = float("inf") if f.onset_step is None else float(f.onset_step)
    return (SEVERITIES.index(f.severity), -CONFIDENCES.index(f.confidence), onset, f.rule)


def risk_note(answer: Answer, run: Run, frame: Frame) -> RiskNote:
    """A doubtful setting in words, with the user's own keys."""
    rule = answer.rule
    held = [
        (c, o)
        for c in rule.clauses
        for o in [answer.outcomes.get(c.name)]
        if o is not None and o.truth
    ]
    # Of the settings that a rule is about, those that its evidence names are the doubtful ones.
    named = {name for clause, _ in held for name in settings_of(clause)}
    doubtful = [s for s in rule.settings if s in named] or rule.settings
    keys = tuple(
        dict.fromkeys(
            run.settings[s].key for s in doubtful if s in run.settings and run.settings[s].key
        )
    )
    extra = {n: setting_shown(run, n) for n in run.settings}
    said = dict.fromkeys(fill(c.says, outcome, frame, extra) for c, outcome in held if c.says)
    return RiskNote(rule.id, rule.title, " ".join([*said, rule.why]).strip(), keys)


def setting_shown(run: Run, name: str) -> str:
    """A setting as the user wrote it."""
    setting = run.settings[name]
    # worked out from others, it has no key of its own
    return f"{setting.key or name} = {setting.value}"


def not_checked(book: Rulebook, answers: Sequence[Answer], run: Run) -> Iterable[NotChecked]:
    """Rules that could not be decided, each with why and what to log."""
    truths = truths_of(answers)
    open_ = {a.rule.id: a for a in reversed(answers) if a.truth is None}
    roles = roles_of(run)
    for rule in book.rules:
        answer = open_.get(rule.id)
        if rule.kind != "symptom" or answer is None or truths[rule.id]:
            continue
        chosen = pick(run, answer.network)
        missing = [
            n
            for o in answer.outcomes.values()
            if o.truth is None
            for n in o.names
            if n not in chosen
        ]
        lines = dict.fromkeys(roles[n].log_it for n in missing if n in roles)
        yield NotChecked(
            rule.id,
            rule.title,
            answer.reason or "not enough was logged",
            rule.log_it or "\n".join(filter(None, lines)),
            tuple(dict.fromkeys(missing)),
        )


def settings_of(clause: Clause) -> set[str]:
    """Names that a clause tests, settings among them."""
    return {*clause.given, *(clause.where.names if clause.where is not None else ())}
