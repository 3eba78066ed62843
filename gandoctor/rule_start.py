"""``gandoctor rules new ID``: a rule and its test to begin with, both valid as they are written."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from gandoctor import __version__, rulebook
from gandoctor.errors import UsageError, near
from gandoctor.files import writing
from gandoctor.model.rules import SYMPTOMS
from gandoctor.patterns import late_pattern

_ID: Final = late_pattern(r"[a-z0-9]+(?:-[a-z0-9]+)*")

_SYMPTOM: Final = """\
id: {id}
kind: symptom
symptom: {symptom}   # one of: {symptoms}
title: {title}
severity: medium   # how bad, if true: high, medium or low
status: preview   # it is reported apart and never decides, until it is measured
since: "{version}"
# Which games it is about; {{}} for all. Also led_by: [nothing] where no pixel or mel loss may lead G.
applies_to: {{family: [nonsaturating, minimax]}}
why: >
  Why it matters, in two sentences that a student understands.
# One clause a piece of evidence. where: the test; over: the part of the run; for: how much of it has to pass.
evidence:
  high:
    where: smooth(g_loss) > 10
    over: last 50%
    for: 80% of steps
    says: "G's loss was above 10 on {{share}} of steps {{first}} to {{last}}"
# Clauses are joined with and, or, not, then.
when: high
false_positives:
  - {{when: "the loss was logged as a sum over pixels", do: "log the mean"}}
references:
  - {{url: "https://arxiv.org/abs/1406.2661", says: "where this is known from"}}
"""
_SYMPTOM_TEST: Final = """\
# Small runs in the rules' own language: t goes from 0 to 1, step counts. Natural cases near the threshold are the best.
defaults: {family: nonsaturating}
fires:
  - name: far above, from the middle of the run on
    signals: {g_loss: "piecewise(1, at(0.4), 20 + noise(1))"}
    onset: 400
  - name: only just
    signals: {g_loss: "11.5 + 0.2*noise(1)"}
clear:
  - name: an ordinary level
    signals: {g_loss: "1 + 0.1*noise(1)"}
  - name: high, and not that high
    signals: {g_loss: "8.5 + 0.2*noise(1)"}
  - name: early only
    signals: {g_loss: "piecewise(20, at(0.4), 1)"}
unknown:
  - name: G's loss was not logged
    signals: {d_loss: "1.3 + 0*t"}
"""
_RISK: Final = """\
id: {id}
kind: risk   # a doubtful setting or a blind spot: alone it makes no verdict
title: {title}
status: preview
since: "{version}"
# Which games it is about; {{}} for all. Also led_by: [nothing] where no pixel or mel loss may lead G.
applies_to: {{}}
why: >
  Why it matters, in two sentences that a student understands, and what to do instead.
# where: a test of settings, facts and signals; given: settings that are words.
evidence:
  large:
    where: batch_size > 4096
    says: "{{batch_size}}."
# Clauses are joined with and, or, not.
when: large
# The settings that the report points at.
settings: [batch_size]
false_positives:
  - {{when: "it is the sum over many machines", do: "ignore the rule"}}
references:
  - {{url: "https://arxiv.org/abs/1809.11096", says: "where this is known from"}}
"""
_RISK_TEST: Final = """\
# Small runs in the rules' own language. Natural cases near the threshold are the best.
fires:
  - name: twice as much
    settings: {batch_size: 8192}
  - name: only just
    settings: {batch_size: 4800}
clear:
  - name: an ordinary batch
    settings: {batch_size: 64}
  - name: large, and not that large
    settings: {batch_size: 3500}
unknown:
  - name: the batch size was not found
    settings: {lr_d: 0.0002}
"""


def start(
    id_: str, folder: Path, kind: Literal["symptom", "risk"] = "symptom", symptom: str = ""
) -> list[Path]:
    """Write a rule and its test to begin with.

    Parameters
    ----------
    id_ : str
        Small letters, digits and single dashes; not taken by another rule, cause or remedy.
    folder : Path
        A rules folder; made where it is not there.
    kind : str
        ``symptom`` or ``risk``.
    symptom : str
        One of the closed list; ``no-convergence`` where it is empty.

    Returns
    -------
    list of Path
        The rule and its test.

    Raises
    ------
    UsageError
        The id is no id or taken, the symptom is none, or the folder cannot be written. Nothing is
        overwritten.
    """
    if not _ID.fullmatch(id_):
        raise UsageError(
            f"{id_!r} is no name for a rule",
            "",
            "small letters, digits and dashes: d-loss-collapses-early",
        )
    if symptom and symptom not in SYMPTOMS:
        raise UsageError(
            f"{symptom!r} is no symptom",
            "--symptom",
            near(symptom, SYMPTOMS) or ", ".join(SYMPTOMS),
        )
    for place in dict.fromkeys((rulebook.default_folder(), folder)):
        taken = (
            next((p for _, p in rulebook.files(place) if p.stem == id_), None)
            if place.is_dir()
            else None
        )
        if taken is not None:
            raise UsageError(f"{id_!r} is taken", str(taken), "ids are never reused")
    body, test = (_SYMPTOM, _SYMPTOM_TEST) if kind == "symptom" else (_RISK, _RISK_TEST)
    text = body.format(
        id=id_,
        title=id_.replace("-", " ").capitalize(),
        version=".".join(__version__.split(".")[:2]),
        symptom=symptom or "no-convergence",
        symptoms=", ".join(SYMPTOMS),
    )
    room = folder / f"{kind}s"
    rule, beside = room / f"{id_}.yaml", room / f"{id_}{rulebook.TEST_SUFFIX}"
    try:
        room.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise UsageError(
            f"cannot be written ({e.strerror or e})", str(room), "give a folder with --rules"
        ) from None
    for path in (rule, beside):
        writing.check(path, new=True)
    for path, content in ((rule, text), (beside, test)):
        writing.write_text(path, content, new=True)
    return [rule, beside]
