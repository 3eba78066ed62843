"""Runs the ``x.test.yaml`` beside a remedy: a config before and after, or why it is left as it is.

A case has the text of a config; signals, facts and the game, where the remedy asks for them, are
described as those of rules are (`gandoctor.ruletest`).
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gandoctor import diagnose, vocabulary
from gandoctor.configs import read_config
from gandoctor.diagnose.asking import holds
from gandoctor.errors import GandoctorError
from gandoctor.model.report import Diagnosis
from gandoctor.page import Page
from gandoctor.prescribe import diff, prescribe
from gandoctor.ruletest.cases import described, found, page_of, test_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gandoctor.errors import RuleError
    from gandoctor.lexicon.book import Vocabulary
    from gandoctor.model.report import Prescription
    from gandoctor.model.rules import Remedy
    from gandoctor.model.signals import Run
    from gandoctor.rulebook import Words

CHANGES: Final = "changes"
LEAVES: Final = "leaves"
EXPECTED: Final = (CHANGES, LEAVES)
NOT_OFFERED: Final = "what it is offered for (only_if) does not hold"
_OWN_KEYS: Final = ("config", "file", "after", "because")


def judged(
    remedies: Sequence[Remedy], folders: Sequence[Path], words: Words, faults: list[RuleError]
) -> Iterator[tuple[str, str, str, str]]:
    """What came of each case of each remedy that has a test.

    Parameters
    ----------
    remedies : sequence of Remedy
    folders : sequence of Path
    words : Words
    faults : list of RuleError
        Tests that cannot be read are added to it.

    Yields
    ------
    tuple of str
        (remedy, ``changes`` or ``leaves``, name of the case, what came instead; empty where it
        passed).
    """
    known: Vocabulary | None = None
    for remedy in remedies:
        where = test_of(remedy)
        path = found(where, folders)
        page = page_of(path, where, (*EXPECTED, "defaults"), faults) if path is not None else None
        if page is None:
            continue
        known = known or vocabulary.load(folders)
        defaults = page.mapping("defaults")
        for expected, case in ((e, c) for e in EXPECTED for c in page.items(e)):
            told = Page({**defaults, **case.data}, case.where, faults)
            outcome = _complaint(remedy, expected, told, words, known)
            if outcome is not None:
                yield remedy.id, expected, case.text("name", default="unnamed"), outcome


def _complaint(
    remedy: Remedy, expected: str, case: Page, words: Words, known: Vocabulary
) -> str | None:
    """What the remedy should not have done; None, and a fault, where the case cannot be read."""
    before = len(case.faults)
    config, file = case.text("config", need=True), case.text("file", default="config.yaml")
    after = [" ".join(line.split()) for line in case.names("after", None)]
    because = case.text("because")
    if expected == CHANGES and not after:
        case.fault("after", "is missing", "the lines as they stand afterwards: [lr_d: 5.0e-5]")
    if expected == LEAVES and not because:
        case.fault("because", "is missing", "words of the reason why nothing is changed")
    if file != Path(file).name:
        case.fault("file", f"`{file}` is no name of a file", "write `config.yaml`")
    rest = {k: v for k, v in case.data.items() if k not in _OWN_KEYS}
    trial = described(Page(rest, case.where, case.faults), words)
    if trial is None or len(case.faults) > before:
        return None
    try:
        made = _prescribed(remedy, trial.run, (file, config), known)
    except GandoctorError as e:
        case.fault("config", e.what, e.hint)
        return None
    lines = [] if made is None else _written(made)
    if expected == CHANGES:
        why = "" if lines else f": {_why_not(made)}"
        return "" if lines == after else f"it writes {lines or 'nothing'}{why}"
    if lines:
        return f"it writes {lines}"
    why = _why_not(made)
    return "" if because in why else f"nothing is changed, but because {why}"


def _prescribed(
    remedy: Remedy, run: Run, config: tuple[str, str], known: Vocabulary
) -> Prescription | None:
    """What comes of a remedy beside one config file, all that it treats being likely."""
    file, text = config
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / file
        path.write_text(text + "\n", encoding="utf-8")
        raw = read_config(path, file).settings
        settings = {**run.settings, **vocabulary.settle(raw, vocabulary=known)}
        run = replace(run, settings=settings, raw_settings=raw)
        frame = diagnose.frame_of(run, "")
        made = prescribe(
            run,
            [_blamed(cause) for cause in remedy.treats],
            [remedy],
            Path(folder),
            holds=lambda clause: holds(clause, frame),
        )
    return made[0] if made else None


def _blamed(cause: str) -> Diagnosis:
    return Diagnosis(
        cause=cause,
        title=cause,
        story="",
        symptoms=(),
        severity="high",
        confidence="medium",
        score=0.0,
        reasons=(),
        onset_step=None,
        settings=(),
    )


def _written(made: Prescription) -> list[str]:
    """The lines that a patch writes, blanks squeezed."""
    bodies = diff.split(made.diff).values() if made.diff else ()
    return [" ".join(line[1:].split()) for body in bodies for line in body if line.startswith("+")]


def _why_not(made: Prescription | None) -> str:
    if made is None:
        return NOT_OFFERED
    if made.overrides:
        return f"it is only said on the command line: {' '.join(made.overrides)}"
    return made.blocked_by or "there is no patch, only advice"
