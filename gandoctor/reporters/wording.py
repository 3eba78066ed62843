"""Words that every output shares.

Numbers, steps, untrusted text made harmless, who belongs to which cause.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from gandoctor.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gandoctor.model.report import Diagnosis, Evidence, Finding, Prescription, Report

VERDICTS: Final = ("failing", "warning", "inconclusive", "healthy")
SENTENCES: Final = {
    "failing": "Something is wrong with this training.",
    "warning": "Something looks doubtful, but it is not certain.",
    "healthy": "Enough was logged to know, and no symptom was found.",
    "inconclusive": "Too little was logged to tell.",
}
_FAMILIES: Final = {
    "nonsaturating": "non-saturating", "lsgan": "LSGAN", "wgan": "WGAN", "wgan-gp": "WGAN-GP",
    "other": "an unusual loss", "unknown": "loss family not known",
}  # fmt: skip
_UNITS: Final = {"iterations": "iteration", "epochs": "epoch", "kimg": "kimg"}


# --- untrusted text
# --------------------------------------------------------------------------------------------------


def _escape(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def visible(text: str, keep: str = "\n\t") -> str:
    r"""Show what would be invisible or would reorder the text.

    Controls, bidi overrides, zero widths, lone surrogates.

    They are written as Python would write them: ``\x1b``, ``\u202e`` ("Trojan Source",
    https://arxiv.org/abs/2111.00169). What is in `keep` stays.
    """
    if text.isprintable():
        return text
    return "".join(c if c in keep or c.isprintable() else _escape(c) for c in text)


def plain(text: str) -> str:
    """One line for a terminal: nothing in it can move the cursor, colour, ring or reorder."""
    return visible(re.sub(r"[\r\n\t]+", " ", text), keep="")


def plain_lines(text: str) -> list[str]:
    """`plain`, line by line, tabs widened."""
    return (
        [plain(line.expandtabs(4)) for line in re.split(r"\r?\n", text.rstrip("\r\n"))]
        if text
        else []
    )


def hides_something(text: str) -> bool:
    """Whether the text holds characters that nobody can see as they are, but line ends and tabs."""
    return any(not c.isprintable() and c not in "\r\n\t" for c in text)


# --- numbers and steps
# ------------------------------------------------------------------------------------------------


def number(value: float | None, digits: int = 3) -> str:
    """A number for people: `digits` significant, thousands apart, powers of ten for many zeros."""
    if value is None:
        return "not finite"
    if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124
        return "not finite"
    if value == 0:
        return "0"
    if value == int(value) and abs(value) < 1e6:
        return f"{int(value):,}"
    if 1e-3 <= abs(value) < 1e6:
        return f"{value:,.{digits}g}" if abs(value) < 10**digits - 0.5 else f"{value:,.0f}"
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    return f"{mantissa.rstrip('0').rstrip('.') if '.' in mantissa else mantissa}e{int(exponent)}"


def step_word(unit: str) -> str:
    """``iteration``, ``epoch``, ``kimg``, ``step``."""
    return _UNITS.get(unit, "step")


def at(step: int, unit: str) -> str:
    """``iteration 1,200``, ``epoch 5``, ``1,200 kimg``, ``step 1,200``."""
    return f"{step:,} kimg" if unit == "kimg" else f"{step_word(unit)} {step:,}"


def axis(unit: str) -> str:
    """Name of the step axis."""
    return unit if unit in _UNITS else "steps"


def span(first: int, last: int, unit: str) -> str:
    """``iterations 0 to 4,000``."""
    return (
        f"{first:,} to {last:,} kimg" if unit == "kimg" else f"{axis(unit)} {first:,} to {last:,}"
    )


def course(report: Report) -> list[tuple[str, str]]:
    """When and what, of each stretch of a run that is not of one piece and not healthy."""
    if report.verdict == "healthy":
        return []
    unit = report.run.step_unit
    last = len(report.course) - 1
    return [
        (
            f"since {at(x.first_step, unit)}" if i == last else f"until {at(x.last_step, unit)}",
            x.text,
        )
        for i, x in enumerate(report.course)
    ]


def count(n: int, word: str, words: str = "") -> str:
    """``1 risk``, ``3 risks``, ``no risks``."""
    return f"{n:,} {word}" if n == 1 else f"{f'{n:,}' if n else 'no'} {words or word + 's'}"


def worst_first(report: Report) -> tuple[int, float]:
    """What runs are sorted by: the verdict, then the belief."""
    return VERDICTS.index(report.verdict), -(report.p_failing or 0.0)


def verdicts(reports: Iterable[Report]) -> str:
    """``2 failing, 1 healthy``; the worst first."""
    said = [r.verdict for r in reports]
    return ", ".join(f"{said.count(v):,} {v}" for v in VERDICTS if v in said)


def preferences(reports: Iterable[Report]) -> tuple[str, ...]:
    """What preferences changed of what is judged, over several runs, each sentence once."""
    return tuple(dict.fromkeys(sentence for r in reports for sentence in r.preferences))


def why(report: Report) -> str:
    """The sentence that carries the verdict."""
    return report.why_verdict or SENTENCES.get(report.verdict, "")


def headline(report: Report) -> str:
    """`why`, for a place where the verdict and its onset already stand."""
    step = since(report)
    if step is None:
        return why(report)
    phrases = "|".join(re.escape(p) for p in (at(step, report.run.step_unit), f"step {step:,}"))
    return re.sub(rf" since (?:{phrases})(?=[:;,. ]|$)", "", why(report), count=1)


def settings_from(report: Report) -> str:
    """That a config was patched since, and the run is judged by what it was; else empty."""
    from gandoctor.files import backups

    old = [s.path for s in report.run.sources if s.parser == "config"]
    patched = [(plain(backups.original(f)), plain(f)) for f in old if backups.original(f) != f]
    return "; ".join(
        f"{now} was patched after this run was logged: judged by {before}, what it was before"
        for now, before in patched
    )


def to_map(report: Report) -> str:
    """What to say with ``--map`` where a loss is wanting and names are left; empty for nothing."""
    if not report.signals and not report.unmapped:
        return ""
    from gandoctor.lexicon import hinting

    logged = {source.path for source in report.run.sources}
    placed = [(s.tag, s.role) for s in report.signals if s.source in logged]
    return hinting.to_map(placed, [x.tag for x in report.unmapped])


def since(report: Report) -> int | None:
    """Onset of the first diagnosis; without one, of the first finding that counts."""
    if report.diagnoses:
        return report.diagnoses[0].onset_step
    return min((f.onset_step for f in deciding(report) if f.onset_step is not None), default=None)


def game(report: Report) -> str:
    """The objective in a few words: ``non-saturating, D at chance 1.39``."""
    o = report.run.objective
    chance = f", D at chance {number(o.chance_d)}" if o.chance_d is not None else ""
    return _FAMILIES.get(o.family, o.family) + chance


def made_with(version: str, digest: str) -> str:
    """What a page was made with, for its foot."""
    return f"gandoctor {version}" + (f", rules {digest}" if digest else "")


# --- who belongs together
# ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Case:
    """One diagnosis with everything that is shown under it.

    Attributes
    ----------
    leading : tuple of Finding
        The findings that carry it.
    consequences : tuple of Finding
        The findings it explains, and so silences.
    prescriptions : tuple of Prescription
        Best first.
    patch : Prescription or None
        What to try first of them.
    """

    diagnosis: Diagnosis
    leading: tuple[Finding, ...]
    consequences: tuple[Finding, ...]
    prescriptions: tuple[Prescription, ...]
    patch: Prescription | None = None


def cases(report: Report) -> tuple[Case, ...]:
    """The diagnoses, best first, each with its findings and prescriptions."""
    return tuple(_case(report, d) for d in report.diagnoses)


def _case(report: Report, d: Diagnosis) -> Case:
    own = [f for f in report.findings if _belongs(f, d)]
    leading = [f for f in own if f.explained_by is None] or own[:1]
    return Case(
        diagnosis=d,
        leading=tuple(leading),
        consequences=tuple(f for f in own if f not in leading),
        prescriptions=tuple(p for p in report.prescriptions if p.cause == d.cause),
        patch=report.first_patch(d.cause),
    )


def _belongs(f: Finding, d: Diagnosis) -> bool:
    if f.explained_by == d.cause or f.rule in d.findings or f.fingerprint in d.findings:
        return True
    return not d.findings and f.explained_by is None and f.symptom in d.symptoms


def deciding(report: Report) -> tuple[Finding, ...]:
    """Findings that count towards the verdict and are nobody's consequence."""
    return tuple(f for f in report.findings if f.explained_by is None and f.status != "preview")


def orphans(report: Report) -> tuple[Finding, ...]:
    """Findings that count, yet belong to no diagnosis."""
    return tuple(f for f in deciding(report) if not any(_belongs(f, d) for d in report.diagnoses))


def main_thing(report: Report) -> str:
    """Title of the likeliest cause, else of the first finding without one, else empty."""
    first = report.diagnoses or orphans(report)
    return first[0].title if first else ""


def previews(report: Report) -> tuple[Finding, ...]:
    """Findings of rules on trial, which never decide."""
    return tuple(
        f
        for f in report.findings
        if f.status == "preview" and not any(_belongs(f, d) for d in report.diagnoses)
    )


def strongest(findings: Sequence[Finding], most: int = 2) -> tuple[Evidence, ...]:
    """The pieces of evidence to show where there is room for few.

    Of different signals before more of the same.
    """
    held = [e for f in findings for e in f.evidence if e.truth == "true" and e.text]
    first: list[Evidence] = []
    for e in held:
        if all((e.signal, e.signals) != (o.signal, o.signals) for o in first):
            first.append(e)
    rest = [e for e in held if e not in first]
    return tuple([*first, *rest][:most])
